/* Color profiles of files. babl reads what it needs of one without looking at the rest, and crashes on some damage, so
 * a profile is looked at first. The format: ICC.1:2022. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <math.h>
#include <string.h>

#define HEADER 128
#define MAX_TAGS 1024

typedef struct {
    const guint8 *p;
    gsize n;
} Icc;

static guint32 number(const Icc *x, gsize at, int n)
{
    return sfu_big_endian(x->p + at, n);
}

/* s15Fixed16Number */
static double fixed(const Icc *x, gsize at)
{
    return (gint32)number(x, at, 4) / 65536.0;
}

/* 7.3: where a tag's data stands, and how many bytes they are; 0: there is none. */
static gsize find(const Icc *x, const char *name, gsize *n)
{
    for (gsize i = 0, at = HEADER + 4; i < number(x, HEADER, 4); i++, at += 12)
        if (memcmp(x->p + at, name, 4) == 0) {
            *n = number(x, at + 8, 4);
            return number(x, at + 4, 4);
        }
    return 0;
}

/* 10.1: four letters, and four bytes of zero, which babl takes for the end of the word. */
static gboolean is_type(const Icc *x, gsize at, const char *type)
{
    return memcmp(x->p + at, type, 4) == 0 && number(x, at + 4, 4) == 0;
}

static gboolean is_table_sound(const Icc *x)
{
    const guint32 n_tags = number(x, HEADER, 4);
    if (n_tags > MAX_TAGS || HEADER + 4 + 12 * (gsize)n_tags > x->n)
        return FALSE;
    for (gsize i = 0, at = HEADER + 4; i < n_tags; i++, at += 12) {
        const guint32 from = number(x, at + 4, 4), n = number(x, at + 8, 4);
        if (from < HEADER || n < 8 || from > x->n || n > x->n - from)
            return FALSE;
    }
    return TRUE;
}

static gboolean is_usual_gamma(double g)
{
    return g > 0.05 && g < 20;
}

/* 10.6 and 10.18: curveType and parametricCurveType. */
static gboolean is_curve_sound(const Icc *x, const char *name)
{
    static const int n_parameters[] = {1, 3, 4, 5, 7};
    gsize n;
    const gsize at = find(x, name, &n);
    if (!at || n < 12)
        return !at;
    if (is_type(x, at, "curv")) {
        const guint32 count = number(x, at + 8, 4);
        return count <= (n - 12) / 2 && (count != 1 || is_usual_gamma(number(x, at + 12, 2) / 256.0));
    }
    const guint32 function = is_type(x, at, "para") ? number(x, at + 8, 2) : 99;
    return function < G_N_ELEMENTS(n_parameters) && 12 + 4 * (gsize)n_parameters[function] <= n &&
           is_usual_gamma(fixed(x, at + 12)) && (function == 0 || fabs(fixed(x, at + 16)) > 1e-4);
}

/* The columns of the matrix, if there are any, are three colors that differ. */
static gboolean is_matrix_sound(const Icc *x)
{
    static const char *const names[] = {"rXYZ", "gXYZ", "bXYZ"};
    double m[3][3];
    int found = 0;
    for (int i = 0; i < 3; i++) {
        gsize n;
        const gsize at = find(x, names[i], &n);
        if (at && (n < 20 || !is_type(x, at, "XYZ ")))
            return FALSE;
        found += at != 0;
        for (int k = 0; at && k < 3; k++)
            m[i][k] = fixed(x, at + 8 + 4 * (gsize)k);
    }
    if (found != 3)
        return found == 0;
    const double volume = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
                          m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
                          m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
    return fabs(volume) > 1e-4;
}

/* 9.2.36: the white point is light; babl divides by it. 9.2.14: the adaptation that goes with it. */
static gboolean is_white_sound(const Icc *x)
{
    gsize n;
    gsize at = find(x, "wtpt", &n);
    if (at && (n < 20 || !is_type(x, at, "XYZ ")))
        return FALSE;
    for (gsize k = 0; at && k < 3; k++)
        if (!(fixed(x, at + 8 + 4 * k) > 0.01 && fixed(x, at + 8 + 4 * k) < 10))
            return FALSE;
    at = find(x, "chad", &n);
    return !at || (n >= 44 && is_type(x, at, "sf32"));
}

/* 7.2: the header. Links between devices and abstract profiles describe no picture's colors. */
static gboolean is_sound(const Icc *x)
{
    static const char *const curves[] = {"rTRC", "gTRC", "bTRC", "kTRC"};
    if (memcmp(x->p + 36, "acsp", 4) != 0 || memcmp(x->p + 12, "link", 4) == 0 || memcmp(x->p + 12, "abst", 4) == 0 ||
        (memcmp(x->p + 20, "XYZ ", 4) != 0 && memcmp(x->p + 20, "Lab ", 4) != 0) || number(x, 64, 4) > 3 ||
        !is_table_sound(x) || !is_matrix_sound(x) || !is_white_sound(x))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(curves); i++)
        if (!is_curve_sound(x, curves[i]))
            return FALSE;
    return TRUE;
}

GBytes *sfu_picture_profile(SfuPictureIn *in, const void *data, gsize n)
{
    Icc x = {data, n};
    const gsize size = n >= HEADER + 4 ? number(&x, 0, 4) : 0; /* there may be more bytes behind it */
    x.n = size;
    if (size >= HEADER + 4 && size <= n && is_sound(&x))
        return g_bytes_new(data, size);
    in->bad_profile = TRUE;
    return NULL;
}

static const Babl *space_of(GBytes *icc)
{
    const char *why = NULL;
    gsize n = 0;
    const char *data = icc ? g_bytes_get_data(icc, &n) : NULL;
    return data && n <= G_MAXINT ? babl_space_from_icc(data, (int)n, BABL_ICC_INTENT_RELATIVE_COLORIMETRIC, &why)
                                 : NULL;
}

/* Header, 7.2.6: the kind of pixels. */
static gboolean is_for(GBytes *icc, const char *kind)
{
    return icc && memcmp((const char *)g_bytes_get_data(icc, NULL) + 16, kind, 4) == 0;
}

const Babl *sfu_picture_space(GBytes *icc, gboolean gray)
{
    return is_for(icc, "RGB ") || (gray && is_for(icc, "GRAY")) ? space_of(icc) : NULL;
}

gboolean sfu_cmyk_space(const SfuPictureIn *in, GBytes *icc, const Babl **space, GError **error)
{
    *space = is_for(icc, "CMYK") ? space_of(icc) : NULL;
    if ((!icc && !in->bad_profile) || (*space && babl_space_is_cmyk(*space)))
        return TRUE;
    sfu_picture_refuse(in, error, "its CMYK profile cannot be used; convert the picture to RGB first");
    return FALSE;
}
