/* The key file with settings, last values and history.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>

#define GROUP "settings"
#define LAST "last"
#define HISTORY "history"
#define HISTORY_LENGTH 40
#define SECONDS "seconds"
#define LOCK_TRIES 100
#define LOCK_WAIT_US 5000

struct SfuSettings {
    GKeyFile *file;      /* as it was read, and what was set since */
    GHashTable *changed; /* keys of GROUP that were set since: only these replace what the file has when it is saved */
    char *path;
    char *device, *precision, *last_action; /* what was lent out */
};

SfuSettings *sfu_settings_load(const char *folder)
{
    SfuSettings *s = g_new0(SfuSettings, 1);
    s->file = g_key_file_new();
    s->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s->path = g_build_filename(folder, "sfumato.ini", NULL);
    g_key_file_load_from_file(s->file, s->path, G_KEY_FILE_KEEP_COMMENTS, NULL);
    return s;
}

void sfu_settings_free(SfuSettings *s)
{
    if (!s)
        return;
    g_key_file_free(s->file);
    g_hash_table_unref(s->changed);
    g_free(s->path);
    g_free(s->device);
    g_free(s->precision);
    g_free(s->last_action);
    g_free(s);
}

char **sfu_settings_folders(const SfuSettings *s)
{
    char **folders = g_key_file_get_string_list(s->file, GROUP, "folders", NULL, NULL);
    return folders ? folders : g_new0(char *, 1);
}

void sfu_settings_set_folders(SfuSettings *s, const char *const *folders)
{
    const gsize n = folders ? g_strv_length((char **)folders) : 0;
    g_key_file_set_string_list(s->file, GROUP, "folders", folders, n);
    g_hash_table_add(s->changed, g_strdup("folders"));
}

char *sfu_settings_get(const SfuSettings *s, const char *key)
{
    return g_key_file_get_string(s->file, GROUP, key, NULL);
}

void sfu_settings_set(SfuSettings *s, const char *key, const char *value)
{
    char *old = sfu_settings_get(s, key);
    const gboolean same = g_strcmp0(old, value && *value ? value : NULL) == 0;
    g_free(old);
    if (same)
        return;
    if (value && *value)
        g_key_file_set_string(s->file, GROUP, key, value);
    else
        g_key_file_remove_key(s->file, GROUP, key, NULL);
    g_hash_table_add(s->changed, g_strdup(key));
}

guint64 sfu_settings_memory_bytes(const SfuSettings *s)
{
    const int mib = g_key_file_get_integer(s->file, GROUP, "memory-mib", NULL);
    return mib > 0 ? (guint64)mib << 20 : 0;
}

/* Keeps other GIMPs from writing between our reading and writing, which takes them some milliseconds. One that hangs
 * (or a network's disk that knows no locks) is not waited for any longer: what it writes is whole all the same. -1: the
 * folder cannot be written, or is not ours. */
static int lock(const SfuSettings *s)
{
    char *folder = g_path_get_dirname(s->path), *path = g_strconcat(s->path, ".lock", NULL);
    g_mkdir_with_parents(folder, 0700);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    for (int i = 0;
         fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR);
         i++)
        g_usleep(LOCK_WAIT_US);
    g_free(folder);
    g_free(path);
    return fd;
}

static void unlock(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* What the file has now, with our changes on it: other GIMPs may have written since it was read. With the lock held. */
static void read_again(SfuSettings *s)
{
    GKeyFile *now = g_key_file_new();
    GHashTableIter i;
    gpointer key;
    if (!g_key_file_load_from_file(now, s->path, G_KEY_FILE_KEEP_COMMENTS, NULL)) { /* there is none yet */
        g_key_file_free(now);
        return;
    }
    g_hash_table_iter_init(&i, s->changed);
    while (g_hash_table_iter_next(&i, &key, NULL)) {
        char *value = g_key_file_get_value(s->file, GROUP, key, NULL);
        if (value)
            g_key_file_set_value(now, GROUP, key, value);
        else
            g_key_file_remove_key(now, GROUP, key, NULL);
        g_free(value);
    }
    g_key_file_free(s->file);
    s->file = now;
}

/* With the lock held. */
static gboolean write_file(SfuSettings *s, GError **error)
{
    if (!g_key_file_save_to_file(s->file, s->path, error)) /* renamed into its place: nobody reads a part */
        return FALSE;
    g_hash_table_remove_all(s->changed);
    return TRUE;
}

gboolean sfu_settings_save(SfuSettings *s, GError **error)
{
    const int fd = lock(s);
    read_again(s);
    const gboolean ok = write_file(s, error);
    unlock(fd);
    return ok;
}

SfuEngineOptions sfu_settings_engine(SfuSettings *s)
{
    g_free(s->device);
    g_free(s->precision);
    s->device = sfu_settings_get(s, "device");
    s->precision = sfu_settings_get(s, "precision");
    return (SfuEngineOptions){
        .device = s->device, .memory_bytes = sfu_settings_memory_bytes(s), .precision = s->precision};
}

/* ---- last values and history ----------------------------------------------------------------------------------------
 */

static void push_history(SfuSettings *s, const char *which, const char *text)
{
    if (!*text)
        return;
    char **old = sfu_settings_history(s, which);
    GPtrArray *list = g_ptr_array_new();
    g_ptr_array_add(list, (gpointer)text);
    for (int i = 0; old[i] && list->len < HISTORY_LENGTH; i++)
        if (strcmp(old[i], text) != 0)
            g_ptr_array_add(list, old[i]);
    g_key_file_set_string_list(s->file, HISTORY, which, (const char *const *)list->pdata, list->len);
    g_ptr_array_unref(list);
    g_strfreev(old);
}

/* A key for how long a model took on the chosen device; paths have characters that keys may not. Caller frees. */
static char *seconds_key(const SfuSettings *s, SfuAction action, const char *model)
{
    char *device = sfu_settings_get(s, "device"), *both = g_strconcat(model, device, NULL);
    char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA1, both, -1);
    char *key = g_strdup_printf("%s-%.12s", sfu_action_info(action)->name, sum);
    g_free(sum);
    g_free(both);
    g_free(device);
    return key;
}

double sfu_settings_seconds(const SfuSettings *s, SfuAction action, const char *model)
{
    char *key = seconds_key(s, action, model);
    const double seconds = g_key_file_get_double(s->file, SECONDS, key, NULL);
    g_free(key);
    return seconds;
}

void sfu_settings_remember(SfuSettings *s, const SfuRequest *r, const char *model, double seconds)
{
    const char *name = sfu_action_info(r->action)->name;
    char *json = sfu_request_to_json(r, 0);
    const int fd = lock(s);
    read_again(s);
    g_key_file_set_string(s->file, LAST, name, json);
    g_key_file_set_string(s->file, LAST, "action", name);
    push_history(s, "prompt", sfu_params_text(r->params, SFU_PARAM_PROMPT));
    push_history(s, "negative", sfu_params_text(r->params, SFU_PARAM_NEGATIVE));
    if (model && *model) {
        char *key = seconds_key(s, r->action, model);
        g_key_file_set_double(s->file, SECONDS, key, seconds);
        g_free(key);
    }
    write_file(s, NULL);
    unlock(fd);
    g_free(json);
}

const char *sfu_settings_last_action(const SfuSettings *s)
{
    SfuSettings *mine = (SfuSettings *)s;
    g_free(mine->last_action);
    mine->last_action = g_key_file_get_string(s->file, LAST, "action", NULL);
    return s->last_action;
}

SfuRequest *sfu_settings_last(const SfuSettings *s, SfuAction action)
{
    if ((int)action < 0 || action >= SFU_N_ACTIONS)
        return NULL;
    char *json = g_key_file_get_string(s->file, LAST, sfu_action_info(action)->name, NULL);
    SfuRequest *r = json ? sfu_request_from_json(json, NULL, NULL) : NULL;
    g_free(json);
    return r;
}

char **sfu_settings_history(const SfuSettings *s, const char *which)
{
    char **list = g_key_file_get_string_list(s->file, HISTORY, which, NULL, NULL);
    return list ? list : g_new0(char *, 1);
}
