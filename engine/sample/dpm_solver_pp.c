/* DPM-Solver++: Lu 2022 (arXiv 2211.01095), as in k-diffusion.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <math.h>

/* out = the solution at u_to of the equation whose estimate stays as it is, times alpha_to. */
static void exponential(const SfuStepRun *r, float *out, const float *x, const float *denoised, double sigma,
                        double u_to, double alpha_to)
{
    const double q = u_to / sfu_step_ratio(r, sigma);
    sfu_step_combine(r, out, alpha_to / sfu_step_alpha(r, sigma) * q, x, alpha_to * (1 - q), denoised, 0, NULL);
}

gboolean sfu_step_dpmpp_2m(SfuStepRun *r, int i, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1];
    const double u = sfu_step_ratio(r, sigma), u_next = sfu_step_ratio(r, next), alpha = sfu_step_alpha(r, next),
                 q = u_next / u;
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    double w = 0;
    if (i > 0 && next > 0)
        w = 0.5 * log(u / u_next) / log(sfu_step_ratio(r, sigmas[i - 1]) / u);
    sfu_step_combine(r, r->x, alpha / sfu_step_alpha(r, sigma) * q, r->x, alpha * (1 - q) * (1 + w), r->denoised,
                     -alpha * (1 - q) * w, i > 0 ? r->history[0] : NULL);
    sfu_step_remember(r);
    return TRUE;
}

/* With the midpoint or Heun's form of the second term, as A1111. */
static gboolean multistep_sde(SfuStepRun *r, int i, gboolean heun, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1];
    const double u = sfu_step_ratio(r, sigma), u_next = sfu_step_ratio(r, next), alpha = sfu_step_alpha(r, next);
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (next == 0)
        return sfu_step_finish(r);
    const double h = log(u / u_next), b = -expm1(-(1 + r->eta) * h);
    const double ratio = i > 0 ? h / log(sfu_step_ratio(r, sigmas[i - 1]) / u) : 0;
    const double w = ratio * (heun ? 1 - b / ((1 + r->eta) * h) : 0.5 * b);
    sfu_step_combine(r, r->x, alpha / sfu_step_alpha(r, sigma) * exp(-(1 + r->eta) * h), r->x, alpha * (b + w),
                     r->denoised, -alpha * w, i > 0 ? r->history[0] : NULL);
    sfu_step_stir(r, r->x, next * sqrt(-expm1(-2 * r->eta * h)), sigma, next);
    sfu_step_remember(r);
    return TRUE;
}

gboolean sfu_step_dpmpp_2m_sde(SfuStepRun *r, int i, GError **error)
{
    return multistep_sde(r, i, FALSE, error);
}

gboolean sfu_step_dpmpp_2m_sde_heun(SfuStepRun *r, int i, GError **error)
{
    return multistep_sde(r, i, TRUE, error);
}

gboolean sfu_step_dpmpp_3m_sde(SfuStepRun *r, int i, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1];
    const double u = sfu_step_ratio(r, sigma), u_next = sfu_step_ratio(r, next), alpha = sfu_step_alpha(r, next);
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (next == 0)
        return sfu_step_finish(r);
    const double h = log(u / u_next), all = (1 + r->eta) * h, b = -expm1(-all), phi2 = 1 - b / all,
                 phi3 = phi2 / all - 0.5;
    double now = b, last = 0, before = 0; /* weights of this estimate and the two before */
    if (i > 0) {
        const double r0 = log(sfu_step_ratio(r, sigmas[i - 1]) / u) / h;
        double d0 = 1, d1 = 0,
               second = 0; /* phi2 times d0 (D - D1) / r0 + d1 (D1 - D2) / r1; second: of the difference of the two */
        double r1 = 1;
        if (i > 1) {
            r1 = log(sfu_step_ratio(r, sigmas[i - 2]) / sfu_step_ratio(r, sigmas[i - 1])) / h;
            d0 = 1 + r0 / (r0 + r1);
            d1 = -r0 / (r0 + r1);
            second = phi3 / (r0 + r1);
        }
        const double slope0 = (phi2 * d0 - second) / r0, slope1 = (phi2 * d1 + second) / r1;
        now += slope0;
        last = slope1 - slope0;
        before = -slope1;
    }
    sfu_step_combine(r, r->x, alpha / sfu_step_alpha(r, sigma) * exp(-all), r->x, alpha * now, r->denoised,
                     alpha * last, i > 0 ? r->history[0] : NULL);
    if (i > 1)
        sfu_step_combine(r, r->x, 1, r->x, alpha * before, r->history[1], 0, NULL);
    sfu_step_stir(r, r->x, next * sqrt(-expm1(-2 * r->eta * h)), sigma, next);
    sfu_step_remember(r);
    return TRUE;
}

gboolean sfu_step_dpmpp_sde(SfuStepRun *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    const double u = sfu_step_ratio(r, sigma), u_next = sfu_step_ratio(r, next);
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (next == 0) {
        sfu_step_glide(r, r->x, r->x, r->denoised, sigma, next);
        return TRUE;
    }
    const double u_mid = sqrt(u * u_next), sigma_mid = sfu_step_sigma(r, u_mid),
                 alpha_mid = sfu_step_alpha(r, sigma_mid);
    double up, down = sfu_step_ancestral(u, u_mid, r->eta, &up);
    exponential(r, r->mid, r->x, r->denoised, sigma, down, alpha_mid);
    sfu_step_stir(r, r->mid, alpha_mid * up, sigma, sigma_mid);
    if (!sfu_step_evaluate(r, r->second, r->mid, sigma_mid, i, error))
        return FALSE;
    /* Halfway in lambda the weights of the two estimates are 0 and 1. */
    down = sfu_step_ancestral(u, u_next, r->eta, &up);
    exponential(r, r->x, r->x, r->second, sigma, down, sfu_step_alpha(r, next));
    sfu_step_stir(r, r->x, sfu_step_alpha(r, next) * up, sigma, next);
    return TRUE;
}

gboolean sfu_step_dpmpp_2s_a(SfuStepRun *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    const double u = sfu_step_ratio(r, sigma);
    double up;
    const double down = sfu_step_ancestral(u, sfu_step_ratio(r, next), r->eta, &up);
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (down == 0) {
        sfu_step_glide(r, r->x, r->x, r->denoised, sigma, 0);
    } else {
        const double u_mid = sqrt(u * down), sigma_mid = sfu_step_sigma(r, u_mid);
        exponential(r, r->mid, r->x, r->denoised, sigma, u_mid, sfu_step_alpha(r, sigma_mid));
        if (!sfu_step_evaluate(r, r->second, r->mid, sigma_mid, i, error))
            return FALSE;
        exponential(r, r->x, r->x, r->second, sigma, down, sfu_step_alpha(r, sfu_step_sigma(r, down)));
    }
    sfu_step_lift(r, down, up, sigma, next);
    return TRUE;
}
