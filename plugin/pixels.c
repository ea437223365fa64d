/* Pixel moving in strips.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pixels.h"

#define STRIP_PX 128 /* two rows of GIMP's tiles */

void sfu_pixels_copy(GeglBuffer *src, const GeglRectangle *from, const Babl *read, GeglBuffer *dst, int x, int y, const Babl *write)
{
    guchar *data = g_malloc((gsize)from->width * STRIP_PX * babl_format_get_bytes_per_pixel(read));
    for (int row = 0; row < from->height; row += STRIP_PX) {
        const int n = MIN(STRIP_PX, from->height - row);
        const GeglRectangle a = {from->x, from->y + row, from->width, n}, b = {x, y + row, from->width, n};
        gegl_buffer_get(src, &a, 1.0, read, data, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        gegl_buffer_set(dst, &b, 0, write, data, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(data);
}

void sfu_pixels_copy_alpha(GeglBuffer *src, const GeglRectangle *from, GeglBuffer *dst, int x, int y)
{
    float *row = g_new(float, (gsize)from->width * 4);
    for (int i = 0; i < from->height; i++) {
        const GeglRectangle a = {from->x, from->y + i, from->width, 1}, b = {x, y + i, from->width, 1};
        gegl_buffer_get(src, &a, 1.0, babl_format("R'G'B'A float"), row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int k = 0; k < from->width; k++)
            row[k] = row[4 * k + 3];
        gegl_buffer_set(dst, &b, 0, babl_format("Y float"), row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
}

GeglBuffer *sfu_pixels_opaque(GeglBuffer *src)
{
    const GeglRectangle all = *gegl_buffer_get_extent(src);
    GeglBuffer *copy = gegl_buffer_new(&all, babl_format("R'G'B'A float"));
    float *row = g_new(float, (gsize)all.width * 4);
    for (int i = 0; i < all.height; i++) {
        const GeglRectangle r = {all.x, all.y + i, all.width, 1};
        gegl_buffer_get(src, &r, 1.0, babl_format("R'G'B'A float"), row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int k = 0; k < all.width; k++)
            row[4 * k + 3] = 1;
        gegl_buffer_set(copy, &r, 0, babl_format("R'G'B'A float"), row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    return copy;
}
