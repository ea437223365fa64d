/* AUTOMATIC1111's prompt syntax: emphasis, BREAK, escapes, and the cutting into chunks of 75 tokens.
 *
 * As there, except for what would be an error or an accident there: a weight that is not a number ("(a:1.2.3)") is
 * text; BREAK within brackets breaks, and is not the word "break" with a negative weight.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/classes.h"
#include "text/text.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define BRACKET 1.1     /* ( ) multiplies by this, [ ] divides */
#define MAX_NESTING 100 /* 1.1^100 is 13781; also bounds the work, since every bracket touches all that follows it */
#define MAX_WEIGHT 1e5
#define COMMA 267          /* ",</w>" */
#define COMMA_BACKTRACK 20 /* A1111's default comma_padding_backtrack */

/* A stretch of text of one weight, or a BREAK. */
typedef struct {
    GString *text; /* NULL: BREAK */
    double weight;
} Part;

static void clear_part(gpointer part)
{
    GString *text = ((Part *)part)->text;
    if (text)
        g_string_free(text, TRUE);
}

static void add_part(GArray *parts, const char *text, gsize length)
{
    const Part part = {g_string_new_len(text, (gssize)length), 1};
    g_array_append_val(parts, part);
}

static void multiply_from(GArray *parts, guint first, double factor)
{
    for (guint i = first; i < parts->len; i++)
        g_array_index(parts, Part, i).weight *= factor;
}

/* ---- the pieces of the syntax ---- */

/* ":1.2)" at p: its end and value; NULL if it is none. Digits of any script. */
static const char *read_weight(const char *p, double *value)
{
    GString *number = g_string_new(NULL);
    int n_dots = 0, n_digits = 0;
    const char *end = NULL, *text_end = p + strlen(p);
    p = sfu_skip_space(p + 1, text_end);
    if (*p == '+' || *p == '-')
        g_string_append_c(number, *p++);
    for (; *p; p = g_utf8_next_char(p)) {
        const int digit = sfu_digit(g_utf8_get_char(p));
        if (*p == '.')
            n_dots++;
        else if (digit >= 0)
            n_digits++;
        else
            break;
        g_string_append_c(number, *p == '.' ? '.' : (char)('0' + digit));
    }
    p = sfu_skip_space(p, text_end);
    if (*p == ')' && n_digits > 0 && n_dots <= 1) {
        *value = g_ascii_strtod(number->str, NULL);
        end = p + 1;
    }
    g_string_free(number, TRUE);
    return end;
}

/* Adds plain text, cut at every BREAK that stands as a word, with the space around it. */
static void add_text(GArray *parts, const char *text, gsize length)
{
    const char *end = text + length, *start = text;
    for (const char *p = text; (p = g_strstr_len(p, end - p, "BREAK")) != NULL;) {
        const char *after = p + 5, *before = p;
        if ((p > text && sfu_is_word(g_utf8_get_char(g_utf8_prev_char(p)))) ||
            (after < end && sfu_is_word(g_utf8_get_char(after)))) {
            p = after;
            continue;
        }
        while (before > start && sfu_is_space(g_utf8_get_char(g_utf8_prev_char(before))))
            before = g_utf8_prev_char(before);
        while (after < end && sfu_is_space(g_utf8_get_char(after)))
            after = g_utf8_next_char(after);
        add_part(parts, start, before - start);
        const Part part = {NULL, 1};
        g_array_append_val(parts, part);
        p = start = after;
    }
    add_part(parts, start, end - start);
}

/* Neighbors of one weight are one text, so that words are not cut at an escape. */
static void join_parts(GArray *parts)
{
    guint kept = 0;
    for (guint i = 1; i < parts->len; i++) {
        Part *last = &g_array_index(parts, Part, kept), *part = &g_array_index(parts, Part, i);
        if (last->text && part->text && last->weight == part->weight) {
            g_string_append_len(last->text, part->text->str, (gssize)part->text->len);
            g_string_free(part->text, TRUE);
            part->text = NULL;
        } else if (++kept != i) {
            g_array_index(parts, Part, kept) = *part;
            part->text = NULL;
        }
    }
    if (parts->len > 0)
        g_array_set_size(parts, kept + 1);
}

/* Part array, caller frees; NULL with WEIGHT. */
static GArray *parse(const char *text, GError **error)
{
    GArray *parts = g_array_new(FALSE, FALSE, sizeof(Part));
    g_array_set_clear_func(parts, clear_part);
    guint round[MAX_NESTING], square[MAX_NESTING];
    int n_round = 0, n_square = 0;
    for (const char *p = text; *p;) {
        double weight = 1;
        const char *end = *p == ':' ? read_weight(p, &weight) : NULL;
        if (*p == '\\') {
            const gboolean escapes = p[1] && strchr("()[]\\", p[1]);
            add_part(parts, p + 1, escapes ? 1 : 0);
            p += escapes ? 2 : 1;
        } else if ((*p == '(' && n_round == MAX_NESTING) || (*p == '[' && n_square == MAX_NESTING)) {
            g_set_error(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_WEIGHT,
                        _("The prompt has more than %d brackets open within each other"), MAX_NESTING);
            goto fail;
        } else if (*p == '(') {
            round[n_round++] = parts->len;
            p++;
        } else if (*p == '[') {
            square[n_square++] = parts->len;
            p++;
        } else if (end && n_round > 0) {
            multiply_from(parts, round[--n_round], weight);
            p = end;
        } else if (*p == ')' && n_round > 0) {
            multiply_from(parts, round[--n_round], BRACKET);
            p++;
        } else if (*p == ']' && n_square > 0) {
            multiply_from(parts, square[--n_square], 1 / BRACKET);
            p++;
        } else {
            if (!end)
                end = p + MAX(strcspn(p, "\\()[]:"), 1);
            add_text(parts, p, end - p);
            p = end;
        }
    }
    while (n_round > 0) /* unbalanced: up to the end */
        multiply_from(parts, round[--n_round], BRACKET);
    while (n_square > 0)
        multiply_from(parts, square[--n_square], 1 / BRACKET);
    join_parts(parts);
    for (guint i = 0; i < parts->len; i++) {
        const double weight = g_array_index(parts, Part, i).weight;
        if (!(fabs(weight) <= MAX_WEIGHT)) {
            g_set_error(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_WEIGHT,
                        _("The prompt gives a word the weight %g; %g is the largest"), weight, MAX_WEIGHT);
            goto fail;
        }
    }
    return parts;
fail:
    g_array_unref(parts);
    return NULL;
}

/* ---- chunks ---- */

typedef struct {
    GArray *tokens, *weights; /* [n_chunks * 77] of gint32, float */
    gint32 pad;
    gint32 chunk[SFU_CHUNK_TEXT];
    float chunk_weights[SFU_CHUNK_TEXT];
    int n, last_comma;
    int n_tokens;
} Chunks;

/* Writes the first n tokens of the open chunk as a chunk; the others stay. */
static void close_chunk(Chunks *c, int n)
{
    const float one = 1;
    gint32 row[SFU_CHUNK_TOKENS];
    row[0] = SFU_TOKEN_BOS;
    for (int i = 0; i < SFU_CHUNK_TEXT; i++)
        row[1 + i] = i < n ? c->chunk[i] : SFU_TOKEN_EOS;
    row[SFU_CHUNK_TOKENS - 1] = SFU_TOKEN_EOS;
    int first_eos = 0;
    while (row[first_eos] != SFU_TOKEN_EOS)
        first_eos++;
    for (int i = first_eos + 1; i < SFU_CHUNK_TOKENS; i++)
        row[i] = c->pad == SFU_TOKEN_EOS ? row[i] : c->pad;
    g_array_append_vals(c->tokens, row, SFU_CHUNK_TOKENS);
    g_array_append_val(c->weights, one);
    for (int i = 0; i < SFU_CHUNK_TEXT; i++)
        g_array_append_val(c->weights, *(i < n ? &c->chunk_weights[i] : &one));
    g_array_append_val(c->weights, one);
    memmove(c->chunk, c->chunk + n, (c->n - n) * sizeof(gint32));
    memmove(c->chunk_weights, c->chunk_weights + n, (c->n - n) * sizeof(float));
    c->n -= n;
    c->last_comma = -1;
}

static void add_token(Chunks *c, gint32 token, double weight)
{
    if (token == COMMA)
        c->last_comma = c->n;
    else if (c->n == SFU_CHUNK_TEXT && c->last_comma >= 0 && c->n - c->last_comma <= COMMA_BACKTRACK)
        close_chunk(c, c->last_comma + 1); /* what follows the comma moves to the next chunk */
    if (c->n == SFU_CHUNK_TEXT)
        close_chunk(c, c->n);
    c->chunk[c->n] = token;
    c->chunk_weights[c->n++] = (float)weight;
    c->n_tokens++;
}

/* The longest word whose tokens stand at ids[at]; -1: none. */
static int word_at(const SfuPromptWords *words, const GArray *ids, guint at)
{
    int best = -1;
    guint length = 0;
    for (guint i = 0; words && i < words->words->len; i++) {
        const GArray *w = words->words->pdata[i];
        if (w->len > length && w->len <= ids->len - at &&
            memcmp(w->data, &g_array_index(ids, gint32, at), w->len * sizeof(gint32)) == 0) {
            best = (int)i;
            length = w->len;
        }
    }
    return best;
}

static void add_tokens(Chunks *c, const GArray *ids, double weight, const SfuPromptWords *words)
{
    for (guint k = 0; k < ids->len;) {
        const int word = word_at(words, ids, k);
        int first, n = word >= 0 ? words->vectors((guint)word, &first, words->data) : 0;
        if (n <= 0 || n > SFU_CHUNK_TEXT) {
            add_token(c, g_array_index(ids, gint32, k++), weight);
            continue;
        }
        if (c->n + n > SFU_CHUNK_TEXT)
            close_chunk(c, c->n);
        for (int i = 0; i < n; i++)
            add_token(c, SFU_N_VOCAB + first + i, weight);
        k += ((const GArray *)words->words->pdata[word])->len;
    }
}

SfuPrompt *sfu_prompt_parse(const SfuTokenizer *t, const char *text, gboolean sd2, const SfuPromptWords *words,
                            GError **error)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint32)), *parts = NULL;
    SfuPrompt *prompt = NULL;
    Chunks c = {.pad = sd2 ? 0 : SFU_TOKEN_EOS, .last_comma = -1};
    c.tokens = g_array_new(FALSE, FALSE, sizeof(gint32));
    c.weights = g_array_new(FALSE, FALSE, sizeof(float));
    if (!text)
        text = "";
    if (!sfu_text_check(text, strlen(text), error) || !(parts = parse(text, error)))
        goto out;
    for (guint i = 0; i < parts->len; i++) {
        const Part *part = &g_array_index(parts, Part, i);
        if (!part->text) {
            close_chunk(&c, c.n);
            continue;
        }
        g_array_set_size(ids, 0);
        if (!sfu_tokenizer_encode(t, part->text->str, (gssize)part->text->len, ids, error))
            goto out;
        add_tokens(&c, ids, part->weight, words);
    }
    if (c.n > 0 || c.tokens->len == 0)
        close_chunk(&c, c.n);

    prompt = g_new0(SfuPrompt, 1);
    prompt->n_chunks = (int)(c.tokens->len / SFU_CHUNK_TOKENS);
    prompt->n_tokens = c.n_tokens;
    prompt->pad = c.pad;
    for (guint i = 0; i < c.weights->len; i++)
        prompt->weighted |= g_array_index(c.weights, float, i) != 1;
    prompt->tokens = (gint32(*)[SFU_CHUNK_TOKENS])(void *)g_array_free(g_steal_pointer(&c.tokens), FALSE);
    prompt->weights = (float(*)[SFU_CHUNK_TOKENS])(void *)g_array_free(g_steal_pointer(&c.weights), FALSE);
out:
    g_array_unref(ids);
    g_clear_pointer(&parts, g_array_unref);
    g_clear_pointer(&c.tokens, g_array_unref);
    g_clear_pointer(&c.weights, g_array_unref);
    return prompt;
}

void sfu_prompt_free(SfuPrompt *p)
{
    if (!p)
        return;
    g_free(p->tokens);
    g_free(p->weights);
    g_free(p);
}

void sfu_prompt_apply_weights(const SfuPrompt *p, float *hidden, int dim)
{
    for (int chunk = 0; chunk < p->n_chunks && p->weighted; chunk++, hidden += (gsize)SFU_CHUNK_TOKENS * dim) {
        double before = 0, after = 0;
        for (int i = 0; i < SFU_CHUNK_TOKENS; i++)
            for (int k = 0; k < dim; k++) {
                float *h = &hidden[(gsize)i * dim + k];
                before += *h;
                *h *= p->weights[chunk][i];
                after += *h;
            }
        const double scale = before / after;
        if (!isfinite(scale)) /* weights that add up to nothing: there is no mean to restore */
            continue;
        for (gsize i = 0; i < (gsize)SFU_CHUNK_TOKENS * dim; i++)
            hidden[i] *= (float)scale;
    }
}
