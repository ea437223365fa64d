/* Text files, as editors on every system write them.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* By the mark at its start (Unicode 15, 23.8) the text is UTF-8 or UTF-16; without one it stays as it is. Takes
 * `data`. */
static char *without_mark(char *data, gsize n)
{
    char *text = NULL;
    if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        text = g_strdup(data + 3);
    else if (n >= 2 && memcmp(data, "\xff\xfe", 2) == 0)
        text = g_convert(data + 2, (gssize)n - 2, "UTF-8", "UTF-16LE", NULL, &n, NULL);
    else if (n >= 2 && memcmp(data, "\xfe\xff", 2) == 0)
        text = g_convert(data + 2, (gssize)n - 2, "UTF-8", "UTF-16BE", NULL, &n, NULL);
    else
        return data;
    g_free(data);
    return text;
}

char *sfu_cli_text_read(const char *path, guint64 max_bytes, GError **error)
{
    GStatBuf s;
    char *data = NULL;
    gsize n = 0;
    GError *local = NULL;
    const char *why = NULL;
    if (g_stat(path, &s) == 0 && S_ISREG(s.st_mode) && (guint64)s.st_size > max_bytes)
        why = "it is too large for a file of text";
    else if (!g_file_get_contents(path, &data, &n, &local))
        why = local->message;
    else if (strlen(data) != n && memcmp(data, "\xff\xfe", 2) != 0 && memcmp(data, "\xfe\xff", 2) != 0)
        why = "it is not text, or UTF-16 without a byte order mark";
    else if (!(data = without_mark(data, n)))
        why = "it is not valid UTF-16 text";
    if (!why)
        return data;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s cannot be read: %s", path, why);
    g_clear_error(&local);
    g_free(data);
    return NULL;
}
