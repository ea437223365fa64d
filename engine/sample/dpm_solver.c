/* DPM-Solver: Lu 2022 (arXiv 2206.00927), Algorithms 1 and 2 and "fast" (section 3.4) and adaptive (appendix C) as in
 * k-diffusion. Works on X = x / alpha over lambda = -log u; the derivatives are (X - D) / u.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <math.h>
#include <string.h>

/* k-diffusion's controller */
#define ORDER 3
#define TOLERANCE_RELATIVE 0.05
#define TOLERANCE_ABSOLUTE 0.0078
#define FIRST_LENGTH 0.05
#define ACCEPTED 0.81
#define MOST_TRIALS 10000 /* of one step; a step that shrinks forever means a wrong network */

/* out = (X - D) / u, D the estimate for X; the estimate itself goes to `denoised`. */
static gboolean derivative(SfuStepRun *r, float *out, float *denoised, const float *X, double u, int step,
                           GError **error)
{
    const double sigma = sfu_step_sigma(r, u), alpha = sfu_step_alpha(r, sigma);
    sfu_step_combine(r, out, alpha, X, 0, X, 0, NULL);
    if (!sfu_step_evaluate(r, denoised, out, sigma, step, error))
        return FALSE;
    sfu_step_combine(r, out, 1 / u, X, -1 / u, denoised, 0, NULL);
    return TRUE;
}

/* A way from u to `to`, and how it is solved: at order 2 and 3 with a derivative a fraction r1 of the way on. */
typedef struct {
    double u, to, r1;
    int order;
    gboolean have_r1; /* that derivative is in history[1] already */
} Way;

/* out = X taken along the way, by the derivative in history[0] and, for orders 2 and 3, those at r1 and 2/3, which go
 * into history[1] and [2]. out may be X. */
static gboolean solve(SfuStepRun *r, float *out, const float *X, Way way, int step, GError **error)
{
    const double u = way.u, to = way.to, r1 = way.r1, h = log(u / to), all = to * expm1(h);
    float *eps = r->history[0], *eps1 = r->history[1], *eps2 = r->history[2];
    if (way.order > 1 && !way.have_r1) {
        const double u1 = u * exp(-r1 * h);
        sfu_step_combine(r, r->mid, 1, X, -u1 * expm1(r1 * h), eps, 0, NULL);
        if (!derivative(r, eps1, r->second, r->mid, u1, step, error))
            return FALSE;
    }
    if (way.order == 1) {
        sfu_step_combine(r, out, 1, X, -all, eps, 0, NULL);
    } else if (way.order == 2) {
        const double w = all / (2 * r1);
        sfu_step_combine(r, out, 1, X, -all + w, eps, -w, eps1);
    } else {
        const double r2 = 2 / 3.0, u2 = u * exp(-r2 * h), part = expm1(r2 * h);
        const double w = u2 * (r2 / r1) * (part / (r2 * h) - 1), w3 = to / r2 * (expm1(h) / h - 1);
        sfu_step_combine(r, r->mid, 1, X, -u2 * part + w, eps, -w, eps1);
        if (!derivative(r, eps2, r->second, r->mid, u2, step, error))
            return FALSE;
        sfu_step_combine(r, out, 1, X, -all + w3, eps, -w3, eps2);
    }
    return TRUE;
}

/* Where the deterministic part of a step from u to `to` ends, not below `lowest`, and the noise that brings it back. */
static double lowered(const SfuStepRun *r, double u, double to, double lowest, double *up)
{
    *up = 0;
    if (!(r->eta > 0))
        return to;
    const double down = MAX(sfu_step_ancestral(u, to, r->eta, up), lowest);
    *up = sqrt(MAX(to * to - down * down, 0));
    return down;
}

static void scale(const SfuStepRun *r, double by)
{
    if (by != 1)
        sfu_step_combine(r, r->x, by, r->x, 0, r->x, 0, NULL);
}

/* As many passes as steps were asked for, in steps of order 3, the last ones of what remains. */
gboolean sfu_step_dpm_fast(SfuStepRun *r, int i, GError **error)
{
    const SfuSigmas *s = r->s;
    const double sigma = s->sigmas[i], next = s->sigmas[i + 1], u = sfu_step_ratio(r, sigma);
    const int left = s->n_steps - 1 - i, rest = s->n_passes % 3;
    const int order = rest != 0 ? (left > 0 ? 3 : rest) : left > 1 ? 3 : left > 0 ? 2 : 1;
    if (next == 0) {
        if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
            return FALSE;
        sfu_step_glide(r, r->x, r->x, r->denoised, sigma, 0);
        return TRUE;
    }
    double up;
    const double to = sfu_step_ratio(r, next), lowest = sfu_step_ratio(r, s->sigmas[s->n_steps]);
    const double down = lowered(r, u, to, lowest, &up);
    scale(r, 1 / sfu_step_alpha(r, sigma));
    if (!derivative(r, r->history[0], r->denoised, r->x, u, i, error) ||
        !solve(r, r->x, r->x, (Way){u, down, order == 3 ? 1 / 3.0 : 0.5, order}, i, error))
        return FALSE;
    scale(r, sfu_step_alpha(r, next));
    sfu_step_stir(r, r->x, sfu_step_alpha(r, next) * up, sigma, next);
    return TRUE;
}

/* Norm of the difference of two solutions in units of what is tolerated. */
static double misfit(const SfuStepRun *r, const float *low, const float *high)
{
    double sum = 0;
    for (gint64 k = 0; k < r->n; k++) {
        const double size = MAX(fabs(low[k]), fabs(r->last_x[k]));
        const double e = ((double)low[k] - high[k]) / MAX(TOLERANCE_ABSOLUTE, TOLERANCE_RELATIVE * size);
        sum += e * e;
    }
    return sqrt(sum / (double)r->n);
}

/* Steps of its own length until the end of step i is reached or passed. The latent is X while r->length is set. */
gboolean sfu_step_dpm_adaptive(SfuStepRun *r, int i, GError **error)
{
    const SfuSigmas *s = r->s;
    const double lowest = sfu_step_ratio(r, s->sigmas[s->n_steps]), target = sfu_step_ratio(r, s->sigmas[i + 1]);
    if (i == 0) {
        r->length = FIRST_LENGTH;
        r->sigma_before = s->sigmas[0];
    }
    double u = sfu_step_ratio(r, r->sigma_before);
    scale(r, 1 / sfu_step_alpha(r, r->sigma_before));
    if (i == 0)
        memcpy(r->last_x, r->x, r->n * sizeof(float));
    float *low = r->history[3];
    for (int n = 0; log(u / target) > 1e-5 && n < MOST_TRIALS; n++) {
        double up;
        const double to = MAX(lowest, u * exp(-r->length)), down = lowered(r, u, to, lowest, &up);
        if (!derivative(r, r->history[0], r->denoised, r->x, u, i, error) ||
            !solve(r, low, r->x, (Way){u, down, 1 / 3.0, 2}, i, error) ||
            !solve(r, r->trial, r->x, (Way){u, down, 1 / 3.0, 3, .have_r1 = TRUE}, i, error))
            return FALSE;
        const double wrong = misfit(r, low, r->trial);
        const double factor = 1 + atan(pow(1 / (wrong + 1e-8), 1 / (r->eta > 0 ? 1.5 : ORDER)) - 1);
        if (!isfinite(wrong) || factor >= ACCEPTED) { /* the caller finds what is not finite */
            memcpy(r->last_x, low, r->n * sizeof(float));
            memcpy(r->x, r->trial, r->n * sizeof(float));
            sfu_step_stir(r, r->x, up, sfu_step_sigma(r, u), sfu_step_sigma(r, to));
            u = to;
        }
        if (!isfinite(wrong))
            break;
        r->length *= factor;
    }
    r->sigma_before = r->sigma_now = sfu_step_sigma(r, u);
    scale(r, sfu_step_alpha(r, r->sigma_now));
    return TRUE;
}
