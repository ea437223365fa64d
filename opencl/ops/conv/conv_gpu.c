/* Products on GPUs, tile by tile in local memory (gpu_conv.cl).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"
#include <string.h>

enum { SIDE = 16, COLUMNS = 64, STRIP = 16 };

typedef struct {
    gboolean half;
    int gate_columns, n_in, n_out, taps, n_pad;
} TilePack;

/* [out, in, taps] -> [taps][in][n_pad], a strip of columns at a time so that whole cache lines are written. */
static void pack_tiles(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer data)
{
    const TilePack *p = data;
    const gint64 k = (gint64)p->n_in * p->taps;
    float *rows = g_new(float, STRIP *k);
    for (gint64 col = first * STRIP; col < end * STRIP; col += STRIP) {
        memset(rows, 0, sizeof *rows * STRIP * (size_t)k);
        for (int j = 0; j < STRIP; j++) {
            const gint64 o = sfu_conv_output_at(col + j, p->n_out, p->gate_columns);
            if (o >= 0)
                sfu_weight_read_f32(w, o * k, k, rows + j * k);
        }
        for (int t = 0; t < p->taps; t++)
            for (int i = 0; i < p->n_in; i++)
                for (int j = 0; j < STRIP; j++) {
                    const gint64 at = ((gint64)t * p->n_in + i) * p->n_pad + col + j;
                    sfu_put_weight(dst, p->half, at, rows[j * k + (gint64)i * p->taps + t]);
                }
    }
    g_free(rows);
}

static gboolean can(const SfuConvJob *j)
{
    return sfu_queue_kernels(j->q) == SFU_KERNELS_GPU && j->g->groups == 1;
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    /* The large tile reads each value half as often; but every unit should get some. Intel's 128 registers a thread of
     * 8 items, of which 64 sums an item would take half, spill (tests/ops/gpu-compile). */
    const SfuDeviceInfo *d = sfu_queue_device(j->q);
    const gboolean geglu = j->e->geglu,
                   large = ((gint64)j->n_pix + 127) / 128 * ((j->n_out + 127) / 128) >= 2 * d->n_units;
    const int tm = large && d->vendor != SFU_VENDOR_INTEL ? 8 : 4, tn = geglu || large ? 8 : 4;
    /* Columns are filled up to whole large tiles, so that one copy serves both. */
    const TilePack p = {.half = sfu_conv_half(j),
                        .gate_columns = geglu ? COLUMNS : 0,
                        .n_in = j->n_in,
                        .n_out = j->n_out,
                        .taps = j->taps,
                        .n_pad = geglu ? (j->n_out / 2 + COLUMNS - 1) / COLUMNS * 2 * COLUMNS
                                       : (j->n_out + 2 * COLUMNS - 1) / (2 * COLUMNS) * 2 * COLUMNS};
    SfuConvTerms terms;
    const SfuWideRows rows = {p.n_pad, p.gate_columns, p.half, .by_inputs = TRUE};
    SfuTensor *wide = NULL;
    const SfuTensor *wt;
    if (sfu_conv_stays_quantized(j))
        wt = wide = sfu_conv_widen_rows(j, &rows, error);
    else
        wt = sfu_weight_on_device(j->q, j->w, geglu ? "tiles geglu" : "tiles", p.half ? SFU_F16 : SFU_F32,
                                  (gint64)j->taps * j->n_in * p.n_pad, p.n_pad / STRIP, pack_tiles, &p, error);
    if (!wt || !sfu_conv_terms(j, &terms, error)) {
        sfu_tensor_destroy(wide);
        return FALSE;
    }
    const gboolean aligned = j->x->c % 4 == 0 && j->x->offset % 4 == 0 && j->n_in % 4 == 0;
    char options[160];
    sfu_conv_options(j, options, sizeof options);
    /* With 128 registers an item two work-groups find room on a unit of NVIDIA's; the compiler by itself takes a few
     * more. */
    sfu_options_add(options, sizeof options, "%s -DTM=%d -DTN=%d%s%s%s", sfu_conv_out4(j), tm, tn,
                    aligned ? " -DALIGNED" : "", geglu ? " -DGEGLU" : "",
                    tm == 8 && d->vendor == SFU_VENDOR_NVIDIA ? " -cl-nv-maxrregcount=128" : "");
    const SfuLaunch l = {.program = "gpu_conv",
                         .kernel = "conv_gpu",
                         .options = options,
                         .global = {(size_t)((geglu ? p.n_pad : j->n_out) + SIDE * tn - 1) / (size_t)(SIDE * tn) * SIDE,
                                    (size_t)(j->n_pix + SIDE * tm - 1) / (size_t)(SIDE * tm) * SIDE, 1},
                         .local = {SIDE, SIDE, 1},
                         .flops = j->flops,
                         .bytes = j->bytes};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(&j->out), SFU_TENSOR(j->x), SFU_TENSOR(wt), SFU_INT(j->n_pix), SFU_INT(p.n_pad));
    sfu_conv_add_geometry(&args, j);
    sfu_conv_add_epilogue(&args, j, &terms);
    const gboolean ok = sfu_op_launch(j->q, &l, &args, error);
    sfu_tensor_destroy(wide);
    return ok;
}

const SfuConvPath sfu_conv_gpu = {"gpu tiles", can, launch};
