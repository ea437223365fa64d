/* Truevision Targa (TGA 2.0 specification), read only. gdk-pixbuf's loader takes bytes that are not alpha for alpha,
 * and reads color maps that do not begin at zero as if they did. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <string.h>
#include <sys/types.h>

#define HEADER 18
#define FOOTER 26
#define ATTRIBUTES 494 /* place of the kind of alpha in the extension area */

typedef struct {
    FILE *file;
    int kind; /* 1 color map, 2 true color, 3 gray; 8 more: in runs */
    int bits, map_bits, map_first, map_count, alpha_bits, w, h;
    gboolean top_down, right_to_left, alpha, premultiplied;
    int n; /* samples that a pixel gives: 1 or 3, and alpha */
    guint8 (*map)[4];
    int run, literal; /* pixels that are left of a packet */
    guint8 pixel[4];  /* the one that a run repeats */
} Tga;

static int word(const guint8 *p)
{
    return p[0] | p[1] << 8;
}

static gboolean is_depth(int bits)
{
    return bits == 15 || bits == 16 || bits == 24 || bits == 32;
}

/* There is no mark at the beginning; what the header may hold is narrow enough. */
static gboolean is_tga(const guint8 *head, gsize n)
{
    if (n < HEADER || head[1] > 1 || (head[7] && !is_depth(head[7])) || head[17] & 0xc0 || (head[17] & 15) > 8 ||
        !word(head + 12) || !word(head + 14))
        return FALSE;
    switch (head[2] & ~8) {
    case 1:
        return head[1] == 1 && is_depth(head[7]) && word(head + 5) && (head[16] == 8 || head[16] == 16);
    case 2:
        return is_depth(head[16]);
    case 3:
        return head[16] == 8 || head[16] == 16;
    default:
        return FALSE;
    }
}

/* Samples as they are stored, blue first, to R, G, B, A. */
static void unpack(const guint8 *from, int bits, guint8 *to)
{
    const int v = bits < 24 ? word(from) : 0;
    for (int k = 0; k < 3; k++) {
        const int five = v >> (10 - 5 * k) & 31;
        to[k] = bits < 24 ? (guint8)(five << 3 | five >> 2) : from[2 - k];
    }
    to[3] = bits == 32 ? from[3] : bits == 16 && !(v & 0x8000) ? 0 : 255;
}

static gboolean read_map(Tga *t)
{
    const int bytes = (t->map_bits + 7) / 8;
    guint8 entry[4];
    t->map = g_malloc0_n((gsize)t->map_count, 4);
    for (int i = 0; i < t->map_count; i++) {
        if (fread(entry, 1, (gsize)bytes, t->file) != (gsize)bytes)
            return FALSE;
        unpack(entry, t->map_bits, t->map[i]);
    }
    return TRUE;
}

/* One stored pixel. FALSE: the file ends, or a color is not in the map. */
static gboolean read_pixel(Tga *t, guint8 *to)
{
    const gsize bytes = (gsize)(t->bits + 7) / 8;
    guint8 stored[4] = {0};
    if (fread(stored, 1, bytes, t->file) != bytes)
        return FALSE;
    if ((t->kind & ~8) == 1) {
        const int i = (bytes == 2 ? word(stored) : stored[0]) - t->map_first;
        if (i < 0 || i >= t->map_count)
            return FALSE;
        memcpy(to, t->map[i], 4);
    } else if ((t->kind & ~8) == 3) {
        to[0] = stored[0];
        to[1] = stored[1]; /* alpha, with 16 bits */
    } else {
        unpack(stored, t->bits, to);
    }
    return TRUE;
}

/* The next pixel. Packets of runs begin with their length less one, and with a bit that tells repeated pixels. */
static gboolean next_pixel(Tga *t, guint8 *to)
{
    if (!(t->kind & 8))
        return read_pixel(t, to);
    if (!t->run && !t->literal) {
        const int c = getc(t->file);
        if (c == EOF || (c & 0x80 && !read_pixel(t, t->pixel)))
            return FALSE;
        *(c & 0x80 ? &t->run : &t->literal) = (c & 0x7f) + 1;
    }
    if (t->literal) {
        t->literal--;
        return read_pixel(t, to);
    }
    t->run--;
    memcpy(to, t->pixel, 4);
    return TRUE;
}

/* What the extension area says of the fourth sample: 0, 1: it means nothing; 4: colors are multiplied by it. -1: there
 * is no such area. */
static int kind_of_alpha(const SfuPictureIn *in)
{
    guint8 footer[FOOTER];
    int kind = -1;
    if (in->n_bytes > FOOTER && fseeko(in->file, (off_t)(in->n_bytes - FOOTER), SEEK_SET) == 0 &&
        fread(footer, 1, FOOTER, in->file) == FOOTER && memcmp(footer + 8, "TRUEVISION-XFILE", 16) == 0) {
        const guint32 at = (guint32)word(footer) | (guint32)word(footer + 2) << 16;
        if (at > 0 && fseeko(in->file, (off_t)at + ATTRIBUTES, SEEK_SET) == 0)
            kind = getc(in->file);
    }
    rewind(in->file);
    return kind;
}

static gboolean read_header(Tga *t, const SfuPictureIn *in)
{
    guint8 p[HEADER];
    const int kind_alpha = kind_of_alpha(in);
    if (fread(p, 1, HEADER, t->file) != HEADER)
        return FALSE;
    t->kind = p[2];
    t->map_first = word(p + 3);
    t->map_count = p[1] ? word(p + 5) : 0;
    t->map_bits = p[7];
    t->w = word(p + 12);
    t->h = word(p + 14);
    t->bits = p[16];
    t->alpha_bits = p[17] & 15;
    t->right_to_left = (p[17] & 0x10) != 0;
    t->top_down = (p[17] & 0x20) != 0;
    const int kind = t->kind & ~8, stored = kind == 1 ? t->map_bits : t->bits;
    t->alpha = (kind == 3 ? stored == 16 : (stored == 32 || stored == 16) && t->alpha_bits > 0) && kind_alpha != 0 &&
               kind_alpha != 1;
    t->premultiplied = t->alpha && kind_alpha == 4;
    t->n = (kind == 3 ? 1 : 3) + t->alpha;
    for (int i = 0; i < p[0]; i++) /* words of the writer's */
        if (getc(t->file) == EOF)
            return FALSE;
    return t->map_count == 0 || read_map(t);
}

/* All pixels upright, n samples each; *unset: alpha is zero all over, as writers leave it that do not set it. */
static gboolean read_pixels(Tga *t, guint8 *to, gboolean *unset)
{
    const int n_colors = t->n - t->alpha;
    *unset = t->alpha;
    for (int i = 0; i < t->h; i++)
        for (int k = 0; k < t->w; k++) {
            const int x = t->right_to_left ? t->w - 1 - k : k, y = t->top_down ? i : t->h - 1 - i;
            guint8 pixel[4] = {0}, *at = to + ((gsize)y * t->w + x) * t->n;
            if (!next_pixel(t, pixel))
                return FALSE;
            memcpy(at, pixel, (gsize)n_colors);
            if (t->alpha) {
                at[n_colors] = pixel[n_colors];
                *unset = *unset && !pixel[n_colors];
            }
        }
    return TRUE;
}

/* The fewest bytes that so many pixels take: a packet of two bytes repeats one 128 times. */
static guint64 least_bytes(const Tga *t)
{
    const guint64 px = (guint64)t->w * (guint64)t->h;
    return t->kind & 8 ? px / 128 * 2 : px * (guint64)MAX(1, t->bits / 8);
}

static GeglBuffer *load_tga(SfuPictureIn *in, GError **error)
{
    Tga t = {.file = in->file};
    GeglBuffer *b = NULL;
    gboolean unset;
    if (!read_header(&t, in)) {
        sfu_picture_refuse(in, error, "not a whole TGA picture (it ends in its header)");
        goto out;
    }
    const gboolean gray = t.n - t.alpha == 1;
    const char *plain = gray ? "Y' u8" : "R'G'B' u8", *format = !t.alpha          ? plain
                                                                : t.premultiplied ? (gray ? "Y'aA u8" : "R'aG'aB'aA u8")
                                                                : gray            ? "Y'A u8"
                                                                                  : "R'G'B'A u8";
    if (in->header_only) {
        b = sfu_picture_buffer(in, (guint64)t.w, (guint64)t.h, babl_format(format), NULL, error);
        goto out;
    }
    const gboolean whole = in->n_bytes >= least_bytes(&t);
    guint8 *pixels = whole ? g_try_malloc_n((gsize)t.w * t.h, (gsize)t.n) : NULL;
    if (whole && !pixels)
        sfu_picture_refuse(in, error, "TGA: not enough memory for %d x %d pixels", t.w, t.h);
    else if (!whole || !read_pixels(&t, pixels, &unset))
        sfu_picture_refuse(in, error, "not a whole TGA picture (it is damaged, or ends too early)");
    else
        b = sfu_picture_buffer(in, (guint64)t.w, (guint64)t.h, babl_format(unset ? plain : format), NULL, error);
    if (b && unset) /* without the last sample */
        for (gsize i = 0; i < (gsize)t.w * t.h; i++)
            memmove(pixels + i * (t.n - 1), pixels + i * t.n, (gsize)t.n - 1);
    if (b)
        gegl_buffer_set(b, gegl_buffer_get_extent(b), 0, gegl_buffer_get_format(b), pixels, GEGL_AUTO_ROWSTRIDE);
    g_free(pixels);
out:
    g_free(t.map);
    return b;
}

static const char *const endings[] = {"tga", NULL};
const SfuPictureFormat sfu_picture_tga = {"TGA", endings, is_tga, load_tga, NULL, 8, TRUE, FALSE, TRUE, 65535};
