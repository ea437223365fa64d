/* From noise to latents: one run of a sampler over one image, with guidance, masks, tiles and previews.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <math.h>
#include <string.h>
#include <inttypes.h>
#include <glib/gi18n-lib.h>

#include "region/region.h"

typedef struct {
    SfuSession *s, *now; /* now: s or its refiner, which makes the pass */
    const SfuDiffusion *d;
    SfuSigmas *sigmas;
    int c;                  /* latent channels */
    gint64 n;               /* h * w * c */
    float *in, *out, *none; /* none: without the prompt, for samplers that ask for it; else NULL */
    const float *noise;     /* [h, w, c] what x is at the first sigma of a whole run: the noise, or start plus noise */
    int tile;               /* 0: in one piece */
    int n_passes;           /* over the picture so far */
    int interval, call;     /* every interval-th pass is a whole one; passes since the words changed */
    GPtrArray *deep;        /* SfuTensor*, by tile: what the passes between build on; NULL: nothing yet */
} Diffuser;

/* ---- one pass of the network ------------------------------------------------------------------------------------ */

/* Index of a latent pixel; beyond the right and lower edges those of the other side. */
static gsize latent_at(const Diffuser *f, int x, int y)
{
    return (gsize)(y % f->d->h) * f->d->w + x % f->d->w;
}

/* [branches, h, w, c + extra] of a rectangle. The last branch of editing sees no picture. */
static void gather(const Diffuser *f, SfuRect r, float *dst)
{
    const SfuImage *extra = f->now == f->s ? f->d->extra : NULL;
    const int c = f->c, e = extra ? extra->c : 0;
    for (int b = 0; b < f->s->n_branches; b++) {
        for (int y = 0; y < r.h; y++) {
            for (int x = 0; x < r.w; x++, dst += c + e) {
                const gsize at = latent_at(f, r.x + x, r.y + y);
                memcpy(dst, f->in + at * c, c * sizeof(float));
                if (e && f->s->family->edits && b == 2)
                    memset(dst + c, 0, e * sizeof(float));
                else if (e)
                    memcpy(dst + c, extra->p + at * e, e * sizeof(float));
            }
        }
    }
}

/* The pass gave NaN or infinity: runs it again with every block looked at, to name the first. */
static void name_nonfinite(Diffuser *f, const SfuTensor *x, const float *timesteps, const int *labels, int step,
                           GError **error)
{
    SfuNonfinite found = {0};
    SfuTrace trace = sfu_trace_nonfinite(&found);
    SfuTensor *out = NULL;
    sfu_denoiser_set_trace(f->now->denoiser, &trace);
    const SfuDenoiserInput in = {.x = x, .timesteps = timesteps, .class_labels = labels};
    sfu_denoiser_forward(f->now->denoiser, &out, &in, NULL);
    sfu_denoiser_set_trace(f->now->denoiser, NULL);
    sfu_tensor_destroy(out);
    g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED,
                _("The network gave NaN or infinity at step %d, first in its block %s (%" PRId64 " of %" PRId64
                  " values); if the model is sound, run it with the precision fp32."),
                step + 1, found.block[0] ? found.block : "conv_out", found.n, found.of);
}

static void forget_deep(Diffuser *f)
{
    for (guint i = 0; i < f->deep->len; i++)
        sfu_tensor_destroy(f->deep->pdata[i]);
    g_ptr_array_set_size(f->deep, 0);
}

/* Where the raw output of a rectangle [h, w, c] goes. */
typedef struct {
    float *guided, *none; /* none: that without the prompt; may be NULL */
} Output;

/* Of rectangle number `at`. */
static gboolean pass(Diffuser *f, int at, SfuRect r, Output out, double timestep, int step, GError **error)
{
    SfuSession *s = f->now;
    const int n_b = s->n_branches, c_in = f->c + (f->d->extra && s == f->s ? f->d->extra->c : 0);
    const gint64 n = (gint64)r.w * r.h * f->c;
    float timesteps[SFU_PROMPT_MAX_PARTS + 1];
    int labels[SFU_PROMPT_MAX_PARTS + 1];
    float *host = g_new(float, (gsize)n_b *r.w *r.h *MAX(c_in, f->c));
    SfuTensor *x = NULL, *y = NULL, **deep = NULL;
    for (int b = 0; b < n_b; b++) {
        timesteps[b] = (float)timestep;
        labels[b] = s->class_label;
    }
    if (f->interval > 1) {
        if (at >= (int)f->deep->len)
            g_ptr_array_set_size(f->deep, at + 1);
        deep = (SfuTensor **)&f->deep->pdata[at];
    }
    gather(f, r, host);
    /* Along an axis that is in one piece, that piece wraps round. */
    sfu_denoiser_set_wrap(s->denoiser,
                          s->wrap & ((r.w == f->d->w ? SFU_WRAP_X : 0) | (r.h == f->d->h ? SFU_WRAP_Y : 0)));
    gboolean ok = !s->grid || sfu_session_set_grid(s, f->d->extra, r, error);
    SfuDenoiserInput in = {.timesteps = timesteps, .class_labels = s->class_label >= 0 ? labels : NULL, .deep = deep};
    SfuControlSum sum = {0};
    SfuResiduals residuals;
    ok = ok && (x = sfu_tensor_create(s->run->q, SFU_F32, n_b, r.h, r.w, c_in, error)) &&
         sfu_tensor_write(x, host, error);
    in.x = x;
    if (ok && s->controls) {
        ok = sfu_controls_add(s, &in, r, step, f->sigmas->n_steps, &sum, error);
        residuals = sfu_control_sum_residuals(&sum);
        in.residuals = &residuals;
    }
    ok = ok && sfu_image_prompts_use(s, r, step, f->sigmas->n_steps, &in.prompts, error) &&
         sfu_denoiser_forward(s->denoiser, &y, &in, error);
    sfu_control_sum_clear(&sum);
    if (ok && y->c != f->c) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s: the UNet gives %d channels where the latents have %d."),
                    s->m->path, y->c, f->c);
        ok = FALSE;
    }
    ok = ok && sfu_tensor_read(y, host, error);
    for (gint64 k = 0; ok && k < n_b * n; k++) {
        if (!isfinite(host[k])) {
            name_nonfinite(f, x, timesteps, s->class_label >= 0 ? labels : NULL, step, error);
            ok = FALSE;
        }
    }
    if (ok) {
        if (out.none) /* the last branch */
            memcpy(out.none, host + (n_b - 1) * n, n * sizeof(float));
        sfu_session_guide(s, host, n);
        memcpy(out.guided, host, n * sizeof(float));
    }
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    g_free(host);
    return ok;
}

/* FALSE if all of the rectangle stays the original anyway. */
static gboolean is_repainted(const Diffuser *f, SfuRect r)
{
    const SfuImage *m = f->d->x0 ? f->d->blend : NULL;
    for (int y = r.y; m && y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            if (m->p[latent_at(f, x, y)] > 0)
                return TRUE;
    return m == NULL;
}

/* All tiles of one step that hold anything to be repainted; where they overlap their outputs are mixed (Bar-Tal 2023,
 * MultiDiffusion, with ramps). */
static gboolean tiles(Diffuser *f, double timestep, int step, GError **error)
{
    const SfuDiffusion *d = f->d;
    const int tw = MIN(f->tile, d->w), th = MIN(f->tile, d->h),
              overlap = d->overlap > 0 ? MIN(d->overlap, f->tile / 2) : f->tile / 4;
    const gboolean rx = (f->s->wrap & SFU_WRAP_X) && tw < d->w, ry = (f->s->wrap & SFU_WRAP_Y) && th < d->h;
    int *xs, *ys, n_active = 0;
    const int nx = rx ? sfu_tiles_round(d->w, tw, overlap, &xs) : sfu_tiles(d->w, tw, overlap, 1, &xs);
    const int ny = ry ? sfu_tiles_round(d->h, th, overlap, &ys) : sfu_tiles(d->h, th, overlap, 1, &ys);
    const gint64 n_part = (gint64)tw * th * f->c;
    float *part = g_new(float, n_part * 2), *weight = g_new0(float, (gsize)d->w * d->h);
    float *none = f->none ? part + n_part : NULL;
    gboolean ok = TRUE;
    for (int k = 0; k < nx * ny; k++)
        n_active += is_repainted(f, (SfuRect){xs[k % nx], ys[k / nx], tw, th});
    memset(f->out, 0, f->n * sizeof(float));
    if (none)
        memset(f->none, 0, f->n * sizeof(float));
    for (int k = 0; ok && k < nx * ny; k++) {
        const SfuRect r = {xs[k % nx], ys[k / nx], tw, th};
        if (!is_repainted(f, r))
            continue;
        ok = pass(f, k, r, (Output){part, none}, timestep, step, error);
        for (int j = 0; ok && j < th; j++) {
            const float wy = sfu_tile_ramp(j, th, overlap, !ry && k / nx == 0, !ry && k / nx == ny - 1);
            for (int i = 0; i < tw; i++) {
                const float wt = wy * sfu_tile_ramp(i, tw, overlap, !rx && k % nx == 0, !rx && k % nx == nx - 1);
                const gsize at = latent_at(f, r.x + i, r.y + j);
                for (int c = 0; c < f->c; c++)
                    f->out[at * f->c + c] += wt * part[((gsize)j * tw + i) * f->c + c];
                for (int c = 0; none && c < f->c; c++)
                    f->none[at * f->c + c] += wt * none[((gsize)j * tw + i) * f->c + c];
                weight[at] += wt;
            }
        }
        ok = ok && sfu_run_tick(f->s->run, SFU_STAGE_DENOISE, (double)d->w * d->h * f->s->n_branches / n_active,
                                step + 1, f->sigmas->n_steps, error);
    }
    for (gint64 k = 0; ok && k < f->n; k++)
        if (weight[k / f->c] > 0) {
            f->out[k] /= weight[k / f->c];
            if (none)
                f->none[k] /= weight[k / f->c];
        }
    g_free(part);
    g_free(weight);
    g_free(xs);
    g_free(ys);
    return ok;
}

static gboolean network(Diffuser *f, double timestep, int step, GError **error)
{
    const SfuDiffusion *d = f->d;
    if (f->call++ % f->interval == 0)
        forget_deep(f);
    if (f->tile > 0 && f->tile < MAX(d->w, d->h))
        return tiles(f, timestep, step, error);
    GError *e = NULL;
    const gint64 start = g_get_monotonic_time();
    const double flops = sfu_queue_flops(f->s->run->q);
    if (pass(f, 0, (SfuRect){0, 0, d->w, d->h}, (Output){f->out, f->none}, timestep, step, &e)) {
        if (f->call > 1) /* the first one compiles, and puts the weights on the device */
            sfu_note_denoiser_rate(f->s, sfu_queue_flops(f->s->run->q) - flops, start);
        return sfu_run_tick(f->s->run, SFU_STAGE_DENOISE, (double)d->w * d->h * f->s->n_branches, step + 1,
                            f->sigmas->n_steps, error);
    }
    const int native = f->s->native_px / f->s->ae.factor;
    if (!g_error_matches(e, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_MEMORY) || MAX(d->w, d->h) <= native) {
        g_propagate_error(error, e);
        return FALSE;
    }
    /* Too large for the device in one piece: from here on in tiles of the size that the model was made for. */
    g_error_free(e);
    forget_deep(f);
    sfu_queue_trim(f->s->run->q);
    f->tile = native;
    return tiles(f, timestep, step, error);
}

/* ---- the sampler's callbacks ------------------------------------------------------------------------------------- */

static gboolean denoise(gpointer data, float *denoised, const float *x, double sigma, double timestep, int step,
                        GError **error)
{
    Diffuser *f = data;
    gboolean changed;
    SfuSession *before = f->now;
    f->now = f->s->refiner && timestep < f->s->refiner_from ? f->s->refiner : f->s;
    if (!sfu_session_use_words(f->now, f->n_passes++, &changed, error))
        return FALSE;
    if (changed || f->now != before || sfu_image_prompts_change(f->now, step, f->sigmas->n_steps))
        /* what was computed for other words or pictures does not serve */
        f->call = 0;
    sfu_model_input(f->sigmas, f->in, x, sigma, f->n);
    if (!network(f, timestep, step, error))
        return FALSE;
    sfu_denoised_from_output(f->sigmas, denoised, x, f->out, sigma, f->n);
    if (f->none)
        sfu_denoised_from_output(f->sigmas, f->none, x, f->none, sigma, f->n);
    return TRUE;
}

static const float *unconditional(gpointer data)
{
    return ((Diffuser *)data)->none;
}

/* Where a pixel's own strength has not been reached yet it stays the original, at the noise level of the next step. A
 * hard mask makes this the usual blending; a soft one Differential Diffusion (Levin & Fried 2023). */
static void blend(const Diffuser *f, float *x, double sigma, double remaining)
{
    const SfuImage *m = f->d->blend;
    const int c = f->c;
    for (gint64 k = 0; k < (gint64)m->w * m->h; k++) {
        if (m->p[k] > remaining)
            continue;
        if (sigma > 0)
            sfu_add_noise(f->sigmas, x + k * c, f->d->x0->p + k * c, f->noise + k * c, sigma, c);
        else
            memcpy(x + k * c, f->d->x0->p + k * c, c * sizeof(float));
    }
}

static gboolean after_step(gpointer data, float *x, const float *denoised, double sigma_next, int step, GError **error)
{
    Diffuser *f = data;
    const SfuDiffusion *d = f->d;
    const int n_steps = f->sigmas->n_steps, every = sfu_params_int(f->s->run->p, SFU_PARAM_PREVIEW_EVERY);
    if (d->blend && d->x0)
        blend(f, x, sigma_next, 1 - (step + 1.0) / n_steps);
    if (!d->preview || every <= 0 || (step + 1) % every != 0 || step + 1 == n_steps)
        return !sfu_run_cancelled(f->s->run, error);
    const SfuImage view = {d->w, d->h, f->c, (float *)denoised};
    return d->preview(d->data, &view, step + 1, error) && !sfu_run_cancelled(f->s->run, error);
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

/* Start noise: the file's image of this number, else the seed's. */
static gboolean start_noise(Diffuser *f, SfuNoise *stream, float *noise, GError **error)
{
    const SfuRun *r = f->s->run;
    const SfuDiffusion *d = f->d;
    sfu_noise_next(stream, noise);
    if (!r->start_noise || !d->first)
        return TRUE;
    if (r->noise.h != d->h || r->noise.w != d->w || r->noise.c != f->c) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("%s holds noise of %d x %d x %d where this run needs %d x %d x %d (channels, height, width)."),
                    r->job->noise_file, r->noise.c, r->noise.h, r->noise.w, f->c, d->h, d->w);
        return FALSE;
    }
    memcpy(noise, r->start_noise + (gsize)(r->image % r->noise.n) * f->n, f->n * sizeof(float));
    return TRUE;
}

/* n_pixels: of the latents. */
static SfuSigmas *make_sigmas(const SfuSession *s, double n_pixels, double strength, GError **error)
{
    const SfuSchedulerConfig *c = sfu_model_scheduler(s->m->model);
    const SfuScheduleOptions o = {.prediction = (SfuSamplePrediction)c->prediction,
                                  .n_train = c->n_train_timesteps,
                                  .beta_start = c->beta_start,
                                  .beta_end = c->beta_end,
                                  .scaled_linear = c->scaled_linear,
                                  .zero_terminal_snr = c->zero_terminal_snr,
                                  .aligned = s->family->aligned_timesteps,
                                  .gits = s->family->gits_sigmas,
                                  .shift = c->empirical_shift ? sfu_empirical_shift(n_pixels, s->steps) : c->shift,
                                  .sampler = s->sampler,
                                  .schedule = s->schedule,
                                  .steps = s->steps,
                                  .strength = strength};
    return sfu_sigmas_new(&o, error);
}

int sfu_diffusion_calls(const SfuSession *s, double strength)
{
    SfuSigmas *sigmas = make_sigmas(s, 1, MIN(strength, 1), NULL);
    const int n = sigmas ? sigmas->n_passes : MAX(1, s->steps); /* the run reports what is wrong */
    sfu_sigmas_free(sigmas);
    return n;
}

SfuImage *sfu_diffuse(SfuSession *s, const SfuDiffusion *d, GError **error)
{
    SfuRun *r = s->run;
    Diffuser f = {.s = s,
                  .now = s,
                  .d = d,
                  .c = s->ae.channels,
                  .n = (gint64)d->w * d->h * s->ae.channels,
                  .tile = d->tile,
                  .interval = sfu_params_int(r->p, SFU_PARAM_STEP_CACHE),
                  .deep = g_ptr_array_new()};
    SfuImage *x = sfu_image_new(d->w, d->h, f.c, error);
    s->shown_w = d->w * s->ae.factor;
    s->shown_h = d->h * s->ae.factor;
    if (s->refiner) {
        s->refiner->shown_w = s->shown_w;
        s->refiner->shown_h = s->shown_h;
    }
    SfuNoise *stream = sfu_noise_new(sfu_params_int(r->p, SFU_PARAM_RNG) == 1 ? SFU_NOISE_PHILOX : SFU_NOISE_TORCH,
                                     &d->noise_seed, 1, d->h, d->w, f.c);
    float *noise = g_new(float, f.n);
    f.in = g_new(float, f.n);
    f.out = g_new(float, f.n);
    f.none = s->n_branches > 1 && sfu_sampler_needs_unconditional(s->sampler) ? g_new(float, f.n) : NULL;
    f.noise = noise;
    f.sigmas = make_sigmas(s, (double)d->w * d->h, d->strength, error);
    gboolean ok = x && f.sigmas && start_noise(&f, stream, noise, error) && sfu_run_stage(r, SFU_STAGE_DENOISE, error);
    /* A flow from a start plus a little noise: that sum is its far end wherever noise alone is that of others. */
    for (gint64 k = 0; ok && d->start && k < f.n; k++)
        noise[k] = d->start->p[k] + d->start_noise * noise[k];
    if (ok && (!d->x0 || (d->from_noise && f.sigmas->whole))) {
        const float scale = (float)sfu_sigmas_noise_scale(f.sigmas);
        for (gint64 k = 0; k < f.n; k++)
            x->p[k] = noise[k] * scale;
    } else if (ok) {
        sfu_add_noise(f.sigmas, x->p, d->x0->p, noise, f.sigmas->sigmas[0], f.n);
    }
    if (ok) {
        const SfuSampleOptions options = {.eta = s->eta, .s_noise = 1};
        const SfuSampleCallbacks callbacks = {
            .denoise = denoise, .after_step = after_step, .data = &f, .unconditional = unconditional};
        SfuTrace trace = {sfu_run_trace, r};
        sfu_denoiser_set_trace(s->denoiser, r->job->trace_dir ? &trace : NULL);
        ok = sfu_sample(f.sigmas, &options, x->p, f.n, 1, stream, &callbacks, error);
        sfu_denoiser_set_trace(s->denoiser, NULL);
    }
    if (ok && d->blend && d->x0)
        blend(&f, x->p, 0, 0);
    forget_deep(&f);
    g_ptr_array_unref(f.deep);
    sfu_sigmas_free(f.sigmas);
    sfu_noise_free(stream);
    g_free(noise);
    g_free(f.in);
    g_free(f.out);
    g_free(f.none);
    if (!ok)
        g_clear_pointer(&x, sfu_image_free);
    return x;
}
