/* Runs that look at reference pictures through IP-Adapters, against diffusers (make-ip-adapter.py), and what they
 * refuse. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runs.h"
#include <glib/gstdio.h>
#include <string.h>

static SfuEngine *engine;
static const char *dir; /* of runs.c */

/* "a.png,net=@plain,weight=1": the file of the small model takes the place of "@plain". */
static char *item_of(const char *text)
{
    char **halves = g_strsplit(text, "@", 2);
    const gsize n = halves[1] ? strcspn(halves[1], ",") : 0;
    char *key = halves[1] ? g_strndup(halves[1], n) : NULL, *path = key ? parity_model_path(key, NULL) : NULL,
         *item = key ? g_strconcat(halves[0], path, halves[1] + n, NULL) : g_strdup(text);
    g_strfreev(halves);
    g_free(key);
    g_free(path);
    return item;
}

static GPtrArray *run_with(const char *model, const char *vision, const char *values, const char *const *items,
                           const SfuJob *job, GError **error)
{
    char *text = g_strconcat("sampler euler schedule normal width 128 height 128 ", values, NULL),
         *encoder = vision ? parity_model_path(vision, NULL) : NULL;
    SfuParams *p = parity_params(model, text);
    if (encoder)
        sfu_params_set(p, "vision", encoder, NULL);
    for (int i = 0; items[i]; i++) {
        char *item = item_of(items[i]);
        g_assert_true(sfu_params_add(p, "reference", item, NULL));
        g_free(item);
    }
    SfuJob own = *job;
    own.params = p;
    GPtrArray *results = sfu_engine_run(engine, &own, error);
    sfu_params_free(p);
    g_free(text);
    g_free(encoder);
    return results;
}

static GeglBuffer *half_mask(gboolean right)
{
    GeglBuffer *b = gegl_buffer_new(GEGL_RECTANGLE(0, 0, PARITY_SIDE, PARITY_SIDE), babl_format("Y float"));
    GeglColor *white = gegl_color_new("white");
    gegl_buffer_set_color(b, GEGL_RECTANGLE(right ? PARITY_SIDE / 2 : 0, 0, PARITY_SIDE / 2, PARITY_SIDE), white);
    g_object_unref(white);
    return b;
}

static void test_pipelines(void)
{
    const struct {
        const char *name, *model, *items[3], *values;
        int first; /* which picture */
        gboolean masked;
    } cases[] = {
        {"pipe-plain", "sd", {"a,weight=0.75,net=@plain"}, "guidance 7", 0, FALSE},
        {"pipe-plus", "sd", {"a,net=@plus-diffusers,weight=0.5"}, "guidance 7", 0, FALSE},
        {"pipe-full", "sd", {"b,net=@full,weight=0.5"}, "guidance 7", 1, FALSE},
        {"pipe-plain-unguided", "sd", {"a,net=@plain-training"}, "guidance 1", 0, FALSE},
        {"pipe-two", "sd", {"a,net=@plain,mask=l", "b,net=@plus,weight=0.5,mask=r"}, "guidance 7", 0, TRUE},
        {"pipe-window", "sd", {"a,net=@plain,weight=0.75,from=0.2,to=0.6"}, "guidance 7", 0, FALSE},
        {"pipe-xl-plain", "xl", {"a,net=@xl-plain,weight=0.75"}, "guidance 7", 0, FALSE},
        {"pipe-xl-plus", "xl", {"b,net=@xl-plus,weight=0.75"}, "guidance 7", 1, FALSE},
    };
    char *file = g_build_filename(dir, "latent.safetensors", NULL);
    GeglBuffer *pictures[] = {parity_picture("look", 80, 64), parity_picture("look2", 64, 96)},
               *masks[] = {half_mask(FALSE), half_mask(TRUE)};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        const SfuJob job = {.task = SFU_TASK_TXT2IMG,
                            .references = pictures + cases[i].first,
                            .n_references = (int)g_strv_length((char **)cases[i].items),
                            .reference_masks = cases[i].masked ? masks : NULL,
                            .latent_file = file};
        GPtrArray *r = run_with(cases[i].model, "vit", cases[i].values, cases[i].items, &job, &error);
        g_assert_no_error(error);
        g_ptr_array_unref(r);
        parity_check_latents(cases[i].name, file);
        g_remove(file);
    }
    for (int i = 0; i < 2; i++) {
        g_object_unref(pictures[i]);
        g_object_unref(masks[i]);
    }
    g_free(file);
}

static void test_refusals(void)
{
    const struct {
        const char *vision, *items[2], *words;
        int side;
    } cases[] = {
        {"vit", {"a,net=@xl-plain"}, "IP-Adapter for", 64},
        {"vit", {"a,net=@vit"}, "not an IP-Adapter", 64},
        {"sd", {"a,net=@plain"}, "no CLIP image encoder", 64},
        {"vit", {"a,net=nowhere"}, "No IP-Adapter", 64},
        {NULL, {"a"}, "needs an IP-Adapter", 64},
        {NULL, {"a,net=@plain"}, "needs a CLIP image encoder", 64},
        {"vit", {"a,net=@plain,weight=strong"}, "weight is", 64},
        {"vit", {"a,net=@plain,from=0.6,to=0.4"}, "range", 64},
        {"vit", {"a,net=@plain,mask=m.png"}, "no mask", 64},
        {"vit", {"a,net=@plain"}, "1 x 1 pixels", 1},
        {"vit", {"a,net=@plain"}, "there is no picture", 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        GeglBuffer *picture = parity_picture("look", MAX(cases[i].side, 1), MAX(cases[i].side, 1));
        const SfuJob job = {.task = SFU_TASK_TXT2IMG, .references = &picture, .n_references = cases[i].side > 0};
        g_assert_null(run_with("sd", cases[i].vision, "steps 1", cases[i].items, &job, &error));
        g_assert_nonnull(error);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].words));
        g_error_free(error);
        g_object_unref(picture);
    }
}

static void copy_to(const char *key, const char *folder, const char *name)
{
    char *from = parity_model_path(key, NULL), *to_folder = g_build_filename(dir, folder, NULL),
         *to = g_build_filename(to_folder, name, NULL), *bytes;
    gsize n;
    GError *error = NULL;
    g_mkdir_with_parents(to_folder, 0700);
    g_file_get_contents(from, &bytes, &n, &error);
    g_assert_no_error(error);
    g_file_set_contents(to, bytes, (gssize)n, &error);
    g_assert_no_error(error);
    g_free(bytes);
    g_free(from);
    g_free(to_folder);
    g_free(to);
}

/* In the folders of ComfyUI: the adapter that fits the model, one for faces only where there is no other; the encoder
 * that fits the adapter, whatever it is called. */
static void test_found(void)
{
    GError *error = NULL;
    copy_to("plus", "ipadapter", "ip-adapter-plus-face_sd15.safetensors");
    copy_to("xl-plain", "ipadapter", "a-ip-adapter_sdxl.safetensors");
    copy_to("plain", "ipadapter", "ip-adapter_sd15.safetensors");
    copy_to("vit-single", "clip_vision", "CLIP-ViT-H-14.safetensors");
    GeglBuffer *picture = parity_picture("look", 80, 64);
    const SfuJob job = {.task = SFU_TASK_TXT2IMG, .references = &picture, .n_references = 1};
    GPtrArray *found = run_with("sd", NULL, "steps 2", (const char *const[]){NULL}, &job, &error);
    g_assert_no_error(error);
    const SfuResult *r = found->pdata[0];
    g_assert_nonnull(r->note);
    g_assert_nonnull(strstr(r->note, "ip-adapter_sd15"));
    g_ptr_array_unref(found);
    found =
        run_with("sd", NULL, "steps 2", (const char *const[]){"a,net=ip-adapter-plus-face_sd15", NULL}, &job, &error);
    g_assert_no_error(error);
    g_ptr_array_unref(found);
    g_object_unref(picture);
}

/* After test_found(), which has put an adapter into the folder. */
static void test_told_before(void)
{
    const char *const also[] = {dir, NULL}, *const none[] = {NULL};
    char *path = parity_model_path("sd", NULL);
    g_assert_cmpint(sfu_model_references(path), ==, SFU_REFERENCES_WEIGHTED);
    g_setenv("SFUMATO_MODELS", "", TRUE);
    g_assert_cmpint(sfu_model_references(path), ==, SFU_REFERENCES_NONE);
    sfu_model_folders_also(also); /* as a host does with folders that its user has named */
    g_assert_cmpint(sfu_model_references(path), ==, SFU_REFERENCES_WEIGHTED);
    sfu_model_folders_also(none);
    g_assert_cmpint(sfu_model_references(path), ==, SFU_REFERENCES_NONE);
    g_assert_cmpint(sfu_model_references(""), ==, SFU_REFERENCES_NONE);
    g_setenv("SFUMATO_MODELS", dir, TRUE);
    g_free(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    dir = parity_runs_folder();
    g_setenv("SFUMATO_MODELS", dir, TRUE);
    parity_runs_keep_here();
    if (!(engine = parity_runs_open()))
        return 0;
    g_test_add_func("/ip-adapter/pipelines", test_pipelines);
    g_test_add_func("/ip-adapter/refusals", test_refusals);
    g_test_add_func("/ip-adapter/found", test_found);
    g_test_add_func("/ip-adapter/whether a model looks at references", test_told_before);
    const int failed = g_test_run();
    parity_runs_close();
    return failed;
}
