/* Convolution, learned products and products of activations against sums in double.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

typedef struct {
    const char *name;
    int n, h, w, in, out, k, kw; /* kw 0: == k */
    SfuConv conv;
    SfuDtype dtype;
    Kind kind;
    gboolean linear, bias, chan, prelu_one, residual, in_place, stacked;
    SfuAct act;
    float act_param, scale;
    gboolean geglu;
    SfuDtype quantized; /* of the weights, instead of dtype; 0 (SFU_F32): they are not */
} Product;

static int kernel_w(const Product *p)
{
    return p->kw ? p->kw : p->k;
}
static int out_size(int in, int up, int pads, int k, int stride)
{
    return ((in << up) + pads - k) / MAX(1, stride) + 1;
}

/* y [n, oh, ow, out] of one geometry, and mag = the same sum over absolute values, which bounds the rounding error. */
static void reference(const Product *p, const double *x, const double *wt, int oh, int ow, double *y, double *mag)
{
    const SfuConv *g = &p->conv;
    const int up = g->upsample2 ? 2 : 1, stride = MAX(1, g->stride), groups = MAX(1, g->groups), per = p->in / groups,
              kw = kernel_w(p);
    const int H = p->h * up, W = p->w * up;
    for (int b = 0; b < p->n; b++)
        for (int i = 0; i < oh * ow; i++)
            for (int o = 0; o < p->out; o++) {
                double s = 0, m = 0;
                for (int t = 0; t < p->k * kw; t++) {
                    int iy = i / ow * stride + t / kw - g->pad_top, ix = i % ow * stride + t % kw - g->pad_left;
                    if (g->circular & SFU_WRAP_Y)
                        iy = (iy + 8 * H) % H;
                    if (g->circular & SFU_WRAP_X)
                        ix = (ix + 8 * W) % W;
                    if (iy < 0 || ix < 0 || iy >= H || ix >= W)
                        continue;
                    const double *px =
                        x + (((gint64)b * p->h + iy / up) * p->w + ix / up) * p->in + o / (p->out / groups) * per;
                    for (int c = 0; c < per; c++) {
                        const double v = px[c] * wt[((gint64)o * per + c) * p->k * kw + t];
                        s += v;
                        m += fabs(v);
                    }
                }
                y[((gint64)b * oh * ow + i) * p->out + o] = s;
                mag[((gint64)b * oh * ow + i) * p->out + o] = m;
            }
}

/* y = act(y + bias + chan) * scale + residual; no act here is steeper than 1.13. */
static void reference_epilogue(const Product *p, gint64 pixels, int per_sample, const double *bias, const double *chan,
                               const double *prelu, const double *res, double *y, double *mag)
{
    for (gint64 i = 0; i < pixels * p->out; i++) {
        const gint64 o = i % p->out, b = i / p->out / per_sample;
        const double add = (bias ? bias[o] : 0) + (chan ? chan[b * p->out + o] : 0),
                     scale = p->scale != 0 ? p->scale : 1;
        double v = y[i] + add;
        if (p->act == SFU_ACT_PRELU)
            v = v > 0 ? v : v * prelu[p->prelu_one ? 0 : o];
        else
            v = check_act(v, p->act, p->act_param);
        mag[i] = (mag[i] + fabs(add)) * (p->act == SFU_ACT_PRELU ? 2 : 1.13) * fabs(scale) + (res ? fabs(res[i]) : 0);
        y[i] = v * scale + (res ? res[i] : 0);
    }
}

/* Winograd's transforms mix the pixels of a tile, so that a pixel's error is that of its largest neighbors; their
 * coefficients, up to 8, cost about three times the rounding of the direct sum (measured; Lavin & Gray 2016,
 * section 5.2). */
static void spread(const Product *p, int oh, int ow, double *mag)
{
    for (int b = 0; b < p->n; b++)
        for (int o = 0; o < p->out; o++) {
            double most = 0, *first = mag + (gint64)b * oh * ow * p->out + o;
            for (gint64 i = 0; i < oh * ow; i++)
                most = MAX(most, first[i * p->out]);
            for (gint64 i = 0; i < oh * ow; i++)
                first[i * p->out] = 3 * most;
        }
}

/* First half times gelu of the second. */
static void reference_geglu(const double *wide, const double *wide_mag, gint64 pixels, int out, double *y, double *mag)
{
    for (gint64 r = 0; r < pixels; r++)
        for (int o = 0; o < out; o++) {
            const gint64 a = r * 2 * out + o, g = a + out;
            const double gelu = check_act(wide[g], SFU_ACT_GELU, 0);
            y[r * out + o] = wide[a] * gelu;
            mag[r * out + o] = wide_mag[a] * fabs(gelu) + fabs(wide[a]) * 1.13 * wide_mag[g];
        }
}

static SfuWeight *stacked(Check *c, Weight *w, const Product *p)
{
    Weight parts[3];
    SfuWeight *list[3];
    const int each = p->out / 3;
    for (int i = 0; i < 3; i++) {
        parts[i] =
            p->quantized ? check_quantized(c, p->quantized, each, p->in) : check_weight(c, p->dtype, each, p->in, 0, 0);
        list[i] = parts[i].w;
    }
    w->v = check_zeros(c, (gint64)p->out * p->in);
    for (gint64 i = 0; i < (gint64)p->out * p->in; i++)
        w->v[i] = parts[i / ((gint64)each * p->in)].v[i % ((gint64)each * p->in)];
    /* first in the list of things to free, so that it goes before its parts */
    SfuWeight *all = sfu_weight_concat("q, k, v", list, 3);
    g_ptr_array_insert(c->weights, 0, all);
    return all;
}

static void product(Check *c, gconstpointer row)
{
    const Product *p = row;
    const SfuConv *g = &p->conv;
    const int oh = out_size(p->h, g->upsample2, g->pad_top + g->pad_bottom, p->k, g->stride);
    const int ow = out_size(p->w, g->upsample2, g->pad_left + g->pad_right, kernel_w(p), g->stride);
    const int y_c = p->geglu ? p->out / 2 : p->out, per = p->in / MAX(1, g->groups);
    const gint64 pixels = (gint64)p->n * oh * ow;
    const In x = check_in(c, p->n, p->h, p->w, p->in, p->kind);
    Weight w = {0};
    if (p->stacked)
        w.w = stacked(c, &w, p);
    else if (p->quantized)
        w = check_quantized(c, p->quantized, p->out, per);
    else
        w = p->linear ? check_weight(c, p->dtype, p->out, per, 0, 0)
                      : check_weight(c, p->dtype, p->out, per, p->k, kernel_w(p));
    SfuEpilogue e = {.act = p->act, .act_param = p->act_param, .scale = p->scale, .geglu = p->geglu};
    Weight bias = {0}, prelu = {0};
    In chan = {0}, res = {0};
    if (p->bias)
        e.bias = (bias = check_weight(c, p->dtype, p->out, 0, 0, 0)).w;
    if (p->act == SFU_ACT_PRELU)
        e.prelu = (prelu = check_weight(c, SFU_F32, p->prelu_one ? 1 : p->out, 0, 0, 0)).w;
    if (p->chan)
        e.chan = (chan = check_in(c, p->n, 1, 1, p->out, NORMAL)).t;
    if (p->residual)
        e.residual = (res = check_in(c, p->n, oh, ow, p->out, NORMAL)).t;
    const Out y = p->in_place ? check_in_place(c, &res) : check_out(c, p->n, oh, ow, y_c);
    if (p->in_place)
        e.residual = y.t;
    if (p->linear)
        CHECK_OK(sfu_linear(c->q, y.t, x.t, w.w, &e, ERR));
    else
        CHECK_OK(sfu_conv2d(c->q, y.t, x.t, w.w, g, &e, ERR));

    double *ref = check_zeros(c, pixels * p->out), *mag = check_zeros(c, pixels * p->out);
    reference(p, x.v, w.v, oh, ow, ref, mag);
    if (c->mode->kernels == SFU_KERNELS_CPU && p->k == 3 && g->stride < 2 && !g->groups)
        spread(p, oh, ow, mag);
    reference_epilogue(p, pixels, oh * ow, bias.v, chan.v, prelu.v, res.v, ref, mag);
    /* A sum of k terms in fp32 is off by at most k units of the sum of absolute values, and by about sqrt(k) in
     * practice; the 12 is for the epilogue, whose exp is allowed 3 ulp and whose erf has an absolute error of 1.5e-7
     * = 2.5 units. */
    double tol = c->mode->unit * (12 + 2 * sqrt((double)per * p->k * kernel_w(p)));
    if (check_matrix(c) && p->dtype != SFU_F16)
        tol += 0x1p-11; /* matrix units take all weights in fp16 */
    else if (p->quantized && c->mode->precision == SFU_PRECISION_FP16)
        tol += 0x1p-11; /* GPUs have them widened to fp16 */
    if (p->geglu) {
        double *y_ref = check_zeros(c, pixels * y_c), *y_mag = check_zeros(c, pixels * y_c);
        reference_geglu(ref, mag, pixels, y_c, y_ref, y_mag);
        tol += c->mode->store; /* the plain kernel stores both halves on the way */
        ref = y_ref;
        mag = y_mag;
    }
    check_close(c, &y, ref, mag, tol);
}

#define WRAP_BOTH (SFU_WRAP_X | SFU_WRAP_Y)
#define PADS(n) .pad_top = n, .pad_left = n, .pad_bottom = n, .pad_right = n
static const Product products[] = {
    /* sizes: one value, less than a tile, whole tiles, one more than a tile */
    {"conv1x1/one", 1, 1, 1, 1, 1, 1},
    {"conv1x1/odd", 1, 5, 7, 3, 5, 1},
    {"conv1x1/tile", 1, 4, 6, 32, 32, 1, .bias = TRUE},
    {"conv1x1/tile+1", 1, 5, 5, 33, 33, 1, .bias = TRUE},
    {"conv1x1/stride2", 2, 7, 6, 17, 40, 1, .conv = {.stride = 2}},
    {"conv3x3/one", 1, 1, 1, 1, 1, 3, .conv = {PADS(1)}},
    {"conv3x3/row", 1, 1, 30, 4, 8, 3, .conv = {PADS(1)}},
    {"conv3x3/odd", 2, 9, 7, 5, 11, 3, .conv = {PADS(1)}, .bias = TRUE},
    {"conv3x3/no-pad", 1, 8, 9, 16, 32, 3},
    {"conv3x3/tile", 1, 8, 8, 32, 64, 3, .conv = {PADS(1)}, .bias = TRUE},
    {"conv3x3/tile+1", 2, 9, 9, 33, 65, 3, .conv = {PADS(1)}, .bias = TRUE},
    {"conv3x3/large", 2, 16, 16, 320, 160, 3, .conv = {PADS(1)}, .bias = TRUE},
    {"conv3x3/deep", 1, 8, 8, 1280, 64, 3, .conv = {PADS(1)}, .bias = TRUE},
    {"conv3x3/wide", 1, 64, 96, 16, 16, 3, .conv = {PADS(1)}, .bias = TRUE},
    {"conv3x3/out4", 1, 16, 16, 64, 4, 3, .conv = {PADS(1)}, .bias = TRUE},
    {"conv3x3/out3-wide", 2, 9, 45, 40, 3, 3, .conv = {PADS(1)},
     .bias = TRUE}, /* steps inside a row, across its end and across samples */
    {"conv3x3/out3-no-pad", 1, 7, 40, 16, 3, 3},
    {"conv3x3/out2-stride2", 2, 10, 31, 16, 2, 3, .conv = {.stride = 2, PADS(1)}, .bias = TRUE},
    {"conv3x3/out5-upsample2", 1, 5, 13, 16, 5, 3, .conv = {.upsample2 = TRUE, PADS(1)}},
    {"conv3x3/in4", 2, 16, 16, 4, 64, 3, .conv = {PADS(1)}, .bias = TRUE},
    {"conv3x3/in1-past-caches", 1, 520, 1034, 1, 32, 3, .conv = {PADS(1)}, .bias = TRUE}, /* 68.8 MB, no whole tiles */
    {"conv3x3/in9", 1, 12, 12, 9, 32, 3, .conv = {PADS(1)}, .bias = TRUE},
    {"conv3x3/stride2", 2, 10, 10, 16, 48, 3, .conv = {.stride = 2, PADS(1)}, .bias = TRUE},
    {"conv3x3/stride2-vae", 1, 11, 10, 16, 48, 3, .conv = {.stride = 2, .pad_bottom = 1, .pad_right = 1}, .bias = TRUE},
    {"conv3x3/stride3", 1, 11, 13, 8, 8, 3, .conv = {.stride = 3, PADS(1)}},
    {"conv3x3/pads-differ", 1, 6, 5, 8, 12, 3, .conv = {.pad_top = 2, .pad_left = 0, .pad_bottom = 1, .pad_right = 3}},
    {"conv3x3/upsample2", 2, 5, 6, 20, 36, 3, .conv = {.upsample2 = TRUE, PADS(1)}, .bias = TRUE},
    {"conv3x3/upsample2-large", 1, 12, 12, 64, 64, 3, .conv = {.upsample2 = TRUE, PADS(1)}, .bias = TRUE},
    /* the same with inputs enough for matrix units of CPUs */
    {"conv3x3/stride2-in40", 2, 18, 37, 40, 48, 3, .conv = {.stride = 2, PADS(1)}, .bias = TRUE},
    {"conv3x3/stride3-in33", 1, 17, 19, 33, 40, 3, .conv = {.stride = 3, PADS(1)}},
    {"conv3x3/pads-differ-in40", 2, 6, 21, 40, 36, 3,
     .conv = {.pad_top = 2, .pad_left = 0, .pad_bottom = 1, .pad_right = 3}},
    {"conv3x3/upsample2-in40", 2, 7, 9, 40, 36, 3, .conv = {.upsample2 = TRUE, PADS(1)}, .bias = TRUE},
    {"conv3x3/circular-in40", 2, 9, 19, 40, 36, 3, .conv = {.circular = WRAP_BOTH, PADS(1)}},
    {"conv3x3/bands", 2, 192, 190, 128, 12, 3, .conv = {PADS(1)}, .bias = TRUE, .chan = TRUE, .residual = TRUE},
    {"conv3x3/circular", 2, 6, 5, 12, 20, 3, .conv = {.circular = WRAP_BOTH, PADS(1)}},
    {"conv3x3/circular-x", 2, 6, 5, 12, 20, 3, .conv = {.circular = SFU_WRAP_X, PADS(1)}},
    {"conv3x3/circular-y", 2, 6, 5, 12, 20, 3, .conv = {.circular = SFU_WRAP_Y, PADS(1)}},
    {"conv3x3/circular-wide", 1, 18, 22, 64, 64, 3, .conv = {.circular = WRAP_BOTH, PADS(1)}},
    {"conv3x3/circular-few", 1, 9, 7, 64, 4, 3, .conv = {.circular = SFU_WRAP_X, PADS(1)}},
    {"conv3x3/circular-stride2", 1, 10, 12, 32, 32, 3, .conv = {.circular = WRAP_BOTH, .stride = 2, PADS(1)}},
    {"conv3x3/circular-upsample2", 1, 6, 5, 12, 20, 3, .conv = {.circular = WRAP_BOTH, .upsample2 = TRUE, PADS(1)}},
    {"conv3x3/circular-one", 1, 1, 1, 4, 4, 3, .conv = {.circular = WRAP_BOTH, PADS(1)}},
    {"conv3x3/groups", 1, 7, 6, 12, 18, 3, .conv = {.groups = 3, PADS(1)}, .bias = TRUE},
    {"conv3x3/depthwise", 2, 7, 6, 35, 35, 3, .conv = {.groups = 35, PADS(1)}, .bias = TRUE},
    {"conv7x7", 1, 9, 12, 3, 20, 7, .conv = {PADS(3)}, .bias = TRUE},
    {"conv4x4/stride4", 1, 8, 12, 3, 40, 4, .conv = {.stride = 4}, .bias = TRUE},
    {"conv1x5", 1, 9, 9, 8, 8, 1, 5, .conv = {.pad_left = 2, .pad_right = 2}},
    {"conv5x1", 1, 9, 9, 8, 8, 5, 1, .conv = {.pad_top = 2, .pad_bottom = 2}},
    /* weights */
    {"conv3x3/fp16", 1, 8, 9, 24, 40, 3, .conv = {PADS(1)}, .dtype = SFU_F16, .bias = TRUE},
    {"conv3x3/fp16-large", 1, 16, 16, 128, 128, 3, .conv = {PADS(1)}, .dtype = SFU_F16, .bias = TRUE},
    {"conv3x3/fp16-odd", 2, 5, 7, 33, 70, 3, .conv = {.stride = 2, PADS(1)}, .dtype = SFU_F16, .bias = TRUE,
     .chan = TRUE, .act = SFU_ACT_SILU},
    {"conv3x3/fp16-upsample2", 1, 6, 7, 34, 66, 3, .conv = {.upsample2 = TRUE, PADS(1)}, .dtype = SFU_F16,
     .residual = TRUE, .in_place = TRUE},
    {"conv1x1/fp16-one", 1, 1, 1, 1, 1, 1, .dtype = SFU_F16},
    {"conv3x3/bf16", 1, 8, 9, 24, 40, 3, .conv = {PADS(1)}, .dtype = SFU_BF16, .bias = TRUE},
    {"conv3x3/f8e4m3", 1, 8, 9, 24, 40, 3, .conv = {PADS(1)}, .dtype = SFU_F8_E4M3, .bias = TRUE},
    {"conv3x3/f8e5m2", 1, 8, 9, 24, 40, 3, .conv = {PADS(1)}, .dtype = SFU_F8_E5M2, .bias = TRUE},
    /* inputs */
    {"conv3x3/shifted", 1, 9, 9, 32, 32, 3, .conv = {PADS(1)}, .kind = SHIFTED},
    {"conv3x3/extreme", 1, 9, 9, 32, 32, 3, .conv = {PADS(1)}, .kind = EXTREME, .scale = 0.001f},
    /* epilogues */
    {"conv3x3/chan-silu", 2, 6, 7, 20, 36, 3, .conv = {PADS(1)}, .bias = TRUE, .chan = TRUE, .act = SFU_ACT_SILU},
    {"conv3x3/chan-large", 2, 16, 16, 64, 96, 3, .conv = {PADS(1)}, .bias = TRUE, .chan = TRUE},
    {"conv3x3/residual", 2, 6, 7, 20, 36, 3, .conv = {PADS(1)}, .bias = TRUE, .residual = TRUE, .scale = 0.7f},
    {"conv3x3/residual-in-place", 2, 6, 7, 20, 36, 3, .conv = {PADS(1)}, .bias = TRUE, .residual = TRUE,
     .in_place = TRUE},
    {"conv3x3/residual-large", 1, 24, 24, 64, 64, 3, .conv = {PADS(1)}, .bias = TRUE, .residual = TRUE,
     .in_place = TRUE, .act = SFU_ACT_RELU},
    {"conv3x3/relu", 1, 6, 7, 8, 20, 3, .conv = {PADS(1)}, .bias = TRUE, .act = SFU_ACT_RELU},
    {"conv3x3/leaky", 1, 6, 7, 8, 20, 3, .conv = {PADS(1)}, .bias = TRUE, .act = SFU_ACT_LEAKY_RELU, .act_param = 0.2f},
    {"conv3x3/prelu", 1, 6, 7, 8, 37, 3, .conv = {PADS(1)}, .bias = TRUE, .act = SFU_ACT_PRELU},
    {"conv3x3/prelu-one", 1, 6, 7, 8, 37, 3, .conv = {PADS(1)}, .bias = TRUE, .act = SFU_ACT_PRELU, .prelu_one = TRUE},
    {"conv3x3/tanh", 1, 6, 7, 8, 20, 3, .conv = {PADS(1)}, .act = SFU_ACT_TANH},
    {"conv3x3/sigmoid", 1, 6, 7, 8, 20, 3, .conv = {PADS(1)}, .act = SFU_ACT_SIGMOID},
    {"conv3x3/soft-clamp", 1, 6, 7, 8, 20, 3, .conv = {PADS(1)}, .act = SFU_ACT_SOFT_CLAMP},
    {"conv1x1/everything", 2, 5, 7, 33, 50, 1, .bias = TRUE, .chan = TRUE, .act = SFU_ACT_GELU, .scale = -1.5f,
     .residual = TRUE},
    /* learned products */
    {"linear/one", 1, 1, 1, 1, 1, 1, .linear = TRUE},
    {"linear/vector", 1, 1, 1, 320, 1280, 1, .linear = TRUE, .bias = TRUE, .act = SFU_ACT_SILU},
    {"linear/odd", 2, 1, 7, 13, 19, 1, .linear = TRUE},
    {"linear/77", 2, 1, 77, 768, 320, 1, .linear = TRUE, .dtype = SFU_F16},
    {"linear/large", 1, 1, 1024, 320, 320, 1, .linear = TRUE, .dtype = SFU_F16, .bias = TRUE},
    {"linear/deep", 1, 1, 24, 5120, 96, 1, .linear = TRUE, .bias = TRUE},
    {"linear/bf16", 1, 1, 30, 100, 70, 1, .linear = TRUE, .dtype = SFU_BF16, .bias = TRUE},
    {"linear/f8", 1, 1, 30, 100, 70, 1, .linear = TRUE, .dtype = SFU_F8_E4M3},
    /* weights that stay quantized: every type; parts of a panel, several panels at a time, a slice of the inputs */
    {"linear/q4_0", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q4_0},
    {"linear/q4_1", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q4_1},
    {"linear/q5_0", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q5_0},
    {"linear/q5_1", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q5_1},
    {"linear/q8_0", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q8_0},
    {"linear/q2_k", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q2_K},
    {"linear/q3_k", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q3_K},
    {"linear/q4_k", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q4_K},
    {"linear/q5_k", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q5_K},
    {"linear/q6_k", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_Q6_K},
    {"linear/iq4_nl", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_IQ4_NL},
    {"linear/iq4_xs", 1, 1, 9, 512, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_IQ4_XS},
    {"linear/f8e4m3", 1, 1, 9, 96, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_F8_E4M3},
    {"linear/f8e5m2", 1, 1, 9, 96, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_F8_E5M2},
    {"linear/i8-rows", 1, 1, 9, 96, 38, 1, .linear = TRUE, .bias = TRUE, .quantized = SFU_I8},
    {"linear/bf16-rows", 1, 1, 9, 96, 38, 1, .linear = TRUE, .bias = TRUE, .dtype = SFU_BF16},
    {"linear/bf16-stacked", 1, 1, 30, 64, 120, 1, .linear = TRUE, .stacked = TRUE, .dtype = SFU_BF16},
    {"linear/bf16-geglu-parts", 1, 1, 5, 4096, 3840, 1, .linear = TRUE, .bias = TRUE, .geglu = TRUE, .dtype = SFU_BF16},
    {"linear/q8_0-one", 1, 1, 1, 32, 1, 1, .linear = TRUE, .quantized = SFU_Q8_0},
    {"linear/q4_0-stacked", 1, 1, 30, 64, 120, 1, .linear = TRUE, .stacked = TRUE, .quantized = SFU_Q4_0},
    {"linear/i8-stacked", 1, 1, 30, 64, 120, 1, .linear = TRUE, .stacked = TRUE, .quantized = SFU_I8},
    {"linear/q4_0-geglu", 2, 1, 13, 64, 192, 1, .linear = TRUE, .bias = TRUE, .geglu = TRUE, .quantized = SFU_Q4_0},
    {"linear/q8_0-geglu-odd", 2, 1, 7, 32, 74, 1, .linear = TRUE, .bias = TRUE, .geglu = TRUE, .quantized = SFU_Q8_0},
    {"linear/q4_k-parts", 1, 1, 5, 16384, 230, 1, .linear = TRUE, .bias = TRUE, .residual = TRUE, .act = SFU_ACT_SILU,
     .quantized = SFU_Q4_K}, /* 4 panels, 2 MiB each in fp32, at a time */
    {"linear/i8-geglu-parts", 1, 1, 5, 4096, 1280, 1, .linear = TRUE, .bias = TRUE, .geglu = TRUE, .quantized = SFU_I8},
    {"linear/q4_k-parts-rows20", 1, 1, 20, 16384, 230, 1, .linear = TRUE, .bias = TRUE, .residual = TRUE,
     .quantized = SFU_Q4_K},
    {"linear/i8-geglu-parts-rows20", 1, 1, 20, 4096, 1280, 1, .linear = TRUE, .bias = TRUE, .geglu = TRUE,
     .quantized = SFU_I8},
    {"conv1x1/q5_0-chan-prelu", 2, 3, 5, 64, 70, 1, .bias = TRUE, .chan = TRUE, .act = SFU_ACT_PRELU,
     .quantized = SFU_Q5_0},
    {"linear/stacked", 1, 1, 30, 50, 120, 1, .linear = TRUE, .stacked = TRUE, .dtype = SFU_F16},
    {"linear/shifted", 1, 1, 30, 320, 64, 1, .linear = TRUE, .kind = SHIFTED},
    {"linear/extreme", 1, 1, 30, 320, 64, 1, .linear = TRUE, .kind = EXTREME, .scale = 0.001f},
    {"linear/quick-gelu", 1, 1, 30, 40, 96, 1, .linear = TRUE, .bias = TRUE, .act = SFU_ACT_QUICK_GELU},
    {"linear/gelu", 1, 1, 30, 40, 96, 1, .linear = TRUE, .bias = TRUE, .act = SFU_ACT_GELU},
    {"linear/gelu-tanh", 1, 1, 30, 40, 96, 1, .linear = TRUE, .bias = TRUE, .act = SFU_ACT_GELU_TANH},
    {"linear/residual", 2, 1, 30, 40, 100, 1, .linear = TRUE, .bias = TRUE, .residual = TRUE},
    {"linear/geglu", 2, 1, 30, 40, 160, 1, .linear = TRUE, .bias = TRUE, .geglu = TRUE},
    {"linear/geglu-odd", 1, 1, 5, 7, 6, 1, .linear = TRUE, .bias = TRUE, .geglu = TRUE},
    {"linear/geglu-48", 1, 1, 13, 24, 48, 1, .linear = TRUE, .bias = TRUE, .geglu = TRUE},
    {"linear/geglu-large", 1, 1, 256, 320, 640, 1, .linear = TRUE, .dtype = SFU_F16, .bias = TRUE, .geglu = TRUE},
};

/* A dense block grows in place: the first channels of a tensor make the next ones of the same; the others keep their
 * bits. */
static void grow(Check *c, gconstpointer row)
{
    const Product *p = row;
    const SfuConv conv = {PADS(1), .x_c = p->in, .y_part = TRUE, .y_col = p->in};
    const int wide = p->in + p->out + 5;
    const gint64 pixels = (gint64)p->n * p->h * p->w;
    In x = check_in(c, p->n, p->h, p->w, wide, NORMAL);
    const Weight w = check_weight(c, SFU_F32, p->out, p->in, 3, 3), bias = check_weight(c, SFU_F32, p->out, 0, 0, 0);
    const SfuEpilogue e = {.bias = bias.w, .act = SFU_ACT_LEAKY_RELU, .act_param = 0.2f};
    const Out y = check_in_place(c, &x);
    CHECK_OK(sfu_conv2d(c->q, y.t, y.t, w.w, &conv, &e, ERR));
    Product q = *p;
    q.act = e.act;
    q.act_param = e.act_param;
    q.conv = conv;
    double *in = check_zeros(c, pixels * p->in), *out = check_zeros(c, pixels * p->out),
           *out_mag = check_zeros(c, pixels * p->out);
    double *ref = check_zeros(c, pixels * wide), *mag = check_zeros(c, pixels * wide);
    for (gint64 i = 0; i < pixels * p->in; i++)
        in[i] = x.v[i / p->in * wide + i % p->in];
    reference(&q, in, w.v, p->h, p->w, out, out_mag);
    if (c->mode->kernels != SFU_KERNELS_PLAIN)
        spread(&q, p->h, p->w, out_mag);
    reference_epilogue(&q, pixels, p->h * p->w, bias.v, NULL, NULL, NULL, out, out_mag);
    for (gint64 i = 0; i < pixels * wide; i++) {
        const int ch = (int)(i % wide) - p->in;
        const gboolean made = ch >= 0 && ch < p->out;
        ref[i] = made ? out[i / wide * p->out + ch] : x.v[i];
        mag[i] = made ? out_mag[i / wide * p->out + ch] : 0; /* a bit that changed is an error */
    }
    check_close(c, &y, ref, mag, c->mode->unit * (12 + 2 * sqrt((double)p->in * 9)) + (check_matrix(c) ? 0x1p-11 : 0));
}

static const Product grows[] = {
    {"small", 1, 5, 4, 6, 7, 3},
    {"tile", 2, 9, 9, 32, 32, 3},
    {"large", 1, 33, 30, 96, 32, 3},
};

void add_product(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(grows); i++) {
        const Product *p = &grows[i];
        check_add("grow", p->name, (double)p->n * p->h * p->w * p->in * p->out * 9, grow, p);
    }
    for (guint i = 0; i < G_N_ELEMENTS(products); i++) {
        const Product *p = &products[i];
        const double up = p->conv.upsample2 ? 4 : 1;
        check_add("product", p->name, up * p->n * p->h * p->w * p->in * p->out * p->k * kernel_w(p), product, p);
    }
}
