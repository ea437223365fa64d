/* A run: takes the sampler's step for each sigma. samplers.c lists the samplers; step.h has the notation.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <math.h>
#include <glib/gi18n-lib.h>

static gboolean all_finite(const float *x, gint64 n)
{
    for (gint64 i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return FALSE;
    return TRUE;
}

gboolean sfu_sample(const SfuSigmas *s, const SfuSampleOptions *options, float *x, gint64 n_per_image, int n_images,
                    SfuNoise *noise, const SfuSampleCallbacks *callbacks, GError **error)
{
    const SfuSamplerRow *sampler = sfu_sampler_row(s->sampler);
    const double eta = options && options->eta >= 0 ? options->eta : sampler->eta;
    const gboolean may_draw = sampler->always_draws || eta > 0;
    if (may_draw && !noise && !callbacks->draw) {
        g_set_error(error, SFU_SAMPLE_ERROR, SFU_SAMPLE_ERROR_OPTIONS, _("The sampler %s needs a source of noise"),
                    sfu_sampler_label(s->sampler));
        return FALSE;
    }
    const gint64 n = n_per_image * n_images;
    SfuStepRun r = {
        .s = s, .callbacks = callbacks, .noise = noise, .brownian = sampler->brownian, .eta = eta, .n = n, .x = x};
    r.s_noise = options && options->s_noise > 0 ? options->s_noise : 1;
    float *buffers = g_new(float, n *(6 + SFU_STEP_HISTORY));
    r.denoised = buffers;
    r.second = buffers + n;
    r.mid = buffers + 2 * n;
    r.draw = buffers + 3 * n;
    r.last_x = buffers + 4 * n;
    r.trial = buffers + 5 * n;
    for (int i = 0; i < SFU_STEP_HISTORY; i++)
        r.history[i] = buffers + (6 + i) * n;

    gboolean ok = FALSE;
    for (int i = 0; i < s->n_steps; i++) {
        r.sigma_now = sfu_step_end(s, i);
        if (!sampler->step(&r, i, error))
            goto out;
        if (!all_finite(x, n)) {
            g_set_error(error, SFU_SAMPLE_ERROR, SFU_SAMPLE_ERROR_NAN,
                        _("The latent is not finite after step %d of %d (sampler %s)"), i + 1, s->n_steps,
                        sfu_sampler_label(s->sampler));
            goto out;
        }
        if (callbacks->after_step && !callbacks->after_step(callbacks->data, x, r.denoised, r.sigma_now, i, error))
            goto out;
    }
    if (s->scale_last)
        sfu_model_input(s, x, x, s->sigmas[s->n_steps], n);
    ok = TRUE;
out:
    g_free(buffers);
    return ok;
}
