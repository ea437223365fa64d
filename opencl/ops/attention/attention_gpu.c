/* Attention on GPUs, through local memory (gpu_attention.cl).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/attention/attention.h"

static gboolean can(const SfuAttentionJob *j)
{
    return sfu_queue_kernels(j->queue) == SFU_KERNELS_GPU;
}

/* Whether every row of a head starts at a multiple of four values. */
static gboolean by_fours(const SfuAttentionJob *j)
{
    const SfuAttention *a = j->a;
    const SfuTensor *read[] = {j->q, j->k, j->v};
    gboolean fours = a->head_dim % 4 == 0 && j->o->offset % 4 == 0 && (a->q_col | a->k_col | a->v_col) % 4 == 0;
    for (guint i = 0; i < G_N_ELEMENTS(read); i++)
        fours = fours && read[i]->c % 4 == 0 && read[i]->offset % 4 == 0;
    return fours;
}

static gboolean launch(const SfuAttentionJob *j, GError **error)
{
    enum { SIDE = 16 };
    /* Sums are (queries an item) x 4 x (slices of 64 columns); a quarter of the 128 registers of Intel's threads of 8
     * items and of 255 elsewhere at most. */
    const int slices = (j->a->head_dim + 63) / 64,
              room = sfu_queue_device(j->queue)->vendor == SFU_VENDOR_INTEL ? 6 : 16;
    const int per_item = slices * 4 <= room ? 4 : slices * 2 <= room ? 2 : 1, rows = SIDE * per_item;
    char options[160];
    g_snprintf(options, sizeof options, "%s-DHEAD_DIM=%d -DNB=%d -DQR=%d -DKV_GROUP=%d%s",
               j->o->dtype == SFU_F16 ? "-DACT_F16 " : "", j->a->head_dim, slices, per_item, j->kv_group,
               by_fours(j) ? " -DALIGNED" : "");
    const SfuLaunch l = {
        .program = "gpu_attention",
        .kernel = "attention_gpu",
        .options = options,
        .global = {(size_t)((j->tq + rows - 1) / rows) * SIDE, (size_t)j->a->n_heads * SIDE, (size_t)j->n},
        .local = {SIDE, SIDE, 1},
        .flops = j->flops};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(j->o), SFU_TENSOR(j->q), SFU_TENSOR(j->k), SFU_TENSOR(j->v));
    sfu_attention_add_shape(&args, j);
    return sfu_op_launch(j->queue, &l, &args, error);
}

const SfuAttentionPath sfu_attention_gpu = {"gpu tiles", can, launch};
