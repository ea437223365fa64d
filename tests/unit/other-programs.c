/* Parameters that InvokeAI, SwarmUI and Fooocus save as JSON, read as A1111's text is.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include "sfumato.h"

typedef struct {
    const char *json, *prompt, *negative;
    const char *values; /* name=value of parameters, with blanks between */
    const char *notes;  /* a word of each, with blanks between */
} Case;

static const Case cases[] = {
    /* InvokeAI 3 and later */
    {"{\"generation_mode\": \"txt2img\", \"positive_prompt\": \"a cat: sitting\", \"negative_prompt\": \"dog, bird\", "
     "\"width\": 512, \"height\": 768, \"seed\": 2718281828, \"rand_device\": \"cpu\", \"cfg_scale\": 6.5, "
     "\"cfg_rescale_multiplier\": 0, \"steps\": 28, \"scheduler\": \"dpmpp_2m_k\", \"clip_skip\": 1, \"model\": "
     "{\"key\": "
     "\"5ab\", \"hash\": \"blake3:1\", \"name\": \"dreamy\", \"base\": \"sd-1\", \"type\": \"main\"}, \"controlnets\": "
     "[], "
     "\"hrf_enabled\": false, \"app_version\": \"5.4.2\"}",
     "a cat: sitting", "dog, bird",
     "seed=2718281828 steps=28 guidance=6.5 sampler=dpmpp_2m schedule=karras width=512 height=768 model=dreamy "
     "clip_skip=2 rng=torch",
     ""},
    {"{\"positive_prompt\": \"a cat\", \"seed\": 5, \"steps\": 9, \"scheduler\": \"dpmpp_2m\", \"rand_device\": "
     "\"cuda\", "
     "\"model\": {\"model_name\": \"stable-diffusion-v1-5\", \"base_model\": \"sd-1\"}, \"vae\": {\"model_name\": "
     "\"fixed\"}, "
     "\"loras\": [{\"lora\": {\"model_name\": \"ink\", \"base_model\": \"sd-1\"}, \"weight\": 0.75}, {\"model\": "
     "{\"name\": "
     "\"old\"}, \"weight\": 1}], \"seamless_x\": true, \"seamless_y\": true, \"strength\": 0.6}",
     "a cat <lora:ink:0.75> <lora:old:1>", "",
     "seed=5 steps=9 sampler=dpmpp_2m schedule=linspace model=stable-diffusion-v1-5 vae=fixed rng=philox seamless=xy "
     "strength=0.6",
     ""},
    {"{\"positive_prompt\": \"a (very small)1.3 cat\", \"steps\": 4, \"scheduler\": \"dpmpp_3m\", "
     "\"positive_style_prompt\": "
     "\"ink\", \"refiner_model\": {\"name\": \"xl_refiner\"}, \"refiner_start\": 0.8, \"refiner_steps\": 20, "
     "\"ipAdapters\": "
     "[{\"weight\": 0.4}]}",
     "a (very small)1.3 cat", "", "steps=4 refiner=xl_refiner refiner_start=0.8", "InvokeAI style dpmpp_3m ipAdapters"},
    /* InvokeAI before 3 */
    {"{\"model\": \"stable diffusion\", \"model_weights\": \"analog\", \"model_hash\": \"a9\", \"app_id\": "
     "\"invoke-ai/InvokeAI\", \"app_version\": \"2.3.5\", \"image\": {\"prompt\": [{\"prompt\": \"a robot [blurry, "
     "text]\", "
     "\"weight\": 1.0}], \"steps\": 50, \"cfg_scale\": 7.5, \"threshold\": 0, \"perlin\": 0, \"height\": 768, "
     "\"width\": 512, "
     "\"seed\": 1618033988, \"seamless\": false, \"hires_fix\": true, \"type\": \"txt2img\", \"postprocessing\": null, "
     "\"sampler\": \"k_lms\", \"variations\": []}}",
     "a robot", "blurry, text",
     "seed=1618033988 steps=50 guidance=7.5 sampler=lms width=512 height=768 model=analog rng=philox", "hires_fix"},
    /* SwarmUI */
    {"{\"sui_image_params\": {\"prompt\": \"a cat\", \"negativeprompt\": \"pov, feet\", \"model\": "
     "\"Official/dreamy\", \"seed\": 1755497345, \"steps\": \"16\", \"cfgscale\": \"2.0\", \"aspectratio\": \"1:1\", "
     "\"width\": 1248, \"height\": 1824, \"sampler\": \"euler_ancestral\", \"scheduler\": \"karras\", "
     "\"automaticvae\": true, "
     "\"initimagecreativity\": 0.6, \"swarm_version\": \"0.9.8.1\", \"loras\": [\"style/ink\", \"turbo-v0.2\"], "
     "\"loraweights\": [\"0.4\", \"0.7\"]}, \"sui_extra_data\": {\"date\": \"2024-11-13\"}, \"sui_models\": []}",
     "a cat <lora:ink:0.4> <lora:turbo-v0.2:0.7>", "pov, feet",
     "seed=1755497345 steps=16 guidance=2 sampler=euler_a schedule=karras width=1248 height=1824 model=Official/dreamy "
     "strength=0.6 rng=torch",
     ""},
    {"{\"sui_image_params\": {\"prompt\": \"a cat <segment:face> smiling\", \"seed\": 1, \"steps\": 20, \"scheduler\": "
     "\"beta_1_1\", \"loras\": \"a,b\", \"loraweights\": \"1,0.5\", \"clipstopatlayer\": \"-2\", \"refinermethod\": "
     "\"PostApply\", \"zeronegative\": false}}",
     "a cat <segment:face> smiling <lora:a:1> <lora:b:0.5>", "", "seed=1 steps=20 clip_skip=2",
     "SwarmUI beta_1_1 refinermethod"},
    /* Fooocus; its parts are encoded one by one */
    {"{\"adm_guidance\": \"(1.5, 0.8, 0.3)\", \"base_model\": \"juggernaut\", \"base_model_hash\": \"ae\", "
     "\"clip_skip\": 2, "
     "\"full_negative_prompt\": [\"blurry\", \"watermark\"], \"full_prompt\": [\"cinematic still a cat . moody\", \"a "
     "cat, "
     "detailed\"], \"guidance_scale\": 4, \"lora_combined_1\": \"offset_1.0 : 0.1\", \"loras\": [[\"offset_1.0\", 0.1, "
     "\"48\"]], \"metadata_scheme\": \"fooocus\", \"negative_prompt\": \"\", \"performance\": \"Speed\", \"prompt\": "
     "\"a "
     "cat\", \"refiner_model\": \"None\", \"refiner_switch\": 0.5, \"resolution\": \"(1152, 896)\", \"sampler\": "
     "\"dpmpp_2m_sde_gpu\", \"scheduler\": \"karras\", \"seed\": \"6952411511246973023\", \"sharpness\": 2, \"steps\": "
     "30, "
     "\"styles\": \"['Fooocus V2']\", \"vae\": \"Default (model)\", \"version\": \"Fooocus v2.5.5\"}",
     "cinematic still a cat . moody BREAK a cat, detailed <lora:offset_1.0:0.1>", "blurry BREAK watermark",
     "seed=6952411511246973023 steps=30 guidance=4 sampler=dpmpp_2m_sde schedule=karras width=1152 height=896 "
     "model=juggernaut clip_skip=2 rng=torch",
     "sharpness"},
    {"{\"Prompt\": \"a cat\", \"Negative Prompt\": \"dog\", \"Styles\": \"[]\", \"Performance\": \"Speed\", "
     "\"Resolution\": "
     "\"(1024, 1024)\", \"Sharpness\": 2.0, \"Guidance Scale\": 7.0, \"ADM Guidance\": \"(1.5, 0.8, 0.3)\", \"Base "
     "Model\": "
     "\"base.safetensors\", \"Refiner Model\": \"xl_refiner\", \"Refiner Switch\": 0.8, \"Sampler\": \"euler\", "
     "\"Scheduler\": "
     "\"simple\", \"Seed\": 42, \"LoRA 1\": \"ink.safetensors : 0.5\"}",
     "a cat <lora:ink:0.5>", "dog",
     "seed=42 guidance=7 sampler=euler schedule=simple width=1024 height=1024 model=base.safetensors "
     "refiner=xl_refiner "
     "refiner_start=0.8 rng=torch",
     "Sharpness"},
    {"{\"Prompt\": \"a cat\", \"Negative\": \"dog\", \"steps\": 20, \"cfg\": 5.5, \"width\": 640, \"height\": 512, "
     "\"seed\": "
     "7, \"sampler_name\": \"dpmpp_2m\", \"scheduler\": \"karras\", \"base_model_name\": \"base.safetensors\", "
     "\"software\": "
     "\"RuinedFooocus\"}",
     "a cat", "dog", "seed=7 steps=20 guidance=5.5 sampler=dpmpp_2m schedule=karras width=640 height=512", ""},
};

static void check(const Case *c)
{
    SfuParams *p = sfu_params_new();
    GPtrArray *notes = g_ptr_array_new_with_free_func(g_free);
    GError *error = NULL;
    g_assert_true(sfu_params_from_infotext(p, c->json, notes, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(sfu_params_get_string(p, "prompt"), ==, c->prompt);
    g_assert_cmpstr(sfu_params_get_string(p, "negative"), ==, c->negative);
    char **values = g_strsplit(c->values, " ", -1), **words = g_strsplit(c->notes, " ", -1);
    for (int i = 0; values[i]; i++) {
        char **half = g_strsplit(values[i], "=", 2);
        SfuParams *want = sfu_params_new();
        const SfuParamSpec *spec = sfu_param_find(half[0]);
        g_assert_true(sfu_params_set(want, half[0], half[1], NULL));
        g_test_message("%s", values[i]);
        if (spec->type == SFU_PARAM_FLOAT)
            g_assert_cmpfloat(sfu_params_get_double(p, half[0]), ==, sfu_params_get_double(want, half[0]));
        else if (spec->type == SFU_PARAM_INT)
            g_assert_cmpint(sfu_params_int64(p, sfu_param_of(spec)), ==, sfu_params_int64(want, sfu_param_of(spec)));
        else
            g_assert_cmpstr(sfu_params_get_string(p, half[0]), ==, half[1]);
        sfu_params_free(want);
        g_strfreev(half);
    }
    for (guint i = 0; i < notes->len; i++)
        g_test_message("%s", (char *)notes->pdata[i]);
    g_assert_cmpuint(notes->len, ==, g_strv_length(words));
    for (guint i = 0; i < notes->len; i++) {
        gboolean said = FALSE;
        for (guint k = 0; k < notes->len; k++)
            said |= strstr(notes->pdata[k], words[i]) != NULL;
        g_assert_true(said);
    }
    g_strfreev(values);
    g_strfreev(words);
    g_ptr_array_unref(notes);
    sfu_params_free(p);
}

static void test_read(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        check(&cases[i]);
}

/* Other JSON is refused, with the program's name where it is known; what is torn does not crash. */
static void test_refused(void)
{
    static const struct {
        const char *json, *word;
    } refused[] = {{"{\"3\": {\"class_type\": \"KSampler\"}}", "another program"},
                   {"{\"nodes\": []}", "ComfyUI"},
                   {"{\"prompt\": \"a cat\", \"seed\": 5}", "another program"},
                   {"{\"sui_image_params\": {}}", "no generation parameters"},
                   {"{\"sui_image_params\": []}", "another program"},
                   {"{\"app_id\": \"invoke-ai/InvokeAI\", \"image\": 3}", "another program"}};
    for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
        SfuParams *p = sfu_params_new();
        GError *error = NULL;
        g_assert_false(sfu_params_from_infotext(p, refused[i].json, NULL, &error));
        g_assert_error(error, SFU_ERROR, SFU_ERROR_USAGE);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, refused[i].word));
        g_error_free(error);
        sfu_params_free(p);
    }
    static const char *const torn[] = {
        "{\"positive_prompt\": {\"a\": 1}, \"scheduler\": [], \"loras\": [[], {}, 3, null], \"model\": null, \"seed\": "
        "{}}",
        "{\"sui_image_params\": {\"loras\": {}, \"loraweights\": 5, \"scheduler\": 7, \"steps\": 1e99, \"seed\": "
        "\"x\"}}",
        "{\"metadata_scheme\": 1, \"full_prompt\": [null, {}, []], \"resolution\": \"(\", \"lora_combined_1\": \" : "
        "\"}",
        "{\"app_id\": \"invoke-ai/InvokeAI\", \"image\": {\"prompt\": [[\"[\"]], \"sampler\": \"_k\"}}",
        "{\"positive_prompt\": \"[\\\\[ (\", \"scheduler\": \"_k\", \"clip_skip\": \"many\"}"};
    for (guint i = 0; i < G_N_ELEMENTS(torn); i++) {
        SfuParams *p = sfu_params_new();
        sfu_params_from_infotext(p, torn[i], NULL, NULL);
        sfu_params_free(p);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/other-programs/read", test_read);
    g_test_add_func("/other-programs/refused", test_refused);
    return g_test_run();
}
