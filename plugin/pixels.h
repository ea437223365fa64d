/* Moving pixels between GEGL buffers in strips, and the few changes that a result needs on its way into the image.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PIXELS_H
#define SFU_PIXELS_H

#include <gegl.h>

G_BEGIN_DECLS

/* Reads `from` of src as `read`, writes the bytes to dst at (x, y) as `write`. The two formats have the same bytes
 * per pixel: they differ only in the color space, which GIMP 2.10 keeps beside its buffers, not in them. */
void sfu_pixels_copy(GeglBuffer *src, const GeglRectangle *from, const Babl *read, GeglBuffer *dst, int x, int y,
                     const Babl *write);
/* The alpha of `from` of src, as "Y float" to dst at (x, y). */
void sfu_pixels_copy_alpha(GeglBuffer *src, const GeglRectangle *from, GeglBuffer *dst, int x, int y);
/* Those of a rectangle as a new buffer at x, y; src is one of GIMP's, and is unreferenced. Caller unrefs. */
GeglBuffer *sfu_pixels_read(GeglBuffer *src, const GeglRectangle *from, const Babl *read, int x, int y,
                            const Babl *write);
/* Copy with alpha 1 everywhere. Caller unrefs. */
GeglBuffer *sfu_pixels_opaque(GeglBuffer *src);

/* Copy as "R'G'B'A float" with its alpha times the mask ("Y float", whose edge goes on where it is smaller). Caller
 * unrefs. */
GeglBuffer *sfu_pixels_masked(GeglBuffer *pixels, GeglBuffer *mask);
/* Copy of base as "R'G'B'A float" with top over it where that lies (Porter & Duff 1984); base's alpha stays. */
GeglBuffer *sfu_pixels_over(GeglBuffer *base, GeglBuffer *top);
/* Copy as "R'G'B'A float" with its alpha lowered to that of the picture. Caller unrefs. */
GeglBuffer *sfu_pixels_limited(GeglBuffer *pixels, GeglBuffer *picture);
/* Size, format and every bit; not the origin. */
gboolean sfu_pixels_equal(GeglBuffer *a, GeglBuffer *b);
/* Copies with another origin, and scaled cubically to a rectangle ("R'G'B'A float" if the size differs). Caller
 * unrefs. */
GeglBuffer *sfu_pixels_moved(GeglBuffer *pixels, int x, int y);
GeglBuffer *sfu_pixels_cropped(GeglBuffer *pixels, const GeglRectangle *to); /* a part, with an extent of its own */
GeglBuffer *sfu_pixels_scaled(GeglBuffer *pixels, const GeglRectangle *to);

G_END_DECLS
#endif
