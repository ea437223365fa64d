/* The man page and the reference of parameters, from the tables.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/bench.h"
#include "cli/cli.h"
#include <string.h>

static char *roff(const char *text)
{
    GString *s = g_string_new(text);
    g_string_replace(s, "\\", "\\e", 0);
    g_string_replace(s, "-", "\\-", 0);
    return g_string_free(s, FALSE);
}

static char *range_of(const SfuParamSpec *p)
{
    char *def = sfu_param_default_words(sfu_param_of(p), -1), *words, *out;
    switch (p->type) {
    case SFU_PARAM_INT:
    case SFU_PARAM_FLOAT:
        words = p->max > SFU_EXACT_MAX ? g_strdup_printf("%" G_GINT64_FORMAT, SFU_SEED_MAX)
                                       : g_strdup_printf("%.15g", p->max);
        out = g_strdup_printf("%.15g to %s, default %s", p->min, words, def);
        g_free(words);
        break;
    case SFU_PARAM_CHOICE:
        words = g_strjoinv(", ", (char **)p->choices);
        out = g_strdup_printf("one of %s; default %s", words, def);
        g_free(words);
        break;
    case SFU_PARAM_BOOL:
        out = g_strdup_printf("switch, default %s", def);
        break;
    default:
        out = g_strdup(p->list ? "text, may be given several times" : "text");
    }
    g_free(def);
    return out;
}

static void man_entry(const char *name, const char *arg, const char *help, const char *range)
{
    char *flag = sfu_cli_flag(name), *f = roff(flag), *h = roff(help), *r = roff(range ? range : "");
    g_print(".TP\n.B \\-\\-%s%s%s\n%s%s%s%s\n", f, arg ? " " : "", arg ? arg : "", h, *r ? " (" : "", r, *r ? ")" : "");
    g_free(flag);
    g_free(f);
    g_free(h);
    g_free(r);
}

int sfu_cli_man(void)
{
    int n;
    const SfuCliCommand *c = sfu_cli_commands(&n);
    g_print(".TH SFUMATO 1 \"\" \"Sfumato " SFU_VERSION
            "\" \"User Commands\"\n.SH NAME\nsfumato \\- fill, extend, change and enlarge pictures with "
            "diffusion models\n.SH SYNOPSIS\n.B sfumato\n.I command\n[options] [files]\n.SH DESCRIPTION\nRuns Stable "
            "Diffusion and super\\-resolution "
            "models on any OpenCL device: a GPU of any maker, or the processor. Bit depth, color profile and "
            "transparency of pictures are kept, and "
            "nothing outside a mask is changed.\n.SH COMMANDS\n");
    for (int i = 0; i < n; i++) {
        char *a = roff(c[i].args), *h = roff(c[i].help);
        g_print(".TP\n.B %s\n.I %s\n%s.\n", c[i].name, a, h);
        g_free(a);
        g_free(h);
    }
    g_print(".SH OPTIONS\n");
    const SfuCliOption *o = sfu_cli_option_table(&n);
    for (int i = 0; i < n; i++) {
        char *list = o[i].words ? g_strjoinv(", ", (char **)o[i].words) : NULL,
             *range = list ? g_strconcat("one of ", list, NULL) : NULL;
        man_entry(o[i].name, o[i].arg, o[i].help, range);
        g_free(range);
        g_free(list);
    }
    g_print(".SH PARAMETERS\n");
    const SfuParamSpec *p = sfu_param_table(&n);
    for (int i = 0; i < n; i++) {
        char *range = range_of(&p[i]);
        man_entry(p[i].name, p[i].type == SFU_PARAM_BOOL ? NULL : "VALUE", p[i].help, range);
        g_free(range);
    }
    char *bench = roff(SFU_CLI_BENCH_ABOUT);
    g_print(".SH MEASURING\n%s\n", bench);
    g_free(bench);
    g_print(
        ".SH ENVIRONMENT\n.TP\n.B SFUMATO_DEVICE\nas \\-\\-device\n.TP\n.B SFUMATO_MODELS\nfolders that are "
        "searched for models, separated by "
        "colons\n.TP\n.B SFUMATO_CACHE\nfolder for compiled kernels\n.TP\n.B SFUMATO_COMPILE\nthe program that "
        "compiles kernels beside a first job; empty: none\n.SH EXIT STATUS\n0: done. 1: it failed. 2: "
        "bad options or input. 130: "
        "interrupted.\n.SH BATCH JOBS\nEach line of the file is a JSON object with \"task\", \"in\", \"mask\", "
        "\"out\" and any parameter:\n.PP\n"
        "{\"task\": \"inpaint\", \"in\": \"a.png\", \"mask\": \"m.png\", \"out\": \"b.png\", \"seed\": 7}\n.PP\n"
        "A job whose \"out\" exists is skipped. With \\-\\-claim, several workers on the same files share the jobs: "
        "a worker holds a lock on OUT.claim while it works at a job, and the system releases the lock if the worker "
        "dies. Where the common folder does not support locks, divide the jobs with \\-\\-shard.\n");
    return SFU_EXIT_OK;
}

int sfu_cli_params(void)
{
    int n;
    const SfuParamSpec *p = sfu_param_table(&n);
    g_print("| parameter | tasks | what | range |\n|---|---|---|---|\n");
    for (int i = 0; i < n; i++) {
        GString *tasks = g_string_new(NULL);
        for (int t = 0; t < SFU_N_TASKS; t++)
            if (p[i].tasks & 1u << t)
                g_string_append_printf(tasks, "%s%s", tasks->len ? " " : "", sfu_task_name((SfuTask)t));
        char *range = range_of(&p[i]);
        g_print("| %s | %s | %s | %s |\n", p[i].name, tasks->str, p[i].help, range);
        g_free(range);
        g_string_free(tasks, TRUE);
    }
    return SFU_EXIT_OK;
}
