/* Small floats on the host: IEEE binary16, bfloat16, and the two 8-bit formats of Micikevicius 2022 (arXiv 2209.05433).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_HALF_H
#define SFU_HALF_H

#include <glib.h>
#include <math.h>
#include <string.h>

static inline float sfu_bits_to_float(guint32 u)
{
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static inline guint32 sfu_float_to_bits(float f)
{
    guint32 u;
    memcpy(&u, &f, 4);
    return u;
}

static inline float sfu_half_to_float(guint16 h)
{
    const guint32 sign = (guint32)(h & 0x8000) << 16, e = (h >> 10) & 31, m = h & 1023;
    if (e == 0) /* zero and subnormal: m * 2^-24 */
        return sfu_bits_to_float(sign | sfu_float_to_bits((float)m * 5.9604644775390625e-8f));
    if (e == 31)
        return sfu_bits_to_float(sign | 0x7f800000 | m << 13);
    return sfu_bits_to_float(sign | (e + 112) << 23 | m << 13);
}

/* Round to nearest even. */
static inline guint16 sfu_half_from_float(float f)
{
    const guint32 u = sfu_float_to_bits(f), sign = (u >> 16) & 0x8000, a = u & 0x7fffffff;
    if (a >= 0x7f800000)
        return (guint16)(sign | (a > 0x7f800000 ? 0x7e00 : 0x7c00));
    if (a >= 0x477ff000)
        return (guint16)(sign | 0x7c00);
    if (a < 0x38800000) /* subnormal: adding 0.5 leaves the rounded mantissa in the low bits */
        return (guint16)(sign | (sfu_float_to_bits(sfu_bits_to_float(a) + 0.5f) - 0x3f000000));
    return (guint16)(sign | ((a + 0xfff + ((a >> 13) & 1) - 0x38000000) >> 13));
}

static inline float sfu_bf16_to_float(guint16 h)
{
    return sfu_bits_to_float((guint32)h << 16);
}

static inline guint16 sfu_bf16_from_float(float f)
{
    const guint32 u = sfu_float_to_bits(f);
    if ((u & 0x7fffffff) > 0x7f800000)
        return (guint16)(u >> 16 | 0x40);
    return (guint16)((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

static inline float sfu_e5m2_to_float(guint8 v)
{
    return sfu_half_to_float((guint16)(v << 8));
}

static inline float sfu_e4m3_to_float(guint8 v)
{
    const int e = (v >> 3) & 15, m = v & 7;
    const float a = e == 15 && m == 7 ? NAN
                    : e               ? sfu_bits_to_float((guint32)(e + 120) << 23 | (guint32)m << 20)
                                      : (float)m * 0x1p-9f;
    return v & 0x80 ? -a : a;
}

#endif
