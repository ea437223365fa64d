/* Which network steers which model.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FAMILY_CONTROL_LAYOUTS_H
#define SFU_FAMILY_CONTROL_LAYOUTS_H

#include "family/family.h"

/* Whether the ControlNet or T2I-Adapter is one for m's UNet; FALSE with FAMILY and both names. */
gboolean sfu_control_fits(const SfuModel *control, const SfuModel *m, GError **error);
/* Whether the file is whole only over a UNet: control-LoRAs and differences. */
gboolean sfu_control_is_partial(const SfuModel *control);
/* The ControlNet that such a file makes of base's UNet. It borrows from both. Caller frees with sfu_model_close(). */
SfuModel *sfu_control_over(SfuModel *f, SfuModel *base, GError **error);

#endif
