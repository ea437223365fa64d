/* Normalizations and softmax on GPUs: neighboring items read neighboring channels, and a work-group of 64 shares
 * each row or group. Sums as in norm.cl: two passes, and the differences' own sum corrects the mean. Four values an
 * item at a time; ALIGNED and OUT4: rows start at multiples of 4, and have as many. Every barrier is met by all items.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "gpu.cl"
#define WG 64

/* Four values of a row of c from its i-th on, and what is written of them; d where the row is over. */
INLINE float4 row_4(__global const ACT *x, size_t row, int i, int c, float d)
{
    const RAW r = load_raw(x, row + i, c - i);
    const float4 v = VALUES(r);
    return (int4)(i, i + 1, i + 2, i + 3) < (int4)(c) ? v : (float4)(d);
}

/* The sum (or, most: the maximum) of every item's v, for all of them. t [WG] is free again on return. */
INLINE float group_reduce(float v, const bool most, __local float *t, int lid)
{
    t[lid] = v;
    for (int n = WG / 2; n > 0; n /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lid < n)
            t[lid] = most ? fmax(t[lid], t[lid + n]) : t[lid] + t[lid + n];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    v = t[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    return v;
}

/* Four channels of a chunk of `len` pixels an item: part [n, chunks, 2, c] = mean, sum of squared deviations. */
__kernel void group_norm_part_gpu(__global float *part, int part0, __global const ACT *x, int x0, int pixels, int c,
                                  int len)
{
    const int i = get_global_id(0) * 4, chunk = get_global_id(1), b = get_global_id(2), chunks = get_global_size(1);
    const int first = chunk * len, n = min(len, pixels - first);
    const size_t xi = x0 + ((size_t)b * pixels + first) * c, at = part0 + ((size_t)b * chunks + chunk) * 2 * c + i;
    float4 s = 0.0f, e = 0.0f, q = 0.0f;
#pragma unroll 4
    for (int p = 0; p < n; p++)
        s += row_4(x, xi + (size_t)p * c, i, c, 0.0f);
    const float4 mean = s / (float)n;
#pragma unroll 4
    for (int p = 0; p < n; p++) {
        const float4 d = row_4(x, xi + (size_t)p * c, i, c, 0.0f) - mean;
        e += d;
        q += d * d;
    }
    store_f32_4(part, at, mean + e / (float)n, c - i);
    store_f32_4(part, at + c, q - e * e / (float)n, c - i);
}

/* (n, mean, m2) += (w, m, q): Chan, Golub & LeVeque 1983, eq. 2.1. */
#define JOIN(n, mean, m2, w, m, q)                                                                                     \
    if (w > 0.0f) {                                                                                                    \
        const float d = m - mean, all = n + w;                                                                         \
        mean += d * w / all;                                                                                           \
        m2 += q + d * d * n * w / all;                                                                                 \
        n = all;                                                                                                       \
    }

/* A work-group for each group: stats [n, groups, 2] = mean, 1/sqrt(var + eps). */
__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void group_norm_join_gpu(__global float *stats, int stats0,
                                                                                  __global const float *part, int part0,
                                                                                  int pixels, int c, int len,
                                                                                  int chunks, float eps)
{
    __local float ns[WG], means[WG], m2s[WG];
    const int lid = get_local_id(0), g = get_group_id(0), b = get_group_id(1), groups = get_num_groups(0),
              per = c / groups;
    float n = 0.0f, mean = 0.0f, m2 = 0.0f;
    for (int k = lid; k < chunks * per; k += WG) {
        const int chunk = k / per;
        const size_t at = part0 + ((size_t)b * chunks + chunk) * 2 * c + g * per + k % per;
        const float w = (float)min(len, pixels - chunk * len), m = part[at], q = part[at + c];
        JOIN(n, mean, m2, w, m, q)
    }
    ns[lid] = n;
    means[lid] = mean;
    m2s[lid] = m2;
    for (int half_ = WG / 2; half_ > 0; half_ /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lid < half_) {
            const float w = ns[lid + half_], m = means[lid + half_], q = m2s[lid + half_];
            JOIN(n, mean, m2, w, m, q)
            ns[lid] = n;
            means[lid] = mean;
            m2s[lid] = m2;
        }
    }
    if (lid == 0) {
        stats[stats0 + 2 * (b * groups + g)] = mean;
        stats[stats0 + 2 * (b * groups + g) + 1] = rsqrt(m2 / n + eps);
    }
}

/* Four channels of one pixel an item. */
__kernel void group_norm_apply_gpu(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *stats,
                                   int stats0, __global const float *gamma, int gamma0, __global const float *beta,
                                   int beta0, int pixels, int c, int groups, int act)
{
    const int i = get_global_id(0) * 4, p = get_global_id(1), b = get_global_id(2), per = c / groups;
    const size_t at = ((size_t)b * pixels + p) * c;
    __global const float *s = stats + stats0 + 2 * b * groups;
    const int g0 = i / per * 2, g1 = min(i + 1, c - 1) / per * 2, g2 = min(i + 2, c - 1) / per * 2,
              g3 = min(i + 3, c - 1) / per * 2;
    const float4 mean = (float4)(s[g0], s[g1], s[g2], s[g3]), r = (float4)(s[g0 + 1], s[g1 + 1], s[g2 + 1], s[g3 + 1]);
    float4 v = (row_4(x, x0 + at, i, c, 0.0f) - mean) * r * load_part4(gamma, gamma0 + i, c - i) +
               load_part4(beta, beta0 + i, c - i);
    if (act == ACT_SILU)
        v = v / (1.0f + exp(-v));
    store_act4(y, y0 + at + i, v, c - i);
}

/* As in norm.cl. */
#define MODULATION __global const ACT *mod, int mod0, int mod_c, int per, int scale, int shift
INLINE float4 modulated_4(float4 v, int i, int lanes, size_t row, MODULATION)
{
    if (!mod)
        return v;
    const size_t at = mod0 + row / per * mod_c + i;
    if (scale >= 0)
        v *= 1.0f + load_act4(mod, at + scale, lanes, false);
    return shift >= 0 ? v + load_act4(mod, at + shift, lanes, false) : v;
}

/* A work-group for each row. */
__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void
layer_norm_gpu(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *gamma, int gamma0,
               __global const float *beta, int beta0, int c, float eps, MODULATION)
{
    __local float t[WG];
    const int lid = get_local_id(0);
    const size_t at = (size_t)get_group_id(0) * c;
    float4 s = 0.0f, e = 0.0f, q = 0.0f;
    for (int i = lid * 4; i < c; i += WG * 4)
        s += row_4(x, x0 + at, i, c, 0.0f);
    const float first = group_reduce(sum4(s), false, t, lid) / c;
    for (int i = lid * 4; i < c; i += WG * 4) {
        const float4 d = row_4(x, x0 + at, i, c, first) - first;
        e += d;
        q += d * d;
    }
    const float off = group_reduce(sum4(e), false, t, lid) / c, mean = first + off;
    const float r = rsqrt(fmax(group_reduce(sum4(q), false, t, lid) / c - off * off, 0.0f) + eps);
    for (int i = lid * 4; i < c; i += WG * 4) {
        float4 v = (row_4(x, x0 + at, i, c, 0.0f) - mean) * r;
        if (gamma)
            v *= load_part4(gamma, gamma0 + i, c - i);
        if (beta)
            v += load_part4(beta, beta0 + i, c - i);
        store_act4(y, y0 + at + i, modulated_4(v, i, c - i, get_group_id(0), mod, mod0, mod_c, per, scale, shift),
                   c - i);
    }
}

/* A work-group for each run of `size` channels. */
__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void
rms_norm_gpu(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *gamma, int gamma0, int c,
             int first, int size, int n_runs, float eps, MODULATION)
{
    __local float t[WG];
    const int lid = get_local_id(0);
    const size_t row = get_group_id(0) / n_runs, at = row * c + first + get_group_id(0) % n_runs * (size_t)size;
    float4 q = 0.0f;
    for (int i = lid * 4; i < size; i += WG * 4) {
        const float4 v = HELD(row_4(x, x0 + at, i, size, 0.0f));
        q += v * v;
    }
    const float r = rsqrt(group_reduce(sum4(q), false, t, lid) / size + eps);
    for (int i = lid * 4; i < size; i += WG * 4) {
        float4 v = HELD(row_4(x, x0 + at, i, size, 0.0f)) * r;
        if (gamma)
            v *= load_part4(gamma, gamma0 + i, size - i);
        store_act4(y, y0 + at + i, modulated_4(v, i, size - i, row, mod, mod0, mod_c, per, scale, shift), size - i);
    }
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void softmax_gpu(__global ACT *y, int y0,
                                                                          __global const ACT *x, int x0, int c)
{
    __local float t[WG];
    const int lid = get_local_id(0);
    const size_t at = (size_t)get_group_id(0) * c;
    float4 most = -INFINITY, s = 0.0f;
    for (int i = lid * 4; i < c; i += WG * 4)
        most = fmax(most, row_4(x, x0 + at, i, c, -INFINITY));
    const float top = group_reduce(fmax(fmax(most.x, most.y), fmax(most.z, most.w)), true, t, lid);
    for (int i = lid * 4; i < c; i += WG * 4)
        s += exp(row_4(x, x0 + at, i, c, -INFINITY) - top);
    const float all = group_reduce(sum4(s), false, t, lid);
    for (int i = lid * 4; i < c; i += WG * 4)
        store_act4(y, y0 + at + i, exp(row_4(x, x0 + at, i, c, 0.0f) - top) / all, c - i);
}
