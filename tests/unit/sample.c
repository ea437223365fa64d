/* Noise, schedules and samplers: edges, refusals and properties that need no reference.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <gio/gio.h>
#include <math.h>
#include <string.h>

static const int aligned[] = {999, 850, 736, 645, 545, 455, 343, 233, 124, 24};
static const double gits[] = {14.615, 4.617, 2.507, 1.236, 0.702, 0.402, 0.240, 0.156, 0.104, 0.094, 0.029};
static const SfuScheduleOptions sd1 = {SFU_SAMPLE_EPSILON,  1000, 0.00085, 0.012,   TRUE, FALSE, 1, SFU_SAMPLER_EULER,
                                       SFU_SCHEDULE_NORMAL, 10,   1,       aligned, gits};

static SfuSigmas *make(SfuSampler sampler, SfuSchedule schedule, SfuSamplePrediction prediction, int steps,
                       double strength)
{
    SfuScheduleOptions o = sd1;
    o.sampler = sampler;
    o.schedule = schedule;
    o.prediction = prediction;
    o.steps = steps;
    o.strength = strength;
    GError *error = NULL;
    SfuSigmas *s = sfu_sigmas_new(&o, &error);
    g_assert_no_error(error);
    return s;
}

static void refused(const SfuScheduleOptions *o, const char *words)
{
    GError *error = NULL;
    g_assert_null(sfu_sigmas_new(o, &error));
    g_assert_error(error, SFU_SAMPLE_ERROR, SFU_SAMPLE_ERROR_OPTIONS);
    if (!strstr(error->message, words))
        g_error("'%s' does not say '%s'", error->message, words);
    g_error_free(error);
}

static void test_refusals(void)
{
    SfuScheduleOptions o = sd1;
    o.steps = 0;
    refused(&o, "0 steps");
    o.steps = -3;
    refused(&o, "-3 steps");
    o.steps = 1001;
    refused(&o, "1 to 1000");
    o.steps = 51;
    o.schedule = SFU_SCHEDULE_LCM;
    refused(&o, "the schedule LCM has 50");
    o = sd1;
    o.strength = 1.5;
    refused(&o, "strength");
    o.strength = -0.1;
    refused(&o, "strength");
    o.strength = NAN;
    refused(&o, "strength");
    o = sd1;
    o.beta_end = 1;
    refused(&o, "beta");
    o.beta_end = NAN;
    refused(&o, "beta");
    o = sd1;
    o.n_train = 0;
    refused(&o, "training steps");
    o = sd1;
    o.prediction = SFU_SAMPLE_FLOW;
    o.shift = -1;
    refused(&o, "shift");
    o = sd1;
    o.sampler = SFU_N_SAMPLERS;
    refused(&o, "not a valid combination");
}

static void test_names(void)
{
    int n;
    for (n = 0; sfu_sampler_name(n); n++) {
        g_assert_cmpint(sfu_sampler_find(sfu_sampler_name(n)), ==, n);
        g_assert_cmpint(sfu_sampler_find(sfu_sampler_label(n)), ==, n);
    }
    g_assert_cmpint(n, ==, SFU_N_SAMPLERS);
    for (n = 0; sfu_schedule_name(n); n++) {
        g_assert_cmpint(sfu_schedule_find(sfu_schedule_name(n)), ==, n);
        g_assert_cmpint(sfu_schedule_find(sfu_schedule_label(n)), ==, n);
    }
    g_assert_cmpint(n, ==, SFU_N_SCHEDULES);
    g_assert_cmpint(sfu_sampler_find("dpm++ 2m sde"), ==, SFU_SAMPLER_DPMPP_2M_SDE);
    const struct {
        const char *name; /* of AUTOMATIC1111, ComfyUI, stable-diffusion.cpp */
        int id;
    } others[] = {{"DPM fast", SFU_SAMPLER_DPM_FAST},
                  {"DPM adaptive", SFU_SAMPLER_DPM_ADAPTIVE},
                  {"DDIM CFG++", SFU_SAMPLER_DDIM_CFGPP},
                  {"Restart", SFU_SAMPLER_RESTART},
                  {"PLMS", SFU_SAMPLER_PLMS},
                  {"euler_ancestral_cfg_pp", SFU_SAMPLER_EULER_A_CFGPP},
                  {"euler_cfg_pp", SFU_SAMPLER_EULER_CFGPP},
                  {"res_multistep", SFU_SAMPLER_RES_MULTISTEP},
                  {"er_sde", SFU_SAMPLER_ER_SDE},
                  {"deis", SFU_SAMPLER_DEIS},
                  {"tcd", SFU_SAMPLER_TCD},
                  {"dpm++2m", SFU_SAMPLER_DPMPP_2M}};
    for (int i = 0; i < G_N_ELEMENTS(others); i++)
        g_assert_cmpint(sfu_sampler_find(others[i].name), ==, others[i].id);
    g_assert_cmpint(sfu_schedule_find("DDIM"), ==, SFU_SCHEDULE_DDIM_UNIFORM);
    g_assert_cmpint(sfu_schedule_find("Align Your Steps"), ==, SFU_SCHEDULE_ALIGN_YOUR_STEPS);
    g_assert_cmpint(sfu_schedule_find("align_your_steps_GITS"), ==, SFU_SCHEDULE_GITS);
    g_assert_cmpint(sfu_schedule_find("ays"), ==, SFU_SCHEDULE_ALIGN_YOUR_STEPS);
    g_assert_cmpint(sfu_sampler_find("no such"), ==, -1);
    g_assert_cmpint(sfu_schedule_find(""), ==, -1);
    g_assert_null(sfu_sampler_name(-1));
    g_assert_null(sfu_schedule_label(SFU_N_SCHEDULES));
}

/* diffusers: min(int(steps * strength), steps) of the last steps; and we always take one. */
static void test_strength(void)
{
    const struct {
        int steps;
        double strength;
        int executed;
    } cases[] = {{20, 1, 20},   {20, 0.75, 15}, {20, 0.5, 10}, {10, 0.99, 9}, {50, 0.58, 28} /* 28.999 */,
                 {20, 0.04, 1}, {20, 0, 1},     {1, 0.3, 1},   {1, 1, 1},     {1000, 0.4, 400}};
    for (int i = 0; i < G_N_ELEMENTS(cases); i++)
        for (int schedule = SFU_SCHEDULE_NORMAL; schedule <= SFU_SCHEDULE_LINSPACE; schedule++) {
            SfuSigmas *all = make(SFU_SAMPLER_EULER, schedule, SFU_SAMPLE_EPSILON, cases[i].steps, 1);
            SfuSigmas *s = make(SFU_SAMPLER_EULER, schedule, SFU_SAMPLE_EPSILON, cases[i].steps, cases[i].strength);
            g_assert_cmpint(s->n_steps, ==, cases[i].executed);
            const int skipped = cases[i].steps - s->n_steps;
            for (int k = 0; k <= s->n_steps; k++)
                g_assert_cmpfloat(s->sigmas[k], ==, all->sigmas[skipped + k]);
            for (int k = 0; k < s->n_steps; k++)
                g_assert_cmpfloat(s->timesteps[k], ==, all->timesteps[skipped + k]);
            g_assert_cmpint(s->whole, ==, cases[i].strength == 1);
            sfu_sigmas_free(all);
            sfu_sigmas_free(s);
        }
}

/* Every sampler and schedule, from 1 to 1000 steps: falling, ends at 0 (DDIM: at the table's first), timesteps within
 * the table. */
static void test_every_table(void)
{
    const int counts[] = {1, 2, 3, 7, 30, 49, 50, 333, 999, 1000};
    for (int prediction = SFU_SAMPLE_EPSILON; prediction <= SFU_SAMPLE_FLOW; prediction += SFU_SAMPLE_FLOW)
        for (int sampler = 0; sampler < SFU_N_SAMPLERS; sampler++)
            for (int schedule = 0; schedule < SFU_N_SCHEDULES; schedule++)
                for (int k = 0; k < G_N_ELEMENTS(counts); k++) {
                    SfuScheduleOptions o = sd1;
                    o.prediction = prediction;
                    o.sampler = sampler;
                    o.schedule = schedule;
                    o.steps = counts[k];
                    GError *error = NULL;
                    SfuSigmas *s = sfu_sigmas_new(&o, &error);
                    if (!s) { /* LCM has 50; at 999 steps, DPM2's extra one may not fit between whole timesteps */
                        g_assert_error(error, SFU_SAMPLE_ERROR, SFU_SAMPLE_ERROR_OPTIONS);
                        const gboolean published =
                            schedule == SFU_SCHEDULE_ALIGN_YOUR_STEPS || schedule == SFU_SCHEDULE_GITS;
                        g_assert_true(counts[k] >= 50 || (published && prediction == SFU_SAMPLE_FLOW));
                        g_clear_error(&error);
                        continue;
                    }
                    g_assert_cmpint(s->schedule, !=, SFU_SCHEDULE_AUTO);
                    for (int i = 0; i < s->n_steps; i++) {
                        const double end = s->ends ? s->ends[i] : s->sigmas[i + 1];
                        g_assert_cmpfloat(end, <, s->sigmas[i]);
                        g_assert_cmpfloat(s->sigmas[i + 1], >=, end); /* Restart goes back up to more noise */
                        g_assert_cmpfloat(s->timesteps[i], >=, 0);
                        g_assert_cmpfloat(s->timesteps[i], <=, prediction == SFU_SAMPLE_FLOW ? 1000 : 999);
                        if (i > 0 && !s->ends)
                            g_assert_cmpfloat(s->timesteps[i], <, s->timesteps[i - 1]);
                    }
                    if (sampler == SFU_SAMPLER_DPM_FAST || sampler == SFU_SAMPLER_DPM_ADAPTIVE)
                        g_assert_cmpfloat(s->sigmas[s->n_steps], <, s->sigmas[0]);
                    else if ((sampler == SFU_SAMPLER_DDIM || sampler == SFU_SAMPLER_DEIS ||
                              sampler == SFU_SAMPLER_PLMS || sampler == SFU_SAMPLER_TCD ||
                              sampler == SFU_SAMPLER_DDIM_CFGPP) &&
                             prediction != SFU_SAMPLE_FLOW)
                        g_assert_cmpfloat(s->sigmas[s->n_steps], <, 0.03);
                    else
                        g_assert_cmpfloat(s->sigmas[s->n_steps], ==, 0);
                    sfu_sigmas_free(s);
                }
}

/* The known ends of SD 1.x: 0.0292 to 14.61, not 0.1 to 10 (A1111 #4373). */
static void test_model_range(void)
{
    SfuSigmas *s = make(SFU_SAMPLER_EULER, SFU_SCHEDULE_KARRAS, SFU_SAMPLE_EPSILON, 20, 1);
    g_assert_cmpfloat_with_epsilon(s->sigmas[0], 14.6146, 1e-3);
    g_assert_cmpfloat_with_epsilon(s->sigmas[19], 0.0291675, 1e-5);
    g_assert_cmpfloat_with_epsilon(sfu_sigma_to_timestep(s, s->sigmas[0]), 999, 1e-6);
    g_assert_cmpfloat(sfu_sigma_to_timestep(s, 1e6), ==, 999);
    g_assert_cmpfloat(sfu_sigma_to_timestep(s, 0), ==, 0);
    sfu_sigmas_free(s);
}

/* ---- conversions ------------------------------------------------------------------------------------------------ */

/* A network that knows the truth must be read as the truth, whatever it predicts. */
static void test_predictions(void)
{
    float x0[64], noise[64], x[64], in[64], output[64], denoised[64];
    sfu_randn(SFU_NOISE_TORCH, 1, 64, x0);
    sfu_randn(SFU_NOISE_TORCH, 2, 64, noise);
    for (int prediction = 0; prediction <= SFU_SAMPLE_FLOW; prediction++) {
        SfuSigmas *s = make(SFU_SAMPLER_EULER, SFU_SCHEDULE_NORMAL, prediction, 10, 1);
        for (int step = 0; step < 10; step++) {
            const double sigma = s->sigmas[step], a = 1 / sqrt(1 + sigma * sigma), b = sigma * a;
            sfu_add_noise(s, x, x0, noise, sigma, 64);
            sfu_model_input(s, in, x, sigma, 64);
            for (int i = 0; i < 64; i++) {
                if (prediction == SFU_SAMPLE_FLOW)
                    g_assert_cmpfloat_with_epsilon(in[i], (1 - sigma) * x0[i] + sigma * noise[i], 1e-5);
                else /* variance preserving */
                    g_assert_cmpfloat_with_epsilon(in[i], a * x0[i] + b * noise[i], 1e-5);
                output[i] = (float)(prediction == SFU_SAMPLE_EPSILON ? noise[i]
                                    : prediction == SFU_SAMPLE_V     ? a * noise[i] - b * x0[i]
                                    : prediction == SFU_SAMPLE_X0    ? x0[i]
                                                                     : noise[i] - x0[i]);
            }
            sfu_denoised_from_output(s, denoised, x, output, sigma, 64);
            for (int i = 0; i < 64; i++)
                g_assert_cmpfloat_with_epsilon(denoised[i], x0[i], 2e-5);
        }
        sfu_sigmas_free(s);
    }
}

static void test_rescale_extremes(void)
{
    float cfg[] = {1, 2, 3, 4, 5, 5, 5, 5}, cond[] = {2, 4, 6, 8, 1, 2, 3, 4};
    sfu_guidance_rescale(cfg, cond, 0, 4, 1); /* phi 0: as it was */
    g_assert_cmpfloat(cfg[3], ==, 4);
    sfu_guidance_rescale(cfg, cond, 1, 4, 2); /* phi 1: the conditional's deviation; an even image has none and stays */
    g_assert_cmpfloat_with_epsilon(cfg[0], 2, 1e-6);
    g_assert_cmpfloat_with_epsilon(cfg[3], 8, 1e-6);
    g_assert_cmpfloat(cfg[5], ==, 5);
}

/* ---- Brownian noise ---- */

#define SIDE 64

static float *increment(SfuNoise *noise, double from, double to)
{
    float *out = g_new(float, SIDE *SIDE * 4);
    sfu_noise_brownian(noise, from, to, out);
    return out;
}

static double dot(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < SIDE * SIDE * 4; i++)
        sum += a[i] * b[i];
    return sum / (SIDE * SIDE * 4);
}

static void test_brownian(void)
{
    const guint64 seed = 12;
    SfuNoise *noise = sfu_noise_new(SFU_NOISE_TORCH, &seed, 1, SIDE, SIDE, 4);
    const double points[] = {1e6, 4096, 16, 14.6, 14.5, 9.7, 8, 4, 3, 0.9, 0.31, 0.0292, 0.02915, 1e-4, 0};
    const double tolerance =
        4 * sqrt(2.0 / (SIDE * SIDE * 4)); /* four standard deviations of a variance of 16384 normals */
    float *previous = NULL;
    for (int i = 0; i + 1 < G_N_ELEMENTS(points); i++) {
        float *d = increment(noise, points[i], points[i + 1]), *again = increment(noise, points[i], points[i + 1]);
        g_assert_cmpmem(d, SIDE * SIDE * 4 * sizeof(float), again, SIDE * SIDE * 4 * sizeof(float));
        double mean = 0, fourth = 0;
        for (int k = 0; k < SIDE * SIDE * 4; k++) {
            mean += d[k];
            fourth += d[k] * d[k] * d[k] * d[k];
        }
        g_assert_cmpfloat_with_epsilon(mean / (SIDE * SIDE * 4), 0, tolerance);
        g_assert_cmpfloat_with_epsilon(dot(d, d), 1, tolerance);
        g_assert_cmpfloat_with_epsilon(fourth / (SIDE * SIDE * 4), 3, 4 * sqrt(96.0 / (SIDE * SIDE * 4)));
        if (previous) /* what does not overlap is independent */
            g_assert_cmpfloat_with_epsilon(dot(d, previous), 0, tolerance);
        g_free(previous);
        g_free(again);
        previous = d;
    }
    g_free(previous);
    /* additive: a way is the sum of its parts, so that 20 and 40 steps see one path; and a part correlates with the
     * whole by the root of its share */
    float *whole = increment(noise, 10, 2), *first = increment(noise, 10, 5), *second = increment(noise, 5, 2);
    for (int k = 0; k < SIDE * SIDE * 4; k++)
        g_assert_cmpfloat_with_epsilon(whole[k] * sqrt(8), first[k] * sqrt(5) + second[k] * sqrt(3), 1e-5);
    g_assert_cmpfloat_with_epsilon(dot(whole, first), sqrt(5.0 / 8), tolerance);
    g_free(whole);
    g_free(first);
    g_free(second);
    sfu_noise_free(noise);
}

/* ---- runs ---- */

typedef struct {
    const SfuSigmas *s;
    int n, n_per_image, calls, steps_seen, fail_at, poison_at;
    gboolean fail_after;
} Watch;

static gboolean denoise(gpointer data, float *denoised, const float *x, double sigma, double timestep, int step,
                        GError **error)
{
    Watch *w = data;
    w->calls++;
    g_assert_cmpfloat(sigma, >, 0);
    g_assert_cmpfloat_with_epsilon(timestep, sfu_sigma_to_timestep(w->s, sigma), 1e-6);
    if (step == w->fail_at && !w->fail_after) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "stop");
        return FALSE;
    }
    for (int i = 0; i < w->n; i++)
        denoised[i] = step == w->poison_at
                          ? NAN
                          : (float)(0.5 * x[i] / (1 + sigma) + 0.1 * (i % w->n_per_image) / w->n_per_image);
    return TRUE;
}

static gboolean after(gpointer data, float *x, const float *denoised, double sigma_next, int step, GError **error)
{
    Watch *w = data;
    g_assert_cmpint(step, ==, w->steps_seen++);
    if (w->s->sampler == SFU_SAMPLER_DPM_ADAPTIVE) /* goes its own ways, beyond the end of a step */
        g_assert_cmpfloat(sigma_next, <=, w->s->sigmas[step + 1] * 1.0001);
    else
        g_assert_cmpfloat(sigma_next, ==, w->s->ends ? w->s->ends[step] : w->s->sigmas[step + 1]);
    if (step == w->fail_at && w->fail_after) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "stop");
        return FALSE;
    }
    return TRUE;
}

static gboolean run(SfuSigmas *s, Watch *w, float *x, int h, int width, int c, const guint64 *seeds, int n_images,
                    GError **error)
{
    w->s = s;
    w->n_per_image = h * width * c;
    w->n = w->n_per_image * n_images;
    SfuNoise *noise = seeds ? sfu_noise_new(SFU_NOISE_PHILOX, seeds, n_images, h, width, c) : NULL;
    if (noise)
        sfu_noise_next(noise, x);
    else
        sfu_randn(SFU_NOISE_TORCH, 3, w->n, x);
    for (int i = 0; i < w->n; i++)
        x[i] *= (float)sfu_sigmas_noise_scale(s);
    const SfuSampleCallbacks callbacks = {denoise, after, NULL, w};
    const gboolean ok = sfu_sample(s, NULL, x, h * width * c, n_images, noise, &callbacks, error);
    sfu_noise_free(noise);
    return ok;
}

static void test_every_run(void)
{
    const int counts[] = {1, 2, 5, 50, 1000};
    const guint64 seed = 8;
    float x[4 * 4 * 3];
    for (int prediction = SFU_SAMPLE_EPSILON; prediction <= SFU_SAMPLE_FLOW; prediction += SFU_SAMPLE_FLOW)
        for (int sampler = 0; sampler < SFU_N_SAMPLERS; sampler++)
            for (int k = 0; k < G_N_ELEMENTS(counts); k++) {
                SfuSigmas *s = make(sampler,
                                    (sampler == SFU_SAMPLER_LCM || sampler == SFU_SAMPLER_TCD) && counts[k] > 50
                                        ? SFU_SCHEDULE_NORMAL
                                        : SFU_SCHEDULE_AUTO,
                                    prediction, counts[k], 1);
                Watch w = {.fail_at = -1, .poison_at = -1};
                GError *error = NULL;
                g_assert_true(run(s, &w, x, 4, 4, 3, &seed, 1, &error));
                g_assert_no_error(error);
                g_assert_cmpint(w.steps_seen, ==, s->n_steps);
                if (sampler != SFU_SAMPLER_DPM_FAST)
                    g_assert_cmpint(w.steps_seen, ==, counts[k]);
                if (sampler != SFU_SAMPLER_DPM_ADAPTIVE)
                    g_assert_cmpint(w.calls, ==, s->n_passes);
                for (int i = 0; i < 4 * 4 * 3; i++)
                    g_assert_cmpfloat(fabs(x[i]), <, 100); /* Heun in 2 steps overshoots to 30, as k-diffusion's does */
                sfu_sigmas_free(s);
            }
}

/* A picture of a batch is the picture of its seed alone, also with noise drawn on the way. */
static void test_batch(void)
{
    const guint64 seeds[] = {5, 6, 7};
    for (int sampler = 0; sampler < SFU_N_SAMPLERS; sampler++) {
        if (sampler == SFU_SAMPLER_DPM_ADAPTIVE) /* its steps suit the whole batch, as k-diffusion's */
            continue;
        SfuSigmas *s = make(sampler, SFU_SCHEDULE_AUTO, SFU_SAMPLE_EPSILON, 6, 1);
        float batch[3 * 5 * 3 * 4], alone[5 * 3 * 4];
        Watch w = {.fail_at = -1, .poison_at = -1};
        g_assert_true(run(s, &w, batch, 5, 3, 4, seeds, 3, NULL));
        for (int image = 0; image < 3; image++) {
            Watch v = {.fail_at = -1, .poison_at = -1};
            g_assert_true(run(s, &v, alone, 5, 3, 4, seeds + image, 1, NULL));
            g_assert_cmpmem(batch + 60 * image, 60 * sizeof(float), alone, sizeof(alone));
        }
        sfu_sigmas_free(s);
    }
    /* and so with PyTorch's generator, whose state is carried from draw to draw */
    float batch[3 * 5 * 3 * 4], alone[5 * 3 * 4];
    SfuNoise *a = sfu_noise_new(SFU_NOISE_TORCH, seeds, 3, 5, 3, 4),
             *b = sfu_noise_new(SFU_NOISE_TORCH, seeds + 1, 1, 5, 3, 4);
    for (int draw = 0; draw < 3; draw++) {
        sfu_noise_next(a, batch);
        sfu_noise_next(b, alone);
        g_assert_cmpmem(batch + 60, 60 * sizeof(float), alone, sizeof(alone));
    }
    sfu_noise_free(a);
    sfu_noise_free(b);
}

static void test_errors_pass_through(void)
{
    const guint64 seed = 1;
    float x[4 * 4 * 4];
    for (int sampler = 0; sampler < SFU_N_SAMPLERS; sampler++)
        for (int where = 0; where < 3; where++) {
            const int at = sampler == SFU_SAMPLER_DPM_ADAPTIVE ? 0 : 2; /* which may go beyond the second at once */
            /* DPM fast makes three steps of nine passes and one of what remains */
            SfuSigmas *s =
                make(sampler, SFU_SCHEDULE_AUTO, SFU_SAMPLE_EPSILON, sampler == SFU_SAMPLER_DPM_FAST ? 16 : 6, 1);
            Watch w = {.fail_at = where < 2 ? at : -1, .fail_after = where == 1, .poison_at = where == 2 ? at : -1};
            GError *error = NULL;
            g_assert_false(run(s, &w, x, 4, 4, 4, &seed, 1, &error));
            if (where < 2) {
                g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
            } else {
                g_assert_error(error, SFU_SAMPLE_ERROR, SFU_SAMPLE_ERROR_NAN);
                g_assert_nonnull(strstr(error->message, at ? "step 3 of 6" : "step 1 of 6"));
            }
            g_assert_cmpint(w.steps_seen, ==, where == 1 ? at + 1 : at);
            g_error_free(error);
            sfu_sigmas_free(s);
        }
}

static void test_noise_is_asked_for(void)
{
    float x[64];
    for (int sampler = 0; sampler < SFU_N_SAMPLERS; sampler++) {
        SfuSigmas *s = make(sampler, SFU_SCHEDULE_AUTO, SFU_SAMPLE_EPSILON, 4, 1);
        Watch w = {.fail_at = -1, .poison_at = -1};
        GError *error = NULL;
        const SfuSamplerRow *traits = sfu_sampler_row(sampler);
        if (traits->eta > 0 || traits->always_draws) {
            g_assert_false(run(s, &w, x, 4, 4, 4, NULL, 1, &error));
            g_assert_error(error, SFU_SAMPLE_ERROR, SFU_SAMPLE_ERROR_OPTIONS);
            g_error_free(error);
        } else {
            g_assert_true(run(s, &w, x, 4, 4, 4, NULL, 1, &error));
        }
        sfu_sigmas_free(s);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/unit/sample/refusals", test_refusals);
    g_test_add_func("/unit/sample/names", test_names);
    g_test_add_func("/unit/sample/strength", test_strength);
    g_test_add_func("/unit/sample/every-table", test_every_table);
    g_test_add_func("/unit/sample/model-range", test_model_range);
    g_test_add_func("/unit/sample/predictions", test_predictions);
    g_test_add_func("/unit/sample/rescale-extremes", test_rescale_extremes);
    g_test_add_func("/unit/sample/brownian", test_brownian);
    g_test_add_func("/unit/sample/every-run", test_every_run);
    g_test_add_func("/unit/sample/batch", test_batch);
    g_test_add_func("/unit/sample/errors-pass-through", test_errors_pass_through);
    g_test_add_func("/unit/sample/noise-is-asked-for", test_noise_is_asked_for);
    return g_test_run();
}
