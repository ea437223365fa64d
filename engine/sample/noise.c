/* Noise: PyTorch's two generators (MT19937 on the CPU, Philox on CUDA) and a Brownian motion in sigma.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sample/sample.h"
#include <math.h>

#define MT_N 624
#define MT_M 397

/* One generator as PyTorch's CPUGeneratorImpl keeps it: MT19937 (Matsumoto & Nishimura 1998) and the second normal of
 * the last pair. */
typedef struct {
    guint32 mt[MT_N];
    int at;
    gboolean has_normal;
    double normal;
} Torch;

typedef struct {
    guint64 seed;
    guint64 offset; /* Philox: draws so far */
    Torch torch;
} Stream;

struct SfuNoise {
    SfuNoiseKind kind;
    int n_images, h, w, c;
    Stream *streams;
    float *chw; /* one draw, [c, h, w] */
};

/* ---- MT19937 --------------------------------------------------------------------------------------------------- */

static void torch_seed(Torch *t, guint64 seed)
{
    t->mt[0] = (guint32)seed; /* PyTorch uses the low 32 bits only */
    for (guint32 i = 1; i < MT_N; i++)
        t->mt[i] = 1812433253u * (t->mt[i - 1] ^ (t->mt[i - 1] >> 30)) + i;
    t->at = MT_N;
    t->has_normal = FALSE;
    t->normal = 0;
}

static guint32 torch_next(Torch *t)
{
    if (t->at == MT_N) {
        for (int i = 0; i < MT_N; i++) {
            const guint32 y = (t->mt[i] & 0x80000000u) | (t->mt[(i + 1) % MT_N] & 0x7fffffffu);
            t->mt[i] = t->mt[(i + MT_M) % MT_N] ^ (y >> 1) ^ ((y & 1) ? 0x9908b0dfu : 0);
        }
        t->at = 0;
    }
    guint32 y = t->mt[t->at++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

static double torch_double(Torch *t)
{
    const guint64 high = torch_next(t), low = torch_next(t); /* in this order */
    return (double)(((high << 32) | low) & ((G_GUINT64_CONSTANT(1) << 53) - 1)) * 0x1p-53;
}

static void torch_uniform(Torch *t, float *out, gint64 n)
{
    for (gint64 i = 0; i < n; i++)
        out[i] = (float)(torch_next(t) & 0xffffffu) * 0x1p-24f;
}

/* Box-Muller in place on 16 uniforms: the first eight are radii, the last eight angles. */
static void torch_normal_16(float *x)
{
    for (int j = 0; j < 8; j++) {
        const double radius = sqrt(-2.0 * log(1.0 - (double)x[j]));
        const double angle = 2.0 * G_PI * (double)x[j + 8];
        x[j] = (float)(radius * cos(angle));
        x[j + 8] = (float)(radius * sin(angle));
    }
}

static void torch_randn(Torch *t, float *out, gint64 n)
{
    /* Below 16 numbers PyTorch takes another path: doubles, one pair at a time, and the generator remembers the second.
     */
    if (n < 16) {
        for (gint64 i = 0; i < n; i++) {
            if (t->has_normal) {
                out[i] = (float)t->normal;
                t->has_normal = FALSE;
                continue;
            }
            const double u1 = torch_double(t), u2 = torch_double(t);
            const double radius = sqrt(-2.0 * log1p(-u2)), angle = 2.0 * G_PI * u1;
            t->normal = radius * sin(angle);
            t->has_normal = TRUE;
            out[i] = (float)(radius * cos(angle));
        }
        return;
    }
    torch_uniform(t, out, n);
    for (gint64 i = 0; i + 15 < n; i += 16)
        torch_normal_16(out + i);
    if (n % 16) { /* the last 16 are drawn anew, over what is there */
        torch_uniform(t, out + n - 16, 16);
        torch_normal_16(out + n - 16);
    }
}

/* ---- Philox 4x32-10: Salmon 2011 ------------------------------------------------------------------------------- */

static void philox(guint32 c[4], guint64 seed)
{
    guint32 k0 = (guint32)seed, k1 = (guint32)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const guint64 p0 = (guint64)0xd2511f53u * c[0], p1 = (guint64)0xcd9e8d57u * c[2];
        const guint32 x0 = (guint32)(p1 >> 32) ^ c[1] ^ k0, x2 = (guint32)(p0 >> 32) ^ c[3] ^ k1;
        c[0] = x0;
        c[1] = (guint32)p1;
        c[2] = x2;
        c[3] = (guint32)p0;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
}

/* cuRAND's Box-Muller, of whose two values PyTorch takes the first here; its constants are single precision. */
static double philox_normal(guint32 x, guint32 y)
{
    const double unit = (double)2.3283064e-10f, turn = (double)(2.3283064e-10f * 6.2831855f);
    const double u = x * unit + unit / 2, v = y * turn + turn / 2;
    return sqrt(-2.0 * log(u)) * sin(v);
}

/* Number i of a draw is the first normal of CUDA thread i; the counter's low word counts the draws. */
static void philox_randn(guint64 seed, guint64 offset, float *out, gint64 n)
{
    for (gint64 i = 0; i < n; i++) {
        guint32 c[4] = {(guint32)offset, (guint32)(offset >> 32), (guint32)i, (guint32)((guint64)i >> 32)};
        philox(c, seed);
        out[i] = (float)philox_normal(c[0], c[1]);
    }
}

void sfu_randn_at(int x, int y, int n, float *out)
{
    for (int i = 0; i < n; i++) {
        guint32 c[4] = {(guint32)x, (guint32)y, (guint32)i, 0};
        philox(c, 0);
        out[i] = (float)philox_normal(c[0], c[1]);
    }
}

/* ---- streams --------------------------------------------------------------------------------------------------- */

void sfu_randn(SfuNoiseKind kind, guint64 seed, gint64 n, float *out)
{
    if (kind == SFU_NOISE_PHILOX) {
        philox_randn(seed, 0, out, n);
        return;
    }
    Torch torch;
    torch_seed(&torch, seed);
    torch_randn(&torch, out, n);
}

SfuNoise *sfu_noise_new(SfuNoiseKind kind, const guint64 *seeds, int n_images, int h, int w, int c)
{
    SfuNoise *noise = g_new0(SfuNoise, 1);
    *noise = (SfuNoise){.kind = kind, .n_images = n_images, .h = h, .w = w, .c = c};
    noise->streams = g_new0(Stream, n_images);
    noise->chw = g_new(float, (gsize)h *w *c);
    for (int i = 0; i < n_images; i++) {
        noise->streams[i].seed = seeds[i];
        torch_seed(&noise->streams[i].torch, seeds[i]);
    }
    return noise;
}

void sfu_noise_free(SfuNoise *noise)
{
    if (!noise)
        return;
    g_free(noise->streams);
    g_free(noise->chw);
    g_free(noise);
}

void sfu_noise_next(SfuNoise *noise, float *out)
{
    const gint64 pixels = (gint64)noise->h * noise->w, n = pixels * noise->c;
    for (int image = 0; image < noise->n_images; image++, out += n) {
        Stream *s = &noise->streams[image];
        if (noise->kind == SFU_NOISE_PHILOX)
            philox_randn(s->seed, s->offset++, noise->chw, n);
        else
            torch_randn(&s->torch, noise->chw, n);
        for (int ch = 0; ch < noise->c; ch++)
            for (gint64 p = 0; p < pixels; p++)
                out[p * noise->c + ch] = noise->chw[ch * pixels + p];
    }
}

/* ---- Brownian motion ------------------------------------------------------------------------------------------- */

/* Each octave [2^k, 2^(k+1)) of sigma has its own increment, and within it W is refined by halving around t (Levy's
 * bridge). A node's normals are a function of seed, octave, node and element alone, so W is one fixed path however
 * often and in whatever order it is asked. */
#define BROWNIAN_LOW (-30) /* below is taken for 0; flow goes up to 1e6 */
#define BROWNIAN_HIGH 30
#define BROWNIAN_DEPTH 11        /* leaves of 0.05 % of sigma: finer than any two points that a sampler asks for */
#define BROWNIAN_TAG 0x42524f57u /* keeps these counters apart from the draws of sfu_noise_next */

/* Four normals of a node, for group `group` of four elements. Single precision: nothing outside compares with these. */
static void brownian_normals(guint64 seed, int octave, guint32 node, guint32 group, float z[4])
{
    guint32 c[4] = {node, (guint32)octave, group, BROWNIAN_TAG};
    philox(c, seed);
    for (int i = 0; i < 4; i += 2) {
        const float u = ((float)(c[i] >> 8) + 0.5f) * 0x1p-24f,
                    angle = (float)(c[i + 1] >> 8) * (float)(2 * G_PI * 0x1p-24);
        const float radius = sqrtf(-2 * logf(u));
        z[i] = radius * sinf(angle);
        z[i + 1] = radius * cosf(angle);
    }
}

/* w += sign * (W(t) - W(2^octave)) for t within the octave; t at its end: the whole increment. */
static void brownian_within(guint64 seed, int octave, guint32 group, double t, float sign, float w[4])
{
    double a = ldexp(1, octave), b = 2 * a;
    float wa[4] = {0}, wb[4], z[4];
    brownian_normals(seed, octave, 0, group, z);
    for (int i = 0; i < 4; i++)
        wb[i] = (float)sqrt(b - a) * z[i];
    guint32 node = 1; /* a heap's numbering: 2n and 2n + 1 below n */
    for (int depth = 0; depth < BROWNIAN_DEPTH && t < b; depth++) {
        const double mid = 0.5 * (a + b);
        const float deviation = 0.5f * (float)sqrt(b - a);
        brownian_normals(seed, octave, node, group, z);
        float *moved = t < mid ? wb : wa;
        for (int i = 0; i < 4; i++)
            moved[i] = 0.5f * (wa[i] + wb[i]) + deviation * z[i];
        node = 2 * node + (t >= mid);
        *(t < mid ? &b : &a) = mid;
    }
    const float f = (float)((t - a) / (b - a)), deviation = (float)sqrt((t - a) * (b - t) / (b - a));
    if (deviation > 0)
        brownian_normals(seed, octave, node, group, z);
    for (int i = 0; i < 4; i++)
        w[i] += sign * (wa[i] + f * (wb[i] - wa[i]) + deviation * z[i]);
}

static int octave_of(double t)
{
    int exponent;
    frexp(t, &exponent);
    return exponent - 1;
}

void sfu_noise_brownian(const SfuNoise *noise, double sigma, double sigma_next, float *out)
{
    const gint64 pixels = (gint64)noise->h * noise->w, n = pixels * noise->c;
    const double bottom = ldexp(1, BROWNIAN_LOW), top = ldexp(1, BROWNIAN_HIGH);
    const double high = CLAMP(MAX(sigma, sigma_next), bottom, top), low = CLAMP(MIN(sigma, sigma_next), bottom, top);
    const int first = octave_of(low), last = octave_of(high);
    const float scale = (float)(1.0 / sqrt(high - low));
    for (int image = 0; image < noise->n_images; image++, out += n)
        for (gint64 at = 0; at < n; at += 4) {
            const guint64 seed = noise->streams[image].seed;
            const guint32 group = (guint32)(at / 4);
            float w[4] = {0};
            for (int octave = first; octave < last; octave++)
                brownian_within(seed, octave, group, ldexp(2, octave), 1, w);
            brownian_within(seed, last, group, high, 1, w);
            brownian_within(seed, first, group, low, -1, w);
            for (gint64 i = at; i < MIN(at + 4, n); i++)
                out[i % pixels * noise->c + i / pixels] = scale * w[i - at];
        }
}
