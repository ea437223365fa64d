/* Building an action's dialog: controls on the left, the picture with zoom and results on the right, progress below.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialog-private.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

static gboolean is_special(const char *name)
{
    static const char *const names[] = {"prompt",        "negative",     "model",   "seed",
                                        "preview_every", "preview_with", "control", NULL};
    return g_strv_contains(names, name);
}

static void model_changed(GtkComboBox *combo, gpointer data)
{
    sfu_dialog_update_model(data);
}

static void roll_seed(GtkWidget *button, gpointer data)
{
    SfuDialog *d = data;
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(d->seed), g_random_int());
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->keep_seed), TRUE);
}

static void keep_toggled(GtkToggleButton *button, gpointer data)
{
    gtk_widget_set_sensitive(((SfuDialog *)data)->seed, gtk_toggle_button_get_active(button));
}

static GtkWidget *seed_row(SfuDialog *d)
{
    GtkWidget *box = sfu_hbox(6), *dice = gtk_button_new_with_label("\xe2\x9a\x84"); /* U+2684, a die */
    d->seed = gtk_spin_button_new(sfu_adjustment(0, 0, SFU_EXACT_MAX, 1, 1000), 1, 0);
    gtk_entry_set_width_chars(GTK_ENTRY(d->seed), 11);
    sfu_name(d->seed, _("Seed"));
    gtk_widget_set_tooltip_text(d->seed, _("The same seed gives the same picture"));
    gtk_widget_set_tooltip_text(dice, _("Roll another seed and keep it"));
    sfu_name(dice, _("Roll another seed and keep it"));
    d->keep_seed = gtk_check_button_new_with_mnemonic(_("_Keep"));
    gtk_widget_set_tooltip_text(d->keep_seed, _("Use this seed again; otherwise every run takes a new one"));
    gtk_widget_set_sensitive(d->seed, FALSE);
    g_signal_connect(dice, "clicked", G_CALLBACK(roll_seed), d);
    g_signal_connect(d->keep_seed, "toggled", G_CALLBACK(keep_toggled), d);
    gtk_box_pack_start(GTK_BOX(box), d->seed, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), dice, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), d->keep_seed, FALSE, FALSE, 0);
    return box;
}

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

/* "Automatic (sfumato-mini)". Caller frees. */
static char *automatic_words(SfuDialog *d)
{
    if (d->looking)
        return g_strdup(_("Automatic (looking for models)"));
    char *path = model_to_run(d, ""), *name = sfu_models_name(d->models, path);
    char *words = name ? g_strdup_printf(_("Automatic (%s)"), name) : g_strdup(_("Automatic (no model found)"));
    g_free(name);
    g_free(path);
    return words;
}

static GtkWidget *model_row(SfuDialog *d)
{
    char *words = automatic_words(d);
    d->model = sfu_model_combo_new(d->models, d->request->action, words);
    g_signal_connect(d->model, "changed", G_CALLBACK(model_changed), d);
    g_free(words);
    return d->model;
}

static void found(GPtrArray *models, gpointer data)
{
    SfuDialog *d = data;
    g_ptr_array_unref(d->models);
    d->models = models;
    d->looking = NULL;
    sfu_dialog_models_found(d);
    if (d->generate_when_found)
        gtk_dialog_response(GTK_DIALOG(d->window), RESPONSE_GENERATE);
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
    char *words = automatic_words(d);
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
}

static SfuField *find_field(SfuDialog *d, const char *name)
{
    for (guint i = 0; i < d->fields->len; i++)
        if (strcmp(((SfuField *)d->fields->pdata[i])->spec->name, name) == 0)
            return d->fields->pdata[i];
    return NULL;
}

static void whole_image_toggled(GtkToggleButton *button, gpointer data)
{
    const gboolean whole = gtk_toggle_button_get_active(button);
    sfu_field_enable(find_field(data, "sample_merged"), !whole,
                     _("For the whole image, each layer is enlarged separately."));
}

static void attach_row(GtkWidget *grid, int row, const char *label, GtkWidget *control)
{
    GtkWidget *l = sfu_label(NULL);
    gtk_label_set_text_with_mnemonic(GTK_LABEL(l), label);
    gtk_label_set_mnemonic_widget(GTK_LABEL(l), control);
    sfu_grid_attach(grid, l, 0, row, 1, FALSE);
    sfu_grid_attach(grid, control, 1, row, 1, TRUE);
}

/* What has grown is scrolled to, when it has its size: its end is to be seen, and first of all its beginning. */
static gboolean scroll_to(gpointer data)
{
    GtkWidget *w = data, *panel = gtk_widget_get_ancestor(w, GTK_TYPE_SCROLLED_WINDOW);
    GtkWidget *all = panel ? gtk_bin_get_child(GTK_BIN(gtk_bin_get_child(GTK_BIN(panel)))) : NULL;
    GtkAllocation size;
    int x, y;
    gtk_widget_get_allocation(w, &size);
    if (all && gtk_widget_translate_coordinates(w, all, 0, 0, &x, &y)) { /* else it has gone */
        GtkAdjustment *a = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(panel));
        const double now = gtk_adjustment_get_value(a),
                     least = MIN(y, y + size.height - gtk_adjustment_get_page_size(a));
        gtk_adjustment_set_value(a, now > y ? y : MAX(now, least));
    }
    g_object_unref(w);
    return G_SOURCE_REMOVE;
}

static void show_within_panel(GtkWidget *w)
{
    g_timeout_add(200, scroll_to, g_object_ref(w));
}

static void advanced_opened(GObject *expander, GParamSpec *property, gpointer data)
{
    SfuDialog *d = data;
    sfu_engine_fields_list_devices(&d->engine, d->settings);
    show_within_panel(GTK_WIDGET(expander));
}

/* The wheel over a control moves the panel and not the value: nobody wants to change Steps on the way down. */
static gboolean scroll_panel(GtkWidget *control, GdkEventScroll *e, gpointer data)
{
    GtkAdjustment *a = gtk_scrolled_window_get_vadjustment(data);
    double by = e->direction == GDK_SCROLL_UP ? -1 : e->direction == GDK_SCROLL_DOWN ? 1 : 0;
#if GTK_CHECK_VERSION(3, 0, 0)
    double dx, dy;
    if (e->direction == GDK_SCROLL_SMOOTH && gdk_event_get_scroll_deltas((GdkEvent *)e, &dx, &dy))
        by = dy;
#endif
    const double last = gtk_adjustment_get_upper(a) - gtk_adjustment_get_page_size(a);
    gtk_adjustment_set_value(a, CLAMP(gtk_adjustment_get_value(a) + by * 40, 0, MAX(0, last)));
    return TRUE;
}

static void wheel_scrolls(GtkWidget *w, gpointer panel)
{
    if (GTK_IS_SPIN_BUTTON(w) || GTK_IS_COMBO_BOX(w) || GTK_IS_RANGE(w))
        g_signal_connect(w, "scroll-event", G_CALLBACK(scroll_panel), panel);
    if (GTK_IS_CONTAINER(w) && !GTK_IS_COMBO_BOX(w))
        gtk_container_forall(GTK_CONTAINER(w), wheel_scrolls, panel);
}

/* Enter makes a picture again once something was changed, and no longer adds the one that is there. */
static void edited(SfuDialog *d)
{
    gtk_dialog_set_default_response(GTK_DIALOG(d->window), RESPONSE_GENERATE);
}

static void watch_field(SfuDialog *d, const SfuField *f)
{
    static const char *const sides[] = {"left", "right", "top", "bottom", NULL};
    gpointer source = f->adjustment ? (gpointer)f->adjustment : (gpointer)f->control;
    const char *signal = f->adjustment ? "value-changed" : f->spec->type == SFU_PARAM_BOOL ? "toggled" : "changed";
    g_signal_connect_swapped(source, signal, G_CALLBACK(edited), d);
    if (g_strv_contains(sides, f->spec->name))
        g_signal_connect_swapped(source, signal, G_CALLBACK(sfu_dialog_sides_changed), d);
    if (g_strv_contains(sides, f->spec->name) || strcmp(f->spec->name, "scale") == 0)
        g_signal_connect_swapped(source, signal, G_CALLBACK(sfu_dialog_update_scope), d);
}

static SfuField *add_field(SfuDialog *d, const SfuParamSpec *spec)
{
    SfuField *f = sfu_field_new(d->request, spec, d->models);
    g_ptr_array_add(d->fields, f);
    watch_field(d, f);
    return f;
}

/* A control layer was added (its widgets) or changed. */
static void control_changed(GtkWidget *added, gpointer data)
{
    SfuDialog *d = data;
    if (added) {
        wheel_scrolls(added, d->panel);
        show_within_panel(added);
    }
    edited(d);
}

/* ---- what the action needs first
 * ----------------------------------------------------------------------------------------- */

static gboolean is_first(const SfuParamSpec *s)
{
    static const char *const names[] = {"left", "right", "top", "bottom", "scale", NULL};
    return g_strv_contains(names, s->name);
}

void sfu_dialog_set_field(SfuDialog *d, const char *name, double value)
{
    const SfuField *f = find_field(d, name);
    if (f)
        gtk_adjustment_set_value(f->adjustment, value);
}

static void scale_clicked(GtkWidget *button, gpointer data)
{
    sfu_dialog_set_field(data, "scale", GPOINTER_TO_INT(g_object_get_data(G_OBJECT(button), "scale")));
}

static GtkWidget *scale_buttons(SfuDialog *d)
{
    GtkWidget *box = sfu_hbox(6);
    for (int scale = 2; scale <= 8; scale *= 2) {
        char label[16];
        g_snprintf(label, sizeof label, "%d\xc3\x97", scale);
        GtkWidget *b = gtk_button_new_with_label(label);
        g_object_set_data(G_OBJECT(b), "scale", GINT_TO_POINTER(scale));
        g_signal_connect(b, "clicked", G_CALLBACK(scale_clicked), d);
        gtk_box_pack_start(GTK_BOX(box), b, TRUE, TRUE, 0);
    }
    return box;
}

static const struct {
    const char *label;
    double aspect; /* width by height; 0: as the sides say; -1: a quarter on every side */
} shapes[] = {{N_("Free"), 0},   {N_("A quarter on every side"), -1},
              {"1:1", 1},        {"4:3", 4.0 / 3},
              {"3:2", 1.5},      {"16:9", 16.0 / 9},
              {"3:4", 0.75},     {"2:3", 2.0 / 3},
              {"9:16", 9.0 / 16}};

static void shape_chosen(GtkComboBox *combo, gpointer data)
{
    SfuDialog *d = data;
    SfuHostImage info;
    const double aspect = shapes[MAX(0, gtk_combo_box_get_active(combo))].aspect;
    if (aspect == 0 || !sfu_host_image_info(d->image, &info))
        return;
    int more_w = 0, more_h = 0;
    if (aspect < 0) {
        more_w = info.width / 2;
        more_h = info.height / 2;
    } else if (info.width < info.height * aspect) {
        more_w = (int)(info.height * aspect + 0.5) - info.width;
    } else {
        more_h = (int)(info.width / aspect + 0.5) - info.height;
    }
    sfu_dialog_set_field(d, "left", more_w / 2);
    sfu_dialog_set_field(d, "right", more_w - more_w / 2);
    sfu_dialog_set_field(d, "top", more_h / 2);
    sfu_dialog_set_field(d, "bottom", more_h - more_h / 2);
}

static GtkWidget *shape_combo(SfuDialog *d)
{
    GtkWidget *combo = gtk_combo_box_text_new();
    for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++)
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(combo),
                                       g_ascii_isdigit(*shapes[i].label) ? shapes[i].label : _(shapes[i].label));
    gtk_combo_box_set_active(GTK_COMBO_BOX(combo), 0);
    gtk_widget_set_tooltip_text(combo, _("Sets the four sides so that the canvas gets this shape"));
    g_signal_connect(combo, "changed", G_CALLBACK(shape_chosen), d);
    return combo;
}

/* Sides or scale, above everything else. */
static GtkWidget *first_fields(SfuDialog *d)
{
    const SfuParamSpec *const *rows = sfu_action_specs(d->request->action);
    GtkWidget *grid = sfu_grid();
    int n = 0;
    if (d->request->action == SFU_ACTION_EXPAND)
        attach_row(grid, n++, _("S_hape"), shape_combo(d));
    for (int i = 0; rows[i]; i++)
        if (is_first(rows[i]))
            sfu_field_attach(add_field(d, rows[i]), grid, n++);
    if (d->request->action == SFU_ACTION_ENLARGE)
        sfu_grid_attach(grid, scale_buttons(d), 1, n++, 1, TRUE);
    return grid;
}

/* The selection becomes the excluded area; another one is then made for what is to be filled. */
static void keep_excluded(GtkWidget *button, gpointer data)
{
    SfuDialog *d = data;
    GError *error = NULL;
    const gboolean ok = sfu_exclude_selection(d->image, &error);
    sfu_dialog_error(d, ok ? NULL : error->message);
    g_clear_error(&error);
    if (ok)
        sfu_host_flush();
    sfu_dialog_update_scope(d);
    SfuField *f = find_field(d, "exclude");
    if (ok)
        sfu_model_combo_set(f->control, "");
}

static GtkWidget *exclude_button(SfuDialog *d, const SfuField *f)
{
    GtkWidget *b = gtk_button_new_with_mnemonic(_("E_xclude Selection"));
    gtk_widget_set_tooltip_text(
        b, _("Marks the selection as an area that fills never copy from. Then select the area to fill."));
    g_signal_connect(b, "clicked", G_CALLBACK(keep_excluded), d);
    sfu_exclude_combo_fill(f->control, d->image);
    return b;
}

/* Caller frees with g_strfreev(). */
static char **layer_names(int image)
{
    SfuHostImage info;
    GArray *layers = sfu_host_image_info(image, &info) ? sfu_host_pixel_layers(image) : NULL;
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; layers && i < layers->len; i++)
        g_ptr_array_add(names, sfu_host_layer_name(g_array_index(layers, int, i)));
    g_ptr_array_add(names, NULL);
    if (layers)
        g_array_unref(layers);
    return (char **)g_ptr_array_free(names, FALSE);
}

static GtkWidget *controls(SfuDialog *d)
{
    const SfuParamSpec *const *rows = sfu_action_specs(d->request->action);
    GtkWidget *box = sfu_vbox(10), *grid = sfu_grid(), *advanced = sfu_grid(),
              *expander = gtk_expander_new_with_mnemonic(_("Ad_vanced"));
    int n = 0, n_advanced = 0;
    d->scope = sfu_label("");
    gtk_label_set_line_wrap(GTK_LABEL(d->scope), TRUE);
    gtk_box_pack_start(GTK_BOX(box), d->scope, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), first_fields(d), FALSE, FALSE, 0);
    const SfuParamSpec *prompt = sfu_action_spec(d->request->action, "prompt"),
                       *negative = sfu_action_spec(d->request->action, "negative");
    if (prompt) {
        sfu_text_field_init(&d->prompt, _(prompt->label), _(prompt->help), 4, d->settings, "prompt");
        g_signal_connect(d->prompt.view, "key-press-event", G_CALLBACK(sfu_dialog_prompt_key), d);
        gtk_box_pack_start(GTK_BOX(box), d->prompt.box, FALSE, FALSE, 0);
    }
    if (negative) {
        sfu_text_field_init(&d->negative, _(negative->label), _(negative->help), 2, d->settings, "negative");
        g_signal_connect(d->negative.view, "key-press-event", G_CALLBACK(sfu_dialog_prompt_key), d);
        gtk_box_pack_start(GTK_BOX(box), d->negative.box, FALSE, FALSE, 0);
    }
    d->note = sfu_label(NULL);
    gtk_label_set_line_wrap(GTK_LABEL(d->note), TRUE);
    gtk_widget_set_size_request(d->note, 280, -1);
    gtk_widget_set_no_show_all(d->note, TRUE);
    gtk_box_pack_start(GTK_BOX(box), d->note, FALSE, FALSE, 0);
    d->get_model = gtk_button_new_with_mnemonic(_("Get a Mo_del..."));
    gtk_widget_set_no_show_all(d->get_model, TRUE);
    g_signal_connect_swapped(d->get_model, "clicked", G_CALLBACK(sfu_dialog_get_model), d);
    gtk_box_pack_start(GTK_BOX(box), d->get_model, FALSE, FALSE, 0);
    if (prompt)
        g_signal_connect_swapped(d->prompt.text, "changed", G_CALLBACK(edited), d);

    attach_row(grid, n++, _("_Model"), model_row(d));
    for (int i = 0; rows[i]; i++) {
        if (is_special(rows[i]->name) || is_first(rows[i]))
            continue;
        SfuField *f = add_field(d, rows[i]);
        const gboolean is_advanced = rows[i]->advanced || strcmp(rows[i]->name, "reference") == 0;
        sfu_field_attach(f, is_advanced ? advanced : grid, is_advanced ? n_advanced++ : n++);
        if (strcmp(rows[i]->name, "lora") == 0)
            sfu_grid_attach(advanced, sfu_list_button_new(f, sfu_models_adapters(d->settings), TRUE), 1, n_advanced++,
                            1, FALSE);
        if (strcmp(rows[i]->name, "reference") == 0)
            sfu_grid_attach(advanced, sfu_list_button_new(f, layer_names(d->image), FALSE), 1, n_advanced++, 1, FALSE);
        if (strcmp(rows[i]->name, "exclude") == 0)
            sfu_grid_attach(grid, exclude_button(d, f), 1, n++, 1, TRUE);
        if (strcmp(rows[i]->name, "whole_image") == 0)
            g_signal_connect(f->control, "toggled", G_CALLBACK(whole_image_toggled), d);
    }
    d->seed_box = seed_row(d);
    if (sfu_action_spec(d->request->action, "seed"))
        attach_row(grid, n++, _("Seed"), d->seed_box);
    else
        g_object_ref_sink(d->seed_box); /* one pass of a network, without noise */
    gtk_box_pack_start(GTK_BOX(box), grid, FALSE, FALSE, 0);
    if (sfu_action_spec(d->request->action, "control")) {
        sfu_control_rows_init(&d->control, d->image, d->settings, control_changed, d);
        gtk_box_pack_start(GTK_BOX(box), d->control.box, FALSE, FALSE, 0);
    }
    sfu_engine_fields_attach(&d->engine, advanced, n_advanced, d->settings);
    g_signal_connect(expander, "notify::expanded", G_CALLBACK(advanced_opened), d);
    gtk_container_add(GTK_CONTAINER(expander), advanced);
    gtk_box_pack_start(GTK_BOX(box), expander, FALSE, FALSE, 0);

    GtkWidget *scroll = d->panel = gtk_scrolled_window_new(NULL, NULL), *port = gtk_viewport_new(NULL, NULL);
    gtk_viewport_set_shadow_type(GTK_VIEWPORT(port), GTK_SHADOW_NONE);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_container_set_border_width(GTK_CONTAINER(box), 2);
    GtkWidget *row = sfu_hbox(0), *room = sfu_vbox(0); /* for the scrollbar, which GTK 2 would put over the controls */
    gtk_widget_set_size_request(room, 18, -1);
    gtk_box_pack_start(GTK_BOX(row), box, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(row), room, FALSE, FALSE, 0);
    gtk_container_add(GTK_CONTAINER(port), row);
    gtk_container_add(GTK_CONTAINER(scroll), port);
    wheel_scrolls(box, scroll);
#if !GTK_CHECK_VERSION(3, 0, 0)
    gtk_container_set_resize_mode(GTK_CONTAINER(port), GTK_RESIZE_PARENT); /* else what grows wider is cut off */
#else
    gtk_widget_set_hexpand(scroll, FALSE); /* the rows' own expanding stays inside: all further room is the picture's */
#endif
    return scroll;
}

/* ---- the picture's side
 * ------------------------------------------------------------------------------------------------ */

static void zoom_in(GtkWidget *b, gpointer data)
{
    sfu_preview_zoom(data, 1.25);
}

static void zoom_out(GtkWidget *b, gpointer data)
{
    sfu_preview_zoom(data, 0.8);
}

static void zoom_one(GtkWidget *b, gpointer data)
{
    sfu_preview_zoom(data, 0);
}

static void zoom_fit(GtkWidget *b, gpointer data)
{
    sfu_preview_fit(data);
}

static void show_zoom(gpointer data)
{
    SfuDialog *d = data;
    char text[32];
    g_snprintf(text, sizeof text, "%.0f %%", sfu_preview_scale(d->preview) * 100);
    gtk_label_set_text(GTK_LABEL(d->zoom_label), text);
}

static GtkWidget *picture_side(SfuDialog *d)
{
    static const struct {
        const char *icon, *tooltip;
        void (*fn)(GtkWidget *, gpointer);
    } buttons[] = {{"zoom-out", N_("Zoom out"), zoom_out},
                   {"zoom-in", N_("Zoom in"), zoom_in},
                   {"zoom-original", N_("Zoom to 1:1"), zoom_one},
                   {"zoom-fit-best", N_("Show the whole result"), zoom_fit}};
    GtkWidget *box = sfu_vbox(6), *frame = gtk_frame_new(NULL), *tools = sfu_hbox(2),
              *scroll = gtk_scrolled_window_new(NULL, NULL);
    GtkWidget *port = gtk_viewport_new(NULL, NULL);
    d->preview = sfu_preview_new();
    gtk_frame_set_shadow_type(GTK_FRAME(frame), GTK_SHADOW_IN);
    gtk_container_add(GTK_CONTAINER(frame), sfu_preview_widget(d->preview));
    gtk_box_pack_start(GTK_BOX(box), frame, TRUE, TRUE, 0);

    d->before_button = gtk_toggle_button_new_with_mnemonic(_("_Before"));
    gtk_widget_set_tooltip_text(d->before_button, _("Show the picture without the result, also while F2 is held"));
    g_signal_connect(d->before_button, "toggled", G_CALLBACK(sfu_dialog_before_toggled), d);
    gtk_box_pack_start(GTK_BOX(tools), d->before_button, FALSE, FALSE, 0);
    d->compare_button = gtk_toggle_button_new_with_mnemonic(_("C_ompare"));
    gtk_widget_set_tooltip_text(d->compare_button,
                                _("Show before and after side by side, divided by a line that you can drag"));
    g_signal_connect(d->compare_button, "toggled", G_CALLBACK(sfu_dialog_compare_toggled), d);
    gtk_box_pack_start(GTK_BOX(tools), d->compare_button, FALSE, FALSE, 4);
    d->status = sfu_label("");
    gtk_label_set_ellipsize(GTK_LABEL(d->status), PANGO_ELLIPSIZE_END);
    gtk_box_pack_start(GTK_BOX(tools), d->status, TRUE, TRUE, 8);
    d->delete_button = sfu_icon_button("edit-delete", _("Delete this result"));
    gtk_button_set_relief(GTK_BUTTON(d->delete_button), GTK_RELIEF_NONE);
    g_signal_connect_swapped(d->delete_button, "clicked", G_CALLBACK(sfu_dialog_delete_current), d);
    gtk_box_pack_start(GTK_BOX(tools), d->delete_button, FALSE, FALSE, 0);
    d->zoom_label = gtk_label_new("");
    gtk_label_set_width_chars(GTK_LABEL(d->zoom_label), 7);
    gtk_box_pack_start(GTK_BOX(tools), d->zoom_label, FALSE, FALSE, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(buttons); i++) {
        GtkWidget *b = sfu_icon_button(buttons[i].icon, _(buttons[i].tooltip));
        gtk_button_set_relief(GTK_BUTTON(b), GTK_RELIEF_NONE);
        g_signal_connect(b, "clicked", G_CALLBACK(buttons[i].fn), d->preview);
        gtk_box_pack_start(GTK_BOX(tools), b, FALSE, FALSE, 0);
    }
    sfu_preview_on_zoom(d->preview, show_zoom, d);
    gtk_box_pack_start(GTK_BOX(box), tools, FALSE, FALSE, 0);

    d->strip = sfu_hbox(4);
    gtk_viewport_set_shadow_type(GTK_VIEWPORT(port), GTK_SHADOW_NONE);
    gtk_container_add(GTK_CONTAINER(port), d->strip);
    gtk_container_add(GTK_CONTAINER(scroll), port);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll), GTK_POLICY_AUTOMATIC, GTK_POLICY_NEVER);
    gtk_widget_set_size_request(scroll, -1, 140);
    sfu_name(d->strip, _("Results"));
    gtk_box_pack_start(GTK_BOX(box), scroll, FALSE, FALSE, 0);
    return box;
}

/* ---- the window
 * -------------------------------------------------------------------------------------------------------- */

static GtkWidget *error_bar(SfuDialog *d)
{
    d->error_bar = gtk_info_bar_new();
    d->error_label = sfu_label("");
    gtk_label_set_line_wrap(GTK_LABEL(d->error_label), TRUE);
    gtk_label_set_selectable(GTK_LABEL(d->error_label), TRUE);
    gtk_widget_set_size_request(d->error_label, 500, -1);
    /* The colors of a warning are not readable in every theme of GIMP 2.10; the theme's own colors and an icon are. */
    gtk_info_bar_set_message_type(GTK_INFO_BAR(d->error_bar), GTK_MESSAGE_OTHER);
    GtkWidget *content = gtk_info_bar_get_content_area(GTK_INFO_BAR(d->error_bar));
    gtk_box_pack_start(GTK_BOX(content), gtk_image_new_from_icon_name("dialog-warning", GTK_ICON_SIZE_LARGE_TOOLBAR),
                       FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(content), d->error_label, TRUE, TRUE, 0);
    gtk_info_bar_add_button(GTK_INFO_BAR(d->error_bar), _("_Dismiss"), GTK_RESPONSE_CLOSE);
    g_signal_connect(d->error_bar, "response", G_CALLBACK(gtk_widget_hide), NULL);
    gtk_widget_show_all(d->error_bar);
    gtk_widget_set_no_show_all(d->error_bar, TRUE);
    gtk_widget_hide(d->error_bar);
    return d->error_bar;
}

static GtkWidget *secondary_button(SfuDialog *d, const char *label, int response)
{
    GtkWidget *b = gtk_dialog_add_button(GTK_DIALOG(d->window), label, response);
    gtk_button_box_set_child_secondary(GTK_BUTTON_BOX(gtk_widget_get_parent(b)), b, TRUE);
    return b;
}

static const char *go_words(SfuAction action)
{
    return action == SFU_ACTION_ENLARGE ? _("_Enlarge") : action == SFU_ACTION_RESTORE ? _("_Restore") : _("_Generate");
}

static void buttons(SfuDialog *d)
{
    GtkDialog *dialog = GTK_DIALOG(d->window);
    const SfuAction action = d->request->action;
    secondary_button(d, _("_Reset"), RESPONSE_RESET);
    secondary_button(d, _("_Settings..."), RESPONSE_SETTINGS);
    d->history_button = secondary_button(d, _("H_istory"), RESPONSE_HISTORY);
    gtk_widget_set_tooltip_text(d->history_button, _("What was made with this image, with all values"));
    gtk_dialog_add_button(dialog, _("_Close"), GTK_RESPONSE_CLOSE);
    const gboolean image_of_its_own = sfu_action_spec(action, "new_image") != NULL;
    d->add = gtk_dialog_add_button(dialog, image_of_its_own ? _("_Add to GIMP") : _("_Add as Layer"), RESPONSE_ADD);
    d->add_and_close = gtk_dialog_add_button(dialog, _("Add and C_lose"), RESPONSE_ADD_AND_CLOSE);
    d->stop = gtk_dialog_add_button(dialog, _("S_top"), RESPONSE_STOP);
    d->generate = gtk_dialog_add_button(dialog, go_words(action), RESPONSE_GENERATE);
    gtk_widget_set_tooltip_text(d->generate, _("While a run is in progress, this waits for it"));
    gtk_dialog_set_default_response(dialog, RESPONSE_GENERATE);
}

/* What is worked on may have changed while GIMP had the focus. */
static gboolean focused(GtkWidget *window, GdkEventFocus *event, gpointer data)
{
    sfu_dialog_update_scope(data);
    return FALSE;
}

void sfu_dialog_build(SfuDialog *d)
{
    const SfuActionInfo *a = sfu_action_info(d->request->action);
    char *image = sfu_host_image_name(d->image);
    char *title =
        image ? g_strdup_printf("Sfumato: %s, %s", _(a->title), image) : g_strdup_printf("Sfumato: %s", _(a->title));
    d->window = sfu_host_dialog_new(title, a->name);
    g_free(title);
    g_free(image);
    buttons(d);
    GtkDialog *dialog = GTK_DIALOG(d->window);
    gtk_widget_set_no_show_all(d->stop, TRUE);
    gtk_widget_hide(d->stop);

    GtkWidget *all = sfu_vbox(8), *sides = sfu_hbox(12);
    gtk_container_set_border_width(GTK_CONTAINER(all), 12);
    gtk_box_pack_start(GTK_BOX(sides), controls(d), FALSE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(sides), picture_side(d), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(all), error_bar(d), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(all), sides, TRUE, TRUE, 0);
    d->progress = gtk_progress_bar_new();
#if GTK_CHECK_VERSION(3, 0, 0)
    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(d->progress), TRUE);
#endif
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), _("Ready"));
    sfu_name(d->progress, _("Progress"));
    gtk_box_pack_start(GTK_BOX(all), d->progress, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(gtk_dialog_get_content_area(dialog)), all, TRUE, TRUE, 0);
    int width, height;
    sfu_screen_size(&width, &height);
    gtk_window_set_default_size(GTK_WINDOW(d->window), MIN(980, width - 20), MIN(730, height - 60));
    g_signal_connect(d->window, "response", G_CALLBACK(sfu_dialog_response), d);
    g_signal_connect(d->window, "key-press-event", G_CALLBACK(sfu_dialog_key), d);
    g_signal_connect(d->window, "key-release-event", G_CALLBACK(sfu_dialog_key_up), d);
    g_signal_connect(d->window, "focus-in-event", G_CALLBACK(focused), d);
    sfu_dialog_show_request(d, d->request);
    gtk_widget_show_all(d->window);
    sfu_dialog_update_scope(d);
    sfu_dialog_update_model(d);
    gtk_widget_grab_focus(d->prompt.box && gtk_widget_get_visible(d->prompt.box) ? d->prompt.view : d->generate);
}

void sfu_dialog_error(SfuDialog *d, const char *sentence)
{
    gtk_label_set_text(GTK_LABEL(d->error_label), sentence ? sentence : "");
    gtk_widget_set_visible(d->error_bar, sentence != NULL);
}

/* ---- values
 * ------------------------------------------------------------------------------------------------------------ */

void sfu_dialog_show_seed(SfuDialog *d, gint64 seed)
{
    d->exact_seed = seed;
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(d->seed), (double)seed);
}

/* A spin button holds 53 bits; a larger seed that was shown and not changed is still the exact one. */
static gint64 get_seed(SfuDialog *d)
{
    gtk_spin_button_update(GTK_SPIN_BUTTON(d->seed));
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
}

SfuRequest *sfu_dialog_collect(SfuDialog *d)
{
    SfuRequest *r = sfu_request_new(d->request->action);
    char *model = sfu_model_combo_get(d->model), *text;
    if (d->prompt.box) {
        sfu_request_set(r, "prompt", text = sfu_text_field_get(&d->prompt), NULL);
        g_free(text);
    }
    if (d->negative.box) {
        sfu_request_set(r, "negative", text = sfu_text_field_get(&d->negative), NULL);
        g_free(text);
    }
    sfu_request_set(r, "model", model, NULL);
    g_free(model);
    if (gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(d->keep_seed))) {
        sfu_params_put_int64(r->params, SFU_PARAM_SEED, get_seed(d));
    }
    for (guint i = 0; i < d->fields->len; i++)
        sfu_field_get(d->fields->pdata[i], r);
    sfu_control_rows_get(&d->control, r);
    return r;
}

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
    if (sfu_host_selection_bounds(d->image, area)) {
        *what = _("Selection");
        return TRUE;
    }
    const int layer = d->drawable >= 0 ? sfu_host_layer_of(d->drawable, NULL) : sfu_host_active_layer(d->image);
    if (layer < 0 || a->needs_selection || a->task == SFU_TASK_TXT2IMG || !sfu_host_layer_in_image(layer, d->image))
        return FALSE;
    *area = sfu_host_layer_bounds(layer);
    *what = _("Layer");
    return TRUE;
}

void sfu_dialog_update_scope(SfuDialog *d)
{
    const SfuField *exclude = find_field(d, "exclude");
    if (exclude)
        sfu_exclude_combo_fill(exclude->control, d->image);
    sfu_control_rows_list_layers(&d->control);
    GeglRectangle area;
    const char *what;
    char *text = NULL;
    if (find_scope(d, &area, &what)) {
        SfuRequest *r = sfu_dialog_collect(d);
        int w = area.width, h = area.height;
        if (r->action == SFU_ACTION_ENLARGE && d->looking && !sfu_request_given(r, "scale")) {
            ; /* the model that will be found says how large */
        } else if (r->action == SFU_ACTION_ENLARGE) {
            w = rint(w * sfu_request_get_double(r, "scale"));
            h = rint(h * sfu_request_get_double(r, "scale"));
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
}

/* What would run, and how long that took the last time. */
static void say_ready(SfuDialog *d, const char *path)
{
    double seconds = *path ? sfu_settings_seconds(d->settings, d->request->action, path) : 0;
    if (sfu_worker_busy(d->worker) || d->entries->len || d->looking)
        return;
    if (sfu_action_info(d->request->action)->task == SFU_TASK_UPSCALE) /* whose time depends on the size */
        seconds = 0;
    char *name = sfu_models_name(d->models, path);
    char *text = seconds > 0 ? g_strdup_printf(_("Ready: about %.0f s a picture by %s"), MAX(1, seconds), name)
                             : g_strdup(_("Ready"));
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), text);
    g_free(text);
    g_free(name);
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

void sfu_dialog_update_model(SfuDialog *d)
{
    /* What a model without words has no use for: it continues the surroundings in its own number of steps. */
    static const char *const wordy[] = {"style", "guidance", "guidance_rescale", "clip_skip", "strength",
                                        "steps", NULL};
    /* What an upscaler network, which paints nothing, has no use for. */
    static const char *const painting[] = {"strength",    "steps", "sampler", "schedule", "eta",   "rng", "step_cache",
                                           "noise_level", "vae",   "taesd",   "count",    "style", NULL};
    const SfuTask task = sfu_action_info(d->request->action)->task;
    char *chosen = sfu_model_combo_get(d->model), *path = model_to_run(d, chosen), *reason = NULL;
    const SfuModelInfo *model = sfu_models_find(d->models, path);
    g_free(chosen);
    const gboolean has_text = !model || model->has_text;
    if (!has_text)
        reason =
            task == SFU_TASK_UPSCALE
                ? g_strdup_printf(_("%s enlarges without words and takes no prompt."), model->name)
                : g_strdup_printf(
                      _("%s works without words: it continues the surroundings. Choose another model to use a prompt."),
                      model->name);
    if (d->request->action == SFU_ACTION_RESTORE)
        g_clear_pointer(&reason, g_free);
    if (!*path && !d->looking && d->request->action == SFU_ACTION_RESTORE)
        reason = g_strdup(_("No restoration network was found. Put one that enlarges by 1 into the model folder, such "
                            "as those of OpenModelDB for denoising, deblurring or JPEG artifacts."));
    else if (!*path && !d->looking)
        reason = g_strdup_printf(_("No installed model can do \"%s\". Get one, or add your own folder in Settings."),
                                 _(sfu_action_info(d->request->action)->title));
    gtk_label_set_text(GTK_LABEL(d->note), reason ? reason : "");
    gtk_widget_set_visible(d->note, reason != NULL);
    gtk_widget_set_visible(d->get_model,
                           !d->looking && d->request->action != SFU_ACTION_RESTORE &&
                               (!*path || (!has_text && task != SFU_TASK_UPSCALE && !any_with_words(d, task))));
    if (d->prompt.box)
        gtk_widget_set_visible(d->prompt.box, has_text);
    if (d->negative.box)
        gtk_widget_set_visible(d->negative.box, has_text);
    say_ready(d, path);
    sfu_control_rows_set_model(&d->control, path);
    for (guint i = 0; i < d->fields->len; i++) {
        SfuField *f = d->fields->pdata[i];
        const gboolean network = d->request->action == SFU_ACTION_ENLARGE && model && model->scale;
        sfu_field_set_visible(f, (has_text || !g_strv_contains(wordy, f->spec->name)) &&
                                     (!network || !g_strv_contains(painting, f->spec->name)));
        if (strcmp(f->spec->name, "scale") == 0)
            sfu_field_suggest(f, model && model->scale ? model->scale : f->spec->def, model && model->scale);
    }
    g_free(reason);
    g_free(path);
}
