/* What every fuzz target offers. Called by libFuzzer, and by replay.c with each file of the corpus.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FUZZ_H
#define FUZZ_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every parser of the engine: an error is set exactly when it failed, and is one line of valid UTF-8. */
static inline void fuzz_check_error(gboolean ok, GError **error)
{
    g_assert_true(ok == (*error == NULL));
    if (*error)
        g_assert_true(g_utf8_validate((*error)->message, -1, NULL) && *(*error)->message);
    g_clear_error(error);
}

#endif
