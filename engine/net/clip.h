/* The transformer that CLIP's two encoders have in common: pre-norm layers of self-attention and two products.
 * Radford 2021, section 2.4. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_CLIP_H
#define SFU_NET_CLIP_H

#include "net/parts.h"

typedef struct {
    int hidden, heads, intermediate;
    gboolean quick_gelu; /* else exact GELU */
    gboolean causal;
    float eps;
} SfuClipShape;

typedef struct {
    char name[72];
    SfuLayer norm1, norm2, out, fc1, fc2;
    SfuWeight *qkv, *qkv_bias;
} SfuClipLayer;

/* Layers "<prefix>.0" to "<prefix>.<n - 1>". Caller frees with g_free(). */
SfuClipLayer *sfu_clip_layers_bind(SfuNet *net, const char *prefix, int n, const SfuClipShape *shape);
/* h [n, 1, t, hidden] += attention(norm1(h)); h += fc2(gelu(fc1(norm2(h)))). t is scratch, shaped like h. */
gboolean sfu_clip_layer_run(const SfuNet *net, const SfuClipLayer *l, const SfuClipShape *shape, SfuTensor *h,
                            SfuTensor *t, GError **error);

/* The last matrix, which makes one vector of a whole text or picture; on the host. `inputs_first`: [in, out], as
 * OpenCLIP multiplies from the left, else [out, in]. */
typedef struct {
    SfuWeight *w; /* NULL: there is none */
    gboolean inputs_first;
} SfuClipProjection;
SfuClipProjection sfu_clip_projection_bind(SfuNet *net, const char *name, int out, int in);
/* y [n, out] = W x, x [n, in] with `stride` values from one row to the next. */
void sfu_clip_project(const SfuClipProjection *p, const float *x, gsize stride, int n, int in, int out, float *y);

#endif
