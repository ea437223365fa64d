/* An action's dialog at work: generating, stopping, looking at results, adding them.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialog-private.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "ui.h"
#include "whole-image.h"

#define THUMBNAIL_PX 64
#define ASK_ABOVE_PX 1e8         /* a result of 100 megapixels */
#define RESULT_BYTES_PER_PX 32.0 /* the engine's floats, and GIMP's layer with its undo step */
#define STATUS_EVERY_US 250000   /* GIMP's status bar is another process: a word to it four times a second */

static void shared_unref(SfuSharedInput *s)
{
    if (s && --s->n_refs == 0) {
        sfu_input_free(s->input);
        g_free(s);
    }
}

static void entry_free(gpointer p)
{
    SfuEntry *e = p;
    sfu_request_free(e->request);
    g_ptr_array_unref(e->results);
    g_object_unref(e->look);
    shared_unref(e->shared);
    g_free(e);
}

static double before_scale(const SfuInput *in, const SfuRequest *r)
{
    return in->action == SFU_ACTION_ENLARGE ? sfu_request_get_double(r, "scale") : 1;
}

/* What the preview shows at first: the region with as much again around it, but no more than the picture. */
static GeglRectangle surroundings(const SfuInput *in, const GeglRectangle *region)
{
    GeglRectangle r = *region;
    if (!in->picture || in->action == SFU_ACTION_EXPAND || in->action == SFU_ACTION_ENLARGE)
        return r;
    const int pad = MAX(r.width, r.height) / 2 + 16;
    r = (GeglRectangle){r.x - pad, r.y - pad, r.width + 2 * pad, r.height + 2 * pad};
    gegl_rectangle_intersect(&r, &r, gegl_buffer_get_extent(in->picture));
    return r;
}

/* The mask as a veil of colour, to show what will be repainted. Caller unrefs. */
static GeglBuffer *veil(GeglBuffer *mask)
{
    const GeglRectangle all = *gegl_buffer_get_extent(mask);
    GeglBuffer *out = gegl_buffer_new(&all, babl_format("R'G'B'A float"));
    float *m = g_new(float, all.width), *row = g_new(float, (gsize)all.width * 4);
    for (int y = 0; y < all.height; y++) {
        const GeglRectangle r = {all.x, all.y + y, all.width, 1};
        gegl_buffer_get(mask, &r, 1.0, babl_format("Y float"), m, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int x = 0; x < all.width; x++) {
            row[4 * x] = 0.95f;
            row[4 * x + 1] = 0.35f;
            row[4 * x + 2] = 0.2f;
            row[4 * x + 3] = 0.4f * m[x];
        }
        gegl_buffer_set(out, &r, 0, babl_format("R'G'B'A float"), row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(m);
    g_free(row);
    return out;
}

static void show_input(SfuDialog *d, const SfuInput *in, const SfuRequest *r)
{
    const double scale = before_scale(in, r);
    sfu_preview_set_before(d->preview, in->picture, scale);
    GeglBuffer *over = in->picture && in->mask ? veil(in->mask) : NULL;
    sfu_preview_set_over(d->preview, over, NULL);
    if (over)
        g_object_unref(over);
    if (in->picture) {
        GeglRectangle area = in->mask ? *gegl_buffer_get_extent(in->mask) : *gegl_buffer_get_extent(in->picture);
        area = (GeglRectangle){area.x * scale, area.y * scale, area.width * scale, area.height * scale};
        area = surroundings(in, &area);
        if (in->action == SFU_ACTION_EXPAND) { /* the room that will be painted shows as empty */
            const int left = sfu_request_get_double(r, "left"), top = sfu_request_get_double(r, "top");
            area.x -= left;
            area.y -= top;
            area.width += left + (int)sfu_request_get_double(r, "right");
            area.height += top + (int)sfu_request_get_double(r, "bottom");
        }
        sfu_preview_focus(d->preview, &area);
    }
}

static const SfuResult *entry_result(const SfuEntry *e)
{
    return e->results->pdata[0];
}

/* Where a result lies in the preview's coordinates: enlarged pictures may come with any origin. */
static GeglRectangle entry_area(const SfuEntry *e)
{
    return *gegl_buffer_get_extent(e->look);
}

static void show_entry(SfuDialog *d, int index)
{
    d->current = index;
    for (guint i = 0; i < d->entries->len; i++) {
        SfuEntry *e = d->entries->pdata[i];
        g_signal_handlers_block_by_func(e->button, sfu_dialog_pick, d);
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(e->button), (int)i == index);
        g_signal_handlers_unblock_by_func(e->button, sfu_dialog_pick, d);
    }
    gtk_widget_set_sensitive(d->add, index >= 0);
    gtk_widget_set_sensitive(d->before_button, index >= 0);
    if (index < 0)
        return;
    const SfuEntry *e = d->entries->pdata[index];
    const SfuInput *in = e->shared->input;
    const GeglRectangle region = entry_area(e), area = surroundings(in, &region);
    char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, entry_result(e)->seed);
    char *text = g_strdup_printf(e->added ? _("Seed %s, %.1f s, added") : _("Seed %s, %.1f s"), seed, e->seconds);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->before_button), FALSE);
    sfu_preview_set_before(d->preview, in->picture, before_scale(in, e->request));
    sfu_preview_set_over(d->preview, e->look, NULL);
    sfu_preview_focus(d->preview, &area);
    gtk_label_set_text(GTK_LABEL(d->status), text);
    gtk_widget_set_tooltip_text(d->status, sfu_params_text(entry_result(e)->params, SFU_PARAM_PROMPT));
    g_free(text);
    g_free(seed);
}

void sfu_dialog_pick(GtkWidget *button, gpointer data)
{
    SfuDialog *d = data;
    for (guint i = 0; i < d->entries->len; i++)
        if (((SfuEntry *)d->entries->pdata[i])->button == button)
            show_entry(d, i);
}

void sfu_dialog_before_toggled(GtkWidget *button, gpointer data)
{
    sfu_preview_show_before(((SfuDialog *)data)->preview, gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(button)));
}

/* ---- a run
 * ------------------------------------------------------------------------------------------------------------- */

static void focus_first(SfuDialog *d)
{
    gtk_widget_grab_focus(d->prompt.box && gtk_widget_get_visible(d->prompt.box) ? d->prompt.view : d->generate);
}

static void set_busy(SfuDialog *d, gboolean busy)
{
    gtk_widget_set_visible(d->stop, busy);
    gtk_widget_set_visible(d->generate, !busy);
    gtk_widget_set_sensitive(d->stop, TRUE);
    if (busy)
        gtk_widget_grab_focus(d->stop);
    else
        focus_first(d);
}

static void on_progress(const SfuProgress *p, gpointer data)
{
    SfuDialog *d = data;
    char *words = sfu_progress_text(p), *model = sfu_models_name(d->models, d->to_try[d->trying]);
    char *text = model ? g_strdup_printf("%s (%s)", words, model) : g_strdup(words);
    g_free(words);
    g_free(model);
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->progress), CLAMP(p->fraction, 0, 1));
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), text);
    const gint64 now = g_get_monotonic_time();
    if (now - d->last_status_us > STATUS_EVERY_US) {
        sfu_host_progress(p->fraction, text);
        d->last_status_us = now;
    }
    g_free(text);
}

static void on_preview(GeglBuffer *picture, int step, gpointer data)
{
    SfuDialog *d = data;
    /* What is generated has its own coordinates until it is added; a mask would be elsewhere. */
    sfu_preview_set_over(d->preview, picture, d->running->input->picture ? d->running->input->mask : NULL);
    if (!d->running->input->picture || d->running->input->action == SFU_ACTION_EXPAND)
        sfu_preview_focus(d->preview, gegl_buffer_get_extent(picture));
}

/* Takes the results. */
static void add_entry(SfuDialog *d, GPtrArray *results, GeglBuffer *look, double seconds)
{
    SfuEntry *e = g_new0(SfuEntry, 1);
    e->shared = d->running;
    e->shared->n_refs++;
    e->request = sfu_request_copy(d->running_request);
    e->seconds = seconds;
    e->results = results;
    e->look = g_object_ref(look);
    const GeglRectangle region = entry_area(e), area = surroundings(e->shared->input, &region);
    GdkPixbuf *thumb = sfu_preview_thumbnail(e->shared->input->picture, before_scale(e->shared->input, e->request),
                                             look, &area, THUMBNAIL_PX);
    char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, entry_result(e)->seed);
    char *name = g_strdup_printf(_("Result %u, seed %s"), d->entries->len + 1, seed);
    e->button = sfu_dialog_thumbnail(d, thumb, name);
    g_signal_connect(e->button, "clicked", G_CALLBACK(sfu_dialog_pick), d);
    g_object_unref(thumb);
    g_free(name);
    g_free(seed);
    g_ptr_array_add(d->entries, e);
}

/* One entry for each result, or one for a whole image with all of its layers'. */
static gboolean add_entries(SfuDialog *d, GPtrArray *results, double seconds, GError **error)
{
    if (d->running->input->layers) {
        GeglBuffer *look = sfu_whole_image_look(d->running->input, results, error);
        if (!look)
            return FALSE;
        add_entry(d, g_ptr_array_ref(results), look, seconds);
        g_object_unref(look);
        return TRUE;
    }
    g_ptr_array_set_free_func(results, NULL); /* each entry owns its result from now on */
    for (guint i = 0; i < results->len; i++) {
        SfuResult *result = results->pdata[i];
        GPtrArray *one = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_result_free);
        g_ptr_array_add(one, result);
        add_entry(d, one, result->picture, seconds / results->len);
    }
    return TRUE;
}

static void forget_run(SfuDialog *d)
{
    shared_unref(d->running);
    d->running = NULL;
    sfu_request_free(d->running_request);
    d->running_request = NULL;
    for (int i = 0; i < d->n_jobs; i++)
        if (i == 0) /* they share their parameters */
            sfu_params_free((SfuParams *)d->jobs[i].params);
    g_clear_pointer(&d->jobs, g_free);
    d->n_jobs = 0;
    g_clear_pointer(&d->to_try, g_strfreev);
}

static void start_with(SfuDialog *d, int which);

/* A model that cannot be used is passed over, if nobody has asked for it by name; that is said. */
static gboolean try_next(SfuDialog *d, const GError *failed)
{
    if (!g_error_matches(failed, SFU_ERROR, SFU_ERROR_MODEL) || d->closed || !d->to_try[d->trying + 1])
        return FALSE;
    char *text = sfu_model_failed_text(d->models, d->to_try[d->trying], d->to_try[d->trying + 1], failed);
    sfu_dialog_error(d, text);
    g_free(text);
    start_with(d, d->trying + 1);
    return TRUE;
}

static void on_done(GPtrArray *results, double seconds, const GError *failed, gpointer data)
{
    SfuDialog *d = data;
    const int first = d->entries->len;
    if (failed && try_next(d, failed))
        return;
    sfu_host_progress_end();
    if (d->closed) { /* it was closed in the run: the window is hidden, and waited for this */
        forget_run(d);
        gtk_main_quit();
        return;
    }
    GError *error = failed ? g_error_copy(failed) : NULL;
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->progress), 0);
    if (results && add_entries(d, results, seconds, &error)) {
        char *used = sfu_worker_device(d->worker), *device = used ? sfu_device_words(used) : NULL,
             *model = sfu_models_name(d->models, d->to_try[d->trying]);
        char *text = model ? g_strdup_printf(_("Done in %.1f s by %s on %s"), seconds, model, device ? device : "?")
                           : g_strdup_printf(_("Done in %.1f s on %s"), seconds, device ? device : "?");
        g_free(model);
        gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), text);
        sfu_dialog_show_seed(d, (gint64)entry_result(d->entries->pdata[first])->seed);
        const GeglRectangle size = entry_area(d->entries->pdata[first]);
        const double per = d->request->action == SFU_ACTION_ENLARGE ? size.width * (double)size.height / 1e6 : 1;
        sfu_settings_remember(d->settings, d->running_request, d->to_try[d->trying], seconds / MAX(per, 1e-3));
        show_entry(d, first);
        sfu_dialog_error(d, entry_result(d->entries->pdata[first])->note);
        g_free(text);
        g_free(device);
        g_free(used);
    } else {
        const gboolean stopped = g_error_matches(error, SFU_ERROR, SFU_ERROR_CANCELLED);
        gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), stopped ? _("Stopped") : _("Failed"));
        sfu_dialog_error(d, stopped ? NULL : error->message);
        if (d->current >= 0)
            show_entry(d, d->current);
        else
            show_input(d, d->running->input, d->running_request);
    }
    g_clear_error(&error);
    forget_run(d);
    set_busy(d, FALSE);
}

/* The run's jobs by one of the models to try. */
static void start_with(SfuDialog *d, int which)
{
    const SfuJobCalls calls = {.progress = on_progress, .preview = on_preview, .done = on_done, .data = d};
    d->trying = which;
    if (*d->to_try[which])
        for (int i = 0; i < MIN(1, d->n_jobs); i++)
            sfu_params_put_text((SfuParams *)d->jobs[i].params, SFU_PARAM_MODEL, d->to_try[which]);
    sfu_worker_start(d->worker, d->jobs, d->n_jobs, &calls);
}

/* Enlarging can take hours and all memory: what comes out is said before, and asked about when it is large. */
static gboolean accept_size(SfuDialog *d, const SfuInput *in, const SfuRequest *r)
{
    if (in->action != SFU_ACTION_ENLARGE)
        return TRUE;
    const double scale = sfu_request_get_double(r, "scale");
    const double w = gegl_buffer_get_width(in->picture) * scale, h = gegl_buffer_get_height(in->picture) * scale;
    if (w * h <= ASK_ABOVE_PX)
        return TRUE;
    char **to_try = sfu_models_to_try(d->settings, d->models, r);
    const double seconds = sfu_settings_seconds(d->settings, r->action, to_try[0]); /* for a million pixels */
    g_strfreev(to_try);
    char *memory = g_format_size((guint64)(w * h * RESULT_BYTES_PER_PX * MAX(1, in->layers ? in->layers->len : 1)));
    char *time = seconds > 0 ? g_strdup_printf(_("about %.0f min"), MAX(1, seconds * w * h / 1e6 / 60))
                             : g_strdup(_("not known yet"));
    GtkWidget *ask = gtk_message_dialog_new(GTK_WINDOW(d->window), GTK_DIALOG_MODAL, GTK_MESSAGE_QUESTION,
                                            GTK_BUTTONS_NONE, _("The result will have %.0f x %.0f pixels."), w, h);
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(ask),
                                             _("Memory: %s. Time: %s. You can stop it at any moment."), memory, time);
    gtk_dialog_add_buttons(GTK_DIALOG(ask), _("_Cancel"), GTK_RESPONSE_CANCEL, _("_Enlarge"), GTK_RESPONSE_OK, NULL);
    const gboolean yes = gtk_dialog_run(GTK_DIALOG(ask)) == GTK_RESPONSE_OK;
    gtk_widget_destroy(ask);
    g_free(memory);
    g_free(time);
    return yes;
}

static void generate(SfuDialog *d)
{
    if (sfu_worker_busy(d->worker))
        return;
    if (d->looking) { /* it goes on by itself */
        d->generate_when_found = TRUE;
        gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), _("Looking for models"));
        return;
    }
    d->generate_when_found = FALSE;
    GError *error = NULL;
    SfuRequest *r = sfu_dialog_collect(d);
    SfuInput *in = sfu_input_new(r, d->image, d->drawable, &error);
    if (!in || !accept_size(d, in, r)) {
        sfu_dialog_error(d, error ? error->message : NULL);
        g_clear_error(&error);
        sfu_input_free(in);
        sfu_request_free(r);
        return;
    }
    sfu_dialog_error(d, NULL);
    sfu_params_free(d->request->params); /* the values of the last run are the caller's to keep */
    const SfuAction action = d->request->action;
    *d->request = *r;
    d->request->action = action;
    d->request->params = sfu_params_copy(r->params);

    d->running = g_new0(SfuSharedInput, 1);
    *d->running = (SfuSharedInput){in, 1};
    d->running_request = r;
    SfuRequest *job_request = sfu_request_copy(r);
    d->to_try = sfu_models_to_try(d->settings, d->models, r);
    d->jobs = sfu_input_jobs(in, job_request, &d->n_jobs);
    if (in->action != SFU_ACTION_ENLARGE)
        sfu_params_put(job_request->params, SFU_PARAM_PREVIEW_EVERY, 1);
    job_request->params = NULL; /* the jobs' own from here on */
    sfu_request_free(job_request);
    if (sfu_engine_fields_store(&d->engine, d->settings))
        sfu_settings_save(d->settings, NULL); /* failing to keep them loses only that */
    const SfuEngineOptions options = sfu_settings_engine(d->settings);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), _("Starting"));
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->before_button), FALSE);
    show_input(d, in, r);
    set_busy(d, TRUE);
    sfu_host_progress_begin(_(sfu_action_info(r->action)->title));
    sfu_worker_set_options(d->worker, &options);
    start_with(d, 0);
}

static void stop(SfuDialog *d)
{
    sfu_worker_cancel(d->worker);
    gtk_widget_set_sensitive(d->stop, FALSE);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), _("Stopping"));
}

static gboolean add_current(SfuDialog *d)
{
    if (d->current < 0)
        return FALSE;
    SfuEntry *e = d->entries->pdata[d->current];
    GError *error = NULL;
    int layer = -1, image = -1;
    if (!sfu_output_add(e->shared->input, e->request, e->results, &layer, &image, &error)) {
        sfu_dialog_error(d, error->message);
        g_clear_error(&error);
        return FALSE;
    }
    if (image != d->image)
        sfu_host_show_image(image);
    sfu_host_flush();
    sfu_dialog_error(d, NULL);
    e->added = TRUE;
    d->last_layer = layer;
    d->last_image = image;
    d->n_added++;
    show_entry(d, d->current);
    return TRUE;
}

/* ---- closing
 * ----------------------------------------------------------------------------------------------------------- */

static guint count_not_added(const SfuDialog *d)
{
    guint n = 0;
    for (guint i = 0; i < d->entries->len; i++)
        n += !((SfuEntry *)d->entries->pdata[i])->added;
    return n;
}

/* FALSE: the dialog stays. */
static gboolean settle_results(SfuDialog *d)
{
    const guint n = count_not_added(d);
    if (!n || d->n_added) /* one was chosen: the others are those that were not */
        return TRUE;
    enum { DISCARD = 1, ADD };
    GtkWidget *ask =
        gtk_message_dialog_new(GTK_WINDOW(d->window), GTK_DIALOG_MODAL, GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "%s",
                               g_dngettext(GETTEXT_PACKAGE, "The result was not added to the image.",
                                           "The results were not added to the image.", n));
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(ask), "%s", _("If you discard it, it is lost."));
    gtk_dialog_add_buttons(GTK_DIALOG(ask), _("_Discard"), DISCARD, _("_Back"), GTK_RESPONSE_CANCEL,
                           _("_Add and Close"), ADD, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(ask), ADD);
    const int answer = gtk_dialog_run(GTK_DIALOG(ask));
    gtk_widget_destroy(ask);
    return answer == DISCARD || (answer == ADD && add_current(d));
}

/* The main loop ends when the run has: nobody waits for a device in front of a window that does not answer. */
static void close_dialog(SfuDialog *d)
{
    const gboolean busy = sfu_worker_busy(d->worker);
    if (d->closed || !settle_results(d))
        return;
    d->closed = TRUE;
    sfu_background_cancel(d->looking);
    d->looking = NULL;
    gtk_widget_hide(d->window);
    if (busy && sfu_worker_busy(d->worker))
        sfu_worker_cancel(d->worker);
    else
        gtk_main_quit();
}

/* ---- signals
 * ----------------------------------------------------------------------------------------------------------- */

void sfu_dialog_response(GtkDialog *dialog, int response, gpointer data)
{
    SfuDialog *d = data;
    SfuRequest *fresh;
    switch (response) {
    case RESPONSE_RESET:
        fresh = sfu_request_new(d->request->action);
        sfu_dialog_show_request(d, fresh);
        sfu_request_free(fresh);
        sfu_dialog_update_model(d);
        break;
    case RESPONSE_SETTINGS:
        sfu_engine_fields_store(&d->engine, d->settings); /* the same fields stand there */
        if (sfu_ui_settings_above(d->settings, GTK_WINDOW(d->window)))
            sfu_dialog_look_for_models(d);
        sfu_engine_fields_show(&d->engine, d->settings);
        gtk_window_present(
            GTK_WINDOW(d->window)); /* else the focus is in GIMP, and what is typed there are its shortcuts */
        focus_first(d);
        break;
    case RESPONSE_ADD:
        add_current(d);
        break;
    case RESPONSE_GENERATE:
        generate(d);
        break;
    case RESPONSE_STOP:
        stop(d);
        break;
    default:
        close_dialog(d);
    }
}

gboolean sfu_dialog_key(GtkWidget *w, GdkEventKey *e, gpointer data)
{
    SfuDialog *d = data;
    if (e->keyval != SFU_KEY(Escape))
        return FALSE;
    if (sfu_worker_busy(d->worker))
        stop(d);
    else
        gtk_dialog_response(GTK_DIALOG(d->window), GTK_RESPONSE_CLOSE);
    return TRUE;
}

gboolean sfu_dialog_prompt_key(GtkWidget *w, GdkEventKey *e, gpointer data)
{
    if ((e->keyval != SFU_KEY(Return) && e->keyval != SFU_KEY(KP_Enter)) || e->state & GDK_SHIFT_MASK)
        return FALSE; /* Shift+Enter is a new line */
    generate(data);
    return TRUE;
}

/* A layer that Sfumato made brings its own values, if they are of this action. */
static void start_from_layer(SfuDialog *d)
{
    const int layer = d->drawable >= 0 ? sfu_host_layer_of(d->drawable, NULL) : -1;
    char *json = layer >= 0 ? sfu_host_parasite_get(layer) : NULL;
    SfuRequest *r = json ? sfu_request_from_json(json, NULL, NULL) : NULL;
    if (r && r->action == d->request->action)
        sfu_dialog_show_request(d, r);
    sfu_request_free(r);
    g_free(json);
}

gboolean sfu_ui_run(SfuRequest *r, int image, int drawable, SfuSettings *settings, int *layer, int *new_image,
                    GError **error)
{
    SfuDialog d = {.request = r,
                   .image = image,
                   .drawable = drawable,
                   .settings = settings,
                   .current = -1,
                   .last_layer = -1,
                   .last_image = -1};
    sfu_host_ui_init();
    d.models = g_ptr_array_new();
    d.worker = sfu_worker_new();
    d.fields = g_ptr_array_new_with_free_func(g_free);
    d.entries = g_ptr_array_new_with_free_func(entry_free);
    sfu_dialog_look_for_models(&d);
    sfu_dialog_build(&d);
    start_from_layer(&d);
    show_entry(&d, -1);

    GError *e = NULL;
    SfuInput *in = sfu_input_new(r, image, drawable, &e);
    if (in)
        show_input(&d, in, r);
    else
        sfu_dialog_error(&d, e->message); /* the dialog stays: the image can be put right meanwhile */
    sfu_input_free(in);
    g_clear_error(&e);
    gtk_main();

    sfu_worker_free(d.worker); /* nothing runs any more */
    gtk_widget_destroy(d.window);
    g_ptr_array_unref(d.entries);
    g_ptr_array_unref(d.fields);
    g_ptr_array_unref(d.models);
    sfu_engine_fields_finish(&d.engine);
    *layer = d.last_layer;
    *new_image = d.last_image;
    return d.n_added > 0;
}

gboolean sfu_ui_offer_conversion(int image)
{
    SfuHostImage info;
    if (image < 0 || !sfu_host_image_info(image, &info) || info.type != SFU_HOST_INDEXED)
        return TRUE;
    sfu_host_ui_init();
    GtkWidget *ask =
        gtk_message_dialog_new(NULL, 0, GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "%s",
                               _("This image is indexed: it has a palette, and new colors would be forced into it."));
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(ask), "%s", _("Convert it to RGB? You can undo that."));
    gtk_dialog_add_buttons(GTK_DIALOG(ask), _("_Cancel"), GTK_RESPONSE_CANCEL, _("C_onvert to RGB"), GTK_RESPONSE_OK,
                           NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(ask), GTK_RESPONSE_OK);
    const gboolean yes = gtk_dialog_run(GTK_DIALOG(ask)) == GTK_RESPONSE_OK;
    gtk_widget_destroy(ask);
    if (yes)
        sfu_host_convert_to_rgb(image);
    return yes;
}
