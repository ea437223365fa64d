/* Feeds a fuzz target each file of its corpus, and each cut short: a plain test. Argument: a file of the corpus'
 * folder. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include <stdio.h>

static void feed(const char *data, gsize n)
{
    uint8_t *copy = g_memdup2(data, n ? n : 1); /* exactly as long, so that a sanitizer sees a byte too far */
    LLVMFuzzerTestOneInput(copy, n);
    g_free(copy);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    char *folder = g_path_get_dirname(argv[1]);
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    int n_files = 0;
    while (dir && (name = g_dir_read_name(dir))) {
        char *path = g_build_filename(folder, name, NULL), *text = NULL;
        gsize n = 0;
        if (g_file_get_contents(path, &text, &n, NULL)) {
            feed(text, n);
            feed(text, n / 2);
            n_files++;
        }
        g_free(text);
        g_free(path);
    }
    if (dir)
        g_dir_close(dir);
    g_free(folder);
    printf("1..1\n%s 1 %d files of the corpus\n", n_files > 1 ? "ok" : "not ok", n_files);
    return n_files > 1 ? 0 : 1;
}
