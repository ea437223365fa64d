/* Attention against the softmax written out in double.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

typedef struct {
    const char *name;
    int n, kn, tq, tk, heads, dim;               /* kn: samples of k and v */
    gboolean causal, bias_one, bias_each, fused; /* fused: q, k and v are columns of one tensor */
    int extra;                                   /* columns more than needed in q, k and v, on the left */
    float scale;
    Kind kind;
    double spread; /* of the logits: q is multiplied by it */
    int group;     /* heads of q that share one of k and v; 0: 1 */
} Attention;

/* One head and query: o [dim], and mag = what bounds its rounding error: the weighted |v|, times how far the logits can
 * be off. */
static void reference(const Attention *a, const double *q, const double *k, int wk, const double *v, int wv,
                      const double *bias, int end, double scale, double *o, double *mag)
{
    double *p = g_new(double, end), top = -INFINITY, sum = 0, far = 0;
    for (int j = 0; j < end; j++) {
        double s = 0, m = 0;
        for (int d = 0; d < a->dim; d++) {
            s += q[d] * k[(gint64)j * wk + d];
            m += fabs(q[d] * k[(gint64)j * wk + d]);
        }
        p[j] = s * scale + (bias ? bias[j] : 0);
        top = MAX(top, p[j]);
        far = MAX(far, m * scale + (bias && isfinite(bias[j]) ? fabs(bias[j]) : 0));
    }
    for (int j = 0; j < end; j++)
        sum += p[j] = exp(p[j] - top);
    for (int d = 0; d < a->dim; d++) {
        o[d] = mag[d] = 0;
        for (int j = 0; j < end; j++) {
            o[d] += p[j] / sum * v[(gint64)j * wv + d];
            mag[d] += p[j] / sum * fabs(v[(gint64)j * wv + d]);
        }
        mag[d] *= 1 + 2 * far;
    }
    g_free(p);
}

static void attention(Check *c, gconstpointer row)
{
    const Attention *a = row;
    const int width = a->heads * a->dim, wide = a->fused ? 3 * width : width + a->extra;
    const int group = MAX(a->group, 1), kv_wide = a->fused ? wide : width / group + a->extra;
    In q = check_in(c, a->n, 1, a->tq, wide, NORMAL), k = q, v = q;
    if (!a->fused) {
        k = check_in(c, a->kn, 1, a->tk, kv_wide, NORMAL);
        v = check_in(c, a->kn, 1, a->tk, kv_wide, a->kind);
    }
    if (a->spread != 0) {
        for (gint64 i = 0; i < (gint64)a->n * a->tq * wide; i++)
            q.v[i] *= a->spread;
        q = check_in_values(c, a->n, 1, a->tq, wide, q.v);
    }
    SfuAttention s = {.n_heads = a->heads,
                      .head_dim = a->dim,
                      .scale = a->scale,
                      .causal = a->causal,
                      .n_kv_heads = a->group ? a->heads / a->group : 0,
                      .q_col = a->extra,
                      .k_col = a->extra,
                      .v_col = a->extra};
    if (a->fused) {
        s.k_col = width;
        s.v_col = 2 * width;
    }
    const int bias_n = a->bias_one ? 1 : a->n;
    In bias = {0};
    if (a->bias_one || a->bias_each) {
        bias = check_in_f32(c, bias_n, a->heads, a->tq, a->tk, NORMAL);
        float *masked = g_new(float, (gsize)bias_n * a->heads * a->tq * a->tk);
        for (gint64 i = 0; i < (gint64)bias_n * a->heads * a->tq * a->tk; i++) {
            if (i % 5 == 1 && i % a->tk) /* masks are -infinity; key 0 stays, a row that sees nothing has no softmax */
                bias.v[i] = -INFINITY;
            masked[i] = (float)bias.v[i];
        }
        CHECK_OK(sfu_tensor_write(bias.t, masked, ERR));
        g_free(masked);
        s.bias = bias.t;
    }
    const Out o = check_out(c, a->n, 1, a->tq, width);
    CHECK_OK(sfu_attention(c->q, o.t, q.t, k.t, v.t, &s, ERR));

    double *ref = check_zeros(c, (gint64)a->n * a->tq * width), *mag = check_zeros(c, (gint64)a->n * a->tq * width);
    const double scale = a->scale != 0 ? a->scale : 1 / sqrt(a->dim);
    for (gint64 b = 0; b < a->n; b++)
        for (int i = 0; i < a->tq; i++)
            for (int h = 0; h < a->heads; h++) {
                const gint64 kb = a->kn == 1 ? 0 : b, at = (b * a->tq + i) * width + h * a->dim;
                reference(a, q.v + (b * a->tq + i) * wide + s.q_col + h * a->dim,
                          k.v + kb * a->tk * kv_wide + s.k_col + h / group * a->dim, kv_wide,
                          v.v + kb * a->tk * kv_wide + s.v_col + h / group * a->dim, kv_wide,
                          bias.v ? bias.v + ((b % bias_n * a->heads + h) * a->tq + i) * a->tk : NULL,
                          a->causal ? MIN(a->tk, i + 1) : a->tk, scale, ref + at, mag + at);
            }
    /* Logits are sums of `dim` products, the result a sum of tk: both off by about the root of their length; exp may be
     * off by 3 ulp. Matrix units take probabilities in fp16. */
    check_close(c, &o, ref, mag, c->mode->unit * (8 + sqrt(a->tk) + sqrt(a->dim)) + (check_matrix(c) ? 0x1p-11 : 0));
}

static const Attention rows[] = {
    {"one", 1, 1, 1, 1, 1, 1},
    {"odd", 2, 2, 5, 7, 3, 9},
    {"dim8", 1, 1, 12, 64, 2, 8},
    {"dim16", 1, 1, 6, 65, 2, 16},
    {"dim20", 1, 1, 7, 63, 2, 20},
    {"dim40", 2, 2, 70, 130, 4, 40},
    {"dim64", 2, 2, 33, 77, 5, 64},
    {"dim80", 1, 1, 64, 64, 2, 80},
    {"dim88", 1, 1, 50, 50, 2, 88},
    {"dim128", 1, 1, 20, 77, 2, 128},
    {"dim160", 2, 2, 16, 100, 2, 160},
    {"dim512", 1, 1, 40, 90, 1, 512},
    {"dim516", 1, 1, 33, 70, 1, 516}, /* GPUs: one query an item */
    {"large", 1, 1, 300, 1100, 2, 40},
    {"cross", 2, 2, 100, 77, 4, 40},
    /* Up to 80 keys fit one block, which has a kernel of its own; 81 do not, nor do masks. Queries go by 24 or 48
       there. */
    {"keys1", 2, 2, 7, 1, 2, 40},
    {"keys16", 1, 1, 49, 16, 3, 40},
    {"keys33-dim9", 1, 1, 27, 33, 2, 9},
    {"keys77-dim40", 2, 2, 97, 77, 3, 40},
    {"keys77-dim64", 1, 1, 61, 77, 2, 64},
    {"keys77-dim80", 2, 1, 35, 77, 2, 80},
    {"keys77-dim160", 2, 2, 27, 77, 2, 160},
    {"keys77-many-heads", 2, 2, 5, 77, 21, 64}, /* more than half a second-level cache of keys and values */
    {"keys77-columns", 2, 2, 31, 77, 2, 40, .extra = 5},
    {"keys77-bias", 2, 2, 31, 77, 2, 40, .bias_one = TRUE},
    {"keys77-shifted", 1, 1, 20, 77, 2, 40, .kind = SHIFTED},
    {"keys77-extreme", 1, 1, 20, 77, 2, 40, .kind = EXTREME},
    {"keys77-steep", 1, 1, 20, 77, 2, 40, .spread = 300},
    {"keys80", 1, 1, 51, 80, 2, 40},
    {"keys81", 1, 1, 51, 81, 2, 40},
    {"keys154", 1, 1, 29, 154, 2, 40}, /* two chunks of a prompt */
    {"keys231", 1, 1, 29, 231, 2, 40},
    {"causal", 2, 2, 77, 77, 2, 64, .causal = TRUE},
    {"causal-long", 1, 1, 150, 150, 1, 16, .causal = TRUE},
    {"causal-short", 1, 1, 9, 5, 1, 16, .causal = TRUE},
    {"shared-keys", 3, 1, 20, 30, 2, 24},
    {"fused", 2, 2, 40, 40, 2, 24, .fused = TRUE},
    {"columns", 1, 1, 20, 30, 2, 24, .extra = 5},
    {"bias", 2, 2, 20, 70, 2, 24, .bias_one = TRUE},
    {"bias-each", 2, 2, 20, 70, 2, 24, .bias_each = TRUE},
    {"bias-causal", 2, 2, 70, 70, 1, 8, .bias_one = TRUE, .causal = TRUE},
    {"scale", 1, 1, 20, 30, 2, 24, .scale = 0.7f},
    {"grouped", 2, 2, 40, 50, 6, 24, .group = 3},
    {"grouped-keys77", 2, 2, 31, 77, 4, 40, .group = 2, .extra = 5},
    {"grouped-one", 1, 1, 30, 100, 4, 64, .group = 4, .extra = 8},
    {"grouped-causal", 1, 1, 70, 70, 8, 16, .group = 4, .causal = TRUE},
    {"grouped-dim128", 1, 1, 20, 77, 4, 128, .group = 4, .causal = TRUE},
    {"grouped-padding", 1, 1, 70, 33, 4, 32, .group = 2, .causal = TRUE}, /* the last keys are padding */
    {"grouped-bias", 2, 2, 20, 70, 4, 24, .group = 2, .bias_each = TRUE},
    {"shifted", 1, 1, 20, 130, 2, 24, .kind = SHIFTED},
    {"extreme", 1, 1, 20, 130, 2, 24, .kind = EXTREME},
    {"steep", 1, 1, 20, 130, 2, 24, .spread = 300}, /* logits of several hundred: exp overflows without the maximum */
};

void add_attention(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Attention *a = &rows[i];
        check_add("attention", a->name, 2.0 * a->n * a->tq * a->tk * a->heads * a->dim, attention, a);
    }
}
