/* Normalisations and softmax. Sums are fp32, in two passes: E[x^2] - E[x]^2 cancels when |mean| is far above the deviation. The second pass also
 * sums the differences themselves, which tells what rounding did to the mean (Chan, Golub & LeVeque 1983, eq. 1.7).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

/* Mean and sum of squared deviations of each channel over a chunk of `len` pixels: part [n, chunks, 2, c]. */
__kernel void group_norm_part(__global float *part, int part0, __global const ACT *x, int x0, int pixels, int c, int len)
{
    const int chunk = get_global_id(0), b = get_global_id(1), chunks = get_global_size(0);
    const int first = chunk * len, n = min(len, pixels - first);
    const size_t xi = x0 + ((size_t)b * pixels + first) * c, at = part0 + ((size_t)b * chunks + chunk) * 2 * c;
    for (int i = 0; i < c; i += 16) {
        const int lanes = min(16, c - i);
        float16 s = 0.0f, e = 0.0f, q = 0.0f;
        for (int p = 0; p < n; p++)
            s += load_part(x, xi + (size_t)p * c + i, lanes);
        const float16 mean = s / (float)n;
        for (int p = 0; p < n; p++) {
            const float16 d = load_part(x, xi + (size_t)p * c + i, lanes) - mean;
            e += d;
            q += d * d;
        }
        float m[16], v[16];
        vstore16(mean + e / (float)n, 0, m);
        vstore16(q - e * e / (float)n, 0, v);
        for (int k = 0; k < lanes; k++) {
            part[at + i + k] = m[k];
            part[at + c + i + k] = v[k];
        }
    }
}

/* Joins the parts of a group (Chan, Golub & LeVeque 1983, eq. 2.1): stats [n, groups, 2] = mean, 1/sqrt(var + eps). */
__kernel void group_norm_join(__global float *stats, int stats0, __global const float *part, int part0, int pixels, int c, int len, int chunks,
                              float eps)
{
    const int g = get_global_id(0), b = get_global_id(1), groups = get_global_size(0), per = c / groups;
    float n = 0.0f, mean = 0.0f, m2 = 0.0f;
    for (int k = 0; k < chunks; k++) {
        const float w = (float)min(len, pixels - k * len);
        const size_t at = part0 + ((size_t)b * chunks + k) * 2 * c + g * per;
        for (int i = 0; i < per; i++) {
            const float d = part[at + i] - mean, all = n + w;
            mean += d * w / all;
            m2 += part[at + c + i] + d * d * n * w / all;
            n = all;
        }
    }
    stats[stats0 + 2 * (b * groups + g)] = mean;
    stats[stats0 + 2 * (b * groups + g) + 1] = rsqrt(m2 / n + eps);
}

__kernel void group_norm_apply(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *stats, int stats0,
                               __global const float *gamma, int gamma0, __global const float *beta, int beta0, int pixels, int c, int groups,
                               int len, int act)
{
    const int i = get_global_id(0) * 16, first = get_global_id(1) * len, b = get_global_id(2), per = c / groups;
    const int n = min(len, pixels - first), lanes = min(16, c - i);
    float m[16], r[16];
    for (int k = 0; k < 16; k++) {
        const int g = min(i + k, c - 1) / per;
        m[k] = stats[stats0 + 2 * (b * groups + g)];
        r[k] = stats[stats0 + 2 * (b * groups + g) + 1];
    }
    const float16 mean = vload16(0, m), a = load_part_f32(gamma, gamma0 + i, lanes) * vload16(0, r), d = load_part_f32(beta, beta0 + i, lanes);
    const size_t at = ((size_t)b * pixels + first) * c + i;
    for (int p = 0; p < n; p++) {
        float16 v = (load_part(x, x0 + at + (size_t)p * c, lanes) - mean) * a + d;
        if (act == ACT_SILU)
            v = v / (1.0f + exp(-v));
        store_part(y, y0 + at + (size_t)p * c, v, lanes);
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
