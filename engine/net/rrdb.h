/* RRDBNet.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_RRDB_H
#define SFU_NET_RRDB_H

#include "net/upscaler.h"

typedef struct {
    int growth;        /* channels that each convolution of a dense block adds */
    int stage_factor;  /* of one stage of enlargement, 2 or 3 */
    gboolean skip_1x1; /* a 1x1 branch and a second skip in every dense block (ESRGAN+) */
} SfuRrdbConfig;

extern const SfuUpscalerKind sfu_rrdb_kind; /* own: SfuRrdbConfig */

#endif
