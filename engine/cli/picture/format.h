/* What one picture format offers, and what the formats share. A new format is one file beside this one and one row in
 * formats.c. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_CLI_PICTURE_FORMAT_H
#define SFU_CLI_PICTURE_FORMAT_H

#include <stdio.h>

#include "cli/cli.h"

/* ---- beside the pixels ---- */

/* What a file tells besides its pixels and their colors, and what the result's file tells again. Zero: nothing. */
typedef struct {
    GBytes *exif, *xmp, *iptc; /* EXIF from its TIFF header on; XMP's text; IPTC-IIM's records */
    double x_dpi, y_dpi;       /* pixels an inch; 0: not known */
    gboolean lossless;         /* a WebP file that keeps every pixel, as the next one shall */
    guint16 quant[2][64];      /* a JPEG file's steps of brightness and of color; 0: not known */
} SfuPictureMeta;

void sfu_picture_meta_clear(SfuPictureMeta *m);
/* The buffer takes what m holds. */
void sfu_picture_meta_attach(GeglBuffer *b, SfuPictureMeta *m);
/* What the file of `like` (NULL: none) told and is still true for a result of w x h pixels: it stands upright, and no
 * small copy shows the picture as it was. Clear *to. */
void sfu_picture_meta_renew(SfuPictureMeta *to, GeglBuffer *like, int w, int h);
/* Puts generation parameters (NULL: none) into the EXIF data, unless somebody's own words stand there. */
void sfu_picture_meta_put_text(SfuPictureMeta *m, const char *text);
/* The IPTC records among Photoshop's resource blocks; NULL: none. */
GBytes *sfu_picture_iptc_find(const guint8 *data, gsize n);
/* The resource block of IPTC records. Caller unrefs. */
GByteArray *sfu_picture_iptc_block(GBytes *iptc);
/* Orientation in EXIF data, 1 without one. `data` starts with the TIFF header, or with "Exif\0\0" before it. */
int sfu_exif_orientation(const guint8 *data, gsize n);
/* TRUE if EXIF data says that the colors of a file without a profile are Adobe RGB. */
gboolean sfu_exif_is_adobe_rgb(const guint8 *data, gsize n);
/* EXIF data for a picture of w x h pixels that was made from the one that it describes; NULL if it is damaged. */
GBytes *sfu_exif_renew(GBytes *exif, int w, int h);
/* Bytes of a value of each type (TIFF 6.0, section 2); 0: there is no such type. */
static inline gsize sfu_tiff_type_bytes(guint32 type)
{
    static const guint8 bytes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
    return type < G_N_ELEMENTS(bytes) ? bytes[type] : 0;
}
/* EXIF data for a place `by` bytes behind the beginning of a TIFF file; *exif_at, *gps_at: where its directories stand
 * in that file; 0: nowhere. NULL if it is damaged. Caller unrefs. */
GByteArray *sfu_exif_for_tiff(GBytes *exif, guint32 by, guint32 *exif_at, guint32 *gps_at);
/* The words of a tag of the first directory; NULL. Caller frees. */
char *sfu_exif_words(GBytes *exif, guint32 tag);
/* EXIF and IPTC of an open TIFF file, which is left at any place. */
void sfu_tiff_meta_read(FILE *f, SfuPictureMeta *to);
/* EXIF data (NULL: none) with the text as its UserComment, as A1111 writes it; NULL if another comment stands there, or
 * the text is too long. */
GBytes *sfu_exif_with_text(GBytes *exif, const char *text);

/* ---- reading ---- */

/* A file that needs more bytes than these for a picture is damaged: besides its pixels, and for each of them. */
#define SFU_PICTURE_EXTRA_BYTES ((guint64)256 << 20)
#define SFU_PICTURE_PIXEL_BYTES ((guint64)16)

/* A picture file while it is read. Nothing is mapped: a file that another program shortens meanwhile ends as a read
 * error. */
typedef struct {
    const char *path; /* for messages */
    FILE *file;       /* at its beginning */
    guint64 n_bytes;
    gboolean header_only; /* the decoder returns once it knows size and format; the buffer stays empty */
    /* Set by the decoder: */
    int orientation; /* EXIF orientation, 1..8 (EXIF 2.32, tag 0x0112) */
    int n_frames;    /* above 1: an animation or several pages, of which the first is read */
    SfuPictureMeta meta;
    gboolean bad_profile; /* its color profile is damaged and was left out */
    const char *note;     /* what a user should know, behind the file's name; NULL: nothing */
} SfuPictureIn;

/* Sets "PATH: sentence" (USAGE) and returns NULL. */
gpointer sfu_picture_refuse(const SfuPictureIn *in, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Makes the buffer for w x h pixels of `format`, with the ICC profile that came with them (NULL: none). NULL with error
 * if the size is absurd. Caller unrefs. */
GeglBuffer *sfu_picture_buffer(const SfuPictureIn *in, guint64 w, guint64 h, const Babl *format, GBytes *icc,
                               GError **error);
/* The ICC profile that a file holds; NULL, with `bad_profile` set, if it is damaged. */
GBytes *sfu_picture_profile(SfuPictureIn *in, const void *data, gsize n);
/* babl's space for a profile of RGB or gray pixels; NULL (sRGB) without one, or if babl cannot express it: then the
 * numbers are kept and the profile travels with them. A profile for another kind of pixels counts as none. */
const Babl *sfu_picture_space(GBytes *icc, gboolean gray);
/* Inks 0..1 (0: none), 4 floats a pixel, to R'G'B' floats in sRGB, 3 a pixel. Without a profile (`space` NULL) by the
 * formula of PostScript's and PDF's DeviceCMYK: R = (1 - C)(1 - K). */
void sfu_cmyk_to_rgb(float *rgb, const float *cmyk, int n, const Babl *space);
/* babl's space for a CMYK profile; NULL if there is none. FALSE with error if there is one that cannot be used. */
gboolean sfu_cmyk_space(const SfuPictureIn *in, GBytes *icc, const Babl **space, GError **error);

/* Rows on their way to or from a buffer, some at a time because GEGL keeps tiles. */
typedef struct {
    GeglBuffer *buffer;
    const Babl *format;
    guint8 *pixels;
    gsize row_bytes;
    int w, h, y, n, room; /* rows y .. y + n - 1 are in `pixels` */
} SfuRows;
void sfu_rows_init(SfuRows *r, GeglBuffer *buffer, const Babl *format);
/* Writing: memory for the next row; the row before is in the buffer by the next call or by sfu_rows_end(). */
guint8 *sfu_rows_next(SfuRows *r);
void sfu_rows_end(SfuRows *r);
/* Reading: row y, valid until the next call. Rows are asked for from top to bottom. */
const guint8 *sfu_rows_get(SfuRows *r, int y);
void sfu_rows_clear(SfuRows *r);

/* ---- writing ---- */

typedef struct {
    const char *path; /* for messages: where the picture will be */
    FILE *file;       /* empty, open for reading and writing */
    int broken;       /* errno of the first write that failed; 0 */
    GeglBuffer *picture;
    const Babl *format; /* R'G'B', R'G'B'A, Y' or Y'A; u8, u16 or float; in the space to write */
    gboolean gray, alpha;
    int depth;        /* bits per channel: 8, 16, 32 */
    GBytes *icc;      /* NULL: sRGB */
    const char *text; /* generation parameters; NULL: none */
    SfuPictureMeta meta;
    const char *note; /* what a user should know once it is written, behind the file's name; NULL: nothing */
} SfuPictureOut;

/* FALSE, with `broken` set, when it cannot be written. All writing goes through it. */
gboolean sfu_picture_put(SfuPictureOut *out, const void *data, gsize n);
/* Sets "PATH cannot be written: cause" (FAILED) from `broken` or, when that is 0, from the library's message. Returns
 * FALSE. */
gboolean sfu_picture_unwritten(const SfuPictureOut *out, GError **error, const char *message);

/* ---- the formats ---- */

typedef struct {
    const char *name;                            /* "PNG" */
    const char *const *endings;                  /* lower case, without the dot; NULL-terminated */
    gboolean (*is)(const guint8 *head, gsize n); /* by the first bytes */
    GeglBuffer *(*load)(SfuPictureIn *in, GError **error);
    gboolean (*save)(SfuPictureOut *out, GError **error); /* NULL: only read */
    guint depths;                                         /* sum of those that it writes: 8 | 16 | 32 */
    gboolean alpha;                                       /* it can write transparency */
    gboolean icc;                                         /* it can write a color profile */
    gboolean gray;                                        /* it can write gray pictures as such */
    int max_px;                                           /* longest side that it can hold */
    gboolean meta;                                        /* it can write EXIF and its kin */
} SfuPictureFormat;

#define SFU_PICTURE_HEAD 64 /* bytes that `is` sees at most */

extern const SfuPictureFormat sfu_picture_png, sfu_picture_jpeg, sfu_picture_tiff, sfu_picture_webp, sfu_picture_exr,
    sfu_picture_hdr, sfu_picture_pnm, sfu_picture_tga, sfu_picture_other;

/* TRUE if gdk-pixbuf knows what is in the file. */
gboolean sfu_picture_other_knows(const char *path);
/* By content; the last resort is gdk-pixbuf. NULL if nobody knows it. */
const SfuPictureFormat *sfu_picture_format_of(const guint8 *head, gsize n);
/* By the ending of a file's name; NULL. */
const SfuPictureFormat *sfu_picture_format_for(const char *path);
/* "png, tif, ...": the endings that are written. Caller frees. */
char *sfu_picture_endings(void);
const char *sfu_picture_ending(const char *path); /* "png"; "" without one */

#endif
