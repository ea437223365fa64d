/* Text in: the CLIP byte-pair tokenizer and AUTOMATIC1111's prompt syntax. No network here; the encoders are
 * engine/net's.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TEXT_H
#define SFU_TEXT_H

#include <glib.h>

G_BEGIN_DECLS

#define SFU_TEXT_ERROR sfu_text_error_quark()
GQuark sfu_text_error_quark(void);
typedef enum {
    SFU_TEXT_ERROR_UTF8,       /* no valid UTF-8; the sentence says at which byte */
    SFU_TEXT_ERROR_LENGTH,     /* longer than SFU_PROMPT_MAX_BYTES */
    SFU_TEXT_ERROR_WEIGHT,     /* brackets too deep, or a weight too large */
    SFU_TEXT_ERROR_VOCABULARY, /* a vocabulary that no tokenizer can be made of */
    SFU_TEXT_ERROR_PARTS,      /* more than SFU_PROMPT_MAX_PARTS joined with AND */
    SFU_TEXT_ERROR_WILDCARD,   /* too many, or in a circle */
} SfuTextError;

#define SFU_N_VOCAB 49408
#define SFU_TOKEN_BOS 49406
#define SFU_TOKEN_EOS 49407
#define SFU_CHUNK_TOKENS 77 /* BOS, 75 tokens of text, EOS */
#define SFU_CHUNK_TEXT 75
#define SFU_PROMPT_MAX_BYTES (256 * 1024)

/* FALSE with UTF8 or LENGTH. A NUL within n bytes is not valid. */
gboolean sfu_text_check(const char *text, gsize n, GError **error);

/* The tokenizer of CLIP-L and OpenCLIP-H (one vocabulary), identical to Hugging Face's CLIPTokenizer. */
typedef struct SfuTokenizer SfuTokenizer;
SfuTokenizer *sfu_tokenizer_new(void); /* the vocabulary is in the binary; caller frees with sfu_tokenizer_free().
                                          Read-only once made: any thread */
void sfu_tokenizer_free(SfuTokenizer *t);
/* Appends the ids (gint32, without BOS and EOS) of text[0..length) (-1: up to the NUL) to ids. FALSE with UTF8 or
 * LENGTH, ids untouched. */
gboolean sfu_tokenizer_encode(const SfuTokenizer *t, const char *text, gssize length, GArray *ids, GError **error);

/* A byte-level vocabulary as model files have it. Everything is borrowed. */
typedef struct {
    const char *const *tokens; /* [n_tokens], in GPT-2's letters for bytes; NULL: no token of that id */
    const guint8 *special;     /* [n_tokens]: 1 where the token is taken out of the text before all else */
    gsize n_tokens;
    const char *const *merges; /* [n_merges]: "left right", the first to be made first */
    gsize n_merges;
} SfuVocabulary;

/* The byte-level tokenizer of Qwen2 and Qwen3, identical to Hugging Face's Qwen2Tokenizer. */
typedef struct SfuByteTokenizer SfuByteTokenizer;
/* With Qwen3's vocabulary, which is in the binary, packed; takes some 20 ms. NULL with error: it is damaged. Caller
 * frees with sfu_byte_tokenizer_free(). Read-only once made: any thread. */
SfuByteTokenizer *sfu_byte_tokenizer_new(GError **error);
/* NULL with VOCABULARY. */
SfuByteTokenizer *sfu_byte_tokenizer_new_from(const SfuVocabulary *v, GError **error);
void sfu_byte_tokenizer_free(SfuByteTokenizer *t);
/* As sfu_tokenizer_encode(); special tokens written in the text are taken for what they are. */
gboolean sfu_byte_tokenizer_encode(const SfuByteTokenizer *t, const char *text, gssize length, GArray *ids,
                                   GError **error);

/* A prompt cut to chunks as AUTOMATIC1111 does: (word:1.2), ((word)), [word], \( \) \[ \], BREAK; a chunk is broken at
 * the last comma if that moves no more than 20 tokens. Never fewer than one chunk. */
typedef struct {
    int n_chunks;
    int n_tokens;                       /* of text, without padding, BOS and EOS */
    gint32 pad;                         /* what follows EOS within a chunk */
    gboolean weighted;                  /* some weight is not 1 */
    gint32 (*tokens)[SFU_CHUNK_TOKENS]; /* [n_chunks][77] */
    float (*weights)[SFU_CHUNK_TOKENS]; /* [n_chunks][77], 1 for BOS, EOS and padding */
} SfuPrompt;

/* Words that stand for vectors of their own (textual inversion). vectors(word) returns how many vectors a word has;
 * their token numbers are SFU_N_VOCAB + *first and following. 0: the word is ordinary text. */
typedef struct {
    GPtrArray *words; /* GArray* of gint32: a word's tokens, at least one */
    int (*vectors)(guint word, int *first, gpointer data);
    gpointer data;
} SfuPromptWords;
/* sd2: pads chunks with 0, as OpenCLIP does, else with EOS. text NULL is "". words NULL: none; else the longest word
 * that fits counts, and its vectors stay in one chunk. Caller frees with sfu_prompt_free(). NULL with UTF8, LENGTH or
 * WEIGHT. */
SfuPrompt *sfu_prompt_parse(const SfuTokenizer *t, const char *text, gboolean sd2, const SfuPromptWords *words,
                            GError **error);
void sfu_prompt_free(SfuPrompt *p);
/* hidden [n_chunks, 77, dim] *= weights, then each chunk is scaled to the mean that it had before (A1111's "original"
 * emphasis). Does nothing if no weight differs from 1. */
void sfu_prompt_apply_weights(const SfuPrompt *p, float *hidden, int dim);

/* ---- prompts that change during sampling ------------------------------------------------------------------------ */

#define SFU_PROMPT_MAX_PARTS 32

typedef struct {
    int end; /* the last pass of the network, from 0, that sees this text */
    char *text;
} SfuPromptStep;
/* What stands between AND and AND: each is a condition of its own, with its own share of the guidance. */
typedef struct {
    double weight;
    GArray *steps; /* SfuPromptStep, at least one, `end` rising */
} SfuPromptPart;
typedef struct {
    GArray *parts; /* SfuPromptPart, at least one */
} SfuPromptPlan;
/* [from:to:when], [to:when], [from::when], [a|b|c] and AND as AUTOMATIC1111 reads them, for a run of `steps` passes
 * (samplers of second order make two a step). A `when` with a point is a share of the run, without one a pass.
 * negative: knows no AND and no weight. Caller frees with sfu_prompt_plan_free(); NULL with UTF8, LENGTH or PARTS. */
SfuPromptPlan *sfu_prompt_plan_new(const char *text, int steps, gboolean negative, GError **error);
void sfu_prompt_plan_free(SfuPromptPlan *plan);
/* The text that the pass `call` (from 0) sees; borrowed. As in the web UI, when = 3 means that four passes, 0 to 3, see
 * what comes first. */
const char *sfu_prompt_part_at(const SfuPromptPart *part, int call);

/* The text without tags <word:...>, as adapters are called in prompts. tags (may be NULL) gets them as "lora:name:0.8".
 * Caller frees. */
char *sfu_prompt_take_tags(const char *text, GPtrArray *tags);

G_END_DECLS
#endif
