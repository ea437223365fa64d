/* Attention on the matrix units of Intel's CPUs (amx_tiles.cl), without mask and bias. It keeps a running maximum as
 * attention.cl does: QUERIES = 32 rows an item, over blocks of KEYS keys. DK, DV: HEAD_DIM padded to whole steps of 32
 * inputs, and to tiles of 16 columns. Keys and values are packed by attention_pack.cl, 32 keys side by side:
 * kt [kn][head][tk/32][DK/2][32], vp [kn][head][tk/32][16][DV] words.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef CPU
#include "amx_tiles.cl"

#define QUERIES 32
#define K_WORDS (DK / 2)
#define VECS (KEYS / 16) /* vectors of logits a row */
/* Words from row to row: those 1 KiB apart would fall on each other in the first-level cache. */
#define Q_ROW (K_WORDS % 256 == 0 ? K_WORDS + 16 : K_WORDS)
#define ACC_ROW ((DV + 31) / 32 * 32 + 16)

/* 2^x for x <= 0, 2^-126 below that. The rounding constant leaves round(x) in the low bits. Relative error 1e-4: the
 * result is rounded to 8 bits. */
HELPER IN_BODY float16 power_of_2(float16 x)
{
    x = x < -126.0f ? (float16)(-126.0f) : x;
    const float16 t = x + 12582912.0f, r = x - (t - 12582912.0f);
    float16 e = 5.5171669e-2f;
    e = fma(e, r, (float16)(2.4260790e-1f));
    e = fma(e, r, (float16)(6.9326469e-1f));
    e = fma(e, r, (float16)(1.0f));
    return as_float16(as_int16(e) + (as_int16(t) << 23));
}

HELPER AMX_BODY void attention_body(int run, int head, int b, __global ACT *o, __global const ACT *q,
                                    __global const int *kt, __global const int *vp, int tq, int tk, int n_heads, int wq,
                                    int kn, float scale)
{
    const int i0 = run * QUERIES, groups = (tk + 31) / 32;
    const size_t hb = (size_t)(b % kn) * KV_HEAD(n_heads) + KV_HEAD(head);
    __global const int *keys = kt + hb * groups * K_WORDS * 32, *values = vp + hb * groups * 16 * DV;
    /* Rows that vectors are read from are declared as vectors: PoCL writes vectors to arrays of float in four parts. */
    int16 q_rows[QUERIES * Q_ROW / 16], p_rows[QUERIES * VECS / 2];
    float16 logits[QUERIES * VECS], acc[QUERIES * ACC_ROW / 16], sum[QUERIES];
    float top[QUERIES];
    const float f = scale * M_LOG2E_F;
    start_tiles();
    for (int i = 0; i < QUERIES; i++) {
        __global const ACT *from = q + ((size_t)b * tq + min(i0 + i, tq - 1)) * wq + head * HEAD_DIM;
        for (int d = 0; d < DK; d += 32) {
            const int n = HEAD_DIM - d;
            q_rows[(i * Q_ROW + d / 2) / 16] =
                to_bf16(load_part(from, d, n) * f, n > 16 ? load_part(from, d + 16, n - 16) * f : (float16)(0.0f));
        }
        for (int d = 0; d < ACC_ROW / 16; d++)
            acc[i * ACC_ROW / 16 + d] = 0.0f;
        sum[i] = 0.0f;
        top[i] = -1e30f; /* finite: differences of tops are never NaN */
    }
    for (int j0 = 0; j0 < tk; j0 += KEYS) {
        const int n_groups = min(KEYS, tk - j0 + 31) / 32, cols = n_groups * 2;
        for (int g = 0; g < n_groups; g++) {
            const size_t kp = (size_t)(keys + (size_t)(j0 / 32 + g) * K_WORDS * 32), qp = (size_t)q_rows;
            ZERO_SUMS;
            for (int d = 0; d < DK; d += 32)
                add_step(qp + d * 2, qp + d * 2 + 16 * Q_ROW * 4, Q_ROW * 4, kp + d * 64, TILE_BYTES);
            store_sums((size_t)(logits + g * 2), KEYS * 4);
        }
        if (j0 + KEYS > tk) {
            const int16 column = (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            for (int i = 0; i < QUERIES; i++)
                for (int j = max(cols - 2, 0); j < cols; j++)
                    logits[i * VECS + j] = select((float16)(-1e30f), logits[i * VECS + j], j0 + j * 16 + column < tk);
        }
        for (int i = 0; i < QUERIES; i++) {
            const float16 *row = logits + i * VECS;
            float16 m = row[0], n = row[1];
            for (int j = 2; j < cols; j += 2) {
                m = m > row[j] ? m : row[j];
                n = n > row[j + 1] ? n : row[j + 1];
            }
            const float now = fmax(top[i], greatest(m > n ? m : n));
            const float16 down = power_of_2((float16)(top[i] - now));
            float16 s = sum[i] * down, t = 0.0f;
            top[i] = now;
            for (int j = 0; j < cols; j += 2) {
                const float16 e0 = power_of_2(row[j] - now), e1 = power_of_2(row[j + 1] - now);
                s += e0;
                t += e1;
                p_rows[(i * VECS + j) / 2] = to_bf16(e0, e1);
            }
            sum[i] = s + t;
            if (j0 > 0)
                for (int d = 0; d < DV / 16; d++)
                    acc[i * ACC_ROW / 16 + d] *= down;
        }
        for (int c = 0; c < DV; c += 32) {
            const size_t to = (size_t)acc + c * 4, from = (size_t)p_rows;
            load_sums(to, ACC_ROW * 4);
            for (int g = 0; g < n_groups; g++) {
                const size_t v = (size_t)(values + (size_t)(j0 / 32 + g) * 16 * DV + c);
                add_step(from + g * 64, from + g * 64 + 16 * VECS * 32, VECS * 32, v, DV * 4);
            }
            store_sums(to, ACC_ROW * 4);
        }
    }
    ASM("tilerelease");
    for (int i = 0; i < QUERIES && i0 + i < tq; i++) {
        __global ACT *to = o + (((size_t)b * tq + i0 + i) * n_heads + head) * HEAD_DIM;
        const float share = 1.0f / sum16(sum[i]);
        for (int d = 0; d < HEAD_DIM; d += 16)
            store_part(to, d, acc[(i * ACC_ROW + d) / 16] * share, min(16, HEAD_DIM - d));
    }
}

/* Items: runs of QUERIES rows, heads, samples. */
__kernel void amx_attention(__global ACT *o, int o0, __global const ACT *q, int q0, __global const int *kt, int kt0,
                            __global const int *vp, int vp0, int tq, int tk, int n_heads, int wq, int q_col, int kn,
                            float scale)
{
    attention_body(get_global_id(0), get_global_id(1), get_global_id(2), o + o0, q + q0 + q_col, kt + kt0, vp + vp0, tq,
                   tk, n_heads, wq, kn, scale);
}
#endif
