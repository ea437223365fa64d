/* Whole pipelines against diffusers: the same small models, pictures and noise, ten steps (make-pipelines.py made the
 * data). Final latents and decoded pictures must agree to 1e-3 in fp32. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>
#include <glib/gstdio.h>

#include "models.h"
#include "sfumato.h"

#define SIDE 128
#define TOLERANCE 1e-3 /* ten steps with guidance 7 multiply the networks' 1e-5 */

static SfuEngine *engine;
static char *latent_file;

/* picture() of make-pipelines.py: 8 x 8 values of 8 bits in nearest-neighbour cells. */
static GeglBuffer *picture(const char *name, int w, int h)
{
    gint32 k[8 * 8 * 3];
    parity_hash(name, G_N_ELEMENTS(k), k);
    guint8 *px = g_malloc((gsize)w * h * 3);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++)
                px[(y * w + x) * 3 + c] = (guint8)((k[(y * 8 / h * 8 + x * 8 / w) * 3 + c] + 1024) / 8);
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(0, 0, w, h), babl_format("R'G'B' u8"));
    gegl_buffer_set(b, NULL, 0, babl_format("R'G'B' u8"), px, GEGL_AUTO_ROWSTRIDE);
    g_free(px);
    return b;
}

static GeglBuffer *box_mask(int x, int y, int w, int h)
{
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(x, y, w, h), babl_format("Y float"));
    GeglColor *white = gegl_color_new("white");
    gegl_buffer_set_color(b, NULL, white);
    g_object_unref(white);
    return b;
}

static SfuParams *params(const char *model, const char *text)
{
    SfuParams *p = sfu_params_new();
    GError *e = NULL;
    char *path = parity_model_path(model, NULL);
    char **pairs = g_strsplit(text, " ", -1);
    sfu_params_set(p, "prompt", "a photo of a cat", &e);
    sfu_params_set(p, "steps", "10", &e);
    sfu_params_set(p, "seed", "7", &e);
    sfu_params_set(p, "model", path, &e);
    for (int i = 0; pairs[i] && pairs[i + 1]; i += 2) {
        sfu_params_set(p, pairs[i], pairs[i + 1], &e);
        g_assert_no_error(e);
    }
    g_strfreev(pairs);
    g_free(path);
    return p;
}

/* Block means of the first three channels. */
static float *means(GeglBuffer *b, int block)
{
    const int w = gegl_buffer_get_width(b) / block, h = gegl_buffer_get_height(b) / block;
    const GeglRectangle *e = gegl_buffer_get_extent(b);
    float *px = g_new(float, (gsize)e->width * e->height * 3), *o = g_new0(float, (gsize)w *h * 3);
    gegl_buffer_get(b, e, 1, babl_format("R'G'B' float"), px, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    for (int y = 0; y < h * block; y++)
        for (int x = 0; x < w * block; x++)
            for (int c = 0; c < 3; c++)
                o[((y / block) * w + x / block) * 3 + c] += px[(y * e->width + x) * 3 + c] / (block * block);
    g_free(px);
    return o;
}

/* Runs the job; the latents are compared with those of `name`, the picture too if block > 0. */
static SfuResult *check(const char *name, SfuTask task, SfuParams *p, GeglBuffer *in, GeglBuffer *mask, int block)
{
    GError *e = NULL;
    const SfuJob job = {.task = task, .params = p, .picture = in, .mask = mask, .latent_file = latent_file};
    GPtrArray *results = sfu_engine_run(engine, &job, &e);
    g_assert_no_error(e);
    g_assert_cmpuint(results->len, ==, 1);
    char *key = g_strconcat(name, "/latent", NULL);
    gint64 n;
    const float *want = parity_expected(key, &n);
    g_free(key);
    SfuFile *f = sfu_file_open(latent_file, &e);
    g_assert_no_error(e);
    const SfuFileTensor *t = g_ptr_array_index(f->tensors, 0);
    g_assert_cmpint(t->n_elements, ==, n);
    double error = parity_error((const float *)(gconstpointer)t->data, want, n);
    g_test_message("%s: latents off by %.2e", name, error);
    g_assert_cmpfloat(error, <, TOLERANCE);
    sfu_file_close(f);
    SfuResult *r = g_ptr_array_steal_index(results, 0);
    if (block > 0) {
        key = g_strconcat(name, "/picture", NULL);
        want = parity_expected(key, &n);
        g_free(key);
        float *got = means(r->picture, block);
        error = parity_error(got, want, n);
        g_test_message("%s: picture off by %.2e", name, error);
        g_assert_cmpfloat(error, <, TOLERANCE);
        g_free(got);
    }
    g_ptr_array_unref(results);
    sfu_params_free(p);
    return r;
}

static void test_txt2img(void)
{
    SfuParams *p = params("sd1", "sampler euler schedule normal width 128 height 96");
    sfu_result_free(check("sd1-txt2img", SFU_TASK_TXT2IMG, p, NULL, NULL, 8));
}

static void test_step_cache(void)
{
    SfuParams *p = params("sd1", "sampler euler schedule normal width 128 height 96 step_cache 3");
    sfu_result_free(check("sd1-cached", SFU_TASK_TXT2IMG, p, NULL, NULL, 8));
}

static void test_img2img(void)
{
    GeglBuffer *in = picture("sd1", SIDE, SIDE);
    SfuParams *p = params("sd1", "sampler ddim schedule leading strength 0.6");
    sfu_result_free(check("sd1-img2img", SFU_TASK_IMG2IMG, p, in, NULL, 8));
    g_object_unref(in);
}

static void outside_is_untouched(const SfuResult *r, GeglBuffer *in)
{
    GeglBuffer *out = sfu_result_composite(r, in);
    guint8 a[SIDE * SIDE * 3], b[SIDE * SIDE * 3];
    gegl_buffer_get(in, NULL, 1, babl_format("R'G'B' u8"), a, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    gegl_buffer_get(out, NULL, 1, babl_format("R'G'B' u8"), b, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    int changed = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const gboolean same = memcmp(a + (y * SIDE + x) * 3, b + (y * SIDE + x) * 3, 3) == 0;
            if (x < 40 || x >= 104 || y < 32 || y >= 88)
                g_assert_true(same);
            changed += !same;
        }
    g_assert_cmpint(changed, >, 1000);
    g_object_unref(out);
}

#define PLAIN_MASK " grow 0 feather 0 color_match false"

static void test_inpaint_by_blending(void)
{
    GeglBuffer *in = picture("sd1", SIDE, SIDE), *mask = box_mask(40, 32, 64, 56);
    SfuParams *p = params("sd1", "sampler euler schedule normal strength 0.8 masked_content original" PLAIN_MASK);
    SfuResult *r = check("sd1-inpaint-blend", SFU_TASK_INPAINT, p, in, mask, 0);
    outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
}

static void test_inpaint_with_9_channels(void)
{
    GeglBuffer *in = picture("sd1-inpaint", SIDE, SIDE), *mask = box_mask(40, 32, 64, 56);
    SfuParams *p = params("sd1-inpaint", "sampler euler schedule normal strength 1 masked_content nothing" PLAIN_MASK);
    SfuResult *r = check("sd1-inpaint-9", SFU_TASK_INPAINT, p, in, mask, 0);
    outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
}

static void test_edit(void)
{
    GeglBuffer *in = picture("sd1-edit", SIDE, SIDE);
    SfuParams *p = params("sd1-edit", "sampler euler schedule normal image_guidance 1.5");
    sfu_result_free(check("sd1-edit", SFU_TASK_EDIT, p, in, NULL, 8));
    g_object_unref(in);
}

static void test_sd2_v_prediction(void)
{
    SfuParams *p = params("sd2", "sampler ddim schedule trailing guidance_rescale 0.7");
    sfu_result_free(check("sd2-txt2img", SFU_TASK_TXT2IMG, p, NULL, NULL, 8));
}

static void test_x4_upscaler(void)
{
    GeglBuffer *in = picture("x4", 24, 16);
    SfuParams *p = params("x4", "sampler ddim schedule leading scale 4 noise_level 20");
    sfu_result_free(check("x4", SFU_TASK_UPSCALE, p, in, NULL, 0));
    g_object_unref(in);
}

static void test_mini_inpaint(void)
{
    GeglBuffer *in = picture("mini", SIDE, SIDE), *mask = box_mask(41, 33, 61, 54);
    SfuParams *p = params("mini", "steps 8 strength 1" PLAIN_MASK);
    SfuResult *r = check("mini-inpaint", SFU_TASK_INPAINT, p, in, mask, 0);
    outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
}

static void test_mini_upscale(void)
{
    GeglBuffer *in = picture("mini-low", 64, 48);
    SfuParams *p = params("mini", "steps 0 scale 2");
    SfuResult *r = check("mini-upscale2", SFU_TASK_UPSCALE, p, in, NULL, 0);
    g_assert_cmpint(gegl_buffer_get_width(r->picture), ==, 128);
    g_assert_cmpint(gegl_buffer_get_height(r->picture), ==, 96);
    sfu_result_free(r);
    g_object_unref(in);
}

static void test_mini_on_pixels(void)
{
    GeglBuffer *in = gegl_buffer_new(GEGL_RECTANGLE(0, 0, SIDE, SIDE), babl_format("R'G'B' float")),
               *mask = box_mask(41, 33, 61, 54);
    const float color[] = {0.25f, 0.5f, 0.75f};
    gegl_buffer_set_color_from_pixel(in, NULL, color, babl_format("R'G'B' float"));
    SfuParams *p = params("mini-pixels", "steps 2 strength 1" PLAIN_MASK);
    SfuResult *r = check("mini-pixels", SFU_TASK_INPAINT, p, in, mask, 0);
    outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    engine = parity_engine_open();
    if (!engine)
        return 0;
    GError *e = NULL;
    char *dir = g_dir_make_tmp("sfumato-pipelines-XXXXXX", &e);
    g_assert_no_error(e);
    latent_file = g_build_filename(dir, "latent.safetensors", NULL);
    g_test_add_func("/pipelines/txt2img", test_txt2img);
    g_test_add_func("/pipelines/step-cache", test_step_cache);
    g_test_add_func("/pipelines/img2img", test_img2img);
    g_test_add_func("/pipelines/inpaint-by-blending", test_inpaint_by_blending);
    g_test_add_func("/pipelines/inpaint-with-9-channels", test_inpaint_with_9_channels);
    g_test_add_func("/pipelines/edit", test_edit);
    g_test_add_func("/pipelines/sd2-v-prediction", test_sd2_v_prediction);
    g_test_add_func("/pipelines/x4-upscaler", test_x4_upscaler);
    g_test_add_func("/pipelines/mini-inpaint", test_mini_inpaint);
    g_test_add_func("/pipelines/mini-on-pixels", test_mini_on_pixels);
    g_test_add_func("/pipelines/mini-upscale", test_mini_upscale);
    const int rc = g_test_run();
    sfu_engine_free(engine);
    parity_data_close();
    g_remove(latent_file);
    g_rmdir(dir);
    g_free(latent_file);
    g_free(dir);
    gegl_exit();
    return rc;
}
