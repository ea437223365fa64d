/* Shell completions from the tables of commands, options and parameters.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <string.h>

typedef struct {
    const char *name;              /* without the dashes */
    gboolean value, file;          /* it takes one; that is a file */
    const char *const *choices;    /* of the value; NULL: any */
    const SfuParamSpec *parameter; /* NULL: an option */
    const char *only;              /* of an option: the commands that have it; NULL: all */
} Flag;
#define GLOBAL_FLAGS "--help --version" /* without a command */

/* TRUE if an option's argument is a file or a folder. */
static gboolean is_file(const char *arg)
{
    return g_strcmp0(arg, "FILE") == 0 || g_strcmp0(arg, "DIR") == 0;
}

/* New array of Flag, the names in `chunk`. */
static GArray *all_flags(GStringChunk *chunk)
{
    GArray *flags = g_array_new(FALSE, FALSE, sizeof(Flag));
    int n;
    const SfuParamSpec *p = sfu_param_table(&n);
    for (int i = 0; i < n; i++) {
        char *name = sfu_cli_flag(p[i].name);
        const Flag f = {g_string_chunk_insert(chunk, name),
                        p[i].type != SFU_PARAM_BOOL,
                        p[i].type == SFU_PARAM_FILE,
                        p[i].type == SFU_PARAM_CHOICE ? (const char *const *)p[i].choices : NULL,
                        &p[i],
                        NULL};
        g_array_append_val(flags, f);
        g_free(name);
    }
    const SfuCliOption *o = sfu_cli_option_table(&n);
    for (int i = 0; i < n; i++) {
        const Flag f = {o[i].name, o[i].arg != NULL, is_file(o[i].arg), o[i].words, NULL, o[i].only};
        g_array_append_val(flags, f);
    }
    const Flag of_bench[] = {{"filter", TRUE, .only = "bench"},
                             {"size", TRUE, .only = "bench"},
                             {"runs", TRUE, .only = "bench"},
                             {"plain", .only = "bench"},
                             {"compare", .only = "bench"}};
    g_array_append_vals(flags, of_bench, G_N_ELEMENTS(of_bench));
    return flags;
}

static gboolean takes(const SfuCliCommand *c, const Flag *f)
{
    static const char *const of_bench[] = {"device", "precision", "filter",  "model", "size", "runs",
                                           "plain",  "profile",   "compare", "json",  "help", NULL};
    if (c->task == SFU_CLI_OWN_OPTIONS)
        return strcmp(c->name, "bench") == 0 && g_strv_contains(of_bench, f->name);
    return f->parameter ? sfu_cli_takes(c->task, f->parameter) : sfu_cli_option_is_for(f->only, c->name);
}

/* The commands, separated by blanks; only those that take the flag, unless that is NULL. Caller frees. */
static char *commands(const Flag *f)
{
    int n;
    const SfuCliCommand *c = sfu_cli_commands(&n);
    GString *s = g_string_new(NULL);
    for (int i = 0; i < n; i++)
        if (!f || takes(&c[i], f))
            g_string_append_printf(s, "%s%s", s->len ? " " : "", c[i].name);
    return g_string_free(s, FALSE);
}

/* `case` branches of bash and zsh that set `own` to the words that may follow the command. */
static void words_by_command(const char *opens, const char *closes)
{
    int n;
    const SfuCliCommand *c = sfu_cli_commands(&n);
    for (int i = 0; i < n; i++)
        if (c[i].words)
            g_print("    %s) own=%s%s%s ;;\n", c[i].name, opens, c[i].words, closes);
}

/* `case` branches of bash and zsh that set `flags` by the command; opens and closes stand around the list. */
static void flags_by_command(const GArray *flags, const char *opens, const char *closes)
{
    int n;
    const SfuCliCommand *c = sfu_cli_commands(&n);
    for (int i = 0; i < n; i++) {
        g_print("    %s) flags=%s", c[i].name, opens);
        const char *blank = "";
        for (guint k = 0; k < flags->len; k++) {
            const Flag *f = &g_array_index(flags, Flag, k);
            if (takes(&c[i], f)) {
                g_print("%s--%s", blank, f->name);
                blank = " ";
            }
        }
        g_print("%s ;;\n", closes);
    }
}

static void bash(const GArray *flags)
{
    char *list = commands(NULL);
    g_print("_sfumato() {\n    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} flags own=\n"
            "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
            "        case $cur in\n        -*) COMPREPLY=($(compgen -W '" GLOBAL_FLAGS "' -- \"$cur\")) ;;\n"
            "        *) COMPREPLY=($(compgen -W '%s' -- \"$cur\")) ;;\n        esac\n        return\n    fi\n"
            "    case $prev in\n",
            list);
    for (guint i = 0; i < flags->len; i++) {
        const Flag *f = &g_array_index(flags, Flag, i);
        if (!f->choices)
            continue;
        char *words = g_strjoinv("\n", (char **)f->choices);
        g_print("    --%s) local IFS=$'\\n'; COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n", f->name, words);
        g_free(words);
    }
    g_print("    esac\n    case ${COMP_WORDS[1]} in\n");
    flags_by_command(flags, "'", "'");
    g_print("    esac\n    if [ \"$COMP_CWORD\" -eq 2 ]; then\n    case ${COMP_WORDS[1]} in\n");
    words_by_command("'", "'");
    g_print("    esac\n    fi\n    case $cur in\n    -*) flags=\"$flags $own\" ;;\n    *) flags=$own ;;\n    esac\n"
            "    COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n"
            "    if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- \"$cur\")); fi\n}\n"
            "complete -o filenames -F _sfumato sfumato\n");
    g_free(list);
}

static void zsh(const GArray *flags)
{
    char *list = commands(NULL);
    g_print("#compdef sfumato\nlocal -a flags own\nif (( CURRENT == 2 )); then\n"
            "    if [[ $words[2] == -* ]]; then compadd -- " GLOBAL_FLAGS "; else compadd -- %s; fi\n    return\nfi\n"
            "case $words[CURRENT-1] in\n",
            list);
    for (guint i = 0; i < flags->len; i++) {
        const Flag *f = &g_array_index(flags, Flag, i);
        if (!f->choices)
            continue;
        char *words = g_strjoinv("' '", (char **)f->choices);
        g_print("    --%s) compadd -- '%s'; return ;;\n", f->name, words);
        g_free(words);
    }
    g_print("esac\ncase $words[2] in\n");
    flags_by_command(flags, "(", ")");
    g_print("esac\nif (( CURRENT == 3 )); then\ncase $words[2] in\n");
    words_by_command("(", ")");
    g_print("esac\nfi\nif [[ $words[CURRENT] == -* ]]; then compadd -- $flags $own; "
            "else compadd -- $own || _files; fi\n");
    g_free(list);
}

static void fish(const GArray *flags)
{
    char *list = commands(NULL);
    g_print("complete -c sfumato -n __fish_use_subcommand -a '%s'\n"
            "complete -c sfumato -n __fish_use_subcommand -l help\n"
            "complete -c sfumato -n __fish_use_subcommand -l version\n",
            list);
    int n;
    const SfuCliCommand *c = sfu_cli_commands(&n);
    for (int i = 0; i < n; i++)
        if (c[i].words)
            g_print(
                "complete -c sfumato -n '__fish_seen_subcommand_from %s; and test (count (commandline -opc)) -eq 2' "
                "-a '%s'\n",
                c[i].name, c[i].words);
    for (guint i = 0; i < flags->len; i++) {
        const Flag *f = &g_array_index(flags, Flag, i);
        char *takers = commands(f), *words = f->choices ? g_strjoinv("' '", (char **)f->choices) : NULL;
        g_print("complete -c sfumato -n '__fish_seen_subcommand_from %s' -l %s", takers, f->name);
        if (words)
            g_print(" -x -a \"'%s'\"", words);
        else if (f->value)
            g_print(f->file ? " -r -F" : " -x");
        g_print("\n");
        g_free(takers);
        g_free(words);
    }
    g_free(list);
}

int sfu_cli_completion(int argc, char **argv)
{
    const char *shell = argc > 1 ? argv[1] : NULL;
    static const struct {
        const char *name;
        void (*print)(const GArray *flags);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (guint i = 0; i < G_N_ELEMENTS(shells); i++)
        if (g_strcmp0(shell, shells[i].name) == 0) {
            GStringChunk *chunk = g_string_chunk_new(1024);
            GArray *flags = all_flags(chunk);
            shells[i].print(flags);
            g_array_unref(flags);
            g_string_chunk_free(chunk);
            return SFU_EXIT_OK;
        }
    g_printerr("sfumato: completion is for bash, zsh or fish\n");
    return SFU_EXIT_USAGE;
}
