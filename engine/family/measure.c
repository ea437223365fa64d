/* Measuring an upscaler by its tensors.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/measure.h"

#include <glib/gi18n-lib.h>
#include "model/internal.h"
#include <string.h>

gboolean sfu_family_refuse(const SfuModel *m, GError **error, const char *what)
{
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, _("%s has the form of %s, but %s"), m->path,
                m->family->name, what);
    return FALSE;
}

int sfu_measure(const SfuModel *m, int i, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *name = g_strdup_vprintf(format, ap);
    va_end(ap);
    const int d = sfu_tensor_dim(sfu_model_tensor(m, SFU_PART_UPSCALER, "%s", name), i);
    g_free(name);
    return d;
}

int sfu_measure_count(const SfuModel *m, const char *prefix, int most)
{
    return sfu_model_count(m, SFU_PART_UPSCALER, prefix, most);
}

int sfu_square_factor(int n, int unit)
{
    for (int r = 1; r <= 16; r++)
        if (r * r * unit == n)
            return r;
    return 0;
}

gboolean sfu_measure_channels(SfuModel *m, int in, int out, GError **error)
{
    m->upscaler.channels = out;
    m->upscaler.unshuffle = sfu_square_factor(in, out);
    return (out == 1 || out == 3) && m->upscaler.unshuffle
               ? TRUE
               : sfu_family_refuse(m, error, "it does not take and give pictures of 3 channels, nor of 1");
}

gboolean sfu_measure_any(const SfuModel *m, const char *prefix, const char *word)
{
    GHashTableIter it;
    gpointer name;
    g_hash_table_iter_init(&it, m->tensors[SFU_PART_UPSCALER]);
    while (g_hash_table_iter_next(&it, &name, NULL))
        if (g_str_has_prefix(name, prefix) && strstr(name, word))
            return TRUE;
    return FALSE;
}
