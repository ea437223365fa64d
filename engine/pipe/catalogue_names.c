/* Models by the names that the catalogue gives them, which `sfumato models get` takes: where their files were put.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include "file/json.h"

#include <glib/gi18n-lib.h>

#define MAX_BYTES ((gsize)4 << 20)

gboolean sfu_is_same_title(const char *a, const char *b)
{
    if (!a || !g_utf8_validate(a, -1, NULL) || !g_utf8_validate(b, -1, NULL))
        return FALSE;
    char *x = g_utf8_casefold(a, -1), *y = g_utf8_casefold(b, -1);
    const gboolean same = g_str_equal(x, y);
    g_free(x);
    g_free(y);
    return same;
}

static const char *text_of(JsonObject *o, const char *name)
{
    JsonNode *n = o ? json_object_get_member(o, name) : NULL;
    return n && json_node_get_value_type(n) == G_TYPE_STRING ? json_node_get_string(n) : NULL;
}

static JsonArray *list_of(JsonObject *o, const char *name)
{
    JsonNode *n = o ? json_object_get_member(o, name) : NULL;
    return n && JSON_NODE_HOLDS_ARRAY(n) ? json_node_get_array(n) : NULL;
}

static JsonObject *object_at(JsonArray *list, guint i)
{
    JsonNode *n = list && i < json_array_get_length(list) ? json_array_get_element(list, i) : NULL;
    return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

/* The entry of a catalogue; the first of its files is the model, the others are its pieces. NULL: none. */
static JsonObject *entry_called(JsonObject *catalogue, const char *name)
{
    JsonArray *all = list_of(catalogue, "models");
    JsonObject *titled = NULL;
    for (guint i = 0; all && i < json_array_get_length(all); i++) {
        JsonObject *m = object_at(all, i);
        if (g_strcmp0(text_of(m, "name"), name) == 0)
            return m;
        if (!titled && (sfu_is_same_title(text_of(m, "title"), name) || sfu_is_same_title(text_of(m, "name"), name)))
            titled = m;
    }
    return titled;
}

/* Caller frees. NULL with error if the catalogue at that path has the model and no folder does, without if it has not.
 */
static char *file_in(const char *path, const char *name, char **folders, GError **error)
{
    char *text = NULL, *found = NULL;
    gsize n = 0;
    JsonNode *node = g_file_get_contents(path, &text, &n, NULL) ? sfu_json_parse(text, n, MAX_BYTES, path, NULL) : NULL;
    JsonObject *m = node ? entry_called(json_node_get_object(node), name) : NULL;
    const char *file = text_of(object_at(list_of(m, "files"), 0), "path"), *own = text_of(m, "name");
    for (int i = 0; file && folders[i] && !found; i++) {
        char *place = g_build_filename(folders[i], file, NULL);
        if (g_file_test(place, G_FILE_TEST_EXISTS))
            found = g_steal_pointer(&place);
        g_free(place);
    }
    if (file && own && !found)
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL,
                    _("The model \"%s\" has not been downloaded; `sfumato models get %s` downloads it."), name, own);
    if (node)
        json_node_unref(node);
    g_free(text);
    return found;
}

char *sfu_catalogue_file(const char *name, char **folders, GError **error)
{
    GError *local = NULL;
    char *found = NULL;
    for (int i = 0; folders[i] && !found && !local; i++) {
        char *parent = g_path_get_dirname(folders[i]); /* share/sfumato beside share/sfumato/models */
        const char *const places[] = {folders[i], parent};
        for (gsize k = 0; k < G_N_ELEMENTS(places) && !found && !local; k++) {
            char *path = g_build_filename(places[k], "catalogue.json", NULL);
            found = file_in(path, name, folders, &local);
            g_free(path);
        }
        g_free(parent);
    }
    if (local)
        g_propagate_error(error, local);
    return found;
}
