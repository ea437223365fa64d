/* Lays a result over the picture.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sfumato.h"

#include <math.h>
#include <string.h>

/* One row: mixes in R'G'B'A float, and copies only the bytes of pixels that the result covers, so that the others do
 * not even see a conversion there and back. */
static void mix_row(GeglBuffer *out, const SfuResult *r, const GeglRectangle *line, const Babl *fish, float *over,
                    float *under, guint8 *old, guint8 *new)
{
    const Babl *rgba = babl_format("R'G'B'A float"), *native = gegl_buffer_get_format(out);
    const int bpp = babl_format_get_bytes_per_pixel(native);
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
    babl_process(fish, under, new, line->width);
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
    const Babl *fish = babl_fish(babl_format("R'G'B'A float"), native);
    const int bpp = babl_format_get_bytes_per_pixel(native);
    float *over = g_new(float, in.width * 4), *under = g_new(float, in.width * 4);
    guint8 *old = g_malloc((gsize)in.width * bpp), *new = g_malloc((gsize)in.width * bpp);
    for (int y = 0; y < in.height; y++)
        mix_row(out, r, GEGL_RECTANGLE(in.x, in.y + y, in.width, 1), fish, over, under, old, new);
    g_free(over);
    g_free(under);
    g_free(old);
    g_free(new);
    return out;
}
