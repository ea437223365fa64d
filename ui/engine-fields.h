/* Device, memory limit and precision: settings that stand in the settings dialog and in the advanced part of every
 * action's.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UI_ENGINE_FIELDS_H
#define SFU_UI_ENGINE_FIELDS_H

#include "background.h"
#include "compat.h"
#include "settings.h"

G_BEGIN_DECLS

typedef struct {
    GtkWidget *device, *memory, *precision, *problem;
    GPtrArray *devices; /* NULL: not asked for yet, or there are none */
    SfuBackground *asking;
    const SfuSettings *settings; /* to be shown when they have come */
} SfuEngineFields;

/* As rows of a grid from `row` on; returns the row after the last. */
int sfu_engine_fields_attach(SfuEngineFields *f, GtkWidget *grid, int row, const SfuSettings *settings);
void sfu_engine_fields_finish(SfuEngineFields *f);
/* Asks OpenCL for its devices in a thread, since that takes a moment: for when the fields are looked at. Harmless when
 * called again. */
void sfu_engine_fields_list_devices(SfuEngineFields *f, const SfuSettings *settings);
void sfu_engine_fields_show(SfuEngineFields *f, const SfuSettings *settings);
/* From the controls into the settings. TRUE: something has changed. */
gboolean sfu_engine_fields_store(SfuEngineFields *f, SfuSettings *settings);

G_END_DECLS
#endif
