/* A layer that is rotated by quarters or flipped while a run works on it: the result is turned along.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TURNING_H
#define SFU_TURNING_H

#include <gegl.h>

G_BEGIN_DECLS

/* Bits. The transposition comes first: a quarter clockwise is TRANSPOSE | FLIP_X. 0: as it was. */
typedef enum { SFU_TURN_FLIP_X = 1, SFU_TURN_FLIP_Y = 2, SFU_TURN_TRANSPOSE = 4 } SfuTurn;

/* A picture small enough to be kept: means of cells, the same ones for all eight ways that it may lie. Caller frees
 * with g_free(). */
typedef struct SfuSketch SfuSketch;
SfuSketch *sfu_sketch_new(GeglBuffer *picture);
/* How `now` is turned against `was`; a gray or painted copy is told, too. 0 also where both look alike, and for other
 * pixels. -1: it was turned, but in which way cannot be told. */
int sfu_sketch_turn(const SfuSketch *was, const SfuSketch *now);

/* A part of `box` after the box was turned, its upper left corner staying where it is. */
GeglRectangle sfu_turn_rectangle(int turn, const GeglRectangle *part, const GeglRectangle *box);
/* A turned copy at x, y. Caller unrefs. */
GeglBuffer *sfu_turn_pixels(int turn, GeglBuffer *pixels, int x, int y);

G_END_DECLS
#endif
