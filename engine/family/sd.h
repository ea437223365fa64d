/* What the families round Stable Diffusion share.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FAMILY_SD_H
#define SFU_FAMILY_SD_H

#include "family/family.h"

/* Original single files: "model.diffusion_model.", "first_stage_model.", "cond_stage_model.". */
gboolean sfu_sd_open(SfuModel *m, const SfuSource *s, GError **error);
char *sfu_sd_canonical(const SfuSource *s, const char *name, SfuPart *part);
/* How a file spells the UNet's names; a file of the UNet alone may have lost the prefix. NULL: it has none. */
typedef struct {
    const char *prefix;
    gboolean diffusers; /* else the original's */
} SfuUnetNames;
/* Of a file with a tensor of that name, as the original or diffusers call it. */
const SfuUnetNames *sfu_sd_unet_names(const SfuSource *s, const char *original, const char *diffusers);
/* The canonical name of a tensor of such a file, whose names have that spelling. */
char *sfu_sd_canonical_in(const SfuSource *s, const SfuUnetNames *names, const char *name, SfuPart *part);
/* How many levels the VAE of a file with original names has, behind `prefix`; 0: there is none. */
int sfu_sd_vae_levels(const SfuSource *s, const char *prefix);
/* The scheduler, and all parts that the model has. */
gboolean sfu_sd_configure_parts(SfuModel *m, GError **error);
/* Names of modules in original files, for adapters: UNet, OpenCLIP. */
void sfu_sd_aliases(const SfuModel *m, SfuPart part, const char *module, SfuAliases *names);
/* The UNet's; the VAE's or, without one, TAESD's. */
SfuDenoiser *sfu_sd_denoiser(SfuQueue *q, SfuModel *m, GError **error);
SfuAutoencoder *sfu_sd_autoencoder(SfuQueue *q, SfuModel *m, GError **error);
/* Side of the pictures that a UNet was trained on: the latents' side in its config.json, else 512. */
int sfu_sd_native_px(const SfuModel *m);
/* What their networks lack or do not need. */
void sfu_sd_expect(SfuModel *m);
/* Finds the prediction type and the end of the schedule in the file or the .yaml beside it, for files without a
 * scheduler_config.json. v: what to assume if neither tells. */
void sfu_sd_guess_prediction(SfuModel *m, gboolean v);

/* For families' fits(): whether `other` has an autoencoder of as many channels as the UNet makes, or a text encoder
 * of that width. */
gboolean sfu_sd_part_fits(const SfuModel *m, const SfuModel *other, SfuPart part, int width, GError **error);
/* For likely(): whether the autoencoder, which fits, belongs to models with latents scaled so, of which only XL's
 * have files that are called by their family. */
gboolean sfu_sd_vae_is_likely(const SfuModel *other, float scale, gboolean xl);

/* Whose a context of that width is, for messages. */
const char *sfu_sd_kin(int context, gboolean added);

#endif
