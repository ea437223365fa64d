/* From pictures to latents and back: AutoencoderKL and TAESD behind one face. Pipelines know this and no network.
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

/* Made by a network's file (sfu_vae_autoencoder(), sfu_taesd_autoencoder()); the fields are for reading. */
typedef struct {
    const SfuAutoencoderClass *class;
    gpointer net;         /* owned */
    int factor;           /* pixels a latent side */
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

/* Bytes that activations may take, and those that a pass over h x w latents takes, without the weights. */
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

/* SfuWrap bits: along these axes later passes treat the picture as continuing at its other side. */
static inline void sfu_autoencoder_set_wrap(SfuAutoencoder *a, int wrap)
{
    a->class->set_wrap(a->net, wrap);
}

/* NULL with MISSING. The model is borrowed. */
SfuAutoencoder *sfu_vae_autoencoder(SfuQueue *q, SfuModel *model, GError **error);
SfuAutoencoder *sfu_taesd_autoencoder(SfuQueue *q, SfuModel *model, GError **error);
SfuAutoencoder *sfu_pixels_autoencoder(SfuQueue *q); /* squares of 2 x 2 pixels as 12 channels */
/* One whose latents are squares of 2 x 2 of the inner one's (taken), of four times the channels, less `mean` and
 * divided by `deviation` [channels], both copied; NULL: the inner one's are normalized already. */
SfuAutoencoder *sfu_packed_autoencoder(SfuQueue *q, SfuAutoencoder *inner, const float *mean, const float *deviation);

G_END_DECLS
#endif
