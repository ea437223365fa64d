/* Wildcards' files, and prompts with their choices made.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include "text/wildcards.h"
#include <string.h>
#include <glib/gi18n-lib.h>

#define MOST_BYTES (16 << 20) /* of a file */

/* Appends the file's lines that are neither empty nor a comment. */
static gboolean read_lines(const char *path, GPtrArray *lines, GError **error)
{
    char *text = NULL;
    gsize n = 0;
    GError *local = NULL;
    if (!g_file_get_contents(path, &text, &n, &local)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The wildcards of %s cannot be read: %s"), path,
                    local->message);
        g_error_free(local);
        return FALSE;
    }
    if (n > MOST_BYTES || !g_utf8_validate(text, (gssize)n, NULL)) {
        g_free(text);
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The wildcards in %s are not UTF-8 text of at most %d bytes."),
                    path, MOST_BYTES);
        return FALSE;
    }
    const char *from = g_str_has_prefix(text, "\xef\xbb\xbf") ? text + 3 : text;
    char **all = g_strsplit_set(from, "\r\n", -1); /* empty ones do not count */
    for (int i = 0; all[i]; i++) {
        g_strstrip(all[i]);
        if (*all[i] && *all[i] != '#')
            g_ptr_array_add(lines, g_strdup(all[i]));
    }
    g_strfreev(all);
    g_free(text);
    return TRUE;
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Paths of the files that a name means; with a * in it there may be several. Caller unrefs. */
static GPtrArray *files_of(const char *name)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    if (!strchr(name, '*')) {
        char *path = sfu_named_find(SFU_NAMED_WILDCARD, name);
        if (path)
            g_ptr_array_add(paths, path);
        return paths;
    }
    GHashTable *all = sfu_named_list(SFU_NAMED_WILDCARD, TRUE);
    GHashTableIter it;
    gpointer key, path;
    g_hash_table_iter_init(&it, all);
    while (g_hash_table_iter_next(&it, &key, &path))
        if (g_pattern_match_simple(name, key))
            g_ptr_array_add(paths, g_strdup(path));
    g_hash_table_unref(all);
    g_ptr_array_sort(paths, by_text); /* the same seed, the same choice */
    return paths;
}

static GPtrArray *lines_of(const char *name, gpointer data, GError **error)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free), *paths = files_of(name);
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < paths->len; i++)
        ok = read_lines(paths->pdata[i], lines, error);
    if (ok && !lines->len) {
        char **folders = sfu_model_folders(NULL), *list = g_strjoinv(", ", folders);
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    paths->len ? _("The wildcard __%s__ has a file without lines (%s).")
                               : _("No wildcard __%s__ was found in a folder called wildcards in %s."),
                    name, paths->len ? (const char *)paths->pdata[0] : list);
        g_free(list);
        g_strfreev(folders);
    }
    g_ptr_array_unref(paths);
    if (lines->len && ok)
        return lines;
    g_ptr_array_unref(lines);
    return NULL;
}

gboolean sfu_run_prompts(SfuRun *r, char **prompt, char **negative, gboolean *chance, GError **error)
{
    static const SfuParam params[] = {SFU_PARAM_PROMPT, SFU_PARAM_NEGATIVE};
    char *words[2], *chosen[2];
    sfu_style_apply(r->job->params, &words[0], &words[1]);
    if (sfu_params_int(r->job->params, SFU_PARAM_STYLE) && sfu_styles_unread()) /* one of them may be meant */
        sfu_run_note(r, "%s", sfu_styles_unread());
    for (int i = 0; i < 2; i++) /* streams of their own: another prompt leaves the negative one's choices */
        chosen[i] = i && !chosen[0]
                        ? NULL
                        : sfu_wildcards_resolve(words[i], r->seed + (guint64)i * 1000003, lines_of, NULL, error);
    const gboolean ok = chosen[1] != NULL;
    *chance = ok && (strcmp(words[0], chosen[0]) != 0 || strcmp(words[1], chosen[1]) != 0);
    for (int i = 0; i < 2; i++) {
        if (*chance) /* with the style's words in them */
            sfu_params_put_text(r->p, params[i], chosen[i]);
        else if (sfu_params_given(r->job->params, params[i]))
            sfu_params_put_text(r->p, params[i], sfu_params_text(r->job->params, params[i]));
        g_free(words[i]);
    }
    if (*chance)
        sfu_params_unset(r->p, SFU_PARAM_STYLE);
    *prompt = chosen[0];
    *negative = chosen[1];
    if (!ok)
        g_free(chosen[0]);
    return ok;
}
