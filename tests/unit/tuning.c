/* What is remembered about devices: answers on disk, several processes, self-tests of matrix units, and places that
 * cannot be written. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/ops.h"
#include "../tree.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>

static char *scratch; /* removed at the end */
static const char *const norm[] = {"norm", NULL}, *const move[] = {"move", NULL},
                         *const sizes[] = {"small", "large", NULL};

static void new_cache(void)
{
    static int n;
    char *path = g_strdup_printf("%s/cache%d", scratch, n++);
    g_setenv("SFUMATO_CACHE", path, TRUE);
    g_free(path);
}

/* NULL after skipping the test where there is no device. */
static SfuQueue *open_queue(const SfuQueueOptions *o)
{
    GError *error = NULL;
    SfuQueue *q = sfu_queue_create(o, &error);
    if (g_error_matches(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_LOADER) ||
        g_error_matches(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_NO_DEVICE))
        g_test_skip(error->message);
    else
        g_assert_no_error(error);
    g_clear_error(&error);
    return q;
}

static SfuQueue *reopen(SfuQueue *q)
{
    sfu_queue_destroy(q);
    return open_queue(NULL);
}

/* ---- answers ---- */

static int n_asked, next_answer;

static int trial(SfuQueue *q, gconstpointer data, GError **error)
{
    n_asked++;
    if (next_answer < 0)
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_CANCELLED, "cancelled");
    return next_answer;
}

static void test_remembered(void)
{
    new_cache();
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    SfuQuestion question = {.name = "a;b=c [d]", .programs = norm, .answers = sizes, .if_died = -1};
    GError *error = NULL;
    n_asked = 0;
    next_answer = -1;
    g_assert_cmpint(sfu_tuning_ask(q, &question, trial, NULL, &error), ==, -1); /* cannot tell: open */
    g_assert_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_CANCELLED);
    g_clear_error(&error);
    g_assert_cmpint(sfu_tuning_known(q, &question), ==, -1);
    next_answer = 1;
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(sfu_tuning_ask(q, &question, trial, NULL, NULL), ==, 1);
    g_assert_cmpint(n_asked, ==, 2);
    q = reopen(q);
    g_assert_cmpint(sfu_tuning_ask(q, &question, trial, NULL, NULL), ==, 1); /* from disk */
    g_assert_cmpint(n_asked, ==, 2);
    q = reopen(q);
    question.programs = move; /* another source: not answered yet */
    next_answer = 0;
    g_assert_cmpint(sfu_tuning_ask(q, &question, trial, NULL, NULL), ==, 0);
    g_assert_cmpint(n_asked, ==, 3);
    sfu_queue_destroy(q);
}

/* A damaged entry is tried again and mended, not obeyed. */
static void test_damaged(void)
{
    static const char *const damaged[] = {"", "2", "smal", "small ", "Large", "16000000000000000000"};
    const SfuQuestion question = {.name = "size", .programs = norm, .answers = sizes, .if_died = 0};
    new_cache();
    SfuQueue *q = open_queue(NULL);
    next_answer = 1;
    for (guint i = 0; q && i < G_N_ELEMENTS(damaged); i++) {
        sfu_tuning_set(q, &question, damaged[i]);
        g_assert_cmpint(sfu_tuning_known(q, &question), ==, -1);
        n_asked = 0;
        g_assert_cmpint(sfu_tuning_ask(q, &question, trial, NULL, NULL), ==, 1);
        g_assert_cmpint(n_asked, ==, 1);
        g_assert_cmpint(sfu_tuning_known(q, &question), ==, 1);
    }
    sfu_queue_destroy(q);
}

/* ---- capabilities ---- */

static int fails_with; /* an SfuRuntimeError; -1: a wrong result; -2: works */

static gboolean capability(SfuQueue *q, GError **error)
{
    n_asked++;
    if (fails_with >= 0)
        g_set_error(error, SFU_RUNTIME_ERROR, fails_with, "the self-test failed");
    return fails_with == -2;
}

static void test_capability(void)
{
    static const struct {
        int fails_with;
        gboolean works, remembered;
    } k[] = {{-2, TRUE, TRUE},
             {-1, FALSE, TRUE},
             {SFU_RUNTIME_ERROR_BUILD, FALSE, TRUE},
             {SFU_RUNTIME_ERROR_FAILED, FALSE, TRUE},
             {SFU_RUNTIME_ERROR_CANCELLED, FALSE, FALSE},
             {SFU_RUNTIME_ERROR_MEMORY, FALSE, FALSE}};
    new_cache();
    SfuQueue *q = open_queue(NULL);
    for (guint i = 0; q && i < G_N_ELEMENTS(k); i++) {
        char name[16];
        g_snprintf(name, sizeof name, "can %u", i);
        n_asked = 0;
        fails_with = k[i].fails_with;
        g_assert_cmpint(sfu_queue_capability(q, name, norm, capability), ==, k[i].works);
        g_assert_cmpint(sfu_queue_capability(q, name, norm, capability), ==, k[i].works);
        q = reopen(q);
        g_assert_cmpint(sfu_queue_capability(q, name, norm, capability), ==, k[i].works);
        g_assert_cmpint(n_asked, ==, k[i].remembered ? 1 : 3);
        fails_with = -2; /* a mended driver answers a question that was left open */
        g_assert_cmpint(sfu_queue_capability(q, name, norm, capability), ==, k[i].works || !k[i].remembered);
    }
    sfu_queue_destroy(q);
}

/* One process that ended in a self-test may have been stopped by its user; two make a no. */
static void test_died(void)
{
    static const char *const answers[] = {"no", "yes", NULL};
    const SfuQuestion question = {.name = "crashes", .programs = norm, .answers = answers, .if_died = 0};
    new_cache();
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    fails_with = -2;
    sfu_tuning_set(q, &question, "trying");
    g_assert_true(sfu_queue_capability(q, "crashes", norm, capability));
    sfu_tuning_set(q, &question, "trying again");
    g_assert_false(sfu_queue_capability(q, "crashes", norm, capability));
    q = reopen(q);
    g_assert_false(sfu_queue_capability(q, "crashes", norm, capability));
    sfu_queue_destroy(q);
}

/* ---- several processes ---- */

enum { PROCESSES = 4, QUESTIONS = 12 };

/* Leaves a line in a file: one for each trial. */
static int slow_trial(SfuQueue *q, gconstpointer data, GError **error)
{
    FILE *f = g_fopen(data, "a");
    fputs("asked\n", f);
    fclose(f);
    g_usleep(300000);
    return 1;
}

static void process(void)
{
    SfuQueue *q = open_queue(NULL);
    const SfuQuestion shared = {.name = "shared", .programs = norm, .answers = sizes, .if_died = 0};
    g_assert_cmpint(sfu_tuning_ask(q, &shared, slow_trial, g_getenv("ASKED"), NULL), ==,
                    1); /* not what another's marker says */
    for (int i = 0; i < QUESTIONS; i++) {
        char name[32];
        g_snprintf(name, sizeof name, "own %s %d", g_getenv("PROCESS"), i);
        const SfuQuestion own = {.name = name, .programs = norm, .answers = sizes, .if_died = 0};
        next_answer = i % 2;
        g_assert_cmpint(sfu_tuning_ask(q, &own, trial, NULL, NULL), ==, i % 2);
    }
    sfu_queue_destroy(q);
}

static char *program;

static void test_processes(void)
{
    new_cache();
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return;
    char *asked = g_build_filename(scratch, "asked", NULL), *text = NULL;
    GPid pids[PROCESSES];
    g_setenv("ASKED", asked, TRUE);
    for (int p = 0; p < PROCESSES; p++) {
        const char *argv[] = {program, "-q", "-p", "/tuning/processes/subprocess/one", NULL};
        char number[8];
        GError *error = NULL;
        g_snprintf(number, sizeof number, "%d", p);
        g_setenv("PROCESS", number, TRUE);
        g_spawn_async(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                      &pids[p], &error);
        g_assert_no_error(error);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status = -1;
        g_assert_cmpint(waitpid(pids[p], &status, 0), ==, pids[p]);
        g_assert_cmpint(status, ==, 0);
    }
    g_assert_true(g_file_get_contents(asked, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "asked\n"); /* by one process; the others waited */
    for (int p = 0; p < PROCESSES; p++)
        for (int i = 0; i < QUESTIONS; i++) {
            char name[32];
            g_snprintf(name, sizeof name, "own %d %d", p, i);
            const SfuQuestion own = {.name = name, .programs = norm, .answers = sizes, .if_died = 0};
            g_assert_cmpint(sfu_tuning_known(q, &own), ==, i % 2);
        }
    sfu_queue_destroy(q);
    g_free(asked);
    g_free(text);
}

/* ---- the self-test of matrix units, emulated ---- */

static const SfuQueueOptions unit = {.kernels = SFU_KERNELS_GPU,
                                     .precision = SFU_PRECISION_FP16,
                                     .emulated = SFU_MATRIX_INTEL8,
                                     .self_test = TRUE,
                                     .matrix_tile = 3,
                                     .profile = TRUE};

enum { ROWS = 20, N = 64 };

/* y = x . W^T + bias of ones and thousands; TRUE if every value is right. */
static gboolean product_of_ones(SfuQueue *q, SfuWeight *w, SfuWeight *bias, GError **error)
{
    float v[ROWS * N];
    for (int i = 0; i < ROWS * N; i++)
        v[i] = 1;
    SfuTensor *x = sfu_tensor_create(q, SFU_F16, 1, 1, ROWS, N, error),
              *y = x ? sfu_tensor_create(q, SFU_F16, 1, 1, ROWS, N, error) : NULL;
    const SfuEpilogue e = {.bias = bias};
    gboolean ok =
        y && sfu_tensor_write(x, v, error) && sfu_linear(q, y, x, w, &e, error) && sfu_tensor_read(y, v, error);
    for (int i = 0; ok && i < ROWS * N; i++)
        ok = v[i] == N + 1000;
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    return ok;
}

static SfuWeight *filled(int d0, int d1, float value)
{
    const gint64 dims[] = {d0, d1};
    const int n = d0 * MAX(d1, 1);
    float *v = g_new(float, n);
    for (int i = 0; i < n; i++)
        v[i] = value;
    return sfu_weight_new_take("filled", SFU_F32, d1 ? 2 : 1, dims, v, sizeof *v * (gsize)n);
}

static int calls(SfuQueue *q, const char *kernel)
{
    char *table = sfu_queue_profile(q);
    const char *row = strstr(table, kernel);
    const int n = row ? (int)g_ascii_strtoll(row + strlen(kernel), NULL, 10) : 0;
    g_free(table);
    return n;
}

static int cancelled;
static void stop(const char *name, gpointer data)
{
    g_atomic_int_set(&cancelled, 1);
}

/* Stop during the first compile: the matrix units are tried again, and used. */
static void test_stop(void)
{
    new_cache();
    SfuQueue *q = open_queue(&unit);
    if (!q)
        return;
    SfuWeight *w = filled(N, N, 1), *bias = filled(N, 0, 1000);
    GError *error = NULL;
    sfu_queue_set_cancel(q, &cancelled);
    sfu_queue_set_build_notify(q, stop, NULL);
    g_assert_false(product_of_ones(q, w, bias, &error));
    g_assert_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_CANCELLED);
    g_clear_error(&error);
    sfu_queue_set_build_notify(q, NULL, NULL);
    g_atomic_int_set(&cancelled, 0);
    g_assert_true(product_of_ones(q, w, bias, &error));
    g_assert_no_error(error);
    g_assert_cmpint(calls(q, "conv_mma"), >=, 2); /* in the self-test, and for the product */
    g_assert_cmpint(calls(q, "conv_gpu"), ==, 0);
    sfu_queue_destroy(q);
    sfu_weight_destroy(w);
    sfu_weight_destroy(bias);
}

/* The self-test makes room for itself: what the product has on the device by then must not be lost. */
static void test_tight(void)
{
    SfuQueueOptions o = unit;
    new_cache();
    SfuQueue *q = open_queue(&o);
    if (!q)
        return;
    SfuWeight *w = filled(N, N, 1), *bias = filled(N, 0, 1000);
    GError *error = NULL;
    g_assert_true(product_of_ones(q, w, bias, &error));
    g_assert_no_error(error);
    o.memory_bytes = sfu_queue_peak_bytes(q); /* just enough for both */
    sfu_queue_destroy(q);
    new_cache();
    for (int i = 0; i < 8; i++) { /* less and less room, until the product itself finds none */
        q = open_queue(&o);
        const gboolean ok = product_of_ones(q, w, bias, &error);
        g_assert_true(ok || error);
        if (!ok)
            g_assert_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_MEMORY);
        g_clear_error(&error);
        sfu_queue_destroy(q);
        o.memory_bytes -= o.memory_bytes / 6;
    }
    sfu_weight_destroy(w);
    sfu_weight_destroy(bias);
}

/* ---- places that cannot be written ---- */

static void count_builds(const char *name, gpointer data)
{
    ++*(int *)data;
}

static int builds(void)
{
    int n = 0;
    GError *error = NULL;
    SfuQueue *q = open_queue(NULL);
    if (!q)
        return -1;
    sfu_queue_set_build_notify(q, count_builds, &n);
    SfuTensor *x = sfu_tensor_create(q, SFU_F32, 1, 1, 1, 3, NULL);
    const float v[3] = {-1, 0.5f, 2};
    g_assert_true(sfu_tensor_write(x, v, NULL));
    g_assert_true(sfu_unary(q, x, x, SFU_ACT_RELU, 0, &error));
    g_assert_no_error(error);
    sfu_tensor_destroy(x);
    sfu_queue_destroy(q);
    return n;
}

/* Neither our folder nor PoCL's can be made (/proc takes no folder, not even from root): a temporary one is used, and
 * kept for the next run. */
static void test_unwritable(void)
{
    if (g_test_subprocess()) {
        char *said = sfu_cache_warning();
        g_assert_nonnull(strstr(said, "/proc/no/cache"));
        g_assert_nonnull(strstr(said, g_get_tmp_dir()));
        g_free(said);
        g_assert_cmpint(builds(), ==, 1);
        g_assert_cmpint(builds(), ==, 0);
        return;
    }
    new_cache();
    g_assert_null(sfu_cache_warning());
    if (builds() < 0)
        return;
    char *tmp = g_build_filename(scratch, "tmp", NULL);
    g_mkdir(tmp, 0700);
    const char *const changed[][2] = {
        {"SFUMATO_CACHE", "/proc/no/cache"}, {"POCL_CACHE_DIR", "/proc/no/pocl"}, {"TMPDIR", tmp}};
    char *before[G_N_ELEMENTS(changed)];
    for (guint i = 0; i < G_N_ELEMENTS(changed); i++) {
        before[i] = g_strdup(g_getenv(changed[i][0]));
        g_setenv(changed[i][0], changed[i][1], TRUE);
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_passed();
    for (guint i = 0; i < G_N_ELEMENTS(changed); i++) {
        if (before[i])
            g_setenv(changed[i][0], before[i], TRUE);
        else
            g_unsetenv(changed[i][0]);
        g_free(before[i]);
    }
    g_free(tmp);
}

int main(int argc, char **argv)
{
    program = argv[0];
    g_test_init(&argc, &argv, NULL);
    if (!g_test_subprocess() && !g_getenv("PROCESS"))
        scratch = g_dir_make_tmp("sfumato-tuning-XXXXXX", NULL);
    g_test_add_func("/tuning/remembered", test_remembered);
    g_test_add_func("/tuning/damaged", test_damaged);
    g_test_add_func("/tuning/capability", test_capability);
    g_test_add_func("/tuning/died", test_died);
    g_test_add_func("/tuning/processes", test_processes);
    g_test_add_func("/tuning/processes/subprocess/one", process);
    g_test_add_func("/tuning/stop-in-the-first-compile", test_stop);
    g_test_add_func("/tuning/self-test-in-a-tight-budget", test_tight);
    g_test_add_func("/tuning/unwritable", test_unwritable);
    const int r = g_test_run();
    if (scratch)
        remove_tree(scratch);
    g_free(scratch);
    return r;
}
