/* From the names of original single files and of old diffusers releases to canonical names.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NAMES_H
#define SFU_NAMES_H

#include "model/model.h"

/* The part that a tensor of a single-file checkpoint belongs to, and its canonical name (caller frees with g_free).
 * NULL: not a tensor that Sfumato reads (training state, EMA copies, position numbers). */
char *sfu_name_from_checkpoint(const char *name, SfuPart *part);
/* The canonical form of a name inside a part's own file (diffusers, old or new). Caller frees. */
char *sfu_name_from_diffusers(const char *name, SfuPart part);

#endif
