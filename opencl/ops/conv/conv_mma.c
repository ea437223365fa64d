/* Products on matrix units (gpu_mma.cl).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"
#include "runtime/half.h"
#include <math.h>
#include <string.h>

enum { BLOCK = 32, COLUMNS = 64 };

/* Work-groups of `items` make bm pixels x bn outputs. `cost` of an output against the first: what is read more often,
 * and what is done beside the products. */
static const struct {
    int bm, bn, items;
    double cost;
} tiles[] = {{128, 128, 256, 1.0}, {128, 64, 256, 1.15}, {64, 64, 128, 1.4}};

/* How many fragments each sub-group makes in each tile, so that sums and operands fit its registers
 * (tests/ops/gpu-compile): sub-groups of a group x tm x tn x the unit's fragment = the tile. */
static const struct {
    int tm, tn;
} fragments[][G_N_ELEMENTS(tiles)] = {
    [SFU_MATRIX_NVIDIA] = {{4, 2}, {2, 2}, {2, 2}},
    [SFU_MATRIX_INTEL8] = {{2, 4}, {2, 2}, {2, 2}},
    [SFU_MATRIX_INTEL16] = {{4, 2}, {2, 2}, {2, 2}},
    [SFU_MATRIX_AMD] = {{4, 2}, {2, 2}, {2, 2}},
};

typedef struct {
    int gate_columns, n_in, n_out, taps, k_pad, rows;
} MmaPack;

/* [out, in, taps] -> [rows][taps][in rounded up to 32], halves. */
static void pack_mma(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer data)
{
    const MmaPack *p = data;
    guint16 *out = dst;
    float *row = g_new(float, (gsize)p->n_in * p->taps);
    memset((guint8 *)dst + (size_t)first * part_bytes, 0, (size_t)(end - first) * part_bytes);
    for (gint64 r = first; r < end; r++) {
        const gint64 o = sfu_conv_output_at(r, p->n_out, p->gate_columns);
        if (o < 0)
            continue;
        sfu_weight_read_f32(w, o * p->n_in * p->taps, (gint64)p->n_in * p->taps, row);
        for (int t = 0; t < p->taps; t++)
            for (int i = 0; i < p->n_in; i++)
                out[(r * p->taps + t) * p->k_pad + i] = sfu_half_from_float(row[(gint64)i * p->taps + t]);
    }
    g_free(row);
}

const char *sfu_mma_mode(SfuQueue *q)
{
    gboolean must_prove;
    const SfuMatrix matrix = sfu_queue_matrix(q, &must_prove);
    if (sfu_queue_emulates(q))
        return " -DEMULATED";
    /* Half as many threads, each with twice the registers. */
    return matrix == SFU_MATRIX_INTEL8 || matrix == SFU_MATRIX_INTEL16 ? " -cl-intel-256-GRF-per-thread" : "";
}

static gint64 groups_of(int tile, int n_pix, int rows)
{
    return (gint64)((n_pix + tiles[tile].bm - 1) / tiles[tile].bm) * ((rows + tiles[tile].bn - 1) / tiles[tile].bn);
}

/* The tile with the least work for the busiest unit. */
static int best_tile(SfuQueue *q, int n_pix, int rows)
{
    const SfuDeviceInfo *d = sfu_queue_device(q);
    const int units = MAX(1, d->vendor == SFU_VENDOR_INTEL
                                 ? d->n_units / 16
                                 : d->n_units); /* Intel counts vector engines, 16 of which share a local memory */
    int best = 0;
    double least = G_MAXDOUBLE;
    for (int i = 0; i < (int)G_N_ELEMENTS(tiles); i++) {
        const double cost =
            (double)((groups_of(i, n_pix, rows) + units - 1) / units) * tiles[i].bm * tiles[i].bn * tiles[i].cost;
        if (cost < least) {
            least = cost;
            best = i;
        }
    }
    return best;
}

static gboolean launch_tile(SfuConvJob *j, int tile, int rows, GError **error)
{
    gboolean must_prove;
    const SfuMatrix matrix = sfu_queue_matrix(j->q, &must_prove);
    const MmaPack p = {.gate_columns = j->e->geglu ? COLUMNS : 0,
                       .n_in = j->n_in,
                       .n_out = j->n_out,
                       .taps = j->taps,
                       .k_pad = (j->n_in + BLOCK - 1) / BLOCK * BLOCK,
                       .rows = rows};
    SfuConvTerms terms;
    SfuTensor *wide = NULL;
    const SfuTensor *wt;
    if (sfu_conv_stays_quantized(j)) /* rows of whole blocks: k_pad is n_in */
        wt = wide = sfu_conv_widen_rows(j, &(SfuWideRows){rows, p.gate_columns, .half = TRUE}, error);
    else
        wt = sfu_weight_on_device(j->q, j->w, j->e->geglu ? "mma geglu" : "mma", SFU_F16,
                                  (gint64)rows * j->taps * p.k_pad, rows, pack_mma, &p, error);
    if (!wt || !sfu_conv_terms(j, &terms, error)) {
        sfu_tensor_destroy(wide);
        return FALSE;
    }
    const int bm = tiles[tile].bm, bn = tiles[tile].bn, items = tiles[tile].items;
    const gboolean aligned = j->x->c % 8 == 0 && j->x->offset % 8 == 0 && j->n_in % 8 == 0;
    char options[192];
    g_snprintf(options, sizeof options, "-DACT_F16%s -DMATRIX=%d -DBM=%d -DBN=%d -DWG=%d -DTM=%d -DTN=%d%s%s%s%s",
               sfu_conv_out4(j), matrix, bm, bn, items, fragments[matrix][tile].tm, fragments[matrix][tile].tn,
               aligned ? " -DALIGNED" : "", j->e->geglu ? " -DGEGLU" : "", sfu_mma_mode(j->q),
               matrix == SFU_MATRIX_NVIDIA && !sfu_queue_emulates(j->q)
                   ? " -cl-nv-maxrregcount=128"
                   : ""); /* so that two groups of 256 share a multiprocessor */
    const SfuLaunch l = {.program = "gpu_mma",
                         .kernel = "conv_mma",
                         .options = options,
                         .global = {(size_t)((rows + bn - 1) / bn * items), (size_t)((j->n_pix + bm - 1) / bm), 1},
                         .local = {(size_t)items, 1, 1},
                         .flops = j->flops,
                         .bytes = j->bytes};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(&j->out), SFU_TENSOR(j->x), SFU_TENSOR(wt), SFU_INT(j->n_pix), SFU_INT(p.k_pad),
            SFU_INT(rows));
    sfu_conv_add_geometry(&args, j);
    sfu_conv_add_epilogue(&args, j, &terms);
    const gboolean ok = sfu_op_launch(j->q, &l, &args, error);
    sfu_tensor_destroy(wide);
    return ok;
}

/* Rows of the weights on the device. */
static int rows_of(const SfuConvJob *j)
{
    return j->e->geglu ? (j->n_out / 2 + COLUMNS - 1) / COLUMNS * 2 * COLUMNS
                       : (j->n_out + COLUMNS - 1) / COLUMNS * COLUMNS;
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    const int rows = rows_of(j), wanted = sfu_queue_matrix_tile(j->q);
    return launch_tile(j, j->e->geglu ? 0 : wanted ? wanted - 1 : best_tile(j->q, j->n_pix, rows), rows, error);
}

/* ---- self-test ---- */

enum { TEST_N = 150, TEST_K = 72 };

static gboolean is_product(const float *y, const float *x, const guint16 *w)
{
    for (int r = 0; r < TEST_N; r++)
        for (int o = 0; o < TEST_N; o++) {
            double s = 0;
            for (int k = 0; k < TEST_K; k++)
                s += (double)x[r * TEST_K + k] * (double)sfu_half_to_float(w[o * TEST_K + k]);
            if (!(fabs((double)y[r * TEST_N + o] - s) <=
                  0x1p-10 * fabs(s) + 0x1p-10)) /* the result is stored as fp16 */
                return FALSE;
        }
    return TRUE;
}

/* A product of 150 x 72 by 72 x 150 against sums in double, with each tile: every fragment and both edges. */
static gboolean self_test(SfuQueue *q, GError **error)
{
    const gint64 dims[] = {TEST_N, TEST_K};
    float *x = g_new(float, TEST_N *TEST_K), *y = g_new(float, TEST_N *TEST_N);
    guint16 *w = g_new(guint16, TEST_N * TEST_K);
    for (int i = 0; i < TEST_N * TEST_K; i++) {
        x[i] = (float)((i * 37) % 64 - 32) / 16.0f; /* exact in fp16, as are the weights */
        w[i] = sfu_half_from_float((float)((i * 53) % 128 - 64) / 64.0f);
    }
    SfuWeight *wt = sfu_weight_new_take("self-test", SFU_F16, 2, dims, w, sizeof *w * TEST_N * TEST_K);
    SfuTensor *tx = sfu_tensor_create(q, SFU_F16, 1, 1, TEST_N, TEST_K, error), *ty = NULL;
    SfuConvJob job;
    gboolean ok = tx && (ty = sfu_tensor_create(q, SFU_F16, 1, 1, TEST_N, TEST_N, error)) &&
                  sfu_tensor_write(tx, x, error) &&
                  sfu_conv_job(&job, q, ty, tx, wt, &sfu_linear_geometry, NULL, error);
    for (int tile = 0; ok && tile < (int)G_N_ELEMENTS(tiles); tile++)
        ok = launch_tile(&job, tile, rows_of(&job), error) && sfu_tensor_read(ty, y, error) && is_product(y, x, w);
    sfu_tensor_destroy(tx);
    sfu_tensor_destroy(ty);
    sfu_weight_destroy(wt);
    g_free(x);
    g_free(y);
    return ok;
}

gboolean sfu_mma_present(SfuQueue *q)
{
    static const char *const programs[] = {"gpu_mma", NULL};
    gboolean must_prove;
    return sfu_queue_matrix(q, &must_prove) != SFU_MATRIX_NONE &&
           (!must_prove || sfu_queue_capability(q, "matrix", programs, self_test));
}

static gboolean can(const SfuConvJob *j)
{
    const SfuTensor *x = j->x;
    return j->g->groups == 1 && x->dtype == SFU_F16 && sfu_weight_elements(j->w) < G_MAXINT32 &&
           (guint64)x->offset + (guint64)x->n * (guint64)x->h * (guint64)x->w * (guint64)x->c <
               G_MAXUINT32 && /* the kernel counts in 32 bits */
           sfu_mma_present(j->q) &&
           sfu_weight_fits_f16(j->w);
}

const SfuConvPath sfu_conv_mma = {"matrix units", can, launch};
