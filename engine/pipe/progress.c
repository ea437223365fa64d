/* Progress, time left and cancel of one job.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <stdarg.h>
#include <string.h>
#include <glib/gi18n-lib.h>

/* What one unit costs until it has been measured, against a UNet pass over one latent pixel (from the counts of
 * operations of Stable Diffusion 1.5 at 512 x 512: 803 G for the UNet, 1117 G to encode, 2514 G to decode). */
static const double first_guess[SFU_N_STAGES] = {
    [SFU_STAGE_COMPILE] = 0, [SFU_STAGE_LOAD] = 1,     [SFU_STAGE_ENCODE] = 1.4,
    [SFU_STAGE_DENOISE] = 1, [SFU_STAGE_DECODE] = 3.1, [SFU_STAGE_UPSCALE] = 1};

void sfu_run_plan(SfuRun *r, SfuStage stage, double units)
{
    r->planned[stage] += units;
}

/* Seconds per unit of a stage; by the ratio to a stage that was measured if it was not itself; 0: nothing is known. */
static double rate(const SfuRun *r, int stage)
{
    if (r->measured[stage] > 0)
        return r->seconds[stage] / r->measured[stage];
    double seconds = 0, guess = 0;
    for (int s = 0; s < SFU_N_STAGES; s++) {
        seconds += r->seconds[s];
        guess += r->measured[s] * first_guess[s];
    }
    return guess > 0 ? first_guess[stage] * seconds / guess : 0;
}

static void report(SfuRun *r, SfuStage stage, int step, int n_steps)
{
    if (!r->job->progress)
        return;
    double all = 0, left = 0;
    gboolean known = stage != SFU_STAGE_COMPILE; /* how much is still to be compiled, nobody knows */
    for (int s = 0; s < SFU_N_STAGES; s++) {
        const double t = rate(r, s), cost = t > 0 ? t : first_guess[s], rest = MAX(0, r->planned[s] - r->done[s]);
        known = known && (rest <= 0 || t > 0);
        all += MAX(r->planned[s], r->done[s]) * cost;
        left += rest * cost;
    }
    r->fraction = MAX(r->fraction, all > 0 ? CLAMP(1 - left / all, 0, 1) : 0);
    SfuProgress p = {stage, step, n_steps, r->fraction, known && all > 0 ? left : -1, r->image, r->n_images, NULL};
    char *text = sfu_progress_text(&p);
    p.text = text;
    r->job->progress(&p, r->job->data);
    g_free(text);
}

gboolean sfu_run_cancelled(const SfuRun *r, GError **error)
{
    if (!r->job->cancel || !g_atomic_int_get((int *)r->job->cancel))
        return FALSE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_CANCELLED, _("Cancelled."));
    return TRUE;
}

void sfu_run_note(SfuRun *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (!r->note) {
        r->note = sentence;
        return;
    }
    if (!strstr(r->note, sentence)) {
        char *both = g_strconcat(r->note, "\n", sentence, NULL);
        g_free(r->note);
        r->note = both;
    }
    g_free(sentence);
}

gboolean sfu_run_tick(SfuRun *r, SfuStage stage, double units, int step, int n_steps, GError **error)
{
    const gint64 now = g_get_monotonic_time();
    const double seconds = (now - r->last_us) / 1e6;
    /* The first unit of a stage also compiled its kernels and laid out its weights: it must not set the pace alone. */
    const gboolean first = r->done[stage] <= 0;
    if (!first && r->measured[stage] > 0 && r->measured[stage] == r->done[stage] &&
        r->seconds[stage] / r->measured[stage] > 2 * seconds / units) {
        r->seconds[stage] = seconds;
        r->measured[stage] = units;
    } else {
        r->seconds[stage] += seconds;
        r->measured[stage] += units;
    }
    r->done[stage] += units;
    r->last_us = now;
    report(r, stage, step, n_steps);
    return !sfu_run_cancelled(r, error);
}

gboolean sfu_run_stage(SfuRun *r, SfuStage stage, GError **error)
{
    r->last_us = g_get_monotonic_time();
    report(r, stage, 0, 0);
    return !sfu_run_cancelled(r, error);
}

void sfu_run_keep_latents(SfuRun *r, const SfuImage *z)
{
    if (!r->job->latent_file)
        return;
    if (!r->latents)
        r->latents = g_array_new(FALSE, FALSE, sizeof(float));
    const guint n = (guint)z->w * z->h * z->c;
    g_array_set_size(r->latents, r->image * n);
    g_array_append_vals(r->latents, z->p, n);
    r->latent = (SfuShape){1, z->h, z->w, z->c};
}
