/* Measuring an upscaler by its tensors.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/measure.h"

#include <glib/gi18n-lib.h>
#include "model/model_struct.h"
#include <string.h>

#define MAX_STAGES 4

gboolean sfu_family_refuse(const SfuModel *m, GError **error, const char *what)
{
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, _("%s has the form of %s, but %s"), m->path,
                m->family->name, what);
    return FALSE;
}

gboolean sfu_family_refuse_vae(const SfuModel *m, const SfuModel *other, int wanted, GError **error)
{
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                _("%s is the autoencoder of another family: it has %d channels where %s needs %d."), other->path,
                other->vae.latent_channels, m->path, wanted);
    return FALSE;
}

gboolean sfu_family_refuse_text(const SfuModel *m, const SfuModel *other, int wanted, int width, GError **error)
{
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                _("%s is the text encoder of another model: %s needs one of width %d, it has %d."), other->path,
                m->path, wanted, width);
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
               : sfu_family_refuse(m, error, _("it does not take and give pictures of 3 channels or of 1"));
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

gboolean sfu_measure_tail(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    const int n_nearest = sfu_measure_count(m, "conv_up", MAX_STAGES + 1) - 1,
              n_shuffles = (sfu_measure_count(m, "upsample.", 2 * MAX_STAGES) + 1) / 2;
    if (n_nearest > 0) {
        c->upsampler = SFU_UPSAMPLER_NEAREST;
        c->n_stages = n_nearest;
        c->scale = 1 << c->n_stages;
    } else if (sfu_measure_count(m, "conv_before_upsample.", 1)) {
        const int width = sfu_measure(m, 0, "conv_before_upsample.0.weight");
        c->upsampler = SFU_UPSAMPLER_SHUFFLE;
        c->n_stages = n_shuffles;
        c->scale = 1;
        for (int i = 0; i < n_shuffles; i++) {
            const int r = sfu_square_factor(sfu_measure(m, 0, "upsample.%d.weight", 2 * i), MAX(width, 1));
            if (r < 2 || r > 4)
                return sfu_family_refuse(m, error, _("it does not enlarge by a whole number"));
            c->scale *= r;
        }
    } else if (n_shuffles > 0) {
        c->upsampler = SFU_UPSAMPLER_SHUFFLE_DIRECT;
        c->n_stages = 1;
        c->scale = sfu_square_factor(sfu_measure(m, 0, "upsample.0.weight"), c->channels);
    } else {
        c->upsampler = SFU_UPSAMPLER_NONE;
        c->scale = 1;
    }
    return c->scale >= 1 && c->scale <= 16 ? TRUE
                                           : sfu_family_refuse(m, error, _("it does not enlarge by a whole number"));
}
