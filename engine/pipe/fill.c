/* Smooth continuation into holes, and colour match of what was filled in.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fill.h"

#include <math.h>
#include <string.h>

#define SWEEPS 12 /* of relaxation on each level; the pyramid has done the long way already */

/* Colours weighted by how well they are known, 2 x 2 to one. */
static gboolean push(const SfuImage *i, int channels, const SfuImage *known, SfuImage **half, SfuImage **half_known, GError **error)
{
    const int w = (i->w + 1) / 2, h = (i->h + 1) / 2;
    *half = sfu_image_new(w, h, channels, error);
    *half_known = *half ? sfu_image_new(w, h, 1, error) : NULL;
    if (!*half_known)
        return FALSE;
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            float *o = (*half)->p + ((gsize)y * w + x) * channels, sum = 0;
            for (int j = 2 * y; j < MIN(2 * y + 2, i->h); j++) {
                for (int k = 2 * x; k < MIN(2 * x + 2, i->w); k++) {
                    const float wt = known->p[(gsize)j * i->w + k];
                    const float *s = i->p + ((gsize)j * i->w + k) * i->c;
                    for (int c = 0; c < channels; c++)
                        o[c] += wt * s[c];
                    sum += wt;
                }
            }
            for (int c = 0; c < channels; c++)
                o[c] = sum > 0 ? o[c] / sum : 0;
            (*half_known)->p[(gsize)y * w + x] = MIN(sum, 1);
        }
    }
    return TRUE;
}

/* One Gauss-Seidel sweep over the pixels of one colour of the chequerboard. */
static void relax(SfuImage *i, int channels, const SfuImage *known, const float *fixed, int parity)
{
    const int w = i->w, h = i->h;
    for (int y = 0; y < h; y++) {
        for (int x = (y + parity) & 1; x < w; x += 2) {
            const gsize at = (gsize)y * w + x;
            const float k = known->p[at];
            if (k >= 1)
                continue;
            const float *l = i->p + (at - (x > 0)) * i->c, *r = i->p + (at + (x < w - 1)) * i->c;
            const float *u = i->p + (at - (y > 0 ? w : 0)) * i->c, *d = i->p + (at + (y < h - 1 ? w : 0)) * i->c;
            float *o = i->p + at * i->c;
            for (int c = 0; c < channels; c++)
                o[c] = k * fixed[at * channels + c] + (1 - k) * 0.25f * (l[c] + r[c] + u[c] + d[c]);
        }
    }
}

gboolean sfu_fill(SfuImage *i, int channels, const SfuImage *known, GError **error)
{
    const int w = i->w, h = i->h;
    const gint64 n = (gint64)w * h;
    float least = 1;
    for (gint64 k = 0; k < n; k++)
        least = MIN(least, known->p[k]);
    if (least >= 1)
        return TRUE;
    if (w == 1 && h == 1) {
        for (int c = 0; known->p[0] <= 0 && c < channels; c++)
            i->p[c] = 0.5f;
        return TRUE;
    }
    SfuImage *half = NULL, *half_known = NULL, *big = NULL;
    float *fixed = NULL;
    gboolean ok = push(i, channels, known, &half, &half_known, error) && sfu_fill(half, channels, half_known, error) &&
                  (big = sfu_image_resample(half, w, h, SFU_RESAMPLE_LINEAR, error));
    if (ok) {
        fixed = g_new(float, n * channels);
        for (gint64 k = 0; k < n; k++) {
            const float a = known->p[k];
            for (int c = 0; c < channels; c++) {
                fixed[k * channels + c] = i->p[k * i->c + c];
                if (a < 1)
                    i->p[k * i->c + c] = a * i->p[k * i->c + c] + (1 - a) * big->p[k * channels + c];
            }
        }
        for (int s = 0; s < 2 * SWEEPS; s++)
            relax(i, channels, known, fixed, s & 1);
    }
    g_free(fixed);
    sfu_image_free(big);
    sfu_image_free(half);
    sfu_image_free(half_known);
    return ok;
}

gboolean sfu_color_match(SfuImage *made, const SfuImage *original, const SfuImage *mask, int cell_px, GError **error)
{
    const int w = made->w, h = made->h, cw = MAX(1, w / cell_px), ch = MAX(1, h / cell_px);
    SfuImage *diff = sfu_image_new(cw, ch, 3, error), *known = diff ? sfu_image_new(cw, ch, 1, error) : NULL, *full = NULL;
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
    /* Straight alpha: a faint pixel's colour is as good as any other's. */
    for (gint64 k = 0; k < n; k++)
        known->p[k] = rgba->p[k * 4 + 3] > 0;
    const gboolean ok = sfu_fill(rgba, 3, known, error);
    sfu_image_free(known);
    return ok;
}
