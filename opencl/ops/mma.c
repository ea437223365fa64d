/* Products on matrix units (gpu_mma.cl): whether they can be had, tiles and weights.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv.h"
#include "ops/util.h"
#include "runtime/half.h"
#include <math.h>
#include <string.h>

enum { BLOCK = 32, COLUMNS = 64 };

/* Work-groups of `items` make bm pixels x bn outputs. `cost` of an output against the first: what is read more often, and what is done beside the products. */
static const struct {
    int bm, bn, items;
    double cost;
} tiles[] = {{128, 128, 256, 1.0}, {128, 64, 256, 1.15}, {64, 64, 128, 1.4}};

/* How many fragments each sub-group makes in each tile, so that sums and operands fit its registers (tests/ops/gpu-compile): sub-groups of a group x tm x tn x
 * the unit's fragment = the tile. */
static const struct {
    int tm, tn;
} fragments[][G_N_ELEMENTS(tiles)] = {
    [SFU_MATRIX_NVIDIA] = {{4, 2}, {2, 2}, {2, 2}},
    [SFU_MATRIX_INTEL8] = {{2, 4}, {2, 2}, {2, 2}},
    [SFU_MATRIX_INTEL16] = {{4, 2}, {2, 2}, {2, 2}},
    [SFU_MATRIX_AMD] = {{4, 2}, {2, 2}, {2, 2}},
};

typedef struct {
    gboolean geglu;
    int n_in, n_out, taps, k_pad, rows;
} MmaPack;

/* Which output is row `row`; -1: none. GEGLU: 64 values, then their 64 gates. */
static int output_of(const MmaPack *p, int row)
{
    if (!p->geglu)
        return row < p->n_out ? row : -1;
    const int o = row / (2 * COLUMNS) * COLUMNS + row % COLUMNS;
    return o >= p->n_out / 2 ? -1 : row % (2 * COLUMNS) < COLUMNS ? o : p->n_out / 2 + o;
}

/* [out, in, taps] -> [rows][taps][in rounded up to 32], halves. */
static void pack_mma(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    const MmaPack *p = data;
    guint16 *out = dst;
    float *row = g_new(float, (gsize)p->n_in * p->taps);
    memset(dst, 0, bytes);
    for (gint64 r = 0; r < p->rows; r++) {
        const gint64 o = output_of(p, (int)r);
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
    gboolean emulated;
    const SfuMatrix matrix = sfu_queue_matrix(q, &emulated);
    if (emulated)
        return " -DEMULATED";
    /* Half as many threads, each with twice the registers. */
    return matrix == SFU_MATRIX_INTEL8 || matrix == SFU_MATRIX_INTEL16 ? " -cl-intel-256-GRF-per-thread" : "";
}

static gint64 groups_of(int tile, int n_pix, int rows)
{
    return (gint64)((n_pix + tiles[tile].bm - 1) / tiles[tile].bm) * ((rows + tiles[tile].bn - 1) / tiles[tile].bn);
}

/* The tile with the least work for the busiest unit. */
static int tile_of(SfuQueue *q, int n_pix, int rows)
{
    if (sfu_queue_matrix_tile(q))
        return sfu_queue_matrix_tile(q) - 1;
    const SfuDeviceInfo *d = sfu_queue_device(q);
    const int units = MAX(1, d->vendor == SFU_VENDOR_INTEL ? d->n_units / 16 : d->n_units); /* Intel counts vector engines, 16 of which share a local memory */
    int best = 0;
    double least = G_MAXDOUBLE;
    for (int i = 0; i < (int)G_N_ELEMENTS(tiles); i++) {
        const double cost = (double)((groups_of(i, n_pix, rows) + units - 1) / units) * tiles[i].bm * tiles[i].bn * tiles[i].cost;
        if (cost < least) {
            least = cost;
            best = i;
        }
    }
    return best;
}

const SfuTensor *sfu_mma_plan(SfuQueue *q, SfuWeight *w, const SfuTensor *x, int n_pix, int n_in, int n_out, int taps, gboolean geglu, SfuTile *tile,
                              GError **error)
{
    gboolean emulated;
    const SfuMatrix matrix = sfu_queue_matrix(q, &emulated);
    const int rows = geglu ? (n_out / 2 + COLUMNS - 1) / COLUMNS * 2 * COLUMNS : (n_out + COLUMNS - 1) / COLUMNS * COLUMNS;
    const MmaPack p = {.geglu = geglu, .n_in = n_in, .n_out = n_out, .taps = taps, .k_pad = (n_in + BLOCK - 1) / BLOCK * BLOCK, .rows = rows};
    const int i = geglu ? 0 : tile_of(q, n_pix, rows);
    const gboolean aligned = x->c % 8 == 0 && x->offset % 8 == 0 && n_in % 8 == 0;
    g_snprintf(tile->options, sizeof tile->options, " -DMATRIX=%d -DBM=%d -DBN=%d -DWG=%d -DTM=%d -DTN=%d%s%s%s%s", matrix, tiles[i].bm, tiles[i].bn,
               tiles[i].items, fragments[matrix][i].tm, fragments[matrix][i].tn, aligned ? " -DALIGNED" : "", geglu ? " -DGEGLU" : "", sfu_mma_mode(q),
               matrix == SFU_MATRIX_NVIDIA && !emulated ? " -cl-nv-maxrregcount=128" : ""); /* so that two groups of 256 share a multiprocessor */
    tile->n_pad = p.k_pad;
    tile->rows = rows;
    tile->local = (size_t)tiles[i].items;
    tile->global[0] = (size_t)((rows + tiles[i].bn - 1) / tiles[i].bn * tiles[i].items);
    tile->global[1] = (size_t)((n_pix + tiles[i].bm - 1) / tiles[i].bm);
    return sfu_weight_on_device(q, w, geglu ? "mma geglu" : "mma", SFU_F16, (gint64)rows * taps * p.k_pad, pack_mma, &p, error);
}

/* A product of 150 x 72 by 72 x 150 against sums in double, with each tile: every fragment and both edges. */
static gboolean self_test(SfuQueue *q)
{
    enum { N = 150, K = 72 };
    const gint64 dims[] = {N, K};
    float *x = g_new(float, N * K), *y = g_new(float, N * N);
    guint16 *w = g_new(guint16, N * K);
    for (int i = 0; i < N * K; i++) {
        x[i] = (float)((i * 37) % 64 - 32) / 16.0f; /* exact in fp16, as are the weights */
        w[i] = sfu_half_from_float((float)((i * 53) % 128 - 64) / 64.0f);
    }
    SfuWeight *wt = sfu_weight_new_take("self-test", SFU_F16, 2, dims, w, sizeof *w * N * K);
    SfuTensor *tx = sfu_tensor_create(q, SFU_F16, 1, 1, N, K, NULL), *ty = sfu_tensor_create(q, SFU_F16, 1, 1, N, N, NULL);
    gboolean ok = tx && ty && sfu_tensor_write(tx, x, NULL);
    for (int tile = 1; ok && tile <= (int)G_N_ELEMENTS(tiles); tile++) {
        sfu_queue_set_matrix_tile(q, tile);
        ok = sfu_linear(q, ty, tx, wt, NULL, NULL) && sfu_tensor_read(ty, y, NULL);
        for (int r = 0; ok && r < N; r++)
            for (int o = 0; ok && o < N; o++) {
                double s = 0;
                for (int k = 0; k < K; k++)
                    s += (double)x[r * K + k] * (double)sfu_half_to_float(w[o * K + k]);
                ok = fabs((double)y[r * N + o] - s) <= 0x1p-10 * fabs(s) + 0x1p-10; /* the result is stored as fp16 */
            }
    }
    sfu_queue_set_matrix_tile(q, 0);
    sfu_tensor_destroy(tx);
    sfu_tensor_destroy(ty);
    sfu_weight_destroy(wt);
    g_free(x);
    g_free(y);
    return ok;
}

gboolean sfu_mma_present(SfuQueue *q)
{
    gboolean emulated;
    return sfu_queue_matrix(q, &emulated) != SFU_MATRIX_NONE && (emulated || sfu_queue_capability(q, "matrix", self_test));
}

gboolean sfu_mma_usable(SfuQueue *q, const SfuTensor *x, SfuWeight *w)
{
    return x->dtype == SFU_F16 &&
           (guint64)x->offset + (guint64)x->n * (guint64)x->h * (guint64)x->w * (guint64)x->c < G_MAXUINT32 && sfu_weight_elements(w) < G_MAXINT32 &&
           sfu_mma_present(q) && sfu_weight_fits_f16(w);
}
