/* What a sampler asks at each step: the network that predicts noise (or velocity) from a noisy latent, a timestep and a
 * condition. A UNet is one; transformers are others. Pipelines know this and no network.
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
    void (*set_wrap)(gpointer net, int wrap); /* NULL: it cannot make seamless pictures */
} SfuDenoiserClass;

/* Made by a network's file (sfu_unet_denoiser()); the fields are for reading. */
typedef struct {
    const SfuDenoiserClass *class;
    gpointer net; /* owned */
    int in_channels, out_channels;
    int n_classes;       /* 0: it takes no class labels */
    int multiple;        /* what the sides of latents must be multiples of; 0: 1 */
    int token_width;     /* of the condition's tokens; 0: not told */
    int added_width;     /* of the condition's pooled vector and the waves of its numbers; 0: it takes none */
    int most_references; /* 0: it takes no references */
    gboolean guided;     /* the guidance scale is an input: there is no second branch */
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

/* What does not change from step to step is computed here, once a run. Stays until the next call. */
static inline gboolean sfu_denoiser_set_condition(SfuDenoiser *d, const SfuCondition *condition, GError **error)
{
    return d->class->set_condition(d->net, condition, error);
}

/* SfuWrap bits: along these axes later passes treat the picture as continuing at its other side. */
static inline void sfu_denoiser_set_wrap(SfuDenoiser *d, int wrap)
{
    if (d->class->set_wrap)
        d->class->set_wrap(d->net, wrap);
}

/* -> *out [n, h, w, out_channels], freed by the caller with sfu_tensor_destroy(). */
static inline gboolean sfu_denoiser_forward(SfuDenoiser *d, SfuTensor **out, const SfuDenoiserInput *in, GError **error)
{
    return d->class->forward(d->net, out, in, error);
}

/* NULL with MISSING. The model is borrowed. */
SfuDenoiser *sfu_unet_denoiser(SfuQueue *q, SfuModel *model, GError **error);

G_END_DECLS
#endif
