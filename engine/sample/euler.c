/* Euler and its kin: Euler ancestral (also DDIM and DDPM), Heun, DPM2, LMS. Karras 2022, as in k-diffusion.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <math.h>

#define LMS_ORDER 4

gboolean sfu_step_euler(SfuStepRun *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    sfu_step_glide(r, r->x, r->x, r->denoised, sigma, next);
    return TRUE;
}

/* Euler ancestral. DDIM (Song 2020, eq. 12) and DDPM (Ho 2020, eq. 7, small variance) are this step too: with a = 1 /
 * (1 + u^2), their variance divided by a' is up^2, and what remains of the direction to x is u_down. They differ in
 * schedule, last sigma, and usual eta. */
gboolean sfu_step_euler_a(SfuStepRun *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    double up;
    const double down = sfu_step_ancestral(sfu_step_ratio(r, sigma), sfu_step_ratio(r, next), r->eta, &up);
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    sfu_step_glide(r, r->x, r->x, r->denoised, sigma, sfu_step_sigma(r, down));
    sfu_step_lift(r, down, up, sigma, next);
    return TRUE;
}

gboolean sfu_step_heun(SfuStepRun *r, int i, GError **error)
{
    return sfu_step_heun_to(r, i, r->s->sigmas[i], r->s->sigmas[i + 1], error);
}

/* From sigma to sigma_to by the derivative at their geometric middle. */
static gboolean midpoint(SfuStepRun *r, int i, double sigma, double sigma_to, GError **error)
{
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (sigma_to == 0) {
        sfu_step_glide(r, r->x, r->x, r->denoised, sigma, sigma_to);
        return TRUE;
    }
    const double middle = sqrt(sigma * sigma_to);
    sfu_step_glide(r, r->mid, r->x, r->denoised, sigma, middle);
    if (!sfu_step_evaluate(r, r->second, r->mid, middle, i, error))
        return FALSE;
    const double k = (sigma_to - sigma) / middle;
    sfu_step_combine(r, r->x, 1, r->x, k, r->mid, -k, r->second);
    return TRUE;
}

gboolean sfu_step_dpm2(SfuStepRun *r, int i, GError **error)
{
    return midpoint(r, i, r->s->sigmas[i], r->s->sigmas[i + 1], error);
}

gboolean sfu_step_dpm2_a(SfuStepRun *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    double up;
    const double down = sfu_step_ancestral(sfu_step_ratio(r, sigma), sfu_step_ratio(r, next), r->eta, &up);
    if (!midpoint(r, i, sigma, sfu_step_sigma(r, down), error))
        return FALSE;
    sfu_step_lift(r, down, up, sigma, next);
    return TRUE;
}

/* Integral over [from, to] of the Lagrange polynomial that is 1 at nodes[j] and 0 at the others; two Gauss points are
 * exact to the third degree. */
static double lms_coefficient(const double *nodes, int order, int j, double from, double to)
{
    const double middle = 0.5 * (from + to), half = 0.5 * (to - from);
    double sum = 0;
    for (int g = -1; g <= 1; g += 2) {
        const double at = middle + g * half / sqrt(3.0);
        double product = 1;
        for (int k = 0; k < order; k++)
            if (k != j)
                product *= (at - nodes[k]) / (nodes[j] - nodes[k]);
        sum += half * product;
    }
    return sum;
}

gboolean sfu_step_lms(SfuStepRun *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    sfu_step_remember_slope(r, sigma);
    const int order = MIN(i + 1, LMS_ORDER);
    double nodes[LMS_ORDER];
    for (int j = 0; j < order; j++)
        nodes[j] = r->s->sigmas[i - j];
    for (int j = 0; j < order; j++)
        sfu_step_combine(r, r->x, 1, r->x, lms_coefficient(nodes, order, j, sigma, next), r->history[j], 0, NULL);
    return TRUE;
}
