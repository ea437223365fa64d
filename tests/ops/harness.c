/* The harness of the ops tests.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"
#include "ops/util.h"
#include <locale.h>
#include <string.h>

#define GUARD_BEFORE 19  /* odd, so that nothing is aligned by luck */
#define GUARD_ALIGNED 32 /* what CLBlast takes, and the fast way of some kernels */
#define GUARD_AFTER 300  /* longer than any vector or tile row */
#define SENTINEL 777.0f  /* exact in fp16 */

enum { SMALLEST_TILE = 3 }; /* a matrix_tile */

static const Mode modes[] = {
    {"cpu", SFU_KERNELS_CPU, SFU_PRECISION_FP32, 0x1p-24, 0, .vector_width = 16},
    {"cpu-bf16", SFU_KERNELS_CPU, SFU_PRECISION_BF16, 0x1p-8, 0}, /* operands of products have 8 bits */
    {"cpu-bf16-portable", SFU_KERNELS_CPU, SFU_PRECISION_BF16, 0x1p-8, 0, .portable = TRUE}, /* without AMX */
    /* These for the op integer only. */
    {"cpu-int8", SFU_KERNELS_CPU, SFU_PRECISION_INT8, 0x1p-24, 0},
    {"cpu-int8-portable", SFU_KERNELS_CPU, SFU_PRECISION_INT8, 0x1p-24, 0, .portable = TRUE},
    {"cpu-int16", SFU_KERNELS_CPU, SFU_PRECISION_INT16, 0x1p-24, 0, .vector_width = 16},
    {"cpu-auto", SFU_KERNELS_CPU, SFU_PRECISION_AUTO, 0x1p-24, 0, .vector_width = 16}, /* with quantized weights */
    {"cpu8-auto", SFU_KERNELS_CPU, SFU_PRECISION_AUTO, 0x1p-24, 0, .vector_width = 8},
    {"cpu8-int16", SFU_KERNELS_CPU, SFU_PRECISION_INT16, 0x1p-24, 0, .vector_width = 8},
    {"cpu4-int16-portable", SFU_KERNELS_CPU, SFU_PRECISION_INT16, 0x1p-24, 0, .vector_width = 4, .portable = TRUE},
    {"cpu8", SFU_KERNELS_CPU, SFU_PRECISION_FP32, 0x1p-24, 0, .vector_width = 8}, /* what AVX2 and */
    {"cpu4", SFU_KERNELS_CPU, SFU_PRECISION_FP32, 0x1p-24, 0, .vector_width = 4}, /* SSE or NEON get */
    {"gpu", SFU_KERNELS_GPU, SFU_PRECISION_FP32, 0x1p-24, 0},
#ifdef HAVE_CLBLAST
    {"gpu-clblast", SFU_KERNELS_GPU, SFU_PRECISION_FP32, 0x1p-24, 0, .clblast = TRUE},
#endif
    {"plain", SFU_KERNELS_PLAIN, SFU_PRECISION_FP32, 0x1p-24, 0},
    /* Storing halves needs no cl_khr_fp16: vload_half and vstore_half are core. So this runs on every device. */
    {"cpu-fp16", SFU_KERNELS_CPU, SFU_PRECISION_FP16, 0x1p-24, 0x1p-11,
     .vector_width = 16}, /* measured would be slow under oclgrind */
    {"gpu-fp16", SFU_KERNELS_GPU, SFU_PRECISION_FP16, 0x1p-24, 0x1p-11},
    /* These differ for products with fp16 weights and attention only. */
    {"gpu-nvidia", SFU_KERNELS_GPU, SFU_PRECISION_FP16, 0x1p-24, 0x1p-11, .matrix = SFU_MATRIX_NVIDIA,
     .matrix_tile = 1},
    {"gpu-intel8", SFU_KERNELS_GPU, SFU_PRECISION_FP16, 0x1p-24, 0x1p-11, .matrix = SFU_MATRIX_INTEL8,
     .matrix_tile = SMALLEST_TILE},
    {"gpu-intel16", SFU_KERNELS_GPU, SFU_PRECISION_FP16, 0x1p-24, 0x1p-11, .matrix = SFU_MATRIX_INTEL16,
     .matrix_tile = 2},
    {"gpu-amd", SFU_KERNELS_GPU, SFU_PRECISION_FP16, 0x1p-24, 0x1p-11, .matrix = SFU_MATRIX_AMD},
    {"plain-fp16", SFU_KERNELS_PLAIN, SFU_PRECISION_FP16, 0x1p-24, 0x1p-11},
};
static SfuQueue *queues[G_N_ELEMENTS(modes)][2]; /* the second of a mode: with the smallest tile */
static char
    *no_queue[G_N_ELEMENTS(modes)]; /* why a mode cannot run here: one that cannot must not silence the others */

typedef struct {
    int mode;
    void (*fn)(Check *c, gconstpointer row);
    gconstpointer row;
    guint32 seed;
    gboolean smallest; /* tile */
} Case;

static gboolean small(void)
{
    return g_getenv("SFUMATO_TEST_SMALL") != NULL;
}

/* For oclgrind the view ends where its buffer ends (the runtime rounds sizes to 1/16 of a power of two, at least to 256
 * bytes), so that the first stray access behind it is outside the buffer. */
static gint64 guard_before(const Check *c, SfuDtype dtype, gint64 count)
{
    if (!small())
        return c->mode->clblast || c->seed % (c->mode->matrix ? 4 : 2)
                   ? GUARD_ALIGNED
                   : GUARD_BEFORE; /* kernels on matrix units: mostly aligned */
    const gint64 size = (gint64)sfu_dtype_bytes(dtype), bytes = (count + 1) * size;
    gint64 step = 256;
    while (step * 16 < bytes)
        step *= 2;
    return ((bytes + step - 1) / step * step) / size - count;
}

static void tensor_free(gpointer t)
{
    sfu_tensor_destroy(t);
}
static void weight_free(gpointer w)
{
    sfu_weight_destroy(w);
}

static void run(gconstpointer data)
{
    const Case *k = data;
    if (no_queue[k->mode]) {
        g_test_skip(no_queue[k->mode]);
        return;
    }
    SfuQueue **q = &queues[k->mode][k->smallest];
    if (!*q) {
        const SfuQueueOptions o = {.kernels = modes[k->mode].kernels,
                                   .precision = modes[k->mode].precision,
                                   .vector_width = modes[k->mode].vector_width,
                                   .portable = modes[k->mode].portable,
                                   .emulated = modes[k->mode].matrix,
                                   .matrix_tile = k->smallest ? SMALLEST_TILE : modes[k->mode].matrix_tile};
        GError *error = NULL;
        if (modes[k->mode].clblast)
            g_setenv("SFUMATO_BLAS", "clblast", TRUE);
        *q = sfu_queue_create(&o, &error);
        g_unsetenv("SFUMATO_BLAS");
        if (g_error_matches(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_LOADER) ||
            g_error_matches(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_DEVICE)) {
            no_queue[k->mode] = g_strdup(error->message);
            g_test_skip(no_queue[k->mode]);
            g_error_free(error);
            return;
        }
        g_assert_no_error(error);
    }
    Check c = {.mode = &modes[k->mode], .q = *q, .seed = k->seed, .rand = g_rand_new_with_seed(k->seed)};
    c.tensors = g_ptr_array_new_with_free_func(tensor_free);
    c.weights = g_ptr_array_new_with_free_func(weight_free);
    c.blocks = g_ptr_array_new_with_free_func(g_free);
    k->fn(&c, k->row);
    g_ptr_array_unref(c.tensors);
    g_ptr_array_unref(c.weights);
    g_ptr_array_unref(c.blocks);
    g_rand_free(c.rand);
}

/* The emulation of matrix units is slow: small cases, which meet every fragment and edge, and for one unit those that
 * are about fp16. */
static gboolean for_emulation(const Mode *mode, const char *op, const char *name, double work)
{
    const gboolean attention = g_str_equal(op, "attention"), geglu = strstr(name, "geglu") != NULL,
                   first = mode->matrix == SFU_MATRIX_NVIDIA;
    if (!attention && !g_str_equal(op, "product"))
        return FALSE;
    if (small() && geglu && !first) /* 36 KiB of local memory; oclgrind has 32 */
        return FALSE;
    return work <= 300000 || (first && (attention || geglu || strstr(name, "fp16")));
}

/* A larger tile of emulated units takes oclgrind 10 to 20 s for nine taps. conv1x5 has several taps with every tile. */
static gboolean takes_long(const char *name)
{
    return small() && (g_str_has_prefix(name, "conv3x3") || g_str_has_prefix(name, "conv5x1"));
}

void check_add(const char *op, const char *name, double work, void (*fn)(Check *c, gconstpointer row),
               gconstpointer row)
{
    if (small() && work > 30000)
        return;
    for (int m = 0; m < (int)G_N_ELEMENTS(modes); m++) {
        const SfuPrecision p = modes[m].precision;
        const gboolean chosen = p == SFU_PRECISION_AUTO,
                       integer = chosen || p == SFU_PRECISION_INT8 || p == SFU_PRECISION_INT16;
        if (integer != g_str_equal(op, "integer") || (chosen && !g_str_has_prefix(name, "linear/q")))
            continue;
        /* The other ops know no bf16, and no matrix units. */
        if (modes[m].precision == SFU_PRECISION_BF16 && !g_str_has_prefix(op, "product") &&
            !g_str_equal(op, "attention"))
            continue;
        /* Nor does the width of the tile concern them. */
        if (modes[m].vector_width && modes[m].vector_width < 16 && !integer && !g_str_has_prefix(op, "product") &&
            !g_str_equal(op, "grow") && !g_str_equal(op, "attention"))
            continue;
        if (modes[m].matrix && !for_emulation(&modes[m], op, name, work))
            continue;
        const gboolean rows = g_str_has_prefix(name, "linear") || g_str_has_prefix(name, "conv1x1");
        if (modes[m].clblast && (!rows || small())) /* the kernels of another library are not for oclgrind */
            continue;
        char *path = g_strdup_printf("/%s/%s/%s", op, modes[m].name, name);
        Case *k = g_new(Case, 1);
        *k = (Case){m, fn, row, g_str_hash(path), modes[m].matrix_tile && takes_long(name)};
        g_test_add_data_func_full(path, k, run, g_free);
        g_free(path);
    }
}

double *check_zeros(Check *c, gint64 n)
{
    double *v = g_new0(double, MAX(n, 1));
    g_ptr_array_add(c->blocks, v);
    return v;
}

double check_uniform(Check *c, double from, double to)
{
    return g_rand_double_range(c->rand, from, to);
}

gboolean check_matrix(Check *c)
{
    return sfu_queue_act_dtype(c->q) == SFU_F16 && sfu_mma_present(c->q);
}

static double draw(Check *c, Kind kind)
{
    /* Box & Muller 1958 */
    const double z = sqrt(-2 * log(1 - g_rand_double(c->rand))) * cos(2 * G_PI * g_rand_double(c->rand));
    switch (kind) {
    case SHIFTED:
        return 100 + 0.1 * z;
    case EXTREME:
        return g_rand_int_range(c->rand, 0, 8) == 0 ? 0 : copysign(pow(10, check_uniform(c, -6, 3.5)), z);
    default:
        return z;
    }
}

/* The larger tensor filled with `outside`, and the view of n x h x w x ch in it filled with `inside` (NULL: NaN). */
static SfuTensor *embed(Check *c, SfuDtype dtype, int n, int h, int w, int ch, const float *inside, float outside,
                        SfuTensor **whole)
{
    const gint64 count = (gint64)n * h * w * ch, first = guard_before(c, dtype, count);
    const gint64 total = first + count + (small() ? 0 : GUARD_AFTER);
    float *all = g_new(float, total);
    for (gint64 i = 0; i < total; i++)
        all[i] = i < first || i >= first + count ? outside : inside ? inside[i - first] : NAN;
    CHECK_OK(*whole = sfu_tensor_create(c->q, dtype, 1, 1, 1, (int)total, ERR));
    CHECK_OK(sfu_tensor_write(*whole, all, ERR));
    g_free(all);
    SfuTensor *t = NULL;
    CHECK_OK(t = sfu_tensor_view(*whole, (size_t)first, n, h, w, ch, ERR));
    g_ptr_array_add(c->tensors, *whole);
    g_ptr_array_add(c->tensors, t);
    return t;
}

static In in_new(Check *c, SfuDtype dtype, int n, int h, int w, int ch, Kind kind, const double *values)
{
    const gint64 count = (gint64)n * h * w * ch;
    float *v = g_new(float, count);
    for (gint64 i = 0; i < count; i++)
        v[i] = (float)(values ? values[i] : draw(c, kind));
    SfuTensor *whole;
    In in = {.t = embed(c, dtype, n, h, w, ch, v, NAN, &whole), .v = check_zeros(c, count)};
    CHECK_OK(sfu_tensor_read(in.t, v, ERR)); /* as stored */
    for (gint64 i = 0; i < count; i++)
        in.v[i] = v[i];
    g_free(v);
    return in;
}

In check_in(Check *c, int n, int h, int w, int ch, Kind kind)
{
    return in_new(c, sfu_queue_act_dtype(c->q), n, h, w, ch, kind, NULL);
}
In check_in_f32(Check *c, int n, int h, int w, int ch, Kind kind)
{
    return in_new(c, SFU_F32, n, h, w, ch, kind, NULL);
}
In check_in_values(Check *c, int n, int h, int w, int ch, const double *values)
{
    return in_new(c, sfu_queue_act_dtype(c->q), n, h, w, ch, NORMAL, values);
}

static Out out_new(Check *c, SfuDtype dtype, int n, int h, int w, int ch)
{
    Out o = {.first = guard_before(c, dtype, (gint64)n * h * w * ch)};
    o.t = embed(c, dtype, n, h, w, ch, NULL, SENTINEL, &o.whole);
    return o;
}

Out check_out(Check *c, int n, int h, int w, int ch)
{
    return out_new(c, sfu_queue_act_dtype(c->q), n, h, w, ch);
}
Out check_out_f32(Check *c, int n, int h, int w, int ch)
{
    return out_new(c, SFU_F32, n, h, w, ch);
}

Out check_in_place(Check *c, In *x)
{
    Out o = check_out(c, x->t->n, x->t->h, x->t->w, x->t->c);
    CHECK_OK(sfu_convert(c->q, o.t, x->t, ERR));
    x->t = o.t;
    return o;
}

/* Sign, exponent and mantissa, written out: independent of runtime/half.h. */
static double decode(guint32 bits, int e_bits, int m_bits)
{
    const int bias = (1 << (e_bits - 1)) - 1, e = (int)(bits >> m_bits) & ((1 << e_bits) - 1);
    const double m = bits & ((1u << m_bits) - 1), one = 1u << m_bits;
    const double a = e ? ldexp(1 + m / one, e - bias) : ldexp(m / one, 1 - bias);
    return bits >> (e_bits + m_bits) & 1 ? -a : a;
}

/* Where the halves of a block type are, -1: none; the rest of a block may be any bytes. */
static void scales_at(SfuDtype dtype, int at[2])
{
    at[0] = dtype == SFU_Q2_K ? 80 : dtype == SFU_Q3_K ? 108 : dtype == SFU_Q6_K ? 208 : 0;
    at[1] = dtype == SFU_Q2_K                                                                  ? 82
            : dtype == SFU_Q4_1 || dtype == SFU_Q5_1 || dtype == SFU_Q4_K || dtype == SFU_Q5_K ? 2
                                                                                               : -1;
}

Weight check_quantized(Check *c, SfuDtype dtype, int d0, int d1)
{
    const gint64 dims[] = {d0, d1}, n = (gint64)d0 * d1;
    const gsize bytes = sfu_dtype_size(dtype, n), block = sfu_dtype_bytes(dtype);
    guint8 *raw = g_malloc(bytes);
    float *v = g_new(float, n);
    int at[2];
    scales_at(dtype, at);
    for (gsize i = 0; i < bytes; i++)
        raw[i] = (guint8)g_rand_int(c->rand);
    for (gsize i = 0; sfu_dtype_block(dtype) > 1 && i < bytes; i += block)
        for (int k = 0; k < 2; k++) /* magnitudes 2^-9 to 2^-5, either sign */
            if (at[k] >= 0)
                raw[i + (gsize)at[k] + 1] =
                    (guint8)((raw[i + (gsize)at[k] + 1] & 0x83) | g_rand_int_range(c->rand, 6, 10) << 2);
    for (gsize i = 0; sfu_dtype_block(dtype) == 1 && i < bytes; i++) /* of fp8 magnitudes up to 2 */
        if (dtype != SFU_I8)
            raw[i] = (guint8)((raw[i] & 0x80) | (raw[i] & 0x7f) % 0x40);
    sfu_dtype_widen(dtype, raw, 0, n, v); /* which tests/unit/quant.c compares with another implementation */
    Weight w = {.w = sfu_weight_new_take("quantized", dtype, 2, dims, raw, bytes), .v = check_zeros(c, n)};
    for (gint64 i = 0; i < n; i++)
        w.v[i] = v[i];
    if (dtype == SFU_I8) { /* a scale for each row */
        float *scales = g_new(float, d0);
        g_ptr_array_add(c->blocks, scales);
        for (int o = 0; o < d0; o++)
            scales[o] = (float)check_uniform(c, 0.001, 0.02);
        sfu_weight_set_scale(w.w, &(SfuWeightScale){SFU_F32, d0, scales, 0});
        for (gint64 i = 0; i < n; i++)
            w.v[i] = (float)w.v[i] * scales[i / d1];
    }
    g_free(v);
    g_ptr_array_add(c->weights, w.w);
    return w;
}

Weight check_weight(Check *c, SfuDtype dtype, int d0, int d1, int d2, int d3)
{
    const struct {
        int e, m;
    } format = dtype == SFU_F16       ? (typeof(format)){5, 10}
               : dtype == SFU_BF16    ? (typeof(format)){8, 7}
               : dtype == SFU_F8_E4M3 ? (typeof(format)){4, 3}
               : dtype == SFU_F8_E5M2 ? (typeof(format)){5, 2}
                                      : (typeof(format)){8, 23};
    const gint64 dims[] = {d0, d1, d2, d3}, n = (gint64)d0 * MAX(d1, 1) * MAX(d2, 1) * MAX(d3, 1);
    const size_t size = sfu_dtype_bytes(dtype);
    guint8 *raw = g_malloc((gsize)n * size);
    Weight w = {.v = check_zeros(c, n)};
    for (gint64 i = 0; i < n; i++) {
        const int bias = (1 << (format.e - 1)) - 1;
        const guint32 e = (guint32)(bias - g_rand_int_range(c->rand, 0, 6)); /* magnitudes 2^-5 to 2 */
        const guint32 bits = (g_rand_int(c->rand) & 1) << (format.e + format.m) | e << format.m |
                             (g_rand_int(c->rand) & ((1u << format.m) - 1));
        memcpy(raw + (gsize)i * size, &bits, size); /* little-endian, as the files are */
        w.v[i] = decode(bits, format.e, format.m);
    }
    w.w = sfu_weight_new_take("weight", dtype, d3 ? 4 : d2 ? 3 : d1 ? 2 : 1, dims, raw, (gsize)n * size);
    g_ptr_array_add(c->weights, w.w);
    return w;
}

static float *whole_values(const Out *y, gint64 *count)
{
    const gint64 total = sfu_tensor_elements(y->whole);
    float *all = g_new(float, total);
    CHECK_OK(sfu_tensor_read(y->whole, all, ERR));
    *count = sfu_tensor_elements(y->t);
    for (gint64 i = 0; i < total; i++)
        if ((i < y->first || i >= y->first + *count) && all[i] != SENTINEL) {
            g_test_fail_printf("element %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " was written: %g", i - y->first,
                               *count, all[i]);
            break;
        }
    return all;
}

void check_close(Check *c, const Out *y, const double *ref, const double *mag, double tol)
{
    gint64 n;
    float *all = whole_values(y, &n);
    const float *v = all + y->first;
    const double store = y->t->dtype == SFU_F16 ? c->mode->store : 0;
    for (gint64 i = 0; i < n; i++) {
        /* 2^-25: half of fp16's smallest step; 1e-37: fp32 subnormals may be flushed */
        const double limit = tol * fabs(mag ? mag[i] : ref[i]) + store * fabs(ref[i]) + (store > 0 ? 0x1p-25 : 1e-37);
        if (!(fabs(v[i] - ref[i]) <= limit)) {
            g_test_fail_printf("element %" G_GINT64_FORMAT
                               " of %d x %d x %d x %d is %.9g, wanted %.9g (off by %.3g, allowed %.3g)",
                               i, y->t->n, y->t->h, y->t->w, y->t->c, v[i], ref[i], fabs(v[i] - ref[i]), limit);
            break;
        }
    }
    g_free(all);
}

void check_same(Check *c, const Out *y, const double *ref)
{
    gint64 n;
    float *all = whole_values(y, &n);
    for (gint64 i = 0; i < n; i++)
        if (all[y->first + i] != (float)ref[i]) {
            g_test_fail_printf("element %" G_GINT64_FORMAT " of %d x %d x %d x %d is %.9g, wanted %.9g", i, y->t->n,
                               y->t->h, y->t->w, y->t->c, all[y->first + i], ref[i]);
            break;
        }
    g_free(all);
}

double check_act(double x, SfuAct act, double param)
{
    switch (act) {
    case SFU_ACT_SILU:
        return x / (1 + exp(-x));
    case SFU_ACT_GELU:
        return x * 0.5 * erfc(-x / sqrt(2));
    case SFU_ACT_GELU_TANH:
        return 0.5 * x * (1 + tanh(sqrt(2 / G_PI) * (x + 0.044715 * x * x * x)));
    case SFU_ACT_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case SFU_ACT_RELU:
        return MAX(x, 0);
    case SFU_ACT_LEAKY_RELU:
        return x > 0 ? x : param * x;
    case SFU_ACT_TANH:
        return tanh(x);
    case SFU_ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case SFU_ACT_SOFT_CLAMP:
        return tanh(x / 3) * 3;
    case SFU_ACT_MISH:
        return x * tanh(x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)));
    default:
        return x;
    }
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions(); /* a wrong op does not hide the next one */
    add_product();
    add_attention();
    add_norm();
    add_elementwise();
    add_move();
    add_gate();
    add_rope();
    add_resample();
    add_channel_attention();
    add_fourier();
    add_errors();
    add_blas();
    add_integer();
    const int r = g_test_run();
    for (int m = 0; m < (int)G_N_ELEMENTS(modes); m++) {
        sfu_queue_destroy(queues[m][0]);
        sfu_queue_destroy(queues[m][1]);
        g_free(no_queue[m]);
    }
    return r;
}
