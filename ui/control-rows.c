/* Control layers.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "control-rows.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "fields.h"
#include "host.h"
#include "models.h"

typedef struct {
    SfuLayerRow base;
    SfuControlSpec spec; /* what the widgets do not show of it: Canny's thresholds, guessing */
    GtkWidget *net, *kind;
    GtkAdjustment *weight, *from, *to;
} Row;

/* How a layer becomes what a network looks at. Networks that know several kinds of pictures are told the kind. */
static const struct {
    const char *label;
    SfuPrepare prepare;
    const char *type; /* only for networks that are told; NULL: for all */
    gboolean plain;   /* for networks that know one kind */
} kinds[] = {{N_("Ready for the network"), SFU_PREPARE_NONE, NULL, TRUE},
             {N_("Find edges (Canny)"), SFU_PREPARE_CANNY, NULL, TRUE},
             {N_("Find lines"), SFU_PREPARE_LINES, NULL, TRUE},
             {N_("Find scribbles"), SFU_PREPARE_SCRIBBLE, NULL, TRUE},
             {N_("Dark lines on white"), SFU_PREPARE_INVERT, NULL, TRUE},
             {N_("Dark lines on white"), SFU_PREPARE_INVERT, "lineart", FALSE},
             {N_("Blur (tile)"), SFU_PREPARE_BLUR, NULL, TRUE},
             {N_("Brightness"), SFU_PREPARE_LUMINANCE, NULL, TRUE},
             {N_("Ready: pose"), SFU_PREPARE_NONE, "openpose", FALSE},
             {N_("Ready: depth"), SFU_PREPARE_NONE, "depth", FALSE},
             {N_("Ready: soft edges"), SFU_PREPARE_NONE, "softedge", FALSE},
             {N_("Ready: edges"), SFU_PREPARE_NONE, "canny", FALSE},
             {N_("Ready: normal map"), SFU_PREPARE_NONE, "normal", FALSE},
             {N_("Ready: segments"), SFU_PREPARE_NONE, "segment", FALSE},
             {N_("Ready: tile"), SFU_PREPARE_NONE, "tile", FALSE}};

/* What the words in a network's name say about its pictures. */
static SfuPrepare guess_preparation(const char *name)
{
    static const struct {
        const char *word;
        SfuPrepare prepare;
    } words[] = {
        {"canny", SFU_PREPARE_CANNY},      {"lineart", SFU_PREPARE_LINES},       {"softedge", SFU_PREPARE_LINES},
        {"hed", SFU_PREPARE_LINES},        {"mlsd", SFU_PREPARE_LINES},          {"scribble", SFU_PREPARE_SCRIBBLE},
        {"sketch", SFU_PREPARE_SCRIBBLE},  {"tile", SFU_PREPARE_BLUR},           {"blur", SFU_PREPARE_BLUR},
        {"bright", SFU_PREPARE_LUMINANCE}, {"luminance", SFU_PREPARE_LUMINANCE}, {"qr", SFU_PREPARE_LUMINANCE}};
    char *lower = g_ascii_strdown(name, -1);
    SfuPrepare found = SFU_PREPARE_NONE;
    for (gsize i = 0; i < G_N_ELEMENTS(words) && !found; i++)
        if (strstr(lower, words[i].word))
            found = words[i].prepare;
    g_free(lower);
    return found;
}

static const SfuControlNet *find_net(const SfuControlRows *c, const char *path)
{
    for (guint i = 0; i < c->nets->len; i++)
        if (strcmp(((const SfuControlNet *)c->nets->pdata[i])->path, path) == 0)
            return c->nets->pdata[i];
    return NULL;
}

static void row_free(gpointer p)
{
    Row *r = p;
    sfu_control_spec_clear(&r->spec);
    g_free(r);
}

/* ---- choices ---- */

static const SfuControlRows *all_of(const Row *r)
{
    return (const SfuControlRows *)r->base.all;
}

static void fill_nets(Row *r)
{
    const SfuControlRows *all = all_of(r);
    char *chosen = sfu_model_combo_get(r->net);
    sfu_list_combo_clear(r->net);
    for (guint i = 0; i < all->nets->len; i++) {
        const SfuControlNet *n = all->nets->pdata[i];
        sfu_list_combo_add(r->net, n->name, n->path);
    }
    if (find_net(all, chosen) || !all->nets->len)
        sfu_model_combo_set(r->net, chosen);
    else /* the model has become another one */
        gtk_combo_box_set_active(GTK_COMBO_BOX(r->net), 0);
    g_free(chosen);
}

/* Chooses what the network wants, if that is not `given`; values are places in the table. */
static void fill_kinds(Row *r, gboolean given)
{
    char *path = sfu_model_combo_get(r->net), place[16];
    const SfuControlNet *net = find_net(all_of(r), path);
    const gboolean told = net && net->has_types;
    int best = -1;
    if (!given) {
        r->spec.prepare = guess_preparation(net ? net->name : path);
        g_clear_pointer(&r->spec.type, g_free);
    }
    sfu_list_combo_clear(r->kind);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const gboolean needs_type = kinds[i].prepare == SFU_PREPARE_NONE || kinds[i].prepare == SFU_PREPARE_INVERT ||
                                    kinds[i].prepare == SFU_PREPARE_LUMINANCE;
        if (told ? needs_type && !kinds[i].type : !kinds[i].plain)
            continue;
        g_snprintf(place, sizeof place, "%zu", i);
        sfu_list_combo_add(r->kind, _(kinds[i].label), place);
        if (kinds[i].prepare == r->spec.prepare && (best < 0 || g_strcmp0(kinds[i].type, r->spec.type) == 0))
            best = (int)i;
    }
    g_snprintf(place, sizeof place, "%d", MAX(best, 0));
    if (best >= 0)
        sfu_model_combo_set(r->kind, place);
    else
        gtk_combo_box_set_active(GTK_COMBO_BOX(r->kind), 0);
    g_free(path);
}

/* ---- a row ---- */

static void net_chosen(GtkComboBox *combo, gpointer data)
{
    Row *r = data;
    if (r->base.showing)
        return;
    r->base.showing = TRUE;
    fill_kinds(r, FALSE);
    r->base.showing = FALSE;
    sfu_layer_row_changed(&r->base);
}

static void attach(GtkWidget *grid, int row, const char *label, GtkWidget *control, const char *tooltip)
{
    GtkWidget *l = sfu_label(label);
    gtk_label_set_mnemonic_widget(GTK_LABEL(l), control);
    gtk_widget_set_tooltip_text(control, tooltip);
    sfu_grid_attach(grid, l, 0, row, 1, FALSE);
    sfu_grid_attach(grid, control, 1, row, 1, TRUE);
}

static GtkWidget *part_of_steps(Row *r)
{
    GtkWidget *box = sfu_hbox(6);
    const char *about = _("The network steers during this part of the steps: from 0, the first one, to 1, the last");
    gtk_box_pack_start(GTK_BOX(box), sfu_share_new(&r->from, _("From"), 0, 1, about), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), sfu_label(_("to")), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), sfu_share_new(&r->to, _("To"), 1, 1, about), FALSE, FALSE, 0);
    return box;
}

static Row *add_row(SfuControlRows *c)
{
    Row *r = g_new0(Row, 1);
    GtkWidget *grid = sfu_grid(),
              *head = sfu_layer_row_begin(&c->base, &r->base, _("Control layer"), _("Remove this control layer"));
    r->spec = (SfuControlSpec){.weight = 1, .to = 1, .low = 100, .high = 200};
    r->net = sfu_list_combo_new(_("Control network"));
    r->kind = sfu_list_combo_new(_("Preparation"));
    attach(grid, 0, _("Layer"), head, _("The layer that the network reads; it may be hidden"));
    attach(grid, 1, _("Network"), r->net, _("The ControlNet or T2I-Adapter that reads the layer"));
    attach(grid, 2, _("Prepare"), r->kind, _("What the layer shows, and how it is made ready for the network"));
    attach(grid, 3, _("Weight"), sfu_weight_box(&r->weight, _("How much the layer counts: 0 not at all, 1 fully")),
           NULL);
    attach(grid, 4, _("Steps from"), part_of_steps(r), NULL);
    gtk_box_pack_start(GTK_BOX(r->base.box), grid, FALSE, FALSE, 0);
    fill_nets(r);
    fill_kinds(r, FALSE);
    g_signal_connect(r->net, "changed", G_CALLBACK(net_chosen), r);
    g_signal_connect_swapped(r->kind, "changed", G_CALLBACK(sfu_layer_row_changed), &r->base);
    for (int i = 0; i < 3; i++)
        g_signal_connect_swapped(i == 0   ? r->weight
                                 : i == 1 ? r->from
                                          : r->to,
                                 "value-changed", G_CALLBACK(sfu_layer_row_changed), &r->base);
    sfu_layer_row_show(&r->base);
    return r;
}

static void add_clicked(GtkWidget *button, gpointer data)
{
    SfuControlRows *c = data;
    Row *r = add_row(c);
    GArray *layers = sfu_host_pixel_layers(c->base.image);
    if (layers->len > 1) /* most are drawn above the picture */
        gtk_combo_box_set_active(GTK_COMBO_BOX(r->base.layer), 1);
    g_array_unref(layers);
    c->base.changed(r->base.box, c->base.data);
    gtk_widget_grab_focus(r->base.layer);
}

/* ---- all ---- */

void sfu_control_rows_init(SfuControlRows *c, int image, const SfuSettings *settings,
                           void (*changed)(GtkWidget *added, gpointer data), gpointer data)
{
    const SfuLayerRowsKind kind = {.add = _("Add Co_ntrol Layer"),
                                   .about_add =
                                       _("A layer whose lines, pose or depth the picture follows (ControlNet)"),
                                   .none = _("The picture itself"),
                                   .add_clicked = G_CALLBACK(add_clicked),
                                   .free = row_free};
    sfu_layer_rows_init(&c->base, &kind, image, settings, changed, data);
    c->nets = g_ptr_array_new();
}

void sfu_control_rows_finish(SfuControlRows *c)
{
    sfu_layer_rows_finish(&c->base);
    g_clear_pointer(&c->nets, g_ptr_array_unref);
}

static void nets_found(GPtrArray *nets, gpointer data)
{
    SfuControlRows *c = data;
    c->base.looking = NULL;
    g_ptr_array_unref(c->nets);
    c->nets = nets;
    gtk_widget_set_visible(c->base.box, nets->len > 0);
    for (guint i = 0; i < c->base.rows->len; i++) {
        Row *r = c->base.rows->pdata[i];
        char *before = sfu_model_combo_get(r->net);
        r->base.showing = TRUE;
        fill_nets(r);
        char *after = sfu_model_combo_get(r->net);
        fill_kinds(r, strcmp(before, after) == 0);
        r->base.showing = FALSE;
        g_free(before);
        g_free(after);
    }
}

void sfu_control_rows_look_again(SfuControlRows *c)
{
    if (!c->base.rows)
        return;
    sfu_background_cancel(c->base.looking);
    c->base.looking = sfu_models_look_for_nets(c->base.settings, c->base.model, nets_found, c);
}

void sfu_control_rows_set_model(SfuControlRows *c, const char *path)
{
    if (sfu_layer_rows_set_model(&c->base, path))
        sfu_control_rows_look_again(c);
}

static void read_row(Row *r)
{
    SfuControlSpec *s = &r->spec;
    char *kind = sfu_model_combo_get(r->kind);
    const guint64 place = g_ascii_strtoull(kind, NULL, 10);
    g_free(s->net);
    g_free(s->picture);
    g_free(s->type);
    s->net = sfu_model_combo_get(r->net);
    s->picture = sfu_model_combo_get(r->base.layer);
    s->prepare = kinds[place].prepare;
    s->type = g_strdup(kinds[place].type);
    s->weight = rint(gtk_adjustment_get_value(r->weight) * 1e4) / 1e4;
    s->from = rint(gtk_adjustment_get_value(r->from) * 1e4) / 1e4;
    s->to = rint(gtk_adjustment_get_value(r->to) * 1e4) / 1e4;
    g_free(kind);
}

void sfu_control_rows_get(const SfuControlRows *c, SfuRequest *r)
{
    if (!c->base.rows || (!c->nets->len && !c->base.looking))
        return;
    for (guint i = 0; i < c->base.rows->len; i++) {
        Row *row = c->base.rows->pdata[i];
        read_row(row);
        char *text = sfu_control_spec_write(&row->spec);
        sfu_params_add(r->params, "control", text, NULL);
        g_free(text);
    }
}

void sfu_control_rows_show(SfuControlRows *c, const SfuRequest *request)
{
    if (!c->base.rows)
        return;
    const char *const *texts = sfu_params_list(request->params, SFU_PARAM_CONTROL);
    sfu_layer_rows_clear(&c->base);
    for (int i = 0; texts[i]; i++) {
        SfuControlSpec spec;
        if (!sfu_control_spec_read(texts[i], &spec, NULL))
            continue;
        if (*spec.picture && sfu_host_layer_named(c->base.image, spec.picture) < 0) {
            sfu_control_spec_clear(&spec);
            continue;
        }
        Row *r = add_row(c);
        r->base.showing = TRUE;
        sfu_control_spec_clear(&r->spec);
        r->spec = spec;
        sfu_model_combo_set(r->base.layer, spec.picture);
        sfu_model_combo_set(r->net, spec.net);
        fill_kinds(r, TRUE);
        gtk_adjustment_set_value(r->weight, spec.weight);
        gtk_adjustment_set_value(r->from, spec.from);
        gtk_adjustment_set_value(r->to, spec.to);
        r->base.showing = FALSE;
        c->base.changed(r->base.box, c->base.data);
    }
}
