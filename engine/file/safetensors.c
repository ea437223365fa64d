/* safetensors: the header checked, tensors point into the mapping. https://github.com/huggingface/safetensors#format
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/file.h"
#include "file/json.h"
#include <string.h>
#include <inttypes.h>
#include <glib/gi18n-lib.h>

#define MAX_HEADER (100 << 20) /* the format's own limit */
#define MAX_TENSORS 100000

static gboolean find_dtype(const char *name, SfuDtype *out)
{
    for (int i = 0; i < SFU_N_DTYPES; i++)
        if (sfu_dtype_block(i) == 1 && strcmp(sfu_dtype_name(i), name) == 0) {
            *out = i;
            return TRUE;
        }
    return FALSE;
}

static gboolean get_int(JsonArray *a, guint i, gint64 *v)
{
    JsonNode *n = json_array_get_element(a, i);
    if (!JSON_NODE_HOLDS_VALUE(n) || json_node_get_value_type(n) != G_TYPE_INT64)
        return FALSE;
    *v = json_node_get_int(n);
    return *v >= 0;
}

static gboolean parse_tensor(const char *path, const char *name, JsonNode *node, const guint8 *base, gint64 room,
                             GPtrArray *out, GError **error)
{
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return sfu_file_fail(error, path, _("the header's entry '%s' is not an object"), name);
    JsonObject *o = json_node_get_object(node);
    JsonNode *type = json_object_get_member(o, "dtype"), *shape = json_object_get_member(o, "shape"),
             *offsets = json_object_get_member(o, "data_offsets");
    if (!type || !shape || !offsets || !JSON_NODE_HOLDS_VALUE(type) ||
        json_node_get_value_type(type) != G_TYPE_STRING || !JSON_NODE_HOLDS_ARRAY(shape) ||
        !JSON_NODE_HOLDS_ARRAY(offsets) || json_array_get_length(json_node_get_array(offsets)) != 2)
        return sfu_file_fail(error, path, _("the header's entry '%s' lacks dtype, shape or data_offsets"), name);
    SfuFileTensor t = {.n_elements = 1};
    if (!find_dtype(json_node_get_string(type), &t.dtype))
        return sfu_file_fail(error, path, _("'%s' has the unknown type %s"), name,
                             SFU_TEXT_HEAD(json_node_get_string(type)));
    JsonArray *dims = json_node_get_array(shape);
    if (json_array_get_length(dims) > G_N_ELEMENTS(t.dims))
        return sfu_file_fail(error, path, _("'%s' has %u dimensions"), name, json_array_get_length(dims));
    t.n_dims = (int)json_array_get_length(dims);
    for (int i = 0; i < t.n_dims; i++) {
        if (!get_int(dims, (guint)i, &t.dims[i]) || t.dims[i] > (gint64)1 << 40 ||
            (t.dims[i] && t.n_elements > ((gint64)1 << 40) / t.dims[i]))
            return sfu_file_fail(error, path, _("'%s' has an impossible shape"), name);
        t.n_elements *= t.dims[i];
    }
    gint64 from, to;
    if (!get_int(json_node_get_array(offsets), 0, &from) || !get_int(json_node_get_array(offsets), 1, &to) ||
        from > to || to > room)
        return sfu_file_fail(error, path,
                             _("'%s' lies outside the file (the file is truncated, or its header is wrong)"), name);
    if (to - from != t.n_elements * (gint64)sfu_dtype_bytes(t.dtype))
        return sfu_file_fail(error, path, _("'%s' has %" PRId64 " bytes where its shape needs %" PRId64), name,
                             to - from, t.n_elements * (gint64)sfu_dtype_bytes(t.dtype));
    t.data = base + from;
    t.name = g_strdup(name);
    g_ptr_array_add(out, g_memdup2(&t, sizeof t));
    return TRUE;
}

static int by_data(gconstpointer a, gconstpointer b)
{
    const SfuFileTensor *x = *(SfuFileTensor *const *)a, *y = *(SfuFileTensor *const *)b;
    return x->data < y->data ? -1 : x->data > y->data ? 1 : x->n_elements < y->n_elements ? -1 : 1;
}

static gboolean check_cover(GPtrArray *tensors, const guint8 *from, const guint8 *to, const char *path, GError **error)
{
    GPtrArray *sorted = g_ptr_array_new();
    const char *before = "the header";
    gboolean ok = TRUE;
    for (guint i = 0; i < tensors->len; i++)
        g_ptr_array_add(sorted, g_ptr_array_index(tensors, i));
    g_ptr_array_sort(sorted, by_data);
    for (guint i = 0; ok && i < sorted->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(sorted, i);
        if (t->data < from)
            ok = sfu_file_fail(error, path, _("'%s' and '%s' overlap"), before, t->name);
        else if (t->data > from)
            ok = sfu_file_fail(error, path, _("%zu bytes before '%s' belong to no tensor"), (gsize)(t->data - from),
                               t->name);
        from = t->data + t->n_elements * (gint64)sfu_dtype_bytes(t->dtype);
        before = t->name;
    }
    if (ok && from < to)
        ok = sfu_file_fail(error, path, _("the file is %zu bytes longer than its header says"), (gsize)(to - from));
    g_ptr_array_unref(sorted);
    return ok;
}

static void read_metadata(JsonNode *node, GHashTable *metadata)
{
    JsonObjectIter it;
    const char *key;
    JsonNode *value;
    if (!metadata || !JSON_NODE_HOLDS_OBJECT(node))
        return;
    json_object_iter_init(&it, json_node_get_object(node));
    while (json_object_iter_next(&it, &key, &value))
        if (JSON_NODE_HOLDS_VALUE(value) && json_node_get_value_type(value) == G_TYPE_STRING) {
            SfuFileValue *v = g_new0(SfuFileValue, 1);
            v->text = g_strdup(json_node_get_string(value));
            g_hash_table_insert(metadata, g_strdup(key), v);
        }
}

gboolean sfu_safetensors_parse(const guint8 *data, gsize n, const char *path, GPtrArray *out, GHashTable *metadata,
                               GError **error)
{
    guint64 length = 0;
    if (n < 10)
        return sfu_file_fail(error, path, _("too short for a safetensors file (%zu bytes)"), n);
    for (int i = 7; i >= 0; i--)
        length = length << 8 | data[i];
    if (length < 2 || length > MAX_HEADER || length > n - 8 || data[8] != '{')
        return sfu_file_fail(error, path,
                             _("not a safetensors file, or its header is truncated (%" PRIu64 " header bytes of %zu)"),
                             length, n);
    const char *text = (const char *)data + 8, *name;
    guint n_names = 0;
    JsonNode *root = sfu_json_parse(text, length, MAX_HEADER, path, error), *node;
    if (!root)
        return FALSE;
    JsonObject *entries = json_node_get_object(root);
    JsonObjectIter it;
    gboolean ok = TRUE;
    sfu_json_depth(text, length, &n_names);
    if (n_names != json_object_get_size(entries))
        ok = sfu_file_fail(error, path, _("the header names a tensor twice, or holds something that is not a tensor"));
    else if (n_names > MAX_TENSORS)
        ok = sfu_file_fail(error, path, _("more than %d tensors"), MAX_TENSORS);
    json_object_iter_init_ordered(&it, entries);
    while (ok && json_object_iter_next_ordered(&it, &name, &node))
        if (strcmp(name, "__metadata__") == 0)
            read_metadata(node, metadata);
        else
            ok = parse_tensor(path, name, node, data + 8 + length, (gint64)(n - 8 - length), out, error);
    json_node_unref(root);
    return ok && check_cover(out, data + 8 + length, data + n, path, error);
}
