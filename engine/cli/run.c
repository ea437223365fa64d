/* One job: pictures in, the engine, pictures out; progress on a terminal or as JSON lines.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <json-glib/json-glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int sfu_cli_cancel;

static void print_json(JsonBuilder *b)
{
    JsonNode *root = json_builder_get_root(b);
    char *line = json_to_string(root, FALSE);
    printf("%s\n", line);
    fflush(stdout);
    g_free(line);
    json_node_unref(root);
    g_object_unref(b);
}

void sfu_cli_json_event(const char *event, ...)
{
    JsonBuilder *b = json_builder_new();
    va_list ap;
    va_start(ap, event);
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "event");
    json_builder_add_string_value(b, event);
    for (const char *name; (name = va_arg(ap, const char *));) {
        json_builder_set_member_name(b, name);
        json_builder_add_string_value(b, va_arg(ap, const char *));
    }
    json_builder_end_object(b);
    va_end(ap);
    print_json(b);
}

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
    const gint64 now = g_get_monotonic_time();
    if (p->stage == SFU_STAGE_DENOISE && p->step != w->last_step) {
        if (p->step > 1)
            w->seconds_per_step = (double)(now - w->step_start) / 1e6;
        w->step_start = now;
        w->last_step = p->step;
    }
    if (w->o->json) {
        JsonBuilder *b = json_builder_new();
        const struct {
            const char *name;
            double v;
        } numbers[] = {{"step", p->step}, {"steps", p->n_steps}, {"image", p->image}, {"images", p->n_images}, {"fraction", p->fraction},
                       {"seconds_left", p->seconds_left}};
        json_builder_begin_object(b);
        json_builder_set_member_name(b, "event");
        json_builder_add_string_value(b, "progress");
        json_builder_set_member_name(b, "text");
        json_builder_add_string_value(b, p->text ? p->text : "");
        for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
            json_builder_set_member_name(b, numbers[i].name);
            json_builder_add_double_value(b, numbers[i].v);
        }
        json_builder_end_object(b);
        print_json(b);
    } else if (w->bar && (now - w->last_print > 50000 || p->fraction >= 1)) {
        char bar[31], rate[32] = "";
        const int full = (int)(CLAMP(p->fraction, 0, 1) * 30);
        for (int i = 0; i < 30; i++)
            bar[i] = i < full ? '#' : '.';
        bar[30] = 0;
        if (w->seconds_per_step > 0)
            g_snprintf(rate, sizeof rate, ", %.2f s a step", w->seconds_per_step);
        fprintf(stderr, "\r\033[K[%s] %3.0f %% %s%s", bar, 100 * p->fraction, p->text ? p->text : "", rate);
        fflush(stderr);
        w->last_print = now;
    }
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
    if (!sfu_cli_picture_save(picture, NULL, 8, NULL, path, &error)) { /* a preview that fails spoils no result */
        if (!w->o->quiet)
            g_printerr("sfumato: %s\n", error->message);
        g_clear_error(&error);
    }
    g_free(path);
}

SfuEngine *sfu_cli_engine(const SfuCliOptions *o, GError **error)
{
    if (o->memory_bytes) { /* pictures wait in GEGL's cache, then on disk */
        guint64 cache = 0;
        g_object_get(gegl_config(), "tile-cache-size", &cache, NULL);
        g_object_set(gegl_config(), "tile-cache-size", MIN(cache, o->memory_bytes / 4), NULL);
    }
    const SfuEngineOptions eo = {.device = o->device, .memory_bytes = o->memory_bytes, .precision = o->precision, .profile = o->profile};
    return sfu_engine_new(&eo, error);
}

static gboolean save_result(const SfuCliOptions *o, SfuTask task, const SfuResult *r, GeglBuffer *picture, const char *path, GError **error)
{
    /* What has a place in the picture goes back there; what has another size is a picture of its own. */
    const gboolean region = picture && task != SFU_TASK_UPSCALE && task != SFU_TASK_OUTPAINT;
    GeglBuffer *whole = region ? sfu_result_composite(r, picture) : g_object_ref(r->picture);
    const GeglRectangle *e = gegl_buffer_get_extent(whole);
    char *text = sfu_params_to_infotext(r->params, e->width, e->height);
    const gboolean ok = sfu_cli_picture_save(whole, picture ? gegl_buffer_get_format(picture) : NULL, o->depth, text, path, error);
    g_object_unref(whole);
    g_free(text);
    return ok;
}

gboolean sfu_cli_run(SfuEngine *e, SfuTask task, const SfuCliOptions *o, const char *in, const char *out, GError **error)
{
    GeglBuffer *picture = NULL, *mask = NULL;
    GPtrArray *results = NULL;
    gboolean ok = FALSE;
    const gint64 start = g_get_monotonic_time();
    Watch watch = {.o = o, .out = out, .bar = !o->json && !o->quiet && isatty(2)};
    if ((in && !(picture = sfu_cli_picture_load(in, error))) || (o->mask && !(mask = sfu_cli_picture_load(o->mask, error))))
        goto out;
    const SfuJob job = {.task = task, .params = o->params, .picture = picture, .mask = mask, .cancel = &sfu_cli_cancel, .progress = on_progress,
                        .preview = sfu_params_int(o->params, SFU_PARAM_PREVIEW_EVERY) > 0 ? on_preview : NULL, .data = &watch,
                        .noise_file = o->noise, .latent_file = o->latent, .trace_dir = o->trace};
    results = sfu_engine_run(e, &job, error);
    if (watch.bar)
        fprintf(stderr, "\r\033[K");
    if (!results)
        goto out;
    for (guint i = 0; i < results->len; i++) {
        const SfuResult *r = g_ptr_array_index(results, i);
        char number[16], seed[32], seconds[32];
        g_snprintf(number, sizeof number, "%u", i + 1);
        char *path = results->len > 1 ? with_suffix(out, number) : g_strdup(out);
        ok = save_result(o, task, r, picture, path, error);
        g_snprintf(seed, sizeof seed, "%" G_GUINT64_FORMAT, r->seed);
        g_ascii_formatd(seconds, sizeof seconds, "%.2f", (double)(g_get_monotonic_time() - start) / 1e6);
        if (ok && r->note && i == 0 && !o->json)
            g_printerr("sfumato: %s\n", r->note);
        if (ok && o->json)
            sfu_cli_json_event("result", "file", path, "seed", seed, "seconds", seconds, "device", sfu_engine_device(e), "note", r->note ? r->note : "", NULL);
        else if (ok && !o->quiet)
            g_print("%s (seed %s, %s s on %s)\n", path, seed, seconds, sfu_engine_device(e));
        g_free(path);
        if (!ok)
            break;
    }
out:
    if (results)
        g_ptr_array_unref(results);
    g_clear_object(&picture);
    g_clear_object(&mask);
    return ok;
}
