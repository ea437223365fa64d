/* Attention on GPUs: a work-group of 16 x 16 items takes 16 QR queries of one head over blocks of 64 keys. Scores
 * stand in local memory for one block only, with a running maximum (Milakov & Gimelshein 2018). Queries, keys and
 * values pass through one small buffer, 16 columns or 16 keys at a time, so that any head size fits in 32 KiB; the
 * next ones are on their way into registers meanwhile. Item (lx, ly): queries QR ly .. + QR - 1, keys and columns 4 lx
 * .. + 3 of each 64; it sums the weights of its own keys only, and the items of a query meet at the end. HEAD_DIM; NB
 * = slices of 64 columns a value row; QR (4, 2 or 1): as many as leave the sums in registers; ALIGNED: every row of a
 * head starts at a multiple of 4 values. Every barrier is met by all items: loop bounds are the same for a whole
 * group.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef ALIGNED
#define OUT4
#endif
#include "gpu.cl"
#define SHAPE                                                                                                          \
    int tq, int tk, int n_heads, int wq, int q_col, int wk, int k_col, int wv, int v_col, int kn, float scale,         \
        int causal, __global const float *bias, int bias0, int bias_n

/* Four values of a head from column `col` on; 0 beyond its end. */
INLINE RAW head_4(__global const ACT *p, size_t row, int col)
{
    return load_raw(p, row + col, HEAD_DIM - col);
}
/* The same of the values of a key; 0 behind the last key. */
INLINE RAW value_4(__global const ACT *v, size_t first, int pitch, int key, int tk, int col)
{
    return key < tk ? head_4(v, first + (size_t)key * pitch, col) : (RAW)(0);
}

__kernel __attribute__((reqd_work_group_size(16, 16, 1))) void attention_gpu(__global ACT *o, int o0,
                                                                             __global const ACT *q, int q0,
                                                                             __global const ACT *k, int k0,
                                                                             __global const ACT *v, int v0, SHAPE)
{
    __local float4 qs[16][4 * QR + 1],
        ks[16][17];                /* [column][query or key / 4]; ks also [key][column / 4] of the values */
    __local float4 p[16 * QR][17]; /* [query][key / 4] */
    __local float most[16 * QR][4];
    const int lx = get_local_id(0), ly = get_local_id(1), lid = ly * 16 + lx;
    const int i0 = get_group_id(0) * 16 * QR, head = get_group_id(1), b = get_group_id(2), kb = b % kn;
    const int row = lid / 4, part = lid % 4; /* what this item loads or reduces: a row, a quarter of it */
    const bool query = QR == 4 || row < 16 * QR;
    const size_t qi = q0 + ((size_t)b * tq + min(i0 + row, tq - 1)) * wq + q_col + head * HEAD_DIM;
    const float to_2 = scale * M_LOG2E_F; /* e^x = 2^(x / ln 2), which devices do in one instruction */
    float4 acc[QR][NB];
    float top[QR], sum[QR];
    UNROLL for (int i = 0; i < QR; i++) {
        top[i] = -INFINITY;
        sum[i] = 0.0f;
        UNROLL for (int n = 0; n < NB; n++)
            acc[i][n] = 0.0f;
    }
    const int end = causal ? min(tk, i0 + 16 * QR) : tk;
    for (int j0 = 0; j0 < end; j0 += 64) {
        float4 s[QR];
        UNROLL for (int i = 0; i < QR; i++)
            s[i] = 0.0f;
        const size_t ki = k0 + ((size_t)kb * tk + min(j0 + row, tk - 1)) * wk + k_col + KV_HEAD(head) * HEAD_DIM;
        RAW rq = query ? head_4(q, qi, part * 4) : (RAW)(0), rk = head_4(k, ki, part * 4);
#pragma unroll 1
        for (int d0 = 0; d0 < HEAD_DIM; d0 += 16) {
            const float4 vq = VALUES(rq) * to_2, vk = VALUES(rk);
            __local float *to = (__local float *)ks + part * 4 * 68 + row;
            to[0] = vk.x;
            to[68] = vk.y;
            to[2 * 68] = vk.z;
            to[3 * 68] = vk.w;
            if (query) {
                to = (__local float *)qs + part * 4 * (16 * QR + 4) + row;
                to[0] = vq.x;
                to[16 * QR + 4] = vq.y;
                to[2 * (16 * QR + 4)] = vq.z;
                to[3 * (16 * QR + 4)] = vq.w;
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            if (d0 + 16 < HEAD_DIM) {
                if (query)
                    rq = head_4(q, qi, d0 + 16 + part * 4);
                rk = head_4(k, ki, d0 + 16 + part * 4);
            }
            UNROLL for (int d = 0; d < 16; d++) {
                const float4 c = ks[d][lx];
#if QR == 4
                const float4 a = qs[d][ly];
                s[0] = fma((float4)(a.x), c, s[0]);
                s[1] = fma((float4)(a.y), c, s[1]);
                s[2] = fma((float4)(a.z), c, s[2]);
                s[3] = fma((float4)(a.w), c, s[3]);
#else
                UNROLL for (int i = 0; i < QR; i++)
                    s[i] = fma((float4)(((__local const float *)qs)[d * (16 * QR + 4) + ly * QR + i]), c, s[i]);
#endif
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }
        /* The first values while the weights are made. In pieces of 16 keys: one key, four columns an item. */
        const size_t vi = v0 + (size_t)kb * tk * wv + v_col + KV_HEAD(head) * HEAD_DIM;
        const int key = j0 + lid / 16, col = lid % 16 * 4;
        RAW rv = value_4(v, vi, wv, key, tk, col);
        UNROLL for (int i = 0; i < QR; i++) {
            const int qt = min(i0 + ly * QR + i, tq - 1), kt = j0 + lx * 4;
            if (bias) {
                __global const float *more = bias + bias0 + (((size_t)(b % bias_n) * n_heads + head) * tq + qt) * tk;
                s[i] += M_LOG2E_F * (float4)(more[min(kt, tk - 1)], more[min(kt + 1, tk - 1)],
                                             more[min(kt + 2, tk - 1)], more[min(kt + 3, tk - 1)]);
            }
            const int last = causal ? min(tk - 1, qt) : tk - 1;
            s[i] = (int4)(kt, kt + 1, kt + 2, kt + 3) > (int4)(last) ? (float4)(-INFINITY) : s[i];
            p[ly * QR + i][lx] = s[i];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (query) {
            const float4 m =
                fmax(fmax(p[row][part * 4], p[row][part * 4 + 1]), fmax(p[row][part * 4 + 2], p[row][part * 4 + 3]));
            most[row][part] = fmax(fmax(m.x, m.y), fmax(m.z, m.w));
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL for (int i = 0; i < QR; i++) {
            const int r = ly * QR + i;
            const float now = fmax(top[i], fmax(fmax(most[r][0], most[r][1]), fmax(most[r][2], most[r][3])));
            const float f = now == top[i] ? 1.0f : exp2(top[i] - now);
            UNROLL for (int n = 0; n < NB; n++)
                acc[i][n] *= f;
            /* -infinity minus itself is no number: nothing seen so far weighs nothing */
            const float4 e = s[i] == -INFINITY ? (float4)(0.0f) : exp2(s[i] - now);
            sum[i] = sum[i] * f + sum4(e);
            top[i] = now;
            p[r][lx] = e;
        }
        UNROLL for (int n = 0; n < NB; n++)
#pragma unroll 1
            for (int t0 = 0; t0 < 64; t0 += 16) {
                barrier(CLK_LOCAL_MEM_FENCE);
                ks[lid / 16][lid % 16] = VALUES(rv);
                barrier(CLK_LOCAL_MEM_FENCE);
                if (t0 < 48)
                    rv = value_4(v, vi, wv, key + t0 + 16, tk, n * 64 + col);
                else if (n + 1 < NB)
                    rv = value_4(v, vi, wv, key, tk, (n + 1) * 64 + col);
                UNROLL for (int d = 0; d < 16; d += 4) {
                    const float4 c0 = ks[d][lx], c1 = ks[d + 1][lx], c2 = ks[d + 2][lx], c3 = ks[d + 3][lx];
                    UNROLL for (int i = 0; i < QR; i++) {
                        const float4 a = p[ly * QR + i][(t0 + d) / 4];
                        acc[i][n] = fma((float4)(a.x), c0, acc[i][n]);
                        acc[i][n] = fma((float4)(a.y), c1, acc[i][n]);
                        acc[i][n] = fma((float4)(a.z), c2, acc[i][n]);
                        acc[i][n] = fma((float4)(a.w), c3, acc[i][n]);
                    }
                }
            }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    UNROLL for (int i = 0; i < QR; i++)
        ((__local float *)p[ly * QR + i])[lx] = sum[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL for (int i = 0; i < QR; i++) {
        const int qt = i0 + ly * QR + i;
        if (qt < tq) {
            const float all = sum4(p[ly * QR + i][0] + p[ly * QR + i][1] + p[ly * QR + i][2] + p[ly * QR + i][3]);
            const size_t oi = o0 + (((size_t)b * tq + qt) * n_heads + head) * HEAD_DIM;
            UNROLL for (int n = 0; n < NB; n++)
                if (n * 64 + lx * 4 < HEAD_DIM)
                    store_act4(o, oi + n * 64 + lx * 4, acc[i][n] / all, HEAD_DIM - n * 64 - lx * 4);
        }
    }
}
