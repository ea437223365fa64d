/* The table of actions, and requests.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "request.h"

#include <string.h>
#include <json-glib/json-glib.h>
#include <glib/gi18n-lib.h>

static const SfuActionInfo actions[SFU_N_ACTIONS] = {
    {"fill", "plug-in-sfumato-fill", N_("_Fill Selection..."), N_("Fill Selection"), N_("Fill"),
     N_("Fill the selection with what the prompt describes, as a new layer (inpaint)"),
     N_("Repaints the selection so that it fits its surroundings; partly selected pixels are partly repainted. An "
        "empty prompt continues "
        "the surroundings."),
     SFU_TASK_INPAINT, TRUE, TRUE, FALSE},
    {"remove", "plug-in-sfumato-remove", N_("_Remove Object"), N_("Remove Object"), N_("Remove"),
     N_("Remove what is selected and continue its surroundings, as a new layer (heal, erase, inpaint)"),
     N_("Fills the selection from its surroundings, without a prompt and without a dialog."), SFU_TASK_INPAINT, FALSE,
     TRUE, TRUE},
    {"expand", "plug-in-sfumato-expand", N_("_Expand Canvas..."), N_("Expand Canvas"), N_("Expand"),
     N_("Enlarge the canvas and paint the new area, as a new layer (outpaint, uncrop)"),
     N_("Adds the given pixels on each side and continues the picture there."), SFU_TASK_OUTPAINT, TRUE, TRUE, FALSE},
    {"refine", "plug-in-sfumato-refine", N_("Re_fine..."), N_("Refine"), N_("Refine"),
     N_("Repaint the selection or the whole layer from what is there, as a new layer (image to image)"),
     N_("Image-to-image: strength says how much may change."), SFU_TASK_IMG2IMG, TRUE, TRUE, FALSE},
    {"generate", "plug-in-sfumato-generate", N_("_Generate..."), N_("Generate"), N_("Generate"),
     N_("Make a picture from a description, as a new layer or a new image (text to image)"),
     N_("Text-to-image. With a selection the picture fills it; without an open image it becomes a new one."),
     SFU_TASK_TXT2IMG, TRUE, FALSE, FALSE},
    {"enlarge", "plug-in-sfumato-enlarge", N_("En_large..."), N_("Enlarge"), N_("Enlarge"),
     N_("Enlarge the layer, the selected part or the whole image with new detail (upscale, super-resolution)"),
     N_("Super-resolution by a model, of the layer or the selected part of it; or of the whole image: every layer, "
        "hidden ones too, is "
        "enlarged by the model in its own type, and GIMP scales masks, channels, paths, guides, sample points and the "
        "selection. Text layers "
        "become pixels. The whole image is enlarged in place, or as a copy if new-image is on."),
     SFU_TASK_UPSCALE, TRUE, TRUE, FALSE},
    {"restyle", "plug-in-sfumato-restyle", N_("Re_style..."), N_("Restyle"), N_("Restyle"),
     N_("Repaint the selection or the whole layer in another style, as a new layer (style transfer)"),
     N_("Image-to-image with a style preset."), SFU_TASK_IMG2IMG, TRUE, TRUE, FALSE},
    {"edit", "plug-in-sfumato-edit", N_("E_dit by Words..."), N_("Edit by Words"), N_("Edit"),
     N_("Change the selection or the layer by an instruction, as a new layer (instruct)"),
     N_("The prompt is an instruction, such as \"make it winter\"; the model sees the picture and changes what it is "
        "told "
        "to."),
     SFU_TASK_EDIT, TRUE, TRUE, FALSE},
    {"seamless", "plug-in-sfumato-seamless", N_("Seamless _Texture..."), N_("Seamless Texture"), N_("Texture"),
     N_("Make a texture from a description that tiles without a seam, as a new image or layer (tileable)"),
     N_("Text-to-image for a texture that tiles: its left edge continues at its right edge, and its upper edge at its "
        "lower edge."),
     SFU_TASK_TXT2IMG, TRUE, FALSE, FALSE},
    {"restore", "plug-in-sfumato-restore", N_("Rest_ore..."), N_("Restore"), N_("Restore"),
     N_("Clean the selection or the layer of noise, blur or JPEG artifacts, as a new layer (denoise, deblur, dejpeg)"),
     N_("Uses a network that enlarges by 1; which kind of damage it repairs depends on the network."), SFU_TASK_UPSCALE,
     TRUE, TRUE, FALSE},
};

/* Rows that only a plug-in has. */
#define TASK(x) (1u << SFU_TASK_##x)
static const SfuParamSpec own_rows[] = {
    {.name = "sample_merged",
     .label = N_("Sample merged"),
     .help = N_("Read the visible image instead of the active layer"),
     .type = SFU_PARAM_BOOL,
     .tasks = (1u << SFU_N_TASKS) - 1,
     .unit = "",
     .max = 1},
    {.name = "layer_mask",
     .label = N_("As layer mask"),
     .help = N_("Put the soft edge into a layer mask instead of the layer's alpha"),
     .type = SFU_PARAM_BOOL,
     .tasks = TASK(INPAINT) | TASK(IMG2IMG),
     .unit = "",
     .max = 1},
    {.name = "new_image",
     .label = N_("New image"),
     .help = N_("The result becomes an image of its own instead of a new layer"),
     .type = SFU_PARAM_BOOL,
     .tasks = TASK(TXT2IMG) | TASK(UPSCALE),
     .unit = "",
     .max = 1},
    {.name = "exclude",
     .label = N_("Exclude"),
     .help = N_("Channel that is white where fills must not copy from; empty: the area kept by Keep Excluded Area, if "
                "there is one; -: none"),
     .type = SFU_PARAM_STRING,
     .tasks = TASK(INPAINT) | TASK(OUTPAINT),
     .unit = ""},
    {.name = "whole_image",
     .label = N_("Whole image"),
     .help = N_("Enlarge the image with all layers, masks, channels, paths and guides instead of one layer"),
     .type = SFU_PARAM_BOOL,
     .tasks = TASK(UPSCALE),
     .unit = "",
     .max = 1},
};

const SfuActionInfo *sfu_action_info(SfuAction action)
{
    return &actions[action];
}

char *sfu_action_help(SfuAction action)
{
    return g_strdup_printf("%s %s", _(actions[action].help),
                           _("The new layer is named after prompt and seed and carries all values as the parasite "
                             "\"sfumato\". Nothing is written to "
                             "the image before the result is complete; the result is one undo step."));
}

int sfu_action_find(const char *name)
{
    for (int i = 0; name && i < SFU_N_ACTIONS; i++)
        if (strcmp(actions[i].name, name) == 0 || strcmp(actions[i].procedure, name) == 0)
            return i;
    return -1;
}

/* Remove is one click: it leaves out what describes something new. Reading the whole image makes no sense without a
 * picture to read. */
static gboolean has_row(SfuAction action, const SfuParamSpec *s)
{
    static const char *const files[] = {"keep_references", "vision", NULL}; /* that only the command opens */
    static const char *const restore[] = {"model", "tile", "tta", "sample_merged", NULL}; /* one pass of a network */
    static const char *const not_remove[] = {"prompt", "negative", "style",     "strength", "guidance",
                                             "count",  "control",  "reference", NULL};
    if (!(s->tasks & (1u << actions[action].task)))
        return FALSE;
    if (action == SFU_ACTION_REMOVE && g_strv_contains(not_remove, s->name))
        return FALSE;
    if (action == SFU_ACTION_SEAMLESS &&
        (strcmp(s->name, "control") == 0 ||
         strcmp(s->name, "reference") == 0)) /* a layer's edges do not fit each other */
        return FALSE;
    if (g_strv_contains(files, s->name) || (action == SFU_ACTION_RESTORE && !g_strv_contains(restore, s->name)))
        return FALSE;
    return actions[action].task != SFU_TASK_TXT2IMG || strcmp(s->name, "sample_merged") != 0;
}

const SfuParamSpec *const *sfu_action_specs(SfuAction action)
{
    static const SfuParamSpec **rows[SFU_N_ACTIONS];
    if (rows[action])
        return rows[action];
    int n = 0;
    const SfuParamSpec *table = sfu_param_table(&n);
    GPtrArray *a = g_ptr_array_new();
    for (int advanced = 0; advanced < 2; advanced++) {
        for (int i = 0; i < n; i++)
            if (!table[i].advanced == !advanced && has_row(action, &table[i]))
                g_ptr_array_add(a, (gpointer)&table[i]);
        for (gsize i = 0; i < G_N_ELEMENTS(own_rows); i++)
            if (!own_rows[i].advanced == !advanced && has_row(action, &own_rows[i]))
                g_ptr_array_add(a, (gpointer)&own_rows[i]);
    }
    g_ptr_array_add(a, NULL);
    rows[action] = (const SfuParamSpec **)g_ptr_array_free(a, FALSE); /* lives as long as the process, like the table */
    return rows[action];
}

const SfuParamSpec *sfu_action_spec(SfuAction action, const char *name)
{
    const SfuParamSpec *const *rows = sfu_action_specs(action);
    for (int i = 0; rows[i]; i++)
        if (strcmp(rows[i]->name, name) == 0)
            return rows[i];
    return NULL;
}

gboolean sfu_spec_is_open(const SfuParamSpec *spec)
{
    return strcmp(spec->name, "style") == 0;
}

gboolean sfu_spec_has_position(const SfuParamSpec *spec)
{
    static const char *const newer[] = {"whole_image", "exclude", "reference", NULL};
    return !spec->advanced && !g_strv_contains(newer, spec->name);
}

static gboolean is_own(const SfuParamSpec *spec)
{
    return spec >= own_rows && spec < own_rows + G_N_ELEMENTS(own_rows);
}

/* What the engine uses without a value. */
static double engine_default(SfuAction action, const SfuParamSpec *spec)
{
    return is_own(spec) ? spec->def : sfu_param_default(sfu_param_of(spec), actions[action].task);
}

double sfu_action_default(SfuAction action, const SfuParamSpec *spec)
{
    if (action == SFU_ACTION_REFINE && strcmp(spec->name, "strength") == 0)
        return 0.4;
    if (action == SFU_ACTION_RESTYLE && strcmp(spec->name, "strength") == 0)
        return 0.6;
    if (action == SFU_ACTION_EXPAND && (strcmp(spec->name, "left") == 0 || strcmp(spec->name, "right") == 0))
        return 128;
    if (action == SFU_ACTION_REMOVE && strcmp(spec->name, "grow") == 0)
        return 8; /* an object's shadow and edge halo reach over a hand-made selection */
    if (action == SFU_ACTION_REMOVE && strcmp(spec->name, "background") == 0)
        return 1; /* what is gone must not come back from a neighbor */
    if ((action == SFU_ACTION_ENLARGE || action == SFU_ACTION_SEAMLESS) && strcmp(spec->name, "new_image") == 0)
        return 1;
    if (action == SFU_ACTION_SEAMLESS && strcmp(spec->name, "seamless") == 0)
        return g_strv_length((char **)spec->choices) - 1; /* both ways, the last choice */
    return engine_default(action, spec);
}

/* What holds when an argument is not given. Caller frees. */
static char *default_words(SfuAction action, const SfuParamSpec *spec)
{
    const double def = sfu_action_default(action, spec);
    if (spec->type == SFU_PARAM_BOOL)
        return g_strdup(def != 0 ? "TRUE" : "FALSE");
    if (!is_own(spec) && def == spec->def)
        return sfu_param_default_words(sfu_param_of(spec), -1);
    return g_strdup_printf("%.16g", def);
}

char *sfu_spec_describe(SfuAction action, const SfuParamSpec *spec)
{
    const char *space = *spec->unit ? " " : "";
    char *def = default_words(action, spec), *words, *text;
    switch (spec->type) {
    case SFU_PARAM_BOOL:
        text = g_strdup_printf("%s (default %s)", spec->help, def);
        break;
    case SFU_PARAM_CHOICE:
        words = g_strjoinv(", ", (char **)spec->choices);
        text = g_strdup_printf("%s (one of: %s; default: %s)", spec->help, words, def);
        g_free(words);
        break;
    case SFU_PARAM_INT:
    case SFU_PARAM_FLOAT:
        text = g_strdup_printf("%s (%.16g to %.16g%s%s; default: %s)", spec->help, spec->min,
                               MIN(spec->max, SFU_EXACT_MAX), space, spec->unit, def);
        break;
    default:
        text = strcmp(spec->name, "control") != 0 && strcmp(spec->name, "reference") != 0
                   ? g_strdup(spec->help)
                   : g_strdup_printf("%s. Here PICTURE is the name of a layer; empty: the picture that is worked on. "
                                     "Several as a JSON list of texts",
                                     spec->help);
    }
    g_free(def);
    return text;
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

SfuRequest *sfu_request_new(SfuAction action)
{
    SfuRequest *r = g_new0(SfuRequest, 1);
    r->action = action;
    r->exclude = g_strdup("");
    r->params = sfu_params_new();
    const SfuParamSpec *const *rows = sfu_action_specs(action);
    for (int i = 0; rows[i]; i++) {
        const double def = sfu_action_default(action, rows[i]);
        if (rows[i]->type != SFU_PARAM_STRING && rows[i]->type != SFU_PARAM_FILE &&
            def != engine_default(action, rows[i]))
            sfu_request_set_double(r, rows[i]->name, def, NULL);
    }
    return r;
}

SfuRequest *sfu_request_copy(const SfuRequest *r)
{
    SfuRequest *c = g_new(SfuRequest, 1);
    *c = *r;
    c->exclude = g_strdup(r->exclude);
    c->params = sfu_params_copy(r->params);
    return c;
}

void sfu_request_assign(SfuRequest *to, const SfuRequest *from)
{
    SfuRequest *copy = sfu_request_copy(from);
    const SfuAction action = to->action;
    sfu_params_free(to->params);
    g_free(to->exclude);
    *to = *copy;
    to->action = action;
    g_free(copy);
}

void sfu_request_free(SfuRequest *r)
{
    if (!r)
        return;
    g_free(r->exclude);
    sfu_params_free(r->params);
    g_free(r);
}

static gboolean *own_value(SfuRequest *r, const char *name)
{
    return strcmp(name, "sample_merged") == 0 ? &r->sample_merged
           : strcmp(name, "layer_mask") == 0  ? &r->layer_mask
           : strcmp(name, "new_image") == 0   ? &r->new_image
           : strcmp(name, "whole_image") == 0 ? &r->whole_image
                                              : NULL;
}

static char **own_text(SfuRequest *r, const char *name)
{
    return strcmp(name, "exclude") == 0 ? &r->exclude : NULL;
}

/* The start of a text from outside, fit for a message: whole characters, and valid UTF-8 whatever it was. Caller frees.
 */
static char *head(const char *text)
{
    char *valid = g_utf8_make_valid(text, strnlen(text, 240));
    char *start = g_utf8_strlen(valid, -1) > 60 ? g_utf8_substring(valid, 0, 60) : g_strdup(valid);
    g_free(valid);
    return start;
}

static const SfuParamSpec *row_or_fail(const SfuRequest *r, const char *name, GError **error)
{
    const SfuParamSpec *s = sfu_action_spec(r->action, name);
    if (!s) {
        char *start = head(name);
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s has no parameter \"%s\"."), _(actions[r->action].title),
                    start);
        g_free(start);
    }
    return s;
}

gboolean sfu_request_given(const SfuRequest *r, const char *name)
{
    char **text = own_text((SfuRequest *)r, name);
    return own_value((SfuRequest *)r, name) || (text ? **text : sfu_params_is_set(r->params, name));
}

/* The row is as in a new request. */
static void unset(SfuRequest *r, const SfuParamSpec *s)
{
    const double def = sfu_action_default(r->action, s);
    gboolean *own = own_value(r, s->name);
    char **text = own_text(r, s->name);
    if (own) {
        *own = def != 0;
    } else if (text) {
        g_free(*text);
        *text = g_strdup("");
    }
    if (own || text)
        return;
    if (!sfu_param_is_text(s) && def != engine_default(r->action, s))
        sfu_params_put(r->params, sfu_param_of(s), def);
    else
        sfu_params_unset(r->params, sfu_param_of(s));
}

gboolean sfu_request_set_double(SfuRequest *r, const char *name, double value, GError **error)
{
    const SfuParamSpec *s = row_or_fail(r, name, error);
    if (!s)
        return FALSE;
    gboolean *own = own_value(r, name);
    if (!own)
        return sfu_params_set_double(r->params, name, value, error);
    *own = value != 0;
    return TRUE;
}

gboolean sfu_request_set(SfuRequest *r, const char *name, const char *value, GError **error)
{
    const SfuParamSpec *s = row_or_fail(r, name, error);
    if (!s)
        return FALSE;
    gboolean *own = own_value(r, name);
    if (own) {
        const gboolean yes = value && (strcmp(value, "1") == 0 || g_ascii_strcasecmp(value, "true") == 0);
        const gboolean no = value && (strcmp(value, "0") == 0 || g_ascii_strcasecmp(value, "false") == 0);
        if (!yes && !no) {
            char *start = head(value ? value : "");
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s is true or false, not \"%s\"."), name, start);
            g_free(start);
            return FALSE;
        }
        *own = yes;
        return TRUE;
    }
    if (sfu_param_is_text(s) && (!value || !*value)) {
        unset(r, s);
        return TRUE;
    }
    char **text = own_text(r, name);
    if (text) {
        g_free(*text);
        *text = g_strdup(value);
        return TRUE;
    }
    return sfu_params_set(r->params, name, value, error);
}

gboolean sfu_request_set_argument(SfuRequest *r, const char *name, double value, GError **error)
{
    const SfuParamSpec *s = row_or_fail(r, name, error);
    if (!s)
        return FALSE;
    if (value == SFU_NOT_GIVEN) {
        unset(r, s);
        return TRUE;
    }
    if (value > SFU_EXACT_MAX && s->max > SFU_EXACT_MAX) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("As an argument %s is exact only up to %.0f; give a larger one in \"options\"."), name,
                    SFU_EXACT_MAX);
        return FALSE;
    }
    return sfu_request_set_double(r, name, value, error);
}

gboolean sfu_request_set_text_argument(SfuRequest *r, const char *name, const char *value, GError **error)
{
    const SfuParamSpec *s = row_or_fail(r, name, error);
    if (!s)
        return FALSE;
    if (!value || !*value || (s->type == SFU_PARAM_CHOICE && strcmp(value, SFU_NOT_GIVEN_WORD) == 0)) {
        unset(r, s);
        return TRUE;
    }
    return sfu_request_set(r, name, value, error);
}

double sfu_request_get_double(const SfuRequest *r, const char *name)
{
    gboolean *own = own_value((SfuRequest *)r, name);
    if (own)
        return *own;
    const SfuParamSpec *s = sfu_action_spec(r->action, name);
    if (s && !sfu_params_is_set(r->params, name))
        return sfu_action_default(r->action, s);
    return sfu_params_get_double(r->params, name);
}

const char *sfu_request_get_string(const SfuRequest *r, const char *name)
{
    char **text = own_text((SfuRequest *)r, name);
    if (text)
        return *text;
    return sfu_params_get_string(r->params, name);
}

gboolean sfu_request_set_options(SfuRequest *r, const char *options, GError **error)
{
    char **words = NULL;
    GError *e = NULL;
    if (!options || !*options)
        return TRUE;
    if (!g_shell_parse_argv(options, NULL, &words, &e)) {
        const gboolean blank = g_error_matches(e, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING);
        if (!blank) {
            char *start = head(options);
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The options \"%s\" cannot be read: %s"), start,
                        e->message);
            g_free(start);
        }
        g_error_free(e);
        return blank;
    }
    gboolean ok = TRUE;
    for (int i = 0; ok && words[i]; i++) {
        char *value = strchr(words[i], '=');
        if (value)
            *value++ = 0;
        g_strdelimit(words[i], "-", '_');
        ok = sfu_request_set(r, words[i], value ? value : "true", error);
    }
    g_strfreev(words);
    return ok;
}

char *sfu_request_to_json(const SfuRequest *r, guint source)
{
    char *values = sfu_params_to_json(r->params);
    JsonObject *o = json_object_new();
    json_object_set_string_member(o, "action", actions[r->action].name);
    json_object_set_boolean_member(o, "sample_merged", r->sample_merged);
    json_object_set_boolean_member(o, "layer_mask", r->layer_mask);
    json_object_set_boolean_member(o, "new_image", r->new_image);
    json_object_set_boolean_member(o, "whole_image", r->whole_image);
    if (*r->exclude)
        json_object_set_string_member(o, "exclude", r->exclude);
    if (source)
        json_object_set_int_member(o, "source", source);
    json_object_set_member(o, "params", json_from_string(values, NULL));
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, o);
    char *text = json_to_string(node, FALSE);
    json_node_unref(node);
    g_free(values);
    return text;
}

/* Members of the right type; json-glib warns about others. */
static JsonNode *value_of(JsonObject *o, const char *name, GType type)
{
    JsonNode *node = json_object_get_member(o, name);
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type ? node : NULL;
}

static gboolean read_boolean(JsonObject *o, const char *name)
{
    JsonNode *node = value_of(o, name, G_TYPE_BOOLEAN);
    return node && json_node_get_boolean(node);
}

static const char *read_string(JsonObject *o, const char *name)
{
    JsonNode *node = value_of(o, name, G_TYPE_STRING);
    return node ? json_node_get_string(node) : NULL;
}

static gint64 read_int(JsonObject *o, const char *name)
{
    JsonNode *node = value_of(o, name, G_TYPE_INT64);
    return node ? json_node_get_int(node) : 0;
}

SfuRequest *sfu_request_from_json(const char *json, guint *source, GError **error)
{
    SfuRequest *r = NULL;
    char *values = NULL;
    JsonNode *node = sfu_json_read(json, "sfumato", NULL); /* a picture can come from anywhere */
    JsonObject *o = node ? json_node_get_object(node) : NULL;
    const int action = o ? sfu_action_find(read_string(o, "action")) : -1;
    JsonNode *params = o ? json_object_get_member(o, "params") : NULL;
    if (action < 0 || !params || !JSON_NODE_HOLDS_OBJECT(params)) {
        char *start = head(json);
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The saved parameters \"%s\" cannot be read."), start);
        g_free(start);
        goto out;
    }
    r = sfu_request_new(action);
    r->sample_merged = read_boolean(o, "sample_merged");
    r->layer_mask = read_boolean(o, "layer_mask");
    r->new_image = read_boolean(o, "new_image");
    r->whole_image = read_boolean(o, "whole_image");
    if (read_string(o, "exclude")) {
        g_free(r->exclude);
        r->exclude = g_strdup(read_string(o, "exclude"));
    }
    if (source)
        *source = MAX(0, read_int(o, "source"));
    values = json_to_string(params, FALSE);
    if (!sfu_params_from_json(r->params, values, error)) {
        sfu_request_free(r);
        r = NULL;
    }
out:
    g_free(values);
    if (node)
        json_node_unref(node);
    return r;
}
