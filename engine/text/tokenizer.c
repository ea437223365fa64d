/* CLIP's byte-pair tokenizer, as Hugging Face's: compose (NFC), lower the case, cut into words, merge the bytes of each
 * word.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/text.h"
#include "text/bpe.h"
#include "text/unicode.h"
#include "text/vocab.h"
#include <string.h>
#include <glib/gi18n-lib.h>

G_DEFINE_QUARK(sfu_text_error_quark, sfu_text_error)

/* The index of the embedded pairs: those with left id i are [first[i], first[i + 1]). */
struct SfuTokenizer {
    guint16 first[SFU_TOKEN_BOS + 2];
};

static const struct {
    const char *text;
    gint32 id;
} specials[] = {{"<|startoftext|>", SFU_TOKEN_BOS}, {"<|endoftext|>", SFU_TOKEN_EOS}};

SfuTokenizer *sfu_tokenizer_new(void)
{
    SfuTokenizer *t = g_new0(SfuTokenizer, 1);
    int at = 0;
    for (guint32 left = 0; left < G_N_ELEMENTS(t->first); left++) {
        while (at < SFU_N_MERGES && sfu_vocab_pairs[at] >> 16 < left)
            at++;
        t->first[left] = (guint16)at;
    }
    return t;
}

void sfu_tokenizer_free(SfuTokenizer *t)
{
    g_free(t);
}

/* ---- merging ----------------------------------------------------------------------------------------------------- */

static gboolean join(gconstpointer table, gint32 left, gint32 right, guint32 *rank, gint32 *id)
{
    const SfuTokenizer *t = table;
    const guint32 pair = (guint32)left << 16 | (guint32)right;
    int low = t->first[left], high = t->first[left + 1];
    while (low < high) {
        const int mid = (low + high) / 2;
        if (sfu_vocab_pairs[mid] < pair)
            low = mid + 1;
        else
            high = mid;
    }
    if (low >= t->first[left + 1] || sfu_vocab_pairs[low] != pair)
        return FALSE;
    *rank = sfu_vocab_ranks[low];
    *id = SFU_VOCAB_FIRST_MERGE + sfu_vocab_ranks[low];
    return TRUE;
}

/* Appends the tokens of one word. */
static void merge_word(const SfuTokenizer *t, const char *word, gsize length, GArray *ids)
{
    gint32 few[64] = {0}, *bytes = length <= G_N_ELEMENTS(few) ? few : g_new(gint32, length);
    for (gsize i = 0; i < length; i++)
        bytes[i] = sfu_vocab_byte_ids[(guint8)word[i]] + (i + 1 == length ? SFU_VOCAB_WORD_END : 0);
    sfu_bpe_merge(join, t, bytes, length, ids);
    if (bytes != few)
        g_free(bytes);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* Small forms that g_unichar_tolower() does not give: of numbers and signs, and of letters that came with Unicode 16
 * and 17. */
static const struct {
    gunichar first, last;
    int step; /* 2: every other character, to the next */
    gint32 offset;
} small_forms[] = {
    {0x1c89, 0x1c89, 1, 1},      {0x2160, 0x216f, 1, 0x10},
    {0x24b6, 0x24cf, 1, 0x1a},   {0xa7cb, 0xa7cb, 1, 0x264 - 0xa7cb},
    {0xa7cc, 0xa7ce, 2, 1},      {0xa7d2, 0xa7d4, 2, 1},
    {0xa7da, 0xa7da, 1, 1},      {0xa7dc, 0xa7dc, 1, 0x19b - 0xa7dc},
    {0x10d50, 0x10d65, 1, 0x20}, {0x16ea0, 0x16eb8, 1, 0x1b},
};

static gunichar lower(gunichar c)
{
    for (int i = 0; i < G_N_ELEMENTS(small_forms); i++)
        if (c >= small_forms[i].first && c <= small_forms[i].last &&
            (c - small_forms[i].first) % small_forms[i].step == 0)
            return c + small_forms[i].offset;
    return g_unichar_tolower(c);
}

static void append_lower(GString *out, gunichar c)
{
    if (c == 0x130) /* capital I with dot: the one letter whose small form is two characters */
        g_string_append(out, "i\xcc\x87");
    else
        g_string_append_unichar(out, c < 0x1c89 ? g_unichar_tolower(c) : lower(c));
}

/* Bytes of the contraction ('s 't 're 've 'm 'll 'd) at p, or 0. */
static gsize contraction(const char *p)
{
    static const char *const endings[] = {"s", "t", "re", "ve", "m", "ll", "d"};
    if (*p == '\'')
        for (int i = 0; i < G_N_ELEMENTS(endings); i++)
            if (g_str_has_prefix(p + 1, endings[i]))
                return 1 + strlen(endings[i]);
    return 0;
}

static const char *run_end(const char *p, SfuCharClass class)
{
    while (*p && sfu_char_class(g_utf8_get_char(p)) == class)
        p = g_utf8_next_char(p);
    return p;
}

/* The pattern of CLIPTokenizer on lowered text: <|startoftext|> | <|endoftext|> | 's 't 're 've 'm 'll 'd | letters |
 * one number | others. */
static void encode_words(const SfuTokenizer *t, const char *p, GArray *ids)
{
    while (*p) {
        const SfuCharClass class = sfu_char_class(g_utf8_get_char(p));
        if (class == SFU_CHAR_SPACE) {
            p = g_utf8_next_char(p);
            continue;
        }
        const char *end = p + contraction(p);
        if (end == p)
            end = class == SFU_CHAR_NUMBER ? g_utf8_next_char(p) : run_end(p, class);
        for (int i = 0; i < G_N_ELEMENTS(specials); i++)
            if (g_str_has_prefix(p, specials[i].text)) {
                /* Written in capitals, else it would be a token by now. The pattern takes it as one, then the
                 * byte-level step cuts it to three words. */
                const gsize length = strlen(specials[i].text);
                merge_word(t, p, 2, ids);
                merge_word(t, p + 2, length - 4, ids);
                p += length - 2;
                end = p + 2;
            }
        merge_word(t, p, end - p, ids);
        p = end;
    }
}

/* One stretch without special tokens. */
static void encode_plain(const SfuTokenizer *t, const char *text, gsize length, GArray *ids)
{
    char *composed = g_utf8_normalize(text, (gssize)length, G_NORMALIZE_NFC);
    GString *lowered = g_string_sized_new(length);
    for (const char *p = composed; *p; p = g_utf8_next_char(p))
        append_lower(lowered, g_utf8_get_char(p));
    encode_words(t, lowered->str, ids);
    g_string_free(lowered, TRUE);
    g_free(composed);
}

gboolean sfu_text_check(const char *text, gsize n, GError **error)
{
    if (n > SFU_PROMPT_MAX_BYTES) {
        g_set_error(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_LENGTH, _("The prompt has %zu bytes; at most %d can be used"),
                    n, SFU_PROMPT_MAX_BYTES);
        return FALSE;
    }
    const char *bad;
    if (!g_utf8_validate(text, (gssize)n, &bad)) {
        g_set_error(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_UTF8, _("The prompt is not valid UTF-8 at byte %zu"),
                    (gsize)(bad - text));
        return FALSE;
    }
    return TRUE;
}

gboolean sfu_tokenizer_encode(const SfuTokenizer *t, const char *text, gssize length, GArray *ids, GError **error)
{
    const gsize n = length < 0 ? strlen(text) : (gsize)length;
    if (!sfu_text_check(text, n, error))
        return FALSE;
    const char *end = text + n, *plain = text;
    for (const char *p = text; p < end;) {
        int found = -1;
        for (int i = 0; *p == '<' && i < G_N_ELEMENTS(specials); i++)
            if ((gsize)(end - p) >= strlen(specials[i].text) && !memcmp(p, specials[i].text, strlen(specials[i].text)))
                found = i;
        if (found < 0) {
            p++;
            continue;
        }
        encode_plain(t, plain, p - plain, ids);
        g_array_append_val(ids, specials[found].id);
        p = plain = p + strlen(specials[found].text);
    }
    encode_plain(t, plain, end - plain, ids);
    return TRUE;
}
