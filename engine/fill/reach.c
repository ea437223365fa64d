/* How far into a hole a network is trusted. See patch_fill.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fill/patch_fill.h"

/* Weights of the 3 x 3 chamfer that is nearest to Euclid's distance (Borgefors 1986). */
#define STRAIGHT 0.955f
#define DIAGONAL 1.3693f

static float nearer(const float *d, gsize at, int w, int dx, int dy, float step)
{
    return d[(gssize)at + dy * w + dx] + step;
}

/* d [h, w]: how far each pixel of the hole lies from the nearest known one; 0 at those, at most `far`. Beyond the
 * border the mask goes on as at the border. */
static void depths(float *d, const float *mask, int w, int h, float far)
{
    for (gsize k = 0; k < (gsize)w * (gsize)h; k++)
        d[k] = mask[k] > 0 ? far : 0;
    for (int turn = 0; turn < 2; turn++) {
        const int s = turn ? 1 : -1; /* from the top left, then from the bottom right */
        for (int j = 0; j < h; j++) {
            const int y = turn ? h - 1 - j : j;
            for (int i = 0; i < w; i++) {
                const int x = turn ? w - 1 - i : i;
                const gsize at = (gsize)y * (gsize)w + (gsize)x;
                const gboolean up = y + s >= 0 && y + s < h, side = x + s >= 0 && x + s < w,
                               other = x - s >= 0 && x - s < w;
                if (side)
                    d[at] = MIN(d[at], nearer(d, at, w, s, 0, STRAIGHT));
                if (up)
                    d[at] = MIN(d[at], nearer(d, at, w, 0, s, STRAIGHT));
                if (up && side)
                    d[at] = MIN(d[at], nearer(d, at, w, s, s, DIAGONAL));
                if (up && other)
                    d[at] = MIN(d[at], nearer(d, at, w, -s, s, DIAGONAL));
            }
        }
    }
}

/* The low frequencies of made - fill in the hole, and their weights, [h, w, 4]. NULL: no memory. */
static float *low_change(const float *made, const float *fill, const float *mask, int w, int h, int radius)
{
    const gsize n = (gsize)w * (gsize)h;
    float *a = g_try_new(float, 4 * n);
    for (gsize k = 0; a && k < n; k++) {
        const gboolean hole = mask[k] > 0;
        for (int c = 0; c < 3; c++)
            a[4 * k + c] = hole ? made[3 * k + c] - fill[3 * k + c] : 0;
        a[4 * k + 3] = hole;
    }
    if (a && !sfu_fill_blur(a, w, h, 4, radius))
        g_clear_pointer(&a, g_free);
    return a;
}

gboolean sfu_fill_reach(float *made, const float *fill, const float *mask, int w, int h, float reach, int deep)
{
    const gsize n = (gsize)w * (gsize)h;
    float *depth = g_try_new(float, n), *low = deep > 0 ? low_change(made, fill, mask, w, h, deep) : NULL;
    const gboolean ok = depth && (low || deep <= 0);
    if (ok)
        depths(depth, mask, w, h, 2 * reach + 1);
    for (gsize k = 0; ok && k < n; k++) {
        const float weight = CLAMP(2 - depth[k] / reach, 0, 1), known = low ? MAX(low[4 * k + 3], 1e-6f) : 1;
        for (int c = 0; c < 3; c++) {
            const float change = made[3 * k + c] - fill[3 * k + c], slow = low ? low[4 * k + c] / known : 0;
            made[3 * k + c] = fill[3 * k + c] + weight * change + (1 - weight) * slow;
        }
    }
    g_free(low);
    g_free(depth);
    return ok;
}
