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

/* A copy of `pixels` as "R'G'B'A float", each row of n pixels changed by the same row of `by` (NULL: by none), read in
 * that format of four values a pixel at most. */
static GeglBuffer *changed(GeglBuffer *pixels, GeglBuffer *by, const char *format, GeglAbyssPolicy beside,
                           void (*change)(float *row, const float *by, int n))
{
    const GeglRectangle all = *gegl_buffer_get_extent(pixels);
    const Babl *rgba = babl_format("R'G'B'A float");
    GeglBuffer *copy = gegl_buffer_new(&all, rgba);
    float *row = g_new(float, (gsize)all.width * 4), *other = g_new(float, (gsize)all.width * 4);
    for (int y = 0; y < all.height; y++) {
        const GeglRectangle r = {all.x, all.y + y, all.width, 1};
        gegl_buffer_get(pixels, &r, 1.0, rgba, row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        if (by)
            gegl_buffer_get(by, &r, 1.0, babl_format(format), other, GEGL_AUTO_ROWSTRIDE, beside);
        change(row, other, all.width);
        gegl_buffer_set(copy, &r, 0, rgba, row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    g_free(other);
    return copy;
}

static void make_opaque(float *row, const float *by, int n)
{
    for (int x = 0; x < n; x++)
        row[4 * x + 3] = 1;
}

GeglBuffer *sfu_pixels_opaque(GeglBuffer *src)
{
    return changed(src, NULL, NULL, GEGL_ABYSS_NONE, make_opaque);
}

static void mask_alpha(float *row, const float *mask, int n)
{
    for (int x = 0; x < n; x++)
        row[4 * x + 3] *= CLAMP(mask[x], 0, 1);
}

GeglBuffer *sfu_pixels_masked(GeglBuffer *pixels, GeglBuffer *mask)
{
    return changed(pixels, mask, "Y float", GEGL_ABYSS_CLAMP, mask_alpha);
}

static void put_over(float *below, const float *above, int n)
{
    for (int i = 0; i < n * 4; i++)
        if (i % 4 != 3)
            below[i] += (above[i] - below[i]) * CLAMP(above[i | 3], 0, 1);
}

GeglBuffer *sfu_pixels_over(GeglBuffer *base, GeglBuffer *top)
{
    return changed(base, top, "R'G'B'A float", GEGL_ABYSS_NONE, put_over);
}

static void limit_alpha(float *row, const float *limit, int n)
{
    for (int x = 0; x < n; x++)
        row[4 * x + 3] = MIN(row[4 * x + 3], CLAMP(limit[4 * x + 3], 0, 1));
}

GeglBuffer *sfu_pixels_limited(GeglBuffer *pixels, GeglBuffer *picture)
{
    return changed(pixels, picture, "R'G'B'A float", GEGL_ABYSS_NONE, limit_alpha);
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
