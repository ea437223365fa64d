/* T2I-Adapter (Mou 2023, section 3.2; diffusers' T2IAdapter, full and light, and the full one for XL): reads the
 * picture once, and gives a feature for each level of the UNet's way down. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/control.h"
#include "net/parts.h"

#define MOST_RESNETS 8

typedef struct {
    SfuLayer in, out; /* w NULL: none */
    SfuLayer block1[MOST_RESNETS], block2[MOST_RESNETS];
    int n_resnets, c_out;
    gboolean halves;
} Body;

typedef struct {
    SfuNet net;
    gboolean light;
    int unshuffle, channels, n_bodies;
    SfuLayer conv_in;
    Body bodies[SFU_MAX_BLOCKS];
    SfuWeight *quarter[SFU_MAX_BLOCKS];  /* of the mean over 2 x 2 pixels before that body; NULL: not halved */
    SfuTensor *features[SFU_MAX_BLOCKS]; /* of the picture, [1, h, w, c]; NULL: no picture yet */
} Net;

/* ---- binding ---- */

/* 1 / 4 for each of 2 x 2 pixels, [c, 1, 2, 2]. */
static SfuWeight *mean_of_four(SfuNet *net, int c)
{
    const gint64 dims[] = {c, 1, 2, 2};
    float *v = g_new(float, (gsize)c * 4);
    for (int i = 0; i < c * 4; i++)
        v[i] = 0.25f;
    return sfu_net_own(net, "mean of four", v, 4, dims);
}

static void bind_body(Net *n, int i, int *c)
{
    SfuNet *net = &n->net;
    Body *b = &n->bodies[i];
    char body[40], name[64], prefix[80];
    g_snprintf(body, sizeof body, "adapter.body.%d", i);
    g_snprintf(prefix, sizeof prefix, "%s.resnets.", body);
    b->n_resnets = CLAMP(sfu_model_count(net->model, net->part, prefix, MOST_RESNETS), 1, MOST_RESNETS);
    /* The light one halves before every level but the first, the full one too; the one for XL before the third. */
    b->halves = i > 0 && (n->unshuffle == 8 || i == 2);
    if (b->halves)
        n->quarter[i] = mean_of_four(net, *c);
    const int wide = sfu_net_dim(net, body, "in_conv.weight", 0);
    if (wide || n->light) {
        b->in = sfu_net_linear(net, body, "in_conv", MAX(wide, 1), *c, TRUE);
        *c = MAX(wide, 1);
    }
    for (int j = 0; j < b->n_resnets; j++) {
        g_snprintf(name, sizeof name, "resnets.%d", j);
        g_snprintf(prefix, sizeof prefix, "%s.%s", body, name);
        b->block1[j] = sfu_net_conv(net, prefix, "block1", *c, *c, 3, TRUE);
        b->block2[j] = sfu_net_conv(net, prefix, "block2", *c, *c, n->light ? 3 : 1, TRUE);
    }
    if (n->light) {
        const int out = MAX(1, sfu_net_dim(net, body, "out_conv.weight", 0));
        b->out = sfu_net_linear(net, body, "out_conv", out, *c, TRUE);
        *c = out;
    }
    b->c_out = *c;
}

static Net *net_bound(SfuQueue *q, SfuModel *model)
{
    Net *n = g_new0(Net, 1);
    SfuNet *net = &n->net;
    const SfuControlConfig *k = sfu_model_control(model);
    sfu_net_init(net, q, model, SFU_PART_ADAPTER);
    n->unshuffle = k->unshuffle;
    n->channels = k->picture_channels;
    n->light = k->light;
    n->n_bodies = k->n_levels;
    int c = n->channels * n->unshuffle * n->unshuffle;
    if (!n->light) {
        const int out = MAX(1, sfu_net_dim(net, "adapter", "conv_in.weight", 0));
        n->conv_in = sfu_net_conv(net, "adapter", "conv_in", out, c, 3, TRUE);
        c = out;
    }
    for (int i = 0; i < n->n_bodies; i++)
        bind_body(n, i, &c);
    return n;
}

static void drop_features(Net *n)
{
    for (int i = 0; i < SFU_MAX_BLOCKS; i++)
        sfu_net_drop(&n->features[i]);
}

static void net_destroy(gpointer net)
{
    drop_features(net);
    sfu_net_finish(&((Net *)net)->net);
    g_free(net);
}

void sfu_control_adapter_expect(SfuModel *model)
{
    Net *n = net_bound(NULL, model);
    sfu_net_note(&n->net);
    net_destroy(n);
}

/* ---- passes ---- */

static void net_set_wrap(gpointer net, int wrap)
{
    ((Net *)net)->net.wrap = wrap;
}

static void net_forget(gpointer net)
{
    drop_features(net);
}

typedef struct {
    SfuAct act;
    const SfuTensor *residual;
    gboolean three; /* 3x3, else 1x1 */
    gboolean keep;  /* the input is borrowed, else taken */
} Convolution;

static SfuTensor *convolve(const SfuNet *net, const SfuLayer *l, SfuTensor *x, Convolution how, GError **error)
{
    const SfuEpilogue e = {.bias = l->b, .act = how.act, .residual = how.residual};
    const SfuConv same = sfu_net_same(net);
    SfuTensor *y = sfu_net_like(net, x, (int)sfu_weight_dim(l->w, 0), error);
    if (y &&
        !(how.three ? sfu_conv2d(net->q, y, x, l->w, &same, &e, error) : sfu_linear(net->q, y, x, l->w, &e, error)))
        sfu_net_drop(&y);
    if (!how.keep)
        sfu_tensor_destroy(x);
    return y;
}

/* Means of 2 x 2 pixels, at an odd edge of those that there are; x is taken. */
static SfuTensor *halve(const SfuNet *net, SfuWeight *quarter, SfuTensor *x, GError **error)
{
    const int h = (x->h + 1) / 2, w = (x->w + 1) / 2;
    const SfuConv conv = {.stride = 2, .groups = x->c};
    SfuTensor *even = sfu_tensor_create(net->q, net->dtype, x->n, 2 * h, 2 * w, x->c, error), *y = NULL;
    if (even && sfu_pad(net->q, even, x, 0, 0, SFU_PAD_EDGE, error) &&
        (y = sfu_tensor_create(net->q, net->dtype, x->n, h, w, x->c, error)) &&
        !sfu_conv2d(net->q, y, even, quarter, &conv, NULL, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(even);
    sfu_tensor_destroy(x);
    return y;
}

/* x is taken. */
static SfuTensor *run_body(const Net *n, int i, SfuTensor *x, GError **error)
{
    const Body *b = &n->bodies[i];
    const SfuNet *net = &n->net;
    if (b->halves)
        x = halve(net, n->quarter[i], x, error);
    if (x && b->in.w)
        x = convolve(net, &b->in, x, (Convolution){0}, error);
    for (int j = 0; x && j < b->n_resnets; j++) {
        SfuTensor *h =
            convolve(net, &b->block1[j], x, (Convolution){.act = SFU_ACT_RELU, .three = TRUE, .keep = TRUE}, error);
        SfuTensor *y =
            h ? convolve(net, &b->block2[j], h, (Convolution){.residual = x, .three = n->light}, error) : NULL;
        sfu_tensor_destroy(x);
        x = y;
    }
    return x && b->out.w ? convolve(net, &b->out, x, (Convolution){0}, error) : x;
}

/* PyTorch's PixelUnshuffle on the host, beyond the edges the edge again: [h / r, w / r, c r r]. */
static SfuTensor *unshuffled(const Net *n, const float *picture, int h, int w, GError **error)
{
    const int r = n->unshuffle, c = n->channels, oh = (h + r - 1) / r, ow = (w + r - 1) / r, oc = c * r * r;
    float *v = g_new(float, (gsize)oh *ow *oc);
    for (int y = 0; y < oh * r; y++)
        for (int x = 0; x < ow * r; x++)
            for (int k = 0; k < c; k++)
                v[((gsize)(y / r) * ow + x / r) * oc + (k * r + y % r) * r + x % r] =
                    picture[((gsize)MIN(y, h - 1) * w + MIN(x, w - 1)) * c + k];
    SfuTensor *host = sfu_tensor_create(n->net.q, SFU_F32, 1, oh, ow, oc, error), *x = NULL;
    if (host && sfu_tensor_write(host, v, error))
        x = sfu_net_input(&n->net, host, error);
    sfu_tensor_destroy(host);
    g_free(v);
    return x;
}

static gboolean net_set_picture(gpointer net, const float *picture, int h, int w, GError **error)
{
    Net *n = net;
    drop_features(n);
    SfuTensor *x = unshuffled(n, picture, h, w, error);
    if (x && !n->light)
        x = convolve(&n->net, &n->conv_in, x, (Convolution){.three = TRUE}, error);
    for (int i = 0; x && i < n->n_bodies; i++) {
        x = run_body(n, i, x, error);
        if (x && !(n->features[i] = sfu_tensor_view(x, 0, 1, x->h, x->w, x->c, error)))
            sfu_net_drop(&x);
    }
    sfu_tensor_destroy(x);
    return x != NULL;
}

static gboolean net_add(gpointer net, SfuControlSum *sum, const SfuDenoiserInput *in, const SfuControlUse *use,
                        GError **error)
{
    Net *n = net;
    const SfuNet *t = &n->net;
    gboolean ok = TRUE;
    if (use->weight == 0)
        return TRUE;
    if (!n->features[0]) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE, "%s has no picture", sfu_model_path(t->model));
        return FALSE;
    }
    for (int i = 0; ok && i < n->n_bodies; i++) {
        SfuTensor *f = n->features[i];
        const gboolean fresh = !sum->features[i];
        if (fresh)
            sum->features[i] = sfu_net_like(t, f, f->c, error);
        ok = sum->features[i] && sfu_axpby(t->q, sum->features[i], (float)use->weight, f, fresh ? 0 : 1,
                                           fresh ? NULL : sum->features[i], error);
    }
    sum->n_features = MAX(sum->n_features, n->n_bodies);
    return ok;
}

static const SfuControlClass net_class = {.destroy = net_destroy,
                                          .set_wrap = net_set_wrap,
                                          .forget = net_forget,
                                          .set_picture = net_set_picture,
                                          .add = net_add};

SfuControl *sfu_control_adapter(SfuQueue *q, SfuModel *model, GError **error)
{
    Net *n = net_bound(q, model);
    if (!sfu_net_check(&n->net, error)) {
        net_destroy(n);
        return NULL;
    }
    const SfuControl c = {.class = &net_class, .net = n, .channels = n->channels};
    return g_memdup2(&c, sizeof c);
}
