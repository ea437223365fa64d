/* The membrane: smooth continuation into holes. See patch_fill.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fill/patch_fill.h"

#include <string.h>

#define SWEEPS 12 /* of relaxation on each level; the pyramid has done the long way already */

/* A picture that has holes: p [h, w, stride], of which the first `channels` count; known [h, w]. */
typedef struct {
    float *p;
    int w, h, stride, channels;
    const float *known;
} Holed;

/* Colors weighted by how well they are known, 2 x 2 to one. half [.., channels], half_known: zeroed. */
static void push(const Holed *a, float *half, float *half_known)
{
    const int w = a->w, h = a->h, channels = a->channels, hw = (w + 1) / 2, hh = (h + 1) / 2;
    for (int y = 0; y < hh; y++) {
        for (int x = 0; x < hw; x++) {
            float *o = half + ((gsize)y * hw + x) * channels, sum = 0;
            for (int j = 2 * y; j < MIN(2 * y + 2, h); j++) {
                for (int k = 2 * x; k < MIN(2 * x + 2, w); k++) {
                    const float wt = a->known[(gsize)j * w + k];
                    const float *s = a->p + ((gsize)j * w + k) * a->stride;
                    for (int c = 0; wt > 0 && c < channels; c++) /* what is not known may be no number */
                        o[c] += wt * s[c];
                    sum += wt;
                }
            }
            for (int c = 0; c < channels; c++)
                o[c] = sum > 0 ? o[c] / sum : 0;
            half_known[(gsize)y * hw + x] = MIN(sum, 1);
        }
    }
}

/* What is not known becomes the half-size picture, enlarged bilinearly. */
static void pull(const Holed *a, const float *half)
{
    const int w = a->w, h = a->h, channels = a->channels, hw = (w + 1) / 2, hh = (h + 1) / 2;
    for (int y = 0; y < h; y++) {
        const float *near = half + (gsize)(y / 2) * hw * channels;
        const float *far = half + (gsize)CLAMP(y / 2 + (y & 1 ? 1 : -1), 0, hh - 1) * hw * channels;
        for (int x = 0; x < w; x++) {
            const float k = a->known[(gsize)y * w + x];
            if (k >= 1)
                continue;
            const int n = x / 2 * channels, f = CLAMP(x / 2 + (x & 1 ? 1 : -1), 0, hw - 1) * channels;
            float *o = a->p + ((gsize)y * w + x) * a->stride;
            for (int c = 0; c < channels; c++) {
                const float v = 0.5625f * near[n + c] + 0.1875f * (near[f + c] + far[n + c]) + 0.0625f * far[f + c];
                o[c] = k > 0 ? k * o[c] + (1 - k) * v : v;
            }
        }
    }
}

/* One Gauss-Seidel sweep over the pixels of one color of the chequerboard. fixed [h, w, channels] the known colors.
 */
static void relax(const Holed *a, const float *fixed, int parity)
{
    const int w = a->w, h = a->h, stride = a->stride, channels = a->channels;
    float *p = a->p;
    for (int y = 0; y < h; y++) {
        for (int x = (y + parity) & 1; x < w; x += 2) {
            const gsize at = (gsize)y * w + x;
            const float k = a->known[at];
            if (k >= 1)
                continue;
            const float *l = p + (at - (x > 0)) * stride, *r = p + (at + (x < w - 1)) * stride;
            const float *u = p + (at - (y > 0 ? w : 0)) * stride, *d = p + (at + (y < h - 1 ? w : 0)) * stride;
            float *o = p + at * stride;
            for (int c = 0; c < channels; c++)
                o[c] = (k > 0 ? k * fixed[at * channels + c] : 0) + (1 - k) * 0.25f * (l[c] + r[c] + u[c] + d[c]);
        }
    }
}

gboolean sfu_membrane(float *p, int w, int h, int stride, int channels, const float *known)
{
    const gint64 n = (gint64)w * h;
    float least = 1;
    for (gint64 k = 0; k < n; k++)
        least = MIN(least, known[k]);
    if (least >= 1)
        return TRUE;
    if (n == 1) {
        for (int c = 0; known[0] <= 0 && c < channels; c++)
            p[c] = 0.5f;
        return TRUE;
    }
    const Holed a = {p, w, h, stride, channels, known};
    const int hw = (w + 1) / 2, hh = (h + 1) / 2;
    float *half = g_try_new0(float, (gsize)hw *hh *channels), *half_known = g_try_new0(float, (gsize)hw *hh);
    float *fixed = g_try_new(float, n *channels);
    gboolean ok = half && half_known && fixed;
    if (ok) {
        push(&a, half, half_known);
        ok = sfu_membrane(half, hw, hh, channels, channels, half_known);
    }
    if (ok) {
        for (gint64 k = 0; k < n; k++)
            memcpy(fixed + k * channels, p + k * stride, channels * sizeof(float));
        pull(&a, half);
        for (int s = 0; s < 2 * SWEEPS; s++)
            relax(&a, fixed, s & 1);
    }
    g_free(fixed);
    g_free(half_known);
    g_free(half);
    return ok;
}
