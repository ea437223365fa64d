/* SfuEngine: one device, the models in use, and what happens round a job.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"
#include "file/json.h"

#include <glib/gi18n-lib.h>

/* ---- devices ---------------------------------------------------------------------------------------------------- */

static void device_free(gpointer p)
{
    SfuDevice *d = p;
    g_free(d->name);
    g_free(d->platform);
    g_free(d->driver);
    g_free(d);
}

GPtrArray *sfu_devices(char **broken, GError **error)
{
    if (broken)
        *broken = NULL;
    GError *e = NULL;
    GArray *list = sfu_devices_list(&e);
    if (!list) {
        sfu_error_convert(error, e);
        return NULL;
    }
    if (broken)
        *broken = sfu_drivers_broken();
    GPtrArray *out = g_ptr_array_new_with_free_func(device_free);
    for (guint i = 0; i < list->len; i++) {
        const SfuDeviceInfo *d = &g_array_index(list, SfuDeviceInfo, i);
        SfuDevice *o = g_new0(SfuDevice, 1);
        *o = (SfuDevice){.index = d->index,
                         .name = g_strdup(d->name),
                         .platform = g_strdup(d->platform),
                         .driver = g_strdup(d->driver),
                         .is_cpu = d->is_cpu,
                         .is_remote = d->is_remote,
                         .has_fp16 = d->has_fp16,
                         .has_bf16 = d->has_avx512_bf16,
                         .has_amx = d->has_amx_bf16,
                         .memory_bytes = d->global_bytes};
        g_ptr_array_add(out, o);
    }
    g_array_unref(list);
    return out;
}

/* ---- the engine ------------------------------------------------------------------------------------------------- */

const char *const sfu_precisions[] = {
    [SFU_PRECISION_AUTO] = "auto",   [SFU_PRECISION_FP32] = "fp32", [SFU_PRECISION_BF16] = "bf16",
    [SFU_PRECISION_FP16] = "fp16",   [SFU_PRECISION_INT8] = "int8", [SFU_PRECISION_INT16] = "int16",
    [SFU_PRECISION_INT16 + 1] = NULL};

static gboolean parse_precision(const char *text, SfuPrecision *out, GError **error)
{
    for (int i = 0; sfu_precisions[i]; i++) {
        if (g_ascii_strcasecmp(text ? text : "auto", sfu_precisions[i]) == 0) {
            *out = (SfuPrecision)i;
            return TRUE;
        }
    }
    char *words = g_strjoinv(", ", (char **)sfu_precisions);
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The precision cannot be \"%s\"; it is one of %s."),
                SFU_TEXT_HEAD(text), words);
    g_free(words);
    return FALSE;
}

SfuEngine *sfu_engine_new(const SfuEngineOptions *options, GError **error)
{
    static const SfuEngineOptions none;
    const SfuEngineOptions *o = options ? options : &none;
    SfuQueueOptions qo = {.device = o->device, .memory_bytes = o->memory_bytes, .profile = o->profile};
    if (!parse_precision(o->precision, &qo.precision, error))
        return NULL;
    GError *e = NULL;
    SfuQueue *q = sfu_queue_create(&qo, &e);
    if (!q) {
        sfu_error_convert(error, e);
        return NULL;
    }
    SfuEngine *engine = g_new0(SfuEngine, 1);
    engine->q = q;
    engine->device = g_strdup(sfu_queue_device(q)->name);
    engine->loaded = g_ptr_array_new_with_free_func(sfu_loaded_free);
    engine->outdated = g_ptr_array_new_with_free_func(sfu_loaded_free);
    return engine;
}

char *sfu_engine_warning(void)
{
    return sfu_cache_warning();
}

const char *sfu_temporary_folder(void)
{
    return sfu_cache_temporary();
}

void sfu_engine_free(SfuEngine *e)
{
    if (!e)
        return;
    sfu_engine_unload(e);
    g_ptr_array_unref(e->loaded);
    g_ptr_array_unref(e->outdated);
    sfu_tokenizer_free(e->tokenizer);
    sfu_queue_destroy(e->q);
    g_free(e->device);
    g_free(e->words);
    g_free(e);
}

const char *sfu_engine_device(const SfuEngine *e)
{
    return e->device;
}

guint64 sfu_engine_peak_bytes(const SfuEngine *e)
{
    return sfu_queue_peak_bytes(e->q);
}

char *sfu_engine_profile(SfuEngine *e)
{
    return sfu_queue_profile(e->q);
}

void sfu_engine_measure(SfuEngine *e)
{
    sfu_cpu_measure_width(e->q);
}

void sfu_engine_unload(SfuEngine *e)
{
    sfu_queue_finish(e->q, NULL);
    g_clear_pointer(&e->adapters, sfu_adapters_free);
    g_ptr_array_set_size(e->loaded, 0);
    g_ptr_array_set_size(e->outdated, 0);
    sfu_queue_trim(e->q);
    sfu_engine_forget_words(e);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------- */

static gboolean check_job(const SfuJob *job, GError **error)
{
    if (job->task < 0 || job->task >= SFU_N_TASKS || !job->params) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The job has no task or no parameters."));
        return FALSE;
    }
    if (job->task == SFU_TASK_TXT2IMG)
        return TRUE;
    if (!job->picture) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s needs a picture."), sfu_task_name(job->task));
        return FALSE;
    }
    const GeglRectangle *r = gegl_buffer_get_extent(job->picture);
    if (r->width < 1 || r->height < 1) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The picture has no pixels (%d x %d)."), r->width, r->height);
        return FALSE;
    }
    if (job->task == SFU_TASK_INPAINT && !job->mask) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("inpaint needs a mask that says where to paint."));
        return FALSE;
    }
    if (job->exclude && job->task != SFU_TASK_INPAINT && job->task != SFU_TASK_OUTPAINT) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("An excluded area works only for fills, not for %s."),
                    sfu_task_name(job->task));
        return FALSE;
    }
    return TRUE;
}

static gboolean read_noise(SfuRun *r, GError **error)
{
    if (!r->job->noise_file)
        return TRUE;
    r->start_noise = sfu_tensorfile_read(r->job->noise_file, "noise", &r->noise, error);
    return r->start_noise != NULL;
}

static void notify_build(const char *program, gpointer data)
{
    sfu_run_stage(data, SFU_STAGE_COMPILE, NULL);
}

static gboolean run_session(SfuSession *s, GPtrArray *results, GError **error)
{
    if (s->run->task == SFU_TASK_UPSCALE)
        return sfu_pipe_enlarge(s, results, error);
    return sfu_controls_open(s, error) && sfu_image_prompts_open(s, error) && sfu_pipe_paint(s, results, error);
}

static gboolean run_pipeline(SfuRun *r, SfuLoaded *m, GPtrArray *results, GError **error)
{
    if (sfu_model_family(m->model)->enlargement == SFU_ENLARGE_NETWORK) {
        sfu_run_note_unused(r, m, NULL);
        return sfu_pipe_network(r, m, results, error);
    }
    SfuSession s = {0};
    if (!sfu_session_init(&s, r, m, error)) {
        sfu_session_close(&s);
        return FALSE;
    }
    const gboolean ok = run_session(&s, results, error);
    sfu_run_note_unused(r, m, &s);
    sfu_image_prompts_close(&s);
    sfu_controls_close(&s);
    sfu_session_close(&s);
    return ok;
}

/* Weights are read from the mapped files all along: a program that wrote into one has changed the picture. */
static gboolean check_intact(SfuEngine *e, GError **error)
{
    GPtrArray *const in_use[] = {e->loaded, e->outdated};
    for (guint k = 0; k < G_N_ELEMENTS(in_use); k++)
        for (guint i = 0; i < in_use[k]->len; i++)
            if (!sfu_model_check_intact(((SfuLoaded *)g_ptr_array_index(in_use[k], i))->model, error))
                return FALSE;
    return sfu_adapters_check_intact(e->adapters, error);
}

/* Pictures outlive latents that cannot be written any more. */
static void write_latents(SfuRun *r, GPtrArray *results)
{
    GError *error = NULL;
    if (!r->latents)
        return;
    SfuShape all = r->latent;
    all.n = (int)r->latents->len / (all.h * all.w * all.c);
    if (sfu_tensorfile_write(r->job->latent_file, "latent", (const float *)(gconstpointer)r->latents->data, all,
                             &error))
        return;
    sfu_error_convert(&((SfuResult *)g_ptr_array_index(results, 0))->unsaved, error);
}

static SfuRun run_of(SfuEngine *e, const SfuJob *job)
{
    SfuRun r = {.e = e,
                .q = e->q,
                .job = job,
                .task = job->task,
                .p = sfu_params_copy(job->params),
                .last_us = g_get_monotonic_time()};
    r.n_images = job->task == SFU_TASK_UPSCALE ? 1 : sfu_params_int(r.p, SFU_PARAM_COUNT);
    const gint64 seed = sfu_params_int64(r.p, SFU_PARAM_SEED);
    /* 32 random bits, as everybody's seeds are. */
    r.seed = seed < 0 ? g_random_int() : (guint64)seed;
    return r;
}

static void run_clear(SfuRun *r)
{
    g_clear_pointer(&r->latents, g_array_unref);
    g_free(r->start_noise);
    g_free(r->note);
    sfu_params_free(r->p);
}

void sfu_engine_prepare(SfuEngine *e, const SfuJob *job)
{
    SfuJob quiet = *job;
    quiet.progress = NULL;
    quiet.preview = NULL;
    quiet.estimate = NULL;
    if (!check_job(&quiet, NULL))
        return;
    SfuRun r = run_of(e, &quiet);
    r.prepares = TRUE;
    sfu_queue_set_cancel(e->q, job->cancel);
    GPtrArray *results = g_ptr_array_new();
    SfuLoaded *m = sfu_run_load(&r, NULL);
    if (m)
        (void)run_pipeline(&r, m, results, NULL);
    g_ptr_array_unref(results);
    sfu_queue_compile_ahead_keep(e->q);
    sfu_queue_set_cancel(e->q, NULL);
    run_clear(&r);
}

GPtrArray *sfu_engine_run(SfuEngine *e, const SfuJob *job, GError **error)
{
    if (!check_job(job, error))
        return NULL;
    GError *err = NULL;
    SfuRun r = run_of(e, job);
    GPtrArray *results = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_result_free);
    char *cache = e->warned ? NULL : sfu_cache_warning();
    if (cache)
        sfu_run_note(&r, "%s", cache);
    e->warned = TRUE;
    g_free(cache);
    sfu_queue_set_cancel(e->q, job->cancel);
    sfu_queue_set_build_notify(e->q, notify_build, &r);
    SfuLoaded *m = NULL;
    gboolean ok = read_noise(&r, &err) && (m = sfu_run_load(&r, &err)) && run_pipeline(&r, m, results, &err) &&
                  check_intact(e, &err);
    gboolean clipped = FALSE;
    if (ok) {
        clipped = sfu_run_note_odd_values(&r, m->model);
        write_latents(&r, results);
    }
    for (guint i = 0; i < results->len; i++) {
        SfuResult *one = g_ptr_array_index(results, i);
        one->note = g_strdup(r.note);
        one->clipped = clipped;
    }
    sfu_queue_compile_ahead_end(e->q, ok);
    sfu_queue_set_build_notify(e->q, NULL, NULL);
    sfu_queue_set_cancel(e->q, NULL);
    if (!ok) {
        /* After a cancel the device may still be at work on what was enqueued. */
        sfu_queue_finish(e->q, NULL);
        g_clear_pointer(&results, g_ptr_array_unref);
        if (!err)
            g_set_error(&err, SFU_ERROR, SFU_ERROR_FAILED, _("%s failed without saying why."),
                        sfu_task_name(job->task));
        sfu_error_convert(error, err);
    }
    run_clear(&r);
    return results;
}
