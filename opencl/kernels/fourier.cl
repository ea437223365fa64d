/* Discrete Fourier transforms as products with the transform's matrix, any length. The channels lie innermost, so each
 * item makes ROWS outputs of 2 x 16 channels, and reads every input once for all of them.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define ROWS 6

/* y[o, m, i] = sum over n of f[m, n] x[o, n, i] for m < n_out, n < n_in, i < c. f lies in panels [m / ROWS][n][ROWS].
 * An outer index o is a pair (o / k, o % k), m and n are pairs (m / 2, m % 2): each half has a stride of its own. */
__kernel void dft(__global ACT *y, int y_first, __global const ACT *x, int x_first, __global const float *f,
                  int f_first, int c, int n_out, int n_in, int k, int xo1, int xo0, int x1, int x0, int yo1, int yo0,
                  int y1, int y0)
{
    const int i = get_global_id(0) * 32, m = get_global_id(1) * ROWS, o = get_global_id(2);
    const int left = min(16, c - i), right = min(16, c - i - 16);
    const size_t from = x_first + (size_t)(o / k) * xo1 + (size_t)(o % k) * xo0 + i;
    __global const float *w = f + f_first + (size_t)m * n_in;
    float16 a[ROWS], b[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++)
        a[r] = b[r] = (float16)(0.0f);
    for (int n = 0; n < n_in; n++, w += ROWS) {
        const size_t at = from + (size_t)(n >> 1) * x1 + (n & 1) * x0;
        const float16 u = load_part(x, at, left), v = right > 0 ? load_part(x, at + 16, right) : (float16)(0.0f);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            a[r] = fma((float16)(w[r]), u, a[r]);
            b[r] = fma((float16)(w[r]), v, b[r]);
        }
    }
    const size_t to = y_first + (size_t)(o / k) * yo1 + (size_t)(o % k) * yo0 + i;
    for (int r = 0; r < ROWS && m + r < n_out; r++) {
        const size_t at = to + (size_t)((m + r) >> 1) * y1 + ((m + r) & 1) * y0;
        store_part(y, at, a[r], left);
        if (right > 0)
            store_part(y, at + 16, b[r], right);
    }
}
