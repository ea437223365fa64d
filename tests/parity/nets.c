/* Every network against PyTorch, diffusers and transformers on small models of every family: norm(difference) /
 * norm(reference). Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "small_models.h"
#include "net/net.h"
#include "pipe/pipe.h"
#include <locale.h>
#include <math.h>
#include <string.h>

/* fp32: sums of some thousand terms in another order, through some hundred layers. fp16: each stored value is off by up
 * to 2^-11. int16: 2^-12 of the largest of 128 for each factor of a product; int8: 2^-7. */
static const double tolerances[PARITY_N_MODES] = {1e-4, 1e-4, 5e-3, 2e-3, 0.1};

static const char *name_of(JsonObject *o)
{
    return json_object_get_string_member(o, "name");
}

/* ---- one pass of each kind ---- */

static SfuTensor *unet_pass(SfuQueue *q, SfuUnet *u, JsonObject *o, GError **error)
{
    const char *name = name_of(o);
    const int n = parity_int(o, "n"), n_context = parity_int(o, "context_n");
    float timesteps[8];
    int labels[8];
    JsonArray *t = json_object_get_array_member(o, "timesteps"),
              *l = json_object_has_member(o, "labels") ? json_object_get_array_member(o, "labels") : NULL;
    char *x_name = g_strdup_printf("%s/x", name), *c_name = g_strdup_printf("%s/context", name);
    for (int i = 0; i < n; i++) {
        timesteps[i] = (float)json_array_get_double_element(t, (guint)i);
        labels[i] = l ? (int)json_array_get_int_element(l, (guint)i) : 0;
    }
    SfuTensor *x = parity_upload(q, NULL, x_name, n, parity_int(o, "h"), parity_int(o, "w"), parity_int(o, "c"), 1),
              *y = NULL;
    SfuTensor *context =
        parity_upload(q, NULL, c_name, n_context, 1, parity_int(o, "tokens"), parity_int(o, "context_c"), 1);
    if (sfu_unet_set_condition(u, &(SfuCondition){.tokens = context}, error))
        sfu_unet_forward(u, &y, &(SfuDenoiserInput){.x = x, .timesteps = timesteps, .class_labels = l ? labels : NULL},
                         error);
    sfu_tensor_destroy(context);
    sfu_tensor_destroy(x);
    g_free(x_name);
    g_free(c_name);
    return y;
}

static void run_unet(SfuQueue *q, JsonObject *o, double tolerance)
{
    GError *error = NULL;
    SfuUnet *u = sfu_unet_create(q, parity_model(json_object_get_string_member(o, "model")), &error);
    g_assert_no_error(error);
    SfuTensor *y = unet_pass(q, u, o, &error);
    g_assert_no_error(error);
    parity_compare_tensor(name_of(o), "out", y, tolerance);
    sfu_unet_destroy(u);
}

static void run_vae(SfuQueue *q, JsonObject *o, double tolerance)
{
    GError *error = NULL;
    const char *name = name_of(o);
    const int n = parity_int(o, "n"), h = parity_int(o, "h"), w = parity_int(o, "w"), f = parity_int(o, "factor");
    SfuVae *v = sfu_vae_create(q, parity_model(json_object_get_string_member(o, "model")), &error);
    g_assert_no_error(error);
    g_assert_cmpint(sfu_vae_factor(v), ==, f);
    char *x_name = g_strdup_printf("%s/x", name), *z_name = g_strdup_printf("%s/z", name);
    SfuTensor *x = parity_upload(q, NULL, x_name, n, h * f, w * f, 3, 0.5f),
              *z = parity_upload(q, NULL, z_name, n, h, w, parity_int(o, "c"), 1), *y;
    sfu_vae_encode(v, &y, x, &error);
    g_assert_no_error(error);
    parity_compare_tensor(name, "moments", y, tolerance);
    sfu_vae_decode(v, &y, z, &error);
    g_assert_no_error(error);
    parity_compare_tensor(name, "out", y, tolerance);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(z);
    g_free(x_name);
    g_free(z_name);
    sfu_vae_destroy(v);
}

static void run_taesd(SfuQueue *q, JsonObject *o, double tolerance)
{
    GError *error = NULL;
    const int n = parity_int(o, "n"), h = parity_int(o, "h"), w = parity_int(o, "w"), f = parity_int(o, "factor");
    SfuTaesd *t = sfu_taesd_create(q, parity_model(json_object_get_string_member(o, "model")), &error);
    g_assert_no_error(error);
    SfuTensor *x = parity_upload(q, NULL, "taesd/x", n, h * f, w * f, 3, 0.5f),
              *z = parity_upload(q, NULL, "taesd/z", n, h, w, parity_int(o, "c"), 1), *y;
    sfu_taesd_encode(t, &y, x, &error);
    g_assert_no_error(error);
    parity_compare_tensor("taesd", "moments", y, tolerance);
    sfu_taesd_decode(t, &y, z, &error);
    g_assert_no_error(error);
    parity_compare_tensor("taesd", "out", y, tolerance);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(z);
    sfu_taesd_destroy(t);
}

static void run_text(SfuQueue *q, JsonObject *o, double tolerance)
{
    GError *error = NULL;
    const char *model = json_object_get_string_member(o, "model");
    const int n = parity_int(o, "n");
    gint32 *tokens = g_new(gint32, n * SFU_TEXT_TOKENS);
    char *t_name = g_strdup_printf("%s/tokens", model);
    parity_hash(t_name, n * SFU_TEXT_TOKENS, tokens);
    for (int i = 0; i < n * SFU_TEXT_TOKENS; i++)
        tokens[i] = (tokens[i] + 1024) % parity_int(o, "vocab");
    SfuTextEncoder *te = sfu_text_encoder_create(q, parity_model(model), SFU_PART_TEXT, &error);
    g_assert_no_error(error);
    SfuTensor *y;
    sfu_text_encoder_run(te, &y, NULL, &(SfuTextInput){tokens, n, parity_int(o, "skip")}, &error);
    g_assert_no_error(error);
    g_assert_cmpint(y->c, ==, sfu_text_encoder_hidden(te));
    parity_compare_tensor(name_of(o), "out", y, tolerance);
    sfu_text_encoder_destroy(te);
    g_free(t_name);
    g_free(tokens);
}

static void run_case(gconstpointer data)
{
    const ParityCase *k = data;
    static const struct {
        const char *kind;
        void (*run)(SfuQueue *q, JsonObject *o, double tolerance);
    } kinds[] = {{"unet", run_unet}, {"vae", run_vae}, {"taesd", run_taesd}, {"text", run_text}};
    SfuQueue *q = parity_mode_queue(k->mode);
    for (gsize i = 0; q && i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].kind, json_object_get_string_member(k->o, "kind")) == 0)
            kinds[i].run(q, k->o, tolerances[k->mode]);
}

static JsonObject *find_case(const char *name)
{
    JsonArray *cases = parity_cases();
    for (guint i = 0; i < json_array_get_length(cases); i++)
        if (strcmp(name_of(json_array_get_object_element(cases, i)), name) == 0)
            return json_array_get_object_element(cases, i);
    g_error("no case %s", name);
}

/* ---- what a network does beyond its values ---- */

/* With room for a part of the weights only, they leave and come back, and the result stays. */
static void test_streaming(void)
{
    const guint64 budget = 6 << 20; /* the model's weights are 13 MB as fp16, its largest product 0.6 MB */
    const SfuQueueOptions wide = {.precision = SFU_PRECISION_FP32},
                          narrow = {.precision = SFU_PRECISION_FP32, .memory_bytes = budget};
    JsonObject *o = find_case("sd1-2x16x8");
    float *result[2];
    guint64 peak[2];
    for (int i = 0; i < 2; i++) {
        GError *error = NULL;
        SfuQueue *q = parity_queue(i ? &narrow : &wide);
        if (!q)
            return;
        SfuUnet *u = sfu_unet_create(q, parity_model("sd1"), &error);
        g_assert_no_error(error);
        sfu_tensor_destroy(unet_pass(q, u, o, &error)); /* the second pass finds what the first left behind */
        g_assert_no_error(error);
        SfuTensor *y = unet_pass(q, u, o, &error);
        g_assert_no_error(error);
        result[i] = parity_download(y);
        peak[i] = sfu_queue_peak_bytes(q);
        sfu_unet_unload(u);
        sfu_queue_trim(q);
        g_assert_cmpuint(sfu_queue_used_bytes(q), ==, 0);
        sfu_unet_destroy(u);
        sfu_queue_destroy(q);
    }
    const double e =
        parity_error(result[1], result[0], parity_int(o, "n") * parity_int(o, "h") * parity_int(o, "w") * 4);
    g_test_message("peak %" G_GUINT64_FORMAT " bytes, streamed %" G_GUINT64_FORMAT ", relative error %.1e", peak[0],
                   peak[1], e);
    g_assert_true(e < 1e-5);
    g_assert_cmpuint(peak[0], >, budget);
    g_assert_cmpuint(peak[1], <=, budget);
    g_free(result[0]);
    g_free(result[1]);
}

static gboolean remember(const char *block, const SfuTensor *x, gpointer data, GError **error)
{
    g_string_append_printf(data, "%s %dx%dx%d\n", block, x->h, x->w, x->c);
    return TRUE;
}

/* The UNet of `folder` with weights of that type in a folder of its own; caller frees. */
static char *converted(const char *from, const char *to, const char *weights, const char *type)
{
    const gboolean gguf = type[0] == 'q';
    char *dir = g_build_filename(to, "unet", NULL), *old = g_build_filename(from, "unet", "config.json", NULL),
         *config = g_build_filename(dir, "config.json", NULL);
    char *file =
             g_build_filename(dir, gguf ? "diffusion_pytorch_model.gguf" : "diffusion_pytorch_model.safetensors", NULL),
         *text;
    GError *error = NULL;
    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    g_assert_true(g_file_get_contents(old, &text, NULL, NULL) && g_file_set_contents(config, text, -1, NULL));
    sfu_model_convert(&(SfuConversion){weights, file, type, .replace = TRUE}, NULL, &error);
    g_assert_no_error(error);
    g_free(text);
    g_free(config);
    g_free(old);
    g_free(dir);
    return file;
}

static float *unet_values(SfuQueue *q, const char *folder, JsonObject *o, gint64 *n)
{
    GError *error = NULL;
    SfuModel *m = sfu_model_open(folder, &error);
    g_assert_no_error(error);
    SfuUnet *u = sfu_unet_create(q, m, &error);
    g_assert_no_error(error);
    SfuTensor *y = unet_pass(q, u, o, &error);
    g_assert_no_error(error);
    *n = sfu_tensor_elements(y);
    float *v = g_new(float, *n);
    g_assert_true(sfu_tensor_read(y, v, &error));
    sfu_tensor_destroy(y);
    sfu_unet_destroy(u);
    sfu_model_close(m);
    return v;
}

/* Bytes that its weights take on the device, as a rehearsal tells them before a run. */
static guint64 unet_bytes(SfuQueue *q, const char *folder, JsonObject *o)
{
    GError *error = NULL;
    SfuRehearsal cost;
    SfuModel *m = sfu_model_open(folder, &error);
    g_assert_no_error(error);
    SfuUnet *u = sfu_unet_create(q, m, &error);
    g_assert_no_error(error);
    sfu_queue_rehearse_begin(q);
    sfu_tensor_destroy(unet_pass(q, u, o, &error));
    sfu_queue_rehearse_end(q, &cost);
    g_assert_no_error(error);
    sfu_unet_destroy(u);
    sfu_model_close(m);
    return cost.weight_bytes;
}

/* A UNet of quantized weights gives what one of the same weights, widened beforehand, gives; and that is near the one
 * that was quantized. */
static void test_quantized(void)
{
    static const struct {
        const char *type;
        double error; /* about twice what it is; these random weights add up errors that a trained network does not */
    } k[] = {{"q8_0", 0.06}, {"q4_0", 0.8}, {"q4_k", 0.8}, {"fp8", 0.5}, {"int8", 0.06}};
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    JsonObject *o = find_case("sd1-2x16x8");
    char *original = parity_model_path("sd1", NULL),
         *weights = g_build_filename(original, "unet", "diffusion_pytorch_model.safetensors", NULL);
    gint64 n, n_other;
    float *exact = unet_values(q, original, o, &n);
    for (gsize i = 0; i < G_N_ELEMENTS(k); i++) {
        char *quantized = g_strdup_printf("%s-%s", original, k[i].type),
             *widened = g_strdup_printf("%s-%s-f32", original, k[i].type);
        char *file = converted(original, quantized, weights, k[i].type),
             *wide = converted(original, widened, file, "f32");
        float *a = unet_values(q, quantized, o, &n), *b = unet_values(q, widened, o, &n_other);
        g_assert_cmpint(n, ==, n_other);
        g_test_message("%s: %.1e from the widened weights', %.3f from the original", k[i].type, parity_error(a, b, n),
                       parity_error(a, exact, n));
        g_assert_cmpfloat(parity_error(a, b, n), <=, 1e-6);
        g_assert_cmpfloat(parity_error(a, exact, n), <=, k[i].error);
        g_assert_cmpfloat(parity_error(a, exact, n), >, 1e-4); /* it was quantized at all */
        const guint64 bytes = unet_bytes(q, quantized, o), all = unet_bytes(q, widened, o);
        g_test_message("%s: %" G_GUINT64_FORMAT " bytes of weights, %" G_GUINT64_FORMAT " if widened", k[i].type, bytes,
                       all);
        g_assert_cmpuint(bytes, <, all - all / 4); /* those of convolutions, and narrow ones, are widened */
        g_free(a);
        g_free(b);
        g_free(file);
        g_free(wide);
        g_free(quantized);
        g_free(widened);
    }
    g_free(exact);
    g_free(weights);
    g_free(original);
}

static void test_trace(void)
{
    static const char *const want = "conv_in 6x5x16\ndown_blocks.0.resnets.0 6x5x16\ndown_blocks.0.downsamplers.0 "
                                    "3x3x16\ndown_blocks.1.resnets.0 3x3x24\n"
                                    "mid_block.resnets.0 3x3x24\nup_blocks.0.resnets.0 3x3x24\nup_blocks.0.resnets.1 "
                                    "3x3x24\nup_blocks.0.upsamplers.0 6x5x24\n"
                                    "up_blocks.1.resnets.0 6x5x16\nup_blocks.1.resnets.1 6x5x16\nconv_out 6x5x3\n";
    GError *error = NULL;
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    JsonObject *o = find_case("bare-1x6x5");
    GString *seen = g_string_new(NULL);
    const SfuTrace trace = {.fn = remember, .data = seen};
    SfuUnet *u = sfu_unet_create(q, parity_model("bare"), &error);
    g_assert_no_error(error);
    sfu_unet_set_trace(u, &trace);
    SfuTensor *y = unet_pass(q, u, o, &error);
    g_assert_no_error(error);
    parity_compare_tensor(name_of(o), "out", y, 1e-4);
    g_assert_cmpstr(seen->str, ==, want);
    sfu_unet_destroy(u);
    g_string_free(seen, TRUE);
}

static void test_nonfinite(void)
{
    const ParityDamage damage = {.poison = "up_blocks.1.resnets.1.norm2.bias"};
    GError *error = NULL;
    SfuNonfinite found;
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    char *path = parity_model_path("mini", &damage);
    SfuModel *m = sfu_model_open(path, &error);
    g_assert_no_error(error);
    SfuUnet *u = sfu_unet_create(q, m, &error);
    g_assert_no_error(error);
    const SfuTrace trace = sfu_trace_nonfinite(&found);
    sfu_unet_set_trace(u, &trace);
    sfu_tensor_destroy(unet_pass(q, u, find_case("mini-1x7x9"), &error));
    g_assert_no_error(error);
    g_assert_cmpstr(found.block, ==, "up_blocks.1.resnets.1");
    g_assert_cmpint(found.n, >, 0);
    g_assert_cmpint(found.of, ==, 4 * 5 * 48);
    sfu_unet_destroy(u);
    sfu_model_close(m);
    g_free(path);
}

/* A message says what is wrong with how many tensors, and names the first few. */
static void test_missing(void)
{
    const ParityDamage damage = {.drop = "mid_block.attentions.0.transformer_blocks.0.attn2",
                                 .shrink = "down_blocks.1.resnets.0.conv2.weight"};
    static const char *const want[] = {"6 tensors of the unet are missing or of the wrong shape",
                                       "down_blocks.1.resnets.0.conv2.weight [48, 48, 3, 3], which is [47, 48, 3, 3]",
                                       "mid_block.attentions.0.transformer_blocks.0.attn2.to_q.weight [",
                                       " and 2 more"};
    GError *error = NULL;
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    char *path = parity_model_path("mini", &damage);
    SfuModel *m = sfu_model_open(path, &error);
    g_assert_no_error(error);
    g_assert_null(sfu_unet_create(q, m, &error));
    g_assert_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING);
    for (gsize i = 0; i < G_N_ELEMENTS(want); i++)
        if (!strstr(error->message, want[i]))
            g_error("'%s' does not say '%s'", error->message, want[i]);
    g_clear_error(&error);
    g_assert_null(sfu_vae_create(q, m, &error));
    g_assert_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING);
    g_clear_error(&error);
    sfu_model_close(m);
    g_free(path);
}

static void test_cancel(void)
{
    GError *error = NULL;
    int cancel = 1;
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    JsonObject *o = find_case("mini-1x7x9");
    SfuUnet *u = sfu_unet_create(q, parity_model("mini"), &error);
    g_assert_no_error(error);
    SfuTensor *x = parity_upload(q, NULL, "mini-1x7x9/x", 1, 7, 9, 9, 1),
              *context = parity_upload(q, NULL, "mini-1x7x9/context", 1, 1, 64, 9, 1), *y = NULL;
    g_assert_true(sfu_unet_set_condition(u, &(SfuCondition){.tokens = context}, &error));
    sfu_queue_set_cancel(q, &cancel);
    g_assert_false(sfu_unet_forward(
        u, &y, &(SfuDenoiserInput){.x = x, .timesteps = (const float[]){981}, .class_labels = (const int[]){2}},
        &error));
    g_assert_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_CANCELLED);
    g_assert_null(y);
    g_clear_error(&error);
    sfu_queue_set_cancel(q, NULL);
    sfu_unet_forward(u, &y,
                     &(SfuDenoiserInput){.x = x, .timesteps = (const float[]){981}, .class_labels = (const int[]){2}},
                     &error);
    g_assert_no_error(error);
    parity_compare_tensor(name_of(o), "out", y, 1e-4);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(context);
    sfu_unet_destroy(u);
}

static void expect_shape_error(gboolean ok, GError **error, const char *part_of_message)
{
    g_assert_false(ok);
    g_assert_error(*error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE);
    if (!strstr((*error)->message, part_of_message))
        g_error("'%s' does not say '%s'", (*error)->message, part_of_message);
    g_clear_error(error);
}

static void test_bad_inputs(void)
{
    GError *error = NULL;
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    SfuTensor *y = NULL, *nine = parity_upload(q, NULL, "x", 1, 5, 5, 9, 1),
              *three = parity_upload(q, NULL, "x", 1, 5, 5, 3, 1),
              *context = parity_upload(q, NULL, "c", 2, 1, 64, 9, 1);
    const float t[] = {1};
    const int zero[] = {0}, high[] = {3};
    SfuUnet *u = sfu_unet_create(q, parity_model("mini"), &error);
    g_assert_no_error(error);
    expect_shape_error(
        sfu_unet_forward(u, &y, &(SfuDenoiserInput){.x = nine, .timesteps = t, .class_labels = zero}, &error), &error,
        "context for 0 samples");
    expect_shape_error(sfu_unet_set_condition(u, &(SfuCondition){.tokens = three}, &error), &error, "needs 9");
    g_assert_true(sfu_unet_set_condition(u, &(SfuCondition){.tokens = context}, &error));
    expect_shape_error(
        sfu_unet_forward(u, &y, &(SfuDenoiserInput){.x = three, .timesteps = t, .class_labels = zero}, &error), &error,
        "takes 9 channels, but was given 3");
    expect_shape_error(
        sfu_unet_forward(u, &y, &(SfuDenoiserInput){.x = nine, .timesteps = t, .class_labels = zero}, &error), &error,
        "context for 2 samples");
    sfu_unet_destroy(u);
    u = sfu_unet_create(q, parity_model("mini"), &error);
    SfuTensor *one = sfu_tensor_view(context, 0, 1, 1, 64, 9, &error);
    g_assert_true(sfu_unet_set_condition(u, &(SfuCondition){.tokens = one}, &error));
    expect_shape_error(sfu_unet_forward(u, &y, &(SfuDenoiserInput){.x = nine, .timesteps = t}, &error), &error,
                       "class labels from 0 to 2");
    expect_shape_error(
        sfu_unet_forward(u, &y, &(SfuDenoiserInput){.x = nine, .timesteps = t, .class_labels = high}, &error), &error,
        "class labels from 0 to 2");
    sfu_unet_destroy(u);

    SfuVae *v = sfu_vae_create(q, parity_model("vae"), &error);
    g_assert_no_error(error);
    expect_shape_error(sfu_vae_encode(v, &y, three, &error), &error, "multiples of 8 pixels, was given 5 x 5 x 3");
    expect_shape_error(sfu_vae_decode(v, &y, three, &error), &error, "latents of 4 channels, but was given 3");
    sfu_vae_destroy(v);

    SfuTextEncoder *te = sfu_text_encoder_create(q, parity_model("clip-l"), SFU_PART_TEXT, &error);
    g_assert_no_error(error);
    gint32 tokens[SFU_TEXT_TOKENS] = {0};
    SfuTextInput in = {tokens, 1, .clip_skip = 4};
    expect_shape_error(sfu_text_encoder_run(te, &y, NULL, &in, &error), &error, "3 layers, CLIP skip 4");
    in.clip_skip = 1;
    tokens[76] = 500;
    expect_shape_error(sfu_text_encoder_run(te, &y, NULL, &in, &error), &error, "token 500");
    sfu_text_encoder_destroy(te);

    SfuTaesd *tae = sfu_taesd_create(q, parity_model("taesd"), &error);
    g_assert_no_error(error);
    expect_shape_error(sfu_taesd_encode(tae, &y, three, &error), &error, "multiples of 8");
    expect_shape_error(sfu_taesd_decode(tae, &y, three, &error), &error, "takes 4 channels");
    sfu_taesd_destroy(tae);
    g_assert_null(y);
    sfu_tensor_destroy(one);
    sfu_tensor_destroy(nine);
    sfu_tensor_destroy(three);
    sfu_tensor_destroy(context);
}

/* A pass that keeps its deep features is the pass to the bit; one that builds on them is it too if nothing has changed,
 * since what is left out came to the same, and another if something has. pipelines.c compares with PyTorch. */
static void test_step_cache(void)
{
    const float timesteps[] = {500, 500}, later[] = {480, 480};
    GError *error = NULL;
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    SfuUnet *u = sfu_unet_create(q, parity_model("sd1"), &error);
    SfuTensor *x = parity_upload(q, NULL, "x", 2, 9, 11, 4, 1), *other = parity_upload(q, NULL, "x", 1, 9, 11, 4, 1),
              *context = parity_upload(q, NULL, "context", 1, 1, 77, 64, 1), *y, *deep = NULL;
    float *out[4];
    g_assert_true(u && sfu_unet_set_condition(u, &(SfuCondition){.tokens = context}, &error));
    g_assert_true(sfu_unet_forward(u, &y, &(SfuDenoiserInput){.x = x, .timesteps = timesteps}, &error));
    out[0] = parity_download(y);
    for (int i = 1; i < 4; i++) {
        g_assert_true(sfu_unet_forward(
            u, &y, &(SfuDenoiserInput){.x = x, .timesteps = i < 3 ? timesteps : later, .deep = &deep}, &error));
        g_assert_nonnull(deep);
        out[i] = parity_download(y);
    }
    const gint64 n = 2 * 9 * 11 * 4;
    g_assert_cmpmem(out[1], sizeof(float) * n, out[0], sizeof(float) * n);
    g_assert_cmpmem(out[2], sizeof(float) * n, out[0], sizeof(float) * n);
    g_assert_true(parity_error(out[3], out[0], n) > 1e-4);
    expect_shape_error(
        sfu_unet_forward(u, &y, &(SfuDenoiserInput){.x = other, .timesteps = timesteps, .deep = &deep}, &error), &error,
        "deep features of 2 x 9 x 11 x 64 do not fit");
    for (int i = 0; i < 4; i++)
        g_free(out[i]);
    sfu_tensor_destroy(deep);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(other);
    sfu_tensor_destroy(context);
    sfu_unet_destroy(u);
}

/* The estimate that tiles are planned with holds what a decode really takes, and is not far above it. */
static void test_vae_bytes(void)
{
    const SfuQueueOptions options = {.precision = SFU_PRECISION_FP32};
    GError *error = NULL;
    SfuQueue *q = parity_queue(&options);
    if (!q)
        return;
    SfuVae *v = sfu_vae_create(q, parity_model("vae"), &error);
    g_assert_no_error(error);
    SfuTensor *small = parity_upload(q, NULL, "z", 1, 2, 2, 4, 1), *y;
    sfu_vae_decode(v, &y, small, &error); /* the weights are there from now on */
    g_assert_no_error(error);
    sfu_tensor_destroy(y);
    sfu_tensor_destroy(small);
    sfu_queue_trim(q);
    const guint64 weights = sfu_queue_used_bytes(q);
    SfuTensor *z = parity_upload(q, NULL, "z", 1, 64, 48, 4, 1);
    sfu_vae_decode(v, &y, z, &error);
    g_assert_no_error(error);
    const guint64 peak = sfu_queue_peak_bytes(q) - weights, estimate = sfu_vae_decode_bytes(v, 1, 64, 48);
    g_test_message("a decode of 64 x 48 took %" G_GUINT64_FORMAT " bytes, estimated %" G_GUINT64_FORMAT, peak,
                   estimate);
    g_assert_cmpuint(peak, <,
                     estimate +
                         estimate / 3); /* the pool rounds up and keeps a quarter; products have scratch of their own */
    g_assert_cmpuint(peak, >, estimate / 2);
    sfu_tensor_destroy(y);
    sfu_tensor_destroy(z);
    sfu_vae_destroy(v);
    sfu_queue_destroy(q);
}

/* Columns [0, columns) of a picture `width` wide, against those of another. */
static double left_error(const float *a, int a_width, const float *b, int b_width, int h, int columns)
{
    float *x = g_new(float, (gsize)h *columns * 3), *y = g_new(float, (gsize)h *columns * 3);
    for (int i = 0; i < h; i++) {
        memcpy(x + (gsize)i * columns * 3, a + (gsize)i * a_width * 3, sizeof(float) * (gsize)columns * 3);
        memcpy(y + (gsize)i * columns * 3, b + (gsize)i * b_width * 3, sizeof(float) * (gsize)columns * 3);
    }
    const double e = parity_error(x, y, (gint64)h * columns * 3);
    g_free(x);
    g_free(y);
    return e;
}

/* A tile decoded with the whole picture's statistics is the whole picture's piece, as far as the tile's edge does not
 * reach; with its own it is not. */
static void test_shared_norms(void)
{
    enum {
        H = 6,
        WHOLE = 44,
        TILE = 28,
        REACH = 16,
        F = 4
    }; /* latents; REACH: the 3x3 convolutions on the way, in latent pixels, rounded up */
    GError *error = NULL;
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    SfuVae *v = sfu_vae_create(q, parity_model("vae-mini"), &error);
    g_assert_no_error(error);
    float *z = parity_input("tiles", H * WHOLE * 4, 1), *z_tile = g_new(float, H *TILE * 4);
    for (int i = 0; i < H; i++)
        for (int j = 0; j < WHOLE * 4; j++) {
            z[i * WHOLE * 4 + j] *= j / 4 < TILE ? 0.3f : 2; /* the rest of the picture is unlike the tile */
            if (j / 4 < TILE)
                z_tile[i * TILE * 4 + j] = z[i * WHOLE * 4 + j];
        }
    SfuTensor *whole = sfu_tensor_create(q, SFU_F32, 1, H, WHOLE, 4, &error),
              *tile = sfu_tensor_create(q, SFU_F32, 1, H, TILE, 4, &error), *y;
    g_assert_true(sfu_tensor_write(whole, z, &error) && sfu_tensor_write(tile, z_tile, &error));
    float *out[3];
    g_assert_true(sfu_vae_decode(v, &y, whole, &error));
    out[0] = parity_download(y);
    g_assert_true(sfu_vae_decode(v, &y, tile, &error));
    out[1] = parity_download(y);
    g_assert_true(sfu_vae_learn_norms(v, TRUE, whole, &error));
    g_assert_true(sfu_vae_decode(v, &y, tile, &error));
    out[2] = parity_download(y);
    const double own = left_error(out[1], TILE * F, out[0], WHOLE * F, H * F, (TILE - REACH) * F);
    const double shared = left_error(out[2], TILE * F, out[0], WHOLE * F, H * F, (TILE - REACH) * F);
    g_test_message("a tile is off by %.1e with its own statistics, by %.1e with the picture's", own, shared);
    g_assert_true(own > 1e-2);
    g_assert_true(shared < 1e-5);
    sfu_vae_forget_norms(v);
    g_assert_true(sfu_vae_decode(v, &y, tile, &error));
    float *again = parity_download(y);
    g_assert_true(parity_error(again, out[1], H * F * TILE * F * 3) < 1e-6);
    g_free(again);
    for (int i = 0; i < 3; i++)
        g_free(out[i]);
    g_free(z);
    g_free(z_tile);
    sfu_tensor_destroy(whole);
    sfu_tensor_destroy(tile);
    sfu_vae_destroy(v);
}

/* A pass in a room that the pass in one piece does not fit: in bands, with a level's input made in bands, and stored as
 * fp16. Both ways. */
static void test_vae_bands(void)
{
    enum { W = 36, H = 45 }; /* no multiple of a band */
    /* room: bytes per pixel. fp32: the same sums, but statistics are pooled from the bands' (4e-6 here, where groups
     * are small); fp16: each stored value is off by up to 2^-11. */
    static const struct {
        const char *model, *what;
        int room;
        double tolerance;
    } cases[] = {
        {"vae", "bands", 2 * 32 * 4 * 115 / 100, 1e-5},
        {"vae", "fp16", 2 * 32 * 2 * 115 / 100, 5e-3},
        {"vae-mini", "remade", (24 / 4 + 2 * 16) * 4 * 115 / 100, 1e-5},
        {"vae-mini", "fp16", (24 / 4 + 2 * 16) * 2 * 115 / 100, 5e-3},
    };
    GError *error = NULL;
    SfuQueue *q = parity_mode_queue(PARITY_FAST);
    if (!q)
        return;
    for (gsize k = 0; k < G_N_ELEMENTS(cases); k++) {
        SfuVae *v = sfu_vae_create(q, parity_model(cases[k].model), &error),
               *roomy = sfu_vae_create(q, parity_model(cases[k].model), &error);
        g_assert_no_error(error);
        const int f = sfu_vae_factor(v);
        const guint64 pixels = W * H * (guint64)(f * f);
        SfuTensor *z = parity_upload(q, NULL, "bands/z", 1, H, W, 4, 1),
                  *x = parity_upload(q, NULL, "bands/x", 1, H * f, W * f, 3, 0.5f), *y;
        sfu_vae_set_room(v, pixels * (guint64)cases[k].room);
        g_assert_cmpuint(sfu_vae_decode_bytes(v, 1, H, W), <=, sfu_vae_room(v));
        g_assert_cmpuint(sfu_vae_decode_bytes(v, 1, H, W), <, sfu_vae_decode_bytes(roomy, 1, H, W));
        g_assert_cmpuint(sfu_vae_encode_bytes(v, 1, H, W), <=, sfu_vae_room(v));
        for (int pass = 0; pass < 4; pass++) { /* both ways, then both of pictures that wrap round */
            const int decoder = pass % 2;
            float *out[2];
            for (int i = 0; i < 2; i++) {
                sfu_vae_set_wrap(i ? v : roomy, pass < 2 ? SFU_WRAP_NONE : SFU_WRAP_X | SFU_WRAP_Y);
                g_assert_true(decoder ? sfu_vae_decode(i ? v : roomy, &y, z, &error)
                                      : sfu_vae_encode(i ? v : roomy, &y, x, &error));
                out[i] = parity_download(y);
            }
            const double e = parity_error(out[1], out[0], decoder ? (gint64)pixels * 3 : W * H * 8);
            g_test_message("%s, %s, %s: relative error %.2e", cases[k].model, cases[k].what,
                           pass == 0   ? "encoding"
                           : pass == 1 ? "decoding"
                           : pass == 2 ? "encoding round"
                                       : "decoding round",
                           e);
            g_assert_true(e < cases[k].tolerance);
            g_free(out[0]);
            g_free(out[1]);
        }
        sfu_tensor_destroy(z);
        sfu_tensor_destroy(x);
        sfu_vae_destroy(v);
        sfu_vae_destroy(roomy);
    }
}

/* A picture decoded in tiles, under a budget that the whole does not fit even in bands, against the whole. The left
 * half is calm, the right one busy, so that tiles with statistics of their own differ. What stays: random weights make
 * much of attention, which sees its tile only. */
static void check_tiled_decode(int wrap)
{
    enum { W = 64, H = 40 };
    const guint64 budgets[] = {0, 16 << 20};
    SfuImage *out[2] = {NULL, NULL};
    GError *error = NULL;
    for (int i = 0; i < 2; i++) {
        const SfuQueueOptions options = {.precision = SFU_PRECISION_FP32, .memory_bytes = budgets[i]};
        const SfuJob job = {0};
        SfuRun run = {.q = parity_queue(&options), .job = &job};
        if (!run.q)
            return;
        SfuAutoencoder *net = sfu_vae_autoencoder(run.q, parity_model("vae"), &error);
        g_assert_no_error(error);
        net->scaling = 1;
        SfuCoder a = sfu_coder(&run, net);
        a.wrap = wrap;
        SfuImage *z = sfu_image_new(W, H, 4, &error);
        float *noise = parity_input("tiles", W * H * 4, 1);
        for (int k = 0; k < W * H; k++)
            for (int c = 0; c < 4; c++)
                z->p[k * 4 + c] =
                    k % W < W / 2 ? 0.2f * noise[k * 4 + c] + sinf((float)(k / W) * 0.3f + (float)c) : noise[k * 4 + c];
        const int tile = sfu_coder_tile(&a, W, H, TRUE);
        g_assert_true(i ? tile <= W / 2 : tile >= W);
        out[i] = sfu_coder_decode(&a, z, &error);
        g_assert_no_error(error);
        if (budgets[i])
            g_assert_cmpuint(sfu_queue_peak_bytes(run.q), <=, budgets[i]);
        g_free(noise);
        sfu_image_free(z);
        sfu_autoencoder_destroy(net);
        sfu_queue_destroy(run.q);
    }
    const double e = parity_error(out[1]->p, out[0]->p, (gint64)out[0]->w * out[0]->h * 3);
    g_test_message("tiled against whole: relative error %.3f", e);
    g_assert_true(e < 0.3); /* 0.26; 0.34 with a tile's own statistics */
    sfu_image_free(out[0]);
    sfu_image_free(out[1]);
}

static void test_tiled_decode(void)
{
    check_tiled_decode(SFU_WRAP_NONE);
    check_tiled_decode(SFU_WRAP_X | SFU_WRAP_Y);
}

/* The plain kernels are slow: a network of each kind is enough. Integers are for products; of the kinds with enough of
 * them, one each. */
static gboolean is_wanted(JsonObject *o, int mode)
{
    static const char *const small[] = {"bare-1x6x5",   "mini-1x7x9", "sd1-inpaint-2x12x16", "vae-mini", "taesd",
                                        "clip-l-skip2", NULL};
    static const char *const integers[] = {"mini-1x7x9", "sd1-inpaint-2x12x16", "vae-mini", "clip-l-skip2", NULL};
    return mode == PARITY_PLAIN ? g_strv_contains(small, name_of(o))
                                : mode < PARITY_INT16 || g_strv_contains(integers, name_of(o));
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "C");
    g_test_init(&argc, &argv, NULL);
    parity_data_open();
    parity_add_cases("nets", run_case, is_wanted);
    g_test_add_func("/nets/streaming", test_streaming);
    g_test_add_func("/nets/quantized", test_quantized);
    g_test_add_func("/nets/trace", test_trace);
    g_test_add_func("/nets/nonfinite", test_nonfinite);
    g_test_add_func("/nets/missing", test_missing);
    g_test_add_func("/nets/cancel", test_cancel);
    g_test_add_func("/nets/bad-inputs", test_bad_inputs);
    g_test_add_func("/nets/step-cache", test_step_cache);
    g_test_add_func("/nets/vae-bytes", test_vae_bytes);
    g_test_add_func("/nets/shared-norms", test_shared_norms);
    g_test_add_func("/nets/vae-bands", test_vae_bands);
    g_test_add_func("/nets/tiled-decode", test_tiled_decode);
    const int result = g_test_run();
    parity_data_close();
    return result;
}
