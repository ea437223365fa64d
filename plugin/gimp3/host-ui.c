/* Windows for GIMP 3.x.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "host-ui.h"

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include "manual.h"

void sfu_host_ui_init(void)
{
    static gboolean done;
    if (!done)
        gimp_ui_init("sfumato");
    done = TRUE;
}

static void show_help(const char *page, gpointer data)
{
    sfu_manual_show(page);
}

GtkWidget *sfu_host_dialog_new(const char *title, const char *page)
{
    GtkWidget *dialog = gimp_dialog_new(title, "sfumato", NULL, 0, show_help, page, NULL);
    gimp_window_set_transient(GTK_WINDOW(dialog));
    return dialog;
}
