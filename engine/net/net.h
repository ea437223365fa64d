/* The networks: forward passes of CLIP's text encoder, the UNet, AutoencoderKL and TAESD. Each is C that calls ops in
 * order. Every network borrows its queue and its model (both must outlive it), checks the presence and shape of every
 * tensor in create() (MISSING names the first few and counts them all) and touches the device only when it runs.
 * expect() does the same without a queue, for a model that has the part, and notes in the model what is missing or
 * unexpected. The caller frees with sfu_xxx_destroy(), NULL is fine. Results are new tensors in the queue's activation
 * dtype, freed by the caller with sfu_tensor_destroy(); inputs may be F32 or the activation dtype. A set cancel flag
 * ends a pass at the next op.
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

/* Looks for the first block with NaN or infinity: set sfu_trace_nonfinite(&found) on a network, run the pass again,
 * read `found`. Slow: every block's output is counted on the device. */
typedef struct {
    char block[96]; /* "": none yet */
    gint64 n, of;   /* how many of how many values */
} SfuNonfinite;
SfuTrace sfu_trace_nonfinite(SfuNonfinite *found);

/* Bytes of the queue's budget that the activations of a pass may take: 7/10; the weights stay on the device beside
 * them. */
guint64 sfu_net_room(const SfuQueue *q);

/* ---- what a denoiser is given --------------------------------------------------------------------------------------
 */

/* A picture that cross-attention looks at beside the words, through keys and values of its own (Ye 2023, "IP-Adapter",
 * section 3.2.2). Borrowed. */
typedef struct {
    const SfuTensor *tokens; /* [n or 1, 1, t, token width] */
    /* "down_blocks.0...attn2" -> SfuWeight* [2 c, token width], keys and values. An attention that is not in it does
     * not look. */
    GHashTable *kv;
} SfuImagePrompt;

/* What the picture is to show; the same for all steps. Borrowed. A network refuses what it has no use for, and takes
 * no part for another. */
typedef struct {
    const SfuTensor *tokens; /* [n or 1, 1, t, width]: hidden states of a prompt; with 1 all samples share them */
    const guint8 *mask;      /* [tokens->n][t]: 0: the token is not seen; NULL: all are */
    /* Added to the embedding of the timestep, on the host, n == tokens->n rows of each; NULL: none. */
    int n, pooled_width, n_numbers;
    const float *pooled;  /* [n][pooled_width]: the prompt as one vector */
    const float *numbers; /* [n][n_numbers]: sizes, corners, scores */
    /* Pictures to look at beside the one that is made, as latents [1, h, w, in_channels] of any sizes; all samples
     * share them. */
    const SfuTensor *const *references;
    int n_references;
    /* References look only at each other, and what the others see of them is computed in the first pass alone: quicker,
     * and what some models were trained for. */
    gboolean keep_references;
    double guidance;               /* the scale, for networks that take it as an input; 0: their usual one */
    const SfuImagePrompt *prompts; /* [n_prompts] */
    int n_prompts;
} SfuCondition;

/* How much a pass looks at one of them: o = attention(words) + weight * mask * attention(picture). */
typedef struct {
    double weight;
    const float *mask; /* [mask_h, mask_w], over all of x; NULL: 1 everywhere */
    int mask_h, mask_w;
} SfuImagePromptUse;

/* What a network beside the UNet adds to what the UNet keeps on its way down, and to its middle (Zhang 2023, section
 * 3.1). Borrowed. */
typedef struct {
    SfuTensor *const *down;  /* [n_down] in the order of the way down, conv_in's first; an entry may be NULL */
    int n_down;              /* as many as the UNet keeps, or 0 */
    const SfuTensor *middle; /* NULL: none */
    /* Of adapters (Mou 2023, section 3.2): added on the way down to each level's last output, or behind the reduction
     * of a level without attention; the one after the last level's to the middle. An entry may be NULL. */
    SfuTensor *const *features;
    int n_features;
} SfuResiduals;

typedef struct {
    const SfuTensor *x;      /* [n, h, w, in_channels] */
    const float *timesteps;  /* [n] */
    const int *class_labels; /* [n]; NULL exactly if n_classes is 0 */
    /* Step caching (Ma 2023, "DeepCache", section 3, its shallowest branch): NULL: none. *deep NULL: a whole pass,
     * which leaves there what a later one can start from. *deep set, by a pass over as many pixels at a neighboring
     * step: only the outer layers are run. The caller frees *deep with sfu_tensor_destroy(). */
    SfuTensor **deep;
    const SfuResiduals *residuals;    /* NULL: none */
    const SfuImagePromptUse *prompts; /* [the condition's n_prompts]; NULL: none is looked at */
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
/* Rows [n, hidden] for tokens from SFU_TEXT_OWN on: what the model does not know. Borrowed until the next call; n 0:
 * none. */
#define SFU_TEXT_OWN 49408
void sfu_text_encoder_set_own(SfuTextEncoder *te, const float *rows, int n);
int sfu_text_encoder_hidden(const SfuTextEncoder *te);
int sfu_text_encoder_pooled(const SfuTextEncoder *te); /* 0: it has no projection */
/* tokens [n][77] -> *hidden [n, 1, 77, hidden]. clip_skip 1 takes the last layer, 2 the one before, ...; 0 means 1;
 * norm: it goes through the final norm. For Stable Diffusion 2 the file's last layer already is OpenCLIP's penultimate
 * one. pooled (host, [n][sfu_text_encoder_pooled()], NULL: not wanted): the last layer at the first of the largest
 * tokens, which is EOS, through the final norm and the projection. */
gboolean sfu_text_encoder_run(SfuTextEncoder *te, SfuTensor **hidden, float *pooled, const gint32 *tokens, int n,
                              int clip_skip, gboolean norm, GError **error);

/* ---- UNet ----------------------------------------------------------------------------------------------------------
 * UNet2DConditionModel: Rombach 2022, figure 3 and appendix; any widths, levels, heads and channels of its
 * configuration. */
typedef struct SfuUnet SfuUnet;
SfuUnet *sfu_unet_create(SfuQueue *q, SfuModel *model, GError **error);
void sfu_unet_expect(SfuModel *model);
void sfu_unet_destroy(SfuUnet *u);
void sfu_unet_set_trace(SfuUnet *u, const SfuTrace *trace); /* copied; NULL: none */
void sfu_unet_unload(SfuUnet *u);                           /* drops the weights' device copies and the context */
/* Computes every cross-attention's keys and values, once a run, and the embedding of what is added to the timestep's.
 * Stays until the next call. A UNet without cross-attention takes any tokens and needs none. */
gboolean sfu_unet_set_condition(SfuUnet *u, const SfuCondition *condition, GError **error);
/* -> *out [n, h, w, out_channels]. Any h, w >= 1. */
gboolean sfu_unet_forward(SfuUnet *u, SfuTensor **out, const SfuDenoiserInput *in, GError **error);

/* ---- AutoencoderKL -------------------------------------------------------------------------------------------------
 * Rombach 2022, appendix E. Large pictures go in bands of rows that see their neighbours, with the norms' statistics of
 * the whole, so that the result is that of one piece. Levels that do not fit the room in fp32 even so store fp16 (5e-4
 * of the result); if that overflows (NaN or infinity in the result), the pass is run again in fp32. */
typedef struct SfuVae SfuVae;
SfuVae *sfu_vae_create(SfuQueue *q, SfuModel *model, GError **error);
void sfu_vae_expect(SfuModel *model);
void sfu_vae_destroy(SfuVae *v);
void sfu_vae_set_wrap(SfuVae *v, int wrap); /* SfuWrap bits of later passes */
int sfu_vae_factor(const SfuVae *v);        /* pixels a latent side: 8, 4 ... */
/* x [n, h, w, 3] in -1..1, h and w multiples of the factor -> *moments [n, h/f, w/f, 2*latent]: mean, then
 * log-variance, not scaled. */
gboolean sfu_vae_encode(SfuVae *v, SfuTensor **moments, const SfuTensor *x, GError **error);
/* z [n, h, w, latent], already divided by the scaling factor -> *x [n, h*f, w*f, 3], about -1..1, not clamped. */
gboolean sfu_vae_decode(SfuVae *v, SfuTensor **x, const SfuTensor *z, GError **error);
/* So that the tiles of one picture match: the norms' statistics of a pass over a smaller version of the whole (small
 * [1, h, w, ..], as for the pass itself) are kept, and every later pass in that direction, of one sample, uses them;
 * until sfu_vae_forget_norms(). */
gboolean sfu_vae_learn_norms(SfuVae *v, gboolean decoder, const SfuTensor *small, GError **error);
void sfu_vae_forget_norms(SfuVae *v);
/* Bytes that activations may take: by default most of the queue's budget, at most 3 GiB of memory shared with the host.
 * A pass that cannot keep to it takes what sfu_vae_decode_bytes() says. */
guint64 sfu_vae_room(const SfuVae *v);
void sfu_vae_set_room(SfuVae *v, guint64 bytes);
/* Most bytes of activations that are live at once for n latents of h x w in the room there is, weights not counted; to
 * plan tiles with. */
guint64 sfu_vae_decode_bytes(const SfuVae *v, int n, int h, int w);
guint64 sfu_vae_encode_bytes(const SfuVae *v, int n, int h, int w); /* h, w in latent pixels too */

/* ---- TAESD
 * ----------------------------------------------------------------------------------------------------------- The tiny
 * autoencoder (Bohan 2023, github.com/madebyollin/taesd). Its latents are those that the UNet works on: nothing to
 * scale. The model may have one half only; the other call then fails with MISSING. */
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
