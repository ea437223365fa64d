/* Patch fill: structure that repeats. Fences, bricks, and straight edges look alike at a few offsets only (He & Sun
 * 2012, "Statistics of patch offsets for image completion"), and at a hole's rim an offset shows whether it fits. So a
 * part of the hole gets, as a first guess, the picture moved by the offset that fits the rim about it. See
 * patch_level.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fill/patch_level.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_PX 400   /* sides of the level on which offsets are measured, at most */
#define MOST_SAMPLES 500 /* pixels about the hole that are compared */
#define MOST_OFFSETS 32
#define LEAST_VALID 0.4f /* of the samples must be known where the offset leads */
#define LEAST_COVER 0.2f /* of the hole must be filled by the offset */
#define APART_PX 3       /* offsets nearer to each other are one */
#define CELL 4           /* pixels a side; errors at the rim are averaged over cells */
#define BAND_PX 14.0f    /* how far from the hole the rim reaches */
#define FITS 0.2f        /* an offset fits below this share of the mean difference of any two places */
#define FEW_SAMPLES 48   /* that show when an offset is out of the question */
#define N_ANY 300        /* offsets for the mean */
#define MOST_USED 6      /* offsets in one hole: where they meet there is a seam */
#define WORTH 0.04f      /* what another one must gain, as a share of the most that could be gained */

typedef struct {
    int dx, dy;
    float d; /* mean squared difference */
} Offset;

typedef struct {
    const Level *l;
    float *distance;      /* [h, w] to the hole */
    int reach_x, reach_y; /* longest offset */
    float mean;           /* squared difference of two places, whatever their offset */
    int sample[MOST_SAMPLES], n_samples;
    Offset offset[MOST_OFFSETS];
    int n_offsets;
} Repeats;

static float pixel_difference(const Level *l, int a, int b)
{
    const float *p = l->p + 4 * (gsize)a, *q = l->p + 4 * (gsize)b;
    float sum = 0;
    for (int c = 0; c < 4; c++)
        sum += (p[c] - q[c]) * (p[c] - q[c]);
    return sum;
}

/* Where the offset leads from a pixel; -1: to nothing that can be copied. */
static int moved(const Level *l, int at, const Offset *o)
{
    const int x = at % l->w + o->dx, y = at / l->w + o->dy;
    return x >= 0 && x < l->w && y >= 0 && y < l->h && l->state[y * l->w + x] == KNOWN ? y * l->w + x : -1;
}

/* Known pixels about the hole, evenly. */
static void take_samples(Repeats *r, float band)
{
    const Level *l = r->l;
    gint64 n = 0, seen = 0;
    for (int k = 0; k < l->w * l->h; k++)
        n += l->state[k] == KNOWN && r->distance[k] <= band;
    const gint64 most = MIN(n, MOST_SAMPLES);
    for (int k = 0; k < l->w * l->h && r->n_samples < most; k++)
        if (l->state[k] == KNOWN && r->distance[k] <= band && seen++ * most / n >= r->n_samples)
            r->sample[r->n_samples++] = k;
    for (int k = r->n_samples - 1; k > 0; k--) { /* so that the first few are anywhere */
        const int other = (int)((guint32)k * 2654435761u % (guint32)(k + 1)), swap = r->sample[k];
        r->sample[k] = r->sample[other];
        r->sample[other] = swap;
    }
}

/* Mean squared difference of the first n samples from where the offset leads; INFINITY: too few of those are known. */
static float difference_at(const Repeats *r, int n, int dx, int dy)
{
    const Offset o = {dx, dy, 0};
    float sum = 0;
    int valid = 0;
    for (int k = 0; k < n; k++) {
        const int to = moved(r->l, r->sample[k], &o);
        if (to < 0)
            continue;
        sum += pixel_difference(r->l, r->sample[k], to);
        valid++;
    }
    return (float)valid >= LEAST_VALID * (float)n && valid ? sum / (float)valid : INFINITY;
}

static void measure_mean(Repeats *r)
{
    const int w = 2 * r->reach_x + 1, h = 2 * r->reach_y + 1;
    float sum = 0;
    int n = 0;
    for (guint32 k = 1; k <= N_ANY; k++) { /* the golden ratio's multiples lie evenly */
        const float d = difference_at(r, r->n_samples, (int)(k * 2654435769u / 65536 % (guint32)w) - r->reach_x,
                                      (int)(k * 2246822519u / 65536 % (guint32)h) - r->reach_y);
        if (d < INFINITY) {
            sum += d;
            n++;
        }
    }
    r->mean = n ? sum / (float)n : 0;
}

/* How much of the hole the offset fills. */
static float cover(const Level *l, const Offset *o)
{
    int n = 0;
    for (int k = 0; k < l->n_hole; k++)
        n += moved(l, l->hole[k], o) >= 0;
    return (float)n / (float)MAX(1, l->n_hole);
}

static gboolean is_apart(const Repeats *r, int dx, int dy)
{
    for (int k = 0; k < r->n_offsets; k++)
        if (abs(r->offset[k].dx - dx) <= APART_PX && abs(r->offset[k].dy - dy) <= APART_PX)
            return FALSE;
    return TRUE;
}

static int by_difference(const void *a, const void *b)
{
    const float x = ((const Offset *)a)->d, y = ((const Offset *)b)->d;
    return (x > y) - (x < y);
}

/* The offsets at which the surroundings are most like themselves. FALSE: no memory. */
static gboolean choose(Repeats *r)
{
    const float most = 2 * FITS * r->mean;
    const int few = MIN(FEW_SAMPLES, r->n_samples);
    Offset *all = g_try_new(Offset, (gsize)(2 * r->reach_x + 1) * (gsize)(2 * r->reach_y + 1));
    int n = 0;
    if (!all)
        return FALSE;
    for (int dy = -r->reach_y; dy <= r->reach_y; dy++)
        for (int dx = -r->reach_x; dx <= r->reach_x; dx++) {
            if (difference_at(r, few, dx, dy) > 2 * most)
                continue;
            const Offset o = {dx, dy, difference_at(r, r->n_samples, dx, dy)};
            if (o.d < most)
                all[n++] = o;
        }
    qsort(all, (gsize)n, sizeof *all, by_difference);
    for (int k = 0; k < n && r->n_offsets < MOST_OFFSETS; k++)
        if (is_apart(r, all[k].dx, all[k].dy) && cover(r->l, &all[k]) >= LEAST_COVER)
            r->offset[r->n_offsets++] = all[k];
    g_free(all);
    return TRUE;
}

/* How ill the offset fits about each cell [ch, cw]: at the rim as measured there, in the hole by a membrane between.
 * known, error [ch, cw, 1]: scratch. FALSE: no memory. */
static gboolean fit(const Repeats *r, const Offset *o, int cw, int ch, float *error, float *known)
{
    const Level *l = r->l;
    float *count = g_try_new0(float, (gsize)cw *ch);
    if (!count)
        return FALSE;
    memset(error, 0, sizeof *error * (gsize)cw * ch);
    for (int y = 0; y < l->h; y++)
        for (int x = 0; x < l->w; x++) {
            const int at = y * l->w + x;
            if (l->state[at] == HOLE || r->distance[at] > BAND_PX)
                continue;
            const int to = moved(l, at, o), cell = y / CELL * cw + x / CELL;
            if (to < 0)
                continue;
            error[cell] += pixel_difference(l, at, to);
            count[cell]++;
        }
    gboolean any = FALSE;
    for (int k = 0; k < cw * ch; k++) {
        known[k] = count[k] >= CELL * CELL / 2;
        error[k] = known[k] > 0 ? error[k] / count[k] : 0;
        any |= known[k] > 0;
    }
    g_free(count);
    if (!any)
        for (int k = 0; k < cw * ch; k++)
            error[k] = INFINITY;
    return !any || sfu_membrane(error, cw, ch, 1, 1, known);
}

/* How ill each offset fits each target, [n_offsets, n_targets]; INFINITY: it leads to no source. NULL: no memory.
 * Caller frees. */
static float *fit_all(const Repeats *r)
{
    const Level *l = r->l;
    const int cw = (l->w + CELL - 1) / CELL, ch = (l->h + CELL - 1) / CELL;
    float *error = g_try_new(float, (gsize)cw *ch), *known = g_try_new(float, (gsize)cw *ch),
          *all = g_try_new(float, (gsize)r->n_offsets *(gsize)l->n_targets);
    gboolean ok = error && known && all;
    for (int i = 0; ok && i < r->n_offsets; i++) {
        ok = fit(r, &r->offset[i], cw, ch, error, known);
        for (int k = 0; ok && k < l->n_targets; k++) {
            const int at = l->target[k], to = moved(l, at, &r->offset[i]);
            all[(gsize)i * (gsize)l->n_targets + (gsize)k] =
                to >= 0 && l->whole[to] ? error[at / l->w / CELL * cw + at % l->w / CELL] + l->dear[to] / (SIDE * SIDE)
                                        : INFINITY;
        }
    }
    g_free(error);
    g_free(known);
    if (!ok)
        g_clear_pointer(&all, g_free);
    return all;
}

/* The offset that makes the hole fit best beside those in use, whose errors are `least` [n_targets]. -1: none is worth
 * its seam. */
static int next_offset(const Repeats *r, const float *all, const float *least)
{
    float most = WORTH * FITS * r->mean * (float)r->l->n_targets;
    int best = -1;
    for (int i = 0; i < r->n_offsets; i++) {
        float gain = 0;
        for (int k = 0; k < r->l->n_targets; k++)
            gain += MAX(0, least[k] - all[(gsize)i * (gsize)r->l->n_targets + (gsize)k]);
        if (gain > most) {
            most = gain;
            best = i;
        }
    }
    return best;
}

/* For each target, the source of the best fitting offset, into l->guess; -1: none fits. FALSE: no memory. */
static gboolean label(const Repeats *r, Level *l)
{
    const gsize n = (gsize)l->w * l->h;
    float *all = fit_all(r), *least = g_try_new(float, (gsize)l->n_targets);
    int *guess = g_try_new(int, n);
    const gboolean ok = all && least && guess;
    for (gsize k = 0; ok && k < n; k++)
        guess[k] = -1;
    for (int k = 0; ok && k < l->n_targets; k++)
        least[k] = FITS * r->mean;
    for (int used = 0, i; ok && used < MOST_USED && (i = next_offset(r, all, least)) >= 0; used++)
        for (int k = 0; k < l->n_targets; k++) {
            const float e = all[(gsize)i * (gsize)l->n_targets + (gsize)k];
            if (e < least[k]) {
                least[k] = e;
                guess[l->target[k]] = moved(l, l->target[k], &r->offset[i]);
            }
        }
    g_free(all);
    g_free(least);
    l->guess = guess;
    return ok;
}

gboolean sfu_patch_repeat(Fill *f)
{
    int at = 0;
    while (at < f->n_levels - 1 && MAX(f->level[at].w, f->level[at].h) > LARGEST_PX)
        at++;
    Level *l = &f->level[at];
    const gsize n = (gsize)l->w * l->h;
    Repeats *r = g_try_new0(Repeats, 1);
    float *depth = g_try_new(float, n);
    gboolean ok = r && depth && (r->distance = g_try_new(float, n));
    if (ok) {
        const float half_width = sfu_patch_level_depth(l, depth);
        for (gsize k = 0; k < n; k++)
            r->distance[k] = l->state[k] == HOLE ? 0 : 1e9f;
        sfu_patch_distances(r->distance, l->w, l->h);
        r->l = l;
        r->reach_x = MIN(l->w - 1, (int)(3 * half_width) + 32);
        r->reach_y = MIN(l->h - 1, (int)(3 * half_width) + 32);
        take_samples(r, MAX(8, half_width));
        measure_mean(r);
        ok = r->mean <= 0 || (choose(r) && (!r->n_offsets || label(r, l)));
    }
    if (r)
        g_free(r->distance);
    g_free(r);
    g_free(depth);
    return ok;
}
