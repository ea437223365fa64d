/* What makes tokens of a picture, and keys and values of those for each cross-attention of a UNet. Ye 2023
 * ("IP-Adapter"), section 3.2. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_IP_ADAPTER_H
#define SFU_NET_IP_ADAPTER_H

#include "net/net.h"

G_BEGIN_DECLS

typedef struct SfuIpAdapter SfuIpAdapter;
/* unet: the model whose UNet is to look; both are borrowed. NULL with MISSING. */
SfuIpAdapter *sfu_ip_adapter_create(SfuQueue *q, SfuModel *model, const SfuModel *unet, GError **error);
/* Notes in the model which tensors of the token network are missing. Only a UNet tells which keys and values are
 * needed. */
void sfu_ip_adapter_expect(SfuModel *model);
void sfu_ip_adapter_destroy(SfuIpAdapter *a);
/* seen [1, 1, 1 or t, image_width]: the picture's one vector, or its hidden states, as the kind wants it -> *tokens
 * [1, 1, n, token_width]. */
gboolean sfu_ip_adapter_run(SfuIpAdapter *a, SfuTensor **tokens, const SfuTensor *seen, GError **error);
/* For SfuImagePrompt; borrowed. */
GHashTable *sfu_ip_adapter_kv(const SfuIpAdapter *a);

/* The cross-attentions of a model's UNet, "down_blocks.0...attn2", in the order in which adapters number them: down,
 * up, middle. Caller unrefs. */
GPtrArray *sfu_ip_adapter_places(const SfuModel *unet);

G_END_DECLS
#endif
