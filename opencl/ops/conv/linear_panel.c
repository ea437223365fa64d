/* Products of whole rows on CPUs, in fp32 or with pairs of bf16 (linear.cl).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"

SfuRowPlan sfu_row_plan(const SfuConvJob *j, int n_in, int pair)
{
    enum { MOST_ROWS = 96, PANEL = SFU_PANEL, BLOCK = SFU_BLOCK };
    const SfuDeviceInfo *info = sfu_queue_device(j->q);
    const int n_rows = j->n_pix, n_panels = j->n_panels, runs = (n_rows + MOST_ROWS - 1) / MOST_ROWS;
    SfuRowPlan p = {.rows = ((n_rows + runs - 1) / runs + BLOCK - 1) / BLOCK * BLOCK};
    /* Packing the rows is repeated for each item of a run, so an item takes as many panels as leave work for every
     * core. */
    p.per_item = CLAMP((gint64)n_panels * runs / (info->n_units * 8), 4, 32);
    p.per_item = MIN(p.per_item, n_panels);
    if (n_panels % 2 == 0) /* tiles may be two panels wide */
        p.per_item += p.per_item % 2;
    /* Rows and, when the inputs do not fit at once, sums share half the second-level cache; the weights stream by. */
    const gint64 room = MAX((gint64)info->local_bytes, 32768) / 2, step = 16 * pair,
                 all = (n_in + step - 1) / step * step;
    p.slice = (int)(all * p.rows * 4 / pair <= room ? all : 0);
    if (!p.slice) {
        p.per_item = MIN(p.per_item, 16);
        while (p.per_item > 2 && (gint64)p.per_item * p.rows * PANEL * 4 > room / 2)
            p.per_item -= 2;
        while (p.rows > BLOCK && (gint64)p.rows * (p.per_item * PANEL * 4 + 16 * step * 4 / pair) > room)
            p.rows -= BLOCK;
        p.slice = (int)CLAMP((room / p.rows - (gint64)p.per_item * PANEL * 4) / 4 * pair / step * step, step, all);
    }
    p.local_bytes =
        4 * (size_t)p.rows * ((size_t)p.slice / (size_t)pair + (p.slice < n_in ? (size_t)p.per_item * PANEL : 0));
    return p;
}

gboolean sfu_conv_only_bias(const SfuConvJob *j)
{
    const SfuEpilogue *e = j->e;
    return !e->chan && !e->residual && e->act == SFU_ACT_NONE && (e->scale == 0 || e->scale == 1) && !e->geglu &&
           j->n_out % MAX(SFU_PANEL, sfu_cpu_tile(j->width, j->n_panels).cols) == 0;
}

void sfu_row_options(const SfuConvJob *j, char *options, gsize size)
{
    enum { PAST_CACHES_BYTES = 64 << 20 }; /* results from which on a next reader finds nothing in the caches anyway */
    const SfuCpuTile tile = sfu_cpu_tile(j->width, j->n_panels);
    sfu_options_add(options, size, "-DVW=%d -DTILE_ROWS=%d -DTILE_COLS=%d", tile.vector, tile.rows, tile.cols);
    if (sfu_conv_only_bias(j) && sfu_op_bytes(j->y) >= PAST_CACHES_BYTES && j->y->dtype == SFU_F32 &&
        j->out.offset % 16 == 0 && j->y->c % 16 == 0)
        sfu_options_add(options, size, " -DPAST_CACHES");
}

static gboolean can(const SfuConvJob *j)
{
    return sfu_conv_on_cpu(j) && sfu_conv_is_rows(j);
}

/* Some panels of the job j, whose weights wt holds in fp32 or pairs of bf16, or where sfu_conv_half(part) in fp16. The
 * kernel and its tile are those of the whole job, so that the parts of one share a program. */
static gboolean launch_part(const SfuConvJob *j, const SfuConvJob *part, const SfuTensor *wt, const SfuConvTerms *terms,
                            gconstpointer data, GError **error)
{
    const gboolean bf16 = sfu_queue_bf16(j->q);
    const SfuRowPlan plan = sfu_row_plan(part, j->n_in, bf16 ? 2 : 1);
    char options[160];
    sfu_conv_options(part, options, sizeof options);
    sfu_options_add(options, sizeof options, "%s", bf16 ? "-DBF16 " : "");
    sfu_row_options(j, options, sizeof options);
    const SfuLaunch l = {.program = "linear",
                         .kernel = j->e->geglu             ? "linear_geglu"
                                   : sfu_conv_only_bias(j) ? "linear_bias"
                                                           : "linear_panel",
                         .options = options,
                         .global = {(size_t)((part->n_panels + plan.per_item - 1) / plan.per_item),
                                    (size_t)((j->n_pix + plan.rows - 1) / plan.rows), 1},
                         .local = {1, 1, 1},
                         .flops = part->flops,
                         .bytes = part->bytes};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(&part->out), SFU_TENSOR(j->x), SFU_TENSOR(wt), SFU_INT(j->n_pix), SFU_INT(plan.rows),
            SFU_INT(j->n_in), SFU_INT(part->n_out), SFU_INT(j->y->c), SFU_INT(j->y->h * j->y->w),
            SFU_INT(part->n_panels), SFU_INT(plan.per_item), SFU_INT(plan.slice), SFU_LOCAL(plan.local_bytes));
    sfu_conv_add_epilogue(&args, part, terms);
    return sfu_op_launch(j->q, &l, &args, error);
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    const gboolean bf16 = sfu_queue_bf16(j->q);
    SfuConvTerms terms = {0};
    const SfuTensor *wt;
    const gboolean ok = sfu_conv_panel_terms(j, &terms, error);
    if (ok && sfu_conv_stays_quantized(j))
        return sfu_conv_by_parts(j, SFU_WIDE_PANELS, &terms, launch_part, NULL, error);
    return ok &&
           (wt = bf16 ? sfu_conv_panels_bf16(j, 2, error)
                      : sfu_conv_panels(j, j->e->geglu ? SFU_PANELS_GEGLU : SFU_PANELS, error)) &&
           launch_part(j, j, wt, &terms, NULL, error);
}

const SfuConvPath sfu_linear_panel = {"rows", can, launch};
