/* The header of a safetensors file.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "file/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    GError *error = NULL;
    const gboolean ok = sfu_safetensors_parse(data, size, "fuzz", out, &error);
    fuzz_check_error(ok, &error);
    for (guint i = 0; ok && i < out->len; i++) { /* what was accepted lies inside */
        const SfuFileTensor *t = g_ptr_array_index(out, i);
        g_assert_true(t->data >= data && t->data + t->n_elements * (gint64)sfu_dtype_bytes(t->dtype) <= data + size);
    }
    g_ptr_array_unref(out);
    return 0;
}
