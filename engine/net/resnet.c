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

SfuTensor *sfu_resnet_run(const SfuNet *net, const SfuResnet *r, SfuTensor *x, SfuTensor **moments, gboolean shared,
                          const SfuTensor *time, GError **error)
{
    SfuQueue *q = net->q;
    SfuTensor *skip = NULL, *chan = NULL, *y = NULL, *out = NULL, *mid = NULL, *end = NULL;
    const SfuEpilogue shortcut = {.bias = r->shortcut.b}, linear = {.bias = r->time.b};

    /* The shortcut first: then the norm may overwrite x, which in an autoencoder is the largest tensor of all. */
    if (r->shortcut.w &&
        (!(skip = sfu_net_like(net, x, r->c_out, error)) || !sfu_linear(q, skip, x, r->shortcut.w, &shortcut, error)))
        goto out;
    if (r->time.w &&
        (!(chan = sfu_net_like(net, time, r->c_out, error)) || !sfu_linear(q, chan, time, r->time.w, &linear, error)))
        goto out;
    if (!(y = sfu_net_like(net, x, r->c_out, error)) || !sfu_net_moments(net, &mid, y, error) ||
        !sfu_net_moments(net, &end, y, error))
        goto out;
    const SfuEpilogue first = {.bias = r->conv1.b, .chan = chan, .moments = mid};
    const SfuNormInput in = {x, *moments, .spend = r->shortcut.w && !shared}, between = {y, mid, .spend = TRUE};
    if (!sfu_norm_conv_run(net, y, in, r->norm1, &r->conv1, &first, error))
        goto out;
    if (r->shortcut.w)
        sfu_net_drop(&x);
    /* Added where it stands: to the shortcut's result, to x if nobody else reads it, or from x into a tensor of our
     * own. */
    if (x && shared && !(skip = sfu_net_like(net, x, r->c_out, error)))
        goto out;
    SfuTensor *sum = skip ? skip : x;
    const SfuEpilogue second = {.bias = r->conv2.b, .residual = x ? x : skip, .moments = end};
    if (!sfu_norm_conv_run(net, sum, between, r->norm2, &r->conv2, &second, error) ||
        !sfu_net_trace(net, sum, error, "%s", r->name))
        goto out;
    out = sum;
    *(sum == x ? &x : &skip) = NULL;
out:
    sfu_tensor_destroy(mid);
    sfu_tensor_destroy(*moments);
    *moments = end;
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(skip);
    sfu_tensor_destroy(chan);
    sfu_tensor_destroy(y);
    return out;
}

SfuTensor *sfu_upsample_run(const SfuNet *net, const SfuLayer *conv, SfuTensor *x, int to_h, int to_w,
                            SfuTensor **moments, GError **error)
{
    SfuTensor *y = sfu_tensor_create(net->q, net->dtype, x->n, to_h, to_w, x->c, error), *wide = NULL, *cut = NULL;
    const SfuConv same = sfu_net_same(net);
    SfuConv twice = same;
    twice.upsample2 = TRUE;
    gboolean ok = y && (!moments || sfu_net_moments(net, moments, y, error));
    const SfuEpilogue e = {.bias = conv->b, .moments = ok && moments ? *moments : NULL};
    if (ok && to_h == 2 * x->h && to_w == 2 * x->w)
        ok = sfu_conv2d(net->q, y, x, conv->w, &twice, &e, error);
    else if (ok)
        /* Nearest neighbor to 2n - 1 is that to 2n with the last one cut off; the convolution's padding then starts
         * there. */
        ok = (wide = sfu_tensor_create(net->q, net->dtype, x->n, 2 * x->h, 2 * x->w, x->c, error)) &&
             (cut = sfu_tensor_create(net->q, net->dtype, x->n, to_h, to_w, x->c, error)) &&
             sfu_upsample_nearest(net->q, wide, x, error) && sfu_pad(net->q, cut, wide, 0, 0, SFU_PAD_ZERO, error) &&
             sfu_conv2d(net->q, y, cut, conv->w, &same, &e, error);
    sfu_tensor_destroy(wide);
    sfu_tensor_destroy(cut);
    sfu_tensor_destroy(x);
    if (!ok)
        sfu_net_drop(&y);
    return y;
}
