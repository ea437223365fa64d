/* Convolution and learned products on the matrix units of Intel's CPUs: see amx_tiles.cl.
 *   amx_rows     pixels become rows of bf16, in the order that tiles are read in.
 *   amx_product  blocks of 32 pixels times panels of 32 outputs.
 * The grid: pixels with their padding around them, in `stride`^2 phases of every stride-th row and column. In a phase
 * the pixels that a tap reads for neighboring outputs are neighbors, so that a tile is 16 rows from one address on.
 * rows [phases][n][gh][gw][row_words], words of 2 channels.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef CPU
#include "amx_tiles.cl"

HELPER AMX_BODY void rows_body(int item, __global int *rows, __global const ACT *x, int x0, int n_pix, int run, int h,
                               int w, int n_in, int gh, int gw, int stride, int pad_t, int pad_l, int up, int wrap,
                               int x_pitch, int row_words)
{
    const int last = min(n_pix, (item + 1) * run);
    for (int p = item * run; p < last; p++) {
        const int gx = p % gw, gy = p / gw % gh, b = p / gw / gh % (n_pix / gw / gh / stride / stride),
                  phase = p / (n_pix / stride / stride);
        const int sy = source(gy * stride + phase / stride - pad_t, h, up, wrap & 2),
                  sx = source(gx * stride + phase % stride - pad_l, w, up, wrap & 1);
        const bool inside = sy >= 0 && sx >= 0;
        const size_t from = inside ? x0 + (((size_t)b * h + sy) * w + sx) * x_pitch : 0;
        __global int *to = rows + (size_t)p * row_words;
        for (int c = 0; c < row_words * 2; c += 32) {
            float16 v0 = 0.0f, v1 = 0.0f;
            if (inside && c < n_in)
                v0 = load_part(x, from + c, n_in - c);
            if (inside && c + 16 < n_in)
                v1 = load_part(x, from + c + 16, n_in - c - 16);
            vstore16(to_bf16(v0, v1), 0, to + c / 2);
        }
    }
}

/* Items: runs of `run` of all n_pix pixels of the grid. */
__kernel void amx_rows(__global int *rows, int rows0, __global const ACT *x, int x0, int n_pix, int run, int h, int w,
                       int n_in, int gh, int gw, int stride, int pad_t, int pad_l, int up, int wrap, int x_pitch,
                       int row_words)
{
    rows_body(get_global_id(0), rows + rows0, x, x0, n_pix, run, h, w, n_in, gh, gw, stride, pad_t, pad_l, up, wrap,
              x_pitch, row_words);
}

#ifdef GATED
#define BLOCK 32 /* pixels, and outputs */
#define STEP_WORDS (16 * BLOCK)
#define MOST_TAPS 64

/* The first grid pixel of 16 outputs in a row, the pixel that is written first, and how many there are. Segments are
 * rows of y, cut into 16; or, where that would leave much of them empty, 16 pixels of the grid, of which those count
 * that are in y. */
typedef struct {
    int oh, ow, gh, gw, by_rows, n_segments, n_pixels; /* of a phase of the grid, all samples */
} Grid;

HELPER IN_BODY int segment_start(const Grid *g, int segment)
{
    const int per = (g->ow + 15) / 16, row = segment / per;
    return g->by_rows ? (row / g->oh * g->gh + row % g->oh) * g->gw + segment % per * 16 : segment * 16;
}

/* The sums of 32 pixels over all taps and inputs. a0, a1: words of 16 pixels each; offsets: words from there to those
 * that a tap reads. b: the weights. */
HELPER IN_BODY void add_taps(__global const int *a0, __global const int *a1, const int *offsets, int taps,
                             int row_words, size_t b)
{
    ZERO_SUMS;
    for (int tap = 0; tap < taps; tap++) {
        const size_t p0 = (size_t)(a0 + offsets[tap]), p1 = (size_t)(a1 + offsets[tap]);
        for (int c = 0; c < row_words * 4; c += 64, b += STEP_WORDS * 4)
            add_step(p0 + c, p1 + c, row_words * 4, b, TILE_BYTES);
    }
}

/* Asks for the lines of y that a segment is going to write. */
HELPER IN_BODY void fetch_segment(__global const ACT *y, const Grid *g, int segment, int y_pitch)
{
    const int start = segment_start(g, segment), row = start / g->gw / g->gh * g->oh + start / g->gw % g->gh;
    if (g->by_rows)
        for (int i = 0, ox = start % g->gw; i < 16 && ox < g->ow; i++, ox++) {
            FETCH_TO_WRITE(y + ((size_t)row * g->ow + ox) * y_pitch);
            FETCH_TO_WRITE(y + ((size_t)row * g->ow + ox) * y_pitch + 16);
        }
}

/* Writes the pixels of a segment. s: their sums, [16][BLOCK]; o: the panel's first output. */
HELPER IN_BODY void finish_segment(__local const float *s, __global ACT *y, const Grid *g, int segment, int o,
                                   int y_pitch, int n_out, const Epilogue e)
{
    const int start = segment_start(g, segment), b = start / g->gw / g->gh;
    int oy = start / g->gw % g->gh, ox = start % g->gw, sample = b;
    for (int i = 0; i < min(16, g->n_pixels - start); i++, s += BLOCK) {
        if (ox < g->ow && oy < g->oh) {
            const size_t at = ((size_t)(sample * g->oh + oy) * g->ow + ox) * y_pitch;
#if GATED
            float16 v = vload16(0, s), gate = vload16(1, s);
            if (e.bias) {
                v += vload16(0, e.bias + e.bias0 + o);
                gate += vload16(1, e.bias + e.bias0 + o);
            }
            v *= gelu_16(gate);
            STORE16(y, at + o / 2, v);
#else
#pragma nounroll
            for (int j = 0; j < BLOCK && o + j < n_out; j += 16)
                finish(y, at + o + j, vload16(0, s + j), min(n_out - o - j, 16), o + j, sample, n_out, e);
#endif
        }
        if (++ox == g->gw) {
            if (g->by_rows)
                return;
            ox = 0;
            if (++oy == g->gh) {
                oy = 0;
                sample++;
            }
        }
    }
}

HELPER AMX_BODY void product_body(int item, int run_item, __global ACT *y, __global const int *rows, size_t phase_words,
                                  __global const int *wt, int n_panels, int per_item, int run, int row_words, int kw,
                                  int taps, int stride, int n_out, int y_pitch, const Grid g, __local float *sums,
                                  const Epilogue e)
{
    const int first = run_item * run, last = min(g.n_segments, first + run);
    int offsets[MOST_TAPS];
    for (int tap = 0, ky = 0, kx = 0; tap < taps; tap++) {
        offsets[tap] =
            (ky % stride * stride + kx % stride) * phase_words + (ky / stride * g.gw + kx / stride) * row_words;
        if (++kx == kw) {
            kx = 0;
            ky++;
        }
    }
    start_tiles();
    for (int panel = item * per_item; panel < min(n_panels, (item + 1) * per_item); panel++)
        for (int i = first; i < last; i += 2) {
            const int next = min(i + 1, last - 1);
            __global ACT *to = y + panel * (GATED ? BLOCK / 2 : BLOCK);
            fetch_segment(to, &g, i, y_pitch);
            fetch_segment(to, &g, next, y_pitch);
            add_taps(rows + (size_t)segment_start(&g, i) * row_words,
                     rows + (size_t)segment_start(&g, next) * row_words, offsets, taps, row_words,
                     (size_t)(wt + (size_t)panel * taps * row_words * BLOCK));
            store_sums((size_t)sums, TILE_BYTES);
            for (int k = i; k < min(i + 2, last); k++)
                finish_segment(sums + (k - i) * 16 * BLOCK, y, &g, k, panel * BLOCK, y_pitch, n_out, e);
        }
    ASM("tilerelease");
}

/* Items: dim 0 = per_item panels, dim 1 = runs of `run` (even) segments. wt [n_panels][taps][row_words][32], words of 2
 * inputs. n_grid: pixels of all phases. sums: [32][32]. */
__kernel void amx_product(__global ACT *y, int y0, __global const int *rows, int rows0, __global const int *wt, int wt0,
                          int n_grid, int n_segments, int n_panels, int per_item, int run, int row_words, int gh,
                          int gw, int by_rows, int oh, int ow, int n_out, int kh, int kw, int stride, int y_pitch,
                          __local float *sums, EPILOGUE)
{
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
    const int n_pixels = n_grid / (stride * stride);
    const Grid g = {oh, ow, gh, gw, by_rows, n_segments, n_pixels};
    product_body(get_global_id(0), get_global_id(1), y + y0, rows + rows0, (size_t)n_pixels * row_words, wt + wt0,
                 n_panels, per_item, run, row_words, kw, kh * kw, stride, n_out, y_pitch, g, sums, e);
}
#endif
#endif
