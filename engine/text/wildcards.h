/* Words that are left to chance: {a|b|c} and __name__. No file is read here.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_WILDCARDS_H
#define SFU_WILDCARDS_H

#include <glib.h>

G_BEGIN_DECLS

/* The lines that __name__ is one of: char*, at least one; caller unrefs. NULL with error. */
typedef GPtrArray *(*SfuWildcardLines)(const char *name, gpointer data, GError **error);
/* The text with a choice in place of each wildcard, as the web UI's extension Dynamic Prompts reads them: {a|b|c} one
 * of them, {2$$a|b|c} two of them with commas between, {1-3$$ and $$a|b|c} one to three with another word between,
 * {3::a|b} a three times as often; __name__ one of lines(name). Choices may hold choices. A seed makes the same choices
 * everywhere. Braces without | or $$ are text. Caller frees; NULL with UTF8, LENGTH or WILDCARD, or lines' error. */
char *sfu_wildcards_resolve(const char *text, guint64 seed, SfuWildcardLines lines, gpointer data, GError **error);
/* The text with a backslash before each brace and wildcard that sfu_wildcards_resolve() would replace: words that a
 * picture was made with are left to chance no more. CLIP's prompt syntax drops the backslash. Caller frees. */
char *sfu_wildcards_escape(const char *text);

G_END_DECLS
#endif
