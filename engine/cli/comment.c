/* Text that picture files carry in blocks of their own: comments of JPEG and GIF files, EXIF data of those that consist
 * of boxes (AVIF, HEIF, JPEG XL). Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <string.h>

static char *utf8_text(const guint8 *data, gsize n)
{
    return n > 0 && g_utf8_validate((const char *)data, (gssize)n, NULL) ? g_strndup((const char *)data, n) : NULL;
}

/* ITU T.81, B.2.4.5: segments of a marker, their size in two bytes that count themselves, and their data. */
char *sfu_jpeg_comment_find(const guint8 *data, gsize n)
{
    for (gsize at = 2; n >= 4 && memcmp(data, "\xff\xd8", 2) == 0 && at <= n - 4;) {
        const gsize size = sfu_big_endian(data + at + 2, 2);
        if (data[at] != 0xff || data[at + 1] == 0xda || size < 2 || size > n - at - 2)
            break;
        if (data[at + 1] == 0xfe && size > 2)
            return utf8_text(data + at + 4, size - 2);
        at += 2 + size;
    }
    return NULL;
}

/* GIF89a, 15: blocks of a length and as many bytes; length 0 ends them. Where the next thing stands; `to` (NULL: none)
 * gets the bytes. */
static gsize gif_blocks(const guint8 *data, gsize n, gsize at, GByteArray *to)
{
    while (at < n && data[at]) {
        const gsize length = data[at];
        if (length >= n - at)
            return n;
        if (to)
            g_byte_array_append(to, data + at + 1, (guint)length);
        at += 1 + length;
    }
    return at + 1;
}

static gsize gif_table(guint8 flags)
{
    return flags & 0x80 ? (gsize)3 << ((flags & 7) + 1) : 0;
}

/* GIF89a, 17 to 24: head, screen, its colors; then extensions (0x21) and pictures (0x2c), until 0x3b. */
char *sfu_gif_comment_find(const guint8 *data, gsize n)
{
    if (n < 13 || (memcmp(data, "GIF89a", 6) != 0 && memcmp(data, "GIF87a", 6) != 0))
        return NULL;
    for (gsize at = 13 + gif_table(data[10]); at + 1 < n && (data[at] == 0x21 || data[at] == 0x2c);) {
        if (data[at] == 0x2c) {
            if (n - at < 11)
                break;
            at = gif_blocks(data, n, at + 10 + gif_table(data[at + 9]) + 1, NULL);
            continue;
        }
        GByteArray *comment = data[at + 1] == 0xfe ? g_byte_array_new() : NULL;
        at = gif_blocks(data, n, at + 2, comment);
        char *text = comment ? utf8_text(comment->data, comment->len) : NULL;
        if (comment)
            g_byte_array_unref(comment);
        if (comment)
            return text;
    }
    return NULL;
}

/* ---- boxes: ISO/IEC 14496-12, 4.2 and 8.11 ---- */

typedef struct {
    const guint8 *p;
    gsize n;
} Span;

/* A whole number of `bytes` bytes (0 to 8) off the span; what is missing is zero, and *ok becomes FALSE. */
static guint64 take(Span *s, gsize bytes, gboolean *ok)
{
    guint64 v = 0;
    if (bytes > s->n) {
        *ok = FALSE;
        s->n = 0;
        return 0;
    }
    for (gsize i = 0; i < bytes; i++)
        v = v << 8 | s->p[i];
    s->p += bytes;
    s->n -= bytes;
    return v;
}

/* Takes the next box off the span: its size with its head (0: the rest; 1: in 8 bytes behind the type), its type, its
 * data. */
static gboolean next_box(Span *rest, char type[4], Span *body)
{
    gboolean ok = TRUE;
    const gsize all = rest->n;
    guint64 size = take(rest, 4, &ok);
    if (!ok || rest->n < 4)
        return FALSE;
    memcpy(type, rest->p, 4);
    take(rest, 4, &ok);
    if (size == 1)
        size = take(rest, 8, &ok);
    const gsize head = all - rest->n;
    if (size == 0)
        size = all;
    if (!ok || size < head || size > all)
        return FALSE;
    *body = (Span){rest->p, (gsize)size - head};
    rest->p += body->n;
    rest->n -= body->n;
    return TRUE;
}

static gboolean find_box(Span in, const char *type, Span *body)
{
    char found[4];
    while (next_box(&in, found, body))
        if (memcmp(found, type, 4) == 0)
            return TRUE;
    return FALSE;
}

/* 8.11.6: the number of the item whose type is "Exif"; 0: there is none. */
static guint64 exif_item(Span meta)
{
    Span items, entry;
    char type[4];
    gboolean ok = TRUE;
    if (!find_box(meta, "iinf", &items))
        return 0;
    const guint64 version = take(&items, 1, &ok);
    take(&items, 3 + (version == 0 ? 2 : 4), &ok);
    while (ok && next_box(&items, type, &entry)) {
        const guint64 kind = take(&entry, 1, &ok);
        take(&entry, 3, &ok);
        const guint64 id = take(&entry, kind == 2 ? 2 : 4, &ok);
        take(&entry, 2, &ok);
        if (ok && kind >= 2 && entry.n >= 4 && memcmp(entry.p, "Exif", 4) == 0)
            return id;
    }
    return 0;
}

/* 8.11.3: the first extent of an item that lies in the file itself. */
static gboolean item_span(Span meta, guint64 wanted, Span file, Span *item)
{
    Span places;
    gboolean ok = TRUE;
    if (!find_box(meta, "iloc", &places))
        return FALSE;
    const guint64 version = take(&places, 1, &ok);
    take(&places, 3, &ok);
    const guint64 sizes = take(&places, 2, &ok);
    const gsize offset_bytes = sizes >> 12, length_bytes = sizes >> 8 & 15, base_bytes = sizes >> 4 & 15,
                index_bytes = version > 0 ? sizes & 15 : 0;
    if (version > 2 || MAX(MAX(offset_bytes, length_bytes), MAX(base_bytes, index_bytes)) > 8)
        return FALSE;
    for (guint64 n = take(&places, version == 2 ? 4 : 2, &ok); ok && n > 0; n--) {
        const guint64 id = take(&places, version == 2 ? 4 : 2, &ok), method = version > 0 ? take(&places, 2, &ok) : 0;
        take(&places, 2, &ok);
        const guint64 base = take(&places, base_bytes, &ok);
        for (guint64 extents = take(&places, 2, &ok), first = 1; ok && extents > 0; extents--, first = 0) {
            take(&places, index_bytes, &ok);
            const guint64 offset = base + take(&places, offset_bytes, &ok), length = take(&places, length_bytes, &ok);
            if (!ok || id != wanted || !first || (method & 15) != 0)
                continue;
            if (offset > file.n || length > file.n - offset)
                return FALSE;
            *item = (Span){file.p + offset, (gsize)length};
            return TRUE;
        }
    }
    return FALSE;
}

const guint8 *sfu_boxes_exif_find(const guint8 *data, gsize n, gsize *n_exif)
{
    const Span file = {data, n};
    Span meta, exif;
    gboolean ok = TRUE;
    if (n < 12 || (memcmp(data + 4, "ftyp", 4) != 0 && memcmp(data + 4, "JXL ", 4) != 0))
        return NULL;
    if (find_box(file, "meta", &meta)) {
        take(&meta, 4, &ok); /* version and flags */
        const guint64 id = exif_item(meta);
        if (id == 0 || !item_span(meta, id, file, &exif))
            return NULL;
    } else if (!find_box(file, "Exif", &exif)) { /* JPEG XL: ISO/IEC 18181-2, 9.3 */
        return NULL;
    }
    const guint64 before = take(&exif, 4, &ok); /* bytes that stand before the TIFF header */
    if (!ok || before >= exif.n)
        return NULL;
    *n_exif = exif.n - (gsize)before;
    return exif.p + before;
}
