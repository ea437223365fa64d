/* Numbers into blocks: what `sfumato convert` writes. Q8_0, Q4_0 and Q5_0 round as the Python package gguf does, to the
 * bit; for Q4_K it offers nothing to compare with, and scale and minimum are fitted here by least squares. Copyright
 * (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/file.h"
#include "runtime/half.h"
#include <string.h>

static gboolean put_half(guint8 *to, float v)
{
    const guint16 h = sfu_half_from_float(v);
    to[0] = (guint8)h;
    to[1] = (guint8)(h >> 8);
    return fabsf(v) < 65520.0f; /* FALSE for NaN, too */
}

static gboolean quantize_q8_0(const float *v, guint8 *b)
{
    float most = 0;
    for (int i = 0; i < 32; i++)
        most = MAX(most, fabsf(v[i]));
    const float d = most / 127, inverse = d == 0 ? 0 : 1 / d;
    for (int i = 0; i < 32; i++)
        b[2 + i] = (guint8)(gint8)CLAMP(roundf(v[i] * inverse), -128.0f, 127.0f);
    return put_half(b, d);
}

/* The value of largest size becomes -half, exactly. q: 0 .. 2 half - 1. */
static float symmetric(const float *v, int half, guint8 *q)
{
    float most = 0, extreme = 0;
    for (int i = 0; i < 32; i++)
        if (fabsf(v[i]) > most) {
            most = fabsf(v[i]);
            extreme = v[i];
        }
    const float d = extreme / (float)-half, inverse = d == 0 ? 0 : 1 / d;
    for (int i = 0; i < 32; i++)
        q[i] = (guint8)CLAMP((int)(v[i] * inverse + ((float)half + 0.5f)), 0, 2 * half - 1);
    return d;
}

static gboolean quantize_q4_0(const float *v, guint8 *b)
{
    guint8 q[32];
    const float d = symmetric(v, 8, q);
    for (int i = 0; i < 16; i++)
        b[2 + i] = (guint8)(q[i] | q[i + 16] << 4);
    return put_half(b, d);
}

static gboolean quantize_q5_0(const float *v, guint8 *b)
{
    guint8 q[32];
    const float d = symmetric(v, 16, q);
    memset(b + 2, 0, 4);
    for (int i = 0; i < 32; i++)
        b[2 + i / 8] = (guint8)(b[2 + i / 8] | (q[i] >> 4) << i % 8);
    for (int i = 0; i < 16; i++)
        b[6 + i] = (guint8)((q[i] & 15) | (q[i + 16] & 15) << 4);
    return put_half(b, d);
}

/* scale, min >= 0 such that scale * q - min, q = 0..15, is near the 32 values: q from a guess, then both by least
 * squares, for a few guesses. */
static void fit_group(const float *v, float *scale, float *min)
{
    float low = 0, high = 0;
    for (int i = 0; i < 32; i++) {
        low = MIN(low, v[i]);
        high = MAX(high, v[i]);
    }
    *min = -low;
    *scale = (high - low) / 15;
    if (!(high > low))
        return;
    double least = G_MAXDOUBLE;
    for (int guess = 0; guess < 16; guess++) {
        const float inverse = (13.5f + 0.125f * (float)guess) / (high - low);
        double s1 = 0, s2 = 0, sx = 0, sqx = 0, error = 0;
        for (int i = 0; i < 32; i++) {
            const double q = (double)CLAMP(rintf((v[i] - low) * inverse), 0.0f, 15.0f), x = (double)v[i];
            s1 += q;
            s2 += q * q;
            sx += x;
            sqx += q * x;
        }
        const double det = 32 * s2 - s1 * s1;
        double a = det > 0 ? (32 * sqx - s1 * sx) / det : 0, c = det > 0 ? (s2 * sx - s1 * sqx) / det : 0;
        if (c > 0) { /* the format's minimum is never positive */
            c = 0;
            a = s2 > 0 ? sqx / s2 : 0;
        }
        if (!(a > 0))
            continue;
        for (int i = 0; i < 32; i++) {
            const double q = CLAMP(rint(((double)v[i] - c) / a), 0.0, 15.0), off = a * q + c - (double)v[i];
            error += off * off;
        }
        if (error < least) {
            least = error;
            *scale = (float)a;
            *min = (float)-c;
        }
    }
}

static gboolean quantize_q4_k(const float *v, guint8 *b)
{
    float scale[8], min[8], most_scale = 0, most_min = 0;
    int ls[8], lm[8];
    for (int g = 0; g < 8; g++) {
        fit_group(v + 32 * g, &scale[g], &min[g]);
        most_scale = MAX(most_scale, scale[g]);
        most_min = MAX(most_min, min[g]);
    }
    const gboolean ok = put_half(b, most_scale / 63) & put_half(b + 2, most_min / 63);
    const float d = sfu_half_to_float((guint16)(b[0] | b[1] << 8)),
                dmin = sfu_half_to_float((guint16)(b[2] | b[3] << 8));
    memset(b + 4, 0, 12);
    for (int g = 0; g < 8; g++) {
        ls[g] = d > 0 ? (int)CLAMP(rintf(scale[g] / d), 0.0f, 63.0f) : 0;
        lm[g] = dmin > 0 ? (int)CLAMP(rintf(min[g] / dmin), 0.0f, 63.0f) : 0;
        guint8 *s = b + 4 + g % 4;
        if (g < 4) {
            s[0] = (guint8)(s[0] | ls[g]);
            s[4] = (guint8)(s[4] | lm[g]);
        } else {
            s[0] = (guint8)(s[0] | (ls[g] >> 4) << 6);
            s[4] = (guint8)(s[4] | (lm[g] >> 4) << 6);
            s[8] = (guint8)((ls[g] & 15) | (lm[g] & 15) << 4);
        }
    }
    memset(b + 16, 0, 128);
    for (int i = 0; i < 256; i++) {
        const int g = i / 32;
        const float step = d * (float)ls[g], least = dmin * (float)lm[g];
        const int q = step > 0 ? (int)CLAMP(rintf((v[i] + least) / step), 0.0f, 15.0f) : 0;
        guint8 *at = b + 16 + i / 64 * 32 + i % 32;
        *at = (guint8)(*at | q << (g % 2 ? 4 : 0));
    }
    return ok;
}

gboolean sfu_quantize(SfuDtype type, const float *v, gint64 n, guint8 *out)
{
    gboolean ok = TRUE;
    for (gint64 i = 0; i < n; i++)
        ok &= isfinite(v[i]) != 0;
    for (gint64 i = 0; ok && i < n; i += sfu_dtype_block(type), out += sfu_dtype_bytes(type))
        switch (type) {
        case SFU_Q8_0:
            ok = quantize_q8_0(v + i, out);
            break;
        case SFU_Q4_0:
            ok = quantize_q4_0(v + i, out);
            break;
        case SFU_Q5_0:
            ok = quantize_q5_0(v + i, out);
            break;
        case SFU_Q4_K:
            ok = quantize_q4_k(v + i, out);
            break;
        default:
            ok = FALSE;
            break;
        }
    return ok;
}

guint8 sfu_e4m3_from_float(float v)
{
    const float a = fabsf(v);
    const guint8 sign = signbit(v) ? 128 : 0;
    if (isnan(v))
        return sign | 127;
    if (a >= 448)
        return sign | 126;
    if (a < 0x1p-6f) /* subnormal: multiples of 2^-9; 8 is the least normal number */
        return (guint8)(sign | (guint8)rintf(a * 512));
    const guint32 u = sfu_float_to_bits(a);
    return (guint8)(sign | ((u + 0x7ffff + (u >> 20 & 1) - (120u << 23)) >> 20));
}
