/* Style presets: those that are built in, and those of files in A1111's form.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <string.h>
#include "params/styles.h"

static void assert_style(const char *name, const char *prompt, const char *want, const char *want_negative)
{
    SfuParams *p = sfu_params_new();
    GError *e = NULL;
    char *words, *negative;
    g_assert_true(sfu_params_set(p, "style", name, &e) && sfu_params_set(p, "prompt", prompt, &e) &&
                  sfu_params_set(p, "negative", "no", &e));
    g_assert_no_error(e);
    sfu_style_apply(p, &words, &negative);
    g_assert_cmpstr(words, ==, want);
    g_assert_cmpstr(negative, ==, want_negative);
    g_free(words);
    g_free(negative);
    sfu_params_free(p);
}

static void test_files(void)
{
    assert_style("none", "a boat", "a boat", "no");
    assert_style("mine", "a boat", "a boat, by me", "no, not by others");
    assert_style("round", "a boat", "round a boat, and a boat again", "no");
    assert_style("Two, lines", "a boat", "a boat, \"one\"\ntwo", "no"); /* quotes, commas and lines within quotes */
    assert_style("clay", "a boat", "a boat, other clay", "no");         /* replaces the built-in one */
    assert_style("none", "a boat", "a boat", "no");                     /* which stays what it is */
    assert_style("none", " a boat ", " a boat ", "no");
    assert_style("mine", " a boat\n", "a boat, by me", "no, not by others");
    assert_style("blanks", "a boat", "a boat, \"c, d\" e", "no, f"); /* before fields, and lines that end in CR */
    assert_style("second", "", "of the second file", "no");          /* columns in another order */
    assert_style("portrait", "a boat",
                 "portrait photograph of a boat, 85mm lens, shallow depth of field, soft window light, detailed skin",
                 "no, painting, cartoon, deformed, disfigured, extra fingers, bad anatomy");
    SfuParams *p = sfu_params_new();
    g_assert_false(sfu_params_set(p, "style", "# a heading", NULL));
    g_assert_false(sfu_params_set(p, "style", "", NULL));
    sfu_params_free(p);
}

static void test_torn_files(void)
{
    static const char *const torn[] = {
        "",           "\n",           "name",       "name,prompt\n\"",  "name,prompt\na,\"b",
        "x,y\na,b\n", "\"name\"\"\n", ",,,\n,,,\n", "name\n\n\na\n\r\n"};
    const char *problem;
    for (guint i = 0; i < G_N_ELEMENTS(torn); i++)
        g_assert_cmpuint(sfu_styles_count(torn[i], strlen(torn[i]), &problem), <=, 1);
}

/* Files whose styles are not all read: said to whoever chooses a style. */
static void test_unread(void)
{
    static const struct {
        const char *text;
        guint n;
        gboolean problem;
    } files[] = {{"name,prompt\na,b\n", 1, FALSE},
                 {"name,text\na,b\n", 1, FALSE},
                 {"\xef\xbb\xbf\"name\", \"negative_prompt\"\r\na,b\r\n", 1, FALSE},
                 {"", 0, FALSE},
                 {"\xef\xbb\xbf", 0, FALSE},
                 {"name;prompt;negative_prompt\na;b;c\n", 0, TRUE}, /* as a German spreadsheet writes it */
                 {"name\tprompt\na\tb\n", 0, TRUE},
                 {"a,b,c\n", 0, TRUE},
                 {"name,words\na,b\n", 0, TRUE},
                 {"[{\"name\": \"a\"}]", 0, TRUE}};
    const char *problem;
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_assert_cmpuint(sfu_styles_count(files[i].text, strlen(files[i].text), &problem), ==, files[i].n);
        g_assert_cmpint(problem != NULL, ==, files[i].problem);
    }
    GString *many = g_string_new("name,prompt\n");
    for (int i = 0; i < 4097; i++)
        g_string_append_printf(many, "%d,x\n", i);
    g_assert_cmpuint(sfu_styles_count(many->str, many->len, &problem), ==, 4096);
    g_assert_nonnull(problem);
    g_string_free(many, TRUE);
    SfuParams *p = sfu_params_new();
    GError *e = NULL;
    g_assert_false(sfu_params_set(p, "style", "lost", &e));
    g_assert_nonnull(strstr(e->message, "/nowhere/c.csv"));
    g_clear_error(&e);
    g_assert_false(sfu_params_set(p, "sampler", "lost", &e));
    g_assert_null(strstr(e->message, "/nowhere/c.csv"));
    g_clear_error(&e);
    sfu_params_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    char *folder = g_dir_make_tmp("sfumato-styles-XXXXXX", NULL), *a = g_build_filename(folder, "a.csv", NULL),
         *b = g_build_filename(folder, "b.csv", NULL), *c = g_build_filename(folder, "c.csv", NULL);
    g_file_set_contents(a,
                        "\xef\xbb\xbfname,prompt,negative_prompt\r\nmine,by me,not by others\r\n# a "
                        "heading,,\r\nround,\"round {prompt}, and {prompt} again\",\r\n"
                        "\"Two, lines\",\"\"\"one\"\"\ntwo\",\r\nclay,other clay,\r\nnone,never,\r\nshort\r\n",
                        -1, NULL);
    g_file_set_contents(b, "negative_prompt,text,name\n,of the second file,second", -1, NULL);
    g_file_set_contents(c, "name, prompt , negative_prompt\rblanks, \"\"\"c, d\"\" e\",  f\r", -1, NULL);
    char *all = g_strjoin(G_SEARCHPATH_SEPARATOR_S, a, "/nowhere/c.csv", b, c, NULL);
    g_setenv("SFUMATO_STYLES", all, TRUE);
    g_test_add_func("/styles/files", test_files);
    g_test_add_func("/styles/torn-files", test_torn_files);
    g_test_add_func("/styles/unread", test_unread);
    const int status = g_test_run();
    g_unlink(a);
    g_unlink(b);
    g_unlink(c);
    g_rmdir(folder);
    g_free(a);
    g_free(b);
    g_free(c);
    g_free(all);
    g_free(folder);
    return status;
}
