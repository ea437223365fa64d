/* One interface for all upscaler networks. The kind says which network, and the model how large it is.
 * The queue and the model are borrowed and must outlive the upscaler. Not thread-safe.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_UPSCALER_H
#define SFU_NET_UPSCALER_H

#include "model/model.h"

G_BEGIN_DECLS

typedef struct SfuUpscaler SfuUpscaler;
typedef struct SfuUpscalerKind SfuUpscalerKind; /* upscaler_parts.h; each network's header declares its kind */

/* kind: of the model's family, NULL if it is not an upscaler network. NULL with MISSING if a tensor is missing or
 * misshapen, FORMAT if one holds a NaN, FAMILY without a kind. */
SfuUpscaler *sfu_upscaler_create(SfuQueue *q, SfuModel *m, const SfuUpscalerKind *kind, GError **error);
/* Records in the model which tensors are missing or unexpected. */
void sfu_upscaler_expect(SfuModel *m, const SfuUpscalerKind *kind);
void sfu_upscaler_destroy(SfuUpscaler *u);
/* Output side over input side; 1 for restorers. */
int sfu_upscaler_scale(const SfuUpscaler *u);
/* How far an output pixel can see, in input pixels. With this margin, a tile of a convolutional network equals the same
 * pixels of the whole. Transformers can see everything; for them, the margin is large enough to hide the seam. */
int sfu_upscaler_margin_px(const SfuUpscaler *u);
/* Whether tiles differ from the whole despite their margin, so that they must be blended. */
gboolean sfu_upscaler_sees_all(const SfuUpscaler *u);
/* Input sides must be multiples of this. Tiles of a picture should also start at multiples. */
int sfu_upscaler_multiple(const SfuUpscaler *u);
/* The side of what the network is given for a picture of that size: a multiple, and not too small. */
int sfu_upscaler_padded(const SfuUpscaler *u, int size);
/* Whether black fills it up, as the authors have it; FALSE: the picture's mirror image. */
gboolean sfu_upscaler_pads_black(const SfuUpscaler *u);
int sfu_upscaler_channels(const SfuUpscaler *u); /* of input and output: 3, or 1 for networks of gray pictures */
/* Channels of noise that the network wants beside the picture; 0 of most. */
int sfu_upscaler_noise(const SfuUpscaler *u);
/* An estimate of the least bytes that a pass over w x h input pixels needs, without the weights. If the device shares
 * the host's memory, it includes picture and result on the host. G_MAXINT64: one tensor is too large for the device. */
gint64 sfu_upscaler_bytes(const SfuUpscaler *u, int w, int h);
/* Deep networks call fn during sfu_upscaler_forward() with the share of the pass that is done, 0 to 1. If fn returns
 * FALSE with error, the pass ends. NULL: no calls. */
typedef gboolean (*SfuUpscalerProgress)(double done, gpointer data, GError **error);
void sfu_upscaler_set_progress(SfuUpscaler *u, SfuUpscalerProgress fn, gpointer data);
/* x [1, h, w, channels], R'G'B' or gray from 0 to 1 -> *out [1, h * scale, w * scale, channels], not clamped. noise:
 * [1, h, w, sfu_upscaler_noise()] of the normal distribution, NULL where that is 0. The caller frees *out with
 * sfu_tensor_destroy(). SHAPE if the sides or the noise do not fit. */
gboolean sfu_upscaler_forward(SfuUpscaler *u, SfuTensor **out, const SfuTensor *x, const SfuTensor *noise,
                              GError **error);

G_END_DECLS
#endif
