/* Reference layers.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "reference-rows.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "fields.h"
#include "host.h"
#include "models.h"

typedef struct {
    SfuReferenceRows *all;
    GtkWidget *box, *layer, *weight_box;
    GtkAdjustment *weight;
    char *more; /* what the widgets do not show: ",from=..,net=.." as it came */
    gboolean showing;
} Row;

static void row_free(gpointer p)
{
    Row *r = p;
    g_free(r->more);
    g_free(r);
}

static void say_changed(Row *r)
{
    if (!r->showing)
        r->all->changed(NULL, r->all->data);
}

static void remove_row(GtkWidget *button, gpointer data)
{
    Row *r = data;
    SfuReferenceRows *c = r->all;
    gtk_widget_destroy(r->box);
    g_ptr_array_remove(c->rows, r);
    c->changed(NULL, c->data);
}

static Row *add_row(SfuReferenceRows *c)
{
    Row *r = g_new0(Row, 1);
    GtkWidget *head = sfu_hbox(4), *remove = sfu_icon_button("list-remove", _("Remove this reference layer"));
    r->all = c;
    r->more = g_strdup("");
    r->showing = TRUE;
    r->box = sfu_vbox(4);
    r->layer = sfu_list_combo_new(_("Reference layer"));
    r->weight_box = sfu_weight_box(&r->weight, _("How much the layer counts: 0 not at all, 1 fully"));
    gtk_widget_set_tooltip_text(r->layer, _("The layer that the model reads; it may be hidden"));
    gtk_button_set_relief(GTK_BUTTON(remove), GTK_RELIEF_NONE);
    gtk_box_pack_start(GTK_BOX(head), r->layer, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(head), remove, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(r->box), head, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(r->box), r->weight_box, FALSE, FALSE, 0);
    g_ptr_array_add(c->rows, r);
    gtk_box_pack_start(GTK_BOX(c->list), r->box, FALSE, FALSE, 0);
    sfu_layer_combo_fill(r->layer, c->image, NULL);
    gtk_combo_box_set_active(GTK_COMBO_BOX(r->layer), 0);
    g_signal_connect(remove, "clicked", G_CALLBACK(remove_row), r);
    g_signal_connect_swapped(r->layer, "changed", G_CALLBACK(say_changed), r);
    g_signal_connect_swapped(r->weight, "value-changed", G_CALLBACK(say_changed), r);
    gtk_widget_show_all(r->box);
    gtk_widget_set_visible(r->weight_box, c->use == SFU_REFERENCES_WEIGHTED);
    r->showing = FALSE;
    return r;
}

static void add_clicked(GtkWidget *button, gpointer data)
{
    SfuReferenceRows *c = data;
    Row *r = add_row(c);
    c->changed(r->box, c->data);
    gtk_widget_grab_focus(r->layer);
}

void sfu_reference_rows_init(SfuReferenceRows *c, int image, const SfuSettings *settings,
                             void (*changed)(GtkWidget *added, gpointer data), gpointer data)
{
    GtkWidget *add = gtk_button_new_with_mnemonic(_("Add Re_ference Layer"));
    *c = (SfuReferenceRows){.image = image, .settings = settings, .changed = changed, .data = data};
    c->rows = g_ptr_array_new_with_free_func(row_free);
    c->model = g_strdup("");
    c->box = sfu_vbox(6);
    c->list = sfu_vbox(12);
    gtk_widget_set_tooltip_text(add, _("A layer with a thing, a person or a look that the new picture takes over"));
    g_signal_connect(add, "clicked", G_CALLBACK(add_clicked), c);
    gtk_box_pack_start(GTK_BOX(c->box), c->list, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(c->box), add, FALSE, FALSE, 0);
    gtk_widget_show_all(c->box);
    gtk_widget_set_no_show_all(c->box, TRUE);
    gtk_widget_hide(c->box);
}

void sfu_reference_rows_finish(SfuReferenceRows *c)
{
    sfu_background_cancel(c->looking);
    if (!c->rows)
        return;
    g_ptr_array_unref(c->rows);
    g_free(c->model);
}

static void use_known(SfuReferences use, gpointer data)
{
    SfuReferenceRows *c = data;
    SfuHostImage info;
    c->looking = NULL;
    c->use = use;
    /* Without an image there are no layers to choose from. */
    gtk_widget_set_visible(c->box, use != SFU_REFERENCES_NONE && sfu_host_image_info(c->image, &info));
    for (guint i = 0; i < c->rows->len; i++)
        gtk_widget_set_visible(((Row *)c->rows->pdata[i])->weight_box, use == SFU_REFERENCES_WEIGHTED);
}

void sfu_reference_rows_look_again(SfuReferenceRows *c)
{
    if (!c->rows)
        return;
    sfu_background_cancel(c->looking);
    c->looking = sfu_models_ask_for_references(c->settings, c->model, use_known, c);
}

void sfu_reference_rows_set_model(SfuReferenceRows *c, const char *path)
{
    if (!c->rows || strcmp(c->model, path) == 0)
        return;
    g_free(c->model);
    c->model = g_strdup(path);
    sfu_reference_rows_look_again(c);
}

void sfu_reference_rows_list_layers(SfuReferenceRows *c)
{
    for (guint i = 0; c->rows && i < c->rows->len; i++) {
        Row *r = c->rows->pdata[i];
        r->showing = TRUE;
        sfu_layer_combo_fill(r->layer, c->image, NULL);
        r->showing = FALSE;
    }
}

void sfu_reference_rows_get(const SfuReferenceRows *c, SfuRequest *r)
{
    if (!c->rows || (c->use == SFU_REFERENCES_NONE && !c->looking))
        return;
    for (guint i = 0; i < c->rows->len; i++) {
        const Row *row = c->rows->pdata[i];
        const double weight = rint(gtk_adjustment_get_value(row->weight) * 1e4) / 1e4;
        char number[G_ASCII_DTOSTR_BUF_SIZE], *layer = sfu_model_combo_get(row->layer);
        GString *text = g_string_new(layer);
        if (c->use == SFU_REFERENCES_WEIGHTED && weight != 1)
            g_string_append_printf(text, ",weight=%s", g_ascii_formatd(number, sizeof number, "%.6g", weight));
        if (c->use == SFU_REFERENCES_WEIGHTED)
            g_string_append(text, row->more);
        if (*layer)
            sfu_params_add(r->params, "reference", text->str, NULL);
        g_string_free(text, TRUE);
        g_free(layer);
    }
}

/* Of a reference that came from elsewhere. Caller frees. */
static char *what_has_no_widget(const SfuReferenceSpec *spec)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    GString *more = g_string_new(NULL);
    if (spec->from != 0)
        g_string_append_printf(more, ",from=%s", g_ascii_formatd(number, sizeof number, "%.6g", spec->from));
    if (spec->to != 1)
        g_string_append_printf(more, ",to=%s", g_ascii_formatd(number, sizeof number, "%.6g", spec->to));
    if (spec->net)
        g_string_append_printf(more, ",net=%s", spec->net);
    return g_string_free(more, FALSE);
}

void sfu_reference_rows_show(SfuReferenceRows *c, const SfuRequest *request)
{
    SfuHostImage info;
    if (!c->rows)
        return;
    while (c->rows->len) {
        gtk_widget_destroy(((Row *)c->rows->pdata[0])->box);
        g_ptr_array_remove_index(c->rows, 0);
    }
    const char *const *texts = sfu_params_list(request->params, SFU_PARAM_REFERENCE);
    for (int i = 0; texts[i] && sfu_host_image_info(c->image, &info); i++) {
        SfuReferenceSpec spec;
        if (!sfu_reference_spec_read(texts[i], &spec, NULL))
            continue;
        if (sfu_host_layer_named(c->image, spec.picture) >= 0) {
            Row *r = add_row(c);
            r->showing = TRUE;
            sfu_model_combo_set(r->layer, spec.picture);
            gtk_adjustment_set_value(r->weight, spec.weight);
            g_free(r->more);
            r->more = what_has_no_widget(&spec);
            r->showing = FALSE;
            c->changed(r->box, c->data);
        }
        sfu_reference_spec_clear(&spec);
    }
}
