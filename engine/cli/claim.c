/* Jobs that several workers share, on one machine or on many with a common folder: who works at a job holds a lock on
 * OUT.claim beside its output. The system takes the lock away when its owner dies, so a job is never lost.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct SfuClaim {
    char *path;
    int fd;
};

/* Whether the name still leads to the file that is locked: its last owner may have removed it in the meantime. */
static gboolean is_there(const SfuClaim *c)
{
    struct stat named, held;
    return stat(c->path, &named) == 0 && fstat(c->fd, &held) == 0 && named.st_ino == held.st_ino &&
           named.st_dev == held.st_dev;
}

static void claim_free(SfuClaim *c)
{
    if (c->fd >= 0)
        close(c->fd);
    g_free(c->path);
    g_free(c);
}

SfuClaim *sfu_cli_claim(const char *out, gboolean *taken, GError **error)
{
    SfuClaim *c = g_new0(SfuClaim, 1);
    c->path = g_strconcat(out, ".claim", NULL);
    *taken = FALSE;
    for (;;) {
        c->fd = open(c->path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (c->fd < 0 || flock(c->fd, LOCK_EX | LOCK_NB) != 0) {
            *taken = c->fd >= 0 && errno == EWOULDBLOCK;
            if (!*taken)
                g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s cannot be %s: %s", c->path,
                            c->fd < 0 ? "made" : "locked", g_strerror(errno));
            claim_free(c);
            return NULL;
        }
        if (is_there(c))
            break;
        close(c->fd);
    }
    char owner[300];
    g_snprintf(owner, sizeof owner, "%s %d\n", g_get_host_name(), (int)getpid());
    if (ftruncate(c->fd, 0) != 0 || write(c->fd, owner, strlen(owner)) < 0)
        return c; /* only for whoever looks: the lock counts */
    return c;
}

void sfu_cli_claim_end(SfuClaim *c)
{
    if (!c)
        return;
    (void)unlink(c->path); /* before the lock goes, so that nobody takes a file that has no name */
    claim_free(c);
}
