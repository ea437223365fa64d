/* Patch fill: holes are completed with texture and structure copied from the rest of the picture. Coarse to fine; on each level nearest
 * patches are searched and the hole's pixels voted by turns. See patch_fill.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "patch_fill.h"

#include <math.h>
#include <string.h>

#define R 3 /* patches are 7 x 7 */
#define SIDE (2 * R + 1)
#define MAX_LEVELS 12
#define COARSE_PX 12     /* half-width of the widest hole on the coarsest level, at most. Much less and things are grown out of next to nothing */
#define LEAST_SOURCES 64 /* on the coarsest level */
#define TEXTURE 0.7f     /* weight of the texture channel against a colour */
#define GUESS 0.1f       /* weight of what is not filled yet: at 0 anything may be grown, at 1 nothing but the smooth fill */
#define EDGE 0.05f       /* urgency of a rim pixel without any edge */
#define CHUNK 2          /* pixels copied to each side at once by the sketch */

enum { KNOWN, FIXED, HOLE }; /* FIXED: filled already, but not to be copied from */

typedef struct {
    int w, h;
    float *p;                        /* [h, w, 4] R, G, B, and how busy the surroundings are */
    guint8 *state;                   /* [h, w] */
    guint8 *whole;                   /* [h, w] the patch with its middle here is all KNOWN */
    int *source, n_sources;          /* middles of those */
    int *target, n_targets;          /* middles of the patches that touch HOLE, and lie inside the picture; in raster order */
    int *from;                       /* [h, w] for each target, the middle of the nearest source patch */
    float *cost;                     /* [h, w] and its distance */
} Level;

typedef struct {
    Level level[MAX_LEVELS];
    int n_levels;
    guint64 random;
    SfuPatchTick tick;
    gpointer data;
    double done, total;
} Fill;

/* Marsaglia 2003, xorshift64*: below n. */
static int random_below(Fill *f, int n)
{
    f->random ^= f->random >> 12;
    f->random ^= f->random << 25;
    f->random ^= f->random >> 27;
    return (int)(((f->random * 2685821657736338717u) >> 32) * (guint64)n >> 32);
}

static gboolean go_on(Fill *f, double work)
{
    f->done += work;
    return !f->tick || f->tick(MIN(1, f->done / f->total), f->data);
}

static void level_clear(Level *l)
{
    g_free(l->p);
    g_free(l->state);
    g_free(l->whole);
    g_free(l->source);
    g_free(l->target);
    g_free(l->from);
    g_free(l->cost);
    memset(l, 0, sizeof *l);
}

static gboolean level_init(Level *l, int w, int h)
{
    const gsize n = (gsize)w * h;
    *l = (Level){w, h, .p = g_try_new0(float, n * 4), .state = g_try_new0(guint8, n), .whole = g_try_new0(guint8, n)};
    return l->p && l->state && l->whole;
}

/* ---- geometry ---------------------------------------------------------------------------------------------------- */

/* Distances [h, w] to the nearest pixel where d is 0 (Borgefors 1986, two passes of a 3 x 3 chamfer); in: 0 or far away. */
static void distances(float *d, int w, int h)
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
static float depth(const Level *l, float *d)
{
    float most = 0;
    for (gsize k = 0; k < (gsize)l->w * l->h; k++)
        d[k] = l->state[k] == HOLE ? 1e9f : 0;
    distances(d, l->w, l->h);
    for (gsize k = 0; k < (gsize)l->w * l->h; k++)
        if (d[k] < 1e8f)
            most = MAX(most, d[k]);
    return most;
}

/* Fills in whole, source and target. */
static gboolean list_patches(Level *l)
{
    const int w = l->w, h = l->h;
    l->n_sources = l->n_targets = 0;
    if (w < SIDE || h < SIDE)
        return TRUE;
    l->source = g_try_new(int, (gsize)w * h);
    l->target = g_try_new(int, (gsize)w * h);
    l->from = g_try_new(int, (gsize)w * h);
    l->cost = g_try_new(float, (gsize)w * h);
    guint8 *row = g_try_new(guint8, (gsize)w * h); /* worst state of the 7 x 1 pixels about each */
    const gboolean ok = l->source && l->target && l->from && l->cost && row;
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

/* How busy the known surroundings are: gradients |dx| + |dy| of brightness, averaged over 7 x 7. Newson et al. 2014, section 3.3: without it a patch
 * that is smooth because nothing is known about it finds smooth ones. */
static gboolean measure_texture(Level *l, const float *known)
{
    const int w = l->w, h = l->h;
    const gsize n = (gsize)w * h;
    float *g = g_try_new0(float, n * 2);
    if (!g)
        return FALSE;
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            const gsize k = (gsize)y * w + x, r = k + (x < w - 1 ? 1 : -(x > 0)), d = k + (y < h - 1 ? w : -(y > 0 ? w : 0));
            if (known[k] < 1 || known[r] < 1 || known[d] < 1)
                continue;
            const float *a = l->p + k * 4, *b = l->p + r * 4, *c = l->p + d * 4;
            for (int i = 0; i < 3; i++)
                g[2 * k] += (fabsf(a[i] - b[i]) + fabsf(a[i] - c[i])) / 3;
            g[2 * k + 1] = 1;
        }
    }
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            float sum = 0, weight = 0;
            for (int j = MAX(0, y - R); j <= MIN(h - 1, y + R); j++) {
                for (int i = MAX(0, x - R); i <= MIN(w - 1, x + R); i++) {
                    sum += g[2 * ((gsize)j * w + i)];
                    weight += g[2 * ((gsize)j * w + i) + 1];
                }
            }
            l->p[4 * ((gsize)y * w + x) + 3] = weight > 0 ? TEXTURE * sum / weight : 0;
        }
    }
    g_free(g);
    return TRUE;
}

/* Half the size, by the binomial 1 3 3 1; what is not HOLE is made of what is not HOLE. */
static gboolean halve(const Level *l, Level *o, int number)
{
    static const float tap[4] = {1, 3, 3, 1};
    if (!level_init(o, (l->w + 1) / 2, (l->h + 1) / 2))
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
    return list_patches(o);
}

/* ---- search ------------------------------------------------------------------------------------------------------ */

/* Sum of squared differences of two patches; more than `best`: something above it. */
static float patch_cost(const Level *l, int a, int b, float best)
{
    const float *p = l->p + 4 * ((gsize)a - R * l->w - R), *q = l->p + 4 * ((gsize)b - R * l->w - R);
    float sum = 0;
    for (int y = 0; y < SIDE && sum < best; y++) {
        float s[4] = {0};
        for (int x = 0; x < 4 * SIDE; x += 4)
            for (int c = 0; c < 4; c++)
                s[c] += (p[x + c] - q[x + c]) * (p[x + c] - q[x + c]);
        sum += (s[0] + s[1]) + (s[2] + s[3]);
        p += 4 * l->w;
        q += 4 * l->w;
    }
    return sum;
}

static void try(Level *l, int at, int from)
{
    if (!l->whole[from] || from == l->from[at])
        return;
    const float c = patch_cost(l, at, from, l->cost[at]);
    if (c < l->cost[at]) {
        l->cost[at] = c;
        l->from[at] = from;
    }
}

static gboolean is_target(const Level *l, int at)
{
    return l->from[at] >= 0;
}

/* One sweep of PatchMatch (Barnes et al. 2009, section 3.2): propagation from the two neighbours that the sweep has passed, then random tries in windows that
 * halve from `reach` on. */
static gboolean search(Fill *f, Level *l, gboolean back, int reach)
{
    const int w = l->w, h = l->h, step = back ? 1 : -1;
    for (int k = 0; k < l->n_targets; k++) {
        const int at = l->target[back ? l->n_targets - 1 - k : k];
        /* A target is at least R from the borders, so that its neighbours exist, and so do the neighbours of its source. */
        if (is_target(l, at + step))
            try(l, at, l->from[at + step] - step);
        if (is_target(l, at + step * w))
            try(l, at, l->from[at + step * w] - step * w);
        for (int r = reach; r >= 1; r /= 2) {
            const int fx = l->from[at] % w, fy = l->from[at] / w;
            const int x0 = MAX(R, fx - r), x1 = MIN(w - R, fx + r + 1), y0 = MAX(R, fy - r), y1 = MIN(h - R, fy + r + 1);
            try(l, at, (y0 + random_below(f, y1 - y0)) * w + x0 + random_below(f, x1 - x0));
        }
        if (k % 512 == 511 && !go_on(f, 512))
            return FALSE;
    }
    return go_on(f, l->n_targets % 512);
}

static void measure_costs(Level *l)
{
    for (int k = 0; k < l->n_targets; k++)
        l->cost[l->target[k]] = patch_cost(l, l->target[k], l->from[l->target[k]], INFINITY);
}

/* ---- votes ------------------------------------------------------------------------------------------------------- */

/* The targets whose patches hold pixel x, y, no further from it than `reach` where the border lets them. */
static void patches_over(const Level *l, int x, int y, int reach, int *x0, int *x1, int *y0, int *y1)
{
    *x0 = CLAMP(x - reach, R, l->w - 1 - R);
    *x1 = CLAMP(x + reach, R, l->w - 1 - R);
    *y0 = CLAMP(y - reach, R, l->h - 1 - R);
    *y1 = CLAMP(y + reach, R, l->h - 1 - R);
}

/* Each HOLE pixel becomes the mean of what the patches over it say, weighted by how well they fit (Wexler et al. 2007, eq. 4 and 5, with the width of the
 * Gaussian from the costs at the place) and by how near their middle is to the known rest (confidence, section 3.3 there: 1.3^-distance). */
static void vote(Level *l, const float *depths)
{
    const int w = l->w;
    for (int y = 0; y < l->h; y++) {
        for (int x = 0; x < w; x++) {
            const int at = y * w + x;
            if (l->state[at] != HOLE)
                continue;
            int x0, x1, y0, y1;
            patches_over(l, x, y, R, &x0, &x1, &y0, &y1);
            float least = INFINITY, mean = 0;
            for (int j = y0; j <= y1; j++) {
                for (int i = x0; i <= x1; i++) {
                    least = MIN(least, l->cost[j * w + i]);
                    mean += l->cost[j * w + i];
                }
            }
            mean /= (x1 - x0 + 1) * (y1 - y0 + 1);
            const float scale = 1 / (1e-6f + 0.5f * (mean - least) + 0.1f * mean);
            float sum[4] = {0}, weight = 0;
            for (int j = y0; j <= y1; j++) {
                for (int i = x0; i <= x1; i++) {
                    const int c = j * w + i;
                    const float *s = l->p + 4 * (gsize)(l->from[c] + at - c);
                    const float t = expf(-(l->cost[c] - least) * scale) * depths[c];
                    for (int k = 0; k < 4; k++)
                        sum[k] += t * s[k];
                    weight += t;
                }
            }
            for (int k = 0; k < 4; k++)
                l->p[4 * (gsize)at + k] = sum[k] / weight;
        }
    }
}

/* For each HOLE pixel, the pixel that the best fitting patch over it says: no means, so as sharp as the source. Only patches that hold the pixel's
 * neighbours too: these tell the gradients. copy [h, w]. */
static void choose(const Level *l, int *copy)
{
    for (int y = 0; y < l->h; y++) {
        for (int x = 0; x < l->w; x++) {
            const int at = y * l->w + x;
            copy[at] = -1;
            if (l->state[at] != HOLE)
                continue;
            int x0, x1, y0, y1;
            patches_over(l, x, y, R - 1, &x0, &x1, &y0, &y1);
            float least = INFINITY;
            for (int j = y0; j <= y1; j++) {
                for (int i = x0; i <= x1; i++) {
                    const int c = j * l->w + i;
                    if (l->cost[c] < least) {
                        least = l->cost[c];
                        copy[at] = l->from[c] + at - c;
                    }
                }
            }
        }
    }
}

/* ---- seams ------------------------------------------------------------------------------------------------------- */

#define SCREEN 0.01f  /* pull towards the copied colour: seams fade out over some ten pixels */
#define SWEEPS 60
#define OVER 1.8f     /* successive over-relaxation */

/* Perez et al. 2003, eq. 7, with the gradients of the copied patches and known pixels as the border: minimises
 * sum over neighbours (f_p - f_q - v_pq)^2 + SCREEN sum (f_p - copied_p)^2. */
static gboolean remove_seams(Level *l, const int *copy, float *out)
{
    const int w = l->w, h = l->h;
    const int side[4] = {-1, 1, -w, w};
    float *b = g_try_new0(float, (gsize)w * h * 3);
    if (!b)
        return FALSE;
    for (int at = 0; at < w * h; at++) {
        for (int c = 0; c < 3; c++)
            out[3 * at + c] = l->p[4 * (gsize)(copy[at] >= 0 ? copy[at] : at) + c];
        if (copy[at] < 0)
            continue;
        const int x = at % w, y = at / w;
        const gboolean has[4] = {x > 0, x < w - 1, y > 0, y < h - 1};
        for (int c = 0; c < 3; c++) {
            b[3 * at + c] = SCREEN * l->p[4 * (gsize)copy[at] + c];
            for (int k = 0; k < 4; k++) {
                if (!has[k])
                    continue;
                const int q = at + side[k];
                float v = l->p[4 * (gsize)copy[at] + c] - l->p[4 * (gsize)(copy[at] + side[k]) + c];
                if (copy[q] >= 0)
                    v = 0.5f * (v + l->p[4 * (gsize)(copy[q] - side[k]) + c] - l->p[4 * (gsize)copy[q] + c]);
                b[3 * at + c] += v;
            }
        }
    }
    for (int s = 0; s < SWEEPS; s++) {
        for (int at = 0; at < w * h; at++) {
            if (copy[at] < 0)
                continue;
            const int x = at % w, y = at / w;
            const gboolean has[4] = {x > 0, x < w - 1, y > 0, y < h - 1};
            float sum[3] = {b[3 * at], b[3 * at + 1], b[3 * at + 2]}, n = SCREEN;
            for (int k = 0; k < 4; k++) {
                if (!has[k])
                    continue;
                for (int c = 0; c < 3; c++)
                    sum[c] += out[3 * (at + side[k]) + c];
                n += 1;
            }
            for (int c = 0; c < 3; c++)
                out[3 * at + c] += OVER * (sum[c] / n - out[3 * at + c]);
        }
    }
    g_free(b);
    return TRUE;
}

/* ---- levels ------------------------------------------------------------------------------------------------------ */


static float brightness(const float *p)
{
    return p[0] + p[1] + p[2];
}

/* Criminisi, Perez & Toyama 2004, eq. 1: how much of the patch at a pixel on the rim is known for sure, times how strong an edge runs into the hole
 * there (the strongest of the patch). sure [h, w]: 0 where the hole is still open. */
static float urgency(const Level *l, const float *sure, int at)
{
    const int w = l->w, x = at % w, y = at / w;
    const int x0 = MAX(0, x - R), x1 = MIN(w - 2, x + R), y0 = MAX(0, y - R), y1 = MIN(l->h - 2, y + R);
    float sum = 0, gx = 0, gy = 0, most = 0;
    for (int j = y0; j <= y1; j++) {
        for (int i = x0; i <= x1; i++) {
            const int k = j * w + i;
            sum += sure[k];
            if (sure[k] <= 0 || sure[k + 1] <= 0 || sure[k + w] <= 0)
                continue;
            const float v = brightness(l->p + 4 * k), dx = brightness(l->p + 4 * (k + 1)) - v, dy = brightness(l->p + 4 * (k + w)) - v;
            if (dx * dx + dy * dy > most) {
                most = dx * dx + dy * dy;
                gx = dx;
                gy = dy;
            }
        }
    }
    float nx = 0, ny = 0; /* out of the hole */
    for (int j = MAX(0, y - 1); j <= MIN(l->h - 1, y + 1); j++) {
        for (int i = MAX(0, x - 1); i <= MIN(w - 1, x + 1); i++) {
            const float open = sure[j * w + i] <= 0;
            nx -= open * (i - x);
            ny -= open * (j - y);
        }
    }
    const float length = sqrtf(nx * nx + ny * ny);
    return sum / (SIDE * SIDE) * (EDGE + (length > 0 ? fabsf(-gy * nx + gx * ny) / length : 0));
}

/* The source patch nearest to the patch at a target, what is open in it compared with the smooth guess and counted less. */
static int nearest(Fill *f, const Level *l, const float *sure, int target, int tries)
{
    float best = INFINITY, weight[SIDE * SIDE];
    int found = l->source[0];
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++)
            weight[j * SIDE + i] = sure[target + (j - R) * l->w + i - R] > 0 ? 1 : GUESS;
    for (int t = 0; t < tries; t++) {
        const int s = l->source[tries < l->n_sources ? random_below(f, l->n_sources) : t];
        const float *p = l->p + 4 * (target - R * l->w - R), *q = l->p + 4 * (s - R * l->w - R);
        float sum = 0;
        for (int j = 0; j < SIDE && sum < best; j++) {
            float row[4] = {0};
            for (int i = 0; i < SIDE; i++)
                for (int c = 0; c < 4; c++)
                    row[c] += weight[j * SIDE + i] * (p[4 * i + c] - q[4 * i + c]) * (p[4 * i + c] - q[4 * i + c]);
            sum += (row[0] + row[1]) + (row[2] + row[3]);
            p += 4 * l->w;
            q += 4 * l->w;
        }
        if (sum < best) {
            best = sum;
            found = s;
        }
    }
    return found;
}

/* First guess on the coarsest level: patch by patch from the rim inwards, edges first (Criminisi et al. 2004). */
static gboolean sketch(Fill *f, Level *l)
{
    const int w = l->w, h = l->h;
    const gsize n = (gsize)w * h;
    float *sure = g_try_new(float, n), *urgent = g_try_new0(float, n);
    int *open = g_try_new(int, n), n_open = 0;
    gboolean ok = sure && urgent && open;
    for (gsize k = 0; ok && k < n; k++) {
        sure[k] = l->state[k] != HOLE;
        if (sure[k] <= 0)
            open[n_open++] = (int)k;
    }
    const int tries = (int)MIN(l->n_sources, MAX(1000, 4000000.0 / MAX(1, n_open)));
    for (int k = 0; k < n_open; k++)
        urgent[open[k]] = -1; /* to be measured */
    while (ok && n_open > 0) {
        int at = open[0], left = 0;
        float most = -1;
        for (int k = 0; k < n_open; k++) {
            const int o = open[k], x = o % w, y = o / w;
            if (sure[o] > 0)
                continue;
            open[left++] = o;
            if (urgent[o] < 0) {
                const gboolean rim = (x > 0 && sure[o - 1] > 0) || (x < w - 1 && sure[o + 1] > 0) || (y > 0 && sure[o - w] > 0) || (y < h - 1 && sure[o + w] > 0);
                urgent[o] = rim ? urgency(l, sure, o) : 0;
            }
            if (urgent[o] > most) {
                most = urgent[o];
                at = o;
            }
        }
        n_open = left;
        if (n_open == 0)
            break;
        const int x = at % w, y = at / w, mx = CLAMP(x, R, w - 1 - R), my = CLAMP(y, R, h - 1 - R), middle = my * w + mx;
        const int source = nearest(f, l, sure, middle, tries);
        float trust = 0;
        for (int j = -R; j <= R; j++)
            for (int i = -R; i <= R; i++)
                trust += sure[middle + j * w + i];
        trust = MAX(trust / (SIDE * SIDE), 1e-6f);
        for (int j = -R; j <= R; j++) {
            for (int i = -R; i <= R; i++) {
                const int k = middle + j * w + i;
                if (sure[k] > 0 || (abs(my + j - y) > CHUNK || abs(mx + i - x) > CHUNK))
                    continue;
                memcpy(l->p + 4 * (gsize)k, l->p + 4 * (gsize)(source + j * w + i), 4 * sizeof(float));
                sure[k] = trust;
                if (l->from[k] >= 0 && l->whole[source + j * w + i])
                    l->from[k] = source + j * w + i;
            }
        }
        for (int j = MAX(0, y - 2 * R); j <= MIN(h - 1, y + 2 * R); j++)
            for (int i = MAX(0, x - 2 * R); i <= MIN(w - 1, x + 2 * R); i++)
                urgent[j * w + i] = -1;
        ok = go_on(f, 0);
    }
    g_free(sure);
    g_free(urgent);
    g_free(open);
    return ok;
}

/* Sources of the level, and how well they fit, from those of the coarser one. */
static void inherit(Fill *f, Level *l, const Level *coarse)
{
    for (int k = 0; k < l->n_targets; k++) {
        const int at = l->target[k], x = at % l->w, y = at / l->w;
        const int up = CLAMP(y / 2, R, coarse->h - 1 - R) * coarse->w + CLAMP(x / 2, R, coarse->w - 1 - R);
        /* A patch that holds a pixel of the hole does so on the coarser level too. */
        const int u = coarse->from[up];
        const int sx = x + 2 * (u % coarse->w - up % coarse->w), sy = y + 2 * (u / coarse->w - up / coarse->w);
        const gboolean good = sx >= R && sx < l->w - R && sy >= R && sy < l->h - R && l->whole[sy * l->w + sx];
        l->from[at] = good ? sy * l->w + sx : l->source[random_below(f, l->n_sources)];
        l->cost[at] = coarse->cost[up];
    }
}

static const int rounds[] = {3, 3, 4, 6}; /* of search and vote: finest level, next, ...; the last for all coarser ones */
#define FIRST_ROUNDS 10

static int rounds_of(const Fill *f, int k)
{
    return k == f->n_levels - 1 ? FIRST_ROUNDS : rounds[MIN(k, (int)G_N_ELEMENTS(rounds) - 1)];
}

static SfuPatchEnd complete(Fill *f, int k)
{
    Level *l = &f->level[k];
    const gsize n = (gsize)l->w * l->h;
    const gboolean first = k == f->n_levels - 1;
    for (gsize i = 0; i < n; i++)
        l->from[i] = -1;
    float *confidence = g_try_new(float, n);
    if (!confidence)
        return SFU_PATCH_NO_MEMORY;
    depth(l, confidence);
    for (gsize i = 0; i < n; i++)
        confidence[i] = powf(1.3f, -MIN(confidence[i], 60));
    gboolean ok = TRUE;
    if (first) {
        for (int i = 0; i < l->n_targets; i++)
            l->from[l->target[i]] = l->source[random_below(f, l->n_sources)];
        ok = sketch(f, l);
    } else {
        inherit(f, l, l + 1);
        vote(l, confidence);
    }
    for (int r = 0; ok && r < rounds_of(f, k); r++) {
        measure_costs(l);
        ok = search(f, l, r & 1, MAX(l->w, l->h)) && search(f, l, !(r & 1), MAX(l->w, l->h));
        if (ok && (k > 0 || r + 1 < rounds_of(f, k)))
            vote(l, confidence);
    }
    g_free(confidence);
    return ok ? SFU_PATCH_DONE : SFU_PATCH_STOPPED;
}

/* The pyramid, down to where the widest hole is a few pixels wide and there still are patches to copy from. */
static gboolean build(Fill *f)
{
    gboolean ok = TRUE;
    while (f->n_levels < MAX_LEVELS) {
        const Level *l = &f->level[f->n_levels - 1];
        float *d = g_try_new(float, (gsize)l->w * l->h);
        const gboolean narrow = !d || depth(l, d) <= COARSE_PX;
        ok = d != NULL;
        g_free(d);
        if (narrow)
            break;
        Level *o = &f->level[f->n_levels];
        ok = halve(l, o, f->n_levels);
        if (!ok || o->n_sources < LEAST_SOURCES || o->n_targets == 0) {
            level_clear(o);
            break;
        }
        f->n_levels++;
    }
    for (int k = 0; k < f->n_levels; k++)
        f->total += 2.0 * rounds_of(f, k) * f->level[k].n_targets;
    return ok;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* share [h, w]: how much of each hole pixel the patches make: 1 in and round the parts whose half-width is above thin, 0 in thin strokes. */
static gboolean thick_parts(const float *known, int w, int h, double thin, float *share)
{
    const gsize n = (gsize)w * h;
    float *d = g_try_new(float, n);
    if (!d)
        return FALSE;
    for (gsize k = 0; k < n; k++)
        d[k] = known[k] >= 1 ? 0 : 1e9f;
    distances(d, w, h);
    for (gsize k = 0; k < n; k++)
        share[k] = d[k] > thin ? 0 : 1e9f;
    distances(share, w, h);
    for (gsize k = 0; k < n; k++)
        share[k] = d[k] <= 0 ? 0 : thin <= 0 ? 1 : (float)CLAMP(2.5 - share[k] / thin, 0, 1);
    g_free(d);
    return TRUE;
}

/* The hole's bounds and what lies round them, from where patches are taken. */
static gboolean surroundings(const float *mask, int w, int h, int *x0, int *y0, int *x1, int *y1)
{
    *x0 = w;
    *y0 = h;
    *x1 = *y1 = 0;
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            if (!(mask[(gsize)y * w + x] > 0))
                continue;
            *x0 = MIN(*x0, x);
            *x1 = MAX(*x1, x + 1);
            *y0 = MIN(*y0, y);
            *y1 = MAX(*y1, y + 1);
        }
    }
    if (*x1 <= *x0)
        return FALSE;
    const int margin = MAX(192, MAX(*x1 - *x0, *y1 - *y0));
    *x0 = MAX(0, *x0 - margin);
    *y0 = MAX(0, *y0 - margin);
    *x1 = MIN(w, *x1 + margin);
    *y1 = MIN(h, *y1 + margin);
    return TRUE;
}

/* rgb [h, w, 3] with its holes filled smoothly. */
static SfuPatchEnd fill_thick(Fill *f, float *rgb, int w, int h, const float *known, const float *share)
{
    Level *l = &f->level[0];
    const gsize n = (gsize)w * h;
    if (!level_init(l, w, h))
        return SFU_PATCH_NO_MEMORY;
    for (gsize k = 0; k < n; k++) {
        memcpy(l->p + 4 * k, rgb + 3 * k, 3 * sizeof(float));
        l->state[k] = share[k] > 0 ? HOLE : known[k] < 1 ? FIXED : KNOWN;
    }
    f->n_levels = 1;
    if (!measure_texture(l, known) || !list_patches(l))
        return SFU_PATCH_NO_MEMORY;
    if (l->n_targets == 0 || l->n_sources == 0)
        return SFU_PATCH_DONE;
    if (!build(f))
        return SFU_PATCH_NO_MEMORY;
    SfuPatchEnd end = SFU_PATCH_DONE;
    for (int k = f->n_levels - 1; k >= 0 && end == SFU_PATCH_DONE; k--)
        end = complete(f, k);
    if (end != SFU_PATCH_DONE)
        return end;
    int *copy = g_try_new(int, n);
    float *out = g_try_new(float, n * 3);
    if (copy && out) {
        choose(l, copy);
        if (!remove_seams(l, copy, out))
            end = SFU_PATCH_NO_MEMORY;
        for (gsize k = 0; end == SFU_PATCH_DONE && k < n; k++)
            for (int c = 0; share[k] > 0 && c < 3; c++)
                rgb[3 * k + c] += share[k] * (out[3 * k + c] - rgb[3 * k + c]);
    } else {
        end = SFU_PATCH_NO_MEMORY;
    }
    g_free(copy);
    g_free(out);
    return end;
}

SfuPatchEnd sfu_patch_fill(float *rgb, int w, int h, const float *mask, double thin_px, guint64 seed, SfuPatchTick tick, gpointer data)
{
    int x0, y0, x1, y1;
    if (!surroundings(mask, w, h, &x0, &y0, &x1, &y1))
        return SFU_PATCH_DONE;
    const int cw = x1 - x0, ch = y1 - y0;
    const gsize n = (gsize)cw * ch;
    Fill f = {.random = seed * 0x9E3779B97F4A7C15u + 0x2545F4914F6CDD1Du, .tick = tick, .data = data};
    if (f.random == 0)
        f.random = 1;
    float *cut = g_try_new(float, n * 3), *known = g_try_new(float, n), *share = g_try_new(float, n);
    SfuPatchEnd end = cut && known && share ? SFU_PATCH_DONE : SFU_PATCH_NO_MEMORY;
    for (int y = 0; end == SFU_PATCH_DONE && y < ch; y++) {
        memcpy(cut + (gsize)y * cw * 3, rgb + ((gsize)(y0 + y) * w + x0) * 3, (gsize)cw * 3 * sizeof(float));
        for (int x = 0; x < cw; x++)
            known[(gsize)y * cw + x] = !(mask[(gsize)(y0 + y) * w + x0 + x] > 0);
    }
    if (end == SFU_PATCH_DONE && !(sfu_membrane(cut, cw, ch, 3, 3, known) && thick_parts(known, cw, ch, thin_px, share)))
        end = SFU_PATCH_NO_MEMORY;
    if (end == SFU_PATCH_DONE)
        end = fill_thick(&f, cut, cw, ch, known, share);
    for (int y = 0; end == SFU_PATCH_DONE && y < ch; y++)
        for (int x = 0; x < cw; x++)
            if (known[(gsize)y * cw + x] < 1)
                memcpy(rgb + ((gsize)(y0 + y) * w + x0 + x) * 3, cut + ((gsize)y * cw + x) * 3, 3 * sizeof(float));
    for (int k = 0; k < MAX_LEVELS; k++)
        level_clear(&f.level[k]);
    g_free(share);
    g_free(known);
    g_free(cut);
    return end;
}
