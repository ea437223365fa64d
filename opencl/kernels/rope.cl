/* Rotary positions, in place: 8 pairs of a head and row an item. d: channels of a head that turn; per: rows a sample;
 * table_n: samples of the table.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

INLINE void turn(__global ACT *x, size_t a, size_t b, float c, float s)
{
    const float p = LOAD(x, a), q = LOAD(x, b);
    STORE(x, a, p * c - q * s);
    STORE(x, b, q * c + p * s);
}

__kernel void rope(__global ACT *x, int x0, __global const float *table, int table0, int c, int first, int head_dim,
                   int d, int per, int table_n, int halves)
{
    const int half_d = d / 2, pieces = (half_d + 7) / 8, p = get_global_id(0) % pieces * 8,
              head = get_global_id(0) / pieces;
    const size_t row = get_global_id(1), at = x0 + row * c + first + head * head_dim;
    __global const float *cosines = table + table0 + (table_n == 1 ? row % per : row) * d + p,
                         *sines = cosines + half_d;
    if (half_d - p < 8) {
        for (int i = 0; i < half_d - p; i++) {
            const size_t a = at + (halves ? p + i : 2 * (p + i));
            turn(x, a, a + (halves ? half_d : 1), cosines[i], sines[i]);
        }
        return;
    }
    const float8 co = vload8(0, cosines), si = vload8(0, sines);
    if (halves) {
        const float8 a = LOAD8(x, at + p), b = LOAD8(x, at + half_d + p);
        STORE8(x, at + p, a * co - b * si);
        STORE8(x, at + half_d + p, b * co + a * si);
    } else {
        const float16 v = LOAD16(x, at + 2 * p);
        float16 r;
        r.even = v.even * co - v.odd * si;
        r.odd = v.odd * co + v.even * si;
        STORE16(x, at + 2 * p, r);
    }
}
