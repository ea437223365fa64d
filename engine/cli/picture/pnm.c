/* The Netpbm formats: PBM, PGM, PPM in letters and in bytes, PAM, and PFM (floats).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <math.h>
#include <string.h>

typedef struct {
    char kind; /* '1' .. '7', 'F', 'f' */
    guint64 w, h, max;
    int n; /* samples a pixel */
    gboolean alpha, little, cmyk;
    gboolean known; /* PAM: what its samples are, Sfumato knows */
    gboolean open;  /* the file ends with a digit: its last number may have been cut */
} Pnm;

static gboolean is_pnm(const guint8 *head, gsize n)
{
    return n >= 3 && head[0] == 'P' && strchr("1234567Ff", head[1]) && head[1] &&
           (g_ascii_isspace(head[2]) || head[2] == '#');
}

#define MAX_COMMENT (1 << 20) /* a longer one is damage */
#define MAX_LINES 10000       /* of a header */

/* The next character that is neither blank nor comment (from # to the end of its line); EOF. */
static int next_char(FILE *f)
{
    int c;
    while ((c = getc(f)) != EOF) {
        if (c == '#') {
            for (int n = 0; (c = getc(f)) != EOF && c != '\n' && c != '\r'; n++)
                if (n == MAX_COMMENT)
                    return EOF;
        } else if (!g_ascii_isspace(c)) {
            break;
        }
    }
    return c;
}

/* A whole number and the one blank behind it. */
static gboolean read_number(FILE *f, guint64 *v)
{
    int c = next_char(f);
    *v = 0;
    if (!g_ascii_isdigit(c))
        return FALSE;
    for (; g_ascii_isdigit(c) && *v < G_MAXUINT32; c = getc(f))
        *v = *v * 10 + (guint64)(c - '0');
    if (c == '#')
        ungetc(c, f);
    return c == '#' || c == EOF || g_ascii_isspace(c);
}

/* What PAM's samples are (pam(5)); CMYK is Ghostscript's. Without a word, their number tells. */
static void read_type(Pnm *p, const char *word)
{
    static const char *const known[] = {
        "", "BLACKANDWHITE", "GRAYSCALE", "RGB", "BLACKANDWHITE_ALPHA", "GRAYSCALE_ALPHA", "RGB_ALPHA", NULL};
    p->cmyk = strcmp(word, "CMYK") == 0;
    p->known = p->cmyk || g_strv_contains(known, word);
}

/* PAM: lines of a word and its value, until ENDHDR. */
static gboolean read_pam(FILE *f, Pnm *p)
{
    char line[256], word[32], value[64];
    guint64 depth = 0;
    p->known = TRUE;
    for (int k = 0; k < MAX_LINES && fgets(line, sizeof line, f); k++) {
        const int n = sscanf(line, " %31s %63s", word, value);
        if (n < 1 || word[0] == '#')
            continue;
        if (strcmp(word, "ENDHDR") == 0) {
            p->n = (int)depth;
            return depth >= 1 && depth <= 4 && (!p->cmyk || depth == 4);
        }
        if (n == 2 && strcmp(word, "TUPLTYPE") == 0)
            read_type(p, value);
        guint64 *to = strcmp(word, "WIDTH") == 0    ? &p->w
                      : strcmp(word, "HEIGHT") == 0 ? &p->h
                      : strcmp(word, "DEPTH") == 0  ? &depth
                      : strcmp(word, "MAXVAL") == 0 ? &p->max
                                                    : NULL;
        if (n == 2 && to && !g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT32, to, NULL))
            return FALSE;
    }
    return FALSE;
}

static gboolean read_header(FILE *f, Pnm *p)
{
    char scale[32];
    getc(f); /* P */
    p->kind = (char)getc(f);
    p->max = p->kind == '1' || p->kind == '4' ? 1 : 0;
    p->n = strchr("36F", p->kind) ? 3 : 1;
    if (p->kind == '7') {
        if (!read_pam(f, p))
            return FALSE;
        p->alpha = (p->n == 2 || p->n == 4) && !p->cmyk;
    } else if (!read_number(f, &p->w) || !read_number(f, &p->h)) {
        return FALSE;
    }
    if (g_ascii_toupper(p->kind) == 'F') { /* the scale's sign is the order of bytes; its size has no agreed meaning */
        p->max = 1;
        if (fscanf(f, "%31s", scale) != 1 || !g_ascii_isspace(getc(f)))
            return FALSE;
        const double v = g_ascii_strtod(scale, NULL);
        p->little = v < 0;
        return isfinite(v) && v != 0;
    }
    return p->max ? p->max <= 65535 : read_number(f, &p->max) && p->max >= 1 && p->max <= 65535;
}

/* n samples of a row as whole numbers. */
static gboolean read_samples(FILE *f, Pnm *p, guint16 *to, gsize n)
{
    guint64 v;
    for (gsize i = 0; i < n; i++) {
        int c, d = 0;
        if (p->kind == '1') { /* blanks between the digits may be missing */
            c = next_char(f);
            if (c != '0' && c != '1')
                return FALSE;
            to[i] = (guint16)(c - '0');
        } else if (p->kind <= '3') {
            if (!read_number(f, &v) || v > p->max)
                return FALSE;
            to[i] = (guint16)v;
        } else {
            if ((c = getc(f)) == EOF || (p->max > 255 && (d = getc(f)) == EOF))
                return FALSE;
            to[i] = (guint16)(p->max > 255 ? c << 8 | d : c);
            if (to[i] > p->max)
                return FALSE;
        }
    }
    p->open = (p->kind == '2' || p->kind == '3') && feof(f);
    return TRUE;
}

static gboolean read_bits(FILE *f, guint16 *to, gsize n)
{
    int c = 0;
    for (gsize i = 0; i < n; i++) {
        if (i % 8 == 0 && (c = getc(f)) == EOF)
            return FALSE;
        to[i] = (guint16)(c >> (7 - i % 8) & 1);
    }
    return TRUE;
}

static gboolean read_inks(FILE *f, Pnm *p, GeglBuffer *b)
{
    const gsize n = (gsize)p->w * 4;
    guint16 *row = g_new(guint16, n);
    float *inks = g_new(float, n);
    gboolean ok = TRUE;
    SfuRows rows;
    sfu_rows_init(&rows, b, babl_format("R'G'B' float"));
    for (guint64 y = 0; ok && y < p->h; y++) {
        ok = read_samples(f, p, row, n);
        for (gsize i = 0; ok && i < n; i++)
            inks[i] = (float)row[i] / (float)p->max;
        if (ok)
            sfu_cmyk_to_rgb((float *)sfu_rows_next(&rows), inks, (int)p->w, NULL);
    }
    sfu_rows_end(&rows);
    sfu_rows_clear(&rows);
    g_free(inks);
    g_free(row);
    return ok;
}

static gboolean read_integers(FILE *f, Pnm *p, GeglBuffer *b)
{
    if (p->cmyk)
        return read_inks(f, p, b);
    const gboolean deep = p->max > 255, bitmap = p->kind == '1' || p->kind == '4';
    const gsize n = (gsize)p->w * p->n;
    const guint32 top = deep ? 65535 : 255, max = (guint32)p->max;
    guint16 *row = g_new(guint16, n);
    gboolean ok = TRUE;
    SfuRows rows;
    sfu_rows_init(&rows, b, gegl_buffer_get_format(b));
    for (guint64 y = 0; ok && y < p->h; y++) {
        guint8 *to = sfu_rows_next(&rows);
        ok = p->kind == '4' ? read_bits(f, row, n) : read_samples(f, p, row, n);
        for (gsize i = 0; ok && i < n; i++) {
            const guint32 v = ((bitmap ? 1u - row[i] : row[i]) * top + max / 2) / max; /* bitmaps: 1 is black */
            if (deep)
                ((guint16 *)to)[i] = (guint16)v;
            else
                to[i] = (guint8)v;
        }
    }
    sfu_rows_end(&rows);
    sfu_rows_clear(&rows);
    g_free(row);
    return ok;
}

/* PFM: rows from the bottom up. */
static gboolean read_floats(FILE *f, const Pnm *p, GeglBuffer *b)
{
    const gsize n = (gsize)p->w * p->n;
    guint32 *row = g_new(guint32, n);
    gboolean ok = TRUE;
    for (guint64 y = p->h; ok && y-- > 0;) {
        ok = fread(row, 4, n, f) == n;
        for (gsize i = 0; ok && i < n; i++)
            row[i] = p->little ? GUINT32_FROM_LE(row[i]) : GUINT32_FROM_BE(row[i]);
        if (ok)
            gegl_buffer_set(b, GEGL_RECTANGLE(0, (int)y, (int)p->w, 1), 0, gegl_buffer_get_format(b), row,
                            GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    return ok;
}

static GeglBuffer *load_pnm(SfuPictureIn *in, GError **error)
{
    Pnm p = {0};
    char name[32];
    if (!read_header(in->file, &p))
        return sfu_picture_refuse(in, error, "not a Netpbm picture (its header is damaged)");
    if (p.kind == '7' && !p.known)
        return sfu_picture_refuse(in, error, "PAM: its kind of samples (TUPLTYPE) is not supported");
    const gboolean floats = g_ascii_toupper(p.kind) == 'F';
    g_snprintf(name, sizeof name, "%s%s %s",
               floats     ? (p.n >= 3 ? "RGB" : "Y")
               : p.n >= 3 ? "R'G'B'"
                          : "Y'",
               p.alpha ? "A" : "",
               floats        ? "float"
               : p.max > 255 ? "u16"
                             : "u8");
    GeglBuffer *b = sfu_picture_buffer(in, p.w, p.h, babl_format(name), NULL, error);
    if (b && !in->header_only && !(floats ? read_floats(in->file, &p, b) : read_integers(in->file, &p, b))) {
        g_clear_object(&b);
        sfu_picture_refuse(in, error, "not a whole Netpbm picture (it is damaged, or ends too early)");
    }
    if (b && p.open)
        in->note = "ends with a digit but no line break, so its last number may be incomplete";
    return b;
}

/* ---- writing, in bytes ---- */

static gboolean save_pnm(SfuPictureOut *out, GError **error)
{
    const int w = gegl_buffer_get_width(out->picture), h = gegl_buffer_get_height(out->picture);
    const char *ending = sfu_picture_ending(out->path);
    const gboolean gray =
        out->gray && g_ascii_strcasecmp(ending, "ppm") != 0; /* .pgm without a gray picture was refused before */
    const Babl *space = babl_format_get_space(out->format);
    SfuRows rows;
    sfu_rows_init(&rows, out->picture,
                  babl_format_with_space(gray               ? (out->depth == 16 ? "Y' u16" : "Y' u8")
                                         : out->depth == 16 ? "R'G'B' u16"
                                                            : "R'G'B' u8",
                                         space));
    char *header = g_strdup_printf("P%c\n%d %d\n%d\n", gray ? '5' : '6', w, h, out->depth == 16 ? 65535 : 255);
    gboolean ok = sfu_picture_put(out, header, strlen(header));
    for (int y = 0; ok && y < h; y++) {
        guint8 *row = (guint8 *)sfu_rows_get(&rows, y);
        for (gsize i = 0; out->depth == 16 && i < rows.row_bytes / 2; i++)
            ((guint16 *)row)[i] = GUINT16_TO_BE(((guint16 *)row)[i]);
        ok = sfu_picture_put(out, row, rows.row_bytes);
    }
    g_free(header);
    sfu_rows_clear(&rows);
    return ok || sfu_picture_unwritten(out, error, "");
}

static const char *const endings[] = {"ppm", "pgm", "pnm", NULL};
const SfuPictureFormat sfu_picture_pnm = {"Netpbm", endings, is_pnm, load_pnm, save_pnm,
                                          8 | 16,   FALSE,   FALSE,  TRUE,     1 << 30};
