/* Results: none is lost, none comes twice.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialogs.h"

#include <math.h>
#include <string.h>

/* Enlarges the host's image, of one layer, with n results. */
static gboolean enlarge_with(const SfuInput *in, int n, gboolean copy, GError **error)
{
    SfuMade made;
    GPtrArray *results = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_result_free);
    for (int i = 0; i < n; i++)
        g_ptr_array_add(results, dlg_result_new());
    host.n_scaled = host.n_written = host.n_restored = 0;
    const gboolean ok = sfu_whole_image_add(in, results, copy, &made, error);
    g_ptr_array_unref(results);
    return ok;
}

static void a_result_for_each_layer(void)
{
    GError *error = NULL;
    SfuInput *in = g_new0(SfuInput, 1);
    host.image_type = SFU_HOST_RGB;
    host.picture = gegl_buffer_new(GEGL_RECTANGLE(0, 0, W, H), babl_format("R'G'B' u8"));
    in->image = IMAGE;
    g_assert_true(sfu_whole_image_read(in, 2, &error));
    g_assert_no_error(error);
    g_assert_true(enlarge_with(in, 1, FALSE, &error));
    g_assert_no_error(error);
    g_assert_cmpint(host.n_scaled, ==, 1);
    for (int copy = 0; copy < 2; copy++) {
        for (int n = 0; n <= 2; n += 2) {
            g_assert_false(enlarge_with(in, n, copy, &error));
            g_assert_error(error, SFU_ERROR, SFU_ERROR_FAILED);
            g_assert_nonnull(strstr(error->message, n ? "but 2 were" : "but 0 were"));
            g_assert_cmpint(host.n_scaled, ==, 0);
            g_clear_error(&error);
        }
    }
    host.fail_at = 1; /* refused already in the copy */
    g_assert_false(enlarge_with(in, 1, FALSE, &error));
    g_assert_cmpstr(error->message, ==, "write 1 fails");
    g_assert_cmpint(host.n_scaled, ==, 0);
    g_clear_error(&error);
    host.fail_at = 2; /* in the image itself, after it was scaled */
    g_assert_false(enlarge_with(in, 1, FALSE, &error));
    g_assert_cmpstr(error->message, ==, "write 2 fails");
    g_assert_cmpint(host.n_scaled, ==, 1);
    g_assert_cmpint(host.n_restored, ==, 1);
    g_clear_error(&error);
    host.fail_at = 0;
    sfu_input_free(in);

    in = g_new0(SfuInput, 1);
    in->image = IMAGE + 7; /* closed */
    g_assert_false(sfu_whole_image_read(in, 2, &error));
    g_assert_error(error, SFU_ERROR, SFU_ERROR_USAGE);
    g_clear_error(&error);
    sfu_input_free(in);
    g_clear_object(&host.picture);
}

static void an_image_closed_meanwhile(void)
{
    SfuMade made = {-1, -1};
    GError *error = NULL;
    SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
    dlg_new_scene();
    SfuInput *in = sfu_input_new(r, IMAGE, LAYER, &error);
    g_assert_no_error(error);
    GPtrArray *results = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_result_free);
    g_ptr_array_add(results, dlg_result_new());
    SfuResult *patch = results->pdata[0];
    g_object_unref(patch->picture);
    patch->picture = gegl_buffer_new(GEGL_RECTANGLE(120, 80, 150, 110), babl_format("R'G'B'A float"));
    host.closed = TRUE;
    g_assert_true(sfu_output_add(in, r, results, &made, &error));
    g_assert_cmpint(made.image, ==, IMAGE + 1);
    g_assert_true(gegl_rectangle_equal(&host.last_layer, GEGL_RECTANGLE(0, 0, W, H))); /* the patch in its picture */
    sfu_input_free(in);

    host.closed = FALSE;
    in = g_new0(SfuInput, 1);
    in->image = IMAGE;
    g_assert_true(sfu_whole_image_read(in, 2, &error));
    host.closed = TRUE;
    g_assert_true(sfu_whole_image_add(in, results, FALSE, &made, &error));
    g_assert_cmpint(made.image, ==, IMAGE + 1);
    sfu_input_free(in);
    host.closed = FALSE;
    g_ptr_array_unref(results);
    sfu_request_free(r);
    dlg_end_scene();
}

/* ---- what is worked on ---- */

static gboolean says_that_nothing_is_selected(GtkWidget *window)
{
    Search s = {GTK_TYPE_LABEL, "Select the area to fill first", NULL};
    dlg_walk(window, dlg_match_words, &s);
    return s.found != NULL;
}

static void select_meanwhile(GtkWidget *window)
{
    Search layer = {GTK_TYPE_LABEL, " of the layer: ", NULL}; /* that is not worked on */
    g_assert_true(says_that_nothing_is_selected(window));
    dlg_walk(window, dlg_match_words, &layer);
    g_assert_null(layer.found);
    dlg_come_back(window);
    g_assert_true(says_that_nothing_is_selected(window));
    host.selection = gegl_buffer_new(GEGL_RECTANGLE(120, 80, 150, 110), babl_format("Y float"));
    GeglColor *white = gegl_color_new("white");
    gegl_buffer_set_color(host.selection, NULL, white);
    g_object_unref(white);
    dlg_come_back(window);
    g_assert_false(says_that_nothing_is_selected(window));
    Search s = {GTK_TYPE_LABEL, "Selection: 150", NULL};
    dlg_walk(window, dlg_match_words, &s);
    g_assert_nonnull(s.found);
}

static void a_sentence_goes_with_its_cause(void)
{
    dlg_new_scene();
    g_clear_object(&host.selection);
    g_assert_false(dlg_run(SFU_ACTION_FILL, select_meanwhile));
    dlg_end_scene();
}

/* ---- several variants ---- */

static void add_both(GtkWidget *window)
{
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 200 && (dlg_is_running(window) || dlg_count_results(window) < 3); i++)
        dlg_settle(50);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Add as Layer")));
    g_assert_cmpint(host.last_above, ==, LAYER);
    gtk_button_clicked(GTK_BUTTON(dlg_find_start(window, "Result 2, seed")));
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Add as Layer")));
    g_assert_cmpint(host.last_above, ==, LAYER + 1); /* the first variant's layer would hide it */
}

static void a_second_variant_lies_above_the_first(void)
{
    dlg_new_scene();
    host.n_inserted = 0;
    g_assert_true(dlg_run(SFU_ACTION_FILL, add_both));
    g_assert_cmpint(host.n_inserted, ==, 2);
    dlg_end_scene();
}

static void close_without_adding(GtkWidget *window)
{
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 200 && !dlg_is_sensitive(window, GTK_TYPE_BUTTON, "_Add as Layer"); i++)
        dlg_settle(50);
    g_timeout_add(300, dlg_answer, "_Back");
    gtk_dialog_response(GTK_DIALOG(window), GTK_RESPONSE_CLOSE);
    g_assert_true(gtk_widget_get_visible(window));
    g_assert_cmpint(host.n_inserted, ==, 0);
    g_timeout_add(300, dlg_answer, "_Add and Close"); /* answers what act() asks for next */
}

static void results_are_asked_about(void)
{
    dlg_new_scene();
    host.n_inserted = 0;
    g_assert_true(dlg_run(SFU_ACTION_FILL, close_without_adding));
    g_assert_cmpint(host.n_inserted, ==, 1);
    dlg_end_scene();
}

static void keep_them(GtkWidget *window)
{
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate"))); /* waits behind the first */
    for (int i = 0; i < 200 && dlg_is_running(window); i++)
        dlg_settle(50);
    g_timeout_add(300, dlg_answer, "_Keep");
}

static void find_them_again(GtkWidget *window)
{
    for (int i = 0; i < 100 && dlg_count_results(window) < 6; i++)
        dlg_settle(50);
    g_assert_cmpuint(dlg_count_results(window), ==, 6); /* two orders of three variants */
    dlg_look_at(window, "fill", "7-kept");
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Delete this result")));
    g_assert_cmpuint(dlg_count_results(window), ==, 5);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Add as Layer")));
    g_assert_cmpint(host.n_inserted, ==, 1);
}

static void find_the_rest(GtkWidget *window)
{
    for (int i = 0; i < 100 && dlg_count_results(window) < 4; i++)
        dlg_settle(50);
    dlg_settle(100);
    g_assert_cmpuint(dlg_count_results(window), ==, 4);
    for (int i = 0; i < 4; i++)
        gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Delete this result")));
    g_assert_false(dlg_is_sensitive(window, GTK_TYPE_BUTTON, "_Add as Layer"));
}

/* What is not added waits for this session's next dialog, with its pixels and values. */
static void results_are_kept(void)
{
    static void (*const dialogs[])(GtkWidget *) = {keep_them, find_them_again, find_the_rest};
    SfuMade made;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    dlg_new_scene();
    host.n_inserted = 0;
    dlg_action = SFU_ACTION_FILL;
    for (gsize i = 0; i < G_N_ELEMENTS(dialogs); i++) {
        SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
        g_timeout_add(100, dlg_act, dialogs[i]);
        g_assert_true(sfu_ui_run(r, IMAGE, LAYER, settings, &made, &error) == (i == 1));
        g_assert_no_error(error);
        sfu_request_free(r);
    }
    GPtrArray *history = sfu_history_read(IMAGE);
    g_assert_cmpuint(history->len, >=, 6);
    const SfuRequest *newest = history->pdata[0];
    g_assert_cmpint(newest->action, ==, SFU_ACTION_FILL);
    g_assert_true(sfu_params_is_set(newest->params, "seed"));
    g_ptr_array_unref(history);
    sfu_settings_free(settings);
    dlg_end_scene();
}

static void history_is_bounded(void)
{
    g_clear_pointer(&host.texts, g_hash_table_unref);
    for (int i = 0; i < 60; i++) {
        SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
        sfu_params_put(r->params, SFU_PARAM_SEED, i);
        char *json = sfu_request_to_json(r, 0);
        sfu_history_note(IMAGE, json, i % 2);
        sfu_history_note(IMAGE, json, TRUE); /* noted twice, it is there once */
        g_free(json);
        sfu_request_free(r);
    }
    GPtrArray *all = sfu_history_read(IMAGE);
    g_assert_cmpuint(all->len, ==, 50);
    g_ptr_array_unref(all);
    sfu_host_image_text_set(IMAGE, "sfumato-history", "{\"action\": 7}\n[[[[", TRUE); /* a picture from anywhere */
    sfu_host_image_text_set(IMAGE, "sfumato-tried", "", TRUE);
    all = sfu_history_read(IMAGE);
    g_assert_cmpuint(all->len, ==, 0);
    g_ptr_array_unref(all);
    g_clear_pointer(&host.texts, g_hash_table_unref);
}

static void close_while_it_runs(GtkWidget *window)
{
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    dlg_settle(300);
}

static void closing_does_not_wait_with_the_window_shown(void)
{
    SfuMade made;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
    dlg_new_scene();
    g_setenv("SFU_STANDIN_STEP_MS", "2000", TRUE);
    g_timeout_add(100, dlg_act, close_while_it_runs);
    g_assert_false(sfu_ui_run(r, IMAGE, LAYER, settings, &made, &error));
    g_assert_no_error(error);
    sfu_request_free(r);
    sfu_settings_free(settings);
    dlg_end_scene();
}

static void stop_after_one(GtkWidget *window)
{
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 400 && dlg_count_results(window) < 1; i++)
        dlg_settle(20);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "S_top")));
    for (int i = 0; i < 200 && dlg_is_running(window); i++)
        dlg_settle(50);
    g_assert_cmpuint(dlg_count_results(window), <, 3);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Add as Layer")));
    g_assert_cmpint(host.n_inserted, ==, 1);
}

static void a_stop_leaves_what_is_done(void)
{
    dlg_new_scene();
    host.n_inserted = 0;
    g_setenv("SFU_STANDIN_STEP_MS", "100", TRUE);
    dlg_run(SFU_ACTION_FILL, stop_after_one);
    g_unsetenv("SFU_STANDIN_STEP_MS");
    dlg_end_scene();
}

static GtkWidget *focus_of(GtkWidget *window)
{
    return gtk_window_get_focus(GTK_WINDOW(window));
}

/* What is typed while it runs goes on into the prompt; else Enter adds what came out. */
static void write_while_it_runs(GtkWidget *window)
{
    GtkWidget *prompt = dlg_find_or_fail(window, GTK_TYPE_TEXT_VIEW, "Prompt");
    GtkTextBuffer *text = gtk_text_view_get_buffer(GTK_TEXT_VIEW(prompt));
    for (int writes = 1; writes >= 0; writes--) {
        gtk_text_buffer_set_text(text, writes ? "a" : "b", -1);
        gtk_widget_grab_focus(prompt);
        gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
        dlg_settle(100);
        g_assert_true(dlg_is_running(window));
        g_assert_true(focus_of(window) == prompt);
        if (writes)
            gtk_text_buffer_insert_at_cursor(text, " red door", -1);
        for (int i = 0; i < 200 && dlg_is_running(window); i++)
            dlg_settle(50);
        g_assert_true(focus_of(window) ==
                      (writes ? prompt : dlg_find_or_fail(window, GTK_TYPE_BUTTON, "Add and C_lose")));
    }
    g_timeout_add(300, dlg_answer, "_Discard");
}

static void writing_goes_on_in_a_run(void)
{
    dlg_new_scene();
    g_setenv("SFU_STANDIN_STEP_MS", "30", TRUE);
    g_assert_false(dlg_run(SFU_ACTION_REFINE, write_while_it_runs));
    g_unsetenv("SFU_STANDIN_STEP_MS");
    dlg_end_scene();
}

/* ---- the preview ---- */

static void send_button(GtkWidget *w, GdkEventType type, double x, double y)
{
    gboolean handled;
    GdkEvent *e = gdk_event_new(type);
    e->button.window = g_object_ref(gtk_widget_get_window(w));
    e->button.button = 1;
    e->button.x = x;
    e->button.y = y;
    g_signal_emit_by_name(w, type == GDK_BUTTON_PRESS ? "button-press-event" : "button-release-event", e, &handled);
    gdk_event_free(e);
}

static void send_motion(GtkWidget *w, double x, double y)
{
    gboolean handled;
    GdkEvent *e = gdk_event_new(GDK_MOTION_NOTIFY);
    e->motion.window = g_object_ref(gtk_widget_get_window(w));
    e->motion.x = x;
    e->motion.y = y;
    g_signal_emit_by_name(w, "motion-notify-event", e, &handled);
    gdk_event_free(e);
}

static double side(GtkWidget *window, const char *name)
{
    return gtk_spin_button_get_value(GTK_SPIN_BUTTON(dlg_find_or_fail(window, GTK_TYPE_SPIN_BUTTON, name)));
}

static void drag_canvas(GtkWidget *window)
{
    GtkWidget *preview = dlg_find_or_fail(window, GTK_TYPE_DRAWING_AREA, "Preview");
    GtkAllocation a;
    gtk_widget_get_allocation(preview, &a);
    const double middle = a.height / 2.0, px = (128 + W + 128.0) / a.width; /* the canvas fills the width */
    dlg_look_at(window, "expand", "0-handles");
    send_button(preview, GDK_BUTTON_PRESS, 2, middle);
    send_motion(preview, 42, middle);
    send_motion(preview, 62, middle);
    send_button(preview, GDK_BUTTON_RELEASE, 62, middle);
    g_assert_cmpfloat(fabs(side(window, "Left") - (128 - 62 * px)), <, 3);
    g_assert_cmpfloat(side(window, "Right"), ==, 128);
    g_assert_cmpfloat(side(window, "Top"), ==, 0);
    dlg_settle(100);
    const double left = side(window, "Left"), now = (left + W + 128) / a.width;
    send_button(preview, GDK_BUTTON_PRESS, a.width - 1, middle - (H / 2.0) / now); /* the upper right corner */
    send_motion(preview, a.width * 0.3, middle + 5);
    send_button(preview, GDK_BUTTON_RELEASE, a.width * 0.3, middle + 5);
    g_assert_cmpfloat(side(window, "Right"), ==, 0); /* not into the picture */
    g_assert_cmpfloat(side(window, "Top"), ==, 0);
    g_assert_cmpfloat(side(window, "Left"), ==, left);
}

static guint32 pixel_at(GtkWidget *w, double part)
{
    GtkAllocation a;
    gtk_widget_get_allocation(w, &a);
    const int x = a.width * part, y = a.height / 2 + 30;
#if GTK_CHECK_VERSION(3, 0, 0)
    GdkPixbuf *p = gdk_pixbuf_get_from_window(gtk_widget_get_window(w), x, y, 1, 1);
#else
    GdkPixbuf *p = gdk_pixbuf_get_from_drawable(NULL, gtk_widget_get_window(w), NULL, x, y, 0, 0, 1, 1);
#endif
    const guchar *c = gdk_pixbuf_get_pixels(p);
    const guint32 rgb = (guint32)c[0] << 16 | (guint32)c[1] << 8 | c[2];
    g_object_unref(p);
    return rgb;
}

static void compare_it(GtkWidget *window)
{
    GtkWidget *preview = dlg_find_or_fail(window, GTK_TYPE_DRAWING_AREA, "Preview");
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    dlg_settle(100);
    for (int i = 0; i < 200 && dlg_is_running(window); i++)
        dlg_settle(50);
    dlg_settle(100);
    const guint32 left = pixel_at(preview, 0.4), right = pixel_at(preview, 0.6);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "C_ompare")));
    dlg_look_at(window, "fill", "9-compare");
    const guint32 before = pixel_at(preview, 0.4);
    g_assert_cmphex(before, !=, left);
    g_assert_cmphex(pixel_at(preview, 0.6), ==, right);
    GtkAllocation a;
    gtk_widget_get_allocation(preview, &a);
    send_button(preview, GDK_BUTTON_PRESS, a.width / 2.0, 20);
    send_motion(preview, a.width * 0.3, 20);
    send_button(preview, GDK_BUTTON_RELEASE, a.width * 0.3, 20);
    dlg_settle(100);
    g_assert_cmphex(pixel_at(preview, 0.4), ==, left); /* the line has passed it */
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(window, GTK_TYPE_BUTTON, "C_ompare")));
    g_timeout_add(300, dlg_answer, "_Discard");
}

static void preview_is_dragged(gconstpointer use)
{
    SfuMade made;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    SfuRequest *r = sfu_request_new(use == (gconstpointer)compare_it ? SFU_ACTION_FILL : SFU_ACTION_EXPAND);
    dlg_new_scene();
    dlg_action = r->action;
    g_timeout_add(100, dlg_act, (gpointer)use);
    g_assert_false(sfu_ui_run(r, IMAGE, LAYER, settings, &made, &error));
    g_assert_no_error(error);
    sfu_request_free(r);
    sfu_settings_free(settings);
    dlg_end_scene();
}

void dlg_results_tests(void)
{
    g_test_add_data_func("/preview/the canvas is dragged", drag_canvas, preview_is_dragged);
    g_test_add_data_func("/preview/before and after beside each other", compare_it, preview_is_dragged);
    g_test_add_func("/whole-image/as many results as layers, or a sentence and nothing changed",
                    a_result_for_each_layer);
    g_test_add_func("/results/an image closed meanwhile becomes a new one", an_image_closed_meanwhile);
    g_test_add_func("/results/what is selected while the dialog is open", a_sentence_goes_with_its_cause);
    g_test_add_func("/results/a second variant lies above the first", a_second_variant_lies_above_the_first);
    g_test_add_func("/results/closing asks about what was not added", results_are_asked_about);
    g_test_add_func("/results/what is kept is there again", results_are_kept);
    g_test_add_func("/results/the history holds the last 50", history_is_bounded);
    g_test_add_func("/results/a stop leaves what is done to be added", a_stop_leaves_what_is_done);
    g_test_add_func("/results/writing goes on in a run", writing_goes_on_in_a_run);
    g_test_add_func("/results/closing in a run", closing_does_not_wait_with_the_window_shown);
}
