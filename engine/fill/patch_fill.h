/* Fills for holes in plain C, on plain arrays. They need neither GEGL nor OpenCL nor the rest of the engine, so the
 * recipe of the model in the box calls the same code. The membrane fills smoothly. The patch fill copies texture and
 * structure from the surroundings.
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

/* Keeps the low frequencies of p [h, w, channels]: three running means of 2 radius + 1 pixels, which come close to a
 * Gaussian window with the radius as sigma. Beyond the border there are zeros. FALSE: no memory, p is undefined. */
gboolean sfu_fill_blur(float *p, int w, int h, int channels, int radius);

/* Called with the part done so far (0..1), many times a second. FALSE stops the work. */
typedef gboolean (*SfuPatchTick)(double done, gpointer data);

typedef struct {
    const float *excluded; /* [h, w] pixels above 0 are not copied; NULL: all may be */
    float background;      /* 0 to 2: how strongly the fill prefers what lies behind. Sources that look unlike the rim
                              of the hole cost more, so other objects are not copied unless the hole cuts through them.
                              0: any source that fits, which is best for repairs */
    const float *guide;    /* [h, w, 3] a picture whose low frequencies in the holes the fill follows; NULL: none */
    double thin_px;        /* holes whose edges are at most this far from their middle get the membrane; 0: none do */
    guint64 seed;          /* the same seed gives the same fill */
    SfuPatchTick tick;     /* NULL: none */
    gpointer data;
} SfuPatchOptions;

typedef enum { SFU_PATCH_DONE, SFU_PATCH_STOPPED, SFU_PATCH_NO_MEMORY } SfuPatchEnd;

/* Fills rgb [h, w, 3] (perceptual values about 0..1) where mask [h, w] is above 0, with texture from the known pixels.
 * It maximizes the coherence of Wexler, Shechtman & Irani 2007 over a pyramid, finds nearest patches with PatchMatch
 * (Barnes et al. 2009), and removes seams with a screened Poisson equation (Perez et al. 2003). Known pixels do not
 * change. Near sources are preferred. If no whole patch is known, everything gets the membrane. If stopped or out of
 * memory, rgb is unchanged. */
SfuPatchEnd sfu_patch_fill(float *rgb, int w, int h, const float *mask, const SfuPatchOptions *options);
/* The thin_px for a model's condition and for masked content. The recipe reads it too, so it trains on what the engine
 * makes. */
extern const double sfu_patch_thin_px;

/* Keeps made [h, w, 3], a network's version of the fill [h, w, 3], up to `reach` px into the hole (mask [h, w] above
 * 0). From twice that distance on, made becomes the fill and the low frequencies of what the network changed (a window
 * of about `deep` px as sigma; 0: the fill alone); in between, the two are blended. Near the edge and in narrow holes,
 * a network trained for the least error knows the content. Deeper inside, it knows colors and leaves out all detail,
 * which the fill has. FALSE: no memory. */
gboolean sfu_fill_reach(float *made, const float *fill, const float *mask, int w, int h, float reach, int deep);

G_END_DECLS
#endif
