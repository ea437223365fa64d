/* PLKSR (Lee 2024) and RealPLKSR (neosr): feats.N with a partial large kernel (lk).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/measure.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "net/plksr.h"
#include <glib/gi18n-lib.h>

#define MAX_BLOCKS 256
#define MAX_KERNEL 63

static gboolean recognize(const SfuSource *s)
{
    return sfu_source_find(s, "feats.0.weight") && sfu_source_find(s, "feats.1.refine.weight") &&
           (sfu_source_find(s, "feats.1.channe_mixer.0.weight") ||
            sfu_source_find(s, "feats.1.channel_mixer.0.weight")) &&
           sfu_source_has_prefix(s, "feats.1.lk.");
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    SfuPlksrConfig *own = g_new0(SfuPlksrConfig, 1);
    c->own = own;
    own->real = sfu_measure_any(m, "feats.", ".channel_mixer.");
    own->dynamic = sfu_measure_any(m, "to_img.", "");
    own->gated = sfu_measure_any(m, "feats.", ".attn.f.");
    own->layer_norm = sfu_measure_any(m, "feats.", ".layer_norm.");
    own->kernel = sfu_measure(m, 2, "feats.1.lk.conv.weight");
    own->part = sfu_measure(m, 0, "feats.1.lk.conv.weight");
    const int n_modules = sfu_measure_count(m, "feats.", MAX_BLOCKS + 3);
    c->channels = 3;
    c->unshuffle = 1;
    c->features = sfu_measure(m, 0, "feats.0.weight");
    c->blocks = n_modules - (own->real ? 3 : 2); /* RealPLKSR's last but one drops values, in training */
    c->upsampler = SFU_UPSAMPLER_SHUFFLE_DIRECT;
    if (sfu_measure_any(m, "feats.", ".lk.convs.") || sfu_measure_any(m, "feats.", ".lk.mn_conv."))
        return sfu_family_refuse(m, error,
                                 _("its large kernels are sparse or rectangular, which Sfumato does not run"));
    if (own->kernel % 2 == 0 || own->kernel > MAX_KERNEL || own->part < 1 || own->part > c->features || c->blocks < 1)
        return sfu_family_refuse(m, error, _("its large kernels are impossible"));
    if (sfu_measure(m, 1, "feats.0.weight") != c->channels)
        return sfu_family_refuse(m, error, _("it does not take pictures of 3 channels"));
    if (own->real && !own->layer_norm && c->features % SFU_PLKSR_NORM_GROUPS)
        return sfu_family_refuse(m, error, _("its channels do not make 4 groups"));
    c->scale = sfu_square_factor(sfu_measure(m, 0, "feats.%d.weight", n_modules - 1), c->channels);
    return c->scale ? TRUE : sfu_family_refuse(m, error, _("it does not enlarge by a whole number"));
}

static void describe(const SfuModel *m, GString *text)
{
    const SfuPlksrConfig *own = m->upscaler.own;
    g_string_append_printf(text, "%s%s", own->real ? ", RealPLKSR" : "",
                           own->dynamic ? ", dynamic upsampling (DySample)" : "");
}

const SfuFamily sfu_family_plksr = {.id = "plksr",
                                    .name = "PLKSR",
                                    .tasks = 1u << SFU_TASK_UPSCALE,
                                    .enlargement = SFU_ENLARGE_NETWORK,
                                    .upscaler = &sfu_plksr_kind,
                                    .recognize = recognize,
                                    .configure = configure,
                                    .describe = describe};
