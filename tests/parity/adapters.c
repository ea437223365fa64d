/* Adapters in every kind and spelling against LyCORIS, PEFT and diffusers: norm(difference) / norm(reference) of what a
 * small UNet and a small text encoder give. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "small_models.h"
#include "family/adapter_modules.h"
#include "net/net.h"
#include <locale.h>
#include <string.h>

/* fp32: sums of some thousand terms in another order. fp16: stored values are off by up to 2^-11. */
#define TOLERANCE 1e-4
#define TOLERANCE_F16 1e-2

/* ---- the two networks of a model, on the inputs of make-adapters.py ---- */

/* A model with what is kept between passes, as in a program that stays. */
typedef struct {
    SfuQueue *q;
    SfuModel *model;
    SfuDeltas *deltas;
    SfuDenoiser *unet;
    SfuTextEncoder *text;
} Subject;

static Subject subject_open(SfuQueue *q, const char *path)
{
    GError *error = NULL;
    Subject s = {.q = q, .model = sfu_model_open(path, &error), .deltas = sfu_deltas_new()};
    g_assert_no_error(error);
    s.unet = sfu_unet_denoiser(q, s.model, &error);
    g_assert_no_error(error);
    return s;
}

static void subject_close(Subject *s)
{
    sfu_denoiser_destroy(s->unet);
    sfu_text_encoder_destroy(s->text);
    sfu_deltas_free(s->deltas);
    sfu_model_close(s->model);
}

static float *unet_values(Subject *s, gint64 *n)
{
    static const float timesteps[] = {981, 17.5f};
    GError *error = NULL;
    SfuTensor *x = parity_upload(s->q, NULL, "adapters/x", 2, 6, 5, 4, 1),
              *context = parity_upload(s->q, NULL, "adapters/context", 2, 1, 7, 48, 1), *y;
    g_assert_true(sfu_denoiser_set_condition(s->unet, &(SfuCondition){.tokens = context}, &error));
    sfu_denoiser_forward(s->unet, &y, &(SfuDenoiserInput){.x = x, .timesteps = timesteps}, &error);
    g_assert_no_error(error);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(context);
    *n = sfu_tensor_elements(y);
    return parity_download(y);
}

static float *text_values(Subject *s, gint64 *n)
{
    gint32 tokens[SFU_TEXT_TOKENS];
    GError *error = NULL;
    SfuTensor *y;
    parity_hash("adapters/tokens", SFU_TEXT_TOKENS, tokens);
    for (int i = 0; i < SFU_TEXT_TOKENS; i++)
        tokens[i] = (tokens[i] + 1024) % 500;
    if (!s->text)
        s->text = sfu_text_encoder_create(s->q, s->model, SFU_PART_TEXT, &error);
    g_assert_no_error(error);
    sfu_text_encoder_run(s->text, &y, NULL, &(SfuTextInput){tokens, 1}, &error);
    g_assert_no_error(error);
    *n = sfu_tensor_elements(y);
    return parity_download(y);
}

/* ---- adapters ---- */

typedef struct {
    SfuAdapter *file;
    SfuBoundAdapter *bound;
} Applied;

static Applied apply(const Subject *s, const char *name)
{
    GError *error = NULL;
    char *path = parity_model_path(name, NULL);
    Applied w = {.file = sfu_adapter_open(path, &error)};
    g_assert_no_error(error);
    const SfuAdapterBase base = sfu_adapter_base(s->model);
    w.bound = sfu_adapter_bind(w.file, &base, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(sfu_bound_adapter_note(w.bound), ==, NULL);
    g_free(path);
    return w;
}

static void drop(Applied *w)
{
    sfu_bound_adapter_free(w->bound);
    sfu_adapter_close(w->file);
}

static void set(Subject *s, const Applied *w, int n, const float *strengths)
{
    GArray *uses = g_array_new(FALSE, FALSE, sizeof(SfuDeltaUse));
    for (int i = 0; i < n; i++)
        sfu_bound_adapter_use(w[i].bound, strengths[i], strengths[i], uses);
    sfu_deltas_set(s->deltas, (const SfuDeltaUse *)(gconstpointer)uses->data, uses->len);
    g_array_unref(uses);
}

typedef struct {
    const char *name;
    float strength;
    gboolean unet, text, half;
} Case;

static void test_case(gconstpointer data)
{
    const Case *k = data;
    SfuQueue *q = parity_mode_queue(k->half ? PARITY_FP16 : PARITY_FAST);
    if (!q)
        return;
    char *path = parity_model_path("sd", NULL);
    Subject s = subject_open(q, path);
    Applied w = apply(&s, k->name);
    gint64 n;
    set(&s, &w, 1, &k->strength);
    float *v = k->unet ? unet_values(&s, &n) : text_values(&s, &n);
    parity_compare(k->name, k->unet ? "unet" : "text", v, n, k->half ? TOLERANCE_F16 : TOLERANCE);
    g_free(v);
    subject_close(&s);
    drop(&w);
    g_free(path);
}

/* Two at once are the sum of their differences; without them, and with weights of 0, the base is itself to the bit. */
static void test_several(void)
{
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    char *path = parity_model_path("sd", NULL);
    Subject s = subject_open(q, path);
    Applied w[2] = {apply(&s, "kohya-lora"), apply(&s, "diffusers-new")};
    gint64 n;
    float *base = unet_values(&s, &n), *v;
    set(&s, w, 2, (const float[]){0.75f, -0.5f});
    parity_compare("sum", "unet", v = unet_values(&s, &n), n, TOLERANCE);
    g_assert_cmpfloat(parity_error(v, base, n), >, 0.02);
    g_free(v);
    set(&s, w, 1, (const float[]){1});
    parity_compare("kohya-lora", "unet", v = unet_values(&s, &n), n, TOLERANCE);
    g_free(v);
    set(&s, w, 2, (const float[]){0, 0});
    v = unet_values(&s, &n);
    g_assert_cmpmem(v, sizeof *v * (gsize)n, base, sizeof *v * (gsize)n);
    g_free(v);
    set(&s, w, 2, (const float[]){1, 1});
    g_free(unet_values(&s, &n));
    set(&s, NULL, 0, NULL);
    v = unet_values(&s, &n);
    g_assert_cmpmem(v, sizeof *v * (gsize)n, base, sizeof *v * (gsize)n);
    g_free(v);
    g_free(base);
    subject_close(&s);
    for (int i = 0; i < 2; i++)
        drop(&w[i]);
    g_free(path);
}

/* The UNet of `folder` with weights of a type in a folder of its own; caller frees. */
static char *converted(const char *folder, const char *from, const char *type)
{
    GError *error = NULL;
    const gboolean gguf = type[0] == 'q';
    char *to = g_strdup_printf("%s-%s", folder, type), *dir = g_build_filename(to, "unet", NULL),
         *old = g_build_filename(from, "unet", NULL), *name = g_strdup("config.json"), *text;
    char *config = g_build_filename(old, name, NULL), *copy = g_build_filename(dir, name, NULL);
    char *in = g_build_filename(old, "diffusion_pytorch_model.safetensors", NULL);
    if (!g_file_test(in, G_FILE_TEST_EXISTS)) {
        g_free(in);
        in = g_build_filename(old, "diffusion_pytorch_model.gguf", NULL);
    }
    char *out =
        g_build_filename(dir, gguf ? "diffusion_pytorch_model.gguf" : "diffusion_pytorch_model.safetensors", NULL);
    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    g_assert_true(g_file_get_contents(config, &text, NULL, NULL) && g_file_set_contents(copy, text, -1, NULL));
    sfu_model_convert(&(SfuConversion){in, out, type, .replace = TRUE}, NULL, &error);
    g_assert_no_error(error);
    char *const all[] = {dir, old, name, text, config, copy, in, out};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
        g_free(all[i]);
    return to;
}

static float *adapted(SfuQueue *q, const char *folder, const char *adapter, gint64 *n)
{
    Subject s = subject_open(q, folder);
    Applied w = apply(&s, adapter);
    set(&s, &w, 1, (const float[]){1});
    float *v = unet_values(&s, n);
    subject_close(&s);
    drop(&w);
    return v;
}

/* On a base of any type an adapter gives what it gives on the same base as fp32, whose result is the reference's. */
static void test_bases(void)
{
    static const char *const types[] = {"f32", "bf16", "q8_0", "q4_0", "fp8", "int8"};
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    char *path = parity_model_path("sd", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        char *typed = converted(path, path, types[i]), *wide = converted(typed, typed, "f32");
        gint64 n;
        float *v = adapted(q, typed, "dora-in", &n), *ref = adapted(q, wide, "dora-in", &n);
        const double e = parity_error(v, ref, n);
        g_test_message("%s: relative error %.2e", types[i], e);
        g_assert_cmpfloat(e, <, TOLERANCE);
        if (i == 0)
            parity_compare("dora-in", "unet", v, n, TOLERANCE);
        g_free(v);
        g_free(ref);
        g_free(typed);
        g_free(wide);
    }
    g_free(path);
}

/* Rows of a delta on rows of a weight, as where one program fuses q, k and v and another does not. */
static void test_rows(void)
{
    const gint64 dims[] = {4, 2}, tall[] = {6, 2}, vector[] = {4};
    static const float values[] = {1, 2, 3, 4, 5, 6, 7, 8},
                       more[] = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120};
    float v[8];
    SfuWeight *w = sfu_weight_new("w", SFU_F32, 2, dims, values, sizeof values);
    SfuDelta d = {.kind = SFU_DELTA_FULL, .out = 6, .in = 2, .taps = 1, .scale = 2};
    d.a[0] = sfu_weight_new("a", SFU_F32, 2, tall, more, sizeof more);
    SfuDeltas *all = sfu_deltas_new();
    const SfuDeltaUse use = {w, &d, .to_row = 1, .from_row = 3, .n_rows = 2, .strength = 0.5f};
    sfu_deltas_set(all, &use, 1);
    sfu_weight_read_f32(w, 0, 8, v);
    g_assert_cmpmem(v, sizeof v, ((const float[]){1, 2, 73, 84, 95, 106, 7, 8}), sizeof v);
    sfu_weight_read_f32(w, 3, 2, v); /* neither begins nor ends with a row */
    g_assert_cmpmem(v, 8, ((const float[]){84, 95}), 8);
    SfuWeight *both = sfu_weight_concat("both", (SfuWeight *const[]){w, w}, 2);
    sfu_weight_read_f32(both, 8, 8, v);
    g_assert_cmpfloat(v[2], ==, 73);
    sfu_deltas_set(all, NULL, 0);
    sfu_weight_read_f32(both, 8, 8, v);
    g_assert_cmpmem(v, sizeof v, values, sizeof v);
    sfu_weight_destroy(both);
    sfu_weight_destroy(w);
    /* one value per row */
    w = sfu_weight_new("b", SFU_F32, 1, vector, values, 16);
    const SfuDelta out = {.kind = SFU_DELTA_SCALE_OUT, .out = 6, .in = 1, .taps = 1, .a = {d.a[0]}};
    SfuWeight *six = sfu_weight_new("six", SFU_F32, 1, tall, more, 24);
    const SfuDelta scaled = {.kind = out.kind, .out = 6, .in = 1, .taps = 1, .a = {six}};
    const SfuDeltaUse rows = {w, &scaled, .to_row = 0, .from_row = 2, .n_rows = 4, .strength = 1};
    sfu_deltas_set(all, &rows, 1);
    sfu_weight_read_f32(w, 0, 4, v);
    g_assert_cmpmem(v, 16, ((const float[]){30, 80, 150, 240}), 16);
    sfu_deltas_free(all);
    sfu_weight_read_f32(w, 0, 4, v);
    g_assert_cmpmem(v, 16, values, 16);
    sfu_weight_destroy(six);
    sfu_weight_destroy(w);
    sfu_weight_destroy(d.a[0]);
}

/* ---- files that are not what they should be ---- */

#define KEY "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"

static const struct {
    ParityTensor entries[5];
    const char *bad, *says;
} bad_files[] = {
    {{{KEY ".lora_up.weight", {32, 4}}, {KEY ".lora_down.weight", {3, 48}}}, NULL, "does not fit the other tensors"},
    {{{KEY ".lora_up.weight", {32, 4}}, {KEY ".lora_down.weight", {4, 48}}, {KEY ".alpha", {0}}}, KEY ".alpha", "NaN"},
    {{{KEY ".lora_up.weight", {32, 4}}, {KEY ".lora_down.weight", {4, 48}}, {KEY ".alpha", {3}}},
     NULL,
     "does not fit the other tensors"},
    {{{KEY ".lora_up.weight", {32, 4}}, {KEY ".lora_down.weight", {4, 2048}}}, NULL, "Stable Diffusion XL"},
    {{{KEY ".lora_up.weight", {32, 4}}}, NULL, "holds no LoRA"},
    {{{KEY ".hada_w1_a", {32, 4}},
      {KEY ".hada_w1_b", {4, 48}},
      {KEY ".hada_w2_a", {31, 4}},
      {KEY ".hada_w2_b", {4, 48}}},
     NULL,
     "does not fit the other tensors"},
    {{{KEY ".oft_diag", {4, 8, 8}}}, NULL, "does not apply (OFT of LyCORIS before 2.0)"},
    {{{KEY ".oft_blocks", {4, 8, 8}}, {KEY ".dora_scale", {32, 1}}}, NULL, "DoRA of the kind OFT"},
    {{{KEY ".oft_blocks", {4, 8, 7}}}, NULL, "does not fit the other tensors"},
    {{{KEY ".oft_blocks", {3, 8, 8}}}, NULL, "another shape"},
    {{{KEY ".oft_blocks", {3, 6, 8, 8}}}, NULL, "does not fit the other tensors"}, /* the third stage needs 8 */
    {{{KEY ".oft_blocks", {2, 4, 7, 7}}}, NULL, "does not fit the other tensors"},
    {{{KEY ".oft_R.weight", {4, 7}}}, NULL, "does not fit the other tensors"},
    {{{KEY ".oft_R.weight", {4, 6}}}, NULL, "another shape"},
    {{{"base_model.model.down_blocks.0.resnets.0.conv1.oft_R.weight", {36, 28}}}, NULL, "several taps"},
    {{{KEY ".boft_R", {2, 4, 8}}}, NULL, "(BOFT)"},
    {{{KEY ".lora_up.weight", {32, 4}}, {KEY ".lora_down.weight", {4, 48}}, {KEY ".reshape_weight", {2}}},
     NULL,
     "widened"},
    /* GLoRA: the halves' ranks differ; one half is for other inputs */
    {{{KEY ".a1.weight", {48, 4}},
      {KEY ".a2.weight", {3, 48}},
      {KEY ".b1.weight", {32, 4}},
      {KEY ".b2.weight", {4, 48}}},
     NULL,
     "does not fit the other tensors"},
    {{{KEY ".a1.weight", {40, 4}},
      {KEY ".a2.weight", {4, 48}},
      {KEY ".b1.weight", {32, 4}},
      {KEY ".b2.weight", {4, 48}}},
     NULL,
     "does not fit the other tensors"},
    {{{"lora_unet_nothing.lora_up.weight", {32, 4}}, {"lora_unet_nothing.lora_down.weight", {4, 48}}},
     NULL,
     "does not fit"},
    /* sliders change self-attention alone: no module reads the context */
    {{{"lora_unet_down_blocks_2_attentions_1_transformer_blocks_9_attn1_to_q.lora_up.weight", {1280, 4}},
      {"lora_unet_down_blocks_2_attentions_1_transformer_blocks_9_attn1_to_q.lora_down.weight", {4, 1280}}},
     NULL,
     "made for Stable Diffusion XL"},
    /* a part of it that would fit does not make it one for the model */
    {{{KEY ".lora_up.weight", {32, 4}},
      {KEY ".lora_down.weight", {4, 48}},
      {"lora_unet_mid_block_attentions_0_transformer_blocks_3_attn1_to_q.lora_up.weight", {64, 4}},
      {"lora_unet_mid_block_attentions_0_transformer_blocks_3_attn1_to_q.lora_down.weight", {4, 64}}},
     NULL,
     "made for Stable Diffusion XL"},
    {{{"lora_unet_input_blocks_8_1_transformer_blocks_9_attn1_to_q.lora_up.weight", {1280, 4}},
      {"lora_unet_input_blocks_8_1_transformer_blocks_9_attn1_to_q.lora_down.weight", {4, 1280}}},
     NULL,
     "made for Stable Diffusion XL"},
    {{{"lora_unet_up_blocks_3_resnets_0_conv1.lora_up.weight", {320, 4, 1, 1}},
      {"lora_unet_up_blocks_3_resnets_0_conv1.lora_down.weight", {4, 960, 3, 3}}},
     NULL,
     "1 have other names"}, /* of 1.x or 2.x, as the model is */
    {{{"lora_unet_double_blocks_0_img_mlp_0.lora_up.weight", {12288, 1}},
      {"lora_unet_double_blocks_0_img_mlp_0.lora_down.weight", {1, 3072}}},
     NULL,
     "made for FLUX.1"},
    /* a product of a million by a million is not made */
    {{{KEY ".lokr_w1_a", {1000000, 1}}, {KEY ".lokr_w1_b", {1, 48}}, {KEY ".lokr_w2", {1, 1}}}, NULL, "does not fit"},
    {{{"model.diffusion_model.x", {3}}}, NULL, "holds no LoRA"},
};

static void test_bad(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(bad_files); i++) {
        GError *error = NULL;
        char *path = parity_file_write("bad.safetensors", bad_files[i].entries, bad_files[i].bad);
        SfuAdapter *a = sfu_adapter_open(path, &error);
        const SfuAdapterBase base = sfu_adapter_base(parity_model("sd"));
        SfuBoundAdapter *b = a ? sfu_adapter_bind(a, &base, &error) : NULL;
        g_assert_null(b);
        g_assert_nonnull(error);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, bad_files[i].says));
        g_assert_null(strchr(error->message, '\n'));
        g_error_free(error);
        sfu_adapter_close(a);
        g_free(path);
    }
}

/* A file that ends early says so; one with a part that the model does not have says what is left out. */
static void test_cut(void)
{
    GError *error = NULL;
    char *path = parity_model_path("kohya-lora", NULL), *cut = g_strconcat(path, ".cut", NULL), *bytes;
    gsize n;
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL) &&
                  g_file_set_contents(cut, bytes, (gssize)(n / 2), NULL));
    g_assert_null(sfu_adapter_open(cut, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_free(bytes);
    g_free(cut);
    g_free(path);
    path = parity_model_path("text-kohya", NULL);
    SfuAdapter *a = sfu_adapter_open(path, &error);
    g_assert_no_error(error);
    char *kinds = sfu_adapter_kinds(a), *report = sfu_adapter_inspect(a);
    gint64 least, most;
    sfu_adapter_ranks(a, &least, &most);
    g_assert_cmpstr(kinds, ==, "LoRA");
    g_assert_true(least == 4 && most == 4);
    g_assert_nonnull(strstr(report, "0 of the network that paints, 12 of text encoders"));
    g_free(report);
    g_free(kinds);
    sfu_adapter_close(a);
    g_free(path);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    parity_data_open();
    JsonArray *list = parity_cases();
    const guint n = json_array_get_length(list);
    Case *cases = g_new0(Case, 2 * n);
    for (guint i = 0; i < n; i++) {
        JsonObject *o = json_array_get_object_element(list, i);
        cases[i] = (Case){json_object_get_string_member(o, "name"), (float)json_object_get_double_member(o, "strength"),
                          json_object_get_boolean_member(o, "unet"), json_object_get_boolean_member(o, "text"), FALSE};
        char *path = g_strconcat("/adapters/", cases[i].name, NULL),
             *half = g_strconcat("/adapters/fp16/", cases[i].name, NULL);
        g_test_add_data_func(path, &cases[i], test_case);
        cases[n + i] = cases[i];
        cases[n + i].half = TRUE;
        if (i % 8 == 0)
            g_test_add_data_func(half, &cases[n + i], test_case);
        g_free(path);
        g_free(half);
    }
    g_test_add_func("/adapters/several", test_several);
    g_test_add_func("/adapters/bases", test_bases);
    g_test_add_func("/adapters/rows", test_rows);
    g_test_add_func("/adapters/bad", test_bad);
    g_test_add_func("/adapters/cut", test_cut);
    const int status = g_test_run();
    g_free(cases);
    parity_data_close();
    return status;
}
