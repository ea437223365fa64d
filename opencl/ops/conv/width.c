/* How wide the vectors of the CPU family are: the CPU's own, unless products of rows were measured.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"

enum { WIDTHS = 3 };
static const int widths[WIDTHS] = {4, 8, 16};
static const char *const width_names[] = {"4", "8", "16", NULL};

/* The place in `widths` of what the CPU's own vectors have. */
static int own_width(SfuQueue *q)
{
    const SfuDeviceInfo *info = sfu_queue_device(q);
    return info->has_avx512 ? 2 : info->has_avx2 ? 1 : 0;
}

/* The least time of some products with vectors of each width that is next to the CPU's own. In turn, since other
 * programs disturb. */
static gboolean time_widths(SfuConvJob *job, int own, gint64 least[WIDTHS], GError **error)
{
    enum { TRIES = 20 };
    for (int k = 0; k < WIDTHS; k++)
        least[k] = G_MAXINT64;
    for (int i = 0; i <= TRIES; i++) /* the first one compiles */
        for (int k = MAX(0, own - 1); k <= MIN(WIDTHS - 1, own + 1); k++) {
            const gint64 start = g_get_monotonic_time();
            job->width = widths[k];
            if (!sfu_linear_panel.launch(job, error) || !sfu_queue_finish(job->q, error))
                return FALSE;
            if (i > 0)
                least[k] = MIN(least[k], g_get_monotonic_time() - start);
        }
    return TRUE;
}

static int fastest_width(SfuQueue *q, gconstpointer data, GError **error)
{
    enum { ROWS = 96, SIDE = 512 };
    const gint64 dims[] = {SIDE, SIDE};
    const int own = own_width(q);
    gint64 least[WIDTHS];
    float *host = g_new(float, SIDE *SIDE);
    for (int i = 0; i < SIDE * SIDE; i++)
        host[i] = (float)(i % 64 - 32) / 32.0f;
    SfuWeight *w = sfu_weight_new_take("trial", SFU_F32, 2, dims, host, sizeof *host * SIDE * SIDE);
    const SfuDtype dtype = SFU_F32;
    SfuTensor *x = sfu_tensor_create(q, dtype, 1, 1, ROWS, SIDE, error),
              *y = x ? sfu_tensor_create(q, dtype, 1, 1, ROWS, SIDE, error) : NULL;
    SfuConvJob job;
    const gboolean ok = y && sfu_tensor_write(x, host, error) &&
                        sfu_conv_job(&job, q, y, x, w, &sfu_linear_geometry, NULL, error) &&
                        time_widths(&job, own, least, error);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    sfu_weight_destroy(w);
    int best = own;
    for (int k = 0; ok && k < WIDTHS; k++) /* its own unless another is clearly faster: attention has more of it */
        if (least[k] < (best == own ? least[own] / 10 * 9 : least[best]))
            best = k;
    return ok ? best : -1;
}

static const char *const programs[] = {"linear", NULL};
static const SfuQuestion question = {
    .name = "vector width", .programs = programs, .answers = width_names, .if_died = -1};

/* Nobody's first picture waits for a measurement, which compiles the product once for each width. */
int sfu_cpu_width(SfuQueue *q)
{
    if (!sfu_queue_vector_width(q)) {
        const int k = sfu_tuning_known(q, &question);
        sfu_queue_set_vector_width(q, widths[k >= 0 ? k : own_width(q)]);
    }
    return sfu_queue_vector_width(q);
}

void sfu_cpu_measure_width(SfuQueue *q)
{
    if (sfu_queue_kernels(q) != SFU_KERNELS_CPU || sfu_queue_vector_width(q))
        return;
    const int k = sfu_tuning_ask(q, &question, fastest_width, NULL, NULL);
    if (k >= 0)
        sfu_queue_set_vector_width(q, widths[k]);
}
