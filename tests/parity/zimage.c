/* Qwen3 as a text encoder and Z-Image against transformers and diffusers on small models (make-zimage.py made the
 * data). Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "small_models.h"
#include "family/control_layouts.h"
#include "model/vocabulary.h"
#include "net/qwen3.h"
#include "text/text.h"
#include <string.h>

/* fp32: sums of some thousand terms in another order, through some dozen layers. */
#define TOLERANCE 1e-4
#define HALF_TOLERANCE 1e-2 /* fp16 activations: 2^-11 a value, through some dozen layers */

static SfuQueue *q, *halves; /* halves: stores activations as fp16 */

static const char *text_of(JsonObject *o, const char *name)
{
    return json_object_get_string_member(o, name);
}

static gint32 *ints_of(JsonObject *o, const char *name, int *n)
{
    JsonArray *list = json_object_get_array_member(o, name);
    *n = (int)json_array_get_length(list);
    gint32 *v = g_new(gint32, *n);
    for (int i = 0; i < *n; i++)
        v[i] = (gint32)json_array_get_int_element(list, (guint)i);
    return v;
}

static SfuModel *gguf;

/* The case's model; "gguf": the file that the script wrote. Borrowed. */
static SfuModel *model_of(JsonObject *o)
{
    GError *error = NULL;
    if (strcmp(text_of(o, "model"), "gguf") != 0)
        return parity_model(text_of(o, "model"));
    if (!gguf)
        gguf = sfu_model_open(PARITY_DATA "/qwen3.gguf", &error);
    g_assert_no_error(error);
    return gguf;
}

static void run_text(JsonObject *o)
{
    GError *error = NULL;
    SfuModel *m = model_of(o);
    SfuQwen3Request r = {.n_seen = parity_int(o, "seen")};
    g_assert_cmpint(sfu_model_strays(m)->len, ==, 0);
    r.tokens = ints_of(o, "tokens", &r.n_tokens);
    r.layers = ints_of(o, "layers", &r.n_layers);
    SfuQwen3 *e = sfu_qwen3_create(q, m, &error);
    g_assert_no_error(error);
    SfuTensor *hidden;
    sfu_qwen3_run(e, &hidden, &r, &error);
    g_assert_no_error(error);
    parity_compare_tensor(text_of(o, "name"), "out", hidden, TOLERANCE);
    sfu_qwen3_destroy(e);
    g_free((gpointer)r.tokens);
    g_free((gpointer)r.layers);
}

/* merges.txt cannot be written as JSON: its lines are in merges.json. */
static void write_merges(const SfuModel *m)
{
    char *from = g_build_filename(sfu_model_path(m), "merges.json", NULL),
         *to = g_build_filename(sfu_model_path(m), "merges.txt", NULL), *text;
    if (g_file_get_contents(from, &text, NULL, NULL)) {
        JsonNode *node = json_from_string(text, NULL);
        JsonArray *list = json_object_get_array_member(json_node_get_object(node), "merges");
        GString *lines = g_string_new("#version: 0.2\n");
        for (guint i = 0; i < json_array_get_length(list); i++)
            g_string_append_printf(lines, "%s\n", json_array_get_string_element(list, i));
        g_assert_true(g_file_set_contents(to, lines->str, -1, NULL));
        g_string_free(lines, TRUE);
        json_node_unref(node);
        g_free(text);
    }
    g_free(from);
    g_free(to);
}

/* A vocabulary that lies beside a model, or in its file. */
static void run_words(JsonObject *o)
{
    GError *error = NULL;
    SfuModel *m = model_of(o);
    SfuModelVocabulary *v;
    write_merges(m);
    g_assert_true(sfu_model_vocabulary(m, &v, &error));
    g_assert_no_error(error);
    g_assert_nonnull(v);
    const SfuVocabulary words = {(const char *const *)v->tokens->pdata, v->special->data, v->tokens->len,
                                 (const char *const *)v->merges->pdata, v->merges->len};
    SfuByteTokenizer *t = sfu_byte_tokenizer_new_from(&words, &error);
    g_assert_no_error(error);
    int n;
    gint32 *want = ints_of(o, "tokens", &n);
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint32));
    g_assert_true(sfu_byte_tokenizer_encode(t, text_of(o, "text"), -1, ids, &error));
    g_assert_cmpmem(ids->data, ids->len * sizeof(gint32), want, (gsize)n * sizeof(gint32));
    g_array_unref(ids);
    g_free(want);
    sfu_byte_tokenizer_free(t);
    sfu_model_vocabulary_free(v);
}

/* The case's ControlNet, with its picture, in the sum of a pass; NULL: it has none. Caller frees. */
static SfuControl *steer(SfuQueue *queue, JsonObject *o, const SfuModel *m, const SfuDenoiserInput *in,
                         SfuControlSum *sum)
{
    GError *error = NULL;
    if (!json_object_has_member(o, "control"))
        return NULL;
    SfuModel *model = parity_model(text_of(o, "control"));
    g_assert_cmpint(sfu_model_strays(model)->len, ==, 0);
    g_assert_true(sfu_control_fits(model, m, &error));
    SfuControl *c = sfu_model_family(model)->control(queue, model, &error);
    g_assert_no_error(error);
    g_assert_true(c->sees_latents);
    char *name = g_strdup_printf("%s/control", text_of(o, "name"));
    const int own = in->x->c, all = c->sees_kept ? 2 * own + 1 : own;
    float *latents = parity_input(name, (gint64)in->x->h * in->x->w * own, 1),
          *seen = g_new0(float, (gsize)in->x->h * in->x->w * all);
    for (int i = 0; i < in->x->h * in->x->w; i++)
        memcpy(seen + (gsize)i * all, latents + (gsize)i * own, sizeof *seen * (gsize)own);
    sfu_control_set_picture(c, seen, in->x->h, in->x->w, &error);
    g_free(seen);
    g_assert_no_error(error);
    sfu_control_add(c, sum, in, &(SfuControlUse){.weight = 0.75}, &error);
    g_assert_no_error(error);
    g_free(latents);
    g_free(name);
    return c;
}

static void run_transformer_on(SfuQueue *queue, JsonObject *o, double tolerance)
{
    GError *error = NULL;
    const char *name = text_of(o, "name");
    int n, most = 0;
    gint32 *tokens = ints_of(o, "tokens", &n);
    float timesteps[4];
    for (int i = 0; i < n; i++) {
        timesteps[i] = (float)json_array_get_double_element(json_object_get_array_member(o, "timesteps"), (guint)i);
        most = MAX(most, tokens[i]);
    }
    guint8 *mask = g_new0(guint8, n * most);
    for (int i = 0; i < n; i++)
        memset(mask + i * most, 1, (gsize)tokens[i]);
    SfuModel *m = parity_model(text_of(o, "model"));
    g_assert_cmpint(sfu_model_strays(m)->len, ==, 0);
    SfuDenoiser *d = sfu_model_family(m)->denoiser(queue, m, &error);
    g_assert_no_error(error);
    SfuTensor *x = parity_upload(queue, name, "x", n, parity_int(o, "h"), parity_int(o, "w"), d->in_channels, 1),
              *text = parity_upload(queue, name, "text", n, 1, most, parity_int(o, "context"), 1), *y;
    sfu_denoiser_set_condition(d, &(SfuCondition){.tokens = text, .mask = mask}, &error);
    g_assert_no_error(error);
    SfuDenoiserInput in = {.x = x, .timesteps = timesteps};
    SfuControlSum sum = {0};
    SfuControl *control = steer(queue, o, m, &in, &sum);
    const SfuResiduals residuals = sfu_control_sum_residuals(&sum);
    in.residuals = &residuals;
    for (int pass = 0; pass < 2; pass++) { /* nothing of the first is left in the second */
        sfu_denoiser_forward(d, &y, &in, &error);
        g_assert_no_error(error);
        parity_compare_tensor(name, "out", y, tolerance);
    }
    sfu_control_sum_clear(&sum);
    sfu_control_destroy(control);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(text);
    sfu_denoiser_destroy(d);
    g_free(mask);
    g_free(tokens);
}

static void run_transformer(JsonObject *o)
{
    run_transformer_on(q, o, TOLERANCE);
    run_transformer_on(halves, o, HALF_TOLERANCE);
}

static void run_case(gconstpointer data)
{
    JsonObject *o = (JsonObject *)data;
    static const struct {
        const char *kind;
        void (*run)(JsonObject *o);
    } kinds[] = {{"text", run_text}, {"transformer", run_transformer}, {"words", run_words}};
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].kind, text_of(o, "kind")) == 0)
            kinds[i].run(o);
}

/* Fewer layers than are asked for, tokens that are none, a missing tensor: each ends in a sentence. */
static void test_refusals(void)
{
    GError *error = NULL;
    const ParityDamage damage = {.drop = "layers.1.self_attn.k_norm"};
    char *path = parity_model_path("qwen3", &damage);
    SfuModel *torn = sfu_model_open(path, &error);
    g_assert_no_error(error);
    g_assert_null(sfu_qwen3_create(q, torn, &error));
    g_assert_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING);
    g_assert_nonnull(strstr(error->message, "layers.1.self_attn.k_norm.weight"));
    g_clear_error(&error);
    sfu_model_close(torn);
    g_free(path);
    SfuQwen3 *e = sfu_qwen3_create(q, parity_model("qwen3"), &error);
    g_assert_no_error(error);
    SfuTensor *hidden;
    const gint32 tokens[] = {1, 300};
    const int layers[] = {9, 18};
    g_assert_false(sfu_qwen3_run(e, &hidden, &(SfuQwen3Request){tokens, 1, 1, layers, 2}, &error));
    g_assert_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING);
    g_clear_error(&error);
    const int last = -1;
    g_assert_false(sfu_qwen3_run(e, &hidden, &(SfuQwen3Request){tokens, 2, 2, &last, 1}, &error));
    g_assert_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE);
    g_clear_error(&error);
    sfu_qwen3_destroy(e);
}

/* Each is refused in a sentence: by the reader of the file, or by the tokenizer. */
static void test_bad_vocabularies(void)
{
    static const char *const texts[] = {
        "{",
        "{\"model\": {\"type\": \"Unigram\", \"vocab\": []}}",
        "{\"model\": {\"vocab\": {\"a\": 0}}}",
        "{\"model\": {\"vocab\": {\"a\": -1}, \"merges\": [\"a a\"]}}",
        "{\"model\": {\"vocab\": {\"a\": 99999999}, \"merges\": [\"a a\"]}}",
        "{\"model\": {\"vocab\": {\"a\": \"b\"}, \"merges\": [\"a a\"]}}",
        "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [[\"a\"]]}}",
        "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a a\"]}, \"added_tokens\": [7]}",
        "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a a\"]}}", /* a byte alone */
    };
    const ParityDamage copy = {0};
    char *path = parity_model_path("qwen3", &copy), *file = g_build_filename(path, "tokenizer.json", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        GError *error = NULL;
        SfuModelVocabulary *v = NULL;
        g_assert_true(g_file_set_contents(file, texts[i], -1, NULL));
        SfuModel *m = sfu_model_open(path, &error);
        g_assert_no_error(error);
        if (sfu_model_vocabulary(m, &v, &error)) {
            const SfuVocabulary words = {(const char *const *)v->tokens->pdata, v->special->data, v->tokens->len,
                                         (const char *const *)v->merges->pdata, v->merges->len};
            g_assert_null(sfu_byte_tokenizer_new_from(&words, &error));
            g_assert_error(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_VOCABULARY);
        }
        g_assert_nonnull(error);
        g_test_message("%s", error->message);
        g_error_free(error);
        sfu_model_vocabulary_free(v);
        sfu_model_close(m);
    }
    g_free(file);
    g_free(path);
}

/* Adapters find their modules by every name in use, fused or not. */
static void test_adapters(void)
{
    static const char *const keys[] = {"zimage", "zimage-original"};
    const SfuPart t = SFU_PART_TRANSFORMER;
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        parity_check_adapter(keys[i], t, "diffusion_model.layers.0.attention.to_q", 64,
                             "layers.0.attention.to_q.weight", 0);
        parity_check_adapter(keys[i], t, "diffusion_model.layers.0.attention.qkv", 192,
                             "layers.0.attention.to_v.weight", 128);
        parity_check_adapter(keys[i], t, "lora_unet_noise_refiner_1_attention_out", 64,
                             "noise_refiner.1.attention.to_out.0.weight", 0);
        parity_check_adapter(keys[i], t, "transformer.context_refiner.0.attention.to_k", 64,
                             "context_refiner.0.attention.to_k.weight", 0);
    }
}

int main(int argc, char **argv)
{
    GError *error = NULL;
    g_test_init(&argc, &argv, NULL);
    if (!(q = parity_queue_open(SFU_PRECISION_FP32)))
        return 0;
    halves = sfu_queue_create(&(SfuQueueOptions){.precision = SFU_PRECISION_FP16}, &error);
    g_assert_no_error(error);
    JsonArray *cases = parity_cases();
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *o = json_array_get_object_element(cases, i);
        char *path =
            g_strdup_printf("/zimage/%s/%s-%s-%u", text_of(o, "kind"), text_of(o, "model"), text_of(o, "name"), i);
        g_test_add_data_func(path, o, run_case);
        g_free(path);
    }
    g_test_add_func("/zimage/refusals", test_refusals);
    g_test_add_func("/zimage/bad-vocabularies", test_bad_vocabularies);
    g_test_add_func("/zimage/adapters", test_adapters);
    const int rc = g_test_run();
    sfu_model_close(gguf);
    parity_data_close();
    sfu_queue_destroy(q);
    sfu_queue_destroy(halves);
    return rc;
}
