/* sfumato-fetch: the one program of Sfumato that touches the network. It downloads the models of a catalogue, checks
 * them, and puts them into the models' folder under their final name only when they are whole. Copyright (C) 2026 The
 * Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FETCH_H
#define SFU_FETCH_H

#include <gio/gio.h>

#define SFU_FETCH_ERROR sfu_fetch_error_quark()
GQuark sfu_fetch_error_quark(void);
typedef enum {
    SFU_FETCH_ERROR_CATALOGUE, /* unreadable or unsafe catalogue, unknown model */
    SFU_FETCH_ERROR_SERVER,    /* refused, not found, changed, lying */
    SFU_FETCH_ERROR_NETWORK,   /* no connection, or it broke too often */
    SFU_FETCH_ERROR_DISK,      /* no room, not writable */
    SFU_FETCH_ERROR_CANCELLED, /* SIGINT or SIGTERM: what has arrived is kept for the next call */
} SfuFetchError;

/* ---- catalogue.c ------------------------------------------------------------------------------------------------ */

typedef struct {
    char *url;    /* https:// */
    char *path;   /* below the models' folder; checked: relative, no "..", no hidden part */
    char *sha256; /* 64 lower-case hex digits */
    gint64 bytes; /* exact size; 0: not known before the download */
} SfuFetchFile;

typedef struct {
    char *name, *title, *family, *summary, *license, *license_url;
    char **tasks;            /* words of sfumato's tasks, NULL-terminated */
    gboolean non_commercial; /* never offered by default */
    gboolean wordless;       /* fills without a prompt */
    gint64 memory_bytes;     /* what a run needs; 0: not known */
    gint64 approx_bytes;     /* of all files, for display; 0: not known */
    double tera_ops;         /* work of one picture, of enlarging a million pixels; 0: not known */
    GPtrArray *files;        /* SfuFetchFile* */
} SfuFetchModel;

/* Reads and checks a catalogue: JSON as install/models/make-catalogue.py writes it. SfuFetchModel*; caller frees with
 * g_ptr_array_unref(). NULL with CATALOGUE. */
GPtrArray *sfu_fetch_catalogue_read(const char *path, GError **error);
/* Borrowed; NULL with CATALOGUE. */
const SfuFetchModel *sfu_fetch_catalogue_find(GPtrArray *models, const char *name, GError **error);
/* TRUE if the path stays below the folder it is joined to: relative, no empty, hidden or ".." part, no backslash, no
 * control character. */
gboolean sfu_fetch_path_is_safe(const char *path);
/* TRUE if the address may be asked: https, or http on this machine's loopback address (for tests and local mirrors). */
gboolean sfu_fetch_url_is_safe(const char *url);

/* ---- store.c: a file that arrives in pieces ---- */

/* <path>.part holds the bytes, <path>.part.state which pieces have arrived. The part file is locked while it is open.
 */
typedef struct SfuFetchStore SfuFetchStore;

/* Opens or makes the part file for `file` below `folder` (made if missing), and takes up what an earlier call left.
 * NULL with DISK if the folder cannot be written to, if another process is downloading the same file, or if a link
 * leads out of the folder. */
SfuFetchStore *sfu_fetch_store_open(const char *folder, const SfuFetchFile *file, GError **error);
/* Keeps the pieces that have arrived for the next call. NULL is fine. */
void sfu_fetch_store_close(SfuFetchStore *s);
#define SFU_FETCH_PIECE_BYTES ((gint64)8 << 20)
/* Tells the size, once it is known, and makes the pieces. FALSE with SERVER if an earlier call saw another size (what
 * it left is discarded, and the next call starts anew), DISK if there is no room. */
gboolean sfu_fetch_store_set_size(SfuFetchStore *s, gint64 bytes, GError **error);
gint64 sfu_fetch_store_size(const SfuFetchStore *s); /* 0: not known yet */
gint64 sfu_fetch_store_done(const SfuFetchStore *s); /* bytes of whole pieces */
/* The next piece that nobody fetches: [*from, *to). FALSE: none is left. */
gboolean sfu_fetch_store_take(SfuFetchStore *s, gint64 *from, gint64 *to);
void sfu_fetch_store_return(SfuFetchStore *s, gint64 from); /* the piece that begins there failed */
gboolean sfu_fetch_store_piece_done(SfuFetchStore *s, gint64 from, GError **error);
gboolean sfu_fetch_store_write(SfuFetchStore *s, gint64 at, const void *data, gsize n, GError **error);
/* All bytes are there: checks the SHA-256, syncs, and renames to the final path. FALSE with SERVER if the hash differs
 * (everything is discarded then). tick (may be NULL) is called while the file is read; FALSE cancels. */
gboolean sfu_fetch_store_finish(SfuFetchStore *s, gboolean (*tick)(gint64 done, gpointer data), gpointer data,
                                GError **error);

/* SHA-256 of a file as hex; NULL with DISK, or CANCELLED if tick returned FALSE. Caller frees. */
char *sfu_fetch_sha256(const char *path, gboolean (*tick)(gint64 done, gpointer data), gpointer data, GError **error);

/* ---- download.c ---- */

typedef struct {
    int n_connections;  /* at once, 1 to 8 */
    const char *mirror; /* a folder, or the address that takes the place of scheme and host; NULL: none */
    const int *stop;    /* nonzero: the download ends; read atomically, for a signal handler sets it */
    /* state: "downloading", "checking"; done of total bytes (total 0: not known). */
    void (*progress)(const char *state, gint64 done, gint64 total, gpointer data);
    gpointer data;
} SfuFetchOptions;

/* Downloads one file into folder, or takes it from a mirror's folder. Does nothing if it is there with the right hash.
 */
gboolean sfu_fetch_download(const char *folder, const SfuFetchFile *file, const SfuFetchOptions *o, GError **error);

#endif
