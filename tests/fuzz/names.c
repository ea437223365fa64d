/* Names and shapes of a single file: mapping, family, configuration, what is missing. Input: lines "name d0 d1 ...".
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "lines.h"
#include "family/family.h"

static void open_model(const char *path)
{
    GError *error = NULL;
    SfuModel *m = sfu_model_open(path, &error);
    fuzz_check_error(m != NULL, &error);
    if (m)
        g_free(sfu_model_inspect(m));
    sfu_model_close(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_lines(data, size, (gint64)1 << 40, open_model);
    return 0;
}
