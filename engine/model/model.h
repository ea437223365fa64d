/* Model files: safetensors, diffusers folders, original single files, PyTorch's .pth -> canonical names, family, configuration.
 * Canonical names are those of diffusers (UNet, VAE, and TAESD's two halves, each as "layers.N..." without a clamp in the
 * decoder's count) and transformers (CLIP, always with "text_model."), of Real-ESRGAN (RRDBNet, SRVGGNetCompact), SwinIR and HAT.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
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
    SFU_PART_IMAGE_ENCODER,
    SFU_PART_TAESD_ENCODER,
    SFU_PART_TAESD_DECODER,
    SFU_PART_UPSCALER,
    SFU_N_PARTS
} SfuPart;
const char *sfu_part_name(SfuPart part); /* the diffusers folder's name */

typedef enum {
    SFU_FAMILY_UNKNOWN,
    SFU_FAMILY_SD1,
    SFU_FAMILY_SD1_INPAINT, /* 9 input channels */
    SFU_FAMILY_SD1_EDIT,    /* 8: InstructPix2Pix */
    SFU_FAMILY_SD2,
    SFU_FAMILY_SD2_INPAINT,
    SFU_FAMILY_SD_X4, /* Stable Diffusion x4 upscaler, 7 */
    SFU_FAMILY_MINI,  /* a folder whose model_index.json has a "sfumato" object */
    SFU_FAMILY_TAESD,
    SFU_FAMILY_RRDB,
    SFU_FAMILY_SRVGG,
    SFU_FAMILY_SWINIR,
    SFU_FAMILY_HAT,
    SFU_N_FAMILIES
} SfuFamily;
const char *sfu_family_name(SfuFamily family);

#define SFU_MAX_BLOCKS 8

typedef struct {
    int in_channels, out_channels, n_blocks, layers_per_block;
    int block_out_channels[SFU_MAX_BLOCKS];
    gboolean cross_attention[SFU_MAX_BLOCKS]; /* of the down block; the mirrored up block is the same */
    gboolean only_cross[SFU_MAX_BLOCKS];      /* attn1 reads the context too (x4 upscaler) */
    int n_heads[SFU_MAX_BLOCKS];              /* of the block's attention; the middle has the last block's */
    gboolean mid_attention;
    int cross_attention_dim;
    gboolean linear_projection;
    int norm_num_groups;
    float norm_eps;
    int num_class_embeds; /* 0: none */
    gboolean flip_sin_to_cos;
    float freq_shift;
    int sample_size;
} SfuUnetConfig;

typedef struct {
    int latent_channels, n_blocks, layers_per_block;
    int block_out_channels[SFU_MAX_BLOCKS];
    int norm_num_groups;
    float scaling_factor, shift_factor;
    gboolean mid_attention, quant_conv, post_quant_conv;
} SfuVaeConfig;

typedef struct {
    int hidden, layers, heads, intermediate, vocab, positions;
    gboolean quick_gelu; /* else exact GELU */
    float eps;
} SfuTextConfig;

typedef struct {
    int hidden, layers, heads, intermediate, image_size, patch_size;
    gboolean quick_gelu;
    float eps;
} SfuVisionConfig;

typedef enum { SFU_PREDICT_EPSILON, SFU_PREDICT_V, SFU_PREDICT_SAMPLE, SFU_PREDICT_FLOW } SfuPrediction;

typedef struct {
    SfuPrediction prediction;
    int n_train_timesteps;
    double beta_start, beta_end; /* scaled linear: squares of a linear ramp of square roots */
    gboolean scaled_linear;      /* else linear */
    gboolean zero_terminal_snr;
    double shift; /* SFU_PREDICT_FLOW: sigma' = shift * sigma / (1 + (shift - 1) * sigma); 1: none */
    gboolean in_file; /* read from a scheduler_config.json, not assumed */
} SfuSchedulerConfig;

typedef enum {
    SFU_UPSAMPLER_NEAREST,        /* nearest neighbour and a convolution, a factor of 2 a stage */
    SFU_UPSAMPLER_SHUFFLE,        /* a convolution and a pixel-shuffle a stage */
    SFU_UPSAMPLER_SHUFFLE_DIRECT, /* one convolution straight to the picture's channels, then a pixel-shuffle */
    SFU_UPSAMPLER_NONE,           /* x1 restorers: the network adds to its input */
} SfuUpsampler;

typedef struct {
    int scale;     /* output side over input side */
    int channels;  /* of the picture; 3, or 1: gray */
    int features;  /* width of the trunk */
    int blocks;    /* RRDB: blocks; SRVGG: convolutions between first and last; SwinIR, HAT: residual groups */
    int unshuffle; /* the input is first pixel-unshuffled by this; 1: not */
    int n_stages;  /* of enlargement */
    int growth;    /* RRDB */
    int stage_factor;       /* RRDB: of one stage, 2 or 3 */
    gboolean skip_1x1;      /* RRDB: a 1x1 branch and a second skip in every dense block (ESRGAN+) */
    gboolean scale_by_name; /* RRDB of one stage: its file is that of an x2 as well as of an x3; x3 if its name says so */
    int window, overlap_window, n_heads; /* SwinIR, HAT; overlap_window HAT only */
    SfuUpsampler upsampler;
    float range;   /* SwinIR, HAT: the network sees (x - mean) * range */
} SfuUpscalerConfig;

typedef struct SfuModel SfuModel;

/* Opens a safetensors file (a whole checkpoint with original names, a lone VAE, a TAESD half, whose other half is looked for
 * beside it, an upscaler), an upscaler's or TAESD's .pth, or a diffusers folder (a pipeline's or one network's). Maps it; nothing
 * is copied. Missing tensors are no error here: sfu_model_inspect() lists them, sfu_model_check_complete() and the networks refuse
 * them. Caller frees with sfu_model_close(). */
SfuModel *sfu_model_open(const char *path, GError **error);
void sfu_model_close(SfuModel *m);
const char *sfu_model_path(const SfuModel *m);
SfuFamily sfu_model_family(const SfuModel *m);
gboolean sfu_model_has_part(const SfuModel *m, SfuPart part);
/* FALSE with OPEN if a file of the model was changed or cut since it was opened (reading the mapping would kill the process). */
gboolean sfu_model_check_unchanged(const SfuModel *m, GError **error);

/* Borrowed. NULL with MISSING if the file lacks it. */
SfuWeight *sfu_model_weight(SfuModel *m, SfuPart part, const char *name, GError **error);
SfuWeight *sfu_model_find(SfuModel *m, SfuPart part, const char *name); /* NULL without error */

const SfuUnetConfig *sfu_model_unet(const SfuModel *m);
const SfuVaeConfig *sfu_model_vae(const SfuModel *m);
const SfuTextConfig *sfu_model_text(const SfuModel *m);
const SfuVisionConfig *sfu_model_vision(const SfuModel *m);
const SfuSchedulerConfig *sfu_model_scheduler(const SfuModel *m);
const SfuUpscalerConfig *sfu_model_upscaler(const SfuModel *m);
/* The "sfumato" object of model_index.json; NULL if there is none. Borrowed. */
JsonObject *sfu_model_sfumato(const SfuModel *m);

/* FALSE with MISSING, naming the first, if tensors of the part are missing or misshapen. */
gboolean sfu_model_check_complete(const SfuModel *m, SfuPart part, GError **error);
/* FALSE with FORMAT if a tensor of the part holds a NaN or an infinity, naming it. Reads all of it. */
gboolean sfu_model_check_finite(SfuModel *m, SfuPart part, GError **error);

/* What `sfumato inspect` shows: family, and of each part dtype, size, missing, misshapen and unexpected tensors. Caller frees the string with g_free, the node with json_node_unref. */
char *sfu_model_inspect(SfuModel *m);
JsonNode *sfu_model_inspect_json(SfuModel *m);

G_END_DECLS
#endif
