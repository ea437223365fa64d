/* PNG, by libpng. Gray of 1, 2 and 4 bits becomes 8, palettes become RGB, transparent colors become alpha.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <math.h>
#include <png.h>
#include <string.h>
#include <zlib.h>

/* libpng leaves its functions by longjmp(): all that must be freed stands here. */
typedef struct {
    png_structp png;
    png_infop info;
    SfuRows rows;
    GeglBuffer *buffer;
    guint8 *whole; /* an interlaced picture */
    GBytes *icc;
    char *text; /* what is written, until libpng has copied it */
    char message[200];
} Png;

#define METERS_PER_INCH 0.0254
#define MAX_PROFILE ((gsize)64 << 20)
static const char XMP[] = "XML:com.adobe.xmp";
#define RAW "Raw profile type "

static void on_error(png_structp png, png_const_charp message)
{
    Png *p = png_get_error_ptr(png);
    g_strlcpy(p->message, message, sizeof p->message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
}

static gboolean is_png(const guint8 *head, gsize n)
{
    return n >= 8 && png_sig_cmp((png_bytep)head, 0, 8) == 0;
}

static void on_read(png_structp png, png_bytep data, png_size_t n)
{
    SfuPictureIn *in = png_get_io_ptr(png);
    if (fread(data, 1, n, in->file) != n)
        png_error(png, ferror(in->file) ? "it cannot be read" : "the file ends too early");
}

static void png_clear(Png *p)
{
    g_clear_object(&p->buffer);
    sfu_rows_clear(&p->rows);
    g_clear_pointer(&p->whole, g_free);
    g_clear_pointer(&p->icc, g_bytes_unref);
    g_clear_pointer(&p->text, g_free);
}

/* A chunk that libpng leaves to us; NULL: there is none. */
static const png_unknown_chunk *chunk_of(const Png *p, const char *name)
{
    png_unknown_chunkp chunks = NULL;
    const int n = png_get_unknown_chunks(p->png, p->info, &chunks);
    for (int i = 0; i < n; i++)
        if (memcmp(chunks[i].name, name, 4) == 0)
            return &chunks[i];
    return NULL;
}

/* ITU-T H.273, tables 2 and 3: primaries and transfer characteristics, which the chunk cICP tells by number. FALSE:
 * they are none that a picture of this program can have (PQ and HLG among them). *space NULL: sRGB, or not specified.
 */
static gboolean space_of_numbers(const png_unknown_chunk *c, const Babl **space)
{
    static const struct {
        int number;
        double white[2], red[2], green[2], blue[2];
    } primaries[] = {{1, {0.3127, 0.3290}, {0.640, 0.330}, {0.300, 0.600}, {0.150, 0.060}},
                     {9, {0.3127, 0.3290}, {0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}},
                     {11, {0.314, 0.351}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}},
                     {12, {0.3127, 0.3290}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}}};
    *space = NULL;
    if (c->size != 4 || c->data[0] == 2 || c->data[1] == 2)
        return TRUE;
    const int transfer = c->data[1];
    /* Video's curve (1, 6, 14, 15) is shown as sRGB's by programs that show pictures. */
    const Babl *trc = transfer == 13 || transfer == 1 || transfer == 6 || transfer == 14 || transfer == 15
                          ? babl_trc("sRGB")
                      : transfer == 4 ? babl_trc_gamma(2.2)
                      : transfer == 5 ? babl_trc_gamma(2.8)
                      : transfer == 8 ? babl_trc_gamma(1)
                                      : NULL;
    for (guint i = 0; trc && c->data[2] == 0 && c->data[3] == 1 && i < G_N_ELEMENTS(primaries); i++) {
        if (primaries[i].number != c->data[0])
            continue;
        if (c->data[0] != 1 || trc != babl_trc("sRGB"))
            *space =
                babl_space_from_chromaticities(NULL, primaries[i].white[0], primaries[i].white[1], primaries[i].red[0],
                                               primaries[i].red[1], primaries[i].green[0], primaries[i].green[1],
                                               primaries[i].blue[0], primaries[i].blue[1], trc, trc, trc, 1);
        return TRUE;
    }
    return FALSE;
}

static gboolean near(const double v[2], double x, double y)
{
    return fabs(v[0] - x) < 0.002 && fabs(v[1] - y) < 0.002;
}

/* The profile in the chunk iCCP: a name, a zero, the method 0, zlib's data (11.3.2.3). libpng would drop without a word
 * what it finds odd: short profiles, tags at odd places, RGB for gray pixels. */
static void read_profile(Png *p, SfuPictureIn *in, const png_unknown_chunk *c, gboolean gray)
{
    const guint8 *end = memchr(c->data, 0, c->size);
    const gsize at = end ? (gsize)(end - c->data) + 2 : c->size, n = at < c->size ? c->size - at : 0;
    guint8 *data = NULL;
    uLongf room = MIN(4 * n + 4096, MAX_PROFILE), size = 0;
    int result = Z_DATA_ERROR;
    do {
        g_free(data);
        data = g_malloc(room);
        size = room;
        result = n ? uncompress(data, &size, c->data + at, n) : Z_DATA_ERROR;
        room *= 8;
    } while (result == Z_BUF_ERROR && room <= MAX_PROFILE);
    p->icc = sfu_picture_profile(in, data, result == Z_OK ? size : 0);
    g_free(data);
    if (p->icc && gray && memcmp((const char *)g_bytes_get_data(p->icc, NULL) + 16, "GRAY", 4) != 0) {
        g_clear_pointer(&p->icc, g_bytes_unref);
        in->note = "has a color profile for other pixels than gray ones, so the profile is left out";
    }
}

/* PNG specification, third edition, 11.3.2: iCCP wins over sRGB, and that over gAMA and cHRM. */
static const Babl *space_of(Png *p, SfuPictureIn *in, gboolean gray)
{
    const png_unknown_chunk *profile = chunk_of(p, "iCCP");
    double gamma, white[2] = {0.3127, 0.3290}, red[2] = {0.64, 0.33}, green[2] = {0.30, 0.60}, blue[2] = {0.15, 0.06};
    if (profile) {
        read_profile(p, in, profile, gray);
        return sfu_picture_space(p->icc, gray);
    }
    if (png_get_valid(p->png, p->info, PNG_INFO_sRGB) || !png_get_gAMA(p->png, p->info, &gamma) ||
        !(gamma > 0.01 && gamma < 100))
        return NULL;
    const gboolean primaries = png_get_cHRM(p->png, p->info, &white[0], &white[1], &red[0], &red[1], &green[0],
                                            &green[1], &blue[0], &blue[1]) != 0;
    const gboolean usual = gamma > 0.45 && gamma < 0.46; /* what programs write that mean sRGB, with its primaries */
    if (usual && (!primaries || (near(white, 0.3127, 0.3290) && near(red, 0.64, 0.33) && near(green, 0.30, 0.60) &&
                                 near(blue, 0.15, 0.06))))
        return NULL;
    const Babl *trc = usual ? babl_trc("sRGB") : babl_trc_gamma(1 / gamma);
    return babl_space_from_chromaticities(NULL, white[0], white[1], red[0], red[1], green[0], green[1], blue[0],
                                          blue[1], trc, trc, trc, 1);
}

static void read_rows(Png *p, const Babl *format, gboolean interlaced, int h)
{
    sfu_rows_init(&p->rows, p->buffer, format);
    if (!interlaced) {
        for (int y = 0; y < h; y++)
            png_read_row(p->png, sfu_rows_next(&p->rows), NULL);
    } else {
        const int n_passes = png_set_interlace_handling(p->png);
        p->whole = g_try_malloc0_n(h, p->rows.row_bytes);
        if (!p->whole)
            png_error(p->png, "not enough memory for an interlaced picture of this size");
        for (int pass = 0; pass < n_passes; pass++)
            for (int y = 0; y < h; y++)
                png_read_row(p->png, p->whole + p->rows.row_bytes * y, NULL);
        for (int y = 0; y < h; y++)
            memcpy(sfu_rows_next(&p->rows), p->whole + p->rows.row_bytes * y, p->rows.row_bytes);
    }
    sfu_rows_end(&p->rows);
    png_read_end(p->png, p->info); /* the last checksums */
}

/* ImageMagick and exiv2 keep EXIF and IPTC in text: a line with the kind, one with the number of bytes, then these as
 * hexadecimal digits in lines. NULL: it is not such a text. */
static GBytes *raw_profile(const char *text, gsize n_text)
{
    char *end;
    const char *line = n_text > 2 ? memchr(text + 1, '\n', n_text - 1) : NULL;
    const guint64 n = line ? g_ascii_strtoull(line + 1, &end, 10) : 0;
    if (!n || n > n_text / 2)
        return NULL;
    GByteArray *a = g_byte_array_new();
    int high = -1;
    for (; *end && a->len < n; end++) {
        const int v = g_ascii_xdigit_value(*end);
        const guint8 byte = (guint8)(high << 4 | v);
        if (v >= 0 && high >= 0)
            g_byte_array_append(a, &byte, 1);
        high = v < 0 || high >= 0 ? (v < 0 ? high : -1) : v;
    }
    if (a->len == n)
        return g_byte_array_free_to_bytes(a);
    g_byte_array_unref(a);
    return NULL;
}

static void read_raw_profile(const png_text *t, SfuPictureIn *in)
{
    const gboolean exif = strcmp(t->key, RAW "exif") == 0 || strcmp(t->key, RAW "APP1") == 0,
                   iptc = strcmp(t->key, RAW "iptc") == 0;
    GBytes *b = (exif && !in->meta.exif) || (iptc && !in->meta.iptc) ? raw_profile(t->text, strlen(t->text)) : NULL;
    gsize n = 0;
    const guint8 *data = b ? g_bytes_get_data(b, &n) : NULL;
    if (data && iptc) {
        in->meta.iptc = sfu_picture_iptc_find(data, n);
    } else if (n > 6 && memcmp(data, "Exif\0\0", 6) == 0) {
        in->meta.exif = g_bytes_new_from_bytes(b, 6, n - 6);
        in->orientation = sfu_exif_orientation(data, n);
    }
    g_clear_pointer(&b, g_bytes_unref);
}

/* Behind the pixels, because the chunks may be. */
static void read_meta(Png *p, SfuPictureIn *in)
{
    png_uint_32 x, y;
    int unit, n_texts = 0;
    png_textp texts = NULL;
    if (png_get_pHYs(p->png, p->info, &x, &y, &unit) && unit == PNG_RESOLUTION_METER) {
        in->meta.x_dpi = x * METERS_PER_INCH;
        in->meta.y_dpi = y * METERS_PER_INCH;
    }
    png_get_text(p->png, p->info, &texts, &n_texts);
    for (int i = 0; i < n_texts && !in->meta.xmp; i++)
        if (strcmp(texts[i].key, XMP) == 0 && texts[i].text)
            in->meta.xmp = g_bytes_new(texts[i].text, strlen(texts[i].text));
#ifdef PNG_eXIf_SUPPORTED
    png_uint_32 n_exif;
    png_bytep exif;
    if (png_get_eXIf_1(p->png, p->info, &n_exif, &exif)) {
        in->orientation = sfu_exif_orientation(exif, n_exif);
        in->meta.exif = g_bytes_new(exif, n_exif);
    }
#endif
    for (int i = 0; i < n_texts; i++)
        if (texts[i].text)
            read_raw_profile(&texts[i], in);
}

static gboolean read_png(Png *p, SfuPictureIn *in, GError **error)
{
    png_uint_32 w, h;
    int bits, kind, interlace;
    char name[32];
    if (setjmp(png_jmpbuf(p->png)))
        return FALSE;
    png_set_read_fn(p->png, in, on_read);
    png_set_keep_unknown_chunks(p->png, PNG_HANDLE_CHUNK_ALWAYS, (png_const_bytep) "cICP\0acTL\0iCCP", 3);
    png_read_info(p->png, p->info);
    png_get_IHDR(p->png, p->info, &w, &h, &bits, &kind, &interlace, NULL, NULL);
    png_set_expand(p->png);
    if (bits == 16 && G_BYTE_ORDER == G_LITTLE_ENDIAN)
        png_set_swap(p->png);
    const gboolean alpha = kind & PNG_COLOR_MASK_ALPHA || png_get_valid(p->png, p->info, PNG_INFO_tRNS);
    const Babl *space = NULL;
    const png_unknown_chunk *numbers = chunk_of(p, "cICP");
    if (!numbers)
        space = space_of(p, in, !(kind & PNG_COLOR_MASK_COLOR));
    else if (!space_of_numbers(numbers, &space)) /* it wins over all others (11.3.2.6) */
        return sfu_picture_refuse(
                   in, error,
                   "its colors (cICP %d/%d/%d/%d: HDR, or of a rare kind) are not supported; convert the "
                   "picture to sRGB first",
                   numbers->data[0], numbers->data[1], numbers->data[2], numbers->data[3]) != NULL;
    in->n_frames = chunk_of(p, "acTL") ? 2 : 1; /* an animation */
    g_snprintf(name, sizeof name, "%s%s u%d", kind & PNG_COLOR_MASK_COLOR ? "R'G'B'" : "Y'", alpha ? "A" : "",
               bits == 16 ? 16 : 8);
    const Babl *format = babl_format_with_space(name, space);
    p->buffer = sfu_picture_buffer(in, w, h, format, p->icc, error);
    if (!p->buffer || in->header_only)
        return p->buffer != NULL;
    if (interlace != PNG_INTERLACE_NONE)
        png_set_interlace_handling(p->png);
    png_read_update_info(p->png, p->info);
    g_assert(png_get_rowbytes(p->png, p->info) == (gsize)w * babl_format_get_bytes_per_pixel(format));
    read_rows(p, format, interlace != PNG_INTERLACE_NONE, (int)h);
    read_meta(p, in);
    return TRUE;
}

static GeglBuffer *load_png(SfuPictureIn *in, GError **error)
{
    Png p = {.message = "libpng cannot be used"};
    GError *local = NULL;
    GeglBuffer *made = NULL;
    p.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &p, on_error, on_warning);
    p.info = p.png ? png_create_info_struct(p.png) : NULL;
    if (p.info && read_png(&p, in, &local))
        made = g_steal_pointer(&p.buffer);
    else if (local)
        g_propagate_error(error, local);
    else
        sfu_picture_refuse(in, error, "not a whole PNG picture (%s)", p.message);
    png_destroy_read_struct(&p.png, &p.info, NULL);
    png_clear(&p);
    return made;
}

/* ---- writing ---- */

static void on_write(png_structp png, png_bytep data, png_size_t n)
{
    if (!sfu_picture_put(png_get_io_ptr(png), data, n))
        png_error(png, "write");
}

static void on_flush(png_structp png)
{
}

static void set_space(Png *p, const SfuPictureOut *out)
{
    gsize n;
    const guint8 *icc = out->icc ? g_bytes_get_data(out->icc, &n) : NULL;
    if (icc) { /* libpng wants whole words, as version 4 of ICC profiles does (7.2.1) */
        const guint32 padded = GUINT32_TO_BE((guint32)((n + 3) & ~(gsize)3));
        p->text = g_malloc0(n + 3);
        memcpy(p->text, icc, n);
        memcpy(p->text, &padded, 4);
        png_set_iCCP(p->png, p->info, "ICC profile", PNG_COMPRESSION_TYPE_BASE, (png_const_bytep)p->text,
                     GUINT32_FROM_BE(padded));
        g_clear_pointer(&p->text, g_free);
        if (!png_get_valid(p->png, p->info, PNG_INFO_iCCP))
            png_error(p->png, "libpng does not take its color profile");
    } else
        png_set_sRGB_gAMA_and_cHRM(p->png, p->info, PNG_sRGB_INTENT_RELATIVE);
}

static void write_iptc(Png *p, GBytes *iptc)
{
    GByteArray *block = sfu_picture_iptc_block(iptc);
    GString *s = g_string_new(NULL);
    g_string_append_printf(s, "\niptc\n%8u", block->len);
    for (guint i = 0; i < block->len; i++)
        g_string_append_printf(s, "%s%02x", i % 36 ? "" : "\n", block->data[i]);
    g_string_append_c(s, '\n');
    g_byte_array_unref(block);
    p->text = g_string_free(s, FALSE);
    png_text text = {.compression = PNG_TEXT_COMPRESSION_zTXt, .key = (char *)RAW "iptc", .text = p->text};
    png_set_text(p->png, p->info, &text, 1);
    g_clear_pointer(&p->text, g_free);
}

static void write_meta(Png *p, const SfuPictureMeta *m)
{
    if (m->x_dpi > 0 && m->y_dpi > 0)
        png_set_pHYs(p->png, p->info, (png_uint_32)CLAMP(m->x_dpi / METERS_PER_INCH + 0.5, 1, PNG_UINT_31_MAX),
                     (png_uint_32)CLAMP(m->y_dpi / METERS_PER_INCH + 0.5, 1, PNG_UINT_31_MAX), PNG_RESOLUTION_METER);
    if (m->xmp) {
        p->text = g_strndup(g_bytes_get_data(m->xmp, NULL), g_bytes_get_size(m->xmp));
        png_text xmp = {.compression = PNG_ITXT_COMPRESSION_NONE, .key = (char *)XMP, .text = p->text};
        png_set_text(p->png, p->info, &xmp, 1);
        g_clear_pointer(&p->text, g_free);
    }
    if (m->iptc)
        write_iptc(p, m->iptc);
#ifdef PNG_eXIf_SUPPORTED
    if (m->exif) /* it is copied */
        png_set_eXIf_1(p->png, p->info, (png_uint_32)g_bytes_get_size(m->exif),
                       (png_bytep)g_bytes_get_data(m->exif, NULL));
#endif
}

static gboolean write_png(Png *p, SfuPictureOut *out)
{
    const int w = gegl_buffer_get_width(out->picture), h = gegl_buffer_get_height(out->picture);
    if (setjmp(png_jmpbuf(p->png)))
        return FALSE;
    png_set_write_fn(p->png, out, on_write, on_flush);
    png_set_user_limits(p->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_compression_level(p->png, 3);
    png_set_IHDR(p->png, p->info, (png_uint_32)w, (png_uint_32)h, out->depth,
                 (out->gray ? 0 : PNG_COLOR_MASK_COLOR) | (out->alpha ? PNG_COLOR_MASK_ALPHA : 0), PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    set_space(p, out);
    png_text text = {.compression = PNG_ITXT_COMPRESSION_NONE, .key = (char *)"parameters", .text = (char *)out->text};
    if (out->text)
        png_set_text(p->png, p->info, &text, 1);
    write_meta(p, &out->meta);
    png_write_info(p->png, p->info);
    if (out->depth == 16 && G_BYTE_ORDER == G_LITTLE_ENDIAN)
        png_set_swap(p->png);
    for (int y = 0; y < h; y++)
        png_write_row(p->png, sfu_rows_get(&p->rows, y));
    png_write_end(p->png, NULL);
    return TRUE;
}

static gboolean save_png(SfuPictureOut *out, GError **error)
{
    Png p = {.message = "libpng cannot be used"};
    p.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &p, on_error, on_warning);
    p.info = p.png ? png_create_info_struct(p.png) : NULL;
#ifdef PNG_SKIP_sRGB_CHECK_PROFILE
    /* Old profiles of sRGB that libpng calls incorrect, and refuses to write, are in many photographs. */
    if (p.png)
        png_set_option(p.png, PNG_SKIP_sRGB_CHECK_PROFILE, PNG_OPTION_ON);
#endif
    if (p.png) /* so do tags of profiles at odd places, which are in some that printers bring */
        png_set_benign_errors(p.png, 1);
    sfu_rows_init(&p.rows, out->picture, out->format);
    const gboolean ok = (p.info && write_png(&p, out)) || sfu_picture_unwritten(out, error, p.message);
    png_destroy_write_struct(&p.png, &p.info);
    png_clear(&p);
    return ok;
}

static const char *const endings[] = {"png", NULL};
const SfuPictureFormat sfu_picture_png = {"PNG", endings, is_png, load_png, save_png, 8 | 16,
                                          TRUE,  TRUE,    TRUE,   1 << 30,  TRUE};
