/* Residual blocks and enlargements, as UNets and autoencoders have them.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/parts.h"

void sfu_resnet_bind(SfuNet *net, SfuResnet *r, const char *name, SfuResnetShape s)
{
    *r = (SfuResnet){.c_in = s.c_in, .c_out = s.c_out};
    g_strlcpy(r->name, name, sizeof r->name);
    r->norm1 = (SfuGroupNorm){sfu_net_norm(net, name, "norm1", s.c_in), s.n_groups, s.eps};
    r->conv1 = sfu_net_conv(net, name, "conv1", s.c_out, s.c_in, 3, TRUE);
    if (s.time_c)
        r->time = sfu_net_linear(net, name, "time_emb_proj", s.c_out, s.time_c, TRUE);
    r->norm2 = (SfuGroupNorm){sfu_net_norm(net, name, "norm2", s.c_out), s.n_groups, s.eps};
    r->conv2 = sfu_net_conv(net, name, "conv2", s.c_out, s.c_out, 3, TRUE);
    if (s.c_in != s.c_out)
        r->shortcut = sfu_net_linear(net, name, "conv_shortcut", s.c_out, s.c_in, TRUE);
}

gboolean sfu_resnet_run(const SfuNet *net, const SfuResnet *r, SfuFeature *f, const SfuTensor *time, GError **error)
{
    SfuQueue *q = net->q;
    SfuFeature end = {0};
    SfuTensor *x = f->x, *skip = NULL, *chan = NULL, *y = NULL, *mid = NULL;
    const SfuEpilogue shortcut = {.bias = r->shortcut.b}, linear = {.bias = r->time.b};

    /* The shortcut first: then the norm may overwrite x, which in an autoencoder is the largest tensor of all. */
    if (r->shortcut.w &&
        (!(skip = sfu_net_like(net, x, r->c_out, error)) || !sfu_linear(q, skip, x, r->shortcut.w, &shortcut, error)))
        goto out;
    if (r->time.w &&
        (!(chan = sfu_net_like(net, time, r->c_out, error)) || !sfu_linear(q, chan, time, r->time.w, &linear, error)))
        goto out;
    if (!(y = sfu_net_like(net, x, r->c_out, error)) || !sfu_net_moments(net, &mid, y, error) ||
        !sfu_net_moments(net, &end.moments, y, error))
        goto out;
    const SfuEpilogue first = {.bias = r->conv1.b, .chan = chan, .moments = mid};
    const SfuNormInput in = {x, f->moments, .spend = r->shortcut.w && !f->shared}, between = {y, mid, .spend = TRUE};
    if (!sfu_norm_conv_run(net, y, in, r->norm1, &r->conv1, &first, error))
        goto out;
    if (r->shortcut.w)
        sfu_net_drop(&f->x);
    /* Added where it stands: to the shortcut's result, to x if nobody else reads it, or from x into a tensor of our
     * own. */
    if (f->x && f->shared && !(skip = sfu_net_like(net, f->x, r->c_out, error)))
        goto out;
    SfuTensor *sum = skip ? skip : f->x;
    const SfuEpilogue second = {.bias = r->conv2.b, .residual = f->x ? f->x : skip, .moments = end.moments};
    if (!sfu_norm_conv_run(net, sum, between, r->norm2, &r->conv2, &second, error) ||
        !sfu_net_trace(net, sum, error, "%s", r->name))
        goto out;
    end.x = sum;
    *(sum == f->x ? &f->x : &skip) = NULL;
out:
    if (!end.x)
        sfu_net_drop(&end.moments);
    sfu_tensor_destroy(mid);
    sfu_tensor_destroy(skip);
    sfu_tensor_destroy(chan);
    sfu_tensor_destroy(y);
    sfu_feature_clear(f);
    *f = end;
    return f->x != NULL;
}

gboolean sfu_upsample_run(const SfuNet *net, const SfuLayer *conv, SfuFeature *f, int to_h, int to_w, gboolean normed,
                          GError **error)
{
    SfuTensor *x = f->x, *wide = NULL, *cut = NULL;
    SfuFeature end = {.x = sfu_tensor_create(net->q, net->dtype, x->n, to_h, to_w, x->c, error)};
    const SfuConv same = sfu_net_same(net);
    SfuConv twice = same;
    twice.upsample2 = TRUE;
    gboolean ok = end.x && (!normed || sfu_net_moments(net, &end.moments, end.x, error));
    const SfuEpilogue e = {.bias = conv->b, .moments = end.moments};
    if (ok && to_h == 2 * x->h && to_w == 2 * x->w)
        ok = sfu_conv2d(net->q, end.x, x, conv->w, &twice, &e, error);
    else if (ok)
        /* Nearest neighbor to 2n - 1 is that to 2n with the last one cut off; the convolution's padding then starts
         * there. */
        ok = (wide = sfu_tensor_create(net->q, net->dtype, x->n, 2 * x->h, 2 * x->w, x->c, error)) &&
             (cut = sfu_tensor_create(net->q, net->dtype, x->n, to_h, to_w, x->c, error)) &&
             sfu_upsample_nearest(net->q, wide, x, error) && sfu_pad(net->q, cut, wide, 0, 0, SFU_PAD_ZERO, error) &&
             sfu_conv2d(net->q, end.x, cut, conv->w, &same, &e, error);
    sfu_tensor_destroy(wide);
    sfu_tensor_destroy(cut);
    sfu_feature_clear(f);
    if (!ok)
        sfu_feature_clear(&end);
    *f = end;
    return ok;
}
