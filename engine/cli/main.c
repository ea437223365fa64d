/* `sfumato`, the headless tool.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/bench.h"
#include "cli/cli.h"
#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Libraries warn about files that they refuse; the command tells that in one sentence of its own. */
static GLogWriterOutput log_writer(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
    sfu_cli_swap_listen(fields, n_fields);
    return level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) || g_getenv("G_MESSAGES_DEBUG")
               ? g_log_writer_default(level, fields, n_fields, data)
               : G_LOG_WRITER_HANDLED;
}

static const struct {
    const char *name;
    int (*run)(const SfuCliCommand *c, const SfuCliOptions *o, GError **error);
    /* Reads the command's words by itself; argv[0] is its name. It comes before `run`, which it asks for with -1. */
    int (*own)(int argc, char **argv);
} functions[] = {
    {"txt2img", sfu_cli_generate},
    {"img2img", sfu_cli_generate},
    {"inpaint", sfu_cli_generate},
    {"outpaint", sfu_cli_generate},
    {"edit", sfu_cli_generate},
    {"upscale", sfu_cli_generate},
    {"batch", sfu_cli_batch},
    {"inspect", sfu_cli_inspect},
    {"convert", sfu_cli_convert},
    {"models", sfu_cli_models, sfu_cli_fetch},
    {"warm", sfu_cli_warm},
    {"devices", sfu_cli_devices},
    {"bench", NULL, sfu_cli_bench},
    {"params", NULL, sfu_cli_params},
    {"completion", NULL, sfu_cli_completion},
    {"man", NULL, sfu_cli_man},
};

/* The place of a command in `functions`, which has all of them. */
static int place_of(const SfuCliCommand *c)
{
    int i = 0;
    while (strcmp(functions[i].name, c->name) != 0)
        i++;
    return i;
}

/* -1: the command has no reader of its own, or its words are the common options after all. */
static int run_own(const SfuCliCommand *c, int argc, char **argv)
{
    int (*own)(int argc, char **argv) = functions[place_of(c)].own;
    if (!own)
        return -1;
    if (c->task == SFU_CLI_OWN_OPTIONS && own != sfu_cli_bench && argc > 1 && strcmp(argv[1], "--help") == 0) {
        sfu_cli_print_help(c);
        return SFU_EXIT_OK;
    }
    char *name = g_strconcat("sfumato ", c->name, NULL);
    g_set_prgname(name); /* for the help of bench, which GLib writes */
    g_free(name);
    return own(argc, argv);
}

/* babl and PoCL crash if they get less: PoCL has a thread for each core, and maps LLVM. */
#define LEAST_STACK_KIB 128
#define LEAST_FILES 16
#define MORE_THREADS 8 /* than cores: GEGL's, GIO's and the drivers' */
#define LEAST_MIB 640
#define CORE_MIB 8

static gpointer wait_for_others(gpointer lock)
{
    g_mutex_lock(lock);
    g_mutex_unlock(lock);
    return NULL;
}

/* GLib ends the process where it cannot start a thread. ulimit -u counts all processes of the user, so only trying
 * tells. */
static gboolean check_threads(GError **error)
{
    const guint n = g_get_num_processors() + MORE_THREADS;
    GThread **threads = g_new(GThread *, n);
    GMutex lock;
    guint started = 0;
    g_mutex_init(&lock);
    g_mutex_lock(&lock);
    while (started < n && (threads[started] = g_thread_try_new("limit", wait_for_others, &lock, NULL)))
        started++;
    g_mutex_unlock(&lock);
    for (guint i = 0; i < started; i++)
        g_thread_join(threads[i]);
    g_mutex_clear(&lock);
    g_free(threads);
    if (started < n)
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED,
                    "only %u threads can be started (ulimit -u counts all of this user's); at least %u are needed",
                    started, n);
    return started == n;
}

static gboolean check_limits(GError **error)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < LEAST_FILES) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED,
                    "the limit of open files (ulimit -n) is %" G_GUINT64_FORMAT "; at least %d are needed",
                    (guint64)l.rlim_cur, LEAST_FILES);
        return FALSE;
    }
    const rlim_t mib = LEAST_MIB + CORE_MIB * (rlim_t)g_get_num_processors();
    if (getrlimit(RLIMIT_STACK, &l) == 0 && l.rlim_cur / 1024 < LEAST_STACK_KIB) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED,
                    "the limit of the stack (ulimit -s) is %" G_GUINT64_FORMAT " KiB; at least %d are needed",
                    (guint64)l.rlim_cur / 1024, LEAST_STACK_KIB);
        return FALSE;
    }
    if (getrlimit(RLIMIT_AS, &l) == 0 && l.rlim_cur >> 20 < mib) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED,
                    "the limit of the address space (ulimit -v) is %" G_GUINT64_FORMAT
                    " MiB; at least %" G_GUINT64_FORMAT " are needed",
                    (guint64)l.rlim_cur >> 20, (guint64)mib);
        return FALSE;
    }
    return check_threads(error);
}

/* Without GEGL's operations: to load them all, with the decoders of films and PDF, takes longer than most commands.
 * What needs one loads them (exr.c). */
static void start_gegl(void)
{
    char *folders = g_strdup(g_getenv("GEGL_PATH"));
    g_setenv("GEGL_PATH", "", TRUE);
    gegl_init(NULL, NULL);
    if (folders)
        g_setenv("GEGL_PATH", folders, TRUE);
    else
        g_unsetenv("GEGL_PATH");
    g_free(folders);
}

static int run_with_options(const SfuCliCommand *c, int argc, char **argv)
{
    GError *error = NULL;
    if (!check_limits(&error))
        return sfu_cli_fail(error);
    sfu_cli_swap_prepare();
    start_gegl();
    SfuCliOptions *o = sfu_cli_options_parse(argc, argv, c->task, &error);
    int status = SFU_EXIT_OK;
    if (o && o->help)
        sfu_cli_print_help(c);
    else if (o)
        status = functions[place_of(c)].run(c, o, &error);
    sfu_cli_options_free(o);
    if (error)
        status = sfu_cli_fail(error);
    gegl_exit();
    return status;
}

/* Where one of the three is closed, the next file that is opened would take its number, and with it all messages. */
static void open_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd)
            return;
}

/* What was to be printed and was not is a failure, unless the reader has simply gone away. */
static int check_printed(int status)
{
    struct pollfd out = {.fd = 1, .events = POLLOUT};
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || (poll(&out, 1, 0) == 1 && out.revents & POLLERR))
        return status;
    g_printerr("sfumato: the standard output cannot be written%s%s\n", errno ? ": " : "",
               errno ? g_strerror(errno) : "");
    return status ? status : SFU_EXIT_FAILED;
}

static int run_command(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        sfu_cli_print_commands();
        return argc < 2 ? SFU_EXIT_USAGE : SFU_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        g_print("sfumato " SFU_VERSION "\n");
        return SFU_EXIT_OK;
    }
    const SfuCliCommand *c = sfu_cli_command(argv[1]);
    if (!c) {
        g_printerr("sfumato: unknown command '%s' (`sfumato --help` lists the commands)\n", argv[1]);
        return SFU_EXIT_USAGE;
    }
    sfu_cli_signals();
    const int status = run_own(c, argc - 1, argv + 1);
    return status >= 0 ? status : run_with_options(c, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    open_standard_files();
    setlocale(LC_ALL, "");
    g_log_set_writer_func(log_writer, NULL, NULL);
    return check_printed(run_command(argc, argv));
}
