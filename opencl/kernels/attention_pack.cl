/* Keys and values in the panels that attention.cl reads, for CPU devices. Shapes are arguments, unlike there: this
 * moves every value once, and one program does for all attentions of a network.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

/* v[i].sj becomes v[j].si: four perfect shuffles. */
HELPER void transpose16(WORD16 *v)
{
#pragma unroll
    for (int round = 0; round < 4; round++) {
        WORD16 w[16];
#pragma unroll
        for (int i = 0; i < 8; i++) {
            w[2 * i].even = v[i].lo;
            w[2 * i].odd = v[i + 8].lo;
            w[2 * i + 1].even = v[i].hi;
            w[2 * i + 1].odd = v[i + 8].hi;
        }
#pragma unroll
        for (int i = 0; i < 16; i++)
            v[i] = w[i];
    }
}

/* 16 words of a row from i on, of which n values (any number) are there. */
HELPER WITH_BF16 WORD16 words(__global const ACT *p, size_t i, int n)
{
#ifdef BF16
    return to_bf16(n > 0 ? load_part(p, i, n) : (float16)(0.0f),
                   n > 16 ? load_part(p, i + 16, n - 16) : (float16)(0.0f));
#else
    return n > 0 ? load_part(p, i, n) : (float16)(0.0f);
#endif
}

HELPER float8 values8(__global const ACT *p, size_t i, int n)
{
    return n >= 8 ? LOAD8(p, i) : n > 0 ? load_part(p, i, n).lo : (float8)(0.0f);
}

/* kt [n][head][tk/kc, up to whole blocks][k_words][kc], vp [n][head][tk/block][dv/slice][block/PAIR][slice] words
 * (common.cl), zeros beyond tk and head_dim; as attention.cl has them, block is BLOCK, and so on. Zeros fill a row of
 * k_words. A word of kt holds neighbors along head_dim, one of vp neighboring keys. k_words: words a head. Items: dim
 * 0 = blocks of keys. */
HELPER BODY void pack_body(int blk, int head, int b, int blocks, __global WORD *kt, int kt0, __global WORD *vp, int vp0,
                           __global const ACT *k, int k0, __global const ACT *v, int v0, int tk, int n_heads, int wk,
                           int k_col, int wv, int v_col, int head_dim, int k_words, int dv, int slice, int block,
                           int kc)
{
    __global WORD *kd = kt + kt0 + (((size_t)b * n_heads + head) * blocks + blk) * k_words * block;
    __global WORD *vd = vp + vp0 + (((size_t)b * n_heads + head) * blocks + blk) * (block / PAIR) * dv;
    for (int j = 0; j < block; j += 16)
        for (int d = 0; d < k_words * PAIR; d += 16 * PAIR) {
            WORD16 m[16];
            for (int i = 0; i < 16; i++) {
                const int t = blk * block + j + i;
                const size_t ki = k0 + ((size_t)b * tk + t) * wk + k_col + head * head_dim + d;
                m[i] = words(k, ki, t < tk ? head_dim - d : 0);
            }
            transpose16(m);
            for (int i = 0; i < min(16, k_words - d / PAIR); i++)
                vstore16(m[i], 0, kd + (size_t)(j / kc * k_words + d / PAIR + i) * kc + j % kc);
        }
    for (int j = 0; j < block; j += PAIR) {
        const int t = blk * block + j;
        const size_t vi = v0 + ((size_t)b * tk + t) * wv + v_col + head * head_dim;
        for (int d = 0; d < dv; d += 8) {
            __global WORD *to = vd + ((size_t)(d / slice) * (block / PAIR) + j / PAIR) * slice + d % slice;
            const int dims = min(8, head_dim - d);
            const float8 a = values8(v, vi + d, t < tk ? dims : 0);
#ifdef BF16
            const float8 c = values8(v, vi + d + wv, t + 1 < tk ? dims : 0);
            float16 pairs;
            pairs.even = a;
            pairs.odd = c;
            vstore8(to_bf16(pairs, (float16)(0.0f)).lo, 0, to);
#else
            vstore8(a, 0, to);
#endif
        }
    }
}

__kernel void attention_pack(__global WORD *kt, int kt0, __global WORD *vp, int vp0, __global const ACT *k, int k0,
                             __global const ACT *v, int v0, int tk, int n_heads, int wk, int k_col, int wv, int v_col,
                             int head_dim, int k_words, int dv, int slice, int block, int kc)
{
    pack_body(get_global_id(0), get_global_id(1), get_global_id(2), get_global_size(0), kt, kt0, vp, vp0, k, k0, v, v0,
              tk, n_heads, wk, k_col, wv, v_col, head_dim, k_words, dv, slice, block, kc);
}
