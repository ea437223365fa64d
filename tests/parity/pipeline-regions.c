/* What pipelines change and what they leave: masks, excluded areas, large regions, outpainting, enlarging in tiles,
 * seamless pictures. On the small models of pipelines.json.gz.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>
#include <glib/gstdio.h>

#include "small_models.h"
#include "pipe/pipe.h"
#include "scene.h"
#include "sfumato.h"

static SfuEngine *engine;
static char *dir;

/* ---- masks and pictures ---- */

static void test_only_the_feathered_mask_changes(void)
{
    static const char *const formats[] = {"R'G'B' u8", "R'G'B'A u16", "RGBA float", "Y' u8"};
    static const char *const models[] = {"mini", "sd1", "sd1-inpaint", "mini"};
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        GeglBuffer *in = scene_picture(-10, 20, 200, 180, formats[i]), *m = scene_mask(50, 90, 20, 30, 1);
        SfuParams *p = scene_params(models[i], "feather 12 grow 3 sampler euler");
        GPtrArray *r = scene_run(engine, SFU_TASK_INPAINT, p, in, m);
        scene_check_only_changes(scene_first(r), in, (GeglRectangle){50 - 15, 90 - 15, 20 + 30, 30 + 30});
        if (i == 3) { /* gray stays gray */
            gint64 n;
            float *px = parity_pixels(scene_first(r)->picture, &n);
            for (gint64 k = 0; k < n; k += 4) {
                g_assert_cmpfloat(px[k], ==, px[k + 1]);
                g_assert_cmpfloat(px[k], ==, px[k + 2]);
            }
            g_free(px);
        }
        g_ptr_array_unref(r);
        sfu_params_free(p);
        g_object_unref(in);
        g_object_unref(m);
    }
}

/* What stands under the mask to begin with shows in the result, and is the same for the same seed. */
static void test_masked_content_by_patches(void)
{
    GeglBuffer *in = scene_picture(0, 0, 200, 180, "R'G'B' u8"), *m = scene_mask(60, 50, 70, 60, 1);
    SfuParams *p = scene_params("sd1", "masked_content patch strength 0.5 steps 4 sampler euler seed 5 feather 8");
    SfuParams *q = scene_params("sd1", "masked_content fill strength 0.5 steps 4 sampler euler seed 5 feather 8");
    GPtrArray *a = scene_run(engine, SFU_TASK_INPAINT, p, in, m), *b = scene_run(engine, SFU_TASK_INPAINT, p, in, m);
    GPtrArray *c = scene_run(engine, SFU_TASK_INPAINT, q, in, m);
    scene_check_only_changes(scene_first(a), in, (GeglRectangle){60 - 12, 50 - 12, 70 + 24, 60 + 24});
    g_assert_cmpfloat(scene_difference(scene_first(a)->picture, scene_first(b)->picture), <, 1e-6);
    g_assert_cmpfloat(scene_difference(scene_first(a)->picture, scene_first(c)->picture), >, 1e-4);
    g_ptr_array_unref(a);
    g_ptr_array_unref(b);
    g_ptr_array_unref(c);
    sfu_params_free(p);
    sfu_params_free(q);
    g_object_unref(in);
    g_object_unref(m);
}

/* What is to be replaced leaves no trace, at whatever size the network works: other pixels there make the same picture,
 * bit for bit; except where they are asked for. */
static void test_nothing_is_taken_from_under_the_mask(void)
{
    static const struct {
        const char *model, *values;
        gboolean seen;
    } cases[] = {{"mini", "feather 0", FALSE},
                 {"mini", "feather 0 background 1", FALSE},
                 {"sd1-inpaint", "feather 0 strength 1", FALSE},
                 {"sd1", "feather 0 masked_content fill strength 0.6", FALSE},
                 {"sd1", "feather 0 masked_content patch strength 0.6", FALSE},
                 {"sd1", "feather 0 masked_content original strength 0.6", TRUE}};
    static const GeglRectangle holes[] = {{70, 60, 170, 130}, {100, 90, 14, 11}}; /* made smaller, and larger */
    GeglColor *red = gegl_color_new("red");
    for (guint k = 0; k < G_N_ELEMENTS(holes); k++) {
        const GeglRectangle hole = holes[k];
        GeglBuffer *in = scene_picture(0, 0, 320, 250, "R'G'B' u8"), *other = gegl_buffer_dup(in),
                   *m = scene_mask(hole.x, hole.y, hole.width, hole.height, 1);
        gegl_buffer_set_color(other, &hole, red);
        for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
            SfuParams *p = scene_params(cases[i].model, cases[i].values);
            GPtrArray *a = scene_run(engine, SFU_TASK_INPAINT, p, in, m),
                      *b = scene_run(engine, SFU_TASK_INPAINT, p, other, m);
            const double d = scene_difference(scene_first(a)->picture, scene_first(b)->picture);
            g_test_message("%s, %s, a hole %d wide: %g", cases[i].model, cases[i].values, hole.width, d);
            g_assert_true(cases[i].seen ? d > 0 : d == 0);
            g_ptr_array_unref(a);
            g_ptr_array_unref(b);
            sfu_params_free(p);
        }
        g_object_unref(in);
        g_object_unref(other);
        g_object_unref(m);
    }
    g_object_unref(red);
}

static void test_strange_pictures_and_masks(void)
{
    static const struct {
        int w, h, mx, my, mw, mh;
        float value;
    } cases[] = {{1, 1, 0, 0, 1, 1, 1},           {3000, 6, 100, 2, 3, 2, 1},     {6, 900, 0, 0, 6, 900, 1},
                 {64, 64, -20, -20, 200, 200, 1}, {150, 150, 140, 140, 90, 9, 1}, {90, 70, 30, 30, 1, 1, 1},
                 {128, 128, 10, 10, 50, 50, 0.2f}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (int k = 0; k < 2; k++) {
            GeglBuffer *in = scene_picture(0, 0, cases[i].w, cases[i].h, "R'G'B'A u8");
            GeglBuffer *m = scene_mask(cases[i].mx, cases[i].my, cases[i].mw, cases[i].mh, cases[i].value);
            SfuParams *p = scene_params(k ? "sd1" : "mini", "steps 2 sampler euler");
            GPtrArray *r = scene_run(engine, SFU_TASK_INPAINT, p, in, m);
            gint64 n;
            g_free(parity_pixels(scene_first(r)->picture, &n));
            g_ptr_array_unref(r);
            sfu_params_free(p);
            g_object_unref(in);
            g_object_unref(m);
        }
    }
}
/* ---- excluded areas ---- */

static GPtrArray *fill_without(const char *model, const char *values, GeglBuffer *in, GeglBuffer *m, GeglBuffer * not )
{
    GError *error = NULL;
    SfuParams *p = scene_params(model, values);
    const SfuJob job = {.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m, .exclude = not };
    GPtrArray *r = sfu_engine_run(engine, &job, &error);
    g_assert_no_error(error);
    sfu_params_free(p);
    return r;
}

/* Other pixels in the excluded area make the same picture, bit for bit; without the exclusion they make another. */
static void test_nothing_is_taken_from_an_excluded_area(void)
{
    static const char *const models[][2] = {
        {"mini", "feather 4"}, {"sd1-inpaint", "feather 4"}, {"sd1", "feather 4 masked_content patch"}};
    const GeglRectangle there = {60, 0, 40, 96};
    GeglBuffer *in = scene_picture(0, 0, 128, 96, "R'G'B'A float"), *other = gegl_buffer_dup(in),
               *m = scene_mask(16, 32, 24, 24, 1), *not = scene_mask(there.x, there.y, there.width, there.height, 1);
    GeglColor *red = gegl_color_new("red");
    gegl_buffer_set_color(other, &there, red);
    for (gsize i = 0; i < G_N_ELEMENTS(models); i++) {
        GPtrArray *a = fill_without(models[i][0], models[i][1], in, m, not ),
                  *b = fill_without(models[i][0], models[i][1], other, m, not ),
                  *c = fill_without(models[i][0], models[i][1], other, m, NULL);
        g_test_message("%s: %g with, %g without", models[i][0],
                       scene_difference(scene_first(a)->picture, scene_first(b)->picture),
                       scene_difference(scene_first(a)->picture, scene_first(c)->picture));
        g_assert_cmpfloat(scene_difference(scene_first(a)->picture, scene_first(b)->picture), ==, 0);
        g_assert_cmpfloat(scene_difference(scene_first(a)->picture, scene_first(c)->picture), >, 0);
        scene_check_only_changes(scene_first(a), in, (GeglRectangle){6, 22, 44, 44});
        g_ptr_array_unref(a);
        g_ptr_array_unref(b);
        g_ptr_array_unref(c);
    }
    GeglBuffer *all = scene_mask(0, 0, 128, 96, 1);
    SfuParams *p = scene_params("mini", "feather 4");
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m, .exclude = all},
                SFU_ERROR_USAGE);
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_IMG2IMG, .params = p, .picture = in, .mask = m, .exclude = not },
                SFU_ERROR_USAGE);
    sfu_params_free(p);
    g_object_unref(red);
    g_object_unref(in);
    g_object_unref(other);
    g_object_unref(m);
    g_object_unref(not );
    g_object_unref(all);
}

static void test_large_regions_are_refined(void)
{
    /* Twice what the model composes in one piece: a coarse picture first, then the same in detail. */
    SceneWatch t = {0};
    SfuParams *words = scene_params("sd1", "sampler euler width 336 height 320 steps 5");
    const SfuJob large = {.task = SFU_TASK_TXT2IMG, .params = words, .progress = scene_on_progress, .data = &t};
    GPtrArray *made = sfu_engine_run(engine, &large, NULL);
    g_assert_nonnull(made);
    g_assert_cmpint(gegl_buffer_get_width(scene_first(made)->picture), ==, 336);
    g_assert_cmpint(gegl_buffer_get_height(scene_first(made)->picture), ==, 320);
    g_assert_cmpint(t.n_denoise, >, 7);
    g_ptr_array_unref(made);
    sfu_params_free(words);

    GeglBuffer *in = scene_picture(0, 0, 420, 400, "R'G'B' u8"), *m = scene_mask(20, 20, 370, 350, 1);
    for (int refine = 0; refine < 2; refine++) {
        SceneWatch w = {0};
        SfuParams *p = scene_params("mini", refine ? "refine true steps 5" : "refine false steps 5");
        const SfuJob job = {
            .task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m, .progress = scene_on_progress, .data = &w};
        GPtrArray *r = sfu_engine_run(engine, &job, NULL);
        g_assert_nonnull(r);
        if (refine)
            g_assert_cmpint(w.n_denoise, >, 9); /* finer passes, in tiles */
        else
            g_assert_cmpint(w.n_denoise, ==, 5);
        g_ptr_array_unref(r);
        sfu_params_free(p);
    }
    g_object_unref(in);
    g_object_unref(m);
}

/* Pixel (x, y) of "R'G'B'A float". */
static void pixel(GeglBuffer *b, int x, int y, float *px)
{
    gegl_buffer_get(b, GEGL_RECTANGLE(x, y, 1, 1), 1, babl_format("R'G'B'A float"), px, GEGL_AUTO_ROWSTRIDE,
                    GEGL_ABYSS_NONE);
}

static void test_outpaint(void)
{
    GeglBuffer *in = scene_picture(0, 0, 120, 100, "R'G'B'A float");
    SfuParams *p = scene_params("mini", "left 40 bottom 24 feather 8 grow 2");
    GPtrArray *r = scene_run(engine, SFU_TASK_OUTPAINT, p, in, NULL);
    GeglBuffer *out = scene_first(r)->picture;
    g_assert_true(gegl_rectangle_equal(gegl_buffer_get_extent(out), GEGL_RECTANGLE(-40, 0, 160, 124)));
    for (int y = 0; y < 124; y += 3)
        for (int x = -40; x < 120; x += 3) {
            float a[4], b[4];
            pixel(out, x, y, a);
            pixel(in, x, y, b);
            g_assert_cmpfloat(a[3], ==, 1);
            if (x >= 10 && y < 100 - 10)
                g_assert_cmpmem(a, sizeof a, b, sizeof b);
        }
    g_ptr_array_unref(r);
    sfu_params_free(p);
    p = scene_params("mini", "");
    const SfuJob job = {.task = SFU_TASK_OUTPAINT, .params = p, .picture = in};
    scene_fails(engine, &job, SFU_ERROR_USAGE);
    sfu_params_free(p);
    g_object_unref(in);
}

/* Tiles without anything to repaint are not computed. */
static void test_nothing_is_spent_on_what_stays(void)
{
    GeglBuffer *in = scene_picture(0, 0, 384, 384, "R'G'B' u8"), *all = scene_mask(0, 0, 384, 384, 1),
               *edge = scene_mask(0, 0, 384, 384, 0);
    GeglBuffer *corner = scene_mask(0, 0, 20, 20, 1), *other = scene_mask(364, 364, 20, 20, 1);
    gegl_buffer_copy(corner, NULL, GEGL_ABYSS_NONE, edge, GEGL_RECTANGLE(0, 0, 20, 20));
    gegl_buffer_copy(other, gegl_buffer_get_extent(other), GEGL_ABYSS_NONE, edge, GEGL_RECTANGLE(364, 364, 20, 20));
    int n[2];
    for (int i = 0; i < 2; i++) {
        SceneWatch w = {0};
        SfuParams *p = scene_params("mini", "steps 5 feather 4 grow 0 working_size 384 tile 96");
        const SfuJob job = {.task = SFU_TASK_INPAINT,
                            .params = p,
                            .picture = in,
                            .mask = i ? edge : all,
                            .progress = scene_on_progress,
                            .data = &w};
        GPtrArray *r = sfu_engine_run(engine, &job, NULL);
        g_assert_nonnull(r);
        if (i)
            scene_check_only_changes(scene_first(r), in, (GeglRectangle){0, 0, 384, 384});
        n[i] = w.n_denoise;
        g_ptr_array_unref(r);
        sfu_params_free(p);
    }
    g_assert_cmpint(n[1] * 3, <, n[0]);
    g_object_unref(in);
    g_object_unref(all);
    g_object_unref(edge);
    g_object_unref(corner);
    g_object_unref(other);
}

static void test_soft_mask_changes_by_its_own_strength(void)
{
    GeglBuffer *in = scene_picture(0, 0, 128, 128, "R'G'B' float");
    double change[3];
    for (int i = 0; i < 3; i++) {
        GeglBuffer *m = scene_mask(0, 0, 128, 128, i == 0 ? 0.15f : i == 1 ? 0.5f : 1);
        SfuParams *p =
            scene_params("sd1", "sampler euler steps 10 masked_content original grow 0 feather 0 color_match false");
        GPtrArray *r = scene_run(engine, SFU_TASK_INPAINT, p, in, m);
        gint64 n;
        float *a = parity_pixels(scene_first(r)->picture, &n), *b = parity_pixels(in, &n);
        change[i] = 0;
        for (gint64 k = 0; k < n; k++)
            change[i] += k % 4 < 3 ? fabsf(a[k] - b[k]) : 0;
        g_free(a);
        g_free(b);
        g_ptr_array_unref(r);
        sfu_params_free(p);
        g_object_unref(m);
    }
    g_assert_cmpfloat(change[0], <, change[1]);
    g_assert_cmpfloat(change[1], <, change[2]);
    g_object_unref(in);
}

/* ---- enlarging ---- */

static void test_enlarging(void)
{
    static const struct {
        const char *model, *scale, *format;
        int w, h;
    } cases[] = {{"mini", "1.7", "R'G'B'A u8", 68, 51},
                 {"mini", "5", "Y' u16", 200, 150},
                 {"sd1", "3", "R'G'B' u8", 120, 90},
                 {"x4", "2", "R'G'B'A float", 80, 60},
                 {"mini", "0.5", "R'G'B' u8", 20, 15}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GeglBuffer *in = scene_picture(3, 4, 40, 30, cases[i].format);
        SfuParams *p = scene_params(cases[i].model, "steps 3 sampler euler");
        sfu_params_set(p, "scale", cases[i].scale, NULL);
        GPtrArray *r = scene_run(engine, SFU_TASK_UPSCALE, p, in, NULL);
        const GeglRectangle *e = gegl_buffer_get_extent(scene_first(r)->picture);
        g_assert_true(gegl_rectangle_equal(e, GEGL_RECTANGLE(3, 4, cases[i].w, cases[i].h)));
        GeglBuffer *own = sfu_result_composite(scene_first(r), in);
        g_assert_true(gegl_buffer_get_format(own) == gegl_buffer_get_format(in));
        gint64 n;
        float *px = parity_pixels(scene_first(r)->picture, &n);
        for (gint64 k = 0; k < n; k += 4) {
            g_assert_cmpfloat(px[k + 3], ==, 1); /* not nearly: files would get an alpha channel */
            if (cases[i].format[0] == 'Y')
                g_assert_true(px[k] == px[k + 1] && px[k] == px[k + 2]);
        }
        g_free(px);
        g_object_unref(own);
        g_ptr_array_unref(r);
        sfu_params_free(p);
        g_object_unref(in);
    }
}

/* The largest mean step between neighbouring columns or rows: a seam would stand out. */
static double worst_step(GeglBuffer *b)
{
    const GeglRectangle *e = gegl_buffer_get_extent(b);
    gint64 n;
    float *p = parity_pixels(b, &n);
    double worst = 0;
    for (int x = 1; x < e->width; x++) {
        double sum = 0;
        for (int y = 0; y < e->height; y++)
            sum += fabs(p[(y * e->width + x) * 4] - p[(y * e->width + x - 1) * 4]);
        worst = MAX(worst, sum / e->height);
    }
    for (int y = 1; y < e->height; y++) {
        double sum = 0;
        for (int x = 0; x < e->width; x++)
            sum += fabs(p[(y * e->width + x) * 4] - p[((y - 1) * e->width + x) * 4]);
        worst = MAX(worst, sum / e->width);
    }
    g_free(p);
    return worst;
}

static void test_tiles_leave_no_seam(void)
{
    GeglBuffer *in = scene_picture(0, 0, 96, 80, "R'G'B' u8");
    SfuParams *p = scene_params("mini", "scale 2 steps 1"), *q = scene_params("mini", "scale 2 steps 1 tile 96");
    GPtrArray *whole = scene_run(engine, SFU_TASK_UPSCALE, p, in, NULL),
              *tiled = scene_run(engine, SFU_TASK_UPSCALE, q, in, NULL);
    const double a = worst_step(scene_first(whole)->picture), b = worst_step(scene_first(tiled)->picture);
    /* What a random network paints differs with the tiles' contexts; but nowhere may there be an edge that the whole
     * has not. */
    g_test_message("tiled differs by %.3f; largest step %.4f, of the whole %.4f",
                   scene_difference(scene_first(whole)->picture, scene_first(tiled)->picture), b, a);
    g_assert_cmpfloat(scene_difference(scene_first(whole)->picture, scene_first(tiled)->picture), >, 0);
    g_assert_cmpfloat(b, <, 1.5 * a);
    g_ptr_array_unref(whole);
    g_ptr_array_unref(tiled);
    sfu_params_free(p);
    sfu_params_free(q);
    g_object_unref(in);
}

/* ---- seamless ---- */

#define SEAMLESS_SIDE 24 /* latent pixels */

/* The picture of a noise that is moved round by dx, dy latent pixels. */
static GeglBuffer *of_moved_noise(SfuEngine *e, SfuParams *p, int dx, int dy)
{
    const int s = SEAMLESS_SIDE, c = 4;
    char *path = g_build_filename(dir, "noise.safetensors", NULL);
    float *x = parity_input("seamless", s * s * c, 0.5f), *y = g_new(float, s *s *c);
    for (int j = 0; j < s; j++)
        for (int i = 0; i < s; i++)
            memcpy(y + ((j + dy) % s * s + (i + dx) % s) * c, x + (j * s + i) * c, c * sizeof(float));
    GError *error = NULL;
    g_assert_true(sfu_tensorfile_write(path, "noise", y, (SfuShape){1, s, s, c}, &error));
    const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p, .noise_file = path};
    GPtrArray *r = sfu_engine_run(e, &job, &error);
    g_assert_no_error(error);
    GeglBuffer *b = g_object_ref(scene_first(r)->picture);
    g_ptr_array_unref(r);
    g_remove(path);
    g_free(path);
    g_free(x);
    g_free(y);
    return b;
}

/* Moves the noise; how far the picture is from one that moved with it. */
static double moves_along(SfuEngine *e, SfuParams *p, int dx, int dy)
{
    const int side = SEAMLESS_SIDE * 8;
    GeglBuffer *still = of_moved_noise(e, p, 0, 0), *moved = of_moved_noise(e, p, dx, dy);
    gint64 n;
    float *a = parity_pixels(still, &n), *b = parity_pixels(moved, &n), *want = g_new(float, n);
    g_assert_cmpint(n, ==, side * side * 4);
    for (int j = 0; j < side; j++)
        for (int i = 0; i < side; i++)
            memcpy(want + ((j + 8 * dy) % side * side + (i + 8 * dx) % side) * 4, a + (j * side + i) * 4,
                   4 * sizeof(float));
    const double d = parity_error(b, want, n);
    g_object_unref(still);
    g_object_unref(moved);
    g_free(a);
    g_free(b);
    g_free(want);
    return d;
}

static void test_seamless_pictures_move_with_their_noise(void)
{
    const struct {
        const char *values;
        int dx, dy; /* whole pixels of the UNet's lowest level */
        gboolean moves;
    } cases[] = {{"seamless xy", 8, 16, TRUE},          {"seamless x", 8, 0, TRUE},  {"seamless x", 0, 8, FALSE},
                 {"seamless y", 0, 16, TRUE},           {"seamless y", 8, 0, FALSE}, {"seamless none", 8, 0, FALSE},
                 {"seamless xy tile 128", 12, 12, TRUE} /* by whole tiles, of which there are two per row */};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *values = g_strdup_printf("%s sampler euler steps 2 width 192 height 192", cases[i].values);
        SfuParams *p = scene_params("sd1", values);
        const double d = moves_along(engine, p, cases[i].dx, cases[i].dy);
        g_test_message("%s by %d, %d: %.2g", cases[i].values, cases[i].dx, cases[i].dy, d);
        if (cases[i].moves) /* rounding only: sums in another order */
            g_assert_cmpfloat(d, <, 2e-5);
        else
            g_assert_cmpfloat(d, >, 1e-3);
        sfu_params_free(p);
        g_free(values);
    }
}

/* The decoder's bands wrap round, too. */
static void test_seamless_in_little_memory(void)
{
    const SfuEngineOptions small = {.precision = "fp32", .memory_bytes = 12 * 1024 * 1024};
    GError *error = NULL;
    SfuEngine *other = sfu_engine_new(&small, &error);
    g_assert_no_error(error);
    SfuParams *p = scene_params("sd1", "sampler euler steps 2 width 192 height 192 seamless xy");
    GeglBuffer *whole = of_moved_noise(engine, p, 0, 0), *lean = of_moved_noise(other, p, 0, 0);
    const double d = moves_along(other, p, 8, 16), change = scene_difference(whole, lean);
    g_test_message("moves to %.2g, differs from the whole by %.2g", d, change);
    g_assert_cmpfloat(change, >, 0);    /* or the budget was not small */
    g_assert_cmpfloat(change, <, 2e-3); /* fp16 is stored */
    g_assert_cmpfloat(d, <, 2e-3);
    g_object_unref(whole);
    g_object_unref(lean);
    sfu_params_free(p);
    sfu_engine_free(other);
}

static void add_tests(void)
{
    g_test_add_func("/pipe/only-the-feathered-mask-changes", test_only_the_feathered_mask_changes);
    g_test_add_func("/pipe/masked-content-by-patches", test_masked_content_by_patches);
    g_test_add_func("/pipe/nothing-is-taken-from-an-excluded-area", test_nothing_is_taken_from_an_excluded_area);
    g_test_add_func("/pipe/nothing-is-taken-from-under-the-mask", test_nothing_is_taken_from_under_the_mask);
    g_test_add_func("/pipe/strange-pictures-and-masks", test_strange_pictures_and_masks);
    g_test_add_func("/pipe/large-regions-are-refined", test_large_regions_are_refined);
    g_test_add_func("/pipe/outpaint", test_outpaint);
    g_test_add_func("/pipe/nothing-is-spent-on-what-stays", test_nothing_is_spent_on_what_stays);
    g_test_add_func("/pipe/soft-mask-changes-by-its-own-strength", test_soft_mask_changes_by_its_own_strength);
    g_test_add_func("/pipe/enlarging", test_enlarging);
    g_test_add_func("/pipe/tiles-leave-no-seam", test_tiles_leave_no_seam);
    g_test_add_func("/pipe/seamless-pictures-move-with-their-noise", test_seamless_pictures_move_with_their_noise);
    g_test_add_func("/pipe/seamless-in-little-memory", test_seamless_in_little_memory);
}

int main(int argc, char **argv)
{
    return scene_main(argc, argv, &engine, &dir, add_tests);
}
