/* The man page and the reference of parameters, from the tables.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/bench.h"
#include "cli/cli.h"

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
        out = g_strdup("text");
    }
    g_free(def);
    return out;
}

/* An entry of a list in roff. arg, range: NULL for none. */
static void man_entry(const char *name, const char *arg, const char *help, const char *range)
{
    const char *letter = sfu_cli_short_form(name);
    char *flag = sfu_cli_flag(name), *f = roff(flag), *h = roff(help), *r = roff(range ? range : "");
    g_print(".TP\n\\fB\\-\\-%s\\fR", f);
    if (letter)
        g_print(", \\fB\\-%s\\fR", letter);
    if (arg)
        g_print(" \\fI%s\\fR", arg);
    g_print("\n%s%s%s%s.\n", h, *r ? " (" : "", r, *r ? ")" : "");
    g_free(flag);
    g_free(f);
    g_free(h);
    g_free(r);
}

static void man_commands(void)
{
    int n;
    const SfuCliCommand *c = sfu_cli_commands(&n);
    g_print(".SH COMMANDS\n");
    for (int i = 0; i < n; i++) {
        char *a = roff(c[i].args), *h = roff(c[i].help);
        g_print(".TP\n\\fB%s\\fR %s\n%s.\n", c[i].name, a, h);
        g_free(a);
        g_free(h);
    }
}

static void man_options(void)
{
    int n;
    const SfuCliOption *o = sfu_cli_option_table(&n);
    g_print(
        ".SH OPTIONS\nA switch takes no value; \\fB\\-\\-no\\-\\fINAME\\fR turns it off. Most options apply to some "
        "commands only: \\fBsfumato\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR lists those of a command.\n");
    for (int i = 0; i < n; i++) {
        char *list = o[i].words ? g_strjoinv(", ", (char **)o[i].words) : NULL,
             *range = list ? g_strconcat("one of ", list, NULL) : NULL;
        man_entry(o[i].name, o[i].arg, o[i].help, range);
        g_free(range);
        g_free(list);
    }
}

static void man_parameters(void)
{
    int n;
    const SfuParamSpec *p = sfu_param_table(&n);
    g_print(".SH PARAMETERS\nThey describe the picture. A batch job takes them too, with underscores: "
            "\"clip_skip\".\n");
    for (int i = 0; i < n; i++) {
        char *range = range_of(&p[i]);
        man_entry(p[i].name, sfu_cli_value_name(&p[i]), p[i].help, range);
        g_free(range);
    }
}

static const char head[] =
    ".TH SFUMATO 1 \"\" \"Sfumato " SFU_VERSION "\" \"User Commands\"\n"
    ".SH NAME\nsfumato \\- fill, extend, change and enlarge pictures with diffusion models\n"
    ".SH SYNOPSIS\n.B sfumato\n.I command\n[options] [files]\n"
    ".SH DESCRIPTION\n"
    "Runs diffusion models (Stable Diffusion, SDXL, FLUX.2, Z\\-Image) and enlarging networks on any OpenCL device: a "
    "GPU of any maker, or the processor. Keeps the bit depth, color profile and transparency of pictures, and changes "
    "nothing outside a mask. Uses the network only for\n.BR \"models \\-\\-available\" \" and \" \"models get\" .\n";

static const char examples[] =
    ".SH EXAMPLES\n"
    ".TP\nRemove what is white in the mask, with the model that is included:\n"
    "sfumato inpaint photo.jpg out.png \\-\\-mask mask.png\n"
    ".TP\nMake three pictures:\n"
    "sfumato txt2img castle.png \\-\\-prompt \"a castle on a hill\" \\-\\-count 3 \\-\\-model sd15.safetensors\n"
    ".TP\nMake a picture again with another seed:\n"
    "sfumato txt2img other.png \\-\\-from castle\\-1.png \\-\\-seed 8\n"
    ".TP\nDouble every picture of a folder:\n"
    "sfumato upscale photos/ larger/ \\-\\-scale 2\n";

static const char batch_jobs[] =
    ".SH BATCH JOBS\n"
    "Each line of the file is a JSON object with \"task\", \"in\", \"mask\", \"out\" and any parameter:\n.PP\n"
    "{\"task\": \"inpaint\", \"in\": \"a.png\", \"mask\": \"m.png\", \"out\": \"b.png\", \"seed\": 7}\n.PP\n"
    "A job whose \"out\" exists is skipped; one that replaces its own input needs \\-\\-force. Two jobs cannot have "
    "one "
    "output. With \\-\\-claim, several workers on the same files share the jobs: a "
    "worker "
    "holds a lock on OUT.claim while it works at a job, and the system releases the lock if the worker dies. If the "
    "common folder does not support locks, divide the jobs with \\-\\-shard.\n";

static const char environment[] =
    ".SH ENVIRONMENT\n"
    ".TP\n.B SFUMATO_DEVICE\nThe default of \\-\\-device.\n"
    ".TP\n.B SFUMATO_MODELS\nFolders to search for models, separated by colons.\n"
    ".TP\n.B SFUMATO_STYLES\nFiles of styles in AUTOMATIC1111's form (styles.csv), separated by colons; they replace "
    "sfumato/styles.csv in the data folders of the system and in the user's configuration folder.\n"
    ".TP\n.B SFUMATO_CACHE\nFolder for compiled kernels (default: ~/.cache/sfumato/programs).\n"
    ".TP\n.B SFUMATO_COMPILE\nThe program that compiles kernels while a first job runs (default: the installed "
    "sfumato\\-compile). If it is empty, the job compiles them alone.\n";

static const char ending[] = ".SH EXIT STATUS\n"
                             ".TP\n.B 0\nThe job is done.\n"
                             ".TP\n.B 1\nIt failed. One sentence on the standard error says why.\n"
                             ".TP\n.B 2\nThe options or the input are wrong.\n"
                             ".TP\n.B 130\nCtrl\\-C or a signal such as SIGTERM stopped it.\n"
                             ".SH FILES\n"
                             ".TP\n.I ~/.local/share/sfumato/models\nYour models.\n"
                             ".SH SEE ALSO\n"
                             ".BR sfumato\\-index (7),\n.BR sfumato\\-fetch (1)\n";

int sfu_cli_man(int argc, char **argv)
{
    g_print("%s", head);
    man_commands();
    g_print("%s", examples);
    man_options();
    man_parameters();
    char *bench = roff(SFU_CLI_BENCH_ABOUT);
    g_print("%s.SH MEASURING\n%s\n%s%s", batch_jobs, bench, environment, ending);
    g_free(bench);
    return SFU_EXIT_OK;
}

int sfu_cli_params(int argc, char **argv)
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
