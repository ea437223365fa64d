/* Whole pipelines against diffusers: the same small models, pictures and noise, ten steps (make-pipelines.py made the
 * data). Final latents and decoded pictures must agree to 1e-3 in fp32. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "runs.h"

#define SIDE 128

static void test_txt2img(void)
{
    SfuParams *p = parity_params("sd1", "sampler euler schedule normal width 128 height 96");
    sfu_result_free(parity_check("sd1-txt2img", SFU_TASK_TXT2IMG, p, NULL, NULL, 8));
}

static void test_step_cache(void)
{
    SfuParams *p = parity_params("sd1", "sampler euler schedule normal width 128 height 96 step_cache 3");
    sfu_result_free(parity_check("sd1-cached", SFU_TASK_TXT2IMG, p, NULL, NULL, 8));
}

static void test_img2img(void)
{
    GeglBuffer *in = parity_picture("sd1", SIDE, SIDE);
    SfuParams *p = parity_params("sd1", "sampler ddim schedule leading strength 0.6");
    sfu_result_free(parity_check("sd1-img2img", SFU_TASK_IMG2IMG, p, in, NULL, 8));
    g_object_unref(in);
}

#define PLAIN_MASK " grow 0 feather 0 color_match false"

static void test_inpaint_by_blending(void)
{
    GeglBuffer *in = parity_picture("sd1", SIDE, SIDE), *mask = parity_box_mask(40, 32, 64, 56);
    SfuParams *p =
        parity_params("sd1", "sampler euler schedule normal strength 0.8 masked_content original" PLAIN_MASK);
    SfuResult *r = parity_check("sd1-inpaint-blend", SFU_TASK_INPAINT, p, in, mask, 0);
    parity_outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
}

static void test_inpaint_with_9_channels(void)
{
    GeglBuffer *in = parity_picture("sd1-inpaint", SIDE, SIDE), *mask = parity_box_mask(40, 32, 64, 56);
    SfuParams *p =
        parity_params("sd1-inpaint", "sampler euler schedule normal strength 1 masked_content nothing" PLAIN_MASK);
    SfuResult *r = parity_check("sd1-inpaint-9", SFU_TASK_INPAINT, p, in, mask, 0);
    parity_outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
}

static void test_edit(void)
{
    GeglBuffer *in = parity_picture("sd1-edit", SIDE, SIDE);
    SfuParams *p = parity_params("sd1-edit", "sampler euler schedule normal image_guidance 1.5");
    sfu_result_free(parity_check("sd1-edit", SFU_TASK_EDIT, p, in, NULL, 8));
    g_object_unref(in);
}

static void test_sd2_v_prediction(void)
{
    SfuParams *p = parity_params("sd2", "sampler ddim schedule trailing guidance_rescale 0.7");
    sfu_result_free(parity_check("sd2-txt2img", SFU_TASK_TXT2IMG, p, NULL, NULL, 8));
}

static void test_x4_upscaler(void)
{
    GeglBuffer *in = parity_picture("x4", 24, 16);
    SfuParams *p = parity_params("x4", "sampler ddim schedule leading scale 4 noise_level 20");
    sfu_result_free(parity_check("x4", SFU_TASK_UPSCALE, p, in, NULL, 0));
    g_object_unref(in);
}

static void test_mini_inpaint(void)
{
    GeglBuffer *in = parity_picture("mini", SIDE, SIDE), *mask = parity_box_mask(41, 33, 61, 54);
    /* The reference encodes the picture with what is under the mask, and cells at the hole's rim keep that. */
    SfuParams *p = parity_params("mini", "steps 8 strength 1 masked_content original" PLAIN_MASK);
    SfuResult *r = parity_check("mini-inpaint", SFU_TASK_INPAINT, p, in, mask, 0);
    parity_outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
}

static void test_mini_upscale(void)
{
    GeglBuffer *in = parity_picture("mini-low", 64, 48);
    SfuParams *p = parity_params("mini", "steps 0 scale 2");
    SfuResult *r = parity_check("mini-upscale2", SFU_TASK_UPSCALE, p, in, NULL, 0);
    g_assert_cmpint(gegl_buffer_get_width(r->picture), ==, 128);
    g_assert_cmpint(gegl_buffer_get_height(r->picture), ==, 96);
    sfu_result_free(r);
    g_object_unref(in);
}

static void test_mini_on_pixels(void)
{
    GeglBuffer *in = gegl_buffer_new(GEGL_RECTANGLE(0, 0, SIDE, SIDE), babl_format("R'G'B' float")),
               *mask = parity_box_mask(41, 33, 61, 54);
    const float color[] = {0.25f, 0.5f, 0.75f};
    gegl_buffer_set_color_from_pixel(in, NULL, color, babl_format("R'G'B' float"));
    SfuParams *p = parity_params("mini-pixels", "steps 2 strength 1" PLAIN_MASK);
    SfuResult *r = parity_check("mini-pixels", SFU_TASK_INPAINT, p, in, mask, 0);
    parity_outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!parity_runs_open())
        return 0;
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
    parity_runs_close();
    return rc;
}
