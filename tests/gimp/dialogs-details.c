/* Small promises of the dialogs: titles, shapes, keys, sentences, lists that follow a folder.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialogs.h"

#include <string.h>
#include <unistd.h>

static gboolean says(GtkWidget *window, const char *words)
{
    Search s = {GTK_TYPE_LABEL, words, NULL};
    dlg_walk(window, dlg_match_words, &s);
    return s.found != NULL;
}

static void wait_until_done(GtkWidget *window)
{
    for (int i = 0; i < 200 && dlg_is_running(window); i++)
        dlg_settle(50);
}

static void read_title(GtkWidget *window)
{
    g_assert_cmpstr(gtk_window_get_title(GTK_WINDOW(window)), ==, "Sfumato: Fill Selection, photo.jpg");
}

static void the_title_names_the_image(void)
{
    dlg_new_scene();
    g_assert_false(dlg_run(SFU_ACTION_FILL, read_title));
    dlg_end_scene();
}

/* ---- shapes of Expand ---- */

static int side(GtkWidget *window, const char *name)
{
    return gtk_spin_button_get_value_as_int(GTK_SPIN_BUTTON(dlg_find_or_fail(window, GTK_TYPE_SPIN_BUTTON, name)));
}

static void check_sides(GtkWidget *window, int left, int right, int top, int bottom)
{
    dlg_settle(50);
    g_assert_cmpint(side(window, "Left"), ==, left);
    g_assert_cmpint(side(window, "Right"), ==, right);
    g_assert_cmpint(side(window, "Top"), ==, top);
    g_assert_cmpint(side(window, "Bottom"), ==, bottom);
}

static void choose_shapes(GtkWidget *window)
{
    Search label = {GTK_TYPE_LABEL, "Shape", NULL};
    dlg_walk(window, dlg_match_words, &label);
    g_assert_nonnull(label.found);
    GtkComboBox *shape = GTK_COMBO_BOX(gtk_label_get_mnemonic_widget(GTK_LABEL(label.found)));
    gtk_combo_box_set_active(shape, 5); /* 16:9 */
    check_sides(window, 66, 67, 0, 0);
    g_assert_true(says(window, "400 \303\227 300 \342\206\222 533 \303\227 300"));
    gtk_combo_box_set_active(shape, 2); /* 1:1 */
    check_sides(window, 0, 0, 50, 50);
    gtk_combo_box_set_active(shape, 1); /* a quarter on every side */
    check_sides(window, 100, 100, 75, 75);
}

static void a_shape_sets_the_sides(void)
{
    dlg_new_scene();
    g_assert_false(dlg_run(SFU_ACTION_EXPAND, choose_shapes));
    dlg_end_scene();
}

/* ---- before, while a key is held ---- */

static void send_f2(GtkWidget *window, GdkEventType type)
{
    gboolean handled = FALSE;
    GdkEvent *event = gdk_event_new(type);
    event->key.window = g_object_ref(gtk_widget_get_window(window));
    event->key.keyval = SFU_KEY(F2);
    event->key.send_event = TRUE;
#if GTK_CHECK_VERSION(3, 0, 0)
    gdk_event_set_device(event, gdk_seat_get_keyboard(gdk_display_get_default_seat(gtk_widget_get_display(window))));
#endif
    g_signal_emit_by_name(window, type == GDK_KEY_PRESS ? "key-press-event" : "key-release-event", event, &handled);
    gdk_event_free(event);
    dlg_settle(20);
}

static void hold_f2(GtkWidget *window)
{
    GtkToggleButton *before = GTK_TOGGLE_BUTTON(dlg_find_or_fail(window, GTK_TYPE_TOGGLE_BUTTON, "_Before"));
    send_f2(window, GDK_KEY_PRESS);
    g_assert_false(gtk_toggle_button_get_active(before)); /* there is nothing to compare with */
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    wait_until_done(window);
    send_f2(window, GDK_KEY_PRESS);
    g_assert_true(gtk_toggle_button_get_active(before));
    send_f2(window, GDK_KEY_RELEASE);
    g_assert_false(gtk_toggle_button_get_active(before));
    g_timeout_add(300, dlg_answer, "_Discard");
}

static void f2_shows_before_while_it_is_held(void)
{
    dlg_new_scene();
    g_assert_false(dlg_run(SFU_ACTION_FILL, hold_f2));
    dlg_end_scene();
}

/* ---- sentences ---- */

static void dismiss(GtkWidget *window)
{
    g_assert_true(says(window, "Select the area to fill first"));
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Dismiss")));
    dlg_settle(50);
    g_assert_false(says(window, "Select the area to fill first"));
}

static void a_sentence_can_be_dismissed(void)
{
    dlg_new_scene();
    g_clear_object(&host.selection);
    g_assert_false(dlg_run(SFU_ACTION_FILL, dismiss));
    dlg_end_scene();
}

static void wait_in_silence(GtkWidget *window)
{
    GtkProgressBar *progress = GTK_PROGRESS_BAR(dlg_find_or_fail(window, GTK_TYPE_PROGRESS_BAR, "Progress"));
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 200 && !strstr(gtk_progress_bar_get_text(progress), "s so far"); i++)
        dlg_settle(50);
    g_assert_nonnull(strstr(gtk_progress_bar_get_text(progress), "Working, "));
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "S_top")));
    wait_until_done(window);
    g_assert_cmpstr(gtk_progress_bar_get_text(progress), ==, "Stopped");
}

static void a_silent_run_shows_its_time(void)
{
    dlg_new_scene();
    g_setenv("SFU_STANDIN_STEP_MS", "20000", TRUE);
    g_assert_false(dlg_run(SFU_ACTION_FILL, wait_in_silence));
    g_unsetenv("SFU_STANDIN_STEP_MS");
    dlg_end_scene();
}

static void the_status_bar_shows_the_time_of_a_silent_run(void)
{
    SfuMade made;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
    dlg_new_scene();
    host.progress = g_string_new(NULL);
    g_setenv("SFU_STANDIN_STEP_MS", "4000", TRUE); /* one step, in which the stand-in says nothing */
    g_assert_true(sfu_request_set(r, "model", "/models/dreamshaper_8.safetensors", &error));
    g_assert_true(sfu_request_set(r, "steps", "1", &error));
    g_assert_true(sfu_run(r, IMAGE, LAYER, settings, FALSE, &made, &error));
    g_assert_no_error(error);
    g_assert_nonnull(strstr(host.progress->str, "Denoising 1 of 1, 4 s left (dreamshaper_8)\n"));
    g_assert_nonnull(strstr(host.progress->str, "s so far (dreamshaper_8)\n"));
    g_string_free(host.progress, TRUE);
    host.progress = NULL;
    dlg_end_scene();
    sfu_request_free(r);
    sfu_settings_free(settings);
}

/* ---- the seed ---- */

static GtkToggleButton *keep_of(GtkWidget *window)
{
    return GTK_TOGGLE_BUTTON(dlg_find_or_fail(window, GTK_TYPE_TOGGLE_BUTTON, "_Keep"));
}

static void write_a_seed(GtkWidget *window)
{
    sfu_model_combo_set(dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, "Model"), "/models/dreamshaper_8.safetensors");
    dlg_settle(50);
    GtkWidget *go = dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate"),
              *seed = dlg_find_or_fail(window, GTK_TYPE_SPIN_BUTTON, "Seed");
    gtk_button_clicked(GTK_BUTTON(go));
    wait_until_done(window);
    g_assert_cmpfloat(gtk_spin_button_get_value(GTK_SPIN_BUTTON(seed)), >, 0); /* that of the result */
    g_assert_true(gtk_widget_is_sensitive(seed));                              /* and not gray */
    g_assert_false(gtk_toggle_button_get_active(keep_of(window)));
    gtk_entry_set_text(GTK_ENTRY(seed), "4321"); /* and not left by a key */
    gtk_button_clicked(GTK_BUTTON(go));
    wait_until_done(window);
    g_assert_true(gtk_toggle_button_get_active(keep_of(window)));
    g_timeout_add(300, dlg_answer, "_Discard");
}

static void a_written_seed_is_used(void)
{
    dlg_new_scene();
    char **lines = dlg_run_logged(SFU_ACTION_FILL, write_a_seed);
    g_assert_cmpuint(g_strv_length(lines), ==, 7);
    g_assert_null(strstr(lines[0], " seed 4321 "));
    g_assert_nonnull(strstr(lines[3], " seed 4321 "));
    g_strfreev(lines);
    dlg_end_scene();
}

/* ---- lists that follow a folder ---- */

static char *watched; /* the folder */

static void put_a_file(GtkWidget *window)
{
    char *file = g_build_filename(watched, "new.safetensors", NULL);
    for (int i = 0; i < 200 && !says(window, "0 models found"); i++)
        dlg_settle(25);
    g_assert_false(says(window, "10 models found"));
    g_unsetenv("SFU_STANDIN_NO_MODELS");
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    for (int i = 0; i < 400 && !says(window, "10 models found"); i++)
        dlg_settle(25);
    g_assert_true(says(window, "10 models found"));
    g_assert_cmpint(unlink(file), ==, 0);
    g_free(file);
}

static void settings_follow_a_folder(void)
{
    watched = g_dir_make_tmp("sfumato-models-XXXXXX", NULL);
    const char *const folders[] = {watched, NULL};
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    sfu_settings_set_folders(settings, folders);
    g_setenv("SFU_STANDIN_NO_MODELS", "1", TRUE);
    g_timeout_add(100, dlg_act, put_a_file);
    g_assert_false(sfu_ui_settings(settings));
    sfu_settings_free(settings);
    g_assert_cmpint(rmdir(watched), ==, 0);
    g_clear_pointer(&watched, g_free);
}

void dlg_details_tests(void)
{
    g_test_add_func("/details/the title names the image", the_title_names_the_image);
    g_test_add_func("/details/a shape sets the four sides", a_shape_sets_the_sides);
    g_test_add_func("/details/F2 shows the picture before while it is held", f2_shows_before_while_it_is_held);
    g_test_add_func("/details/a sentence can be dismissed", a_sentence_can_be_dismissed);
    g_test_add_func("/details/a silent run shows its time", a_silent_run_shows_its_time);
    g_test_add_func("/details/the status bar shows the time of a silent run",
                    the_status_bar_shows_the_time_of_a_silent_run);
    g_test_add_func("/details/a seed that is written is used", a_written_seed_is_used);
    g_test_add_func("/details/Settings look again when a folder changes", settings_follow_a_folder);
}
