/* PLKSR (Lee 2024, "Partial Large Kernel CNNs for Efficient Super-Resolution", figures 2 and 3) and RealPLKSR (neosr),
 * which has norms and another activation, and may enlarge by dynamic upsampling (Liu 2023, "Learning to Upsample by
 * Learning to Sample", section 3). Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/plksr.h"
#include "net/upscaler_parts.h"

#define LAYER_EPS 1e-6f
#define GROUP_EPS 1e-5f

typedef struct {
    SfuLayer layer_norm, mixer[2], large, gate, refine, group_norm; /* layer_norm.w, gate.w, group_norm.w NULL: none */
} Block;

typedef struct {
    Block *blocks;
    SfuLayer first, last;
    SfuLayer offset, scope; /* of dynamic upsampling; offset.w NULL: a pixel-shuffle */
    SfuWeight *start, *end, *end_bias;
    int n_groups;
} Plksr;

/* ---- binding ---- */

static void bind_block(SfuNet *net, const SfuUpscalerConfig *c, Block *b, const char *name)
{
    const SfuPlksrConfig *own = c->own;
    const int f = c->features;
    const char *mixer[2] = {own->real ? "channel_mixer.0" : "channe_mixer.0",
                            own->real ? "channel_mixer.2" : "channe_mixer.2"}; /* the authors' spelling */
    char *of_first = g_strconcat(mixer[0], ".weight", NULL), *of_second = g_strconcat(mixer[1], ".weight", NULL);
    if (own->layer_norm)
        b->layer_norm = sfu_net_norm(net, name, "layer_norm", f);
    else if (own->real)
        b->group_norm = sfu_net_norm(net, name, "norm", f);
    const int hidden = sfu_net_dim(net, name, of_first, 0);
    b->mixer[0] = sfu_net_conv(net, name, mixer[0], hidden, f, sfu_net_dim(net, name, of_first, 2) == 1 ? 1 : 3, TRUE);
    b->mixer[1] = sfu_net_conv(net, name, mixer[1], f, hidden, sfu_net_dim(net, name, of_second, 2) == 1 ? 1 : 3, TRUE);
    b->large = sfu_net_conv(net, name, "lk.conv", own->part, own->part, own->kernel, TRUE);
    if (own->gated)
        b->gate = sfu_net_conv(net, name, "attn.f.0", f, f, 3, TRUE);
    b->refine = sfu_net_linear(net, name, "refine", f, f, TRUE);
    g_free(of_first);
    g_free(of_second);
}

/* The sampled values are averages within a group of channels, so that the 1x1 convolution behind, if there is one, may
 * as well stand before: then a group has as many channels as the picture. Its matrix [groups * channels, features of
 * the last convolution]. */
static void bind_dysample(SfuNet *net, const SfuUpscalerConfig *c, Plksr *s)
{
    const int wide = c->channels * c->scale * c->scale, n_groups = c->scale % 2 ? c->channels : 4,
              per = 2 * n_groups * c->scale * c->scale, n = c->channels;
    const int of_group = wide / n_groups;
    s->n_groups = n_groups;
    s->offset = sfu_net_linear(net, "to_img", "offset", per, wide, TRUE);
    s->scope = sfu_net_linear(net, "to_img", "scope", per, wide, FALSE);
    s->start = sfu_net_tensor(net, "to_img", "init_pos", 4, (const gint64[]){1, per, 1, 1});
    SfuLayer end = {0};
    if (c->scale > 1)
        end = sfu_net_linear(net, "to_img", "end_conv", n, wide, TRUE);
    s->end_bias = end.b;
    if (!net->q || (c->scale > 1 && !end.w))
        return;
    float *from = g_new0(float, (gsize)n *wide), *to = g_new0(float, (gsize)n_groups *n *wide);
    for (int o = 0; o < n; o++)
        from[(gsize)o * wide + o] = 1;
    if (end.w)
        sfu_weight_read_f32(end.w, 0, (gint64)n * wide, from);
    for (int g = 0; g < n_groups; g++)
        for (int o = 0; o < n; o++)
            for (int i = g * of_group; i < (g + 1) * of_group; i++)
                to[((gsize)g * n + o) * wide + i] = from[(gsize)o * wide + i];
    s->end = sfu_net_own(net, "end_conv by groups", to, 2, (const gint64[]){n_groups * n, wide});
    g_free(from);
}

static gpointer bind(SfuNet *net, const SfuUpscalerConfig *c)
{
    const SfuPlksrConfig *own = c->own;
    Plksr *s = g_new0(Plksr, 1);
    char name[32];
    s->first = sfu_net_conv(net, "", "feats.0", c->features, c->channels, 3, TRUE);
    s->blocks = g_new0(Block, c->blocks);
    for (int b = 0; b < c->blocks; b++) {
        g_snprintf(name, sizeof name, "feats.%d", b + 1);
        bind_block(net, c, &s->blocks[b], name);
    }
    g_snprintf(name, sizeof name, "feats.%d", c->blocks + (own->real ? 2 : 1));
    s->last = sfu_net_conv(net, "", name, c->channels * c->scale * c->scale, c->features, 3, TRUE);
    if (own->dynamic)
        bind_dysample(net, c, s);
    return s;
}

static void release(gpointer network)
{
    Plksr *s = network;
    g_free(s->blocks);
    g_free(s);
}

/* ---- the pass ---- */

/* The usual output size, stride 1; x is borrowed. */
static SfuTensor *conv(const SfuNet *net, const SfuTensor *x, const SfuLayer *l, SfuAct act, GError **error)
{
    const int pad = (int)sfu_weight_dim(l->w, 2) / 2;
    const SfuConv g = {
        .pad_top = pad, .pad_left = pad, .pad_bottom = pad, .pad_right = pad, .x_c = (int)sfu_weight_dim(l->w, 1)};
    const SfuEpilogue e = {.bias = l->b, .act = act};
    SfuTensor *y = sfu_net_like(net, x, (int)sfu_weight_dim(l->w, 0), error);
    if (y && !sfu_conv2d(net->q, y, x, l->w, &g, &e, error))
        sfu_net_drop(&y);
    return y;
}

/* The first channels of y are convolved by the large kernel; the others stay. */
static gboolean large_kernel(const SfuNet *net, const Block *b, SfuTensor *y, GError **error)
{
    SfuTensor *part = conv(net, y, &b->large, SFU_ACT_NONE, error);
    const gboolean ok = part && sfu_copy_channels(net->q, y, 0, part, error);
    sfu_tensor_destroy(part);
    return ok;
}

/* x [1, h, w, features] is taken. */
static SfuTensor *run_block(const SfuNet *net, const SfuUpscalerConfig *c, const Block *b, SfuTensor *x, GError **error)
{
    const SfuAct act = ((const SfuPlksrConfig *)c->own)->real ? SFU_ACT_MISH : SFU_ACT_GELU;
    SfuTensor *normed = NULL, *hidden = NULL, *y = NULL, *gate = NULL, *out = NULL;
    gboolean ok =
        !b->layer_norm.w || ((normed = sfu_net_like(net, x, x->c, error)) &&
                             sfu_layer_norm(net->q, normed, x, b->layer_norm.w, b->layer_norm.b, LAYER_EPS, error));
    ok = ok && (hidden = conv(net, normed ? normed : x, &b->mixer[0], act, error)) &&
         (y = conv(net, hidden, &b->mixer[1], SFU_ACT_NONE, error));
    sfu_net_drop(&normed);
    sfu_net_drop(&hidden);
    ok = ok && large_kernel(net, b, y, error);
    if (ok && b->gate.w)
        ok = (gate = conv(net, y, &b->gate, SFU_ACT_SIGMOID, error)) && sfu_mul(net->q, y, y, gate, error);
    sfu_net_drop(&gate);
    const SfuEpilogue e = {.bias = b->refine.b, .residual = b->group_norm.w ? NULL : x};
    ok = ok && (out = sfu_net_like(net, x, x->c, error)) && sfu_linear(net->q, out, y, b->refine.w, &e, error);
    if (ok && b->group_norm.w)
        ok = sfu_group_norm(net->q, out, out, b->group_norm.w, b->group_norm.b, SFU_PLKSR_NORM_GROUPS, GROUP_EPS,
                            SFU_ACT_NONE, error) &&
             sfu_axpby(net->q, out, 1, out, 1, x, error);
    sfu_tensor_destroy(y);
    sfu_tensor_destroy(x);
    if (!ok)
        sfu_net_drop(&out);
    return out;
}

/* big [1, h * scale, w * scale, channels], the picture enlarged by nearest neighbor, is added to what the features
 * give. Both are taken. */
static SfuTensor *shuffle(const SfuUpscalerPass *p, SfuTensor *features, SfuTensor *big, GError **error)
{
    const Plksr *s = p->network;
    SfuTensor *y = sfu_upscaler_shuffle(p->net, features, &s->last, p->c->scale, p->c->channels, error);
    if (y && !sfu_axpby(p->net->q, y, 1, y, 1, big, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(big);
    return y;
}

/* As above. */
static SfuTensor *sample(const SfuUpscalerPass *p, SfuTensor *features, SfuTensor *big, GError **error)
{
    const SfuNet *net = p->net;
    const SfuUpscalerConfig *c = p->c;
    const Plksr *s = p->network;
    const int wide = c->channels * c->scale * c->scale, per = 2 * s->n_groups * c->scale * c->scale;
    SfuTensor *x = sfu_net_like(net, features, wide, error), *offset = NULL, *scope = NULL, *small = NULL, *y = NULL;
    const SfuConv same = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    const SfuEpilogue e = {.bias = s->last.b, .residual = x}, bias = {.bias = s->offset.b};
    gboolean ok = x && sfu_pixel_unshuffle(net->q, x, big, c->scale, error) &&
                  sfu_conv2d(net->q, x, features, s->last.w, &same, &e, error);
    sfu_tensor_destroy(features);
    sfu_tensor_destroy(big);
    ok = ok && (offset = sfu_net_like(net, x, per, error)) && (scope = sfu_net_like(net, x, per, error)) &&
         (small = sfu_net_like(net, x, s->n_groups * c->channels, error)) &&
         sfu_linear(net->q, offset, x, s->offset.w, &bias, error) &&
         sfu_linear(net->q, scope, x, s->scope.w, NULL, error) && sfu_linear(net->q, small, x, s->end, NULL, error) &&
         (y = sfu_tensor_create(net->q, net->dtype, 1, x->h * c->scale, x->w * c->scale, c->channels, error)) &&
         sfu_dysample(net->q, y, small, &(SfuDysample){offset, scope, s->start, s->end_bias, c->scale, s->n_groups},
                      error);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(offset);
    sfu_tensor_destroy(scope);
    sfu_tensor_destroy(small);
    if (!ok)
        sfu_net_drop(&y);
    return y;
}

static SfuTensor *run(const SfuUpscalerPass *p, SfuTensor *x, GError **error)
{
    const SfuNet *net = p->net;
    const SfuUpscalerConfig *c = p->c;
    const Plksr *s = p->network;
    SfuTensor *y = sfu_upscaler_conv(net, x, &s->first, (SfuUpscalerConv){.out = c->features}, error), *big = NULL;
    for (int b = 0; y && b < c->blocks; b++) {
        y = run_block(net, c, &s->blocks[b], y, error);
        if (y && !sfu_upscaler_step(p, (b + 1.0) / (c->blocks + 1), error))
            sfu_net_drop(&y);
    }
    const gboolean ok =
        y && (big = sfu_tensor_create(net->q, net->dtype, 1, x->h * c->scale, x->w * c->scale, c->channels, error)) &&
        sfu_upsample_nearest(net->q, big, x, error);
    sfu_tensor_destroy(x);
    if (!ok) {
        sfu_tensor_destroy(y);
        sfu_tensor_destroy(big);
        return NULL;
    }
    return ((const SfuPlksrConfig *)c->own)->dynamic ? sample(p, y, big, error) : shuffle(p, y, big, error);
}

/* Two convolutions of 3x3, the large one, and the gate's, in every block; one before and one behind. Dynamic upsampling
 * looks a few pixels away. Group norms, which see everything, change little by it. */
static int margin(const SfuUpscalerConfig *c)
{
    const SfuPlksrConfig *own = c->own;
    return c->blocks * (2 + own->gated + own->kernel / 2) + 2 + (own->dynamic ? 4 : 0);
}

/* Features, the mixer's twice as many, and its result; or the ends. */
static double values(const SfuUpscalerConfig *c, int w, int h)
{
    const double ends =
        (((const SfuPlksrConfig *)c->own)->dynamic ? 3.0 * c->channels + 16 : 3.0 * c->channels) * c->scale * c->scale;
    return (c->channels + MAX(5 * c->features, c->features + ends)) * (double)w * h;
}

const SfuUpscalerKind sfu_plksr_kind = {bind, release, run, margin, values};
