/* Where GEGL keeps the parts of pictures that do not fit its cache. It loses them without an error when it cannot write
 * there: only its log tells.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static GMutex mutex;
static char *lost; /* GEGL's first word of a loss */

void sfu_cli_swap_prepare(void)
{
    if (g_getenv("GEGL_SWAP"))
        return;
    char *folder = g_build_filename(g_get_user_cache_dir(), "gegl-0.4", "swap", NULL);
    const char *other = sfu_temporary_folder();
    if ((g_mkdir_with_parents(folder, 0700) != 0 || g_access(folder, W_OK | X_OK) != 0) && other)
        g_setenv("GEGL_SWAP", other, TRUE);
    g_free(folder);
}

static const char *field(const GLogField *fields, gsize n_fields, const char *key)
{
    for (gsize i = 0; i < n_fields; i++)
        if (strcmp(fields[i].key, key) == 0 && fields[i].length < 0)
            return fields[i].value;
    return "";
}

void sfu_cli_swap_listen(const GLogField *fields, gsize n_fields)
{
    static const char *const signs[] = {"tile data", "swap storage", "swap file"}; /* gegl-tile-backend-swap.c */
    const char *text = field(fields, n_fields, "MESSAGE");
    if (strcmp(field(fields, n_fields, "GLIB_DOMAIN"), "GEGL") != 0)
        return;
    g_mutex_lock(&mutex);
    for (gsize i = 0; i < G_N_ELEMENTS(signs) && !lost; i++)
        if (strstr(text, signs[i]))
            lost = g_strdup(text);
    g_mutex_unlock(&mutex);
}

gboolean sfu_cli_swap_check(GError **error)
{
    char *folder = NULL;
    g_mutex_lock(&mutex);
    const gboolean ok = !lost;
    if (!ok) {
        g_object_get(gegl_config(), "swap", &folder, NULL);
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED,
                    "parts of the picture were lost, because GEGL could not keep them in %s: %s (the variable "
                    "GEGL_SWAP names another folder)",
                    folder ? folder : "its swap folder", lost);
    }
    g_mutex_unlock(&mutex);
    g_free(folder);
    return ok;
}
