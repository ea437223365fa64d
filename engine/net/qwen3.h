/* Qwen3 as a text encoder: any size, by the model's configuration. As net.h says of all networks.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_QWEN3_H
#define SFU_NET_QWEN3_H

#include "net/net.h"

G_BEGIN_DECLS

typedef struct SfuQwen3 SfuQwen3;
SfuQwen3 *sfu_qwen3_create(SfuQueue *q, SfuModel *model, GError **error);
void sfu_qwen3_expect(SfuModel *model);
void sfu_qwen3_destroy(SfuQwen3 *e);
void sfu_qwen3_set_trace(SfuQwen3 *e, const SfuTrace *trace); /* copied; NULL: none */
void sfu_qwen3_unload(SfuQwen3 *e);                           /* drops the weights' device copies */

typedef struct {
    const gint32 *tokens; /* [n_tokens] */
    int n_tokens;
    int n_seen;        /* what follows is padding, which no token sees */
    const int *layers; /* [n_layers]: hidden states, 0: the embedding, i: what block i - 1 makes; -1: the last, through
                          the final norm, -2: the one before it */
    int n_layers;
} SfuQwen3Request;
/* -> *hidden [1, 1, n_tokens, n_layers * hidden], fp32: the hidden states side by side. Blocks behind the last one that
 * is asked for are not run. FALSE with MISSING if there are too few. */
gboolean sfu_qwen3_run(SfuQwen3 *e, SfuTensor **hidden, const SfuQwen3Request *request, GError **error);

G_END_DECLS
#endif
