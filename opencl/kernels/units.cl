/* Matrix units: c += a b with fp16 values and fp32 sums, made by a sub-group of SG items together; a [FM][16], b
 * [16][FN], c [FM][FN]. MATRIX says whose:
 *   1  NVIDIA, mma.sync.m16n8k16, two side by side (PTX ISA 7.0, section 9.7.14.5.8; compute capability 8.0), operands
 *      through ldmatrix;
 *   2  Intel with sub-groups of 8 and 3  with sub-groups of 16: cl_intel_subgroup_matrix_multiply_accumulate (revision
 *      1.0.0);
 *   4  AMD RDNA 3, V_WMMA_F32_16X16X16_F16 (RDNA3 Instruction Set Architecture, section 7.9).
 * Operands stand in local memory as words of two neighbors along the sum: a by rows, b by columns, with ROW_WORDS
 * words from row to row (a multiple of 4). How each item holds them: A_AT(m, k), B_AT(k, n) = which half of which
 * item's words; c_row(lane, i), c_col(lane, i) = where the i-th sum of an item stands. Each item's 8 sums lie in ROWS
 * rows, the i-th in the ROW_OF(i)-th, and ROW_LANES neighboring items share them: row_max() and row_sum() put the
 * maximum or the sum over those items into each of t [ROWS]. PAIRS: sums 2 i and 2 i + 1 are neighbors in a row.
 * EMULATED: the product written out, for devices without the unit: how the rest is tested on them. It needs local
 * memory, UNIT_SCRATCH, which mma(), row_max() and row_sum() are given with the item's number `lid`; real units use
 * neither.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define HALF_AT(lane, word, k) (((lane) * (A_WORDS + B_WORDS) + (word)) * 2 + (k) % 2)
#if MATRIX == 1
#define SG 32
#define FM 16
#define FN 16
#define A_WORDS 4
#define B_WORDS 4
#define A_AT(m, k) HALF_AT((m) % 8 * 4 + (k) % 8 / 2, (m) / 8 + (k) / 8 * 2, k)
#define B_AT(k, n) HALF_AT((n) % 8 * 4 + (k) % 8 / 2, A_WORDS + (n) / 8 + (k) / 8 * 2, k)
#define ROWS 2
#define ROW_OF(i) ((i) / 2 % 2)
#define ROW_LANES 4
#define PAIRS
typedef uint4 FragA;
typedef uint4 FragB;
INLINE int c_row(const int lane, const int i)
{
    return lane / 4 + (i & 2) * 4;
}
INLINE int c_col(const int lane, const int i)
{
    return lane % 4 * 2 + (i & 1) + (i & 4) * 2;
}
#elif MATRIX == 2
#define SG 8
#define FM 8
#define FN 8
#define A_WORDS 8
#define B_WORDS 8
#define A_AT(m, k) HALF_AT((k) / 2, m, k)
#define B_AT(k, n) HALF_AT(n, A_WORDS + (k) / 2, k)
#define UNIT_KERNEL __attribute__((intel_reqd_sub_group_size(8)))
#define INTEL_A int8
typedef uint8 FragA;
typedef uint8 FragB;
INLINE int c_row(const int lane, const int i)
{
    return i;
}
INLINE int c_col(const int lane, const int i)
{
    return lane;
}
#elif MATRIX == 3
#define SG 16
#define FM 8
#define FN 16
#define A_WORDS 8 /* 4 and as many empty: B's are aligned */
#define B_WORDS 8
#define A_AT(m, k) ((k) * (A_WORDS + B_WORDS) * 2 + (m))
#define B_AT(k, n) HALF_AT(n, A_WORDS + (k) / 2, k)
#define UNIT_KERNEL __attribute__((intel_reqd_sub_group_size(16)))
#define INTEL_A short8
typedef ushort8 FragA;
typedef uint8 FragB;
INLINE int c_row(const int lane, const int i)
{
    return i;
}
INLINE int c_col(const int lane, const int i)
{
    return lane;
}
#elif MATRIX == 4
#define SG 32
#define FM 16
#define FN 16
#define A_WORDS 8 /* items 16 to 31 hold what items 0 to 15 hold */
#define B_WORDS 8
#define A_AT(m, k) HALF_AT(m, (k) / 2, k)
#define B_AT(k, n) HALF_AT(n, A_WORDS + (k) / 2, k)
#define UNIT_KERNEL __attribute__((amdgpu_waves_per_eu(2, 4))) /* more registers than the compiler gives by itself */
typedef uint8 FragA;
typedef uint8 FragB;
INLINE int c_row(const int lane, const int i)
{
    return 2 * i + lane / 16;
}
INLINE int c_col(const int lane, const int i)
{
    return lane % 16;
}
#endif

#ifndef ROWS
#define ROWS 8
#define ROW_OF(i) (i)
#define ROW_LANES (SG < 16 ? SG : 16)
#endif
INLINE void unpack(float *t, float8 v)
{
    t[0] = v.s0, t[1] = v.s1, t[2] = v.s2, t[3] = v.s3, t[4] = v.s4, t[5] = v.s5, t[6] = v.s6, t[7] = v.s7;
}

#if (MATRIX == 2 || MATRIX == 3) && !defined(EMULATED)
#pragma OPENCL EXTENSION cl_intel_subgroups : enable
#ifndef cl_intel_subgroup_matrix_multiply_accumulate /* the compiler knows it, but its header may not */
float8 __attribute__((overloadable)) intel_sub_group_f16_f16_matrix_mad_k16(INTEL_A a, int8 b, float8 c);
#endif
#define SG_ID ((int)get_sub_group_id())
#define SG_LANE ((int)get_sub_group_local_id())
#else
#if defined(EMULATED) || MATRIX != 4
#undef UNIT_KERNEL
#define UNIT_KERNEL
#endif
#define SG_ID ((int)get_local_id(0) / SG)
#define SG_LANE ((int)get_local_id(0) % SG)
#endif

#if MATRIX == 1
/* 16 rows of 8 words from p on. */
INLINE uint4 load_rows(__local const uint *p, const int row_words, int lane)
{
#ifdef EMULATED
    p += lane / 4 * row_words + lane % 4;
    return (uint4)(p[0], p[8 * row_words], p[4], p[8 * row_words + 4]);
#else
    uint4 r;
    const uint at = (uint)(size_t)(p + lane % 16 * row_words + lane / 16 * 4);
    __asm__ volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(r.x), "=r"(r.y), "=r"(r.z), "=r"(r.w)
                     : "r"(at)
                     : "memory");
    return r;
#endif
}
#define load_a load_rows
#define load_b load_rows
#else
/* One row's 8 words. */
INLINE uint8 load_row(__local const uint *p)
{
    return (uint8)(*(__local const uint4 *)p, *(__local const uint4 *)(p + 4));
}
INLINE FragB load_b(__local const uint *p, const int row_words, int lane)
{
    return load_row(p + lane % FN * row_words);
}
INLINE FragA load_a(__local const uint *p, const int row_words, int lane)
{
#if MATRIX == 2
    p += lane;
    return (uint8)(p[0], p[row_words], p[2 * row_words], p[3 * row_words], p[4 * row_words], p[5 * row_words],
                   p[6 * row_words], p[7 * row_words]);
#elif MATRIX == 3
    __local const ushort *h = (__local const ushort *)p + lane;
    const int row = 2 * row_words;
    return (ushort8)(h[0], h[row], h[2 * row], h[3 * row], h[4 * row], h[5 * row], h[6 * row], h[7 * row]);
#else
    return load_row(p + lane % 16 * row_words);
#endif
}
#endif

#ifdef EMULATED
#define UNIT_SCRATCH(name, n_items) __local uint name[(n_items) * (A_WORDS + B_WORDS)] __attribute__((aligned(32)));
/* To be met by all items of a work-group. */
HELPER float8 mma(FragA a, FragB b, float8 c, int lid, __local uint *scratch)
{
    const int lane = lid % SG;
    __local uint *mine = scratch + (lid - lane) * (A_WORDS + B_WORDS);
    __local const half *halves = (__local const half *)mine;
    *(__local FragA *)(mine + lane * (A_WORDS + B_WORDS)) = a;
    *(__local FragB *)(mine + lane * (A_WORDS + B_WORDS) + A_WORDS) = b;
    barrier(CLK_LOCAL_MEM_FENCE);
    float s[8];
    vstore8(c, 0, s);
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 16; k++)
            s[i] = fma(vload_half(A_AT(c_row(lane, i), k), halves), vload_half(B_AT(k, c_col(lane, i)), halves), s[i]);
    barrier(CLK_LOCAL_MEM_FENCE);
    return vload8(0, s);
}

/* Of both the maximum and the sum. */
HELPER void reduce_rows(float *t, const bool most, int lid, __local float *scratch)
{
    for (int r = 0; r < ROWS; r++)
        scratch[lid * ROWS + r] = t[r];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < ROW_LANES; i++) {
            const float other = scratch[(lid / ROW_LANES * ROW_LANES + i) * ROWS + r];
            t[r] = most ? fmax(t[r], other) : i == 0 ? other : t[r] + other;
        }
    barrier(CLK_LOCAL_MEM_FENCE);
}
INLINE void row_max(float *t, int lid, __local uint *scratch)
{
    reduce_rows(t, true, lid, (__local float *)scratch);
}
INLINE void row_sum(float *t, int lid, __local uint *scratch)
{
    reduce_rows(t, false, lid, (__local float *)scratch);
}
#else
#define UNIT_SCRATCH(name, n_items) __local uint *const name = 0;
#if MATRIX == 1
/* The value of the item whose number differs in the bits of `mask`. */
INLINE float other_item(float v, const int mask)
{
    float r;
    __asm__ volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, 0xffffffff;" : "=f"(r) : "f"(v), "r"(mask));
    return r;
}
#elif MATRIX == 4
/* DS_SWIZZLE_B32, bit mode: the mask is bits 10 to 14. */
#define other_item(v, mask) as_float(__builtin_amdgcn_ds_swizzle(as_int(v), (mask) << 10 | 0x1f))
#endif
/* All items of a row at one mask, then the next: independent exchanges follow each other. */
INLINE void row_max(float *t, int lid, __local uint *scratch)
{
#if MATRIX == 2 || MATRIX == 3
    UNROLL for (int r = 0; r < ROWS; r++)
        t[r] = sub_group_reduce_max(t[r]);
#else
    UNROLL for (int r = 0; r < ROWS; r++)
        t[r] = fmax(t[r], other_item(t[r], 1));
    UNROLL for (int r = 0; r < ROWS; r++)
        t[r] = fmax(t[r], other_item(t[r], 2));
#endif
#if MATRIX == 4
    UNROLL for (int r = 0; r < ROWS; r++)
        t[r] = fmax(t[r], other_item(t[r], 4));
    UNROLL for (int r = 0; r < ROWS; r++)
        t[r] = fmax(t[r], other_item(t[r], 8));
#endif
}
INLINE void row_sum(float *t, int lid, __local uint *scratch)
{
#if MATRIX == 2 || MATRIX == 3
    UNROLL for (int r = 0; r < ROWS; r++)
        t[r] = sub_group_reduce_add(t[r]);
#else
    UNROLL for (int r = 0; r < ROWS; r++)
        t[r] = t[r] + other_item(t[r], 1);
    UNROLL for (int r = 0; r < ROWS; r++)
        t[r] = t[r] + other_item(t[r], 2);
#endif
#if MATRIX == 4
    UNROLL for (int r = 0; r < ROWS; r++)
        t[r] = t[r] + other_item(t[r], 4);
    UNROLL for (int r = 0; r < ROWS; r++)
        t[r] = t[r] + other_item(t[r], 8);
#endif
}

#if MATRIX == 1
/* c + a b for 8 of b's columns. */
INLINE float4 mma_sync(float4 c, uint4 a, uint b0, uint b1)
{
    __asm__("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
            "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
            : "+f"(c.x), "+f"(c.y), "+f"(c.z), "+f"(c.w)
            : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b0), "r"(b1));
    return c;
}
#endif

INLINE float8 mma(FragA a, FragB b, float8 c, int lid, __local uint *scratch)
{
#if MATRIX == 1
    return (float8)(mma_sync(c.lo, a, b.x, b.z), mma_sync(c.hi, a, b.y, b.w));
#elif MATRIX == 2 || MATRIX == 3
    return intel_sub_group_f16_f16_matrix_mad_k16(CAT(as_, INTEL_A)(a), as_int8(b), c);
#elif MATRIX == 4
    return __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(as_half16(a), as_half16(b), c);
#endif
}
#endif
