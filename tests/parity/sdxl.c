/* Stable Diffusion XL against diffusers: UNets with added conditions to 1e-4, whole pipelines to 1e-3, and the single
 * file beside the folder of the same weights to the bit (make-sdxl.py made the data).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gstdio.h>

#include "net/net.h"
#include "runs.h"

#define NET_TOLERANCE 1e-4 /* fp32: sums of some thousand terms in another order, through some hundred layers */
#define WIDTH 96           /* of the context */
#define POOLED 48

static SfuEngine *engine;

/* [n][m] of the case's lists; caller frees. */
static float *rows(JsonObject *o, const char *name, int n, int *m)
{
    JsonArray *a = json_object_get_array_member(o, name);
    *m = (int)json_array_get_length(json_array_get_array_element(a, 0));
    float *v = g_new(float, n **m);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < *m; j++)
            v[i * *m + j] = (float)json_array_get_double_element(json_array_get_array_element(a, (guint)i), (guint)j);
    return v;
}

static void run_unet(SfuQueue *q, JsonObject *o)
{
    GError *error = NULL;
    const char *name = json_object_get_string_member(o, "name");
    const int n = parity_int(o, "n"), n_context = parity_int(o, "context_n");
    float timesteps[4];
    for (int i = 0; i < n; i++)
        timesteps[i] = (float)json_array_get_double_element(json_object_get_array_member(o, "timesteps"), (guint)i);
    SfuUnet *u = sfu_unet_create(q, parity_model(json_object_get_string_member(o, "model")), &error);
    g_assert_no_error(error);
    SfuTensor *x = parity_upload(q, name, "x", n, parity_int(o, "h"), parity_int(o, "w"), 4, 1), *y = NULL,
              *context = parity_upload(q, name, "context", n_context, 1, 77, WIDTH, 1);
    char *pooled_name = g_strdup_printf("%s/pooled", name);
    float *pooled = parity_input(pooled_name, n_context * POOLED, 1);
    SfuCondition c = {.tokens = context, .n = n_context, .pooled = pooled, .pooled_width = POOLED};
    float *numbers = rows(o, "numbers", n_context, &c.n_numbers);
    c.numbers = numbers;
    sfu_unet_set_condition(u, &c, &error);
    g_assert_no_error(error);
    sfu_unet_forward(u, &y, &(SfuDenoiserInput){.x = x, .timesteps = timesteps}, &error);
    g_assert_no_error(error);
    parity_compare_tensor(name, "out", y, NET_TOLERANCE);
    /* Conditions of another width are refused. */
    c.n_numbers--;
    g_assert_false(sfu_unet_set_condition(u, &c, &error));
    g_assert_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE);
    g_assert_nonnull(strstr(error->message, "added conditions"));
    g_clear_error(&error);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(context);
    g_free(pooled);
    g_free(numbers);
    g_free(pooled_name);
    sfu_unet_destroy(u);
}

static void test_networks(gconstpointer kernels)
{
    GError *error = NULL;
    const SfuQueueOptions options = {.precision = SFU_PRECISION_FP32, .kernels = GPOINTER_TO_INT(kernels)};
    SfuQueue *q = sfu_queue_create(&options, &error);
    g_assert_no_error(error);
    JsonArray *cases = parity_cases();
    for (guint i = 0; i < json_array_get_length(cases); i++)
        run_unet(q, json_array_get_object_element(cases, i));
    sfu_queue_destroy(q);
}

#define V_EULER "sampler euler schedule trailing guidance 2 guidance_rescale 0.7 width 128 height 96"
#define EULER "sampler euler schedule normal width 128 height 96"

static void draw(const char *name, const char *model, const char *text)
{
    SfuResult *r = parity_check(name, SFU_TASK_TXT2IMG, parity_params(model, text), NULL, NULL, 8);
    sfu_result_free(r);
}

static void test_txt2img(void)
{
    draw("base-txt2img", "base", EULER);
}

/* Clip skip 1 and 2 mean what XL does anyway, as the web UI's users take it. */
static void test_clip_skip(void)
{
    draw("base-txt2img", "base", EULER " clip_skip 1");
    draw("base-txt2img", "base", EULER " clip_skip 2");
    draw("base-skip3", "base", EULER " clip_skip 3");
}

static void test_sizes(void)
{
    draw("base-sizes", "base", EULER " original_height 512 original_width 640 crop_top 24 crop_left 40");
}

static void test_v_prediction(void)
{
    draw("v-txt2img", "v", V_EULER);
}

static void test_img2img(void)
{
    GeglBuffer *in = parity_picture("base", PARITY_SIDE, PARITY_SIDE);
    SfuParams *p = parity_params("base", "sampler ddim schedule leading strength 0.6");
    sfu_result_free(parity_check("base-img2img", SFU_TASK_IMG2IMG, p, in, NULL, 8));
    g_object_unref(in);
}

static void paint(const char *name, const char *model, const char *text)
{
    GeglBuffer *in = parity_picture(model, PARITY_SIDE, PARITY_SIDE), *mask = parity_box_mask(40, 32, 64, 56);
    SfuResult *r = parity_check(name, SFU_TASK_INPAINT, parity_params(model, text), in, mask, 0);
    parity_outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
}

static void test_inpaint_by_blending(void)
{
    paint("base-inpaint-blend", "base",
          "sampler euler schedule normal strength 0.8 masked_content original grow 0 feather 0 color_match false");
}

static void test_inpaint_with_9_channels(void)
{
    paint("inpaint-9", "inpaint",
          "sampler euler schedule normal strength 1 masked_content nothing grow 0 feather 0 color_match false");
}

/* Fooocus' head and differences, named, and found as ComfyUI keeps them. */
static void test_fooocus(void)
{
    static const char blend[] =
        "sampler euler schedule normal strength 0.8 masked_content original grow 0 feather 0 color_match false";
    GError *e = NULL;
    char *head = parity_model_path("head", NULL), *dir = g_path_get_dirname(head), *bytes;
    char *text = g_strdup_printf("%s control %s lora %s", blend, head, PARITY_DATA "/fooocus.patch");
    paint("fooocus", "base", text);
    g_free(text);
    text = g_strdup_printf("%s control %s", EULER, head);
    GeglBuffer *in = parity_picture("base", PARITY_SIDE, PARITY_SIDE);
    SfuParams *p = parity_params("base", text);
    g_assert_null(sfu_engine_run(engine, &(SfuJob){.task = SFU_TASK_IMG2IMG, .params = p, .picture = in}, &e));
    g_assert_nonnull(strstr(e->message, "only fills holes"));
    g_clear_error(&e);
    sfu_params_free(p);
    g_object_unref(in);
    g_free(text);
    char *folder = g_build_filename(dir, "inpaint", NULL),
         *there = g_build_filename(folder, "fooocus_inpaint_head.safetensors", NULL),
         *patch = g_build_filename(folder, "inpaint_v26.fooocus.patch", NULL);
    gsize n;
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    g_assert_cmpint(g_rename(head, there), ==, 0);
    g_assert_true(g_file_get_contents(PARITY_DATA "/fooocus.patch", &bytes, &n, NULL) &&
                  g_file_set_contents(patch, bytes, (gssize)n, NULL));
    g_setenv("SFUMATO_MODELS", dir, TRUE);
    paint("fooocus", "base", blend);
    g_unsetenv("SFUMATO_MODELS");
    char *const all[] = {head, dir, bytes, folder, there, patch};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
        g_free(all[i]);
}

static void test_edit(void)
{
    GeglBuffer *in = parity_picture("edit", PARITY_SIDE, PARITY_SIDE);
    SfuParams *p = parity_params("edit", "sampler euler schedule normal image_guidance 1.5");
    sfu_result_free(parity_check("edit", SFU_TASK_EDIT, p, in, NULL, 8));
    g_object_unref(in);
}

static void test_refiner_alone(void)
{
    GeglBuffer *in = parity_picture("base", PARITY_SIDE, PARITY_SIDE);
    SfuParams *p = parity_params("refine", "sampler ddim schedule leading strength 0.6 aesthetic_score 5 "
                                           "negative_aesthetic_score 3");
    sfu_result_free(parity_check("refine-alone", SFU_TASK_IMG2IMG, p, in, NULL, 8));
    g_object_unref(in);
}

/* The pixels of a text-to-image run [128 x 96]; caller frees. */
static float *pixels(const char *model, const char *text)
{
    GError *e = NULL;
    SfuParams *p = parity_params(model, text);
    const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p};
    GPtrArray *results = sfu_engine_run(engine, &job, &e);
    g_assert_no_error(e);
    float *px = g_new(float, 128 * 96 * 3);
    gegl_buffer_get(((SfuResult *)results->pdata[0])->picture, GEGL_RECTANGLE(0, 0, 128, 96), 1,
                    babl_format("R'G'B' float"), px, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    g_ptr_array_unref(results);
    sfu_params_free(p);
    return px;
}

static void same_picture(const char *a, const char *b, const char *text)
{
    float *x = pixels(a, text), *y = pixels(b, text);
    g_assert_cmpmem(x, 128 * 96 * 3 * sizeof(float), y, 128 * 96 * 3 * sizeof(float));
    g_free(x);
    g_free(y);
}

/* The original's names, and stable-diffusion.cpp's of a folder; OpenCLIP's fused and transposed matrices, the marks of
 * v-prediction. */
static void test_single_files(void)
{
    draw("base-txt2img", "base-single", EULER);
    draw("v-txt2img", "v-single", V_EULER);
    same_picture("base", "base-single", EULER);
    same_picture("base", "base-joined", EULER);
    same_picture("refine", "refine-single", EULER);
}

static void test_refiner(void)
{
    char *path = parity_model_path("refine", NULL),
         *more = g_strdup_printf(EULER " refiner_start 0.7 refiner %s", path);
    draw("base-refined", "base", more);
    g_free(more);
    g_free(path);
}

static void test_lora(void)
{
    char *path = parity_model_path("lora", NULL), *more = g_strdup_printf(EULER " lora %s=0.5", path);
    draw("base-lora", "base", more);
    draw("base-lora", "base-single", more);
    g_free(more);
    g_free(path);
}

/* "what" in the sentence of a run that fails. */
static void fails(SfuParams *p, const char *what)
{
    GError *e = NULL;
    const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p};
    g_assert_null(sfu_engine_run(engine, &job, &e));
    g_assert_error(e, SFU_ERROR, SFU_ERROR_MODEL);
    if (!strstr(e->message, what))
        g_error("'%s' lacks '%s'", e->message, what);
    g_error_free(e);
    sfu_params_free(p);
}

static void test_other_refiner(void)
{
    char *path = parity_model_path("v", NULL), *more = g_strdup_printf(EULER " refiner %s", path);
    fails(parity_params("base", more), "its predictions differ");
    g_free(more);
    g_free(path);
    path = parity_model_path("inpaint", NULL);
    more = g_strdup_printf(EULER " refiner %s", path);
    fails(parity_params("base", more), "its latents differ");
    g_free(more);
    g_free(path);
}

/* As ComfyUI lays its folders out. */
static void test_parts(void)
{
    static const char *const keys[] = {"parts/vae", "parts/text_encoders/first", "parts/text_encoders/second"};
    fails(parity_params("parts/diffusion_models", EULER), "has no autoencoder");
    g_free(parity_model_path(keys[0], NULL));
    g_free(parity_model_path(keys[1], NULL));
    fails(parity_params("parts/diffusion_models", EULER), "has no second text encoder");
    g_free(parity_model_path(keys[2], NULL));
    draw("parts-txt2img", "parts/diffusion_models", EULER);
    char *first = parity_model_path(keys[1], NULL), *more = g_strdup_printf(EULER " text_2 %s", first);
    fails(parity_params("parts/diffusion_models", more), "holds no second text encoder");
    g_free(more);
    g_free(first);
}

static void test_lone_encoder(void)
{
    SfuModel *m = parity_model("clip-g");
    g_assert_true(sfu_model_has_part(m, SFU_PART_TEXT2));
    g_assert_false(sfu_model_has_part(m, SFU_PART_TEXT));
    g_assert_cmpint(sfu_model_text(m, SFU_PART_TEXT2)->projection, ==, 1280);
    g_assert_cmpint(sfu_model_strays(m)->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!(engine = parity_runs_open()))
        return 0;
    g_test_add_data_func("/sdxl/networks", GINT_TO_POINTER(SFU_KERNELS_AUTO), test_networks);
    g_test_add_data_func("/sdxl/networks-plain", GINT_TO_POINTER(SFU_KERNELS_PLAIN), test_networks);
    g_test_add_func("/sdxl/txt2img", test_txt2img);
    g_test_add_func("/sdxl/clip-skip", test_clip_skip);
    g_test_add_func("/sdxl/sizes", test_sizes);
    g_test_add_func("/sdxl/v-prediction", test_v_prediction);
    g_test_add_func("/sdxl/img2img", test_img2img);
    g_test_add_func("/sdxl/inpaint-by-blending", test_inpaint_by_blending);
    g_test_add_func("/sdxl/inpaint-with-9-channels", test_inpaint_with_9_channels);
    g_test_add_func("/sdxl/fooocus", test_fooocus);
    g_test_add_func("/sdxl/edit", test_edit);
    g_test_add_func("/sdxl/refiner-alone", test_refiner_alone);
    g_test_add_func("/sdxl/single-files", test_single_files);
    g_test_add_func("/sdxl/lora", test_lora);
    g_test_add_func("/sdxl/refiner", test_refiner);
    g_test_add_func("/sdxl/other-refiner", test_other_refiner);
    g_test_add_func("/sdxl/parts", test_parts);
    g_test_add_func("/sdxl/lone-encoder", test_lone_encoder);
    const int rc = g_test_run();
    parity_runs_close();
    return rc;
}
