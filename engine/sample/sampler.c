/* The samplers. Each is one function that takes a step (those of solvers.c and dpm_solver.c, too); all share the run's
 * buffers. step.h has the notation.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define LMS_ORDER 4

/* ---- Euler and its kin: Karras 2022, as in k-diffusion ---- */

static gboolean step_euler(SfuStepRun *r, int i, GError **error)
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
static gboolean step_euler_a(SfuStepRun *r, int i, GError **error)
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

static gboolean step_heun(SfuStepRun *r, int i, GError **error)
{
    return sfu_step_heun(r, i, r->s->sigmas[i], r->s->sigmas[i + 1], error);
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

static gboolean step_dpm2(SfuStepRun *r, int i, GError **error)
{
    return midpoint(r, i, r->s->sigmas[i], r->s->sigmas[i + 1], error);
}

static gboolean step_dpm2_a(SfuStepRun *r, int i, GError **error)
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

static gboolean step_lms(SfuStepRun *r, int i, GError **error)
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

/* ---- DPM-Solver++: Lu 2022, as in k-diffusion -------------------------------------------------------------------- */

/* out = the solution at u_to of the equation whose estimate stays as it is, times alpha_to. */
static void exponential(const SfuStepRun *r, float *out, const float *x, const float *denoised, double sigma,
                        double u_to, double alpha_to)
{
    const double q = u_to / sfu_step_ratio(r, sigma);
    sfu_step_combine(r, out, alpha_to / sfu_step_alpha(r, sigma) * q, x, alpha_to * (1 - q), denoised, 0, NULL);
}

static gboolean step_dpmpp_2m(SfuStepRun *r, int i, GError **error)
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
    if (next == 0) {
        memcpy(r->x, r->denoised, r->n * sizeof(float));
        return TRUE;
    }
    const double h = log(u / u_next), b = -expm1(-(1 + r->eta) * h);
    const double ratio = i > 0 ? h / log(sfu_step_ratio(r, sigmas[i - 1]) / u) : 0;
    const double w = ratio * (heun ? 1 - b / ((1 + r->eta) * h) : 0.5 * b);
    sfu_step_combine(r, r->x, alpha / sfu_step_alpha(r, sigma) * exp(-(1 + r->eta) * h), r->x, alpha * (b + w),
                     r->denoised, -alpha * w, i > 0 ? r->history[0] : NULL);
    sfu_step_stir(r, r->x, next * sqrt(-expm1(-2 * r->eta * h)), sigma, next);
    sfu_step_remember(r);
    return TRUE;
}

static gboolean step_dpmpp_2m_sde(SfuStepRun *r, int i, GError **error)
{
    return multistep_sde(r, i, FALSE, error);
}

static gboolean step_dpmpp_2m_sde_heun(SfuStepRun *r, int i, GError **error)
{
    return multistep_sde(r, i, TRUE, error);
}

static gboolean step_dpmpp_3m_sde(SfuStepRun *r, int i, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1];
    const double u = sfu_step_ratio(r, sigma), u_next = sfu_step_ratio(r, next), alpha = sfu_step_alpha(r, next);
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (next == 0) {
        memcpy(r->x, r->denoised, r->n * sizeof(float));
        return TRUE;
    }
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

static gboolean step_dpmpp_sde(SfuStepRun *r, int i, GError **error)
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

static gboolean step_dpmpp_2s_a(SfuStepRun *r, int i, GError **error)
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

/* ---- iPNDM: Zhang & Chen 2022, eq. 36 to 39: Adams and Bashforth's weights for even steps, whatever the steps
 * --------------- */

static gboolean step_ipndm(SfuStepRun *r, int i, GError **error)
{
    static const double weights[SFU_STEP_HISTORY][SFU_STEP_HISTORY] = {
        {1}, {3 / 2.0, -1 / 2.0}, {23 / 12.0, -16 / 12.0, 5 / 12.0}, {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0}};
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    if (!sfu_step_evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (next == 0) {
        memcpy(r->x, r->denoised, r->n * sizeof(float));
        return TRUE;
    }
    sfu_step_remember_slope(r, sigma);
    const int order = MIN(i, SFU_STEP_HISTORY - 1);
    for (gint64 k = 0; k < r->n; k++) { /* at once: the terms are larger than their sum */
        double slope = 0;
        for (int j = 0; j <= order; j++)
            slope += weights[order][j] * r->history[j][k];
        r->x[k] = (float)(r->x[k] + (next - sigma) * slope);
    }
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

static gboolean step_unipc(SfuStepRun *r, int i, GError **error)
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

static gboolean step_lcm(SfuStepRun *r, int i, GError **error)
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

/* ---- the table and the run ---- */

static const SfuStepFunc steps[SFU_N_SAMPLERS] = {
    [SFU_SAMPLER_EULER] = step_euler,
    [SFU_SAMPLER_EULER_A] = step_euler_a,
    [SFU_SAMPLER_HEUN] = step_heun,
    [SFU_SAMPLER_DPM2] = step_dpm2,
    [SFU_SAMPLER_DPM2_A] = step_dpm2_a,
    [SFU_SAMPLER_DPMPP_2M] = step_dpmpp_2m,
    [SFU_SAMPLER_DPMPP_2M_SDE] = step_dpmpp_2m_sde,
    [SFU_SAMPLER_DPMPP_SDE] = step_dpmpp_sde,
    [SFU_SAMPLER_DPMPP_2S_A] = step_dpmpp_2s_a,
    [SFU_SAMPLER_DDIM] = step_euler_a,
    [SFU_SAMPLER_DDPM] = step_euler_a,
    [SFU_SAMPLER_UNIPC] = step_unipc,
    [SFU_SAMPLER_LMS] = step_lms,
    [SFU_SAMPLER_LCM] = step_lcm,
    [SFU_SAMPLER_DPMPP_3M_SDE] = step_dpmpp_3m_sde,
    [SFU_SAMPLER_DPMPP_2M_SDE_HEUN] = step_dpmpp_2m_sde_heun,
    [SFU_SAMPLER_IPNDM] = step_ipndm,
    [SFU_SAMPLER_DEIS] = sfu_step_deis,
    [SFU_SAMPLER_PLMS] = sfu_step_plms,
    [SFU_SAMPLER_TCD] = sfu_step_tcd,
    [SFU_SAMPLER_RES_MULTISTEP] = sfu_step_res_multistep,
    [SFU_SAMPLER_ER_SDE] = sfu_step_er_sde,
    [SFU_SAMPLER_EULER_CFGPP] = sfu_step_euler_cfgpp,
    [SFU_SAMPLER_EULER_A_CFGPP] = sfu_step_euler_cfgpp,
    [SFU_SAMPLER_RESTART] = sfu_step_restart,
    [SFU_SAMPLER_DPM_FAST] = sfu_step_dpm_fast,
    [SFU_SAMPLER_DPM_ADAPTIVE] = sfu_step_dpm_adaptive,
    [SFU_SAMPLER_DDIM_CFGPP] = sfu_step_euler_cfgpp, /* as DDIM is Euler's step */
};

gboolean sfu_sampler_needs_unconditional(SfuSampler sampler)
{
    return steps[sampler] == sfu_step_euler_cfgpp;
}

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
    const SfuSamplerTraits *traits = sfu_sampler_traits(s->sampler);
    const double eta = options && options->eta >= 0 ? options->eta : traits->eta;
    const gboolean may_draw = traits->always_draws || eta > 0;
    if (may_draw && !noise && !callbacks->draw) {
        g_set_error(error, SFU_SAMPLE_ERROR, SFU_SAMPLE_ERROR_OPTIONS, _("The sampler %s needs a source of noise"),
                    sfu_sampler_label(s->sampler));
        return FALSE;
    }
    const gint64 n = n_per_image * n_images;
    SfuStepRun r = {
        .s = s, .callbacks = callbacks, .noise = noise, .brownian = traits->brownian, .eta = eta, .n = n, .x = x};
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
        if (!steps[s->sampler](&r, i, error))
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
