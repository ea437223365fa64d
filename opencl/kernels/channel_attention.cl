/* Attention between channels (opencl/ops/channel_attention.c): which channels of a head are alike over all pixels of a
 * sample. VECS: vectors of 16 that hold a head's channels.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define PITCH (VECS * 16)

/* part [n][chunks][n_heads * d][PITCH + 2]: of one channel i of a head, over `len` pixels: its products with every
 * channel j of the keys, its own square, and the square of the key's channel i. */
__kernel void channel_products(__global float *part, int part0, __global const ACT *x, int x0, int pixels, int len,
                               int pitch, int d, int q_col, int k_col)
{
    const int row = get_global_id(0), chunk = get_global_id(1), b = get_global_id(2), head = row / d * d,
              last = min(pixels, (chunk + 1) * len);
    float16 s[VECS];
    float q2 = 0.0f, k2 = 0.0f;
    for (int v = 0; v < VECS; v++)
        s[v] = 0.0f;
    for (int t = chunk * len; t < last; t++) {
        const size_t at = x0 + ((size_t)b * pixels + t) * pitch;
        const float q = LOAD(x, at + q_col + row), k = LOAD(x, at + k_col + row);
        q2 = fma(q, q, q2);
        k2 = fma(k, k, k2);
        for (int v = 0; v < VECS; v++)
            s[v] = fma(load_part(x, at + k_col + head + v * 16, min(16, d - v * 16)), (float16)(q), s[v]);
    }
    __global float *to =
        part + part0 + (((size_t)b * get_global_size(1) + chunk) * get_global_size(0) + row) * (PITCH + 2);
    for (int v = 0; v < VECS; v++)
        vstore16(s[v], 0, to + v * 16);
    to[PITCH] = q2;
    to[PITCH + 1] = k2;
}

/* map [n][n_heads][d of v][PITCH of o]: how much of each channel of the values a channel of the result is. */
__kernel void channel_softmax(__global float *map, int map0, __global const float *part, int part0,
                              __global const float *temperature, int temperature0, int chunks, int d)
{
    const int row = get_global_id(0), rows = get_global_size(0), b = get_global_id(1), head = row / d, i = row % d;
    __global const float *from = part + part0 + (size_t)b * chunks * rows * (PITCH + 2);
    float logit[PITCH], q2 = 0.0f, most = -INFINITY, sum = 0.0f;
    for (int c = 0; c < chunks; c++)
        q2 += from[((size_t)c * rows + row) * (PITCH + 2) + PITCH];
    for (int j = 0; j < d; j++) {
        float s = 0.0f, k2 = 0.0f;
        for (int c = 0; c < chunks; c++) {
            s += from[((size_t)c * rows + row) * (PITCH + 2) + j];
            k2 += from[((size_t)c * rows + head * d + j) * (PITCH + 2) + PITCH + 1];
        }
        logit[j] = s / (fmax(sqrt(q2), 1e-12f) * fmax(sqrt(k2), 1e-12f)) * temperature[temperature0 + head];
        most = fmax(most, logit[j]);
    }
    for (int j = 0; j < d; j++) {
        logit[j] = exp(logit[j] - most);
        sum += logit[j];
    }
    __global float *to = map + map0 + ((size_t)b * (rows / d) + head) * d * PITCH;
    for (int j = 0; j < d; j++)
        to[j * PITCH + i] = logit[j] / sum;
    for (int j = 0; i == d - 1 && j < d; j++)
        for (int k = d; k < PITCH; k++)
            to[j * PITCH + k] = 0.0f;
}

#define PX 8

__kernel void channel_apply(__global ACT *y, int y0, __global const float *map, int map0, __global const ACT *x, int x0,
                            int pixels, int pitch, int d, int n_heads, int v_col)
{
    const int head = get_global_id(0) / VECS, i = get_global_id(0) % VECS * 16, t0 = get_global_id(1) * PX,
              b = get_global_id(2), n = min(PX, pixels - t0);
    __global const float *m = map + map0 + ((size_t)b * n_heads + head) * d * PITCH + i;
    const size_t at = x0 + ((size_t)b * pixels + t0) * pitch + v_col + head * d;
    float16 s[PX];
    for (int p = 0; p < PX; p++)
        s[p] = 0.0f;
    for (int j = 0; j < d; j++) {
        const float16 w = vload16(0, m + j * PITCH);
        for (int p = 0; p < PX; p++)
            s[p] = fma(w, (float16)(LOAD(x, at + (size_t)min(p, n - 1) * pitch + j)), s[p]);
    }
    for (int p = 0; p < n; p++)
        store_part(y, y0 + ((size_t)b * pixels + t0 + p) * n_heads * d + head * d + i, s[p], min(16, d - i));
}
