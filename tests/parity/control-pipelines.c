/* Runs that a ControlNet or T2I-Adapter steers, against diffusers; preparations of pictures, against OpenCV
 * (make-control.py).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runs.h"
#include "family/family.h"
#include "region/edges.h"
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static SfuEngine *engine;
static const char *dir; /* of runs.c */

/* "net@...": the file of the small model takes the place of "net". */
static char *spec_of(const char *text)
{
    char **halves = g_strsplit(text, "@", 2), *path = parity_model_path(halves[0], NULL);
    char *spec = g_strconcat(path, halves[1], NULL);
    g_free(path);
    g_strfreev(halves);
    return spec;
}

static GPtrArray *run_on(const char *model, const SfuJob *job, const char *const *specs, const char *values,
                         GError **error)
{
    char *text = g_strconcat("sampler euler schedule normal guidance 7 ", values, NULL);
    SfuParams *p = parity_params(model, text);
    for (int i = 0; specs[i]; i++) {
        char *spec = spec_of(specs[i]);
        g_assert_true(sfu_params_add(p, "control", spec, NULL));
        g_free(spec);
    }
    SfuJob own = *job;
    own.params = p;
    GPtrArray *results = sfu_engine_run(engine, &own, error);
    sfu_params_free(p);
    g_free(text);
    return results;
}

static GPtrArray *run_with(const SfuJob *job, const char *const *specs, const char *values, GError **error)
{
    return run_on("sd", job, specs, values, error);
}

static void test_pipelines(void)
{
    const struct {
        const char *name, *specs[3];
    } cases[] = {
        {"pipe-xl-small", {"xl-small@=a,weight=0.3"}},
        {"pipe-xl-promax", {"promax@=a,weight=0.3,type=tile"}},
        {"pipe-xl-adapter", {"t2i-xl-within@=a,weight=0.4"}},
        {"pipe-one", {"net-single@=a,weight=0.3"}},
        {"pipe-window", {"net@=a,weight=0.3,from=0.2,to=0.6"}},
        {"pipe-two", {"net-original@=a,weight=0.3,to=0.5", "net2@=b,weight=0.2,from=0.3"}},
        {"pipe-guess", {"net@=a,weight=0.5,guess=1"}},
        {"pipe-adapter", {"t2i-first@=a,weight=0.4"}},
    };
    char *file = g_build_filename(dir, "latent.safetensors", NULL);
    GeglBuffer *pictures[] = {parity_picture("control", PARITY_SIDE, PARITY_SIDE),
                              parity_picture("control2", PARITY_SIDE, PARITY_SIDE)};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        const SfuJob job = {.task = SFU_TASK_TXT2IMG, .controls = pictures, .n_controls = 2, .latent_file = file};
        GPtrArray *r =
            run_on(strstr(cases[i].name, "-xl-") ? "sdxl" : "sd", &job, cases[i].specs, "width 128 height 128", &error);
        g_assert_no_error(error);
        g_ptr_array_unref(r);
        parity_check_latents(cases[i].name, file);
        g_remove(file);
    }
    g_object_unref(pictures[0]);
    g_object_unref(pictures[1]);
    g_free(file);
}

static void test_refusals(void)
{
    const struct {
        const char *specs[2], *words;
    } cases[] = {
        {{"xl@=a"}, "ControlNet for"},
        {{"t2i-xl@=a"}, "T2I-Adapter for another"},
        {{"sd@=a"}, "neither a ControlNet"},
        {{"net@=a,type=depth"}, "one kind"},
        {{"net@=a,weight=strong"}, "weight"},
        {{"net@=a,prepare=magic"}, "preparation"},
        {{"net@=a,from=0.6,to=0.4"}, "do not contain"},
        {{"net@"}, "no picture"},
    };
    GeglBuffer *picture = parity_picture("control", PARITY_SIDE, PARITY_SIDE);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        const SfuJob job = {.task = SFU_TASK_TXT2IMG, .controls = &picture, .n_controls = i < 7};
        g_assert_null(run_with(&job, cases[i].specs, "width 64 height 64", &error));
        g_assert_nonnull(error);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].words));
        g_error_free(error);
    }
    g_object_unref(picture);
}

/* An ordinary model that fills a hole takes the ControlNet that lies there for it, and says so; a net of that name for
 * another model is left alone. */
static void test_inpainting_net_is_found(void)
{
    char *folder = g_build_filename(dir, "ControlNet", NULL),
         *file = g_build_filename(folder, "my_inpaint_net.safetensors", NULL);
    char *other = g_build_filename(folder, "an_inpaint_net_xl.safetensors", NULL);
    char *net = parity_model_path("net-single", NULL), *xl = parity_model_path("xl-single", NULL), *bytes;
    gsize n;
    GError *error = NULL;
    g_mkdir(folder, 0700);
    g_file_get_contents(xl, &bytes, &n, &error);
    g_file_set_contents(other, bytes, (gssize)n, &error);
    g_free(bytes);
    GeglBuffer *in = parity_picture("control", PARITY_SIDE, PARITY_SIDE), *mask = parity_box_mask(40, 32, 64, 56);
    const SfuJob job = {.task = SFU_TASK_INPAINT, .picture = in, .mask = mask};
    GPtrArray *without = run_with(&job, (const char *const[]){NULL}, "steps 2 grow 0 feather 0", &error);
    g_assert_no_error(error);
    g_file_get_contents(net, &bytes, &n, &error);
    g_file_set_contents(file, bytes, (gssize)n, &error);
    g_free(bytes);
    GPtrArray *with = run_with(&job, (const char *const[]){NULL}, "steps 2 grow 0 feather 0", &error);
    g_assert_no_error(error);
    const SfuResult *a = without->pdata[0], *b = with->pdata[0];
    g_assert_true(!a->note || !strstr(a->note, "my_inpaint_net"));
    g_assert_nonnull(b->note);
    g_assert_nonnull(strstr(b->note, "my_inpaint_net"));
    parity_outside_is_untouched(b, in);
    g_ptr_array_unref(without);
    g_ptr_array_unref(with);
    g_object_unref(in);
    g_object_unref(mask);
    g_remove(file);
    g_remove(other);
    g_rmdir(folder);
    g_free(folder);
    g_free(file);
    g_free(other);
    g_free(net);
    g_free(xl);
}

/* diffusers' files are all called alike: the folder is the name, and says of a shuffling net that it pools. */
static void test_folders_are_names(void)
{
    char *folder = g_build_filename(dir, "controlnet", "any_shuffle", NULL),
         *net = parity_model_path("net-single", NULL),
         *file = g_build_filename(folder, "diffusion_pytorch_model.safetensors", NULL),
         *config = g_build_filename(folder, "config.json", NULL), *bytes;
    gsize n;
    GError *error = NULL;
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_get_contents(net, &bytes, &n, NULL) && g_file_set_contents(file, bytes, (gssize)n, NULL));
    SfuParams *p = parity_params("sd", "sampler euler prompt cat steps 1 width 64 height 64");
    g_assert_true(sfu_params_add(p, "control", "any_shuffle=a", NULL));
    GeglBuffer *picture = parity_picture("control", PARITY_SIDE, PARITY_SIDE);
    const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p, .controls = &picture, .n_controls = 1};
    GPtrArray *r = sfu_engine_run(engine, &job, &error);
    g_assert_no_error(error);
    g_ptr_array_unref(r);
    for (int i = 0; i < 3; i++) { /* no configuration; one that says it; one that denies it */
        if (i > 0)
            g_assert_true(g_file_set_contents(
                config, i == 1 ? "{\"global_pool_conditions\": true}" : "{\"global_pool_conditions\": false}", -1,
                NULL));
        SfuModel *m = sfu_model_open(file, &error);
        g_assert_no_error(error);
        g_assert_cmpint(sfu_model_control(m)->pools, ==, i < 2);
        sfu_model_close(m);
    }
    sfu_params_free(p);
    g_object_unref(picture);
    g_remove(config);
    g_remove(file);
    g_rmdir(folder);
    g_free(bytes);
    g_free(config);
    g_free(folder);
    g_free(file);
    g_free(net);
    folder = g_build_filename(dir, "controlnet", NULL);
    g_rmdir(folder);
    g_free(folder);
}

/* Unions were trained with black holes (xinsir 2024), other inpainting networks with holes of -1. */
static void test_unions_see_black_holes(void)
{
    GeglBuffer *in = parity_picture("control", PARITY_SIDE, PARITY_SIDE), *mask = parity_box_mask(40, 32, 64, 56),
               *black = parity_picture("control", PARITY_SIDE, PARITY_SIDE);
    char *file = g_build_filename(dir, "latent.safetensors", NULL), *bytes[2];
    gsize n[2];
    GeglColor *none = gegl_color_new("rgb(0.0, 0.0, 0.0)");
    gegl_buffer_set_color(black, GEGL_RECTANGLE(40, 32, 64, 56), none);
    g_object_unref(none);
    const char *const specs[] = {"promax@,weight=0.3,prepare=inpaint", "promax@=a,weight=0.3,type=inpaint"};
    for (int i = 0; i < 2; i++) {
        GError *error = NULL;
        const SfuJob job = {.task = SFU_TASK_INPAINT,
                            .picture = in,
                            .mask = mask,
                            .controls = &black,
                            .n_controls = i,
                            .latent_file = file};
        GPtrArray *r = run_on("sdxl", &job, (const char *const[]){specs[i], NULL},
                              "steps 2 grow 0 feather 0 context 128 seed 3", &error);
        g_assert_no_error(error);
        g_ptr_array_unref(r);
        g_assert_true(g_file_get_contents(file, &bytes[i], &n[i], NULL));
        g_remove(file);
    }
    g_assert_cmpmem(bytes[0], n[0], bytes[1], n[1]);
    g_free(bytes[0]);
    g_free(bytes[1]);
    g_free(file);
    g_object_unref(in);
    g_object_unref(mask);
    g_object_unref(black);
}

/* Another program writes the file's last byte anew during the first step. */
static void write_into(const SfuProgress *p, gpointer file)
{
    char byte;
    if (p->stage != SFU_STAGE_DENOISE || p->step != 1)
        return;
    FILE *f = g_fopen(file, "r+b");
    g_assert_true(fseek(f, -1, SEEK_END) == 0 && fread(&byte, 1, 1, f) == 1);
    g_assert_true(fseek(f, -1, SEEK_END) == 0 && fwrite(&byte, 1, 1, f) == 1);
    fclose(f);
}

/* Whole networks, and those that are laid over the UNet: a run that read two states of a file makes no picture. The
 * next run takes the file as it is then. */
static void test_nets_written_during_a_run(void)
{
    static const char *const nets[] = {"net-original", "ranked", "t2i-first"};
    GeglBuffer *picture = parity_picture("control", PARITY_SIDE, PARITY_SIDE);
    for (guint i = 0; i < 2 * G_N_ELEMENTS(nets); i++) {
        GError *error = NULL;
        char *file = parity_model_path(nets[i / 2], NULL), *spec = g_strdup_printf("%s@=a", nets[i / 2]);
        const SfuJob job = {.task = SFU_TASK_TXT2IMG,
                            .controls = &picture,
                            .n_controls = 1,
                            .progress = i % 2 ? NULL : write_into,
                            .data = file};
        GPtrArray *r =
            run_with(&job, (const char *const[]){spec, NULL}, "prompt cat steps 2 width 64 height 64", &error);
        g_test_message("%s: %s", nets[i / 2], error ? error->message : "made");
        g_assert_true((r != NULL) == (i % 2 == 1));
        if (error) {
            g_assert_nonnull(strstr(error->message, file));
            g_assert_nonnull(strstr(error->message, "written to"));
            g_error_free(error);
        } else {
            g_ptr_array_unref(r);
        }
        g_free(spec);
        g_free(file);
    }
    g_object_unref(picture);
}

/* ---- preparations ---- */

static SfuImage *source(void)
{
    enum { W = 96, H = 64 };
    gint32 cells[8 * 8 * 3], *noise = g_new(gint32, W * H * 3);
    SfuImage *i = sfu_image_new(W, H, 3, NULL);
    parity_hash("prepared", G_N_ELEMENTS(cells), cells);
    parity_hash("prepared/noise", W * H * 3, noise);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) {
                const int at = (y * W + x) * 3 + c, cell = (cells[(y * 8 / H * 8 + x * 8 / W) * 3 + c] + 1024) / 8;
                i->p[at] = (float)((cell * 3 + (noise[at] + 1024) / 32) / 4) / 255;
            }
    g_free(noise);
    return i;
}

/* The greatest difference; a picture of one channel is in all three. */
static double greatest(const SfuImage *i, const char *name)
{
    gint64 n;
    const float *want = parity_expected(name, &n);
    const int c = n == (gint64)i->w * i->h ? 1 : 3;
    double worst = 0;
    g_assert_cmpint(n, ==, (gint64)i->w * i->h * c);
    for (gint64 k = 0; k < (gint64)i->w * i->h * 3; k++)
        worst = MAX(worst, fabs(i->p[k] - want[c == 1 ? k / 3 : k]));
    g_test_message("%s: off by %.2g", name, worst);
    return worst;
}

static void test_preparations(void)
{
    SfuImage *i = source();
    g_assert_true(sfu_edges_canny(i, 100, 200, NULL));
    g_assert_cmpfloat(greatest(i, "prepared/canny"), ==, 0);
    sfu_image_free(i);
    i = source();
    g_assert_true(sfu_edges_canny(i, 20, 60, NULL));
    g_assert_cmpfloat(greatest(i, "prepared/canny-low"), ==, 0);
    sfu_image_free(i);
    i = source();
    g_assert_true(sfu_picture_blur(i, 9, NULL));
    g_assert_cmpfloat(greatest(i, "prepared/blur"), <, 1e-4); /* OpenCV sums in single precision */
    sfu_image_free(i);
    i = source();
    g_assert_true(sfu_edges_lines(i, NULL));
    g_assert_cmpfloat(greatest(i, "prepared/lines"), <, 1e-3);
    sfu_image_free(i);
    i = source();
    g_assert_true(sfu_edges_scribble(i, NULL));
    g_assert_cmpfloat(greatest(i, "prepared/scribble"), ==, 0);
    sfu_image_free(i);
    i = source();
    sfu_picture_luminance(i);
    g_assert_cmpfloat(greatest(i, "prepared/luminance"), <, 1 / 255.0); /* OpenCV looks it up in coarse tables */
    sfu_image_free(i);
}

int main(int argc, char **argv)
{
    dir = parity_runs_folder();
    g_setenv("SFUMATO_MODELS", dir, TRUE);
    g_test_init(&argc, &argv, NULL);
    if (!(engine = parity_runs_open()))
        return 0;
    g_test_add_func("/control/preparations", test_preparations);
    g_test_add_func("/control/pipelines", test_pipelines);
    g_test_add_func("/control/refusals", test_refusals);
    g_test_add_func("/control/inpainting-net-is-found", test_inpainting_net_is_found);
    g_test_add_func("/control/folders-are-names", test_folders_are_names);
    g_test_add_func("/control/unions-see-black-holes", test_unions_see_black_holes);
    g_test_add_func("/control/nets-written-during-a-run", test_nets_written_during_a_run);
    const int failed = g_test_run();
    parity_runs_close();
    return failed;
}
