/* Pictures in and out, through GEGL.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <glib/gstdio.h>
#include <string.h>
#ifdef HAVE_GEXIV2
#include <gexiv2/gexiv2.h>
#endif

/* EXIF orientation 1..8 (EXIF 2.32, tag 0x0112); 1 when there is none. */
static int orientation_of(const char *path)
{
    int v = 1;
#ifdef HAVE_GEXIV2
    GExiv2Metadata *m = gexiv2_metadata_new();
    if (gexiv2_metadata_open_path(m, path, NULL))
        v = (int)gexiv2_metadata_try_get_orientation(m, NULL);
    g_object_unref(m);
#endif
    return v >= 1 && v <= 8 ? v : 1;
}

/* A new buffer that stands upright; values are moved, never computed. */
static GeglBuffer *turn_upright(GeglBuffer *in, int orientation)
{
    const GeglRectangle *e = gegl_buffer_get_extent(in);
    const Babl *format = gegl_buffer_get_format(in);
    const gsize bpp = (gsize)babl_format_get_bytes_per_pixel(format);
    const int w = e->width, h = e->height;
    const gboolean swap = orientation >= 5;
    GeglBuffer *out = gegl_buffer_new(GEGL_RECTANGLE(0, 0, swap ? h : w, swap ? w : h), format);
    guint8 *src = g_malloc((gsize)w * h * bpp), *dst = g_malloc((gsize)w * h * bpp);
    gegl_buffer_get(in, e, 1.0, format, src, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    for (int y = 0; y < (swap ? w : h); y++)
        for (int x = 0; x < (swap ? h : w); x++) {
            int sx = swap ? y : x, sy = swap ? x : y;
            if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
                sx = w - 1 - sx;
            if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
                sy = h - 1 - sy;
            memcpy(dst + ((gsize)y * (swap ? h : w) + x) * bpp, src + ((gsize)sy * w + sx) * bpp, bpp);
        }
    gegl_buffer_set(out, gegl_buffer_get_extent(out), 0, format, dst, GEGL_AUTO_ROWSTRIDE);
    g_free(src);
    g_free(dst);
    return out;
}

GeglBuffer *sfu_cli_picture_load(const char *path, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s is not there, or is no file", path);
        return NULL;
    }
    GeglBuffer *buffer = NULL;
    GeglNode *graph = gegl_node_new();
    GeglNode *load = gegl_node_new_child(graph, "operation", "gegl:load", "path", path, NULL);
    GeglNode *sink = gegl_node_new_child(graph, "operation", "gegl:buffer-sink", "buffer", &buffer, "format", NULL, NULL);
    gegl_node_link(load, sink);
    gegl_node_process(sink);
    g_object_unref(graph);
    if (!buffer || gegl_buffer_get_width(buffer) < 1 || gegl_buffer_get_height(buffer) < 1) {
        g_clear_object(&buffer);
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s is no picture that GEGL can read", path);
        return NULL;
    }
    const int orientation = orientation_of(path);
    if (orientation != 1) {
        GeglBuffer *upright = turn_upright(buffer, orientation);
        g_object_unref(buffer);
        buffer = upright;
    }
    return buffer;
}

static const char *ending(const char *path)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    return dot && (!slash || dot > slash) ? dot + 1 : "";
}

static gboolean opaque(GeglBuffer *picture)
{
    GeglBufferIterator *it = gegl_buffer_iterator_new(picture, NULL, 0, babl_format("YA float"), GEGL_ACCESS_READ, GEGL_ABYSS_NONE, 1);
    gboolean yes = TRUE;
    while (gegl_buffer_iterator_next(it)) {
        const float *a = it->items[0].data;
        for (int i = 0; i < it->length; i++)
            if (a[2 * i + 1] < 1.0f) {
                yes = FALSE;
                break;
            }
        if (!yes) {
            gegl_buffer_iterator_stop(it);
            break;
        }
    }
    return yes;
}

/* The format to write: components and space of `like` (R'G'B' in sRGB without one), alpha only if it is used, `depth` bits. */
static const Babl *output_format(GeglBuffer *picture, const Babl *like, int depth)
{
    const Babl *space = like ? babl_format_get_space(like) : NULL;
    const gboolean gray = like && babl_get_model_flags(like) & BABL_MODEL_FLAG_GRAY;
    const gboolean alpha = (like ? babl_format_has_alpha(like) : FALSE) || !opaque(picture);
    if (!depth && like) {
        const int bytes = babl_format_get_bytes_per_pixel(like) / MAX(1, babl_format_get_n_components(like));
        depth = bytes >= 4 ? 32 : bytes == 2 ? 16 : 8;
    }
    char name[32];
    g_snprintf(name, sizeof name, "%s%s %s", gray ? "Y'" : "R'G'B'", alpha ? "A" : "", depth == 32 ? "float" : depth == 16 ? "u16" : "u8");
    return babl_format_with_space(name, space);
}

gboolean sfu_cli_picture_save(GeglBuffer *picture, const Babl *like, int depth, const char *text, const char *path, GError **error)
{
    const Babl *format = output_format(picture, like, depth);
    const char *dot = ending(path);
    char *dir = g_path_get_dirname(path), *base = g_path_get_basename(path);
    char *part = g_strdup_printf("%s/.%s.part.%s", dir, base, dot); /* the ending chooses the format */
    const gboolean png = g_ascii_strcasecmp(dot, "png") == 0, tiff = g_ascii_strcasecmp(dot, "tif") == 0 || g_ascii_strcasecmp(dot, "tiff") == 0;
    gboolean ok = FALSE;
    GError *local = NULL;
    GeglBuffer *out = gegl_buffer_new(gegl_buffer_get_extent(picture), format);
    gegl_buffer_copy(picture, NULL, GEGL_ABYSS_NONE, out, NULL);
    if (!*dot) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s: the file's ending must say the format (png, tif, jpg, exr ...)", path);
        goto out;
    }
    if (!g_file_test(dir, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s: there is no folder %s", path, dir);
        goto out;
    }
    GeglNode *graph = gegl_node_new();
    GeglNode *source = gegl_node_new_child(graph, "operation", "gegl:buffer-source", "buffer", out, NULL);
    GeglNode *save = png ? gegl_node_new_child(graph, "operation", "gegl:png-save", "path", part, "bitdepth",
                                               babl_format_get_type(format, 0) == babl_type("u8") ? 8 : 16, NULL)
                   : tiff ? gegl_node_new_child(graph, "operation", "gegl:tiff-save", "path", part, NULL)
                          : gegl_node_new_child(graph, "operation", "gegl:save", "path", part, NULL);
    gegl_node_link(source, save);
    gegl_node_process(save);
    g_object_unref(graph);
    GStatBuf s;
    if (g_stat(part, &s) != 0 || s.st_size == 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, "%s could not be written (is '%s' a format that GEGL writes, and is there room?)", path, dot);
        goto out;
    }
    if (png && text && !sfu_png_text_add(part, "parameters", text, &local)) {
        g_propagate_error(error, local);
        goto out;
    }
    ok = g_rename(part, path) == 0;
    if (!ok)
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, "%s could not be put in its place", path);
out:
    if (!ok)
        (void)g_unlink(part);
    g_object_unref(out);
    g_free(part);
    g_free(base);
    g_free(dir);
    return ok;
}
