/* Signals: stopping by Ctrl-C, output that nobody reads, disks that are full, mapped files that become shorter.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

int sfu_cli_cancel;

static void on_interrupt(int signal_number)
{
    g_atomic_int_set(&sfu_cli_cancel, 1); /* the handler resets itself: a second Ctrl-C ends the process at once */
}

/* Only calls that signal-safety(7) allows from here on. */

static void say(const char *text)
{
    (void)!write(2, text, strlen(text));
}

static guintptr hex(const char **p)
{
    guintptr v = 0;
    for (;; (*p)++) {
        const char c = **p;
        if (c >= '0' && c <= '9')
            v = v << 4 | (guintptr)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (guintptr)(c - 'a' + 10);
        else
            return v;
    }
}

/* The file that is mapped at the address, from a line of proc(5)'s maps: "from-to permissions offset device inode
 * path"; NULL. */
static const char *file_at(const char *line, guintptr address)
{
    const guintptr from = hex(&line);
    if (*line++ != '-')
        return NULL;
    const guintptr to = hex(&line);
    const char *path = strchr(line, '/');
    return address >= from && address < to ? path : NULL;
}

static void say_file_at(guintptr address)
{
    static char line[4096];
    gsize n = 0;
    const int fd = open("/proc/self/maps", O_RDONLY);
    for (char c; fd >= 0 && read(fd, &c, 1) == 1;) {
        if (c != '\n') {
            if (n < sizeof line - 1)
                line[n++] = c;
            continue;
        }
        line[n] = 0;
        n = 0;
        const char *path = file_at(line, address);
        if (path) {
            say(path);
            return;
        }
    }
    say("a file");
}

/* A page of a mapped file (models are mapped) has lost its file. The job cannot go on. */
static void on_bus(int signal_number, siginfo_t *info, void *context)
{
    say("\nsfumato: ");
    say_file_at((guintptr)info->si_addr);
    say(" became shorter while it was read, or its disk failed; the job is not finished\n");
    _exit(SFU_EXIT_FAILED);
}

/* The last four: Ctrl-\, what schedulers of clusters send before the time is over, and `ulimit -t`. */
static const int stops[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGXCPU};
static gboolean is_ignored[G_N_ELEMENTS(stops)];

void sfu_cli_signals_again(void)
{
    const struct sigaction bus = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_RESETHAND};
    const struct sigaction interrupt = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND | SA_RESTART};
    sigaction(SIGBUS, &bus, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(stops) && !g_atomic_int_get(&sfu_cli_cancel); i++)
        if (!is_ignored[i])
            sigaction(stops[i], &interrupt, NULL);
}

void sfu_cli_signals(void)
{
    struct sigaction old;
    for (guint i = 0; i < G_N_ELEMENTS(stops); i++) /* what is ignored stays so: nohup, and a script's own background */
        is_ignored[i] = sigaction(stops[i], NULL, &old) != 0 || old.sa_handler == SIG_IGN;
    sfu_cli_signals_again();
    signal(SIGPIPE, SIG_IGN); /* whoever stops listening to what is told does not stop the work */
    signal(SIGXFSZ, SIG_IGN); /* the write fails instead, and says why */
}
