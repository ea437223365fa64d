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

/* d [h, w]: how far each pixel of the hole lies from the nearest known one; 0 at those, at
 * most `far`. Beyond the border the mask goes
 * on as at the border. */
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

gboolean sfu_fill_reach(float *made, const float *fill, const float *mask, int w, int h, float reach)
{
    const gsize n = (gsize)w * (gsize)h;
    float *depth = g_try_new(float, n);
    if (!depth)
        return FALSE;
    depths(depth, mask, w, h, 2 * reach + 1);
    for (gsize k = 0; k < n; k++) {
        const float weight = CLAMP(2 - depth[k] / reach, 0, 1);
        for (int c = 0; c < 3; c++)
            made[3 * k + c] = fill[3 * k + c] + weight * (made[3 * k + c] - fill[3 * k + c]);
    }
    g_free(depth);
    return TRUE;
}
