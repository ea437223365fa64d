/* EXIF data: how a picture stands, whether its colors are Adobe RGB, and what of it is still true for a picture that
 * was worked on. Sections and tags: EXIF 2.32 (JEITA CP-3451E). Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <string.h>

enum {
    TAG_INTEROPERABILITY_INDEX = 0x0001,
    TAG_ORIENTATION = 0x0112,
    TAG_STRIP_OFFSETS = 0x0111,
    TAG_STRIP_BYTES = 0x0117,
    TAG_THUMBNAIL = 0x0201,
    TAG_THUMBNAIL_BYTES = 0x0202,
    TAG_EXIF = 0x8769,
    TAG_GPS = 0x8825,
    TAG_USER_COMMENT = 0x9286,
    TAG_WIDTH = 0xa002,
    TAG_HEIGHT = 0xa003,
    TAG_INTEROPERABILITY = 0xa005
};

enum { TYPE_ASCII = 2, TYPE_SHORT = 3, TYPE_LONG = 4, TYPE_UNDEFINED = 7 };

typedef struct {
    const guint8 *p;
    gsize n;
    gboolean little;
} Exif;

static guint32 number(const Exif *x, gsize at, int n)
{
    guint32 v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | x->p[at + (gsize)(x->little ? n - 1 - i : i)];
    return v;
}

/* 4.5: a TIFF header, with "Exif\0\0" before it in JPEG files. */
static gboolean exif_open(Exif *x, const guint8 *data, gsize n)
{
    if (n >= 6 && memcmp(data, "Exif\0\0", 6) == 0) {
        data += 6;
        n -= 6;
    }
    *x = (Exif){data, n, n > 0 && data[0] == 'I'};
    return n >= 14 && (memcmp(data, "II*\0", 4) == 0 || memcmp(data, "MM\0*", 4) == 0);
}

/* 4.6: a directory is a count, as many entries of 12 bytes (tag, type, count, value), and the place of the next one.
 * Where the entry of that tag stands; 0: nowhere. */
static gsize find(const Exif *x, gsize directory, guint32 tag)
{
    if (directory < 8 || directory > x->n - 2)
        return 0;
    const guint32 n_entries = number(x, directory, 2);
    for (gsize i = 0, at = directory + 2; i < n_entries && at + 12 <= x->n; i++, at += 12)
        if (number(x, at, 2) == tag)
            return at;
    return 0;
}

/* The one whole number of an entry; 0: it holds something else. */
static guint32 value(const Exif *x, gsize entry)
{
    const guint32 type = entry ? number(x, entry + 2, 2) : 0;
    if ((type != TYPE_SHORT && type != TYPE_LONG) || number(x, entry + 4, 4) != 1)
        return 0;
    return number(x, entry + 8, type == TYPE_SHORT ? 2 : 4);
}

static guint32 value_of(const Exif *x, gsize directory, guint32 tag)
{
    return value(x, find(x, directory, tag));
}

int sfu_exif_orientation(const guint8 *data, gsize n)
{
    Exif x;
    const guint32 v = exif_open(&x, data, n) ? value_of(&x, number(&x, 4, 4), TAG_ORIENTATION) : 1;
    return v >= 1 && v <= 8 ? (int)v : 1;
}

/* 4.6.7 and DCF 2.0, 3.2.2: pictures in Adobe RGB say R03, and carry no profile. */
gboolean sfu_exif_is_adobe_rgb(const guint8 *data, gsize n)
{
    Exif x;
    if (!exif_open(&x, data, n))
        return FALSE;
    const gsize exif = value_of(&x, number(&x, 4, 4), TAG_EXIF),
                entry = find(&x, value_of(&x, exif, TAG_INTEROPERABILITY), TAG_INTEROPERABILITY_INDEX);
    return entry && number(&x, entry + 2, 2) == TYPE_ASCII && memcmp(x.p + entry + 8, "R03", 4) == 0;
}

/* ---- for a picture that was worked on ---- */

static void put_number(Exif *x, gsize entry, guint32 v)
{
    guint8 *to = (guint8 *)x->p + entry + 8;
    const int n = number(x, entry + 2, 2) == TYPE_SHORT ? 2 : 4;
    if (!value(x, entry) || (n == 2 && v > G_MAXUINT16))
        return;
    for (int i = 0; i < n; i++)
        to[x->little ? i : n - 1 - i] = (guint8)(v >> 8 * i);
}

static void wipe(Exif *x, gsize at, gsize n)
{
    if (at >= 8 && at < x->n)
        memset((guint8 *)x->p + at, 0, MIN(n, x->n - at));
}

/* The second directory describes a small copy of the picture as it was, which may show what was removed. */
static void wipe_thumbnail(Exif *x, gsize first)
{
    const gsize at = first + 2 + 12 * (gsize)number(x, first, 2), second = at + 4 <= x->n ? number(x, at, 4) : 0;
    if (!second)
        return;
    wipe(x, value_of(x, second, TAG_THUMBNAIL), value_of(x, second, TAG_THUMBNAIL_BYTES));
    wipe(x, value_of(x, second, TAG_STRIP_OFFSETS), value_of(x, second, TAG_STRIP_BYTES));
    wipe(x, at, 4);
}

/* A1111 keeps generation parameters there: those of the picture as it was. */
static void wipe_parameters(Exif *x, gsize entry)
{
    const gsize n = entry ? number(x, entry + 4, 4) : 0, at = entry ? number(x, entry + 8, 4) : 0;
    if (n < 16 || at > x->n || n > x->n - at)
        return;
    for (gsize i = at; i + 12 <= at + n; i++)
        if (memcmp(x->p + i, "Steps:", 6) == 0 || memcmp(x->p + i, "S\0t\0e\0p\0s\0:", 11) == 0)
            wipe(x, at + 8, n - 8);
}

GBytes *sfu_exif_renew(GBytes *exif, int w, int h)
{
    gsize n;
    const guint8 *data = g_bytes_get_data(exif, &n);
    Exif x;
    if (!exif_open(&x, data, n) || number(&x, 4, 4) < 8 || number(&x, 4, 4) > x.n - 2)
        return NULL;
    x.p = g_memdup2(x.p, x.n);
    const gsize first = number(&x, 4, 4), sub = value_of(&x, first, TAG_EXIF);
    put_number(&x, find(&x, sub, TAG_WIDTH), (guint32)w);
    put_number(&x, find(&x, sub, TAG_HEIGHT), (guint32)h);
    wipe_parameters(&x, find(&x, sub, TAG_USER_COMMENT));
    wipe_thumbnail(&x, first);
    put_number(&x, find(&x, first, TAG_ORIENTATION), 1); /* last, whatever overlaps in a damaged file */
    return g_bytes_new_take((guint8 *)x.p, x.n);
}

/* ---- in TIFF files ---- */

char *sfu_exif_words(GBytes *exif, guint32 tag)
{
    gsize n;
    const guint8 *data = g_bytes_get_data(exif, &n);
    Exif x;
    const gsize entry = exif_open(&x, data, n) ? find(&x, number(&x, 4, 4), tag) : 0;
    if (!entry || number(&x, entry + 2, 2) != TYPE_ASCII)
        return NULL;
    const gsize count = number(&x, entry + 4, 4), at = count <= 4 ? entry + 8 : number(&x, entry + 8, 4);
    return count > 0 && at <= x.n && count <= x.n - at ? g_strndup((const char *)x.p + at, count) : NULL;
}

/* Adds `by` to the places that a directory tells. */
static void shift_directory(Exif *x, gsize directory, guint32 by, int depth)
{
    if (directory < 8 || directory > x->n - 2 || depth > 2)
        return;
    const gsize n = number(x, directory, 2);
    for (gsize i = 0, at = directory + 2; i < n && at + 12 <= x->n; i++, at += 12) {
        const guint32 tag = number(x, at, 2), type = number(x, at + 2, 2), v = number(x, at + 8, 4);
        const gboolean inner = tag == TAG_INTEROPERABILITY && depth > 0;
        if (inner)
            shift_directory(x, v, by, depth + 1);
        if (inner || sfu_tiff_type_bytes(type) * number(x, at + 4, 4) > 4)
            for (int k = 0; k < 4; k++)
                ((guint8 *)x->p)[at + 8 + (gsize)(x->little ? k : 3 - k)] = (guint8)((v + by) >> 8 * k);
    }
}

GByteArray *sfu_exif_for_tiff(GBytes *exif, guint32 by, guint32 *exif_at, guint32 *gps_at)
{
    gsize n;
    const guint8 *data = g_bytes_get_data(exif, &n);
    Exif x;
    *exif_at = *gps_at = 0;
    if (!exif_open(&x, data, n) || x.n > G_MAXUINT32 - by)
        return NULL;
    const guint32 first = number(&x, 4, 4), sub = value_of(&x, first, TAG_EXIF), gps = value_of(&x, first, TAG_GPS);
    GByteArray *out = g_byte_array_new();
    g_byte_array_append(out, x.p, (guint)x.n);
    x.p = out->data;
    if (sub >= 8 && sub < x.n - 2)
        *exif_at = sub + by;
    if (gps >= 8 && gps < x.n - 2 && gps != sub)
        *gps_at = gps + by;
    if (*exif_at)
        shift_directory(&x, sub, by, 1);
    if (*gps_at)
        shift_directory(&x, gps, by, 1);
    return out;
}

/* ---- generation parameters, where A1111 keeps them ---- */

static void append_number(GByteArray *to, gboolean little, guint32 v, int n)
{
    for (int i = 0; i < n; i++) {
        const guint8 b = (guint8)(v >> 8 * (little ? i : n - 1 - i));
        g_byte_array_append(to, &b, 1);
    }
}

static void append_entry(GByteArray *to, gboolean little, guint32 tag, guint32 type, guint32 count, guint32 v)
{
    append_number(to, little, tag, 2);
    append_number(to, little, type, 2);
    append_number(to, little, count, 4);
    append_number(to, little, v, 4);
}

/* Appends the directory that x has at `old` (0: an empty one) with one entry more, in the order of the tags. Returns
 * where it stands. */
static guint32 append_directory(GByteArray *to, const Exif *x, gsize old, guint32 tag, guint32 type, guint32 count,
                                guint32 v)
{
    const gsize first = old + 2, n = old >= 8 && old <= x->n - 2 ? MIN(number(x, old, 2), (x->n - first) / 12) : 0;
    const gboolean has = find(x, old, tag) != 0;
    gboolean done = FALSE;
    append_number(to, x->little, 0, to->len & 1); /* at an even place */
    const guint32 at = to->len;
    append_number(to, x->little, (guint32)n + !has, 2);
    for (gsize i = 0; i < n; i++) {
        const guint32 t = number(x, first + 12 * i, 2);
        if (!done && t >= tag) {
            append_entry(to, x->little, tag, type, count, v);
            done = TRUE;
        }
        if (t != tag)
            g_byte_array_append(to, x->p + first + 12 * i, 12);
    }
    if (!done)
        append_entry(to, x->little, tag, type, count, v);
    append_number(to, x->little, 0, 4); /* no other follows */
    return at;
}

/* Somebody's own words; cameras fill the place with blanks. */
static gboolean is_used(const Exif *x, gsize comment)
{
    const gsize n = comment ? number(x, comment + 4, 4) : 0, at = comment ? number(x, comment + 8, 4) : 0;
    for (gsize i = 8; n > 8 && at < x->n && i < MIN(n, x->n - at); i++)
        if (x->p[at + i] != 0 && x->p[at + i] != ' ')
            return TRUE;
    return FALSE;
}

GBytes *sfu_exif_with_text(GBytes *exif, const char *text)
{
    static const guint8 empty[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0};
    gsize n = sizeof empty, n_text = 0;
    const guint8 *data = exif ? g_bytes_get_data(exif, &n) : empty;
    Exif x;
    char *words = g_convert(text, -1, "UTF-16BE", "UTF-8", NULL, &n_text, NULL);
    if (!words || !exif_open(&x, data, n) || n_text > G_MAXINT16) {
        g_free(words);
        return NULL;
    }
    const gsize first = number(&x, 4, 4), sub = value_of(&x, first, TAG_EXIF);
    GByteArray *a = NULL;
    if (!is_used(&x, find(&x, sub, TAG_USER_COMMENT))) {
        a = g_byte_array_new();
        g_byte_array_append(a, x.p, (guint)x.n);
        append_number(a, x.little, 0, a->len & 1);
        const guint32 at = a->len;
        g_byte_array_append(a, (const guint8 *)"UNICODE", 8);
        g_byte_array_append(a, (const guint8 *)words, (guint)n_text);
        const guint32 new_sub = append_directory(a, &x, sub, TAG_USER_COMMENT, TYPE_UNDEFINED, (guint32)n_text + 8, at),
                      new_first = append_directory(a, &x, first, TAG_EXIF, TYPE_LONG, 1, new_sub);
        for (int i = 0; i < 4; i++)
            a->data[4 + i] = (guint8)(new_first >> 8 * (x.little ? i : 3 - i));
    }
    g_free(words);
    return a ? g_byte_array_free_to_bytes(a) : NULL;
}
