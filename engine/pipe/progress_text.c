/* What a run is doing, in words.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sfumato.h"

#include <glib/gi18n-lib.h>

char *sfu_progress_text(const SfuProgress *p)
{
    GString *s = g_string_new(NULL);
    switch (p->stage) {
    case SFU_STAGE_COMPILE:
        g_string_append(s, _("First use: preparing for this device, once"));
        break;
    case SFU_STAGE_LOAD:
        g_string_append(s, _("Loading the model"));
        break;
    case SFU_STAGE_ENCODE:
        g_string_append(s, _("Reading the picture"));
        break;
    case SFU_STAGE_DENOISE:
        if (p->n_steps > 0)
            g_string_append_printf(s, _("Denoising %d of %d"), p->step, p->n_steps);
        else
            g_string_append(s, _("Denoising"));
        break;
    case SFU_STAGE_DECODE:
        g_string_append(s, _("Decoding"));
        break;
    case SFU_STAGE_UPSCALE:
        if (p->n_steps > 1)
            g_string_append_printf(s, _("Enlarging tile %d of %d"), p->step, p->n_steps);
        else
            g_string_append(s, _("Enlarging"));
        break;
    }
    if (p->n_images > 1) {
        g_string_append(s, ", ");
        g_string_append_printf(s, _("picture %d of %d"), p->image + 1, p->n_images);
    }
    if (p->seconds_left >= 90) {
        g_string_append(s, ", ");
        g_string_append_printf(s, _("%d min left"), (int)(p->seconds_left / 60 + 0.5));
    } else if (p->seconds_left >= 0.5) { /* "0 s left" would stay for seconds */
        g_string_append(s, ", ");
        g_string_append_printf(s, _("%d s left"), (int)(p->seconds_left + 0.5));
    }
    return g_string_free(s, FALSE);
}
