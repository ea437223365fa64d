/* What a device can do at best: the multiply-add rate and the copy rate that `sfumato bench` compares with.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

/* Independent chains of multiply-adds of vectors of VW that fit the registers (16, with AVX-512 32), 24 * 16 * 2 * n
 * operations an item. */
__kernel void probe_fma(__global float *y, int y0, int n, float seed)
{
#define REP12(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#if VW == 16
#define REP(F) REP12(F) F(12) F(13) F(14) F(15) F(16) F(17) F(18) F(19) F(20) F(21) F(22) F(23)
#define TIMES 1
#else
#define REP(F) REP12(F)
#define TIMES (2 * 16 / VW)
#endif
#define DECL(i) VEC a##i = (VEC)(seed + i);
#define STEP(i) a##i = fma(a##i, m, c);
#define JOIN(i) s += a##i;
    const VEC m = (VEC)(1.0f - seed * 1e-6f), c = (VEC)(seed * 1e-6f);
    VEC s = 0.0f;
    REP(DECL)
    for (int k = 0; k < n * TIMES; k++) {
        REP(STEP)
    }
    REP(JOIN)
    STOREV(s, 0, y + y0 + get_global_id(0) * VW);
}

/* y = x, 4096 floats an item. */
__kernel void probe_copy(__global float *y, int y0, __global const float *x, int x0)
{
    const size_t at = (size_t)get_global_id(0) * 4096;
    for (int i = 0; i < 4096; i += 16)
        vstore16(vload16(0, x + x0 + at + i), 0, y + y0 + at + i);
}

/* The same two for GPUs: as many operations an item, on registers that it has; neighboring items copy neighboring
 * values. */
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
