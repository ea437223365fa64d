/* The model behind its header, for the families, which fill it: model.c, folder.c (diffusers' form), config.c
 * (shapes and config.json). Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_MODEL_MODEL_STRUCT_H
#define SFU_MODEL_MODEL_STRUCT_H

#include "model/model.h"
#include "file/file.h"

struct SfuModel {
    char *path;
    const SfuFamily *family;
    GPtrArray *files; /* SfuFile* */
    GHashTable
        *tensors[SFU_N_PARTS]; /* canonical name -> SfuFileTensor* (in a file, or in `made`); NULL: part absent */
    GHashTable *weights[SFU_N_PARTS]; /* canonical name -> SfuWeight* */
    GPtrArray *made;                  /* SfuFileTensor*: slices of fused tensors */
    GPtrArray *ignored;               /* char*: known and not needed (EMA copies, position numbers, training state) */
    GPtrArray *unexpected;            /* char*: names that Sfumato does not know */
    GPtrArray *strays;                /* char*: those of them that lie within a part */
    GPtrArray *missing;               /* char*: "part: name [shape]", missing or misshapen */
    guint openclip;                   /* bits 1 << SfuPart: the text encoder has OpenCLIP's names */
    JsonNode *config[SFU_N_PARTS], *index, *scheduler_json;
    SfuUnetConfig unet;
    SfuVaeConfig vae;
    SfuTextConfig text, text2;
    SfuLanguageConfig language;
    SfuSchedulerConfig scheduler;
    SfuUpscalerConfig upscaler;
    SfuLamaConfig lama;
    SfuControlConfig control;
    SfuVisionConfig vision;
    SfuImagePromptConfig image_prompt;
    gpointer transformer; /* what its family knows of it: the struct in the network's header; g_free'd; NULL: none */
};

/* An empty model. Caller frees with sfu_model_close(). */
SfuModel *sfu_model_new(const char *path);
/* Maps a file, which the model then owns. */
SfuFile *sfu_model_add_file(SfuModel *m, const char *path, GError **error);
/* Takes name; t is borrowed. FALSE with FORMAT if the part has the name already. */
gboolean sfu_model_add_tensor(SfuModel *m, SfuPart part, char *name, SfuFileTensor *t, GError **error);
/* The rows of t, a matrix [n * r, c] or a vector [n * r], as n tensors of r rows that share its bytes; names [n]; a
 * tensor whose name is NULL is left out. FALSE with FORMAT if the rows do not divide into n equal parts. */
gboolean sfu_model_add_split(SfuModel *m, SfuPart part, const char *const *names, int n, const SfuFileTensor *t,
                             GError **error);
/* The same for a name that may be NULL: the tensor is then ignored or unexpected; part SFU_N_PARTS: it belongs to
 * none. A fused "self_attn.in_proj." becomes three tensors. */
gboolean sfu_model_add_named(SfuModel *m, SfuPart part, char *name, SfuFileTensor *t, gboolean ignorable,
                             GError **error);
const SfuFileTensor *sfu_model_tensor(const SfuModel *m, SfuPart part, const char *format, ...) G_GNUC_PRINTF(3, 4);
int sfu_tensor_dim(const SfuFileTensor *t, int i); /* 0 if t has fewer dims; at most 2^24 */

/* folder.c: all parts of a folder in diffusers' form, with their configs. */
gboolean sfu_model_read_folder(SfuModel *m, GError **error);

/* settings.c: FALSE with FAMILY if the folder's configuration asks for what no network here computes. */
gboolean sfu_model_check_settings(const SfuModel *m, GError **error);

/* config.c: a part's configuration from tensor shapes, then from config.json where there is one. FALSE with FAMILY
 * or FORMAT. */
gboolean sfu_model_configure_unet(SfuModel *m, GError **error);
gboolean sfu_model_configure_control(SfuModel *m, GError **error); /* the UNet's values of a ControlNet */
gboolean sfu_model_configure_vae(SfuModel *m, GError **error);
gboolean sfu_model_configure_text(SfuModel *m, SfuPart part, GError **error);
gboolean sfu_model_configure_vision(SfuModel *m, GError **error);
gboolean sfu_model_configure_language(SfuModel *m, GError **error);
gboolean sfu_model_configure_scheduler(SfuModel *m, GError **error);

#endif
