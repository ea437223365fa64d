/* Products on matrix units (gpu_mma.cl): whether they can be had, tiles and weights.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv.h"
#include "ops/util.h"
#include "runtime/half.h"
#include <math.h>
#include <string.h>

enum { TILE = 64, BLOCK = 32 };

typedef struct {
    int n_in, n_out, taps, k_pad;
} MmaPack;

/* [out, in, taps] -> [out rounded up to 64][taps][in rounded up to 32], halves. */
static void pack_mma(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    const MmaPack *p = data;
    guint16 *out = dst;
    float *row = g_new(float, (gsize)p->n_in * p->taps);
    memset(dst, 0, bytes);
    for (gint64 o = 0; o < p->n_out; o++) {
        sfu_weight_read_f32(w, o * p->n_in * p->taps, (gint64)p->n_in * p->taps, row);
        for (int t = 0; t < p->taps; t++)
            for (int i = 0; i < p->n_in; i++)
                out[(o * p->taps + t) * p->k_pad + i] = sfu_half_from_float(row[(gint64)i * p->taps + t]);
    }
    g_free(row);
}

const SfuTensor *sfu_mma_plan(SfuQueue *q, SfuWeight *w, const SfuTensor *x, int n_pix, int n_in, int n_out, int taps, SfuTile *tile, GError **error)
{
    const MmaPack p = {.n_in = n_in, .n_out = n_out, .taps = taps, .k_pad = (n_in + BLOCK - 1) / BLOCK * BLOCK};
    const int rows = (n_out + TILE - 1) / TILE * TILE;
    const gboolean aligned = x->c % 2 == 0 && x->offset % 2 == 0 && n_in % 2 == 0;
    g_snprintf(tile->options, sizeof tile->options, "%s%s", aligned ? " -DALIGNED" : "",
               sfu_queue_kernels(q) == SFU_KERNELS_GPU_EMULATED ? " -DMMA_EMULATED" : "");
    tile->n_pad = p.k_pad;
    tile->global[0] = (size_t)rows / TILE * 128;
    tile->global[1] = ((size_t)n_pix + TILE - 1) / TILE;
    return sfu_weight_on_device(q, w, "mma", SFU_F16, (gint64)rows * taps * p.k_pad, pack_mma, &p, error);
}

/* A product of 70 x 40 by 40 x 70 against sums in double: every fragment and both edges. */
static gboolean self_test(SfuQueue *q)
{
    enum { N = 70, K = 40 };
    const gint64 dims[] = {N, K};
    float x[N * K], y[N * N];
    guint16 *w = g_new(guint16, N * K);
    for (int i = 0; i < N * K; i++) {
        x[i] = (float)((i * 37) % 64 - 32) / 16.0f; /* exact in fp16, as are the weights */
        w[i] = sfu_half_from_float((float)((i * 53) % 128 - 64) / 64.0f);
    }
    SfuWeight *wt = sfu_weight_new_take("self-test", SFU_F16, 2, dims, w, sizeof *w * N * K);
    SfuTensor *tx = sfu_tensor_create(q, SFU_F16, 1, 1, N, K, NULL), *ty = sfu_tensor_create(q, SFU_F16, 1, 1, N, N, NULL);
    gboolean ok = tx && ty && sfu_tensor_write(tx, x, NULL) && sfu_linear(q, ty, tx, wt, NULL, NULL) && sfu_tensor_read(ty, y, NULL);
    for (int r = 0; ok && r < N; r++)
        for (int o = 0; ok && o < N; o++) {
            double s = 0;
            for (int k = 0; k < K; k++)
                s += (double)x[r * K + k] * (double)sfu_half_to_float(w[o * K + k]);
            ok = fabs((double)y[r * N + o] - s) <= 0x1p-10 * fabs(s) + 0x1p-10; /* the result is stored as fp16 */
        }
    sfu_tensor_destroy(tx);
    sfu_tensor_destroy(ty);
    sfu_weight_destroy(wt);
    return ok;
}

gboolean sfu_mma_usable(SfuQueue *q, const SfuTensor *x, const SfuWeight *w)
{
    /* Only weights that are fp16 in the file: others may not fit its range. */
    if (x->dtype != SFU_F16 || sfu_weight_dtype(w) != SFU_F16)
        return FALSE;
    if (sfu_queue_kernels(q) == SFU_KERNELS_GPU_EMULATED)
        return TRUE;
    return sfu_queue_kernels(q) == SFU_KERNELS_GPU && sfu_queue_device(q)->vendor == SFU_VENDOR_NVIDIA && sfu_queue_capability(q, "mma", self_test);
}
