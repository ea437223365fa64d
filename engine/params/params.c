/* The table of parameters, and sets of values.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sfumato.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <json-glib/json-glib.h>
#include <glib/gi18n-lib.h>

#include "file/json.h"
#include "params/styles.h"
#include "sample/sample.h"

GQuark sfu_error_quark(void)
{
    return g_quark_from_static_string("sfumato-error");
}

const char *sfu_task_name(SfuTask task)
{
    static const char *const names[SFU_N_TASKS] = {"txt2img", "img2img", "inpaint", "outpaint", "edit", "upscale"};
    return task >= 0 && task < SFU_N_TASKS ? names[task] : "unknown";
}

#define TASK(x) (1u << SFU_TASK_##x)
#define ALL ((1u << SFU_N_TASKS) - 1)
#define FILLS (TASK(INPAINT) | TASK(OUTPAINT))
#define NEEDS(x) .needs = SFU_NEEDS_##x
#define REGION (TASK(IMG2IMG) | TASK(INPAINT) | TASK(OUTPAINT))

static const char *const rng_choices[] = {"torch", "philox", NULL};
static const char *const content_choices[] = {"fill", "original", "noise", "nothing", "patch", NULL};
static const char *const seamless_choices[] = {"none", "x", "y", "xy", NULL};
static const char *const preview_choices[] = {"auto", "taesd", "linear", "vae", NULL};

static SfuParamSpec table[SFU_N_PARAMS] = {
#define ROW(id, name_, label_, help_, type_, tasks_, ...)                                                              \
    {.name = name_, .label = label_, .help = help_, .type = SFU_PARAM_##type_, .tasks = tasks_, ##__VA_ARGS__},
#include SFU_PARAM_TABLE
#undef ROW
};

/* Defaults that differ by task from the row's. */
static const struct {
    SfuParam param;
    SfuTask task;
    double def;
} task_defaults[] = {
    {SFU_PARAM_STRENGTH, SFU_TASK_TXT2IMG, 1},    {SFU_PARAM_STRENGTH, SFU_TASK_INPAINT, 1},
    {SFU_PARAM_STRENGTH, SFU_TASK_OUTPAINT, 1},   {SFU_PARAM_STRENGTH, SFU_TASK_EDIT, 1},
    {SFU_PARAM_STRENGTH, SFU_TASK_UPSCALE, 0.35},
};

/* The words of a function that ends with NULL; lives as long as the process. */
static const char **collect(const char *(*name)(int))
{
    int n = 0;
    while (name(n))
        n++;
    const char **v = g_new0(const char *, n + 1);
    for (int i = 0; i < n; i++)
        v[i] = name(i);
    return v;
}

static int choice_index(const SfuParamSpec *s, const char *word)
{
    for (int i = 0; s->choices[i]; i++)
        if (g_ascii_strcasecmp(s->choices[i], word) == 0)
            return i;
    return -1;
}

static void table_init(void)
{
    static gsize once;
    if (!g_once_init_enter(&once))
        return;
    for (int i = 0; i < SFU_N_PARAMS; i++) {
        SfuParamSpec *s = &table[i];
        if (!s->unit)
            s->unit = "";
        if (s->type == SFU_PARAM_BOOL)
            s->max = 1;
        if (s->type != SFU_PARAM_CHOICE)
            continue;
        if (s->choices_of)
            s->choices = collect(s->choices_of);
        s->max = g_strv_length((char **)s->choices) - 1;
    }
    g_once_init_leave(&once, 1);
}

const SfuParamSpec *sfu_param_table(int *n)
{
    table_init();
    *n = SFU_N_PARAMS;
    return table;
}

static int find_row(const char *name)
{
    table_init();
    for (int i = 0; name && i < SFU_N_PARAMS; i++)
        if (strcmp(table[i].name, name) == 0)
            return i;
    return -1;
}

const SfuParamSpec *sfu_param_find(const char *name)
{
    const int i = find_row(name);
    return i < 0 ? NULL : &table[i];
}

SfuParam sfu_param_of(const SfuParamSpec *spec)
{
    return (SfuParam)(spec - table);
}

gboolean sfu_param_is_text(const SfuParamSpec *spec)
{
    return spec->type == SFU_PARAM_STRING || spec->type == SFU_PARAM_FILE;
}

const char *sfu_param_choice_label(const SfuParamSpec *spec, int choice)
{
    const char *word = spec->choices[choice];
    const int sampler = strcmp(spec->name, "sampler") == 0 ? sfu_sampler_find(word) : -1;
    const int schedule = strcmp(spec->name, "schedule") == 0 ? sfu_schedule_find(word) : -1;
    return sampler >= 0 ? sfu_sampler_label(sampler) : schedule >= 0 ? sfu_schedule_label(schedule) : word;
}

double sfu_param_default(SfuParam param, SfuTask task)
{
    table_init();
    for (gsize i = 0; i < G_N_ELEMENTS(task_defaults); i++)
        if (task_defaults[i].param == param && task_defaults[i].task == task)
            return task_defaults[i].def;
    return table[param].def;
}

static char *number_words(const SfuParamSpec *s, double v)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    if (s->type == SFU_PARAM_BOOL)
        return g_strdup(v != 0 ? "on" : "off");
    if (s->type == SFU_PARAM_CHOICE)
        return g_strdup(s->choices[(int)v]);
    g_ascii_formatd(number, sizeof number, "%.15g", v);
    return g_strconcat(number, *s->unit ? " " : "", s->unit, NULL);
}

char *sfu_param_default_words(SfuParam param, int task)
{
    table_init();
    const SfuParamSpec *s = &table[param];
    if (s->def_words)
        return g_strdup(s->def_words);
    if (sfu_param_is_text(s))
        return g_strdup("");
    if (task >= 0)
        return number_words(s, sfu_param_default(param, (SfuTask)task));
    /* For any task: all that differ. */
    GString *all = g_string_new(NULL);
    for (int t = 0; t < SFU_N_TASKS; t++) {
        const double def = sfu_param_default(param, (SfuTask)t);
        if (!(s->tasks & 1u << t) || def == s->def)
            continue;
        char *words = number_words(s, def);
        g_string_append_printf(all, "%s %s %s", all->len ? "," : ";", sfu_task_name((SfuTask)t), words);
        g_free(words);
    }
    char *usual = number_words(s, s->def);
    g_string_prepend(all, usual);
    g_free(usual);
    return g_string_free(all, FALSE);
}

/* ---- values --------------------------------------------------------------------------------------------------- */

typedef struct {
    gboolean given;
    double number;   /* FLOAT */
    gint64 whole;    /* BOOL, INT, CHOICE */
    char *text;      /* STRING, FILE */
    GPtrArray *list; /* of char*, NULL at its end; rows with `list` */
} Value;

struct SfuParams {
    Value v[SFU_N_PARAMS];
};

static const char *const no_texts[] = {NULL};

static void value_clear(Value *v)
{
    g_free(v->text);
    g_clear_pointer(&v->list, g_ptr_array_unref);
    *v = (Value){0};
}

/* Appends; the array ends with a NULL that its length does not count. */
static void list_add(Value *v, const char *text)
{
    if (!v->list)
        v->list = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(v->list, g_strdup(text));
    g_ptr_array_add(v->list, NULL);
    v->list->len--;
    v->given = TRUE;
}

SfuParams *sfu_params_new(void)
{
    table_init();
    return g_new0(SfuParams, 1);
}

SfuParams *sfu_params_copy(const SfuParams *p)
{
    SfuParams *c = g_new0(SfuParams, 1);
    for (int i = 0; i < SFU_N_PARAMS; i++) {
        const Value *v = &p->v[i];
        c->v[i] = (Value){v->given, v->number, v->whole, g_strdup(v->text), NULL};
        for (guint k = 0; v->list && k < v->list->len; k++)
            list_add(&c->v[i], v->list->pdata[k]);
    }
    return c;
}

void sfu_params_free(SfuParams *p)
{
    if (!p)
        return;
    for (int i = 0; i < SFU_N_PARAMS; i++)
        value_clear(&p->v[i]);
    g_free(p);
}

gboolean sfu_params_given(const SfuParams *p, SfuParam param)
{
    return p->v[param].given;
}

void sfu_params_unset(SfuParams *p, SfuParam param)
{
    value_clear(&p->v[param]);
}

double sfu_params_double(const SfuParams *p, SfuParam param)
{
    const Value *v = &p->v[param];
    return !v->given ? table[param].def : table[param].type == SFU_PARAM_FLOAT ? v->number : (double)v->whole;
}

gint64 sfu_params_int64(const SfuParams *p, SfuParam param)
{
    const Value *v = &p->v[param];
    return !v->given ? (gint64)table[param].def : table[param].type == SFU_PARAM_FLOAT ? (gint64)v->number : v->whole;
}

int sfu_params_int(const SfuParams *p, SfuParam param)
{
    return (int)CLAMP(sfu_params_int64(p, param), G_MININT, G_MAXINT);
}

gboolean sfu_params_bool(const SfuParams *p, SfuParam param)
{
    return sfu_params_int64(p, param) != 0;
}

const char *sfu_params_text(const SfuParams *p, SfuParam param)
{
    if (table[param].type == SFU_PARAM_CHOICE)
        return table[param].choices[sfu_params_int(p, param)];
    return p->v[param].text ? p->v[param].text : "";
}

const char *const *sfu_params_list(const SfuParams *p, SfuParam param)
{
    const GPtrArray *list = p->v[param].list;
    return list ? (const char *const *)list->pdata : no_texts;
}

double sfu_params_for(const SfuParams *p, SfuParam param, SfuTask task)
{
    return sfu_params_given(p, param) ? sfu_params_double(p, param) : sfu_param_default(param, task);
}

/* ---- setting --------------------------------------------------------------------------------------------------- */

/* The row's greatest and least whole number; a double cannot say 2^63 - 1. */
static gint64 whole_limit(double limit)
{
    return limit >= 0x1p63 ? G_MAXINT64 : limit <= -0x1p63 ? G_MININT64 : (gint64)limit;
}

void sfu_params_put_int64(SfuParams *p, SfuParam param, gint64 value)
{
    const SfuParamSpec *s = &table[param];
    value_clear(&p->v[param]);
    p->v[param].whole = CLAMP(value, whole_limit(s->min), whole_limit(s->max));
    p->v[param].given = TRUE;
}

void sfu_params_put(SfuParams *p, SfuParam param, double value)
{
    const SfuParamSpec *s = &table[param];
    const double v = isnan(value) ? s->def : CLAMP(value, s->min, s->max);
    if (s->type != SFU_PARAM_FLOAT) {
        sfu_params_put_int64(p, param, whole_limit(rint(v)));
        return;
    }
    value_clear(&p->v[param]);
    p->v[param].number = v;
    p->v[param].given = TRUE;
}

void sfu_params_put_text(SfuParams *p, SfuParam param, const char *value)
{
    char *text = g_strdup(value ? value : ""); /* may be the old value */
    value_clear(&p->v[param]);
    p->v[param].text = text;
    p->v[param].given = TRUE;
}

static int find_or_fail(const char *name, GError **error)
{
    const int i = find_row(name);
    if (i < 0)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("There is no parameter \"%s\"."),
                    SFU_TEXT_HEAD(name ? name : ""));
    return i;
}

static gboolean refuse_range(const SfuParamSpec *s, const char *value, GError **error)
{
    char least[G_ASCII_DTOSTR_BUF_SIZE], most[32];
    g_ascii_formatd(least, sizeof least, "%.10g", s->min);
    if (s->max > SFU_EXACT_MAX)
        g_snprintf(most, sizeof most, "%" G_GINT64_FORMAT, whole_limit(s->max));
    else
        g_ascii_formatd(most, sizeof most, "%.16g", s->max);
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s must lie between %s and %s, not %s."), s->name, least, most,
                value);
    return FALSE;
}

static gboolean refuse_text(const SfuParamSpec *s, GError **error)
{
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s takes text, not a number."), s->name);
    return FALSE;
}

gboolean sfu_params_set_int64(SfuParams *p, const char *name, gint64 value, GError **error)
{
    const int i = find_or_fail(name, error);
    if (i < 0)
        return FALSE;
    const SfuParamSpec *s = &table[i];
    char text[32];
    if (s->type == SFU_PARAM_FLOAT)
        return sfu_params_set_double(p, name, (double)value, error);
    if (sfu_param_is_text(s))
        return refuse_text(s, error);
    g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, value);
    if (value < whole_limit(s->min) || value > whole_limit(s->max))
        return refuse_range(s, text, error);
    sfu_params_put_int64(p, i, value);
    return TRUE;
}

gboolean sfu_params_set_double(SfuParams *p, const char *name, double value, GError **error)
{
    const int i = find_or_fail(name, error);
    if (i < 0)
        return FALSE;
    const SfuParamSpec *s = &table[i];
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (sfu_param_is_text(s))
        return refuse_text(s, error);
    g_ascii_formatd(text, sizeof text, "%.16g", value);
    if (s->type != SFU_PARAM_FLOAT && isfinite(value) && value != floor(value)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s must be a whole number, not %s."), name, text);
        return FALSE;
    }
    if (!isfinite(value) || value < s->min || value > s->max)
        return refuse_range(s, text, error);
    if (s->type != SFU_PARAM_FLOAT && fabs(value) > SFU_EXACT_MAX) {
        g_set_error(
            error, SFU_ERROR, SFU_ERROR_USAGE,
            _("%s is %s, and a floating-point number is exact only up to %.0f; give it as a whole number or as text."),
            name, text, SFU_EXACT_MAX);
        return FALSE;
    }
    sfu_params_put(p, i, value);
    return TRUE;
}

static gboolean parse_bool(const char *t, double *v)
{
    static const char *const yes[] = {"true", "yes", "on", "1", NULL}, *const no[] = {"false", "no", "off", "0", NULL};
    for (int i = 0; i < 4; i++) {
        if (g_ascii_strcasecmp(t, yes[i]) == 0 || g_ascii_strcasecmp(t, no[i]) == 0) {
            *v = g_ascii_strcasecmp(t, yes[i]) == 0;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean ends_here(const char *text, const char *end)
{
    while (end && g_ascii_isspace(*end))
        end++;
    return end && end != text && !*end;
}

static gboolean set_number(SfuParams *p, const SfuParamSpec *s, const char *value, GError **error)
{
    char *end = NULL;
    if (s->type == SFU_PARAM_INT) {
        errno = 0;
        const gint64 whole = g_ascii_strtoll(value, &end, 10);
        const gboolean is_whole = end != value && ends_here(value, end);
        if (is_whole && errno == ERANGE)
            return refuse_range(s, value, error);
        if (is_whole)
            return sfu_params_set_int64(p, s->name, whole, error);
    }
    const double v = g_ascii_strtod(value, &end);
    if (end == value || !ends_here(value, end)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s must be a number, not \"%s\"."), s->name,
                    SFU_TEXT_HEAD(value));
        return FALSE;
    }
    return sfu_params_set_double(p, s->name, v, error);
}

static gboolean check_utf8(const SfuParamSpec *s, const char *value, GError **error)
{
    if (s->type == SFU_PARAM_FILE || g_utf8_validate(value, -1, NULL)) /* names of files are bytes */
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The text given for %s is not valid UTF-8."), s->name);
    return FALSE;
}

/* The elements of a JSON array of strings; FALSE if it is something else. */
static gboolean set_list_from_node(SfuParams *p, const SfuParamSpec *s, JsonNode *node, GError **error)
{
    JsonArray *a = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    Value fresh = {.given = TRUE};
    for (guint k = 0; a && k < json_array_get_length(a); k++) {
        JsonNode *e = json_array_get_element(a, k);
        if (JSON_NODE_HOLDS_VALUE(e) && json_node_get_value_type(e) == G_TYPE_STRING)
            list_add(&fresh, json_node_get_string(e));
        else
            a = NULL;
    }
    if (!a) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s must be a list of texts."), s->name);
        value_clear(&fresh);
        return FALSE;
    }
    value_clear(&p->v[sfu_param_of(s)]);
    p->v[sfu_param_of(s)] = fresh;
    return TRUE;
}

static gboolean set_list(SfuParams *p, const SfuParamSpec *s, const char *value, GError **error)
{
    guint n_names;
    JsonNode *node =
        *value == '[' && sfu_json_depth(value, strlen(value), &n_names) == 1 ? json_from_string(value, NULL) : NULL;
    gboolean ok = TRUE;
    if (node && JSON_NODE_HOLDS_ARRAY(node)) {
        ok = set_list_from_node(p, s, node, error);
    } else {
        value_clear(&p->v[sfu_param_of(s)]);
        p->v[sfu_param_of(s)].given = TRUE;
        if (*value)
            list_add(&p->v[sfu_param_of(s)], value);
    }
    if (node)
        json_node_unref(node);
    return ok;
}

gboolean sfu_params_add(SfuParams *p, const char *name, const char *value, GError **error)
{
    const int i = find_or_fail(name, error);
    if (i < 0)
        return FALSE;
    if (!table[i].list)
        return sfu_params_set(p, name, value, error);
    if (!check_utf8(&table[i], value, error))
        return FALSE;
    list_add(&p->v[i], value);
    return TRUE;
}

gboolean sfu_params_set(SfuParams *p, const char *name, const char *value, GError **error)
{
    const int i = find_or_fail(name, error);
    if (i < 0)
        return FALSE;
    const SfuParamSpec *s = &table[i];
    double v = 0;
    if (!value)
        value = "";
    switch (s->type) {
    case SFU_PARAM_STRING:
    case SFU_PARAM_FILE:
        if (!check_utf8(s, value, error))
            return FALSE;
        if (s->list)
            return set_list(p, s, value, error);
        sfu_params_put_text(p, i, value);
        return TRUE;
    case SFU_PARAM_CHOICE:
        v = choice_index(s, value);
        if (v < 0) {
            char *all = g_strjoinv(", ", (char **)s->choices);
            const char *lost = s->choices_lost ? s->choices_lost() : NULL;
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s cannot be \"%s\"; it is one of %s.%s%s"), name,
                        SFU_TEXT_HEAD(value), all, lost ? " " : "", lost ? lost : "");
            g_free(all);
            return FALSE;
        }
        break;
    case SFU_PARAM_BOOL:
        if (!parse_bool(value, &v)) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s is true or false, not \"%s\"."), name,
                        SFU_TEXT_HEAD(value));
            return FALSE;
        }
        break;
    case SFU_PARAM_INT:
    case SFU_PARAM_FLOAT:
        return set_number(p, s, value, error);
    }
    return sfu_params_set_double(p, name, v, error);
}

double sfu_params_get_double(const SfuParams *p, const char *name)
{
    const int i = find_row(name);
    return i < 0 ? 0 : sfu_params_double(p, i);
}

const char *sfu_params_get_string(const SfuParams *p, const char *name)
{
    const int i = find_row(name);
    return i < 0 ? "" : sfu_params_text(p, i);
}

gboolean sfu_params_is_set(const SfuParams *p, const char *name)
{
    const int i = find_row(name);
    return i >= 0 && p->v[i].given;
}

void sfu_warn(GPtrArray *warnings, const char *format, ...)
{
    va_list arguments;
    if (!warnings)
        return;
    va_start(arguments, format);
    char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (g_ptr_array_find_with_equal_func(warnings, sentence, g_str_equal, NULL))
        g_free(sentence);
    else
        g_ptr_array_add(warnings, sentence);
}

/* ---- JSON ----------------------------------------------------------------------------------------------------- */

#define MAX_JSON (16 << 20)

static JsonNode *value_node(const SfuParams *p, int i)
{
    JsonNode *node = json_node_alloc();
    char *text;
    switch (table[i].type) {
    case SFU_PARAM_BOOL:
        return json_node_init_boolean(node, sfu_params_bool(p, i));
    case SFU_PARAM_INT:
        return json_node_init_int(node, sfu_params_int64(p, i));
    case SFU_PARAM_FLOAT:
        return json_node_init_double(node, sfu_params_double(p, i));
    default:
        break;
    }
    if (table[i].list) {
        JsonArray *a = json_array_new();
        const char *const *list = sfu_params_list(p, i);
        for (int k = 0; list[k]; k++) {
            text = g_utf8_make_valid(list[k], -1);
            json_array_add_string_element(a, text);
            g_free(text);
        }
        json_node_init_array(node, a);
        json_array_unref(a);
        return node;
    }
    text = g_utf8_make_valid(sfu_params_text(p, i), -1);
    json_node_init_string(node, text);
    g_free(text);
    return node;
}

char *sfu_params_to_json(const SfuParams *p)
{
    JsonObject *o = json_object_new();
    for (int i = 0; i < SFU_N_PARAMS; i++)
        if (p->v[i].given)
            json_object_set_member(o, table[i].name, value_node(p, i));
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, o);
    char *text = json_to_string(node, FALSE);
    json_node_unref(node);
    return text;
}

static gboolean set_from_node(SfuParams *p, const char *name, JsonNode *node, GError **error)
{
    const int i = find_or_fail(name, error);
    if (i < 0)
        return FALSE;
    if (JSON_NODE_HOLDS_ARRAY(node) && table[i].list)
        return set_list_from_node(p, &table[i], node, error);
    if (JSON_NODE_HOLDS_VALUE(node)) {
        const GType t = json_node_get_value_type(node);
        if (t == G_TYPE_STRING)
            return sfu_params_set(p, name, json_node_get_string(node), error);
        if (t == G_TYPE_BOOLEAN)
            return sfu_params_set(p, name, json_node_get_boolean(node) ? "true" : "false", error);
        return t == G_TYPE_INT64 ? sfu_params_set_int64(p, name, json_node_get_int(node), error)
                                 : sfu_params_set_double(p, name, json_node_get_double(node), error);
    }
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s must be a number, a word or true or false."), name);
    return FALSE;
}

gboolean sfu_params_from_object(SfuParams *p, JsonObject *object, GError **error)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;
    gboolean ok = TRUE;
    json_object_iter_init(&iter, object);
    while (ok && json_object_iter_next(&iter, &name, &node))
        ok = set_from_node(p, name, node, error);
    return ok;
}

gboolean sfu_params_from_json(SfuParams *p, const char *json, GError **error)
{
    GError *e = NULL;
    JsonNode *root = sfu_json_parse(json, strlen(json), MAX_JSON, "The parameters", &e);
    if (!root) {
        g_set_error_literal(error, SFU_ERROR, SFU_ERROR_USAGE, e->message);
        g_error_free(e);
        return FALSE;
    }
    gboolean ok = sfu_json_is_exact(json, strlen(json));
    if (!ok)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("The parameters hold a whole number of more than 64 bits or a text with a zero in it."));
    ok = ok && sfu_params_from_object(p, json_node_get_object(root), error);
    json_node_unref(root);
    return ok;
}
