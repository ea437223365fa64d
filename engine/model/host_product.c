/* A product of small matrices on the host.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/host_product.h"
#include <string.h>

typedef float Vec __attribute__((vector_size(32)));
enum { LANES = 8, STEP = 2 * LANES }; /* columns of a block: two rows of it stay in registers */

/* Compiled several times on x86, and chosen by what the CPU has. Sanitizers cannot follow that. */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define FOR_EACH_CPU __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define FOR_EACH_CPU
#endif

FOR_EACH_CPU void sfu_product(float *out, const float *a, const float *b, gint64 rows, gint64 rank, gint64 n_cols,
                              float scale)
{
    gint64 c = 0;
    for (; c + STEP <= n_cols; c += STEP)
        for (gint64 o = 0; o < rows; o += 2) {
            const gint64 second = MIN(o + 1, rows - 1); /* an odd last row is made twice */
            Vec s00 = {0}, s01 = {0}, s10 = {0}, s11 = {0}, b0, b1;
            for (gint64 r = 0; r < rank; r++) {
                const float x = a[o * rank + r], y = a[second * rank + r];
                memcpy(&b0, b + r * n_cols + c, sizeof b0);
                memcpy(&b1, b + r * n_cols + c + LANES, sizeof b1);
                s00 += b0 * x;
                s01 += b1 * x;
                s10 += b0 * y;
                s11 += b1 * y;
            }
            s00 *= scale;
            s01 *= scale;
            s10 *= scale;
            s11 *= scale;
            memcpy(out + o * n_cols + c, &s00, sizeof s00);
            memcpy(out + o * n_cols + c + LANES, &s01, sizeof s01);
            memcpy(out + second * n_cols + c, &s10, sizeof s10);
            memcpy(out + second * n_cols + c + LANES, &s11, sizeof s11);
        }
    for (; c < n_cols; c++)
        for (gint64 o = 0; o < rows; o++) {
            float s = 0;
            for (gint64 r = 0; r < rank; r++)
                s += a[o * rank + r] * b[r * n_cols + c];
            out[o * n_cols + c] = scale * s;
        }
}
