/* The register tile of the CPU family: how wide vectors are best, and what fits the registers.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"
#include <stdlib.h>
#include <string.h>

/* The least seconds of some products with vectors of that width; 0 if it cannot be had. */
static double seconds(SfuQueue *q, int width)
{
    enum { ROWS = 96, SIDE = 512, TRIES = 5 };
    const gint64 dims[] = {SIDE, SIDE};
    float *host = g_new(float, SIDE * SIDE);
    for (int i = 0; i < SIDE * SIDE; i++)
        host[i] = (float)(i % 64 - 32) / 32.0f;
    SfuTensor *x = sfu_tensor_create(q, SFU_F32, 1, 1, ROWS, SIDE, NULL), *y = sfu_tensor_create(q, SFU_F32, 1, 1, ROWS, SIDE, NULL);
    gboolean ok = x && y && sfu_tensor_write(x, host, NULL);
    SfuWeight *w = sfu_weight_new_take("trial", SFU_F32, 2, dims, host, sizeof *host * SIDE * SIDE);
    gint64 best = G_MAXINT64;
    sfu_queue_set_vector_width(q, width);
    for (int i = 0; ok && i <= TRIES; i++) { /* the first one compiles */
        const gint64 t = g_get_monotonic_time();
        ok = sfu_linear(q, y, x, w, NULL, NULL) && sfu_queue_finish(q, NULL);
        if (i > 0)
            best = MIN(best, g_get_monotonic_time() - t);
    }
    sfu_queue_set_vector_width(q, 0);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    sfu_weight_destroy(w);
    return ok ? (double)MAX(best, 1) : 0;
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
        double best = seconds(q, own);
        width = own;
        for (int k = MAX(4, own / 2); k <= MIN(16, own * 2); k *= 2) {
            const double s = k == own ? 0 : seconds(q, k);
            if (s > 0 && (best <= 0 || s < 0.9 * best)) { /* clearly: other programs disturb, and other ops have more of their own width */
                best = s;
                width = k;
            }
        }
        char text[8];
        g_snprintf(text, sizeof text, "%d", width);
        if (best > 0)
            sfu_tuning_set(q, key, text);
    }
    g_free(known);
    g_free(key);
    sfu_queue_set_vector_width(q, width);
    return width;
}

/* Vectors of 16 have 32 registers (AVX-512); those of 8, and of 4 on x86, 16 of them; those of 4 elsewhere 32 (NEON). */
SfuCpuTile sfu_cpu_tile(SfuQueue *q, int n_panels, gboolean geglu)
{
    const int width = sfu_cpu_width(q);
    if (width == 16) /* two panels side by side where there are two: fewer values are broadcast and widened a product */
        return n_panels % 2 == 0 ? (SfuCpuTile){16, 6, 64} : (SfuCpuTile){16, 12, 32};
#if defined(__x86_64__) || defined(__i386__)
    if (width == 4)
        return geglu ? (SfuCpuTile){4, 1, 32} : (SfuCpuTile){4, 3, 16};
#endif
    return geglu ? (SfuCpuTile){width, 3, 32} : (SfuCpuTile){width, 6, 16};
}
