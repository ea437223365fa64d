/* Elementwise ops, conversion, means and the search for NaN.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"
#include <string.h>

static gint64 sixteenths(const SfuTensor *x)
{
    return (sfu_tensor_elements(x) + 15) / 16;
}

gboolean sfu_unary(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuAct act, float act_param, GError **error)
{
    if (!sfu_op_same_shape(error, "unary", y, x))
        return FALSE;
    if (act == SFU_ACT_PRELU)
        return sfu_op_shape_error(error, "unary", "PReLU needs its slopes: it is an epilogue only");
    return SFU_SWEEP(x, "elementwise", "unary", sixteenths(x), 1, 1, 0, 2 * sfu_op_bytes(x), error, SFU_TENSOR(y),
                     SFU_TENSOR(x), SFU_INT((int)sfu_tensor_elements(x)), SFU_INT(act), SFU_FLOAT(act_param));
}

gboolean sfu_axpby(SfuQueue *q, SfuTensor *y, float a, const SfuTensor *x, float b, const SfuTensor *z, GError **error)
{
    const int mode = z ? sfu_op_broadcast(x, z) : 0;
    if (!sfu_op_same_shape(error, "axpby", y, x))
        return FALSE;
    if (mode < 0)
        return sfu_op_same_shape(error, "axpby", x, z);
    return SFU_SWEEP(x, "elementwise", "axpby", sixteenths(x), 1, 1, 0, 3 * sfu_op_bytes(x), error, SFU_TENSOR(y),
                     SFU_TENSOR(x), SFU_TENSOR(z), SFU_INT((int)sfu_tensor_elements(x)), SFU_FLOAT(a), SFU_FLOAT(b),
                     SFU_INT(mode), SFU_INT(x->c), SFU_INT(x->h * x->w * x->c));
}

gboolean sfu_mul(SfuQueue *q, SfuTensor *y, const SfuTensor *x, const SfuTensor *z, GError **error)
{
    const int mode = sfu_op_broadcast(x, z);
    if (!sfu_op_same_shape(error, "mul", y, x))
        return FALSE;
    if (mode < 0)
        return sfu_op_same_shape(error, "mul", x, z);
    return SFU_SWEEP(x, "elementwise", "mul", sixteenths(x), 1, 1, 0, 3 * sfu_op_bytes(x), error, SFU_TENSOR(y),
                     SFU_TENSOR(x), SFU_TENSOR(z), SFU_INT((int)sfu_tensor_elements(x)), SFU_INT(mode), SFU_INT(x->c),
                     SFU_INT(x->h * x->w * x->c));
}

gboolean sfu_scale_channels(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *scale, SfuWeight *shift,
                            GError **error)
{
    const SfuTensor *a = NULL, *b = NULL;
    if (!sfu_op_same_shape(error, "scale_channels", y, x))
        return FALSE;
    if ((scale && sfu_weight_elements(scale) != x->c) || (shift && sfu_weight_elements(shift) != x->c))
        return sfu_op_shape_error(error, "scale_channels", "the weights do not fit %d channels", x->c);
    if ((scale && !(a = sfu_weight_f32(q, scale, error))) || (shift && !(b = sfu_weight_f32(q, shift, error))))
        return FALSE;
    return SFU_SWEEP(x, "elementwise", "scale_channels", sfu_tensor_elements(x), 1, 1, 0, 2 * sfu_op_bytes(x), error,
                     SFU_TENSOR(y), SFU_TENSOR(x), SFU_TENSOR(a), SFU_TENSOR(b), SFU_INT(x->c),
                     SFU_INT((int)sfu_tensor_elements(x)));
}

gboolean sfu_leaky_clamp(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *noise, const SfuLeakyClamp *p,
                         GError **error)
{
    const int pixels = x->h * x->w;
    const SfuTensor *z = NULL;
    if (!sfu_op_same_shape(error, "leaky_clamp", y, x))
        return FALSE;
    if (noise && sfu_weight_elements(noise) != pixels)
        return sfu_op_shape_error(error, "leaky_clamp", "noise of %" G_GINT64_FORMAT " values for %d x %d pixels",
                                  sfu_weight_elements(noise), x->h, x->w);
    if (noise && !(z = sfu_weight_f32(q, noise, error)))
        return FALSE;
    return SFU_RUN(x, "elementwise", "leaky_clamp", (x->c + 15) / 16, (gint64)x->n * pixels, 1, 0, 2 * sfu_op_bytes(x),
                   error, SFU_TENSOR(y), SFU_TENSOR(x), SFU_TENSOR(z), SFU_INT(pixels), SFU_INT(x->c),
                   SFU_FLOAT(p->slope), SFU_FLOAT(p->gain), SFU_FLOAT(p->limit));
}

gboolean sfu_mean_hw(SfuQueue *q, SfuTensor *y, const SfuTensor *x, GError **error)
{
    if (y->n != x->n || y->c != x->c || y->h != 1 || y->w != 1 || y->dtype != x->dtype)
        return sfu_op_shape_error(error, "mean_hw", "y is %d x %d x %d x %d", y->n, y->h, y->w, y->c);
    const gboolean cpu = sfu_queue_kernels(q) == SFU_KERNELS_CPU;
    return SFU_RUN(x, "elementwise", "mean_hw", cpu ? (x->c + 15) / 16 : x->c, x->n, 1, 0, sfu_op_bytes(x), error,
                   SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(x->h * x->w), SFU_INT(x->c));
}

gboolean sfu_convert(SfuQueue *q, SfuTensor *y, const SfuTensor *x, GError **error)
{
    if (sfu_tensor_elements(x) != sfu_tensor_elements(y) || (x->dtype != SFU_F32 && x->dtype != SFU_F16) ||
        (y->dtype != SFU_F32 && y->dtype != SFU_F16))
        return sfu_op_shape_error(error, "convert", "%s to %s", sfu_dtype_name(x->dtype), sfu_dtype_name(y->dtype));
    const gint64 total = sfu_tensor_elements(x);
    const SfuTensor *like = x->dtype == SFU_F32 ? x : y; /* the kernel is the same for all, and one is enough */
    return SFU_SWEEP(like, "elementwise", "convert", total, 1, 1, 0, sfu_op_bytes(x) + sfu_op_bytes(y), error,
                     SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(y->dtype == SFU_F16), SFU_INT(x->dtype == SFU_F16),
                     SFU_INT((int)total));
}

gboolean sfu_count_nonfinite(SfuQueue *q, const SfuTensor *x, gint64 *n, GError **error)
{
    enum { ITEMS = 256 };
    const int total = (int)sfu_tensor_elements(x), run = (total + ITEMS - 1) / ITEMS;
    float counts[ITEMS]; /* read as bits: the transfer does not convert 32-bit values */
    SfuTensor *t = sfu_tensor_create(q, SFU_F32, 1, 1, 1, ITEMS, error);
    const gboolean ok = t &&
                        SFU_RUN(x, "elementwise", "count_nonfinite", ITEMS, 1, 1, 0, sfu_op_bytes(x), error,
                                SFU_TENSOR(t), SFU_TENSOR(x), SFU_INT(total), SFU_INT(run)) &&
                        sfu_tensor_read(t, counts, error);
    *n = 0;
    for (int i = 0; ok && i < ITEMS; i++) {
        gint32 v;
        memcpy(&v, &counts[i], 4);
        *n += v;
    }
    sfu_tensor_destroy(t);
    return ok;
}
