/* Convolution and learned products on matrix units (units.cl): an implicit product as in gpu_conv.cl. A work-group of
 * WG items makes BM pixels x BN outputs, 32 input channels at a time; each sub-group TM x TN fragments of it. The next
 * channels are on their way into registers while the present ones, in local memory, are multiplied. Sums pass through
 * local memory at the end, 32 pixels at a time, so that neighboring items write neighboring channels. ALIGNED: rows
 * of x start at multiples of 8 channels and n_in is one; OUT4: as gpu.cl says; GEGLU (BN 128): columns come as 64
 * values, then their 64 gates. Every barrier is met by all items: loop bounds depend on the arguments only.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "gpu.cl"
#include "units.cl"
#define BK 32
#define ROW 20 /* words a row of 32 halves: 16, and 4 so that the 8 rows of a fragment fall into different banks */
#define SLICE 32
#define STAGE (BN + 4)
#define GM (BM / (TM * FM)) /* sub-groups above each other */
#define A_LOADS (BM * 4 / WG)
#define B_LOADS (BN * 4 / WG)

/* The bits of 8 values from i on; n of them (8 or fewer, none below 1), the rest 0. */
INLINE uint4 load8(__global const half *p, size_t i, int n)
{
#ifdef ALIGNED
    return n > 0 ? *(__global const uint4 *)(p + i) : (uint4)(0);
#else
    __global const ushort *u = (__global const ushort *)p + i;
    uint t[8];
    UNROLL for (int k = 0; k < 8; k++)
        t[k] = k < n ? u[k] : 0;
    return (uint4)(t[0] | t[1] << 16, t[2] | t[3] << 16, t[4] | t[5] << 16, t[6] | t[7] << 16);
#endif
}

/* x and wt are fp16; wt: [n_rows][kh*kw][k_pad], k_pad = n_in rounded up to 32, zeros beyond. Items: dim 0 = outputs,
 * dim 1 = pixels. */
__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) UNIT_KERNEL void
conv_mma(__global half *y, int y0, __global const half *x, int x0, __global const half *wt, int wt0, int n_pix,
         int k_pad, int n_rows, GEOMETRY, EPILOGUE)
{
    __local uint room[(BM + BN) * ROW] __attribute__((aligned(16)));
    __local uint *const as = room, *const bs = room + BM * ROW;
    UNIT_SCRATCH(scratch, WG)
    const int lid = get_local_id(0), sg = SG_ID, lane = SG_LANE, quad = lid % 4;
    const int m0 = get_group_id(1) * BM, n0 = get_group_id(0) * BN, per = oh * ow, taps = kh * kw;
    const int wm = sg % GM * TM * FM, wn = sg / GM * TN * FN;
    float8 acc[TM][TN];
    UNROLL for (int i = 0; i < TM; i++)
        UNROLL for (int j = 0; j < TN; j++)
            acc[i][j] = 0.0f;
    /* The rows that this item loads a quarter of. */
    int iy[A_LOADS], ix[A_LOADS], ib[A_LOADS];
    uint at[A_LOADS],
        from[B_LOADS]; /* 32 bits save registers; opencl/ops/conv/conv_mma.c sees to it that they suffice */
    bool seen[A_LOADS];
    uint4 a[A_LOADS], b[B_LOADS];
    UNROLL for (int s = 0; s < A_LOADS; s++) {
        const int p = min(m0 + lid / 4 + WG / 4 * s, n_pix - 1), r = p % per;
        ib[s] = p / per * h;
        iy[s] = r / ow * stride - pad_t;
        ix[s] = r % ow * stride - pad_l;
    }
    UNROLL for (int s = 0; s < B_LOADS; s++)
        from[s] = wt0 + (uint)min(n0 + lid / 4 + WG / 4 * s, n_rows - 1) * taps * k_pad + quad * 8;
    /* One round more than there are chunks of channels: each loads the next one and multiplies the one before. */
    for (int tap = 0, c0 = 0, first = 1;; first = 0) {
        if (tap < taps) {
            if (c0 == 0)
                UNROLL for (int s = 0; s < A_LOADS; s++) {
                    const int sy = source(iy[s] + tap / kw, h, up, wrap & 2),
                              sx = source(ix[s] + tap % kw, w, up, wrap & 1);
                    seen[s] = sy >= 0 && sx >= 0;
                    at[s] = x0 + ((uint)(ib[s] + max(sy, 0)) * w + max(sx, 0)) * x_pitch + quad * 8;
                }
            UNROLL for (int s = 0; s < A_LOADS; s++)
                a[s] = seen[s] ? load8(x, at[s] + c0, n_in - c0 - quad * 8) : (uint4)(0);
            UNROLL for (int s = 0; s < B_LOADS; s++) {
                b[s] = *(__global const uint4 *)(wt + from[s]);
                from[s] += BK;
            }
        }
        if (!first) {
            UNROLL for (int k = 0; k < BK / 2; k += 8) { /* 16 channels: 8 words */
                FragB fb[TN];
                UNROLL for (int j = 0; j < TN; j++)
                    fb[j] = load_b(bs + (wn + j * FN) * ROW + k, ROW, lane);
                UNROLL for (int i = 0; i < TM; i++) {
                    const FragA fa = load_a(as + (wm + i * FM) * ROW + k, ROW, lane);
                    UNROLL for (int j = 0; j < TN; j++)
                        acc[i][j] = mma(fa, fb[j], acc[i][j], lid, scratch);
                }
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }
        if (tap == taps)
            break;
        UNROLL for (int s = 0; s < A_LOADS; s++)
            *(__local uint4 *)(as + (lid / 4 + WG / 4 * s) * ROW + quad * 4) = a[s];
        UNROLL for (int s = 0; s < B_LOADS; s++)
            *(__local uint4 *)(bs + (lid / 4 + WG / 4 * s) * ROW + quad * 4) = b[s];
        barrier(CLK_LOCAL_MEM_FENCE);
        c0 += BK;
        if (c0 >= n_in) {
            c0 = 0;
            tap++;
        }
    }
    __local float *const stage = (__local float *)room;
#ifndef GEGLU
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
#endif
    for (int r0 = 0; r0 < BM; r0 += SLICE) {
        UNROLL for (int i = 0; i < TM; i++)
            if ((wm + i * FM) / SLICE == r0 / SLICE)
                UNROLL for (int j = 0; j < TN; j++) {
                    float t[8];
                    unpack(t, acc[i][j]);
                    UNROLL for (int k = 0; k < 8; k++)
                        stage[(wm + i * FM - r0 + c_row(lane, k)) * STAGE + wn + j * FN + c_col(lane, k)] = t[k];
                }
        barrier(CLK_LOCAL_MEM_FENCE);
#ifdef GEGLU
        for (int i = lid; i < SLICE * 16; i += WG) {
            const int row = i / 16, col = i % 16 * 4, pix = m0 + r0 + row, o = n0 / 2 + col, half_out = n_out / 2;
            if (pix < n_pix && o < half_out) {
                float4 v = *(__local const float4 *)(stage + row * STAGE + col),
                       g = *(__local const float4 *)(stage + row * STAGE + 64 + col);
                const int n = min(4, half_out - o);
                if (bias) {
                    v += load_part4(bias, bias0 + o, n);
                    g += load_part4(bias, bias0 + half_out + o, n);
                }
                store_act4(y, y0 + (size_t)pix * y_pitch + o, v * gelu_4(g), n);
            }
        }
#else
        for (int i = lid; i < SLICE * (BN / 4); i += WG) {
            const int row = i / (BN / 4), col = i % (BN / 4) * 4, pix = m0 + r0 + row, o = n0 + col;
            if (pix < n_pix && o < n_out)
                finish_4(y + y0, (size_t)pix * y_pitch + o, *(__local const float4 *)(stage + row * STAGE + col),
                         n_out - o, o, pix / per, n_out, e);
        }
#endif
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}
