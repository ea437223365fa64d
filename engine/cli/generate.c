/* The commands that make pictures: one, or a folder of them.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <errno.h>
#include <string.h>

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of a folder, in the order of their names, without hidden ones. NULL with error. */
static GPtrArray *files_of(const char *folder, GError **error)
{
    GDir *dir = g_dir_open(folder, 0, error);
    GPtrArray *names = dir ? g_ptr_array_new_with_free_func(g_free) : NULL;
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        char *path = g_build_filename(folder, name, NULL);
        if (name[0] != '.' && g_file_test(path, G_FILE_TEST_IS_REGULAR))
            g_ptr_array_add(names, g_strdup(name));
        g_free(path);
    }
    if (dir)
        g_dir_close(dir);
    if (names)
        g_ptr_array_sort(names, by_name);
    return names;
}

/* The name of a picture's result: its own, with .png behind it where its own format is not written. Caller frees. */
static char *name_of_result(const char *name)
{
    return sfu_cli_picture_writes(name) ? g_strdup(name) : g_strconcat(name, ".png", NULL);
}

/* FALSE with error if another picture's result has that name already: cat.gif's is cat.gif.png, as cat.gif.png's. */
static gboolean is_only_one(GHashTable *made, const char *from, const char *as, GError **error)
{
    const char *other = g_hash_table_lookup(made, as);
    if (other)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s: its result would be %s, as that of %s", from, as, other);
    else
        g_hash_table_insert(made, g_strdup(as), g_strdup(from));
    return other == NULL;
}

/* Every picture of a folder into another. Goes on after a picture that fails. */
static int upscale_folder(SfuEngine *e, const SfuCliOptions *o, const char *in, const char *out, GError **error)
{
    GPtrArray *names = files_of(in, error);
    int done = 0, there = 0, other = 0, failed = 0;
    if (!names)
        return SFU_EXIT_FAILED;
    if (g_mkdir_with_parents(out, 0777) != 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "the folder %s cannot be created: %s", out, g_strerror(errno));
        g_ptr_array_unref(names);
        return SFU_EXIT_USAGE;
    }
    if (sfu_cli_is_same_file(in, out)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    "%s is the folder of the pictures; their results need another folder", out);
        g_ptr_array_unref(names);
        return SFU_EXIT_USAGE;
    }
    GHashTable *made = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < names->len && !g_atomic_int_get(&sfu_cli_cancel); i++) {
        const char *name = g_ptr_array_index(names, i);
        char *from = g_build_filename(in, name, NULL);
        char *as = name_of_result(name), *to = g_build_filename(out, as, NULL);
        GError *local = NULL;
        if (!sfu_cli_is_picture(from)) {
            other++;
        } else if (!is_only_one(made, from, as, &local)) {
            failed++;
            sfu_cli_job_failed(o, NULL, local);
        } else if (!o->force && sfu_cli_is_done(SFU_TASK_UPSCALE, o->params, to)) {
            there++;
        } else if (sfu_cli_run(e, SFU_TASK_UPSCALE, o, from, to, &local)) {
            done++;
        } else {
            failed += !g_atomic_int_get(&sfu_cli_cancel);
            sfu_cli_job_failed(o, NULL, local);
        }
        g_free(from);
        g_free(as);
        g_free(to);
    }
    g_hash_table_unref(made);
    g_ptr_array_unref(names);
    if (!o->quiet)
        g_printerr("%d done, %d there already, %d failed, %d not pictures\n", done, there, failed, other);
    return g_atomic_int_get(&sfu_cli_cancel) ? SFU_EXIT_INTERRUPTED : failed ? SFU_EXIT_FAILED : SFU_EXIT_OK;
}

int sfu_cli_generate(const SfuCliCommand *c, const SfuCliOptions *o, GError **error)
{
    const int wanted = c->task == SFU_TASK_TXT2IMG ? 1 : 2;
    int status = SFU_EXIT_FAILED;
    if ((int)g_strv_length(o->args) != wanted) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "usage: sfumato %s %s", c->name, c->args);
        return SFU_EXIT_USAGE;
    }
    if (c->task == SFU_TASK_INPAINT && !o->mask) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    "inpaint needs --mask FILE, a picture that is white where Sfumato fills");
        return SFU_EXIT_USAGE;
    }
    SfuEngine *e = sfu_cli_engine(o, error);
    if (!e)
        return SFU_EXIT_FAILED;
    const char *in = wanted == 2 ? o->args[0] : NULL, *out = o->args[wanted - 1];
    if (c->task == SFU_TASK_UPSCALE && g_file_test(in, G_FILE_TEST_IS_DIR))
        status = upscale_folder(e, o, in, out, error);
    else if (sfu_cli_run(e, (SfuTask)c->task, o, in, out, error))
        status = SFU_EXIT_OK;
    sfu_cli_print_profile(e, o);
    sfu_engine_free(e);
    return status;
}
