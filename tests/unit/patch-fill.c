/* Tests of the patch fill and the membrane: no device needed.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <malloc.h>
#include <math.h>
#include <string.h>
#include "fill/patch_level.h"

typedef float (*Texture)(int x, int y);

static float checks(int x, int y)
{
    return ((x / 12) ^ (y / 12)) & 1 ? 0.8f : 0.2f;
}

static float stripes(int x, int y)
{
    return 0.5f + 0.4f * sinf((float)(2 * G_PI) * (2 * x + 3 * y) / 40);
}

static float bricks(int x, int y)
{
    const int row = y / 16, in = (x + (row & 1) * 16) % 32;
    return y % 16 < 2 || in < 2 ? 0.75f : 0.35f;
}

static float grain(int x, int y)
{
    guint32 v = (guint32)x * 2654435761u ^ (guint32)y * 2246822519u;
    v = (v ^ (v >> 15)) * 2654435761u;
    return 0.3f + 0.4f * (v >> 8) / 16777216.0f;
}

/* Dark to light, with grain: a step of color would be seen. */
static float ramp(int x, int y)
{
    return 0.2f + 0.5f * x / 200 + 0.1f * (grain(x, y) - 0.5f);
}

/* [h, w, 3], channels of different strength. Caller frees. */
static float *picture(Texture texture, int w, int h)
{
    float *p = g_new(float, (gsize)w *h * 3);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++)
                p[3 * (y * w + x) + c] = texture(x, y) * (1 - 0.2f * c);
    return p;
}

static float *box(int w, int h, int x0, int y0, int bw, int bh)
{
    float *m = g_new0(float, (gsize)w *h);
    for (int y = MAX(0, y0); y < MIN(h, y0 + bh); y++)
        for (int x = MAX(0, x0); x < MIN(w, x0 + bw); x++)
            m[y * w + x] = 1;
    return m;
}

/* What was under the mask is not to be known to the fill. */
static void spoil(float *p, const float *mask, int n)
{
    for (int k = 0; k < n; k++)
        for (int c = 0; mask[k] > 0 && c < 3; c++)
            p[3 * k + c] = k & 1 ? NAN : 1000;
}

static float *smooth(const float *p, const float *mask, int w, int h)
{
    float *o = g_memdup2(p, (gsize)w * h * 3 * sizeof(float)), *known = g_new(float, (gsize)w *h);
    for (int k = 0; k < w * h; k++)
        known[k] = !(mask[k] > 0);
    g_assert_true(sfu_membrane(o, w, h, 3, 3, known));
    g_free(known);
    return o;
}

static double psnr(const float *a, const float *b, const float *mask, int n)
{
    double sum = 0;
    int count = 0;
    for (int k = 0; k < n; k++) {
        for (int c = 0; mask[k] > 0 && c < 3; c++) {
            sum += (a[3 * k + c] - b[3 * k + c]) * (a[3 * k + c] - b[3 * k + c]);
            count++;
        }
    }
    return -10 * log10(MAX(sum / count, 1e-12));
}

/* Known pixels bit for bit, the others finite and near the range of the rest (0..1). */
static void check(const float *made, const float *before, const float *mask, int n)
{
    for (int k = 0; k < n; k++) {
        if (!(mask[k] > 0))
            g_assert_cmpmem(made + 3 * k, 12, before + 3 * k, 12);
        for (int c = 0; c < 3; c++) {
            g_assert_cmpfloat(made[3 * k + c], >=, -0.5);
            g_assert_cmpfloat(made[3 * k + c], <=, 1.5);
        }
    }
}

static float *fill(const float *p, const float *mask, int w, int h, double thin, guint64 seed)
{
    float *o = g_memdup2(p, (gsize)w * h * 3 * sizeof(float));
    spoil(o, mask, w * h);
    g_assert_cmpint(sfu_patch_fill(o, w, h, mask, &(SfuPatchOptions){.thin_px = thin, .seed = seed}), ==,
                    SFU_PATCH_DONE);
    check(o, p, mask, w * h);
    return o;
}

/* A pattern that repeats can be continued exactly: only the phase must be found. Measured: 105 dB and more, which is
 * rounding in the seams' equation; one pixel off anywhere is below 50. */
static void test_patterns_are_continued(void)
{
    static const struct {
        Texture texture;
        double least; /* dB */
    } cases[] = {{checks, 60}, {stripes, 60}, {bricks, 60}};
    const int w = 200, h = 180;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        float *truth = picture(cases[i].texture, w, h), *mask = box(w, h, 70, 60, 56, 52);
        float *made = fill(truth, mask, w, h, 6, 1), *plain = smooth(truth, mask, w, h);
        const double good = psnr(made, truth, mask, w * h), poor = psnr(plain, truth, mask, w * h);
        g_test_message("pattern %u: %.1f dB, smooth %.1f dB", i, good, poor);
        g_assert_cmpfloat(good, >, cases[i].least);
        g_assert_cmpfloat(poor, <, 20);
        g_free(truth);
        g_free(mask);
        g_free(made);
        g_free(plain);
    }
}

/* Pickets, two rails, and a lawn. */
static float fence(int x, int y)
{
    const float g = 0.1f * (grain(x, y) - 0.5f);
    if (x % 26 < 12 && y > 70 && y < 230)
        return 0.88f + g;
    return abs(y - 110) < 6 || abs(y - 200) < 6 ? 0.74f + g : y > 180 ? 0.4f + g : 0.6f + g;
}

/* In a wall, a row of windows. */
static float windows(int x, int y)
{
    const int in = x % 90;
    return (in > 30 && in < 60 && y > 100 && y < 150 ? 0.15f : 0.6f) + 0.1f * (grain(x, y) - 0.5f);
}

/* The mean over a mask of how far p is from v. */
static double distance_from(const float *p, float v, const float *mask, int n)
{
    double sum = 0, count = 0;
    for (int k = 0; k < n; k++)
        if (mask[k] > 0) {
            sum += fabs(p[3 * k] - v);
            count++;
        }
    return sum / count;
}

/* The share of the targets that get a guess, and of these the share that is whole pickets away on the same height (or
 * just away from it, as the samples' differences may say). */
static void guesses(Texture texture, double *guessed, double *in_step)
{
    const int w = 360, h = 300;
    float *p = picture(texture, w, h), *mask = box(w, h, 150, 60, 70, 150), *known = g_new(float, w *h);
    Fill f = {.random = 1, .n_levels = 1};
    Level *l = &f.level[0];
    int n = 0, n_in_step = 0;
    g_assert_true(sfu_patch_level_init(l, w, h));
    for (int k = 0; k < w * h; k++) {
        memcpy(l->p + 4 * k, p + 3 * k, 12);
        l->state[k] = mask[k] > 0 ? HOLE : KNOWN;
        known[k] = !(mask[k] > 0);
    }
    g_assert_true(sfu_patch_level_texture(l, known, FALSE) && sfu_patch_level_list(l) && sfu_patch_prior(&f) &&
                  sfu_patch_repeat(&f));
    for (int k = 0; l->guess && k < l->n_targets; k++) {
        const int at = l->target[k], from = l->guess[at];
        if (from < 0)
            continue;
        g_assert_true(l->whole[from]);
        n++;
        n_in_step += abs(from % w - at % w) % 26 == 0 && abs(from / w - at / w) <= 1;
    }
    *guessed = (double)n / l->n_targets;
    *in_step = n ? (double)n_in_step / n : 0;
    sfu_patch_level_clear(l);
    g_free(f.dear);
    g_free(p);
    g_free(mask);
    g_free(known);
}

/* A fence repeats at whole pickets, grain nowhere. A window that is removed leaves the wall, though the next windows
 * would fit in its place. */
static void test_what_repeats(void)
{
    const int w = 480, h = 300;
    double guessed, in_step;
    guesses(fence, &guessed, &in_step);
    g_test_message("fence: %.2f guessed, %.2f of that in step", guessed, in_step);
    g_assert_cmpfloat(guessed, >, 0.95);
    g_assert_cmpfloat(in_step, >, 0.95);
    guesses(grain, &guessed, &in_step);
    g_test_message("grain: %.2f guessed", guessed);
    g_assert_cmpfloat(guessed, ==, 0);
    float *truth, *mask, *made;
    truth = picture(windows, w, h);
    mask = box(w, h, 200, 90, 50, 70);
    made = g_memdup2(truth, (gsize)w * h * 3 * sizeof(float));
    spoil(made, mask, w * h);
    const SfuPatchOptions removes = {.background = 1, .thin_px = 1, .seed = 1};
    g_assert_cmpint(sfu_patch_fill(made, w, h, mask, &removes), ==, SFU_PATCH_DONE);
    const double off = distance_from(made, 0.6f, mask, w * h);
    g_test_message("wall: %.3f from its mean", off);
    g_assert_cmpfloat(off, <, 0.05);
    g_free(truth);
    g_free(mask);
    g_free(made);
}

static float fence_beside_grain(int x, int y)
{
    return x < 130 ? fence(x, y) : grain(x, y);
}

/* What fresh memory holds has no say: here it did, in the costs of the coarsest level, where the guess is taken for one
 * half only before anything is measured. */
static void test_fresh_memory_has_no_say(void)
{
#ifdef M_PERTURB
    static const int bytes[] = {0, 0x55, 0xc0, 0xff}; /* zeros, and large and small numbers of both signs */
    const int w = 260, h = 240, n = w * h * 3 * (int)sizeof(float);
    float *p = picture(fence_beside_grain, w, h), *mask[] = {box(w, h, 30, 140, 200, 16), box(w, h, 60, 60, 130, 110)};
    for (guint m = 0; m < G_N_ELEMENTS(mask); m++) {
        float *first = NULL;
        for (guint k = 0; k < G_N_ELEMENTS(bytes); k++) {
            float *made = g_memdup2(p, (gsize)n);
            const SfuPatchOptions options = {.background = (float)m, .thin_px = 1, .seed = 1};
            mallopt(M_PERTURB, ~bytes[k] & 255);
            g_assert_cmpint(sfu_patch_fill(made, w, h, mask[m], &options), ==, SFU_PATCH_DONE);
            mallopt(M_PERTURB, 0);
            check(made, p, mask[m], w * h);
            if (first)
                g_assert_cmpmem(made, n, first, n);
            else
                first = g_memdup2(made, (gsize)n);
            g_free(made);
        }
        g_free(first);
        g_free(mask[m]);
    }
    g_free(p);
#else
    g_test_skip("this C library does not fill fresh memory");
#endif
}

/* Grain comes back as grain, of the same spread; a blur has next to none. */
static void test_grain_keeps_its_spread(void)
{
    const int w = 160, h = 160;
    float *truth = picture(grain, w, h), *mask = box(w, h, 50, 50, 60, 60), *made = fill(truth, mask, w, h, 6, 1);
    double s[2] = {0}, q[2] = {0}, n[2] = {0};
    for (int k = 0; k < w * h; k++) {
        const int in = mask[k] > 0;
        s[in] += made[3 * k];
        q[in] += (double)made[3 * k] * made[3 * k];
        n[in]++;
    }
    const double out_dev = sqrt(q[0] / n[0] - s[0] * s[0] / n[0] / n[0]),
                 in_dev = sqrt(q[1] / n[1] - s[1] * s[1] / n[1] / n[1]);
    g_test_message("deviation inside %.4f, outside %.4f", in_dev, out_dev);
    g_assert_cmpfloat_with_epsilon(s[1] / n[1], s[0] / n[0], 0.05);
    g_assert_cmpfloat(in_dev, >, 0.8 * out_dev);
    g_free(truth);
    g_free(mask);
    g_free(made);
}

/* Flecks of 4 x 3 pixels, a few of them bright; out of focus above, in focus below. */
static float meadow(int x, int y)
{
    const float v = (grain((x + 2 * (y / 3 % 2)) / 4, y / 3) - 0.3f) / 0.4f, clear = CLAMP((y - 50) / 60.0f, 0, 1);
    return 0.35f + clear * ((v > 0.92f ? 0.9f : 0.2f + 0.2f * v) - 0.35f) + 0.03f * sinf(x * 0.11f) * cosf(y * 0.07f);
}

/* Standard deviation of differences between neighbors in the rows y0 to y1, in the mask and beside it. */
static void spread(const float *p, const float *mask, int w, int y0, int y1, double *inside, double *outside)
{
    double q[2] = {0}, n[2] = {0};
    for (int y = y0; y < y1; y++)
        for (int x = 1; x < w; x++) {
            const int k = y * w + x, in = mask[k] > 0;
            if ((mask[k - 1] > 0) != in)
                continue;
            q[in] += (p[3 * k] - p[3 * k - 3]) * (p[3 * k] - p[3 * k - 3]);
            n[in]++;
        }
    *inside = sqrt(q[1] / n[1]);
    *outside = sqrt(q[0] / n[0]);
}

/* Smooth sources fit the mean of any texture; they must not spread from the part that is out of focus, neither in the
 * first fill nor in one that follows a guide without any texture. */
static void test_removing_keeps_texture(void)
{
    const int w = 300, h = 240;
    float *truth = picture(meadow, w, h), *mask = box(w, h, 90, 15, 110, 205), *guide = smooth(truth, mask, w, h);
    for (int guided = 0; guided < 2; guided++) {
        float *made = g_memdup2(truth, (gsize)w * h * 3 * sizeof(float));
        double inside, outside;
        const SfuPatchOptions options = {.background = 1, .guide = guided ? guide : NULL, .thin_px = 1, .seed = 1};
        spoil(made, mask, w * h);
        g_assert_cmpint(sfu_patch_fill(made, w, h, mask, &options), ==, SFU_PATCH_DONE);
        spread(made, mask, w, 120, 210, &inside, &outside);
        g_test_message("in focus: %.4f inside, %.4f outside", inside, outside);
        g_assert_cmpfloat(inside, >, 0.75 * outside);
        spread(made, mask, w, 20, 50, &inside, &outside);
        g_test_message("out of focus: %.4f inside, %.4f outside", inside, outside);
        g_assert_cmpfloat(inside, <, 3 * outside + 0.01);
        g_free(made);
    }
    g_free(truth);
    g_free(mask);
    g_free(guide);
}

static void test_no_step_of_colour_at_the_rim(void)
{
    const int w = 200, h = 160;
    float *truth = picture(ramp, w, h), *mask = box(w, h, 70, 50, 64, 60), *made = fill(truth, mask, w, h, 6, 3);
    /* Means of columns and of 60 pixels of grain (deviation 0.012): 0.0015; a patch from ten columns further would be
     * off by 0.025. */
    for (int x = 70; x < 134; x++) {
        double d = 0;
        for (int y = 50; y < 110; y++)
            d += made[3 * (y * w + x)] - truth[3 * (y * w + x)];
        g_assert_cmpfloat(fabs(d / 60), <, 0.03);
    }
    g_free(truth);
    g_free(mask);
    g_free(made);
}

static void test_seeds(void)
{
    const int w = 140, h = 120, n = w * h * 3 * (int)sizeof(float);
    float *truth = picture(grain, w, h), *mask = box(w, h, 40, 30, 50, 50);
    float *a = fill(truth, mask, w, h, 6, 5), *b = fill(truth, mask, w, h, 6, 5), *c = fill(truth, mask, w, h, 6, 6);
    g_assert_cmpmem(a, n, b, n);
    g_assert_cmpfloat(psnr(a, c, mask, w * h), <, 30); /* another fill, not the same but for rounding */
    g_free(truth);
    g_free(mask);
    g_free(a);
    g_free(b);
    g_free(c);
}

static void test_soft_mask_is_a_hole_where_it_is_not_zero(void)
{
    const int w = 120, h = 100;
    float *truth = picture(bricks, w, h), *hard = box(w, h, 30, 30, 40, 40),
          *soft = g_memdup2(hard, w * h * sizeof(float));
    for (int k = 0; k < w * h; k++)
        soft[k] *= 0.01f + (k % 7) / 7.0f;
    float *a = fill(truth, hard, w, h, 6, 1), *b = fill(truth, soft, w, h, 6, 1);
    g_assert_cmpmem(a, w * h * 12, b, w * h * 12);
    g_free(truth);
    g_free(hard);
    g_free(soft);
    g_free(a);
    g_free(b);
}

/* Strokes are the membrane's, bit for bit; a thick hole beside them is not. */
static void test_thin_strokes_stay_smooth(void)
{
    const int w = 200, h = 160;
    float *truth = picture(grain, w, h), *mask = box(w, h, 20, 20, 9, 120), *thick = box(w, h, 90, 40, 60, 60);
    for (int x = 0; x < w; x++) /* and one of a single pixel */
        mask[10 * w + x] = 1;
    float *a = fill(truth, mask, w, h, 6, 1), *plain = smooth(truth, mask, w, h);
    g_assert_cmpmem(a, w * h * 12, plain, w * h * 12);
    g_free(a);
    a = fill(truth, mask, w, h, 0, 1);
    g_assert_cmpfloat(psnr(a, plain, mask, w * h), <, 30);
    g_free(a);
    g_free(plain);
    for (int k = 0; k < w * h; k++)
        mask[k] = MAX(mask[k], thick[k]);
    a = fill(truth, mask, w, h, 6, 1);
    plain = smooth(truth, mask, w, h);
    g_assert_cmpmem(a + 3 * (60 * w + 20), 27 * 4, plain + 3 * (60 * w + 20), 27 * 4);
    g_assert_cmpfloat(psnr(a, plain, thick, w * h), <, 30);
    g_free(truth);
    g_free(mask);
    g_free(thick);
    g_free(a);
    g_free(plain);
}

/* Grain, two discs, and a line from side to side. The hole lies over the left disc and the line. */
static float scene(int x, int y)
{
    const int dx = x % 120 - 60, dy = y - 50;
    return y >= 75 && y < 78 ? 0.9f : dx * dx + dy * dy < 18 * 18 ? 0.75f : 0.1f + 0.2f * grain(x, y);
}

/* Removing shows what is behind: as sources, an object that stands out from what lies round the hole is dear; the same
 * kind of thing is not, nor is a line that goes through behind the hole; and the near is cheaper than the far. */
static void test_objects_are_dear_sources(void)
{
    const int w = 240, h = 130;
    float *p = picture(scene, w, h), *mask = box(w, h, 36, 26, 48, 58), *known = g_new(float, w *h);
    Fill f = {.random = 1, .background = 0.2f, .n_levels = 1};
    Level *l = &f.level[0];
    g_assert_true(sfu_patch_level_init(l, w, h));
    for (int k = 0; k < w * h; k++) {
        memcpy(l->p + 4 * k, p + 3 * k, 12);
        l->state[k] = mask[k] > 0 ? HOLE : KNOWN;
        known[k] = !(mask[k] > 0);
    }
    g_assert_true(sfu_patch_level_texture(l, known, FALSE));
    g_assert_true(sfu_patch_level_list(l));
    g_assert_true(sfu_patch_prior(&f));
    const float object = l->dear[50 * w + 180], grain_near = l->dear[50 * w + 95], grain_far = l->dear[20 * w + 235],
                line = l->dear[76 * w + 95];
    g_test_message("object %.3f, grain %.3f, far %.3f, line %.3f", object, grain_near, grain_far, line);
    g_assert_cmpfloat(grain_near, <, grain_far);
    g_assert_cmpfloat(line, <, 1.5 * grain_far); /* no dearer than ordinary things are somewhere */
    g_assert_cmpfloat(object, >, 2 * grain_far);
    sfu_patch_level_clear(l);
    g_free(f.dear);
    g_free(p);
    g_free(mask);
    g_free(known);
}

/* What is excluded has no say: with other pixels there the fill is the same, bit for bit, and without the exclusion it
 * is not. */
static void test_nothing_is_copied_from_what_is_excluded(void)
{
    const int w = 240, h = 140, n = w * h * 3 * (int)sizeof(float);
    float *a = picture(grain, w, h), *b = g_memdup2(a, (gsize)n), *mask = box(w, h, 40, 40, 50, 50),
          *excluded = box(w, h, 130, 0, 110, h);
    for (int y = 0; y < h; y++)
        for (int x = 138; x < w; x++) /* the first pixels tell the texture of their neighbors */
            for (int c = 0; c < 3; c++)
                b[3 * (y * w + x) + c] = 1 - b[3 * (y * w + x) + c];
    float *made_a = g_memdup2(a, (gsize)n), *made_b = g_memdup2(b, (gsize)n), *free_a = g_memdup2(a, (gsize)n),
          *free_b = g_memdup2(b, (gsize)n);
    const SfuPatchOptions without = {.background = 0.2f, .thin_px = 1, .seed = 4};
    SfuPatchOptions with = without;
    with.excluded = excluded;
    g_assert_cmpint(sfu_patch_fill(made_a, w, h, mask, &with), ==, SFU_PATCH_DONE);
    g_assert_cmpint(sfu_patch_fill(made_b, w, h, mask, &with), ==, SFU_PATCH_DONE);
    g_assert_cmpint(sfu_patch_fill(free_a, w, h, mask, &without), ==, SFU_PATCH_DONE);
    g_assert_cmpint(sfu_patch_fill(free_b, w, h, mask, &without), ==, SFU_PATCH_DONE);
    gboolean same = TRUE, same_free = TRUE;
    for (int k = 0; k < w * h; k++) {
        same = same && (mask[k] <= 0 || memcmp(made_a + 3 * k, made_b + 3 * k, 12) == 0);
        same_free = same_free && (mask[k] <= 0 || memcmp(free_a + 3 * k, free_b + 3 * k, 12) == 0);
    }
    g_assert_true(same);
    g_assert_false(same_free);
    check(made_a, a, mask, w * h);
    g_free(a);
    g_free(b);
    g_free(mask);
    g_free(excluded);
    g_free(made_a);
    g_free(made_b);
    g_free(free_a);
    g_free(free_b);
}

/* Dark grain on the left, light grain on the right. */
static float two_fields(int x, int y)
{
    return 0.3f * grain(x, y) + (x < 200 ? 0.1f : 0.6f);
}

/* The hole lies across both fields; a guide without any grain says which of them goes on in it. */
static void test_low_frequencies_follow_the_guide(void)
{
    const int w = 400, h = 200, n = w * h * 3 * (int)sizeof(float);
    float *p = picture(two_fields, w, h), *mask = box(w, h, 130, 40, 140, 120);
    for (int light = 0; light < 2; light++) {
        float *o = g_memdup2(p, (gsize)n), *guide = g_memdup2(p, (gsize)n);
        double sum = 0, squares = 0;
        const int count = 40 * 40;
        spoil(o, mask, w * h);
        for (int k = 0; k < w * h; k++)
            for (int c = 0; mask[k] > 0 && c < 3; c++)
                guide[3 * k + c] = (light ? 0.75f : 0.25f) * (1 - 0.2f * c);
        const SfuPatchOptions options = {.guide = guide, .thin_px = 1, .seed = 1};
        g_assert_cmpint(sfu_patch_fill(o, w, h, mask, &options), ==, SFU_PATCH_DONE);
        check(o, p, mask, w * h);
        for (int y = 80; y < 120; y++)
            for (int x = 180; x < 220; x++) {
                sum += o[3 * (y * w + x)];
                squares += o[3 * (y * w + x)] * o[3 * (y * w + x)];
            }
        g_assert_cmpfloat_with_epsilon(sum / count, light ? 0.75 : 0.25, 0.15);        /* the rim shines in */
        g_assert_cmpfloat(sqrt(squares / count - sum / count * sum / count), >, 0.02); /* grain: 0.035 */
        g_free(o);
        g_free(guide);
    }
    g_free(p);
    g_free(mask);
}

static void test_strange_holes(void)
{
    static const int sizes[][2] = {{1, 1}, {1, 50},  {50, 1},  {6, 6},   {7, 7},
                                   {8, 7}, {13, 40}, {40, 13}, {33, 31}, {64, 65}};
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const int w = sizes[i][0], h = sizes[i][1];
        float *truth = picture(grain, w, h);
        /* Nothing, one pixel, a corner, a side, all but a corner, all but one pixel, everything. */
        const int boxes[][4] = {{0, 0, 0, 0},         {w / 2, h / 2, 1, 1}, {0, 0, w / 2, h / 2}, {w - w / 3, 0, w, h},
                                {w / 4, h / 4, w, h}, {1, 0, w, h},         {0, 0, w, h}};
        for (guint b = 0; b < G_N_ELEMENTS(boxes); b++) {
            float *mask = box(w, h, boxes[b][0], boxes[b][1], boxes[b][2], boxes[b][3]);
            for (int thin = 0; thin <= 6; thin += 3) {
                float *made = fill(truth, mask, w, h, thin, b);
                if (b + 1 == G_N_ELEMENTS(boxes))
                    for (int k = 0; k < 3 * w * h; k++)
                        g_assert_cmpfloat(made[k], ==, 0.5f);
                g_free(made);
            }
            g_free(mask);
        }
        g_free(truth);
    }
}

/* A lattice of holes that leaves no 7 x 7 pixels whole: nothing to copy from. */
static void test_no_known_patch_is_filled_smoothly(void)
{
    const int w = 96, h = 90;
    float *truth = picture(grain, w, h), *mask = box(w, h, 20, 20, 40, 40);
    for (int k = 0; k < w * h; k++)
        if (k % w % 6 == 5 || k / w % 6 == 5)
            mask[k] = 1;
    float *made = fill(truth, mask, w, h, 0, 1), *plain = smooth(truth, mask, w, h);
    g_assert_cmpmem(made, w * h * 12, plain, w * h * 12);
    g_free(truth);
    g_free(mask);
    g_free(made);
    g_free(plain);
}

typedef struct {
    int calls, stop_at;
    double last;
} Count;

static gboolean count(double done, gpointer data)
{
    Count *c = data;
    g_assert_cmpfloat(done, >=, c->last);
    g_assert_cmpfloat(done, <=, 1);
    c->last = done;
    return ++c->calls != c->stop_at;
}

static void test_stops_when_told(void)
{
    const int w = 160, h = 160;
    float *truth = picture(grain, w, h), *mask = box(w, h, 50, 50, 60, 60), *made = g_memdup2(truth, w * h * 12);
    Count all = {0};
    SfuPatchOptions options = {.thin_px = 6, .seed = 1, .tick = count, .data = &all};
    g_assert_cmpint(sfu_patch_fill(made, w, h, mask, &options), ==, SFU_PATCH_DONE);
    g_assert_cmpint(all.calls, >, 100); /* of some 150 ms of work: never long between two */
    g_assert_cmpfloat(all.last, >, 0.95);
    for (int stop = 1; stop < all.calls; stop += all.calls / 9) {
        Count c = {.stop_at = stop};
        options.data = &c;
        memcpy(made, truth, w * h * 12);
        g_assert_cmpint(sfu_patch_fill(made, w, h, mask, &options), ==, SFU_PATCH_STOPPED);
        g_assert_cmpint(c.calls, ==, stop);
        g_assert_cmpmem(made, w * h * 12, truth, w * h * 12);
    }
    g_free(truth);
    g_free(mask);
    g_free(made);
}

/* A box of 40 x 40 in 64 x 64 and a scratch. Up to 6 px into the box and in all of the scratch what was made stays;
 * from 12 px on the fill is back; in between both mix. */
static void test_reach(void)
{
    enum { LONG = 64, FIRST = 12, END = 52 };
    float made[LONG * LONG * 3], fill[LONG * LONG * 3], mask[LONG * LONG] = {0};
    for (int k = 0; k < LONG * LONG; k++) {
        const int x = k % LONG, y = k / LONG;
        mask[k] = (x >= FIRST && x < END && y >= FIRST && y < END) || x == 4 ? 1 : 0;
        for (int c = 0; c < 3; c++) {
            fill[3 * k + c] = 0.25f;
            made[3 * k + c] = mask[k] > 0 ? 0.75f : 0.25f;
        }
    }
    g_assert_true(sfu_fill_reach(made, fill, mask, LONG, LONG, 6, 0));
    for (int k = 0; k < LONG * LONG; k++) {
        const int x = k % LONG, y = k / LONG, depth = MIN(MIN(x - FIRST, END - 1 - x), MIN(y - FIRST, END - 1 - y)) + 1;
        const float v = made[3 * k + 2];
        if (mask[k] == 0 || depth >= 13)
            g_assert_cmpfloat(v, ==, 0.25f);
        else if (x == 4 || depth <= 6)
            g_assert_cmpfloat_with_epsilon(v, 0.75, 1e-6);
        else /* straight steps of the chamfer count 0.955 */
            g_assert_cmpfloat_with_epsilon(v, 0.25 + 0.5 * CLAMP(2 - 0.955 * depth / 6, 0, 1), 1e-5);
    }
}

/* Deep inside, the color of what was made stays, and its detail goes. */
static void test_deep(void)
{
    enum { LONG = 96, FIRST = 12, END = 84 };
    float *made = g_new(float, LONG *LONG * 3), *fill = g_new(float, LONG *LONG * 3), *mask = g_new0(float, LONG *LONG);
    for (int k = 0; k < LONG * LONG; k++) {
        const int x = k % LONG, y = k / LONG;
        mask[k] = x >= FIRST && x < END && y >= FIRST && y < END;
        for (int c = 0; c < 3; c++) {
            fill[3 * k + c] = (float)((x * 7 + y * 5) % 11) / 11;
            made[3 * k + c] = fill[3 * k + c] + (mask[k] > 0 ? 0.25f + ((x ^ y) & 1 ? 0.2f : -0.2f) : 0);
        }
    }
    g_assert_true(sfu_fill_reach(made, fill, mask, LONG, LONG, 4, 8));
    for (int k = 0; k < LONG * LONG; k++) {
        const int x = k % LONG, y = k / LONG, depth = MIN(MIN(x - FIRST, END - 1 - x), MIN(y - FIRST, END - 1 - y)) + 1;
        const float change = made[3 * k + 1] - fill[3 * k + 1];
        if (mask[k] == 0)
            g_assert_cmpfloat(change, ==, 0);
        else if (depth >= 9)
            g_assert_cmpfloat_with_epsilon(change, 0.25, 2e-3);
        else if (depth <= 4)
            g_assert_cmpfloat_with_epsilon(change, 0.25 + ((x ^ y) & 1 ? 0.2 : -0.2), 1e-5);
    }
    g_free(made);
    g_free(fill);
    g_free(mask);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/patch-fill/patterns-are-continued", test_patterns_are_continued);
    g_test_add_func("/patch-fill/what-repeats", test_what_repeats);
    g_test_add_func("/patch-fill/fresh-memory-has-no-say", test_fresh_memory_has_no_say);
    g_test_add_func("/patch-fill/grain-keeps-its-spread", test_grain_keeps_its_spread);
    g_test_add_func("/patch-fill/removing-keeps-texture", test_removing_keeps_texture);
    g_test_add_func("/patch-fill/no-step-of-colour-at-the-rim", test_no_step_of_colour_at_the_rim);
    g_test_add_func("/patch-fill/seeds", test_seeds);
    g_test_add_func("/patch-fill/soft-mask-is-a-hole-where-it-is-not-zero",
                    test_soft_mask_is_a_hole_where_it_is_not_zero);
    g_test_add_func("/patch-fill/thin-strokes-stay-smooth", test_thin_strokes_stay_smooth);
    g_test_add_func("/patch-fill/objects-are-dear-sources", test_objects_are_dear_sources);
    g_test_add_func("/patch-fill/nothing-is-copied-from-what-is-excluded",
                    test_nothing_is_copied_from_what_is_excluded);
    g_test_add_func("/patch-fill/low-frequencies-follow-the-guide", test_low_frequencies_follow_the_guide);
    g_test_add_func("/patch-fill/strange-holes", test_strange_holes);
    g_test_add_func("/patch-fill/no-known-patch-is-filled-smoothly", test_no_known_patch_is_filled_smoothly);
    g_test_add_func("/patch-fill/reach", test_reach);
    g_test_add_func("/patch-fill/deep", test_deep);
    g_test_add_func("/patch-fill/stops-when-told", test_stops_when_told);
    return g_test_run();
}
