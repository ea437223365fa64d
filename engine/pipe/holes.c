/* Smooth continuation into holes, and color match of what was filled in.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "holes.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "sfumato.h"

gboolean sfu_fill(SfuImage *i, int channels, const SfuImage *known, GError **error)
{
    if (sfu_membrane(i->p, i->w, i->h, i->c, channels, known->p))
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_MEMORY, _("Not enough memory to fill a hole of %d x %d pixels."), i->w,
                i->h);
    return FALSE;
}

gboolean sfu_fill_with_patches(SfuImage *rgb, const SfuImage *mask, const SfuImage *excluded, double background,
                               guint64 seed, SfuPatchTick tick, gpointer data, GError **error)
{
    const SfuPatchEnd end = sfu_patch_fill(rgb->p, rgb->w, rgb->h, mask->p, excluded ? excluded->p : NULL,
                                           (float)background, sfu_patch_thin_px, seed, tick, data);
    if (end == SFU_PATCH_NO_MEMORY)
        g_set_error(error, SFU_ERROR, SFU_ERROR_MEMORY,
                    _("Not enough memory to fill a hole in %d x %d pixels with patches."), rgb->w, rgb->h);
    return end == SFU_PATCH_DONE;
}

gboolean sfu_fill_deep(SfuImage *made, const SfuImage *fill, const SfuImage *mask, float reach, GError **error)
{
    if (sfu_fill_reach(made->p, fill->p, mask->p, made->w, made->h, reach))
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_MEMORY, _("Not enough memory to fill a hole of %d x %d pixels."), made->w,
                made->h);
    return FALSE;
}

gboolean sfu_color_match(SfuImage *made, const SfuImage *original, const SfuImage *mask, int cell_px, GError **error)
{
    const int w = made->w, h = made->h, cw = MAX(1, w / cell_px), ch = MAX(1, h / cell_px);
    SfuImage *diff = sfu_image_new(cw, ch, 3, error), *known = diff ? sfu_image_new(cw, ch, 1, error) : NULL,
             *full = NULL;
    gboolean ok = known != NULL;
    double total = 0;
    for (int y = 0; ok && y < h; y++) {
        const int cy = (int)((gint64)y * ch / h);
        for (int x = 0; x < w; x++) {
            const gsize cell = (gsize)cy * cw + (gint64)x * cw / w, at = (gsize)y * w + x;
            const float outside = 1 - mask->p[at], wt = outside * outside;
            for (int c = 0; c < 3; c++)
                diff->p[cell * 3 + c] += wt * (original->p[at * original->c + c] - made->p[at * made->c + c]);
            known->p[cell] += wt;
            total += wt;
        }
    }
    if (ok && total > 0) {
        const float cell_area = (float)((double)w * h / ((double)cw * ch));
        for (gint64 k = 0; k < (gint64)cw * ch; k++) {
            for (int c = 0; c < 3; c++)
                diff->p[k * 3 + c] = known->p[k] > 0 ? CLAMP(diff->p[k * 3 + c] / known->p[k], -0.25f, 0.25f) : 0;
            /* A cell with a few pixels outside the mask still counts, only less. */
            known->p[k] = MIN(1, 4 * known->p[k] / cell_area);
        }
        ok = sfu_fill(diff, 3, known, error) && (full = sfu_image_resample(diff, w, h, SFU_RESAMPLE_BICUBIC, error));
        for (gint64 k = 0; ok && k < (gint64)w * h; k++)
            for (int c = 0; c < 3; c++)
                made->p[k * made->c + c] += full->p[k * 3 + c];
    }
    sfu_image_free(full);
    sfu_image_free(diff);
    sfu_image_free(known);
    return ok;
}

gboolean sfu_extend_under_alpha(SfuImage *rgba, GError **error)
{
    const gint64 n = (gint64)rgba->w * rgba->h;
    gboolean any = FALSE;
    for (gint64 k = 0; k < n && !any; k++)
        any = rgba->p[k * 4 + 3] <= 0;
    if (!any)
        return TRUE;
    SfuImage *known = sfu_image_new(rgba->w, rgba->h, 1, error);
    if (!known)
        return FALSE;
    /* Straight alpha: a faint pixel's color is as good as any other's. */
    for (gint64 k = 0; k < n; k++)
        known->p[k] = rgba->p[k * 4 + 3] > 0;
    const gboolean ok = sfu_fill(rgba, 3, known, error);
    sfu_image_free(known);
    return ok;
}
