/* Where things are kept between runs: our own folder of programs and tuning, and PoCL's. A place that cannot be written
 * must not stop anybody: a folder under the system's temporary one takes over. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* fallocate() */
#include "runtime/internal.h"
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#ifdef G_OS_UNIX
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#define LEAST_BYTES (4 << 20) /* of what a driver compiles for a run */

/* 0, or the errno that says why there is no room in the folder: a disk or a quota that is full. */
static int check_room(const char *dir)
{
    int reason = 0;
#ifdef __linux__
    char *path = g_build_filename(dir, ".room-XXXXXX", NULL);
    const int fd = g_mkstemp(path);
    if (fd < 0 || (fallocate(fd, 0, 0, LEAST_BYTES) != 0 && (errno == ENOSPC || errno == EDQUOT)))
        reason = errno;
    if (fd >= 0) {
        close(fd);
        (void)g_unlink(path);
    }
    g_free(path);
#endif
    return reason;
}

/* Makes the folder if need be. 0, or the errno that says why files cannot be written in it. */
static int make_writable(const char *dir)
{
    if (g_mkdir_with_parents(dir, 0700) != 0)
        return errno;
    return g_access(dir, W_OK | X_OK) == 0 ? check_room(dir) : errno;
}

#ifdef G_OS_UNIX
/* Others can write to the temporary folder too: what stands there under our name must be a folder of ours that nobody
 * else may enter. */
static gboolean is_private(const char *dir)
{
    struct stat s;
    return lstat(dir, &s) == 0 && S_ISDIR(s.st_mode) && s.st_uid == geteuid() && (s.st_mode & 077) == 0;
}
#endif

/* One folder for a user, the same in every run; NULL if there is none. */
static char *temporary_folder(void)
{
#ifdef G_OS_UNIX
    char *dir = g_strdup_printf("%s/sfumato-%u", g_get_tmp_dir(), (unsigned)geteuid());
    if (make_writable(dir) == 0 && is_private(dir))
        return dir;
    g_free(dir);
#endif
    return g_dir_make_tmp("sfumato-XXXXXX", NULL);
}

const char *sfu_cache_temporary(void)
{
    static gsize once;
    static char *dir;
    if (g_once_init_enter(&once)) {
        dir = temporary_folder();
        g_once_init_leave(&once, 1);
    }
    return dir;
}

static char *wanted_folder(void)
{
    const char *base = g_getenv("SFUMATO_CACHE");
    return base ? g_strdup(base) : g_build_filename(g_get_user_cache_dir(), "sfumato", "programs", NULL);
}

char *sfu_cache_warning(void)
{
    char *dir = wanted_folder();
    const int reason = make_writable(dir);
    char *text = NULL;
    if (reason && sfu_cache_temporary())
        text = g_strdup_printf(_("The folder %s cannot be written (%s). Compiled kernels are kept in %s instead."), dir,
                               g_strerror(reason), sfu_cache_temporary());
    else if (reason)
        text = g_strdup_printf(_("The folder %s cannot be written (%s). Kernels are compiled again in every run."), dir,
                               g_strerror(reason));
    g_free(dir);
    return text;
}

const char *sfu_cache_dir(SfuQueue *q)
{
    if (q->cache_dir)
        return q->cache_dir;
    char *id = g_strjoin("\n", q->info.name, q->info.platform, q->info.driver, NULL), *base = wanted_folder();
    char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, id, -1);
    hash[16] = 0;
    q->cache_dir = g_build_filename(base, hash, NULL);
    if (make_writable(q->cache_dir) != 0 && sfu_cache_temporary()) {
        g_free(q->cache_dir);
        q->cache_dir = g_build_filename(sfu_cache_temporary(), hash, NULL);
        (void)make_writable(q->cache_dir);
    }
    g_free(base);
    g_free(hash);
    g_free(id);
    return q->cache_dir;
}

/* Where PoCL keeps what it compiles (pocl_cache.c of 3.1 to 7.1). Without HOME it would be /tmp/pocl, which all users
 * share: the files of one stop another. The user's own cache folder takes over then, and PoCL is told. */
static char *pocl_folder(void)
{
    const char *own = g_getenv("POCL_CACHE_DIR"), *cache = g_getenv("XDG_CACHE_HOME"), *home = g_getenv("HOME");
    if (own && *own)
        return g_strdup(own);
    if (cache && *cache)
        return g_build_filename(cache, "pocl", "kcache", NULL);
    if (home && *home)
        return g_build_filename(home, ".cache", "pocl", "kcache", NULL);
    char *dir = g_build_filename(g_get_user_cache_dir(), "pocl", "kcache", NULL);
    g_setenv("POCL_CACHE_DIR", dir, TRUE);
    return dir;
}

/* PoCL offers no device at all when it cannot make its folder. It reads the environment when it is first asked for
 * devices, and never again. */
static char *give_pocl_a_folder(void)
{
    char *dir = pocl_folder(), *instead = NULL, *problem = NULL;
    const int reason = make_writable(dir);
    if (reason && sfu_cache_temporary())
        instead = g_build_filename(sfu_cache_temporary(), "pocl", NULL);
    if (instead && make_writable(instead) == 0)
        g_setenv("POCL_CACHE_DIR", instead, TRUE);
    else if (reason)
        problem = g_strdup_printf("%s (%s)", dir, g_strerror(reason));
    g_free(instead);
    g_free(dir);
    return problem;
}

const char *sfu_cache_prepare_pocl(void)
{
    static gsize once;
    static char *problem;
    if (g_once_init_enter(&once)) {
        problem = give_pocl_a_folder();
        g_once_init_leave(&once, 1);
    }
    return problem;
}

/* ---- locks between processes ---- */

int sfu_cache_lock(SfuQueue *q, const char *name, int most_ms, gboolean until_cancelled)
{
#ifdef G_OS_UNIX
    enum { STEP_MS = 10 };
    char *path = g_build_filename(sfu_cache_dir(q), name, NULL);
    const int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    g_free(path);
    if (fd < 0)
        return -1;
    for (int ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; ms += STEP_MS) {
        /* Some file systems know no locks: then there is nothing to wait for. */
        if (errno != EWOULDBLOCK || ms >= most_ms || (until_cancelled && sfu_queue_cancelled(q, NULL))) {
            close(fd);
            return -1;
        }
        g_usleep(STEP_MS * 1000);
    }
    return fd;
#else
    return -1;
#endif
}

void sfu_cache_unlock(int lock)
{
#ifdef G_OS_UNIX
    if (lock >= 0)
        close(lock);
#endif
}
