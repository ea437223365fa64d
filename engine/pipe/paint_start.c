/* What a pass starts from: the picture at working size, its hole filled, and what the network is shown beside the
 * noisy latent.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "paint.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "holes.h"

#define PATCH_HOLE_PX 200000.0 /* of a hole that is filled with patches at full size: about two seconds of one core */
#define PATCH_PX 4e6           /* and of its surroundings: 64 bytes each */

static SfuImage *resize_part(const SfuImage *i, SfuRect rect, int channels, int w, int h, SfuResample kernel, int wrap,
                             GError **error)
{
    SfuImage *cut = i ? sfu_image_crop(i, rect, error) : NULL;
    SfuImage *few = cut && cut->c > channels ? sfu_image_channels(cut, 0, channels, error) : NULL;
    if (few) {
        sfu_image_free(cut);
        cut = few;
    }
    SfuImage *o = cut ? sfu_image_resample_round(cut, w, h, kernel, wrap, error) : NULL;
    sfu_image_free(cut);
    return o;
}

/* Takes the pixels of `from` where mask is above 0. All [h, w, 3], mask [h, w, 1]. */
static void take_masked(SfuImage *to, const SfuImage *from, const SfuImage *mask)
{
    for (gint64 k = 0; k < (gint64)to->w * to->h; k++)
        if (mask->p[k] > 0)
            memcpy(to->p + k * 3, from->p + k * 3, 3 * sizeof(float));
}

typedef struct {
    const SfuRun *run;
    GError **error;
} Watch;

static gboolean not_cancelled(double done, gpointer watch)
{
    const Watch *w = watch;
    return !sfu_run_cancelled(w->run, w->error);
}

/* Makes p->patched, with p->guide if that is there: once for all passes, so that they agree; at full size, or where
 * that would take long, smaller and enlarged. */
static gboolean make_patched(SfuPaint *p, GError **error)
{
    const SfuRect c = p->region.context, all = {0, 0, c.w, c.h};
    double hole = 0;
    for (gint64 k = 0; k < (gint64)c.w * c.h; k++)
        hole += p->hard->p[k];
    const double shrink = MIN(1, sqrt(MIN(PATCH_HOLE_PX / MAX(hole, 1), PATCH_PX / ((double)c.w * c.h))));
    const double size = shrink / sfu_paint_divisor(p, MIN(c.w, c.h) * shrink);
    const int w = MAX(1, (int)(c.w * size)), h = MAX(1, (int)(c.h * size));
    SfuImage *small = resize_part(p->source, all, 3, w, h, SFU_RESAMPLE_AREA, 0, error);
    SfuImage *mask = small ? resize_part(p->hard, all, 1, w, h, SFU_RESAMPLE_AREA, 0, error) : NULL, *big = NULL;
    SfuImage *excluded =
        mask && p->excluded ? resize_part(p->excluded, all, 1, w, h, SFU_RESAMPLE_AREA, 0, error) : NULL;
    SfuImage *guide = mask && p->guide ? resize_part(p->guide, all, 3, w, h, SFU_RESAMPLE_AREA, 0, error) : NULL;
    Watch watch = {p->r, error};
    const SfuPatchOptions options = {.excluded = excluded ? excluded->p : NULL,
                                     .background = (float)sfu_params_double(p->r->p, SFU_PARAM_BACKGROUND),
                                     .guide = guide ? guide->p : NULL,
                                     .thin_px = sfu_patch_thin_px,
                                     .seed = p->r->seed,
                                     .tick = not_cancelled,
                                     .data = &watch};
    gboolean ok = mask && (excluded || !p->excluded) && (guide || !p->guide) &&
                  sfu_run_stage(p->r, SFU_STAGE_ENCODE, error) && sfu_fill_with_patches(small, mask, &options, error) &&
                  (p->patched = sfu_image_channels(p->source, 0, 3, error)) &&
                  (big = sfu_image_resample(small, c.w, c.h, SFU_RESAMPLE_BICUBIC, error));
    if (ok)
        take_masked(p->patched, big, p->hard);
    sfu_image_free(small);
    sfu_image_free(mask);
    sfu_image_free(excluded);
    sfu_image_free(guide);
    sfu_image_free(big);
    return ok;
}

/* Continues the rest of the picture smoothly where the mask [h, w, 1] is 1. */
static gboolean fill_smoothly(SfuImage *picture, const SfuImage *mask, GError **error)
{
    SfuImage *known = sfu_image_copy(mask, error);
    for (gint64 k = 0; known && k < (gint64)mask->w * mask->h; k++)
        known->p[k] = 1 - mask->p[k];
    const gboolean ok = known && sfu_fill(picture, 3, known, error);
    sfu_image_free(known);
    return ok;
}

/* Puts a continuation of the rest where the mask is: smooth, or copied. */
static gboolean fill_hole(const SfuPass *a, SfuImage *picture, gboolean patches, GError **error)
{
    if (!patches)
        return fill_smoothly(picture, a->hard, error);
    if (!a->p->patched && !make_patched(a->p, error))
        return FALSE;
    SfuImage *filled = resize_part(a->p->patched, a->rect, 3, a->w, a->h, SFU_RESAMPLE_LANCZOS, 0, error);
    if (filled)
        take_masked(picture, filled, a->hard);
    sfu_image_free(filled);
    return filled != NULL;
}

/* Whether the pass looks at what is under the mask. */
static gboolean sees_hole(const SfuPaint *p)
{
    const int content = sfu_params_int(p->r->p, SFU_PARAM_MASKED_CONTENT);
    const gboolean fills = p->r->task == SFU_TASK_INPAINT || p->r->task == SFU_TASK_OUTPAINT;
    return !fills || sfu_session_sees_picture(p->s) || (content != SFU_CONTENT_FILL && content != SFU_CONTENT_PATCH);
}

/* The source at the pass's size. A resampling kernel reaches over the edge of the hole, so what is to go would tint
 * what stays: the hole is filled first, with what the pass would fill it with. */
static SfuImage *scaled_source(const SfuPass *a, GError **error)
{
    SfuPaint *p = a->p;
    const SfuRect rect = a->rect, all = {0, 0, rect.w, rect.h};
    if (!p->hard || (a->w == rect.w && a->h == rect.h) || sees_hole(p))
        return resize_part(p->source, rect, 3, a->w, a->h, SFU_RESAMPLE_LANCZOS, p->s->wrap, error);
    if (p->s->mask_fill == SFU_MASK_PATCH || sfu_params_int(p->r->p, SFU_PARAM_MASKED_CONTENT) == SFU_CONTENT_PATCH)
        return p->patched || make_patched(p, error)
                   ? resize_part(p->patched, rect, 3, a->w, a->h, SFU_RESAMPLE_LANCZOS, p->s->wrap, error)
                   : NULL;
    SfuImage *cut = sfu_image_crop(p->source, rect, error), *hole = cut ? sfu_image_crop(p->hard, rect, error) : NULL;
    SfuImage *scaled = hole && fill_smoothly(cut, hole, error)
                           ? resize_part(cut, all, 3, a->w, a->h, SFU_RESAMPLE_LANCZOS, p->s->wrap, error)
                           : NULL;
    sfu_image_free(cut);
    sfu_image_free(hole);
    return scaled;
}

gboolean sfu_pass_prepare(SfuPass *a, GError **error)
{
    SfuPaint *p = a->p;
    if (p->hard) {
        a->hard = resize_part(p->hard, a->rect, 1, a->w, a->h, SFU_RESAMPLE_AREA, p->s->wrap, error);
        a->soft = resize_part(p->soft, a->rect, 1, a->w, a->h, SFU_RESAMPLE_AREA, p->s->wrap, error);
        if (!a->hard || !a->soft)
            return FALSE;
        /* Every pixel that the mask touches is repainted: what is left of a thing at its edge would be continued. */
        for (gint64 k = 0; k < (gint64)a->w * a->h; k++)
            a->hard->p[k] = a->hard->p[k] > 0.01f;
    }
    if (p->source && !(a->original = scaled_source(a, error)))
        return FALSE;
    if (!a->first)
        return (a->start = resize_part(p->made, a->rect, 3, a->w, a->h, SFU_RESAMPLE_LANCZOS, p->s->wrap, error)) !=
               NULL;
    if (!a->original || p->s->remover)
        return TRUE;
    if (!(a->start = sfu_image_copy(a->original, error)))
        return FALSE;
    /* At full strength a network that looks at the picture needs nothing to begin with. */
    const gboolean unseen = sfu_session_sees_picture(p->s) && a->strength >= 1;
    const int content = sfu_params_int(p->r->p, SFU_PARAM_MASKED_CONTENT);
    if (!a->hard || unseen || (content != SFU_CONTENT_FILL && content != SFU_CONTENT_PATCH) ||
        p->r->task == SFU_TASK_IMG2IMG)
        return TRUE;
    return fill_hole(a, a->start, content == SFU_CONTENT_PATCH, error);
}

/* The picture with the hole mid-gray, or filled as the model learned it; caller frees. */
static SfuImage *holed_picture(const SfuPass *a, SfuMaskFill how, GError **error)
{
    SfuImage *holed = sfu_image_copy(a->original, error);
    if (holed && a->hard && how != SFU_MASK_GREY) {
        if (!fill_hole(a, holed, how == SFU_MASK_PATCH, error))
            g_clear_pointer(&holed, sfu_image_free);
    } else {
        for (gint64 k = 0; holed && a->hard && k < (gint64)a->w * a->h; k++)
            if (a->hard->p[k] > 0)
                holed->p[k * 3] = holed->p[k * 3 + 1] = holed->p[k * 3 + 2] = 0.5f;
    }
    return holed;
}

gboolean sfu_pass_make_condition(SfuPass *a, GError **error)
{
    a->condition = holed_picture(a, a->p->s->mask_fill, error);
    return a->condition != NULL;
}

static SfuImage *concat(const SfuImage *a, const SfuImage *b, GError **error)
{
    SfuImage *o = sfu_image_new(a->w, a->h, a->c + b->c, error);
    for (gint64 k = 0; o && k < (gint64)a->w * a->h; k++) {
        memcpy(o->p + k * o->c, a->p + k * a->c, a->c * sizeof(float));
        memcpy(o->p + k * o->c + a->c, b->p + k * b->c, b->c * sizeof(float));
    }
    return o;
}

static SfuImage *all_ones(int w, int h, int c, GError **error)
{
    SfuImage *o = sfu_image_new(w, h, c, error);
    for (gint64 k = 0; o && k < (gint64)w * h * c; k++)
        o->p[k] = 1;
    return o;
}

gboolean sfu_pass_make_extra(SfuPass *a, int lw, int lh, SfuImage **extra, GError **error)
{
    SfuSession *s = a->p->s;
    const int more = s->denoiser->in_channels - s->ae.channels, n_mask = s->grid ? s->ae.factor * s->ae.factor : 1;
    *extra = NULL;
    if (more == 0)
        return TRUE;
    if (!a->original || (more != s->ae.channels * (1 + s->smooth_too) + n_mask && !s->family->edits)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s has %d input channels and cannot do %s."), s->m->path,
                    s->denoiser->in_channels, sfu_task_name(s->run->task));
        return FALSE;
    }
    SfuImage *z = sfu_pass_make_condition(a, error) ? sfu_coder_encode(&s->ae, a->condition, error) : NULL;
    if (!z)
        return FALSE;
    if (s->family->edits) {
        for (gint64 k = 0; k < (gint64)z->w * z->h * z->c; k++)
            z->p[k] = z->p[k] / s->ae.net->scaling + s->ae.net->shift;
        *extra = z;
        return TRUE;
    }
    if (s->smooth_too) {
        SfuImage *smooth = holed_picture(a, SFU_MASK_SMOOTH, error),
                 *zs = smooth ? sfu_coder_encode(&s->ae, smooth, error) : NULL,
                 *both = zs ? concat(z, zs, error) : NULL;
        sfu_image_free(smooth);
        sfu_image_free(zs);
        sfu_image_free(z);
        if (!(z = both))
            return FALSE;
    }
    SfuImage *m = !a->hard  ? all_ones(lw, lh, n_mask, error)
                  : s->grid ? sfu_mask_cells(a->hard, s->ae.factor, error)
                            : sfu_mask_reduce(a->hard, lw, lh, TRUE, error);
    if (m)
        *extra = s->grid ? concat(z, m, error) : concat(m, z, error);
    sfu_image_free(m);
    sfu_image_free(z);
    return *extra != NULL;
}

void sfu_pass_replace_content(const SfuPass *a, SfuImage *x0, SfuContent content)
{
    SfuSession *s = a->p->s;
    if (!a->hard || !a->first || a->p->r->task == SFU_TASK_IMG2IMG ||
        (content != SFU_CONTENT_NOISE && content != SFU_CONTENT_NOTHING))
        return;
    float *noise = g_new0(float, (gsize)x0->w * x0->h * x0->c);
    SfuImage *m = sfu_mask_reduce(a->hard, x0->w, x0->h, TRUE, NULL);
    if (content == SFU_CONTENT_NOISE) {
        const guint64 seed = s->run->seed + 1000003; /* another stream than the start noise */
        SfuNoise *stream = sfu_noise_new(SFU_NOISE_TORCH, &seed, 1, x0->h, x0->w, x0->c);
        sfu_noise_next(stream, noise);
        sfu_noise_free(stream);
    }
    for (gint64 k = 0; m && k < (gint64)x0->w * x0->h; k++)
        if (m->p[k] > 0)
            memcpy(x0->p + k * x0->c, noise + k * x0->c, x0->c * sizeof(float));
    sfu_image_free(m);
    g_free(noise);
}
