/* Attention between channels: products over pixels, a softmax over d x d, and the mix.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"

#define MOST_DIM 128     /* a row of it lies in private memory */
#define LEAST_PIXELS 256 /* summed by one item */
#define MOST_CHUNKS 256

gboolean sfu_channel_attention(SfuQueue *q, SfuTensor *o, const SfuTensor *x, SfuWeight *temperature,
                               const SfuAttention *a, GError **error)
{
    const int d = a->head_dim, c = a->n_heads * d, pixels = x->h * x->w, vecs = (d + 15) / 16, pitch = vecs * 16;
    const int len = MAX(LEAST_PIXELS, (pixels + MOST_CHUNKS - 1) / MOST_CHUNKS), chunks = (pixels + len - 1) / len;
    const SfuTensor *t;
    if (o->n != x->n || o->h != x->h || o->w != x->w || o->c != c || o->dtype != x->dtype || a->n_heads < 1 || d < 1 ||
        d > MOST_DIM || MIN(MIN(a->q_col, a->k_col), a->v_col) < 0 ||
        MAX(MAX(a->q_col, a->k_col), a->v_col) + c > x->c || a->causal || a->bias || a->scale != 0)
        return sfu_op_shape_error(error, "channel_attention", "%d heads of %d (at most %d) of %d channels, for %d",
                                  a->n_heads, d, MOST_DIM, x->c, o->c);
    if (sfu_weight_elements(temperature) != a->n_heads)
        return sfu_op_shape_error(error, "channel_attention", "%s has %" G_GINT64_FORMAT " values for %d heads",
                                  sfu_weight_name(temperature), sfu_weight_elements(temperature), a->n_heads);
    char options[64];
    g_snprintf(options, sizeof options, "%s -DVECS=%d", x->dtype == SFU_F16 ? "-DACT_F16" : "", vecs);
    SfuTensor *part = sfu_tensor_create(q, SFU_F32, x->n, chunks, c, pitch + 2, error);
    SfuTensor *map = part ? sfu_tensor_create(q, SFU_F32, x->n, a->n_heads, d, pitch, error) : NULL;
    gboolean ok = map && (t = sfu_weight_f32(q, temperature, error));
    if (ok) {
        const double flops = 2.0 * x->n * pixels * c * d;
        const SfuLaunch products = {.program = "channel_attention",
                                    .kernel = "channel_products",
                                    .options = options,
                                    .global = {(size_t)c, (size_t)chunks, (size_t)x->n},
                                    .flops = flops,
                                    .bytes = sfu_op_bytes(x)};
        const SfuArg product_args[] = {SFU_TENSOR(part), SFU_TENSOR(x), SFU_INT(pixels),   SFU_INT(len),
                                       SFU_INT(x->c),    SFU_INT(d),    SFU_INT(a->q_col), SFU_INT(a->k_col)};
        const SfuLaunch softmax = {.program = "channel_attention",
                                   .kernel = "channel_softmax",
                                   .options = options,
                                   .global = {(size_t)c, (size_t)x->n, 1},
                                   .bytes = sfu_op_bytes(part)};
        const SfuArg softmax_args[] = {SFU_TENSOR(map), SFU_TENSOR(part), SFU_TENSOR(t), SFU_INT(chunks), SFU_INT(d)};
        const SfuLaunch apply = {.program = "channel_attention",
                                 .kernel = "channel_apply",
                                 .options = options,
                                 .global = {(size_t)(a->n_heads * vecs), (size_t)((pixels + 7) / 8), (size_t)x->n},
                                 .flops = flops,
                                 .bytes = sfu_op_bytes(x) + sfu_op_bytes(o)};
        const SfuArg apply_args[] = {SFU_TENSOR(o), SFU_TENSOR(map), SFU_TENSOR(x),       SFU_INT(pixels),
                                     SFU_INT(x->c), SFU_INT(d),      SFU_INT(a->n_heads), SFU_INT(a->v_col)};
        ok = sfu_launch(q, &products, product_args, G_N_ELEMENTS(product_args), error) &&
             sfu_launch(q, &softmax, softmax_args, G_N_ELEMENTS(softmax_args), error) &&
             sfu_launch(q, &apply, apply_args, G_N_ELEMENTS(apply_args), error);
    }
    sfu_tensor_destroy(part);
    sfu_tensor_destroy(map);
    return ok;
}
