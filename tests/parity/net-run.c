/* Runs one network of a model on the inputs of a safetensors file and compares with the outputs in it; full-size.py makes both.
 *     net-run MODEL text|unet|vae FILE [memory bytes [fp32|fp16|bf16|auto [runs]]]
 * FILE: text: tokens (I64 [n, 77]), out. unet: x, context, timesteps, out. vae: x, moments, z, out. All channels last, F32.
 * Prints error, seconds of the last run, peak bytes on the device and of the process.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "models.h"
#include "net/net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const SfuFile *file;
static SfuQueue *q;

static void need(gboolean ok, GError *error)
{
    if (ok)
        return;
    fprintf(stderr, "net-run: %s\n", error ? error->message : "failed");
    exit(1);
}

static const SfuFileTensor *find(const char *name)
{
    for (guint i = 0; i < file->tensors->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(file->tensors, i);
        if (strcmp(t->name, name) == 0)
            return t;
    }
    fprintf(stderr, "net-run: %s lacks %s\n", file->path, name);
    exit(1);
}

static SfuTensor *upload(const char *name)
{
    GError *error = NULL;
    const SfuFileTensor *f = find(name);
    need(f->dtype == SFU_F32 && f->n_dims == 4, NULL);
    SfuTensor *t = sfu_tensor_create(q, SFU_F32, (int)f->dims[0], (int)f->dims[1], (int)f->dims[2], (int)f->dims[3], &error);
    need(t && sfu_tensor_write(t, (const float *)(gconstpointer)f->data, &error), error);
    return t;
}

/* Not ru_maxrss: that still counts the program that started this one. */
static double process_peak_mb(void)
{
    char *text = NULL;
    const char *at = g_file_get_contents("/proc/self/status", &text, NULL, NULL) ? strstr(text, "VmHWM:") : NULL;
    const double kb = at ? g_ascii_strtod(at + 6, NULL) : 0;
    g_free(text);
    return kb * 1024e-6;
}

/* Takes y. */
static void report(const char *what, SfuTensor *y, const char *expected, double seconds)
{
    GError *error = NULL;
    const SfuFileTensor *f = find(expected);
    need(sfu_tensor_elements(y) == f->n_elements, NULL);
    float *v = g_new(float, f->n_elements);
    need(sfu_tensor_read(y, v, &error), error);
    printf("%-12s relative error %.2e  %7.2f s  device peak %7.1f MB  process peak %7.1f MB\n", what,
           parity_error(v, (const float *)(gconstpointer)f->data, f->n_elements), seconds, (double)sfu_queue_peak_bytes(q) * 1e-6,
           process_peak_mb());
    fflush(stdout);
    g_free(v);
    sfu_tensor_destroy(y);
}

static double since(gint64 start)
{
    GError *error = NULL;
    need(sfu_queue_finish(q, &error), error);
    return (double)(g_get_monotonic_time() - start) * 1e-6;
}

static void run_text(SfuModel *m)
{
    GError *error = NULL;
    SfuTextEncoder *te = sfu_text_encoder_create(q, m, &error);
    need(te != NULL, error);
    const SfuFileTensor *f = find("tokens");
    gint32 *tokens = g_new(gint32, f->n_elements);
    for (gint64 i = 0; i < f->n_elements; i++) {
        gint64 v;
        memcpy(&v, f->data + 8 * i, 8);
        tokens[i] = (gint32)v;
    }
    SfuTensor *y;
    const gint64 start = g_get_monotonic_time();
    need(sfu_text_encoder_run(te, &y, tokens, (int)f->dims[0], 1, &error), error);
    report("text", y, "out", since(start));
    sfu_text_encoder_destroy(te);
    g_free(tokens);
}

static void run_unet(SfuModel *m, int n_runs)
{
    GError *error = NULL;
    SfuUnet *u = sfu_unet_create(q, m, &error);
    need(u != NULL, error);
    SfuTensor *x = upload("x"), *context = upload("context"), *y;
    need(sfu_unet_set_context(u, context, &error), error);
    for (int i = 0; i < n_runs; i++) {
        const gint64 start = g_get_monotonic_time();
        need(sfu_unet_forward(u, &y, x, (const float *)(gconstpointer)find("timesteps")->data, NULL, &error), error);
        report(i ? "unet again" : "unet", y, "out", since(start));
    }
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(context);
    sfu_unet_destroy(u);
}

static void run_vae(SfuModel *m, int n_runs)
{
    GError *error = NULL;
    SfuVae *v = sfu_vae_create(q, m, &error);
    need(v != NULL, error);
    SfuTensor *y;
    for (int i = 0; i < n_runs; i++) {
        SfuTensor *x = upload("x");
        gint64 start = g_get_monotonic_time();
        need(sfu_vae_encode(v, &y, x, &error), error);
        report("vae encode", y, "moments", since(start));
        sfu_tensor_destroy(x);
        SfuTensor *z = upload("z");
        start = g_get_monotonic_time();
        need(sfu_vae_decode(v, &y, z, &error), error);
        report("vae decode", y, "out", since(start));
        sfu_tensor_destroy(z);
    }
    sfu_vae_destroy(v);
}

int main(int argc, char **argv)
{
    static const char *const precisions[] = {"auto", "fp32", "bf16", "fp16"};
    GError *error = NULL;
    if (argc < 4) {
        fprintf(stderr, "usage: net-run MODEL text|unet|vae FILE [memory bytes [auto|fp32|bf16|fp16 [runs]]]\n");
        return 2;
    }
    SfuQueueOptions options = {.memory_bytes = argc > 4 ? g_ascii_strtoull(argv[4], NULL, 10) : 0, .profile = g_getenv("NET_RUN_PROFILE") != NULL};
    for (int i = 0; argc > 5 && i < (int)G_N_ELEMENTS(precisions); i++)
        if (strcmp(argv[5], precisions[i]) == 0)
            options.precision = (SfuPrecision)i;
    const int n_runs = argc > 6 ? atoi(argv[6]) : 1;
    SfuModel *m = sfu_model_open(argv[1], &error);
    need(m != NULL, error);
    file = sfu_file_open(argv[3], &error);
    need(file != NULL, error);
    q = sfu_queue_create(&options, &error);
    need(q != NULL, error);
    if (strcmp(argv[2], "text") == 0)
        run_text(m);
    else if (strcmp(argv[2], "unet") == 0)
        run_unet(m, n_runs);
    else
        run_vae(m, n_runs);
    char *profile = sfu_queue_profile(q);
    if (profile)
        fputs(profile, stdout);
    g_free(profile);
    sfu_queue_destroy(q);
    sfu_file_close((SfuFile *)file);
    sfu_model_close(m);
    return 0;
}
