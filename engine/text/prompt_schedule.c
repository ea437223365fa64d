/* Prompts that change during sampling, as AUTOMATIC1111 reads them: [from:to:when], [to:when], [from::when], [a|b|c],
 * AND with weights; and the <lora:...> tags that stand in prompts.
 *
 * A bracket counts if all in it is well formed: "[" "]" with one or two colons and a number last is scheduled, with
 * bars alternates, with neither weighs its words, "(" ")" with up to one colon weighs them. Brackets that do not count
 * are text; a bar that belongs to no alternation makes the whole prompt text. (The web UI's grammar is ambiguous where
 * stray brackets and colons touch; there a bracket that could count does.)
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/classes.h"
#include "text/text.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define MAX_NESTING 100 /* as of weights */

typedef enum { GROUP_PLAIN, GROUP_SCHEDULED, GROUP_ALTERNATE } GroupKind;

/* A bracket that counts: text[start] to text[end]. */
typedef struct {
    gsize start, end;
    GroupKind kind;
    GArray *marks; /* gsize: the colons and bars that stand in it directly */
    int when;      /* SCHEDULED: the last step of what comes first */
} Group;

typedef struct {
    const char *text;
    int steps;
    GHashTable *groups; /* start -> Group */
    GArray *ends;       /* int: the steps at which something changes */
} Schedule;

static void group_free(gpointer data)
{
    Group *g = data;
    g_array_unref(g->marks);
    g_free(g);
}

/* [space] number [space] up to `end`: a sign, digits with or without a point, an exponent. *has_point tells a fraction
 * from a step. */
static gboolean read_when(const char *p, const char *end, double *value, gboolean *has_point)
{
    const char *start = p = sfu_skip_space(p, end);
    int n_digits = 0;
    *has_point = FALSE;
    p += p < end && (*p == '+' || *p == '-');
    for (; p < end && (g_ascii_isdigit(*p) || (*p == '.' && !*has_point)); p++) {
        n_digits += *p != '.';
        *has_point |= *p == '.';
    }
    if (n_digits == 0)
        return FALSE;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        if (p == end || !g_ascii_isdigit(*p))
            return FALSE;
        while (p < end && g_ascii_isdigit(*p))
            p++;
    }
    char *number = g_strndup(start, (gsize)(p - start));
    *value = g_ascii_strtod(number, NULL);
    g_free(number);
    return sfu_skip_space(p, end) == end;
}

/* What the bracket is, now that it closes at `end`; FALSE: it does not count. */
static gboolean close_group(Schedule *s, Group *g, gsize end)
{
    int n_bars = 0, n_colons = 0;
    for (guint i = 0; i < g->marks->len; i++) {
        const char mark = s->text[g_array_index(g->marks, gsize, i)];
        n_bars += mark == '|';
        n_colons += mark == ':';
    }
    g->end = end;
    g->kind = GROUP_PLAIN;
    if (s->text[g->start] == '(')
        return n_bars == 0 && n_colons <= 1;
    if (n_bars > 0) {
        g->kind = GROUP_ALTERNATE;
        for (int step = 1; step <= s->steps && n_colons == 0; step++)
            g_array_append_val(s->ends, step);
        return n_colons == 0;
    }
    if (n_colons == 0)
        return TRUE;
    double value;
    gboolean has_point;
    if (n_colons > 2 ||
        !read_when(s->text + g_array_index(g->marks, gsize, n_colons - 1) + 1, s->text + end, &value, &has_point))
        return FALSE;
    g->kind = GROUP_SCHEDULED;
    g->when = (int)CLAMP(trunc(has_point ? value * s->steps : value), -1, s->steps);
    if (g->when >= 1)
        g_array_append_val(s->ends, g->when);
    return TRUE;
}

/* Brackets that are open at something that does not fit do not count. FALSE if one holds a bar: then nothing does. */
static gboolean drop_open(const Schedule *s, GPtrArray *open)
{
    gboolean ok = TRUE;
    for (guint i = 0; i < open->len; i++) {
        const Group *g = g_ptr_array_index(open, i);
        for (guint k = 0; k < g->marks->len; k++)
            ok &= s->text[g_array_index(g->marks, gsize, k)] != '|';
    }
    g_ptr_array_set_size(open, 0);
    return ok;
}

/* Finds the brackets that count. FALSE: the whole is text. */
static gboolean find_groups(Schedule *s)
{
    const char *t = s->text;
    GPtrArray *open = g_ptr_array_new_with_free_func(group_free);
    gboolean ok = TRUE;
    for (gsize i = 0; ok && t[i]; i++) {
        Group *top = open->len ? g_ptr_array_index(open, open->len - 1) : NULL;
        if (t[i] == '\\') {
            ok = t[i + 1] && t[i + 1] != '\n';
            i += ok;
        } else if (t[i] == '(' || t[i] == '[') {
            if (open->len == MAX_NESTING)
                ok = drop_open(s, open);
            Group *g = g_new0(Group, 1);
            g->start = i;
            g->marks = g_array_new(FALSE, FALSE, sizeof(gsize));
            g_ptr_array_add(open, g);
        } else if (t[i] == ':' || t[i] == '|') {
            if (top)
                g_array_append_val(top->marks, i);
            else
                ok = t[i] == ':';
        } else if ((t[i] == ')' || t[i] == ']') && top) {
            if ((t[top->start] == '(') == (t[i] == ')') && close_group(s, top, i)) {
                g_ptr_array_steal_index(open, open->len - 1);
                g_hash_table_insert(s->groups, GSIZE_TO_POINTER(top->start + 1), top);
            } else {
                ok = drop_open(s, open);
            }
        }
    }
    ok = ok && drop_open(s, open);
    g_ptr_array_unref(open);
    return ok;
}

static void render(const Schedule *s, gsize from, gsize to, int step, GString *out);

static void render_group(const Schedule *s, const Group *g, int step, GString *out)
{
    const int n_marks = (int)g->marks->len;
    if (g->kind == GROUP_PLAIN) {
        g_string_append_c(out, s->text[g->start]);
        render(s, g->start + 1, g->end, step, out);
        g_string_append_c(out, s->text[g->end]);
        return;
    }
    /* Which of the parts between start, marks and end; a scheduled bracket with one colon has nothing before. */
    int part = (step - 1) % (n_marks + 1);
    if (g->kind == GROUP_SCHEDULED)
        part = step <= g->when ? n_marks - 2 : n_marks - 1;
    if (part < 0)
        return;
    const gsize from = part == 0 ? g->start : g_array_index(g->marks, gsize, part - 1);
    const gsize to = part == n_marks ? g->end : g_array_index(g->marks, gsize, part);
    render(s, from + 1, to, step, out);
}

static void render(const Schedule *s, gsize from, gsize to, int step, GString *out)
{
    for (gsize i = from; i < to; i++) {
        const Group *g =
            s->text[i] == '(' || s->text[i] == '[' ? g_hash_table_lookup(s->groups, GSIZE_TO_POINTER(i + 1)) : NULL;
        if (s->text[i] == '\\' && i + 1 < to) { /* with what it escapes */
            g_string_append_len(out, s->text + i++, 2);
        } else if (g) {
            render_group(s, g, step, out);
            i = g->end;
        } else {
            g_string_append_c(out, s->text[i]);
        }
    }
}

static int by_number(gconstpointer a, gconstpointer b)
{
    return *(const int *)a - *(const int *)b;
}

static void step_clear(gpointer data)
{
    g_free(((SfuPromptStep *)data)->text);
}

/* The texts of one prompt (without AND) and the last step of each; SfuPromptStep. Neighbors of one text are one. */
static GArray *schedule(const char *text, int steps)
{
    GArray *out = g_array_new(FALSE, FALSE, sizeof(SfuPromptStep));
    Schedule s = {.text = text,
                  .steps = steps,
                  .groups = g_hash_table_new_full(NULL, NULL, NULL, group_free),
                  .ends = g_array_new(FALSE, FALSE, sizeof(int))};
    g_array_set_clear_func(out, step_clear);
    if (!find_groups(&s)) {
        g_hash_table_remove_all(s.groups);
        g_array_set_size(s.ends, 0);
    }
    g_array_append_val(s.ends, steps);
    g_array_sort(s.ends, by_number);
    for (guint i = 0; i < s.ends->len; i++) {
        const int end = g_array_index(s.ends, int, i);
        SfuPromptStep *last = out->len ? &g_array_index(out, SfuPromptStep, out->len - 1) : NULL;
        if (last && last->end == end)
            continue;
        GString *words = g_string_new(NULL);
        render(&s, 0, strlen(text), end, words);
        if (last && strcmp(last->text, words->str) == 0) {
            last->end = end;
            g_string_free(words, TRUE);
            continue;
        }
        const SfuPromptStep step = {end, g_string_free(words, FALSE)};
        g_array_append_val(out, step);
    }
    g_hash_table_unref(s.groups);
    g_array_unref(s.ends);
    return out;
}

/* ---- AND ---- */

/* The next AND that stands as a word; NULL: none. */
static const char *find_and(const char *text)
{
    for (const char *p = text; (p = strstr(p, "AND")); p += 3)
        if ((p == text || !sfu_is_word(g_utf8_get_char(g_utf8_prev_char(p)))) && !sfu_is_word(g_utf8_get_char(p + 3)))
            return p;
    return NULL;
}

/* text[0..n) without the space at its end. */
static gsize without_space(const char *text, gsize n)
{
    while (n > 0) {
        const char *last = g_utf8_prev_char(text + n);
        if (!sfu_is_space(g_utf8_get_char(last)))
            break;
        n = (gsize)(last - text);
    }
    return n;
}

/* "words :1.5": the weight, and the length of the words; else 1 and all of it. Space at the end is not counted. */
static double read_weight(const char *text, gsize *length)
{
    const gsize n = *length = without_space(text, *length);
    const char *end = text + n, *start = end;
    GString *number = g_string_new(NULL);
    int n_points = 0, n_digits = 0;
    while (start > text) {
        const char *last = g_utf8_prev_char(start);
        const gboolean is_digit = sfu_digit(g_utf8_get_char(last)) >= 0;
        if (!is_digit && *last != '.')
            break;
        n_points += !is_digit;
        n_digits += is_digit;
        start = last;
    }
    for (const char *p = start; p < end; p = g_utf8_next_char(p))
        g_string_append_c(number, *p == '.' ? '.' : (char)('0' + sfu_digit(g_utf8_get_char(p))));
    if (start > text && (start[-1] == '+' || start[-1] == '-'))
        g_string_prepend_c(number, *--start);
    const double weight = g_ascii_strtod(number->str, NULL);
    const gsize colon = without_space(text, (gsize)(start - text));
    g_string_free(number, TRUE);
    if (n_digits == 0 || n_points > 1 || colon == 0 || text[colon - 1] != ':' || !isfinite(weight))
        return 1;
    *length = without_space(text, colon - 1);
    return weight;
}

static void part_clear(gpointer data)
{
    g_array_unref(((SfuPromptPart *)data)->steps);
}

static void add_part(SfuPromptPlan *plan, const char *text, gsize length, int steps, gboolean weighted)
{
    gsize n = length;
    SfuPromptPart part = {.weight = weighted ? read_weight(text, &n) : 1};
    char *words = g_strndup(text, weighted ? n : length);
    part.steps = schedule(words, steps);
    g_free(words);
    g_array_append_val(plan->parts, part);
}

SfuPromptPlan *sfu_prompt_plan_new(const char *text, int steps, gboolean negative, GError **error)
{
    if (!sfu_text_check(text, strlen(text), error))
        return NULL;
    SfuPromptPlan *plan = g_new0(SfuPromptPlan, 1);
    plan->parts = g_array_new(FALSE, FALSE, sizeof(SfuPromptPart));
    g_array_set_clear_func(plan->parts, part_clear);
    const char *from = text;
    for (const char *and; !negative && (and = find_and(from)); from = and+3) {
        add_part(plan, from, (gsize)(and-from), steps, TRUE);
        if (plan->parts->len == SFU_PROMPT_MAX_PARTS) {
            g_set_error(error, SFU_TEXT_ERROR, SFU_TEXT_ERROR_PARTS, _("The prompt joins more than %d parts with AND"),
                        SFU_PROMPT_MAX_PARTS);
            sfu_prompt_plan_free(plan);
            return NULL;
        }
    }
    add_part(plan, from, strlen(from), steps, !negative);
    return plan;
}

void sfu_prompt_plan_free(SfuPromptPlan *plan)
{
    if (!plan)
        return;
    g_array_unref(plan->parts);
    g_free(plan);
}

const char *sfu_prompt_part_at(const SfuPromptPart *part, int call)
{
    for (guint i = 0; i < part->steps->len; i++) {
        const SfuPromptStep *s = &g_array_index(part->steps, SfuPromptStep, i);
        if (call <= s->end)
            return s->text;
    }
    return g_array_index(part->steps, SfuPromptStep, 0).text; /* as the web UI does past the end */
}

/* ---- tags ---- */

char *sfu_prompt_take_tags(const char *text, GPtrArray *tags)
{
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p;) {
        const char *name = p + 1, *colon = name;
        while (*p == '<' && *colon && sfu_is_word(g_utf8_get_char(colon)))
            colon = g_utf8_next_char(colon);
        const char *end = *p == '<' && colon > name && *colon == ':' ? strchr(colon, '>') : NULL;
        if (end && end > colon + 1) {
            if (tags)
                g_ptr_array_add(tags, g_strndup(name, (gsize)(end - name)));
            p = end + 1;
        } else {
            g_string_append_c(out, *p++);
        }
    }
    return g_string_free(out, FALSE);
}
