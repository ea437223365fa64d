/* Convolution and learned products on GPUs: a product of pixels by outputs, tile by tile in local memory, without im2col in memory: each tap reads
 * its row of channels in place. A work-group of 16 x 16 items makes 16 TM pixels x 16 TN outputs, 16 input channels at a time.
 * TM, TN (4 or 8); ALIGNED: rows of x start at multiples of 4 channels; GEGLU (TN 8): columns come as 64 values, then their 64 gates.
 * Every barrier is met by all items: loop bounds depend on the arguments only.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "gpu.cl"
#define BM (16 * TM)
#define BN (16 * TN)
#define BK 16

#ifdef W_F16
#define LOADW4(p, i) vloada_half4(0, (p) + (i))
#else
#define LOADW4(p, i) (*(__global const float4 *)((p) + (i)))
#endif

/* n values (4 or fewer) from i on; the rest 0. */
float4 load4(__global const ACT *p, size_t i, int n)
{
    if (n >= 4) {
#if defined(ALIGNED) && defined(ACT_F16)
        return vloada_half4(0, p + i);
#elif defined(ALIGNED)
        return *(__global const float4 *)(p + i);
#elif defined(ACT_F16)
        return vload_half4(0, p + i);
#else
        return vload4(0, p + i);
#endif
    }
    return (float4)(n > 0 ? LOAD(p, i) : 0.0f, n > 1 ? LOAD(p, i + 1) : 0.0f, n > 2 ? LOAD(p, i + 2) : 0.0f, 0.0f);
}

/* wt: [kh*kw*n_in][n_pad], n_pad a multiple of 128, zeros beyond n_out. Items: dim 0 = outputs, dim 1 = pixels of all samples in a row. */
__kernel __attribute__((reqd_work_group_size(16, 16, 1))) void conv_gpu(__global ACT *y, int y0, __global const ACT *x, int x0,
                                                                        __global const WT *wt, int wt0, int n_pix, int n_pad, GEOMETRY, EPILOGUE)
{
    __local float4 as[BK][BM / 4 + 1], bs[BK][BN / 4]; /* one float4 more: columns fall into different banks */
    const int lx = get_local_id(0), ly = get_local_id(1), lid = ly * 16 + lx, quad = lid % 4;
    const int m0 = get_group_id(1) * BM, n0 = get_group_id(0) * BN, per = oh * ow;
    float4 acc[TM][TN / 4];
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN / 4; j++)
            acc[i][j] = 0.0f;
    int iy[TM / 4], ix[TM / 4], ib[TM / 4]; /* the pixels that this item loads */
#pragma unroll
    for (int s = 0; s < TM / 4; s++) {
        const int p = min(m0 + lid / 4 + 64 * s, n_pix - 1), r = p % per;
        ib[s] = p / per;
        iy[s] = r / ow * stride - pad_t;
        ix[s] = r % ow * stride - pad_l;
    }
    for (int tap = 0; tap < kh * kw; tap++) {
        size_t at[TM / 4];
        bool seen[TM / 4];
#pragma unroll
        for (int s = 0; s < TM / 4; s++) {
            const int sy = source(iy[s] + tap / kw, h, up, wrap), sx = source(ix[s] + tap % kw, w, up, wrap);
            seen[s] = sy >= 0 && sx >= 0;
            at[s] = x0 + (((size_t)ib[s] * h + max(sy, 0)) * w + max(sx, 0)) * x_pitch + quad * 4;
        }
        for (int c0 = 0; c0 < n_in; c0 += BK) {
#pragma unroll
            for (int s = 0; s < TM / 4; s++) {
                const float4 v = seen[s] ? load4(x, at[s] + c0, n_in - c0 - quad * 4) : (float4)(0.0f);
                __local float *to = (__local float *)as + quad * 4 * (BM + 4) + lid / 4 + 64 * s;
                to[0] = v.x;
                to[BM + 4] = v.y;
                to[2 * (BM + 4)] = v.z;
                to[3 * (BM + 4)] = v.w;
            }
#pragma unroll
            for (int s = 0; s < TN / 4; s++) {
                const int i = lid + 256 * s, k = i / (BN / 4), col = i % (BN / 4);
                bs[k][col] = c0 + k < n_in ? LOADW4(wt, wt0 + (size_t)(tap * n_in + c0 + k) * n_pad + n0 + col * 4) : (float4)(0.0f);
            }
            barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
            for (int k = 0; k < BK; k++) {
                float4 b[TN / 4];
#pragma unroll
                for (int j = 0; j < TN / 4; j++)
                    b[j] = bs[k][16 * j + lx];
#pragma unroll
                for (int i = 0; i < TM / 4; i++) {
                    const float4 a = as[k][ly * (TM / 4) + i];
#pragma unroll
                    for (int j = 0; j < TN / 4; j++) {
                        acc[4 * i][j] = fma((float4)(a.x), b[j], acc[4 * i][j]);
                        acc[4 * i + 1][j] = fma((float4)(a.y), b[j], acc[4 * i + 1][j]);
                        acc[4 * i + 2][j] = fma((float4)(a.z), b[j], acc[4 * i + 2][j]);
                        acc[4 * i + 3][j] = fma((float4)(a.w), b[j], acc[4 * i + 3][j]);
                    }
                }
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }
    }
    for (int i = 0; i < TM; i++) {
        const int p = m0 + ly * TM + i;
        if (p >= n_pix)
            break;
#ifdef GEGLU
        const int o = n0 / 2 + lx * 4, half_out = n_out / 2;
        float v[4], g[4];
        vstore4(acc[i][0], 0, v);
        vstore4(acc[i][1], 0, g);
        for (int k = 0; k < min(4, half_out - o); k++) {
            if (bias) {
                v[k] += bias[bias0 + o + k];
                g[k] += bias[bias0 + half_out + o + k];
            }
            STORE(y, y0 + (size_t)p * y_pitch + o + k, v[k] * act_1(g[k], ACT_GELU, 0.0f));
        }
#else
        for (int j = 0; j < TN / 4; j++) {
            const int o = n0 + 64 * j + lx * 4;
            float v[4];
            vstore4(acc[i][j], 0, v);
            for (int k = 0; k < min(4, n_out - o); k++)
                finish_1(y + y0, (size_t)p * y_pitch + o + k, v[k], o + k, p / per, n_out, bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0,
                         act, act_param, scale);
        }
#endif
    }
}
