/* `sfumato convert`. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <math.h>
#include <unistd.h>

typedef struct {
    const SfuCliOptions *o;
    int percent;
} Show;

static gboolean show(double done, gpointer data)
{
    Show *s = data;
    const int percent = (int)floor(done * 100);
    if (percent != s->percent && !s->o->quiet && !s->o->json && isatty(STDERR_FILENO))
        g_printerr("\r%d %%%s", percent, percent == 100 ? "\n" : "");
    s->percent = percent;
    return !sfu_cli_cancel;
}

int sfu_cli_convert(const SfuCliCommand *c, const SfuCliOptions *o, GError **error)
{
    Show s = {.o = o, .percent = -1};
    if (!o->args[0] || !o->args[1] || o->args[2] || !o->type) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "convert needs one model file, the file to write, and --type");
        return SFU_EXIT_USAGE;
    }
    GPtrArray *notes = g_ptr_array_new_with_free_func(g_free);
    const SfuConversion conversion = {.in = o->args[0],
                                      .out = o->args[1],
                                      .type = o->type,
                                      .adapters = sfu_params_list(o->params, SFU_PARAM_LORA),
                                      .replace = o->force,
                                      .progress = show,
                                      .data = &s};
    const gboolean ok = sfu_model_convert(&conversion, notes, error);
    sfu_cli_print_warnings(o, notes);
    g_ptr_array_unref(notes);
    return ok ? SFU_EXIT_OK : SFU_EXIT_FAILED;
}
