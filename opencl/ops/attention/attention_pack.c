/* What the paths of the CPU family share: how attention.cl cuts its work, and the packing of keys and values.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/attention/attention.h"

/* How keys are cut: blocks, and how many are packed side by side, whichever pads less: 77 keys of a prompt fit 80. */
static int block_of(int tk, int *side_by_side)
{
    const gboolean by80 = (tk + 79) / 80 * 80 < (tk + 31) / 32 * 32;
    *side_by_side = by80 ? 80 : 32;
    return by80 ? 80 : 64;
}

/* Queries an item: they share what is read of keys and values; as many as leave room in the caches. */
static int queries_of(int head_dim, gboolean one_block)
{
    return one_block ? (head_dim <= 64 ? 48 : 24) : head_dim >= 256 ? 48 : 24;
}

/* A value row is padded to whole slices of 32 or 40, whichever wastes less. Where 16 registers hold vectors of 8, 32
 * are one too many for sums, values and a weight: 16 instead. */
static int value_width(int head_dim, gboolean narrow, int *slice)
{
    const int even = narrow ? 16 : 32, by_even = (head_dim + even - 1) / even * even, by40 = (head_dim + 39) / 40 * 40;
    *slice = by40 < by_even ? 40 : even;
    return MIN(by_even, by40);
}

static void cut(const SfuAttentionJob *j, gboolean one_block, const char *storage, SfuAttentionPanels *p)
{
    const int head_dim = j->a->head_dim;
    int side_by_side = (j->tk + 15) / 16 * 16;
    p->dv = value_width(head_dim, !one_block && j->width == 8, &p->slice);
    p->block = one_block ? side_by_side : block_of(j->tk, &side_by_side);
    p->side_by_side = side_by_side;
    p->blocks = (j->tk + p->block - 1) / p->block;
    p->queries = queries_of(head_dim, one_block);
    p->runs = (j->tq + p->queries - 1) / p->queries;
    /* Few keys: all heads' stay in the second-level cache, and queries are read in the order of memory. */
    p->heads_first = 4.0 * j->a->n_heads / j->kv_group * p->blocks * p->block * (head_dim + p->dv) <=
                     (double)sfu_queue_device(j->queue)->local_bytes / 2;
    const int vector = j->width, vecs = p->slice / vector; /* sums in registers, as sfu_cpu_tile() has them */
    const SfuCpuTile tile = sfu_cpu_tile(vector, 1);
    const int v_rows = vector == 16 ? (p->slice == 40 ? 8 : 12) : MAX(1, tile.rows * tile.cols / vector / vecs);
    g_snprintf(p->options, sizeof p->options,
               "%s -DHEAD_DIM=%d -DDV=%d -DSLICE=%d -DBLOCK=%d -DKC=%d -DQUERIES=%d -DVW=%d -DQ_ROWS=%d -DQ_COLS=%d "
               "-DV_ROWS=%d -DKV_GROUP=%d%s%s",
               storage, head_dim, p->dv, p->slice, p->block, side_by_side, p->queries, vector,
               vector == 16 && side_by_side == 80 ? 4 : tile.rows, vector == 16 ? side_by_side : tile.cols, v_rows,
               j->kv_group, p->heads_first ? " -DHEADS_FIRST" : "", one_block ? " -DONE_BLOCK" : "");
}

gboolean sfu_attention_pack_into(const SfuAttentionJob *j, const SfuAttentionPack *form, const SfuTensor *keys,
                                 const SfuTensor *values, const char *words, GError **error)
{
    const SfuAttention *a = j->a;
    const int heads = a->n_heads / j->kv_group;
    char options[48];
    g_snprintf(options, sizeof options, "%s%s", j->o->dtype == SFU_F16 ? "-DACT_F16 " : "", words);
    const SfuLaunch l = {.program = "attention_pack",
                         .kernel = "attention_pack",
                         .options = options,
                         .global = {(size_t)form->blocks, (size_t)heads, (size_t)j->k->n},
                         .bytes = 2 * (sfu_op_bytes(j->k) + sfu_op_bytes(j->v))};
    const SfuArg args[] = {SFU_TENSOR(keys),  SFU_TENSOR(values),   SFU_TENSOR(j->k),     SFU_TENSOR(j->v),
                           SFU_INT(j->tk),    SFU_INT(heads),       SFU_INT(j->k->c),     SFU_INT(a->k_col),
                           SFU_INT(j->v->c),  SFU_INT(a->v_col),    SFU_INT(a->head_dim), SFU_INT(form->key_words),
                           SFU_INT(form->dv), SFU_INT(form->slice), SFU_INT(form->block), SFU_INT(form->side_by_side)};
    return sfu_launch(j->queue, &l, args, G_N_ELEMENTS(args), error);
}

gboolean sfu_attention_pack(const SfuAttentionJob *j, gboolean one_block, SfuAttentionPanels *p, GError **error)
{
    const SfuAttention *a = j->a;
    const gboolean bf16 = sfu_queue_bf16(j->queue);
    const int pair = bf16 ? 2 : 1; /* values a word of the panels */
    const int heads = a->n_heads / j->kv_group;
    *p = (SfuAttentionPanels){.keys = NULL};
    char storage[32];
    g_snprintf(storage, sizeof storage, "%s%s", j->o->dtype == SFU_F16 ? "-DACT_F16" : "", bf16 ? " -DBF16" : "");
    cut(j, one_block, storage, p);
    const SfuAttentionPack form = {.block = p->block,
                                   .blocks = p->blocks,
                                   .side_by_side = p->side_by_side,
                                   .key_words = (a->head_dim + pair - 1) / pair,
                                   .dv = p->dv,
                                   .slice = p->slice};
    return (p->keys =
                sfu_tensor_create(j->queue, SFU_F32, j->k->n, heads, p->blocks, form.key_words * p->block, error)) &&
           (p->values =
                sfu_tensor_create(j->queue, SFU_F32, j->k->n, heads, p->blocks * p->block / pair, p->dv, error)) &&
           sfu_attention_pack_into(j, &form, p->keys, p->values, bf16 ? "-DBF16" : "", error);
}

void sfu_attention_panels_clear(SfuAttentionPanels *p)
{
    sfu_tensor_destroy(p->keys);
    sfu_tensor_destroy(p->values);
}

SfuLaunch sfu_attention_items(const SfuAttentionJob *j, const SfuAttentionPanels *p, const char *kernel)
{
    const size_t heads = (size_t)j->a->n_heads, runs = (size_t)p->runs;
    return (SfuLaunch){.program = "attention",
                       .kernel = kernel,
                       .options = p->options,
                       .global = {p->heads_first ? heads : runs, p->heads_first ? runs : heads, (size_t)j->n},
                       .local = {1, 1, 1},
                       .flops = j->flops};
}
