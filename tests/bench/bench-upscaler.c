/* One pass of an upscaler network: seconds, and the table of kernels.
 *   build/tests/bench/bench-upscaler MODEL [WIDTH HEIGHT]
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/family.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static double user_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec * 1e-6;
}

int main(int argc, char **argv)
{
    const int w = argc > 2 ? atoi(argv[2]) : 256, h = argc > 3 ? atoi(argv[3]) : 256;
    const SfuQueueOptions options = {.precision = SFU_PRECISION_FP32, .profile = TRUE};
    GError *error = NULL;
    SfuQueue *q = argc > 1 ? sfu_queue_create(&options, &error) : NULL;
    SfuModel *m = q ? sfu_model_open(argv[1], &error) : NULL;
    SfuUpscaler *u = m ? sfu_upscaler_create(q, m, sfu_model_family(m)->upscaler, &error) : NULL;
    SfuTensor *x = u ? sfu_tensor_create(q, SFU_F32, 1, h, w, 3, &error) : NULL, *y = NULL;
    float *v = g_new(float, (gsize)w *(gsize)h * 3);
    for (int i = 0; i < w * h * 3; i++)
        v[i] = (float)(i % 97) / 96;
    gboolean ok = x && sfu_tensor_write(x, v, &error);
    for (int pass = 0; ok && pass < 2; pass++) { /* the first packs the weights and compiles */
        const gint64 start = g_get_monotonic_time();
        const double user = user_seconds();
        ok = sfu_upscaler_forward(u, &y, x, NULL, &error) && sfu_queue_finish(q, &error);
        printf("%s: %.2f s, %.2f s of CPU, peak %.0f MB\n", pass ? "second pass" : "first pass",
               (double)(g_get_monotonic_time() - start) * 1e-6, user_seconds() - user,
               (double)sfu_queue_peak_bytes(q) * 1e-6);
        sfu_tensor_destroy(y);
    }
    char *table = ok ? sfu_queue_profile(q) : NULL;
    puts(table ? table : error ? error->message : "usage: bench-upscaler MODEL [WIDTH HEIGHT]");
    g_free(table);
    g_free(v);
    g_clear_error(&error);
    sfu_tensor_destroy(x);
    sfu_upscaler_destroy(u);
    sfu_model_close(m);
    sfu_queue_destroy(q);
    return ok ? 0 : 1;
}
