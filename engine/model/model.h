/* Models: their parts' tensors under canonical names, and their configurations. Which family a model is of, family/
 * finds out. Canonical names are those of diffusers (UNet, VAE, and TAESD's two halves, each as "layers.N..."
 * without a clamp in the decoder's count) and transformers (CLIP, always with "text_model."), of Real-ESRGAN
 * (RRDBNet, SRVGGNetCompact), SwinIR and HAT. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef SFU_MODEL_H
#define SFU_MODEL_H

#include <json-glib/json-glib.h>
#include "file/file.h"
#include "runtime/runtime.h"

G_BEGIN_DECLS

#define SFU_MODEL_ERROR sfu_model_error_quark()
GQuark sfu_model_error_quark(void);
typedef enum {
    SFU_MODEL_ERROR_FAMILY,  /* well-formed, but no model that Sfumato knows */
    SFU_MODEL_ERROR_MISSING, /* a tensor that the network needs is missing or misshapen */
} SfuModelError;

typedef enum {
    SFU_PART_UNET,
    SFU_PART_VAE,
    SFU_PART_TEXT,
    SFU_PART_TAESD_ENCODER,
    SFU_PART_TAESD_DECODER,
    SFU_PART_UPSCALER,
    SFU_PART_REMOVER,
    SFU_PART_TRANSFORMER,
    SFU_PART_TEXT2,        /* the second of two text encoders */
    SFU_PART_CONTROL,      /* a ControlNet */
    SFU_PART_ADAPTER,      /* a T2I-Adapter */
    SFU_PART_VISION,       /* CLIP's image encoder */
    SFU_PART_IMAGE_PROMPT, /* an IP-Adapter */
    SFU_N_PARTS
} SfuPart;
const char *sfu_part_name(SfuPart part); /* the diffusers folder's name */

typedef struct SfuFamily SfuFamily; /* family/family.h */

#define SFU_MAX_BLOCKS 8

typedef struct {
    int in_channels, out_channels, n_blocks, layers_per_block;
    int block_out_channels[SFU_MAX_BLOCKS];
    gboolean cross_attention[SFU_MAX_BLOCKS]; /* of the down block; the mirrored up block is the same */
    gboolean only_cross[SFU_MAX_BLOCKS];      /* attn1 reads the context too (x4 upscaler) */
    int n_heads[SFU_MAX_BLOCKS];              /* of the block's attention; the middle has the last block's */
    gboolean middle, mid_attention;           /* middle FALSE: the way up starts where the way down ends */
    int cross_attention_dim;
    gboolean linear_projection;
    int norm_num_groups;
    float norm_eps;
    int num_class_embeds;   /* 0: none */
    int added_width;        /* pooled vector and sinusoids of added numbers (Stable Diffusion XL); 0: none */
    int added_number_width; /* of the sinusoids of one number */
    gboolean flip_sin_to_cos;
    float freq_shift;
    int sample_size;
} SfuUnetConfig;

typedef struct {
    int latent_channels, n_blocks, layers_per_block;
    int block_out_channels[SFU_MAX_BLOCKS];         /* of the decoder */
    int encoder_block_out_channels[SFU_MAX_BLOCKS]; /* mostly the same; small decoders are published beside whole ones
                                                     */
    int norm_num_groups;
    float scaling_factor, shift_factor;
    gboolean scaling_in_file; /* the factor is from a config.json, not assumed */
    gboolean encoder;         /* else it only makes pictures */
    gboolean mid_attention, quant_conv, post_quant_conv;
    gboolean packed; /* the denoiser sees squares of 2 x 2 latent pixels, normalized by the tensors "bn." */
    float packed_eps;
} SfuVaeConfig;

typedef struct {
    int hidden, layers, heads, intermediate, vocab, positions;
    gboolean quick_gelu; /* else exact GELU */
    float eps;
    int projection;       /* width of the pooled vector; 0: there is none */
    gboolean zero_padded; /* chunks are filled up with token 0, not with EOS */
} SfuTextConfig;

/* A language model that serves as a text encoder. */
typedef struct {
    int hidden, layers, heads, kv_heads, head_dim, intermediate, vocab;
    float eps;
    double rope_theta;
} SfuLanguageConfig;

typedef enum { SFU_PREDICT_EPSILON, SFU_PREDICT_V, SFU_PREDICT_SAMPLE, SFU_PREDICT_FLOW } SfuPrediction;

typedef struct {
    SfuPrediction prediction;
    int n_train_timesteps;
    double beta_start, beta_end; /* scaled linear: squares of a linear ramp of square roots */
    gboolean scaled_linear;      /* else linear */
    gboolean zero_terminal_snr;
    double shift;             /* SFU_PREDICT_FLOW: sigma' = shift * sigma / (1 + (shift - 1) * sigma); 1: none */
    gboolean empirical_shift; /* the shift depends on the run: sfu_empirical_shift() */
    gboolean in_file;         /* read from a scheduler_config.json, not assumed */
} SfuSchedulerConfig;

typedef enum {
    SFU_UPSAMPLER_NEAREST,        /* nearest neighbor and a convolution, a factor of 2 a stage */
    SFU_UPSAMPLER_SHUFFLE,        /* a convolution and a pixel-shuffle a stage */
    SFU_UPSAMPLER_SHUFFLE_DIRECT, /* one convolution straight to the picture's channels, then a pixel-shuffle */
    SFU_UPSAMPLER_NONE,           /* x1 restorers: the network adds to its input */
} SfuUpsampler;

/* What upscaler networks have in common. */
typedef struct {
    int scale;           /* output side over input side */
    double reduction;    /* of the output, so that the file gives what its name says (ncnn's x2 and x3 hold the x4) */
    int channels;        /* of the picture; 3, or 1: gray */
    int noise;           /* channels of normal noise that the network sees beside it; 0 of most */
    int features;        /* width of the trunk */
    int blocks;          /* as the network counts them */
    int unshuffle;       /* the input is first pixel-unshuffled by this; 1: not */
    int multiple;        /* input sides must be multiples of this; 0: of unshuffle */
    int least_px;        /* and at least this */
    gboolean pads_black; /* what is missing to the multiple is black; FALSE: mirrored */
    SfuUpsampler upsampler;
    int n_stages;           /* of enlargement */
    gboolean scale_by_name; /* the file is that of an x2 as well as of an x3; x3 if its name says so */
    gpointer own; /* what this network alone has: the struct in its header; g_free'd with the model; NULL: nothing */
} SfuUpscalerConfig;

/* LaMa's generator. */
typedef struct {
    int features; /* of the first layer */
    int n_downs;  /* each halves the sides and doubles the features */
    int n_blocks;
    int local, global; /* channels of the blocks' two halves */
} SfuLamaConfig;

/* Of what steers a UNet by a picture. A ControlNet's other values are a UNet's. */
typedef struct {
    gboolean lora, difference; /* the file is whole only over a UNet */
    gboolean pools;            /* what it adds is the same all over the picture ("shuffle") */
    int n_types;               /* kinds of pictures that a union knows; 0: it is for one kind */
    /* T2I-Adapters */
    gboolean light;
    int unshuffle, picture_channels, n_levels, widths[SFU_MAX_BLOCKS];
} SfuControlConfig;

/* CLIP's image encoder. */
typedef struct {
    int hidden, layers, heads, intermediate;
    int patch, side; /* px: of the squares that become tokens, of the picture */
    gboolean quick_gelu;
    float eps;
    int projection; /* width of the vector that stands for the whole picture; 0: there is none */
} SfuVisionConfig;

/* What lets cross-attention look at pictures beside the words. */
typedef enum {
    SFU_IMAGE_PROMPT_PLAIN, /* sees the picture's one vector */
    SFU_IMAGE_PROMPT_PLUS,  /* sees its patches, by a resampler */
    SFU_IMAGE_PROMPT_FULL,  /* sees its patches, one by one */
} SfuImagePromptKind;
typedef struct {
    SfuImagePromptKind kind;
    int image_width;  /* of what it sees of the picture */
    int token_width;  /* of the words beside which its tokens stand */
    int n_tokens;     /* 0: as many as the picture has */
    int n_attentions; /* that it has keys and values for */
    gboolean by_name; /* and calls them as the UNet does; else by their number on the way down, up, in the middle */
    int layers, heads, queries; /* of the resampler */
} SfuImagePromptConfig;

typedef struct SfuModel SfuModel;

/* sfu_model_open() in family/family.h makes them. */
void sfu_model_close(SfuModel *m);
const char *sfu_model_path(const SfuModel *m);
const SfuFamily *sfu_model_family(const SfuModel *m);
gboolean sfu_model_has_part(const SfuModel *m, SfuPart part);
/* The files' paths, sizes and times: another text once one of them changed. Caller frees. */
char *sfu_model_identity(const SfuModel *m);
/* FALSE with OPEN if a file of the model was changed or cut since it was opened (reading the mapping would kill the
 * process). */
gboolean sfu_model_check_unchanged(const SfuModel *m, GError **error);
/* As sfu_file_check_intact(), of all its files. */
gboolean sfu_model_check_intact(const SfuModel *m, GError **error);

/* Borrowed. NULL: the model lacks it. */
SfuWeight *sfu_model_find(SfuModel *m, SfuPart part, const char *name);

const SfuUnetConfig *sfu_model_unet(const SfuModel *m);
const SfuVaeConfig *sfu_model_vae(const SfuModel *m);
const SfuTextConfig *sfu_model_text(const SfuModel *m, SfuPart part); /* TEXT or TEXT2 */
const SfuLanguageConfig *sfu_model_language(const SfuModel *m);
/* Whether the text encoder is a language model. */
gboolean sfu_model_is_language(const SfuModel *m);
const SfuSchedulerConfig *sfu_model_scheduler(const SfuModel *m);
const SfuUpscalerConfig *sfu_model_upscaler(const SfuModel *m);
const SfuLamaConfig *sfu_model_lama(const SfuModel *m);
const SfuControlConfig *sfu_model_control(const SfuModel *m);
const SfuVisionConfig *sfu_model_vision(const SfuModel *m);
const SfuImagePromptConfig *sfu_model_image_prompt(const SfuModel *m);
/* The "sfumato" object of model_index.json; NULL if there is none. Borrowed. */
JsonObject *sfu_model_sfumato(const SfuModel *m);

/* Calls fn(canonical name, tensor) for all tensors of the part. */
void sfu_model_each(const SfuModel *m, SfuPart part,
                    void (*fn)(const char *name, const SfuFileTensor *t, gpointer data), gpointer data);
/* FALSE with FORMAT if a tensor of the part holds a NaN or an infinity, naming it. Reads all of it. */
gboolean sfu_model_check_finite(SfuModel *m, SfuPart part, GError **error);

/* 1 + the highest number n of a tensor "<prefix>n." of the part, at most `most`; 0: there is none. */
int sfu_model_count(const SfuModel *m, SfuPart part, const char *prefix, int most);
/* Whether any tensor of the part begins with the prefix: a module that is there at all must be there as a whole. */
gboolean sfu_model_has_module(const SfuModel *m, SfuPart part, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* What binding a part's network has found (net/parts.h). missing: char*, copied; bound: the names of all tensors
 * that the network has. The part's others are unexpected. */
void sfu_model_note(SfuModel *m, SfuPart part, GPtrArray *missing, GHashTable *bound);
/* char*: tensors within the parts that no network of the model has. Such a file may have another architecture than
 * it seems. Borrowed. */
const GPtrArray *sfu_model_strays(const SfuModel *m);

G_END_DECLS
#endif
