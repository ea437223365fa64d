/* Products of rows with learned panels, for CPU devices; the plain kernel is conv_plain. Four kernels of one
 * structure:
 *   linear_panel   any epilogue.
 *   linear_bias    only a bias, and n_out is of whole panels and tiles: sums start at the bias and go straight to y.
 *   linear_geglu   panels of 16 values and their 16 gates (Shazeer 2020).
 *   linear_gather  a row is what a convolution of few channels reads for one pixel (GATHER: C_IN, KH, KW); BIAS_ONLY
 *                  as linear_bias.
 * wt [n_out/32][n_in/PAIR][32] words. Items: dim 0 = runs of per_item panels (whole PANELS), dim 1 = runs of rows_run
 * rows (a multiple of 12). scratch: the rows [blocks of 12][groups of 16 words][12][16] (gathered: [rows][ROW_WORDS])
 * for `slice` inputs at a time (a multiple of 16 * PAIR), then, with more than one slice, sums
 * [per_item][rows_run][32].
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef CPU
#ifdef GATHER
#define ROW_WORDS ((KH * KW * C_IN + 15) / 16 * 16) /* from one row to the next */
#define ROW_GROUP 16                                /* from 16 words of a row to the next */
#else
#define ROW_WORDS 16
#define ROW_GROUP 192
#endif
#define TILE_SUMS (TILE_ROWS * TILE_VECS)
/* Part of a BODY: with bf16 it needs the same target. */
#define IN_BODY WITH_BF16 __attribute__((always_inline))

/* PAST_CACHES, with only a bias: y is far larger than the caches, stored in fp32 and at multiples of 64 bytes: its
 * lines need not be read to be written. */
#if defined(PAST_CACHES) && __has_builtin(__builtin_nontemporal_store)
#define STORE_TILE(p, i, v) __builtin_nontemporal_store(v, (__global float16 *)((p) + (i)))
#else
#undef PAST_CACHES
#define STORE_TILE STORE16
#endif

/* What one item makes. */
typedef struct {
    int first, last, blocks; /* rows, and blocks of 12 of them */
    int panel0, panel1;
    int words; /* of a row of weights */
} Share;

HELPER IN_BODY Share share_of(int item, int run, int n_rows, int rows_run, int n_in, int n_panels, int per_item)
{
    const int first = run * rows_run, last = min(n_rows, first + rows_run), panel0 = item * per_item;
    const Share s = {
        first, last, (last - first + 11) / 12, panel0, min(n_panels, panel0 + per_item), (n_in + PAIR - 1) / PAIR};
    return s;
}

/* Rows in words, inputs [k0, k0 + kn) of them; those behind the last row are the last one again. */
HELPER IN_BODY void pack_rows(__local WORD16 *a, __global const ACT *x, size_t x0, const Share h, int n_rows, int n_in,
                              int k0, int kn, int groups)
{
    for (int r = 0; r < h.blocks * 12; r++) {
        const size_t from = x0 + (size_t)min(h.first + r, n_rows - 1) * n_in + k0;
        __local WORD16 *to = a + (size_t)(r / 12) * groups * 12 + r % 12;
        for (int g = 0; g < groups; g++, to += 12) {
            const int k = g * 16 * PAIR;
#ifdef BF16
            *to = to_bf16(load_part(x, from + k, min(16, kn - k)),
                          kn > k + 16 ? load_part(x, from + k + 16, min(16, kn - k - 16)) : (float16)(0.0f));
#else
            *to = load_part(x, from + k, min(16, kn - k));
#endif
        }
    }
}

/* Adds to a tile's sums n words of its rows times n rows of weights. `step`: from one panel of them to the next. */
HELPER IN_BODY void add_words(VEC *s, __local const WORD *row, __global const PANEL_WT *w, size_t step, int n)
{
    for (int c = 0; c < n; c++, w += 32) {
        WVEC b[TILE_VECS];
#pragma unroll
        for (int j = 0; j < TILE_VECS; j++)
            b[j] = LOADP(w + (size_t)(j * VW / 32) * step + j * VW % 32);
#pragma unroll
        for (int i = 0; i < TILE_ROWS; i++) {
            const WVEC v = (WVEC)(row[i * ROW_WORDS + c]);
#pragma unroll
            for (int j = 0; j < TILE_VECS; j++)
                s[i * TILE_VECS + j] = dotv(v, b[j], s[i * TILE_VECS + j]);
        }
    }
}

HELPER IN_BODY void add_products(VEC *s, __local const WORD *row, __global const PANEL_WT *w, size_t step, int n_words)
{
    for (int g = 0; g < n_words / 16; g++, row += ROW_GROUP, w += 16 * 32)
        add_words(s, row, w, step, 16);
    add_words(s, row, w, step, n_words % 16);
}

/* What a tile has kept of its sums, [panel of the item][row][32]: vector j of row i. */
HELPER IN_BODY __local VEC *kept(__local VEC *sum, int rows_run, int i, int j)
{
    return sum + (j * VW / 32 * rows_run + i) * (32 / VW) + j % (32 / VW);
}

/* Asks for the lines of y (and of a residual) that a tile is going to write. */
HELPER IN_BODY void fetch_tile(__global ACT *y, __global const ACT *res, size_t at, int rows, int y_pitch)
{
    for (int i = 0; i < rows; i++, at += y_pitch) {
#ifndef PAST_CACHES
        for (int j = 0; j < TILE_COLS; j += 16)
            FETCH_TO_WRITE(y + at + j);
#endif
        if (res)
            for (int j = 0; j < TILE_COLS; j += 16)
                FETCH(res + at + j);
    }
}

/* The sums of a tile start at the bias of their outputs. */
HELPER IN_BODY void start_at_bias(VEC *s, __global const float *bias, int o)
{
#pragma unroll
    for (int i = 0; i < TILE_SUMS; i++)
        s[i] = bias ? LOADV(i % TILE_VECS, bias + o) : (VEC)(0.0f);
}

HELPER IN_BODY void start_at_zero(VEC *s)
{
#pragma unroll
    for (int i = 0; i < TILE_SUMS; i++)
        s[i] = 0.0f;
}

/* Goes on where the slice before stopped. */
HELPER IN_BODY void take_up(VEC *s, __local VEC *sum, int rows_run)
{
#pragma unroll
    for (int i = 0; i < TILE_SUMS; i++)
        s[i] = *kept(sum, rows_run, i / TILE_VECS, i % TILE_VECS);
}

HELPER IN_BODY void keep(const VEC *s, __local VEC *sum, int rows_run)
{
#pragma unroll
    for (int i = 0; i < TILE_SUMS; i++)
        *kept(sum, rows_run, i / TILE_VECS, i % TILE_VECS) = s[i];
}

/* Writes a tile that only a bias was to be added to. */
HELPER IN_BODY void store_tile(const VEC *s, __global ACT *y, size_t at, int rows, int y_pitch)
{
#pragma unroll
    for (int i = 0; i < TILE_ROWS; i++)
        if (i < rows) {
#pragma unroll
            for (int j = 0; j < TILE_COLS / 16; j++)
                STORE_TILE(y, at + (size_t)i * y_pitch + j * 16, PIECE(s, i * (TILE_COLS / 16) + j));
        }
}

/* Writes a tile with all that is fused behind it. at: of its first value; p0, o: that row and output. */
HELPER IN_BODY void finish_tile(const VEC *s, __global ACT *y, size_t at, int rows, int y_pitch, int p0, int per_sample,
                                int o, int n_out, const Epilogue e)
{
    float16 out[TILE_ROWS * TILE_COLS / 16];
#pragma unroll
    for (int i = 0; i < TILE_ROWS * TILE_COLS / 16; i++)
        out[i] = PIECE(s, i);
    for (int i = 0; i < rows; i++)
#pragma nounroll
        for (int j = 0; j < TILE_COLS && o + j < n_out; j += 16)
            finish(y, at + (size_t)i * y_pitch + j, out[(i * TILE_COLS + j) / 16], min(n_out - o - j, 16), o + j,
                   (p0 + i) / per_sample, n_out, e);
}

#ifdef GATHER
#define GATHER_GEOMETRY int h, int w, int oh, int ow, int stride, int pad_t, int pad_l, int up, int wrap, int x_pitch

/* The KH x KW x C_IN inputs of the pixel oy, ox of a sample that begins at x0, in the order of the weights, from `to`
 * on. */
HELPER void gather(__local float *to, __global const ACT *x, size_t x0, int oy, int ox, GATHER_GEOMETRY)
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
#pragma nounroll
    for (int ky = 0; ky < KH; ky++) { /* at the edges only */
        const int sy = source(iy + ky, h, up, wrap & 2);
#pragma nounroll
        for (int kx = 0; kx < KW; kx++) {
            const int sx = source(ix + kx, w, up, wrap & 1);
            const bool inside = sy >= 0 && sx >= 0;
            const size_t from = x0 + (inside ? ((size_t)sy * w + sx) * x_pitch : 0);
            SHORT for (int c = 0; c < C_IN; c++, k++)
                to[k] = inside ? LOAD(x, from + c) : 0.0f;
        }
    }
}

/* The rows of an item's pixels. */
HELPER void gather_rows(__local float *a, __global const ACT *x, size_t x0, int first, int last, GATHER_GEOMETRY)
{
    int sample = first / (oh * ow), oy = first / ow % oh, ox = first % ow;
    for (int r = 0; r < last - first; r++) {
        gather(a + r * ROW_WORDS, x, x0 + (size_t)sample * h * w * x_pitch, oy, ox, h, w, oh, ow, stride, pad_t, pad_l,
               up, wrap, x_pitch);
        if (++ox == ow) {
            ox = 0;
            if (++oy == oh) {
                oy = 0;
                sample++;
            }
        }
    }
}

/* n_in: values a row; all in one slice. */
__kernel void linear_gather(__global ACT *y, int y0, __global const ACT *x, int x0, __global const WT *wt, int wt0,
                            int n_rows, int rows_run, int n_in, int n_out, int y_pitch, int per_sample, int n_panels,
                            int per_item, int slice, __local float16 *scratch, GATHER_GEOMETRY, EPILOGUE)
{
    const Share k = share_of(get_global_id(0), get_global_id(1), n_rows, rows_run, n_in, n_panels, per_item);
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
    __local float *a = (__local float *)scratch;
    gather_rows(a, x, x0, k.first, k.last, h, w, oh, ow, stride, pad_t, pad_l, up, wrap, x_pitch);
    for (int panel = k.panel0; panel < k.panel1; panel += PANELS)
        for (int r0 = 0; r0 < k.last - k.first; r0 += TILE_ROWS)
            for (int col = 0; col < 32 * PANELS; col += TILE_COLS) {
                const int p0 = k.first + r0, rows = min(TILE_ROWS, k.last - p0), o = panel * 32 + col;
                const size_t at = (size_t)p0 * y_pitch + o;
                VEC s[TILE_SUMS];
                fetch_tile(y + y0, res ? res + res0 : 0, at, rows, y_pitch);
#ifdef BIAS_ONLY
                start_at_bias(s, bias ? bias + bias0 : 0, o);
#else
                start_at_zero(s);
#endif
                add_products(s, a + r0 * ROW_WORDS, wt + wt0 + (size_t)panel * n_in * 32 + col, (size_t)n_in * 32,
                             n_in);
#ifdef BIAS_ONLY
                store_tile(s, y + y0, at, rows, y_pitch);
#else
                finish_tile(s, y + y0, at, rows, y_pitch, p0, per_sample, o, n_out, e);
#endif
            }
}
#else

/* Values and gates are 16 columns apart: in two tiles, if those are narrow. */
#define GATED_COLS (TILE_COLS < 32 ? 32 : TILE_COLS)

/* Keeps the sums of a tile from column `col` on until their gates are there. out [TILE_ROWS][GATED_COLS]. */
HELPER IN_BODY void keep_gated(const VEC *s, float16 *out, int col)
{
#pragma unroll
    for (int i = 0; i < TILE_ROWS * TILE_COLS / 16; i++)
        out[i / (TILE_COLS / 16) * (GATED_COLS / 16) + col % GATED_COLS / 16 + i % (TILE_COLS / 16)] = PIECE(s, i);
}

/* Writes what values and gates make. out [TILE_ROWS][GATED_COLS]: the sums from output `o` on. */
HELPER IN_BODY void finish_gated(const float16 *out, __global ACT *y, int p0, int rows, int y_pitch, int o, int n_out,
                                 __global const float *bias)
{
    for (int i = 0; i < rows; i++)
#pragma nounroll
        for (int j = 0; j < GATED_COLS / 16 && o + j * 16 < n_out; j += 2) {
            float16 v = out[i * GATED_COLS / 16 + j], g = out[i * GATED_COLS / 16 + j + 1];
            if (bias) {
                v += vload16(j, bias + o);
                g += vload16(j + 1, bias + o);
            }
            v *= gelu_16(g);
            STORE16(y, (size_t)(p0 + i) * y_pitch + o / 2 + j * 8, v);
        }
}

/* What is done with a tile's sums: `how` is a constant of each kernel. */
#define WITH_EPILOGUE 0
#define WITH_BIAS 1 /* e.bias, from 0 on, is all that is fused */
#define GATED 2     /* as with a bias, and half of the outputs are gates */

HELPER IN_BODY void multiply(const int how, int item, int run, __global ACT *y, __global const ACT *x, int x0,
                             __global const PANEL_WT *wt, int n_rows, int rows_run, int n_in, int n_out, int y_pitch,
                             int per_sample, int n_panels, int per_item, int slice, __local float16 *scratch,
                             const Epilogue e)
{
    const Share h = share_of(item, run, n_rows, rows_run, n_in, n_panels, per_item);
    __local WORD16 *a = (__local WORD16 *)scratch;
    __local float16 *sums = scratch + (size_t)rows_run * (slice / (16 * PAIR));
    for (int k0 = 0; k0 < n_in; k0 += slice) {
        const int kn = min(slice, n_in - k0), n_words = (kn + PAIR - 1) / PAIR, groups = (n_words + 15) / 16;
        const bool last = k0 + slice >= n_in;
        pack_rows(a, x, x0, h, n_rows, n_in, k0, kn, groups);
        for (int panel = h.panel0; panel < h.panel1; panel += PANELS)
            for (int r0 = 0; r0 < h.blocks * 12; r0 += TILE_ROWS) {
                float16 out[TILE_ROWS * GATED_COLS / 16];
                for (int col = 0; col < 32 * PANELS; col += TILE_COLS) {
                    const int p0 = h.first + r0, rows = min(TILE_ROWS, h.last - p0), o = panel * 32 + col;
                    const size_t at = (size_t)p0 * y_pitch + o;
                    __local VEC *sum =
                        (__local VEC *)(sums + ((size_t)(panel - h.panel0) * rows_run + r0) * 2) + col / VW;
                    VEC s[TILE_SUMS];
                    if (last && how == GATED)
                        for (int i = 0; i < rows; i++)
                            FETCH_TO_WRITE(y + (size_t)(p0 + i) * y_pitch + panel * 16);
                    else if (last)
                        fetch_tile(y, e.res ? e.res + e.res0 : 0, at, rows, y_pitch);
                    if (how == WITH_BIAS)
                        start_at_bias(s, e.bias, o);
                    else
                        start_at_zero(s);
                    if (k0 > 0)
                        take_up(s, sum, rows_run);
                    add_products(s, (__local const WORD *)(a + (size_t)(r0 / 12) * groups * 12 + r0 % 12),
                                 wt + ((size_t)panel * h.words + k0 / PAIR) * 32 + col, (size_t)h.words * 32, n_words);
                    if (!last)
                        keep(s, sum, rows_run);
                    else if (how == WITH_EPILOGUE)
                        finish_tile(s, y, at, rows, y_pitch, p0, per_sample, o, n_out, e);
                    else if (how == WITH_BIAS)
                        store_tile(s, y, at, rows, y_pitch);
                    else {
                        keep_gated(s, out, col);
                        if (col % GATED_COLS + TILE_COLS == GATED_COLS)
                            finish_gated(out, y, p0, rows, y_pitch, o / GATED_COLS * GATED_COLS, n_out, e.bias);
                    }
                }
            }
    }
}

HELPER BODY void panel_body(int item, int run, __global ACT *y, __global const ACT *x, int x0,
                            __global const PANEL_WT *wt, int n_rows, int rows_run, int n_in, int n_out, int y_pitch,
                            int per_sample, int n_panels, int per_item, int slice, __local float16 *scratch,
                            const Epilogue e)
{
    multiply(WITH_EPILOGUE, item, run, y, x, x0, wt, n_rows, rows_run, n_in, n_out, y_pitch, per_sample, n_panels,
             per_item, slice, scratch, e);
}

HELPER BODY void bias_body(int item, int run, __global ACT *y, __global const ACT *x, int x0,
                           __global const PANEL_WT *wt, int n_rows, int rows_run, int n_in, int y_pitch, int n_panels,
                           int per_item, int slice, __local float16 *scratch, __global const float *bias)
{
    const Epilogue e = {bias};
    multiply(WITH_BIAS, item, run, y, x, x0, wt, n_rows, rows_run, n_in, 0, y_pitch, 1, n_panels, per_item, slice,
             scratch, e);
}

HELPER BODY void geglu_body(int item, int run, __global ACT *y, __global const ACT *x, int x0,
                            __global const PANEL_WT *wt, int n_rows, int rows_run, int n_in, int n_out, int y_pitch,
                            int n_panels, int per_item, int slice, __local float16 *scratch, __global const float *bias)
{
    const Epilogue e = {bias};
    multiply(GATED, item, run, y, x, x0, wt, n_rows, rows_run, n_in, n_out, y_pitch, 1, n_panels, per_item, slice,
             scratch, e);
}

/* The three take the same arguments. */
#define ROW_ARGUMENTS                                                                                                  \
    __global ACT *y, int y0, __global const ACT *x, int x0, __global const PANEL_WT *wt, int wt0, int n_rows,          \
        int rows_run, int n_in, int n_out, int y_pitch, int per_sample, int n_panels, int per_item, int slice,         \
        __local float16 *scratch, EPILOGUE

__kernel void linear_panel(ROW_ARGUMENTS)
{
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
    panel_body(get_global_id(0), get_global_id(1), y + y0, x, x0, wt + wt0, n_rows, rows_run, n_in, n_out, y_pitch,
               per_sample, n_panels, per_item, slice, scratch, e);
}

__kernel void linear_bias(ROW_ARGUMENTS)
{
    bias_body(get_global_id(0), get_global_id(1), y + y0, x, x0, wt + wt0, n_rows, rows_run, n_in, y_pitch, n_panels,
              per_item, slice, scratch, bias ? bias + bias0 : 0);
}

__kernel void linear_geglu(ROW_ARGUMENTS)
{
    geglu_body(get_global_id(0), get_global_id(1), y + y0, x, x0, wt + wt0, n_rows, rows_run, n_in, n_out, y_pitch,
               n_panels, per_item, slice, scratch, bias ? bias + bias0 : 0);
}
#endif
#endif
