/* GTK 2 and GTK 3 from one source: the few calls that differ.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UI_COMPAT_H
#define SFU_UI_COMPAT_H

#include <gtk/gtk.h>
#include <gdk/gdkkeysyms.h>

G_BEGIN_DECLS

#if GTK_CHECK_VERSION(3, 0, 0)
#define SFU_KEY(name) GDK_KEY_##name

static inline GtkWidget *sfu_hbox(int spacing)
{
    return gtk_box_new(GTK_ORIENTATION_HORIZONTAL, spacing);
}

static inline GtkWidget *sfu_vbox(int spacing)
{
    return gtk_box_new(GTK_ORIENTATION_VERTICAL, spacing);
}

static inline GtkWidget *sfu_grid(void)
{
    GtkWidget *g = gtk_grid_new();
    gtk_grid_set_row_spacing(GTK_GRID(g), 6);
    gtk_grid_set_column_spacing(GTK_GRID(g), 6);
    return g;
}

static inline void sfu_grid_attach(GtkWidget *grid, GtkWidget *child, int column, int row, int n_columns,
                                   gboolean expand)
{
    gtk_widget_set_hexpand(child, expand);
    gtk_grid_attach(GTK_GRID(grid), child, column, row, n_columns, 1);
}

/* For a row that is hidden or shown: nothing to do. */
static inline void sfu_grid_row_visible(GtkWidget *child, gboolean on)
{
}

/* With a gap below the expander's label. */
static inline void sfu_expander_add(GtkWidget *expander, GtkWidget *child)
{
    gtk_widget_set_margin_top(child, 6);
    gtk_container_add(GTK_CONTAINER(expander), child);
}

static inline GtkWidget *sfu_hscale(GtkAdjustment *a)
{
    return gtk_scale_new(GTK_ORIENTATION_HORIZONTAL, a);
}

static inline void sfu_align_left(GtkWidget *label)
{
    gtk_label_set_xalign(GTK_LABEL(label), 0);
}

static inline int sfu_scale_factor(GtkWidget *w)
{
    return gtk_widget_get_scale_factor(w);
}

/* A picture in the screen's own pixels, which may be finer than GTK's. */
static inline void sfu_image_set(GtkWidget *image, GdkPixbuf *pixbuf)
{
    cairo_surface_t *s = gdk_cairo_surface_create_from_pixbuf(pixbuf, gtk_widget_get_scale_factor(image), NULL);
    gtk_image_set_from_surface(GTK_IMAGE(image), s);
    cairo_surface_destroy(s);
}

static inline GtkAdjustment *sfu_adjustment(double value, double min, double max, double step, double page)
{
    return gtk_adjustment_new(value, min, max, step, page, 0);
}

static inline void sfu_menu_popup(GtkWidget *menu, GtkWidget *button)
{
    gtk_menu_popup_at_widget(GTK_MENU(menu), button, GDK_GRAVITY_SOUTH_EAST, GDK_GRAVITY_NORTH_EAST, NULL);
}

/* The space that a window may take, in its own units; on screens of high density fewer than pixels. */
static inline void sfu_screen_size(int *width, int *height)
{
    GdkDisplay *display = gdk_display_get_default();
    GdkMonitor *monitor = gdk_display_get_primary_monitor(display);
    GdkRectangle r;
    gdk_monitor_get_workarea(monitor ? monitor : gdk_display_get_monitor(display, 0), &r);
    *width = r.width;
    *height = r.height;
}

static inline void sfu_set_cursor(GdkWindow *window, GdkCursorType type)
{
    GdkCursor *cursor = gdk_cursor_new_for_display(gdk_window_get_display(window), type);
    gdk_window_set_cursor(window, cursor);
    g_object_unref(cursor);
}

/* A progress bar whose text has the theme's text color; GTK's own is nearly as light as its background. */
static inline GtkWidget *sfu_progress_bar(void)
{
    GtkWidget *bar = gtk_progress_bar_new();
    GtkCssProvider *css = gtk_css_provider_new();
    gtk_css_provider_load_from_data(css, "progressbar { color: @theme_fg_color; }", -1, NULL);
    gtk_style_context_add_provider(gtk_widget_get_style_context(bar), GTK_STYLE_PROVIDER(css),
                                   GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    g_object_unref(css);
    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(bar), TRUE);
    return bar;
}

static inline void sfu_readable_label(GtkWidget *label)
{
}

static inline void sfu_show_uri(GtkWidget *window, const char *uri)
{
    gtk_show_uri_on_window(GTK_WINDOW(window), uri, GDK_CURRENT_TIME, NULL);
}
#else
#define SFU_KEY(name) GDK_##name

static inline GtkWidget *sfu_hbox(int spacing)
{
    return gtk_hbox_new(FALSE, spacing);
}

static inline GtkWidget *sfu_vbox(int spacing)
{
    return gtk_vbox_new(FALSE, spacing);
}

static inline GtkWidget *sfu_grid(void)
{
    GtkWidget *t = gtk_table_new(1, 1, FALSE);
    gtk_table_set_row_spacings(GTK_TABLE(t), 6);
    gtk_table_set_col_spacings(GTK_TABLE(t), 6);
    return t;
}

static inline void sfu_grid_attach(GtkWidget *grid, GtkWidget *child, int column, int row, int n_columns,
                                   gboolean expand)
{
    gtk_table_attach(GTK_TABLE(grid), child, column, column + n_columns, row, row + 1,
                     expand ? GTK_EXPAND | GTK_FILL : GTK_FILL, GTK_FILL, 0, 0);
}

/* For a row that is hidden or shown: a hidden one keeps its spacing. */
static inline void sfu_grid_row_visible(GtkWidget *child, gboolean on)
{
    GtkWidget *table = gtk_widget_get_parent(child);
    guint row = 0;
    if (!GTK_IS_TABLE(table))
        return;
    gtk_container_child_get(GTK_CONTAINER(table), child, "top-attach", &row, NULL);
    gtk_table_set_row_spacing(GTK_TABLE(table), row, on ? 6 : 0);
}

static inline void sfu_expander_add(GtkWidget *expander, GtkWidget *child)
{
    gtk_expander_set_spacing(GTK_EXPANDER(expander), 6);
    gtk_container_add(GTK_CONTAINER(expander), child);
}

static inline GtkWidget *sfu_hscale(GtkAdjustment *a)
{
    return gtk_hscale_new(a);
}

static inline void sfu_align_left(GtkWidget *label)
{
    gtk_misc_set_alignment(GTK_MISC(label), 0, 0.5);
}

static inline int sfu_scale_factor(GtkWidget *w)
{
    return 1;
}

static inline void sfu_image_set(GtkWidget *image, GdkPixbuf *pixbuf)
{
    gtk_image_set_from_pixbuf(GTK_IMAGE(image), pixbuf);
}

static inline GtkAdjustment *sfu_adjustment(double value, double min, double max, double step, double page)
{
    return GTK_ADJUSTMENT(gtk_adjustment_new(value, min, max, step, page, 0));
}

static inline void sfu_menu_popup(GtkWidget *menu, GtkWidget *button)
{
    gtk_menu_popup(GTK_MENU(menu), NULL, NULL, NULL, NULL, 0, gtk_get_current_event_time());
}

static inline void sfu_set_cursor(GdkWindow *window, GdkCursorType type)
{
    GdkCursor *cursor = gdk_cursor_new(type);
    gdk_window_set_cursor(window, cursor);
    gdk_cursor_unref(cursor);
}

/* A progress bar that GTK draws itself, blue in the theme's background: GIMP 2.10's gray theme draws a dark picture
 * under dark words. */
static inline GtkWidget *sfu_progress_bar(void)
{
    GtkWidget *bar = gtk_progress_bar_new();
    gtk_rc_parse_string("style \"sfumato-progress\" { engine \"\" {} "
                        "bg[PRELIGHT] = \"#2a6ac0\" fg[PRELIGHT] = \"#ffffff\" } "
                        "widget \"*.sfumato-progress\" style \"sfumato-progress\"");
    gtk_widget_set_name(bar, "sfumato-progress");
    return bar;
}

static inline void sfu_use_normal_color(GtkWidget *label, GtkStyle *previous, gpointer data)
{
    const GtkStyle *style = gtk_widget_get_style(label);
    if (!gdk_color_equal(&style->fg[GTK_STATE_ACTIVE], &style->fg[GTK_STATE_NORMAL])) /* the call comes here again */
        gtk_widget_modify_fg(label, GTK_STATE_ACTIVE, &style->fg[GTK_STATE_NORMAL]);
}

/* GIMP 2.10's themes write on a button that is on, and on a tab that is not shown, as if it were disabled. */
static inline void sfu_readable_label(GtkWidget *label)
{
    g_signal_connect(label, "style-set", G_CALLBACK(sfu_use_normal_color), NULL);
}

static inline void sfu_show_uri(GtkWidget *window, const char *uri)
{
    gtk_show_uri(gtk_widget_get_screen(window), uri, GDK_CURRENT_TIME, NULL);
}

static inline void sfu_screen_size(int *width, int *height)
{
    *width = gdk_screen_width();
    *height = gdk_screen_height();
}
#endif

/* A length on a screen of 96 dots per inch, on this one: its letters are larger on denser screens, and what is made for
 * them must be too. GTK 2 has no scale; that of GTK 3 comes on top of this. */
static inline int sfu_px(int px)
{
    const double dpi = gdk_screen_get_resolution(gdk_screen_get_default());
    return dpi > 96 ? (int)(px * dpi / 96 + 0.5) : px;
}

static inline void sfu_readable_when_on(GtkWidget *toggle)
{
    sfu_readable_label(gtk_bin_get_child(GTK_BIN(toggle)));
}

/* Name for screen readers, where no label says it. */
static inline void sfu_name(GtkWidget *w, const char *name)
{
    atk_object_set_name(gtk_widget_get_accessible(w), name);
}

static inline GtkWidget *sfu_label(const char *text)
{
    GtkWidget *l = gtk_label_new(text);
    sfu_align_left(l);
    return l;
}

/* A small button with an icon of the theme. */
static inline GtkWidget *sfu_icon_button(const char *icon, const char *tooltip)
{
    GtkWidget *b = gtk_button_new();
    gtk_container_add(GTK_CONTAINER(b), gtk_image_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON));
    gtk_widget_set_tooltip_text(b, tooltip);
    sfu_name(b, tooltip);
    return b;
}

G_END_DECLS
#endif
