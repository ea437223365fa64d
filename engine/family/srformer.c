/* SRFormer (Zhou 2023): SwinIR's groups, with attn.q and attn.kv, whose keys are squares of pixels, and a convolution
 * in the feed-forward layer. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/measure.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "net/swin.h"
#include <string.h>
#include <glib/gi18n-lib.h>

#define MAX_GROUPS 256
#define GRAIN 2

static gboolean recognize(const SfuSource *s)
{
    return sfu_source_find(s, "layers.0.residual_group.blocks.0.attn.kv.weight") &&
           sfu_source_find(s, "layers.0.residual_group.blocks.0.attn.relative_position_bias_table") &&
           sfu_source_find(s, "conv_first.weight");
}

/* Tables of positions and masks, which are computed. */
static gboolean ignores(const char *name)
{
    return strstr(name, "relative_position_index") || g_str_has_suffix(name, "attn_mask");
}

static gboolean has_table(const SfuSource *s, const char *end)
{
    for (guint i = 0; i < s->file->tensors->len; i++) {
        const char *name = ((SfuFileTensor *)g_ptr_array_index(s->file->tensors, i))->name;
        if (g_str_has_prefix(name, s->wrap) && g_str_has_suffix(name, end))
            return TRUE;
    }
    return FALSE;
}

/* A network trained on pictures no larger than a window shifts none, and has no masks among its tables. A file without
 * any tables is one whose tables were taken out. */
static gboolean open_file(SfuModel *m, const SfuSource *s, GError **error)
{
    SfuSwinConfig *own = g_new0(SfuSwinConfig, 1);
    own->unshifted = has_table(s, "relative_position_index") && !has_table(s, ".attn_mask");
    m->upscaler.own = own;
    return sfu_family_take(m, m->family, s, error);
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    SfuSwinConfig *own = c->own;
    const char *table = "layers.0.residual_group.blocks.0.attn.relative_position_bias_table";
    const int in = sfu_measure(m, 1, "conv_first.weight"), span = sfu_measure(m, 0, "%s", table);
    c->features = sfu_measure(m, 0, "conv_first.weight");
    c->blocks = sfu_measure_count(m, "layers.", MAX_GROUPS);
    own->n_heads = sfu_measure(m, 1, "%s", table);
    own->grain = GRAIN;
    own->range = 1;
    own->no_qkv_bias =
        !sfu_measure_any(m, "layers.", ".attn.q.bias") && !sfu_measure_any(m, "layers.", ".attn.kv.bias");
    for (int w = 1; w <= 32; w++)
        if ((2 * w - 1) * (2 * w - 1) == span)
            own->window = GRAIN * w;
    c->multiple = own->window;
    if (!sfu_measure_channels(m, in, in, error))
        return FALSE;
    if (!own->window || own->n_heads < 1 || c->features < 4 || c->features % own->n_heads || c->features % 4)
        return sfu_family_refuse(m, error, _("its windows or heads are impossible"));
    if (sfu_model_tensor(m, SFU_PART_UPSCALER, "absolute_pos_embed"))
        return sfu_family_refuse(m, error, _("it has absolute positions, which ties it to one size"));
    return sfu_measure_tail(m, error);
}

const SfuFamily sfu_family_srformer = {.id = "srformer",
                                       .name = "SRFormer",
                                       .tasks = 1u << SFU_TASK_UPSCALE,
                                       .enlargement = SFU_ENLARGE_NETWORK,
                                       .upscaler = &sfu_swin_kind,
                                       .recognize = recognize,
                                       .ignores = ignores,
                                       .open = open_file,
                                       .configure = configure};
