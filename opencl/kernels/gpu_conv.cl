/* Convolution and learned products on GPUs: a product of pixels by outputs, tile by tile in local memory, without
 * im2col in memory: each tap reads its row of channels in place. A work-group of 16 x 16 items makes 16 TM pixels x 16
 * TN outputs, 16 input channels at a time; the next channels are on their way into registers, as they are stored,
 * while the present ones are multiplied. TM, TN (4 or 8); ALIGNED: rows of x start at multiples of 4 channels and n_in
 * is one; OUT4: as gpu.cl says; GEGLU (TN 8): columns come as 64 values, then their 64 gates. Every barrier is met by
 * all items: loop bounds depend on the arguments only.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "gpu.cl"
#define BM (16 * TM)
#define BN (16 * TN)
#define BK 16
#define NOWHERE 0xffffffffu
#define A_LOADS (TM / 4)
#define B_LOADS (TN / 4)

#ifdef W_F16
#define RAW_W ushort4
#define VALUES_W(r) vload_half4(0, (const half *)&(r))
#else
#define RAW_W float4
#define VALUES_W(r) (r)
#endif

/* wt: [kh*kw*n_in][n_pad], n_pad a multiple of 128, zeros beyond n_out. Items: dim 0 = outputs, dim 1 = pixels of all
 * samples in a row. */
__kernel __attribute__((reqd_work_group_size(16, 16, 1))) void conv_gpu(__global ACT *y, int y0, __global const ACT *x,
                                                                        int x0, __global const WT *wt, int wt0,
                                                                        int n_pix, int n_pad, GEOMETRY, EPILOGUE)
{
    __local float4 as[BK][BM / 4 + 1], bs[BK][BN / 4]; /* one float4 more: columns fall into different banks */
    const int lx = get_local_id(0), ly = get_local_id(1), lid = ly * 16 + lx, quad = lid % 4;
    const int m0 = get_group_id(1) * BM, n0 = get_group_id(0) * BN, per = oh * ow, taps = kh * kw;
    float4 acc[TM][B_LOADS];
    UNROLL for (int i = 0; i < TM; i++)
        UNROLL for (int j = 0; j < B_LOADS; j++)
            acc[i][j] = 0.0f;
    int iy[A_LOADS], ix[A_LOADS]; /* the pixels that this item loads */
    uint at[A_LOADS];             /* 32 bits save registers: a tensor's elements are counted by an int */
    RAW a[A_LOADS];
    RAW_W b[B_LOADS];
    UNROLL for (int s = 0; s < A_LOADS; s++) {
        const int p = min(m0 + lid / 4 + 64 * s, n_pix - 1), r = p % per;
        iy[s] = r / ow * stride - pad_t;
        ix[s] = r % ow * stride - pad_l;
    }
    const int k_b =
        lid / (BN / 4); /* the first row of weights that this item loads; the others are 256 / (BN / 4) apart */
    uint from = wt0 + (uint)k_b * n_pad + n0 + lid % (BN / 4) * 4;
    /* One round more than there are chunks of channels: each loads the next one and multiplies the one before. */
    for (int tap = 0, c0 = 0, first = 1;; first = 0) {
        const bool more = tap < taps;
        if (more) {
            if (c0 == 0) {
                UNROLL for (int s = 0; s < A_LOADS; s++) {
                    const int sy = source(iy[s] + tap / kw, h, up, wrap & 2),
                              sx = source(ix[s] + tap % kw, w, up, wrap & 1);
                    const int b = min(m0 + lid / 4 + 64 * s, n_pix - 1) / per;
                    at[s] = sy >= 0 && sx >= 0 ? x0 + ((uint)(b * h + sy) * w + sx) * x_pitch + quad * 4 : NOWHERE;
                }
            }
            const int left = n_in - c0;
            UNROLL for (int s = 0; s < A_LOADS; s++)
                a[s] = load_raw(x, at[s] + c0, at[s] != NOWHERE ? left - quad * 4 : 0);
            UNROLL for (int s = 0; s < B_LOADS; s++)
                b[s] = k_b + s * (1024 / BN) < left
                           ? *(__global const RAW_W *)(wt + from + (uint)(s * (1024 / BN)) * n_pad)
                           : (RAW_W)(0);
            from += (uint)min(left, BK) * n_pad;
            c0 += BK;
            if (c0 >= n_in) {
                c0 = 0;
                tap++;
            }
        }
        if (!first) {
            UNROLL for (int k = 0; k < BK; k++) {
                float4 c[B_LOADS];
                UNROLL for (int j = 0; j < B_LOADS; j++)
                    c[j] = bs[k][16 * j + lx];
                UNROLL for (int i = 0; i < A_LOADS; i++) {
                    const float4 r = as[k][ly * A_LOADS + i];
                    UNROLL for (int j = 0; j < B_LOADS; j++) {
                        acc[4 * i][j] = fma((float4)(r.x), c[j], acc[4 * i][j]);
                        acc[4 * i + 1][j] = fma((float4)(r.y), c[j], acc[4 * i + 1][j]);
                        acc[4 * i + 2][j] = fma((float4)(r.z), c[j], acc[4 * i + 2][j]);
                        acc[4 * i + 3][j] = fma((float4)(r.w), c[j], acc[4 * i + 3][j]);
                    }
                }
            }
            if (!more)
                break;
            barrier(CLK_LOCAL_MEM_FENCE);
        }
        UNROLL for (int s = 0; s < A_LOADS; s++) {
            const float4 v = VALUES(a[s]);
            __local float *to = (__local float *)as + quad * 4 * (BM + 4) + lid / 4 + 64 * s;
            to[0] = v.x;
            to[BM + 4] = v.y;
            to[2 * (BM + 4)] = v.z;
            to[3 * (BM + 4)] = v.w;
        }
        UNROLL for (int s = 0; s < B_LOADS; s++)
            bs[k_b + s * (1024 / BN)][lid % (BN / 4)] = VALUES_W(b[s]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#ifndef GEGLU
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
#endif
    /* Row after row moves into the first place: written out for each, the epilogue would be long, and by number the
     * sums could not stay in registers. */
#pragma unroll 1
    for (int p = m0 + ly * TM; p < min(m0 + ly * TM + TM, n_pix); p++) {
#ifdef GEGLU
        const int o = n0 / 2 + lx * 4, half_out = n_out / 2, n = half_out - o;
        if (n > 0) {
            float4 v = acc[0][0], g = acc[0][1];
            if (bias) {
                v += load_part4(bias, bias0 + o, n);
                g += load_part4(bias, bias0 + half_out + o, n);
            }
            store_act4(y, y0 + (size_t)p * y_pitch + o, v * gelu_4(g), n);
        }
#else
        UNROLL for (int j = 0; j < B_LOADS; j++) {
            const int o = n0 + 64 * j + lx * 4;
            if (o < n_out)
                finish_4(y + y0, (size_t)p * y_pitch + o, acc[0][j], n_out - o, o, p / per, n_out, e);
        }
#endif
        UNROLL for (int i = 1; i < TM; i++)
            UNROLL for (int j = 0; j < B_LOADS; j++)
                acc[i - 1][j] = acc[i][j];
    }
}
