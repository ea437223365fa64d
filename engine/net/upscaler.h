/* Upscaler networks behind one face; which one, its kind says, how large, the model.
 * The queue and the model are borrowed and must outlive the upscaler. Not thread-safe.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_UPSCALER_H
#define SFU_NET_UPSCALER_H

#include "model/model.h"

G_BEGIN_DECLS

typedef struct SfuUpscaler SfuUpscaler;
typedef struct SfuUpscalerKind SfuUpscalerKind; /* upscaler-parts.h; each network's header has its kind */

/* kind: of the model's family, NULL if it is no upscaler network. NULL with MISSING if a tensor is missing or
 * misshapen, FORMAT if one holds a NaN, FAMILY without a kind. */
SfuUpscaler *sfu_upscaler_create(SfuQueue *q, SfuModel *m, const SfuUpscalerKind *kind, GError **error);
/* Notes in the model which tensors are missing or unexpected. */
void sfu_upscaler_expect(SfuModel *m, const SfuUpscalerKind *kind);
void sfu_upscaler_destroy(SfuUpscaler *u);
/* Output side over input side; 1 for restorers. */
int sfu_upscaler_scale(const SfuUpscaler *u);
/* How far, in input pixels, an output pixel can see. With so much context around it a tile equals the same pixels of
 * the whole, for convolutional networks; for transformers, which can see everything, so much that the seam does not
 * show. */
int sfu_upscaler_margin_px(const SfuUpscaler *u);
/* Whether tiles differ from the whole in spite of their margin, so that they must be blended. */
gboolean sfu_upscaler_sees_all(const SfuUpscaler *u);
/* Input sides must be multiples of this; tiles of a picture should start at multiples too. */
int sfu_upscaler_multiple(const SfuUpscaler *u);
int sfu_upscaler_channels(const SfuUpscaler *u); /* of input and output: 3, or 1 for networks of gray pictures */
/* About the bytes that a pass over w x h input pixels needs at the least, without the weights: on the device, and,
 * where that is the host's memory too, picture and result there. G_MAXINT64 if the device cannot hold one of its
 * tensors whatever is free. */
gint64 sfu_upscaler_bytes(const SfuUpscaler *u, int w, int h);
/* Told during sfu_upscaler_forward(), if the network is a deep one, what share of the pass is done, 0 to 1; FALSE with
 * error ends it. NULL: nobody. */
typedef gboolean (*SfuUpscalerProgress)(double done, gpointer data, GError **error);
void sfu_upscaler_set_progress(SfuUpscaler *u, SfuUpscalerProgress fn, gpointer data);
/* x [1, h, w, channels], R'G'B' or gray from 0 to 1 -> *out [1, h * scale, w * scale, channels], not clamped. The
 * caller frees *out with sfu_tensor_destroy(). SHAPE if the sides do not fit. */
gboolean sfu_upscaler_forward(SfuUpscaler *u, SfuTensor **out, const SfuTensor *x, GError **error);
void sfu_upscaler_unload(SfuUpscaler *u); /* drops the weights' device copies */

G_END_DECLS
#endif
