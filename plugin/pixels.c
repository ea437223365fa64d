/* Pixel moving in strips.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pixels.h"

#include <string.h>

#define STRIP_PX 128 /* two rows of GIMP's tiles */

void sfu_pixels_copy(GeglBuffer *src, const GeglRectangle *from, const Babl *read, GeglBuffer *dst, int x, int y,
                     const Babl *write)
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

GeglBuffer *sfu_pixels_read(GeglBuffer *src, const GeglRectangle *from, const Babl *read, int x, int y,
                            const Babl *write)
{
    GeglBuffer *copy = gegl_buffer_new(GEGL_RECTANGLE(x, y, from->width, from->height), write);
    sfu_pixels_copy(src, from, read, copy, x, y, write);
    g_object_unref(src);
    return copy;
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

GeglBuffer *sfu_pixels_masked(GeglBuffer *pixels, GeglBuffer *mask)
{
    const GeglRectangle all = *gegl_buffer_get_extent(pixels);
    const Babl *rgba = babl_format("R'G'B'A float");
    GeglBuffer *copy = gegl_buffer_new(&all, rgba);
    float *row = g_new(float, (gsize)all.width * 4), *m = g_new(float, all.width);
    for (int y = 0; y < all.height; y++) {
        const GeglRectangle r = {all.x, all.y + y, all.width, 1};
        gegl_buffer_get(pixels, &r, 1.0, rgba, row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        gegl_buffer_get(mask, &r, 1.0, babl_format("Y float"), m, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_CLAMP);
        for (int x = 0; x < all.width; x++)
            row[4 * x + 3] *= CLAMP(m[x], 0, 1);
        gegl_buffer_set(copy, &r, 0, rgba, row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    g_free(m);
    return copy;
}

GeglBuffer *sfu_pixels_over(GeglBuffer *base, GeglBuffer *top)
{
    const GeglRectangle all = *gegl_buffer_get_extent(base);
    const Babl *rgba = babl_format("R'G'B'A float");
    GeglBuffer *out = gegl_buffer_new(&all, rgba);
    float *below = g_new(float, (gsize)all.width * 4), *above = g_new(float, (gsize)all.width * 4);
    for (int y = 0; y < all.height; y++) {
        const GeglRectangle r = {all.x, all.y + y, all.width, 1};
        gegl_buffer_get(base, &r, 1.0, rgba, below, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        gegl_buffer_get(top, &r, 1.0, rgba, above, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE); /* transparent beside it */
        for (int i = 0; i < all.width * 4; i++)
            if (i % 4 != 3)
                below[i] += (above[i] - below[i]) * CLAMP(above[i | 3], 0, 1);
        gegl_buffer_set(out, &r, 0, rgba, below, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(below);
    g_free(above);
    return out;
}

gboolean sfu_pixels_equal(GeglBuffer *a, GeglBuffer *b)
{
    const GeglRectangle all = *gegl_buffer_get_extent(a), other = *gegl_buffer_get_extent(b);
    const Babl *format = gegl_buffer_get_format(a);
    if (all.width != other.width || all.height != other.height || gegl_buffer_get_format(b) != format)
        return FALSE;
    const gsize n = (gsize)all.width * STRIP_PX * babl_format_get_bytes_per_pixel(format);
    guchar *x = g_malloc(n), *y = g_malloc(n);
    gboolean same = TRUE;
    for (int row = 0; same && row < all.height; row += STRIP_PX) {
        const GeglRectangle r = {all.x, all.y + row, all.width, MIN(STRIP_PX, all.height - row)};
        gegl_buffer_get(a, &r, 1.0, format, x, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        gegl_buffer_get(b, GEGL_RECTANGLE(other.x, other.y + row, r.width, r.height), 1.0, format, y,
                        GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        same = memcmp(x, y, (gsize)r.width * r.height * babl_format_get_bytes_per_pixel(format)) == 0;
    }
    g_free(x);
    g_free(y);
    return same;
}

GeglBuffer *sfu_pixels_moved(GeglBuffer *pixels, int x, int y)
{
    const GeglRectangle from = *gegl_buffer_get_extent(pixels), to = {x, y, from.width, from.height};
    GeglBuffer *copy = gegl_buffer_new(&to, gegl_buffer_get_format(pixels));
    gegl_buffer_copy(pixels, &from, GEGL_ABYSS_NONE, copy, &to);
    return copy;
}

GeglBuffer *sfu_pixels_cropped(GeglBuffer *buffer, const GeglRectangle *r)
{
    GeglBuffer *part = gegl_buffer_new(r, gegl_buffer_get_format(buffer));
    gegl_buffer_copy(buffer, r, GEGL_ABYSS_NONE, part, r);
    return part;
}

GeglBuffer *sfu_pixels_scaled(GeglBuffer *pixels, const GeglRectangle *to)
{
    const GeglRectangle from = *gegl_buffer_get_extent(pixels);
    if (from.width == to->width && from.height == to->height)
        return sfu_pixels_moved(pixels, to->x, to->y);
    GeglBuffer *small = NULL;
    GeglNode *graph = gegl_node_new();
    GeglNode *source = gegl_node_new_child(graph, "operation", "gegl:buffer-source", "buffer", pixels, NULL);
    GeglNode *origin =
        gegl_node_new_child(graph, "operation", "gegl:translate", "x", (double)-from.x, "y", (double)-from.y, NULL);
    GeglNode *scale = gegl_node_new_child(graph, "operation", "gegl:scale-size", "x", (double)to->width, "y",
                                          (double)to->height, "sampler", GEGL_SAMPLER_CUBIC, NULL);
    GeglNode *sink = gegl_node_new_child(graph, "operation", "gegl:buffer-sink", "buffer", &small, NULL);
    gegl_node_link_many(source, origin, scale, sink, NULL);
    gegl_node_process(sink);
    g_object_unref(graph);
    const GeglRectangle zero = {0, 0, to->width, to->height};
    GeglBuffer *out = gegl_buffer_new(to, babl_format("R'G'B'A float"));
    gegl_buffer_copy(small, &zero, GEGL_ABYSS_CLAMP, out, to); /* the sampler's last pixel may be missing */
    g_object_unref(small);
    return out;
}
