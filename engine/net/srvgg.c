/* SRVGGNetCompact: a row of convolutions, and the picture enlarged by nearest neighbor added (Wang 2021, Real-ESRGAN's
 * compact models). Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/srvgg.h"
#include "net/upscaler_parts.h"

typedef struct {
    SfuLayer *convs;
    SfuWeight **slopes;
} Srvgg;

static gpointer bind(SfuNet *net, const SfuUpscalerConfig *c)
{
    Srvgg *s = g_new0(Srvgg, 1);
    char name[32];
    s->convs = g_new0(SfuLayer, c->blocks + 2);
    s->slopes = g_new0(SfuWeight *, c->blocks + 1);
    for (int i = 0; i <= c->blocks + 1; i++) {
        g_snprintf(name, sizeof name, "body.%d", 2 * i);
        s->convs[i] = sfu_net_conv(net, "", name, i > c->blocks ? c->channels * c->scale * c->scale : c->features,
                                   i ? c->features : c->channels + c->noise, 3, TRUE);
        if (i > c->blocks)
            break;
        g_snprintf(name, sizeof name, "body.%d.weight", 2 * i + 1);
        const gint64 n = sfu_net_dim(net, "", name, 0) == 1 ? 1 : c->features; /* one slope, or one per channel */
        s->slopes[i] = sfu_net_tensor(net, "", name, 1, &n);
    }
    return s;
}

static void release(gpointer network)
{
    Srvgg *s = network;
    g_free(s->convs);
    g_free(s->slopes);
    g_free(s);
}

/* The picture, and the noise beside it. A new tensor if there is noise. */
static SfuTensor *with_noise(const SfuUpscalerPass *p, SfuTensor *x, GError **error)
{
    if (!p->noise)
        return x;
    const SfuTensor *const parts[] = {x, p->noise};
    SfuTensor *y = sfu_net_like(p->net, x, x->c + p->noise->c, error);
    if (y && !sfu_concat(p->net->q, y, parts, 2, error))
        sfu_net_drop(&y);
    return y;
}

static SfuTensor *run(const SfuUpscalerPass *p, SfuTensor *x, GError **error)
{
    const SfuNet *net = p->net;
    const SfuUpscalerConfig *c = p->c;
    const Srvgg *s = p->network;
    const SfuConv same = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    SfuTensor *y = with_noise(p, x, error), *out = NULL, *base = NULL;
    for (int i = 0; y && i <= c->blocks + 1; i++) {
        const gboolean last = i > c->blocks;
        const SfuEpilogue e = {
            .bias = s->convs[i].b, .act = last ? SFU_ACT_NONE : SFU_ACT_PRELU, .prelu = last ? NULL : s->slopes[i]};
        SfuTensor *next = sfu_net_like(net, x, (int)sfu_weight_dim(s->convs[i].w, 0), error);
        if (next && !sfu_conv2d(net->q, next, y, s->convs[i].w, &same, &e, error))
            sfu_net_drop(&next);
        if (y != x)
            sfu_tensor_destroy(y);
        y = next;
    }
    const int h = x->h * c->scale, w = x->w * c->scale;
    if (y && (out = sfu_tensor_create(net->q, net->dtype, 1, h, w, x->c, error)) &&
        (!(base = sfu_tensor_create(net->q, net->dtype, 1, h, w, x->c, error)) ||
         !sfu_pixel_shuffle(net->q, out, y, c->scale, error) || !sfu_upsample_nearest(net->q, base, x, error) ||
         !sfu_axpby(net->q, out, 1, out, 1, base, error)))
        sfu_net_drop(&out);
    sfu_tensor_destroy(base);
    sfu_tensor_destroy(y);
    sfu_tensor_destroy(x);
    return out;
}

static int margin(const SfuUpscalerConfig *c)
{
    return c->blocks + 2;
}

/* The picture beside two rows of features, or beside the last convolution, the result and the enlarged picture. */
static double values(const SfuUpscalerConfig *c, int w, int h)
{
    return (c->channels + MAX(2 * c->features, 3 * c->channels * c->scale * c->scale)) * (double)w * h;
}

const SfuUpscalerKind sfu_srvgg_kind = {bind, release, run, margin, values};
