/* Smooth continuation into holes, and color match of what was filled in. Host only.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FILL_H
#define SFU_FILL_H

#include "region/image.h"
#include "fill/patch_fill.h"

G_BEGIN_DECLS

/* Fills where known [h, w, 1] is below 1 with a membrane stretched over the known pixels: Laplace's equation, by a
 * pyramid (push-pull, Gortler 1996) relaxed on every level. Soft values mix. All unknown: 0.5. Works on the first
 * `channels` channels of i. */
gboolean sfu_fill(SfuImage *i, int channels, const SfuImage *known, GError **error);

/* The same for what mask [h, w, 1] covers (above 0), with texture copied from the rest: sfu_patch_fill(). FALSE with
 * MEMORY, or if the options' tick stopped it, which then has set the error. */
gboolean sfu_fill_with_patches(SfuImage *rgb, const SfuImage *mask, const SfuPatchOptions *options, GError **error);

/* sfu_fill_reach(). made, fill [h, w, 3], mask [h, w, 1]. */
gboolean sfu_fill_deep(SfuImage *made, const SfuImage *fill, const SfuImage *mask, float reach, int deep,
                       GError **error);

/* Adds to made [h, w, >= 3] what it differs by from original outside the mask, in cells of cell_px, carried through the
 * mask as a membrane: brightness and color meet the surroundings without a step. mask [h, w, 1]. No effect if the mask
 * covers everything. */
gboolean sfu_color_match(SfuImage *made, const SfuImage *original, const SfuImage *mask, int cell_px, GError **error);
/* The same for a picture that was made anew as a whole: a tint that it has all over, small enough not to be meant, is
 * taken off. Where fewer than two thirds of the pixels differ by the tint alone, nothing happens. Both [h, w, 3 or
 * more]. */
void sfu_tint_match(SfuImage *made, const SfuImage *original);

/* Colors under transparency (channel 4) are replaced by a continuation of the opaque ones, so that no fringe is seen.
 */
gboolean sfu_extend_under_alpha(SfuImage *rgba, GError **error);

G_END_DECLS
#endif
