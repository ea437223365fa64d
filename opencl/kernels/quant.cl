/* Weights that stay quantized on the device, widened for one product. x holds panels of 32 outputs. A panel is, for
 * plain types (head 128), the fp32 scales of its outputs, and then blocks of `values` inputs; each block:
 *   halves[32]           `halves` times: d, m (plain types have neither)
 *   factors[32]          if there are, for each `group` of inputs those of d (char), and if there is m then those of m
 *                        (uchar)
 *   codes                for 32 inputs at a time. BITS 8, or 16 (bf16): [32 inputs][32]. Less: [16][32], input i in
 *                        the low bits and i + 16 in the high ones, and then the fifth bits [4][32], input i in bit
 *                        i % 8 of byte i / 8; or the fifth and sixth [8][32], in bits i % 4 * 2 of byte i / 4
 * value = (d * factor) * (code - less) - m * factor; of plain types value * scale. FLOAT8: codes are 1 E4M3, 2 E5M2.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#pragma OPENCL FP_CONTRACT OFF
#define CODE_BYTES (4 * BITS * 32)                        /* of 32 inputs */
#define CODES_OF(q, j) ((q) + (j) * (BITS == 16 ? 2 : 1)) /* of output j of 32 */
#define STORE_ARGUMENTS int head, int values, int group, int halves, int factors, int less
typedef struct {
    int head, values, group, halves, factors, less;
    int factors_at, codes_at, block_bytes;
} Store;

INLINE Store store_of(STORE_ARGUMENTS)
{
    const int factors_at = halves * 64, codes_at = factors_at + (factors ? values / group * halves * 32 : 0);
    const Store s = {
        head, values, group, halves, factors, less, factors_at, codes_at, codes_at + values / 32 * CODE_BYTES};
    return s;
}

/* Outputs that are widened side by side. */
#ifdef CPU
#define N 16
#define HALVES(p) WEIGHTS(16)(p)
#else
#define N 4
#define HALVES(p) vload_half4(0, p)
#endif
#define FLOATS CAT(float, N)
#define INTS CAT(int, N)
#define TO_FLOATS CAT(convert_float, N)
#define TO_INTS CAT(convert_int, N)
#define AS_FLOATS CAT(as_float, N)
#define AS_INTS CAT(as_int, N)
#define AS_CHARS CAT(as_char, N)
#define LOADN(p) CAT(vload, N)(0, p)
#define STOREN(v, p) CAT(vstore, N)(v, 0, p)

/* The codes of input i of 32. */
INLINE FLOATS codes(__global const uchar *q, int i, float less)
{
#if BITS < 8
    const CAT(uchar, N) low = LOADN(q + i % 16 * 32);
    INTS v = TO_INTS(i < 16 ? low & (uchar)15 : low >> (uchar)4);
#if BITS == 5
    v |= (TO_INTS(LOADN(q + (16 + i / 8) * 32)) >> i % 8 & 1) << 4;
#elif BITS == 6
    v |= (TO_INTS(LOADN(q + (16 + i / 4) * 32)) >> i % 4 * 2 & 3) << 4;
#endif
    return TO_FLOATS(v) - less;
#elif BITS == 16
    return AS_FLOATS(TO_INTS(LOADN((__global const ushort *)q + i * 32)) << 16);
#elif defined(FLOAT8)
#if FLOAT8 == 1
#define MANTISSA 3
#define EXPONENT_BIAS 7
#else
#define MANTISSA 2
#define EXPONENT_BIAS 15
#endif
    const INTS u = TO_INTS(LOADN(q + i * 32)), a = u & 127, e = a >> MANTISSA;
    /* Whole numbers times a power of two: no subnormal is met on the way. */
    const INTS m = a - ((max(e, 1) - 1) << MANTISSA);
    FLOATS v = TO_FLOATS(m) * AS_FLOATS((max(e, 1) + (127 - EXPONENT_BIAS - MANTISSA)) << 23);
#if FLOAT8 == 1
    v = a == 127 ? (FLOATS)(NAN) : v;
#else
    v = a > 124 ? (FLOATS)(NAN) : a == 124 ? (FLOATS)(INFINITY) : v;
#endif
    return AS_FLOATS(AS_INTS(v) | (u & 128) << 24);
#else
    return TO_FLOATS(AS_CHARS(LOADN(q + i * 32)));
#endif
}

/* What the values of a group are made with. */
typedef struct {
    FLOATS scale, min;
} Group;

/* panel, block: of outputs from j on; g: number of the group in its block. */
INLINE Group group_of(const Store s, __global const uchar *panel, __global const uchar *block, int j, int g)
{
    Group r;
    r.min = (FLOATS)(0.0f);
    if (s.halves)
        r.scale = HALVES((__global const half *)block + j);
    else
        r.scale = LOADN((__global const float *)panel + j);
    if (s.halves > 1)
        r.min = HALVES((__global const half *)block + 32 + j);
    if (s.factors) {
        r.scale *= TO_FLOATS(LOADN((__global const char *)block + s.factors_at + g * 32 + j));
        if (s.halves > 1)
            r.min *= TO_FLOATS(LOADN(block + s.factors_at + (s.values / s.group + g) * 32 + j));
    }
    return r;
}

INLINE FLOATS value(const Group g, __global const uchar *q, int i, float less)
{
    const FLOATS product = g.scale * codes(q, i, less);
    return product - g.min;
}

#ifdef CPU
#ifdef BF16
typedef int16 __attribute__((aligned(4))) int16_anywhere;
typedef short short32 __attribute__((ext_vector_type(32)));
/* Two inputs of 16 outputs as pairs of bf16, rounded to nearest even. */
HELPER __attribute__((always_inline)) WITH_BF16 int16 widened(float16 first, float16 second)
{
    union {
        int16 words;
        short32 values;
    } r = {.words = to_bf16(first, second)};
    r.values = __builtin_shufflevector(r.values, r.values, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8,
                                       24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    return r.words;
}
#endif

/* Widens 32 inputs of 16 outputs. to: WORDs [32 / PAIR][32]. */
HELPER __attribute__((always_inline)) WITH_BF16 void widen_block(__global WORD *to, const Store s,
                                                                 __global const uchar *panel,
                                                                 __global const uchar *block, __global const uchar *q,
                                                                 int k, int j)
{
#pragma unroll
    for (int i0 = 0; i0 < 32; i0 += 16) {
        const Group g = group_of(s, panel, block, j, (k + i0) / s.group);
#pragma unroll
        for (int i = i0; i < i0 + 16; i += PAIR) {
            const float16 v = value(g, CODES_OF(q, j), i, s.less);
#ifdef BF16
            *(__global int16_anywhere *)(to + i / 2 * 32 + j) = widened(v, value(g, CODES_OF(q, j), i + 1, s.less));
#else
            PUT(16, __global, to + i * 32 + j, v);
#endif
        }
    }
}

HELPER BODY void widen_panel(__global WORD *to, __global const uchar *panel, int n_in, const Store s)
{
    for (int k = 0; k < n_in; k += 32) {
        __global const uchar *block = panel + s.head + (size_t)(k / s.values) * s.block_bytes;
        __global const uchar *q = block + s.codes_at + k % s.values / 32 * CODE_BYTES;
        for (int j = 0; j < 32; j += 16)
            widen_block(to + k / PAIR * 32, s, panel, block, q, k % s.values, j);
    }
}

/* y: WORDs [panels][n_in / PAIR][32] (common.cl): fp32, or pairs of bf16. Items: panels, of which the first is number
 * `first` of x. */
__kernel void widen_panels(__global WORD *y, int y0, __global const uchar *x, int x0, int first, int n_in,
                           STORE_ARGUMENTS)
{
    const Store s = store_of(head, values, group, halves, factors, less);
    const size_t at = get_global_id(0);
    widen_panel(y + y0 + at * (n_in / PAIR) * 32,
                x + x0 + (first + at) * (head + (size_t)(n_in / values) * s.block_bytes), n_in, s);
}

#ifdef CODES
/* Inputs [i, i + part) of 32 of 16 outputs. Returns -128 times the sum of by * code. */
HELPER float16 widen_part(__global int *to, const Store s, const Group g, __global const uchar *q, int i, int part)
{
    const float middle = s.halves > 1 ? (float)(1 << (BITS - 1)) : s.less;
    __global int *words = to + (s.halves > 1 ? 64 : 32);
    int16 sum = 0;
    PUT(16, __global, (__global float *)to, g.scale);
    if (s.halves > 1)
        PUT(16, __global, (__global float *)to + 32, g.scale * (middle - s.less) - g.min);
    for (int end = i + part; i < end; i += 4, words += 32) {
        const int16 a = convert_int16(codes(q, i, middle)), b = convert_int16(codes(q, i + 1, middle)),
                    c = convert_int16(codes(q, i + 2, middle)), d = convert_int16(codes(q, i + 3, middle));
        vstore16((a & 255) | (b & 255) << 8 | (c & 255) << 16 | d << 24, 0, words);
        sum += a + b + c + d;
    }
    return convert_float16(sum) * g.scale * -128.0f;
}

/* y: panels as codes.cl takes them. Items: panels, of which the first is number `first` of x. */
__kernel void widen_codes(__global int *y, int y0, __global const uchar *x, int x0, int first, int n_in,
                          STORE_ARGUMENTS)
{
    const Store s = store_of(head, values, group, halves, factors, less);
    const int part = min(group, 32), part_ints = 32 * max(halves, 1) + part * 8;
    __global const uchar *panel =
        x + x0 + (first + get_global_id(0)) * (head + (size_t)(n_in / values) * s.block_bytes);
    __global int *to = y + y0 + get_global_id(0) * (size_t)((n_in + 127) / 128 * 32 + n_in / part * part_ints);
    for (int chunk = 0; chunk < n_in; chunk += 128) {
        __global int *offsets = to;
        float16 offset[2] = {0.0f, 0.0f};
        to += 32;
        for (int k = chunk; k < min(chunk + 128, n_in); k += part, to += part_ints) {
            __global const uchar *block = panel + head + (size_t)(k / values) * s.block_bytes,
                                 *q = block + s.codes_at + k % values / 32 * CODE_BYTES;
            for (int j = 0; j < 32; j += 16)
                offset[j / 16] +=
                    widen_part(to + j, s, group_of(s, panel, block, j, k % values / group), q + j, k % 32, part);
        }
        PUT(16, __global, (__global float *)offsets, offset[0]);
        PUT(16, __global, (__global float *)offsets + 16, offset[1]);
    }
}
#endif
#else
#ifdef W_F16
#define PUT(p, i, v) vstore_half_rte(v, (size_t)(i), p)
#define PUT4(p, v) vstore_half4_rte(v, 0, p)
#else
#define PUT(p, i, v) ((p)[i] = (v))
#define PUT4(p, v) vstore4(v, 0, p)
#endif

/* y: n_out outputs of n_in inputs each, output_step and input_step (1 of them is 1) apart. Items: four outputs, 32
 * inputs. */
__kernel void widen_rows(__global WT *y, int y0, __global const uchar *x, int x0, int n_in, int n_out, int output_step,
                         int input_step, STORE_ARGUMENTS)
{
    const Store s = store_of(head, values, group, halves, factors, less);
    const int o = get_global_id(0) * 4, k = get_global_id(1) * 32, j = o % 32;
    __global const uchar *panel = x + x0 + (size_t)(o / 32) * (head + (size_t)(n_in / values) * s.block_bytes);
    __global const uchar *block = panel + head + (size_t)(k / values) * s.block_bytes;
    __global const uchar *q = block + s.codes_at + k % values / 32 * CODE_BYTES + j;
    __global WT *to = y + y0 + (size_t)o * output_step + (size_t)k * input_step;
    for (int i0 = 0; i0 < 32; i0 += 4) {
        const Group g = group_of(s, panel, block, j, (k % values + i0) / group);
        const float4 a = value(g, q, i0, less), b = value(g, q, i0 + 1, less), c = value(g, q, i0 + 2, less),
                     d = value(g, q, i0 + 3, less);
        if (o + 4 <= n_out && output_step == 1) {
            PUT4(to, a);
            PUT4(to + input_step, b);
            PUT4(to + 2 * input_step, c);
            PUT4(to + 3 * input_step, d);
        } else if (o + 4 <= n_out) {
            PUT4(to, ((float4)(a.x, b.x, c.x, d.x)));
            PUT4(to + output_step, ((float4)(a.y, b.y, c.y, d.y)));
            PUT4(to + 2 * output_step, ((float4)(a.z, b.z, c.z, d.z)));
            PUT4(to + 3 * output_step, ((float4)(a.w, b.w, c.w, d.w)));
        } else { /* the last outputs */
            const float4 v[4] = {a, b, c, d};
            for (int i = 0; i < 4; i++) {
                PUT(to + i * input_step, 0, v[i].x);
                if (o + 1 < n_out)
                    PUT(to + i * input_step, output_step, v[i].y);
                if (o + 2 < n_out)
                    PUT(to + i * input_step, 2 * output_step, v[i].z);
            }
        }
        to += 4 * input_step;
    }
}
#endif
