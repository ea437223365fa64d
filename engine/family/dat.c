/* DAT (Chen 2023), with its light, small and second variants: layers.N.blocks.N with attn.attns (between pixels) or
 * attn.temperature (between channels). Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "family/measure.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "net/dat.h"
#include <string.h>
#include <glib/gi18n-lib.h>

static gboolean recognize(const SfuSource *s)
{
    return sfu_source_find(s, "layers.0.blocks.0.attn.attns.0.pos.pos_proj.weight") &&
           sfu_source_find(s, "layers.0.blocks.0.attn.spatial_interaction.0.weight") &&
           sfu_source_find(s, "layers.0.blocks.0.ffn.sg.norm.weight");
}

/* Tables of positions and masks, which are computed, and how long the training took. */
static gboolean ignores(const char *name)
{
    return strstr(name, "relative_position_index") || strstr(name, ".attn_mask_") ||
           (g_str_has_suffix(name, ".rpe_biases") && strcmp(name, "layers.0.blocks.0.attn.attns.0.rpe_biases") != 0) ||
           g_str_has_suffix(name, "num_batches_tracked");
}

/* The windows' sides: the last of the table of distances is one less than both. FALSE: it is not such a table. */
static gboolean read_split(SfuModel *m, int split[2])
{
    SfuWeight *w = sfu_model_find(m, SFU_PART_UPSCALER, "layers.0.blocks.0.attn.attns.0.rpe_biases");
    float last[2];
    if (!w || sfu_weight_n_dims(w) != 2 || sfu_weight_dim(w, 1) != 2 || sfu_weight_dim(w, 0) < 1)
        return FALSE;
    const gint64 n = sfu_weight_dim(w, 0);
    sfu_weight_read_f32(w, 2 * (n - 1), 2, last);
    for (int i = 0; i < 2; i++) {
        if (!(last[i] >= 1 && last[i] <= 127 && last[i] == (int)last[i]))
            return FALSE;
        split[i] = (int)last[i] + 1;
    }
    return (gint64)(2 * split[0] - 1) * (2 * split[1] - 1) == n && split[0] * split[1] <= 4096;
}

/* Depths and heads of the groups. */
static gboolean read_groups(SfuModel *m, SfuDatConfig *own, GError **error)
{
    const SfuUpscalerConfig *c = &m->upscaler;
    for (int g = 0; g < c->blocks; g++) {
        char *prefix = g_strdup_printf("layers.%d.blocks.", g);
        own->depth[g] = sfu_measure_count(m, prefix, SFU_DAT_MAX_BLOCKS);
        g_free(prefix);
        own->n_heads[g] = own->depth[g] > 1
                              ? sfu_measure(m, 0, "layers.%d.blocks.1.attn.temperature", g)
                              : 2 * sfu_measure(m, 0, "layers.%d.blocks.0.attn.attns.0.pos.pos3.2.weight", g);
        if (!own->depth[g] || own->n_heads[g] < 2 || own->n_heads[g] % 2 || c->features % own->n_heads[g] ||
            c->features / own->n_heads[g] > 128)
            return sfu_family_refuse(m, error, _("its blocks or heads are impossible"));
    }
    return TRUE;
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    SfuDatConfig *own = g_new0(SfuDatConfig, 1);
    const int in = sfu_measure(m, 1, "conv_first.weight");
    c->own = own;
    c->features = sfu_measure(m, 0, "conv_first.weight");
    c->blocks = sfu_measure_count(m, "layers.", SFU_DAT_MAX_GROUPS);
    own->qkv_bias = sfu_measure_any(m, "layers.", ".qkv.bias");
    if (!sfu_measure_channels(m, in, in, error))
        return FALSE;
    if (c->features < 32 || c->features % 2)
        return sfu_family_refuse(m, error, _("its blocks or heads are impossible"));
    if (!read_split(m, own->split))
        return sfu_family_refuse(
            m, error,
            "its table of distances (rpe_biases) is missing or another, which leaves the windows' sides unknown");
    c->multiple = MAX(own->split[0], own->split[1]);
    if (c->multiple % own->split[0] || c->multiple % own->split[1])
        return sfu_family_refuse(m, error, _("neither side of its windows is a multiple of the other"));
    return read_groups(m, own, error) && sfu_measure_tail(m, error);
}

const SfuFamily sfu_family_dat = {.id = "dat",
                                  .name = "DAT",
                                  .tasks = 1u << SFU_TASK_UPSCALE,
                                  .enlargement = SFU_ENLARGE_NETWORK,
                                  .upscaler = &sfu_dat_kind,
                                  .recognize = recognize,
                                  .ignores = ignores,
                                  .configure = configure};
