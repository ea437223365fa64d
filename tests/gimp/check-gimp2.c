/* The plug-in shell of the tests for GIMP 2.10, and calls with positional arguments.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

/* The value of "name=value" among the words, marked as used; NULL: not among them. */
static const char *take_word(char **words, const char *name)
{
    const gsize n = strlen(name);
    const char *value = NULL;
    for (int k = 0; words && words[k]; k++)
        if (strncmp(words[k], name, n) == 0 && words[k][n] == '=') {
            value = words[k] + n + 1;
            words[k][0] = '\1';
        }
    return value;
}

/* An argument that is a number or a text; given NULL: not given. */
static void set_value(GimpParam *p, const char *given)
{
    const double v = given && p->type != GIMP_PDB_STRING ? g_ascii_strtod(given, NULL) : SFU_NOT_GIVEN;
    if (p->type == GIMP_PDB_STRING)
        p->data.d_string = (char *)(given ? given : "");
    else if (p->type == GIMP_PDB_FLOAT)
        p->data.d_float = v;
    else
        p->data.d_int32 = v;
}

/* Advanced values stand in the options: the words that no argument has taken. */
static void add_unused(GString *options, char **words)
{
    for (int k = 0; words && words[k]; k++)
        if (words[k][0] != '\1')
            g_string_append_printf(options, "%s ", words[k]);
}

/* Puts `values` into the places that the procedure's own description gives them. "options=..." goes into the last
 * argument. */
Outcome call_action(SfuAction action, Image image, Drawable drawable, const char *values)
{
    const gboolean repeat = action == SFU_N_ACTIONS;
    const char *name = repeat ? "plug-in-sfumato-repeat" : sfu_action_info(action)->procedure;
    char *blurb, *help, *author, *copyright, *date, **words = NULL;
    GimpPDBProcType type;
    int n_args, n_returns;
    GimpParamDef *args, *returns;
    Outcome out = {FALSE, NULL, -1, -1};
    if (!gimp_procedural_db_proc_info(name, &blurb, &help, &author, &copyright, &date, &type, &n_args, &n_returns,
                                      &args, &returns)) {
        out.error = g_strdup_printf("%s is not registered", name);
        return out;
    }
    GimpParam *p = g_new0(GimpParam, n_args);
    GString *options = g_string_new(NULL);
    g_shell_parse_argv(values, NULL, &words, NULL);
    for (int i = 0; i < n_args; i++) {
        p[i].type = args[i].type;
        char *row = g_strdelimit(g_strdup(args[i].name), "-", '_');
        const char *given = take_word(words, row);
        if (args[i].type == GIMP_PDB_IMAGE) {
            p[i].data.d_image = image;
        } else if (args[i].type == GIMP_PDB_DRAWABLE) {
            p[i].data.d_drawable = drawable;
        } else if (strcmp(row, "run_mode") == 0) {
            p[i].data.d_int32 = given ? atoi(given) : GIMP_RUN_NONINTERACTIVE;
        } else if (strcmp(row, "options") == 0) {
            if (given)
                g_string_append_printf(options, "%s ", given);
            add_unused(options, words);
            p[i].data.d_string = options->str;
        } else {
            set_value(&p[i], given);
        }
        g_free(row);
    }
    int n = 0;
    GimpParam *r = gimp_run_procedure2(name, &n, n_args, p);
    out.ok = n >= 3 && r[0].data.d_status == GIMP_PDB_SUCCESS;
    if (out.ok) {
        out.layer = r[1].data.d_layer;
        out.image = r[2].data.d_image;
    } else {
        out.error = g_strdup(n > 1 && r[1].type == GIMP_PDB_STRING ? r[1].data.d_string : gimp_get_pdb_error());
    }
    gimp_destroy_params(r, n);
    g_string_free(options, TRUE);
    g_strfreev(words);
    g_free(p);
    gimp_destroy_paramdefs(args, n_args);
    gimp_destroy_paramdefs(returns, n_returns);
    return out;
}

static void query(void)
{
    static const GimpParamDef args[] = {{GIMP_PDB_STRING, "file", "Where the results go"},
                                        {GIMP_PDB_STRING, "what", "Which cases"}};
    static const GimpParamDef returns[] = {{GIMP_PDB_INT32, "n-passed", "Cases that passed"}};
    gimp_install_procedure("sfumato-check", "Tests Sfumato", "", "", "", "", NULL, NULL, GIMP_PLUGIN, 2, 1, args,
                           returns);
}

static void run(const gchar *name, gint n_params, const GimpParam *param, gint *n_return, GimpParam **return_vals)
{
    static GimpParam values[2];
    values[0] = (GimpParam){.type = GIMP_PDB_STATUS, .data.d_status = GIMP_PDB_SUCCESS};
    values[1] =
        (GimpParam){.type = GIMP_PDB_INT32, .data.d_int32 = check_run(param[0].data.d_string, param[1].data.d_string)};
    *n_return = 2;
    *return_vals = values;
}

const GimpPlugInInfo PLUG_IN_INFO = {NULL, NULL, query, run};

MAIN()
