/* RRDBNet: residual in residual dense blocks. Wang 2018 (ESRGAN), figures 4 and 5; pixel-unshuffled input: Wang 2021 (Real-ESRGAN).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/upscaler-parts.h"

#define SLOPE 0.2f
#define BETA 0.2f /* residual scaling, section 3.1 */

typedef struct {
    SfuLayer first, body, up[4], hr, last;
    SfuLayer (*blocks)[3][5];
} Rrdb;

static gpointer bind(SfuNet *net, const SfuUpscalerConfig *c)
{
    Rrdb *r = g_new0(Rrdb, 1);
    char name[64];
    r->first = sfu_net_conv(net, "", "conv_first", c->features, c->channels * c->unshuffle * c->unshuffle, 3, TRUE);
    r->blocks = g_malloc0_n((gsize)c->blocks, sizeof *r->blocks);
    for (int b = 0; b < c->blocks; b++)
        for (int d = 0; d < 3; d++)
            for (int i = 0; i < 5; i++) {
                g_snprintf(name, sizeof name, "body.%d.rdb%d.conv%d", b, d + 1, i + 1);
                r->blocks[b][d][i] = sfu_net_conv(net, "", name, i == 4 ? c->features : c->growth, c->features + i * c->growth, 3, TRUE);
            }
    r->body = sfu_net_conv(net, "", "conv_body", c->features, c->features, 3, TRUE);
    for (int i = 0; i < c->n_stages; i++) {
        g_snprintf(name, sizeof name, "conv_up%d", i + 1);
        r->up[i] = sfu_net_conv(net, "", name, c->features, c->features, 3, TRUE);
    }
    r->hr = sfu_net_conv(net, "", "conv_hr", c->features, c->features, 3, TRUE);
    r->last = sfu_net_conv(net, "", "conv_last", c->channels, c->features, 3, TRUE);
    return r;
}

static void release(gpointer network)
{
    Rrdb *r = network;
    g_free(r->blocks);
    g_free(r);
}

/* One dense block: from the first channels of `from` to those of `to`, both [1, h, w, features + 4 growth]. Each of the first four
 * convolutions reads all that is there and grows it; nothing is concatenated. */
static gboolean dense_block(const SfuNet *net, const SfuUpscalerConfig *c, SfuLayer layers[5], SfuTensor *to, SfuTensor *from, GError **error)
{
    gboolean ok = TRUE;
    for (int i = 0; ok && i < 4; i++) {
        const int have = c->features + i * c->growth;
        const SfuConv conv = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .x_c = have, .y_part = TRUE, .y_col = have};
        const SfuEpilogue e = {.bias = layers[i].b, .act = SFU_ACT_LEAKY_RELU, .act_param = SLOPE};
        ok = sfu_conv2d(net->q, from, from, layers[i].w, &conv, &e, error);
    }
    const SfuConv conv = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .y_part = TRUE};
    const SfuEpilogue e = {.bias = layers[4].b, .scale = BETA, .residual = from};
    return ok && sfu_conv2d(net->q, to, from, layers[4].w, &conv, &e, error);
}

/* x: what conv_first reads; features [1, h, w, f]: what it gives; both borrowed. -> all the blocks and the convolution behind them, plus
 * features. */
static SfuTensor *run_body(const SfuNet *net, const SfuUpscalerConfig *c, const Rrdb *r, const SfuTensor *x, const SfuTensor *features, GError **error)
{
    const int wide = c->features + 4 * c->growth;
    SfuTensor *t[3] = {NULL}, *y = NULL;
    gboolean ok = TRUE;
    for (int i = 0; ok && i < 3; i++)
        ok = (t[i] = sfu_net_like(net, features, wide, error)) != NULL;
    /* Into the wide tensor once more: cheaper than a copy. */
    const SfuConv first = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .y_part = TRUE};
    const SfuEpilogue bias = {.bias = r->first.b};
    ok = ok && sfu_conv2d(net->q, t[0], x, r->first.w, &first, &bias, error);
    /* A block's own residual is added over all channels: those that grew are finite by then, and grow anew in the next block. */
    for (int b = 0; ok && b < c->blocks; b++)
        ok = dense_block(net, c, r->blocks[b][0], t[1], t[0], error) && dense_block(net, c, r->blocks[b][1], t[2], t[1], error) &&
             dense_block(net, c, r->blocks[b][2], t[1], t[2], error) && sfu_axpby(net->q, t[0], 1, t[0], BETA, t[1], error);
    if (ok && (y = sfu_net_like(net, features, c->features, error))) {
        const SfuConv conv = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .x_c = c->features};
        const SfuEpilogue e = {.bias = r->body.b, .residual = features};
        if (!sfu_conv2d(net->q, y, t[0], r->body.w, &conv, &e, error))
            sfu_net_drop(&y);
    }
    for (int i = 0; i < 3; i++)
        sfu_tensor_destroy(t[i]);
    return y;
}

/* y [1, h, w, f], borrowed -> [1, h * stages, w * stages, 3]: the enlargements and the last two convolutions. */
static SfuTensor *run_tail(const SfuNet *net, const SfuUpscalerConfig *c, const Rrdb *r, const SfuTensor *y, GError **error)
{
    SfuTensor *t = NULL;
    for (int i = 0; i <= c->n_stages; i++) {
        const gboolean hr = i == c->n_stages;
        SfuTensor *next = sfu_upscaler_conv(net, t ? t : y, hr ? &r->hr : &r->up[i], c->features, !hr, SFU_ACT_LEAKY_RELU, SLOPE, error);
        sfu_tensor_destroy(t);
        if (!(t = next))
            return NULL;
    }
    SfuTensor *out = sfu_upscaler_conv(net, t, &r->last, c->channels, FALSE, SFU_ACT_NONE, 0, error);
    sfu_tensor_destroy(t);
    return out;
}

/* Rows of the low resolution that an output row behind it can see to either side: half a row for the first enlargement's convolution, a
 * quarter for the second's ..., and two at the full resolution; without enlargements, two. */
#define TAIL_ROWS 2

/* Floats for each pixel of the low resolution: the blocks' three wide tensors and the features; the tail's widest point. */
static int body_floats(const SfuUpscalerConfig *c) { return 4 * c->features + 12 * c->growth; }
static int tail_floats(const SfuUpscalerConfig *c) { return (2 * c->features + 3) << (2 * c->n_stages); }

/* The tail in strips of whole rows, each with the rows that it sees around it: the same result, but no more memory than the blocks need. */
static SfuTensor *run_strips(const SfuNet *net, const SfuUpscalerConfig *c, const Rrdb *r, const SfuTensor *y, GError **error)
{
    const int up = 1 << c->n_stages, n_rows = (int)(y->h * MIN(1.0, (double)body_floats(c) / tail_floats(c)));
    const int core = n_rows >= y->h ? y->h : MAX(n_rows - 2 * TAIL_ROWS, 8);
    SfuTensor *out = sfu_tensor_create(net->q, net->dtype, 1, y->h * up, y->w * up, c->channels, error);
    gboolean ok = out != NULL;
    for (int row = 0; ok && row < y->h; row += core) {
        const int n = MIN(core, y->h - row), first = MAX(0, row - TAIL_ROWS), last = MIN(y->h, row + n + TAIL_ROWS);
        const size_t line = (size_t)y->w * up * c->channels; /* of the output */
        SfuTensor *in = sfu_tensor_view(y, (size_t)first * y->w * y->c, 1, last - first, y->w, y->c, error);
        SfuTensor *strip = in ? run_tail(net, c, r, in, error) : NULL;
        SfuTensor *from = strip ? sfu_tensor_view(strip, (size_t)(row - first) * up * line, 1, n * up, strip->w, strip->c, error) : NULL;
        SfuTensor *to = from ? sfu_tensor_view(out, (size_t)row * up * line, 1, n * up, out->w, out->c, error) : NULL;
        ok = to && sfu_convert(net->q, to, from, error);
        sfu_tensor_destroy(in);
        sfu_tensor_destroy(strip);
        sfu_tensor_destroy(from);
        sfu_tensor_destroy(to);
    }
    if (!ok)
        sfu_net_drop(&out);
    return out;
}

static SfuTensor *run(const SfuNet *net, const SfuUpscalerConfig *c, gpointer network, SfuTensor *x, GError **error)
{
    const Rrdb *r = network;
    if (c->unshuffle > 1) {
        const int u = c->unshuffle;
        SfuTensor *small = sfu_tensor_create(net->q, net->dtype, 1, x->h / u, x->w / u, x->c * u * u, error);
        if (small && !sfu_pixel_unshuffle(net->q, small, x, u, error))
            sfu_net_drop(&small);
        sfu_tensor_destroy(x);
        x = small;
    }
    SfuTensor *features = x ? sfu_upscaler_conv(net, x, &r->first, c->features, FALSE, SFU_ACT_NONE, 0, error) : NULL;
    SfuTensor *y = features ? run_body(net, c, r, x, features, error) : NULL;
    sfu_tensor_destroy(features);
    sfu_tensor_destroy(x);
    SfuTensor *out = y ? run_strips(net, c, r, y, error) : NULL;
    sfu_tensor_destroy(y);
    return out;
}

/* 15 convolutions a block and two around them at the low resolution; those behind see less than 2 pixels more. */
static int margin(const SfuUpscalerConfig *c) { return (15 * c->blocks + 4) * c->unshuffle; }

/* The blocks or a strip of the tail, and the picture. */
static int channels(const SfuUpscalerConfig *c)
{
    return (body_floats(c) + c->features) / (c->unshuffle * c->unshuffle) + c->channels * c->scale * c->scale;
}

const SfuUpscalerKind sfu_rrdb_kind = {bind, release, run, margin, channels};
