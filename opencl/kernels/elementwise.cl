/* Elementwise ops: 16 values an item.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

/* How z is broadcast: 0 same shape, 1 [c], 2 [n, c], 3 one value a pixel. The value of z beside element i. */
HELPER float beside(__global const ACT *z, size_t z0, size_t i, int mode, int c, int per_sample)
{
    switch (mode) {
    case 1:
        return LOAD(z, z0 + i % c);
    case 2:
        return LOAD(z, z0 + i / per_sample * c + i % c);
    default:
        return LOAD(z, z0 + i / c);
    }
}

HELPER float16 beside16(__global const ACT *z, size_t z0, size_t i, int n, int mode, int c, int per_sample)
{
    if (mode == 0)
        return load_part(z, z0 + i, n);
    float t[16] = {0};
    for (int k = 0; k < n; k++)
        t[k] = beside(z, z0, i + k, mode, c, per_sample);
    return vload16(0, t);
}

__kernel void unary(__global ACT *y, int y0, __global const ACT *x, int x0, int total, int act, float param)
{
    SWEEP(k, 0, (total + 15) / 16)
    {
        const int i = k * 16, n = min(16, total - i);
        store_part(y, (size_t)y0 + i, act_16(load_part(x, (size_t)x0 + i, n), act, param), n);
    }
}

__kernel void axpby(__global ACT *y, int y0, __global const ACT *x, int x0, __global const ACT *z, int z0, int total,
                    float a, float b, int mode, int c, int per_sample)
{
    SWEEP(k, 0, (total + 15) / 16)
    {
        const int i = k * 16, n = min(16, total - i);
        const float16 v = a * load_part(x, (size_t)x0 + i, n);
        store_part(y, (size_t)y0 + i, z ? v + b * beside16(z, z0, i, n, mode, c, per_sample) : v + b, n);
    }
}

__kernel void mul(__global ACT *y, int y0, __global const ACT *x, int x0, __global const ACT *z, int z0, int total,
                  int mode, int c, int per_sample)
{
    SWEEP(k, 0, (total + 15) / 16)
    {
        const int i = k * 16, n = min(16, total - i);
        const float16 v = load_part(x, (size_t)x0 + i, n) * beside16(z, z0, i, n, mode, c, per_sample);
        store_part(y, (size_t)y0 + i, HELD(v), n);
    }
}

__kernel void scale_channels(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *a, int a0,
                             __global const float *b, int b0, int c, int total)
{
    SWEEP(i, 0, total)
    {
        const float v = LOAD(x, (size_t)x0 + i) * (a ? a[a0 + i % c] : 1.0f);
        STORE(y, (size_t)y0 + i, v + (b ? b[b0 + i % c] : 0.0f));
    }
}

/* y = (x + noise of the pixel) * gain, below zero times slope, within -limit .. limit. */
__kernel void leaky_clamp(__global ACT *y, int y0, __global const ACT *x, int x0, __global const float *noise,
                          int noise0, int pixels, int c, float slope, float gain, float limit)
{
    const int i = get_global_id(0) * 16, n = min(16, c - i);
    const size_t row = get_global_id(1), at = row * c + i;
    const float16 v = (load_part(x, x0 + at, n) + (noise ? noise[noise0 + row % pixels] : 0.0f)) * gain;
    store_part(y, y0 + at, clamp(fmax(v, v * slope), -limit, limit), n);
}

/* A channel an item; on CPUs, which have no use for so many items, 16. */
__kernel void mean_hw(__global ACT *y, int y0, __global const ACT *x, int x0, int pixels, int c)
{
#ifdef CPU
    const int i = get_global_id(0) * 16, b = get_global_id(1), lanes = min(16, c - i);
    float16 sum = 0.0f;
    for (int p0 = 0; p0 < pixels; p0 += 256) {
        float16 s = 0.0f;
        for (int p = p0; p < min(pixels, p0 + 256); p++)
            s += load_part(x, x0 + ((size_t)b * pixels + p) * c + i, lanes);
        sum += s;
    }
    store_part(y, (size_t)y0 + b * c + i, sum / (float)pixels, lanes);
#else
    const int i = get_global_id(0), b = get_global_id(1);
    float sum = 0.0f;
    for (int p0 = 0; p0 < pixels; p0 += 256) { /* a sum of sums: one long sum would lose digits */
        float s = 0.0f;
        for (int p = p0; p < min(pixels, p0 + 256); p++)
            s += LOAD(x, x0 + ((size_t)b * pixels + p) * c + i);
        sum += s;
    }
    STORE(y, (size_t)y0 + b * c + i, sum / pixels);
#endif
}

__kernel void convert(__global void *y, int y0, __global const void *x, int x0, int y_half, int x_half, int total)
{
    SWEEP(k, 0, total)
    {
        const size_t i = k;
        const float v = x_half ? vload_half(x0 + i, (__global const half *)x) : ((__global const float *)x)[x0 + i];
        if (y_half)
            vstore_half_rte(v, y0 + i, (__global half *)y);
        else
            ((__global float *)y)[y0 + i] = v;
    }
}

__kernel void count_nonfinite(__global int *count, int count0, __global const ACT *x, int x0, int total, int run)
{
    const int first = get_global_id(0) * run, last = first > total - run ? total : first + run;
    int n = 0;
    for (int i = first; i < last; i++)
        n += !isfinite(LOAD(x, (size_t)x0 + i));
    count[count0 + get_global_id(0)] = n;
}
