/* Convolutions to few outputs on CPUs: vectors run over the inputs (conv_few of conv.cl).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"
#include <string.h>

enum { MOST_OUTPUTS = 8, LEAST_INPUTS = 16 };

typedef struct {
    gboolean half;
    int n_out, n_in, taps;
} FewPack;

/* [out, in, taps] -> [taps][in/16][out][16], missing inputs zero. */
static void pack_few(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer data)
{
    const FewPack *p = data;
    const gint64 k = (gint64)p->n_in * p->taps, groups = (p->n_in + 15) / 16;
    float *row = g_new(float, k);
    memset(dst, 0, part_bytes);
    for (gint64 o = 0; o < p->n_out; o++) {
        sfu_weight_read_f32(w, o * k, k, row);
        for (int t = 0; t < p->taps; t++)
            for (int i = 0; i < p->n_in; i++)
                sfu_put_weight(dst, p->half, ((t * groups + i / 16) * p->n_out + o) * 16 + i % 16,
                               row[(gint64)i * p->taps + t]);
    }
    g_free(row);
}

static gboolean can(const SfuConvJob *j)
{
    return sfu_conv_on_cpu(j) && !j->e->geglu && j->n_out <= MOST_OUTPUTS && j->n_in >= LEAST_INPUTS;
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    const FewPack p = {.half = sfu_conv_half(j), .n_out = j->n_out, .n_in = j->n_in, .taps = j->taps};
    const gint64 n = (gint64)j->taps * ((j->n_in + 15) / 16) * j->n_out * 16;
    SfuConvTerms terms;
    const SfuTensor *wt, *zeros;
    if (!sfu_conv_terms(j, &terms, error) ||
        !(wt = sfu_weight_on_device(j->q, j->w, "few", p.half ? SFU_F16 : SFU_F32, n, 1, pack_few, &p, error)) ||
        !(zeros = sfu_conv_zeros(j, error)))
        return FALSE;
    /* Sums, weights and a value in registers: 32 of them, or 16. */
    const int pix = CLAMP(j->width == 16 ? 24 / j->n_out : 15 / j->n_out - 1, 1, 12),
              blocks = (j->n_pix + pix - 1) / pix;
    const int run = CLAMP(blocks / (sfu_queue_device(j->q)->n_units * 8), 1, 64);
    char options[128];
    sfu_conv_options(j, options, sizeof options);
    sfu_options_add(options, sizeof options, "-DOUTS=%d -DPIX=%d -DVW=%d", j->n_out, pix, j->width);
    const SfuLaunch l = {.program = "conv",
                         .kernel = "conv_few",
                         .options = options,
                         .global = {(size_t)((blocks + run - 1) / run), 1, 1},
                         .local = {1, 1, 1},
                         .flops = j->flops,
                         .bytes = j->bytes};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(&j->out), SFU_TENSOR(j->x), SFU_TENSOR(wt), SFU_TENSOR(zeros), SFU_INT(j->n_pix),
            SFU_INT(run));
    sfu_conv_add_geometry(&args, j);
    sfu_conv_add_epilogue(&args, j, &terms);
    return sfu_op_launch(j->q, &l, &args, error);
}

const SfuConvPath sfu_conv_few = {"few outputs", can, launch};
