/* Convolution and learned products on the matrix units of Intel's CPUs: see amx_tiles.cl.
 *   amx_rows     pixels become words of bf16, in the order that tiles are read in.
 *   amx_product  blocks of 32 pixels times panels of 32 outputs.
 * The grid: pixels with their padding around them, in `stride`^2 phases of every stride-th row and column. In a phase
 * the pixels that a tap reads for neighboring outputs are neighbors. Words hold 2 channels, and 16 of them, a block of
 * 32 channels, follow each other: so a tile is 1 KiB from one address on, and the taps of a block read the same lines.
 * rows [blocks][plane][16 words], a plane being [phases][n][gh][gw] and some pixels behind.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef CPU
#include "amx_tiles.cl"

#define AT_ONCE 32 /* pixels whose blocks are written before the next block's */

HELPER AMX_BODY void rows_body(int item, __global int *rows, __global const ACT *x, int x0, int n_pix, int run, int h,
                               int w, int n_in, int gh, int gw, int stride, int pad_t, int pad_l, int up, int wrap,
                               int x_pitch, int plane)
{
    const int last = min(n_pix, (item + 1) * run), n = n_pix / gw / gh / stride / stride;
    size_t from[AT_ONCE];
    bool inside[AT_ONCE];
    for (int p0 = item * run; p0 < last; p0 += AT_ONCE) {
        const int n_pixels = min(AT_ONCE, last - p0);
        for (int i = 0; i < n_pixels; i++) {
            const int p = p0 + i, gx = p % gw, gy = p / gw % gh, b = p / gw / gh % n,
                      phase = p / (n_pix / stride / stride);
            const int sy = source(gy * stride + phase / stride - pad_t, h, up, wrap & 2),
                      sx = source(gx * stride + phase % stride - pad_l, w, up, wrap & 1);
            inside[i] = sy >= 0 && sx >= 0;
            from[i] = x0 + (((size_t)b * h + sy) * w + sx) * x_pitch;
        }
        for (int c = 0; c < n_in; c += 32)
            for (int i = 0; i < n_pixels; i++) {
                float16 v0 = 0.0f, v1 = 0.0f;
                if (inside[i]) {
                    v0 = load_part(x, from[i] + c, n_in - c);
                    if (c + 16 < n_in)
                        v1 = load_part(x, from[i] + c + 16, n_in - c - 16);
                }
                vstore16(to_bf16(v0, v1), 0, rows + ((size_t)(c / 32) * plane + p0 + i) * 16);
            }
    }
}

/* Items: runs of `run` of all n_pix pixels of the grid. */
__kernel void amx_rows(__global int *rows, int rows0, __global const ACT *x, int x0, int n_pix, int run, int h, int w,
                       int n_in, int gh, int gw, int stride, int pad_t, int pad_l, int up, int wrap, int x_pitch,
                       int plane)
{
    rows_body(get_global_id(0), rows + rows0, x, x0, n_pix, run, h, w, n_in, gh, gw, stride, pad_t, pad_l, up, wrap,
              x_pitch, plane);
}

#ifdef GATED
#define BLOCK 32 /* pixels, and outputs */
#define PIXEL_BYTES 64 /* of a block of 32 inputs */
#define STEP_BYTES (16 * BLOCK * 4)
#define MOST_TAPS 64

/* The first grid pixel of 16 outputs in a row, the pixel that is written first, and how many there are. Segments are
 * rows of y, cut into 16; or, where that would leave much of them empty, 16 pixels of the grid, of which those count
 * that are in y. */
typedef struct {
    int n, oh, ow, gh, gw, by_rows, n_segments;
    int n_pixels; /* of a phase of the grid, all samples */
} Grid;

HELPER IN_BODY int segment_start(const Grid *g, int segment)
{
    const int per = (g->ow + 15) / 16, row = segment / per;
    return g->by_rows ? (row / g->oh * g->gh + row % g->oh) * g->gw + segment % per * 16 : segment * 16;
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

/* Full lines of a large y go past the caches: it is read after all of it is written. */
HELPER IN_BODY void put_16(__global ACT *y, size_t at, float16 v, int stream)
{
#if defined(POCL) && !defined(ACT_F16)
    if (stream) {
        __builtin_nontemporal_store(v, (__global float16 *)(y + at));
        return;
    }
#endif
    STORE16(y, at, v);
}

/* Where a product goes, and how it ends. */
typedef struct {
    __global ACT *y;
    int y_pitch, n_out, stream;
    Epilogue e;
} Target;

/* Sums of two segments that are to be written: those of the pixels from number k on, below `end`. */
typedef struct {
    __local const float *sums; /* [32][BLOCK] */
    int o;                     /* the panel's first output */
    int segment, k, end;
    int sample, oy, ox; /* of pixel k */
} Waiting;

/* Writes one pixel. */
HELPER IN_BODY void finish_next(Waiting *s, const Grid *g, const Target *t)
{
    if (s->k % 16 == 0) {
        const int start = segment_start(g, s->segment + s->k / 16), row = start / g->gw;
        s->ox = start % g->gw;
        s->oy = row % g->gh;
        s->sample = row / g->gh;
    }
    __local const float *sums = s->sums + s->k++ * BLOCK;
    if (s->ox < g->ow && s->oy < g->oh && s->sample < g->n) {
        const size_t at = ((size_t)(s->sample * g->oh + s->oy) * g->ow + s->ox) * t->y_pitch;
#if GATED
        float16 v = vload16(0, sums), gate = vload16(1, sums);
        if (t->e.bias) {
            v += vload16(0, t->e.bias + t->e.bias0 + s->o);
            gate += vload16(1, t->e.bias + t->e.bias0 + s->o);
        }
        v *= gelu_16(gate);
        put_16(t->y, at + s->o / 2, v, t->stream);
#else
#pragma nounroll
        for (int j = 0; j < min(BLOCK, t->n_out - s->o); j += 16) {
            const int o = s->o + j, left = t->n_out - o;
            if (left < 16)
                finish_rest(t->y, at + o, vload16(0, sums + j), left, o, s->sample, t->n_out, t->e);
            else
                put_16(t->y, at + o, finished_16(at + o, vload16(0, sums + j), o, s->sample, t->n_out, t->e),
                       t->stream);
        }
#endif
    }
    if (++s->ox == g->gw && !g->by_rows) {
        s->ox = 0;
        if (++s->oy == g->gh) {
            s->oy = 0;
            s->sample++;
        }
    }
}

/* Adds to the sums of 32 pixels the products along n blocks of inputs, and meanwhile writes those that wait. a0, a1:
 * addresses of the first block of 16 pixels each; offsets: bytes from there to those that a tap reads; plane: bytes to
 * the next block; b: address of the weights. */
HELPER IN_BODY void add_blocks(size_t a0, size_t a1, const int *offsets, int taps, int n, size_t plane, size_t b,
                               Waiting *waiting, const Grid *g, const Target *t)
{
    const int steps = n * taps;
    for (int block = 0, due = 0; block < n; block++, a0 += plane, a1 += plane)
        for (int tap = 0; tap < taps; tap++, b += STEP_BYTES) {
            add_step(a0 + offsets[tap], a1 + offsets[tap], PIXEL_BYTES, b, TILE_BYTES);
            for (due += waiting->end; due >= steps && waiting->k < waiting->end; due -= steps)
                finish_next(waiting, g, t);
        }
}

/* Blocks of inputs go `at_once`, so that they and their weights stay in the second-level cache; meanwhile the sums of
 * all pixels and panels wait in `sums`. */
HELPER AMX_BODY void product_body(int item, int run_item, __global const int *rows, int plane, __global const int *wt,
                                  int n_panels, int per_item, int run, int n_blocks, int at_once, int kw, int taps,
                                  int stride, const Grid g, const Target t, __local float *sums)
{
    const int first = run_item * run, last = min(g.n_segments, first + run), first_panel = item * per_item,
              end_panel = min(n_panels, first_panel + per_item);
    const size_t plane_bytes = (size_t)plane * PIXEL_BYTES;
    int offsets[MOST_TAPS];
    for (int tap = 0, ky = 0, kx = 0; tap < taps; tap++) {
        offsets[tap] =
            ((ky % stride * stride + kx % stride) * g.n_pixels + ky / stride * g.gw + kx / stride) * PIXEL_BYTES;
        if (++kx == kw) {
            kx = 0;
            ky++;
        }
    }
    Waiting waiting = {0};
    start_tiles();
    for (int block = 0; block < n_blocks; block += at_once)
        for (int panel = first_panel; panel < end_panel; panel++)
            for (int i = first; i < last; i += 2) {
                const bool whole = block + at_once >= n_blocks;
                const int next = min(i + 1, last - 1);
                const size_t a = (size_t)rows + block * plane_bytes;
                __local float *own =
                    sums + (at_once < n_blocks ? ((panel - first_panel) * run + i - first) * 16 * BLOCK : 0);
                if (whole && !t.stream) {
                    __global ACT *to = t.y + panel * (GATED ? BLOCK / 2 : BLOCK);
                    fetch_segment(to, &g, i, t.y_pitch);
                    fetch_segment(to, &g, next, t.y_pitch);
                }
                if (block)
                    load_sums((size_t)own, TILE_BYTES);
                else
                    ZERO_SUMS;
                add_blocks(a + (size_t)segment_start(&g, i) * PIXEL_BYTES,
                           a + (size_t)segment_start(&g, next) * PIXEL_BYTES, offsets, taps,
                           min(at_once, n_blocks - block), plane_bytes,
                           (size_t)wt + ((size_t)panel * n_blocks + block) * taps * STEP_BYTES, &waiting, &g, &t);
                store_sums((size_t)own, TILE_BYTES);
                if (whole)
                    waiting = (Waiting){own, panel * BLOCK, i, 0, (min(i + 2, last) - i) * 16};
            }
    while (waiting.k < waiting.end)
        finish_next(&waiting, &g, &t);
    ASM("tilerelease\n sfence" ::: "memory");
}

/* Items: dim 0 = per_item panels, dim 1 = runs of `run` (even) segments. wt [n_panels][n_blocks][taps][16][32], words
 * of 2 inputs. n: samples. at_once: blocks of inputs that an item goes over before the next ones. sums: [32][32], or
 * where at_once is less than n_blocks [per_item][run * 16][32]. stream: y starts with a line, and its pixels are whole
 * lines. */
__kernel void amx_product(__global ACT *y, int y0, __global const int *rows, int rows0, __global const int *wt, int wt0,
                          int n, int n_segments, int n_panels, int per_item, int run, int plane, int n_blocks,
                          int at_once, int gh, int gw, int by_rows, int oh, int ow, int n_out, int kh, int kw,
                          int stride, int y_pitch, int stream, __local float *sums, EPILOGUE)
{
    const Grid g = {n, oh, ow, gh, gw, by_rows, n_segments, n * gh * gw};
    const Target t = {
        y + y0, y_pitch, n_out, stream,
        epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale)};
    product_body(get_global_id(0), get_global_id(1), rows + rows0, plane, wt + wt0, n_panels, per_item, run, n_blocks,
                 at_once, kw, kh * kw, stride, g, t, sums);
}
#endif
#endif
