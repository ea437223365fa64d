/* Types of stored numbers, and how they become fp32. Block types are those of GGUF (ggml's documentation of its
 * formats; the values equal those of the Python package gguf to the bit, which tests/unit/quant.c checks): whole
 * numbers q with a scale, and for some types a minimum, for each 16 or 32 of them: value = scale * q - minimum, rounded
 * after the product and again after the difference. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "runtime/runtime.h"
#include "runtime/half.h"

#define MOST_VALUES SFU_MOST_BLOCK
#define NEGATIVE 0x8000 /* the sign of a half */

static guint16 half_at(const guint8 *p)
{
    return (guint16)(p[0] | p[1] << 8);
}

/* ---- block types: each unpacks one block; what a type lacks is 0, and 1 where it is a factor ---- */

/* 16 bytes, the first half of the values in their low bits and the second in their high ones. */
static void unpack_nibbles(const guint8 *qs, int less, gint8 *q)
{
    for (int i = 0; i < 16; i++) {
        q[i] = (gint8)((qs[i] & 15) - less);
        q[i + 16] = (gint8)((qs[i] >> 4) - less);
    }
}

static void add_fifth_bits(const guint8 *bits, gint8 *q)
{
    for (int i = 0; i < 32; i++)
        q[i] = (gint8)(q[i] + (bits[i / 8] >> i % 8 & 1) * 16);
}

static void unpack_q4_0(const guint8 *b, SfuBlock *u)
{
    u->d = half_at(b);
    unpack_nibbles(b + 2, 8, u->q);
}

static void unpack_q4_1(const guint8 *b, SfuBlock *u)
{
    u->d = half_at(b);
    u->m = half_at(b + 2) ^ NEGATIVE;
    unpack_nibbles(b + 4, 0, u->q);
}

static void unpack_q5_0(const guint8 *b, SfuBlock *u)
{
    u->d = half_at(b);
    unpack_nibbles(b + 6, 16, u->q);
    add_fifth_bits(b + 2, u->q);
}

static void unpack_q5_1(const guint8 *b, SfuBlock *u)
{
    u->d = half_at(b);
    u->m = half_at(b + 2) ^ NEGATIVE;
    unpack_nibbles(b + 8, 0, u->q);
    add_fifth_bits(b + 4, u->q);
}

static void unpack_q8_0(const guint8 *b, SfuBlock *u)
{
    u->d = half_at(b);
    memcpy(u->q, b + 2, 32);
}

static void unpack_q2_k(const guint8 *b, SfuBlock *u)
{
    const guint8 *qs = b + 16;
    u->d = half_at(b + 80);
    u->m = half_at(b + 82);
    for (int g = 0; g < 16; g++) {
        u->scale[g] = (gint8)(b[g] & 15);
        u->min[g] = b[g] >> 4;
    }
    for (int i = 0; i < 256; i++)
        u->q[i] = (gint8)(qs[i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3);
}

static void unpack_q3_k(const guint8 *b, SfuBlock *u)
{
    const guint8 *high = b, *qs = b + 32, *s = b + 96;
    u->d = half_at(b + 108);
    for (int g = 0; g < 16; g++)
        u->scale[g] = (gint8)(((s[g % 8] >> g / 8 * 4 & 15) | (s[8 + g % 4] >> g / 4 * 2 & 3) << 4) - 32);
    for (int i = 0; i < 256; i++)
        u->q[i] = (gint8)((qs[i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3) - (high[i % 32] >> i / 32 & 1 ? 0 : 4));
}

/* Eight scales and eight minima of 6 bits in 12 bytes. */
static void unpack_k_scales(const guint8 *b, SfuBlock *u)
{
    const guint8 *s = b + 4;
    u->d = half_at(b);
    u->m = half_at(b + 2);
    for (int g = 0; g < 8; g++) {
        const int i = g % 4;
        u->scale[g] = (gint8)(g < 4 ? s[i] & 63 : (s[8 + i] & 15) | (s[i] >> 2 & 48));
        u->min[g] = (guint8)(g < 4 ? s[4 + i] & 63 : s[8 + i] >> 4 | (s[4 + i] >> 2 & 48));
    }
}

static void unpack_q4_k(const guint8 *b, SfuBlock *u)
{
    unpack_k_scales(b, u);
    for (int i = 0; i < 256; i++)
        u->q[i] = (gint8)(b[16 + i / 64 * 32 + i % 32] >> i % 64 / 32 * 4 & 15);
}

static void unpack_q5_k(const guint8 *b, SfuBlock *u)
{
    unpack_k_scales(b, u);
    for (int i = 0; i < 256; i++)
        u->q[i] = (gint8)((b[48 + i / 64 * 32 + i % 32] >> i % 64 / 32 * 4 & 15) | (b[16 + i % 32] >> i / 32 & 1) << 4);
}

static void unpack_q6_k(const guint8 *b, SfuBlock *u)
{
    u->d = half_at(b + 208);
    memcpy(u->scale, b + 192, 16);
    for (int i = 0; i < 256; i++)
        u->q[i] = (gint8)(((b[i / 128 * 64 + i % 64] >> i % 128 / 64 * 4 & 15) |
                           (b[128 + i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3) << 4) -
                          32);
}

static void unpack_steps(const guint8 *qs, gint8 *q)
{
    static const gint8 steps[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    for (int i = 0; i < 16; i++) {
        q[i] = steps[qs[i] & 15];
        q[i + 16] = steps[qs[i] >> 4];
    }
}

static void unpack_iq4_nl(const guint8 *b, SfuBlock *u)
{
    u->d = half_at(b);
    unpack_steps(b + 2, u->q);
}

static void unpack_iq4_xs(const guint8 *b, SfuBlock *u)
{
    const int high = b[2] | b[3] << 8;
    u->d = half_at(b);
    for (int g = 0; g < 8; g++) {
        u->scale[g] = (gint8)(((b[4 + g / 2] >> g % 2 * 4 & 15) | (high >> 2 * g & 3) << 4) - 32);
        unpack_steps(b + 8 + 16 * g, u->q + 32 * g);
    }
}

/* ---- plain types. A file need not align its tensors, so nothing is read through a wider pointer. ---- */

#define WIDEN(NAME, TYPE, VALUE)                                                                                       \
    static void widen_##NAME(const guint8 *p, gint64 n, float *out)                                                    \
    {                                                                                                                  \
        for (gint64 i = 0; i < n; i++) {                                                                               \
            TYPE v;                                                                                                    \
            memcpy(&v, p + i * (gint64)sizeof v, sizeof v);                                                            \
            out[i] = VALUE;                                                                                            \
        }                                                                                                              \
    }
WIDEN(f32, float, v)
WIDEN(f16, guint16, sfu_half_to_float(v))
WIDEN(bf16, guint16, sfu_bf16_to_float(v))
WIDEN(e4m3, guint8, sfu_e4m3_to_float(v))
WIDEN(e5m2, guint8, sfu_e5m2_to_float(v))
WIDEN(f64, double, (float)v)
WIDEN(i64, gint64, (float)v)
WIDEN(i32, gint32, (float)v)
WIDEN(i16, gint16, (float)v)
WIDEN(i8, gint8, (float)v)
WIDEN(u8, guint8, (float)v)

static const struct {
    const char *name;
    int values, bytes; /* of a block; plain types: of one value */
    SfuBlockForm form;
    void (*unpack)(const guint8 *block, SfuBlock *u);
    void (*widen)(const guint8 *p, gint64 n, float *out);
} dtypes[SFU_N_DTYPES] = {
    [SFU_F32] = {"F32", 1, 4, .widen = widen_f32},
    [SFU_F16] = {"F16", 1, 2, .widen = widen_f16},
    [SFU_BF16] = {"BF16", 1, 2, .widen = widen_bf16},
    [SFU_F8_E4M3] = {"F8_E4M3", 1, 1, .widen = widen_e4m3},
    [SFU_F8_E5M2] = {"F8_E5M2", 1, 1, .widen = widen_e5m2},
    [SFU_I32] = {"I32", 1, 4, .widen = widen_i32},
    [SFU_I64] = {"I64", 1, 8, .widen = widen_i64},
    [SFU_U8] = {"U8", 1, 1, .widen = widen_u8},
    [SFU_F64] = {"F64", 1, 8, .widen = widen_f64},
    [SFU_I8] = {"I8", 1, 1, .widen = widen_i8},
    [SFU_I16] = {"I16", 1, 2, .widen = widen_i16},
    [SFU_BOOL] = {"BOOL", 1, 1, .widen = widen_u8},
    [SFU_Q4_0] = {"Q4_0", 32, 18, {32, 32, 4, 8, FALSE, FALSE, 2}, unpack_q4_0},
    [SFU_Q4_1] = {"Q4_1", 32, 20, {32, 32, 4, 0, FALSE, TRUE, 4}, unpack_q4_1},
    [SFU_Q5_0] = {"Q5_0", 32, 22, {32, 32, 5, 16, FALSE, FALSE, 6, 2}, unpack_q5_0},
    [SFU_Q5_1] = {"Q5_1", 32, 24, {32, 32, 5, 0, FALSE, TRUE, 8, 4}, unpack_q5_1},
    [SFU_Q8_0] = {"Q8_0", 32, 34, {32, 32, 8, 0, FALSE, FALSE}, unpack_q8_0},
    [SFU_Q2_K] = {"Q2_K", 256, 84, {256, 16, 4, 0, TRUE, TRUE}, unpack_q2_k},
    [SFU_Q3_K] = {"Q3_K", 256, 110, {256, 16, 4, 4, TRUE, FALSE}, unpack_q3_k},
    [SFU_Q4_K] = {"Q4_K", 256, 144, {256, 32, 4, 0, TRUE, TRUE}, unpack_q4_k},
    [SFU_Q5_K] = {"Q5_K", 256, 176, {256, 32, 5, 0, TRUE, TRUE}, unpack_q5_k},
    [SFU_Q6_K] = {"Q6_K", 256, 210, {256, 16, 6, 32, TRUE, FALSE}, unpack_q6_k},
    [SFU_IQ4_NL] = {"IQ4_NL", 32, 18, {32, 32, 8, 0, FALSE, FALSE}, unpack_iq4_nl},
    [SFU_IQ4_XS] = {"IQ4_XS", 256, 136, {256, 32, 8, 0, TRUE, FALSE}, unpack_iq4_xs},
};

size_t sfu_dtype_bytes(SfuDtype t)
{
    return (size_t)dtypes[t].bytes;
}
const char *sfu_dtype_name(SfuDtype t)
{
    return dtypes[t].name;
}
int sfu_dtype_block(SfuDtype t)
{
    return dtypes[t].values;
}

size_t sfu_dtype_size(SfuDtype t, gint64 n)
{
    return (size_t)((n + dtypes[t].values - 1) / dtypes[t].values) * (size_t)dtypes[t].bytes;
}

gboolean sfu_dtype_block_form(SfuDtype t, SfuBlockForm *form)
{
    *form = dtypes[t].form;
    return dtypes[t].unpack != NULL;
}

void sfu_dtype_unpack(SfuDtype t, const void *block, SfuBlock *u)
{
    u->m = 0;
    memset(u->scale, 1, sizeof u->scale);
    memset(u->min, 1, sizeof u->min);
    dtypes[t].unpack(block, u);
}

static void widen_block(SfuDtype t, const guint8 *block, float *out)
{
    const int group = dtypes[t].form.group;
    SfuBlock u;
    sfu_dtype_unpack(t, block, &u);
    const float d = sfu_half_to_float(u.d), m = sfu_half_to_float(u.m);
    for (int g = 0; g < dtypes[t].values / group; g++) {
        const float scale = d * (float)u.scale[g], min = m * (float)u.min[g];
        for (int i = g * group; i < (g + 1) * group; i++) {
            const float product = scale * (float)u.q[i];
            out[i] = product - min;
        }
    }
}

void sfu_dtype_widen(SfuDtype t, const void *from, gint64 first, gint64 n, float *out)
{
    const gint64 values = dtypes[t].values;
    const guint8 *p = (const guint8 *)from + first / values * dtypes[t].bytes;
    if (dtypes[t].widen) {
        dtypes[t].widen(p, n, out);
        return;
    }
    for (gint64 skip = first % values; n > 0; p += dtypes[t].bytes, skip = 0) {
        const gint64 take = MIN(n, values - skip);
        float whole[MOST_VALUES];
        if (take == values)
            widen_block(t, p, out);
        else {
            widen_block(t, p, whole);
            memcpy(out, whole + skip, sizeof *out * (size_t)take);
        }
        out += take;
        n -= take;
    }
}
