/* Products of rows with learned panels, for CPU devices; the plain kernel is conv_plain.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef CPU
#define GATHER_GEOMETRY int h, int w, int oh, int ow, int stride, int pad_t, int pad_l, int up, int wrap, int x_pitch

#ifdef GATHER
#define ROW_WORDS ((KH * KW * C_IN + 15) / 16 * 16) /* of a row of a */
#define ROW_GROUP 16                                /* from 16 words of a row to the next */
/* The KH x KW x C_IN inputs of the pixel oy, ox of a sample that begins at x0, in the order of the weights, from `to` on. */
void gather(__local float *to, __global const ACT *x, size_t x0, int oy, int ox, GATHER_GEOMETRY)
{
    const int iy = oy * stride - pad_t, ix = ox * stride - pad_l;
    if (iy >= 0 && ix >= 0 && iy + KH <= h && ix + KW <= w && !up && x_pitch == C_IN) {
        const size_t from = x0 + ((size_t)iy * w + ix) * C_IN, pitch = (size_t)w * C_IN;
#pragma unroll
        for (int ky = 0; ky < KH; ky++) {
            int k = 0;
#pragma unroll
            for (; k + 8 <= KW * C_IN; k += 8)
                vstore8(LOAD8(x, from + ky * pitch + k), 0, to + ky * KW * C_IN + k);
#pragma unroll
            for (; k < KW * C_IN; k++)
                to[ky * KW * C_IN + k] = LOAD(x, from + ky * pitch + k);
        }
        return;
    }
    int k = 0;
#pragma unroll
    for (int ky = 0; ky < KH; ky++) {
        const int sy = source(iy + ky, h, up, wrap);
#pragma unroll
        for (int kx = 0; kx < KW; kx++) {
            const int sx = source(ix + kx, w, up, wrap);
            const bool inside = sy >= 0 && sx >= 0;
            const size_t from = x0 + (inside ? ((size_t)sy * w + sx) * x_pitch : 0);
#pragma unroll
            for (int c = 0; c < C_IN; c++, k++)
                to[k] = inside ? LOAD(x, from + c) : 0.0f;
        }
    }
}
#else
#define ROW_WORDS 16
#define ROW_GROUP 192
#endif

/* PAST_CACHES, with BIAS_ONLY: y is far larger than the caches, stored in fp32 and at multiples of 64 bytes: its lines need not be read to be written. */
#if defined(PAST_CACHES) && __has_builtin(__builtin_nontemporal_store)
#define STORE_TILE(p, i, v) __builtin_nontemporal_store(v, (__global float16 *)((p) + (i)))
#else
#undef PAST_CACHES
#define STORE_TILE STORE16
#endif

#ifdef GEGLU /* values and gates are 16 columns apart: in two tiles, if those are narrow */
#define OUT_COLS (TILE_COLS < 32 ? 32 : TILE_COLS)
#else
#define OUT_COLS TILE_COLS
#endif

/* wt [n_out/32][n_in/PAIR][32] words. Items: dim 0 = runs of per_item panels (whole PANELS), dim 1 = runs of rows_run rows (a multiple of 12).
 * scratch: the rows a [blocks of 12][groups of 16 words][12][16] (gathered: [rows][ROW_WORDS]) for `slice` inputs at a time (a multiple of 16 * PAIR), then, with
 * more than one slice, sums [per_item][rows_run][32]. GATHER: a row is what a convolution of few channels (C_IN) reads for one pixel; all at once.
 * BIAS_ONLY: nothing else of the epilogue, and n_out is of whole panels and tiles: sums start at the bias and go straight to y. */
BODY void linear_body(int item, int run, __global ACT *y, int y0, __global const ACT *x, int x0, __global const PANEL_WT *wt, int wt0, int n_rows, int rows_run,
                           int n_in, int n_out, int y_pitch, int per_sample, int n_panels, int per_item, int slice, __local float16 *scratch,
#ifdef GATHER
                           GATHER_GEOMETRY,
#endif
                           EPILOGUE)
{
    const int first = run * rows_run, last = min(n_rows, first + rows_run), blocks = (last - first + 11) / 12;
    const int panel0 = item * per_item, panel1 = min(n_panels, panel0 + per_item), words = (n_in + PAIR - 1) / PAIR;
    __local WORD16 *a = (__local WORD16 *)scratch;
    __local float16 *sums = scratch + (size_t)rows_run * (slice / (16 * PAIR));
    for (int k0 = 0; k0 < n_in; k0 += slice) {
        const int kn = min(slice, n_in - k0), n_words = (kn + PAIR - 1) / PAIR, groups = (n_words + 15) / 16;
#ifdef GATHER
        int sample = first / (oh * ow), oy = first / ow % oh, ox = first % ow;
        for (int r = 0; r < last - first; r++) {
            gather((__local float *)a + r * ROW_WORDS, x, x0 + (size_t)sample * h * w * x_pitch, oy, ox, h, w, oh, ow, stride, pad_t, pad_l, up, wrap, x_pitch);
            if (++ox == ow) {
                ox = 0;
                if (++oy == oh) {
                    oy = 0;
                    sample++;
                }
            }
        }
#else
        for (int r = 0; r < blocks * 12; r++) {
            const size_t from = x0 + (size_t)min(first + r, n_rows - 1) * n_in + k0;
            __local WORD16 *to = a + (size_t)(r / 12) * groups * 12 + r % 12;
            for (int g = 0; g < groups; g++, to += 12) {
                const int k = g * 16 * PAIR;
#ifdef BF16
                *to = to_bf16(load_part(x, from + k, min(16, kn - k)), kn > k + 16 ? load_part(x, from + k + 16, min(16, kn - k - 16)) : (float16)(0.0f));
#else
                *to = load_part(x, from + k, min(16, kn - k));
#endif
            }
        }
#endif
        for (int panel = panel0; panel < panel1; panel += PANELS)
            for (int r0 = 0; r0 < blocks * 12; r0 += TILE_ROWS) {
#ifndef BIAS_ONLY
                float16 out[TILE_ROWS * OUT_COLS / 16];
#endif
                for (int col = 0; col < 32 * PANELS; col += TILE_COLS) {
                    const int p0 = first + r0, rows = min(TILE_ROWS, last - p0), o = panel * 32 + col;
                    __global const PANEL_WT *w = wt + wt0 + ((size_t)panel * words + k0 / PAIR) * 32 + col;
#ifdef GATHER
                    __local const WORD *row = (__local const WORD *)a + r0 * ROW_WORDS;
#else
                    __local const WORD *row = (__local const WORD *)(a + (size_t)(r0 / 12) * groups * 12 + r0 % 12);
#endif
                    __local VEC *sum = (__local VEC *)(sums + ((size_t)(panel - panel0) * rows_run + r0) * 2) + col / VW;
                    if (k0 + slice >= n_in)
                        for (int i = 0; i < rows; i++) {
#ifdef GEGLU
                            FETCH_TO_WRITE(y + y0 + (size_t)(p0 + i) * y_pitch + panel * 16);
#else
                            const size_t at = (size_t)(p0 + i) * y_pitch + o;
#ifndef PAST_CACHES
                            for (int j = 0; j < TILE_COLS; j += 16)
                                FETCH_TO_WRITE(y + y0 + at + j);
#endif
                            if (res)
                                for (int j = 0; j < TILE_COLS; j += 16)
                                    FETCH(res + res0 + at + j);
#endif
                        }
                    VEC s[TILE_ROWS * TILE_VECS];
#pragma unroll
                    for (int i = 0; i < TILE_ROWS * TILE_VECS; i++)
#ifdef BIAS_ONLY
                        s[i] = bias ? LOADV(i % TILE_VECS, bias + bias0 + o) : (VEC)(0.0f);
#else
                        s[i] = 0.0f;
#endif
/* Sums of a row are [panel of the item][row][32]; vector j of a tile's row i: */
#define SUM(i, j) sum[((j) * VW / 32 * rows_run + (i)) * (32 / VW) + (j) % (32 / VW)]
                    if (k0 > 0)
#pragma unroll
                        for (int i = 0; i < TILE_ROWS * TILE_VECS; i++)
                            s[i] = SUM(i / TILE_VECS, i % TILE_VECS);
#define STEP                                                                                                                     \
    {                                                                                                                            \
        WVEC b[TILE_VECS];                                                                                                       \
        _Pragma("unroll") for (int j = 0; j < TILE_VECS; j++) b[j] = LOADP(w + (size_t)(j * VW / 32) * words * 32 + j * VW % 32); \
        _Pragma("unroll") for (int i = 0; i < TILE_ROWS; i++)                                                                    \
        {                                                                                                                        \
            const WVEC v = (WVEC)(row[i * ROW_WORDS + c]);                                                                              \
            _Pragma("unroll") for (int j = 0; j < TILE_VECS; j++) s[i * TILE_VECS + j] = dotv(v, b[j], s[i * TILE_VECS + j]);    \
        }                                                                                                                        \
    }
                    for (int g = 0; g < n_words / 16; g++, row += ROW_GROUP)
                        for (int c = 0; c < 16; c++, w += 32)
                            STEP
                    for (int c = 0; c < n_words % 16; c++, w += 32)
                        STEP
                    if (k0 + slice < n_in) {
#pragma unroll
                        for (int i = 0; i < TILE_ROWS * TILE_VECS; i++)
                            SUM(i / TILE_VECS, i % TILE_VECS) = s[i];
                        continue;
                    }
#ifdef BIAS_ONLY
#pragma unroll
                    for (int i = 0; i < TILE_ROWS; i++)
                        if (i < rows) {
#pragma unroll
                            for (int j = 0; j < TILE_COLS / 16; j++)
                                STORE_TILE(y, y0 + (size_t)(p0 + i) * y_pitch + o + j * 16, PIECE(s, i * (TILE_COLS / 16) + j));
                        }
#else
#pragma unroll
                    for (int i = 0; i < TILE_ROWS * TILE_COLS / 16; i++)
                        out[i / (TILE_COLS / 16) * (OUT_COLS / 16) + col % OUT_COLS / 16 + i % (TILE_COLS / 16)] = PIECE(s, i);
#ifdef GEGLU
                    if (col % OUT_COLS + TILE_COLS < OUT_COLS)
                        continue;
                    const int pair0 = o / OUT_COLS * OUT_COLS;
#endif
                    for (int i = 0; i < rows; i++) {
#ifdef GEGLU
                        /* Panels interleave 16 values with their 16 gates. */
#pragma nounroll
                        for (int j = 0; j < OUT_COLS / 16 && pair0 + j * 16 < n_out; j += 2) {
                            float16 v = out[i * OUT_COLS / 16 + j], g = out[i * OUT_COLS / 16 + j + 1];
                            if (bias) {
                                v += vload16(j, bias + bias0 + pair0);
                                g += vload16(j + 1, bias + bias0 + pair0);
                            }
                            v *= act_16(g, ACT_GELU, 0.0f);
                            STORE16(y, y0 + (size_t)(p0 + i) * y_pitch + pair0 / 2 + j * 8, v);
                        }
#else
#pragma nounroll
                        for (int j = 0; j < TILE_COLS && o + j < n_out; j += 16)
                            finish(y + y0, (size_t)(p0 + i) * y_pitch + o + j, out[(i * TILE_COLS + j) / 16], min(n_out - o - j, 16), o + j,
                                   (p0 + i) / per_sample, n_out, bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
#endif
                    }
#endif
                }
            }
    }
}

__kernel void linear_panel(__global ACT *y, int y0, __global const ACT *x, int x0, __global const PANEL_WT *wt, int wt0, int n_rows, int rows_run,
                           int n_in, int n_out, int y_pitch, int per_sample, int n_panels, int per_item, int slice, __local float16 *scratch,
#ifdef GATHER
                           GATHER_GEOMETRY,
#endif
                           EPILOGUE)
{
    linear_body(get_global_id(0), get_global_id(1), y, y0, x, x0, wt, wt0, n_rows, rows_run, n_in, n_out, y_pitch, per_sample, n_panels, per_item,
                slice, scratch,
#ifdef GATHER
                h, w, oh, ow, stride, pad_t, pad_l, up, wrap, x_pitch,
#endif
                bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
}
#endif
