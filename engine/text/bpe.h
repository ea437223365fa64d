/* Byte-pair merging (Sennrich 2016), which every tokenizer here ends with.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_BPE_H
#define SFU_BPE_H

#include <glib.h>

/* What two neighboring tokens make: *rank (the smaller, the sooner it is made) and *id. FALSE: nothing. */
typedef gboolean (*SfuBpeJoin)(gconstpointer table, gint32 left, gint32 right, guint32 *rank, gint32 *id);
/* Merges a word's tokens [n], n >= 1, the pair of lowest rank first and the leftmost of equal ones, and appends what is
 * left (gint32) to ids. With a heap, since a word may be as long as the prompt. */
void sfu_bpe_merge(SfuBpeJoin join, gconstpointer table, const gint32 *tokens, gsize n, GArray *ids);

#endif
