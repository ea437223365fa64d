/* What a picture file holds beside its pixels, on its way from the file that is read to the one that is written.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <string.h>

#define KEY "sfu-picture-meta"
#define IPTC_RESOURCE 0x0404

void sfu_picture_meta_clear(SfuPictureMeta *m)
{
    g_clear_pointer(&m->exif, g_bytes_unref);
    g_clear_pointer(&m->xmp, g_bytes_unref);
    g_clear_pointer(&m->iptc, g_bytes_unref);
    *m = (SfuPictureMeta){0};
}

static void meta_free(gpointer data)
{
    sfu_picture_meta_clear(data);
    g_free(data);
}

void sfu_picture_meta_attach(GeglBuffer *b, SfuPictureMeta *m)
{
    g_object_set_data_full(G_OBJECT(b), KEY, g_memdup2(m, sizeof *m), meta_free);
    *m = (SfuPictureMeta){0};
}

/* XMP (ISO 16684-1) is text. What it says of the way the picture stood is true no more; a small copy of the picture as
 * it was (xmpGImg:image) is not passed on. */
static GBytes *renew_xmp(GBytes *xmp)
{
    static const char *const marks[] = {"tiff:Orientation=\"", "tiff:Orientation='", "<tiff:Orientation>"};
    gsize n;
    const char *data = g_bytes_get_data(xmp, &n);
    while (n > 0 && data[n - 1] == 0) /* padding */
        n--;
    if (!g_utf8_validate(data, (gssize)n, NULL) || g_strstr_len(data, (gssize)n, "xmpGImg:image"))
        return NULL;
    char *text = g_strndup(data, n);
    for (guint i = 0; i < G_N_ELEMENTS(marks); i++)
        for (char *at = text; (at = strstr(at, marks[i]));) {
            at += strlen(marks[i]);
            if (g_ascii_isdigit(*at))
                *at = '1';
        }
    return g_bytes_new_take(text, n);
}

void sfu_picture_meta_renew(SfuPictureMeta *to, GeglBuffer *like, int w, int h)
{
    const SfuPictureMeta *from = like ? g_object_get_data(G_OBJECT(like), KEY) : NULL;
    *to = (SfuPictureMeta){0};
    if (!from)
        return;
    to->exif = from->exif ? sfu_exif_renew(from->exif, w, h) : NULL;
    to->xmp = from->xmp ? renew_xmp(from->xmp) : NULL;
    to->iptc = from->iptc ? g_bytes_ref(from->iptc) : NULL;
    to->x_dpi = from->x_dpi;
    to->y_dpi = from->y_dpi;
    to->lossless = from->lossless;
    memcpy(to->quant, from->quant, sizeof to->quant);
}

void sfu_picture_meta_put_text(SfuPictureMeta *m, const char *text)
{
    GBytes *with = text ? sfu_exif_with_text(m->exif, text) : NULL;
    if (with) {
        g_clear_pointer(&m->exif, g_bytes_unref);
        m->exif = g_steal_pointer(&with);
    }
}

/* Photoshop File Formats, "Image Resource Blocks": "8BIM", number, name with its length before it, size, data; name and
 * data fill whole pairs of bytes. The other blocks (small copies of the picture, paths, guides) are left. */
GBytes *sfu_picture_iptc_find(const guint8 *data, gsize n)
{
    for (gsize at = 0; n - at >= 12 && memcmp(data + at, "8BIM", 4) == 0;) {
        const gsize name = ((gsize)data[at + 6] + 2) & ~(gsize)1, size_at = at + 6 + name;
        if (size_at > n - 4)
            break;
        const gsize size = sfu_big_endian(data + size_at, 4);
        if (size > n - size_at - 4)
            break;
        if (sfu_big_endian(data + at + 4, 2) == IPTC_RESOURCE)
            return g_bytes_new(data + size_at + 4, size);
        at = MIN(n, size_at + 4 + size + (size & 1));
    }
    return NULL;
}

GByteArray *sfu_picture_iptc_block(GBytes *iptc)
{
    gsize n;
    const guint8 *data = g_bytes_get_data(iptc, &n);
    const guint8 head[] = {'8',      'B', 'I', 'M', 4, 4, 0, 0, (guint8)(n >> 24), (guint8)(n >> 16), (guint8)(n >> 8),
                           (guint8)n};
    GByteArray *a = g_byte_array_new();
    g_byte_array_append(a, head, sizeof head);
    g_byte_array_append(a, data, (guint)n);
    g_byte_array_append(a, (const guint8 *)"", n & 1);
    return a;
}
