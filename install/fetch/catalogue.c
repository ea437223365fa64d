/* The catalogue of models: read and checked. Whatever it says, nothing is written outside the models' folder and no
 * address but https is asked. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "file/json.h"

#define MAX_CATALOGUE (4 << 20)
#define MAX_FILE_BYTES ((gint64)1 << 42)

G_DEFINE_QUARK(sfu_fetch_error, sfu_fetch_error)

static void file_free(gpointer p)
{
    SfuFetchFile *f = p;
    g_free(f->url);
    g_free(f->path);
    g_free(f->sha256);
    g_free(f);
}

static void model_free(gpointer p)
{
    SfuFetchModel *m = p;
    g_free(m->name);
    g_free(m->title);
    g_free(m->family);
    g_free(m->summary);
    g_free(m->license);
    g_free(m->license_url);
    g_strfreev(m->tasks);
    g_ptr_array_unref(m->files);
    g_free(m);
}

gboolean sfu_fetch_path_is_safe(const char *path)
{
    if (!*path || g_path_is_absolute(path) || strlen(path) > 400 || !g_utf8_validate(path, -1, NULL))
        return FALSE;
    for (const char *p = path; *p; p++)
        if (g_ascii_iscntrl(*p) || *p == '\\' || *p == ':')
            return FALSE;
    char **parts = g_strsplit(path, "/", -1);
    gboolean ok = TRUE;
    for (int i = 0; parts[i]; i++)
        ok = ok && *parts[i] && parts[i][0] != '.' && strlen(parts[i]) <= 200;
    g_strfreev(parts);
    return ok;
}

gboolean sfu_fetch_url_is_safe(const char *url)
{
    GUri *uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    if (!uri)
        return FALSE;
    const char *host = g_uri_get_host(uri), *scheme = g_uri_get_scheme(uri);
    const gboolean local =
        host && (strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0);
    const gboolean ok = host && *host && !g_uri_get_userinfo(uri) &&
                        (strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && local));
    g_uri_unref(uri);
    return ok;
}

static const char *text_member(JsonObject *o, const char *name)
{
    JsonNode *n = json_object_get_member(o, name);
    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING ? json_node_get_string(n)
                                                                                         : NULL;
}

static gint64 bytes_member(JsonObject *o, const char *name)
{
    JsonNode *n = json_object_get_member(o, name);
    const gint64 v =
        n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_INT64 ? json_node_get_int(n) : 0;
    return CLAMP(v, 0, MAX_FILE_BYTES);
}

static double number_member(JsonObject *o, const char *name)
{
    JsonNode *n = json_object_get_member(o, name);
    const double v = n && JSON_NODE_HOLDS_VALUE(n) ? json_node_get_double(n) : 0; /* whole numbers too */
    return v > 0 && v < 1e9 ? v : 0;
}

static gboolean is_sha256(const char *text)
{
    return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static gboolean refuse_entry(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse_entry(GError **error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_propagate_error(error, g_error_new_valist(SFU_FETCH_ERROR, SFU_FETCH_ERROR_CATALOGUE, format, ap));
    va_end(ap);
    return FALSE;
}

static gboolean read_file(SfuFetchModel *m, JsonNode *node, const char *path, GError **error)
{
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return refuse_entry(error, _("%s: the entry \"%s\" lists a file that is not an object."), path, m->name);
    JsonObject *o = json_node_get_object(node);
    const char *url = text_member(o, "url"), *to = text_member(o, "path"), *hash = text_member(o, "sha256");
    if (!url || !sfu_fetch_url_is_safe(url))
        return refuse_entry(error, _("%s: the entry \"%s\" has an address that is not https."), path, m->name);
    if (!to || !sfu_fetch_path_is_safe(to))
        return refuse_entry(error, _("%s: the entry \"%s\" would write outside the models' folder."), path, m->name);
    if (!is_sha256(hash))
        return refuse_entry(error, _("%s: the entry \"%s\" has a file without a SHA-256."), path, m->name);
    SfuFetchFile *f = g_new0(SfuFetchFile, 1);
    *f = (SfuFetchFile){g_strdup(url), g_strdup(to), g_strdup(hash), bytes_member(o, "bytes")};
    g_ptr_array_add(m->files, f);
    return TRUE;
}

static gboolean read_lists(SfuFetchModel *m, JsonObject *o, const char *path, GError **error)
{
    JsonNode *tasks = json_object_get_member(o, "tasks"), *files = json_object_get_member(o, "files");
    GPtrArray *words = g_ptr_array_new();
    JsonArray *a = tasks && JSON_NODE_HOLDS_ARRAY(tasks) ? json_node_get_array(tasks) : NULL;
    for (guint i = 0; a && i < json_array_get_length(a); i++) {
        JsonNode *n = json_array_get_element(a, i);
        if (JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING)
            g_ptr_array_add(words, g_strdup(json_node_get_string(n)));
    }
    g_ptr_array_add(words, NULL);
    m->tasks = (char **)g_ptr_array_free(words, FALSE);
    a = files && JSON_NODE_HOLDS_ARRAY(files) ? json_node_get_array(files) : NULL;
    if (!a || !json_array_get_length(a))
        return refuse_entry(error, _("%s: the entry \"%s\" lists no files."), path, m->name);
    for (guint i = 0; i < json_array_get_length(a); i++)
        if (!read_file(m, json_array_get_element(a, i), path, error))
            return FALSE;
    return TRUE;
}

static gboolean is_true(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
           json_node_get_boolean(node);
}

static SfuFetchModel *read_model(JsonNode *node, const char *path, GError **error)
{
    JsonObject *o = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *name = o ? text_member(o, "name") : NULL;
    if (!name || !sfu_fetch_path_is_safe(name) || strchr(name, '/')) {
        refuse_entry(error, _("%s: the entry \"%s\" has no usable name."), path, name ? name : "?");
        return NULL;
    }
    SfuFetchModel *m = g_new0(SfuFetchModel, 1);
    m->name = g_strdup(name);
    m->title = g_strdup(text_member(o, "title") ? text_member(o, "title") : name);
    m->family = g_strdup(text_member(o, "family"));
    m->summary = g_strdup(text_member(o, "summary"));
    m->license = g_strdup(text_member(o, "license"));
    m->license_url = g_strdup(text_member(o, "license_url"));
    m->non_commercial = is_true(o, "non_commercial");
    m->wordless = is_true(o, "wordless");
    m->memory_bytes = bytes_member(o, "memory_bytes");
    m->approx_bytes = bytes_member(o, "approx_bytes");
    m->tera_ops = number_member(o, "tera_ops");
    m->files = g_ptr_array_new_with_free_func(file_free);
    const gboolean ok = m->license && *m->license
                            ? read_lists(m, o, path, error)
                            : refuse_entry(error, _("%s: the entry \"%s\" has no license."), path, name);
    if (ok)
        return m;
    model_free(m);
    return NULL;
}

GPtrArray *sfu_fetch_catalogue_read(const char *path, GError **error)
{
    char *text = NULL;
    gsize n = 0;
    GError *e = NULL;
    if (!g_file_get_contents(path, &text, &n, &e)) {
        g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_CATALOGUE, _("The catalogue cannot be read: %s."),
                    e->message);
        g_error_free(e);
        return NULL;
    }
    JsonNode *root = sfu_json_parse(text, n, MAX_CATALOGUE, path, &e);
    g_free(text);
    JsonNode *list = root ? json_object_get_member(json_node_get_object(root), "models") : NULL;
    GPtrArray *models = g_ptr_array_new_with_free_func(model_free);
    gboolean ok = list && JSON_NODE_HOLDS_ARRAY(list);
    if (!ok)
        g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_CATALOGUE, "%s",
                    e ? e->message : _("The catalogue has no list of models."));
    JsonArray *a = ok ? json_node_get_array(list) : NULL;
    for (guint i = 0; ok && i < json_array_get_length(a); i++) {
        SfuFetchModel *m = read_model(json_array_get_element(a, i), path, error);
        ok = m != NULL;
        if (m)
            g_ptr_array_add(models, m);
    }
    g_clear_error(&e);
    if (root)
        json_node_unref(root);
    if (ok)
        return models;
    g_ptr_array_unref(models);
    return NULL;
}

const SfuFetchModel *sfu_fetch_catalogue_find(GPtrArray *models, const char *name, GError **error)
{
    for (guint i = 0; i < models->len; i++) {
        const SfuFetchModel *m = g_ptr_array_index(models, i);
        if (g_ascii_strcasecmp(m->name, name) == 0)
            return m;
    }
    g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_CATALOGUE,
                _("The catalogue has no model \"%s\"; `sfumato models --available` lists them."), name);
    return NULL;
}
