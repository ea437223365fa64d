/* Attention on GPUs: a work-group of 16 x 16 items takes 64 queries of one head over blocks of 64 keys. Scores stand in local memory for one block
 * only, with a running maximum (Milakov & Gimelshein 2018). Queries, keys and values pass through one small buffer, 16 columns or 16 keys at a time,
 * so that any head size fits in 32 KiB. Item (lx, ly): queries 4 ly .. +3, keys and columns 4 lx .. +3 of each 64.
 * HEAD_DIM; NB = slices of 64 columns a value row. Every barrier is met by all items: loop bounds are the same for a whole group.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define SHAPE int tq, int tk, int n_heads, int wq, int q_col, int wk, int k_col, int wv, int v_col, int kn, float scale, int causal, \
        __global const float *bias, int bias0, int bias_n

__kernel __attribute__((reqd_work_group_size(16, 16, 1))) void attention_gpu(__global ACT *o, int o0, __global const ACT *q, int q0,
                                                                             __global const ACT *k, int k0, __global const ACT *v, int v0, SHAPE)
{
    __local float4 qs[16][17], ks[16][17]; /* [column][query or key / 4]; ks also [key][column / 4] of the values */
    __local float p[64][65], most[64][4];
    const int lx = get_local_id(0), ly = get_local_id(1), lid = ly * 16 + lx;
    const int i0 = get_group_id(0) * 64, head = get_group_id(1), b = get_group_id(2), kb = b % kn;
    const int row = lid / 4, part = lid % 4; /* what this item loads or reduces: a row, a quarter of it */
    const size_t qi = q0 + ((size_t)b * tq + min(i0 + row, tq - 1)) * wq + q_col + head * HEAD_DIM;
    float4 acc[4][NB];
    float top[4], sum[4];
    for (int i = 0; i < 4; i++) {
        top[i] = -INFINITY;
        sum[i] = 0.0f;
        for (int n = 0; n < NB; n++)
            acc[i][n] = 0.0f;
    }
    const int end = causal ? min(tk, i0 + 64) : tk;
    for (int j0 = 0; j0 < end; j0 += 64) {
        float s[4][4];
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
                s[i][j] = 0.0f;
        const size_t ki = k0 + ((size_t)kb * tk + min(j0 + row, tk - 1)) * wk + k_col + head * HEAD_DIM;
        for (int d0 = 0; d0 < HEAD_DIM; d0 += 16) {
            for (int d = 0; d < 4; d++) {
                const int at = d0 + part * 4 + d;
                ((__local float *)qs)[(part * 4 + d) * 68 + row] = at < HEAD_DIM ? LOAD(q, qi + at) * scale : 0.0f;
                ((__local float *)ks)[(part * 4 + d) * 68 + row] = at < HEAD_DIM ? LOAD(k, ki + at) : 0.0f;
            }
            barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
            for (int d = 0; d < 16; d++) {
                float a[4], c[4];
                vstore4(qs[d][ly], 0, a);
                vstore4(ks[d][lx], 0, c);
#pragma unroll
                for (int i = 0; i < 4; i++)
#pragma unroll
                    for (int j = 0; j < 4; j++)
                        s[i][j] = fma(a[i], c[j], s[i][j]);
            }
            barrier(CLK_LOCAL_MEM_FENCE);
        }
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) {
                const int qt = min(i0 + ly * 4 + i, tq - 1), kt = j0 + lx * 4 + j;
                if (kt >= tk || (causal && kt > qt))
                    s[i][j] = -INFINITY;
                else if (bias)
                    s[i][j] += bias[bias0 + (((size_t)(b % bias_n) * n_heads + head) * tq + qt) * tk + kt];
                p[ly * 4 + i][lx * 4 + j] = s[i][j];
            }
        barrier(CLK_LOCAL_MEM_FENCE);
        float m = -INFINITY;
        for (int j = 0; j < 16; j++)
            m = fmax(m, p[row][part * 16 + j]);
        most[row][part] = m;
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = 0; i < 4; i++) {
            const int r = ly * 4 + i;
            const float now = fmax(top[i], fmax(fmax(most[r][0], most[r][1]), fmax(most[r][2], most[r][3])));
            const float f = now == top[i] ? 1.0f : exp(top[i] - now);
            for (int n = 0; n < NB; n++)
                acc[i][n] *= f;
            sum[i] *= f;
            top[i] = now;
            for (int j = 0; j < 4; j++) /* -infinity minus itself is no number: nothing seen so far weighs nothing */
                p[r][lx * 4 + j] = s[i][j] == -INFINITY ? 0.0f : exp(s[i][j] - now);
        }
#pragma unroll
        for (int n = 0; n < NB; n++)
            for (int t0 = 0; t0 < 64; t0 += 16) {
                barrier(CLK_LOCAL_MEM_FENCE);
                const int t = lid / 16, kt = j0 + t0 + t, col = n * 64 + lid % 16 * 4; /* one key, four columns */
                const size_t vi = v0 + ((size_t)kb * tk + min(kt, tk - 1)) * wv + v_col + head * HEAD_DIM;
                float4 w = 0.0f;
                if (kt < tk && col < HEAD_DIM)
                    w = (float4)(LOAD(v, vi + col), col + 1 < HEAD_DIM ? LOAD(v, vi + col + 1) : 0.0f, col + 2 < HEAD_DIM ? LOAD(v, vi + col + 2) : 0.0f,
                                 col + 3 < HEAD_DIM ? LOAD(v, vi + col + 3) : 0.0f);
                ks[t][lid % 16] = w;
                barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
                for (int d = 0; d < 16; d++) {
                    const float4 c = ks[d][lx];
#pragma unroll
                    for (int i = 0; i < 4; i++) {
                        const float a = p[ly * 4 + i][t0 + d];
                        acc[i][n] = fma((float4)(a), c, acc[i][n]);
                        if (n == 0)
                            sum[i] += a;
                    }
                }
            }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    for (int i = 0; i < 4; i++) {
        const int qt = i0 + ly * 4 + i;
        if (qt >= tq)
            break;
        const size_t oi = o0 + (((size_t)b * tq + qt) * n_heads + head) * HEAD_DIM;
        for (int n = 0; n < NB; n++) {
            float t[4];
            vstore4(acc[i][n] / sum[i], 0, t);
            for (int j = 0; j < min(4, HEAD_DIM - n * 64 - lx * 4); j++)
                STORE(o, oi + n * 64 + lx * 4 + j, t[j]);
        }
    }
}
