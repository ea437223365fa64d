/* Quantized files: values to the bit, shapes, scales in each spelling, what is refused, headers that are cut or lie.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model-files.h"
#include "file/file.h"
#include <math.h>
#include <string.h>

static char *folder;

static SfuFile *open_data(const char *name)
{
    char *path = g_build_filename(QUANT, name, NULL);
    GError *error = NULL;
    SfuFile *f = sfu_file_open(path, &error);
    g_assert_no_error(error);
    g_free(path);
    return f;
}

static const SfuFileTensor *find(const SfuFile *f, const char *name)
{
    for (guint i = 0; i < f->tensors->len; i++)
        if (strcmp(((SfuFileTensor *)g_ptr_array_index(f->tensors, i))->name, name) == 0)
            return g_ptr_array_index(f->tensors, i);
    return NULL;
}

static float *values_of(const SfuFileTensor *t)
{
    SfuWeight *w = sfu_file_tensor_weight(t, t->name);
    float *v = g_new(float, MAX(t->n_elements, 1));
    sfu_weight_read_f32(w, 0, t->n_elements, v);
    sfu_weight_destroy(w);
    return v;
}

/* Every tensor X that has X.values holds them; returns how many. tolerance 0: to the bit. */
static int check_values(const SfuFile *f, double tolerance)
{
    int n = 0;
    for (guint i = 0; i < f->tensors->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        char *layer =
            g_str_has_suffix(t->name, ".weight") ? g_strndup(t->name, strlen(t->name) - 7) : g_strdup(t->name);
        char *name = g_strconcat(layer, ".values", NULL);
        const SfuFileTensor *wanted = find(f, name);
        if (wanted) {
            float *got = values_of(t), *want = values_of(wanted);
            double most = 0, off = 0;
            g_assert_cmpint(t->n_elements, ==, wanted->n_elements);
            for (gint64 k = 0; k < t->n_elements; k++) {
                most = MAX(most, (double)fabsf(want[k]));
                off = MAX(off, (double)fabsf(got[k] - want[k]));
                if (tolerance == 0 && memcmp(&got[k], &want[k], 4) != 0)
                    g_error("%s[%d] is %a instead of %a", t->name, (int)k, (double)got[k], (double)want[k]);
            }
            if (!(off <= tolerance * most))
                g_error("%s is off by %g of %g", t->name, off, most);
            g_free(got);
            g_free(want);
            n++;
        }
        g_free(name);
        g_free(layer);
    }
    return n;
}

static void test_blocks(void)
{
    SfuFile *f = open_data("blocks.gguf");
    g_assert_cmpint(check_values(f, 0), ==, 13); /* 12 types and the convolution */
    for (int t = SFU_Q4_0; t < SFU_N_DTYPES; t++) {
        const SfuFileTensor *x = find(f, sfu_dtype_name(t));
        g_assert_nonnull(x);
        g_assert_cmpint(x->dtype, ==, t);
        g_assert_cmpint(x->n_dims, ==, 2);
        g_assert_cmpint(x->dims[0], ==, 2);
        g_assert_cmpint(x->dims[1], ==, 256);
    }
    sfu_file_close(f);
}

/* Rows of a flattened convolution begin and end inside blocks. */
static void test_parts_of_blocks(void)
{
    SfuFile *f = open_data("blocks.gguf");
    for (int t = SFU_Q4_0; t < SFU_N_DTYPES; t++) {
        const SfuFileTensor *x = find(f, sfu_dtype_name(t));
        float *whole = values_of(x), part[512];
        static const int ranges[][2] = {{0, 1}, {31, 2}, {5, 250}, {255, 2}, {17, 480}, {256, 256}, {511, 1}, {300, 0}};
        for (gsize r = 0; r < G_N_ELEMENTS(ranges); r++) {
            sfu_dtype_widen(t, x->data, ranges[r][0], ranges[r][1], part);
            g_assert_cmpmem(part, 4 * (gsize)ranges[r][1], whole + ranges[r][0], 4 * (gsize)ranges[r][1]);
        }
        g_free(whole);
    }
    sfu_file_close(f);
}

static double number(const SfuFile *f, const char *key)
{
    const SfuFileValue *v = g_hash_table_lookup(f->metadata, key);
    g_assert_nonnull(v);
    g_assert_cmpint(v->kind, ==, SFU_FILE_NUMBER);
    return v->number;
}

static void test_gguf_header(void)
{
    SfuFile *f = open_data("blocks.gguf");
    const SfuFileTensor *conv = find(f, "conv"), *eye = find(f, "eye");
    g_assert_cmpstr(sfu_file_text(f, "general.architecture"), ==, "sd1");
    g_assert_cmpstr(sfu_file_text(f, "test.text"), ==, "Sfumato \xc3\xa4");
    g_assert_null(sfu_file_text(f, "test.u8"));
    g_assert_cmpfloat(number(f, "test.u8"), ==, 200);
    g_assert_cmpfloat(number(f, "test.i8"), ==, -3);
    g_assert_cmpfloat(number(f, "test.u16"), ==, 65000);
    g_assert_cmpfloat(number(f, "test.i16"), ==, -300);
    g_assert_cmpfloat(number(f, "test.u32"), ==, 4e9);
    g_assert_cmpfloat(number(f, "test.i32"), ==, -70000);
    g_assert_cmpfloat(number(f, "test.u64"), ==, 0x1p40);
    g_assert_cmpfloat(number(f, "test.i64"), ==, -0x1p40);
    g_assert_cmpfloat(number(f, "test.f32"), ==, 0.5);
    g_assert_cmpfloat(number(f, "test.f64"), ==, -0.25);
    g_assert_cmpfloat(number(f, "test.bool"), ==, 1);
    const SfuFileValue *words = g_hash_table_lookup(f->metadata, "test.words");
    g_assert_cmpint(words->kind, ==, SFU_FILE_ARRAY);
    g_assert_cmpint(words->n_elements, ==, 3);
    g_assert_cmpmem(words->elements, 9, "\1\0\0\0\0\0\0\0a", 9);
    /* dims come back in PyTorch's order, and a flattened tensor in the shape that it had */
    g_assert_cmpint(conv->n_dims, ==, 4);
    g_assert_cmpint(conv->dims[0], ==, 32);
    g_assert_cmpint(conv->dims[1], ==, 4);
    g_assert_cmpint(conv->dims[3], ==, 2);
    g_assert_cmpint(eye->dtype, ==, SFU_F64);
    sfu_file_close(f);
}

static void test_scales(void)
{
    SfuFile *f = open_data("fp8-old.safetensors");
    g_assert_cmpint(check_values(f, 0), ==, 4);
    g_assert_null(find(f, "scaled_fp8")); /* nor is anything else left that a network does not know */
    g_assert_null(find(f, "a.scale_weight"));
    g_assert_null(find(f, "a.scale_input"));
    sfu_file_close(f);
    f = open_data("fp8-new.safetensors");
    g_assert_cmpint(check_values(f, 0), ==, 3);
    g_assert_null(find(f, "a.comfy_quant"));
    g_assert_null(find(f, "a.weight_scale"));
    g_assert_null(find(f, "a.input_scale"));
    sfu_file_close(f);
    f = open_data("fp8-metadata.safetensors");
    g_assert_cmpint(check_values(f, 0), ==, 3);
    sfu_file_close(f);
    f = open_data("int8.safetensors");
    g_assert_cmpint(check_values(f, 2e-6), ==, 6); /* rotated ones: sums of 256 in another order */
    sfu_file_close(f);
}

/* Ranges of scaled and rotated rows, and rows that are cut out of a tensor (OpenCLIP's q, k, v). */
static void test_parts_of_scaled(void)
{
    SfuFile *f = open_data("int8.safetensors");
    static const char *const names[] = {"row.weight", "one.weight", "rot256.weight", "rot4.weight"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const SfuFileTensor *t = find(f, names[i]);
        SfuFileTensor *rows = sfu_file_tensor_rows(t, 2, 3);
        SfuWeight *w = sfu_file_tensor_weight(t, "w");
        const gint64 row = t->dims[1];
        float *whole = values_of(t), *cut = values_of(rows), part[64];
        g_assert_cmpmem(cut, 4 * (gsize)(3 * row), whole + 2 * row, 4 * (gsize)(3 * row));
        for (gint64 at = 0; at + 64 <= t->n_elements; at += 13) {
            sfu_weight_read_f32(w, at, 64, part);
            g_assert_cmpmem(part, sizeof part, whole + at, sizeof part);
        }
        g_assert_cmpint(sfu_weight_dtype(w), ==, SFU_F32);
        sfu_weight_destroy(w);
        sfu_file_tensor_free(rows);
        g_free(whole);
        g_free(cut);
    }
    const SfuFileTensor *odd = find(f, "row.weight");
    g_assert_null(sfu_file_tensor_rows(odd, 4, 3)); /* past the end */
    sfu_file_close(f);
    f = open_data("blocks.gguf");
    g_assert_null(sfu_file_tensor_rows(find(f, "conv"), 0, 1)); /* 16 values: half a block of Q8_0 */
    sfu_file_close(f);
}

/* ---- what is refused, by name ---- */

static void refused_file(GPtrArray *rows, const char *word)
{
    GError *error = NULL;
    write_safetensors(in(folder, "refused.safetensors"), rows, USE_CANONICAL, NULL, FILL_VALUES);
    SfuFile *f = sfu_file_open(in(folder, "refused.safetensors"), &error);
    if (f || !g_error_matches(error, SFU_FILE_ERROR, SFU_FILE_ERROR_REFUSED) || !strstr(error->message, word) ||
        !strstr(error->message, "layer"))
        g_error("'%s' instead of a refusal that says '%s'", error ? error->message : "opened", word);
    g_clear_error(&error);
    g_ptr_array_unref(rows);
}

static GPtrArray *one_row(const char *name, SfuDtype dtype, gint64 out, gint64 wide)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
    rows_add(rows, name, dtype, wide ? 2 : 1, out, wide);
    return rows;
}

static void test_refused(void)
{
    GPtrArray *rows = one_row("layer.weight", SFU_U8, 256, 1); /* bitsandbytes */
    rows_add(rows, "layer.weight.absmax", SFU_F32, 1, (gint64)8);
    rows_add(rows, "layer.weight.quant_map", SFU_F32, 1, (gint64)16);
    rows_add(rows, "layer.weight.quant_state.bitsandbytes__nf4", SFU_U8, 1, (gint64)90);
    refused_file(rows, "bitsandbytes");
    rows = one_row("layer.weight", SFU_I8, 16, 16);
    rows_add(rows, "layer.SCB", SFU_F32, 1, (gint64)16);
    refused_file(rows, "bitsandbytes");
    rows = one_row("layer.weight", SFU_U8, 16, 8);
    rows_add(rows, "layer.weight_scale", SFU_F8_E4M3, 2, (gint64)16, (gint64)1);
    rows_add(rows, "layer.weight_scale_2", SFU_F32, 1, (gint64)1);
    refused_file(rows, "nvfp4");
    rows = one_row("layer.weight", SFU_F8_E4M3, 64, 64); /* mxfp8 */
    rows_add(rows, "layer.weight_scale", SFU_U8, 2, (gint64)64, (gint64)2);
    refused_file(rows, "mxfp8");
    rows = one_row("layer.weight", SFU_F8_E4M3, 256, 256);
    rows_add(rows, "layer.weight_scale_inv", SFU_F32, 2, (gint64)2, (gint64)2);
    refused_file(rows, "scale per block");
    rows = one_row("layer.weight", SFU_F8_E4M3, 4, 256); /* as many scales as rows, but of blocks */
    rows_add(rows, "layer.weight_scale", SFU_F32, 2, (gint64)2, (gint64)2);
    refused_file(rows, "one per block");
    rows = one_row("layer.weight", SFU_I8, 4, 16);
    refused_file(rows, "no scale");
    rows = one_row("layer.weight", SFU_F8_E5M2, 4, 16);
    rows_add(rows, "layer.scale", SFU_F32, 1, (gint64)4);
    refused_file(rows, "scales of a kind");
    rows = one_row("layer.qweight", SFU_I32, 4, 16);
    refused_file(rows, "GPTQ");
}

static void refused_json(const char *json, const char *word)
{
    GPtrArray *tensors = g_ptr_array_new(), *scales = g_ptr_array_new();
    guint8 data[64] = {0};
    const float one = 1;
    SfuFileTensor weight = {
        .name = (char *)"layer.weight", .dtype = SFU_I8, .n_dims = 2, .dims = {2, 16}, .n_elements = 32, .data = data};
    SfuFileTensor scale = {.name = (char *)"layer.weight_scale",
                           .dtype = SFU_F32,
                           .n_dims = 0,
                           .n_elements = 1,
                           .data = (const guint8 *)&one};
    SfuFileTensor quant = {.name = (char *)"layer.comfy_quant",
                           .dtype = SFU_U8,
                           .n_dims = 1,
                           .dims = {(gint64)strlen(json)},
                           .n_elements = (gint64)strlen(json),
                           .data = (const guint8 *)json};
    GError *error = NULL;
    g_ptr_array_add(tensors, &weight);
    g_ptr_array_add(tensors, &scale);
    g_ptr_array_add(tensors, &quant);
    const gboolean ok = sfu_scales_attach(tensors, scales, NULL, "file", &error);
    if (ok != !word || (word && (!error || !strstr(error->message, word))))
        g_error("%s: '%s' instead of '%s'", json, error ? error->message : "taken", word ? word : "taken");
    if (ok)
        g_assert_true(weight.scale == &scale && tensors->len == 1 && scales->len == 2);
    g_clear_error(&error);
    g_ptr_array_unref(tensors);
    g_ptr_array_unref(scales);
}

static void test_formats(void)
{
    refused_json("{\"format\":\"int8_tensorwise\"}", NULL);
    refused_json("{\"format\":\"int8_tensorwise\",\"convrot\":false}", NULL);
    refused_json("{\"format\":\"int8_tensorwise\",\"convrot\":true,\"convrot_groupsize\":16}", NULL);
    refused_json("{\"format\":\"int8_tensorwise\",\"convrot\":true}", "groups of 256"); /* rows of 16 */
    refused_json("{\"format\":\"int8_tensorwise\",\"convrot\":true,\"convrot_groupsize\":8}", "groups of 8");
    refused_json("{\"format\":\"int8_tensorwise\",\"convrot\":true,\"convrot_groupsize\":0}", "groups of 0");
    refused_json("{\"format\":\"int8_blockwise\",\"group_size\":128}", "int8_blockwise");
    refused_json("{\"format\":\"float8_e4m3fn\"}", "float8_e4m3fn"); /* the weight is int8 */
    refused_json("{\"format\":7}", "'?'");
    refused_json("{}", "'?'");
    refused_json("{\"format\":", "JSON");
}

/* ---- GGUF headers that are cut, or that lie ---- */

static void bad_gguf(const guint8 *data, gsize n, const char *word)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    GError *error = NULL;
    guint8 *copy = g_memdup2(data, MAX(n, 1)); /* exactly as long, so that a sanitizer sees a byte too far */
    const gboolean ok = sfu_gguf_parse(copy, n, "file", out, NULL, &error);
    if (ok || !error || !strstr(error->message, word))
        g_error("'%s' instead of '%s' (%d bytes)", error ? error->message : "taken", word, (int)n);
    g_clear_error(&error);
    g_free(copy);
    g_ptr_array_unref(out);
}

static void test_cut_gguf(void)
{
    char *path = g_build_filename(QUANT, "blocks.gguf", NULL), *text;
    gsize n;
    g_assert_true(g_file_get_contents(path, &text, &n, NULL));
    for (gsize cut = 0; cut < n - 64; cut += cut < 4000 ? 1 : 331)
        bad_gguf((const guint8 *)text, cut, "");
    g_free(text);
    g_free(path);
}

typedef struct {
    guint8 b[512];
    gsize n;
} Bytes;

static void put(Bytes *b, guint64 v, int n)
{
    for (int i = 0; i < n; i++)
        b->b[b->n++] = (guint8)(v >> 8 * i);
}

static void put_text(Bytes *b, const char *s)
{
    put(b, strlen(s), 8);
    memcpy(b->b + b->n, s, strlen(s));
    b->n += strlen(s);
}

static void put_tensor(Bytes *b, const char *name, int n_dims, guint64 d0, guint64 d1, guint32 type, guint64 place)
{
    put_text(b, name);
    put(b, (guint64)n_dims, 4);
    put(b, d0, 8);
    if (n_dims > 1)
        put(b, d1, 8);
    put(b, type, 4);
    put(b, place, 8);
}

static Bytes head(guint32 version, guint64 n_tensors, guint64 n_entries)
{
    Bytes b = {.n = 4};
    memcpy(b.b, "GGUF", 4);
    put(&b, version, 4);
    put(&b, n_tensors, 8);
    put(&b, n_entries, 8);
    return b;
}

/* One tensor of a header alone, and 128 bytes of data behind it. */
static void bad_tensor(int n_dims, guint64 d0, guint64 d1, guint32 type, guint64 place, const char *word)
{
    Bytes b = head(3, 1, 0);
    put_tensor(&b, "x", n_dims, d0, d1, type, place);
    bad_gguf(b.b, (b.n + 31) / 32 * 32 + 128, word);
}

static void test_lying_gguf(void)
{
    Bytes b = head(1, 0, 0);
    bad_gguf(b.b, b.n, "version 1");
    b = head(0x03000000, 0, 0);
    bad_gguf(b.b, b.n, "big-endian");
    b = head(3, G_MAXUINT64, 0);
    bad_gguf(b.b, b.n, "tensors");
    b = head(3, 0, G_MAXUINT64);
    bad_gguf(b.b, b.n, "entries");
    b = head(3, 1000, 0);
    bad_gguf(b.b, b.n, "truncated");
    bad_tensor(2, 1ull << 63, 2, 0, 0, "impossible shape");
    bad_tensor(2, 1ull << 39, 1ull << 39, 0, 0, "impossible shape");
    bad_tensor(1, 33, 0, 0, 0, "outside");
    bad_tensor(1, 32, 0, 0, 32, "outside");
    bad_tensor(1, 32, 0, 0, G_MAXUINT64 - 31, "outside");
    bad_tensor(1, 1, 0, 0, 1, "outside"); /* between multiples of the alignment */
    bad_tensor(2, 16, 2, 2, 0, "whole blocks of Q4_0");
    bad_tensor(0, 0, 0, 8, 0, "truncated"); /* the dim is read as the type */
    bad_tensor(1, 32, 0, 16, 0, "IQ2_XXS");
    bad_tensor(1, 32, 0, 39, 0, "MXFP4");
    bad_tensor(1, 32, 0, 999, 0, "type 999");
    bad_tensor(9, 1, 1, 0, 0, "9 dimensions");
}

/* Tensors that contradict each other, and entries before them that contradict the tensors or themselves. */
static void test_contradictory_gguf(void)
{
    Bytes b = head(3, 2, 0);
    put_tensor(&b, "x", 1, 4, 0, 0, 0);
    put_tensor(&b, "x", 1, 4, 0, 0, 32);
    bad_gguf(b.b, b.n + 128, "twice");
    b = head(3, 2, 0);
    put_tensor(&b, "x", 1, 16, 0, 0, 0);
    put_tensor(&b, "y", 1, 4, 0, 0, 32);
    bad_gguf(b.b, b.n + 160, "overlap");
    b = head(3, 0, 1); /* an alignment of 0 */
    put_text(&b, "general.alignment");
    put(&b, 4, 4);
    put(&b, 0, 4);
    bad_gguf(b.b, b.n, "alignment");
    b = head(3, 0, 1); /* an array with more elements than bytes */
    put_text(&b, "a");
    put(&b, 9, 4);
    put(&b, 10, 4);
    put(&b, G_MAXUINT64 / 8, 8);
    bad_gguf(b.b, b.n + 64, "truncated");
    b = head(3, 0, 1); /* arrays in arrays in arrays ... */
    put_text(&b, "a");
    put(&b, 9, 4);
    for (int i = 0; i < 20; i++) {
        put(&b, 9, 4);
        put(&b, 1, 8);
    }
    bad_gguf(b.b, b.n, "array");
    b = head(3, 1, 1); /* a shape of other values than the tensor has */
    put_text(&b, "comfy.gguf.orig_shape.x");
    put(&b, 9, 4);
    put(&b, 5, 4);
    put(&b, 2, 8);
    put(&b, 3, 4);
    put(&b, 3, 4);
    put_tensor(&b, "x", 1, 8, 0, 0, 0);
    bad_gguf(b.b, b.n + 96, "impossible shape");
}

/* ---- writing ---- */

static void test_quantize(void)
{
    SfuFile *f = open_data("blocks.gguf");
    static const SfuDtype types[] = {SFU_Q8_0, SFU_Q4_0, SFU_Q5_0};
    const SfuFileTensor *source = find(f, "source");
    float *v = values_of(source);
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        char *name = g_strconcat("source.", sfu_dtype_name(types[i]), NULL);
        const SfuFileTensor *wanted = find(f, name);
        const gsize n = sfu_file_tensor_bytes(wanted);
        guint8 *got = g_malloc(n);
        g_assert_true(sfu_quantize(types[i], v, source->n_elements, got));
        g_assert_cmpmem(got, n, wanted->data, n);
        g_free(got);
        g_free(name);
    }
    float bad[32] = {0};
    guint8 block[34];
    bad[7] = NAN;
    g_assert_false(sfu_quantize(SFU_Q8_0, bad, 32, block));
    bad[7] = INFINITY;
    g_assert_false(sfu_quantize(SFU_Q4_0, bad, 32, block));
    bad[7] = 1e9f; /* the scale would be infinite as fp16 */
    g_assert_false(sfu_quantize(SFU_Q4_0, bad, 32, block));
    g_free(v);
    sfu_file_close(f);
}

/* Q4_K: 16 steps for each 32 values, so off by half a step of their range, and for normal values by 8 % of their norm.
 */
static void test_q4_k(void)
{
    float v[1024], w[1024];
    guint8 blocks[4 * 144];
    double off = 0, norm = 0;
    for (int i = 0; i < 1024; i++) /* sums of uniform values: nearly normal */
        for (int k = v[i] = 0; k < 12; k++)
            v[i] += (float)g_random_double_range(-0.5, 0.5);
    g_assert_true(sfu_quantize(SFU_Q4_K, v, 1024, blocks));
    sfu_dtype_widen(SFU_Q4_K, blocks, 0, 1024, w);
    for (int i = 0; i < 1024; i++) {
        off += (double)((w[i] - v[i]) * (w[i] - v[i]));
        norm += (double)(v[i] * v[i]);
    }
    g_assert_cmpfloat(sqrt(off / norm), <, 0.08);
    for (int i = 0; i < 256; i++)
        v[i] = i % 2 ? 3.0f : 0.0f;
    g_assert_true(sfu_quantize(SFU_Q4_K, v, 256, blocks));
    sfu_dtype_widen(SFU_Q4_K, blocks, 0, 256, w);
    for (int i = 0; i < 256; i++)
        g_assert_cmpfloat(fabsf(w[i] - v[i]), <, 0.03f); /* scales have 6 bits under an fp16 one */
    memset(v, 0, sizeof v);
    g_assert_true(sfu_quantize(SFU_Q4_K, v, 256, blocks));
    sfu_dtype_widen(SFU_Q4_K, blocks, 0, 256, w);
    for (int i = 0; i < 256; i++)
        g_assert_cmpfloat(w[i], ==, 0);
}

/* Every value comes back; between two neighbors the nearer is taken, and the even one in the middle. */
static void test_e4m3(void)
{
    for (int b = 0; b < 126; b++) {
        float low, high;
        const guint8 next = (guint8)(b + 1), byte = (guint8)b;
        sfu_dtype_widen(SFU_F8_E4M3, &byte, 0, 1, &low);
        sfu_dtype_widen(SFU_F8_E4M3, &next, 0, 1, &high);
        g_assert_cmpint(sfu_e4m3_from_float(low), ==, b);
        g_assert_cmpint(sfu_e4m3_from_float(-low), ==, b | 128);
        g_assert_cmpint(sfu_e4m3_from_float((low + high) / 2), ==, b + (b & 1));
        g_assert_cmpint(sfu_e4m3_from_float(nextafterf((low + high) / 2, 0)), ==, b);
        g_assert_cmpint(sfu_e4m3_from_float(nextafterf((low + high) / 2, 1000)), ==, b + 1);
    }
    g_assert_cmpint(sfu_e4m3_from_float(1e9f), ==, 126);
    g_assert_cmpint(sfu_e4m3_from_float(-INFINITY), ==, 254);
    g_assert_cmpint(sfu_e4m3_from_float(NAN) & 127, ==, 127);
}

static GPtrArray *small_net(void)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
    rows_add(rows, "a.weight", SFU_F32, 2, (gint64)48, (gint64)256);
    rows_add(rows, "a.bias", SFU_F32, 1, (gint64)48);
    rows_add(rows, "odd.weight", SFU_F16, 2, (gint64)64, (gint64)40);
    rows_add(rows, "wide.weight", SFU_BF16, 2, (gint64)32, (gint64)96);
    rows_add(rows, "conv.weight", SFU_F16, 4, (gint64)32, (gint64)32, (gint64)3, (gint64)3);
    rows_add(rows, "norm.weight", SFU_F32, 1, (gint64)48);
    rows_add(rows, "numbers", SFU_I64, 1, (gint64)5);
    rows_add(rows, "flag", SFU_BOOL, 1, (gint64)3);
    return rows;
}

static gboolean convert(const char *from, const char *to, const char *type, gboolean replace, const char *word)
{
    const SfuConvert c = {.type = type, .replace = replace};
    GError *error = NULL;
    const gboolean ok = sfu_file_convert(in(folder, from), in(folder, to), &c, &error);
    if (ok != !word || (word && !strstr(error->message, word)))
        g_error("%s to %s: '%s' instead of '%s'", from, to, error ? error->message : "done", word ? word : "done");
    g_clear_error(&error);
    return ok;
}

/* The converted tensors have the names and shapes of those they were made from, and values that are off by at most
 * that share of the greatest. */
static void assert_close(const SfuFile *from, const SfuFile *to, double tolerance)
{
    for (guint t = 0; t < from->tensors->len; t++) {
        const SfuFileTensor *x = g_ptr_array_index(from->tensors, t), *y = find(to, x->name);
        g_assert_cmpint(x->n_dims, ==, y->n_dims);
        g_assert_cmpmem(x->dims, sizeof *x->dims * (gsize)x->n_dims, y->dims, sizeof *y->dims * (gsize)y->n_dims);
        float *v = values_of(x), *w = values_of(y);
        double most = 0;
        for (gint64 e = 0; e < x->n_elements; e++)
            most = MAX(most, (double)fabsf(v[e]));
        for (gint64 e = 0; e < x->n_elements; e++)
            if (!((double)fabsf(v[e] - w[e]) <= tolerance * most))
                g_error("%s: %g instead of %g (most %g)", x->name, (double)w[e], (double)v[e], most);
        g_free(v);
        g_free(w);
    }
}

/* What each tensor becomes, and how far its values are from what they were. */
static void test_convert(void)
{
    static const struct {
        const char *type, *ending;
        SfuDtype a, odd, wide, conv, norm;
        double tolerance;
    } k[] = {
        {"f32", "gguf", SFU_F32, SFU_F32, SFU_F32, SFU_F32, SFU_F32, 0},
        {"f16", "gguf", SFU_F16, SFU_F16, SFU_F16, SFU_F16, SFU_F16, 0x1p-11},
        {"bf16", "safetensors", SFU_BF16, SFU_BF16, SFU_BF16, SFU_BF16, SFU_BF16, 0x1p-8},
        {"q8_0", "gguf", SFU_Q8_0, SFU_F16, SFU_Q8_0, SFU_Q8_0, SFU_F32,
         0.005}, /* half a step of 1/127, and the scale's rounding */
        {"q4_0", "gguf", SFU_Q4_0, SFU_F16, SFU_Q4_0, SFU_Q4_0, SFU_F32,
         0.14}, /* a step of 1/8 at the end that has no number of its own */
        {"q4_k", "gguf", SFU_Q4_K, SFU_F16, SFU_Q5_0, SFU_Q5_0, SFU_F32, 0.08},
        {"fp8", "safetensors", SFU_F8_E4M3, SFU_F8_E4M3, SFU_F8_E4M3, SFU_F16, SFU_F32, 0x1p-4},
        {"int8", "safetensors", SFU_I8, SFU_I8, SFU_I8, SFU_F16, SFU_F32, 0.005},
    };
    GPtrArray *rows = small_net();
    write_safetensors(in(folder, "net.safetensors"), rows, USE_CANONICAL, NULL, FILL_VALUES);
    GError *error = NULL;
    SfuFile *from = sfu_file_open(in(folder, "net.safetensors"), &error);
    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(k); i++) {
        char *name = g_strconcat(k[i].type, ".", k[i].ending, NULL);
        convert("net.safetensors", name, k[i].type, FALSE, NULL);
        SfuFile *f = sfu_file_open(in(folder, name), &error);
        g_assert_no_error(error);
        g_assert_cmpint(f->tensors->len, ==, rows->len);
        g_assert_cmpint(find(f, "a.weight")->dtype, ==, k[i].a);
        g_assert_cmpint(find(f, "odd.weight")->dtype, ==, k[i].odd);
        g_assert_cmpint(find(f, "wide.weight")->dtype, ==, k[i].wide);
        g_assert_cmpint(find(f, "conv.weight")->dtype, ==, k[i].conv);
        g_assert_cmpint(find(f, "norm.weight")->dtype, ==, k[i].norm);
        g_assert_cmpint(find(f, "numbers")->dtype, ==, SFU_I64);
        g_test_message("%s", name);
        assert_close(from, f, k[i].tolerance);
        sfu_file_close(f);
        g_free(name);
    }
    /* a converted file converts, and to its own type without a change */
    convert("q8_0.gguf", "again.gguf", "q8_0", FALSE, NULL);
    char *x = NULL, *y = NULL;
    gsize nx = 0, ny = 0;
    g_assert_true(g_file_get_contents(in(folder, "q8_0.gguf"), &x, &nx, NULL) &&
                  g_file_get_contents(in(folder, "again.gguf"), &y, &ny, NULL));
    g_assert_cmpmem(x, nx, y, ny);
    g_free(x);
    g_free(y);
    convert("int8.safetensors", "again.safetensors", "f16", FALSE, NULL);
    convert("q4_k.gguf", "fp8-of-q4.safetensors", "fp8", FALSE, NULL);
    sfu_file_close(from);
    g_ptr_array_unref(rows);
}

static void test_convert_refuses(void)
{
    GPtrArray *rows = small_net();
    write_safetensors(in(folder, "in.safetensors"), rows, USE_CANONICAL, NULL, FILL_VALUES);
    write_text(in(folder, "there.gguf"), "old");
    convert("in.safetensors", "x.gguf", "q3_k", FALSE, "q3_k");
    convert("in.safetensors", "x.gguf", "int8", FALSE, "safetensors");
    convert("in.safetensors", "x.safetensors", "q8_0", FALSE, "gguf");
    convert("in.safetensors", "x.bin", "f16", FALSE, "must end");
    convert("in.safetensors", "there.gguf", "f16", FALSE, "already");
    convert("absent.safetensors", "x.gguf", "f16", FALSE, "does not exist");
    convert("old.ckpt", "x.gguf", "f16", FALSE, "pickle");
    convert("in.safetensors", "nowhere/x.gguf", "f16", FALSE, "cannot be written");
    ((Row *)g_ptr_array_index(rows, 0))->dtype = SFU_I8; /* whole numbers without scales */
    write_safetensors(in(folder, "whole.safetensors"), rows, USE_CANONICAL, NULL, FILL_VALUES);
    convert("whole.safetensors", "there.gguf", "f16", TRUE, "no scale");
    char *text;
    g_assert_true(g_file_get_contents(in(folder, "there.gguf"), &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "old"); /* as it was */
    g_free(text);
    convert("in.safetensors", "there.gguf", "f16", TRUE, NULL);
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));)
        g_assert_null(strstr(name, ".part-"));
    g_dir_close(dir);
    g_ptr_array_unref(rows);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = folder_new();
    g_test_add_func("/quant/blocks", test_blocks);
    g_test_add_func("/quant/parts-of-blocks", test_parts_of_blocks);
    g_test_add_func("/quant/gguf-header", test_gguf_header);
    g_test_add_func("/quant/scales", test_scales);
    g_test_add_func("/quant/parts-of-scaled", test_parts_of_scaled);
    g_test_add_func("/quant/refused", test_refused);
    g_test_add_func("/quant/formats", test_formats);
    g_test_add_func("/quant/cut-gguf", test_cut_gguf);
    g_test_add_func("/quant/lying-gguf", test_lying_gguf);
    g_test_add_func("/quant/contradictory-gguf", test_contradictory_gguf);
    g_test_add_func("/quant/quantize", test_quantize);
    g_test_add_func("/quant/q4_k", test_q4_k);
    g_test_add_func("/quant/e4m3", test_e4m3);
    g_test_add_func("/quant/convert", test_convert);
    g_test_add_func("/quant/convert-refuses", test_convert_refuses);
    const int r = g_test_run();
    folder_remove(folder);
    return r;
}
