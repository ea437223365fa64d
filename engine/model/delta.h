/* What an adapter (LoRA and its kin) does to one weight: kinds of changes, made row by row when the weight is read.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_DELTA_H
#define SFU_DELTA_H

#include "runtime/runtime.h"

G_BEGIN_DECLS

/* W is the weight as a matrix [out, in * taps], taps those of a convolution's kernel. */
typedef enum {
    SFU_DELTA_LOW_RANK,    /* W + s A B: LoRA (Hu 2022); A [out, r], B [r, in * taps] */
    SFU_DELTA_HADAMARD,    /* W + s (A0 B0) * (A1 B1), value by value: LoHa (Hyeon-Woo 2022) */
    SFU_DELTA_KRONECKER,   /* W + s kron(A, B): LoKr (Yeh 2024); A [p, q], B [out / p, in / q * taps] */
    SFU_DELTA_GENERALIZED, /* W + s (A0 B0 + W A1 B1), W's inputs mixed at each tap: GLoRA (Chavan 2023); A1 [in, r],
                            * B1 [r, in] */
    SFU_DELTA_FULL,        /* W + s A + offset */
    SFU_DELTA_SCALE_OUT,   /* each row of W times its value of A: IA3 (Liu 2022) */
    SFU_DELTA_SCALE_IN,    /* each input of W times its value of A */
    SFU_DELTA_ROTATE_OUT,  /* blocks of W's outputs times a matrix each, n_stages times, and each output times its
                            * value of B: OFT (Qiu 2023), BOFT (Liu 2024); A [stages, blocks, block, block], B [out]
                            * or NULL */
    SFU_DELTA_ROTATE_IN,   /* blocks of W's inputs, likewise; taps is 1; one block serves all if A has no more */
} SfuDeltaKind;

/* Owned by the adapter that it comes from. Weights here are host data alone. */
typedef struct {
    SfuDeltaKind kind;
    gint64 out, in, taps;
    SfuWeight *a[2], *b[2]; /* owned; NULL: the kind has none */
    float scale;  /* s, alpha / rank as a rule; of SCALE kinds: 0 if A holds 1 for "unchanged", 1 if it holds 0 */
    float offset; /* of FULL: of every value */
    gint64 block; /* of ROTATE kinds */
    int n_stages;
    gboolean butterfly; /* a stage's blocks take outputs from farther apart than the stage before */
    /* DoRA (Liu 2024): what W becomes is brought to these lengths, V m / |V|, each row for itself ([out] values), or
     * each input ([in]). Owned; NULL: none. */
    SfuWeight *magnitude;
    gboolean by_input;
} SfuDelta;

void sfu_delta_free(gpointer delta); /* NULL: nothing */
/* Outputs that mix: a use covers whole groups of so many, counted from the first. 1: they do not. */
gint64 sfu_delta_group(const SfuDelta *d);

/* Rows [from_row, from_row + n_rows) of a delta, on rows [to_row, to_row + n_rows) of a weight: (1 - strength) W +
 * strength W', where W' is what the delta makes of W. Borrowed. */
typedef struct {
    SfuWeight *weight;
    const SfuDelta *delta;
    gint64 to_row, from_row, n_rows;
    float strength;
} SfuDeltaUse;

/* All that weights carry: weight -> its changes, applied in the order given. */
typedef struct SfuDeltas SfuDeltas;
SfuDeltas *sfu_deltas_new(void);
void sfu_deltas_free(SfuDeltas *d); /* takes the changes off the weights; before they are destroyed */
/* From now on the weights carry these uses alone; only those whose uses are others than before are laid out anew. Uses
 * of strength 0 count as none. */
void sfu_deltas_set(SfuDeltas *d, const SfuDeltaUse *uses, guint n);

G_END_DECLS
#endif
