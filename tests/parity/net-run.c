/* Runs one network of a model on the inputs of a safetensors file and compares with the outputs in it; full-size.py
 * makes both. net-run MODEL text|unet|vae FILE [memory bytes [fp32|fp16|bf16|auto [runs]]] net-run MODEL decode SIDE
 * [ROOM [ROOM]] FILE: text: tokens (I64 [n, 77]), out. unet: x, context, timesteps, out; XL's also
 * pooled and numbers [n, ..]. vae: x, moments, z, out. All
 * channels last, F32. Prints error, seconds of the last run, peak bytes on the device and of the process. decode: SIDE
 * x SIDE random latents through the VAE with ROOM bytes for activations (0: the default); with two rooms also how far
 * apart the pictures are, and the largest mean change of the difference from one row to the next beside the median one:
 * a seam would stand out.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "small_models.h"
#include "net/net.h"
#include <math.h>
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
    SfuTensor *t =
        sfu_tensor_create(q, SFU_F32, (int)f->dims[0], (int)f->dims[1], (int)f->dims[2], (int)f->dims[3], &error);
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
           parity_error(v, (const float *)(gconstpointer)f->data, f->n_elements), seconds,
           (double)sfu_queue_peak_bytes(q) * 1e-6, process_peak_mb());
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
    SfuTextEncoder *te = sfu_text_encoder_create(q, m, SFU_PART_TEXT, &error);
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
    need(sfu_text_encoder_run(te, &y, NULL, &(SfuTextInput){tokens, (int)f->dims[0]}, &error), error);
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
    SfuCondition condition = {.tokens = context};
    if (sfu_model_unet(m)->added_width) {
        const SfuFileTensor *pooled = find("pooled"), *numbers = find("numbers");
        condition.n = (int)pooled->dims[0];
        condition.pooled_width = (int)pooled->dims[1];
        condition.n_numbers = (int)numbers->dims[1];
        condition.pooled = (const float *)(gconstpointer)pooled->data;
        condition.numbers = (const float *)(gconstpointer)numbers->data;
    }
    need(sfu_unet_set_condition(u, &condition, &error), error);
    for (int i = 0; i < n_runs; i++) {
        const gint64 start = g_get_monotonic_time();
        need(sfu_unet_forward(
                 u, &y, &(SfuDenoiserInput){.x = x, .timesteps = (const float *)(gconstpointer)find("timesteps")->data},
                 &error),
             error);
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

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void compare(const float *a, const float *b, int side)
{
    const int row = side * 3;
    double *steps = g_new(double, side), sum = 0, of = 0, most = 0;
    for (int y = 0; y < side; y++) {
        steps[y] = 0;
        for (int i = 0; i < row; i++) {
            const gsize at = (gsize)y * row + i;
            const double d = (double)a[at] - b[at];
            sum += d * d;
            of += (double)b[at] * b[at];
            most = MAX(most, fabs(d));
            steps[y] += y ? fabs(d - ((double)a[at - row] - b[at - row])) / row : 0;
        }
    }
    const double n = (double)side * row;
    qsort(steps + 1, side - 1, sizeof *steps, by_value);
    printf(
        "difference: rms %.2e of rms %.2e (relative %.2e), largest %.2e; from row to row: median %.2e, largest %.2e\n",
        sqrt(sum / n), sqrt(of / n), sqrt(sum / of), most, steps[side / 2], steps[side - 1]);
    g_free(steps);
}

static void run_decode(SfuModel *m, int side, const guint64 *rooms, int n_rooms)
{
    GError *error = NULL;
    SfuVae *v = sfu_vae_create(q, m, &error);
    need(v != NULL, error);
    const int c = sfu_model_vae(m)->latent_channels, px = side * sfu_vae_factor(v);
    float *latents = parity_input("decode", (gint64)side * side * c, 1), *out[2] = {NULL, NULL};
    for (int i = 0; i < n_rooms; i++) {
        if (rooms[i])
            sfu_vae_set_room(v, rooms[i]);
        SfuTensor *z = sfu_tensor_create(q, SFU_F32, 1, side, side, c, &error), *y = NULL;
        need(z && sfu_tensor_write(z, latents, &error), error);
        const gint64 start = g_get_monotonic_time();
        need(sfu_vae_decode(v, &y, z, &error), error);
        const double seconds = since(start);
        printf("decode %d x %d px in a room of %.2f GB (planned %.2f): %.2f s  device peak %.1f MB  process peak %.1f "
               "MB\n",
               px, px, (double)sfu_vae_room(v) * 1e-9, (double)sfu_vae_decode_bytes(v, 1, side, side) * 1e-9, seconds,
               (double)sfu_queue_peak_bytes(q) * 1e-6, process_peak_mb());
        fflush(stdout);
        if (n_rooms > 1) {
            out[i] = g_new(float, (gsize)px *px * 3);
            need(sfu_tensor_read(y, out[i], &error), error);
        }
        sfu_tensor_destroy(y);
        sfu_tensor_destroy(z);
        sfu_queue_trim(q);
    }
    if (n_rooms > 1)
        compare(out[0], out[1], px);
    g_free(out[0]);
    g_free(out[1]);
    g_free(latents);
    sfu_vae_destroy(v);
}

int main(int argc, char **argv)
{
    static const char *const precisions[] = {"auto", "fp32", "bf16", "fp16", "int8", "int16"};
    GError *error = NULL;
    if (argc < 4) {
        fprintf(
            stderr,
            "usage: net-run MODEL text|unet|vae FILE [memory bytes [auto|fp32|bf16|fp16|int8|int16 [runs]]] | net-run "
            "MODEL decode SIDE [ROOM [ROOM]]\n");
        return 2;
    }
    const gboolean decode = strcmp(argv[2], "decode") == 0;
    SfuQueueOptions options = {.memory_bytes = argc > 4 && !decode ? g_ascii_strtoull(argv[4], NULL, 10) : 0,
                               .profile = g_getenv("NET_RUN_PROFILE") != NULL};
    for (int i = 0; argc > 5 && !decode && i < (int)G_N_ELEMENTS(precisions); i++)
        if (strcmp(argv[5], precisions[i]) == 0)
            options.precision = (SfuPrecision)i;
    const int n_runs = argc > 6 ? atoi(argv[6]) : 1;
    SfuModel *m = sfu_model_open(argv[1], &error);
    need(m != NULL, error);
    file = decode ? NULL : sfu_file_open(argv[3], &error);
    need(decode || file, error);
    q = sfu_queue_create(&options, &error);
    need(q != NULL, error);
    if (decode) {
        const guint64 rooms[2] = {argc > 4 ? g_ascii_strtoull(argv[4], NULL, 10) : 0,
                                  argc > 5 ? g_ascii_strtoull(argv[5], NULL, 10) : 0};
        run_decode(m, atoi(argv[3]), rooms, argc > 5 ? 2 : 1);
    } else if (strcmp(argv[2], "text") == 0)
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
    if (file)
        sfu_file_close((SfuFile *)file);
    sfu_model_close(m);
    return 0;
}
