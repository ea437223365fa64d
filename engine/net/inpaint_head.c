/* Fooocus' inpainting head (lllyasviel 2024, github.com/lllyasviel/Fooocus): a convolution that adds what it sees of a
 * hole, its mask and the latents of the picture around it, to what a UNet's first convolution gives.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/control.h"
#include "net/parts.h"

typedef struct {
    SfuNet net;
    SfuWeight *head; /* [out, channels, 3, 3] */
    int out, channels;
    SfuTensor *hint; /* [1, h, w, out]; NULL: no picture yet */
} Head;

static Head *bound(SfuQueue *q, SfuModel *model)
{
    Head *h = g_new0(Head, 1);
    sfu_net_init(&h->net, q, model, SFU_PART_CONTROL);
    h->out = MAX(1, sfu_net_dim(&h->net, "", "head", 0));
    h->channels = MAX(1, sfu_net_dim(&h->net, "", "head", 1));
    h->head = sfu_net_tensor(&h->net, "", "head", 4, (const gint64[]){h->out, h->channels, 3, 3});
    return h;
}

static void forget(gpointer net)
{
    sfu_net_drop(&((Head *)net)->hint);
}

static void destroy(gpointer net)
{
    forget(net);
    sfu_net_finish(&((Head *)net)->net);
    g_free(net);
}

static void set_wrap(gpointer net, int wrap)
{
    ((Head *)net)->net.wrap = wrap;
}

/* values [h, w, channels]: the mask, then the latents. Edges are repeated, where the UNet sees zeros. */
static gboolean set_picture(gpointer net, const float *values, int h, int w, GError **error)
{
    Head *head = net;
    SfuQueue *q = head->net.q;
    SfuTensor *wide = sfu_tensor_create(q, SFU_F32, 1, h, w, head->channels, error), *in = NULL, *padded = NULL;
    forget(head);
    const gboolean ok = wide && sfu_tensor_write(wide, values, error) &&
                        (in = sfu_net_input(&head->net, wide, error)) &&
                        (padded = sfu_tensor_create(q, in->dtype, 1, h + 2, w + 2, head->channels, error)) &&
                        sfu_pad(q, padded, in, 1, 1, SFU_PAD_EDGE, error) &&
                        (head->hint = sfu_net_like(&head->net, in, head->out, error)) &&
                        sfu_conv2d(q, head->hint, padded, head->head, &(SfuConv){0}, NULL, error);
    sfu_tensor_destroy(wide);
    sfu_tensor_destroy(in);
    sfu_tensor_destroy(padded);
    if (!ok)
        forget(head);
    return ok;
}

static gboolean add(gpointer net, SfuControlSum *sum, const SfuDenoiserInput *in, const SfuControlUse *use,
                    GError **error)
{
    const Head *head = net;
    const float weight = (float)use->weight;
    (void)in;
    if (sum->first)
        return sfu_axpby(head->net.q, sum->first, 1, sum->first, weight, head->hint, error);
    return (sum->first = sfu_net_like(&head->net, head->hint, head->out, error)) &&
           sfu_axpby(head->net.q, sum->first, weight, head->hint, 0, head->hint, error);
}

SfuControl *sfu_inpaint_head(SfuQueue *q, SfuModel *model, GError **error)
{
    static const SfuControlClass class = {destroy, set_wrap, forget, NULL, NULL, set_picture, add};
    Head *h = bound(q, model);
    if (!sfu_net_check(&h->net, error)) {
        destroy(h);
        return NULL;
    }
    const SfuControl control = {.class = &class, .net = h, .channels = 3, .sees_latents = TRUE, .sees_hole = TRUE};
    return g_memdup2(&control, sizeof control);
}

void sfu_inpaint_head_expect(SfuModel *model)
{
    Head *h = bound(NULL, model);
    sfu_net_note(&h->net);
    destroy(h);
}
