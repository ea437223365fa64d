/* Products of rows: with learned panels (linear_panel, for CPU devices; the plain kernel is conv_plain), and of activations with each
 * other (matmul, one output an item).
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

#ifdef CPU
#define ROWS12(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)

/* wt [n_out/32][n_in/PAIR][32] words. Items: dim 0 = runs of per_item panels, dim 1 = runs of rows_run rows (a multiple of 12).
 * scratch: the rows a [blocks of 12][groups of 16 words][12][16] for `slice` inputs at a time (a multiple of 16 * PAIR), then, with
 * more than one slice, sums [per_item][rows_run][32]. */
__kernel void linear_panel(__global ACT *y, int y0, __global const ACT *x, int x0, __global const PANEL_WT *wt, int wt0, int n_rows, int rows_run,
                           int n_in, int n_out, int per_sample, int n_panels, int per_item, int slice, __local float16 *scratch, EPILOGUE)
{
    const int first = get_global_id(1) * rows_run, last = min(n_rows, first + rows_run), blocks = (last - first + 11) / 12;
    const int panel0 = get_global_id(0) * per_item, panel1 = min(n_panels, panel0 + per_item), words = (n_in + PAIR - 1) / PAIR;
    __local WORD16 *a = (__local WORD16 *)scratch;
    __local float16 *sums = scratch + (size_t)rows_run * (slice / (16 * PAIR));
    for (int k0 = 0; k0 < n_in; k0 += slice) {
        const int kn = min(slice, n_in - k0), n_words = (kn + PAIR - 1) / PAIR, groups = (n_words + 15) / 16;
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
        for (int panel = panel0; panel < panel1; panel++)
            for (int blk = 0; blk < blocks; blk++) {
                const int p0 = first + blk * 12, o = panel * 32, n = n_out - o;
                __global const PANEL_WT *w = wt + wt0 + ((size_t)panel * words + k0 / PAIR) * 32;
                __local const WORD *row = (__local const WORD *)(a + (size_t)blk * groups * 12);
                __local float16 *sum = sums + ((size_t)(panel - panel0) * rows_run + blk * 12) * 2;
                if (k0 + slice >= n_in)
                    for (int i = 0; i < 12 && p0 + i < last; i++) {
#ifdef GEGLU
                        FETCH_TO_WRITE(y + y0 + (size_t)(p0 + i) * (n_out / 2) + panel * 16);
#else
                        const size_t at = (size_t)(p0 + i) * n_out + o;
                        FETCH_TO_WRITE(y + y0 + at);
                        FETCH_TO_WRITE(y + y0 + at + 16);
                        if (res) {
                            FETCH(res + res0 + at);
                            FETCH(res + res0 + at + 16);
                        }
#endif
                    }
#define DECL(i) float16 l##i = 0.0f, r##i = 0.0f;
                ROWS12(DECL)
                if (k0 > 0) {
#define TAKE(i)                                                                                                                  \
    l##i = sum[2 * i];                                                                                                           \
    r##i = sum[2 * i + 1];
                    ROWS12(TAKE)
                }
#define MAC(i)                                                                                                                   \
    {                                                                                                                            \
        const WORD16 s = (WORD16)(row[i * 16 + c]);                                                                              \
        l##i = dot16(s, wl, l##i);                                                                                               \
        r##i = dot16(s, wr, r##i);                                                                                               \
    }
                for (int g = 0; g < n_words / 16; g++, row += 192)
                    for (int c = 0; c < 16; c++, w += 32) {
                        const WORD16 wl = LOADP16(w), wr = LOADP16(w + 16);
                        ROWS12(MAC)
                    }
                for (int c = 0; c < n_words % 16; c++, w += 32) {
                    const WORD16 wl = LOADP16(w), wr = LOADP16(w + 16);
                    ROWS12(MAC)
                }
                if (k0 + slice < n_in) {
#define GIVE(i)                                                                                                                  \
    sum[2 * i] = l##i;                                                                                                           \
    sum[2 * i + 1] = r##i;
                    ROWS12(GIVE)
                    continue;
                }
#ifdef GEGLU
                /* Panels interleave 16 values with their 16 gates. */
#define OUT(i)                                                                                                                   \
    if (p0 + i < last) {                                                                                                         \
        float16 v = l##i, g = r##i;                                                                                              \
        if (bias) {                                                                                                              \
            v += vload16(0, bias + bias0 + o);                                                                                   \
            g += vload16(0, bias + bias0 + o + 16);                                                                              \
        }                                                                                                                        \
        v *= act_16(g, ACT_GELU, 0.0f);                                                                                          \
        STORE16(y, y0 + (size_t)(p0 + i) * (n_out / 2) + panel * 16, v);                                                         \
    }
#else
#define OUT(i)                                                                                                                   \
    if (p0 + i < last) {                                                                                                         \
        const size_t at = (size_t)(p0 + i) * n_out + o;                                                                          \
        finish(y + y0, at, l##i, min(n, 16), o, (p0 + i) / per_sample, n_out, bias, bias0, chan, chan0, prelu, prelu0, prelu_n,  \
               res, res0, act, act_param, scale);                                                                                \
        if (n > 16)                                                                                                              \
            finish(y + y0, at + 16, r##i, min(n - 16, 16), o + 16, (p0 + i) / per_sample, n_out, bias, bias0, chan, chan0,       \
                   prelu, prelu0, prelu_n, res, res0, act, act_param, scale);                                                    \
    }
#endif
                ROWS12(OUT)
            }
    }
}
#endif
