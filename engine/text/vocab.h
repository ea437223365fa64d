/* CLIP's vocabulary as embed_vocabulary.py writes it.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_VOCAB_H
#define SFU_VOCAB_H

#include <glib.h>

#define SFU_N_MERGES 48894
#define SFU_VOCAB_WORD_END 256    /* id of a byte that ends a word = id of the byte + this */
#define SFU_VOCAB_FIRST_MERGE 512 /* id of what merge `rank` makes = this + rank */

extern const guint8 sfu_vocab_byte_ids[256];
extern const guint32 sfu_vocab_pairs[SFU_N_MERGES]; /* left id << 16 | right id, rising */
extern const guint16 sfu_vocab_ranks[SFU_N_MERGES]; /* of the pair at the same place */

#endif
