/* The byte-level byte-pair tokenizer of Qwen2 and Qwen3, as Hugging Face's: special tokens taken out, what is left
 * composed (NFC), cut into words by a pattern, the bytes of each word merged.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/text.h"
#include "text/bpe.h"
#include "text/qwen.h"
#include "text/unicode.h"
#include <gio/gio.h>
#include <string.h>
#include <glib/gi18n-lib.h>

typedef struct {
    char *text;
    gsize length;
    gint32 id;
} Special;

typedef struct {
    guint64 pair; /* left << 32 | right */
    guint32 rank;
    gint32 id; /* 0 with pair 0: free */
} Merge;

struct SfuByteTokenizer {
    gint32 byte_ids[256];
    Merge *merges; /* open addressing, mask + 1 places, at most half of them used */
    guint32 mask;
    GArray *specials;     /* Special */
    gboolean begins[256]; /* whether a special begins with the byte */
};

/* ---- the table of merges ---- */

static guint32 place_of(const SfuByteTokenizer *t, guint64 pair)
{
    guint32 at = (guint32)((pair * 0x9e3779b97f4a7c15u) >> 32) & t->mask;
    while (t->merges[at].id && t->merges[at].pair != pair)
        at = (at + 1) & t->mask;
    return at;
}

static guint64 pair_of(gint32 left, gint32 right)
{
    return (guint64)(guint32)left << 32 | (guint32)right;
}

static void make_room(SfuByteTokenizer *t, gsize n_merges)
{
    guint32 n = 1024;
    while (n < 2 * n_merges)
        n *= 2;
    t->merges = g_new0(Merge, n);
    t->mask = n - 1;
}

/* The first of two equal merges counts. */
static void add_merge(SfuByteTokenizer *t, gint32 left, gint32 right, guint32 rank, gint32 id)
{
    Merge *m = &t->merges[place_of(t, pair_of(left, right))];
    if (!m->id)
        *m = (Merge){pair_of(left, right), rank, id};
}

static gboolean join(gconstpointer table, gint32 left, gint32 right, guint32 *rank, gint32 *id)
{
    const SfuByteTokenizer *t = table;
    const Merge *m = &t->merges[place_of(t, pair_of(left, right))];
    *rank = m->rank;
    *id = m->id;
    return m->id != 0;
}

/* ---- making one ---- */

static void special_clear(gpointer p)
{
    g_free(((Special *)p)->text);
}

static SfuByteTokenizer *tokenizer_new(gsize n_merges)
{
    SfuByteTokenizer *t = g_new0(SfuByteTokenizer, 1);
    t->specials = g_array_new(FALSE, FALSE, sizeof(Special));
    g_array_set_clear_func(t->specials, special_clear);
    make_room(t, n_merges);
    return t;
}

static void add_special(SfuByteTokenizer *t, const char *text, gint32 id)
{
    const Special s = {g_strdup(text), strlen(text), id};
    if (!s.length) {
        g_free(s.text);
        return;
    }
    g_array_append_val(t->specials, s);
    t->begins[(guint8)*text] = TRUE;
}

void sfu_byte_tokenizer_free(SfuByteTokenizer *t)
{
    if (!t)
        return;
    g_array_unref(t->specials);
    g_free(t->merges);
    g_free(t);
}

/* GPT-2's order of bytes: those that are printable in Latin-1, then the others. */
static gboolean is_printable(int byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

/* letters [256]: the character that GPT-2 writes for each byte; order [256]: its place among them. */
static void byte_letters(gunichar *letters, int *order)
{
    int at = 0, other = 0;
    for (int b = 0; b < 256; b++)
        if (is_printable(b)) {
            letters[b] = (gunichar)b;
            order[b] = at++;
        }
    for (int b = 0; b < 256; b++)
        if (!is_printable(b)) {
            letters[b] = (gunichar)(256 + other++);
            order[b] = at++;
        }
}

/* Unpacks gzip of exactly `n` bytes. Caller frees; NULL with error. */
static guint8 *unpack(const guint8 *from, gsize n_from, gsize n, GError **error)
{
    GConverter *c = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
    guint8 *out = g_malloc(n);
    gsize read, written, at = 0, done = 0;
    GConverterResult r = G_CONVERTER_CONVERTED;
    while (r == G_CONVERTER_CONVERTED && done < n) {
        r = g_converter_convert(c, from + at, n_from - at, out + done, n - done, G_CONVERTER_INPUT_AT_END, &read,
                                &written, error);
        at += r == G_CONVERTER_ERROR ? 0 : read;
        done += r == G_CONVERTER_ERROR ? 0 : written;
    }
    g_object_unref(c);
    if (done == n)
        return out;
    if (r != G_CONVERTER_ERROR)
        g_set_error(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_VOCABULARY,
                    _("The built-in vocabulary has %zu bytes instead of %zu"), done, n);
    g_free(out);
    return NULL;
}

static gint32 from_planes(const guint8 *planes, int i)
{
    return planes[i] << 16 | planes[SFU_QWEN_N_MERGES + i] << 8 | planes[2 * SFU_QWEN_N_MERGES + i];
}

SfuByteTokenizer *sfu_byte_tokenizer_new(GError **error)
{
    static const char *const specials[] = {
        "<|endoftext|>",  "<|im_start|>",   "<|im_end|>",      "<|object_ref_start|>", "<|object_ref_end|>",
        "<|box_start|>",  "<|box_end|>",    "<|quad_start|>",  "<|quad_end|>",         "<|vision_start|>",
        "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>",   "<|video_pad|>",        "<tool_call>",
        "</tool_call>",   "<|fim_prefix|>", "<|fim_middle|>",  "<|fim_suffix|>",       "<|fim_pad|>",
        "<|repo_name|>",  "<|file_sep|>",   "<tool_response>", "</tool_response>",     "<think>",
        "</think>"};
    guint8 *planes = unpack(sfu_qwen_merges, sfu_qwen_merges_bytes, 6 * SFU_QWEN_N_MERGES, error);
    if (!planes)
        return NULL;
    SfuByteTokenizer *t = tokenizer_new(SFU_QWEN_N_MERGES);
    gunichar letters[256];
    int order[256];
    byte_letters(letters, order);
    for (int b = 0; b < 256; b++)
        t->byte_ids[b] = order[b];
    for (int i = 0; i < SFU_QWEN_N_MERGES; i++)
        add_merge(t, from_planes(planes, i), from_planes(planes + 3 * SFU_QWEN_N_MERGES, i), (guint32)i, 256 + i);
    for (int i = 0; i < (int)G_N_ELEMENTS(specials); i++)
        add_special(t, specials[i], 256 + SFU_QWEN_N_MERGES + i);
    g_free(planes);
    return t;
}

static gboolean bad_vocabulary(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean bad_vocabulary(GError **error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error_literal(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_VOCABULARY, text);
    g_free(text);
    return FALSE;
}

/* The id + 1 of a token; 0: there is none. */
static int find_token(GHashTable *ids, const char *token)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(ids, token));
}

static gboolean set_bytes(SfuByteTokenizer *t, GHashTable *ids, GError **error)
{
    gunichar letters[256];
    int order[256];
    byte_letters(letters, order);
    for (int b = 0; b < 256; b++) {
        char letter[8] = {0};
        g_unichar_to_utf8(letters[b], letter);
        t->byte_ids[b] = find_token(ids, letter) - 1;
        if (t->byte_ids[b] < 0)
            return bad_vocabulary(error, _("The vocabulary has no token for the byte %d"), b);
    }
    return TRUE;
}

static gboolean set_merges(SfuByteTokenizer *t, GHashTable *ids, const SfuVocabulary *v, GError **error)
{
    GString *whole = g_string_new(NULL), *left = g_string_new(NULL);
    gboolean ok = TRUE;
    for (gsize i = 0; ok && i < v->n_merges; i++) {
        const char *space = strchr(v->merges[i], ' ');
        if (space) {
            g_string_truncate(left, 0);
            g_string_append_len(left, v->merges[i], space - v->merges[i]);
            g_string_printf(whole, "%s%s", left->str, space + 1);
        }
        const int a = space ? find_token(ids, left->str) : 0, b = space ? find_token(ids, space + 1) : 0,
                  c = space ? find_token(ids, whole->str) : 0;
        if (!a || !b || c < 2) /* 0 marks free places, and no vocabulary's first token is a merged one */
            ok = bad_vocabulary(error, _("The vocabulary does not have all of the tokens of its merge '%s'"),
                                v->merges[i]);
        else
            add_merge(t, a - 1, b - 1, (guint32)i, c - 1);
    }
    g_string_free(whole, TRUE);
    g_string_free(left, TRUE);
    return ok;
}

SfuByteTokenizer *sfu_byte_tokenizer_new_from(const SfuVocabulary *v, GError **error)
{
    GHashTable *ids = g_hash_table_new(g_str_hash, g_str_equal);
    SfuByteTokenizer *t = tokenizer_new(v->n_merges);
    for (gsize i = 0; i < v->n_tokens; i++) {
        if (!v->tokens[i])
            continue;
        if (v->special[i])
            add_special(t, v->tokens[i], (gint32)i);
        else
            g_hash_table_insert(ids, (gpointer)v->tokens[i], GINT_TO_POINTER((gint32)i + 1));
    }
    if (!set_bytes(t, ids, error) || !set_merges(t, ids, v, error))
        g_clear_pointer(&t, sfu_byte_tokenizer_free);
    g_hash_table_unref(ids);
    return t;
}

/* ---- words ---- */

/* Bytes of the contraction ('s 't 're 've 'm 'll 'd, in any case) at p, or 0. */
static gsize contraction(const char *p)
{
    static const char *const endings[] = {"s", "t", "re", "ve", "m", "ll", "d"};
    if (*p != '\'')
        return 0;
    for (int i = 0; i < (int)G_N_ELEMENTS(endings); i++)
        if (g_ascii_strncasecmp(p + 1, endings[i], strlen(endings[i])) == 0)
            return 1 + strlen(endings[i]);
    return g_str_has_prefix(p + 1, "\xc5\xbf") ? 3 : 0; /* the long s, whose capital is that of s */
}

static SfuCharClass class_at(const char *p)
{
    return sfu_char_class(g_utf8_get_char(p));
}

static const char *run_end(const char *p, SfuCharClass class)
{
    while (*p && class_at(p) == class)
        p = g_utf8_next_char(p);
    return p;
}

static gboolean is_break(char c)
{
    return c == '\r' || c == '\n';
}

/* White space from p on: up to its last line break, if it has one; else all but what stands before the next word. */
static const char *space_end(const char *p)
{
    const char *end = run_end(p, SFU_CHAR_SPACE), *last = end;
    while (last > p && !is_break(last[-1]))
        last = g_utf8_prev_char(last);
    if (last > p)
        return last;
    last = g_utf8_prev_char(end);
    return *end && last > p ? last : end;
}

/* The end of the word at p, as the first alternative that fits of (?i:'s|'t|'re|'ve|'m|'ll|'d) |
 * [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N} | " "?[^\s\p{L}\p{N}]+[\r\n]* | \s*[\r\n]+ | \s+(?!\S) | \s+ */
static const char *word_end(const char *p)
{
    const SfuCharClass class = class_at(p);
    const char *next = g_utf8_next_char(p);
    const gsize n = contraction(p);
    if (n)
        return p + n;
    if (class == SFU_CHAR_LETTER)
        return run_end(p, SFU_CHAR_LETTER);
    if (class == SFU_CHAR_NUMBER)
        return next;
    if (!is_break(*p) && *next && class_at(next) == SFU_CHAR_LETTER)
        return run_end(next, SFU_CHAR_LETTER);
    if (class == SFU_CHAR_OTHER || (*p == ' ' && *next && class_at(next) == SFU_CHAR_OTHER)) {
        p = run_end(class == SFU_CHAR_OTHER ? p : next, SFU_CHAR_OTHER);
        while (is_break(*p))
            p++;
        return p;
    }
    return space_end(p);
}

static void encode_word(const SfuByteTokenizer *t, const char *word, gsize n, GArray *ids)
{
    gint32 few[64] = {0}, *bytes = n <= G_N_ELEMENTS(few) ? few : g_new(gint32, n);
    for (gsize i = 0; i < n; i++)
        bytes[i] = t->byte_ids[(guint8)word[i]];
    sfu_bpe_merge(join, t, bytes, n, ids);
    if (bytes != few)
        g_free(bytes);
}

/* One stretch without special tokens. */
static void encode_plain(const SfuByteTokenizer *t, const char *text, gsize n, GArray *ids)
{
    char *composed = g_utf8_normalize(text, (gssize)n, G_NORMALIZE_NFC);
    for (const char *p = composed; *p;) {
        const char *end = word_end(p);
        encode_word(t, p, (gsize)(end - p), ids);
        p = end;
    }
    g_free(composed);
}

/* The longest special token at p; NULL: none. */
static const Special *special_at(const SfuByteTokenizer *t, const char *p, const char *end)
{
    const Special *found = NULL;
    if (!t->begins[(guint8)*p])
        return NULL;
    for (guint i = 0; i < t->specials->len; i++) {
        const Special *s = &g_array_index(t->specials, Special, i);
        if (s->length <= (gsize)(end - p) && !memcmp(p, s->text, s->length) && (!found || s->length > found->length))
            found = s;
    }
    return found;
}

gboolean sfu_byte_tokenizer_encode(const SfuByteTokenizer *t, const char *text, gssize length, GArray *ids,
                                   GError **error)
{
    const gsize n = length < 0 ? strlen(text) : (gsize)length;
    if (!sfu_text_check(text, n, error))
        return FALSE;
    const char *end = text + n, *plain = text;
    for (const char *p = text; p < end;) {
        const Special *s = special_at(t, p, end);
        if (!s) {
            p++;
            continue;
        }
        encode_plain(t, plain, (gsize)(p - plain), ids);
        g_array_append_val(ids, s->id);
        p = plain = p + s->length;
    }
    encode_plain(t, plain, (gsize)(end - plain), ids);
    return TRUE;
}
