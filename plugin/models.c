/* Which models there are, and which one an action uses.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "models.h"

#include <string.h>

#define CLEARLY 1.5 /* times faster; the sizes of runs differ, too */

char **sfu_models_folders(const char *const *extra)
{
    static const char *const others[] = {"ComfyUI/models",
                                         "Documents/ComfyUI/models",
                                         "stable-diffusion-webui/models",
                                         "stable-diffusion-webui-forge/models",
                                         "invokeai/models",
                                         ".local/share/krita/ai_diffusion/server/models", /* its present layout first */
                                         ".local/share/krita/ai_diffusion/server/ComfyUI/models",
                                         ".local/share/krita/pykrita/ai_diffusion/.server/models",
                                         ".local/share/krita/pykrita/ai_diffusion/.server/ComfyUI/models"};
    GPtrArray *more = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        char *folder = g_build_filename(g_get_home_dir(), others[i], NULL);
        if (g_file_test(folder, G_FILE_TEST_IS_DIR))
            g_ptr_array_add(more, folder);
        else
            g_free(folder);
    }
    for (int i = 0; extra && extra[i]; i++)
        g_ptr_array_add(more, g_strdup(extra[i]));
    g_ptr_array_add(more, NULL);
    sfu_model_folders_also((const char *const *)more->pdata); /* for what a run looks for: adapters, text encoders */
    g_ptr_array_unref(more);
    return sfu_model_folders(NULL);
}

static void strv_free(gpointer p)
{
    g_strfreev(p);
}

static GPtrArray *look(gpointer extra)
{
    char **folders = sfu_models_folders(extra);
    GPtrArray *models = sfu_models((const char *const *)folders);
    g_strfreev(folders);
    return models;
}

SfuBackground *sfu_models_look(const char *const *extra, SfuFound found, gpointer data)
{
    return sfu_background_look(look, g_strdupv((char **)extra), strv_free, found, data);
}

/* A question about one model. */
typedef struct {
    char **extra, *model;
    void (*said)(SfuReferences use, gpointer data); /* NULL: the answer is a list */
    gpointer data;
} ModelJob;

static GPtrArray *look_for_nets(gpointer p)
{
    const ModelJob *job = p;
    char **folders = sfu_models_folders((const char *const *)job->extra);
    GPtrArray *nets = sfu_control_nets((const char *const *)folders, job->model);
    g_strfreev(folders);
    return nets;
}

static void model_job_free(gpointer p)
{
    ModelJob *job = p;
    g_strfreev(job->extra);
    g_free(job->model);
    g_free(job);
}

SfuBackground *sfu_models_look_for_nets(const SfuSettings *settings, const char *model, SfuFound found, gpointer data)
{
    ModelJob *job = g_new(ModelJob, 1);
    *job = (ModelJob){sfu_settings_folders(settings), g_strdup(model), NULL, NULL};
    return sfu_background_look(look_for_nets, job, model_job_free, found, data);
}

static gpointer ask_for_references(gpointer p)
{
    const ModelJob *job = p;
    g_strfreev(sfu_models_folders((const char *const *)job->extra));
    return GINT_TO_POINTER(sfu_model_references(job->model));
}

static void references_known(gpointer use, gpointer p)
{
    const ModelJob *job = p;
    job->said(GPOINTER_TO_INT(use), job->data);
}

SfuBackground *sfu_models_ask_for_references(const SfuSettings *settings, const char *model,
                                             void (*said)(SfuReferences use, gpointer data), gpointer data)
{
    static const SfuBackgroundCalls calls = {ask_for_references, references_known, model_job_free, NULL};
    ModelJob *job = g_new(ModelJob, 1);
    *job = (ModelJob){sfu_settings_folders(settings), g_strdup(model), said, data};
    return sfu_background_start(&calls, job, job);
}

static void keep(GPtrArray *models, gpointer data)
{
    *(GPtrArray **)data = models;
}

GPtrArray *sfu_models_wait(const SfuSettings *settings)
{
    GPtrArray *models = NULL;
    char **extra = sfu_settings_folders(settings);
    sfu_models_look((const char *const *)extra, keep, &models);
    while (!models)
        g_main_context_iteration(NULL, TRUE);
    g_strfreev(extra);
    return models;
}

static void add_adapters(GPtrArray *found, const char *folder, int depth)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        char *path = g_build_filename(folder, name, NULL);
        if (g_str_has_suffix(name, ".safetensors"))
            g_ptr_array_add(found, g_strdup(path));
        else if (depth > 0 && *name != '.' && g_file_test(path, G_FILE_TEST_IS_DIR))
            add_adapters(found, path, depth - 1);
        g_free(path);
    }
    if (dir)
        g_dir_close(dir);
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **sfu_models_adapters(const SfuSettings *settings)
{
    static const char *const names[] = {"loras", "Lora", "lora"};
    char **extra = sfu_settings_folders(settings), **folders = sfu_models_folders((const char *const *)extra);
    GPtrArray *found = g_ptr_array_new();
    for (int i = 0; folders[i]; i++)
        for (gsize k = 0; k < G_N_ELEMENTS(names); k++) {
            char *folder = g_build_filename(folders[i], names[k], NULL);
            add_adapters(found, folder, 2);
            g_free(folder);
        }
    g_ptr_array_sort(found, by_text);
    g_ptr_array_add(found, NULL);
    g_strfreev(folders);
    g_strfreev(extra);
    return (char **)g_ptr_array_free(found, FALSE);
}

/* ---- choosing -------------------------------------------------------------------------------------------------------
 */

const SfuModelInfo *sfu_models_find(GPtrArray *models, const char *path)
{
    for (guint i = 0; path && i < models->len; i++)
        if (strcmp(((SfuModelInfo *)models->pdata[i])->path, path) == 0)
            return models->pdata[i];
    return NULL;
}

char *sfu_models_name(GPtrArray *models, const char *path)
{
    const SfuModelInfo *m = sfu_models_find(models, path);
    return m ? g_strdup(m->title) : path && *path ? g_path_get_basename(path) : NULL;
}

gboolean sfu_model_can(const SfuModelInfo *m, SfuAction action)
{
    return !m->error && m->tasks & 1u << sfu_action_info(action)->task &&
           (action != SFU_ACTION_RESTORE || (m->scale == 1 && !m->has_text));
}

static gboolean contains(GPtrArray *paths, const char *path)
{
    for (guint i = 0; i < paths->len; i++)
        if (strcmp(paths->pdata[i], path) == 0)
            return TRUE;
    return FALSE;
}

/* Whether the engine ranks two models alike: of such it takes the one that stands first. */
static gboolean same_rank(SfuModelInfo *a, SfuModelInfo *b, SfuTask task)
{
    gboolean alike = TRUE;
    for (int k = 0; k < 2; k++) {
        GPtrArray *pair = g_ptr_array_new();
        g_ptr_array_add(pair, k ? b : a);
        g_ptr_array_add(pair, k ? a : b);
        char *first = sfu_model_default(pair, task);
        alike = alike && g_strcmp0(first, ((SfuModelInfo *)pair->pdata[0])->path) == 0;
        g_free(first);
        g_ptr_array_unref(pair);
    }
    return alike;
}

/* From `from` on, of models of one rank that have run on this device the clearly faster one goes first. Models that
 * have not run keep their places. So do networks that enlarge: the better ones are the slower ones. */
static void faster_first(const SfuSettings *settings, GPtrArray *models, GPtrArray *paths, guint from, SfuAction action)
{
    const SfuTask task = sfu_action_info(action)->task;
    if (task == SFU_TASK_UPSCALE)
        return;
    double *seconds = g_new0(double, paths->len + 1);
    for (guint i = from; i < paths->len; i++)
        seconds[i] = sfu_settings_seconds(settings, action, paths->pdata[i]);
    for (guint i = from; i < paths->len; i++)
        for (guint k = i + 1; k < paths->len; k++) {
            if (seconds[k] <= 0 || seconds[k] * CLEARLY >= seconds[i])
                continue;
            SfuModelInfo *slow = (SfuModelInfo *)sfu_models_find(models, paths->pdata[i]),
                         *fast = (SfuModelInfo *)sfu_models_find(models, paths->pdata[k]);
            if (!slow || !fast || !same_rank(slow, fast, task))
                continue;
            const gpointer path = paths->pdata[i];
            const double s = seconds[i];
            paths->pdata[i] = paths->pdata[k];
            paths->pdata[k] = path;
            seconds[i] = seconds[k];
            seconds[k] = s;
        }
    g_free(seconds);
}

char **sfu_models_to_try(const SfuSettings *settings, GPtrArray *models, const SfuRequest *r)
{
    GPtrArray *paths = g_ptr_array_new(), *rest = g_ptr_array_new();
    const SfuActionInfo *action = sfu_action_info(r->action);
    const char *named = sfu_params_text(r->params, SFU_PARAM_MODEL);
    if (*named) {
        g_ptr_array_add(paths, g_strdup(named));
    } else {
        char *key = g_strconcat("model-", action->name, NULL), *chosen = sfu_settings_get(settings, key), *best;
        for (guint i = 0; i < models->len; i++)
            if (sfu_model_can(models->pdata[i], r->action))
                g_ptr_array_add(rest, models->pdata[i]);
        if (chosen)
            g_ptr_array_add(paths, chosen);
        const guint first = paths->len;
        GPtrArray *ordinary = g_ptr_array_new();
        while ((best = sfu_model_default(rest, action->task)) != NULL) { /* the engine's ranking, one after the other */
            const SfuModelInfo *m = sfu_models_find(rest, best);
            const gboolean last = r->action == SFU_ACTION_REMOVE && m && (m->tasks & 1u << SFU_TASK_TXT2IMG);
            if (contains(paths, best))
                g_free(best);
            else
                g_ptr_array_add(last ? ordinary : paths, best);
            if (!m || !g_ptr_array_remove(rest, (gpointer)m))
                break;
        }
        faster_first(settings, models, paths, first, r->action);
        faster_first(settings, models, ordinary, 0, r->action);
        for (guint i = 0; i < ordinary->len; i++)
            g_ptr_array_add(paths, ordinary->pdata[i]);
        if (paths->len == first && !first)
            g_ptr_array_add(paths, g_strdup(""));
        g_ptr_array_unref(ordinary);
        g_free(key);
    }
    g_ptr_array_unref(rest);
    g_ptr_array_add(paths, NULL);
    return (char **)g_ptr_array_free(paths, FALSE);
}
