/* Control layers. Each row chooses a layer, the network that reads it, how to prepare the layer, its weight, and the
 * steps during which it acts. The rows are hidden if no installed network fits the chosen model.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UI_CONTROL_ROWS_H
#define SFU_UI_CONTROL_ROWS_H

#include "layer-rows.h"

G_BEGIN_DECLS

typedef struct {
    SfuLayerRows base;
    GPtrArray *nets; /* SfuControlNet* for the model */
} SfuControlRows;

void sfu_control_rows_init(SfuControlRows *c, int image, const SfuSettings *settings,
                           void (*changed)(GtkWidget *added, gpointer data), gpointer data);
void sfu_control_rows_finish(SfuControlRows *c); /* the widgets may be gone already */
/* Searches in a thread for networks that fit the model; "": none fits. */
void sfu_control_rows_set_model(SfuControlRows *c, const char *path);
void sfu_control_rows_look_again(SfuControlRows *c); /* files may have come or gone */
void sfu_control_rows_get(const SfuControlRows *c, SfuRequest *r);
/* Ignores layers that the image does not have. */
void sfu_control_rows_show(SfuControlRows *c, const SfuRequest *r);

G_END_DECLS
#endif
