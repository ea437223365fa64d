/* Rotary positions.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"

gboolean sfu_rope(SfuQueue *q, SfuTensor *x, const SfuTensor *table, const SfuRope *rope, GError **error)
{
    const int d = table->c, rows = x->h * x->w;
    if (rope->n_heads < 1 || rope->head_dim < d || d % 2 || rope->first < 0 ||
        rope->first + (gint64)rope->n_heads * rope->head_dim > x->c)
        return sfu_op_shape_error(error, "rope", "%d heads of %d from channel %d of %d on, of which %d turn",
                                  rope->n_heads, rope->head_dim, rope->first, x->c, d);
    if (table->dtype != SFU_F32 || table->h != 1 || table->w != rows || (table->n != 1 && table->n != x->n))
        return sfu_op_shape_error(error, "rope", "a table of %d x %d x %d for %d x %d tokens", table->n, table->h,
                                  table->w, x->n, rows);
    const double n = (double)x->n * rows * rope->n_heads * d;
    return SFU_RUN(x, "rope", "rope", (gint64)(d / 2 + 7) / 8 * rope->n_heads, (gint64)x->n * rows, 1, 3 * n,
                   2 * n * (double)sfu_dtype_bytes(x->dtype), error, SFU_TENSOR(x), SFU_TENSOR(table), SFU_INT(x->c),
                   SFU_INT(rope->first), SFU_INT(rope->head_dim), SFU_INT(d), SFU_INT(rows), SFU_INT(table->n),
                   SFU_INT(rope->halves));
}
