/* Samplers that stand alone, one section each: iPNDM, UniPC, LCM, DEIS, PLMS, TCD, RES, ER-SDE, CFG++, Restart. step.h
 * has the notation.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <math.h>
#include <string.h>

/* Follows the derivatives in the history, the newest first: the method of Adams and Bashforth, of as high an order as
 * step i has derivatives for. */
static void extrapolate(SfuStepRun *r, int i, double distance)
{
    static const double weights[SFU_STEP_HISTORY][SFU_STEP_HISTORY] = {
        {1}, {3 / 2.0, -1 / 2.0}, {23 / 12.0, -16 / 12.0, 5 / 12.0}, {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0}};
    const int order = MIN(i, SFU_STEP_HISTORY - 1);
    for (gint64 k = 0; k < r->n; k++) { /* at once: the terms are larger than their sum */
        double slope = 0;
        for (int j = 0; j <= order; j++)
            slope += weights[order][j] * r->history[j][k];
        r->x[k] = (float)(r->x[k] + distance * slope);
    }
}

/* ---- iPNDM: Zhang & Chen 2022, eq. 36 to 39: Adams and Bashforth's weights for even steps, for any steps ---- */

gboolean sfu_step_ipndm(SfuStepRun *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (next == 0)
        return sfu_step_finish(r);
    sfu_step_remember_slope(r, sigma);
    extrapolate(r, i, next - sigma);
    return TRUE;
}

/* ---- UniPC: Zhao 2023, predicting x0, B(h) = expm1(h), order 2, as in diffusers ---- */

/* Corrects x, which the step before predicted, with the estimate that was made there. history[0], [1]: the estimates of
 * the two steps before. */
static void unipc_correct(SfuStepRun *r, int i)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], from = sigmas[i - 1], u = sfu_step_ratio(r, sigma),
                 u_from = sfu_step_ratio(r, from);
    const double alpha = sfu_step_alpha(r, sigma), h = log(u_from / u), b = expm1(-h);
    double rho_old = 0, rho_new = 0.5, rk = 1;
    if (r->last_order == 2) { /* solve [1 1; rk 1] rho = [b1 b2] */
        rk = -log(sfu_step_ratio(r, sigmas[i - 2]) / u_from) / h;
        const double phi2 = b / -h - 1, phi3 = phi2 / -h - 0.5, b1 = phi2 / b, b2 = 2 * phi3 / b;
        rho_old = (b1 - b2) / (1 - rk);
        rho_new = b1 - rho_old;
    }
    const float *m0 = r->history[0], *m1 = r->history[1];
    const double q = alpha / sfu_step_alpha(r, from) * (u / u_from);
    for (gint64 k = 0; k < r->n; k++) {
        const double old = r->last_order == 2 ? rho_old * ((double)m1[k] - m0[k]) / rk : 0;
        r->x[k] = (float)(q * r->last_x[k] - alpha * b * (m0[k] + old + rho_new * ((double)r->denoised[k] - m0[k])));
    }
}

gboolean sfu_step_unipc(SfuStepRun *r, int i, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1], u = sfu_step_ratio(r, sigma),
                 u_next = sfu_step_ratio(r, next);
    const double alpha = sfu_step_alpha(r, next), q = u_next / u;
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (i > 0)
        unipc_correct(r, i);
    memcpy(r->last_x, r->x, r->n * sizeof(float));
    const int order = MIN(MIN(2, i + 1),
                          r->s->n_steps - i); /* low at the start, for want of history, and at the end, for stability */
    double w = 0;
    if (order == 2)
        w = -0.5 * log(u / u_next) / log(sfu_step_ratio(r, sigmas[i - 1]) / u);
    /* w (m1 - m0), of which the solver's term is a half divided by the ratio of the two steps, which is negative */
    sfu_step_combine(r, r->x, alpha / sfu_step_alpha(r, sigma) * q, r->x, alpha * (1 - q) * (1 - w), r->denoised,
                     alpha * (1 - q) * w, i > 0 ? r->history[0] : NULL);
    r->last_order = order;
    sfu_step_remember(r);
    return TRUE;
}

/* ---- latent consistency: Luo 2023, as in diffusers ---- */

gboolean sfu_step_lcm(SfuStepRun *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    const double sigma_data = 0.5, scaled = 10 * r->s->timesteps[i], square = scaled * scaled + sigma_data * sigma_data;
    const double skip = sigma_data * sigma_data / square, out = scaled / sqrt(square);
    const double to_input = r->s->prediction == SFU_SAMPLE_FLOW ? 1 : 1 / sqrt(1 + sigma * sigma),
                 alpha = sfu_step_alpha(r, next);
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    sfu_step_combine(r, r->x, alpha * skip * to_input, r->x, alpha * out, r->denoised, 0, NULL);
    sfu_step_stir(r, r->x, next, sigma, next);
    return TRUE;
}

/* ---- DEIS: Zhang & Chen 2022, rho-AB of order 2, exact for polynomials in log sigma, as in diffusers ------------- */

/* Integral from 0 to s of (log s - log other) / (log node - log other). */
static double log_integral(double s, double node, double other)
{
    return s > 0 ? s * (log(s) - log(other) - 1) / (log(node) - log(other)) : 0;
}

gboolean sfu_step_deis(SfuStepRun *r, int i, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1];
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    sfu_step_remember_slope(r, sigma);
    if (i == 0 || next == 0 || (i == r->s->n_steps - 1 && i + 1 < 15)) { /* diffusers' lower_order_final */
        sfu_step_glide(r, r->x, r->x, r->denoised, sigma, next);
        return TRUE;
    }
    const double before = sigmas[i - 1];
    const double now = log_integral(next, sigma, before) - log_integral(sigma, sigma, before);
    const double last = log_integral(next, before, sigma) - log_integral(sigma, before, sigma);
    sfu_step_combine(r, r->x, 1, r->x, now, r->history[0], last, r->history[1]);
    return TRUE;
}

/* ---- PLMS: Liu 2022, eq. 12 and 13, without its Runge-Kutta steps, as in diffusers' PNDM and CompVis's PLMS ---- */

gboolean sfu_step_plms(SfuStepRun *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    sfu_step_remember_slope(r, sigma);
    if (i == 0 && r->s->n_steps > 1) { /* the mean with the derivative at the end */
        sfu_step_glide(r, r->mid, r->x, r->denoised, sigma, next);
        if (!sfu_step_evaluate(r, r->second, r->mid, next, i, error))
            return FALSE;
        const double half = 0.5 * (next - sigma);
        sfu_step_combine(r, r->x, 1, r->x, half, r->history[0], half / next, r->mid);
        sfu_step_combine(r, r->x, 1, r->x, -half / next, r->second, 0, NULL);
        return TRUE;
    }
    extrapolate(r, i, next - sigma);
    return TRUE;
}

/* ---- trajectory consistency: Zheng 2024, Algorithm 4 (strategic stochastic sampling), as in diffusers ---- */

/* eta is the paper's gamma: the step goes down to the timestep (1 - eta) t' and noise brings it back up to t'. */
gboolean sfu_step_tcd(SfuStepRun *r, int i, GError **error)
{
    const SfuSigmas *s = r->s;
    const double sigma = s->sigmas[i], next = s->sigmas[i + 1], keep = 1 - MIN(r->eta, 1);
    const gboolean last = i == s->n_steps - 1;
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    double down = keep * next;
    if (s->prediction != SFU_SAMPLE_FLOW && !last)
        down = sfu_sigma_of_timestep(s, floor(keep * s->timesteps[i + 1]));
    else if (s->prediction != SFU_SAMPLE_FLOW)
        down = next;
    const double u = sfu_step_ratio(r, next), u_down = sfu_step_ratio(r, down);
    sfu_step_glide(r, r->x, r->x, r->denoised, sigma, down);
    if (last)
        return TRUE;
    sfu_step_lift(r, u_down, sqrt(MAX(u * u - u_down * u_down, 0)), sigma, next);
    return TRUE;
}

/* ---- RES: Zhang 2023 (Refined Exponential Solver), multistep of order 2, as in ComfyUI ---- */

gboolean sfu_step_res_multistep(SfuStepRun *r, int i, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1];
    double up;
    const double u_down = sfu_step_ancestral(sfu_step_ratio(r, sigma), sfu_step_ratio(r, next), r->eta, &up);
    const double down = r->eta > 0 ? sfu_step_sigma(r, u_down) : next;
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (i == 0 || down == 0) {
        sfu_step_glide(r, r->x, r->x, r->denoised, sigma, down);
    } else { /* phi1 = (1 - e^-h) / h; phi2 = (1 - phi1) / h; the estimate before lies c2 h back from where it led */
        const double h = log(sigma / down), phi1 = -expm1(-h) / h, phi2 = (1 - phi1) / h;
        const double c2 = log(r->sigma_before / sigmas[i - 1]) / h;
        const double last = c2 != 0 ? phi2 / c2 : 0, now = c2 != 0 ? phi1 - last : 0;
        sfu_step_combine(r, r->x, down / sigma, r->x, h * now, r->denoised, h * last, r->history[0]);
    }
    r->sigma_before = down;
    sfu_step_lift(r, u_down, up, sigma, next);
    sfu_step_remember(r);
    return TRUE;
}

/* ---- ER-SDE: Cui 2023, Algorithm 3 (VP ER-SDE-Solver-3), as in ComfyUI ------------------------------------------- */

#define ER_POINTS 200 /* of the sums that stand for the integrals */

/* The paper's phi, eq. 27: how much noise is drawn at u. */
static double er_noise(double u)
{
    return u * (exp(pow(u, 0.3)) + 10);
}

/* eta scales the noise that is drawn (k-diffusion's s_noise); the way down stays the same. */
gboolean sfu_step_er_sde(SfuStepRun *r, int i, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1];
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (next == 0)
        return sfu_step_finish(r);
    const double u = sfu_step_ratio(r, sigma), to = sfu_step_ratio(r, next), alpha = sfu_step_alpha(r, next);
    const double q = er_noise(to) / er_noise(u), dt = to - u, width = -dt / ER_POINTS;
    double first = 0, second = 0;
    for (int k = 0; k < ER_POINTS; k++) {
        const double at = to + k * width;
        first += width / er_noise(at);
        second += width * (at - u) / er_noise(at);
    }
    const double w1 = dt + first * er_noise(to), w2 = dt * dt / 2 + second * er_noise(to);
    const double h1 = i > 0 ? u - sfu_step_ratio(r, sigmas[i - 1]) : 1;
    const double h2 = i > 1 ? (u - sfu_step_ratio(r, sigmas[i - 2])) / 2 : 1;
    const double keep = alpha / sfu_step_alpha(r, sigma) * q;
    float *slope = r->mid, *last_slope = r->last_x;
    for (gint64 k = 0; k < r->n; k++) {
        double x = keep * r->x[k] + alpha * (1 - q) * r->denoised[k];
        if (i > 0) {
            const double d = ((double)r->denoised[k] - r->history[0][k]) / h1;
            x += alpha * w1 * d + (i > 1 ? alpha * w2 * (d - last_slope[k]) / h2 : 0);
            slope[k] = (float)d;
        }
        r->x[k] = (float)x;
    }
    r->mid = last_slope;
    r->last_x = slope;
    sfu_step_stir(r, r->x, alpha * r->eta * sqrt(MAX(to * to - u * u * q * q, 0)), sigma, next);
    sfu_step_remember(r);
    return TRUE;
}

/* ---- CFG++: Chung 2024, Algorithm 2: the noise comes from the estimate without the prompt; as in ComfyUI ---- */

gboolean sfu_step_euler_cfgpp(SfuStepRun *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1], alpha = sfu_step_alpha(r, next);
    const double u = sfu_step_ratio(r, sigma);
    double up;
    const double down = sfu_step_ancestral(u, sfu_step_ratio(r, next), r->eta, &up);
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    const float *none = r->callbacks->unconditional ? r->callbacks->unconditional(r->callbacks->data) : NULL;
    const double q = alpha * down / u;
    sfu_step_combine(r, r->x, q / sfu_step_alpha(r, sigma), r->x, -q, none ? none : r->denoised, alpha, r->denoised);
    if (next > 0)
        sfu_step_stir(r, r->x, alpha * up, sigma, next);
    return TRUE;
}

/* ---- Restart: Xu 2023, Algorithm 2, as in AUTOMATIC1111: Heun's steps, some of them again from more noise ---- */

gboolean sfu_step_restart(SfuStepRun *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], before = i > 0 ? sfu_step_end(r->s, i - 1) : sigma;
    if (sigma > before) {
        const double u = sfu_step_ratio(r, sigma), u_before = sfu_step_ratio(r, before);
        sfu_step_lift(r, u_before, sqrt(u * u - u_before * u_before), before, sigma);
    }
    return sfu_step_heun_to(r, i, sigma, sfu_step_end(r->s, i), error);
}
