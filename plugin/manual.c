/* The manual, which the Help buttons open.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "manual.h"

#include <gio/gio.h>
#include <glib/gi18n-lib.h>

#include "host.h"

char *sfu_manual_find(const char *page)
{
    char *self = g_file_read_link("/proc/self/exe", NULL), *folder = self ? g_path_get_dirname(self) : g_strdup(".");
    char *name = g_strconcat(page, ".html", NULL), *found = NULL;
    char *places[] = {g_build_filename(folder, "doc", name, NULL), g_build_filename(SFU_DOCDIR, name, NULL)};
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        if (!found && g_file_test(places[i], G_FILE_TEST_EXISTS))
            found = places[i];
        else
            g_free(places[i]);
    }
    g_free(name);
    g_free(folder);
    g_free(self);
    return found;
}

void sfu_manual_show(const char *page)
{
    char *path = sfu_manual_find(page), *uri = path ? g_filename_to_uri(path, NULL, NULL) : NULL, *text = NULL;
    GError *error = NULL;
    if (!uri)
        text = g_strdup(_("The manual is not installed."));
    else if (!g_app_info_launch_default_for_uri(uri, NULL, &error))
        text = g_strdup_printf(_("The manual cannot be shown: %s. Its page is %s."), error->message, path);
    if (text)
        sfu_host_message(text);
    g_clear_error(&error);
    g_free(text);
    g_free(uri);
    g_free(path);
}
