/* Products with a gate.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

typedef struct {
    const char *name;
    int n, h, w, c;
    Kind kind;
} Shape;

static void sigmoid_gate(Check *c, gconstpointer row)
{
    const Shape *s = row;
    const gint64 n = (gint64)s->n * s->h * s->w * s->c;
    In x = check_in(c, s->n, s->h, s->w, s->c, s->kind), r = check_in(c, s->n, s->h, s->w, s->c, s->kind);
    double *ref = check_zeros(c, n), *alone = check_zeros(c, n), *mag = check_zeros(c, n),
           *mag_alone = check_zeros(c, n);
    for (gint64 i = 0; i < n; i++) {
        const double gate = check_act(x.v[i], SFU_ACT_SIGMOID, 0);
        ref[i] = (x.v[i] + r.v[i]) * (gate - 0.5);
        mag[i] = fabs(x.v[i]) + fabs(r.v[i]); /* the gate is the difference of two numbers of up to 1 */
        alone[i] = x.v[i] * gate;
        mag_alone[i] = fabs(x.v[i]);
    }
    const Out y = check_out(c, s->n, s->h, s->w, s->c), z = check_out(c, s->n, s->h, s->w, s->c);
    CHECK_OK(sfu_sigmoid_gate(c->q, y.t, x.t, r.t, -0.5f, ERR));
    check_close(c, &y, ref, mag, 8 * 0x1p-24); /* exp may be off by 3 units, and there are five roundings */
    CHECK_OK(sfu_sigmoid_gate(c->q, z.t, x.t, NULL, 0, ERR));
    check_close(c, &z, alone, mag_alone, 8 * 0x1p-24);
    const Out in_place = check_in_place(c, &x);
    CHECK_OK(sfu_sigmoid_gate(c->q, in_place.t, in_place.t, r.t, -0.5f, ERR));
    check_close(c, &in_place, ref, mag, 8 * 0x1p-24);
}

static void half_gate(Check *c, gconstpointer row)
{
    const Shape *s = row;
    const gint64 n = (gint64)s->n * s->h * s->w * s->c;
    const In x = check_in(c, s->n, s->h, s->w, 2 * s->c, s->kind);
    double *ref = check_zeros(c, n), *plain = check_zeros(c, n), *mag = check_zeros(c, n);
    for (gint64 i = 0; i < n; i++) {
        const double a = x.v[i / s->c * 2 * s->c + i % s->c], b = x.v[i / s->c * 2 * s->c + s->c + i % s->c];
        ref[i] = check_act(a, SFU_ACT_GELU, 0) * b;
        plain[i] = a * b;
        mag[i] = fabs(a * b);
    }
    const Out y = check_out(c, s->n, s->h, s->w, s->c), z = check_out(c, s->n, s->h, s->w, s->c);
    CHECK_OK(sfu_half_gate(c->q, y.t, x.t, SFU_ACT_GELU, ERR));
    check_close(c, &y, ref, mag, 8 * 0x1p-24);
    CHECK_OK(sfu_half_gate(c->q, z.t, x.t, SFU_ACT_NONE, ERR));
    check_close(c, &z, plain, mag, 0x1p-24);
}

/* From column 3 on to column 2 on; the others stay. */
static void half_gate_columns(Check *c, gconstpointer row)
{
    const Shape *s = row;
    const int x_row = 2 * s->c + 7, y_row = s->c + 5;
    const gint64 n = (gint64)s->n * s->h * s->w * y_row;
    const In x = check_in(c, s->n, s->h, s->w, x_row, s->kind);
    In y = check_in(c, s->n, s->h, s->w, y_row, NORMAL);
    double *ref = check_zeros(c, n), *mag = check_zeros(c, n);
    for (gint64 i = 0; i < n; i++) {
        const gint64 at = i / y_row * x_row + 3 + i % y_row - 2;
        const gboolean inside = i % y_row >= 2 && i % y_row < 2 + s->c;
        ref[i] = inside ? x.v[at] * x.v[at + s->c] : y.v[i];
        mag[i] = inside ? fabs(ref[i]) : 0;
    }
    const Out in_place = check_in_place(c, &y);
    CHECK_OK(sfu_half_gate_columns(c->q, in_place.t, 2, x.t, 3, s->c, SFU_ACT_NONE, ERR));
    check_close(c, &in_place, ref, mag, 0x1p-24);
}

/* The gate is columns 3 .. of a row per sample, or of one row. */
static void gated_add(Check *c, gconstpointer row)
{
    const Shape *s = row;
    const gint64 n = (gint64)s->n * s->h * s->w * s->c;
    const In x = check_in(c, s->n, s->h, s->w, s->c, s->kind);
    In r = check_in(c, s->n, s->h, s->w, s->c, s->kind);
    const int wide = s->c + 5;
    const In gates = check_in(c, s->n, 1, 1, wide, NORMAL), one = check_in(c, 1, 1, 1, wide, NORMAL);
    double *ref = check_zeros(c, n), *ref_one = check_zeros(c, n), *mag = check_zeros(c, n),
           *mag_one = check_zeros(c, n);
    for (gint64 i = 0; i < n; i++) {
        const double g = check_act(gates.v[i / (n / s->n) * wide + 3 + i % s->c], SFU_ACT_TANH, 0),
                     g1 = one.v[3 + i % s->c];
        ref[i] = r.v[i] + g * x.v[i];
        mag[i] = fabs(r.v[i]) + fabs(g * x.v[i]);
        ref_one[i] = r.v[i] + g1 * x.v[i];
        mag_one[i] = fabs(r.v[i]) + fabs(g1 * x.v[i]);
    }
    const Out y = check_out(c, s->n, s->h, s->w, s->c);
    CHECK_OK(sfu_gated_add(c->q, y.t, r.t, x.t, one.t, 3, SFU_ACT_NONE, ERR));
    check_close(c, &y, ref_one, mag_one, 3 * 0x1p-24);
    const Out in_place = check_in_place(c, &r);
    CHECK_OK(sfu_gated_add(c->q, in_place.t, in_place.t, x.t, gates.t, 3, SFU_ACT_TANH, ERR));
    check_close(c, &in_place, ref, mag, 8 * 0x1p-24); /* tanh may be off by 5 units */
}

static const Shape shapes[] = {
    {"one", 1, 1, 1, 1},
    {"odd", 2, 3, 5, 7},
    {"sixteens", 1, 4, 4, 48},
    {"large", 1, 60, 61, 45},
    {"shifted", 1, 5, 6, 33, SHIFTED},
    {"extreme", 1, 9, 9, 20, EXTREME},
};

void add_gate(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
        const double work = 10.0 * shapes[i].n * shapes[i].h * shapes[i].w * shapes[i].c;
        check_add("sigmoid_gate", shapes[i].name, work, sigmoid_gate, &shapes[i]);
        if (shapes[i].kind != EXTREME) { /* the product of two could leave fp16's range */
            check_add("gated_add", shapes[i].name, work, gated_add, &shapes[i]);
            check_add("half_gate", shapes[i].name, work, half_gate, &shapes[i]);
            check_add("half_gate_columns", shapes[i].name, work, half_gate_columns, &shapes[i]);
        }
    }
}
