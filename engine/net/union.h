/* The part that ControlNet-Union adds to a ControlNet: it is told the kind of its picture and mixes the picture in
 * accordingly. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_UNION_H
#define SFU_NET_UNION_H

#include "net/trunk.h"

typedef struct SfuUnion SfuUnion;

/* Binds its tensors from the trunk's part. The trunk is borrowed. */
SfuUnion *sfu_union_bind(SfuTrunk *trunk, int n_types);
void sfu_union_free(SfuUnion *u);
void sfu_union_set_type(SfuUnion *u, int type);
/* Adds the kind's embedding to that of the added conditions. */
gboolean sfu_union_add_type(SfuUnion *u, GError **error);
/* Adds the picture's embedding [n, h, w, c0] to s->h, each sample's channels moved by what a small transformer makes
 * of the means of both. */
gboolean sfu_union_mix(SfuUnion *u, SfuTrunkState *s, const SfuTensor *hint, GError **error);

#endif
