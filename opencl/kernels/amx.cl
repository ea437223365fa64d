/* Convolution and learned products on the matrix units of Intel's CPUs: see amx_tiles.cl.
 *   amx_rows     pixels become words of 2 inputs in bf16, in the order that tiles are read in;
 *   amx_rows_int8  or words of 4 whole numbers: x = q * scale, with the largest |x| at 127.
 *   amx_product  blocks of 32 pixels times panels of 32 outputs.
 * The grid: pixels with their padding around them, in `stride`^2 phases of every stride-th row and column. In a phase
 * the pixels that a tap reads for neighboring outputs are neighbors. Blocks of 16 words, 32 or 64 inputs, follow each
 * other: so a tile is 1 KiB from one address on, and the taps of a block read the same lines.
 * rows [blocks][plane][16 words], a plane being [phases][n][gh][gw] and some pixels behind.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef CPU
#include "amx_tiles.cl"

#define AT_ONCE 32 /* pixels whose blocks are written before the next block's */

/* Where the grid comes from, and goes to. */
typedef struct {
    int n_pix, h, w, n_in, gh, gw, stride, pad_t, pad_l, up, wrap, x_pitch, plane;
} Rows;
#define ROWS_ARGUMENTS                                                                                                 \
    int n_pix, int run, int h, int w, int n_in, int gh, int gw, int stride, int pad_t, int pad_l, int up, int wrap,    \
        int x_pitch, int plane
#define ROWS_OF_ARGUMENTS                                                                                              \
    {                                                                                                                  \
        n_pix, h, w, n_in, gh, gw, stride, pad_t, pad_l, up, wrap, x_pitch, plane                                      \
    }

/* Samples and places in x of n grid pixels from number p0 on; places outside are -1. */
HELPER IN_BODY void find_pixels(const Rows *r, int p0, int n, int *sample, long *from)
{
    const int per_phase = r->n_pix / (r->stride * r->stride), n_samples = per_phase / r->gw / r->gh;
    for (int i = 0; i < n; i++) {
        const int p = p0 + i, gx = p % r->gw, gy = p / r->gw % r->gh, phase = p / per_phase;
        const int sy = source(gy * r->stride + phase / r->stride - r->pad_t, r->h, r->up, r->wrap & 2),
                  sx = source(gx * r->stride + phase % r->stride - r->pad_l, r->w, r->up, r->wrap & 1);
        sample[i] = p / r->gw / r->gh % n_samples;
        from[i] = sy >= 0 && sx >= 0 ? (((long)sample[i] * r->h + sy) * r->w + sx) * r->x_pitch : -1;
    }
}

HELPER IN_BODY float16 load_inputs(__global const ACT *x, long from, int c, int n_in)
{
    return from >= 0 && c < n_in ? load_part(x, from + c, n_in - c) : (float16)(0.0f);
}

#ifndef INT8
HELPER AMX_BODY void rows_body(int first, int last, __global int *rows, __global const ACT *x, const Rows r)
{
    int sample[AT_ONCE];
    long from[AT_ONCE];
    for (int p0 = first; p0 < last; p0 += AT_ONCE) {
        const int n = min(AT_ONCE, last - p0);
        find_pixels(&r, p0, n, sample, from);
        for (int c = 0; c < r.n_in; c += 32)
            for (int i = 0; i < n; i++)
                vstore16(to_bf16(load_inputs(x, from[i], c, r.n_in), load_inputs(x, from[i], c + 16, r.n_in)), 0,
                         rows + ((size_t)(c / 32) * r.plane + p0 + i) * 16);
    }
}

/* Items: runs of `run` of all n_pix pixels of the grid. */
__kernel void amx_rows(__global int *rows, int rows0, __global const ACT *x, int x0, ROWS_ARGUMENTS)
{
    const Rows r = ROWS_OF_ARGUMENTS;
    const int first = get_global_id(0) * run;
    rows_body(first, min(n_pix, first + run), rows + rows0, x + x0, r);
}
#else
#define PARTS 16 /* of a sample, whose largest values are found side by side */

/* The largest |x| of each of the PARTS parts of a sample of n_pix pixels. largest [samples][PARTS]; items: those. */
__kernel void amx_largest(__global float *largest, int largest0, __global const ACT *x, int x0, int n_pix, int n_in,
                          int x_pitch)
{
    const int item = get_global_id(0), run = (n_pix + PARTS - 1) / PARTS, first = item % PARTS * run;
    float16 most = 0.0f;
    for (int p = first; p < min(n_pix, first + run); p++)
        for (int c = 0; c < n_in; c += 16)
            most = fmax(most, fabs(load_part(x, x0 + ((size_t)(item / PARTS) * n_pix + p) * x_pitch + c, n_in - c)));
    largest[largest0 + item] = greatest(most);
}

/* v * inverse, rounded: 1.5 * 2^23 leaves the rounded number in the low bits. */
HELPER IN_BODY int16 whole(float16 v, float inverse)
{
    return as_int16(fma(v, (float16)(inverse), (float16)(12582912.0f)));
}

/* Writes the low bytes of 16 numbers. PoCL's convert_char16() takes them one by one. */
#define PUT_BYTES(p, v) (*(__global char16 *)(p) = __builtin_convertvector(v, char16))

HELPER AMX_BODY void rows_body(int first, int last, __global char *rows, __global float *scales, int each,
                               __global const ACT *x, const Rows r)
{
    int sample[AT_ONCE];
    long from[AT_ONCE];
    float inverse[AT_ONCE];
    for (int p0 = first; p0 < last; p0 += AT_ONCE) {
        const int n = min(AT_ONCE, last - p0);
        find_pixels(&r, p0, n, sample, from);
        for (int i = 0; i < n; i++) {
            float16 most = 0.0f;
            if (!each)
                most = vload16(sample[i], scales);
            for (int c = 0; each && c < r.n_in; c += 16)
                most = fmax(most, fabs(load_inputs(x, from[i], c, r.n_in)));
            const float m = greatest(most);
            inverse[i] = m > 0.0f ? 127.0f / m : 0.0f;
            if (each)
                scales[p0 + i] = m * (1.0f / 127.0f);
        }
        for (int c = 0; c < r.n_in; c += 64)
            for (int i = 0; i < n; i++) {
                __global char *to = rows + ((size_t)(c / 64) * r.plane + p0 + i) * 64;
#pragma unroll
                for (int k = 0; k < 64; k += 16)
                    PUT_BYTES(to + k, whole(load_inputs(x, from[i], c + k, r.n_in), inverse[i]));
            }
    }
}

/* Items as those of amx_rows. each: every pixel has its own scale, which is written to scales [pixels]; else that of
 * its sample, amx_largest. */
__kernel void amx_rows_int8(__global int *rows, int rows0, __global float *scales, int scales0, int each,
                            __global const ACT *x, int x0, ROWS_ARGUMENTS)
{
    const Rows r = ROWS_OF_ARGUMENTS;
    const int first = get_global_id(0) * run;
    rows_body(first, min(n_pix, first + run), (__global char *)(rows + rows0), scales + scales0, each, x + x0, r);
}
#endif

#ifdef GATED
#define BLOCK 32       /* pixels, and outputs */
#define PIXEL_BYTES 64 /* of a block of inputs */
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
#ifdef INT8
    __global const float *w_scales, *x_scales; /* of outputs; of each pixel, or the largest values of samples */
    int each;
#endif
} Target;

/* Sums of two segments that are to be written: those of the pixels from number k on, below `end`. */
typedef struct {
    __local const float *sums; /* [32][BLOCK] */
    int o;                     /* the panel's first output */
    int segment, k, end;
    int sample, oy, ox; /* of pixel k */
} Waiting;

/* 16 sums of a pixel. j: the first one's place in its panel. */
HELPER IN_BODY float16 sums_of(__local const float *sums, int j, const Waiting *s, float scale, const Target *t)
{
#ifdef INT8
    return convert_float16(as_int16(vload16(0, sums + j))) * (vload16(0, t->w_scales + s->o + j) * scale);
#else
    return vload16(0, sums + j);
#endif
}

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
        const size_t pixel = (size_t)(s->sample * g->oh + s->oy) * g->ow + s->ox, at = pixel * t->y_pitch;
        float scale = 1.0f;
#ifdef INT8
        scale = t->each ? t->x_scales[pixel] : greatest(vload16(s->sample, t->x_scales)) * (1.0f / 127.0f);
#endif
#if GATED
        float16 v = sums_of(sums, 0, s, scale, t), gate = sums_of(sums, 16, s, scale, t);
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
                finish_rest(t->y, at + o, sums_of(sums, j, s, scale, t), left, o, s->sample, t->n_out, t->e);
            else
                put_16(t->y, at + o, finished_16(at + o, sums_of(sums, j, s, scale, t), o, s->sample, t->n_out, t->e),
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

#ifdef INT8
#define SCALES __global const float *w_scales, int w_scales0, __global const float *x_scales, int x_scales0, int each,
#else
#define SCALES
#endif

/* Items: dim 0 = per_item panels, dim 1 = runs of `run` (even) segments. wt [n_panels][n_blocks][taps][16][32] words of
 * inputs. n: samples. at_once: blocks of inputs that an item goes over before the next ones. sums: [32][32], or
 * where at_once is less than n_blocks [per_item][run * 16][32]. stream: y starts with a line, and its pixels are whole
 * lines. */
__kernel void amx_product(__global ACT *y, int y0, __global const int *rows, int rows0, __global const int *wt, int wt0,
                          int n, int n_segments, int n_panels, int per_item, int run, int plane, int n_blocks,
                          int at_once, int gh, int gw, int by_rows, int oh, int ow, int n_out, int kh, int kw,
                          int stride, int y_pitch, int stream, __local float *sums, SCALES EPILOGUE)
{
    const Grid g = {n, oh, ow, gh, gw, by_rows, n_segments, n * gh * gw};
    const Target t = {y + y0,
                      y_pitch,
                      n_out,
                      stream,
                      epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale),
#ifdef INT8
                      w_scales + w_scales0,
                      x_scales + x_scales0,
                      each
#endif
    };
    product_body(get_global_id(0), get_global_id(1), rows + rows0, plane, wt + wt0, n_panels, per_item, run, n_blocks,
                 at_once, kw, kh * kw, stride, g, t, sums);
}
#endif
#endif
