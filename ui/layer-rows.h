/* A list of rows, one for each layer that is used, and a button that adds a row. Control layers and reference layers
 * share it. Each row begins with the choice of the layer and a button that removes the row.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UI_LAYER_ROWS_H
#define SFU_UI_LAYER_ROWS_H

#include "background.h"
#include "compat.h"
#include "request.h"
#include "settings.h"

G_BEGIN_DECLS

typedef struct {
    GtkWidget *box; /* to pack; hidden until a model uses the rows */
    GtkWidget *list;
    GPtrArray *rows;  /* SfuLayerRow*; NULL: the action has none */
    const char *none; /* what the choice of no layer is called; NULL: a layer must be chosen */
    SfuBackground *looking;
    char *model;
    int image;
    const SfuSettings *settings;
    void (*changed)(GtkWidget *added, gpointer data); /* by the user; added: a new row's widgets, or NULL */
    gpointer data;
} SfuLayerRows;

/* The head of a kind's own row. */
typedef struct {
    SfuLayerRows *all;
    GtkWidget *box, *layer;
    gboolean showing; /* the program sets the widgets, not the user */
} SfuLayerRow;

/* What the rows of a kind are called and made with. Strings are translated; `free` frees a whole row. */
typedef struct {
    const char *add, *about_add, *none;
    GCallback add_clicked; /* (GtkWidget *, SfuLayerRows *) */
    GDestroyNotify free;
} SfuLayerRowsKind;

void sfu_layer_rows_init(SfuLayerRows *c, const SfuLayerRowsKind *kind, int image, const SfuSettings *settings,
                         void (*changed)(GtkWidget *added, gpointer data), gpointer data);
void sfu_layer_rows_finish(SfuLayerRows *c); /* the widgets may be gone already */
void sfu_layer_rows_clear(SfuLayerRows *c);
/* FALSE if the model has not changed, or the action has no rows. */
gboolean sfu_layer_rows_set_model(SfuLayerRows *c, const char *path);
void sfu_layer_rows_list_layers(SfuLayerRows *c); /* the image may have others now */

/* Makes the row's box, into which the caller packs its own widgets, and returns the choice of a layer beside the
 * button, which the caller packs first. Adds the row to the list; `showing` is TRUE until sfu_layer_row_show(). */
GtkWidget *sfu_layer_row_begin(SfuLayerRows *c, SfuLayerRow *row, const char *name, const char *about_remove);
void sfu_layer_row_show(SfuLayerRow *row);
/* Reports that the user changed something; does nothing while the program sets values. */
void sfu_layer_row_changed(SfuLayerRow *row);

G_END_DECLS
#endif
