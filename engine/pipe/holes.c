/* Smooth continuation into holes, and color match of what was filled in.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "holes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "sfumato.h"

#define MOST_TINT 0.1          /* what is more was meant */
#define LEAST_TINT (1 / 255.0) /* what is less cannot be seen */
#define SPREAD 0.04            /* of the differences of pixels that only the tint changed */

gboolean sfu_fill(SfuImage *i, int channels, const SfuImage *known, GError **error)
{
    if (sfu_membrane(i->p, i->w, i->h, i->c, channels, known->p))
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_MEMORY, _("Not enough memory to fill a hole of %d x %d pixels."), i->w,
                i->h);
    return FALSE;
}

gboolean sfu_fill_with_patches(SfuImage *rgb, const SfuImage *mask, const SfuPatchOptions *options, GError **error)
{
    const SfuPatchEnd end = sfu_patch_fill(rgb->p, rgb->w, rgb->h, mask->p, options);
    if (end == SFU_PATCH_NO_MEMORY)
        g_set_error(error, SFU_ERROR, SFU_ERROR_MEMORY,
                    _("Not enough memory to fill a hole in %d x %d pixels with patches."), rgb->w, rgb->h);
    return end == SFU_PATCH_DONE;
}

gboolean sfu_fill_deep(SfuImage *made, const SfuImage *fill, const SfuImage *mask, float reach, int deep,
                       GError **error)
{
    if (sfu_fill_reach(made->p, fill->p, mask->p, made->w, made->h, reach, deep))
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

/* ---- a tint all over ---- */

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The median difference of each channel, where most pixels have that one and nothing else; else zeros. */
static void find_tint(const SfuImage *made, const SfuImage *original, float *tint)
{
    const gint64 n = (gint64)made->w * made->h, step = MAX(1, n / 50000), n_taken = (n + step - 1) / step;
    float *d[3], *sorted = g_new(float, n_taken);
    gboolean visible = FALSE, small = TRUE;
    gint64 alike = 0;
    for (int c = 0; c < 3; c++) {
        d[c] = g_new(float, n_taken);
        for (gint64 i = 0; i < n_taken; i++)
            d[c][i] = original->p[i * step * original->c + c] - made->p[i * step * made->c + c];
        memcpy(sorted, d[c], sizeof *sorted * (gsize)n_taken);
        qsort(sorted, (size_t)n_taken, sizeof *sorted, by_value);
        tint[c] = sorted[n_taken / 2];
        visible |= fabs(tint[c]) >= LEAST_TINT;
        small &= fabs(tint[c]) <= MOST_TINT;
    }
    for (gint64 i = 0; i < n_taken; i++) {
        gboolean same = TRUE;
        for (int c = 0; c < 3; c++)
            same &= fabsf(d[c][i] - tint[c]) < SPREAD;
        alike += same;
    }
    if (!visible || !small || 3 * alike < 2 * n_taken)
        tint[0] = tint[1] = tint[2] = 0;
    for (int c = 0; c < 3; c++)
        g_free(d[c]);
    g_free(sorted);
}

void sfu_tint_match(SfuImage *made, const SfuImage *original)
{
    float tint[3];
    find_tint(made, original, tint);
    for (gint64 k = 0; k < (gint64)made->w * made->h; k++)
        for (int c = 0; c < 3; c++)
            made->p[k * made->c + c] += tint[c];
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
