/* Noise schedules: the model's table of sigmas, and the few of them that a run visits.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/step.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

G_DEFINE_QUARK(sfu_sample_error_quark, sfu_sample_error)

#define MAX_TRAIN 100000
#define LCM_ORIGINAL_STEPS 50 /* diffusers' original_inference_steps */

static SfuSchedule resolve_auto(SfuSampler sampler, SfuSamplePrediction prediction)
{
    const SfuSchedule usual = sfu_sampler_row(sampler)->schedule;
    if (prediction == SFU_SAMPLE_FLOW)
        return SFU_SCHEDULE_SGM_UNIFORM;
    return usual == SFU_SCHEDULE_AUTO ? SFU_SCHEDULE_NORMAL : usual;
}

/* ---- the model's table ----------------------------------------------------------------------------------------- */

/* log_sigmas[n_train], rising. */
static void fill_table(const SfuScheduleOptions *o, double shift, double *log_sigmas)
{
    const int n = o->n_train;
    if (o->prediction == SFU_SAMPLE_FLOW) {
        for (int t = 0; t < n; t++)
            log_sigmas[t] = log(sfu_sigma_shifted((t + 1.0) / n, shift));
        return;
    }
    const double first = o->scaled_linear ? sqrt(o->beta_start) : o->beta_start;
    const double last = o->scaled_linear ? sqrt(o->beta_end) : o->beta_end;
    double *root = g_new(double, n); /* square root of the cumulated alpha */
    double product = 1;
    for (int t = 0; t < n; t++) {
        const double ramp = n == 1 ? first : first + (last - first) * t / (n - 1);
        product *= 1 - (o->scaled_linear ? ramp * ramp : ramp);
        root[t] = sqrt(product);
    }
    if (o->zero_terminal_snr) { /* Lin 2023, Algorithm 1: shift so that the last is 0, scale so that the first stays */
        const double end = root[n - 1], scale = root[0] / (root[0] - end);
        for (int t = 0; t < n; t++)
            root[t] = (root[t] - end) * scale;
        root[n - 1] = 0x1p-12; /* sigma is 4096 there, as in diffusers, and not infinite */
    }
    for (int t = 0; t < n; t++)
        log_sigmas[t] = 0.5 * log1p(-root[t] * root[t]) - log(root[t]);
    g_free(root);
}

/* ---- schedules ------------------------------------------------------------------------------------------------- */

/* Whole timesteps from what `at` gives, falling; where rounding would visit one twice, they stay as they are. */
static void whole_timesteps(double *t, int n, int n_train)
{
    for (int i = 0; i < n; i++)
        if (rint(t[i]) < 0 || rint(t[i]) > n_train - 1 || (i > 0 && rint(t[i]) >= rint(t[i - 1])))
            return;
    for (int i = 0; i < n; i++)
        t[i] = rint(t[i]);
}

/* How many entries of the table are visited from its second, every (n_train / n)-th. */
static int uniform_count(int n_train, int n)
{
    return MAX(1, (n_train - 2) / MAX(n_train / n, 1) + 1);
}

/* t[n] in units of the table's index, falling; n is `asked` but for DDIM uniform. FALSE if this schedule works with
 * sigmas. */
static gboolean fill_timesteps(const SfuSigmas *s, int n, int asked, double *t)
{
    const int train = s->n_train;
    switch (s->schedule) {
    case SFU_SCHEDULE_NORMAL:
        if (s->prediction == SFU_SAMPLE_FLOW)
            return FALSE;
        for (int i = 0; i < n; i++)
            t[i] = n == 1 ? train - 1 : (train - 1.0) * (n - 1 - i) / (n - 1);
        return TRUE;
    case SFU_SCHEDULE_SGM_UNIFORM:
        for (int i = 0; i < n; i++) /* flow: sigma 1 to 0, which is index -1 */
            t[i] = s->prediction == SFU_SAMPLE_FLOW ? (double)train * (n - i) / n - 1 : (train - 1.0) * (n - i) / n;
        return TRUE;
    case SFU_SCHEDULE_LINSPACE:
        for (int i = 0; i < n; i++)
            t[i] = (train - 1.0) * (n - i) / n;
        whole_timesteps(t, n, train);
        return TRUE;
    case SFU_SCHEDULE_SIMPLE:
        for (int i = 0; i < n; i++)
            t[i] = train - 1 - (int)(i * ((double)train / n));
        return TRUE;
    case SFU_SCHEDULE_TRAILING:
        for (int i = 0; i < n; i++)
            t[i] = train - i * ((double)train / n) - 1;
        whole_timesteps(t, n, train);
        return TRUE;
    case SFU_SCHEDULE_LEADING: {
        const int ratio = train / n, offset = (n - 1) * ratio + 1 < train;
        for (int i = 0; i < n; i++)
            t[i] = (n - 1 - i) * ratio + offset;
        return TRUE;
    }
    case SFU_SCHEDULE_LCM: {
        const int original = MIN(LCM_ORIGINAL_STEPS, train), ratio = train / original;
        for (int i = 0; i < n; i++)
            t[i] = (original - (int)floor((double)original * i / n)) * ratio - 1;
        return TRUE;
    }
    case SFU_SCHEDULE_DDIM_UNIFORM: {
        const int ratio = MAX(train / asked, 1);
        for (int i = 0; i < n; i++)
            t[i] = 1 + (n - 1.0 - i) * ratio;
        return TRUE;
    }
    default:
        return FALSE;
    }
}

static void fill_sigmas(const SfuSigmas *s, int n, double *sigmas)
{
    const double highest = exp(s->log_sigmas[s->n_train - 1]), lowest = exp(s->log_sigmas[0]);
    for (int i = 0; i < n; i++) {
        const double ramp = n == 1 ? 0 : (double)i / (n - 1);
        if (s->schedule == SFU_SCHEDULE_KARRAS) {
            const double rho = 7, from = pow(highest, 1 / rho), to = pow(lowest, 1 / rho);
            sigmas[i] = pow(from + ramp * (to - from), rho);
        } else if (s->schedule == SFU_SCHEDULE_EXPONENTIAL) {
            sigmas[i] = exp(log(highest) + ramp * (log(lowest) - log(highest)));
        } else if (s->schedule == SFU_SCHEDULE_BETA) {
            sigmas[i] = lowest + sfu_beta_quantile(1 - ramp) * (highest - lowest);
        } else if (s->schedule == SFU_SCHEDULE_KL_OPTIMAL) {
            sigmas[i] = tan((1 - ramp) * atan(highest) + ramp * atan(lowest));
        } else { /* normal for flow: diffusers' FlowMatchEulerDiscreteScheduler, which shifts the ends of its shifted
                    table once more */
            sigmas[i] = sfu_sigma_shifted(highest + ramp * (lowest - highest), s->shift);
        }
    }
}

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_propagate_error(error, g_error_new_valist(SFU_SAMPLE_ERROR, SFU_SAMPLE_ERROR_OPTIONS, format, arguments));
    va_end(arguments);
    return FALSE;
}

double sfu_empirical_shift(double n_pixels, int steps)
{
    const double at_10 = 8.73809524e-05 * n_pixels + 1.89833333, at_200 = 0.00016927 * n_pixels + 0.45666666;
    if (n_pixels > 4300)
        return exp(at_200);
    const double slope = (at_200 - at_10) / 190;
    return exp(slope * steps + at_200 - 200 * slope);
}

/* Whether a schedule can be made of these options; FALSE with OPTIONS. */
static gboolean check_options(const SfuScheduleOptions *o, GError **error)
{
    if (!sfu_sampler_name(o->sampler) || !sfu_schedule_name(o->schedule) || o->prediction > SFU_SAMPLE_FLOW)
        return refuse(error, _("Sampler %d, schedule %d and prediction %d are not a valid combination"), o->sampler,
                      o->schedule, o->prediction);
    if (o->n_train < 1 || o->n_train > MAX_TRAIN)
        return refuse(error, _("The model's schedule has %d training steps; 1 to %d can be used"), o->n_train,
                      MAX_TRAIN);
    const gboolean flow = o->prediction == SFU_SAMPLE_FLOW;
    if (!flow && !(o->beta_start > 0 && o->beta_start <= o->beta_end && o->beta_end < 1))
        return refuse(error, _("The model's schedule goes from beta %g to %g, which is not rising within 0 to 1"),
                      o->beta_start, o->beta_end);
    if (flow && !(o->shift >= 0 && o->shift <= 1000))
        return refuse(error, _("The schedule's shift is %g; 0 to 1000 can be used"), o->shift);
    if (o->steps < 1 || o->steps > o->n_train)
        return refuse(error, _("%d steps were asked for; 1 to %d are possible"), o->steps, o->n_train);
    if (!(o->strength >= 0 && o->strength <= 1))
        return refuse(error, _("The strength is %g; it goes from 0 to 1"), o->strength);
    return TRUE;
}

/* sigmas[n] of a schedule that the model's authors or others published for this family. */
static gboolean fill_published(SfuSigmas *s, const SfuScheduleOptions *o, int n, GError **error)
{
    const gboolean gits = s->schedule == SFU_SCHEDULE_GITS;
    if (s->prediction == SFU_SAMPLE_FLOW || !(gits ? (gconstpointer)o->gits : (gconstpointer)o->aligned))
        return refuse(error,
                      _("The schedule %s has no steps for this model; they were published for Stable "
                        "Diffusion 1.x and XL only"),
                      sfu_schedule_label(s->schedule));
    if (gits) {
        sfu_schedule_gits(o->gits, n, s->sigmas);
        return TRUE;
    }
    for (int i = 0; i < SFU_N_ALIGNED; i++)
        if (o->aligned[i] >= o->n_train)
            return refuse(error, _("The schedule %s needs 1000 training steps; the model has %d"),
                          sfu_schedule_label(s->schedule), o->n_train);
    sfu_schedule_align(s, o->aligned, n, s->sigmas);
    return TRUE;
}

/* All steps that the schedule has for the number asked for: sigmas, timesteps, n_steps. */
static gboolean fill_steps(SfuSigmas *s, const SfuScheduleOptions *o, GError **error)
{
    const int extra = sfu_sampler_row(s->sampler)->skips_last_but_one && o->steps < o->n_train;
    const int n =
        s->schedule == SFU_SCHEDULE_DDIM_UNIFORM ? uniform_count(o->n_train, o->steps + extra) : o->steps + extra;
    const int most = s->schedule == SFU_SCHEDULE_LCM ? MIN(LCM_ORIGINAL_STEPS, o->n_train) : o->n_train;
    if (n > most)
        return refuse(error, _("%d steps were asked for; the schedule %s has %d"), o->steps,
                      sfu_schedule_label(s->schedule), most - extra);
    s->sigmas = g_new0(double, n + 1);
    s->timesteps = g_new0(double, n);
    const gboolean by_timestep = fill_timesteps(s, n, o->steps + extra, s->timesteps);
    if (by_timestep) {
        for (int i = 0; i < n; i++)
            s->sigmas[i] = sfu_sigma_of_timestep(s, s->timesteps[i]);
    } else if (s->schedule == SFU_SCHEDULE_ALIGN_YOUR_STEPS || s->schedule == SFU_SCHEDULE_GITS) {
        if (!fill_published(s, o, n, error))
            return FALSE;
    } else {
        fill_sigmas(s, n, s->sigmas);
    }
    if (extra)
        s->sigmas[n - 1] = 0;
    s->n_steps = n - extra;
    for (int i = 0; i < s->n_steps; i++) {
        if (!by_timestep || s->prediction == SFU_SAMPLE_FLOW)
            s->timesteps[i] = sfu_sigma_to_timestep(s, s->sigmas[i]);
        if (i > 0 && s->sigmas[i] >= s->sigmas[i - 1])
            return refuse(error, _("The schedule %s has no %d distinct steps for this model"),
                          sfu_schedule_label(s->schedule), o->steps);
    }
    return TRUE;
}

/* Leaves out the steps that strength does not need. */
static void keep_last(SfuSigmas *s, double strength)
{
    const int executed = MAX(1, (int)(s->n_steps * strength)), skipped = s->n_steps - executed;
    memmove(s->sigmas, s->sigmas + skipped, (executed + 1) * sizeof(double));
    memmove(s->timesteps, s->timesteps + skipped, executed * sizeof(double));
    s->n_steps = executed;
    s->whole = strength == 1;
}

SfuSigmas *sfu_sigmas_new(const SfuScheduleOptions *o, GError **error)
{
    if (!check_options(o, error))
        return NULL;
    SfuSigmas *s = g_new0(SfuSigmas, 1);
    s->prediction = o->prediction;
    s->sampler = o->sampler;
    s->schedule = o->schedule == SFU_SCHEDULE_AUTO ? resolve_auto(o->sampler, o->prediction) : o->schedule;
    s->n_train = o->n_train;
    s->shift = o->shift == 0 ? 1 : o->shift;
    s->log_sigmas = g_new(double, o->n_train);
    fill_table(o, s->shift, s->log_sigmas);
    if (!fill_steps(s, o, error)) {
        sfu_sigmas_free(s);
        return NULL;
    }
    const double first = exp(s->log_sigmas[0]);
    if (sfu_sampler_row(s->sampler)->ends_at_first && s->prediction != SFU_SAMPLE_FLOW &&
        s->sigmas[s->n_steps - 1] > first * (1 + 1e-6)) {
        s->sigmas[s->n_steps] = first;
        s->scale_last = TRUE;
    }
    keep_last(s, o->strength);
    if (s->sampler == SFU_SAMPLER_RESTART)
        sfu_sigmas_plan_restart(s);
    const int passes = sfu_sampler_passes(s->sampler); /* the last step is a plain one */
    s->n_passes = s->n_steps * passes - (passes - 1) + (s->sampler == SFU_SAMPLER_PLMS && s->n_steps > 1);
    if (s->sampler == SFU_SAMPLER_DPM_FAST || s->sampler == SFU_SAMPLER_DPM_ADAPTIVE)
        sfu_sigmas_plan_dpm(s);
    return s;
}

void sfu_sigmas_free(SfuSigmas *s)
{
    if (!s)
        return;
    g_free(s->sigmas);
    g_free(s->timesteps);
    g_free(s->ends);
    g_free(s->log_sigmas);
    g_free(s);
}

double sfu_sigmas_noise_scale(const SfuSigmas *s)
{
    const double sigma = s->sigmas[0];
    return sfu_sampler_row(s->sampler)->of_diffusers && s->prediction != SFU_SAMPLE_FLOW ? sqrt(sigma * sigma + 1)
                                                                                         : sigma;
}
