/* Pictures that steer: what is made of an ordinary picture without a network.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "region/edges.h"

#include <math.h>

#define TAN_22 13573 /* of 22.5 degrees, times 2^15, rounded as OpenCV does */

static guint8 *bytes_of(const SfuImage *rgb)
{
    const gsize n = (gsize)rgb->w * rgb->h * 3;
    guint8 *v = g_new(guint8, n);
    for (gsize i = 0; i < n; i++)
        v[i] = (guint8)(CLAMP(rgb->p[i], 0, 1) * 255 + 0.5f);
    return v;
}

/* One value in 0..1 a pixel into all channels. */
static void set_gray(SfuImage *rgb, gsize pixel, float v)
{
    rgb->p[pixel * 3] = rgb->p[pixel * 3 + 1] = rgb->p[pixel * 3 + 2] = v;
}

/* ---- Canny ---- */

typedef struct {
    int w, h;
    gint16 *dx, *dy; /* [h, w]: of the channel with the largest sum of both */
    int *size;       /* [h + 2, w + 2]: |dx| + |dy|; 0 outside */
    guint8 *state;   /* [h, w]: 0 none, 1 perhaps, 2 edge */
    GArray *pending; /* int: edges whose neighbors have not been looked at */
} Canny;

static int *size_at(const Canny *c, int x, int y)
{
    return c->size + (gsize)(y + 1) * (c->w + 2) + x + 1;
}

/* Sobel's operator, beyond the border the border again. */
static void gradients(Canny *c, const guint8 *v)
{
    for (int y = 0; y < c->h; y++) {
        const int up = MAX(y - 1, 0), down = MIN(y + 1, c->h - 1);
        for (int x = 0; x < c->w; x++) {
            const int l = MAX(x - 1, 0), r = MIN(x + 1, c->w - 1);
            int best = -1;
            for (int k = 0; k < 3; k++) {
                const guint8 *above = v + (gsize)up * c->w * 3 + k, *here = v + (gsize)y * c->w * 3 + k,
                             *below = v + (gsize)down * c->w * 3 + k;
                const int dx =
                    above[3 * r] + 2 * here[3 * r] + below[3 * r] - above[3 * l] - 2 * here[3 * l] - below[3 * l];
                const int dy =
                    below[3 * l] + 2 * below[3 * x] + below[3 * r] - above[3 * l] - 2 * above[3 * x] - above[3 * r];
                const int size = abs(dx) + abs(dy);
                if (size <= best)
                    continue;
                best = size;
                c->dx[(gsize)y * c->w + x] = (gint16)dx;
                c->dy[(gsize)y * c->w + x] = (gint16)dy;
            }
            *size_at(c, x, y) = best;
        }
    }
}

/* Whether the gradient is the largest along its direction, which is one of four. */
static gboolean is_ridge(const Canny *c, int x, int y)
{
    const int m = *size_at(c, x, y), xs = c->dx[(gsize)y * c->w + x], ys = c->dy[(gsize)y * c->w + x];
    const gint64 ax = abs(xs), ay = (gint64)abs(ys) << 15, flat = ax * TAN_22, steep = flat + (ax << 16);
    if (ay < flat)
        return m > *size_at(c, x - 1, y) && m >= *size_at(c, x + 1, y);
    if (ay > steep)
        return m > *size_at(c, x, y - 1) && m >= *size_at(c, x, y + 1);
    const int s = (xs ^ ys) < 0 ? -1 : 1;
    return m > *size_at(c, x - s, y - 1) && m > *size_at(c, x + s, y + 1);
}

static void take_edge(Canny *c, int at)
{
    c->state[at] = 2;
    g_array_append_val(c->pending, at);
}

/* What is above `low` and touches an edge is one, too. */
static void follow(Canny *c)
{
    while (c->pending->len) {
        const int at = g_array_index(c->pending, int, c->pending->len - 1), x = at % c->w, y = at / c->w;
        g_array_set_size(c->pending, c->pending->len - 1);
        for (int j = MAX(y - 1, 0); j <= MIN(y + 1, c->h - 1); j++)
            for (int i = MAX(x - 1, 0); i <= MIN(x + 1, c->w - 1); i++)
                if (c->state[j * c->w + i] == 1)
                    take_edge(c, j * c->w + i);
    }
}

gboolean sfu_edges_canny(SfuImage *rgb, double low, double high, GError **error)
{
    const gsize n = (gsize)rgb->w * rgb->h;
    Canny c = {.w = rgb->w,
               .h = rgb->h,
               .dx = g_new(gint16, n),
               .dy = g_new(gint16, n),
               .size = g_new0(int, (gsize)(rgb->w + 2) * (rgb->h + 2)),
               .state = g_new0(guint8, n),
               .pending = g_array_new(FALSE, FALSE, sizeof(int))};
    const int from = (int)floor(MIN(low, high)), sure = (int)floor(MAX(low, high));
    guint8 *v = bytes_of(rgb);
    gradients(&c, v);
    for (int y = 0; y < c.h; y++)
        for (int x = 0; x < c.w; x++) {
            const int m = *size_at(&c, x, y);
            if (m <= from || !is_ridge(&c, x, y))
                continue;
            if (m > sure)
                take_edge(&c, y * c.w + x);
            else
                c.state[y * c.w + x] = 1;
        }
    follow(&c);
    for (gsize i = 0; i < n; i++)
        set_gray(rgb, i, c.state[i] == 2);
    g_array_unref(c.pending);
    g_free(v);
    g_free(c.dx);
    g_free(c.dy);
    g_free(c.size);
    g_free(c.state);
    return TRUE;
}

/* ---- blur and differences of blurs ---- */

/* Beyond the border mirrored without the edge. */
static int mirrored(int i, int n)
{
    if (n == 1)
        return 0;
    const int period = 2 * (n - 1);
    i = ((i % period) + period) % period;
    return i < n ? i : period - i;
}

/* One direction: n lines of `length` values, `step` apart, whose starts are `skip` apart. */
static void blur_lines(float *p, const float *kernel, int radius, gsize n_outer, gsize outer, int length, gsize step)
{
    float *line = g_new(float, length);
    for (gsize o = 0; o < n_outer; o++) {
        float *start = p + o * outer;
        for (int k = 0; k < 3; k++) {
            for (int i = 0; i < length; i++)
                line[i] = start[(gsize)i * step + k];
            for (int i = 0; i < length; i++) {
                double sum = 0;
                for (int j = -radius; j <= radius; j++)
                    sum += kernel[j + radius] * line[mirrored(i + j, length)];
                start[(gsize)i * step + k] = (float)sum;
            }
        }
    }
    g_free(line);
}

gboolean sfu_picture_blur(SfuImage *rgb, double sigma, GError **error)
{
    const int radius = (int)MAX(1, rint(sigma * 4));
    float *kernel = g_new(float, 2 * radius + 1);
    double sum = 0;
    for (int i = -radius; i <= radius; i++)
        sum += kernel[i + radius] = (float)exp(-0.5 * i * i / (sigma * sigma));
    for (int i = 0; i <= 2 * radius; i++)
        kernel[i] = (float)(kernel[i] / sum);
    blur_lines(rgb->p, kernel, radius, (gsize)rgb->h, (gsize)rgb->w * 3, rgb->w, 3);
    blur_lines(rgb->p, kernel, radius, (gsize)rgb->w, 3, rgb->h, (gsize)rgb->w * 3);
    g_free(kernel);
    return TRUE;
}

static int by_value(gconstpointer a, gconstpointer b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The median of those above `least`; `otherwise` if there are none. */
static float median_above(const float *v, gsize n, float least, float otherwise)
{
    float *some = g_new(float, n);
    gsize k = 0;
    for (gsize i = 0; i < n; i++)
        if (v[i] > least)
            some[k++] = v[i];
    qsort(some, k, sizeof *some, by_value);
    const float m = k == 0 ? otherwise : k % 2 ? some[k / 2] : 0.5f * (some[k / 2 - 1] + some[k / 2]);
    g_free(some);
    return m;
}

gboolean sfu_edges_lines(SfuImage *rgb, GError **error)
{
    const gsize n = (gsize)rgb->w * rgb->h;
    SfuImage *smooth = sfu_image_copy(rgb, error);
    if (!smooth || !sfu_picture_blur(smooth, 6, error)) {
        sfu_image_free(smooth);
        return FALSE;
    }
    float *dark = g_new(float, n);
    for (gsize i = 0; i < n; i++) {
        float least = INFINITY;
        for (int k = 0; k < 3; k++)
            least = MIN(least, 255 * (smooth->p[i * 3 + k] - rgb->p[i * 3 + k]));
        dark[i] = CLAMP(least, 0, 255);
    }
    const float scale = MAX(16, median_above(dark, n, 8, 16));
    for (gsize i = 0; i < n; i++)
        set_gray(rgb, i, CLAMP(dark[i] / scale * 127, 0, 255) / 255);
    g_free(dark);
    sfu_image_free(smooth);
    return TRUE;
}

gboolean sfu_edges_scribble(SfuImage *rgb, GError **error)
{
    const gsize n = (gsize)rgb->w * rgb->h;
    SfuImage *fine = sfu_image_copy(rgb, error), *coarse = fine ? sfu_image_copy(rgb, error) : NULL;
    const gboolean ok = coarse && sfu_picture_blur(fine, 0.5, error) && sfu_picture_blur(coarse, 5, error);
    for (gsize i = 0; ok && i < n; i++) {
        float least = INFINITY;
        for (int k = 0; k < 3; k++)
            least = MIN(least, 255 * (coarse->p[i * 3 + k] - fine->p[i * 3 + k]));
        set_gray(rgb, i, 2 * CLAMP(least, 0, 255) > 32);
    }
    sfu_image_free(fine);
    sfu_image_free(coarse);
    return ok;
}

/* ---- single pixels ---- */

void sfu_picture_luminance(SfuImage *rgb)
{
    for (gsize i = 0; i < (gsize)rgb->w * rgb->h; i++) {
        double y = 0;
        static const double weights[] = {0.212671, 0.715160, 0.072169};
        for (int k = 0; k < 3; k++) {
            const double v = CLAMP(rgb->p[i * 3 + k], 0, 1);
            y += weights[k] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
        }
        set_gray(rgb, i, (float)((y > 0.008856 ? 116 * cbrt(y) - 16 : 903.3 * y) / 100));
    }
}

void sfu_picture_invert(SfuImage *rgb)
{
    for (gsize i = 0; i < (gsize)rgb->w * rgb->h * 3; i++)
        rgb->p[i] = 1 - rgb->p[i];
}
