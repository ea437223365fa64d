/* Fields of the dialogs.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fields.h"

#include "host.h"
#include "models.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>

/* Rows whose least value means "automatic", and shows so. */
static gboolean has_auto(const SfuParamSpec *s)
{
    static const char *const names[] = {"steps", "feather", "padding", "context", "working_size", "tile", "clip_skip",
                                        "eta",   "width",   "height",  NULL};
    return g_strv_contains(names, s->name) && s->def == s->min;
}

static gboolean show_auto(GtkSpinButton *spin, gpointer data)
{
    const SfuParamSpec *s = data;
    if (gtk_spin_button_get_value(spin) > s->min)
        return FALSE;
    gtk_entry_set_text(GTK_ENTRY(spin), _("auto"));
    return TRUE;
}

static int read_auto(GtkSpinButton *spin, double *value, gpointer data)
{
    const SfuParamSpec *s = data;
    char *end = NULL;
    const char *text = gtk_entry_get_text(GTK_ENTRY(spin));
    g_strtod(text, &end);
    if (end != text)
        return FALSE; /* a number: GTK reads it itself */
    *value = s->min;
    return TRUE;
}

static void set_tooltip(const SfuField *f, const char *text)
{
    gtk_widget_set_tooltip_text(f->box, text);
    gtk_widget_set_tooltip_text(f->control, text);
    if (f->label)
        gtk_widget_set_tooltip_text(f->label, text);
}

static void add_number(SfuField *f, double def)
{
    const SfuParamSpec *s = f->spec;
    const gboolean is_float = s->type == SFU_PARAM_FLOAT, slider = is_float && s->max <= 1;
    const double step = !is_float ? 1 : s->max <= 1 ? 0.01 : s->max <= 2 ? 0.05 : 0.5;
    f->adjustment = sfu_adjustment(def, s->min, s->max, step, step * 10);
    f->control = gtk_spin_button_new(f->adjustment, step, is_float ? 2 : 0);
    gtk_entry_set_width_chars(GTK_ENTRY(f->control), 6);
    gtk_entry_set_activates_default(GTK_ENTRY(f->control), TRUE);
    if (has_auto(s)) {
        g_signal_connect(f->control, "output", G_CALLBACK(show_auto), (gpointer)s);
        g_signal_connect(f->control, "input", G_CALLBACK(read_auto), (gpointer)s);
    }
    f->box = sfu_hbox(6);
    if (slider) {
        GtkWidget *scale = sfu_hscale(f->adjustment);
        gtk_scale_set_draw_value(GTK_SCALE(scale), FALSE);
        sfu_name(scale, _(s->label));
        gtk_box_pack_start(GTK_BOX(f->box), scale, TRUE, TRUE, 0);
    }
    gtk_box_pack_start(GTK_BOX(f->box), f->control, FALSE, FALSE, 0);
    if (s->unit && *s->unit)
        gtk_box_pack_start(GTK_BOX(f->box), gtk_label_new(_(s->unit)), FALSE, FALSE, 0);
}

static gboolean is_exclude(const SfuParamSpec *s)
{
    return strcmp(s->name, "exclude") == 0;
}

/* "one; two=0.8" as ["one", "two=0.8"]; "": nothing. Caller frees. */
static char *list_as_json(const char *text)
{
    char **all = g_strsplit(text, ";", -1);
    JsonArray *a = json_array_new();
    for (int i = 0; all[i]; i++)
        if (*g_strstrip(all[i]))
            json_array_add_string_element(a, all[i]);
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    const gboolean any = json_array_get_length(a) > 0;
    json_node_take_array(node, a);
    char *json = any ? json_to_string(node, FALSE) : g_strdup("");
    json_node_unref(node);
    g_strfreev(all);
    return json;
}

static void on_changed(gpointer control, gpointer data)
{
    SfuField *f = data;
    f->given |= !f->showing;
}

SfuField *sfu_field_new(const SfuRequest *r, const SfuParamSpec *spec, GPtrArray *models)
{
    SfuField *f = g_new0(SfuField, 1);
    f->spec = spec;
    switch (spec->type) {
    case SFU_PARAM_BOOL:
        f->control = f->box = gtk_check_button_new_with_label(_(spec->label));
        sfu_readable_when_on(f->control);
        break;
    case SFU_PARAM_CHOICE:
        f->control = f->box = gtk_combo_box_text_new();
        for (int i = 0; spec->choices[i]; i++)
            gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(f->control), _(sfu_param_choice_label(spec, i)));
        break;
    case SFU_PARAM_STRING:
        if (is_exclude(spec)) {
            f->control = f->box = sfu_list_combo_new(_(spec->label));
            break;
        }
        f->control = f->box = gtk_entry_new();
        gtk_entry_set_width_chars(GTK_ENTRY(f->control), 12);
        break;
    case SFU_PARAM_FILE:
        f->control = f->box = spec->list ? gtk_entry_new() : sfu_part_combo_new(models, spec->name);
        break;
    default:
        add_number(f, sfu_action_default(r->action, spec));
    }
    if (spec->type != SFU_PARAM_BOOL) {
        f->label = sfu_label(_(spec->label));
        gtk_label_set_mnemonic_widget(GTK_LABEL(f->label), f->control);
        sfu_name(f->control, _(spec->label));
    }
    set_tooltip(f, _(spec->help));
    sfu_field_show(f, r);
    g_signal_connect(f->adjustment ? (gpointer)f->adjustment : (gpointer)f->control,
                     f->adjustment                  ? "value-changed"
                     : spec->type == SFU_PARAM_BOOL ? "toggled"
                                                    : "changed",
                     G_CALLBACK(on_changed), f);
    return f;
}

void sfu_field_attach(SfuField *f, GtkWidget *grid, int row)
{
    if (!f->label) {
        sfu_grid_attach(grid, f->box, 0, row, 2, TRUE);
        return;
    }
    sfu_grid_attach(grid, f->label, 0, row, 1, FALSE);
    sfu_grid_attach(grid, f->box, 1, row, 1, TRUE);
}

void sfu_field_get(SfuField *f, SfuRequest *r)
{
    char *path;
    double v;
    if (f->adjustment)
        gtk_spin_button_update(GTK_SPIN_BUTTON(f->control)); /* what is typed but not left yet */
    if (f->hidden || (!f->given && !f->suggested))
        return;
    switch (f->spec->type) {
    case SFU_PARAM_BOOL:
        sfu_request_set_double(r, f->spec->name, gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(f->control)), NULL);
        break;
    case SFU_PARAM_CHOICE:
        sfu_request_set_double(r, f->spec->name, MAX(0, gtk_combo_box_get_active(GTK_COMBO_BOX(f->control))), NULL);
        break;
    case SFU_PARAM_STRING:
        if (is_exclude(f->spec)) {
            path = sfu_model_combo_get(f->control);
            sfu_request_set(r, f->spec->name, path, NULL);
            g_free(path);
            break;
        }
        if (f->spec->list) {
            path = list_as_json(gtk_entry_get_text(GTK_ENTRY(f->control)));
            sfu_request_set(r, f->spec->name, path, NULL);
            g_free(path);
            break;
        }
        sfu_request_set(r, f->spec->name, gtk_entry_get_text(GTK_ENTRY(f->control)), NULL);
        break;
    case SFU_PARAM_FILE:
        path =
            f->spec->list ? list_as_json(gtk_entry_get_text(GTK_ENTRY(f->control))) : sfu_model_combo_get(f->control);
        sfu_request_set(r, f->spec->name, path, NULL);
        g_free(path);
        break;
    default:
        v = gtk_adjustment_get_value(f->adjustment);
        sfu_request_set_double(r, f->spec->name, f->spec->type == SFU_PARAM_INT ? rint(v) : rint(v * 1e4) / 1e4, NULL);
    }
}

static void show_list(const SfuField *f, const SfuRequest *r)
{
    char *joined = g_strjoinv("; ", (char **)sfu_params_list(r->params, sfu_param_of(f->spec)));
    gtk_entry_set_text(GTK_ENTRY(f->control), joined);
    g_free(joined);
}

void sfu_field_show(SfuField *f, const SfuRequest *r)
{
    const double v = sfu_request_get_double(r, f->spec->name);
    f->given = sfu_request_given(r, f->spec->name);
    f->suggested = FALSE;
    f->showing = TRUE;
    switch (f->spec->type) {
    case SFU_PARAM_BOOL:
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(f->control), v != 0);
        break;
    case SFU_PARAM_CHOICE:
        gtk_combo_box_set_active(GTK_COMBO_BOX(f->control), v);
        break;
    case SFU_PARAM_STRING:
        if (is_exclude(f->spec)) {
            sfu_model_combo_set(f->control, sfu_request_get_string(r, f->spec->name));
            break;
        }
        if (f->spec->list) {
            show_list(f, r);
            break;
        }
        gtk_entry_set_text(GTK_ENTRY(f->control), sfu_request_get_string(r, f->spec->name));
        break;
    case SFU_PARAM_FILE:
        if (f->spec->list)
            show_list(f, r);
        else
            sfu_model_combo_set(f->control, sfu_request_get_string(r, f->spec->name));
        break;
    default:
        gtk_adjustment_set_value(f->adjustment, v);
    }
    f->showing = FALSE;
}

void sfu_field_suggest(SfuField *f, double value, gboolean model)
{
    f->suggested = model && !f->given && f->adjustment;
    if (f->given || !f->adjustment)
        return;
    f->showing = TRUE;
    gtk_adjustment_set_value(f->adjustment, value);
    f->showing = FALSE;
}

void sfu_field_set_visible(SfuField *f, gboolean on)
{
    f->hidden = !on;
    gtk_widget_set_visible(f->box, on);
    sfu_grid_row_visible(f->box, on);
    if (f->label)
        gtk_widget_set_visible(f->label, on);
}

void sfu_field_enable(const SfuField *f, gboolean on, const char *reason)
{
    gtk_widget_set_sensitive(f->box, on);
    if (f->label)
        gtk_widget_set_sensitive(f->label, on);
    set_tooltip(f, on ? _(f->spec->help) : reason);
}

/* ---- text with history
 * ----------------------------------------------------------------------------------------------- */

static void use_old(GtkMenuItem *item, gpointer data)
{
    gtk_text_buffer_set_text(data, g_object_get_data(G_OBJECT(item), "text"), -1);
}

static void show_history(GtkWidget *button, gpointer data)
{
    GtkTextBuffer *text = data;
    SfuSettings *settings = g_object_get_data(G_OBJECT(text), "settings");
    char **old = sfu_settings_history(settings, g_object_get_data(G_OBJECT(text), "which"));
    GtkWidget *menu = gtk_menu_new();
    for (int i = 0; old[i] && i < 20; i++) {
        char *head = g_utf8_strlen(old[i], -1) > 60 ? g_utf8_substring(old[i], 0, 59) : g_strdup(old[i]);
        char *words = g_strconcat(head, strlen(head) < strlen(old[i]) ? "…" : "", NULL);
        GtkWidget *item = gtk_menu_item_new_with_label(g_strdelimit(words, "\n", ' '));
        g_object_set_data_full(G_OBJECT(item), "text", g_strdup(old[i]), g_free);
        g_signal_connect(item, "activate", G_CALLBACK(use_old), text);
        gtk_menu_shell_append(GTK_MENU_SHELL(menu), item);
        g_free(head);
        g_free(words);
    }
    if (!old[0]) {
        GtkWidget *item = gtk_menu_item_new_with_label(_("Nothing yet"));
        gtk_widget_set_sensitive(item, FALSE);
        gtk_menu_shell_append(GTK_MENU_SHELL(menu), item);
    }
    g_strfreev(old);
    gtk_widget_show_all(menu);
    gtk_menu_attach_to_widget(GTK_MENU(menu), button, NULL); /* destroyed with it */
    sfu_menu_popup(menu, button);
}

void sfu_text_field_init(SfuTextField *t, const char *label, const char *help, int n_lines, SfuSettings *settings,
                         const char *which)
{
    GtkWidget *head = sfu_hbox(6), *words = sfu_label(label), *frame = gtk_scrolled_window_new(NULL, NULL);
    t->view = gtk_text_view_new();
    t->text = gtk_text_view_get_buffer(GTK_TEXT_VIEW(t->view));
    t->history = sfu_icon_button("document-open-recent", _("Earlier texts"));
    gtk_button_set_relief(GTK_BUTTON(t->history), GTK_RELIEF_NONE);
    g_object_set_data(G_OBJECT(t->text), "settings", settings);
    g_object_set_data(G_OBJECT(t->text), "which", (gpointer)which);
    g_signal_connect(t->history, "clicked", G_CALLBACK(show_history), t->text);
    gtk_label_set_mnemonic_widget(GTK_LABEL(words), t->view);
    gtk_text_view_set_wrap_mode(GTK_TEXT_VIEW(t->view), GTK_WRAP_WORD_CHAR);
    gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(t->view), FALSE);
    gtk_text_view_set_left_margin(GTK_TEXT_VIEW(t->view), 4);
    gtk_text_view_set_right_margin(GTK_TEXT_VIEW(t->view), 4);
    gtk_widget_set_tooltip_text(t->view, help);
    sfu_name(t->view, label);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(frame), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(frame), GTK_SHADOW_IN);
    PangoLayout *line = gtk_widget_create_pango_layout(t->view, "Ag");
    int height = 16;
    pango_layout_get_pixel_size(line, NULL, &height);
    g_object_unref(line);
    gtk_widget_set_size_request(frame, sfu_px(280), n_lines * height + 10);
    gtk_container_add(GTK_CONTAINER(frame), t->view);
    gtk_box_pack_start(GTK_BOX(head), words, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(head), t->history, FALSE, FALSE, 0);
    t->box = sfu_vbox(2);
    gtk_box_pack_start(GTK_BOX(t->box), head, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(t->box), frame, TRUE, TRUE, 0);
}

char *sfu_text_field_get(const SfuTextField *t)
{
    GtkTextIter a, b;
    gtk_text_buffer_get_bounds(t->text, &a, &b);
    char *text = gtk_text_buffer_get_text(t->text, &a, &b, FALSE);
    return g_strstrip(text);
}

/* ---- models
 * ----------------------------------------------------------------------------------------------------------- */

enum { MODEL_NAME, MODEL_PATH, MODEL_USABLE, N_MODEL_COLUMNS };

char *sfu_tasks_in_words(guint tasks)
{
    static const char *const words[SFU_N_TASKS] = {N_("generate"), N_("refine"), N_("fill"),
                                                   N_("expand"),   N_("edit"),   N_("enlarge")};
    GString *s = g_string_new(NULL);
    for (int t = 0; t < SFU_N_TASKS; t++)
        if (tasks & (1u << t))
            g_string_append_printf(s, "%s%s", s->len ? ", " : "", _(words[t]));
    return g_string_free(s, FALSE);
}

void sfu_model_combo_fill(GtkWidget *combo, GPtrArray *models, SfuAction action, const char *automatic)
{
    char *chosen = sfu_model_combo_get(combo);
    GtkListStore *list = GTK_LIST_STORE(gtk_combo_box_get_model(GTK_COMBO_BOX(combo)));
    gtk_list_store_clear(list);
    gtk_list_store_insert_with_values(list, NULL, -1, MODEL_NAME, automatic, MODEL_PATH, "", MODEL_USABLE, TRUE, -1);
    for (int usable = 1; usable >= 0; usable--) {
        for (guint i = 0; i < models->len; i++) {
            const SfuModelInfo *m = models->pdata[i];
            const gboolean can = sfu_model_can(m, action);
            if (can != usable || m->part) /* parts have rows of their own */
                continue;
            char *does = sfu_tasks_in_words(m->tasks);
            char *name = can        ? g_strdup(m->title)
                         : m->error ? g_strdup_printf(_("%s (cannot be used)"), m->title)
                         : m->tasks ? g_strdup_printf(_("%s (only for: %s)"), m->title, does)
                                    : g_strdup_printf(_("%s (not used by Sfumato)"), m->title);
            gtk_list_store_insert_with_values(list, NULL, -1, MODEL_NAME, name, MODEL_PATH, m->path, MODEL_USABLE, can,
                                              -1);
            g_free(name);
            g_free(does);
        }
    }
    sfu_model_combo_set(combo, chosen);
    g_free(chosen);
}

GtkWidget *sfu_list_combo_new(const char *name)
{
    GtkListStore *list = gtk_list_store_new(N_MODEL_COLUMNS, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_BOOLEAN);
    GtkWidget *combo = gtk_combo_box_new_with_model(GTK_TREE_MODEL(list));
    GtkCellRenderer *cell = gtk_cell_renderer_text_new();
    g_object_set(cell, "ellipsize", PANGO_ELLIPSIZE_MIDDLE, "width-chars", 24, NULL);
    gtk_cell_layout_pack_start(GTK_CELL_LAYOUT(combo), cell, TRUE);
    gtk_cell_layout_set_attributes(GTK_CELL_LAYOUT(combo), cell, "text", MODEL_NAME, "sensitive", MODEL_USABLE, NULL);
    sfu_name(combo, name);
    g_object_unref(list);
    return combo;
}

GtkWidget *sfu_model_combo_new(GPtrArray *models, SfuAction action, const char *automatic)
{
    GtkWidget *combo = sfu_list_combo_new(_("Model"));
    sfu_model_combo_fill(combo, models, action, automatic);
    return combo;
}

void sfu_model_combo_set(GtkWidget *combo, const char *path)
{
    GtkTreeModel *list = gtk_combo_box_get_model(GTK_COMBO_BOX(combo));
    GtkTreeIter iter;
    for (gboolean more = gtk_tree_model_get_iter_first(list, &iter); more;
         more = gtk_tree_model_iter_next(list, &iter)) {
        char *p = NULL;
        gtk_tree_model_get(list, &iter, MODEL_PATH, &p, -1);
        const gboolean same = strcmp(p, path ? path : "") == 0;
        g_free(p);
        if (same) {
            gtk_combo_box_set_active_iter(GTK_COMBO_BOX(combo), &iter);
            return;
        }
    }
    char *name = g_path_get_basename(path);
    gtk_list_store_insert_with_values(GTK_LIST_STORE(list), &iter, -1, MODEL_NAME, name, MODEL_PATH, path, MODEL_USABLE,
                                      TRUE, -1);
    gtk_combo_box_set_active_iter(GTK_COMBO_BOX(combo), &iter);
    g_free(name);
}

char *sfu_model_combo_get(GtkWidget *combo)
{
    GtkTreeIter iter;
    char *path = NULL;
    if (gtk_combo_box_get_active_iter(GTK_COMBO_BOX(combo), &iter))
        gtk_tree_model_get(gtk_combo_box_get_model(GTK_COMBO_BOX(combo)), &iter, MODEL_PATH, &path, -1);
    return path ? path : g_strdup("");
}

/* ---- parts of models
 * ---------------------------------------------------------------------------------------------------- */

#define CHOOSE "\1" /* the path of the row that opens a file dialog */

void sfu_part_combo_fill(GtkWidget *combo, GPtrArray *models, const char *part)
{
    char *chosen = sfu_model_combo_get(combo);
    GtkListStore *list = GTK_LIST_STORE(gtk_combo_box_get_model(GTK_COMBO_BOX(combo)));
    gtk_list_store_clear(list);
    gtk_list_store_insert_with_values(list, NULL, -1, MODEL_NAME, _("The model's own"), MODEL_PATH, "", MODEL_USABLE,
                                      TRUE, -1);
    for (guint i = 0; i < models->len; i++) {
        const SfuModelInfo *m = models->pdata[i];
        if (g_strcmp0(m->part, part) == 0)
            gtk_list_store_insert_with_values(list, NULL, -1, MODEL_NAME, m->title, MODEL_PATH, m->path, MODEL_USABLE,
                                              TRUE, -1);
    }
    gtk_list_store_insert_with_values(list, NULL, -1, MODEL_NAME, _("Choose a file..."), MODEL_PATH, CHOOSE,
                                      MODEL_USABLE, TRUE, -1);
    sfu_model_combo_set(combo, chosen);
    g_free(chosen);
}

static void part_chosen(GtkComboBox *combo, gpointer data)
{
    char *path = sfu_model_combo_get(GTK_WIDGET(combo));
    if (strcmp(path, CHOOSE) != 0) {
        g_object_set_data_full(G_OBJECT(combo), "before", path, g_free); /* to go back to */
        return;
    }
    g_free(path);
    GtkWidget *chooser = gtk_file_chooser_dialog_new(
        _("Choose a file"), GTK_WINDOW(gtk_widget_get_toplevel(GTK_WIDGET(combo))), GTK_FILE_CHOOSER_ACTION_OPEN,
        _("_Cancel"), GTK_RESPONSE_CANCEL, _("_Open"), GTK_RESPONSE_OK, NULL);
    const char *before = g_object_get_data(G_OBJECT(combo), "before");
    if (before && *before)
        gtk_file_chooser_set_filename(GTK_FILE_CHOOSER(chooser), before);
    char *file = gtk_dialog_run(GTK_DIALOG(chooser)) == GTK_RESPONSE_OK
                     ? gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(chooser))
                     : NULL;
    gtk_widget_destroy(chooser);
    char *to = file ? file : g_strdup(before ? before : "");
    sfu_model_combo_set(GTK_WIDGET(combo), to);
    g_free(to);
}

GtkWidget *sfu_part_combo_new(GPtrArray *models, const char *part)
{
    GtkWidget *combo = sfu_list_combo_new(_(sfu_param_find(part)->label));
    sfu_part_combo_fill(combo, models, part);
    g_signal_connect(combo, "changed", G_CALLBACK(part_chosen), NULL);
    return combo;
}

/* ---- excluded areas
 * ----------------------------------------------------------------------------------------------------- */

void sfu_list_combo_add(GtkWidget *combo, const char *name, const char *value)
{
    gtk_list_store_insert_with_values(GTK_LIST_STORE(gtk_combo_box_get_model(GTK_COMBO_BOX(combo))), NULL, -1,
                                      MODEL_NAME, name, MODEL_PATH, value, MODEL_USABLE, TRUE, -1);
}

void sfu_list_combo_clear(GtkWidget *combo)
{
    gtk_list_store_clear(GTK_LIST_STORE(gtk_combo_box_get_model(GTK_COMBO_BOX(combo))));
}

void sfu_exclude_combo_fill(GtkWidget *combo, int image)
{
    char *chosen = sfu_model_combo_get(combo), **names = sfu_host_channels(image);
    const gboolean kept = g_strv_contains((const char *const *)names, SFU_EXCLUDE_CHANNEL);
    sfu_list_combo_clear(combo);
    sfu_list_combo_add(combo, kept ? _("The kept area") : _("Nothing"), "");
    if (kept)
        sfu_list_combo_add(combo, _("Nothing"), SFU_EXCLUDE_NOTHING);
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], SFU_EXCLUDE_CHANNEL) != 0)
            sfu_list_combo_add(combo, names[i], names[i]);
    sfu_model_combo_set(combo, strcmp(chosen, SFU_EXCLUDE_NOTHING) == 0 && !kept ? "" : chosen);
    g_strfreev(names);
    g_free(chosen);
}

/* ---- layers and weights ---- */

void sfu_layer_combo_fill(GtkWidget *combo, int image, const char *first)
{
    char *chosen = sfu_model_combo_get(combo);
    GArray *layers = sfu_host_pixel_layers(image);
    sfu_list_combo_clear(combo);
    if (first)
        sfu_list_combo_add(combo, first, "");
    for (guint i = 0; i < layers->len; i++) {
        char *name = sfu_host_layer_name(g_array_index(layers, int, i));
        sfu_list_combo_add(combo, name, name);
        g_free(name);
    }
    if (first || *chosen)
        sfu_model_combo_set(combo, chosen);
    g_array_unref(layers);
    g_free(chosen);
}

GtkWidget *sfu_share_new(GtkAdjustment **a, const char *name, double value, double max, const char *tooltip)
{
    *a = sfu_adjustment(value, 0, max, 0.05, 0.1);
    GtkWidget *spin = gtk_spin_button_new(*a, 0.05, 2);
    gtk_entry_set_width_chars(GTK_ENTRY(spin), 5);
    gtk_entry_set_activates_default(GTK_ENTRY(spin), TRUE);
    gtk_widget_set_tooltip_text(spin, tooltip);
    sfu_name(spin, name);
    return spin;
}

GtkWidget *sfu_weight_box(GtkAdjustment **a, const char *tooltip)
{
    GtkWidget *box = sfu_hbox(6), *spin = sfu_share_new(a, _("Weight"), 1, 2, tooltip), *scale = sfu_hscale(*a);
    gtk_scale_set_draw_value(GTK_SCALE(scale), FALSE);
    sfu_name(scale, _("Weight"));
    gtk_box_pack_start(GTK_BOX(box), scale, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), spin, FALSE, FALSE, 0);
    return box;
}

/* ---- lists
 * ------------------------------------------------------------------------------------------------------------- */

static void append(GtkEntry *entry, const char *path)
{
    const char *old = gtk_entry_get_text(entry);
    char *text = *old ? g_strdup_printf("%s; %s", old, path) : g_strdup(path);
    gtk_entry_set_text(entry, text);
    g_free(text);
}

static void add_choice_clicked(GtkMenuItem *item, gpointer entry)
{
    append(entry, g_object_get_data(G_OBJECT(item), "path"));
}

static void add_file_clicked(GtkMenuItem *item, gpointer entry)
{
    GtkWidget *chooser = gtk_file_chooser_dialog_new(_("Choose a file"), GTK_WINDOW(gtk_widget_get_toplevel(entry)),
                                                     GTK_FILE_CHOOSER_ACTION_OPEN, _("_Cancel"), GTK_RESPONSE_CANCEL,
                                                     _("_Open"), GTK_RESPONSE_OK, NULL);
    if (gtk_dialog_run(GTK_DIALOG(chooser)) == GTK_RESPONSE_OK) {
        char *file = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(chooser)); /* NULL: the place has no local path */
        if (file)
            append(entry, file);
        g_free(file);
    }
    gtk_widget_destroy(chooser);
}

static void show_choices(GtkWidget *button, gpointer entry)
{
    char **choices = g_object_get_data(G_OBJECT(button), "choices");
    GtkWidget *menu = gtk_menu_new(), *file = gtk_menu_item_new_with_label(_("Choose a file..."));
    for (int i = 0; choices[i]; i++) {
        char *name = g_path_get_basename(choices[i]);
        GtkWidget *item = gtk_menu_item_new_with_label(name);
        g_object_set_data_full(G_OBJECT(item), "path", g_strdup(choices[i]), g_free);
        g_signal_connect(item, "activate", G_CALLBACK(add_choice_clicked), entry);
        gtk_menu_shell_append(GTK_MENU_SHELL(menu), item);
        g_free(name);
    }
    g_signal_connect(file, "activate", G_CALLBACK(add_file_clicked), entry);
    gtk_menu_shell_append(GTK_MENU_SHELL(menu), file);
    gtk_widget_show_all(menu);
    gtk_menu_attach_to_widget(GTK_MENU(menu), button, NULL); /* destroyed with it */
    sfu_menu_popup(menu, button);
}

GtkWidget *sfu_list_button_new(const SfuField *f, char **choices)
{
    GtkWidget *b = gtk_button_new_with_label(_("Add..."));
    g_object_set_data_full(G_OBJECT(b), "choices", choices, (GDestroyNotify)g_strfreev);
    g_signal_connect(b, "clicked", G_CALLBACK(show_choices), f->control);
    gtk_widget_set_tooltip_text(b, _("Separate several with semicolons; =0.8 after one is its weight"));
    return b;
}
