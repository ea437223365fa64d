/* sfumato-fetch: lists the catalogue's models, downloads them, removes them.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch.h"

#include <glib/gi18n.h>

#include <curl/curl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

static int stop; /* set by the signal handler, atomically */

static char *opt_catalogue, *opt_folder, *opt_mirror;
static gboolean opt_json;
static int opt_connections = 4;

static const GOptionEntry options[] = {
    {"folder", 0, 0, G_OPTION_ARG_FILENAME, &opt_folder, "Models' folder (default: ~/.local/share/sfumato/models)",
     "DIR"},
    {"catalogue", 0, 0, G_OPTION_ARG_FILENAME, &opt_catalogue, "Catalogue to use (default: the installed one)", "FILE"},
    {"mirror", 0, 0, G_OPTION_ARG_STRING, &opt_mirror,
     "Address that takes the place of the files' scheme and host, or a folder that holds them (default: "
     "SFUMATO_MIRROR)",
     "URL|DIR"},
    {"connections", 0, 0, G_OPTION_ARG_INT, &opt_connections, "Connections at once, 1 to 8 (default: 4)", "N"},
    {"json", 0, 0, G_OPTION_ARG_NONE, &opt_json, "Print JSON, one object per line", NULL},
    {NULL}};

static void on_signal(int number)
{
    g_atomic_int_set(&stop, 1);
}

static int fail(GError *error)
{
    const int status =
        g_error_matches(error, SFU_FETCH_ERROR, SFU_FETCH_ERROR_CANCELLED) ? EXIT_INTERRUPTED : EXIT_FAILED;
    if (opt_json) {
        JsonNode *node = json_node_alloc();
        json_node_init_string(node, error->message);
        char *text = json_to_string(node, FALSE);
        g_print("{\"event\":\"error\",\"message\":%s}\n", text);
        g_free(text);
        json_node_unref(node);
    }
    g_printerr("sfumato-fetch: %s\n", error->message);
    g_error_free(error);
    return status;
}

/* The catalogue beside the program (the build tree), else the installed one. Caller frees. */
static char *find_catalogue(void)
{
    char *program = g_file_read_link("/proc/self/exe", NULL),
         *folder = program ? g_path_get_dirname(program) : g_strdup(".");
    char *places[] = {g_build_filename(folder, "catalogue.json", NULL),
                      g_build_filename(folder, "..", "share", "sfumato", "catalogue.json", NULL),
                      g_build_filename(SFU_DATADIR, "sfumato", "catalogue.json", NULL)};
    char *found = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        if (!found && g_file_test(places[i], G_FILE_TEST_IS_REGULAR))
            found = g_strdup(places[i]);
    }
    if (!found)
        found = g_strdup(places[2]);
    for (guint i = 0; i < G_N_ELEMENTS(places); i++)
        g_free(places[i]);
    g_free(folder);
    g_free(program);
    return found;
}

static gboolean is_installed(const SfuFetchModel *m)
{
    gboolean all = TRUE;
    for (guint i = 0; i < m->files->len; i++) {
        const SfuFetchFile *f = g_ptr_array_index(m->files, i);
        char *path = g_build_filename(opt_folder, f->path, NULL);
        all = all && g_file_test(path, G_FILE_TEST_IS_REGULAR);
        g_free(path);
    }
    return all;
}

static gint64 model_bytes(const SfuFetchModel *m)
{
    gint64 bytes = 0;
    for (guint i = 0; i < m->files->len; i++) {
        const SfuFetchFile *f = g_ptr_array_index(m->files, i);
        if (!f->bytes)
            return m->approx_bytes;
        bytes += f->bytes;
    }
    return bytes;
}

/* ---- list ---- */

static void add_string(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, value ? value : "");
}

static void print_json(const SfuFetchModel *m)
{
    JsonBuilder *b = json_builder_new();
    json_builder_begin_object(b);
    add_string(b, "event", "model");
    add_string(b, "name", m->name);
    add_string(b, "title", m->title);
    add_string(b, "family", m->family);
    add_string(b, "summary", m->summary);
    add_string(b, "license", m->license);
    add_string(b, "license_url", m->license_url);
    json_builder_set_member_name(b, "tasks");
    json_builder_begin_array(b);
    for (int i = 0; m->tasks[i]; i++)
        json_builder_add_string_value(b, m->tasks[i]);
    json_builder_end_array(b);
    json_builder_set_member_name(b, "non_commercial");
    json_builder_add_boolean_value(b, m->non_commercial);
    json_builder_set_member_name(b, "wordless");
    json_builder_add_boolean_value(b, m->wordless);
    json_builder_set_member_name(b, "bytes");
    json_builder_add_int_value(b, model_bytes(m));
    json_builder_set_member_name(b, "memory_bytes");
    json_builder_add_int_value(b, m->memory_bytes);
    json_builder_set_member_name(b, "tera_ops");
    json_builder_add_double_value(b, m->tera_ops);
    json_builder_set_member_name(b, "installed");
    json_builder_add_boolean_value(b, is_installed(m));
    json_builder_end_object(b);
    JsonNode *root = json_builder_get_root(b);
    char *text = json_to_string(root, FALSE);
    g_print("%s\n", text);
    g_free(text);
    json_node_unref(root);
    g_object_unref(b);
}

/* "2.1 GB"; "" for 0, an unknown size. Caller frees. */
static char *sized(gint64 bytes)
{
    if (bytes <= 0)
        return g_strdup("");
    return bytes < 1000000000 ? g_strdup_printf("%.1f MB", bytes / 1e6) : g_strdup_printf("%.1f GB", bytes / 1e9);
}

static int list(GPtrArray *models)
{
    for (guint i = 0; i < models->len; i++) {
        const SfuFetchModel *m = g_ptr_array_index(models, i);
        if (opt_json) {
            print_json(m);
            continue;
        }
        char *tasks = g_strjoinv(", ", m->tasks), *size = sized(model_bytes(m));
        g_print("%s%s\n   %s: %s\n   %s%s%s; license: %s%s%s%s\n", m->name, is_installed(m) ? "  (installed)" : "",
                m->title, m->summary ? m->summary : "", size, *size && *tasks ? "; " : "", tasks, m->license,
                m->non_commercial ? " (non-commercial use only)" : "", m->license_url ? ", " : "",
                m->license_url ? m->license_url : "");
        g_free(size);
        g_free(tasks);
    }
    return EXIT_OK;
}

/* ---- get ---- */

typedef struct {
    const char *name;
    gint64 last_us, first_us, first_done;
    gboolean tty;
} Shown;

static void on_progress(const char *state, gint64 done, gint64 total, gpointer data)
{
    Shown *s = data;
    const gint64 now = g_get_monotonic_time();
    if (now - s->last_us < 250000 && done < total)
        return;
    if (!s->first_us) {
        s->first_us = now;
        s->first_done = done;
    }
    s->last_us = now;
    if (opt_json) {
        g_print("{\"event\":\"progress\",\"file\":\"%s\",\"state\":\"%s\",\"done\":%" G_GINT64_FORMAT
                ",\"total\":%" G_GINT64_FORMAT "}\n",
                s->name, state, done, total);
        return;
    }
    if (!s->tty)
        return;
    const double seconds = (now - s->first_us) / 1e6, rate = seconds > 1 ? (done - s->first_done) / seconds : 0;
    g_printerr("\r\033[K%s: %s %.1f of %.1f MB", s->name, state, done / 1e6, total / 1e6);
    if (rate > 0 && total > done)
        g_printerr(", %.1f MB/s, %.0f s left", rate / 1e6, (total - done) / rate);
}

static gboolean get_model(const SfuFetchModel *m, GError **error)
{
    for (guint i = 0; i < m->files->len; i++) {
        const SfuFetchFile *f = g_ptr_array_index(m->files, i);
        Shown shown = {.name = f->path, .tty = isatty(STDERR_FILENO)};
        const SfuFetchOptions o = {.n_connections = opt_connections,
                                   .mirror = opt_mirror,
                                   .stop = &stop,
                                   .progress = on_progress,
                                   .data = &shown};
        const gboolean ok = sfu_fetch_download(opt_folder, f, &o, error);
        if (shown.tty && !opt_json && shown.last_us)
            g_printerr("\r\033[K");
        if (!ok)
            return FALSE;
        if (opt_json)
            g_print("{\"event\":\"file\",\"file\":\"%s\"}\n", f->path);
        else
            g_print("%s/%s\n", opt_folder, f->path);
    }
    return TRUE;
}

static int get(GPtrArray *models, char **names)
{
    GError *error = NULL;
    for (int i = 0; names[i]; i++) {
        const SfuFetchModel *m = sfu_fetch_catalogue_find(models, names[i], &error);
        if (!m)
            return fail(error);
        if (m->non_commercial || !opt_json)
            g_printerr("%s: license %s%s%s%s\n", m->title, m->license,
                       m->non_commercial ? " (non-commercial use only)" : "", m->license_url ? ", " : "",
                       m->license_url ? m->license_url : "");
        if (!get_model(m, &error))
            return fail(error);
    }
    return EXIT_OK;
}

/* ---- remove ---- */

/* The model beside m that is whole in the folder and needs the file too; NULL: none. */
static const SfuFetchModel *other_user(GPtrArray *models, const SfuFetchModel *m, const char *path)
{
    for (guint i = 0; i < models->len; i++) {
        const SfuFetchModel *other = g_ptr_array_index(models, i);
        gboolean uses = FALSE, whole = other != m;
        for (guint k = 0; whole && k < other->files->len; k++) {
            const char *its = ((const SfuFetchFile *)g_ptr_array_index(other->files, k))->path;
            char *full = g_build_filename(opt_folder, its, NULL);
            uses |= strcmp(its, path) == 0;
            whole = g_file_test(full, G_FILE_TEST_EXISTS);
            g_free(full);
        }
        if (uses && whole)
            return other;
    }
    return NULL;
}

static int remove_models(GPtrArray *models, char **names)
{
    GError *error = NULL;
    for (int i = 0; names[i]; i++) {
        const SfuFetchModel *m = sfu_fetch_catalogue_find(models, names[i], &error);
        if (!m)
            return fail(error);
        for (guint k = 0; k < m->files->len; k++) {
            const SfuFetchFile *f = g_ptr_array_index(m->files, k);
            const SfuFetchModel *other = other_user(models, m, f->path);
            if (other) {
                if (!opt_json)
                    g_print("kept %s/%s, which %s needs\n", opt_folder, f->path, other->name);
                continue;
            }
            char *path = g_build_filename(opt_folder, f->path, NULL), *folder = g_path_get_dirname(path),
                 *base = g_path_get_basename(path);
            char *part = g_strconcat(folder, "/.", base, ".part", NULL), *state = g_strconcat(part, ".state", NULL);
            g_unlink(part);
            g_unlink(state);
            if (g_unlink(path) == 0 && !opt_json)
                g_print("removed %s\n", path);
            if (strchr(f->path, '/'))
                g_rmdir(folder); /* if it is empty now */
            g_free(path);
            g_free(folder);
            g_free(base);
            g_free(part);
            g_free(state);
        }
    }
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    const char *locale = g_getenv("SFUMATO_LOCALE"); /* from the plug-in, whose windows show the sentences */
    if (locale) {
        bindtextdomain("sfumato", locale);
        bind_textdomain_codeset("sfumato", "UTF-8");
        textdomain("sfumato");
    }
    GError *error = NULL;
    GOptionContext *context = g_option_context_new("list | get NAME... | remove NAME...");
    g_option_context_set_summary(context, "Downloads models for Sfumato. Nothing else in Sfumato uses the network.");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        g_printerr("sfumato-fetch: %s\n", error->message);
        return EXIT_USAGE;
    }
    g_option_context_free(context);
    const char *word = argc > 1 ? argv[1] : "";
    const gboolean is_list = strcmp(word, "list") == 0 && argc == 2, is_get = strcmp(word, "get") == 0 && argc > 2,
                   is_remove = strcmp(word, "remove") == 0 && argc > 2;
    if (!is_list && !is_get && !is_remove) {
        g_printerr("usage: sfumato-fetch list | get NAME... | remove NAME...\n");
        return EXIT_USAGE;
    }
    if (!opt_folder)
        opt_folder = g_build_filename(g_get_user_data_dir(), "sfumato", "models", NULL);
    if (!opt_catalogue)
        opt_catalogue = find_catalogue();
    if (!opt_mirror)
        opt_mirror = g_strdup(g_getenv("SFUMATO_MIRROR"));
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a size limit is an error of write(), not the end of the process */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    GPtrArray *models = sfu_fetch_catalogue_read(opt_catalogue, &error);
    const int status = !models   ? fail(error)
                       : is_list ? list(models)
                       : is_get  ? get(models, argv + 2)
                                 : remove_models(models, argv + 2);
    if (models)
        g_ptr_array_unref(models);
    curl_global_cleanup();
    return status;
}
