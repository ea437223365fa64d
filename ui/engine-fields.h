/* Device, memory limit and precision: settings that appear in the settings dialog and in the advanced part of every
 * action's dialog.
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
    const SfuSettings *settings; /* to show once the devices are known */
} SfuEngineFields;

/* Adds the fields as rows of a grid from `row` on; returns the row after the last. */
int sfu_engine_fields_attach(SfuEngineFields *f, GtkWidget *grid, int row, const SfuSettings *settings);
void sfu_engine_fields_finish(SfuEngineFields *f);
/* Asks OpenCL for its devices in a thread, since that takes a moment. Call it when the fields become visible;
 * calling it again does nothing. */
void sfu_engine_fields_list_devices(SfuEngineFields *f, const SfuSettings *settings);
void sfu_engine_fields_show(SfuEngineFields *f, const SfuSettings *settings);
/* From the controls into the settings. TRUE: something has changed. */
gboolean sfu_engine_fields_store(SfuEngineFields *f, SfuSettings *settings);

G_END_DECLS
#endif
