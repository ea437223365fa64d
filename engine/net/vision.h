/* CLIP's image encoder, a ViT: patches of the picture as tokens. Dosovitskiy 2021, figure 1; Radford 2021, section 2.4.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_VISION_H
#define SFU_NET_VISION_H

#include "net/net.h"

G_BEGIN_DECLS

typedef struct SfuVision SfuVision;
/* NULL with MISSING. The model is borrowed. */
SfuVision *sfu_vision_create(SfuQueue *q, SfuModel *model, GError **error);
void sfu_vision_expect(SfuModel *model);
void sfu_vision_destroy(SfuVision *v);
void sfu_vision_unload(SfuVision *v); /* drops the weights' device copies */
/* pixels [side, side, 3], normalized, on the host. *hidden [1, 1, 1 + patches, hidden]: the output of the layer before
 * the last, without a norm; NULL: not wanted. pooled [projection], on the host: the whole picture as one vector; NULL:
 * not wanted. */
gboolean sfu_vision_run(SfuVision *v, SfuTensor **hidden, float *pooled, const float *pixels, GError **error);

G_END_DECLS
#endif
