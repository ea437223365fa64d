/* Patch fill: the levels of the pyramid. See patch_level.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fill/patch_level.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXTURE 1.0f /* weight of the texture channel against a color */

/* Marsaglia 2003, xorshift64*: below n. */
int sfu_patch_random(Fill *f, int n)
{
    f->random ^= f->random >> 12;
    f->random ^= f->random << 25;
    f->random ^= f->random >> 27;
    return (int)(((f->random * 2685821657736338717u) >> 32) * (guint64)n >> 32);
}

gboolean sfu_patch_go_on(Fill *f, double work)
{
    f->done += work;
    return !f->tick || f->tick(MIN(1, f->done / f->total), f->data);
}

void sfu_patch_level_clear(Level *l)
{
    g_free(l->p);
    g_free(l->low);
    g_free(l->state);
    g_free(l->hole);
    g_free(l->whole);
    g_free(l->source);
    g_free(l->target);
    g_free(l->from);
    g_free(l->cost);
    g_free(l->dear);
    g_free(l->used);
    g_free(l->guess);
    memset(l, 0, sizeof *l);
}

gboolean sfu_patch_level_init(Level *l, int w, int h)
{
    const gsize n = (gsize)w * h;
    *l = (Level){w, h, .p = g_try_new0(float, n * 4), .state = g_try_new0(guint8, n), .whole = g_try_new0(guint8, n)};
    return l->p && l->state && l->whole;
}

/* o->low from l->low, by means of 2 x 2. FALSE: no memory. */
static gboolean halve_low(const Level *l, Level *o)
{
    o->low = g_try_new(float, (gsize)o->w * o->h * 3);
    for (int y = 0; o->low && y < o->h; y++)
        for (int x = 0; x < o->w; x++)
            for (int c = 0; c < 3; c++) {
                const float *up = l->low + (gsize)2 * y * l->w * 3 + c,
                            *down = l->low + (gsize)MIN(2 * y + 1, l->h - 1) * l->w * 3 + c;
                const int left = 3 * 2 * x, right = 3 * MIN(2 * x + 1, l->w - 1);
                o->low[((gsize)y * o->w + x) * 3 + c] = 0.25f * (up[left] + up[right] + down[left] + down[right]);
            }
    return o->low != NULL;
}

/* ---- geometry ---------------------------------------------------------------------------------------------------- */

/* Distances [h, w] to the nearest pixel where d is 0 (Borgefors 1986, two passes of a 3 x 3 chamfer); in: 0 or far
 * away. */
void sfu_patch_distances(float *d, int w, int h)
{
    static const float diagonal = 1.4142136f;
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            float *v = d + (gsize)y * w + x, m = *v;
            if (x > 0)
                m = MIN(m, v[-1] + 1);
            if (y > 0) {
                m = MIN(m, v[-w] + 1);
                if (x > 0)
                    m = MIN(m, v[-w - 1] + diagonal);
                if (x < w - 1)
                    m = MIN(m, v[-w + 1] + diagonal);
            }
            *v = m;
        }
    }
    for (int y = h - 1; y >= 0; y--) {
        for (int x = w - 1; x >= 0; x--) {
            float *v = d + (gsize)y * w + x, m = *v;
            if (x < w - 1)
                m = MIN(m, v[1] + 1);
            if (y < h - 1) {
                m = MIN(m, v[w] + 1);
                if (x > 0)
                    m = MIN(m, v[w - 1] + diagonal);
                if (x < w - 1)
                    m = MIN(m, v[w + 1] + diagonal);
            }
            *v = m;
        }
    }
}

/* How far each HOLE pixel of the level is from the rest; the largest. */
float sfu_patch_level_depth(const Level *l, float *d)
{
    float most = 0;
    for (gsize k = 0; k < (gsize)l->w * l->h; k++)
        d[k] = l->state[k] == HOLE ? 1e9f : 0;
    sfu_patch_distances(d, l->w, l->h);
    for (gsize k = 0; k < (gsize)l->w * l->h; k++)
        if (d[k] < 1e8f)
            most = MAX(most, d[k]);
    return most;
}

void sfu_patch_level_distance(const Level *l, float *d)
{
    for (gsize k = 0; k < (gsize)l->w * l->h; k++)
        d[k] = l->state[k] == HOLE ? 0 : 1e9f;
    sfu_patch_distances(d, l->w, l->h);
}

static int by_size(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

float sfu_patch_quantile(float *values, int n, float q)
{
    qsort(values, n, sizeof *values, by_size);
    return values[(int)(q * (n - 1))];
}

/* Fills in whole, source and target. */
gboolean sfu_patch_level_list(Level *l)
{
    const int w = l->w, h = l->h;
    l->n_sources = l->n_targets = l->n_hole = 0;
    if (w < SIDE || h < SIDE)
        return TRUE;
    l->hole = g_try_new(int, (gsize)w *h);
    l->source = g_try_new(int, (gsize)w *h);
    l->target = g_try_new(int, (gsize)w *h);
    l->from = g_try_new(int, (gsize)w *h);
    l->cost = g_try_new(float, (gsize)w *h);
    l->dear = g_try_new0(float, (gsize)w *h);
    guint8 *row = g_try_new(guint8, (gsize)w * h); /* worst state of the 7 x 1 pixels about each */
    const gboolean ok = l->hole && l->source && l->target && l->from && l->cost && l->dear && row;
    for (int at = 0; ok && at < w * h; at++) {
        l->from[at] = -1;
        if (l->state[at] == HOLE)
            l->hole[l->n_hole++] = at;
    }
    for (int y = 0; ok && y < h; y++) {
        for (int x = R; x < w - R; x++) {
            guint8 worst = 0;
            for (int k = -R; k <= R; k++)
                worst = MAX(worst, l->state[(gsize)y * w + x + k]);
            row[(gsize)y * w + x] = worst;
        }
    }
    for (int y = R; ok && y < h - R; y++) {
        for (int x = R; x < w - R; x++) {
            const int at = y * w + x;
            guint8 worst = 0;
            for (int k = -R; k <= R; k++)
                worst = MAX(worst, row[at + k * w]);
            l->whole[at] = worst == KNOWN;
            if (worst == KNOWN)
                l->source[l->n_sources++] = at;
            if (worst == HOLE)
                l->target[l->n_targets++] = at;
        }
    }
    g_free(row);
    return ok;
}

/* How busy the known surroundings are: gradients |dx| + |dy| of brightness, averaged over 7 x 7. Newson et al. 2014,
 * section 3.3: without it a patch that is smooth because nothing is known about it finds smooth ones. */
gboolean sfu_patch_level_texture(Level *l, const float *known, gboolean inwards)
{
    const int w = l->w, h = l->h;
    const gsize n = (gsize)w * h;
    float *g = g_try_new0(float, n * 2), *row = g_try_new(float, 2 * (gsize)w), *told = g_try_new(float, n);
    gboolean ok = g && row && told;
    for (int y = 0; ok && y < h; y++) {
        for (int x = 0; x < w; x++) {
            const gsize k = (gsize)y * w + x, r = k + (x < w - 1 ? 1 : -(x > 0)),
                        d = k + (y < h - 1 ? w : -(y > 0 ? w : 0));
            if (known[k] < 1 || known[r] < 1 || known[d] < 1)
                continue;
            const float *a = l->p + k * 4, *b = l->p + r * 4, *c = l->p + d * 4;
            for (int i = 0; i < 3; i++)
                g[2 * k] += (fabsf(a[i] - b[i]) + fabsf(a[i] - c[i])) / 3;
            g[2 * k + 1] = 1;
        }
    }
    /* Sums of 7 along rows into g, then along columns. */
    for (int y = 0; ok && y < h; y++) {
        for (int x = 0; x < w; x++) {
            float *o = row + 2 * x;
            o[0] = o[1] = 0;
            for (int i = MAX(0, x - R); i <= MIN(w - 1, x + R); i++) {
                o[0] += g[2 * ((gsize)y * w + i)];
                o[1] += g[2 * ((gsize)y * w + i) + 1];
            }
        }
        memcpy(g + 2 * (gsize)y * w, row, 2 * (gsize)w * sizeof(float));
    }
    for (int y = 0; ok && y < h; y++) {
        for (int x = 0; x < w; x++) {
            float sum = 0, weight = 0;
            for (int j = MAX(0, y - R); j <= MIN(h - 1, y + R); j++) {
                sum += g[2 * ((gsize)j * w + x)];
                weight += g[2 * ((gsize)j * w + x) + 1];
            }
            l->p[4 * ((gsize)y * w + x) + 3] = weight > 0 ? TEXTURE * sum / weight : 0;
            told[(gsize)y * w + x] = weight >= SIDE;
        }
    }
    ok = ok && (!inwards || sfu_membrane(l->p + 3, w, h, 4, 1, told));
    g_free(g);
    g_free(row);
    g_free(told);
    return ok;
}

/* Half the size, by the binomial 1 3 3 1; what is not HOLE is made of what is not HOLE. */
gboolean sfu_patch_level_halve(const Level *l, Level *o, int number)
{
    static const float tap[4] = {1, 3, 3, 1};
    if (!sfu_patch_level_init(o, (l->w + 1) / 2, (l->h + 1) / 2))
        return FALSE;
    for (int y = 0; y < o->h; y++) {
        for (int x = 0; x < o->w; x++) {
            const gsize at = (gsize)y * o->w + x;
            guint8 worst = KNOWN;
            for (int j = 2 * y; j < MIN(2 * y + 2, l->h); j++)
                for (int i = 2 * x; i < MIN(2 * x + 2, l->w); i++)
                    worst = MAX(worst, l->state[(gsize)j * l->w + i]);
            float sum[4] = {0}, weight = 0;
            for (int j = MAX(0, 2 * y - 1); j < MIN(2 * y + 3, l->h); j++) {
                for (int i = MAX(0, 2 * x - 1); i < MIN(2 * x + 3, l->w); i++) {
                    const gsize k = (gsize)j * l->w + i;
                    if (l->state[k] > worst)
                        continue;
                    const float t = tap[j - 2 * y + 1] * tap[i - 2 * x + 1];
                    for (int c = 0; c < 4; c++)
                        sum[c] += t * l->p[k * 4 + c];
                    weight += t;
                }
            }
            for (int c = 0; c < 4; c++)
                o->p[at * 4 + c] = sum[c] / weight;
            /* Two levels up a thin stroke is a fraction of a pixel, and too good a source to lose. */
            o->state[at] = worst == FIXED && number > 1 ? KNOWN : worst;
        }
    }
    o->tolerance = l->tolerance;
    return (!l->low || halve_low(l, o)) && sfu_patch_level_list(o);
}
