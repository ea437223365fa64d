/* What a job gives back.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

void sfu_result_free(SfuResult *r)
{
    if (!r)
        return;
    g_clear_object(&r->picture);
    sfu_params_free(r->params);
    g_free(r->note);
    g_clear_error(&r->unsaved);
    g_free(r);
}

SfuResult *sfu_result_new(SfuRun *r, GeglBuffer *taken, gboolean masked)
{
    SfuResult *o = g_new0(SfuResult, 1);
    *o = (SfuResult){
        .picture = taken, .seed = r->seed, .params = sfu_params_copy(r->p), .task = r->task, .masked = masked};
    sfu_params_put_int64(o->params, SFU_PARAM_SEED, (gint64)MIN(r->seed, (guint64)SFU_SEED_MAX));
    sfu_params_put(o->params, SFU_PARAM_COUNT, 1);
    return o;
}
