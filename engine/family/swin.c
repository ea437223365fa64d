/* SwinIR (Liang 2021) and HAT (Chen 2023): layers.N.residual_group.blocks.N, attention in windows.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/measure.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "net/swin.h"
#include <string.h>
#include <glib/gi18n-lib.h>

#define MAX_GROUPS 256

static gboolean recognize_hat(const SfuSource *s)
{
    return sfu_source_find(s, "layers.0.residual_group.overlap_attn.qkv.weight") != NULL;
}

static gboolean recognize_swinir(const SfuSource *s)
{
    return !recognize_hat(s) && sfu_source_find(s, "layers.0.residual_group.blocks.0.attn.qkv.weight") &&
           sfu_source_find(s, "layers.0.residual_group.blocks.0.attn.relative_position_bias_table");
}

/* Tables of positions and masks, which are computed. */
static gboolean ignores(const char *name)
{
    return strstr(name, "relative_position_index") || g_str_has_suffix(name, "attn_mask");
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    SfuSwinConfig *own = g_new0(SfuSwinConfig, 1);
    const gboolean hat = m->family == &sfu_family_hat;
    const char *table = "layers.0.residual_group.blocks.0.attn.relative_position_bias_table";
    const int in = sfu_measure(m, 1, "conv_first.weight"), span = sfu_measure(m, 0, "%s", table),
              wide_span = sfu_measure(m, 0, "layers.0.residual_group.overlap_attn.relative_position_bias_table");
    c->own = own;
    c->features = sfu_measure(m, 0, "conv_first.weight");
    own->n_heads = sfu_measure(m, 1, "%s", table);
    c->blocks = sfu_measure_count(m, "layers.", MAX_GROUPS);
    for (int w = 1; w <= 64; w++) {
        if ((2 * w - 1) * (2 * w - 1) == span)
            own->window = w;
        /* Keys reach from -(overlap - 1) to window - 1 around a query. */
        if (hat && own->window && w >= own->window && (own->window + w - 1) * (own->window + w - 1) == wide_span)
            own->overlap_window = w;
    }
    c->multiple = own->window;
    if (!sfu_measure_channels(m, in, in, error))
        return FALSE;
    if (!own->window || own->n_heads < 1 || c->features < 1 || c->features % own->n_heads)
        return sfu_family_refuse(m, error, _("its windows or heads are impossible"));
    if (hat && (!own->overlap_window || (own->overlap_window - own->window) % 2))
        return sfu_family_refuse(m, error, _("its overlapping windows are impossible"));
    if (sfu_model_tensor(m, SFU_PART_UPSCALER, "absolute_pos_embed"))
        return sfu_family_refuse(m, error, _("it has absolute positions, which ties it to one size"));
    if (!sfu_measure_tail(m, error))
        return FALSE;
    /* The published models against JPEG artifacts (window 7) were trained on 0..255. */
    own->range = c->upsampler == SFU_UPSAMPLER_NONE && own->window == 7 ? 255 : 1;
    return TRUE;
}

const SfuFamily sfu_family_swinir = {.id = "swinir",
                                     .name = "SwinIR",
                                     .tasks = 1u << SFU_TASK_UPSCALE,
                                     .enlargement = SFU_ENLARGE_NETWORK,
                                     .upscaler = &sfu_swin_kind,
                                     .recognize = recognize_swinir,
                                     .ignores = ignores,
                                     .configure = configure};
const SfuFamily sfu_family_hat = {.id = "hat",
                                  .name = "HAT",
                                  .tasks = 1u << SFU_TASK_UPSCALE,
                                  .enlargement = SFU_ENLARGE_NETWORK,
                                  .upscaler = &sfu_swin_kind,
                                  .recognize = recognize_hat,
                                  .ignores = ignores,
                                  .configure = configure};
