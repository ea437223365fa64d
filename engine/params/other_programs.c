/* Parameters that other programs save as JSON, in the words of A1111's text. Members: SwarmUI's docs/Image Metadata
 * Format.md, InvokeAI's app/invocations/metadata.py (before version 3: "sd-metadata"), Fooocus' modules/meta_parser.py.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "params/other_programs.h"
#include "sfumato.h"

#include <string.h>

#include "file/json.h"
#include "params/items.h"

#define MAX_JSON (16 << 20)

typedef enum { OTHER, INVOKE, INVOKE_2, SWARM, FOOOCUS, RUINED, COMFY, N_PROGRAMS } Program;

static const char *const names[N_PROGRAMS] = {
    [OTHER] = "another program", [INVOKE] = "InvokeAI",      [INVOKE_2] = "InvokeAI", [SWARM] = "SwarmUI",
    [FOOOCUS] = "Fooocus",       [RUINED] = "RuinedFooocus", [COMFY] = "ComfyUI"};

typedef struct {
    Program program;
    JsonObject *o;
    GString *pairs, *loras; /* loras: tags for the prompt */
} Reader;

/* ---- values ---- */

/* A member whose name differs in case only, or has blanks for underscores; NULL. */
static JsonNode *member(JsonObject *o, const char *name)
{
    JsonObjectIter it;
    const char *key;
    JsonNode *value;
    json_object_iter_init(&it, o);
    while (json_object_iter_next(&it, &key, &value)) {
        gsize i = 0;
        while (key[i] && (g_ascii_tolower(key[i]) == name[i] || (key[i] == ' ' && name[i] == '_')))
            i++;
        if (!key[i] && !name[i])
            return value;
    }
    return NULL;
}

/* One value as text: of an object its name, of a list of texts all of them. "" if there is none. Caller frees. */
static char *text_of_node(JsonNode *n)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    if (n && JSON_NODE_HOLDS_OBJECT(n)) {
        JsonObject *o = json_node_get_object(n);
        JsonNode *name = member(o, "name");
        return text_of_node(name ? name : member(o, "model_name"));
    }
    if (!n || !JSON_NODE_HOLDS_VALUE(n))
        return g_strdup("");
    switch (json_node_get_value_type(n)) {
    case G_TYPE_STRING:
        return g_strdup(json_node_get_string(n));
    case G_TYPE_BOOLEAN:
        return g_strdup(json_node_get_boolean(n) ? "True" : "False");
    case G_TYPE_INT64:
        return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(n));
    default:
        return g_strdup(g_ascii_formatd(number, sizeof number, "%.10g", json_node_get_double(n)));
    }
}

static char *text_of(const Reader *r, const char *name)
{
    return text_of_node(member(r->o, name));
}

/* What says nothing: not used, off, zero, or empty. */
static gboolean is_nothing(JsonNode *n)
{
    if (JSON_NODE_HOLDS_ARRAY(n))
        return json_array_get_length(json_node_get_array(n)) == 0;
    if (JSON_NODE_HOLDS_OBJECT(n))
        return json_object_get_size(json_node_get_object(n)) == 0;
    char *text = text_of_node(n);
    const gboolean nothing = g_strv_contains((const char *const[]){"", "False", "0", "None", NULL}, text);
    g_free(text);
    return nothing;
}

static void pair(Reader *r, const char *key, const char *value)
{
    if (*value)
        sfu_infotext_append(r->pairs, key, value);
}

/* ---- members ---- */

/* Of all programs; what a program has otherwise stands below. */
static const struct {
    const char *name, *key;
} renamed[] = {
    {"steps", "Steps"},
    {"seed", "Seed"},
    {"cfg_scale", "CFG scale"},
    {"cfgscale", "CFG scale"},
    {"guidance_scale", "CFG scale"},
    {"cfg", "CFG scale"},
    {"cfg_rescale_multiplier", "CFG Rescale phi"},
    {"sampler", "Sampler"},
    {"sampler_name", "Sampler"},
    {"strength", "Denoising strength"},
    {"initimagecreativity", "Denoising strength"},
    {"model", "Model"},
    {"base_model", "Model"},
    {"base_model_name", "Model"},
    {"vae", "VAE"},
    {"refiner_model", "Refiner"},
    {"refiner_switch", "Refiner switch at"},
    {"refiner_start", "Refiner switch at"},
};

/* These are read elsewhere, or say nothing about the picture. */
static const char *const quiet[] = {"prompt",
                                    "negative_prompt",
                                    "negative",
                                    "negativeprompt",
                                    "positive_prompt",
                                    "width",
                                    "height",
                                    "resolution",
                                    "full_prompt",
                                    "full_negative_prompt",
                                    "scheduler",
                                    "clip_skip",
                                    "clipstopatlayer",
                                    "rand_device",
                                    "seamless_x",
                                    "seamless_y",
                                    "loras",
                                    "loraweights",
                                    "app_version",
                                    "app_id",
                                    "model_hash",
                                    "generation_mode",
                                    "type",
                                    "image",
                                    "base_model_hash",
                                    "styles",
                                    "performance",
                                    "metadata_scheme",
                                    "version",
                                    "created_by",
                                    "refiner_model_hash",
                                    "swarm_version",
                                    "date",
                                    "generation_time",
                                    "automaticvae",
                                    "aspectratio",
                                    "images",
                                    "batchsize",
                                    "nopreviews",
                                    "wildcardseed",
                                    "imageformat",
                                    "donotsave",
                                    "software",
                                    "positive_style_prompt",
                                    "negative_style_prompt",
                                    "variations",
                                    NULL};

/* A member under the name that the tables have. Caller frees. */
static char *plain_name(const char *key)
{
    return g_strdelimit(g_ascii_strdown(key, -1), " ", '_');
}

static const char *key_of(const Reader *r, const char *name)
{
    if (r->program == INVOKE_2 && strcmp(name, "model") == 0) /* "stable diffusion", whatever the file was */
        return NULL;
    for (guint i = 0; i < G_N_ELEMENTS(renamed); i++)
        if (strcmp(renamed[i].name, name) == 0)
            return renamed[i].key;
    return NULL;
}

/* InvokeAI names the steps' spacing by an ending. Without it they are spread evenly, where others have Karras's. */
static void put_sampler_of_invoke(Reader *r)
{
    char *name = text_of(r, "scheduler");
    const gboolean karras = g_str_has_suffix(name, "_k");
    if (karras)
        name[strlen(name) - 2] = 0;
    pair(r, "Sampler", name);
    if (karras)
        pair(r, "Schedule type", "Karras");
    else if (g_str_has_prefix(name, "dpmpp") || g_str_has_prefix(name, "kdpm"))
        pair(r, "Schedule type", "Linspace");
    g_free(name);
}

/* Elsewhere that is the steps' spacing. */
static void put_schedule(Reader *r)
{
    char *name = text_of(r, "scheduler");
    pair(r, "Schedule type", name);
    g_free(name);
}

/* Two whole numbers, as in "(1152, 896)". */
static void put_size(Reader *r)
{
    char *w = text_of(r, "width"), *h = text_of(r, "height"), *both = text_of(r, "resolution"), *end;
    const char *first = both + strcspn(both, "0123456789");
    const gint64 a = g_ascii_strtoll(first, &end, 10), b = g_ascii_strtoll(end + strcspn(end, "0123456789"), NULL, 10);
    char *size = *w && *h ? g_strdup_printf("%sx%s", w, h)
                 : a && b ? g_strdup_printf("%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT, a, b)
                          : g_strdup("");
    pair(r, "Size", size);
    g_free(w);
    g_free(h);
    g_free(both);
    g_free(size);
}

/* How many layers of CLIP are left out: A1111 counts from 1, InvokeAI from 0, SwarmUI from -1 downwards. */
static void put_clip_skip(Reader *r)
{
    char *skip = text_of(r, "clip_skip"), *stop = text_of(r, "clipstopatlayer");
    char *value = *skip && r->program == INVOKE
                      ? g_strdup_printf("%" G_GINT64_FORMAT, g_ascii_strtoll(skip, NULL, 10) + 1)
                  : *skip ? g_strdup(skip)
                          : g_strdup(*stop == '-' ? stop + 1 : "");
    pair(r, "Clip skip", value);
    g_free(skip);
    g_free(stop);
    g_free(value);
}

static gboolean is_on(const Reader *r, const char *name)
{
    JsonNode *n = member(r->o, name);
    return n && !is_nothing(n);
}

static void put_seamless(Reader *r)
{
    const gboolean x = is_on(r, "seamless_x"), y = is_on(r, "seamless_y");
    pair(r, "Tiling", (x && y) || is_on(r, "seamless") ? "True" : x ? "x" : y ? "y" : "");
}

/* Where the noise was drawn. InvokeAI 2 drew it on the GPU. */
static void put_rng(Reader *r)
{
    char *device = text_of(r, "rand_device");
    pair(r, "RNG", r->program == INVOKE_2 || (*device && strcmp(device, "cpu") != 0) ? "NV" : "CPU");
    g_free(device);
}

/* Appends <lora:name:weight>; the name without folder and ending. */
static void put_lora(Reader *r, const char *name, const char *weight)
{
    char *base = g_path_get_basename(name);
    if (g_str_has_suffix(base, ".safetensors"))
        base[strlen(base) - strlen(".safetensors")] = 0;
    if (*name && strcmp(base, "None") != 0)
        g_string_append_printf(r->loras, " <lora:%s:%s>", base, *weight ? weight : "1");
    g_free(base);
}

/* Lists of objects with a weight (InvokeAI), of [name, weight, hash] (Fooocus), or of names beside a list of weights,
 * either as one text with commas (SwarmUI). */
static void put_loras(Reader *r)
{
    JsonNode *list = member(r->o, "loras"), *weights = member(r->o, "loraweights");
    JsonArray *a = list && JSON_NODE_HOLDS_ARRAY(list) ? json_node_get_array(list) : NULL,
              *w = weights && JSON_NODE_HOLDS_ARRAY(weights) ? json_node_get_array(weights) : NULL;
    char *plain = text_of_node(list), *plain_weights = text_of_node(weights);
    char **split = g_strsplit(plain, ",", -1), **split_weights = g_strsplit(plain_weights, ",", -1);
    const guint n = a ? json_array_get_length(a) : g_strv_length(split);
    for (guint i = 0; i < n; i++) {
        JsonNode *e = a ? json_array_get_element(a, i) : NULL;
        JsonArray *row = e && JSON_NODE_HOLDS_ARRAY(e) ? json_node_get_array(e) : NULL;
        JsonObject *o = e && JSON_NODE_HOLDS_OBJECT(e) ? json_node_get_object(e) : NULL;
        JsonNode *model = o ? member(o, "model") ? member(o, "model") : member(o, "lora") : NULL;
        char *name = row ? text_of_node(json_array_get_length(row) ? json_array_get_element(row, 0) : NULL)
                     : o ? text_of_node(model)
                     : e ? text_of_node(e)
                         : g_strdup(g_strstrip(split[i]));
        char *weight = row ? text_of_node(json_array_get_length(row) > 1 ? json_array_get_element(row, 1) : NULL)
                       : o ? text_of_node(member(o, "weight"))
                       : w ? text_of_node(i < json_array_get_length(w) ? json_array_get_element(w, i) : NULL)
                           : g_strdup(i < g_strv_length(split_weights) ? g_strstrip(split_weights[i]) : "");
        put_lora(r, name, weight);
        g_free(name);
        g_free(weight);
    }
    g_strfreev(split);
    g_strfreev(split_weights);
    g_free(plain);
    g_free(plain_weights);
}

/* "name : 0.5", or "True : name : 0.5". */
static void put_combined_lora(Reader *r, const char *text)
{
    char **parts = g_strsplit(text, " : ", -1);
    const guint n = g_strv_length(parts);
    if (n == 2 || (n == 3 && strcmp(parts[0], "True") == 0))
        put_lora(r, parts[n - 2], parts[n - 1]);
    g_strfreev(parts);
}

/* Every member once: taken, or among those that are said to be unused. */
static void put_members(Reader *r)
{
    JsonObjectIter it;
    const char *key;
    JsonNode *value;
    const gboolean refines = is_on(r, "refiner_model"), has_loras = is_on(r, "loras");
    json_object_iter_init(&it, r->o);
    while (json_object_iter_next(&it, &key, &value)) {
        char *name = plain_name(key), *text = text_of_node(value);
        const char *to = key_of(r, name);
        const gboolean of_refiner = g_str_has_prefix(name, "refiner_") && !refines,
                       of_vae = strcmp(name, "vae") == 0 && g_str_has_prefix(text, "Default (");
        const gboolean is_lora = g_str_has_prefix(name, "lora_") && strstr(text, " : ");
        if (is_lora && !has_loras)
            put_combined_lora(r, text);
        else if (to && !of_refiner && !of_vae)
            pair(r, to, text);
        else if (!is_lora && !of_refiner && !of_vae && !is_nothing(value) && !g_strv_contains(quiet, name))
            pair(r, key, *text ? text : "...");
        g_free(name);
        g_free(text);
    }
}

/* ---- prompts ---- */

/* The parts that Fooocus encodes one by one, styles and all. "" without them. Caller frees. */
static char *parts_of(const Reader *r, const char *name)
{
    JsonNode *n = member(r->o, name);
    JsonArray *a = n && JSON_NODE_HOLDS_ARRAY(n) ? json_node_get_array(n) : NULL;
    GString *text = g_string_new(NULL);
    for (guint i = 0; a && i < json_array_get_length(a); i++) {
        char *part = text_of_node(json_array_get_element(a, i));
        g_string_append_printf(text, "%s%s", text->len && *part ? " BREAK " : "", part);
        g_free(part);
    }
    return g_string_free(text, FALSE);
}

/* InvokeAI 2 has the negative prompt in brackets within the prompt, and may have several prompts with weights. */
static void split_brackets(const Reader *r, SfuOtherText *to)
{
    JsonNode *n = member(r->o, "prompt");
    JsonArray *a = n && JSON_NODE_HOLDS_ARRAY(n) ? json_node_get_array(n) : NULL;
    JsonNode *first = a && json_array_get_length(a) ? json_array_get_element(a, 0) : n;
    JsonObject *o = first && JSON_NODE_HOLDS_OBJECT(first) ? json_node_get_object(first) : NULL;
    char *text = text_of_node(o ? member(o, "prompt") : first);
    GString *words[2] = {g_string_new(NULL), g_string_new(NULL)};
    int inside = 0;
    for (const char *p = text; *p; p++) {
        const gboolean edge = *p == (inside ? ']' : '[') && (p == text || p[-1] != '\\');
        if (edge && !inside && words[1]->len)
            g_string_append(words[1], ", ");
        if (edge)
            inside = !inside;
        else
            g_string_append_c(words[inside], *p);
    }
    g_free(text);
    to->prompt = g_strstrip(g_string_free(words[0], FALSE));
    to->negative = g_string_free(words[1], FALSE);
}

/* The first of these members that holds anything. Caller frees. */
static char *first_of(const Reader *r, const char *const *candidates)
{
    char *text = g_strdup("");
    for (int i = 0; candidates[i] && !*text; i++) {
        g_free(text);
        text = text_of(r, candidates[i]);
    }
    return text;
}

static void read_prompts(Reader *r, SfuOtherText *to)
{
    if (r->program == INVOKE_2) {
        split_brackets(r, to);
        return;
    }
    char *whole = parts_of(r, "full_prompt"), *whole_negative = parts_of(r, "full_negative_prompt");
    to->prompt = *whole ? g_strdup(whole) : first_of(r, (const char *const[]){"positive_prompt", "prompt", NULL});
    to->negative = *whole || *whole_negative
                       ? g_strdup(whole_negative)
                       : first_of(r, (const char *const[]){"negative_prompt", "negativeprompt", "negative", NULL});
    g_free(whole);
    g_free(whole_negative);
}

/* Compel's "word++", "(some words)1.3" and ".blend()"; SwarmUI's "<segment:face>". */
static gboolean has_own_signs(Program program, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (program == SWARM && *p == '<' && g_ascii_isalpha(p[1]) && !g_str_has_prefix(p, "<lora:"))
            return TRUE;
        if (program != INVOKE && program != INVOKE_2)
            continue;
        if (*p == ')' && (g_ascii_isdigit(p[1]) || p[1] == '+' || p[1] == '-' || p[1] == '.'))
            return TRUE;
        if (g_ascii_isalnum(*p) && (p[1] == '+' || p[1] == '-') && (!p[2] || strchr(" ,+-", p[2])))
            return TRUE;
    }
    return FALSE;
}

/* The prompt for the second encoder of SDXL, which is the first's here. */
static void note_style_prompts(const Reader *r, const SfuOtherText *to, GPtrArray *warnings)
{
    char *style = text_of(r, "positive_style_prompt"), *negative = text_of(r, "negative_style_prompt");
    if ((*style && strcmp(style, to->prompt) != 0) || (*negative && strcmp(negative, to->negative) != 0))
        sfu_warn(warnings, "The second prompt, for style, is not used.");
    g_free(style);
    g_free(negative);
}

/* ---- whose it is ---- */

static gboolean says(JsonObject *o, const char *name, const char *value)
{
    char *text = text_of_node(json_object_get_member(o, name));
    const gboolean yes = strcmp(text, value) == 0;
    g_free(text);
    return yes;
}

/* *inner: the object with the parameters. */
static Program program_of(JsonObject *o, JsonObject **inner)
{
    static const struct {
        const char *member;
        Program program;
    } known[] = {{"positive_prompt", INVOKE}, {"metadata_scheme", FOOOCUS},
                 {"fooocus_scheme", FOOOCUS}, {"adm_guidance", FOOOCUS},
                 {"Sharpness", FOOOCUS},      {"ADM Guidance", FOOOCUS},
                 {"class_type", COMFY},       {"nodes", COMFY}};
    static const struct {
        const char *member;
        Program program;
    } wrapped[] = {{"sui_image_params", SWARM}, {"image", INVOKE_2}};
    *inner = o;
    if (says(o, "software", "RuinedFooocus"))
        return RUINED;
    for (guint i = 0; i < G_N_ELEMENTS(wrapped); i++) {
        JsonNode *n = json_object_get_member(o, wrapped[i].member);
        if (!n || !JSON_NODE_HOLDS_OBJECT(n) || (i == 1 && !says(o, "app_id", "invoke-ai/InvokeAI")))
            continue;
        *inner = json_node_get_object(n);
        return wrapped[i].program;
    }
    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        if (json_object_has_member(o, known[i].member))
            return known[i].program;
    return OTHER;
}

gboolean sfu_other_text_read(const char *text, SfuOtherText *to, const char **program, GPtrArray *warnings)
{
    JsonNode *node = *text == '{' ? sfu_json_parse(text, strlen(text), MAX_JSON, "the picture", NULL) : NULL;
    *program = NULL;
    *to = (SfuOtherText){0};
    if (!node)
        return FALSE;
    Reader r = {.pairs = g_string_new(NULL), .loras = g_string_new(NULL)};
    JsonObject *outer = json_node_get_object(node);
    r.program = program_of(outer, &r.o);
    *program = names[r.program];
    const gboolean readable = r.program != OTHER && r.program != COMFY;
    if (readable) {
        read_prompts(&r, to);
        if (r.program == INVOKE)
            put_sampler_of_invoke(&r);
        else
            put_schedule(&r);
        put_size(&r);
        put_clip_skip(&r);
        put_seamless(&r);
        put_loras(&r);
        put_members(&r);
        if (r.program == INVOKE_2) {
            char *model = text_of_node(json_object_get_member(outer, "model_weights"));
            pair(&r, "Model", model);
            g_free(model);
        }
        if (has_own_signs(r.program, to->prompt) || has_own_signs(r.program, to->negative))
            sfu_warn(warnings,
                     "%s's signs for weights and instructions stay in the prompt as they are; they mean "
                     "something else here.",
                     names[r.program]);
        note_style_prompts(&r, to, warnings);
        char *bare = to->prompt;
        to->prompt = g_strconcat(bare, r.loras->str, NULL);
        g_free(bare);
        if (r.pairs->len)
            put_rng(&r);
        to->pairs = *to->prompt || r.pairs->len ? g_strdup(r.pairs->str) : NULL;
    }
    g_string_free(r.pairs, TRUE);
    g_string_free(r.loras, TRUE);
    json_node_unref(node);
    return readable;
}

void sfu_other_text_clear(SfuOtherText *t)
{
    g_free(t->prompt);
    g_free(t->negative);
    g_free(t->pairs);
}
