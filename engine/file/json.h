/* JSON from outside, guarded. Every JSON text that comes from a file, a picture or another process is read by this.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FILE_JSON_H
#define SFU_FILE_JSON_H

#include <json-glib/json-glib.h>

/* A JSON object from outside: at most max_bytes, UTF-8, not nested deeply (json-glib recurses). path names the source
 * in messages. NULL with SFU_FILE_ERROR_FORMAT; free with json_node_unref(). */
JsonNode *sfu_json_parse(const char *text, gsize n, gsize max_bytes, const char *path, GError **error);

/* json-glib recurses on nesting and keeps the last of two members of one name. This counts, before json-glib sees the
 * text, how deep the brackets go (-1: unbalanced, or followed by more text) and how many strings stand in the outermost
 * object, each of which must be a member's name. */
int sfu_json_depth(const char *text, gsize n, guint *n_names);

/* json-glib makes other numbers of whole ones beyond 64 bits, and ends a text at its first zero (\u0000). TRUE if the
 * text has neither. */
gboolean sfu_json_is_exact(const char *text, gsize n);

/* For messages, the beginning of a text from outside: at most 60 bytes, and no UTF-8 character is cut. */
#define SFU_TEXT_HEAD(text) sfu_text_head((text), (char[64]){0})
const char *sfu_text_head(const char *text, char to[64]);

#endif
