/* Lays a result over the picture.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sfumato.h"

#include <math.h>
#include <string.h>

/* A row of pixels. */
typedef struct {
    float *over, *under; /* R'G'B'A of the result and of the picture */
    guint8 *old, *new;   /* in the picture's format, before and after */
} Row;

/* One row: mixes in R'G'B'A float, and copies only the bytes of pixels that the result covers, so that the others do
 * not even see a conversion there and back. */
static void mix_row(GeglBuffer *out, const SfuResult *r, const GeglRectangle *line, const Row *row)
{
    const Babl *rgba = babl_format("R'G'B'A float"), *native = gegl_buffer_get_format(out);
    const int bpp = babl_format_get_bytes_per_pixel(native);
    float *over = row->over, *under = row->under;
    guint8 *old = row->old, *new = row->new;
    gegl_buffer_get(r->picture, line, 1.0, rgba, over, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    gegl_buffer_get(out, line, 1.0, rgba, under, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    gegl_buffer_get(out, line, 1.0, native, old, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    gboolean any = FALSE;
    for (int x = 0; x < line->width; x++) {
        const float a = CLAMP(over[x * 4 + 3], 0, 1);
        any = any || a > 0;
        for (int c = 0; a > 0 && c < 3; c++) {
            float *v = &under[x * 4 + c]; /* NaN or infinite where a renderer failed: mixing would keep it */
            *v = a < 1 && isfinite(*v) ? a * over[x * 4 + c] + (1 - a) * *v : over[x * 4 + c];
        }
    }
    if (!any)
        return;
    babl_process(babl_fish(rgba, native), under, new, line->width);
    for (int x = 0; x < line->width; x++)
        if (over[x * 4 + 3] > 0)
            memcpy(old + x * bpp, new + x *bpp, bpp);
    gegl_buffer_set(out, line, 0, native, old, GEGL_AUTO_ROWSTRIDE);
}

GeglBuffer *sfu_result_composite(const SfuResult *r, GeglBuffer *picture)
{
    const Babl *native = gegl_buffer_get_format(picture);
    const GeglRectangle *e = gegl_buffer_get_extent(r->picture);
    if (!r->masked) {
        GeglBuffer *out = gegl_buffer_new(e, native);
        gegl_buffer_copy(r->picture, e, GEGL_ABYSS_NONE, out, e);
        return out;
    }
    GeglBuffer *out = gegl_buffer_dup(picture);
    GeglRectangle in;
    if (!gegl_rectangle_intersect(&in, e, gegl_buffer_get_extent(picture)))
        return out;
    const int bpp = babl_format_get_bytes_per_pixel(native);
    const Row row = {g_new(float, in.width * 4), g_new(float, in.width * 4), g_malloc((gsize)in.width * bpp),
                     g_malloc((gsize)in.width * bpp)};
    for (int y = 0; y < in.height; y++)
        mix_row(out, r, GEGL_RECTANGLE(in.x, in.y + y, in.width, 1), &row);
    g_free(row.over);
    g_free(row.under);
    g_free(row.old);
    g_free(row.new);
    return out;
}
