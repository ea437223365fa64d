/* The plug-in shell of the tests for GIMP 3.x, and calls with named arguments.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

G_DECLARE_FINAL_TYPE(Check, check, SFU, CHECK, GimpPlugIn)

struct _Check {
    GimpPlugIn parent_instance;
};

G_DEFINE_TYPE(Check, check, GIMP_TYPE_PLUG_IN)

/* Sets one property from text; FALSE with a sentence if the procedure has none of that name or refuses the value. */
static gboolean set_property(GimpProcedureConfig *config, const char *name, const char *text, char **error)
{
    GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(config), name);
    if (!spec) {
        *error = g_strdup_printf("there is no argument %s", name);
        return FALSE;
    }
    GValue v = G_VALUE_INIT, checked = G_VALUE_INIT;
    g_value_init(&v, spec->value_type);
    if (G_VALUE_HOLDS_STRING(&v))
        g_value_set_string(&v, text);
    else if (G_VALUE_HOLDS_BOOLEAN(&v))
        g_value_set_boolean(&v, *text == '1');
    else if (G_VALUE_HOLDS_ENUM(&v))
        g_value_set_enum(&v, atoi(text));
    else if (G_VALUE_HOLDS_INT(&v))
        g_value_set_int(&v, atoi(text));
    else
        g_value_set_double(&v, g_ascii_strtod(text, NULL));
    g_value_init(&checked, spec->value_type);
    g_value_copy(&v, &checked);
    const gboolean refused = g_param_value_validate(spec, &checked);
    if (refused) /* GIMP bends the value into its range; the sentence is GIMP's business */
        *error = g_strdup_printf("%s: \"%s\" is outside what GIMP allows (magic, 1024)", name, text);
    else
        g_object_set_property(G_OBJECT(config), name, &v);
    g_value_unset(&v);
    g_value_unset(&checked);
    return !refused;
}

Outcome call_action(SfuAction action, Image image, Drawable drawable, const char *values)
{
    const char *name = action == SFU_N_ACTIONS ? "plug-in-sfumato-repeat" : sfu_action_info(action)->procedure;
    Outcome out = {0};
    GimpProcedure *p = gimp_pdb_lookup_procedure(gimp_get_pdb(), name);
    if (!p) {
        out.error = g_strdup_printf("%s is not registered", name);
        return out;
    }
    GimpProcedureConfig *config = gimp_procedure_create_config(p);
    GimpDrawable *drawables[2] = {drawable, NULL};
    g_object_set(config, "run-mode", GIMP_RUN_NONINTERACTIVE, "image", image, NULL);
    gimp_procedure_config_set_core_object_array(config, "drawables", (GObject **)drawables, 1);
    char **words = NULL;
    gboolean ok = TRUE;
    g_shell_parse_argv(values, NULL, &words, NULL);
    for (int i = 0; ok && words && words[i]; i++) {
        char *word = g_str_has_prefix(words[i], "options=") ? words[i] + 8 : words[i], *value = strchr(word, '=');
        *value++ = 0;
        ok = set_property(config, g_strdelimit(word, "_", '-'), value, &out.error);
    }
    if (ok) {
        GimpValueArray *r = gimp_procedure_run_config(p, config);
        out.ok = GIMP_VALUES_GET_ENUM(r, 0) == GIMP_PDB_SUCCESS && gimp_value_array_length(r) >= 3;
        if (out.ok) {
            out.layer = GIMP_VALUES_GET_LAYER(r, 1);
            out.image = GIMP_VALUES_GET_IMAGE(r, 2);
        } else {
            out.error = g_strdup(gimp_pdb_get_last_error(gimp_get_pdb()));
        }
        gimp_value_array_unref(r);
    }
    g_strfreev(words);
    g_object_unref(config);
    return out;
}

static GimpValueArray *run(GimpProcedure *procedure, GimpProcedureConfig *config, gpointer data)
{
    char *file = NULL, *what = NULL;
    g_object_get(config, "file", &file, "what", &what, NULL);
    check_run(file, what);
    g_free(file);
    g_free(what);
    return gimp_procedure_new_return_values(procedure, GIMP_PDB_SUCCESS, NULL);
}

static GList *query_procedures(GimpPlugIn *plug_in)
{
    return g_list_append(NULL, g_strdup("sfumato-check"));
}

static GimpProcedure *create_procedure(GimpPlugIn *plug_in, const gchar *name)
{
    GimpProcedure *p = gimp_procedure_new(plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, run, NULL, NULL);
    gimp_procedure_add_string_argument(p, "file", "File", "Where the results go", "", G_PARAM_READWRITE);
    gimp_procedure_add_string_argument(p, "what", "What", "Which cases", "all", G_PARAM_READWRITE);
    return p;
}

static void check_class_init(CheckClass *klass)
{
    GimpPlugInClass *c = GIMP_PLUG_IN_CLASS(klass);
    c->query_procedures = query_procedures;
    c->create_procedure = create_procedure;
    c->set_i18n = NULL;
}

static void check_init(Check *check)
{
}

GIMP_MAIN(check_get_type())
