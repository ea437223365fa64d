/* What a picture's layer carries as its "sfumato" parasite, and the options of a script.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = g_strndup((const char *)data, size);
    GError *error = NULL;
    guint source = 0, again_source = 0;
    SfuRequest *r = sfu_request_from_json(text, &source, &error);
    if (r) { /* what was accepted can be written and read again */
        char *written = sfu_request_to_json(r, source);
        SfuRequest *again = sfu_request_from_json(written, &again_source, NULL);
        g_assert_nonnull(again);
        g_assert_cmpuint(source, ==, again_source);
        sfu_request_free(again);
        g_free(written);
    } else {
        g_assert_nonnull(error);
        g_assert_true(g_utf8_validate(error->message, -1, NULL)); /* GIMP shows it */
    }
    g_clear_error(&error);
    sfu_request_free(r);
    r = sfu_request_new(SFU_ACTION_FILL);
    g_assert_true(sfu_request_set_options(r, text, &error) || error);
    g_clear_error(&error);
    sfu_request_free(r);
    g_free(text);
    return 0;
}
