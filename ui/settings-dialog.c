/* Models and settings: folders that are searched, what was found there, defaults, device and memory.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "dialog-private.h"
#include "models-page.h"
#include "ui.h"

enum { COLUMN_NAME, COLUMN_FAMILY, COLUMN_SIZE, COLUMN_DOES, COLUMN_PATH, N_COLUMNS };

typedef struct {
    SfuSettings *settings;
    GtkListStore *folders, *models;
    GtkWidget *window, *folder_view, *defaults[SFU_N_ACTIONS], *count, *error;
    GPtrArray *found; /* empty until they are */
    SfuBackground *looking;
    GtkWidget *searched, *book;
    GPtrArray *monitors; /* GFileMonitor*: of the folders that are searched */
    guint rescan;        /* timer; 0: none */
    SfuModelsPage *page;
    SfuEngineFields engine;
} Settings;

static char **folders_of(Settings *s)
{
    GPtrArray *a = g_ptr_array_new();
    GtkTreeIter iter;
    GtkTreeModel *m = GTK_TREE_MODEL(s->folders);
    for (gboolean more = gtk_tree_model_get_iter_first(m, &iter); more; more = gtk_tree_model_iter_next(m, &iter)) {
        char *path = NULL;
        gtk_tree_model_get(m, &iter, 0, &path, -1);
        g_ptr_array_add(a, path);
    }
    g_ptr_array_add(a, NULL);
    return (char **)g_ptr_array_free(a, FALSE);
}

static void found(GPtrArray *models, gpointer data)
{
    Settings *s = data;
    g_ptr_array_unref(s->found);
    s->found = models;
    s->looking = NULL;
    gtk_list_store_clear(s->models);
    for (guint i = 0; i < s->found->len; i++) {
        const SfuModelInfo *m = s->found->pdata[i];
        char *size = g_format_size(m->file_bytes), *does = m->error  ? g_strdup(m->error)
                                                           : m->part ? g_strdup(_(sfu_param_find(m->part)->help))
                                                                     : sfu_tasks_in_words(m->tasks);
        char *more = m->scale ? g_strdup_printf("%s x%d", does, m->scale) : g_strdup(does);
        gtk_list_store_insert_with_values(s->models, NULL, -1, COLUMN_NAME, m->title, COLUMN_FAMILY, m->family,
                                          COLUMN_SIZE, size, COLUMN_DOES, more, COLUMN_PATH, m->path, -1);
        g_free(size);
        g_free(does);
        g_free(more);
    }
    char *text = g_strdup_printf(g_dngettext(GETTEXT_PACKAGE, "%u model found", "%u models found", s->found->len),
                                 s->found->len);
    gtk_label_set_text(GTK_LABEL(s->count), text);
    g_free(text);
    for (int i = 0; i < SFU_N_ACTIONS; i++)
        if (s->defaults[i])
            sfu_model_combo_fill(s->defaults[i], s->found, i, _("Automatic"));
}

static void find_models(Settings *s);

static gboolean rescan(gpointer data)
{
    Settings *s = data;
    s->rescan = 0;
    find_models(s);
    return G_SOURCE_REMOVE;
}

/* A file that is being written tells so many times. */
static void folder_changed(GFileMonitor *m, GFile *file, GFile *other, GFileMonitorEvent event, gpointer data)
{
    Settings *s = data;
    if (s->rescan)
        g_source_remove(s->rescan);
    s->rescan = g_timeout_add(1500, rescan, s);
}

/* The folders, and the folders in them: models lie no deeper but for diffusers' own parts. */
static void watch_folder(Settings *s, const char *folder, int depth)
{
    GFile *file = g_file_new_for_path(folder);
    GFileMonitor *m = s->monitors->len < 100 && g_file_test(folder, G_FILE_TEST_IS_DIR)
                          ? g_file_monitor_directory(file, G_FILE_MONITOR_NONE, NULL, NULL)
                          : NULL;
    g_object_unref(file);
    if (!m)
        return;
    g_signal_connect(m, "changed", G_CALLBACK(folder_changed), s);
    g_ptr_array_add(s->monitors, m);
    GDir *dir = depth > 0 ? g_dir_open(folder, 0, NULL) : NULL;
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        char *child = g_build_filename(folder, name, NULL);
        watch_folder(s, child, depth - 1);
        g_free(child);
    }
    if (dir)
        g_dir_close(dir);
}

/* Looks through all folders again, in a thread; then the lists are filled. */
static void find_models(Settings *s)
{
    char **extra = folders_of(s), **all = sfu_models_folders((const char *const *)extra);
    GString *there = g_string_new(NULL);
    g_ptr_array_set_size(s->monitors, 0);
    for (int i = 0; all[i]; i++) {
        watch_folder(s, all[i], 1);
        if (g_file_test(all[i], G_FILE_TEST_IS_DIR))
            g_string_append_printf(there, "%s%s", there->len ? ", " : "", all[i]);
    }
    sfu_background_cancel(s->looking);
    s->looking = sfu_models_look((const char *const *)extra, found, s);
    gtk_label_set_text(GTK_LABEL(s->count), _("Looking for models"));
    char *text = g_strdup_printf(_("Searched: %s"), there->str);
    gtk_label_set_text(GTK_LABEL(s->searched), text);
    gtk_widget_set_tooltip_text(s->searched, text);
    g_free(text);
    g_string_free(there, TRUE);
    g_strfreev(all);
    g_strfreev(extra);
}

static void models_changed(gpointer data)
{
    find_models(data);
}

/* The folder that downloads go to and where people put their own files. */
void sfu_ui_open_models_folder(GtkWidget *window)
{
    char **all = sfu_models_folders(NULL), *uri;
    g_mkdir_with_parents(all[0], 0755);
    uri = g_filename_to_uri(all[0], NULL, NULL);
    if (uri)
        sfu_show_uri(window, uri);
    g_free(uri);
    g_strfreev(all);
}

static void open_folder(GtkWidget *button, gpointer data)
{
    sfu_ui_open_models_folder(((Settings *)data)->window);
}

static void add_folder(GtkWidget *button, gpointer data)
{
    Settings *s = data;
    GtkWidget *chooser = gtk_file_chooser_dialog_new(_("Folder with models"), GTK_WINDOW(s->window),
                                                     GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Cancel"),
                                                     GTK_RESPONSE_CANCEL, _("_Add"), GTK_RESPONSE_OK, NULL);
    if (gtk_dialog_run(GTK_DIALOG(chooser)) == GTK_RESPONSE_OK) {
        char *path = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(chooser));
        if (path) /* NULL: the place has no local path */
            gtk_list_store_insert_with_values(s->folders, NULL, -1, 0, path, -1);
        g_free(path);
        find_models(s);
    }
    gtk_widget_destroy(chooser);
}

static void remove_folder(GtkWidget *button, gpointer data)
{
    Settings *s = data;
    GtkTreeIter iter;
    if (gtk_tree_selection_get_selected(gtk_tree_view_get_selection(GTK_TREE_VIEW(s->folder_view)), NULL, &iter)) {
        gtk_list_store_remove(s->folders, &iter);
        find_models(s);
    }
}

static GtkWidget *framed(const char *title, GtkWidget *child, gboolean expand, GtkWidget *into)
{
    GtkWidget *box = sfu_vbox(6), *label = gtk_label_new(NULL);
    char *bold = g_markup_printf_escaped("<b>%s</b>", title);
    gtk_label_set_markup(GTK_LABEL(label), bold);
    sfu_align_left(label);
    g_free(bold);
    gtk_box_pack_start(GTK_BOX(box), label, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), child, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(into), box, expand, TRUE, 0);
    return box;
}

static GtkWidget *scrolled(GtkWidget *view, int height)
{
    GtkWidget *w = gtk_scrolled_window_new(NULL, NULL);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(w), GTK_POLICY_AUTOMATIC, GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(w), GTK_SHADOW_IN);
    gtk_widget_set_size_request(w, sfu_px(300), sfu_px(height));
    gtk_container_add(GTK_CONTAINER(w), view);
    return w;
}

static void add_column(GtkWidget *view, const char *title, int column, gboolean expand)
{
    GtkCellRenderer *cell = gtk_cell_renderer_text_new();
    GtkTreeViewColumn *c = gtk_tree_view_column_new_with_attributes(title, cell, "text", column, NULL);
    if (column == COLUMN_DOES) /* why a model cannot be used is a sentence, to be read whole */
        g_object_set(cell, "wrap-mode", PANGO_WRAP_WORD_CHAR, "wrap-width", sfu_px(270), NULL);
    else if (expand)
        g_object_set(cell, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
    gtk_tree_view_column_set_expand(c, expand);
    gtk_tree_view_column_set_resizable(c, TRUE);
    gtk_tree_view_column_set_sort_column_id(c, column == COLUMN_SIZE ? -1 : column);
    gtk_tree_view_append_column(GTK_TREE_VIEW(view), c);
}

static GtkWidget *folders_part(Settings *s)
{
    GtkWidget *row = sfu_hbox(6), *buttons = sfu_vbox(6), *add = gtk_button_new_with_mnemonic(_("_Add..."));
    GtkWidget *remove = gtk_button_new_with_mnemonic(_("_Remove")),
              *open = gtk_button_new_with_mnemonic(_("_Open Folder"));
    gtk_widget_set_tooltip_text(open, _("Shows the folder that downloads go to; put your own models there"));
    s->folders = gtk_list_store_new(1, G_TYPE_STRING);
    s->folder_view = gtk_tree_view_new_with_model(GTK_TREE_MODEL(s->folders));
    gtk_tree_view_set_headers_visible(GTK_TREE_VIEW(s->folder_view), FALSE);
    add_column(s->folder_view, "", 0, TRUE);
    sfu_name(s->folder_view, _("Extra model folders"));
    gtk_widget_set_tooltip_text(
        s->folder_view,
        _("For instance ComfyUI's models/checkpoints or A1111's models/Stable-diffusion: nothing needs to be "
          "downloaded twice. Sfumato's own folders are always searched."));
    char **extra = sfu_settings_folders(s->settings);
    for (int i = 0; extra[i]; i++)
        gtk_list_store_insert_with_values(s->folders, NULL, -1, 0, extra[i], -1);
    g_strfreev(extra);
    g_signal_connect(add, "clicked", G_CALLBACK(add_folder), s);
    g_signal_connect(remove, "clicked", G_CALLBACK(remove_folder), s);
    g_signal_connect(open, "clicked", G_CALLBACK(open_folder), s);
    gtk_box_pack_start(GTK_BOX(buttons), add, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(buttons), remove, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(buttons), open, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(row), scrolled(s->folder_view, 80), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(row), buttons, FALSE, FALSE, 0);
    g_object_unref(s->folders);
    return row;
}

static GtkWidget *models_part(Settings *s)
{
    GtkWidget *box = sfu_vbox(4);
    s->models =
        gtk_list_store_new(N_COLUMNS, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING);
    GtkWidget *view = gtk_tree_view_new_with_model(GTK_TREE_MODEL(s->models));
    add_column(view, _("Name"), COLUMN_NAME, TRUE);
    add_column(view, _("Family"), COLUMN_FAMILY, TRUE);
    add_column(view, _("Size"), COLUMN_SIZE, FALSE);
    add_column(view, _("Can do"), COLUMN_DOES, TRUE);
    gtk_tree_view_set_tooltip_column(GTK_TREE_VIEW(view), COLUMN_PATH);
    sfu_name(view, _("Models"));
    s->count = sfu_label("");
    s->searched = sfu_label("");
    gtk_label_set_ellipsize(GTK_LABEL(s->searched), PANGO_ELLIPSIZE_END);
    gtk_box_pack_start(GTK_BOX(box), scrolled(view, 170), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), s->count, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), s->searched, FALSE, FALSE, 0);
    g_object_unref(s->models);
    return box;
}

static void attach(GtkWidget *grid, int column, int row, const char *label, GtkWidget *control)
{
    GtkWidget *l = sfu_label(label);
    gtk_label_set_mnemonic_widget(GTK_LABEL(l), control);
    sfu_name(control, label);
    sfu_grid_attach(grid, l, column, row, 1, FALSE);
    sfu_grid_attach(grid, control, column + 1, row, 1, TRUE);
}

static GtkWidget *defaults_part(Settings *s)
{
    GtkWidget *grid = sfu_grid();
    for (int i = 0; i < SFU_N_ACTIONS; i++) {
        const SfuActionInfo *a = sfu_action_info(i);
        char *key = g_strconcat("model-", a->name, NULL), *path = sfu_settings_get(s->settings, key);
        s->defaults[i] = sfu_model_combo_new(s->found, i, _("Automatic"));
        sfu_model_combo_set(s->defaults[i], path ? path : "");
        attach(grid, i % 2 * 2, i / 2, _(a->title), s->defaults[i]);
        g_free(path);
        g_free(key);
    }
    return grid;
}

static GtkWidget *device_part(Settings *s)
{
    GtkWidget *grid = sfu_grid();
    sfu_engine_fields_attach(&s->engine, grid, 0, s->settings);
    sfu_engine_fields_list_devices(&s->engine, s->settings);
    return grid;
}

static gboolean save(Settings *s, GError **error)
{
    char **folders = folders_of(s);
    sfu_settings_set_folders(s->settings, (const char *const *)folders);
    g_strfreev(folders);
    for (int i = 0; i < SFU_N_ACTIONS; i++) {
        char *key = g_strconcat("model-", sfu_action_info(i)->name, NULL), *path = sfu_model_combo_get(s->defaults[i]);
        sfu_settings_set(s->settings, key, path);
        g_free(path);
        g_free(key);
    }
    sfu_engine_fields_store(&s->engine, s->settings);
    return sfu_settings_save(s->settings, error);
}

gboolean sfu_ui_settings(SfuSettings *settings)
{
    return sfu_ui_settings_above(settings, NULL, SFU_SETTINGS_MODELS, -1);
}

static GtkWidget *page(GtkWidget *book, const char *title)
{
    GtkWidget *box = sfu_vbox(12), *label = gtk_label_new(NULL);
    gtk_container_set_border_width(GTK_CONTAINER(box), 12);
    gtk_label_set_text_with_mnemonic(GTK_LABEL(label), title);
    sfu_readable_label(label);
    gtk_notebook_append_page(GTK_NOTEBOOK(book), box, label);
    return box;
}

static void build(Settings *s)
{
    GtkWidget *book = gtk_notebook_new(), *label = gtk_label_new(NULL);
    GtkWidget *models = page(book, _("_Models"));
    framed(_("Models"), models_part(s), TRUE, models);
    framed(_("Extra model folders"), folders_part(s), FALSE, models);
    s->page = sfu_models_page_new(s->settings, models_changed, s);
    gtk_label_set_text_with_mnemonic(GTK_LABEL(label), _("_Get Models"));
    sfu_readable_label(label);
    gtk_notebook_append_page(GTK_NOTEBOOK(book), sfu_models_page_widget(s->page), label);
    GtkWidget *other = page(book, _("_Defaults and Device"));
    framed(_("Default models"), defaults_part(s), FALSE, other);
    framed(_("Device"), device_part(s), FALSE, other);
    find_models(s);
    s->error = sfu_label("");
    gtk_label_set_line_wrap(GTK_LABEL(s->error), TRUE);
    GtkWidget *area = gtk_dialog_get_content_area(GTK_DIALOG(s->window));
    gtk_box_pack_start(GTK_BOX(area), book, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(area), s->error, FALSE, FALSE, 0);
    s->book = book;
}

gboolean sfu_ui_settings_above(SfuSettings *settings, GtkWindow *dialog, SfuSettingsPage first, int task)
{
    Settings s = {
        .settings = settings, .found = g_ptr_array_new(), .monitors = g_ptr_array_new_with_free_func(g_object_unref)};
    int width, height;
    sfu_host_ui_init();
    s.window = sfu_host_dialog_new(_("Sfumato: Models and Settings"), "settings");
    if (dialog)
        gtk_window_set_transient_for(GTK_WINDOW(s.window), dialog);
    gtk_dialog_add_buttons(GTK_DIALOG(s.window), _("_Cancel"), GTK_RESPONSE_CANCEL, _("_Save"), GTK_RESPONSE_OK, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(s.window), GTK_RESPONSE_OK);
    build(&s);
    sfu_screen_size(&width, &height);
    gtk_window_set_default_size(GTK_WINDOW(s.window), MIN(sfu_px(760), width - 20), MIN(sfu_px(620), height - 60));
    gtk_widget_show_all(s.window);
    gtk_notebook_set_current_page(GTK_NOTEBOOK(s.book), first);
    sfu_models_page_show_task(s.page, task);
    gboolean saved = FALSE;
    while (!saved && gtk_dialog_run(GTK_DIALOG(s.window)) == GTK_RESPONSE_OK) {
        GError *e = NULL;
        saved = save(&s, &e);
        if (!saved)
            gtk_label_set_text(GTK_LABEL(s.error), e->message);
        g_clear_error(&e);
    }
    sfu_background_cancel(s.looking);
    if (s.rescan)
        g_source_remove(s.rescan);
    g_ptr_array_unref(s.monitors);
    sfu_models_page_free(s.page);
    gtk_widget_destroy(s.window);
    sfu_engine_fields_finish(&s.engine);
    g_ptr_array_unref(s.found);
    return saved;
}
