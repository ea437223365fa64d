/* The values of an action's dialog: into its controls and out of them, and what depends on them: the area, the model,
 * what that model has a use for.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialog-private.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define RESULT_BYTES_PER_PX 32.0 /* the engine's floats, and GIMP's layer with its undo step */

SfuField *sfu_dialog_field(const SfuDialog *d, const char *name)
{
    for (guint i = 0; i < d->fields->len; i++)
        if (strcmp(((SfuField *)d->fields->pdata[i])->spec->name, name) == 0)
            return d->fields->pdata[i];
    return NULL;
}

void sfu_dialog_set_field(SfuDialog *d, const char *name, double value)
{
    const SfuField *f = sfu_dialog_field(d, name);
    if (f)
        gtk_adjustment_set_value(f->adjustment, value);
}

/* ---- requests ---- */

void sfu_dialog_show_seed(SfuDialog *d, gint64 seed)
{
    d->exact_seed = seed;
    d->showing_seed = TRUE;
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(d->seed), (double)seed);
    d->showing_seed = FALSE;
}

/* A spin button holds 53 bits; a larger seed that was shown and not changed is still the exact one. */
static gint64 get_seed(SfuDialog *d)
{
    const double shown = rint(gtk_spin_button_get_value(GTK_SPIN_BUTTON(d->seed)));
    return d->exact_seed > SFU_EXACT_MAX && shown == SFU_EXACT_MAX ? d->exact_seed : (gint64)shown;
}

void sfu_dialog_show_request(SfuDialog *d, const SfuRequest *r)
{
    if (d->prompt.box)
        gtk_text_buffer_set_text(d->prompt.text, sfu_request_get_string(r, "prompt"), -1);
    if (d->negative.box)
        gtk_text_buffer_set_text(d->negative.text, sfu_request_get_string(r, "negative"), -1);
    sfu_model_combo_set(d->model, sfu_request_get_string(r, "model"));
    const gint64 seed = sfu_params_int64(r->params, SFU_PARAM_SEED);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->keep_seed), seed >= 0);
    if (seed >= 0)
        sfu_dialog_show_seed(d, seed);
    for (guint i = 0; i < d->fields->len; i++)
        sfu_field_show(d->fields->pdata[i], r);
    sfu_control_rows_show(&d->control, r);
    sfu_reference_rows_show(&d->reference, r);
}

SfuRequest *sfu_dialog_collect(SfuDialog *d)
{
    SfuRequest *r = sfu_request_new(d->request->action);
    char *model = sfu_model_combo_get(d->model), *text;
    if (d->prompt.box && gtk_widget_get_visible(d->prompt.box)) { /* else the model has no use for words */
        sfu_request_set(r, "prompt", text = sfu_text_field_get(&d->prompt), NULL);
        g_free(text);
    }
    if (d->negative.box && gtk_widget_get_visible(d->negative.box)) {
        sfu_request_set(r, "negative", text = sfu_text_field_get(&d->negative), NULL);
        g_free(text);
    }
    sfu_request_set(r, "model", model, NULL);
    g_free(model);
    gtk_spin_button_update(GTK_SPIN_BUTTON(d->seed)); /* what is typed but not left yet, and with it Keep */
    if (gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(d->keep_seed)))
        sfu_params_put_int64(r->params, SFU_PARAM_SEED, get_seed(d));
    for (guint i = 0; i < d->fields->len; i++)
        sfu_field_get(d->fields->pdata[i], r);
    sfu_control_rows_get(&d->control, r);
    sfu_reference_rows_get(&d->reference, r);
    return r;
}

/* ---- what would run ---- */

/* The model that would run now: what is chosen, or the first one to try. Caller frees; "": none is known. */
static char *model_to_run(SfuDialog *d, const char *chosen)
{
    SfuRequest *r = sfu_request_new(d->request->action);
    sfu_request_set(r, "model", chosen, NULL);
    char **to_try = sfu_models_to_try(d->settings, d->models, r), *first = g_strdup(to_try[0]);
    g_strfreev(to_try);
    sfu_request_free(r);
    return first;
}

void sfu_dialog_enlarge_cost(const SfuDialog *d, const char *model, double px, char **memory, char **time)
{
    const double seconds = sfu_settings_seconds(d->settings, SFU_ACTION_ENLARGE, model) * px / 1e6; /* of a million */
    *memory = g_format_size((guint64)(px * RESULT_BYTES_PER_PX));
    *time = seconds <= 0     ? NULL
            : seconds < 100  ? g_strdup_printf(_("about %.0f s"), MAX(1, seconds))
            : seconds < 5400 ? g_strdup_printf(_("about %.0f min"), seconds / 60)
                             : g_strdup_printf(_("about %.1f h"), seconds / 3600);
}

/* "Ready: about 40 s a picture by DreamShaper 8". path: the model; "": none. Caller frees. */
static char *ready_words(const SfuDialog *d, const char *path)
{
    const SfuAction action = d->request->action;
    if (!*path)
        return g_strdup(_("No model found"));
    char *name = sfu_models_name(d->models, path), *words;
    if (action == SFU_ACTION_ENLARGE && d->enlarged_px > 0) {
        char *memory, *time;
        sfu_dialog_enlarge_cost(d, path, d->enlarged_px, &memory, &time);
        words = time ? g_strdup_printf(_("Ready: %s, %s of memory, by %s"), time, memory, name)
                     : g_strdup_printf(_("Ready: %s of memory, by %s"), memory, name);
        g_free(memory);
        g_free(time);
    } else {
        const double seconds = sfu_settings_seconds(d->settings, action, path);
        words = seconds > 0 && sfu_action_info(action)->task != SFU_TASK_UPSCALE /* whose time depends on the size */
                    ? g_strdup_printf(_("Ready: about %.0f s a picture by %s"), MAX(1, seconds), name)
                    : g_strdup(_("Ready"));
    }
    g_free(name);
    return words;
}

/* What would run, and how long that took the last time. */
static void say_ready(SfuDialog *d)
{
    if (sfu_worker_busy(d->worker) || d->entries->len || d->looking)
        return;
    char *chosen = sfu_model_combo_get(d->model), *path = model_to_run(d, chosen), *words = ready_words(d, path);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), words);
    g_free(words);
    g_free(path);
    g_free(chosen);
}

/* ---- the area ---- */

/* The area that the action works on. FALSE: none. */
static gboolean find_scope(const SfuDialog *d, GeglRectangle *area, const char **what)
{
    SfuHostImage info;
    const SfuActionInfo *a = sfu_action_info(d->request->action);
    if (!sfu_host_image_info(d->image, &info))
        return FALSE;
    *area = (GeglRectangle){0, 0, info.width, info.height};
    *what = _("Image");
    if (a->task == SFU_TASK_OUTPAINT)
        return TRUE;
    if (d->request->action == SFU_ACTION_SEAMLESS)
        return FALSE;
    const SfuField *whole = sfu_dialog_field(d, "whole_image");
    if (whole && gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(whole->control)))
        return TRUE;
    if (sfu_host_selection_bounds(d->image, area)) {
        *what = _("Selection");
        return TRUE;
    }
    const int layer = d->drawable >= 0 ? sfu_host_layer_of(d->drawable, NULL) : sfu_host_active_layer(d->image);
    if (layer < 0 || a->needs_selection || a->task == SFU_TASK_TXT2IMG || !sfu_host_layer_in_image(layer, d->image))
        return FALSE;
    SfuRequest *r = sfu_dialog_collect((SfuDialog *)d);
    const gboolean of_image = sfu_input_is_of_image(r, layer), fills = r->action == SFU_ACTION_FILL;
    sfu_request_free(r);
    if (of_image) {
        *what = fills ? _("Transparent parts of the image") : _("Image");
        return TRUE;
    }
    *area = sfu_host_layer_bounds(layer);
    *what = fills ? _("Transparent parts of the layer") : _("Layer");
    return TRUE;
}

GeglRectangle sfu_dialog_scope_area(const SfuDialog *d)
{
    GeglRectangle area = {0};
    const char *what;
    return find_scope(d, &area, &what) ? area : (GeglRectangle){0};
}

void sfu_dialog_update_scope(SfuDialog *d)
{
    const SfuField *exclude = sfu_dialog_field(d, "exclude");
    if (exclude)
        sfu_exclude_combo_fill(exclude->control, d->image);
    sfu_layer_rows_list_layers(&d->control.base);
    sfu_layer_rows_list_layers(&d->reference.base);
    GeglRectangle area;
    const char *what;
    char *text = NULL;
    d->enlarged_px = 0;
    if (!d->cannot_read && find_scope(d, &area, &what)) { /* else the error bar says what to do */
        SfuRequest *r = sfu_dialog_collect(d);
        int w = area.width, h = area.height;
        if (r->action == SFU_ACTION_ENLARGE && d->looking && !sfu_request_given(r, "scale")) {
            ; /* the model that will be found says how large */
        } else if (r->action == SFU_ACTION_ENLARGE) {
            w = rint(w * sfu_request_get_double(r, "scale"));
            h = rint(h * sfu_request_get_double(r, "scale"));
            d->enlarged_px = (double)w * h;
        } else if (r->action == SFU_ACTION_EXPAND) {
            w += sfu_request_get_double(r, "left") + sfu_request_get_double(r, "right");
            h += sfu_request_get_double(r, "top") + sfu_request_get_double(r, "bottom");
        }
        text = w == area.width && h == area.height
                   ? g_strdup_printf(_("%s: %d × %d px"), what, w, h)
                   : g_strdup_printf(_("%s: %d × %d → %d × %d px"), what, area.width, area.height, w, h);
        sfu_request_free(r);
    }
    gtk_label_set_text(GTK_LABEL(d->scope), text ? text : "");
    gtk_widget_set_visible(d->scope, text != NULL);
    g_free(text);
    if (d->enlarged_px > 0)
        say_ready(d);
}

/* ---- the model ---- */

char *sfu_dialog_automatic_words(SfuDialog *d)
{
    if (d->looking)
        return g_strdup(_("Automatic (looking for models)"));
    char *path = model_to_run(d, ""), *name = sfu_models_name(d->models, path);
    char *words = name ? g_strdup_printf(_("Automatic (%s)"), name) : g_strdup(_("No model found"));
    g_free(name);
    g_free(path);
    return words;
}

static void found(GPtrArray *models, gpointer data)
{
    SfuDialog *d = data;
    g_ptr_array_unref(d->models);
    d->models = models;
    d->looking = NULL;
    GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(d->window));
    sfu_dialog_models_found(d);
    if (focus && !gtk_widget_get_mapped(focus)) /* what had it has no use with this model */
        sfu_dialog_focus_first(d);
    if (d->generate_when_found)
        gtk_dialog_response(GTK_DIALOG(d->window), RESPONSE_GENERATE);
}

gboolean sfu_dialog_has_model(SfuDialog *d)
{
    char *chosen = sfu_model_combo_get(d->model), *path = model_to_run(d, chosen);
    const gboolean any = *path || d->looking;
    g_free(chosen);
    g_free(path);
    return any;
}

gboolean sfu_dialog_uses_seed(const SfuDialog *d, const SfuModelInfo *model)
{
    return sfu_action_spec(d->request->action, "seed") &&
           !(model && sfu_action_info(d->request->action)->task == SFU_TASK_UPSCALE && !model->has_text);
}

void sfu_dialog_look_for_models(SfuDialog *d)
{
    char **extra = sfu_settings_folders(d->settings);
    sfu_background_cancel(d->looking);
    d->looking = sfu_models_look((const char *const *)extra, found, d);
    g_strfreev(extra);
}

void sfu_dialog_models_found(SfuDialog *d)
{
    char *words = sfu_dialog_automatic_words(d);
    sfu_model_combo_fill(d->model, d->models, d->request->action, words);
    g_free(words);
    for (guint i = 0; i < d->fields->len; i++) {
        const SfuField *f = d->fields->pdata[i];
        if (f->spec->type == SFU_PARAM_FILE && !f->spec->list)
            sfu_part_combo_fill(f->control, d->models, f->spec->name);
    }
    sfu_dialog_update_model(d);
    sfu_dialog_update_scope(d);
    sfu_control_rows_look_again(&d->control);
    sfu_reference_rows_look_again(&d->reference);
}

static gboolean any_with_words(const SfuDialog *d, SfuTask task)
{
    for (guint i = 0; i < d->models->len; i++) {
        const SfuModelInfo *m = d->models->pdata[i];
        if (!m->error && m->has_text && m->tasks & 1u << task)
            return TRUE;
    }
    return FALSE;
}

/* What the user should know about the model that would run (NULL: there is none). Caller frees; NULL: nothing. */
static char *model_note(const SfuDialog *d, const SfuModelInfo *model, gboolean any)
{
    const SfuAction action = d->request->action;
    if (any && (!model || model->has_text || sfu_action_info(action)->task == SFU_TASK_UPSCALE))
        return NULL; /* that enlarging needs no words surprises nobody */
    if (any)
        return g_strdup_printf(
            _("%s works without words: it continues the surroundings. Choose another model to use a prompt."),
            model->title);
    if (action == SFU_ACTION_RESTORE)
        return g_strdup(
            _("Restore needs a model made for restoration, and none is installed. Download one, for example "
              "from openmodeldb.info: its name says 1x and what it removes, such as noise, blur or JPEG "
              "artifacts. Put the file into the model folder and come back."));
    return g_strdup_printf(_("No installed model can do \"%s\". Get one, or add your own folder in Settings."),
                           _(sfu_action_info(action)->title));
}

/* Whether the model (NULL: not known yet) heeds a row. */
static gboolean has_use_for(const SfuDialog *d, const SfuModelInfo *model, const char *row)
{
    /* A model without words continues the surroundings, or enlarges, in its own steps and with its own parts. */
    static const char *const steps[] = {"strength", "steps", "sampler", "schedule", "eta", "rng", "step_cache", NULL};
    static const char *const parts[] = {"vae", "text", "text_2", "refiner", "refiner_start", "taesd", "lora", NULL};
    static const char *const words[] = {"style", "guidance", "guidance_rescale", "clip_skip", "text_embedding", NULL};
    static const char *const told[] = {"original_width", "original_height", "crop_left",
                                       "crop_top",       "aesthetic_score", "negative_aesthetic_score",
                                       "show_mask",      "noise_level",     NULL};
    return !model || model->has_text ||
           !(g_strv_contains(steps, row) || g_strv_contains(parts, row) || g_strv_contains(words, row) ||
             g_strv_contains(told, row));
}

/* Without a model, nothing else is worth a look. */
static void show_controls(SfuDialog *d, gboolean any, gboolean has_text, gboolean uses_seed)
{
    GtkWidget *all[] = {d->first, d->rows, d->advanced}, *words[] = {d->prompt.box, d->negative.box},
              *seed[] = {d->seed_box, d->seed_label};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
        gtk_widget_set_visible(all[i], any);
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (words[i])
            gtk_widget_set_visible(words[i], any && has_text);
    for (gsize i = 0; d->seed_label && i < G_N_ELEMENTS(seed); i++)
        gtk_widget_set_visible(seed[i], uses_seed);
    sfu_grid_row_visible(d->seed_box, uses_seed);
}

void sfu_dialog_update_model(SfuDialog *d)
{
    const SfuTask task = sfu_action_info(d->request->action)->task;
    char *chosen = sfu_model_combo_get(d->model), *path = model_to_run(d, chosen);
    const SfuModelInfo *model = sfu_models_find(d->models, path);
    const gboolean any = *path || d->looking, has_text = !model || model->has_text;
    char *note = model_note(d, model, any);
    g_free(chosen);
    gtk_label_set_text(GTK_LABEL(d->note), note ? note : "");
    gtk_widget_set_visible(d->note, note != NULL);
    gtk_widget_set_visible(
        d->get_model, !d->looking && (!*path || (!has_text && task != SFU_TASK_UPSCALE && !any_with_words(d, task))));
    show_controls(d, any, has_text, sfu_dialog_uses_seed(d, model));
    say_ready(d);
    sfu_control_rows_set_model(&d->control, path);
    sfu_reference_rows_set_model(&d->reference, path);
    for (guint i = 0; i < d->fields->len; i++) {
        SfuField *f = d->fields->pdata[i];
        sfu_field_set_visible(f, has_use_for(d, model, f->spec->name));
        if (strcmp(f->spec->name, "scale") == 0)
            sfu_field_suggest(f, model && model->scale ? model->scale : f->spec->def, model && model->scale);
    }
    g_free(note);
    g_free(path);
    sfu_dialog_get_ready(d);
}
