/* The painting pipelines: text to image, image to image, inpainting, outpainting, editing by instruction. One road for
 * all: cut out the region, prepare what is under the mask, walk from noise to latents, decode, fit colours, give back
 * what lies under the soft mask. Regions larger than the model's size are worked coarse to fine.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "holes.h"
#include "region/region.h"

#define REFINE_STRENGTH 0.4
#define PATCH_HOLE_PX 200000.0 /* of a hole that is filled with patches at full size: about two seconds of one core */
#define PATCH_PX 4e6           /* and of its surroundings: 64 bytes each */
#define REFINE_MARGIN_PX 64    /* surroundings that a finer pass sees beside the area */

typedef enum {
    CONTENT_FILL,
    CONTENT_ORIGINAL,
    CONTENT_NOISE,
    CONTENT_NOTHING,
    CONTENT_PATCH
} Content; /* params.c's order */

typedef struct {
    SfuSession *s;
    SfuRun *r;
    SfuRect canvas;     /* in the picture's coordinates; outpainting: larger than the picture */
    SfuRegion region;   /* relative to the canvas */
    SfuImage *source;   /* [context, 4]: the picture there, colours continued under transparency; NULL: text to image */
    SfuImage *hard;     /* [context, 1] 1: repainted, 0: kept; NULL: everything is repainted */
    SfuImage *soft;     /* [context, 1] the hard mask with its feathered edge */
    SfuImage *excluded; /* [context, 1] 1: nothing is taken from there; NULL: none */
    SfuImage *made;     /* [context, 3] the best so far */
    SfuImage *patched;  /* [context, 3] the picture, its hole filled with patches; NULL: not asked for yet */
    double strength;
    gboolean gray;
    GPtrArray *references; /* SfuImage*: latents of the job's references */
} Paint;

static void paint_clear(Paint *p)
{
    sfu_image_free(p->source);
    sfu_image_free(p->hard);
    sfu_image_free(p->soft);
    sfu_image_free(p->excluded);
    sfu_image_free(p->made);
    sfu_image_free(p->patched);
    g_clear_pointer(&p->references, g_ptr_array_unref);
}

/* Whether a part of the canvas is worked on, and the rest stays. A network that sees the picture beside its own can
 * edit a part of it; InstructPix2Pix edits all. */
static gboolean is_masked(const Paint *p)
{
    const SfuTask t = p->r->task;
    return t == SFU_TASK_OUTPAINT ||
           (p->r->job->mask && t != SFU_TASK_TXT2IMG && (t != SFU_TASK_EDIT || sfu_session_sees_picture(p->s)));
}

/* ---- the region -------------------------------------------------------------------------------------------------- */

static void canvas_rect(Paint *p)
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
static gboolean find_bounds(const Paint *p, SfuRect *bounds, float *max, GError **error)
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
    if (!is_masked(p))
        return TRUE;
    if (!sfu_mask_bounds(p->r->job->mask, c, bounds, max, error))
        return FALSE;
    bounds->x -= c.x;
    bounds->y -= c.y;
    return TRUE;
}

static gboolean plan_region(Paint *p, float *max, GError **error)
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
    const gboolean whole = !is_masked(p);
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
    sfu_params_put(p->r->p, SFU_PARAM_FEATHER, MIN(r->feather, 1024));
    return TRUE;
}

/* The mask over the context: the job's, or for outpainting everything outside the picture and what is transparent in
 * it. */
static SfuImage *read_mask(const Paint *p, GError **error)
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
static gboolean exclude(Paint *p, GError **error)
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

static gboolean cut_out(Paint *p, GError **error)
{
    float max;
    canvas_rect(p);
    if (!plan_region(p, &max, error))
        return FALSE;
    if (p->r->task == SFU_TASK_TXT2IMG)
        return TRUE;
    const SfuRect c = p->region.context;
    const gboolean masked = is_masked(p);
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

/* ---- one pass ---------------------------------------------------------------------------------------------------- */

/* A pass over `rect` of the context at w x h working pixels. */
typedef struct {
    Paint *p;
    SfuRect rect;
    int w, h;
    double strength;
    gboolean first, last;
    SfuImage *start;       /* [w x h, 3] what is under the mask to begin with */
    SfuImage *original;    /* [w x h, 3] */
    SfuImage *hard, *soft; /* [w x h, 1], NULL: everything */
    SfuImage *condition;   /* [w x h, 3] the picture with its hole filled, as the network was shown it */
} Pass;

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

/* Makes p->patched: once for all passes, so that they agree; at full size, or where that would take long, smaller and
 * enlarged. */
static gboolean make_patched(Paint *p, GError **error)
{
    const SfuRect c = p->region.context, all = {0, 0, c.w, c.h};
    double hole = 0;
    for (gint64 k = 0; k < (gint64)c.w * c.h; k++)
        hole += p->hard->p[k];
    const double shrink = MIN(1, sqrt(MIN(PATCH_HOLE_PX / MAX(hole, 1), PATCH_PX / ((double)c.w * c.h))));
    const int w = MAX(1, (int)(c.w * shrink)), h = MAX(1, (int)(c.h * shrink));
    SfuImage *small = resize_part(p->source, all, 3, w, h, SFU_RESAMPLE_AREA, 0, error);
    SfuImage *mask = small ? resize_part(p->hard, all, 1, w, h, SFU_RESAMPLE_AREA, 0, error) : NULL, *big = NULL;
    SfuImage *excluded =
        mask && p->excluded ? resize_part(p->excluded, all, 1, w, h, SFU_RESAMPLE_AREA, 0, error) : NULL;
    Watch watch = {p->r, error};
    gboolean ok = mask && (excluded || !p->excluded) && sfu_run_stage(p->r, SFU_STAGE_ENCODE, error) &&
                  sfu_fill_with_patches(small, mask, excluded, sfu_params_double(p->r->p, SFU_PARAM_BACKGROUND),
                                        p->r->seed, not_cancelled, &watch, error) &&
                  (p->patched = sfu_image_channels(p->source, 0, 3, error)) &&
                  (big = sfu_image_resample(small, c.w, c.h, SFU_RESAMPLE_BICUBIC, error));
    if (ok)
        take_masked(p->patched, big, p->hard);
    sfu_image_free(small);
    sfu_image_free(mask);
    sfu_image_free(excluded);
    sfu_image_free(big);
    return ok;
}

/* Puts a continuation of the rest where the mask is: smooth, or copied. */
static gboolean fill_hole(const Pass *a, SfuImage *picture, gboolean patches, GError **error)
{
    if (patches) {
        if (!a->p->patched && !make_patched(a->p, error))
            return FALSE;
        SfuImage *filled = resize_part(a->p->patched, a->rect, 3, a->w, a->h, SFU_RESAMPLE_LANCZOS, 0, error);
        if (filled)
            take_masked(picture, filled, a->hard);
        sfu_image_free(filled);
        return filled != NULL;
    }
    SfuImage *known = sfu_image_copy(a->hard, error);
    for (gint64 k = 0; known && k < (gint64)a->w * a->h; k++)
        known->p[k] = 1 - known->p[k];
    const gboolean ok = known && sfu_fill(picture, 3, known, error);
    sfu_image_free(known);
    return ok;
}

static gboolean prepare(Pass *a, GError **error)
{
    Paint *p = a->p;
    if (p->hard) {
        a->hard = resize_part(p->hard, a->rect, 1, a->w, a->h, SFU_RESAMPLE_AREA, p->s->wrap, error);
        a->soft = resize_part(p->soft, a->rect, 1, a->w, a->h, SFU_RESAMPLE_AREA, p->s->wrap, error);
        if (!a->hard || !a->soft)
            return FALSE;
        /* Every pixel that the mask touches is repainted: what is left of a thing at its edge would be continued. */
        for (gint64 k = 0; k < (gint64)a->w * a->h; k++)
            a->hard->p[k] = a->hard->p[k] > 0.01f;
    }
    if (p->source &&
        !(a->original = resize_part(p->source, a->rect, 3, a->w, a->h, SFU_RESAMPLE_LANCZOS, p->s->wrap, error)))
        return FALSE;
    if (!a->first)
        return (a->start = resize_part(p->made, a->rect, 3, a->w, a->h, SFU_RESAMPLE_LANCZOS, p->s->wrap, error)) !=
               NULL;
    if (!a->original || p->s->remover)
        return TRUE;
    if (!(a->start = sfu_image_copy(a->original, error)))
        return FALSE;
    /* At full strength a flow from noise alone never sees what is under the mask. */
    const gboolean unseen =
        ((p->s->grid && !p->s->from_condition) || sfu_session_sees_picture(p->s)) && a->strength >= 1;
    const int content = sfu_params_int(p->r->p, SFU_PARAM_MASKED_CONTENT);
    if (!a->hard || unseen || (content != CONTENT_FILL && content != CONTENT_PATCH) || p->r->task == SFU_TASK_IMG2IMG)
        return TRUE;
    return fill_hole(a, a->start, content == CONTENT_PATCH, error);
}

/* The picture with the hole mid-grey, or filled as the model learned it; caller frees. */
static SfuImage *holed_picture(const Pass *a, SfuMaskFill how, GError **error)
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

static gboolean make_condition(Pass *a, GError **error)
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

/* The channels that the UNet sees beside the noisy latent. 9-channel models: mask, masked picture; editing: the
 * picture, latents not scaled; sfumato-mini: the filled picture, that filled smoothly where the model wants both, cells
 * of the mask. *extra NULL: the model has none. */
static gboolean make_extra(Pass *a, int lw, int lh, SfuImage **extra, GError **error)
{
    SfuSession *s = a->p->s;
    const int more = s->denoiser->in_channels - s->ae.channels, n_mask = s->grid ? s->ae.factor * s->ae.factor : 1;
    *extra = NULL;
    if (more == 0)
        return TRUE;
    if (!a->original || (more != s->ae.channels * (1 + s->smooth_too) + n_mask && !s->family->edits)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s has %d input channels, with which %s cannot be done."),
                    s->m->path, s->denoiser->in_channels, sfu_task_name(s->run->task));
        return FALSE;
    }
    SfuImage *z = make_condition(a, error) ? sfu_coder_encode(&s->ae, a->condition, error) : NULL;
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

/* Latents under the mask: noise of their own, or nothing. */
static void replace_content(const Pass *a, SfuImage *x0, Content content)
{
    SfuSession *s = a->p->s;
    if (!a->hard || !a->first || a->p->r->task == SFU_TASK_IMG2IMG ||
        (content != CONTENT_NOISE && content != CONTENT_NOTHING))
        return;
    float *noise = g_new0(float, (gsize)x0->w * x0->h * x0->c);
    SfuImage *m = sfu_mask_reduce(a->hard, x0->w, x0->h, TRUE, NULL);
    if (content == CONTENT_NOISE) {
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

/* ---- previews and results ------------------------------------------------------------------------------------------
 */

static void make_gray(SfuImage *i)
{
    for (gint64 k = 0; k < (gint64)i->w * i->h; k++) {
        float *v = i->p + k * i->c;
        v[0] = v[1] = v[2] = 0.2126f * v[0] + 0.7152f * v[1] + 0.0722f * v[2];
    }
}

/* Puts a pass's picture [any size, 3] into the context picture `into`. */
static gboolean put_back(const Pass *a, const SfuImage *made, SfuImage *into, GError **error)
{
    const SfuResample kernel = made->w < a->rect.w ? SFU_RESAMPLE_BICUBIC : SFU_RESAMPLE_LANCZOS;
    SfuImage *big = sfu_image_resample_round(made, a->rect.w, a->rect.h, kernel, a->p->s->wrap, error);
    const int w = MIN(a->rect.w, into->w - a->rect.x), h = MIN(a->rect.h, into->h - a->rect.y);
    for (int y = 0; big && y < h; y++)
        memcpy(into->p + ((gsize)(a->rect.y + y) * into->w + a->rect.x) * 3, big->p + (gsize)y * a->rect.w * 3,
               w * 3 * sizeof(float));
    sfu_image_free(big);
    return big != NULL;
}

/* The picture outside the soft mask again. */
static void keep_outside(const Paint *p, SfuImage *made)
{
    if (!p->soft)
        return;
    for (gint64 k = 0; k < (gint64)made->w * made->h; k++) {
        const float a = p->soft->p[k];
        for (int c = 0; c < 3; c++)
            made->p[k * 3 + c] = a * made->p[k * 3 + c] + (1 - a) * p->source->p[k * 4 + c];
    }
}

static SfuRect result_rect(const Paint *p)
{
    return p->r->task == SFU_TASK_OUTPAINT ? (SfuRect){0, 0, p->canvas.w, p->canvas.h} : p->region.mask;
}

static SfuImage *source_rgb(const Paint *p, GError **error)
{
    return p->source ? sfu_image_channels(p->source, 0, 3, error)
                     : sfu_image_new(p->region.context.w, p->region.context.h, 3, error);
}

/* What lies in the result's rectangle, from a context picture and, for outpainting, the picture beside it. */
static GeglBuffer *to_buffer(const Paint *p, const SfuImage *context_rgb, gboolean alpha, GError **error)
{
    const SfuRect r = result_rect(p), c = p->region.context;
    const GeglRectangle extent = {p->canvas.x + r.x, p->canvas.y + r.y, r.w, r.h};
    const Babl *format = alpha ? babl_format("R'G'B'A float") : babl_format("R'G'B' float");
    GeglBuffer *b = gegl_buffer_new(&extent, format);
    const int ch = alpha ? 4 : 3;
    if (p->r->task == SFU_TASK_OUTPAINT)
        gegl_buffer_copy(p->r->job->picture, gegl_buffer_get_extent(p->r->job->picture), GEGL_ABYSS_NONE, b,
                         gegl_buffer_get_extent(p->r->job->picture));
    SfuRect in; /* the part of the result that the context covers */
    gegl_rectangle_intersect((GeglRectangle *)&in, GEGL_RECTANGLE(r.x, r.y, r.w, r.h),
                             GEGL_RECTANGLE(c.x, c.y, c.w, c.h));
    float *row = g_new(float, (gsize)in.w *ch), *old = g_new(float, (gsize)in.w *ch);
    const gboolean whole = !p->soft;
    for (int y = 0; y < in.h; y++) {
        const gsize from = (gsize)(in.y + y - c.y) * c.w + in.x - c.x;
        const GeglRectangle line = {p->canvas.x + in.x, p->canvas.y + in.y + y, in.w, 1};
        gegl_buffer_get(b, &line, 1.0, format, old, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int x = 0; x < in.w; x++) {
            const float soft = whole ? 1 : p->soft->p[from + x];
            float *o = row + (gsize)x * ch;
            for (int k = 0; k < 3; k++)
                o[k] = context_rgb->p[(from + x) * 3 + k];
            if (p->r->task == SFU_TASK_OUTPAINT) {
                /* The new picture: the old one outside the soft mask, bit for bit. */
                if (soft <= 0)
                    memcpy(o, old + (gsize)x * ch, ch * sizeof(float));
                else if (alpha)
                    o[3] = soft + (1 - soft) * old[(gsize)x * ch + 3];
            } else if (alpha) {
                o[3] = !whole ? soft : p->source ? p->source->p[(from + x) * 4 + 3] : 1;
            }
        }
        gegl_buffer_set(b, &line, 0, format, row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    g_free(old);
    return b;
}

static gboolean show_preview(gpointer data, const SfuImage *denoised, int step, GError **error)
{
    const Pass *a = data;
    Paint *p = a->p;
    if (!p->r->job->preview)
        return TRUE;
    SfuImage *small = sfu_session_preview(p->s, denoised, error);
    SfuImage *view = small ? (p->made ? sfu_image_copy(p->made, error) : source_rgb(p, error)) : NULL;
    const gboolean ok = view && put_back(a, small, view, error);
    if (ok) {
        keep_outside(p, view);
        if (p->gray)
            make_gray(view);
        GeglBuffer *b = to_buffer(p, view, FALSE, error);
        p->r->job->preview(b, step, p->r->job->data);
        g_object_unref(b);
    }
    sfu_image_free(small);
    sfu_image_free(view);
    return ok;
}

/* ---- passes ------------------------------------------------------------------------------------------------------ */

static int tile_of(const SfuSession *s, int lw, int lh, gboolean first)
{
    const int f = s->ae.factor, asked = sfu_params_int(s->run->p, SFU_PARAM_TILE);
    if (asked > 0)
        return MAX(8, asked / f);
    /* The first pass composes, and is planned to fit; finer ones, and those that start from patches, may be any size.
     */
    return (!first || s->mask_fill == SFU_MASK_PATCH) && MAX(lw, lh) > s->max_px / f ? s->native_px / f : 0;
}

static SfuImage *blend_mask(const Pass *a, int lw, int lh, GError **error)
{
    /* What a 9-channel model must not touch it is told by its mask; a grid model repaints its hole and nothing else. */
    return sfu_mask_reduce(a->p->s->grid ? a->hard : a->soft, lw, lh, TRUE, error);
}

/* rgb becomes condition + rgb - what the condition's latents decode to: what the autoencoder loses of a filled-in
 * texture is not lost then. */
static gboolean add_change(const Pass *a, const SfuImage *cond, SfuImage *rgb, GError **error)
{
    SfuImage *base = sfu_coder_decode(&a->p->s->ae, cond, error);
    for (gint64 k = 0; base && k < (gint64)rgb->w * rgb->h * 3; k++)
        rgb->p[k] += a->condition->p[k] - base->p[k];
    sfu_image_free(base);
    return base != NULL;
}

/* What the network looks at in this pass: the picture there, the mask if it is asked for, then the job's references.
 * start: the latents of a->start, which serve again where that is the picture itself; NULL: not there. */
static gboolean show_references(Pass *a, const SfuImage *start, GError **error)
{
    Paint *p = a->p;
    SfuSession *s = p->s;
    if (s->denoiser->most_references == 0)
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
static gboolean move_back(const Pass *a, SfuImage *rgb, GError **error)
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

/* By the model: [h, w, 3]. */
static SfuImage *diffuse_pass(Pass *a, GError **error)
{
    Paint *p = a->p;
    SfuSession *s = p->s;
    const int f = s->ae.factor, lw = a->w / f, lh = a->h / f,
              content = sfu_params_int(p->r->p, SFU_PARAM_MASKED_CONTENT);
    SfuImage *x0 = NULL, *extra = NULL, *cond = NULL, *blend = NULL, *z = NULL, *rgb = NULL;
    const gboolean nine = s->denoiser->in_channels > s->ae.channels && !s->grid;
    gboolean ok = make_extra(a, lw, lh, &extra, error);
    /* Editing always starts from noise alone; so does a full-strength run that begins with nothing. */
    const gboolean alone = s->family->edits || (p->r->task == SFU_TASK_EDIT && !a->soft) ||
                           (nine && a->strength >= 1 && content == CONTENT_NOTHING);
    if (ok && a->start && !alone) {
        x0 = sfu_coder_encode(&s->ae, a->start, error);
        ok = x0 != NULL;
        if (ok)
            replace_content(a, x0, content);
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
                            .from_noise = a->strength >= 1 && content == CONTENT_NOTHING && a->first,
                            .start = cond,
                            .start_noise = s->start_noise,
                            .strength = a->strength,
                            .first = a->first,
                            .extra = extra,
                            .blend = blend,
                            .tile = tile,
                            .overlap = tile / 4,
                            .noise_seed = p->r->seed,
                            .preview = show_preview,
                            .data = a};
    const SfuRect at = {p->region.context.x + a->rect.x, p->region.context.y + a->rect.y, a->rect.w, a->rect.h};
    ok = ok && sfu_controls_set_pictures(s, p->canvas, at, a->original, a->hard, a->w, a->h, error) &&
         (z = sfu_diffuse(s, &d, error));
    if (ok && a->last)
        sfu_run_keep_latents(p->r, z);
    ok = ok && (rgb = sfu_coder_decode(&s->ae, z, error)) && (!s->residual || add_change(a, cond, rgb, error)) &&
         (s->reach <= 0 || !a->hard || sfu_fill_deep(rgb, a->condition, a->hard, s->reach, error)) &&
         move_back(a, rgb, error);
    sfu_image_free(x0);
    sfu_image_free(extra);
    sfu_image_free(cond);
    sfu_image_free(blend);
    sfu_image_free(z);
    if (!ok)
        g_clear_pointer(&rgb, sfu_image_free);
    return rgb;
}

/* By a remover: [h, w, 3]. */
static SfuImage *remove_pass(Pass *a, GError **error)
{
    SfuQueue *q = a->p->s->run->q;
    const gint64 n = (gint64)a->w * a->h;
    SfuImage *in = sfu_image_new(a->w, a->h, 4, error), *rgb = in ? sfu_image_new(a->w, a->h, 3, error) : NULL;
    for (gint64 k = 0; rgb && k < n; k++) {
        const gboolean hole = !a->hard || a->hard->p[k] > 0;
        for (int c = 0; c < 3; c++)
            in->p[4 * k + c] = hole ? 0 : CLAMP(a->original->p[3 * k + c], 0, 1);
        in->p[4 * k + 3] = hole;
    }
    SfuTensor *x = rgb ? sfu_tensor_create(q, SFU_F32, 1, a->h, a->w, 4, error) : NULL, *y = NULL;
    gint64 bad = 0;
    gboolean ok = x && sfu_tensor_write(x, in->p, error) && sfu_remover_forward(a->p->s->remover, &y, x, error) &&
                  sfu_tensor_read(y, rgb->p, error);
    for (gint64 k = 0; ok && k < 3 * n; k++)
        bad += !isfinite(rgb->p[k]);
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

/* With no steps, as a model of a filled condition may ask for, the filled hole is the result. */
static gboolean run_pass(Pass *a, GError **error)
{
    Paint *p = a->p;
    SfuImage *rgb = NULL;
    if (prepare(a, error))
        rgb = p->s->remover      ? remove_pass(a, error)
              : p->s->steps == 0 ? (make_condition(a, error) ? sfu_image_copy(a->condition, error) : NULL)
                                 : diffuse_pass(a, error);
    if (rgb && !p->made)
        p->made = source_rgb(p, error);
    const gboolean ok = rgb && p->made && put_back(a, rgb, p->made, error);
    sfu_image_free(rgb);
    return ok;
}

/* The rectangle of pass k and its working size: all of the context first, then only what is repainted and a margin. */
static void pass_size(const Paint *p, int k, SfuRect *rect, int *w, int *h)
{
    const SfuRegion *r = &p->region;
    const SfuRect c = r->context;
    const int m = p->s->multiple;
    *rect = (SfuRect){0, 0, c.w, c.h};
    *w = r->pass[k].w;
    *h = r->pass[k].h;
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

static gboolean match_colors(Paint *p, GError **error)
{
    if (!p->soft || !sfu_params_bool(p->r->p, SFU_PARAM_COLOR_MATCH))
        return TRUE;
    return sfu_color_match(p->made, p->source, p->soft, CLAMP(MIN(p->made->w, p->made->h) / 32, 4, 32), error);
}

static void plan_work(const Paint *p)
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
        const double px = (double)(w / f) * (h / f) * p->r->n_images;
        const double strength = k == 0 ? p->strength : MIN(REFINE_STRENGTH, p->strength);
        const gboolean edit = s->family->edits, more = s->denoiser->in_channels > s->ae.channels;
        if (s->steps == 0)
            continue; /* nothing but the fill, which says how far it is by itself */
        sfu_run_plan(p->r, SFU_STAGE_ENCODE,
                     px * ((p->source || k > 0 ? !edit : 0) + more + sfu_session_sees_picture(s)));
        sfu_run_plan(p->r, SFU_STAGE_DENOISE, px * s->n_branches * sfu_diffusion_calls(s, strength));
        sfu_run_plan(p->r, SFU_STAGE_DECODE, px * (1 + s->residual));
    }
}

/* Tells what the run will cost, where that can be known. */
static void tell_cost(const Paint *p)
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
        w->n_passes = sfu_diffusion_calls(s, k == 0 ? p->strength : MIN(REFINE_STRENGTH, p->strength));
        w->n_encodes = ((p->source || k > 0) && !edit) + (s->denoiser->in_channels > s->ae.channels) + sees;
        for (int i = 0; i < sees; i++) {
            w->references[i][0] = w->h;
            w->references[i][1] = w->w;
        }
        for (int i = 0; i < p->r->job->n_references; i++)
            sfu_session_reference_size(s, i, &w->references[sees + i][1], &w->references[sees + i][0]);
        w->n_references = s->denoiser->most_references ? sees + p->r->job->n_references : 0;
    }
    if (sfu_session_estimate(s, work, p->region.n_passes, &e))
        sfu_run_tell_estimate(p->r, &e);
}

static gboolean paint_image(Paint *p, GPtrArray *results, GError **error)
{
    g_clear_pointer(&p->made, sfu_image_free);
    g_clear_pointer(&p->patched, sfu_image_free);
    for (int k = 0; k < p->region.n_passes; k++) {
        Pass a = {.p = p,
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
            keep_outside(p, p->made);
    }
    if (p->gray)
        make_gray(p->made);
    if (p->r->task == SFU_TASK_OUTPAINT)
        keep_outside(p, p->made);
    GeglBuffer *b = to_buffer(p, p->made, TRUE, error);
    g_ptr_array_add(results, sfu_result_new(p->r, b, is_masked(p) && p->r->task != SFU_TASK_OUTPAINT));
    return TRUE;
}

gboolean sfu_pipe_paint(SfuSession *s, GPtrArray *results, GError **error)
{
    SfuRun *r = s->run;
    Paint p = {.s = s, .r = r};
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
    gboolean ok = sfu_session_check_references(s, error) && cut_out(&p, error);
    if (ok)
        tell_cost(&p);
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
