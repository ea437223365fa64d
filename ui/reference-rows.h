/* Reference layers: for each, which layer, and how much it counts where that can be said. All of it is hidden while the
 * chosen model looks at no references.
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
/* Asks in a thread what the model does with references; "": none does anything. */
void sfu_reference_rows_set_model(SfuReferenceRows *c, const char *path);
void sfu_reference_rows_look_again(SfuReferenceRows *c); /* files may have come or gone */
void sfu_reference_rows_get(const SfuReferenceRows *c, SfuRequest *r);
/* Layers that the image does not have are left out. */
void sfu_reference_rows_show(SfuReferenceRows *c, const SfuRequest *r);

G_END_DECLS
#endif
