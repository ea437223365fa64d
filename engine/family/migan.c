/* MI-GAN (Sargsyan 2023): the published generators of 256 and 512 pixels, as state dict, TorchScript archive or
 * safetensors. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/registry.h"
#include "model/model_struct.h"
#include "net/remover.h"
#include <glib/gi18n-lib.h>

static gboolean recognize(const SfuSource *s)
{
    return sfu_source_find(s, "encoder.b4.conv1.conv1.weight") && sfu_source_has_prefix(s, "synthesis.b4.");
}

static char *canonical(const SfuSource *s, const char *name, SfuPart *part)
{
    *part = SFU_PART_REMOVER;
    return g_strdup(name);
}

static gboolean configure(SfuModel *m, GError **error)
{
    if (!sfu_migan_side(m)) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING,
                    _("%s: the layer that sees the picture (fromrgb) is missing, of 8 to 1024 pixels a side"), m->path);
        return FALSE;
    }
    return TRUE;
}

static int native_px(const SfuModel *m)
{
    return sfu_migan_side((SfuModel *)m);
}

const SfuFamily sfu_family_migan = {.id = "migan",
                                    .name = "MI-GAN",
                                    .tasks = 1u << SFU_TASK_INPAINT | 1u << SFU_TASK_OUTPAINT,
                                    .rank = 2,
                                    .native_px = native_px,
                                    .recognize = recognize,
                                    .canonical = canonical,
                                    .configure = configure,
                                    .expect = sfu_migan_expect,
                                    .remover = sfu_migan_remover};
