/* Attention with a running maximum (Milakov & Gimelshein 2018): the score matrix is never stored.
 *   attention_plain      one query and head an item; what the others are tested against.
 *   attention_panel      QUERIES a work item over blocks of BLOCK keys, for CPU devices; keys and values packed first
 *                        (attention_pack.cl).
 *   attention_one_block  the same where one block holds all keys, as with the 77 tokens of a prompt (ONE_BLOCK).
 * HEAD_DIM, and for the panel kernels: KC: keys that are packed side by side (BLOCK is a multiple); DV = HEAD_DIM
 * padded to whole slices of SLICE = 32 or 40 values; tiles in registers: Q_ROWS x Q_COLS logits, V_ROWS x SLICE sums.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define SHAPE                                                                                                          \
    int tq, int tk, int n_heads, int wq, int q_col, int wk, int k_col, int wv, int v_col, int kn, float scale,         \
        int causal, __global const float *bias, int bias0, int bias_n

#ifdef PLAIN
__kernel void attention_plain(__global ACT *o, int o0, __global const ACT *q, int q0, __global const ACT *k, int k0,
                              __global const ACT *v, int v0, SHAPE)
{
    const int i = get_global_id(0), head = get_global_id(1), b = get_global_id(2), kb = b % kn;
    const size_t qi = q0 + ((size_t)b * tq + i) * wq + q_col + head * HEAD_DIM;
    float acc[HEAD_DIM], top = -INFINITY, sum = 0.0f;
    for (int d = 0; d < HEAD_DIM; d++)
        acc[d] = 0.0f;
    const int end = causal ? min(tk, i + 1) : tk;
    for (int j = 0; j < end; j++) {
        const size_t ki = k0 + ((size_t)kb * tk + j) * wk + k_col + KV_HEAD(head) * HEAD_DIM;
        const size_t vi = v0 + ((size_t)kb * tk + j) * wv + v_col + KV_HEAD(head) * HEAD_DIM;
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

#define K_WORDS ((HEAD_DIM + PAIR - 1) / PAIR)

/* 2^x for x <= 0, relative error 8e-8; 2^-126 below that; NaN stays. The rounding constant leaves round(x) in the low
 * bits. */
HELPER float16 exp2_16(float16 x)
{
    x = x < -126.0f ? (float16)(-126.0f) : x;
    const float16 t = x + 12582912.0f, r = x - (t - 12582912.0f);
    float16 e = 1.3276471e-3f;
    e = fma(e, r, (float16)(9.6755413e-3f));
    e = fma(e, r, (float16)(5.5507133e-2f));
    e = fma(e, r, (float16)(2.4022120e-1f));
    e = fma(e, r, (float16)(6.9314697e-1f));
    e = fma(e, r, (float16)(1.0f));
    return as_float16(as_int16(e) + (as_int16(t) << 23));
}

#define ROWS16 ((QUERIES + 15) / 16)
/* Rows a multiple of 512 bytes apart would fall on each other in the first-level cache. */
#define Q_ROW ((K_WORDS + 15) / 16 * 16 + (K_WORDS % 128 == 0 ? 16 : 0))
#define ACC_ROW (DV + (DV % 128 == 0 ? 16 : 0))
#define Q_VECS (Q_COLS / VW)
#define V_VECS (SLICE / VW)
#define V_HALF (SLICE % VW) /* 40 values: two and a half vectors of 16 */

/* Functions that a BODY calls. */
#define IN_BODY WITH_BF16 __attribute__((always_inline))

/* Dimensions of the items: QUERIES rows an item, heads; which comes first. */
#ifdef HEADS_FIRST
#define HEAD_ID 0
#else
#define HEAD_ID 1
#endif
#define IDS get_global_id(1 - HEAD_ID), get_global_id(HEAD_ID), get_global_id(2)
/* The head of the item that comes next, and its first row; i0: this item's. */
HELPER __attribute__((always_inline)) int head_after(int head, int n_heads)
{
    return HEAD_ID == 0 ? (head + 1) % n_heads : head;
}
HELPER __attribute__((always_inline)) int row_after(int i0, int next_head)
{
    return HEAD_ID == 0 && next_head ? i0 : i0 + QUERIES;
}

#ifdef ONE_BLOCK
#define VECS (BLOCK / 16)
#define Q_VECS16 ((K_WORDS + 15) / 16)
#define GREATER(a, b) ((a) > (b) ? (a) : (b))

/* The greatest of each of four vectors. */
HELPER IN_BODY float4 greatest4(const float16 *m)
{
    const float16 a = GREATER((float16)(m[0].lo, m[1].lo), (float16)(m[0].hi, m[1].hi));
    const float16 b = GREATER((float16)(m[2].lo, m[3].lo), (float16)(m[2].hi, m[3].hi));
    const float16 c = GREATER((float16)(a.even, b.even), (float16)(a.odd, b.odd));
    const float8 d = GREATER(c.even, c.odd);
    return GREATER(d.even, d.odd);
}

/* The sum of each. */
HELPER IN_BODY float4 sum4x16(const float16 *m)
{
    const float16 a = (float16)(m[0].lo, m[1].lo) + (float16)(m[0].hi, m[1].hi),
                  b = (float16)(m[2].lo, m[3].lo) + (float16)(m[2].hi, m[3].hi);
    const float16 c = (float16)(a.even, b.even) + (float16)(a.odd, b.odd);
    const float8 d = c.even + c.odd;
    return d.even + d.odd;
}

/* Four rows of queries times f, in words; those behind the last one (which may be negative) are the last one again. */
HELPER IN_BODY void four_queries(WORD16 *to, __global const ACT *q, int wq, int last, float f)
{
#pragma unroll
    for (int r = 0; r < 4; r++) {
        __global const ACT *row = q + (ptrdiff_t)min(r, last) * wq;
#pragma unroll
        for (int d = 0; d < HEAD_DIM; d += 16 * PAIR) {
#ifdef BF16
            const int n = HEAD_DIM - d;
            to[r * Q_VECS16 + d / 32] =
                to_bf16(load_part(row, d, n) * f, n > 16 ? load_part(row, d + 16, n - 16) * f : (float16)(0.0f));
#else
            to[r * Q_VECS16 + d / 16] = load_part(row, d, HEAD_DIM - d) * f;
#endif
        }
    }
}

/* The logits s [4][VECS] of four queries qs [4][Q_VECS16 * 16] with all keys, and the greatest of each lane in m [4].
 */
HELPER IN_BODY void four_logits(float16 *s, float16 *m, const WORD *qs, __global const WORD *kd, int16 here)
{
#pragma unroll
    for (int r = 0; r < 4 * VECS; r++)
        s[r] = 0.0f;
#pragma unroll 4
    for (int d = 0; d < K_WORDS; d++) {
        WORD16 k[VECS];
#pragma unroll
        for (int c = 0; c < VECS; c++)
            k[c] = vload16(0, kd + d * BLOCK + c * 16);
#pragma unroll
        for (int r = 0; r < 4; r++) {
            const WORD16 e = (WORD16)(qs[r * Q_VECS16 * 16 + d]);
#pragma unroll
            for (int c = 0; c < VECS; c++)
                s[r * VECS + c] = dot16(e, k[c], s[r * VECS + c]);
        }
    }
#pragma unroll
    for (int r = 0; r < 4; r++) {
        s[r * VECS + VECS - 1] = select((float16)(-1e30f), s[r * VECS + VECS - 1], here);
        m[r] = s[r * VECS];
#pragma unroll
        for (int c = 1; c < VECS; c++)
            m[r] = GREATER(m[r], s[r * VECS + c]);
    }
}

/* Writes the weights 2^(s - top) of four queries to `to` [4][VECS], in words, and leaves the sums of their lanes in
 * m [4]. */
HELPER IN_BODY void four_weights(float16 *to_rows, float16 *m, float16 *s, float4 top)
{
#pragma unroll
    for (int r = 0; r < 4; r++) {
        const float t = r == 0 ? top.x : r == 1 ? top.y : r == 2 ? top.z : top.w;
        float16 *to = to_rows + r * VECS;
#pragma unroll
        for (int c = 0; c < VECS; c++) {
            const float16 e = exp2_16(s[r * VECS + c] - t);
            m[r] = c == 0 ? e : m[r] + e;
#ifdef BF16
            s[r * VECS + c] = e;
#else
            to[c] = e;
#endif
        }
#ifdef BF16
#pragma unroll
        for (int c = 0; c < VECS; c += 2)
            to[c / 2] = as_float16(to_bf16(s[r * VECS + c], c + 1 < VECS ? s[r * VECS + c + 1] : (float16)(0.0f)));
#endif
    }
}

/* Writes a slice of one row of o: s [2] and h, which holds 8 values more, times the row's share. n: values of the head
 * from there on. */
HELPER IN_BODY void store_slice(__global ACT *to, const float16 *s, float8 h, float share, int n)
{
#if HEAD_DIM == DV
    STORE16(to, 0, s[0] * share);
    STORE16(to, 16, s[1] * share);
#if V_HALF
    STORE8(to, 32, h * share);
#endif
#else
    store_part(to, 0, s[0] * share, min(n, 16));
    if (n > 16)
        store_part(to, 16, s[1] * share, min(n - 16, 16));
#if V_HALF
    if (n > 32)
        store_part(to, 32, (float16)(h * share, (float8)(0.0f)), min(n - 32, 8));
#endif
#endif
}

/* V_ROWS rows of one slice of o: the values vs [tk][SLICE] times the rows' weights w, times their shares. Rows after
 * `rows` are not written. */
HELPER IN_BODY void weigh_slice(__global ACT *to, int o_row, const WORD *w, const float *shares,
                                __global const WORD *vs, int tk, int rows, int n)
{
    float16 s[V_ROWS * 2];
    float8 h[V_ROWS];
#if V_HALF
    /* w again, but the compiler must not know: it would broadcast 8 values and shuffle them to 16, on a pipe that
     * multiplies. */
    const WORD *w8 = w + (tk >> 30);
#endif
#pragma unroll
    for (int r = 0; r < V_ROWS; r++) {
        s[2 * r] = s[2 * r + 1] = 0.0f;
        h[r] = 0.0f;
    }
    for (int j = 0; j < (tk + PAIR - 1) / PAIR; j++, vs += SLICE) {
        const WORD16 v0 = vload16(0, vs), v1 = vload16(1, vs);
#if V_HALF
        const WORD8 vh = vload8(4, vs);
#endif
#pragma unroll
        for (int r = 0; r < V_ROWS; r++) {
            const WORD16 e = (WORD16)(w[r * BLOCK + j]);
            s[2 * r] = dot16(e, v0, s[2 * r]);
            s[2 * r + 1] = dot16(e, v1, s[2 * r + 1]);
#if V_HALF
            h[r] = dot8((WORD8)(w8[r * BLOCK + j]), vh, h[r]);
#endif
        }
    }
#pragma unroll
    for (int r = 0; r < V_ROWS; r++)
        if (r < rows)
            store_slice(to + (size_t)r * o_row, s + 2 * r, h[r], shares[r], n);
}

/* attention_panel for keys that fit one block of up to 80, without bias and not causal: the logits of four queries stay
 * in registers until they are weights, nothing is rescaled, and the product with the values goes straight to o. VW is
 * 16; items as there. */
HELPER BODY void one_block_body(int run, int head, int b, __global ACT *o, int o0, __global const ACT *q, int q0,
                                __global const WORD *kt, int kt0, __global const WORD *vp, int vp0, int tq, int tk,
                                int n_heads, int wq, int q_col, int kn, float scale)
{
    const int i0 = run * QUERIES;
    const int next_head = head_after(head, n_heads), next_i0 = row_after(i0, next_head);
    const int last = min(tq - i0, QUERIES) - 1, o_row = n_heads * HEAD_DIM;
    const size_t hb = (size_t)(b % kn) * KV_HEAD(n_heads) + KV_HEAD(head), row0 = (size_t)b * tq + i0;
    __global const WORD *kd = kt + kt0 + hb * K_WORDS * BLOCK, *vd = vp + vp0 + hb * (BLOCK / PAIR) * DV;
    __global const ACT *qd = q + q0 + row0 * wq + q_col + head * HEAD_DIM;
    __global const ACT *q_next = q + q0 + ((size_t)b * tq + next_i0) * wq + q_col + next_head * HEAD_DIM;
    __global ACT *od = o + o0 + row0 * o_row + head * HEAD_DIM;
    /* Rows that vectors are read from are declared as vectors: PoCL writes vectors to arrays of float in four parts. */
    float16 p_rows[QUERIES * VECS];
    float4 shares[QUERIES / 4]; /* 1 / sum of a row's weights */
    WORD16 q_rows[4 * Q_VECS16];
    const int16 here = BLOCK - 16 + (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) < tk;
    const float f = scale * M_LOG2E_F;
    four_queries(q_rows, qd, wq, last, f);
    for (int i = 0; i <= last; i += 4) {
        float16 s[4 * VECS], m[4];
        four_logits(s, m, (const WORD *)q_rows, kd, here);
        /* The next queries while the maximum is waited for. */
#pragma unroll
        for (int r = 0; r < 4; r++) {
            __global const ACT *ahead =
                i + 8 < QUERIES ? qd + (size_t)(i + 8 + r) * wq : q_next + (size_t)(i + 8 + r - QUERIES) * wq;
#pragma unroll
            for (int d = 0; d < HEAD_DIM; d += 16) {
                FETCH_TO_WRITE(od + (size_t)(i + r) * o_row + d);
                FETCH(ahead + d);
            }
        }
        four_queries(q_rows, qd + (size_t)(i + 4) * wq, wq, last - i - 4, f);
        four_weights(p_rows + i * VECS, m, s, greatest4(m));
        shares[i / 4] = 1.0f / sum4x16(m);
    }
    for (int c0 = 0; c0 < DV; c0 += SLICE)
        for (int i = 0; i <= last; i += V_ROWS)
            weigh_slice(od + (size_t)i * o_row + c0, o_row, (const WORD *)p_rows + i * BLOCK, (const float *)shares + i,
                        vd + (size_t)c0 * (BLOCK / PAIR), tk, last + 1 - i, HEAD_DIM - c0);
}

__kernel void attention_one_block(__global ACT *o, int o0, __global const ACT *q, int q0, __global const WORD *kt,
                                  int kt0, __global const WORD *vp, int vp0, int tq, int tk, int n_heads, int wq,
                                  int q_col, int kn, float scale)
{
    one_block_body(IDS, o, o0, q, q0, kt, kt0, vp, vp0, tq, tk, n_heads, wq, q_col, kn, scale);
}
#else

/* One query times f, in words [Q_ROW]. */
HELPER IN_BODY void read_query(WORD16 *to, __global const ACT *q, size_t qi, float f)
{
    for (int d = 0; d < HEAD_DIM; d += 16 * PAIR) {
#ifdef BF16
        const int n = HEAD_DIM - d;
        to[d / 32] =
            to_bf16(load_part(q, qi + d, n) * f, n > 16 ? load_part(q, qi + d + 16, n - 16) * f : (float16)(0.0f));
#else
        to[d / 16] = load_part(q, qi + d, HEAD_DIM - d) * f;
#endif
    }
}

/* A tile of logits `to` [Q_ROWS][BLOCK], Q_COLS of them: the queries qp [Q_ROWS][Q_ROW] times the keys kp. */
HELPER IN_BODY void logits_tile(VEC *to, const WORD *qp, __global const WORD *kp)
{
    VEC s[Q_ROWS * Q_VECS];
#pragma unroll
    for (int r = 0; r < Q_ROWS * Q_VECS; r++)
        s[r] = 0.0f;
#pragma unroll 4
    for (int d = 0; d < K_WORDS; d++) {
        WVEC k[Q_VECS];
#pragma unroll
        for (int c = 0; c < Q_VECS; c++)
            k[c] = LOADW_VEC(kp + d * KC + c * VW);
#pragma unroll
        for (int r = 0; r < Q_ROWS; r++) {
            const WVEC f = (WVEC)(qp[r * Q_ROW + d]);
#pragma unroll
            for (int c = 0; c < Q_VECS; c++)
                s[r * Q_VECS + c] = dotv(f, k[c], s[r * Q_VECS + c]);
        }
    }
#pragma unroll
    for (int r = 0; r < Q_ROWS * Q_VECS; r++)
        to[r / Q_VECS * (BLOCK / VW) + r % Q_VECS] = s[r];
}

/* Adds the bias to one row of logits p [cols], and takes out those of keys from number `most` on. keys: how many the
 * block has. bias: the row's, from the block's first key on; or NULL. none: the logit of a key that is not seen. */
HELPER IN_BODY void mask_row(float16 *p, __global const float *bias, int keys, int cols, int most, float none)
{
    for (int j = bias ? 0 : max(most, 0) / 16 * 16; j < cols; j += 16) {
        float16 v = p[j / 16];
        if (bias && j < keys)
            v += load_part_f32(bias, j, keys - j) * M_LOG2E_F;
        p[j / 16] =
            select((float16)(none), v, j + (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) < most);
    }
}

/* Turns logits p [QUERIES][BLOCK] into weights, in words. top [QUERIES]: the greatest logit of each row so far; down:
 * what earlier weights are multiplied by, because it has grown; sum: of the weights so far, by lanes. masked: a logit
 * may be -infinity. */
HELPER IN_BODY void soften(float16 *p, float16 *down_rows, float *top, float16 *sum, int cols, int masked)
{
    float *down = (float *)down_rows;
    for (int i = 0; i < QUERIES; i++) {
        float16 m = p[i * BLOCK / 16];
        for (int j = 1; j < cols / 16; j++) {
            const float16 a = p[i * BLOCK / 16 + j];
            m = m > a ? m : a;
        }
        const float now = fmax(top[i], max16(m));
        down[i] = top[i] - now;
        top[i] = now;
    }
    for (int i = 0; i < ROWS16; i++)
        down_rows[i] = exp2_16(down_rows[i]);
    for (int i = 0; i < QUERIES; i++) {
        float16 s = sum[i] * down[i];
        for (int j = 0; j < cols / 16; j++) {
            const float16 logit = p[i * BLOCK / 16 + j];
            float16 e = exp2_16(logit - top[i]);
            if (masked)
                e = logit == -INFINITY ? (float16)(0.0f) : e;
            s += e;
            p[i * BLOCK / 16 + j] = e;
        }
#ifdef BF16
        for (int j = 0; j < (cols + 31) / 32; j++) {
            const float16 next = j * 32 + 16 < cols ? p[i * BLOCK / 16 + 2 * j + 1] : (float16)(0.0f);
            p[i * BLOCK / 16 + j] = as_float16(to_bf16(p[i * BLOCK / 16 + 2 * j], next));
        }
#endif
        sum[i] = s;
    }
}

/* Sums `to` [V_ROWS][ACC_ROW] of one slice: times `down`, plus the values vs [keys][SLICE] times the weights w. first:
 * nothing was summed yet. */
HELPER IN_BODY void add_slice(float *to, const WORD *w, const float *down, __global const WORD *vs, int keys,
                              bool first)
{
    VEC s[V_ROWS * V_VECS];
#if V_HALF
    float8 h[V_ROWS];
#endif
#pragma unroll
    for (int r = 0; r < V_ROWS; r++) {
        const VEC f = (VEC)(down[r]);
#pragma unroll
        for (int c = 0; c < V_VECS; c++)
            s[r * V_VECS + c] = first ? (VEC)(0.0f) : f * LOADV(c, to + r * ACC_ROW);
#if V_HALF
        h[r] = first ? (float8)(0.0f) : f.lo * vload8(2 * V_VECS, to + r * ACC_ROW);
#endif
    }
    for (int j = 0; j < (keys + PAIR - 1) / PAIR; j++, vs += SLICE) {
        WVEC v[V_VECS];
#pragma unroll
        for (int c = 0; c < V_VECS; c++)
            v[c] = LOADW_VEC(vs + c * VW);
#if V_HALF
        const WORD8 vh = vload8(2 * V_VECS, vs);
#endif
#pragma unroll
        for (int r = 0; r < V_ROWS; r++) {
            const WVEC e = (WVEC)(w[r * BLOCK + j]);
#pragma unroll
            for (int c = 0; c < V_VECS; c++)
                s[r * V_VECS + c] = dotv(e, v[c], s[r * V_VECS + c]);
#if V_HALF
            h[r] = dot8(e.lo, vh, h[r]);
#endif
        }
    }
#pragma unroll
    for (int r = 0; r < V_ROWS; r++) {
#pragma unroll
        for (int c = 0; c < V_VECS; c++)
            STOREV(s[r * V_VECS + c], c, to + r * ACC_ROW);
#if V_HALF
        vstore8(h[r], 2 * V_VECS, to + r * ACC_ROW);
#endif
    }
}

/* Writes one row of o: acc [DV] / sum. */
HELPER IN_BODY void store_row(__global ACT *o, size_t oi, const float *acc, float16 sum)
{
    const float f = 1.0f / sum16(sum);
    for (int d = 0; d < HEAD_DIM; d += 16) {
        float16 r;
        if (d + 16 <= DV)
            r = vload16(0, acc + d);
        else
            r = (float16)(vload8(0, acc + d), (float8)(0.0f));
        store_part(o, oi + d, r * f, min(16, HEAD_DIM - d));
    }
}

/* Logits are kept times log2(e), so that the softmax needs 2^x only. */
HELPER BODY void panel_body(int run, int head, int b, __global ACT *o, int o0, __global const ACT *q, int q0,
                            __global const WORD *kt, int kt0, __global const WORD *vp, int vp0, SHAPE)
{
    const int i0 = run * QUERIES;
    const int next_head = head_after(head, n_heads), next_i0 = row_after(i0, next_head);
    const int blocks = (tk + BLOCK - 1) / BLOCK, masked = causal || bias;
    const size_t hb = (size_t)(b % kn) * KV_HEAD(n_heads) + KV_HEAD(head);
    __global const WORD *kd = kt + kt0 + hb * blocks * K_WORDS * BLOCK;
    __global const WORD *vd = vp + vp0 + hb * blocks * (BLOCK / PAIR) * DV;
    /* Rows that vectors are read from are declared as vectors: PoCL writes vectors to arrays of float in four parts. */
    float16 p_rows[QUERIES * BLOCK / 16], down_rows[ROWS16], top_rows[ROWS16], sum[QUERIES];
    WORD16 q_rows[QUERIES * Q_ROW / 16];
    float acc[QUERIES * ACC_ROW];
    for (int i = 0; i < QUERIES; i++) {
        const size_t row = (size_t)b * tq + min(i0 + i, tq - 1), next = (size_t)b * tq + min(next_i0 + i, tq - 1);
        for (int d = 0; d < HEAD_DIM; d += 16) { /* what comes out, and what the next item reads */
            FETCH_TO_WRITE(o + o0 + (row * n_heads + head) * HEAD_DIM + d);
            FETCH(q + q0 + next * wq + q_col + next_head * HEAD_DIM + d);
        }
        read_query(q_rows + i * Q_ROW / 16, q, q0 + row * wq + q_col + head * HEAD_DIM, scale * M_LOG2E_F);
        sum[i] = 0.0f;
    }
    for (int i = 0; i < ROWS16; i++)
        top_rows[i] = -1e30f; /* finite: differences of tops are never NaN */
    const int end = causal ? min(blocks, (i0 + QUERIES - 1) / BLOCK + 1) : blocks;
    for (int blk = 0; blk < end; blk++, kd += K_WORDS * BLOCK, vd += BLOCK / PAIR * DV) {
        const int keys = min(BLOCK, tk - blk * BLOCK), cols = (keys + KC - 1) / KC * KC;
        for (int j = 0; j < cols; j += Q_COLS)
            for (int i = 0; i < QUERIES; i += Q_ROWS)
                logits_tile((VEC *)p_rows + (i * BLOCK + j) / VW, (const WORD *)q_rows + i * Q_ROW,
                            kd + (size_t)(j / KC) * K_WORDS * KC + j % KC);
        if (masked || keys < cols)
            for (int i = 0; i < QUERIES; i++) {
                const int row = min(i0 + i, tq - 1), most = causal ? min(keys, row + 1 - blk * BLOCK) : keys;
                __global const float *more = bias;
                if (bias)
                    more += bias0 + (((size_t)(b % bias_n) * n_heads + head) * tq + row) * tk + blk * BLOCK;
                mask_row(p_rows + i * BLOCK / 16, more, keys, cols, most, masked ? -INFINITY : -1e30f);
            }
        soften(p_rows, down_rows, (float *)top_rows, sum, cols, masked);
        for (int c0 = 0; c0 < DV; c0 += SLICE)
            for (int i = 0; i < QUERIES; i += V_ROWS)
                add_slice(acc + i * ACC_ROW + c0, (const WORD *)p_rows + i * BLOCK, (const float *)down_rows + i,
                          vd + (size_t)c0 * (BLOCK / PAIR), keys, blk == 0);
    }
    for (int i = 0; i < QUERIES && i0 + i < tq; i++)
        store_row(o, o0 + (((size_t)b * tq + i0 + i) * n_heads + head) * HEAD_DIM, acc + i * ACC_ROW, sum[i]);
}

__kernel void attention_panel(__global ACT *o, int o0, __global const ACT *q, int q0, __global const WORD *kt, int kt0,
                              __global const WORD *vp, int vp0, SHAPE)
{
    panel_body(IDS, o, o0, q, q0, kt, kt0, vp, vp0, tq, tk, n_heads, wq, q_col, wk, k_col, wv, v_col, kn, scale, causal,
               bias, bias0, bias_n);
}
#endif
#endif
