/* `sfumato --help` and `sfumato COMMAND --help`, from the tables.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDEST 120
#define NARROWEST 40
#define COLUMN 31 /* where the explanation of a flag begins */

/* The columns of the terminal, at most WIDEST. 0 for a pipe or a file: their lines stay whole, so grep finds them. */
static int terminal_columns(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < NARROWEST)
        return 0;
    return MIN(size.ws_col, WIDEST);
}

/* Prints `text` from column `at` on, where the cursor is, and ends the line. Later lines begin at column `indent`. */
static void print_wrapped(const char *text, int at, int indent)
{
    const int columns = terminal_columns();
    char **words = g_strsplit(text, " ", -1);
    for (guint i = 0; words[i]; i++) {
        const int length = (int)g_utf8_strlen(words[i], -1);
        if (columns && at > indent && at + 1 + length > columns) {
            g_print("\n%*s", indent, "");
            at = indent;
        } else if (i > 0) {
            g_print(" ");
            at++;
        }
        g_print("%s", words[i]);
        at += length;
    }
    g_print("\n");
    g_strfreev(words);
}

/* An entry of a list: what it is called, then what it means, from column `column` on. */
static void print_entry(const char *name, const char *meaning, int column)
{
    g_print("%-*s ", column - 1, name);
    const int length = (int)strlen(name);
    print_wrapped(meaning, MAX(column, length + 1), column);
}

/* note: behind the explanation, NULL: none; words: NULL, or those that the flag takes. */
static void print_flag(const char *name, const char *arg, const char *help, const char *note, const char *const *words)
{
    const char *letter = sfu_cli_short_form(name);
    char *dashed = sfu_cli_flag(name), *flag = g_strconcat("  --", dashed, arg ? " " : "", arg ? arg : "", NULL),
         *meaning = g_strconcat(help, letter ? " (short: -" : "", letter ? letter : "", letter ? ")" : "", note, NULL);
    print_entry(flag, meaning, COLUMN);
    if (words) {
        char *list = g_strjoinv(", ", (char **)words), *sentence = g_strconcat("one of: ", list, NULL);
        print_entry("", sentence, COLUMN);
        g_free(sentence);
        g_free(list);
    }
    g_free(meaning);
    g_free(flag);
    g_free(dashed);
}

const char *sfu_cli_value_name(const SfuParamSpec *p)
{
    switch (p->type) {
    case SFU_PARAM_BOOL:
        return NULL;
    case SFU_PARAM_STRING:
        return "TEXT";
    case SFU_PARAM_CHOICE:
        return "WORD";
    case SFU_PARAM_FILE:
        return "FILE";
    default:
        return "N";
    }
}

/* " [range, default]" of a parameter as that task has it. Caller frees; NULL for texts. */
static char *note_of(const SfuParamSpec *p, int task)
{
    if (sfu_param_is_text(p))
        return NULL;
    char *def = sfu_param_default_words(sfu_param_of(p), task < SFU_N_TASKS ? task : -1), *note;
    if (p->max > SFU_EXACT_MAX)
        note = g_strdup_printf(" [%.15g..%" G_GINT64_FORMAT ", default %s]", p->min, SFU_SEED_MAX, def);
    else if (p->type == SFU_PARAM_INT || p->type == SFU_PARAM_FLOAT)
        note = g_strdup_printf(" [%.15g..%.15g, default %s]", p->min, p->max, def);
    else
        note = g_strdup_printf(" [default %s]", def);
    g_free(def);
    return note;
}

static void print_parameters(int task)
{
    int n;
    const SfuParamSpec *p = sfu_param_table(&n);
    g_print("Parameters:\n");
    for (int i = 0; i < n; i++) {
        if (!sfu_cli_takes(task, &p[i]))
            continue;
        char *note = note_of(&p[i], task);
        print_flag(p[i].name, sfu_cli_value_name(&p[i]), p[i].help, note,
                   p[i].type == SFU_PARAM_CHOICE ? (const char *const *)p[i].choices : NULL);
        g_free(note);
    }
    g_print("\n");
}

static void print_options(const char *command)
{
    int n;
    const SfuCliOption *o = sfu_cli_option_table(&n);
    g_print("Options:\n");
    for (int i = 0; i < n; i++)
        if (sfu_cli_option_is_for(o[i].only, command))
            print_flag(o[i].name, o[i].arg, o[i].help, NULL, o[i].words);
    g_print("\nA switch takes no value; --no-NAME turns it off.\n");
}

void sfu_cli_print_help(const SfuCliCommand *c)
{
    char *sentence = g_strconcat(c->help, ".", NULL);
    g_print("usage: sfumato %s %s\n\n", c->name, c->args);
    print_wrapped(sentence, 0, 0);
    g_print("\n");
    g_free(sentence);
    if (c->task >= 0)
        print_parameters(c->task);
    if (c->task != SFU_CLI_OWN_OPTIONS)
        print_options(c->name);
}

void sfu_cli_print_commands(void)
{
    g_print("usage: sfumato COMMAND [options] [files]\n\n");
    int n;
    const SfuCliCommand *c = sfu_cli_commands(&n);
    for (int i = 0; i < n; i++) {
        char *name = g_strconcat("  ", c[i].name, NULL);
        print_entry(name, c[i].help, 14);
        g_free(name);
    }
    g_print("\n`sfumato COMMAND --help` shows the options of a command. `man sfumato` describes everything.\n"
            "`sfumato --version` prints the version.\n");
}
