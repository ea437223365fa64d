/* Convolution and learned products of 8-bit integers, for CPUs with AVX512-VNNI. Inputs are cut into groups of GROUP
 * channels. For each pixel and group int8_rows makes x = (q - 128) * scale, with the largest |x| at 127; weights have
 * a scale for each output, tap and group. So a group's sum is
 *   sum (q - 128) w = sum q w + offset,  offset = -128 sum w,
 * times both scales, and sums of groups and taps are fp32. wt: [panels][taps][groups] of 32 scales (float), 32 offsets
 * (int), and words [GROUP / 4][32] of 4 weights that are neighbors along the sum. The last group is as long as `words`
 * of a pixel's row say, a multiple of 16.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef CPU
#define GROUP 256
#define GROUP_WORDS (GROUP / 4)
/* s + a.b of 4 bytes each, those of a unsigned. Inline assembly, and functions that are not part of the kernel, as with
 * bf16: see common.cl. */
#define WITH_VNNI __attribute__((target("avx512vnni")))
#define INT8_BODY WITH_VNNI __attribute__((noinline))
WITH_VNNI __attribute__((always_inline)) int16 dot4(int16 a, int16 b, int16 s)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(s) : "v"(a), "v"(b));
    return s;
}
#define IN_BODY WITH_VNNI __attribute__((always_inline))

/* q [pixels + 1][row_words * 4], scales [pixels + 1][groups]; the last pixel is all zeros, for what lies in the
 * padding. Items: pixels, and it. */
__kernel void int8_rows(__global uchar *q, int q0, __global float *scales, int scales0, __global const ACT *x, int x0,
                        int n_pix, int n_in, int x_pitch, int row_words)
{
    const int p = get_global_id(0), groups = (row_words + GROUP_WORDS - 1) / GROUP_WORDS;
    __global uchar *to = q + q0 + (size_t)p * row_words * 4;
    for (int g = 0; g < groups; g++) {
        const int first = g * GROUP, last = min(first + GROUP, row_words * 4);
        const size_t from = x0 + (size_t)p * x_pitch;
        float16 most = 0.0f;
        for (int c = first; p < n_pix && c < min(last, n_in); c += 16)
            most = fmax(most, fabs(load_part(x, from + c, n_in - c)));
        const float m = max16(most), inverse = m > 0.0f ? 127.0f / m : 0.0f;
        scales[scales0 + (size_t)p * groups + g] = m * (1.0f / 127.0f);
        for (int c = first; c < last; c += 16) {
            const float16 v = p < n_pix && c < n_in ? load_part(x, from + c, n_in - c) : (float16)(0.0f);
            /* 1.5 * 2^23 leaves the rounded number in the low bits */
            vstore16(convert_uchar16(as_int16(fma(v, (float16)(inverse), (float16)(12582912.0f + 128.0f))) & 255), 0,
                     to + c);
        }
    }
}

#ifdef TILE_ROWS
#define ROWS TILE_ROWS
#define VECS (TILE_COLS / 16)
#define SUMS (ROWS * VECS)

/* Adds to a tile's sums those of one tap and group. w: its weights in the first panel, step words before those in the
 * next one. */
HELPER IN_BODY void add_group(float16 *f, __global const int *const *row, const float *scale, __global const int *w,
                              size_t step, int n_words)
{
    int16 s[SUMS];
#pragma unroll
    for (int i = 0; i < SUMS; i++)
        s[i] = vload16(i % VECS % 2, w + i % VECS / 2 * step + 32);
    for (int c = 0; c < n_words; c++) {
        int16 b[VECS];
#pragma unroll
        for (int j = 0; j < VECS; j++)
            b[j] = vload16(j % 2, w + j / 2 * step + 64 + c * 32);
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            const int16 a = (int16)(row[i][c]);
#pragma unroll
            for (int j = 0; j < VECS; j++)
                s[i * VECS + j] = dot4(a, b[j], s[i * VECS + j]);
        }
    }
#pragma unroll
    for (int i = 0; i < SUMS; i++) {
        const float16 by = vload16(i % VECS % 2, (__global const float *)w + i % VECS / 2 * step) * scale[i / VECS];
        f[i] = fma(convert_float16(s[i]), by, f[i]);
    }
}

/* Writes a tile. at: of its first value; p0, o: that pixel and output. */
HELPER IN_BODY void finish_int8(const float16 *f, __global ACT *y, int p0, int rows, int o, int y_pitch, int per,
                                int n_out, const Epilogue e)
{
    for (int i = 0; i < rows; i++)
#pragma nounroll
        for (int j = 0; j < VECS && o + j * 16 < n_out; j += 1 + GATED) {
            const size_t at = (size_t)(p0 + i) * y_pitch;
#if GATED
            float16 v = f[i * VECS + j], g = f[i * VECS + j + 1];
            if (e.bias) {
                v += vload16(j, e.bias + e.bias0 + o);
                g += vload16(j + 1, e.bias + e.bias0 + o);
            }
            v *= gelu_16(g);
            STORE16(y, at + (o + j * 16) / 2, v);
#else
            finish(y, at + o + j * 16, f[i * VECS + j], min(n_out - o - j * 16, 16), o + j * 16, (p0 + i) / per, n_out,
                   e);
#endif
        }
}

INT8_BODY void product_body(int item, int panel, __global ACT *y, __global const uchar *q, __global const float *scales,
                            __global const int *wt, int n_pix, int run, int row_words, int h, int w, int oh, int ow,
                            int n_out, int kh, int kw, int stride, int pad_t, int pad_l, int up, int wrap, int n_zeros,
                            int y_pitch, const Epilogue e)
{
    const int first = item * run * ROWS, last = min(n_pix, first + run * ROWS), per = oh * ow;
    const int groups = (row_words + GROUP_WORDS - 1) / GROUP_WORDS, tap_words = groups * 64 + row_words * 32;
    const size_t step = (size_t)kh * kw * tap_words;
    for (int p0 = first; p0 < last; p0 += ROWS) {
        float16 f[SUMS];
        int iy[ROWS], ix[ROWS], ib[ROWS];
#pragma unroll
        for (int i = 0; i < SUMS; i++)
            f[i] = 0.0f;
        for (int i = 0; i < ROWS; i++) {
            const int p = min(p0 + i, last - 1), r = p % per;
            ib[i] = p / per * h;
            iy[i] = r / ow * stride - pad_t;
            ix[i] = r % ow * stride - pad_l;
        }
        __global const int *from = wt + panel * step;
        for (int tap = 0; tap < kh * kw; tap++, from += tap_words) {
            int pixel[ROWS];
            for (int i = 0; i < ROWS; i++) {
                const int sy = source(iy[i] + tap / kw, h, up, wrap & 2),
                          sx = source(ix[i] + tap % kw, w, up, wrap & 1);
                pixel[i] = sy >= 0 && sx >= 0 ? (ib[i] + sy) * w + sx : n_zeros;
            }
            __global const int *part = from;
            for (int g = 0; g < groups; g++) {
                const int n_words = min(GROUP_WORDS, row_words - g * GROUP_WORDS);
                __global const int *row[ROWS];
                float scale[ROWS];
#pragma unroll
                for (int i = 0; i < ROWS; i++) {
                    row[i] = (__global const int *)q + (size_t)pixel[i] * row_words + g * GROUP_WORDS;
                    scale[i] = scales[(size_t)pixel[i] * groups + g];
                }
                add_group(f, row, scale, part, step, n_words);
                part += 64 + n_words * 32;
            }
        }
        finish_int8(f, y, p0, min(ROWS, last - p0), panel * 32, y_pitch, per, n_out, e);
    }
}

/* Items: dim 0 = panels, PANELS of them, dim 1 = runs of `run` tiles of pixels (of all samples in a row). n_zeros: the
 * number of the pixel of zeros. */
__kernel void int8_product(__global ACT *y, int y0, __global const uchar *q, int q0, __global const float *scales,
                           int scales0, __global const int *wt, int wt0, int n_pix, int run, int row_words, int n_zeros,
                           GEOMETRY, EPILOGUE)
{
    const Epilogue e = epilogue(bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale);
    product_body(get_global_id(1), get_global_id(0) * PANELS, y + y0, q + q0, scales + scales0, wt + wt0, n_pix, run,
                 row_words, h, w, oh, ow, n_out, kh, kw, stride, pad_t, pad_l, up, wrap, n_zeros, y_pitch, e);
}
#endif
#endif
