/* The formats, and what they share: rows, color spaces, messages.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <errno.h>
#include <string.h>

static const SfuPictureFormat *const formats[] = {&sfu_picture_png,  &sfu_picture_jpeg, &sfu_picture_tiff,
                                                  &sfu_picture_webp, &sfu_picture_exr,  &sfu_picture_hdr,
                                                  &sfu_picture_pnm,  &sfu_picture_tga,  &sfu_picture_other};

/* Larger than any camera or scanner makes, small enough that no product overflows. */
#define MAX_SIDE (1 << 19)
#define MAX_PIXELS ((guint64)1 << 32)

const SfuPictureFormat *sfu_picture_format_of(const guint8 *head, gsize n)
{
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++)
        if (formats[i]->is(head, n))
            return formats[i];
    return NULL;
}

const char *sfu_picture_ending(const char *path)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    return dot && (!slash || dot > slash) ? dot + 1 : "";
}

const SfuPictureFormat *sfu_picture_format_for(const char *path)
{
    char *ending = g_ascii_strdown(sfu_picture_ending(path), -1);
    const SfuPictureFormat *found = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(formats) && !found; i++)
        if (*ending && g_strv_contains(formats[i]->endings, ending))
            found = formats[i];
    g_free(ending);
    return found;
}

char *sfu_picture_endings(void)
{
    GString *s = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++)
        for (int k = 0; formats[i]->save && formats[i]->endings[k]; k++)
            g_string_append_printf(s, "%s.%s", s->len ? " " : "", formats[i]->endings[k]);
    return g_string_free(s, FALSE);
}

/* ---- reading ---- */

gpointer sfu_picture_refuse(const SfuPictureIn *in, GError **error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *what = g_strdup_vprintf(format, ap), *text = g_utf8_make_valid(what, -1);
    va_end(ap);
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s: %s", in->path, g_strdelimit(g_strchomp(text), "\n", ' '));
    g_free(what);
    g_free(text);
    return NULL;
}

GeglBuffer *sfu_picture_buffer(const SfuPictureIn *in, guint64 w, guint64 h, const Babl *format, GBytes *icc,
                               GError **error)
{
    if (w < 1 || h < 1 || w > MAX_SIDE || h > MAX_SIDE || w * h > MAX_PIXELS)
        return sfu_picture_refuse(in, error,
                                  "a picture of %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
                                  " pixels is not supported (at most %d a side)",
                                  w, h, MAX_SIDE);
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(0, 0, (int)w, (int)h), format);
    if (icc)
        g_object_set_data_full(G_OBJECT(b), SFU_CLI_PICTURE_ICC, g_bytes_ref(icc), (GDestroyNotify)g_bytes_unref);
    return b;
}

void sfu_cmyk_to_rgb(float *rgb, const float *cmyk, int n, const Babl *space)
{
    if (space) {
        babl_process(babl_fish(babl_format_with_space("CMYK float", space), babl_format("R'G'B' float")), cmyk, rgb, n);
        return;
    }
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 3; k++)
            rgb[3 * i + k] = (1 - cmyk[4 * i + k]) * (1 - cmyk[4 * i + 3]);
}

/* ---- rows ---- */

void sfu_rows_init(SfuRows *r, GeglBuffer *buffer, const Babl *format)
{
    const int w = gegl_buffer_get_width(buffer), h = gegl_buffer_get_height(buffer);
    *r = (SfuRows){.buffer = buffer,
                   .format = format,
                   .w = w,
                   .h = h,
                   .row_bytes = (gsize)w * babl_format_get_bytes_per_pixel(format)};
    r->room = (int)CLAMP((16 << 20) / r->row_bytes, 1, 64);
    r->pixels = g_malloc(r->row_bytes * r->room);
}

void sfu_rows_end(SfuRows *r)
{
    if (r->n > 0)
        gegl_buffer_set(r->buffer, GEGL_RECTANGLE(0, r->y, r->w, r->n), 0, r->format, r->pixels, GEGL_AUTO_ROWSTRIDE);
    r->y += r->n;
    r->n = 0;
}

guint8 *sfu_rows_next(SfuRows *r)
{
    if (r->n == r->room)
        sfu_rows_end(r);
    return r->pixels + r->row_bytes * r->n++;
}

const guint8 *sfu_rows_get(SfuRows *r, int y)
{
    if (y < r->y || y >= r->y + r->n) {
        const GeglRectangle *e = gegl_buffer_get_extent(r->buffer);
        r->y = y;
        r->n = MIN(r->room, r->h - y);
        gegl_buffer_get(r->buffer, GEGL_RECTANGLE(e->x, e->y + y, r->w, r->n), 1.0, r->format, r->pixels,
                        GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    }
    return r->pixels + r->row_bytes * (y - r->y);
}

void sfu_rows_clear(SfuRows *r)
{
    g_clear_pointer(&r->pixels, g_free);
}

/* ---- writing ---- */

gboolean sfu_picture_put(SfuPictureOut *out, const void *data, gsize n)
{
    if (!out->broken && n > 0 && fwrite(data, 1, n, out->file) != n)
        out->broken = errno ? errno : EIO;
    return !out->broken;
}

gboolean sfu_picture_unwritten(const SfuPictureOut *out, GError **error, const char *message)
{
    g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, "%s cannot be written: %s", out->path,
                out->broken ? g_strerror(out->broken) : message);
    return FALSE;
}
