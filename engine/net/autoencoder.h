/* Converts pictures to latents and back: one interface for AutoencoderKL, TAESD and others. Pipelines see only this
 * interface.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_AUTOENCODER_H
#define SFU_NET_AUTOENCODER_H

#include "net/net.h"

G_BEGIN_DECLS

typedef struct {
    void (*destroy)(gpointer net);
    gboolean (*encode)(gpointer net, SfuTensor **out, const SfuTensor *x, GError **error);
    gboolean (*decode)(gpointer net, SfuTensor **out, const SfuTensor *z, GError **error);
    guint64 (*room)(gconstpointer net);
    guint64 (*bytes)(gconstpointer net, gboolean decode, int h, int w);
    gboolean (*learn_norms)(gpointer net, gboolean decode, const SfuTensor *small, GError **error); /* NULL: no norms */
    void (*forget_norms)(gpointer net);
    void (*set_wrap)(gpointer net, int wrap);
} SfuAutoencoderClass;

/* A network's file makes it (sfu_vae_autoencoder(), sfu_taesd_autoencoder()). The fields are read-only. */
typedef struct {
    const SfuAutoencoderClass *class;
    gpointer net;         /* owned */
    int factor;           /* side of a latent pixel, in pixels */
    int channels;         /* of latents */
    float scaling, shift; /* the denoiser works on (mean - shift) * scaling */
} SfuAutoencoder;

static inline void sfu_autoencoder_destroy(SfuAutoencoder *a)
{
    if (a)
        a->class->destroy(a->net);
    g_free(a);
}

/* x [n, h, w, 3] in -1..1, sides multiples of the factor -> *out [n, h/f, w/f, channels or more]: the mean comes first,
 * not scaled. */
static inline gboolean sfu_autoencoder_encode(SfuAutoencoder *a, SfuTensor **out, const SfuTensor *x, GError **error)
{
    return a->class->encode(a->net, out, x, error);
}

/* z [n, h, w, channels], not scaled -> *out [n, h*f, w*f, 3], about -1..1. */
static inline gboolean sfu_autoencoder_decode(SfuAutoencoder *a, SfuTensor **out, const SfuTensor *z, GError **error)
{
    return a->class->decode(a->net, out, z, error);
}

/* How many bytes activations may take, and how many a pass over h x w latents takes, without the weights. */
static inline guint64 sfu_autoencoder_room(const SfuAutoencoder *a)
{
    return a->class->room(a->net);
}

static inline guint64 sfu_autoencoder_bytes(const SfuAutoencoder *a, gboolean decode, int h, int w)
{
    return a->class->bytes(a->net, decode, h, w);
}

/* See sfu_vae_learn_norms(). TRUE without norms. */
static inline gboolean sfu_autoencoder_learn_norms(SfuAutoencoder *a, gboolean decode, const SfuTensor *small,
                                                   GError **error)
{
    return !a->class->learn_norms || a->class->learn_norms(a->net, decode, small, error);
}

static inline void sfu_autoencoder_forget_norms(SfuAutoencoder *a)
{
    if (a->class->forget_norms)
        a->class->forget_norms(a->net);
}

/* wrap: SfuWrap bits. Along these axes, later passes treat the picture as wrapping around. */
static inline void sfu_autoencoder_set_wrap(SfuAutoencoder *a, int wrap)
{
    a->class->set_wrap(a->net, wrap);
}

/* NULL with MISSING. The model is borrowed. */
SfuAutoencoder *sfu_vae_autoencoder(SfuQueue *q, SfuModel *model, GError **error);
SfuAutoencoder *sfu_taesd_autoencoder(SfuQueue *q, SfuModel *model, GError **error);
SfuAutoencoder *sfu_pixels_autoencoder(SfuQueue *q); /* squares of 2 x 2 pixels as 12 channels */
/* Packs each 2 x 2 square of the inner autoencoder's latents into one latent pixel of four times the channels.
 * Subtracts `mean` and divides by `deviation` [channels], which are copied; NULL: the inner latents are already
 * normalized. `inner` is taken. */
SfuAutoencoder *sfu_packed_autoencoder(SfuQueue *q, SfuAutoencoder *inner, const float *mean, const float *deviation);

G_END_DECLS
#endif
