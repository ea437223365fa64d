/* JSON from outside, guarded: size, nesting and UTF-8 are checked before json-glib sees it.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/json.h"
#include "file/file.h"
#include <string.h>
#include <glib/gi18n-lib.h>

int sfu_json_depth(const char *s, gsize n, guint *n_names)
{
    int depth = 0, deepest = 0;
    *n_names = 0;
    for (gsize i = 0; i < n; i++) {
        if (deepest && !depth && !g_ascii_isspace(s[i]))
            return -1;
        if (s[i] == '"') {
            *n_names += depth == 1;
            for (i++; i < n && s[i] != '"'; i++)
                i += s[i] == '\\';
        } else if (s[i] == '{' || s[i] == '[') {
            depth++;
            deepest = MAX(deepest, depth);
        } else if ((s[i] == '}' || s[i] == ']') && --depth < 0)
            return -1;
    }
    return depth ? -1 : deepest;
}

gboolean sfu_json_is_exact(const char *text, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        if (text[i] == '"') {
            for (i++; i < n && text[i] != '"'; i++) {
                if (text[i] == '\\' && n - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0)
                    return FALSE;
                i += text[i] == '\\';
            }
        } else if (g_ascii_isdigit(text[i])) {
            gsize end = i;
            while (end < n && (g_ascii_isalnum(text[end]) || strchr("+-.", text[end])) && text[end])
                end++;
            char *number = g_strndup(text + i, end - i);
            const gboolean fits = end - i < 19 || strpbrk(number, ".eE") ||
                                  g_ascii_string_to_unsigned(number, 10, 0, G_MAXINT64, NULL, NULL);
            g_free(number);
            if (!fits)
                return FALSE;
            i = end - 1;
        }
    }
    return TRUE;
}

#define MAX_DEPTH 16

JsonNode *sfu_json_parse(const char *text, gsize n, gsize max_bytes, const char *path, GError **error)
{
    guint names;
    if (n > max_bytes) {
        sfu_file_fail(error, path, _("the JSON has %zu bytes, more than %zu"), n, max_bytes);
        return NULL;
    }
    const int depth = sfu_json_depth(text, n, &names);
    if (depth <= 0 || depth > MAX_DEPTH || !g_utf8_validate(text, (gssize)n, NULL)) {
        sfu_file_fail(error, path, "%s",
                      depth > MAX_DEPTH ? _("its JSON has too many levels")
                      : depth < 0       ? _("its JSON has a bracket too many or too few, or text behind the last one")
                      : depth == 0      ? _("no JSON object")
                                        : _("its JSON is not UTF-8"));
        return NULL;
    }
    JsonParser *parser = json_parser_new();
    GError *json = NULL;
    JsonNode *node = NULL;
    if (!json_parser_load_from_data(parser, text, (gssize)n, &json)) {
        sfu_file_fail(error, path, _("no JSON: %s"), json->message);
        g_error_free(json);
    } else {
        node = json_parser_steal_root(parser);
        if (node && !JSON_NODE_HOLDS_OBJECT(node))
            g_clear_pointer(&node, json_node_unref);
        if (!node)
            sfu_file_fail(error, path, _("no JSON object"));
    }
    g_object_unref(parser);
    return node;
}

const char *sfu_text_head(const char *text, char to[64])
{
    gsize n = MIN(strlen(text), 60);
    while (text[n] && n > 0 && ((guint8)text[n] & 0xc0) == 0x80) /* the middle of a UTF-8 character */
        n--;
    memcpy(to, text, n);
    to[n] = 0;
    return to;
}
