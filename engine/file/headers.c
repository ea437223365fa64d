/* Headers of the files that `sfumato convert` writes. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "file/retype.h"
#include <json-glib/json-glib.h>
#include <string.h>

/* What speaks of how the old file was written. */
static gboolean is_stale(const char *key)
{
    static const char *const keys[] = {"_quantization_metadata", "general.alignment", "general.file_type",
                                       "general.quantization_version", "format"};
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(key, keys[i]) == 0)
            return TRUE;
    return g_str_has_prefix(key, "comfy.gguf.orig_shape.");
}

/* Keys in order, so that a file is always written the same. */
static GList *kept_keys(const SfuFile *f)
{
    GList *keys = g_list_sort(g_hash_table_get_keys(f->metadata), (GCompareFunc)strcmp), *kept = NULL;
    for (GList *l = keys; l; l = l->next)
        if (!is_stale(l->data))
            kept = g_list_prepend(kept, l->data);
    g_list_free(keys);
    return g_list_reverse(kept);
}

static void put_number(GByteArray *b, guint64 v, int n)
{
    guint8 bytes[8];
    for (int i = 0; i < n; i++)
        bytes[i] = (guint8)(v >> 8 * i);
    g_byte_array_append(b, bytes, (guint)n);
}

static void put_text(GByteArray *b, const char *s)
{
    put_number(b, strlen(s), 8);
    g_byte_array_append(b, (const guint8 *)s, (guint)strlen(s));
}

/* ggml's number; every type that the plan chooses for GGUF has one. */
static int ggml_type(SfuDtype t)
{
    static const struct {
        SfuDtype dtype;
        int number;
    } types[] = {{SFU_F32, 0},   {SFU_F16, 1},   {SFU_Q4_0, 2},    {SFU_Q4_1, 3},    {SFU_Q5_0, 6},
                 {SFU_Q5_1, 7},  {SFU_Q8_0, 8},  {SFU_Q2_K, 10},   {SFU_Q3_K, 11},   {SFU_Q4_K, 12},
                 {SFU_Q5_K, 13}, {SFU_Q6_K, 14}, {SFU_IQ4_NL, 20}, {SFU_IQ4_XS, 23}, {SFU_I8, 24},
                 {SFU_I16, 25},  {SFU_I32, 26},  {SFU_I64, 27},    {SFU_F64, 28},    {SFU_BF16, 30}};
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].dtype == t)
            return types[i].number;
    return -1;
}

/* A convolution's rows are of 3 values, so blocks need it flat; the key tells readers its shape. */
static gboolean is_flat(const SfuOutTensor *o)
{
    return o->n_dims > 2 && sfu_dtype_block(o->dtype) > 1 && o->dims[o->n_dims - 1] % sfu_dtype_block(o->dtype);
}

static void put_entries(GByteArray *b, const SfuFile *f, GPtrArray *out, GList *keys)
{
    enum { U32 = 4, I32 = 5, TEXT = 8, ARRAY = 9 };
    put_text(b, "general.quantization_version");
    put_number(b, U32, 4);
    put_number(b, 2, 4);
    for (GList *l = keys; l; l = l->next) {
        const SfuFileValue *v = g_hash_table_lookup(f->metadata, l->data);
        put_text(b, l->data);
        if (v->raw)
            g_byte_array_append(b, v->raw, (guint)v->raw_bytes);
        else {
            put_number(b, TEXT, 4);
            put_text(b, v->text);
        }
    }
    for (guint i = 0; i < out->len; i++) {
        const SfuOutTensor *o = g_ptr_array_index(out, i);
        if (!is_flat(o))
            continue;
        char *key = g_strconcat("comfy.gguf.orig_shape.", o->name, NULL);
        put_text(b, key);
        put_number(b, ARRAY, 4);
        put_number(b, I32, 4);
        put_number(b, (guint64)o->n_dims, 8);
        for (int d = 0; d < o->n_dims; d++)
            put_number(b, (guint64)o->dims[d], 4);
        g_free(key);
    }
}

GByteArray *sfu_gguf_header(const SfuFile *f, GPtrArray *out)
{
    GByteArray *b = g_byte_array_new();
    GList *keys = kept_keys(f);
    guint64 n_entries = 1 + g_list_length(keys), place = 0;
    for (guint i = 0; i < out->len; i++)
        n_entries += is_flat(g_ptr_array_index(out, i)) ? 1 : 0;
    g_byte_array_append(b, (const guint8 *)"GGUF", 4);
    put_number(b, 3, 4);
    put_number(b, out->len, 8);
    put_number(b, n_entries, 8);
    put_entries(b, f, out, keys);
    g_list_free(keys);
    for (guint i = 0; i < out->len; i++) {
        const SfuOutTensor *o = g_ptr_array_index(out, i);
        const gboolean flat = is_flat(o);
        put_text(b, o->name);
        put_number(b, flat ? 2 : (guint64)o->n_dims, 4);
        if (flat) {
            put_number(b, (guint64)(o->n_elements / o->dims[0]), 8);
            put_number(b, (guint64)o->dims[0], 8);
        }
        for (int d = o->n_dims - 1; !flat && d >= 0; d--)
            put_number(b, (guint64)o->dims[d], 8);
        put_number(b, (guint64)ggml_type(o->dtype), 4);
        put_number(b, place, 8);
        place += (sfu_dtype_size(o->dtype, o->n_elements) + SFU_GGUF_ALIGNMENT - 1) / SFU_GGUF_ALIGNMENT *
                 SFU_GGUF_ALIGNMENT;
    }
    while (b->len % SFU_GGUF_ALIGNMENT)
        put_number(b, 0, 1);
    return b;
}

static void add_tensor(JsonBuilder *j, const SfuOutTensor *o, guint64 from, guint64 to)
{
    json_builder_set_member_name(j, o->name);
    json_builder_begin_object(j);
    json_builder_set_member_name(j, "dtype");
    json_builder_add_string_value(j, sfu_dtype_name(o->dtype));
    json_builder_set_member_name(j, "shape");
    json_builder_begin_array(j);
    for (int d = 0; d < o->n_dims; d++)
        json_builder_add_int_value(j, o->dims[d]);
    json_builder_end_array(j);
    json_builder_set_member_name(j, "data_offsets");
    json_builder_begin_array(j);
    json_builder_add_int_value(j, (gint64)from);
    json_builder_add_int_value(j, (gint64)to);
    json_builder_end_array(j);
    json_builder_end_object(j);
}

GByteArray *sfu_safetensors_header(const SfuFile *f, GPtrArray *out)
{
    JsonBuilder *j = json_builder_new();
    GList *keys = kept_keys(f);
    guint64 at = 0;
    json_builder_begin_object(j);
    json_builder_set_member_name(j, "__metadata__");
    json_builder_begin_object(j);
    json_builder_set_member_name(j, "format");
    json_builder_add_string_value(j, "pt");
    for (GList *l = keys; l; l = l->next) {
        const SfuFileValue *v = g_hash_table_lookup(f->metadata, l->data);
        if (v->kind == SFU_FILE_TEXT) {
            json_builder_set_member_name(j, l->data);
            json_builder_add_string_value(j, v->text);
        }
    }
    json_builder_end_object(j);
    g_list_free(keys);
    for (guint i = 0; i < out->len; i++) {
        const SfuOutTensor *o = g_ptr_array_index(out, i);
        const guint64 to = at + sfu_dtype_size(o->dtype, o->n_elements);
        add_tensor(j, o, at, to);
        at = to;
    }
    json_builder_end_object(j);
    JsonNode *root = json_builder_get_root(j);
    char *text = json_to_string(root, FALSE);
    GByteArray *b = g_byte_array_new();
    const gsize n = (strlen(text) + 7) / 8 * 8;
    put_number(b, n, 8);
    g_byte_array_append(b, (const guint8 *)text, (guint)strlen(text));
    while (b->len < 8 + n)
        g_byte_array_append(b, (const guint8 *)" ", 1);
    g_free(text);
    json_node_unref(root);
    g_object_unref(j);
    return b;
}
