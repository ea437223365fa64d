/* Schedules that are more than a formula in sigma, and what samplers with steps of their own make of a schedule.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <math.h>

/* ---- beta: Lee 2024 (arXiv 2407.12173) --------------------------------------------------------------------------- */

#define DPM_ADAPTIVE_PASSES 60 /* about what it takes, for progress */
#define BETA 0.6               /* both parameters of the distribution */

/* Distribution function at x in 0..0.5: x^a / B(a, a) times the sum over k of (1 - a)_k / k! x^k / (a + k). */
static double beta_distribution(double x)
{
    const double scale = tgamma(2 * BETA) / (tgamma(BETA) * tgamma(BETA));
    double term = 1, sum = 0;
    for (int k = 0; term > 1e-18; k++) {
        sum += term / (BETA + k);
        term *= (1 - BETA + k) / (k + 1) * x;
    }
    return scale * pow(x, BETA) * sum;
}

double sfu_beta_quantile(double p)
{
    if (p > 0.5)
        return 1 - sfu_beta_quantile(1 - p);
    /* In y = x^a the distribution is nearly a straight line. */
    double low = 0, high = pow(0.5, BETA);
    for (int i = 0; i < 60; i++) {
        const double y = 0.5 * (low + high);
        if (beta_distribution(pow(y, 1 / BETA)) < p)
            low = y;
        else
            high = y;
    }
    return p > 0 ? pow(0.5 * (low + high), 1 / BETA) : 0;
}

/* ---- Align Your Steps: Sabour 2024 ------------------------------------------------------------------------------- */

/* n + 1 points of which the last, here left out, would be the table's first. */
void sfu_schedule_align(const SfuSigmas *s, const int *aligned, int n, double *sigmas)
{
    for (int i = 0; i < n; i++) {
        const double at = (double)i * SFU_N_ALIGNED / n;
        const int k = (int)at;
        const double to = k + 1 < SFU_N_ALIGNED ? s->log_sigmas[aligned[k + 1]] : s->log_sigmas[0];
        const double w = at - k, from = s->log_sigmas[aligned[k]];
        sigmas[i] = exp((1 - w) * from + w * to);
    }
}

/* ---- GITS: Chen 2024 --------------------------------------------------------------------------------------------- */

void sfu_schedule_gits(const double *table, int n, double *sigmas)
{
    for (int i = 0; i < n; i++) {
        const double at = n > 1 ? (double)i * (SFU_N_GITS - 1) / (n - 1) : 0;
        const int k = MIN((int)at, SFU_N_GITS - 2);
        sigmas[i] = exp(log(table[k]) + (at - k) * (log(table[k + 1]) - log(table[k])));
    }
}

/* ---- Restart: Xu 2023, Algorithm 2, with AUTOMATIC1111's choice of levels ---- */

static double to_ratio(const SfuSigmas *s, double sigma)
{
    return s->prediction == SFU_SAMPLE_FLOW ? sigma / MAX(1 - sigma, 1e-6) : sigma;
}

/* n levels from `highest` to `lowest`: Karras 2022, eq. 5, rho 7. */
static void fill_karras(double highest, double lowest, int n, double *sigmas)
{
    const double from = pow(highest, 1 / 7.0), to = pow(lowest, 1 / 7.0);
    for (int i = 0; i < n; i++)
        sigmas[i] = pow(from + (n > 1 ? (double)i / (n - 1) : 0) * (to - from), 7);
}

static int nearest(const SfuSigmas *s, const double *sigmas, int n, double u)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (fabs(to_ratio(s, sigmas[i]) - u) < fabs(to_ratio(s, sigmas[best]) - u))
            best = i;
    return best;
}

/* From 20 steps on, those below noise 2 are taken again from there when noise 0.1 is reached: once, from 36 on twice.
 */
void sfu_sigmas_plan_restart(SfuSigmas *s)
{
    const int n = s->n_steps, times = n >= 36 ? 2 : 1, again = n >= 36 ? n / 4 : 9, base = n - again * times;
    if (n < 20)
        return;
    double *plain = g_new0(double, base + 1), *back = g_new(double, again + 1);
    fill_karras(s->sigmas[0], s->sigmas[n - 1], base, plain);
    const int low = nearest(s, plain, base + 1, 0.1), high = nearest(s, plain, base + 1, 2);
    const gboolean restarts = high < low;
    if (restarts)
        fill_karras(plain[high], plain[low], again + 1, back);
    s->ends = g_new(double, n);
    int k = 0;
    for (int i = 0; i < base; i++) {
        s->sigmas[k] = plain[i];
        s->ends[k++] = plain[i + 1];
        for (int t = 0; restarts && i + 1 == low && t < times; t++)
            for (int j = 0; j < again; j++) {
                s->sigmas[k] = back[j];
                s->ends[k++] = back[j + 1];
            }
    }
    s->n_steps = k;
    s->sigmas[k] = 0;
    for (int i = 0; i < k; i++)
        s->timesteps[i] = sfu_sigma_to_timestep(s, s->sigmas[i]);
    g_free(plain);
    g_free(back);
}

/* ---- DPM fast and adaptive: evenly in log u from the schedule's highest to its lowest level, whatever its others ---
 */

void sfu_sigmas_plan_dpm(SfuSigmas *s)
{
    const gboolean fast = s->sampler == SFU_SAMPLER_DPM_FAST;
    const int asked = s->n_steps, n = fast ? asked / 3 + 1 : asked; /* fast: of order 3 but for the last */
    const double first = exp(s->log_sigmas[0]), end = asked > 1 ? s->sigmas[asked - 1] : MIN(first, s->sigmas[0]);
    const double from = log(to_ratio(s, s->sigmas[0])), to = log(to_ratio(s, end));
    if (from - to < 1e-6) { /* already at the lowest level: the estimate is the result */
        s->n_steps = s->n_passes = 1;
        s->sigmas[1] = 0;
        return;
    }
    double *sigmas = g_new(double, n + 1), *timesteps = g_new(double, n);
    for (int i = 0; i <= n; i++) {
        const double u = exp(from + (to - from) * i / n);
        sigmas[i] = i == 0 ? s->sigmas[0] : i == n ? end : s->prediction == SFU_SAMPLE_FLOW ? u / (1 + u) : u;
        if (i < n)
            timesteps[i] = sfu_sigma_to_timestep(s, sigmas[i]);
    }
    g_free(s->sigmas);
    g_free(s->timesteps);
    s->sigmas = sigmas;
    s->timesteps = timesteps;
    s->n_steps = n;
    s->n_passes = fast ? asked : MAX(asked, DPM_ADAPTIVE_PASSES);
}
