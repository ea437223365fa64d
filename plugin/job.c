/* The worker thread.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "job.h"

#include <string.h>
#include <glib/gi18n-lib.h>

struct SfuWorker {
    GThread *thread;
    GMutex mutex; /* guards everything down to `calls` */
    GCond cond;
    gboolean quit, has_job, running;
    char *device, *precision, *device_used;
    guint64 memory_bytes;
    gboolean options_changed;
    SfuProgress progress;
    gboolean progress_pending, done_pending, discarded;
    GeglBuffer *preview;
    int preview_step;
    GPtrArray *results;
    double seconds;
    GError *error;
    guint idle;   /* source that delivers; 0: none */
    SfuJob *jobs; /* params owned, buffers referenced; the thread's from when it takes them until they are done */
    int n_jobs;
    SfuJob *likely;         /* to get ready for, the same way; NULL: none */
    int n_running, current; /* how many of them, which one, and since when the first: the thread's own */
    gint64 start_us;
    SfuJobCalls calls;
    int cancel; /* atomic */
};

/* Main thread: hands over what has come since the last time. */
static gboolean deliver(gpointer data)
{
    SfuWorker *w = data;
    g_mutex_lock(&w->mutex);
    w->idle = 0;
    const SfuJobCalls calls = w->calls;
    const gboolean has_progress = w->progress_pending, done = w->done_pending;
    const SfuProgress progress = w->progress;
    GeglBuffer *preview = w->preview;
    const int step = w->preview_step;
    GPtrArray *results = done ? w->results : NULL;
    GError *error = done ? w->error : NULL;
    const double seconds = w->seconds;
    w->progress_pending = FALSE;
    w->preview = NULL;
    if (done) {
        w->done_pending = w->running = FALSE;
        w->results = NULL;
        w->error = NULL;
    }
    g_mutex_unlock(&w->mutex);

    if (has_progress && calls.progress)
        calls.progress(&progress, calls.data);
    if (preview && !done && calls.preview)
        calls.preview(preview, step, calls.data);
    g_clear_object(&preview);
    if (done)
        calls.done(results, seconds, error,
                   calls.data); /* may start the next job or free the worker: w is not touched after it */
    if (results)
        g_ptr_array_unref(results);
    g_clear_error(&error);
    return G_SOURCE_REMOVE;
}

/* With the mutex held. */
static void wake(SfuWorker *w)
{
    if (!w->idle && !w->discarded)
        w->idle = g_idle_add_full(G_PRIORITY_DEFAULT, deliver, w, NULL);
}

static void on_progress(const SfuProgress *p, gpointer data)
{
    SfuWorker *w = data;
    const int n = w->n_running;
    SfuProgress all = *p;
    if (n > 1) {
        all.fraction = (w->current + CLAMP(p->fraction, 0, 1)) / n;
        all.image = w->current;
        all.n_images = n;
        /* A job knows nothing of the others; they differ in size, but the time so far is the best that there is. */
        all.seconds_left =
            all.fraction > 0.02 ? (g_get_monotonic_time() - w->start_us) / 1e6 * (1 / all.fraction - 1) : -1;
    }
    g_mutex_lock(&w->mutex);
    w->progress = all;
    w->progress.text = NULL; /* the engine's; it may be gone when the main thread comes to it */
    w->progress_pending = TRUE;
    wake(w);
    g_mutex_unlock(&w->mutex);
}

static void on_preview(GeglBuffer *picture, int step, gpointer data)
{
    SfuWorker *w = data;
    GeglBuffer *copy = gegl_buffer_dup(picture);
    g_mutex_lock(&w->mutex);
    g_clear_object(&w->preview);
    w->preview = copy;
    w->preview_step = step;
    wake(w);
    g_mutex_unlock(&w->mutex);
}

static void free_buffers(GeglBuffer *const *buffers, int n)
{
    for (int i = 0; i < n; i++)
        if (buffers[i])
            g_object_unref(buffers[i]);
    g_free((gpointer)buffers);
}

/* With references of its own; items may be NULL. */
static GeglBuffer *const *copy_buffers(GeglBuffer *const *buffers, int n)
{
    GeglBuffer **copy = g_new(GeglBuffer *, n);
    for (int i = 0; i < n; i++)
        copy[i] = buffers[i] ? g_object_ref(buffers[i]) : NULL;
    return copy;
}

static void free_jobs(SfuJob *jobs, int n)
{
    for (int i = 0; i < n; i++) {
        sfu_params_free((SfuParams *)jobs[i].params);
        g_clear_object(&jobs[i].picture);
        g_clear_object(&jobs[i].mask);
        g_clear_object(&jobs[i].exclude);
        free_buffers(jobs[i].references, jobs[i].n_references);
        free_buffers(jobs[i].controls, jobs[i].n_controls);
    }
    g_free(jobs);
}

/* Results of all jobs in one array; NULL on error. */
static GPtrArray *run_jobs(SfuWorker *w, SfuEngine *engine, const SfuJob *jobs, int n, GError **error)
{
    GPtrArray *all = NULL;
    w->n_running = n;
    for (w->current = 0; w->current < n; w->current++) {
        GPtrArray *results = sfu_engine_run(engine, &jobs[w->current], error);
        if (!results) {
            if (all)
                g_ptr_array_unref(all);
            return NULL;
        }
        if (!all) {
            all = results;
        } else {
            g_ptr_array_set_free_func(results, NULL); /* they move */
            for (guint i = 0; i < results->len; i++)
                g_ptr_array_add(all, results->pdata[i]);
            g_ptr_array_unref(results);
        }
    }
    return all;
}

/* The thread's engine, opened anew after a change of options. With the mutex held, which it gives up meanwhile; NULL
 * with error set. */
static SfuEngine *open_engine(SfuWorker *w, SfuEngine *engine, GError **error)
{
    if (w->options_changed)
        g_clear_pointer(&engine, sfu_engine_free);
    w->options_changed = FALSE;
    char *device = g_strdup(w->device), *precision = g_strdup(w->precision);
    const SfuEngineOptions options = {.device = device, .memory_bytes = w->memory_bytes, .precision = precision};
    g_mutex_unlock(&w->mutex);
    if (!engine)
        engine = sfu_engine_new(&options, error);
    g_free(device);
    g_free(precision);
    g_mutex_lock(&w->mutex);
    return engine;
}

/* With the mutex held, which it gives up meanwhile. Returns the engine; NULL if that is lost. */
static SfuEngine *do_jobs(SfuWorker *w, SfuEngine *engine)
{
    GError *error = NULL;
    GPtrArray *results = NULL;
    SfuJob *jobs = g_steal_pointer(&w->jobs);
    const int n = w->n_jobs;
    w->has_job = FALSE;
    w->n_jobs = 0;
    w->start_us = g_get_monotonic_time();
    engine = open_engine(w, engine, &error);
    g_mutex_unlock(&w->mutex);
    if (engine)
        results = run_jobs(w, engine, jobs, n, &error);
    if (!results && !error)
        g_set_error(&error, SFU_ERROR, SFU_ERROR_FAILED, _("The engine returned no picture."));
    char *used = engine ? g_strdup(sfu_engine_device(engine)) : NULL;
    if (g_error_matches(error, SFU_ERROR, SFU_ERROR_DEVICE))
        g_clear_pointer(&engine, sfu_engine_free); /* a lost device stays lost: the next job opens it anew */
    free_jobs(jobs, n);

    g_mutex_lock(&w->mutex);
    g_free(w->device_used);
    w->device_used = used;
    w->results = results;
    w->error = error;
    w->seconds = (g_get_monotonic_time() - w->start_us) / 1e6;
    w->done_pending = TRUE;
    wake(w);
    return engine;
}

/* The same for a job that may come. */
static SfuEngine *get_ready(SfuWorker *w, SfuEngine *engine)
{
    SfuJob *job = g_steal_pointer(&w->likely);
    engine = open_engine(w, engine, NULL);
    g_mutex_unlock(&w->mutex);
    if (engine)
        sfu_engine_prepare(engine, job);
    free_jobs(job, 1);
    g_mutex_lock(&w->mutex);
    return engine;
}

static gpointer work(gpointer data)
{
    SfuWorker *w = data;
    SfuEngine *engine = NULL;
    g_mutex_lock(&w->mutex);
    while (!w->quit) {
        if (w->has_job)
            engine = do_jobs(w, engine);
        else if (w->likely)
            engine = get_ready(w, engine);
        else
            g_cond_wait(&w->cond, &w->mutex);
    }
    g_mutex_unlock(&w->mutex);
    sfu_engine_free(engine);
    return NULL;
}

/* With the mutex held. */
static void drop_likely(SfuWorker *w)
{
    if (w->likely)
        free_jobs(w->likely, 1);
    w->likely = NULL;
}

SfuWorker *sfu_worker_new(void)
{
    SfuWorker *w = g_new0(SfuWorker, 1);
    g_mutex_init(&w->mutex);
    g_cond_init(&w->cond);
    w->thread = g_thread_new("sfumato", work, w);
    return w;
}

void sfu_worker_free(SfuWorker *w)
{
    if (!w)
        return;
    sfu_worker_cancel(w);
    g_mutex_lock(&w->mutex);
    w->quit = w->discarded = TRUE;
    g_cond_signal(&w->cond);
    g_mutex_unlock(&w->mutex);
    g_thread_join(w->thread);
    if (w->idle)
        g_source_remove(w->idle);
    if (w->results)
        g_ptr_array_unref(w->results);
    g_clear_error(&w->error);
    g_clear_object(&w->preview);
    free_jobs(w->jobs, w->n_jobs);
    drop_likely(w);
    g_free(w->device);
    g_free(w->precision);
    g_free(w->device_used);
    g_mutex_clear(&w->mutex);
    g_cond_clear(&w->cond);
    g_free(w);
}

void sfu_worker_set_options(SfuWorker *w, const SfuEngineOptions *options)
{
    g_mutex_lock(&w->mutex);
    if (g_strcmp0(w->device, options->device) || g_strcmp0(w->precision, options->precision) ||
        w->memory_bytes != options->memory_bytes) {
        g_free(w->device);
        g_free(w->precision);
        w->device = g_strdup(options->device);
        w->precision = g_strdup(options->precision);
        w->memory_bytes = options->memory_bytes;
        w->options_changed = TRUE;
    }
    g_mutex_unlock(&w->mutex);
}

/* With parameters and references of their own. */
static SfuJob *copy_jobs(SfuWorker *w, const SfuJob *jobs, int n, gboolean previews)
{
    SfuJob *copy = g_memdup2(jobs, sizeof *jobs * (gsize)n);
    for (int i = 0; i < n; i++) {
        SfuJob *job = &copy[i];
        job->params = sfu_params_copy(job->params);
        job->picture = job->picture ? g_object_ref(job->picture) : NULL;
        job->mask = job->mask ? g_object_ref(job->mask) : NULL;
        job->exclude = job->exclude ? g_object_ref(job->exclude) : NULL;
        job->references = copy_buffers(job->references, job->n_references);
        job->controls = copy_buffers(job->controls, job->n_controls);
        job->cancel = &w->cancel;
        job->progress = on_progress;
        job->preview = previews ? on_preview : NULL;
        job->data = w;
    }
    return copy;
}

void sfu_worker_prepare(SfuWorker *w, const SfuJob *job)
{
    if (sfu_worker_busy(w))
        return;
    g_mutex_lock(&w->mutex);
    g_atomic_int_set(&w->cancel, 0);
    drop_likely(w);
    w->likely = copy_jobs(w, job, 1, FALSE);
    g_cond_signal(&w->cond);
    g_mutex_unlock(&w->mutex);
}

void sfu_worker_start(SfuWorker *w, const SfuJob *jobs, int n, const SfuJobCalls *calls)
{
    g_return_if_fail(!sfu_worker_busy(w));
    g_mutex_lock(&w->mutex);
    g_atomic_int_set(&w->cancel, 0);
    drop_likely(w);
    w->jobs = copy_jobs(w, jobs, n, calls->preview != NULL);
    w->n_jobs = n;
    w->calls = *calls;
    w->progress_pending = FALSE;
    w->has_job = w->running = TRUE;
    g_cond_signal(&w->cond);
    g_mutex_unlock(&w->mutex);
}

gboolean sfu_worker_busy(const SfuWorker *w)
{
    return w->running; /* written by the main thread only */
}

void sfu_worker_cancel(SfuWorker *w)
{
    g_atomic_int_set(&w->cancel, 1);
}

char *sfu_worker_device(SfuWorker *w)
{
    g_mutex_lock(&w->mutex);
    char *name = g_strdup(w->device_used);
    g_mutex_unlock(&w->mutex);
    return name;
}

/* ---- to the end ---------------------------------------------------------------------------------------------------
 */

typedef struct {
    const SfuJobCalls *calls;
    GPtrArray *results;
    GError *error;
    gboolean done;
} Waiting;

static void wait_progress(const SfuProgress *p, gpointer data)
{
    const SfuJobCalls *calls = ((Waiting *)data)->calls;
    if (calls && calls->progress)
        calls->progress(p, calls->data);
}

static void wait_done(GPtrArray *results, double seconds, const GError *e, gpointer data)
{
    Waiting *waiting = data;
    waiting->results = results ? g_ptr_array_ref(results) : NULL;
    waiting->error = e ? g_error_copy(e) : NULL;
    waiting->done = TRUE;
}

GPtrArray *sfu_worker_run(SfuWorker *w, const SfuJob *jobs, int n, const SfuJobCalls *calls, GError **error)
{
    Waiting waiting = {.calls = calls};
    const SfuJobCalls own = {.progress = wait_progress, .done = wait_done, .data = &waiting};
    sfu_worker_start(w, jobs, n, &own);
    while (!waiting.done)
        g_main_context_iteration(NULL, TRUE);
    if (waiting.error)
        g_propagate_error(error, waiting.error);
    return waiting.results;
}

/* ---- words --------------------------------------------------------------------------------------------------------
 */

char *sfu_quiet_words(gboolean prepares, gint64 since_us)
{
    return g_strdup_printf(prepares ? _("First use: preparing for this device, once; %d s so far")
                                    : _("Working, %d s so far"),
                           (int)((g_get_monotonic_time() - since_us) / 1000000));
}

char *sfu_device_words(const char *name)
{
    static const char *const drivers[] = {"cpu-", "pthread-", "basic-"};
    const char *model = NULL;
    for (gsize i = 0; !model && i < G_N_ELEMENTS(drivers); i++)
        if (g_str_has_prefix(name, drivers[i]))
            for (model = strchr(name, '-');
                 model && !g_ascii_isupper(model[1]);) /* the compiler's name of the CPU has dashes too */
                model = strchr(model + 1, '-');
    return model ? g_strdup_printf(_("CPU (%s)"), model + 1) : g_strdup(name);
}
