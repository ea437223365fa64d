/* What the targets of tensor files share: what was accepted lies inside the file, and can be read.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FUZZ_TENSORS_H
#define FUZZ_TENSORS_H

#include "fuzz.h"
#include "file/file.h"

typedef gboolean (*FuzzParse)(const guint8 *data, gsize n, const char *path, GPtrArray *out, GHashTable *metadata,
                              GError **error);

static inline int fuzz_tensors(FuzzParse parse, const uint8_t *data, size_t size)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(sfu_file_tensor_free),
              *scales = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    GHashTable *metadata = sfu_file_metadata_new();
    GError *error = NULL;
    float v[300];
    const gboolean ok =
        parse(data, size, "fuzz", out, metadata, &error) && sfu_scales_attach(out, scales, metadata, "fuzz", &error);
    fuzz_check_error(ok, &error);
    for (guint i = 0; ok && i < out->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(out, i);
        const gint64 n = MIN(t->n_elements, (gint64)G_N_ELEMENTS(v));
        g_assert_true(t->data >= data && t->data + sfu_file_tensor_bytes(t) <= data + size);
        SfuWeight *w = sfu_file_tensor_weight(t, t->name);
        sfu_weight_read_f32(w, 0, n, v);
        sfu_weight_read_f32(w, t->n_elements - n, n, v);
        sfu_weight_destroy(w);
    }
    g_hash_table_unref(metadata);
    g_ptr_array_unref(out);
    g_ptr_array_unref(scales);
    return 0;
}

#endif
