/* SPAN (Wan 2024, "Swift Parameter-free Attention Network", figure 2): six blocks of three convolutions, whose result
 * gates itself. In training every convolution is a 1x1, a 3x3 and a 1x1 in a row beside another 1x1; here it is the one
 * 3x3 that is equal to them. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/span.h"
#include "net/upscaler_parts.h"

#define N_BLOCKS SFU_SPAN_BLOCKS

static const float mean[3] = {0.4488f, 0.4371f, 0.4040f}; /* of DIV2K, as the authors have it */
#define RANGE 255.0f

typedef struct {
    SfuLayer first, block[N_BLOCKS][3], cat, second, up;
    SfuWeight *scale, *shift; /* of the picture; NULL: a network that sees it as it is */
} Span;

/* ---- binding ---- */

/* The layers of a convolution as it was trained: y = skip(x) + last(middle(first(x))); hidden layers of `a` and `b`
 * channels. */
typedef struct {
    SfuLayer skip, first, middle, last;
    int in, out, a, b;
} Trained;

/* into[n][cols] = a[n][k] . b[k][cols] */
static void multiply(double *into, const float *a, const double *b, int n, int k, gint64 cols)
{
    for (int i = 0; i < n; i++)
        for (int l = 0; l < k; l++) {
            const double f = a[(gsize)i * k + l];
            for (gint64 j = 0; j < cols; j++)
                into[i * cols + j] += f * b[l * cols + j];
        }
}

/* weight [out, in, 9] and bias [out] of the one 3x3 that does the same. Padding is the trained one's: zeros of x,
 * before all of it. */
static void fuse(const Trained *t, float *weight, float *bias)
{
    float *w1 = sfu_weight_values(t->first.w), *b1 = sfu_weight_values(t->first.b),
          *w2 = sfu_weight_values(t->middle.w), *b2 = sfu_weight_values(t->middle.b);
    float *w3 = sfu_weight_values(t->last.w), *b3 = sfu_weight_values(t->last.b), *ws = sfu_weight_values(t->skip.w),
          *bs = sfu_weight_values(t->skip.b);
    const int row = t->in * 9;
    double *inner = g_new0(double, (gsize)t->b *row), *inner_bias = g_new0(double, t->b),
           *all = g_new0(double, (gsize)t->out *row);
    double *all_bias = g_new0(double, t->out);
    for (int o = 0; o < t->b; o++) {
        inner_bias[o] = b2[o];
        for (int m = 0; m < t->a; m++)
            for (int k = 0; k < 9; k++) {
                const double f = w2[((gsize)o * t->a + m) * 9 + k];
                inner_bias[o] += f * b1[m];
                for (int i = 0; i < t->in; i++)
                    inner[(gsize)o * row + i * 9 + k] += f * w1[(gsize)m * t->in + i];
            }
    }
    multiply(all, w3, inner, t->out, t->b, row);
    multiply(all_bias, w3, inner_bias, t->out, t->b, 1);
    for (int o = 0; o < t->out; o++) {
        bias[o] = (float)(all_bias[o] + b3[o] + bs[o]);
        for (int i = 0; i < row; i++)
            weight[(gsize)o * row + i] =
                (float)(all[(gsize)o * row + i] + (i % 9 == 4 ? ws[(gsize)o * t->in + i / 9] : 0));
    }
    float *const read[] = {w1, b1, w2, b2, w3, b3, ws, bs};
    for (gsize i = 0; i < G_N_ELEMENTS(read); i++)
        g_free(read[i]);
    g_free(inner);
    g_free(inner_bias);
    g_free(all);
    g_free(all_bias);
}

/* A convolution as it was trained, made one; or, in a file that has only that, the one that a training program has made
 * of it. A file that has both may hold one of an older step: its trained layers count, as in the reference. */
static SfuLayer bind_conv(SfuNet *net, const SfuUpscalerConfig *c, const char *name, int out, int in)
{
    const SfuSpanConfig *own = c->own;
    SfuLayer l = {0}, made = {0};
    if (!own->trained || sfu_net_has(net, name, "eval_conv.weight"))
        made = sfu_net_conv(net, name, "eval_conv", out, in, 3, TRUE);
    if (!own->trained)
        l = made;
    else {
        Trained t = {.in = in,
                     .out = out,
                     .a = sfu_net_dim(net, name, "conv.0.weight", 0),
                     .b = sfu_net_dim(net, name, "conv.1.weight", 0)};
        t.skip = sfu_net_linear(net, name, "sk", out, in, TRUE);
        t.first = sfu_net_linear(net, name, "conv.0", t.a, in, TRUE);
        t.middle = sfu_net_conv(net, name, "conv.1", t.b, t.a, 3, TRUE);
        t.last = sfu_net_linear(net, name, "conv.2", out, t.b, TRUE);
        if (net->q && !net->missing->len) {
            float *weight = g_new(float, (gsize)out *in * 9), *bias = g_new(float, out);
            fuse(&t, weight, bias);
            l.w = sfu_net_own(net, name, weight, 4, (const gint64[]){out, in, 3, 3});
            l.b = sfu_net_own(net, "its bias", bias, 1, (const gint64[]){out});
        }
    }
    return l;
}

static gpointer bind(SfuNet *net, const SfuUpscalerConfig *c)
{
    Span *s = g_new0(Span, 1);
    const int f = c->features;
    char name[32];
    s->first = bind_conv(net, c, "conv_1", f, c->channels);
    for (int b = 0; b < N_BLOCKS; b++)
        for (int i = 0; i < 3; i++) {
            g_snprintf(name, sizeof name, "block_%d.c%d_r", b + 1, i + 1);
            s->block[b][i] = bind_conv(net, c, name, f, f);
        }
    s->cat = sfu_net_linear(net, "", "conv_cat", f, 4 * f, TRUE);
    s->second = bind_conv(net, c, "conv_2", f, f);
    s->up = sfu_net_conv(net, "", "upsampler.0", c->channels * c->scale * c->scale, f, 3, TRUE);
    if (!((const SfuSpanConfig *)c->own)->raw_input) {
        float *scale = g_new(float, 3), *shift = g_new(float, 3);
        for (int i = 0; i < 3; i++) {
            scale[i] = RANGE;
            shift[i] = -mean[i] * RANGE;
        }
        s->scale = sfu_net_own(net, "range", scale, 1, (const gint64[]){3});
        s->shift = sfu_net_own(net, "minus mean", shift, 1, (const gint64[]){3});
    }
    return s;
}

static void release(gpointer network)
{
    g_free(network);
}

/* ---- the pass ---- */

/* x [1, h, w, features], borrowed -> the same. first: where the block's first convolution is wanted too, it goes to the
 * channels from `col` on of it. */
static SfuTensor *block(const SfuNet *net, const SfuLayer l[3], const SfuTensor *x, SfuTensor *first, int col,
                        GError **error)
{
    SfuTensor *a = sfu_upscaler_conv(net, x, &l[0], (SfuUpscalerConv){.out = x->c, .act = SFU_ACT_SILU}, error);
    gboolean ok = a && (!first || sfu_copy_channels(net->q, first, col, a, error));
    SfuTensor *b =
        ok ? sfu_upscaler_conv(net, a, &l[1], (SfuUpscalerConv){.out = x->c, .act = SFU_ACT_SILU}, error) : NULL;
    sfu_tensor_destroy(a);
    SfuTensor *y = b ? sfu_upscaler_conv(net, b, &l[2], (SfuUpscalerConv){.out = x->c}, error) : NULL;
    sfu_tensor_destroy(b);
    if (y && !sfu_sigmoid_gate(net->q, y, y, x, -0.5f, error))
        sfu_net_drop(&y);
    return y;
}

/* all [1, h, w, 4 * features] gets, side by side: the first convolution, the body's last, block 1, and the first
 * convolution of block 6. */
static gboolean run_blocks(const SfuUpscalerPass *p, SfuTensor *all, const SfuTensor *picture, GError **error)
{
    const SfuNet *net = p->net;
    const Span *s = p->network;
    const int f = p->c->features;
    SfuTensor *x = sfu_upscaler_conv(net, picture, &s->first, (SfuUpscalerConv){.out = f}, error);
    gboolean ok = x && sfu_copy_channels(net->q, all, 0, x, error);
    for (int b = 0; ok && b < N_BLOCKS; b++) {
        const gboolean last = b == N_BLOCKS - 1;
        SfuTensor *y = block(net, s->block[b], x, last ? all : NULL, 3 * f, error);
        sfu_tensor_destroy(x);
        x = y;
        ok = x && (b || sfu_copy_channels(net->q, all, 2 * f, x, error)) &&
             sfu_upscaler_step(p, (b + 1.0) / (N_BLOCKS + 1), error);
    }
    const SfuConv conv = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .y_part = TRUE, .y_col = f};
    const SfuEpilogue e = {.bias = s->second.b};
    ok = ok && sfu_conv2d(net->q, all, x, s->second.w, &conv, &e, error);
    sfu_tensor_destroy(x);
    return ok;
}

static SfuTensor *run(const SfuUpscalerPass *p, SfuTensor *x, GError **error)
{
    const SfuNet *net = p->net;
    const Span *s = p->network;
    const SfuEpilogue e = {.bias = s->cat.b};
    SfuTensor *all = sfu_net_like(net, x, 4 * p->c->features, error), *picture = NULL, *y = NULL;
    gboolean ok = all != NULL;
    if (ok && s->scale)
        ok = (picture = sfu_net_like(net, x, x->c, error)) &&
             sfu_scale_channels(net->q, picture, x, s->scale, s->shift, error);
    ok = ok && run_blocks(p, all, picture ? picture : x, error) && (y = sfu_net_like(net, x, p->c->features, error)) &&
         sfu_linear(net->q, y, all, s->cat.w, &e, error);
    sfu_tensor_destroy(all);
    sfu_tensor_destroy(picture);
    sfu_tensor_destroy(x);
    if (!ok)
        sfu_net_drop(&y);
    return sfu_upscaler_shuffle(net, y, &s->up, p->c->scale, p->c->channels, error);
}

/* 20 convolutions of 3x3 in a row, and the one before the pixel-shuffle. */
static int margin(const SfuUpscalerConfig *c)
{
    return 3 * N_BLOCKS + 3;
}

/* The four beside each other, and three of a block; or the last convolution and the result. */
static double values(const SfuUpscalerConfig *c, int w, int h)
{
    return (c->channels + MAX(7 * c->features, c->features + 2 * c->channels * c->scale * c->scale)) * (double)w * h;
}

const SfuUpscalerKind sfu_span_kind = {bind, release, run, margin, values};
