/* Rows that hold lists, with a table that has some: text, JSON and infotext forms.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <locale.h>
#include <string.h>
#include "sfumato.h"

static void assert_list(const SfuParams *p, SfuParam param, const char *joined)
{
    char *all = g_strjoinv("|", (char **)sfu_params_list(p, param));
    g_assert_cmpstr(all, ==, joined);
    g_free(all);
}

static void test_lists_grow_in_order(void)
{
    SfuParams *p = sfu_params_new();
    GError *e = NULL;
    assert_list(p, SFU_PARAM_WORDS, "");
    g_assert_false(sfu_params_given(p, SFU_PARAM_WORDS));
    g_assert_true(sfu_params_add(p, "words", "one", &e) && sfu_params_add(p, "words", "two, \"2\"", &e) &&
                  sfu_params_add(p, "words", "", &e));
    assert_list(p, SFU_PARAM_WORDS, "one|two, \"2\"|");
    SfuParams *c = sfu_params_copy(p);
    assert_list(c, SFU_PARAM_WORDS, "one|two, \"2\"|");
    g_assert_true(sfu_params_add(c, "words", "three", &e)); /* the copy is its own */
    assert_list(p, SFU_PARAM_WORDS, "one|two, \"2\"|");
    g_assert_true(sfu_params_set(p, "words", "only", &e));
    assert_list(p, SFU_PARAM_WORDS, "only");
    g_assert_true(sfu_params_set(p, "words", "[\"a\", \"b\"]", &e));
    assert_list(p, SFU_PARAM_WORDS, "a|b");
    g_assert_true(sfu_params_set(p, "words", "[no JSON", &e)); /* a word like another */
    assert_list(p, SFU_PARAM_WORDS, "[no JSON");
    g_assert_true(sfu_params_set(p, "words", "", &e)); /* given, and empty */
    assert_list(p, SFU_PARAM_WORDS, "");
    g_assert_true(sfu_params_given(p, SFU_PARAM_WORDS));
    sfu_params_unset(p, SFU_PARAM_WORDS);
    g_assert_false(sfu_params_given(p, SFU_PARAM_WORDS));
    g_assert_false(sfu_params_add(p, "words", "\xff", NULL));
    g_assert_false(sfu_params_set(p, "words", "[1, 2]", NULL));
    g_assert_true(sfu_params_add(p, "steps", "7", &e) &&
                  sfu_params_add(p, "steps", "8", &e)); /* no list: the last one holds */
    g_assert_cmpint(sfu_params_int(p, SFU_PARAM_STEPS), ==, 8);
    g_assert_no_error(e);
    sfu_params_free(p);
    sfu_params_free(c);
}

static void test_lists_go_out_and_come_back(void)
{
    SfuParams *p = sfu_params_new(), *from_json = sfu_params_new(), *from_text = sfu_params_new();
    GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);
    GError *e = NULL;
    sfu_params_add(p, "words", "one, two: \"three\"\n[4]", &e);
    sfu_params_add(p, "words", "\xc3\xa4", &e);
    sfu_params_add(p, "pictures", "/tmp/a.png", &e);
    char *json = sfu_params_to_json(p), *text = sfu_params_to_infotext(p, 64, 64);
    g_assert_true(sfu_params_from_json(from_json, json, &e) && sfu_params_from_infotext(from_text, text, warnings, &e));
    g_assert_no_error(e);
    g_assert_cmpuint(warnings->len, ==, 0);
    const SfuParams *const both[] = {from_json, from_text};
    for (int i = 0; i < 2; i++) {
        assert_list(both[i], SFU_PARAM_WORDS, "one, two: \"three\"\n[4]|\xc3\xa4");
        assert_list(both[i], SFU_PARAM_PICTURES, "/tmp/a.png");
    }
    static const char *const bad[] = {"{\"words\": [1]}", "{\"words\": [\"a\", [\"b\"]]}", "{\"words\": {}}",
                                      "{\"steps\": [\"1\"]}"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(sfu_params_from_json(p, bad[i], &e));
        g_assert_error(e, SFU_ERROR, SFU_ERROR_USAGE);
        g_clear_error(&e);
    }
    assert_list(p, SFU_PARAM_PICTURES, "/tmp/a.png"); /* what was refused changed nothing */
    g_free(json);
    g_free(text);
    g_ptr_array_unref(warnings);
    sfu_params_free(p);
    sfu_params_free(from_json);
    sfu_params_free(from_text);
}

static void test_control_is_read_and_written(void)
{
    static const char *const texts[] = {"net.safetensors=",
                                        "a/canny.pth=my layer, second",
                                        "n=p,weight=0.8,from=0.1,to=0.5",
                                        "n=p,prepare=canny",
                                        "n=p,weight=-1,prepare=canny:50:150,type=canny,guess=1",
                                        "n=p,weight=0.25,prepare=canny:50.5:150.25",
                                        "n=a=b,prepare=invert"};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        SfuControlSpec spec;
        GError *e = NULL;
        g_assert_true(sfu_control_spec_read(texts[i], &spec, &e));
        g_assert_no_error(e);
        char *text = sfu_control_spec_write(&spec);
        g_assert_cmpstr(text, ==, texts[i]);
        g_free(text);
        sfu_control_spec_clear(&spec);
    }
}

static void test_bad_controls(void)
{
    static const struct {
        const char *text, *says;
    } k[] = {{"", "names no network"},
             {"=p", "names no network"},
             {"n=p,weight=nan", "from -10 to 10"},
             {"n=p,weight=1e30", "from -10 to 10"},
             {"n=p,weight=1,weight=2", "weight is given twice"},
             {"n=p,prepare=", "\"\" is not a preparation"},
             {"n=p,prepare=canny:1", "two thresholds"},
             {"n=p,type=", "type names nothing"},
             {"n=p,from=0.5,to=0.5", "do not contain"}};
    for (guint i = 0; i < G_N_ELEMENTS(k); i++) {
        SfuControlSpec spec;
        GError *e = NULL;
        g_assert_false(sfu_control_spec_read(k[i].text, &spec, &e));
        g_assert_error(e, SFU_ERROR, SFU_ERROR_USAGE);
        g_assert_nonnull(strstr(e->message, k[i].says));
        g_assert_null(spec.net);
        g_error_free(e);
    }
    SfuReferenceSpec r;
    g_assert_false(sfu_reference_spec_read("p.png,from=0,from=0.1", &r, NULL));
}

/* Files may be called so. */
static void test_control_with_an_equals_sign(void)
{
    char *folder = g_dir_make_tmp("sfumato-equals-XXXXXX", NULL), *net = g_build_filename(folder, "a=b,c=d.pth", NULL),
         *text = g_strconcat(net, "=p=q.png,weight=0.5", NULL);
    SfuControlSpec spec;
    g_assert_true(g_file_set_contents(net, "", 0, NULL));
    g_assert_true(sfu_control_spec_read(text, &spec, NULL));
    g_assert_cmpstr(spec.net, ==, net);
    g_assert_cmpstr(spec.picture, ==, "p=q.png");
    g_assert_cmpfloat(spec.weight, ==, 0.5);
    sfu_control_spec_clear(&spec);
    g_remove(net);
    g_rmdir(folder);
    g_free(text);
    g_free(net);
    g_free(folder);
}

/* Where numbers are written with a comma, texts for machines are not. */
static void test_decimal_comma(void)
{
    char *folder = g_dir_make_tmp("sfumato-locale-XXXXXX", NULL),
         *locale = g_build_filename(folder, "de_DE.UTF-8", NULL),
         *command =
             g_strdup_printf("sh -c 'localedef -i de_DE -f UTF-8 %s >/dev/null 2>&1; test -d %s'", locale, locale);
    int status = 1;
    const gboolean made = g_spawn_command_line_sync(command, NULL, NULL, &status, NULL) && status == 0;
    g_setenv("LOCPATH", folder, TRUE);
    if (made && setlocale(LC_ALL, "de_DE.UTF-8")) {
        char *comma = g_strdup_printf("%g", 0.5);
        g_assert_cmpstr(comma, ==, "0,5");
        g_free(comma);
        test_control_is_read_and_written();
        test_lists_go_out_and_come_back();
        SfuParams *p = sfu_params_new();
        g_assert_true(sfu_params_set(p, "strength", "0.625", NULL));
        char *json = sfu_params_to_json(p), *text = sfu_params_to_infotext(p, 8, 8);
        g_assert_nonnull(strstr(json, "0.625"));
        g_assert_nonnull(strstr(text, "0.625"));
        g_free(json);
        g_free(text);
        sfu_params_free(p);
        setlocale(LC_ALL, "C");
    } else {
        g_test_skip("localedef cannot make a locale with a decimal comma");
    }
    char *remove = g_strdup_printf("rm -rf %s", folder);
    g_spawn_command_line_sync(remove, NULL, NULL, NULL, NULL);
    g_unsetenv("LOCPATH");
    g_free(remove);
    g_free(command);
    g_free(locale);
    g_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/params-lists/grow-in-order", test_lists_grow_in_order);
    g_test_add_func("/params-lists/go-out-and-come-back", test_lists_go_out_and_come_back);
    g_test_add_func("/params-lists/control-is-read-and-written", test_control_is_read_and_written);
    g_test_add_func("/params-lists/bad-controls", test_bad_controls);
    g_test_add_func("/params-lists/control-with-an-equals-sign", test_control_with_an_equals_sign);
    g_test_add_func("/params-lists/decimal-comma", test_decimal_comma);
    return g_test_run();
}
