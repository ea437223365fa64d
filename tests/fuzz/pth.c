/* PyTorch's zip format, whole.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "file/pickle.h"
#include "file/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    GError *error = NULL;
    unsigned sum = 0;
    const gboolean ok = sfu_pth_parse(data, size, "fuzz", out, &error);
    fuzz_check_error(ok, &error);
    for (guint i = 0; ok && i < out->len; i++) { /* every byte of what was accepted can be read */
        const SfuFileTensor *t = g_ptr_array_index(out, i);
        for (gint64 k = 0; k < t->n_elements * (gint64)sfu_dtype_bytes(t->dtype); k++)
            sum += t->data[k];
    }
    g_ptr_array_unref(out);
    return sum == 0xffffffffu;
}
