/* Tests of mask and crop geometry, filling, color match, resampling and compositing: no device needed.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>
#include "pipe/holes.h"
#include "region/region.h"
#include "sfumato.h"

static SfuRegionOptions options(int w, int h, SfuRect bounds)
{
    return (SfuRegionOptions){.canvas_w = w,
                              .canvas_h = h,
                              .bounds = bounds,
                              .grow = 4,
                              .feather = -1,
                              .padding = -1,
                              .context = -1,
                              .strength = 1,
                              .native_px = 512,
                              .max_px = 768,
                              .multiple = 8,
                              .refine = TRUE};
}

static gboolean inside(SfuRect a, SfuRect b)
{
    return a.x >= b.x && a.y >= b.y && a.x + a.w <= b.x + b.w && a.y + a.h <= b.y + b.h;
}

/* What must hold for any mask in any picture. */
static void check_region(const SfuRegion *r, const SfuRegionOptions *o)
{
    const SfuRect canvas = {0, 0, o->canvas_w, o->canvas_h};
    g_assert_true(inside(o->bounds, r->mask));
    g_assert_true(inside(r->mask, r->area));
    g_assert_true(inside(r->area, r->context));
    g_assert_true(inside(r->context, canvas));
    g_assert_cmpint(r->n_passes, >=, 1);
    for (int i = 0; i < r->n_passes; i++) {
        g_assert_cmpint(r->pass[i].w % o->multiple, ==, 0);
        g_assert_cmpint(r->pass[i].h % o->multiple, ==, 0);
        g_assert_cmpint(r->pass[i].w, >, 0);
        g_assert_cmpint(r->pass[i].h, >, 0);
    }
}

static void test_numbers_of_the_example(void)
{
    /* A 200 x 300 selection in a 3000 x 2000 picture: D = 360.6, feather 36, padding 22. */
    SfuRegionOptions o = options(3000, 2000, (SfuRect){1000, 800, 200, 300});
    SfuRegion r;
    sfu_region_plan(&r, &o);
    check_region(&r, &o);
    g_assert_cmpint(r.feather, ==, 36);
    g_assert_cmpint(r.padding, ==, 22);
    g_assert_cmpint(r.area.w, ==, 200 + 2 * (4 + 36 + 22));
    g_assert_cmpint(r.area.h, ==, 300 + 2 * (4 + 36 + 22));
    /* Wider by max(3000/16, 374/2) = 188 a side, less half of what it is too long. */
    g_assert_cmpint(r.context.w, ==, r.context.h);
    g_assert_cmpint(r.context.w, ==, 704);
    g_assert_cmpint(r.n_passes, ==, 2); /* 704^2 lies more than a tenth above 512 x 768 */
    g_assert_cmpint(r.pass[1].w, ==, 704);
    g_assert_cmpint(r.pass[0].w, <, 704);
}

static void test_small_mask_gets_context(void)
{
    SfuRegionOptions o = options(4000, 3000, (SfuRect){2000, 1500, 1, 1});
    SfuRegion r;
    sfu_region_plan(&r, &o);
    check_region(&r, &o);
    g_assert_cmpint(r.feather, ==, 32);
    g_assert_cmpint(r.context.w, >=, 512);
    g_assert_cmpint(r.context.h, >=, 512);
    g_assert_cmpint(r.n_passes, ==, 1);
    o.context = 64;
    sfu_region_plan(&r, &o);
    check_region(&r, &o);
    g_assert_cmpint(r.context.w, <, 128);
    g_assert_cmpint(r.pass[0].w, >=, 504); /* enlarged to what the model was made for */
    /* A small model works a small mask in one piece at full size too. */
    o.context = -1;
    o.bounds = (SfuRect){300, 300, 12, 9};
    o.canvas_w = o.canvas_h = 700;
    o.native_px = 256;
    o.max_px = 384;
    o.refine_step = 2;
    sfu_region_plan(&r, &o);
    check_region(&r, &o);
    g_assert_cmpint(r.n_passes, ==, 1);
    g_assert_cmpint(r.pass[0].w, ==, r.context.w);
    g_assert_cmpint(r.pass[0].h, ==, r.context.h);
}

static void test_context_is_shifted_inside(void)
{
    for (int corner = 0; corner < 4; corner++) {
        SfuRegionOptions o = options(1024, 1024, (SfuRect){corner & 1 ? 1014 : 0, corner & 2 ? 1014 : 0, 10, 10});
        SfuRegion r;
        sfu_region_plan(&r, &o);
        check_region(&r, &o);
        g_assert_cmpint(r.context.w, ==, 512);
        g_assert_cmpint(r.context.h, ==, 512);
        g_assert_cmpint(r.context.x, ==, corner & 1 ? 512 : 0);
        g_assert_cmpint(r.context.y, ==, corner & 2 ? 512 : 0);
    }
}

static void test_strange_pictures(void)
{
    static const struct {
        int w, h;
        SfuRect b;
    } cases[] = {{1, 1, {0, 0, 1, 1}},           {20000, 30, {0, 0, 20000, 30}},
                 {20000, 30, {15000, 10, 3, 3}}, {30, 20000, {0, 19990, 30, 10}},
                 {8, 8, {0, 0, 8, 8}},           {12000, 9000, {0, 0, 12000, 9000}},
                 {511, 513, {510, 0, 1, 513}},   {7, 3000, {3, 0, 1, 3000}}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (int native = 256; native <= 768; native += 256) {
            SfuRegionOptions o = options(cases[i].w, cases[i].h, cases[i].b);
            o.native_px = native;
            o.max_px = native * 3 / 2;
            o.refine_step = native == 256 ? 2 : 0;
            SfuRegion r;
            sfu_region_plan(&r, &o);
            check_region(&r, &o);
            /* The first pass is never beyond what a model can take in one piece, however long the strip. */
            g_assert_cmpint((gint64)r.pass[0].w * r.pass[0].h, <=, 2 * native * native * 3 / 2);
        }
    }
}

static void test_coarse_to_fine(void)
{
    SfuRegionOptions o = options(2048, 2048, (SfuRect){0, 0, 2048, 2048});
    o.native_px = 256;
    o.max_px = 384;
    o.refine_step = 2;
    SfuRegion r;
    sfu_region_plan(&r, &o);
    check_region(&r, &o);
    g_assert_cmpint(r.n_passes, ==, 4);
    for (int i = 1; i < r.n_passes; i++)
        g_assert_cmpfloat(r.pass[i].w / (double)r.pass[i - 1].w, <=, 2.3);
    g_assert_cmpint(r.pass[3].w, ==, 2048);
    o.refine = FALSE;
    sfu_region_plan(&r, &o);
    g_assert_cmpint(r.n_passes, ==, 1);
}

static void test_tiles_cover(void)
{
    for (int length = 1; length < 200; length += 7) {
        for (int tile = 8; tile <= 64; tile += 8) {
            int *s;
            const int n = sfu_tiles(length, tile, tile / 4, 1, &s);
            g_assert_cmpint(s[0], ==, 0);
            for (int i = 1; i < n; i++)
                g_assert_cmpint(s[i - 1] + tile - s[i], >=, tile / 4);
            g_assert_cmpint(s[n - 1] + tile, >=, length);
            if (length > tile)
                g_assert_cmpint(s[n - 1] + tile, ==, length);
            g_free(s);
        }
    }
}

/* ---- masks ------------------------------------------------------------------------------------------------------- */

static GeglBuffer *mask_buffer(int x, int y, int w, int h, float value)
{
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(x, y, w, h), babl_format("Y float"));
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++)
            gegl_buffer_set(b, GEGL_RECTANGLE(x + i, y + j, 1, 1), 0, babl_format("Y float"), &value,
                            GEGL_AUTO_ROWSTRIDE);
    return b;
}

static void test_bounds_on_any_nonzero_pixel(void)
{
    const SfuRect picture = {0, 0, 100, 80};
    SfuRect r;
    float max;
    GError *e = NULL;
    GeglBuffer *b = mask_buffer(90, -5, 30, 20, 1e-4f); /* partly outside, and faint */
    g_assert_true(sfu_mask_bounds(b, picture, &r, &max, &e));
    g_assert_cmpint(r.x, ==, 90);
    g_assert_cmpint(r.y, ==, 0);
    g_assert_cmpint(r.w, ==, 10);
    g_assert_cmpint(r.h, ==, 15);
    g_assert_cmpfloat(max, <, 0.001);
    g_object_unref(b);
    b = mask_buffer(0, 0, 10, 10, 0);
    g_assert_false(sfu_mask_bounds(b, picture, &r, &max, &e));
    g_assert_error(e, SFU_ERROR, SFU_ERROR_USAGE);
    g_clear_error(&e);
    g_object_unref(b);
    b = mask_buffer(200, 200, 10, 10, 1); /* wholly outside */
    g_assert_false(sfu_mask_bounds(b, picture, &r, &max, &e));
    g_assert_error(e, SFU_ERROR, SFU_ERROR_USAGE);
    g_clear_error(&e);
    g_object_unref(b);
}

static SfuImage *box(int w, int h, SfuRect r, float v)
{
    SfuImage *m = sfu_image_new(w, h, 1, NULL);
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            m->p[(gsize)y * w + x] = v;
    return m;
}

static void test_soft_edge_is_as_wide_as_it_says(void)
{
    static const int feathers[] = {0, 1, 2, 5, 32, 33, 61};
    for (guint f = 0; f < G_N_ELEMENTS(feathers); f++) {
        const int feather = feathers[f], grow = 4, w = 300, h = 280;
        const SfuRect r = {120, 110, 40, 30};
        SfuImage *m = box(w, h, r, 1);
        g_assert_true(sfu_mask_soften(m, grow, feather, NULL));
        float last = 1;
        for (int x = r.x + r.w - 1; x < w; x++) { /* to the right of the box, along its middle */
            const float v = m->p[(r.y + r.h / 2) * w + x];
            const int d = x - (r.x + r.w - 1);
            if (d <= grow)
                g_assert_cmpfloat(v, ==, 1.0f);
            if (d > grow + feather)
                g_assert_cmpfloat(v, ==, 0.0f);
            g_assert_cmpfloat(v, <=, last);
            if (feather > 8 && d > 0 && d <= grow + feather)
                g_assert_cmpfloat(last - v, <, 3.0 / feather); /* a ramp, not a step */
            last = v;
        }
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                const double dx = MAX(MAX(r.x - x, x - (r.x + r.w - 1)), 0),
                             dy = MAX(MAX(r.y - y, y - (r.y + r.h - 1)), 0);
                if (MAX(dx, dy) > grow + feather)
                    g_assert_cmpfloat(m->p[y * w + x], ==, 0.0f);
                if (hypot(dx, dy) <= grow * 0.9)
                    g_assert_cmpfloat(m->p[y * w + x], ==, 1.0f);
            }
        sfu_image_free(m);
    }
}

static void test_soft_masks_keep_their_values(void)
{
    SfuImage *m = box(64, 64, (SfuRect){0, 0, 64, 64}, 0.3f);
    g_assert_true(sfu_mask_soften(m, 4, 32, NULL));
    for (int k = 0; k < 64 * 64; k++)
        g_assert_cmpfloat_with_epsilon(m->p[k], 0.3f, 1e-4);
    sfu_image_free(m);
    m = box(64, 64, (SfuRect){10, 10, 3, 3}, 0.7f);
    SfuImage *c = sfu_image_copy(m, NULL);
    g_assert_true(sfu_mask_soften(m, 0, 0, NULL)); /* nothing asked for: bit for bit */
    g_assert_cmpmem(m->p, 64 * 64 * 4, c->p, 64 * 64 * 4);
    sfu_image_free(m);
    sfu_image_free(c);
}

static void test_mask_at_the_border_stays_full_there(void)
{
    SfuImage *m = box(100, 50, (SfuRect){0, 0, 30, 50}, 1);
    g_assert_true(sfu_mask_soften(m, 4, 32, NULL));
    for (int y = 0; y < 50; y++)
        for (int x = 0; x < 30; x++)
            g_assert_cmpfloat(m->p[y * 100 + x], ==, 1.0f);
    sfu_image_free(m);
    /* Narrower than the kernels. */
    static const int sizes[][2] = {{1, 1}, {1, 40}, {40, 1}, {2, 3}};
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        m = box(sizes[i][0], sizes[i][1], (SfuRect){0, 0, 1, 1}, 1);
        g_assert_true(sfu_mask_soften(m, 7, 40, NULL));
        g_assert_cmpfloat(m->p[0], ==, 1.0f);
        sfu_image_free(m);
    }
}

/* ---- filling and colors ----------------------------------------------------------------------------------------- */

static void test_fill_continues_a_gradient(void)
{
    const int w = 97, h = 83;
    SfuImage *i = sfu_image_new(w, h, 3, NULL), *known = sfu_image_new(w, h, 1, NULL);
    double worst = 0, step = 0;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const gboolean hole = x > 30 && x < 70 && y > 20 && y < 60;
            known->p[y * w + x] = !hole;
            for (int c = 0; c < 3; c++)
                i->p[(y * w + x) * 3 + c] = hole ? 99 : 0.2f + 0.006f * x - 0.002f * y + 0.05f * c;
        }
    g_assert_true(sfu_fill(i, 3, known, NULL));
    for (int y = 1; y < h; y++)
        for (int x = 1; x < w; x++) {
            const float v = i->p[(y * w + x) * 3];
            worst = MAX(worst, fabs(v - (0.2f + 0.006f * x - 0.002f * y)));
            step = MAX(step, fabs(v - i->p[(y * w + x - 1) * 3]));
        }
    g_assert_cmpfloat(worst, <, 0.03); /* a linear ramp solves Laplace's equation; the sweeps stop early */
    g_assert_cmpfloat(step, <, 0.03);  /* no edge anywhere */
    sfu_image_free(i);
    sfu_image_free(known);
}

static void test_fill_of_everything_is_gray(void)
{
    SfuImage *i = sfu_image_new(19, 5, 3, NULL), *known = sfu_image_new(19, 5, 1, NULL);
    g_assert_true(sfu_fill(i, 3, known, NULL));
    for (int k = 0; k < 19 * 5 * 3; k++)
        g_assert_cmpfloat_with_epsilon(i->p[k], 0.5f, 1e-6);
    sfu_image_free(i);
    sfu_image_free(known);
}

static void test_color_match_removes_a_step(void)
{
    const int w = 128, h = 96;
    SfuImage *original = sfu_image_new(w, h, 4, NULL), *made = sfu_image_new(w, h, 3, NULL);
    SfuImage *mask = box(w, h, (SfuRect){40, 30, 40, 40}, 1);
    g_assert_true(sfu_mask_soften(mask, 0, 16, NULL));
    for (int k = 0; k < w * h; k++)
        for (int c = 0; c < 3; c++) {
            original->p[k * 4 + c] = 0.4f + 0.1f * sinf(k % w * 0.1f);
            /* a cast that varies over the picture */
            made->p[k * 3 + c] = original->p[k * 4 + c] + 0.06f - 0.02f * c + 0.0004f * (k % w);
        }
    g_assert_true(sfu_color_match(made, original, mask, 8, NULL));
    for (int k = 0; k < w * h; k++)
        for (int c = 0; c < 3; c++)
            g_assert_cmpfloat(fabs(made->p[k * 3 + c] - original->p[k * 4 + c]), <, 0.012);
    /* A mask over everything leaves nothing to match with. */
    SfuImage *all = box(w, h, (SfuRect){0, 0, w, h}, 1), *before = sfu_image_copy(made, NULL);
    g_assert_true(sfu_color_match(made, original, all, 8, NULL));
    g_assert_cmpmem(made->p, w * h * 12, before->p, w * h * 12);
    sfu_image_free(all);
    sfu_image_free(before);
    sfu_image_free(original);
    sfu_image_free(made);
    sfu_image_free(mask);
}

/* A small tint all over goes; a picture that differs more, or in parts only, stays as it is. */
static void test_tint_match(void)
{
    SfuImage *original = sfu_image_new(64, 48, 3, NULL), *made = sfu_image_new(64, 48, 3, NULL);
    const struct {
        float gain, tint;
        int from; /* the first row that has the tint */
        gboolean goes;
    } k[] = {
        {1, 0.03f, 0, TRUE}, {1, -0.05f, 8, TRUE}, {1, 0.2f, 0, FALSE}, {0.5f, 0, 0, FALSE}, {1, 0.03f, 40, FALSE}};
    for (gsize i = 0; i < G_N_ELEMENTS(k); i++) {
        for (int at = 0; at < 64 * 48 * 3; at++) {
            original->p[at] = 0.5f + 0.3f * sinf(0.37f * at) * cosf(0.011f * at);
            made->p[at] =
                original->p[at] * k[i].gain + (at / (64 * 3) >= k[i].from ? k[i].tint : 0) + 0.005f * sinf(1.7f * at);
        }
        float before = made->p[64 * 3 * 44], last = original->p[64 * 3 * 44];
        sfu_tint_match(made, original);
        if (k[i].goes)
            g_assert_cmpfloat_with_epsilon(made->p[64 * 3 * 44], last, 0.008);
        else
            g_assert_cmpfloat(made->p[64 * 3 * 44], ==, before);
    }
    sfu_image_free(original);
    sfu_image_free(made);
}

static void test_no_fringe_under_alpha(void)
{
    SfuImage *i = sfu_image_new(32, 32, 4, NULL);
    for (int k = 0; k < 32 * 32; k++) {
        const gboolean opaque = k % 32 < 16;
        for (int c = 0; c < 4; c++)
            i->p[k * 4 + c] = opaque ? 1 : 0; /* white beside transparent black */
    }
    g_assert_true(sfu_extend_under_alpha(i, NULL));
    for (int k = 0; k < 32 * 32; k++)
        g_assert_cmpfloat_with_epsilon(i->p[k * 4], 1, 1e-4);
    g_assert_cmpfloat(i->p[31 * 4 + 3], ==, 0);
    sfu_image_free(i);
}

/* ---- resampling -------------------------------------------------------------------------------------------------- */

static void test_resampling_keeps_flat_and_linear(void)
{
    for (int k = SFU_RESAMPLE_AREA; k <= SFU_RESAMPLE_NEAREST; k++) {
        SfuImage *i = sfu_image_new(23, 17, 2, NULL);
        for (int j = 0; j < 23 * 17; j++) {
            i->p[j * 2] = 0.37f;
            i->p[j * 2 + 1] = j % 23;
        }
        static const int sizes[][2] = {{46, 51}, {7, 5}, {23, 100}, {1, 1}, {24, 16}};
        for (guint s = 0; s < G_N_ELEMENTS(sizes); s++) {
            const int w = sizes[s][0], h = sizes[s][1];
            SfuImage *o = sfu_image_resample(i, w, h, k, NULL);
            for (int j = 0; j < w * h; j++)
                g_assert_cmpfloat_with_epsilon(o->p[j * 2], 0.37f, 1e-5);
            /* a ramp keeps its slope away from the borders */
            for (int x = w / 3; k != SFU_RESAMPLE_NEAREST && k != SFU_RESAMPLE_AREA && w > 6 && x < w - w / 3; x++)
                g_assert_cmpfloat_with_epsilon(o->p[x * 2 + 1], (x + 0.5) * 23 / w - 0.5, 0.08);
            sfu_image_free(o);
        }
        sfu_image_free(i);
    }
}

static void test_resampling_in_parts_is_exact(void)
{
    SfuImage *i = sfu_image_new(61, 47, 3, NULL);
    for (int j = 0; j < 61 * 47 * 3; j++)
        i->p[j] = (j * 2654435761u >> 8 & 255) / 255.0f;
    for (int k = SFU_RESAMPLE_AREA; k <= SFU_RESAMPLE_NEAREST; k++) {
        static const int sizes[][2] = {{150, 111}, {20, 19}};
        for (guint s = 0; s < 2; s++) {
            const int w = sizes[s][0], h = sizes[s][1];
            SfuImage *whole = sfu_image_resample(i, w, h, k, NULL);
            for (int y = 0; y < h; y += 16) {
                const SfuScaling scaling = {61, 47, w, h, k};
                const SfuRect out = {5, y, w - 5, MIN(16, h - y)}, in = sfu_resample_reach(scaling, out);
                SfuImage *cut = sfu_image_crop(i, in, NULL),
                         *part = sfu_image_resample_part(cut, scaling, in, out, NULL);
                for (int row = 0; row < out.h; row++)
                    g_assert_cmpmem(part->p + row * out.w * 3, out.w * 12, whole->p + ((y + row) * w + 5) * 3,
                                    out.w * 12);
                sfu_image_free(cut);
                sfu_image_free(part);
            }
            sfu_image_free(whole);
        }
    }
    sfu_image_free(i);
}

/* Against torch.nn.functional.pad(x, (0, 3, 0, 2), "reflect"), and beyond the mirror image. */
static void test_padding_is_pytorchs(void)
{
    SfuImage *i = sfu_image_new(3, 2, 1, NULL);
    for (int k = 0; k < 6; k++)
        i->p[k] = k + 1;
    static const float mirror[] = {1, 2, 3, 2, 1, 1, 4, 5, 6, 5, 4, 4, 1, 2, 3, 2, 1, 1},
                       black[] = {1, 2, 3, 0, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    for (int m = 0; m < 2; m++) {
        SfuImage *o = sfu_image_pad(i, 6, 3, m, NULL);
        g_assert_cmpmem(o->p, sizeof mirror, m ? mirror : black, sizeof mirror);
        sfu_image_free(o);
    }
    sfu_image_free(i);
}

/* ---- compositing ------------------------------------------------------------------------------------------------- */

static void test_pixels_under_alpha_0_are_bit_identical(void)
{
    static const char *const formats[] = {"R'G'B' u8", "R'G'B'A u16",  "RGBA float", "Y' u8",
                                          "Y'A u16",   "R'G'B'A half", "RGB u32"};
    const int w = 40, h = 30;
    for (guint f = 0; f < G_N_ELEMENTS(formats); f++) {
        const Babl *format = babl_format(formats[f]), *space = babl_space("Apple");
        if (space)
            format = babl_format_with_space(formats[f], space);
        const int bpp = babl_format_get_bytes_per_pixel(format);
        guint8 *before = g_malloc(w * h * bpp), *after = g_malloc(w * h * bpp);
        GeglBuffer *picture = gegl_buffer_new(GEGL_RECTANGLE(3, -2, w, h), format);
        float *rgba = g_new(float, w *h * 4);
        for (int k = 0; k < w * h * 4; k++)
            rgba[k] = k % 4 == 3 ? (k / 4 % 3) / 2.0f : (k * 40503u >> 4 & 1023) / 1023.0f;
        gegl_buffer_set(picture, NULL, 0, babl_format("R'G'B'A float"), rgba, GEGL_AUTO_ROWSTRIDE);
        gegl_buffer_get(picture, NULL, 1, format, before, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        SfuResult r = {.masked = TRUE,
                       .picture = gegl_buffer_new(GEGL_RECTANGLE(10, 5, 50, 12), babl_format("R'G'B'A float"))};
        for (int y = 5; y < 17; y++)
            for (int x = 10; x < 60; x++) {
                const float px[4] = {1, 0, 0.5f, x < 20 ? 0 : x < 30 ? 0.5f : 1};
                gegl_buffer_set(r.picture, GEGL_RECTANGLE(x, y, 1, 1), 0, babl_format("R'G'B'A float"), px,
                                GEGL_AUTO_ROWSTRIDE);
            }
        GeglBuffer *out = sfu_result_composite(&r, picture);
        g_assert_true(gegl_buffer_get_format(out) == format);
        gegl_buffer_get(out, NULL, 1, format, after, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        int changed = 0;
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                const int px = x + 3, py = y - 2;
                const gboolean covered = px >= 20 && px < 60 && py >= 5 && py < 17;
                const gboolean same = memcmp(before + (y * w + x) * bpp, after + (y * w + x) * bpp, bpp) == 0;
                if (!covered)
                    g_assert_true(same);
                changed += !same;
            }
        g_assert_cmpint(changed, >, 200);
        g_object_unref(out);
        g_object_unref(picture);
        g_object_unref(r.picture);
        g_free(before);
        g_free(after);
        g_free(rgba);
    }
}

/* Smooth blobs, moved by (dx, dy); `seed` 0 and 1: other blobs. */
static SfuImage *scene(int w, int h, double dx, double dy, int seed)
{
    SfuImage *i = sfu_image_new(w, h, 3, NULL);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++) {
                double v = 0.5;
                for (int k = 0; k < 12; k++) {
                    const double bx = (k * 37 + seed * 53 + 11) % w, by = (k * 59 + seed * 31 + 7) % h,
                                 r = 4 + k % 5 * 2, d = hypot(x - dx - bx, y - dy - by);
                    v += (k % 2 ? 0.3 : -0.3) * (1 + 0.1 * c) / (1 + exp((d - r) * 1.5));
                }
                i->p[((gsize)y * w + x) * 3 + c] = (float)v;
            }
    return i;
}

static double mean_difference(const SfuImage *a, const SfuImage *b, int border)
{
    double sum = 0, n = 0;
    for (int y = border; y < a->h - border; y++)
        for (int x = border; x < a->w - border; x++, n++)
            sum += fabs(a->p[((gsize)y * a->w + x) * 3] - b->p[((gsize)y * a->w + x) * 3]);
    return sum / n;
}

/* A picture that was moved, recolored and changed in a quarter is found where it lies, and moved back. */
static void test_moved_picture_is_moved_back(void)
{
    static const double shifts[][2] = {{3, -2}, {-5, 4}, {1.5, 0.5}, {-0.6, 2.4}, {0, 7}};
    SfuImage *like = scene(160, 120, 0, 0, 0), *other = scene(160, 120, 0, 0, 1);
    for (gsize k = 0; k < G_N_ELEMENTS(shifts); k++) {
        SfuImage *made = scene(160, 120, shifts[k][0], shifts[k][1], 0);
        double dx, dy;
        for (int y = 0; y < 60; y++)
            memcpy(made->p + (gsize)y * 160 * 3, other->p + (gsize)y * 160 * 3, 80 * 3 * sizeof(float));
        for (gsize i = 0; i < (gsize)160 * 120 * 3; i++)
            made->p[i] = made->p[i] * 0.9f + 0.05f;
        g_assert_true(sfu_find_shift(made, like, NULL, &dx, &dy, NULL));
        g_assert_cmpfloat_with_epsilon(dx, shifts[k][0], 0.25);
        g_assert_cmpfloat_with_epsilon(dy, shifts[k][1], 0.25);
        sfu_image_free(made);
        made = scene(160, 120, shifts[k][0], shifts[k][1], 0);
        const double before = mean_difference(made, like, 10);
        g_assert_true(sfu_shift_back(made, shifts[k][0], shifts[k][1], NULL));
        g_assert_cmpfloat(mean_difference(made, like, 10), <, before / 20);
        sfu_image_free(made);
    }
    sfu_image_free(like);
    sfu_image_free(other);
}

/* Nothing is moved that lies where it should, that is another picture, or that is flat or tiny. */
static void test_other_pictures_are_not_moved(void)
{
    SfuImage *like = scene(160, 120, 0, 0, 0),
             *made[] = {scene(160, 120, 0.1, 0, 0), scene(160, 120, 0, 0, 1), sfu_image_new(160, 120, 3, NULL)};
    double dx, dy;
    for (gsize k = 0; k < G_N_ELEMENTS(made); k++) {
        g_assert_true(sfu_find_shift(made[k], like, NULL, &dx, &dy, NULL));
        g_assert_true(dx == 0 && dy == 0);
        sfu_image_free(made[k]);
    }
    sfu_image_free(like);
    SfuImage *dot = sfu_image_new(1, 1, 3, NULL);
    g_assert_true(sfu_find_shift(dot, dot, NULL, &dx, &dy, NULL) && dx == 0 && dy == 0);
    sfu_image_free(dot);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gegl_init(NULL, NULL);
    g_test_add_func("/region/numbers-of-the-example", test_numbers_of_the_example);
    g_test_add_func("/region/small-mask-gets-context", test_small_mask_gets_context);
    g_test_add_func("/region/context-is-shifted-inside", test_context_is_shifted_inside);
    g_test_add_func("/region/strange-pictures", test_strange_pictures);
    g_test_add_func("/region/coarse-to-fine", test_coarse_to_fine);
    g_test_add_func("/region/tiles-cover", test_tiles_cover);
    g_test_add_func("/mask/bounds-on-any-nonzero-pixel", test_bounds_on_any_nonzero_pixel);
    g_test_add_func("/mask/soft-edge-is-as-wide-as-it-says", test_soft_edge_is_as_wide_as_it_says);
    g_test_add_func("/mask/soft-masks-keep-their-values", test_soft_masks_keep_their_values);
    g_test_add_func("/mask/full-at-the-border", test_mask_at_the_border_stays_full_there);
    g_test_add_func("/fill/continues-a-gradient", test_fill_continues_a_gradient);
    g_test_add_func("/fill/everything-is-gray", test_fill_of_everything_is_gray);
    g_test_add_func("/fill/color-match-removes-a-step", test_color_match_removes_a_step);
    g_test_add_func("/fill/tint-match", test_tint_match);
    g_test_add_func("/fill/no-fringe-under-alpha", test_no_fringe_under_alpha);
    g_test_add_func("/image/resampling-keeps-flat-and-linear", test_resampling_keeps_flat_and_linear);
    g_test_add_func("/image/resampling-in-parts-is-exact", test_resampling_in_parts_is_exact);
    g_test_add_func("/image/padding-is-pytorchs", test_padding_is_pytorchs);
    g_test_add_func("/align/moved-picture-is-moved-back", test_moved_picture_is_moved_back);
    g_test_add_func("/align/other-pictures-are-not-moved", test_other_pictures_are_not_moved);
    g_test_add_func("/composite/bit-identical-under-alpha-0", test_pixels_under_alpha_0_are_bit_identical);
    const int rc = g_test_run();
    gegl_exit();
    return rc;
}
