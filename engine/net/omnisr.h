/* OmniSR.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_OMNISR_H
#define SFU_NET_OMNISR_H

#include "net/upscaler.h"

#define SFU_OMNISR_HEADS 4

typedef struct {
    int window;
    gboolean positions; /* attention between pixels knows how far they lie apart */
    gboolean bias;      /* the convolutions around the blocks have one */
} SfuOmnisrConfig;

extern const SfuUpscalerKind sfu_omnisr_kind; /* own: SfuOmnisrConfig; blocks: groups of blocks */

#endif
