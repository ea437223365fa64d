/* Attention on matrix units (gpu_mma_attention.cl).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/attention/attention.h"
#include <math.h>

/* For each matrix unit (SfuMatrix): items of a sub-group, queries it takes, and the largest heads whose sums fit its
 * registers with 64, 32 and 16 keys at a time (tests/ops/gpu-compile). */
static const struct {
    int items, rows, widest[3];
} units[] = {
    [SFU_MATRIX_NVIDIA] = {32, 16, {96, 160, 0}},
    [SFU_MATRIX_INTEL8] = {8, 8, {0, 64, 80}},
    [SFU_MATRIX_INTEL16] = {16, 8, {96, 128, 160}},
    [SFU_MATRIX_AMD] = {32, 16, {96, 160, 0}},
};

static SfuMatrix unit_of(const SfuAttentionJob *j)
{
    gboolean must_prove;
    return sfu_queue_matrix(j->queue, &must_prove);
}

/* Keys at a time; 0 if the heads are too wide. */
static int keys_of(SfuMatrix matrix, int head_dim)
{
    for (int i = 0; i < 3; i++)
        if (head_dim <= units[matrix].widest[i])
            return 64 >> i;
    return 0;
}

static gboolean launch(const SfuAttentionJob *j, GError **error)
{
    const SfuAttention *a = j->a;
    const SfuMatrix matrix = unit_of(j);
    /* With wider heads more would not fit in 48 KiB of local memory, or in AMD's registers. */
    const int queries = a->head_dim <= (matrix == SFU_MATRIX_AMD ? 40 : 64) && j->tq >= 1024 ? 128 : 64;
    const int items = queries / units[matrix].rows * units[matrix].items;
    char options[160];
    g_snprintf(options, sizeof options, "-DACT_F16 -DHEAD_DIM=%d -DMATRIX=%d -DQUERIES=%d -DKEYS=%d -DKV_GROUP=%d%s",
               a->head_dim, matrix, queries, keys_of(matrix, a->head_dim), j->kv_group, sfu_mma_mode(j->queue));
    const SfuLaunch l = {
        .program = "gpu_mma_attention",
        .kernel = "attention_mma",
        .options = options,
        .global = {(size_t)((j->tq + queries - 1) / queries * items), (size_t)a->n_heads, (size_t)j->n},
        .local = {(size_t)items, 1, 1},
        .flops = j->flops};
    const SfuArg args[] = {SFU_TENSOR(j->o),  SFU_TENSOR(j->q), SFU_TENSOR(j->k),    SFU_TENSOR(j->v),
                           SFU_INT(j->tq),    SFU_INT(j->tk),   SFU_INT(a->n_heads), SFU_INT(j->q->c),
                           SFU_INT(a->q_col), SFU_INT(j->k->c), SFU_INT(a->k_col),   SFU_INT(j->v->c),
                           SFU_INT(a->v_col), SFU_INT(j->k->n), SFU_FLOAT(j->scale)};
    return sfu_launch(j->queue, &l, args, G_N_ELEMENTS(args), error);
}

/* ---- self-test ---- */

enum { TQ = 70, TK = 90, HEADS = 2, DIM = 40, WIDTH = HEADS * DIM };

/* Whether o is the attention of x's first TQ rows over all of them, with a scale of 0.5. */
static gboolean is_attention(const float *o, const float *x)
{
    for (int i = 0; i < TQ; i++)
        for (int h = 0; h < HEADS; h++) {
            double p[TK], top = -INFINITY, sum = 0;
            for (int j = 0; j < TK; j++) {
                p[j] = 0;
                for (int d = 0; d < DIM; d++)
                    p[j] += 0.5 * (double)x[i * WIDTH + h * DIM + d] * (double)x[j * WIDTH + h * DIM + d];
                top = MAX(top, p[j]);
            }
            for (int j = 0; j < TK; j++)
                sum += p[j] = exp(p[j] - top);
            for (int d = 0; d < DIM; d++) {
                double s = 0;
                for (int j = 0; j < TK; j++)
                    s += p[j] / sum * (double)x[j * WIDTH + h * DIM + d];
                /* values up to 1; probabilities and result are stored as fp16 */
                if (!(fabs((double)o[i * WIDTH + h * DIM + d] - s) <= 0x1p-9))
                    return FALSE;
            }
        }
    return TRUE;
}

/* 70 queries over 90 keys, 2 heads of 40, against sums in double: whole blocks and both edges. */
static gboolean self_test(SfuQueue *queue, GError **error)
{
    float *x = g_new(float, TK *WIDTH), *y = g_new(float, TQ *WIDTH);
    for (int i = 0; i < TK * WIDTH; i++)
        x[i] = (float)((i * 37) % 64 - 32) / 32.0f; /* exact in fp16 */
    SfuTensor *q = sfu_tensor_create(queue, SFU_F16, 1, 1, TQ, WIDTH, error);
    SfuTensor *k = q ? sfu_tensor_create(queue, SFU_F16, 1, 1, TK, WIDTH, error) : NULL;
    SfuTensor *o = k ? sfu_tensor_create(queue, SFU_F16, 1, 1, TQ, WIDTH, error) : NULL;
    const SfuAttention a = {.n_heads = HEADS, .head_dim = DIM, .scale = 0.5f};
    SfuAttentionJob job;
    const gboolean ok = o && sfu_tensor_write(q, x, error) && sfu_tensor_write(k, x, error) &&
                        sfu_attention_job(&job, queue, o, q, k, k, &a, error) && launch(&job, error) &&
                        sfu_tensor_read(o, y, error) && is_attention(y, x);
    sfu_tensor_destroy(q);
    sfu_tensor_destroy(k);
    sfu_tensor_destroy(o);
    g_free(x);
    g_free(y);
    return ok;
}

static gboolean aligned(const SfuTensor *t, int col)
{
    return t->offset % 8 == 0 && t->c % 8 == 0 && col % 8 == 0;
}

static gboolean can(const SfuAttentionJob *j)
{
    static const char *const programs[] = {"gpu_mma_attention", NULL};
    const SfuAttention *a = j->a;
    gboolean must_prove;
    const SfuMatrix matrix = sfu_queue_matrix(j->queue, &must_prove);
    return matrix != SFU_MATRIX_NONE && j->q->dtype == SFU_F16 && !a->causal && !a->bias && a->head_dim % 8 == 0 &&
           aligned(j->q, a->q_col) && aligned(j->k, a->k_col) && aligned(j->v, a->v_col) &&
           keys_of(matrix, a->head_dim) && sfu_mma_present(j->queue) &&
           (!must_prove || sfu_queue_capability(j->queue, "matrix attention", programs, self_test));
}

const SfuAttentionPath sfu_attention_mma = {"matrix units", can, launch};
