/* Inside engine/sample: what the samplers' steps share.
 *
 * Notation: sigma is the noise in the latent's own space; u = sigma / alpha is the noise over the signal, alpha is 1
 * for the variance exploding space and 1 - sigma for flow. Formulas of k-diffusion hold as they stand for X = x / alpha
 * at u; with lambda = -log u (DPM-Solver's), exp(-h) = u' / u.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_STEP_H
#define SFU_STEP_H

#include "sample/sample.h"

G_BEGIN_DECLS

#define SFU_STEP_HISTORY 4

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
    float *history[SFU_STEP_HISTORY]; /* earlier estimates (some: derivatives), the latest first */
    float *last_x;                    /* UniPC, DPM adaptive: the latent that the step before started from */
    float *trial;                     /* DPM adaptive: the latent that the step may arrive at */
    int last_order;                   /* UniPC: of the step before */
    double sigma_now;                 /* where x is after the step */
    double length;                    /* DPM adaptive: of the next step, in lambda */
    double sigma_before;              /* DPM adaptive: where x is; RES: where the step before came down to */
} SfuStepRun;

/* Takes step i: r->x goes from sigmas[i] to where the step ends. FALSE with the callback's error. */
typedef gboolean SfuStepFunc(SfuStepRun *r, int i, GError **error);

double sfu_step_alpha(const SfuStepRun *r, double sigma);
double sfu_step_ratio(const SfuStepRun *r, double sigma); /* u of sigma */
double sfu_step_sigma(const SfuStepRun *r, double u);     /* sigma of u */
/* Where step i ends. */
double sfu_step_end(const SfuSigmas *s, int i);
/* denoised = the estimate for x at sigma. */
gboolean sfu_step_evaluate(SfuStepRun *r, float *denoised, const float *x, double sigma, int step, GError **error);
/* out = a x + b y + c z; z may be NULL. out may be any of them. */
void sfu_step_combine(const SfuStepRun *r, float *out, double a, const float *x, double b, const float *y, double c,
                      const float *z);
/* x += scale * s_noise * (noise of the way from sigma to sigma_next) */
void sfu_step_stir(SfuStepRun *r, float *x, double scale, double sigma, double sigma_next);
/* Where the deterministic part of an ancestral step from u to u_next ends, and how much noise brings it back up. */
double sfu_step_ancestral(double u, double u_next, double eta, double *up);
/* out = x moved along the straight line through the estimate, from sigma to sigma_to: an Euler step, in any space. */
void sfu_step_glide(const SfuStepRun *r, float *out, const float *x, const float *denoised, double sigma,
                    double sigma_to);
/* Rescales a latent at u_down to the alpha of sigma_next and adds the noise that an ancestral step took away. */
void sfu_step_lift(SfuStepRun *r, double u_down, double up, double sigma, double sigma_next);
/* The last step, to sigma 0: x becomes the estimate. Always TRUE. */
gboolean sfu_step_finish(SfuStepRun *r);
/* history[0] = r->denoised; the others move back by one. */
void sfu_step_remember(SfuStepRun *r);
/* history[0] = (x - denoised) / sigma, the derivative at sigma; the others move back by one. */
void sfu_step_remember_slope(SfuStepRun *r, double sigma);
/* Heun's step from sigma to `to`. */
gboolean sfu_step_heun_to(SfuStepRun *r, int i, double sigma, double to, GError **error);

/* The samplers' steps. */
SfuStepFunc sfu_step_euler, sfu_step_euler_a, sfu_step_heun, sfu_step_dpm2, sfu_step_dpm2_a, sfu_step_lms; /* euler.c */
SfuStepFunc sfu_step_dpm_fast, sfu_step_dpm_adaptive; /* dpm_solver.c */
SfuStepFunc sfu_step_dpmpp_2m, sfu_step_dpmpp_2m_sde, sfu_step_dpmpp_2m_sde_heun, sfu_step_dpmpp_3m_sde,
    sfu_step_dpmpp_sde, sfu_step_dpmpp_2s_a; /* dpm_solver_pp.c */
SfuStepFunc sfu_step_unipc, sfu_step_lcm, sfu_step_ipndm, sfu_step_deis, sfu_step_plms, sfu_step_tcd,
    sfu_step_res_multistep, sfu_step_er_sde, sfu_step_euler_cfgpp, sfu_step_restart; /* solvers.c */

/* schedules.c */
#define SFU_N_ALIGNED 10
double sfu_beta_quantile(double p); /* of the beta distribution (0.6, 0.6), p in 0..1 */
/* sigmas[n] from the model's best timesteps. */
void sfu_schedule_align(const SfuSigmas *s, const int *aligned, int n, double *sigmas);
/* sigmas[n] from the table of SFU_N_GITS. */
#define SFU_N_GITS 11
void sfu_schedule_gits(const double *table, int n, double *sigmas);
/* Replace the steps by the sampler's own; what strength leaves out is left out already. */
void sfu_sigmas_plan_restart(SfuSigmas *s);
void sfu_sigmas_plan_dpm(SfuSigmas *s);

/* latents.c */
double sfu_sigma_shifted(double sigma, double shift); /* of flow (Esser 2024, eq. 23) */
/* Sigma at index `t` of the table, which may have fractions. Not for flow. */
double sfu_sigma_of_timestep(const SfuSigmas *s, double t);

/* samplers.c: all that is particular to a sampler. What a row leaves out is 0. */
typedef struct {
    const char *name, *label; /* "euler_a"; "Euler a", as AUTOMATIC1111 writes it */
    SfuStepFunc *step;
    double eta;                  /* its usual */
    int passes;                  /* of the network per step; 0: 1 */
    SfuSchedule schedule;        /* what AUTO means, but for flow; AUTO: NORMAL */
    gboolean always_draws;       /* noise, even with eta 0 */
    gboolean brownian;           /* its noise is one Brownian path */
    gboolean of_diffusers;       /* starts at sqrt(sigma^2 + 1) */
    gboolean ends_at_first;      /* at the table's first sigma, and hands out what it has there */
    gboolean skips_last_but_one; /* sigma, as in A1111: its midpoint in log sigma serves badly there */
    double guidance_unit;        /* what the guidance scale is divided by; 0: 1 */
} SfuSamplerRow;
const SfuSamplerRow *sfu_sampler_row(SfuSampler sampler);

G_END_DECLS
#endif
