/* Products of activations with each other: one output an item. (Products with weights: conv.cl.)
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
__kernel void matmul(__global ACT *y, int y0, __global const ACT *a, int a0, __global const ACT *b, int b0, int m, int k, int p, int trans_b,
                     float alpha)
{
    const int j = get_global_id(0), i = get_global_id(1), batch = get_global_id(2);
    const size_t ra = a0 + ((size_t)batch * m + i) * k;
    float s = 0.0f;
    if (trans_b) {
        const size_t rb = b0 + ((size_t)batch * p + j) * k;
        for (int x = 0; x < k; x++)
            s = fma(LOAD(a, ra + x), LOAD(b, rb + x), s);
    } else {
        const size_t rb = b0 + (size_t)batch * k * p + j;
        for (int x = 0; x < k; x++)
            s = fma(LOAD(a, ra + x), LOAD(b, rb + (size_t)x * p), s);
    }
    STORE(y, y0 + ((size_t)batch * m + i) * p + j, alpha * s);
}
