/* The networks: forward passes of CLIP's text encoder, the UNet, AutoencoderKL and TAESD. Each is C that calls ops in
 * order. Every network borrows its queue and its model (both must outlive it), checks the presence and shape of every
 * tensor in create() (MISSING names the first few and counts all) and uses the device only when it runs. expect() does
 * the same without a queue, for a model that has the part, and records in the model what is missing or unexpected. The
 * caller frees with sfu_xxx_destroy(); NULL is fine. Results are new tensors in the queue's activation dtype, freed by
 * the caller with sfu_tensor_destroy(); inputs may be F32 or the activation dtype. A set cancel flag ends a pass at the
 * next op.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_H
#define SFU_NET_H

#include "model/model.h"
#include "ops/ops.h"

G_BEGIN_DECLS

/* Called with the output of every block, in order ("conv_in", "down_blocks.0.resnets.0", "mid_block.attentions.0", ...
 * as diffusers names the modules). x is borrowed and only valid during the call. FALSE with error set ends the pass. */
typedef struct SfuTrace {
    gboolean (*fn)(const char *block, const SfuTensor *x, gpointer data, GError **error);
    gpointer data;
} SfuTrace;

/* Finds the first block with NaN or infinity: set sfu_trace_nonfinite(&found) on a network, run the pass again, and
 * read `found`. Slow: the device checks the output of every block. */
typedef struct {
    char block[96]; /* "": none yet */
    gint64 n, of;   /* how many of how many values */
} SfuNonfinite;
SfuTrace sfu_trace_nonfinite(SfuNonfinite *found);

/* How many bytes of the queue's budget the activations of a pass may take: 7/10. The weights stay on the device beside
 * them. */
guint64 sfu_net_room(const SfuQueue *q);

/* ---- what a denoiser is given ---- */

/* A picture that cross-attention reads beside the words, through its own keys and values (Ye 2023, "IP-Adapter",
 * section 3.2.2). Borrowed. */
typedef struct {
    const SfuTensor *tokens; /* [n or 1, 1, t, token width] */
    /* "down_blocks.0...attn2" -> SfuWeight* [2 c, token width], keys and values. An attention without an entry does not
     * read the picture. */
    GHashTable *kv;
} SfuImagePrompt;

/* What the picture should show; the same for all steps. Borrowed. A network refuses parts that it cannot use. */
typedef struct {
    const SfuTensor *tokens; /* [n or 1, 1, t, width]: hidden states of a prompt; with 1 all samples share them */
    const guint8 *mask;      /* [tokens->n][t]: 0: the token is ignored; NULL: none is */
    /* Added to the embedding of the timestep, on the host, n == tokens->n rows of each; NULL: none. */
    int n, pooled_width, n_numbers;
    const float *pooled;  /* [n][pooled_width]: the prompt as one vector */
    const float *numbers; /* [n][n_numbers]: sizes, corners, scores */
    /* Reference pictures, as latents [1, h, w, in_channels] of any sizes; all samples share them. */
    const SfuTensor *const *references;
    int n_references;
    /* References attend only to each other, and their keys and values are computed only in the first pass. This is
     * faster, and some models were trained for it. */
    gboolean keep_references;
    double guidance;               /* the scale, for networks that take it as an input; 0: their usual one */
    const SfuImagePrompt *prompts; /* [n_prompts] */
    int n_prompts;
} SfuCondition;

/* How strongly a pass uses one of them: o = attention(words) + weight * mask * attention(picture). */
typedef struct {
    double weight;
    const float *mask; /* [mask_h, mask_w], over all of x; NULL: 1 everywhere */
    int mask_h, mask_w;
} SfuImagePromptUse;

/* A network that runs within a transformer's pass, on its tokens, and adds to what leaves some of its layers. */
typedef struct {
    gpointer net; /* borrowed */
    float weight;
    int n_samples; /* so many, the first of the batch, are steered; 0: all */
} SfuWithin;
#define SFU_MOST_WITHIN 16

/* What a control network adds to the skip connections and the middle of the UNet (Zhang 2023, section 3.1). Borrowed.
 */
typedef struct {
    SfuTensor *const *down;  /* [n_down] in the order of the skips, conv_in's first; an entry may be NULL */
    int n_down;              /* as many as the UNet has skips, or 0 */
    const SfuTensor *middle; /* NULL: none */
    /* Of T2I-Adapters (Mou 2023, section 3.2): added on the way down to the last output of each level, or after the
     * downsampling of a level without attention. One more entry is added to the middle. An entry may be NULL. */
    SfuTensor *const *features;
    int n_features;
    const SfuTensor *first; /* [1, h, w, c]: added to what the first convolution gives; NULL: none */
    /* Of transformers, which have nothing of the above. */
    const SfuWithin *within; /* [n_within] */
    int n_within;
} SfuResiduals;

typedef struct {
    const SfuTensor *x;      /* [n, h, w, in_channels] */
    const float *timesteps;  /* [n] */
    const int *class_labels; /* [n]; NULL exactly if n_classes is 0 */
    /* Step caching (Ma 2023, "DeepCache", section 3, its shallowest branch): NULL: none. *deep NULL: a whole pass,
     * which stores there what a later pass can reuse. *deep set by a pass over as many pixels at a neighboring step:
     * only the outer layers run. The caller frees *deep with sfu_tensor_destroy(). */
    SfuTensor **deep;
    const SfuResiduals *residuals;    /* NULL: none */
    const SfuImagePromptUse *prompts; /* [the condition's n_prompts]; NULL: none is used */
} SfuDenoiserInput;

/* ---- CLIP text encoder -------------------------------------------------------------------------------------------
 * CLIP-L (quick GELU), OpenCLIP-H and bigG (GELU), by the model's configuration. Radford 2021, section 2.4. */
typedef struct SfuTextEncoder SfuTextEncoder;
#define SFU_TEXT_TOKENS 77
SfuTextEncoder *sfu_text_encoder_create(SfuQueue *q, SfuModel *model, SfuPart part, GError **error);
void sfu_text_encoder_expect(SfuModel *model, SfuPart part);
void sfu_text_encoder_destroy(SfuTextEncoder *te);
void sfu_text_encoder_set_trace(SfuTextEncoder *te, const SfuTrace *trace); /* copied; NULL: none */
void sfu_text_encoder_unload(SfuTextEncoder *te);                           /* drops the weights' device copies */
/* Rows [n, hidden] for tokens SFU_TEXT_OWN and following, which the model does not know. Borrowed until the next call;
 * n 0: none. */
#define SFU_TEXT_OWN 49408
void sfu_text_encoder_set_own(SfuTextEncoder *te, const float *rows, int n);
int sfu_text_encoder_hidden(const SfuTextEncoder *te);
int sfu_text_encoder_pooled(const SfuTextEncoder *te); /* 0: it has no projection */
typedef struct {
    const gint32 *tokens;   /* [n][77] */
    int n;                  /* chunks */
    int clip_skip;          /* 0 and 1 take the last layer, 2 the one before, ... */
    gboolean no_final_norm; /* that layer does not go through the final norm */
} SfuTextInput;
/* *hidden [n, 1, 77, hidden]. For Stable Diffusion 2 the file's last layer already is OpenCLIP's penultimate one.
 * pooled (host, [n][sfu_text_encoder_pooled()], NULL: not wanted): the last layer at the first of the largest tokens,
 * which is EOS, through the final norm and the projection. */
gboolean sfu_text_encoder_run(SfuTextEncoder *te, SfuTensor **hidden, float *pooled, const SfuTextInput *in,
                              GError **error);

/* ---- UNet ----------------------------------------------------------------------------------------------------------
 * UNet2DConditionModel: Rombach 2022, figure 3 and appendix; any widths, levels, heads and channels of its
 * configuration. */
typedef struct SfuUnet SfuUnet;
SfuUnet *sfu_unet_create(SfuQueue *q, SfuModel *model, GError **error);
void sfu_unet_expect(SfuModel *model);
void sfu_unet_destroy(SfuUnet *u);
void sfu_unet_set_trace(SfuUnet *u, const SfuTrace *trace); /* copied; NULL: none */
void sfu_unet_unload(SfuUnet *u);                           /* drops the weights' device copies and the context */
/* Computes the keys and values of every cross-attention once per run, and the embedding that is added to the
 * timestep's. The condition holds until the next call. A UNet without cross-attention needs no tokens and ignores any.
 */
gboolean sfu_unet_set_condition(SfuUnet *u, const SfuCondition *condition, GError **error);
/* -> *out [n, h, w, out_channels]. Any h, w >= 1. */
gboolean sfu_unet_forward(SfuUnet *u, SfuTensor **out, const SfuDenoiserInput *in, GError **error);

/* ---- AutoencoderKL -------------------------------------------------------------------------------------------------
 * Rombach 2022, appendix E. Large pictures run in bands of rows that see their neighbors, with the norm statistics of
 * the whole, so the result equals that of one piece. Levels that still do not fit in fp32 store fp16 (error 5e-4). If
 * that overflows (NaN or infinity in the result), the pass runs again in fp32. */
typedef struct SfuVae SfuVae;
SfuVae *sfu_vae_create(SfuQueue *q, SfuModel *model, GError **error);
void sfu_vae_expect(SfuModel *model);
void sfu_vae_destroy(SfuVae *v);
void sfu_vae_set_wrap(SfuVae *v, int wrap); /* SfuWrap bits of later passes */
int sfu_vae_factor(const SfuVae *v);        /* side of a latent pixel, in pixels: 8, 4 ... */
/* x [n, h, w, 3] in -1..1, h and w multiples of the factor -> *moments [n, h/f, w/f, 2*latent]: mean, then
 * log-variance, not scaled. */
gboolean sfu_vae_encode(SfuVae *v, SfuTensor **moments, const SfuTensor *x, GError **error);
/* z [n, h, w, latent], already divided by the scaling factor -> *x [n, h*f, w*f, 3], about -1..1, not clamped. */
gboolean sfu_vae_decode(SfuVae *v, SfuTensor **x, const SfuTensor *z, GError **error);
/* Makes the tiles of one picture match. Runs a pass over a smaller version of the whole (small [1, h, w, ..], as for
 * the pass itself) and keeps the statistics of its norms. Every later pass of one sample in that direction uses them,
 * until sfu_vae_forget_norms(). */
gboolean sfu_vae_learn_norms(SfuVae *v, gboolean decoder, const SfuTensor *small, GError **error);
void sfu_vae_forget_norms(SfuVae *v);
/* How many bytes activations may take: by default most of the queue's budget, and at most 3 GiB if the device shares
 * the host's memory. A pass that needs more takes what sfu_vae_decode_bytes() says. */
guint64 sfu_vae_room(const SfuVae *v);
void sfu_vae_set_room(SfuVae *v, guint64 bytes);
/* The most bytes of activations that are live at once for n latents of h x w within that limit, without weights. For
 * planning tiles. */
guint64 sfu_vae_decode_bytes(const SfuVae *v, int n, int h, int w);
guint64 sfu_vae_encode_bytes(const SfuVae *v, int n, int h, int w); /* h, w in latent pixels too */

/* ---- TAESD ---- */

/* The tiny autoencoder (Bohan 2023, github.com/madebyollin/taesd). Its latents need no scaling. If the model has only
 * one half, the other call fails with MISSING. */
typedef struct SfuTaesd SfuTaesd;
SfuTaesd *sfu_taesd_create(SfuQueue *q, SfuModel *model, GError **error);
void sfu_taesd_expect(SfuModel *model);
void sfu_taesd_destroy(SfuTaesd *t);
/* x [n, h, w, 3] in -1..1 -> *latents [n, h/f, w/f, latent], h and w multiples of the factor. */
gboolean sfu_taesd_encode(SfuTaesd *t, SfuTensor **latents, const SfuTensor *x, GError **error);
/* z [n, h, w, latent] -> *x [n, h*f, w*f, 3] in about -1..1. */
gboolean sfu_taesd_decode(SfuTaesd *t, SfuTensor **x, const SfuTensor *z, GError **error);

G_END_DECLS
#endif
