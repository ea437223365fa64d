/* PyTorch's file of weights: a zip archive of stored entries, <root>/data.pkl and <root>/data/<key>, which a
 * TorchScript archive has too, beside its code, which is not read; or the form until PyTorch 1.6, which most of the
 * first ESRGANs have: five pickles (magic number, version, system, the value, the keys of the storages), then of each
 * storage the number of its values and these. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "file/file.h"
#include "file/pickle.h"
#include <string.h>
#include <glib/gi18n-lib.h>

#define MAX_ENTRIES 200000
#define MAX_TENSORS 100000
#define MAX_DEPTH 16 /* {"params_ema": {...}} is 2, LaMa as TorchScript 12 */
#define MAX_VISITS 1000000

static gboolean fail(GError **error, const char *path, const char *what)
{
    g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "%s: %s", path, what);
    return FALSE;
}

static guint64 le(const guint8 *p, int n)
{
    guint64 v = 0;
    for (int i = n - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

typedef struct {
    const guint8 *data;
    gsize n;
} Bytes;

typedef struct {
    const guint8 *data;
    gsize n;
    const char *path;
    GHashTable *entries; /* name -> Bytes*: what lies in the archive */
    GPtrArray *out;
    char *root; /* "archive/" */
    int visits;
    gsize copied; /* bytes of tensors that had to be reordered */
    GError **error;
} Archive;

/* Where the central directory is: the end record, or its 64-bit form when the former is full. */
static gboolean find_directory(Archive *a, guint64 *offset, guint64 *count)
{
    if (a->n < 22)
        return fail(a->error, a->path, _("too short for a zip archive"));
    const gsize lowest = a->n > 22 + 65535 ? a->n - 22 - 65535 : 0;
    gsize at = a->n - 22;
    while (le(a->data + at, 4) != 0x06054b50) {
        if (at == lowest)
            return fail(a->error, a->path, _("the zip archive has no directory (the file is truncated)"));
        at--;
    }
    *count = le(a->data + at + 10, 2);
    *offset = le(a->data + at + 16, 4);
    if (at >= 20 && le(a->data + at - 20, 4) == 0x07064b50) {
        const guint64 wide = le(a->data + at - 12, 8);
        if (wide > a->n || a->n - wide < 56 || le(a->data + wide, 4) != 0x06064b50)
            return fail(a->error, a->path, _("the zip archive's 64-bit directory is damaged"));
        *count = le(a->data + wide + 32, 8);
        *offset = le(a->data + wide + 48, 8);
    }
    if (*count > MAX_ENTRIES || *offset > a->n)
        return fail(a->error, a->path, _("the zip archive's directory is impossible"));
    return TRUE;
}

/* Sizes of 4 GB and more stand in the extra field 1, in this order, those that are needed only. */
static gboolean read_zip64(const guint8 *extra, gsize n, guint64 *size, guint64 *stored, guint64 *offset)
{
    while (n >= 4) {
        const gsize length = le(extra + 2, 2);
        if (length > n - 4)
            return FALSE;
        if (le(extra, 2) == 1) {
            guint64 *const fields[] = {size, stored, offset};
            const guint8 *p = extra + 4, *end = p + length;
            for (int i = 0; i < 3; i++)
                if (*fields[i] == 0xffffffff) {
                    if (end - p < 8)
                        return FALSE;
                    *fields[i] = le(p, 8);
                    p += 8;
                }
            return TRUE;
        }
        extra += 4 + length;
        n -= 4 + length;
    }
    return TRUE;
}

static gboolean read_directory(Archive *a)
{
    guint64 at, count;
    if (!find_directory(a, &at, &count))
        return FALSE;
    for (guint64 i = 0; i < count; i++) {
        const guint8 *h = a->data + at;
        if (a->n - at < 46 || le(h, 4) != 0x02014b50)
            return fail(a->error, a->path, _("the zip archive's directory is damaged"));
        const gsize name_n = le(h + 28, 2), extra_n = le(h + 30, 2), comment_n = le(h + 32, 2);
        if (a->n - at < 46 + name_n + extra_n + comment_n)
            return fail(a->error, a->path, _("the zip archive's directory is damaged"));
        guint64 stored = le(h + 20, 4), size = le(h + 24, 4), offset = le(h + 42, 4);
        if (!read_zip64(h + 46 + name_n, extra_n, &size, &stored, &offset))
            return fail(a->error, a->path, _("the zip archive's directory is damaged"));
        char *name = g_strndup((const char *)h + 46, name_n);
        const gboolean values = strstr(name, "/data/") || g_str_has_suffix(name, "/data.pkl");
        if (le(h + 10, 2) != 0 || stored != size) {
            g_free(name);
            if (values)
                return fail(a->error, a->path,
                            _("an entry of the zip archive is compressed; PyTorch stores them as they are"));
            at += 46 + name_n + extra_n + comment_n; /* TorchScript's code */
            continue;
        }
        const gboolean inside = offset <= a->n && a->n - offset >= 30 && le(a->data + offset, 4) == 0x04034b50;
        const guint64 from = inside ? offset + 30 + le(a->data + offset + 26, 2) + le(a->data + offset + 28, 2) : 0;
        if (!inside || from > a->n || size > a->n - from) {
            g_free(name);
            return fail(a->error, a->path, _("an entry of the zip archive lies outside the file"));
        }
        Bytes *b = g_new(Bytes, 1);
        *b = (Bytes){.data = a->data + from, .n = size};
        if (!g_hash_table_insert(a->entries, name, b))
            return fail(a->error, a->path, _("the zip archive has an entry twice"));
        at += 46 + name_n + extra_n + comment_n;
    }
    return TRUE;
}

static const Bytes *storage_bytes(Archive *a, const SfuPickleValue *storage)
{
    char *name = g_strdup_printf("%sdata/%.*s", a->root, (int)MIN(storage->s_len, 200), storage->s);
    const Bytes *b = g_hash_table_lookup(a->entries, name);
    g_free(name);
    return b;
}

/* Values that lie in another order than a dense tensor's, put into it. */
static guint8 *reorder(const SfuPickleValue *v, const guint8 *from, gsize size)
{
    guint8 *to = g_malloc((gsize)MAX(v->i, 1) * size);
    gint64 index[8] = {0}, at = 0;
    for (gint64 k = 0; k < v->i; k++) {
        memcpy(to + (gsize)k * size, from + (gsize)at * size, size);
        for (int d = v->n_dims - 1; d >= 0; d--) {
            at += v->strides[d];
            if (++index[d] < v->dims[d])
                break;
            at -= v->dims[d] * v->strides[d];
            index[d] = 0;
        }
    }
    return to;
}

static gboolean add_tensor(Archive *a, const SfuPickleValue *v, const char *name)
{
    const Bytes *b = storage_bytes(a, v->storage);
    const gsize size = sfu_dtype_bytes(v->storage->dtype);
    if (a->out->len >= MAX_TENSORS)
        return fail(a->error, a->path, _("it has too many tensors"));
    if (!b || b->n / size < (guint64)v->storage->i) {
        g_set_error(a->error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT,
                    _("%s: the values of '%s' are missing or truncated"), a->path, name);
        return FALSE;
    }
    SfuFileTensor *t = g_new0(SfuFileTensor, 1);
    t->name = g_strdup(name);
    t->dtype = v->storage->dtype;
    t->n_dims = v->n_dims;
    t->n_elements = v->i;
    memcpy(t->dims, v->dims, sizeof t->dims);
    t->data = b->data + (gsize)v->offset * size;
    gboolean dense = TRUE;
    gint64 stride = 1;
    for (int i = v->n_dims - 1; i >= 0; i--) {
        dense &= v->dims[i] == 1 || v->strides[i] == stride;
        stride *= v->dims[i];
    }
    g_ptr_array_add(a->out, t);
    if (!dense && v->i) {
        a->copied += (gsize)v->i * size;
        if (a->copied > a->n) /* no network has each value twice; this bounds what a lying file can ask for */
            return fail(a->error, a->path, _("its tensors have more values than the file"));
        t->data = t->owned = reorder(v, t->data, size);
    }
    return TRUE;
}

/* Fooocus keeps differences as bytes with their range: three tensors, the first of bytes. */
static gboolean is_in_bytes(const SfuPickleValue *v)
{
    const SfuPickleValue *first =
        (v->kind == SFU_PICKLE_LIST || v->kind == SFU_PICKLE_TUPLE) && v->items && v->items->len == 3
            ? g_ptr_array_index(v->items, 0)
            : NULL;
    return first && first->kind == SFU_PICKLE_TENSOR && first->storage->dtype == SFU_U8;
}

/* Every tensor below v, named by the keys on the way. */
static gboolean walk(Archive *a, const SfuPickleValue *v, const char *name, int depth)
{
    if (v->kind == SFU_PICKLE_TENSOR)
        return add_tensor(a, v, *name ? name : "tensor");
    gboolean ok = TRUE;
    for (guint i = 0; ok && !depth && v->kind == SFU_PICKLE_LIST && i < v->items->len; i++) { /* embeddings' files */
        char index[16];
        g_snprintf(index, sizeof index, "%u", i);
        ok = walk(a, g_ptr_array_index(v->items, i), index, depth + 1);
    }
    for (guint i = 0; ok && depth == 1 && i < 3 && is_in_bytes(v); i++) {
        char *full = g_strdup_printf("%s.%u", name, i);
        ok = walk(a, g_ptr_array_index(v->items, i), full, depth + 1);
        g_free(full);
    }
    if (v->kind != SFU_PICKLE_DICT || depth >= MAX_DEPTH)
        return ok;
    for (guint i = 0; ok && i + 1 < v->items->len; i += 2) {
        const SfuPickleValue *key = g_ptr_array_index(v->items, i);
        if (++a->visits > MAX_VISITS)
            return fail(a->error, a->path, _("it has too many values"));
        if (key->kind != SFU_PICKLE_STRING || key->s_len > 1000)
            continue;
        char *full = g_strdup_printf("%s%s%.*s", name, *name ? "." : "", (int)key->s_len, key->s);
        ok = walk(a, g_ptr_array_index(v->items, i + 1), full, depth + 1);
        g_free(full);
    }
    return ok;
}

static gboolean parse_zip(Archive *a, GPtrArray *arena)
{
    if (!read_directory(a))
        return FALSE;
    GHashTableIter it;
    gpointer name, entry;
    const Bytes *pickle = NULL;
    g_hash_table_iter_init(&it, a->entries);
    while (!pickle && g_hash_table_iter_next(&it, &name, &entry))
        if (g_str_has_suffix(name, "/data.pkl")) {
            pickle = entry;
            a->root = g_strndup(name, strlen(name) - strlen("data.pkl"));
        }
    if (!pickle)
        return fail(a->error, a->path, _("a zip archive, but not one that PyTorch writes (no data.pkl)"));
    char *order = g_strconcat(a->root, "byteorder", NULL);
    const Bytes *endian = g_hash_table_lookup(a->entries, order);
    g_free(order);
    if (endian && (endian->n < 6 || memcmp(endian->data, "little", 6) != 0))
        return fail(a->error, a->path, _("its numbers are not little-endian"));
    const SfuPickleValue *v = sfu_pickle_read(pickle->data, pickle->n, a->path, arena, NULL, a->error);
    return v && walk(a, v, "", 0);
}

static const SfuPickleValue *member(const SfuPickleValue *dict, const char *name)
{
    for (guint i = 0; dict->kind == SFU_PICKLE_DICT && i + 1 < dict->items->len; i += 2) {
        const SfuPickleValue *key = g_ptr_array_index(dict->items, i);
        if (key->kind == SFU_PICKLE_STRING && key->s_len == strlen(name) && memcmp(key->s, name, key->s_len) == 0)
            return g_ptr_array_index(dict->items, i + 1);
    }
    return NULL;
}

static gboolean parse_row_of_pickles(Archive *a, GPtrArray *arena)
{
    static const guint8 magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
    const SfuPickleValue *v[5] = {NULL};
    gsize at = 0, used = 0;
    /* From protocol 4 on, a frame (0x95 and its length in 8 bytes) surrounds it. */
    const gsize before = a->n > 2 && a->data[2] == 0x95 ? 11 : 2;
    if (a->n < before + sizeof magic || memcmp(a->data + before, magic, sizeof magic) != 0) {
        g_set_error(a->error, SFU_FILE_ERROR, SFU_FILE_ERROR_REFUSED,
                    _("%s is a bare pickle: it holds no weights and could run a program"), a->path);
        return FALSE;
    }
    for (int i = 0; i < 5; i++, at += used)
        if (!(v[i] = sfu_pickle_read(a->data + at, a->n - at, a->path, arena, &used, a->error)))
            return FALSE;
    const SfuPickleValue *little = member(v[2], "little_endian");
    if (!little || little->kind != SFU_PICKLE_INT || !little->i)
        return fail(a->error, a->path, _("its numbers are not little-endian"));
    if (v[4]->kind != SFU_PICKLE_LIST || v[4]->items->len > MAX_ENTRIES)
        return fail(a->error, a->path, _("it does not list its storages"));
    /* How long a storage is only its type says, which stands in the value. */
    GHashTable *sizes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < arena->len; i++) {
        const SfuPickleValue *s = g_ptr_array_index(arena, i);
        if (s->kind == SFU_PICKLE_STORAGE)
            g_hash_table_insert(sizes, g_strndup(s->s, MIN(s->s_len, 200)),
                                GSIZE_TO_POINTER(sfu_dtype_bytes(s->dtype)));
    }
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < v[4]->items->len; i++) {
        const SfuPickleValue *key = g_ptr_array_index(v[4]->items, i);
        char *name = key->kind == SFU_PICKLE_STRING ? g_strndup(key->s, MIN(key->s_len, 200)) : g_strdup("");
        const gsize size = GPOINTER_TO_SIZE(g_hash_table_lookup(sizes, name));
        const guint64 count = a->n - at >= 8 ? le(a->data + at, 8) : G_MAXUINT64;
        if (!size || count > (a->n - at - 8) / size)
            ok = fail(a->error, a->path, _("its storages are truncated or have no type"));
        else {
            Bytes *b = g_new(Bytes, 1);
            *b = (Bytes){.data = a->data + at + 8, .n = (gsize)count * size};
            ok = g_hash_table_insert(a->entries, g_strconcat("data/", name, NULL), b) ||
                 fail(a->error, a->path, _("it has a storage twice"));
            at += 8 + (gsize)count * size;
        }
        g_free(name);
    }
    g_hash_table_unref(sizes);
    a->root = g_strdup("");
    return ok && walk(a, v[3], "", 0);
}

gboolean sfu_pth_parse(const guint8 *data, gsize n, const char *path, GPtrArray *out, GError **error)
{
    Archive a = {.data = data,
                 .n = n,
                 .path = path,
                 .out = out,
                 .error = error,
                 .entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free)};
    GPtrArray *arena = g_ptr_array_new_with_free_func(sfu_pickle_value_free);
    const gboolean ok = n >= 2 && data[0] == 0x80 ? parse_row_of_pickles(&a, arena) : parse_zip(&a, arena);
    g_ptr_array_unref(arena);
    g_hash_table_unref(a.entries);
    g_free(a.root);
    return ok;
}
