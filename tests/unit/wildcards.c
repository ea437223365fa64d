/* Wildcards: choices, counts, weights, files within files, limits.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/wildcards.h"
#include "text/text.h"
#include <string.h>

/* "animal" has three lines, the last with choices of its own; "circle" is itself; others have none. */
static GPtrArray *lines(const char *name, gpointer data, GError **error)
{
    static const char *const animal[] = {"cat", "dog", "{red|blue} __sub/bird__", NULL}, *const bird[] = {"owl", NULL},
                             *const two[] = {"x", "y", NULL}, *const circle[] = {"__circle__", NULL};
    const char *const *from = strcmp(name, "animal") == 0     ? animal
                              : strcmp(name, "sub/bird") == 0 ? bird
                              : strcmp(name, "sub/two") == 0  ? two
                              : strcmp(name, "circle") == 0   ? circle
                                                              : NULL;
    if (!from) {
        g_set_error(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_WILDCARD, "no %s", name);
        return NULL;
    }
    GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; from[i]; i++)
        g_ptr_array_add(all, g_strdup(from[i]));
    return all;
}

/* How often each outcome came in 600 seeds; caller unrefs. */
static GHashTable *outcomes(const char *text)
{
    GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint64 seed = 0; seed < 600; seed++) {
        GError *error = NULL;
        char *s = sfu_wildcards_resolve(text, seed, lines, NULL, &error);
        g_assert_no_error(error);
        const int n = GPOINTER_TO_INT(g_hash_table_lookup(all, s));
        g_hash_table_insert(all, s, GINT_TO_POINTER(n + 1));
    }
    return all;
}

static void test_choices(void)
{
    static const struct {
        const char *text, *outcomes[12];
    } k[] = {
        {"plain", {"plain"}},
        {"a {b} {c", {"a {b} {c"}},
        {"}{|}", {"}"}}, /* of two nothings one is taken */
        {"\\{a|b\\}", {"\\{a|b\\}"}},
        {"{a|b}", {"a", "b"}},
        {"{a|{b|c}}!", {"a!", "b!", "c!"}},
        {"{|x}", {"", "x"}},
        {"{2$$a|b|c}", {"a, b", "b, a", "a, c", "c, a", "b, c", "c, b"}},
        {"{9$$a|b}", {"a, b", "b, a"}},
        {"{0-1$$a}", {"", "a"}},
        {"{2$$ and $$a|b}", {"a and b", "b and a"}},
        {"{-2$$a|b}", {"a", "b", "a, b", "b, a"}},
        {"{2-$$a|b|c}",
         {"a, b", "b, a", "a, c", "c, a", "b, c", "c, b", "a, b, c", "a, c, b", "b, a, c", "b, c, a", "c, a, b",
          "c, b, a"}},
        {"{-$$a|b}", {"-$$a", "b"}},
        {"{2x$$a|b}", {"2x$$a", "b"}},
        {"{2$$__sub/two__}", {"x, y", "y, x"}}, /* of a file's lines, none twice */
        {"{3$$ + $$__sub/two__}", {"x + y", "y + x"}},
        {"{2$$__sub/two__|__sub/bird__}", {"x, owl", "y, owl", "owl, x", "owl, y"}},
        {"{0::a|b}", {"b"}},
        {"{0.5::a|b}", {"a", "b"}},
        {"[x:y:3] (z:1.2) {a|b}", {"[x:y:3] (z:1.2) a", "[x:y:3] (z:1.2) b"}},
        {"one __animal__", {"one cat", "one dog", "one red owl", "one blue owl"}},
        {"snake_case __ x __ ___", {"snake_case __ x __ ___"}},
        {"{__sub/bird__|é}", {"owl", "é"}},
        {"${5|10} \\${a} ${ a} $a {a}", {"$5 \\${a} ${ a} $a {a}", "$10 \\${a} ${ a} $a {a}"}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(k); i++) {
        GHashTable *got = outcomes(k[i].text);
        guint n = 0;
        char **all = (char **)g_hash_table_get_keys_as_array(got, NULL), *list = g_strjoinv("; ", all);
        g_test_message("%s: %s", k[i].text, list);
        g_free(all);
        g_free(list);
        for (; n < G_N_ELEMENTS(k[i].outcomes) && k[i].outcomes[n]; n++)
            g_assert_true(g_hash_table_contains(got, k[i].outcomes[n]));
        g_assert_cmpuint(g_hash_table_size(got), ==, n);
        g_hash_table_unref(got);
    }
}

/* Words that were chosen once stay what they are, and escaping them again changes nothing. */
static void test_escape(void)
{
    static const char *const k[][2] = {{"plain {b} {c __ x snake_case", "plain {b} {c __ x snake_case"},
                                       {"{a|b}", "\\{a|b}"},
                                       {"\\{a|b\\}", "\\{a|b\\}"},
                                       {"{a|{b|c}}!", "\\{a|\\{b|c}}!"},
                                       {"{x {b|c}}", "\\{x \\{b|c}}"},
                                       {"{2$$a}{|}", "\\{2$$a}\\{|}"},
                                       {"a __animal__, ___", "a \\__animal__, ___"},
                                       {"___animal__", "_\\__animal__"},
                                       {"\\__animal__", "\\__animal__"},
                                       {"{__circle__}", "{\\__circle__}"}};
    for (gsize i = 0; i < G_N_ELEMENTS(k); i++) {
        char *once = sfu_wildcards_escape(k[i][0]), *twice = sfu_wildcards_escape(once);
        g_assert_cmpstr(once, ==, k[i][1]);
        g_assert_cmpstr(twice, ==, once);
        GHashTable *got = outcomes(once);
        g_assert_cmpuint(g_hash_table_size(got), ==, 1);
        g_assert_true(g_hash_table_contains(got, once));
        g_hash_table_unref(got);
        g_free(once);
        g_free(twice);
    }
}

/* Each of equal choices comes about as often as the others, and a weight of 3 three times as often. 600 draws: the
 * deviation of a share of a half is 12. */
static void test_shares(void)
{
    GHashTable *half = outcomes("{a|b}"), *most = outcomes("{3::a|b}");
    const int a = GPOINTER_TO_INT(g_hash_table_lookup(half, "a")), m = GPOINTER_TO_INT(g_hash_table_lookup(most, "a"));
    g_assert_true(a > 240 && a < 360);
    g_assert_true(m > 400 && m < 500);
    g_hash_table_unref(half);
    g_hash_table_unref(most);
}

static void refused(const char *text, int code)
{
    GError *error = NULL;
    g_assert_null(sfu_wildcards_resolve(text, 1, lines, NULL, &error));
    g_assert_error(error, SFU_TEXT_ERROR, code);
    g_error_free(error);
}

static void test_limits(void)
{
    refused("__circle__", SFU_TEXT_ERROR_WILDCARD);
    refused("__nothing__", SFU_TEXT_ERROR_WILDCARD);
    refused("\xff", SFU_TEXT_ERROR_UTF8);
    /* Variables of Dynamic Prompts would become words. */
    refused("${season={summer|winter}} in ${season}", SFU_TEXT_ERROR_WILDCARD);
    refused("in ${season}", SFU_TEXT_ERROR_WILDCARD);
    refused("in ${season:summer}", SFU_TEXT_ERROR_WILDCARD);
    refused("__clothes(season=winter)__", SFU_TEXT_ERROR_WILDCARD);
    GString *many = g_string_new(NULL), *open = g_string_new(NULL);
    for (int i = 0; i < 10001; i++)
        g_string_append(many, "{a|b}");
    for (int i = 0; i < 200000; i++)
        g_string_append_c(open, '{');
    refused(many->str, SFU_TEXT_ERROR_WILDCARD);
    char *same = sfu_wildcards_resolve(open->str, 1, lines, NULL, NULL); /* in no more than linear time */
    g_assert_cmpstr(same, ==, open->str);
    g_free(same);
    g_string_free(many, TRUE);
    g_string_free(open, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wildcards/choices", test_choices);
    g_test_add_func("/wildcards/escape", test_escape);
    g_test_add_func("/wildcards/shares", test_shares);
    g_test_add_func("/wildcards/limits", test_limits);
    return g_test_run();
}
