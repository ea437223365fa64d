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
    SfuControlRows *all;
    SfuControlSpec spec; /* what the widgets do not show of it: Canny's thresholds, guessing */
    GtkWidget *box, *layer, *net, *kind;
    GtkAdjustment *weight, *from, *to;
    gboolean showing; /* the program sets the widgets, not the user */
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

static void fill_layers(Row *r)
{
    sfu_layer_combo_fill(r->layer, r->all->image, _("The picture itself"));
}

static void fill_nets(Row *r)
{
    char *chosen = sfu_model_combo_get(r->net);
    sfu_list_combo_clear(r->net);
    for (guint i = 0; i < r->all->nets->len; i++) {
        const SfuControlNet *n = r->all->nets->pdata[i];
        sfu_list_combo_add(r->net, n->name, n->path);
    }
    if (find_net(r->all, chosen) || !r->all->nets->len)
        sfu_model_combo_set(r->net, chosen);
    else /* the model has become another one */
        gtk_combo_box_set_active(GTK_COMBO_BOX(r->net), 0);
    g_free(chosen);
}

/* Chooses what the network wants, if that is not `given`; values are places in the table. */
static void fill_kinds(Row *r, gboolean given)
{
    char *path = sfu_model_combo_get(r->net), place[16];
    const SfuControlNet *net = find_net(r->all, path);
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

static void say_changed(Row *r)
{
    if (!r->showing)
        r->all->changed(NULL, r->all->data);
}

static void net_chosen(GtkComboBox *combo, gpointer data)
{
    Row *r = data;
    if (r->showing)
        return;
    r->showing = TRUE;
    fill_kinds(r, FALSE);
    r->showing = FALSE;
    say_changed(r);
}

static void remove_row(GtkWidget *button, gpointer data)
{
    Row *r = data;
    SfuControlRows *c = r->all;
    gtk_widget_destroy(r->box);
    g_ptr_array_remove(c->rows, r);
    c->changed(NULL, c->data);
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
    GtkWidget *grid = sfu_grid(), *head = sfu_hbox(4),
              *remove = sfu_icon_button("list-remove", _("Remove this control layer"));
    r->all = c;
    r->spec = (SfuControlSpec){.weight = 1, .to = 1, .low = 100, .high = 200};
    r->showing = TRUE;
    r->box = sfu_vbox(4);
    r->layer = sfu_list_combo_new(_("Control layer"));
    r->net = sfu_list_combo_new(_("Control network"));
    r->kind = sfu_list_combo_new(_("Preparation"));
    gtk_button_set_relief(GTK_BUTTON(remove), GTK_RELIEF_NONE);
    gtk_box_pack_start(GTK_BOX(head), r->layer, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(head), remove, FALSE, FALSE, 0);
    attach(grid, 0, _("Layer"), head, _("The layer that the network reads; it may be hidden"));
    attach(grid, 1, _("Network"), r->net, _("The ControlNet or T2I-Adapter that reads the layer"));
    attach(grid, 2, _("Prepare"), r->kind, _("What the layer shows, and how it is made ready for the network"));
    attach(grid, 3, _("Weight"), sfu_weight_box(&r->weight, _("How much the layer counts: 0 not at all, 1 fully")),
           NULL);
    attach(grid, 4, _("Steps from"), part_of_steps(r), NULL);
    gtk_box_pack_start(GTK_BOX(r->box), grid, FALSE, FALSE, 0);
    g_ptr_array_add(c->rows, r);
    gtk_box_pack_start(GTK_BOX(c->list), r->box, FALSE, FALSE, 0);
    fill_layers(r);
    fill_nets(r);
    fill_kinds(r, FALSE);
    g_signal_connect(r->net, "changed", G_CALLBACK(net_chosen), r);
    g_signal_connect(remove, "clicked", G_CALLBACK(remove_row), r);
    g_signal_connect_swapped(r->layer, "changed", G_CALLBACK(say_changed), r);
    g_signal_connect_swapped(r->kind, "changed", G_CALLBACK(say_changed), r);
    for (int i = 0; i < 3; i++)
        g_signal_connect_swapped(i == 0   ? r->weight
                                 : i == 1 ? r->from
                                          : r->to,
                                 "value-changed", G_CALLBACK(say_changed), r);
    gtk_widget_show_all(r->box);
    r->showing = FALSE;
    return r;
}

static void add_clicked(GtkWidget *button, gpointer data)
{
    SfuControlRows *c = data;
    Row *r = add_row(c);
    GArray *layers = sfu_host_pixel_layers(c->image);
    if (layers->len > 1) /* most are drawn above the picture */
        gtk_combo_box_set_active(GTK_COMBO_BOX(r->layer), 1);
    g_array_unref(layers);
    c->changed(r->box, c->data);
    gtk_widget_grab_focus(r->layer);
}

/* ---- all ---- */

void sfu_control_rows_init(SfuControlRows *c, int image, const SfuSettings *settings,
                           void (*changed)(GtkWidget *added, gpointer data), gpointer data)
{
    GtkWidget *add = gtk_button_new_with_mnemonic(_("Add Co_ntrol Layer"));
    *c = (SfuControlRows){.image = image, .settings = settings, .changed = changed, .data = data};
    c->rows = g_ptr_array_new_with_free_func(row_free);
    c->nets = g_ptr_array_new();
    c->model = g_strdup("");
    c->box = sfu_vbox(6);
    c->list = sfu_vbox(12);
    gtk_widget_set_tooltip_text(add, _("A layer whose lines, pose or depth the picture follows (ControlNet)"));
    g_signal_connect(add, "clicked", G_CALLBACK(add_clicked), c);
    gtk_box_pack_start(GTK_BOX(c->box), c->list, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(c->box), add, FALSE, FALSE, 0);
    gtk_widget_show_all(c->box);
    gtk_widget_set_no_show_all(c->box, TRUE);
    gtk_widget_hide(c->box);
}

void sfu_control_rows_finish(SfuControlRows *c)
{
    sfu_background_cancel(c->looking);
    if (!c->rows)
        return;
    g_ptr_array_unref(c->rows);
    g_ptr_array_unref(c->nets);
    g_free(c->model);
}

static void nets_found(GPtrArray *nets, gpointer data)
{
    SfuControlRows *c = data;
    c->looking = NULL;
    g_ptr_array_unref(c->nets);
    c->nets = nets;
    gtk_widget_set_visible(c->box, nets->len > 0);
    for (guint i = 0; i < c->rows->len; i++) {
        Row *r = c->rows->pdata[i];
        char *before = sfu_model_combo_get(r->net);
        r->showing = TRUE;
        fill_nets(r);
        char *after = sfu_model_combo_get(r->net);
        fill_kinds(r, strcmp(before, after) == 0);
        r->showing = FALSE;
        g_free(before);
        g_free(after);
    }
}

void sfu_control_rows_look_again(SfuControlRows *c)
{
    if (!c->rows)
        return;
    sfu_background_cancel(c->looking);
    c->looking = sfu_models_look_for_nets(c->settings, c->model, nets_found, c);
}

void sfu_control_rows_set_model(SfuControlRows *c, const char *path)
{
    if (!c->rows || strcmp(c->model, path) == 0)
        return;
    g_free(c->model);
    c->model = g_strdup(path);
    sfu_control_rows_look_again(c);
}

void sfu_control_rows_list_layers(SfuControlRows *c)
{
    for (guint i = 0; c->rows && i < c->rows->len; i++) {
        Row *r = c->rows->pdata[i];
        r->showing = TRUE;
        fill_layers(r);
        r->showing = FALSE;
    }
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
    s->picture = sfu_model_combo_get(r->layer);
    s->prepare = kinds[place].prepare;
    s->type = g_strdup(kinds[place].type);
    s->weight = rint(gtk_adjustment_get_value(r->weight) * 1e4) / 1e4;
    s->from = rint(gtk_adjustment_get_value(r->from) * 1e4) / 1e4;
    s->to = rint(gtk_adjustment_get_value(r->to) * 1e4) / 1e4;
    g_free(kind);
}

void sfu_control_rows_get(const SfuControlRows *c, SfuRequest *r)
{
    if (!c->rows || (!c->nets->len && !c->looking))
        return;
    for (guint i = 0; i < c->rows->len; i++) {
        Row *row = c->rows->pdata[i];
        read_row(row);
        char *text = sfu_control_spec_write(&row->spec);
        sfu_params_add(r->params, "control", text, NULL);
        g_free(text);
    }
}

void sfu_control_rows_show(SfuControlRows *c, const SfuRequest *request)
{
    if (!c->rows)
        return;
    const char *const *texts = sfu_params_list(request->params, SFU_PARAM_CONTROL);
    while (c->rows->len) {
        gtk_widget_destroy(((Row *)c->rows->pdata[0])->box);
        g_ptr_array_remove_index(c->rows, 0);
    }
    for (int i = 0; texts[i]; i++) {
        SfuControlSpec spec;
        if (!sfu_control_spec_read(texts[i], &spec, NULL))
            continue;
        if (*spec.picture && sfu_host_layer_named(c->image, spec.picture) < 0) {
            sfu_control_spec_clear(&spec);
            continue;
        }
        Row *r = add_row(c);
        r->showing = TRUE;
        sfu_control_spec_clear(&r->spec);
        r->spec = spec;
        sfu_model_combo_set(r->layer, spec.picture);
        sfu_model_combo_set(r->net, spec.net);
        fill_kinds(r, TRUE);
        gtk_adjustment_set_value(r->weight, spec.weight);
        gtk_adjustment_set_value(r->from, spec.from);
        gtk_adjustment_set_value(r->to, spec.to);
        r->showing = FALSE;
        c->changed(r->box, c->data);
    }
}
