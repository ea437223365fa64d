/* Attention between channels.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

typedef struct {
    const char *name;
    int n, h, w, heads, dim, extra; /* channels beside queries, keys and values */
    Kind kind;
} Channels;

static void channel_attention(Check *c, gconstpointer row)
{
    const Channels *p = row;
    const int f = p->heads * p->dim, wide = 3 * f + p->extra, pixels = p->h * p->w, d = p->dim;
    const In x = check_in(c, p->n, p->h, p->w, wide, p->kind);
    const Weight temperature = check_weight(c, SFU_F32, p->heads, 1, 1, 0);
    const Out o = check_out(c, p->n, p->h, p->w, f);
    const gint64 total = (gint64)p->n * pixels * f;
    double *ref = check_zeros(c, total), *mag = check_zeros(c, total), *map = check_zeros(c, d);
    for (int b = 0; b < p->n; b++)
        for (int row_of = 0; row_of < f; row_of++) {
            const int head = row_of / d;
            const double *v = x.v + (gint64)b * pixels * wide;
            double q2 = 0, sum = 0, most = -INFINITY;
            for (int t = 0; t < pixels; t++)
                q2 += v[t * wide + row_of] * v[t * wide + row_of];
            for (int j = 0; j < d; j++) {
                double s = 0, k2 = 0;
                for (int t = 0; t < pixels; t++) {
                    const double k = v[t * wide + f + head * d + j];
                    s += v[t * wide + row_of] * k;
                    k2 += k * k;
                }
                map[j] = s / MAX(sqrt(q2), 1e-12) / MAX(sqrt(k2), 1e-12) * temperature.v[head];
                most = MAX(most, map[j]);
            }
            for (int j = 0; j < d; j++)
                sum += map[j] = exp(map[j] - most);
            for (int t = 0; t < pixels; t++)
                for (int j = 0; j < d; j++) {
                    const double part = map[j] / sum * v[t * wide + 2 * f + head * d + j];
                    ref[((gint64)b * pixels + t) * f + row_of] += part;
                    mag[((gint64)b * pixels + t) * f + row_of] += fabs(part);
                }
        }
    const SfuAttention a = {.n_heads = p->heads, .head_dim = d, .k_col = f, .v_col = 2 * f};
    CHECK_OK(sfu_channel_attention(c->q, o.t, x.t, temperature.w, &a, ERR));
    /* Products are cosines of up to 1 times a temperature of up to 2, whose sums over chunks of 256 pixels may be off
     * by 256 units at the worst and by sqrt(256) of them as a rule; and so are the softmax's logits. */
    check_close(c, &o, ref, mag, (200 + d) * 0x1p-24);
}

static const Channels cases[] = {
    {"one", 1, 1, 1, 1, 1},       {"odd", 2, 3, 5, 2, 7, 3},   {"window", 6, 1, 64, 4, 16},
    {"thirty", 1, 20, 31, 2, 30}, {"wide", 1, 6, 7, 1, 70, 1}, {"shifted", 1, 9, 9, 2, 12, 0, SHIFTED},
};

void add_channel_attention(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        check_add("channel_attention", cases[i].name,
                  2.0 * cases[i].n * cases[i].h * cases[i].w * cases[i].heads * cases[i].dim * cases[i].dim,
                  channel_attention, &cases[i]);
}
