/* Tests of the table of parameters: text, JSON and infotext forms.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include "sfumato.h"

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
    static const char *const bad[] = {"", "[]", "{\"steps\": [1]}", "{\"nonsense\": 1}", "{\"steps\": \"x\"}", "{\"steps\": 1e99}", "{"};
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

static void test_infotext_round_trip(void)
{
    SfuParams *p = everything(), *q = sfu_params_new();
    GError *e = NULL;
    sfu_params_set(p, "style", "none", NULL);
    sfu_params_set(p, "model", "model", NULL);
    sfu_params_set(p, "vae", "vae", NULL);
    sfu_params_set_double(p, "width", 640, NULL);
    sfu_params_set_double(p, "height", 512, NULL);
    char *text = sfu_params_to_infotext(p, 640, 512);
    g_assert_true(sfu_params_from_infotext(q, text, &e));
    int n;
    const SfuParamSpec *t = sfu_param_table(&n);
    for (int i = 0; i < n; i++) {
        if (g_str_has_prefix(t[i].name, "preview"))
            continue; /* says nothing about the picture */
        g_assert_cmpfloat_with_epsilon(sfu_params_get_double(p, t[i].name), sfu_params_get_double(q, t[i].name), 1e-9);
        g_assert_cmpstr(sfu_params_get_string(p, t[i].name), ==, sfu_params_get_string(q, t[i].name));
    }
    g_free(text);
    sfu_params_free(p);
    sfu_params_free(q);
}

static void test_infotext_of_the_web_ui(void)
{
    SfuParams *p = sfu_params_new();
    GError *e = NULL;
    g_assert_true(sfu_params_from_infotext(p,
                                           "a cat, (fluffy:1.2)\nsecond line\nNegative prompt: dog, \nblurry\nSteps: 30, Sampler: DPM++ 2M Karras, "
                                           "CFG scale: 6.5, Seed: 1234567890, Size: 512x768, Model hash: abcdef, Model: dreamy, Lora hashes: \"x: "
                                           "1, y: 2\", Clip skip: 2, Version: v1.6.0",
                                           &e));
    g_assert_no_error(e);
    g_assert_cmpstr(sfu_params_get_string(p, "prompt"), ==, "a cat, (fluffy:1.2)\nsecond line");
    g_assert_cmpstr(sfu_params_get_string(p, "negative"), ==, "dog, \nblurry");
    g_assert_cmpstr(sfu_params_get_string(p, "sampler"), ==, "dpmpp_2m");
    g_assert_cmpstr(sfu_params_get_string(p, "schedule"), ==, "karras");
    g_assert_cmpstr(sfu_params_get_string(p, "rng"), ==, "philox"); /* its default is the GPU's */
    g_assert_cmpstr(sfu_params_get_string(p, "model"), ==, "dreamy");
    g_assert_cmpfloat(sfu_params_get_double(p, "seed"), ==, 1234567890);
    g_assert_cmpfloat(sfu_params_get_double(p, "guidance"), ==, 6.5);
    g_assert_cmpfloat(sfu_params_get_double(p, "clip_skip"), ==, 2);
    g_assert_cmpfloat(sfu_params_get_double(p, "height"), ==, 768);
    g_assert_false(sfu_params_from_infotext(p, "just words", &e));
    g_assert_error(e, SFU_ERROR, SFU_ERROR_USAGE);
    g_clear_error(&e);
    /* Torn text must not crash. */
    static const char *const torn[] = {"Steps: ", "Steps: \"", "Steps: 20, X: \"a\\", "\nSteps: 20,,,:", "Steps: 99999999999999999999, Size: x"};
    for (guint i = 0; i < G_N_ELEMENTS(torn); i++)
        sfu_params_from_infotext(p, torn[i], NULL);
    sfu_params_free(p);
}

static void test_style_goes_into_the_prompt(void)
{
    SfuParams *p = sfu_params_new(), *q = sfu_params_new();
    GError *e = NULL;
    sfu_params_set(p, "prompt", "a boat", NULL);
    sfu_params_set(p, "style", "watercolour", NULL);
    char *text = sfu_params_to_infotext(p, 0, 0);
    g_assert_true(sfu_params_from_infotext(q, text, &e));
    g_assert_true(g_str_has_prefix(sfu_params_get_string(q, "prompt"), "a boat, watercolour"));
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
    g_test_add_func("/params/infotext-of-the-web-ui", test_infotext_of_the_web_ui);
    g_test_add_func("/params/style-goes-into-the-prompt", test_style_goes_into_the_prompt);
    return g_test_run();
}
