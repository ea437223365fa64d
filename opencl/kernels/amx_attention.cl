/* Attention on the matrix units of Intel's CPUs (amx_tiles.cl), without mask and bias. It keeps a running maximum as
 * attention.cl does: QUERIES = 32 rows an item, over blocks of KEYS keys. DK, DV: HEAD_DIM padded to whole steps of 32
 * inputs, and to tiles of 16 columns. Keys and values are packed by attention_pack.cl, 32 keys side by side:
 * kt [kn][head][tk/32][DK/2][32], vp [kn][head][tk/32][16][DV] words.
 * A block's products with the keys, its softmax, and its products with the values follow each other. Side by side they
 * take as long: while the matrix unit works, the vector units do half as much.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef CPU
#include "amx_tiles.cl"

#define QUERIES 32
#define K_WORDS (DK / 2)
#define VECS (KEYS / 16) /* vectors of logits a row */
/* Words from row to row: those 1 KiB apart would fall on each other in the first-level cache. */
#define Q_ROW (K_WORDS % 256 == 0 ? K_WORDS + 16 : K_WORDS)
#define ACC_ROW ((DV + 31) / 32 * 32 + 16)
#define BLOCK_VECS (QUERIES * VECS)

/* 2^x: a polynomial of x - floor(x), scaled by 2^floor(x). Relative error 8e-5: the result is rounded to 8 bits. */
HELPER IN_BODY float16 power_of_2(float16 x)
{
    float16 r, e = 7.80245302e-2f;
    __asm__("vreduceps $9, %1, %0" : "=v"(r) : "v"(x));
    e = fma(e, r, (float16)(2.26067146e-1f));
    e = fma(e, r, (float16)(6.95833543e-1f));
    e = fma(e, r, (float16)(9.99925219e-1f));
    __asm__("vscalefps %1, %0, %0" : "+v"(e) : "v"(x));
    return e;
}

/* What a run of queries works on. Rows that vectors are read from are declared as vectors: PoCL writes vectors to
 * arrays of float in four parts. */
typedef struct {
    int16 q[QUERIES * Q_ROW / 16];
    float16 logits[BLOCK_VECS], acc[QUERIES * ACC_ROW / 16], sum[QUERIES];
    float top[QUERIES], down[QUERIES];
    int moved; /* whether `down` is not 1 everywhere */
} Run;

/* The products of the queries with n groups of 32 keys. */
HELPER IN_BODY void add_keys(Run *r, int n, size_t keys)
{
    const size_t q = (size_t)r->q;
    for (int g = 0; g < n; g++) {
        ZERO_SUMS;
#pragma unroll
        for (int d = 0; d < DK; d += 32, keys += 32 * 64)
            add_step(q + d * 2, q + d * 2 + 16 * Q_ROW * 4, Q_ROW * 4, keys, TILE_BYTES);
        store_sums((size_t)(r->logits + g * 2), KEYS * 4);
    }
}

/* Adds to the sums of the queries the products of n groups of 32 shares with their values. */
HELPER IN_BODY void add_values(Run *r, int n, size_t values)
{
    const size_t shares = (size_t)r->logits;
#pragma unroll
    for (int c = 0; c < DV; c += 32) {
        const size_t acc = (size_t)r->acc + c * 4;
        if (c + 16 == DV) { /* one tile of columns is left */
            load_left_sums(acc, ACC_ROW * 4);
            for (int g = 0; g < n; g++)
                add_left_step(shares + g * 64, shares + g * 64 + 16 * KEYS * 4, KEYS * 4,
                              values + (size_t)g * 64 * DV + c * 4, DV * 4);
            store_left_sums(acc, ACC_ROW * 4);
        } else {
            load_sums(acc, ACC_ROW * 4);
            for (int g = 0; g < n; g++)
                add_step(shares + g * 64, shares + g * 64 + 16 * KEYS * 4, KEYS * 4,
                         values + (size_t)g * 64 * DV + c * 4, DV * 4);
            store_sums(acc, ACC_ROW * 4);
        }
    }
}

/* Whether a value of v is above the limit. */
HELPER IN_BODY bool any_above(float16 v, float limit)
{
    const float16 all = limit;
    int mask;
    __asm__("vcmpltps %1, %2, %%k1\n kmovw %%k1, %0" : "=r"(mask) : "v"(v), "v"(all) : "k1");
    return mask;
}

/* Logits of row i become shares, relative to top[i]. That follows the largest logit only when it is left far behind:
 * shares of up to 2^ROOM do no harm, and most blocks need no new scale. */
#define ROOM 8
HELPER IN_BODY void share_row(Run *r, int i, int cols)
{
    float16 *row = r->logits + i * VECS;
    float16 m = row[0], n = row[1], s = r->sum[i], t = 0.0f;
    for (int j = 2; j < cols; j += 2) {
        m = m > row[j] ? m : row[j];
        n = n > row[j + 1] ? n : row[j + 1];
    }
    m = m > n ? m : n;
    r->down[i] = 1.0f;
    if (any_above(m, r->top[i] + ROOM)) {
        const float now = greatest(m);
        const float16 down = power_of_2((float16)(r->top[i] - now));
        s *= down;
        r->top[i] = now;
        r->down[i] = down.s0;
        r->moved = 1;
    }
    const float top = r->top[i];
    for (int j = 0; j < cols; j += 2) {
        const float16 e0 = power_of_2(row[j] - top), e1 = power_of_2(row[j + 1] - top);
        s += e0;
        t += e1;
        row[j / 2] = as_float16(to_bf16(e0, e1));
    }
    r->sum[i] = s + t;
}

/* Of a block's logits those behind the n-th get no share. */
HELPER IN_BODY void mask_rest(Run *r, int cols, int n)
{
    const int16 column = (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (int i = 0; i < QUERIES; i++)
        for (int j = max(cols - 2, 0); j < cols; j++) {
            float16 *v = r->logits + i * VECS + j;
            *v = select((float16)(-1e30f), *v, j * 16 + column < n);
        }
}

HELPER AMX_BODY void attention_body(int run, int head, int b, __global ACT *o, __global const ACT *q,
                                    __global const int *kt, __global const int *vp, int tq, int tk, int n_heads, int wq,
                                    int kn, float scale)
{
    const int i0 = run * QUERIES, groups = (tk + 31) / 32;
    const size_t hb = (size_t)(b % kn) * KV_HEAD(n_heads) + KV_HEAD(head);
    __global const int *keys = kt + hb * groups * K_WORDS * 32, *values = vp + hb * groups * 16 * DV;
    Run r;
    const float f = scale * M_LOG2E_F;
    start_tiles();
    for (int i = 0; i < QUERIES; i++) {
        __global const ACT *from = q + ((size_t)b * tq + min(i0 + i, tq - 1)) * wq + head * HEAD_DIM;
        for (int d = 0; d < DK; d += 32) {
            const int n = HEAD_DIM - d;
            r.q[(i * Q_ROW + d / 2) / 16] =
                to_bf16(load_part(from, d, n) * f, n > 16 ? load_part(from, d + 16, n - 16) * f : (float16)(0.0f));
        }
        for (int d = 0; d < ACC_ROW / 16; d++)
            r.acc[i * ACC_ROW / 16 + d] = 0.0f;
        r.sum[i] = 0.0f;
        r.top[i] = -1e30f; /* finite: differences of tops are never NaN */
    }
    for (int key = 0; key < tk; key += KEYS) {
        const int n = min(KEYS, tk - key + 31) / 32;
        add_keys(&r, n, (size_t)(keys + (size_t)key * K_WORDS));
        if (key + n * 32 > tk)
            mask_rest(&r, n * 2, tk - key);
        r.moved = 0;
        for (int i = 0; i < QUERIES; i++)
            share_row(&r, i, n * 2);
        for (int i = 0; r.moved && key && i < QUERIES; i++)
            for (int d = 0; d < DV / 16; d++)
                r.acc[i * ACC_ROW / 16 + d] *= r.down[i];
        add_values(&r, n, (size_t)(values + (size_t)key / 2 * DV));
    }
    ASM("tilerelease");
    for (int i = 0; i < QUERIES && i0 + i < tq; i++) {
        __global ACT *to = o + (((size_t)b * tq + i0 + i) * n_heads + head) * HEAD_DIM;
        const float share = 1.0f / sum16(r.sum[i]);
        for (int d = 0; d < HEAD_DIM; d += 16)
            store_part(to, d, r.acc[(i * ACC_ROW + d) / 16] * share, min(16, HEAD_DIM - d));
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
