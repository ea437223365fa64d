/* Excluded areas, Restore, Edit, control layers.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialogs.h"

#include <string.h>

static void exclude_it(GtkWidget *window)
{
    GtkWidget *combo = dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, "Exclude");
    char *value = sfu_model_combo_get(combo);
    g_assert_cmpstr(value, ==, "");
    g_free(value);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "E_xclude Selection")));
    g_assert_cmpint(gtk_tree_model_iter_n_children(gtk_combo_box_get_model(GTK_COMBO_BOX(combo)), NULL), ==, 3);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 200 && dlg_is_running(window); i++)
        dlg_settle(50);
    sfu_model_combo_set(combo, SFU_EXCLUDE_NOTHING);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 200 && dlg_is_running(window); i++)
        dlg_settle(50);
    g_timeout_add(300, dlg_answer, "_Discard");
}

static void an_excluded_area_reaches_the_engine(void)
{
    SfuMade made;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
    dlg_new_scene();
    dlg_log_begin();
    g_timeout_add(100, dlg_act, exclude_it);
    g_assert_false(sfu_ui_run(r, IMAGE, LAYER, settings, &made, &error));
    char *text = dlg_log_end();
    g_assert_nonnull(strstr(text, " exclude 120 80 150 110 "));
    g_assert_nonnull(strstr(text, " exclude 0 0 0 0 "));
    g_assert_cmpstr(sfu_request_get_string(r, "exclude"), ==, SFU_EXCLUDE_NOTHING);
    sfu_request_set(r, "exclude", "no such", NULL);
    g_assert_null(sfu_input_new(r, IMAGE, LAYER, &error));
    g_assert_error(error, SFU_ERROR, SFU_ERROR_USAGE);
    g_clear_error(&error);
    char *json = sfu_request_to_json(r, 0);
    SfuRequest *again = sfu_request_from_json(json, NULL, &error);
    g_assert_cmpstr(again->exclude, ==, "no such");
    sfu_request_free(again);
    sfu_request_free(r);
    sfu_settings_free(settings);
    g_clear_object(&host.excluded);
    g_free(json);
    g_free(text);
    dlg_end_scene();
}

static void restore_it(GtkWidget *window)
{
    g_assert_null(dlg_find(window, GTK_TYPE_TEXT_VIEW, "Prompt"));
    g_assert_null(dlg_find(window, GTK_TYPE_SPIN_BUTTON, "Seed"));
    dlg_look_at(window, "restore", "1-opened");
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "R_estore")));
    for (int i = 0; i < 200 && dlg_is_running(window); i++)
        dlg_settle(50);
    g_assert_cmpuint(dlg_count_results(window), ==, 1); /* another seed would change nothing */
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Add and C_lose")));
}

static void edit_it(GtkWidget *window)
{
    gtk_expander_set_expanded(GTK_EXPANDER(dlg_find_or_fail(window, GTK_TYPE_EXPANDER, "Ad_vanced")), TRUE);
    dlg_settle(300);
    gtk_entry_set_text(GTK_ENTRY(dlg_find_or_fail(window, GTK_TYPE_ENTRY, "LoRA")), "snow ; ice=0.8;");
    gtk_text_buffer_set_text(
        gtk_text_view_get_buffer(GTK_TEXT_VIEW(dlg_find_or_fail(window, GTK_TYPE_TEXT_VIEW, "Prompt"))),
        "make it winter", -1);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 200 && dlg_is_running(window); i++)
        dlg_settle(50);
    g_assert_cmpuint(dlg_count_results(window), ==, 3);
    dlg_look_at(window, "edit", "5-done");
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Add and C_lose")));
}

static gboolean says(GtkWidget *window, const char *words)
{
    Search s = {GTK_TYPE_LABEL, words, NULL};
    dlg_walk(window, dlg_match_words, &s);
    return s.found != NULL;
}

/* ---- the area in words is the area that is read ---- */

static void read_scope(GtkWidget *window)
{
    static const char *const toggles[] = {"Sample merged", "Whole image"};
    const gboolean patch = host.parasite != NULL;
    dlg_settle(100);
    g_assert_true(says(window, patch ? "Image: 400 \303\227 300" : "Layer: 400 \303\227 300"));
    for (gsize i = 0; i < G_N_ELEMENTS(toggles); i++) {
        GtkToggleButton *b = GTK_TOGGLE_BUTTON(dlg_find_or_fail(window, GTK_TYPE_TOGGLE_BUTTON, toggles[i]));
        gtk_toggle_button_set_active(b, TRUE);
        dlg_settle(50);
        g_assert_true(says(window, "Image: 400 \303\227 300"));
        gtk_toggle_button_set_active(b, FALSE);
    }
}

/* A layer that Remove made is a patch: enlarged is what is visible, and the words say so. */
static void the_area_in_words_is_what_is_read(void)
{
    SfuRequest *made = sfu_request_new(SFU_ACTION_REMOVE);
    dlg_new_scene();
    g_clear_object(&host.selection);
    g_assert_false(dlg_run(SFU_ACTION_ENLARGE, read_scope));
    host.parasite = sfu_request_to_json(made, 0);
    g_assert_false(dlg_run(SFU_ACTION_ENLARGE, read_scope));
    g_clear_pointer(&host.parasite, g_free);
    sfu_request_free(made);
    dlg_end_scene();
}

/* ---- a result beyond what is usual ---- */

/* Answers the question whether so large a picture is wanted. */
static gboolean answer_size(gpointer button)
{
    GtkWidget *question = dlg_the_dialog();
    g_assert_true(GTK_IS_MESSAGE_DIALOG(question));
    g_assert_true(says(question, "16000 \303\227 8000 pixels"));
    g_assert_true(says(question, "Memory: 4.1\302\240GB. Time: "));
    dlg_picture("enlarge", "7-asked");
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(question, GTK_TYPE_BUTTON, button)));
    return G_SOURCE_REMOVE;
}

static void enlarge_much(GtkWidget *window)
{
    GtkWidget *go = dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Enlarge"),
              *progress = dlg_find_or_fail(window, GTK_TYPE_PROGRESS_BAR, "Progress"),
              *scale = dlg_find_or_fail(window, GTK_TYPE_SPIN_BUTTON, "Scale");
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(scale), 16);
    dlg_settle(50);
    g_assert_true(says(window, "1000 \303\227 500 \342\206\222 16000 \303\227 8000 px")); /* before it is asked */
    g_assert_nonnull(strstr(gtk_progress_bar_get_text(GTK_PROGRESS_BAR(progress)), "4.1\302\240GB of memory"));
    g_timeout_add(300, answer_size, "_Cancel");
    gtk_button_clicked(GTK_BUTTON(go));
    g_assert_false(dlg_is_running(window));
    g_timeout_add(300, answer_size, "_Enlarge");
    gtk_button_clicked(GTK_BUTTON(go));
    dlg_settle(100);
    g_assert_true(dlg_is_running(window));
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "S_top")));
    for (int i = 0; i < 100 && dlg_is_running(window); i++)
        dlg_settle(50);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(scale), 2); /* not worth a question */
    gtk_button_clicked(GTK_BUTTON(go));
    dlg_settle(100);
    g_assert_true(dlg_is_running(window));
}

static void a_large_result_is_asked_about(void)
{
    dlg_new_scene();
    g_clear_object(&host.selection);
    g_object_unref(host.picture);
    host.picture = gegl_buffer_new(GEGL_RECTANGLE(0, 0, 1000, 500), babl_format("R'G'B' u8"));
    g_setenv("SFU_STANDIN_STEP_MS", "2000", TRUE);
    char **lines = dlg_run_logged(SFU_ACTION_ENLARGE, enlarge_much);
    g_assert_cmpuint(g_strv_length(lines), ==, 0); /* no run came to its end */
    g_strfreev(lines);
    g_unsetenv("SFU_STANDIN_STEP_MS");
    dlg_end_scene();
}

static int width_of(GtkWidget *window, const char *button)
{
    GtkAllocation a;
    gtk_widget_get_allocation(dlg_find_or_fail(window, GTK_TYPE_BUTTON, button), &a);
    return a.width;
}

static void lengthen_a_label(GtkWidget *window)
{
    static const char *const words = "Einf\xc3\xbcgen und danach sofort schlie\xc3\x9f"
                                     "en";
    const int before = width_of(window, "H_istory");
    int x, y;
    gtk_button_set_label(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Add and C_lose")), words);
    dlg_settle(200);
    g_assert_cmpint(width_of(window, "H_istory"), <=, before);
    g_assert_cmpint(width_of(window, words), >, before);
    g_assert_true(gtk_widget_translate_coordinates(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate"), window,
                                                   width_of(window, "_Generate"), 0, &x, &y));
    GtkAllocation all;
    gtk_widget_get_allocation(window, &all);
    g_assert_cmpint(x, <=, all.width);
}

/* Eight buttons as wide as the longest one would not fit a small screen in every language. */
static void a_long_word_widens_its_own_button_alone(void)
{
    dlg_new_scene();
    g_assert_false(dlg_run(SFU_ACTION_FILL, lengthen_a_label));
    dlg_end_scene();
}

static void look_at_width(GtkWidget *window)
{
    GtkAllocation all;
    gtk_widget_get_allocation(window, &all);
    g_assert_cmpint(all.width, >=, MIN(sfu_px(980), 1260));
}

/* A window of 980 pixels is as wide as the screen where letters are twice as large. */
static void lengths_follow_the_density(void)
{
    GdkScreen *screen = gdk_screen_get_default();
    const double usual = gdk_screen_get_resolution(screen);
    dlg_new_scene();
    g_assert_false(dlg_run(SFU_ACTION_FILL, look_at_width));
    gdk_screen_set_resolution(screen, 192);
    g_assert_cmpint(sfu_px(980), ==, 1960);
    g_assert_false(dlg_run(SFU_ACTION_FILL, look_at_width));
    gdk_screen_set_resolution(screen, usual);
    dlg_end_scene();
}

static void newer_tools(void)
{
    static const struct {
        SfuAction action;
        void (*use)(GtkWidget *);
    } tools[] = {{SFU_ACTION_RESTORE, restore_it}, {SFU_ACTION_EDIT, edit_it}};
    for (gsize i = 0; i < G_N_ELEMENTS(tools); i++) {
        SfuMade made;
        GError *error = NULL;
        SfuSettings *settings = sfu_settings_load(NO_FOLDER);
        SfuRequest *r = sfu_request_new(tools[i].action);
        dlg_new_scene();
        host.n_inserted = 0;
        dlg_action = tools[i].action;
        g_timeout_add(100, dlg_act_alone, tools[i].use);
        g_assert_true(sfu_ui_run(r, IMAGE, LAYER, settings, &made, &error));
        g_assert_cmpint(host.n_inserted, ==, 1);
        g_assert_true(gegl_rectangle_equal(&host.last_layer, gegl_buffer_get_extent(host.selection)));
        const char *const *lora = sfu_params_list(r->params, SFU_PARAM_LORA);
        g_assert_cmpuint(g_strv_length((char **)lora), ==, i ? 2 : 0);
        g_assert_true(!i || (strcmp(lora[0], "snow") == 0 && strcmp(lora[1], "ice=0.8") == 0));
        sfu_request_free(r);
        sfu_settings_free(settings);
        dlg_end_scene();
    }
}

/* ---- control layers ---- */

static void wait_until_done(GtkWidget *window)
{
    for (int i = 0; i < 200 && dlg_is_running(window); i++)
        dlg_settle(50);
}

static gboolean has_control_layers(GtkWidget *window)
{
    return dlg_find(window, GTK_TYPE_BUTTON, "Add Co_ntrol Layer") != NULL;
}

static GtkWidget *combo(GtkWidget *window, const char *name)
{
    return dlg_find_or_fail(window, GTK_TYPE_COMBO_BOX, name);
}

static void control_it(GtkWidget *window)
{
    GtkWidget *model = combo(window, "Model");
    sfu_model_combo_set(model, "/models/sfumato-mini.safetensors"); /* no network steers it */
    dlg_settle(300);
    g_assert_false(has_control_layers(window));
    sfu_model_combo_set(model, "/models/dreamshaper_8.safetensors");
    for (int i = 0; i < 100 && !has_control_layers(window); i++)
        dlg_settle(20);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Add Co_ntrol Layer")));
    dlg_settle(50);
    sfu_model_combo_set(combo(window, "Control layer"), "sketch");
    sfu_model_combo_set(combo(window, "Control network"), "/models/controlnet/sd15_canny.safetensors");
    char *kind = sfu_model_combo_get(combo(window, "Preparation"));
    g_assert_cmpstr(kind, ==, "1"); /* what the name of the network says */
    g_free(kind);
    dlg_look_at(window, sfu_action_info(dlg_action)->name, "8-control");
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(dlg_find_or_fail(window, GTK_TYPE_SPIN_BUTTON, "Weight")), 0.8);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(dlg_find_or_fail(window, GTK_TYPE_SPIN_BUTTON, "To")), 0.5);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    wait_until_done(window);
    /* One that knows several kinds is told; the picture itself needs no layer. */
    sfu_model_combo_set(combo(window, "Control network"), "/models/controlnet/union.safetensors");
    sfu_model_combo_set(combo(window, "Control layer"), "");
    sfu_model_combo_set(combo(window, "Preparation"), "9");
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    wait_until_done(window);
    sfu_model_combo_set(model, "/models/sd-v1-5-inpainting.safetensors"); /* none for this one: not sent either */
    for (int i = 0; i < 100 && has_control_layers(window); i++)
        dlg_settle(20);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    wait_until_done(window);
    g_timeout_add(300, dlg_answer, "_Discard");
}

static void a_control_layer_reaches_the_engine(void)
{
    dlg_new_scene();
    host.has_sketch = TRUE;
    char **lines = dlg_run_logged(SFU_ACTION_FILL, control_it);
    g_assert_cmpuint(g_strv_length(lines), ==, 10); /* three times three variants */
    /* The sketch covers a part of the image; the network sees the place of the whole, white where there is nothing. */
    g_assert_nonnull(strstr(lines[0], " control [/models/controlnet/sd15_canny.safetensors=sketch,weight=0.8,to=0.5,"
                                      "prepare=canny] 0 0 400 300 corner 1.00 middle 0.00 "));
    g_assert_nonnull(strstr(lines[3], " control [/models/controlnet/union.safetensors=,weight=0.8,to=0.5,type=depth] "
                                      "none "));
    g_assert_null(strstr(lines[6], " control "));
    g_strfreev(lines);
    dlg_end_scene();
    host.has_sketch = FALSE;
}

/* ---- reference layers, and what a model has no use for ---- */

static gboolean has_reference_layers(GtkWidget *window)
{
    return dlg_find(window, GTK_TYPE_BUTTON, "Add Re_ference Layer") != NULL;
}

static void generate_once(GtkWidget *window)
{
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    wait_until_done(window);
}

static void refer_to_it(GtkWidget *window)
{
    GtkWidget *model = combo(window, "Model");
    dlg_settle(300);
    g_assert_false(has_reference_layers(window)); /* the first model has no use for them */
    sfu_model_combo_set(model, "/models/dreamshaper_8.safetensors");
    for (int i = 0; i < 100 && !has_reference_layers(window); i++)
        dlg_settle(20);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Add Re_ference Layer")));
    dlg_settle(50);
    g_assert_cmpint(
        gtk_tree_model_iter_n_children(gtk_combo_box_get_model(GTK_COMBO_BOX(combo(window, "Reference layer"))), NULL),
        ==, 2);
    sfu_model_combo_set(combo(window, "Reference layer"), "sketch");
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(dlg_find_or_fail(window, GTK_TYPE_SPIN_BUTTON, "Weight")), 0.6);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(dlg_find_or_fail(window, GTK_TYPE_SPIN_BUTTON, "Steps")), 3);
    gtk_text_buffer_set_text(
        gtk_text_view_get_buffer(GTK_TEXT_VIEW(dlg_find_or_fail(window, GTK_TYPE_TEXT_VIEW, "Prompt"))), "a red door",
        -1);
    dlg_look_at(window, sfu_action_info(dlg_action)->name, "9-reference");
    generate_once(window);
    /* Fields that a model has no use for are hidden, and what stands in them does not reach it. */
    sfu_model_combo_set(model, "/models/sfumato-mini.safetensors");
    for (int i = 0; i < 100 && has_reference_layers(window); i++)
        dlg_settle(20);
    g_assert_null(dlg_find(window, GTK_TYPE_SPIN_BUTTON, "Steps"));
    generate_once(window);
    sfu_model_combo_set(model, "/models/dreamshaper_8.safetensors"); /* and are there again */
    for (int i = 0; i < 100 && !has_reference_layers(window); i++)
        dlg_settle(20);
    generate_once(window);
    g_timeout_add(300, dlg_answer, "_Discard");
}

static void only_what_the_model_uses_reaches_the_engine(void)
{
    dlg_new_scene();
    host.has_sketch = TRUE;
    char **lines = dlg_run_logged(SFU_ACTION_FILL, refer_to_it);
    g_assert_cmpuint(g_strv_length(lines), ==, 10); /* three times three variants */
    for (int i = 0; i < 9; i += 3) {
        const gboolean uses = i != 3;
        g_assert_true(!strstr(lines[i], " reference [sketch,weight=0.6] 200 100 ") == !uses);
        g_assert_true(!strstr(lines[i], " steps 3 ") == !uses);
        g_assert_true(!strstr(lines[i], " prompt a red door") == !uses);
    }
    g_strfreev(lines);
    dlg_end_scene();
    host.has_sketch = FALSE;
}

static void control_layers_of_scripts(void)
{
    static const char *const sketch = "/models/controlnet/sd15_canny.safetensors=sketch,prepare=scribble";
    GError *error = NULL;
    SfuRequest *r = sfu_request_new(SFU_ACTION_GENERATE);
    dlg_new_scene();
    host.has_sketch = TRUE;
    g_clear_object(&host.selection);
    g_assert_true(sfu_request_set_options(r, "control=/models/n.safetensors=gone", &error));
    g_assert_null(sfu_input_new(r, IMAGE, LAYER, &error));
    g_assert_error(error, SFU_ERROR, SFU_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "\"gone\""));
    g_clear_error(&error);
    g_assert_true(sfu_request_set(r, "control", sketch, &error));
    g_assert_null(sfu_input_new(r, -1, -1, &error)); /* no image, no layers */
    g_assert_error(error, SFU_ERROR, SFU_ERROR_USAGE);
    g_clear_error(&error);
    SfuInput *in = sfu_input_new(r, IMAGE, LAYER, &error); /* the canvas, so that the picture lies on the sketch */
    g_assert_no_error(error);
    int n;
    SfuJob *jobs = sfu_input_jobs(in, r, &n);
    g_assert_cmpint(sfu_params_int(r->params, SFU_PARAM_WIDTH), ==, 400);
    g_assert_cmpint(sfu_params_int(r->params, SFU_PARAM_HEIGHT), ==, 304);
    g_assert_true(gegl_rectangle_equal(gegl_buffer_get_extent(jobs[0].controls[0]), GEGL_RECTANGLE(0, 0, W, H)));
    g_free(jobs);
    sfu_input_free(in);
    sfu_params_put(r->params, SFU_PARAM_WIDTH, 256); /* another shape: the middle of the canvas */
    sfu_params_put(r->params, SFU_PARAM_HEIGHT, 256);
    in = sfu_input_new(r, IMAGE, LAYER, &error);
    g_assert_true(gegl_rectangle_equal(gegl_buffer_get_extent(in->controls->pdata[0]), GEGL_RECTANGLE(50, 0, H, H)));
    sfu_input_free(in);
    sfu_request_free(r);
    r = sfu_request_new(SFU_ACTION_REFINE); /* references keep their own size */
    g_assert_true(sfu_request_set(r, "reference", "[\"sketch,weight=0.5\", \"photo\"]", &error));
    in = sfu_input_new(r, IMAGE, LAYER, &error);
    g_assert_no_error(error);
    jobs = sfu_input_jobs(in, r, &n);
    g_assert_cmpint(jobs[0].n_references, ==, 2);
    g_assert_true(
        gegl_rectangle_equal(gegl_buffer_get_extent(jobs[0].references[0]), GEGL_RECTANGLE(100, 100, 200, 100)));
    g_assert_true(gegl_rectangle_equal(gegl_buffer_get_extent(jobs[0].references[1]), GEGL_RECTANGLE(0, 0, W, H)));
    g_free(jobs);
    sfu_input_free(in);
    g_assert_true(sfu_request_set(r, "reference", "gone", &error));
    g_assert_null(sfu_input_new(r, IMAGE, LAYER, &error));
    g_assert_error(error, SFU_ERROR, SFU_ERROR_USAGE);
    g_clear_error(&error);
    sfu_request_free(r);
    g_assert_null(sfu_action_spec(SFU_ACTION_REMOVE, "reference"));
    g_assert_null(sfu_action_spec(SFU_ACTION_REMOVE, "control"));
    g_assert_null(sfu_action_spec(SFU_ACTION_SEAMLESS, "control"));
    dlg_end_scene();
    host.has_sketch = FALSE;
}

void dlg_tools_tests(void)
{
    g_test_add_func("/excluded/it reaches the engine", an_excluded_area_reaches_the_engine);
    g_test_add_func("/tools/a long word widens its own button alone", a_long_word_widens_its_own_button_alone);
    g_test_add_func("/tools/lengths follow the density of the screen", lengths_follow_the_density);
    g_test_add_func("/tools/restore and edit", newer_tools);
    g_test_add_func("/tools/the area in words is what is read", the_area_in_words_is_what_is_read);
    g_test_add_func("/tools/enlarge asks about a large result", a_large_result_is_asked_about);
    g_test_add_func("/control/a layer reaches the engine", a_control_layer_reaches_the_engine);
    g_test_add_func("/control/only what the model uses reaches the engine",
                    only_what_the_model_uses_reaches_the_engine);
    g_test_add_func("/control/scripts name layers", control_layers_of_scripts);
}
