/* The OpenCL runtime: devices, pool and budget, weights, programs and their cache, cancel, profile.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"
#include "../tree.h"
#include "../check_ok.h"
#include "runtime/half.h"
#include "runtime/internal.h"
#include <locale.h>
#include <math.h>
#include <string.h>

#define FAILS(call, code, text)                                                                                        \
    G_STMT_START                                                                                                       \
    {                                                                                                                  \
        GError *error_ = NULL;                                                                                         \
        g_assert_false(!!(call));                                                                                      \
        g_assert_error(error_, SFU_RUNTIME_ERROR, code);                                                               \
        if (!strstr(error_->message, text))                                                                            \
            g_error("'%s' does not say '%s'", error_->message, text);                                                  \
        g_error_free(error_);                                                                                          \
    }                                                                                                                  \
    G_STMT_END

static char *scratch; /* a folder for caches, removed at the end */

/* NULL after skipping the test where there is no device. */
static SfuQueue *open_queue(const SfuQueueOptions *o)
{
    GError *error = NULL;
    SfuQueue *q = sfu_queue_create(o, &error);
    if (g_error_matches(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_LOADER) ||
        g_error_matches(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_DEVICE)) {
        g_test_skip(error->message);
        g_error_free(error);
        return NULL;
    }
    g_assert_no_error(error);
    return q;
}

static char *new_cache(void)
{
    static int n;
    char *path = g_strdup_printf("%s/cache%d", scratch, n++);
    g_setenv("SFUMATO_CACHE", path, TRUE);
    return path;
}

static SfuWeight *weight(int out, int in, guint32 seed)
{
    float *v = g_new(float, (gsize)out *in);
    for (int i = 0; i < out * in; i++)
        v[i] = (float)((i * 7919u + seed * 104729u) % 1000) / 500.0f - 1.0f;
    return sfu_weight_new_take("weight", SFU_F32, 2, (const gint64[]){out, in}, v, sizeof *v * (gsize)out * in);
}

/* rows x n through w [n, n], from a fixed input. */
static void apply(SfuQueue *q, SfuWeight *w, int rows, int n, float *out)
{
    float *v = g_new(float, (gsize)rows *n);
    for (int i = 0; i < rows * n; i++)
        v[i] = (float)(i % 17) / 17.0f;
    SfuTensor *x = NULL, *y = NULL;
    CHECK_OK(x = sfu_tensor_create(q, SFU_F32, 1, 1, rows, n, ERR));
    CHECK_OK(y = sfu_tensor_create(q, SFU_F32, 1, 1, rows, n, ERR));
    CHECK_OK(sfu_tensor_write(x, v, ERR));
    CHECK_OK(sfu_linear(q, y, x, w, NULL, ERR));
    sfu_tensor_destroy(x);
    CHECK_OK(sfu_tensor_read(y, out, ERR));
    sfu_tensor_destroy(y);
    g_free(v);
}

/* ---- small floats ---- */

static double decode(guint32 bits, int e_bits, int m_bits, gboolean has_inf)
{
    const int bias = (1 << (e_bits - 1)) - 1, top = (1 << e_bits) - 1, e = (int)(bits >> m_bits) & top;
    const guint32 m = bits & ((1u << m_bits) - 1);
    double a = e ? ldexp(1 + m / (double)(1u << m_bits), e - bias) : ldexp(m / (double)(1u << m_bits), 1 - bias);
    if (has_inf && e == top)
        a = m ? NAN : INFINITY;
    return bits >> (e_bits + m_bits) & 1 ? -a : a;
}

static void same_value(double got, double wanted)
{
    if (isnan(wanted))
        g_assert_true(isnan(got));
    else
        g_assert_cmpfloat(got, ==, wanted);
}

static void test_small_floats(void)
{
    for (guint32 b = 0; b < 65536; b++) {
        same_value(sfu_half_to_float((guint16)b), decode(b, 5, 10, TRUE));
        same_value(sfu_bf16_to_float((guint16)b), decode(b, 8, 7, TRUE));
        if (!isnan(decode(b, 5, 10, TRUE)))
            g_assert_cmpuint(sfu_half_from_float(sfu_half_to_float((guint16)b)), ==, b);
        if (!isnan(decode(b, 8, 7, TRUE)))
            g_assert_cmpuint(sfu_bf16_from_float(sfu_bf16_to_float((guint16)b)), ==, b);
    }
    for (guint32 b = 0; b < 256; b++) {
        same_value(sfu_e5m2_to_float((guint8)b), decode(b, 5, 2, TRUE));
        same_value(sfu_e4m3_to_float((guint8)b),
                   (b & 127) == 127 ? NAN : decode(b, 4, 3, FALSE)); /* no infinity in E4M3 */
    }
    /* Between two neighbors: to the nearer, a tie to the even one, beyond the largest to infinity. */
    for (guint32 b = 0; b < 0x7bff; b++) {
        const float lo = sfu_half_to_float((guint16)b), hi = sfu_half_to_float((guint16)(b + 1)),
                    mid = lo + (hi - lo) / 2;
        g_assert_cmpuint(sfu_half_from_float(nextafterf(mid, 0)), ==, b);
        g_assert_cmpuint(sfu_half_from_float(nextafterf(mid, 1e9f)), ==, b + 1);
        g_assert_cmpuint(sfu_half_from_float(mid), ==, b + (b & 1));
        g_assert_cmpuint(sfu_half_from_float(-mid), ==, 0x8000 | (b + (b & 1)));
    }
    g_assert_cmpuint(sfu_half_from_float(65519.0f), ==, 0x7bff);
    g_assert_cmpuint(sfu_half_from_float(65520.0f), ==, 0x7c00);
    g_assert_cmpuint(sfu_half_from_float(-INFINITY), ==, 0xfc00);
    g_assert_true(isnan(sfu_half_to_float(sfu_half_from_float(NAN))));
    g_assert_true(isnan(sfu_bf16_to_float(sfu_bf16_from_float(NAN))));
    g_assert_cmpfloat(sfu_bf16_to_float(sfu_bf16_from_float(1.00390625f)), ==, 1.0f);      /* a tie, to even */
    g_assert_cmpfloat(sfu_bf16_to_float(sfu_bf16_from_float(1.01171875f)), ==, 1.015625f); /* the next one */
    g_assert_cmpfloat(sfu_bf16_to_float(sfu_bf16_from_float(1.005f)), ==, 1.0078125f);
}

/* ---- weights on the host ---- */

static void test_weight_dtypes(void)
{
    static const struct {
        SfuDtype t;
        guint8 bytes[8];
        float value;
    } k[] = {
        {SFU_F32, {0, 0, 0x20, 0xc0}, -2.5f},
        {SFU_F16, {0, 0x3e}, 1.5f},
        {SFU_BF16, {0xc0, 0x3f}, 1.5f},
        {SFU_F8_E4M3, {0x3c}, 1.5f},
        {SFU_F8_E5M2, {0x3e}, 1.5f},
        {SFU_I32, {0xfe, 0xff, 0xff, 0xff}, -2},
        {SFU_I64, {0xfd, 255, 255, 255, 255, 255, 255, 255}, -3},
        {SFU_U8, {200}, 200},
        {SFU_F64, {0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, 1.5f},
        {SFU_I8, {0x80}, -128},
        {SFU_I16, {0xff, 0xff}, -1},
        {SFU_BOOL, {1}, 1},
    };
    g_assert_cmpint(G_N_ELEMENTS(k), ==, SFU_Q4_0); /* the plain types; blocks: quant.c */
    for (guint i = 0; i < G_N_ELEMENTS(k); i++) {
        guint8 odd[32] = {0}; /* one byte off any alignment */
        const size_t size = sfu_dtype_bytes(k[i].t);
        memcpy(odd + 1 + size, k[i].bytes, size);
        SfuWeight *w = sfu_weight_new(sfu_dtype_name(k[i].t), k[i].t, 1, (const gint64[]){3}, odd + 1, 3 * size);
        float v[2] = {9, 9};
        sfu_weight_read_f32(w, 1, 2, v);
        g_assert_cmpfloat(v[0], ==, k[i].value);
        g_assert_cmpfloat(v[1], ==, 0);
        g_assert_cmpint(sfu_weight_dim(w, 0), ==, 3);
        g_assert_cmpint(sfu_weight_dim(w, 1), ==, 1);
        sfu_weight_destroy(w);
    }
}

static void test_weight_concat(void)
{
    static const gint64 dims[3][2] = {{2, 3}, {1, 3}, {4, 3}};
    static const float values[21] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
    SfuWeight *parts[3];
    for (int i = 0, first = 0; i < 3; first += (int)dims[i++][0] * 3)
        parts[i] = sfu_weight_new("part", SFU_F32, 2, dims[i], values + first, sizeof(float) * (gsize)dims[i][0] * 3);
    SfuWeight *all = sfu_weight_concat("all", parts, 3);
    g_assert_cmpint(sfu_weight_dim(all, 0), ==, 7);
    g_assert_cmpint(sfu_weight_elements(all), ==, 21);
    for (int first = 0; first <= 21; first++)
        for (int n = 0; first + n <= 21; n++) {
            float v[22];
            for (int i = 0; i < 22; i++)
                v[i] = -1;
            sfu_weight_read_f32(all, first, n, v);
            for (int i = 0; i < n; i++)
                g_assert_cmpfloat(v[i], ==, first + i);
            g_assert_cmpfloat(v[n], ==, -1);
        }
    sfu_weight_destroy(all);
    for (int i = 0; i < 3; i++)
        sfu_weight_destroy(parts[i]);
}

/* q, k and v of different types keep every bit: none takes the type of the first, and whether they fit fp16 is looked
 * at in each. */
static void test_weight_concat_of_types(void)
{
    static const gint64 dims[] = {1, 2};
    static const guint16 halves[] = {0x3c00, 0x4000}, brains[] = {0x3f80, 0x7f7f}; /* 1, 2; 1, the largest bf16 */
    static const float floats[] = {1.0f + 0x1p-20f, 3};
    SfuWeight *parts[] = {sfu_weight_new("q", SFU_F16, 2, dims, halves, sizeof halves),
                          sfu_weight_new("k", SFU_F32, 2, dims, floats, sizeof floats),
                          sfu_weight_new("v", SFU_BF16, 2, dims, brains, sizeof brains)};
    SfuWeight *some = sfu_weight_concat("qk", parts, 2), *all = sfu_weight_concat("qkv", parts, 3);
    float v[6];
    g_assert_cmpint(sfu_weight_dtype(all), ==, SFU_F32);
    sfu_weight_read_f32(all, 0, 6, v);
    const float expected[] = {1, 2, 1.0f + 0x1p-20f, 3, 1, 0x1.fep127f};
    for (int i = 0; i < 6; i++)
        g_assert_cmpfloat(v[i], ==, expected[i]);
    g_assert_true(sfu_weight_fits_f16(some));
    g_assert_false(sfu_weight_fits_f16(all));
    sfu_weight_destroy(some);
    sfu_weight_destroy(all);
    for (int i = 0; i < 3; i++)
        sfu_weight_destroy(parts[i]);
}

static void add_half(gpointer data, gint64 first, gint64 n, float *v)
{
    for (gint64 i = 0; i < n * 2; i++)
        v[i] += 0x1p-20f;
}

/* A model in fp16 takes no more memory for the adapters that are applied to it, unless fp32 was asked for. */
static void test_changed_halves(void)
{
    static const gint64 dims[] = {1, 2};
    static const guint16 halves[] = {0x3c00, 0x4000};
    static const float floats[] = {1, 2};
    const SfuQueueOptions exact = {.precision = SFU_PRECISION_FP32};
    SfuQueue *q = open_queue(NULL), *fp32 = q ? open_queue(&exact) : NULL;
    if (!fp32) {
        sfu_queue_destroy(q);
        return;
    }
    SfuWeight *w = sfu_weight_new("w", SFU_F16, 2, dims, halves, sizeof halves),
              *f = sfu_weight_new("f", SFU_F32, 2, dims, floats, sizeof floats), *parts[] = {w, w},
              *both = sfu_weight_concat("both", parts, 2);
    g_assert_true(sfu_weight_half(fp32, w));
    sfu_weight_set_change(w, add_half, NULL, 1);
    sfu_weight_set_change(f, add_half, NULL, 1);
    g_assert_cmpint(sfu_weight_dtype(w), ==, SFU_F32);
    g_assert_true(sfu_weight_half(q, w));
    g_assert_true(sfu_weight_half(q, both));
    g_assert_false(sfu_weight_half(q, f));
    g_assert_false(sfu_weight_half(fp32, w));
    g_assert_false(sfu_weight_half(fp32, both));
    sfu_weight_destroy(both);
    sfu_weight_destroy(w);
    sfu_weight_destroy(f);
    sfu_queue_destroy(q);
    sfu_queue_destroy(fp32);
}

/* ---- memory ---- */

static void test_pool(void)
{
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    SfuWeight *w = weight(96, 96, 1);
    float out[50 * 96];
    apply(q, w, 50, 96, out);
    const guint64 used = sfu_queue_used_bytes(q), peak = sfu_queue_peak_bytes(q);
    g_assert_cmpuint(used, >, 0);
    for (int i = 0; i < 5; i++)
        apply(q, w, 50, 96, out);
    g_assert_cmpuint(sfu_queue_used_bytes(q), ==, used);
    g_assert_cmpuint(sfu_queue_peak_bytes(q), ==, peak);
    sfu_weight_unload(w);
    g_assert_cmpuint(sfu_queue_used_bytes(q), <, used);
    sfu_queue_trim(q);
    g_assert_cmpuint(sfu_queue_used_bytes(q), ==, 0);
    apply(q, w, 50, 96, out); /* comes back */
    sfu_queue_destroy(q);
    sfu_weight_destroy(w); /* after its queue */
}

/* While the peak is held, weights of the work before make room, those of this work stay, and nothing fails. */
static void test_held_peak(void)
{
    enum { N = 256, ROWS = 8 };
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    if (!sfu_queue_device(q)->unified_memory && !sfu_queue_device(q)->is_cpu) {
        sfu_queue_destroy(q);
        g_test_skip("the device has memory of its own");
        return;
    }
    SfuWeight *w[5];
    float before[5][ROWS * N], held[ROWS * N];
    for (int i = 0; i < 5; i++)
        w[i] = weight(N, N, (guint32)i);
    for (int i = 0; i < 3; i++)
        apply(q, w[i], ROWS, N, before[i]);
    const guint64 peak = sfu_queue_peak_bytes(q);
    sfu_queue_hold_peak(q, 1);
    for (int k = 0; k < 2; k++)
        for (int i = 3; i < 5; i++)
            apply(q, w[i], ROWS, N, before[i]);
    g_assert_cmpuint(sfu_queue_peak_bytes(q), ==, peak);
    for (int i = 0; i < 5; i++) /* five do not fit, and none of these can go */
        apply(q, w[i], ROWS, N, held);
    g_assert_cmpuint(sfu_queue_peak_bytes(q), >, peak);
    sfu_queue_hold_peak(q, 0);
    for (int i = 0; i < 5; i++) {
        apply(q, w[i], ROWS, N, held);
        g_assert_cmpmem(held, sizeof held, before[i], sizeof held);
    }
    sfu_queue_destroy(q);
    for (int i = 0; i < 5; i++)
        sfu_weight_destroy(w[i]);
}

static void test_budget(void)
{
    enum { N = 256, ROWS = 8 };
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    SfuWeight *w[4];
    float free_of_care[4][ROWS * N], tight[ROWS * N];
    for (int i = 0; i < 4; i++) {
        w[i] = weight(N, N, (guint32)i);
        apply(q, w[i], ROWS, N, free_of_care[i]);
    }
    sfu_queue_destroy(q);
    /* Room for a weight and a half. */
    const SfuQueueOptions o = {.memory_bytes = N * N * 4 * 3 / 2};
    q = open_queue(&o);
    for (int i = 0; i < 12; i++) {
        apply(q, w[i % 4], ROWS, N, tight);
        g_assert_cmpmem(tight, sizeof tight, free_of_care[i % 4], sizeof tight);
        g_assert_cmpuint(sfu_queue_used_bytes(q), <=, o.memory_bytes);
    }
    g_assert_cmpuint(sfu_queue_peak_bytes(q), <=, o.memory_bytes);
    SfuTensor *t = NULL;
    FAILS(t = sfu_tensor_create(q, SFU_F32, 1, 1, N, 2 * N, ERR), SFU_RUNTIME_ERROR_MEMORY, "524288 more bytes");
    g_assert_null(t);
    apply(q, w[1], ROWS, N, tight); /* and goes on */
    g_assert_cmpmem(tight, sizeof tight, free_of_care[1], sizeof tight);
    sfu_queue_destroy(q);
    for (int i = 0; i < 4; i++)
        sfu_weight_destroy(w[i]);
}

static void test_too_large(void)
{
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    FAILS(sfu_tensor_create(q, SFU_F32, 70000, 70000, 1, 1, ERR), SFU_RUNTIME_ERROR_SHAPE, "70000 x 70000");
    FAILS(sfu_tensor_create(q, SFU_F32, 1, 0, 1, 1, ERR), SFU_RUNTIME_ERROR_SHAPE, "1 x 0");
    FAILS(sfu_tensor_create(q, SFU_F32, 1, 1, -4, 1, ERR), SFU_RUNTIME_ERROR_SHAPE, "-4");
    const guint64 most = sfu_queue_device(q)->max_alloc_bytes;
    if (most < 4 * 2147483647ull)
        FAILS(sfu_tensor_create(q, SFU_F32, 1, 1, 1, (int)(most / 4) + 1024, ERR), SFU_RUNTIME_ERROR_MEMORY, "bytes");
    SfuTensor *t = NULL;
    CHECK_OK(t = sfu_tensor_create(q, SFU_F32, 1, 1, 1, 16, ERR)); /* the queue still works */
    sfu_tensor_destroy(t);
    sfu_queue_destroy(q);
}

static void test_views(void)
{
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    SfuTensor *x = NULL, *v = NULL, *vv = NULL, *ids = NULL;
    const float in[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    float out[4] = {0};
    CHECK_OK(x = sfu_tensor_create(q, SFU_F32, 1, 2, 2, 3, ERR));
    CHECK_OK(sfu_tensor_write(x, in, ERR));
    CHECK_OK(v = sfu_tensor_view(x, 3, 1, 1, 1, 9, ERR));
    CHECK_OK(vv = sfu_tensor_view(v, 5, 1, 2, 2, 1, ERR));
    FAILS(sfu_tensor_view(v, 6, 1, 2, 2, 1, ERR), SFU_RUNTIME_ERROR_SHAPE, "does not lie inside");
    FAILS(sfu_tensor_view(x, 0, 1, 0, 1, 1, ERR), SFU_RUNTIME_ERROR_SHAPE, "does not lie inside");
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(v);
    SfuTensor *other = NULL;
    CHECK_OK(other = sfu_tensor_create(q, SFU_F32, 1, 2, 2, 3,
                                       ERR)); /* must not be given the buffer that the view still holds */
    CHECK_OK(sfu_tensor_write(other, (const float[12]){0}, ERR));
    CHECK_OK(sfu_tensor_read(vv, out, ERR));
    for (int i = 0; i < 4; i++)
        g_assert_cmpfloat(out[i], ==, 8 + i);
    CHECK_OK(ids = sfu_tensor_create(q, SFU_I32, 1, 1, 1, 4, ERR));
    FAILS(sfu_tensor_write(ids, in, ERR), SFU_RUNTIME_ERROR_SHAPE, "I32");
    FAILS(sfu_tensor_read(ids, out, ERR), SFU_RUNTIME_ERROR_SHAPE, "I32");
    sfu_tensor_destroy(vv);
    sfu_tensor_destroy(other);
    sfu_tensor_destroy(ids);
    sfu_tensor_destroy(NULL);
    sfu_queue_destroy(q);
}

/* ---- cancel, profile ---- */

static void test_cancel(void)
{
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    int flag = 0;
    SfuTensor *x = NULL;
    float v[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    CHECK_OK(x = sfu_tensor_create(q, SFU_F32, 1, 1, 1, 8, ERR));
    CHECK_OK(sfu_tensor_write(x, v, ERR));
    sfu_queue_set_cancel(q, &flag);
    CHECK_OK(sfu_unary(q, x, x, SFU_ACT_RELU, 0, ERR));
    g_atomic_int_set(&flag, 1);
    FAILS(sfu_unary(q, x, x, SFU_ACT_RELU, 0, ERR), SFU_RUNTIME_ERROR_CANCELLED, "cancelled");
    FAILS(sfu_tensor_read(x, v, ERR), SFU_RUNTIME_ERROR_CANCELLED, "cancelled");
    g_atomic_int_set(&flag, 0);
    CHECK_OK(sfu_axpby(q, x, 2, x, 0, NULL, ERR));
    CHECK_OK(sfu_tensor_read(x, v, ERR));
    g_assert_cmpfloat(v[7], ==, 16);
    g_atomic_int_set(&flag, 1);
    sfu_queue_set_cancel(q, NULL);
    CHECK_OK(sfu_unary(q, x, x, SFU_ACT_RELU, 0, ERR));
    sfu_tensor_destroy(x);
    sfu_queue_destroy(q);
}

static void test_profile(void)
{
    const SfuQueueOptions o = {.profile = TRUE};
    SfuQueue *q = open_queue(&o), *quiet = open_queue(NULL);
    if (!q)
        return;
    g_assert_null(sfu_queue_profile(quiet));
    SfuTensor *x = NULL;
    CHECK_OK(x = sfu_tensor_create(q, SFU_F32, 1, 64, 64, 64, ERR));
    for (int i = 0; i < 3; i++)
        CHECK_OK(sfu_unary(q, x, x, SFU_ACT_SILU, 0, ERR));
    CHECK_OK(sfu_softmax(q, x, x, ERR));
    for (int twice = 0; twice < 2; twice++) { /* reading it does not forget it */
        char *table = sfu_queue_profile(q), **lines = g_strsplit(table, "\n", -1);
        gboolean unary = FALSE;
        g_assert_nonnull(strstr(lines[0], "GFLOP/s"));
        for (char **l = lines; *l; l++) {
            char name[64];
            int calls;
            double ms, percent, gflops, gbs;
            if (sscanf(*l, "%63s %d %lf %lf %lf %lf", name, &calls, &ms, &percent, &gflops, &gbs) == 6 &&
                strcmp(name, "unary") == 0) {
                unary = TRUE;
                g_assert_cmpint(calls, ==, 3);
                g_assert_cmpfloat(ms, >, 0);
                g_assert_cmpfloat(percent, >, 0);
                g_assert_cmpfloat(percent, <=, 100);
                const double expected =
                    3 * 2 * 4.0 * 64 * 64 * 64 / 1e6 / ms; /* one read, one write; a slow run rounds to 0.0 */
                g_assert_cmpfloat(fabs(gbs - expected), <=, 0.06 + expected * (0.02 + 0.01 / ms));
            }
        }
        g_assert_true(unary);
        g_strfreev(lines);
        g_free(table);
    }
    sfu_tensor_destroy(x);
    sfu_queue_destroy(q);
    sfu_queue_destroy(quiet);
}

/* ---- programs ---- */

static void count_builds(const char *program, gpointer data)
{
    ++*(int *)data;
}

/* Opens a queue, does one op, checks its result, and returns how many programs were compiled. */
static int builds(void)
{
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return -1;
    int n = 0;
    float v[3] = {-1, 0.5f, 2};
    SfuTensor *x = NULL;
    sfu_queue_set_build_notify(q, count_builds, &n);
    CHECK_OK(x = sfu_tensor_create(q, SFU_F32, 1, 1, 1, 3, ERR));
    CHECK_OK(sfu_tensor_write(x, v, ERR));
    CHECK_OK(sfu_unary(q, x, x, SFU_ACT_GELU, 0, ERR));
    CHECK_OK(sfu_unary(q, x, x, SFU_ACT_RELU, 0, ERR)); /* the same program: not built again */
    CHECK_OK(sfu_tensor_read(x, v, ERR));
    g_assert_cmpfloat(v[0], ==, 0);
    g_assert_cmpfloat_with_epsilon(v[1], 0.5 * 0.6914624613, 1e-6); /* Phi(0.5) */
    g_assert_cmpfloat_with_epsilon(v[2], 2 * 0.9772498681, 1e-6);   /* Phi(2) */
    sfu_tensor_destroy(x);
    sfu_queue_destroy(q);
    return n;
}

static char *cached_program(const char *cache)
{
    char *found = NULL;
    GDir *top = g_dir_open(cache, 0, NULL);
    g_assert_nonnull(top);
    for (const char *device; (device = g_dir_read_name(top));) {
        char *path = g_build_filename(cache, device, NULL);
        GDir *dir = g_dir_open(path, 0, NULL);
        for (const char *name; dir && (name = g_dir_read_name(dir));)
            if (g_str_has_suffix(name, ".bin") && !found)
                found = g_build_filename(path, name, NULL);
        if (dir)
            g_dir_close(dir);
        g_free(path);
    }
    g_dir_close(top);
    g_assert_nonnull(found);
    return found;
}

static void test_program_cache(void)
{
    char *cache = new_cache();
    const int first = builds();
    if (first < 0)
        return;
    g_assert_cmpint(first, ==, 1);
    g_assert_cmpint(builds(), ==, 0);
    char *file = cached_program(cache), *good;
    gsize n;
    g_assert_true(g_file_get_contents(file, &good, &n, NULL));
    for (int damage = 0; damage < 5; damage++) {
        char *bad = g_memdup2(good, n);
        gsize bad_n = n;
        switch (damage) {
        case 0:
            bad[n / 2] ^= 1;
            break;
        case 1:
            bad_n = n / 3;
            break;
        case 2:
            bad_n = 0;
            break;
        case 3:
            bad[0] = '#';
            break;
        case 4: { /* whole, but no program that the driver knows */
            char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)"garbage", 7);
            memcpy(bad, sum, 64);
            bad[64] = '\n';
            memcpy(bad + 65, "garbage", 7);
            bad_n = 72;
            g_free(sum);
            break;
        }
        }
        g_assert_true(g_file_set_contents(file, bad, (gssize)bad_n, NULL));
        g_assert_cmpint(builds(), ==, 1);
        g_assert_cmpint(builds(), ==, 0); /* mended */
        g_free(bad);
    }
    g_free(good);
    g_free(file);
    g_free(cache);
}

static void test_build_failure(void)
{
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    const SfuLaunch none = {.program = "nothing", .kernel = "k", .global = {1, 1, 1}};
    FAILS(sfu_launch(q, &none, NULL, 0, ERR), SFU_RUNTIME_ERROR_BUILD, "nothing");
    const SfuLaunch bad = {.program = "elementwise", .kernel = "unary", .options = "-Dbeside16=+", .global = {1, 1, 1}};
    FAILS(sfu_launch(q, &bad, NULL, 0, ERR), SFU_RUNTIME_ERROR_BUILD, "expected");
    FAILS(sfu_launch(q, &bad, NULL, 0, ERR), SFU_RUNTIME_ERROR_BUILD, "elementwise"); /* again, not a crash */
    const SfuLaunch kernel = {.program = "elementwise", .kernel = "no_kernel", .global = {1, 1, 1}};
    FAILS(sfu_launch(q, &kernel, NULL, 0, ERR), SFU_RUNTIME_ERROR_FAILED, "no_kernel");
    sfu_queue_destroy(q);
}

/* GTK sets a locale with commas; an OpenCL compiler that reads 1.5 as 1 under it would spoil every constant. */
static void test_locale(void)
{
    char *dir = g_build_filename(scratch, "locale", NULL), *made = g_build_filename(dir, "de_DE.UTF-8", NULL),
         *out = NULL, *err = NULL;
    g_mkdir_with_parents(dir, 0700);
    const char *argv[] = {"localedef", "-i", "de_DE", "-f", "UTF-8", made, NULL};
    (void)g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, NULL, NULL);
    g_setenv("LOCPATH", dir, TRUE);
    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        g_test_skip("no locale de_DE.UTF-8 (package locales)");
    else {
        g_assert_cmpstr(localeconv()->decimal_point, ==, ",");
        char *cache = new_cache();
        const int n = builds();
        if (n >= 0) {
            g_assert_cmpint(n, ==, 1);
            g_assert_cmpint(builds(), ==, 0);
        }
        g_assert_cmpstr(localeconv()->decimal_point, ==, ","); /* given back */
        setlocale(LC_ALL, "C");
        g_free(cache);
    }
    g_unsetenv("LOCPATH");
    g_free(out);
    g_free(err);
    g_free(made);
    g_free(dir);
}

/* ---- devices ---- */

static void test_devices(void)
{
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    sfu_queue_destroy(q);
    GArray *all = NULL;
    CHECK_OK(all = sfu_devices_list(ERR));
    for (guint i = 0; i < all->len; i++) {
        const SfuDeviceInfo *d = &g_array_index(all, SfuDeviceInfo, i);
        g_assert_cmpint(d->index, ==, i);
        g_assert_cmpstr(d->name, !=, "");
        g_assert_cmpint(d->n_units, >, 0);
        g_assert_cmpuint(d->global_bytes, >, 0);
        char number[16];
        g_snprintf(number, sizeof number, "%u", i);
        const SfuQueueOptions by_number = {.device = number};
        CHECK_OK(q = sfu_queue_create(&by_number, ERR));
        g_assert_cmpint(sfu_queue_device(q)->index, ==, i);
        sfu_queue_destroy(q);
        char *part = g_ascii_strup(d->name + strlen(d->name) / 3, -1);
        const SfuQueueOptions by_name = {.device = part};
        CHECK_OK(q = sfu_queue_create(&by_name, ERR));
        sfu_queue_destroy(q);
        g_setenv("SFUMATO_DEVICE", number, TRUE);
        CHECK_OK(q = sfu_queue_create(NULL, ERR));
        g_assert_cmpint(sfu_queue_device(q)->index, ==, i);
        sfu_queue_destroy(q);
        g_unsetenv("SFUMATO_DEVICE");
        g_free(part);
    }
    const SfuQueueOptions absent = {.device = "Voodoo 3"}, beyond = {.device = "4711"};
    FAILS(sfu_queue_create(&absent, ERR), SFU_RUNTIME_ERROR_NO_DEVICE, "Voodoo 3");
    FAILS(sfu_queue_create(&beyond, ERR), SFU_RUNTIME_ERROR_NO_DEVICE, "4711");
    g_setenv("SFUMATO_DEVICE", "Voodoo 5", TRUE);
    FAILS(sfu_queue_create(NULL, ERR), SFU_RUNTIME_ERROR_NO_DEVICE, "Voodoo 5");
    g_unsetenv("SFUMATO_DEVICE");
    g_array_unref(all);
}

/* The loader reads its folder of drivers once, so a process of its own. */
static void test_no_driver(void)
{
    if (g_test_subprocess()) {
        g_unsetenv("OCL_ICD_FILENAMES");
        g_setenv("OCL_ICD_VENDORS", "/nonexistent/", TRUE);
        FAILS(sfu_devices_list(ERR), SFU_RUNTIME_ERROR_NO_LOADER, "pocl-opencl-icd");
        FAILS(sfu_queue_create(NULL, ERR), SFU_RUNTIME_ERROR_NO_LOADER, "no OpenCL driver");
        return;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_passed();
}

static gpointer worker(gpointer data)
{
    enum { N = 80, ROWS = 20 };
    SfuQueue *q = NULL;
    CHECK_OK(q = sfu_queue_create(NULL, ERR));
    SfuWeight *w = weight(N, N, GPOINTER_TO_UINT(data));
    float first[ROWS * N], again[ROWS * N];
    apply(q, w, ROWS, N, first);
    for (int i = 0; i < 30; i++) {
        apply(q, w, ROWS, N, again);
        g_assert_cmpmem(first, sizeof first, again, sizeof again);
    }
    sfu_queue_destroy(q);
    sfu_weight_destroy(w);
    float *sum = g_new0(float, 1);
    for (int i = 0; i < ROWS * N; i++)
        *sum += first[i];
    return sum;
}

/* PoCL's own place without HOME is /tmp/pocl, where the files of one user stop another. */
static void test_pocl_without_home(void)
{
    if (g_test_subprocess()) {
        g_unsetenv("HOME");
        g_unsetenv("XDG_CACHE_HOME");
        g_unsetenv("POCL_CACHE_DIR");
        sfu_cache_prepare_pocl();
        const char *dir = g_getenv("POCL_CACHE_DIR");
        g_assert_nonnull(dir);
        g_assert_false(g_str_has_prefix(dir, "/tmp/pocl"));
        return;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_passed();
}

static void test_two_queues(void)
{
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    sfu_queue_destroy(q);
    float *alone[2], *together[2];
    GThread *t[2];
    for (guint i = 0; i < 2; i++)
        alone[i] = worker(GUINT_TO_POINTER(i));
    for (guint i = 0; i < 2; i++)
        t[i] = g_thread_new("worker", worker, GUINT_TO_POINTER(i));
    for (int i = 0; i < 2; i++) {
        together[i] = g_thread_join(t[i]);
        g_assert_cmpfloat(*together[i], ==, *alone[i]);
    }
    g_assert_cmpfloat(*alone[0], !=, *alone[1]);
    for (int i = 0; i < 2; i++) {
        g_free(alone[i]);
        g_free(together[i]);
    }
}

/* One weight on two queues: each has its own copy, and either may go first. */
static void test_shared_weight(void)
{
    SfuQueue *a = open_queue(NULL), *b = open_queue(NULL);
    if (!a)
        return;
    SfuWeight *w = weight(64, 64, 3);
    float va[4 * 64], vb[4 * 64];
    apply(a, w, 4, 64, va);
    apply(b, w, 4, 64, vb);
    g_assert_cmpmem(va, sizeof va, vb, sizeof vb);
    sfu_queue_destroy(a);
    apply(b, w, 4, 64, va);
    g_assert_cmpmem(va, sizeof va, vb, sizeof vb);
    sfu_weight_destroy(w); /* before its queue */
    sfu_queue_destroy(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    GError *error = NULL;
    if (!g_test_subprocess()) {
        scratch = g_dir_make_tmp("sfumato-runtime-XXXXXX", &error);
        g_assert_no_error(error);
        g_free(new_cache());
    }
    g_test_add_func("/runtime/small-floats", test_small_floats);
    g_test_add_func("/runtime/weight-dtypes", test_weight_dtypes);
    g_test_add_func("/runtime/weight-concat", test_weight_concat);
    g_test_add_func("/runtime/weight-concat-of-types", test_weight_concat_of_types);
    g_test_add_func("/runtime/changed-halves", test_changed_halves);
    g_test_add_func("/runtime/pool-does-not-grow", test_pool);
    g_test_add_func("/runtime/held-peak", test_held_peak);
    g_test_add_func("/runtime/budget-changes-nothing", test_budget);
    g_test_add_func("/runtime/too-large", test_too_large);
    g_test_add_func("/runtime/views", test_views);
    g_test_add_func("/runtime/cancel", test_cancel);
    g_test_add_func("/runtime/profile", test_profile);
    g_test_add_func("/runtime/build-failure", test_build_failure);
    g_test_add_func("/runtime/devices", test_devices);
    g_test_add_func("/runtime/no-driver", test_no_driver);
    g_test_add_func("/runtime/pocl-without-home", test_pocl_without_home);
    g_test_add_func("/runtime/two-queues", test_two_queues);
    g_test_add_func("/runtime/shared-weight", test_shared_weight);
    g_test_add_func("/runtime/program-cache", test_program_cache);
    g_test_add_func("/runtime/comma-locale", test_locale);
    const int r = g_test_run();
    if (scratch)
        remove_tree(scratch);
    g_free(scratch);
    return r;
}
