/* Tiles of Intel's matrix units (AMX): 16 x 32 and 32 x 16 values in bf16, sums of 16 x 16 in fp32; with INT8, 16 x 64
 * and 64 x 16 whole numbers of 8 bits, sums of 32 bits (Intel SDM volume 1, chapter 18). Inline assembly in functions
 * that are not part of the kernel, as with bf16: see common.cl.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define WITH_AMX __attribute__((target("avx512bf16,amx-tile,amx-bf16,amx-int8")))
#define IN_BODY WITH_AMX __attribute__((always_inline))
#define AMX_BODY WITH_AMX __attribute__((noinline))
#define ASM __asm__ volatile
#define TILE_BYTES 128 /* from one row to the next of two tiles side by side */

/* Tile registers: sums 0 to 3 (two times 16 rows by two times 16 columns), 4 and 5 of rows, 6 and 7 of columns. */
#define LOAD_TILE(tile, p, stride) ASM("tileloadd (%0,%1,1), %%tmm" #tile ::"r"(p), "r"((size_t)(stride)) : "memory")
#define STORE_TILE(tile, p, stride)                                                                                    \
    ASM("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"(p), "r"((size_t)(stride)) : "memory")
#ifdef INT8
#define PRODUCT "tdpbssd"
#else
#define PRODUCT "tdpbf16ps"
#endif
#define DOT(sum, rows, columns) ASM(PRODUCT " %%tmm" #columns ", %%tmm" #rows ", %%tmm" #sum ::: "memory")
#define ZERO_SUMS ASM("tilezero %%tmm0\n tilezero %%tmm1\n tilezero %%tmm2\n tilezero %%tmm3" ::: "memory")

HELPER IN_BODY void start_tiles(void)
{
    /* palette 1; from byte 16 on 8 times 64 bytes a row, from byte 48 on 8 times 16 rows */
    const uint16 config =
        (uint16)(1, 0, 0, 0, 0x00400040, 0x00400040, 0x00400040, 0x00400040, 0, 0, 0, 0, 0x10101010, 0x10101010, 0, 0);
    ASM("ldtilecfg %0" ::"m"(config));
}

/* Adds to the sums the products of 32 rows and 32 columns along 16 words of inputs. Addresses: p0, p1 of 16 rows each,
 * `stride` bytes apart; b: of [16][32] words, rows of those b_stride bytes apart. */
HELPER IN_BODY void add_step(size_t p0, size_t p1, size_t stride, size_t b, size_t b_stride)
{
    LOAD_TILE(4, p0, stride);
    LOAD_TILE(6, b, b_stride);
    LOAD_TILE(7, b + 64, b_stride);
    LOAD_TILE(5, p1, stride);
    DOT(0, 4, 6);
    DOT(1, 4, 7);
    DOT(2, 5, 6);
    DOT(3, 5, 7);
}

HELPER IN_BODY void load_sums(size_t p, size_t stride)
{
    LOAD_TILE(0, p, stride);
    LOAD_TILE(1, p + 64, stride);
    LOAD_TILE(2, p + 16 * stride, stride);
    LOAD_TILE(3, p + 16 * stride + 64, stride);
}

HELPER IN_BODY void store_sums(size_t p, size_t stride)
{
    STORE_TILE(0, p, stride);
    STORE_TILE(1, p + 64, stride);
    STORE_TILE(2, p + 16 * stride, stride);
    STORE_TILE(3, p + 16 * stride + 64, stride);
}

/* The same of 16 columns, which are the first of each two tiles. */
HELPER IN_BODY void add_left_step(size_t p0, size_t p1, size_t stride, size_t b, size_t b_stride)
{
    LOAD_TILE(4, p0, stride);
    LOAD_TILE(6, b, b_stride);
    LOAD_TILE(5, p1, stride);
    DOT(0, 4, 6);
    DOT(2, 5, 6);
}

HELPER IN_BODY void load_left_sums(size_t p, size_t stride)
{
    LOAD_TILE(0, p, stride);
    LOAD_TILE(2, p + 16 * stride, stride);
}

HELPER IN_BODY void store_left_sums(size_t p, size_t stride)
{
    STORE_TILE(0, p, stride);
    STORE_TILE(2, p + 16 * stride, stride);
}

HELPER __attribute__((always_inline)) float greatest(float16 v)
{
    const float8 a = v.lo > v.hi ? v.lo : v.hi;
    const float4 b = a.lo > a.hi ? a.lo : a.hi;
    const float2 c = b.lo > b.hi ? b.lo : b.hi;
    return c.x > c.y ? c.x : c.y;
}
