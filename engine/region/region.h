/* Mask and crop geometry: the area to repaint, how much of its surroundings the model sees, and the size at which it
 * works. Host only.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_REGION_H
#define SFU_REGION_H

#include "region/image.h"

G_BEGIN_DECLS

/* Bounds of all non-zero pixels of the mask inside `picture`, and the largest value. FALSE with USAGE if all are
 * zero. */
gboolean sfu_mask_bounds(GeglBuffer *mask, SfuRect picture, SfuRect *bounds, float *max, GError **error);

/* Widens the mask by `grow` and adds a soft edge of `feather` px outside, in place. The grown mask is 1, or keeps
 * the values of a soft mask. The edge falls to exactly 0 at grow + feather px (horizontally and vertically; at
 * corners up to the square of that). Beyond the border, the mask continues as at the border. */
gboolean sfu_mask_soften(SfuImage *mask, int grow, int feather, GError **error);
/* The largest (max) or mean value in each of w x h cells; both sides are divided by whole factors. */
SfuImage *sfu_mask_reduce(const SfuImage *mask, int w, int h, gboolean max, GError **error);
/* The mask at 1/factor of its size without loss: each cell's values, row by row, as its factor * factor channels
 * (torch.nn.functional.pixel_unshuffle). Pixels at the right and the bottom that do not fill a cell are left out. */
SfuImage *sfu_mask_cells(const SfuImage *mask, int factor, GError **error);

/* How far `made` is shifted against `like` [h, w, 3 or more] of the same size, in px: the shift at which their edges
 * fit best where the mask [h, w, 1] (NULL: none) is 0. Both are 0 if nothing shows a shift. */
gboolean sfu_find_shift(const SfuImage *made, const SfuImage *like, const SfuImage *mask, double *dx, double *dy,
                        GError **error);
/* Undoes such a shift in place; edge pixels are repeated. */
gboolean sfu_shift_back(SfuImage *i, double dx, double dy, GError **error);

typedef struct {
    int canvas_w, canvas_h;
    SfuRect bounds;                      /* of the mask, inside the canvas */
    int grow, feather, padding, context; /* px; -1: automatic (not grow) */
    double strength;                     /* the feather shrinks with it */
    int native_px;                       /* side of the model's training pictures */
    int max_px;                          /* longest side that it handles well in one piece */
    int multiple;                        /* working sides are multiples of this */
    int working_size;                    /* 0: automatic; else the longest working side */
    gboolean refine;                     /* allow finer passes */
    double refine_step;                  /* a pass enlarges by at most this; 0: straight to full size */
} SfuRegionOptions;

typedef struct {
    int grow, feather, padding;
    SfuRect mask;    /* bounds widened by grow and feather, inside the canvas: everything that may change */
    SfuRect area;    /* that and the padding */
    SfuRect context; /* what the model sees */
    /* Passes, coarse to fine: working size of the whole context. The first one does what the user asked for, the others
     * refine its result. */
    int n_passes;
    struct {
        int w, h;
    } pass[8];
} SfuRegion;

/* With D the diagonal of the bounds: feather 10 % of D and at least 32 px, times strength; padding 6 % of D;
 * context: the area widened by max(longest canvas side / 16, half the area's mean side), less along its longer side
 * so that it tends to a square, at least 512 px or one and a quarter of the model's native size, shifted inside the
 * canvas. (Krita's diffusion plug-in uses the same numbers.) Working size: the context's own pixels if they lie
 * between the model's native size and max_px. A smaller context is enlarged to the native size, a larger one is
 * reduced and refined. */
void sfu_region_plan(SfuRegion *r, const SfuRegionOptions *o);

/* Tiles of one axis: how many of `tile` long, overlapping by at least `overlap`, cover `length`; evenly spread, each
 * start a multiple of `multiple` except that the last ends at the end. Caller frees starts with g_free. If length <=
 * tile: one, at 0. */
int sfu_tiles(int length, int tile, int overlap, int multiple, int **starts);
/* The same along an axis that wraps around: evenly spread over the circle, each overlapping its neighbors. */
int sfu_tiles_round(int length, int tile, int overlap, int **starts);
/* Ramp weight of position i in a tile [start, start + tile) of an axis `length` long: 1 inside, falling over the
 * overlap with each neighbor, but not at the ends of the axis. Not normalized; > 0 everywhere. */
float sfu_tile_ramp(int i, int tile, int overlap, gboolean first, gboolean last);

G_END_DECLS
#endif
