/* What adapters' tensors are called, and alphas that are kept beside them. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_ADAPTER_TENSORS_H
#define SFU_ADAPTER_TENSORS_H

#include "file/file.h"

typedef enum {
    SFU_ROLE_UP,
    SFU_ROLE_DOWN,
    SFU_ROLE_MID,
    SFU_ROLE_UP_BIAS,
    SFU_ROLE_ALPHA,
    SFU_ROLE_DORA,      /* LyCORIS' magnitudes */
    SFU_ROLE_MAGNITUDE, /* PEFT's */
    SFU_ROLE_HADA1_A,
    SFU_ROLE_HADA1_B,
    SFU_ROLE_HADA2_A,
    SFU_ROLE_HADA2_B,
    SFU_ROLE_T1,
    SFU_ROLE_T2,
    SFU_ROLE_W1,
    SFU_ROLE_W1_A,
    SFU_ROLE_W1_B,
    SFU_ROLE_W2,
    SFU_ROLE_W2_A,
    SFU_ROLE_W2_B,
    SFU_ROLE_W2_T,
    SFU_ROLE_DIFF,
    SFU_ROLE_DIFF_B,
    SFU_ROLE_NORM_W,
    SFU_ROLE_NORM_B,
    SFU_ROLE_WEIGHT, /* of LyCORIS' IA3, beside ON_INPUT */
    SFU_ROLE_ON_INPUT,
    SFU_ROLE_IA3, /* PEFT's */
    SFU_ROLE_A1,  /* of LyCORIS' GLoRA */
    SFU_ROLE_A2,
    SFU_ROLE_B1,
    SFU_ROLE_B2,
    SFU_ROLE_BLOCKS, /* OFT's, of LyCORIS and kohya */
    SFU_ROLE_RESCALE,
    SFU_ROLE_SKEW,  /* OFT's, of PEFT */
    SFU_ROLE_BYTES, /* Fooocus' differences: bytes from LOW (0) to HIGH (255), of a weight and of a bias */
    SFU_ROLE_LOW,
    SFU_ROLE_HIGH,
    SFU_ROLE_BYTES_B,
    SFU_ROLE_LOW_B,
    SFU_ROLE_HIGH_B,
    SFU_N_ROLES,
    SFU_ROLE_FOREIGN = SFU_N_ROLES, /* known, and not applied */
} SfuAdapterRole;

typedef struct {
    char *name;
    const SfuFileTensor *t[SFU_N_ROLES]; /* borrowed; NULL: not there */
} SfuAdapterModule;

/* Length of the module's name at the start of a tensor's, and what the tensor is to it; 0: not a tensor of an adapter.
 */
gsize sfu_adapter_split(const char *name, SfuAdapterRole *role);
/* The kind of adapter that a tensor of role FOREIGN belongs to. */
const char *sfu_adapter_foreign(const char *name);
/* The first `length` bytes of a name without what old diffusers put between a module and its adapter. Caller frees. */
char *sfu_adapter_module_name(const char *name, gsize length);

/* Alphas of PEFT: adapter_config.json beside the file, or "lora_adapter_metadata" in it. */
typedef struct SfuAlphas SfuAlphas;
/* *alphas NULL: there are none. FALSE with FORMAT for a damaged one. */
gboolean sfu_alphas_read(const SfuFile *f, SfuAlphas **alphas, GError **error);
void sfu_alphas_free(SfuAlphas *a);
/* alpha of a module, as if the scale were alpha / rank. */
double sfu_alphas_of(const SfuAlphas *a, const char *module, gint64 rank);
/* A number or truth value of PEFT's configuration. a may be NULL. */
double sfu_alphas_setting(const SfuAlphas *a, const char *module, const char *name, double fallback);
/* The rank of a module as it was asked for, where its tensors do not tell; 0: it is not said. */
gint64 sfu_alphas_rank(const SfuAlphas *a, const char *module);

#endif
