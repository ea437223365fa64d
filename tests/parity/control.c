/* ControlNets, ControlNet-Union and T2I-Adapters against diffusers (make-control.py) on small models, in every layout.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "../tree.h"
#include "small_models.h"
#include "family/control_layouts.h"
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define THIN 7 /* every so many values are kept */

/* A tensor against the kept values. */
static void compare(const char *key, const char *what, const SfuTensor *t, int n_samples)
{
    const gint64 used = sfu_tensor_elements(t) / t->n * n_samples, n = (used + THIN - 1) / THIN;
    GError *error = NULL;
    float *all = g_new(float, sfu_tensor_elements(t)), *got = g_new(float, n);
    g_assert_true(sfu_tensor_read(t, all, &error));
    for (gint64 i = 0; i < n; i++)
        got[i] = all[i * THIN];
    for (gint64 i = used; i < sfu_tensor_elements(t); i++)
        g_assert_cmpfloat(all[i], ==, 0);    /* what is not steered */
    parity_compare(key, what, got, n, 1e-4); /* sums of some hundred terms in another order, through a dozen layers */
    g_free(all);
    g_free(got);
}

static int member(JsonObject *o, const char *name, int fallback)
{
    return json_object_has_member(o, name) ? (int)json_object_get_int_member(o, name) : fallback;
}

typedef struct {
    JsonObject *o;
    char *model;
    gboolean plain;
} Case;

static void case_free(gpointer p)
{
    g_free(((Case *)p)->model);
    g_free(p);
}

static void set_picture(SfuControl *c, const char *key, int h, int w, int channels)
{
    GError *error = NULL;
    char *name = g_strdup_printf("%s/picture", key);
    float *v = parity_input(name, (gint64)h * w * channels, 0.25f);
    for (int i = 0; i < h * w * channels; i++)
        v[i] += 0.5f;
    g_assert_true(sfu_control_set_picture(c, v, h, w, &error));
    g_assert_no_error(error);
    g_free(v);
    g_free(name);
}

/* Runs the case; `times` calls add up. */
static void steer(SfuQueue *q, SfuControl *c, JsonObject *o, SfuControlSum *sum, const SfuControlUse *use, int times)
{
    GError *error = NULL;
    const char *key = json_object_get_string_member(o, json_object_has_member(o, "of") ? "of" : "name");
    const int h = member(o, "h", 0), w = member(o, "w", 0), n = member(o, "n", 1), adapter = member(o, "adapter", 0);
    const float timesteps[] = {981, 3};
    SfuTensor *x = adapter ? NULL : parity_upload(q, key, "x", n, h, w, 4, 1), *tokens = NULL;
    g_assert_cmpint(c->channels, ==, adapter ? adapter : 3);
    g_assert_true(sfu_control_set_type(c, member(o, "type", 0), &error));
    if (!adapter) {
        const int pooled = member(o, "pooled", 0), n_words = use->n_guessed ? use->n_guessed : n;
        const float numbers[] = {96, 128, 0, 8, 96, 128, 96, 128, 0, 8, 96, 128};
        char *name = g_strdup_printf("%s/pooled", key);
        float *vector = parity_input(name, (gint64)n * 40, 1);
        tokens = parity_upload(q, key, "tokens", n, 1, 7, member(o, "context", 0), 1);
        SfuTensor *words = sfu_tensor_view(tokens, 0, n_words, 1, 7, tokens->c, &error);
        SfuCondition condition = {.tokens = words};
        if (pooled)
            condition = (SfuCondition){words, NULL, n_words, pooled, 6, vector, numbers};
        g_assert_true(sfu_control_set_condition(c, &condition, &error));
        sfu_tensor_destroy(words);
        g_free(vector);
        g_free(name);
    }
    set_picture(c, key, 8 * h, 8 * w, c->channels);
    const SfuDenoiserInput in = {.x = x, .timesteps = timesteps};
    for (int i = 0; i < times; i++)
        sfu_control_add(c, sum, &in, use, &error);
    g_assert_no_error(error);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(tokens);
}

static GPtrArray *made; /* SfuModel*: laid over a UNet */

static SfuControl *open_control(SfuQueue *q, const char *model)
{
    GError *error = NULL;
    SfuModel *m = parity_model(model);
    if (sfu_control_is_partial(m)) {
        if (!(m = sfu_control_over(m, parity_model("sd"), &error)))
            g_error("%s", error->message);
        g_ptr_array_add(made, m);
    }
    char *text = sfu_model_inspect(m);
    g_assert_null(strstr(text, "unexpected"));
    g_assert_null(strstr(text, "missing"));
    g_assert_true(strstr(text, "ControlNet, ") || strstr(text, "T2I-Adapter, ")); /* and what for */
    g_free(text);
    SfuControl *c = sfu_model_family(m)->control(q, m, &error);
    g_assert_no_error(error);
    return c;
}

static void test_parity(gconstpointer data)
{
    const Case *k = data;
    SfuQueue *q = parity_mode_queue(k->plain ? PARITY_PLAIN : PARITY_FAST);
    if (!q)
        return;
    SfuControl *c = open_control(q, k->model);
    const char *key = json_object_get_string_member(k->o, "name");
    const gboolean guess = json_object_has_member(k->o, "guess");
    const int n = member(k->o, "n", 1), n_down = member(k->o, "n_down", 0);
    const SfuControlUse use = {guess ? json_object_get_double_member(k->o, "guess") : 1, guess || c->pools ? 1 : 0};
    SfuControlSum sum = {0};
    steer(q, c, k->o, &sum, &use, 1);
    char i_name[8];
    for (int i = 0; i < n_down; i++) {
        g_snprintf(i_name, sizeof i_name, "%d", i);
        if (member(k->o, "adapter", 0)) {
            compare(key, i_name, sum.features[i], 1);
        } else if (c->pools) { /* diffusers keeps one pixel, and scales by depth */
            SfuTensor *one = sfu_tensor_view(sum.down[i], 0, 1, 1, 1, sum.down[i]->c, NULL);
            GError *error = NULL;
            g_assert_true(sfu_axpby(q, one, (float)pow(10, 1 - (double)i / n_down), one, 0, NULL, &error));
            compare(key, i_name, one, 1);
            sfu_tensor_destroy(one);
        } else {
            compare(key, i_name, sum.down[i], guess ? 1 : n);
        }
    }
    if (!member(k->o, "adapter", 0) && !c->pools)
        compare(key, "middle", sum.middle, guess ? 1 : n);
    sfu_control_sum_clear(&sum);
    sfu_control_destroy(c);
}

/* Two networks, or one twice, add up; weight 0 adds nothing. */
static void test_sums(void)
{
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    JsonObject *o = json_array_get_object_element(parity_cases(), 0);
    SfuControl *c = open_control(q, "net");
    SfuControlSum sum = {0};
    const SfuControlUse none = {0, 0}, half = {0.5, 0};
    steer(q, c, o, &sum, &none, 1);
    g_assert_null(sum.down);
    steer(q, c, o, &sum, &half, 2);
    compare("net", "5", sum.down[5], 2);
    compare("net", "middle", sum.middle, 2);
    sfu_control_sum_clear(&sum);
    sfu_control_destroy(c);
}

/* A net of another family is refused by name, one of this family is not. */
static void test_fits(void)
{
    const struct {
        const char *control;
        gboolean fits;
        const char *words;
    } cases[] = {{"net", TRUE, NULL}, {"xl", FALSE, "XL"}, {"t2i", TRUE, NULL}, {"t2i-xl", FALSE, "T2I-Adapter"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_assert_cmpint(sfu_control_fits(parity_model(cases[i].control), parity_model("sd"), &error), ==,
                        cases[i].fits);
        if (cases[i].fits) {
            g_assert_no_error(error);
            continue;
        }
        g_assert_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY);
        g_assert_nonnull(strstr(error->message, cases[i].words));
        g_test_message("%s", error->message);
        g_error_free(error);
    }
}

static void test_missing(void)
{
    const struct {
        const char *model, *drop;
    } cases[] = {{"net", "controlnet_down_blocks.7.bias"},
                 {"net-original", "input_hint_block.6.weight"},
                 {"union", "transformer_layes.0.attn.in_proj_bias"},
                 {"t2i-first", "body.3.block2.weight"}};
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    for (guint i = 0; q && i < G_N_ELEMENTS(cases); i++) {
        const ParityDamage damage = {.drop = cases[i].drop};
        GError *error = NULL;
        char *path = parity_model_path(cases[i].model, &damage);
        SfuModel *m = sfu_model_open(path, &error);
        g_assert_no_error(error);
        g_assert_null(sfu_model_family(m)->control(q, m, &error));
        g_assert_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING);
        g_error_free(error);
        sfu_model_close(m);
        g_free(path);
    }
}

/* Damaged files that would be whole networks of another kind. */
static void test_halves(void)
{
    const struct {
        const char *model, *drop, *says;
    } cases[] = {{"ranked", "input_blocks.1.1.proj_in.up", "does not fit the UNet"},
                 {"ranked", "input_blocks.1.1.proj_in.down", "does not fit the UNet"},
                 {"promax-single", "task_embedding", "task_embedding"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const ParityDamage damage = {.drop = cases[i].drop};
        GError *error = NULL;
        char *path = parity_model_path(cases[i].model, &damage);
        SfuModel *m = sfu_model_open(path, &error), *over = m ? sfu_control_over(m, parity_model("sd"), &error) : NULL;
        g_assert_null(over);
        g_assert_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY);
        g_assert_nonnull(strstr(error->message, cases[i].says));
        g_error_free(error);
        sfu_model_close(m);
        g_free(path);
    }
}

/* Folders whose one file is called .bin, as the first T2I-Adapters were published. */
static void test_folders_of_pickles(void)
{
    const struct {
        const char *model, *folder;
    } cases[] = {{"t2i", ""}, {"net", ""}, {"sd", "unet"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const ParityDamage none = {0};
        GError *error = NULL;
        char *path = parity_model_path(cases[i].model, &none),
             *file = g_build_filename(path, cases[i].folder, "diffusion_pytorch_model.safetensors", NULL),
             *bin = g_build_filename(path, cases[i].folder, "diffusion_pytorch_model.bin", NULL);
        g_assert_cmpint(g_rename(file, bin), ==, 0);
        SfuModel *m = sfu_model_open(path, &error);
        if (*cases[i].folder) {
            g_assert_null(m);
            g_assert_nonnull(strstr(error->message, "are not read"));
            g_clear_error(&error);
        }
        g_assert_no_error(error);
        g_assert_true(!m || sfu_model_family(m)->control);
        sfu_model_close(m);
        remove_tree(path);
        g_free(bin);
        g_free(file);
        g_free(path);
    }
}

int main(int argc, char **argv)
{
    static const char *const layouts[] = {"", "-single", "-original", "-bare", "-whole", "-first", "-within"};
    g_test_init(&argc, &argv, NULL);
    parity_data_open();
    JsonArray *cases = parity_cases();
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *o = json_array_get_object_element(cases, i);
        for (guint k = 0; k < G_N_ELEMENTS(layouts); k++) {
            char *model = g_strconcat(json_object_get_string_member(o, "model"), layouts[k], NULL);
            /* One case of a model shows what its layouts are. */
            const gboolean own =
                strcmp(json_object_get_string_member(o, "name"), json_object_get_string_member(o, "model")) == 0;
            for (int plain = 0; parity_has_model(model) && (own || k == 0) && plain < (k == 0 ? 2 : 1); plain++) {
                Case *c = g_new(Case, 1);
                *c = (Case){o, g_strdup(model), plain};
                char *path = g_strdup_printf("/control/%s%s%s", plain ? "plain/" : "",
                                             json_object_get_string_member(o, "name"), layouts[k]);
                g_test_add_data_func_full(path, c, test_parity, case_free);
                g_free(path);
            }
            g_free(model);
        }
    }
    g_test_add_func("/control/sums", test_sums);
    g_test_add_func("/control/fits", test_fits);
    g_test_add_func("/control/missing", test_missing);
    g_test_add_func("/control/halves", test_halves);
    g_test_add_func("/control/folders-of-pickles", test_folders_of_pickles);
    made = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_model_close);
    const int failed = g_test_run();
    g_ptr_array_unref(made);
    parity_data_close();
    return failed;
}
