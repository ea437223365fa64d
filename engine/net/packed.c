/* An autoencoder whose latents the denoiser sees packed: each square of 2 x 2 latent pixels becomes one of four times
 * the channels (in the order channel, row, column), normalized by statistics that were learned with the autoencoder.
 * FLUX.2's are those of a batch norm without scale and shift.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/autoencoder.h"
#include "net/parts.h"
#include <glib/gi18n-lib.h>

#define SIDE 2

typedef struct {
    SfuAutoencoder *inner; /* owned */
    SfuQueue *q;
    SfuWeight *deviation, *mean;         /* of the packed channels, to unpack; NULL: they are normalized already */
    SfuWeight *inverse, *inverse_offset; /* to pack */
} Packed;

static void destroy(gpointer net)
{
    Packed *p = net;
    sfu_autoencoder_destroy(p->inner);
    sfu_weight_destroy(p->deviation);
    sfu_weight_destroy(p->mean);
    sfu_weight_destroy(p->inverse);
    sfu_weight_destroy(p->inverse_offset);
    g_free(p);
}

static gboolean encode(gpointer net, SfuTensor **out, const SfuTensor *x, GError **error)
{
    const Packed *p = net;
    const int c = p->inner->channels;
    SfuTensor *z = NULL, *mean = NULL;
    *out = NULL;
    if (!sfu_autoencoder_encode(p->inner, &z, x, error))
        return FALSE;
    if (z->h % SIDE || z->w % SIDE) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("the autoencoder takes pictures in multiples of %d pixels, was given %d x %d"),
                    SIDE * p->inner->factor, x->w, x->h);
        sfu_tensor_destroy(z);
        return FALSE;
    }
    SfuTensor *y = NULL;
    gboolean ok = (mean = sfu_tensor_create(p->q, z->dtype, z->n, z->h, z->w, c, error)) &&
                  sfu_slice(p->q, mean, z, 0, error) &&
                  (y = sfu_tensor_create(p->q, z->dtype, z->n, z->h / SIDE, z->w / SIDE, c * SIDE * SIDE, error)) &&
                  sfu_pixel_unshuffle(p->q, y, mean, SIDE, error) &&
                  (!p->mean || sfu_scale_channels(p->q, y, y, p->inverse, p->inverse_offset, error));
    sfu_tensor_destroy(z);
    sfu_tensor_destroy(mean);
    if (!ok)
        sfu_net_drop(&y);
    *out = y;
    return ok;
}

/* Packed and normalized latents as the inner autoencoder has them; caller frees. */
static SfuTensor *unpack(const Packed *p, const SfuTensor *z, GError **error)
{
    if (z->c != p->inner->channels * SIDE * SIDE) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("the autoencoder decodes latents of %d channels, but was given %d"),
                    p->inner->channels * SIDE * SIDE, z->c);
        return NULL;
    }
    SfuTensor *wide = sfu_tensor_create(p->q, z->dtype, z->n, z->h, z->w, z->c, error), *y = NULL;
    const gboolean ok =
        wide &&
        (p->mean ? sfu_scale_channels(p->q, wide, z, p->deviation, p->mean, error)
                 : sfu_convert(p->q, wide, z, error)) &&
        (y = sfu_tensor_create(p->q, z->dtype, z->n, z->h * SIDE, z->w * SIDE, p->inner->channels, error)) &&
        sfu_pixel_shuffle(p->q, y, wide, SIDE, error);
    sfu_tensor_destroy(wide);
    if (!ok)
        sfu_net_drop(&y);
    return y;
}

static gboolean decode(gpointer net, SfuTensor **out, const SfuTensor *z, GError **error)
{
    const Packed *p = net;
    SfuTensor *in = unpack(p, z, error);
    *out = NULL;
    const gboolean ok = in && sfu_autoencoder_decode(p->inner, out, in, error);
    sfu_tensor_destroy(in);
    return ok;
}

static guint64 room(gconstpointer net)
{
    return sfu_autoencoder_room(((const Packed *)net)->inner);
}

static guint64 bytes(gconstpointer net, gboolean decode, int h, int w)
{
    return sfu_autoencoder_bytes(((const Packed *)net)->inner, decode, h * SIDE, w * SIDE);
}

static gboolean learn_norms(gpointer net, gboolean decode, const SfuTensor *small, GError **error)
{
    const Packed *p = net;
    if (!decode)
        return sfu_autoencoder_learn_norms(p->inner, FALSE, small, error);
    SfuTensor *in = unpack(p, small, error);
    const gboolean ok = in && sfu_autoencoder_learn_norms(p->inner, TRUE, in, error);
    sfu_tensor_destroy(in);
    return ok;
}

static void forget_norms(gpointer net)
{
    sfu_autoencoder_forget_norms(((Packed *)net)->inner);
}

static void set_wrap(gpointer net, int wrap)
{
    sfu_autoencoder_set_wrap(((Packed *)net)->inner, wrap);
}

static const SfuAutoencoderClass packed_class = {destroy, encode,      decode,       room,
                                                 bytes,   learn_norms, forget_norms, set_wrap};
static const SfuAutoencoderClass packed_without_norms = {
    .destroy = destroy, .encode = encode, .decode = decode, .room = room, .bytes = bytes, .set_wrap = set_wrap};

static SfuWeight *row(const char *name, const float *v, int n)
{
    const gint64 dims[] = {n};
    return sfu_weight_new_take(name, SFU_F32, 1, dims, g_memdup2(v, sizeof *v * (gsize)n), sizeof *v * (gsize)n);
}

SfuAutoencoder *sfu_packed_autoencoder(SfuQueue *q, SfuAutoencoder *inner, const float *mean, const float *deviation)
{
    const int c = inner->channels * SIDE * SIDE;
    Packed *p = g_new0(Packed, 1);
    p->inner = inner;
    p->q = q;
    if (mean) {
        float *v = g_new(float, c);
        p->mean = row("latent mean", mean, c);
        p->deviation = row("latent deviation", deviation, c);
        for (int i = 0; i < c; i++)
            v[i] = 1 / deviation[i];
        p->inverse = row("latent deviation, inverse", v, c);
        for (int i = 0; i < c; i++)
            v[i] = -mean[i] / deviation[i];
        p->inverse_offset = row("latent mean, scaled", v, c);
        g_free(v);
    }
    const SfuAutoencoder a = {
        inner->class->learn_norms ? &packed_class : &packed_without_norms, p, inner->factor * SIDE, c, 1, 0};
    return g_memdup2(&a, sizeof a);
}
