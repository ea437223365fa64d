/* FLUX.2's pipelines against diffusers' (make-flux2.py made the data): the same small models, prompt, pictures and
 * noise, four steps. Final latents and decoded pictures must agree to 1e-3 in fp32; a reference that is not seen makes
 * 6e-3. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <unistd.h>

#include "runs.h"
#include "pipe/pipe.h"

#define W 144
#define H 128

static SfuEngine *engine; /* of runs.c */
static char *noise_file;

static SfuParams *params(const char *model, const char *text)
{
    char *all = g_strconcat("steps 4 ", text, NULL);
    SfuParams *p = parity_params(model, all);
    g_free(all);
    return p;
}

/* Latents, and pictures that are whole, are compared with those of `name`. Takes p. */
static SfuResult *check(const char *name, SfuJob job, SfuParams *p)
{
    job.noise_file = noise_file;
    return parity_check_job(name, job, p, job.mask ? 0 : 8);
}

static void test_txt2img(void)
{
    sfu_result_free(check("pipe-txt2img", (SfuJob){.task = SFU_TASK_TXT2IMG}, params("pipe", "width 144 height 128")));
}

/* A file that holds the text encoder and the autoencoder, too: nothing else is looked for. */
static void test_whole(void)
{
    SfuParams *p = params("pipe-whole", "width 144 height 128");
    sfu_result_free(check("pipe-txt2img", (SfuJob){.task = SFU_TASK_TXT2IMG}, p));
}

/* The base model has a second branch without the words. */
static void test_guided(void)
{
    SfuParams *p = params("pipe-base", "width 144 height 128");
    sfu_result_free(check("pipe-guided", (SfuJob){.task = SFU_TASK_TXT2IMG}, p));
}

static void test_edit(void)
{
    GeglBuffer *in = parity_picture("pipe", W, H);
    SfuParams *p = params("pipe", "working_size 144");
    sfu_result_free(check("pipe-edit", (SfuJob){.task = SFU_TASK_EDIT, .picture = in}, p));
    g_object_unref(in);
}

static void edit_with_two(const char *name, const char *more)
{
    GeglBuffer *in = parity_picture("pipe", W, H), *other = parity_picture("other", 64, 80);
    SfuParams *p = params("pipe", more);
    const SfuJob job = {.task = SFU_TASK_EDIT, .picture = in, .references = &other, .n_references = 1};
    sfu_result_free(check(name, job, p));
    g_object_unref(in);
    g_object_unref(other);
}

static void test_two_references(void)
{
    edit_with_two("pipe-two-references", "working_size 144");
}
static void test_kept_references(void)
{
    edit_with_two("pipe-kept", "working_size 144 keep_references true");
}

static void outside_is_untouched(const SfuResult *r, GeglBuffer *in)
{
    g_assert_cmpint(parity_changed_inside(r, in, (GeglRectangle){48, 32, 64, 64}), >, 1000);
}

#define PLAIN " working_size 144 grow 0 feather 0 color_match false"

static void run_masked(SfuTask task)
{
    GeglBuffer *in = parity_picture("pipe", W, H), *mask = parity_box_mask(48, 32, 64, 64);
    const char *more = task == SFU_TASK_INPAINT ? "strength 1" PLAIN : "seed 1" PLAIN;
    SfuResult *r = check("pipe-inpaint", (SfuJob){.task = task, .picture = in, .mask = mask}, params("pipe", more));
    outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
}

static void test_inpaint(void)
{
    run_masked(SFU_TASK_INPAINT);
}
/* An instruction for a selection is masked sampling too. */
static void test_edit_of_a_selection(void)
{
    run_masked(SFU_TASK_EDIT);
}

/* As objects are erased: a LoRA, an embedding in place of the prompt, and the mask as a second reference. No text
 * encoder is needed. */
static void test_erase(void)
{
    const ParityTensor states[] = {{"hidden_states", {512, 48}}, {NULL}};
    GeglBuffer *in = parity_picture("pipe", W, H), *mask = parity_box_mask(48, 32, 64, 64);
    char *lora = parity_model_path("erase", NULL),
         *embedding = parity_file_write("erase-embedding.safetensors", states, NULL),
         *more = g_strdup_printf("strength 1" PLAIN " show_mask true lora %s text_embedding %s", lora, embedding);
    SfuResult *r =
        check("pipe-erase", (SfuJob){.task = SFU_TASK_INPAINT, .picture = in, .mask = mask}, params("pipe", more));
    outside_is_untouched(r, in);
    sfu_result_free(r);
    g_object_unref(in);
    g_object_unref(mask);
    g_free(lora);
    g_free(embedding);
    g_free(more);
}

/* The transformer, the autoencoder and the text encoder in files of their own, laid out as ComfyUI does. */
static void move(const char *from, const char *to_folder, const char *name)
{
    char *dir = g_build_filename(parity_runs_folder(), to_folder, NULL), *to = g_build_filename(dir, name, NULL);
    g_mkdir_with_parents(dir, 0700);
    g_assert_cmpint(symlink(from, to), ==, 0);
    g_free(dir);
    g_free(to);
}

static void expect_message(SfuParams *p, SfuJob job, const char *part)
{
    GError *e = NULL;
    job.params = p;
    g_assert_null(sfu_engine_run(engine, &job, &e));
    g_assert_nonnull(e);
    g_test_message("%s", e->message);
    if (!strstr(e->message, part))
        g_error("\"%s\" does not say \"%s\"", e->message, part);
    g_error_free(e);
    sfu_params_free(p);
}

/* The model that test_pieces() lays out. */
static SfuParams *params_of_pieces(void)
{
    SfuParams *p = params("pipe", "width 144 height 128");
    char *model = g_build_filename(parity_runs_folder(), "diffusion_models", "klein.safetensors", NULL);
    sfu_params_set(p, "model", model, NULL);
    g_free(model);
    return p;
}

static void test_pieces(void)
{
    char *whole = parity_model_path("pipe", NULL),
         *transformer = g_build_filename(whole, "transformer", "diffusion_pytorch_model.safetensors", NULL),
         *vae = g_build_filename(whole, "vae", "diffusion_pytorch_model.safetensors", NULL),
         *text = g_build_filename(whole, "text_encoder", "model.safetensors", NULL);
    move(transformer, "diffusion_models", "klein.safetensors");
    const SfuJob job = {.task = SFU_TASK_TXT2IMG};
    expect_message(params_of_pieces(), job, "diffusion_models");
    sfu_engine_unload(engine);
    move(vae, "vae", "flux2-vae.safetensors");
    expect_message(params_of_pieces(), job, "text encoder");
    sfu_engine_unload(engine);
    move(text, "text_encoders", "qwen_3_4b.safetensors");
    sfu_result_free(check("pipe-txt2img", job, params_of_pieces()));
    g_free(whole);
    g_free(transformer);
    g_free(vae);
    g_free(text);
}

static void test_bad_references(void)
{
    GeglBuffer *in = parity_picture("pipe", W, H), *many[30], *dot = parity_picture("dot", 1, 1);
    for (int i = 0; i < 30; i++)
        many[i] = in;
    const SfuJob thirty = {.task = SFU_TASK_EDIT, .picture = in, .references = many, .n_references = 30},
                 tiny = {.task = SFU_TASK_EDIT, .picture = in, .references = &dot, .n_references = 1};
    expect_message(params("pipe", ""), thirty, "takes at most 9 reference pictures");
    expect_message(params("pipe", ""), tiny, "has 1 x 1 pixels");
    g_object_unref(in);
    g_object_unref(dot);
}

int main(int argc, char **argv)
{
    GError *e = NULL;
    g_test_init(&argc, &argv, NULL);
    const char *folder = parity_runs_folder();
    g_setenv("SFUMATO_MODELS", folder, TRUE); /* nothing that lies elsewhere is found */
    g_setenv("XDG_DATA_HOME", folder, TRUE);
    parity_runs_keep_here();
    engine = parity_runs_open();
    if (!engine)
        return 0;
    noise_file = g_build_filename(folder, "noise.safetensors", NULL);
    float *noise = parity_input("pipe/noise", (W / 16) * (H / 16) * 128, 1);
    sfu_tensorfile_write(noise_file, "noise", noise, (SfuShape){1, H / 16, W / 16, 128}, &e);
    g_assert_no_error(e);
    g_free(noise);
    g_test_add_func("/flux2-pipelines/txt2img", test_txt2img);
    g_test_add_func("/flux2-pipelines/whole", test_whole);
    g_test_add_func("/flux2-pipelines/guided", test_guided);
    g_test_add_func("/flux2-pipelines/edit", test_edit);
    g_test_add_func("/flux2-pipelines/two-references", test_two_references);
    g_test_add_func("/flux2-pipelines/kept-references", test_kept_references);
    g_test_add_func("/flux2-pipelines/inpaint", test_inpaint);
    g_test_add_func("/flux2-pipelines/edit-of-a-selection", test_edit_of_a_selection);
    g_test_add_func("/flux2-pipelines/erase", test_erase);
    g_test_add_func("/flux2-pipelines/pieces", test_pieces);
    g_test_add_func("/flux2-pipelines/bad-references", test_bad_references);
    const int rc = g_test_run();
    parity_runs_close();
    g_free(noise_file);
    return rc;
}
