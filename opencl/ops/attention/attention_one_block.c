/* Attention on CPUs over few keys, without mask or bias: all logits of a query stay in registers (attention_one_block
 * of attention.cl). Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/attention/attention.h"

enum { MOST_KEYS = 80 };

static gboolean can(const SfuAttentionJob *j)
{
    return j->width == 16 && j->tk <= MOST_KEYS && !j->a->causal && !j->a->bias;
}

static gboolean launch(const SfuAttentionJob *j, GError **error)
{
    const SfuAttention *a = j->a;
    SfuAttentionPanels p;
    gboolean ok = sfu_attention_pack(j, TRUE, &p, error);
    if (ok) {
        const SfuLaunch l = sfu_attention_items(j, &p, "attention_one_block");
        const SfuArg args[] = {SFU_TENSOR(j->o),  SFU_TENSOR(j->q), SFU_TENSOR(p.keys),  SFU_TENSOR(p.values),
                               SFU_INT(j->tq),    SFU_INT(j->tk),   SFU_INT(a->n_heads), SFU_INT(j->q->c),
                               SFU_INT(a->q_col), SFU_INT(j->k->n), SFU_FLOAT(j->scale)};
        ok = sfu_launch(j->queue, &l, args, G_N_ELEMENTS(args), error);
    }
    sfu_attention_panels_clear(&p);
    return ok;
}

const SfuAttentionPath sfu_attention_one_block = {"one block", can, launch};
