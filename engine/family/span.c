/* SPAN (Wan 2024): block_N.cN_r, each convolution as it was trained (sk, conv.N), as it is used (eval_conv), or both.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/measure.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "net/span.h"
#include <string.h>
#include <glib/gi18n-lib.h>

static gboolean recognize(const SfuSource *s)
{
    return (sfu_source_find(s, "block_1.c1_r.sk.weight") || sfu_source_find(s, "block_1.c1_r.eval_conv.weight")) &&
           sfu_source_find(s, "conv_cat.weight") && sfu_source_find(s, "upsampler.0.weight");
}

/* A flag of the network's, which holds nothing, and what a counter of operations leaves behind. */
static gboolean ignores(const char *name)
{
    return strcmp(name, "no_norm") == 0 || g_str_has_suffix(name, "total_ops") ||
           g_str_has_suffix(name, "total_params");
}

/* The flag is ignored as a tensor, but tells something. */
static gboolean open_file(SfuModel *m, const SfuSource *s, GError **error)
{
    SfuSpanConfig *own = g_new0(SfuSpanConfig, 1);
    own->raw_input = sfu_source_find(s, "no_norm") != NULL;
    m->upscaler.own = own;
    return sfu_family_take(m, m->family, s, error);
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    SfuSpanConfig *own = c->own;
    own->trained = sfu_measure_any(m, "block_", ".sk.") || sfu_measure_any(m, "block_", ".conv.");
    const char *first = own->trained ? "conv_1.sk.weight" : "conv_1.eval_conv.weight";
    c->features = sfu_measure(m, 0, "%s", first);
    c->channels = sfu_measure(m, 1, "%s", first);
    c->blocks = SFU_SPAN_BLOCKS;
    c->unshuffle = 1;
    c->upsampler = SFU_UPSAMPLER_SHUFFLE_DIRECT;
    if (c->features < 1 || (c->channels != 3 && (c->channels != 1 || !own->raw_input)))
        return sfu_family_refuse(m, error, _("it does not take pictures of 3 channels"));
    c->scale = sfu_square_factor(sfu_measure(m, 0, "upsampler.0.weight"), c->channels);
    return c->scale ? TRUE : sfu_family_refuse(m, error, _("it does not enlarge by a whole number"));
}

const SfuFamily sfu_family_span = {.id = "span",
                                   .name = "SPAN",
                                   .tasks = 1u << SFU_TASK_UPSCALE,
                                   .enlargement = SFU_ENLARGE_NETWORK,
                                   .upscaler = &sfu_span_kind,
                                   .recognize = recognize,
                                   .ignores = ignores,
                                   .open = open_file,
                                   .configure = configure};
