/* Mask and crop geometry: what is repainted, how much round it the model sees, and at which size it works. Host only.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_REGION_H
#define SFU_REGION_H

#include "region/image.h"

G_BEGIN_DECLS

/* Bounds of every non-zero pixel of the mask inside `picture`, and the largest value. FALSE with USAGE if there is
 * none. */
gboolean sfu_mask_bounds(GeglBuffer *mask, SfuRect picture, SfuRect *bounds, float *max, GError **error);

/* The mask widened by grow and given a soft edge of `feather` px outside that: as it was or 1 on the grown mask,
 * falling to exactly 0 at grow + feather px from it (horizontally and vertically; at corners up to the square of that).
 * Values of a soft mask are kept. Beyond the border the mask goes on as at the border. In place. */
gboolean sfu_mask_soften(SfuImage *mask, int grow, int feather, GError **error);
/* Largest (max) or mean value in each of w x h cells of whole factors. */
SfuImage *sfu_mask_reduce(const SfuImage *mask, int w, int h, gboolean max, GError **error);
/* The mask at 1/factor of its size without loss: each cell's values, row by row, as its factor * factor channels
 * (torch.nn.functional.pixel_unshuffle). What does not fill a cell at the right and at the bottom is left out. */
SfuImage *sfu_mask_cells(const SfuImage *mask, int factor, GError **error);

/* How far `made` was moved against `like` [h, w, 3 or more] of the same size, in px: the place where its edges fit
 * best, where the mask [h, w, 1] (NULL: none) is 0. Both 0 where nothing shows that it was. */
gboolean sfu_find_shift(const SfuImage *made, const SfuImage *like, const SfuImage *mask, double *dx, double *dy,
                        GError **error);
/* Moves the picture back by that, its edge pixels repeated. In place. */
gboolean sfu_shift_back(SfuImage *i, double dx, double dy, GError **error);

typedef struct {
    int canvas_w, canvas_h;
    SfuRect bounds;                      /* of the mask, inside the canvas */
    int grow, feather, padding, context; /* px; -1: automatic (not grow) */
    double strength;                     /* the feather shrinks with it */
    int native_px;                       /* side that the model was trained at */
    int max_px;                          /* longest side it still works well at in one piece */
    int multiple;                        /* working sides are multiples of this */
    int working_size;                    /* 0: automatic; else the longest working side */
    gboolean refine;                     /* allow finer passes */
    double refine_step;                  /* a pass enlarges by at most this; 0: straight to full size */
} SfuRegionOptions;

typedef struct {
    int grow, feather, padding;
    SfuRect mask;    /* bounds widened by grow and feather: all that may change, inside the canvas */
    SfuRect area;    /* that and the padding */
    SfuRect context; /* what the model sees */
    /* Passes, coarse to fine: working size of the whole context. The first starts from what the user asked for, the
     * others refine. */
    int n_passes;
    struct {
        int w, h;
    } pass[8];
} SfuRegion;

/* With D the diagonal of the bounds: feather 10 % of D and at least 32 px, times strength; padding 6 % of D; context:
 * the area widened by max(longest canvas side / 16, half the area's mean side), less along its longer side so that it
 * tends to a square, at least 512 px or one and a quarter of the model's native size, shifted inside the canvas. (The
 * numbers are those that Krita's diffusion plug-in arrived at.) Working size: the context's own pixels where they lie
 * between the model's native size and max_px; enlarged to native where smaller; else reduced, and refined. */
void sfu_region_plan(SfuRegion *r, const SfuRegionOptions *o);

/* Working size for w x h pixels by the same rule, for whole pictures. */
void sfu_region_working_size(int w, int h, int native_px, int max_px, int multiple, int working_size, int *work_w,
                             int *work_h);

/* Tiles of one axis: how many of `tile` long, overlapping by at least `overlap`, cover `length`; evenly spread, each
 * start a multiple of `multiple` except that the last ends at the end. Caller frees starts with g_free. If length <=
 * tile: one, at 0. */
int sfu_tiles(int length, int tile, int overlap, int multiple, int **starts);
/* The same along an axis that wraps round: evenly spread over the circle, each overlapping its neighbors. */
int sfu_tiles_round(int length, int tile, int overlap, int **starts);
/* Ramp weight of position i in a tile [start, start + tile) of an axis `length` long: 1 inside, falling over the
 * overlap with each neighbour, never at the borders of the axis. Not normalised; > 0 everywhere. */
float sfu_tile_ramp(int i, int tile, int overlap, gboolean first, gboolean last);

G_END_DECLS
#endif
