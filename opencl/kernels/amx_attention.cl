/* Attention on the matrix units of Intel's CPUs (amx_tiles.cl), without mask and bias. It keeps a running maximum as
 * attention.cl does: QUERIES = 32 rows an item, over blocks of KEYS keys. DK, DV: HEAD_DIM padded to whole steps of 32
 * inputs, and to tiles of 16 columns. Keys and values are packed by attention_pack.cl, 32 keys side by side:
 * kt [kn][head][tk/32][DK/2][32], vp [kn][head][tk/32][16][DV] words.
 * While the vector units do the softmax of a block, the matrix unit multiplies the block before with its values, and
 * the keys of the block behind with the queries. So there are three blocks of logits; shares replace logits in place.
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

/* 2^x for x below 127, 2^-126 below x = -126. The rounding constant leaves round(x) in the low bits. Relative error
 * 1e-4: the result is rounded to 8 bits. */
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

/* What a run of queries works on. Rows that vectors are read from are declared as vectors: PoCL writes vectors to
 * arrays of float in four parts. */
typedef struct {
    int16 q[QUERIES * Q_ROW / 16];
    float16 logits[3 * BLOCK_VECS], acc[QUERIES * ACC_ROW / 16], sum[QUERIES];
    float top[QUERIES], down[QUERIES];
    int moved; /* whether `down` is not 1 everywhere */
} Run;

/* Groups of 32 keys in a block. */
HELPER IN_BODY int groups_in(int block, int tk)
{
    return min(KEYS, tk - block * KEYS + 31) / 32;
}

/* One step of a block's products with the values, of VALUE_CHAINS * groups. */
#define VALUE_CHAINS ((DV + 31) / 32)
HELPER IN_BODY void add_values(Run *r, int block, int step, int groups, __global const int *values)
{
    const int c = step / groups * 32, g = step % groups;
    const size_t acc = (size_t)r->acc + c * 4, shares = (size_t)(r->logits + block % 3 * BLOCK_VECS) + g * 64;
    if (g == 0)
        load_sums(acc, ACC_ROW * 4);
    add_step(shares, shares + 16 * KEYS * 4, KEYS * 4,
             (size_t)(values + (size_t)(block * (KEYS / 32) + g) * 16 * DV + c), DV * 4);
    if (g == groups - 1)
        store_sums(acc, ACC_ROW * 4);
}

/* One step of the products of the queries with a block's keys, of groups * KEY_STEPS. */
#define KEY_STEPS (DK / 32)
HELPER IN_BODY void add_keys(Run *r, int block, int step, __global const int *keys)
{
    const int g = step / KEY_STEPS, d = step % KEY_STEPS * 32;
    const size_t q = (size_t)r->q + d * 2;
    if (d == 0)
        ZERO_SUMS;
    add_step(q, q + 16 * Q_ROW * 4, Q_ROW * 4,
             (size_t)(keys + (size_t)(block * (KEYS / 32) + g) * K_WORDS * 32 + d * 16), TILE_BYTES);
    if (d == DK - 32)
        store_sums((size_t)(r->logits + block % 3 * BLOCK_VECS + g * 2), KEYS * 4);
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
HELPER IN_BODY void share_row(Run *r, int block, int i, int cols)
{
    float16 *row = r->logits + block % 3 * BLOCK_VECS + i * VECS;
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

/* Keys behind the last one get no share. */
HELPER IN_BODY void mask_rest(Run *r, int block, int cols, int tk)
{
    const int16 column = (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (int i = 0; i < QUERIES; i++)
        for (int j = max(cols - 2, 0); j < cols; j++) {
            float16 *v = r->logits + block % 3 * BLOCK_VECS + i * VECS + j;
            *v = select((float16)(-1e30f), *v, block * KEYS + j * 16 + column < tk);
        }
}

HELPER AMX_BODY void attention_body(int run, int head, int b, __global ACT *o, __global const ACT *q,
                                    __global const int *kt, __global const int *vp, int tq, int tk, int n_heads, int wq,
                                    int kn, float scale)
{
    const int i0 = run * QUERIES, groups = (tk + 31) / 32, n_blocks = (tk + KEYS - 1) / KEYS;
    const size_t hb = (size_t)(b % kn) * KV_HEAD(n_heads) + KV_HEAD(head);
    __global const int *keys = kt + hb * groups * K_WORDS * 32, *values = vp + hb * groups * 16 * DV;
    Run r;
    const float f = scale * M_LOG2E_F;
    r.moved = 0;
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
    for (int step = 0; step < groups_in(0, tk) * KEY_STEPS; step++)
        add_keys(&r, 0, step, keys);
    for (int block = 0; block <= n_blocks; block++) {
        const int before = block > 0 ? groups_in(block - 1, tk) : 0, cols = groups_in(block, tk) * 2,
                  behind = block + 1 < n_blocks ? groups_in(block + 1, tk) : 0, n_values = before * VALUE_CHAINS,
                  n_steps = n_values + behind * KEY_STEPS;
        for (int i = 0; r.moved && block > 1 && i < QUERIES; i++)
            for (int d = 0; d < DV / 16; d++)
                r.acc[i * ACC_ROW / 16 + d] *= r.down[i];
        r.moved = 0;
        if ((block + 1) * KEYS > tk && block < n_blocks)
            mask_rest(&r, block, cols, tk);
        for (int i = 0, step = 0; i < QUERIES; i++) {
            if (block < n_blocks)
                share_row(&r, block, i, cols);
            for (; step * QUERIES < n_steps * (i + 1); step++)
                if (step < n_values)
                    add_values(&r, block - 1, step, before, values);
                else
                    add_keys(&r, block + 1, step - n_values, keys);
        }
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
