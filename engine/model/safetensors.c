/* One file of tensors: mapped, its header checked.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/safetensors.h"
#include "model/model.h"
#include "model/pickle.h"
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define MAX_HEADER (100 << 20) /* the format's own limit */
#define MAX_TENSORS 100000

G_DEFINE_QUARK(sfu-model-error, sfu_model_error)

static gboolean fail(GError **error, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);
static gboolean fail(GError **error, const char *path, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FORMAT, "%s: %s", path, text);
    g_free(text);
    return FALSE;
}

void sfu_file_tensor_free(gpointer p)
{
    SfuFileTensor *t = p;
    g_free(t->name);
    g_free(t->owned);
    g_free(t);
}

static gboolean find_dtype(const char *name, SfuDtype *out)
{
    for (int i = 0; i < SFU_N_DTYPES; i++)
        if (strcmp(sfu_dtype_name(i), name) == 0) {
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

static gboolean parse_tensor(const char *path, const char *name, JsonNode *node, const guint8 *base, gint64 room, GPtrArray *out, GError **error)
{
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return fail(error, path, "the header's entry '%s' is no object", name);
    JsonObject *o = json_node_get_object(node);
    JsonNode *type = json_object_get_member(o, "dtype"), *shape = json_object_get_member(o, "shape"),
             *offsets = json_object_get_member(o, "data_offsets");
    if (!type || !shape || !offsets || !JSON_NODE_HOLDS_VALUE(type) || json_node_get_value_type(type) != G_TYPE_STRING ||
        !JSON_NODE_HOLDS_ARRAY(shape) || !JSON_NODE_HOLDS_ARRAY(offsets) || json_array_get_length(json_node_get_array(offsets)) != 2)
        return fail(error, path, "the header's entry '%s' lacks dtype, shape or data_offsets", name);
    SfuFileTensor t = {.n_elements = 1};
    if (!find_dtype(json_node_get_string(type), &t.dtype))
        return fail(error, path, "'%s' has the unknown type %.20s", name, json_node_get_string(type));
    JsonArray *dims = json_node_get_array(shape);
    if (json_array_get_length(dims) > G_N_ELEMENTS(t.dims))
        return fail(error, path, "'%s' has %u dimensions", name, json_array_get_length(dims));
    t.n_dims = (int)json_array_get_length(dims);
    for (int i = 0; i < t.n_dims; i++) {
        if (!get_int(dims, (guint)i, &t.dims[i]) || t.dims[i] > (gint64)1 << 40 ||
            (t.dims[i] && t.n_elements > ((gint64)1 << 40) / t.dims[i]))
            return fail(error, path, "'%s' has an impossible shape", name);
        t.n_elements *= t.dims[i];
    }
    gint64 from, to;
    if (!get_int(json_node_get_array(offsets), 0, &from) || !get_int(json_node_get_array(offsets), 1, &to) || from > to || to > room)
        return fail(error, path, "'%s' lies outside the file (the file is cut, or its header lies)", name);
    if (to - from != t.n_elements * (gint64)sfu_dtype_bytes(t.dtype))
        return fail(error, path, "'%s' has %" G_GINT64_FORMAT " bytes where its shape needs %" G_GINT64_FORMAT, name, to - from,
                    t.n_elements * (gint64)sfu_dtype_bytes(t.dtype));
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

/* json-glib recurses on nesting and keeps the last of two members of one name. This counts, before it sees the text, how deep the
 * brackets go (-1: out of step, or with something behind the last) and how many strings stand in the outermost object, each of which must be a member's name. */
static int json_depth(const char *s, gsize n, guint *n_names)
{
    int depth = 0, deepest = 0;
    *n_names = 0;
    for (gsize i = 0; i < n; i++) {
        if (deepest && !depth && !g_ascii_isspace(s[i]))
            return -1;
        if (s[i] == '"') {
            *n_names += depth == 1;
            for (i++; i < n && s[i] != '"'; i++)
                i += s[i] == '\\';
        } else if (s[i] == '{' || s[i] == '[') {
            depth++;
            deepest = MAX(deepest, depth);
        } else if ((s[i] == '}' || s[i] == ']') && --depth < 0)
            return -1;
    }
    return depth ? -1 : deepest;
}

#define MAX_DEPTH 16

JsonNode *sfu_json_parse(const char *text, gsize n, gsize max_bytes, const char *path, GError **error)
{
    guint names;
    if (n > max_bytes || n < 2) {
        fail(error, path, "%" G_GSIZE_FORMAT " bytes are no JSON of at most %" G_GSIZE_FORMAT, n, max_bytes);
        return NULL;
    }
    const int depth = json_depth(text, n, &names);
    if (depth < 0 || depth > MAX_DEPTH || !g_utf8_validate(text, (gssize)n, NULL)) {
        fail(error, path, "no UTF-8 JSON of the expected form");
        return NULL;
    }
    JsonParser *parser = json_parser_new();
    GError *json = NULL;
    JsonNode *node = NULL;
    if (!json_parser_load_from_data(parser, text, (gssize)n, &json)) {
        fail(error, path, "no JSON: %s", json->message);
        g_error_free(json);
    } else {
        node = json_parser_steal_root(parser);
        if (node && !JSON_NODE_HOLDS_OBJECT(node))
            g_clear_pointer(&node, json_node_unref);
        if (!node)
            fail(error, path, "no JSON object");
    }
    g_object_unref(parser);
    return node;
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
            ok = fail(error, path, "'%s' and '%s' overlap", before, t->name);
        else if (t->data > from)
            ok = fail(error, path, "there are %" G_GSIZE_FORMAT " bytes of no tensor before '%s'", (gsize)(t->data - from), t->name);
        from = t->data + t->n_elements * (gint64)sfu_dtype_bytes(t->dtype);
        before = t->name;
    }
    if (ok && from < to)
        ok = fail(error, path, "the file is %" G_GSIZE_FORMAT " bytes longer than its header tells", (gsize)(to - from));
    g_ptr_array_unref(sorted);
    return ok;
}

gboolean sfu_safetensors_parse(const guint8 *data, gsize n, const char *path, GPtrArray *out, GError **error)
{
    guint64 length = 0;
    if (n < 10)
        return fail(error, path, "too short for a safetensors file (%" G_GSIZE_FORMAT " bytes)", n);
    for (int i = 7; i >= 0; i--)
        length = length << 8 | data[i];
    if (length < 2 || length > MAX_HEADER || length > n - 8 || data[8] != '{')
        return fail(error, path, "no safetensors file, or its header is cut (%" G_GUINT64_FORMAT " header bytes of %" G_GSIZE_FORMAT ")",
                    length, n);
    const char *text = (const char *)data + 8, *name;
    guint n_names = 0;
    JsonNode *root = sfu_json_parse(text, length, MAX_HEADER, path, error), *node;
    if (!root)
        return FALSE;
    JsonObject *entries = json_node_get_object(root);
    JsonObjectIter it;
    gboolean ok = TRUE;
    json_depth(text, length, &n_names);
    if (n_names != json_object_get_size(entries))
        ok = fail(error, path, "the header names a tensor twice, or holds what is no tensor");
    else if (n_names > MAX_TENSORS)
        ok = fail(error, path, "more than %d tensors", MAX_TENSORS);
    json_object_iter_init_ordered(&it, entries);
    while (ok && json_object_iter_next_ordered(&it, &name, &node))
        if (strcmp(name, "__metadata__") != 0)
            ok = parse_tensor(path, name, node, data + 8 + length, (gint64)(n - 8 - length), out, error);
    json_node_unref(root);
    return ok && check_cover(out, data + 8 + length, data + n, path, error);
}

static gboolean stat_file(const char *path, gint64 *size, gint64 *mtime_ns)
{
    GStatBuf s;
    if (g_stat(path, &s) != 0)
        return FALSE;
    *size = s.st_size;
    *mtime_ns = (gint64)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec;
    return TRUE;
}

SfuFile *sfu_file_open(const char *path, GError **error)
{
    SfuFile *f = g_new0(SfuFile, 1);
    GError *local = NULL;
    f->path = g_strdup(path);
    f->tensors = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    /* A pipe or a device would block, or has no end. */
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
        f->map = g_mapped_file_new(path, FALSE, &local);
    if (!f->map || !stat_file(path, &f->size, &f->mtime_ns)) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_OPEN, "%s cannot be opened: %s", path,
                    local ? local->message : g_file_test(path, G_FILE_TEST_EXISTS) ? "it is no file" : "there is no such file");
        g_clear_error(&local);
        sfu_file_close(f);
        return NULL;
    }
    const guint8 *data = (const guint8 *)g_mapped_file_get_contents(f->map);
    const gsize n = g_mapped_file_get_length(f->map);
    gboolean ok;
    /* A safetensors file begins with a length, which may look like anything, but goes on with a brace. */
    f->pickle = n >= 9 && data[8] != '{' && (memcmp(data, "PK\3\4", 4) == 0 || (data[0] == 0x80 && data[1] <= 5));
    ok = f->pickle ? sfu_pth_parse(data, n, path, f->tensors, error) : sfu_safetensors_parse(data, n, path, f->tensors, error);
    if (ok)
        return f;
    sfu_file_close(f);
    return NULL;
}

void sfu_file_close(SfuFile *f)
{
    if (!f)
        return;
    g_ptr_array_unref(f->tensors);
    if (f->map)
        g_mapped_file_unref(f->map);
    g_free(f->path);
    g_free(f);
}

gboolean sfu_file_check_unchanged(const SfuFile *f, GError **error)
{
    gint64 size, mtime;
    if (stat_file(f->path, &size, &mtime) && size == f->size && mtime == f->mtime_ns)
        return TRUE;
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_OPEN, "%s was changed or removed while it was in use", f->path);
    return FALSE;
}
