/* One job: pictures in, the engine, pictures out; progress on a terminal or as JSON lines.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const SfuCliOptions *o;
    const char *out;
    gboolean bar;
    gint64 last_print, step_start; /* microseconds */
    int last_step;
    double seconds_per_step;
} Watch;

static void on_progress(const SfuProgress *p, gpointer data)
{
    Watch *w = data;
    sfu_cli_signals_again();
    const gint64 now = g_get_monotonic_time();
    if (p->stage == SFU_STAGE_DENOISE && p->step != w->last_step) {
        if (p->step > 1)
            w->seconds_per_step = (double)(now - w->step_start) / 1e6;
        w->step_start = now;
        w->last_step = p->step;
    }
    if (w->o->json)
        sfu_cli_json_progress(p);
    else if (w->bar && (now - w->last_print > 50000 || p->fraction >= 1)) {
        char bar[31], rate[32] = "";
        const int full = (int)(CLAMP(p->fraction, 0, 1) * 30);
        for (int i = 0; i < 30; i++)
            bar[i] = i < full ? '#' : '.';
        bar[30] = 0;
        if (w->seconds_per_step > 0)
            g_snprintf(rate, sizeof rate, ", %.2f s per step", w->seconds_per_step);
        fprintf(stderr, "\r\033[K[%s] %3.0f %% %s%s", bar, 100 * p->fraction, p->text ? p->text : "", rate);
        fflush(stderr);
        w->last_print = now;
    }
}

static void on_estimate(const SfuEstimate *e, gpointer data)
{
    const Watch *w = data;
    char *text = sfu_estimate_text(e);
    if (w->o->json) {
        char seconds[32], bytes[32];
        g_ascii_formatd(seconds, sizeof seconds, "%.1f", e->seconds);
        g_snprintf(bytes, sizeof bytes, "%" G_GUINT64_FORMAT, e->bytes);
        sfu_cli_json_event("estimate", "seconds", seconds, "bytes", bytes, "text", text, NULL);
    } else if (!w->o->quiet) {
        g_printerr("%s\n", text);
    }
    g_free(text);
}

/* "dir/name.png", 3 -> "dir/name-3.png". */
static char *with_suffix(const char *path, const char *suffix)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    if (!dot || (slash && dot < slash))
        return g_strconcat(path, "-", suffix, NULL);
    char *stem = g_strndup(path, (gsize)(dot - path)), *out = g_strconcat(stem, "-", suffix, dot, NULL);
    g_free(stem);
    return out;
}

static void on_preview(GeglBuffer *picture, int step, gpointer data)
{
    Watch *w = data;
    GError *error = NULL;
    char *path = with_suffix(w->out, "preview");
    if (!sfu_cli_picture_save(picture, NULL, FALSE, 8, NULL, path,
                              &error)) { /* a preview that fails spoils no result */
        if (!w->o->quiet)
            g_printerr("sfumato: %s\n", error->message);
        g_clear_error(&error);
    }
    g_free(path);
}

void sfu_cli_print_profile(SfuEngine *e, const SfuCliOptions *o)
{
    char *table = o->profile ? sfu_engine_profile(e) : NULL;
    g_printerr("%s", table ? table : "");
    g_free(table);
}

SfuEngine *sfu_cli_engine(const SfuCliOptions *o, GError **error)
{
    if (o->memory_bytes) { /* pictures wait in GEGL's cache, then on disk */
        guint64 cache = 0;
        g_object_get(gegl_config(), "tile-cache-size", &cache, NULL);
        g_object_set(gegl_config(), "tile-cache-size", MIN(cache, o->memory_bytes / 4), NULL);
    }
    const SfuEngineOptions eo = {
        .device = o->device, .memory_bytes = o->memory_bytes, .precision = o->precision, .profile = o->profile};
    return sfu_engine_new(&eo, error);
}

/* A picture that cannot be written where it belongs any more (its folder has gone, the disk has filled up, it is too
 * large for the format) is kept in a temporary folder, if need be as PNG, and the error says where. Takes error. */
static void keep_elsewhere(GeglBuffer *whole, GeglBuffer *like, gboolean clipped, int depth, const char *text,
                           const char *path, GError **error)
{
    char *folder = g_dir_make_tmp("sfumato-XXXXXX", NULL), *name = g_path_get_basename(path),
         *same = folder ? g_build_filename(folder, name, NULL) : NULL,
         *place = same && !sfu_cli_picture_save(whole, like, clipped, depth, text, same, NULL)
                      ? g_strconcat(same, ".png", NULL)
                      : g_strdup(same);
    if (place && (strcmp(place, same) == 0 || sfu_cli_picture_save(whole, like, clipped, 0, text, place, NULL))) {
        GError *cause = g_steal_pointer(error);
        g_set_error(error, cause->domain, cause->code, "%s; the picture is kept in %s", cause->message, place);
        g_error_free(cause);
    } else if (folder) {
        (void)g_rmdir(folder);
    }
    g_free(folder);
    g_free(name);
    g_free(same);
    g_free(place);
}

static gboolean save_result(const SfuCliOptions *o, SfuTask task, const SfuResult *r, GeglBuffer *picture,
                            const char *path, GError **error)
{
    /* What has a place in the picture goes back there; what has another size is a picture of its own. */
    const gboolean region = picture && task != SFU_TASK_UPSCALE && task != SFU_TASK_OUTPAINT;
    GeglBuffer *whole = region ? sfu_result_composite(r, picture) : g_object_ref(r->picture);
    const GeglRectangle *e = gegl_buffer_get_extent(whole);
    char *text = sfu_params_to_infotext(r->params, e->width, e->height);
    const gboolean ok = sfu_cli_picture_save(whole, picture, r->clipped, o->depth, text, path, error);
    if (!ok)
        keep_elsewhere(whole, picture, r->clipped, o->depth, text, path, error);
    g_object_unref(whole);
    g_free(text);
    return ok;
}

char **sfu_cli_outputs(SfuTask task, const SfuParams *params, const char *out)
{
    const SfuParamSpec *count = sfu_param_find("count");
    const int n = count && count->tasks & 1u << task ? MAX(1, (int)sfu_params_get_double(params, "count")) : 1;
    char **paths = g_new0(char *, n + 1);
    for (int i = 0; i < n; i++) {
        char number[16];
        g_snprintf(number, sizeof number, "%d", i + 1);
        paths[i] = n > 1 ? with_suffix(out, number) : g_strdup(out);
    }
    return paths;
}

gboolean sfu_cli_is_done(SfuTask task, const SfuParams *params, const char *out)
{
    char **paths = sfu_cli_outputs(task, params, out);
    gboolean done = TRUE;
    for (int i = 0; done && paths[i]; i++)
        done = g_file_test(paths[i], G_FILE_TEST_EXISTS);
    g_strfreev(paths);
    return done;
}

/* Options that a job of the batch would pass over; on the command line they are refused with its options. */
static gboolean check_options(const SfuCliOptions *o, SfuTask task, GError **error)
{
    const gboolean paints = task != SFU_TASK_TXT2IMG && task != SFU_TASK_UPSCALE, denoises = task != SFU_TASK_UPSCALE;
    const struct {
        const char *name;
        gboolean wrong;
    } options[] = {{"mask", o->mask && !paints},
                   {"noise", o->noise && !denoises},
                   {"save-latent", o->latent && !denoises},
                   {"trace", o->trace && !denoises}};
    for (guint i = 0; i < G_N_ELEMENTS(options); i++)
        if (options[i].wrong) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s does not apply to %s", options[i].name,
                        sfu_task_name(task));
            return FALSE;
        }
    return TRUE;
}

char *sfu_cli_place(const char *path)
{
    char *whole = g_canonicalize_filename(path, NULL), *real = realpath(whole, NULL);
    if (!real) { /* nothing is there yet, but its folder may be */
        char *dir = g_path_get_dirname(whole), *name = g_path_get_basename(whole), *real_dir = realpath(dir, NULL);
        char *place = real_dir ? g_build_filename(real_dir, name, NULL) : g_strdup(whole);
        free(real_dir);
        g_free(dir);
        g_free(name);
        g_free(whole);
        return place;
    }
    char *place = g_strdup(real);
    free(real);
    g_free(whole);
    return place;
}

gboolean sfu_cli_is_same_file(const char *a, const char *b)
{
    char *x = sfu_cli_place(a), *y = sfu_cli_place(b);
    const gboolean same = strcmp(x, y) == 0;
    g_free(x);
    g_free(y);
    return same;
}

/* Latents may replace neither the result nor what it was made from. */
static gboolean are_apart(const char *a, const char *b, GError **error)
{
    const gboolean apart = !sfu_cli_is_same_file(a, b);
    if (!apart)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s cannot hold both a picture and the latents", b);
    return apart;
}

/* A picture may be replaced by its result, a mask hardly by intention. */
static gboolean spares_masks(const SfuCliOptions *o, const char *output, GError **error)
{
    const char *const masks[] = {o->mask, o->exclude};
    for (guint i = 0; i < G_N_ELEMENTS(masks); i++)
        if (masks[i] && sfu_cli_is_same_file(masks[i], output)) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s is the mask; the result needs another name", output);
            return FALSE;
        }
    return TRUE;
}

/* Makes the folder; FALSE with error if no file can be written into it. */
static gboolean can_trace_to(const char *folder, GError **error)
{
    if (g_mkdir_with_parents(folder, 0777) != 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "the folder %s cannot be created: %s", folder,
                    g_strerror(errno));
        return FALSE;
    }
    char *file = g_build_filename(folder, "00000.safetensors", NULL);
    const gboolean ok = sfu_cli_can_write(file, error);
    g_free(file);
    return ok;
}

/* Whatever would fail after the work fails before it. */
static gboolean can_write_all(const SfuCliOptions *o, SfuTask task, GeglBuffer *picture, char **outputs, GError **error)
{
    const gboolean scaled = task == SFU_TASK_UPSCALE && sfu_params_is_set(o->params, "scale");
    const double scale = scaled ? sfu_params_get_double(o->params, "scale") : 1;
    const int w = picture ? (int)(gegl_buffer_get_width(picture) * scale) : 0,
              h = picture ? (int)(gegl_buffer_get_height(picture) * scale) : 0;
    for (int i = 0; outputs[i]; i++)
        if (!spares_masks(o, outputs[i], error) ||
            !sfu_cli_picture_can_save(outputs[i], picture, o->depth, w, h, error) ||
            (o->latent && !are_apart(o->latent, outputs[i], error)))
            return FALSE;
    return (!o->trace || can_trace_to(o->trace, error)) && (!o->latent || sfu_cli_can_write(o->latent, error));
}

/* The mask, or the excluded area, of the picture's size. */
static GeglBuffer *load_mask(const char *file, gboolean invert, GeglBuffer *picture, GError **error)
{
    gboolean alpha;
    GError *local = NULL;
    GeglBuffer *drawn = sfu_cli_picture_load(file, error);
    const GeglRectangle *place = picture ? gegl_buffer_get_extent(picture)
                                 : drawn ? gegl_buffer_get_extent(drawn)
                                         : NULL;
    if (!drawn)
        return NULL;
    if (picture && !sfu_cli_picture_turn_along(file, &drawn, picture, error)) {
        g_object_unref(drawn);
        return NULL;
    }
    GeglBuffer *mask = sfu_mask_from_picture(drawn, place, invert, &alpha, &local);
    if (!mask) {
        g_set_error(error, local->domain, local->code, "%s: %s", file, local->message);
        g_error_free(local);
    } else {
        const int w = gegl_buffer_get_width(drawn), h = gegl_buffer_get_height(drawn);
        if (w != place->width || h != place->height)
            sfu_cli_note("%s is scaled from %d x %d to %d x %d pixels", file, w, h, place->width, place->height);
        if (alpha)
            sfu_cli_note("%s is transparent in parts: its %s parts count, whatever their color", file,
                         invert ? "transparent" : "opaque");
    }
    g_object_unref(drawn);
    return mask;
}

static void unref_if_any(gpointer object)
{
    if (object)
        g_object_unref(object);
}

/* The pictures to look at, then as many masks, NULL in the places of those without one. NULL with error. */
static GPtrArray *load_references(const SfuCliOptions *o, GError **error)
{
    const char *const *texts = sfu_params_list(o->params, SFU_PARAM_REFERENCE);
    const guint n = g_strv_length((char **)texts);
    GPtrArray *all = g_ptr_array_new_with_free_func(unref_if_any);
    gboolean ok = TRUE;
    g_ptr_array_set_size(all, (gint)(2 * n));
    for (guint i = 0; ok && i < n; i++) {
        SfuReferenceSpec spec;
        if (!(ok = sfu_reference_spec_read(texts[i], &spec, error)))
            break;
        ok = (all->pdata[i] = sfu_cli_picture_load(spec.picture, error)) &&
             (!spec.mask || (all->pdata[n + i] = load_mask(spec.mask, FALSE, NULL, error)));
        sfu_reference_spec_clear(&spec);
    }
    if (!ok)
        g_clear_pointer(&all, g_ptr_array_unref);
    return all;
}

/* The pictures of the networks that steer; NULL in the places of those that look at the one that is worked on. NULL
 * with error. */
static GPtrArray *load_controls(const SfuCliOptions *o, GError **error)
{
    const char *const *texts = sfu_params_list(o->params, SFU_PARAM_CONTROL);
    GPtrArray *all = g_ptr_array_new_with_free_func(unref_if_any);
    gboolean ok = TRUE;
    for (int i = 0; ok && texts[i]; i++) {
        SfuControlSpec spec;
        GeglBuffer *b = NULL;
        if (!(ok = sfu_control_spec_read(texts[i], &spec, error)))
            break;
        if (*spec.picture)
            ok = (b = sfu_cli_picture_load(spec.picture, error)) != NULL;
        g_ptr_array_add(all, b);
        sfu_control_spec_clear(&spec);
    }
    if (!ok)
        g_clear_pointer(&all, g_ptr_array_unref);
    return all;
}

/* Of several errors the last is returned; those before it are told at once. Takes `next`, which may be NULL. */
static void add_error(GError **error, GError *next)
{
    if (next && *error) {
        sfu_cli_note("%s", (*error)->message);
        g_clear_error(error);
    }
    if (next)
        g_propagate_error(error, next);
}

/* One job, with what it reads. */
typedef struct {
    SfuEngine *engine;
    SfuTask task;
    const SfuCliOptions *o;
    GeglBuffer *picture, *mask, *exclude; /* NULL: none */
    GPtrArray *references, *controls;     /* as load_references() and load_controls() return them */
    char **outputs;                       /* one file per result */
    gint64 start;                         /* microseconds */
} Run;

static gboolean load_inputs(Run *run, const char *in, GError **error)
{
    const SfuCliOptions *o = run->o;
    return (!in || !o->latent || are_apart(o->latent, in, error)) &&
           (!in || (run->picture = sfu_cli_picture_load(in, error))) &&
           (!o->mask || (run->mask = load_mask(o->mask, o->invert_mask, run->picture, error))) &&
           (!o->exclude || (run->exclude = load_mask(o->exclude, FALSE, run->picture, error))) &&
           (run->references = load_references(o, error)) && (run->controls = load_controls(o, error));
}

static void clear_run(Run *run)
{
    g_clear_object(&run->picture);
    g_clear_object(&run->mask);
    g_clear_object(&run->exclude);
    g_clear_pointer(&run->references, g_ptr_array_unref);
    g_clear_pointer(&run->controls, g_ptr_array_unref);
    g_clear_pointer(&run->outputs, g_strfreev);
}

static SfuJob job_of(const Run *run, Watch *watch)
{
    const SfuCliOptions *o = run->o;
    return (SfuJob){.task = run->task,
                    .params = o->params,
                    .picture = run->picture,
                    .mask = run->mask,
                    .exclude = run->exclude,
                    .references = (GeglBuffer *const *)run->references->pdata,
                    .n_references = (int)run->references->len / 2,
                    .reference_masks = (GeglBuffer *const *)run->references->pdata + run->references->len / 2,
                    .controls = (GeglBuffer *const *)run->controls->pdata,
                    .n_controls = (int)run->controls->len,
                    .cancel = &sfu_cli_cancel,
                    .progress = on_progress,
                    .preview = sfu_params_int(o->params, SFU_PARAM_PREVIEW_EVERY) > 0 ? on_preview : NULL,
                    .estimate = on_estimate,
                    .data = watch,
                    .noise_file = o->noise,
                    .latent_file = o->latent,
                    .trace_dir = o->trace};
}

/* Saves all of them: one that cannot be written costs none of the others. */
static gboolean save_results(const Run *run, const GPtrArray *results, GError **error)
{
    const SfuCliOptions *o = run->o;
    const char *device = sfu_engine_device(run->engine);
    GError *all = NULL;
    for (guint i = 0; i < results->len; i++) {
        const SfuResult *r = g_ptr_array_index(results, i);
        const char *file = run->outputs[i];
        if (r->unsaved)
            add_error(&all, g_error_copy(r->unsaved));
        char seed[32], seconds[32], peak[32];
        GError *local = NULL;
        if (!save_result(o, run->task, r, run->picture, file, &local)) {
            add_error(&all, local);
            continue;
        }
        g_snprintf(seed, sizeof seed, "%" G_GUINT64_FORMAT, r->seed);
        g_ascii_formatd(seconds, sizeof seconds, "%.2f", (double)(g_get_monotonic_time() - run->start) / 1e6);
        g_snprintf(peak, sizeof peak, "%" G_GUINT64_FORMAT, sfu_engine_peak_bytes(run->engine));
        if (r->note && i == 0 && !o->json)
            g_printerr("sfumato: %s\n", r->note);
        if (o->json)
            sfu_cli_json_event("result", "file", file, "seed", seed, "seconds", seconds, "device", device, "peak_bytes",
                               peak, "note", r->note ? r->note : "", NULL);
        else if (!o->quiet)
            g_print("%s (seed %s, %s s on %s)\n", file, seed, seconds, device);
    }
    if (all)
        g_propagate_error(error, all);
    return all == NULL;
}

/* Whoever reads a picture's parameters may lack its model. */
static void hint_at_model(const SfuCliOptions *o, GError **error)
{
    const char *model = sfu_params_text(o->params, SFU_PARAM_MODEL);
    if (!g_error_matches(*error, SFU_ERROR, SFU_ERROR_MODEL) || !*model || g_strcmp0(model, o->from_model) != 0)
        return;
    GError *cause = g_steal_pointer(error);
    const gsize n = strlen(cause->message);
    g_set_error(error, cause->domain, cause->code, "%.*s (the model of %s; --model chooses another)",
                (int)(g_str_has_suffix(cause->message, ".") ? n - 1 : n), cause->message, o->from);
    g_error_free(cause);
}

/* The results; NULL with error. */
static GPtrArray *run_engine(const Run *run, const char *out, GError **error)
{
    const SfuCliOptions *o = run->o;
    Watch watch = {.o = o, .out = out, .bar = !o->json && !o->quiet && isatty(2)};
    const SfuJob job = job_of(run, &watch);
    GPtrArray *results = sfu_engine_run(run->engine, &job, error);
    if (watch.bar)
        fprintf(stderr, "\r\033[K");
    if (!results && g_atomic_int_get(&sfu_cli_cancel)) {
        /* A compiler in the driver loses its files by the same signal, and says that it cannot compile. */
        g_clear_error(error);
        g_set_error(error, SFU_ERROR, SFU_ERROR_CANCELLED, "Cancelled.");
    }
    if (!results)
        hint_at_model(o, error);
    return results;
}

gboolean sfu_cli_run(SfuEngine *e, SfuTask task, const SfuCliOptions *o, const char *in, const char *out,
                     GError **error)
{
    Run run = {.engine = e,
               .task = task,
               .o = o,
               .outputs = sfu_cli_outputs(task, o->params, out),
               .start = g_get_monotonic_time()};
    gboolean ok = FALSE;
    if (check_options(o, task, error) && load_inputs(&run, in, error) &&
        can_write_all(o, task, run.picture, run.outputs, error) && sfu_cli_swap_check(error)) {
        GPtrArray *results = run_engine(&run, out, error);
        g_assert(!results || results->len <= g_strv_length(run.outputs));
        ok = results && sfu_cli_swap_check(error) && save_results(&run, results, error);
        if (results)
            g_ptr_array_unref(results);
    }
    clear_run(&run);
    return ok;
}
