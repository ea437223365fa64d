/* Tests of the table of parameters: text, JSON and infotext forms.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>
#include "sfumato.h"
#include "text/wildcards.h"

static void refuse(SfuParams *p, const char *name, const char *value)
{
    GError *e = NULL;
    g_assert_false(sfu_params_set(p, name, value, &e));
    g_assert_error(e, SFU_ERROR, SFU_ERROR_USAGE);
    g_assert_true(g_utf8_validate(e->message, -1, NULL));
    g_error_free(e);
}

static void test_table_is_sound(void)
{
    int n;
    const SfuParamSpec *t = sfu_param_table(&n);
    g_assert_cmpint(n, >, 30);
    for (int i = 0; i < n; i++) {
        g_assert_true(sfu_param_find(t[i].name) == &t[i]); /* names are unique */
        g_assert_cmpint(sfu_param_of(&t[i]), ==, i);
        g_assert_true(*t[i].label && *t[i].help && t[i].unit);
        g_assert_cmpuint(t[i].tasks, !=, 0);
        g_assert_cmpuint(t[i].tasks >> SFU_N_TASKS, ==, 0);
        if (t[i].type == SFU_PARAM_STRING || t[i].type == SFU_PARAM_FILE) {
            continue;
        }
        g_assert_cmpfloat(t[i].min, <=, t[i].def);
        g_assert_cmpfloat(t[i].def, <=, t[i].max);
        if (t[i].type == SFU_PARAM_CHOICE)
            g_assert_cmpint(g_strv_length((char **)t[i].choices), ==, (int)t[i].max + 1);
    }
    g_assert_null(sfu_param_find("nonsense"));
}

static void test_values_are_checked(void)
{
    SfuParams *p = sfu_params_new();
    GError *e = NULL;
    g_assert_false(sfu_params_is_set(p, "steps"));
    g_assert_true(sfu_params_set(p, "steps", "25", &e));
    g_assert_true(sfu_params_is_set(p, "steps"));
    g_assert_cmpfloat(sfu_params_get_double(p, "steps"), ==, 25);
    refuse(p, "steps", "25.5");
    refuse(p, "steps", "-1");
    refuse(p, "steps", "1e9");
    refuse(p, "steps", "twenty");
    refuse(p, "steps", "");
    refuse(p, "guidance", "nan");
    refuse(p, "guidance", "inf");
    refuse(p, "sampler", "magic");
    refuse(p, "tta", "perhaps");
    refuse(p, "tta", "");
    refuse(p, "tta", "10x");
    /* Quoted in the message as far as it is short, and never cut inside a character. */
    refuse(p, "sampler", "xäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü");
    refuse(p, "prompt", "\xff\xfe");
    refuse(p, "nonsense", "1");
    g_assert_true(sfu_params_set(p, "sampler", "Euler_A", &e));
    g_assert_cmpstr(sfu_params_get_string(p, "sampler"), ==, "euler_a");
    g_assert_true(sfu_params_set(p, "tta", "Yes", &e));
    g_assert_false(sfu_params_set_double(p, "prompt", 1, NULL));
    g_assert_cmpfloat(sfu_params_get_double(p, "steps"), ==, 25); /* what was refused changed nothing */
    g_assert_no_error(e);
    sfu_params_free(p);
}

static void test_strength_differs_by_task(void)
{
    g_assert_cmpfloat(sfu_param_default(SFU_PARAM_STRENGTH, SFU_TASK_INPAINT), ==, 1);
    g_assert_cmpfloat(sfu_param_default(SFU_PARAM_STRENGTH, SFU_TASK_IMG2IMG), ==, 0.75);
    g_assert_cmpfloat(sfu_param_default(SFU_PARAM_GUIDANCE, SFU_TASK_INPAINT), ==, sfu_param_find("guidance")->def);
}

/* Every row set to something that is not its default, out and back. */
static SfuParams *everything(void)
{
    SfuParams *p = sfu_params_new();
    int n;
    const SfuParamSpec *t = sfu_param_table(&n);
    for (int i = 0; i < n; i++) {
        const double middle = t[i].def < t[i].max ? t[i].def + 1 : t[i].def - 1;
        gboolean ok;
        if (t[i].type == SFU_PARAM_STRING || t[i].type == SFU_PARAM_FILE)
            ok = sfu_params_set(p, t[i].name, "a, \"b\": c\nd \xc3\xa9", NULL);
        else if (t[i].type == SFU_PARAM_FLOAT)
            ok = sfu_params_set_double(p, t[i].name, t[i].min + (t[i].max - t[i].min) * 0.3, NULL);
        else
            ok = sfu_params_set_double(p, t[i].name, middle, NULL);
        g_assert_true(ok);
    }
    return p;
}

static void test_json_round_trip(void)
{
    SfuParams *p = everything(), *q = sfu_params_new();
    GError *e = NULL;
    char *json = sfu_params_to_json(p);
    g_assert_true(sfu_params_from_json(q, json, &e));
    char *again = sfu_params_to_json(q);
    g_assert_cmpstr(json, ==, again);
    int n;
    const SfuParamSpec *t = sfu_param_table(&n);
    for (int i = 0; i < n; i++) {
        g_assert_cmpfloat(sfu_params_get_double(p, t[i].name), ==, sfu_params_get_double(q, t[i].name));
        g_assert_cmpstr(sfu_params_get_string(p, t[i].name), ==, sfu_params_get_string(q, t[i].name));
    }
    static const char *const bad[] = {
        "", "[]", "{\"steps\": [1]}", "{\"nonsense\": 1}", "{\"steps\": \"x\"}", "{\"steps\": 1e99}", "{"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(sfu_params_from_json(q, bad[i], &e));
        g_assert_error(e, SFU_ERROR, SFU_ERROR_USAGE);
        g_clear_error(&e);
    }
    g_free(json);
    g_free(again);
    sfu_params_free(p);
    sfu_params_free(q);
}

/* What a row may hold: its limits, its default, and something between. Caller frees; NULL after the last. */
static char *sample_value(const SfuParamSpec *s, int k)
{
    static const char *const words[] = {"a, \"b\": c\\d", "two\nlines", "\xc3\xa9 \xf0\x9f\x90\xb1",
                                        "Steps: 3, Sampler: x, Seed: 4", " \"quoted\" "},
                             *const whole[] = {"-1", "6687881544318117707", "9223372036854775807", "9007199254740993"};
    if (s->type == SFU_PARAM_CHOICE || s->type == SFU_PARAM_BOOL)
        return k > s->max ? NULL : s->choices ? g_strdup(s->choices[k]) : g_strdup_printf("%d", k);
    if (sfu_param_is_text(s))
        return k < (int)G_N_ELEMENTS(words) ? g_strdup(words[k]) : NULL;
    if (s->type == SFU_PARAM_INT && s->max > SFU_EXACT_MAX)
        return k < (int)G_N_ELEMENTS(whole) ? g_strdup(whole[k]) : NULL;
    const double v[] = {s->min, s->def, s->max, s->min + (s->max - s->min) * 0.3 / 7};
    if (k >= 4)
        return NULL;
    char *text = g_malloc(G_ASCII_DTOSTR_BUF_SIZE);
    return s->type == SFU_PARAM_FLOAT ? g_ascii_dtostr(text, G_ASCII_DTOSTR_BUF_SIZE, v[k])
                                      : g_ascii_formatd(text, G_ASCII_DTOSTR_BUF_SIZE, "%.0f", trunc(v[k]));
}

static void assert_same(const SfuParams *p, const SfuParams *q, SfuParam i)
{
    int n;
    const SfuParamSpec *s = &sfu_param_table(&n)[i];
    g_assert_cmpint(sfu_params_given(p, i), ==, sfu_params_given(q, i));
    g_assert_cmpint(sfu_params_int64(p, i), ==, sfu_params_int64(q, i));
    g_assert_cmpfloat(sfu_params_double(p, i), ==, sfu_params_double(q, i));
    g_assert_cmpstr(sfu_params_text(p, i), ==, sfu_params_text(q, i));
    if (s->list)
        g_assert_true(g_strv_equal(sfu_params_list(p, i), sfu_params_list(q, i)));
}

/* Every value of every row, alone: out, back, the same; and all that was not given is still not given. */
static void test_infotext_round_trip(void)
{
    int n, n_values = 0;
    const SfuParamSpec *t = sfu_param_table(&n);
    for (int i = 0; i < n; i++) {
        char *value;
        for (int k = 0; (value = sample_value(&t[i], k)); k++, n_values++) {
            SfuParams *p = sfu_params_new(), *q = sfu_params_new();
            GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);
            GError *e = NULL;
            const gboolean text = i == SFU_PARAM_PROMPT || i == SFU_PARAM_NEGATIVE,
                           size = i == SFU_PARAM_WIDTH || i == SFU_PARAM_HEIGHT;
            if (text) /* the web UI takes the space off every line */
                g_strstrip(value);
            if (i == SFU_PARAM_MODEL || i == SFU_PARAM_VAE) /* these are written as names, without folder and ending */
                g_strdelimit(value, "/", '_');
            g_assert_true(sfu_params_set(p, t[i].name, value, &e));
            g_assert_no_error(e);
            char *info = sfu_params_to_infotext(p, size ? sfu_params_int(p, SFU_PARAM_WIDTH) : 0,
                                                size ? sfu_params_int(p, SFU_PARAM_HEIGHT) : 0);
            if (size || i == SFU_PARAM_STYLE ||
                g_str_has_prefix(t[i].name, "preview_")) { /* the first in a test of its own below */
                g_free(info);
                info = NULL;
            }
            g_assert_true(!info || sfu_params_from_infotext(q, info, warnings, &e));
            g_assert_no_error(e);
            g_assert_cmpuint(warnings->len, ==, 0);
            for (int j = 0; info && j < n; j++)
                if (j == i ||
                    (j != SFU_PARAM_PROMPT && j != SFU_PARAM_NEGATIVE && j != SFU_PARAM_STEPS && j != SFU_PARAM_SEED))
                    assert_same(p, q, j);
            g_free(info);
            g_free(value);
            g_ptr_array_unref(warnings);
            sfu_params_free(p);
            sfu_params_free(q);
        }
    }
    g_assert_cmpint(n_values, >, 120);
}

static void test_infotext_of_everything(void)
{
    SfuParams *p = everything(), *q = sfu_params_new();
    GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);
    GError *e = NULL;
    sfu_params_set(p, "style", "none", NULL);
    sfu_params_set(p, "model", "/some/folder/model.safetensors", NULL);
    sfu_params_set(p, "vae", "/some/folder/vae.pt", NULL);
    sfu_params_put(p, SFU_PARAM_WIDTH, 640);
    sfu_params_put(p, SFU_PARAM_HEIGHT, 512);
    char *text = sfu_params_to_infotext(p, 640, 512);
    g_assert_true(sfu_params_from_infotext(q, text, warnings, &e));
    g_assert_cmpuint(warnings->len, ==, 0);
    for (int i = 0; i < SFU_N_PARAMS; i++) {
        if (i == SFU_PARAM_MODEL || i == SFU_PARAM_VAE || i == SFU_PARAM_STYLE || i == SFU_PARAM_PREVIEW_EVERY ||
            i == SFU_PARAM_PREVIEW_WITH)
            continue;
        assert_same(p, q, i);
    }
    g_assert_cmpstr(sfu_params_text(q, SFU_PARAM_MODEL), ==, "model");
    g_assert_cmpstr(sfu_params_text(q, SFU_PARAM_VAE), ==, "vae.pt");
    g_free(text);
    g_ptr_array_unref(warnings);
    sfu_params_free(p);
    sfu_params_free(q);
}

static void test_infotext_of_the_web_ui(void)
{
    SfuParams *p = sfu_params_new();
    GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);
    GError *e = NULL;
    g_assert_true(sfu_params_from_infotext(
        p,
        "a cat, (fluffy:1.2)\nsecond line\nNegative prompt: dog, \nblurry\nSteps: 30, Sampler: DPM++ 2M Karras, "
        "CFG scale: 6.5, Seed: 1234567890, Size: 512x768, Model hash: abcdef, Model: dreamy, Lora hashes: \"x: "
        "1, y: 2\", Hashes: {\"model\": \"ab\", \"lora:x\": \"12\"}, Clip skip: 2, Refiner: sd_xl_refiner_1.0 "
        "[7440042bbd], Refiner switch at: 0.75, Version: v1.6.0",
        warnings, &e));
    g_assert_no_error(e);
    g_assert_cmpuint(warnings->len, ==, 0);
    g_assert_cmpstr(sfu_params_get_string(p, "prompt"), ==, "a cat, (fluffy:1.2)\nsecond line");
    g_assert_cmpstr(sfu_params_get_string(p, "negative"), ==, "dog,\nblurry");
    g_assert_cmpstr(sfu_params_get_string(p, "sampler"), ==, "dpmpp_2m");
    g_assert_cmpstr(sfu_params_get_string(p, "schedule"), ==, "karras");
    g_assert_cmpstr(sfu_params_get_string(p, "rng"), ==, "philox"); /* its default is the GPU's */
    g_assert_cmpstr(sfu_params_get_string(p, "model"), ==, "dreamy");
    g_assert_cmpstr(sfu_params_get_string(p, "refiner"), ==, "sd_xl_refiner_1.0");
    g_assert_cmpfloat(sfu_params_get_double(p, "refiner_start"), ==, 0.75);
    g_assert_cmpfloat(sfu_params_get_double(p, "seed"), ==, 1234567890);
    g_assert_cmpfloat(sfu_params_get_double(p, "guidance"), ==, 6.5);
    g_assert_cmpfloat(sfu_params_get_double(p, "clip_skip"), ==, 2);
    g_assert_cmpfloat(sfu_params_get_double(p, "height"), ==, 768);
    /* 0 steps are nobody's picture, and mean the default here. */
    g_assert_true(sfu_params_from_infotext(p, "a cat\nSteps: 0, Sampler: Euler, Seed: 1, Size: 64x64", warnings, &e));
    g_assert_cmpuint(warnings->len, ==, 1);
    g_ptr_array_set_size(warnings, 0);
    /* Without a line of settings the web UI takes all of it for the prompt. */
    g_assert_true(sfu_params_from_infotext(p, "just words", warnings, &e));
    g_assert_cmpstr(sfu_params_get_string(p, "prompt"), ==, "just words");
    g_assert_cmpuint(warnings->len, ==, 1);
    static const char *const refused[] = {"", "  \n ", "{\"sui_image_params\": {}}", "\xff"};
    for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_assert_false(sfu_params_from_infotext(p, refused[i], NULL, &e));
        g_assert_error(e, SFU_ERROR, SFU_ERROR_USAGE);
        g_clear_error(&e);
    }
    /* Torn text must not crash. */
    static const char *const torn[] = {"Steps: ", "Steps: \"", "Steps: 20, X: \"a\\",
                                       "\nSteps: 20,,,:", "Steps: 99999999999999999999, Size: x"};
    for (guint i = 0; i < G_N_ELEMENTS(torn); i++)
        sfu_params_from_infotext(p, torn[i], NULL, NULL);
    g_ptr_array_unref(warnings);
    sfu_params_free(p);
}

/* The negative prompt in all forms that the web UI reads: it takes the marker off and the space round each line. */
static void test_negative_prompts(void)
{
    static const struct {
        const char *head, *prompt, *negative;
    } cases[] = {
        {"a cat\nNegative prompt: dog\n", "a cat", "dog"},
        {"a cat\nNegative prompt:dog\n", "a cat", "dog"},
        {"a cat\n  Negative prompt:   dog  \n  bird \n", "a cat", "dog\nbird"},
        {"Negative prompt: dog\n", "", "dog"},
        {"a cat\nNegative prompt:\ndog\n", "a cat", "dog"},
        {"a cat\r\nNegative prompt: dog\r\n", "a cat", "dog"},
        {"a cat\nNegative prompt: dog\nNegative prompt: bird\n", "a cat", "dog\nbird"},
        {"a cat, Negative prompt: dog\n", "a cat, Negative prompt: dog", ""},
        {"\n\na cat\n\nwith a hat\n", "a cat\n\nwith a hat", ""},
        {"", "", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        SfuParams *p = sfu_params_new();
        GError *e = NULL;
        char *text = g_strconcat(cases[i].head, "Steps: 2, Sampler: Euler, CFG scale: 5, Seed: 42, Size: 64x64", NULL);
        g_assert_true(sfu_params_from_infotext(p, text, NULL, &e));
        g_assert_no_error(e);
        g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_PROMPT), ==, cases[i].prompt);
        g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_NEGATIVE), ==, cases[i].negative);
        g_free(text);
        sfu_params_free(p);
    }
}

#define PAIRS "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 64x64"

/* Texts whose lines are not where the web UI puts them: nothing of the prompts or values is lost. */
static void test_lines_elsewhere(void)
{
    static const struct {
        const char *text, *prompt, *negative, *said; /* NULL: nothing */
        int steps;                                   /* 0: not given */
    } cases[] = {
        {"a cat\nNegative prompt: dog\n" PAIRS "\nTemplate: a {cat|dog}\nNegative Template: dog", "a cat", "dog",
         "text after", 20},
        {"a cat\nNegative prompt: dog\n" PAIRS "\n\nUsed embeddings: easynegative [119b]", "a cat", "dog", "text after",
         20},
        {"a cat\n" PAIRS "\nTemplate: a, b: c, d: e, Time: 3", "a cat", "", "text after", 20},
        {"a cat\nSteps: 5, Sampler: DDIM, CFG scale: 3\n" PAIRS, "a cat\nSteps: 5, Sampler: DDIM, CFG scale: 3", "",
         NULL, 20},
        {"a cat, fur: red Negative prompt: dog " PAIRS, "a cat, fur: red", "dog", "its line breaks", 20},
        {"a cat, " PAIRS, "a cat,", "", "its line breaks", 20},
        {"a cat\nNegative prompt: dog " PAIRS, "a cat", "dog", "its line breaks", 20},
        {"a cat\rNegative prompt: dog\r" PAIRS, "a cat", "dog", NULL, 20},
        {"a cat\nSampler: Euler a, Steps: 20, Seed: 5", "a cat", "", NULL, 20},
        {"a cat\n-dog\nSteps: 20, Sampler: Euler a, Guidance Scale: 7.5, Seed: 5, Strength: 1.0, Seed Mode: Scale "
         "Alike",
         "a cat", "dog", "not used: Seed Mode.", 20},
        {"a cat\n-dog\n" PAIRS, "a cat\n-dog", "", NULL, 20},
        {"masterpiece, style: ink, color: red, mood: calm", "masterpiece, style: ink, color: red, mood: calm", "",
         "no line", 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        SfuParams *p = sfu_params_new();
        GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);
        GError *e = NULL;
        g_assert_true(sfu_params_from_infotext(p, cases[i].text, warnings, &e));
        g_assert_no_error(e);
        char *prompt = sfu_wildcards_escape(cases[i].prompt);
        g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_PROMPT), ==, prompt);
        g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_NEGATIVE), ==, cases[i].negative);
        g_assert_cmpint(sfu_params_int(p, SFU_PARAM_STEPS), ==, cases[i].steps);
        g_assert_cmpint(sfu_params_given(p, SFU_PARAM_SEED), ==, cases[i].steps != 0);
        g_assert_cmpuint(warnings->len, ==, cases[i].said ? 1 : 0);
        if (cases[i].said)
            g_assert_nonnull(strstr(warnings->pdata[0], cases[i].said));
        g_free(prompt);
        g_ptr_array_unref(warnings);
        sfu_params_free(p);
    }
}

/* One more setting of a text of A1111's. */
static const struct {
    const char *pairs, *said; /* NULL: nothing is said */
    SfuParam param;
    const char *value; /* as the row's text; NULL: not given */
} settings[] = {
    {"Seed: 6687881544318117707", NULL, SFU_PARAM_SEED, "6687881544318117707"},
    {"Seed: 99999999999999999999", "99999999999999999999", SFU_PARAM_SEED, NULL},
    {"Sampler: Nonsense", "Nonsense", SFU_PARAM_SAMPLER, NULL},
    {"Schedule type: Nonsense", "Nonsense", SFU_PARAM_SCHEDULE, NULL},
    {"CFG scale: 80", NULL, SFU_PARAM_GUIDANCE, "80"},
    {"CFG scale: 800", "100", SFU_PARAM_GUIDANCE, "100"},
    {"CFG scale: high", "high", SFU_PARAM_GUIDANCE, NULL},
    {"Steps: 2000", "1000", SFU_PARAM_STEPS, "1000"},
    {"Size: 99999x64", "99999x64", SFU_PARAM_WIDTH, NULL},
    {"Clip skip: 13", "13", SFU_PARAM_CLIP_SKIP, "12"},
    {"VAE: None", NULL, SFU_PARAM_VAE, NULL},
    {"VAE: Automatic", NULL, SFU_PARAM_VAE, NULL},
    {"VAE: vae-ft-mse-840000-ema-pruned.safetensors", NULL, SFU_PARAM_VAE, "vae-ft-mse-840000-ema-pruned.safetensors"},
    {"Sampler: DPM++ 2M SDE Exponential", NULL, SFU_PARAM_SCHEDULE, "exponential"},
    {"Sampler: Euler a SGM Uniform", NULL, SFU_PARAM_SCHEDULE, "sgm_uniform"},
    {"Sampler: DPM++ 2M, Schedule type: Uniform", NULL, SFU_PARAM_SCHEDULE, "normal"},
    {"Sampler: DPM++ 2M SDE, Scheduler: karras", NULL, SFU_PARAM_SCHEDULE, "karras"},
    {"Scheduler: strange", "strange", SFU_PARAM_SCHEDULE, NULL},
    {"Sampler: dpmpp_2m_karras", NULL, SFU_PARAM_SCHEDULE, "karras"},
    {"Sampler: dpmpp_2m_sde_gpu_sgm_uniform", NULL, SFU_PARAM_SCHEDULE, "sgm_uniform"},
    {"Sampler: euler_ancestral_normal", NULL, SFU_PARAM_SAMPLER, "euler_a"},
    {"Sampler: dpmpp_9m_karras", "dpmpp_9m_karras", SFU_PARAM_SAMPLER, NULL},
    {"Sampler: EULER A", NULL, SFU_PARAM_SAMPLER, "euler_a"},
    {"Sampler: k_euler_ancestral", NULL, SFU_PARAM_SAMPLER, "euler_a"},
    {"Tiling: True", NULL, SFU_PARAM_SEAMLESS, "xy"},
    {"Tiling: x", NULL, SFU_PARAM_SEAMLESS, "x"},
    {"Sampler: DPM fast, Schedule type: Align Your Steps", NULL, SFU_PARAM_SCHEDULE, "align_your_steps"},
    {"Sampler: Restart, Schedule type: DDIM", NULL, SFU_PARAM_SCHEDULE, "ddim_uniform"},
    {"Denoising strength: 0.4", NULL, SFU_PARAM_STRENGTH, "0.4"},
    {"Denoising strength: 0.7, Hires upscale: 2, Hires steps: 4", "Hires upscale", SFU_PARAM_STRENGTH, NULL},
    {"Variation seed: 3, Variation seed strength: 0.2", "Variation seed", SFU_PARAM_ETA, NULL},
    {"ENSD: 31337", "ENSD", SFU_PARAM_ETA, NULL},
    {"RNG: CPU", NULL, SFU_PARAM_RNG, "torch"},
    {"Version: v1.9.4", NULL, SFU_PARAM_RNG, "philox"},
    {"Version: ComfyUI", NULL, SFU_PARAM_RNG, "torch"},
    {"Version: Fooocus v2.5.5", NULL, SFU_PARAM_RNG, "torch"},
    {"Sfumato grow: 9999", "9999", SFU_PARAM_GROW, "1024"},
    {"Sfumato nonsense: 1", "nonsense", SFU_PARAM_GROW, NULL},
    {"Version: v1.10.1, Model hash: 6ce0161689, TI hashes: \"a: 1, b: 2\"", NULL, SFU_PARAM_MODEL, NULL},
};

/* What is not taken over as it stands is said; what is, is not. */
static void test_what_is_not_taken_is_said(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        SfuParams *p = sfu_params_new(), *want = sfu_params_new();
        GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);
        GError *e = NULL;
        int n;
        char *text = g_strdup_printf("a cat\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64, %s",
                                     settings[i].pairs);
        char *fewer = g_strdup_printf("a cat\n%s, Version: 1, User: 2, Batch pos: 3",
                                      settings[i].pairs); /* without what it replaces */
        g_assert_true(sfu_params_from_infotext(p, settings[i].value ? text : fewer, warnings, &e));
        g_assert_no_error(e);
        g_assert_cmpuint(warnings->len, ==, settings[i].said ? 1 : 0);
        if (settings[i].said)
            g_assert_nonnull(strstr(warnings->pdata[0], settings[i].said));
        g_assert_cmpint(sfu_params_given(p, settings[i].param), ==, settings[i].value != NULL);
        if (settings[i].value) {
            g_assert_true(sfu_params_set(want, sfu_param_table(&n)[settings[i].param].name, settings[i].value, &e));
            assert_same(p, want, settings[i].param);
        }
        g_ptr_array_unref(warnings);
        g_free(text);
        g_free(fewer);
        sfu_params_free(p);
        sfu_params_free(want);
    }
}

/* Whole numbers are exact to 64 bits as text and in JSON; a double that may not be what was meant is refused. */
static void test_seeds_are_exact(void)
{
    SfuParams *p = sfu_params_new(), *q = sfu_params_new();
    GError *e = NULL;
    g_assert_true(sfu_params_set(p, "seed", "6687881544318117707", &e));
    char *json = sfu_params_to_json(p);
    g_assert_nonnull(strstr(json, "6687881544318117707"));
    g_assert_true(sfu_params_from_json(q, json, &e));
    g_assert_cmpint(sfu_params_int64(q, SFU_PARAM_SEED), ==, 6687881544318117707);
    /* json-glib would make another seed of the first, and "a" of the second. */
    static const char *const inexact[] = {"{\"seed\": 9223372036854775808}", "{\"seed\": 99999999999999999999999}",
                                          "{\"prompt\": \"a\\u0000b\"}"};
    for (guint i = 0; i < G_N_ELEMENTS(inexact); i++) {
        g_assert_false(sfu_params_from_json(q, inexact[i], &e));
        g_assert_error(e, SFU_ERROR, SFU_ERROR_USAGE);
        g_clear_error(&e);
        g_assert_null(sfu_json_read(inexact[i], "x", NULL));
    }
    g_assert_true(sfu_params_from_json(
        q,
        "{\"seed\": 6687881544318117707, \"prompt\": \"99999999999999999999 \\\\u0000\", \"guidance\": "
        "7.00000000000000000001}",
        &e));
    SfuParams *c = sfu_params_copy(q);
    g_assert_cmpint(sfu_params_int64(c, SFU_PARAM_SEED), ==, 6687881544318117707);
    refuse(p, "seed", "9223372036854775808");
    refuse(p, "seed", "-2");
    g_assert_false(sfu_params_set_double(p, "seed", 0x1p60, NULL));
    g_assert_true(sfu_params_set_double(p, "seed", SFU_EXACT_MAX, &e));
    g_assert_true(sfu_params_set(p, "seed", "1e3", &e));
    g_assert_cmpint(sfu_params_int64(p, SFU_PARAM_SEED), ==, 1000);
    g_assert_no_error(e);
    g_free(json);
    sfu_params_free(p);
    sfu_params_free(q);
    sfu_params_free(c);
}

static void test_given_is_not_the_default(void)
{
    SfuParams *p = sfu_params_new(), *q = sfu_params_new();
    GError *e = NULL;
    char *json = sfu_params_to_json(p);
    g_assert_cmpstr(json, ==, "{}");
    g_free(json);
    g_assert_true(sfu_params_set(p, "scale", "2", &e)); /* the table's default */
    json = sfu_params_to_json(p);
    g_assert_true(sfu_params_from_json(q, json, &e));
    g_assert_true(sfu_params_given(q, SFU_PARAM_SCALE));
    g_assert_false(sfu_params_given(q, SFU_PARAM_GUIDANCE));
    sfu_params_unset(q, SFU_PARAM_SCALE);
    g_assert_false(sfu_params_given(q, SFU_PARAM_SCALE));
    sfu_params_put(q, SFU_PARAM_SCALE, 99); /* "as used" stays within the range */
    g_assert_cmpfloat(sfu_params_double(q, SFU_PARAM_SCALE), ==, 16);
    g_free(json);
    g_assert_no_error(e);
    sfu_params_free(p);
    sfu_params_free(q);
}

static void test_style_goes_into_the_prompt(void)
{
    SfuParams *p = sfu_params_new(), *q = sfu_params_new();
    GError *e = NULL;
    sfu_params_set(p, "prompt", "a boat", NULL);
    sfu_params_set(p, "style", "watercolor", NULL);
    char *text = sfu_params_to_infotext(p, 0, 0);
    g_assert_true(sfu_params_from_infotext(q, text, NULL, &e));
    g_assert_true(g_str_has_prefix(sfu_params_get_string(q, "prompt"), "a boat, watercolor"));
    g_assert_cmpstr(sfu_params_get_string(q, "style"), ==, "none"); /* or it would be added twice */
    g_free(text);
    sfu_params_free(p);
    sfu_params_free(q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/params/table-is-sound", test_table_is_sound);
    g_test_add_func("/params/values-are-checked", test_values_are_checked);
    g_test_add_func("/params/strength-differs-by-task", test_strength_differs_by_task);
    g_test_add_func("/params/json-round-trip", test_json_round_trip);
    g_test_add_func("/params/infotext-round-trip", test_infotext_round_trip);
    g_test_add_func("/params/infotext-of-everything", test_infotext_of_everything);
    g_test_add_func("/params/negative-prompts", test_negative_prompts);
    g_test_add_func("/params/lines-elsewhere", test_lines_elsewhere);
    g_test_add_func("/params/what-is-not-taken-is-said", test_what_is_not_taken_is_said);
    g_test_add_func("/params/seeds-are-exact", test_seeds_are_exact);
    g_test_add_func("/params/given-is-not-the-default", test_given_is_not_the_default);
    g_test_add_func("/params/infotext-of-the-web-ui", test_infotext_of_the_web_ui);
    g_test_add_func("/params/style-goes-into-the-prompt", test_style_goes_into_the_prompt);
    return g_test_run();
}
