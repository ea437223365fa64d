/* The painting pipelines: text to image, image to image, inpainting, outpainting, editing by instruction. One road for
 * all: cut out the region, prepare what is under the mask, walk from noise to latents, decode, fit colors, give back
 * what lies under the soft mask. Regions larger than the model's size are worked coarse to fine.
 *
 * paint_area.c cuts the region out, paint_start.c prepares a pass, paint_pass.c runs it, paint_result.c gives back.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "paint.h"

#include <math.h>
#include <glib/gi18n-lib.h>

#include "holes.h"

#define REFINE_STRENGTH 0.4
#define REFINE_MARGIN_PX 64 /* surroundings that a finer pass sees beside the area */

static void paint_clear(SfuPaint *p)
{
    sfu_image_free(p->source);
    sfu_image_free(p->hard);
    sfu_image_free(p->soft);
    sfu_image_free(p->excluded);
    sfu_image_free(p->made);
    sfu_image_free(p->patched);
    sfu_image_free(p->guide);
    g_clear_pointer(&p->references, g_ptr_array_unref);
}

/* With no steps, as a model of a filled condition may ask for, the filled hole is the result. */
static gboolean run_pass(SfuPass *a, GError **error)
{
    SfuPaint *p = a->p;
    SfuImage *rgb = NULL;
    if (sfu_pass_prepare(a, error))
        rgb = p->s->remover      ? sfu_pass_remove(a, error)
              : p->s->steps == 0 ? (sfu_pass_make_condition(a, error) ? sfu_image_copy(a->condition, error) : NULL)
                                 : sfu_pass_diffuse(a, error);
    if (rgb && !p->made)
        p->made = sfu_paint_source_rgb(p, error);
    const gboolean ok = rgb && p->made && sfu_pass_put_back(a, rgb, p->made, error);
    sfu_image_free(rgb);
    return ok;
}

/* The rectangle of pass k and its working size: all of the context first, then only what is repainted and a margin. */
static void pass_size(const SfuPaint *p, int k, SfuRect *rect, int *w, int *h)
{
    const SfuRegion *r = &p->region;
    const SfuRect c = r->context;
    const int m = p->s->multiple;
    *rect = (SfuRect){0, 0, c.w, c.h};
    *w = r->pass[k].w;
    *h = r->pass[k].h;
    const int divisor = sfu_paint_divisor(p, MIN(*w, *h));
    if (divisor > 1) {
        *w = *w / divisor / m * m;
        *h = *h / divisor / m * m;
    }
    if (k > 0 && p->soft) {
        const int x0 = MAX(r->mask.x - REFINE_MARGIN_PX, c.x), y0 = MAX(r->mask.y - REFINE_MARGIN_PX, c.y);
        const int x1 = MIN(r->mask.x + r->mask.w + REFINE_MARGIN_PX, c.x + c.w),
                  y1 = MIN(r->mask.y + r->mask.h + REFINE_MARGIN_PX, c.y + c.h);
        const double fx = (double)*w / c.w, fy = (double)*h / c.h;
        *rect = (SfuRect){x0 - c.x, y0 - c.y, x1 - x0, y1 - y0};
        *w = MAX(8 * m, (int)(rect->w * fx / m + 0.5) * m);
        *h = MAX(8 * m, (int)(rect->h * fy / m + 0.5) * m);
    }
    /* At full size nothing is resampled: the rectangle is rounded up, beyond the border with the edge repeated; but a
     * picture that is to wrap round has to be all of it. */
    if (p->s->wrap && (rect->w % m || rect->h % m)) {
        *w = MAX(8 * m, (*w + m / 2) / m * m);
        *h = MAX(8 * m, (*h + m / 2) / m * m);
    } else if (abs(*w - rect->w) < m && abs(*h - rect->h) < m) {
        *w = rect->w = (rect->w + m - 1) / m * m;
        *h = rect->h = (rect->h + m - 1) / m * m;
    }
}

static gboolean match_colors(SfuPaint *p, GError **error)
{
    if (!sfu_params_bool(p->r->p, SFU_PARAM_COLOR_MATCH))
        return TRUE;
    /* A network that looks at the picture makes all of it anew. */
    if (!p->soft && p->source && sfu_session_sees_picture(p->s) && p->source->w == p->made->w &&
        p->source->h == p->made->h)
        sfu_tint_match(p->made, p->source);
    if (!p->soft)
        return TRUE;
    return sfu_color_match(p->made, p->source, p->soft, CLAMP(MIN(p->made->w, p->made->h) / 32, 4, 32), error);
}

/* A repair gets one: whatever fits may be copied there, and a second fill only blurs. */
static int rounds_of(const SfuPaint *p)
{
    const gboolean fills = p->s->steps > 0 && p->s->mask_fill == SFU_MASK_PATCH && p->hard;
    return fills && sfu_params_double(p->r->p, SFU_PARAM_BACKGROUND) > 0 ? p->s->rounds : 1;
}

/* How many passes over w x h pixels the rounds are worth. */
static double rounds_worth(const SfuPaint *p, int w, int h)
{
    SfuPaint draft = *p;
    draft.is_draft = TRUE;
    const int n = rounds_of(p), divisor = sfu_paint_divisor(&draft, MIN(w, h));
    return n > 1 ? n - 1 + 1.0 / (divisor * divisor) : 1;
}

static void plan_work(const SfuPaint *p)
{
    const SfuSession *s = p->s;
    const int f = s->ae.factor;
    for (int k = 0; k < p->region.n_passes; k++) {
        SfuRect rect;
        int w, h;
        pass_size(p, k, &rect, &w, &h);
        if (s->remover) {
            sfu_run_plan(p->r, SFU_STAGE_DECODE, (double)w * h * p->r->n_images);
            continue;
        }
        double px = (double)(w / f) * (h / f) * p->r->n_images;
        const double strength = k == 0 ? p->strength : MIN(REFINE_STRENGTH, p->strength);
        const gboolean edit = s->family->edits, more = s->denoiser->in_channels > s->ae.channels;
        if (s->steps == 0)
            continue; /* only the fill, which reports its own progress */
        px *= rounds_worth(p, w, h);
        sfu_run_plan(p->r, SFU_STAGE_ENCODE,
                     px * ((p->source || k > 0 ? !edit : 0) + more + sfu_session_sees_picture(s)));
        sfu_run_plan(p->r, SFU_STAGE_DENOISE, px * s->n_branches * sfu_diffusion_calls(s, strength));
        sfu_run_plan(p->r, SFU_STAGE_DECODE, px * (1 + s->residual));
    }
}

/* Tells what the run will cost, where that can be known. */
static void tell_cost(const SfuPaint *p)
{
    SfuSession *s = p->s;
    SfuWork work[G_N_ELEMENTS(p->region.pass)] = {0};
    SfuEstimate e;
    if (s->remover || s->steps == 0 || p->r->job->n_references >= SFU_MOST_REFERENCES)
        return;
    for (int k = 0; k < p->region.n_passes; k++) {
        SfuWork *w = &work[k];
        SfuRect rect;
        int pw, ph;
        pass_size(p, k, &rect, &pw, &ph);
        const gboolean edit = s->family->edits;
        const int sees = sfu_session_sees_picture(s) + sfu_session_sees_mask(s);
        w->w = pw / s->ae.factor;
        w->h = ph / s->ae.factor;
        w->n_passes = rounds_of(p) * sfu_diffusion_calls(s, k == 0 ? p->strength : MIN(REFINE_STRENGTH, p->strength));
        w->n_encodes = ((p->source || k > 0) && !edit) + (s->denoiser->in_channels > s->ae.channels) + sees;
        for (int i = 0; i < sees; i++) {
            w->references[i][0] = w->h;
            w->references[i][1] = w->w;
        }
        for (int i = 0; i < p->r->job->n_references; i++)
            sfu_session_reference_size(s, i, &w->references[sees + i][1], &w->references[sees + i][0]);
        w->n_references = s->family->most_references ? sees + p->r->job->n_references : 0;
    }
    if (sfu_session_estimate(s, work, p->region.n_passes, &e))
        sfu_run_tell_estimate(p->r, &e);
}

static gboolean run_passes(SfuPaint *p, GError **error)
{
    for (int k = 0; k < p->region.n_passes; k++) {
        SfuPass a = {.p = p,
                     .first = k == 0,
                     .last = k + 1 == p->region.n_passes,
                     .strength = k == 0 ? p->strength : MIN(REFINE_STRENGTH, p->strength)};
        pass_size(p, k, &a.rect, &a.w, &a.h);
        const gboolean ok = run_pass(&a, error) && match_colors(p, error);
        sfu_image_free(a.start);
        sfu_image_free(a.original);
        sfu_image_free(a.hard);
        sfu_image_free(a.soft);
        sfu_image_free(a.condition);
        if (!ok)
            return FALSE;
        if (k + 1 < p->region.n_passes)
            sfu_paint_keep_outside(p, p->made);
    }
    return TRUE;
}

static gboolean paint_image(SfuPaint *p, GPtrArray *results, GError **error)
{
    g_clear_pointer(&p->made, sfu_image_free);
    for (int round = 0; round < rounds_of(p); round++) {
        g_clear_pointer(&p->patched, sfu_image_free);
        sfu_image_free(p->guide);
        p->guide = g_steal_pointer(&p->made);
        p->is_draft = round == 0 && rounds_of(p) > 1;
        if (!run_passes(p, error))
            return FALSE;
    }
    if (p->gray)
        sfu_paint_make_gray(p->made);
    if (p->r->task == SFU_TASK_OUTPAINT)
        sfu_paint_keep_outside(p, p->made);
    GeglBuffer *b = sfu_paint_to_buffer(p, p->made, TRUE, error);
    g_ptr_array_add(results, sfu_result_new(p->r, b, sfu_paint_is_masked(p) && p->r->task != SFU_TASK_OUTPAINT));
    return TRUE;
}

gboolean sfu_pipe_paint(SfuSession *s, GPtrArray *results, GError **error)
{
    SfuRun *r = s->run;
    SfuPaint p = {.s = s, .r = r};
    p.strength =
        r->task == SFU_TASK_TXT2IMG || r->task == SFU_TASK_EDIT ? 1 : sfu_params_for(r->p, SFU_PARAM_STRENGTH, r->task);
    const guint64 seed = r->seed;
    if (s->wrap && r->job->mask && r->task == SFU_TASK_IMG2IMG) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("Only a whole picture can be seamless; leave out the mask."));
        return FALSE;
    }
    if (p.strength <= 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("At strength 0 nothing would change."));
        return FALSE;
    }
    if (r->task != SFU_TASK_TXT2IMG && r->task != SFU_TASK_EDIT)
        sfu_params_put(r->p, SFU_PARAM_STRENGTH, p.strength);
    p.references = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_image_free);
    gboolean ok = sfu_session_check_references(s, error) && sfu_paint_cut_out(&p, error);
    if (ok)
        tell_cost(&p);
    if (r->prepares) {
        paint_clear(&p);
        return ok;
    }
    ok = ok && sfu_session_set_prompts(s, error);
    if (ok)
        plan_work(&p);
    for (r->image = 0; ok && r->image < r->n_images; r->image++) {
        r->seed = seed + r->image;
        if (r->image && s->chance)
            ok = sfu_session_set_prompts(s, error);
        ok = ok && paint_image(&p, results, error);
    }
    paint_clear(&p);
    return ok;
}
