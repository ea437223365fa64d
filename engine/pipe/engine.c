/* SfuEngine: one device, the models in use, and what happens round a job.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>
#include <glib/gi18n-lib.h>

gboolean sfu_error_convert(GError **dest, GError *e)
{
    if (!e)
        return FALSE;
    SfuError code = SFU_ERROR_FAILED;
    if (e->domain == SFU_ERROR) {
        code = e->code;
    } else if (e->domain == SFU_RUNTIME_ERROR) {
        code = e->code == SFU_RUNTIME_ERROR_MEMORY      ? SFU_ERROR_MEMORY
               : e->code == SFU_RUNTIME_ERROR_CANCELLED ? SFU_ERROR_CANCELLED
               : e->code == SFU_RUNTIME_ERROR_NO_LOADER || e->code == SFU_RUNTIME_ERROR_NO_DEVICE || e->code == SFU_RUNTIME_ERROR_LOST
                   ? SFU_ERROR_DEVICE
                   : SFU_ERROR_FAILED;
    } else if (e->domain == SFU_MODEL_ERROR || e->domain == SFU_FILE_ERROR) {
        code = SFU_ERROR_MODEL;
    } else if (e->domain == SFU_TEXT_ERROR) {
        code = SFU_ERROR_USAGE;
    } else if (e->domain == SFU_SAMPLE_ERROR) {
        code = e->code == SFU_SAMPLE_ERROR_OPTIONS ? SFU_ERROR_USAGE : SFU_ERROR_FAILED;
    }
    if (dest)
        *dest = g_error_new_literal(SFU_ERROR, code, e->message);
    g_error_free(e);
    return FALSE;
}

/* ---- devices ---------------------------------------------------------------------------------------------------- */

static void device_free(gpointer p)
{
    SfuDevice *d = p;
    g_free(d->name);
    g_free(d->platform);
    g_free(d->driver);
    g_free(d);
}

GPtrArray *sfu_devices(GError **error)
{
    GError *e = NULL;
    GArray *list = sfu_devices_list(&e);
    if (!list) {
        sfu_error_convert(error, e);
        return NULL;
    }
    GPtrArray *out = g_ptr_array_new_with_free_func(device_free);
    for (guint i = 0; i < list->len; i++) {
        const SfuDeviceInfo *d = &g_array_index(list, SfuDeviceInfo, i);
        SfuDevice *o = g_new0(SfuDevice, 1);
        *o = (SfuDevice){d->index, g_strdup(d->name), g_strdup(d->platform), g_strdup(d->driver), d->is_cpu, d->has_fp16, d->global_bytes};
        g_ptr_array_add(out, o);
    }
    g_array_unref(list);
    return out;
}

/* ---- the engine ------------------------------------------------------------------------------------------------- */

static void loaded_free(gpointer p)
{
    SfuLoaded *l = p;
    sfu_text_encoder_destroy(l->text);
    sfu_unet_destroy(l->unet);
    sfu_vae_destroy(l->vae);
    sfu_taesd_destroy(l->taesd);
    sfu_upscaler_destroy(l->upscaler);
    sfu_model_close(l->model);
    g_free(l->path);
    g_free(l);
}

static gboolean parse_precision(const char *text, SfuPrecision *out, GError **error)
{
    static const char *const words[] = {"auto", "fp32", "bf16", "fp16"};
    static const SfuPrecision values[] = {SFU_PRECISION_AUTO, SFU_PRECISION_FP32, SFU_PRECISION_BF16, SFU_PRECISION_FP16};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_ascii_strcasecmp(text ? text : "auto", words[i]) == 0) {
            *out = values[i];
            return TRUE;
        }
    }
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The precision cannot be \"%.40s\"; it is one of auto, fp32, bf16, fp16."), text);
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
    engine->loaded = g_ptr_array_new_with_free_func(loaded_free);
    return engine;
}

char *sfu_engine_warning(void)
{
    return sfu_cache_warning();
}

void sfu_engine_free(SfuEngine *e)
{
    if (!e)
        return;
    sfu_engine_unload(e);
    g_ptr_array_unref(e->loaded);
    sfu_tokenizer_free(e->tokenizer);
    sfu_queue_destroy(e->q);
    g_free(e->device);
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

void sfu_engine_unload(SfuEngine *e)
{
    sfu_queue_finish(e->q, NULL);
    g_ptr_array_set_size(e->loaded, 0);
    sfu_queue_trim(e->q);
    sfu_engine_forget_words(e);
}

SfuLoaded *sfu_engine_load(SfuEngine *e, const char *path, GError **error)
{
    for (guint i = 0; i < e->loaded->len; i++) {
        SfuLoaded *l = g_ptr_array_index(e->loaded, i);
        if (strcmp(l->path, path) != 0)
            continue;
        if (sfu_model_check_unchanged(l->model, NULL))
            return l;
        g_ptr_array_remove_index(e->loaded, i);
        sfu_engine_forget_words(e);
        break;
    }
    SfuModel *m = sfu_model_open(path, error);
    if (!m)
        return NULL;
    SfuLoaded *l = g_new0(SfuLoaded, 1);
    l->path = g_strdup(path);
    l->model = m;
    g_ptr_array_add(e->loaded, l);
    return l;
}

/* ---- jobs ------------------------------------------------------------------------------------------------------- */

void sfu_result_free(SfuResult *r)
{
    if (!r)
        return;
    g_clear_object(&r->picture);
    sfu_params_free(r->params);
    g_free(r->note);
    g_free(r);
}

SfuResult *sfu_result_new(SfuRun *r, GeglBuffer *taken)
{
    SfuResult *o = g_new0(SfuResult, 1);
    const gboolean masked = r->task == SFU_TASK_INPAINT || (r->task == SFU_TASK_IMG2IMG && r->job->mask);
    *o = (SfuResult){.picture = taken, .seed = r->seed, .params = sfu_params_copy(r->p), .task = r->task, .masked = masked, .note = g_strdup(r->note)};
    sfu_params_put_int64(o->params, SFU_PARAM_SEED, (gint64)MIN(r->seed, (guint64)SFU_SEED_MAX));
    sfu_params_put(o->params, SFU_PARAM_COUNT, 1);
    return o;
}

static gboolean check_job(const SfuJob *job, GError **error)
{
    if (job->task < 0 || job->task >= SFU_N_TASKS || !job->params) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The job names no task or no parameters."));
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
    return TRUE;
}

static gboolean read_noise(SfuRun *r, GError **error)
{
    if (!r->job->noise_file)
        return TRUE;
    r->start_noise =
        sfu_tensorfile_read(r->job->noise_file, "noise", &r->noise_n, &r->noise_h, &r->noise_w, &r->noise_c, error);
    return r->start_noise != NULL;
}

static void notify_build(const char *program, gpointer data)
{
    sfu_run_stage(data, SFU_STAGE_COMPILE, NULL);
}

static gboolean run_pipeline(SfuRun *r, SfuLoaded *m, GPtrArray *results, GError **error)
{
    if (sfu_model_family(m->model)->enlargement == SFU_ENLARGE_NETWORK)
        return sfu_pipe_network(r, m, results, error);
    SfuSession s = {0};
    if (!sfu_session_init(&s, r, m, error))
        return FALSE;
    const gboolean ok = r->task == SFU_TASK_UPSCALE ? sfu_pipe_enlarge(&s, results, error) : sfu_pipe_paint(&s, results, error);
    sfu_session_clear(&s);
    return ok;
}

/* A file with more in its networks than Sfumato runs may make other pictures than it should: that is said. */
static void note_strays(SfuRun *r, const SfuLoaded *m)
{
    const GPtrArray *strays = sfu_model_strays(m->model);
    if (strays->len)
        r->note = g_strdup_printf("%s holds %u tensors that %s does not have (the first is '%s'); the picture may not be "
                                  "what the model should make.", m->path, strays->len, sfu_model_family(m->model)->name,
                                  (const char *)g_ptr_array_index(strays, 0));
}

/* The model, checked for the task. */
static SfuLoaded *load_for_task(SfuRun *r, GError **error)
{
    char *path = sfu_model_resolve(sfu_params_text(r->p, SFU_PARAM_MODEL), r->task, error);
    if (!path)
        return NULL;
    SfuLoaded *m = sfu_run_stage(r, SFU_STAGE_LOAD, error) ? sfu_engine_load(r->e, path, error) : NULL;
    if (m && !(sfu_model_family(m->model)->tasks & 1u << r->task)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s is a model of the family %s, which cannot do %s."), path,
                    sfu_model_family(m->model)->name, sfu_task_name(r->task));
        m = NULL;
    }
    if (m)
        note_strays(r, m);
    if (m)
        sfu_params_put_text(r->p, SFU_PARAM_MODEL, path);
    g_free(path);
    return m;
}

GPtrArray *sfu_engine_run(SfuEngine *e, const SfuJob *job, GError **error)
{
    if (!check_job(job, error))
        return NULL;
    GError *err = NULL;
    SfuRun r = {.e = e, .q = e->q, .job = job, .task = job->task, .p = sfu_params_copy(job->params), .last_us = g_get_monotonic_time()};
    GPtrArray *results = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_result_free);
    r.n_images = job->task == SFU_TASK_UPSCALE ? 1 : sfu_params_int(r.p, SFU_PARAM_COUNT);
    const gint64 seed = sfu_params_int64(r.p, SFU_PARAM_SEED);
    /* 32 random bits, as everybody's seeds are. */
    r.seed = seed < 0 ? g_random_int() : (guint64)seed;

    char *cache = sfu_cache_warning();
    if (cache)
        sfu_run_note(&r, "%s", cache);
    g_free(cache);
    sfu_queue_set_cancel(e->q, job->cancel);
    sfu_queue_set_build_notify(e->q, notify_build, &r);
    SfuLoaded *m = NULL;
    gboolean ok = read_noise(&r, &err) && (m = load_for_task(&r, &err)) && run_pipeline(&r, m, results, &err);
    if (ok && r.latents)
        ok = sfu_tensorfile_write(job->latent_file, "latent", (const float *)(gconstpointer)r.latents->data,
                                  r.latents->len / (r.latent_h * r.latent_w * r.latent_c), r.latent_h, r.latent_w, r.latent_c, &err);
    sfu_queue_set_build_notify(e->q, NULL, NULL);
    sfu_queue_set_cancel(e->q, NULL);
    if (!ok) {
        /* After a cancel the device may still be at work on what was enqueued. */
        sfu_queue_finish(e->q, NULL);
        g_clear_pointer(&results, g_ptr_array_unref);
        if (!err)
            g_set_error(&err, SFU_ERROR, SFU_ERROR_FAILED, _("%s failed without saying why."), sfu_task_name(job->task));
        sfu_error_convert(error, err);
    }
    g_clear_pointer(&r.latents, g_array_unref);
    g_free(r.start_noise);
    g_free(r.note);
    sfu_params_free(r.p);
    return results;
}
