/* Convolution and learned products of 16-bit integers, for CPU devices: most have an instruction that
 * multiplies twice as many of them as of fp32. Inputs are cut into groups of GROUP channels. For each pixel and group
 * int16_rows makes x = q * scale, with the largest |q| at `most`; weights have a scale for each output, tap and group.
 * A group's sum is exact, as long as GROUP times the largest |q| of both is below 2^31; sums of groups and taps are
 * fp32. wt: [panels][taps][groups] of 32 scales (float) and words [GROUP / 2][32] of 2 weights that are neighbors
 * along the sum, of 16 bits each or, with W_I8, of 8. A row has a multiple of 16 channels.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef CPU
#define GROUP 128
#define GROUP_WORDS (GROUP / 2)

/* q [pixels + 1][row_words] words of 2, scales [pixels + 1][groups]; the last pixel is all zeros, for what lies in the
 * padding. Items: pixels, and it. */
__kernel void int16_rows(__global short *q, int q0, __global float *scales, int scales0, __global const ACT *x, int x0,
                         int n_pix, int n_in, int x_pitch, int row_words, float most)
{
    const int p = get_global_id(0), groups = (row_words + GROUP_WORDS - 1) / GROUP_WORDS;
    __global short *to = q + q0 + (size_t)p * row_words * 2;
    for (int g = 0; g < groups; g++) {
        const int first = g * GROUP, last = min(first + GROUP, row_words * 2);
        const size_t from = x0 + (size_t)p * x_pitch;
        float16 m16 = 0.0f;
        for (int c = first; p < n_pix && c < min(last, n_in); c += 16)
            m16 = fmax(m16, fabs(load_part(x, from + c, n_in - c)));
        const float m = max16(m16), inverse = m > 0.0f ? most / m : 0.0f;
        scales[scales0 + (size_t)p * groups + g] = m / most;
        for (int c = first; c < last; c += 16) {
            const float16 v = p < n_pix && c < n_in ? load_part(x, from + c, n_in - c) : (float16)(0.0f);
            /* 1.5 * 2^23 leaves the rounded number in the low bits */
            vstore16(convert_short16(as_int16(fma(v, (float16)(inverse), (float16)(12582912.0f))) << 16 >> 16), 0,
                     to + c);
        }
    }
}

#ifdef TILE_ROWS
#include "integer_tiles.cl"

#ifdef W_I8
#define W_WORD short
typedef short Shorts __attribute__((ext_vector_type(VW)));
typedef char Bytes __attribute__((ext_vector_type(2 * VW)));
HELPER __attribute__((always_inline)) INTV load_words(__global const W_WORD *w)
{
    const Shorts v = CAT(vload, VW)(0, w);
    return __builtin_astype(__builtin_convertvector(__builtin_astype(v, Bytes), ShortPairs), INTV);
}
#else
#define W_WORD int
#define load_words(w) LOAD_INTS(w)
#endif

/* Adds to the sums of a tile from column `col` on those of one tap and group of n_words words. w: its weights in the
 * first panel; step: ints from one panel to the next. */
HELPER TILE_BODY void add_tile(VEC *f, int col, __global const int *const *rows, const float *scale,
                               __global const int *w, size_t step, int n_words)
{
    __global const int *row[ROWS];
#pragma unroll
    for (int i = 0; i < ROWS; i++)
        row[i] = rows[i];
    INTV s[ROWS * TILE_VECS];
#pragma unroll
    for (int i = 0; i < ROWS * TILE_VECS; i++)
        s[i] = 0;
    for (int c = 0; c < n_words; c++) {
        INTV b[TILE_VECS];
#pragma unroll
        for (int j = 0; j < TILE_VECS; j++) {
            const int o = col + j * VW;
            b[j] = load_words((__global const W_WORD *)(w + o / 32 * step + 32) + c * 32 + o % 32);
        }
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            const INTV a = (INTV)(row[i][c]);
#pragma unroll
            for (int j = 0; j < TILE_VECS; j++)
                s[i * TILE_VECS + j] = add_pairs(a, b[j], s[i * TILE_VECS + j]);
        }
    }
#pragma unroll
    for (int j = 0; j < TILE_VECS; j++) {
        const int o = col + j * VW;
        const VEC by = LOADV(0, (__global const float *)(w + o / 32 * step) + o % 32);
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            VEC *to = f + i * ALL_VECS + o / VW;
            *to = fma(__builtin_convertvector(s[i * TILE_VECS + j], VEC), by * scale[i], *to);
        }
    }
}

HELPER TILE_BODY void product_body(int item, int panel, __global ACT *y, __global const int *q,
                                   __global const float *scales, __global const int *wt, int n_pix, int run,
                                   int row_words, int h, int w, int oh, int ow, int n_out, int kh, int kw, int stride,
                                   int pad_t, int pad_l, int up, int wrap, int n_zeros, int y_pitch, const Epilogue e)
{
    const int first = item * run * ROWS, last = min(n_pix, first + run * ROWS), per = oh * ow;
    const int n_groups = (row_words + GROUP_WORDS - 1) / GROUP_WORDS,
              tap_words = n_groups * 32 + row_words * 32 * (int)sizeof(W_WORD) / 4;
    const size_t step = (size_t)kh * kw * tap_words;
    for (int p0 = first; p0 < last; p0 += ROWS) {
        VEC f[ROWS * ALL_VECS];
        int iy[ROWS], ix[ROWS], ib[ROWS];
#pragma unroll
        for (int i = 0; i < ROWS * ALL_VECS; i++)
            f[i] = 0.0f;
        for (int i = 0; i < ROWS; i++) {
            const int p = min(p0 + i, last - 1), r = p % per;
            ib[i] = p / per * h;
            iy[i] = r / ow * stride - pad_t;
            ix[i] = r % ow * stride - pad_l;
        }
        __global const int *from = wt + panel * step;
        for (int tap = 0; tap < kh * kw; tap++) {
            int pixel[ROWS];
            for (int i = 0; i < ROWS; i++) {
                const int sy = source(iy[i] + tap / kw, h, up, wrap & 2),
                          sx = source(ix[i] + tap % kw, w, up, wrap & 1);
                pixel[i] = sy >= 0 && sx >= 0 ? (ib[i] + sy) * w + sx : n_zeros;
            }
            for (int g = 0; g < n_groups; g++) {
                const int n_words = min(GROUP_WORDS, row_words - g * GROUP_WORDS);
                __global const int *row[ROWS];
                float by[ROWS];
#pragma unroll
                for (int i = 0; i < ROWS; i++) {
                    row[i] = q + (size_t)pixel[i] * row_words + g * GROUP_WORDS;
                    by[i] = scales[(size_t)pixel[i] * n_groups + g];
                }
                for (int col = 0; col < ALL_COLS; col += TILE_COLS)
                    add_tile(f, col, row, by, from, step, n_words);
                from += 32 + n_words * 32 * (int)sizeof(W_WORD) / 4;
            }
        }
        finish_tile(f, y, p0, min(ROWS, last - p0), panel * 32, y_pitch, per, n_out, e);
    }
}

/* Items: dim 0 = panels, PANELS of them, dim 1 = runs of `run` tiles of pixels (of all samples in a row). n_zeros: the
 * number of the pixel of zeros. */
__kernel void int16_product(__global ACT *y, int y0, __global const int *q, int q0, __global const float *scales,
                            int scales0, __global const int *wt, int wt0, int n_pix, int run, int row_words,
                            int n_zeros, GEOMETRY, EPILOGUE)
{
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
    product_body(get_global_id(1), get_global_id(0) * PANELS, y + y0, q + q0, scales + scales0, wt + wt0, n_pix, run,
                 row_words, h, w, oh, ow, n_out, kh, kw, stride, pad_t, pad_l, up, wrap, n_zeros, y_pitch, e);
}
#endif
#endif
