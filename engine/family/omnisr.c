/* OmniSR (Wang 2023): residual_layer.N.residual_layer.N.layer.N.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/measure.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "net/omnisr.h"
#include <glib/gi18n-lib.h>

#define MAX_GROUPS 256
#define DEFAULT_WINDOW 8 /* of networks without positions, whose files do not tell it */
#define LEAST_PX 16      /* the coarse map behind each group needs so many */

static gboolean recognize(const SfuSource *s)
{
    return sfu_source_find(s, "residual_layer.0.residual_layer.0.layer.0.fn.0.weight") &&
           sfu_source_find(s, "input.weight") && sfu_source_find(s, "up.0.weight");
}

/* What a counter of operations leaves behind, and a computed table. */
static gboolean ignores(const char *name)
{
    return g_str_has_suffix(name, "total_ops") || g_str_has_suffix(name, "total_params") ||
           g_str_has_suffix(name, "rel_pos_indices");
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    SfuOmnisrConfig *own = g_new0(SfuOmnisrConfig, 1);
    const int span = sfu_measure(m, 0, "residual_layer.0.residual_layer.0.layer.2.fn.rel_pos_bias.weight");
    c->own = own;
    c->features = sfu_measure(m, 0, "input.weight");
    c->channels = sfu_measure(m, 1, "input.weight");
    c->blocks = sfu_measure_count(m, "residual_layer.", MAX_GROUPS);
    c->unshuffle = 1;
    c->upsampler = SFU_UPSAMPLER_SHUFFLE_DIRECT;
    own->bias = sfu_measure_any(m, "input.bias", "") || sfu_measure_any(m, "up.0.bias", "") ||
                sfu_measure_any(m, "output.bias", "");
    own->positions = sfu_measure_any(m, "residual_layer.", ".rel_pos_bias.");
    own->window = own->positions ? 0 : DEFAULT_WINDOW;
    for (int w = 2; own->positions && w <= 64; w++)
        if ((2 * w - 1) * (2 * w - 1) == span)
            own->window = w;
    if (c->channels != 3 && c->channels != 1)
        return sfu_family_refuse(m, error, _("it does not take pictures of 3 channels or of 1"));
    if (!own->window || c->features < SFU_OMNISR_HEADS || c->features % SFU_OMNISR_HEADS ||
        c->features > 128 * SFU_OMNISR_HEADS)
        return sfu_family_refuse(m, error, _("its windows or heads are impossible"));
    c->multiple = own->window;
    c->least_px = LEAST_PX;
    c->pads_black = TRUE;
    c->scale = sfu_square_factor(sfu_measure(m, 0, "up.0.weight"), c->channels);
    return c->scale ? TRUE : sfu_family_refuse(m, error, _("it does not enlarge by a whole number"));
}

const SfuFamily sfu_family_omnisr = {.id = "omnisr",
                                     .name = "OmniSR",
                                     .tasks = 1u << SFU_TASK_UPSCALE,
                                     .enlargement = SFU_ENLARGE_NETWORK,
                                     .upscaler = &sfu_omnisr_kind,
                                     .recognize = recognize,
                                     .ignores = ignores,
                                     .configure = configure};
