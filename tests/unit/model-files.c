/* Writes model files for the tests.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model-files.h"
#include "../tree.h"
#include "runtime/half.h"
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

void row_free(gpointer p)
{
    Row *r = p;
    g_free(r->canonical);
    g_free(r->original);
    g_free(r);
}

gint64 row_elements(const Row *r)
{
    gint64 n = 1;
    for (int i = 0; i < r->n_dims; i++)
        n *= r->dims[i];
    return n;
}

static char **read_names(void)
{
    GError *error = NULL;
    GFile *file = g_file_new_for_path(NAMES);
    GInputStream *raw = G_INPUT_STREAM(g_file_read(file, NULL, &error));
    g_assert_no_error(error);
    GConverter *unzip = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
    GInputStream *in_stream = g_converter_input_stream_new(raw, unzip);
    GString *s = g_string_new(NULL);
    char buf[65536];
    gssize n;
    while ((n = g_input_stream_read(in_stream, buf, sizeof buf, NULL, &error)) > 0)
        g_string_append_len(s, buf, n);
    g_assert_no_error(error);
    g_object_unref(in_stream);
    g_object_unref(unzip);
    g_object_unref(raw);
    g_object_unref(file);
    char **lines = g_strsplit(s->str, "\n", -1);
    g_string_free(s, TRUE);
    return lines;
}

GPtrArray *names_section(const char *section)
{
    static char **lines;
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
    gboolean on = FALSE;
    if (!lines)
        lines = read_names();
    for (char **l = lines; *l; l++) {
        if (g_str_has_prefix(*l, "= "))
            on = strcmp(*l + 2, section) == 0;
        else if (on && **l) {
            char **f = g_strsplit(*l, " ", 3), **d = g_strsplit(f[2], ",", -1);
            Row *r = g_new0(Row, 1);
            r->canonical = g_strdup(f[0]);
            r->original = g_strdup(strcmp(f[1], "*") == 0 ? f[0] : f[1]);
            r->dtype = SFU_F16;
            for (; d[r->n_dims] && *d[r->n_dims]; r->n_dims++)
                r->dims[r->n_dims] = g_ascii_strtoll(d[r->n_dims], NULL, 10);
            g_ptr_array_add(rows, r);
            g_strfreev(f);
            g_strfreev(d);
        }
    }
    g_assert_cmpuint(rows->len, >, 0);
    return rows;
}

void rows_shrink(GPtrArray *rows, int unit, int divide)
{
    for (guint i = 0; i < rows->len; i++) {
        Row *r = g_ptr_array_index(rows, i);
        const gboolean context = strstr(r->canonical, "attn2.to_k") || strstr(r->canonical, "attn2.to_v");
        for (int k = 0; k < r->n_dims; k++)
            if (r->dims[k] % unit == 0 && !(context && k == 1))
                r->dims[k] /= divide;
    }
}

Row *row_find(GPtrArray *rows, const char *canonical)
{
    for (guint i = 0; i < rows->len; i++)
        if (strcmp(((Row *)g_ptr_array_index(rows, i))->canonical, canonical) == 0)
            return g_ptr_array_index(rows, i);
    g_error("%s is in no row", canonical);
}

void rows_append(GPtrArray *to, GPtrArray *from)
{
    g_ptr_array_extend_and_steal(to, from);
}

void rows_add(GPtrArray *rows, const char *name, SfuDtype dtype, int n_dims, ...)
{
    Row *r = g_new0(Row, 1);
    va_list ap;
    r->canonical = g_strdup(name);
    r->original = g_strdup(name);
    r->dtype = dtype;
    r->n_dims = n_dims;
    va_start(ap, n_dims);
    for (int i = 0; i < n_dims; i++)
        r->dims[i] = va_arg(ap, gint64);
    va_end(ap);
    g_ptr_array_add(rows, r);
}

/* Exact in every dtype down to F8_E5M2. */
float file_value(const char *name, gint64 i)
{
    return ((float)((g_str_hash(name) + (guint)i * 5) % 13) - 6.0f) * 0.25f;
}

static guint8 to_f8(float v, int mantissa, float (*widen)(guint8))
{
    for (int i = 0; i < 256; i++)
        if (widen((guint8)i) == v)
            return (guint8)i;
    g_error("%g has no 8-bit form (%d)", (double)v, mantissa);
}

static void put(GByteArray *out, SfuDtype dtype, float v)
{
    guint8 b[8] = {0};
    guint32 bits;
    const double d = v;
    const gint64 l = (gint64)v;
    memcpy(&bits, &v, 4);
    switch (dtype) {
    case SFU_F32:
        memcpy(b, &v, 4);
        break;
    case SFU_F64:
        memcpy(b, &d, 8);
        break;
    case SFU_F16: {
        const guint16 h = sfu_half_from_float(v);
        memcpy(b, &h, 2);
        break;
    }
    case SFU_BF16:
        b[0] = (guint8)(bits >> 16);
        b[1] = (guint8)(bits >> 24);
        break;
    case SFU_F8_E4M3:
        b[0] = to_f8(v, 3, sfu_e4m3_to_float);
        break;
    case SFU_F8_E5M2:
        b[0] = to_f8(v, 2, sfu_e5m2_to_float);
        break;
    default:
        memcpy(b, &l, 8);
        break;
    }
    g_byte_array_append(out, b, (guint)sfu_dtype_bytes(dtype));
}

void write_bytes(const char *path, gconstpointer data, gsize n)
{
    GError *error = NULL;
    char *folder = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_file_set_contents(path, data, (gssize)n, &error);
    g_assert_no_error(error);
    g_free(folder);
}

void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

void write_safetensors(const char *path, GPtrArray *rows, UseNames names, const char *strip, Fill fill)
{
    GString *header = g_string_new("{\"__metadata__\":{\"format\":\"pt\"}");
    GByteArray *data = g_byte_array_new();
    gint64 at = 0;
    for (guint i = 0; i < rows->len; i++) {
        const Row *r = g_ptr_array_index(rows, i);
        const char *name = names == USE_CANONICAL ? r->canonical : r->original;
        const gint64 n = row_elements(r), bytes = n * (gint64)sfu_dtype_bytes(r->dtype);
        if (strcmp(name, "-") == 0)
            continue;
        if (strip && g_str_has_prefix(name, strip))
            name += strlen(strip);
        g_string_append_printf(header, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", name, sfu_dtype_name(r->dtype));
        for (int k = 0; k < r->n_dims; k++)
            g_string_append_printf(header, "%s%" G_GINT64_FORMAT, k ? "," : "", r->dims[k]);
        g_string_append_printf(header, "],\"data_offsets\":[%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT "]}", at,
                               at + bytes);
        at += bytes;
        for (gint64 k = 0; fill == FILL_VALUES && k < n; k++)
            put(data, r->dtype, file_value(name, k));
    }
    g_string_append_c(header, '}');
    while (header->len % 8)
        g_string_append_c(header, ' ');
    GByteArray *file = g_byte_array_new();
    const guint64 length = header->len;
    for (int i = 0; i < 8; i++) {
        const guint8 b = (guint8)(length >> (8 * i));
        g_byte_array_append(file, &b, 1);
    }
    g_byte_array_append(file, (const guint8 *)header->str, (guint)header->len);
    const gint64 total = file->len + at;
    if (fill == FILL_VALUES)
        g_byte_array_append(file, data->data, data->len);
    write_bytes(path, file->data, file->len);
    g_assert_cmpint(truncate(path, total), ==, 0);
    g_byte_array_unref(file);
    g_byte_array_unref(data);
    g_string_free(header, TRUE);
}

char *folder_new(void)
{
    GError *error = NULL;
    char *path = g_dir_make_tmp("sfumato-model-XXXXXX", &error);
    g_assert_no_error(error);
    return path;
}

void folder_remove(char *path)
{
    remove_tree(path);
    g_free(path);
}

char *in(const char *folder, const char *name)
{
    static GPtrArray *all;
    if (!all)
        all = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(all, g_build_filename(folder, name, NULL));
    return g_ptr_array_index(all, all->len - 1);
}

SfuModel *open_good(const char *path)
{
    GError *error = NULL;
    SfuModel *m = sfu_model_open(path, &error);
    g_assert_no_error(error);
    g_assert_nonnull(m);
    return m;
}

void open_bad(const char *path, GQuark domain, int code, const char *word)
{
    GError *error = NULL;
    SfuModel *m = sfu_model_open(path, &error);
    g_assert_error(error, domain, code);
    g_assert_null(m);
    if (!strstr(error->message, word) || strchr(error->message, '\n'))
        g_error("'%s' lacks '%s' or is several lines", error->message, word);
    g_error_free(error);
}

char *inspect_list(SfuModel *m, const char *member)
{
    JsonNode *n = sfu_model_inspect_json(m);
    JsonArray *a = json_object_get_array_member(json_node_get_object(n), member);
    GString *s = g_string_new(NULL);
    for (guint i = 0; i < json_array_get_length(a); i++)
        g_string_append_printf(s, "%s%s", i ? ", " : "", json_array_get_string_element(a, i));
    json_node_unref(n);
    return g_string_free(s, FALSE);
}

void assert_complete(SfuModel *m)
{
    char *missing = inspect_list(m, "missing"), *unexpected = inspect_list(m, "unexpected");
    g_assert_cmpstr(missing, ==, "");
    g_assert_cmpstr(unexpected, ==, "");
    g_free(missing);
    g_free(unexpected);
}
