/* Textual inversion (Gal 2022): vectors that stand for a word, as they are kept in files.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_EMBEDDING_H
#define SFU_EMBEDDING_H

#include "file/file.h"

G_BEGIN_DECLS

#define SFU_EMBEDDING_MOST 75 /* vectors: as many as tokens of text fit a chunk */
#define SFU_EMBEDDING_SLOTS 2

typedef struct {
    int n;                            /* vectors */
    int width[SFU_EMBEDDING_SLOTS];   /* of the vectors for the first and the second text encoder; 0: none */
    float *rows[SFU_EMBEDDING_SLOTS]; /* [n, width] */
    int n_in[SFU_EMBEDDING_SLOTS];    /* while it is read */
} SfuEmbedding;

/* AUTOMATIC1111's string_to_param and emb_params, diffusers' and others' single tensor, lists of them (one after the
 * other; of two widths: a pair), XL's pairs (clip_l and clip_g, text_encoders_0 and _1). bundle: the name of one that
 * is kept in an adapter's file ("bundle_emb.NAME."); else NULL. NULL with FORMAT. Caller frees with
 * sfu_embedding_free(). */
SfuEmbedding *sfu_embedding_read(const char *path, const char *bundle, GError **error);
void sfu_embedding_free(SfuEmbedding *e);
/* Vectors for text encoder number i of n_encoders, which wants them `width` wide; NULL: the file has none. A single
 * tensor serves the only encoder. */
const float *sfu_embedding_rows(const SfuEmbedding *e, int i, int n_encoders, int width);

G_END_DECLS
#endif
