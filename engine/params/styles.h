/* Style presets.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_STYLES_H
#define SFU_STYLES_H

#include "params/params.h"

G_BEGIN_DECLS

/* Built-in styles and those of files: styles.csv in "sfumato" of the system's data folders and of the user's
 * configuration folder, or the files that SFUMATO_STYLES names. Read once. */
const char *sfu_style_name(int i); /* 0: "none"; NULL outside the range */
/* A sentence about a file that should have been read and was not, or not whole; NULL: none. */
const char *sfu_styles_unread(void);
/* Styles in a file's text, for tests. *problem: why not all of them are read; else NULL. */
guint sfu_styles_count(const char *text, gsize n, const char **problem);
/* Prompts with the words of the chosen style. Caller frees both with g_free. */
void sfu_style_apply(const SfuParams *p, char **prompt, char **negative);

G_END_DECLS
#endif
