/* What every kernel shares; prefixed to each program. Activations are stored as ACT and computed in fp32.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
/* Mesa with an unpatched libclc (Debian) has no fma(); devices without the instruction have a slow one. */
#ifdef NO_FMA
#define fma mad
#endif
/* Before every function that is no kernel. On CPUs the compiler's front end drops those that a program does not use;
 * Intel's compiler for GPUs would keep arrays of their callers in memory. */
#ifdef CPU
#define HELPER static
#else
#define HELPER
#endif
/* Writes a vector of floats to an address in that space. PoCL's vstore16() is four stores. */
#ifdef POCL
typedef float16 __attribute__((aligned(4))) float16_anywhere;
typedef float8 __attribute__((aligned(4))) float8_anywhere;
typedef float4 __attribute__((aligned(4))) float4_anywhere;
#define PUT_(n, space, p, v) (*(space float##n##_anywhere *)(p) = (v))
#else
#define PUT_(n, space, p, v) vstore##n(v, 0, p)
#endif
#define PUT(n, space, p, v) PUT_(n, space, p, v)
#ifdef ACT_F16
#define ACT half
#define LOAD(p, i) vload_half((size_t)(i), p)
#define STORE(p, i, v) vstore_half_rte(v, (size_t)(i), p)
#ifdef POCL
/* PoCL takes a vector of halves to be aligned as one, which OpenCL does not ask for: with AVX2 some of its loads then
 * end the process. So the bits are copied. */
typedef ushort8 __attribute__((aligned(2))) ushort8_anywhere;
typedef ushort16 __attribute__((aligned(2))) ushort16_anywhere;
#define HALVES_ANYWHERE(n)                                                                                             \
    HELPER float##n load_halves_##n(__global const half *p)                                                            \
    {                                                                                                                  \
        const ushort##n bits = *(__global const ushort##n##_anywhere *)p;                                              \
        return vload_half##n(0, (const half *)&bits);                                                                  \
    }                                                                                                                  \
    HELPER void store_halves_##n(__global half *p, float##n v)                                                         \
    {                                                                                                                  \
        ushort##n bits;                                                                                                \
        vstore_half##n##_rte(v, 0, (half *)&bits);                                                                     \
        *(__global ushort##n##_anywhere *)p = bits;                                                                    \
    }
HALVES_ANYWHERE(8)
HALVES_ANYWHERE(16)
#define LOAD8(p, i) load_halves_8((p) + (i))
#define LOAD16(p, i) load_halves_16((p) + (i))
#define STORE8(p, i, v) store_halves_8((p) + (i), v)
#define STORE16(p, i, v) store_halves_16((p) + (i), v)
#else
#define LOAD8(p, i) vload_half8(0, (p) + (i))
#define LOAD16(p, i) vload_half16(0, (p) + (i))
#define STORE8(p, i, v) vstore_half8_rte(v, 0, (p) + (i))
#define STORE16(p, i, v) vstore_half16_rte(v, 0, (p) + (i))
#endif
#else
#define ACT float
#define LOAD(p, i) ((p)[i])
#define STORE(p, i, v) ((p)[i] = (v))
#define LOAD8(p, i) vload8(0, (p) + (i))
#define LOAD16(p, i) vload16(0, (p) + (i))
#define STORE16(p, i, v) PUT(16, __global, (p) + (i), v)
#define STORE8(p, i, v) PUT(8, __global, (p) + (i), v)
#endif

/* Attention with grouped queries: KV_GROUP neighboring heads of the queries share a head of keys and values. */
#ifndef KV_GROUP
#define KV_GROUP 1
#endif
#define KV_HEAD(head) ((head) / KV_GROUP)

/* SfuAct's numbers. */
#define ACT_NONE 0
#define ACT_SILU 1
#define ACT_GELU 2
#define ACT_GELU_TANH 3
#define ACT_QUICK_GELU 4
#define ACT_RELU 5
#define ACT_LEAKY_RELU 6
#define ACT_TANH 7
#define ACT_SIGMOID 8
#define ACT_PRELU 9
#define ACT_SOFT_CLAMP 10
#define ACT_MISH 11

#ifdef CPU
/* e^x, relative error 1e-7 between -87.3 and 88.3, held there outside; NaN stays. The rounding constant leaves round(x
 * / ln 2) in the low bits; ln 2 is taken off in two parts (Cody & Waite 1980). */
HELPER float16 exp_16(float16 x)
{
    x = x < -87.3f ? (float16)(-87.3f) : x;
    x = x > 88.3f ? (float16)(88.3f) : x;
    const float16 t = fma(x, (float16)(M_LOG2E_F), (float16)(12582912.0f)), n = t - 12582912.0f;
    const float16 r = fma(n, (float16)(2.12194440e-4f), fma(n, (float16)(-0.693359375f), x));
    float16 e = 0.00138368454f;
    e = fma(e, r, (float16)(0.0083748158f));
    e = fma(e, r, (float16)(0.0416682256f));
    e = fma(e, r, (float16)(0.166664202f));
    e = fma(e, r, (float16)(0.499999921f));
    e = fma(e, r, (float16)(1.0f));
    e = fma(e, r, (float16)(1.0f));
    return as_float16(as_int16(e) + (as_int16(t) << 23));
}
#else
#define exp_16 exp
#endif
#define exp_1 exp

/* Before a loop over what is to stay in registers on GPUs. PoCL and emulations run such kernels in tests only,
 * and take minutes for loops with barriers that are written out. */
#if defined(POCL) || defined(EMULATED)
#define UNROLL _Pragma("nounroll")
#else
#define UNROLL _Pragma("unroll")
#endif

/* On GPUs a call costs registers and a stack, and not every compiler avoids it by itself. */
#ifdef CPU
#define INLINE HELPER
#else
#define INLINE HELPER __attribute__((always_inline))
#endif

/* FEW_ACTS leaves these out. They take most of the compile time of many kernels, and most epilogues need none. */
#ifdef FEW_ACTS
#define OTHER_ACTS(T, NAME)
#else
#define OTHER_ACTS(T, NAME)                                                                                            \
    case ACT_GELU:                                                                                                     \
        return gelu_##NAME(x);                                                                                         \
    case ACT_GELU_TANH:                                                                                                \
        return 0.5f * x * (1.0f + tanh(0.7978845608f * (x + 0.044715f * x * x * x)));                                  \
    case ACT_QUICK_GELU:                                                                                               \
        return x / (1.0f + exp_##NAME(-1.702f * x));                                                                   \
    case ACT_TANH:                                                                                                     \
        return tanh(x);                                                                                                \
    case ACT_SIGMOID:                                                                                                  \
        return 1.0f / (1.0f + exp_##NAME(-x));                                                                         \
    case ACT_SOFT_CLAMP:                                                                                               \
        return tanh(x * (1.0f / 3.0f)) * 3.0f;                                                                         \
    case ACT_MISH:                                                                                                     \
        return x * mish_gate_##NAME(exp_##NAME(fmin(x, (T)(20.0f))));
#endif

/* erf with an absolute error under 1.5e-7 (Abramowitz & Stegun 7.1.26); erf() of some drivers is scalar and slow. */
#define DEFINE_ACT(T, NAME)                                                                                            \
    INLINE T erf_##NAME(T x)                                                                                           \
    {                                                                                                                  \
        const T a = fabs(x), t = 1.0f / (1.0f + 0.3275911f * a);                                                       \
        const T p =                                                                                                    \
            ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;      \
        return copysign(1.0f - p * exp_##NAME(-a * a), x);                                                             \
    }                                                                                                                  \
    /* tanh(ln(1 + e)) */                                                                                              \
    INLINE T mish_gate_##NAME(T e)                                                                                     \
    {                                                                                                                  \
        return e * (e + 2.0f) / (e * (e + 2.0f) + 2.0f);                                                               \
    }                                                                                                                  \
    INLINE T gelu_##NAME(T x)                                                                                          \
    {                                                                                                                  \
        return 0.5f * x * (1.0f + erf_##NAME(x * 0.70710678f));                                                        \
    }                                                                                                                  \
    INLINE T act_##NAME(T x, const int act, const float param)                                                         \
    {                                                                                                                  \
        switch (act) {                                                                                                 \
        case ACT_SILU:                                                                                                 \
            return x / (1.0f + exp_##NAME(-x));                                                                        \
        case ACT_RELU:                                                                                                 \
            return fmax(x, (T)(0.0f));                                                                                 \
        case ACT_LEAKY_RELU:                                                                                           \
            return fmax(x, (T)(0.0f)) + param * fmin(x, (T)(0.0f));                                                    \
            OTHER_ACTS(T, NAME)                                                                                        \
        default:                                                                                                       \
            return x;                                                                                                  \
        }                                                                                                              \
    }
DEFINE_ACT(float, 1)
DEFINE_ACT(float16, 16)

/* Large values of transformers leave fp16's range; they stop at its end, as in the reference implementations. */
#ifdef ACT_F16
#define HELD(v) clamp(v, -65504.0f, 65504.0f)
#else
#define HELD(v) (v)
#endif

/* The units of a dimension that an item does, of n (SFU_SWEEP of ops/util.h): a run of them on CPUs, one elsewhere. */
#ifdef CPU
#define SWEEP(i, dim, n)                                                                                               \
    for (int i##_run = ((n) + (int)get_global_size(dim) - 1) / (int)get_global_size(dim),                              \
             i = (int)get_global_id(dim) * i##_run, i##_end = min(n, i + i##_run);                                     \
         i < i##_end; i++)
#else
#define SWEEP(i, dim, n) for (int i = get_global_id(dim), i##_done = 0; !i##_done; i##_done = 1)
#endif

/* Before a loop over the values behind the last whole vector: it must not grow, since nearly every kernel has several.
 */
#ifdef POCL
#define SHORT _Pragma("clang loop vectorize(disable) unroll(disable)")
#else
#define SHORT
#endif

/* The first n values from i on (none below 1, no more than 16); the rest 0. */
HELPER float16 load_part(__global const ACT *p, size_t i, int n)
{
    if (n >= 16)
        return LOAD16(p, i);
    if (n == 8)
        return (float16)(LOAD8(p, i), (float8)(0.0f));
    float t[16] = {0};
    SHORT for (int k = 0; k < n; k++)
        t[k] = LOAD(p, i + k);
    return vload16(0, t);
}

HELPER float16 load_part_f32(__global const float *p, size_t i, int n)
{
    if (n >= 16)
        return vload16(0, p + i);
    float t[16] = {0};
    SHORT for (int k = 0; k < n; k++)
        t[k] = p[i + k];
    return vload16(0, t);
}

HELPER void store_part_f32(__global float *p, size_t i, float16 v, int n)
{
    if (n >= 16) {
        vstore16(v, 0, p + i);
        return;
    }
    float t[16];
    vstore16(v, 0, t);
    SHORT for (int k = 0; k < n; k++)
        p[i + k] = t[k];
}

HELPER void store_part(__global ACT *p, size_t i, float16 v, int n)
{
    if (n >= 16) {
        STORE16(p, i, v);
        return;
    }
    if (n == 8) {
        STORE8(p, i, v.lo);
        return;
    }
    float t[16];
    vstore16(v, 0, t);
    SHORT for (int k = 0; k < n; k++)
        STORE(p, i + k, t[k]);
}

HELPER float sum4(float4 v)
{
    const float2 c = v.lo + v.hi;
    return c.x + c.y;
}

HELPER float sum16(float16 v)
{
    const float8 a = v.lo + v.hi;
    return sum4(a.lo + a.hi);
}

HELPER float max16(float16 v)
{
    const float8 a = fmax(v.lo, v.hi);
    const float4 b = fmax(a.lo, a.hi);
    const float2 c = fmax(b.lo, b.hi);
    return fmax(c.x, c.y);
}

/* ---- what the kernels behind convolution and linear share ---- */

/* WEIGHTS(n)(p): n fp16 values. x86 without F16C would take a dozen instructions for each; these are four for a vector:
 * the bits of a half, moved to where a float has them, are 2^-112 of its value (subnormals too; infinities, which no
 * weight is, become 65536). */
#if defined(CPU) && defined(__SSE2__) && !defined(__F16C__)
#define DEFINE_WEIGHTS(N)                                                                                              \
    HELPER float##N weights_##N(__global const half *p)                                                                \
    {                                                                                                                  \
        return as_float##N(convert_int##N(vload##N(0, (__global const short *)p)) << 13 & (int##N)(0x8fffe000)) *      \
               0x1p112f;                                                                                               \
    }
DEFINE_WEIGHTS(4)
DEFINE_WEIGHTS(8)
DEFINE_WEIGHTS(16)
#define WEIGHTS(n) weights_##n
#else
#define WEIGHTS(n) WEIGHTS_##n
#define WEIGHTS_4(p) vload_half4(0, p)
#define WEIGHTS_8(p) vload_half8(0, p)
#define WEIGHTS_16(p) vload_half16(0, p)
#endif

#ifdef W_F16
#define WT half
#define LOADW(p, i) vload_half((size_t)(i), p)
#define LOADW16(p) WEIGHTS(16)(p)
#else
#define WT float
#define LOADW(p, i) ((p)[i])
#define LOADW16(p) vload16(0, p)
#endif

/* Products of panels take WORDs: fp32 values, or pairs of bf16 that are neighbors along the sum, for CPUs with
 * AVX512-BF16. Inline assembly, because the builtin ends the whole process inside PoCL (its LLVM target lacks the
 * feature), as PoCL 6 does with any assembly on vectors inside a kernel. So such kernels have a BODY: a function that
 * is given the ids, and that is not part of the kernel with bf16, where it may use the instructions (WITH_BF16)
 * whatever the target. */
#ifdef BF16
#define WITH_BF16 __attribute__((target("avx512bf16")))
#define BODY WITH_BF16 __attribute__((noinline))
#define WORD int
#define WORD8 int8
#define WORD16 int16
#define PAIR 2
#define PANEL_WT int
HELPER WITH_BF16 float16 dot16(int16 a, int16 b, float16 s)
{
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(s) : "v"(a), "v"(b));
    return s;
}
HELPER WITH_BF16 float8 dot8(int8 a, int8 b, float8 s)
{
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(s) : "v"(a), "v"(b));
    return s;
}
/* 32 values in order, rounded to nearest even. */
HELPER __attribute__((always_inline)) WITH_BF16 int16 to_bf16(float16 first, float16 second)
{
    int16 r;
    __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(r) : "v"(first), "v"(second));
    return r;
}
#else
#define WITH_BF16
#define BODY __attribute__((always_inline))
#define WORD float
#define WORD8 float8
#define WORD16 float16
#define PAIR 1
#define PANEL_WT WT
#define dot16(a, b, s) fma(a, b, s)
#define dot8(a, b, s) fma(a, b, s)
#endif

/* The tile that a CPU keeps in registers: TILE_ROWS (a divisor of 12) x TILE_COLS (16, 32 or 64) sums, in vectors of
 * VW. VEC: one of those, WVEC: a vector of words; LOADP reads one of those from a panel of weights, LOADW_VEC one of
 * words as they are. */
#ifndef VW
#define VW 16
#endif
#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define VEC CAT(float, VW)
#define LOADV(i, p) CAT(vload, VW)(i, p)
#define STOREV(v, i, p) CAT(vstore, VW)(v, i, p)
#ifdef BF16
#define WVEC int16
#define LOADW_VEC(p) vload16(0, p)
#define LOADP(p) vload16(0, p)
#define dotv(a, b, s) dot16(a, b, s)
#else
#define WVEC VEC
#define LOADW_VEC(p) LOADV(0, p)
#ifdef W_F16
#define WEIGHTS_VW(n) WEIGHTS(n)
#define LOADP(p) WEIGHTS_VW(VW)(p)
#else
#define LOADP(p) LOADV(0, p)
#endif
#define dotv(a, b, s) fma(a, b, s)
#endif
#define TILE_VECS (TILE_COLS / VW)
#define PANELS ((TILE_COLS + 31) / 32) /* of the weights that a tile takes side by side */
/* PIECE: the j-th 16 sums of a row of a tile; PART: the h-th VEC of 16 values (h constant); SUMV: the sum of a VEC's.
 */
#if VW == 16
#define PIECE(row, j) ((row)[j])
#define PART(v, h) (v)
#define SUMV(v) sum16(v)
#elif VW == 8
#define PIECE(row, j) ((float16)((row)[2 * (j)], (row)[2 * (j) + 1]))
#define PART(v, h) ((h) ? (v).hi : (v).lo)
#define SUMV(v) sum4((v).lo + (v).hi)
#else
#define PIECE(row, j) ((float16)((row)[4 * (j)], (row)[4 * (j) + 1], (row)[4 * (j) + 2], (row)[4 * (j) + 3]))
#define PART(v, h) ((h) == 0 ? (v).lo.lo : (h) == 1 ? (v).lo.hi : (h) == 2 ? (v).hi.lo : (v).hi.hi)
#define SUMV(v) sum4(v)
#endif

/* Asks for the cache line at p, so that an epilogue does not wait for memory; nothing where the compiler cannot say so.
 * (oclgrind's clang can, but oclgrind then does not know the instruction.) */
#if defined(CPU) && defined(POCL)
#define FETCH(p) __builtin_prefetch((const void *)(size_t)(p), 0)
#define FETCH_TO_WRITE(p) __builtin_prefetch((const void *)(size_t)(p), 1)
#else
#define FETCH(p)
#define FETCH_TO_WRITE(p)
#endif

/* Geometry of a convolution: n_in = input channels a group, n_out = all outputs. up = 1: the input is read as if
 * enlarged twice. Pitches: channels from one pixel to the next, more than n_in * groups and n_out where x and y are
 * ranges of wider tensors. */
#define GEOMETRY                                                                                                       \
    int h, int w, int n_in, int oh, int ow, int n_out, int kh, int kw, int stride, int pad_t, int pad_l, int up,       \
        int wrap, int groups, int x_pitch, int y_pitch

/* What is fused behind a product; see SfuEpilogue. EPILOGUE: as kernel arguments; in kernels and functions it is one
 * value. */
#define EPILOGUE                                                                                                       \
    __global const float *bias, int bias0, __global const ACT *chan, int chan0, __global const float *prelu,           \
        int prelu0, int prelu_n, __global const ACT *res, int res0, int act, float act_param, float scale
typedef struct {
    __global const float *bias;
    int bias0;
    __global const ACT *chan;
    int chan0;
    __global const float *prelu;
    int prelu0, prelu_n;
    __global const ACT *res;
    int res0, act;
    float act_param, scale;
} Epilogue;
HELPER __attribute__((always_inline)) Epilogue epilogue(EPILOGUE)
{
    const Epilogue e = {bias, bias0, chan, chan0, prelu, prelu0, prelu_n, res, res0, act, act_param, scale};
    return e;
}

/* Index of an input row or column behind padding and enlargement; -1 outside. Geometries hold in `wrap` bit 1 for
 * columns that wrap round, bit 2 for rows. */
HELPER int source(int i, int size, int up, int wrap)
{
    const int n = size << up;
    if (wrap)
        i = (i % n + n) % n;
    return i < 0 || i >= n ? -1 : i >> up;
}

/* Writes one channel of one pixel. */
INLINE void finish_1(__global ACT *y, size_t at, float s, int o, int b, int n_out, const Epilogue e)
{
    if (e.bias)
        s += e.bias[e.bias0 + o];
    if (e.chan)
        s += LOAD(e.chan, e.chan0 + (size_t)b * n_out + o);
    if (e.act == ACT_PRELU)
        s = fmax(s, 0.0f) + e.prelu[e.prelu0 + (e.prelu_n == 1 ? 0 : o)] * fmin(s, 0.0f);
    else
        s = act_1(s, e.act, e.act_param);
    s *= e.scale;
    if (e.res)
        s += LOAD(e.res, e.res0 + at);
    STORE(y, at, s);
}

/* What is written for 16 channels of one pixel. On CPUs a call costs more than the work: so this, finish_16() and
 * finish() are to be called at one place, in a loop. */
#ifdef CPU
__attribute__((always_inline))
#endif
HELPER float16
finished_16(size_t at, float16 v, int o, int b, int n_out, const Epilogue e)
{
    if (e.bias)
        v += vload16(0, e.bias + e.bias0 + o);
    if (e.chan)
        v += LOAD16(e.chan, e.chan0 + (size_t)b * n_out + o);
    if (e.act == ACT_PRELU)
        v = fmax(v, 0.0f) +
            (e.prelu_n == 1 ? (float16)(e.prelu[e.prelu0]) : vload16(0, e.prelu + e.prelu0 + o)) * fmin(v, 0.0f);
    else if (e.act != ACT_NONE)
        v = act_16(v, e.act, e.act_param);
    v *= e.scale;
    if (e.res)
        v += LOAD16(e.res, e.res0 + at);
    return v;
}

/* Writes 16 channels of one pixel, and returns them. */
#ifdef CPU
__attribute__((always_inline))
#endif
HELPER float16
finish_16(__global ACT *y, size_t at, float16 v, int o, int b, int n_out, const Epilogue e)
{
    v = finished_16(at, v, o, b, n_out, e);
    STORE16(y, at, v);
    return v;
}

/* Writes fewer than 16 channels of one pixel. */
HELPER void finish_rest(__global ACT *y, size_t at, float16 v, int n, int o, int b, int n_out, const Epilogue e)
{
    float t[16];
    vstore16(v, 0, t);
    SHORT for (int i = 0; i < n; i++)
        finish_1(y, at + i, t[i], o + i, b, n_out, e);
}

/* Writes up to 16 channels of one pixel. */
#ifdef CPU
__attribute__((always_inline))
#endif
HELPER void
finish(__global ACT *y, size_t at, float16 v, int n, int o, int b, int n_out, const Epilogue e)
{
    if (n < 16)
        finish_rest(y, at, v, n, o, b, n_out, e);
    else
        finish_16(y, at, v, o, b, n_out, e);
}
