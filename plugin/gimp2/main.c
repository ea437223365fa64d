/* The plug-in for GIMP 2.10: registration and runs. PDB arguments come from the table of parameters: the plain rows in
 * order, then one string for all others, since arguments are positional here.
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
#define WITHOUT_IMAGE "-image" /* of procedures that make one: the same without an image to begin with */
#define MENU "<Image>/Filters/Sfumato"
/* GIMP 2.10 sorts a menu's entries by path and label. One slash at the end of the path leads to the same menu, above a
 * separator. No other path does, so within each of the two groups the labels decide. */
#define MENU_TOP MENU "/"
#define AUTHOR "The Sfumato authors"
#define COPYRIGHT "GPL-3.0-or-later"
#define YEAR "2026"

static char *locale_folder(void)
{
    char *folder = g_path_get_dirname(gimp_get_progname()), *locale = g_build_filename(folder, "locale", NULL);
    g_free(folder);
    return locale;
}

static GimpPDBArgType arg_type(const SfuParamSpec *s)
{
    switch (s->type) {
    case SFU_PARAM_BOOL:
        return GIMP_PDB_INT32;
    case SFU_PARAM_INT:
        return s->max > G_MAXINT32 ? GIMP_PDB_FLOAT : GIMP_PDB_INT32; /* of seeds, 53 bits */
    case SFU_PARAM_FLOAT:
        return GIMP_PDB_FLOAT;
    default:
        return GIMP_PDB_STRING;
    }
}

static char *pdb_name(const char *name)
{
    return g_strdelimit(g_strdup(name), "_", '-');
}

static void add_arg(GArray *args, GimpPDBArgType type, char *name, char *help)
{
    const GimpParamDef def = {type, name, help}; /* strings live as long as the query, which is the process */
    g_array_append_val(args, def);
}

static void install_action(SfuAction action)
{
    const SfuActionInfo *a = sfu_action_info(action);
    GArray *args = g_array_new(FALSE, FALSE, sizeof(GimpParamDef));
    GString *options = g_string_new("More values as \"name=value name='two words'\", or an empty string. In the "
                                    "arguments before this one -1, or for a "
                                    "string \"\", means \"not given\": the model's own choice, or the default. ");
    add_arg(args, GIMP_PDB_INT32, "run-mode",
            "The run mode { RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1), RUN-WITH-LAST-VALS (2) }");
    add_arg(args, GIMP_PDB_IMAGE, "image",
            a->needs_image ? "The image" : "The image; for none, plug-in-sfumato-generate-image");
    if (a->needs_image)
        add_arg(args, GIMP_PDB_DRAWABLE, "drawable", "The layer to work on");
    const SfuParamSpec *const *rows = sfu_action_specs(action);
    for (int i = 0; rows[i]; i++) {
        char *help = sfu_spec_describe(action, rows[i]);
        if (!sfu_spec_has_position(rows[i])) {
            g_string_append_printf(options, "%s: %s. ", rows[i]->name, help);
            g_free(help);
        } else {
            add_arg(args, arg_type(rows[i]), pdb_name(rows[i]->name), help);
        }
    }
    add_arg(args, GIMP_PDB_STRING, "options", g_string_free(options, FALSE));
    static const GimpParamDef returns[] = {{GIMP_PDB_LAYER, "layer", "The new layer (the topmost one of several)"},
                                           {GIMP_PDB_IMAGE, "image", "The image that it is in"}};
    char *about = sfu_action_help(action);
    gimp_install_procedure(a->procedure, _(a->blurb), about, AUTHOR, COPYRIGHT, YEAR, _(a->menu),
                           a->needs_image ? "*" : "", GIMP_PLUGIN, args->len, G_N_ELEMENTS(returns),
                           (GimpParamDef *)args->data, returns);
    gimp_plugin_menu_register(a->procedure, action == SFU_ACTION_FILL || action == SFU_ACTION_REMOVE ? MENU_TOP : MENU);
    if (!a->needs_image) { /* PDB calls cannot say "no image" in 2.10: the same without it, for scripts */
        g_array_remove_index(args, 1);
        gimp_install_procedure(g_strconcat(a->procedure, WITHOUT_IMAGE, NULL), _(a->blurb), about, AUTHOR, COPYRIGHT,
                               YEAR, NULL, NULL, GIMP_PLUGIN, args->len, G_N_ELEMENTS(returns),
                               (GimpParamDef *)args->data, returns);
    }
    g_array_free(args, TRUE);
    g_free(about);
}

/* Only words: no OpenCL, no files, no network while GIMP asks. */
static void query(void)
{
    static const GimpParamDef repeat_args[] = {
        {GIMP_PDB_INT32, "run-mode",
         "The run mode { RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1), RUN-WITH-LAST-VALS (2) }"},
        {GIMP_PDB_IMAGE, "image", "The image"},
        {GIMP_PDB_DRAWABLE, "drawable", "The layer to work on; one that Sfumato made is made again with another seed"}};
    static const GimpParamDef repeat_returns[] = {{GIMP_PDB_LAYER, "layer", "The new layer"},
                                                  {GIMP_PDB_IMAGE, "image", "Its image"}};
    static const GimpParamDef settings_args[] = {{GIMP_PDB_INT32, "run-mode", "The run mode { RUN-INTERACTIVE (0) }"}};
    char *locale = locale_folder();
    sfu_params_without_files();
    gimp_plugin_domain_register(GETTEXT_PACKAGE, locale);
    g_free(locale);
    for (int i = 0; i < SFU_N_ACTIONS; i++)
        install_action(i);
    gimp_install_procedure(REPEAT, _("Do the last Sfumato action again with another seed"),
                           _("On a layer that Sfumato made, its own parameters are used; else those of the last run."),
                           AUTHOR, COPYRIGHT, YEAR, _("Re_peat Last"), "*", GIMP_PLUGIN, G_N_ELEMENTS(repeat_args),
                           G_N_ELEMENTS(repeat_returns), repeat_args, repeat_returns);
    gimp_plugin_menu_register(REPEAT, MENU);
    static const GimpParamDef exclude_args[] = {
        {GIMP_PDB_INT32, "run-mode", "The run mode { RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1) }"},
        {GIMP_PDB_IMAGE, "image", "The image"}};
    gimp_install_procedure(
        EXCLUDE, _("Mark the selection as an area that Fill, Remove and Expand never copy from"),
        _("The selection becomes the channel \"Sfumato: excluded\", in place of an older one. Delete "
          "the channel to exclude nothing."),
        AUTHOR, COPYRIGHT, YEAR, _("_Keep Excluded Area"), "*", GIMP_PLUGIN, G_N_ELEMENTS(exclude_args), 0,
        exclude_args, NULL);
    gimp_plugin_menu_register(EXCLUDE, MENU);
    gimp_install_procedure(SETTINGS, _("Model folders, default models, device and memory of Sfumato"),
                           _("Lists the models that were found with family, size and what they can do."), AUTHOR,
                           COPYRIGHT, YEAR, _("_Models and Settings..."), "", GIMP_PLUGIN, G_N_ELEMENTS(settings_args),
                           0, settings_args, NULL);
    gimp_plugin_menu_register(SETTINGS, MENU);
}

/* Values of a non-interactive call, in the order of install_action(). */
static gboolean request_from_args(SfuRequest *r, const GimpParam *param, int n, GError **error)
{
    const SfuParamSpec *const *rows = sfu_action_specs(r->action);
    int k = 0;
    for (int i = 0; rows[i]; i++) {
        if (!sfu_spec_has_position(rows[i]))
            continue;
        if (k >= n) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("Too few arguments: %s is missing."), rows[i]->name);
            return FALSE;
        }
        const GimpParam *p = &param[k++];
        const gboolean ok =
            p->type == GIMP_PDB_STRING  ? sfu_request_set_text_argument(r, rows[i]->name, p->data.d_string, error)
            : p->type == GIMP_PDB_FLOAT ? sfu_request_set_argument(r, rows[i]->name, p->data.d_float, error)
                                        : sfu_request_set_argument(r, rows[i]->name, p->data.d_int32, error);
        if (!ok)
            return FALSE;
    }
    return k >= n || sfu_request_set_options(r, param[k].data.d_string, error);
}

typedef struct {
    GimpPDBStatusType status;
    SfuMade made;
    gboolean shown; /* the dialog has put a new image into a window */
} Outcome;

/* How an action was called. */
typedef struct {
    GimpRunMode mode;
    int image, drawable;   /* -1: none */
    const GimpParam *args; /* those behind them */
    int n_args;
} Call;

static gboolean run_action(SfuAction action, const Call *call, SfuSettings *settings, Outcome *out, GError **error)
{
    const GimpRunMode mode = call->mode;
    const int image = call->image, drawable = call->drawable;
    SfuRequest *r = mode == GIMP_RUN_NONINTERACTIVE ? NULL : sfu_settings_last(settings, action);
    gboolean ok;
    if (!r)
        r = sfu_request_new(action);
    if (mode == GIMP_RUN_INTERACTIVE && !sfu_ui_offer_conversion(image))
        ok = FALSE;
    else if (mode == GIMP_RUN_NONINTERACTIVE)
        ok = request_from_args(r, call->args, call->n_args, error) &&
             sfu_run(r, image, drawable, settings, FALSE, &out->made, error);
    else if (mode == GIMP_RUN_WITH_LAST_VALS || !sfu_action_info(action)->has_dialog)
        ok = sfu_run(r, image, drawable, settings, TRUE, &out->made, error);
    else
        ok = out->shown = sfu_ui_run(r, image, drawable, settings, &out->made, error);
    sfu_request_free(r);
    return ok;
}

static void run(const gchar *name, gint n_params, const GimpParam *param, gint *n_return, GimpParam **return_vals)
{
    static GimpParam values[3];
    const GimpRunMode mode = n_params > 0 ? param[0].data.d_int32 : GIMP_RUN_INTERACTIVE;
    const gboolean image_only = g_str_has_suffix(name, WITHOUT_IMAGE);
    char *with_image = g_strndup(name, strlen(name) - (image_only ? strlen(WITHOUT_IMAGE) : 0));
    const int action = sfu_action_find(with_image);
    Outcome out = {GIMP_PDB_SUCCESS, {-1, -1}, FALSE};
    GError *error = NULL;
    char *locale = locale_folder(), *folder = sfu_host_folder();
    static char message[1024];

    bindtextdomain(GETTEXT_PACKAGE, locale);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    gegl_init(NULL, NULL);
    SfuSettings *settings = sfu_settings_load(folder);
    const int image = n_params > 1 && param[1].type == GIMP_PDB_IMAGE ? param[1].data.d_image : -1;
    const int drawable = n_params > 2 && param[2].type == GIMP_PDB_DRAWABLE ? param[2].data.d_drawable : -1;
    gboolean ok;
    if (strcmp(name, REPEAT) == 0) {
        ok = sfu_run_again(settings, image, drawable, &out.made, &error);
    } else if (strcmp(name, EXCLUDE) == 0) {
        ok = sfu_exclude_selection(image, &error);
    } else if (strcmp(name, SETTINGS) == 0) {
        ok = mode == GIMP_RUN_INTERACTIVE ? sfu_ui_settings(settings) : TRUE;
    } else {
        const int skip = MIN(n_params, image_only ? 1 : sfu_action_info(MAX(action, 0))->needs_image ? 3 : 2);
        ok = run_action(action, &(Call){mode, image, drawable, param + skip, n_params - skip}, settings, &out, &error);
    }
    if (!ok && (!error || g_error_matches(error, SFU_ERROR, SFU_ERROR_CANCELLED)))
        out.status = GIMP_PDB_CANCEL;
    else if (!ok)
        out.status = g_error_matches(error, SFU_ERROR, SFU_ERROR_USAGE) && mode == GIMP_RUN_NONINTERACTIVE
                         ? GIMP_PDB_CALLING_ERROR
                         : GIMP_PDB_EXECUTION_ERROR;
    values[0] = (GimpParam){.type = GIMP_PDB_STATUS, .data.d_status = out.status};
    *return_vals = values;
    *n_return = 1;
    if (ok && out.made.layer >= 0) {
        if (mode != GIMP_RUN_NONINTERACTIVE) {
            if (out.made.image != image && !out.shown)
                sfu_host_show_image(out.made.image);
            sfu_host_flush();
        }
        values[1] = (GimpParam){.type = GIMP_PDB_LAYER, .data.d_layer = out.made.layer};
        values[2] = (GimpParam){.type = GIMP_PDB_IMAGE, .data.d_image = out.made.image};
        *n_return = 3;
    } else if (error && out.status != GIMP_PDB_CANCEL) {
        g_strlcpy(message, error->message, sizeof message);
        values[1] = (GimpParam){.type = GIMP_PDB_STRING, .data.d_string = message};
        *n_return = 2;
    }
    g_clear_error(&error);
    sfu_settings_free(settings);
    g_free(folder);
    g_free(locale);
    g_free(with_image);
}

const GimpPlugInInfo PLUG_IN_INFO = {NULL, NULL, query, run};

MAIN()
