/* CLIP's byte-pair tokenizer, as Hugging Face's: compose (NFC), lower the case, cut into words, merge the bytes of each
 * word.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/text.h"
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

#define NO_MERGE G_MAXINT

static int rank_of(const SfuTokenizer *t, gint32 left, gint32 right)
{
    const guint32 pair = (guint32)left << 16 | (guint32)right;
    int low = t->first[left], high = t->first[left + 1];
    while (low < high) {
        const int mid = (low + high) / 2;
        if (sfu_vocab_pairs[mid] < pair)
            low = mid + 1;
        else
            high = mid;
    }
    return low < t->first[left + 1] && sfu_vocab_pairs[low] == pair ? sfu_vocab_ranks[low] : NO_MERGE;
}

/* One token of the word being merged, linked to its neighbours (index, -1: none). */
typedef struct {
    gint32 id; /* -1: was merged into its left neighbour */
    int previous, next;
} Symbol;

/* A heap of rank << 32 | position, so that of equal ranks the leftmost comes first. */
static void heap_push(GArray *heap, guint64 entry)
{
    g_array_append_val(heap, entry);
    guint64 *e = (guint64 *)(void *)heap->data;
    guint i = heap->len - 1;
    while (i > 0 && e[(i - 1) / 2] > entry) {
        e[i] = e[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    e[i] = entry;
}

static guint64 heap_pop(GArray *heap)
{
    guint64 *e = (guint64 *)(void *)heap->data;
    const guint64 top = e[0], entry = e[heap->len - 1];
    const guint n = heap->len - 1;
    guint i = 0;
    for (guint child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && e[child + 1] < e[child])
            child++;
        if (e[child] >= entry)
            break;
        e[i] = e[child];
        i = child;
    }
    e[i] = entry;
    g_array_set_size(heap, n);
    return top;
}

static void consider(const SfuTokenizer *t, GArray *heap, const Symbol *symbols, int at)
{
    if (at < 0 || symbols[at].next < 0)
        return;
    const int rank = rank_of(t, symbols[at].id, symbols[symbols[at].next].id);
    if (rank != NO_MERGE)
        heap_push(heap, (guint64)rank << 32 | (guint)at);
}

/* Appends the tokens of one word. With a heap, since a word may be as long as the prompt. */
static void merge_word(const SfuTokenizer *t, const char *word, gsize length, GArray *ids)
{
    Symbol few[64], *symbols = length <= G_N_ELEMENTS(few) ? few : g_new(Symbol, length);
    for (gsize i = 0; i < length; i++) {
        symbols[i].id = sfu_vocab_byte_ids[(guint8)word[i]] + (i + 1 == length ? SFU_VOCAB_WORD_END : 0);
        symbols[i].previous = (int)i - 1;
        symbols[i].next = i + 1 < length ? (int)i + 1 : -1;
    }
    GArray *heap = g_array_sized_new(FALSE, FALSE, sizeof(guint64), (guint)length);
    for (gsize i = 0; i < length; i++)
        consider(t, heap, symbols, (int)i);
    while (heap->len > 0) {
        const guint64 entry = heap_pop(heap);
        const int at = (int)(entry & G_MAXUINT32), rank = (int)(entry >> 32);
        Symbol *s = &symbols[at];
        if (s->id < 0 || s->next < 0 || rank_of(t, s->id, symbols[s->next].id) != rank)
            continue; /* one of the two has changed since */
        Symbol *gone = &symbols[s->next];
        s->id = SFU_VOCAB_FIRST_MERGE + rank;
        s->next = gone->next;
        gone->id = -1;
        if (s->next >= 0)
            symbols[s->next].previous = at;
        consider(t, heap, symbols, s->previous);
        consider(t, heap, symbols, at);
    }
    for (int i = 0; i >= 0; i = symbols[i].next)
        g_array_append_val(ids, symbols[i].id);
    g_array_unref(heap);
    if (symbols != few)
        g_free(symbols);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

typedef enum { SPACE, LETTER, NUMBER, OTHER } Class;

/* Letters and numbers that came with Unicode 15.1 and 16, for a GLib that does not know them yet: with another class,
 * words would be cut elsewhere. */
static const struct {
    gunichar first, last;
    Class class;
} newer[] = {
    {0x1c89, 0x1c8a, LETTER},   {0xa7cb, 0xa7cd, LETTER},   {0xa7da, 0xa7dc, LETTER},   {0x105c0, 0x105f3, LETTER},
    {0x10d40, 0x10d49, NUMBER}, {0x10d4a, 0x10d65, LETTER}, {0x10d6f, 0x10d85, LETTER}, {0x10ec2, 0x10ec4, LETTER},
    {0x11380, 0x11389, LETTER}, {0x1138b, 0x1138b, LETTER}, {0x1138e, 0x1138e, LETTER}, {0x11390, 0x113b5, LETTER},
    {0x113b7, 0x113b7, LETTER}, {0x113d1, 0x113d1, LETTER}, {0x113d3, 0x113d3, LETTER}, {0x116d0, 0x116e3, NUMBER},
    {0x11bc0, 0x11be0, LETTER}, {0x11bf0, 0x11bf9, NUMBER}, {0x13460, 0x143fa, LETTER}, {0x16100, 0x1611d, LETTER},
    {0x16130, 0x16139, NUMBER}, {0x16d40, 0x16d6c, LETTER}, {0x16d70, 0x16d79, NUMBER}, {0x18cff, 0x18cff, LETTER},
    {0x1ccf0, 0x1ccf9, NUMBER}, {0x1e5d0, 0x1e5ed, LETTER}, {0x1e5f0, 0x1e5f0, LETTER}, {0x1e5f1, 0x1e5fa, NUMBER},
    {0x2ebf0, 0x2ee5d, LETTER},
};

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

/* The classes that the pattern names: \s, \p{L}, \p{N}, and what is left. */
static Class class_of(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_UPPERCASE_LETTER:
    case G_UNICODE_LOWERCASE_LETTER:
    case G_UNICODE_TITLECASE_LETTER:
    case G_UNICODE_MODIFIER_LETTER:
    case G_UNICODE_OTHER_LETTER:
        return LETTER;
    case G_UNICODE_DECIMAL_NUMBER:
    case G_UNICODE_LETTER_NUMBER:
    case G_UNICODE_OTHER_NUMBER:
        return NUMBER;
    case G_UNICODE_SPACE_SEPARATOR:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return SPACE;
    case G_UNICODE_UNASSIGNED:
        for (int i = 0; i < G_N_ELEMENTS(newer); i++)
            if (c >= newer[i].first && c <= newer[i].last)
                return newer[i].class;
        return OTHER;
    default:
        return (c >= 9 && c <= 13) || c == 0x85 ? SPACE : OTHER;
    }
}

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

static const char *run_end(const char *p, Class class)
{
    while (*p && class_of(g_utf8_get_char(p)) == class)
        p = g_utf8_next_char(p);
    return p;
}

/* The pattern of CLIPTokenizer on lowered text: <|startoftext|> | <|endoftext|> | 's 't 're 've 'm 'll 'd | letters |
 * one number | others. */
static void encode_words(const SfuTokenizer *t, const char *p, GArray *ids)
{
    while (*p) {
        const Class class = class_of(g_utf8_get_char(p));
        if (class == SPACE) {
            p = g_utf8_next_char(p);
            continue;
        }
        const char *end = p + contraction(p);
        if (end == p)
            end = class == NUMBER ? g_utf8_next_char(p) : run_end(p, class);
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
