/* The plug-in for GIMP 3.x: procedures with named arguments, made from the table of parameters.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <libgimp/gimp.h>
#include <glib/gi18n-lib.h>

#include "host.h"
#include "session.h"
#include "ui/ui.h"

#define REPEAT "plug-in-sfumato-repeat"
#define EXCLUDE "plug-in-sfumato-exclude"
#define SETTINGS "plug-in-sfumato-settings"
/* GIMP sorts a menu's entries by path and label. It leaves out a last part in brackets that names no section, so a
 * number there puts the entries in the order of use. */
#define MENU "<Image>/Filters/Sfumato/[%02d]"

G_DECLARE_FINAL_TYPE(SfuPlugIn, sfu_plug_in, SFU, PLUG_IN, GimpPlugIn)

struct _SfuPlugIn {
    GimpPlugIn parent_instance;
};

G_DEFINE_TYPE(SfuPlugIn, sfu_plug_in, GIMP_TYPE_PLUG_IN)

static char *pdb_name(const char *name)
{
    return g_strdelimit(g_strdup(name), "_", '-');
}

static void add_argument(GimpProcedure *p, SfuAction action, const SfuParamSpec *s)
{
    const double def = sfu_action_default(action, s);
    char *name = pdb_name(s->name), *about = sfu_spec_describe(action, s), *help = g_strdup(about);
    const double least = MIN(s->min, SFU_NOT_GIVEN);
    const char *label = _(s->label);
    if (s->type == SFU_PARAM_INT || s->type == SFU_PARAM_FLOAT) {
        g_free(help);
        help = g_strconcat(about, "; -1: not given", NULL);
    }
    g_free(about);
    GimpChoice *choice;
    switch (s->type) {
    case SFU_PARAM_BOOL:
        gimp_procedure_add_boolean_argument(p, name, label, help, def != 0, G_PARAM_READWRITE);
        break;
    case SFU_PARAM_INT:
        if (s->max > G_MAXINT) /* of seeds, 53 bits */
            gimp_procedure_add_double_argument(p, name, label, help, least, MIN(s->max, SFU_EXACT_MAX), SFU_NOT_GIVEN,
                                               G_PARAM_READWRITE);
        else
            gimp_procedure_add_int_argument(p, name, label, help, least, s->max, SFU_NOT_GIVEN, G_PARAM_READWRITE);
        break;
    case SFU_PARAM_FLOAT:
        gimp_procedure_add_double_argument(p, name, label, help, least, s->max, SFU_NOT_GIVEN, G_PARAM_READWRITE);
        break;
    case SFU_PARAM_CHOICE:
        if (sfu_spec_is_open(s)) {
            gimp_procedure_add_string_argument(p, name, label, help, SFU_NOT_GIVEN_WORD, G_PARAM_READWRITE);
            break;
        }
        choice = gimp_choice_new();
        gimp_choice_add(choice, SFU_NOT_GIVEN_WORD, -1, _("Automatic"), NULL);
        for (int i = 0; s->choices[i]; i++)
            gimp_choice_add(choice, s->choices[i], i, _(s->choices[i]), NULL);
        gimp_procedure_add_choice_argument(p, name, label, help, choice, SFU_NOT_GIVEN_WORD, G_PARAM_READWRITE);
        break;
    default:
        gimp_procedure_add_string_argument(p, name, label, help, "", G_PARAM_READWRITE);
    }
    g_free(help);
    g_free(name);
}

/* ---- values both ways
 * ------------------------------------------------------------------------------------------------ */

static SfuRequest *request_from_config(SfuAction action, GimpProcedureConfig *config, GError **error)
{
    SfuRequest *r = sfu_request_new(action);
    const SfuParamSpec *const *rows = sfu_action_specs(action);
    gboolean ok = TRUE;
    for (int i = 0; ok && rows[i]; i++) {
        char *name = pdb_name(rows[i]->name), *text = NULL;
        gboolean b = FALSE;
        int n = 0;
        double d = 0;
        switch (rows[i]->type) {
        case SFU_PARAM_BOOL:
            g_object_get(config, name, &b, NULL);
            /* Booleans have no third value, so one that equals the default may not have been given; it makes no
             * difference. */
            if (b != (sfu_action_default(action, rows[i]) != 0))
                ok = sfu_request_set_argument(r, rows[i]->name, b, error);
            break;
        case SFU_PARAM_INT:
            if (rows[i]->max > G_MAXINT)
                g_object_get(config, name, &d, NULL);
            else
                g_object_get(config, name, &n, NULL);
            ok = sfu_request_set_argument(r, rows[i]->name, rows[i]->max > G_MAXINT ? d : n, error);
            break;
        case SFU_PARAM_FLOAT:
            g_object_get(config, name, &d, NULL);
            ok = sfu_request_set_argument(r, rows[i]->name, d, error);
            break;
        default:
            g_object_get(config, name, &text, NULL);
            ok = sfu_request_set_text_argument(r, rows[i]->name, text, error);
        }
        g_free(text);
        g_free(name);
    }
    if (!ok) {
        sfu_request_free(r);
        return NULL;
    }
    return r;
}

/* What the dialog was left with becomes GIMP's last values. */
static void request_to_config(const SfuRequest *r, GimpProcedureConfig *config)
{
    const SfuParamSpec *const *rows = sfu_action_specs(r->action);
    for (int i = 0; rows[i]; i++) {
        char *name = pdb_name(rows[i]->name);
        const gboolean given = sfu_request_given(r, rows[i]->name);
        const double v =
            given || rows[i]->type == SFU_PARAM_BOOL ? sfu_request_get_double(r, rows[i]->name) : SFU_NOT_GIVEN;
        if (rows[i]->type == SFU_PARAM_BOOL)
            g_object_set(config, name, v != 0, NULL);
        else if (rows[i]->type == SFU_PARAM_FLOAT || (rows[i]->type == SFU_PARAM_INT && rows[i]->max > G_MAXINT))
            g_object_set(config, name, MIN(v, SFU_EXACT_MAX), NULL);
        else if (rows[i]->type == SFU_PARAM_INT)
            g_object_set(config, name, (int)v, NULL);
        else
            g_object_set(config, name,
                         rows[i]->type == SFU_PARAM_CHOICE && !given ? SFU_NOT_GIVEN_WORD
                                                                     : sfu_request_get_string(r, rows[i]->name),
                         NULL);
        g_free(name);
    }
}

/* ---- runs
 * ------------------------------------------------------------------------------------------------------------ */

typedef struct {
    SfuMade made;
    gboolean shown; /* the dialog has put a new image into a window */
} Outcome;

static GimpValueArray *finish(GimpProcedure *procedure, GimpRunMode mode, int image, gboolean ok, const Outcome *out,
                              GError *error)
{
    if (!ok && (!error || g_error_matches(error, SFU_ERROR, SFU_ERROR_CANCELLED))) {
        g_clear_error(&error);
        return gimp_procedure_new_return_values(procedure, GIMP_PDB_CANCEL, NULL);
    }
    if (!ok) {
        const gboolean usage = g_error_matches(error, SFU_ERROR, SFU_ERROR_USAGE) && mode == GIMP_RUN_NONINTERACTIVE;
        return gimp_procedure_new_return_values(procedure, usage ? GIMP_PDB_CALLING_ERROR : GIMP_PDB_EXECUTION_ERROR,
                                                error);
    }
    GimpValueArray *values = gimp_procedure_new_return_values(procedure, GIMP_PDB_SUCCESS, NULL);
    if (out->made.layer >= 0) {
        if (mode != GIMP_RUN_NONINTERACTIVE) {
            if (out->made.image != image && !out->shown)
                sfu_host_show_image(out->made.image);
            sfu_host_flush();
        }
        GIMP_VALUES_SET_LAYER(values, 1, gimp_layer_get_by_id(out->made.layer));
        GIMP_VALUES_SET_IMAGE(values, 2, gimp_image_get_by_id(out->made.image));
    }
    return values;
}

static SfuSettings *begin_run(void)
{
    gegl_init(NULL, NULL);
    char *folder = sfu_host_folder();
    SfuSettings *settings = sfu_settings_load(folder);
    g_free(folder);
    return settings;
}

static int first_drawable(GimpDrawable **drawables)
{
    return drawables && drawables[0] ? gimp_item_get_id(GIMP_ITEM(drawables[0])) : -1;
}

/* Several layers may be chosen here; taking the first without a word would be a guess. */
static gboolean one_drawable(GimpDrawable **drawables, GError **error)
{
    if (!drawables || !drawables[0] || !drawables[1])
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("Several layers are selected. Select the one to work on."));
    return FALSE;
}

static GimpValueArray *run_action(GimpProcedure *procedure, GimpRunMode mode, GimpImage *gimp_image,
                                  GimpDrawable **drawables, GimpProcedureConfig *config, gpointer data)
{
    const SfuAction action = GPOINTER_TO_INT(data);
    const int image = gimp_image ? gimp_image_get_id(gimp_image) : -1, drawable = first_drawable(drawables);
    SfuSettings *settings = begin_run();
    Outcome out = {{-1, -1}, FALSE};
    GError *error = NULL;
    SfuRequest *r = request_from_config(action, config, &error);
    gboolean ok = FALSE;
    if (!r || (sfu_action_info(action)->needs_image && !r->whole_image && !one_drawable(drawables, &error)) ||
        (mode == GIMP_RUN_INTERACTIVE && !sfu_ui_offer_conversion(image))) {
        ok = FALSE;
    } else if (mode == GIMP_RUN_INTERACTIVE && sfu_action_info(action)->has_dialog) {
        /* GIMP keeps the values of runs that added something; ours are those of the last picture made. */
        SfuRequest *last = sfu_settings_last(settings, action);
        if (last) {
            sfu_request_free(r);
            r = last;
        }
        ok = out.shown = sfu_ui_run(r, image, drawable, settings, &out.made, &error);
        request_to_config(r, config);
    } else {
        ok = sfu_run(r, image, drawable, settings, mode != GIMP_RUN_NONINTERACTIVE, &out.made, &error);
    }
    sfu_request_free(r);
    sfu_settings_free(settings);
    return finish(procedure, mode, image, ok, &out, error);
}

static GimpValueArray *run_repeat(GimpProcedure *procedure, GimpRunMode mode, GimpImage *gimp_image,
                                  GimpDrawable **drawables, GimpProcedureConfig *config, gpointer data)
{
    const int image = gimp_image_get_id(gimp_image);
    SfuSettings *settings = begin_run();
    Outcome out = {{-1, -1}, FALSE};
    GError *error = NULL;
    const gboolean ok =
        one_drawable(drawables, &error) && sfu_run_again(settings, image, first_drawable(drawables), &out.made, &error);
    sfu_settings_free(settings);
    return finish(procedure, mode, image, ok, &out, error);
}

static GimpValueArray *run_exclude(GimpProcedure *procedure, GimpRunMode mode, GimpImage *image,
                                   GimpDrawable **drawables, GimpProcedureConfig *config, gpointer data)
{
    GError *error = NULL;
    const Outcome none = {{-1, -1}, FALSE};
    const gboolean ok = sfu_exclude_selection(gimp_image_get_id(image), &error);
    if (ok && mode != GIMP_RUN_NONINTERACTIVE)
        sfu_host_flush();
    return finish(procedure, mode, -1, ok, &none, error);
}

static GimpValueArray *run_settings(GimpProcedure *procedure, GimpProcedureConfig *config, gpointer data)
{
    GimpRunMode mode = GIMP_RUN_INTERACTIVE;
    SfuSettings *settings = begin_run();
    g_object_get(config, "run-mode", &mode, NULL);
    if (mode == GIMP_RUN_INTERACTIVE)
        sfu_ui_settings(settings);
    sfu_settings_free(settings);
    return gimp_procedure_new_return_values(procedure, GIMP_PDB_SUCCESS, NULL);
}

/* ---- registration: only words, no OpenCL, no files, no network
 * --------------------------------------------------------- */

static GList *query_procedures(GimpPlugIn *plug_in)
{
    GList *list = NULL;
    sfu_params_without_files();
    for (int i = 0; i < SFU_N_ACTIONS; i++)
        list = g_list_append(list, g_strdup(sfu_action_info(i)->procedure));
    list = g_list_append(list, g_strdup(REPEAT));
    list = g_list_append(list, g_strdup(EXCLUDE));
    return g_list_append(list, g_strdup(SETTINGS));
}

static void add_returns(GimpProcedure *p)
{
    gimp_procedure_add_layer_return_value(p, "layer", "Layer", "The new layer (the topmost one of several)", TRUE,
                                          G_PARAM_READWRITE);
    gimp_procedure_add_image_return_value(p, "result-image", "Image", "The image that it is in", TRUE,
                                          G_PARAM_READWRITE);
}

static GimpProcedure *create_procedure(GimpPlugIn *plug_in, const gchar *name)
{
    const int action = sfu_action_find(name);
    int place = action; /* in the menu */
    GimpProcedure *p;
    if (action >= 0) {
        const SfuActionInfo *a = sfu_action_info(action);
        p = gimp_image_procedure_new(plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, run_action, GINT_TO_POINTER(action),
                                     NULL);
        gimp_procedure_set_menu_label(p, _(a->menu));
        char *about = sfu_action_help(action);
        gimp_procedure_set_documentation(p, _(a->blurb), about, name);
        g_free(about);
        /* What is missing is said in a sentence; a gray menu says nothing. */
        gimp_procedure_set_sensitivity_mask(p, GIMP_PROCEDURE_SENSITIVE_DRAWABLE | GIMP_PROCEDURE_SENSITIVE_DRAWABLES |
                                                   GIMP_PROCEDURE_SENSITIVE_NO_DRAWABLES |
                                                   (a->needs_image ? 0 : GIMP_PROCEDURE_SENSITIVE_NO_IMAGE));
        const SfuParamSpec *const *rows = sfu_action_specs(action);
        for (int i = 0; rows[i]; i++)
            add_argument(p, action, rows[i]);
        add_returns(p);
    } else if (strcmp(name, REPEAT) == 0) {
        place = SFU_N_ACTIONS + 1;
        p = gimp_image_procedure_new(plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, run_repeat, NULL, NULL);
        gimp_procedure_set_menu_label(p, _("Re_peat Last"));
        gimp_procedure_set_documentation(
            p, _("Do the last Sfumato action again with another seed"),
            _("On a layer that Sfumato made, its own parameters are used; else those of the last run."), name);
        gimp_procedure_set_sensitivity_mask(p, GIMP_PROCEDURE_SENSITIVE_DRAWABLE);
        add_returns(p);
    } else if (strcmp(name, EXCLUDE) == 0) {
        place = SFU_N_ACTIONS;
        p = gimp_image_procedure_new(plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, run_exclude, NULL, NULL);
        gimp_procedure_set_menu_label(p, _("_Keep Excluded Area"));
        gimp_procedure_set_documentation(
            p, _("Mark the selection as an area that Fill, Remove and Expand never copy from"),
            _("The selection becomes the channel \"Sfumato: excluded\", in place of an older one. Delete the channel "
              "to "
              "exclude nothing."),
            name);
        gimp_procedure_set_sensitivity_mask(p, GIMP_PROCEDURE_SENSITIVE_DRAWABLE | GIMP_PROCEDURE_SENSITIVE_DRAWABLES |
                                                   GIMP_PROCEDURE_SENSITIVE_NO_DRAWABLES);
    } else if (strcmp(name, SETTINGS) == 0) {
        place = SFU_N_ACTIONS + 2;
        p = gimp_procedure_new(plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, run_settings, NULL, NULL);
        gimp_procedure_set_menu_label(p, _("_Models and Settings..."));
        gimp_procedure_set_documentation(p, _("Model folders, default models, device and memory of Sfumato"),
                                         _("Lists the models that were found with family, size and what they can do."),
                                         name);
        gimp_procedure_set_sensitivity_mask(p, GIMP_PROCEDURE_SENSITIVE_ALWAYS);
        gimp_procedure_add_enum_argument(p, "run-mode", "Run mode", "The run mode", GIMP_TYPE_RUN_MODE,
                                         GIMP_RUN_INTERACTIVE, G_PARAM_READWRITE);
    } else {
        return NULL;
    }
    gimp_procedure_set_image_types(p, "*");
    gimp_procedure_set_attribution(p, "The Sfumato authors", "GPL-3.0-or-later", "2026");
    char *path = g_strdup_printf(MENU, place);
    gimp_procedure_add_menu_path(p, path);
    g_free(path);
    return p;
}

/* Catalogues lie beside the binary, in GIMP's usual place; without them GIMP would warn. */
static gboolean set_i18n(GimpPlugIn *plug_in, const gchar *procedure_name, gchar **domain, gchar **folder)
{
    char *here = g_path_get_dirname(gimp_get_progname()), *locale = g_build_filename(here, "locale", NULL);
    const gboolean any = g_file_test(locale, G_FILE_TEST_IS_DIR);
    if (any) {
        *domain = g_strdup(GETTEXT_PACKAGE);
        *folder = g_strdup("locale");
    }
    g_free(locale);
    g_free(here);
    return any;
}

static void sfu_plug_in_class_init(SfuPlugInClass *klass)
{
    GimpPlugInClass *c = GIMP_PLUG_IN_CLASS(klass);
    c->query_procedures = query_procedures;
    c->create_procedure = create_procedure;
    c->set_i18n = set_i18n;
}

static void sfu_plug_in_init(SfuPlugIn *plug_in)
{
}

GIMP_MAIN(sfu_plug_in_get_type())
