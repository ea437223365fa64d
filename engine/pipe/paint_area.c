/* What a painting run works on: the canvas, the region that is cut out of it, the mask and the excluded area there.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "paint.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#include "holes.h"

gboolean sfu_paint_is_masked(const SfuPaint *p)
{
    const SfuTask t = p->r->task;
    return t == SFU_TASK_OUTPAINT ||
           (p->r->job->mask && t != SFU_TASK_TXT2IMG && (t != SFU_TASK_EDIT || sfu_session_sees_picture(p->s)));
}

static void canvas_rect(SfuPaint *p)
{
    const SfuParams *v = p->r->p;
    if (p->r->task == SFU_TASK_TXT2IMG) {
        const int native = p->s->native_px > 0 ? p->s->native_px : 512, w = sfu_params_int(v, SFU_PARAM_WIDTH),
                  h = sfu_params_int(v, SFU_PARAM_HEIGHT);
        p->canvas = (SfuRect){0, 0, w > 0 ? w : native, h > 0 ? h : native};
        sfu_params_put(p->r->p, SFU_PARAM_WIDTH, p->canvas.w);
        sfu_params_put(p->r->p, SFU_PARAM_HEIGHT, p->canvas.h);
        return;
    }
    const GeglRectangle *e = gegl_buffer_get_extent(p->r->job->picture);
    p->canvas = (SfuRect){e->x, e->y, e->width, e->height};
    if (p->r->task == SFU_TASK_OUTPAINT) {
        const int l = sfu_params_int(v, SFU_PARAM_LEFT), t = sfu_params_int(v, SFU_PARAM_TOP);
        p->canvas.x -= l;
        p->canvas.y -= t;
        p->canvas.w += l + sfu_params_int(v, SFU_PARAM_RIGHT);
        p->canvas.h += t + sfu_params_int(v, SFU_PARAM_BOTTOM);
    }
}

/* Bounds of what is to be painted, relative to the canvas. */
static gboolean find_bounds(const SfuPaint *p, SfuRect *bounds, float *max, GError **error)
{
    const SfuRect c = p->canvas;
    *max = 1;
    *bounds = (SfuRect){0, 0, c.w, c.h};
    if (p->r->task == SFU_TASK_OUTPAINT) {
        const GeglRectangle *e = gegl_buffer_get_extent(p->r->job->picture);
        const gboolean l = e->x > c.x, t = e->y > c.y, r = e->x + e->width < c.x + c.w,
                       b = e->y + e->height < c.y + c.h;
        if (!l && !t && !r && !b) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                        _("outpaint needs at least one of left, right, top and bottom above 0."));
            return FALSE;
        }
        /* A single strip is a small region; strips on several sides take the whole canvas. */
        if (l + t + r + b == 1) {
            if (l || r)
                *bounds = (SfuRect){l ? 0 : e->width, 0, c.w - e->width, c.h};
            else
                *bounds = (SfuRect){0, t ? 0 : e->height, c.w, c.h - e->height};
        }
        return TRUE;
    }
    if (!sfu_paint_is_masked(p))
        return TRUE;
    if (!sfu_mask_bounds(p->r->job->mask, c, bounds, max, error))
        return FALSE;
    bounds->x -= c.x;
    bounds->y -= c.y;
    return TRUE;
}

/* Of a network that sees squares of one side: the context's longer side fits, its shape stays, and it is not enlarged.
 */
static void fit_square(SfuRegion *r, int side, int working_size, int multiple)
{
    const int longest = MAX(r->context.w, r->context.h), most = working_size > 0 ? MIN(side, working_size) : side;
    const double f = MIN(1.0, (double)most / longest);
    r->n_passes = 1;
    r->pass[0].w = CLAMP((int)(r->context.w * f / multiple + 0.5) * multiple, multiple, side);
    r->pass[0].h = CLAMP((int)(r->context.h * f / multiple + 0.5) * multiple, multiple, side);
}

static gboolean plan_region(SfuPaint *p, float *max, GError **error)
{
    const SfuSession *s = p->s;
    const SfuParams *v = p->r->p;
    SfuRegionOptions o = {.canvas_w = p->canvas.w,
                          .canvas_h = p->canvas.h,
                          .strength = p->strength,
                          .native_px = s->least_px ? s->least_px : s->native_px,
                          .max_px = s->max_px,
                          .multiple = s->multiple};
    if (s->least_px && s->least_px < s->native_px) /* the same area at most */
        o.max_px = s->native_px * s->native_px / s->least_px;
    if (!find_bounds(p, &o.bounds, max, error))
        return FALSE;
    const gboolean whole = !sfu_paint_is_masked(p);
    o.grow = whole ? 0 : sfu_params_int(v, SFU_PARAM_GROW);
    o.feather = whole ? 0 : sfu_params_int(v, SFU_PARAM_FEATHER);
    if (p->r->task == SFU_TASK_OUTPAINT && o.feather < 0) {
        /* A tenth of the diagonal would eat far into the picture. */
        const int strip = MAX(p->canvas.w - gegl_buffer_get_width(p->r->job->picture),
                              p->canvas.h - gegl_buffer_get_height(p->r->job->picture));
        o.feather = CLAMP(strip / 4, 8, 32);
    }
    o.padding = sfu_params_int(v, SFU_PARAM_PADDING);
    o.context = sfu_params_int(v, SFU_PARAM_CONTEXT);
    /* Editing keeps to one size: a second pass would lose the instruction's hold. */
    o.refine = p->r->task != SFU_TASK_EDIT && !s->remover && !sfu_session_sees_picture(s) &&
               sfu_params_bool(v, SFU_PARAM_REFINE);
    o.working_size = sfu_params_int(v, SFU_PARAM_WORKING_SIZE);
    o.refine_step = s->grid ? 2 : 0;
    /* A fill with patches is coarse to fine itself, and the network that starts from it sees to its surroundings: no
     * coarse passes. */
    if (s->mask_fill == SFU_MASK_PATCH)
        o.max_px = G_MAXINT / 4;
    if (p->r->task == SFU_TASK_TXT2IMG && MAX(p->canvas.w, p->canvas.h) <= s->max_px * 3 / 2)
        o.refine = FALSE; /* at this size the model still composes in one piece, and is asked to */
    sfu_region_plan(&p->region, &o);
    SfuRegion *r = &p->region;
    if (whole)
        r->context = r->area = r->mask = (SfuRect){0, 0, p->canvas.w, p->canvas.h};
    if (p->r->task == SFU_TASK_TXT2IMG && !o.refine) {
        r->n_passes = 1;
        const int m = s->multiple;
        r->pass[0].w = MAX(64, (p->canvas.w + m / 2) / m * m);
        r->pass[0].h = MAX(64, (p->canvas.h + m / 2) / m * m);
    }
    if (s->remover && s->remover->side)
        fit_square(r, s->remover->side, o.working_size, s->multiple);
    sfu_params_put(p->r->p, SFU_PARAM_FEATHER, MIN(r->feather, 1024));
    return TRUE;
}

/* The mask over the context: the job's, or for outpainting everything outside the picture and what is transparent in
 * it. */
static SfuImage *read_mask(const SfuPaint *p, GError **error)
{
    const SfuRect c = p->region.context;
    const SfuRect at = {p->canvas.x + c.x, p->canvas.y + c.y, c.w, c.h};
    if (p->r->task != SFU_TASK_OUTPAINT)
        return sfu_image_read(p->r->job->mask, at, 1, error);
    SfuImage *m = sfu_image_new(c.w, c.h, 1, error);
    const GeglRectangle *e = gegl_buffer_get_extent(p->r->job->picture);
    for (int y = 0; m && y < c.h; y++)
        for (int x = 0; x < c.w; x++)
            m->p[(gsize)y * c.w + x] =
                !(at.x + x >= e->x && at.x + x < e->x + e->width && at.y + y >= e->y && at.y + y < e->y + e->height);
    return m;
}

/* Reads the excluded area and puts a smooth continuation of the rest there, so that no network sees what it must not
 * take. Nothing of that gets into the result: the soft mask's own pixels stay. */
static gboolean exclude(SfuPaint *p, GError **error)
{
    const SfuRect c = p->region.context;
    const gint64 n = (gint64)c.w * c.h;
    gint64 n_known = 0;
    p->excluded =
        sfu_image_read(p->r->job->exclude, (SfuRect){p->canvas.x + c.x, p->canvas.y + c.y, c.w, c.h}, 1, error);
    SfuImage *known = p->excluded ? sfu_image_new(c.w, c.h, 1, error) : NULL;
    for (gint64 k = 0; known && k < n; k++) {
        p->excluded->p[k] = p->excluded->p[k] > 0.5f;
        known->p[k] = p->excluded->p[k] <= 0 || p->soft->p[k] > 0;
        n_known += p->excluded->p[k] <= 0 && p->hard->p[k] <= 0;
    }
    gboolean ok = known && n_known;
    if (known && !n_known)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("Everything around the mask is excluded, so there is nothing to continue."));
    /* The hole's own pixels do not belong to the rest. */
    for (gint64 k = 0; ok && k < n; k++)
        if (p->hard->p[k] > 0)
            known->p[k] = 0;
    SfuImage *filled = ok ? sfu_image_copy(p->source, error) : NULL;
    ok = filled && sfu_fill(filled, 3, known, error);
    for (gint64 k = 0; ok && k < n; k++)
        if (p->excluded->p[k] > 0 && p->soft->p[k] <= 0)
            memcpy(p->source->p + k * 4, filled->p + k * 4, 3 * sizeof(float));
    sfu_image_free(filled);
    sfu_image_free(known);
    return ok;
}

gboolean sfu_paint_cut_out(SfuPaint *p, GError **error)
{
    float max;
    canvas_rect(p);
    if (!plan_region(p, &max, error))
        return FALSE;
    if (p->r->task == SFU_TASK_TXT2IMG)
        return TRUE;
    const SfuRect c = p->region.context;
    const gboolean masked = sfu_paint_is_masked(p);
    p->gray = sfu_buffer_is_gray(p->r->job->picture);
    p->source = sfu_image_read(p->r->job->picture, (SfuRect){p->canvas.x + c.x, p->canvas.y + c.y, c.w, c.h}, 4, error);
    if (!p->source || !sfu_extend_under_alpha(p->source, error))
        return FALSE;
    if (!masked)
        return TRUE;
    p->soft = read_mask(p, error);
    p->hard = p->soft ? sfu_image_copy(p->soft, error) : NULL;
    if (!p->hard || !sfu_mask_soften(p->hard, p->region.grow, 0, error) ||
        !sfu_mask_soften(p->soft, p->region.grow, p->region.feather, error))
        return FALSE;
    for (gint64 k = 0; k < (gint64)c.w * c.h; k++)
        p->hard->p[k] = p->hard->p[k] >= 0.5f * max;
    return !p->r->job->exclude || exclude(p, error);
}
