/* Changes of weights: their mathematics, and which weight carries which.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/delta.h"
#include "model/host_product.h"
#include "model/rotation.h"
#include <float.h>
#include <math.h>

void sfu_delta_free(gpointer p)
{
    SfuDelta *d = p;
    if (!d)
        return;
    for (int i = 0; i < 2; i++) {
        sfu_weight_destroy(d->a[i]);
        sfu_weight_destroy(d->b[i]);
    }
    sfu_weight_destroy(d->magnitude);
    g_free(d);
}

gint64 sfu_delta_group(const SfuDelta *d)
{
    return d->kind == SFU_DELTA_ROTATE_OUT ? d->block << (d->n_stages - 1) : 1;
}

/* ---- values ---- */

/* Rows [first, first + n) of w as fp32; caller frees with g_free. */
static float *rows_of(const SfuWeight *w, gint64 first, gint64 n)
{
    const gint64 row = sfu_weight_elements(w) / MAX(1, sfu_weight_dim(w, 0));
    float *v = g_new(float, MAX(1, n * row));
    sfu_weight_read_f32(w, first * row, n * row, v);
    return v;
}

static float *all_of(const SfuWeight *w)
{
    return rows_of(w, 0, sfu_weight_dim(w, 0));
}

/* A B of factor pair i, rows [first, first + n). Caller frees. */
static float *low_rank(const SfuDelta *d, int i, gint64 first, gint64 n, float scale)
{
    const gint64 cols = d->in * d->taps, rank = sfu_weight_elements(d->b[i]) / cols;
    float *a = rows_of(d->a[i], first, n), *b = all_of(d->b[i]), *out = g_new(float, n *cols);
    sfu_product(out, a, b, n, rank, cols, scale);
    g_free(a);
    g_free(b);
    return out;
}

static void add_scaled(float *v, const float *x, gint64 n, float scale)
{
    for (gint64 i = 0; i < n; i++)
        v[i] += scale * x[i];
}

static void add_kronecker(const SfuDelta *d, gint64 first, gint64 n, float *v, float scale)
{
    const gint64 q = sfu_weight_dim(d->a[0], 1), height = sfu_weight_dim(d->b[0], 0),
                 width = sfu_weight_elements(d->b[0]) / height;
    float *a = all_of(d->a[0]), *b = all_of(d->b[0]);
    for (gint64 o = 0; o < n; o++)
        for (gint64 j = 0; j < q; j++)
            add_scaled(v + (o * q + j) * width, b + (first + o) % height * width, width,
                       scale * a[(first + o) / height * q + j]);
    g_free(a);
    g_free(b);
}

/* v [n, in * taps] += scale * v A B, over the inputs of each tap. */
static void add_mixed_inputs(const SfuDelta *d, gint64 n, float *v, float scale)
{
    const gint64 in = d->in, taps = d->taps, rank = sfu_weight_elements(d->b[1]) / in, rows = n * taps;
    float *a = all_of(d->a[1]), *b = all_of(d->b[1]), *by_tap = g_new(float, rows *in), *low = g_new(float, rows *rank),
          *change = g_new(float, rows *in);
    for (gint64 o = 0; o < n; o++)
        for (gint64 i = 0; i < in; i++)
            for (gint64 k = 0; k < taps; k++)
                by_tap[(o * taps + k) * in + i] = v[(o * in + i) * taps + k];
    sfu_product(low, by_tap, a, rows, in, rank, 1);
    sfu_product(change, low, b, rows, rank, in, scale);
    for (gint64 o = 0; o < n; o++)
        for (gint64 i = 0; i < in; i++)
            for (gint64 k = 0; k < taps; k++)
                v[(o * in + i) * taps + k] += change[(o * taps + k) * in + i];
    g_free(change);
    g_free(low);
    g_free(by_tap);
    g_free(a);
    g_free(b);
}

static void scale_values(const SfuDelta *d, gint64 first, gint64 n, float *v, float strength)
{
    const gboolean by_row = d->kind == SFU_DELTA_SCALE_OUT;
    const gint64 cols = d->in * d->taps;
    float *f = by_row ? rows_of(d->a[0], first, n) : all_of(d->a[0]);
    for (gint64 o = 0; o < n; o++)
        for (gint64 k = 0; k < cols; k++)
            v[o * cols + k] *= 1 + strength * (f[by_row ? o : k / d->taps] - 1 + d->scale);
    g_free(f);
}

/* v [n, in * taps], rows [first, first + n) of W, become W's share 1 - strength and strength times the changed ones,
 * without DoRA's lengths. */
static void change_rows(const SfuDelta *d, gint64 first, gint64 n, float *v, float strength)
{
    const gint64 size = n * d->in * d->taps;
    float *x = NULL, *y;
    switch (d->kind) {
    case SFU_DELTA_LOW_RANK:
        x = low_rank(d, 0, first, n, d->scale * strength);
        add_scaled(v, x, size, 1);
        break;
    case SFU_DELTA_GENERALIZED:
        x = low_rank(d, 0, first, n, d->scale * strength);
        add_mixed_inputs(d, n, v, d->scale * strength); /* of W as it was */
        add_scaled(v, x, size, 1);
        break;
    case SFU_DELTA_HADAMARD:
        x = low_rank(d, 0, first, n, d->scale * strength);
        y = low_rank(d, 1, first, n, 1);
        for (gint64 i = 0; i < size; i++)
            v[i] += x[i] * y[i];
        g_free(y);
        break;
    case SFU_DELTA_KRONECKER:
        add_kronecker(d, first, n, v, d->scale * strength);
        break;
    case SFU_DELTA_FULL:
        x = rows_of(d->a[0], first, n);
        add_scaled(v, x, size, d->scale * strength);
        for (gint64 i = 0; d->offset != 0 && i < size; i++)
            v[i] += d->offset * strength;
        break;
    case SFU_DELTA_ROTATE_OUT:
        sfu_rotate_outputs(d, first, n, v, strength);
        break;
    case SFU_DELTA_ROTATE_IN:
        sfu_rotate_inputs(d, n, v, strength);
        break;
    default:
        scale_values(d, first, n, v, strength);
    }
    g_free(x);
}

/* ---- DoRA ---- */

static double length_of(const float *v, gint64 n)
{
    double sum = 0;
    for (gint64 i = 0; i < n; i++)
        sum += (double)v[i] * v[i];
    return sqrt(sum) + FLT_EPSILON; /* a row of zeros stays one */
}

typedef struct {
    SfuDeltaUse use;
    float *lengths; /* [in] of V, for magnitudes by input; NULL: not needed */
} Entry;

static void set_lengths(const Entry *e, gint64 first, gint64 n, float *v)
{
    const SfuDelta *d = e->use.delta;
    const gint64 cols = d->in * d->taps;
    const float s = e->use.strength;
    float *changed = g_memdup2(v, sizeof *v * (gsize)(n * cols)),
          *m = d->by_input ? all_of(d->magnitude) : rows_of(d->magnitude, first, n);
    change_rows(d, first, n, changed, 1);
    for (gint64 o = 0; o < n; o++) {
        const double row = d->by_input ? 1 : length_of(changed + o * cols, cols);
        for (gint64 k = 0; k < cols; k++) {
            const double factor = d->by_input ? m[k / d->taps] / e->lengths[k / d->taps] : m[o] / row;
            v[o * cols + k] += s * (float)(changed[o * cols + k] * factor - v[o * cols + k]);
        }
    }
    g_free(m);
    g_free(changed);
}

/* ---- what one weight carries ---- */

typedef struct {
    SfuWeight *weight;
    GArray *entries; /* Entry */
} Change;

static void entry_clear(gpointer p)
{
    g_free(((Entry *)p)->lengths);
}

/* The first n_entries of them on rows [first, first + n). */
static void apply_some(const Change *c, guint n_entries, gint64 first, gint64 n, float *v)
{
    for (guint i = 0; i < n_entries; i++) {
        const Entry *e = &g_array_index(c->entries, Entry, i);
        const SfuDeltaUse *u = &e->use;
        const gint64 from = MAX(first, u->to_row), to = MIN(first + n, u->to_row + u->n_rows);
        if (from >= to)
            continue;
        float *at = v + (from - first) * u->delta->in * u->delta->taps;
        const gint64 own = from - u->to_row + u->from_row;
        if (u->delta->magnitude)
            set_lengths(e, own, to - from, at);
        else
            change_rows(u->delta, own, to - from, at, u->strength);
    }
}

static void apply_all(gpointer data, gint64 first, gint64 n, float *v)
{
    const Change *c = data;
    apply_some(c, c->entries->len, first, n, v);
}

/* The lengths of V's inputs, of the rows that entry i covers. The weight has no change while this runs. */
static void measure_inputs(const Change *c, guint i)
{
    Entry *e = &g_array_index(c->entries, Entry, i);
    const SfuDeltaUse *u = &e->use;
    const gint64 cols = u->delta->in * u->delta->taps, group = sfu_delta_group(u->delta),
                 step = (MAX(1, 65536 / cols) + group - 1) / group * group;
    double *sums = g_new0(double, u->delta->in);
    for (gint64 o = 0; o < u->n_rows; o += step) {
        const gint64 n = MIN(step, u->n_rows - o);
        float *v = rows_of(u->weight, u->to_row + o, n);
        apply_some(c, i, u->to_row + o, n, v);
        change_rows(u->delta, u->from_row + o, n, v, 1);
        for (gint64 k = 0; k < n * cols; k++)
            sums[k % cols / u->delta->taps] += (double)v[k] * v[k];
        g_free(v);
    }
    e->lengths = g_new(float, u->delta->in);
    for (gint64 k = 0; k < u->delta->in; k++)
        e->lengths[k] = (float)(sqrt(sums[k]) + FLT_EPSILON);
    g_free(sums);
}

/* Rows that the weight's changes need at once: those that mix, or all where groups of several kinds overlap. */
static gint64 group_of(const Change *c)
{
    gint64 group = 1;
    for (guint i = 0; i < c->entries->len; i++) {
        const SfuDeltaUse *u = &g_array_index(c->entries, Entry, i).use;
        const gint64 own = sfu_delta_group(u->delta);
        if (own > 1 && (u->to_row % own || (group > 1 && group != own)))
            return sfu_weight_dim(c->weight, 0);
        group = MAX(group, own);
    }
    return group;
}

static void change_free(gpointer p)
{
    Change *c = p;
    sfu_weight_set_change(c->weight, NULL, NULL, 1);
    g_array_unref(c->entries);
    g_free(c);
}

/* ---- all weights ---- */

struct SfuDeltas {
    GHashTable *changes; /* SfuWeight* -> Change* */
};

SfuDeltas *sfu_deltas_new(void)
{
    SfuDeltas *d = g_new(SfuDeltas, 1);
    d->changes = g_hash_table_new_full(NULL, NULL, NULL, change_free);
    return d;
}

void sfu_deltas_free(SfuDeltas *d)
{
    if (!d)
        return;
    g_hash_table_unref(d->changes);
    g_free(d);
}

static gboolean is_same(const Change *a, const Change *b)
{
    gboolean same = a && a->entries->len == b->entries->len;
    for (guint i = 0; same && i < b->entries->len; i++) {
        const SfuDeltaUse *x = &g_array_index(a->entries, Entry, i).use, *y = &g_array_index(b->entries, Entry, i).use;
        same = x->delta == y->delta && x->to_row == y->to_row && x->from_row == y->from_row && x->n_rows == y->n_rows &&
               x->strength == y->strength;
    }
    return same;
}

static GHashTable *by_weight(const SfuDeltaUse *uses, guint n)
{
    GHashTable *all = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < n; i++) {
        if (uses[i].strength == 0)
            continue;
        Change *c = g_hash_table_lookup(all, uses[i].weight);
        if (!c) {
            c = g_new(Change, 1);
            *c = (Change){uses[i].weight, g_array_new(FALSE, FALSE, sizeof(Entry))};
            g_array_set_clear_func(c->entries, entry_clear);
            g_hash_table_insert(all, c->weight, c);
        }
        const Entry e = {.use = uses[i]};
        g_array_append_val(c->entries, e);
    }
    return all;
}

void sfu_deltas_set(SfuDeltas *d, const SfuDeltaUse *uses, guint n)
{
    GHashTable *wanted = by_weight(uses, n);
    GHashTableIter it;
    gpointer key, value;
    g_hash_table_iter_init(&it, d->changes);
    while (g_hash_table_iter_next(&it, &key, NULL))
        if (!g_hash_table_contains(wanted, key))
            g_hash_table_iter_remove(&it);
    g_hash_table_iter_init(&it, wanted);
    while (g_hash_table_iter_next(&it, &key, &value)) {
        Change *c = value;
        if (is_same(g_hash_table_lookup(d->changes, key), c)) {
            g_array_unref(c->entries);
            g_free(c);
            continue;
        }
        g_hash_table_remove(d->changes, key);
        for (guint i = 0; i < c->entries->len; i++) {
            const SfuDelta *delta = g_array_index(c->entries, Entry, i).use.delta;
            if (delta->magnitude && delta->by_input)
                measure_inputs(c, i);
        }
        sfu_weight_set_change(c->weight, apply_all, c, group_of(c));
        g_hash_table_insert(d->changes, c->weight, c);
    }
    g_hash_table_unref(wanted);
}
