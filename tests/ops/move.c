/* Ops that only move values: every result is exact.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

#define AT(v, t, b, y, x, ch) (v)[((((gint64)(b)) * (t)->h + (y)) * (t)->w + (x)) * (t)->c + (ch)]
/* Every element of `t` in order, as b, i, j, ch. */
#define EACH(t)                                                                                                        \
    for (int b = 0; b < (t)->n; b++)                                                                                   \
        for (int i = 0; i < (t)->h; i++)                                                                               \
            for (int j = 0; j < (t)->w; j++)                                                                           \
                for (int ch = 0; ch < (t)->c; ch++)

static void concat_slice(Check *c, gconstpointer row)
{
    static const int sizes[][3] = {{1, 1, 1}, {4, 1, 4}, {7, 33, 16}, {320, 17, 64}};
    for (guint s = 0; s < G_N_ELEMENTS(sizes); s++) {
        In parts[3];
        const SfuTensor *list[3];
        int all = 0;
        for (int p = 0; p < 3; all += sizes[s][p++]) {
            parts[p] = check_in(c, 2, 3, 5, sizes[s][p], NORMAL);
            list[p] = parts[p].t;
        }
        const Out y = check_out(c, 2, 3, 5, all);
        CHECK_OK(sfu_concat(c->q, y.t, list, 3, ERR));
        double *ref = check_zeros(c, sfu_tensor_elements(y.t));
        int first = 0;
        for (int p = 0; p < 3; first += sizes[s][p++])
            EACH(parts[p].t) AT(ref, y.t, b, i, j, first + ch) = AT(parts[p].v, parts[p].t, b, i, j, ch);
        check_same(c, &y, ref);
        first = 0;
        for (int p = 0; p < 3; first += sizes[s][p++]) {
            const Out back = check_out(c, 2, 3, 5, sizes[s][p]);
            CHECK_OK(sfu_slice(c->q, back.t, y.t, first, ERR));
            check_same(c, &back, parts[p].v);
            /* The part again in its place, and in a place that is not its own, where only its channels change. */
            CHECK_OK(sfu_copy_channels(c->q, y.t, first, parts[p].t, ERR));
            check_same(c, &y, ref);
            const int other = all - sizes[s][p] - first / 2;
            CHECK_OK(sfu_copy_channels(c->q, y.t, other, parts[p].t, ERR));
            EACH(parts[p].t) AT(ref, y.t, b, i, j, other + ch) = AT(parts[p].v, parts[p].t, b, i, j, ch);
            check_same(c, &y, ref);
            for (int k = 0, at = 0; k < 3; at += sizes[s][k++]) {
                CHECK_OK(sfu_copy_channels(c->q, y.t, at, parts[k].t, ERR));
                EACH(parts[k].t) AT(ref, y.t, b, i, j, at + ch) = AT(parts[k].v, parts[k].t, b, i, j, ch);
            }
        }
    }
}

typedef struct {
    const char *name;
    int h, w, c, oh, ow, top, left;
} Pad;

static int source(int i, int n, SfuPad mode)
{
    if (i >= 0 && i < n)
        return i;
    switch (mode) {
    case SFU_PAD_EDGE:
        return i < 0 ? 0 : n - 1;
    case SFU_PAD_WRAP:
        return (i + 100 * n) % n;
    case SFU_PAD_REFLECT:
        while (n > 1 && (i < 0 || i >= n))
            i = i < 0 ? -i : 2 * (n - 1) - i;
        return n > 1 ? i : 0;
    default:
        return -1;
    }
}

static void pad(Check *c, gconstpointer row)
{
    const Pad *p = row;
    for (SfuPad mode = SFU_PAD_ZERO; mode <= SFU_PAD_WRAP; mode++) {
        const In x = check_in(c, 2, p->h, p->w, p->c, NORMAL);
        const Out y = check_out(c, 2, p->oh, p->ow, p->c);
        CHECK_OK(sfu_pad(c->q, y.t, x.t, p->top, p->left, mode, ERR));
        double *ref = check_zeros(c, sfu_tensor_elements(y.t));
        EACH(y.t)
        {
            const int sy = source(i - p->top, p->h, mode), sx = source(j - p->left, p->w, mode);
            AT(ref, y.t, b, i, j, ch) = sy < 0 || sx < 0 ? 0 : AT(x.v, x.t, b, sy, sx, ch);
        }
        check_same(c, &y, ref);
    }
}

static void upsample(Check *c, gconstpointer row)
{
    static const int cases[][5] = {
        {1, 1, 1, 1, 1}, {3, 5, 7, 2, 2}, {4, 3, 20, 1, 3}, {5, 6, 64, 2, 2}, {2, 2, 3, 8, 8}};
    for (guint s = 0; s < G_N_ELEMENTS(cases); s++) {
        const int *k = cases[s];
        const In x = check_in(c, 2, k[0], k[1], k[2], NORMAL);
        const Out y = check_out(c, 2, k[0] * k[3], k[1] * k[4], k[2]);
        CHECK_OK(sfu_upsample_nearest(c->q, y.t, x.t, ERR));
        double *ref = check_zeros(c, sfu_tensor_elements(y.t));
        EACH(y.t) AT(ref, y.t, b, i, j, ch) = AT(x.v, x.t, b, i / k[3], j / k[4], ch);
        check_same(c, &y, ref);
    }
}

static void shuffle(Check *c, gconstpointer row)
{
    static const int cases[][4] = {
        {1, 1, 1, 1}, {3, 2, 3, 2}, {2, 5, 4, 3}, {5, 4, 3, 4}, {4, 4, 16, 2}}; /* h, w, c, r of the small one: c*r*r */
    for (guint s = 0; s < G_N_ELEMENTS(cases); s++) {
        const int h = cases[s][0], w = cases[s][1], k = cases[s][2], r = cases[s][3];
        const In x = check_in(c, 2, h, w, k * r * r, NORMAL);
        const Out y = check_out(c, 2, h * r, w * r, k), back = check_out(c, 2, h, w, k * r * r);
        CHECK_OK(sfu_pixel_shuffle(c->q, y.t, x.t, r, ERR));
        double *ref = check_zeros(c, sfu_tensor_elements(y.t));
        EACH(y.t) AT(ref, y.t, b, i, j, ch) = AT(x.v, x.t, b, i / r, j / r, ch * r * r + i % r * r + j % r);
        check_same(c, &y, ref);
        CHECK_OK(sfu_pixel_unshuffle(c->q, back.t, y.t, r, ERR));
        check_same(c, &back, x.v);
    }
}

static void permute(Check *c, gconstpointer row)
{
    static const struct {
        int n, dims[6], perm[6];
    } cases[] = {
        {1, {5}, {0}},
        {2, {3, 4}, {1, 0}},
        {3, {2, 3, 4}, {2, 0, 1}},
        {4, {2, 3, 4, 5}, {0, 3, 1, 2}},
        {4, {1, 8, 8, 33}, {0, 3, 1, 2}},
        {5, {2, 3, 2, 3, 4}, {4, 2, 0, 3, 1}},
        {5, {2, 3, 2, 3, 20}, {0, 2, 1, 3, 4}},
        {4, {3, 2, 4, 33}, {1, 0, 2, 3}},
        {6, {2, 3, 2, 5, 3, 4}, {0, 2, 4, 1, 3, 5}},
        {6, {2, 3, 4, 5, 2, 3}, {5, 4, 3, 2, 1, 0}},
    };
    for (guint s = 0; s < G_N_ELEMENTS(cases); s++) {
        const int n = cases[s].n, *dims = cases[s].dims, *perm = cases[s].perm;
        int total = 1, d[6], index[6] = {0};
        for (int i = 0; i < n; i++) {
            total *= dims[i];
            d[i] = dims[perm[i]];
        }
        const In x = check_in(c, 1, 1, 1, total, NORMAL);
        const Out y = check_out(c, 1, 1, total, 1);
        CHECK_OK(sfu_permute(c->q, y.t, x.t, n, dims, perm, ERR));
        double *ref = check_zeros(c, total);
        for (int i = 0; i < total; i++) {
            int from[6], at = 0;
            for (int k = n - 1, r = i; k >= 0; r /= d[k--])
                index[k] = r % d[k];
            for (int k = 0; k < n; k++)
                from[perm[k]] = index[k];
            for (int k = 0; k < n; k++)
                at = at * dims[k] + from[k];
            ref[i] = x.v[at];
        }
        check_same(c, &y, ref);
    }
}

static void roll(Check *c, gconstpointer row)
{
    static const int by[][2] = {{0, 0}, {1, 0}, {0, -1}, {-4, -4}, {3, 11}, {100, -57}};
    for (guint s = 0; s < G_N_ELEMENTS(by); s++) {
        const In x = check_in(c, 2, 7, 5, 19, NORMAL);
        const Out y = check_out(c, 2, 7, 5, 19);
        CHECK_OK(sfu_roll(c->q, y.t, x.t, by[s][0], by[s][1], ERR));
        double *ref = check_zeros(c, sfu_tensor_elements(y.t));
        EACH(y.t) AT(ref, y.t, b, (i + by[s][0] + 700) % 7, (j + by[s][1] + 500) % 5, ch) = AT(x.v, x.t, b, i, j, ch);
        check_same(c, &y, ref);
    }
}

static const Pad pads[] = {
    {"none", 3, 4, 5, 3, 4, 0, 0},          {"all-round", 3, 4, 5, 7, 9, 2, 3}, {"right-bottom", 6, 5, 33, 7, 6, 0, 0},
    {"far", 3, 2, 4, 20, 21, 8, 9},         {"one-pixel", 1, 1, 3, 5, 5, 2, 2}, {"cut", 9, 8, 20, 4, 3, -3, -2},
    {"cut-and-pad", 6, 6, 17, 6, 6, -2, 3},
};

void add_move(void)
{
    check_add("move", "concat-slice", 30000, concat_slice, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(pads); i++)
        check_add("pad", pads[i].name, 10000, pad, &pads[i]);
    check_add("move", "upsample-nearest", 20000, upsample, NULL);
    check_add("move", "pixel-shuffle", 20000, shuffle, NULL);
    check_add("move", "permute", 10000, permute, NULL);
    check_add("move", "roll", 10000, roll, NULL);
}
