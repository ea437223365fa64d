/* The path for every job on every device: one query and head an item (attention.cl). What the others are tested
 * against. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/attention/attention.h"

static gboolean can(const SfuAttentionJob *j)
{
    return TRUE;
}

static gboolean launch(const SfuAttentionJob *j, GError **error)
{
    char options[64];
    g_snprintf(options, sizeof options, "%s-DPLAIN -DHEAD_DIM=%d -DKV_GROUP=%d",
               j->o->dtype == SFU_F16 ? "-DACT_F16 " : "", j->a->head_dim, j->kv_group);
    const SfuLaunch l = {.program = "attention",
                         .kernel = "attention_plain",
                         .options = options,
                         .global = {(size_t)j->tq, (size_t)j->a->n_heads, (size_t)j->n},
                         .flops = j->flops};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(j->o), SFU_TENSOR(j->q), SFU_TENSOR(j->k), SFU_TENSOR(j->v));
    sfu_attention_add_shape(&args, j);
    return sfu_op_launch(j->queue, &l, &args, error);
}

const SfuAttentionPath sfu_attention_plain = {"plain", can, launch};
