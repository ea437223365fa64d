/* SRVGGNetCompact.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_SRVGG_H
#define SFU_NET_SRVGG_H

#include "net/upscaler.h"

extern const SfuUpscalerKind sfu_srvgg_kind; /* blocks: convolutions between the first and the last */

#endif
