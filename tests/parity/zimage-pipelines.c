/* Z-Image's pipelines against diffusers' (make-zimage.py made the data): the same small models, prompts, pictures and
 * noise, nine steps; prompts through the tokenizer, the encoder and the cache. Final latents and decoded pictures must
 * agree to 1e-3 in fp32. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <string.h>

#include "runs.h"

#define CHANGING "steps 8 strength 0.75 working_size 128"
/* Only the hole's own pixels are painted. */
#define EXACT CHANGING " masked_content original grow 0 feather 0 color_match false"

static SfuEngine *engine; /* of runs.c */
static char *latent_file;

static SfuParams *drawing(const char *model)
{
    return parity_params(model, "steps 9 width 128 height 96");
}

static void test_turbo(void)
{
    sfu_result_free(parity_check("turbo-txt2img", SFU_TASK_TXT2IMG, drawing("turbo"), NULL, NULL, 8));
}

/* Guidance with prompts of other lengths; diffusers' scale is ours less one. */
static void test_base(void)
{
    SfuParams *p = parity_params("base", "steps 9 width 128 height 96 guidance 5 negative blurry");
    sfu_result_free(parity_check("base-txt2img", SFU_TASK_TXT2IMG, p, NULL, NULL, 8));
}

static void test_img2img(void)
{
    GeglBuffer *in = parity_picture("zimage", PARITY_SIDE, PARITY_SIDE);
    SfuParams *p = parity_params("turbo", CHANGING);
    sfu_result_free(parity_check("turbo-img2img", SFU_TASK_IMG2IMG, p, in, NULL, 8));
    g_object_unref(in);
}

/* A selection is painted, and nothing else changes. */
static void test_inpaint(void)
{
    GeglBuffer *in = parity_picture("zimage", PARITY_SIDE, PARITY_SIDE), *mask = parity_box_mask(40, 32, 64, 56);
    SfuParams *p = parity_params("turbo", EXACT);
    SfuResult *r = parity_check("turbo-inpaint", SFU_TASK_INPAINT, p, in, mask, 0);
    parity_outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
}

/* Names of the original, with queries, keys and values in one matrix, and of kohya. */
static void test_lora(void)
{
    GError *e = NULL;
    char *path = parity_model_path("lora", NULL);
    SfuParams *p = drawing("turbo");
    sfu_params_set(p, "lora", path, &e);
    g_assert_no_error(e);
    sfu_result_free(parity_check("lora-txt2img", SFU_TASK_TXT2IMG, p, NULL, NULL, 8));
    g_free(path);
}

/* A ControlNet, whose picture goes through the model's own autoencoder. */
static void test_control(void)
{
    GError *e = NULL;
    char *path = parity_model_path("control", NULL), *spec = g_strconcat(path, "=a,weight=0.75,type=canny", NULL);
    GeglBuffer *picture = parity_picture("zimage", PARITY_SIDE, 96);
    SfuParams *p = drawing("turbo");
    sfu_params_add(p, "control", spec, &e);
    g_assert_no_error(e);
    const SfuJob job = {
        .task = SFU_TASK_TXT2IMG, .params = p, .controls = &picture, .n_controls = 1, .latent_file = latent_file};
    GPtrArray *r = sfu_engine_run(engine, &job, &e);
    g_assert_no_error(e);
    g_ptr_array_unref(r);
    parity_check_latents("turbo-control", latent_file);
    sfu_params_free(p);
    g_object_unref(picture);
    g_free(spec);
    g_free(path);
}

/* A ControlNet of 33 channels in a hole: beside its picture, or without one, it sees what is kept round the hole. */
static void check_hole(const char *name, const char *spec, const char *refusal)
{
    GError *e = NULL;
    char *path = parity_model_path(refusal ? "control" : "holes", NULL), *net = g_strconcat(path, spec, NULL);
    GeglBuffer *in = parity_picture("zimage", PARITY_SIDE, PARITY_SIDE), *mask = parity_box_mask(40, 32, 64, 56),
               *shown = strstr(spec, "=a") ? parity_picture("other", PARITY_SIDE, PARITY_SIDE) : NULL;
    SfuParams *p = parity_params("turbo", EXACT);
    sfu_params_add(p, "control", net, &e);
    g_assert_no_error(e);
    const SfuJob job = {.task = SFU_TASK_INPAINT,
                        .params = p,
                        .picture = in,
                        .mask = mask,
                        .controls = &shown,
                        .n_controls = 1,
                        .latent_file = latent_file};
    GPtrArray *r = sfu_engine_run(engine, &job, &e);
    if (refusal) {
        g_assert_null(r);
        g_assert_nonnull(e);
        g_assert_nonnull(strstr(e->message, refusal));
        g_clear_error(&e);
    } else {
        g_assert_no_error(e);
        g_ptr_array_unref(r);
        parity_check_latents(name, latent_file);
    }
    sfu_params_free(p);
    g_clear_object(&shown);
    g_object_unref(mask);
    g_object_unref(in);
    g_free(net);
    g_free(path);
}

static void test_holes(void)
{
    check_hole("turbo-hole-picture", "=a,weight=0.75", NULL);
    check_hole("turbo-hole", "=,weight=0.75,prepare=inpaint", NULL);
    check_hole("", "=,prepare=inpaint", "does not read a mask");
}

/* A transformer alone: autoencoder and text encoder are found beside it, as ComfyUI lays its folders out. */
static void test_pieces(void)
{
    const char *folder = parity_runs_folder();
    char *model = g_build_filename(folder, "diffusion_models", "z_image_turbo_bf16.safetensors", NULL);
    static const char *const keys[][2] = {{"piece-transformer", "diffusion_models/z_image_turbo_bf16.safetensors"},
                                          {"piece-vae", "vae/ae.safetensors"},
                                          {"piece-text", "text_encoders/qwen_3_4b.safetensors"}};
    GError *e = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        char *from = parity_model_path(keys[i][0], NULL), *to = g_build_filename(folder, keys[i][1], NULL),
             *dir = g_path_get_dirname(to);
        if (i == 2) { /* without the encoder: it is named, and where it was looked for */
            SfuParams *p = drawing("turbo");
            sfu_params_set(p, "model", model, &e);
            g_assert_no_error(e);
            g_assert_null(sfu_engine_run(engine, &(SfuJob){.task = SFU_TASK_TXT2IMG, .params = p}, &e));
            g_assert_error(e, SFU_ERROR, SFU_ERROR_MODEL);
            g_assert_nonnull(strstr(e->message, "text encoder"));
            g_assert_nonnull(strstr(e->message, folder));
            g_clear_error(&e);
            sfu_params_free(p);
        }
        g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
        g_assert_cmpint(g_rename(from, to), ==, 0);
        g_free(dir);
        g_free(from);
        g_free(to);
    }
    SfuParams *p = drawing("turbo");
    sfu_params_set(p, "model", model, &e);
    g_assert_no_error(e);
    sfu_result_free(parity_check("pieces-txt2img", SFU_TASK_TXT2IMG, p, NULL, NULL, 8));
    g_free(model);
}

/* ---- the prompts that are kept ---- */

static char *only_kept(void)
{
    char *dir = g_build_filename(g_get_user_cache_dir(), "sfumato", "prompts", NULL), *path = NULL;
    GDir *d = g_dir_open(dir, 0, NULL);
    g_assert_nonnull(d);
    const char *name = g_dir_read_name(d);
    g_assert_nonnull(name);
    path = g_build_filename(dir, name, NULL);
    g_assert_null(g_dir_read_name(d));
    g_dir_close(d);
    g_free(dir);
    return path;
}

static void forget_kept(void)
{
    char *dir = g_build_filename(g_get_user_cache_dir(), "sfumato", "prompts", NULL);
    GDir *d = g_dir_open(dir, 0, NULL);
    for (const char *name; d && (name = g_dir_read_name(d));) {
        char *path = g_build_filename(dir, name, NULL);
        g_remove(path);
        g_free(path);
    }
    g_clear_pointer(&d, g_dir_close);
    g_free(dir);
}

/* The same picture from a program that has nothing in memory. Takes p. */
static void check_anew(SfuParams *p)
{
    const SfuEngineOptions options = {.precision = "fp32"};
    GError *e = NULL;
    SfuEngine *other = sfu_engine_new(&options, &e);
    g_assert_no_error(e);
    const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p, .latent_file = latent_file};
    GPtrArray *results = sfu_engine_run(other, &job, &e);
    g_assert_no_error(e);
    g_ptr_array_foreach(results, (GFunc)(gpointer)sfu_result_free, NULL);
    g_ptr_array_set_free_func(results, NULL);
    g_ptr_array_unref(results);
    parity_check_latents("turbo-txt2img", latent_file);
    sfu_params_free(p);
    sfu_engine_free(other);
}

static gsize bytes_of(const char *path)
{
    char *text = NULL;
    gsize n = 0;
    g_assert_true(g_file_get_contents(path, &text, &n, NULL));
    g_free(text);
    return n;
}

/* A second program reads what the first has encoded; what is kept can be given as a file; a torn file is encoded again.
 */
static void test_kept(void)
{
    GError *e = NULL;
    forget_kept();
    check_anew(drawing("turbo"));
    char *kept = only_kept();
    const gsize n = bytes_of(kept);
    g_assert_cmpuint(n, >, 1000);
    check_anew(drawing("turbo"));
    SfuParams *p = drawing("turbo");
    sfu_params_set(p, "prompt", "", &e);
    sfu_params_set(p, "text_embedding", kept, &e);
    g_assert_no_error(e);
    check_anew(p);
    g_assert_true(g_file_set_contents(kept, "torn", 4, NULL));
    check_anew(drawing("turbo"));
    g_assert_cmpuint(bytes_of(kept), ==, n);
    g_free(kept);
    kept = only_kept();
    g_free(kept);
}

static void refused(const char *pairs, const char *path, const char *word)
{
    GError *e = NULL;
    SfuParams *p = parity_params("turbo", "steps 2 width 128 height 96");
    sfu_params_set(p, pairs, path, &e);
    g_assert_no_error(e);
    g_assert_null(sfu_engine_run(engine, &(SfuJob){.task = SFU_TASK_TXT2IMG, .params = p}, &e));
    g_assert_nonnull(e);
    g_test_message("%s", e->message);
    g_assert_nonnull(strstr(e->message, word));
    g_clear_error(&e);
    sfu_params_free(p);
}

static void test_refusals(void)
{
    char *wrong = parity_model_path("qwen3-wide", NULL), *other = parity_model_path("piece-vae", NULL),
         *sd3 = parity_model_path("sd3-vae", NULL);
    refused("text", wrong, "width");
    refused("text_embedding", other, "tokens");
    refused("text", other, "text encoder");
    refused("vae", wrong, wrong);
    refused("vae", sd3, "FLUX.1");
    g_free(wrong);
    g_free(other);
    g_free(sd3);
}

int main(int argc, char **argv)
{
    parity_runs_keep_here();
    g_test_init(&argc, &argv, NULL);
    engine = parity_runs_open();
    if (!engine)
        return 0;
    latent_file = g_build_filename(parity_runs_folder(), "latent.safetensors", NULL);
    g_test_add_func("/zimage-pipelines/turbo", test_turbo);
    g_test_add_func("/zimage-pipelines/base", test_base);
    g_test_add_func("/zimage-pipelines/img2img", test_img2img);
    g_test_add_func("/zimage-pipelines/inpaint", test_inpaint);
    g_test_add_func("/zimage-pipelines/lora", test_lora);
    g_test_add_func("/zimage-pipelines/control", test_control);
    g_test_add_func("/zimage-pipelines/holes", test_holes);
    g_test_add_func("/zimage-pipelines/pieces", test_pieces);
    g_test_add_func("/zimage-pipelines/kept", test_kept);
    g_test_add_func("/zimage-pipelines/refusals", test_refusals);
    const int rc = g_test_run();
    parity_runs_close();
    g_free(latent_file);
    return rc;
}
