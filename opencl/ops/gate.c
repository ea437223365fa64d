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
    return SFU_RUN(x, "gate", "sigmoid_gate", (n + 15) / 16, 1, 1, 0, 3 * sfu_op_bytes(x), error, SFU_TENSOR(y),
                   SFU_TENSOR(x), SFU_TENSOR(residual), SFU_INT((int)n), SFU_FLOAT(offset));
}

gboolean sfu_half_gate(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuAct act, GError **error)
{
    if (y->n != x->n || y->h != x->h || y->w != x->w || 2 * y->c != x->c || y->dtype != x->dtype)
        return sfu_op_shape_error(error, "half_gate", "x is %d x %d x %d x %d, y is %d x %d x %d x %d", x->n, x->h,
                                  x->w, x->c, y->n, y->h, y->w, y->c);
    if (act == SFU_ACT_PRELU || act == SFU_ACT_LEAKY_RELU)
        return sfu_op_shape_error(error, "half_gate", "activations with parameters are not possible");
    return SFU_RUN(x, "gate", "half_gate", (y->c + 15) / 16, (gint64)y->n * y->h * y->w, 1, 0, 3 * sfu_op_bytes(y),
                   error, SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(y->c), SFU_INT(act));
}
