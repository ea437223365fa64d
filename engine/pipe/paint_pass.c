/* One pass of a painting run, by a diffusion model or by a remover.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "paint.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "holes.h"

static int tile_of(const SfuSession *s, int lw, int lh, gboolean first)
{
    const int f = s->ae.factor, asked = sfu_params_int(s->run->p, SFU_PARAM_TILE);
    if (asked > 0)
        return MAX(8, asked / f);
    /* The first pass composes, and is planned to fit; finer ones, and those that start from patches, may be any size.
     */
    return (!first || s->mask_fill == SFU_MASK_PATCH) && MAX(lw, lh) > s->max_px / f ? s->native_px / f : 0;
}

static SfuImage *blend_mask(const SfuPass *a, int lw, int lh, GError **error)
{
    /* What a 9-channel model must not touch it is told by its mask; a grid model repaints its hole and nothing else. */
    return sfu_mask_reduce(a->p->s->grid ? a->hard : a->soft, lw, lh, TRUE, error);
}

/* rgb becomes condition + rgb - what the condition's latents decode to: what the autoencoder loses of a filled-in
 * texture is not lost then. */
static gboolean add_change(const SfuPass *a, const SfuImage *cond, SfuImage *rgb, GError **error)
{
    SfuImage *base = sfu_coder_decode(&a->p->s->ae, cond, error);
    for (gint64 k = 0; base && k < (gint64)rgb->w * rgb->h * 3; k++)
        rgb->p[k] += a->condition->p[k] - base->p[k];
    sfu_image_free(base);
    return base != NULL;
}

/* What the network looks at in this pass: the picture there, the mask if it is asked for, then the job's references.
 * start: the latents of a->start, which serve again where that is the picture itself; NULL: not there. */
static gboolean show_references(SfuPass *a, const SfuImage *start, GError **error)
{
    SfuPaint *p = a->p;
    SfuSession *s = p->s;
    if (s->family->most_references == 0)
        return TRUE;
    GPtrArray *all = g_ptr_array_new();
    SfuImage *own = NULL, *mask = NULL;
    gboolean ok = TRUE;
    if (sfu_session_sees_picture(s) && a->original) {
        const gboolean same = start && a->start &&
                              memcmp(a->start->p, a->original->p, sizeof(float) * 3 * (gsize)a->w * (gsize)a->h) == 0;
        own = same ? sfu_image_copy(start, error) : sfu_coder_encode(&s->ae, a->original, error);
        ok = own != NULL;
        if (ok)
            g_ptr_array_add(all, own);
    }
    if (ok && sfu_session_sees_mask(s) && a->hard) {
        SfuImage *white = sfu_image_new(a->w, a->h, 3, error);
        for (gint64 k = 0; white && k < (gint64)a->w * a->h * 3; k++)
            white->p[k] = a->hard->p[k / 3];
        mask = white ? sfu_coder_encode(&s->ae, white, error) : NULL;
        sfu_image_free(white);
        ok = mask != NULL;
        if (ok)
            g_ptr_array_add(all, mask);
    }
    for (int i = 0; ok && i < p->r->job->n_references; i++) {
        if (i >= (int)p->references->len) {
            SfuImage *z = sfu_session_reference(s, i, error);
            if (z)
                g_ptr_array_add(p->references, z);
            ok = z != NULL;
        }
        if (ok)
            g_ptr_array_add(all, p->references->pdata[i]);
    }
    ok = ok && sfu_session_set_references(s, (SfuImage *const *)all->pdata, (int)all->len, error);
    sfu_image_free(own);
    sfu_image_free(mask);
    g_ptr_array_unref(all);
    return ok;
}

/* A picture that was made anew as a whole may lie some pixels from the one that it was made of. */
static gboolean move_back(const SfuPass *a, SfuImage *rgb, GError **error)
{
    double dx, dy;
    if (a->soft || a->p->r->task != SFU_TASK_EDIT || !sfu_session_sees_picture(a->p->s))
        return TRUE;
    if (!sfu_find_shift(rgb, a->original, NULL, &dx, &dy, error))
        return FALSE;
    if (dx == 0 && dy == 0)
        return TRUE;
    sfu_run_note(a->p->r, _("The model moved the picture by %.1f x %.1f pixels; it was moved back."),
                 dx * a->rect.w / a->w, dy * a->rect.h / a->h);
    return sfu_shift_back(rgb, dx, dy, error);
}

/* Where a small region is enlarged for the network, its texture is, too, and must stay above the low frequencies. */
static gboolean keep_deep(const SfuPass *a, SfuImage *rgb, GError **error)
{
    const SfuSession *s = a->p->s;
    const double enlarged = MAX(1.0, (double)a->w / a->rect.w);
    return sfu_fill_deep(rgb, a->condition, a->hard, s->reach, (int)lrint(s->deep * enlarged), error);
}

SfuImage *sfu_pass_diffuse(SfuPass *a, GError **error)
{
    SfuPaint *p = a->p;
    SfuSession *s = p->s;
    const int f = s->ae.factor, lw = a->w / f, lh = a->h / f,
              content = sfu_params_int(p->r->p, SFU_PARAM_MASKED_CONTENT);
    SfuImage *x0 = NULL, *extra = NULL, *cond = NULL, *blend = NULL, *z = NULL, *rgb = NULL;
    const gboolean nine = s->denoiser->in_channels > s->ae.channels && !s->grid;
    gboolean ok = sfu_pass_make_extra(a, lw, lh, &extra, error);
    /* Editing always starts from noise alone; so does a full-strength run that begins with nothing. */
    const gboolean alone = s->family->edits || (p->r->task == SFU_TASK_EDIT && !a->soft) ||
                           (nine && a->strength >= 1 && content == SFU_CONTENT_NOTHING);
    if (ok && a->start && !alone) {
        x0 = sfu_coder_encode(&s->ae, a->start, error);
        ok = x0 != NULL;
        if (ok)
            sfu_pass_replace_content(a, x0, content);
        if (ok && a->soft && !nine)
            ok = (blend = blend_mask(a, lw, lh, error)) != NULL;
    }
    ok = ok && show_references(a, x0, error);
    if (ok && s->from_condition)
        ok = (cond = sfu_image_channels(extra, 0, s->ae.channels, error)) != NULL;
    const int tile = tile_of(s, lw, lh, a->first);
    const SfuDiffusion d = {.w = lw,
                            .h = lh,
                            .x0 = x0,
                            .from_noise = a->strength >= 1 && content == SFU_CONTENT_NOTHING && a->first,
                            .start = cond,
                            .start_noise = s->start_noise,
                            .strength = a->strength,
                            .first = a->first,
                            .extra = extra,
                            .blend = blend,
                            .tile = tile,
                            .overlap = tile / 4,
                            .noise_seed = p->r->seed,
                            .preview = sfu_pass_preview,
                            .data = a};
    const SfuRect at = {p->region.context.x + a->rect.x, p->region.context.y + a->rect.y, a->rect.w, a->rect.h};
    const SfuControlView view = {p->canvas, at, a->w, a->h, a->original, a->hard};
    ok = ok && sfu_controls_set_pictures(s, &view, error) &&
         sfu_image_prompts_set_place(s, p->canvas, at, a->w, a->h, error) && (z = sfu_diffuse(s, &d, error));
    if (ok && a->last)
        sfu_run_keep_latents(p->r, z);
    ok = ok && (rgb = sfu_coder_decode(&s->ae, z, error)) && (!s->residual || add_change(a, cond, rgb, error)) &&
         (s->reach <= 0 || !a->hard || keep_deep(a, rgb, error)) && move_back(a, rgb, error);
    sfu_image_free(x0);
    sfu_image_free(extra);
    sfu_image_free(cond);
    sfu_image_free(blend);
    sfu_image_free(z);
    if (!ok)
        g_clear_pointer(&rgb, sfu_image_free);
    return rgb;
}

/* What a remover sees, [h, w, 4]: beyond the pass's own size the picture and the hole are mirrored. */
static SfuImage *remover_input(const SfuPass *a, int w, int h, GError **error)
{
    SfuImage *in = sfu_image_new(w, h, 4, error);
    for (gint64 k = 0; in && k < (gint64)w * h; k++) {
        const int x = (int)(k % w) % (2 * a->w), y = (int)(k / w) % (2 * a->h);
        const gint64 from = (gint64)MIN(y, 2 * a->h - 1 - y) * a->w + MIN(x, 2 * a->w - 1 - x);
        const gboolean hole = !a->hard || a->hard->p[from] > 0;
        for (int c = 0; c < 3; c++)
            in->p[4 * k + c] = hole ? 0 : CLAMP(a->original->p[3 * from + c], 0, 1);
        in->p[4 * k + 3] = hole;
    }
    return in;
}

SfuImage *sfu_pass_remove(SfuPass *a, GError **error)
{
    SfuQueue *q = a->p->s->run->q;
    const int side = a->p->s->remover->side, w = side ? side : a->w, h = side ? side : a->h;
    const gint64 n = (gint64)w * h;
    if (a->w > w || a->h > h) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s sees %d x %d pixels, not the %d x %d of this region."),
                    a->p->s->m->path, w, h, a->w, a->h);
        return NULL;
    }
    SfuImage *in = remover_input(a, w, h, error), *rgb = in ? sfu_image_new(w, h, 3, error) : NULL;
    SfuTensor *x = rgb ? sfu_tensor_create(q, SFU_F32, 1, h, w, 4, error) : NULL, *y = NULL;
    gint64 bad = 0;
    gboolean ok = x && sfu_tensor_write(x, in->p, error) && sfu_remover_forward(a->p->s->remover, &y, x, error) &&
                  sfu_tensor_read(y, rgb->p, error);
    for (gint64 k = 0; ok && k < 3 * n; k++)
        bad += !isfinite(rgb->p[k]);
    for (int row = 0; ok && (w != a->w || h != a->h) && row < a->h; row++)
        memmove(rgb->p + (gsize)row * a->w * 3, rgb->p + (gsize)row * w * 3, (gsize)a->w * 3 * sizeof(float));
    if (ok) {
        rgb->w = a->w;
        rgb->h = a->h;
    }
    for (gint64 k = 0; ok && !bad && k < 3 * (gint64)a->w * a->h; k++)
        rgb->p[k] = CLAMP(rgb->p[k], 0, 1);
    if (bad) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED,
                    "%s made %" G_GINT64_FORMAT " values that are not numbers; try --precision fp32.", a->p->s->m->path,
                    bad);
        ok = FALSE;
    }
    ok = ok && sfu_run_tick(a->p->r, SFU_STAGE_DECODE, (double)n, 0, 0, error);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    sfu_image_free(in);
    if (!ok)
        g_clear_pointer(&rgb, sfu_image_free);
    return rgb;
}
