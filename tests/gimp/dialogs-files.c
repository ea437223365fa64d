/* Choosing files and folders: parts of a model, LoRAs, folders with models.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialogs.h"

#include <string.h>
#include <unistd.h>

static char *folder, *file; /* what is chosen */

static void new_files(void)
{
    folder = g_dir_make_tmp("sfumato-choose-XXXXXX", NULL);
    file = g_build_filename(folder, "chosen.safetensors", NULL);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
}

static void end_files(void)
{
    g_assert_cmpint(unlink(file), ==, 0);
    g_assert_cmpint(rmdir(folder), ==, 0);
    g_clear_pointer(&file, g_free);
    g_clear_pointer(&folder, g_free);
}

/* ---- the file chooser ---- */

static GtkWidget *the_chooser(void)
{
    GtkWidget *chooser = NULL;
    GList *all = gtk_window_list_toplevels();
    for (GList *l = all; l; l = l->next)
        if (GTK_IS_FILE_CHOOSER_DIALOG(l->data) && gtk_widget_get_visible(l->data))
            chooser = l->data;
    g_list_free(all);
    g_assert_nonnull(chooser);
    return chooser;
}

/* For timers: chooses `path` in the chooser that is open, and clicks its button. */
static gboolean choose(gpointer path)
{
    GtkWidget *window = the_chooser();
    GtkFileChooser *chooser = GTK_FILE_CHOOSER(window);
    const gboolean folders = gtk_file_chooser_get_action(chooser) == GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER;
    char *chosen = NULL;
    g_assert_true(gtk_file_chooser_set_filename(chooser, path));
    for (int i = 0; i < 200 && g_strcmp0(chosen, path) != 0; i++) { /* it reads the folder first */
        g_free(chosen);
        dlg_settle(25);
        chosen = gtk_file_chooser_get_filename(chooser);
    }
    g_assert_cmpstr(chosen, ==, path);
    g_free(chosen);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, folders ? "_Add" : "_Open")));
    return G_SOURCE_REMOVE;
}

static gboolean refuse(gpointer data)
{
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(the_chooser(), GTK_TYPE_BUTTON, "_Cancel")));
    return G_SOURCE_REMOVE;
}

/* ---- parts of a model ---- */

/* Takes the row "Choose a file..." and answers. */
static void choose_row(GtkWidget *combo, GSourceFunc answer, gpointer data)
{
    g_timeout_add(300, answer, data);
    sfu_model_combo_set(combo, "\1"); /* what stands for a path in that row */
    dlg_settle(50);
}

static void check_chosen(GtkWidget *combo, const char *path)
{
    char *now = sfu_model_combo_get(combo);
    g_assert_cmpstr(now, ==, path);
    g_free(now);
}

static void generate(GtkWidget *window)
{
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 200 && dlg_is_running(window); i++)
        dlg_settle(50);
}

static void open_advanced(GtkWidget *window)
{
    sfu_model_combo_set(dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, "Model"), "/models/dreamshaper_8.safetensors");
    gtk_expander_set_expanded(GTK_EXPANDER(dlg_find_or_fail(window, GTK_TYPE_EXPANDER, "Ad_vanced")), TRUE);
    dlg_settle(300);
}

static void choose_a_vae(GtkWidget *window)
{
    open_advanced(window);
    GtkWidget *vae = dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, "VAE");
    choose_row(vae, refuse, NULL);
    check_chosen(vae, ""); /* as before */
    choose_row(vae, choose, file);
    check_chosen(vae, file);
    choose_row(vae, refuse, NULL);
    check_chosen(vae, file);
    generate(window);
    g_timeout_add(300, dlg_answer, "_Discard");
}

static void a_chosen_file_reaches_the_engine(void)
{
    new_files();
    dlg_new_scene();
    char **lines = dlg_run_logged(SFU_ACTION_FILL, choose_a_vae), *words = g_strdup_printf(" vae %s ", file);
    g_assert_cmpuint(g_strv_length(lines), ==, 4);
    g_assert_nonnull(strstr(lines[0], words));
    g_strfreev(lines);
    g_free(words);
    dlg_end_scene();
    end_files();
}

/* ---- LoRAs ---- */

static void activate(GtkWidget *button, const char *label)
{
    gboolean found = FALSE;
    const GLogLevelFlags fatal = g_log_set_always_fatal(G_LOG_FATAL_MASK);
    gtk_button_clicked(GTK_BUTTON(button)); /* GTK 3 warns: nobody has really clicked */
    g_log_set_always_fatal(fatal);
    dlg_settle(100);
    GList *menus = gtk_menu_get_for_attach_widget(button);
    g_assert_nonnull(menus);
    GList *items = gtk_container_get_children(GTK_CONTAINER(menus->data));
    for (GList *l = items; l && !found; l = l->next)
        if (g_strcmp0(gtk_menu_item_get_label(GTK_MENU_ITEM(l->data)), label) == 0) {
            found = TRUE;
            gtk_menu_shell_activate_item(GTK_MENU_SHELL(menus->data), l->data, TRUE);
        }
    g_list_free(items);
    g_assert_true(found);
    dlg_settle(100);
}

static void choose_loras(GtkWidget *window)
{
    open_advanced(window);
    GtkWidget *lora = dlg_find_or_fail(window, GTK_TYPE_ENTRY, "LoRA"),
              *add = dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Add...");
    g_timeout_add(300, refuse, NULL);
    activate(add, "Choose a file...");
    g_assert_cmpstr(gtk_entry_get_text(GTK_ENTRY(lora)), ==, "");
    gtk_entry_set_text(GTK_ENTRY(lora), "ink=0.8");
    g_timeout_add(300, choose, file);
    activate(add, "Choose a file...");
    char *both = g_strconcat("ink=0.8; ", file, NULL);
    g_assert_cmpstr(gtk_entry_get_text(GTK_ENTRY(lora)), ==, both);
    g_free(both);
}

static void a_chosen_lora_is_added(void)
{
    new_files();
    dlg_new_scene();
    g_assert_false(dlg_run(SFU_ACTION_FILL, choose_loras));
    dlg_end_scene();
    end_files();
}

/* ---- folders with models ---- */

static void add_a_folder(GtkWidget *window)
{
    GtkWidget *add = dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Add...");
    GtkTreeModel *list =
        gtk_tree_view_get_model(GTK_TREE_VIEW(dlg_find_or_fail(window, GTK_TYPE_TREE_VIEW, "Extra model folders")));
    g_timeout_add(300, refuse, NULL);
    gtk_button_clicked(GTK_BUTTON(add));
    g_assert_cmpint(gtk_tree_model_iter_n_children(list, NULL), ==, 0);
    g_timeout_add(300, choose, folder);
    gtk_button_clicked(GTK_BUTTON(add));
    g_assert_cmpint(gtk_tree_model_iter_n_children(list, NULL), ==, 1);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Save")));
}

static void an_added_folder_is_kept(void)
{
    static const char *const written[] = {"sfumato.ini", "sfumato.ini.lock"};
    new_files();
    char *home = g_dir_make_tmp("sfumato-choose-XXXXXX", NULL);
    SfuSettings *settings = sfu_settings_load(home);
    g_timeout_add(100, dlg_act_alone, add_a_folder);
    g_assert_true(sfu_ui_settings(settings));
    char **folders = sfu_settings_folders(settings);
    g_assert_cmpuint(g_strv_length(folders), ==, 1);
    g_assert_cmpstr(folders[0], ==, folder);
    g_strfreev(folders);
    sfu_settings_free(settings);
    for (gsize i = 0; i < G_N_ELEMENTS(written); i++) {
        char *path = g_build_filename(home, written[i], NULL);
        g_assert_cmpint(unlink(path), ==, 0);
        g_free(path);
    }
    g_assert_cmpint(rmdir(home), ==, 0);
    g_free(home);
    end_files();
}

void dlg_files_tests(void)
{
    g_test_add_func("/files/a part that is chosen reaches the engine", a_chosen_file_reaches_the_engine);
    g_test_add_func("/files/a LoRA that is chosen is added", a_chosen_lora_is_added);
    g_test_add_func("/files/a folder that is added is kept", an_added_folder_is_kept);
}
