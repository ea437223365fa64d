/* Building an action's dialog: controls on the left, the picture with zoom and results on the right, progress below.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialog-private.h"

#include <glib/gi18n-lib.h>

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

/* Before, Compare, Delete and zoom. */
static GtkWidget *picture_tools(SfuDialog *d)
{
    static const struct {
        const char *icon, *tooltip;
        void (*fn)(GtkWidget *, gpointer);
    } buttons[] = {{"zoom-out", N_("Zoom out"), zoom_out},
                   {"zoom-in", N_("Zoom in"), zoom_in},
                   {"zoom-original", N_("Zoom to 1:1"), zoom_one},
                   {"zoom-fit-best", N_("Show the whole result"), zoom_fit}};
    GtkWidget *tools = sfu_hbox(2);
    d->before_button = gtk_toggle_button_new_with_mnemonic(_("_Before"));
    gtk_widget_set_tooltip_text(d->before_button, _("Show the picture without the result, also while F2 is held"));
    g_signal_connect(d->before_button, "toggled", G_CALLBACK(sfu_dialog_before_toggled), d);
    sfu_readable_when_on(d->before_button);
    gtk_box_pack_start(GTK_BOX(tools), d->before_button, FALSE, FALSE, 0);
    d->compare_button = gtk_toggle_button_new_with_mnemonic(_("C_ompare"));
    gtk_widget_set_tooltip_text(d->compare_button,
                                _("Show before and after side by side, divided by a line that you can drag"));
    g_signal_connect(d->compare_button, "toggled", G_CALLBACK(sfu_dialog_compare_toggled), d);
    sfu_readable_when_on(d->compare_button);
    gtk_box_pack_start(GTK_BOX(tools), d->compare_button, FALSE, FALSE, 4);
    gtk_box_pack_start(GTK_BOX(tools), gtk_label_new(""), TRUE, TRUE, 0);
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
    return tools;
}

/* The row of results, which scrolls. */
static GtkWidget *results_strip(SfuDialog *d)
{
    GtkWidget *scroll = gtk_scrolled_window_new(NULL, NULL), *port = gtk_viewport_new(NULL, NULL);
    d->strip = sfu_hbox(4);
    gtk_viewport_set_shadow_type(GTK_VIEWPORT(port), GTK_SHADOW_NONE);
    gtk_container_add(GTK_CONTAINER(port), d->strip);
    gtk_container_add(GTK_CONTAINER(scroll), port);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll), GTK_POLICY_AUTOMATIC, GTK_POLICY_NEVER);
    gtk_widget_set_size_request(scroll, -1, sfu_px(140));
    sfu_name(d->strip, _("Results"));
    gtk_widget_show_all(port);
    gtk_widget_set_no_show_all(scroll, TRUE); /* until there is a result, its room is the picture's */
    d->strip_room = scroll;
    return scroll;
}

static GtkWidget *picture_side(SfuDialog *d)
{
    GtkWidget *box = sfu_vbox(6), *frame = gtk_frame_new(NULL);
    d->preview = sfu_preview_new();
    gtk_frame_set_shadow_type(GTK_FRAME(frame), GTK_SHADOW_IN);
    gtk_container_add(GTK_CONTAINER(frame), sfu_preview_widget(d->preview));
    gtk_box_pack_start(GTK_BOX(box), frame, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), picture_tools(d), FALSE, FALSE, 0);
    d->status = sfu_label(""); /* a line of its own: beside the buttons a seed had no room */
    gtk_label_set_ellipsize(GTK_LABEL(d->status), PANGO_ELLIPSIZE_END);
    gtk_box_pack_start(GTK_BOX(box), d->status, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), results_strip(d), FALSE, FALSE, 0);
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
    gtk_widget_set_size_request(d->error_label, sfu_px(500), -1);
    /* The colors of a warning are not readable in every theme of GIMP 2.10; the theme's own colors and an icon are. */
    gtk_info_bar_set_message_type(GTK_INFO_BAR(d->error_bar), GTK_MESSAGE_OTHER);
    GtkWidget *content = gtk_info_bar_get_content_area(GTK_INFO_BAR(d->error_bar));
    gtk_box_pack_start(GTK_BOX(content), gtk_image_new_from_icon_name("dialog-warning", GTK_ICON_SIZE_LARGE_TOOLBAR),
                       FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(content), d->error_label, TRUE, TRUE, 0);
    gtk_info_bar_add_button(GTK_INFO_BAR(d->error_bar), _("Dismiss"), GTK_RESPONSE_CLOSE);
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
    return action == SFU_ACTION_ENLARGE ? _("_Enlarge") : action == SFU_ACTION_RESTORE ? _("R_estore") : _("_Generate");
}

static void buttons(SfuDialog *d)
{
    GtkDialog *dialog = GTK_DIALOG(d->window);
    const SfuAction action = d->request->action;
    secondary_button(d, _("_Reset"), RESPONSE_RESET);
    secondary_button(d, _("_Settings..."), RESPONSE_SETTINGS);
    d->history_button = secondary_button(d, _("H_istory"), RESPONSE_HISTORY);
    gtk_widget_set_tooltip_text(d->history_button, _("What was made with this image, with all values"));
    d->close = gtk_dialog_add_button(dialog, _("_Close"), GTK_RESPONSE_CLOSE);
    const gboolean image_of_its_own = sfu_action_spec(action, "new_image") != NULL;
    d->add = gtk_dialog_add_button(dialog, image_of_its_own ? _("_Add to GIMP") : _("_Add as Layer"), RESPONSE_ADD);
    d->add_and_close = gtk_dialog_add_button(dialog, _("Add and C_lose"), RESPONSE_ADD_AND_CLOSE);
    d->stop = gtk_dialog_add_button(dialog, _("S_top"), RESPONSE_STOP);
    d->generate = gtk_dialog_add_button(dialog, go_words(action), RESPONSE_GENERATE);
    gtk_widget_set_tooltip_text(d->generate, _("While a run is in progress, this waits for it"));
    gtk_dialog_set_default_response(dialog, RESPONSE_GENERATE);
    sfu_button_row_natural(gtk_widget_get_parent(d->generate));
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
    gtk_box_pack_start(GTK_BOX(sides), sfu_dialog_panel(d), FALSE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(sides), picture_side(d), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(all), error_bar(d), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(all), sides, TRUE, TRUE, 0);
    d->progress = sfu_progress_bar();
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), _("Ready"));
    sfu_name(d->progress, _("Progress"));
    gtk_box_pack_start(GTK_BOX(all), d->progress, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(gtk_dialog_get_content_area(dialog)), all, TRUE, TRUE, 0);
    int width, height;
    sfu_screen_size(&width, &height);
    gtk_window_set_default_size(GTK_WINDOW(d->window), MIN(sfu_px(980), width - 20), MIN(sfu_px(730), height - 60));
    g_signal_connect(d->window, "response", G_CALLBACK(sfu_dialog_response), d);
    g_signal_connect(d->window, "key-press-event", G_CALLBACK(sfu_dialog_key), d);
    g_signal_connect(d->window, "key-release-event", G_CALLBACK(sfu_dialog_key_up), d);
    g_signal_connect(d->window, "focus-in-event", G_CALLBACK(sfu_dialog_focused), d);
    sfu_dialog_show_request(d, d->request);
    gtk_widget_show_all(d->window);
    sfu_dialog_update_scope(d);
    sfu_dialog_update_model(d);
    sfu_dialog_focus_first(d);
}

void sfu_dialog_error(SfuDialog *d, const char *sentence)
{
    gtk_label_set_text(GTK_LABEL(d->error_label), sentence ? sentence : "");
    gtk_widget_set_visible(d->error_bar, sentence != NULL);
}
