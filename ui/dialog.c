/* An action's dialog at work: generating one order after the other, stopping, closing.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialog-private.h"

#include <glib/gi18n-lib.h>

#include "ui.h"

#define ASK_ABOVE_PX 1e8 /* 100 megapixels, those of all layers */
#define SETTLED_MS 300   /* after the last change of model */

static void order_free(gpointer p)
{
    SfuOrder *o = p;
    sfu_shared_input_unref(o->shared);
    sfu_request_free(o->request);
    g_strfreev(o->to_try);
    g_free(o);
}

static SfuOrder *running(SfuDialog *d)
{
    return g_queue_peek_head(&d->orders);
}

/* ---- a run
 * ------------------------------------------------------------------------------------------------------------- */

void sfu_dialog_focus_first(SfuDialog *d)
{
    gtk_widget_grab_focus(d->prompt.box && gtk_widget_get_visible(d->prompt.box) ? d->prompt.view
                          : sfu_dialog_has_model(d)                              ? d->generate
                                                                                 : d->get_model);
}

/* The focus is in a field for words or numbers. */
static gboolean writes(const SfuDialog *d)
{
    GtkWidget *w = gtk_window_get_focus(GTK_WINDOW(d->window));
    return w && gtk_widget_get_visible(w) && (GTK_IS_TEXT_VIEW(w) || GTK_IS_ENTRY(w));
}

static void set_busy(SfuDialog *d, gboolean busy)
{
    gtk_widget_set_visible(d->stop, busy); /* in the place of Close: one button more would widen the window */
    gtk_widget_set_visible(d->close, !busy);
    gtk_widget_set_sensitive(d->stop, TRUE);
    d->stopping = FALSE;
    if (busy && !writes(d)) /* who writes goes on: the next one waits in the queue */
        gtk_widget_grab_focus(d->stop);
    else if (!busy && d->current >= 0 && !d->written)
        gtk_widget_grab_focus(d->add_and_close);
    else if (!busy && !writes(d))
        sfu_dialog_focus_first(d);
}

/* What comes after the order that runs. Caller frees; "": nothing. */
static char *waiting_words(SfuDialog *d)
{
    const guint n = d->orders.length - 1;
    return n ? g_strdup_printf(g_dngettext(GETTEXT_PACKAGE, "; %u more is waiting", "; %u more are waiting", n), n)
             : g_strdup("");
}

static void show_progress(SfuDialog *d, const char *words)
{
    const SfuOrder *o = running(d);
    char *model = sfu_models_name(d->models, o->to_try[o->trying]), *waiting = waiting_words(d);
    char *text = model ? g_strdup_printf("%s (%s)%s", words, model, waiting) : g_strconcat(words, waiting, NULL);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), text);
    g_free(text);
    g_free(model);
    g_free(waiting);
}

static void on_progress(const SfuProgress *p, gpointer data)
{
    SfuDialog *d = data;
    const SfuOrder *o = running(d);
    SfuProgress all = *p;
    d->last_activity_us = g_get_monotonic_time();
    d->preparing = p->stage == SFU_STAGE_COMPILE;
    if (o->n > 1) { /* the engine knows of one variant only */
        all.image = o->done;
        all.n_images = o->n;
        all.fraction = (o->done + CLAMP(p->fraction, 0, 1)) / o->n;
        if (all.seconds_left >= 0 && o->done)
            all.seconds_left += o->seconds / o->done * (o->n - o->done - 1);
        else if (all.seconds_left >= 0)
            all.seconds_left = -1; /* the first one also loads the model */
    }
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->progress), CLAMP(all.fraction, 0, 1));
    if (d->stopping)
        return;
    char *words = sfu_progress_text(&all);
    show_progress(d, words);
    g_free(words);
}

/* While nothing is heard of the engine. */
static gboolean on_quiet(gpointer data)
{
    SfuDialog *d = data;
    if (!sfu_worker_busy(d->worker) || d->closed) {
        d->quiet = 0;
        return G_SOURCE_REMOVE;
    }
    if (g_get_monotonic_time() - d->last_activity_us > SFU_QUIET_US && !d->stopping) {
        char *words = sfu_quiet_words(d->preparing, d->variant_since_us);
        show_progress(d, words);
        if (d->preparing) /* how much is left, nobody knows */
            gtk_progress_bar_pulse(GTK_PROGRESS_BAR(d->progress));
        g_free(words);
    }
    return G_SOURCE_CONTINUE;
}

static void on_preview(GeglBuffer *picture, int step, gpointer data)
{
    SfuDialog *d = data;
    const SfuInput *in = running(d)->shared->input;
    if (!d->watching)
        return;
    sfu_preview_set_before(d->preview, in->picture, 1);
    /* What is generated has its own coordinates until it is added; a mask would be elsewhere. */
    sfu_preview_set_over(d->preview, picture, in->picture ? in->mask : NULL);
    if (!in->picture || in->action == SFU_ACTION_EXPAND)
        sfu_preview_focus(d->preview, gegl_buffer_get_extent(picture));
}

static void forget_jobs(SfuDialog *d)
{
    if (d->n_jobs) /* they share their parameters */
        sfu_params_free((SfuParams *)d->jobs[0].params);
    g_clear_pointer(&d->jobs, g_free);
    d->n_jobs = 0;
}

static void start_with(SfuDialog *d, int which);

/* A model that cannot be used is passed over, if nobody has asked for it by name; that is said. */
static gboolean try_next(SfuDialog *d, const GError *failed)
{
    SfuOrder *o = running(d);
    if (!g_error_matches(failed, SFU_ERROR, SFU_ERROR_MODEL) || d->closed || !o->to_try[o->trying + 1])
        return FALSE;
    char *text = sfu_model_failed_text(d->models, o->to_try[o->trying], o->to_try[o->trying + 1], failed);
    sfu_dialog_error(d, text);
    g_free(text);
    start_with(d, o->trying + 1);
    return TRUE;
}

static gboolean get_ready(gpointer data)
{
    SfuDialog *d = data;
    d->ready = 0;
    if (d->closed || d->looking || !d->opened_with || sfu_worker_busy(d->worker))
        return G_SOURCE_REMOVE;
    SfuRequest *r = sfu_dialog_collect(d);
    char **to_try = sfu_models_to_try(d->settings, d->models, r);
    if (*to_try[0]) {
        const SfuEngineOptions options = sfu_settings_engine(d->settings);
        int n;
        SfuJob *jobs = sfu_input_jobs(d->opened_with, r, &n);
        sfu_params_put_text((SfuParams *)jobs[0].params, SFU_PARAM_MODEL, to_try[0]);
        sfu_worker_set_options(d->worker, &options);
        sfu_worker_prepare(d->worker, &jobs[0]);
        g_free(jobs);
    }
    g_strfreev(to_try);
    sfu_request_free(r);
    return G_SOURCE_REMOVE;
}

void sfu_dialog_get_ready(SfuDialog *d)
{
    if (d->ready)
        g_source_remove(d->ready);
    d->ready = g_timeout_add(SETTLED_MS, get_ready, d);
}

/* Of one variant: all of them differ in their seed alone. */
static void start_variant(SfuDialog *d)
{
    SfuOrder *o = running(d);
    SfuRequest *one = sfu_request_copy(o->request);
    if (sfu_action_spec(one->action, "count"))
        sfu_params_put(one->params, SFU_PARAM_COUNT, 1);
    if (sfu_action_spec(one->action, "seed"))
        sfu_params_put_int64(one->params, SFU_PARAM_SEED, (gint64)((guint64)o->seed + o->done) & G_MAXINT64);
    d->jobs = sfu_input_jobs(o->shared->input, one, &d->n_jobs);
    if (sfu_action_info(one->action)->task != SFU_TASK_UPSCALE)
        sfu_params_put(one->params, SFU_PARAM_PREVIEW_EVERY, 1);
    one->params = NULL; /* the jobs' own from here on */
    sfu_request_free(one);
    const SfuEngineOptions options = sfu_settings_engine(d->settings);
    sfu_worker_set_options(d->worker, &options);
    d->variant_since_us = d->last_activity_us = g_get_monotonic_time();
    start_with(d, o->trying);
}

static void start_order(SfuDialog *d)
{
    const SfuOrder *o = running(d);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->before_button), FALSE);
    d->watching = TRUE;
    sfu_dialog_show_input(d, o->shared->input, o->request);
    set_busy(d, TRUE);
    if (!d->quiet)
        d->quiet = g_timeout_add(500, on_quiet, d);
    start_variant(d);
}

static void say_done(SfuDialog *d, const SfuOrder *o)
{
    char *used = sfu_worker_device(d->worker), *device = used ? sfu_device_words(used) : NULL,
         *model = sfu_models_name(d->models, o->to_try[o->trying]);
    char *text = model ? g_strdup_printf(_("Done in %.1f s by %s on %s"), o->seconds, model, device ? device : "?")
                       : g_strdup_printf(_("Done in %.1f s on %s"), o->seconds, device ? device : "?");
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), text);
    g_free(text);
    g_free(model);
    g_free(device);
    g_free(used);
}

/* The last variant is there. */
static void finish_order(SfuDialog *d)
{
    SfuOrder *o = running(d);
    const SfuEntry *first = d->entries->pdata[CLAMP(o->first_entry, 0, (int)d->entries->len - 1)];
    const GeglRectangle size = *gegl_buffer_get_extent(first->look);
    const gboolean by_size = sfu_action_info(o->request->action)->task == SFU_TASK_UPSCALE;
    const double per = by_size ? size.width * (double)size.height / 1e6 : 1;
    sfu_settings_remember(d->settings, o->request, o->to_try[o->trying], o->quickest / MAX(per, 1e-3));
    say_done(d, o);
    if (d->watching)
        sfu_dialog_show_entry(d, CLAMP(o->first_entry, 0, (int)d->entries->len - 1));
    if (sfu_entry_result(first)->note)
        sfu_dialog_error(d, sfu_entry_result(first)->note);
    order_free(g_queue_pop_head(&d->orders));
}

/* A variant failed or was stopped, and with it what waits. What was done before it stays. */
static void give_up(SfuDialog *d, const GError *error)
{
    const gboolean stopped = g_error_matches(error, SFU_ERROR, SFU_ERROR_CANCELLED);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), stopped ? _("Stopped") : _("Failed"));
    sfu_dialog_error(d, stopped ? NULL : error->message);
    const SfuOrder *o = running(d);
    const int shown = d->watching && o->first_entry >= 0 ? MIN(o->first_entry, (int)d->entries->len - 1) : d->current;
    if (shown >= 0)
        sfu_dialog_show_entry(d, shown);
    else
        sfu_dialog_show_input(d, o->shared->input, o->request);
    while (d->orders.length)
        order_free(g_queue_pop_head(&d->orders));
}

static void note_tried(SfuDialog *d, const SfuOrder *o, const SfuResult *result)
{
    SfuRequest as_used = *o->request;
    as_used.params = result->params;
    char *json = sfu_request_to_json(&as_used, 0);
    sfu_history_note(d->image, json, FALSE);
    g_free(json);
}

static void on_done(GPtrArray *results, double seconds, const GError *failed, gpointer data)
{
    SfuDialog *d = data;
    SfuOrder *o = running(d);
    const int first = d->entries->len;
    if (failed && try_next(d, failed))
        return;
    forget_jobs(d);
    if (d->closed) { /* it was closed in the run: the window is hidden, and waited for this */
        gtk_main_quit();
        return;
    }
    GError *error = failed ? g_error_copy(failed) : NULL;
    if (results && sfu_dialog_add_entries(d, o, results, seconds, &error)) {
        o->seconds += seconds;
        o->quickest = o->done ? MIN(o->quickest, seconds) : seconds;
        o->done++;
        if (o->first_entry < 0)
            o->first_entry = first;
        note_tried(d, o, sfu_entry_result(d->entries->pdata[first]));
        if (o->done < o->n) {
            start_variant(d);
            return;
        }
        finish_order(d);
    } else {
        give_up(d, error);
    }
    g_clear_error(&error);
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->progress), 0);
    if (d->orders.length)
        start_order(d);
    else
        set_busy(d, FALSE);
}

/* The variant's jobs by one of the models to try. */
static void start_with(SfuDialog *d, int which)
{
    const SfuJobCalls calls = {.progress = on_progress, .preview = on_preview, .done = on_done, .data = d};
    SfuOrder *o = running(d);
    o->trying = which;
    if (*o->to_try[which] && d->n_jobs)
        sfu_params_put_text((SfuParams *)d->jobs[0].params, SFU_PARAM_MODEL, o->to_try[which]);
    sfu_worker_start(d->worker, d->jobs, d->n_jobs, &calls);
}

/* Enlarging can take hours and all memory: what comes out is said before, and asked about when it is large. */
static gboolean accept_size(SfuDialog *d, const SfuInput *in, const SfuRequest *r)
{
    if (in->action != SFU_ACTION_ENLARGE)
        return TRUE;
    const double scale = sfu_request_get_double(r, "scale");
    const double w = gegl_buffer_get_width(in->picture) * scale, h = gegl_buffer_get_height(in->picture) * scale;
    const double all = w * h * MAX(1, in->layers ? (int)in->layers->len : 1);
    if (all <= ASK_ABOVE_PX)
        return TRUE;
    char **to_try = sfu_models_to_try(d->settings, d->models, r);
    char *memory, *time;
    sfu_dialog_enlarge_cost(d, to_try[0], all, &memory, &time);
    g_strfreev(to_try);
    GtkWidget *ask = gtk_message_dialog_new(GTK_WINDOW(d->window), GTK_DIALOG_MODAL, GTK_MESSAGE_QUESTION,
                                            GTK_BUTTONS_NONE, _("The result will have %.0f × %.0f pixels."), w, h);
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(ask),
                                             _("Memory: %s. Time: %s. You can stop it at any moment."), memory,
                                             time ? time : _("not known yet"));
    gtk_dialog_add_buttons(GTK_DIALOG(ask), _("_Cancel"), GTK_RESPONSE_CANCEL, _("_Enlarge"), GTK_RESPONSE_OK, NULL);
    const gboolean yes = gtk_dialog_run(GTK_DIALOG(ask)) == GTK_RESPONSE_OK;
    gtk_widget_destroy(ask);
    g_free(memory);
    g_free(time);
    return yes;
}

static SfuOrder *order_new(SfuDialog *d, SfuInput *in, SfuRequest *r)
{
    SfuOrder *o = g_new0(SfuOrder, 1);
    const gint64 seed = sfu_params_int64(r->params, SFU_PARAM_SEED);
    o->shared = sfu_shared_input_new(in);
    o->request = r;
    o->n = in->layers || !sfu_action_spec(r->action, "count") ? 1 : MAX(1, sfu_params_int(r->params, SFU_PARAM_COUNT));
    o->seed = seed >= 0 ? seed : g_random_int();
    o->to_try = sfu_models_to_try(d->settings, d->models, r);
    o->first_entry = -1;
    return o;
}

/* While something runs, the order waits behind it. */
static void generate(SfuDialog *d)
{
    if (d->looking) { /* it goes on by itself */
        d->generate_when_found = TRUE;
        gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), _("Looking for models"));
        return;
    }
    d->generate_when_found = FALSE;
    GError *error = NULL;
    SfuRequest *r = sfu_dialog_collect(d);
    if (!sfu_dialog_has_model(d)) {
        sfu_dialog_get_model(d);
        sfu_request_free(r);
        return;
    }
    SfuInput *in = sfu_input_new(r, d->image, d->drawable, &error);
    d->cannot_read = !in;
    sfu_dialog_update_scope(d);
    if (!in || !accept_size(d, in, r)) {
        sfu_dialog_error(d, error ? error->message : NULL);
        g_clear_error(&error);
        sfu_input_free(in);
        sfu_request_free(r);
        return;
    }
    sfu_dialog_error(d, NULL);
    sfu_request_assign(d->request, r); /* the values of the last run are the caller's to keep */
    if (sfu_engine_fields_store(&d->engine, d->settings))
        sfu_settings_save(d->settings, NULL); /* failing to keep them loses only that */
    d->written = FALSE;
    g_queue_push_tail(&d->orders, order_new(d, in, r));
    if (d->orders.length > 1)
        return;
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), _("Starting"));
    start_order(d);
}

/* What runs, and what waits behind it. */
static void stop(SfuDialog *d)
{
    d->stopping = TRUE;
    sfu_worker_cancel(d->worker);
    gtk_widget_set_sensitive(d->stop, FALSE);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), _("Stopping"));
}

/* ---- closing
 * ----------------------------------------------------------------------------------------------------------- */

/* The main loop ends when the run has: nobody waits for a device in front of a window that does not answer. */
static void close_dialog(SfuDialog *d)
{
    const gboolean busy = sfu_worker_busy(d->worker);
    if (d->closed || !sfu_dialog_settle_results(d))
        return;
    d->closed = TRUE;
    sfu_background_cancel(d->looking);
    sfu_background_cancel(d->looking_for_kept);
    d->looking = d->looking_for_kept = NULL;
    gtk_widget_hide(d->window);
    if (busy && sfu_worker_busy(d->worker))
        sfu_worker_cancel(d->worker);
    else
        gtk_main_quit();
}

/* Also without saving, models may have come or gone. */
static void open_settings(SfuDialog *d, SfuSettingsPage page)
{
    sfu_engine_fields_store(&d->engine, d->settings); /* the same fields stand there */
    sfu_ui_settings_above(d->settings, GTK_WINDOW(d->window), page, sfu_action_info(d->request->action)->task);
    sfu_dialog_look_for_models(d);
    sfu_engine_fields_show(&d->engine, d->settings);
    /* Else the focus is in GIMP, and what is typed there are its shortcuts. */
    gtk_window_present(GTK_WINDOW(d->window));
    sfu_dialog_focus_first(d);
}

void sfu_dialog_get_model(SfuDialog *d)
{
    if (d->request->action == SFU_ACTION_RESTORE) { /* the catalogue has none: the page would be empty */
        sfu_ui_open_models_folder(d->window);
        return;
    }
    open_settings(d, SFU_SETTINGS_GET_MODELS);
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
        open_settings(d, SFU_SETTINGS_MODELS);
        break;
    case RESPONSE_HISTORY:
        sfu_dialog_show_history(d->history_button, d);
        break;
    case RESPONSE_ADD:
        sfu_dialog_add_current(d);
        break;
    case RESPONSE_ADD_AND_CLOSE:
        if (sfu_dialog_add_current(d))
            close_dialog(d);
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
    if (e->keyval == SFU_KEY(F2) && d->current >= 0) {
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->before_button), TRUE);
        return TRUE;
    }
    if (e->keyval != SFU_KEY(Escape))
        return FALSE;
    if (sfu_worker_busy(d->worker))
        stop(d);
    else
        gtk_dialog_response(GTK_DIALOG(d->window), GTK_RESPONSE_CLOSE);
    return TRUE;
}

gboolean sfu_dialog_key_up(GtkWidget *w, GdkEventKey *e, gpointer data)
{
    if (e->keyval != SFU_KEY(F2))
        return FALSE;
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(((SfuDialog *)data)->before_button), FALSE);
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

/* What would be worked on, for the preview. If nothing can be, that is said and the dialog stays: the image can be put
 * right meanwhile. */
static void read_image(SfuDialog *d, const SfuRequest *r)
{
    GError *e = NULL;
    const gboolean failed_before = d->cannot_read;
    SfuInput *in = sfu_input_new(r, d->image, d->drawable, &e);
    sfu_input_free(d->opened_with);
    d->opened_with = in;
    d->cannot_read = !in;
    d->read_area = sfu_dialog_scope_area(d);
    if (in && d->current < 0)
        sfu_dialog_show_input(d, in, r);
    if (!in || failed_before)
        sfu_dialog_error(d, in ? NULL : e->message);
    sfu_dialog_update_scope(d);
    g_clear_error(&e);
}

/* While GIMP had the focus, what is worked on may have changed. */
gboolean sfu_dialog_focused(GtkWidget *window, GdkEventFocus *event, gpointer data)
{
    SfuDialog *d = data;
    const GeglRectangle now = sfu_dialog_scope_area(d);
    if (!sfu_dialog_has_model(d)) /* a file may have been put into a folder */
        sfu_dialog_look_for_models(d);
    if (!sfu_worker_busy(d->worker) &&
        (d->cannot_read || (d->current < 0 && !gegl_rectangle_equal(&now, &d->read_area)))) {
        SfuRequest *r = sfu_dialog_collect(d);
        read_image(d, r);
        sfu_request_free(r);
    }
    sfu_dialog_update_scope(d);
    return FALSE;
}

gboolean sfu_ui_run(SfuRequest *r, int image, int drawable, SfuSettings *settings, SfuMade *made, GError **error)
{
    SfuDialog d = {
        .request = r, .image = image, .drawable = drawable, .settings = settings, .current = -1, .last = {-1, -1}};
    sfu_host_ui_init();
    if (sfu_action_spec(r->action, "count") && !sfu_request_given(r, "count"))
        sfu_request_set_double(r, "count", SFU_N_VARIANTS, NULL);
    d.models = g_ptr_array_new();
    d.worker = sfu_worker_new();
    d.fields = g_ptr_array_new_with_free_func(g_free);
    d.entries = g_ptr_array_new_with_free_func(sfu_dialog_free_entry);
    g_queue_init(&d.orders);
    sfu_dialog_look_for_models(&d);
    sfu_dialog_build(&d);
    start_from_layer(&d);
    sfu_dialog_show_entry(&d, -1);

    read_image(&d, r);
    sfu_dialog_look_for_kept(&d);
    gtk_main();

    sfu_worker_free(d.worker); /* nothing runs any more */
    if (d.quiet)
        g_source_remove(d.quiet);
    if (d.ready)
        g_source_remove(d.ready);
    gtk_widget_destroy(d.window);
    while (d.orders.length)
        order_free(g_queue_pop_head(&d.orders));
    sfu_input_free(d.opened_with);
    g_ptr_array_unref(d.entries);
    g_ptr_array_unref(d.fields);
    g_ptr_array_unref(d.models);
    sfu_engine_fields_finish(&d.engine);
    sfu_control_rows_finish(&d.control);
    sfu_layer_rows_finish(&d.reference.base);
    *made = d.last;
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
