/* What the files of the painting pipelines share (paint.c). Private to them.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PAINT_H
#define SFU_PAINT_H

#include "pipe.h"
#include "region/region.h"

G_BEGIN_DECLS

/* What the area under the mask holds at the start, in the order of the parameter's choices. */
typedef enum {
    SFU_CONTENT_FILL,
    SFU_CONTENT_ORIGINAL,
    SFU_CONTENT_NOISE,
    SFU_CONTENT_NOTHING,
    SFU_CONTENT_PATCH
} SfuContent;

/* A run over one job. */
typedef struct {
    SfuSession *s;
    SfuRun *r;
    SfuRect canvas;     /* in the picture's coordinates; outpainting: larger than the picture */
    SfuRegion region;   /* relative to the canvas */
    SfuImage *source;   /* [context, 4]: the picture there, colors continued under transparency; NULL: text to image */
    SfuImage *hard;     /* [context, 1] 1: repainted, 0: kept; NULL: everything is repainted */
    SfuImage *soft;     /* [context, 1] the hard mask with its feathered edge */
    SfuImage *excluded; /* [context, 1] 1: nothing is taken from there; NULL: none */
    SfuImage *made;     /* [context, 3] the best so far */
    SfuImage *patched;  /* [context, 3] the picture, its hole filled with patches; NULL: not asked for yet */
    gboolean is_draft;  /* this round only makes a guide: at half the size */
    SfuImage *guide;    /* [context, 3] whose low frequencies that fill follows; NULL: the first one */
    double strength;
    gboolean gray;
    GPtrArray *references; /* SfuImage*: latents of the job's references */
} SfuPaint;

/* What the sides of a round's pictures are divided by, for pictures whose shorter side has so many pixels. */
static inline int sfu_paint_divisor(const SfuPaint *p, double px)
{
    enum { LEAST_DRAFT_PX = 256 };
    return p->is_draft && px >= LEAST_DRAFT_PX ? 2 : 1;
}

/* A pass over `rect` of the context at w x h working pixels. */
typedef struct {
    SfuPaint *p;
    SfuRect rect;
    int w, h;
    double strength;
    gboolean first, last;
    SfuImage *start;       /* [w x h, 3] what the area under the mask holds at the start */
    SfuImage *original;    /* [w x h, 3] */
    SfuImage *hard, *soft; /* [w x h, 1], NULL: everything */
    SfuImage *condition;   /* [w x h, 3] the picture with its hole filled, as the network was shown it */
} SfuPass;

/* ---- paint_area.c ---- */

/* Whether a part of the canvas is worked on, and the rest stays. A network that sees the picture beside its own can
 * edit a part of it; InstructPix2Pix edits all. */
gboolean sfu_paint_is_masked(const SfuPaint *p);

/* Plans the region and reads the source, masks and excluded area there. */
gboolean sfu_paint_cut_out(SfuPaint *p, GError **error);

/* ---- paint_start.c ---- */

/* Makes start, original and the masks of a pass. */
gboolean sfu_pass_prepare(SfuPass *a, GError **error);

/* Makes `condition`: the picture, its hole filled as the model learned it. */
gboolean sfu_pass_make_condition(SfuPass *a, GError **error);

/* The channels [lh, lw, n] that the network sees beside the noisy latent. 9-channel models: mask, masked picture;
 * editing: the picture, latents not scaled; sfumato-mini: the filled picture, that filled smoothly where the model
 * wants both, cells of the mask. *extra, which the caller frees, stays NULL for models without. */
gboolean sfu_pass_make_extra(SfuPass *a, int lw, int lh, SfuImage **extra, GError **error);

/* Latents x0 under the mask become noise of their own, or nothing. */
void sfu_pass_replace_content(const SfuPass *a, SfuImage *x0, SfuContent content);

/* ---- paint_pass.c ---- */

/* The pass's picture [h, w, 3] by the diffusion model; caller frees. */
SfuImage *sfu_pass_diffuse(SfuPass *a, GError **error);

/* The same by a remover. */
SfuImage *sfu_pass_remove(SfuPass *a, GError **error);

/* ---- paint_result.c ---- */

void sfu_paint_make_gray(SfuImage *i);

/* Puts a pass's picture [any size, 3] into the context picture `into`. */
gboolean sfu_pass_put_back(const SfuPass *a, const SfuImage *made, SfuImage *into, GError **error);

/* Outside the soft mask `made` [context, 3] becomes the source again. */
void sfu_paint_keep_outside(const SfuPaint *p, SfuImage *made);

/* The source's colors [context, 3], black without one; caller frees. */
SfuImage *sfu_paint_source_rgb(const SfuPaint *p, GError **error);

/* What lies in the result's rectangle, from a context picture and, for outpainting, the picture beside it. Caller
 * unrefs. */
GeglBuffer *sfu_paint_to_buffer(const SfuPaint *p, const SfuImage *context_rgb, gboolean alpha, GError **error);

/* SfuDiffusion's preview; data: the pass. */
gboolean sfu_pass_preview(gpointer data, const SfuImage *denoised, int step, GError **error);

G_END_DECLS
#endif
