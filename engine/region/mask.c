/* Masks: bounds, widening, soft edges.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "region/region.h"

#include <glib/gi18n-lib.h>

#include "sfumato.h"

gboolean sfu_mask_bounds(GeglBuffer *mask, SfuRect picture, SfuRect *bounds, float *max, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(mask);
    GeglRectangle r;
    int x0 = G_MAXINT, y0 = G_MAXINT, x1 = G_MININT, y1 = G_MININT;
    *max = 0;
    if (gegl_rectangle_intersect(&r, e, GEGL_RECTANGLE(picture.x, picture.y, picture.w, picture.h))) {
        /* By strips: the mask may be as large as the picture, and the picture larger than memory. */
        const int rows = CLAMP(4 * 1024 * 1024 / r.width, 1, r.height);
        float *strip = g_new(float, (gsize)rows *r.width);
        for (int y = r.y; y < r.y + r.height; y += rows) {
            const int n = MIN(rows, r.y + r.height - y);
            gegl_buffer_get(mask, GEGL_RECTANGLE(r.x, y, r.width, n), 1.0, babl_format("Y float"), strip,
                            GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
            for (int j = 0; j < n; j++) {
                for (int i = 0; i < r.width; i++) {
                    const float v = strip[(gsize)j * r.width + i];
                    if (!(v > 0))
                        continue;
                    x0 = MIN(x0, r.x + i);
                    x1 = MAX(x1, r.x + i + 1);
                    y0 = MIN(y0, y + j);
                    y1 = MAX(y1, y + j + 1);
                    *max = MAX(*max, v);
                }
            }
        }
        g_free(strip);
    }
    if (x1 < x0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The mask is empty inside the picture: nothing is selected."));
        return FALSE;
    }
    *max = MIN(*max, 1.0f);
    *bounds = (SfuRect){x0, y0, x1 - x0, y1 - y0};
    return TRUE;
}

/* The mask is worked on as 16-bit whole numbers, so that sums of zeros are zero and means of ones are one: no rounding
 * residue may make a pixel outside the soft edge count as inside. */
#define ONE 65535

/* Largest value within `radius` steps along a line of n values, `stride` apart: van Herk 1992, three comparisons a
 * value. */
static void line_max(guint16 *line, gsize stride, int n, int radius, guint16 *tmp)
{
    const int len = 2 * radius + 1, padded = (n + 2 * radius + len - 1) / len * len;
    guint16 *f = tmp, *g = tmp + padded;
    for (int i = 0; i < padded; i++)
        f[i] = g[i] = line[(gsize)CLAMP(i - radius, 0, n - 1) * stride];
    for (int b = 0; b < padded; b += len) {
        for (int i = b + 1; i < b + len; i++)
            f[i] = MAX(f[i], f[i - 1]);
        for (int i = b + len - 2; i >= b; i--)
            g[i] = MAX(g[i], g[i + 1]);
    }
    for (int i = 0; i < n; i++)
        line[(gsize)i * stride] = MAX(g[i], f[i + len - 1]);
}

static void dilate_axes(guint16 *m, int w, int h, int radius, guint16 *tmp)
{
    if (radius <= 0)
        return;
    for (int y = 0; y < h; y++)
        line_max(m + (gsize)y * w, 1, w, radius, tmp);
    for (int x = 0; x < w; x++)
        line_max(m + x, w, h, radius, tmp);
}

/* Along both diagonals. */
static void dilate_diagonals(guint16 *m, int w, int h, int radius, guint16 *tmp)
{
    if (radius <= 0)
        return;
    for (int s = -(h - 1); s < w; s++) { /* down and to the right from the top or left border */
        const int x = MAX(s, 0), y = MAX(-s, 0);
        line_max(m + (gsize)y * w + x, w + 1, MIN(w - x, h - y), radius, tmp);
    }
    if (w < 2)
        return;                           /* the other diagonal's stride would be zero; its lines are single pixels */
    for (int s = 0; s < w + h - 1; s++) { /* down and to the left from the top or right border */
        const int x = MIN(s, w - 1), y = MAX(0, s - (w - 1));
        line_max(m + (gsize)y * w + x, w - 1, MIN(x + 1, h - y), radius, tmp);
    }
}

static void line_mean(guint16 *line, gsize stride, int n, int radius, guint16 *tmp)
{
    const int len = 2 * radius + 1;
    guint64 sum = 0;
    for (int i = 0; i < n; i++)
        tmp[i] = line[(gsize)i * stride];
    for (int i = -radius; i <= radius; i++)
        sum += tmp[CLAMP(i, 0, n - 1)];
    for (int i = 0; i < n; i++) {
        line[(gsize)i * stride] = (guint16)((sum + len / 2) / len);
        sum += tmp[CLAMP(i + radius + 1, 0, n - 1)];
        sum -= tmp[CLAMP(i - radius, 0, n - 1)];
    }
}

/* Three running means whose radii sum to `radius`: nearly a Gaussian, and exactly as wide as it says. */
static void blur(guint16 *m, int w, int h, int radius, guint16 *tmp)
{
    for (int pass = 0; pass < 3; pass++) {
        const int r = (radius + pass) / 3;
        for (int y = 0; r > 0 && y < h; y++)
            line_mean(m + (gsize)y * w, 1, w, r, tmp);
        for (int x = 0; r > 0 && x < w; x++)
            line_mean(m + x, w, h, r, tmp);
    }
}

gboolean sfu_mask_soften(SfuImage *mask, int grow, int feather, GError **error)
{
    const int w = mask->w, h = mask->h, radius = grow + (feather + 1) / 2;
    if (radius <= 0)
        return TRUE;
    const gint64 n = (gint64)w * h;
    guint16 *m = g_try_new(guint16, n);
    const gsize longest = (gsize)MAX(w, h) + 4 * (gsize)radius + 2;
    guint16 *tmp = g_try_new(guint16, 2 * longest);
    if (!m || !tmp) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MEMORY, _("Not enough memory for a mask of %d x %d pixels."), w, h);
        g_free(m);
        g_free(tmp);
        return FALSE;
    }
    for (gint64 k = 0; k < n; k++) {
        const float v = CLAMP(mask->p[k], 0, 1);
        m[k] = v > 0 ? MAX(1, (guint16)(v * ONE + 0.5f)) : 0;
    }
    /* An octagon is the sum of a square of half-side a and two diagonals of d steps: a + 2d = r along the axes, (a + d)
     * sqrt 2 = r along the diagonals. */
    const int d = (int)(grow * (1 - G_SQRT2 / 2));
    dilate_axes(m, w, h, grow - 2 * d, tmp);
    dilate_diagonals(m, w, h, d, tmp);
    /* The square that the means below reach over, so that the grown mask stays full. */
    dilate_axes(m, w, h, (feather + 1) / 2, tmp);
    blur(m, w, h, feather / 2, tmp);
    for (gint64 k = 0; k < n; k++)
        mask->p[k] = m[k] == ONE ? 1.0f : m[k] / (float)ONE;
    g_free(m);
    g_free(tmp);
    return TRUE;
}

SfuImage *sfu_mask_reduce(const SfuImage *mask, int w, int h, gboolean max, GError **error)
{
    SfuImage *o = sfu_image_new(w, h, 1, error);
    for (int y = 0; o && y < h; y++) {
        const int y0 = (int)((gint64)y * mask->h / h), y1 = MAX(y0 + 1, (int)((gint64)(y + 1) * mask->h / h));
        for (int x = 0; x < w; x++) {
            const int x0 = (int)((gint64)x * mask->w / w), x1 = MAX(x0 + 1, (int)((gint64)(x + 1) * mask->w / w));
            float most = 0, sum = 0;
            for (int j = y0; j < y1; j++) {
                for (int i = x0; i < x1; i++) {
                    const float v = mask->p[(gsize)j * mask->w + i];
                    most = MAX(most, v);
                    sum += v;
                }
            }
            o->p[(gsize)y * w + x] = max ? most : sum / ((float)(y1 - y0) * (x1 - x0));
        }
    }
    return o;
}

SfuImage *sfu_mask_cells(const SfuImage *mask, int factor, GError **error)
{
    SfuImage *o = sfu_image_new(mask->w / factor, mask->h / factor, factor * factor, error);
    for (int y = 0; o && y < o->h * factor; y++) {
        for (int x = 0; x < o->w * factor; x++) {
            const gsize cell = (gsize)(y / factor) * o->w + x / factor;
            o->p[cell * o->c + y % factor * factor + x % factor] = mask->p[(gsize)y * mask->w + x];
        }
    }
    return o;
}
