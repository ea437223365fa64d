/* Crop geometry: area, context, working sizes, tiles.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "region/region.h"

#include <math.h>

#define MIN_FEATHER 32
#define MIN_CONTEXT 512
#define CLOSE 1.1

static SfuRect clip(gint64 x0, gint64 y0, gint64 x1, gint64 y1, int w, int h)
{
    x0 = CLAMP(x0, 0, w);
    y0 = CLAMP(y0, 0, h);
    x1 = CLAMP(x1, x0, w);
    y1 = CLAMP(y1, y0, h);
    return (SfuRect){(int)x0, (int)y0, (int)(x1 - x0), (int)(y1 - y0)};
}

static SfuRect widen(SfuRect r, int by, int w, int h)
{
    return clip((gint64)r.x - by, (gint64)r.y - by, (gint64)r.x + r.w + by, (gint64)r.y + r.h + by, w, h);
}

/* One axis of the context: [at, at + length) widened by pad on both sides, at least `least`, rounded up to 8, shifted
 * inside 0..limit. */
static void fit_axis(int at, int length, int pad, int least, int limit, int *out_at, int *out_length)
{
    gint64 want = MAX((gint64)length + 2 * (gint64)pad, least);
    want = MIN((want + 7) / 8 * 8, limit);
    *out_length = (int)MAX(want, length);
    *out_at = (int)CLAMP(at + length / 2 - *out_length / 2, 0, limit - *out_length);
    *out_at = MIN(*out_at, at);
}

static int round_to(double v, int multiple)
{
    return MAX(multiple, (int)floor(v / multiple + 0.5) * multiple);
}

static double size_factor(int w, int h, int native_px, int max_px, int working_size)
{
    const double longest = MAX(w, h), pixels = (double)w * h;
    if (working_size > 0)
        return working_size / longest;
    const double least = (double)native_px * native_px, most = (double)native_px * max_px;
    double f = 1;
    /* Up to a tenth larger or smaller is worked as it is: resampling would cost more sharpness than it wins. */
    if (pixels * CLOSE * CLOSE < least)
        f = sqrt(least / pixels);
    else if (pixels > most * CLOSE * CLOSE || longest > max_px * CLOSE)
        f = MIN(sqrt(most / pixels), MAX(max_px / longest, native_px / (double)MIN(w, h)));
    /* Strips: neither side may leave what a model can work at, whatever the area says. */
    return MIN(f, 4.0 * max_px / longest);
}

/* The size at which the model works first on a context of w x h. */
static void work_size(int *w, int *h, const SfuRegionOptions *o)
{
    const double f = size_factor(*w, *h, o->native_px, o->max_px, o->working_size);
    /* A latent of fewer than 8 x 8 cells tells a network nothing. */
    const int least = MIN(o->native_px, o->multiple * 8);
    *w = MAX(round_to(*w * f, o->multiple), least);
    *h = MAX(round_to(*h * f, o->multiple), least);
}

static void plan_passes(SfuRegion *r, const SfuRegionOptions *o)
{
    const SfuRect c = r->context;
    int w = c.w, h = c.h;
    work_size(&w, &h, o);
    r->n_passes = 1;
    r->pass[0].w = w;
    r->pass[0].h = h;
    const int full_w = round_to(c.w, o->multiple), full_h = round_to(c.h, o->multiple);
    double left = sqrt((double)full_w * full_h / ((double)w * h));
    while (o->refine && o->working_size == 0 && left > CLOSE && r->n_passes < (int)G_N_ELEMENTS(r->pass)) {
        const gboolean last =
            o->refine_step <= 0 || left <= o->refine_step * CLOSE || r->n_passes == (int)G_N_ELEMENTS(r->pass) - 1;
        w = last ? full_w : round_to(w * o->refine_step, o->multiple);
        h = last ? full_h : round_to(h * o->refine_step, o->multiple);
        r->pass[r->n_passes].w = w;
        r->pass[r->n_passes].h = h;
        r->n_passes++;
        left = last ? 1 : left / o->refine_step;
    }
}

void sfu_region_plan(SfuRegion *r, const SfuRegionOptions *o)
{
    *r = (SfuRegion){.grow = MAX(o->grow, 0)};
    const SfuRect b = o->bounds;
    const double diagonal = hypot(b.w, b.h);
    r->feather = o->feather >= 0 ? o->feather : (int)(MAX(diagonal * 0.1, MIN_FEATHER) * o->strength + 0.5);
    r->padding = o->padding >= 0 ? o->padding : (int)(diagonal * 0.06 + 0.5);
    r->mask = widen(b, r->grow + r->feather, o->canvas_w, o->canvas_h);
    r->area = widen(r->mask, r->padding, o->canvas_w, o->canvas_h);

    const SfuRect a = r->area;
    int pad_x = 0, pad_y = 0, least = o->context;
    if (o->context < 0) {
        const int pad = (int)(MAX(MAX(o->canvas_w, o->canvas_h) / 16.0, (a.w + a.h) / 4.0) + 0.5);
        pad_x = MAX(0, pad - MAX(0, a.w - a.h) / 2);
        pad_y = MAX(0, pad - MAX(0, a.h - a.w) / 2);
        least = MIN(MIN_CONTEXT, o->native_px * 5 / 4);
    }
    fit_axis(a.x, a.w, pad_x, least, o->canvas_w, &r->context.x, &r->context.w);
    fit_axis(a.y, a.h, pad_y, least, o->canvas_h, &r->context.y, &r->context.h);
    plan_passes(r, o);
}

int sfu_tiles(int length, int tile, int overlap, int multiple, int **starts)
{
    if (length <= tile) {
        *starts = g_new0(int, 1);
        return 1;
    }
    const int step = MAX(1, tile - overlap), n = (length - tile + step - 1) / step + 1;
    *starts = g_new(int, n);
    for (int i = 0; i < n; i++)
        (*starts)[i] = i == n - 1 ? length - tile : (int)((gint64)(length - tile) * i / (n - 1)) / multiple * multiple;
    return n;
}

int sfu_tiles_round(int length, int tile, int overlap, int **starts)
{
    const int step = MAX(1, tile - overlap), n = length <= tile ? 1 : (length + step - 1) / step;
    *starts = g_new(int, n);
    for (int i = 0; i < n; i++)
        (*starts)[i] = (int)((gint64)length * i / n);
    return n;
}

float sfu_tile_ramp(int i, int tile, int overlap, gboolean first, gboolean last)
{
    float w = 1;
    if (!first && i < overlap)
        w = (i + 0.5f) / overlap;
    if (!last && tile - 1 - i < overlap)
        w = MIN(w, (tile - 1 - i + 0.5f) / overlap);
    return w;
}
