/* Items of lists that have a form of their own; pairs of A1111's text.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "params/items.h"

#include <string.h>
#include <json-glib/json-glib.h>
#include <glib/gi18n-lib.h>

#include "sfumato.h"

gboolean sfu_item_cut(char *rest, const char *const *keys, const char **key, const char **value)
{
    char *comma = strrchr(rest, ',');
    for (int i = 0; comma && keys[i]; i++) {
        const gsize n = strlen(keys[i]);
        if (g_ascii_strncasecmp(comma + 1, keys[i], n) == 0 && comma[1 + n] == '=') {
            *comma = 0;
            *key = keys[i];
            *value = comma + n + 2;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean sfu_item_once(SfuItem item, const char *const *keys, const char *key, guint *seen, GError **error)
{
    guint bit = 1;
    for (int i = 0; keys[i] != key; i++)
        bit <<= 1;
    const gboolean again = *seen & bit;
    *seen |= bit;
    if (again)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s \"%s\": %s is given twice."), item.kind, item.text, key);
    return !again;
}

gboolean sfu_item_number(SfuItem item, const char *key, const char *value, double min, double max, double *v,
                         GError **error)
{
    char *end = NULL;
    *v = g_ascii_strtod(value, &end);
    if (end != value && !*end && *v >= min && *v <= max)
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s \"%s\": %s is \"%s\"; it goes from %g to %g."), item.kind,
                item.text, key, value, min, max);
    return FALSE;
}

gboolean sfu_item_check_range(SfuItem item, double from, double to, GError **error)
{
    if (from < to)
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s \"%s\": the steps do not contain the range from %g to %g."),
                item.kind, item.text, from, to);
    return FALSE;
}

void sfu_infotext_append(GString *out, const char *key, const char *value)
{
    if (out->len && out->str[out->len - 1] != '\n')
        g_string_append(out, ", ");
    if (strpbrk(value, ",:\n\"")) {
        JsonNode *node = json_node_alloc();
        json_node_init_string(node, value);
        char *quoted = json_to_string(node, FALSE);
        g_string_append_printf(out, "%s: %s", key, quoted);
        g_free(quoted);
        json_node_unref(node);
    } else {
        g_string_append_printf(out, "%s: %s", key, value);
    }
}
