/* Items of lists that have a form of their own.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "params/items.h"

#include <string.h>
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

gboolean sfu_item_number(const char *kind, const char *text, const char *key, const char *value, double min, double max,
                         double *v, GError **error)
{
    char *end = NULL;
    *v = g_ascii_strtod(value, &end);
    if (end != value && !*end && *v >= min && *v <= max)
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s \"%s\": %s is \"%s\"; it goes from %g to %g."), kind, text,
                key, value, min, max);
    return FALSE;
}

gboolean sfu_item_check_range(const char *kind, const char *text, double from, double to, GError **error)
{
    if (from < to)
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s \"%s\": the steps do not contain the range from %g to %g."),
                kind, text, from, to);
    return FALSE;
}
