/* Running sfumato-fetch, and judging what it offers.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "offers.h"

#include <signal.h>
#include <string.h>
#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>

#include "job.h"

/* ---- the machine
 * --------------------------------------------------------------------------------------------------------- */

/* 10^9 operations a second that one core does in a whole network: measured with AVX-512 (SPEED.md), halved for the
 * narrower vectors, and once more without them. */
static double core_rate(void)
{
    char *info = NULL;
    double rate = 30;
    if (g_file_get_contents("/proc/cpuinfo", &info, NULL, NULL))
        rate = strstr(info, " avx512f") ? 120 : strstr(info, " avx2") ? 60 : 30;
    g_free(info);
    return rate;
}

void sfu_machine_look(SfuMachine *m, const char *device)
{
    GPtrArray *all = sfu_devices(NULL, NULL);
    const SfuDevice *best = NULL;
    *m = (SfuMachine){0};
    for (guint i = 0; all && i < all->len; i++) {
        const SfuDevice *d = all->pdata[i];
        const gboolean named = device && *device && strcmp(device, d->name) == 0;
        if (!best || named || (best->is_cpu && !d->is_cpu && !(device && *device)))
            best = d;
        if (named)
            break;
    }
    if (best) {
        m->name = sfu_device_words(best->name);
        m->is_cpu = best->is_cpu;
        m->memory_bytes = best->memory_bytes;
        m->tera_ops_per_second = best->is_cpu ? core_rate() * g_get_num_processors() / 1000 : 0;
    }
    if (all)
        g_ptr_array_unref(all);
}

void sfu_machine_clear(SfuMachine *m)
{
    g_clear_pointer(&m->name, g_free);
}

/* ---- judging
 * ------------------------------------------------------------------------------------------------------------- */

static gboolean only_enlarges(const SfuOffer *o)
{
    return o->tasks == 1u << SFU_TASK_UPSCALE;
}

char *sfu_offer_time(const SfuOffer *o, const SfuMachine *m)
{
    if (!m->name || o->tera_ops <= 0)
        return NULL;
    if (!m->is_cpu)
        return g_strdup(only_enlarges(o) ? _("seconds for a million pixels on this graphics card")
                                         : _("seconds a picture on this graphics card"));
    const double seconds = o->tera_ops / m->tera_ops_per_second;
    char *time = seconds < 90 ? g_strdup_printf(_("%.0f s"), MAX(1, seconds))
                              : g_strdup_printf(_("%.0f min"), MAX(1, seconds / 60));
    char *words = g_strdup_printf(only_enlarges(o) ? _("about %s for a million pixels on this processor")
                                                   : _("about %s a picture on this processor"),
                                  time);
    g_free(time);
    return words;
}

static gboolean fits(const SfuOffer *o, const SfuMachine *m)
{
    return !m->memory_bytes || o->memory_bytes <= m->memory_bytes / 10 * 9;
}

static int compare(gconstpointer a, gconstpointer b, gpointer data)
{
    const SfuOffer *x = *(SfuOffer *const *)a, *y = *(SfuOffer *const *)b;
    const SfuMachine *m = data;
    if (!x->tasks != !y->tasks)
        return !x->tasks - !y->tasks;
    if (fits(x, m) != fits(y, m))
        return fits(y, m) - fits(x, m);
    if (x->non_commercial != y->non_commercial)
        return x->non_commercial - y->non_commercial;
    if (x->wordless != y->wordless) /* who looks for a model to fill with has one of those already */
        return x->wordless - y->wordless;
    if (m->is_cpu && x->tera_ops != y->tera_ops)
        return x->tera_ops < y->tera_ops ? -1 : 1;
    return 0; /* the catalogue's order; the sort is stable */
}

GPtrArray *sfu_offers_ranked(GPtrArray *offers, const SfuMachine *m, int task)
{
    GPtrArray *list = g_ptr_array_new();
    for (guint i = 0; i < offers->len; i++)
        if (task < 0 || ((const SfuOffer *)offers->pdata[i])->tasks & 1u << task)
            g_ptr_array_add(list, offers->pdata[i]);
    g_ptr_array_sort_with_data(list, compare, (gpointer)m);
    return list;
}

GPtrArray *sfu_offers_best(GPtrArray *offers, const SfuMachine *m, int task)
{
    static const SfuTask main_ones[] = {SFU_TASK_INPAINT, SFU_TASK_TXT2IMG, SFU_TASK_UPSCALE};
    GPtrArray *best = g_ptr_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(main_ones); i++) {
        GPtrArray *list = sfu_offers_ranked(offers, m, task < 0 ? (int)main_ones[i] : task);
        const SfuOffer *o = NULL;
        for (guint j = 0; !o && j < list->len; j++)
            if (!g_ptr_array_find(best, list->pdata[j], NULL))
                o = list->pdata[j];
        if (o && !o->non_commercial && fits(o, m))
            g_ptr_array_add(best, (gpointer)o);
        g_ptr_array_unref(list);
    }
    return best;
}

/* ---- the program
 * --------------------------------------------------------------------------------------------------------- */

struct SfuFetcher {
    GSubprocess *process;
    GDataInputStream *lines;
    GCancellable *cancel;
    SfuFetcherCalls calls;
    GPtrArray *offers;   /* of a list */
    guint64 before, now; /* bytes of files that are whole, and of the one that is coming */
    char *message;       /* of an error, as the program says it */
    gboolean stopped;
    int n_pending; /* callbacks that will still come */
};

static void offer_free(gpointer p)
{
    SfuOffer *o = p;
    g_free(o->name);
    g_free(o->title);
    g_free(o->summary);
    g_free(o->license);
    g_free(o->license_url);
    g_free(o);
}

/* Beside the plug-in, at its place in a build tree, or in PATH; SFUMATO_FETCH names another one. Caller frees; NULL. */
static char *find_program(void)
{
    const char *named = g_getenv("SFUMATO_FETCH");
    if (named && *named)
        return g_file_test(named, G_FILE_TEST_IS_EXECUTABLE) ? g_strdup(named) : NULL;
    char *self = g_file_read_link("/proc/self/exe", NULL), *folder = self ? g_path_get_dirname(self) : g_strdup(".");
    char *places[] = {g_build_filename(folder, "sfumato-fetch", NULL),
                      g_build_filename(folder, "..", "..", "install", "fetch", "sfumato-fetch", NULL),
                      g_build_filename(SFU_BINDIR, "sfumato-fetch", NULL), g_find_program_in_path("sfumato-fetch")};
    char *found = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        if (!found && places[i] && g_file_test(places[i], G_FILE_TEST_IS_EXECUTABLE))
            found = g_strdup(places[i]);
        g_free(places[i]);
    }
    g_free(folder);
    g_free(self);
    return found;
}

static void fetcher_free(SfuFetcher *f)
{
    g_clear_object(&f->process);
    g_clear_object(&f->lines);
    g_object_unref(f->cancel);
    g_clear_pointer(&f->offers, g_ptr_array_unref);
    g_free(f->message);
    g_free(f);
}

static SfuOffer *offer_new(JsonObject *o)
{
    SfuOffer *offer = g_new0(SfuOffer, 1);
    offer->name = g_strdup(json_object_get_string_member_with_default(o, "name", ""));
    offer->title = g_strdup(json_object_get_string_member_with_default(o, "title", ""));
    offer->summary = g_strdup(json_object_get_string_member_with_default(o, "summary", ""));
    offer->license = g_strdup(json_object_get_string_member_with_default(o, "license", ""));
    offer->license_url = g_strdup(json_object_get_string_member_with_default(o, "license_url", ""));
    offer->non_commercial = json_object_get_boolean_member_with_default(o, "non_commercial", TRUE);
    offer->wordless = json_object_get_boolean_member_with_default(o, "wordless", FALSE);
    offer->installed = json_object_get_boolean_member_with_default(o, "installed", FALSE);
    offer->bytes = MAX(0, json_object_get_int_member_with_default(o, "bytes", 0));
    offer->memory_bytes = MAX(0, json_object_get_int_member_with_default(o, "memory_bytes", 0));
    offer->tera_ops = json_object_get_double_member_with_default(o, "tera_ops", 0);
    JsonArray *tasks = json_object_get_array_member(o, "tasks");
    for (guint i = 0; tasks && i < json_array_get_length(tasks); i++)
        for (int t = 0; t < SFU_N_TASKS; t++)
            if (g_strcmp0(json_array_get_string_element(tasks, i), sfu_task_name(t)) == 0)
                offer->tasks |= 1u << t;
    return offer;
}

static void take_line(SfuFetcher *f, const char *line)
{
    JsonNode *node = sfu_json_read(line, "sfumato-fetch", NULL);
    JsonObject *o = node ? json_node_get_object(node) : NULL;
    const char *event = o ? json_object_get_string_member_with_default(o, "event", "") : "";
    if (strcmp(event, "model") == 0 && f->offers) {
        g_ptr_array_add(f->offers, offer_new(o));
    } else if (strcmp(event, "progress") == 0) {
        f->now = MAX(0, json_object_get_int_member_with_default(o, "done", 0));
        if (f->calls.progress)
            f->calls.progress(json_object_get_string_member_with_default(o, "state", ""), f->before + f->now,
                              f->calls.data);
    } else if (strcmp(event, "file") == 0) {
        f->before += f->now;
        f->now = 0;
    } else if (strcmp(event, "error") == 0) {
        g_free(f->message);
        f->message = g_strdup(json_object_get_string_member_with_default(o, "message", ""));
    }
    if (node)
        json_node_unref(node);
}

/* The last callback of the two streams of events (its output, its end) reports. */
static void settle(SfuFetcher *f)
{
    if (--f->n_pending)
        return;
    const SfuFetcherCalls calls = f->calls;
    GError *error = NULL;
    const gboolean ok = g_subprocess_get_if_exited(f->process) && g_subprocess_get_exit_status(f->process) == 0;
    if (!ok && f->stopped)
        g_set_error_literal(&error, SFU_ERROR, SFU_ERROR_CANCELLED, _("The download is paused."));
    else if (!ok)
        g_set_error_literal(&error, SFU_ERROR, SFU_ERROR_FAILED,
                            f->message ? f->message : _("sfumato-fetch ended without a message."));
    GPtrArray *offers = ok && f->offers ? g_ptr_array_ref(f->offers) : NULL;
    const gboolean heard = !g_cancellable_is_cancelled(f->cancel);
    fetcher_free(f);
    if (heard && offers && calls.offers)
        calls.offers(g_ptr_array_ref(offers), calls.data);
    if (heard && calls.ended)
        calls.ended(error, calls.data);
    if (offers)
        g_ptr_array_unref(offers);
    g_clear_error(&error);
}

static void on_line(GObject *source, GAsyncResult *result, gpointer data)
{
    SfuFetcher *f = data;
    char *line = g_data_input_stream_read_line_finish_utf8(f->lines, result, NULL, NULL);
    if (!line) {
        settle(f);
        return;
    }
    if (!g_cancellable_is_cancelled(f->cancel))
        take_line(f, line);
    g_free(line);
    g_data_input_stream_read_line_async(f->lines, G_PRIORITY_DEFAULT, NULL, on_line, f);
}

static void on_end(GObject *source, GAsyncResult *result, gpointer data)
{
    g_subprocess_wait_finish(G_SUBPROCESS(source), result, NULL);
    settle(data);
}

typedef struct {
    SfuFetcherCalls calls;
    GError *error;
} Refusal;

static gboolean refuse(gpointer data)
{
    Refusal *r = data;
    r->calls.ended(r->error, r->calls.data);
    g_error_free(r->error);
    g_free(r);
    return G_SOURCE_REMOVE;
}

/* NULL: it cannot be started; ended() comes all the same, later. */
static SfuFetcher *start(const char *verb, const char *name, const SfuFetcherCalls *calls)
{
    char *program = find_program();
    GError *error = NULL;
    const char *args[] = {program, verb, "--json", name, NULL};
    GSubprocessLauncher *launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    const char *locale = bindtextdomain(GETTEXT_PACKAGE, NULL); /* its sentences are shown here */
    if (locale)
        g_subprocess_launcher_setenv(launcher, "SFUMATO_LOCALE", locale, TRUE);
    GSubprocess *process = program ? g_subprocess_launcher_spawnv(launcher, args, &error) : NULL;
    g_object_unref(launcher);
    if (!program)
        g_set_error_literal(&error, SFU_ERROR, SFU_ERROR_FAILED,
                            _("sfumato-fetch, which downloads models, is not installed."));
    g_free(program);
    if (!process) {
        Refusal *r = g_new(Refusal, 1);
        *r = (Refusal){*calls, error};
        g_idle_add(refuse, r);
        return NULL;
    }
    SfuFetcher *f = g_new0(SfuFetcher, 1);
    f->process = process;
    f->lines = g_data_input_stream_new(g_subprocess_get_stdout_pipe(process));
    f->cancel = g_cancellable_new();
    f->calls = *calls;
    f->n_pending = 2;
    if (strcmp(verb, "list") == 0)
        f->offers = g_ptr_array_new_with_free_func(offer_free);
    g_data_input_stream_read_line_async(f->lines, G_PRIORITY_DEFAULT, NULL, on_line, f);
    g_subprocess_wait_async(process, NULL, on_end, f);
    return f;
}

SfuFetcher *sfu_fetcher_list(const SfuFetcherCalls *calls)
{
    return start("list", NULL, calls);
}

SfuFetcher *sfu_fetcher_get(const char *name, const SfuFetcherCalls *calls)
{
    return start("get", name, calls);
}

SfuFetcher *sfu_fetcher_remove(const char *name, const SfuFetcherCalls *calls)
{
    return start("remove", name, calls);
}

void sfu_fetcher_stop(SfuFetcher *f)
{
    f->stopped = TRUE;
    g_subprocess_send_signal(f->process, SIGTERM);
}

void sfu_fetcher_forget(SfuFetcher *f)
{
    if (!f)
        return;
    g_cancellable_cancel(f->cancel);
    sfu_fetcher_stop(f);
}
