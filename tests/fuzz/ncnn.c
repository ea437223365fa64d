/* ncnn's pairs of files: the text, a zero byte, the weights.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/ncnn_graph.h"
#include "file/ncnn.h"
#include "fuzz.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    const guint8 *zero = size ? memchr(data, 0, size) : NULL;
    const gsize n = zero ? (gsize)(zero - data) : size;
    GPtrArray *tensors = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    GError *error = NULL;
    SfuNcnnGraph *g = sfu_ncnn_parse((const char *)data, n, data + n + (zero != NULL), size - n - (zero != NULL),
                                     "x.param", tensors, &error);
    if (g) {
        double reduction;
        const SfuFile f = {.tensors = tensors, .graph = g};
        for (guint i = 0; i < tensors->len; i++) {
            const SfuFileTensor *t = g_ptr_array_index(tensors, i);
            g_assert_true(t->data >= data && t->data + sfu_file_tensor_bytes(t) <= data + size);
        }
        if (!sfu_ncnn_name(&f, "x.param", &reduction, &error))
            g_assert_nonnull(error);
    } else
        g_assert_nonnull(error);
    g_clear_error(&error);
    sfu_ncnn_graph_free(g);
    g_ptr_array_unref(tensors);
    return 0;
}
