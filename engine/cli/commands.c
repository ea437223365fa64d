/* What each command is called, takes and does, for main, help, man page and completion; and how one ends that failed.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <string.h>

static const SfuCliCommand commands[] = {
    {"txt2img", "OUT --prompt TEXT [options]", "Makes a picture from words", SFU_TASK_TXT2IMG},
    {"img2img", "IN OUT [--prompt TEXT] [--mask FILE] [options]", "Redraws a picture, as strongly as --strength says",
     SFU_TASK_IMG2IMG},
    {"inpaint", "IN OUT --mask FILE [--prompt TEXT] [options]",
     "Fills the masked part; without a prompt it continues the surroundings", SFU_TASK_INPAINT},
    {"outpaint", "IN OUT --left N --right N --top N --bottom N [options]", "Extends the picture on any side",
     SFU_TASK_OUTPAINT},
    {"edit", "IN OUT --prompt INSTRUCTION [--mask FILE] [--reference FILE ...] [options]",
     "Changes the picture by an instruction, with a model that can edit (FLUX.2, InstructPix2Pix)", SFU_TASK_EDIT},
    {"upscale", "IN OUT [--scale N] [options]",
     "Enlarges a picture, or every picture of the folder IN into the folder OUT", SFU_TASK_UPSCALE},
    {"batch", "JOBS.jsonl [--claim | --shard I/N] [options]",
     "Runs many jobs with the model loaded once; skips finished ones", SFU_CLI_ALL_PARAMETERS},
    {"inspect", "MODEL [--json]", "Shows a model's family, types, sizes, and its missing and unexpected tensors",
     SFU_CLI_NO_PARAMETERS},
    {"convert", "IN OUT --type TYPE [--lora FILE[=WEIGHT[,TEXT]]] ...",
     "Writes a model as .gguf or .safetensors with its matrices in another type; can merge LoRAs into it",
     SFU_CLI_ADAPTERS},
    {"models", "[FOLDER ... | --available | get NAME | remove NAME] [--json]",
     "Lists the models on this computer, or those that can be downloaded; downloads and removes them",
     SFU_CLI_NO_PARAMETERS, "--available get remove"},
    {"warm", "[MODEL] [--json]",
     "Compiles for this device what a model needs, so that its first picture does not wait for the compiler",
     SFU_CLI_NO_PARAMETERS},
    {"devices", "[--json]", "Lists the OpenCL devices", SFU_CLI_NO_PARAMETERS},
    {"bench", "[options]", "Measures the device: its peak, every op, whole networks", SFU_CLI_OWN_OPTIONS},
    {"params", "", "Prints the reference of generation parameters", SFU_CLI_OWN_OPTIONS},
    {"completion", "bash|zsh|fish", "Prints a completion script for the shell", SFU_CLI_OWN_OPTIONS, "bash zsh fish"},
    {"man", "", "Prints the man page", SFU_CLI_OWN_OPTIONS},
};

const SfuCliCommand *sfu_cli_commands(int *n)
{
    *n = G_N_ELEMENTS(commands);
    return commands;
}

const SfuCliCommand *sfu_cli_command(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

gboolean sfu_cli_takes(int task, const SfuParamSpec *p)
{
    if (task == SFU_CLI_ADAPTERS)
        return sfu_param_of(p) == SFU_PARAM_LORA;
    return task == SFU_CLI_ALL_PARAMETERS || (task >= 0 && p->tasks & 1u << task);
}

int sfu_cli_fail(GError *error)
{
    const gboolean cancelled = g_error_matches(error, SFU_ERROR, SFU_ERROR_CANCELLED);
    const gboolean usage = g_error_matches(error, SFU_ERROR, SFU_ERROR_USAGE);
    g_printerr("sfumato: %s\n", error->message);
    g_error_free(error);
    return cancelled ? SFU_EXIT_INTERRUPTED : usage ? SFU_EXIT_USAGE : SFU_EXIT_FAILED;
}

char *sfu_cli_flag(const char *name)
{
    return g_strdelimit(g_strdup(name), "_", '-');
}
