/* EXIF and IPTC of TIFF files. EXIF data is a small TIFF file, so a TIFF file holds its parts among its own tags, and
 * they are gathered into one, and laid out again, here. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <string.h>
#include <sys/types.h>

enum { TAG_DESCRIPTION = 270, TAG_ORIENTATION = 274, TAG_IPTC = 33723, TAG_PHOTOSHOP = 34377 };
enum { TAG_EXIF = 34665, TAG_GPS = 34853, TAG_INTEROPERABILITY = 40965 };
enum { TIFF = 42, BIG_TIFF = 43 };
enum { TYPE_LONG = 4, TYPE_LONG8 = 16, TYPE_IFD8 = 18 };
#define MAX_ENTRIES 512
#define MAX_BYTES (16 << 20)

/* What describes the picture rather than its layout in the file. */
static const guint16 described[] = {TAG_DESCRIPTION, 271,      272,    TAG_ORIENTATION, 305, 306, 315,
                                    33432,           TAG_EXIF, TAG_GPS};

typedef struct {
    FILE *f;
    gboolean little, big; /* big: BigTIFF, whose counts and places have 8 bytes */
    GByteArray *out;      /* EXIF data, in the order of the file's bytes, and never big */
    GBytes *iptc, *blocks;
} Gather;

/* An entry of a directory; value: as many bytes as a place has in the file. */
typedef struct {
    guint32 tag, type;
    guint64 count;
    guint8 value[8];
} Entry;

static guint64 number(const Gather *g, const guint8 *p, int n)
{
    guint64 v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | p[g->little ? n - 1 - i : i];
    return v;
}

static void put_number(const Gather *g, guint8 *p, guint64 v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = (guint8)(v >> 8 * (g->little ? i : n - 1 - i));
}

static int place_bytes(const Gather *g)
{
    return g->big ? 8 : 4;
}

/* TIFF 6.0, section 2: tag, type, count, value, in 12 bytes; 20 in BigTIFF. */
static gsize entry_bytes(const Gather *g)
{
    return g->big ? 20 : 12;
}

static Entry entry_read(const Gather *g, const guint8 *p)
{
    Entry e = {(guint32)number(g, p, 2), (guint32)number(g, p + 2, 2), number(g, p + 4, place_bytes(g)), {0}};
    memcpy(e.value, p + 4 + place_bytes(g), (gsize)place_bytes(g));
    return e;
}

/* The values of an entry; NULL: they are not there, or too many. Caller frees. */
static guint8 *values_of(const Gather *g, const Entry *e, gsize *n)
{
    const gsize each = sfu_tiff_type_bytes(e->type);
    if (!each || e->count > MAX_BYTES / each || each * e->count + g->out->len > MAX_BYTES)
        return NULL;
    *n = each * (gsize)e->count;
    if (*n <= (gsize)place_bytes(g))
        return g_memdup2(e->value, *n);
    guint8 *to = g_malloc(*n);
    const guint64 at = number(g, e->value, place_bytes(g));
    if (at <= G_MAXINT64 && fseeko(g->f, (off_t)at, SEEK_SET) == 0 && fread(to, 1, *n, g->f) == *n)
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

static guint32 gather(Gather *g, guint64 at, int depth);

/* Appends the entry to a directory of the EXIF data, unless it is left out. */
static void take_entry(Gather *g, const Entry *e, int depth, GByteArray *directory)
{
    guint8 entry[12] = {0};
    put_number(g, entry, e->tag, 2);
    put_number(g, entry + 2, e->type, 2);
    put_number(g, entry + 4, e->count, 4);
    if (e->tag == TAG_EXIF || e->tag == TAG_GPS || e->tag == TAG_INTEROPERABILITY) {
        const int n_bytes = e->type == TYPE_LONG8 || e->type == TYPE_IFD8 ? 8 : 4;
        const guint32 inner = depth < 2 ? gather(g, number(g, e->value, MIN(n_bytes, place_bytes(g))), depth + 1) : 0;
        put_number(g, entry + 2, TYPE_LONG, 2); /* where TIFF may have an IFD, and BigTIFF longer ones */
        put_number(g, entry + 8, inner, 4);
        if (inner)
            g_byte_array_append(directory, entry, sizeof entry);
        return;
    }
    gsize n;
    guint8 *values = values_of(g, e, &n);
    if (values && !(depth == 0 && e->tag == TAG_DESCRIPTION && is_layout(values, n))) {
        if (n > 4)
            put_number(g, entry + 8, append(g, values, n), 4);
        else
            memcpy(entry + 8, values, n);
        g_byte_array_append(directory, entry, sizeof entry);
    }
    g_free(values);
}

/* Whether an entry of the first directory belongs to EXIF; keeps the bytes of IPTC's. */
static gboolean is_described(Gather *g, const Entry *e)
{
    GBytes **to = e->tag == TAG_IPTC ? &g->iptc : e->tag == TAG_PHOTOSHOP ? &g->blocks : NULL;
    gsize n;
    guint8 *values = to && !*to ? values_of(g, e, &n) : NULL;
    if (values)
        *to = g_bytes_new_take(values, n);
    for (gsize i = 0; i < G_N_ELEMENTS(described); i++)
        if (described[i] == e->tag)
            return TRUE;
    return FALSE;
}

/* Copies a directory of the file with all it points to. Returns its place in the EXIF data; 0: it has no entries. */
static guint32 gather(Gather *g, guint64 at, int depth)
{
    guint8 head[8];
    const gsize n_head = g->big ? 8 : 2;
    if (g->out->len > MAX_BYTES || at > G_MAXINT64 || fseeko(g->f, (off_t)at, SEEK_SET) != 0 ||
        fread(head, 1, n_head, g->f) != n_head)
        return 0;
    const gsize n = (gsize)MIN(number(g, head, (int)n_head), MAX_ENTRIES), each = entry_bytes(g);
    guint8 *entries = g_malloc0(n * each + 1);
    const gsize n_read = fread(entries, each, n, g->f);
    GByteArray *directory = g_byte_array_new();
    g_byte_array_append(directory, (const guint8 *)"\0", 2);
    for (gsize i = 0; i < n_read; i++) {
        const Entry e = entry_read(g, entries + each * i);
        if (depth > 0 || is_described(g, &e))
            take_entry(g, &e, depth, directory);
    }
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
    guint8 head[16], start[8] = "II*";
    Gather g = {.f = f};
    rewind(f);
    if (fread(head, 1, 8, f) != 8 || (memcmp(head, "II", 2) != 0 && memcmp(head, "MM", 2) != 0))
        return;
    g.little = head[0] == 'I';
    g.big = number(&g, head + 2, 2) == BIG_TIFF;
    if (!g.big && number(&g, head + 2, 2) != TIFF)
        return;
    if (g.big && (number(&g, head + 4, 2) != 8 ||
                  fread(head + 8, 1, 8, f) != 8)) /* a place has 8 bytes; nothing else is defined */
        return;
    put_number(&g, start, g.little ? 0x4949 : 0x4d4d, 2);
    put_number(&g, start + 2, TIFF, 2);
    g.out = g_byte_array_new();
    g_byte_array_append(g.out, start, 8);
    const guint32 first = gather(&g, number(&g, head + place_bytes(&g), place_bytes(&g)), 0);
    put_number(&g, g.out->data + 4, first, 4);
    to->iptc = iptc_of(&g);
    to->exif = first ? g_byte_array_free_to_bytes(g.out) : NULL;
    if (!first)
        g_byte_array_unref(g.out);
    g_clear_pointer(&g.iptc, g_bytes_unref);
    g_clear_pointer(&g.blocks, g_bytes_unref);
}
