/* ControlNet (Zhang 2023, figure 3; diffusers' ControlNetModel): the first half of a UNet that also sees a picture, and
 * a 1x1 convolution behind everything that the UNet keeps. With task_embedding: ControlNet-Union (xinsir 2024;
 * diffusers' ControlNetUnionModel), one network for several kinds of pictures, in union.c.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/control.h"
#include "net/trunk.h"
#include "net/union.h"
#include <math.h>

#define MOST_HINTS 17 /* convolutions of the picture's embedding; all published ones have 8 */

typedef struct {
    SfuTrunk trunk;
    SfuLayer hints[MOST_HINTS];
    int n_hints;
    SfuLayer zeros[SFU_TRUNK_SKIPS], zero_middle;
    int n_zeros;
    SfuUnion *several; /* NULL: of one kind */
    gboolean pools;
    SfuTensor *hint; /* [1, h, w, c0]: the picture's embedding; NULL: no picture yet */
} Net;

/* ---- binding ---- */

static void bind_hints(Net *n)
{
    static const char *const prefix = "controlnet_cond_embedding";
    SfuNet *net = &n->trunk.net;
    const int blocks =
        MIN(sfu_model_count(net->model, net->part, "controlnet_cond_embedding.blocks.", 64), MOST_HINTS - 2);
    int c = MAX(1, sfu_net_dim(net, prefix, "conv_in.weight", 0));
    n->hints[0] =
        sfu_net_conv(net, prefix, "conv_in", c, MAX(1, sfu_net_dim(net, prefix, "conv_in.weight", 1)), 3, TRUE);
    for (int i = 0; i < blocks; i++) {
        char name[32], weight[48];
        g_snprintf(name, sizeof name, "blocks.%d", i);
        g_snprintf(weight, sizeof weight, "%s.weight", name);
        const int out = MAX(1, sfu_net_dim(net, prefix, weight, 0));
        n->hints[1 + i] = sfu_net_conv(net, prefix, name, out, c, 3, TRUE);
        c = out;
    }
    n->hints[1 + blocks] = sfu_net_conv(net, prefix, "conv_out", n->trunk.config->block_out_channels[0], c, 3, TRUE);
    n->n_hints = blocks + 2;
}

static void bind_zeros(Net *n)
{
    const SfuUnetConfig *k = n->trunk.config;
    SfuNet *net = &n->trunk.net;
    char name[40];
    n->n_zeros = 0;
    for (int i = -1; i < k->n_blocks; i++) { /* conv_in's; then a level's layers and, but for the last, its reduction */
        const int c = k->block_out_channels[MAX(i, 0)], more = i < 0 ? 1 : k->layers_per_block + (i + 1 < k->n_blocks);
        for (int j = 0; j < more; j++) {
            g_snprintf(name, sizeof name, "controlnet_down_blocks.%d", n->n_zeros);
            n->zeros[n->n_zeros++] = sfu_net_linear(net, "", name, c, c, TRUE);
        }
    }
    const int c = k->block_out_channels[MAX(k->n_blocks - 1, 0)];
    n->zero_middle = sfu_net_linear(net, "", "controlnet_mid_block", c, c, TRUE);
}

static Net *net_bound(SfuQueue *q, SfuModel *model)
{
    Net *n = g_new0(Net, 1);
    sfu_trunk_bind(&n->trunk, q, model, SFU_PART_CONTROL, sfu_model_unet(model));
    bind_hints(n);
    bind_zeros(n);
    n->pools = sfu_model_control(model)->pools;
    if (sfu_model_control(model)->n_types)
        n->several = sfu_union_bind(&n->trunk, sfu_model_control(model)->n_types);
    return n;
}

static void net_destroy(gpointer net)
{
    Net *n = net;
    sfu_union_free(n->several);
    sfu_tensor_destroy(n->hint);
    sfu_trunk_finish(&n->trunk);
    g_free(n);
}

void sfu_control_net_expect(SfuModel *model)
{
    Net *n = net_bound(NULL, model);
    sfu_net_note(&n->trunk.net);
    net_destroy(n);
}

/* ---- what is set once per run ---- */

static void net_set_wrap(gpointer net, int wrap)
{
    ((Net *)net)->trunk.net.wrap = wrap;
}

static void net_forget(gpointer net)
{
    Net *n = net;
    sfu_net_drop(&n->hint);
    sfu_trunk_drop_condition(&n->trunk);
}

static gboolean net_set_type(gpointer net, int type, GError **error)
{
    Net *n = net;
    if (n->several)
        sfu_union_set_type(n->several, type);
    return TRUE;
}

static gboolean net_set_condition(gpointer net, const SfuCondition *condition, GError **error)
{
    Net *n = net;
    return sfu_trunk_set_condition(&n->trunk, condition, error) &&
           (!n->several || sfu_union_add_type(n->several, error));
}

/* conv_out(silu(...silu(conv_in(picture)))); every second block halves the sides. */
static gboolean net_set_picture(gpointer net, const float *picture, int h, int w, GError **error)
{
    Net *n = net;
    const SfuNet *t = &n->trunk.net;
    const int c = (int)sfu_weight_dim(n->hints[0].w, 1);
    SfuTensor *host = sfu_tensor_create(t->q, SFU_F32, 1, h, w, c, error), *x = NULL;
    sfu_net_drop(&n->hint);
    if (host && sfu_tensor_write(host, picture, error))
        x = sfu_net_input(t, host, error);
    sfu_tensor_destroy(host);
    for (int i = 0; x && i < n->n_hints; i++) {
        const gboolean last = i == n->n_hints - 1;
        SfuConv conv = sfu_net_same(t);
        conv.stride = !last && i % 2 == 0 && i > 0 ? 2 : 1;
        const SfuEpilogue e = {.bias = n->hints[i].b, .act = last ? SFU_ACT_NONE : SFU_ACT_SILU};
        SfuTensor *y =
            sfu_tensor_create(t->q, t->dtype, 1, (x->h + conv.stride - 1) / conv.stride,
                              (x->w + conv.stride - 1) / conv.stride, (int)sfu_weight_dim(n->hints[i].w, 0), error);
        if (y && !sfu_conv2d(t->q, y, x, n->hints[i].w, &conv, &e, error))
            sfu_net_drop(&y);
        sfu_tensor_destroy(x);
        x = y;
    }
    n->hint = x;
    return x != NULL;
}

/* ---- a step ---- */

/* The samples that are steered, of the channels that the network has: [n, h, w, in_channels]. New. */
static SfuTensor *cut_input(const Net *n, const SfuTensor *x, int n_samples, GError **error)
{
    const int c = n->trunk.config->in_channels;
    SfuTensor *part = sfu_tensor_view(x, 0, n_samples, x->h, x->w, x->c, error), *y = NULL;
    if (x->c <= c || !part)
        return part;
    y = sfu_tensor_create(x->q, x->dtype, n_samples, x->h, x->w, c, error);
    if (y && !sfu_slice(x->q, y, part, 0, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(part);
    return y;
}

/* The picture's embedding once for every sample: [n, h, w, c0]. New. */
static SfuTensor *spread_hint(const Net *n, int n_samples, GError **error)
{
    const SfuTensor *h = n->hint;
    SfuTensor *all = sfu_tensor_create(h->q, h->dtype, n_samples, h->h, h->w, h->c, error);
    for (int s = 0; all && s < n_samples; s++) {
        SfuTensor *one =
            sfu_tensor_view(all, (size_t)s * (size_t)h->h * (size_t)h->w * (size_t)h->c, 1, h->h, h->w, h->c, error);
        if (!one || !sfu_convert(h->q, one, h, error))
            sfu_net_drop(&all);
        sfu_tensor_destroy(one);
    }
    return all;
}

/* Zeros [n, ..] of x's other sides. New. */
static SfuTensor *zeros_like(const SfuNet *net, const SfuTensor *x, int n_samples, GError **error)
{
    SfuTensor *y = sfu_tensor_create(net->q, net->dtype, n_samples, x->h, x->w, x->c, error);
    float *host = y ? g_new0(float, sfu_tensor_elements(y)) : NULL;
    if (y && !sfu_tensor_write(y, host, error))
        sfu_net_drop(&y);
    g_free(host);
    return y;
}

/* x becomes its mean over the pixels, everywhere. */
static gboolean pool(const SfuNet *net, SfuTensor *x, GError **error)
{
    SfuTensor *mean = sfu_tensor_create(net->q, net->dtype, x->n, 1, 1, x->c, error);
    const gboolean ok = mean && sfu_mean_hw(net->q, mean, x, error) && sfu_upsample_nearest(net->q, x, mean, error);
    sfu_tensor_destroy(mean);
    return ok;
}

/* *sum += scale * zero(x), in the first x->n of n_samples samples. */
static gboolean add_zero(const Net *n, SfuTensor **sum, const SfuTensor *x, const SfuLayer *zero, double scale,
                         int n_samples, GError **error)
{
    const SfuNet *net = &n->trunk.net;
    const gboolean fresh = !*sum;
    if (fresh && !(*sum = n_samples == x->n && !n->pools ? sfu_net_like(net, x, x->c, error)
                                                         : zeros_like(net, x, n_samples, error)))
        return FALSE;
    if ((*sum)->h != x->h || (*sum)->w != x->w || (*sum)->c != x->c) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    "%s adds %d x %d x %d where another network adds %d x %d x %d", sfu_model_path(net->model), x->h,
                    x->w, x->c, (*sum)->h, (*sum)->w, (*sum)->c);
        return FALSE;
    }
    SfuTensor *part = sfu_tensor_view(*sum, 0, x->n, x->h, x->w, x->c, error), *own = NULL;
    gboolean ok = part != NULL;
    if (ok && n->pools) {
        const SfuEpilogue e = {.bias = zero->b, .scale = (float)scale};
        ok = (own = sfu_net_like(net, x, x->c, error)) && sfu_linear(net->q, own, x, zero->w, &e, error) &&
             pool(net, own, error) && sfu_axpby(net->q, part, 1, part, 1, own, error);
    } else if (ok) {
        const SfuEpilogue e = {
            .bias = zero->b, .scale = (float)scale, .residual = fresh && n_samples == x->n ? NULL : part};
        ok = sfu_linear(net->q, part, x, zero->w, &e, error);
    }
    sfu_tensor_destroy(own);
    sfu_tensor_destroy(part);
    return ok;
}

static gboolean add_all(const Net *n, SfuControlSum *sum, const SfuTrunkState *s, const SfuControlUse *use,
                        int n_samples, GError **error)
{
    if (!sum->down) {
        sum->down = g_new0(SfuTensor *, n->n_zeros);
        sum->n_down = n->n_zeros;
    }
    if (sum->n_down != n->n_zeros || s->n_skips != n->n_zeros) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    "%s adds to %d layers where another network adds to %d", sfu_model_path(n->trunk.net.model),
                    n->n_zeros, sum->n_down);
        return FALSE;
    }
    for (int i = 0; i <= n->n_zeros; i++) {
        const gboolean middle = i == n->n_zeros;
        const double scale = use->weight * (use->n_guessed ? pow(10, (double)i / n->n_zeros - 1) : 1);
        if (!add_zero(n, middle ? &sum->middle : &sum->down[i], middle ? s->h.x : s->skips[i].x,
                      middle ? &n->zero_middle : &n->zeros[i], scale, n_samples, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean net_add(gpointer net, SfuControlSum *sum, const SfuDenoiserInput *in, const SfuControlUse *use,
                        GError **error)
{
    Net *n = net;
    const SfuTrunk *t = &n->trunk;
    const int n_samples = use->n_guessed ? MIN(use->n_guessed, in->x->n) : in->x->n;
    SfuTrunkState s = {0};
    SfuTensor *time = NULL, *hint = NULL;
    if (use->weight == 0)
        return TRUE;
    SfuDenoiserInput own = *in;
    own.class_labels = NULL;
    SfuTensor *x = cut_input(n, in->x, n_samples, error);
    own.x = x;
    if (x && (!n->hint || n->hint->h != x->h || n->hint->w != x->w)) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    "%s has a picture for latents of %d x %d, was given %d x %d", sfu_model_path(t->net.model),
                    n->hint ? n->hint->w : 0, n->hint ? n->hint->h : 0, x->w, x->h);
        sfu_tensor_destroy(x);
        return FALSE;
    }
    const gboolean ok =
        x && sfu_trunk_check(t, &own, error) && (time = sfu_trunk_embed(t, &own, error)) &&
        (hint = spread_hint(n, n_samples, error)) && sfu_trunk_begin(t, &s, x, n->several ? NULL : hint, error) &&
        (!n->several || sfu_union_mix(n->several, &s, hint, error)) && sfu_trunk_down(t, &s, time, NULL, 0, error) &&
        sfu_trunk_middle(t, &s, time, error) && add_all(n, sum, &s, use, in->x->n, error);
    sfu_trunk_state_clear(&s);
    sfu_tensor_destroy(hint);
    sfu_tensor_destroy(time);
    sfu_tensor_destroy(x);
    return ok;
}

static const SfuControlClass net_class = {net_destroy,       net_set_wrap,    net_forget, net_set_type,
                                          net_set_condition, net_set_picture, net_add};

SfuControl *sfu_control_net(SfuQueue *q, SfuModel *model, GError **error)
{
    Net *n = net_bound(q, model);
    if (!sfu_net_check(&n->trunk.net, error)) {
        net_destroy(n);
        return NULL;
    }
    const SfuControl c = {.class = &net_class,
                          .net = n,
                          .channels = (int)sfu_weight_dim(n->hints[0].w, 1),
                          .n_types = sfu_model_control(model)->n_types,
                          .pools = n->pools};
    return g_memdup2(&c, sizeof c);
}

/* ---- sums ---- */

void sfu_control_sum_clear(SfuControlSum *s)
{
    for (int i = 0; i < s->n_down; i++)
        sfu_tensor_destroy(s->down[i]);
    g_free(s->down);
    sfu_tensor_destroy(s->middle);
    for (int i = 0; i < s->n_features; i++)
        sfu_tensor_destroy(s->features[i]);
    sfu_tensor_destroy(s->first);
    *s = (SfuControlSum){0};
}

SfuResiduals sfu_control_sum_residuals(const SfuControlSum *s)
{
    return (SfuResiduals){.down = s->down,
                          .n_down = s->n_down,
                          .middle = s->middle,
                          .features = s->features,
                          .n_features = s->n_features,
                          .first = s->first,
                          .within = s->within,
                          .n_within = s->n_within};
}
