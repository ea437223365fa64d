/* Values of float pictures that no picture on a screen has: what becomes of them is said.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define VISIBLE 0.004f /* beyond 0 and 1: a step of 8 bits */

static gboolean is_float(const Babl *format)
{
    const char *type = babl_get_name(babl_format_get_type(format, 0));
    return strcmp(type, "float") == 0 || strcmp(type, "half") == 0 || strcmp(type, "double") == 0;
}

/* Counts pixels that are not numbers or infinite, and those with a value below 0 or above 1. */
static void count(GeglBuffer *b, gint64 *n_none, gint64 *n_beyond)
{
    const Babl *format = babl_format_with_space("R'G'B'A float", babl_format_get_space(gegl_buffer_get_format(b)));
    GeglBufferIterator *it = gegl_buffer_iterator_new(b, NULL, 0, format, GEGL_ACCESS_READ, GEGL_ABYSS_NONE, 1);
    while (gegl_buffer_iterator_next(it)) {
        const float *p = it->items[0].data;
        for (int i = 0; i < it->length; i++, p += 4) {
            const gboolean numbers = isfinite(p[0]) && isfinite(p[1]) && isfinite(p[2]) && isfinite(p[3]);
            *n_none += !numbers;
            for (int c = 0; numbers && c < 3; c++)
                if (p[c] < -VISIBLE || p[c] > 1 + VISIBLE) {
                    ++*n_beyond;
                    break;
                }
        }
    }
}

gboolean sfu_run_note_odd_values(SfuRun *r, const SfuModel *m)
{
    GeglBuffer *picture = r->job->picture;
    gint64 n_none = 0, n_beyond = 0;
    if (!picture || !is_float(gegl_buffer_get_format(picture)))
        return FALSE;
    count(picture, &n_none, &n_beyond);
    if (n_none)
        sfu_run_note(r,
                     _("%" PRId64 " pixels of the picture are not numbers: infinite ones count as white or black, the "
                       "others as black."),
                     n_none);
    /* What stays of the picture keeps them; networks know 0 to 1. */
    const gboolean replaced =
        r->task == SFU_TASK_UPSCALE
            ? sfu_params_double(r->p, SFU_PARAM_SCALE) > 1 || sfu_model_family(m)->enlargement == SFU_ENLARGE_NETWORK
            : !r->job->mask && (r->task == SFU_TASK_IMG2IMG || r->task == SFU_TASK_EDIT);
    if (n_beyond && replaced)
        sfu_run_note(
            r,
            _("%" PRId64
              " pixels of the picture have values below 0 or above 1, which are clipped: models know no others."),
            n_beyond);
    return n_beyond && replaced;
}
