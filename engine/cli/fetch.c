/* `sfumato models --available`, `models get NAME`, `models remove NAME`: handed to sfumato-fetch, the one program that
 * touches the network. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Beside this program, at its place in a build tree, or in PATH. Caller frees; NULL. */
static char *find_program(void)
{
    char *self = g_file_read_link("/proc/self/exe", NULL), *folder = self ? g_path_get_dirname(self) : g_strdup(".");
    char *beside = g_build_filename(folder, "sfumato-fetch", NULL),
         *built = g_build_filename(folder, "..", "..", "install", "fetch", "sfumato-fetch", NULL), *found = NULL;
    if (g_file_test(beside, G_FILE_TEST_IS_EXECUTABLE))
        found = g_strdup(beside);
    else if (g_file_test(built, G_FILE_TEST_IS_EXECUTABLE))
        found = g_strdup(built);
    else
        found = g_find_program_in_path("sfumato-fetch");
    g_free(built);
    g_free(beside);
    g_free(folder);
    g_free(self);
    return found;
}

int sfu_cli_fetch(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    const char *verb = strcmp(word, "--available") == 0                          ? "list"
                       : strcmp(word, "get") == 0 || strcmp(word, "remove") == 0 ? word
                                                                                 : NULL;
    if (!verb)
        return -1;
    char *program = find_program();
    if (!program) {
        g_printerr("sfumato: sfumato-fetch, which downloads models, is not installed\n");
        return SFU_EXIT_FAILED;
    }
    GPtrArray *args = g_ptr_array_new();
    g_ptr_array_add(args, program);
    g_ptr_array_add(args, (gpointer)verb);
    for (int i = 2; i < argc; i++)
        g_ptr_array_add(args, argv[i]);
    g_ptr_array_add(args, NULL);
    execv(program, (char **)args->pdata);
    g_printerr("sfumato: %s cannot be run: %s\n", program, g_strerror(errno));
    g_ptr_array_unref(args);
    g_free(program);
    return SFU_EXIT_FAILED;
}
