/* Sampling on the host: noise, noise schedules, samplers. It does not know networks or models; a callback returns
 * the denoised estimate.
 *
 * Spaces. For epsilon, v and sample prediction a latent is x = x0 + sigma * noise (variance exploding, as in
 * k-diffusion), whatever the sampler; the network's input is x / sqrt(sigma^2 + 1) (sfu_model_input). For flow
 * prediction x = (1 - sigma) * x0 + sigma * noise, sigma in 0..1, timestep = 1000 sigma, and the network's input is
 * x itself. Latents are [n, h, w, c] floats.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_SAMPLE_H
#define SFU_SAMPLE_H

#include <glib.h>

G_BEGIN_DECLS

#define SFU_SAMPLE_ERROR sfu_sample_error_quark()
GQuark sfu_sample_error_quark(void);
typedef enum {
    SFU_SAMPLE_ERROR_OPTIONS, /* steps, strength, table or shape that cannot be used */
    SFU_SAMPLE_ERROR_NAN,     /* the latent stopped being finite; the sentence says at which step */
} SfuSampleError;

/* ---- noise --------------------------------------------------------------------------------------------------- */

typedef enum {
    SFU_NOISE_TORCH,  /* PyTorch's CPU generator: torch.manual_seed(seed); torch.randn(c, h, w) */
    SFU_NOISE_PHILOX, /* PyTorch on CUDA: Philox 4x32-10, the same picture as seeds shared on the web */
} SfuNoiseKind;

/* One stream per image, so image i of a batch equals the picture that its seed makes alone. */
typedef struct SfuNoise SfuNoise;
SfuNoise *sfu_noise_new(SfuNoiseKind kind, const guint64 *seeds, int n_images, int h, int w,
                        int c); /* caller frees with sfu_noise_free() */
void sfu_noise_free(SfuNoise *noise);
/* out [n, h, w, c]: the next draw of each stream (the first is the initial noise); drawn in PyTorch's order [c, h,
 * w]. */
void sfu_noise_next(SfuNoise *noise, float *out);
/* out [n, h, w, c]: the increment of a Brownian motion in sigma from `sigma` to `sigma_next`, divided by the square
 * root of its length: unit normal, independent for intervals that do not overlap, and the same for any number of
 * steps (k-diffusion's BrownianTreeNoiseSampler in spirit, not in bits: torchsde's numbers depend on its own tree). */
void sfu_noise_brownian(const SfuNoise *noise, double sigma, double sigma_next, float *out);
/* One flat draw of n from a fresh generator: torch.manual_seed(seed); torch.randn(n). */
void sfu_randn(SfuNoiseKind kind, guint64 seed, gint64 n, float *out);
/* The n values of one pixel: they depend on its place alone, so that tiles agree where they overlap. */
void sfu_randn_at(int x, int y, int n, float *out);

/* ---- samplers and schedules ------------------------------------------------------------------------------------ */

typedef enum {
    SFU_SAMPLER_EULER,
    SFU_SAMPLER_EULER_A,
    SFU_SAMPLER_HEUN,
    SFU_SAMPLER_DPM2,
    SFU_SAMPLER_DPM2_A,
    SFU_SAMPLER_DPMPP_2M,
    SFU_SAMPLER_DPMPP_2M_SDE,
    SFU_SAMPLER_DPMPP_SDE,
    SFU_SAMPLER_DPMPP_2S_A,
    SFU_SAMPLER_DDIM,
    SFU_SAMPLER_DDPM,
    SFU_SAMPLER_UNIPC,
    SFU_SAMPLER_LMS,
    SFU_SAMPLER_LCM,
    SFU_SAMPLER_DPMPP_3M_SDE,
    SFU_SAMPLER_DPMPP_2M_SDE_HEUN,
    SFU_SAMPLER_IPNDM,
    SFU_SAMPLER_DEIS,
    SFU_SAMPLER_PLMS,
    SFU_SAMPLER_TCD,
    SFU_SAMPLER_RES_MULTISTEP,
    SFU_SAMPLER_ER_SDE,
    SFU_SAMPLER_EULER_CFGPP,
    SFU_SAMPLER_EULER_A_CFGPP,
    SFU_SAMPLER_RESTART,
    SFU_SAMPLER_DPM_FAST,     /* makes as many passes as steps were asked for, in fewer steps of up to three passes */
    SFU_SAMPLER_DPM_ADAPTIVE, /* chooses its own steps; the number asked for only divides the progress */
    SFU_SAMPLER_DDIM_CFGPP,
    SFU_N_SAMPLERS
} SfuSampler;
const char *sfu_sampler_name(int sampler);  /* "euler_a"; NULL outside the range, so that a loop can stop there */
const char *sfu_sampler_label(int sampler); /* "Euler a", as AUTOMATIC1111 writes it */
/* By name, label, or the name in ComfyUI, InvokeAI, NovelAI or older versions of A1111; case does not matter. -1:
 * none. */
int sfu_sampler_find(const char *name);
/* The same for names that may end with a schedule, as A1111 wrote until 1.8: "DPM++ 2M Karras". *schedule is
 * unchanged if the name has none. */
int sfu_sampler_find_with_schedule(const char *name, int *schedule);
int sfu_sampler_passes(SfuSampler sampler);                   /* of the network per step: 1, or 2 for second order */
gboolean sfu_sampler_needs_unconditional(SfuSampler sampler); /* CFG++: uses the estimate without the prompt */
/* What the guidance scale is divided by: 12.5 for AUTOMATIC1111's DDIM CFG++, so that the usual scales mean the
 * usual strength; else 1. */
double sfu_sampler_guidance_unit(SfuSampler sampler);

typedef enum {
    SFU_SCHEDULE_AUTO, /* the sampler's usual: DDIM, DDPM leading; UniPC linspace; LCM lcm; DPM2*, DPM++ Karras (2M SDE,
                          3M SDE exponential); else normal; for flow always SGM uniform */
    SFU_SCHEDULE_NORMAL,      /* timesteps evenly from last to first, k-diffusion's get_sigmas; "discrete" */
    SFU_SCHEDULE_KARRAS,      /* Karras 2022, eq. 5, rho 7, between the model's own sigmas */
    SFU_SCHEDULE_EXPONENTIAL, /* evenly in log sigma */
    SFU_SCHEDULE_SGM_UNIFORM, /* n + 1 timesteps evenly, the last dropped */
    SFU_SCHEDULE_SIMPLE,      /* every (n_train / n)-th entry of the table */
    SFU_SCHEDULE_TRAILING,    /* diffusers "trailing", Lin 2023 */
    SFU_SCHEDULE_LEADING,     /* diffusers "leading" with steps_offset 1 */
    SFU_SCHEDULE_LINSPACE,    /* diffusers "linspace" of the multistep solvers: SGM uniform at whole timesteps */
    SFU_SCHEDULE_LCM,         /* diffusers' LCMScheduler, 50 original steps */
    SFU_SCHEDULE_KL_OPTIMAL,  /* evenly in the arc tangent of sigma: Sabour 2024, theorem 3.1 */
    SFU_SCHEDULE_BETA, /* sigmas as quantiles of the beta distribution (0.6, 0.6): Lee 2024; AUTOMATIC1111, diffusers */
    SFU_SCHEDULE_ALIGN_YOUR_STEPS, /* the model's own ten best timesteps, log-linear between them: Sabour 2024 */
    SFU_SCHEDULE_DDIM_UNIFORM,     /* every (n_train / n)-th entry of the table from its second: may be a step or more
                                      longer     than n, as in AUTOMATIC1111 and ComfyUI */
    SFU_SCHEDULE_GITS, /* the family's eleven sigmas, log-linear between them, as in Forge: Chen 2024 ("On the
                          Trajectory Regularity of ODE-based Diffusion Sampling") */
    SFU_N_SCHEDULES
} SfuSchedule;
const char *sfu_schedule_name(int schedule);  /* "sgm_uniform"; NULL outside the range */
const char *sfu_schedule_label(int schedule); /* "SGM Uniform" */
int sfu_schedule_find(const char *name);      /* as sfu_sampler_find() */

/* In model.h's order. */
typedef enum { SFU_SAMPLE_EPSILON, SFU_SAMPLE_V, SFU_SAMPLE_X0, SFU_SAMPLE_FLOW } SfuSamplePrediction;

/* The shift of FLUX.2's schedule, which was fitted to the number of packed latent pixels and the steps:
 * e^compute_empirical_mu() of the original's code. */
double sfu_empirical_shift(double n_pixels, int steps);

typedef struct {
    SfuSamplePrediction prediction;
    int n_train;                 /* 1000 */
    double beta_start, beta_end; /* 0.00085, 0.012; not used for flow */
    gboolean scaled_linear;      /* betas are squares of a linear ramp of square roots; else linear */
    gboolean zero_terminal_snr;  /* rescale: Lin 2023, Algorithm 1; the last cumulated alpha is 2^-24 in place of 0 */
    double shift;                /* flow: sigma' = shift * sigma / (1 + (shift - 1) * sigma); 1 or 0: none */
    SfuSampler sampler;
    SfuSchedule schedule;
    int steps;
    double strength;    /* 1: all steps; else only the last int(steps * strength), at least 1 */
    const int *aligned; /* [10] timesteps of Align Your Steps, falling; NULL: none are known */
    const double *gits; /* [11] sigmas of GITS, falling; NULL: none are known */
} SfuScheduleOptions;

typedef struct {
    SfuSamplePrediction prediction;
    SfuSampler sampler;
    SfuSchedule schedule; /* AUTO is resolved */
    int n_steps;          /* executed: after strength */
    double *sigmas; /* [n_steps + 1], falling (but for Restart); the last is 0 (DDIM, PLMS, TCD: the table's first, as
                       diffusers and A1111 do for Stable Diffusion; DPM fast, adaptive: the lowest of the schedule) */
    double *ends;   /* [n_steps] where each step ends, for Restart; NULL: where the next one starts */
    double *timesteps; /* [n_steps], may have fractions */
    int n_train;
    double *log_sigmas; /* [n_train], of the table, rising; flow: of the shifted table */
    double shift;
    gboolean whole;      /* strength is 1: the run starts from noise alone */
    gboolean scale_last; /* the last latent is returned in the network's space */
    int n_passes;        /* of the network, in all (DPM adaptive: at least) */
} SfuSigmas;
/* Caller frees with sfu_sigmas_free(). NULL with OPTIONS. */
SfuSigmas *sfu_sigmas_new(const SfuScheduleOptions *options, GError **error);
void sfu_sigmas_free(SfuSigmas *s);
double sfu_sigma_to_timestep(const SfuSigmas *s, double sigma);

/* A run from noise alone starts at x = noise * scale. The scale is sigma for the k-diffusion samplers, sqrt(sigma^2
 * + 1) for those of diffusers, and 1 for flow. */
double sfu_sigmas_noise_scale(const SfuSigmas *s);
/* x = x0 with noise at sigma. Image-to-image starts there (sigma = sigmas[0]), and blending with the original needs
 * it at each step. x may be x0. */
void sfu_add_noise(const SfuSigmas *s, float *x, const float *x0, const float *noise, double sigma, gint64 n);
/* in = the network's input for x. in may be x. */
void sfu_model_input(const SfuSigmas *s, float *in, const float *x, double sigma, gint64 n);
/* denoised = x0, from the network's raw output by the prediction type. denoised may be output. */
void sfu_denoised_from_output(const SfuSigmas *s, float *denoised, const float *x, const float *output, double sigma,
                              gint64 n);
/* Scales the guided output so that its deviation approaches that of the conditional output: cfg = phi * cfg *
 * std(cond) / std(cfg) + (1 - phi) * cfg, for each image. Lin 2023, eq. 15 and 16. */
void sfu_guidance_rescale(float *cfg, const float *cond, double phi, gint64 n_per_image, int n_images);

typedef struct {
    /* denoised [n, ...] = estimate of x0 for x at sigma. FALSE stops the run. `step` counts from 0; a second-order
     * sampler asks twice per step. */
    gboolean (*denoise)(gpointer data, float *denoised, const float *x, double sigma, double timestep, int step,
                        GError **error);
    /* After each step; may change x, which is at sigma_next (0 after the last step; DDIM returns x at its last sigma,
     * scaled to the network's space at the end). May be NULL. */
    gboolean (*after_step)(gpointer data, float *x, const float *denoised, double sigma_next, int step, GError **error);
    /* out: unit normal noise for the step from sigma to sigma_next. NULL: from `noise` (Brownian for the SDE samplers,
     * the next draw for the others). */
    void (*draw)(gpointer data, float *out, double sigma, double sigma_next);
    gpointer data;
    /* [n, ...] the estimate of the last denoise() without the prompt, for CFG++; NULL: it is the same. Borrowed. */
    const float *(*unconditional)(gpointer data);
} SfuSampleCallbacks;

typedef struct {
    double eta;     /* < 0: the sampler's default */
    double s_noise; /* factor on the noise drawn; 0 reads as 1 */
} SfuSampleOptions;

/* x [n_images * n_per_image]: in: at sigmas[0]; out: x0. noise may be NULL if callbacks->draw is there or nothing is
 * drawn. FALSE with the callback's error, OPTIONS, or NAN; x is then undefined. Sources: Karras 2022 (Euler, Heun,
 * LMS as in k-diffusion), Lu 2022 (DPM-Solver, DPM-Solver++), Song 2020 (DDIM), Ho 2020 (DDPM), Zhao 2023 (UniPC,
 * bh2, order 2), Luo 2023 (LCM), Zhang & Chen 2022 (iPNDM, order 4; DEIS, order 2), Liu 2022 (PLMS), Zheng 2024
 * (TCD), Zhang 2023 (RES), Cui 2023 (ER-SDE), Chung 2024 (CFG++, Euler and DDIM), Xu 2023 (Restart). options may be
 * NULL. */
gboolean sfu_sample(const SfuSigmas *s, const SfuSampleOptions *options, float *x, gint64 n_per_image, int n_images,
                    SfuNoise *noise, const SfuSampleCallbacks *callbacks, GError **error);

G_END_DECLS
#endif
