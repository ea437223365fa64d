/* Noise, sigma tables and samplers against PyTorch, diffusers and k-diffusion: repeats what sample_make.py did and
 * compares.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/sample.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define N 24 /* elements of a latent in the runs */

static GHashTable *records; /* "name words" -> GArray of double, in order of the file in `order` */
static GPtrArray *order;

static void load(void)
{
    char *path = g_test_build_filename(G_TEST_DIST, "sample.golden", NULL), *text = NULL;
    GError *error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    records = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
    order = g_ptr_array_new();
    char **lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (!**line || **line == '#')
            continue;
        /* "key|numbers" */
        char **halves = g_strsplit(*line, "|", 2), **words = g_strsplit(halves[1], " ", -1);
        GArray *values = g_array_new(FALSE, FALSE, sizeof(double));
        for (char **w = words; *w; w++) {
            const double v = g_ascii_strtod(*w, NULL);
            if (**w)
                g_array_append_val(values, v);
        }
        char *key = g_strdup(halves[0]);
        g_hash_table_insert(records, key, values);
        g_ptr_array_add(order, key);
        g_strfreev(words);
        g_strfreev(halves);
    }
    g_strfreev(lines);
    g_free(text);
    g_free(path);
}

/* Norm of the difference over norm of the reference. */
static double relative_error(const double *got, const GArray *want)
{
    double difference = 0, norm = 0;
    for (guint i = 0; i < want->len; i++) {
        const double w = g_array_index(want, double, i);
        difference += (got[i] - w) * (got[i] - w);
        norm += w * w;
    }
    return norm > 0 ? sqrt(difference / norm) : sqrt(difference);
}

/* ---- noise --------------------------------------------------------------------------------------------------- */

/* The values and sums that sample_make.py keeps of a draw. */
static int summary(const float *x, gint64 n, double *out)
{
    int k = 0;
    double sum = 0, wave = 0;
    for (gint64 i = 0; i < n; i++) {
        sum += x[i];
        wave += x[i] * cos((double)i);
    }
    for (int i = 0; n > 16 && i < 16; i++)
        out[k++] = x[i * (n - 1) / 15];
    for (int i = 0; n <= 16 && i < n; i++)
        out[k++] = x[i];
    out[k++] = sum;
    out[k++] = wave;
    return k;
}

/* Single values agree to a few roundings of single precision (PyTorch's vectorised logarithm and cosine differ by
 * those, with a slight bias); sums of n numbers by a fraction of n. Numbers in another order would change the second
 * sum by some sqrt(n). */
static void check_summary(const char *key, const float *x, gint64 n)
{
    const GArray *want = g_hash_table_lookup(records, key);
    double got[18];
    g_assert_cmpint(summary(x, n, got), ==, want->len);
    for (guint i = 0; i < want->len; i++) {
        const double tolerance = i + 2 < want->len ? 2e-6 : 5e-8 * (double)n + 2e-6;
        if (!(fabs(got[i] - g_array_index(want, double, i)) <= tolerance))
            g_error("%s: value %u is %.9g, not %.9g", key, i, got[i], g_array_index(want, double, i));
    }
}

static void test_randn(void)
{
    int n_checked = 0;
    for (guint i = 0; i < order->len; i++) {
        const char *key = order->pdata[i];
        char kind[16];
        guint64 seed;
        gint64 n;
        if (sscanf(key, "%15s %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT, kind, &seed, &n) != 3 ||
            (strcmp(kind, "randn") && strcmp(kind, "philox")))
            continue;
        float *x = g_new(float, n);
        sfu_randn(strcmp(kind, "philox") ? SFU_NOISE_TORCH : SFU_NOISE_PHILOX, seed, n, x);
        check_summary(key, x, n);
        g_free(x);
        n_checked++;
    }
    g_assert_cmpint(n_checked, ==, 64);
}

static void test_streams(void)
{
    for (int kind = 0; kind < 2; kind++) {
        const int shapes[][3] = {{4, 8, 8}, {4, 3, 5}, {1, 3, 5}, {4, 64, 64}};
        for (int k = 0; k < G_N_ELEMENTS(shapes); k++) {
            const int c = shapes[k][0], h = shapes[k][1], w = shapes[k][2], n = c * h * w;
            /* image 1 of the batch is the golden one; its neighbours must not disturb it */
            const guint64 seeds[] = {3, 77, 4};
            SfuNoise *noise = sfu_noise_new(kind ? SFU_NOISE_PHILOX : SFU_NOISE_TORCH, seeds, 3, h, w, c);
            float *x = g_new(float, 3 * n);
            for (int draw = 0; draw < 3; draw++) {
                sfu_noise_next(noise, x);
                char *key = g_strdup_printf("stream_%s %d %d %d %d", kind ? "philox" : "torch", c, h, w, draw);
                check_summary(key, x + n, n);
                g_free(key);
            }
            g_free(x);
            sfu_noise_free(noise);
        }
    }
}

/* ---- sigma tables ----------------------------------------------------------------------------------------------- */

static SfuScheduleOptions options_of(const char *model)
{
    SfuScheduleOptions o = {SFU_SAMPLE_EPSILON,  1000, 0.00085, 0.012, TRUE, FALSE, 1, SFU_SAMPLER_EULER,
                            SFU_SCHEDULE_NORMAL, 10,   1};
    static const int aligned[] = {999, 850, 736, 645, 545, 455, 343, 233, 124, 24}; /* Sabour 2024, SD 1.5 */
    o.aligned = aligned;
    static const double gits[] = {14.615, 4.617, 2.507, 1.236, 0.702, 0.402, 0.240, 0.156, 0.104, 0.094, 0.029};
    o.gits = gits; /* Chen 2024, as Forge has it */
    o.zero_terminal_snr = !strcmp(model, "zsnr");
    if (!strcmp(model, "linear")) {
        o.beta_start = 1e-4;
        o.beta_end = 0.02;
        o.scaled_linear = FALSE;
    }
    if (g_str_has_prefix(model, "flow")) {
        o.prediction = SFU_SAMPLE_FLOW;
        o.shift = g_ascii_strtod(model + 4, NULL);
    }
    return o;
}

static void test_tables(void)
{
    int n_checked = 0;
    double worst = 0;
    for (guint i = 0; i < order->len; i++) {
        const char *key = order->pdata[i];
        char what[16], model[16], schedule[16];
        int n;
        if (sscanf(key, "%15s %15s %15s %d", what, model, schedule, &n) != 4 ||
            (strcmp(what, "sigmas") && strcmp(what, "timesteps")))
            continue;
        const GArray *want = g_hash_table_lookup(records, key);
        SfuScheduleOptions o = options_of(model);
        o.schedule = sfu_schedule_find(schedule);
        g_assert_cmpint(o.schedule, >=, 0);
        o.steps = n;
        GError *error = NULL;
        SfuSigmas *s = sfu_sigmas_new(&o, &error);
        g_assert_no_error(error);
        if (o.schedule == SFU_SCHEDULE_DDIM_UNIFORM) /* may have more */
            n = want->len - (strcmp(what, "sigmas") == 0);
        g_assert_cmpint(s->n_steps, ==, n);
        const double *got = strcmp(what, "sigmas") ? s->timesteps : s->sigmas;
        g_assert_cmpint(want->len, ==, strcmp(what, "sigmas") ? n : n + 1);
        for (guint k = 0; k < want->len; k++) {
            const double w = g_array_index(want, double, k), e = fabs(got[k] - w) / MAX(fabs(w), 1e-3);
            worst = MAX(worst, e);
            if (!(e <= 1e-5)) /* the bound; the references round some tables to single precision */
                g_error("%s: entry %u is %.9g, not %.9g", key, k, got[k], w);
        }
        sfu_sigmas_free(s);
        n_checked++;
    }
    g_test_message("%d tables, worst relative error %.2g", n_checked, worst);
    g_assert_cmpint(n_checked, >, 300);
}

/* ---- samplers --------------------------------------------------------------------------------------------------- */

static gboolean analytic(gpointer data, float *denoised, const float *x, double sigma, double timestep, int step,
                         GError **error)
{
    for (int i = 0; i < N; i++)
        denoised[i] = (float)(0.6 * x[i] / (1 + sigma * sigma) +
                              0.4 * tanh(0.5 * x[i] / (sigma + 0.3) + 0.2 + 0.1 * cos((double)i)));
    return TRUE;
}

static float without[N];

static gboolean with_and_without(gpointer data, float *denoised, const float *x, double sigma, double timestep,
                                 int step, GError **error)
{
    if (!analytic(data, denoised, x, sigma, timestep, step, error))
        return FALSE;
    for (int i = 0; i < N; i++)
        without[i] = (float)(0.7 * denoised[i] + 0.1 * x[i] / (1 + sigma * sigma));
    return TRUE;
}

static const float *get_without(gpointer data)
{
    return without;
}

static void numbered_noise(gpointer data, float *out, double sigma, double sigma_next)
{
    int *k = data;
    sfu_randn(SFU_NOISE_TORCH, 1000 + (*k)++, N, out);
}

static void test_runs(void)
{
    int n_checked = 0;
    double worst = 0;
    const char *worst_key = "";
    for (guint i = 0; i < order->len; i++) {
        const char *key = order->pdata[i];
        char model[16], sampler[32], schedule[16];
        int n;
        double eta;
        if (sscanf(key, "run %15s %31s %15s %d %lf", model, sampler, schedule, &n, &eta) != 5)
            continue;
        SfuScheduleOptions o = options_of(model);
        o.sampler = sfu_sampler_find(sampler);
        o.schedule = sfu_schedule_find(schedule);
        g_assert_cmpint((int)o.sampler, >=, 0);
        o.steps = n;
        GError *error = NULL;
        SfuSigmas *s = sfu_sigmas_new(&o, &error);
        g_assert_no_error(error);
        float x[N];
        sfu_randn(SFU_NOISE_TORCH, 5, N, x);
        for (int k = 0; k < N; k++)
            x[k] *= (float)sfu_sigmas_noise_scale(s);
        int draws = 0;
        const SfuSampleCallbacks callbacks = {with_and_without, NULL, numbered_noise, &draws, get_without};
        const SfuSampleOptions run = {eta, 1};
        sfu_sample(s, &run, x, N, 1, NULL, &callbacks, &error);
        g_assert_no_error(error);
        double got[N];
        for (int k = 0; k < N; k++)
            got[k] = x[k];
        const double e = relative_error(got, g_hash_table_lookup(records, key));
        if (e > worst) {
            worst = e;
            worst_key = key;
        }
        /* Single against double precision. With zero terminal SNR x starts at 4096, whose rounding solvers of higher
         * order carry on with weights of up to 6.7. DPM adaptive takes its steps' lengths from differences that
         * are near the rounding, and another length is another error of the step, of which 5 % are tolerated. */
        const double most = !strcmp(sampler, "dpm_adaptive") ? 5e-4 : !strcmp(model, "zsnr") ? 5e-5 : 2e-5;
        if (!(e <= most))
            g_error("%s: relative error %.3g", key, e);
        sfu_sigmas_free(s);
        n_checked++;
    }
    g_test_message("%d runs, worst relative error %.2g (%s)", n_checked, worst, worst_key);
    g_assert_cmpint(n_checked, >, 350);
}

/* ---- whole chains: diffusers' loop, with a network in the place of the denoiser
 * --------------------------------------- */

typedef struct {
    const SfuSigmas *s;
    int draws;
} Chain;

static gboolean network(gpointer data, float *denoised, const float *x, double sigma, double timestep, int step,
                        GError **error)
{
    const Chain *c = data;
    float in[N];
    sfu_model_input(c->s, in, x, sigma, N);
    for (int i = 0; i < N; i++)
        in[i] = (float)(0.9 * tanh(0.8 * in[i] + 0.4 * cos(i + 0.005 * timestep)));
    sfu_denoised_from_output(c->s, denoised, x, in, sigma, N);
    return TRUE;
}

static void chain_noise(gpointer data, float *out, double sigma, double sigma_next)
{
    numbered_noise(&((Chain *)data)->draws, out, sigma, sigma_next);
}

typedef struct {
    const char *name, *model, *sampler, *schedule;
    SfuSamplePrediction prediction;
    int steps;
    double strength, eta, tolerance;
} ChainCase;
static const ChainCase chains[] = {
    /* both work in single precision, over up to 20 steps */
    {"ddim", "sd1", "ddim", "auto", SFU_SAMPLE_EPSILON, 20, 1, 0, 2e-5},
    {"ddim-v", "sd1", "ddim", "auto", SFU_SAMPLE_V, 20, 1, 0, 2e-5},
    {"ddim-x0", "sd1", "ddim", "auto", SFU_SAMPLE_X0, 20, 1, 0, 2e-5},
    {"ddim-eta", "sd1", "ddim", "auto", SFU_SAMPLE_EPSILON, 20, 1, 1, 2e-5},
    {"ddim-strength", "sd1", "ddim", "auto", SFU_SAMPLE_EPSILON, 20, 0.6, 0, 2e-5},
    /* its signal at the start is 0, ours 2^-12: the bound */
    {"ddim-zsnr", "zsnr", "ddim", "trailing", SFU_SAMPLE_V, 20, 1, 0, 1e-3},
    {"ddpm", "sd1", "ddpm", "auto", SFU_SAMPLE_EPSILON, 20, 1, 1, 2e-5},
    {"unipc", "sd1", "unipc", "auto", SFU_SAMPLE_EPSILON, 20, 1, 0, 2e-5},
    {"unipc-v", "sd1", "unipc", "auto", SFU_SAMPLE_V, 12, 1, 0, 2e-5},
    {"unipc-strength", "sd1", "unipc", "auto", SFU_SAMPLE_EPSILON, 20, 0.5, 0, 2e-5},
    {"dpmpp_2m", "sd1", "dpmpp_2m", "trailing", SFU_SAMPLE_EPSILON, 20, 1, 0, 2e-5},
    {"euler", "sd1", "euler", "normal", SFU_SAMPLE_EPSILON, 10, 1, 0, 2e-5},
    {"euler-strength", "sd1", "euler", "normal", SFU_SAMPLE_EPSILON, 10, 0.75, 0, 2e-5},
    {"euler-zsnr", "zsnr", "euler", "trailing", SFU_SAMPLE_V, 20, 1, 0, 2e-5},
    {"euler_a", "sd1", "euler_a", "normal", SFU_SAMPLE_EPSILON, 10, 1, 1, 2e-5},
    {"lcm", "sd1", "lcm", "auto", SFU_SAMPLE_EPSILON, 4, 1, 0, 2e-5},
    {"deis", "sd1", "deis", "auto", SFU_SAMPLE_EPSILON, 20, 1, 0, 2e-5},
    {"tcd", "sd1", "tcd", "auto", SFU_SAMPLE_EPSILON, 4, 1, 0.3, 2e-5},
    {"plms", "sd1", "plms", "auto", SFU_SAMPLE_EPSILON, 20, 1, 0, 2e-5},
    {"flow", "flow3", "euler", "normal", SFU_SAMPLE_FLOW, 10, 1, 0, 2e-5},
};

static void test_chain(gconstpointer data)
{
    const ChainCase *c = data;
    SfuScheduleOptions o = options_of(c->model);
    o.prediction = c->prediction;
    o.sampler = sfu_sampler_find(c->sampler);
    o.schedule = sfu_schedule_find(c->schedule);
    o.steps = c->steps;
    o.strength = c->strength;
    GError *error = NULL;
    SfuSigmas *s = sfu_sigmas_new(&o, &error);
    g_assert_no_error(error);
    float x[N], picture[N];
    sfu_randn(SFU_NOISE_TORCH, 5, N, x);
    sfu_randn(SFU_NOISE_TORCH, 6, N, picture);
    double scale = sfu_sigmas_noise_scale(s);
    if (o.sampler ==
        SFU_SAMPLER_DPMPP_2M) /* diffusers starts it as DDIM; ours is k-diffusion's, which starts as Euler */
        scale = sqrt(1 + scale * scale);
    for (int k = 0; k < N && s->whole; k++)
        x[k] *= (float)scale;
    if (!s->whole)
        sfu_add_noise(s, x, picture, x, s->sigmas[0], N);
    Chain chain = {s, 0};
    const SfuSampleCallbacks callbacks = {network, NULL, chain_noise, &chain};
    const SfuSampleOptions run = {c->eta, 1};
    sfu_sample(s, &run, x, N, 1, NULL, &callbacks, &error);
    g_assert_no_error(error);
    double got[N];
    for (int k = 0; k < N; k++)
        got[k] = x[k];
    char *key = g_strdup_printf("chain %s", c->name);
    const double e = relative_error(got, g_hash_table_lookup(records, key));
    g_test_message("%s: %.2g", key, e);
    if (!(e <= c->tolerance))
        g_error("%s: relative error %.3g", key, e);
    g_free(key);
    sfu_sigmas_free(s);
}

static void test_rescale(void)
{
    /* sample_make.py draws [2, 24] twice from seed 9, the first times 3 plus 0.5 */
    const guint64 seed = 9;
    SfuNoise *noise = sfu_noise_new(SFU_NOISE_TORCH, &seed, 1, 1, 2 * N, 1);
    float cfg[2 * N], cond[2 * N];
    sfu_noise_next(noise, cfg);
    sfu_noise_next(noise, cond);
    sfu_noise_free(noise);
    for (int i = 0; i < 2 * N; i++)
        cfg[i] = cfg[i] * 3 + 0.5f;
    sfu_guidance_rescale(cfg, cond, 0.7, N, 2);
    double got[2 * N];
    for (int i = 0; i < 2 * N; i++)
        got[i] = cfg[i];
    g_assert_cmpfloat(relative_error(got, g_hash_table_lookup(records, "rescale 0.7")), <, 1e-6);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    load();
    g_test_add_func("/parity/sample/randn", test_randn);
    g_test_add_func("/parity/sample/streams", test_streams);
    g_test_add_func("/parity/sample/sigma-tables", test_tables);
    g_test_add_func("/parity/sample/samplers", test_runs);
    for (gsize i = 0; i < G_N_ELEMENTS(chains); i++) {
        char *path = g_strconcat("/parity/sample/chain/", chains[i].name, NULL);
        g_test_add_data_func(path, &chains[i], test_chain);
        g_free(path);
    }
    g_test_add_func("/parity/sample/guidance-rescale", test_rescale);
    return g_test_run();
}
