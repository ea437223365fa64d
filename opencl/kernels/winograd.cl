/* 3x3 convolution of stride 1 with a quarter of the multiplications: F(4x4, 3x3) of Lavin & Gray 2015
 * (arXiv 1509.09308), for CPU devices. Tiles of 4x4 outputs; T tiles are a chunk, in blocks of MR.
 *   winograd_input    inputs of the tiles, transformed: v [chunk][36][T/MR][ceil(n_in/16)][MR][16], fp32.
 *   winograd_product  one chunk and one panel of 32 outputs an item: transforms the panel's weights a slice of input
 *                     channels at a time (they stay fp16 and small in memory), multiplies the 36 products, transforms
 *                     back, epilogue.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

/* B^T d, G g and A^T m of the paper's section 4.3, for one row or column. */
#define INPUT_1D(d0, d1, d2, d3, d4, d5, t0, t1, t2, t3, t4, t5)                                                       \
    {                                                                                                                  \
        const float16 a_ = d4 - 4.0f * d2, b_ = d3 - 4.0f * d1, c_ = d4 - d2, e_ = 2.0f * (d3 - d1);                   \
        const float16 f_ = 4.0f * d0 - 5.0f * d2 + d4, g_ = 4.0f * d1 - 5.0f * d3 + d5;                                \
        t0 = f_;                                                                                                       \
        t1 = a_ + b_;                                                                                                  \
        t2 = a_ - b_;                                                                                                  \
        t3 = c_ + e_;                                                                                                  \
        t4 = c_ - e_;                                                                                                  \
        t5 = g_;                                                                                                       \
    }
#define WEIGHT_1D(g0, g1, g2, u0, u1, u2, u3, u4, u5)                                                                  \
    {                                                                                                                  \
        const float16 s_ = (g0 + g2) * (-1.0f / 6.0f), d_ = g1 * (1.0f / 6.0f),                                        \
                      p_ = g0 * (1.0f / 24.0f) + g2 * (1.0f / 6.0f);                                                   \
        const float16 q_ = g1 * (1.0f / 12.0f);                                                                        \
        u0 = g0 * 0.25f;                                                                                               \
        u1 = s_ - d_;                                                                                                  \
        u2 = s_ + d_;                                                                                                  \
        u3 = p_ + q_;                                                                                                  \
        u4 = p_ - q_;                                                                                                  \
        u5 = g2;                                                                                                       \
    }
#define OUTPUT_1D(m0, m1, m2, m3, m4, m5, r0, r1, r2, r3)                                                              \
    {                                                                                                                  \
        const float16 s_ = m1 + m2, d_ = m1 - m2, p_ = m3 + m4, q_ = m3 - m4;                                          \
        r0 = m0 + s_ + p_;                                                                                             \
        r1 = d_ + 2.0f * q_;                                                                                           \
        r2 = s_ + 4.0f * p_;                                                                                           \
        r3 = d_ + 8.0f * q_ + m5;                                                                                      \
    }

#define TILES int n_tiles, int t0, int t_chunk, int tiles_x, int tiles_y

/* Items: dim 0 = tiles from t0 on (those beyond n_tiles repeat the last), dim 1 = runs of `run` groups of 16 channels.
 */
__kernel void winograd_input(__global float *v, int v0, __global const ACT *x, int x0, TILES, int h, int w, int n_in,
                             int x_pitch, int pad_t, int pad_l, int up, int wrap, int run)
{
    const int at = get_global_id(0), t = min(t0 + at, n_tiles - 1), groups = (n_in + 15) / 16;
    const int b = t / (tiles_x * tiles_y), ty = t / tiles_x % tiles_y, tx = t % tiles_x;
    const int chunk = at / t_chunk, blk = at % t_chunk / MR, row = at % MR;
    const size_t step = (size_t)t_chunk * groups * 16; /* from one of the 36 to the next */
    __global float *out = v + v0 + (size_t)chunk * 36 * step + (size_t)blk * groups * MR * 16 + row * 16;
    int sy[6], sx[6];
    for (int i = 0; i < 6; i++) {
        sy[i] = source(ty * 4 + i - pad_t, h, up, wrap & 2);
        sx[i] = source(tx * 4 + i - pad_l, w, up, wrap & 1);
    }
    const int first = get_global_id(1) * run, last = min(groups, first + run), next = (tx * 4 + 6 - pad_l) >> up,
              right = w - 1;
    for (int g = first; g < last; g++) {
        const int lanes = min(16, n_in - g * 16);
        for (int i = 0; i < 6; i++) /* what the next tile reads and this one does not */
            for (int j = 0; j < 4; j++)
                FETCH(x + x0 + (((size_t)b * h + max(sy[i], 0)) * w + min(next + j, right)) * x_pitch + g * 16);
        float16 part[36], d[36];
        if (lanes < 16) /* only the last channels are loaded in a loop: written out, this is most of the kernel */
            SHORT for (int i = 0; i < 36; i++)
                part[i] =
                    sy[i / 6] < 0 || sx[i % 6] < 0
                        ? (float16)(0.0f)
                        : load_part(x, x0 + (((size_t)b * h + sy[i / 6]) * w + sx[i % 6]) * x_pitch + g * 16, lanes);
#pragma unroll
        for (int j = 0; j < 6; j++) {
            float16 c[6];
#pragma unroll
            for (int i = 0; i < 6; i++)
                if (lanes < 16)
                    c[i] = part[i * 6 + j];
                else
                    c[i] = sy[i] < 0 || sx[j] < 0
                               ? (float16)(0.0f)
                               : LOAD16(x, x0 + (((size_t)b * h + sy[i]) * w + sx[j]) * x_pitch + g * 16);
            INPUT_1D(c[0], c[1], c[2], c[3], c[4], c[5], d[j], d[6 + j], d[12 + j], d[18 + j], d[24 + j], d[30 + j])
        }
        __global float *to = out + (size_t)g * MR * 16;
#pragma unroll
        for (int i = 0; i < 36; i += 6) {
            INPUT_1D(d[i], d[i + 1], d[i + 2], d[i + 3], d[i + 4], d[i + 5], d[i], d[i + 1], d[i + 2], d[i + 3],
                     d[i + 4], d[i + 5])
#pragma unroll
            for (int j = 0; j < 6; j++)
                PUT(16, __global, to + (i + j) * step, d[i + j]);
        }
    }
}

#ifdef MOMENTS
/* Moments of 16 channels over n values, of sums s of differences from `shift` and q of their squares, as a part [3, c]
 * (norm.cl). */
HELPER void store_moments(__global float *part, size_t at, int c, float16 shift, float16 s, float16 q, float n,
                          int lanes)
{
    store_part_f32(part, at, shift + s / n, lanes);
    store_part_f32(part, at + c, fmax(q - s * s / n, 0.0f), lanes);
    store_part_f32(part, at + 2 * c, (float16)(n), lanes);
}
#endif

/* A part of a kernel. */
#define PART HELPER __attribute__((always_inline))

/* Transforms the weights of kn input channels from k0 on: wp [9][n_in][32] to u [36][u_step]. Channels after the last
 * one are zero. */
PART void transform_weights(__local float *u, __global const WT *wp, int k0, int kn, int n_in, int u_step)
{
    for (int c = 0; c < kn; c++) {
        __global const WT *wc = wp + (size_t)(k0 + c) * 32;
        __local float *to = u + c * 32;
        for (int half_ = 0; half_ < 32; half_ += 16) {
            float16 d[18];
            if (k0 + c < n_in) {
#pragma unroll
                for (int j = 0; j < 3; j++) {
                    const float16 g0 = LOADW16(wc + (size_t)j * n_in * 32 + half_),
                                  g1 = LOADW16(wc + (size_t)(3 + j) * n_in * 32 + half_),
                                  g2 = LOADW16(wc + (size_t)(6 + j) * n_in * 32 + half_);
                    WEIGHT_1D(g0, g1, g2, d[j], d[3 + j], d[6 + j], d[9 + j], d[12 + j], d[15 + j])
                }
            } else {
#pragma unroll
                for (int j = 0; j < 18; j++)
                    d[j] = 0.0f;
            }
#pragma unroll
            for (int i = 0; i < 6; i++) {
                float16 e0, e1, e2, e3, e4, e5;
                WEIGHT_1D(d[3 * i], d[3 * i + 1], d[3 * i + 2], e0, e1, e2, e3, e4, e5)
                __local float *row = to + half_ + 6 * i * u_step;
                PUT(16, __local, row, e0);
                PUT(16, __local, row + u_step, e1);
                PUT(16, __local, row + 2 * u_step, e2);
                PUT(16, __local, row + 3 * u_step, e3);
                PUT(16, __local, row + 4 * u_step, e4);
                PUT(16, __local, row + 5 * u_step, e5);
            }
        }
    }
}

/* Sums of one frequency for TILE_ROWS tiles and TILE_COLS outputs, `to` [TILE_ROWS][36][32]: adds the values
 * a [kn / 16][MR][16] times the weights b [kn][32]. first: nothing was summed yet. */
PART void multiply_tile(__local float *to, __global const float *a, __local const float *b, int kn, bool first)
{
    VEC s[TILE_ROWS * TILE_VECS];
#pragma unroll
    for (int i = 0; i < TILE_ROWS * TILE_VECS; i++)
        s[i] = first ? (VEC)(0.0f) : LOADV(i % TILE_VECS, to + i / TILE_VECS * 36 * 32);
    for (int k = 0; k < kn; k += 16, a += MR * 16)
        for (int c = 0; c < 16; c++, b += 32) {
            VEC f[TILE_VECS];
#pragma unroll
            for (int j = 0; j < TILE_VECS; j++)
                f[j] = LOADV(j, b);
#pragma unroll
            for (int i = 0; i < TILE_ROWS; i++) {
                const VEC v = (VEC)(a[i * 16 + c]);
#pragma unroll
                for (int j = 0; j < TILE_VECS; j++)
                    s[i * TILE_VECS + j] = fma(v, f[j], s[i * TILE_VECS + j]);
            }
        }
#pragma unroll
    for (int i = 0; i < TILE_ROWS * TILE_VECS; i++)
        PUT(VW, __local, to + i / TILE_VECS * 36 * 32 + i % TILE_VECS * VW, s[i]);
}

/* The 4 x 4 pixels r of a tile, 16 channels, from its 36 frequencies [36][32]. */
PART void transform_output(float16 *r, __local const float *from)
{
    float16 d[24];
#pragma unroll
    for (int j = 0; j < 6; j++) {
        const float16 m0 = vload16(0, from + j * 32), m1 = vload16(0, from + (6 + j) * 32),
                      m2 = vload16(0, from + (12 + j) * 32), m3 = vload16(0, from + (18 + j) * 32),
                      m4 = vload16(0, from + (24 + j) * 32), m5 = vload16(0, from + (30 + j) * 32);
        OUTPUT_1D(m0, m1, m2, m3, m4, m5, d[j], d[6 + j], d[12 + j], d[18 + j])
    }
#pragma nounroll
    for (int i = 0; i < 4; i++)
        OUTPUT_1D(d[6 * i], d[6 * i + 1], d[6 * i + 2], d[6 * i + 3], d[6 * i + 4], d[6 * i + 5], r[4 * i],
                  r[4 * i + 1], r[4 * i + 2], r[4 * i + 3])
}

/* Asks for the memory of tile t, which is written next: 32 channels from o on. */
PART void fetch_tile(int t, int tiles_x, int tiles_y, int oh, int ow, int y_pitch, int o, __global ACT *y, int y0,
                     __global const ACT *res, int res0)
{
    const int ty = t / tiles_x % tiles_y * 4, tx = t % tiles_x * 4;
    for (int i = 0; i < 16; i++) {
        const int oy = min(ty + i / 4, oh - 1), ox = min(tx + i % 4, ow - 1);
        const size_t at = (((size_t)(t / (tiles_x * tiles_y)) * oh + oy) * ow + ox) * y_pitch + o;
        FETCH_TO_WRITE(y + y0 + at);
        FETCH_TO_WRITE(y + y0 + at + 16);
        if (res) {
            FETCH(res + res0 + at);
            FETCH(res + res0 + at + 16);
        }
    }
}

/* wt: panels as conv_panel reads them, [n_out/32][9][n_in][32]. scratch: m [t_chunk][36][32], then u [36][slice * 32 +
 * 16] (16 floats apart, so that the 36 do not fall on each other in the cache). slice: input channels a step, a
 * multiple of 16. part, with MOMENTS, [n, slots, 3, n_out]: the moments of what each chunk wrote of each of its
 * samples, for moments_join. */
__kernel void winograd_product(__global ACT *y, int y0, __global const float *v, int v0, __global const WT *wt, int wt0,
                               TILES, int n_in, int oh, int ow, int n_out, int y_pitch, int slice, __global float *part,
                               int part0, int slots, __local float *scratch, EPILOGUE)
{
    const int panel = get_global_id(0), chunk = get_global_id(1), groups = (n_in + 15) / 16, o = panel * 32;
    const size_t step = (size_t)t_chunk * groups * 16;
    const int u_step = slice * 32 + 16;
    __global const float *vc = v + v0 + (size_t)chunk * 36 * step;
    __global const WT *wp = wt + wt0 + (size_t)panel * 9 * n_in * 32;
    __local float *m = scratch, *u = scratch + (size_t)t_chunk * 36 * 32;
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
    for (int k0 = 0; k0 < groups * 16; k0 += slice) {
        const int kn = min(slice, groups * 16 - k0);
        transform_weights(u, wp, k0, kn, n_in, u_step);
        for (int xi = 0; xi < 36; xi++)
            for (int at = 0; at < t_chunk * 32; at += TILE_ROWS * TILE_COLS) {
                /* a block's columns, then its next rows */
                const int blk = at / (MR * 32) * MR, r0 = at % (MR * 32) / (TILE_ROWS * 32) * TILE_ROWS,
                          col = at / TILE_ROWS % 32;
                multiply_tile(m + (size_t)(blk + r0) * 36 * 32 + xi * 32 + col,
                              vc + xi * step + (size_t)blk * groups * 16 + (size_t)k0 * MR + r0 * 16,
                              u + xi * u_step + col, kn, k0 == 0);
            }
    }
    const int first = t0 + chunk * t_chunk, last = min(n_tiles, first + t_chunk);
#ifdef MOMENTS
    /* Sums of differences from the mean of a sample's first tile here (while that is made, from its first pixel), and
     * of their squares: so what cancels in the end is at most as many times the squares as there are tiles. */
    float16 shift[2], sum[2], squares[2];
    float n_values = 0.0f;
#endif
    for (int t = first; t < last; t++) {
        const int bn = t / (tiles_x * tiles_y), ty = t / tiles_x % tiles_y, tx = t % tiles_x;
        fetch_tile(min(t + 1, last - 1), tiles_x, tiles_y, oh, ow, y_pitch, o, y, y0, res, res0);
#ifdef MOMENTS
        const int n_tile = min(4, oh - ty * 4) * min(4, ow - tx * 4); /* pixels of the tile that are inside */
#endif
        for (int half_ = 0; half_ < 32 && o + half_ < n_out; half_ += 16) {
            float16 r[16];
            transform_output(r, m + (size_t)(t - first) * 36 * 32 + half_);
#ifdef MOMENTS
            const int k = half_ / 16;
            float16 mean = shift[k], s = 0.0f, q = 0.0f; /* of this tile */
            bool fresh = n_values == 0.0f;
#endif
#pragma nounroll
            for (int i = 0; i < 16; i++) {
                const int oy = ty * 4 + i / 4, ox = tx * 4 + i % 4;
                if (oy < oh && ox < ow) {
                    const size_t at = (((size_t)bn * oh + oy) * ow + ox) * y_pitch + o + half_;
#ifdef MOMENTS
                    float16 v = 0.0f;
                    if (n_out - o - half_ >= 16)
                        v = finish_16(y + y0, at, r[i], o + half_, bn, n_out, e);
                    else {
                        finish_rest(y + y0, at, r[i], n_out - o - half_, o + half_, bn, n_out, e);
                        v = load_part(y, y0 + at, n_out - o - half_);
                    }
                    if (fresh) {
                        mean = v;
                        fresh = false;
                    }
                    const float16 d = v - mean;
                    s += d;
                    q += d * d;
#else
                    finish(y + y0, at, r[i], min(16, n_out - o - half_), o + half_, bn, n_out, e);
#endif
                }
            }
#ifdef MOMENTS
            if (n_values == 0.0f) {
                const float16 d = s / (float)n_tile;
                shift[k] = mean + d;
                sum[k] = 0.0f;
                squares[k] = q - s * d;
            } else {
                sum[k] += s;
                squares[k] += q;
            }
#endif
        }
#ifdef MOMENTS
        n_values += (float)n_tile;
        if (t + 1 == last || (t + 1) / (tiles_x * tiles_y) != bn) {
            const int slot = t0 / t_chunk + chunk - bn * tiles_x * tiles_y / t_chunk;
            for (int k = 0; k < 2 && o + k * 16 < n_out; k++)
                store_moments(part, part0 + ((size_t)bn * slots + slot) * 3 * n_out + o + k * 16, n_out, shift[k],
                              sum[k], squares[k], n_values, n_out - o - k * 16);
            n_values = 0.0f;
        }
#endif
    }
}
