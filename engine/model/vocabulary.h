/* The vocabulary that lies beside a language model, or in its file.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_MODEL_VOCABULARY_H
#define SFU_MODEL_VOCABULARY_H

#include "model/model.h"

G_BEGIN_DECLS

/* Byte-level byte pairs, in GPT-2's letters. */
typedef struct {
    GPtrArray *tokens;   /* char*, in the order of their numbers; NULL: no token of that number */
    GByteArray *special; /* one each: 1: taken out of the text before all else */
    GPtrArray *merges;   /* char*: "left right", the first to be made first */
} SfuModelVocabulary;

/* From a GGUF file's metadata, from tokenizer.json, or from vocab.json, merges.txt and added_tokens.json, in the
 * model's folder or its tokenizer/. FALSE with FORMAT for one that is torn, REFUSED for one of another kind.
 * *vocabulary NULL without error: there is none. Caller frees with sfu_model_vocabulary_free(). */
gboolean sfu_model_vocabulary(const SfuModel *m, SfuModelVocabulary **vocabulary, GError **error);
void sfu_model_vocabulary_free(SfuModelVocabulary *v);

G_END_DECLS
#endif
