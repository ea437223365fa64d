/* What an adapter's module is, by its tensors, and the change that it makes of a weight.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_ADAPTER_KINDS_H
#define SFU_ADAPTER_KINDS_H

#include "model/adapter_tensors.h"
#include "model/delta.h"

/* ---- adapter_kinds.c ---- */

typedef enum {
    SFU_ADAPTER_NONE,
    SFU_ADAPTER_LORA,
    SFU_ADAPTER_LOHA,
    SFU_ADAPTER_LOKR,
    SFU_ADAPTER_GLORA,
    SFU_ADAPTER_OFT,
    SFU_ADAPTER_BOFT,
    SFU_ADAPTER_OFT_PEFT,
    SFU_ADAPTER_FULL,
    SFU_ADAPTER_BYTES,
    SFU_ADAPTER_IA3,
    SFU_ADAPTER_IA3_PEFT,
    SFU_N_ADAPTER_KINDS
} SfuAdapterKind;
const char *sfu_adapter_kind_name(SfuAdapterKind kind); /* "LoRA" */
SfuAdapterKind sfu_adapter_kind(const SfuAdapterModule *m);
static inline gboolean sfu_adapter_has(const SfuAdapterModule *m, SfuAdapterRole role)
{
    return m->t[role] != NULL;
}
/* 1 beyond the dimensions that it has. */
static inline gint64 sfu_adapter_dim(const SfuFileTensor *t, int i)
{
    return i < t->n_dims ? t->dims[i] : 1;
}
/* Whether it changes the weight, or the bias, of its module. */
gboolean sfu_adapter_module_changes(const SfuAdapterModule *m, gboolean bias);
gboolean sfu_adapter_has_bytes_b(const SfuAdapterModule *m);
/* LyCORIS has a1 [in, r], a2 [r, in], b1 [out, r], b2 [r, in ..]; before 2.0 it had a1 and b1 [r, in], a2 [in, r], b2
 * [out, r]. */
gboolean sfu_adapter_glora_is_old(const SfuAdapterModule *m);
/* Of the factor that the rank's alpha belongs to; 0: none. */
gint64 sfu_adapter_rank(const SfuAdapterModule *m);
/* Outputs and inputs of the module as far as its tensors tell; 0: they do not. */
void sfu_adapter_size(const SfuAdapterModule *m, gint64 *out, gint64 *in);

/* ---- adapter_delta.c ---- */

/* A module, and the weight that it is to change: `rows` outputs, `in` inputs of `taps` values. */
typedef struct {
    const SfuAdapterModule *m;
    gint64 rows, in, taps;
    const SfuAlphas *alphas; /* beside the file; NULL: none */
    const char *path;        /* of the file, for errors */
} SfuAdapterSite;
/* What sfu_adapter_delta() returns. */
SfuDelta *sfu_adapter_build(const SfuAdapterSite *site, gboolean bias, GError **error);

#endif
