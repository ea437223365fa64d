/* GGUF: the header checked, tensors point into the mapping. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md,
 * versions 2 and 3: "GGUF", version, counts of tensors and of metadata entries; entries (key, type, value); tensors
 * (name, dims, type, place); padding; data. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "file/file.h"
#include <string.h>
#include <inttypes.h>
#include <glib/gi18n-lib.h>

#define MAX_TENSORS 100000
#define MAX_ENTRIES 200000
#define MAX_NAME 4096
#define MAX_DEPTH 4 /* of arrays in arrays */
#define MAX_ALIGNMENT (1 << 20)

enum { U8, I8, U16, I16, U32, I32, F32, BOOL, TEXT, ARRAY, U64, I64, F64, N_VALUE_TYPES };
static const guint8 value_bytes[N_VALUE_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/* ggml's numbers; those without a type of ours are refused by name. */
static const struct {
    const char *name;
    int dtype; /* SfuDtype; -1: not read */
} types[] = {
    {"F32", SFU_F32},       {"F16", SFU_F16},   {"Q4_0", SFU_Q4_0}, {"Q4_1", SFU_Q4_1},     {"Q4_2", -1},
    {"Q4_3", -1},           {"Q5_0", SFU_Q5_0}, {"Q5_1", SFU_Q5_1}, {"Q8_0", SFU_Q8_0},     {"Q8_1", -1},
    {"Q2_K", SFU_Q2_K},     {"Q3_K", SFU_Q3_K}, {"Q4_K", SFU_Q4_K}, {"Q5_K", SFU_Q5_K},     {"Q6_K", SFU_Q6_K},
    {"Q8_K", -1},           {"IQ2_XXS", -1},    {"IQ2_XS", -1},     {"IQ3_XXS", -1},        {"IQ1_S", -1},
    {"IQ4_NL", SFU_IQ4_NL}, {"IQ3_S", -1},      {"IQ2_S", -1},      {"IQ4_XS", SFU_IQ4_XS}, {"I8", SFU_I8},
    {"I16", SFU_I16},       {"I32", SFU_I32},   {"I64", SFU_I64},   {"F64", SFU_F64},       {"IQ1_M", -1},
    {"BF16", SFU_BF16},     {"Q4_0_4_4", -1},   {"Q4_0_4_8", -1},   {"Q4_0_8_8", -1},       {"TQ1_0", -1},
    {"TQ2_0", -1},          {"IQ4_NL_4_4", -1}, {"IQ4_NL_4_8", -1}, {"IQ4_NL_8_8", -1},     {"MXFP4", -1},
    {"NVFP4", -1},          {"Q1_0", -1},
};

typedef struct {
    const guint8 *p, *end; /* what is left of the header */
    const char *path;
    GHashTable *metadata;
    GHashTable
        *shapes; /* name of a tensor -> SfuFileValue*, its shape before it was flattened; borrowed from metadata */
    GHashTable *names; /* of tensors, borrowed */
    GError **error;
} Reader;

static gboolean fail_damaged(Reader *r)
{
    return sfu_file_fail(r->error, r->path, _("the GGUF header is truncated or wrong"));
}

/* Little-endian unsigned of n <= 8 bytes. */
static guint64 number_at(const guint8 *p, int n)
{
    guint64 v = 0;
    for (int i = n - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static gboolean read_number(Reader *r, int n, guint64 *v)
{
    *v = 0;
    if (r->end - r->p < n)
        return fail_damaged(r);
    *v = number_at(r->p, n);
    r->p += n;
    return TRUE;
}

static gboolean take_text(Reader *r, const char **s, gsize *n)
{
    guint64 length = 0;
    if (!read_number(r, 8, &length))
        return FALSE;
    if (length > (guint64)(r->end - r->p))
        return fail_damaged(r);
    *s = (const char *)r->p;
    *n = (gsize)length;
    r->p += length;
    return TRUE;
}

/* A key or a tensor's name. Caller frees; NULL with error. */
static char *take_name(Reader *r, const char *what)
{
    const char *s = NULL;
    gsize n = 0;
    if (!take_text(r, &s, &n))
        return NULL;
    if (n && n <= MAX_NAME && g_utf8_validate(s, (gssize)n, NULL))
        return g_strndup(s, n);
    sfu_file_fail(r->error, r->path, _("the GGUF header has %s that is empty, too long or not UTF-8"), what);
    return NULL;
}

static gboolean skip_array(Reader *r, SfuFileValue *v, int depth)
{
    guint64 type = 0, n = 0;
    if (!read_number(r, 4, &type) || !read_number(r, 8, &n))
        return FALSE;
    if (type >= N_VALUE_TYPES || depth > MAX_DEPTH)
        return sfu_file_fail(r->error, r->path, _("the GGUF header has an array of an unknown type"));
    v->kind = SFU_FILE_ARRAY;
    v->element_type = (int)type;
    v->n_elements = n;
    v->elements = r->p;
    if (value_bytes[type]) {
        if (n > (guint64)(r->end - r->p) / value_bytes[type])
            return fail_damaged(r);
        r->p += n * value_bytes[type];
        return TRUE;
    }
    SfuFileValue inner = {0};
    const char *s;
    gsize length;
    for (guint64 i = 0; i < n; i++) /* each takes 8 bytes at least, so the file's end bounds the loop */
        if (type == TEXT ? !take_text(r, &s, &length) : !skip_array(r, &inner, depth + 1))
            return FALSE;
    return TRUE;
}

static double number_value(const guint8 *p, int type)
{
    const guint64 u = number_at(p, value_bytes[type]);
    const guint32 u32 = (guint32)u;
    float f;
    double d;
    switch (type) {
    case I8:
        return (gint8)u;
    case I16:
        return (gint16)u;
    case I32:
        return (gint32)u;
    case I64:
        return (double)(gint64)u;
    case F32:
        memcpy(&f, &u32, 4);
        return (double)f;
    case F64:
        memcpy(&d, &u, 8);
        return d;
    default:
        return (double)u;
    }
}

static gboolean take_value(Reader *r, SfuFileValue *v)
{
    guint64 type = 0, bits;
    const char *s = NULL;
    gsize n = 0;
    if (!read_number(r, 4, &type))
        return FALSE;
    switch (type) {
    case TEXT:
        if (!take_text(r, &s, &n))
            return FALSE;
        v->kind = SFU_FILE_TEXT;
        v->text = g_utf8_validate(s, (gssize)n, NULL) ? g_strndup(s, n) : g_strdup("");
        return TRUE;
    case ARRAY:
        return skip_array(r, v, 1);
    default:
        if (type >= N_VALUE_TYPES)
            return sfu_file_fail(r->error, r->path, _("the GGUF header has a value of an unknown type (%u)"),
                                 (guint)type);
        v->kind = SFU_FILE_NUMBER;
        const guint8 *at = r->p;
        if (!read_number(r, value_bytes[type], &bits))
            return FALSE;
        v->number = number_value(at, (int)type);
        return TRUE;
    }
}

static gboolean take_entry(Reader *r)
{
    static const char shape[] = "comfy.gguf.orig_shape.";
    char *key = take_name(r, "a key");
    SfuFileValue *v = g_new0(SfuFileValue, 1);
    v->raw = r->p;
    const gboolean ok = key && take_value(r, v);
    v->raw_bytes = (gsize)(r->p - v->raw);
    if (ok && g_hash_table_contains(r->metadata, key)) {
        sfu_file_fail(r->error, r->path, _("the GGUF header has the key '%s' twice"), key);
    } else if (ok) {
        if (g_str_has_prefix(key, shape))
            g_hash_table_insert(r->shapes, key + strlen(shape), v);
        g_hash_table_insert(r->metadata, key, v);
        return TRUE;
    }
    g_free(v->text);
    g_free(v);
    g_free(key);
    return FALSE;
}

static gboolean bad_shape(Reader *r, const SfuFileTensor *t)
{
    return sfu_file_fail(r->error, r->path, _("'%s' has an impossible shape"), t->name);
}

/* Multiplies n_elements out of dims. */
static gboolean count(Reader *r, SfuFileTensor *t)
{
    t->n_elements = 1;
    for (int i = 0; i < t->n_dims; i++) {
        if (t->dims[i] < 0 || t->dims[i] > (gint64)1 << 40 ||
            (t->dims[i] && t->n_elements > ((gint64)1 << 40) / t->dims[i]))
            return bad_shape(r, t);
        t->n_elements *= t->dims[i];
    }
    return TRUE;
}

/* Writers that need rows of whole blocks flatten a convolution's weights, and tell the shape that they had. */
static gboolean restore_shape(Reader *r, SfuFileTensor *t)
{
    const SfuFileValue *v = g_hash_table_lookup(r->shapes, t->name);
    const gint64 n = t->n_elements;
    if (!v)
        return TRUE;
    if (v->kind != SFU_FILE_ARRAY ||
        (v->element_type != I32 && v->element_type != U32 && v->element_type != I64 && v->element_type != U64) ||
        v->n_elements > G_N_ELEMENTS(t->dims))
        return bad_shape(r, t);
    const int size = value_bytes[v->element_type];
    t->n_dims = (int)v->n_elements;
    for (int i = 0; i < t->n_dims; i++)
        t->dims[i] = (gint64)CLAMP(number_value(v->elements + i * size, v->element_type), -1, 0x1p41);
    return count(r, t) && (t->n_elements == n || bad_shape(r, t));
}

/* Fills all but data; *place: from the beginning of the data. */
static gboolean take_tensor(Reader *r, SfuFileTensor *t, guint64 *place)
{
    guint64 n_dims = 0, type = 0, dim = 0;
    if (!(t->name = take_name(r, "a tensor's name")) || !read_number(r, 4, &n_dims))
        return FALSE;
    if (!g_hash_table_add(r->names, t->name))
        return sfu_file_fail(r->error, r->path, _("the GGUF header names the tensor '%s' twice"), t->name);
    if (n_dims > G_N_ELEMENTS(t->dims))
        return sfu_file_fail(r->error, r->path, _("'%s' has %" PRIu64 " dimensions"), t->name, n_dims);
    t->n_dims = (int)n_dims;
    for (int i = t->n_dims - 1; i >= 0; i--) {
        if (!read_number(r, 8, &dim))
            return FALSE;
        t->dims[i] = (gint64)MIN(dim, (guint64)1 << 41);
    }
    if (!read_number(r, 4, &type) || !read_number(r, 8, place) || !count(r, t))
        return FALSE;
    if (type >= G_N_ELEMENTS(types))
        return sfu_file_refuse(r->error, r->path, _("'%s' is of type %" PRIu64 ", which Sfumato does not know"),
                               t->name, type);
    if (types[type].dtype < 0)
        return sfu_file_refuse(r->error, r->path, _("'%s' is quantized as %s, which Sfumato does not read"), t->name,
                               types[type].name);
    t->dtype = (SfuDtype)types[type].dtype;
    if (t->n_elements && t->n_dims && t->dims[t->n_dims - 1] % sfu_dtype_block(t->dtype))
        return sfu_file_fail(r->error, r->path,
                             _("'%s' has rows of %" PRId64 " values, which do not fill whole blocks of %s"), t->name,
                             t->dims[t->n_dims - 1], types[type].name);
    if (!t->n_dims && sfu_dtype_block(t->dtype) > 1)
        return bad_shape(r, t);
    return restore_shape(r, t);
}

static int by_data(gconstpointer a, gconstpointer b)
{
    const SfuFileTensor *x = *(SfuFileTensor *const *)a, *y = *(SfuFileTensor *const *)b;
    return x->data < y->data ? -1 : x->data > y->data ? 1 : x->n_elements < y->n_elements ? -1 : 1;
}

static gboolean check_overlap(Reader *r, GPtrArray *tensors)
{
    GPtrArray *sorted = g_ptr_array_new();
    gboolean ok = TRUE;
    for (guint i = 0; i < tensors->len; i++)
        g_ptr_array_add(sorted, g_ptr_array_index(tensors, i));
    g_ptr_array_sort(sorted, by_data);
    for (guint i = 1; ok && i < sorted->len; i++) {
        const SfuFileTensor *a = g_ptr_array_index(sorted, i - 1), *b = g_ptr_array_index(sorted, i);
        if (a->data + sfu_file_tensor_bytes(a) > b->data)
            ok = sfu_file_fail(r->error, r->path, _("'%s' and '%s' overlap"), a->name, b->name);
    }
    g_ptr_array_unref(sorted);
    return ok;
}

static gboolean parse(Reader *r, const guint8 *data, GPtrArray *out)
{
    guint64 version = 0, n_tensors = 0, n_entries = 0;
    r->p = data + 4;
    if (!read_number(r, 4, &version) || !read_number(r, 8, &n_tensors) || !read_number(r, 8, &n_entries))
        return FALSE;
    if (version < 2 || version > 3)
        return (version & 0xffff) == 0
                   ? sfu_file_refuse(r->error, r->path, _("it is a big-endian GGUF file, which Sfumato does not read"))
                   : sfu_file_refuse(r->error, r->path,
                                     _("it is a GGUF file of version %" PRIu64 "; Sfumato reads 2 and 3"), version);
    if (n_tensors > MAX_TENSORS || n_entries > MAX_ENTRIES)
        return sfu_file_fail(r->error, r->path,
                             _("the GGUF header announces %" PRIu64 " tensors and %" PRIu64 " entries"), n_tensors,
                             n_entries);
    for (guint64 i = 0; i < n_entries; i++)
        if (!take_entry(r))
            return FALSE;
    const SfuFileValue *v = g_hash_table_lookup(r->metadata, "general.alignment");
    const gsize alignment = v && v->kind == SFU_FILE_NUMBER && v->number >= 1 && v->number <= MAX_ALIGNMENT
                                ? (gsize)v->number
                            : v ? 0
                                : 32;
    if (!alignment || (alignment & (alignment - 1)))
        return sfu_file_fail(r->error, r->path, _("the GGUF header has an impossible alignment"));
    GArray *places = g_array_new(FALSE, FALSE, sizeof(guint64));
    gboolean ok = TRUE;
    for (guint64 i = 0; ok && i < n_tensors; i++) {
        SfuFileTensor *t = g_new0(SfuFileTensor, 1);
        guint64 place = 0;
        g_ptr_array_add(out, t);
        ok = take_tensor(r, t, &place);
        g_array_append_val(places, place);
    }
    const gsize n = (gsize)(r->end - data),
                header = MIN(n, ((gsize)(r->p - data) + alignment - 1) / alignment * alignment), room = n - header;
    for (guint i = 0; ok && i < out->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(out, i);
        const guint64 place = g_array_index(places, guint64, i);
        if (place % alignment || place > room || sfu_file_tensor_bytes(t) > room - place)
            ok =
                sfu_file_fail(r->error, r->path,
                              _("'%s' lies outside the file (the file is truncated, or its header is wrong)"), t->name);
        else
            t->data = data + header + place;
    }
    g_array_unref(places);
    return ok && check_overlap(r, out);
}

gboolean sfu_gguf_parse(const guint8 *data, gsize n, const char *path, GPtrArray *out, GHashTable *metadata,
                        GError **error)
{
    Reader r = {.end = data + n, .path = path, .error = error};
    if (n < 24 || memcmp(data, "GGUF", 4) != 0)
        return sfu_file_fail(error, path, _("too short for a GGUF file (%zu bytes)"), n);
    r.metadata = metadata ? g_hash_table_ref(metadata) : sfu_file_metadata_new();
    r.shapes = g_hash_table_new(g_str_hash, g_str_equal);
    r.names = g_hash_table_new(g_str_hash, g_str_equal);
    const gboolean ok = parse(&r, data, out);
    g_hash_table_unref(r.names);
    g_hash_table_unref(r.shapes);
    g_hash_table_unref(r.metadata);
    return ok;
}
