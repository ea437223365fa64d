/* Convolutions of any size and stride on CPUs: a tile of pixels and channels at a time (conv_panel of conv.cl).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"

static gboolean can(const SfuConvJob *j)
{
    return sfu_conv_on_cpu(j) && !j->e->geglu;
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    SfuConvTerms terms;
    const SfuTensor *wt, *zeros;
    if (!sfu_conv_terms(j, &terms, error) || !(wt = sfu_conv_panels(j, SFU_PANELS, error)) ||
        !(zeros = sfu_conv_zeros(j, error)))
        return FALSE;
    /* A run keeps one panel in the cache: long enough to pay for loading it, short enough for every core to have work.
     */
    const int blocks = (j->n_pix + SFU_BLOCK - 1) / SFU_BLOCK, units = sfu_queue_device(j->q)->n_units;
    const int run = CLAMP((gint64)blocks * j->n_panels / (units * 8), 1, 16);
    const SfuCpuTile tile = sfu_cpu_tile(j->width, j->n_panels);
    const int wide = (tile.cols + SFU_PANEL - 1) / SFU_PANEL;
    char options[128];
    sfu_conv_options(j, options, sizeof options);
    sfu_options_add(options, sizeof options, "-DVW=%d -DTILE_ROWS=%d -DTILE_COLS=%d", tile.vector, tile.rows,
                    tile.cols);
    const SfuLaunch l = {.program = "conv",
                         .kernel = "conv_panel",
                         .options = options,
                         .global = {(size_t)((blocks + run - 1) / run), (size_t)(j->n_panels / wide), 1},
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

const SfuConvPath sfu_conv_panel = {"panel", can, launch};
