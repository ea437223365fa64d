/* Style presets.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_STYLES_H
#define SFU_STYLES_H

#include "params/params.h"

G_BEGIN_DECLS

const char *sfu_style_name(int i); /* 0: "none"; NULL outside the range */
/* Prompts with the words of the chosen style. Caller frees both with g_free. */
void sfu_style_apply(const SfuParams *p, char **prompt, char **negative);

G_END_DECLS
#endif
