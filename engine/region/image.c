/* Pictures on the host: planes of floats cut out of GEGL buffers, and resampling.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "region/image.h"

#include <math.h>
#include <string.h>
#include <inttypes.h>
#include <glib/gi18n-lib.h>

#include "sfumato.h"

SfuImage *sfu_image_new(int w, int h, int c, GError **error)
{
    float *p = NULL;
    if (w > 0 && h > 0 && c > 0 && (guint64)w * h <= G_MAXUINT32 * (guint64)16)
        p = g_try_malloc0_n((gsize)w * h, (gsize)c * sizeof(float));
    if (!p) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MEMORY,
                    _("Not enough memory for a picture of %d x %d pixels (%" PRIu64 " bytes)."), w, h,
                    (guint64)MAX(w, 0) * MAX(h, 0) * c * sizeof(float));
        return NULL;
    }
    SfuImage *i = g_new0(SfuImage, 1);
    *i = (SfuImage){w, h, c, p};
    return i;
}

void sfu_image_free(SfuImage *i)
{
    if (!i)
        return;
    g_free(i->p);
    g_free(i);
}

SfuImage *sfu_image_copy(const SfuImage *i, GError **error)
{
    SfuImage *o = sfu_image_new(i->w, i->h, i->c, error);
    if (o)
        memcpy(o->p, i->p, (gsize)i->w * i->h * i->c * sizeof(float));
    return o;
}

SfuImage *sfu_image_read_as(GeglBuffer *b, SfuRect r, const Babl *format, GError **error)
{
    SfuImage *i = sfu_image_new(r.w, r.h, babl_format_get_n_components(format), error);
    if (!i)
        return NULL;
    gegl_buffer_get(b, GEGL_RECTANGLE(r.x, r.y, r.w, r.h), 1.0, format, i->p, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    /* A float buffer may hold NaN, which would spread over the whole picture, and infinity, which is white. */
    const gint64 n = (gint64)r.w * r.h * i->c;
    for (gint64 k = 0; k < n; k++)
        if (!isfinite(i->p[k]))
            i->p[k] = i->p[k] > 0 ? 1 : 0;
    return i;
}

SfuImage *sfu_image_read(GeglBuffer *b, SfuRect r, int c, GError **error)
{
    return sfu_image_read_as(b, r,
                             c == 4   ? babl_format("R'G'B'A float")
                             : c == 3 ? babl_format("R'G'B' float")
                                      : babl_format("Y float"),
                             error);
}

GeglBuffer *sfu_image_to_buffer(const SfuImage *i, int x, int y)
{
    const Babl *format = i->c == 4   ? babl_format("R'G'B'A float")
                         : i->c == 3 ? babl_format("R'G'B' float")
                                     : babl_format("Y float");
    const GeglRectangle r = {x, y, i->w, i->h};
    GeglBuffer *b = gegl_buffer_new(&r, format);
    gegl_buffer_set(b, &r, 0, format, i->p, GEGL_AUTO_ROWSTRIDE);
    return b;
}

gboolean sfu_buffer_is_gray(GeglBuffer *b)
{
    const Babl *f = gegl_buffer_get_format(b);
    const int n = babl_format_get_n_components(f) - (babl_format_has_alpha(f) ? 1 : 0);
    return n == 1 && !babl_format_is_palette(f);
}

SfuImage *sfu_image_channels(const SfuImage *i, int first, int n, GError **error)
{
    SfuImage *o = sfu_image_new(i->w, i->h, n, error);
    const gint64 pixels = (gint64)i->w * i->h;
    for (gint64 k = 0; o && k < pixels; k++)
        memcpy(o->p + k * n, i->p + k * i->c + first, n * sizeof(float));
    return o;
}

SfuImage *sfu_image_crop(const SfuImage *i, SfuRect r, GError **error)
{
    SfuImage *o = sfu_image_new(r.w, r.h, i->c, error);
    for (int y = 0; o && y < r.h; y++) {
        const float *row = i->p + (gsize)CLAMP(r.y + y, 0, i->h - 1) * i->w * i->c;
        float *out = o->p + (gsize)y * r.w * i->c;
        for (int x = 0; x < r.w; x++)
            memcpy(out + x * i->c, row + (gsize)CLAMP(r.x + x, 0, i->w - 1) * i->c, i->c * sizeof(float));
    }
    return o;
}

static int mirrored(int at, int size)
{
    return at < size ? at : MAX(0, 2 * (size - 1) - at);
}

SfuImage *sfu_image_pad(const SfuImage *i, int w, int h, gboolean mirror, GError **error)
{
    SfuImage *o = sfu_image_new(w, h, i->c, error);
    for (int y = 0; o && y < h; y++)
        for (int x = 0; x < w; x++) {
            const gboolean in = y < i->h && x < i->w;
            float *to = o->p + ((gsize)y * w + x) * i->c;
            if (in || mirror)
                memcpy(to, i->p + ((gsize)mirrored(y, i->h) * i->w + mirrored(x, i->w)) * i->c, i->c * sizeof(float));
            else
                memset(to, 0, i->c * sizeof(float));
        }
    return o;
}

/* ---- resampling ------------------------------------------------------------------------------------------------- */

static double sinc(double x)
{
    return x == 0 ? 1 : sin(G_PI * x) / (G_PI * x);
}

static double kernel_radius(SfuResample k)
{
    return k == SFU_RESAMPLE_AREA      ? 0.5
           : k == SFU_RESAMPLE_LINEAR  ? 1
           : k == SFU_RESAMPLE_BICUBIC ? 2
           : k == SFU_RESAMPLE_LANCZOS ? 3
                                       : 0;
}

static double kernel_at(SfuResample k, double x)
{
    x = fabs(x);
    switch (k) {
    case SFU_RESAMPLE_LINEAR:
        return x < 1 ? 1 - x : 0;
    case SFU_RESAMPLE_BICUBIC:
        return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    case SFU_RESAMPLE_LANCZOS:
        return x < 3 ? sinc(x) * sinc(x / 3) : 0;
    default:
        return 0;
    }
}

/* Weights of one axis: target pixel i takes n[i] source pixels from first[i] on. */
typedef struct {
    int count, span;
    int *first, *n;
    float *w; /* [count, span] */
} Axis;

static void axis_reach(int in, int out, int i, SfuResample k, int *first, int *last)
{
    const double ratio = (double)in / out, widen = MAX(ratio, 1), centre = (i + 0.5) * ratio,
                 r = kernel_radius(k) * widen;
    if (k == SFU_RESAMPLE_NEAREST) {
        *first = *last = CLAMP((int)floor(centre), 0, in - 1);
    } else if (k == SFU_RESAMPLE_AREA) {
        *first = CLAMP((int)floor(i * ratio + 1e-9), 0, in - 1);
        *last = CLAMP((int)ceil((i + 1) * ratio - 1e-9) - 1, *first, in - 1);
    } else {
        *first = CLAMP((int)floor(centre - r + 0.5), 0, in - 1);
        *last = CLAMP((int)ceil(centre + r - 0.5), *first, in - 1);
    }
}

static Axis axis_new(int in, int out, int from, int count, SfuResample k)
{
    Axis a = {count, 1, g_new(int, count), g_new(int, count), NULL};
    for (int i = 0; i < count; i++) {
        int last;
        axis_reach(in, out, from + i, k, &a.first[i], &last);
        a.n[i] = last - a.first[i] + 1;
        a.span = MAX(a.span, a.n[i]);
    }
    a.w = g_new0(float, (gsize)count *a.span);
    const double ratio = (double)in / out, widen = MAX(ratio, 1);
    for (int i = 0; i < count; i++) {
        float *w = a.w + (gsize)i * a.span;
        const double lo = (from + i) * ratio, hi = lo + ratio, centre = (lo + hi) / 2;
        double sum = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int j = 0; j < a.n[i]; j++) {
                const int s = a.first[i] + j;
                double v = k == SFU_RESAMPLE_NEAREST ? 1
                           : k == SFU_RESAMPLE_AREA  ? MAX(1e-12, MIN(hi, s + 1) - MAX(lo, s))
                                                     : kernel_at(k, (s + 0.5 - centre) / widen);
                if (pass == 0)
                    sum += v;
                else
                    w[j] = (float)(v / sum);
            }
        }
    }
    return a;
}

static void axis_clear(Axis *a)
{
    g_free(a->first);
    g_free(a->n);
    g_free(a->w);
}

SfuRect sfu_resample_reach(SfuScaling s, SfuRect out)
{
    int x0, x1, y0, y1, unused;
    axis_reach(s.from_w, s.to_w, out.x, s.kernel, &x0, &unused);
    axis_reach(s.from_w, s.to_w, out.x + out.w - 1, s.kernel, &unused, &x1);
    axis_reach(s.from_h, s.to_h, out.y, s.kernel, &y0, &unused);
    axis_reach(s.from_h, s.to_h, out.y + out.h - 1, s.kernel, &unused, &y1);
    return (SfuRect){x0, y0, x1 - x0 + 1, y1 - y0 + 1};
}

SfuImage *sfu_image_resample_part(const SfuImage *i, SfuScaling s, SfuRect in, SfuRect out, GError **error)
{
    const int c = i->c;
    SfuImage *mid = sfu_image_new(out.w, in.h, c, error), *o = mid ? sfu_image_new(out.w, out.h, c, error) : NULL;
    if (!o) {
        sfu_image_free(mid);
        return NULL;
    }
    Axis ax = axis_new(s.from_w, s.to_w, out.x, out.w, s.kernel),
         ay = axis_new(s.from_h, s.to_h, out.y, out.h, s.kernel);
    for (int y = 0; y < in.h; y++) {
        const float *row = i->p + (gsize)y * in.w * c;
        float *dst = mid->p + (gsize)y * out.w * c;
        for (int x = 0; x < out.w; x++, dst += c) {
            const float *wt = ax.w + (gsize)x * ax.span, *src = row + (gsize)(ax.first[x] - in.x) * c;
            for (int j = 0; j < ax.n[x]; j++, src += c)
                for (int k = 0; k < c; k++)
                    dst[k] += wt[j] * src[k];
        }
    }
    const gsize stride = (gsize)out.w * c;
    for (int y = 0; y < out.h; y++) {
        float *dst = o->p + (gsize)y * stride;
        for (int j = 0; j < ay.n[y]; j++) {
            const float wt = ay.w[(gsize)y * ay.span + j];
            const float *src = mid->p + (gsize)(ay.first[y] + j - in.y) * stride;
            for (gsize k = 0; k < stride; k++)
                dst[k] += wt * src[k];
        }
    }
    axis_clear(&ax);
    axis_clear(&ay);
    sfu_image_free(mid);
    return o;
}

SfuImage *sfu_image_resample(const SfuImage *i, int w, int h, SfuResample kernel, GError **error)
{
    if (w == i->w && h == i->h)
        return sfu_image_copy(i, error);
    return sfu_image_resample_part(i, (SfuScaling){i->w, i->h, w, h, kernel}, (SfuRect){0, 0, i->w, i->h},
                                   (SfuRect){0, 0, w, h}, error);
}

float sfu_clean_alpha(float a)
{
    return a > 1 - 1e-5f ? 1 : a < 1e-5f ? 0 : a;
}

void sfu_image_to_linear(SfuImage *i)
{
    const int colors = i->c == 4 ? 3 : i->c;
    const gint64 n = (gint64)i->w * i->h;
    for (gint64 k = 0; k < n; k++) {
        for (int ch = 0; ch < colors; ch++) {
            float *v = &i->p[k * i->c + ch];
            const float a = fabsf(*v);
            *v = copysignf(a <= 0.04045f ? a / 12.92f : powf((a + 0.055f) / 1.055f, 2.4f), *v);
        }
    }
}

void sfu_image_from_linear(SfuImage *i)
{
    const int colors = i->c == 4 ? 3 : i->c;
    const gint64 n = (gint64)i->w * i->h;
    for (gint64 k = 0; k < n; k++) {
        for (int ch = 0; ch < colors; ch++) {
            float *v = &i->p[k * i->c + ch];
            const float a = fabsf(*v);
            *v = copysignf(a <= 0.0031308f ? a * 12.92f : 1.055f * powf(a, 1 / 2.4f) - 0.055f, *v);
        }
    }
}

SfuImage *sfu_image_crop_round(const SfuImage *i, SfuRect r, GError **error)
{
    SfuImage *o = sfu_image_new(r.w, r.h, i->c, error);
    for (int y = 0; o && y < r.h; y++)
        for (int x = 0; x < r.w; x++)
            memcpy(o->p + ((gsize)y * r.w + x) * i->c,
                   i->p + ((gsize)((r.y + y) % i->h) * i->w + (r.x + x) % i->w) * i->c, sizeof(float) * i->c);
    return o;
}

/* Pixels of the other side that are put on either side: as many as a kernel of three lobes sees, and so many that they
 * are a whole number of pixels of the target, too. */
static int margin_of(int from, int to)
{
    int a = from, b = to;
    while (b) {
        const int rest = a % b;
        a = b;
        b = rest;
    }
    const int unit = from / a, least = 4 * MAX(1, (from + to - 1) / to);
    return (least + unit - 1) / unit * unit;
}

SfuImage *sfu_image_resample_round(const SfuImage *i, int w, int h, SfuResample kernel, int wrap, GError **error)
{
    if (!wrap)
        return sfu_image_resample(i, w, h, kernel, error);
    const int mx = wrap & 1 ? margin_of(i->w, w) : 0, my = wrap & 2 ? margin_of(i->h, h) : 0;
    const int x = (int)((gint64)mx * w / i->w), y = (int)((gint64)my * h / i->h);
    const SfuRect around = {(i->w - mx % i->w) % i->w, (i->h - my % i->h) % i->h, i->w + 2 * mx, i->h + 2 * my};
    SfuImage *wide = sfu_image_crop_round(i, around, error);
    SfuImage *made = wide ? sfu_image_resample(wide, w + 2 * x, h + 2 * y, kernel, error) : NULL;
    SfuImage *o = made ? sfu_image_crop(made, (SfuRect){x, y, w, h}, error) : NULL;
    sfu_image_free(wide);
    sfu_image_free(made);
    return o;
}
