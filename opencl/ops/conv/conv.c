/* Convolution and learned products: the table of paths.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"

/* The first one that can do a job does it. */
static const SfuConvPath *const paths[] = {
    &sfu_conv_clblast,     &sfu_conv_mma,      &sfu_conv_gpu, /* GPU family */
    &sfu_product_amx_int8, &sfu_product_codes, &sfu_product_int8,  &sfu_product_int16, &sfu_product_amx,
    &sfu_linear_panel,     &sfu_conv_few,      &sfu_conv_winograd, &sfu_conv_gather,   &sfu_conv_panel, /* CPU family */
    &sfu_conv_plain, /* every job on every device */
};

static gboolean by_first_path(SfuConvJob *job, GError **error)
{
    if (sfu_conv_on_cpu(job))
        job->width = sfu_cpu_width(job->q);
    for (guint i = 0; i + 1 < G_N_ELEMENTS(paths); i++)
        if (paths[i]->can(job))
            return paths[i]->launch(job, error);
    return paths[G_N_ELEMENTS(paths) - 1]->launch(job, error);
}

static gboolean product(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuConvGeometry *g,
                        const SfuEpilogue *e, GError **error)
{
    SfuConvJob job;
    return sfu_conv_job(&job, q, y, x, w, g, e, error) && by_first_path(&job, error) &&
           (!job.e->moments || job.moments_made || sfu_moments(q, job.e->moments, y, error));
}

gboolean sfu_linear(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuEpilogue *e, GError **error)
{
    if (y->h != x->h || y->w != x->w)
        return sfu_op_shape_error(error, "linear", "%d x %d rows in, %d x %d out", x->h, x->w, y->h, y->w);
    return product(q, y, x, w, &sfu_linear_geometry, e, error);
}

gboolean sfu_conv2d(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuConv *conv,
                    const SfuEpilogue *e, GError **error)
{
    static const SfuConv none;
    if (!conv)
        conv = &none;
    const SfuConvGeometry g = {.op = "conv2d",
                               .kh = (int)sfu_weight_dim(w, 2),
                               .kw = (int)sfu_weight_dim(w, 3),
                               .stride = MAX(1, conv->stride),
                               .pad_top = conv->pad_top,
                               .pad_left = conv->pad_left,
                               .upsample2 = conv->upsample2,
                               .circular = conv->circular,
                               .groups = MAX(1, conv->groups),
                               .x_c = conv->x_c,
                               .y_part = conv->y_part,
                               .y_col = conv->y_col};
    const int room_h = (x->h << conv->upsample2) + conv->pad_top + conv->pad_bottom - g.kh;
    const int room_w = (x->w << conv->upsample2) + conv->pad_left + conv->pad_right - g.kw;
    if (room_h < 0 || room_w < 0)
        return sfu_op_shape_error(error, "conv2d", "a kernel of %d x %d does not fit in %d x %d", g.kh, g.kw, x->h,
                                  x->w);
    const int oh = room_h / g.stride + 1, ow = room_w / g.stride + 1;
    if (y->h != oh || y->w != ow)
        return sfu_op_shape_error(error, "conv2d", "the output is %d x %d, y is %d x %d", oh, ow, y->h, y->w);
    if (e && e->geglu)
        return sfu_op_shape_error(error, "conv2d", "GEGLU is for linear");
    return product(q, y, x, w, &g, e, error);
}
