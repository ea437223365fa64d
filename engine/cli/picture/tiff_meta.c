/* EXIF and IPTC of TIFF files. EXIF data is a small TIFF file, so a TIFF file holds its parts among its own tags, and
 * they are gathered into one, and laid out again, here. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <string.h>
#include <sys/types.h>

enum { TAG_DESCRIPTION = 270, TAG_ORIENTATION = 274, TAG_IPTC = 33723, TAG_PHOTOSHOP = 34377 };
enum { TAG_EXIF = 34665, TAG_GPS = 34853, TAG_INTEROPERABILITY = 40965 };
#define MAX_ENTRIES 512
#define MAX_BYTES (16 << 20)

/* What describes the picture rather than its layout in the file. */
static const guint16 described[] = {TAG_DESCRIPTION, 271,      272,    TAG_ORIENTATION, 305, 306, 315,
                                    33432,           TAG_EXIF, TAG_GPS};

typedef struct {
    FILE *f;
    gboolean little;
    GByteArray *out; /* EXIF data, in the order of the file's bytes */
    GBytes *iptc, *blocks;
} Gather;

static guint32 number(const Gather *g, const guint8 *p, int n)
{
    guint32 v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | p[g->little ? n - 1 - i : i];
    return v;
}

static void put_number(const Gather *g, guint8 *p, guint32 v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = (guint8)(v >> 8 * (g->little ? i : n - 1 - i));
}

/* The values of an entry of 12 bytes; NULL: they are not there, or too many. Caller frees. */
static guint8 *values_of(const Gather *g, const guint8 *entry, gsize *n)
{
    const gsize each = sfu_tiff_type_bytes(number(g, entry + 2, 2)), count = number(g, entry + 4, 4);
    *n = each * count;
    if (!each || count > MAX_BYTES / each || *n + g->out->len > MAX_BYTES)
        return NULL;
    if (*n <= 4)
        return g_memdup2(entry + 8, *n);
    guint8 *to = g_malloc(*n);
    if (fseeko(g->f, (off_t)number(g, entry + 8, 4), SEEK_SET) == 0 && fread(to, 1, *n, g->f) == *n)
        return to;
    g_free(to);
    return NULL;
}

/* Appends n bytes at an even place, which is returned. */
static guint32 append(Gather *g, const guint8 *data, gsize n)
{
    g_byte_array_append(g->out, (const guint8 *)"", g->out->len & 1);
    const guint32 at = g->out->len;
    g_byte_array_append(g->out, data, (guint)n);
    return at;
}

/* Programs for measuring keep the layout of their data there, which is another one afterwards. */
static gboolean is_layout(const guint8 *text, gsize n)
{
    return n < 6 || text[0] == '{' || text[0] == '<' || memcmp(text, "ImageJ", 6) == 0;
}

static guint32 gather(Gather *g, guint32 at, int depth);

/* Makes the file's entry one of the EXIF data. FALSE: it is left out. */
static gboolean take_entry(Gather *g, guint8 *entry, int depth)
{
    const guint32 tag = number(g, entry, 2);
    if (tag == TAG_EXIF || tag == TAG_GPS || tag == TAG_INTEROPERABILITY) {
        const guint32 inner = depth < 2 ? gather(g, number(g, entry + 8, 4), depth + 1) : 0;
        put_number(g, entry + 2, 4, 2); /* a LONG, where TIFF may have an IFD */
        put_number(g, entry + 8, inner, 4);
        return inner != 0;
    }
    gsize n;
    guint8 *values = values_of(g, entry, &n);
    const gboolean take = values && !(depth == 0 && tag == TAG_DESCRIPTION && is_layout(values, n));
    if (take && n > 4)
        put_number(g, entry + 8, append(g, values, n), 4);
    g_free(values);
    return take;
}

/* Whether an entry of the first directory belongs to EXIF; keeps the bytes of IPTC's. */
static gboolean is_described(Gather *g, const guint8 *entry)
{
    const guint32 tag = number(g, entry, 2);
    GBytes **to = tag == TAG_IPTC ? &g->iptc : tag == TAG_PHOTOSHOP ? &g->blocks : NULL;
    gsize n;
    guint8 *values = to && !*to ? values_of(g, entry, &n) : NULL;
    if (values)
        *to = g_bytes_new_take(values, n);
    for (gsize i = 0; i < G_N_ELEMENTS(described); i++)
        if (described[i] == tag)
            return TRUE;
    return FALSE;
}

/* Copies a directory of the file with all it points to. Returns its place in the EXIF data; 0: it has no entries. */
static guint32 gather(Gather *g, guint32 at, int depth)
{
    guint8 head[2];
    if (g->out->len > MAX_BYTES || fseeko(g->f, (off_t)at, SEEK_SET) != 0 || fread(head, 1, 2, g->f) != 2)
        return 0;
    const guint32 n = MIN(number(g, head, 2), MAX_ENTRIES);
    guint8 *entries = g_malloc0((gsize)n * 12 + 1);
    const guint32 n_read = (guint32)fread(entries, 12, n, g->f);
    GByteArray *directory = g_byte_array_new();
    g_byte_array_append(directory, head, 2);
    for (guint32 i = 0; i < n_read; i++)
        if ((depth > 0 || is_described(g, entries + 12 * i)) && take_entry(g, entries + 12 * i, depth))
            g_byte_array_append(directory, entries + 12 * i, 12);
    const guint32 n_taken = (directory->len - 2) / 12;
    put_number(g, directory->data, n_taken, 2);
    g_byte_array_append(directory, (const guint8 *)"\0\0\0", 4); /* no other follows */
    const guint32 place = n_taken ? append(g, directory->data, directory->len) : 0;
    g_byte_array_unref(directory);
    g_free(entries);
    return place;
}

/* IPTC's records stand alone, or among Photoshop's blocks; some writers pad them to whole words. */
static GBytes *iptc_of(const Gather *g)
{
    gsize n;
    const guint8 *data = g->blocks ? g_bytes_get_data(g->blocks, &n) : NULL;
    GBytes *found = data ? sfu_picture_iptc_find(data, n) : NULL;
    if (!found && g->iptc && (data = g_bytes_get_data(g->iptc, &n)) && n > 5 && data[0] == 0x1c)
        found = g_bytes_ref(g->iptc);
    return found;
}

void sfu_tiff_meta_read(FILE *f, SfuPictureMeta *to)
{
    guint8 head[8];
    Gather g = {.f = f};
    rewind(f);
    if (fread(head, 1, 8, f) != 8 || (memcmp(head, "II*\0", 4) != 0 && memcmp(head, "MM\0*", 4) != 0))
        return; /* BigTIFF */
    g.little = head[0] == 'I';
    g.out = g_byte_array_new();
    g_byte_array_append(g.out, head, 8);
    const guint32 first = gather(&g, number(&g, head + 4, 4), 0);
    put_number(&g, g.out->data + 4, first, 4);
    to->iptc = iptc_of(&g);
    to->exif = first ? g_byte_array_free_to_bytes(g.out) : NULL;
    if (!first)
        g_byte_array_unref(g.out);
    g_clear_pointer(&g.iptc, g_bytes_unref);
    g_clear_pointer(&g.blocks, g_bytes_unref);
}
