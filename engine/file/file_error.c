/* The error of this folder. On its own, so that json.c can be used without the file formats.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/file.h"

G_DEFINE_QUARK(sfu_file_error, sfu_file_error)

static gboolean fail(GError **error, SfuFileError code, const char *path, const char *format, va_list ap)
    G_GNUC_PRINTF(4, 0);
static gboolean fail(GError **error, SfuFileError code, const char *path, const char *format, va_list ap)
{
    char *text = g_strdup_vprintf(format, ap);
    g_set_error(error, SFU_FILE_ERROR, code, "%s: %s", path, text);
    g_free(text);
    return FALSE;
}

gboolean sfu_file_fail(GError **error, const char *path, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fail(error, SFU_FILE_ERROR_FORMAT, path, format, ap);
    va_end(ap);
    return FALSE;
}

gboolean sfu_file_refuse(GError **error, const char *path, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fail(error, SFU_FILE_ERROR_REFUSED, path, format, ap);
    va_end(ap);
    return FALSE;
}
