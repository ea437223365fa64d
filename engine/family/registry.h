/* All families, one line each; registry.c puts them into the order in which they are asked.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FAMILY_REGISTRY_H
#define SFU_FAMILY_REGISTRY_H

#include "family/family.h"

extern const SfuFamily sfu_family_sd1, sfu_family_sd1_inpaint, sfu_family_sd1_edit, sfu_family_sd2,
    sfu_family_sd2_inpaint, sfu_family_sd_turbo; /* sd.c */
extern const SfuFamily sfu_family_sdxl, sfu_family_sdxl_inpaint, sfu_family_sdxl_edit, sfu_family_sdxl_refiner,
    sfu_family_sdxl_turbo, sfu_family_sdxl_lightning, sfu_family_sdxl_lcm;                   /* sdxl.c */
extern const SfuFamily sfu_family_flux2, sfu_family_flux2_base;                              /* flux2.c */
extern const SfuFamily sfu_family_sd_x4;                                                     /* x4.c */
extern const SfuFamily sfu_family_mini;                                                      /* mini.c */
extern const SfuFamily sfu_family_taesd;                                                     /* taesd.c */
extern const SfuFamily sfu_family_vae, sfu_family_text_encoder, sfu_family_vision;           /* parts.c */
extern const SfuFamily sfu_family_ip_adapter;                                                /* ip_adapter_layouts.c */
extern const SfuFamily sfu_family_zimage, sfu_family_zimage_base, sfu_family_zimage_control; /* zimage.c */
extern const SfuFamily sfu_family_qwen3;                                                     /* qwen3.c */
extern const SfuFamily sfu_family_control, sfu_family_inpaint_head, sfu_family_t2i;          /* control_layouts.c */
extern const SfuFamily sfu_family_lama;                                                      /* lama.c */
extern const SfuFamily sfu_family_migan;                                                     /* migan.c */
extern const SfuFamily sfu_family_rrdb;                                                      /* rrdb.c */
extern const SfuFamily sfu_family_srvgg;                                                     /* srvgg.c */
extern const SfuFamily sfu_family_swinir, sfu_family_hat;                                    /* swin.c */
extern const SfuFamily sfu_family_span;                                                      /* span.c */
extern const SfuFamily sfu_family_plksr;                                                     /* plksr.c */
extern const SfuFamily sfu_family_omnisr;                                                    /* omnisr.c */
extern const SfuFamily sfu_family_dat;                                                       /* dat.c */
extern const SfuFamily sfu_family_srformer;                                                  /* srformer.c */

/* The name of the network in a file that Sfumato does not run; NULL. unknown: no family knows the file, so that likely
 * names count, too. */
const char *sfu_family_foreign(const SfuFile *f, gboolean unknown);
/* Of a file that holds text encoder and autoencoder as well, under ComfyUI's prefixes: TRUE if the name is one of
 * theirs. *canonical is the caller's; NULL: not read. */
gboolean sfu_family_bundled(const SfuSource *s, const char *name, SfuPart *part, char **canonical, gboolean *ignorable);

#endif
