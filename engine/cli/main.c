/* `sfumato`, the headless tool.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include "cli/bench.h"
#include <errno.h>
#include <json-glib/json-glib.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

/* Libraries warn about files that they refuse; the command tells that in one sentence of its own. */
static GLogWriterOutput log_writer(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
    sfu_cli_swap_listen(fields, n_fields);
    return level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) || g_getenv("G_MESSAGES_DEBUG")
               ? g_log_writer_default(level, fields, n_fields, data)
               : G_LOG_WRITER_HANDLED;
}

static int devices(const SfuCliOptions *o, GError **error)
{
    GPtrArray *all = sfu_devices(error);
    for (guint i = 0; all && i < all->len; i++) {
        const SfuDevice *d = g_ptr_array_index(all, i);
        char index[16], memory[32];
        g_snprintf(index, sizeof index, "%d", d->index);
        g_snprintf(memory, sizeof memory, "%" G_GUINT64_FORMAT, d->memory_bytes);
        if (o->json)
            sfu_cli_json_event("device", "index", index, "name", d->name, "platform", d->platform, "driver", d->driver,
                               "type", d->is_cpu ? "cpu" : "gpu", "remote", d->is_remote ? "yes" : "no", "memory_bytes",
                               memory, "fp16", d->has_fp16 ? "yes" : "no", "bf16", d->has_bf16 ? "yes" : "no", NULL);
        else
            g_print("%s  %s\n   %s, driver %s, %s%s, %.1f GiB%s%s\n", index, d->name, d->platform, d->driver,
                    d->is_cpu ? "CPU" : "GPU", d->is_remote ? " over the network" : "",
                    (double)d->memory_bytes / (1 << 30), d->has_fp16 ? ", fp16" : "",
                    d->has_amx    ? ", bf16 (AMX)"
                    : d->has_bf16 ? ", bf16"
                                  : "");
    }
    if (all)
        g_ptr_array_unref(all);
    return all ? SFU_EXIT_OK : SFU_EXIT_FAILED;
}

static int models(const SfuCliOptions *o)
{
    char **folders = o->args[0] ? g_strdupv(o->args) : sfu_model_folders(NULL);
    GPtrArray *all = sfu_models((const char *const *)folders);
    for (guint i = 0; i < all->len; i++) {
        const SfuModelInfo *m = g_ptr_array_index(all, i);
        GString *tasks = g_string_new(NULL);
        char bytes[32];
        for (int t = 0; t < SFU_N_TASKS; t++)
            if (m->tasks & 1u << t)
                g_string_append_printf(tasks, "%s%s", tasks->len ? " " : "", sfu_task_name((SfuTask)t));
        g_snprintf(bytes, sizeof bytes, "%" G_GUINT64_FORMAT, m->file_bytes);
        if (o->json)
            sfu_cli_json_event("model", "name", m->name, "path", m->path, "family", m->family ? m->family : "", "bytes",
                               bytes, "tasks", tasks->str, "error", m->error ? m->error : "", NULL);
        else if (m->error)
            g_print("%s\n   cannot be used: %s\n", m->path, m->error);
        else
            g_print("%s\n   %s, %.1f MB: %s\n", m->path, m->family, (double)m->file_bytes / 1e6, tasks->str);
        g_string_free(tasks, TRUE);
    }
    if (all->len == 0 && !o->json) {
        char *list = g_strjoinv(", ", folders);
        g_print("No model found in %s.\n", list);
        g_free(list);
    }
    g_ptr_array_unref(all);
    g_strfreev(folders);
    return SFU_EXIT_OK;
}

static int inspect(const SfuCliOptions *o, GError **error)
{
    if (!o->args[0] || o->args[1]) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "inspect wants one model file or folder");
        return SFU_EXIT_USAGE;
    }
    char *report = sfu_model_report(o->args[0], o->json, error);
    if (report)
        g_print("%s%s", report, g_str_has_suffix(report, "\n") ? "" : "\n");
    g_free(report);
    return report ? SFU_EXIT_OK : SFU_EXIT_FAILED;
}

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

/* Every picture of a folder into another, under its own name (with .png behind it where its own format is not written).
 * Goes on after a picture that fails. */
static int upscale_folder(SfuEngine *e, const SfuCliOptions *o, const char *in, const char *out, GError **error)
{
    GPtrArray *names = files_of(in, error);
    int done = 0, there = 0, other = 0, failed = 0;
    if (!names)
        return SFU_EXIT_FAILED;
    if (g_mkdir_with_parents(out, 0777) != 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "the folder %s cannot be made: %s", out, g_strerror(errno));
        g_ptr_array_unref(names);
        return SFU_EXIT_USAGE;
    }
    for (guint i = 0; i < names->len && !g_atomic_int_get(&sfu_cli_cancel); i++) {
        const char *name = g_ptr_array_index(names, i);
        char *from = g_build_filename(in, name, NULL);
        char *as = sfu_cli_picture_writes(name) ? g_strdup(name) : g_strconcat(name, ".png", NULL),
             *to = g_build_filename(out, as, NULL);
        GError *local = NULL;
        if (!sfu_cli_is_picture(from)) {
            other++;
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
    g_ptr_array_unref(names);
    if (!o->quiet)
        g_printerr("%d done, %d there already, %d failed, %d not pictures\n", done, there, failed, other);
    return g_atomic_int_get(&sfu_cli_cancel) ? SFU_EXIT_INTERRUPTED : failed ? SFU_EXIT_FAILED : SFU_EXIT_OK;
}

static int generate(const SfuCliCommand *c, const SfuCliOptions *o, GError **error)
{
    const int wanted = c->task == SFU_TASK_TXT2IMG ? 1 : 2;
    int status = SFU_EXIT_FAILED;
    if ((int)g_strv_length(o->args) != wanted) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "usage: sfumato %s %s", c->name, c->args);
        return SFU_EXIT_USAGE;
    }
    if (c->task == SFU_TASK_INPAINT && !o->mask) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    "inpaint wants --mask FILE, a picture that is white where it is to be filled");
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

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_log_set_writer_func(log_writer, NULL, NULL);
    const SfuCliCommand *c = NULL;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        sfu_cli_print_commands();
        return argc < 2 ? SFU_EXIT_USAGE : SFU_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        g_print("sfumato " SFU_VERSION "\n");
        return SFU_EXIT_OK;
    }
    int n;
    const SfuCliCommand *commands = sfu_cli_commands(&n);
    for (int i = 0; i < n; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            c = &commands[i];
    if (!c) {
        g_printerr("sfumato: unknown command '%s' (`sfumato --help` lists the commands)\n", argv[1]);
        return SFU_EXIT_USAGE;
    }
    sfu_cli_signals();
    argc--;
    argv++;
    if (c->task == SFU_CLI_OWN_OPTIONS && strcmp(c->name, "bench") != 0 && argc > 1 && strcmp(argv[1], "--help") == 0) {
        sfu_cli_print_help(c->name, c->task);
        return SFU_EXIT_OK;
    }
    if (strcmp(c->name, "params") == 0)
        return sfu_cli_params();
    if (strcmp(c->name, "man") == 0)
        return sfu_cli_man();
    if (strcmp(c->name, "completion") == 0)
        return sfu_cli_completion(argc > 1 ? argv[1] : NULL);
    if (strcmp(c->name, "models") == 0) {
        const int status = sfu_cli_fetch(argc, argv);
        if (status >= 0)
            return status;
    }
    if (strcmp(c->name, "bench") == 0) {
        g_set_prgname("sfumato bench"); /* for its --help, which GLib writes */
        return sfu_cli_bench(argc, argv);
    }
    sfu_cli_swap_prepare();
    gegl_init(NULL, NULL);
    if (strcmp(c->name, "batch") == 0)
        return sfu_cli_batch(argc, argv);
    GError *error = NULL;
    SfuCliOptions *o = sfu_cli_options_parse(argc, argv, c->task, &error);
    if (!o)
        return sfu_cli_fail(error);
    int status = SFU_EXIT_OK;
    if (o->help)
        sfu_cli_print_help(c->name, c->task);
    else if (strcmp(c->name, "devices") == 0)
        status = devices(o, &error);
    else if (strcmp(c->name, "models") == 0)
        status = models(o);
    else if (strcmp(c->name, "inspect") == 0)
        status = inspect(o, &error);
    else if (strcmp(c->name, "convert") == 0)
        status = sfu_cli_convert(o, &error);
    else if (strcmp(c->name, "warm") == 0)
        status = sfu_cli_warm(o, &error);
    else
        status = generate(c, o, &error);
    sfu_cli_options_free(o);
    if (error)
        status = sfu_cli_fail(error);
    gegl_exit();
    return status;
}
