/* Products: with a learned matrix (a 1x1 convolution), and of activations with each other.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv.h"
#include "ops/util.h"

gboolean sfu_linear(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuEpilogue *e, GError **error)
{
    static const SfuConvGeometry g = {.op = "linear", .kh = 1, .kw = 1, .stride = 1, .groups = 1};
    if (y->h != x->h || y->w != x->w)
        return sfu_op_shape_error(error, "linear", "%d x %d rows in, %d x %d out", x->h, x->w, y->h, y->w);
    return sfu_conv_run(q, y, x, w, &g, e, error);
}

gboolean sfu_matmul(SfuQueue *q, SfuTensor *y, const SfuTensor *a, const SfuTensor *b, gboolean trans_b, float alpha, GError **error)
{
    const int m = a->w, k = a->c, p = trans_b ? b->w : b->c;
    if (a->n != b->n || a->h != b->h || y->n != a->n || y->h != a->h || (trans_b ? b->c : b->w) != k || y->w != m || y->c != p ||
        a->dtype != b->dtype || a->dtype != y->dtype)
        return sfu_op_shape_error(error, "matmul", "[%d,%d] by [%d,%d]%s into [%d,%d]", m, k, b->w, b->c, trans_b ? "^T" : "", y->w, y->c);
    gboolean clblast;
    if (!sfu_blas_matmul(q, y, a, b, trans_b, alpha, &clblast, error))
        return FALSE;
    if (clblast)
        return TRUE;
    return SFU_RUN(y, "linear", "matmul", p, m, (gint64)y->n * y->h, 2.0 * y->n * y->h * m * k * p,
                   sfu_op_bytes(a) + sfu_op_bytes(b) + sfu_op_bytes(y), error, SFU_TENSOR(y), SFU_TENSOR(a), SFU_TENSOR(b), SFU_INT(m), SFU_INT(k),
                   SFU_INT(p), SFU_INT(trans_b), SFU_FLOAT(alpha));
}
