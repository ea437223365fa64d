/* A stand-in for the engine behind sfumato.h, for the plug-in's tests: paints with plain arithmetic instead of a
 * network, so that every pixel of a result is known, in no time. The table of parameters is the real one. Environment:
 *   SFU_STANDIN_STEP_MS   time of a step (default 0)
 *   SFU_STANDIN_FAIL      device, model, memory: the run fails that way; model:PATH: that one does; kill: the process
 *                         dies after the first step
 *   SFU_STANDIN_NO_MODELS there is none
 *   SFU_STANDIN_LOG       a file that gets one line for each run when it has ended: task, seed, sizes, options; the
 *                         file LOG.begun gets a byte when one begins
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "standin.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct SfuEngine {
    int n_runs;
    char *device, *precision;
    guint64 memory_bytes;
};

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
    GPtrArray *a = g_ptr_array_new_with_free_func(device_free);
    for (int i = 0; i < 2; i++) {
        SfuDevice *d = g_new0(SfuDevice, 1);
        *d = (SfuDevice){.index = i,
                         .name = g_strdup(i ? "Stand-in GPU" : "Stand-in CPU"),
                         .platform = g_strdup("Stand-in"),
                         .driver = g_strdup("1"),
                         .is_cpu = !i,
                         .has_fp16 = i,
                         .memory_bytes = (guint64)(8 * (i + 1)) << 30};
        g_ptr_array_add(a, d);
    }
    return a;
}

static void model_free(gpointer p)
{
    SfuModelInfo *m = p;
    g_free(m->path);
    g_free(m->name);
    g_free(m->title);
    g_free(m->family);
    g_free(m->error);
    g_free(m);
}

static GMutex further_lock;
static char **further; /* NULL: none */

char **sfu_model_folders(const char *const *extra)
{
    g_mutex_lock(&further_lock);
    char **all = extra ? g_strdupv((char **)extra) : further ? g_strdupv(further) : g_new0(char *, 1);
    g_mutex_unlock(&further_lock);
    return all;
}

void (*standin_look)(void);

static void look(void)
{
    if (standin_look)
        standin_look();
}

void sfu_model_folders_also(const char *const *folders)
{
    g_mutex_lock(&further_lock);
    g_strfreev(further);
    further = g_strdupv((char **)folders);
    g_mutex_unlock(&further_lock);
}

SfuReferences sfu_model_references(const char *model)
{
    return strstr(model, "dreamshaper") ? SFU_REFERENCES_WEIGHTED
           : strstr(model, "instruct")  ? SFU_REFERENCES_PLAIN
                                        : SFU_REFERENCES_NONE;
}

GPtrArray *sfu_models(const char *const *folders)
{
    static const struct {
        const char *name, *family;
        guint64 bytes;
        guint tasks;
        gboolean text;
        int native, scale;
        const char *error, *part;
    } list[] = {
        {"sfumato-mini", "Sfumato mini", 88 << 20,
         1 << SFU_TASK_INPAINT | 1 << SFU_TASK_OUTPAINT | 1 << SFU_TASK_UPSCALE, FALSE, 256, 0, NULL, NULL},
        {"dreamshaper_8", "Stable Diffusion 1.5", (guint64)2034 << 20, 31 & ~(1 << SFU_TASK_EDIT), TRUE, 512, 0, NULL,
         NULL},
        {"sd-v1-5-inpainting", "Stable Diffusion 1.5, inpainting", (guint64)2034 << 20,
         1 << SFU_TASK_INPAINT | 1 << SFU_TASK_OUTPAINT, TRUE, 512, 0, NULL, NULL},
        {"RealESRGAN_x4plus", "ESRGAN", 64 << 20, 1 << SFU_TASK_UPSCALE, FALSE, 0, 4, NULL, NULL},
        {"1x-DeJPEG", "ESRGAN", 64 << 20, 1 << SFU_TASK_UPSCALE, FALSE, 0, 1, NULL, NULL},
        {"instruct-pix2pix", "InstructPix2Pix", (guint64)2034 << 20, 1 << SFU_TASK_EDIT, TRUE, 512, 0, NULL, NULL},
        {"broken", "", 12345, 0, FALSE, 0, 0, "broken.safetensors ends after 12345 bytes; its header announces 98765.",
         NULL},
        {"unet-alone", "Stable Diffusion 1.5", 1700 << 20, 0, TRUE, 512, 0,
         "It lacks the text encoder, so it cannot paint alone; a whole checkpoint or a diffusers folder can.", NULL},
        {"vae-ft-mse", "unknown", 319 << 20, 0, FALSE, 0, 0, NULL, "vae"},
        {"taesd", "TAESD", 9 << 20, 0, FALSE, 0, 0, NULL, "taesd"},
    };
    GPtrArray *a = g_ptr_array_new_with_free_func(model_free);
    look();
    for (gsize i = 0; i < G_N_ELEMENTS(list) && !g_getenv("SFU_STANDIN_NO_MODELS"); i++) {
        SfuModelInfo *m = g_new0(SfuModelInfo, 1);
        *m = (SfuModelInfo){g_strdup_printf("/models/%s.safetensors", list[i].name),
                            g_strdup(list[i].name),
                            g_strdup(i ? list[i].name : "Sfumato mini"),
                            g_strdup(list[i].family),
                            list[i].bytes,
                            list[i].tasks,
                            list[i].text,
                            list[i].native,
                            list[i].scale,
                            list[i].part,
                            g_strdup(list[i].error)};
        g_ptr_array_add(a, m);
    }
    return a;
}

static void net_free(gpointer p)
{
    SfuControlNet *n = p;
    g_free(n->path);
    g_free(n->name);
    g_free(n);
}

GPtrArray *sfu_control_nets(const char *const *folders, const char *model)
{
    static const char *const names[] = {"sd15_canny", "union"};
    GPtrArray *a = g_ptr_array_new_with_free_func(net_free);
    look();
    for (gsize i = 0; i < G_N_ELEMENTS(names) && strstr(model, "dreamshaper"); i++) {
        SfuControlNet *n = g_new(SfuControlNet, 1);
        *n =
            (SfuControlNet){g_strdup_printf("/models/controlnet/%s.safetensors", names[i]), g_strdup(names[i]), i == 1};
        g_ptr_array_add(a, n);
    }
    return a;
}

char *sfu_model_default(GPtrArray *models, SfuTask task)
{
    for (guint i = 0; i < models->len; i++)
        if (((SfuModelInfo *)models->pdata[i])->tasks & (1u << task))
            return g_strdup(((SfuModelInfo *)models->pdata[i])->path);
    return NULL;
}

const char *const sfu_precisions[] = {"auto", "fp32", "bf16", "fp16", "int8", "int16", NULL};

SfuEngine *sfu_engine_new(const SfuEngineOptions *options, GError **error)
{
    if (g_strcmp0(g_getenv("SFU_STANDIN_FAIL"), "device") == 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_DEVICE, "There is no OpenCL device: no driver is installed.");
        return NULL;
    }
    SfuEngine *e = g_new0(SfuEngine, 1);
    e->device = g_strdup(options->device);
    e->precision = g_strdup(options->precision);
    e->memory_bytes = options->memory_bytes;
    return e;
}

void sfu_engine_free(SfuEngine *e)
{
    if (!e)
        return;
    g_free(e->device);
    g_free(e->precision);
    g_free(e);
}

const char *sfu_engine_device(const SfuEngine *e)
{
    return "Stand-in CPU";
}

void sfu_result_free(SfuResult *r)
{
    g_clear_object(&r->picture);
    sfu_params_free(r->params);
    g_free(r);
}

static void result_free(gpointer p)
{
    sfu_result_free(p);
}

typedef void (*Pixel)(float *rgba, const float *source, float mask, int x, int y, guint64 seed);

static void invert(float *out, const float *in, float mask, int x, int y, guint64 seed)
{
    for (int c = 0; c < 3; c++)
        out[c] = 1 - in[c];
    out[3] = mask;
}

static void keep_or_flat(float *out, const float *in, float mask, int x, int y, guint64 seed)
{
    const float flat[4] = {0.25f, 0.5f, 0.75f, 1};
    memcpy(out, mask > 0 ? in : flat, sizeof flat);
}

/* What is there stays, what is empty or outside of it is painted. */
static void extend(float *out, const float *in, float mask, int x, int y, guint64 seed)
{
    keep_or_flat(out, in, mask > 0 ? in[3] : 0, x, y, seed);
    out[3] = 1;
}

static void gradient(float *out, const float *in, float mask, int x, int y, guint64 seed)
{
    out[0] = (x % 256) / 255.0f;
    out[1] = (y % 256) / 255.0f;
    out[2] = (seed % 256) / 255.0f;
    out[3] = 1;
}

static GeglBuffer *paint(const SfuJob *job, const GeglRectangle *extent, double scale, Pixel pixel, guint64 seed)
{
    const Babl *rgba = babl_format("R'G'B'A float");
    GeglBuffer *out = gegl_buffer_new(extent, rgba);
    const GeglRectangle *pic = job->picture ? gegl_buffer_get_extent(job->picture) : NULL;
    float *row = g_new0(float, (gsize)extent->width * 4), *in = g_new0(float, pic ? (gsize)pic->width * 4 : 4);
    float *mask = g_new(float, extent->width);
    const float black[4] = {0};
    for (int y = extent->y; y < extent->y + extent->height; y++) {
        const GeglRectangle line = {extent->x, y, extent->width, 1};
        const int sy = pic ? (scale > 1 ? pic->y + (int)((y - extent->y) / scale) : y) : 0;
        const gboolean inside = pic && sy >= pic->y && sy < pic->y + pic->height;
        if (inside) {
            const GeglRectangle r = {pic->x, sy, pic->width, 1};
            gegl_buffer_get(job->picture, &r, 1.0, rgba, in, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        }
        if (job->mask)
            gegl_buffer_get(job->mask, &line, 1.0, babl_format("Y float"), mask, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int i = 0; i < extent->width; i++) {
            const int sx = pic ? (scale > 1 ? (int)(i / scale) : extent->x + i - pic->x) : 0;
            const gboolean ok = inside && sx >= 0 && sx < pic->width;
            pixel(row + 4 * i, ok ? in + 4 * sx : black, job->mask ? mask[i] : ok, extent->x + i, y, seed);
        }
        gegl_buffer_set(out, &line, 0, rgba, row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    g_free(in);
    g_free(mask);
    return out;
}

static GeglBuffer *result_picture(const SfuJob *job, guint64 seed)
{
    const SfuParams *p = job->params;
    GeglRectangle r = job->picture ? *gegl_buffer_get_extent(job->picture) : (GeglRectangle){0};
    switch (job->task) {
    case SFU_TASK_TXT2IMG:
        r.width = sfu_params_get_double(p, "width");
        r.height = sfu_params_get_double(p, "height");
        r.width = r.width ? r.width : 256;
        r.height = r.height ? r.height : 256;
        return paint(job, &r, 1, gradient, seed);
    case SFU_TASK_OUTPAINT:
        r.x -= sfu_params_get_double(p, "left");
        r.y -= sfu_params_get_double(p, "top");
        r.width += sfu_params_get_double(p, "left") + sfu_params_get_double(p, "right");
        r.height += sfu_params_get_double(p, "top") + sfu_params_get_double(p, "bottom");
        return paint(job, &r, 1, extend, seed);
    case SFU_TASK_UPSCALE:
        r.width *= sfu_params_get_double(p, "scale");
        r.height *= sfu_params_get_double(p, "scale");
        return paint(job, &r, sfu_params_get_double(p, "scale"), keep_or_flat, seed);
    case SFU_TASK_EDIT: { /* the whole picture, as most models that edit make it */
        const SfuJob whole = {.picture = job->picture};
        return paint(&whole, &r, 1, invert, seed);
    }
    default:
        if (job->mask)
            gegl_rectangle_intersect(&r, &r, gegl_buffer_get_extent(job->mask));
        return paint(job, &r, 1, invert, seed);
    }
}

/* Less if the job is canceled. */
static void sleep_ms(double ms, const SfuJob *job)
{
    for (; ms > 0 && !(job->cancel && g_atomic_int_get(job->cancel)); ms -= 5)
        g_usleep(5000);
}

static gboolean steps(const SfuJob *job, int image, int n_images, guint64 seed, GError **error)
{
    const char *ms = g_getenv("SFU_STANDIN_STEP_MS");
    const int asked = sfu_params_get_double(job->params, "steps"), n = asked > 0 ? asked : ms ? 8 : 1;
    const int every = sfu_params_get_double(job->params, "preview_every");
    GeglBuffer *final = every && job->preview ? result_picture(job, seed) : NULL;
    for (int step = 1; step <= n; step++) {
        char text[64];
        g_snprintf(text, sizeof text, "Denoising %d of %d", step, n);
        const double wait = ms ? g_ascii_strtod(ms, NULL) / 1000 : 0;
        const SfuProgress p = {SFU_STAGE_DENOISE,     step,  n,        (image + (step - 1.0) / n) / n_images,
                               wait * (n - step + 1), image, n_images, text};
        if (job->progress)
            job->progress(&p, job->data);
        sleep_ms(wait * 1000, job);
        if (job->cancel && g_atomic_int_get(job->cancel)) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_CANCELLED, "Cancelled.");
            g_clear_object(&final);
            return FALSE;
        }
        if (g_strcmp0(g_getenv("SFU_STANDIN_FAIL"), "kill") == 0)
            kill(getpid(), SIGKILL);
        if (final && step % every == 0)
            job->preview(final, step, job->data);
    }
    g_clear_object(&final);
    return TRUE;
}

static float red_at(GeglBuffer *b, int x, int y)
{
    float pixel[4];
    gegl_buffer_get(b, GEGL_RECTANGLE(x, y, 1, 1), 1.0, babl_format("R'G'B'A float"), pixel, GEGL_AUTO_ROWSTRIDE,
                    GEGL_ABYSS_NONE);
    return pixel[0];
}

/* " control [TEXT] x y w h corner RED middle RED" of each network, " reference [TEXT] w h" of each reference; caller
 * frees. */
static char *steering_text(const SfuJob *job)
{
    const char *const *texts = sfu_params_list(job->params, SFU_PARAM_CONTROL);
    GString *s = g_string_new(NULL);
    for (int i = 0; texts[i]; i++) {
        g_string_append_printf(s, " control [%s]", texts[i]);
        GeglBuffer *b = i < job->n_controls ? job->controls[i] : NULL;
        const GeglRectangle *e = b ? gegl_buffer_get_extent(b) : NULL;
        if (b)
            g_string_append_printf(s, " %d %d %d %d corner %.2f middle %.2f", e->x, e->y, e->width, e->height,
                                   red_at(b, e->x, e->y), red_at(b, e->x + e->width / 2, e->y + e->height / 2));
        else
            g_string_append(s, " none");
    }
    for (int i = 0; i < job->n_references; i++) {
        const GeglRectangle *e = gegl_buffer_get_extent(job->references[i]);
        const char *const *said = sfu_params_list(job->params, SFU_PARAM_REFERENCE);
        g_string_append_printf(s, " reference [%s] %d %d", said[i], e->width, e->height);
    }
    return g_string_free(s, FALSE);
}

int standin_n_prepared;

void sfu_engine_prepare(SfuEngine *e, const SfuJob *job)
{
    const char *ms = g_getenv("SFU_STANDIN_STEP_MS");
    sleep_ms(ms ? g_ascii_strtod(ms, NULL) : 0, job);
    g_atomic_int_inc(&standin_n_prepared);
}

/* A byte more in a file beside the log. */
static void note_begin(const char *log)
{
    char *path = g_strconcat(log, ".begun", NULL);
    FILE *f = fopen(path, "a");
    if (f) {
        fputc('\n', f);
        fclose(f);
    }
    g_free(path);
}

/* The line of a run that has ended. */
static void note_end(const char *log, const SfuEngine *e, const SfuJob *job, guint64 seed)
{
    const GeglRectangle none = {0}, *p = job->picture ? gegl_buffer_get_extent(job->picture) : &none,
                        *m = job->mask ? gegl_buffer_get_extent(job->mask) : &none,
                        *x = job->exclude ? gegl_buffer_get_extent(job->exclude) : &none;
    float pixel[4] = {0};
    if (job->picture) /* the first pixel in sRGB: shows whether the color space arrived */
        gegl_buffer_get(job->picture, GEGL_RECTANGLE(p->x, p->y, 1, 1), 1.0, babl_format("R'G'B'A float"), pixel,
                        GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    FILE *f = fopen(log, "a");
    if (!f)
        return;
    char *steering = steering_text(job);
    fprintf(f,
            "%s seed %" G_GUINT64_FORMAT " picture %d %d %d %d mask %d %d %d %d exclude %d %d %d %d pixel %.4f "
            "%.4f %.4f %.4f model %s guidance %g strength %g device %s memory %" G_GUINT64_FORMAT
            " precision %s vae %s%s steps %g prompt %s\n",
            sfu_task_name(job->task), seed, p->x, p->y, p->width, p->height, m->x, m->y, m->width, m->height, x->x,
            x->y, x->width, x->height, pixel[0], pixel[1], pixel[2], pixel[3],
            sfu_params_get_string(job->params, "model"), sfu_params_get_double(job->params, "guidance"),
            sfu_params_for(job->params, SFU_PARAM_STRENGTH, job->task), e->device ? e->device : "any", e->memory_bytes,
            e->precision ? e->precision : "auto", sfu_params_get_string(job->params, "vae"), steering,
            sfu_params_get_double(job->params, "steps"), sfu_params_get_string(job->params, "prompt"));
    g_free(steering);
    fclose(f);
}

GPtrArray *sfu_engine_run(SfuEngine *e, const SfuJob *job, GError **error)
{
    const char *fail = g_getenv("SFU_STANDIN_FAIL"), *log = g_getenv("SFU_STANDIN_LOG");
    if (g_strcmp0(fail, "memory") == 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MEMORY,
                    "The run needs 9000000000 bytes even in tiles; the device has 8589934592.");
        return NULL;
    }
    if (g_strcmp0(fail, "model") == 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, "No model for %s is installed.", sfu_task_name(job->task));
        return NULL;
    }
    if (fail && g_str_has_prefix(fail, "model:") &&
        strcmp(fail + 6, sfu_params_get_string(job->params, "model")) == 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, "%s is torn.", fail + 6);
        return NULL;
    }
    if (log)
        note_begin(log);
    GPtrArray *results = g_ptr_array_new_with_free_func(result_free);
    const int count = MAX(1, sfu_params_get_double(job->params, "count"));
    const double given = sfu_params_get_double(job->params, "seed");
    const guint64 first = given < 0 ? 1000 + e->n_runs * 100 : (guint64)given;
    for (int i = 0; i < count; i++) {
        if (!steps(job, i, count, first + i, error)) {
            g_ptr_array_unref(results);
            return NULL;
        }
        SfuResult *r = g_new0(SfuResult, 1);
        r->seed = first + i;
        r->picture = result_picture(job, r->seed);
        r->params = sfu_params_copy(job->params);
        sfu_params_set_double(r->params, "seed", r->seed, NULL);
        g_ptr_array_add(results, r);
    }
    e->n_runs++;
    if (log)
        note_end(log, e, job, first);
    return results;
}
