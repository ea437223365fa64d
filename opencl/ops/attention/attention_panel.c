/* Attention on CPUs over blocks of packed keys and values (attention_panel of attention.cl).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/attention/attention.h"

static gboolean can(const SfuAttentionJob *j)
{
    return j->width > 0;
}

static gboolean launch(const SfuAttentionJob *j, GError **error)
{
    SfuAttentionPanels p;
    gboolean ok = sfu_attention_pack(j, FALSE, &p, error);
    if (ok) {
        const SfuLaunch l = sfu_attention_items(j, &p, "attention_panel");
        SfuArgs args = {0};
        SFU_ADD(&args, SFU_TENSOR(j->o), SFU_TENSOR(j->q), SFU_TENSOR(p.keys), SFU_TENSOR(p.values));
        sfu_attention_add_shape(&args, j);
        ok = sfu_op_launch(j->queue, &l, &args, error);
    }
    sfu_attention_panels_clear(&p);
    return ok;
}

const SfuAttentionPath sfu_attention_panel = {"panel", can, launch};
