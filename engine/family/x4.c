/* The Stable Diffusion x4 upscaler: a UNet that sees the small picture beside the latents (7 channels), and a VAE of
 * three levels. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/registry.h"
#include "family/sd.h"
#include "model/model_struct.h"
#include "model/canonical_names.h"

#define PICTURE_CHANNELS 3

static gboolean is_x4(const SfuFileTensor *in, const SfuFileTensor *out, const SfuFileTensor *classes)
{
    return in && out && classes && sfu_tensor_dim(in, 1) == sfu_tensor_dim(out, 0) + PICTURE_CHANNELS;
}

static gboolean recognize(const SfuSource *s)
{
    return is_x4(sfu_source_find(s, "model.diffusion_model.input_blocks.0.0.weight"),
                 sfu_source_find(s, "model.diffusion_model.out.2.weight"),
                 sfu_source_find(s, "model.diffusion_model.label_emb.weight"));
}

static gboolean claims(const SfuModel *m)
{
    return is_x4(sfu_model_tensor(m, SFU_PART_UNET, "conv_in.weight"),
                 sfu_model_tensor(m, SFU_PART_UNET, "conv_out.weight"),
                 sfu_model_tensor(m, SFU_PART_UNET, "class_embedding.weight"));
}

static gboolean configure(SfuModel *m, GError **error)
{
    if (!sfu_sd_configure_parts(m, error))
        return FALSE;
    if (!m->scheduler_json) { /* x4-upscaling.yaml */
        sfu_sd_guess_prediction(m, TRUE);
        m->scheduler.beta_start = 0.0001;
        m->scheduler.beta_end = 0.02;
    }
    return TRUE;
}

const SfuFamily sfu_family_sd_x4 = {.id = "sd-x4",
                                    .name = "Stable Diffusion x4 upscaler",
                                    .tasks = 1u << SFU_TASK_UPSCALE,
                                    .rank_upscale = 1,
                                    .enlargement = SFU_ENLARGE_LOW_RES,
                                    .scale = 4,
                                    .tile_px = 512,
                                    .recognize = recognize,
                                    .canonical = sfu_sd_canonical,
                                    .ignores = sfu_name_is_ignorable,
                                    .open = sfu_sd_open,
                                    .claims = claims,
                                    .configure = configure,
                                    .expect = sfu_sd_expect,
                                    .denoiser = sfu_sd_denoiser,
                                    .autoencoder = sfu_sd_autoencoder};
