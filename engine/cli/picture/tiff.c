/* TIFF, by libtiff. Samples of 8 to 64 bits are read as they are (those of 9 to 15 are widened to 16); bits, palettes,
 * YCbCr and the rest through libtiff's own conversion to 8-bit RGBA. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <math.h>
#include <string.h>
#include <sys/types.h>
#include <tiffio.h>

typedef struct {
    FILE *file;
    SfuPictureOut *out; /* when writing */
    guint64 n_bytes;    /* when reading */
    TIFF *tiff;
    char message[200]; /* the first error */
    /* The layout of what is read. */
    guint32 w, h, block_w, block_h;
    guint16 bits, samples, kind, type, planar;
    guint16 packed; /* bits of a sample in the file, if they are 9 to 15: `bits` is 16 then; else 0 */
    int colors;
    gboolean tiled, alpha, premultiplied;
    SfuRows rows;
    GeglBuffer *buffer;
    GBytes *icc;
    /* A strip or tile; the same as it is in the file, if its samples are packed; all samples of the rows of one row of
     * blocks. */
    guint8 *block, *raw, *band;
} Tiff;

/* ---- the file, for libtiff ---- */

static tmsize_t on_read(thandle_t h, void *data, tmsize_t n)
{
    return (tmsize_t)fread(data, 1, (gsize)n, ((Tiff *)h)->file);
}

static tmsize_t on_write(thandle_t h, void *data, tmsize_t n)
{
    Tiff *t = (Tiff *)h;
    return t->out && sfu_picture_put(t->out, data, (gsize)n) ? n : -1;
}

static toff_t on_seek(thandle_t h, toff_t at, int whence)
{
    Tiff *t = (Tiff *)h;
    return fseeko(t->file, (off_t)at, whence) == 0 ? (toff_t)ftello(t->file) : (toff_t)-1;
}

static int on_close(thandle_t h)
{
    return 0;
}

static toff_t on_size(thandle_t h)
{
    return ((Tiff *)h)->n_bytes;
}

static void on_error(thandle_t h, const char *module, const char *format, va_list ap) G_GNUC_PRINTF(3, 0);
static void on_error(thandle_t h, const char *module, const char *format, va_list ap)
{
    Tiff *t = (Tiff *)h;
    if (t && !t->message[0])
        g_vsnprintf(t->message, sizeof t->message, format, ap);
}

static gboolean tiff_open(Tiff *t, const char *mode)
{
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    TIFFSetWarningHandlerExt(NULL);
    TIFFSetErrorHandlerExt(on_error);
    /* "m": not mapped */
    t->tiff = TIFFClientOpen("TIFF", mode, (thandle_t)t, on_read, on_write, on_seek, on_close, on_size, NULL, NULL);
    return t->tiff != NULL;
}

static void tiff_clear(Tiff *t)
{
    if (t->tiff)
        TIFFClose(t->tiff);
    t->tiff = NULL;
    g_clear_object(&t->buffer);
    sfu_rows_clear(&t->rows);
    g_clear_pointer(&t->icc, g_bytes_unref);
    g_clear_pointer(&t->block, g_free);
    g_clear_pointer(&t->raw, g_free);
    g_clear_pointer(&t->band, g_free);
}

static gboolean is_tiff(const guint8 *head, gsize n)
{
    return n >= 4 && (memcmp(head, "II*\0", 4) == 0 || memcmp(head, "MM\0*", 4) == 0 || memcmp(head, "II+\0", 4) == 0 ||
                      memcmp(head, "MM\0+", 4) == 0);
}

/* ---- reading ---- */

/* Raw files of cameras are TIFF files whose first picture is a small preview. */
static gboolean is_raw(Tiff *t)
{
    guint32 subfile = 0;
    guint16 n = 0;
    const guint8 *version;
    const void *subs;
    char *make;
    return t->kind == 32803 || t->kind == 34892 /* color filter array, linear raw: TIFF/EP, DNG */ ||
           TIFFGetField(t->tiff, 50706 /* DNGVersion */, &version) ||
           (TIFFGetField(t->tiff, TIFFTAG_SUBFILETYPE, &subfile) && subfile & FILETYPE_REDUCEDIMAGE) ||
           (TIFFGetField(t->tiff, TIFFTAG_SUBIFD, &n, &subs) && n > 0 && TIFFGetField(t->tiff, TIFFTAG_MAKE, &make));
}

static void read_meta(Tiff *t, SfuPictureIn *in)
{
    guint16 unit = RESUNIT_INCH;
    guint32 n = 0;
    float x = 0, y = 0;
    void *data;
    TIFFGetFieldDefaulted(t->tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
    if (TIFFGetField(t->tiff, TIFFTAG_XRESOLUTION, &x) && TIFFGetField(t->tiff, TIFFTAG_YRESOLUTION, &y) &&
        unit != RESUNIT_NONE && isfinite(x) && isfinite(y)) {
        in->meta.x_dpi = unit == RESUNIT_CENTIMETER ? x * 2.54 : x;
        in->meta.y_dpi = unit == RESUNIT_CENTIMETER ? y * 2.54 : y;
    }
    if (TIFFGetField(t->tiff, TIFFTAG_XMLPACKET, &n, &data) && n > 0)
        in->meta.xmp = g_bytes_new(data, n);
    sfu_tiff_meta_read(t->file, &in->meta);
}

static void read_layout(Tiff *t, SfuPictureIn *in)
{
    guint16 orientation = 1, n_extra = 0, *extra = NULL, compression = COMPRESSION_NONE;
    guint32 n = 0;
    void *data;
    TIFF *f = t->tiff;
    TIFFGetField(f, TIFFTAG_IMAGEWIDTH, &t->w);
    TIFFGetField(f, TIFFTAG_IMAGELENGTH, &t->h);
    TIFFGetFieldDefaulted(f, TIFFTAG_BITSPERSAMPLE, &t->bits);
    TIFFGetFieldDefaulted(f, TIFFTAG_SAMPLESPERPIXEL, &t->samples);
    TIFFGetFieldDefaulted(f, TIFFTAG_SAMPLEFORMAT, &t->type);
    TIFFGetFieldDefaulted(f, TIFFTAG_PLANARCONFIG, &t->planar);
    TIFFGetFieldDefaulted(f, TIFFTAG_COMPRESSION, &compression);
    if (!TIFFGetField(f, TIFFTAG_PHOTOMETRIC, &t->kind)) /* required, but fax programs leave it out */
        t->kind = compression == COMPRESSION_CCITTRLE || compression == COMPRESSION_CCITTFAX3 ||
                          compression == COMPRESSION_CCITTFAX4
                      ? PHOTOMETRIC_MINISWHITE
                  : t->samples >= 3 ? PHOTOMETRIC_RGB
                                    : PHOTOMETRIC_MINISBLACK;
    if (t->bits > 8 && t->bits < 16 && (t->type == SAMPLEFORMAT_UINT || t->type == SAMPLEFORMAT_VOID) &&
        (t->kind == PHOTOMETRIC_MINISBLACK || t->kind == PHOTOMETRIC_MINISWHITE || t->kind == PHOTOMETRIC_RGB ||
         t->kind == PHOTOMETRIC_SEPARATED)) {
        t->packed = t->bits;
        t->bits = 16;
    }
    t->tiled = TIFFIsTiled(f) != 0;
    t->block_w = t->w;
    if (t->tiled) {
        TIFFGetField(f, TIFFTAG_TILEWIDTH, &t->block_w);
        TIFFGetField(f, TIFFTAG_TILELENGTH, &t->block_h);
    } else {
        TIFFGetFieldDefaulted(f, TIFFTAG_ROWSPERSTRIP, &t->block_h);
        t->block_h = MIN(t->block_h, t->h);
    }
    if (TIFFGetField(f, TIFFTAG_ORIENTATION, &orientation) && orientation >= 1 && orientation <= 8)
        in->orientation = orientation;
    if (TIFFGetField(f, TIFFTAG_ICCPROFILE, &n, &data) && n > 0)
        t->icc = sfu_picture_profile(in, data, n);
    t->colors = t->kind == PHOTOMETRIC_RGB || t->kind == PHOTOMETRIC_CIELAB || t->kind == PHOTOMETRIC_ICCLAB ? 3
                : t->kind == PHOTOMETRIC_SEPARATED                                                           ? 4
                                                                                                             : 1;
    t->alpha = t->samples > t->colors;
    TIFFGetFieldDefaulted(f, TIFFTAG_EXTRASAMPLES, &n_extra, &extra);
    t->premultiplied = t->alpha && n_extra > 0 && extra[0] == EXTRASAMPLE_ASSOCALPHA;
    /* One sample that nothing is said of is alpha, as GIMP takes it; several are measurements, and with inks it is an
     * ink. */
    if (t->kind == PHOTOMETRIC_SEPARATED || t->samples > t->colors + 1)
        t->alpha = t->alpha && n_extra > 0 && extra[0] != EXTRASAMPLE_UNSPECIFIED;
    read_meta(t, in);
}

static const char *type_name(const Tiff *t)
{
    if (t->type == SAMPLEFORMAT_IEEEFP)
        return t->bits == 16 ? "half" : t->bits == 32 ? "float" : t->bits == 64 ? "double" : NULL;
    if (t->type == SAMPLEFORMAT_UINT || t->type == SAMPLEFORMAT_VOID)
        return t->bits == 8 ? "u8" : t->bits == 16 ? "u16" : t->bits == 32 ? "u32" : NULL;
    return NULL;
}

/* Lab of 8 or 16 bits. */
static gboolean is_lab(const Tiff *t)
{
    return (t->kind == PHOTOMETRIC_CIELAB || t->kind == PHOTOMETRIC_ICCLAB) && t->type != SAMPLEFORMAT_IEEEFP &&
           (t->bits == 8 || t->bits == 16) && t->samples >= 3;
}

static gboolean is_computed(const Tiff *t)
{
    return t->kind == PHOTOMETRIC_SEPARATED || is_lab(t);
}

static gboolean is_plain(const Tiff *t)
{
    return type_name(t) && t->samples >= t->colors &&
           (t->kind == PHOTOMETRIC_MINISBLACK || t->kind == PHOTOMETRIC_MINISWHITE || t->kind == PHOTOMETRIC_RGB ||
            t->kind == PHOTOMETRIC_SEPARATED || is_lab(t));
}

/* Copies block (x0, y0) of samples first .. first + n - 1 into the band. */
static void into_band(Tiff *t, guint32 x0, guint32 y0, int first, int n)
{
    const gsize bytes = t->bits / 8, step = bytes * t->samples;
    const guint32 w = MIN(t->block_w, t->w - x0), h = MIN(t->block_h, t->h - y0);
    for (guint32 y = 0; y < h; y++) {
        const guint8 *from = t->block + (gsize)y * t->block_w * n * bytes;
        guint8 *to = t->band + ((gsize)y * t->w + x0) * step + first * bytes;
        for (guint32 x = 0; x < w; x++, from += n * bytes, to += step)
            memcpy(to, from, n * bytes);
    }
}

/* Bytes of a row of n samples a pixel in a block of the file: whole bytes, whatever the samples have. */
static gsize block_row_bytes(const Tiff *t, int n)
{
    return ((gsize)t->block_w * (gsize)n * (t->packed ? t->packed : t->bits) + 7) / 8;
}

/* Samples that lie bit behind bit, the highest first (TIFF 6.0, FillOrder 1, into which libtiff turns the other), to 16
 * bits of the same range. */
static void unpack_block(Tiff *t, gsize rows, int n)
{
    const guint32 most = (1u << t->packed) - 1;
    for (gsize y = 0; y < rows; y++) {
        const guint8 *from = t->raw + y * block_row_bytes(t, n);
        guint16 *to = (guint16 *)t->block + y * t->block_w * (gsize)n;
        guint32 bits = 0;
        for (gsize i = 0, have = 0; i < (gsize)t->block_w * (gsize)n; i++) {
            for (; have < t->packed; have += 8)
                bits = bits << 8 | *from++;
            have -= t->packed;
            to[i] = (guint16)(((bits >> have & most) * 65535 + most / 2) / most);
        }
    }
}

/* The rows of blocks that begin at y0, every sample beside the others. */
static gboolean read_band(Tiff *t, guint32 y0)
{
    const int n_planes = t->planar == PLANARCONFIG_SEPARATE ? t->samples : 1, n = t->samples / n_planes;
    guint8 *block = t->packed ? t->raw : t->block;
    const tmsize_t row_bytes = (tmsize_t)block_row_bytes(t, n),
                   rows = t->tiled ? t->block_h : MIN(t->block_h, t->h - y0);
    for (int plane = 0; plane < n_planes; plane++) {
        for (guint32 x0 = 0; x0 < t->w; x0 += t->block_w) {
            const tmsize_t got = t->tiled
                                     ? TIFFReadEncodedTile(t->tiff, TIFFComputeTile(t->tiff, x0, y0, 0, (guint16)plane),
                                                           block, rows * row_bytes)
                                     : TIFFReadEncodedStrip(t->tiff, TIFFComputeStrip(t->tiff, y0, (guint16)plane),
                                                            block, rows * row_bytes);
            if (got != rows * row_bytes)
                return FALSE;
            if (t->packed)
                unpack_block(t, (gsize)rows, n);
            into_band(t, x0, y0, plane, n);
        }
    }
    return TRUE;
}

static void invert(guint8 *v, const Tiff *t)
{
    switch (t->bits) {
    case 8:
        *v = 255 - *v;
        break;
    case 16: /* floats of 16 bits are refused before */
        *(guint16 *)v = 65535 - *(guint16 *)v;
        break;
    case 32:
        if (t->type == SAMPLEFORMAT_IEEEFP)
            *(float *)v = 1 - *(float *)v;
        else
            *(guint32 *)v = G_MAXUINT32 - *(guint32 *)v;
        break;
    default:
        *(double *)v = 1 - *(double *)v;
    }
}

/* A row of the band to one of the buffer: colors and the first extra sample, which is alpha. */
static void pick_row(const Tiff *t, const guint8 *from, guint8 *to)
{
    const gsize bytes = t->bits / 8, n = bytes * (t->colors + t->alpha);
    for (guint32 x = 0; x < t->w; x++, from += bytes * t->samples, to += n) {
        memcpy(to, from, n);
        if (t->kind == PHOTOMETRIC_MINISWHITE)
            invert(to, t);
    }
}

static double sample_of(const Tiff *t, const guint8 *v)
{
    return t->type == SAMPLEFORMAT_IEEEFP ? CLAMP(*(const float *)v, 0, 1) /* a NaN gives 0 */
           : t->bits == 8                 ? *v / 255.0
           : t->bits == 16                ? *(const guint16 *)v / 65535.0
                                          : *(const guint32 *)v / (double)G_MAXUINT32;
}

/* Inks to R'G'B'. */
static void cmyk_row(const Tiff *t, const guint8 *from, float *to, float *ink, const Babl *space)
{
    const gsize bytes = t->bits / 8, pixel = bytes * t->samples;
    for (guint32 x = 0; x < t->w; x++) {
        const double a = t->alpha ? sample_of(t, from + x * pixel + 4 * bytes) : 1, by = t->premultiplied ? a : 1;
        for (int k = 0; k < 4; k++)
            ink[4 * x + k] = by > 0 ? (float)MIN(sample_of(t, from + x * pixel + k * bytes) / by, 1) : 0;
    }
    sfu_cmyk_to_rgb(to, ink, (int)t->w, space);
}

/* TIFF 6.0, section 23, and ICCLab: L* fills the range; a* and b* have a sign, or an offset of 128. libtiff's own
 * conversion leaves out that Lab's white is D50. */
static void lab_row(const Tiff *t, const guint8 *from, float *to, float *lab)
{
    const gsize bytes = t->bits / 8, pixel = bytes * t->samples;
    const gboolean offset = t->kind == PHOTOMETRIC_ICCLAB;
    for (guint32 x = 0; x < t->w; x++)
        for (gsize k = 0; k < 3; k++) {
            const guint8 *v = from + x * pixel + k * bytes;
            const int whole = t->bits == 8 ? *v : *(const guint16 *)v, top = t->bits == 8 ? 255
                                                                             : offset     ? 0xff00
                                                                                          : 0xffff;
            const int color = offset         ? whole - (t->bits == 8 ? 128 : 0x8000)
                              : t->bits == 8 ? (gint8)whole
                                             : (gint16)whole;
            lab[3 * (gsize)x + k] = k == 0 ? 100.0f * whole / top : (float)color / (t->bits == 8 ? 1 : 256);
        }
    babl_process(babl_fish(babl_format("CIE Lab float"), babl_format("R'G'B' float")), lab, to, t->w);
}

/* A row of kinds that are not R'G'B' yet, with alpha behind the colors if there is one. */
static void computed_row(const Tiff *t, const guint8 *from, float *to, float *work, const Babl *space)
{
    const gsize bytes = t->bits / 8, pixel = bytes * t->samples, at = bytes * t->colors;
    if (t->kind == PHOTOMETRIC_SEPARATED)
        cmyk_row(t, from, to, work, space);
    else
        lab_row(t, from, to, work);
    for (guint32 x = t->w; t->alpha && x-- > 0;) {
        memmove(to + 4 * (gsize)x, to + 3 * (gsize)x, 3 * sizeof(float));
        to[4 * (gsize)x + 3] = (float)sample_of(t, from + x * pixel + at);
    }
}

static const Babl *plain_format(const Tiff *t)
{
    char name[32];
    if (is_computed(t))
        return babl_format(t->alpha ? (t->bits == 8 ? "R'G'B'A u8" : "R'G'B'A u16")
                                    : (t->bits == 8 ? "R'G'B' u8" : "R'G'B' u16"));
    g_snprintf(name, sizeof name, "%s %s",
               t->colors == 3 ? (t->premultiplied ? "R'aG'aB'aA"
                                 : t->alpha       ? "R'G'B'A"
                                                  : "R'G'B'")
                              : (t->premultiplied ? "Y'aA"
                                 : t->alpha       ? "Y'A"
                                                  : "Y'"),
               type_name(t));
    return babl_format_with_space(name, sfu_picture_space(t->icc, t->colors == 1));
}

static gboolean check_plain(const Tiff *t, const SfuPictureIn *in, GError **error)
{
    const int n = t->planar == PLANARCONFIG_SEPARATE ? 1 : t->samples;
    const tmsize_t expected = (tmsize_t)block_row_bytes(t, n) * t->block_h;
    if (t->block_w < 1 || t->block_h < 1 || t->block_w > 1 << 20 || t->block_h > 1 << 20 ||
        (t->tiled ? TIFFTileSize(t->tiff) : TIFFStripSize(t->tiff)) != expected)
        return sfu_picture_refuse(in, error, "TIFF: its layout is not supported (blocks of %u x %u pixels)", t->block_w,
                                  t->block_h) != NULL;
    if (t->kind == PHOTOMETRIC_MINISWHITE && t->type == SAMPLEFORMAT_IEEEFP && t->bits == 16)
        return sfu_picture_refuse(in, error, "TIFF: 16-bit floats with white at zero are not supported") != NULL;
    if (t->kind == PHOTOMETRIC_SEPARATED && t->type == SAMPLEFORMAT_IEEEFP && t->bits != 32)
        return sfu_picture_refuse(in, error,
                                  "TIFF: CMYK in 16-bit or 64-bit floating point is not supported; convert the picture "
                                  "to RGB first") != NULL;
    return TRUE;
}

static gboolean read_plain(Tiff *t, SfuPictureIn *in, GError **error)
{
    const Babl *cmyk = NULL;
    const gboolean separated = t->kind == PHOTOMETRIC_SEPARATED, computed = is_computed(t);
    if (!check_plain(t, in, error) || (separated && !sfu_cmyk_space(in, t->icc, &cmyk, error)))
        return FALSE;
    t->buffer = sfu_picture_buffer(in, t->w, t->h, plain_format(t), computed ? NULL : t->icc, error);
    if (!t->buffer || in->header_only)
        return t->buffer != NULL;
    const gsize pixel = (gsize)t->samples * (t->bits / 8);
    t->block = g_try_malloc_n((gsize)t->block_w * t->block_h, t->planar == PLANARCONFIG_SEPARATE ? t->bits / 8 : pixel);
    if (t->packed)
        t->raw = g_try_malloc_n(block_row_bytes(t, t->samples), t->block_h);
    t->band = g_try_malloc_n((gsize)t->w * MIN(t->block_h, t->h), pixel);
    float *work = computed ? g_new(float, (gsize)t->w * 4) : NULL;
    gboolean ok = t->block && t->band && (t->raw || !t->packed);
    if (!ok)
        sfu_picture_refuse(in, error, "TIFF: not enough memory for its blocks of %u x %u pixels", t->block_w,
                           t->block_h);
    sfu_rows_init(&t->rows, t->buffer,
                  computed ? babl_format(t->alpha ? "R'G'B'A float" : "R'G'B' float")
                           : gegl_buffer_get_format(t->buffer));
    for (guint32 y0 = 0; ok && y0 < t->h; y0 += t->block_h) {
        ok = read_band(t, y0);
        for (guint32 y = 0; ok && y < MIN(t->block_h, t->h - y0); y++) {
            const guint8 *from = t->band + (gsize)y * t->w * pixel;
            if (computed)
                computed_row(t, from, (float *)sfu_rows_next(&t->rows), work, cmyk);
            else
                pick_row(t, from, sfu_rows_next(&t->rows));
        }
    }
    sfu_rows_end(&t->rows);
    g_free(work);
    return ok;
}

/* Whatever else libtiff knows, as 8-bit RGBA with premultiplied alpha. */
static gboolean read_converted(Tiff *t, SfuPictureIn *in, GError **error)
{
    TIFFRGBAImage image;
    char why[1024] = "";
    const gboolean gray = t->kind == PHOTOMETRIC_MINISBLACK || t->kind == PHOTOMETRIC_MINISWHITE,
                   alpha = t->alpha && !gray && t->kind == PHOTOMETRIC_RGB;
    if (!TIFFRGBAImageOK(t->tiff, why))
        return sfu_picture_refuse(in, error, "TIFF: its kind of pixels is not supported (%s)", why) != NULL;
    t->buffer = sfu_picture_buffer(in, t->w, t->h,
                                   babl_format_with_space(gray    ? "Y' u8"
                                                          : alpha ? "R'aG'aB'aA u8"
                                                                  : "R'G'B' u8",
                                                          sfu_picture_space(t->icc, gray)),
                                   t->icc, error);
    if (!t->buffer || in->header_only)
        return t->buffer != NULL;
    guint32 *raster = g_try_new(guint32, (gsize)t->w * t->h);
    if (!raster)
        return sfu_picture_refuse(in, error, "TIFF: not enough memory for %u x %u pixels", t->w, t->h) != NULL;
    gboolean ok = TIFFRGBAImageBegin(&image, t->tiff, 1, why);
    if (ok) {
        image.req_orientation = image.orientation; /* the caller turns it */
        ok = TIFFRGBAImageGet(&image, raster, t->w, t->h);
        TIFFRGBAImageEnd(&image);
    }
    sfu_rows_init(&t->rows, t->buffer, gegl_buffer_get_format(t->buffer));
    for (guint32 y = 0; ok && y < t->h; y++) {
        guint8 *to = sfu_rows_next(&t->rows);
        for (guint32 x = 0; x < t->w; x++) {
            const guint32 v = raster[(gsize)y * t->w + x];
            *to++ = TIFFGetR(v);
            if (!gray) {
                *to++ = TIFFGetG(v);
                *to++ = TIFFGetB(v);
            }
            if (alpha)
                *to++ = TIFFGetA(v);
        }
    }
    sfu_rows_end(&t->rows);
    g_free(raster);
    return ok;
}

static GeglBuffer *load_tiff(SfuPictureIn *in, GError **error)
{
    Tiff t = {.file = in->file, .n_bytes = in->n_bytes};
    GError *local = NULL;
    GeglBuffer *made = NULL;
    gboolean ok = tiff_open(&t, "rm");
    if (ok) {
        read_layout(&t, in);
        if (is_raw(&t))
            sfu_picture_refuse(in, &local, "raw files of cameras are not supported; develop it to TIFF or JPEG first");
        else if (t.type == SAMPLEFORMAT_INT || t.type == SAMPLEFORMAT_COMPLEXINT ||
                 t.type == SAMPLEFORMAT_COMPLEXIEEEFP)
            sfu_picture_refuse(in, &local,
                               "TIFF: signed and complex samples are measurements, not colors; convert "
                               "the picture to unsigned or floating-point samples first");
        if (is_plain(&t) && t.samples > t.colors + t.alpha)
            in->note = "has more samples a pixel than colors and alpha; the others are left out";
        ok = !local && (is_plain(&t) ? read_plain(&t, in, &local) : read_converted(&t, in, &local));
    }
    if (ok) {
        in->n_frames = in->header_only ? 1 : TIFFNumberOfDirectories(t.tiff);
        made = g_steal_pointer(&t.buffer);
    } else if (local) {
        g_propagate_error(error, local);
    } else {
        sfu_picture_refuse(in, error, "not a whole TIFF picture (%s)",
                           t.message[0] ? t.message : "the file ends too early");
    }
    tiff_clear(&t);
    return made;
}

/* ---- writing ---- */

/* The words of EXIF's first directory become the file's own; its other directories go behind the pixels, and IPTC into
 * Photoshop's blocks. FALSE: it cannot be written. */
static gboolean write_described(Tiff *t)
{
    static const guint16 words[] = {TIFFTAG_IMAGEDESCRIPTION, TIFFTAG_MAKE,   TIFFTAG_MODEL,    TIFFTAG_SOFTWARE,
                                    TIFFTAG_DATETIME,         TIFFTAG_ARTIST, TIFFTAG_COPYRIGHT};
    const SfuPictureMeta *m = &t->out->meta;
    if (m->iptc) {
        GByteArray *blocks = sfu_picture_iptc_block(m->iptc);
        TIFFSetField(t->tiff, TIFFTAG_PHOTOSHOP, (guint32)blocks->len, blocks->data);
        g_byte_array_unref(blocks);
    }
    for (gsize i = 0; m->exif && i < G_N_ELEMENTS(words); i++) {
        char *text = sfu_exif_words(m->exif, words[i]);
        if (text && *text)
            TIFFSetField(t->tiff, words[i], text);
        g_free(text);
    }
    if (!m->exif || fseeko(t->file, 0, SEEK_END) != 0 || ftello(t->file) > G_MAXINT32)
        return TRUE;
    guint32 exif_at, gps_at;
    const off_t end = ftello(t->file), at = (end + 1) & ~(off_t)1;
    GByteArray *exif = sfu_exif_for_tiff(m->exif, (guint32)at, &exif_at, &gps_at);
    const gboolean ok = !exif || !(exif_at || gps_at) ||
                        (sfu_picture_put(t->out, "", (gsize)(at - end)) &&
                         sfu_picture_put(t->out, exif->data, exif->len) && fflush(t->file) == 0);
    if (exif_at)
        TIFFSetField(t->tiff, TIFFTAG_EXIFIFD, (guint64)exif_at);
    if (gps_at)
        TIFFSetField(t->tiff, TIFFTAG_GPSIFD, (guint64)gps_at);
    g_clear_pointer(&exif, g_byte_array_unref);
    return ok;
}

/* EXIF's directories keep the order of their bytes, which a file has only one of. */
static gboolean is_big_endian(const SfuPictureMeta *m)
{
    return m->exif && *(const char *)g_bytes_get_data(m->exif, NULL) == 'M';
}

static gboolean write_tiff(Tiff *t, SfuPictureOut *out)
{
    const guint32 w = (guint32)gegl_buffer_get_width(out->picture), h = (guint32)gegl_buffer_get_height(out->picture);
    const guint16 unassociated = EXTRASAMPLE_UNASSALPHA;
    gsize n;
    TIFF *f = t->tiff;
    TIFFSetField(f, TIFFTAG_IMAGEWIDTH, w);
    TIFFSetField(f, TIFFTAG_IMAGELENGTH, h);
    TIFFSetField(f, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    TIFFSetField(f, TIFFTAG_BITSPERSAMPLE, out->depth);
    TIFFSetField(f, TIFFTAG_SAMPLEFORMAT, out->depth == 32 ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
    TIFFSetField(f, TIFFTAG_PHOTOMETRIC, out->gray ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB);
    TIFFSetField(f, TIFFTAG_SAMPLESPERPIXEL, (out->gray ? 1 : 3) + out->alpha);
    TIFFSetField(f, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(f, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    if (out->alpha)
        TIFFSetField(f, TIFFTAG_EXTRASAMPLES, 1, &unassociated);
    TIFFSetField(f, TIFFTAG_ROWSPERSTRIP, (guint32)CLAMP(65536 / t->rows.row_bytes, 1, h));
    const void *icc = out->icc ? g_bytes_get_data(out->icc, &n) : NULL;
    int n_srgb = 0;
    if (!icc && !out->gray) { /* floats without a profile would be taken for linear light */
        icc = babl_space_get_icc(babl_space("sRGB"), &n_srgb);
        n = (gsize)n_srgb;
    }
    if (icc)
        TIFFSetField(f, TIFFTAG_ICCPROFILE, (guint32)n, icc);
    if (out->meta.xmp)
        TIFFSetField(f, TIFFTAG_XMLPACKET, (guint32)g_bytes_get_size(out->meta.xmp),
                     g_bytes_get_data(out->meta.xmp, NULL));
    if (out->meta.x_dpi > 0 && out->meta.y_dpi > 0) {
        TIFFSetField(f, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
        TIFFSetField(f, TIFFTAG_XRESOLUTION, out->meta.x_dpi);
        TIFFSetField(f, TIFFTAG_YRESOLUTION, out->meta.y_dpi);
    }
    for (guint32 y = 0; y < h; y++)
        if (TIFFWriteScanline(f, (void *)sfu_rows_get(&t->rows, (int)y), y, 0) < 0)
            return FALSE;
    return TIFFFlushData(f) && write_described(t) && TIFFFlush(f) != 0 && !out->broken;
}

static gboolean save_tiff(SfuPictureOut *out, GError **error)
{
    Tiff t = {.file = out->file, .out = out};
    sfu_picture_meta_put_text(&out->meta, out->text);
    sfu_rows_init(&t.rows, out->picture, out->format);
    const gboolean large = t.rows.row_bytes * t.rows.h > (gsize)4000 << 20; /* offsets of 32 bits end at 4 GiB */
    const gboolean ok = (tiff_open(&t, large                       ? "w8"
                                       : is_big_endian(&out->meta) ? "wb"
                                                                   : "wl") &&
                         write_tiff(&t, out)) ||
                        sfu_picture_unwritten(out, error, t.message[0] ? t.message : "libtiff failed");
    tiff_clear(&t); /* writes no more after TIFFFlush() */
    if (ok && out->broken)
        return sfu_picture_unwritten(out, error, "libtiff failed");
    return ok;
}

static const char *const endings[] = {"tif", "tiff", NULL};
const SfuPictureFormat sfu_picture_tiff = {"TIFF", endings, is_tiff, load_tiff, save_tiff, 8 | 16 | 32,
                                           TRUE,   TRUE,    TRUE,    1 << 30,   TRUE};
