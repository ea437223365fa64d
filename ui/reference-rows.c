/* Reference layers.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "reference-rows.h"

#include <math.h>
#include <glib/gi18n-lib.h>

#include "fields.h"
#include "host.h"
#include "models.h"

typedef struct {
    SfuLayerRow base;
    GtkWidget *weight_box;
    GtkAdjustment *weight;
    char *more; /* what the widgets do not show: ",from=..,net=.." as it came */
} Row;

static void row_free(gpointer p)
{
    Row *r = p;
    g_free(r->more);
    g_free(r);
}

static Row *add_row(SfuReferenceRows *c)
{
    Row *r = g_new0(Row, 1);
    GtkWidget *head = sfu_layer_row_begin(&c->base, &r->base, _("Reference layer"), _("Remove this reference layer"));
    r->more = g_strdup("");
    r->weight_box = sfu_weight_box(&r->weight, _("How much the layer counts: 0 not at all, 1 fully"));
    gtk_widget_set_tooltip_text(r->base.layer, _("The layer that the model reads; it may be hidden"));
    gtk_box_pack_start(GTK_BOX(r->base.box), head, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(r->base.box), r->weight_box, FALSE, FALSE, 0);
    gtk_combo_box_set_active(GTK_COMBO_BOX(r->base.layer), 0);
    g_signal_connect_swapped(r->weight, "value-changed", G_CALLBACK(sfu_layer_row_changed), &r->base);
    sfu_layer_row_show(&r->base);
    gtk_widget_set_visible(r->weight_box, c->use == SFU_REFERENCES_WEIGHTED);
    return r;
}

static void add_clicked(GtkWidget *button, gpointer data)
{
    SfuReferenceRows *c = data;
    Row *r = add_row(c);
    c->base.changed(r->base.box, c->base.data);
    gtk_widget_grab_focus(r->base.layer);
}

void sfu_reference_rows_init(SfuReferenceRows *c, int image, const SfuSettings *settings,
                             void (*changed)(GtkWidget *added, gpointer data), gpointer data)
{
    const SfuLayerRowsKind kind = {.add = _("Add Re_ference Layer"),
                                   .about_add =
                                       _("A layer with an object, a person or a style for the new picture to use"),
                                   .add_clicked = G_CALLBACK(add_clicked),
                                   .free = row_free};
    sfu_layer_rows_init(&c->base, &kind, image, settings, changed, data);
    c->use = SFU_REFERENCES_NONE;
}

static void use_known(SfuReferences use, gpointer data)
{
    SfuReferenceRows *c = data;
    SfuHostImage info;
    c->base.looking = NULL;
    c->use = use;
    /* Without an image there are no layers to choose from. */
    gtk_widget_set_visible(c->base.box, use != SFU_REFERENCES_NONE && sfu_host_image_info(c->base.image, &info));
    for (guint i = 0; i < c->base.rows->len; i++)
        gtk_widget_set_visible(((Row *)c->base.rows->pdata[i])->weight_box, use == SFU_REFERENCES_WEIGHTED);
}

void sfu_reference_rows_look_again(SfuReferenceRows *c)
{
    if (!c->base.rows)
        return;
    sfu_background_cancel(c->base.looking);
    c->base.looking = sfu_models_ask_for_references(c->base.settings, c->base.model, use_known, c);
}

void sfu_reference_rows_set_model(SfuReferenceRows *c, const char *path)
{
    if (sfu_layer_rows_set_model(&c->base, path))
        sfu_reference_rows_look_again(c);
}

void sfu_reference_rows_get(const SfuReferenceRows *c, SfuRequest *r)
{
    if (!c->base.rows || (c->use == SFU_REFERENCES_NONE && !c->base.looking))
        return;
    for (guint i = 0; i < c->base.rows->len; i++) {
        const Row *row = c->base.rows->pdata[i];
        const double weight = rint(gtk_adjustment_get_value(row->weight) * 1e4) / 1e4;
        char number[G_ASCII_DTOSTR_BUF_SIZE], *layer = sfu_model_combo_get(row->base.layer);
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
    if (!c->base.rows)
        return;
    sfu_layer_rows_clear(&c->base);
    const char *const *texts = sfu_params_list(request->params, SFU_PARAM_REFERENCE);
    for (int i = 0; texts[i] && sfu_host_image_info(c->base.image, &info); i++) {
        SfuReferenceSpec spec;
        if (!sfu_reference_spec_read(texts[i], &spec, NULL))
            continue;
        if (sfu_host_layer_named(c->base.image, spec.picture) >= 0) {
            Row *r = add_row(c);
            r->base.showing = TRUE;
            sfu_model_combo_set(r->base.layer, spec.picture);
            gtk_adjustment_set_value(r->weight, spec.weight);
            g_free(r->more);
            r->more = what_has_no_widget(&spec);
            r->base.showing = FALSE;
            c->base.changed(r->base.box, c->base.data);
        }
        sfu_reference_spec_clear(&spec);
    }
}
