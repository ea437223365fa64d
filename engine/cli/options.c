/* The command line's flags: one for each row of the parameter table, and those of the command itself.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <string.h>

static const char *const depths[] = {"8", "16", "32", NULL};
static const char *const types[] = {"f32", "f16", "bf16", "q8_0", "q4_0", "q4_k", "fp8", "int8", NULL};
/* What makes pictures; those with a denoiser; those of them that look at a mask. */
#define PAINTERS "img2img inpaint outpaint edit batch"
#define DENOISERS "txt2img " PAINTERS
#define MAKERS DENOISERS " upscale"
static const struct {
    const char *letter, *name;
} letters[] = {{"p", "prompt"}, {"n", "negative"}, {"m", "model"}, {"s", "seed"},
               {"k", "mask"},   {"q", "quiet"},    {"d", "device"}};
static const SfuCliOption table[] = {
    {"device", "NAME",
     "OpenCL device to use: its number or part of its name, as `sfumato devices` lists them; SFUMATO_DEVICE sets the "
     "default"},
    {"memory", "BYTES",
     "Memory limit on the device, for instance 2G or 900M; Sfumato tiles or streams what does not fit, and keeps large "
     "pictures on disk"},
    {"precision", "WORD", "Type of the numbers that the networks compute with", sfu_precisions},
    {"mask", "FILE",
     "Picture that marks what to repaint: white fully, gray partly; if it has transparency, its opaque parts count "
     "instead",
     .only = PAINTERS},
    {"exclude", "FILE", "inpaint and outpaint: picture whose white parts must not be copied from; read like the mask",
     .only = "inpaint outpaint batch"},
    {"invert-mask", NULL, "Repaints everything outside the mask", .only = PAINTERS},
    {"from", "FILE",
     "Takes parameters from a picture or text file that Sfumato, AUTOMATIC1111, NovelAI, InvokeAI, SwarmUI or Fooocus "
     "wrote; later flags override them",
     .only = MAKERS},
    {"depth", "BITS", "Bits per channel of the written picture (default: those of the input, else 8)", depths, MAKERS},
    {"noise", "FILE", "Starts from the tensor \"noise\" [n, c, h, w] in a safetensors file", .only = DENOISERS},
    {"save-latent", "FILE", "Writes the final latents as safetensors", .only = DENOISERS},
    {"trace", "DIR", "Writes the output of every block of the denoising network into this folder, as safetensors",
     .only = DENOISERS},
    {"shard", "I/N", "batch: runs every Nth job, starting with the Ith (1..N)", .only = "batch"},
    {"claim", NULL,
     "batch: shares the jobs with other workers on the same files; each worker takes one job at a time and takes over "
     "the jobs of workers that died",
     .only = "batch"},
    {"type", "TYPE",
     "convert: type of the matrices; q8_0, q4_0 and q4_k go into .gguf files, fp8 and int8 into .safetensors", types,
     "convert"},
    {"force", NULL, "batch and folders: makes existing results again; convert: overwrites OUT",
     .only = "upscale batch convert"},
    {"profile", NULL, "Prints a table of kernel times at the end", .only = MAKERS},
    {"json", NULL, "Prints events and results as JSON, one object per line"},
    {"quiet", NULL, "Prints errors only"},
    {"help", NULL, "Shows this help"},
};

const SfuCliOption *sfu_cli_option_table(int *n)
{
    *n = G_N_ELEMENTS(table);
    return table;
}

const char *sfu_cli_short_form(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(letters); i++)
        if (strcmp(letters[i].name, name) == 0)
            return letters[i].letter;
    return NULL;
}

gboolean sfu_cli_option_is_for(const char *only, const char *command)
{
    char **commands = only ? g_strsplit(only, " ", -1) : NULL;
    const gboolean is_for = !commands || g_strv_contains((const char *const *)commands, command);
    g_strfreev(commands);
    return is_for;
}

static gboolean parse_bytes(const char *text, guint64 *bytes, GError **error)
{
    char *end;
    const double v = g_ascii_strtod(text, &end);
    const char *units = "KMGT", *u = *end ? strchr(units, g_ascii_toupper(*end)) : NULL;
    double factor = 1;
    if (u) {
        factor = (double)(1ull << (10 * (u - units + 1)));
        end++;
        if (g_ascii_strcasecmp(end, "iB") == 0 || g_ascii_strcasecmp(end, "B") == 0)
            end += strlen(end);
    }
    if (end == text || *end || !(v * factor >= 1) || v * factor > 1e15) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "'%s' is not an amount of memory (try 2G or 900M)", text);
        return FALSE;
    }
    *bytes = (guint64)(v * factor);
    return TRUE;
}

void sfu_cli_options_free(SfuCliOptions *o)
{
    if (!o)
        return;
    sfu_params_free(o->params);
    char *strings[] = {o->device, o->precision, o->mask,  o->exclude, o->from,      o->noise,
                       o->latent, o->trace,     o->shard, o->type,    o->from_model};
    for (guint i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    g_strfreev(o->args);
    g_ptr_array_unref(o->warnings);
    g_free(o);
}

static gboolean parse_switch(const char *name, const char *value, gboolean *on, GError **error)
{
    static const char *const yes[] = {"true", "yes", "on", "1", NULL}, *const no[] = {"false", "no", "off", "0", NULL};
    *on = g_strv_contains(yes, value);
    if (*on || g_strv_contains(no, value))
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "--%s is true or false, not '%s'", name, value);
    return FALSE;
}

/* The command that an option of the table does not apply to is told so: what was asked for would not be done. */
static gboolean check_is_for(const char *name, const char *command, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].name, name) == 0 && !sfu_cli_option_is_for(table[i].only, command)) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "--%s does not apply to %s", name, command);
            return FALSE;
        }
    return TRUE;
}

static gboolean set_from(SfuCliOptions *o, GError **error)
{
    const gboolean ok = sfu_cli_params_from(o->params, o->from, o->warnings, error);
    g_free(o->from_model);
    o->from_model = g_strdup(sfu_params_text(o->params, SFU_PARAM_MODEL));
    return ok;
}

/* Sets an option of the command itself; FALSE with *known FALSE if there is none of that name. */
static gboolean set_own(SfuCliOptions *o, const char *name, const char *value, gboolean *known, GError **error)
{
    const struct {
        const char *name;
        char **text;
    } texts[] = {{"device", &o->device},   {"precision", &o->precision}, {"mask", &o->mask},
                 {"exclude", &o->exclude}, {"noise", &o->noise},         {"save-latent", &o->latent},
                 {"trace", &o->trace},     {"shard", &o->shard},         {"type", &o->type},
                 {"from", &o->from}};
    const struct {
        const char *name;
        gboolean *on;
    } switches[] = {{"profile", &o->profile}, {"claim", &o->claim}, {"json", &o->json},
                    {"quiet", &o->quiet},     {"force", &o->force}, {"invert-mask", &o->invert_mask}};
    *known = TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        if (strcmp(name, texts[i].name) == 0) {
            if (!*value && texts[i].text != &o->device && texts[i].text != &o->precision) {
                g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "--%s needs a value", name);
                return FALSE;
            }
            g_free(*texts[i].text);
            *texts[i].text = g_strdup(value);
            return texts[i].text != &o->from || set_from(o, error);
        }
    if (strcmp(name, "memory") == 0)
        return parse_bytes(value, &o->memory_bytes, error);
    if (strcmp(name, "depth") == 0) {
        o->depth = 0;
        for (int i = 0; depths[i]; i++)
            if (strcmp(value, depths[i]) == 0)
                o->depth = 8 << i;
        if (!o->depth)
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "--depth is 8, 16 or 32, not '%s'", value);
        return o->depth != 0;
    }
    for (guint i = 0; i < G_N_ELEMENTS(switches); i++)
        if (strcmp(name, switches[i].name) == 0)
            return parse_switch(name, value, switches[i].on, error);
    *known = FALSE;
    return FALSE;
}

static gboolean is_switch(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].arg == NULL;
    char *key = g_strdelimit(g_strdup(name), "-", '_');
    const SfuParamSpec *p = sfu_param_find(key);
    g_free(key);
    return p && p->type == SFU_PARAM_BOOL;
}

static gboolean is_known(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return TRUE;
    char *key = g_strdelimit(g_strdup(name), "-", '_');
    const gboolean known = sfu_param_find(key) != NULL;
    g_free(key);
    return known;
}

static gboolean parse_one(SfuCliOptions *o, const char *word, const char *next, gboolean *used_next, int task,
                          const char *command, GError **error)
{
    char *name = NULL;
    const char *value = NULL;
    gboolean ok = FALSE, known, negated = FALSE;
    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        name = equals ? g_strndup(word + 2, (gsize)(equals - word - 2)) : g_strdup(word + 2);
        value = equals ? equals + 1 : NULL;
    } else {
        for (guint i = 0; !name && i < G_N_ELEMENTS(letters); i++)
            if (strcmp(letters[i].letter, word + 1) == 0)
                name = g_strdup(letters[i].name);
    }
    if (!name || !*name) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "unknown option %s (see --help)", word);
        goto out;
    }
    g_strdelimit(name, "_", '-');
    if (g_str_has_prefix(name, "no-") && is_switch(name + 3)) {
        if (value) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "--%s takes no value; --%s turns it on", name, name + 3);
            goto out;
        }
        memmove(name, name + 3, strlen(name + 3) + 1);
        negated = TRUE;
    }
    if (!value && is_switch(name)) {
        value = negated ? "false" : "true";
    } else if (!value) {
        if (!is_known(name)) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "unknown option %s (see --help)", word);
            goto out;
        }
        if (!next) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "--%s needs a value", name);
            goto out;
        }
        value = next;
        *used_next = TRUE;
    }
    if (!check_is_for(name, command, error))
        goto out;
    ok = set_own(o, name, value, &known, error);
    if (!known) {
        g_strdelimit(name, "-", '_');
        const SfuParamSpec *p = task >= 0 ? sfu_param_find(name) : NULL;
        if (!p)
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "unknown option %s (see --help)", word);
        else if (!sfu_cli_takes(task, p))
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s does not apply to %s", word, command);
        else
            ok = sfu_params_add(o->params, name, value, error); /* a list's flag may come again */
    }
out:
    g_free(name);
    return ok;
}

SfuCliOptions *sfu_cli_options_parse(int argc, char **argv, int task, GError **error)
{
    SfuCliOptions *o = g_new0(SfuCliOptions, 1);
    GPtrArray *args = g_ptr_array_new();
    gboolean only_args = FALSE;
    o->params = sfu_params_new();
    o->warnings = g_ptr_array_new_with_free_func(g_free);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        gboolean used_next = FALSE;
        if (only_args || word[0] != '-' || !word[1]) {
            g_ptr_array_add(args, g_strdup(word));
        } else if (strcmp(word, "--") == 0) {
            only_args = TRUE;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            o->help = TRUE;
            break;
        } else if (!parse_one(o, word, i + 1 < argc ? argv[i + 1] : NULL, &used_next, task, argv[0], error)) {
            g_ptr_array_add(args, NULL);
            o->args = (char **)g_ptr_array_free(args, FALSE);
            sfu_cli_options_free(o);
            return NULL;
        }
        i += used_next;
    }
    g_ptr_array_add(args, NULL);
    o->args = (char **)g_ptr_array_free(args, FALSE);
    sfu_cli_quiet = o->quiet;
    sfu_cli_print_warnings(o, o->warnings);
    return o;
}
