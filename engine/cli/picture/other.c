/* Formats that are only read, by gdk-pixbuf and the loaders that it has: BMP, GIF, ICO, XPM, and AVIF, HEIF, JPEG
 * XL, SVG where they are installed. 8 bits per channel; of an animation the first frame. Copyright (C) 2026 The Sfumato
 * authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

/* 2.44 deprecates animations; the gdk-pixbuf of Debian 12 has nothing else. */
#define GDK_PIXBUF_VERSION_MIN_REQUIRED GDK_PIXBUF_VERSION_2_40
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <string.h>
#include <sys/types.h>

/* gdk-pixbuf, too, decides by content. */
static gboolean is_other(const guint8 *head, gsize n)
{
    return n > 0;
}

/* What Sfumato reads by itself, gdk-pixbuf shall not try: by a file's name it chooses its TIFF loader for bytes that
 * are none, and that loader then frees a pointer that it never set (gdk-pixbuf 2.42). */
static GdkPixbufFormat *format_of(const char *path, int *w, int *h)
{
    static const char *const ours[] = {"png", "jpeg", "tiff", "webp", "pnm", "tga", NULL};
    static gsize closed;
    if (g_once_init_enter(&closed)) {
        GSList *all = gdk_pixbuf_get_formats();
        for (GSList *l = all; l; l = l->next) {
            char *name = gdk_pixbuf_format_get_name(l->data);
            if (g_strv_contains(ours, name))
                gdk_pixbuf_format_set_disabled(l->data, TRUE);
            g_free(name);
        }
        g_slist_free(all);
        g_once_init_leave(&closed, 1);
    }
    return gdk_pixbuf_get_file_info(path, w, h);
}

gboolean sfu_picture_other_knows(const char *path)
{
    int w, h;
    return format_of(path, &w, &h) != NULL;
}

static GBytes *icc_of(SfuPictureIn *in, GdkPixbuf *p)
{
    const char *text = gdk_pixbuf_get_option(p, "icc-profile");
    gsize n;
    guchar *data = text ? g_base64_decode(text, &n) : NULL;
    GBytes *icc = data ? sfu_picture_profile(in, data, n) : NULL;
    g_free(data);
    return icc;
}

/* Some loaders always give alpha, used or not. */
static gboolean is_opaque(GdkPixbuf *p)
{
    const guint8 *pixels = gdk_pixbuf_read_pixels(p);
    const int w = gdk_pixbuf_get_width(p), h = gdk_pixbuf_get_height(p), stride = gdk_pixbuf_get_rowstride(p);
    for (int y = 0; gdk_pixbuf_get_has_alpha(p) && y < h; y++)
        for (int x = 0; x < w; x++)
            if (pixels[(gsize)y * stride + 4 * x + 3] != 255)
                return FALSE;
    return TRUE;
}

static GeglBuffer *to_buffer(SfuPictureIn *in, GdkPixbuf *p, GError **error)
{
    GBytes *icc = icc_of(in, p);
    const Babl *space = sfu_picture_space(icc, FALSE),
               *given = babl_format_with_space(gdk_pixbuf_get_has_alpha(p) ? "R'G'B'A u8" : "R'G'B' u8", space);
    const Babl *format = is_opaque(p) ? babl_format_with_space("R'G'B' u8", space) : given;
    GeglBuffer *b =
        sfu_picture_buffer(in, (guint64)gdk_pixbuf_get_width(p), (guint64)gdk_pixbuf_get_height(p), format, icc, error);
    if (b)
        gegl_buffer_set(b, gegl_buffer_get_extent(b), 0, given, gdk_pixbuf_read_pixels(p), gdk_pixbuf_get_rowstride(p));
    if (icc)
        g_bytes_unref(icc);
    return b;
}

/* Do the runs that begin here reach the last pixel? A zero begins an escape: 0 ends a row, 1 the picture, 2 moves, more
 * are so many literal pixels, padded to a whole word. (BITMAPINFOHEADER, BI_RLE8 and BI_RLE4) */
static gboolean runs_end(FILE *f, gboolean nibbles, guint64 w, guint64 rows)
{
    for (guint64 x = 0, y = 0;;) {
        const int n = getc(f), v = getc(f);
        if (v == EOF)
            return y >= rows || (y + 1 == rows && x >= w);
        if (n == 0 && v == 1)
            return TRUE;
        if (n == 0 && v == 2) {
            x += (guint64)MAX(getc(f), 0);
            y += (guint64)MAX(getc(f), 0);
        } else if (n == 0 && v > 2) {
            for (int skip = (((nibbles ? (v + 1) / 2 : v) + 1) & ~1); skip > 0; skip--)
                if (getc(f) == EOF)
                    return FALSE;
            x += (guint64)v;
        } else if (n == 0) {
            x = 0;
            y++;
        } else {
            x += (guint64)n;
        }
    }
}

static guint64 number(const guint8 *p, int n)
{
    guint64 v = 0;
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

/* A BMP file's header tells how long it is; gdk-pixbuf takes what is missing for black or transparent. Headers: 12
 * bytes (BITMAPCOREHEADER), or 40 and more (BITMAPINFOHEADER), behind the 14 of BITMAPFILEHEADER. */
static gboolean is_cut_bmp(SfuPictureIn *in)
{
    guint8 h[54] = {0};
    if (fread(h, 1, sizeof h, in->file) < 26 || memcmp(h, "BM", 2) != 0)
        return FALSE;
    const gboolean old = number(h + 14, 4) < 40;
    const guint64 start = number(h + 10, 4), w = old ? number(h + 18, 2) : (guint64)ABS((gint32)number(h + 18, 4)),
                  rows = old ? number(h + 20, 2) : (guint64)ABS((gint64)(gint32)number(h + 22, 4)),
                  bits = number(h + (old ? 24 : 28), 2), packing = old ? 0 : number(h + 30, 4);
    if (packing == 1 || packing == 2)
        return fseeko(in->file, (off_t)start, SEEK_SET) != 0 || !runs_end(in->file, packing == 2, w, rows);
    return packing == 0 || packing == 3 ? start + (w * bits + 31) / 32 * 4 * rows > in->n_bytes : start >= in->n_bytes;
}

static void print_nothing(const char *text)
{
}

/* Some loaders print what is wrong with a file, besides reporting it. */
static GdkPixbufAnimation *read_silently(const char *path, GError **error)
{
    const GPrintFunc out = g_set_print_handler(print_nothing), err = g_set_printerr_handler(print_nothing);
    GdkPixbufAnimation *a = gdk_pixbuf_animation_new_from_file(path, error);
    g_set_print_handler(out);
    g_set_printerr_handler(err);
    return a;
}

/* gdk-pixbuf's loaders read a file to its end, whatever it holds. Animations are longer than their first frame. */
static gboolean is_too_long(const SfuPictureIn *in, int w, int h)
{
    return in->n_bytes > 4 * SFU_PICTURE_EXTRA_BYTES + SFU_PICTURE_PIXEL_BYTES * (guint64)w * (guint64)h;
}

/* Files that people take for pictures to be read, by their first bytes. `loader`: Debian's package of gdk-pixbuf's
 * loader, "" if Debian 12 has none; NULL: no loader is known. */
static const struct {
    guint at;
    const char *begins, *name, *loader;
} foreign[] = {{4, "ftypavif", "an AVIF picture", "libavif-gdk-pixbuf"},
               {4, "ftypavis", "an AVIF animation", "libavif-gdk-pixbuf"},
               {4, "ftyphei", "a HEIF picture", "heif-gdk-pixbuf"},
               {4, "ftyphev", "a HEIF picture", "heif-gdk-pixbuf"},
               {4, "ftypmif1", "a HEIF picture", "heif-gdk-pixbuf"},
               {4, "JXL \r\n", "a JPEG XL picture", ""},
               {0, "\xff\x0a", "a JPEG XL picture", ""},
               {0, "<svg", "an SVG drawing", "librsvg2-common"},
               {4, "jP  \r\n", "a JPEG 2000 picture", NULL},
               {0, "\xff\x4f\xff\x51", "a JPEG 2000 picture", NULL},
               {4, "ftypcrx", "a camera's raw file", NULL},
               {0, "FUJIFILM", "a camera's raw file", NULL},
               {4, "ftyp", "a video", NULL},
               {0, "8BPS", "a Photoshop file", NULL},
               {0, "gimp xcf", "a GIMP file", NULL},
               {0, "qoif", "a QOI picture", NULL},
               {0, "DDS ", "a DDS texture", NULL},
               {0, "\x0a\x05\x01", "a PCX picture", NULL},
               {0, "\x01\xda", "an SGI picture", NULL},
               {0, "%PDF", "a PDF document", NULL},
               {0, "%!PS", "a PostScript document", NULL},
               {0, "AT&TFORM", "a DjVu document", NULL},
               {0, "PK\3\4", "a ZIP archive, as Krita and OpenRaster save pictures", NULL},
               {0, "<!DOCTYPE html", "a web page", NULL},
               {0, "<html", "a web page", NULL}};

static GeglBuffer *refuse_foreign(SfuPictureIn *in, GError **error)
{
    char head[SFU_PICTURE_HEAD] = "";
    const gsize n = fread(head, 1, sizeof head, in->file);
    for (guint i = 0; i < G_N_ELEMENTS(foreign); i++) {
        const gsize length = strlen(foreign[i].begins);
        if (foreign[i].at + length > n || memcmp(head + foreign[i].at, foreign[i].begins, length) != 0)
            continue;
        if (foreign[i].loader)
            return sfu_picture_refuse(
                in, error, "it is %s, which Sfumato reads once gdk-pixbuf has a loader for it%s%s%s", foreign[i].name,
                *foreign[i].loader ? " (Debian: the package " : "", foreign[i].loader, *foreign[i].loader ? ")" : "");
        return sfu_picture_refuse(in, error, "it is %s, which Sfumato does not read; save it as PNG or TIFF first",
                                  foreign[i].name);
    }
    return sfu_picture_refuse(in, error,
                              "not a picture that Sfumato can read (PNG, JPEG, TIFF, WebP, OpenEXR, Radiance HDR, "
                              "Netpbm, TGA, BMP, GIF, and the formats that gdk-pixbuf has loaders for)");
}

static GeglBuffer *load_other(SfuPictureIn *in, GError **error)
{
    int w = 0, h = 0;
    GError *local = NULL;
    GdkPixbufFormat *format = format_of(in->path, &w, &h);
    if (!format)
        return refuse_foreign(in, error);
    if (is_too_long(in, w, h))
        return sfu_picture_refuse(in, error, "%" G_GUINT64_FORMAT " bytes are too many for %d x %d pixels", in->n_bytes,
                                  w, h);
    if (is_cut_bmp(in))
        return sfu_picture_refuse(in, error, "not a whole BMP picture (the file ends too early)");
    GeglBuffer *b =
        w > 0 && h > 0 ? sfu_picture_buffer(in, (guint64)w, (guint64)h, babl_format("R'G'B' u8"), NULL, error) : NULL;
    if (in->header_only || (w > 0 && h > 0 && !b)) /* an absurd size is refused before it is made */
        return b;
    g_clear_object(&b);
    GdkPixbufAnimation *a = read_silently(in->path, &local);
    GdkPixbuf *p = a ? gdk_pixbuf_animation_get_static_image(a) : NULL;
    if (local || !p) {
        char *name = gdk_pixbuf_format_get_name(format);
        sfu_picture_refuse(in, error, "not a whole %s picture (%s)", name,
                           local ? local->message : "it holds no pixels");
        g_free(name);
        g_clear_error(&local);
    } else {
        const char *orientation = gdk_pixbuf_get_option(p, "orientation");
        if (orientation)
            in->orientation = CLAMP(atoi(orientation), 1, 8);
        in->n_frames = gdk_pixbuf_animation_is_static_image(a) ? 1 : 2;
        b = to_buffer(in, p, error);
    }
    g_clear_object(&a);
    return b;
}

static const char *const endings[] = {"bmp", "gif", NULL};
const SfuPictureFormat sfu_picture_other = {"other", endings, is_other, load_other, NULL,
                                            8,       TRUE,    FALSE,    FALSE,      1 << 30};
