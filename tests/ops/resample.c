/* Pooling, bilinear interpolation and dynamic upsampling.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

typedef struct {
    const char *name;
    int n, h, w, c, a, b; /* pooling: size and stride; bilinear: height and width; dysample: factor and groups */
    Kind kind;
} Resample;

static gint64 at(int h, int w, int c, int b, int y, int x, int ch)
{
    return (((gint64)b * h + y) * w + x) * c + ch;
}

static void max_pool(Check *c, gconstpointer row)
{
    const Resample *p = row;
    const int oh = (p->h - p->a) / p->b + 1, ow = (p->w - p->a) / p->b + 1;
    const In x = check_in(c, p->n, p->h, p->w, p->c, p->kind);
    const Out y = check_out(c, p->n, oh, ow, p->c);
    double *ref = check_zeros(c, (gint64)p->n * oh * ow * p->c);
    for (int b = 0; b < p->n; b++)
        for (int i = 0; i < oh; i++)
            for (int j = 0; j < ow; j++)
                for (int ch = 0; ch < p->c; ch++) {
                    double most = -INFINITY;
                    for (int k = 0; k < p->a * p->a; k++)
                        most = MAX(most, x.v[at(p->h, p->w, p->c, b, i * p->b + k / p->a, j * p->b + k % p->a, ch)]);
                    ref[at(oh, ow, p->c, b, i, j, ch)] = most;
                }
    CHECK_OK(sfu_max_pool(c->q, y.t, x.t, p->a, p->b, ERR));
    check_same(c, &y, ref);
}

/* The value of a channel between pixels, the edge repeated; *mag of what is added up. */
static double between(const double *v, int h, int w, int c, int b, double y, double x, int ch, double *mag)
{
    y = CLAMP(y, 0, h - 1);
    x = CLAMP(x, 0, w - 1);
    const int y0 = MIN((int)y, h - 1), x0 = MIN((int)x, w - 1), y1 = MIN(y0 + 1, h - 1), x1 = MIN(x0 + 1, w - 1);
    const double fy = y - y0, fx = x - x0, a = v[at(h, w, c, b, y0, x0, ch)], r = v[at(h, w, c, b, y0, x1, ch)],
                 d = v[at(h, w, c, b, y1, x0, ch)], e = v[at(h, w, c, b, y1, x1, ch)];
    *mag += fabs(a) + fabs(r) + fabs(d) + fabs(e);
    return (a * (1 - fx) + r * fx) * (1 - fy) + (d * (1 - fx) + e * fx) * fy;
}

static void resize_bilinear(Check *c, gconstpointer row)
{
    const Resample *p = row;
    const In x = check_in(c, p->n, p->h, p->w, p->c, p->kind);
    const Out y = check_out(c, p->n, p->a, p->b, p->c);
    const gint64 n = (gint64)p->n * p->a * p->b * p->c;
    double *ref = check_zeros(c, n), *mag = check_zeros(c, n);
    for (int b = 0; b < p->n; b++)
        for (int i = 0; i < p->a; i++)
            for (int j = 0; j < p->b; j++)
                for (int ch = 0; ch < p->c; ch++) {
                    const gint64 o = at(p->a, p->b, p->c, b, i, j, ch);
                    ref[o] = between(x.v, p->h, p->w, p->c, b, (i + 0.5) * p->h / p->a - 0.5,
                                     (j + 0.5) * p->w / p->b - 0.5, ch, &mag[o]);
                }
    CHECK_OK(sfu_resize_bilinear(c->q, y.t, x.t, ERR));
    /* A place is off by some units of the side's length: so are the two weights of each direction. */
    check_close(c, &y, ref, mag, (4.0 * MAX(p->h, p->w) + 6) * 0x1p-24);
}

static void dysample(Check *c, gconstpointer row)
{
    const Resample *p = row;
    const int f = p->a, g = p->b, places = f * f, per = 2 * g * places, oh = p->h * f, ow = p->w * f;
    const In x = check_in(c, p->n, p->h, p->w, g * p->c, p->kind), offset = check_in(c, p->n, p->h, p->w, per, NORMAL),
             scope = check_in(c, p->n, p->h, p->w, per, NORMAL);
    const Weight start = check_weight(c, SFU_F16, 1, per, 1, 1), bias = check_weight(c, SFU_F32, p->c, 0, 0, 0);
    const Out y = check_out(c, p->n, oh, ow, p->c);
    const gint64 n = (gint64)p->n * oh * ow * p->c;
    double *ref = check_zeros(c, n), *mag = check_zeros(c, n);
    for (int b = 0; b < p->n; b++)
        for (int i = 0; i < oh; i++)
            for (int j = 0; j < ow; j++)
                for (int ch = 0; ch < p->c; ch++) {
                    const gint64 o = at(oh, ow, p->c, b, i, j, ch);
                    ref[o] = bias.v[ch];
                    mag[o] = fabs(bias.v[ch]);
                    for (int k = 0; k < g; k++) {
                        double move[2];
                        for (int axis = 0; axis < 2; axis++) {
                            const int m = (axis * g + k) * places + i % f * f + j % f;
                            const gint64 from = at(p->h, p->w, per, b, i / f, j / f, m);
                            move[axis] =
                                offset.v[from] * check_act(scope.v[from], SFU_ACT_SIGMOID, 0) * 0.5 + start.v[m];
                        }
                        ref[o] += between(x.v, p->h, p->w, g * p->c, b, i / f + move[1], j / f + move[0], k * p->c + ch,
                                          &mag[o]);
                    }
                }
    CHECK_OK(sfu_dysample(c->q, y.t, x.t, &(SfuDysample){offset.t, scope.t, start.w, bias.w, f, g}, ERR));
    /* Places as above, with a sigmoid that may be off by 4 units; a place next to a whole number may be cut either way,
     * which changes nothing there. */
    check_close(c, &y, ref, mag, (4.0 * MAX(p->h, p->w) + 20) * 0x1p-24);
}

static const Resample pools[] = {
    {"one", 1, 7, 7, 1, 7, 3},
    {"odd", 2, 12, 17, 5, 7, 3},
    {"channels", 1, 20, 13, 33, 7, 3},
    {"two", 1, 5, 6, 16, 2, 2, SHIFTED},
};
static const Resample resizes[] = {
    {"one", 1, 1, 1, 1, 5, 3},
    {"larger", 2, 3, 5, 7, 31, 29},
    {"smaller", 1, 30, 20, 17, 7, 3},
    {"same", 1, 6, 5, 16, 6, 5},
    {"shifted", 1, 4, 9, 20, 40, 40, SHIFTED},
};
static const Resample dysamples[] = {
    {"one", 1, 1, 1, 1, 1, 1},
    {"x4", 1, 5, 7, 3, 4, 4},
    {"x3", 2, 4, 3, 3, 3, 3},
    {"x1", 1, 6, 6, 1, 1, 3},
    {"shifted", 1, 5, 5, 3, 2, 4, SHIFTED},
};

void add_resample(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(pools); i++)
        check_add("max_pool", pools[i].name, 10000, max_pool, &pools[i]);
    for (guint i = 0; i < G_N_ELEMENTS(resizes); i++)
        check_add("resize_bilinear", resizes[i].name, 20000, resize_bilinear, &resizes[i]);
    for (guint i = 0; i < G_N_ELEMENTS(dysamples); i++)
        check_add("dysample", dysamples[i].name, 20000, dysample, &dysamples[i]);
}
