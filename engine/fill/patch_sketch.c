/* Patch fill: the first guess. See patch_level.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fill/patch_level.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Weight of what is not filled yet: at 0 anything may be grown, at 1 only the smooth fill. */
#define GUESS 0.1f
#define EDGE 0.05f /* urgency of a rim pixel without any edge */
/* Dearness at which a rim pixel counts half: an object that touches the hole must not grow into it. */
#define FOREIGN 0.01f
#define CHUNK 2 /* pixels copied to each side at once */

static float brightness(const float *p)
{
    return p[0] + p[1] + p[2];
}

/* Criminisi, Perez & Toyama 2004, eq. 1: how much of the patch at a pixel on the rim is known for sure, times how
 * strong an edge runs into the hole there (the strongest of the patch). sure [h, w]: 0 where the hole is still open. */
static float urgency(const Level *l, const float *sure, int at)
{
    const int w = l->w, x = at % w, y = at / w;
    const int x0 = MAX(0, x - R), x1 = MIN(w - 2, x + R), y0 = MAX(0, y - R), y1 = MIN(l->h - 2, y + R);
    float sum = 0, gx = 0, gy = 0, most = 0;
    for (int j = y0; j <= y1; j++) {
        for (int i = x0; i <= x1; i++) {
            const int k = j * w + i;
            sum += sure[k];
            if (sure[k] <= 0 || sure[k + 1] <= 0 || sure[k + w] <= 0)
                continue;
            const float v = brightness(l->p + 4 * k), dx = brightness(l->p + 4 * (k + 1)) - v,
                        dy = brightness(l->p + 4 * (k + w)) - v;
            if (dx * dx + dy * dy > most) {
                most = dx * dx + dy * dy;
                gx = dx;
                gy = dy;
            }
        }
    }
    float nx = 0, ny = 0; /* out of the hole */
    for (int j = MAX(0, y - 1); j <= MIN(l->h - 1, y + 1); j++) {
        for (int i = MAX(0, x - 1); i <= MIN(w - 1, x + 1); i++) {
            const float open = sure[j * w + i] <= 0;
            nx -= open * (i - x);
            ny -= open * (j - y);
        }
    }
    const float length = sqrtf(nx * nx + ny * ny);
    return sum / (SIDE * SIDE) * (EDGE + (length > 0 ? fabsf(-gy * nx + gx * ny) / length : 0));
}

/* How much a pixel of the target counts: what was known before by its likeness to the surroundings, what was filled
 * since 1, what is open little, unless a guide says what it is. */
static float known_share(const Level *l, const float *sure, int at)
{
    return sure[at] <= 0 ? (l->low ? 1 : GUESS) : l->state[at] == HOLE ? 1 : MAX(GUESS, sure[at]);
}

/* The source patch nearest to the patch at a target, what is open in it compared with the smooth guess and counted
 * less. */
static int nearest(Fill *f, const Level *l, const float *sure, int target, int tries)
{
    float best = INFINITY, weight[SIDE * SIDE];
    int found = l->source[0];
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++)
            weight[j * SIDE + i] = known_share(l, sure, target + (j - R) * l->w + i - R);
    for (int t = 0; t < tries; t++) {
        const int s = l->source[tries < l->n_sources ? sfu_patch_random(f, l->n_sources) : t];
        const float *p = l->p + 4 * (target - R * l->w - R), *q = l->p + 4 * (s - R * l->w - R);
        float sum = sfu_patch_own_cost(l, target, s);
        for (int j = 0; j < SIDE && sum < best; j++) {
            float row[4] = {0};
            for (int i = 0; i < SIDE; i++)
                for (int c = 0; c < 4; c++)
                    row[c] += weight[j * SIDE + i] * (p[4 * i + c] - q[4 * i + c]) * (p[4 * i + c] - q[4 * i + c]);
            sum += (row[0] + row[1]) + (row[2] + row[3]);
            p += 4 * l->w;
            q += 4 * l->w;
        }
        if (sum < best) {
            best = sum;
            found = s;
        }
    }
    return found;
}

/* What the first guess keeps beside the level. */
typedef struct {
    float *sure;   /* [h, w] 0 where the hole is still open */
    float *urgent; /* [h, w] of open pixels; below 0: to be measured */
    int *open;     /* [n_open] pixels, those filled meanwhile among them */
    int n_open;
} Sketch;

static gboolean is_rim(const Level *l, const float *sure, int at)
{
    const int w = l->w, x = at % w, y = at / w;
    return (x > 0 && sure[at - 1] > 0) || (x < w - 1 && sure[at + 1] > 0) || (y > 0 && sure[at - w] > 0) ||
           (y < l->h - 1 && sure[at + w] > 0);
}

/* The most urgent open pixel; drops from `open` what is filled. < 0: none is open. */
static int most_urgent(const Level *l, Sketch *k)
{
    int at = k->open[0], left = 0;
    float most = -1;
    for (int i = 0; i < k->n_open; i++) {
        const int o = k->open[i];
        if (k->sure[o] > 0)
            continue;
        k->open[left++] = o;
        if (k->urgent[o] < 0)
            k->urgent[o] = is_rim(l, k->sure, o) ? urgency(l, k->sure, o) : 0;
        if (k->urgent[o] > most) {
            most = k->urgent[o];
            at = o;
        }
    }
    k->n_open = left;
    return left > 0 ? at : -1;
}

/* Copies what is open near pixel (x, y) from the patch at `source` to that at `middle`, (mx, my). */
static void copy_chunk(Level *l, float *sure, int x, int y, int mx, int my, int source)
{
    const int w = l->w, middle = my * w + mx;
    float trust = 0;
    for (int j = -R; j <= R; j++)
        for (int i = -R; i <= R; i++)
            trust += sure[middle + j * w + i];
    trust = MAX(trust / (SIDE * SIDE), 1e-6f);
    for (int j = -R; j <= R; j++) {
        for (int i = -R; i <= R; i++) {
            const int to = middle + j * w + i, from = source + j * w + i;
            if (sure[to] > 0 || abs(my + j - y) > CHUNK || abs(mx + i - x) > CHUNK)
                continue;
            memcpy(l->p + 4 * (gsize)to, l->p + 4 * (gsize)from, 4 * sizeof(float));
            sure[to] = trust;
            if (l->from[to] >= 0 && l->whole[from])
                l->from[to] = from;
        }
    }
}

/* First guess on the coarsest level: patch by patch from the rim inwards, edges first (Criminisi et al. 2004). */
gboolean sfu_patch_sketch(Fill *f, Level *l, SfuPatchEnd *end)
{
    const int w = l->w, h = l->h;
    const gsize n = (gsize)w * h;
    Sketch k = {g_try_new(float, n), g_try_new0(float, n), g_try_new(int, n)};
    gboolean ok = k.sure && k.urgent && k.open;
    *end = ok ? SFU_PATCH_STOPPED : SFU_PATCH_NO_MEMORY;
    for (gsize i = 0; ok && i < n; i++) {
        k.sure[i] = l->state[i] == HOLE ? 0 : 1 / (1 + MAX(0, f->dear[i]) / FOREIGN);
        if (k.sure[i] <= 0) {
            k.open[k.n_open++] = (int)i;
            k.urgent[i] = -1;
        }
    }
    const int tries = (int)MIN(l->n_sources, MAX(1000, 4000000.0 / MAX(1, k.n_open)));
    for (int at; ok && k.n_open > 0 && (at = most_urgent(l, &k)) >= 0; ok = sfu_patch_go_on(f, 0)) {
        const int x = at % w, y = at / w, mx = CLAMP(x, R, w - 1 - R), my = CLAMP(y, R, h - 1 - R);
        copy_chunk(l, k.sure, x, y, mx, my, nearest(f, l, k.sure, my * w + mx, tries));
        for (int j = MAX(0, y - 2 * R); j <= MIN(h - 1, y + 2 * R); j++)
            for (int i = MAX(0, x - 2 * R); i <= MIN(w - 1, x + 2 * R); i++)
                k.urgent[j * w + i] = -1;
    }
    g_free(k.sure);
    g_free(k.urgent);
    g_free(k.open);
    return ok;
}
