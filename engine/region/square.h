/* The middle square of a picture, as CLIP's image encoders see it.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_SQUARE_H
#define SFU_SQUARE_H

#include "region/image.h"

/* rgb [h, w, 3] in 0..1 -> [side, side, 3], normalized with CLIP's means and deviations: the shorter side becomes
 * `side` (bicubic), the middle is cut out. In whole numbers of 8 bits after each direction, so that an 8-bit picture
 * becomes to the bit what transformers' CLIPImageProcessor with Pillow 11 makes of it. Caller frees. */
SfuImage *sfu_clip_square(const SfuImage *rgb, int side, GError **error);

#endif
