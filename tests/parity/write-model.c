/* Writes one of the small models for tests that run the command: write-model KEY PATH [DATA]. KEY is a model of
 * DATA.json.gz, or of pipelines.json.gz; PATH must not be there.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "small_models.h"

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4)
        return 2;
    if (argc == 4)
        parity_data_open_named(argv[3]);
    else
        parity_data_open();
    char *path = parity_model_path(argv[1], NULL);
    /* Closing the data deletes what it wrote where it wrote it. */
    const gboolean ok = g_spawn_sync(NULL, (char *[]){(char *)"cp", (char *)"-r", path, argv[2], NULL}, NULL,
                                     G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
    g_free(path);
    parity_data_close();
    return ok ? 0 : 1;
}
