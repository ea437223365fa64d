/* OpenEXR: read by GEGL, which stands on OpenEXR's own library; written here, because GEGL neither tells of a full disk
 * nor takes more than 2 GiB. The format: "OpenEXR File Layout" and "Technical Introduction to OpenEXR", openexr.com.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <string.h>
#include <sys/types.h>
#include <zlib.h>

#define BLOCK_ROWS 16 /* of ZIP compression */

/* The command starts GEGL without its operations (main.c). */
static void load_operations(void)
{
    static gsize loaded;
    if (!g_once_init_enter(&loaded))
        return;
    if (!gegl_has_operation("gegl:exr-load")) {
        const char *given = g_getenv("GEGL_PATH");
        char **folders = g_strsplit(given ? given : GEGL_OPERATIONS, G_SEARCHPATH_SEPARATOR_S, -1);
        for (char **f = folders; *f; f++)
            if (g_file_test(*f, G_FILE_TEST_IS_DIR))
                gegl_load_module_directory(*f);
        g_strfreev(folders);
    }
    g_once_init_leave(&loaded, 1);
}

static gboolean is_exr(const guint8 *head, gsize n)
{
    return n >= 4 && memcmp(head, "\x76\x2f\x31\x01", 4) == 0;
}

static gboolean read_word(FILE *f, char *to, gsize room)
{
    for (gsize i = 0; i < room; i++) {
        const int c = getc(f);
        if (c == EOF)
            return FALSE;
        to[i] = (char)c;
        if (!c)
            return TRUE;
    }
    return FALSE;
}

static gboolean read_i32(FILE *f, gint32 *v)
{
    guint8 b[4];
    if (fread(b, 1, 4, f) != 4)
        return FALSE;
    *v = (gint32)((guint32)b[0] | (guint32)b[1] << 8 | (guint32)b[2] << 16 | (guint32)b[3] << 24);
    return TRUE;
}

/* Attributes: name, type, size, value; an empty name ends them. */
static gboolean read_size(FILE *f, gint64 *w, gint64 *h)
{
    char name[256], type[256];
    gint32 n, box[4];
    gboolean found = FALSE;
    if (fseeko(f, 8, SEEK_SET) != 0)
        return FALSE;
    while (read_word(f, name, sizeof name) && name[0]) {
        if (!read_word(f, type, sizeof type) || !read_i32(f, &n) || n < 0)
            return FALSE;
        if (strcmp(name, "dataWindow") == 0 && n == 16) {
            for (int i = 0; i < 4; i++)
                if (!read_i32(f, &box[i]))
                    return FALSE;
            *w = (gint64)box[2] - box[0] + 1;
            *h = (gint64)box[3] - box[1] + 1;
            found = TRUE;
        } else if (fseeko(f, n, SEEK_CUR) != 0) {
            return FALSE;
        }
    }
    return found;
}

static gboolean read_u64(FILE *f, guint64 *v)
{
    gint32 low, high;
    if (!read_i32(f, &low) || !read_i32(f, &high))
        return FALSE;
    *v = (guint64)(guint32)high << 32 | (guint32)low;
    return TRUE;
}

/* GEGL takes what is missing for black. Behind the header, where the file stands, are the places of the chunks; the
 * table ends where the first chunk begins. A chunk has one number before its size, or four if it is a tile. */
static gboolean is_whole(SfuPictureIn *in, guint32 flags)
{
    const gboolean tiled = flags & 0x200;
    if (flags & 0x1800) /* deep, or several parts: GEGL says what it thinks of them */
        return TRUE;
    guint64 first = in->n_bytes, at;
    gint32 n;
    for (off_t entry = ftello(in->file); (guint64)entry < first; entry += 8) {
        if (fseeko(in->file, entry, SEEK_SET) != 0 || !read_u64(in->file, &at) || at < 8 || at >= in->n_bytes)
            return FALSE;
        first = MIN(first, at);
        const guint64 data = at + (tiled ? 20 : 8);
        if (fseeko(in->file, (off_t)data - 4, SEEK_SET) != 0 || !read_i32(in->file, &n) || n < 0 ||
            data + (guint64)n > in->n_bytes)
            return FALSE;
    }
    return first < in->n_bytes;
}

static GeglBuffer *load_exr(SfuPictureIn *in, GError **error)
{
    gint64 w = 0, h = 0;
    gint32 version;
    if (fseeko(in->file, 4, SEEK_SET) != 0 || !read_i32(in->file, &version) || !read_size(in->file, &w, &h) || w < 1 ||
        h < 1)
        return sfu_picture_refuse(in, error, "not an OpenEXR picture (its header is damaged)");
    /* A pixel takes some bits even when compressed: a size that the file cannot hold is damage. */
    if ((guint64)w * h / 4096 > in->n_bytes)
        return sfu_picture_refuse(in, error,
                                  "not a whole OpenEXR picture (%" G_GUINT64_FORMAT " bytes for %" G_GINT64_FORMAT
                                  " x %" G_GINT64_FORMAT " pixels)",
                                  in->n_bytes, w, h);
    if (!in->header_only && !is_whole(in, (guint32)version))
        return sfu_picture_refuse(in, error, "not a whole OpenEXR picture (the file ends too early)");
    GeglBuffer *empty = sfu_picture_buffer(in, (guint64)w, (guint64)h, babl_format("RGBA float"), NULL, error),
               *b = NULL;
    if (!empty || in->header_only)
        return empty;
    g_object_unref(empty);
    load_operations();
    GeglNode *graph = gegl_node_new(),
             *load = gegl_node_new_child(graph, "operation", "gegl:exr-load", "path", in->path, NULL);
    GeglNode *sink = gegl_node_new_child(graph, "operation", "gegl:buffer-sink", "buffer", &b, "format", NULL, NULL);
    gegl_node_link(load, sink);
    gegl_node_process(sink);
    g_object_unref(graph);
    if (!b || gegl_buffer_get_width(b) != w || gegl_buffer_get_height(b) != h) {
        g_clear_object(&b);
        sfu_picture_refuse(in, error, "not a whole OpenEXR picture, or of a kind that GEGL cannot read");
    }
    return b;
}

/* ---- writing ---- */

static void put_i32(GByteArray *a, gint32 v)
{
    const guint32 le = GUINT32_TO_LE((guint32)v);
    g_byte_array_append(a, (const guint8 *)&le, 4);
}

static void put_f32(GByteArray *a, double v)
{
    const float f = (float)v;
    gint32 bits;
    memcpy(&bits, &f, 4);
    put_i32(a, bits);
}

static void put_attribute(GByteArray *a, const char *name, const char *type, gint32 n_bytes)
{
    g_byte_array_append(a, (const guint8 *)name, (guint)strlen(name) + 1);
    g_byte_array_append(a, (const guint8 *)type, (guint)strlen(type) + 1);
    put_i32(a, n_bytes);
}

static void put_byte(GByteArray *a, const char *name, const char *type, guint8 v)
{
    put_attribute(a, name, type, 1);
    g_byte_array_append(a, &v, 1);
}

/* Channels in alphabetical order, as the format wants them. */
static const char *channel_names(const SfuPictureOut *out)
{
    return out->gray ? (out->alpha ? "AY" : "Y") : out->alpha ? "ABGR" : "BGR";
}

static GByteArray *header_of(const SfuPictureOut *out, int w, int h)
{
    GByteArray *a = g_byte_array_new();
    const char *names = channel_names(out);
    double white[2], red[2], green[2], blue[2];
    g_byte_array_append(a, (const guint8 *)"\x76\x2f\x31\x01\x02\0\0\0", 8);
    put_attribute(a, "channels", "chlist", (gint32)strlen(names) * 18 + 1);
    for (const char *c = names; *c; c++) {
        g_byte_array_append(a, (const guint8[]){(guint8)*c, 0}, 2);
        put_i32(a, out->depth == 16 ? 1 : 2); /* half, float */
        put_i32(a, 0);
        put_i32(a, 1); /* sampling */
        put_i32(a, 1);
    }
    g_byte_array_append(a, (const guint8 *)"", 1);
    babl_space_get(babl_format_get_space(out->format), &white[0], &white[1], &red[0], &red[1], &green[0], &green[1],
                   &blue[0], &blue[1], NULL, NULL, NULL);
    put_attribute(a, "chromaticities", "chromaticities", 32);
    for (int i = 0; i < 8; i++)
        put_f32(a, (i < 2 ? red : i < 4 ? green : i < 6 ? blue : white)[i % 2]);
    put_byte(a, "compression", "compression", 3); /* ZIP, 16 rows */
    for (int i = 0; i < 2; i++) {
        put_attribute(a, i ? "displayWindow" : "dataWindow", "box2i", 16);
        put_i32(a, 0);
        put_i32(a, 0);
        put_i32(a, w - 1);
        put_i32(a, h - 1);
    }
    put_byte(a, "lineOrder", "lineOrder", 0);
    put_attribute(a, "pixelAspectRatio", "float", 4);
    put_f32(a, 1);
    put_attribute(a, "screenWindowCenter", "v2f", 8);
    put_f32(a, 0);
    put_f32(a, 0);
    put_attribute(a, "screenWindowWidth", "float", 4);
    put_f32(a, 1);
    g_byte_array_append(a, (const guint8 *)"", 1);
    return a;
}

/* Bytes apart by even and odd places, then differences: what ZIP compression of the format is fed with. */
static void shuffle(guint8 *to, const guint8 *from, gsize n)
{
    for (gsize i = 0; i < n; i++)
        to[(i & 1 ? (n + 1) / 2 : 0) + i / 2] = from[i];
    for (gsize i = n; i-- > 1;)
        to[i] = (guint8)(to[i] - to[i - 1] + 128);
}

/* One block: its first row, its size, its bytes; as they are where compression gains nothing. */
static gboolean put_block(SfuPictureOut *out, int y, const guint8 *planes, gsize n, guint8 *work, guint8 *packed,
                          uLong room)
{
    uLongf n_packed = room;
    GByteArray *head = g_byte_array_new();
    shuffle(work, planes, n);
    const gboolean smaller = compress2(packed, &n_packed, work, (uLong)n, 4) == Z_OK && n_packed < n;
    put_i32(head, y);
    put_i32(head, (gint32)(smaller ? n_packed : n));
    const gboolean ok = sfu_picture_put(out, head->data, head->len) &&
                        sfu_picture_put(out, smaller ? packed : planes, smaller ? n_packed : n);
    g_byte_array_unref(head);
    return ok;
}

static gboolean put_blocks(SfuPictureOut *out, const Babl *format, guint64 *offsets)
{
    const int w = gegl_buffer_get_width(out->picture), h = gegl_buffer_get_height(out->picture), bytes = out->depth / 8;
    const int n = (out->gray ? 1 : 3) + out->alpha;
    const gsize line = (gsize)w * n * bytes, room = compressBound((uLong)line * BLOCK_ROWS);
    guint8 *planes = g_malloc(line * BLOCK_ROWS), *work = g_malloc(line * BLOCK_ROWS), *packed = g_malloc(room);
    gboolean ok = TRUE;
    SfuRows rows;
    sfu_rows_init(&rows, out->picture, format);
    for (int y = 0; ok && y < h; y++) {
        const guint8 *row = sfu_rows_get(&rows, y);
        guint8 *to = planes + line * (y % BLOCK_ROWS);
        for (int k = n - 1; k >= 0; k--) /* RGBA's order reversed is the alphabet's; YA's too */
            for (int x = 0; x < w; x++, to += bytes) {
                if (G_BYTE_ORDER == G_LITTLE_ENDIAN)
                    memcpy(to, row + ((gsize)x * n + k) * bytes, bytes);
                else
                    for (int i = 0; i < bytes; i++)
                        to[i] = row[((gsize)x * n + k) * bytes + bytes - 1 - i];
            }
        if (y % BLOCK_ROWS == BLOCK_ROWS - 1 || y == h - 1) {
            offsets[y / BLOCK_ROWS] = GUINT64_TO_LE((guint64)ftello(out->file));
            ok = put_block(out, y / BLOCK_ROWS * BLOCK_ROWS, planes, line * (y % BLOCK_ROWS + 1), work, packed,
                           (uLong)room);
        }
    }
    sfu_rows_clear(&rows);
    g_free(planes);
    g_free(work);
    g_free(packed);
    return ok;
}

static gboolean save_exr(SfuPictureOut *out, GError **error)
{
    const int w = gegl_buffer_get_width(out->picture), h = gegl_buffer_get_height(out->picture),
              n_blocks = (h + BLOCK_ROWS - 1) / BLOCK_ROWS;
    char name[32];
    g_snprintf(name, sizeof name, "%s %s",
               out->gray    ? (out->alpha ? "YaA" : "Y")
               : out->alpha ? "RaGaBaA"
                            : "RGB",
               out->depth == 16 ? "half" : "float");
    GByteArray *header = header_of(out, w, h);
    guint64 *offsets = g_new0(guint64, n_blocks);
    const off_t table = (off_t)header->len;
    const gboolean ok = sfu_picture_put(out, header->data, header->len) &&
                        sfu_picture_put(out, offsets, (gsize)n_blocks * 8) &&
                        put_blocks(out, babl_format_with_space(name, babl_format_get_space(out->format)), offsets) &&
                        fseeko(out->file, table, SEEK_SET) == 0 && sfu_picture_put(out, offsets, (gsize)n_blocks * 8);
    g_byte_array_unref(header);
    g_free(offsets);
    return ok || sfu_picture_unwritten(out, error, "the file cannot be positioned");
}

static const char *const endings[] = {"exr", NULL};
const SfuPictureFormat sfu_picture_exr = {"OpenEXR", endings, is_exr, load_exr, save_exr,
                                          16 | 32,   TRUE,    FALSE,  TRUE,     1 << 30};
