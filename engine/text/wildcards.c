/* Words that are left to chance.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/wildcards.h"
#include "text/text.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define MAX_DEPTH 20      /* choices within choices: files may name each other in a circle */
#define MAX_CHOICES 10000 /* of one text */
#define MAX_OPTIONS 1000  /* that one choice takes */
#define MAX_NAME 100      /* bytes of a variable's name, and of its values */

typedef struct {
    guint64 state;
    SfuWildcardLines lines;
    gpointer data;
    int n_choices;
    gsize room; /* bytes that may still be written */
    GError **error;
} Resolver;

/* 0 <= value < 1: SplitMix64 (Steele 2014). */
static double chance(Resolver *r)
{
    guint64 z = r->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

static gboolean put_resolved(Resolver *r, GString *out, const char *text, gsize n)
{
    if (n > r->room) {
        g_set_error(r->error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_LENGTH,
                    _("With its wildcards filled in the prompt is longer than %d bytes"), SFU_PROMPT_MAX_BYTES);
        return FALSE;
    }
    r->room -= n;
    g_string_append_len(out, text, (gssize)n);
    return TRUE;
}

static gboolean resolve(Resolver *r, GString *out, const char *text, gsize n, int depth);

/* ---- __name__ ---- */

static gboolean is_name(char c)
{
    return g_ascii_isalnum(c) || strchr("_-/.* ", c) || (guchar)c >= 0x80;
}

/* Length of "__name__" at text[0..n); 0: it is none. */
static gsize wildcard_length(const char *text, gsize n)
{
    gsize i = 2;
    if (n < 5 || text[0] != '_' || text[1] != '_' || text[2] == '_' || text[2] == ' ')
        return 0;
    while (i + 1 < n && text[i] && is_name(text[i]) && !(text[i] == '_' && text[i + 1] == '_'))
        i++;
    return i + 1 < n && i > 2 && text[i] == '_' && text[i + 1] == '_' ? i + 2 : 0;
}

/* The lines of "__name__", which text[0..n) is; NULL with error. Caller unrefs. */
static GPtrArray *lines_of(Resolver *r, const char *text, gsize n)
{
    char *name = g_strndup(text + 2, n - 4);
    GPtrArray *lines = r->lines(name, r->data, r->error);
    g_free(name);
    return lines;
}

static gboolean put_line(Resolver *r, GString *out, const char *text, gsize n, int depth)
{
    GPtrArray *lines = lines_of(r, text, n);
    if (!lines)
        return FALSE;
    const char *line = lines->pdata[(guint)(chance(r) * lines->len)];
    const gboolean ok = resolve(r, out, line, strlen(line), depth + 1);
    g_ptr_array_unref(lines);
    return ok;
}

/* ---- {a|b|c} ---- */

typedef struct {
    const char *text;
    gsize n;
    double weight;
    gboolean taken;
} Option;

/* For each '{' of text[0..n) the place of the brace that closes it; 0: none does. Caller frees. */
static gsize *match_braces(const char *text, gsize n)
{
    gsize *match = g_new0(gsize, n + 1), *open = g_new(gsize, n + 1), n_open = 0;
    for (gsize i = 0; i < n; i++) {
        if (text[i] == '\\')
            i++;
        else if (text[i] == '{')
            open[n_open++] = i;
        else if (text[i] == '}' && n_open)
            match[open[--n_open]] = i;
    }
    g_free(open);
    return match;
}

/* The first `what` of text[0..n) outside of inner braces; NULL: none. */
static const char *outside(const char *text, gsize n, const char *what)
{
    const gsize length = strlen(what);
    int open = 0;
    for (gsize i = 0; i + length <= n; i++) {
        if (text[i] == '\\')
            i++;
        else if (text[i] == '{')
            open++;
        else if (text[i] == '}')
            open--;
        else if (!open && strncmp(text + i, what, length) == 0)
            return text + i;
    }
    return NULL;
}

static void add_option(GArray *options, const char *text, gsize n)
{
    Option o = {.text = text, .n = n, .weight = 1};
    const char *mark = outside(text, n, "::");
    char *end;
    const double weight = mark ? g_ascii_strtod(text, &end) : 0;
    if (mark && end == mark && weight >= 0 && isfinite(weight)) {
        o.n = n - (gsize)(mark + 2 - text);
        o.text = mark + 2;
        o.weight = weight;
    }
    g_array_append_val(options, o);
}

/* "2$$", "1-3$$", "-3$$", "1-$$" or "2$$ and $$" at the start: how many are taken, and what stands between them. The
 * rest is returned. */
static const char *read_count(const char *text, const char *end, int *least, int *most, char **between)
{
    const char *mark = outside(text, (gsize)(end - text), "$$");
    char *after = (char *)text;
    gboolean counts = mark && (g_ascii_isdigit(*text) || *text == '-');
    guint64 bound[2] = {1, 1};
    if (counts && g_ascii_isdigit(*after))
        bound[0] = bound[1] = g_ascii_strtoull(after, &after, 10);
    if (counts && *after == '-') {
        counts = after + 1 != mark || after != text;
        bound[1] = MAX_OPTIONS; /* "1-$$": all of them */
        if (g_ascii_isdigit(*++after))
            bound[1] = g_ascii_strtoull(after, &after, 10);
    }
    counts = counts && after == mark;
    *least = counts ? (int)MIN(bound[0], MAX_OPTIONS) : 1;
    *most = counts ? (int)MIN(bound[1], MAX_OPTIONS) : 1;
    *between = g_strdup(", ");
    if (!counts)
        return text;
    text = mark + 2;
    const char *second = outside(text, (gsize)(end - text), "$$"), *bar = outside(text, (gsize)(end - text), "|");
    if (second && (!bar || second < bar)) {
        g_free(*between);
        *between = g_strndup(text, (gsize)(second - text));
        text = second + 2;
    }
    return text;
}

static Option *draw(Resolver *r, GArray *options)
{
    double all = 0;
    Option *last = NULL;
    for (guint i = 0; i < options->len; i++)
        if (!g_array_index(options, Option, i).taken)
            all += g_array_index(options, Option, i).weight;
    double at = chance(r) * all;
    for (guint i = 0; i < options->len; i++) {
        Option *o = &g_array_index(options, Option, i);
        if (o->taken || o->weight == 0)
            continue;
        last = o;
        if ((at -= o->weight) < 0)
            break;
    }
    return last;
}

/* "{2$$__name__}" takes some of that file's lines, and none twice. *lines (NULL: another choice) keeps their text and
 * is the caller's. FALSE with error. */
static gboolean take_lines(Resolver *r, GArray *options, GPtrArray **lines)
{
    const Option only = g_array_index(options, Option, 0);
    *lines = NULL;
    if (options->len != 1 || wildcard_length(only.text, only.n) != only.n || !only.n)
        return TRUE;
    if (!(*lines = lines_of(r, only.text, only.n)))
        return FALSE;
    g_array_set_size(options, 0);
    for (guint i = 0; i < (*lines)->len; i++) {
        const Option o = {.text = (*lines)->pdata[i], .n = strlen((*lines)->pdata[i]), .weight = 1};
        g_array_append_val(options, o);
    }
    return TRUE;
}

/* text[0..n) is what stands between the braces. */
static gboolean put_choice(Resolver *r, GString *out, const char *text, gsize n, int depth)
{
    const char *end = text + n;
    int least, most;
    char *between;
    GArray *options = g_array_new(FALSE, FALSE, sizeof(Option));
    GPtrArray *lines;
    text = read_count(text, end, &least, &most, &between);
    for (const char *bar; (bar = outside(text, (gsize)(end - text), "|")); text = bar + 1)
        add_option(options, text, (gsize)(bar - text));
    add_option(options, text, (gsize)(end - text));
    gboolean ok = take_lines(r, options, &lines);
    least = MIN(least, (int)options->len);
    most = MIN(most, (int)options->len);
    int count = MIN(least, most) + (int)(chance(r) * (ABS(most - least) + 1));
    for (int i = 0; ok && i < count; i++) {
        Option *o = draw(r, options);
        if (!o)
            break;
        o->taken = TRUE;
        ok = (i == 0 || put_resolved(r, out, between, strlen(between))) && resolve(r, out, o->text, o->n, depth + 1);
    }
    g_array_unref(options);
    g_clear_pointer(&lines, g_ptr_array_unref);
    g_free(between);
    return ok;
}

/* ---- texts ---- */

/* text[0..n) stands between braces. */
static gboolean is_choice(const char *text, gsize n)
{
    return n && (outside(text, n, "|") || outside(text, n, "$$"));
}

/* What stands at text[0..n) as it is: a letter, or a backslash and what it escapes. */
static gsize escape_length(const char *text, gsize n)
{
    return *text == '\\' && n > 1 ? 2 : 1;
}

char *sfu_wildcards_escape(const char *text)
{
    const gsize n = strlen(text);
    gsize *match = match_braces(text, n);
    gboolean choices = FALSE;
    GString *out = g_string_sized_new(n);
    for (gsize i = 0; i < n && !choices; i++)
        choices = match[i] && is_choice(text + i + 1, match[i] - i - 1);
    for (gsize i = 0, length; i < n; i += length) { /* every brace: around an escaped one the others pair anew */
        if ((choices && text[i] == '{') || wildcard_length(text + i, n - i))
            g_string_append_c(out, '\\');
        length = escape_length(text + i, n - i);
        g_string_append_len(out, text + i, (gssize)length);
    }
    g_free(match);
    return g_string_free(out, FALSE);
}

/* How far "${name" or "__name" goes at text[0..n) if the extension Dynamic Prompts reads a variable there,
 * "${name=...}",
 * "${name}" or "${name:...}", or values for a file's variables, "__name(...)__"; 0: it does not. */
static gsize variable_length(const char *text, gsize n)
{
    gsize i = 2;
    const gboolean named = n > 3 && strncmp(text, "${", 2) == 0, called = n > 3 && strncmp(text, "__", 2) == 0;
    if ((!named && !called) || !(g_ascii_isalpha(text[2]) || (guchar)text[2] >= 0x80))
        return 0;
    while (i < n && (g_ascii_isalnum(text[i]) || (guchar)text[i] >= 0x80 || strchr("_-/", text[i])))
        i++;
    if (i == n || i > MAX_NAME)
        return 0;
    const char *end = called && text[i] == '(' ? memchr(text + i, ')', MIN(n - i, MAX_NAME)) : NULL;
    const gboolean is =
        named ? strchr("=}:", text[i]) != NULL : end && n - (gsize)(end - text) > 2 && strncmp(end + 1, "__", 2) == 0;
    return is ? i : 0;
}

static gboolean resolve(Resolver *r, GString *out, const char *text, gsize n, int depth)
{
    if (depth > MAX_DEPTH) {
        g_set_error(r->error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_WILDCARD,
                    _("The prompt's wildcards name each other more than %d deep"), MAX_DEPTH);
        return FALSE;
    }
    gsize *match = match_braces(text, n);
    gboolean ok = TRUE;
    for (gsize i = 0; ok && i < n;) {
        const char *at = text + i;
        const gsize name = wildcard_length(at, n - i), inner = match[i] ? match[i] - i - 1 : 0;
        const gboolean choice = is_choice(at + 1, inner);
        const gsize length = name ? name : choice ? inner + 2 : escape_length(at, n - i);
        const gsize variable = name ? 0 : variable_length(at, n - i);
        if (variable) {
            g_set_error(r->error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_WILDCARD,
                        _("The prompt has a variable, \"%.*s\", and Sfumato knows none. A backslash before it makes it "
                          "plain text."),
                        (int)variable, at);
            ok = FALSE;
        }
        if (ok && (name || choice) && ++r->n_choices > MAX_CHOICES) {
            g_set_error(r->error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_WILDCARD, _("The prompt has more than %d wildcards"),
                        MAX_CHOICES);
            ok = FALSE;
        }
        ok = ok && (name     ? put_line(r, out, at, name, depth)
                    : choice ? put_choice(r, out, at + 1, inner, depth)
                             : put_resolved(r, out, at, length));
        i += length;
    }
    g_free(match);
    return ok;
}

char *sfu_wildcards_resolve(const char *text, guint64 seed, SfuWildcardLines lines, gpointer data, GError **error)
{
    const gsize n = strlen(text);
    if (!sfu_text_check(text, n, error))
        return NULL;
    Resolver r = {.state = seed, .lines = lines, .data = data, .room = SFU_PROMPT_MAX_BYTES, .error = error};
    GString *out = g_string_sized_new(n);
    if (resolve(&r, out, text, n, 0))
        return g_string_free(out, FALSE);
    g_string_free(out, TRUE);
    return NULL;
}
