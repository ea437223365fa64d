/* Winograd's 3x3 convolution: when it pays and how it is cut. The kernels and their source: winograd.cl.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv.h"
#include "ops/util.h"

enum { POINTS = 36, PANEL = 32, MAX_TILES = 96 };

static int round_up(int n, int step) { return (n + step - 1) / step * step; }

gboolean sfu_winograd_plan(SfuQueue *q, const SfuConvGeometry *g, const SfuTensor *y, int n_in, int n_out, SfuWinograd *plan)
{
    const SfuDeviceInfo *info = sfu_queue_device(q);
    if (g->kh != 3 || g->kw != 3 || g->stride != 1 || g->groups != 1 || n_in < 32 || n_out < 32)
        return FALSE;
    *plan = (SfuWinograd){.tiles_x = (y->w + 3) / 4, .tiles_y = (y->h + 3) / 4};
    const double all = (double)y->n * plan->tiles_x * plan->tiles_y;
    if (all > 1e8)
        return FALSE;
    plan->n_tiles = (int)all;
    const int n_even = (plan->n_tiles + MAX_TILES - 1) / MAX_TILES, t = (plan->n_tiles + n_even - 1) / n_even;
    const int mr = round_up(t, 12) <= round_up(t, 8) ? 12 : 8;
    plan->t_chunk = round_up(t, mr);
    const SfuCpuTile tile = sfu_cpu_tile(q, 1); /* its rows divide 12; of 8 they may be too many */
    g_snprintf(plan->options, sizeof plan->options, " -DMR=%d -DVW=%d -DTILE_ROWS=%d -DTILE_COLS=%d", mr, tile.vector, mr == 12 ? tile.rows : tile.rows == 12 ? 8 : tile.rows == 6 ? 4 : 2,
               tile.cols);
    /* Both scratch arrays of an item should stay in the core's second-level cache, with room for what streams by. */
    const gint64 room = (gint64)(info->local_bytes * 8 / 10) / 4 - (gint64)plan->t_chunk * POINTS * PANEL - POINTS * 16;
    plan->slice = (int)CLAMP(room / (POINTS * PANEL) / 16 * 16, 0, round_up(n_in, 16));
    if (plan->slice < 16)
        return FALSE;
    plan->local_bytes = 4 * ((size_t)plan->t_chunk * POINTS * PANEL + POINTS * ((size_t)plan->slice * PANEL + 16));
    const int panels = (n_out + PANEL - 1) / PANEL;
    plan->n_chunks = CLAMP((info->n_units * 4 + panels - 1) / panels, 1, (plan->n_tiles + plan->t_chunk - 1) / plan->t_chunk);
    const int groups = (n_in + 15) / 16;
    plan->n_splits = CLAMP(info->n_units * 16 / plan->t_chunk, 1, groups);
    plan->run = (groups + plan->n_splits - 1) / plan->n_splits;
    /* Multiply-adds of 16 outputs and one input channel; a weight's transform costs about 130, and is repeated for each chunk. */
    const double direct = 9.0 * y->n * y->h * y->w, chunks = (double)n_even;
    const double winograd = POINTS * (double)plan->t_chunk * chunks + 130 * chunks;
    return winograd * 1.2 < direct;
}

SfuTensor *sfu_winograd_input_create(SfuQueue *q, const SfuWinograd *plan, int n_in, GError **error)
{
    return sfu_tensor_create(q, SFU_F32, plan->n_chunks, POINTS, plan->t_chunk, round_up(n_in, 16), error);
}
