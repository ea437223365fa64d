/* Inside engine/params: parameters that other programs save as JSON.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_OTHER_PROGRAMS_H
#define SFU_OTHER_PROGRAMS_H

#include <glib.h>

/* The same in A1111's words: both prompts, and the line "Steps: 20, Sampler: ...". */
typedef struct {
    char *prompt, *negative, *pairs;
} SfuOtherText;

/* Fills *to from a JSON text of InvokeAI, SwarmUI, Fooocus or RuinedFooocus; free with sfu_other_text_clear(). FALSE:
 * *program is who else saved the text, or NULL if it is no JSON. Signs that mean something else here are said. */
gboolean sfu_other_text_read(const char *text, SfuOtherText *to, const char **program, GPtrArray *warnings);
void sfu_other_text_clear(SfuOtherText *t);

#endif
