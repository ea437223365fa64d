/* Attention with a running maximum (Milakov & Gimelshein 2018): the score matrix is never stored.
 *   attention_plain  one query and head an item; what the other is tested against.
 *   attention_panel  6 queries a work item over blocks of 64 keys, for CPU devices; keys and values packed first.
 * HEAD_DIM, and for the panel kernel DV = float16 vectors a value row, SW = vectors a slice (DV is a multiple of SW).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define SHAPE int tq, int tk, int n_heads, int wq, int q_col, int wk, int k_col, int wv, int v_col, int kn, float scale, int causal, \
        __global const float *bias, int bias0, int bias_n

#ifdef PLAIN
__kernel void attention_plain(__global ACT *o, int o0, __global const ACT *q, int q0, __global const ACT *k, int k0, __global const ACT *v,
                              int v0, SHAPE)
{
    const int i = get_global_id(0), head = get_global_id(1), b = get_global_id(2), kb = b % kn;
    const size_t qi = q0 + ((size_t)b * tq + i) * wq + q_col + head * HEAD_DIM;
    float acc[HEAD_DIM], top = -INFINITY, sum = 0.0f;
    for (int d = 0; d < HEAD_DIM; d++)
        acc[d] = 0.0f;
    const int end = causal ? min(tk, i + 1) : tk;
    for (int j = 0; j < end; j++) {
        const size_t ki = k0 + ((size_t)kb * tk + j) * wk + k_col + head * HEAD_DIM;
        const size_t vi = v0 + ((size_t)kb * tk + j) * wv + v_col + head * HEAD_DIM;
        float s = 0.0f;
        for (int d = 0; d < HEAD_DIM; d++)
            s = fma(LOAD(q, qi + d), LOAD(k, ki + d), s);
        s *= scale;
        if (bias)
            s += bias[bias0 + (((size_t)(b % bias_n) * n_heads + head) * tq + i) * tk + j];
        if (s > top) {
            const float f = exp(top - s);
            for (int d = 0; d < HEAD_DIM; d++)
                acc[d] *= f;
            sum *= f;
            top = s;
        }
        const float p = s == -INFINITY ? 0.0f : exp(s - top);
        sum += p;
        for (int d = 0; d < HEAD_DIM; d++)
            acc[d] = fma(p, LOAD(v, vi + d), acc[d]);
    }
    const size_t oi = o0 + (((size_t)b * tq + i) * n_heads + head) * HEAD_DIM;
    for (int d = 0; d < HEAD_DIM; d++)
        STORE(o, oi + d, acc[d] / sum);
}
#else

/* kt [n][head][tk/64][HEAD_DIM][64], vp [n][head][tk rounded up to 64][DV*16], both fp32, zeros beyond tk and HEAD_DIM. */
__kernel void attention_pack(__global float *kt, int kt0, __global float *vp, int vp0, __global const ACT *k, int k0, __global const ACT *v, int v0,
                             int tk, int n_heads, int wk, int k_col, int wv, int v_col)
{
    const int blk = get_global_id(0), head = get_global_id(1), b = get_global_id(2), blocks = get_global_size(0);
    __global float *kd = kt + kt0 + (((size_t)b * n_heads + head) * blocks + blk) * HEAD_DIM * 64;
    __global float *vd = vp + vp0 + (((size_t)b * n_heads + head) * blocks + blk) * 64 * DV * 16;
    for (int j = 0; j < 64; j++) {
        const int t = blk * 64 + j;
        const size_t ki = k0 + ((size_t)b * tk + t) * wk + k_col + head * HEAD_DIM;
        const size_t vi = v0 + ((size_t)b * tk + t) * wv + v_col + head * HEAD_DIM;
        for (int d = 0; d < HEAD_DIM; d++)
            kd[d * 64 + j] = t < tk ? LOAD(k, ki + d) : 0.0f;
        for (int d = 0; d < DV * 16; d++)
            vd[j * DV * 16 + d] = t < tk && d < HEAD_DIM ? LOAD(v, vi + d) : 0.0f;
    }
}

float max16(float16 v)
{
    const float8 a = fmax(v.lo, v.hi);
    const float4 b = fmax(a.lo, a.hi);
    const float2 c = fmax(b.lo, b.hi);
    return fmax(c.x, c.y);
}

__kernel void attention_panel(__global ACT *o, int o0, __global const ACT *q, int q0, __global const float *kt, int kt0, __global const float *vp,
                              int vp0, SHAPE)
{
    const int i0 = get_global_id(0) * 6, head = get_global_id(1), b = get_global_id(2), blocks = (tk + 63) / 64;
    const size_t hb = (size_t)(b % kn) * n_heads + head;
    __global const float *kd = kt + kt0 + hb * blocks * HEAD_DIM * 64;
    __global const float *vd = vp + vp0 + hb * blocks * 64 * DV * 16;
    float qs[6][HEAD_DIM], top[6], sum[6], p[6][64];
    float16 acc[6][DV];
    for (int i = 0; i < 6; i++) {
        const size_t qi = q0 + ((size_t)b * tq + min(i0 + i, tq - 1)) * wq + q_col + head * HEAD_DIM;
        for (int d = 0; d < HEAD_DIM; d++)
            qs[i][d] = LOAD(q, qi + d) * scale;
        for (int s = 0; s < DV; s++)
            acc[i][s] = 0.0f;
        top[i] = -INFINITY;
        sum[i] = 0.0f;
    }
    const int end = causal ? min(blocks, (i0 + 5) / 64 + 1) : blocks;
    for (int blk = 0; blk < end; blk++, kd += HEAD_DIM * 64, vd += 64 * DV * 16) {
#define ROWS(F) F(0) F(1) F(2) F(3) F(4) F(5)
#define DECL(i) float16 s##i##0 = 0.0f, s##i##1 = 0.0f, s##i##2 = 0.0f, s##i##3 = 0.0f;
        ROWS(DECL)
        for (int d = 0; d < HEAD_DIM; d++) {
            const float16 k0v = vload16(0, kd + d * 64), k1v = vload16(1, kd + d * 64), k2v = vload16(2, kd + d * 64),
                          k3v = vload16(3, kd + d * 64);
#define MAC(i)                                                                                                                   \
    {                                                                                                                            \
        const float16 a = (float16)(qs[i][d]);                                                                                   \
        s##i##0 = fma(a, k0v, s##i##0);                                                                                          \
        s##i##1 = fma(a, k1v, s##i##1);                                                                                          \
        s##i##2 = fma(a, k2v, s##i##2);                                                                                          \
        s##i##3 = fma(a, k3v, s##i##3);                                                                                          \
    }
            ROWS(MAC)
        }
        const int left = tk - blk * 64;
#define KEEP(i)                                                                                                                  \
    vstore16(s##i##0, 0, p[i]);                                                                                                  \
    vstore16(s##i##1, 1, p[i]);                                                                                                  \
    vstore16(s##i##2, 2, p[i]);                                                                                                  \
    vstore16(s##i##3, 3, p[i]);
        ROWS(KEEP)
        if (left < 64 || causal || bias)
            for (int i = 0; i < 6; i++)
                for (int j = 0; j < 64; j++) {
                    const int t = blk * 64 + j, row = min(i0 + i, tq - 1);
                    if (t >= tk || (causal && t > row))
                        p[i][j] = -INFINITY;
                    else if (bias)
                        p[i][j] += bias[bias0 + (((size_t)(b % bias_n) * n_heads + head) * tq + row) * tk + t];
                }
        for (int i = 0; i < 6; i++) {
            const float16 a = vload16(0, p[i]), c = vload16(1, p[i]), e = vload16(2, p[i]), g = vload16(3, p[i]);
            const float now = fmax(top[i], max16(fmax(fmax(a, c), fmax(e, g))));
            if (now == -INFINITY) { /* nothing to see in this block */
                for (int s = 0; s < 4; s++)
                    vstore16((float16)(0.0f), s, p[i]);
                continue;
            }
            const float16 pa = exp(a - now), pc = exp(c - now), pe = exp(e - now), pg = exp(g - now);
            vstore16(pa, 0, p[i]);
            vstore16(pc, 1, p[i]);
            vstore16(pe, 2, p[i]);
            vstore16(pg, 3, p[i]);
            const float f = exp(top[i] - now);
            sum[i] = sum[i] * f + sum16(pa + pc + pe + pg);
            if (now > top[i])
                for (int s = 0; s < DV; s++)
                    acc[i][s] *= f;
            top[i] = now;
        }
        for (int s = 0; s < DV; s += SW) {
#if SW == 4
#define COLS(F, i) F(i, 0) F(i, 1) F(i, 2) F(i, 3)
#elif SW == 3
#define COLS(F, i) F(i, 0) F(i, 1) F(i, 2)
#elif SW == 2
#define COLS(F, i) F(i, 0) F(i, 1)
#else
#define COLS(F, i) F(i, 0)
#endif
#define TAKE(i, x) float16 t##i##x = acc[i][s + x];
#define GIVE(i, x) acc[i][s + x] = t##i##x;
#define STEP(i, x) t##i##x = fma(w, v##x, t##i##x);
#define VLOAD(i, x) const float16 v##x = vload16(0, vd + j * DV * 16 + (s + x) * 16);
#define TAKES(i) COLS(TAKE, i)
#define GIVES(i) COLS(GIVE, i)
#define STEPS(i)                                                                                                                 \
    {                                                                                                                            \
        const float16 w = (float16)(p[i][j]);                                                                                    \
        COLS(STEP, i)                                                                                                            \
    }
            ROWS(TAKES)
            for (int j = 0; j < 64; j++) {
                COLS(VLOAD, 0)
                ROWS(STEPS)
            }
            ROWS(GIVES)
        }
    }
    for (int i = 0; i < 6 && i0 + i < tq; i++) {
        const size_t oi = o0 + (((size_t)b * tq + i0 + i) * n_heads + head) * HEAD_DIM;
        for (int s = 0; s * 16 < HEAD_DIM; s++)
            store_part(o, oi + s * 16, acc[i][s] / sum[i], min(16, HEAD_DIM - s * 16));
    }
}
#endif
