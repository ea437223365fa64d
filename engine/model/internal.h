/* The model behind its header: shared by model.c (opening), config.c (shapes and config.json), expect.c (what each network
 * needs), upscaler.c (families of upscalers) and inspect.c.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_MODEL_INTERNAL_H
#define SFU_MODEL_INTERNAL_H

#include "model/model.h"
#include "file/file.h"

struct SfuModel {
    char *path;
    SfuFamily family;
    GPtrArray *files;                 /* SfuFile* */
    GHashTable *tensors[SFU_N_PARTS]; /* canonical name -> SfuFileTensor* (in a file, or in `made`); NULL: part absent */
    GHashTable *weights[SFU_N_PARTS]; /* canonical name -> SfuWeight* */
    GPtrArray *made;                  /* SfuFileTensor*: slices of fused tensors */
    GPtrArray *ignored;               /* char*: known and not needed (EMA copies, position numbers, training state) */
    GPtrArray *unexpected;            /* char*: names that Sfumato does not know */
    GPtrArray *missing;               /* char*: "part: name [shape]", missing or misshapen */
    gboolean openclip;                /* the text encoder has OpenCLIP's names, and its last layer */
    JsonNode *config[SFU_N_PARTS], *index, *scheduler_json;
    SfuUnetConfig unet;
    SfuVaeConfig vae;
    SfuTextConfig text;
    SfuVisionConfig vision;
    SfuSchedulerConfig scheduler;
    SfuUpscalerConfig upscaler;
};

/* Takes name; t is borrowed. FALSE with FORMAT if the part has the name already. */
gboolean sfu_model_add_tensor(SfuModel *m, SfuPart part, char *name, SfuFileTensor *t, GError **error);
/* Fills family and configurations from tensor shapes, then from config.json where there is one. FALSE with FAMILY or FORMAT. */
gboolean sfu_model_configure(SfuModel *m, GError **error);
const SfuFileTensor *sfu_model_tensor(const SfuModel *m, SfuPart part, const char *format, ...) G_GNUC_PRINTF(3, 4);
int sfu_tensor_dim(const SfuFileTensor *t, int i); /* 0 if there is no such dim */
/* Compares every part with what its configuration needs: fills missing; moves what is not needed to unexpected or ignored. */
void sfu_model_expect(SfuModel *m);

/* Upscalers. map: if the file's names are those of an upscaler, adds its tensors under their canonical names (the family is
 * set) and returns TRUE. expect: calls `need` for each tensor of the configuration. */
gboolean sfu_upscaler_map(SfuModel *m, const SfuFile *f, gboolean *is_upscaler, GError **error);
gboolean sfu_upscaler_configure(SfuModel *m, GError **error);
typedef void (*SfuNeed)(gpointer data, const char *name, int n_dims, const gint64 *dims);
void sfu_upscaler_expect(const SfuModel *m, SfuNeed need, gpointer data);

#endif
