/* CLIP's image encoder and preprocessing, IP-Adapters and UNets that look through them, against transformers and
 * diffusers (make-ip-adapter.py) on small models, in every layout.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "small_models.h"
#include "family/ip_adapter_layouts.h"
#include "region/square.h"
#include <string.h>

#define TOLERANCE 1e-4 /* sums of some hundred terms in another order, through a dozen layers */
#define EYE 56

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

static int member(const Case *k, const char *name)
{
    return json_object_has_member(k->o, name) ? (int)json_object_get_int_member(k->o, name) : 0;
}

static const char *text_of(const Case *k, const char *name)
{
    return json_object_get_string_member(k->o, name);
}

/* Of every `thin`-th value. */
static void compare(const char *name, const float *got, gint64 n_got, int thin)
{
    const gint64 n = (n_got + thin - 1) / thin;
    float *thinned = g_new(float, n);
    for (gint64 i = 0; i < n; i++)
        thinned[i] = got[i * thin];
    parity_compare(name, NULL, thinned, n, TOLERANCE);
    g_free(thinned);
}

static void compare_tensor(const char *name, const SfuTensor *t, int thin)
{
    GError *error = NULL;
    float *v = g_new(float, sfu_tensor_elements(t));
    g_assert_true(sfu_tensor_read(t, v, &error));
    compare(name, v, sfu_tensor_elements(t), thin);
    g_free(v);
}

static SfuModel *open_whole(const char *key)
{
    SfuModel *m = parity_model(key);
    char *text = sfu_model_inspect(m);
    if (strstr(text, "missing") || strstr(text, "unexpected"))
        g_error("%s", text);
    g_free(text);
    return m;
}

static void test_vision(gconstpointer data)
{
    const Case *k = data;
    SfuQueue *q = parity_mode_queue(k->plain ? PARITY_PLAIN : PARITY_FAST);
    GError *error = NULL;
    if (!q)
        return;
    SfuModel *m = open_whole(k->model);
    const int n = sfu_model_vision(m)->projection;
    SfuVision *v = sfu_vision_create(q, m, &error);
    g_assert_no_error(error);
    const char *name = text_of(k, "name");
    char *pixels_name = g_strconcat(name, "/pixels", NULL), *hidden_name = g_strconcat(name, "/hidden", NULL),
         *pooled_name = g_strconcat(name, "/pooled", NULL);
    float *pixels = parity_input(pixels_name, EYE * EYE * 3, 1), *pooled = g_new(float, n);
    for (int both = 0; both < 2; both++) { /* the vector needs a layer more */
        SfuTensor *hidden = NULL;
        sfu_vision_run(v, &hidden, both ? pooled : NULL, pixels, &error);
        g_assert_no_error(error);
        compare_tensor(hidden_name, hidden, 1);
        sfu_tensor_destroy(hidden);
    }
    compare(pooled_name, pooled, n, 1);
    g_free(pixels);
    g_free(pooled);
    g_free(pixels_name);
    g_free(hidden_name);
    g_free(pooled_name);
    sfu_vision_destroy(v);
}

static SfuIpAdapter *open_adapter(SfuQueue *q, const char *key)
{
    GError *error = NULL;
    SfuIpAdapter *a =
        sfu_ip_adapter_create(q, open_whole(key), parity_model(g_str_has_prefix(key, "xl") ? "xl" : "sd"), &error);
    g_assert_no_error(error);
    return a;
}

static void test_tokens(gconstpointer data)
{
    const Case *k = data;
    SfuQueue *q = parity_mode_queue(k->plain ? PARITY_PLAIN : PARITY_FAST);
    GError *error = NULL;
    if (!q)
        return;
    SfuIpAdapter *a = open_adapter(q, k->model);
    SfuTensor *seen = parity_upload(q, text_of(k, "name"), "seen", 1, 1, member(k, "seen_n"), member(k, "seen"), 1),
              *tokens;
    g_assert_true(sfu_ip_adapter_run(a, &tokens, seen, &error));
    g_assert_cmpint(tokens->w, ==, member(k, "n_tokens"));
    char *name = g_strconcat(text_of(k, "name"), "/tokens", NULL);
    compare_tensor(name, tokens, 1);
    g_free(name);
    sfu_tensor_destroy(seen);
    sfu_tensor_destroy(tokens);
    sfu_ip_adapter_destroy(a);
}

/* What each of the two samples sees of a picture of its own, [2, 1, n_tokens, width]. */
static SfuTensor *tokens_of(SfuQueue *q, const Case *k, SfuIpAdapter *a)
{
    GError *error = NULL;
    const int n_seen = member(k, "seen_n"), c = member(k, "seen"), n = member(k, "n_tokens"), w = member(k, "width");
    SfuTensor *seen = parity_upload(q, text_of(k, "name"), "seen", 2, 1, n_seen, c, 1);
    float *all = g_new(float, 2 * n * w);
    for (int s = 0; s < 2; s++) {
        SfuTensor *one = sfu_tensor_view(seen, (gsize)s * n_seen * c, 1, 1, n_seen, c, &error), *tokens;
        g_assert_true(sfu_ip_adapter_run(a, &tokens, one, &error));
        g_assert_true(sfu_tensor_read(tokens, all + s * n * w, &error));
        sfu_tensor_destroy(one);
        sfu_tensor_destroy(tokens);
    }
    SfuTensor *both = sfu_tensor_create(q, SFU_F32, 2, 1, n, w, &error);
    g_assert_true(sfu_tensor_write(both, all, &error));
    g_free(all);
    sfu_tensor_destroy(seen);
    return both;
}

static void forward(SfuQueue *q, SfuDenoiser *d, const Case *k, const SfuImagePromptUse *use, const char *name)
{
    GError *error = NULL;
    const float timesteps[] = {981, 3};
    SfuTensor *x = parity_upload(q, text_of(k, "name"), "x", 2, member(k, "h"), member(k, "w"), 4, 1), *out;
    const SfuDenoiserInput in = {.x = x, .timesteps = timesteps, .prompts = use};
    sfu_denoiser_forward(d, &out, &in, &error);
    g_assert_no_error(error);
    compare_tensor(name, out, 3);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(out);
}

static void test_unet(gconstpointer data)
{
    const Case *k = data;
    SfuQueue *q = parity_mode_queue(k->plain ? PARITY_PLAIN : PARITY_FAST);
    GError *error = NULL;
    if (!q)
        return;
    SfuModel *m = parity_model(g_str_has_prefix(k->model, "xl") ? "xl" : "sd");
    SfuIpAdapter *a = open_adapter(q, k->model);
    SfuDenoiser *d = sfu_model_family(m)->denoiser(q, m, &error);
    const char *name = text_of(k, "name");
    const int pooled = member(k, "pooled"), mh = 8 * member(k, "h"), mw = 8 * member(k, "w");
    const float numbers[] = {96, 128, 0, 8, 96, 128, 96, 128, 0, 8, 96, 128};
    char *pooled_name = g_strconcat(name, "/pooled", NULL), *mask_name = g_strconcat(name, "/mask", NULL),
         *masked = g_strconcat(name, "/masked", NULL);
    float *vector = parity_input(pooled_name, 2 * MAX(pooled, 1), 1), *mask = parity_input(mask_name, mh * mw, 1);
    for (int i = 0; i < mh * mw; i++)
        mask[i] = mask[i] > 0;
    SfuTensor *words = parity_upload(q, name, "words", 2, 1, 7, member(k, "width"), 1), *tokens = tokens_of(q, k, a);
    const SfuImagePrompt prompts[] = {{tokens, sfu_ip_adapter_kv(a)}, {tokens, sfu_ip_adapter_kv(a)}};
    SfuCondition condition = {.tokens = words, .prompts = prompts, .n_prompts = 2};
    if (pooled) {
        condition.n = 2;
        condition.pooled_width = pooled;
        condition.pooled = vector;
        condition.n_numbers = 6;
        condition.numbers = numbers;
    }
    g_assert_true(sfu_denoiser_set_condition(d, &condition, &error));
    /* Two that look alike add up; one of weight 0 is not there. */
    const SfuImagePromptUse one[] = {{.weight = 0.75}, {.weight = 0}}, two[] = {{.weight = 0.5}, {.weight = 0.25}},
                            behind[] = {{.weight = 0}, {0.5, mask, mh, mw}};
    forward(q, d, k, one, name);
    forward(q, d, k, two, name);
    forward(q, d, k, behind, masked);
    g_free(vector);
    g_free(mask);
    g_free(pooled_name);
    g_free(mask_name);
    g_free(masked);
    sfu_tensor_destroy(words);
    sfu_tensor_destroy(tokens);
    sfu_denoiser_destroy(d);
    sfu_ip_adapter_destroy(a);
}

static void test_square(gconstpointer data)
{
    const Case *k = data;
    GError *error = NULL;
    const int w = member(k, "w"), h = member(k, "h");
    gint32 *v = g_new(gint32, w * h * 3);
    gint64 n;
    const float *want = parity_expected(text_of(k, "name"), &n);
    SfuImage *rgb = sfu_image_new(w, h, 3, &error);
    parity_hash(text_of(k, "name"), w * h * 3, v);
    for (int i = 0; i < w * h * 3; i++)
        rgb->p[i] = (float)((v[i] + 1024) / 8) / 255;
    SfuImage *square = sfu_clip_square(rgb, EYE, &error);
    g_assert_no_error(error);
    for (gint64 i = 0; i < n; i++)
        g_assert_cmpfloat_with_epsilon(square->p[i * 5], want[i], 1e-5); /* a step of 8 bits is 0.014 */
    sfu_image_free(square);
    sfu_image_free(rgb);
    g_free(v);
}

/* An adapter of another family, and an encoder of another width, are refused by name. */
static void test_fits(void)
{
    GError *error = NULL;
    SfuModel *sd = parity_model("sd"), *xl = parity_model("xl"), *vit = parity_model("vit");
    g_assert_true(sfu_ip_adapter_fits(parity_model("plain"), sd, NULL));
    g_assert_true(sfu_ip_adapter_fits(parity_model("plus-diffusers"), sd, NULL));
    g_assert_true(sfu_ip_adapter_fits(parity_model("xl-plus"), xl, NULL));
    g_assert_false(sfu_ip_adapter_fits(parity_model("plain"), xl, &error));
    g_assert_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY);
    g_test_message("%s", error->message);
    g_clear_error(&error);
    g_assert_true(sfu_ip_adapter_takes(parity_model("plain"), vit, NULL));
    g_assert_true(sfu_ip_adapter_takes(parity_model("xl-plus"), vit, NULL));
    g_assert_false(sfu_ip_adapter_takes(parity_model("plain"), sd, &error));
    g_test_message("%s", error->message);
    g_clear_error(&error);
}

/* A dictionary in a dictionary, pickled, as the authors' first files are; its encoder would be another. */
static void test_nested(void)
{
    GError *error = NULL;
    SfuModel *m = sfu_model_open(PARITY_DATA "/ip-adapter.bin", &error);
    g_assert_no_error(error);
    const SfuImagePromptConfig *c = sfu_model_image_prompt(m);
    g_assert_cmpint(c->kind, ==, SFU_IMAGE_PROMPT_PLAIN);
    g_assert_cmpint(c->image_width, ==, 6);
    g_assert_cmpint(c->token_width, ==, 8);
    g_assert_cmpint(c->n_tokens, ==, 4);
    g_assert_cmpint(c->n_attentions, ==, 1);
    g_assert_false(sfu_ip_adapter_takes(m, parity_model("vit"), &error));
    g_assert_nonnull(strstr(error->message, "a vector of 6"));
    g_error_free(error);
    sfu_model_close(m);
}

static void test_missing(void)
{
    const struct {
        const char *model, *drop;
    } cases[] = {
        {"plain", "image_proj.norm.bias"}, {"plus", "image_proj.layers.2.1.1.weight"}, {"full", "proj.2.bias"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const ParityDamage damage = {.drop = cases[i].drop};
        GError *error = NULL;
        char *path = parity_model_path(cases[i].model, &damage);
        SfuModel *m = sfu_model_open(path, &error);
        g_assert_no_error(error);
        g_assert_null(sfu_ip_adapter_create(parity_mode_queue(PARITY_FAST), m, parity_model("sd"), &error));
        g_assert_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING);
        g_error_free(error);
        sfu_model_close(m);
        g_free(path);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *kind;
        void (*fn)(gconstpointer);
    } kinds[] = {{"vision", test_vision}, {"tokens", test_tokens}, {"unet", test_unet}, {"square", test_square}};
    static const char *const layouts[] = {"", "-single", "-open", "-training", "-diffusers"};
    g_test_init(&argc, &argv, NULL);
    parity_data_open();
    JsonArray *cases = parity_cases();
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *o = json_array_get_object_element(cases, i);
        const char *kind = json_object_get_string_member(o, "kind"), *name = json_object_get_string_member(o, "name");
        const gboolean alone = strcmp(kind, "square") == 0;
        for (guint l = 0; l < (alone ? 1 : G_N_ELEMENTS(layouts)); l++)
            for (int plain = 0; plain < (l || alone ? 1 : 2); plain++) {
                char *model = alone ? NULL : g_strconcat(json_object_get_string_member(o, "model"), layouts[l], NULL);
                /* OpenCLIP's names and files without a configuration say no quick GELU. */
                const gboolean told = l == 0 || strcmp(name, "vit-quick") != 0;
                for (guint f = 0; f < G_N_ELEMENTS(kinds); f++) {
                    if (strcmp(kinds[f].kind, kind) != 0 || (model && !parity_has_model(model)) || !told)
                        continue;
                    Case *c = g_new(Case, 1);
                    *c = (Case){o, g_strdup(model), plain};
                    char *path =
                        g_strdup_printf("/ip-adapter/%s/%s%s%s", kind, name, layouts[l], plain ? "-plain" : "");
                    g_test_add_data_func_full(path, c, kinds[f].fn, case_free);
                    g_free(path);
                }
                g_free(model);
            }
    }
    g_test_add_func("/ip-adapter/fits", test_fits);
    g_test_add_func("/ip-adapter/nested", test_nested);
    g_test_add_func("/ip-adapter/missing", test_missing);
    const int failed = g_test_run();
    parity_data_close();
    return failed;
}
