/* Every dialog in every state, without a GIMP: with a host of the test's own and the stand-in engine. Each control must
 * have a name for screen readers, and what is written into the controls must reach the engine. Needs a screen
 * (dialogs.py gives one). With SFU_SHOTS=FOLDER each state is left there as a picture, to be looked at.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialogs.h"
#include "../tree.h"

#include <string.h>

static void wait_until_done(GtkWidget *window)
{
    for (int i = 0; i < 200 && dlg_is_running(window); i++)
        dlg_settle(50);
}

/* What is shown depends on the model. Ends with one that has all parts, and "Advanced" open. */
static void choose_models(GtkWidget *window, const char *action)
{
    GtkWidget *model = dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, "Model");
    dlg_look_at(window, action, "1-opened");
    g_assert_null(dlg_find(window, GTK_TYPE_BOX, "Results")); /* its room is the picture's until there is one */
    /* The first model has no text encoder, where it can do the task. */
    const gboolean without_words = sfu_action_info(dlg_action)->task == SFU_TASK_INPAINT ||
                                   dlg_action == SFU_ACTION_EXPAND || dlg_action == SFU_ACTION_ENLARGE;
    if (without_words)
        g_assert_false(dlg_is_sensitive(window, GTK_TYPE_TEXT_VIEW, "Prompt")); /* and so the field is not shown */
    sfu_model_combo_set(model, "/models/dreamshaper_8.safetensors");
    dlg_settle(50);
    g_assert_true(dlg_is_sensitive(window, GTK_TYPE_TEXT_VIEW, "Prompt"));
    gtk_expander_set_expanded(GTK_EXPANDER(dlg_find_or_fail(window, GTK_TYPE_EXPANDER, "Ad_vanced")), TRUE);
    dlg_look_at(window, action, "2-advanced");
    for (int k = 0; without_words && k < 2; k++) { /* and no parts that could be exchanged */
        sfu_model_combo_set(model, k ? "/models/dreamshaper_8.safetensors" : "/models/sfumato-mini.safetensors");
        dlg_settle(50);
        g_assert_true((dlg_find(window, GTK_TYPE_COMBO_BOX, "VAE") != NULL) == k);
        g_assert_true((dlg_find(window, GTK_TYPE_COMBO_BOX, "Sampler") != NULL) == k);
        g_assert_true((dlg_find(window, GTK_TYPE_ENTRY, "LoRA") != NULL) == k);
        g_assert_true((dlg_find(window, GTK_TYPE_BUTTON, "Add...") != NULL) == k);
    }
    for (int k = 0; dlg_action == SFU_ACTION_ENLARGE && k < 2;
         k++) { /* a network that enlarges has no steps; others do */
        sfu_model_combo_set(model, k ? "/models/dreamshaper_8.safetensors" : "/models/RealESRGAN_x4plus.safetensors");
        dlg_settle(50);
        g_assert_true(dlg_is_sensitive(window, GTK_TYPE_SPIN_BUTTON, "Steps") == k);
        g_assert_true((dlg_find(window, GTK_TYPE_SPIN_BUTTON, "Seed") != NULL) == k); /* nor has it noise */
    }
}

/* Values that the engine's log must have. */
static void fill_in(GtkWidget *window)
{
    GtkWidget *vae = dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, "VAE"),
              *device = dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, "Device");
    g_assert_cmpint(gtk_tree_model_iter_n_children(gtk_combo_box_get_model(GTK_COMBO_BOX(vae)), NULL), ==,
                    3); /* own, found, choose */
    g_assert_cmpint(gtk_tree_model_iter_n_children(gtk_combo_box_get_model(GTK_COMBO_BOX(device)), NULL), ==, 3);
    sfu_model_combo_set(vae, "/models/vae-ft-mse.safetensors");
    gtk_combo_box_set_active(GTK_COMBO_BOX(device), 2);
    gtk_combo_box_set_active(GTK_COMBO_BOX(dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, "Precision")), 2);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(dlg_find_or_fail(window, GTK_TYPE_SPIN_BUTTON, "Memory limit")), 2048);
    GtkWidget *whole = dlg_find(window, GTK_TYPE_TOGGLE_BUTTON, "Whole image");
    g_assert_true(!whole == (dlg_action != SFU_ACTION_ENLARGE));
    if (whole) {
        g_assert_true(dlg_is_sensitive(window, GTK_TYPE_TOGGLE_BUTTON, "Sample merged"));
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(whole), TRUE);
        g_assert_false(dlg_is_sensitive(window, GTK_TYPE_TOGGLE_BUTTON, "Sample merged"));
    }
    gtk_text_buffer_set_text(
        gtk_text_view_get_buffer(GTK_TEXT_VIEW(dlg_find_or_fail(window, GTK_TYPE_TEXT_VIEW, "Prompt"))), "a red door",
        -1);
}

static void stop_a_run(GtkWidget *window, const char *action, const char *go)
{
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, go)));
    dlg_settle(400);
    g_assert_true(dlg_is_running(window));
    dlg_look_at(window, action, "3-running");
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "S_top")));
    for (int i = 0; i < 100 && dlg_is_running(window); i++)
        dlg_settle(50);
    g_setenv("SFU_STANDIN_STEP_MS", "20", TRUE);
    dlg_look_at(window, action, "4-stopped");
    g_assert_false(dlg_is_sensitive(window, GTK_TYPE_BUTTON, dlg_add_label()));
}

static void run_and_add(GtkWidget *window, const char *action, const char *go)
{
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, go)));
    dlg_settle(300);
    wait_until_done(window);
    dlg_look_at(window, action, "5-done");
    g_assert_nonnull(dlg_find(window, GTK_TYPE_BOX, "Results"));
    Search seed = {GTK_TYPE_LABEL, "Seed ", NULL};
    dlg_walk(window, dlg_match_words, &seed);
    g_assert_nonnull(seed.found);
    g_assert_false(pango_layout_is_ellipsized(gtk_label_get_layout(GTK_LABEL(seed.found))));
    GtkWidget *add = dlg_find_or_fail(window, GTK_TYPE_BUTTON, dlg_add_label());
    g_assert_true(gtk_widget_is_sensitive(add));
    gtk_button_clicked(GTK_BUTTON(add));
    dlg_settle(50);

    char *text = NULL;
    g_assert_true(g_file_get_contents(dlg_log, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "device Stand-in GPU memory 2147483648 precision bf16 vae "
                                  "/models/vae-ft-mse.safetensors steps 0 prompt a red door"));
    g_free(text);
}

static void run_after_changes(GtkWidget *window, const char *action, const char *go)
{
    host.selection = NULL; /* what the user may do meanwhile */
    host.image_type = SFU_HOST_INDEXED;
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, go)));
    dlg_settle(50);
    if (dlg_action != SFU_ACTION_GENERATE)
        dlg_look_at(window, action, "6-refused");
    wait_until_done(window);
    host.image_type = SFU_HOST_RGB;
}

static void use_action(GtkWidget *window)
{
    const char *action = sfu_action_info(dlg_action)->name,
               *go = dlg_action == SFU_ACTION_ENLARGE ? "_Enlarge" : "_Generate";
    choose_models(window, action);
    fill_in(window);
    stop_a_run(window, action, go);
    run_and_add(window, action, go);
    run_after_changes(window, action, go);
}

static void dialog_of_action(gconstpointer data)
{
    dlg_action = GPOINTER_TO_INT(data);
    char *folder = g_dir_make_tmp("sfumato-dialogs-XXXXXX", NULL);
    SfuSettings *settings = sfu_settings_load(folder);
    SfuRequest *r = sfu_request_new(dlg_action);
    GError *error = NULL;
    SfuMade made;
    GeglBuffer *chosen = gegl_buffer_new(GEGL_RECTANGLE(120, 80, 150, 110), babl_format("Y float"));
    GeglColor *white = gegl_color_new("white");
    gegl_buffer_set_color(chosen, gegl_buffer_get_extent(chosen), white);
    g_object_unref(white);
    host.selection = chosen;
    host.picture = gegl_buffer_new(GEGL_RECTANGLE(0, 0, W, H), babl_format("R'G'B' u8"));
    dlg_paint(host.picture);
    dlg_log_begin();
    g_setenv("SFU_STANDIN_STEP_MS", "2000", TRUE); /* a run that is sure to be stopped */
    g_timeout_add(100, dlg_act, use_action);
    host.n_inserted = 0;
    g_assert_true(sfu_ui_run(r, IMAGE, LAYER, settings, &made, &error)); /* something was added */
    g_assert_no_error(error);
    g_assert_cmpint(host.n_inserted, ==,
                    dlg_action == SFU_ACTION_ENLARGE ? 0 : 1); /* the whole image gets no new layer */
    g_assert_cmpuint(sfu_settings_memory_bytes(settings), ==, G_GUINT64_CONSTANT(2) << 30);
    sfu_request_free(r);
    sfu_settings_free(settings);
    g_clear_object(&host.picture);
    g_object_unref(chosen);
    g_free(dlg_log_end());
    remove_tree(folder);
    g_free(folder);
}

static void use_settings(GtkWidget *window)
{
    dlg_look_at(window, "settings", "1-opened");
}

static void dialog_of_settings(void)
{
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    g_timeout_add(100, dlg_act, use_settings);
    g_assert_false(sfu_ui_settings(settings));
    sfu_settings_free(settings);
}

static gboolean convert(gpointer data)
{
    GtkWidget *window = dlg_the_dialog();
    dlg_settle(100);
    gtk_dialog_response(GTK_DIALOG(window), GPOINTER_TO_INT(data));
    return G_SOURCE_REMOVE;
}

static void conversion_is_asked_for(void)
{
    host.image_type = SFU_HOST_INDEXED;
    g_timeout_add(100, convert, GINT_TO_POINTER(GTK_RESPONSE_CANCEL));
    g_assert_false(sfu_ui_offer_conversion(IMAGE));
    g_assert_cmpint(host.image_type, ==, SFU_HOST_INDEXED);
    g_timeout_add(100, convert, GINT_TO_POINTER(GTK_RESPONSE_OK));
    g_assert_true(sfu_ui_offer_conversion(IMAGE));
    g_assert_cmpint(host.image_type, ==, SFU_HOST_RGB);
}

/* GIMP's query asks for names and must not wait for a disk. */
static void query_reads_no_file(void)
{
    if (!g_test_subprocess()) {
        char *path = NULL;
        const int fd = g_file_open_tmp("sfumato-styles-XXXXXX", &path, NULL);
        g_assert_cmpint(fd, >=, 0);
        g_assert_true(g_file_set_contents(path, "name,prompt,negative_prompt\nmy own,{prompt} in red,\n", -1, NULL));
        g_setenv("SFUMATO_STYLES", path, TRUE);
        g_test_trap_subprocess(NULL, 0, 0);
        g_test_trap_assert_passed();
        g_unsetenv("SFUMATO_STYLES");
        g_assert_cmpint(remove(path), ==, 0);
        g_free(path);
        return;
    }
    sfu_params_without_files();
    const SfuParamSpec *style = sfu_action_spec(SFU_ACTION_FILL, "style");
    g_assert_true(sfu_spec_is_open(style));
    g_assert_true(g_strv_contains(style->choices, "photo"));
    g_assert_false(g_strv_contains(style->choices, "my own"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!gtk_init_check(&argc, &argv)) {
        g_print("1..0 # SKIP no screen\n");
        return 0;
    }
    gegl_init(NULL, NULL);
    for (int a = 0; a < SFU_N_ACTIONS; a++) {
        char *name = g_strdup_printf("/dialog/%s", sfu_action_info(a)->name);
        if (sfu_action_info(a)->has_dialog && a != SFU_ACTION_RESTORE && a != SFU_ACTION_EDIT)
            g_test_add_data_func(name, GINT_TO_POINTER(a), dialog_of_action);
        g_free(name);
    }
    g_test_add_func("/dialog/settings", dialog_of_settings);
    g_test_add_func("/dialog/an indexed image is converted only when that is wanted", conversion_is_asked_for);
    g_test_add_func("/request/a query reads no file", query_reads_no_file);
    dlg_models_tests();
    dlg_results_tests();
    dlg_tools_tests();
    dlg_details_tests();
    dlg_files_tests();
    return g_test_run();
}
