/* Parameters as text: A1111's form, as it stands in PNG files, and JSON, as it stands in layers and batch files.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "sfumato.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = g_strndup((const char *)data, size);
    for (int json = 0; json < 2; json++) {
        SfuParams *p = sfu_params_new(), *again = sfu_params_new();
        GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);
        GError *error = NULL;
        if (json ? sfu_params_from_json(p, text, &error) : sfu_params_from_infotext(p, text, warnings, &error)) {
            /* What was accepted can be written and read again. */
            char *written = sfu_params_to_json(p), *info = sfu_params_to_infotext(p, 64, 64);
            g_assert_true(sfu_params_from_json(again, written, NULL));
            g_free(written);
            g_free(info);
        } else {
            g_assert_nonnull(error);
        }
        for (guint i = 0; i < warnings->len; i++)
            g_assert_true(g_utf8_validate(warnings->pdata[i], -1, NULL));
        g_ptr_array_unref(warnings);
        g_clear_error(&error);
        sfu_params_free(p);
        sfu_params_free(again);
    }
    g_free(text);
    return 0;
}
