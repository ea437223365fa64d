/* Prompts with choices; __name__ is one of two lines, of which one names itself.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "text/wildcards.h"

static GPtrArray *lines(const char *name, gpointer data, GError **error)
{
    GPtrArray *v = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(v, g_strdup("one"));
    g_ptr_array_add(v, g_strdup_printf("{two|__%s__}", name));
    return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = g_strndup((const char *)data, size);
    for (guint64 seed = 0; seed < 3; seed++) {
        GError *error = NULL;
        char *out = sfu_wildcards_resolve(text, seed, lines, NULL, &error);
        fuzz_check_error(out != NULL, &error);
        g_assert_true(!out || g_utf8_validate(out, -1, NULL));
        g_free(out);
    }
    g_free(text);
    return 0;
}
