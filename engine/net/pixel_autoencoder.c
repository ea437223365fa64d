/* The autoencoder of networks that work on pixels: latents are the picture itself, each square of 2 x 2 pixels as
 * channels (torch.nn.functional.pixel_unshuffle). It has no weights.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/autoencoder.h"
#include "net/parts.h"

typedef struct {
    SfuQueue *q;
} Pixels;

static gboolean copy(gpointer net, SfuTensor **out, const SfuTensor *x, GError **error)
{
    SfuQueue *q = ((Pixels *)net)->q;
    SfuTensor *y = sfu_tensor_create(q, x->dtype, x->n, x->h, x->w, x->c, error);
    const gboolean ok = y && sfu_convert(q, y, x, error);
    if (!ok)
        sfu_net_drop(&y);
    *out = y;
    return ok;
}

static guint64 room(gconstpointer net)
{
    return sfu_net_room(((const Pixels *)net)->q);
}

/* The picture twice, and once as latents. */
static guint64 bytes(gconstpointer net, gboolean decode, int h, int w)
{
    return (guint64)w * (guint64)h * 3 * sizeof(float) * 3;
}

/* Nothing here looks at neighbors. */
static void set_wrap(gpointer net, int wrap)
{
}

static const SfuAutoencoderClass pixels_class = {
    .destroy = g_free, .encode = copy, .decode = copy, .room = room, .bytes = bytes, .set_wrap = set_wrap};

SfuAutoencoder *sfu_pixels_autoencoder(SfuQueue *q)
{
    const Pixels p = {q};
    const SfuAutoencoder a = {&pixels_class, g_memdup2(&p, sizeof p), 1, 3, 1, 0};
    return sfu_packed_autoencoder(q, g_memdup2(&a, sizeof a), NULL, NULL);
}
