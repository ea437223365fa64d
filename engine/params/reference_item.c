/* What "--reference" says: a picture, and how a model looks at it.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sfumato.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#include "params/items.h"

static const char *const keys[] = {"weight", "from", "to", "mask", "net", NULL};

void sfu_reference_spec_clear(SfuReferenceSpec *s)
{
    g_free(s->picture);
    g_free(s->mask);
    g_free(s->net);
    *s = (SfuReferenceSpec){0};
}

static gboolean set_key(SfuReferenceSpec *s, SfuItem item, const char *key, const char *value, GError **error)
{
    if (strcmp(key, "weight") == 0)
        return sfu_item_number(item, key, value, -10, 10, &s->weight, error);
    if (strcmp(key, "from") == 0)
        return sfu_item_number(item, key, value, 0, 1, &s->from, error);
    if (strcmp(key, "to") == 0)
        return sfu_item_number(item, key, value, 0, 1, &s->to, error);
    char **to = strcmp(key, "mask") == 0 ? &s->mask : &s->net;
    if (!*value) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s \"%s\": %s names nothing."), item.kind, item.text, key);
        return FALSE;
    }
    g_free(*to);
    *to = g_strdup(value);
    return TRUE;
}

gboolean sfu_reference_spec_read(const char *text, SfuReferenceSpec *s, GError **error)
{
    char *rest = g_strdup(text);
    const char *key, *value;
    gboolean ok = TRUE;
    guint seen = 0;
    const SfuItem item = {"reference", text};
    *s = (SfuReferenceSpec){.weight = 1, .to = 1};
    /* A picture may be called so: what is a file as it stands has no keys. */
    while (ok && !g_file_test(rest, G_FILE_TEST_EXISTS) && sfu_item_cut(rest, keys, &key, &value)) {
        s->keyed = TRUE;
        ok = sfu_item_once(item, keys, key, &seen, error) && set_key(s, item, key, value, error);
    }
    ok = ok && sfu_item_check_range(item, s->from, s->to, error);
    s->picture = rest;
    if (!ok)
        sfu_reference_spec_clear(s);
    return ok;
}
