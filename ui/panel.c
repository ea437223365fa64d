/* The left side of an action's dialog: its controls.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialog-private.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#define PANEL_PX 350

static gboolean is_special(const char *name)
{
    static const char *const names[] = {"prompt",       "negative", "model",     "seed", "preview_every",
                                        "preview_with", "control",  "reference", NULL};
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

/* The field shows the seed of the result that is looked at. A seed that somebody writes is meant to be used. */
static void seed_changed(GtkSpinButton *seed, gpointer data)
{
    SfuDialog *d = data;
    if (!d->showing_seed)
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->keep_seed), TRUE);
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
    sfu_readable_when_on(d->keep_seed);
    gtk_widget_set_tooltip_text(d->keep_seed, _("Use this seed again; otherwise every run takes a new one"));
    g_signal_connect(dice, "clicked", G_CALLBACK(roll_seed), d);
    g_signal_connect(d->seed, "value-changed", G_CALLBACK(seed_changed), d);
    gtk_box_pack_start(GTK_BOX(box), d->seed, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), dice, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), d->keep_seed, FALSE, FALSE, 0);
    return box;
}

static GtkWidget *model_row(SfuDialog *d)
{
    char *words = sfu_dialog_automatic_words(d);
    d->model = sfu_model_combo_new(d->models, d->request->action, words);
    g_signal_connect(d->model, "changed", G_CALLBACK(model_changed), d);
    g_free(words);
    return d->model;
}

static void whole_image_toggled(GtkToggleButton *button, gpointer data)
{
    const gboolean whole = gtk_toggle_button_get_active(button);
    sfu_field_enable(sfu_dialog_field(data, "sample_merged"), !whole,
                     _("For the whole image, each layer is enlarged separately."));
}

/* The row's label. */
static GtkWidget *attach_row(GtkWidget *grid, int row, const char *label, GtkWidget *control)
{
    GtkWidget *l = sfu_label(NULL);
    gtk_label_set_text_with_mnemonic(GTK_LABEL(l), label);
    gtk_label_set_mnemonic_widget(GTK_LABEL(l), control);
    sfu_grid_attach(grid, l, 0, row, 1, FALSE);
    sfu_grid_attach(grid, control, 1, row, 1, TRUE);
    return l;
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
    gtk_widget_set_visible(gtk_bin_get_child(GTK_BIN(expander)), gtk_expander_get_expanded(GTK_EXPANDER(expander)));
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

static void written(SfuDialog *d)
{
    d->written = TRUE;
    edited(d);
}

static void watch_field(SfuDialog *d, const SfuField *f)
{
    static const char *const sides[] = {"left", "right", "top", "bottom", NULL};
    static const char *const areas[] = {"scale", "sample_merged", "whole_image", NULL}; /* beside the sides */
    gpointer source = f->adjustment ? (gpointer)f->adjustment : (gpointer)f->control;
    const char *signal = f->adjustment ? "value-changed" : f->spec->type == SFU_PARAM_BOOL ? "toggled" : "changed";
    g_signal_connect_swapped(source, signal, G_CALLBACK(edited), d);
    if (g_strv_contains(sides, f->spec->name))
        g_signal_connect_swapped(source, signal, G_CALLBACK(sfu_dialog_sides_changed), d);
    if (g_strv_contains(sides, f->spec->name) || g_strv_contains(areas, f->spec->name))
        g_signal_connect_swapped(source, signal, G_CALLBACK(sfu_dialog_update_scope), d);
}

static SfuField *add_field(SfuDialog *d, const SfuParamSpec *spec)
{
    SfuField *f = sfu_field_new(d->request, spec, d->models);
    g_ptr_array_add(d->fields, f);
    watch_field(d, f);
    return f;
}

/* A control or reference layer was added (its widgets) or changed. */
static void rows_changed(GtkWidget *added, gpointer data)
{
    SfuDialog *d = data;
    if (added) {
        wheel_scrolls(added, d->panel);
        show_within_panel(added);
    }
    edited(d);
}

/* ---- what the action needs first ---- */

static gboolean is_first(const SfuParamSpec *s)
{
    static const char *const names[] = {"left", "right", "top", "bottom", "scale", NULL};
    return g_strv_contains(names, s->name);
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
        attach_row(grid, n++, _("Sha_pe"), shape_combo(d));
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
    SfuField *f = sfu_dialog_field(d, "exclude");
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

/* Prompt and negative prompt, where the action has them. */
static void add_words(SfuDialog *d, GtkWidget *box)
{
    const SfuParamSpec *prompt = sfu_action_spec(d->request->action, "prompt"),
                       *negative = sfu_action_spec(d->request->action, "negative");
    if (prompt) {
        sfu_text_field_init(&d->prompt, _(prompt->label), _(prompt->help), 4, d->settings, "prompt");
        g_signal_connect(d->prompt.view, "key-press-event", G_CALLBACK(sfu_dialog_prompt_key), d);
        g_signal_connect_swapped(d->prompt.text, "changed", G_CALLBACK(written), d);
        gtk_box_pack_start(GTK_BOX(box), d->prompt.box, FALSE, FALSE, 0);
    }
    if (negative) {
        sfu_text_field_init(&d->negative, _(negative->label), _(negative->help), 2, d->settings, "negative");
        g_signal_connect(d->negative.view, "key-press-event", G_CALLBACK(sfu_dialog_prompt_key), d);
        g_signal_connect_swapped(d->negative.text, "changed", G_CALLBACK(written), d);
        gtk_box_pack_start(GTK_BOX(box), d->negative.box, FALSE, FALSE, 0);
    }
}

/* The controls' box as it scrolls up and down. */
static GtkWidget *scrolled(GtkWidget *box)
{
    GtkWidget *scroll = gtk_scrolled_window_new(NULL, NULL), *port = gtk_viewport_new(NULL, NULL);
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

/* What the action says of itself, and what it needs first. */
static void add_head(SfuDialog *d, GtkWidget *box)
{
    GtkWidget *strut = sfu_vbox(0); /* a size of the box itself would cut off what is wider */
    gtk_widget_set_size_request(strut, sfu_px(PANEL_PX), 0);
    gtk_box_pack_end(GTK_BOX(box), strut, FALSE, FALSE, 0);
    d->scope = sfu_label("");
    gtk_label_set_line_wrap(GTK_LABEL(d->scope), TRUE);
    gtk_box_pack_start(GTK_BOX(box), d->scope, FALSE, FALSE, 0);
    d->first = first_fields(d);
    gtk_box_pack_start(GTK_BOX(box), d->first, FALSE, FALSE, 0);
    add_words(d, box);
    d->note = sfu_label(NULL);
    gtk_label_set_line_wrap(GTK_LABEL(d->note), TRUE);
    gtk_widget_set_size_request(d->note, sfu_px(PANEL_PX), -1);
    gtk_widget_set_no_show_all(d->note, TRUE);
    gtk_box_pack_start(GTK_BOX(box), d->note, FALSE, FALSE, 0);
    d->get_model = gtk_button_new_with_mnemonic(d->request->action == SFU_ACTION_RESTORE ? _("Open Mo_del Folder")
                                                                                         : _("Get a Mo_del..."));
    gtk_widget_set_no_show_all(d->get_model, TRUE);
    g_signal_connect_swapped(d->get_model, "clicked", G_CALLBACK(sfu_dialog_get_model), d);
    gtk_box_pack_start(GTK_BOX(box), d->get_model, FALSE, FALSE, 0);
}

/* The model, the parameters and the seed; returns how many rows `advanced` has got. */
static int add_rows(SfuDialog *d, GtkWidget *grid, GtkWidget *advanced)
{
    const SfuParamSpec *const *rows = sfu_action_specs(d->request->action);
    int n = 0, n_advanced = 0;
    attach_row(grid, n++, _("_Model"), model_row(d));
    for (int i = 0; rows[i]; i++) {
        if (is_special(rows[i]->name) || is_first(rows[i]))
            continue;
        SfuField *f = add_field(d, rows[i]);
        sfu_field_attach(f, rows[i]->advanced ? advanced : grid, rows[i]->advanced ? n_advanced++ : n++);
        if (strcmp(rows[i]->name, "lora") == 0) {
            GtkWidget *add = sfu_list_button_new(f, sfu_models_adapters(d->settings));
            sfu_grid_attach(advanced, add, 1, n_advanced++, 1, FALSE);
            g_object_bind_property(f->box, "visible", add, "visible", G_BINDING_DEFAULT);
        }
        if (strcmp(rows[i]->name, "exclude") == 0)
            sfu_grid_attach(grid, exclude_button(d, f), 1, n++, 1, TRUE);
        if (strcmp(rows[i]->name, "whole_image") == 0)
            g_signal_connect(f->control, "toggled", G_CALLBACK(whole_image_toggled), d);
    }
    d->seed_box = seed_row(d);
    if (sfu_action_spec(d->request->action, "seed"))
        d->seed_label = attach_row(grid, n++, _("Seed"), d->seed_box);
    else
        g_object_ref_sink(d->seed_box); /* one pass of a network, without noise */
    return n_advanced;
}

GtkWidget *sfu_dialog_panel(SfuDialog *d)
{
    GtkWidget *box = sfu_vbox(10), *grid = sfu_grid(), *advanced = sfu_grid(),
              *expander = gtk_expander_new_with_mnemonic(_("Ad_vanced"));
    d->rows = grid;
    d->advanced = expander;
    add_head(d, box);
    const int n_advanced = add_rows(d, grid, advanced);
    gtk_box_pack_start(GTK_BOX(box), grid, FALSE, FALSE, 0);
    if (sfu_action_spec(d->request->action, "control")) {
        sfu_control_rows_init(&d->control, d->image, d->settings, rows_changed, d);
        gtk_box_pack_start(GTK_BOX(box), d->control.base.box, FALSE, FALSE, 0);
    }
    if (sfu_action_spec(d->request->action, "reference")) {
        sfu_reference_rows_init(&d->reference, d->image, d->settings, rows_changed, d);
        gtk_box_pack_start(GTK_BOX(box), d->reference.base.box, FALSE, FALSE, 0);
    }
    sfu_engine_fields_attach(&d->engine, advanced, n_advanced, d->settings);
    g_signal_connect(expander, "notify::expanded", G_CALLBACK(advanced_opened), d);
    sfu_expander_add(expander, advanced);
    gtk_widget_show_all(advanced);
    gtk_widget_set_no_show_all(advanced, TRUE);
    gtk_widget_hide(advanced); /* in GTK 3 Tab would go through what a closed expander holds */
    gtk_box_pack_start(GTK_BOX(box), expander, FALSE, FALSE, 0);

    return d->panel = scrolled(box);
}
