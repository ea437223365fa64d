/* `sfumato warm [MODEL]`: runs small jobs on an empty picture and discards the results. The compiled kernels and the
 * answers about the device stay, so the first real picture does not wait for the compiler.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"

enum { ANY_PX = 512, SMALL_PX = 256 }; /* sides: for models that name none; for enlarging */

typedef struct {
    SfuTask task;
    int scale; /* 0: none */
} Trial;
static const Trial trials[] = {
    {SFU_TASK_TXT2IMG, 0}, {SFU_TASK_EDIT, 0}, {SFU_TASK_INPAINT, 0}, {SFU_TASK_UPSCALE, 2}, {SFU_TASK_UPSCALE, 4}};

/* FALSE if another trial compiles the same kernels. */
static gboolean is_of_use(const Trial *t, const SfuModelInfo *m)
{
    const gboolean makes = m->tasks & 1u << SFU_TASK_TXT2IMG;
    if (!(m->tasks & 1u << t->task))
        return FALSE;
    if (t->task == SFU_TASK_EDIT)
        return !makes;
    return t->task != SFU_TASK_UPSCALE || (!makes && (!m->scale || t->scale == 2));
}

static GeglBuffer *even(const char *format, GeglRectangle all, const char *color)
{
    GeglBuffer *b = gegl_buffer_new(&all, babl_format(format));
    GeglColor *c = gegl_color_new(color);
    gegl_buffer_set_color(b, NULL, c);
    g_object_unref(c);
    return b;
}

static gboolean try(SfuEngine *e, const SfuCliOptions *o, const SfuModelInfo *m, const Trial *t, GError **error)
{
    const int px = t->task == SFU_TASK_UPSCALE ? SMALL_PX : m->native_px ? m->native_px : ANY_PX;
    const GeglRectangle all = {0, 0, px, px}, middle = {px / 4, px / 4, px / 2, px / 2};
    SfuParams *p = sfu_params_copy(o->params);
    sfu_params_put_text(p, SFU_PARAM_MODEL, m->path);
    if (t->task == SFU_TASK_TXT2IMG || t->task == SFU_TASK_EDIT)
        sfu_params_put_text(p, SFU_PARAM_PROMPT, "a");
    if (t->task == SFU_TASK_TXT2IMG) {
        sfu_params_put(p, SFU_PARAM_WIDTH, px);
        sfu_params_put(p, SFU_PARAM_HEIGHT, px);
    }
    if (t->task == SFU_TASK_UPSCALE)
        sfu_params_put(p, SFU_PARAM_SCALE, m->scale ? m->scale : t->scale);
    else
        sfu_params_put(p, SFU_PARAM_STEPS, 1);
    GeglBuffer *picture = even("R'G'B' float", all, "gray"), *mask = even("Y float", middle, "white");
    const SfuJob job = {.task = t->task,
                        .params = p,
                        .picture = t->task == SFU_TASK_TXT2IMG ? NULL : picture,
                        .mask = t->task == SFU_TASK_INPAINT ? mask : NULL,
                        .cancel = &sfu_cli_cancel};
    GPtrArray *results = sfu_engine_run(e, &job, error);
    const gboolean ok = results != NULL;
    g_clear_pointer(&results, g_ptr_array_unref);
    g_object_unref(picture);
    g_object_unref(mask);
    sfu_params_free(p);
    return ok;
}

/* By its place, which may be NULL. */
static const SfuModelInfo *find(GPtrArray *all, const char *path)
{
    for (guint i = 0; path && i < all->len; i++) {
        const SfuModelInfo *m = g_ptr_array_index(all, i);
        if (sfu_cli_is_same_file(m->path, path))
            return m;
    }
    return NULL;
}

/* Uses `only`, or the task's default model. Returns how many trials it made, 0 or 1; -1 with error. */
static int make_trial(SfuEngine *e, const SfuCliOptions *o, GPtrArray *all, const SfuModelInfo *only, const Trial *t,
                      GError **error)
{
    char *path = only ? NULL : sfu_model_default(all, t->task);
    const SfuModelInfo *m = only ? only : find(all, path);
    g_free(path);
    if (!m || !is_of_use(t, m))
        return 0;
    const gint64 start = g_get_monotonic_time();
    if (!try(e, o, m, t, error))
        return -1;
    const double seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    char what[64], text[32];
    g_snprintf(what, sizeof what, t->scale ? "%s x%d" : "%s", sfu_task_name(t->task), t->scale);
    g_snprintf(text, sizeof text, "%.2f", seconds);
    if (o->json)
        sfu_cli_json_event("warmed", "model", m->path, "task", what, "seconds", text, NULL);
    else if (!o->quiet)
        g_print("%s: ready for %s on %s (%s s)\n", m->name, what, sfu_engine_device(e), text);
    return 1;
}

int sfu_cli_warm(const SfuCliCommand *c, const SfuCliOptions *o, GError **error)
{
    if (o->args[0] && o->args[1]) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "warm takes one model at most");
        return SFU_EXIT_USAGE;
    }
    char *path = o->args[0] ? sfu_model_resolve(o->args[0], SFU_N_TASKS, error) : NULL;
    if (o->args[0] && !path)
        return SFU_EXIT_FAILED;
    char *place = path ? sfu_cli_place(path) : NULL, *beside = place ? g_path_get_dirname(place) : NULL;
    const char *const extra[] = {beside, NULL};
    char **folders = sfu_model_folders(extra);
    GPtrArray *all = sfu_models((const char *const *)folders);
    const SfuModelInfo *only = find(all, path);
    SfuEngine *e = NULL;
    int status = SFU_EXIT_FAILED, n = 0;
    if (path && (!only || only->error))
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, "%s cannot be used as a model%s%s", path, only ? ": " : "",
                    only ? only->error : "");
    else
        e = sfu_cli_engine(o, error);
    char *warning = e ? sfu_engine_warning() : NULL; /* what it compiles would not be found there */
    if (warning)
        sfu_cli_note("%s", warning);
    g_free(warning);
    if (e)
        sfu_engine_measure(e);
    for (guint i = 0; e && n >= 0 && i < G_N_ELEMENTS(trials); i++) {
        const int more = make_trial(e, o, all, only, &trials[i], error);
        n = more < 0 ? -1 : n + more;
    }
    if (n > 0)
        status = SFU_EXIT_OK;
    else if (e && n == 0)
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, "no model was found to warm up");
    sfu_engine_free(e);
    g_ptr_array_unref(all);
    g_strfreev(folders);
    g_free(beside);
    g_free(place);
    g_free(path);
    return status;
}
