/* What every way of enlarging shares: sizes, reading strips, exact resampling, the result.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "holes.h"

#define STRIP_PX (4 * 1024 * 1024) /* pixels of the target that are worked on at once */
#define MAX_SIDE 200000

gboolean sfu_enlarged_size(const SfuRun *r, int *w, int *h, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(r->job->picture);
    const double scale = sfu_params_double(r->p, SFU_PARAM_SCALE);
    const double fw = MAX(1, floor(e->width * scale + 0.5)), fh = MAX(1, floor(e->height * scale + 0.5));
    if (fw > MAX_SIDE || fh > MAX_SIDE) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%d x %d pixels times %g would be longer than %d pixels."),
                    e->width, e->height, scale, MAX_SIDE);
        return FALSE;
    }
    *w = (int)fw;
    *h = (int)fh;
    return TRUE;
}

SfuImage *sfu_enlarge_read(GeglBuffer *in, SfuRect rect, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(in);
    SfuImage *i = sfu_image_read(in, (SfuRect){e->x + rect.x, e->y + rect.y, rect.w, rect.h}, 4, error);
    if (i && !sfu_extend_under_alpha(i, error))
        g_clear_pointer(&i, sfu_image_free);
    return i;
}

/* babl goes from one color model to another through linear light, by a power that it approximates: off by 0.005 near
 * black in spaces whose curve is a plain gamma, Adobe RGB among them. Within one model it only scales. So the model and
 * the alpha stay what they are. */
const Babl *sfu_enlarge_format(GeglBuffer *b)
{
    const Babl *native = gegl_buffer_get_format(b), *space = babl_format_get_space(native), *curve = NULL;
    const char *model = babl_get_name(babl_format_get_model(native));
    const gboolean alpha = babl_format_has_alpha(native), tilde = strchr(model, '~') != NULL;
    if (babl_format_is_palette(native) || (*model != 'R' && *model != 'Y'))
        return babl_format("R'G'B'A float");
    babl_space_get(space, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &curve, NULL, NULL);
    if (!tilde && (!strchr(model, '\'') || curve == babl_trc("linear")))
        space = babl_space_with_trc(space, babl_trc("sRGB"));
    char *name = g_strconcat(sfu_buffer_is_gray(b) ? "Y'" : "R'G'B'", alpha ? "A float" : " float", NULL);
    if (tilde)
        g_strdelimit(name, "'", '~');
    const Babl *format = babl_format_with_space(name, space);
    g_free(name);
    return format;
}

SfuImage *sfu_enlarge_read_own(GeglBuffer *in, SfuRect rect, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(in);
    SfuImage *own =
        sfu_image_read_as(in, (SfuRect){e->x + rect.x, e->y + rect.y, rect.w, rect.h}, sfu_enlarge_format(in), error);
    SfuImage *i = own ? sfu_image_new(rect.w, rect.h, 4, error) : NULL;
    for (gint64 k = 0; i && k < (gint64)i->w * i->h; k++) {
        const float *v = own->p + k * own->c;
        for (int c = 0; c < 3; c++)
            i->p[k * 4 + c] = own->c < 3 ? v[0] : v[c];
        i->p[k * 4 + 3] = own->c % 2 ? 1 : v[own->c - 1];
    }
    sfu_image_free(own);
    if (i && !sfu_extend_under_alpha(i, error))
        g_clear_pointer(&i, sfu_image_free);
    return i;
}

static float gray_of(const float *rgb)
{
    return 0.2126f * rgb[0] + 0.7152f * rgb[1] + 0.0722f * rgb[2];
}

void sfu_enlarge_write(GeglBuffer *out, SfuRect rect, float *rgba)
{
    const Babl *format = gegl_buffer_get_format(out);
    const GeglRectangle *e = gegl_buffer_get_extent(out);
    const int c = babl_format_get_n_components(format);
    for (gint64 k = 0; k < (gint64)rect.w * rect.h; k++) { /* to the front of itself */
        const float v[4] = {rgba[k * 4], rgba[k * 4 + 1], rgba[k * 4 + 2], rgba[k * 4 + 3]};
        float *o = rgba + k * c;
        if (c < 3)
            o[0] = v[0] == v[1] && v[0] == v[2] ? v[0] : gray_of(v);
        else
            memcpy(o, v, 3 * sizeof *o);
        if (c % 2 == 0)
            o[c - 1] = v[3];
    }
    gegl_buffer_set(out, GEGL_RECTANGLE(e->x + rect.x, e->y + rect.y, rect.w, rect.h), 0, format, rgba,
                    GEGL_AUTO_ROWSTRIDE);
}

static void weigh_by_alpha(SfuImage *i, gboolean weigh)
{
    for (gint64 k = 0; k < (gint64)i->w * i->h; k++) {
        float *v = i->p + k * 4;
        for (int c = 0; c < 3; c++)
            v[c] = weigh ? v[c] * v[3] : v[3] > 1e-6f ? v[c] / v[3] : 0;
        if (!weigh)
            v[3] = sfu_clean_alpha(v[3]);
    }
}

/* `in` at exactly w x h, in strips: Lanczos, in linear light if it gets smaller (so fine patterns keep their
 * brightness), on colors weighted by their alpha. New buffer in the sfu_enlarge_format() of `in`, or a reference to
 * `in`. */
static GeglBuffer *enlarge_exact(SfuRun *r, GeglBuffer *in, int w, int h, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(in);
    if (e->width == w && e->height == h)
        return g_object_ref(in);
    const gboolean reduce = w < e->width || h < e->height;
    GeglBuffer *out = gegl_buffer_new(GEGL_RECTANGLE(e->x, e->y, w, h), sfu_enlarge_format(in));
    const int rows = MAX(1, STRIP_PX / w);
    const SfuScaling scaling = {e->width, e->height, w, h, SFU_RESAMPLE_LANCZOS};
    gboolean ok = TRUE;
    for (int y = 0; ok && y < h; y += rows) {
        const SfuRect strip = {0, y, w, MIN(rows, h - y)};
        const SfuRect reach = sfu_resample_reach(scaling, strip);
        SfuImage *part = sfu_enlarge_read_own(in, reach, error), *made = NULL;
        if (part) {
            if (reduce)
                sfu_image_to_linear(part);
            weigh_by_alpha(part, TRUE);
            made = sfu_image_resample_part(part, scaling, reach, strip, error);
        }
        if (made) {
            weigh_by_alpha(made, FALSE);
            if (reduce)
                sfu_image_from_linear(made);
            sfu_enlarge_write(out, strip, made->p);
        }
        ok = made && !sfu_run_cancelled(r, error);
        sfu_image_free(part);
        sfu_image_free(made);
    }
    if (!ok)
        g_clear_object(&out);
    return out;
}

static void gray_rows(GeglBuffer *b)
{
    const GeglRectangle *e = gegl_buffer_get_extent(b);
    const Babl *rgba = babl_format("R'G'B'A float");
    float *row = g_new(float, (gsize)e->width * 4);
    for (int y = 0; y < e->height; y++) {
        const GeglRectangle line = {e->x, e->y + y, e->width, 1};
        gegl_buffer_get(b, &line, 1.0, rgba, row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int x = 0; x < e->width; x++) {
            float *v = row + x * 4;
            v[0] = v[1] = v[2] = gray_of(v);
        }
        gegl_buffer_set(b, &line, 0, rgba, row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
}

gboolean sfu_enlarge_finish(SfuRun *r, GeglBuffer *taken, GPtrArray *results, GError **error)
{
    int w, h;
    GeglBuffer *exact = sfu_enlarged_size(r, &w, &h, error) ? enlarge_exact(r, taken, w, h, error) : NULL;
    g_object_unref(taken);
    if (!exact)
        return FALSE;
    if (sfu_buffer_is_gray(r->job->picture) && !sfu_buffer_is_gray(exact))
        gray_rows(exact);
    g_ptr_array_add(results, sfu_result_new(r, exact, FALSE));
    return TRUE;
}
