/* Shapes that do not fit: each op says so with SHAPE, and writes nothing.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

#define REFUSED(call)                                                                                                  \
    G_STMT_START                                                                                                       \
    {                                                                                                                  \
        GError *error_ = NULL;                                                                                         \
        g_assert_false(call);                                                                                          \
        g_assert_error(error_, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE);                                            \
        g_error_free(error_);                                                                                          \
    }                                                                                                                  \
    G_STMT_END

static void products(Check *c, gconstpointer row)
{
    const SfuTensor *x = check_in(c, 2, 4, 4, 8, NORMAL).t, *other = check_in(c, 2, 4, 4, 7, NORMAL).t;
    SfuTensor *y = check_out(c, 2, 4, 4, 16).t, *small = check_out(c, 2, 3, 4, 16).t,
              *wrong = check_out(c, 2, 4, 4, 15).t;
    SfuWeight *w = check_weight(c, SFU_F32, 16, 8, 0, 0).w, *w3 = check_weight(c, SFU_F32, 16, 8, 3, 3).w,
              *b = check_weight(c, SFU_F32, 15, 0, 0, 0).w;
    REFUSED(sfu_linear(c->q, small, x, w, NULL, ERR));
    REFUSED(sfu_linear(c->q, wrong, x, w, NULL, ERR));
    REFUSED(sfu_linear(c->q, y, other, w, NULL, ERR));
    REFUSED(sfu_linear(c->q, y, x, w3, NULL, ERR));
    SfuEpilogue e = {.bias = b};
    REFUSED(sfu_linear(c->q, y, x, w, &e, ERR));
    e = (SfuEpilogue){.residual = small};
    REFUSED(sfu_linear(c->q, y, x, w, &e, ERR));
    e = (SfuEpilogue){.chan = x};
    REFUSED(sfu_linear(c->q, y, x, w, &e, ERR));
    e = (SfuEpilogue){.act = SFU_ACT_PRELU};
    REFUSED(sfu_linear(c->q, y, x, w, &e, ERR));
    e = (SfuEpilogue){.act = SFU_ACT_PRELU, .prelu = b};
    REFUSED(sfu_linear(c->q, y, x, w, &e, ERR));
    SfuTensor *half = check_out(c, 2, 4, 4, 8).t;
    e = (SfuEpilogue){.geglu = TRUE, .residual = half};
    REFUSED(sfu_linear(c->q, half, x, w, &e, ERR));
    e = (SfuEpilogue){.geglu = TRUE, .act = SFU_ACT_SILU};
    REFUSED(sfu_linear(c->q, half, x, w, &e, ERR));
    e = (SfuEpilogue){.geglu = TRUE};
    REFUSED(sfu_conv2d(c->q, half, x, w, NULL, &e, ERR));
    REFUSED(sfu_conv2d(c->q, y, x, w3, NULL, NULL, ERR)); /* without padding the output is 2 x 2 */
    const SfuTensor *tiny = check_in(c, 1, 1, 1, 8, NORMAL).t;
    SfuTensor *one = check_out(c, 1, 1, 1, 16).t;
    const SfuConv stride2 = {.stride = 2};
    REFUSED(sfu_conv2d(c->q, one, tiny, w3, &stride2, NULL, ERR)); /* a 3x3 kernel does not fit in one pixel */
    const SfuConv groups = {.groups = 3};
    REFUSED(sfu_conv2d(c->q, y, x, w, &groups, NULL, ERR));
}

static void modulated(Check *c, gconstpointer row)
{
    const SfuTensor *x = check_in(c, 2, 1, 6, 16, NORMAL).t, *mod = check_in(c, 2, 1, 1, 32, NORMAL).t,
                    *three = check_in(c, 3, 1, 1, 32, NORMAL).t, *table = check_in_f32(c, 1, 1, 6, 8, NORMAL).t,
                    *short_table = check_in_f32(c, 1, 1, 5, 8, NORMAL).t;
    SfuTensor *y = check_out(c, 2, 1, 6, 16).t;
    SfuWeight *w = check_weight(c, SFU_F32, 15, 0, 0, 0).w;
    const SfuModulation beyond = {mod, 0, 17}, samples = {three, 0, 16};
    REFUSED(sfu_layer_norm_modulated(c->q, y, x, &beyond, 1e-6f, ERR));
    REFUSED(sfu_layer_norm_modulated(c->q, y, x, &samples, 1e-6f, ERR));
    REFUSED(sfu_rms_norm(c->q, y, x, w, &(SfuRmsNorm){.eps = 1e-6f}, ERR));
    REFUSED(sfu_rms_norm(c->q, y, x, NULL, &(SfuRmsNorm){1, 2, 8, 1e-6f, NULL}, ERR));
    REFUSED(sfu_rms_norm(c->q, y, x, NULL, &(SfuRmsNorm){0, 2, 8, 1e-6f, &beyond}, ERR));
    REFUSED(sfu_gated_add(c->q, y, x, x, mod, 17, SFU_ACT_NONE, ERR));
    REFUSED(sfu_gated_add(c->q, y, x, x, three, 0, SFU_ACT_NONE, ERR));
    REFUSED(sfu_rope(c->q, y, short_table, &(SfuRope){0, 2, 8}, ERR));
    REFUSED(sfu_rope(c->q, y, table, &(SfuRope){1, 2, 8}, ERR));
    REFUSED(sfu_rope(c->q, y, table, &(SfuRope){0, 2, 7}, ERR));
    SfuAttention a = {.n_heads = 2, .head_dim = 8, .n_kv_heads = 3};
    REFUSED(sfu_attention(c->q, y, x, x, x, &a, ERR));
    a = (SfuAttention){.n_heads = 2, .head_dim = 8, .n_kv_heads = 1, .k_col = 9};
    REFUSED(sfu_attention(c->q, y, x, x, x, &a, ERR));
}

static void attention(Check *c, gconstpointer row)
{
    const SfuTensor *q = check_in(c, 2, 1, 6, 16, NORMAL).t, *k = check_in(c, 2, 1, 9, 16, NORMAL).t,
                    *v = check_in(c, 2, 1, 8, 16, NORMAL).t;
    const SfuTensor *three = check_in(c, 3, 1, 9, 16, NORMAL).t, *bias = check_in_f32(c, 1, 2, 6, 8, NORMAL).t;
    SfuTensor *o = check_out(c, 2, 1, 6, 16).t, *narrow = check_out(c, 2, 1, 6, 8).t;
    SfuAttention a = {.n_heads = 2, .head_dim = 8};
    REFUSED(sfu_attention(c->q, o, q, k, v, &a, ERR));
    REFUSED(sfu_attention(c->q, narrow, q, k, k, &a, ERR));
    REFUSED(sfu_attention(c->q, o, q, three, three, &a, ERR));
    a.bias = bias;
    REFUSED(sfu_attention(c->q, o, q, k, k, &a, ERR));
    a = (SfuAttention){.n_heads = 2, .head_dim = 8, .k_col = 1};
    REFUSED(sfu_attention(c->q, o, q, k, k, &a, ERR));
    a = (SfuAttention){.n_heads = 0, .head_dim = 8};
    REFUSED(sfu_attention(c->q, o, q, k, k, &a, ERR));
}

static void others(Check *c, gconstpointer row)
{
    const SfuTensor *x = check_in(c, 2, 4, 4, 8, NORMAL).t, *z = check_in(c, 2, 4, 1, 8, NORMAL).t;
    SfuTensor *y = check_out(c, 2, 4, 4, 9).t, *same = check_out(c, 2, 4, 4, 8).t,
              *stats = check_out_f32(c, 2, 1, 3, 2).t;
    SfuTensor *other = sfu_queue_act_dtype(c->q) == SFU_F32 ? NULL : check_out_f32(c, 2, 4, 4, 8).t;
    SfuWeight *w8 = check_weight(c, SFU_F32, 8, 0, 0, 0).w, *w9 = check_weight(c, SFU_F32, 9, 0, 0, 0).w;
    SfuWeight *table8 = check_weight(c, SFU_F32, 8, 8, 0, 0).w;
    REFUSED(sfu_group_norm(c->q, y, x, w8, w8, 4, 1e-5f, SFU_ACT_NONE, ERR));
    REFUSED(sfu_group_norm(c->q, same, x, w9, w8, 4, 1e-5f, SFU_ACT_NONE, ERR));
    REFUSED(sfu_group_norm(c->q, same, x, w8, w8, 3, 1e-5f, SFU_ACT_NONE, ERR));
    REFUSED(sfu_group_norm(c->q, same, x, w8, w8, 0, 1e-5f, SFU_ACT_NONE, ERR));
    REFUSED(sfu_group_norm(c->q, same, x, w8, w8, 4, 1e-5f, SFU_ACT_GELU, ERR));
    REFUSED(sfu_group_norm_apply(c->q, same, x, stats, w8, w8, SFU_ACT_NONE, ERR));
    SfuTensor *m8 = check_out_f32(c, 2, 1, 3, 8).t, *m9 = check_out_f32(c, 2, 1, 3, 9).t,
              *parts = check_out_f32(c, 2, 2, 3, 8).t;
    REFUSED(sfu_moments(c->q, m9, x, ERR));
    REFUSED(sfu_moments(c->q, parts, x, ERR));
    REFUSED(sfu_moments_join(c->q, m9, parts, ERR));
    REFUSED(sfu_moments_join(c->q, m8, x, ERR));
    REFUSED(sfu_group_norm_stats_from(c->q, stats, m8, 3, 1e-5f, ERR));
    REFUSED(sfu_group_norm_stats_from(c->q, stats, parts, 3, 1e-5f, ERR));
    REFUSED(sfu_linear(c->q, same, x, table8, &(SfuEpilogue){.moments = m9}, ERR));
    REFUSED(sfu_layer_norm(c->q, y, x, w8, w8, 1e-5f, ERR));
    REFUSED(sfu_layer_norm(c->q, same, x, w9, NULL, 1e-5f, ERR));
    REFUSED(sfu_softmax(c->q, y, x, ERR));
    REFUSED(sfu_unary(c->q, y, x, SFU_ACT_SILU, 0, ERR));
    REFUSED(sfu_unary(c->q, same, x, SFU_ACT_PRELU, 0, ERR));
    REFUSED(sfu_axpby(c->q, y, 1, x, 1, x, ERR));
    REFUSED(sfu_axpby(c->q, same, 1, x, 1, z, ERR));
    REFUSED(sfu_mul(c->q, same, x, z, ERR));
    REFUSED(sfu_scale_channels(c->q, same, x, w9, NULL, ERR));
    REFUSED(sfu_mean_hw(c->q, y, x, ERR));
    REFUSED(sfu_convert(c->q, y, x, ERR));
    REFUSED(sfu_concat(c->q, y, &x, 1, ERR));
    REFUSED(sfu_copy_channels(c->q, y, y->c, x, ERR));
    REFUSED(sfu_concat(c->q, same, &z, 1, ERR));
    REFUSED(sfu_slice(c->q, same, x, 1, ERR));
    REFUSED(sfu_slice(c->q, same, x, -1, ERR));
    REFUSED(sfu_pad(c->q, y, x, 0, 0, SFU_PAD_ZERO, ERR));
    REFUSED(sfu_upsample_nearest(c->q, y, x, ERR));
    REFUSED(sfu_pixel_shuffle(c->q, same, x, 2, ERR));
    REFUSED(sfu_pixel_unshuffle(c->q, same, x, 0, ERR));
    REFUSED(sfu_permute(c->q, same, x, 2, (const int[]){16, 16}, (const int[]){0, 0}, ERR));
    REFUSED(sfu_permute(c->q, same, x, 2, (const int[]){16, 15}, (const int[]){0, 1}, ERR));
    REFUSED(
        sfu_permute(c->q, same, x, 7, (const int[]){16, 16, 1, 1, 1, 1, 1}, (const int[]){0, 1, 2, 3, 4, 5, 6}, ERR));
    REFUSED(sfu_roll(c->q, y, x, 1, 1, ERR));
    if (other) { /* two kinds of storage in one op */
        REFUSED(sfu_unary(c->q, other, x, SFU_ACT_SILU, 0, ERR));
        REFUSED(sfu_axpby(c->q, same, 1, x, 1, other, ERR));
        REFUSED(sfu_layer_norm(c->q, other, x, NULL, NULL, 1e-5f, ERR));
        REFUSED(sfu_slice(c->q, other, x, 0, ERR));
        REFUSED(sfu_pad(c->q, other, x, 0, 0, SFU_PAD_ZERO, ERR));
        REFUSED(sfu_roll(c->q, other, x, 0, 0, ERR));
    }
}

void add_errors(void)
{
    check_add("errors", "products", 0, products, NULL);
    check_add("errors", "attention", 0, attention, NULL);
    check_add("errors", "modulated", 0, modulated, NULL);
    check_add("errors", "others", 0, others, NULL);
}
