/* The table of parameters, and sets of values. The one place where a generation parameter is declared: flags, PDB arguments, dialog
 * fields, saved metadata and the reference page are all made from it.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "params/params.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <json-glib/json-glib.h>

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

#define T(x) (1u << SFU_TASK_##x)
#define ALL ((1u << SFU_N_TASKS) - 1)
#define FILLS (T(INPAINT) | T(OUTPAINT))
#define REGION (T(IMG2IMG) | T(INPAINT) | T(OUTPAINT))

static const char *const rng_choices[] = {"torch", "philox", NULL};
static const char *const content_choices[] = {"fill", "original", "noise", "nothing", "patch", NULL};
static const char *const preview_choices[] = {"auto", "taesd", "linear", "vae", NULL};

#define MAX_SEED 9007199254740991.0 /* 2^53 - 1: what a double and a JSON number hold exactly */

/* name, label, help, unit, type, min, max, default, default text, choices, tasks, advanced */
static SfuParamSpec table[] = {
    {"prompt", "Prompt", "What the picture should show; (word:1.2) and [word] weigh words, BREAK starts a new chunk", "",
     SFU_PARAM_STRING, 0, 0, 0, "", NULL, ALL, FALSE},
    {"negative", "Negative prompt", "What the picture should not show", "", SFU_PARAM_STRING, 0, 0, 0, "", NULL, ALL, FALSE},
    {"style", "Style", "Words added to the prompts for a look", "", SFU_PARAM_CHOICE, 0, 0, 0, NULL, NULL, ALL, FALSE},
    {"model", "Model", "Model file or folder; empty: the best one installed for the task", "", SFU_PARAM_FILE, 0, 0, 0, "", NULL,
     ALL, FALSE},
    {"vae", "VAE", "Autoencoder to use in place of the model's own", "", SFU_PARAM_FILE, 0, 0, 0, "", NULL, ALL, TRUE},
    {"taesd", "TAESD", "Tiny autoencoder, for previews", "", SFU_PARAM_FILE, 0, 0, 0, "", NULL, ALL, TRUE},
    {"strength", "Strength", "How much is changed: 0 nothing, 1 everything", "", SFU_PARAM_FLOAT, 0, 1, 0.75, NULL, NULL,
     REGION | T(UPSCALE), FALSE},
    {"steps", "Steps", "Sampling steps; 0: what the model wants", "", SFU_PARAM_INT, 0, 1000, 0, NULL, NULL, ALL, FALSE},
    {"guidance", "Guidance", "How closely the prompt is followed; 1 and below: no negative prompt, twice as fast", "",
     SFU_PARAM_FLOAT, 0, 50, 7, NULL, NULL, ALL, FALSE},
    {"image_guidance", "Image guidance", "How closely the original picture is followed when editing", "", SFU_PARAM_FLOAT, 1, 20,
     1.5, NULL, NULL, T(EDIT), FALSE},
    {"guidance_rescale", "Guidance rescale", "Tames overexposure at high guidance (Lin et al. 2023)", "", SFU_PARAM_FLOAT, 0, 1, 0,
     NULL, NULL, ALL, TRUE},
    {"sampler", "Sampler", "Method that walks from noise to picture", "", SFU_PARAM_CHOICE, 0, 0, 0, NULL, NULL, ALL, TRUE},
    {"schedule", "Schedule", "How the noise levels are spaced", "", SFU_PARAM_CHOICE, 0, 0, 0, NULL, NULL, ALL, TRUE},
    {"eta", "Eta", "Fresh noise at each step: 0 none, 1 full; -1: the sampler's own", "", SFU_PARAM_FLOAT, -1, 2, -1, NULL, NULL, ALL,
     TRUE},
    {"seed", "Seed", "Start of the noise; the same seed gives the same picture; -1: random", "", SFU_PARAM_INT, -1, MAX_SEED, -1,
     NULL, NULL, ALL, FALSE},
    {"count", "Variants", "How many pictures, with seeds counting up", "", SFU_PARAM_INT, 1, 64, 1, NULL, NULL,
     ALL & ~T(UPSCALE), FALSE},
    {"width", "Width", "Width of the new picture; 0: the model's own", "px", SFU_PARAM_INT, 0, 32768, 0, NULL, NULL, T(TXT2IMG),
     FALSE},
    {"height", "Height", "Height of the new picture; 0: the model's own", "px", SFU_PARAM_INT, 0, 32768, 0, NULL, NULL, T(TXT2IMG),
     FALSE},
    {"clip_skip", "Clip skip", "Layer of the text encoder counted from its end; 0: the model's own", "", SFU_PARAM_INT, 0, 12, 0,
     NULL, NULL, ALL, TRUE},
    {"rng", "Noise source", "Whose noise a seed means: PyTorch's on the CPU or (philox) on CUDA", "", SFU_PARAM_CHOICE, 0, 1, 0,
     NULL, rng_choices, ALL, TRUE},
    {"masked_content", "Start from", "What is under the mask before work starts: a smooth continuation of the border (fill), the "
     "original, noise, nothing, or texture copied from the surroundings by PatchMatch (patch)", "", SFU_PARAM_CHOICE, 0, 4, 0, NULL, content_choices, FILLS, TRUE},
    {"grow", "Grow", "The mask is widened by this much first", "px", SFU_PARAM_INT, 0, 1024, 4, NULL, NULL, REGION, TRUE},
    {"feather", "Feather", "Width of the soft edge; -1: a tenth of the region's diagonal, at least 32", "px", SFU_PARAM_INT, -1,
     1024, -1, NULL, NULL, REGION, TRUE},
    {"padding", "Padding", "Room kept round the feathered mask; -1: 6 % of the region's diagonal", "px", SFU_PARAM_INT, -1, 4096, -1,
     NULL, NULL, REGION, TRUE},
    {"context", "Context", "Least side of the surroundings that the model sees; -1: chosen from model and picture", "px",
     SFU_PARAM_INT, -1, 16384, -1, NULL, NULL, REGION, TRUE},
    {"working_size", "Working size", "Longest side the region is worked at; 0: what the model was made for", "px", SFU_PARAM_INT, 0,
     8192, 0, NULL, NULL, REGION | T(EDIT), TRUE},
    {"color_match", "Match colours", "Fit colours to the surroundings of the mask", "", SFU_PARAM_BOOL, 0, 1, 1, NULL, NULL, REGION,
     TRUE},
    {"refine", "Refine", "A second pass at full size where the region is larger than the model's size", "", SFU_PARAM_BOOL, 0, 1, 1,
     NULL, NULL, REGION | T(TXT2IMG), TRUE},
    {"left", "Left", "Canvas added on the left", "px", SFU_PARAM_INT, 0, 16384, 0, NULL, NULL, T(OUTPAINT), FALSE},
    {"right", "Right", "Canvas added on the right", "px", SFU_PARAM_INT, 0, 16384, 0, NULL, NULL, T(OUTPAINT), FALSE},
    {"top", "Top", "Canvas added above", "px", SFU_PARAM_INT, 0, 16384, 0, NULL, NULL, T(OUTPAINT), FALSE},
    {"bottom", "Bottom", "Canvas added below", "px", SFU_PARAM_INT, 0, 16384, 0, NULL, NULL, T(OUTPAINT), FALSE},
    {"scale", "Scale", "How many times larger", "x", SFU_PARAM_FLOAT, 0.25, 16, 2, NULL, NULL, T(UPSCALE), FALSE},
    {"tile", "Tile", "Side of the tiles that a large picture is worked in; 0: what fits the memory", "px", SFU_PARAM_INT, 0, 8192, 0,
     NULL, NULL, ALL, TRUE},
    {"tta", "Eightfold averaging", "Mean over eight flips and turns: a little better, eight times slower", "", SFU_PARAM_BOOL, 0, 1,
     0, NULL, NULL, T(UPSCALE), TRUE},
    {"noise_level", "Noise level", "Noise added to the small picture before diffusion upscaling: more invents more", "",
     SFU_PARAM_INT, 0, 350, 20, NULL, NULL, T(UPSCALE), TRUE},
    {"step_cache", "Step cache", "Only every so many passes of the network are whole, the others reuse its deep layers: faster, less exact (DeepCache, Ma "
     "et al. 2023); 1: all are", "", SFU_PARAM_INT, 1, 10, 1, NULL, NULL, ALL, TRUE},
    {"preview_every", "Preview every", "Show the unfinished picture every so many steps; 0: never", "steps", SFU_PARAM_INT, 0, 1000,
     0, NULL, NULL, ALL, TRUE},
    {"preview_with", "Preview with", "How previews are decoded", "", SFU_PARAM_CHOICE, 0, 3, 0, NULL, preview_choices, ALL, TRUE},
};
#define N_PARAMS ((int)G_N_ELEMENTS(table))

/* The words of a table that ends with NULL; lives as long as the process. */
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
    for (int i = 0; i < N_PARAMS; i++) {
        SfuParamSpec *s = &table[i];
        if (s->type != SFU_PARAM_CHOICE)
            continue;
        if (strcmp(s->name, "sampler") == 0) {
            s->choices = collect(sfu_sampler_name);
            s->def = SFU_SAMPLER_DPMPP_2M;
        } else if (strcmp(s->name, "schedule") == 0) {
            s->choices = collect(sfu_schedule_name);
            s->def = SFU_SCHEDULE_AUTO;
        } else if (strcmp(s->name, "style") == 0) {
            s->choices = collect(sfu_style_name);
        }
        s->max = g_strv_length((char **)s->choices) - 1;
    }
    g_once_init_leave(&once, 1);
}

const SfuParamSpec *sfu_param_table(int *n)
{
    table_init();
    *n = N_PARAMS;
    return table;
}

static int find(const char *name)
{
    table_init();
    for (int i = 0; name && i < N_PARAMS; i++)
        if (strcmp(table[i].name, name) == 0)
            return i;
    return -1;
}

const SfuParamSpec *sfu_param_find(const char *name)
{
    const int i = find(name);
    return i < 0 ? NULL : &table[i];
}

double sfu_param_default(const char *name, SfuTask task)
{
    const int i = find(name);
    if (i < 0)
        return 0;
    if (strcmp(name, "strength") == 0)
        return task == SFU_TASK_IMG2IMG ? 0.75 : task == SFU_TASK_UPSCALE ? 0.35 : 1.0;
    return table[i].def;
}

/* ---- values --------------------------------------------------------------------------------------------------- */

struct SfuParams {
    double v[N_PARAMS];
    char *s[N_PARAMS]; /* STRING, FILE */
    gboolean set[N_PARAMS];
};

SfuParams *sfu_params_new(void)
{
    table_init();
    SfuParams *p = g_new0(SfuParams, 1);
    for (int i = 0; i < N_PARAMS; i++) {
        p->v[i] = table[i].def;
        p->s[i] = g_strdup(table[i].def_text);
    }
    return p;
}

SfuParams *sfu_params_copy(const SfuParams *p)
{
    SfuParams *c = g_new0(SfuParams, 1);
    for (int i = 0; i < N_PARAMS; i++) {
        c->v[i] = p->v[i];
        c->s[i] = g_strdup(p->s[i]);
        c->set[i] = p->set[i];
    }
    return c;
}

void sfu_params_free(SfuParams *p)
{
    if (!p)
        return;
    for (int i = 0; i < N_PARAMS; i++)
        g_free(p->s[i]);
    g_free(p);
}

static int find_or_fail(const char *name, GError **error)
{
    const int i = find(name);
    if (i < 0)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "There is no parameter \"%.60s\".", name ? name : "");
    return i;
}

gboolean sfu_params_set_double(SfuParams *p, const char *name, double value, GError **error)
{
    const int i = find_or_fail(name, error);
    if (i < 0)
        return FALSE;
    const SfuParamSpec *s = &table[i];
    if (s->type == SFU_PARAM_STRING || s->type == SFU_PARAM_FILE) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s takes text, not a number.", name);
        return FALSE;
    }
    if (s->type != SFU_PARAM_FLOAT && value != floor(value)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s must be a whole number, not %g.", name, value);
        return FALSE;
    }
    if (!isfinite(value) || value < s->min || value > s->max) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s must lie between %.10g and %.16g, not %g.", name, s->min, s->max, value);
        return FALSE;
    }
    p->v[i] = value;
    p->set[i] = TRUE;
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

gboolean sfu_params_set(SfuParams *p, const char *name, const char *value, GError **error)
{
    const int i = find_or_fail(name, error);
    if (i < 0)
        return FALSE;
    const SfuParamSpec *s = &table[i];
    double v = 0;
    char *end = NULL;
    if (!value)
        value = "";
    switch (s->type) {
    case SFU_PARAM_STRING:
        if (!g_utf8_validate(value, -1, NULL)) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "The text given for %s is not valid UTF-8.", name);
            return FALSE;
        }
        /* fall through */
    case SFU_PARAM_FILE:
        g_free(p->s[i]);
        p->s[i] = g_strdup(value);
        p->set[i] = TRUE;
        return TRUE;
    case SFU_PARAM_CHOICE:
        v = choice_index(s, value);
        if (v < 0) {
            char *all = g_strjoinv(", ", (char **)s->choices);
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s cannot be \"%.60s\"; it is one of %s.", name, value, all);
            g_free(all);
            return FALSE;
        }
        break;
    case SFU_PARAM_BOOL:
        if (!parse_bool(value, &v)) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s is true or false, not \"%.60s\".", name, value);
            return FALSE;
        }
        break;
    case SFU_PARAM_INT:
    case SFU_PARAM_FLOAT:
        v = g_ascii_strtod(value, &end);
        while (end && g_ascii_isspace(*end))
            end++;
        if (!end || end == value || *end) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s must be a number, not \"%.60s\".", name, value);
            return FALSE;
        }
        break;
    }
    return sfu_params_set_double(p, name, v, error);
}

double sfu_params_get_double(const SfuParams *p, const char *name)
{
    const int i = find(name);
    return i < 0 ? 0 : p->v[i];
}

const char *sfu_params_get_string(const SfuParams *p, const char *name)
{
    const int i = find(name);
    if (i < 0)
        return "";
    return table[i].type == SFU_PARAM_CHOICE ? table[i].choices[(int)p->v[i]] : p->s[i] ? p->s[i] : "";
}

gboolean sfu_params_is_set(const SfuParams *p, const char *name)
{
    const int i = find(name);
    return i >= 0 && p->set[i];
}

int sfu_params_int(const SfuParams *p, const char *name)
{
    return (int)CLAMP(sfu_params_get_double(p, name), -2147483648.0, 2147483647.0);
}

double sfu_params_for(const SfuParams *p, const char *name, SfuTask task)
{
    return sfu_params_is_set(p, name) ? sfu_params_get_double(p, name) : sfu_param_default(name, task);
}

/* ---- JSON ----------------------------------------------------------------------------------------------------- */

char *sfu_params_to_json(const SfuParams *p)
{
    JsonObject *o = json_object_new();
    for (int i = 0; i < N_PARAMS; i++) {
        if (!p->set[i])
            continue;
        const char *name = table[i].name;
        char *text;
        switch (table[i].type) {
        case SFU_PARAM_BOOL:
            json_object_set_boolean_member(o, name, p->v[i] != 0);
            break;
        case SFU_PARAM_INT:
            json_object_set_int_member(o, name, (gint64)p->v[i]);
            break;
        case SFU_PARAM_FLOAT:
            json_object_set_double_member(o, name, p->v[i]);
            break;
        default:
            text = g_utf8_make_valid(sfu_params_get_string(p, name), -1);
            json_object_set_string_member(o, name, text);
            g_free(text);
        }
    }
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, o);
    char *text = json_to_string(node, FALSE);
    json_node_unref(node);
    return text;
}

static gboolean set_from_node(SfuParams *p, const char *name, JsonNode *node, GError **error)
{
    if (JSON_NODE_HOLDS_VALUE(node)) {
        const GType t = json_node_get_value_type(node);
        if (t == G_TYPE_STRING)
            return sfu_params_set(p, name, json_node_get_string(node), error);
        if (t == G_TYPE_BOOLEAN)
            return sfu_params_set(p, name, json_node_get_boolean(node) ? "true" : "false", error);
        const double v = t == G_TYPE_INT64 ? (double)json_node_get_int(node) : json_node_get_double(node);
        return sfu_params_set_double(p, name, v, error);
    }
    if (find_or_fail(name, error) >= 0)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s must be a number, a word or true or false.", name);
    return FALSE;
}

gboolean sfu_params_from_json(SfuParams *p, const char *json, GError **error)
{
    JsonParser *parser = json_parser_new();
    GError *e = NULL;
    gboolean ok = json_parser_load_from_data(parser, json, -1, &e);
    JsonNode *root = ok ? json_parser_get_root(parser) : NULL;
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "The parameters are not a JSON object%s%s.", e ? ": " : "",
                    e ? e->message : "");
        ok = FALSE;
    }
    if (ok) {
        JsonObjectIter iter;
        const char *name;
        JsonNode *node;
        json_object_iter_init(&iter, json_node_get_object(root));
        while (ok && json_object_iter_next(&iter, &name, &node))
            ok = set_from_node(p, name, node, error);
    }
    g_clear_error(&e);
    g_object_unref(parser);
    return ok;
}
