/* The samplers. Each is one function that takes a step; all share the run's buffers.
 *
 * Notation: sigma is the noise in the latent's own space; u = sigma / alpha is the noise over the signal, alpha is 1
 * for the variance exploding space and 1 - sigma for flow. Formulas of k-diffusion hold as they stand for X = x / alpha
 * at u; with lambda = -log u (DPM-Solver's), exp(-h) = u' / u.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/sample.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define LMS_ORDER 4
#define N_HISTORY 4
#define ALPHA_MIN 1e-6 /* flow starts at alpha 0, where u would be infinite */

typedef struct {
    const SfuSigmas *s;
    const SfuSampleCallbacks *callbacks;
    SfuNoise *noise;
    gboolean brownian;
    double eta, s_noise;
    gint64 n;
    float *x;
    float *denoised; /* the step's first estimate */
    float *second;   /* the estimate within the step, for samplers of second order */
    float *mid;      /* the latent within the step */
    float *draw;
    float *history[N_HISTORY]; /* earlier estimates (LMS: derivatives), the latest first */
    float *last_x;             /* UniPC: the latent that the step before started from */
    int last_order;            /* UniPC: of the step before */
} Run;

typedef gboolean (*StepFunc)(Run *r, int i, GError **error);

/* ---- parts ----------------------------------------------------------------------------------------------------- */

static double alpha_of(const Run *r, double sigma)
{
    return r->s->prediction == SFU_SAMPLE_FLOW ? MAX(1 - sigma, ALPHA_MIN) : 1;
}

static double ratio_of(const Run *r, double sigma)
{
    return sigma / alpha_of(r, sigma);
}

static double sigma_of(const Run *r, double u)
{
    return r->s->prediction == SFU_SAMPLE_FLOW ? u / (1 + u) : u;
}

static gboolean evaluate(Run *r, float *denoised, const float *x, double sigma, int step, GError **error)
{
    const double timestep = sigma == r->s->sigmas[step] ? r->s->timesteps[step] : sfu_sigma_to_timestep(r->s, sigma);
    return r->callbacks->denoise(r->callbacks->data, denoised, x, sigma, timestep, step, error);
}

/* out = a x + b y + c z; z may be NULL. out may be any of them. */
static void combine(const Run *r, float *out, double a, const float *x, double b, const float *y, double c,
                    const float *z)
{
    for (gint64 i = 0; i < r->n; i++)
        out[i] = (float)(a * x[i] + b * y[i] + (z ? c * z[i] : 0));
}

/* x += scale * s_noise * (noise of the way from sigma to sigma_next) */
static void stir(Run *r, float *x, double scale, double sigma, double sigma_next)
{
    if (!(scale > 0))
        return;
    if (r->callbacks->draw)
        r->callbacks->draw(r->callbacks->data, r->draw, sigma, sigma_next);
    else if (r->brownian)
        sfu_noise_brownian(r->noise, ratio_of(r, sigma), ratio_of(r, sigma_next), r->draw);
    else
        sfu_noise_next(r->noise, r->draw);
    combine(r, x, 1, x, scale * r->s_noise, r->draw, 0, NULL);
}

/* Where the deterministic part of an ancestral step from u to u_next ends, and how much noise brings it back up. */
static double ancestral(double u, double u_next, double eta, double *up)
{
    *up = MIN(u_next, eta * sqrt(u_next * u_next * (u * u - u_next * u_next) / (u * u)));
    return sqrt(MAX(u_next * u_next - *up * *up, 0));
}

/* out = x moved along the straight line through the estimate, from sigma to sigma_to: an Euler step, in any space. */
static void glide(const Run *r, float *out, const float *x, const float *denoised, double sigma, double sigma_to)
{
    const double q = sigma_to / sigma;
    combine(r, out, q, x, 1 - q, denoised, 0, NULL);
}

/* Rescales a latent at u_down to the alpha of sigma_next and adds the noise that an ancestral step took away. */
static void lift(Run *r, double u_down, double up, double sigma, double sigma_next)
{
    const double alpha = alpha_of(r, sigma_next), scale = alpha / alpha_of(r, sigma_of(r, u_down));
    if (scale != 1)
        combine(r, r->x, scale, r->x, 0, r->x, 0, NULL);
    if (sigma_next > 0)
        stir(r, r->x, alpha * up, sigma, sigma_next);
}

/* The newest estimate goes to history[0]; its buffer is swapped, not copied. */
static void remember(Run *r)
{
    float *oldest = r->history[N_HISTORY - 1];
    memmove(r->history + 1, r->history, (N_HISTORY - 1) * sizeof(float *));
    r->history[0] = oldest;
    memcpy(r->history[0], r->denoised, r->n * sizeof(float));
}

/* ---- Euler and its kin: Karras 2022, as in k-diffusion ------------------------------------------------------------
 */

static gboolean step_euler(Run *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    glide(r, r->x, r->x, r->denoised, sigma, next);
    return TRUE;
}

/* Euler ancestral. DDIM (Song 2020, eq. 12) and DDPM (Ho 2020, eq. 7, small variance) are this step too: with a = 1 /
 * (1 + u^2), their variance divided by a' is up^2, and what remains of the direction to x is u_down. They differ in
 * schedule, last sigma, and usual eta. */
static gboolean step_euler_a(Run *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    double up;
    const double down = ancestral(ratio_of(r, sigma), ratio_of(r, next), r->eta, &up);
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    glide(r, r->x, r->x, r->denoised, sigma, sigma_of(r, down));
    lift(r, down, up, sigma, next);
    return TRUE;
}

static gboolean step_heun(Run *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1], dt = next - sigma;
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    glide(r, r->mid, r->x, r->denoised, sigma, next);
    if (next == 0) {
        memcpy(r->x, r->mid, r->n * sizeof(float));
        return TRUE;
    }
    if (!evaluate(r, r->second, r->mid, next, i, error))
        return FALSE;
    for (gint64 k = 0; k < r->n; k++) {
        const double d = (r->x[k] - r->denoised[k]) / sigma, d2 = (r->mid[k] - r->second[k]) / next;
        r->x[k] = (float)(r->x[k] + 0.5 * dt * (d + d2));
    }
    return TRUE;
}

/* From sigma to sigma_to by the derivative at their geometric middle. */
static gboolean midpoint(Run *r, int i, double sigma, double sigma_to, GError **error)
{
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (sigma_to == 0) {
        glide(r, r->x, r->x, r->denoised, sigma, sigma_to);
        return TRUE;
    }
    const double middle = sqrt(sigma * sigma_to);
    glide(r, r->mid, r->x, r->denoised, sigma, middle);
    if (!evaluate(r, r->second, r->mid, middle, i, error))
        return FALSE;
    const double k = (sigma_to - sigma) / middle;
    combine(r, r->x, 1, r->x, k, r->mid, -k, r->second);
    return TRUE;
}

static gboolean step_dpm2(Run *r, int i, GError **error)
{
    return midpoint(r, i, r->s->sigmas[i], r->s->sigmas[i + 1], error);
}

static gboolean step_dpm2_a(Run *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    double up;
    const double down = ancestral(ratio_of(r, sigma), ratio_of(r, next), r->eta, &up);
    if (!midpoint(r, i, sigma, sigma_of(r, down), error))
        return FALSE;
    lift(r, down, up, sigma, next);
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

static gboolean step_lms(Run *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    remember(r);
    combine(r, r->history[0], 1 / sigma, r->x, -1 / sigma, r->denoised, 0, NULL);
    const int order = MIN(i + 1, LMS_ORDER);
    double nodes[LMS_ORDER];
    for (int j = 0; j < order; j++)
        nodes[j] = r->s->sigmas[i - j];
    for (int j = 0; j < order; j++)
        combine(r, r->x, 1, r->x, lms_coefficient(nodes, order, j, sigma, next), r->history[j], 0, NULL);
    return TRUE;
}

/* ---- DPM-Solver++: Lu 2022, as in k-diffusion -------------------------------------------------------------------- */

/* out = the solution at u_to of the equation whose estimate stays as it is, times alpha_to. */
static void exponential(const Run *r, float *out, const float *x, const float *denoised, double sigma, double u_to,
                        double alpha_to)
{
    const double q = u_to / ratio_of(r, sigma);
    combine(r, out, alpha_to / alpha_of(r, sigma) * q, x, alpha_to * (1 - q), denoised, 0, NULL);
}

static gboolean step_dpmpp_2m(Run *r, int i, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1];
    const double u = ratio_of(r, sigma), u_next = ratio_of(r, next), alpha = alpha_of(r, next), q = u_next / u;
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    double w = 0;
    if (i > 0 && next > 0)
        w = 0.5 * log(u / u_next) / log(ratio_of(r, sigmas[i - 1]) / u);
    combine(r, r->x, alpha / alpha_of(r, sigma) * q, r->x, alpha * (1 - q) * (1 + w), r->denoised, -alpha * (1 - q) * w,
            i > 0 ? r->history[0] : NULL);
    remember(r);
    return TRUE;
}

/* With the midpoint or Heun's form of the second term, as A1111. */
static gboolean multistep_sde(Run *r, int i, gboolean heun, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1];
    const double u = ratio_of(r, sigma), u_next = ratio_of(r, next), alpha = alpha_of(r, next);
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (next == 0) {
        memcpy(r->x, r->denoised, r->n * sizeof(float));
        return TRUE;
    }
    const double h = log(u / u_next), b = -expm1(-(1 + r->eta) * h);
    const double ratio = i > 0 ? h / log(ratio_of(r, sigmas[i - 1]) / u) : 0;
    const double w = ratio * (heun ? 1 - b / ((1 + r->eta) * h) : 0.5 * b);
    combine(r, r->x, alpha / alpha_of(r, sigma) * exp(-(1 + r->eta) * h), r->x, alpha * (b + w), r->denoised,
            -alpha * w, i > 0 ? r->history[0] : NULL);
    stir(r, r->x, next * sqrt(-expm1(-2 * r->eta * h)), sigma, next);
    remember(r);
    return TRUE;
}

static gboolean step_dpmpp_2m_sde(Run *r, int i, GError **error)
{
    return multistep_sde(r, i, FALSE, error);
}

static gboolean step_dpmpp_2m_sde_heun(Run *r, int i, GError **error)
{
    return multistep_sde(r, i, TRUE, error);
}

static gboolean step_dpmpp_3m_sde(Run *r, int i, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1];
    const double u = ratio_of(r, sigma), u_next = ratio_of(r, next), alpha = alpha_of(r, next);
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (next == 0) {
        memcpy(r->x, r->denoised, r->n * sizeof(float));
        return TRUE;
    }
    const double h = log(u / u_next), all = (1 + r->eta) * h, b = -expm1(-all), phi2 = 1 - b / all,
                 phi3 = phi2 / all - 0.5;
    double now = b, last = 0, before = 0; /* weights of this estimate and the two before */
    if (i > 0) {
        const double r0 = log(ratio_of(r, sigmas[i - 1]) / u) / h;
        double d0 = 1, d1 = 0,
               second = 0; /* phi2 times d0 (D - D1) / r0 + d1 (D1 - D2) / r1; second: of the difference of the two */
        double r1 = 1;
        if (i > 1) {
            r1 = log(ratio_of(r, sigmas[i - 2]) / ratio_of(r, sigmas[i - 1])) / h;
            d0 = 1 + r0 / (r0 + r1);
            d1 = -r0 / (r0 + r1);
            second = phi3 / (r0 + r1);
        }
        const double slope0 = (phi2 * d0 - second) / r0, slope1 = (phi2 * d1 + second) / r1;
        now += slope0;
        last = slope1 - slope0;
        before = -slope1;
    }
    combine(r, r->x, alpha / alpha_of(r, sigma) * exp(-all), r->x, alpha * now, r->denoised, alpha * last,
            i > 0 ? r->history[0] : NULL);
    if (i > 1)
        combine(r, r->x, 1, r->x, alpha * before, r->history[1], 0, NULL);
    stir(r, r->x, next * sqrt(-expm1(-2 * r->eta * h)), sigma, next);
    remember(r);
    return TRUE;
}

static gboolean step_dpmpp_sde(Run *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    const double u = ratio_of(r, sigma), u_next = ratio_of(r, next);
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (next == 0) {
        glide(r, r->x, r->x, r->denoised, sigma, next);
        return TRUE;
    }
    const double u_mid = sqrt(u * u_next), sigma_mid = sigma_of(r, u_mid), alpha_mid = alpha_of(r, sigma_mid);
    double up, down = ancestral(u, u_mid, r->eta, &up);
    exponential(r, r->mid, r->x, r->denoised, sigma, down, alpha_mid);
    stir(r, r->mid, alpha_mid * up, sigma, sigma_mid);
    if (!evaluate(r, r->second, r->mid, sigma_mid, i, error))
        return FALSE;
    /* Halfway in lambda the weights of the two estimates are 0 and 1. */
    down = ancestral(u, u_next, r->eta, &up);
    exponential(r, r->x, r->x, r->second, sigma, down, alpha_of(r, next));
    stir(r, r->x, alpha_of(r, next) * up, sigma, next);
    return TRUE;
}

static gboolean step_dpmpp_2s_a(Run *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    const double u = ratio_of(r, sigma);
    double up;
    const double down = ancestral(u, ratio_of(r, next), r->eta, &up);
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (down == 0) {
        glide(r, r->x, r->x, r->denoised, sigma, 0);
    } else {
        const double u_mid = sqrt(u * down), sigma_mid = sigma_of(r, u_mid);
        exponential(r, r->mid, r->x, r->denoised, sigma, u_mid, alpha_of(r, sigma_mid));
        if (!evaluate(r, r->second, r->mid, sigma_mid, i, error))
            return FALSE;
        exponential(r, r->x, r->x, r->second, sigma, down, alpha_of(r, sigma_of(r, down)));
    }
    lift(r, down, up, sigma, next);
    return TRUE;
}

/* ---- iPNDM: Zhang & Chen 2022, eq. 36 to 39: Adams and Bashforth's weights for even steps, whatever the steps
 * --------------- */

static gboolean step_ipndm(Run *r, int i, GError **error)
{
    static const double weights[N_HISTORY][N_HISTORY] = {
        {1}, {3 / 2.0, -1 / 2.0}, {23 / 12.0, -16 / 12.0, 5 / 12.0}, {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0}};
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (next == 0) {
        memcpy(r->x, r->denoised, r->n * sizeof(float));
        return TRUE;
    }
    remember(r);
    combine(r, r->history[0], 1 / sigma, r->x, -1 / sigma, r->denoised, 0, NULL); /* derivatives */
    const int order = MIN(i, N_HISTORY - 1);
    for (gint64 k = 0; k < r->n; k++) { /* at once: the terms are larger than their sum */
        double slope = 0;
        for (int j = 0; j <= order; j++)
            slope += weights[order][j] * r->history[j][k];
        r->x[k] = (float)(r->x[k] + (next - sigma) * slope);
    }
    return TRUE;
}

/* ---- UniPC: Zhao 2023, predicting x0, B(h) = expm1(h), order 2, as in diffusers ------------------------------------
 */

/* Corrects x, which the step before predicted, with the estimate that was made there. history[0], [1]: the estimates of
 * the two steps before. */
static void unipc_correct(Run *r, int i)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], from = sigmas[i - 1], u = ratio_of(r, sigma),
                 u_from = ratio_of(r, from);
    const double alpha = alpha_of(r, sigma), h = log(u_from / u), b = expm1(-h);
    double rho_old = 0, rho_new = 0.5, rk = 1;
    if (r->last_order == 2) { /* solve [1 1; rk 1] rho = [b1 b2] */
        rk = -log(ratio_of(r, sigmas[i - 2]) / u_from) / h;
        const double phi2 = b / -h - 1, phi3 = phi2 / -h - 0.5, b1 = phi2 / b, b2 = 2 * phi3 / b;
        rho_old = (b1 - b2) / (1 - rk);
        rho_new = b1 - rho_old;
    }
    const float *m0 = r->history[0], *m1 = r->history[1];
    const double q = alpha / alpha_of(r, from) * (u / u_from);
    for (gint64 k = 0; k < r->n; k++) {
        const double old = r->last_order == 2 ? rho_old * ((double)m1[k] - m0[k]) / rk : 0;
        r->x[k] = (float)(q * r->last_x[k] - alpha * b * (m0[k] + old + rho_new * ((double)r->denoised[k] - m0[k])));
    }
}

static gboolean step_unipc(Run *r, int i, GError **error)
{
    const double *sigmas = r->s->sigmas, sigma = sigmas[i], next = sigmas[i + 1], u = ratio_of(r, sigma),
                 u_next = ratio_of(r, next);
    const double alpha = alpha_of(r, next), q = u_next / u;
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    if (i > 0)
        unipc_correct(r, i);
    memcpy(r->last_x, r->x, r->n * sizeof(float));
    const int order = MIN(MIN(2, i + 1),
                          r->s->n_steps - i); /* low at the start, for want of history, and at the end, for stability */
    double w = 0;
    if (order == 2)
        w = -0.5 * log(u / u_next) / log(ratio_of(r, sigmas[i - 1]) / u);
    /* w (m1 - m0), of which the solver's term is a half divided by the ratio of the two steps, which is negative */
    combine(r, r->x, alpha / alpha_of(r, sigma) * q, r->x, alpha * (1 - q) * (1 - w), r->denoised, alpha * (1 - q) * w,
            i > 0 ? r->history[0] : NULL);
    r->last_order = order;
    remember(r);
    return TRUE;
}

/* ---- latent consistency: Luo 2023, as in diffusers ------------------------------------------------------------------
 */

static gboolean step_lcm(Run *r, int i, GError **error)
{
    const double sigma = r->s->sigmas[i], next = r->s->sigmas[i + 1];
    const double sigma_data = 0.5, scaled = 10 * r->s->timesteps[i], square = scaled * scaled + sigma_data * sigma_data;
    const double skip = sigma_data * sigma_data / square, out = scaled / sqrt(square);
    const double to_input = r->s->prediction == SFU_SAMPLE_FLOW ? 1 : 1 / sqrt(1 + sigma * sigma),
                 alpha = alpha_of(r, next);
    if (!evaluate(r, r->denoised, r->x, sigma, i, error))
        return FALSE;
    combine(r, r->x, alpha * skip * to_input, r->x, alpha * out, r->denoised, 0, NULL);
    stir(r, r->x, next, sigma, next);
    return TRUE;
}

/* ---- the table and the run ------------------------------------------------------------------------------------------
 */

static const struct {
    const char *name, *label;
    StepFunc step;
    double eta; /* its usual */
    gboolean always_draws, brownian;
} samplers[SFU_N_SAMPLERS] = {
    [SFU_SAMPLER_EULER] = {"euler", "Euler", step_euler},
    [SFU_SAMPLER_EULER_A] = {"euler_a", "Euler a", step_euler_a, 1},
    [SFU_SAMPLER_HEUN] = {"heun", "Heun", step_heun},
    [SFU_SAMPLER_DPM2] = {"dpm2", "DPM2", step_dpm2},
    [SFU_SAMPLER_DPM2_A] = {"dpm2_a", "DPM2 a", step_dpm2_a, 1},
    [SFU_SAMPLER_DPMPP_2M] = {"dpmpp_2m", "DPM++ 2M", step_dpmpp_2m},
    [SFU_SAMPLER_DPMPP_2M_SDE] = {"dpmpp_2m_sde", "DPM++ 2M SDE", step_dpmpp_2m_sde, 1, FALSE, TRUE},
    [SFU_SAMPLER_DPMPP_SDE] = {"dpmpp_sde", "DPM++ SDE", step_dpmpp_sde, 1, FALSE, TRUE},
    [SFU_SAMPLER_DPMPP_2S_A] = {"dpmpp_2s_a", "DPM++ 2S a", step_dpmpp_2s_a, 1},
    [SFU_SAMPLER_DDIM] = {"ddim", "DDIM", step_euler_a, 0},
    [SFU_SAMPLER_DDPM] = {"ddpm", "DDPM", step_euler_a, 1},
    [SFU_SAMPLER_UNIPC] = {"unipc", "UniPC", step_unipc},
    [SFU_SAMPLER_LMS] = {"lms", "LMS", step_lms},
    [SFU_SAMPLER_LCM] = {"lcm", "LCM", step_lcm, 0, TRUE},
    [SFU_SAMPLER_DPMPP_3M_SDE] = {"dpmpp_3m_sde", "DPM++ 3M SDE", step_dpmpp_3m_sde, 1, FALSE, TRUE},
    [SFU_SAMPLER_DPMPP_2M_SDE_HEUN] = {"dpmpp_2m_sde_heun", "DPM++ 2M SDE Heun", step_dpmpp_2m_sde_heun, 1, FALSE,
                                       TRUE},
    [SFU_SAMPLER_IPNDM] = {"ipndm", "IPNDM", step_ipndm},
};

const char *sfu_sampler_name(int sampler)
{
    return sampler >= 0 && sampler < SFU_N_SAMPLERS ? samplers[sampler].name : NULL;
}

const char *sfu_sampler_label(int sampler)
{
    return sampler >= 0 && sampler < SFU_N_SAMPLERS ? samplers[sampler].label : NULL;
}

int sfu_sampler_passes(SfuSampler sampler)
{
    switch (sampler) {
    case SFU_SAMPLER_HEUN:
    case SFU_SAMPLER_DPM2:
    case SFU_SAMPLER_DPM2_A:
    case SFU_SAMPLER_DPMPP_SDE:
    case SFU_SAMPLER_DPMPP_2S_A:
        return 2;
    default:
        return 1;
    }
}

gboolean sfu_sampler_is_stochastic(SfuSampler sampler)
{
    return samplers[sampler].eta > 0 || samplers[sampler].always_draws;
}

double sfu_sampler_default_eta(SfuSampler sampler)
{
    return sfu_sampler_is_stochastic(sampler) ? 1 : 0;
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
    const double eta = options && options->eta >= 0 ? options->eta : samplers[s->sampler].eta;
    const gboolean may_draw =
        samplers[s->sampler].step == step_euler_a ? eta > 0 : sfu_sampler_is_stochastic(s->sampler);
    if (may_draw && !noise && !callbacks->draw) {
        g_set_error(error, SFU_SAMPLE_ERROR, SFU_SAMPLE_ERROR_OPTIONS, _("The sampler %s needs a source of noise"),
                    sfu_sampler_label(s->sampler));
        return FALSE;
    }
    const gint64 n = n_per_image * n_images;
    Run r = {.s = s,
             .callbacks = callbacks,
             .noise = noise,
             .brownian = samplers[s->sampler].brownian,
             .eta = eta,
             .n = n,
             .x = x};
    r.s_noise = options && options->s_noise > 0 ? options->s_noise : 1;
    float *buffers = g_new(float, n *(5 + N_HISTORY));
    r.denoised = buffers;
    r.second = buffers + n;
    r.mid = buffers + 2 * n;
    r.draw = buffers + 3 * n;
    r.last_x = buffers + 4 * n;
    for (int i = 0; i < N_HISTORY; i++)
        r.history[i] = buffers + (5 + i) * n;

    gboolean ok = FALSE;
    for (int i = 0; i < s->n_steps; i++) {
        if (!samplers[s->sampler].step(&r, i, error))
            goto out;
        if (!all_finite(x, n)) {
            g_set_error(error, SFU_SAMPLE_ERROR, SFU_SAMPLE_ERROR_NAN,
                        _("The latent is not finite after step %d of %d (sampler %s)"), i + 1, s->n_steps,
                        sfu_sampler_label(s->sampler));
            goto out;
        }
        if (callbacks->after_step && !callbacks->after_step(callbacks->data, x, r.denoised, s->sigmas[i + 1], i, error))
            goto out;
    }
    if (s->sigmas[s->n_steps] > 0)
        sfu_model_input(s, x, x, s->sigmas[s->n_steps], n);
    ok = TRUE;
out:
    g_free(buffers);
    return ok;
}
