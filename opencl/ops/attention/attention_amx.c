/* Attention on the matrix units of Intel's CPUs, without mask or bias (amx_attention.cl).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/attention/attention.h"

enum { QUERIES = 32, KEYS = 96, FEWEST = 16 };

static gboolean can(const SfuAttentionJob *j)
{
    return j->width > 0 && sfu_queue_amx(j->queue) && !j->a->causal && !j->a->bias && j->tq >= FEWEST &&
           j->tk >= FEWEST;
}

static gboolean multiply(const SfuAttentionJob *j, const SfuAttentionPack *form, const SfuTensor *keys,
                         const SfuTensor *values, GError **error)
{
    const SfuAttention *a = j->a;
    char options[128];
    g_snprintf(options, sizeof options, "%s-DBF16 -DHEAD_DIM=%d -DDK=%d -DDV=%d -DKEYS=%d -DKV_GROUP=%d",
               j->o->dtype == SFU_F16 ? "-DACT_F16 " : "", a->head_dim, form->key_words * 2, form->dv, KEYS,
               j->kv_group);
    const SfuLaunch l = {.program = "amx_attention",
                         .kernel = "amx_attention",
                         .options = options,
                         .global = {(size_t)(j->tq + QUERIES - 1) / QUERIES, (size_t)a->n_heads, (size_t)j->n},
                         .local = {1, 1, 1},
                         .flops = j->flops};
    const SfuArg args[] = {SFU_TENSOR(j->o),  SFU_TENSOR(j->q), SFU_TENSOR(keys),    SFU_TENSOR(values),
                           SFU_INT(j->tq),    SFU_INT(j->tk),   SFU_INT(a->n_heads), SFU_INT(j->q->c),
                           SFU_INT(a->q_col), SFU_INT(j->k->n), SFU_FLOAT(j->scale)};
    return sfu_launch(j->queue, &l, args, G_N_ELEMENTS(args), error);
}

static gboolean launch(const SfuAttentionJob *j, GError **error)
{
    const int blocks = (j->tk + 31) / 32, heads = j->a->n_heads / j->kv_group, dv = (j->a->head_dim + 15) / 16 * 16;
    const SfuAttentionPack form = {.block = 32,
                                   .blocks = blocks,
                                   .side_by_side = 32,
                                   .key_words = (j->a->head_dim + 31) / 32 * 16,
                                   .dv = dv,
                                   .slice = dv};
    SfuTensor *keys = sfu_tensor_create(j->queue, SFU_I32, j->k->n, heads, blocks, form.key_words * 32, error);
    /* One more: of an odd number of tiles the last one is read with what lies behind it. */
    SfuTensor *values = keys ? sfu_tensor_create(j->queue, SFU_I32, j->k->n, heads, blocks * 16 + 1, dv, error) : NULL;
    const gboolean ok = values && sfu_attention_pack_into(j, &form, keys, values, "-DBF16", error) &&
                        multiply(j, &form, keys, values, error);
    sfu_tensor_destroy(values);
    sfu_tensor_destroy(keys);
    return ok;
}

const SfuAttentionPath sfu_attention_amx = {"amx", can, launch};
