/* What the rest of engine/pipe sees of the parameters beside sfumato.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PARAMS_H
#define SFU_PARAMS_H

#include "sfumato.h"

G_BEGIN_DECLS

int sfu_params_int(const SfuParams *p, const char *name);
/* The value given, else the task's default. */
double sfu_params_for(const SfuParams *p, const char *name, SfuTask task);

const char *sfu_style_name(int i); /* 0: "none"; NULL outside the range */
/* Prompts with the words of the chosen style. Caller frees both with g_free. */
void sfu_style_apply(const SfuParams *p, char **prompt, char **negative);

G_END_DECLS
#endif
