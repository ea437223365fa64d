/* How pipelines behave round the numbers: progress, cancel, previews, seeds, masks, strange pictures, bad input,
 * memory. On the small models of pipelines.json.gz. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include <math.h>
#include <string.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "models.h"
#include "pipe/pipe.h"
#include "sfumato.h"

static SfuEngine *engine;
static char *dir;

/* ---- helpers ----------------------------------------------------------------------------------------------------- */

static SfuParams *params(const char *model, const char *text)
{
    SfuParams *p = sfu_params_new();
    GError *e = NULL;
    char *path = parity_model_path(model, NULL);
    char **pairs = g_strsplit(text, " ", -1);
    sfu_params_set(p, "model", path, &e);
    sfu_params_set(p, "steps", "4", &e);
    sfu_params_set(p, "seed", "11", &e);
    for (int i = 0; pairs[i] && pairs[i + 1]; i += 2)
        sfu_params_set(p, pairs[i], pairs[i + 1], &e);
    g_assert_no_error(e);
    g_strfreev(pairs);
    g_free(path);
    return p;
}

/* A soft picture in any format; every value depends on its place. */
static GeglBuffer *picture(int x, int y, int w, int h, const char *format)
{
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(x, y, w, h), babl_format(format));
    float *row = g_new(float, (gsize)w * 4);
    for (int j = 0; j < h; j++) {
        for (int i = 0; i < w; i++)
            for (int c = 0; c < 4; c++)
                row[i * 4 + c] = c == 3 ? 1 : 0.5f + 0.4f * sinf((i + x) * 0.05f + c) * cosf((j + y) * 0.07f);
        gegl_buffer_set(b, GEGL_RECTANGLE(x, y + j, w, 1), 0, babl_format("R'G'B'A float"), row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    return b;
}

static GeglBuffer *mask(int x, int y, int w, int h, float value)
{
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(x, y, w, h), babl_format("Y float"));
    float *row = g_new(float, w);
    for (int i = 0; i < w; i++)
        row[i] = value;
    for (int j = 0; j < h; j++)
        gegl_buffer_set(b, GEGL_RECTANGLE(x, y + j, w, 1), 0, babl_format("Y float"), row, GEGL_AUTO_ROWSTRIDE);
    g_free(row);
    return b;
}

static double difference(GeglBuffer *a, GeglBuffer *b)
{
    gint64 na, nb;
    float *pa = parity_pixels(a, &na), *pb = parity_pixels(b, &nb);
    g_assert_cmpint(na, ==, nb);
    const double d = parity_error(pa, pb, na);
    g_free(pa);
    g_free(pb);
    return d;
}

static GPtrArray *run_on(SfuEngine *e, SfuTask task, SfuParams *p, GeglBuffer *in, GeglBuffer *m)
{
    GError *error = NULL;
    const SfuJob job = {.task = task, .params = p, .picture = in, .mask = m};
    GPtrArray *r = sfu_engine_run(e, &job, &error);
    g_assert_no_error(error);
    g_assert_nonnull(r);
    return r;
}

static SfuResult *first(GPtrArray *r)
{
    return g_ptr_array_index(r, 0);
}

static void fails(const SfuJob *job, SfuError code)
{
    GError *error = NULL;
    GPtrArray *r = sfu_engine_run(engine, job, &error);
    g_assert_null(r);
    g_assert_error(error, SFU_ERROR, (int)code);
    g_assert_cmpuint(strlen(error->message), >, 8);
    g_test_message("%s", error->message);
    g_error_free(error);
}

/* Pixels outside `inside` are the picture's own, byte for byte, and some inside are not. */
static void only_changes(const SfuResult *r, GeglBuffer *in, GeglRectangle inside)
{
    GeglBuffer *out = sfu_result_composite(r, in);
    const Babl *f = gegl_buffer_get_format(in);
    const GeglRectangle *e = gegl_buffer_get_extent(in);
    const int bpp = babl_format_get_bytes_per_pixel(f);
    guint8 *a = g_malloc((gsize)e->width * e->height * bpp), *b = g_malloc((gsize)e->width * e->height * bpp);
    gegl_buffer_get(in, e, 1, f, a, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    gegl_buffer_get(out, e, 1, f, b, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    int changed = 0;
    for (int y = 0; y < e->height; y++)
        for (int x = 0; x < e->width; x++) {
            const gsize at = ((gsize)y * e->width + x) * bpp;
            const int px = e->x + x, py = e->y + y;
            const gboolean in_there =
                px >= inside.x && px < inside.x + inside.width && py >= inside.y && py < inside.y + inside.height;
            const gboolean same = memcmp(a + at, b + at, bpp) == 0;
            if (!in_there)
                g_assert_true(same);
            changed += !same;
        }
    g_assert_cmpint(changed, >, 0);
    g_free(a);
    g_free(b);
    g_object_unref(out);
}

/* ---- excluded areas
 * ---------------------------------------------------------------------------------------------------- */

static GPtrArray *fill_without(const char *model, const char *values, GeglBuffer *in, GeglBuffer *m, GeglBuffer * not )
{
    GError *error = NULL;
    SfuParams *p = params(model, values);
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
    GeglBuffer *in = picture(0, 0, 128, 96, "R'G'B'A float"), *other = gegl_buffer_dup(in),
               *m = mask(16, 32, 24, 24, 1), *not = mask(there.x, there.y, there.width, there.height, 1);
    GeglColor *red = gegl_color_new("red");
    gegl_buffer_set_color(other, &there, red);
    for (gsize i = 0; i < G_N_ELEMENTS(models); i++) {
        GPtrArray *a = fill_without(models[i][0], models[i][1], in, m, not ),
                  *b = fill_without(models[i][0], models[i][1], other, m, not ),
                  *c = fill_without(models[i][0], models[i][1], other, m, NULL);
        g_test_message("%s: %g with, %g without", models[i][0], difference(first(a)->picture, first(b)->picture),
                       difference(first(a)->picture, first(c)->picture));
        g_assert_cmpfloat(difference(first(a)->picture, first(b)->picture), ==, 0);
        g_assert_cmpfloat(difference(first(a)->picture, first(c)->picture), >, 0);
        only_changes(first(a), in, (GeglRectangle){6, 22, 44, 44});
        g_ptr_array_unref(a);
        g_ptr_array_unref(b);
        g_ptr_array_unref(c);
    }
    GeglBuffer *all = mask(0, 0, 128, 96, 1);
    SfuParams *p = params("mini", "feather 4");
    fails(&(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m, .exclude = all}, SFU_ERROR_USAGE);
    fails(&(SfuJob){.task = SFU_TASK_IMG2IMG, .params = p, .picture = in, .mask = m, .exclude = not }, SFU_ERROR_USAGE);
    sfu_params_free(p);
    g_object_unref(red);
    g_object_unref(in);
    g_object_unref(other);
    g_object_unref(m);
    g_object_unref(not );
    g_object_unref(all);
}

/* ---- progress, cancel, previews ------------------------------------------------------------------------------------
 */

typedef struct {
    double fraction;
    int n_progress, n_previews, n_denoise, last_step, cancel, cancel_at;
    GeglRectangle extent;
} Watch;

static void on_progress(const SfuProgress *p, gpointer data)
{
    Watch *w = data;
    g_assert_cmpfloat(p->fraction, >=, w->fraction);
    g_assert_cmpfloat(p->fraction, <=, 1);
    g_assert_nonnull(p->text);
    w->fraction = p->fraction;
    w->n_progress++;
    if (p->stage == SFU_STAGE_DENOISE && p->step > 0) {
        w->n_denoise++;
        w->last_step = p->step;
        if (w->cancel_at && p->step == w->cancel_at)
            w->cancel = 1;
    }
}

static void on_preview(GeglBuffer *b, int step, gpointer data)
{
    Watch *w = data;
    w->n_previews++;
    w->extent = *gegl_buffer_get_extent(b);
    gint64 n;
    g_free(parity_pixels(b, &n));
}

static void test_progress_and_previews(void)
{
    static const char *const with[] = {"linear", "vae", "auto"};
    for (guint i = 0; i < G_N_ELEMENTS(with); i++) {
        Watch w = {0};
        GeglBuffer *in = picture(5, 7, 160, 140, "R'G'B'A u8"), *m = mask(60, 60, 30, 20, 1);
        SfuParams *p = params("sd1", "sampler euler preview_every 1");
        sfu_params_set(p, "preview_with", with[i], NULL);
        const SfuJob job = {.task = SFU_TASK_INPAINT,
                            .params = p,
                            .picture = in,
                            .mask = m,
                            .cancel = &w.cancel,
                            .progress = on_progress,
                            .preview = on_preview,
                            .data = &w};
        GPtrArray *r = sfu_engine_run(engine, &job, NULL);
        g_assert_nonnull(r);
        g_assert_cmpint(w.n_denoise, ==, 4);
        g_assert_cmpint(w.last_step, ==, 4);
        g_assert_cmpint(w.n_previews, ==, 3); /* the last step is the result */
        g_assert_cmpfloat(w.fraction, >, 0.97);
        const GeglRectangle *e = gegl_buffer_get_extent(first(r)->picture);
        g_assert_true(gegl_rectangle_equal(e, &w.extent));
        g_ptr_array_unref(r);
        sfu_params_free(p);
        g_object_unref(in);
        g_object_unref(m);
    }
}

static void test_taesd_previews_and_decodes(void)
{
    char *tiny = parity_model_path("taesd", NULL);
    GeglBuffer *in = picture(0, 0, 128, 128, "R'G'B' u8");
    GPtrArray *r[2];
    for (int i = 0; i < 2; i++) {
        Watch w = {0};
        SfuParams *p = params("sd1", "sampler euler preview_every 1 strength 0.6");
        g_assert_true(sfu_params_set(p, i ? "vae" : "taesd", tiny, NULL));
        const SfuJob job = {.task = SFU_TASK_IMG2IMG,
                            .params = p,
                            .picture = in,
                            .progress = on_progress,
                            .preview = on_preview,
                            .data = &w};
        r[i] = sfu_engine_run(engine, &job, NULL);
        g_assert_nonnull(r[i]);
        g_assert_cmpint(w.n_previews, ==, 1); /* two steps, the last is the result */
        sfu_params_free(p);
    }
    g_assert_cmpfloat(difference(first(r[0])->picture, first(r[1])->picture), >, 0.01);
    g_ptr_array_unref(r[0]);
    g_ptr_array_unref(r[1]);
    /* Latents of another kind are refused, not painted. */
    SfuParams *p = params("mini", "");
    sfu_params_set(p, "taesd", tiny, NULL);
    GeglBuffer *m = mask(10, 10, 20, 20, 1);
    fails(&(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m}, SFU_ERROR_MODEL);
    sfu_params_free(p);
    g_object_unref(in);
    g_object_unref(m);
    g_free(tiny);
}

/* A program that stays, as GIMP's and a batch's: the autoencoder is that of the job, not of the one before. */
static void test_another_vae_between_runs(void)
{
    char *tiny = parity_model_path("taesd", NULL);
    GPtrArray *r[4];
    for (int i = 0; i < 4; i++) {
        SfuParams *p = params("sd1", "sampler euler width 128 height 96");
        if (i % 2)
            g_assert_true(sfu_params_set(p, "vae", tiny, NULL));
        r[i] = run_on(engine, SFU_TASK_TXT2IMG, p, NULL, NULL);
        sfu_params_free(p);
    }
    g_assert_cmpfloat(difference(first(r[0])->picture, first(r[1])->picture), >, 0.01);
    for (int i = 0; i < 2; i++)
        g_assert_cmpfloat(difference(first(r[i])->picture, first(r[i + 2])->picture), ==, 0);
    for (int i = 0; i < 4; i++)
        g_ptr_array_unref(r[i]);
    g_free(tiny);
}

static void test_cancel_within_a_step_and_run_again(void)
{
    Watch w = {.cancel_at = 2};
    SfuParams *p = params("sd1", "sampler euler width 128 height 128");
    const SfuJob job = {
        .task = SFU_TASK_TXT2IMG, .params = p, .cancel = &w.cancel, .progress = on_progress, .data = &w};
    fails(&job, SFU_ERROR_CANCELLED);
    g_assert_cmpint(w.last_step, ==, 2);
    GPtrArray *again = run_on(engine, SFU_TASK_TXT2IMG, p, NULL, NULL);
    g_assert_cmpuint(again->len, ==, 1);
    g_ptr_array_unref(again);
    sfu_params_free(p);
}

/* ---- seeds ------------------------------------------------------------------------------------------------------ */

static void test_seeds(void)
{
    SfuParams *p = params("sd1", "sampler euler_a width 128 height 96 count 2"),
              *q = params("sd1", "sampler euler_a width 128 height 96 seed 12");
    GPtrArray *two = run_on(engine, SFU_TASK_TXT2IMG, p, NULL, NULL),
              *one = run_on(engine, SFU_TASK_TXT2IMG, q, NULL, NULL);
    SfuResult *second = g_ptr_array_index(two, 1);
    g_assert_cmpuint(two->len, ==, 2);
    g_assert_cmpuint(second->seed, ==, 12);
    g_assert_cmpfloat(sfu_params_get_double(second->params, "seed"), ==, 12);
    /* The second of a batch is the picture that its seed gives alone. */
    g_assert_cmpfloat(difference(second->picture, first(one)->picture), <, 1e-6);
    g_assert_cmpfloat(difference(first(two)->picture, second->picture), >, 0.01);
    sfu_params_set(q, "rng", "philox", NULL);
    GPtrArray *other = run_on(engine, SFU_TASK_TXT2IMG, q, NULL, NULL);
    g_assert_cmpfloat(difference(first(other)->picture, second->picture), >, 0.01);
    g_ptr_array_unref(two);
    g_ptr_array_unref(one);
    g_ptr_array_unref(other);
    sfu_params_free(p);
    sfu_params_free(q);
}

static void test_parameters_as_used_make_the_picture_again(void)
{
    SfuParams *p = params("mini", "steps 0 seed -1");
    GeglBuffer *in = picture(0, 0, 130, 120, "R'G'B' u8"), *m = mask(50, 40, 30, 30, 1);
    GPtrArray *a = run_on(engine, SFU_TASK_INPAINT, p, in, m),
              *b = run_on(engine, SFU_TASK_INPAINT, first(a)->params, in, m);
    g_assert_cmpfloat(sfu_params_get_double(first(a)->params, "seed"), >=, 0);
    g_assert_cmpfloat(sfu_params_get_double(first(a)->params, "steps"), ==, 8); /* the model's own */
    g_assert_cmpfloat(difference(first(a)->picture, first(b)->picture), <, 1e-6);
    g_ptr_array_unref(a);
    g_ptr_array_unref(b);
    sfu_params_free(p);
    g_object_unref(in);
    g_object_unref(m);
}

/* ---- masks and pictures ---------------------------------------------------------------------------------------------
 */

static void test_only_the_feathered_mask_changes(void)
{
    static const char *const formats[] = {"R'G'B' u8", "R'G'B'A u16", "RGBA float", "Y' u8"};
    static const char *const models[] = {"mini", "sd1", "sd1-inpaint", "mini"};
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        GeglBuffer *in = picture(-10, 20, 200, 180, formats[i]), *m = mask(50, 90, 20, 30, 1);
        SfuParams *p = params(models[i], "feather 12 grow 3 sampler euler");
        GPtrArray *r = run_on(engine, SFU_TASK_INPAINT, p, in, m);
        only_changes(first(r), in, (GeglRectangle){50 - 15, 90 - 15, 20 + 30, 30 + 30});
        if (i == 3) { /* gray stays gray */
            gint64 n;
            float *px = parity_pixels(first(r)->picture, &n);
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
    GeglBuffer *in = picture(0, 0, 200, 180, "R'G'B' u8"), *m = mask(60, 50, 70, 60, 1);
    SfuParams *p = params("sd1", "masked_content patch strength 0.5 steps 4 sampler euler seed 5 feather 8");
    SfuParams *q = params("sd1", "masked_content fill strength 0.5 steps 4 sampler euler seed 5 feather 8");
    GPtrArray *a = run_on(engine, SFU_TASK_INPAINT, p, in, m), *b = run_on(engine, SFU_TASK_INPAINT, p, in, m);
    GPtrArray *c = run_on(engine, SFU_TASK_INPAINT, q, in, m);
    only_changes(first(a), in, (GeglRectangle){60 - 12, 50 - 12, 70 + 24, 60 + 24});
    g_assert_cmpfloat(difference(first(a)->picture, first(b)->picture), <, 1e-6);
    g_assert_cmpfloat(difference(first(a)->picture, first(c)->picture), >, 1e-4);
    g_ptr_array_unref(a);
    g_ptr_array_unref(b);
    g_ptr_array_unref(c);
    sfu_params_free(p);
    sfu_params_free(q);
    g_object_unref(in);
    g_object_unref(m);
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
            GeglBuffer *in = picture(0, 0, cases[i].w, cases[i].h, "R'G'B'A u8");
            GeglBuffer *m = mask(cases[i].mx, cases[i].my, cases[i].mw, cases[i].mh, cases[i].value);
            SfuParams *p = params(k ? "sd1" : "mini", "steps 2 sampler euler");
            GPtrArray *r = run_on(engine, SFU_TASK_INPAINT, p, in, m);
            gint64 n;
            g_free(parity_pixels(first(r)->picture, &n));
            g_ptr_array_unref(r);
            sfu_params_free(p);
            g_object_unref(in);
            g_object_unref(m);
        }
    }
}

/* txt2img with these words; the pixels are the caller's. */
static float *say(const char *prompt, const char *negative, const char *sampler, double guidance, gint64 *n,
                  char **note)
{
    SfuParams *p = params("sd1", "width 64 height 64 steps 4");
    sfu_params_set(p, "sampler", sampler, NULL);
    sfu_params_set(p, "prompt", prompt, NULL);
    sfu_params_set(p, "negative", negative, NULL);
    sfu_params_set_double(p, "guidance", guidance, NULL);
    GPtrArray *r = run_on(engine, SFU_TASK_TXT2IMG, p, NULL, NULL);
    float *v = parity_pixels(first(r)->picture, n);
    if (note)
        *note = g_strdup(first(r)->note);
    g_ptr_array_unref(r);
    sfu_params_free(p);
    return v;
}

static double furthest(const float *a, const float *b, gint64 n)
{
    double most = 0;
    for (gint64 i = 0; i < n; i++)
        most = MAX(most, fabs(a[i] - b[i]));
    return most;
}

/* Prompts that change during sampling, and several at once, are what they are said to be: each picture is also made in
 * a plainer way. */
static void test_prompts_in_parts(void)
{
    static const struct {
        const char *prompt, *negative, *sampler;
        double guidance;
        const char *plain, *plain_negative;
        double plain_guidance;
        gboolean same, notes;
    } cases[] = {
        {"a [cat:dog:99] here", "", "euler", 7, "a cat here", "", 7, TRUE, FALSE},
        {"a [cat:dog:-1] here", "", "euler", 7, "a dog here", "", 7, TRUE, FALSE},
        {"a [cat:dog:0.3] here", "", "euler", 7, "a cat here", "", 7, FALSE, FALSE},
        {"a [cat:dog:0.3] here", "", "euler", 7, "a dog here", "", 7, FALSE, FALSE},
        {"a [cat:dog:0.3] here", "", "heun", 7, "a [cat:dog:1] here", "", 7, FALSE,
         FALSE}, /* 0.3 of 8 passes is the second */
        {"a [cat:dog:0.3] here", "", "heun", 7, "a [cat:dog:2] here", "", 7, TRUE, FALSE},
        {"a [cat|cat] here", "", "euler", 7, "a cat here", "", 7, TRUE, FALSE},
        {"a [cat|dog] here", "", "euler", 7, "a cat here", "", 7, FALSE, FALSE},
        {"a cat", "[red:blue:99]", "euler", 7, "a cat", "red", 7, TRUE, FALSE},
        {"a cat", "[red:blue:1]", "euler", 7, "a cat", "red", 7, FALSE, FALSE},
        {"a cat AND a cat", "red", "euler", 3, "a cat", "red", 6, TRUE, FALSE},
        {"a cat AND a dog :0", "red", "euler", 5, "a cat", "red", 5, TRUE, FALSE},
        {"a cat AND a dog", "red", "euler", 5, "a cat", "red", 5, FALSE, FALSE},
        {"a cat :2", "red", "euler", 3, "a cat", "red", 6, TRUE, TRUE},
        {"a cat :0.5 AND a cat:0.5", "red", "euler", 5, "a cat", "red", 5, TRUE, FALSE},
        {"<hypernet:fluffy:0.8>a cat", "", "euler", 5, "a cat", "", 5, TRUE, TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 n, m;
        char *note = NULL;
        float *a = say(cases[i].prompt, cases[i].negative, cases[i].sampler, cases[i].guidance, &n, &note);
        float *b = say(cases[i].plain, cases[i].plain_negative, cases[i].sampler, cases[i].plain_guidance, &m, NULL);
        g_assert_cmpint(n, ==, m);
        g_test_message("%s: %g from %s", cases[i].prompt, furthest(a, b, n), cases[i].plain);
        if (cases[i].same) /* batches of another size round elsewhere */
            g_assert_cmpfloat(furthest(a, b, n), <, 1e-4);
        else
            g_assert_cmpfloat(furthest(a, b, n), >, 4e-3);
        g_assert_cmpint(note != NULL, ==, cases[i].notes);
        g_free(note);
        g_free(a);
        g_free(b);
    }
}

static void test_large_regions_are_refined(void)
{
    /* Twice what the model composes in one piece: a coarse picture first, then the same in detail. */
    Watch t = {0};
    SfuParams *words = params("sd1", "sampler euler width 336 height 320 steps 5");
    const SfuJob large = {.task = SFU_TASK_TXT2IMG, .params = words, .progress = on_progress, .data = &t};
    GPtrArray *made = sfu_engine_run(engine, &large, NULL);
    g_assert_nonnull(made);
    g_assert_cmpint(gegl_buffer_get_width(first(made)->picture), ==, 336);
    g_assert_cmpint(gegl_buffer_get_height(first(made)->picture), ==, 320);
    g_assert_cmpint(t.n_denoise, >, 7);
    g_ptr_array_unref(made);
    sfu_params_free(words);

    GeglBuffer *in = picture(0, 0, 420, 400, "R'G'B' u8"), *m = mask(20, 20, 370, 350, 1);
    for (int refine = 0; refine < 2; refine++) {
        Watch w = {0};
        SfuParams *p = params("mini", refine ? "refine true steps 5" : "refine false steps 5");
        const SfuJob job = {
            .task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m, .progress = on_progress, .data = &w};
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
    GeglBuffer *in = picture(0, 0, 120, 100, "R'G'B'A float");
    SfuParams *p = params("mini", "left 40 bottom 24 feather 8 grow 2");
    GPtrArray *r = run_on(engine, SFU_TASK_OUTPAINT, p, in, NULL);
    GeglBuffer *out = first(r)->picture;
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
    p = params("mini", "");
    const SfuJob job = {.task = SFU_TASK_OUTPAINT, .params = p, .picture = in};
    fails(&job, SFU_ERROR_USAGE);
    sfu_params_free(p);
    g_object_unref(in);
}

/* Tiles without anything to repaint are not computed. */
static void test_nothing_is_spent_on_what_stays(void)
{
    GeglBuffer *in = picture(0, 0, 384, 384, "R'G'B' u8"), *all = mask(0, 0, 384, 384, 1),
               *edge = mask(0, 0, 384, 384, 0);
    GeglBuffer *corner = mask(0, 0, 20, 20, 1), *other = mask(364, 364, 20, 20, 1);
    gegl_buffer_copy(corner, NULL, GEGL_ABYSS_NONE, edge, GEGL_RECTANGLE(0, 0, 20, 20));
    gegl_buffer_copy(other, gegl_buffer_get_extent(other), GEGL_ABYSS_NONE, edge, GEGL_RECTANGLE(364, 364, 20, 20));
    int n[2];
    for (int i = 0; i < 2; i++) {
        Watch w = {0};
        SfuParams *p = params("mini", "steps 5 feather 4 grow 0 working_size 384 tile 96");
        const SfuJob job = {.task = SFU_TASK_INPAINT,
                            .params = p,
                            .picture = in,
                            .mask = i ? edge : all,
                            .progress = on_progress,
                            .data = &w};
        GPtrArray *r = sfu_engine_run(engine, &job, NULL);
        g_assert_nonnull(r);
        if (i)
            only_changes(first(r), in, (GeglRectangle){0, 0, 384, 384});
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
    GeglBuffer *in = picture(0, 0, 128, 128, "R'G'B' float");
    double change[3];
    for (int i = 0; i < 3; i++) {
        GeglBuffer *m = mask(0, 0, 128, 128, i == 0 ? 0.15f : i == 1 ? 0.5f : 1);
        SfuParams *p =
            params("sd1", "sampler euler steps 10 masked_content original grow 0 feather 0 color_match false");
        GPtrArray *r = run_on(engine, SFU_TASK_INPAINT, p, in, m);
        gint64 n;
        float *a = parity_pixels(first(r)->picture, &n), *b = parity_pixels(in, &n);
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

/* ---- enlarging -----------------------------------------------------------------------------------------------------
 */

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
        GeglBuffer *in = picture(3, 4, 40, 30, cases[i].format);
        SfuParams *p = params(cases[i].model, "steps 3 sampler euler");
        sfu_params_set(p, "scale", cases[i].scale, NULL);
        GPtrArray *r = run_on(engine, SFU_TASK_UPSCALE, p, in, NULL);
        const GeglRectangle *e = gegl_buffer_get_extent(first(r)->picture);
        g_assert_true(gegl_rectangle_equal(e, GEGL_RECTANGLE(3, 4, cases[i].w, cases[i].h)));
        GeglBuffer *own = sfu_result_composite(first(r), in);
        g_assert_true(gegl_buffer_get_format(own) == gegl_buffer_get_format(in));
        gint64 n;
        float *px = parity_pixels(first(r)->picture, &n);
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
    GeglBuffer *in = picture(0, 0, 96, 80, "R'G'B' u8");
    SfuParams *p = params("mini", "scale 2 steps 1"), *q = params("mini", "scale 2 steps 1 tile 96");
    GPtrArray *whole = run_on(engine, SFU_TASK_UPSCALE, p, in, NULL),
              *tiled = run_on(engine, SFU_TASK_UPSCALE, q, in, NULL);
    const double a = worst_step(first(whole)->picture), b = worst_step(first(tiled)->picture);
    /* What a random network paints differs with the tiles' contexts; but nowhere may there be an edge that the whole
     * has not. */
    g_test_message("tiled differs by %.3f; largest step %.4f, of the whole %.4f",
                   difference(first(whole)->picture, first(tiled)->picture), b, a);
    g_assert_cmpfloat(difference(first(whole)->picture, first(tiled)->picture), >, 0);
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
    g_assert_true(sfu_tensorfile_write(path, "noise", y, 1, s, s, c, &error));
    const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p, .noise_file = path};
    GPtrArray *r = sfu_engine_run(e, &job, &error);
    g_assert_no_error(error);
    GeglBuffer *b = g_object_ref(first(r)->picture);
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
                 {"seamless xy tile 128", 12, 12, TRUE} /* by whole tiles, of which there are two a row */};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *values = g_strdup_printf("%s sampler euler steps 2 width 192 height 192", cases[i].values);
        SfuParams *p = params("sd1", values);
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
    SfuParams *p = params("sd1", "sampler euler steps 2 width 192 height 192 seamless xy");
    GeglBuffer *whole = of_moved_noise(engine, p, 0, 0), *lean = of_moved_noise(other, p, 0, 0);
    const double d = moves_along(other, p, 8, 16), change = difference(whole, lean);
    g_test_message("moves to %.2g, differs from the whole by %.2g", d, change);
    g_assert_cmpfloat(change, >, 0);    /* or the budget was not small */
    g_assert_cmpfloat(change, <, 2e-3); /* fp16 is stored */
    g_assert_cmpfloat(d, <, 2e-3);
    g_object_unref(whole);
    g_object_unref(lean);
    sfu_params_free(p);
    sfu_engine_free(other);
}

/* ---- memory -------------------------------------------------------------------------------------------------------
 */

static void test_small_budget_gives_the_same_picture(void)
{
    SfuParams *p = params("sd1", "sampler euler width 128 height 128");
    const SfuEngineOptions small = {.precision = "fp32", .memory_bytes = 24 * 1024 * 1024};
    GError *e = NULL;
    SfuEngine *other = sfu_engine_new(&small, &e);
    g_assert_no_error(e);
    GPtrArray *a = run_on(engine, SFU_TASK_TXT2IMG, p, NULL, NULL), *b = run_on(other, SFU_TASK_TXT2IMG, p, NULL, NULL);
    g_assert_cmpfloat(difference(first(a)->picture, first(b)->picture), <, 1e-5);
    g_assert_cmpuint(sfu_engine_peak_bytes(other), <=, 24 * 1024 * 1024);
    g_ptr_array_unref(a);
    g_ptr_array_unref(b);
    sfu_engine_free(other);
    const SfuEngineOptions tiny = {.precision = "fp32", .memory_bytes = 1024 * 1024};
    other = sfu_engine_new(&tiny, &e);
    if (other) { /* an engine may say so at once */
        const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p};
        g_assert_null(sfu_engine_run(other, &job, &e));
        sfu_engine_free(other);
    }
    g_assert_error(e, SFU_ERROR, SFU_ERROR_MEMORY);
    g_test_message("%s", e->message);
    g_error_free(e);
    sfu_params_free(p);
}

/* ---- bad input ----------------------------------------------------------------------------------------------------
 */

static void test_bad_input_is_refused_in_one_sentence(void)
{
    GeglBuffer *in = picture(0, 0, 64, 64, "R'G'B' u8"), *m = mask(10, 10, 20, 20, 1), *none = mask(0, 0, 64, 64, 0),
               *away = mask(900, 0, 9, 9, 1);
    SfuParams *p = params("mini", "");
    fails(&(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .mask = m}, SFU_ERROR_USAGE);
    fails(&(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in}, SFU_ERROR_USAGE);
    fails(&(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = none}, SFU_ERROR_USAGE);
    fails(&(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = away}, SFU_ERROR_USAGE);
    fails(&(SfuJob){.task = SFU_TASK_TXT2IMG, .params = p}, SFU_ERROR_MODEL); /* needs words */
    fails(&(SfuJob){.task = SFU_TASK_EDIT, .params = p, .picture = in}, SFU_ERROR_MODEL);
    sfu_params_set(p, "strength", "0", NULL);
    fails(&(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m}, SFU_ERROR_USAGE);
    sfu_params_set(p, "strength", "1", NULL);
    sfu_params_set(p, "model", "/nowhere/at all.safetensors", NULL);
    fails(&(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m}, SFU_ERROR_MODEL);
    sfu_params_free(p);

    p = params("sd1", "width 128 height 128");
    char *noise = g_build_filename(dir, "noise.safetensors", NULL);
    g_assert_true(g_file_set_contents(noise, "rubbish", -1, NULL));
    fails(&(SfuJob){.task = SFU_TASK_TXT2IMG, .params = p, .noise_file = noise}, SFU_ERROR_MODEL);
    const float x[4] = {0};
    static const char head[] = "{\"noise\":{\"dtype\":\"F32\",\"shape\":[1,1,2,2],\"data_offsets\":[0,16]}}";
    GString *s = g_string_new(NULL);
    const guint64 length = GUINT64_TO_LE(strlen(head));
    g_string_append_len(s, (const char *)&length, 8);
    g_string_append(s, head);
    g_string_append_len(s, (const char *)x, sizeof x);
    g_assert_true(g_file_set_contents(noise, s->str, s->len, NULL));
    fails(&(SfuJob){.task = SFU_TASK_TXT2IMG, .params = p, .noise_file = noise}, SFU_ERROR_USAGE);
    g_string_free(s, TRUE);
    g_remove(noise);
    g_free(noise);
    sfu_params_free(p);
    g_object_unref(in);
    g_object_unref(m);
    g_object_unref(none);
    g_object_unref(away);
}

static void test_nan_is_reported_with_its_block(void)
{
    SfuParams *p = params("sd1", "width 128 height 128 sampler euler");
    const ParityDamage damage = {.poison = "mid_block.resnets.1.conv1.weight"};
    char *path = parity_model_path("sd1", &damage);
    sfu_params_set(p, "model", path, NULL);
    const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p};
    GError *e = NULL;
    g_assert_null(sfu_engine_run(engine, &job, &e));
    g_assert_nonnull(e);
    g_test_message("%s", e->message);
    /* Either the file is refused, or the run names the block. */
    if (e->code == SFU_ERROR_FAILED)
        g_assert_nonnull(strstr(e->message, "mid_block.resnets.1"));
    else
        g_assert_error(e, SFU_ERROR, SFU_ERROR_MODEL);
    g_error_free(e);
    g_free(path);
    sfu_params_free(p);
}

static void test_hostile_prompts(void)
{
    static const char *const parts[] = {"((a cat:1.3) \xf0\x9f\x90\x88, BREAK [x] ",
                                        "(a cat:1.3) \xf0\x9f\x90\x88, [x] and then some words more "};
    for (int i = 0; i < 2; i++) {
        GString *s = g_string_new(NULL);
        while (s->len < 100 * 1024)
            g_string_append(s, parts[i]);
        SfuParams *p = params("sd1", "width 64 height 64 steps 1 sampler euler guidance 1");
        sfu_params_set(p, "prompt", s->str, NULL);
        const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p};
        if (i == 0)
            fails(&job, SFU_ERROR_USAGE); /* brackets that are never closed */
        else
            g_ptr_array_unref(run_on(engine, SFU_TASK_TXT2IMG, p, NULL, NULL));
        sfu_params_free(p);
        g_string_free(s, TRUE);
    }
}

/* ---- files and models
 * ------------------------------------------------------------------------------------------------ */

static void test_trace_and_noise_files(void)
{
    SfuParams *p = params("sd1", "width 128 height 64 sampler euler steps 1 count 2");
    char *latent = g_build_filename(dir, "latent.safetensors", NULL), *trace = g_build_filename(dir, "trace", NULL);
    g_mkdir(trace, 0700);
    const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p, .latent_file = latent, .trace_dir = trace};
    GPtrArray *r = sfu_engine_run(engine, &job, NULL);
    g_assert_nonnull(r);
    g_ptr_array_unref(r);
    SfuFile *f = sfu_file_open(latent, NULL);
    g_assert_nonnull(f);
    const SfuFileTensor *z = g_ptr_array_index(f->tensors, 0);
    g_assert_cmpstr(z->name, ==, "latent");
    g_assert_cmpint(z->dims[0], ==, 2); /* both variants */
    g_assert_cmpint(z->dims[1], ==, 4);
    g_assert_cmpint(z->dims[2], ==, 8);
    g_assert_cmpint(z->dims[3], ==, 16);
    g_assert_cmpfloat(
        parity_error((const float *)(gconstpointer)z->data, (const float *)(gconstpointer)z->data + 512, 512), >, 0.01);
    sfu_file_close(f);
    GDir *d = g_dir_open(trace, 0, NULL);
    const char *name;
    int n = 0;
    while ((name = g_dir_read_name(d))) {
        char *path = g_build_filename(trace, name, NULL);
        n += strstr(name, "down_blocks.0.resnets.0") != NULL || strstr(name, "mid_block") != NULL;
        g_remove(path);
        g_free(path);
    }
    g_dir_close(d);
    g_assert_cmpint(n, >, 1);
    g_rmdir(trace);
    g_remove(latent);
    g_free(latent);
    g_free(trace);
    sfu_params_free(p);
}

static void test_models_are_listed(void)
{
    char *a = parity_model_path("mini", NULL), *b = parity_model_path("sd1-inpaint", NULL),
         *folder = g_path_get_dirname(a);
    char *broken = g_build_filename(folder, "broken.safetensors", NULL);
    g_assert_true(g_file_set_contents(broken, "no model", -1, NULL));
    /* A UNet alone, as ComfyUI keeps it: it is listed with what it lacks, and offered for nothing. */
    char *alone = g_build_filename(folder, "alone", NULL);
    static const char *const kept[] = {"model_index.json", "unet"};
    g_assert_cmpint(g_mkdir(alone, 0700), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
        char *from = g_build_filename(b, kept[i], NULL), *to = g_build_filename(alone, kept[i], NULL);
        g_assert_true(g_file_test(from, G_FILE_TEST_EXISTS));
        g_assert_cmpint(symlink(from, to), ==, 0);
        g_free(from);
        g_free(to);
    }
    const char *const folders[] = {folder, NULL};
    GPtrArray *models = sfu_models(folders);
    int seen = 0;
    for (guint i = 0; i < models->len; i++) {
        const SfuModelInfo *m = g_ptr_array_index(models, i);
        if (strcmp(m->path, a) == 0) {
            seen |= 1;
            g_assert_cmpuint(m->tasks, ==, 1u << SFU_TASK_INPAINT | 1u << SFU_TASK_OUTPAINT | 1u << SFU_TASK_UPSCALE);
            g_assert_false(m->has_text);
            g_assert_cmpint(m->native_px, ==, 128);
            g_assert_null(m->error);
        } else if (strcmp(m->path, b) == 0) {
            seen |= 2;
            g_assert_true(m->has_text);
            g_assert_cmpuint(m->file_bytes, >, 1000000);
        } else if (strcmp(m->path, broken) == 0) {
            seen |= 4;
            g_assert_nonnull(m->error);
        } else if (strcmp(m->path, alone) == 0) {
            seen |= 8;
            g_assert_cmpuint(m->tasks, ==, 0);
            g_assert_nonnull(strstr(m->error, "lacks the text encoder"));
        }
    }
    g_assert_cmpint(seen, ==, 15);
    char *best = sfu_model_default(models, SFU_TASK_INPAINT), *report = sfu_model_report(a, TRUE, NULL);
    g_assert_cmpstr(best, ==, b); /* the user's inpainting model goes before the embedded one */
    g_assert_nonnull(strstr(report, "unet"));
    GError *e = NULL;
    g_assert_null(sfu_model_report(broken, FALSE, &e));
    g_assert_error(e, SFU_ERROR, SFU_ERROR_MODEL);
    g_error_free(e);
    g_ptr_array_unref(models);
    g_remove(broken);
    for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
        char *to = g_build_filename(alone, kept[i], NULL);
        g_remove(to);
        g_free(to);
    }
    g_rmdir(alone);
    g_free(alone);
    g_free(best);
    g_free(report);
    g_free(broken);
    g_free(folder);
    g_free(a);
    g_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    engine = parity_engine_open();
    if (!engine)
        return 0;
    GError *e = NULL;
    dir = g_dir_make_tmp("sfumato-behaviour-XXXXXX", &e);
    g_assert_no_error(e);
    g_test_add_func("/pipe/prompts-in-parts", test_prompts_in_parts);
    g_test_add_func("/pipe/progress-and-previews", test_progress_and_previews);
    g_test_add_func("/pipe/taesd-previews-and-decodes", test_taesd_previews_and_decodes);
    g_test_add_func("/pipe/another-vae-between-runs", test_another_vae_between_runs);
    g_test_add_func("/pipe/cancel-within-a-step-and-run-again", test_cancel_within_a_step_and_run_again);
    g_test_add_func("/pipe/seeds", test_seeds);
    g_test_add_func("/pipe/parameters-as-used-make-the-picture-again", test_parameters_as_used_make_the_picture_again);
    g_test_add_func("/pipe/only-the-feathered-mask-changes", test_only_the_feathered_mask_changes);
    g_test_add_func("/pipe/masked-content-by-patches", test_masked_content_by_patches);
    g_test_add_func("/pipe/nothing-is-taken-from-an-excluded-area", test_nothing_is_taken_from_an_excluded_area);
    g_test_add_func("/pipe/strange-pictures-and-masks", test_strange_pictures_and_masks);
    g_test_add_func("/pipe/large-regions-are-refined", test_large_regions_are_refined);
    g_test_add_func("/pipe/outpaint", test_outpaint);
    g_test_add_func("/pipe/nothing-is-spent-on-what-stays", test_nothing_is_spent_on_what_stays);
    g_test_add_func("/pipe/soft-mask-changes-by-its-own-strength", test_soft_mask_changes_by_its_own_strength);
    g_test_add_func("/pipe/enlarging", test_enlarging);
    g_test_add_func("/pipe/tiles-leave-no-seam", test_tiles_leave_no_seam);
    g_test_add_func("/pipe/seamless-pictures-move-with-their-noise", test_seamless_pictures_move_with_their_noise);
    g_test_add_func("/pipe/seamless-in-little-memory", test_seamless_in_little_memory);
    g_test_add_func("/pipe/small-budget-gives-the-same-picture", test_small_budget_gives_the_same_picture);
    g_test_add_func("/pipe/bad-input-is-refused-in-one-sentence", test_bad_input_is_refused_in_one_sentence);
    g_test_add_func("/pipe/nan-is-reported-with-its-block", test_nan_is_reported_with_its_block);
    g_test_add_func("/pipe/hostile-prompts", test_hostile_prompts);
    g_test_add_func("/pipe/trace-and-noise-files", test_trace_and_noise_files);
    g_test_add_func("/pipe/models-are-listed", test_models_are_listed);
    const int rc = g_test_run();
    sfu_engine_free(engine);
    parity_data_close();
    g_rmdir(dir);
    g_free(dir);
    gegl_exit();
    return rc;
}
