/* SPAN.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_SPAN_H
#define SFU_NET_SPAN_H

#include "net/upscaler.h"

#define SFU_SPAN_BLOCKS 6

typedef struct {
    gboolean raw_input; /* the network sees the picture as it is, not centered and from 0 to 255 */
    gboolean trained;   /* the file has the convolutions as they were trained; else only as they are used */
} SfuSpanConfig;

extern const SfuUpscalerKind sfu_span_kind; /* own: SfuSpanConfig */

#endif
