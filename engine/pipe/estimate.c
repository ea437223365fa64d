/* What a run will cost: its operations are counted in a rehearsal, and the device's rate is known from earlier runs, or
 * measured.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <glib/gi18n-lib.h>

#include "ops/ops.h"
#include "runtime/half.h"

#define CLIP_TOKENS 77

/* ---- the device's rate ------------------------------------------------------------------------------------------ */

#define ROWS 512
#define SIDE 2048
#define TRIALS 4

/* Of a product as transformers have them; about a tenth of a second of a small computer. Its weights are fp16 as most
 * models' are, so that its program is not compiled for this alone. */
static double measure_rate(SfuQueue *q)
{
    const gint64 dims[] = {SIDE, SIDE}, n = (gint64)SIDE * SIDE;
    guint16 *values = g_new(guint16, n);
    float *rows = g_new(float, (gint64)ROWS *SIDE);
    for (gint64 i = 0; i < n; i++)
        values[i] = sfu_half_from_float((float)(i % 63 - 31) / 1024);
    for (gint64 i = 0; i < (gint64)ROWS * SIDE; i++)
        rows[i] = (float)(i % 31 - 15) / 16;
    SfuWeight *w = sfu_weight_new_take("a product to measure", SFU_F16, 2, dims, values, n * sizeof *values);
    SfuTensor *x = sfu_tensor_create(q, sfu_queue_act_dtype(q), 1, 1, ROWS, SIDE, NULL),
              *y = sfu_tensor_create(q, sfu_queue_act_dtype(q), 1, 1, ROWS, SIDE, NULL);
    gboolean ok =
        x && y && sfu_tensor_write(x, rows, NULL) && sfu_linear(q, y, x, w, NULL, NULL) && sfu_queue_finish(q, NULL);
    const gint64 start = g_get_monotonic_time();
    for (int i = 0; ok && i < TRIALS; i++)
        ok = sfu_linear(q, y, x, w, NULL, NULL);
    ok = ok && sfu_queue_finish(q, NULL);
    const double seconds = (double)MAX(1, g_get_monotonic_time() - start) / 1e6;
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    sfu_weight_destroy(w);
    g_free(rows);
    return ok ? 2.0 * TRIALS * ROWS * SIDE * SIDE / seconds : 0;
}

#define LEAST_US 200000  /* shorter work tells little, */
#define LEAST_FLOPS 2e10 /* and so does small work, most of which is waiting */

void sfu_note_rate(SfuQueue *q, const char *kind, double flops, gint64 start_us)
{
    const gint64 us = g_get_monotonic_time() - start_us;
    if (us >= LEAST_US && flops >= LEAST_FLOPS)
        sfu_queue_note_rate(q, kind, flops * 1e6 / (double)us);
}

/* Caller frees. */
static char *denoiser_kind(const SfuSession *s)
{
    return g_strconcat("denoise ", s->family->id, NULL);
}

void sfu_note_denoiser_rate(const SfuSession *s, double flops, gint64 start_us)
{
    char *kind = denoiser_kind(s);
    sfu_note_rate(s->run->q, kind, flops, start_us);
    g_free(kind);
}

static double rate_of(SfuQueue *q, const char *kind)
{
    double rate = sfu_queue_rate(q, kind);
    if (!rate)
        rate = sfu_queue_rate(q, "product");
    if (!rate) {
        rate = measure_rate(q);
        sfu_queue_note_rate(q, "product", rate);
    }
    return rate;
}

/* ---- rehearsals ------------------------------------------------------------------------------------------------- */

static SfuTensor **make_references(const SfuSession *s, const SfuWork *w, gboolean *ok)
{
    SfuTensor **all = g_new0(SfuTensor *, w->n_references + 1);
    for (int i = 0; i < w->n_references && *ok; i++) {
        all[i] =
            sfu_tensor_create(s->run->q, SFU_F32, 1, w->references[i][0], w->references[i][1], s->ae.channels, NULL);
        *ok = all[i] != NULL;
    }
    return all;
}

/* The first pass, with what is done once, and one more. FALSE: this network cannot be rehearsed. */
static gboolean rehearse_denoiser(SfuSession *s, const SfuWork *w, SfuRehearsal *first, SfuRehearsal *both)
{
    SfuQueue *q = s->run->q;
    const int n = s->n_branches, n_added = s->denoiser->added_width,
              n_tokens = s->grid               ? s->grid * s->grid
                         : s->family->language ? s->family->language->n_tokens
                                               : CLIP_TOKENS;
    float *added = n_added ? g_new0(float, (gsize)n *(gsize)n_added) : NULL;
    float *timesteps = g_new0(float, n);
    int *labels = g_new0(int, n);
    gboolean ok = TRUE;
    for (int k = 0; ok && k < 2; k++) {
        sfu_queue_rehearse_begin(q);
        SfuTensor *x = sfu_tensor_create(q, SFU_F32, n, w->h, w->w, s->denoiser->in_channels, NULL),
                  *tokens = sfu_tensor_create(q, SFU_F32, n, 1, n_tokens, MAX(1, s->denoiser->token_width), NULL);
        SfuTensor **references = make_references(s, w, &ok);
        const SfuCondition c = {.tokens = tokens,
                                .n = n,
                                .pooled = added,
                                .pooled_width = n_added,
                                .references = (const SfuTensor *const *)references,
                                .n_references = w->n_references,
                                .keep_references = sfu_params_bool(s->run->p, SFU_PARAM_KEEP_REFERENCES)};
        const SfuDenoiserInput in = {
            .x = x, .timesteps = timesteps, .class_labels = s->denoiser->n_classes > 0 ? labels : NULL};
        ok = ok && x && tokens && sfu_denoiser_set_condition(s->denoiser, &c, NULL);
        for (int i = 0; ok && i <= k; i++) {
            SfuTensor *y = NULL;
            ok = sfu_denoiser_forward(s->denoiser, &y, &in, NULL);
            sfu_tensor_destroy(y);
        }
        for (int i = 0; i < w->n_references; i++)
            sfu_tensor_destroy(references[i]);
        g_free(references);
        sfu_tensor_destroy(x);
        sfu_tensor_destroy(tokens);
        sfu_queue_rehearse_end(q, k ? both : first);
    }
    g_clear_pointer(&s->words_set, g_free); /* what the network was given is not there */
    g_free(timesteps);
    g_free(labels);
    g_free(added);
    return ok;
}

/* One picture through the autoencoder; w, h in latent pixels. */
static gboolean rehearse_coder(const SfuSession *s, int w, int h, gboolean decode, SfuRehearsal *cost)
{
    SfuQueue *q = s->run->q;
    const int f = decode ? 1 : s->ae.factor, c = decode ? s->ae.channels : 3;
    SfuTensor *y = NULL;
    sfu_queue_rehearse_begin(q);
    SfuTensor *x = sfu_tensor_create(q, SFU_F32, 1, h * f, w * f, c, NULL);
    const gboolean ok =
        x && (decode ? sfu_autoencoder_decode(s->ae.net, &y, x, NULL) : sfu_autoencoder_encode(s->ae.net, &y, x, NULL));
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    sfu_queue_rehearse_end(q, cost);
    return ok;
}

/* What a pass over the whole takes, less of the weights where they do not fit beside the activations. */
static guint64 bytes_of(const SfuSession *s, const SfuRehearsal *r)
{
    const guint64 budget = sfu_queue_budget(s->run->q);
    return MAX(r->tensor_bytes, MIN(r->tensor_bytes + r->weight_bytes, budget));
}

gboolean sfu_session_estimate(SfuSession *s, const SfuWork *work, int n_work, SfuEstimate *e)
{
    double steps = 0, coder = 0;
    *e = (SfuEstimate){0};
    if (!s->denoiser || !s->denoiser->token_width)
        return FALSE;
    for (int i = 0; i < n_work; i++) {
        const SfuWork *w = &work[i];
        SfuRehearsal first, both, encode = {0}, decode;
        if (!rehearse_denoiser(s, w, &first, &both) || !rehearse_coder(s, w->w, w->h, TRUE, &decode) ||
            (w->n_encodes && !rehearse_coder(s, w->w, w->h, FALSE, &encode)))
            return FALSE;
        steps += first.flops + (w->n_passes - 1) * (both.flops - first.flops);
        coder += decode.flops + w->n_encodes * encode.flops;
        e->bytes = MAX(e->bytes, MAX(bytes_of(s, &both), MAX(bytes_of(s, &encode), bytes_of(s, &decode))));
    }
    sfu_queue_compile_ahead(s->run->q, s->run->prepares);
    char *kind = denoiser_kind(s);
    const double rate = rate_of(s->run->q, kind), coder_rate = rate_of(s->run->q, SFU_RATE_CODER);
    g_free(kind);
    if (!rate || !coder_rate)
        return FALSE;
    e->seconds = s->run->n_images * (steps / rate + coder / coder_rate);
    return TRUE;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

char *sfu_estimate_text(const SfuEstimate *e)
{
    const double gb = (double)e->bytes / 1e9;
    if (e->seconds < 100)
        return g_strdup_printf(_("about %d s on this device, needs %.1f GB"), MAX(1, (int)(e->seconds + 0.5)), gb);
    if (e->seconds < 5400)
        return g_strdup_printf(_("about %d min on this device, needs %.1f GB"), (int)(e->seconds / 60 + 0.5), gb);
    return g_strdup_printf(_("about %.1f h on this device, needs %.1f GB"), e->seconds / 3600, gb);
}

void sfu_run_tell_estimate(SfuRun *r, const SfuEstimate *e)
{
    char *text = sfu_estimate_text(e);
    if (r->job->estimate)
        r->job->estimate(e, r->job->data);
    const SfuProgress p = {.stage = SFU_STAGE_LOAD, .seconds_left = e->seconds, .n_images = r->n_images, .text = text};
    if (r->job->progress)
        r->job->progress(&p, r->job->data);
    g_free(text);
}
