/* Families of models. A family is one file of this folder: how its files are recognized, what their tensors are
 * called, how large its networks are, what it can do and how it is best used. registry.c lists the families. Nobody
 * outside this folder names one: code that needs to know something about a model asks the struct. Copyright (C) 2026
 * The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FAMILY_H
#define SFU_FAMILY_H

#include "sfumato.h"
#include "model/model.h"
#include "net/autoencoder.h"
#include "net/control.h"
#include "net/denoiser.h"
#include "net/remover.h"
#include "net/upscaler.h"
#include "sample/sample.h"

G_BEGIN_DECLS

/* ---- a file before its family is known (source.c) --------------------------------------------------------------- */

/* A file of tensors whose names may all begin with a word of the program that trained it, the wrap ("params_ema.").
 * Everything is borrowed. */
typedef struct {
    const char *path;
    const SfuFile *file;
    GHashTable *names; /* name in the file -> SfuFileTensor* */
    const char *wrap;
} SfuSource;

/* The tensor of that name behind the wrap; NULL: none. */
const SfuFileTensor *sfu_source_find(const SfuSource *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Whether any tensor's name, behind the wrap, begins so. */
gboolean sfu_source_has_prefix(const SfuSource *s, const char *prefix);

/* ---- a family --------------------------------------------------------------------------------------------------- */

/* How a family enlarges pictures, if it does. */
typedef enum {
    SFU_ENLARGE_NOT,
    SFU_ENLARGE_NETWORK, /* an upscaler network */
    SFU_ENLARGE_DETAIL,  /* image to image at the target size */
    SFU_ENLARGE_LOW_RES, /* the small picture, with noise, is a part of the input (Stable Diffusion x4) */
    SFU_ENLARGE_FLOW,    /* a flow from the enlarged picture to the sharp one (Sfumato mini) */
} SfuEnlargement;

/* How a language model makes a prompt the denoiser's condition, in families whose text encoder is one. */
#define SFU_MAX_TEXT_LAYERS 4
typedef struct {
    const char *before, *after; /* the chat template around the prompt */
    int n_tokens;               /* at most, with the template */
    gboolean padded;            /* shorter ones are filled up with `padding`, which the denoiser sees like the rest */
    const char *padding;
    int layers[SFU_MAX_TEXT_LAYERS], n_layers; /* hidden states, as SfuQwen3Request counts them, side by side */
} SfuLanguageRecipe;

/* What the conditions of a picture can say of it beside words: sizes and the place of the cut in px, a score. */
typedef struct {
    int original_w, original_h, crop_left, crop_top, target_w, target_h;
    double score;
} SfuShown;
#define SFU_MAX_NUMBERS 8

/* What a family is best used with, where that differs from the table of parameters. */
typedef struct {
    SfuSampler sampler;
    SfuSchedule schedule;
    int steps;
    double guidance;
} SfuDefaults;

typedef struct SfuAliases SfuAliases; /* adapter_modules.h */

struct SfuFamily {
    const char *id;         /* one word; never changes */
    const char *name;       /* for people */
    guint tasks;            /* bits 1 << SfuTask; 0: a part of other models */
    const char *part;       /* of a part: the parameter that names its file ("vae"); NULL: none does */
    const char *use;        /* of a part: what it is good for */
    int rank, rank_upscale; /* among models that can do a task, the one with the smallest is its default */
    SfuEnlargement enlargement;
    int scale;      /* the only one that it enlarges by; 0: any, or the model says */
    int tile_px;    /* side of the tiles that it works on best; 0: native_px() */
    gboolean edits; /* the UNet sees the picture's own latents, unscaled, and guidance has a branch without the text
                       (InstructPix2Pix) */
    const SfuLanguageRecipe *language; /* NULL: the text encoder is CLIP, or there is none */
    const SfuDefaults *defaults;       /* NULL: the table of parameters' */
    int most_references;               /* pictures that the network sees beside the one it makes; 0: none */
    const int *aligned_timesteps;      /* [10], for the schedule Align Your Steps; NULL: none were published */
    const double *gits_sigmas;         /* [11], for the schedule GITS; NULL: none were published */
    const SfuUpscalerKind *upscaler;   /* the network of upscalers, else NULL */

    /* Whether the file is of this family. Looks at names and shapes only. NULL: the family comes in folders only. */
    gboolean (*recognize)(const SfuSource *s);
    /* The part that a tensor belongs to, and its canonical name (caller frees with g_free). NULL: not a tensor that the
     * family needs. `name` comes without the wrap. NULL for upscalers whose files use the canonical names. */
    char *(*canonical)(const SfuSource *s, const char *name, SfuPart *part);
    /* Known and not needed: tables that are computed, training state. NULL: none is. */
    gboolean (*ignores)(const char *name);
    /* Adds the file's tensors to the model. NULL: sfu_family_take(). */
    gboolean (*open)(SfuModel *m, const SfuSource *s, GError **error);
    /* Whether a folder, whose parts the model already has, is of this family. NULL: the family comes in single files
     * only. */
    gboolean (*claims)(const SfuModel *m);
    /* Fills the model's configurations from tensor shapes and config files. May replace m->family by a variant in the
     * same file. */
    gboolean (*configure)(SfuModel *m, GError **error);
    /* Binds every network of the model without a queue, so that the model knows what is missing and what is
     * unexpected. NULL for upscalers, whose kind does it. */
    void (*expect)(SfuModel *m);
    /* Whether the part (VAE or TEXT) of `other` is one for m; FALSE with a sentence if not. Models of a family that has
     * this come in pieces, and what they lack is looked for elsewhere. NULL: they are whole. */
    gboolean (*fits)(const SfuModel *m, const SfuModel *other, SfuPart part, GError **error);
    /* Side of the pictures that the model was trained on. NULL: any will do. */
    int (*native_px)(const SfuModel *m);
    int least_px; /* side of the smallest pictures that it works as well on; 0: native_px() */
    /* The numbers that the denoiser gets beside the words; returns how many (at most SFU_MAX_NUMBERS). NULL: none.
     */
    int (*numbers)(const SfuModel *m, const SfuShown *shown, float *out);
    /* Whether the condition of an empty negative prompt is all zeros. NULL: it is that of the empty text. */
    gboolean (*zeroes_negative)(const SfuModel *m);
    float latent_scale;     /* of autoencoders of the family whose file does not say it; 0: 0.18215 */
    guint texts;            /* bits 1 << SfuPart: the CLIP encoders that it needs; 0: the first */
    int least_clip_skip;    /* where less is asked for; 0: 1 */
    gboolean no_final_norm; /* the layer that is taken of a CLIP encoder does not go through its last norm */
    /* Of parts that fit and are found rather than named: whether anything says that they are the family's, where other
     * families' have the same shape. NULL: the shape will do. */
    gboolean (*likely)(const SfuModel *m, const SfuModel *other, SfuPart part);
    /* The networks of a run. NULL: the family has none. The callers own what they get. */
    SfuDenoiser *(*denoiser)(SfuQueue *q, SfuModel *m, GError **error);
    SfuAutoencoder *(*autoencoder)(SfuQueue *q, SfuModel *m, GError **error);
    gboolean (*on_pixels)(const SfuModel *m); /* it needs no autoencoder's weights; NULL: it does */
    SfuControl *(*control)(SfuQueue *q, SfuModel *m, GError **error); /* steers a model of another family */
    /* Whether it can steer `other`; FALSE with a sentence if not. NULL: what sfu_control_fits() says of UNets. */
    gboolean (*steers)(const SfuModel *m, const SfuModel *other, GError **error);
    SfuRemover *(*remover)(SfuQueue *q, SfuModel *m,
                           GError **error); /* fills holes in one pass; then there is no denoiser */
    /* Adapters (LoRA) call modules by their canonical names, and by those of other programs: adds the latter for one
     * module of a part, "down_blocks.0.conv" without ".weight", through sfu_aliases_add(). '.' and '_' are the same
     * here. NULL: there are none. */
    void (*aliases)(const SfuModel *m, SfuPart part, const char *module, SfuAliases *names);
    /* Quick previews: R', G', B' in -1..1 for each of that many latent channels; 0: none. */
    int preview_channels;
    const float (*preview_rgb)[3];
    /* Appends what `sfumato inspect` should say beside the usual (", gray"). NULL: nothing. */
    void (*describe)(const SfuModel *m, GString *text);
};

/* For families' open(): all tensors behind the wrap under their canonical names, the others ignored or unexpected. */
gboolean sfu_family_take(SfuModel *m, const SfuFamily *f, const SfuSource *s, GError **error);

/* ---- models ----------------------------------------------------------------------------------------------------- */

/* Opens a safetensors file (a whole checkpoint with original names, a lone VAE, a TAESD half, whose other half is
 * looked for beside it, an upscaler), an upscaler's or TAESD's .pth, or a diffusers folder (a pipeline's or one
 * network's). Maps it; nothing is copied. Missing tensors are not an error here: sfu_model_inspect() lists them, and
 * the networks refuse them. Caller frees with sfu_model_close(). */
SfuModel *sfu_model_open(const char *path, GError **error);

/* Bits 1 << SfuPart: the CLIP encoders that the family needs. */
static inline guint sfu_needed_texts(const SfuFamily *f)
{
    return f->texts ? f->texts : 1u << SFU_PART_TEXT;
}

/* Side of the pictures that it was trained on, px; 0: any. */
static inline int sfu_model_native_px(const SfuModel *m)
{
    const SfuFamily *f = sfu_model_family(m);
    return f->native_px ? f->native_px(m) : 0;
}

/* How many times it enlarges if nothing else is asked for; 0: it does not, or by any factor. */
static inline int sfu_model_scale(const SfuModel *m)
{
    const SfuFamily *f = sfu_model_family(m);
    const SfuUpscalerConfig *u = sfu_model_upscaler(m);
    return f->enlargement == SFU_ENLARGE_NETWORK ? (int)(u->scale * u->reduction + 0.5) : f->scale;
}

/* What `sfumato inspect` shows: family, and of each part dtype, size, missing, misshapen and unexpected tensors.
 * Caller frees the string with g_free, the node with json_node_unref. */
char *sfu_model_inspect(SfuModel *m);
JsonNode *sfu_model_inspect_json(SfuModel *m);

G_END_DECLS
#endif
