/* Tokenizer and prompt syntax: bad input, limits, and what needs no reference.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/text.h"
#include <math.h>
#include <string.h>

static SfuTokenizer *tokenizer;

static void refused(const char *text, gssize length, int code, const char *words)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint32));
    GError *error = NULL;
    if (length < 0 || strlen(text) == (gsize)length) { /* a prompt ends at its NUL */
        g_assert_null(sfu_prompt_parse(tokenizer, text, FALSE, NULL, &error));
        g_assert_error(error, SFU_TEXT_ERROR, code);
        g_assert_nonnull(strstr(error->message, words));
        g_clear_error(&error);
    }
    if (code != SFU_TEXT_ERROR_WEIGHT) {
        g_assert_false(sfu_tokenizer_encode(tokenizer, text, length, ids, &error));
        g_assert_error(error, SFU_TEXT_ERROR, code);
        g_assert_nonnull(strstr(error->message, words));
        g_assert_cmpint(ids->len, ==, 0);
        g_clear_error(&error);
    }
    g_array_unref(ids);
}

static SfuPrompt *parse(const char *text, gboolean sd2)
{
    GError *error = NULL;
    SfuPrompt *p = sfu_prompt_parse(tokenizer, text, sd2, NULL, &error);
    g_assert_no_error(error);
    return p;
}

static void test_invalid_utf8(void)
{
    refused("a\xff", -1, SFU_TEXT_ERROR_UTF8, "byte 1");
    refused("ab\xc3", -1, SFU_TEXT_ERROR_UTF8, "byte 2");           /* cut */
    refused("\xc0\xaf", -1, SFU_TEXT_ERROR_UTF8, "byte 0");         /* overlong */
    refused("x\xed\xa0\x80", -1, SFU_TEXT_ERROR_UTF8, "byte 1");    /* surrogate */
    refused("\xf4\x90\x80\x80", -1, SFU_TEXT_ERROR_UTF8, "byte 0"); /* above U+10FFFF */
    refused("a\0b", 3, SFU_TEXT_ERROR_UTF8, "byte 1");
    refused("caf\xe9, (dog:1.2)", -1, SFU_TEXT_ERROR_UTF8, "byte 3"); /* Latin-1 */
}

static void test_empty(void)
{
    const char *const texts[] = {"", " \n\t", "()", "[[]]", "\\", NULL};
    for (int i = 0; i < G_N_ELEMENTS(texts); i++)
        for (int sd2 = 0; sd2 < 2; sd2++) {
            SfuPrompt *p = parse(texts[i], sd2);
            g_assert_cmpint(p->n_chunks, ==, 1);
            g_assert_cmpint(p->n_tokens, ==, 0);
            g_assert_false(p->weighted);
            g_assert_cmpint(p->tokens[0][0], ==, SFU_TOKEN_BOS);
            g_assert_cmpint(p->tokens[0][1], ==, SFU_TOKEN_EOS);
            for (int k = 2; k < SFU_CHUNK_TOKENS; k++)
                g_assert_cmpint(p->tokens[0][k], ==, sd2 ? 0 : SFU_TOKEN_EOS);
            sfu_prompt_free(p);
        }
}

/* 100 kB of anything is worked off in time, or refused with a sentence. */
static void test_long(void)
{
    const struct {
        const char *unit;
        gboolean too_deep;
    } cases[] = {{"cat, "}, {"x"},      {"(", TRUE},          {"[a", TRUE},          {"\\"},  {"(a:1.1) "},
                 {")"},     {"BREAK "}, {"\xf0\x9f\x90\x89"}, {"a\xcc\x81\xcc\xa3"}, {":1."}, {"<|endoftext|>"},
                 {"'s"}};
    for (int i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *text = g_string_new(NULL);
        while (text->len + strlen(cases[i].unit) <= 100000)
            g_string_append(text, cases[i].unit);
        GError *error = NULL;
        SfuPrompt *p = sfu_prompt_parse(tokenizer, text->str, FALSE, NULL, &error);
        if (cases[i].too_deep) {
            g_assert_null(p);
            g_assert_error(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_WEIGHT);
            g_error_free(error);
        } else {
            g_assert_no_error(error);
            g_assert_cmpint(p->n_chunks, >=, 1);
            for (int k = 0; k < p->n_chunks; k++)
                for (int m = 0; m < SFU_CHUNK_TOKENS; m++) {
                    g_assert_cmpint(p->tokens[k][m], >=, 0);
                    g_assert_cmpint(p->tokens[k][m], <, SFU_N_VOCAB);
                }
            sfu_prompt_free(p);
        }
        g_string_free(text, TRUE);
    }
    char *text = g_strnfill(SFU_PROMPT_MAX_BYTES + 1, 'a');
    refused(text, -1, SFU_TEXT_ERROR_LENGTH, "262145 bytes");
    text[SFU_PROMPT_MAX_BYTES] = 0;
    sfu_prompt_free(parse(text, FALSE));
    g_free(text);
}

static void test_weights_have_bounds(void)
{
    refused("(a:99999999)", -1, SFU_TEXT_ERROR_WEIGHT, "weight 1e+08");
    char *digits = g_strnfill(400, '9'), *text = g_strdup_printf("(a:%s)", digits);
    refused(text, -1, SFU_TEXT_ERROR_WEIGHT, "inf");
    g_free(text);
    g_free(digits);
    char *open = g_strnfill(101, '(');
    refused(open, -1, SFU_TEXT_ERROR_WEIGHT, "100 brackets");
    open[100] = 0;
    sfu_prompt_free(parse(open, FALSE));
    g_free(open);
}

static double weight_of(const char *text, int token)
{
    SfuPrompt *p = parse(text, FALSE);
    const double weight = p->weights[0][1 + token];
    sfu_prompt_free(p);
    return weight;
}

static void test_where_we_differ_from_a1111(void)
{
    /* no number: text, then a bracket that closes */
    g_assert_cmpfloat_with_epsilon(weight_of("(a:1.2.3)", 0), 1.1, 1e-6);
    g_assert_cmpfloat_with_epsilon(weight_of("(a:.)", 0), 1.1, 1e-6);
    /* BREAK within brackets breaks */
    SfuPrompt *p = parse("(a BREAK b:1.3)", FALSE);
    g_assert_cmpint(p->n_chunks, ==, 2);
    g_assert_cmpfloat_with_epsilon(p->weights[0][1], 1.3, 1e-6);
    g_assert_cmpfloat_with_epsilon(p->weights[1][1], 1.3, 1e-6);
    g_assert_cmpint(p->tokens[0][2], ==, SFU_TOKEN_EOS);
    sfu_prompt_free(p);
}

/* Each chunk keeps its own mean; a prompt without emphasis is not touched. */
static void test_means(void)
{
    enum { DIM = 5 };
    GString *text = g_string_new("(cat:1.4) ");
    for (int i = 0; i < 100; i++)
        g_string_append(text, i == 90 ? "[dog] " : "bird ");
    SfuPrompt *p = parse(text->str, FALSE);
    g_assert_cmpint(p->n_chunks, ==, 2);
    float before[2][SFU_CHUNK_TOKENS * DIM], after[2][SFU_CHUNK_TOKENS * DIM];
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < SFU_CHUNK_TOKENS * DIM; i++)
            before[c][i] = after[c][i] = (float)(sin(i * 1.7 + c) + 0.3);
    sfu_prompt_apply_weights(p, after[0], DIM);
    for (int c = 0; c < 2; c++) {
        double sum_before = 0, sum_after = 0;
        for (int i = 0; i < SFU_CHUNK_TOKENS * DIM; i++) {
            sum_before += before[c][i];
            sum_after += after[c][i];
        }
        g_assert_cmpfloat_with_epsilon(sum_before, sum_after, 1e-3);
        g_assert_true(memcmp(before[c], after[c], sizeof(before[c])));
    }
    /* token 1 (cat) against token 0 (BOS), of weight 1 */
    g_assert_cmpfloat_with_epsilon(after[0][DIM] / before[0][DIM] / (after[0][0] / before[0][0]), 1.4, 1e-5);
    sfu_prompt_free(p);
    p = parse("plain words", FALSE);
    memcpy(after, before, sizeof(after));
    sfu_prompt_apply_weights(p, after[0], DIM);
    g_assert_cmpmem(after, sizeof(after), before, sizeof(before));
    sfu_prompt_free(p);
    /* all weights 0 and a mean of 0 must not make NaN */
    p = parse("(a:0)", FALSE);
    float nothing[SFU_CHUNK_TOKENS] = {0};
    sfu_prompt_apply_weights(p, nothing, 1);
    for (int i = 0; i < SFU_CHUNK_TOKENS; i++)
        g_assert_cmpfloat(nothing[i], ==, 0);
    sfu_prompt_free(p);
    g_string_free(text, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    tokenizer = sfu_tokenizer_new();
    g_test_add_func("/unit/text/invalid-utf8", test_invalid_utf8);
    g_test_add_func("/unit/text/empty", test_empty);
    g_test_add_func("/unit/text/long", test_long);
    g_test_add_func("/unit/text/weights-have-bounds", test_weights_have_bounds);
    g_test_add_func("/unit/text/where-we-differ-from-a1111", test_where_we_differ_from_a1111);
    g_test_add_func("/unit/text/means", test_means);
    const int status = g_test_run();
    sfu_tokenizer_free(tokenizer);
    return status;
}
