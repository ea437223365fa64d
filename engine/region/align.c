/* How far a picture lies from another one that it should lie on.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "region/region.h"

#include <math.h>

#define REACH 8         /* px in each direction */
#define SAMPLES 4e5     /* pixels that are compared */
#define LEAST_FIT 0.4   /* correlation of the edges of two pictures of the same thing */
#define LEAST_GAIN 0.05 /* of correlation, over lying still, that shows that it moved */
#define LEAST_SHIFT 0.4 /* px that are worth resampling for */

/* Strength of edges of the luma, [h, w, 1]: where things are, whatever their colors. */
static SfuImage *edges(const SfuImage *i, GError **error)
{
    SfuImage *o = sfu_image_new(i->w, i->h, 1, error);
    for (int y = 1; o && y < i->h - 1; y++)
        for (int x = 1; x < i->w - 1; x++) {
            float g[2] = {0, 0};
            for (int c = 0; c < 3; c++) {
                static const float luma[3] = {0.2126f, 0.7152f, 0.0722f};
                const float *v = i->p + ((gsize)y * i->w + x) * i->c + c;
                g[0] += luma[c] * (v[i->c] - v[-i->c]);
                g[1] += luma[c] * (v[(gsize)i->w * i->c] - v[-(gssize)i->w * i->c]);
            }
            o->p[(gsize)y * i->w + x] = sqrtf(g[0] * g[0] + g[1] * g[1]);
        }
    return o;
}

/* Correlation of a moved back by (dx, dy) with b, over what lies REACH inside and where weight (may be NULL) is 0. */
static double correlation(const SfuImage *a, const SfuImage *b, const SfuImage *mask, int dx, int dy)
{
    const int step = MAX(1, (int)sqrt((double)b->w * b->h / SAMPLES));
    double n = 0, sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
    for (int y = REACH; y < b->h - REACH; y += step)
        for (int x = REACH; x < b->w - REACH; x += step) {
            const gsize at = (gsize)y * b->w + x;
            if (mask && mask->p[at] > 0)
                continue;
            const double u = a->p[at + (gssize)dy * b->w + dx], v = b->p[at];
            n++;
            sa += u;
            sb += v;
            aa += u * u;
            bb += v * v;
            ab += u * v;
        }
    const double va = n * aa - sa * sa, vb = n * bb - sb * sb;
    return va > 0 && vb > 0 ? (n * ab - sa * sb) / sqrt(va * vb) : 0;
}

/* Where the parabola through three values at -1, 0, 1 is highest. */
static double peak(double before, double at, double after)
{
    const double bend = before - 2 * at + after;
    return bend < 0 ? CLAMP((before - after) / (2 * bend), -0.5, 0.5) : 0;
}

gboolean sfu_find_shift(const SfuImage *made, const SfuImage *like, const SfuImage *mask, double *dx, double *dy,
                        GError **error)
{
    *dx = *dy = 0;
    if (made->w <= 4 * REACH || made->h <= 4 * REACH)
        return TRUE;
    SfuImage *a = edges(made, error), *b = a ? edges(like, error) : NULL;
    double fit[2 * REACH + 1][2 * REACH + 1];
    int bx = 0, by = 0;
    for (int y = -REACH; b && y <= REACH; y++)
        for (int x = -REACH; x <= REACH; x++) {
            fit[y + REACH][x + REACH] = correlation(a, b, mask, x, y);
            if (fit[y + REACH][x + REACH] > fit[by + REACH][bx + REACH] || (y == -REACH && x == -REACH)) {
                bx = x;
                by = y;
            }
        }
    const gboolean ok = b != NULL;
    const double best = ok ? fit[by + REACH][bx + REACH] : 0, still = ok ? fit[REACH][REACH] : 0;
    /* At the end of the reach it may lie anywhere beyond. */
    if (ok && best >= LEAST_FIT && best - still >= LEAST_GAIN && abs(bx) < REACH && abs(by) < REACH) {
        *dx = bx + peak(fit[by + REACH][bx + REACH - 1], best, fit[by + REACH][bx + REACH + 1]);
        *dy = by + peak(fit[by + REACH - 1][bx + REACH], best, fit[by + REACH + 1][bx + REACH]);
        if (hypot(*dx, *dy) < LEAST_SHIFT)
            *dx = *dy = 0;
    }
    sfu_image_free(a);
    sfu_image_free(b);
    return ok;
}

/* Keys 1981, a = -0.5. */
static void weights(double t, float w[4])
{
    for (int k = 0; k < 4; k++) {
        const double x = fabs(t + 1 - k);
        w[k] = (float)(x < 1   ? 1.5 * x * x * x - 2.5 * x * x + 1
                       : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2
                               : 0);
    }
}

gboolean sfu_shift_back(SfuImage *i, double dx, double dy, GError **error)
{
    SfuImage *from = sfu_image_copy(i, error);
    const int whole_x = (int)floor(dx), whole_y = (int)floor(dy);
    float wx[4], wy[4];
    weights(dx - whole_x, wx);
    weights(dy - whole_y, wy);
    for (int y = 0; from && y < i->h; y++)
        for (int x = 0; x < i->w; x++)
            for (int c = 0; c < i->c; c++) {
                float v = 0;
                for (int j = 0; j < 4; j++)
                    for (int k = 0; k < 4; k++) {
                        const int sy = CLAMP(y + whole_y + j - 1, 0, i->h - 1),
                                  sx = CLAMP(x + whole_x + k - 1, 0, i->w - 1);
                        v += wy[j] * wx[k] * from->p[((gsize)sy * i->w + sx) * i->c + c];
                    }
                i->p[((gsize)y * i->w + x) * i->c + c] = v;
            }
    sfu_image_free(from);
    return from != NULL;
}
