/* Patch fill: the guide, a picture whose low frequencies the fill follows. See patch_level.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fill/patch_level.h"

#include <string.h>

#define SIGMA_PX 6           /* of the low frequencies */
#define APART (2 * SIGMA_PX) /* px between two places that are compared */
#define RIM_PX (2 * APART)   /* width of the hole's surroundings in which that is done */
#define TOLERANCE 1.5f       /* times the difference there */

/* The low frequencies of guide [h, w, 3]. NULL: no memory. */
static float *low_of(const float *guide, int w, int h)
{
    const gsize n = (gsize)w * h;
    float *a = g_try_new(float, 4 * n), *low = g_try_new(float, 3 * n);
    for (gsize k = 0; a && k < n; k++) {
        memcpy(a + 4 * k, guide + 3 * k, 3 * sizeof(float));
        a[4 * k + 3] = 1;
    }
    if (!a || !low || !sfu_fill_blur(a, w, h, 4, SIGMA_PX))
        g_clear_pointer(&low, g_free);
    for (gsize k = 0; low && k < n; k++)
        for (int c = 0; c < 3; c++)
            low[3 * k + c] = a[4 * k + c] / a[4 * k + 3];
    g_free(a);
    return low;
}

float sfu_patch_low_difference(const Level *l, int a, int b)
{
    float sum = 0;
    for (int c = 0; c < 3; c++) {
        const float d = l->low[3 * (gsize)a + c] - l->low[3 * (gsize)b + c];
        sum += d * d;
    }
    return sum;
}

/* Grass varies in brightness. A network's guess does not, so only smooth sources would match it exactly. Therefore
 * differences as large as those around the hole cost nothing: the median over places APART from each other. */
static gboolean set_tolerance(Level *l)
{
    const int w = l->w, n = w * l->h;
    float *distance = g_try_new(float, n), *seen = g_try_new(float, 2 * (gsize)n);
    const gboolean ok = distance && seen;
    int n_seen = 0;
    if (ok)
        sfu_patch_level_distance(l, distance);
    for (int k = 0; ok && k < n; k++) {
        if (l->state[k] != KNOWN || distance[k] > RIM_PX)
            continue;
        if (k % w + APART < w && l->state[k + APART] == KNOWN)
            seen[n_seen++] = sfu_patch_low_difference(l, k, k + APART);
        if (k / w + APART < l->h && l->state[k + APART * w] == KNOWN)
            seen[n_seen++] = sfu_patch_low_difference(l, k, k + APART * w);
    }
    l->tolerance = n_seen ? TOLERANCE * sfu_patch_quantile(seen, n_seen, 0.5f) : 0;
    g_free(distance);
    g_free(seen);
    return ok;
}

gboolean sfu_patch_guide(Level *l, const float *guide)
{
    l->low = low_of(guide, l->w, l->h);
    return l->low && set_tolerance(l);
}
