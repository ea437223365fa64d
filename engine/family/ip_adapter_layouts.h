/* Which IP-Adapter is for which model, and which image encoder for which IP-Adapter.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FAMILY_IP_ADAPTER_LAYOUTS_H
#define SFU_FAMILY_IP_ADAPTER_LAYOUTS_H

#include "family/family.h"
#include "net/ip_adapter.h"
#include "net/vision.h"

/* Whether the adapter is one for m's UNet; FALSE with FAMILY and both names. */
gboolean sfu_ip_adapter_fits(const SfuModel *adapter, const SfuModel *m, GError **error);
/* Whether the model's image encoder gives what the adapter was trained to see; FALSE with FAMILY and the numbers. */
gboolean sfu_ip_adapter_takes(const SfuModel *adapter, const SfuModel *vision, GError **error);

#endif
