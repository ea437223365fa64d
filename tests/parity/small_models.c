/* Small models for the parity tests.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "../tree.h"
#include "small_models.h"
#include "family/adapter_modules.h"
#include "runtime/half.h"
#include <gio/gio.h>
#include <math.h>
#include <string.h>

#ifndef PARITY_NAME
#define PARITY_NAME "nets"
#endif

static JsonNode *root;
static SfuFile *expected;
static char *folder;
static SfuQueue *mode_queues[PARITY_N_MODES];
static GHashTable *models; /* key -> SfuModel* */
static int n_damaged;

static void check_ok(gboolean ok, GError *error)
{
    g_assert_no_error(error);
    g_assert_true(ok);
}

void parity_data_open(void)
{
    parity_data_open_named(PARITY_NAME);
}

void parity_data_open_named(const char *data)
{
    GError *error = NULL;
    char *json = g_strdup_printf(PARITY_DATA "/%s.json.gz", data),
         *values = g_strdup_printf(PARITY_DATA "/%s.safetensors", data);
    GFile *file = g_file_new_for_path(json);
    GInputStream *raw = G_INPUT_STREAM(g_file_read(file, NULL, &error));
    g_assert_no_error(error);
    GConverter *unzip = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
    GInputStream *in = g_converter_input_stream_new(raw, unzip);
    JsonParser *parser = json_parser_new();
    check_ok(json_parser_load_from_stream(parser, in, NULL, &error), error);
    root = json_node_copy(json_parser_get_root(parser));
    g_object_unref(parser);
    g_object_unref(in);
    g_object_unref(unzip);
    g_object_unref(raw);
    g_object_unref(file);
    expected = sfu_file_open(values, &error);
    g_assert_no_error(error);
    g_free(json);
    g_free(values);
    folder = g_dir_make_tmp("sfumato-nets-XXXXXX", &error);
    g_assert_no_error(error);
    models = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)sfu_model_close);
}

void parity_data_close(void)
{
    g_hash_table_unref(models);
    sfu_file_close(expected);
    json_node_unref(root);
    remove_tree(folder);
    g_free(folder);
    for (int mode = 0; mode < PARITY_N_MODES; mode++)
        g_clear_pointer(&mode_queues[mode], sfu_queue_destroy);
}

JsonArray *parity_cases(void)
{
    return json_object_get_array_member(json_node_get_object(root), "cases");
}

/* FNV-1a of the name, then a finaliser over a Weyl sequence: hash_ints() of make-nets.py. */
void parity_hash(const char *name, gint64 n, gint32 *out)
{
    guint32 seed = 2166136261u;
    for (const char *p = name; *p; p++)
        seed = (seed ^ (guint8)*p) * 16777619u;
    for (gint64 i = 0; i < n; i++) {
        guint32 x = seed + (guint32)i * 0x9E3779B9u;
        x = (x ^ (x >> 16)) * 0x7FEB352Du;
        x = (x ^ (x >> 15)) * 0x846CA68Bu;
        x ^= x >> 16;
        out[i] = (gint32)(x >> 21) - 1024;
    }
}

float *parity_input(const char *name, gint64 n, float scale)
{
    gint32 *k = g_new(gint32, n);
    float *v = g_new(float, n);
    parity_hash(name, n, k);
    for (gint64 i = 0; i < n; i++)
        v[i] = (float)k[i] / 512 * scale;
    g_free(k);
    return v;
}

/* hash_weight() of hashed.py, times 2^shift; bare: 2^shift times a number from -1 to 1. Every value is exact in fp16.
 */
static void write_values(GString *out, const char *name, int n_dims, const gint64 *dims, int shift, gboolean bare)
{
    gint64 n = 1, fan_in = 1;
    for (int i = 0; i < n_dims; i++) {
        n *= dims[i];
        fan_in *= i ? dims[i] : 1;
    }
    const char *dot = g_strrstr(name, ".");
    char *module = g_strndup(name, dot ? (gsize)(dot - name) : 0);
    const char *last = g_strrstr(module, ".") ? g_strrstr(module, ".") : module;
    const int exponent = strstr(last, "embed") ? -1 : (int)rint(log2(sqrt(3.0 / (double)fan_in)));
    gint32 *k = g_new(gint32, n);
    parity_hash(name, n, k);
    for (gint64 i = 0; i < n; i++) {
        const double v = bare                                ? k[i] / 1024.0
                         : n_dims >= 2                       ? ldexp(k[i], exponent - 10)
                         : g_str_has_suffix(name, ".weight") ? 1 + (k[i] >> 2) / 1024.0
                                                             : k[i] / 8192.0;
        const guint16 h = sfu_half_from_float((float)ldexp(v, shift));
        g_string_append_len(out, (const char *)&h, 2);
    }
    g_free(k);
    g_free(module);
}

/* Matrices one below the other, named "a|b|c", or one whose halves change places. */
static void write_joined(GString *out, const char *names, int n_dims, const gint64 *dims, gboolean swapped)
{
    char **parts = g_strsplit(names, "|", -1);
    gint64 one[4] = {dims[0] / g_strv_length(parts), dims[1], dims[2], dims[3]};
    const gsize at = out->len;
    for (int i = 0; parts[i]; i++)
        write_values(out, parts[i], n_dims, one, 0, FALSE);
    if (swapped) {
        const gsize half = (out->len - at) / 2;
        char *first = g_memdup2(out->str + at, half);
        memmove(out->str + at, out->str + at + half, half);
        memcpy(out->str + at + half, first, half);
        g_free(first);
    }
    g_strfreev(parts);
}

static void write_given(GString *out, JsonArray *values)
{
    for (guint i = 0; i < json_array_get_length(values); i++) {
        const guint16 h = sfu_half_from_float((float)json_array_get_double_element(values, i));
        g_string_append_len(out, (const char *)&h, 2);
    }
}

/* The matrix [dims[1], dims[0]], its rows as columns. */
static void write_transposed(GString *out, const char *name, const gint64 *dims)
{
    const gint64 from[2] = {dims[1], dims[0]};
    GString *rows = g_string_new(NULL);
    write_values(rows, name, 2, from, 0, FALSE);
    for (gint64 i = 0; i < dims[0]; i++)
        for (gint64 j = 0; j < dims[1]; j++)
            g_string_append_len(out, rows->str + 2 * (j * dims[0] + i), 2);
    g_string_free(rows, TRUE);
}

/* metadata: JSON of an object; NULL: none. */
static void write_tensors(const char *path, JsonArray *tensors, const char *metadata, const ParityDamage *damage)
{
    GString *header = g_string_new("{"), *data = g_string_new(NULL);
    if (metadata)
        g_string_append_printf(header, "\"__metadata__\":%s", metadata);
    for (guint i = 0; i < json_array_get_length(tensors); i++) {
        JsonArray *t = json_array_get_array_element(tensors, i), *shape = json_array_get_array_element(t, 2);
        const char *name = json_array_get_string_element(t, 0);
        const int n_dims = (int)json_array_get_length(shape);
        gint64 dims[4];
        if (damage && damage->drop && strstr(name, damage->drop))
            continue;
        g_string_append_printf(header, "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[", header->len > 1 ? "," : "", name);
        for (int d = 0; d < n_dims; d++) {
            dims[d] = json_array_get_int_element(shape, (guint)d);
            dims[d] -= d == 0 && damage && g_strcmp0(damage->shrink, name) == 0;
            g_string_append_printf(header, "%s%" G_GINT64_FORMAT, d ? "," : "", dims[d]);
        }
        g_string_append_printf(header, "],\"data_offsets\":[%" G_GSIZE_FORMAT, data->len);
        const gsize at = data->len;
        JsonNode *more = json_array_get_length(t) > 3 ? json_array_get_element(t, 3) : NULL;
        if (more && JSON_NODE_HOLDS_ARRAY(more))
            write_given(data, json_node_get_array(more));
        else if (more && json_node_get_value_type(more) != G_TYPE_STRING)
            write_values(data, json_array_get_string_element(t, 1), n_dims, dims, (int)json_node_get_int(more),
                         json_array_get_length(t) > 4);
        else if (more && strcmp(json_node_get_string(more), "transposed") == 0)
            write_transposed(data, json_array_get_string_element(t, 1), dims);
        else if (more)
            write_joined(data, json_array_get_string_element(t, 1), n_dims, dims,
                         strcmp(json_node_get_string(more), "swapped") == 0);
        else
            write_values(data, json_array_get_string_element(t, 1), n_dims, dims, 0, json_array_get_length(t) > 4);
        if (damage && g_strcmp0(damage->poison, name) == 0)
            memcpy(data->str + at, "\x00\x7e", 2); /* fp16 NaN */
        if (damage && damage->zero && g_str_has_prefix(name, damage->zero))
            memset(data->str + at, 0, data->len - at);
        g_string_append_printf(header, ",%" G_GSIZE_FORMAT "]}", data->len);
    }
    g_string_append_c(header, '}');
    while (header->len % 8)
        g_string_append_c(header, ' ');
    const guint64 length = GUINT64_TO_LE(header->len);
    g_string_prepend_len(header, (const char *)&length, 8);
    g_string_append_len(header, data->str, (gssize)data->len);
    GError *error = NULL;
    check_ok(g_file_set_contents(path, header->str, (gssize)header->len, &error), error);
    g_string_free(header, TRUE);
    g_string_free(data, TRUE);
}

gboolean parity_has_model(const char *key)
{
    return json_object_has_member(json_object_get_object_member(json_node_get_object(root), "models"), key);
}

char *parity_model_path(const char *key, const ParityDamage *damage)
{
    char *top = damage ? g_strdup_printf("%s/%s-%d", folder, key, ++n_damaged) : g_build_filename(folder, key, NULL),
         *result = NULL;
    JsonObject *model =
        json_object_get_object_member(json_object_get_object_member(json_node_get_object(root), "models"), key);
    JsonArray *files = json_object_get_array_member(model, "files");
    for (guint i = 0; i < json_array_get_length(files); i++) {
        JsonObject *f = json_array_get_object_element(files, i);
        if (json_object_has_member(f, "json")) { /* a configuration without weights */
            char *path = g_build_filename(top, json_object_get_string_member(f, "json"), NULL),
                 *dir = g_path_get_dirname(path);
            char *text = json_to_string(json_object_get_member(f, "config"), FALSE);
            GError *error = NULL;
            g_mkdir_with_parents(dir, 0700);
            check_ok(g_file_set_contents(path, text, -1, &error), error);
            g_free(text);
            g_free(dir);
            g_free(path);
            continue;
        }
        JsonArray *tensors = json_object_get_array_member(f, "tensors");
        if (json_object_has_member(f, "file")) {
            char *path = g_build_filename(top, json_object_get_string_member(f, "file"), NULL);
            g_mkdir_with_parents(top, 0700);
            char *metadata = json_object_has_member(f, "metadata")
                                 ? json_to_string(json_object_get_member(f, "metadata"), FALSE)
                                 : NULL;
            if (!g_file_test(path, G_FILE_TEST_EXISTS))
                write_tensors(path, tensors, metadata, damage);
            g_free(metadata);
            g_free(result);
            result = path;
            continue;
        }
        const char *part = json_object_get_string_member(f, "folder");
        char *dir = g_build_filename(top, part, NULL), *config = g_build_filename(dir, "config.json", NULL);
        char *weights = g_build_filename(
            dir, strcmp(part, "text_encoder") == 0 ? "model.safetensors" : "diffusion_pytorch_model.safetensors", NULL);
        g_mkdir_with_parents(dir, 0700);
        if (!g_file_test(config, G_FILE_TEST_EXISTS)) {
            char *text = json_to_string(json_object_get_member(f, "config"), FALSE);
            GError *error = NULL;
            check_ok(g_file_set_contents(config, text, -1, &error), error);
            g_free(text);
            write_tensors(weights, tensors, NULL, damage);
        }
        g_free(weights);
        g_free(config);
        g_free(dir);
    }
    if (!result)
        return top;
    g_free(top);
    return result;
}

SfuParams *parity_model_params(const char *key, const char *text)
{
    SfuParams *p = sfu_params_new();
    GError *e = NULL;
    char *path = parity_model_path(key, NULL);
    char **pairs = g_strsplit(text, " ", -1);
    sfu_params_set(p, "model", path, &e);
    for (int i = 0; pairs[i] && pairs[i + 1]; i += 2)
        sfu_params_set(p, pairs[i], pairs[i + 1], &e);
    g_assert_no_error(e);
    g_strfreev(pairs);
    g_free(path);
    return p;
}

char *parity_model_wrapped(const char *key, const char *const *wraps)
{
    JsonObject *model =
        json_object_get_object_member(json_object_get_object_member(json_node_get_object(root), "models"), key);
    JsonArray *tensors = json_object_get_array_member(
        json_array_get_object_element(json_object_get_array_member(model, "files"), 0), "tensors");
    JsonArray *all = json_array_new();
    for (int i = 0; wraps[i]; i++)
        for (guint k = 0; k < json_array_get_length(tensors); k++) {
            JsonNode *node = json_node_copy(json_array_get_element(tensors, k));
            JsonArray *t = json_array_new(), *from = json_node_get_array(node);
            char *name = g_strconcat(wraps[i], json_array_get_string_element(from, 0), NULL);
            char *hashed = i ? g_strconcat(wraps[i], json_array_get_string_element(from, 1), NULL)
                             : g_strdup(json_array_get_string_element(from, 1));
            json_array_add_string_element(t, name);
            json_array_add_string_element(t, hashed);
            json_array_add_element(t, json_node_copy(json_array_get_element(from, 2)));
            json_array_add_array_element(all, t);
            json_node_unref(node);
            g_free(name);
            g_free(hashed);
        }
    char *path = g_strdup_printf("%s/wrapped-%d.safetensors", folder, ++n_damaged);
    write_tensors(path, all, NULL, NULL);
    json_array_unref(all);
    return path;
}

SfuModel *parity_model(const char *key)
{
    SfuModel *m = g_hash_table_lookup(models, key);
    if (!m) {
        GError *error = NULL;
        char *path = parity_model_path(key, NULL);
        m = sfu_model_open(path, &error);
        g_assert_no_error(error);
        g_hash_table_insert(models, g_strdup(key), m);
        g_free(path);
    }
    return m;
}

const float *parity_expected(const char *name, gint64 *n)
{
    for (guint i = 0; i < expected->tensors->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(expected->tensors, i);
        if (strcmp(t->name, name) == 0) {
            g_assert_cmpint(t->dtype, ==, SFU_F32);
            *n = t->n_elements;
            return (const float *)(gconstpointer)t->data;
        }
    }
    g_error(PARITY_NAME ".safetensors lacks %s", name);
}

double parity_error(const float *a, const float *b, gint64 n)
{
    double diff = 0, norm = 0;
    for (gint64 i = 0; i < n; i++) {
        diff += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += (double)b[i] * b[i];
    }
    return sqrt(diff / norm);
}

void parity_compare(const char *key, const char *what, const float *got, gint64 n, double tolerance)
{
    gint64 n_want;
    char *name = what ? g_strdup_printf("%s/%s", key, what) : g_strdup(key);
    const float *want = parity_expected(name, &n_want);
    g_assert_cmpint(n, ==, n_want);
    const double e = parity_error(got, want, n);
    g_test_message("%s: relative error %.2e", name, e);
    if (!(e < tolerance)) /* a NaN fails too */
        g_error("%s: relative error %.2e", name, e);
    g_free(name);
}

void parity_compare_tensor(const char *key, const char *what, SfuTensor *y, double tolerance)
{
    const gint64 n = sfu_tensor_elements(y);
    float *v = parity_download(y);
    parity_compare(key, what, v, n, tolerance);
    g_free(v);
}

SfuTensor *parity_upload(SfuQueue *q, const char *key, const char *what, int n, int h, int w, int c, float scale)
{
    GError *error = NULL;
    char *name = key ? g_strdup_printf("%s/%s", key, what) : g_strdup(what);
    float *v = parity_input(name, (gint64)n * h * w * c, scale);
    SfuTensor *t = sfu_tensor_create(q, SFU_F32, n, h, w, c, &error);
    g_assert_no_error(error);
    sfu_tensor_write(t, v, &error);
    g_assert_no_error(error);
    g_free(v);
    g_free(name);
    return t;
}

float *parity_download(SfuTensor *y)
{
    GError *error = NULL;
    float *v = g_new(float, sfu_tensor_elements(y));
    sfu_tensor_read(y, v, &error);
    g_assert_no_error(error);
    sfu_tensor_destroy(y);
    return v;
}

float *parity_pixels(GeglBuffer *b, gint64 *n)
{
    const GeglRectangle *e = gegl_buffer_get_extent(b);
    *n = (gint64)e->width * e->height * 4;
    float *p = g_new(float, *n);
    gegl_buffer_get(b, e, 1, babl_format("R'G'B'A float"), p, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    for (gint64 k = 0; k < *n; k++)
        g_assert_true(isfinite(p[k]));
    return p;
}

int parity_changed_inside(const SfuResult *r, GeglBuffer *in, GeglRectangle inside)
{
    GeglBuffer *out = sfu_result_composite(r, in);
    const Babl *f = gegl_buffer_get_format(in);
    const GeglRectangle *e = gegl_buffer_get_extent(in);
    const int bpp = babl_format_get_bytes_per_pixel(f);
    guint8 *a = g_malloc((gsize)e->width * e->height * bpp), *b = g_malloc((gsize)e->width * e->height * bpp);
    gegl_buffer_get(in, e, 1, f, a, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    gegl_buffer_get(out, e, 1, f, b, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    int changed = 0;
    for (int y = 0; y < e->height; y++)
        for (int x = 0; x < e->width; x++) {
            const gsize at = ((gsize)y * e->width + x) * bpp;
            const int px = e->x + x, py = e->y + y;
            const gboolean in_there =
                px >= inside.x && px < inside.x + inside.width && py >= inside.y && py < inside.y + inside.height;
            const gboolean same = memcmp(a + at, b + at, bpp) == 0;
            if (!in_there)
                g_assert_true(same);
            changed += !same;
        }
    g_free(a);
    g_free(b);
    g_object_unref(out);
    return changed;
}

int parity_int(JsonObject *o, const char *name)
{
    return (int)json_object_get_int_member(o, name);
}

/* NULL without a device: *why, which the caller frees, says so. */
static SfuQueue *queue_or_reason(const SfuQueueOptions *options, char **why)
{
    GError *error = NULL;
    SfuQueue *q = sfu_queue_create(options, &error);
    *why = NULL;
    if (g_error_matches(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_LOADER) ||
        g_error_matches(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_DEVICE)) {
        *why = g_strdup(error->message);
        g_clear_error(&error);
    }
    g_assert_no_error(error);
    return q;
}

SfuQueue *parity_queue(const SfuQueueOptions *options)
{
    char *why;
    SfuQueue *q = queue_or_reason(options, &why);
    if (why)
        g_test_skip(why);
    g_free(why);
    return q;
}

SfuQueue *parity_queue_open(SfuPrecision precision)
{
    char *why;
    SfuQueue *q = queue_or_reason(&(SfuQueueOptions){.precision = precision}, &why);
    if (why)
        g_print("1..0 # SKIP %s\n", why);
    else
        parity_data_open();
    g_free(why);
    return q;
}

const char *parity_mode_name(int mode)
{
    static const char *const names[] = {"fast", "plain", "fp16", "int16", "int8"};
    return names[mode];
}

SfuQueue *parity_mode_queue(int mode)
{
    static const SfuPrecision precisions[PARITY_N_MODES] = {
        [PARITY_FAST] = SFU_PRECISION_FP32,   [PARITY_PLAIN] = SFU_PRECISION_FP32, [PARITY_FP16] = SFU_PRECISION_FP16,
        [PARITY_INT16] = SFU_PRECISION_INT16, [PARITY_INT8] = SFU_PRECISION_INT8,
    };
    const SfuQueueOptions options = {.precision = precisions[mode],
                                     .kernels = mode == PARITY_PLAIN ? SFU_KERNELS_PLAIN : SFU_KERNELS_AUTO};
    if (!mode_queues[mode])
        mode_queues[mode] = parity_queue(&options);
    return mode_queues[mode];
}

void parity_add_cases(const char *prefix, GTestDataFunc fn, gboolean (*wanted)(JsonObject *o, int mode))
{
    JsonArray *cases = parity_cases();
    for (guint i = 0; i < json_array_get_length(cases); i++)
        for (int mode = 0; mode < PARITY_N_MODES; mode++) {
            JsonObject *o = json_array_get_object_element(cases, i);
            if (wanted ? !wanted(o, mode) : mode >= PARITY_INT16)
                continue;
            ParityCase *c = g_new(ParityCase, 1);
            *c = (ParityCase){o, mode};
            char *path =
                g_strdup_printf("/%s/%s/%s", prefix, parity_mode_name(mode), json_object_get_string_member(o, "name"));
            g_test_add_data_func_full(path, c, fn, g_free);
            g_free(path);
        }
}

SfuEngine *parity_engine_open(void)
{
    const SfuEngineOptions options = {.precision = "fp32"};
    GError *e = NULL;
    gegl_init(NULL, NULL);
    SfuEngine *engine = sfu_engine_new(&options, &e);
    if (!engine && g_error_matches(e, SFU_ERROR, SFU_ERROR_DEVICE)) {
        g_print("1..0 # SKIP %s\n", e->message);
        g_error_free(e);
        return NULL;
    }
    g_assert_no_error(e);
    parity_data_open();
    return engine;
}

char *parity_file_write(const char *file_name, const ParityTensor *tensors, const char *poison)
{
    GString *header = g_string_new("{"), *data = g_string_new(NULL);
    for (; tensors->name; tensors++) {
        const gsize at = data->len;
        gint64 n = 1;
        g_string_append_printf(header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", header->len > 1 ? "," : "",
                               tensors->name);
        for (int i = 0; i < 4 && tensors->dims[i]; i++) {
            n *= tensors->dims[i];
            g_string_append_printf(header, "%s%d", i ? "," : "", (int)tensors->dims[i]);
        }
        float *v = parity_input(tensors->name, n, 0.25f);
        g_string_append_len(data, (const char *)v, (gssize)n * 4);
        g_free(v);
        if (g_strcmp0(poison, tensors->name) == 0)
            memcpy(data->str + at, "\0\0\xc0\x7f", 4);
        g_string_append_printf(header, "],\"data_offsets\":[%" G_GSIZE_FORMAT ",%" G_GSIZE_FORMAT "]}", at, data->len);
    }
    g_string_append_c(header, '}');
    const guint64 length = GUINT64_TO_LE(header->len);
    g_string_prepend_len(header, (const char *)&length, 8);
    g_string_append_len(header, data->str, (gssize)data->len);
    char *path = g_build_filename(folder, file_name, NULL);
    GError *error = NULL;
    check_ok(g_file_set_contents(path, header->str, (gssize)header->len, &error), error);
    g_string_free(header, TRUE);
    g_string_free(data, TRUE);
    return path;
}

void parity_check_adapter(const char *key, SfuPart part, const char *module, int out, const char *weight, int from_row)
{
    GError *error = NULL;
    SfuModel *m = parity_model(key);
    SfuWeight *w = sfu_model_find(m, part, weight);
    g_assert_nonnull(w);
    const gint64 rows = sfu_weight_dim(w, 0), in = sfu_weight_dim(w, 1), n = rows * in;
    char *up = g_strconcat(module, ".lora_B.weight", NULL), *down = g_strconcat(module, ".lora_A.weight", NULL);
    const ParityTensor tensors[] = {{up, {out, 2}}, {down, {2, in}}, {NULL}};
    char *path = parity_file_write("one-module.safetensors", tensors, NULL);
    float *a = parity_input(up, (gint64)out * 2, 0.25f), *b = parity_input(down, 2 * in, 0.25f),
          *before = g_new(float, n), *after = g_new(float, n);
    SfuAdapter *adapter = sfu_adapter_open(path, &error);
    g_assert_no_error(error);
    const SfuAdapterBase base = sfu_adapter_base(m);
    SfuBoundAdapter *bound = sfu_adapter_bind(adapter, &base, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(sfu_bound_adapter_note(bound), ==, NULL);
    GArray *uses = g_array_new(FALSE, FALSE, sizeof(SfuDeltaUse));
    SfuDeltas *deltas = sfu_deltas_new();
    sfu_bound_adapter_use(bound, 1, 1, uses);
    sfu_weight_read_f32(w, 0, n, before);
    sfu_deltas_set(deltas, (const SfuDeltaUse *)(gconstpointer)uses->data, uses->len);
    sfu_weight_read_f32(w, 0, n, after);
    for (gint64 o = 0; o < rows; o++)
        for (gint64 k = 0; k < in; k++) {
            const float *row = a + (from_row + o) * 2;
            g_assert_cmpfloat_with_epsilon(after[o * in + k] - before[o * in + k], row[0] * b[k] + row[1] * b[in + k],
                                           1e-5);
        }
    sfu_deltas_free(deltas);
    g_array_unref(uses);
    sfu_bound_adapter_free(bound);
    sfu_adapter_close(adapter);
    g_free(before);
    g_free(after);
    g_free(a);
    g_free(b);
    g_free(path);
    g_free(up);
    g_free(down);
}
