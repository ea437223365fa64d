/* A dialog's row of buttons, each as wide as its own words: GTK makes all of them as wide as the longest, and eight
 * such buttons are wider than a screen of 1280 pixels in German.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialog-private.h"

#if GTK_CHECK_VERSION(3, 2, 0)
void sfu_button_row_natural(GtkWidget *row)
{
    GList *buttons = gtk_container_get_children(GTK_CONTAINER(row));
    for (GList *l = buttons; l; l = l->next)
        gtk_button_box_set_child_non_homogeneous(GTK_BUTTON_BOX(row), l->data, TRUE);
    g_list_free(buttons);
}
#else
/* What a button asks for, and a margin around it. */
static GtkRequisition asked(GtkWidget *row, GtkWidget *button)
{
    GtkRequisition r;
    int pad = 0, least = 0;
    gtk_widget_style_get(row, "child-internal-pad-x", &pad, "child-min-width", &least, NULL);
    gtk_widget_get_child_requisition(button, &r);
    r.width = MAX(r.width + 2 * pad, least);
    return r;
}

/* After GTK's own answer, whose height stands. */
static void on_request(GtkWidget *row, GtkRequisition *all, gpointer data)
{
    GList *buttons = gtk_container_get_children(GTK_CONTAINER(row));
    const int spacing = gtk_box_get_spacing(GTK_BOX(row));
    all->width = 2 * gtk_container_get_border_width(GTK_CONTAINER(row)) - spacing;
    for (GList *l = buttons; l; l = l->next)
        if (gtk_widget_get_visible(l->data))
            all->width += asked(row, l->data).width + spacing;
    g_list_free(buttons);
}

/* The secondary buttons from the left on, the others up to the right. */
static void on_allocate(GtkWidget *row, GtkAllocation *all, gpointer data)
{
    GList *buttons = g_list_reverse(gtk_container_get_children(GTK_CONTAINER(row))); /* they are packed from the end */
    const int spacing = gtk_box_get_spacing(GTK_BOX(row)), border = gtk_container_get_border_width(GTK_CONTAINER(row));
    int from = all->x + border, to = all->x + all->width - border;
    for (GList *l = buttons; l; l = l->next)
        if (gtk_widget_get_visible(l->data) && !gtk_button_box_get_child_secondary(GTK_BUTTON_BOX(row), l->data))
            to -= asked(row, l->data).width + spacing;
    to += spacing;
    for (GList *l = buttons; l; l = l->next) {
        if (!gtk_widget_get_visible(l->data))
            continue;
        int *at = gtk_button_box_get_child_secondary(GTK_BUTTON_BOX(row), l->data) ? &from : &to;
        GtkAllocation a;
        gtk_widget_get_allocation(l->data, &a); /* its height and place from above are GTK's */
        a.x = *at;
        a.width = asked(row, l->data).width;
        *at += a.width + spacing;
        gtk_widget_size_allocate(l->data, &a);
    }
    g_list_free(buttons);
}

void sfu_button_row_natural(GtkWidget *row)
{
    g_signal_connect(row, "size-request", G_CALLBACK(on_request), NULL);
    g_signal_connect(row, "size-allocate", G_CALLBACK(on_allocate), NULL);
}
#endif
