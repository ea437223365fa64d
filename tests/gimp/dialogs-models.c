/* Models: found, chosen, had.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialogs.h"

#include "standin.h"

#include <string.h>

static void remove_goes_to_models_made_for_filling(void)
{
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    GPtrArray *models = sfu_models(NULL);
    SfuRequest *r = sfu_request_new(SFU_ACTION_REMOVE);
    char **to_try = sfu_models_to_try(settings, models, r), *all = g_strjoinv(" ", to_try);
    g_assert_cmpstr(
        all, ==,
        "/models/sfumato-mini.safetensors /models/sd-v1-5-inpainting.safetensors /models/dreamshaper_8.safetensors");
    g_strfreev(to_try);
    g_free(all);
    sfu_settings_set(settings, "model-remove",
                     "/models/dreamshaper_8.safetensors"); /* what the user has chosen comes first */
    to_try = sfu_models_to_try(settings, models, r);
    g_assert_cmpstr(to_try[0], ==, "/models/dreamshaper_8.safetensors");
    g_assert_cmpuint(g_strv_length(to_try), ==, 3);
    g_strfreev(to_try);
    sfu_request_set(r, "model", "/models/other.safetensors", NULL); /* one that is named, and no other */
    to_try = sfu_models_to_try(settings, models, r);
    g_assert_cmpuint(g_strv_length(to_try), ==, 1);
    g_strfreev(to_try);
    sfu_request_free(r);
    g_ptr_array_unref(models);
    sfu_settings_free(settings);
}

/* What `to_try` has first, after a model took these seconds for the action. */
static void check_first_of(SfuAction action, SfuSettings *settings, const char *model, double seconds,
                           const char *first)
{
    GPtrArray *models = sfu_models(NULL);
    SfuRequest *r = sfu_request_new(action);
    sfu_settings_remember(settings, r, model, seconds);
    char **to_try = sfu_models_to_try(settings, models, r);
    g_assert_cmpuint(g_strv_length(to_try), ==, 3);
    g_assert_cmpstr(to_try[0], ==, first);
    g_strfreev(to_try);
    sfu_request_free(r);
    g_ptr_array_unref(models);
}

static void check_first(SfuSettings *settings, const char *model, double seconds, const char *first)
{
    check_first_of(SFU_ACTION_FILL, settings, model, seconds, first);
}

/* The stand-in ranks all models alike. */
static void of_one_rank_the_faster_goes_first(void)
{
    static const char *const mini = "/models/sfumato-mini.safetensors",
                             *const dream = "/models/dreamshaper_8.safetensors",
                             *const inpaint = "/models/sd-v1-5-inpainting.safetensors";
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    check_first(settings, dream, 2, mini);  /* nobody knows how long the first one takes */
    check_first(settings, mini, 2.5, mini); /* about as fast */
    check_first(settings, mini, 9, dream);
    check_first(settings, inpaint, 1, inpaint);
    check_first_of(SFU_ACTION_ENLARGE, settings, mini, 9, mini); /* where the slower one is the better one */
    check_first_of(SFU_ACTION_ENLARGE, settings, dream, 2, mini);
    sfu_settings_set(settings, "device", "Stand-in GPU"); /* on which nothing has run yet */
    check_first(settings, dream, 2, mini);
    check_first(settings, mini, 9, dream);
    sfu_settings_set(settings, "model-fill", mini); /* what the user has chosen comes first */
    check_first(settings, dream, 2, mini);
    sfu_settings_free(settings);
}

/* Ctrl+F enlarges without a dialog. What that took is kept as the dialog reads it: for a million pixels. */
static void time_of_enlarging_is_that_of_a_million_pixels(void)
{
    SfuMade made;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    SfuRequest *r = sfu_request_new(SFU_ACTION_ENLARGE);
    dlg_new_scene();
    g_clear_object(&host.selection);
    g_setenv("SFU_STANDIN_STEP_MS", "25", TRUE); /* eight steps: 0.2 s at least */
    g_assert_true(sfu_request_set(r, "scale", "2", &error));
    g_assert_true(sfu_run(r, IMAGE, LAYER, settings, TRUE, &made, &error));
    g_assert_no_error(error);
    /* 800 x 600 are 0.48 million */
    g_assert_cmpfloat(sfu_settings_seconds(settings, SFU_ACTION_ENLARGE, "/models/sfumato-mini.safetensors"), >,
                      0.2 / 0.48);
    dlg_end_scene();
    sfu_request_free(r);
    sfu_settings_free(settings);
}

static void a_failing_model_is_passed_over(void)
{
    SfuMade made;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    SfuRequest *r = sfu_request_new(SFU_ACTION_REMOVE);
    dlg_new_scene();
    g_setenv("SFU_STANDIN_FAIL", "model:/models/sfumato-mini.safetensors", TRUE);
    g_assert_true(sfu_run(r, IMAGE, LAYER, settings, FALSE, &made, &error));
    g_assert_no_error(error);
    g_assert_nonnull(strstr(host.last_message, "Sfumato mini could not be used, so sd-v1-5-inpainting was taken. "));
    sfu_request_set(r, "model", "/models/sfumato-mini.safetensors", NULL);
    g_assert_false(sfu_run(r, IMAGE, LAYER, settings, FALSE, &made, &error)); /* asked for by name: no other one */
    g_assert_error(error, SFU_ERROR, SFU_ERROR_MODEL);
    g_clear_error(&error);
    g_unsetenv("SFU_STANDIN_FAIL");
    dlg_end_scene();
    sfu_request_free(r);
    sfu_settings_free(settings);
}

/* ---- a model that lacks a part ---- */

/* Whether a list has a row with these texts in two of its columns. */
static gboolean has_row(GtkTreeModel *list, int column, const char *text, int other, const char *words)
{
    GtkTreeIter i;
    gboolean there = FALSE;
    for (gboolean more = gtk_tree_model_get_iter_first(list, &i); more && !there;
         more = gtk_tree_model_iter_next(list, &i)) {
        char *a = NULL, *b = NULL;
        gtk_tree_model_get(list, &i, column, &a, other, &b, -1);
        there = a && b && strcmp(a, text) == 0 && strstr(b, words);
        g_free(a);
        g_free(b);
    }
    return there;
}

static void settings_say_what_is_missing(GtkWidget *window)
{
    GtkTreeModel *list = gtk_tree_view_get_model(GTK_TREE_VIEW(dlg_find_or_fail(window, GTK_TYPE_TREE_VIEW, "Models")));
    for (int i = 0; i < 100 && !has_row(list, 0, "unet-alone", 3, "It lacks the text encoder"); i++)
        dlg_settle(25);
    g_assert_true(has_row(list, 0, "unet-alone", 3, "It lacks the text encoder"));
}

/* GTK draws rows of the model list that cannot be chosen gray, by their third column. */
static void it_cannot_be_chosen(GtkWidget *window)
{
    GtkTreeModel *list = gtk_combo_box_get_model(GTK_COMBO_BOX(dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, "Model")));
    GtkTreeIter i;
    int n = 0;
    for (gboolean more = gtk_tree_model_get_iter_first(list, &i); more; more = gtk_tree_model_iter_next(list, &i)) {
        char *name = NULL;
        gboolean usable = TRUE;
        gtk_tree_model_get(list, &i, 0, &name, 2, &usable, -1);
        if (g_str_has_prefix(name, "unet-alone")) {
            g_assert_cmpstr(name, ==, "unet-alone (cannot be used)");
            g_assert_false(usable);
            n++;
        }
        g_free(name);
    }
    g_assert_cmpint(n, ==, 1);
}

static void a_model_without_its_parts_is_not_offered(void)
{
    static const SfuAction painting[] = {SFU_ACTION_FILL, SFU_ACTION_REMOVE, SFU_ACTION_EXPAND, SFU_ACTION_GENERATE};
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    GPtrArray *models = sfu_models(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(painting); i++) {
        SfuRequest *r = sfu_request_new(painting[i]);
        char **to_try = sfu_models_to_try(settings, models, r);
        g_assert_false(g_strv_contains((const char *const *)to_try, "/models/unet-alone.safetensors"));
        g_strfreev(to_try);
        sfu_request_free(r);
    }
    g_ptr_array_unref(models);
    dlg_new_scene();
    g_assert_false(dlg_run(SFU_ACTION_FILL, it_cannot_be_chosen));
    g_timeout_add(100, dlg_act, settings_say_what_is_missing);
    g_assert_false(sfu_ui_settings(settings));
    sfu_settings_free(settings);
    dlg_end_scene();
}

/* The button of a model, and what is said about it (of the row's texts the one that has `words`). */
static GtkWidget *row_button(GtkWidget *window, const char *title)
{
    return dlg_find_or_fail(window, GTK_TYPE_BUTTON, title);
}

static gboolean row_says(GtkWidget *window, const char *title, const char *words)
{
    GtkWidget *row = gtk_widget_get_parent(gtk_widget_get_parent(row_button(window, title)));
    Search s = {GTK_TYPE_LABEL, words, NULL};
    dlg_walk(row, dlg_match_words, &s);
    return s.found != NULL;
}

static void wait_for(GtkWidget *window, const char *title, const char *words)
{
    for (int i = 0; i < 400 && !row_says(window, title, words); i++)
        dlg_settle(25);
    if (!row_says(window, title, words))
        g_error("%s: nothing says \"%s\"", title, words);
}

static void download(GtkWidget *window, const char *title, const char *words)
{
    g_timeout_add(300, dlg_answer, "_Accept and Download");
    gtk_button_clicked(GTK_BUTTON(row_button(window, title)));
    wait_for(window, title, words);
}

static gboolean is_whole(const char *name)
{
    char *path = g_build_filename(g_getenv("SFU_TEST_MODELS"), name, NULL);
    const gboolean there = g_file_test(path, G_FILE_TEST_EXISTS);
    g_free(path);
    return there;
}

static void get_models(GtkWidget *window)
{
    for (int i = 0; i < 200 && !dlg_find(window, GTK_TYPE_BUTTON, "Good"); i++)
        dlg_settle(25);
    dlg_look_at(window, "settings", "2-get-models");
    /* The quickest that fits and may be used stands first; what may not, and what does not fit, is no suggestion. */
    g_assert_cmpint(dlg_place_of(window, "Good"), <, dlg_place_of(window, "Lies"));
    g_assert_cmpint(dlg_place_of(window, "Lies"), <, dlg_place_of(window, "Private"));
    g_assert_cmpint(dlg_place_of(window, "Private"), <, dlg_place_of(window, "Huge"));
    g_assert_cmpint(dlg_place_of(window, "Lies"), <, dlg_place_of(window, "Wordless")); /* quicker, but no news */
    g_assert_true(row_says(window, "Private", "no commercial use"));
    g_assert_true(row_says(window, "Huge", "more memory than this computer has"));
    g_assert_false(is_whole("good.safetensors")); /* nothing without a click */

    g_timeout_add(300, dlg_answer, "_Cancel"); /* the license is not accepted */
    gtk_button_clicked(GTK_BUTTON(row_button(window, "Good")));
    g_assert_cmpstr(gtk_button_get_label(GTK_BUTTON(row_button(window, "Good"))), ==, "Download");
    g_timeout_add(300, dlg_answer, "_Accept and Download");
    gtk_button_clicked(GTK_BUTTON(row_button(window, "Good")));
    g_assert_cmpstr(gtk_button_get_label(GTK_BUTTON(row_button(window, "Good"))), ==, "Pause");
    dlg_settle(900);
    dlg_look_at(window, "settings", "3-downloading");
    gtk_button_clicked(GTK_BUTTON(row_button(window, "Good")));
    wait_for(window, "Good", "Paused after");
    g_assert_false(is_whole("good.safetensors"));
    gtk_button_clicked(GTK_BUTTON(row_button(window, "Good"))); /* whoever resumes has accepted the license */
    wait_for(window, "Good", "Installed");
    g_assert_true(is_whole("good.safetensors"));

    download(window, "Refused", "401");
    download(window, "Changed", "SHA-256");
    download(window, "Lies", "bytes");
    g_assert_false(is_whole("changed.safetensors") || is_whole("lies.safetensors") || is_whole("refused.safetensors"));
    dlg_look_at(window, "settings", "4-after-downloads");
    g_timeout_add(300, dlg_answer, "_Remove");
    gtk_button_clicked(GTK_BUTTON(row_button(window, "Good")));
    for (int i = 0; i < 200 && is_whole("good.safetensors"); i++)
        dlg_settle(25);
    g_assert_false(is_whole("good.safetensors"));
}

static void models_are_had(void)
{
    if (!g_getenv("SFUMATO_FETCH")) {
        g_test_skip("no sfumato-fetch");
        return;
    }
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    sfu_settings_set(settings, "device", "Stand-in CPU");
    g_timeout_add(100, dlg_act, get_models);
    g_assert_false(sfu_ui_settings_above(settings, NULL, SFU_SETTINGS_GET_MODELS, SFU_TASK_INPAINT));
    sfu_settings_free(settings);
}

static void take_notebook(GtkWidget *w, gpointer search)
{
    if (GTK_IS_NOTEBOOK(w))
        ((Search *)search)->found = w;
}

/* The list has come while the page was hidden. */
static void turn_to_models(GtkWidget *window)
{
    Search book = {GTK_TYPE_NOTEBOOK, NULL, NULL};
    GtkAllocation room;
    dlg_settle(1500);
    dlg_walk(window, take_notebook, &book);
    g_assert_nonnull(book.found);
    gtk_notebook_set_current_page(GTK_NOTEBOOK(book.found), SFU_SETTINGS_GET_MODELS);
    for (int i = 0; i < 200 && !dlg_find(window, GTK_TYPE_BUTTON, "Good"); i++)
        dlg_settle(25);
    dlg_settle(200);
    gtk_widget_get_allocation(row_button(window, "Good"), &room);
    g_assert_cmpint(room.width, >, 20);
    g_assert_cmpint(room.height, >, 10);
}

static void list_that_came_early_is_shown(void)
{
    if (!g_getenv("SFUMATO_FETCH")) {
        g_test_skip("no sfumato-fetch");
        return;
    }
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    g_timeout_add(100, dlg_act, turn_to_models);
    g_assert_false(sfu_ui_settings(settings));
    sfu_settings_free(settings);
}

static void without_the_program(GtkWidget *window)
{
    Search s = {GTK_TYPE_LABEL, "is not installed", NULL};
    for (int i = 0; i < 100 && !s.found; i++) {
        dlg_settle(25);
        dlg_walk(window, dlg_match_words, &s);
    }
    dlg_settle(500); /* and stays when the device is known */
    s.found = NULL;
    dlg_walk(window, dlg_match_words, &s);
    g_assert_nonnull(s.found);
}

static void no_program_is_said(void)
{
    char *program = g_strdup(g_getenv("SFUMATO_FETCH")), *path = g_strdup(g_getenv("PATH"));
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    g_setenv("SFUMATO_FETCH", "/nonexistent/fetch", TRUE);
    g_timeout_add(100, dlg_act, without_the_program);
    g_assert_false(sfu_ui_settings_above(settings, NULL, SFU_SETTINGS_GET_MODELS, -1));
    if (program)
        g_setenv("SFUMATO_FETCH", program, TRUE);
    else
        g_unsetenv("SFUMATO_FETCH");
    sfu_settings_free(settings);
    g_free(program);
    g_free(path);
}

static gboolean close_settings(gpointer data)
{
    int *seen = data;
    GtkWidget *book = NULL;
    Search s = {GTK_TYPE_COMBO_BOX, "For", NULL};
    GList *all = gtk_window_list_toplevels();
    for (GList *l = all; l; l = l->next)
        if (GTK_IS_DIALOG(l->data) && gtk_widget_get_visible(l->data)) {
            dlg_walk(l->data, dlg_match, &s);
            book = s.found && !book ? l->data : book;
        }
    g_list_free(all);
    *seen += book != NULL;
    if (book)
        gtk_dialog_response(GTK_DIALOG(book), GTK_RESPONSE_CANCEL);
    return G_SOURCE_REMOVE;
}

static void ask_for_a_model(GtkWidget *window)
{
    int seen = 0;
    GtkWidget *get = dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Get a Mo_del...");
    dlg_look_at(window, "generate", "0-no-model");
    g_assert_null(dlg_find(window, GTK_TYPE_TEXT_VIEW, "Prompt")); /* no text box that leads nowhere */
    g_assert_null(dlg_find(window, GTK_TYPE_COMBO_BOX, "Model"));
    g_timeout_add(600, close_settings, &seen);
    gtk_button_clicked(GTK_BUTTON(get));
    g_timeout_add(600, close_settings, &seen); /* and Generate leads there too */
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 100 && seen < 2; i++)
        dlg_settle(50);
    g_assert_cmpint(seen, ==, 2);
    dlg_settle(200);
}

/* The catalogue has nothing for Restore: the folder is opened, and a file that was put there is found on the way back.
 */
static void put_a_model_into_the_folder(GtkWidget *window)
{
    dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Open Mo_del Folder");
    dlg_look_at(window, "restore", "0-no-model");
    g_unsetenv("SFU_STANDIN_NO_MODELS");
    dlg_come_back(window);
    for (int i = 0; i < 100 && !dlg_find(window, GTK_TYPE_COMBO_BOX, "Model"); i++)
        dlg_settle(50);
    dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, "Model");
    g_assert_null(dlg_find(window, GTK_TYPE_BUTTON, "Open Mo_del Folder"));
}

static void no_model_is_no_dead_end(void)
{
    SfuMade made;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    SfuRequest *remove = sfu_request_new(SFU_ACTION_REMOVE), *make = sfu_request_new(SFU_ACTION_GENERATE),
               *restore = sfu_request_new(SFU_ACTION_RESTORE);
    g_setenv("SFU_STANDIN_NO_MODELS", "1", TRUE);
    dlg_new_scene();
    g_assert_false(sfu_run(remove, IMAGE, LAYER, settings, FALSE, &made, &error));
    g_assert_error(error, SFU_ERROR, SFU_ERROR_MODEL);
    g_assert_nonnull(strstr(error->message, "Models and Settings"));
    g_clear_error(&error);
    dlg_action = SFU_ACTION_GENERATE;
    g_timeout_add(100, dlg_act, ask_for_a_model);
    g_assert_false(sfu_ui_run(make, IMAGE, LAYER, settings, &made, &error));
    g_assert_no_error(error);
    dlg_action = SFU_ACTION_RESTORE;
    g_timeout_add(100, dlg_act, put_a_model_into_the_folder);
    g_assert_false(sfu_ui_run(restore, IMAGE, LAYER, settings, &made, &error));
    g_assert_no_error(error);
    g_unsetenv("SFU_STANDIN_NO_MODELS");
    sfu_request_free(remove);
    sfu_request_free(make);
    sfu_request_free(restore);
    sfu_settings_free(settings);
    dlg_end_scene();
}

/* ---- folders on a slow disk ---- */

/* Reading the folders takes as long as GTK's loop needs for so many beats of 10 ms, so a busy machine does not matter:
 * where the loop waits for the reading, the beats never come. */
#define LOOK_BEATS 100
#define GIVE_UP_S 20

static struct {
    GThread *loop;
    gint beats, looks, waited_for; /* atomic: of all, of those looks that the loop waited for */
} slow;

static gboolean beat(gpointer data)
{
    g_atomic_int_inc(&slow.beats);
    return G_SOURCE_CONTINUE;
}

static void look_slowly(void)
{
    const gint from = g_atomic_int_get(&slow.beats);
    const gint64 end = g_get_monotonic_time() + GIVE_UP_S * G_USEC_PER_SEC;
    g_atomic_int_inc(&slow.looks);
    while (g_thread_self() != slow.loop && g_get_monotonic_time() < end) {
        if (g_atomic_int_get(&slow.beats) - from >= LOOK_BEATS)
            return;
        g_usleep(10000);
    }
    g_atomic_int_inc(&slow.waited_for);
}

static void use_slow_folders(GtkWidget *window)
{
    GtkWidget *model = dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, "Model");
    for (int i = 0; i < 300 && gtk_tree_model_iter_n_children(gtk_combo_box_get_model(GTK_COMBO_BOX(model)), NULL) < 4;
         i++)
        dlg_settle(50);
    sfu_model_combo_set(model, "/models/dreamshaper_8.safetensors");
    dlg_settle(500);
    sfu_model_combo_set(model, "/models/sd-v1-5-inpainting.safetensors");
    dlg_settle(500);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 400 && dlg_count_results(window) < 1; i++)
        dlg_settle(50);
    g_assert_cmpuint(dlg_count_results(window), >=, 1);
    for (int i = 0; i < 400 && dlg_is_running(window); i++)
        dlg_settle(50);
    g_timeout_add(300, dlg_answer, "_Discard"); /* what closing asks */
}

static void slow_folders_block_nothing(void)
{
    slow.loop = g_thread_self();
    standin_look = look_slowly;
    dlg_new_scene();
    const guint timer = g_timeout_add(10, beat, NULL);
    (void)dlg_run(SFU_ACTION_FILL, use_slow_folders);
    g_source_remove(timer);
    standin_look = NULL;
    g_assert_cmpint(g_atomic_int_get(&slow.looks), >=, 2); /* models, and networks of one */
    g_assert_cmpint(g_atomic_int_get(&slow.waited_for), ==, 0);
    dlg_end_scene();
}

static void names_of_devices(void)
{
    static const char *const names[][2] = {{"cpu-znver3-AMD EPYC 7B13", "CPU (AMD EPYC 7B13)"},
                                           {"pthread-skylake-avx512-Intel(R) Xeon(R)", "CPU (Intel(R) Xeon(R))"},
                                           {"cpu-x86-64-v3-QEMU", "CPU (QEMU)"},
                                           {"cpu-generic-", "cpu-generic-"},
                                           {"NVIDIA H200", "NVIDIA H200"}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        char *words = sfu_device_words(names[i][0]);
        g_assert_cmpstr(words, ==, names[i][1]);
        g_free(words);
    }
}

void dlg_models_tests(void)
{
    g_test_add_func("/models/are had by a click, and by nothing else", models_are_had);
    g_test_add_func("/models/a list that came while its page was hidden is shown", list_that_came_early_is_shown);
    g_test_add_func("/models/none is no dead end", no_model_is_no_dead_end);
    g_test_add_func("/models/that the program is missing is said", no_program_is_said);
    g_test_add_func("/models/folders on a slow disk do not block the window", slow_folders_block_nothing);
    g_test_add_func("/models/names of devices", names_of_devices);
    g_test_add_func("/models/removing goes to models that are made for filling",
                    remove_goes_to_models_made_for_filling);
    g_test_add_func("/models/of one rank the one that was faster goes first", of_one_rank_the_faster_goes_first);
    g_test_add_func("/models/the time of enlarging is that of a million pixels",
                    time_of_enlarging_is_that_of_a_million_pixels);
    g_test_add_func("/models/one that lacks a part is not offered, and Settings say why",
                    a_model_without_its_parts_is_not_offered);
    g_test_add_func("/models/one that fails is passed over, and that is said", a_failing_model_is_passed_over);
}
