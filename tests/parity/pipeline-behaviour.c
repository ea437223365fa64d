/* How pipelines behave apart from the numbers: progress, cancel, previews, seeds, prompts, memory, bad input, files. On
 * the small models of pipelines.json.gz.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include <glib/gstdio.h>

#include "../tree.h"
#include "small_models.h"
#include "pipe/pipe.h"
#include "scene.h"
#include "sfumato.h"

static SfuEngine *engine;
static char *dir;

/* ---- progress, cancel, previews ---- */

static void test_progress_and_previews(void)
{
    static const char *const with[] = {"linear", "vae", "auto"};
    for (guint i = 0; i < G_N_ELEMENTS(with); i++) {
        SceneWatch w = {0};
        GeglBuffer *in = scene_picture(5, 7, 160, 140, "R'G'B'A u8"), *m = scene_mask(60, 60, 30, 20, 1);
        SfuParams *p = scene_params("sd1", "sampler euler preview_every 1");
        sfu_params_set(p, "preview_with", with[i], NULL);
        const SfuJob job = {.task = SFU_TASK_INPAINT,
                            .params = p,
                            .picture = in,
                            .mask = m,
                            .cancel = &w.cancel,
                            .progress = scene_on_progress,
                            .preview = scene_on_preview,
                            .data = &w};
        GPtrArray *r = sfu_engine_run(engine, &job, NULL);
        g_assert_nonnull(r);
        g_assert_cmpint(w.n_denoise, ==, 4);
        g_assert_cmpint(w.last_step, ==, 4);
        g_assert_cmpint(w.n_previews, ==, 3); /* the last step is the result */
        g_assert_cmpfloat(w.fraction, >, 0.97);
        const GeglRectangle *e = gegl_buffer_get_extent(scene_first(r)->picture);
        g_assert_true(gegl_rectangle_equal(e, &w.extent));
        g_ptr_array_unref(r);
        sfu_params_free(p);
        g_object_unref(in);
        g_object_unref(m);
    }
}

static void keep_seconds(const SfuEstimate *e, gpointer seconds)
{
    *(double *)seconds = e->seconds;
}

/* What a job is told to take. */
static double told_seconds(void)
{
    double seconds = 0;
    SfuParams *p = scene_params("sd1", "sampler euler steps 1 width 64 height 64 prompt x");
    const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p, .estimate = keep_seconds, .data = &seconds};
    GPtrArray *r = sfu_engine_run(engine, &job, NULL);
    g_assert_nonnull(r);
    g_ptr_array_unref(r);
    sfu_params_free(p);
    return seconds;
}

/* A small network reaches a tenth of the rate of a large one: what one family was seen to take tells nothing of others.
 */
static void test_each_family_has_its_rate(void)
{
    sfu_queue_note_rate(engine->q, "denoise sd1", 1e10);
    const double before = told_seconds();
    g_assert_cmpfloat(before, >, 0);
    sfu_queue_note_rate(engine->q, "denoise mini", 1e7);
    g_assert_cmpfloat(told_seconds(), ==, before);
    sfu_queue_note_rate(engine->q, "denoise sd1", 1e12);
    g_assert_cmpfloat(told_seconds(), <, before);
}

static void test_taesd_previews_and_decodes(void)
{
    char *tiny = parity_model_path("taesd", NULL);
    GeglBuffer *in = scene_picture(0, 0, 128, 128, "R'G'B' u8");
    GPtrArray *r[2];
    for (int i = 0; i < 2; i++) {
        SceneWatch w = {0};
        SfuParams *p = scene_params("sd1", "sampler euler preview_every 1 strength 0.6");
        g_assert_true(sfu_params_set(p, i ? "vae" : "taesd", tiny, NULL));
        const SfuJob job = {.task = SFU_TASK_IMG2IMG,
                            .params = p,
                            .picture = in,
                            .progress = scene_on_progress,
                            .preview = scene_on_preview,
                            .data = &w};
        r[i] = sfu_engine_run(engine, &job, NULL);
        g_assert_nonnull(r[i]);
        g_assert_cmpint(w.n_previews, ==, 1); /* two steps, the last is the result */
        sfu_params_free(p);
    }
    g_assert_cmpfloat(scene_difference(scene_first(r[0])->picture, scene_first(r[1])->picture), >, 0.01);
    g_ptr_array_unref(r[0]);
    g_ptr_array_unref(r[1]);
    /* Latents of another kind are refused, not painted. */
    SfuParams *p = scene_params("mini", "");
    sfu_params_set(p, "taesd", tiny, NULL);
    GeglBuffer *m = scene_mask(10, 10, 20, 20, 1);
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m}, SFU_ERROR_MODEL);
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
        SfuParams *p = scene_params("sd1", "sampler euler width 128 height 96");
        if (i % 2)
            g_assert_true(sfu_params_set(p, "vae", tiny, NULL));
        r[i] = scene_run(engine, SFU_TASK_TXT2IMG, p, NULL, NULL);
        sfu_params_free(p);
    }
    g_assert_cmpfloat(scene_difference(scene_first(r[0])->picture, scene_first(r[1])->picture), >, 0.01);
    for (int i = 0; i < 2; i++)
        g_assert_cmpfloat(scene_difference(scene_first(r[i])->picture, scene_first(r[i + 2])->picture), ==, 0);
    for (int i = 0; i < 4; i++)
        g_ptr_array_unref(r[i]);
    g_free(tiny);
}

static void test_cancel_within_a_step_and_run_again(void)
{
    SceneWatch w = {.cancel_at = 2};
    SfuParams *p = scene_params("sd1", "sampler euler width 128 height 128");
    const SfuJob job = {
        .task = SFU_TASK_TXT2IMG, .params = p, .cancel = &w.cancel, .progress = scene_on_progress, .data = &w};
    scene_fails(engine, &job, SFU_ERROR_CANCELLED);
    g_assert_cmpint(w.last_step, ==, 2);
    GPtrArray *again = scene_run(engine, SFU_TASK_TXT2IMG, p, NULL, NULL);
    g_assert_cmpuint(again->len, ==, 1);
    g_ptr_array_unref(again);
    sfu_params_free(p);
}

/* ---- seeds ---- */

static void test_seeds(void)
{
    SfuParams *p = scene_params("sd1", "sampler euler_a width 128 height 96 count 2"),
              *q = scene_params("sd1", "sampler euler_a width 128 height 96 seed 12");
    GPtrArray *two = scene_run(engine, SFU_TASK_TXT2IMG, p, NULL, NULL),
              *one = scene_run(engine, SFU_TASK_TXT2IMG, q, NULL, NULL);
    SfuResult *second = g_ptr_array_index(two, 1);
    g_assert_cmpuint(two->len, ==, 2);
    g_assert_cmpuint(second->seed, ==, 12);
    g_assert_cmpfloat(sfu_params_get_double(second->params, "seed"), ==, 12);
    /* The second of a batch is the picture that its seed gives alone. */
    g_assert_cmpfloat(scene_difference(second->picture, scene_first(one)->picture), <, 1e-6);
    g_assert_cmpfloat(scene_difference(scene_first(two)->picture, second->picture), >, 0.01);
    sfu_params_set(q, "rng", "philox", NULL);
    GPtrArray *other = scene_run(engine, SFU_TASK_TXT2IMG, q, NULL, NULL);
    g_assert_cmpfloat(scene_difference(scene_first(other)->picture, second->picture), >, 0.01);
    g_ptr_array_unref(two);
    g_ptr_array_unref(one);
    g_ptr_array_unref(other);
    sfu_params_free(p);
    sfu_params_free(q);
}

static void test_parameters_as_used_make_the_picture_again(void)
{
    SfuParams *p = scene_params("mini", "steps 0 seed -1");
    GeglBuffer *in = scene_picture(0, 0, 130, 120, "R'G'B' u8"), *m = scene_mask(50, 40, 30, 30, 1);
    GPtrArray *a = scene_run(engine, SFU_TASK_INPAINT, p, in, m),
              *b = scene_run(engine, SFU_TASK_INPAINT, scene_first(a)->params, in, m);
    g_assert_cmpfloat(sfu_params_get_double(scene_first(a)->params, "seed"), >=, 0);
    g_assert_cmpfloat(sfu_params_get_double(scene_first(a)->params, "steps"), ==, 8); /* the model's own */
    g_assert_cmpfloat(scene_difference(scene_first(a)->picture, scene_first(b)->picture), <, 1e-6);
    g_ptr_array_unref(a);
    g_ptr_array_unref(b);
    sfu_params_free(p);
    g_object_unref(in);
    g_object_unref(m);
}

/* txt2img with these words; the pixels are the caller's. */
static float *say(const char *prompt, const char *negative, const char *sampler, double guidance, gint64 *n,
                  char **note)
{
    SfuParams *p = scene_params("sd1", "width 64 height 64 steps 4");
    sfu_params_set(p, "sampler", sampler, NULL);
    sfu_params_set(p, "prompt", prompt, NULL);
    sfu_params_set(p, "negative", negative, NULL);
    sfu_params_set_double(p, "guidance", guidance, NULL);
    GPtrArray *r = scene_run(engine, SFU_TASK_TXT2IMG, p, NULL, NULL);
    float *v = parity_pixels(scene_first(r)->picture, n);
    if (note)
        *note = g_strdup(scene_first(r)->note);
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
/* ---- memory ---- */

static void test_small_budget_gives_the_same_picture(void)
{
    SfuParams *p = scene_params("sd1", "sampler euler width 128 height 128");
    const SfuEngineOptions small = {.precision = "fp32", .memory_bytes = 24 * 1024 * 1024};
    GError *e = NULL;
    SfuEngine *other = sfu_engine_new(&small, &e);
    g_assert_no_error(e);
    GPtrArray *a = scene_run(engine, SFU_TASK_TXT2IMG, p, NULL, NULL),
              *b = scene_run(other, SFU_TASK_TXT2IMG, p, NULL, NULL);
    g_assert_cmpfloat(scene_difference(scene_first(a)->picture, scene_first(b)->picture), <, 1e-5);
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

/* ---- bad input ---- */

static void test_bad_input_is_refused_in_one_sentence(void)
{
    GeglBuffer *in = scene_picture(0, 0, 64, 64, "R'G'B' u8"), *m = scene_mask(10, 10, 20, 20, 1),
               *none = scene_mask(0, 0, 64, 64, 0), *away = scene_mask(900, 0, 9, 9, 1);
    SfuParams *p = scene_params("mini", "");
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .mask = m}, SFU_ERROR_USAGE);
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in}, SFU_ERROR_USAGE);
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = none}, SFU_ERROR_USAGE);
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = away}, SFU_ERROR_USAGE);
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_TXT2IMG, .params = p}, SFU_ERROR_MODEL); /* needs words */
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_EDIT, .params = p, .picture = in}, SFU_ERROR_MODEL);
    sfu_params_set(p, "strength", "0", NULL);
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m}, SFU_ERROR_USAGE);
    sfu_params_set(p, "strength", "1", NULL);
    sfu_params_set(p, "model", "/nowhere/at all.safetensors", NULL);
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m}, SFU_ERROR_MODEL);
    sfu_params_free(p);

    p = scene_params("sd1", "width 128 height 128");
    char *noise = g_build_filename(dir, "noise.safetensors", NULL);
    g_assert_true(g_file_set_contents(noise, "rubbish", -1, NULL));
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_TXT2IMG, .params = p, .noise_file = noise}, SFU_ERROR_MODEL);
    const float x[4] = {0};
    static const char head[] = "{\"noise\":{\"dtype\":\"F32\",\"shape\":[1,1,2,2],\"data_offsets\":[0,16]}}";
    GString *s = g_string_new(NULL);
    const guint64 length = GUINT64_TO_LE(strlen(head));
    g_string_append_len(s, (const char *)&length, 8);
    g_string_append(s, head);
    g_string_append_len(s, (const char *)x, sizeof x);
    g_assert_true(g_file_set_contents(noise, s->str, s->len, NULL));
    scene_fails(engine, &(SfuJob){.task = SFU_TASK_TXT2IMG, .params = p, .noise_file = noise}, SFU_ERROR_USAGE);
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
    SfuParams *p = scene_params("sd1", "width 128 height 128 sampler euler");
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
        SfuParams *p = scene_params("sd1", "width 64 height 64 steps 1 sampler euler guidance 1");
        sfu_params_set(p, "prompt", s->str, NULL);
        const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p};
        if (i == 0)
            scene_fails(engine, &job, SFU_ERROR_USAGE); /* brackets that are never closed */
        else
            g_ptr_array_unref(scene_run(engine, SFU_TASK_TXT2IMG, p, NULL, NULL));
        sfu_params_free(p);
        g_string_free(s, TRUE);
    }
}

/* ---- files and models ---- */

static void test_trace_and_noise_files(void)
{
    SfuParams *p = scene_params("sd1", "width 128 height 64 sampler euler steps 1 count 2");
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

/* A UNet alone, as ComfyUI keeps it. Caller frees. */
static char *link_unet(const char *model, const char *folder)
{
    static const char *const kept[] = {"model_index.json", "unet"};
    char *alone = g_build_filename(folder, "alone", NULL);
    g_assert_cmpint(g_mkdir(alone, 0700), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
        char *from = g_build_filename(model, kept[i], NULL), *to = g_build_filename(alone, kept[i], NULL);
        g_assert_true(g_file_test(from, G_FILE_TEST_EXISTS));
        g_assert_cmpint(symlink(from, to), ==, 0);
        g_free(from);
        g_free(to);
    }
    return alone;
}

static void test_models_are_listed(void)
{
    char *a = parity_model_path("mini", NULL), *b = parity_model_path("sd1-inpaint", NULL),
         *folder = g_path_get_dirname(a);
    char *broken = g_build_filename(folder, "broken.safetensors", NULL);
    g_assert_true(g_file_set_contents(broken, "no model", -1, NULL));
    char *alone = link_unet(b, folder); /* it is listed with what it lacks, and offered for nothing */
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
            g_assert_cmpstr(m->name, ==, "mini");
            g_assert_cmpstr(m->title, ==, "sfumato-mini"); /* as model_index.json says */
        } else if (strcmp(m->path, b) == 0) {
            seen |= 2;
            g_assert_true(m->has_text);
            g_assert_cmpuint(m->file_bytes, >, 1000000);
            g_assert_cmpstr(m->title, ==, m->name);
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
    remove_tree(alone);
    g_free(alone);
    g_free(best);
    g_free(report);
    g_free(broken);
    g_free(folder);
    g_free(a);
    g_free(b);
}

/* ---- getting ready ---- */

/* How many helpers have been started: each writes a line, and then waits. */
static guint n_helpers(const char *started)
{
    char *text = NULL;
    guint n = 0;
    if (g_file_get_contents(started, &text, NULL, NULL))
        for (const char *c = text; *c; c++)
            n += *c == '\n';
    g_free(text);
    return n;
}

static guint wait_for_helpers(const char *started)
{
    for (int i = 0; i < 1000 && !n_helpers(started); i++)
        g_usleep(10000);
    g_usleep(200000); /* the others of the same call */
    return n_helpers(started);
}

/* The helpers of a preparation go on through its job, which starts none of its own, and end with it. */
static void test_prepared_jobs(void)
{
    if (g_get_num_processors() < 2) {
        g_test_skip("one core: there is none for a helper");
        return;
    }
    char *cache = g_build_filename(dir, "prepared", NULL), *helper = g_build_filename(dir, "helper", NULL),
         *started = g_build_filename(dir, "started", NULL),
         *script = g_strdup_printf("#!/bin/sh\necho >> '%s'\nexec sleep 600\n", started);
    g_assert_true(g_file_set_contents(helper, script, -1, NULL));
    g_assert_cmpint(g_chmod(helper, 0755), ==, 0);
    GeglBuffer *in = scene_picture(5, 7, 160, 140, "R'G'B'A u8"), *m = scene_mask(60, 60, 30, 20, 1);
    SfuParams *p = scene_params("sd1", "sampler euler"), *none = scene_params("sd1", "sampler euler");
    sfu_params_set(none, "model", "/nowhere.safetensors", NULL);
    GPtrArray *alone = scene_run(engine, SFU_TASK_INPAINT, p, in, m);
    g_setenv("SFUMATO_CACHE", cache, TRUE);
    g_setenv("SFUMATO_COMPILE", helper, TRUE);
    SfuEngine *e = sfu_engine_new(NULL, NULL);
    g_assert_nonnull(e);
    SfuJob job = {.task = SFU_TASK_INPAINT, .params = p, .picture = in, .mask = m};
    sfu_engine_prepare(e, &(SfuJob){.task = SFU_TASK_INPAINT, .params = none, .picture = in, .mask = m});
    sfu_engine_prepare(e, &(SfuJob){.task = SFU_TASK_INPAINT, .params = p});
    g_assert_cmpuint(n_helpers(started), ==, 0);
    sfu_engine_prepare(e, &job);
    const guint first = wait_for_helpers(started);
    g_assert_cmpuint(first, >, 0);
    sfu_engine_prepare(e, &job);
    GPtrArray *r = scene_run(e, SFU_TASK_INPAINT, p, in, m);
    g_assert_cmpuint(n_helpers(started), ==, first);
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1); /* no child is left */
    g_assert_cmpfloat(scene_difference(scene_first(r)->picture, scene_first(alone)->picture), <, 1e-4);
    g_ptr_array_unref(r);
    g_ptr_array_unref(alone);
    sfu_engine_prepare(e, &job); /* all of it has been run */
    g_assert_cmpuint(n_helpers(started), ==, first);
    sfu_engine_free(e);
    g_unsetenv("SFUMATO_COMPILE");
    g_unsetenv("SFUMATO_CACHE");
    sfu_params_free(p);
    sfu_params_free(none);
    g_object_unref(in);
    g_object_unref(m);
    g_free(cache);
    g_free(helper);
    g_free(started);
    g_free(script);
}

static void add_tests(void)
{
    g_test_add_func("/pipe/prompts-in-parts", test_prompts_in_parts);
    g_test_add_func("/pipe/progress-and-previews", test_progress_and_previews);
    g_test_add_func("/pipe/each-family-has-its-rate", test_each_family_has_its_rate);
    g_test_add_func("/pipe/taesd-previews-and-decodes", test_taesd_previews_and_decodes);
    g_test_add_func("/pipe/another-vae-between-runs", test_another_vae_between_runs);
    g_test_add_func("/pipe/cancel-within-a-step-and-run-again", test_cancel_within_a_step_and_run_again);
    g_test_add_func("/pipe/seeds", test_seeds);
    g_test_add_func("/pipe/parameters-as-used-make-the-picture-again", test_parameters_as_used_make_the_picture_again);
    g_test_add_func("/pipe/small-budget-gives-the-same-picture", test_small_budget_gives_the_same_picture);
    g_test_add_func("/pipe/bad-input-is-refused-in-one-sentence", test_bad_input_is_refused_in_one_sentence);
    g_test_add_func("/pipe/nan-is-reported-with-its-block", test_nan_is_reported_with_its_block);
    g_test_add_func("/pipe/hostile-prompts", test_hostile_prompts);
    g_test_add_func("/pipe/trace-and-noise-files", test_trace_and_noise_files);
    g_test_add_func("/pipe/models-are-listed", test_models_are_listed);
    g_test_add_func("/pipe/prepared-jobs", test_prepared_jobs);
}

int main(int argc, char **argv)
{
    return scene_main(argc, argv, &engine, &dir, add_tests);
}
