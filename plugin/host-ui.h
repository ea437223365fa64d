/* The window that a host gives a dialog, with its looks, help and place among its own windows.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_HOST_UI_H
#define SFU_HOST_UI_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

void sfu_host_ui_init(void); /* before the first widget; harmless when called again */
/* A GtkDialog without buttons, but for Help, which shows that page of the manual, as F1 does. Caller destroys. */
GtkWidget *sfu_host_dialog_new(const char *title, const char *page);

G_END_DECLS
#endif
