/* What `sfumato inspect` shows.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/internal.h"

static void part_numbers(GHashTable *tensors, gint64 *bytes, gint64 *values, SfuDtype *dtype)
{
    GHashTableIter it;
    gpointer v;
    gint64 by_type[SFU_N_DTYPES] = {0};
    *bytes = *values = 0;
    g_hash_table_iter_init(&it, tensors);
    while (g_hash_table_iter_next(&it, NULL, &v)) {
        const SfuFileTensor *t = v;
        *values += t->n_elements;
        *bytes += t->n_elements * (gint64)sfu_dtype_bytes(t->dtype);
        by_type[t->dtype] += t->n_elements;
    }
    *dtype = SFU_F32;
    for (int i = 0; i < SFU_N_DTYPES; i++)
        if (by_type[i] > by_type[*dtype])
            *dtype = i;
}

JsonNode *sfu_model_inspect_json(SfuModel *m)
{
    JsonBuilder *b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "path");
    json_builder_add_string_value(b, m->path);
    json_builder_set_member_name(b, "family");
    json_builder_add_string_value(b, sfu_family_name(m->family));
    json_builder_set_member_name(b, "parts");
    json_builder_begin_object(b);
    for (int p = 0; p < SFU_N_PARTS; p++) {
        gint64 bytes, values;
        SfuDtype dtype;
        if (!m->tensors[p])
            continue;
        part_numbers(m->tensors[p], &bytes, &values, &dtype);
        json_builder_set_member_name(b, sfu_part_name(p));
        json_builder_begin_object(b);
        json_builder_set_member_name(b, "tensors");
        json_builder_add_int_value(b, g_hash_table_size(m->tensors[p]));
        json_builder_set_member_name(b, "parameters");
        json_builder_add_int_value(b, values);
        json_builder_set_member_name(b, "bytes");
        json_builder_add_int_value(b, bytes);
        json_builder_set_member_name(b, "dtype");
        json_builder_add_string_value(b, sfu_dtype_name(dtype));
        json_builder_end_object(b);
    }
    json_builder_end_object(b);
    json_builder_set_member_name(b, "unexpected");
    json_builder_begin_array(b);
    for (guint i = 0; i < m->unexpected->len; i++)
        json_builder_add_string_value(b, g_ptr_array_index(m->unexpected, i));
    json_builder_end_array(b);
    json_builder_end_object(b);
    JsonNode *n = json_builder_get_root(b);
    g_object_unref(b);
    return n;
}

char *sfu_model_inspect(SfuModel *m)
{
    GString *s = g_string_new(NULL);
    g_string_append_printf(s, "%s\n  family: %s\n", m->path, sfu_family_name(m->family));
    for (int p = 0; p < SFU_N_PARTS; p++) {
        gint64 bytes, values;
        SfuDtype dtype;
        if (!m->tensors[p])
            continue;
        part_numbers(m->tensors[p], &bytes, &values, &dtype);
        g_string_append_printf(s, "  %-14s %5u tensors, %8.2f M parameters, %8.1f MB, mostly %s\n", sfu_part_name(p),
                               g_hash_table_size(m->tensors[p]), (double)values * 1e-6, (double)bytes * 1e-6, sfu_dtype_name(dtype));
    }
    if (m->tensors[SFU_PART_UNET])
        g_string_append_printf(s, "  UNet: %d -> %d channels, %d levels, context %d, %s projection\n", m->unet.in_channels, m->unet.out_channels,
                               m->unet.n_blocks, m->unet.cross_attention_dim, m->unet.linear_projection ? "linear" : "convolution");
    if (m->unexpected->len)
        g_string_append_printf(s, "  not read: %u tensors, the first is %s\n", m->unexpected->len, (char *)g_ptr_array_index(m->unexpected, 0));
    return g_string_free(s, FALSE);
}
