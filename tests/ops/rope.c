/* Rotary positions.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

typedef struct {
    const char *name;
    int n, h, w, c, first, n_heads, head_dim, d;
    gboolean halves, one; /* one: a table for all samples */
    Kind kind;
} Rope;

static void rope(Check *c, gconstpointer row)
{
    const Rope *p = row;
    const gint64 tokens = (gint64)p->h * p->w, rows = p->n * tokens;
    In x = check_in(c, p->n, p->h, p->w, p->c, p->kind);
    const In table = check_in_f32(c, p->one ? 1 : p->n, 1, (int)tokens, p->d, NORMAL);
    double *ref = check_zeros(c, rows * p->c), *mag = check_zeros(c, rows * p->c);
    for (gint64 i = 0; i < rows * p->c; i++) {
        ref[i] = x.v[i];
        mag[i] = 0; /* what does not turn stays as it is */
    }
    for (gint64 r = 0; r < rows; r++)
        for (int h = 0; h < p->n_heads; h++)
            for (int j = 0; j < p->d / 2; j++) {
                const gint64 head = r * p->c + p->first + h * p->head_dim;
                const gint64 a = head + (p->halves ? j : 2 * j), b = head + (p->halves ? j + p->d / 2 : 2 * j + 1);
                const double *t = table.v + (p->one ? r % tokens : r) * p->d;
                const double co = t[j], si = t[p->d / 2 + j];
                ref[a] = x.v[a] * co - x.v[b] * si;
                ref[b] = x.v[b] * co + x.v[a] * si;
                mag[a] = fabs(x.v[a] * co) + fabs(x.v[b] * si);
                mag[b] = fabs(x.v[b] * co) + fabs(x.v[a] * si);
            }
    const Out y = check_in_place(c, &x);
    CHECK_OK(sfu_rope(c->q, y.t, table.t, &(SfuRope){p->first, p->n_heads, p->head_dim, .halves = p->halves}, ERR));
    check_close(c, &y, ref, mag, 2 * 0x1p-24); /* two products and a sum */
}

static const Rope rows[] = {
    {"one", 1, 1, 1, 2, 0, 1, 2, 2},
    {"pairs", 2, 1, 7, 60, 0, 3, 20, 20},
    {"halves", 2, 1, 7, 60, 0, 3, 20, 20, .halves = TRUE},
    {"pairs-128", 1, 1, 9, 256, 0, 2, 128, 128, .one = TRUE},
    {"halves-128", 2, 1, 9, 256, 0, 2, 128, 128, .halves = TRUE, .one = TRUE},
    {"columns", 1, 1, 5, 100, 7, 2, 32, 32},
    {"part", 2, 1, 5, 64, 0, 2, 32, 18},
    {"part-halves", 2, 1, 5, 64, 0, 2, 32, 18, .halves = TRUE, .one = TRUE},
    {"picture", 2, 6, 5, 48, 16, 2, 16, 16},
    {"shifted", 1, 1, 9, 64, 0, 1, 64, 64, .kind = SHIFTED},
    {"large", 1, 1, 300, 384, 128, 2, 128, 128},
};

void add_rope(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        check_add("rope", rows[i].name, 4.0 * rows[i].n * rows[i].h * rows[i].w * rows[i].c, rope, &rows[i]);
}
