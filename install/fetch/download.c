/* One file over several connections, with libcurl. The first request asks for the first piece and so learns the size;
 * then each connection fetches piece after piece. A server without ranges sends the whole file over one connection.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch.h"

#include <glib/gi18n.h>

#include <curl/curl.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#define MAX_CONNECTIONS 8
#define MAX_TRIES 5 /* in a row without a byte of progress */
#define MAX_FILE_BYTES ((gint64)1 << 42)

typedef struct Download Download;

/* One connection and the piece it is fetching. */
typedef struct {
    Download *d;
    CURL *curl;
    gboolean busy, checked; /* checked: the answer's status and size have been seen */
    gint64 from, to, at; /* bytes [from, to) are wanted, `at` is the next one to arrive; to 0: to the end of the file */
    gint64 total;        /* of Content-Range; 0: none seen */
} Connection;

struct Download {
    const SfuFetchFile *file;
    const SfuFetchOptions *o;
    SfuFetchStore *store;
    CURLM *multi;
    Connection c[MAX_CONNECTIONS];
    int n_connections;
    gboolean no_ranges; /* the server sends the whole file whatever is asked for */
    char *url;
    int failures;         /* in a row */
    gint64 wait_until_us; /* after a failure */
    GError *error;        /* the first that ends the download */
};

static gboolean stopped(const SfuFetchOptions *o)
{
    return o->stop && g_atomic_int_get(o->stop);
}

static void report(Download *d)
{
    gint64 under_way = 0;
    for (int i = 0; i < d->n_connections; i++)
        under_way += d->c[i].busy ? d->c[i].at - d->c[i].from : 0;
    if (d->o->progress)
        d->o->progress("downloading", sfu_fetch_store_done(d->store) + under_way, sfu_fetch_store_size(d->store),
                       d->o->data);
}

/* ---- answers ---- */

static size_t on_header(char *text, size_t size, size_t n, void *data)
{
    Connection *c = data;
    char *line = g_strndup(text, size * n);
    g_strchomp(line);
    if (g_str_has_prefix(line, "HTTP/")) { /* of the next answer, after a redirect */
        c->total = 0;
    } else if (g_ascii_strncasecmp(line, "content-range:", 14) == 0) {
        const char *slash = strchr(line, '/');
        c->total = slash ? g_ascii_strtoll(slash + 1, NULL, 10) : 0;
    }
    g_free(line);
    return size * n;
}

static gboolean server_error(Download *d, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean server_error(Download *d, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    if (!d->error)
        g_set_error(&d->error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_SERVER, "%s", text);
    g_free(text);
    return FALSE;
}

/* TRUE: the answer carries the file. Sets error for what no further try can change. */
static gboolean status_ok(Download *d, long status)
{
    if (status == 200 || status == 206)
        return TRUE;
    if (status == 401 || status == 403)
        return server_error(
            d, _("%s: the server wants a login or a license to be accepted on its web page first (HTTP %ld)."), d->url,
            status);
    if (status == 404 || status == 410)
        return server_error(d, _("%s is no longer there (HTTP %ld); the catalogue may be out of date."), d->url,
                            status);
    if (status >= 400 && status < 500 && status != 408 && status != 429)
        return server_error(d, _("%s: the server refused the request (HTTP %ld)."), d->url, status);
    return FALSE; /* 5xx and the like: another try */
}

/* The size that the first answer tells: makes the pieces. */
static gboolean learn_size(Download *d, Connection *c, long status)
{
    curl_off_t length = -1;
    curl_easy_getinfo(c->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    d->no_ranges = status == 200;
    const gint64 total = status == 206 ? c->total : (gint64)length;
    if (total <= 0 || total > MAX_FILE_BYTES) {
        if (d->file->bytes && status == 200 && length < 0)
            return sfu_fetch_store_set_size(d->store, d->file->bytes, &d->error);
        return server_error(d, _("%s: the server does not tell the file's size."), d->url);
    }
    if (d->file->bytes && total != d->file->bytes)
        return server_error(d, _("%s has %" PRId64 " bytes where the catalogue says %" PRId64 ": it is another file."),
                            d->url, total, d->file->bytes);
    return sfu_fetch_store_set_size(d->store, total, &d->error);
}

static gboolean check_answer(Download *d, Connection *c)
{
    long status = 0;
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!status_ok(d, status))
        return FALSE;
    const gint64 size = sfu_fetch_store_size(d->store);
    if (!size || (status == 206 && c->total != size)) {
        gint64 from, to;
        if (!learn_size(d, c, status))
            return FALSE;
        if (!size)
            sfu_fetch_store_take(d->store, &from, &to); /* the first piece, which this connection fetches */
    }
    if (status == 200 && c->from > 0) { /* it answers with the whole file: start again from its beginning */
        d->no_ranges = TRUE;
        return FALSE;
    }
    if (!c->to || c->to > sfu_fetch_store_size(d->store))
        c->to = sfu_fetch_store_size(d->store);
    if (status == 200)
        c->to = sfu_fetch_store_size(d->store);
    return TRUE;
}

static size_t on_data(char *bytes, size_t size, size_t n, void *data)
{
    Connection *c = data;
    Download *d = c->d;
    n *= size;
    if (d->error || stopped(d->o))
        return 0;
    if (!c->checked && !check_answer(d, c))
        return 0;
    c->checked = TRUE;
    if (c->at + (gint64)n > c->to) {
        server_error(d, _("%s: the server sends more than it announced."), d->url);
        return 0;
    }
    if (!sfu_fetch_store_write(d->store, c->at, bytes, n, &d->error))
        return 0;
    c->at += (gint64)n;
    d->failures = 0;
    return n;
}

/* ---- connections ---- */

static void prepare(Connection *c)
{
    Download *d = c->d;
    c->curl = curl_easy_init();
    curl_easy_setopt(c->curl, CURLOPT_URL, d->url);
    curl_easy_setopt(c->curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c->curl, CURLOPT_MAXREDIRS, 8L);
    /* https only; http only if the address itself is a local one, and never after a redirect. */
    curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, g_str_has_prefix(d->url, "http://") ? "http,https" : "https");
    curl_easy_setopt(c->curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "sfumato-fetch/" SFU_VERSION);
    curl_easy_setopt(c->curl, CURLOPT_ACCEPT_ENCODING, NULL);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, 20L);
    curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_LIMIT, 64L);
    curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_TIME, 30L);
    curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(c->curl, CURLOPT_PRIVATE, c);
}

static void request(Connection *c, gint64 from, gint64 to)
{
    Download *d = c->d;
    char range[64];
    c->busy = TRUE;
    c->checked = FALSE;
    c->from = c->at = from;
    c->to = to;
    g_snprintf(range, sizeof range, "%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, from, to - 1);
    curl_easy_setopt(c->curl, CURLOPT_RANGE, d->no_ranges ? NULL : range);
    curl_multi_add_handle(d->multi, c->curl);
}

/* Gives every idle connection a piece. */
static void start_pieces(Download *d)
{
    const gint64 size = sfu_fetch_store_size(d->store);
    int busy = 0;
    if (g_get_monotonic_time() < d->wait_until_us)
        return;
    for (int i = 0; i < d->n_connections; i++)
        busy += d->c[i].busy;
    if (!size || d->no_ranges) { /* one request tells the size, or carries all */
        if (!busy)
            request(&d->c[0], 0, d->no_ranges && size ? size : SFU_FETCH_PIECE_BYTES);
        return;
    }
    for (int i = 0; i < d->n_connections; i++) {
        gint64 from, to;
        if (!d->c[i].busy && sfu_fetch_store_take(d->store, &from, &to))
            request(&d->c[i], from, to);
    }
}

static void network_error(Download *d, CURLcode code, long status)
{
    if (status >= 400)
        g_set_error(&d->error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_NETWORK,
                    _("%s: the server answers with HTTP %ld; try again later."), d->url, status);
    else if (code == CURLE_COULDNT_RESOLVE_HOST)
        g_set_error(&d->error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_NETWORK,
                    _("%s cannot be reached: the name of its server is not found. Is this computer online?"), d->url);
    else
        g_set_error(&d->error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_NETWORK,
                    _("%s cannot be reached: %s. What has arrived is kept for the next try."), d->url,
                    curl_easy_strerror(code));
}

/* Marks the pieces that [from, to) covers. */
static void mark(Download *d, gint64 from, gint64 to)
{
    for (gint64 at = from; at < to && !d->error; at += SFU_FETCH_PIECE_BYTES)
        sfu_fetch_store_piece_done(d->store, at, &d->error);
}

static void finished(Download *d, Connection *c, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(d->multi, c->curl);
    c->busy = FALSE;
    const gint64 size = sfu_fetch_store_size(d->store);
    if (size && c->checked && c->at == MIN(c->to, size) && c->at > c->from) {
        mark(d, c->from, c->at);
        return;
    }
    if (size)
        sfu_fetch_store_return(d->store, c->from);
    if (d->error || stopped(d->o))
        return;
    if (code == CURLE_OK && !c->checked && !status_ok(d, status) && d->error)
        return;
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_TOO_MANY_REDIRECTS ||
        code == CURLE_PEER_FAILED_VERIFICATION) {
        server_error(d, _("%s: the server sends the download to an address that is not safe (%s)."), d->url,
                     curl_easy_strerror(code));
        return;
    }
    if (status >= 400 && !status_ok(d, status) && d->error)
        return;
    if (++d->failures > MAX_TRIES)
        network_error(d, code, status);
    else
        d->wait_until_us = g_get_monotonic_time() + ((gint64)100000 << d->failures);
}

static gboolean run(Download *d)
{
    for (;;) {
        if (stopped(d->o) && !d->error)
            g_set_error(&d->error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_CANCELLED, "%s",
                        _("Stopped; what has arrived is kept, and the next call goes on from there."));
        const gint64 size = sfu_fetch_store_size(d->store);
        if (d->error)
            return FALSE;
        if (size && sfu_fetch_store_done(d->store) == size)
            return TRUE;
        start_pieces(d);
        int running = 0, left;
        curl_multi_perform(d->multi, &running);
        for (CURLMsg *m; (m = curl_multi_info_read(d->multi, &left));) {
            Connection *c = NULL;
            if (m->msg != CURLMSG_DONE)
                continue;
            const CURLcode code = m->data.result;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
            finished(d, c, code);
        }
        report(d);
        if (running || g_get_monotonic_time() < d->wait_until_us)
            curl_multi_poll(d->multi, NULL, 0, 200, NULL);
    }
}

/* ---- the whole ---- */

typedef struct {
    const SfuFetchOptions *o;
    gint64 total;
} Check;

static gboolean check_tick(gint64 done, gpointer data)
{
    const Check *c = data;
    if (c->o->progress)
        c->o->progress("checking", done, c->total, c->o->data);
    return !stopped(c->o);
}

static gboolean from_network(SfuFetchStore *store, const SfuFetchFile *file, const char *url, const SfuFetchOptions *o,
                             GError **error)
{
    Download d = {.file = file,
                  .o = o,
                  .store = store,
                  .url = g_strdup(url),
                  .n_connections = CLAMP(o->n_connections, 1, MAX_CONNECTIONS)};
    d.multi = curl_multi_init();
    for (int i = 0; i < d.n_connections; i++) {
        d.c[i].d = &d;
        prepare(&d.c[i]);
    }
    const gboolean ok = run(&d);
    for (int i = 0; i < d.n_connections; i++) {
        if (d.c[i].busy)
            curl_multi_remove_handle(d.multi, d.c[i].curl);
        curl_easy_cleanup(d.c[i].curl);
    }
    curl_multi_cleanup(d.multi);
    g_free(d.url);
    if (d.error)
        g_propagate_error(error, d.error);
    return ok;
}

/* A mirror's folder: the file lies there under its own name. */
static gboolean from_folder(SfuFetchStore *store, const char *source, const SfuFetchOptions *o, GError **error)
{
    GError *e = NULL;
    GFile *f = g_file_new_for_path(source);
    GFileInputStream *in = g_file_read(f, NULL, &e);
    GFileInfo *info =
        in ? g_file_query_info(f, G_FILE_ATTRIBUTE_STANDARD_SIZE, G_FILE_QUERY_INFO_NONE, NULL, &e) : NULL;
    const gint64 size = info ? g_file_info_get_size(info) : 0;
    gboolean ok = info && size > 0 && sfu_fetch_store_set_size(store, size, error);
    if (!info || size <= 0)
        g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_SERVER, _("The mirror's file %s cannot be read: %s."),
                    source, e ? e->message : _("it is empty"));
    char *buffer = g_malloc(1 << 20);
    gint64 at = 0;
    gssize n = 0;
    while (ok && (n = g_input_stream_read(G_INPUT_STREAM(in), buffer, 1 << 20, NULL, &e)) > 0) {
        ok = at + n <= size && sfu_fetch_store_write(store, at, buffer, (gsize)n, error);
        at += n;
        if (o->progress)
            o->progress("downloading", at, size, o->data);
        if (ok && stopped(o)) {
            g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_CANCELLED, "%s", _("Stopped."));
            ok = FALSE;
        }
    }
    if (ok && (n < 0 || at != size)) {
        g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_SERVER,
                    _("The mirror's file %s broke off after %" PRId64 " bytes."), source, at);
        ok = FALSE;
    }
    g_free(buffer);
    g_clear_error(&e);
    g_clear_object(&info);
    g_clear_object(&in);
    g_object_unref(f);
    return ok;
}

/* The mirror's address of a file: its path and query behind the mirror's own. */
static char *mirrored(const char *url, const char *mirror)
{
    const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    char *base = g_strdup(mirror);
    while (g_str_has_suffix(base, "/"))
        base[strlen(base) - 1] = 0;
    char *out = g_strconcat(base, path ? path : "/", NULL);
    g_free(base);
    return out;
}

/* TRUE: the file is there already, whole. */
static gboolean is_there(const char *path, const SfuFetchFile *file, const SfuFetchOptions *o)
{
    GStatBuf st;
    if (g_stat(path, &st) != 0 || (file->bytes && st.st_size != file->bytes))
        return FALSE;
    Check c = {o, st.st_size};
    char *hex = sfu_fetch_sha256(path, check_tick, &c, NULL);
    const gboolean same = hex && strcmp(hex, file->sha256) == 0;
    g_free(hex);
    return same;
}

gboolean sfu_fetch_download(const char *folder, const SfuFetchFile *file, const SfuFetchOptions *o, GError **error)
{
    char *path = g_build_filename(folder, file->path, NULL);
    const gboolean there = is_there(path, file, o);
    g_free(path);
    if (there)
        return TRUE;
    SfuFetchStore *store = sfu_fetch_store_open(folder, file, error);
    if (!store)
        return FALSE;
    gboolean ok;
    if (o->mirror && *o->mirror && !strstr(o->mirror, "://")) {
        char *base = g_path_get_basename(file->path), *source = g_build_filename(o->mirror, base, NULL);
        ok = from_folder(store, source, o, error);
        g_free(source);
        g_free(base);
    } else {
        char *url = o->mirror && *o->mirror ? mirrored(file->url, o->mirror) : g_strdup(file->url);
        ok = sfu_fetch_url_is_safe(url);
        if (!ok)
            g_set_error(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_CATALOGUE, _("%s is not an https address."), url);
        ok = ok && from_network(store, file, url, o, error);
        g_free(url);
    }
    Check c = {o, sfu_fetch_store_size(store)};
    ok = ok && sfu_fetch_store_finish(store, check_tick, &c, error);
    sfu_fetch_store_close(store);
    return ok;
}
