/* SRVGGNetCompact (Wang 2021, Real-ESRGAN's compact models): body.N, convolutions with slopes of PReLU between them.
 * The x4 network of sfumato-mini sees noise beside the picture, so it has more inputs than colors.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/measure.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "net/srvgg.h"
#include <glib/gi18n-lib.h>

enum { MOST_NOISE = 16 };

static gboolean recognize(const SfuSource *s)
{
    const SfuFileTensor *slope = sfu_source_find(s, "body.1.weight");
    return slope && slope->n_dims == 1 && sfu_source_find(s, "body.0.weight") && sfu_source_find(s, "body.2.weight");
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    const int last = (sfu_measure_count(m, "body.", 513) - 1) / 2 * 2, all = sfu_measure(m, 1, "body.0.weight"),
              in = all > 4 && all <= 3 + MOST_NOISE ? 3 : all;
    c->noise = all - in;
    c->features = sfu_measure(m, 0, "body.0.weight");
    c->blocks = last / 2 - 1;
    c->scale = sfu_square_factor(sfu_measure(m, 0, "body.%d.weight", last), MAX(in, 1));
    if (!sfu_measure_channels(m, in, in, error))
        return FALSE;
    return c->scale && c->features > 0 && c->blocks >= 0
               ? TRUE
               : sfu_family_refuse(m, error, _("it does not enlarge by a whole number"));
}

const SfuFamily sfu_family_srvgg = {.id = "srvgg",
                                    .name = "SRVGGNetCompact",
                                    .tasks = 1u << SFU_TASK_UPSCALE,
                                    .enlargement = SFU_ENLARGE_NETWORK,
                                    .upscaler = &sfu_srvgg_kind,
                                    .recognize = recognize,
                                    .configure = configure};
