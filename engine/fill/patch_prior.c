/* Patch fill: which sources are dear. Removing an object means: show what is behind it. So sources shall look like what
 * lies around the hole; an object that stands out from there is not a source, unless the rim cuts through it. Sources
 * that are smoother than the surroundings, or used several times, are dear, too. See patch_level.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "patch_level.h"

#include <math.h>
#include <string.h>

#define LARGEST_PX 144   /* sides of the level on which the picture is compared with the rim, at most */
#define MOST_SAMPLES 256 /* of the rim */
#define RIM 0.35f        /* its width, in half-widths of the hole */
#define LEAST_RIM_PX 3.0f
#define SIGMA 0.05f       /* how far colors may differ in a picture without any texture and still be of the same kind */
#define N_SECTORS 8       /* of the rim, as seen from the middle of the hole */
#define APART 3           /* sectors so far from each other are two sides of the hole */
#define ONE_SIDE 0.3f     /* weight of what is seen on one side only */
#define USUAL_SHARE 0.05f /* of the rim, from which on a likeness costs nothing */
#define LEAST_SHARE 1e-5f
#define THIN_PX 10.0f  /* half-width of the widest hole up to which there is no prior, */
#define THICK_PX 20.0f /* and from which on there is all of it */
#define CLOSE 0.006f   /* what a pixel costs a hole's width away */
#define PLAIN 0.8f     /* what a source pays for its missing variance; at 1, smooth sources have no advantage left */
#define REUSE 0.2f     /* the same for each use but the first, as a share of the usual variance */
#define PLAIN_LEVELS 4 /* the finest; from the third on each pays half of the one before: its patches hold objects */

typedef struct {
    float value[MOST_SAMPLES][4];
    int sector[MOST_SAMPLES], n, count[N_SECTORS];
    float variance; /* how far colors (and texture) may differ and still be of the same kind: more in grass than in the
                       sky */
} Rim;

/* Half the squared difference of pixel k from one a patch's half further that is known; the variance about there. */
static float variance_at(const Level *l, int k)
{
    const int x = k % l->w, y = k / l->w,
              other[4] = {x >= R ? k - R : k, x + R < l->w ? k + R : k, y >= R ? k - R * l->w : k,
                          y + R < l->h ? k + R * l->w : k};
    float sum = 0;
    int n = 0;
    for (int i = 0; i < 4; i++) {
        if (other[i] == k || l->state[other[i]] == HOLE)
            continue;
        n++;
        for (int c = 0; c < 4; c++)
            sum += 0.5f * (l->p[4 * k + c] - l->p[4 * other[i] + c]) * (l->p[4 * k + c] - l->p[4 * other[i] + c]);
    }
    return n ? sum / n : 0;
}

/* Pixels about the hole, spread evenly over the rim. distance [h, w] to the hole. */
static void take_rim(const Level *l, const float *distance, float width, Rim *rim)
{
    const int n = l->w * l->h;
    int n_rim = 0, n_hole = 0, seen = 0;
    float variance[MOST_SAMPLES];
    double mx = 0, my = 0;
    for (int k = 0; k < n; k++) {
        n_rim += l->state[k] != HOLE && distance[k] <= width;
        if (l->state[k] != HOLE)
            continue;
        n_hole++;
        mx += k % l->w;
        my += k / l->w;
    }
    memset(rim, 0, sizeof *rim);
    const int most = MIN(n_rim, MOST_SAMPLES);
    for (int k = 0; k < n; k++) {
        if (l->state[k] == HOLE || distance[k] > width || (gint64)seen++ * most / n_rim < rim->n || rim->n >= most)
            continue;
        const double angle = atan2(k / l->w - my / n_hole, k % l->w - mx / n_hole) / (2 * G_PI) + 0.5;
        variance[rim->n] = variance_at(l, k);
        memcpy(rim->value[rim->n], l->p + 4 * (gsize)k, 4 * sizeof(float));
        rim->count[rim->sector[rim->n++] = MIN(N_SECTORS - 1, (int)(angle * N_SECTORS))]++;
    }
    rim->variance = SIGMA * SIGMA + (rim->n > 0 ? sfu_patch_quantile(variance, rim->n, 0.5f) : 0);
}

/* -variance log of how much of the rim is like v (density after Parzen 1962, with a Gaussian). What is seen on two
 * sides of the hole counts by its share of those sides: a thin line that goes through behind the hole is not foreign,
 * an object that touches it on one side is. */
static float rarity(const Rim *rim, const float *v)
{
    float like[N_SECTORS] = {0}, all = 0, share = 0;
    for (int k = 0; k < rim->n; k++) {
        float d = 0;
        for (int c = 0; c < 4; c++)
            d += (v[c] - rim->value[k][c]) * (v[c] - rim->value[k][c]);
        if (d < 16 * rim->variance)
            like[rim->sector[k]] += expf(-d / rim->variance);
    }
    for (int i = 0; i < N_SECTORS; i++) {
        all += like[i] / rim->n;
        like[i] /= MAX(1, rim->count[i]);
    }
    for (int i = 0; i < N_SECTORS; i++)
        for (int j = i + APART; j < N_SECTORS && j <= i + N_SECTORS - APART; j++)
            share = MAX(share, MIN(like[i], like[j]));
    return -rim->variance * logf(MAX(LEAST_SHARE, MAX(share, ONE_SIDE * all)));
}

/* What each pixel of the level costs as a part of a source, into pixel [h, w]; below 0: it is usual. weight: of it all.
 */
static gboolean measure(const Level *l, float weight, float background, float *pixel)
{
    const gsize n = (gsize)l->w * l->h;
    float *distance = g_try_new(float, n);
    Rim *rim = g_try_new(Rim, 1);
    const gboolean ok = distance && rim;
    if (ok) {
        const float half_width = sfu_patch_level_depth(l, distance);
        sfu_patch_level_distance(l, distance);
        take_rim(l, distance, MAX(LEAST_RIM_PX, RIM * half_width), rim);
        const float usual = -rim->variance * logf(USUAL_SHARE);
        for (gsize k = 0; k < n; k++)
            pixel[k] =
                weight * (CLOSE * MIN(1, distance[k] / (2 * half_width + 1)) +
                          (rim->n > 0 && l->state[k] != HOLE ? background * (rarity(rim, l->p + 4 * k) - usual) : 0));
    }
    g_free(distance);
    g_free(rim);
    return ok;
}

/* The same for the patch about each pixel, into l->dear: the sum, but nothing for what is usual on the whole. */
static gboolean sum_patches(Level *l, const float *pixel)
{
    const int w = l->w, h = l->h;
    float *row = g_try_new0(float, (gsize)w *h);
    if (!row)
        return FALSE;
    for (int y = 0; y < h; y++)
        for (int x = R; x < w - R; x++)
            for (int k = -R; k <= R; k++)
                row[(gsize)y * w + x] += pixel[(gsize)y * w + x + k];
    for (int y = R; y < h - R; y++) {
        for (int x = R; x < w - R; x++) {
            float sum = 0;
            for (int k = -R; k <= R; k++)
                sum += row[(gsize)(y + k) * w + x];
            l->dear[(gsize)y * w + x] = MAX(0, sum);
        }
    }
    g_free(row);
    return TRUE;
}

/* l->dear from that of the level `from`, 2^shift times coarser. */
static void look_up(Level *l, const Level *from, int shift)
{
    for (int y = 0; y < l->h; y++)
        for (int x = 0; x < l->w; x++)
            l->dear[(gsize)y * l->w + x] = from->dear[(gsize)CLAMP(y >> shift, R, from->h - 1 - R) * from->w +
                                                      CLAMP(x >> shift, R, from->w - 1 - R)];
}

/* variance [h, w]: for the middle of each source, the sum over its patch and the colors of squared differences from the
 * patch's mean. row: 4 w h floats. */
static void patch_variances(const Level *l, float *row, float *variance)
{
    const int w = l->w;
    for (int k = R; k < w * l->h - R; k++) { /* across lines, too, where no source has its middle */
        float *o = row + 4 * (gsize)k;
        memset(o, 0, 4 * sizeof *o);
        for (int x = -R; x <= R; x++)
            for (int c = 0; c < 3; c++) {
                const float v = l->p[4 * (gsize)(k + x) + c];
                o[c] += v;
                o[3] += v * v;
            }
    }
    for (int n = 0; n < l->n_sources; n++) {
        float sum[4] = {0};
        for (int y = -R; y <= R; y++)
            for (int c = 0; c < 4; c++)
                sum[c] += row[4 * (gsize)(l->source[n] + y * w) + c];
        const float mean = (sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2]) / (SIDE * SIDE);
        variance[l->source[n]] = MAX(0, sum[3] - mean);
    }
}

/* Two patches of one texture differ by the variance of both, a patch of it and a smooth one by that of the first alone,
 * so a search for the least difference ends in smooth sources. A source pays for what its variance lacks of the
 * median around the hole. It also pays when it is used again (Kaspar et al. 2015, section 4.2), or the one ridge that
 * fits best would become many. */
static gboolean charge_sources(Level *l, float weight)
{
    const gsize n = (gsize)l->w * l->h;
    float *variance = g_try_new(float, n), *distance = g_try_new(float, n), *row = g_try_new(float, 4 * n),
          *near = g_try_new(float, MAX(1, l->n_sources));
    l->used = g_try_new(int, n);
    const gboolean ok = variance && distance && row && near && l->used;
    if (ok) {
        const float rim = R + 1 + MAX(LEAST_RIM_PX, RIM * sfu_patch_level_depth(l, distance));
        int n_near = 0;
        sfu_patch_level_distance(l, distance);
        patch_variances(l, row, variance);
        for (int k = 0; k < l->n_sources; k++)
            if (distance[l->source[k]] <= rim)
                near[n_near++] = variance[l->source[k]];
        const float usual = n_near ? sfu_patch_quantile(near, n_near, 0.5f) : 0;
        l->reuse = weight * REUSE * usual;
        for (int k = 0; k < l->n_sources; k++)
            l->dear[l->source[k]] += weight * PLAIN * MAX(0, usual - variance[l->source[k]]);
    }
    g_free(variance);
    g_free(distance);
    g_free(row);
    g_free(near);
    return ok;
}

gboolean sfu_patch_prior(Fill *f)
{
    int at = 0;
    while (at < f->n_levels - 1 && MAX(f->level[at].w, f->level[at].h) > LARGEST_PX)
        at++;
    float *depth = g_try_new(float, (gsize)f->level[0].w * f->level[0].h);
    f->dear = g_try_new(float, (gsize)f->level[at].w * f->level[at].h);
    gboolean ok = depth && f->dear;
    /* A scratch or a wire is not an object: everything around it continues behind it. */
    const float weight =
        ok ? CLAMP((sfu_patch_level_depth(&f->level[0], depth) - THIN_PX) / (THICK_PX - THIN_PX), 0, 1) : 0;
    g_free(depth);
    /* Coarser levels are measured by themselves: a pixel there is several of these. */
    for (int k = at; ok && k < f->n_levels; k++)
        ok = measure(&f->level[k], weight, f->background, f->dear) && sum_patches(&f->level[k], f->dear);
    for (int k = 0; ok && k < at; k++)
        look_up(&f->level[k], &f->level[at], at - k);
    for (int k = 0; ok && f->background > 0 && k < MIN(PLAIN_LEVELS, f->n_levels); k++)
        ok = charge_sources(&f->level[k], weight * MIN(1, f->background) / (1 << MAX(0, k - 1)));
    return ok;
}
