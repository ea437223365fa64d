/* Resampling by other than whole factors of nearest neighbors: pooling, bilinear interpolation, dynamic upsampling.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"

gboolean sfu_max_pool(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int size, int stride, GError **error)
{
    if (size < 1 || stride < 1 || x->h < size || x->w < size || y->n != x->n || y->c != x->c ||
        y->h != (x->h - size) / stride + 1 || y->w != (x->w - size) / stride + 1 || y->dtype != x->dtype)
        return sfu_op_shape_error(error, "max_pool", "windows of %d every %d of %d x %d do not give %d x %d", size,
                                  stride, x->h, x->w, y->h, y->w);
    return SFU_SWEEP(x, "resample", "max_pool", (x->c + 15) / 16, (gint64)y->h * y->w, y->n, 0,
                     sfu_op_bytes(x) + sfu_op_bytes(y), error, SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(x->h),
                     SFU_INT(x->w), SFU_INT(y->h), SFU_INT(y->w), SFU_INT(x->c), SFU_INT(size), SFU_INT(stride));
}

gboolean sfu_resize_bilinear(SfuQueue *q, SfuTensor *y, const SfuTensor *x, GError **error)
{
    if (y->n != x->n || y->c != x->c || y->dtype != x->dtype)
        return sfu_op_shape_error(error, "resize_bilinear", "%d x %d channels against %d x %d", x->n, x->c, y->n, y->c);
    return SFU_SWEEP(x, "resample", "resize_bilinear", (x->c + 15) / 16, (gint64)y->h * y->w, y->n, 0,
                     sfu_op_bytes(x) + sfu_op_bytes(y), error, SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(x->h),
                     SFU_INT(x->w), SFU_INT(y->h), SFU_INT(y->w), SFU_INT(x->c));
}

gboolean sfu_dysample(SfuQueue *q, SfuTensor *y, const SfuTensor *x, const SfuDysample *d, GError **error)
{
    const int factor = d->factor, n_groups = d->n_groups, per_pixel = 2 * n_groups * factor * factor;
    const SfuTensor *offset = d->offset, *scope = d->scope;
    SfuWeight *start = d->start, *bias = d->bias;
    const SfuTensor *s, *b = NULL;
    if (factor < 1 || n_groups < 1 || y->c > 4 || x->c != n_groups * y->c || y->n != x->n || y->h != x->h * factor ||
        y->w != x->w * factor || y->dtype != x->dtype)
        return sfu_op_shape_error(error, "dysample", "%d x %d x %d to %d x %d x %d in %d groups", x->h, x->w, x->c,
                                  y->h, y->w, y->c, n_groups);
    if (offset->c != per_pixel || offset->n != x->n || offset->h != x->h || offset->w != x->w ||
        offset->dtype != x->dtype)
        return sfu_op_shape_error(error, "dysample", "the offsets are %d x %d x %d, wanted %d channels", offset->h,
                                  offset->w, offset->c, per_pixel);
    if (!sfu_op_same_shape(error, "dysample", offset, scope))
        return FALSE;
    if (sfu_weight_elements(start) != per_pixel || (bias && sfu_weight_elements(bias) != y->c))
        return sfu_op_shape_error(error, "dysample", "%s has %" G_GINT64_FORMAT " values, wanted %d",
                                  sfu_weight_name(start), sfu_weight_elements(start), per_pixel);
    if (!(s = sfu_weight_f32(q, start, error)) || (bias && !(b = sfu_weight_f32(q, bias, error))))
        return FALSE;
    return SFU_RUN(x, "resample", "dysample", y->w, y->h, y->n, 0,
                   sfu_op_bytes(x) + sfu_op_bytes(y) + 2 * sfu_op_bytes(offset), error, SFU_TENSOR(y), SFU_TENSOR(x),
                   SFU_TENSOR(offset), SFU_TENSOR(scope), SFU_TENSOR(s), SFU_TENSOR(b), SFU_INT(x->h), SFU_INT(x->w),
                   SFU_INT(y->c), SFU_INT(factor), SFU_INT(n_groups));
}
