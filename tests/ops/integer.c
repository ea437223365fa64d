/* Products of integers: the same quantization in plain C, whose sums in double the kernel must meet to the rounding of
 * fp32; and what the quantization itself costs. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"
#include "ops/conv/conv.h"

/* How a path makes integers: channels that share a scale, and the largest integers of inputs and weights. */
typedef struct {
    int group;
    float most_x, most_w; /* 0: the weights are what their file says */
    double off;           /* relative norm of the error, of normal inputs and weights */
} Steps;

/* Steps of 1/127 of the largest of 256 normal values cost 0.7 % of their norm, and the weights as much; of the largest
 * of some ten thousand, 1 %. With 16 bits the steps of the weights of 8 bits are all, or both are 32 times finer. */
static const Steps bytes = {256, 127, 127, 0.015}, bytes_of_weights = {128, 32767, 127, 0.0085},
                   twelve_bits = {128, 4095, 4095, 4e-4}, codes = {128, 127, 0, 0.01};

typedef struct {
    const char *name;
    int n, h, w, in, out, k;
    SfuConv conv;
    Kind kind;
    gboolean linear, bias, residual, geglu;
    SfuAct act;
    SfuDtype quantized; /* of the weights; 0 (SFU_F32): they are not */
} Case;

/* n numbers, `stride` apart, become integers of -limit to limit times a scale, which is returned. */
static double quantize(const double *v, gint64 stride, int n, float limit, double *q)
{
    float most = 0;
    for (int i = 0; i < n; i++)
        most = MAX(most, fabsf((float)v[i * stride]));
    const float inverse = most > 0 ? limit / most : 0;
    for (int i = 0; i < n; i++)
        q[i] = rint(v[i * stride] * (double)inverse); /* exact before it is rounded, as in the kernel's fma */
    return most / limit;
}

/* Adds the product of n inputs of one pixel and one output's tap, and of its absolute values. exact: as it is. */
typedef void (*Add)(const Steps *steps, const double *x, const double *w, int taps, int n, double *exact, double *s,
                    double *mag);

static void add_exact(const Steps *steps, const double *x, const double *w, int taps, int n, double *exact, double *s,
                      double *mag)
{
    for (int i = 0; i < n; i++) {
        const double v = x[i] * w[(gint64)i * taps];
        *s += v;
        *exact += v;
        *mag += fabs(v);
    }
}

/* Each group as it is, and of integers. */
static void add_groups(const Steps *steps, const double *x, const double *w, int taps, int n, double *exact, double *s,
                       double *mag)
{
    for (int c = 0; c < n; c += steps->group) {
        double qx[256], qw[256], sum = 0;
        const int some = MIN(steps->group, n - c);
        const double *xc = x + c, *wc = w + (gint64)c * taps;
        double by = quantize(xc, 1, some, steps->most_x, qx);
        if (steps->most_w > 0)
            by *= quantize(wc, taps, some, steps->most_w, qw);
        else
            memcpy(qw, wc, (gsize)some * sizeof *qw); /* codes have no taps */
        for (int i = 0; i < some; i++) {
            sum += qx[i] * qw[i];
            *exact += xc[i] * wc[(gint64)i * taps];
        }
        *s += sum * by;
        *mag += fabs(sum * by);
        for (int i = 0; i < some && steps->most_w == 0;
             i++) /* x is above 0 in the kernel, and what is too much taken off */
            *mag += (fabs(qx[i]) + 128) * fabs(qw[i]) * by;
    }
}

static void convolve(const Case *p, const double *x, const double *wt, int oh, int ow, Add add, const Steps *steps,
                     double *exact, double *y, double *mag)
{
    const SfuConv *g = &p->conv;
    const int up = g->upsample2 ? 2 : 1, stride = MAX(1, g->stride), H = p->h * up, W = p->w * up, taps = p->k * p->k;
    for (gint64 at = 0; at < (gint64)p->n * oh * ow * p->out; at++) {
        const int o = (int)(at % p->out), i = (int)(at / p->out % (oh * ow)), b = (int)(at / p->out / (oh * ow));
        for (int t = 0; t < taps; t++) {
            int iy = i / ow * stride + t / p->k - g->pad_top, ix = i % ow * stride + t % p->k - g->pad_left;
            if (g->circular)
                iy = (iy + H) % H, ix = (ix + W) % W;
            if (iy >= 0 && ix >= 0 && iy < H && ix < W)
                add(steps, x + (((gint64)b * p->h + iy / up) * p->w + ix / up) * p->in,
                    wt + (gint64)o * p->in * taps + t, taps, p->in, &exact[at], &y[at], &mag[at]);
        }
    }
}

/* In place. Returns the scale. */
static double quantize_all(double *v, gint64 n)
{
    return quantize(v, 1, (int)n, 127, v);
}

/* With the coarser scales of matrix units: x and wt become integers whose scales are one for each pixel, or with
 * taps for each sample, and one for each output. Sums are exact. */
static void reference_coarse(const Case *p, const double *x, const double *wt, int oh, int ow, double *exact, double *y,
                             double *mag)
{
    const gint64 n_x = (gint64)p->n * p->h * p->w * p->in, k = (gint64)p->in * p->k * p->k, n_w = p->out * k,
                 run = p->k == 1 ? p->in : n_x / p->n;
    double *qx = g_memdup2(x, (gsize)n_x * sizeof *x), *qw = g_memdup2(wt, (gsize)n_w * sizeof *wt),
           *x_scales = g_new(double, n_x / run), *w_scales = g_new(double, p->out);
    for (gint64 i = 0; i < n_x / run; i++)
        x_scales[i] = quantize_all(qx + i * run, run);
    for (int o = 0; o < p->out; o++)
        w_scales[o] = quantize_all(qw + o * k, k);
    const gint64 n = (gint64)p->n * oh * ow * p->out;
    double *unused = g_new0(double, n);
    convolve(p, x, wt, oh, ow, add_exact, NULL, exact, unused, unused);
    convolve(p, qx, qw, oh, ow, add_exact, NULL, unused, y, mag);
    for (gint64 i = 0; i < n; i++) {
        const gint64 pixel = i / p->out, at = p->k == 1 ? pixel : pixel / (oh * ow);
        const double by = x_scales[at] * w_scales[i % p->out];
        y[i] *= by;
        mag[i] *= by;
    }
    g_free(unused);
    g_free(x_scales);
    g_free(w_scales);
    g_free(qx);
    g_free(qw);
}

static double finished(const Case *p, const double *y, const double *bias, const double *res, gint64 i)
{
    const int out = p->geglu ? p->out / 2 : p->out, o = (int)(i % out);
    if (p->geglu) {
        const double *row = y + i / out * p->out;
        return (row[o] + (bias ? bias[o] : 0)) * check_act(row[o + out] + (bias ? bias[o + out] : 0), SFU_ACT_GELU, 0);
    }
    return check_act(y[i] + (bias ? bias[o] : 0), p->act, 0) + (res ? res[i] : 0);
}

/* Whether Winograd's convolution does the job, in fp32. */
static gboolean stays_fp32(const Check *c, const Case *p, SfuTensor *y, const SfuTensor *x, SfuWeight *w,
                           const SfuEpilogue *e)
{
    const SfuConvGeometry g = {.op = "conv2d",
                               .kh = p->k,
                               .kw = p->k,
                               .stride = MAX(1, p->conv.stride),
                               .pad_top = p->conv.pad_top,
                               .pad_left = p->conv.pad_left,
                               .upsample2 = p->conv.upsample2,
                               .circular = p->conv.circular,
                               .groups = 1};
    SfuConvJob job;
    CHECK_OK(sfu_conv_job(&job, c->q, y, x, w, &g, e, ERR));
    return sfu_conv_winograd.can(&job);
}

/* Whether the weights stay as their file has them and inputs become bytes. */
static gboolean meets_bytes(const Check *c, const Case *p)
{
    int most_bits, vector;
    SfuBlockForm form = {.bits = 8};
    return (p->quantized == SFU_I8 || sfu_dtype_block_form(p->quantized, &form)) &&
           sfu_queue_small_codes(c->q, &most_bits, &vector) && form.bits <= most_bits;
}

static void product(Check *c, gconstpointer row)
{
    const Case *p = row;
    const SfuConv *g = &p->conv;
    const int up = g->upsample2, stride = MAX(1, g->stride);
    const int oh = ((p->h << up) + g->pad_top + g->pad_bottom - p->k) / stride + 1,
              ow = ((p->w << up) + g->pad_left + g->pad_right - p->k) / stride + 1,
              y_c = p->geglu ? p->out / 2 : p->out;
    const gint64 n = (gint64)p->n * oh * ow * p->out, n_out = n / p->out * y_c;
    const In x = check_in(c, p->n, p->h, p->w, p->in, p->kind);
    const Weight w = p->quantized ? check_quantized(c, p->quantized, p->out, p->in)
                     : p->linear  ? check_weight(c, SFU_F32, p->out, p->in, 0, 0)
                                  : check_weight(c, SFU_F32, p->out, p->in, p->k, p->k),
                 bias = p->bias ? check_weight(c, SFU_F32, p->out, 0, 0, 0) : (Weight){0};
    const In res = p->residual ? check_in(c, p->n, oh, ow, p->out, NORMAL) : (In){0};
    const SfuEpilogue e = {.bias = bias.w, .residual = res.t, .act = p->act, .geglu = p->geglu};
    const Out y = check_out(c, p->n, oh, ow, y_c);
    if (p->linear)
        CHECK_OK(sfu_linear(c->q, y.t, x.t, w.w, &e, ERR));
    else
        CHECK_OK(sfu_conv2d(c->q, y.t, x.t, w.w, g, &e, ERR));
    double *exact = check_zeros(c, n), *s = check_zeros(c, n), *mag = check_zeros(c, n), *ref = check_zeros(c, n_out),
           *limit = check_zeros(c, n_out), off = 0, all = 0;
    const SfuPrecision precision = sfu_queue_precision(c->q);
    /* product_amx.c and product_int8.c */
    const gboolean long_sums = p->in >= 64 && p->out >= 32, both_bytes = sfu_queue_vnni(c->q) && long_sums,
                   coarse = sfu_queue_amx_int8(c->q) && (gint64)p->n * oh * ow >= 16 && long_sums,
                   as_codes = !coarse && meets_bytes(c, p),
                   fp32 = !coarse && !as_codes && !both_bytes &&
                          (precision == SFU_PRECISION_FP32 || (!p->linear && stays_fp32(c, p, y.t, x.t, w.w, &e)));
    const Steps *steps = precision == SFU_PRECISION_INT16 ? &twelve_bits
                         : as_codes                       ? &codes
                         : coarse || both_bytes           ? &bytes
                                                          : &bytes_of_weights;
    if (coarse)
        reference_coarse(p, x.v, w.v, oh, ow, exact, s, mag);
    else
        convolve(p, x.v, w.v, oh, ow, fp32 ? add_exact : add_groups, steps, exact, s, mag);
    for (gint64 i = 0; i < n_out; i++) {
        const gint64 at = p->geglu ? i / y_c * p->out + i % y_c : i;
        ref[i] = finished(p, s, bias.v, res.v, i);
        limit[i] = fabs(ref[i]) + (p->geglu ? (mag[at] + 2) * (mag[at + y_c] + 2) : mag[at] + 2) +
                   (res.v ? fabs(res.v[i]) : 0);
        off += pow(ref[i] - finished(p, exact, bias.v, res.v, i), 2);
        all += ref[i] * ref[i];
    }
    /* Groups and taps are summed in fp32, and the scales are products of two roundings; 12 is for the epilogue. What
     * Winograd's way loses is test_product's matter. */
    check_close(c, &y, ref, limit,
                0x1p-24 * (fp32 ? 1000 : 12 + 2 * p->k * p->k * (p->in + steps->group - 1) / steps->group));
    g_test_message("off by %.3f %% from exact products", 100 * sqrt(off / all));
    if (p->kind == NORMAL)
        g_assert_cmpfloat(sqrt(off / all), <, (p->geglu ? 2 : 1) * steps->off * (coarse ? 1.3 : 1));
}

#define PADS(n) .pad_top = n, .pad_left = n, .pad_bottom = n, .pad_right = n
static const Case cases[] = {
    {"linear/group", 1, 1, 12, 256, 64, 1, .linear = TRUE},
    {"linear/odd", 1, 1, 13, 65, 38, 1, .linear = TRUE, .bias = TRUE},
    {"linear/parts-of-groups", 2, 1, 19, 600, 96, 1, .linear = TRUE, .bias = TRUE, .residual = TRUE},
    {"linear/geglu", 1, 1, 26, 320, 128, 1, .linear = TRUE, .bias = TRUE, .geglu = TRUE},
    {"linear/geglu-no-bias", 1, 1, 13, 64, 96, 1, .linear = TRUE, .geglu = TRUE},
    {"linear/gelu-large", 1, 1, 300, 640, 320, 1, .linear = TRUE, .bias = TRUE, .act = SFU_ACT_GELU_TANH},
    {"linear/shifted", 1, 1, 13, 300, 64, 1, .linear = TRUE, .kind = SHIFTED},
    {"linear/extreme", 1, 1, 13, 300, 64, 1, .linear = TRUE, .kind = EXTREME},
    {"linear/q4_0", 1, 1, 13, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q4_0},
    {"linear/q4_1", 1, 1, 13, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q4_1},
    {"linear/q5_0", 1, 1, 13, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q5_0},
    {"linear/q5_1", 1, 1, 13, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q5_1},
    {"linear/q8_0", 1, 1, 13, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q8_0},
    {"linear/q8-rows", 1, 1, 13, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_I8},
    {"linear/q2_k", 1, 1, 13, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q2_K},
    {"linear/q3_k", 1, 1, 13, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q3_K},
    {"linear/q4_k", 1, 1, 13, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q4_K},
    {"linear/q5_k", 1, 1, 13, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q5_K},
    {"linear/q6_k", 1, 1, 13, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q6_K},
    {"linear/q4_0-small", 1, 1, 12, 64, 32, 1, .linear = TRUE, .quantized = SFU_Q4_0},
    {"linear/q5_1-small", 1, 1, 13, 64, 33, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q5_1},
    {"linear/q4_0-part", 2, 1, 19, 96, 64, 1, .linear = TRUE, .residual = TRUE, .quantized = SFU_Q4_0},
    {"linear/q4_0-geglu", 1, 1, 26, 160, 128, 1, .linear = TRUE, .bias = TRUE, .geglu = TRUE, .quantized = SFU_Q4_0},
    {"linear/q5_1-shifted", 1, 1, 13, 320, 64, 1, .linear = TRUE, .kind = SHIFTED, .quantized = SFU_Q5_1},
    {"linear/q4_k-extreme", 1, 1, 13, 256, 64, 1, .linear = TRUE, .kind = EXTREME, .quantized = SFU_Q4_K},
    {"linear/q6_k-parts", 1, 1, 12, 4096, 2720, 1, .linear = TRUE, .act = SFU_ACT_GELU_TANH, .quantized = SFU_Q6_K},
    {"conv3x3/odd", 2, 5, 7, 70, 40, 3, .conv = {PADS(1)}, .bias = TRUE},
    {"conv3x3/groups", 1, 9, 8, 320, 64, 3, .conv = {PADS(1)}, .bias = TRUE, .act = SFU_ACT_SILU, .residual = TRUE},
    {"conv3x3/stride2", 1, 10, 9, 64, 64, 3, .conv = {.stride = 2, PADS(1)}, .bias = TRUE},
    {"conv3x3/upsample2", 1, 5, 6, 64, 64, 3, .conv = {.upsample2 = TRUE, PADS(1)}, .bias = TRUE},
    {"conv3x3/circular", 1, 6, 5, 64, 32, 3, .conv = {.circular = SFU_WRAP_X | SFU_WRAP_Y, PADS(1)}},
    {"conv3x3/chunks", 1, 4, 5, 1856, 40, 3, .conv = {PADS(1)}, .bias = TRUE},
    {"conv1x1/plain", 1, 4, 5, 128, 64, 1, .bias = TRUE},
    {"conv1x1/short", 1, 4, 5, 33, 40, 1, .bias = TRUE},
};

static void test_refused(gconstpointer precision)
{
    GError *error = NULL;
    const SfuQueueOptions o = {.kernels = SFU_KERNELS_GPU, .precision = GPOINTER_TO_INT(precision)};
    SfuQueue *q = sfu_queue_create(&o, &error);
    g_assert_null(q);
    if (g_error_matches(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_LOADER))
        g_test_skip(error->message);
    else
        g_assert_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_DEVICE);
    g_clear_error(&error);
}

void add_integer(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *p = &cases[i];
        check_add("integer", p->name, (double)p->n * p->h * p->w * p->in * p->out * p->k * p->k, product, p);
    }
    g_test_add_data_func("/integer/refused/int8", GINT_TO_POINTER(SFU_PRECISION_INT8), test_refused);
    g_test_add_data_func("/integer/refused/int16", GINT_TO_POINTER(SFU_PRECISION_INT16), test_refused);
}
