/* Scaled dot-product attention.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv.h"
#include "ops/util.h"
#include <math.h>
#include <string.h>

/* How keys are cut: blocks, and how many are packed side by side, whichever pads less: 77 keys of a prompt fit 80. */
static int block_of(int tk, int *side_by_side)
{
    const gboolean by80 = (tk + 79) / 80 * 80 < (tk + 31) / 32 * 32;
    *side_by_side = by80 ? 80 : 32;
    return by80 ? 80 : 64;
}

/* Queries an item: they share what is read of keys and values; as many as leave room in the caches. */
static int queries(int head_dim, gboolean one_block) { return one_block ? (head_dim <= 64 ? 48 : 24) : head_dim >= 256 ? 48 : 24; }

/* A value row is padded to whole slices of 32 or 40, whichever wastes less. */
static int value_width(int head_dim, int *slice)
{
    const int by32 = (head_dim + 31) / 32 * 32, by40 = (head_dim + 39) / 40 * 40;
    *slice = by40 < by32 ? 40 : 32;
    return MIN(by32, by40);
}

/* For each matrix unit (SfuMatrix): items of a sub-group, queries it takes, and the largest heads whose sums fit its registers with 64, 32 and 16 keys
 * at a time (tests/ops/gpu-compile). */
static const struct {
    int items, rows, widest[3];
} units[] = {
    [SFU_MATRIX_NVIDIA] = {32, 16, {96, 160, 0}},
    [SFU_MATRIX_INTEL8] = {8, 8, {0, 64, 80}},
    [SFU_MATRIX_INTEL16] = {16, 8, {96, 128, 160}},
    [SFU_MATRIX_AMD] = {32, 16, {96, 160, 0}},
};

static gboolean self_test(SfuQueue *q);

static gboolean aligned(const SfuTensor *t, int col) { return t->offset % 8 == 0 && t->c % 8 == 0 && col % 8 == 0; }

/* How gpu_mma_attention.cl makes it: queries and keys at a time, items of a work-group. */
typedef struct {
    SfuMatrix matrix;
    int queries, keys, items;
} UnitPlan;

/* FALSE if it cannot. */
static gboolean on_matrix_units(SfuQueue *q, const SfuTensor *qt, const SfuTensor *k, const SfuTensor *v, const SfuAttention *a, UnitPlan *p)
{
    gboolean emulated;
    *p = (UnitPlan){.matrix = sfu_queue_matrix(q, &emulated)};
    if (p->matrix == SFU_MATRIX_NONE || qt->dtype != SFU_F16 || a->causal || a->bias || a->head_dim % 8 || !aligned(qt, a->q_col) || !aligned(k, a->k_col) ||
        !aligned(v, a->v_col))
        return FALSE;
    for (int i = 0; !p->keys && i < 3; i++)
        if (a->head_dim <= units[p->matrix].widest[i])
            p->keys = 64 >> i;
    /* With wider heads more would not fit in 48 KiB of local memory, or in AMD's registers. */
    p->queries = a->head_dim <= (p->matrix == SFU_MATRIX_AMD ? 40 : 64) && qt->w >= 1024 ? 128 : 64;
    p->items = p->queries / units[p->matrix].rows * units[p->matrix].items;
    return p->keys && sfu_mma_present(q) && (emulated || sfu_queue_capability(q, "matrix attention", self_test));
}

gboolean sfu_attention(SfuQueue *q, SfuTensor *o, const SfuTensor *qt, const SfuTensor *k, const SfuTensor *v, const SfuAttention *a,
                       GError **error)
{
    const int width = a->n_heads * a->head_dim, tq = qt->w, tk = k->w, n = qt->n;
    if (a->n_heads < 1 || a->head_dim < 1 || a->q_col < 0 || a->k_col < 0 || a->v_col < 0)
        return sfu_op_shape_error(error, "attention", "%d heads of %d", a->n_heads, a->head_dim);
    if (o->dtype != qt->dtype || o->dtype != k->dtype || o->dtype != v->dtype)
        return sfu_op_shape_error(error, "attention", "%s, %s and %s into %s", sfu_dtype_name(qt->dtype), sfu_dtype_name(k->dtype),
                                  sfu_dtype_name(v->dtype), sfu_dtype_name(o->dtype));
    if (o->n != n || o->w != tq || o->c != width || k->n != v->n || (k->n != 1 && k->n != n) || v->w != tk || o->h != 1 || qt->h != 1 ||
        a->q_col + width > qt->c || a->k_col + width > k->c || a->v_col + width > v->c)
        return sfu_op_shape_error(error, "attention", "%d heads of %d over q %d x %d, k %d x %d, v %d x %d", a->n_heads, a->head_dim, tq,
                                  qt->c, tk, k->c, v->w, v->c);
    if (a->bias && (a->bias->h != a->n_heads || a->bias->w != tq || a->bias->c != tk || a->bias->dtype != SFU_F32))
        return sfu_op_shape_error(error, "attention", "the bias is %d x %d x %d", a->bias->h, a->bias->w, a->bias->c);
    const float scale = a->scale != 0 ? a->scale : 1.0f / sqrtf((float)a->head_dim);
    const gboolean cpu = sfu_queue_kernels(q) == SFU_KERNELS_CPU;
    const double flops = 4.0 * n * (double)tq * tk * width;
    int slice;
    const int dv = value_width(a->head_dim, &slice);
    const gboolean bf16 = cpu && sfu_queue_precision(q) == SFU_PRECISION_BF16;
    const int pair = bf16 ? 2 : 1; /* values a word of the panels */
    /* Few keys and no mask: a kernel that keeps all logits of a query in registers. */
    const gboolean one_block = cpu && tk <= 80 && !a->causal && !a->bias && sfu_cpu_width(q) == 16;
    int kc = (tk + 15) / 16 * 16;
    const int block = one_block ? kc : block_of(tk, &kc);
    char options[256];
    g_snprintf(options, sizeof options, "%s%s%s -DHEAD_DIM=%d", o->dtype == SFU_F16 ? "-DACT_F16 " : "", cpu ? "" : "-DPLAIN", bf16 ? "-DBF16" : "",
               a->head_dim);
#define SHAPE_ARGS                                                                                                                \
    SFU_INT(tq), SFU_INT(tk), SFU_INT(a->n_heads), SFU_INT(qt->c), SFU_INT(a->q_col), SFU_INT(k->c), SFU_INT(a->k_col), SFU_INT(v->c),  \
        SFU_INT(a->v_col), SFU_INT(k->n), SFU_FLOAT(scale), SFU_INT(a->causal), SFU_TENSOR(a->bias), SFU_INT(a->bias ? a->bias->n : 1)
    UnitPlan unit;
    if (on_matrix_units(q, qt, k, v, a, &unit)) {
        g_snprintf(options, sizeof options, "-DACT_F16 -DHEAD_DIM=%d -DMATRIX=%d -DQUERIES=%d -DKEYS=%d%s", a->head_dim, unit.matrix, unit.queries, unit.keys,
                   sfu_mma_mode(q));
        const SfuLaunch l = {.program = "gpu_mma_attention", .kernel = "attention_mma", .options = options,
                             .global = {(size_t)((tq + unit.queries - 1) / unit.queries * unit.items), (size_t)a->n_heads, (size_t)n},
                             .local = {(size_t)unit.items, 1, 1}, .flops = flops};
        const SfuArg args[] = {SFU_TENSOR(o), SFU_TENSOR(qt), SFU_TENSOR(k), SFU_TENSOR(v), SFU_INT(tq), SFU_INT(tk), SFU_INT(a->n_heads), SFU_INT(qt->c),
                               SFU_INT(a->q_col), SFU_INT(k->c), SFU_INT(a->k_col), SFU_INT(v->c), SFU_INT(a->v_col), SFU_INT(k->n), SFU_FLOAT(scale)};
        return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    if (sfu_queue_kernels(q) == SFU_KERNELS_GPU) {
        /* Sums are (queries an item) x 4 x (slices of 64 columns); a quarter of the 128 registers of Intel's threads of 8 items and of 255 elsewhere at most. */
        const int slices = (a->head_dim + 63) / 64, room = sfu_queue_device(q)->vendor == SFU_VENDOR_INTEL ? 6 : 16;
        const int per_item = slices * 4 <= room ? 4 : slices * 2 <= room ? 2 : 1;
        const SfuTensor *read[] = {qt, k, v};
        gboolean fours = a->head_dim % 4 == 0 && o->offset % 4 == 0 && (a->q_col | a->k_col | a->v_col) % 4 == 0;
        for (guint i = 0; i < G_N_ELEMENTS(read); i++)
            fours = fours && read[i]->c % 4 == 0 && read[i]->offset % 4 == 0;
        g_snprintf(options, sizeof options, "%s-DHEAD_DIM=%d -DNB=%d -DQR=%d%s", o->dtype == SFU_F16 ? "-DACT_F16 " : "", a->head_dim, slices, per_item,
                   fours ? " -DALIGNED" : "");
        const int rows = 16 * per_item;
        const SfuLaunch l = {.program = "gpu_attention", .kernel = "attention_gpu", .options = options,
                             .global = {(size_t)((tq + rows - 1) / rows) * 16, (size_t)a->n_heads * 16, (size_t)n}, .local = {16, 16, 1}, .flops = flops};
        const SfuArg args[] = {SFU_TENSOR(o), SFU_TENSOR(qt), SFU_TENSOR(k), SFU_TENSOR(v), SHAPE_ARGS};
        return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    if (!cpu) {
        const SfuLaunch l = {.program = "attention", .kernel = "attention_plain", .options = options,
                             .global = {(size_t)tq, (size_t)a->n_heads, (size_t)n}, .flops = flops};
        const SfuArg args[] = {SFU_TENSOR(o), SFU_TENSOR(qt), SFU_TENSOR(k), SFU_TENSOR(v), SHAPE_ARGS};
        return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    const int rows = queries(a->head_dim, one_block), blocks = (tk + block - 1) / block, runs = (tq + rows - 1) / rows;
    /* Few keys: all heads' stay in the second-level cache, and queries are read in the order of memory. */
    const gboolean heads_first = 4.0 * a->n_heads * blocks * block * (a->head_dim + dv) <= (double)sfu_queue_device(q)->local_bytes / 2;
    const int vector = sfu_cpu_width(q), vecs = slice / vector; /* sums in registers, as sfu_cpu_tile() has them */
    const SfuCpuTile tile = sfu_cpu_tile(q, 1);
    const int v_rows = vector == 16 ? (slice == 40 ? 8 : 12) : MAX(1, tile.rows * tile.cols / vector / vecs);
    g_snprintf(options + strlen(options), sizeof options - strlen(options),
               " -DDV=%d -DSLICE=%d -DBLOCK=%d -DKC=%d -DQUERIES=%d -DVW=%d -DQ_ROWS=%d -DQ_COLS=%d -DV_ROWS=%d%s%s", dv, slice, block, kc,
               rows, vector, vector == 16 && kc == 80 ? 4 : tile.rows, vector == 16 ? kc : tile.cols, v_rows, heads_first ? " -DHEADS_FIRST" : "",
               one_block ? " -DONE_BLOCK" : "");
    SfuTensor *kt = sfu_tensor_create(q, SFU_F32, k->n, a->n_heads, blocks, (a->head_dim + pair - 1) / pair * block, error);
    SfuTensor *vp = kt ? sfu_tensor_create(q, SFU_F32, k->n, a->n_heads, blocks * block / pair, dv, error) : NULL;
    gboolean ok = vp != NULL;
    if (ok) {
        const SfuLaunch l = {.program = "attention", .kernel = "attention_pack", .options = options,
                             .global = {(size_t)blocks, (size_t)a->n_heads, (size_t)k->n}, .bytes = 2 * (sfu_op_bytes(k) + sfu_op_bytes(v))};
        const SfuArg args[] = {SFU_TENSOR(kt), SFU_TENSOR(vp), SFU_TENSOR(k), SFU_TENSOR(v), SFU_INT(tk), SFU_INT(a->n_heads), SFU_INT(k->c),
                               SFU_INT(a->k_col), SFU_INT(v->c), SFU_INT(a->v_col)};
        ok = sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    if (ok && one_block) {
        const SfuLaunch l = {.program = "attention", .kernel = "attention_one_block", .options = options,
                             .global = {(size_t)(heads_first ? a->n_heads : runs), (size_t)(heads_first ? runs : a->n_heads), (size_t)n}, .local = {1, 1, 1}, .flops = flops};
        const SfuArg args[] = {SFU_TENSOR(o), SFU_TENSOR(qt), SFU_TENSOR(kt), SFU_TENSOR(vp), SFU_INT(tq), SFU_INT(tk), SFU_INT(a->n_heads), SFU_INT(qt->c),
                               SFU_INT(a->q_col), SFU_INT(k->n), SFU_FLOAT(scale)};
        ok = sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    } else if (ok) {
        const SfuLaunch l = {.program = "attention", .kernel = "attention_panel", .options = options,
                             .global = {(size_t)(heads_first ? a->n_heads : runs), (size_t)(heads_first ? runs : a->n_heads), (size_t)n}, .local = {1, 1, 1}, .flops = flops};
        const SfuArg args[] = {SFU_TENSOR(o), SFU_TENSOR(qt), SFU_TENSOR(kt), SFU_TENSOR(vp), SHAPE_ARGS};
        ok = sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    sfu_tensor_destroy(kt);
    sfu_tensor_destroy(vp);
    return ok;
}

/* 70 queries over 90 keys, 2 heads of 40, against sums in double: whole blocks and both edges. */
static gboolean self_test(SfuQueue *q)
{
    enum { TQ = 70, TK = 90, HEADS = 2, DIM = 40, WIDTH = HEADS * DIM };
    float *x = g_new(float, TK * WIDTH), *y = g_new(float, TQ * WIDTH);
    for (int i = 0; i < TK * WIDTH; i++)
        x[i] = (float)((i * 37) % 64 - 32) / 32.0f; /* exact in fp16 */
    SfuTensor *tq = sfu_tensor_create(q, SFU_F16, 1, 1, TQ, WIDTH, NULL), *tk = sfu_tensor_create(q, SFU_F16, 1, 1, TK, WIDTH, NULL);
    SfuTensor *to = sfu_tensor_create(q, SFU_F16, 1, 1, TQ, WIDTH, NULL);
    const SfuAttention a = {.n_heads = HEADS, .head_dim = DIM, .scale = 0.5f};
    gboolean ok = tq && tk && to && sfu_tensor_write(tq, x, NULL) && sfu_tensor_write(tk, x, NULL) && sfu_attention(q, to, tq, tk, tk, &a, NULL) &&
                  sfu_tensor_read(to, y, NULL);
    for (int i = 0; ok && i < TQ; i++)
        for (int h = 0; ok && h < HEADS; h++) {
            double p[TK], top = -INFINITY, sum = 0;
            for (int j = 0; j < TK; j++) {
                p[j] = 0;
                for (int d = 0; d < DIM; d++)
                    p[j] += 0.5 * (double)x[i * WIDTH + h * DIM + d] * (double)x[j * WIDTH + h * DIM + d];
                top = MAX(top, p[j]);
            }
            for (int j = 0; j < TK; j++)
                sum += p[j] = exp(p[j] - top);
            for (int d = 0; ok && d < DIM; d++) {
                double s = 0;
                for (int j = 0; j < TK; j++)
                    s += p[j] / sum * (double)x[j * WIDTH + h * DIM + d];
                ok = fabs((double)y[i * WIDTH + h * DIM + d] - s) <= 0x1p-9; /* values up to 1; probabilities and result are stored as fp16 */
            }
        }
    sfu_tensor_destroy(tq);
    sfu_tensor_destroy(tk);
    sfu_tensor_destroy(to);
    g_free(x);
    g_free(y);
    return ok;
}
