/* Qwen's vocabulary as qwen_pack.py writes it.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TEXT_QWEN_H
#define SFU_TEXT_QWEN_H

#include <glib.h>

#define SFU_QWEN_N_MERGES 151387 /* merge i makes token 256 + i; after them come the special tokens */

extern const gsize sfu_qwen_merges_bytes;
extern const guint8 sfu_qwen_merges[]; /* gzip: left parts, then right parts, each as three planes of bytes */

#endif
