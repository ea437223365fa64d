/* Ops that only move values: concat, slice, pad, resample by whole factors, shuffles, permutations.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"

static gboolean copy_channels(SfuTensor *y, const SfuTensor *x, int cy, int cx, int n, GError **error)
{
    return SFU_SWEEP(x, "move", "copy_channels", (n + 15) / 16, (gint64)x->n * x->h * x->w, 1, 0,
                     2.0 * n * x->n * x->h * x->w * 4, error, SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(y->c), SFU_INT(cy),
                     SFU_INT(x->c), SFU_INT(cx), SFU_INT(n), SFU_INT(x->n * x->h * x->w));
}

gboolean sfu_concat(SfuQueue *q, SfuTensor *y, const SfuTensor *const *parts, int n_parts, GError **error)
{
    int c = 0;
    for (int i = 0; i < n_parts; i++) {
        const SfuTensor *p = parts[i];
        if (p->n != y->n || p->h != y->h || p->w != y->w || p->dtype != y->dtype)
            return sfu_op_shape_error(error, "concat", "part %d is %d x %d x %d, y is %d x %d x %d", i, p->n, p->h,
                                      p->w, y->n, y->h, y->w);
        c += p->c;
    }
    if (c != y->c)
        return sfu_op_shape_error(error, "concat", "the parts have %d channels, y has %d", c, y->c);
    c = 0;
    for (int i = 0; i < n_parts; c += parts[i++]->c)
        if (!copy_channels(y, parts[i], c, 0, parts[i]->c, error))
            return FALSE;
    return TRUE;
}

gboolean sfu_slice(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int first_channel, GError **error)
{
    if (y->n != x->n || y->h != x->h || y->w != x->w || y->dtype != x->dtype || first_channel < 0 ||
        first_channel + y->c > x->c)
        return sfu_op_shape_error(error, "slice", "channels %d to %d of %d", first_channel, first_channel + y->c, x->c);
    return copy_channels(y, x, 0, first_channel, y->c, error);
}

gboolean sfu_copy_channels(SfuQueue *q, SfuTensor *y, int first_channel, const SfuTensor *x, GError **error)
{
    if (y->n != x->n || y->h != x->h || y->w != x->w || y->dtype != x->dtype || first_channel < 0 ||
        first_channel + x->c > y->c)
        return sfu_op_shape_error(error, "copy_channels", "channels %d to %d of %d", first_channel,
                                  first_channel + x->c, y->c);
    return copy_channels(y, x, first_channel, 0, x->c, error);
}

gboolean sfu_pad(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int top, int left, SfuPad mode, GError **error)
{
    if (y->n != x->n || y->c != x->c || y->dtype != x->dtype)
        return sfu_op_shape_error(error, "pad", "%d x %d channels against %d x %d", x->n, x->c, y->n, y->c);
    return SFU_SWEEP(x, "move", "pad", (x->c + 15) / 16, (gint64)y->h * y->w, y->n, 0, 2 * sfu_op_bytes(y), error,
                     SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(y->h), SFU_INT(y->w), SFU_INT(x->h), SFU_INT(x->w),
                     SFU_INT(x->c), SFU_INT(top), SFU_INT(left), SFU_INT(mode));
}

gboolean sfu_upsample_nearest(SfuQueue *q, SfuTensor *y, const SfuTensor *x, GError **error)
{
    if (y->n != x->n || y->c != x->c || y->h % x->h || y->w % x->w || y->dtype != x->dtype)
        return sfu_op_shape_error(error, "upsample_nearest", "%d x %d to %d x %d is not a whole factor", x->h, x->w,
                                  y->h, y->w);
    return SFU_SWEEP(x, "move", "upsample_nearest", (x->c + 15) / 16, (gint64)y->h * y->w, y->n, 0,
                     sfu_op_bytes(x) + sfu_op_bytes(y), error, SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(y->h),
                     SFU_INT(y->w), SFU_INT(x->h), SFU_INT(x->w), SFU_INT(x->c));
}

static gboolean shuffle(SfuTensor *y, const SfuTensor *x, const SfuTensor *small, const SfuTensor *large, int r,
                        GError **error)
{
    if (r < 1 || small->n != large->n || large->h != small->h * r || large->w != small->w * r ||
        small->c != large->c * r * r || small->dtype != large->dtype)
        return sfu_op_shape_error(error, "pixel_shuffle", "%d x %d x %d and %d x %d x %d by %d", small->h, small->w,
                                  small->c, large->h, large->w, large->c, r);
    return SFU_SWEEP(x, "move", "pixel_shuffle", large->c, (gint64)large->h * large->w, large->n, 0,
                     2 * sfu_op_bytes(x), error, SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(small->h), SFU_INT(small->w),
                     SFU_INT(large->c), SFU_INT(r), SFU_INT(y == small));
}

gboolean sfu_pixel_shuffle(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int r, GError **error)
{
    return shuffle(y, x, x, y, r, error);
}
gboolean sfu_pixel_unshuffle(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int r, GError **error)
{
    return shuffle(y, x, y, x, r, error);
}

gboolean sfu_permute(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int n_dims, const int *dims, const int *perm,
                     GError **error)
{
    int d[6] = {1, 1, 1, 1, 1, 1}, s[6] = {0}, seen = 0;
    gint64 stride[6], total = 1;
    if (n_dims < 1 || n_dims > 6)
        return sfu_op_shape_error(error, "permute", "%d dims", n_dims);
    for (int i = n_dims - 1; i >= 0; i--) {
        stride[i] = total;
        total *= dims[i];
    }
    for (int i = 0; i < n_dims; i++) {
        if (perm[i] < 0 || perm[i] >= n_dims || (seen & 1 << perm[i]))
            return sfu_op_shape_error(error, "permute", "dim %d occurs twice", i);
        seen |= 1 << perm[i];
        d[6 - n_dims + i] = dims[perm[i]];
        s[6 - n_dims + i] = (int)stride[perm[i]];
    }
    if (total != sfu_tensor_elements(x) || total != sfu_tensor_elements(y) || x->dtype != y->dtype)
        return sfu_op_shape_error(error, "permute", "the dims have %" G_GINT64_FORMAT " values", total);
    if (s[5] == 1 && d[5] > 1)
        return SFU_SWEEP(x, "move", "permute_rows", (d[5] + 15) / 16, total / d[5], 1, 0, 2 * sfu_op_bytes(x), error,
                         SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(d[1]), SFU_INT(d[2]), SFU_INT(d[3]), SFU_INT(d[4]),
                         SFU_INT(d[5]), SFU_INT(s[0]), SFU_INT(s[1]), SFU_INT(s[2]), SFU_INT(s[3]), SFU_INT(s[4]),
                         SFU_INT((int)(total / d[5])));
    return SFU_SWEEP(x, "move", "permute", total, 1, 1, 0, 2 * sfu_op_bytes(x), error, SFU_TENSOR(y), SFU_TENSOR(x),
                     SFU_INT(d[1]), SFU_INT(d[2]), SFU_INT(d[3]), SFU_INT(d[4]), SFU_INT(d[5]), SFU_INT(s[0]),
                     SFU_INT(s[1]), SFU_INT(s[2]), SFU_INT(s[3]), SFU_INT(s[4]), SFU_INT(s[5]), SFU_INT((int)total));
}

gboolean sfu_roll(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int dy, int dx, GError **error)
{
    return sfu_op_same_shape(error, "roll", y, x) &&
           SFU_SWEEP(x, "move", "roll", x->c, (gint64)x->h * x->w, x->n, 0, 2 * sfu_op_bytes(x), error, SFU_TENSOR(y),
                     SFU_TENSOR(x), SFU_INT(x->h), SFU_INT(x->w), SFU_INT(x->c), SFU_INT(dy), SFU_INT(dx));
}
