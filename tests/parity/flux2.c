/* FLUX.2's networks and pipelines against diffusers on small models (make-flux2.py made the data).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "family/adapter_modules.h"
#include "small_models.h"

/* fp32: sums of some thousand terms in another order, through some dozen layers. */
#define TOLERANCE 1e-4

static SfuQueue *q;

static const char *text_of(JsonObject *o, const char *name)
{
    return json_object_get_string_member(o, name);
}

static void run_autoencoder(JsonObject *o)
{
    GError *error = NULL;
    const char *name = text_of(o, "name");
    const int n = parity_int(o, "n"), h = parity_int(o, "h"), w = parity_int(o, "w");
    SfuModel *m = parity_model(text_of(o, "model"));
    g_assert_cmpint(sfu_model_strays(m)->len, ==, 0);
    SfuAutoencoder *a = sfu_model_family(m)->autoencoder(q, m, &error);
    g_assert_no_error(error);
    g_assert_cmpint(a->factor, ==, 16);
    g_assert_cmpint(a->channels, ==, 128);
    SfuTensor *x = parity_upload(q, name, "x", n, h * 16, w * 16, 3, 0.5f),
              *z = parity_upload(q, name, "z", n, h, w, 128, 1), *y;
    sfu_autoencoder_encode(a, &y, x, &error);
    g_assert_no_error(error);
    parity_compare_tensor(name, "packed", y, TOLERANCE);
    sfu_autoencoder_decode(a, &y, z, &error);
    g_assert_no_error(error);
    parity_compare_tensor(name, "out", y, TOLERANCE);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(z);
    sfu_autoencoder_destroy(a);
}

/* A pass costs what its rehearsal says, and nothing of the rehearsal is left. */
static void rehearse(SfuDenoiser *d, const SfuCondition *c, const SfuDenoiserInput *in)
{
    GError *error = NULL;
    SfuTensor *y = NULL;
    SfuRehearsal cost;
    const guint64 used = sfu_queue_used_bytes(q);
    const double before = sfu_queue_flops(q);
    sfu_queue_rehearse_begin(q);
    gboolean ok = sfu_denoiser_set_condition(d, c, &error) && sfu_denoiser_forward(d, &y, in, &error);
    sfu_tensor_destroy(y);
    sfu_queue_rehearse_end(q, &cost);
    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_cmpfloat(sfu_queue_flops(q), ==, before);
    g_assert_cmpuint(sfu_queue_used_bytes(q), ==, used);
    ok = sfu_denoiser_set_condition(d, c, &error) && sfu_denoiser_forward(d, &y, in, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_cmpfloat_with_epsilon(cost.flops, sfu_queue_flops(q) - before, 1e-9 * cost.flops);
    g_assert_cmpuint(cost.weight_bytes, >, 1 << 20); /* 680,000 parameters, of 4 bytes or 2 */
    g_assert_cmpuint(cost.tensor_bytes, >, (guint64)sfu_tensor_elements(y) * sizeof(float));
    sfu_tensor_destroy(y);
}

static void run_transformer(JsonObject *o)
{
    GError *error = NULL;
    const char *name = text_of(o, "name");
    const int n = parity_int(o, "n"), h = parity_int(o, "h"), w = parity_int(o, "w");
    SfuModel *m = parity_model(text_of(o, "model"));
    g_assert_cmpint(sfu_model_strays(m)->len, ==, 0);
    SfuDenoiser *d = sfu_model_family(m)->denoiser(q, m, &error);
    g_assert_no_error(error);
    SfuTensor *x = parity_upload(q, name, "x", n, h, w, d->in_channels, 1), *references[8], *y;
    SfuTensor *text = parity_upload(q, name, "text", n, 1, parity_int(o, "tokens"), parity_int(o, "context"), 1);
    JsonArray *list = json_object_get_array_member(o, "references"), *t = json_object_get_array_member(o, "timesteps");
    SfuCondition c = {.tokens = text,
                      .references = (const SfuTensor *const *)references,
                      .n_references = (int)json_array_get_length(list),
                      .keep_references = json_object_get_boolean_member(o, "keep"),
                      .guidance = json_object_get_double_member(o, "guidance")};
    float timesteps[4];
    for (int i = 0; i < n; i++)
        timesteps[i] = (float)json_array_get_double_element(t, (guint)i);
    for (int i = 0; i < c.n_references; i++) {
        JsonArray *size = json_array_get_array_element(list, (guint)i);
        char what[16];
        g_snprintf(what, sizeof what, "reference%d", i);
        references[i] = parity_upload(q, name, what, 1, (int)json_array_get_int_element(size, 0),
                                      (int)json_array_get_int_element(size, 1), d->in_channels, 1);
    }
    if (n == 2)
        rehearse(d, &c, &(SfuDenoiserInput){.x = x, .timesteps = timesteps});
    sfu_denoiser_set_condition(d, &c, &error);
    g_assert_no_error(error);
    for (int pass = 0; pass < 2; pass++) { /* nothing of the first is left in the second */
        sfu_denoiser_forward(d, &y, &(SfuDenoiserInput){.x = x, .timesteps = timesteps}, &error);
        g_assert_no_error(error);
        parity_compare_tensor(name, "out", y, TOLERANCE);
    }
    for (int i = 0; i < c.n_references; i++)
        sfu_tensor_destroy(references[i]);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(text);
    sfu_denoiser_destroy(d);
}

/* A LoRA in several spellings; without it the network is as it was. */
static void run_adapted(JsonObject *o)
{
    GError *error = NULL;
    const char *name = text_of(o, "name");
    const int h = parity_int(o, "h"), w = parity_int(o, "w");
    const float timestep = (float)json_array_get_double_element(json_object_get_array_member(o, "timesteps"), 0);
    JsonArray *list = json_object_get_array_member(o, "adapters");
    for (guint i = 0; i < json_array_get_length(list); i++) {
        char *path = parity_model_path(json_array_get_string_element(list, i), NULL);
        SfuModel *m = parity_model(i % 2 ? "klein-bfl" : "klein");
        SfuAdapter *a = sfu_adapter_open(path, &error);
        g_assert_no_error(error);
        const SfuAdapterBase base = sfu_adapter_base(m);
        SfuBoundAdapter *b = sfu_adapter_bind(a, &base, &error);
        g_assert_no_error(error);
        g_assert_null(sfu_bound_adapter_note(b));
        SfuDeltas *deltas = sfu_deltas_new();
        GArray *uses = g_array_new(FALSE, FALSE, sizeof(SfuDeltaUse));
        sfu_bound_adapter_use(b, 1, 1, uses);
        sfu_deltas_set(deltas, (const SfuDeltaUse *)(gconstpointer)uses->data, uses->len);
        SfuDenoiser *d = sfu_model_family(m)->denoiser(q, m, &error);
        g_assert_no_error(error);
        SfuTensor *x = parity_upload(q, name, "x", 1, h, w, d->in_channels, 1),
                  *text = parity_upload(q, name, "text", 1, 1, parity_int(o, "tokens"), parity_int(o, "context"), 1),
                  *y;
        sfu_denoiser_set_condition(d, &(SfuCondition){.tokens = text}, &error);
        g_assert_no_error(error);
        sfu_denoiser_forward(d, &y, &(SfuDenoiserInput){.x = x, .timesteps = &timestep}, &error);
        g_assert_no_error(error);
        parity_compare_tensor(name, "out", y, TOLERANCE);
        sfu_deltas_set(deltas, NULL, 0);
        sfu_tensor_destroy(x);
        sfu_tensor_destroy(text);
        sfu_denoiser_destroy(d);
        g_array_unref(uses);
        sfu_deltas_free(deltas);
        sfu_bound_adapter_free(b);
        sfu_adapter_close(a);
        g_free(path);
    }
}

static void run_schedule(JsonObject *o)
{
    GError *error = NULL;
    const int steps = parity_int(o, "steps");
    JsonArray *want = json_object_get_array_member(o, "sigmas");
    const SfuScheduleOptions options = {.prediction = SFU_SAMPLE_FLOW,
                                        .n_train = 1000,
                                        .shift = sfu_empirical_shift(parity_int(o, "pixels"), steps),
                                        .sampler = SFU_SAMPLER_EULER,
                                        .schedule = SFU_SCHEDULE_AUTO,
                                        .steps = steps,
                                        .strength = 1};
    SfuSigmas *s = sfu_sigmas_new(&options, &error);
    g_assert_no_error(error);
    g_assert_cmpint(s->n_steps + 1, ==, json_array_get_length(want));
    for (int i = 0; i <= s->n_steps; i++) /* the reference rounds to fp32 */
        g_assert_cmpfloat_with_epsilon(s->sigmas[i], json_array_get_double_element(want, (guint)i), 2e-7);
    sfu_sigmas_free(s);
}

static void run_case(gconstpointer data)
{
    JsonObject *o = (JsonObject *)data;
    static const struct {
        const char *kind;
        void (*run)(JsonObject *o);
    } kinds[] = {{"autoencoder", run_autoencoder},
                 {"transformer", run_transformer},
                 {"schedule", run_schedule},
                 {"adapted", run_adapted}};
    gsize i = 0;
    while (i < G_N_ELEMENTS(kinds) && strcmp(kinds[i].kind, text_of(o, "kind")) != 0)
        i++;
    g_assert_cmpuint(i, <, G_N_ELEMENTS(kinds));
    kinds[i].run(o);
}

/* Adapters find their modules by every name in use, fused or not. */
static void test_adapters(void)
{
    static const char *const keys[] = {"klein", "klein-bfl"};
    const SfuPart t = SFU_PART_TRANSFORMER;
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *k = keys[i];
        /* As its publishers' LoRAs are called, diffusers' and kohya's. */
        parity_check_adapter(k, t, "base_model.model.double_blocks.0.img_attn.proj", 96,
                             "transformer_blocks.0.attn.to_out.0.weight", 0);
        parity_check_adapter(k, t, "diffusion_model.double_blocks.1.img_attn.qkv", 288,
                             "transformer_blocks.1.attn.to_k.weight", 96);
        parity_check_adapter(k, t, "lora_unet_double_blocks_0_txt_attn_qkv", 288,
                             "transformer_blocks.0.attn.add_v_proj.weight", 192);
        parity_check_adapter(k, t, "transformer.transformer_blocks.0.attn.to_q", 96,
                             "transformer_blocks.0.attn.to_q.weight", 0);
        parity_check_adapter(k, t, "single_blocks.0.linear1", 864,
                             "single_transformer_blocks.0.attn.to_qkv_mlp_proj.weight", 0);
        parity_check_adapter(k, t, "transformer.single_transformer_blocks.0.attn.to_out", 96,
                             "single_transformer_blocks.0.attn.to_out.weight", 0);
        parity_check_adapter(k, t, "lora_transformer_single_stream_modulation_linear", 288,
                             "single_stream_modulation.linear.weight", 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!(q = parity_queue_open(SFU_PRECISION_FP32)))
        return 0;
    JsonArray *cases = parity_cases();
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *o = json_array_get_object_element(cases, i);
        char *path = g_strdup_printf("/flux2/%s/%s-%s", text_of(o, "kind"), text_of(o, "model"), text_of(o, "name"));
        g_test_add_data_func(path, o, run_case);
        g_free(path);
    }
    g_test_add_func("/flux2/adapters", test_adapters);
    const int rc = g_test_run();
    parity_data_close();
    sfu_queue_destroy(q);
    return rc;
}
