/* Elementwise ops, conversion, means and the search for NaN.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

typedef struct {
    const char *name;
    SfuAct act;
    float param;
} Act;

/* From the far ends, where exp overflows, to the neighborhood of 0. */
static void unary(Check *c, gconstpointer row)
{
    const Act *a = row;
    static const double special[] = {0,   -0.0, 1e-7, -1e-7, 1e-30, -1e-30, 88,  -88,
                                     104, -104, 700,  -700,  30000, -30000, 0.5, -0.5};
    double *v = check_zeros(c, 1003);
    for (int i = 0; i < 1003; i++)
        v[i] = i < (int)G_N_ELEMENTS(special) ? special[i] : (i - 500) / 40.0;
    In x = check_in_values(c, 1, 17, 59, 1, v);
    double *ref = check_zeros(c, 1003), *mag = check_zeros(c, 1003);
    for (int i = 0; i < 1003; i++) {
        ref[i] = check_act(x.v[i], a->act, a->param);
        mag[i] = MAX(fabs(x.v[i]), a->act == SFU_ACT_SIGMOID ? 1 : 0);
    }
    const Out y = check_out(c, 1, 17, 59, 1), in_place = check_in_place(c, &x);
    CHECK_OK(sfu_unary(c->q, y.t, x.t, a->act, a->param, ERR));
    CHECK_OK(sfu_unary(c->q, in_place.t, in_place.t, a->act, a->param, ERR));
    /* All are |x| times a factor in [0, 1] (or below |x|) with an absolute error of a few units; exp and tanh may be
     * off by 3 and 5 ulp. */
    check_close(c, &y, ref, mag, 8 * 0x1p-24);
    check_close(c, &in_place, ref, mag, 8 * 0x1p-24);
}

/* Tails: every count from 1 to 40. */
static void unary_tails(Check *c, gconstpointer row)
{
    for (int n = 1; n <= 40; n++) {
        const In x = check_in(c, 1, 1, 1, n, NORMAL);
        const Out y = check_out(c, 1, 1, 1, n);
        double *ref = check_zeros(c, n);
        for (int i = 0; i < n; i++)
            ref[i] = MAX(x.v[i], 0);
        CHECK_OK(sfu_unary(c->q, y.t, x.t, SFU_ACT_RELU, 0, ERR));
        check_same(c, &y, ref);
    }
}

typedef struct {
    const char *name;
    int n, h, w, c, zn, zh, zw, zc; /* zn 0: no z */
    Kind kind;
} Binary;

static double beside(const Binary *p, const double *z, gint64 i)
{
    const int ch = i % p->c;
    const gint64 pixel = i / p->c, b = pixel / (p->h * p->w);
    if (p->zn == 0)
        return 1;
    if (p->zc == 1 && p->c != 1)
        return z[pixel];
    if (p->zh * p->zw == 1 && p->h * p->w != 1)
        return z[(p->zn == 1 ? 0 : b) * p->c + ch];
    return p->zn == 1 ? z[i % ((gint64)p->h * p->w * p->c)] : z[i];
}

static void binary(Check *c, gconstpointer row)
{
    const Binary *p = row;
    const gint64 n = (gint64)p->n * p->h * p->w * p->c;
    In x = check_in(c, p->n, p->h, p->w, p->c, p->kind), z = {0};
    if (p->zn)
        z = check_in(c, p->zn, p->zh, p->zw, p->zc, NORMAL);
    const float a = 0.75f, b = -1.3f;
    double *ref = check_zeros(c, n), *mag = check_zeros(c, n), *product = check_zeros(c, n);
    for (gint64 i = 0; i < n; i++) {
        const double v = beside(p, z.v, i);
        ref[i] = (double)a * x.v[i] + (double)b * v;
        mag[i] = fabs((double)a * x.v[i]) + fabs((double)b * v);
        product[i] = x.v[i] * v;
    }
    const Out y = check_out(c, p->n, p->h, p->w, p->c), m = check_out(c, p->n, p->h, p->w, p->c);
    CHECK_OK(sfu_axpby(c->q, y.t, a, x.t, b, z.t, ERR));
    check_close(c, &y, ref, mag, 3 * 0x1p-24); /* three roundings */
    if (p->zn) {
        CHECK_OK(sfu_mul(c->q, m.t, x.t, z.t, ERR));
        check_close(c, &m, product, NULL, 0x1p-24); /* one rounding */
    }
    const Out in_place = check_in_place(c, &x);
    CHECK_OK(sfu_axpby(c->q, in_place.t, a, x.t, b, z.t, ERR));
    check_close(c, &in_place, ref, mag, 3 * 0x1p-24);
}

static void scale_channels(Check *c, gconstpointer row)
{
    const Binary *p = row; /* zn: bit 0 scale, bit 1 shift */
    const gint64 n = (gint64)p->n * p->h * p->w * p->c;
    In x = check_in(c, p->n, p->h, p->w, p->c, p->kind);
    const Weight a = check_weight(c, SFU_F16, p->c, 0, 0, 0), b = check_weight(c, SFU_F32, p->c, 0, 0, 0);
    double *ref = check_zeros(c, n), *mag = check_zeros(c, n);
    for (gint64 i = 0; i < n; i++) {
        const double s = x.v[i] * (p->zn & 1 ? a.v[i % p->c] : 1), t = p->zn & 2 ? b.v[i % p->c] : 0;
        ref[i] = s + t;
        mag[i] = fabs(s) + fabs(t);
    }
    const Out y = check_out(c, p->n, p->h, p->w, p->c), in_place = check_in_place(c, &x);
    CHECK_OK(sfu_scale_channels(c->q, y.t, x.t, p->zn & 1 ? a.w : NULL, p->zn & 2 ? b.w : NULL, ERR));
    check_close(c, &y, ref, mag, 2 * 0x1p-24); /* two roundings */
    CHECK_OK(sfu_scale_channels(c->q, in_place.t, x.t, p->zn & 1 ? a.w : NULL, p->zn & 2 ? b.w : NULL, ERR));
    check_close(c, &in_place, ref, mag, 2 * 0x1p-24);
}

static void leaky_clamp(Check *c, gconstpointer row)
{
    const Binary *p = row;
    const SfuLeakyClamp how = {0.25f, 1.5f, 0.75f};
    const int pixels = p->h * p->w;
    const gint64 n = (gint64)p->n * pixels * p->c;
    In x = check_in(c, p->n, p->h, p->w, p->c, p->kind);
    const Weight noise = check_weight(c, SFU_F32, pixels, 0, 0, 0);
    double *ref = check_zeros(c, n), *plain = check_zeros(c, n), *mag = check_zeros(c, n);
    for (gint64 i = 0; i < n; i++) {
        const double z = noise.v[i / p->c % pixels], v = (x.v[i] + z) * how.gain, u = x.v[i] * how.gain;
        ref[i] = CLAMP(v < 0 ? v * how.slope : v, -how.limit, how.limit);
        plain[i] = CLAMP(u < 0 ? u * how.slope : u, -how.limit, how.limit);
        mag[i] = (fabs(x.v[i]) + fabs(z)) * how.gain;
    }
    const Out y = check_out(c, p->n, p->h, p->w, p->c), in_place = check_in_place(c, &x);
    CHECK_OK(sfu_leaky_clamp(c->q, y.t, x.t, NULL, &how, ERR));
    check_close(c, &y, plain, mag, 3 * 0x1p-24);
    CHECK_OK(sfu_leaky_clamp(c->q, in_place.t, in_place.t, noise.w, &how, ERR));
    check_close(c, &in_place, ref, mag, 3 * 0x1p-24); /* three roundings */
}

static void mean_hw(Check *c, gconstpointer row)
{
    const Binary *p = row;
    const In x = check_in(c, p->n, p->h, p->w, p->c, p->kind);
    const Out y = check_out(c, p->n, 1, 1, p->c);
    double *ref = check_zeros(c, p->n * p->c), *mag = check_zeros(c, p->n * p->c);
    const double pixels = (double)p->h * p->w;
    for (gint64 i = 0; i < (gint64)p->n * p->h * p->w * p->c; i++) {
        const gint64 at = i / ((gint64)p->h * p->w * p->c) * p->c + i % p->c;
        ref[at] += x.v[i] / pixels;
        mag[at] += fabs(x.v[i]) / pixels;
    }
    CHECK_OK(sfu_mean_hw(c->q, y.t, x.t, ERR));
    check_close(c, &y, ref, mag,
                0x1p-24 * (4 + pow(pixels, 0.25) * 2)); /* sums of sums, each about sqrt(pixels) long */
}

static void convert(Check *c, gconstpointer row)
{
    for (int n = 1; n < 5000; n = n * 3 + 1) {
        const In x = check_in_f32(c, 1, 1, n, 3, EXTREME);
        const SfuDtype dtype = sfu_queue_act_dtype(c->q);
        const Out there = check_out(c, 1, 1, n, 3), back = check_out_f32(c, 3, n, 1, 1);
        CHECK_OK(sfu_convert(c->q, there.t, x.t, ERR));
        CHECK_OK(sfu_convert(c->q, back.t, there.t, ERR));
        /* fp32: a copy. fp16: to nearest, so within half a step, and the same as the host's conversion. */
        if (dtype == SFU_F32)
            check_same(c, &back, x.v);
        check_close(c, &there, x.v, NULL, 0);
        const In rounded = check_in_values(c, 1, 1, n, 3, x.v);
        check_same(c, &there, rounded.v);
        check_same(c, &back, rounded.v);
    }
}

static void count_nonfinite(Check *c, gconstpointer row)
{
    for (int n = 1; n < 100000; n = n * 7 + 1) {
        double *v = check_zeros(c, n);
        gint64 wanted = 0, got = -1;
        for (int i = 0; i < n; i++) {
            const int die = g_rand_int_range(c->rand, 0, 40);
            v[i] = die == 0 ? NAN : die == 1 ? INFINITY : die == 2 ? -INFINITY : 60000.0;
            wanted += die < 3;
        }
        const In x = check_in_values(c, 1, 1, 1, n, v);
        CHECK_OK(sfu_count_nonfinite(c->q, x.t, &got, ERR));
        g_assert_cmpint(got, ==, wanted);
    }
}

static const Act acts[] = {
    {"none", SFU_ACT_NONE},
    {"silu", SFU_ACT_SILU},
    {"gelu", SFU_ACT_GELU},
    {"gelu-tanh", SFU_ACT_GELU_TANH},
    {"quick-gelu", SFU_ACT_QUICK_GELU},
    {"relu", SFU_ACT_RELU},
    {"leaky-relu", SFU_ACT_LEAKY_RELU, 0.2f},
    {"tanh", SFU_ACT_TANH},
    {"sigmoid", SFU_ACT_SIGMOID},
    {"soft-clamp", SFU_ACT_SOFT_CLAMP},
    {"mish", SFU_ACT_MISH},
};
static const Binary binaries[] = {
    {"one", 1, 1, 1, 1, 1, 1, 1, 1},
    {"same", 2, 3, 5, 7, 2, 3, 5, 7},
    {"same-large", 2, 20, 20, 64, 2, 20, 20, 64},
    {"same-shifted", 1, 9, 9, 33, 1, 9, 9, 33, SHIFTED},
    {"same-extreme", 1, 9, 9, 33, 1, 9, 9, 33, EXTREME},
    {"constant", 2, 3, 5, 7, 0},
    {"channels", 2, 3, 5, 7, 1, 1, 1, 7},
    {"channels-16", 1, 4, 4, 48, 1, 1, 1, 48},
    {"sample-channels", 3, 3, 5, 7, 3, 1, 1, 7},
    {"pixels", 2, 3, 5, 7, 2, 3, 5, 1},
    {"pixels-16", 1, 4, 4, 32, 1, 4, 4, 1},
    {"one-pixel", 2, 1, 1, 9, 2, 1, 1, 9},
};
static const Binary scales[] = {
    {"both", 2, 3, 5, 7, 3},
    {"scale", 2, 3, 5, 7, 1},
    {"shift", 1, 8, 8, 64, 2},
    {"neither", 1, 2, 2, 5, 0},
    {"shifted", 1, 8, 8, 33, 3, .kind = SHIFTED},
};
static const Binary means[] = {
    {"one", 1, 1, 1, 1},
    {"odd", 2, 3, 5, 7},
    {"large", 1, 300, 300, 5},
    {"shifted", 2, 200, 200, 3, .kind = SHIFTED},
    {"extreme", 1, 9, 9, 20, .kind = EXTREME},
};

void add_elementwise(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(acts); i++)
        check_add("unary", acts[i].name, 5000, unary, &acts[i]);
    check_add("unary", "tails", 5000, unary_tails, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(binaries); i++)
        check_add("binary", binaries[i].name, 10.0 * binaries[i].n * binaries[i].h * binaries[i].w * binaries[i].c,
                  binary, &binaries[i]);
    for (guint i = 0; i < G_N_ELEMENTS(scales); i++)
        check_add("scale_channels", scales[i].name, 5000, scale_channels, &scales[i]);
    for (guint i = 0; i < G_N_ELEMENTS(scales); i++)
        check_add("leaky_clamp", scales[i].name, 5000, leaky_clamp, &scales[i]);
    for (guint i = 0; i < G_N_ELEMENTS(means); i++)
        check_add("mean_hw", means[i].name, (double)means[i].n * means[i].h * means[i].w * means[i].c, mean_hw,
                  &means[i]);
    check_add("convert", "there-and-back", 30000, convert, NULL);
    check_add("count_nonfinite", "counts", 100000, count_nonfinite, NULL);
}
