/* The middle square of a picture, as CLIP's image encoders see it.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "region/square.h"

#include <math.h>

#define BITS 22 /* behind the point in the weights: as many as Pillow has, whose rounding this follows */

/* Of the pictures that CLIP was trained on (Radford 2021; openai/CLIP, clip.py). */
static const double mean[] = {0.48145466, 0.4578275, 0.40821073}, deviation[] = {0.26862954, 0.26130258, 0.27577711};

/* Keys 1981, a = -0.5. */
static double cubic(double x)
{
    x = fabs(x);
    return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/* Weights of target pixel i of `to` for the source pixels from *first on, of `from`; at most 5 + 4 * from / to of them,
 * widened where the picture shrinks. Returns how many. */
static int weights_at(int from, int to, int i, int *first, gint32 *out, double *room)
{
    const double ratio = (double)from / to, widen = MAX(ratio, 1), center = (i + 0.5) * ratio;
    const int low = MAX(0, (int)(center - 2 * widen + 0.5)), high = MIN(from, (int)(center + 2 * widen + 0.5));
    double sum = 0;
    for (int k = low; k < high; k++)
        sum += room[k - low] = cubic((k - center + 0.5) / widen);
    for (int k = low; k < high; k++) {
        const double w = room[k - low] / sum * (1 << BITS);
        out[k - low] = (gint32)(w < 0 ? w - 0.5 : w + 0.5);
    }
    *first = low;
    return high - low;
}

/* Pixels of 3 bytes along one direction: `step` bytes from one to the next, `line` bytes to the next line. */
typedef struct {
    guint8 *p;
    gsize step, line;
} Lines;

/* That direction is scaled from `from` to `to` pixels; of these only [first, first + n) are made. */
typedef struct {
    int from, to, first, n;
} Scaling;

/* in [n_lines][a.from], out [n_lines][a.n] */
static void scale(Lines in, Lines out, int n_lines, Scaling a)
{
    const gsize most = 8 + 4 * (gsize)(a.from / a.to + 1);
    gint32 *w = g_new(gint32, most);
    double *room = g_new(double, most);
    for (int i = 0; i < a.n; i++) {
        int low;
        const int taps = weights_at(a.from, a.to, a.first + i, &low, w, room);
        for (int y = 0; y < n_lines; y++) {
            const guint8 *p = in.p + (gsize)y * in.line + (gsize)low * in.step;
            guint8 *to = out.p + (gsize)y * out.line + (gsize)i * out.step;
            for (int c = 0; c < 3; c++) {
                gint64 sum = 1 << (BITS - 1);
                for (int k = 0; k < taps; k++)
                    sum += (gint64)p[(gsize)k * in.step + (gsize)c] * w[k];
                to[c] = (guint8)CLAMP(sum >> BITS, 0, 255);
            }
        }
    }
    g_free(room);
    g_free(w);
}

SfuImage *sfu_clip_square(const SfuImage *rgb, int side, GError **error)
{
    const gboolean wide = rgb->w > rgb->h;
    const int other = (int)MIN((gint64)side * MAX(rgb->w, rgb->h) / MIN(rgb->w, rgb->h), G_MAXINT),
              w = wide ? other : side, h = wide ? side : other;
    SfuImage *o = sfu_image_new(side, side, 3, error);
    const gsize n = (gsize)rgb->w * (gsize)rgb->h * 3;
    guint8 *bytes = g_malloc(n), *mid = g_malloc((gsize)side * (gsize)rgb->h * 3),
           *square = g_malloc((gsize)side * (gsize)side * 3);
    if (o) {
        for (gsize k = 0; k < n; k++)
            bytes[k] = (guint8)CLAMP(floorf(rgb->p[k] * 255 + 0.5f), 0, 255);
        /* Across, then down; of the result only the middle. */
        const gsize row = (gsize)side * 3;
        scale((Lines){bytes, 3, (gsize)rgb->w * 3}, (Lines){mid, 3, row}, rgb->h,
              (Scaling){rgb->w, w, (w - side) / 2, side});
        scale((Lines){mid, row, 3}, (Lines){square, row, 3}, side, (Scaling){rgb->h, h, (h - side) / 2, side});
        for (gsize k = 0; k < (gsize)side * (gsize)side * 3; k++)
            o->p[k] = (float)((square[k] / 255.0 - mean[k % 3]) / deviation[k % 3]);
    }
    g_free(bytes);
    g_free(mid);
    g_free(square);
    return o;
}
