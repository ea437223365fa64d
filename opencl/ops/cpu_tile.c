/* The register tile of the CPU family: how wide vectors are best, and what fits the registers.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"
#include <stdlib.h>
#include <string.h>

enum { WIDTHS = 3 };

/* The least time of some products with vectors of each width; G_MAXINT64 if it cannot be had. In turn, since other programs disturb. */
static void measure(SfuQueue *q, const int width[WIDTHS], gint64 least[WIDTHS])
{
    enum { ROWS = 96, SIDE = 512, TRIES = 20 };
    const gint64 dims[] = {SIDE, SIDE};
    float *host = g_new(float, SIDE * SIDE);
    for (int i = 0; i < SIDE * SIDE; i++)
        host[i] = (float)(i % 64 - 32) / 32.0f;
    SfuTensor *x = sfu_tensor_create(q, SFU_F32, 1, 1, ROWS, SIDE, NULL), *y = sfu_tensor_create(q, SFU_F32, 1, 1, ROWS, SIDE, NULL);
    const gboolean ok = x && y && sfu_tensor_write(x, host, NULL);
    SfuWeight *w = sfu_weight_new_take("trial", SFU_F32, 2, dims, host, sizeof *host * SIDE * SIDE);
    for (int k = 0; k < WIDTHS; k++)
        least[k] = G_MAXINT64;
    for (int i = 0; ok && i <= TRIES; i++) /* the first one compiles */
        for (int k = 0; k < WIDTHS; k++) {
            if (!width[k])
                continue;
            sfu_queue_set_vector_width(q, width[k]);
            const gint64 t = g_get_monotonic_time();
            if (sfu_linear(q, y, x, w, NULL, NULL) && sfu_queue_finish(q, NULL) && i > 0)
                least[k] = MIN(least[k], g_get_monotonic_time() - t);
        }
    sfu_queue_set_vector_width(q, 0);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    sfu_weight_destroy(w);
}

int sfu_cpu_width(SfuQueue *q)
{
    int width = sfu_queue_vector_width(q);
    if (width)
        return width;
    const SfuDeviceInfo *info = sfu_queue_device(q);
    const int own = info->has_avx512 ? 16 : info->has_avx2 ? 8 : 4;
    char *key = sfu_tuning_key("vector width", "linear"), *known = sfu_tuning_get(q, key);
    width = known ? atoi(known) : 0;
    if (width != 4 && width != 8 && width != 16) { /* not measured yet, or a damaged entry */
        const int tried[WIDTHS] = {own, own > 4 ? own / 2 : 0, own < 16 ? own * 2 : 0};
        gint64 least[WIDTHS];
        measure(q, tried, least);
        int best = 0;
        for (int k = 1; k < WIDTHS; k++)
            if (least[k] < (best ? least[best] : least[0] / 10 * 9)) /* its own unless another is clearly faster: attention has more of it */
                best = k;
        width = tried[best];
        char text[8];
        g_snprintf(text, sizeof text, "%d", width);
        if (least[best] < G_MAXINT64)
            sfu_tuning_set(q, key, text);
    }
    g_free(known);
    g_free(key);
    sfu_queue_set_vector_width(q, width);
    return width;
}

/* Vectors of 16 have 32 registers (AVX-512); those of 8, and of 4 on x86, 16 of them; those of 4 elsewhere 32 (NEON). */
SfuCpuTile sfu_cpu_tile(SfuQueue *q, int n_panels)
{
    const int width = sfu_cpu_width(q);
    if (width == 16) /* two panels side by side where there are two: fewer values are broadcast and widened a product */
        return n_panels % 2 == 0 ? (SfuCpuTile){16, 6, 64} : (SfuCpuTile){16, 12, 32};
#if defined(__x86_64__) || defined(__i386__)
    if (width == 4)
        return (SfuCpuTile){4, 3, 16};
#endif
    return (SfuCpuTile){width, 6, 16};
}
