/* Products of rows with quantized weights on CPUs that multiply four times as many bytes as fp32 an instruction. Rows
 * become bytes; the codes of the weights stay. VNNI: vpdpbusd adds the products to 32 bits, for codes of up to 8 bits.
 * MADD: vpmaddubsw adds pairs of them to 16 bits, where the sums of some words fit if codes have up to 6 bits.
 * Inputs are cut into CHUNKs of 128. For each row and chunk code_rows makes x = (q - 128) * scale, with the largest |x|
 * at 127. wt, of widen_codes in quant.cl: for each panel of 32 outputs the chunks, of which the last may be shorter (a
 * multiple of 32 inputs); each
 *   offsets[32]    fp32: -128 times the chunk's sum of by * code
 *   and for every SPAN of its inputs, 32 or 16:
 *   by[32]         fp32
 *   shift[32]      fp32, with MINS
 *   codes          words [SPAN / 4][32] of 4 inputs, a byte with a sign each
 * Weight = by * code + shift; a shift meets the row's sum of q - 128 in that part. A part's sum is exact; those of
 * parts and chunks are fp32.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef CPU
#define CHUNK 128

/* q [chunks][rows][CHUNK], scales [chunks][rows]; with MINS sums [chunks][rows][CHUNK / span], else span is 0. Rows
 * from n_rows on, which fill up the last tile, are all zeros. n_in: a multiple of 32. Items: rows, and those. */
__kernel void code_rows(__global uchar *q, int q0, __global float *scales, int scales0, __global float *sums, int sums0,
                        __global const ACT *x, int x0, int n_rows, int n_in, int x_pitch, int span)
{
    const int p = get_global_id(0), rows = get_global_size(0), n = p < n_rows ? n_in : 0;
    const size_t from = x0 + (size_t)p * x_pitch;
    for (int k = 0; k * CHUNK < n_in; k++) {
        const int first = k * CHUNK, last = min(first + CHUNK, n);
        const size_t at = (size_t)k * rows + p;
        float16 most = 0.0f;
        for (int c = first; c < last; c += 16)
            most = fmax(most, fabs(LOAD16(x, from + c)));
        const float m = max16(most), inverse = m > 0.0f ? 127.0f / m : 0.0f;
        scales[scales0 + at] = m * (1.0f / 127.0f);
        float sum = 0.0f;
        for (int c = 0; c < CHUNK; c += 16) {
            /* 1.5 * 2^23 leaves the rounded number in the low bits */
            const float zero = 12582912.0f + 128.0f;
            const float16 v = first + c < last ? fma(LOAD16(x, from + first + c), (float16)(inverse), (float16)(zero))
                                               : (float16)(zero);
            vstore16(convert_uchar16(as_int16(v) & 255), 0, q + q0 + at * CHUNK + c);
            sum += sum16(v - zero);
            if (span && (c + 16) % span == 0) {
                sums[sums0 + at * (CHUNK / span) + c / span] = sum;
                sum = 0.0f;
            }
        }
    }
}

#ifdef TILE_ROWS
#include "integer_tiles.cl"
#define WORDS (SPAN / 4) /* of a part */
#ifdef VNNI
#define RUN WORDS
#else
#define MOST_RUN (BITS == 4 ? 8 : BITS == 5 ? 4 : 2) /* words whose sums of pairs stay below 2^15 */
#define RUN (WORDS < MOST_RUN ? WORDS : MOST_RUN)
#endif
#ifdef MINS
#define SPAN_HEAD 64
#else
#define SPAN_HEAD 32
#endif

/* SUMS: of the 4 products of each word, or of its pairs where only those have an instruction. */
#ifdef VNNI
typedef INTV SUMS;
HELPER IN_TILE SUMS add_products(INTV q, INTV w, SUMS s)
{
    __asm__(ADD_BY("vpdpbusd") : "+" IN_VECTOR(s) : IN_VECTOR(q), IN_VECTOR(w));
    return s;
}
#define ADD_SUMS(s, total) ((total) + (s))
#elif defined(MADD)
typedef ShortPairs SUMS;
HELPER __attribute__((always_inline)) SUMS add_products(INTV q, INTV w, SUMS s)
{
    INTV r;
    __asm__("vpmaddubsw %2, %1, %0" : "=x"(r) : "x"(q), "x"(w));
    return s + __builtin_astype(r, SUMS);
}
#define ADD_SUMS(s, total) add_pairs(__builtin_astype(s, INTV), (INTV)(0x10001), total)
#else
typedef INTV SUMS;
HELPER __attribute__((always_inline)) SUMS add_products(INTV q, INTV w, SUMS s)
{
    return s + (q & 255) * (w << 24 >> 24) + (q >> 8 & 255) * (w << 16 >> 24) + (q >> 16 & 255) * (w << 8 >> 24) +
           (q >> 24 & 255) * (w >> 24);
}
#define ADD_SUMS(s, total) ((total) + (s))
#endif

/* Adds to the sums of a tile from column `col` on those of one chunk of n inputs. row: the chunk of the tile's first
 * row, CHUNK bytes before that of the next; scale, sums: likewise; w: the chunk in its panel. */
HELPER TILE_BODY void add_chunk(VEC *f, int col, __global const int *row, __global const float *scale,
                                __global const float *sums, __global const int *w, int n)
{
    VEC t[ROWS * TILE_VECS];
#pragma unroll
    for (int i = 0; i < ROWS * TILE_VECS; i++)
        t[i] = LOADV(0, (__global const float *)w + col + i % TILE_VECS * VW);
    w += 32 + col;
    for (int part = 0; part < n / SPAN; part++) {
        __global const int *b0 = w + SPAN_HEAD;
        INTV total[ROWS * TILE_VECS];
#pragma unroll
        for (int i = 0; i < ROWS * TILE_VECS; i++)
            total[i] = 0;
#pragma unroll
        for (int run = 0; run < WORDS; run += RUN) {
            SUMS s[ROWS * TILE_VECS];
#pragma unroll
            for (int i = 0; i < ROWS * TILE_VECS; i++)
                s[i] = 0;
#pragma unroll 2
            for (int c = 0; c < RUN; c++) {
                INTV b[TILE_VECS];
#pragma unroll
                for (int j = 0; j < TILE_VECS; j++)
                    b[j] = LOAD_INTS(b0 + j * VW);
                b0 += 32;
#pragma unroll
                for (int i = 0; i < ROWS; i++) {
                    const INTV a = (INTV)(row[i * (CHUNK / 4) + run + c]);
#pragma unroll
                    for (int j = 0; j < TILE_VECS; j++)
                        s[i * TILE_VECS + j] = add_products(a, b[j], s[i * TILE_VECS + j]);
                }
            }
#pragma unroll
            for (int i = 0; i < ROWS * TILE_VECS; i++)
                total[i] = ADD_SUMS(s[i], total[i]);
        }
#pragma unroll
        for (int j = 0; j < TILE_VECS; j++) {
            const VEC by = LOADV(0, (__global const float *)w + j * VW);
#pragma unroll
            for (int i = 0; i < ROWS; i++)
                t[i * TILE_VECS + j] =
                    fma(__builtin_convertvector(total[i * TILE_VECS + j], VEC), by, t[i * TILE_VECS + j]);
#ifdef MINS
            const VEC shift = LOADV(0, (__global const float *)w + 32 + j * VW);
#pragma unroll
            for (int i = 0; i < ROWS; i++)
                t[i * TILE_VECS + j] = fma(shift, (VEC)(sums[i * (CHUNK / SPAN) + part]), t[i * TILE_VECS + j]);
#endif
        }
        w = b0;
        row += WORDS;
    }
#pragma unroll
    for (int i = 0; i < ROWS * TILE_VECS; i++) {
        VEC *to = f + i / TILE_VECS * ALL_VECS + col / VW + i % TILE_VECS;
        *to = fma(t[i], (VEC)(scale[i / TILE_VECS]), *to);
    }
}

/* The tiles of an item take turns at each chunk of weights, which meanwhile stays in the nearest cache. */
HELPER TILE_BODY void product_body(int item, int panel, __global ACT *y, __global const int *q,
                                   __global const float *scales, __global const float *sums, __global const int *wt,
                                   int n_rows, int padded, int run, int n_in, int n_out, int y_pitch, int per,
                                   const Epilogue e)
{
    const int first = item * run * ROWS, tiles = min(run, (n_rows - first + ROWS - 1) / ROWS);
    const int span_ints = SPAN_HEAD + WORDS * 32, chunks = (n_in + CHUNK - 1) / CHUNK;
    VEC f[TILES * ROWS * ALL_VECS];
    for (int i = 0; i < tiles * ROWS * ALL_VECS; i++)
        f[i] = 0.0f;
    __global const int *w = wt + (size_t)panel * (chunks * 32 + n_in / SPAN * span_ints);
    for (int k = 0; k < chunks; k++) {
        const int n = min(CHUNK, n_in - k * CHUNK);
        for (int col = 0; col < ALL_COLS; col += TILE_COLS)
            for (int t = 0; t < tiles; t++) {
                const size_t at = (size_t)k * padded + first + t * ROWS;
                add_chunk(f + t * ROWS * ALL_VECS, col, q + at * (CHUNK / 4), scales + at, sums + at * (CHUNK / SPAN),
                          w, n);
            }
        w += 32 + n / SPAN * span_ints;
    }
    for (int t = 0; t < tiles; t++) {
        const int p0 = first + t * ROWS;
        finish_tile(f + t * ROWS * ALL_VECS, y, p0, min(ROWS, n_rows - p0), panel * 32, y_pitch, per, n_out, e);
    }
}

/* Items: dim 0 = panels, dim 1 = runs of `run` tiles of rows, at most TILES. padded: rows with those that fill up the
 * last tile; per: rows a sample. */
__kernel void code_product(__global ACT *y, int y0, __global const int *q, int q0, __global const float *scales,
                           int scales0, __global const float *sums, int sums0, __global const int *wt, int wt0,
                           int n_rows, int padded, int run, int n_in, int n_out, int y_pitch, int per, EPILOGUE)
{
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
    product_body(get_global_id(1), get_global_id(0), y + y0, q + q0 / 4, scales + scales0, sums + sums0, wt + wt0,
                 n_rows, padded, run, n_in, n_out, y_pitch, per, e);
}
#endif
#endif
