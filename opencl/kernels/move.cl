/* Ops that only move values.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

/* `n` channels of each pixel, from channel cx of rows of wx to channel cy of rows of wy. */
__kernel void copy_channels(__global ACT *y, int y0, __global const ACT *x, int x0, int wy, int cy, int wx, int cx,
                            int n, int pixels)
{
    SWEEP(p, 1, pixels)
    {
        SWEEP(k, 0, (n + 15) / 16)
        {
            const int i = k * 16, lanes = min(16, n - i);
            store_part(y, y0 + (size_t)p * wy + cy + i, load_part(x, x0 + (size_t)p * wx + cx + i, lanes), lanes);
        }
    }
}

HELPER int inside(int i, int n, int mode)
{
    if (i >= 0 && i < n)
        return i;
    switch (mode) {
    case 1: { /* mirror without repeating the edge */
        const int period = n > 1 ? 2 * (n - 1) : 1;
        i = (i % period + period) % period;
        return i < n ? i : period - i;
    }
    case 2:
        return clamp(i, 0, n - 1);
    case 3:
        return (i % n + n) % n;
    default:
        return -1;
    }
}

__kernel void pad(__global ACT *y, int y0, __global const ACT *x, int x0, int yh, int yw, int xh, int xw, int c,
                  int top, int left, int mode)
{
    const int b = get_global_id(2);
    SWEEP(p, 1, yh * yw)
    {
        const int sy = inside(p / yw - top, xh, mode), sx = inside(p % yw - left, xw, mode);
        SWEEP(k, 0, (c + 15) / 16)
        {
            const int i = k * 16, lanes = min(16, c - i);
            const float16 v = sy < 0 || sx < 0 ? (float16)(0.0f)
                                               : load_part(x, x0 + (((size_t)b * xh + sy) * xw + sx) * c + i, lanes);
            store_part(y, y0 + ((size_t)b * yh * yw + p) * c + i, v, lanes);
        }
    }
}

__kernel void upsample_nearest(__global ACT *y, int y0, __global const ACT *x, int x0, int yh, int yw, int xh, int xw,
                               int c)
{
    const int b = get_global_id(2);
    SWEEP(p, 1, yh * yw)
    {
        const int sy = p / yw / (yh / xh), sx = p % yw / (yw / xw);
        SWEEP(k, 0, (c + 15) / 16)
        {
            const int i = k * 16, lanes = min(16, c - i);
            store_part(y, y0 + ((size_t)b * yh * yw + p) * c + i,
                       load_part(x, x0 + (((size_t)b * xh + sy) * xw + sx) * c + i, lanes), lanes);
        }
    }
}

/* Shuffle: y[r*h+a, r*w+b, c] = x[h, w, c*r*r + a*r + b] (PyTorch's order); unshuffle is the inverse. */
__kernel void pixel_shuffle(__global ACT *y, int y0, __global const ACT *x, int x0, int h, int w, int c, int r,
                            int inverse)
{
    const int n = get_global_id(2);
    SWEEP(p, 1, h * w * r * r) /* a pixel of the shuffled-out (large) picture */
    {
        const int py = p / (w * r), px = p % (w * r);
        SWEEP(i, 0, c)
        {
            const size_t large = ((size_t)n * h * r * w * r + p) * c + i;
            const size_t small = (((size_t)n * h + py / r) * w + px / r) * c * r * r + i * r * r + py % r * r + px % r;
            if (inverse)
                STORE(y, y0 + small, LOAD(x, x0 + large));
            else
                STORE(y, y0 + large, LOAD(x, x0 + small));
        }
    }
}

/* Where row r of y [d0, d1, d2, d3, d4, ..] begins in x. */
HELPER __attribute__((always_inline)) size_t row_of(int r, int d1, int d2, int d3, int d4, int s0, int s1, int s2,
                                                    int s3, int s4)
{
    size_t at = (size_t)(r % d4) * s4;
    r /= d4;
    at += (size_t)(r % d3) * s3;
    r /= d3;
    at += (size_t)(r % d2) * s2;
    r /= d2;
    return at + (size_t)(r % d1) * s1 + (size_t)(r / d1) * s0;
}

/* d: y's dims, s: x's strides in y's order. */
__kernel void permute(__global ACT *y, int y0, __global const ACT *x, int x0, int d1, int d2, int d3, int d4, int d5,
                      int s0, int s1, int s2, int s3, int s4, int s5, int total)
{
    SWEEP(i, 0, total)
    {
        const size_t at = row_of(i / d5, d1, d2, d3, d4, s0, s1, s2, s3, s4) + (size_t)(i % d5) * s5;
        STORE(y, (size_t)y0 + i, LOAD(x, x0 + at));
    }
}

/* The same where the last dim stays the last: rows of d5 values, 16 an item. */
__kernel void permute_rows(__global ACT *y, int y0, __global const ACT *x, int x0, int d1, int d2, int d3, int d4,
                           int d5, int s0, int s1, int s2, int s3, int s4, int rows)
{
    SWEEP(row, 1, rows)
    {
        const size_t at = row_of(row, d1, d2, d3, d4, s0, s1, s2, s3, s4);
        SWEEP(k, 0, (d5 + 15) / 16)
        {
            const int i = k * 16, n = min(16, d5 - i);
            store_part(y, y0 + (size_t)row * d5 + i, load_part(x, x0 + at + i, n), n);
        }
    }
}

__kernel void roll(__global ACT *y, int y0, __global const ACT *x, int x0, int h, int w, int c, int dy, int dx)
{
    const int b = get_global_id(2);
    SWEEP(p, 1, h * w)
    {
        const int sy = ((p / w - dy) % h + h) % h, sx = ((p % w - dx) % w + w) % w;
        SWEEP(i, 0, c)
        STORE(y, y0 + ((size_t)b * h * w + p) * c + i, LOAD(x, x0 + (((size_t)b * h + sy) * w + sx) * c + i));
    }
}
