/* Tokens against Hugging Face's CLIPTokenizer and Qwen2Tokenizer, chunks against AUTOMATIC1111: compares with what
 * text_make.py and byte_tokens_make.py wrote.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/text.h"
#include <gio/gio.h>
#include <math.h>
#include <string.h>

static char **lines, **byte_lines;
static SfuTokenizer *tokenizer;

static char **load(const char *name)
{
    GError *error = NULL;
    char *path = g_test_build_filename(G_TEST_DIST, name, NULL);
    GFile *file = g_file_new_for_path(path);
    GInputStream *packed = G_INPUT_STREAM(g_file_read(file, NULL, &error));
    g_assert_no_error(error);
    GConverter *converter = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
    GInputStream *plain = g_converter_input_stream_new(packed, converter);
    GOutputStream *memory = g_memory_output_stream_new_resizable();
    g_output_stream_splice(memory, plain, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, &error);
    g_assert_no_error(error);
    GBytes *bytes = g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
    char *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    char **all = g_strsplit(text, "\n", -1);
    g_free(text);
    g_bytes_unref(bytes);
    g_object_unref(memory);
    g_object_unref(plain);
    g_object_unref(converter);
    g_object_unref(packed);
    g_object_unref(file);
    g_free(path);
    return all;
}

static char *from_hex(const char *hex, gsize *length)
{
    *length = strlen(hex) / 2;
    char *text = g_malloc0(*length + 1);
    for (gsize i = 0; i < *length; i++)
        text[i] = (char)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    return text;
}

static void test_tokens(void)
{
    int n_checked = 0;
    for (char **line = lines; *line; line++) {
        if (!g_str_has_prefix(*line, "T|"))
            continue;
        char **fields = g_strsplit(*line, "|", -1);
        gsize length;
        char *text = from_hex(fields[1], &length);
        GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint32));
        GError *error = NULL;
        sfu_tokenizer_encode(tokenizer, text, (gssize)length, ids, &error);
        g_assert_no_error(error);
        GString *got = g_string_new(NULL);
        for (guint i = 0; i < ids->len; i++)
            g_string_append_printf(got, i ? " %d" : "%d", g_array_index(ids, gint32, i));
        if (strcmp(got->str, fields[2]))
            g_error("'%s' gives %s, not %s", text, got->str, fields[2]);
        g_string_free(got, TRUE);
        g_array_unref(ids);
        g_free(text);
        g_strfreev(fields);
        n_checked++;
    }
    g_test_message("%d strings", n_checked);
    g_assert_cmpint(n_checked, >=, 2000);
}

static void test_prompts(void)
{
    int n_checked = 0;
    for (char **line = lines; *line; line++) {
        if (!g_str_has_prefix(*line, "P|"))
            continue;
        char **fields = g_strsplit(*line, "|", -1), **tokens = g_strsplit(fields[3], " ", -1),
             **weights = g_strsplit(fields[4], " ", -1);
        gsize length;
        char *text = from_hex(fields[2], &length);
        GError *error = NULL;
        SfuPrompt *p = sfu_prompt_parse(tokenizer, text, *fields[1] == '1', NULL, &error);
        g_assert_no_error(error);
        if (p->n_chunks * SFU_CHUNK_TOKENS != (int)g_strv_length(tokens))
            g_error("'%s' has %d chunks, not %u", text, p->n_chunks, g_strv_length(tokens) / SFU_CHUNK_TOKENS);
        for (int i = 0; i < p->n_chunks * SFU_CHUNK_TOKENS; i++) {
            const int token = p->tokens[i / SFU_CHUNK_TOKENS][i % SFU_CHUNK_TOKENS];
            const double weight = p->weights[i / SFU_CHUNK_TOKENS][i % SFU_CHUNK_TOKENS],
                         wanted = g_ascii_strtod(weights[i], NULL);
            if (token != (int)g_ascii_strtoll(tokens[i], NULL, 10))
                g_error("'%s': token %d is %d, not %s", text, i, token, tokens[i]);
            if (!(fabs(weight - wanted) <= 1e-6 * MAX(1, fabs(wanted)))) /* single precision */
                g_error("'%s': weight %d is %.9g, not %s", text, i, weight, weights[i]);
        }
        sfu_prompt_free(p);
        g_free(text);
        g_strfreev(fields);
        g_strfreev(tokens);
        g_strfreev(weights);
        n_checked++;
    }
    g_test_message("%d prompts", n_checked);
    g_assert_cmpint(n_checked, >=, 150);
}

static void test_emphasis(void)
{
    float hidden[SFU_CHUNK_TOKENS * 8];
    for (int i = 0; i < SFU_CHUNK_TOKENS * 8; i++)
        hidden[i] = (float)(cos(i * 0.37) + 0.4);
    SfuPrompt *p = sfu_prompt_parse(tokenizer, "a (cat:1.5) and [dog], (((tree)))", FALSE, NULL, NULL);
    sfu_prompt_apply_weights(p, hidden, 8);
    sfu_prompt_free(p);
    char **line = lines;
    while (!g_str_has_prefix(*line, "W|"))
        line++;
    char **wanted = g_strsplit(*line + 2, " ", -1);
    g_assert_cmpint(g_strv_length(wanted), ==, 160);
    for (int i = 0; i < 160; i++)
        g_assert_cmpfloat_with_epsilon(hidden[i], g_ascii_strtod(wanted[i], NULL), 2e-6);
    g_strfreev(wanted);
}

/* FNV-1a of the ids as little-endian numbers. */
static guint32 hash_of(const GArray *ids)
{
    guint32 h = 0x811c9dc5;
    for (guint i = 0; i < ids->len * 4; i++)
        h = (h ^ (g_array_index(ids, guint32, i / 4) >> i % 4 * 8 & 255)) * 0x01000193;
    return h;
}

static void check_byte_tokens(const SfuByteTokenizer *t)
{
    int n_checked = 0;
    for (char **line = byte_lines + 1; **line; line++) {
        char **fields = g_strsplit(*line, "|", -1);
        gsize length;
        char *text = from_hex(fields[0], &length);
        GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint32));
        GError *error = NULL;
        sfu_byte_tokenizer_encode(t, text, (gssize)length, ids, &error);
        g_assert_no_error(error);
        if (ids->len != g_ascii_strtoull(fields[1], NULL, 10) || hash_of(ids) != g_ascii_strtoull(fields[2], NULL, 16))
            g_error("'%s' gives %u tokens of hash %08x, not %s of %s", text, ids->len, hash_of(ids), fields[1],
                    fields[2]);
        g_array_unref(ids);
        g_free(text);
        g_strfreev(fields);
        n_checked++;
    }
    g_test_message("%d strings", n_checked);
    g_assert_cmpint(n_checked, >=, 2000);
}

static void test_byte_tokens(void)
{
    GError *error = NULL;
    SfuByteTokenizer *t = sfu_byte_tokenizer_new(&error);
    g_assert_no_error(error);
    check_byte_tokens(t);
    sfu_byte_tokenizer_free(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    lines = load("text.golden.gz");
    byte_lines = load("byte_tokens.golden.gz");
    tokenizer = sfu_tokenizer_new();
    g_test_add_func("/parity/text/tokens", test_tokens);
    g_test_add_func("/parity/text/prompts", test_prompts);
    g_test_add_func("/parity/text/emphasis", test_emphasis);
    g_test_add_func("/parity/text/byte-tokens", test_byte_tokens);
    const int status = g_test_run();
    sfu_tokenizer_free(tokenizer);
    g_strfreev(lines);
    g_strfreev(byte_lines);
    return status;
}
