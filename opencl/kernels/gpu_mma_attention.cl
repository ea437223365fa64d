/* Attention on matrix units (units.cl), fp16 values: a work-group takes QUERIES queries of one head over blocks of
 * KEYS keys, each of its sub-groups FM of them; scores stay in registers, with a running maximum (Milakov & Gimelshein
 * 2018; Dao 2023, algorithm 1). Keys, and then the values of the same block with rows and columns changed, pass
 * through one buffer in local memory; what comes next is on its way into registers meanwhile. HEAD_DIM (a multiple of
 * 8); MATRIX; QUERIES, KEYS (multiples of 16). q, k, v: rows and heads start at multiples of 8 values. Every barrier
 * is met by all items: loop bounds depend on the arguments only.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "units.cl"
#define DP ((HEAD_DIM + 15) / 16 * 16)
#define ROW_K (DP / 2 + 4) /* words a row: 4 more, so that rows fall into different banks */
#define ROW_P (KEYS / 2 + 4)
#define SN (KEYS / FN)
#define ON ((HEAD_DIM + FN - 1) / FN)
#define ITEMS (QUERIES / FM * SG)
#define CHUNKS (KEYS * (DP / 8))
#define LOADS ((CHUNKS + ITEMS - 1) / ITEMS)

/* This item's chunks of 8 values of the block of rows from j0 on; channels beyond HEAD_DIM are 0, rows beyond n the
 * last one again. */
INLINE void load_block(uint4 *r, __global const half *p, size_t p0, int pitch, int j0, int n, int lid)
{
    UNROLL for (int s = 0; s < LOADS; s++) {
        const int i = lid + s * ITEMS, row = i % KEYS, c = i / KEYS * 8;
        r[s] = c < HEAD_DIM ? *(__global const uint4 *)(p + p0 + (size_t)min(j0 + row, n - 1) * pitch + c) : (uint4)(0);
    }
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) UNIT_KERNEL void
attention_mma(__global half *o, int o0, __global const half *q, int q0, __global const half *k, int k0,
              __global const half *v, int v0, int tq, int tk, int n_heads, int wq, int q_col, int wk, int k_col, int wv,
              int v_col, int kn, float scale)
{
    __local uint qs[QUERIES * ROW_K] __attribute__((aligned(16))), ps[QUERIES * ROW_P] __attribute__((aligned(16)));
    __local uint kv[KEYS * ROW_K > DP * ROW_P ? KEYS * ROW_K : DP * ROW_P] __attribute__((aligned(16)));
    UNIT_SCRATCH(scratch, ITEMS)
    const int lid = get_local_id(0), sg = SG_ID, lane = SG_LANE;
    const int i0 = get_group_id(0) * QUERIES, head = get_group_id(1), b = get_group_id(2), kb = b % kn;
    const size_t qi = q0 + (size_t)b * tq * wq + q_col + head * HEAD_DIM,
                 ki = k0 + (size_t)kb * tk * wk + k_col + KV_HEAD(head) * HEAD_DIM;
    const size_t vi = v0 + (size_t)kb * tk * wv + v_col + KV_HEAD(head) * HEAD_DIM;
    for (int i = lid; i < QUERIES * (DP / 8); i += ITEMS) {
        const int row = i % QUERIES, c = i / QUERIES * 8;
        *(__local uint4 *)(qs + row * ROW_K + c / 2) =
            c < HEAD_DIM ? *(__global const uint4 *)(q + qi + (size_t)min(i0 + row, tq - 1) * wq + c) : (uint4)(0);
    }
    float8 acc[ON];
    float top[ROWS], sum[ROWS];
    UNROLL for (int n = 0; n < ON; n++)
        acc[n] = 0.0f;
    UNROLL for (int r = 0; r < ROWS; r++) {
        top[r] = -INFINITY;
        sum[r] = 0.0f;
    }
    scale *= M_LOG2E_F;
    uint4 next[LOADS];
    load_block(next, k, ki, wk, 0, tk, lid);
    for (int j0 = 0; j0 < tk; j0 += KEYS) {
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL for (int s = 0; s < LOADS; s++) {
            const int i = lid + s * ITEMS;
            if (i < CHUNKS)
                *(__local uint4 *)(kv + i % KEYS * ROW_K + i / KEYS * 4) = next[s];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        load_block(next, v, vi, wv, j0, tk, lid);
        float8 s[SN];
        UNROLL for (int n = 0; n < SN; n++)
            s[n] = 0.0f;
        UNROLL for (int d = 0; d < DP / 2; d += 8) {
            const FragA fa = load_a(qs + sg * FM * ROW_K + d, ROW_K, lane);
            UNROLL for (int n = 0; n < SN; n++)
                s[n] = mma(fa, load_b(kv + n * FN * ROW_K + d, ROW_K, lane), s[n], lid, scratch);
        }
        /* Probabilities without their common factor, and the factor by which what came before shrinks. */
        float p[SN][8], m[ROWS], f[ROWS];
        UNROLL for (int r = 0; r < ROWS; r++)
            m[r] = -INFINITY;
        UNROLL for (int n = 0; n < SN; n++) {
            unpack(p[n], s[n] * scale);
            UNROLL for (int e = 0; e < 8; e++) {
                if (j0 + n * FN + c_col(lane, e) >= tk)
                    p[n][e] = -INFINITY;
                m[ROW_OF(e)] = fmax(m[ROW_OF(e)], p[n][e]);
            }
        }
        row_max(m, lid, scratch);
        UNROLL for (int r = 0; r < ROWS; r++) {
            m[r] = fmax(m[r], top[r]); /* finite: no block is without a key */
            f[r] = exp2(top[r] - m[r]);
            top[r] = m[r];
            sum[r] *= f[r];
        }
        __local half *const to = (__local half *)(ps + sg * FM * ROW_P);
        UNROLL for (int n = 0; n < SN; n++)
            UNROLL for (int e = 0; e < 8; e++) {
                p[n][e] = exp2(p[n][e] - m[ROW_OF(e)]);
                sum[ROW_OF(e)] += p[n][e];
#ifdef PAIRS
                if (e % 2)
                    vstorea_half2_rte((float2)(p[n][e - 1], p[n][e]), 0,
                                      to + c_row(lane, e) * 2 * ROW_P + n * FN + c_col(lane, e - 1));
#else
                vstore_half_rte(p[n][e], 0, to + c_row(lane, e) * 2 * ROW_P + n * FN + c_col(lane, e));
#endif
            }
        const float8 shrink = (float8)(f[ROW_OF(0)], f[ROW_OF(1)], f[ROW_OF(2)], f[ROW_OF(3)], f[ROW_OF(4)],
                                       f[ROW_OF(5)], f[ROW_OF(6)], f[ROW_OF(7)]);
        UNROLL for (int n = 0; n < ON; n++)
            acc[n] *= shrink;
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL for (int s = 0; s < LOADS; s++) {
            const int i = lid + s * ITEMS;
            if (i < CHUNKS) {
                __local ushort *const col = (__local ushort *)kv + i % KEYS + i / KEYS * 8 * 2 * ROW_P;
                const ushort8 t = as_ushort8(next[s]);
                col[0] = t.s0;
                col[2 * ROW_P] = t.s1;
                col[4 * ROW_P] = t.s2;
                col[6 * ROW_P] = t.s3;
                col[8 * ROW_P] = t.s4;
                col[10 * ROW_P] = t.s5;
                col[12 * ROW_P] = t.s6;
                col[14 * ROW_P] = t.s7;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        load_block(next, k, ki, wk, min(j0 + KEYS, tk - 1), tk, lid); /* the last time for nothing */
        UNROLL for (int t = 0; t < KEYS / 2; t += 8) {
            const FragA fa = load_a(ps + sg * FM * ROW_P + t, ROW_P, lane);
            UNROLL for (int n = 0; n < ON; n++)
                acc[n] = mma(fa, load_b(kv + n * FN * ROW_P + t, ROW_P, lane), acc[n], lid, scratch);
        }
    }
    row_sum(sum, lid, scratch);
    const float8 total = (float8)(sum[ROW_OF(0)], sum[ROW_OF(1)], sum[ROW_OF(2)], sum[ROW_OF(3)], sum[ROW_OF(4)],
                                  sum[ROW_OF(5)], sum[ROW_OF(6)], sum[ROW_OF(7)]);
    UNROLL for (int n = 0; n < ON; n++) {
        float t[8];
        unpack(t, acc[n] / total);
        UNROLL for (int e = 0; e < 8; e++) {
            const int qt = i0 + sg * FM + c_row(lane, e), c = n * FN + c_col(lane, e);
            if (qt < tq && c < HEAD_DIM)
                vstore_half_rte(t[e], 0, o + o0 + (((size_t)b * tq + qt) * n_heads + head) * HEAD_DIM + c);
        }
    }
}
