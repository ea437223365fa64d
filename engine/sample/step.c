/* What the samplers' steps share: arithmetic on latents, estimates, noise, history.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <math.h>
#include <string.h>

#define ALPHA_MIN 1e-6 /* flow starts at alpha 0, where u would be infinite */

double sfu_step_alpha(const SfuStepRun *r, double sigma)
{
    return r->s->prediction == SFU_SAMPLE_FLOW ? MAX(1 - sigma, ALPHA_MIN) : 1;
}

double sfu_step_ratio(const SfuStepRun *r, double sigma)
{
    return sigma / sfu_step_alpha(r, sigma);
}

double sfu_step_sigma(const SfuStepRun *r, double u)
{
    return r->s->prediction == SFU_SAMPLE_FLOW ? u / (1 + u) : u;
}

gboolean sfu_step_evaluate(SfuStepRun *r, float *denoised, const float *x, double sigma, int step, GError **error)
{
    const double timestep = sigma == r->s->sigmas[step] ? r->s->timesteps[step] : sfu_sigma_to_timestep(r->s, sigma);
    return r->callbacks->denoise(r->callbacks->data, denoised, x, sigma, timestep, step, error);
}

void sfu_step_combine(const SfuStepRun *r, float *out, double a, const float *x, double b, const float *y, double c,
                      const float *z)
{
    for (gint64 i = 0; i < r->n; i++)
        out[i] = (float)(a * x[i] + b * y[i] + (z ? c * z[i] : 0));
}

void sfu_step_stir(SfuStepRun *r, float *x, double scale, double sigma, double sigma_next)
{
    if (!(scale > 0))
        return;
    if (r->callbacks->draw)
        r->callbacks->draw(r->callbacks->data, r->draw, sigma, sigma_next);
    else if (r->brownian)
        sfu_noise_brownian(r->noise, sfu_step_ratio(r, sigma), sfu_step_ratio(r, sigma_next), r->draw);
    else
        sfu_noise_next(r->noise, r->draw);
    sfu_step_combine(r, x, 1, x, scale * r->s_noise, r->draw, 0, NULL);
}

double sfu_step_ancestral(double u, double u_next, double eta, double *up)
{
    *up = MIN(u_next, eta * sqrt(u_next * u_next * (u * u - u_next * u_next) / (u * u)));
    return sqrt(MAX(u_next * u_next - *up * *up, 0));
}

void sfu_step_glide(const SfuStepRun *r, float *out, const float *x, const float *denoised, double sigma,
                    double sigma_to)
{
    const double q = sigma_to / sigma;
    sfu_step_combine(r, out, q, x, 1 - q, denoised, 0, NULL);
}

void sfu_step_lift(SfuStepRun *r, double u_down, double up, double sigma, double sigma_next)
{
    const double alpha = sfu_step_alpha(r, sigma_next), scale = alpha / sfu_step_alpha(r, sfu_step_sigma(r, u_down));
    if (scale != 1)
        sfu_step_combine(r, r->x, scale, r->x, 0, r->x, 0, NULL);
    if (sigma_next > 0)
        sfu_step_stir(r, r->x, alpha * up, sigma, sigma_next);
}

/* The newest estimate goes to history[0]; its buffer is swapped, not copied. */
gboolean sfu_step_finish(SfuStepRun *r)
{
    memcpy(r->x, r->denoised, r->n * sizeof(float));
    return TRUE;
}

void sfu_step_remember(SfuStepRun *r)
{
    float *oldest = r->history[SFU_STEP_HISTORY - 1];
    memmove(r->history + 1, r->history, (SFU_STEP_HISTORY - 1) * sizeof(float *));
    r->history[0] = oldest;
    memcpy(r->history[0], r->denoised, r->n * sizeof(float));
}

void sfu_step_remember_slope(SfuStepRun *r, double sigma)
{
    sfu_step_remember(r);
    sfu_step_combine(r, r->history[0], 1 / sigma, r->x, -1 / sigma, r->denoised, 0, NULL);
}

double sfu_step_end(const SfuSigmas *s, int i)
{
    return s->ends ? s->ends[i] : s->sigmas[i + 1];
}

gboolean sfu_step_heun_to(SfuStepRun *r, int i, double sigma, double to, GError **error)
{
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    sfu_step_glide(r, r->mid, r->x, r->denoised, sigma, to);
    if (to == 0) {
        memcpy(r->x, r->mid, r->n * sizeof(float));
        return TRUE;
    }
    if (!sfu_step_evaluate(r, r->second, r->mid, to, i, error))
        return FALSE;
    for (gint64 k = 0; k < r->n; k++) {
        const double d = (r->x[k] - r->denoised[k]) / sigma, d2 = (r->mid[k] - r->second[k]) / to;
        r->x[k] = (float)(r->x[k] + 0.5 * (to - sigma) * (d + d2));
    }
    return TRUE;
}
