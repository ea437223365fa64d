/* Text chunks of PNG files. The input is the whole file.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "cli/cli.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    char *text = sfu_png_text_find(data, size, "parameters", &error);
    g_assert_true(!text || (!error && g_utf8_validate(text, -1, NULL)));
    g_clear_error(&error);
    g_free(text);
    return 0;
}
