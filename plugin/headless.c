/* Runs without a dialog, and Repeat.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "session.h"

#include <glib/gi18n-lib.h>

#include "host.h"
#include "models.h"

/* *layer becomes the layer to work on. NULL with USAGE. */
static SfuRequest *repeat_request(const SfuSettings *settings, int image, int *layer, GError **error)
{
    char *json = *layer >= 0 ? sfu_host_parasite_get(*layer) : NULL;
    guint source = 0;
    SfuRequest *r = json ? sfu_request_from_json(json, &source, error) : NULL;
    if (json) {
        const int original = source ? sfu_host_layer_by_tattoo(image, source) : -1;
        if (r && source && original >= 0)
            *layer = original; /* the new result comes from the same layer, not from the old result */
    } else {
        const char *last = sfu_settings_last_action(settings);
        r = last ? sfu_settings_last(settings, sfu_action_find(last)) : NULL;
        if (!r)
            sfu_refuse(error, _("There is nothing to repeat yet: Fill, Generate or Enlarge something first."));
    }
    if (r)
        sfu_request_set_double(r, "seed", -1, NULL); /* the same seed would give the same picture */
    g_free(json);
    return r;
}

/* ---- a run without a dialog -----------------------------------------------------------------------------------------
 */

typedef struct {
    const char *model; /* name for people; NULL: the engine's choice */
    gint64 start_us, heard_us;
    gboolean prepares;
    double fraction;
} StatusBar;

static void show_text(const StatusBar *bar, const char *text)
{
    char *with = bar->model ? g_strdup_printf("%s (%s)", text, bar->model) : g_strdup(text);
    sfu_host_progress(bar->fraction, with);
    g_free(with);
}

static void status_bar(const SfuProgress *p, gpointer data)
{
    StatusBar *bar = data;
    char *text = sfu_progress_text(p);
    bar->heard_us = g_get_monotonic_time();
    bar->prepares = p->stage == SFU_STAGE_COMPILE;
    bar->fraction = p->fraction;
    show_text(bar, text);
    g_free(text);
}

/* While nothing is heard of the engine. */
static gboolean on_quiet(gpointer data)
{
    const StatusBar *bar = data;
    if (g_get_monotonic_time() - bar->heard_us > SFU_QUIET_US) {
        char *text = sfu_quiet_words(bar->prepares, bar->start_us);
        show_text(bar, text);
        g_free(text);
    }
    return G_SOURCE_CONTINUE;
}

/* One try with one model; "": the engine's choice. */
static GPtrArray *run_with(SfuWorker *worker, const SfuInput *in, SfuRequest *used, GPtrArray *models,
                           const char *model, GError **error)
{
    int n = 0;
    char *name = sfu_models_name(models, model);
    const gint64 now = g_get_monotonic_time();
    StatusBar bar = {.model = name, .start_us = now, .heard_us = now};
    const SfuJobCalls calls = {.progress = status_bar, .data = &bar};
    if (*model)
        sfu_params_put_text(used->params, SFU_PARAM_MODEL, model);
    SfuJob *jobs = sfu_input_jobs(in, used, &n);
    const guint quiet = g_timeout_add(500, on_quiet, &bar);
    GPtrArray *results = sfu_worker_run(worker, jobs, n, &calls, error);
    g_source_remove(quiet);
    g_free(jobs);
    g_free(name);
    return results;
}

char *sfu_model_failed_text(GPtrArray *models, const char *failed, const char *next, const GError *error)
{
    char *a = sfu_models_name(models, failed), *b = sfu_models_name(models, next);
    char *text = g_strdup_printf(_("%s could not be used, so %s was taken. %s"), a, b, error->message);
    g_free(a);
    g_free(b);
    return text;
}

/* "Remove Object (Sfumato mini), about 3 s": what is known before the run. Caller frees. */
static char *title_words(const SfuSettings *settings, GPtrArray *models, const char *model, SfuAction action)
{
    const char *title = _(sfu_action_info(action)->title);
    const double seconds = sfu_action_info(action)->task == SFU_TASK_UPSCALE /* whose time depends on the size */
                               ? 0
                               : sfu_settings_seconds(settings, action, model);
    char *name = sfu_models_name(models, model), *time = g_strdup_printf(_("about %.0f s"), MAX(1, seconds));
    char *words = !name         ? g_strdup(title)
                  : seconds > 0 ? g_strdup_printf("%s (%s), %s", title, name, time)
                                : g_strdup_printf("%s (%s)", title, name);
    g_free(name);
    g_free(time);
    return words;
}

/* Of a picture; of a million pixels where the time depends on the size, as the dialog counts it. */
static double seconds_each(const SfuRequest *r, GPtrArray *results, double seconds)
{
    double n = results->len;
    if (sfu_action_info(r->action)->task == SFU_TASK_UPSCALE) {
        n = 0;
        for (guint i = 0; i < results->len; i++) {
            const GeglRectangle *all = gegl_buffer_get_extent(((const SfuResult *)results->pdata[i])->picture);
            n += all->width * (double)all->height / 1e6;
        }
    }
    return seconds / MAX(n, 1e-3);
}

/* Frees `in`, which may be NULL with an error. */
static gboolean run_on(SfuInput *in, const SfuRequest *r, SfuSettings *settings, gboolean remember, SfuMade *made,
                       GError **error)
{
    if (!in)
        return FALSE;
    const SfuEngineOptions options = sfu_settings_engine(settings);
    SfuWorker *worker = sfu_worker_new();
    GPtrArray *models = sfu_models_wait(settings), *results = NULL;
    char **to_try = sfu_models_to_try(settings, models, r);
    SfuRequest *used = NULL;
    const gint64 start = g_get_monotonic_time();
    int k = 0;
    sfu_worker_set_options(worker, &options);
    char *words = title_words(settings, models, to_try[0], r->action);
    sfu_host_progress_begin(words);
    g_free(words);
    if (!*to_try[0]) /* no dead end: where one comes from is said */
        g_set_error(
            error, SFU_ERROR, SFU_ERROR_MODEL,
            _("No installed model can do \"%s\". Filters > Sfumato > Models and Settings lists models to download."),
            _(sfu_action_info(r->action)->title));
    for (; *to_try[0]; k++) {
        GError *failed = NULL;
        sfu_request_free(used);
        used = sfu_request_copy(r);
        results = run_with(worker, in, used, models, to_try[k], &failed);
        if (results)
            break;
        if (!to_try[k + 1] || !g_error_matches(failed, SFU_ERROR, SFU_ERROR_MODEL)) {
            g_propagate_error(error, failed);
            break;
        }
        char *text = sfu_model_failed_text(models, to_try[k], to_try[k + 1], failed);
        sfu_host_message(text);
        g_free(text);
        g_error_free(failed);
    }
    const gboolean ok = results && sfu_output_add(in, used, results, made, error);
    sfu_host_progress_end();
    if (ok && ((const SfuResult *)results->pdata[0])->note)
        sfu_host_message(((const SfuResult *)results->pdata[0])->note);
    if (ok && remember)
        sfu_settings_remember(settings, r, to_try[k], seconds_each(r, results, (g_get_monotonic_time() - start) / 1e6));
    if (results)
        g_ptr_array_unref(results);
    g_ptr_array_unref(models);
    g_strfreev(to_try);
    sfu_worker_free(worker);
    sfu_request_free(used);
    sfu_input_free(in);
    return ok;
}

gboolean sfu_run(SfuRequest *r, int image, int drawable, SfuSettings *settings, gboolean remember, SfuMade *made,
                 GError **error)
{
    return run_on(sfu_input_new(r, image, drawable, error), r, settings, remember, made, error);
}

gboolean sfu_run_again(SfuSettings *settings, int image, int drawable, SfuMade *made, GError **error)
{
    const int earlier = sfu_host_layer_of(drawable, error);
    int work = earlier;
    SfuRequest *r = earlier >= 0 ? repeat_request(settings, image, &work, error) : NULL;
    if (!r)
        return FALSE;
    SfuInput *in = sfu_input_new(r, image, work, error);
    if (in && !in->merged)
        in->above = earlier; /* under the earlier result it would not be seen */
    const gboolean ok = run_on(in, r, settings, FALSE, made, error);
    sfu_request_free(r);
    return ok;
}
