/* Products of a tensor with a gate.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"

gboolean sfu_sigmoid_gate(SfuQueue *q, SfuTensor *y, const SfuTensor *x, const SfuTensor *residual, float offset,
                          GError **error)
{
    const gint64 n = sfu_tensor_elements(x);
    if (!sfu_op_same_shape(error, "sigmoid_gate", y, x) ||
        (residual && !sfu_op_same_shape(error, "sigmoid_gate", y, residual)))
        return FALSE;
    return SFU_SWEEP(x, "gate", "sigmoid_gate", (n + 15) / 16, 1, 1, 0, 3 * sfu_op_bytes(x), error, SFU_TENSOR(y),
                     SFU_TENSOR(x), SFU_TENSOR(residual), SFU_INT((int)n), SFU_FLOAT(offset));
}

gboolean sfu_half_gate_columns(SfuQueue *q, SfuTensor *y, int y_first, const SfuTensor *x, int x_first, int c,
                               SfuAct act, GError **error)
{
    if (y->n != x->n || y->h != x->h || y->w != x->w || y->dtype != x->dtype || c < 1 || y_first < 0 || x_first < 0 ||
        (gint64)y_first + c > y->c || (gint64)x_first + 2 * (gint64)c > x->c)
        return sfu_op_shape_error(error, "half_gate",
                                  "%d channels from %d on of %d x %d x %d x %d to %d on of %d x %d x %d x %d", 2 * c,
                                  x_first, x->n, x->h, x->w, x->c, y_first, y->n, y->h, y->w, y->c);
    if (act == SFU_ACT_PRELU || act == SFU_ACT_LEAKY_RELU)
        return sfu_op_shape_error(error, "half_gate", "activations with parameters are not possible");
    const gint64 rows = (gint64)y->n * y->h * y->w;
    return SFU_SWEEP(x, "gate", "half_gate", (c + 15) / 16, rows, 1, 0,
                     3.0 * (double)rows * c * (double)sfu_dtype_bytes(x->dtype), error, SFU_TENSOR(y), SFU_TENSOR(x),
                     SFU_INT(c), SFU_INT(y->c), SFU_INT(y_first), SFU_INT(x->c), SFU_INT(x_first), SFU_INT(act),
                     SFU_INT((int)rows));
}

gboolean sfu_half_gate(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuAct act, GError **error)
{
    if (2 * y->c != x->c)
        return sfu_op_shape_error(error, "half_gate", "x has %d channels, y %d, not half as many", x->c, y->c);
    return sfu_half_gate_columns(q, y, 0, x, 0, y->c, act, error);
}

gboolean sfu_gated_add(SfuQueue *q, SfuTensor *y, const SfuTensor *residual, const SfuTensor *x, const SfuTensor *gate,
                       int first_column, SfuAct act, GError **error)
{
    if (!sfu_op_same_shape(error, "gated_add", y, x) || !sfu_op_same_shape(error, "gated_add", y, residual))
        return FALSE;
    if (gate->dtype != x->dtype || gate->h != 1 || gate->w != 1 || (gate->n != 1 && gate->n != x->n) ||
        first_column < 0 || (gint64)first_column + x->c > gate->c)
        return sfu_op_shape_error(error, "gated_add", "a gate of %d x %d x %d x %d from %d on for %d x %d channels",
                                  gate->n, gate->h, gate->w, gate->c, first_column, x->n, x->c);
    if (act == SFU_ACT_PRELU || act == SFU_ACT_LEAKY_RELU)
        return sfu_op_shape_error(error, "gated_add", "activations with parameters are not possible");
    SfuTensor *columns = sfu_tensor_view(gate, (size_t)first_column, 1, 1, 1, gate->c - first_column, error);
    const gboolean ok =
        columns && SFU_SWEEP(x, "gate", "gated_add", (x->c + 15) / 16, (gint64)x->n * x->h * x->w, 1, 0,
                             3 * sfu_op_bytes(y), error, SFU_TENSOR(y), SFU_TENSOR(residual), SFU_TENSOR(x),
                             SFU_TENSOR(columns), SFU_INT(gate->n > 1 ? gate->c : 0), SFU_INT(x->h * x->w),
                             SFU_INT(x->c), SFU_INT(act), SFU_INT(x->n * x->h * x->w));
    sfu_tensor_destroy(columns);
    return ok;
}
