/* The text that AUTOMATIC1111's web UI writes into PNG files under "parameters", written and read. Form: the prompt, a line "Negative
 * prompt: ...", a last line "Steps: 20, Sampler: ..., Key: value, ..."; a value with a comma, colon or newline stands in JSON quotes.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sfumato.h"

#include <math.h>
#include <string.h>
#include <stdio.h>
#include <json-glib/json-glib.h>

#include "params/styles.h"
#include "sample/sample.h"

/* Parameters that have a name of their own in the web UI. Everything else is written as "Sfumato <name>". */
static const struct {
    const char *name, *key;
} keys[] = {
    {"steps", "Steps"}, {"sampler", "Sampler"}, {"schedule", "Schedule type"}, {"guidance", "CFG scale"},
    {"image_guidance", "Image CFG scale"}, {"seed", "Seed"}, {"strength", "Denoising strength"}, {"clip_skip", "Clip skip"},
    {"eta", "Eta"}, {"guidance_rescale", "CFG Rescale phi"}, {"rng", "RNG"}, {"model", "Model"}, {"vae", "VAE"},
};

static const char *key_of(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(keys[i].name, name) == 0)
            return keys[i].key;
    return NULL;
}

static const char *name_of(const char *key)
{
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(keys[i].key, key) == 0)
            return keys[i].name;
    return g_str_has_prefix(key, "Sfumato ") ? key + strlen("Sfumato ") : NULL;
}

static void append(GString *out, const char *key, const char *value)
{
    if (out->len && out->str[out->len - 1] != '\n')
        g_string_append(out, ", ");
    if (strpbrk(value, ",:\n\"")) {
        JsonNode *node = json_node_alloc();
        json_node_init_string(node, value);
        char *quoted = json_to_string(node, FALSE);
        g_string_append_printf(out, "%s: %s", key, quoted);
        g_free(quoted);
        json_node_unref(node);
    } else {
        g_string_append_printf(out, "%s: %s", key, value);
    }
}

static char *value_text(const SfuParams *p, const SfuParamSpec *s)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    const char *word = s->type == SFU_PARAM_CHOICE || s->type == SFU_PARAM_STRING || s->type == SFU_PARAM_FILE
                           ? sfu_params_get_string(p, s->name) : NULL;
    if (strcmp(s->name, "sampler") == 0)
        return g_strdup(sfu_sampler_label(sfu_params_int(p, SFU_PARAM_SAMPLER)));
    if (strcmp(s->name, "schedule") == 0)
        return g_strdup(sfu_schedule_label(sfu_params_int(p, SFU_PARAM_SCHEDULE)));
    if (strcmp(s->name, "rng") == 0)
        return g_strdup(strcmp(word, "torch") == 0 ? "CPU" : "NV");
    if (strcmp(s->name, "model") == 0 || strcmp(s->name, "vae") == 0) {
        /* The web UI knows models by their names without folder and ending. */
        char *base = *word ? g_path_get_basename(word) : g_strdup("");
        char *dot = strrchr(base, '.');
        if (dot && (g_ascii_strcasecmp(dot, ".safetensors") == 0 || g_ascii_strcasecmp(dot, ".ckpt") == 0))
            *dot = 0;
        return base;
    }
    if (word)
        return g_utf8_make_valid(word, -1);
    if (s->type == SFU_PARAM_FLOAT)
        return g_strdup(g_ascii_formatd(number, sizeof number, "%.10g", sfu_params_get_double(p, s->name)));
    return g_strdup(g_ascii_formatd(number, sizeof number, "%.0f", sfu_params_get_double(p, s->name)));
}

char *sfu_params_to_infotext(const SfuParams *p, int width, int height)
{
    /* The words of a style go into the prompts, so that every program that reads them makes the same picture. */
    char *prompt, *negative;
    sfu_style_apply(p, &prompt, &negative);
    GString *out = g_string_new(prompt);
    if (*negative)
        g_string_append_printf(out, "%sNegative prompt: %s", out->len ? "\n" : "", negative);
    if (out->len)
        g_string_append_c(out, '\n');
    g_free(prompt);
    g_free(negative);

    int n;
    const SfuParamSpec *t = sfu_param_table(&n);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        const SfuParamSpec *s = sfu_param_find(keys[i].name);
        /* These four are always there: readers know the last line by them. */
        const gboolean always = i < 4 || strcmp(s->name, "seed") == 0;
        if (!always && !sfu_params_is_set(p, s->name))
            continue;
        char *v = value_text(p, s);
        if (*v)
            append(out, keys[i].key, v);
        g_free(v);
        if (strcmp(s->name, "seed") == 0 && width > 0 && height > 0) {
            char *size = g_strdup_printf("%dx%d", width, height);
            append(out, "Size", size);
            g_free(size);
        }
    }
    for (int i = 0; i < n; i++) {
        const SfuParamSpec *s = &t[i];
        if (!sfu_params_is_set(p, s->name) || key_of(s->name) || strcmp(s->name, "prompt") == 0 || strcmp(s->name, "negative") == 0 ||
            strcmp(s->name, "style") == 0 || strcmp(s->name, "width") == 0 || strcmp(s->name, "height") == 0 ||
            g_str_has_prefix(s->name, "preview"))
            continue;
        char *v = value_text(p, s), *key = g_strconcat("Sfumato ", s->name, NULL);
        if (*v)
            append(out, key, v);
        g_free(v);
        g_free(key);
    }
    append(out, "Version", "Sfumato " SFU_VERSION);
    return g_string_free(out, FALSE);
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static gboolean set_index(SfuParams *p, const char *name, int index)
{
    return index >= 0 && sfu_params_set_double(p, name, index, NULL);
}

/* "DPM++ 2M Karras": older versions write sampler and schedule in one. */
static void set_sampler(SfuParams *p, const char *value)
{
    if (set_index(p, "sampler", sfu_sampler_find(value)))
        return;
    const char *space = strrchr(value, ' ');
    if (!space)
        return;
    char *head = g_strndup(value, space - value);
    if (set_index(p, "sampler", sfu_sampler_find(head)))
        set_index(p, "schedule", sfu_schedule_find(space + 1));
    g_free(head);
}

static void set_pair(SfuParams *p, const char *key, const char *value, gboolean *has_rng, gboolean *is_ours)
{
    const char *name = name_of(key);
    if (strcmp(key, "Size") == 0) {
        int w, h;
        if (sscanf(value, "%dx%d", &w, &h) == 2) {
            sfu_params_put(p, SFU_PARAM_WIDTH, w);
            sfu_params_put(p, SFU_PARAM_HEIGHT, h);
        }
    } else if (strcmp(key, "Version") == 0) {
        *is_ours = g_str_has_prefix(value, "Sfumato");
    } else if (!name) {
        return;
    } else if (strcmp(name, "sampler") == 0) {
        set_sampler(p, value);
    } else if (strcmp(name, "schedule") == 0) {
        set_index(p, "schedule", sfu_schedule_find(value));
    } else if (strcmp(name, "rng") == 0) {
        *has_rng = TRUE;
        sfu_params_set(p, name, g_ascii_strcasecmp(value, "CPU") == 0 ? "torch" : "philox", NULL);
    } else {
        sfu_params_set(p, name, value, NULL);
    }
}

/* Takes one "Key: value" off the text; NULL at the end. *value is the caller's. */
static const char *next_pair(const char *t, char **key, char **value)
{
    while (*t == ' ' || *t == ',')
        t++;
    const char *colon = strchr(t, ':');
    if (!*t || !colon)
        return NULL;
    *key = g_strndup(t, colon - t);
    t = colon + 1;
    while (*t == ' ')
        t++;
    const char *end = t;
    if (*t == '"') {
        for (end = t + 1; *end && *end != '"'; end++)
            if (*end == '\\' && end[1])
                end++;
        if (*end)
            end++;
        char *quoted = g_strndup(t, end - t);
        JsonNode *node = json_from_string(quoted, NULL);
        *value = node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_string(node) ? g_strdup(json_node_get_string(node)) : g_strdup(quoted);
        if (node)
            json_node_unref(node);
        g_free(quoted);
    } else {
        while (*end && *end != ',')
            end++;
        *value = g_strndup(t, end - t);
        g_strchomp(*value);
    }
    return end;
}

static void read_pairs(SfuParams *p, const char *line)
{
    gboolean has_rng = FALSE, is_ours = FALSE;
    char *key, *value;
    while ((line = next_pair(line, &key, &value))) {
        set_pair(p, g_strstrip(key), value, &has_rng, &is_ours);
        g_free(key);
        g_free(value);
    }
    /* The web UI says nothing when noise came from the GPU, its default. */
    if (!has_rng && !is_ours)
        sfu_params_set(p, "rng", "philox", NULL);
}

gboolean sfu_params_from_infotext(SfuParams *p, const char *text, GError **error)
{
    if (!text || !g_utf8_validate(text, -1, NULL)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "The saved parameters are not valid UTF-8 text.");
        return FALSE;
    }
    char *copy = g_strdup(text);
    g_strchomp(copy);
    char *last = strrchr(copy, '\n');
    char *line = last ? last + 1 : copy;
    const gboolean has_pairs = g_str_has_prefix(line, "Steps: ");
    if (!has_pairs) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "The text holds no generation parameters (no last line \"Steps: ...\").");
        g_free(copy);
        return FALSE;
    }
    char *prompt = last ? copy : NULL, *negative = NULL;
    if (last)
        *last = 0;
    if (prompt && g_str_has_prefix(prompt, "Negative prompt: ")) {
        negative = prompt + strlen("Negative prompt: ");
        prompt = NULL;
    } else if (prompt) {
        char *mark = strstr(prompt, "\nNegative prompt: ");
        if (mark) {
            *mark = 0;
            negative = mark + strlen("\nNegative prompt: ");
        }
    }
    const gboolean ok = sfu_params_set(p, "prompt", prompt ? prompt : "", error) &&
                        sfu_params_set(p, "negative", negative ? negative : "", error);
    if (ok)
        read_pairs(p, line);
    g_free(copy);
    return ok;
}
