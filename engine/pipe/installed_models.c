/* Which models there are, what each can do, and which one a task uses when none is named.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include "family/adapter_modules.h"

#include <string.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#define MAX_DEPTH 3 /* folders below a model folder that are looked into */

/* What sfu_models() lists: the public part comes first. */
typedef struct {
    SfuModelInfo info;
    const SfuFamily *family; /* NULL: broken */
    int folder;              /* which of those that were searched */
} ListedModel;

static void info_free(gpointer p)
{
    SfuModelInfo *i = p;
    g_free(i->path);
    g_free(i->name);
    g_free(i->title);
    g_free(i->family);
    g_free(i->error);
    g_free(i);
}

static guint64 tree_bytes(const char *path, int depth)
{
    GStatBuf st;
    if (g_stat(path, &st) != 0)
        return 0;
    if (!S_ISDIR(st.st_mode))
        return st.st_size;
    guint64 bytes = 0;
    GDir *dir = depth > 0 ? g_dir_open(path, 0, NULL) : NULL;
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        char *child = g_build_filename(path, name, NULL);
        bytes += tree_bytes(child, depth - 1);
        g_free(child);
    }
    if (dir)
        g_dir_close(dir);
    return bytes;
}

/* What a model that paints must have and this one has not (a UNet alone, as other programs keep it); NULL: it is whole,
 * or what it lacks is found elsewhere. */
static const char *missing_part(SfuModel *m, const SfuFamily *family)
{
    static const SfuPart found_elsewhere[] = {SFU_PART_VAE, SFU_PART_TEXT, SFU_PART_TEXT2};
    const guint texts = family->texts ? family->texts : 1u << SFU_PART_TEXT;
    if (!family->tasks || family->upscaler)
        return NULL;
    for (gsize i = 0; family->fits && i < G_N_ELEMENTS(found_elsewhere); i++) {
        if (found_elsewhere[i] != SFU_PART_VAE && !(texts & 1u << found_elsewhere[i]))
            continue;
        char *path = sfu_model_has_part(m, found_elsewhere[i]) ? NULL : sfu_piece_find(m, found_elsewhere[i], NULL);
        const gboolean lacks = !path && !sfu_model_has_part(m, found_elsewhere[i]);
        g_free(path);
        if (lacks)
            return found_elsewhere[i] == SFU_PART_VAE ? N_("the autoencoder (VAE)") : N_("the text encoder");
    }
    if (family->fits)
        return NULL;
    return !sfu_model_has_part(m, SFU_PART_UNET) ? N_("the UNet")
           : !sfu_model_has_part(m, SFU_PART_VAE) && !sfu_model_has_part(m, SFU_PART_TAESD_DECODER) &&
                   !(family->on_pixels && family->on_pixels(m))
               ? N_("the autoencoder (VAE)")
           : !sfu_model_has_part(m, SFU_PART_TEXT) && !sfu_model_sfumato(m) /* the model in the box has none */
               ? N_("the text encoder")
               : NULL;
}

/* What a model of our own calls itself; of any other the name of its file. Caller frees. */
static char *title_of(const SfuModel *m, const char *name)
{
    JsonObject *own = sfu_model_sfumato(m);
    JsonNode *n = own ? json_object_get_member(own, "name") : NULL;
    const char *title = n && JSON_NODE_HOLDS_VALUE(n) ? json_node_get_string(n) : NULL;
    return g_strdup(title && *title ? title : name);
}

static SfuModelInfo *info_new(const char *path, int folder)
{
    ListedModel *listed = g_new0(ListedModel, 1);
    listed->folder = folder;
    SfuModelInfo *i = &listed->info;
    GError *e = NULL;
    i->path = g_strdup(path);
    i->name = g_path_get_basename(path);
    char *dot = strrchr(i->name, '.');
    if (dot && !g_file_test(path, G_FILE_TEST_IS_DIR))
        *dot = 0;
    i->file_bytes = tree_bytes(path, 2);
    SfuModel *m = sfu_model_open(path, &e);
    if (!m) {
        i->title = g_strdup(i->name);
        i->family = g_strdup("");
        i->error = g_strdup(e->message);
        g_error_free(e);
        return i;
    }
    const SfuFamily *family = listed->family = sfu_model_family(m);
    i->title = title_of(m, i->name);
    i->family = g_strdup(family->name);
    i->tasks = family->tasks;
    i->has_text = sfu_model_has_part(m, SFU_PART_TEXT) || sfu_model_has_part(m, SFU_PART_TEXT2) || family->fits;
    i->native_px = sfu_model_native_px(m);
    i->scale = sfu_model_scale(m);
    i->part = family->part;
    const char *lacks = missing_part(m, family);
    if (lacks) {
        i->error = g_strdup_printf(
            _("It lacks %s, so it cannot paint alone; a whole checkpoint or a diffusers folder can."), _(lacks));
        i->tasks = 0;
    }
    sfu_model_close(m);
    return i;
}

GPtrArray *sfu_models(const char *const *folders)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(info_free);
    for (int k = 0; folders && folders[k]; k++) {
        GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
        sfu_model_files(paths, folders[k], MAX_DEPTH, FALSE);
        for (guint i = 0; i < paths->len; i++)
            g_ptr_array_add(found, info_new(paths->pdata[i], k));
        g_ptr_array_unref(paths);
    }
    return found;
}

#define RANK_RESTORER 8 /* of networks that enlarge by nothing */

/* Smaller is better; -1: not for this task. */
static int rank(const ListedModel *m, SfuTask task)
{
    if (!m->family || !(m->info.tasks & 1u << task))
        return -1;
    if (task != SFU_TASK_UPSCALE)
        return m->family->rank;
    return m->family->enlargement == SFU_ENLARGE_NETWORK && m->info.scale <= 1 ? RANK_RESTORER
                                                                               : m->family->rank_upscale;
}

char *sfu_model_default(GPtrArray *models, SfuTask task)
{
    const ListedModel *best = NULL;
    for (guint i = 0; models && i < models->len; i++) {
        const ListedModel *m = g_ptr_array_index(models, i);
        const int r = rank(m, task);
        if (r >= 0 && (!best || r < rank(best, task)))
            best = m;
    }
    return best ? g_strdup(best->info.path) : NULL;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static gboolean is_its_file(const SfuModelInfo *m, const char *name)
{
    const char *slash = strrchr(m->path, '/');
    return strcmp(slash ? slash + 1 : m->path, name) == 0;
}

static gboolean is_its_name(const SfuModelInfo *m, const char *name)
{
    return strcmp(m->name, name) == 0;
}

static gboolean is_its_title(const SfuModelInfo *m, const char *name)
{
    return sfu_is_same_title(m->title, name) || sfu_is_same_title(m->name, name);
}

/* A model of an earlier folder hides those of its name in later ones, and two paths may lead to one file. */
static gboolean are_rivals(const ListedModel *a, const ListedModel *b)
{
    GStatBuf x, y;
    if (a->folder != b->folder && strcmp(a->info.name, b->info.name) == 0)
        return FALSE;
    return g_stat(a->info.path, &x) != 0 || g_stat(b->info.path, &y) != 0 || x.st_dev != y.st_dev ||
           x.st_ino != y.st_ino;
}

/* What a named model is wanted for. */
typedef struct {
    SfuTask task;     /* SFU_N_TASKS: any */
    const char *part; /* or to give this part; NULL: for the task */
} Use;

static gboolean is_of_use(const ListedModel *m, const Use *use)
{
    if (use->part)
        return !m->info.error && g_strcmp0(m->info.part, use->part) == 0;
    return use->task == SFU_N_TASKS ? !m->info.error : m->info.tasks >> use->task & 1;
}

/* The model that a person calls so: by its file's name, else by its name, else by its title; those that are of use come
 * first. Borrowed. NULL with error if two are meant, without if none is. */
static const SfuModelInfo *named(GPtrArray *models, const char *name, const Use *use, GError **error)
{
    static gboolean (*const is_called[])(const SfuModelInfo *m, const char *name) = {is_its_file, is_its_name,
                                                                                     is_its_title};
    const ListedModel *best = NULL;
    for (gsize way = 0; !best && way < G_N_ELEMENTS(is_called); way++)
        for (guint i = 0; i < models->len; i++) {
            const ListedModel *m = models->pdata[i];
            if (!is_called[way](&m->info, name) || (best && !is_of_use(m, use)))
                continue;
            if (best && is_of_use(best, use) && are_rivals(best, m)) {
                g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL,
                            _("Two models are called \"%s\": %s and %s; name one by its path."), name, best->info.path,
                            m->info.path);
                return NULL;
            }
            if (!best || !is_of_use(best, use))
                best = m;
        }
    return best ? &best->info : NULL;
}

/* Empty: the default for the task. NULL with error if it cannot be said which, without if there is none. */
static char *path_of(const char *name, const Use *use, char **folders, GError **error)
{
    GPtrArray *models = sfu_models((const char *const *)folders);
    char *path = NULL;
    if (*name || use->task == SFU_N_TASKS) {
        const SfuModelInfo *m = named(models, name, use, error);
        path = m && !(use->part && m->error) ? g_strdup(m->path) : NULL;
    } else {
        path = sfu_model_default(models, use->task);
    }
    g_ptr_array_unref(models);
    return path;
}

/* A file as it stands, else what path_of() finds, else what the catalogue calls so. */
static char *resolve(const char *name, const Use *use, char **folders, GError **error)
{
    GError *local = NULL;
    if (*name && g_file_test(name, G_FILE_TEST_EXISTS))
        return g_strdup(name);
    char *path = path_of(name, use, folders, &local);
    if (!path && !local && *name)
        path = sfu_catalogue_file(name, folders, &local);
    if (local)
        g_propagate_error(error, local);
    return path;
}

char *sfu_model_resolve(const char *name, SfuTask task, GError **error)
{
    const Use use = {.task = task};
    GError *local = NULL;
    char **folders = sfu_model_folders(NULL), *path = resolve(name, &use, folders, &local);
    if (local)
        g_propagate_error(error, local);
    else if (!path && (*name || task == SFU_N_TASKS))
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL,
                    _("There is no model \"%s\", neither as a file nor in the model folders."), name);
    else if (!path)
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("No installed model can do %s; put one into %s."),
                    sfu_task_name(task), folders[0]);
    g_strfreev(folders);
    return path;
}

char *sfu_part_resolve(const char *name, const char *part, GError **error)
{
    const Use use = {.part = part};
    GError *local = NULL;
    char **folders = sfu_model_folders(NULL), *path = resolve(name, &use, folders, &local);
    if (local) {
        g_propagate_error(error, local);
    } else if (!path) {
        char *list = g_strjoinv(", ", folders);
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("No %s called \"%s\" was found, neither as a file nor in %s."),
                    part, name, list);
        g_free(list);
    }
    g_strfreev(folders);
    return path;
}

char *sfu_model_report(const char *name, gboolean json, GError **error)
{
    GError *e = NULL;
    char *path = sfu_model_resolve(name, SFU_N_TASKS, error);
    if (!path)
        return NULL;
    SfuModel *m = sfu_model_open(path, &e);
    SfuAdapter *a = NULL;
    SfuFile *f = m ? NULL : sfu_file_open(path, NULL);
    if (f && sfu_adapter_is(f->tensors)) {
        g_clear_error(&e);
        a = sfu_adapter_open(path, &e);
    }
    sfu_file_close(f);
    if (!m && !a) {
        sfu_error_convert(error, e);
        g_free(path);
        return NULL;
    }
    JsonNode *node = !json ? NULL : m ? sfu_model_inspect_json(m) : sfu_adapter_inspect_json(a);
    char *text = node ? json_to_string(node, TRUE) : m ? sfu_model_inspect(m) : sfu_adapter_inspect(a);
    g_clear_pointer(&node, json_node_unref);
    sfu_model_close(m);
    sfu_adapter_close(a);
    g_free(path);
    return text;
}
