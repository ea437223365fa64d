/* Reading a picture: the decoder is chosen by what is in the file, never by its name, and what it does not read whole
 * is an error. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* Under this name a buffer carries the orientation that its file told, where it is not 1. */
#define ORIENTATION "sfu-orientation"

/* A new buffer that stands upright; values are moved, never computed. NULL with error. */
static GeglBuffer *turn_upright(const SfuPictureIn *in, GeglBuffer *from, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(from);
    const Babl *format = gegl_buffer_get_format(from);
    const gsize bpp = (gsize)babl_format_get_bytes_per_pixel(format);
    const int w = e->width, h = e->height, o = in->orientation;
    const gboolean swap = o >= 5;
    guint8 *src = g_try_malloc_n((gsize)w * h, bpp), *dst = g_try_malloc_n((gsize)w * h, bpp);
    GeglBuffer *out = NULL;
    if (!src || !dst) {
        sfu_picture_refuse(in, error, "not enough memory to turn %d x %d pixels upright", w, h);
        goto out;
    }
    out = gegl_buffer_new(GEGL_RECTANGLE(0, 0, swap ? h : w, swap ? w : h), format);
    gegl_buffer_get(from, e, 1.0, format, src, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    for (int y = 0; y < (swap ? w : h); y++)
        for (int x = 0; x < (swap ? h : w); x++) {
            int sx = swap ? y : x, sy = swap ? x : y;
            if (o == 2 || o == 3 || o == 7 || o == 8)
                sx = w - 1 - sx;
            if (o == 3 || o == 4 || o == 6 || o == 7)
                sy = h - 1 - sy;
            memcpy(dst + ((gsize)y * (swap ? h : w) + x) * bpp, src + ((gsize)sy * w + sx) * bpp, bpp);
        }
    gegl_buffer_set(out, gegl_buffer_get_extent(out), 0, format, dst, GEGL_AUTO_ROWSTRIDE);
    GBytes *icc = g_object_get_data(G_OBJECT(from), SFU_CLI_PICTURE_ICC);
    if (icc)
        g_object_set_data_full(G_OBJECT(out), SFU_CLI_PICTURE_ICC, g_bytes_ref(icc), (GDestroyNotify)g_bytes_unref);
    g_object_set_data(G_OBJECT(out), ORIENTATION, GINT_TO_POINTER(o));
out:
    g_free(src);
    g_free(dst);
    return out;
}

static FILE *open_file(SfuPictureIn *in, GError **error)
{
    GStatBuf s;
    errno = 0;
    FILE *f = g_stat(in->path, &s) == 0 && S_ISREG(s.st_mode) ? g_fopen(in->path, "rbe") : NULL;
    if (!f) {
        sfu_picture_refuse(in, error, "%s",
                           errno                ? g_strerror(errno)
                           : S_ISDIR(s.st_mode) ? "it is a folder"
                                                : "it is a pipe or a device, which cannot be read as a picture");
        return NULL;
    }
    in->n_bytes = (guint64)s.st_size;
    return f;
}

GeglBuffer *sfu_cli_picture_load(const char *path, GError **error)
{
    SfuPictureIn in = {.path = path, .orientation = 1, .n_frames = 1};
    guint8 head[SFU_PICTURE_HEAD];
    GeglBuffer *b = NULL;
    in.file = open_file(&in, error);
    if (!in.file)
        return NULL;
    const gsize n = fread(head, 1, sizeof head, in.file);
    const SfuPictureFormat *format = sfu_picture_format_of(head, n);
    rewind(in.file);
    if (n == 0)
        sfu_picture_refuse(&in, error, ferror(in.file) ? "the file cannot be read" : "the file is empty");
    else
        b = format->load(&in, error);
    fclose(in.file);
    if (b && in.orientation != 1) {
        GeglBuffer *upright = turn_upright(&in, b, error);
        g_object_unref(b);
        b = upright;
    }
    if (b)
        sfu_picture_meta_attach(b, &in.meta);
    sfu_picture_meta_clear(&in.meta);
    if (b && in.bad_profile)
        sfu_cli_note("%s has a damaged color profile, which is left out", path);
    if (b && in.note)
        sfu_cli_note("%s %s", path, in.note);
    if (b && in.n_frames > 1)
        sfu_cli_note("%s has several frames or pages; only the first one is used", path);
    return b;
}

/* Only a size tells: a mask of a picture that was turned by half, or mirrored, is taken as upright. */
gboolean sfu_cli_picture_turn_along(const char *file, GeglBuffer **mask, GeglBuffer *picture, GError **error)
{
    const int o = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(picture), ORIENTATION)),
              w = gegl_buffer_get_width(picture), h = gegl_buffer_get_height(picture);
    if (o < 5 || w == h || g_object_get_data(G_OBJECT(*mask), ORIENTATION) || gegl_buffer_get_width(*mask) != h ||
        gegl_buffer_get_height(*mask) != w)
        return TRUE;
    const SfuPictureIn in = {.path = file, .orientation = o};
    GeglBuffer *upright = turn_upright(&in, *mask, error);
    if (!upright)
        return FALSE;
    g_object_unref(*mask);
    *mask = upright;
    sfu_cli_note("%s lies on its side as the picture's file does, and is turned with it", file);
    return TRUE;
}

gboolean sfu_cli_is_picture(const char *path)
{
    guint8 head[SFU_PICTURE_HEAD];
    FILE *f = g_fopen(path, "rbe");
    const gsize n = f ? fread(head, 1, sizeof head, f) : 0;
    const SfuPictureFormat *format = sfu_picture_format_of(head, n);
    if (f)
        fclose(f);
    return sfu_picture_format_for(path) || (format && format != &sfu_picture_other) ||
           (format && sfu_picture_other_knows(path));
}
