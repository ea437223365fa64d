/* The text that AUTOMATIC1111's web UI writes into PNG files under "parameters", written and read. Form: the prompt, a
 * line "Negative prompt: ...", a last line "Steps: 20, Sampler: ..., Key: value, ..."; a value with a comma, colon or
 * newline stands in JSON quotes. Reading follows the web UI's own rules; what cannot be taken is said.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sfumato.h"

#include <math.h>
#include <string.h>
#include <json-glib/json-glib.h>
#include <glib/gi18n-lib.h>

#include "params/items.h"
#include "params/other_programs.h"
#include "params/styles.h"
#include "sample/sample.h"
#include "text/wildcards.h"

/* Parameters that have a name of their own in the web UI, in its order. Everything else is written as "Sfumato <name>".
 */
static const struct {
    SfuParam param;
    const char *key;
} keys[] = {
    {SFU_PARAM_STEPS, "Steps"},
    {SFU_PARAM_SAMPLER, "Sampler"},
    {SFU_PARAM_SCHEDULE, "Schedule type"},
    {SFU_PARAM_GUIDANCE, "CFG scale"},
    {SFU_PARAM_IMAGE_GUIDANCE, "Image CFG scale"},
    {SFU_PARAM_SEED, "Seed"},
    {SFU_PARAM_STRENGTH, "Denoising strength"},
    {SFU_PARAM_CLIP_SKIP, "Clip skip"},
    {SFU_PARAM_ETA, "Eta"},
    {SFU_PARAM_GUIDANCE_RESCALE, "CFG Rescale phi"},
    {SFU_PARAM_RNG, "RNG"},
    {SFU_PARAM_SEAMLESS, "Tiling"},
    {SFU_PARAM_MODEL, "Model"},
    {SFU_PARAM_VAE, "VAE"},
    {SFU_PARAM_REFINER, "Refiner"},
    {SFU_PARAM_REFINER_START, "Refiner switch at"},
};

/* These stand elsewhere in the text, or say nothing about the picture. */
static const SfuParam not_pairs[] = {SFU_PARAM_PROMPT, SFU_PARAM_NEGATIVE,      SFU_PARAM_STYLE,       SFU_PARAM_WIDTH,
                                     SFU_PARAM_HEIGHT, SFU_PARAM_PREVIEW_EVERY, SFU_PARAM_PREVIEW_WITH};

static const char *key_of(SfuParam param)
{
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        if (keys[i].param == param)
            return keys[i].key;
    return NULL;
}

/* The shortest decimal that reads back as v. */
static char *number_text(double v)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE], format[8];
    for (int digits = 1; digits <= 17; digits++) {
        g_snprintf(format, sizeof format, "%%.%dg", digits);
        g_ascii_formatd(number, sizeof number, format, v);
        if (g_ascii_strtod(number, NULL) == v && !strchr(number, 'e'))
            break;
    }
    return g_strdup(number);
}

/* The web UI knows files by their names without folder, and models without their ending. */
static char *file_text(const char *path, gboolean ending)
{
    char *base = *path ? g_path_get_basename(path) : g_strdup(""), *dot = strrchr(base, '.');
    if (!ending && dot && (g_ascii_strcasecmp(dot, ".safetensors") == 0 || g_ascii_strcasecmp(dot, ".ckpt") == 0))
        *dot = 0;
    char *text = g_utf8_make_valid(base, -1);
    g_free(base);
    return text;
}

static char *list_text(const char *const *list)
{
    JsonArray *a = json_array_new();
    for (int i = 0; list[i]; i++) {
        char *valid = g_utf8_make_valid(list[i], -1);
        json_array_add_string_element(a, valid);
        g_free(valid);
    }
    JsonNode *node = json_node_init_array(json_node_alloc(), a);
    char *text = json_to_string(node, FALSE);
    json_node_unref(node);
    json_array_unref(a);
    return text;
}

static char *value_text(const SfuParams *p, SfuParam param)
{
    int n;
    const SfuParamSpec *s = &sfu_param_table(&n)[param];
    switch (param) {
    case SFU_PARAM_SAMPLER:
        return g_strdup(sfu_sampler_label(sfu_params_int(p, param)));
    case SFU_PARAM_SCHEDULE:
        return g_strdup(sfu_schedule_label(sfu_params_int(p, param)));
    case SFU_PARAM_RNG:
        return g_strdup(strcmp(sfu_params_text(p, param), "torch") == 0 ? "CPU" : "NV");
    case SFU_PARAM_MODEL:
    case SFU_PARAM_REFINER:
        return file_text(sfu_params_text(p, param), FALSE);
    case SFU_PARAM_VAE:
        return file_text(sfu_params_text(p, param), TRUE);
    case SFU_PARAM_SEAMLESS: /* the web UI knows both axes or none */
        return g_strdup(sfu_params_int(p, param) == 3 ? "True" : sfu_params_text(p, param));
    default:
        break;
    }
    if (s->list)
        return list_text(sfu_params_list(p, param));
    if (sfu_param_is_text(s) || s->type == SFU_PARAM_CHOICE)
        return g_utf8_make_valid(sfu_params_text(p, param), -1);
    return s->type == SFU_PARAM_FLOAT ? number_text(sfu_params_double(p, param))
                                      : g_strdup_printf("%" G_GINT64_FORMAT, sfu_params_int64(p, param));
}

static gboolean is_pair(SfuParam param)
{
    for (guint i = 0; i < G_N_ELEMENTS(not_pairs); i++)
        if (not_pairs[i] == param)
            return FALSE;
    return TRUE;
}

static void append_value(GString *out, const SfuParams *p, SfuParam param, const char *key)
{
    char *v = value_text(p, param);
    if (*v)
        sfu_infotext_append(out, key, v);
    g_free(v);
}

/* Two bare weights of an adapter, <lora:name:0.8:0.5>, mean network and text here, and text and network in the web UI.
 * With names before them everybody understands them alike. Takes text; caller frees. */
static char *name_weights(char *text, const char *first, const char *second)
{
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p;) {
        const gboolean tag = g_str_has_prefix(p, "<lora:") || g_str_has_prefix(p, "<lyco:");
        const char *name = p + 6, *end = tag ? strchr(p, '>') : NULL,
                   *a = end ? memchr(name, ':', (gsize)(end - name)) : NULL,
                   *b = a ? memchr(a + 1, ':', (gsize)(end - a - 1)) : NULL;
        if (b && !memchr(a, '=', (gsize)(end - a)) && !memchr(b + 1, ':', (gsize)(end - b - 1))) {
            g_string_append_printf(out, "%.*s:%s%.*s:%s%.*s>", (int)(a - p), p, first, (int)(b - a - 1), a + 1, second,
                                   (int)(end - b - 1), b + 1);
            p = end + 1;
        } else {
            g_string_append_c(out, *p++);
        }
    }
    g_free(text);
    return g_string_free(out, FALSE);
}

char *sfu_params_to_infotext(const SfuParams *p, int width, int height)
{
    /* The words of a style go into the prompts, so that every program that reads them makes the same picture. */
    char *prompt, *negative;
    sfu_style_apply(p, &prompt, &negative);
    prompt = name_weights(prompt, "unet=", "te=");
    GString *out = g_string_new(prompt);
    if (*negative)
        g_string_append_printf(out, "%sNegative prompt: %s", out->len ? "\n" : "", negative);
    if (out->len)
        g_string_append_c(out, '\n');
    g_free(prompt);
    g_free(negative);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        const SfuParam param = keys[i].param;
        /* These two are always there: readers know the last line by them. */
        if (sfu_params_given(p, param) || param == SFU_PARAM_STEPS || param == SFU_PARAM_SEED)
            append_value(out, p, param, keys[i].key);
        if (param == SFU_PARAM_SEED && width > 0 && height > 0) {
            char *size = g_strdup_printf("%dx%d", width, height);
            sfu_infotext_append(out, "Size", size);
            g_free(size);
        }
    }
    int n;
    const SfuParamSpec *t = sfu_param_table(&n);
    for (int i = 0; i < n; i++) {
        if (!sfu_params_given(p, i) || key_of(i) || !is_pair(i))
            continue;
        char *key = g_strconcat("Sfumato ", t[i].name, NULL);
        append_value(out, p, i, key);
        g_free(key);
    }
    sfu_infotext_append(out, "Version", "Sfumato " SFU_VERSION);
    return g_string_free(out, FALSE);
}

/* ---- reading: pairs of the last line ---- */

typedef struct {
    SfuParams *p;
    GPtrArray *warnings;
    GString *unused; /* keys that say something about the picture and were not taken */
    gboolean is_ours, has_rng, has_hires, draw_things;
    gboolean cpu_noise; /* by a program that always draws noise on the CPU */
} Reader;

static gboolean is_word(gunichar c)
{
    return c == '_' || g_unichar_isalnum(c);
}

static gboolean is_key(gunichar c)
{
    return is_word(c) || c == ' ' || c == '-' || c == '/';
}

/* The end of "text in quotes" at t if a comma or the end follows; NULL if it is none. */
static const char *end_of_quotes(const char *t)
{
    const char *end = t + 1;
    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    return *end == '"' && end > t + 1 && (end[1] == ',' || !end[1]) ? end + 1 : NULL;
}

/* The end of {"name": "hash", ...} at t if a comma or the end follows; NULL if it is none. The web UI's expression
 * stops within, and finds a pair "lora" in {"lora:x": "hash"}. */
static const char *end_of_braces(const char *t)
{
    const char *end = strchr(t, '}');
    return end && memchr(t, '"', (gsize)(end - t)) && (end[1] == ',' || !end[1]) ? end + 1 : NULL;
}

static char *unquote(const char *t, gsize length)
{
    char *text = g_strndup(t, length), *value = NULL;
    JsonNode *node = length >= 2 && *text == '"' && text[length - 1] == '"' ? json_from_string(text, NULL) : NULL;
    if (node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
        value = g_strdup(json_node_get_string(node));
    if (node)
        json_node_unref(node);
    if (!value)
        return g_strchomp(text);
    g_free(text);
    return value;
}

/* Takes one "Key: value" off the text, as the web UI's expression does: a key has two letters or more out of words,
 * blanks, '-' and '/'. NULL at the end; key and value (may be NULL) are the caller's. */
static const char *next_pair(const char *t, char **key, char **value)
{
    while (*t) {
        while (*t && !is_word(g_utf8_get_char(t)))
            t = g_utf8_next_char(t);
        const char *end = t;
        while (*end && is_key(g_utf8_get_char(end)))
            end = g_utf8_next_char(end);
        if (*end != ':' || g_utf8_strlen(t, end - t) < 2) {
            t = *end ? g_utf8_next_char(end) : end;
            continue;
        }
        const char *from = end + 1;
        while (g_ascii_isspace(*from))
            from++;
        const char *to = *from == '"' ? end_of_quotes(from) : *from == '{' ? end_of_braces(from) : NULL;
        if (!to)
            to = from + strcspn(from, ",");
        if (key)
            *key = g_strndup(t, (gsize)(end - t));
        if (value)
            *value = unquote(from, (gsize)(to - from));
        return to;
    }
    return NULL;
}

static int count_pairs(const char *line)
{
    int n = 0;
    while ((line = next_pair(line, NULL, NULL)))
        n++;
    return n;
}

/* A value that the row refuses: a number is brought into the range, anything else is left out; either is said. */
static void set_or_warn(Reader *r, const char *key, const SfuParamSpec *s, const char *value)
{
    GError *error = NULL;
    char *end = NULL;
    const double v = g_ascii_strtod(value, &end);
    const gboolean no_steps = s == sfu_param_find("steps") && v == 0 && !r->is_ours; /* here 0 means the default */
    if (!no_steps && sfu_params_set(r->p, s->name, value, &error))
        return;
    g_clear_error(&error);
    const gboolean is_number =
        (s->type == SFU_PARAM_INT || s->type == SFU_PARAM_FLOAT) && end != value && !*end && isfinite(v);
    if (is_number && (v < s->min || v > s->max) && s != sfu_param_find("seed")) {
        sfu_params_put(r->p, sfu_param_of(s), v);
        char *taken = value_text(r->p, sfu_param_of(s));
        sfu_warn(r->warnings, "\"%s: %s\" is outside of what Sfumato can do (%.10g to %.10g); %s is taken.", key, value,
                 s->min, s->max, taken);
        g_free(taken);
        return;
    }
    char *def = sfu_param_default_words(sfu_param_of(s), -1);
    sfu_params_unset(r->p, sfu_param_of(s));
    sfu_warn(r->warnings, "\"%s: %s\" cannot be taken over for %s; the default holds%s%s.", key, value, s->name,
             *def ? ": " : "", def);
    g_free(def);
}

static void set_sampler(Reader *r, const char *value)
{
    int schedule = -1;
    const int sampler = sfu_sampler_find_with_schedule(value, &schedule);
    if (sampler < 0) {
        char *def = sfu_param_default_words(SFU_PARAM_SAMPLER, -1);
        sfu_warn(r->warnings, "Sfumato has no sampler \"%s\"; the default is taken (%s).", value, def);
        g_free(def);
        return;
    }
    sfu_params_put(r->p, SFU_PARAM_SAMPLER, sampler);
    if (schedule >= 0)
        sfu_params_put(r->p, SFU_PARAM_SCHEDULE, schedule);
}

static void set_schedule(Reader *r, const char *value)
{
    const int schedule = sfu_schedule_find(value);
    if (schedule >= 0)
        sfu_params_put(r->p, SFU_PARAM_SCHEDULE, schedule);
    else
        sfu_warn(r->warnings, "Sfumato has no schedule \"%s\"; the sampler's usual one is taken.", value);
}

static void set_size(Reader *r, const char *value)
{
    char *end = NULL;
    const gint64 w = g_ascii_strtoll(value, &end, 10), h = *end == 'x' ? g_ascii_strtoll(end + 1, &end, 10) : 0;
    const SfuParamSpec *s = sfu_param_find("width");
    if (w >= 1 && h >= 1 && !*end && w <= s->max && h <= s->max) {
        sfu_params_put_int64(r->p, SFU_PARAM_WIDTH, w);
        sfu_params_put_int64(r->p, SFU_PARAM_HEIGHT, h);
    } else {
        sfu_warn(r->warnings, "\"Size: %s\" cannot be taken over; sides of 1 to %.0f can.", value, s->max);
    }
}

/* These need no word: they do not change the picture, or say what is the case here anyway. */
static gboolean is_harmless(const char *key, const char *value)
{
    static const char *const names[] = {"Model hash",
                                        "VAE hash",
                                        "Lora hashes",
                                        "TI hashes",
                                        "Hashes",
                                        "Version",
                                        "User",
                                        "Batch size",
                                        "Batch pos",
                                        "Created Date",
                                        "Created date",
                                        "Template",
                                        "Parser",
                                        "Pipeline",
                                        "Backend",
                                        "Operations",
                                        "Negative Template",
                                        "Time",
                                        "Module 1",
                                        "App",
                                        "Face restoration model",
                                        "Discard penultimate sigma",
                                        NULL};
    static const struct {
        const char *key, *value;
    } usual[] = {{"Emphasis", "Original"}, {"VAE Encoder", "Full"},
                 {"VAE Decoder", "Full"},  {"Variation seed strength", "0"},
                 {"Tiling", "False"},      {"Eta DDIM", "0"},
                 {"Eta DDIM", "0.0"},      {"Hypernet", "None"},
                 {"Refiner", "None"},      {"ENSD", "0"}};
    for (guint i = 0; i < G_N_ELEMENTS(usual); i++)
        if (strcmp(usual[i].key, key) == 0 && strcmp(usual[i].value, value) == 0)
            return TRUE;
    return g_strv_contains(names, key);
}

static const SfuParamSpec *spec_of(const char *key)
{
    int n;
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(keys[i].key, key) == 0)
            return &sfu_param_table(&n)[keys[i].param];
    if (strcmp(key, "Eta DDIM") == 0)
        return sfu_param_find("eta");
    return g_str_has_prefix(key, "Sfumato ") ? sfu_param_find(key + strlen("Sfumato ")) : NULL;
}

/* Draw Things has names of its own for these. */
static const char *usual_key(const Reader *r, const char *key)
{
    return !r->draw_things                      ? key
           : strcmp(key, "Guidance Scale") == 0 ? "CFG scale"
           : strcmp(key, "Strength") == 0       ? "Denoising strength"
                                                : key;
}

static void set_pair(Reader *r, const char *written, const char *value)
{
    const char *key = usual_key(r, written);
    const SfuParamSpec *s = spec_of(key);
    if (strcmp(key, "Size") == 0) {
        set_size(r, value);
    } else if (is_harmless(key, value)) {
        return;
    } else if (strcmp(key, "Scheduler") == 0) { /* Fooocus, and nodes of ComfyUI */
        set_schedule(r, value);
    } else if (!s) {
        g_string_append_printf(r->unused, "%s%s", r->unused->len ? ", " : "", key);
    } else if (sfu_param_of(s) == SFU_PARAM_SAMPLER) {
        set_sampler(r, value);
    } else if (sfu_param_of(s) == SFU_PARAM_SCHEDULE) {
        set_schedule(r, value);
    } else if (sfu_param_of(s) == SFU_PARAM_SEAMLESS && g_ascii_strcasecmp(value, "True") == 0) {
        sfu_params_put(r->p, SFU_PARAM_SEAMLESS, 3);
    } else if (sfu_param_of(s) == SFU_PARAM_RNG) {
        r->has_rng = TRUE;
        sfu_params_set(r->p, s->name, g_ascii_strcasecmp(value, "CPU") == 0 ? "torch" : "philox", NULL);
    } else if (sfu_param_of(s) == SFU_PARAM_VAE &&
               (g_ascii_strcasecmp(value, "None") == 0 || g_ascii_strcasecmp(value, "Automatic") == 0)) {
        sfu_params_unset(r->p, SFU_PARAM_VAE);         /* the model's own */
    } else if (sfu_param_of(s) == SFU_PARAM_REFINER) { /* the web UI puts a hash behind the name */
        const char *hash = g_str_has_suffix(value, "]") ? g_strrstr(value, " [") : NULL;
        char *name = g_strndup(value, hash ? (gsize)(hash - value) : strlen(value));
        set_or_warn(r, key, s, name);
        g_free(name);
    } else if (sfu_param_of(s) == SFU_PARAM_STRENGTH && r->has_hires) {
        return; /* of the second pass, which is among what is not used */
    } else {
        set_or_warn(r, key, s, value);
    }
}

static void read_pairs(Reader *r, const char *line)
{
    char *key, *value;
    for (const char *t = line; (t = next_pair(t, &key, &value));) { /* what decides how others are read */
        const gboolean version = strcmp(key, "Version") == 0;
        r->is_ours |= version && g_str_has_prefix(value, "Sfumato");
        r->cpu_noise |= version && (g_str_has_prefix(value, "ComfyUI") || g_str_has_prefix(value, "Fooocus"));
        r->has_hires |= g_str_has_prefix(key, "Hires ");
        r->draw_things |= strcmp(key, "Seed Mode") == 0;
        g_free(key);
        g_free(value);
    }
    for (const char *t = line; (t = next_pair(t, &key, &value));) {
        set_pair(r, key, value);
        g_free(key);
        g_free(value);
    }
    /* The web UI says nothing when noise came from the GPU, its default. */
    if (!r->has_rng && !r->is_ours)
        sfu_params_set(r->p, "rng", r->cpu_noise ? "torch" : "philox", NULL);
    if (r->unused->len)
        sfu_warn(r->warnings, "These values of the saved parameters are not used: %s.", r->unused->str);
}

/* ---- which of the lines hold what ---- */

/* TRUE if the text has a pair that the web UI, or Sfumato, writes. */
static gboolean has_known_key(const char *line)
{
    char *key, *value;
    gboolean known = FALSE;
    for (const char *t = line; !known && (t = next_pair(t, &key, &value));) {
        known = strcmp(key, "Size") == 0 || is_harmless(key, value) || spec_of(key);
        g_free(key);
        g_free(value);
    }
    return known;
}

/* Where a line of pairs begins in a text that lost the ends of its lines: "a cat Negative prompt: dog Steps: 20, ...".
 * NULL: it has lost none. */
static char *lost_line_end(char *line)
{
    char *steps = strstr(line, " Steps: ");
    if (!steps || count_pairs(steps) < 3)
        return NULL;
    char *head = g_strndup(line, (gsize)(steps - line));
    const gboolean words = !has_known_key(head);
    g_free(head);
    return words ? steps : NULL;
}

/* Copies the text; its lines end in '\n' only, and those of a flat text (see lost_line_end()) stand apart again. */
static char *in_lines(const char *text, GPtrArray *warnings)
{
    char **parts = g_strsplit(text, "\r\n", -1), *copy = g_strstrip(g_strjoinv("\n", parts));
    g_strfreev(parts);
    g_strdelimit(copy, "\r", '\n');
    char *last = strrchr(copy, '\n'), *steps = lost_line_end(last ? last + 1 : copy);
    if (!steps)
        return copy;
    *steps = '\n';
    char *negative = g_strstr_len(copy, steps - copy, " Negative prompt:");
    if (negative)
        *negative = '\n';
    sfu_warn(warnings, "The saved text has lost its line breaks; prompts and values are told apart by \"Negative "
                       "prompt:\" and \"Steps:\".");
    return copy;
}

/* The line of the pairs: the last one that begins with "Steps:", behind which other programs put lines of their own,
 * else the last one if it has three pairs, as for the web UI. -1: there is none. */
static int line_of_pairs(char **lines)
{
    const int n = (int)g_strv_length(lines);
    for (int i = n - 1; i >= 0; i--)
        if (g_str_has_prefix(lines[i], "Steps: ") && (i == n - 1 || count_pairs(lines[i]) >= 3))
            return i;
    return n > 0 && count_pairs(lines[n - 1]) >= 3 && has_known_key(lines[n - 1]) ? n - 1 : -1;
}

/* Prompt and negative prompt: the lines before `end`, each without space around it. */
static void read_prompts(char **lines, int end, GString *prompt, GString *negative)
{
    GString *to = prompt;
    for (int i = 0; i < end; i++) {
        const char *line = g_strstrip(lines[i]);
        if (i == end - 1 && i > 0 && *line == '-' && lines[end] && strstr(lines[end], ", Seed Mode: ")) {
            to = negative; /* as Draw Things marks it */
            line++;
        }
        if (g_str_has_prefix(line, "Negative prompt:")) {
            to = negative;
            line += strlen("Negative prompt:");
            while (g_ascii_isspace(*line))
                line++;
        }
        g_string_append_printf(to, "%s%s", to->len ? "\n" : "", line);
    }
}

/* The prompts of a finished picture: what looks like a wildcard in them is what the model saw. */
static void put_prompts(const Reader *r, const char *prompt, const char *negative)
{
    char *words = sfu_wildcards_escape(negative);
    sfu_params_put_text(r->p, SFU_PARAM_NEGATIVE, words);
    g_free(words);
    words = name_weights(sfu_wildcards_escape(prompt), r->is_ours ? "unet=" : "te=", r->is_ours ? "te=" : "unet=");
    sfu_params_put_text(r->p, SFU_PARAM_PROMPT, words);
    g_free(words);
}

/* Takes prompts and the line of pairs (NULL: there is none). */
static gboolean put_text(SfuParams *p, const char *prompt, const char *negative, const char *pairs, GPtrArray *warnings,
                         GError **error)
{
    if (!sfu_params_set(p, "prompt", prompt, error) || !sfu_params_set(p, "negative", negative, error))
        return FALSE;
    if (pairs) {
        Reader r = {.p = p, .warnings = warnings, .unused = g_string_new(NULL)};
        read_pairs(&r, pairs);
        g_string_free(r.unused, TRUE);
        put_prompts(&r, prompt, negative);
        return TRUE;
    }
    if (*prompt || *negative)
        sfu_warn(warnings, "The saved text holds no line \"Steps: ...\", so all of it is the prompt.");
    else
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The text holds no generation parameters."));
    return *prompt || *negative;
}

gboolean sfu_params_from_infotext(SfuParams *p, const char *text, GPtrArray *warnings, GError **error)
{
    if (!text || !g_utf8_validate(text, -1, NULL)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The saved parameters are not valid UTF-8 text."));
        return FALSE;
    }
    const char *program;
    SfuOtherText other;
    if (sfu_other_text_read(text, &other, &program, warnings)) {
        const gboolean ok = put_text(p, other.prompt, other.negative, other.pairs, warnings, error);
        sfu_other_text_clear(&other);
        return ok;
    }
    if (program) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("The parameters were saved by %s in a form that Sfumato does not read."), program);
        return FALSE;
    }
    char *copy = in_lines(text, warnings);
    char **lines = g_strsplit(copy, "\n", -1);
    const int n = (int)g_strv_length(lines), at = line_of_pairs(lines);
    GString *prompt = g_string_new(NULL), *negative = g_string_new(NULL);
    read_prompts(lines, at >= 0 ? at : n, prompt, negative);
    const gboolean ok = put_text(p, prompt->str, negative->str, at >= 0 ? lines[at] : NULL, warnings, error);
    if (ok && at >= 0 && at < n - 1)
        sfu_warn(warnings, "The text after the line \"Steps: ...\" is not used.");
    g_string_free(prompt, TRUE);
    g_string_free(negative, TRUE);
    g_strfreev(lines);
    g_free(copy);
    return ok;
}
