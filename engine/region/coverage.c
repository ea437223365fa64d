/* Masks out of pictures, as people draw them in other programs.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "region/region.h"

#include <math.h>

#include "sfumato.h"

#define STRIP_PX (1 << 20)
/* Programs that number areas write 0 and 1, or up to the 20 classes that many networks know, into bytes. They do not
 * mean a coverage of 0.4 to 8 %. */
#define FAINT (20.5f / 255)

/* The numbers of the file, in its own space: what is drawn is a share, not light, so no curve and no profile is
 * applied. */
static const Babl *stored_format(GeglBuffer *b)
{
    const Babl *f = gegl_buffer_get_format(b);
    return babl_format_with_space(babl_get_model_flags(f) & BABL_MODEL_FLAG_LINEAR ? "RGBA float" : "R'G'B'A float",
                                  babl_format_get_space(f));
}

static gboolean is_transparent(GeglBuffer *b)
{
    if (!babl_format_has_alpha(gegl_buffer_get_format(b)))
        return FALSE;
    GeglBufferIterator *it =
        gegl_buffer_iterator_new(b, NULL, 0, stored_format(b), GEGL_ACCESS_READ, GEGL_ABYSS_NONE, 1);
    gboolean found = FALSE;
    while (!found && gegl_buffer_iterator_next(it)) {
        const float *p = it->items[0].data;
        for (int i = 0; i < it->length && !found; i++)
            found = sfu_clean_alpha(p[4 * i + 3]) < 1;
        if (found)
            gegl_buffer_iterator_stop(it);
    }
    return found;
}

/* [h, w, 1] of the whole picture, which is read by strips: it may be large, and needs four floats a pixel only on the
 * way. */
static SfuImage *read_coverage(GeglBuffer *b, gboolean alpha, gboolean invert, float *brightest, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(b);
    SfuImage *m = sfu_image_new(e->width, e->height, 1, error);
    const int rows = MAX(1, STRIP_PX / e->width);
    for (int y = 0; m && y < e->height; y += rows) {
        const int n = MIN(rows, e->height - y);
        SfuImage *strip = sfu_image_read_as(b, (SfuRect){e->x, e->y + y, e->width, n}, stored_format(b), error);
        if (!strip) {
            sfu_image_free(m);
            return NULL;
        }
        for (gsize k = 0; k < (gsize)n * e->width; k++) {
            const float *p = strip->p + 4 * k, luma = 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2]; /* BT.601 */
            const float v = sfu_clean_alpha(alpha ? p[3] : p[0] == p[1] && p[1] == p[2] ? p[0] : luma);
            *brightest = MAX(*brightest, v);
            m->p[(gsize)y * e->width + k] = invert ? 1 - v : v;
        }
        sfu_image_free(strip);
    }
    return m;
}

/* w x h and in_w x in_h are the same picture at two sizes, each side rounded to a whole pixel. */
static gboolean same_shape(int in_w, int in_h, int w, int h)
{
    return fabs((double)in_w - (double)in_h * w / h) <= 1 || fabs((double)in_h - (double)in_w * h / w) <= 1;
}

GeglBuffer *sfu_mask_from_picture(GeglBuffer *picture, const GeglRectangle *place, gboolean invert, gboolean *alpha,
                                  GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(picture);
    if (!same_shape(e->width, e->height, place->width, place->height)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    "The mask has %d x %d pixels, which is another shape than the picture's %d x %d.", e->width,
                    e->height, place->width, place->height);
        return NULL;
    }
    *alpha = is_transparent(picture);
    float brightest = 0;
    SfuImage *m = read_coverage(picture, *alpha, invert, &brightest, error);
    if (m && brightest > 0 && brightest < FAINT) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    "The mask's brightest pixel is at %.2g %% of white, so hardly anything would change; draw it in "
                    "white.",
                    100 * (double)brightest);
        sfu_image_free(m);
        return NULL;
    }
    if (m && (m->w != place->width || m->h != place->height)) {
        SfuImage *fit = sfu_image_resample(m, place->width, place->height,
                                           place->width < m->w ? SFU_RESAMPLE_AREA : SFU_RESAMPLE_LINEAR, error);
        sfu_image_free(m);
        m = fit;
    }
    GeglBuffer *out = m ? sfu_image_to_buffer(m, place->x, place->y) : NULL;
    sfu_image_free(m);
    return out;
}
