/* A file before its family is known.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/family.h"
#include <string.h>

const SfuFileTensor *sfu_source_find(const SfuSource *s, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *inner = g_strdup_vprintf(format, ap), *name = *s->wrap ? g_strconcat(s->wrap, inner, NULL) : NULL;
    va_end(ap);
    const SfuFileTensor *t = g_hash_table_lookup(s->names, name ? name : inner);
    g_free(inner);
    g_free(name);
    return t;
}

gboolean sfu_source_has_prefix(const SfuSource *s, const char *prefix)
{
    const gsize n = strlen(s->wrap), n_prefix = strlen(prefix);
    for (guint i = 0; i < s->file->tensors->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(s->file->tensors, i);
        if (strncmp(t->name, s->wrap, n) == 0 && strncmp(t->name + n, prefix, n_prefix) == 0)
            return TRUE;
    }
    return FALSE;
}
