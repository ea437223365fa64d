/* The page "Get Models": what can be downloaded, the most fitting for this machine first. Nothing is downloaded without
 * a click.
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
/* Ends what runs (downloads go on from there the next time) and frees the page; its widgets go with their window. */
void sfu_models_page_free(SfuModelsPage *p);

G_END_DECLS
#endif
