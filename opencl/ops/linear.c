/* The product with a learned matrix: a 1x1 convolution.
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
