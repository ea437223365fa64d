/* What a device can do at best: the multiply-add rate and the copy rate that `sfumato bench` compares with.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

/* 24 independent chains of float16 multiply-adds, n times: 24 * 16 * 2 * n operations an item. */
__kernel void probe_fma(__global float *y, int y0, int n, float seed)
{
#define REP24(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15) F(16) F(17) F(18) F(19) F(20) \
        F(21) F(22) F(23)
#define DECL(i) float16 a##i = (float16)(seed + i);
#define STEP(i) a##i = fma(a##i, m, c);
#define JOIN(i) s += a##i;
    const float16 m = (float16)(1.0f - seed * 1e-6f), c = (float16)(seed * 1e-6f);
    float16 s = 0.0f;
    REP24(DECL)
    for (int k = 0; k < n; k++) {
        REP24(STEP)
    }
    REP24(JOIN)
    vstore16(s, 0, y + y0 + get_global_id(0) * 16);
}

/* y = x, 4096 floats an item. */
__kernel void probe_copy(__global float *y, int y0, __global const float *x, int x0)
{
    const size_t at = (size_t)get_global_id(0) * 4096;
    for (int i = 0; i < 4096; i += 16)
        vstore16(vload16(0, x + x0 + at + i), 0, y + y0 + at + i);
}

/* The same two for GPUs: as many operations an item, on registers that it has; neighbouring items copy neighbouring values. */
__kernel void probe_fma_gpu(__global float *y, int y0, int n, float seed)
{
    const float m = 1.0f - seed * 1e-6f, c = seed * 1e-6f;
    float a[24], s = 0.0f;
#pragma unroll
    for (int i = 0; i < 24; i++)
        a[i] = seed + i;
    for (int k = 0; k < 16 * n; k++)
#pragma unroll
        for (int i = 0; i < 24; i++)
            a[i] = fma(a[i], m, c);
#pragma unroll
    for (int i = 0; i < 24; i++)
        s += a[i];
    y[y0 + get_global_id(0)] = s;
}

__kernel void probe_copy_gpu(__global float *y, int y0, __global const float *x, int x0)
{
    vstore4(vload4(get_global_id(0), x + x0), get_global_id(0), y + y0);
}
