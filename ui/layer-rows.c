/* Rows about layers: what control layers and reference layers share.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "layer-rows.h"

#include <string.h>

#include "fields.h"

void sfu_layer_rows_init(SfuLayerRows *c, const SfuLayerRowsKind *kind, int image, const SfuSettings *settings,
                         void (*changed)(GtkWidget *added, gpointer data), gpointer data)
{
    GtkWidget *add = gtk_button_new_with_mnemonic(kind->add);
    *c = (SfuLayerRows){.none = kind->none, .image = image, .settings = settings, .changed = changed, .data = data};
    c->rows = g_ptr_array_new_with_free_func(kind->free);
    c->model = g_strdup("");
    c->box = sfu_vbox(6);
    c->list = sfu_vbox(12);
    gtk_widget_set_tooltip_text(add, kind->about_add);
    g_signal_connect(add, "clicked", kind->add_clicked, c);
    gtk_box_pack_start(GTK_BOX(c->box), c->list, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(c->box), add, FALSE, FALSE, 0);
    gtk_widget_show_all(c->box);
    gtk_widget_set_no_show_all(c->box, TRUE);
    gtk_widget_hide(c->box);
}

void sfu_layer_rows_finish(SfuLayerRows *c)
{
    sfu_background_cancel(c->looking);
    if (!c->rows)
        return;
    g_ptr_array_unref(c->rows);
    g_free(c->model);
}

void sfu_layer_rows_clear(SfuLayerRows *c)
{
    while (c->rows->len) {
        gtk_widget_destroy(((SfuLayerRow *)c->rows->pdata[0])->box);
        g_ptr_array_remove_index(c->rows, 0);
    }
}

gboolean sfu_layer_rows_set_model(SfuLayerRows *c, const char *path)
{
    if (!c->rows || strcmp(c->model, path) == 0)
        return FALSE;
    g_free(c->model);
    c->model = g_strdup(path);
    return TRUE;
}

void sfu_layer_rows_list_layers(SfuLayerRows *c)
{
    for (guint i = 0; c->rows && i < c->rows->len; i++) {
        SfuLayerRow *r = c->rows->pdata[i];
        r->showing = TRUE;
        sfu_layer_combo_fill(r->layer, c->image, c->none);
        r->showing = FALSE;
    }
}

/* ---- a row ---- */

static void remove_row(GtkWidget *button, gpointer data)
{
    SfuLayerRow *r = data;
    SfuLayerRows *c = r->all;
    gtk_widget_destroy(r->box);
    g_ptr_array_remove(c->rows, r);
    c->changed(NULL, c->data);
}

GtkWidget *sfu_layer_row_begin(SfuLayerRows *c, SfuLayerRow *r, const char *name, const char *about_remove)
{
    GtkWidget *head = sfu_hbox(4), *remove = sfu_icon_button("list-remove", about_remove);
    *r = (SfuLayerRow){c, sfu_vbox(4), sfu_list_combo_new(name), TRUE};
    gtk_button_set_relief(GTK_BUTTON(remove), GTK_RELIEF_NONE);
    gtk_box_pack_start(GTK_BOX(head), r->layer, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(head), remove, FALSE, FALSE, 0);
    g_ptr_array_add(c->rows, r);
    gtk_box_pack_start(GTK_BOX(c->list), r->box, FALSE, FALSE, 0);
    sfu_layer_combo_fill(r->layer, c->image, c->none);
    g_signal_connect(remove, "clicked", G_CALLBACK(remove_row), r);
    g_signal_connect_swapped(r->layer, "changed", G_CALLBACK(sfu_layer_row_changed), r);
    return head;
}

void sfu_layer_row_show(SfuLayerRow *r)
{
    gtk_widget_show_all(r->box);
    r->showing = FALSE;
}

void sfu_layer_row_changed(SfuLayerRow *r)
{
    if (!r->showing)
        r->all->changed(NULL, r->all->data);
}
