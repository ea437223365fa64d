/* The page "Get Models": the models that can be downloaded, those that fit this machine best first. Nothing is
 * downloaded without a click.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UI_MODELS_PAGE_H
#define SFU_UI_MODELS_PAGE_H

#include "compat.h"
#include "settings.h"

G_BEGIN_DECLS

typedef struct SfuModelsPage SfuModelsPage;

/* changed: a model has come or gone. */
SfuModelsPage *sfu_models_page_new(const SfuSettings *settings, void (*changed)(gpointer data), gpointer data);
GtkWidget *sfu_models_page_widget(SfuModelsPage *p);
void sfu_models_page_show_task(SfuModelsPage *p, int task); /* -1: all */
/* Stops downloads, which continue from there the next time, and frees the page. Its widgets belong to their window. */
void sfu_models_page_free(SfuModelsPage *p);

G_END_DECLS
#endif
