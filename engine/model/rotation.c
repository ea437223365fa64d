/* Rotations of a weight's outputs or inputs. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "model/rotation.h"
#include "model/host_product.h"
#include <math.h>
#include <string.h>

/* ---- Cayley transforms ---- */

/* Row `row` of m [n, width] becomes that with the largest value in column `row`, of those from it on. */
static void pivot(double *m, gint64 n, gint64 width, gint64 row)
{
    gint64 best = row;
    for (gint64 i = row + 1; i < n; i++)
        if (fabs(m[i * width + row]) > fabs(m[best * width + row]))
            best = i;
    for (gint64 j = 0; best != row && j < width; j++) {
        const double x = m[row * width + j];
        m[row * width + j] = m[best * width + j];
        m[best * width + j] = x;
    }
}

/* I - q has an inverse for every skew-symmetric q, and commutes with I + q. */
static void cayley_exact(float *q, gint64 n)
{
    const gint64 width = 2 * n;
    double *m = g_new(double, n *width); /* [I - q, I + q], reduced to [I, the result] */
    for (gint64 i = 0; i < n; i++)
        for (gint64 j = 0; j < n; j++) {
            m[i * width + j] = (i == j) - (double)q[i * n + j];
            m[i * width + n + j] = (i == j) + (double)q[i * n + j];
        }
    for (gint64 r = 0; r < n; r++) {
        pivot(m, n, width, r);
        const double head = m[r * width + r];
        for (gint64 j = r; j < width; j++)
            m[r * width + j] /= head;
        for (gint64 i = 0; i < n; i++) {
            const double f = m[i * width + r];
            for (gint64 j = r; i != r && f != 0 && j < width; j++)
                m[i * width + j] -= f * m[r * width + j];
        }
    }
    for (gint64 i = 0; i < n; i++)
        for (gint64 j = 0; j < n; j++)
            q[i * n + j] = (float)m[i * width + n + j];
    g_free(m);
}

/* I + 2 q + 2 q^2 + .. + q^last, as PEFT ends it */
static void cayley_series(float *q, gint64 n, int terms)
{
    const gsize size = (gsize)(n * n);
    float *sum = g_new0(float, size), *power = g_memdup2(q, sizeof *q * size), *next = g_new(float, size);
    for (gint64 i = 0; i < n; i++)
        sum[i * n + i] = 1;
    const int last = terms < 3 ? terms - 1 : MAX(3, terms - 1);
    for (int k = 1; k <= last; k++) {
        const float factor = k < 3 || k < last ? 2 : 1;
        if (k > 1) {
            sfu_product(next, power, q, n, n, n, 1);
            memcpy(power, next, sizeof *q * size);
        }
        for (gsize i = 0; i < size; i++)
            sum[i] += factor * power[i];
    }
    memcpy(q, sum, sizeof *q * size);
    g_free(next);
    g_free(power);
    g_free(sum);
}

void sfu_cayley(float *q, gint64 n, int terms)
{
    if (terms > 0)
        cayley_series(q, n, terms);
    else
        cayley_exact(q, n);
}

/* ---- on weights ---- */

/* Block k of a stage as strength R + (1 - strength) I; caller frees. */
static float *weakened(const SfuDelta *d, gint64 stage, gint64 k, float strength)
{
    const gint64 b = d->block, size = b * b, n_blocks = sfu_weight_elements(d->a[0]) / (d->n_stages * size);
    float *r = g_new(float, size);
    sfu_weight_read_f32(d->a[0], (stage * n_blocks + k % n_blocks) * size, size, r);
    for (gint64 i = 0; i < size; i++)
        r[i] *= strength;
    for (gint64 i = 0; i < b; i++)
        r[i * b + i] += 1 - strength;
    return r;
}

/* The row that is at `place` of a stage's blocks: a butterfly's blocks hold the rows of the two halves of each
 * 2^stage blocks in turn. */
static gint64 row_at(const SfuDelta *d, int stage, gint64 place)
{
    const gint64 reach = (d->block << stage) / 2;
    return d->butterfly ? place / (2 * reach) * 2 * reach + place % 2 * reach + place / 2 % reach : place;
}

void sfu_rotate_outputs(const SfuDelta *d, gint64 first, gint64 n, float *v, float strength)
{
    const gint64 b = d->block, cols = d->in * d->taps;
    float *in = g_new(float, b *cols), *out = g_new(float, b *cols);
    for (int stage = 0; stage < d->n_stages; stage++)
        for (gint64 at = 0; at + b <= n; at += b) {
            float *r = weakened(d, stage, (first + at) / b, strength);
            for (gint64 i = 0; i < b; i++)
                memcpy(in + i * cols, v + row_at(d, stage, at + i) * cols, sizeof *v * (gsize)cols);
            sfu_product(out, r, in, b, b, cols, 1);
            for (gint64 i = 0; i < b; i++)
                memcpy(v + row_at(d, stage, at + i) * cols, out + i * cols, sizeof *v * (gsize)cols);
            g_free(r);
        }
    g_free(in);
    g_free(out);
    if (!d->b[0])
        return;
    float *f = g_new(float, n);
    sfu_weight_read_f32(d->b[0], first, n, f);
    for (gint64 o = 0; o < n; o++)
        for (gint64 k = 0; k < cols; k++)
            v[o * cols + k] *= f[o];
    g_free(f);
}

void sfu_rotate_inputs(const SfuDelta *d, gint64 n, float *v, float strength)
{
    const gint64 b = d->block;
    float *in = g_new(float, n *b), *out = g_new(float, n *b), *turned = g_new(float, b *b);
    for (gint64 k = 0; k < d->in / b; k++) {
        float *r = weakened(d, 0, k, strength);
        for (gint64 i = 0; i < b; i++)
            for (gint64 j = 0; j < b; j++)
                turned[j * b + i] = r[i * b + j];
        for (gint64 o = 0; o < n; o++)
            memcpy(in + o * b, v + o * d->in + k * b, sizeof *v * (gsize)b);
        sfu_product(out, in, turned, n, b, b, 1);
        for (gint64 o = 0; o < n; o++)
            memcpy(v + o * d->in + k * b, out + o * b, sizeof *v * (gsize)b);
        g_free(r);
    }
    g_free(turned);
    g_free(in);
    g_free(out);
}
