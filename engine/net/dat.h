/* DAT.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_DAT_H
#define SFU_NET_DAT_H

#include "net/upscaler.h"

#define SFU_DAT_MAX_GROUPS 64
#define SFU_DAT_MAX_BLOCKS 64

typedef struct {
    int split[2]; /* height and width of the windows of the first half of the channels; the second half's are turned */
    int depth[SFU_DAT_MAX_GROUPS], n_heads[SFU_DAT_MAX_GROUPS];
    gboolean qkv_bias;
} SfuDatConfig;

extern const SfuUpscalerKind sfu_dat_kind; /* own: SfuDatConfig; blocks: residual groups */

#endif
