/* LaMa (Suvorov 2022): the generator of big-lama, as its TorchScript archive, as safetensors, or inside a training
 * checkpoint. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/measure.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "net/remover.h"
#include <glib/gi18n-lib.h>

static gboolean recognize(const SfuSource *s)
{
    return sfu_source_find(s, "model.1.ffc.convl2l.weight") && sfu_source_has_prefix(s, "model.4.");
}

static char *canonical(const SfuSource *s, const char *name, SfuPart *part)
{
    *part = SFU_PART_REMOVER;
    return g_strdup(name);
}

static gboolean ignores(const char *name)
{
    return g_str_has_suffix(name, ".num_batches_tracked");
}

/* Outputs of layer `number`'s convolution to that half. */
static int outputs(const SfuModel *m, int number, const char *half)
{
    return sfu_tensor_dim(sfu_model_tensor(m, SFU_PART_REMOVER, "model.%d.ffc.convl2%s.weight", number, half), 0);
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuLamaConfig *c = &m->lama;
    int at = 2;
    c->features = outputs(m, 1, "l");
    while (at < 8 && sfu_model_tensor(m, SFU_PART_REMOVER, "model.%d.ffc.convl2l.weight", at))
        at++;
    c->n_downs = at - 2;
    c->local = outputs(m, at - 1, "l");
    c->global = outputs(m, at - 1, "g");
    /* Blocks, a layer that joins the halves, n_downs times three layers up, a padding, the last convolution. */
    c->n_blocks = sfu_model_count(m, SFU_PART_REMOVER, "model.", 128) - at - 1 - 3 * c->n_downs - 2;
    if (c->n_downs < 1 || c->n_blocks < 1 || c->features < 1 || c->features > 1024 || c->local < 1 || c->global < 2 ||
        c->global % 2 || c->local + c->global != c->features << c->n_downs)
        return sfu_family_refuse(m, error, _("its widths do not fit each other"));
    return TRUE;
}

/* Trained at 256; 512 is what it is used at. */
static int native_px(const SfuModel *m)
{
    return 512;
}

const SfuFamily sfu_family_lama = {.id = "lama",
                                   .name = "LaMa",
                                   .tasks = 1u << SFU_TASK_INPAINT | 1u << SFU_TASK_OUTPAINT,
                                   .rank = 1,
                                   .native_px = native_px,
                                   .recognize = recognize,
                                   .canonical = canonical,
                                   .ignores = ignores,
                                   .configure = configure,
                                   .expect = sfu_lama_expect,
                                   .remover = sfu_lama_remover};
