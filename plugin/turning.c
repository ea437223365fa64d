/* Telling how a layer was turned, and turning pixels.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "turning.h"

#include <math.h>
#include <string.h>

#define CELLS 24
#define BLOCK_PX 128
#define TELLING 1e-4 /* rms of a difference that is more than rounding, of 1 */

struct SfuSketch {
    int width, height, n;        /* n cells a side, at most CELLS and the shorter side */
    float cell[CELLS][CELLS][2]; /* [row][column]: means of alpha times Y', and of alpha */
};

/* Cell i of n over `length` pixels. Neighbors share a pixel where n does not divide the length, so that the cells of a
 * flipped picture are the flipped cells. */
static int cell_start(int i, int n, int length)
{
    return (int)((gint64)i * length / n);
}

static int cell_end(int i, int n, int length)
{
    return (int)(((gint64)(i + 1) * length + n - 1) / n);
}

static float finite_value(float v)
{
    return isfinite(v) ? CLAMP(v, -4.0f, 4.0f) : 0;
}

/* One row ("Y'A float"), added to the cells that it lies in. */
static void add_row(SfuSketch *s, const float *row, int y)
{
    for (int x = 0; x < s->n; x++) {
        const int from = cell_start(x, s->n, s->width), to = cell_end(x, s->n, s->width);
        double sum[2] = {0, 0};
        for (int i = from; i < to; i++) {
            const float a = finite_value(row[2 * i + 1]);
            sum[0] += a * finite_value(row[2 * i]);
            sum[1] += a;
        }
        const int middle = (int)((gint64)y * s->n / s->height);
        for (int c = MAX(middle - 1, 0); c <= MIN(middle + 1, s->n - 1); c++) {
            const int top = cell_start(c, s->n, s->height), bottom = cell_end(c, s->n, s->height);
            for (int k = 0; k < 2 && y >= top && y < bottom; k++)
                s->cell[c][x][k] += (float)(sum[k] / ((double)(to - from) * (bottom - top)));
        }
    }
}

SfuSketch *sfu_sketch_new(GeglBuffer *picture)
{
    const GeglRectangle all = *gegl_buffer_get_extent(picture);
    SfuSketch *s = g_new0(SfuSketch, 1);
    float *row = g_new(float, (gsize)all.width * 2);
    s->width = all.width;
    s->height = all.height;
    s->n = MIN(CELLS, MIN(all.width, all.height));
    for (int y = 0; y < all.height; y++) {
        gegl_buffer_get(picture, GEGL_RECTANGLE(all.x, all.y + y, all.width, 1), 1.0, babl_format("Y'A float"), row,
                        GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        add_row(s, row, y);
    }
    g_free(row);
    return s;
}

/* Where a pixel of a w x h picture goes. */
static void turn_point(int turn, int w, int h, int *x, int *y)
{
    if (turn & SFU_TURN_TRANSPOSE) {
        const int old = *x;
        *x = *y, *y = old;
        const int side = w;
        w = h, h = side;
    }
    *x = turn & SFU_TURN_FLIP_X ? w - 1 - *x : *x;
    *y = turn & SFU_TURN_FLIP_Y ? h - 1 - *y : *y;
}

/* rms difference of `now` from `was` turned. */
static double distance(int turn, const SfuSketch *was, const SfuSketch *now)
{
    double sum = 0;
    for (int y = 0; y < was->n; y++)
        for (int x = 0; x < was->n; x++) {
            int u = x, v = y;
            turn_point(turn, was->n, was->n, &u, &v);
            for (int k = 0; k < 2; k++)
                sum += pow(was->cell[y][x][k] - now->cell[v][u][k], 2);
        }
    return sqrt(sum / (2.0 * was->n * was->n));
}

int sfu_sketch_turn(const SfuSketch *was, const SfuSketch *now)
{
    const gboolean same = was->width == now->width && was->height == now->height;
    const gboolean swapped = was->width == now->height && was->height == now->width;
    if (!same && !swapped)
        return 0;
    const double still = same ? distance(0, was, now) : G_MAXDOUBLE;
    if (still < TELLING)
        return 0;
    int best = 0;
    double least = G_MAXDOUBLE, second = G_MAXDOUBLE;
    for (int turn = same ? 1 : SFU_TURN_TRANSPOSE; turn < (swapped ? 8 : SFU_TURN_TRANSPOSE); turn++) {
        const double d = distance(turn, was, now);
        second = MIN(second, MAX(d, least));
        best = d < least ? turn : best;
        least = MIN(least, d);
    }
    if (least > still / 4) /* painted on, not turned */
        return 0;
    return least < second / 4 ? best : -1;
}

GeglRectangle sfu_turn_rectangle(int turn, const GeglRectangle *part, const GeglRectangle *box)
{
    int x0 = part->x - box->x, y0 = part->y - box->y, x1 = x0 + part->width - 1, y1 = y0 + part->height - 1;
    turn_point(turn, box->width, box->height, &x0, &y0);
    turn_point(turn, box->width, box->height, &x1, &y1);
    return (GeglRectangle){box->x + MIN(x0, x1), box->y + MIN(y0, y1), ABS(x1 - x0) + 1, ABS(y1 - y0) + 1};
}

GeglBuffer *sfu_turn_pixels(int turn, GeglBuffer *pixels, int x, int y)
{
    const GeglRectangle all = *gegl_buffer_get_extent(pixels);
    const gboolean transpose = (turn & SFU_TURN_TRANSPOSE) != 0;
    const Babl *format = gegl_buffer_get_format(pixels);
    const int size = babl_format_get_bytes_per_pixel(format);
    GeglBuffer *out = gegl_buffer_new(
        GEGL_RECTANGLE(x, y, transpose ? all.height : all.width, transpose ? all.width : all.height), format);
    guchar *from = g_malloc((gsize)BLOCK_PX * BLOCK_PX * size), *to = g_malloc((gsize)BLOCK_PX * BLOCK_PX * size);
    for (int top = 0; top < all.height; top += BLOCK_PX)
        for (int left = 0; left < all.width; left += BLOCK_PX) {
            const GeglRectangle block = {all.x + left, all.y + top, MIN(BLOCK_PX, all.width - left),
                                         MIN(BLOCK_PX, all.height - top)};
            GeglRectangle place = sfu_turn_rectangle(turn, &block, &all);
            gegl_buffer_get(pixels, &block, 1.0, format, from, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
            for (int v = 0; v < block.height; v++)
                for (int u = 0; u < block.width; u++) {
                    int tx = u, ty = v;
                    turn_point(turn, block.width, block.height, &tx, &ty);
                    memcpy(to + ((gsize)ty * place.width + tx) * size, from + ((gsize)v * block.width + u) * size,
                           size);
                }
            place.x += x - all.x;
            place.y += y - all.y;
            gegl_buffer_set(out, &place, 0, format, to, GEGL_AUTO_ROWSTRIDE);
        }
    g_free(from);
    g_free(to);
    return out;
}
