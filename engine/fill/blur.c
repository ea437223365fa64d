/* Low frequencies. See patch_fill.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fill/patch_fill.h"

#include <string.h>

/* n vectors of len floats, one behind the other: each becomes the sum of those at most `radius` away. sum: len. */
static void add_neighbors(float *to, const float *from, int n, gsize len, int radius, double *sum)
{
    memset(sum, 0, len * sizeof *sum);
    for (int i = -radius; i < n; i++) {
        const int in = i + radius, out = i - radius - 1;
        for (gsize k = 0; in < n && k < len; k++)
            sum[k] += from[(gsize)in * len + k];
        for (gsize k = 0; out >= 0 && k < len; k++)
            sum[k] -= from[(gsize)out * len + k];
        for (gsize k = 0; i >= 0 && k < len; k++)
            to[(gsize)i * len + k] = (float)(sum[k] / (2 * radius + 1));
    }
}

gboolean sfu_fill_blur(float *p, int w, int h, int channels, int radius)
{
    const gsize row = (gsize)w * (gsize)channels;
    float *b = g_try_new(float, row *(gsize)h);
    double *sum = g_try_new(double, row);
    const gboolean ok = b && sum;
    for (int turn = 0; ok && turn < 3; turn++) {
        add_neighbors(b, p, h, row, radius, sum);
        for (int y = 0; y < h; y++)
            add_neighbors(p + (gsize)y * row, b + (gsize)y * row, w, (gsize)channels, radius, sum);
    }
    g_free(sum);
    g_free(b);
    return ok;
}
