/* `sfumato bench`: every op at the shapes of SD 1.5, SD 2.1, SDXL and the VAE, against the device's measured peaks.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/bench.h"
#include "cli/bench_nets.h"
#include "ops/ops.h"
#include "sfumato.h"
#include "runtime/half.h"
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef enum {
    LINEAR,
    GEGLU,
    CONV,
    CONV_UP,
    CONV_STRIDE2,
    ATTENTION,
    GROUP_NORM,
    LAYER_NORM,
    RMS_NORM,
    SILU,
    ADD,
    CONCAT,
    UPSAMPLE,
    PAD,
    SOFTMAX
} Kind;

/* What the numbers mean: LINEAR and GEGLU: n rows, c in, o out. CONV: n pictures h x w, c in, o out, k x k.
 * ATTENTION: n samples, h queries, w keys, c heads of o. Others: [n, h, w, c]; CONCAT adds o channels; UPSAMPLE, PAD:
 * of x. */
typedef struct {
    const char *name;
    Kind kind;
    int n, h, w, c, o, k;
    gboolean alone; /* no residual is added to a product, as the networks do it for this one */
} Case;

static const Case cases[] = {
    {"sd15 conv3 64 320-320", CONV, 2, 64, 64, 320, 320, 3},
    {"sd15 conv3 64 640-320", CONV, 2, 64, 64, 640, 320, 3},
    {"sd15 conv3 64 960-320", CONV, 2, 64, 64, 960, 320, 3},
    {"sd15 conv3 32 640-640", CONV, 2, 32, 32, 640, 640, 3},
    {"sd15 conv3 32 1280-640", CONV, 2, 32, 32, 1280, 640, 3},
    {"sd15 conv3 16 1280-1280", CONV, 2, 16, 16, 1280, 1280, 3},
    {"sd15 conv3 16 2560-1280", CONV, 2, 16, 16, 2560, 1280, 3},
    {"sd15 conv3 8 1280-1280", CONV, 2, 8, 8, 1280, 1280, 3},
    {"sd15 conv3 4 1280-1280", CONV, 2, 4, 4, 1280, 1280, 3},
    {"sd15 conv3 64 4-320", CONV, 2, 64, 64, 4, 320, 3, TRUE},
    {"sd15 conv3 64 320-4", CONV, 2, 64, 64, 320, 4, 3, TRUE},
    {"sd15 conv3/2 64 320-320", CONV_STRIDE2, 2, 64, 64, 320, 320, 3, TRUE},
    {"sd15 conv3x2 32 640-640", CONV_UP, 2, 32, 32, 640, 640, 3, TRUE},
    {"sd15 conv1 64 320-320", CONV, 2, 64, 64, 320, 320, 1},
    {"sd15 conv1 64 960-320", CONV, 2, 64, 64, 960, 320, 1},
    {"sd15 conv1 16 2560-1280", CONV, 2, 16, 16, 2560, 1280, 1},
    {"sd15 linear 8192 320-320", LINEAR, 8192, 1, 1, 320, 320, 0},
    {"sd15 linear 8192 320-960", LINEAR, 8192, 1, 1, 320, 960, 0, TRUE},
    {"sd15 geglu 8192 320-2560", GEGLU, 8192, 1, 1, 320, 2560, 0},
    {"sd15 linear 8192 1280-320", LINEAR, 8192, 1, 1, 1280, 320, 0},
    {"sd15 linear 2048 640-640", LINEAR, 2048, 1, 1, 640, 640, 0},
    {"sd15 geglu 2048 640-5120", GEGLU, 2048, 1, 1, 640, 5120, 0},
    {"sd15 linear 2048 2560-640", LINEAR, 2048, 1, 1, 2560, 640, 0},
    {"sd15 geglu 512 1280-10240", GEGLU, 512, 1, 1, 1280, 10240, 0},
    {"sd15 linear 512 5120-1280", LINEAR, 512, 1, 1, 5120, 1280, 0},
    {"sd15 linear 128 1280-1280", LINEAR, 128, 1, 1, 1280, 1280, 0},
    {"sd15 linear 154 768-640", LINEAR, 154, 1, 1, 768, 640, 0, TRUE},
    {"sd15 time 2 320-1280", LINEAR, 2, 1, 1, 320, 1280, 0, TRUE},
    {"clip linear 77 768-3072", LINEAR, 77, 1, 1, 768, 3072, 0},
    {"sd15 self 4096 8x40", ATTENTION, 2, 4096, 4096, 8, 40, 0},
    {"sd15 self 1024 8x80", ATTENTION, 2, 1024, 1024, 8, 80, 0},
    {"sd15 self 256 8x160", ATTENTION, 2, 256, 256, 8, 160, 0},
    {"sd15 cross 4096 8x40", ATTENTION, 2, 4096, 77, 8, 40, 0},
    {"sd15 cross 1024 8x80", ATTENTION, 2, 1024, 77, 8, 80, 0},
    {"sd21 self 4096 5x64", ATTENTION, 2, 4096, 4096, 5, 64, 0},
    {"sd21 conv3 96 320-320", CONV, 2, 96, 96, 320, 320, 3},
    {"sd21 linear 154 1024-640", LINEAR, 154, 1, 1, 1024, 640, 0, TRUE},
    {"sdxl conv3 128 320-320", CONV, 1, 128, 128, 320, 320, 3},
    {"sdxl self 4096 10x64", ATTENTION, 1, 4096, 4096, 10, 64, 0},
    {"sdxl self 1024 20x64", ATTENTION, 1, 1024, 1024, 20, 64, 0},
    {"sdxl geglu 1024 1280-10240", GEGLU, 1024, 1, 1, 1280, 10240, 0},
    {"zimage self 4224 30x128", ATTENTION, 1, 4224, 4224, 30, 128, 0},
    {"zimage linear 4224 3840-10240", LINEAR, 4224, 1, 1, 3840, 10240, 0},
    {"qwen3 linear 512 2560-9728", LINEAR, 512, 1, 1, 2560, 9728, 0},
    {"zimage rms_norm 4224 3840", RMS_NORM, 1, 1, 4224, 3840, 0, 0},
    {"vae conv3 64 512-512", CONV, 1, 64, 64, 512, 512, 3},
    {"vae conv3 128 512-512", CONV, 1, 128, 128, 512, 512, 3},
    {"vae conv3 256 512-256", CONV, 1, 256, 256, 512, 256, 3},
    {"vae conv3 256 256-256", CONV, 1, 256, 256, 256, 256, 3},
    {"vae conv3 512 128-128", CONV, 1, 512, 512, 128, 128, 3},
    {"vae conv3 64 4-512", CONV, 1, 64, 64, 4, 512, 3, TRUE},
    {"vae conv3 512 3-128", CONV, 1, 512, 512, 3, 128, 3, TRUE},
    {"vae conv3 512 128-3", CONV, 1, 512, 512, 128, 3, 3, TRUE},
    {"vae conv3x2 128 512-512", CONV_UP, 1, 128, 128, 512, 512, 3, TRUE},
    {"vae attention 4096 1x512", ATTENTION, 1, 4096, 4096, 1, 512, 0},
    {"taesd conv3 512 64-64", CONV, 1, 512, 512, 64, 64, 3},
    {"sd15 group_norm silu 64 320", GROUP_NORM, 2, 64, 64, 320, 0, 0},
    {"sd15 group_norm silu 16 1280", GROUP_NORM, 2, 16, 16, 1280, 0, 0},
    {"vae group_norm silu 512 128", GROUP_NORM, 1, 512, 512, 128, 0, 0},
    {"sd15 layer_norm 8192 320", LAYER_NORM, 2, 64, 64, 320, 0, 0},
    {"vae silu 512 128", SILU, 1, 512, 512, 128, 0, 0},
    {"vae add 512 128", ADD, 1, 512, 512, 128, 0, 0},
    {"sd15 concat 64 640+320", CONCAT, 2, 64, 64, 640, 320, 0},
    {"vae upsample 256 256", UPSAMPLE, 1, 256, 256, 256, 0, 0},
    {"vae pad 512 128", PAD, 1, 512, 512, 128, 0, 0},
    {"softmax 4096 4096", SOFTMAX, 1, 1, 4096, 4096, 0, 0},
};

/* Short ops are repeated beyond what was asked for: a thread of the driver that slept is woken on the core of the one
 * that woke it, and the system takes some ms to move it to a free one, so that a few short runs see one core. */
enum { SETTLE_MS = 100, MOST_RUNS = 200 };

typedef struct {
    char *name;
    double ms, best_ms, cpu_ms; /* median and least wall time, least CPU time of this process */
    double gflops, gbps, percent;
    double cpu_percent; /* the same by CPU time: what the kernel reaches on the share of the machine that it got */
    double roof_percent, cpu_roof_percent; /* of the roofline (SFU_CLI_BENCH_ABOUT), by the median and by CPU time */
} Result;

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(gconstpointer a, gconstpointer b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* ---- what is measured ---- */

typedef struct {
    SfuQueue *q;
    const Case *c;
    SfuTensor *x, *y, *k, *v, *residual;
    SfuWeight *w, *bias, *gamma;
} Job;

static guint32 noise_state = 1;
static float noise(void)
{
    noise_state = noise_state * 1664525u + 1013904223u;
    return (float)(noise_state >> 8) * (2.0f / 16777216.0f) - 1.0f;
}

static SfuTensor *tensor_of(SfuQueue *q, SfuDtype dtype, int n, int h, int w, int c, GError **error)
{
    SfuTensor *t = sfu_tensor_create(q, dtype, n, h, w, c, error);
    if (!t)
        return NULL;
    const gint64 count = sfu_tensor_elements(t);
    float *v = g_new(float, count);
    for (gint64 i = 0; i < count; i++)
        v[i] = noise();
    if (!sfu_tensor_write(t, v, error)) {
        sfu_tensor_destroy(t);
        t = NULL;
    }
    g_free(v);
    return t;
}

static SfuTensor *tensor(SfuQueue *q, int n, int h, int w, int c, GError **error)
{
    return tensor_of(q, sfu_queue_act_dtype(q), n, h, w, c, error);
}

static SfuWeight *weight(SfuDtype dtype, int o, int i, int k)
{
    const gint64 dims[4] = {o, i, k, k}, n = (gint64)o * i * k * k;
    void *host = g_malloc((gsize)n * sfu_dtype_bytes(dtype));
    const float size = 1.0f / (float)sqrt((double)i * k * k);
    for (gint64 j = 0; j < n; j++) {
        if (dtype == SFU_F16)
            ((guint16 *)host)[j] = sfu_half_from_float(noise() * size);
        else
            ((float *)host)[j] = noise() * size;
    }
    return sfu_weight_new_take("bench", dtype, i == 1 && k == 1 ? 1 : 4, dims, host, (gsize)n * sfu_dtype_bytes(dtype));
}

static void job_finish(Job *j)
{
    sfu_queue_finish(j->q, NULL);
    SfuTensor *t[] = {j->x, j->y, j->k, j->v, j->residual};
    for (guint i = 0; i < G_N_ELEMENTS(t); i++)
        sfu_tensor_destroy(t[i]);
    sfu_weight_destroy(j->w);
    sfu_weight_destroy(j->bias);
    sfu_weight_destroy(j->gamma);
    sfu_queue_trim(j->q);
}

static gboolean job_init(Job *j, SfuQueue *q, const Case *c, GError **error)
{
    *j = (Job){.q = q, .c = c};
    switch (c->kind) {
    case LINEAR:
    case GEGLU:
        j->w = weight(SFU_F16, c->o, c->c, 1);
        j->bias = weight(SFU_F16, c->o, 1, 1);
        j->x = tensor(q, 1, 1, c->n, c->c, error);
        j->y = j->x ? tensor(q, 1, 1, c->n, c->kind == GEGLU ? c->o / 2 : c->o, error) : NULL;
        if (j->y && c->kind == LINEAR && !c->alone && !(j->residual = tensor(q, 1, 1, c->n, c->o, error)))
            return FALSE;
        return j->y != NULL;
    case CONV:
    case CONV_UP:
    case CONV_STRIDE2: {
        const int oh = c->kind == CONV_UP ? c->h * 2 : c->kind == CONV_STRIDE2 ? c->h / 2 : c->h;
        const int ow = c->kind == CONV_UP ? c->w * 2 : c->kind == CONV_STRIDE2 ? c->w / 2 : c->w;
        j->w = weight(SFU_F16, c->o, c->c, c->k);
        j->bias = weight(SFU_F16, c->o, 1, 1);
        j->x = tensor(q, c->n, c->h, c->w, c->c, error);
        j->y = j->x ? tensor(q, c->n, oh, ow, c->o, error) : NULL;
        if (j->y && !c->alone && !(j->residual = tensor(q, c->n, oh, ow, c->o, error)))
            return FALSE;
        return j->y != NULL;
    }
    case ATTENTION:
        j->x = tensor(q, c->n, 1, c->h, c->c * c->o, error);
        j->k = j->x ? tensor(q, c->n, 1, c->w, c->c * c->o, error) : NULL;
        j->v = j->k ? tensor(q, c->n, 1, c->w, c->c * c->o, error) : NULL;
        j->y = j->v ? tensor(q, c->n, 1, c->h, c->c * c->o, error) : NULL;
        return j->y != NULL;
    default:
        break;
    }
    const int scale = c->kind == UPSAMPLE ? 2 : 1, border = c->kind == PAD ? 2 : 0;
    j->gamma = weight(SFU_F32, c->c, 1, 1);
    j->x = tensor(q, c->n, c->h, c->w, c->c, error);
    j->k = j->x ? tensor(q, c->n, c->h, c->w, c->kind == CONCAT ? c->o : c->c, error) : NULL;
    j->y = j->k ? tensor(q, c->n, c->h * scale + border, c->w * scale + border, c->kind == CONCAT ? c->c + c->o : c->c,
                         error)
                : NULL;
    return j->y != NULL;
}

static gboolean job_run(Job *j, GError **error)
{
    const Case *c = j->c;
    const SfuEpilogue e = {.bias = j->bias, .residual = j->residual, .geglu = c->kind == GEGLU};
    const SfuConv conv = {.stride = c->kind == CONV_STRIDE2 ? 2 : 1,
                          .pad_top = c->k / 2,
                          .pad_left = c->k / 2,
                          .pad_bottom = c->k / 2,
                          .pad_right = c->k / 2,
                          .upsample2 = c->kind == CONV_UP};
    const SfuAttention a = {.n_heads = c->c, .head_dim = c->o};
    const SfuTensor *parts[] = {j->x, j->k};
    switch (c->kind) {
    case LINEAR:
    case GEGLU:
        return sfu_linear(j->q, j->y, j->x, j->w, &e, error);
    case CONV:
    case CONV_UP:
    case CONV_STRIDE2:
        return sfu_conv2d(j->q, j->y, j->x, j->w, &conv, &e, error);
    case ATTENTION:
        return sfu_attention(j->q, j->y, j->x, j->k, j->v, &a, error);
    case GROUP_NORM:
        return sfu_group_norm(j->q, j->y, j->x, j->gamma, j->gamma, 32, 1e-5f, SFU_ACT_SILU, error);
    case LAYER_NORM:
        return sfu_layer_norm(j->q, j->y, j->x, j->gamma, j->gamma, 1e-5f, error);
    case RMS_NORM:
        return sfu_rms_norm(j->q, j->y, j->x, j->gamma, &(SfuRmsNorm){.eps = 1e-5f}, error);
    case SILU:
        return sfu_unary(j->q, j->y, j->x, SFU_ACT_SILU, 0, error);
    case ADD:
        return sfu_axpby(j->q, j->y, 1, j->x, 1, j->k, error);
    case CONCAT:
        return sfu_concat(j->q, j->y, parts, 2, error);
    case UPSAMPLE:
        return sfu_upsample_nearest(j->q, j->y, j->x, error);
    case PAD:
        return sfu_pad(j->q, j->y, j->x, 1, 1, SFU_PAD_ZERO, error);
    case SOFTMAX:
        return sfu_softmax(j->q, j->y, j->x, error);
    }
    return FALSE;
}

/* Operations counted as a direct computation does them, 2 a multiply-add; 0 where bandwidth is the limit. */
static double job_flops(const Job *j)
{
    const Case *c = j->c;
    const double out = (double)sfu_tensor_elements(j->y);
    switch (c->kind) {
    case LINEAR:
        return 2.0 * out * c->c;
    case GEGLU:
        return 4.0 * out * c->c;
    case CONV:
    case CONV_UP:
    case CONV_STRIDE2:
        return 2.0 * out * c->c * c->k * c->k;
    case ATTENTION:
        return 4.0 * c->n * (double)c->h * c->w * c->c * c->o;
    default:
        return 0;
    }
}

/* The least bytes that the op must move. */
static double job_bytes(const Job *j)
{
    const double size = (double)sfu_dtype_bytes(j->y->dtype);
    double n = (double)sfu_tensor_elements(j->x) + (double)sfu_tensor_elements(j->y);
    n += j->c->kind == ADD || j->c->kind == CONCAT || j->c->kind == ATTENTION ? (double)sfu_tensor_elements(j->k) : 0;
    n += j->v ? (double)sfu_tensor_elements(j->v) : 0;
    n += j->residual ? (double)sfu_tensor_elements(j->residual) : 0;
    return n * size + (j->w ? (double)sfu_weight_elements(j->w) * (double)sfu_dtype_bytes(sfu_weight_dtype(j->w)) : 0);
}

/* ---- measuring ---- */

static gboolean measure(SfuQueue *q, int n, gboolean (*fn)(gpointer data, GError **error), gpointer data, Result *r,
                        GError **error)
{
    double *wall = g_new(double, MAX(n, MOST_RUNS)), spent = 0;
    gboolean ok = fn(data, error) && sfu_queue_finish(q, error);
    int runs = 0;
    r->cpu_ms = INFINITY;
    for (; ok && (runs < n || (runs < MOST_RUNS && spent < SETTLE_MS)); runs++) {
        const double t = now(CLOCK_MONOTONIC), u = now(CLOCK_PROCESS_CPUTIME_ID);
        ok = fn(data, error) && sfu_queue_finish(q, error);
        wall[runs] = (now(CLOCK_MONOTONIC) - t) * 1e3;
        spent += wall[runs];
        r->cpu_ms = MIN(r->cpu_ms, (now(CLOCK_PROCESS_CPUTIME_ID) - u) * 1e3);
    }
    if (ok) {
        qsort(wall, (size_t)runs, sizeof *wall, by_value);
        r->ms = wall[runs / 2];
        r->best_ms = wall[0];
    }
    g_free(wall);
    return ok;
}

typedef struct {
    SfuQueue *q;
    SfuTensor *x, *y;
    int items, steps;
} Probe;

enum { FMA_STEPS = 20000, GPU_FMA_STEPS = 2000, COPY_BLOCK = 4096 };

static gboolean probe_fma(gpointer data, GError **error)
{
    Probe *p = data;
    const SfuDeviceInfo *info = sfu_queue_device(p->q);
    const gboolean cpu = info->is_cpu;
    const char *vectors = !cpu || info->has_avx512 ? NULL : info->has_avx2 ? "-DVW=8" : "-DVW=4"; /* else of 16 */
    const SfuLaunch l = {.program = "probe",
                         .kernel = cpu ? "probe_fma" : "probe_fma_gpu",
                         .options = vectors,
                         .global = {(size_t)p->items, 1, 1},
                         .local = {cpu ? 1 : 64, 1, 1}};
    const SfuArg args[] = {SFU_TENSOR(p->y), SFU_INT(p->steps), SFU_FLOAT(0.5f)};
    return sfu_launch(p->q, &l, args, G_N_ELEMENTS(args), error);
}

static gboolean probe_copy(gpointer data, GError **error)
{
    Probe *p = data;
    const gboolean cpu = sfu_queue_device(p->q)->is_cpu;
    const SfuLaunch l = {.program = "probe",
                         .kernel = cpu ? "probe_copy" : "probe_copy_gpu",
                         .global = {(size_t)sfu_tensor_elements(p->x) / (cpu ? COPY_BLOCK : 4), 1, 1},
                         .local = {cpu ? 1 : 64, 1, 1}};
    const SfuArg args[] = {SFU_TENSOR(p->y), SFU_TENSOR(p->x)};
    return sfu_launch(p->q, &l, args, G_N_ELEMENTS(args), error);
}

typedef struct {
    double gflops, gbps;         /* by wall time */
    double cpu_gflops, cpu_gbps; /* a second of CPU time */
} Peaks;

/* Multiply-adds, and bytes read plus written of a copy far larger than any cache. */
static gboolean measure_peaks(SfuQueue *q, int n, Peaks *peaks, GError **error)
{
    const SfuDeviceInfo *info = sfu_queue_device(q);
    Probe p = {
        .q = q, .items = info->n_units * (info->is_cpu ? 8 : 2048), .steps = info->is_cpu ? FMA_STEPS : GPU_FMA_STEPS};
    Result r;
    gboolean ok = (p.x = tensor_of(q, SFU_F32, 1, 1, 8192, COPY_BLOCK, error)) && /* as the probe's kernels take them */
                  (p.y = tensor_of(q, SFU_F32, 1, 1, 8192, COPY_BLOCK, error)) &&
                  measure(q, n, probe_fma, &p, &r, error);
    if (ok) {
        peaks->gflops = 24.0 * 16 * 2 * p.steps * p.items / r.best_ms * 1e-6;
        peaks->cpu_gflops = peaks->gflops * r.best_ms / r.cpu_ms;
    }
    if (ok && (ok = measure(q, n, probe_copy, &p, &r, error))) {
        peaks->gbps = 2.0 * 4 * (double)sfu_tensor_elements(p.x) / r.best_ms * 1e-6;
        peaks->cpu_gbps = peaks->gbps * r.best_ms / r.cpu_ms;
    }
    sfu_tensor_destroy(p.x);
    sfu_tensor_destroy(p.y);
    sfu_queue_trim(q);
    return ok;
}

/* The most memory this process ever had resident, in bytes; 0 if the system does not say. */
static guint64 resident_peak(void)
{
    char *text = NULL;
    guint64 kib = 0;
    if (g_file_get_contents("/proc/self/status", &text, NULL, NULL)) {
        const char *at = strstr(text, "VmHWM:");
        kib = at ? g_ascii_strtoull(at + 6, NULL, 10) : 0;
    }
    g_free(text);
    return kib * 1024;
}

typedef struct {
    SfuQueue *q;
    int n;
    gboolean json;
    const Peaks *peaks;
    GPtrArray *results;
} Report;

/* Takes r. */
static void report(Report *rep, const char *name, double flops, double bytes, Result *r)
{
    const Peaks *p = rep->peaks;
    r->name = g_strdup(name);
    r->gflops = flops / r->ms * 1e-6;
    r->gbps = bytes / r->ms * 1e-6;
    r->percent = 100 * (flops > 0 ? r->gflops / p->gflops : r->gbps / p->gbps);
    r->cpu_percent = 100 * (flops > 0 ? flops / p->cpu_gflops : bytes / p->cpu_gbps) / r->cpu_ms * 1e-6;
    r->roof_percent = 1e-4 * MAX(flops / p->gflops, bytes / p->gbps) / r->ms;
    r->cpu_roof_percent = 1e-4 * MAX(flops / p->cpu_gflops, bytes / p->cpu_gbps) / r->cpu_ms;
    g_ptr_array_add(rep->results, r);
    if (!rep->json)
        g_print("%-32s %9.2f %9.2f %9.2f %9.1f %7.1f %6.1f %6.1f %6.1f %6.1f\n", r->name, r->ms, r->best_ms, r->cpu_ms,
                r->gflops, r->gbps, r->percent, r->cpu_percent, r->roof_percent, r->cpu_roof_percent);
}

static gboolean bench_net(const char *name, gboolean (*run)(gpointer data, GError **error), gpointer run_data,
                          gpointer data, GError **error)
{
    Report *rep = data;
    const double before = sfu_queue_flops(rep->q);
    Result *r = g_new0(Result, 1);
    if (measure(rep->q, rep->n, run, run_data, r, error)) {
        report(rep, name, (sfu_queue_flops(rep->q) - before) / (rep->n + 1), 0, r);
        return TRUE;
    }
    g_free(r);
    return FALSE;
}

static gboolean run_job(gpointer data, GError **error)
{
    return job_run(data, error);
}

/* ---- results ---- */

static void results_print_json(const char *device, const Peaks *peaks, guint64 peak_bytes, guint64 resident_bytes,
                               GPtrArray *results)
{
    JsonBuilder *b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "device");
    json_builder_add_string_value(b, device);
    json_builder_set_member_name(b, "peak_gflops");
    json_builder_add_double_value(b, peaks->gflops);
    json_builder_set_member_name(b, "copy_gbps");
    json_builder_add_double_value(b, peaks->gbps);
    json_builder_set_member_name(b, "peak_bytes");
    json_builder_add_int_value(b, (gint64)peak_bytes);
    json_builder_set_member_name(b, "resident_bytes");
    json_builder_add_int_value(b, (gint64)resident_bytes);
    json_builder_set_member_name(b, "results");
    json_builder_begin_array(b);
    for (guint i = 0; i < results->len; i++) {
        const Result *r = g_ptr_array_index(results, i);
        const struct {
            const char *name;
            double v;
        } f[] = {{"ms", r->ms},
                 {"best_ms", r->best_ms},
                 {"cpu_ms", r->cpu_ms},
                 {"gflops", r->gflops},
                 {"gbps", r->gbps},
                 {"percent", r->percent},
                 {"cpu_percent", r->cpu_percent},
                 {"roof_percent", r->roof_percent},
                 {"cpu_roof_percent", r->cpu_roof_percent}};
        json_builder_begin_object(b);
        json_builder_set_member_name(b, "name");
        json_builder_add_string_value(b, r->name);
        for (guint k = 0; k < G_N_ELEMENTS(f); k++) {
            json_builder_set_member_name(b, f[k].name);
            json_builder_add_double_value(b, f[k].v);
        }
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
    JsonNode *root = json_builder_get_root(b);
    char *text = json_to_string(root, TRUE);
    g_print("%s\n", text);
    g_free(text);
    json_node_unref(root);
    g_object_unref(b);
}

static void result_free(gpointer data)
{
    Result *r = data;
    g_free(r->name);
    g_free(r);
}

static JsonParser *load(const char *path, GError **error)
{
    JsonParser *p = json_parser_new();
    if (json_parser_load_from_file(p, path, error)) {
        JsonNode *root = json_parser_get_root(p);
        if (root && JSON_NODE_HOLDS_OBJECT(root) && json_object_has_member(json_node_get_object(root), "results"))
            return p;
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: no result of `bench --json`", path);
    }
    g_object_unref(p);
    return NULL;
}

/* Times of B against A, by name. */
static gboolean compare(const char *path_a, const char *path_b, GError **error)
{
    JsonParser *a = load(path_a, error), *b = a ? load(path_b, error) : NULL;
    if (b) {
        JsonArray *ra = json_object_get_array_member(json_node_get_object(json_parser_get_root(a)), "results");
        JsonArray *rb = json_object_get_array_member(json_node_get_object(json_parser_get_root(b)), "results");
        g_print("%-32s %10s %10s %8s\n", "case", "A ms", "B ms", "A/B");
        for (guint i = 0; i < json_array_get_length(ra); i++)
            for (guint k = 0; k < json_array_get_length(rb); k++) {
                JsonObject *oa = json_array_get_object_element(ra, i), *ob = json_array_get_object_element(rb, k);
                const char *name = json_object_get_string_member_with_default(oa, "name", "");
                if (strcmp(name, json_object_get_string_member_with_default(ob, "name", "?")) != 0)
                    continue;
                const double ta = json_object_get_double_member_with_default(oa, "ms", 0);
                const double tb = json_object_get_double_member_with_default(ob, "ms", 0);
                g_print("%-32s %10.2f %10.2f %8.2f\n", name, ta, tb, tb > 0 ? ta / tb : 0);
            }
        g_object_unref(b);
    }
    if (a)
        g_object_unref(a);
    return b != NULL;
}

typedef struct {
    char *device, *precision, *filter, *model;
    char **files;
    int side_px, n;
    gboolean json, plain, profile, compare;
} Options;

static void options_clear(Options *o)
{
    g_strfreev(o->files);
    g_free(o->device);
    g_free(o->precision);
    g_free(o->filter);
    g_free(o->model);
}

static gboolean bad_value(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean bad_value(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (error)
        *error = g_error_new_valist(G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, format, arguments);
    va_end(arguments);
    return FALSE;
}

static gboolean options_parse(Options *o, SfuQueueOptions *queue, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"device", 'd', 0, G_OPTION_ARG_STRING, &o->device, "Device number or part of its name", "DEVICE"},
        {"precision", 'p', 0, G_OPTION_ARG_STRING, &o->precision, "Type of the numbers, as for pictures", "PRECISION"},
        {"filter", 'f', 0, G_OPTION_ARG_STRING, &o->filter, "Only cases whose name contains TEXT", "TEXT"},
        {"model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model,
         "The networks of this model (file, name or title) instead of single ops", "MODEL"},
        {"size", 's', 0, G_OPTION_ARG_INT, &o->side_px, "Side of the networks' picture in pixels (512)", "PX"},
        {"runs", 'n', 0, G_OPTION_ARG_INT, &o->n, "Minimum number of runs per case; the median is reported (5)", "N"},
        {"plain", 0, 0, G_OPTION_ARG_NONE, &o->plain, "Only the plain kernels", NULL},
        {"profile", 0, 0, G_OPTION_ARG_NONE, &o->profile, "Also the table of kernel times", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &o->json, "Results as JSON", NULL},
        {"compare", 0, 0, G_OPTION_ARG_NONE, &o->compare, "Compare two JSON files: A B", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->files, NULL, NULL},
        {NULL},
    };
    GOptionContext *context = g_option_context_new("[A B] - time every op against the device's measured peaks");
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_description(context, SFU_CLI_BENCH_ABOUT);
    const gboolean ok = g_option_context_parse(context, &argc, &argv, error);
    g_option_context_free(context);
    if (!ok)
        return FALSE;
    int precision = 0;
    while (o->precision && sfu_precisions[precision] && strcmp(o->precision, sfu_precisions[precision]) != 0)
        precision++;
    if (!sfu_precisions[precision])
        return bad_value(error, "--precision cannot be \"%s\"", o->precision);
    if (o->side_px < 64 || o->side_px > 4096 || o->side_px % 64)
        return bad_value(error, "--size is a multiple of 64 up to 4096, not %d", o->side_px);
    const int n_files = o->files ? (int)g_strv_length(o->files) : 0;
    if (o->n < 1 || o->n > 1000 || n_files != (o->compare ? 2 : 0))
        return bad_value(error, "%s",
                         o->compare ? "--compare needs two files made by `bench --json`"
                                    : "bench takes no files, and 1 to 1000 runs");
    *queue = (SfuQueueOptions){.device = o->device,
                               .kernels = o->plain ? SFU_KERNELS_PLAIN : SFU_KERNELS_AUTO,
                               .precision = (SfuPrecision)precision,
                               .profile = o->profile};
    return TRUE;
}

static gboolean bench_op(Report *rep, const Case *c, GError **error)
{
    Job j;
    Result *r = g_new0(Result, 1);
    const gboolean ok = job_init(&j, rep->q, c, error) && measure(rep->q, rep->n, run_job, &j, r, error);
    if (ok)
        report(rep, c->name, job_flops(&j), job_bytes(&j), r);
    else
        g_free(r);
    job_finish(&j);
    return ok;
}

static void print_head(const SfuDeviceInfo *device, const Peaks *peaks)
{
    g_print("%s, %s\nmultiply-add peak %.1f GFLOP/s, copy %.1f GB/s; a CPU second %.1f and %.1f\n\n", device->name,
            device->platform, peaks->gflops, peaks->gbps, peaks->cpu_gflops, peaks->cpu_gbps);
    g_print("%-32s %9s %9s %9s %9s %7s %6s %6s %6s %6s\n", "case", "median ms", "best ms", "CPU ms", "GFLOP/s", "GB/s",
            "%peak", "%CPU", "%roof", "%rCPU");
}

static gboolean bench_all(SfuQueue *q, const Options *o, GPtrArray *results, GError **error)
{
    Peaks peaks = {0};
    if (!measure_peaks(q, o->n, &peaks, error))
        return FALSE;
    if (!o->json)
        print_head(sfu_queue_device(q), &peaks);
    Report rep = {.q = q, .n = o->n, .json = o->json, .peaks = &peaks, .results = results};
    if (o->model && !sfu_bench_nets(q, o->model, o->side_px, bench_net, &rep, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(cases) && !o->model; i++)
        if ((!o->filter || strstr(cases[i].name, o->filter)) && !bench_op(&rep, &cases[i], error))
            return FALSE;
    if (o->json)
        results_print_json(sfu_queue_device(q)->name, &peaks, sfu_queue_peak_bytes(q), resident_peak(), results);
    else
        g_print("\npeak memory: device %.1f MB, process %.1f MB\n", (double)sfu_queue_peak_bytes(q) / 1e6,
                (double)resident_peak() / 1e6);
    if (o->profile) {
        char *table = sfu_queue_profile(q);
        g_printerr("%s", table);
        g_free(table);
    }
    return TRUE;
}

/* Puts the path in the place of the name. */
static gboolean find_model(Options *o, GError **error)
{
    char *path = o->model ? sfu_model_resolve(o->model, SFU_N_TASKS, error) : NULL;
    const gboolean ok = path || !o->model;
    g_free(o->model);
    o->model = path;
    return ok;
}

int sfu_cli_bench(int argc, char **argv)
{
    Options o = {.side_px = 512, .n = 5};
    SfuQueueOptions queue;
    SfuQueue *q = NULL;
    GError *error = NULL;
    GPtrArray *results = g_ptr_array_new_with_free_func(result_free);
    int status = 2;
    if (options_parse(&o, &queue, argc, argv, &error) && find_model(&o, &error)) {
        const gboolean ok = o.compare ? compare(o.files[0], o.files[1], &error)
                                      : (q = sfu_queue_create(&queue, &error)) && bench_all(q, &o, results, &error);
        status = ok ? 0 : 1;
    }
    if (error) {
        g_printerr("%s: %s\n", argv[0], error->message);
        g_error_free(error);
    }
    g_ptr_array_unref(results);
    sfu_queue_destroy(q);
    options_clear(&o);
    return status;
}
