/* If the user rotates a layer by 90 degrees or flips it during a run, the result is rotated the same way.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TURNING_H
#define SFU_TURNING_H

#include <gegl.h>

G_BEGIN_DECLS

/* Bits. The transposition comes first: a quarter clockwise is TRANSPOSE | FLIP_X. 0: as it was. */
typedef enum { SFU_TURN_FLIP_X = 1, SFU_TURN_FLIP_Y = 2, SFU_TURN_TRANSPOSE = 4 } SfuTurn;

/* A small sketch of a picture: the means of cells, which are the same cells in all eight orientations. Caller frees
 * with g_free(). */
typedef struct SfuSketch SfuSketch;
SfuSketch *sfu_sketch_new(GeglBuffer *picture);
/* How `now` is rotated against `was`, even if it is gray or was painted on. 0: it is not, or both orientations look
 * alike, or the pixels differ. -1: it was rotated, but the direction is unclear. */
int sfu_sketch_turn(const SfuSketch *was, const SfuSketch *now);

/* A part of `box` after the box was rotated with its upper left corner fixed. */
GeglRectangle sfu_turn_rectangle(int turn, const GeglRectangle *part, const GeglRectangle *box);
/* A rotated copy at x, y. Caller unrefs. */
GeglBuffer *sfu_turn_pixels(int turn, GeglBuffer *pixels, int x, int y);

G_END_DECLS
#endif
