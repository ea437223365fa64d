/* Normalisations and softmax. Sums are fp32, in two passes: E[x^2] - E[x]^2 cancels when |mean| is far above the deviation. The second pass also
 * sums the differences themselves, which tells what rounding did to the mean (Chan, Golub & LeVeque 1983, eq. 1.7).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

/* Vectors of 16 channels that an item takes side by side: on CPUs enough to hide the latency of additions, and so that a row of a picture is
 * read in long pieces. */
#ifdef CPU
#define COLS 4
#else
#define COLS 1
#endif
#define AHEAD 12 /* pixels: rows of a picture are apart by more than hardware prefetchers follow */

/* Mean and sum of squared deviations of each channel over a chunk of `len` pixels: part [n, chunks, 2, c]. */
__kernel void group_norm_part(__global float *part, int part0, __global const ACT *x, int x0, int pixels, int c, int len)
{
    const int chunk = get_global_id(0), b = get_global_id(1), chunks = get_global_size(0);
    const int first = chunk * len, n = min(len, pixels - first);
    const size_t xi = x0 + ((size_t)b * pixels + first) * c, at = part0 + ((size_t)b * chunks + chunk) * 2 * c;
    for (int i = 0; i < c; i += 16 * COLS) {
        float16 mean[COLS], s[COLS], e[COLS], q[COLS];
#pragma unroll
        for (int v = 0; v < COLS; v++)
            s[v] = e[v] = q[v] = 0.0f;
        for (int p = 0; p < n; p++)
#pragma unroll
            for (int v = 0; v < COLS; v++) {
                FETCH(x + xi + (size_t)min(p + AHEAD, n - 1) * c + i + v * 16);
                s[v] += load_part(x, xi + (size_t)p * c + i + v * 16, c - i - v * 16);
            }
#pragma unroll
        for (int v = 0; v < COLS; v++)
            mean[v] = s[v] / (float)n;
        for (int p = 0; p < n; p++)
#pragma unroll
            for (int v = 0; v < COLS; v++) {
                const float16 d = load_part(x, xi + (size_t)p * c + i + v * 16, c - i - v * 16) - mean[v];
                e[v] += d;
                q[v] += d * d;
            }
#pragma unroll
        for (int v = 0; v < COLS; v++) {
            const int lanes = c - i - v * 16;
            store_part_f32(part, at + i + v * 16, mean[v] + e[v] / (float)n, lanes);
            store_part_f32(part, at + c + i + v * 16, q[v] - e[v] * e[v] / (float)n, lanes);
        }
    }
}

/* Joins the parts of a group: stats [n, groups, 2] = mean, 1/sqrt(var + eps). The mean is a first estimate and the mean difference from it: what
 * rounding at the size of the mean did to the first sum is not in the second. */
__kernel void group_norm_join(__global float *stats, int stats0, __global const float *part, int part0, int pixels, int c, int len, int chunks,
                              float eps)
{
    const int g = get_global_id(0), b = get_global_id(1), groups = get_global_size(0), per = c / groups;
    const size_t from = part0 + (size_t)b * chunks * 2 * c + g * per;
    float base = 0.0f, off = 0.0f, m2 = 0.0f;
    for (int k = 0; k < chunks; k++) {
        float s = 0.0f;
        for (int i = 0; i < per; i++)
            s += part[from + (size_t)k * 2 * c + i];
        base += s / ((float)chunks * per);
    }
    for (int k = 0; k < chunks; k++) {
        float s = 0.0f;
        for (int i = 0; i < per; i++)
            s += part[from + (size_t)k * 2 * c + i] - base;
        off += s * (float)min(len, pixels - k * len) / ((float)pixels * per);
    }
    for (int k = 0; k < chunks; k++) {
        float s = 0.0f, q = 0.0f;
        for (int i = 0; i < per; i++) {
            const float d = part[from + (size_t)k * 2 * c + i] - base - off;
            s += d * d;
            q += part[from + ((size_t)k * 2 + 1) * c + i];
        }
        m2 += s * (float)min(len, pixels - k * len) + q;
    }
    stats[stats0 + 2 * (b * groups + g)] = base + off;
    stats[stats0 + 2 * (b * groups + g) + 1] = rsqrt(m2 / ((float)pixels * per) + eps);
}

__kernel void group_norm_apply(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *stats, int stats0,
                               __global const float *gamma, int gamma0, __global const float *beta, int beta0, int pixels, int c, int groups,
                               int len, int act)
{
    const int i = get_global_id(0) * 16 * COLS, first = get_global_id(1) * len, b = get_global_id(2), per = c / groups;
    const int n = min(len, pixels - first);
    float16 mean[COLS], a[COLS], d[COLS];
#pragma unroll
    for (int v = 0; v < COLS; v++) {
        const int from = i + v * 16;
        float m[16], r[16];
        for (int k = 0; k < 16; k++) {
            const int g = min(from + k, c - 1) / per;
            m[k] = stats[stats0 + 2 * (b * groups + g)];
            r[k] = stats[stats0 + 2 * (b * groups + g) + 1];
        }
        mean[v] = vload16(0, m);
        a[v] = load_part_f32(gamma, gamma0 + from, c - from) * vload16(0, r);
        d[v] = load_part_f32(beta, beta0 + from, c - from);
    }
    const size_t at = ((size_t)b * pixels + first) * c + i;
    for (int p = 0; p < n; p++)
#pragma unroll
        for (int v = 0; v < COLS; v++) {
            const int lanes = c - i - v * 16;
            FETCH(x + x0 + at + (size_t)min(p + AHEAD, n - 1) * c + v * 16);
            FETCH_TO_WRITE(y + y0 + at + (size_t)min(p + AHEAD, n - 1) * c + v * 16);
            float16 t = (load_part(x, x0 + at + (size_t)p * c + v * 16, lanes) - mean[v]) * a[v] + d[v];
            if (act == ACT_SILU)
                t = t / (1.0f + exp_16(-t));
            store_part(y, y0 + at + (size_t)p * c + v * 16, t, lanes);
        }
}

__kernel void layer_norm(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *gamma, int gamma0,
                         __global const float *beta, int beta0, int c, float eps)
{
    const size_t at = (size_t)get_global_id(0) * c;
    float16 s = 0.0f, e = 0.0f, q = 0.0f;
    for (int i = 0; i < c; i += 16)
        s += load_part(x, x0 + at + i, min(16, c - i));
    const float first = sum16(s) / c;
    for (int i = 0; i < c; i += 16) {
        const int lanes = min(16, c - i);
        float16 d = load_part(x, x0 + at + i, lanes) - first;
        if (lanes < 16) {
            float t[16];
            vstore16(d, 0, t);
            for (int k = lanes; k < 16; k++)
                t[k] = 0.0f;
            d = vload16(0, t);
        }
        e += d;
        q += d * d;
    }
    const float off = sum16(e) / c, mean = first + off, r = rsqrt(fmax(sum16(q) / c - off * off, 0.0f) + eps);
    for (int i = 0; i < c; i += 16) {
        const int lanes = min(16, c - i);
        float16 v = (load_part(x, x0 + at + i, lanes) - mean) * r;
        if (gamma)
            v *= load_part_f32(gamma, gamma0 + i, lanes);
        if (beta)
            v += load_part_f32(beta, beta0 + i, lanes);
        store_part(y, y0 + at + i, v, lanes);
    }
}

__kernel void softmax(__global ACT *y, int y0, __global const ACT *x, int x0, int c)
{
    const size_t at = (size_t)get_global_id(0) * c;
    float top = -INFINITY, s = 0.0f;
    for (int i = 0; i < c; i++)
        top = fmax(top, LOAD(x, x0 + at + i));
    for (int i = 0; i < c; i++)
        s += exp(LOAD(x, x0 + at + i) - top);
    for (int i = 0; i < c; i++)
        STORE(y, y0 + at + i, exp(LOAD(x, x0 + at + i) - top) / s);
}
