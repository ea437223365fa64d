/* Tuning: what takes a trial to know about a device, and is remembered on disk: tuning.ini beside the programs, in a
 * folder for each device and driver. A key ends in a hash of the kernels' source, so a mended kernel is tried again.
 * Several processes share the file: it is read again under a lock and replaced by rename. A trial holds a lock of its
 * own, so that only one process at a time measures, and a trial that is under way is told from one that its process
 * died in. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/internal.h"
#include <string.h>

enum { FILE_WAIT_MS = 5000, TRIAL_WAIT_MS = 120000, NOTHING = -1 };

#define GROUP "tuning"
/* What a process leaves behind that ended in a trial. It may have been stopped by its user: so it takes two of them to
 * believe in a crash. */
static const char *const trying[] = {"trying", "trying again"};

/* ---- the file ---- */

static GKeyFile *load(SfuQueue *q)
{
    char *path = g_build_filename(sfu_cache_dir(q), "tuning.ini", NULL);
    GKeyFile *f = g_key_file_new();
    (void)g_key_file_load_from_file(f, path, G_KEY_FILE_NONE, NULL); /* absent or damaged: empty */
    g_free(path);
    return f;
}

/* value NULL: forgets the key. */
static void store(SfuQueue *q, const char *key, const char *value)
{
    const int lock = sfu_cache_lock(q, "tuning.lock", FILE_WAIT_MS,
                                    FALSE); /* without it an answer of another process may be lost, no more */
    char *path = g_build_filename(sfu_cache_dir(q), "tuning.ini", NULL);
    GKeyFile *f = load(q);
    if (value)
        g_key_file_set_string(f, GROUP, key, value);
    else
        (void)g_key_file_remove_key(f, GROUP, key, NULL);
    (void)g_key_file_save_to_file(f, path, NULL); /* writes by rename; a folder that cannot be written is no error */
    g_key_file_unref(f);
    g_free(path);
    sfu_cache_unlock(lock);
}

static int index_of(const char *const *list, int n, const char *value)
{
    for (int i = 0; value && i < n && list[i]; i++)
        if (strcmp(list[i], value) == 0)
            return i;
    return NOTHING;
}

/* The answer on disk, or NOTHING; *n_deaths: trials that were begun and not ended. */
static int stored(SfuQueue *q, const SfuQuestion *question, const char *key, int *n_deaths)
{
    GKeyFile *f = load(q);
    char *value = g_key_file_get_string(f, GROUP, key, NULL);
    const int answer = index_of(question->answers, G_MAXINT, value);
    *n_deaths = index_of(trying, G_N_ELEMENTS(trying), value) + 1;
    g_free(value);
    g_key_file_unref(f);
    return answer;
}

static char *key_of(const SfuQuestion *question)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    const char *common = sfu_kernel_source("common");
    g_checksum_update(sum, (const guchar *)common, (gssize)strlen(common) + 1);
    for (const char *const *p = question->programs; p && *p; p++) {
        const char *source = sfu_kernel_source(*p);
        g_checksum_update(sum, (const guchar *)(source ? source : ""), (gssize)(source ? strlen(source) : 0) + 1);
    }
    char *key = g_strdup_printf("%s %.20s", question->name, g_checksum_get_string(sum));
    g_checksum_free(sum);
    return g_strdelimit(key, "=[]", ':'); /* which stand for something in key files */
}

/* ---- questions ---- */

/* The trial lock is held. */
static int answer_by_trial(SfuQueue *q, const SfuQuestion *question, const char *key, SfuTrial trial,
                           gconstpointer data, GError **error)
{
    int n_deaths;
    int answer =
        stored(q, question, key, &n_deaths); /* another process may have answered while this one waited for the lock */
    if (answer != NOTHING)
        return answer;
    if (question->if_died >= 0 && n_deaths == G_N_ELEMENTS(trying))
        return question->if_died;
    if (question->if_died >= 0)
        store(q, key, trying[n_deaths]);
    answer = trial(q, data, error);
    if (answer >= 0 || question->if_died >= 0)
        store(q, key, answer >= 0 ? question->answers[answer] : NULL);
    return answer;
}

int sfu_tuning_ask(SfuQueue *q, const SfuQuestion *question, SfuTrial trial, gconstpointer data, GError **error)
{
    const gpointer here = g_hash_table_lookup(q->answers, question->name);
    if (here)
        return GPOINTER_TO_INT(here) - 1;
    int n_deaths;
    char *key = key_of(question);
    int answer = stored(q, question, key, &n_deaths);
    if (answer == NOTHING && q->rehearsing) { /* nothing is tried for it */
        g_free(key);
        return MAX(question->if_died, 0);
    }
    if (answer == NOTHING) {
        /* Without the lock (a process that hangs in its trial, a file system without locks) the trial is made all the
         * same. */
        const int lock = sfu_cache_lock(q, "trial.lock", TRIAL_WAIT_MS, TRUE);
        if (!sfu_queue_cancelled(q, error))
            answer = answer_by_trial(q, question, key, trial, data, error);
        sfu_cache_unlock(lock);
    }
    if (answer != NOTHING)
        g_hash_table_insert(q->answers, g_strdup(question->name), GINT_TO_POINTER(answer + 1));
    g_free(key);
    return answer;
}

int sfu_tuning_known(SfuQueue *q, const SfuQuestion *question)
{
    int n_deaths;
    char *key = key_of(question);
    const int answer = stored(q, question, key, &n_deaths);
    g_free(key);
    return answer;
}

void sfu_tuning_set(SfuQueue *q, const SfuQuestion *question, const char *value)
{
    char *key = key_of(question);
    store(q, key, value);
    g_hash_table_remove(q->answers, question->name);
    g_free(key);
}

/* ---- capabilities ---- */

typedef gboolean (*Test)(SfuQueue *q, GError **error);

static int capability_trial(SfuQueue *q, gconstpointer data, GError **error)
{
    const Test *test = data;
    GError *failed = NULL;
    if ((*test)(q, &failed))
        return 1;
    /* Neither says anything about the device. */
    if (g_error_matches(failed, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_CANCELLED) ||
        g_error_matches(failed, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_MEMORY)) {
        g_propagate_error(error, failed);
        return -1;
    }
    g_clear_error(&failed);
    return 0;
}

gboolean sfu_queue_capability(SfuQueue *q, const char *name, const char *const *programs,
                              gboolean (*test)(SfuQueue *q, GError **error))
{
    static const char *const answers[] = {"no", "yes", NULL};
    const SfuQuestion question = {.name = name, .programs = programs, .answers = answers, .if_died = 0};
    const Test data = test;
    return sfu_tuning_ask(q, &question, capability_trial, &data, NULL) == 1;
}
