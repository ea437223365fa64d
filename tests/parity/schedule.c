/* Prompts that change during sampling, against schedule_make.py: for every pass of the network, the words and the
 * weight of each part. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include "text/text.h"

static JsonNode *read_golden(void)
{
    GFile *file = g_file_new_for_path(PARITY_DATA "/schedule.golden.gz");
    GError *error = NULL;
    GInputStream *packed = G_INPUT_STREAM(g_file_read(file, NULL, &error));
    g_assert_no_error(error);
    GConverter *unpack = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
    GInputStream *plain = g_converter_input_stream_new(packed, unpack);
    JsonParser *parser = json_parser_new();
    json_parser_load_from_stream(parser, plain, NULL, &error);
    g_assert_no_error(error);
    JsonNode *root = json_parser_steal_root(parser);
    g_object_unref(parser);
    g_object_unref(plain);
    g_object_unref(unpack);
    g_object_unref(packed);
    g_object_unref(file);
    return root;
}

static void check_case(JsonObject *o)
{
    const char *text = json_object_get_string_member(o, "text");
    const int steps = (int)json_object_get_int_member(o, "steps");
    JsonArray *parts = json_object_get_array_member(o, "parts");
    GError *error = NULL;
    SfuPromptPlan *plan = sfu_prompt_plan_new(text, steps, json_object_get_boolean_member(o, "negative"), &error);
    g_assert_no_error(error);
    g_test_message("%s, %d steps", text, steps);
    g_assert_cmpuint(plan->parts->len, ==, json_array_get_length(parts));
    for (guint k = 0; k < plan->parts->len; k++) {
        const SfuPromptPart *part = &g_array_index(plan->parts, SfuPromptPart, k);
        JsonArray *want = json_array_get_array_element(parts, k), *words = json_array_get_array_element(want, 1);
        g_assert_cmpfloat(part->weight, ==, json_array_get_double_element(want, 0));
        for (int call = 0; call < steps; call++)
            g_assert_cmpstr(sfu_prompt_part_at(part, call), ==, json_array_get_string_element(words, call));
    }
    sfu_prompt_plan_free(plan);
}

static void test_schedules(void)
{
    JsonNode *root = read_golden();
    JsonArray *cases = json_node_get_array(root);
    g_assert_cmpuint(json_array_get_length(cases), >, 3000);
    for (guint i = 0; i < json_array_get_length(cases); i++)
        check_case(json_array_get_object_element(cases, i));
    json_node_unref(root);
}

static void test_limits(void)
{
    GError *error = NULL;
    GString *s = g_string_new(NULL);
    for (int i = 0; i < 20000;
         i++) /* deep nesting, and many brackets that come to nothing: neither deep recursion nor quadratic time */
        g_string_append(s, "[a:(");
    SfuPromptPlan *plan = sfu_prompt_plan_new(s->str, 50, FALSE, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(sfu_prompt_part_at(&g_array_index(plan->parts, SfuPromptPart, 0), 0), ==, s->str);
    sfu_prompt_plan_free(plan);
    g_string_truncate(s, 0);
    for (int i = 0; i < 20000; i++)
        g_string_append(s, i < 10000 ? "[" : "a:3]");
    plan = sfu_prompt_plan_new(s->str, 50, FALSE, &error);
    g_assert_no_error(error);
    sfu_prompt_plan_free(plan);
    g_string_truncate(s, 0);
    for (int i = 0; i < SFU_PROMPT_MAX_PARTS + 1; i++)
        g_string_append(s, "a AND ");
    g_assert_null(sfu_prompt_plan_new(s->str, 50, FALSE, &error));
    g_assert_error(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_PARTS);
    g_clear_error(&error);
    g_assert_null(sfu_prompt_plan_new("\xff", 50, FALSE, &error));
    g_assert_error(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_UTF8);
    g_clear_error(&error);
    g_string_free(s, TRUE);
}

static void test_tags(void)
{
    static const struct {
        const char *text, *words, *tags;
    } cases[] = {
        {"a cat <lora:fluffy:0.8>, sitting", "a cat , sitting", "lora:fluffy:0.8"},
        {"<lora:a><hypernet:b:1>x<lyco:c:1:2>", "x", "lora:a|hypernet:b:1|lyco:c:1:2"},
        {"1 < 2 and <b>bold</b> <:x> <lora:> <lora", "1 < 2 and <b>bold</b> <:x> <lora:> <lora", ""},
        {"<lora:name with spaces:0.5>", "", "lora:name with spaces:0.5"},
        {"<lora:a <lora:b:1>", "", "lora:a <lora:b:1"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GPtrArray *tags = g_ptr_array_new_with_free_func(g_free);
        char *words = sfu_prompt_take_tags(cases[i].text, tags);
        g_ptr_array_add(tags, NULL);
        char *all = g_strjoinv("|", (char **)tags->pdata);
        g_assert_cmpstr(words, ==, cases[i].words);
        g_assert_cmpstr(all, ==, cases[i].tags);
        g_free(all);
        g_free(words);
        g_ptr_array_unref(tags);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schedule/as-the-web-ui", test_schedules);
    g_test_add_func("/schedule/limits", test_limits);
    g_test_add_func("/schedule/tags", test_tags);
    return g_test_run();
}
