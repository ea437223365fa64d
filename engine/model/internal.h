/* The model behind its header: shared by model.c (opening), config.c (shapes and config.json) and inspect.c.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_MODEL_INTERNAL_H
#define SFU_MODEL_INTERNAL_H

#include "model/model.h"
#include "model/safetensors.h"

struct SfuModel {
    char *path;
    SfuFamily family;
    GPtrArray *files;                 /* SfuFile* */
    GHashTable *tensors[SFU_N_PARTS]; /* canonical name -> SfuFileTensor* (in a file, or in `made`); NULL: part absent */
    GHashTable *weights[SFU_N_PARTS]; /* canonical name -> SfuWeight* */
    GPtrArray *made;                  /* SfuFileTensor*: slices of fused tensors */
    GPtrArray *unexpected;            /* char*: names that are not read */
    JsonNode *config[SFU_N_PARTS], *index, *scheduler_json;
    SfuUnetConfig unet;
    SfuVaeConfig vae;
    SfuTextConfig text;
    SfuVisionConfig vision;
    SfuSchedulerConfig scheduler;
    SfuUpscalerConfig upscaler;
};

/* Fills family and configurations from tensor shapes, then from config.json where there is one. FALSE with FAMILY or FORMAT. */
gboolean sfu_model_configure(SfuModel *m, GError **error);
const SfuFileTensor *sfu_model_tensor(const SfuModel *m, SfuPart part, const char *format, ...) G_GNUC_PRINTF(3, 4);

#endif
