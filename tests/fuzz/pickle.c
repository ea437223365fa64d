/* The pickle inside a .pth.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "file/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GPtrArray *arena = g_ptr_array_new_with_free_func(sfu_pickle_value_free);
    GError *error = NULL;
    const gboolean ok = sfu_pickle_read(data, size, "fuzz", arena, NULL, &error) != NULL;
    fuzz_check_error(ok, &error);
    g_ptr_array_unref(arena);
    return 0;
}
