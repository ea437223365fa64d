/* Patch fill: nearest patches, votes, and the last picture. See patch_level.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fill/patch_level.h"

#include <math.h>
#include <string.h>

#define FINE_REACH 32 /* px */
#define AGREE 3.0f    /* weight of the guide's low frequencies against a pixel of the patch */

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

float sfu_patch_own_cost(const Level *l, int at, int from)
{
    const float apart = l->low ? MAX(0, sfu_patch_low_difference(l, at, from) - l->tolerance) : 0;
    return l->dear[from] + AGREE * SIDE * SIDE * apart;
}

/* ---- how often sources are used ---- */

#define CELL 4 /* px */

static int cell(const Level *l, int at)
{
    return at / l->w / CELL * l->w + at % l->w / CELL;
}

static void count_use(Level *l)
{
    if (!l->used)
        return;
    memset(l->used, 0, (gsize)l->w * l->h * sizeof *l->used);
    for (int k = 0; k < l->n_targets; k++)
        l->used[cell(l, l->from[l->target[k]])]++;
}

/* What `from` costs because others use it. */
static float reuse_cost(const Level *l, int from)
{
    return l->used ? l->reuse * MAX(0, l->used[cell(l, from)] / (float)(CELL * CELL) - 1) : 0;
}

static void use(Level *l, int at, int from)
{
    if (l->used) {
        l->used[cell(l, l->from[at])]--;
        l->used[cell(l, from)]++;
    }
    l->from[at] = from;
}

/* ---- search ---- */

static void try(Level *l, int at, int from)
{
    if (!l->whole[from] || from == l->from[at])
        return;
    const float dear = sfu_patch_own_cost(l, at, from) + reuse_cost(l, from),
                c = dear < l->cost[at] ? dear + patch_cost(l, at, from, l->cost[at] - dear) : INFINITY;
    if (c < l->cost[at]) {
        l->cost[at] = c;
        use(l, at, from);
    }
}

/* One sweep of PatchMatch (Barnes et al. 2009, section 3.2): propagation from the two neighbors that the sweep has
 * passed, then random tries in windows that halve from `reach` on. */
static gboolean search(Fill *f, Level *l, gboolean back, int reach)
{
    const int w = l->w, h = l->h, step = back ? 1 : -1;
    for (int k = 0; k < l->n_targets; k++) {
        const int at = l->target[back ? l->n_targets - 1 - k : k];
        /* A target is at least R from the borders, so that its neighbors exist, and so do the neighbors of its
         * source. */
        if (l->from[at + step] >= 0)
            try(l, at, l->from[at + step] - step);
        if (l->from[at + step * w] >= 0)
            try(l, at, l->from[at + step * w] - step * w);
        for (int r = reach; r >= 1; r /= 2) {
            const int fx = l->from[at] % w, fy = l->from[at] / w;
            const int x0 = MAX(R, fx - r), x1 = MIN(w - R, fx + r + 1), y0 = MAX(R, fy - r),
                      y1 = MIN(h - R, fy + r + 1);
            try(l, at, (y0 + sfu_patch_random(f, y1 - y0)) * w + x0 + sfu_patch_random(f, x1 - x0));
        }
        if (k % 512 == 511 && !sfu_patch_go_on(f, 512))
            return FALSE;
    }
    return sfu_patch_go_on(f, l->n_targets % 512);
}

void sfu_patch_measure(Level *l)
{
    count_use(l);
    for (int k = 0; k < l->n_targets; k++) {
        const int at = l->target[k], from = l->from[at];
        l->cost[at] = sfu_patch_own_cost(l, at, from) + reuse_cost(l, from) + patch_cost(l, at, from, INFINITY);
    }
}

gboolean sfu_patch_search(Fill *f, Level *l)
{
    sfu_patch_measure(l); /* the votes have changed the targets */
    /* Below the coarsest level the sources are about right; far tries would cost more (they miss the caches) than they
     * find. */
    const int most = MAX(l->w, l->h), reach = l == &f->level[f->n_levels - 1] ? most : MIN(most, FINE_REACH);
    return search(f, l, FALSE, reach) && search(f, l, TRUE, reach);
}

/* ---- votes ------------------------------------------------------------------------------------------------------- */

/* Columns x0 to x1 and rows y0 to y1, these included. */
typedef struct {
    int x0, x1, y0, y1;
} Targets;

/* The targets whose patches hold pixel x, y, no further from it than `reach` where the border lets them. */
static Targets patches_over(const Level *l, int x, int y, int reach)
{
    return (Targets){CLAMP(x - reach, R, l->w - 1 - R), CLAMP(x + reach, R, l->w - 1 - R),
                     CLAMP(y - reach, R, l->h - 1 - R), CLAMP(y + reach, R, l->h - 1 - R)};
}

/* Each HOLE pixel becomes the mean of what the patches over it say, weighted by how well they fit (Wexler et al. 2007,
 * eq. 4 and 5, with the width of the Gaussian from the costs at the place) and by how near their middle is to the known
 * rest (confidence, section 3.3 there). */
void sfu_patch_vote(Level *l, const float *confidence)
{
    const int w = l->w;
    for (int n = 0; n < l->n_hole; n++) {
        const int at = l->hole[n], x = at % w, y = at / w;
        const Targets t = patches_over(l, x, y, R);
        float least = INFINITY, mean = 0;
        for (int j = t.y0; j <= t.y1; j++) {
            for (int i = t.x0; i <= t.x1; i++) {
                least = MIN(least, l->cost[j * w + i]);
                mean += l->cost[j * w + i];
            }
        }
        mean /= (t.x1 - t.x0 + 1) * (t.y1 - t.y0 + 1);
        const float scale = 1 / (1e-6f + 0.5f * (mean - least) + 0.1f * mean);
        float sum[4] = {0}, weight = 0;
        for (int j = t.y0; j <= t.y1; j++) {
            for (int i = t.x0; i <= t.x1; i++) {
                const int c = j * w + i;
                const float *s = l->p + 4 * (gsize)(l->from[c] + at - c);
                const float share = expf(-(l->cost[c] - least) * scale) * confidence[c];
                for (int k = 0; k < 4; k++)
                    sum[k] += share * s[k];
                weight += share;
            }
        }
        for (int k = 0; k < 4; k++)
            l->p[4 * (gsize)at + k] = sum[k] / weight;
    }
}

/* For each HOLE pixel, the pixel that the best fitting patch over it says: no means, so as sharp as the source. Only
 * patches that hold the pixel's neighbors too: these tell the gradients. copy [h, w]; -1 elsewhere. */
static void choose(const Level *l, int *copy)
{
    for (int k = 0; k < l->w * l->h; k++)
        copy[k] = -1;
    for (int n = 0; n < l->n_hole; n++) {
        const int at = l->hole[n];
        const Targets t = patches_over(l, at % l->w, at / l->w, R - 1);
        float least = INFINITY;
        for (int j = t.y0; j <= t.y1; j++) {
            for (int i = t.x0; i <= t.x1; i++) {
                const int c = j * l->w + i;
                if (l->cost[c] < least) {
                    least = l->cost[c];
                    copy[at] = l->from[c] + at - c;
                }
            }
        }
    }
}

/* ---- seams ------------------------------------------------------------------------------------------------------- */

#define SCREEN 0.0005f /* pull towards the copied color: what is left of a seam fades out over some forty pixels */
#define SWEEPS 150
#define OVER 1.9f /* successive over-relaxation */

/* Neighbors inside the picture, as offsets; returns how many. */
static int neighbors(const Level *l, int at, int side[4])
{
    const int x = at % l->w;
    int n = 0;
    if (x > 0)
        side[n++] = -1;
    if (x < l->w - 1)
        side[n++] = 1;
    if (at >= l->w)
        side[n++] = -l->w;
    if (at < l->w * (l->h - 1))
        side[n++] = l->w;
    return n;
}

/* Perez et al. 2003, eq. 7, with the gradients of the copied patches, and known pixels as the border: minimizes
 * sum over neighbors (f_p - f_q - v_pq)^2 + SCREEN sum (f_p - copied_p)^2. copy [h, w] as choose() makes it, out [h,
 * w, 3]. FALSE: no memory. */
static gboolean remove_seams(const Level *l, const int *copy, float *out)
{
    float *b = g_try_new(float, (gsize)l->n_hole * 3);
    int side[4];
    if (!b)
        return FALSE;
    for (int n = 0; n < l->n_hole; n++) {
        const int at = l->hole[n], from = copy[at], n_sides = neighbors(l, at, side);
        for (int c = 0; c < 3; c++) {
            const float copied = l->p[4 * (gsize)from + c];
            float sum = SCREEN * copied;
            for (int k = 0; k < n_sides; k++) {
                const int s = side[k], other = copy[at + s];
                const float v = copied - l->p[4 * (gsize)(from + s) + c];
                sum += other < 0 ? v : 0.5f * (v + l->p[4 * (gsize)(other - s) + c] - l->p[4 * (gsize)other + c]);
            }
            b[3 * n + c] = sum;
            out[3 * (gsize)at + c] = copied;
        }
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (int n = 0; n < l->n_hole; n++) {
            const int at = l->hole[n], n_sides = neighbors(l, at, side);
            for (int c = 0; c < 3; c++) {
                float *o = out + 3 * (gsize)at + c, sum = b[3 * n + c];
                for (int k = 0; k < n_sides; k++)
                    sum += o[3 * side[k]];
                *o += OVER * (sum / (n_sides + SCREEN) - *o);
            }
        }
    }
    g_free(b);
    return TRUE;
}

gboolean sfu_patch_finish(const Level *l, float *rgb)
{
    int *copy = g_try_new(int, (gsize)l->w * l->h);
    if (copy)
        choose(l, copy);
    const gboolean ok = copy && remove_seams(l, copy, rgb);
    g_free(copy);
    return ok;
}
