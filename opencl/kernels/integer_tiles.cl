/* What products of integers share that have no instruction of their own: a tile of ROWS rows and ALL_COLS columns, in
 * vectors of VW. Part of int16.cl and codes.cl. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#define ROWS TILE_ROWS
#define ALL_COLS (PANELS * 32)
#define ALL_VECS (ALL_COLS / VW)
#define INTV CAT(int, VW)
#define LOAD_INTS(p) CAT(vload, VW)(0, p)
typedef short ShortPairs __attribute__((ext_vector_type(2 * VW)));

/* s + the sums of both products of each word. Inline assembly, and a BODY, as with bf16: see common.cl. */
#ifdef VNNI
#if VW == 16
#define IN_TILE __attribute__((target("avx512vnni"), always_inline))
#define TILE_BODY __attribute__((target("avx512vnni"), noinline))
#define ADD_BY(name) name " %2, %1, %0"
#define IN_VECTOR "v"
#else
#define IN_TILE __attribute__((target("avxvnni"), always_inline))
#define TILE_BODY __attribute__((target("avxvnni"), noinline))
#define ADD_BY(name) "%{vex%} " name " %2, %1, %0"
#define IN_VECTOR "x"
#endif
HELPER IN_TILE INTV add_pairs(INTV a, INTV b, INTV s)
{
    __asm__(ADD_BY("vpdpwssd") : "+" IN_VECTOR(s) : IN_VECTOR(a), IN_VECTOR(b));
    return s;
}
#elif defined(MADD)
#define TILE_BODY __attribute__((noinline))
HELPER __attribute__((always_inline)) INTV add_pairs(INTV a, INTV b, INTV s)
{
    INTV r;
    __asm__("vpmaddwd %2, %1, %0" : "=x"(r) : "x"(a), "x"(b));
    return s + r;
}
#else
#define TILE_BODY __attribute__((always_inline))
HELPER __attribute__((always_inline)) INTV add_pairs(INTV a, INTV b, INTV s)
{
    return s + ((a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16));
}
#endif

/* Writes what a tile's rows have for all columns from output o on. p0: the first row's pixel. */
HELPER __attribute__((always_inline)) void finish_tile(const VEC *f, __global ACT *y, int p0, int rows, int o,
                                                       int y_pitch, int per, int n_out, const Epilogue e)
{
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int j = 0; j < ALL_COLS; j += 16 << GATED) {
            const size_t at = (size_t)(p0 + i) * y_pitch;
            float16 v = PIECE(f + i * ALL_VECS, j / 16);
            if (o + j >= n_out)
                continue;
#if GATED
            float16 g = PIECE(f + i * ALL_VECS, j / 16 + 1);
            if (e.bias) {
                v += vload16(0, e.bias + e.bias0 + o + j);
                g += vload16(1, e.bias + e.bias0 + o + j);
            }
            STORE16(y, at + (o + j) / 2, v * gelu_16(g));
#else
            finish(y, at + o + j, v, min(n_out - o - j, 16), o + j, (p0 + i) / per, n_out, e);
#endif
        }
}
