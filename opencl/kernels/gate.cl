/* Products of a tensor with a gate made of it or of its neighbor channels: 16 values an item.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */

__kernel void sigmoid_gate(__global ACT *y, int y0, __global const ACT *x, int x0, __global const ACT *r, int r0,
                           int total, float offset)
{
    SWEEP(k, 0, (total + 15) / 16)
    {
        const int i = k * 16, n = min(16, total - i);
        const float16 v = load_part(x, (size_t)x0 + i, n), a = act_16(v, ACT_SIGMOID, 0.0f) + offset;
        store_part(y, (size_t)y0 + i, (r ? v + load_part(r, (size_t)r0 + i, n) : v) * a, n);
    }
}

/* Channels [x_first, x_first + 2 c) of rows of x_row to [y_first, y_first + c) of rows of y_row. */
__kernel void half_gate(__global ACT *y, int y0, __global const ACT *x, int x0, int c, int y_row, int y_first,
                        int x_row, int x_first, int act, int rows)
{
    SWEEP(row, 1, rows)
    {
        SWEEP(k, 0, (c + 15) / 16)
        {
            const int i = k * 16, n = min(16, c - i);
            const size_t from = x0 + (size_t)row * x_row + x_first + i;
            store_part(y, y0 + (size_t)row * y_row + y_first + i,
                       act_16(load_part(x, from, n), act, 0.0f) * load_part(x, from + c, n), n);
        }
    }
}

/* gate: columns of one row a sample, gate_c from one to the next; per: rows of x a sample. */
__kernel void gated_add(__global ACT *y, int y0, __global const ACT *r, int r0, __global const ACT *x, int x0,
                        __global const ACT *gate, int gate0, int gate_c, int per, int c, int act, int rows)
{
    SWEEP(row, 1, rows)
    {
        SWEEP(k, 0, (c + 15) / 16)
        {
            const int i = k * 16, n = min(16, c - i);
            const size_t at = (size_t)row * c + i;
            const float16 g = act_16(load_part(gate, gate0 + (size_t)(row / per) * gate_c + i, n), act, 0.0f);
            const float16 v = load_part(r, r0 + at, n) + g * load_part(x, x0 + at, n);
            store_part(y, y0 + at, HELD(v), n);
        }
    }
}
