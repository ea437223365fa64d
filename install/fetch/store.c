/* A file that arrives in pieces, in any order and over several calls. Pieces are marked only after their bytes are
 * written, and the final name appears by rename after the SHA-256 of the whole has been checked. Copyright (C) 2026 The
 * Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch.h"

#include <glib/gi18n.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PIECE_BYTES SFU_FETCH_PIECE_BYTES
#define SPARE_BYTES ((gint64)64 << 20) /* left free on the disk */

enum { PIECE_MISSING, PIECE_TAKEN, PIECE_DONE };

struct SfuFetchStore {
    char *path, *part, *state;
    char sha256[65];
    int fd;
    gint64 bytes;
    guint8 *piece; /* PIECE_* of each */
    gint64 n_pieces;
};

static gboolean disk_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean disk_error(GError **error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    g_propagate_error(error, g_error_new_valist(SFU_FETCH_ERROR, SFU_FETCH_ERROR_DISK, format, ap));
    va_end(ap);
    return FALSE;
}

/* The parent of folder/path, made if missing; NULL if a link below the folder leads elsewhere. */
static char *safe_parent(const char *folder, const char *path, GError **error)
{
    char *full = g_build_filename(folder, path, NULL), *parent = g_path_get_dirname(full);
    g_free(full);
    if (g_mkdir_with_parents(parent, 0755) != 0) {
        disk_error(error, _("%s cannot be created: %s."), parent, g_strerror(errno));
        g_free(parent);
        return NULL;
    }
    char *real = realpath(parent, NULL), *top = realpath(folder, NULL);
    const gsize n = top ? strlen(top) : 0;
    const gboolean inside =
        real && top && strncmp(real, top, n) == 0 && (real[n] == 0 || real[n] == '/' || strcmp(top, "/") == 0);
    free(real);
    free(top);
    if (inside)
        return parent;
    g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_DISK, _("%s leads out of %s, so nothing is written there."),
                parent, folder);
    g_free(parent);
    return NULL;
}

/* ---- the state file: "sfumato-fetch 1\n<sha256>\n<bytes>\n<a digit a piece>\n" ---- */

static gboolean save_state(SfuFetchStore *s, GError **error)
{
    GString *text = g_string_new(NULL);
    g_string_printf(text, "sfumato-fetch 1\n%s\n%" G_GINT64_FORMAT "\n", s->sha256, s->bytes);
    for (gint64 i = 0; i < s->n_pieces; i++)
        g_string_append_c(text, s->piece[i] == PIECE_DONE ? '1' : '0');
    g_string_append_c(text, '\n');
    GError *e = NULL;
    const gboolean ok = g_file_set_contents(s->state, text->str, (gssize)text->len, &e);
    if (!ok) {
        g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_DISK, "%s.", e->message);
        g_error_free(e);
    }
    g_string_free(text, TRUE);
    return ok;
}

static void set_pieces(SfuFetchStore *s, gint64 bytes)
{
    g_free(s->piece);
    s->bytes = bytes;
    s->n_pieces = (bytes + PIECE_BYTES - 1) / PIECE_BYTES;
    s->piece = g_new0(guint8, MAX(s->n_pieces, 1));
}

static void load_state(SfuFetchStore *s)
{
    char *text = NULL;
    if (!g_file_get_contents(s->state, &text, NULL, NULL))
        return;
    char **line = g_strsplit(text, "\n", 5);
    const guint n = g_strv_length(line);
    if (n >= 4 && strcmp(line[0], "sfumato-fetch 1") == 0 && strcmp(line[1], s->sha256) == 0) {
        const gint64 bytes = g_ascii_strtoll(line[2], NULL, 10);
        if (bytes > 0 && bytes < (gint64)1 << 42) {
            set_pieces(s, bytes);
            if ((gint64)strlen(line[3]) == s->n_pieces)
                for (gint64 i = 0; i < s->n_pieces; i++)
                    s->piece[i] = line[3][i] == '1' ? PIECE_DONE : PIECE_MISSING;
        }
    }
    g_strfreev(line);
    g_free(text);
}

/* ---- opening and closing ---- */

SfuFetchStore *sfu_fetch_store_open(const char *folder, const SfuFetchFile *file, GError **error)
{
    if (!sfu_fetch_path_is_safe(file->path)) {
        g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_CATALOGUE,
                    _("\"%s\" would lie outside the models' folder."), file->path);
        return NULL;
    }
    if (g_mkdir_with_parents(folder, 0755) != 0) {
        disk_error(error, _("%s cannot be created: %s."), folder, g_strerror(errno));
        return NULL;
    }
    char *parent = safe_parent(folder, file->path, error);
    if (!parent)
        return NULL;
    SfuFetchStore *s = g_new0(SfuFetchStore, 1);
    char *base = g_path_get_basename(file->path);
    s->path = g_build_filename(parent, base, NULL);
    s->part = g_strconcat(parent, "/.", base, ".part", NULL); /* hidden: nobody lists half a model */
    s->state = g_strconcat(s->part, ".state", NULL);
    g_strlcpy(s->sha256, file->sha256, sizeof s->sha256);
    g_free(base);
    g_free(parent);
    s->fd = open(s->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (s->fd < 0) {
        disk_error(error, _("%s cannot be written: %s."), s->part, g_strerror(errno));
    } else if (flock(s->fd, LOCK_EX | LOCK_NB) != 0) {
        g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_DISK, _("%s is being downloaded by another process."),
                    s->path);
    } else {
        load_state(s);
        return s;
    }
    sfu_fetch_store_close(s);
    return NULL;
}

void sfu_fetch_store_close(SfuFetchStore *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    g_free(s->path);
    g_free(s->part);
    g_free(s->state);
    g_free(s->piece);
    g_free(s);
}

static void discard(SfuFetchStore *s)
{
    if (ftruncate(s->fd, 0) != 0) /* what is left is not marked, so it is never used */
        g_debug("%s: %s", s->part, g_strerror(errno));
    g_unlink(s->state);
    g_clear_pointer(&s->piece, g_free);
    s->bytes = s->n_pieces = 0;
}

/* ---- pieces ---- */

static gboolean check_room(const SfuFetchStore *s, GError **error)
{
    struct statvfs v;
    if (fstatvfs(s->fd, &v) != 0)
        return TRUE;
    const gint64 room = (gint64)v.f_bavail * (gint64)v.f_frsize, need = s->bytes - sfu_fetch_store_done(s);
    if (room >= need + SPARE_BYTES)
        return TRUE;
    g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_DISK,
                _("%s needs %.1f MB more, and its disk has %.1f MB free."), s->path, need / 1e6, room / 1e6);
    return FALSE;
}

gboolean sfu_fetch_store_set_size(SfuFetchStore *s, gint64 bytes, GError **error)
{
    const gboolean other = s->bytes && s->bytes != bytes;
    if (other) {
        discard(s);
        g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_SERVER,
                    _("The server's copy of %s changed during the download; the part that had arrived was discarded."),
                    s->path);
        return FALSE;
    }
    if (!s->bytes)
        set_pieces(s, bytes);
    return check_room(s, error) && save_state(s, error);
}

gint64 sfu_fetch_store_size(const SfuFetchStore *s)
{
    return s->bytes;
}

static gint64 piece_end(const SfuFetchStore *s, gint64 i)
{
    return MIN((i + 1) * PIECE_BYTES, s->bytes);
}

gint64 sfu_fetch_store_done(const SfuFetchStore *s)
{
    gint64 n = 0;
    for (gint64 i = 0; i < s->n_pieces; i++)
        n += s->piece[i] == PIECE_DONE ? piece_end(s, i) - i * PIECE_BYTES : 0;
    return n;
}

gboolean sfu_fetch_store_take(SfuFetchStore *s, gint64 *from, gint64 *to)
{
    for (gint64 i = 0; i < s->n_pieces; i++) {
        if (s->piece[i] != PIECE_MISSING)
            continue;
        s->piece[i] = PIECE_TAKEN;
        *from = i * PIECE_BYTES;
        *to = piece_end(s, i);
        return TRUE;
    }
    return FALSE;
}

void sfu_fetch_store_return(SfuFetchStore *s, gint64 from)
{
    if (from / PIECE_BYTES < s->n_pieces && s->piece[from / PIECE_BYTES] == PIECE_TAKEN)
        s->piece[from / PIECE_BYTES] = PIECE_MISSING;
}

gboolean sfu_fetch_store_piece_done(SfuFetchStore *s, gint64 from, GError **error)
{
    s->piece[from / PIECE_BYTES] = PIECE_DONE;
    return save_state(s, error);
}

gboolean sfu_fetch_store_write(SfuFetchStore *s, gint64 at, const void *data, gsize n, GError **error)
{
    for (const guint8 *p = data; n > 0;) {
        const ssize_t written = pwrite(s->fd, p, n, at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return disk_error(error, _("%s cannot be written: %s."), s->part, g_strerror(errno));
        p += written;
        at += written;
        n -= (gsize)written;
    }
    return TRUE;
}

/* ---- the end ---- */

char *sfu_fetch_sha256(const char *path, gboolean (*tick)(gint64 done, gpointer data), gpointer data, GError **error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        disk_error(error, _("%s cannot be read: %s."), path, g_strerror(errno));
        return NULL;
    }
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 *buffer = g_malloc(1 << 20);
    gint64 done = 0;
    ssize_t n;
    gboolean ok = TRUE;
    while (ok && (n = read(fd, buffer, 1 << 20)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            ok = disk_error(error, _("%s cannot be read: %s."), path, g_strerror(errno));
            break;
        }
        g_checksum_update(sum, buffer, n);
        done += n;
        ok = !tick || tick(done, data);
        if (!ok)
            g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_CANCELLED, "%s", _("Stopped."));
    }
    close(fd);
    char *hex = ok ? g_strdup(g_checksum_get_string(sum)) : NULL;
    g_checksum_free(sum);
    g_free(buffer);
    return hex;
}

gboolean sfu_fetch_store_finish(SfuFetchStore *s, gboolean (*tick)(gint64 done, gpointer data), gpointer data,
                                GError **error)
{
    if (ftruncate(s->fd, s->bytes) != 0 || fsync(s->fd) != 0)
        return disk_error(error, _("%s cannot be written: %s."), s->part, g_strerror(errno));
    char *hex = sfu_fetch_sha256(s->part, tick, data, error);
    if (!hex)
        return FALSE;
    const gboolean same = strcmp(hex, s->sha256) == 0;
    g_free(hex);
    if (!same) {
        discard(s);
        g_unlink(s->part);
        g_set_error(
            error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_SERVER,
            _("What the server sent for %s is not the file of the catalogue (its SHA-256 differs); it was discarded."),
            s->path);
        return FALSE;
    }
    if (g_rename(s->part, s->path) != 0)
        return disk_error(error, _("%s cannot be put in place: %s."), s->path, g_strerror(errno));
    g_unlink(s->state);
    return TRUE;
}
