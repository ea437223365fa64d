/* Control pictures that are made from an ordinary picture without a network.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_EDGES_H
#define SFU_EDGES_H

#include "region/image.h"

G_BEGIN_DECLS

/* All take and change a picture [h, w, 3] in 0..1, which they look at as 8-bit values. */

/* White edges on black, as OpenCV's Canny() finds them with an aperture of 3 and sums of absolute gradients. Canny
 * 1986. */
gboolean sfu_edges_canny(SfuImage *rgb, double low, double high, GError **error);
/* White lines where the picture is darker than its surroundings, on black. */
gboolean sfu_edges_lines(SfuImage *rgb, GError **error);
/* The same with a threshold, after Winnemoeller 2012's extended difference of Gaussians: thick strokes. */
gboolean sfu_edges_scribble(SfuImage *rgb, GError **error);
gboolean sfu_picture_blur(SfuImage *rgb, double sigma, GError **error);
/* CIE L* in all channels. */
void sfu_picture_luminance(SfuImage *rgb);
void sfu_picture_invert(SfuImage *rgb);

G_END_DECLS
#endif
