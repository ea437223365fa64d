/* Sfumato mini, the model in the box: a folder in diffusers' form whose model_index.json has a "sfumato" object.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/registry.h"
#include "family/sd.h"

static gboolean claims(const SfuModel *m)
{
    return sfu_model_has_part(m, SFU_PART_UNET) && sfu_model_sfumato(m);
}

static int native_px(const SfuModel *m)
{
    JsonNode *n = json_object_get_member(sfu_model_sfumato(m), "native_size");
    return n && JSON_NODE_HOLDS_VALUE(n) ? (int)CLAMP(json_node_get_int(n), 64, 4096) : 256;
}

/* "latent": "pixels": the network works on the picture itself. */
static gboolean on_pixels(const SfuModel *m)
{
    JsonNode *n = json_object_get_member(sfu_model_sfumato(m), "latent");
    return n && JSON_NODE_HOLDS_VALUE(n) && g_strcmp0(json_node_get_string(n), "pixels") == 0;
}

static SfuAutoencoder *autoencoder(SfuQueue *q, SfuModel *m, GError **error)
{
    return on_pixels(m) ? sfu_pixels_autoencoder(q) : sfu_sd_autoencoder(q, m, error);
}

const SfuFamily sfu_family_mini = {.id = "mini",
                                   .name = "Sfumato mini",
                                   .tasks = 1u << SFU_TASK_INPAINT | 1u << SFU_TASK_OUTPAINT | 1u << SFU_TASK_UPSCALE,
                                   .rank = 9,
                                   .rank_upscale = 3,
                                   .enlargement = SFU_ENLARGE_FLOW,
                                   .claims = claims,
                                   .native_px = native_px,
                                   .configure = sfu_sd_configure_parts,
                                   .expect = sfu_sd_expect,
                                   .denoiser = sfu_sd_denoiser,
                                   .autoencoder = autoencoder,
                                   .on_pixels = on_pixels};
