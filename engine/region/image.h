/* Pictures on the host: planes of floats cut out of GEGL buffers, and resampling.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_IMAGE_H
#define SFU_IMAGE_H

#include <gegl.h>

G_BEGIN_DECLS

/* [h, w, c] floats, channels last. */
typedef struct {
    int w, h, c;
    float *p;
} SfuImage;

typedef struct {
    int x, y, w, h;
} SfuRect;

/* Zeroed. NULL with MEMORY if the host has not that much. Caller frees with sfu_image_free(). */
SfuImage *sfu_image_new(int w, int h, int c, GError **error);
void sfu_image_free(SfuImage *i);
SfuImage *sfu_image_copy(const SfuImage *i, GError **error);

/* A rectangle of a buffer as R'G'B'A float in sRGB, straight alpha (c = 4), or as Y float (c = 1, for masks: no color
 * conversion of what a mask holds). Outside the buffer's extent: 0. */
SfuImage *sfu_image_read(GeglBuffer *b, SfuRect r, int c, GError **error);
SfuImage *sfu_image_read_as(GeglBuffer *b, SfuRect r, const Babl *format, GError **error); /* in any format of floats */
/* A new buffer whose extent begins at x, y. c = 4: R'G'B'A float; 3: R'G'B' float. Caller unrefs. */
GeglBuffer *sfu_image_to_buffer(const SfuImage *i, int x, int y);
/* TRUE if the buffer's color model has no color. */
gboolean sfu_buffer_is_gray(GeglBuffer *b);

/* First n channels. */
SfuImage *sfu_image_channels(const SfuImage *i, int first, int n, GError **error);
/* A rectangle whose corner is in the picture; beyond the right and lower edges the picture again. */
SfuImage *sfu_image_crop_round(const SfuImage *i, SfuRect r, GError **error);
/* Larger at the right and lower edges: zeros, or mirror, the picture mirrored about its last pixels (PyTorch's
 * "reflect"); beyond its mirror image, that one's last pixels. */
SfuImage *sfu_image_pad(const SfuImage *i, int w, int h, gboolean mirror, GError **error);
/* A rectangle; outside the picture the nearest edge pixel. */
SfuImage *sfu_image_crop(const SfuImage *i, SfuRect r, GError **error);

/* Separable resampling by a kernel that is widened when reducing (every source pixel counts). BICUBIC is Keys 1981 with
 * a = -0.5; LANCZOS has three lobes; AREA is the mean over the covered area. Edges: the kernel is cut off and its
 * weights made to sum to one. */
typedef enum {
    SFU_RESAMPLE_AREA,
    SFU_RESAMPLE_LINEAR,
    SFU_RESAMPLE_BICUBIC,
    SFU_RESAMPLE_LANCZOS,
    SFU_RESAMPLE_NEAREST
} SfuResample;
SfuImage *sfu_image_resample(const SfuImage *i, int w, int h, SfuResample kernel, GError **error);
/* The same of a picture that continues at its other side along x (wrap 1), y (2) or both (3). */
SfuImage *sfu_image_resample_round(const SfuImage *i, int w, int h, SfuResample kernel, int wrap, GError **error);
typedef struct {
    int from_w, from_h, to_w, to_h;
    SfuResample kernel;
} SfuScaling;
/* sfu_image_resample() on part of the target: its rectangle `out`, where i holds rectangle `in` of the source. `in`
 * must contain what sfu_resample_reach() says. */
SfuImage *sfu_image_resample_part(const SfuImage *i, SfuScaling s, SfuRect in, SfuRect out, GError **error);
SfuRect sfu_resample_reach(SfuScaling s, SfuRect out);

/* 0..1, and exactly 0 or 1 where only rounding is between (less than a 16-bit step): opaque must stay opaque. */
float sfu_clean_alpha(float a);

/* The sRGB curve (IEC 61966-2-1), also for values outside 0..1, in place on the first three channels (or the only one).
 */
void sfu_image_to_linear(SfuImage *i);
void sfu_image_from_linear(SfuImage *i);

G_END_DECLS
#endif
