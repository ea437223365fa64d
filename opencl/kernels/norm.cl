/* Normalizations and softmax. Sums are fp32, in two passes: E[x^2] - E[x]^2 cancels when |mean| is far above the
 * deviation. The second pass also sums the differences themselves, which tells what rounding did to the mean (Chan,
 * Golub & LeVeque 1983, eq. 1.7).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

/* Mean, sum of squared deviations and number of values of each channel over a chunk of `len` pixels: part [n, chunks,
 * 3, c]. On CPUs as many vectors of channels side by side as hide the latency of additions and let a picture's rows be
 * read in long pieces; what the first pass reads stays in a cache for the second. */
#define AHEAD 12 /* pixels: rows of a picture are apart by more than hardware prefetchers follow */
#define DEFINE_COLUMNS(N)                                                                                              \
    /* Channels from i on of one chunk of n pixels, N vectors at a time, while as many are left. Returns the first one \
     * that is not done. */                                                                                            \
    HELPER int columns_##N(__global float *part, size_t at, __global const ACT *x, size_t xi, int n, int c, int i)     \
    {                                                                                                                  \
        for (; c - i > 16 * (N - 1); i += 16 * N) {                                                                    \
            float16 mean[N], s[N], e[N], q[N];                                                                         \
            _Pragma("unroll") for (int v = 0; v < N; v++)                                                              \
                s[v] = e[v] = q[v] = 0.0f;                                                                             \
            for (int p = 0; p < n; p++)                                                                                \
                _Pragma("unroll") for (int v = 0; v < N; v++) {                                                        \
                    FETCH(x + xi + (size_t)(p + AHEAD) * c + i + v * 16);                                              \
                    s[v] += load_part(x, xi + (size_t)p * c + i + v * 16, c - i - v * 16);                             \
                }                                                                                                      \
            _Pragma("unroll") for (int v = 0; v < N; v++)                                                              \
                mean[v] = s[v] / (float)n;                                                                             \
            for (int p = 0; p < n; p++)                                                                                \
                _Pragma("unroll") for (int v = 0; v < N; v++) {                                                        \
                    const float16 d = load_part(x, xi + (size_t)p * c + i + v * 16, c - i - v * 16) - mean[v];         \
                    e[v] += d;                                                                                         \
                    q[v] += d * d;                                                                                     \
                }                                                                                                      \
            _Pragma("unroll") for (int v = 0; v < N; v++) {                                                            \
                const int lanes = c - i - v * 16;                                                                      \
                store_part_f32(part, at + i + v * 16, mean[v] + e[v] / (float)n, lanes);                               \
                store_part_f32(part, at + c + i + v * 16, q[v] - e[v] * e[v] / (float)n, lanes);                       \
                store_part_f32(part, at + 2 * c + i + v * 16, (float16)((float)n), lanes);                             \
            }                                                                                                          \
        }                                                                                                              \
        return i;                                                                                                      \
    }
#ifdef CPU
DEFINE_COLUMNS(8)
DEFINE_COLUMNS(4)
#endif
DEFINE_COLUMNS(1)

__kernel void group_norm_part(__global float *part, int part0, __global const ACT *x, int x0, int pixels, int c,
                              int len)
{
    const int chunk = get_global_id(0), b = get_global_id(1), chunks = get_global_size(0);
    const int first = chunk * len, n = min(len, pixels - first);
    const size_t xi = x0 + ((size_t)b * pixels + first) * c, at = part0 + ((size_t)b * chunks + chunk) * 3 * c;
    int i = 0;
#ifdef CPU
    i = columns_8(part, at, x, xi, n, c, i);
    i = columns_4(part, at, x, xi, n, c, i);
#endif
    columns_1(part, at, x, xi, n, c, i);
}

/* Joins the parts of each channel: moments [n, 3, c], as one part of all pixels. Parts are of `len` units each, and a
 * part belongs to each sample that it has units of, `per` units a sample: so samples may have fewer than `slots`. The
 * mean is a first estimate and the mean difference from it: what rounding at the size of the mean did to the first sum
 * is not in the second. */
__kernel void moments_join(__global float *moments, int moments0, __global const float *part, int part0, int c,
                           int slots, int per, int len)
{
    const int i = get_global_id(0) * 16, b = get_global_id(1), lanes = c - i;
    const int parts = (b * per + per - 1) / len - b * per / len + 1;
    const size_t from = part0 + (size_t)b * slots * 3 * c + i, to = moments0 + (size_t)b * 3 * c + i;
    float16 n = 0.0f, base = 0.0f, off = 0.0f, m2 = 0.0f;
    for (int k = 0; k < parts; k++) {
        const float16 w = load_part_f32(part, from + ((size_t)k * 3 + 2) * c, lanes);
        n += w;
        base += w * load_part_f32(part, from + (size_t)k * 3 * c, lanes);
    }
    base /= n;
    for (int k = 0; k < parts; k++)
        off += load_part_f32(part, from + ((size_t)k * 3 + 2) * c, lanes) *
               (load_part_f32(part, from + (size_t)k * 3 * c, lanes) - base);
    off /= n;
    for (int k = 0; k < parts; k++) {
        const float16 d = load_part_f32(part, from + (size_t)k * 3 * c, lanes) - base - off;
        m2 += load_part_f32(part, from + ((size_t)k * 3 + 2) * c, lanes) * d * d +
              load_part_f32(part, from + ((size_t)k * 3 + 1) * c, lanes);
    }
    store_part_f32(moments, to, base + off, lanes);
    store_part_f32(moments, to + c, m2, lanes);
    store_part_f32(moments, to + 2 * c, n, lanes);
}

/* Joins the channels of a group: stats [n, groups, 2] = mean, 1/sqrt(var + eps). */
__kernel void group_norm_join(__global float *stats, int stats0, __global const float *moments, int moments0, int c,
                              float eps)
{
    const int g = get_global_id(0), b = get_global_id(1), groups = get_global_size(0), per = c / groups;
    const size_t from = moments0 + (size_t)b * 3 * c + g * per;
    const float n = moments[from + 2 * c];
    float base = 0.0f, off = 0.0f, m2 = 0.0f;
    for (int i = 0; i < per; i++)
        base += moments[from + i];
    base /= (float)per;
    for (int i = 0; i < per; i++)
        off += moments[from + i] - base;
    off /= (float)per;
    for (int i = 0; i < per; i++) {
        const float d = moments[from + i] - base - off;
        m2 += d * d * n + moments[from + c + i];
    }
    stats[stats0 + 2 * (b * groups + g)] = base + off;
    stats[stats0 + 2 * (b * groups + g) + 1] = rsqrt(m2 / (n * (float)per) + eps);
}

#ifdef CPU
/* Items: runs of `len` pixels, whole rows of channels, as they lie in memory. table [ceil(c/16)][3][16]: what is taken
 * off, the factor and what is added, of each channel. */
__kernel void group_norm_apply(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *stats,
                               int stats0, __global const float *gamma, int gamma0, __global const float *beta,
                               int beta0, int pixels, int c, int groups, int len, int act, __local float *table)
{
    const int first = get_global_id(0) * len, b = get_global_id(1), per = c / groups, n = min(len, pixels - first);
    for (int g = 0, i = 0; g < groups; g++) {
        const float mean = stats[stats0 + 2 * (b * groups + g)], r = stats[stats0 + 2 * (b * groups + g) + 1];
        for (int k = 0; k < per; k++, i++) {
            __local float *to = table + i / 16 * 48 + i % 16;
            to[0] = mean;
            to[16] = gamma[gamma0 + i] * r;
            to[32] = beta[beta0 + i];
        }
    }
    for (int p = 0; p < n; p++) {
        const size_t at = ((size_t)b * pixels + first + p) * c;
        __local const float *row = table;
        for (int i = 0; i < c; i += 16, row += 48) {
            float16 t = (load_part(x, x0 + at + i, c - i) - vload16(0, row)) * vload16(1, row) + vload16(2, row);
            if (act == ACT_SILU)
                t = t / (1.0f + exp_16(-t));
            store_part(y, y0 + at + i, t, c - i);
        }
    }
}
#else
__kernel void group_norm_apply(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *stats,
                               int stats0, __global const float *gamma, int gamma0, __global const float *beta,
                               int beta0, int pixels, int c, int groups, int len, int act)
{
    const int i = get_global_id(0) * 16, first = get_global_id(1) * len, b = get_global_id(2), per = c / groups;
    const int n = min(len, pixels - first), lanes = c - i;
    float m[16], r[16];
    for (int k = 0; k < 16; k++) {
        const int g = min(i + k, c - 1) / per;
        m[k] = stats[stats0 + 2 * (b * groups + g)];
        r[k] = stats[stats0 + 2 * (b * groups + g) + 1];
    }
    const float16 mean = vload16(0, m), a = load_part_f32(gamma, gamma0 + i, lanes) * vload16(0, r),
                  d = load_part_f32(beta, beta0 + i, lanes);
    for (int p = 0; p < n; p++) {
        const size_t at = ((size_t)b * pixels + first + p) * c + i;
        float16 t = (load_part(x, x0 + at, lanes) - mean) * a + d;
        if (act == ACT_SILU)
            t = t / (1.0f + exp_16(-t));
        store_part(y, y0 + at, t, lanes);
    }
}
#endif

/* SfuModulation; mod_c: from one sample's row to the next, 0 for one row; per: rows of x a sample. */
#define MODULATION __global const ACT *mod, int mod0, int mod_c, int per, int scale, int shift
/* Channels i to i + lanes - 1 of a row. */
INLINE float16 modulated(float16 v, int i, int lanes, size_t row, MODULATION)
{
    if (!mod)
        return v;
    const size_t at = mod0 + row / per * mod_c + i;
    if (scale >= 0)
        v *= 1.0f + load_part(mod, at + scale, lanes);
    return shift >= 0 ? v + load_part(mod, at + shift, lanes) : v;
}

__kernel void layer_norm(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *gamma,
                         int gamma0, __global const float *beta, int beta0, int c, float eps, MODULATION)
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
        store_part(y, y0 + at + i, modulated(v, i, lanes, get_global_id(0), mod, mod0, mod_c, per, scale, shift),
                   lanes);
    }
}

/* A run of `size` channels an item; runs of a row lie side by side from channel `first` on. */
__kernel void rms_norm(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *gamma, int gamma0,
                       int c, int first, int size, float eps, MODULATION)
{
    const size_t at = (size_t)get_global_id(1) * c + first + (size_t)get_global_id(0) * size;
    float16 q = 0.0f;
    for (int i = 0; i < size; i += 16) {
        const float16 v = HELD(load_part(x, x0 + at + i, size - i));
        q += v * v;
    }
    const float r = rsqrt(sum16(q) / size + eps);
    for (int i = 0; i < size; i += 16) {
        const int lanes = min(16, size - i);
        float16 v = HELD(load_part(x, x0 + at + i, lanes)) * r;
        if (gamma)
            v *= load_part_f32(gamma, gamma0 + i, lanes);
        store_part(y, y0 + at + i, modulated(v, i, lanes, get_global_id(1), mod, mod0, mod_c, per, scale, shift),
                   lanes);
    }
}

/* The first n of 16 values, the others f. */
HELPER float16 first16(float16 v, int n, float f)
{
    return n >= 16 ? v : select((float16)(f), v, (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) < n);
}

/* e^x is taken twice rather than kept in y, where fp16 would lose digits. */
__kernel void softmax(__global ACT *y, int y0, __global const ACT *x, int x0, int c)
{
    const size_t at = (size_t)get_global_id(0) * c;
    float16 m = -INFINITY, s = 0.0f;
    for (int i = 0; i < c; i += 16)
        m = fmax(m, first16(load_part(x, x0 + at + i, c - i), c - i, -INFINITY));
    float top[16], most = -INFINITY;
    vstore16(m, 0, top);
    for (int k = 0; k < 16; k++)
        most = fmax(most, top[k]);
    for (int i = 0; i < c; i += 16)
        s += first16(exp_16(load_part(x, x0 + at + i, c - i) - most), c - i, 0.0f);
    const float f = 1.0f / sum16(s);
    for (int i = 0; i < c; i += 16)
        store_part(y, y0 + at + i, exp_16(load_part(x, x0 + at + i, c - i) - most) * f, c - i);
}
