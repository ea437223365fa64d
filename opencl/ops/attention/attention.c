/* Scaled dot-product attention: the checks, and the table of paths.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/attention/attention.h"
#include <math.h>

/* The first one that can do a job does it. */
static const SfuAttentionPath *const paths[] = {
    &sfu_attention_mma,   &sfu_attention_gpu,                             /* GPU family */
    &sfu_attention_amx,   &sfu_attention_one_block, &sfu_attention_panel, /* CPU family */
    &sfu_attention_plain,                                                 /* every job on every device */
};

gboolean sfu_attention_job(SfuAttentionJob *job, SfuQueue *queue, SfuTensor *o, const SfuTensor *q, const SfuTensor *k,
                           const SfuTensor *v, const SfuAttention *a, GError **error)
{
    const int kv_heads = a->n_kv_heads ? a->n_kv_heads : a->n_heads;
    const int width = a->n_heads * a->head_dim, kv_width = kv_heads * a->head_dim, tq = q->w, tk = k->w, n = q->n;
    if (a->n_heads < 1 || a->head_dim < 1 || a->q_col < 0 || a->k_col < 0 || a->v_col < 0 || kv_heads < 1 ||
        a->n_heads % kv_heads)
        return sfu_op_shape_error(error, "attention", "%d heads of %d over %d", a->n_heads, a->head_dim, kv_heads);
    if (o->dtype != q->dtype || o->dtype != k->dtype || o->dtype != v->dtype)
        return sfu_op_shape_error(error, "attention", "%s, %s and %s into %s", sfu_dtype_name(q->dtype),
                                  sfu_dtype_name(k->dtype), sfu_dtype_name(v->dtype), sfu_dtype_name(o->dtype));
    if (o->n != n || o->w != tq || o->c != width || k->n != v->n || (k->n != 1 && k->n != n) || v->w != tk ||
        o->h != 1 || q->h != 1 || a->q_col + width > q->c || a->k_col + kv_width > k->c || a->v_col + kv_width > v->c)
        return sfu_op_shape_error(error, "attention", "%d heads of %d over q %d x %d, k %d x %d, v %d x %d", a->n_heads,
                                  a->head_dim, tq, q->c, tk, k->c, v->w, v->c);
    if (a->bias && (a->bias->h != a->n_heads || a->bias->w != tq || a->bias->c != tk || a->bias->dtype != SFU_F32))
        return sfu_op_shape_error(error, "attention", "the bias is %d x %d x %d", a->bias->h, a->bias->w, a->bias->c);
    *job = (SfuAttentionJob){.queue = queue,
                             .o = o,
                             .q = q,
                             .k = k,
                             .v = v,
                             .a = a,
                             .n = n,
                             .tq = tq,
                             .tk = tk,
                             .kv_group = a->n_heads / kv_heads,
                             .scale = a->scale != 0 ? a->scale : 1.0f / sqrtf((float)a->head_dim),
                             .flops = 4.0 * n * (double)tq * tk * width};
    return TRUE;
}

void sfu_attention_add_shape(SfuArgs *args, const SfuAttentionJob *j)
{
    const SfuAttention *a = j->a;
    SFU_ADD(args, SFU_INT(j->tq), SFU_INT(j->tk), SFU_INT(a->n_heads), SFU_INT(j->q->c), SFU_INT(a->q_col),
            SFU_INT(j->k->c), SFU_INT(a->k_col), SFU_INT(j->v->c), SFU_INT(a->v_col), SFU_INT(j->k->n),
            SFU_FLOAT(j->scale), SFU_INT(a->causal), SFU_TENSOR(a->bias), SFU_INT(a->bias ? a->bias->n : 1));
}

gboolean sfu_attention(SfuQueue *queue, SfuTensor *o, const SfuTensor *q, const SfuTensor *k, const SfuTensor *v,
                       const SfuAttention *a, GError **error)
{
    SfuAttentionJob job;
    if (!sfu_attention_job(&job, queue, o, q, k, v, a, error))
        return FALSE;
    if (sfu_queue_kernels(queue) == SFU_KERNELS_CPU)
        job.width = sfu_cpu_width(queue);
    for (guint i = 0; i + 1 < G_N_ELEMENTS(paths); i++)
        if (paths[i]->can(&job))
            return paths[i]->launch(&job, error);
    return paths[G_N_ELEMENTS(paths) - 1]->launch(&job, error);
}
