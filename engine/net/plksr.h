/* PLKSR and RealPLKSR.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_PLKSR_H
#define SFU_NET_PLKSR_H

#include "net/upscaler.h"

#define SFU_PLKSR_NORM_GROUPS 4 /* of RealPLKSR's group norms; not in the files, the same in all that are published */

typedef struct {
    gboolean real;       /* RealPLKSR */
    gboolean layer_norm; /* RealPLKSR: a layer norm before each block instead of a group norm behind it */
    gboolean gated;      /* blocks have an element-wise attention */
    gboolean dynamic;    /* RealPLKSR: enlarges by dynamic upsampling (DySample) */
    int kernel, part;    /* of the large kernel: side, and channels */
} SfuPlksrConfig;

extern const SfuUpscalerKind sfu_plksr_kind; /* own: SfuPlksrConfig */

#endif
