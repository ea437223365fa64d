/* Fills for holes in plain C, on bare arrays: nothing of GEGL, OpenCL or the rest of the engine is needed, so that the
 * recipe of the model in the box calls the very same code. Membrane: smooth. Patch fill: copies texture and structure
 * from the surroundings.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PATCH_FILL_H
#define SFU_PATCH_FILL_H

#include <glib.h>

G_BEGIN_DECLS

/* Laplace's equation where known [h, w] is below 1, by a pyramid (push-pull, Gortler 1996) relaxed on every level, on
 * the first `channels` of each pixel's `stride` floats in p [h, w, stride]. Soft values mix. All unknown: 0.5. FALSE:
 * no memory. */
gboolean sfu_membrane(float *p, int w, int h, int stride, int channels, const float *known);

/* Called with the part done so far (0..1), many times a second. FALSE stops the work. */
typedef gboolean (*SfuPatchTick)(double done, gpointer data);

typedef enum { SFU_PATCH_DONE, SFU_PATCH_STOPPED, SFU_PATCH_NO_MEMORY } SfuPatchEnd;

/* Fills rgb [h, w, 3] (perceptual values about 0..1) where mask [h, w] is above 0, with what fits of the known rest:
 * the picture that maximises the coherence of Wexler, Shechtman & Irani 2007 over a pyramid, nearest patches found by
 * PatchMatch (Barnes et al. 2009), and a screened Poisson equation (Perez et al. 2003) that takes seams out. Known
 * pixels are not touched. Holes no wider than thin_px to both sides of their middle get the membrane; so does
 * everything if no whole patch is known. 0: no such exception. Near sources come first. background, 0 to 2, says how
 * firmly the fill shows what is behind: sources that the hole's rim has little of cost more, so that other objects are
 * not copied, unless the hole cuts through them; 0: any source that fits will do, which repairs best. Nothing is copied
 * from where excluded [h, w] is above 0; NULL: from everywhere. The same seed gives the same fill, another another.
 * tick may be NULL. If stopped or out of memory, rgb is as it was. */
SfuPatchEnd sfu_patch_fill(float *rgb, int w, int h, const float *mask, const float *excluded, float background,
                           double thin_px, guint64 seed, SfuPatchTick tick, gpointer data);
/* The thin_px of a model's condition and of masked content: the recipe reads it too, so that it trains on and measures
 * what the engine makes. */
extern const double sfu_patch_thin_px;

/* made [h, w, 3], what a network made of the fill [h, w, 3], stays up to `reach` px into the hole, mask [h, w] above 0;
 * from twice that on it is the fill again. A network that is asked for the likeliest picture knows what lies near the
 * edge and in narrow holes; deeper it leaves out every detail, since nobody can know them. FALSE: no memory. */
gboolean sfu_fill_reach(float *made, const float *fill, const float *mask, int w, int h, float reach);

G_END_DECLS
#endif
