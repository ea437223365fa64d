/* One file of tensors: mapped, its format told by its first bytes.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/file.h"
#include "file/pickle.h"
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

void sfu_file_tensor_free(gpointer p)
{
    SfuFileTensor *t = p;
    g_free(t->name);
    g_free(t->owned);
    g_free(t);
}

static gboolean stat_file(const char *path, gint64 *size, gint64 *mtime_ns)
{
    GStatBuf s;
    if (g_stat(path, &s) != 0)
        return FALSE;
    *size = s.st_size;
    *mtime_ns = (gint64)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec;
    return TRUE;
}

SfuFile *sfu_file_open(const char *path, GError **error)
{
    SfuFile *f = g_new0(SfuFile, 1);
    GError *local = NULL;
    f->path = g_strdup(path);
    f->tensors = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    /* A pipe or a device would block, or has no end. */
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
        f->map = g_mapped_file_new(path, FALSE, &local);
    if (!f->map || !stat_file(path, &f->size, &f->mtime_ns)) {
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, "%s cannot be opened: %s", path,
                    local ? local->message : g_file_test(path, G_FILE_TEST_EXISTS) ? "it is no file" : "there is no such file");
        g_clear_error(&local);
        sfu_file_close(f);
        return NULL;
    }
    const guint8 *data = (const guint8 *)g_mapped_file_get_contents(f->map);
    const gsize n = g_mapped_file_get_length(f->map);
    gboolean ok;
    /* A safetensors file begins with a length, which may look like anything, but goes on with a brace. */
    f->pickle = n >= 9 && data[8] != '{' && (memcmp(data, "PK\3\4", 4) == 0 || (data[0] == 0x80 && data[1] <= 5));
    ok = f->pickle ? sfu_pth_parse(data, n, path, f->tensors, error) : sfu_safetensors_parse(data, n, path, f->tensors, error);
    if (ok)
        return f;
    sfu_file_close(f);
    return NULL;
}

void sfu_file_close(SfuFile *f)
{
    if (!f)
        return;
    g_ptr_array_unref(f->tensors);
    if (f->map)
        g_mapped_file_unref(f->map);
    g_free(f->path);
    g_free(f);
}

gboolean sfu_file_check_unchanged(const SfuFile *f, GError **error)
{
    gint64 size, mtime;
    if (stat_file(f->path, &size, &mtime) && size == f->size && mtime == f->mtime_ns)
        return TRUE;
    g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, "%s was changed or removed while it was in use", f->path);
    return FALSE;
}
