/* Radiance's pictures: linear floats as three mantissas and a shared exponent (Ward 1991; the reference is Radiance's
 * color.c). Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <math.h>
#include <string.h>

#define MAX_LINES 10000 /* of a header */

static gboolean is_hdr(const guint8 *head, gsize n)
{
    return n >= 6 && (memcmp(head, "#?RADI", 6) == 0 || memcmp(head, "#?RGBE", 6) == 0);
}

/* Lines until an empty one, then the size. FALSE if it is another kind of picture (XYZE, turned). */
static gboolean read_header(FILE *f, int *w, int *h)
{
    char line[512], extra;
    gboolean rgbe = TRUE;
    for (int k = 0; k < MAX_LINES && fgets(line, sizeof line, f) && line[0] != '\n' && line[0] != '\r'; k++)
        if (g_str_has_prefix(line, "FORMAT="))
            rgbe = g_str_has_prefix(line + 7, "32-bit_rle_rgbe");
    return rgbe && fgets(line, sizeof line, f) && sscanf(line, "-Y %d +X %d %c", h, w, &extra) == 2;
}

/* One channel of a scanline: runs of one value (count + 128, value) and literal bytes (count, bytes). */
static gboolean read_runs(FILE *f, guint8 *to, int w)
{
    for (int x = 0; x < w;) {
        int n = getc(f), v;
        if (n == EOF || n == 0)
            return FALSE;
        const gboolean run = n > 128;
        n -= run ? 128 : 0;
        if (n > w - x || (run && (v = getc(f)) == EOF) || (!run && fread(to + x, 1, (gsize)n, f) != (gsize)n))
            return FALSE;
        if (run)
            memset(to + x, v, (gsize)n);
        x += n;
    }
    return TRUE;
}

/* Pixels one after the other; 1 1 1 n repeats the last one n times, and n << 8, << 16 ... when several follow each
 * other. */
static gboolean read_old(FILE *f, const guint8 first[4], guint8 *rgbe, int w)
{
    int shift = 0;
    for (int x = 0; x < w;) {
        guint8 p[4];
        if (x == 0 && shift == 0)
            memcpy(p, first, 4);
        else if (fread(p, 1, 4, f) != 4)
            return FALSE;
        if (p[0] == 1 && p[1] == 1 && p[2] == 1) {
            const gint64 n = (gint64)p[3] << shift;
            if (x == 0 || n > w - x || shift > 16)
                return FALSE;
            for (gint64 i = 0; i < n; i++, x++)
                for (int k = 0; k < 4; k++)
                    rgbe[k * w + x] = rgbe[k * w + x - 1];
            shift += 8;
        } else {
            for (int k = 0; k < 4; k++)
                rgbe[k * w + x] = p[k];
            x++;
            shift = 0;
        }
    }
    return TRUE;
}

/* rgbe [4, w]. */
static gboolean read_scanline(FILE *f, guint8 *rgbe, int w)
{
    guint8 first[4];
    if (fread(first, 1, 4, f) != 4)
        return FALSE;
    if (w < 8 || w > 32767 || first[0] != 2 || first[1] != 2 || first[2] & 0x80)
        return read_old(f, first, rgbe, w);
    if ((first[2] << 8 | first[3]) != w)
        return FALSE;
    for (int k = 0; k < 4; k++)
        if (!read_runs(f, rgbe + (gsize)k * w, w))
            return FALSE;
    return TRUE;
}

static GeglBuffer *load_hdr(SfuPictureIn *in, GError **error)
{
    int w = 0, h = 0;
    if (!read_header(in->file, &w, &h))
        return sfu_picture_refuse(in, error,
                                  "this kind of Radiance picture is not supported (32-bit_rle_rgbe from top left is)");
    GeglBuffer *b = w > 0 && h > 0
                        ? sfu_picture_buffer(in, (guint64)w, (guint64)h, babl_format("RGB float"), NULL, error)
                        : sfu_picture_refuse(in, error, "its size is %d x %d pixels", w, h);
    if (!b || in->header_only)
        return b;
    guint8 *rgbe = g_malloc((gsize)w * 4);
    gboolean ok = TRUE;
    SfuRows rows;
    sfu_rows_init(&rows, b, babl_format("RGB float"));
    for (int y = 0; ok && y < h; y++) {
        float *to = (float *)sfu_rows_next(&rows);
        ok = read_scanline(in->file, rgbe, w);
        for (int x = 0; ok && x < w; x++)
            for (int k = 0; k < 3; k++)
                to[3 * x + k] = rgbe[3 * (gsize)w + x]
                                    ? ldexpf((float)rgbe[k * (gsize)w + x], rgbe[3 * (gsize)w + x] - (128 + 8))
                                    : 0;
    }
    sfu_rows_end(&rows);
    sfu_rows_clear(&rows);
    g_free(rgbe);
    if (!ok) {
        g_clear_object(&b);
        sfu_picture_refuse(in, error, "not a whole Radiance picture (it is damaged, or ends too early)");
    }
    return b;
}

static const char *const endings[] = {"hdr", NULL};
const SfuPictureFormat sfu_picture_hdr = {"Radiance HDR", endings, is_hdr, load_hdr, NULL, 32,
                                          FALSE,          FALSE,   FALSE,  1 << 30};
