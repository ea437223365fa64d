/* Parts of other models, alone: an AutoencoderKL (Rombach 2022, appendix E), a CLIP text encoder.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/registry.h"
#include "family/sd.h"
#include "model/names.h"

/* Original names, alone or as a checkpoint has them, or diffusers'. */
static gboolean recognize_vae(const SfuSource *s)
{
    return sfu_sd_vae_levels(s, "") > 0 || sfu_sd_vae_levels(s, "first_stage_model.") > 0 ||
           sfu_source_find(s, "decoder.up_blocks.0.resnets.0.conv1.weight");
}

static char *canonical_vae(const SfuSource *s, const char *name, SfuPart *part)
{
    const int alone = sfu_sd_vae_levels(s, ""), within = sfu_sd_vae_levels(s, "first_stage_model.");
    *part = SFU_PART_VAE;
    if (within)
        return sfu_sd_canonical(s, name, part);
    return alone ? sfu_name_from_vae(name, alone) : sfu_name_from_diffusers(name, SFU_PART_VAE);
}

static gboolean claims_vae(const SfuModel *m)
{
    return sfu_model_has_part(m, SFU_PART_VAE);
}
static gboolean claims_text(const SfuModel *m)
{
    return sfu_model_has_part(m, SFU_PART_TEXT) || sfu_model_has_part(m, SFU_PART_TEXT2);
}

const SfuFamily sfu_family_vae = {.id = "vae",
                                  .name = "AutoencoderKL (VAE)",
                                  .part = "vae",
                                  .use = "in place of another model's VAE",
                                  .recognize = recognize_vae,
                                  .canonical = canonical_vae,
                                  .ignores = sfu_name_is_ignorable,
                                  .claims = claims_vae,
                                  .configure = sfu_sd_configure_parts,
                                  .expect = sfu_sd_expect,
                                  .autoencoder = sfu_sd_autoencoder};
const SfuFamily sfu_family_text_encoder = {.id = "clip",
                                           .name = "CLIP text encoder",
                                           .use = "a part of another model",
                                           .claims = claims_text,
                                           .configure = sfu_sd_configure_parts,
                                           .expect = sfu_sd_expect,
                                           .autoencoder = sfu_sd_autoencoder};
