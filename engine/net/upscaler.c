/* Upscaler networks behind one face, and the ways up that transformers share.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/upscaler.h"
#include "net/upscaler_parts.h"
#include <glib/gi18n-lib.h>

struct SfuUpscaler {
    SfuNet net;
    const SfuUpscalerConfig *config; /* the model's */
    const SfuUpscalerKind *kind;
    gpointer network;
    SfuUpscalerProgress progress;
    gpointer progress_data;
};

SfuUpscaler *sfu_upscaler_create(SfuQueue *q, SfuModel *m, const SfuUpscalerKind *kind, GError **error)
{
    if (!kind) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, _("%s is not an upscaler network"),
                    sfu_model_path(m));
        return NULL;
    }
    SfuUpscaler *u = g_new0(SfuUpscaler, 1);
    sfu_net_init(&u->net, q, m, SFU_PART_UPSCALER);
    u->config = sfu_model_upscaler(m);
    u->kind = kind;
    u->network = kind->bind(&u->net, u->config);
    if (sfu_net_check(&u->net, error) && sfu_model_check_finite(m, SFU_PART_UPSCALER, error))
        return u;
    sfu_upscaler_destroy(u);
    return NULL;
}

void sfu_upscaler_expect(SfuModel *m, const SfuUpscalerKind *kind)
{
    SfuNet net = {0};
    sfu_net_init(&net, NULL, m, SFU_PART_UPSCALER);
    kind->free(kind->bind(&net, sfu_model_upscaler(m)));
    sfu_net_note(&net);
    sfu_net_finish(&net);
}

void sfu_upscaler_destroy(SfuUpscaler *u)
{
    if (!u)
        return;
    u->kind->free(u->network);
    sfu_net_finish(&u->net);
    g_free(u);
}

int sfu_upscaler_scale(const SfuUpscaler *u)
{
    return u->config->scale;
}
gboolean sfu_upscaler_sees_all(const SfuUpscaler *u)
{
    return u->kind->sees_all;
}

int sfu_upscaler_margin_px(const SfuUpscaler *u)
{
    return u->kind->margin(u->config);
}
int sfu_upscaler_multiple(const SfuUpscaler *u)
{
    return u->config->multiple ? u->config->multiple : u->config->unshuffle;
}
int sfu_upscaler_padded(const SfuUpscaler *u, int size)
{
    /* spandrel, and so the programs that use it, fill up to 4 for any ESRGAN that begins by folding pixels. */
    const int m = u->config->unshuffle == 2 && !u->config->multiple ? 4 : MAX(1, sfu_upscaler_multiple(u));
    return (MAX(size, u->config->least_px) + m - 1) / m * m;
}
gboolean sfu_upscaler_pads_black(const SfuUpscaler *u)
{
    return u->config->pads_black;
}

int sfu_upscaler_channels(const SfuUpscaler *u)
{
    return u->config->channels;
}

int sfu_upscaler_noise(const SfuUpscaler *u)
{
    return u->config->noise;
}

/* Picture and result once more, where the host's memory is the device's. */
static double host_bytes(const SfuUpscaler *u, double w, double h)
{
    const int s = u->config->scale;
    return sfu_queue_device(u->net.q)->unified_memory ? w * h * u->config->channels * (1 + s * s) * sizeof(float) : 0;
}

gint64 sfu_upscaler_bytes(const SfuUpscaler *u, int w, int h)
{
    const SfuUpscalerConfig *c = u->config;
    const double size = (double)sfu_dtype_bytes(sfu_queue_act_dtype(u->net.q)), px = (double)w * h;
    const guint64 most = sfu_queue_device(u->net.q)->max_alloc_bytes;
    /* The two that cannot be cut into bands: the result, and a trunk of features at the input's size. */
    const double largest =
        MAX(px * c->scale * c->scale * c->channels, px / (c->unshuffle * c->unshuffle) * c->features);
    if (largest >= 2147483647.0 || (most && largest * size > (double)most))
        return G_MAXINT64;
    return (gint64)MIN(u->kind->values(c, w, h) * size + host_bytes(u, w, h), 9e18);
}

void sfu_upscaler_set_progress(SfuUpscaler *u, SfuUpscalerProgress fn, gpointer data)
{
    u->progress = fn;
    u->progress_data = data;
}

gboolean sfu_upscaler_step(const SfuUpscalerPass *p, double done, GError **error)
{
    return !p->progress || (sfu_queue_finish(p->net->q, error) && p->progress(done, p->progress_data, error));
}

gboolean sfu_upscaler_forward(SfuUpscaler *u, SfuTensor **out, const SfuTensor *x, const SfuTensor *noise,
                              GError **error)
{
    const int multiple = sfu_upscaler_multiple(u);
    *out = NULL;
    if (x->n != 1 || x->c != u->config->channels || x->h % multiple || x->w % multiple ||
        MIN(x->h, x->w) < u->config->least_px) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("%s takes one picture of %d channels in multiples of %d, was given %d of %d x %d x %d"),
                    sfu_model_path(u->net.model), u->config->channels, multiple, x->n, x->w, x->h, x->c);
        return FALSE;
    }
    if ((noise ? noise->c : 0) != u->config->noise || (noise && (noise->h != x->h || noise->w != x->w))) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("%s needs %d channels of noise beside the picture, was given %d"), sfu_model_path(u->net.model),
                    u->config->noise, noise ? noise->c : 0);
        return FALSE;
    }
    u->net.dtype = sfu_queue_act_dtype(u->net.q);
    SfuTensor *z = noise ? sfu_net_input(&u->net, noise, error) : NULL;
    if (noise && !z)
        return FALSE;
    const SfuUpscalerPass pass = {.net = &u->net,
                                  .c = u->config,
                                  .network = u->network,
                                  .noise = z,
                                  .progress = u->progress,
                                  .room = (gint64)sfu_net_room(u->net.q) - (gint64)host_bytes(u, x->w, x->h),
                                  .progress_data = u->progress_data};
    SfuTensor *in = sfu_net_input(&u->net, x, error);
    *out = in ? u->kind->run(&pass, in, error) : NULL;
    sfu_tensor_destroy(z);
    return *out != NULL;
}

/* ---- shared parts ---- */

SfuTensor *sfu_upscaler_conv(const SfuNet *net, const SfuTensor *x, const SfuLayer *l, SfuUpscalerConv how,
                             GError **error)
{
    const SfuConv conv = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .upsample2 = how.up};
    const SfuEpilogue e = {.bias = l->b, .act = how.act, .act_param = how.slope};
    SfuTensor *y = sfu_tensor_create(net->q, net->dtype, x->n, x->h << how.up, x->w << how.up, how.out, error);
    if (y && !sfu_conv2d(net->q, y, x, l->w, &conv, &e, error))
        sfu_net_drop(&y);
    return y;
}

/* 3x3 from the channels that the file says to `out`. */
static SfuLayer bind_any(SfuNet *net, const char *name, int out, int in)
{
    return sfu_net_conv(net, "", name, out, in, 3, TRUE);
}

void sfu_upsampler_bind(SfuNet *net, const SfuUpscalerConfig *c, SfuUpsamplerTail *t)
{
    char name[32], weight[48];
    t->width = MAX(1, sfu_net_dim(net, "", "conv_before_upsample.0.weight", 0));
    if (c->upsampler == SFU_UPSAMPLER_NEAREST || c->upsampler == SFU_UPSAMPLER_SHUFFLE) {
        t->before = bind_any(net, "conv_before_upsample.0", t->width, c->features);
        t->last = bind_any(net, "conv_last", c->channels, t->width);
    } else if (c->upsampler == SFU_UPSAMPLER_NONE)
        t->last = bind_any(net, "conv_last", c->channels, c->features);
    else
        t->up[0] = bind_any(net, "upsample.0", c->channels * c->scale * c->scale, c->features);
    if (c->upsampler == SFU_UPSAMPLER_NEAREST)
        t->hr = bind_any(net, "conv_hr", t->width, t->width);
    for (int i = 0; i < c->n_stages && c->upsampler != SFU_UPSAMPLER_SHUFFLE_DIRECT; i++) {
        if (c->upsampler == SFU_UPSAMPLER_SHUFFLE)
            g_snprintf(name, sizeof name, "upsample.%d", 2 * i);
        else
            g_snprintf(name, sizeof name, "conv_up%d", i + 1);
        g_snprintf(weight, sizeof weight, "%s.weight", name);
        const int out = MAX(1, sfu_net_dim(net, "", weight, 0));
        t->factor[i] = 1;
        while (t->factor[i] * t->factor[i] * t->width < out)
            t->factor[i]++;
        t->up[i] = bind_any(net, name, out, t->width);
    }
}

SfuTensor *sfu_upscaler_depthwise(const SfuNet *net, const SfuTensor *x, const SfuLayer *l, SfuAct act, GError **error)
{
    const SfuConv conv = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .groups = x->c};
    const SfuEpilogue e = {.bias = l->b, .act = act};
    SfuTensor *y = sfu_net_like(net, x, x->c, error);
    if (y && !sfu_conv2d(net->q, y, x, l->w, &conv, &e, error))
        sfu_net_drop(&y);
    return y;
}

SfuTensor *sfu_upscaler_shuffle(const SfuNet *net, SfuTensor *x, const SfuLayer *l, int factor, int out, GError **error)
{
    if (!x)
        return NULL;
    SfuTensor *wide = sfu_upscaler_conv(net, x, l, (SfuUpscalerConv){.out = out * factor * factor}, error);
    SfuTensor *y = wide ? sfu_tensor_create(net->q, net->dtype, 1, x->h * factor, x->w * factor, out, error) : NULL;
    if (y && !sfu_pixel_shuffle(net->q, y, wide, factor, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(wide);
    sfu_tensor_destroy(x);
    return y;
}

/* x is taken. */
static SfuTensor *conv_on(const SfuNet *net, SfuTensor *x, const SfuLayer *l, SfuUpscalerConv how, GError **error)
{
    SfuTensor *y = x ? sfu_upscaler_conv(net, x, l, how, error) : NULL;
    sfu_tensor_destroy(x);
    return y;
}

SfuTensor *sfu_upsampler_run(const SfuNet *net, const SfuUpscalerConfig *c, const SfuUpsamplerTail *t, SfuTensor *x,
                             const SfuTensor *picture, GError **error)
{
    switch (c->upsampler) {
    case SFU_UPSAMPLER_SHUFFLE:
        x = conv_on(net, x, &t->before, (SfuUpscalerConv){.out = t->width, .act = SFU_ACT_LEAKY_RELU, .slope = 0.01f},
                    error);
        for (int i = 0; x && i < c->n_stages; i++)
            x = sfu_upscaler_shuffle(net, x, &t->up[i], t->factor[i], t->width, error);
        return conv_on(net, x, &t->last, (SfuUpscalerConv){.out = c->channels}, error);
    case SFU_UPSAMPLER_SHUFFLE_DIRECT:
        return sfu_upscaler_shuffle(net, x, &t->up[0], c->scale, c->channels, error);
    case SFU_UPSAMPLER_NEAREST:
        x = conv_on(net, x, &t->before, (SfuUpscalerConv){.out = t->width, .act = SFU_ACT_LEAKY_RELU, .slope = 0.01f},
                    error);
        for (int i = 0; i < c->n_stages; i++)
            x = conv_on(net, x, &t->up[i],
                        (SfuUpscalerConv){.out = t->width, .up = TRUE, .act = SFU_ACT_LEAKY_RELU, .slope = 0.2f},
                        error);
        x = conv_on(net, x, &t->hr, (SfuUpscalerConv){.out = t->width, .act = SFU_ACT_LEAKY_RELU, .slope = 0.2f},
                    error);
        return conv_on(net, x, &t->last, (SfuUpscalerConv){.out = c->channels}, error);
    default:
        x = conv_on(net, x, &t->last, (SfuUpscalerConv){.out = c->channels}, error);
        if (x && !sfu_axpby(net->q, x, 1, x, 1, picture, error))
            sfu_net_drop(&x);
        return x;
    }
}

/* ---- a group's last convolution ---- */

void sfu_trunk_conv_bind(SfuNet *net, SfuLayer conv[3], const char *prefix, int f)
{
    char *numbered = g_strconcat(prefix, ".", NULL);
    const gboolean single = !sfu_model_count(net->model, net->part, numbered, 1);
    g_free(numbered);
    if (single) {
        conv[0] = sfu_net_conv(net, prefix, "", f, f, 3, TRUE);
        return;
    }
    const int waist = MAX(1, sfu_net_dim(net, prefix, "0.weight", 0));
    conv[0] = sfu_net_conv(net, prefix, "0", waist, f, 3, TRUE);
    conv[1] = sfu_net_linear(net, prefix, "2", waist, waist, TRUE);
    conv[2] = sfu_net_conv(net, prefix, "4", f, waist, 3, TRUE);
}

SfuTensor *sfu_trunk_conv_run(const SfuNet *net, const SfuLayer conv[3], SfuTensor *x, const SfuTensor *residual,
                              GError **error)
{
    const int f = residual->c;
    const SfuLayer *last = conv[1].w ? &conv[2] : &conv[0];
    if (conv[1].w) {
        const int waist = (int)sfu_weight_dim(conv[0].w, 0);
        const SfuEpilogue e = {.bias = conv[1].b, .act = SFU_ACT_LEAKY_RELU, .act_param = 0.2f};
        SfuTensor *a = sfu_upscaler_conv(net, x, &conv[0],
                                         (SfuUpscalerConv){.out = waist, .act = SFU_ACT_LEAKY_RELU, .slope = 0.2f},
                                         error),
                  *b = a ? sfu_net_like(net, a, waist, error) : NULL;
        sfu_tensor_destroy(x);
        if (b && !sfu_linear(net->q, b, a, conv[1].w, &e, error))
            sfu_net_drop(&b);
        sfu_tensor_destroy(a);
        if (!(x = b))
            return NULL;
    }
    SfuTensor *y = sfu_net_like(net, residual, f, error);
    if (y && !sfu_net_conv3(net, y, x, last, residual, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(x);
    return y;
}
