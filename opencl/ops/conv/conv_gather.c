/* Convolutions of few inputs on CPUs: the inputs of each pixel's taps are gathered into a row, and the rows multiplied
 * (linear_gather of linear.cl). Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"

/* Inputs up to which that is worth it, and values a row at most: the copy is unrolled. */
enum { MOST_INPUTS = 31, MOST_VALUES = 400 };

static gboolean can(const SfuConvJob *j)
{
    const int n = j->n_in * j->taps;
    return sfu_conv_on_cpu(j) && !j->e->geglu && j->n_in <= MOST_INPUTS && n <= MOST_VALUES &&
           sfu_row_plan(j, n, 1).slice >= n;
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    const SfuConvGeometry *g = j->g;
    const SfuTensor *x = j->x, *y = j->y, *wt;
    SfuConvTerms terms;
    /* Few weights, so they may be wide: nothing to be converted at each step. */
    if (!sfu_conv_terms(j, &terms, error) || !(wt = sfu_conv_panels(j, SFU_PANELS_F32, error)))
        return FALSE;
    const SfuRowPlan plan = sfu_row_plan(j, j->n_in * j->taps, 1);
    char options[160];
    g_snprintf(options, sizeof options, "%s%s-DGATHER -DC_IN=%d -DKH=%d -DKW=%d %s",
               x->dtype == SFU_F16 ? "-DACT_F16 " : "", sfu_conv_acts(j), j->n_in, g->kh, g->kw,
               sfu_conv_only_bias(j) ? "-DBIAS_ONLY " : "");
    sfu_row_options(j, options, sizeof options);
    const SfuLaunch l = {.program = "linear",
                         .kernel = "linear_gather",
                         .options = options,
                         .global = {(size_t)((j->n_panels + plan.per_item - 1) / plan.per_item),
                                    (size_t)((j->n_pix + plan.rows - 1) / plan.rows), 1},
                         .local = {1, 1, 1},
                         .flops = j->flops,
                         .bytes = j->bytes};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(&j->out), SFU_TENSOR(x), SFU_TENSOR(wt), SFU_INT(j->n_pix), SFU_INT(plan.rows),
            SFU_INT(j->n_in * j->taps), SFU_INT(j->n_out), SFU_INT(y->c), SFU_INT(y->h * y->w), SFU_INT(j->n_panels),
            SFU_INT(plan.per_item), SFU_INT(plan.slice), SFU_LOCAL(plan.local_bytes), SFU_INT(x->h), SFU_INT(x->w),
            SFU_INT(y->h), SFU_INT(y->w), SFU_INT(g->stride), SFU_INT(g->pad_top), SFU_INT(g->pad_left),
            SFU_INT(g->upsample2), SFU_INT(g->circular), SFU_INT(x->c));
    sfu_conv_add_epilogue(&args, j, &terms);
    return sfu_op_launch(j->q, &l, &args, error);
}

const SfuConvPath sfu_conv_gather = {"few inputs", can, launch};
