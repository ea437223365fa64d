/* The geometry that convolution and linear share.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_OPS_CONV_H
#define SFU_OPS_CONV_H

#include "ops/ops.h"

typedef struct {
    const char *op; /* for messages */
    int kh, kw, stride, pad_top, pad_left;
    gboolean upsample2, circular;
    int groups; /* >= 1 */
} SfuConvGeometry;

gboolean sfu_conv_run(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuConvGeometry *g, const SfuEpilogue *e,
                      GError **error);

#endif
