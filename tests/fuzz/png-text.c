/* Text in picture files: chunks of PNG, comments of JPEG and GIF, EXIF data within boxes. The input is the whole file.
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
    char *(*const finders[])(const guint8 *, gsize) = {sfu_jpeg_comment_find, sfu_gif_comment_find};
    for (guint i = 0; i < G_N_ELEMENTS(finders); i++) {
        text = finders[i](data, size);
        g_assert_true(!text || g_utf8_validate(text, -1, NULL));
        g_free(text);
    }
    gsize n = 0;
    const guint8 *exif = sfu_boxes_exif_find(data, size, &n);
    g_assert_true(!exif || (exif >= data && n > 0 && n <= size && exif <= data + size - n));
    return 0;
}
