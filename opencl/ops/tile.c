/* Tiles and weights of gpu_conv.cl.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv.h"
#include "runtime/half.h"
#include <string.h>

enum { SIDE = 16, COLUMNS = 64, STRIP = 16 };

typedef struct {
    gboolean half, geglu;
    int n_in, n_out, taps, n_pad;
} TilePack;

/* Which output stands in column `col`; -1: none. GEGLU: 64 values, then their 64 gates. */
static int output_of(const TilePack *p, int col)
{
    if (!p->geglu)
        return col < p->n_out ? col : -1;
    const int o = col / (2 * COLUMNS) * COLUMNS + col % COLUMNS;
    return o >= p->n_out / 2 ? -1 : col % (2 * COLUMNS) < COLUMNS ? o : p->n_out / 2 + o;
}

/* [out, in, taps] -> [taps][in][n_pad], a strip of columns at a time so that whole cache lines are written. */
static void pack_tiles(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    const TilePack *p = data;
    const gint64 k = (gint64)p->n_in * p->taps;
    float *rows = g_new(float, STRIP * k);
    for (int col = 0; col < p->n_pad; col += STRIP) {
        memset(rows, 0, sizeof *rows * STRIP * (size_t)k);
        for (int j = 0; j < STRIP; j++)
            if (output_of(p, col + j) >= 0)
                sfu_weight_read_f32(w, output_of(p, col + j) * k, k, rows + j * k);
        for (int t = 0; t < p->taps; t++)
            for (int i = 0; i < p->n_in; i++)
                for (int j = 0; j < STRIP; j++) {
                    const gint64 at = ((gint64)t * p->n_in + i) * p->n_pad + col + j;
                    const float v = rows[j * k + (gint64)i * p->taps + t];
                    if (p->half)
                        ((guint16 *)dst)[at] = sfu_half_from_float(v);
                    else
                        ((float *)dst)[at] = v;
                }
    }
    g_free(rows);
}

const SfuTensor *sfu_tile_plan(SfuQueue *q, SfuWeight *w, const SfuTensor *x, int n_pix, int n_in, int n_out, int taps, gboolean geglu,
                               SfuTile *tile, GError **error)
{
    /* The large tile reads each value half as often; but every unit should get some. Intel's 128 registers a thread of 8 items, of which 64 sums an item would take
     * half, spill (tests/ops/gpu-compile). */
    const SfuDeviceInfo *d = sfu_queue_device(q);
    const gboolean large = ((gint64)n_pix + 127) / 128 * ((n_out + 127) / 128) >= 2 * d->n_units;
    const int tm = large && d->vendor != SFU_VENDOR_INTEL ? 8 : 4, tn = geglu || large ? 8 : 4;
    const TilePack p = {.half = sfu_weight_dtype(w) == SFU_F16, .geglu = geglu, .n_in = n_in, .n_out = n_out, .taps = taps,
                        .n_pad = geglu ? (n_out / 2 + COLUMNS - 1) / COLUMNS * 2 * COLUMNS : (n_out + 2 * COLUMNS - 1) / (2 * COLUMNS) * 2 * COLUMNS};
    const gboolean aligned = x->c % 4 == 0 && x->offset % 4 == 0 && n_in % 4 == 0;
    /* With 128 registers an item two work-groups find room on a unit of NVIDIA's; the compiler by itself takes a few more. */
    g_snprintf(tile->options, sizeof tile->options, " -DTM=%d -DTN=%d%s%s%s", tm, tn, aligned ? " -DALIGNED" : "", geglu ? " -DGEGLU" : "",
               tm == 8 && d->vendor == SFU_VENDOR_NVIDIA ? " -cl-nv-maxrregcount=128" : "");
    tile->n_pad = p.n_pad;
    tile->global[0] = (size_t)((geglu ? p.n_pad : n_out) + SIDE * tn - 1) / (size_t)(SIDE * tn) * SIDE;
    tile->global[1] = (size_t)(n_pix + SIDE * tm - 1) / (size_t)(SIDE * tm) * SIDE;
    /* Columns are filled up to whole large tiles, so that one copy serves both. */
    return sfu_weight_on_device(q, w, geglu ? "tiles geglu" : "tiles", p.half ? SFU_F16 : SFU_F32, (gint64)taps * n_in * p.n_pad, pack_tiles, &p, error);
}
