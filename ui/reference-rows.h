/* Reference layers. Each row chooses a layer and, if the model supports it, its weight. The rows are hidden if the
 * chosen model uses no references.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UI_REFERENCE_ROWS_H
#define SFU_UI_REFERENCE_ROWS_H

#include "layer-rows.h"

G_BEGIN_DECLS

typedef struct {
    SfuLayerRows base;
    SfuReferences use;
} SfuReferenceRows;

void sfu_reference_rows_init(SfuReferenceRows *c, int image, const SfuSettings *settings,
                             void (*changed)(GtkWidget *added, gpointer data), gpointer data);
/* Asks in a thread how the model uses references; "": not at all. */
void sfu_reference_rows_set_model(SfuReferenceRows *c, const char *path);
void sfu_reference_rows_look_again(SfuReferenceRows *c); /* files may have come or gone */
void sfu_reference_rows_get(const SfuReferenceRows *c, SfuRequest *r);
/* Ignores layers that the image does not have. */
void sfu_reference_rows_show(SfuReferenceRows *c, const SfuRequest *r);

G_END_DECLS
#endif
