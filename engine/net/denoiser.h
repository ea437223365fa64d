/* The network that a sampler asks at each step: it predicts noise (or velocity) from a noisy latent, a timestep and a
 * condition. It is a UNet or a transformer; pipelines see only this interface.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_DENOISER_H
#define SFU_NET_DENOISER_H

#include "net/net.h"

G_BEGIN_DECLS

typedef struct {
    void (*destroy)(gpointer net);
    void (*set_trace)(gpointer net, const SfuTrace *trace);
    gboolean (*set_condition)(gpointer net, const SfuCondition *condition, GError **error);
    gboolean (*forward)(gpointer net, SfuTensor **out, const SfuDenoiserInput *in, GError **error);
    void (*set_wrap)(gpointer net, int wrap); /* NULL: the network cannot make seamless pictures */
} SfuDenoiserClass;

/* A network's file makes it (sfu_unet_denoiser()). The fields are read-only. */
typedef struct {
    const SfuDenoiserClass *class;
    gpointer net; /* owned */
    int in_channels, out_channels;
    int n_classes;   /* 0: the network takes no class labels */
    int multiple;    /* the sides of latents must be multiples of this; 0: 1 */
    int token_width; /* of the condition's tokens; 0: unknown */
    int added_width; /* of the condition's pooled vector plus the embedding of its numbers; 0: takes none */
    gboolean guided; /* the guidance scale is an input, so guidance needs no second branch */
} SfuDenoiser;

static inline void sfu_denoiser_destroy(SfuDenoiser *d)
{
    if (d)
        d->class->destroy(d->net);
    g_free(d);
}

/* Copied; NULL: none. */
static inline void sfu_denoiser_set_trace(SfuDenoiser *d, const SfuTrace *trace)
{
    d->class->set_trace(d->net, trace);
}

/* Computes everything that stays the same in all steps of a run. The condition holds until the next call. */
static inline gboolean sfu_denoiser_set_condition(SfuDenoiser *d, const SfuCondition *condition, GError **error)
{
    return d->class->set_condition(d->net, condition, error);
}

/* wrap: SfuWrap bits. Along these axes, later passes treat the picture as wrapping around. */
static inline void sfu_denoiser_set_wrap(SfuDenoiser *d, int wrap)
{
    if (d->class->set_wrap)
        d->class->set_wrap(d->net, wrap);
}

/* Makes *out [n, h, w, out_channels]; the caller frees it with sfu_tensor_destroy(). */
static inline gboolean sfu_denoiser_forward(SfuDenoiser *d, SfuTensor **out, const SfuDenoiserInput *in, GError **error)
{
    return d->class->forward(d->net, out, in, error);
}

/* NULL with MISSING. The model is borrowed. */
SfuDenoiser *sfu_unet_denoiser(SfuQueue *q, SfuModel *model, GError **error);

G_END_DECLS
#endif
