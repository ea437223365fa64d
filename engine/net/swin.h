/* SwinIR, HAT and SRFormer.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_SWIN_H
#define SFU_NET_SWIN_H

#include "net/upscaler.h"

typedef struct {
    int window, n_heads;
    int overlap_window;   /* HAT: side of the windows that keys come from; 0: SwinIR */
    int grain;            /* SRFormer: side of the squares that are keys; 0: pixels are */
    gboolean unshifted;   /* no block's windows are shifted */
    gboolean no_qkv_bias; /* SRFormer */
    float range;          /* the network sees (x - mean) * range */
} SfuSwinConfig;

extern const SfuUpscalerKind sfu_swin_kind; /* own: SfuSwinConfig; blocks: residual groups */

#endif
