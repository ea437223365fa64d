/* Attention: one job, checked once, and a table of paths that can do it (attention.c). Each path is a file of this
 * folder, named after its kernel. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_OPS_ATTENTION_H
#define SFU_OPS_ATTENTION_H

#include "ops/util.h"

/* The work to do, checked. Everything is borrowed. */
typedef struct {
    SfuQueue *queue;
    SfuTensor *o;
    const SfuTensor *q, *k, *v;
    const SfuAttention *a;
    float scale; /* resolved */
    int n, tq, tk;
    int kv_group; /* heads of q that share one of k and v: KV_GROUP of common.cl */
    int width;    /* floats a vector of the CPU family; 0 elsewhere */
    double flops;
} SfuAttentionJob;

/* One way to do a job. Questions that take a measurement are asked in `can`, before anything is on the device. */
typedef struct {
    const char *name;
    gboolean (*can)(const SfuAttentionJob *job);
    gboolean (*launch)(const SfuAttentionJob *job,
                       GError **error); /* does not choose, so that a measurement may call it */
} SfuAttentionPath;

extern const SfuAttentionPath sfu_attention_mma, sfu_attention_gpu, sfu_attention_amx, sfu_attention_one_block,
    sfu_attention_panel, sfu_attention_plain;

/* Checks that everything fits together; FALSE with SHAPE. Leaves `width` to the caller. */
gboolean sfu_attention_job(SfuAttentionJob *job, SfuQueue *queue, SfuTensor *o, const SfuTensor *q, const SfuTensor *k,
                           const SfuTensor *v, const SfuAttention *a, GError **error);
/* SHAPE of attention.cl and gpu_attention.cl. */
void sfu_attention_add_shape(SfuArgs *args, const SfuAttentionJob *job);

/* ---- the CPU family (attention_pack.c) ---- */

/* How attention_pack.cl lays out keys and values. */
typedef struct {
    int block, blocks; /* keys at a time */
    int side_by_side;  /* keys that are packed beside each other */
    int key_words;     /* of a key, filled up with zeros */
    int dv, slice;     /* a value row, padded to whole slices */
} SfuAttentionPack;
/* Enqueues the packing. words: "" for fp32, "-DBF16" for pairs of bf16.
 */
gboolean sfu_attention_pack_into(const SfuAttentionJob *job, const SfuAttentionPack *form, const SfuTensor *keys,
                                 const SfuTensor *values, const char *words, GError **error);

/* How attention.cl cuts queries, keys and values. */
typedef struct {
    int queries, runs; /* queries an item; items a head */
    int block, blocks; /* keys at a time */
    int side_by_side;  /* keys that are packed beside each other */
    int dv, slice;     /* a value row, padded to whole slices */
    gboolean heads_first;
    char options[256];
    SfuTensor *keys, *values; /* packed */
} SfuAttentionPanels;
/* Cuts, and enqueues the packing of keys and values. The tensors are the caller's, to be destroyed with
 * sfu_attention_panels_clear() even after FALSE. */
gboolean sfu_attention_pack(const SfuAttentionJob *job, gboolean one_block, SfuAttentionPanels *panels, GError **error);
void sfu_attention_panels_clear(SfuAttentionPanels *panels);
/* One item for each run of queries and head, in the order of the packed panels. */
SfuLaunch sfu_attention_items(const SfuAttentionJob *job, const SfuAttentionPanels *panels, const char *kernel);

#endif
