/* The plug-in's worker thread and requests, without a GIMP: with the stand-in engine.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "job.h"
#include "request.h"
#include "settings.h"
#include "standin.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static SfuJob new_job(int steps)
{
    SfuParams *p = sfu_params_new();
    GeglBuffer *picture = gegl_buffer_new(GEGL_RECTANGLE(0, 0, 512, 384), babl_format("R'G'B' u8"));
    sfu_params_set_double(p, "steps", steps, NULL);
    return (SfuJob){.task = SFU_TASK_IMG2IMG, .params = p, .picture = picture};
}

static void job_free(SfuJob *job)
{
    sfu_params_free((SfuParams *)job->params);
    g_object_unref(job->picture);
}

static void not_done(GPtrArray *results, double seconds, const GError *e, gpointer data)
{
    g_test_message("done() was called after the worker was freed");
    g_test_fail();
}

static gsize resident_bytes(void)
{
    gsize size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%zu %zu", &size, &resident) != 2)
            resident = 0;
        fclose(f);
    }
    return resident * sysconf(_SC_PAGESIZE);
}

static void hundred_jobs_keep_memory_flat(void)
{
    SfuWorker *w = sfu_worker_new();
    SfuJob job = new_job(2);
    gsize after_ten = 0;
    for (int i = 0; i < 100; i++) {
        GError *error = NULL;
        GPtrArray *results = sfu_worker_run(w, &job, 1, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpint(results->len, ==, 1);
        g_ptr_array_unref(results);
        if (i == 9)
            after_ten = resident_bytes();
    }
    /* A result has 3 MiB: one that is not freed each time would show as 270. */
    g_assert_cmpuint(resident_bytes(), <, after_ten + ((gsize)30 << 20));
    job_free(&job);
    sfu_worker_free(w);
}

static gboolean cancel(gpointer data)
{
    sfu_worker_cancel(data);
    return G_SOURCE_REMOVE;
}

static void the_next_job_works_after_a_cancel(void)
{
    SfuWorker *w = sfu_worker_new();
    SfuJob job = new_job(1000);
    GError *error = NULL;
    g_setenv("SFU_STANDIN_STEP_MS", "20", TRUE);
    g_timeout_add(100, cancel, w);
    const gint64 start = g_get_monotonic_time();
    g_assert_null(sfu_worker_run(w, &job, 1, NULL, &error));
    g_assert_error(error, SFU_ERROR, SFU_ERROR_CANCELLED);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 10 * G_USEC_PER_SEC); /* 20 s without the cancel */
    g_clear_error(&error);
    g_setenv("SFU_STANDIN_STEP_MS", "0", TRUE);
    GPtrArray *results = sfu_worker_run(w, &job, 1, NULL, &error);
    g_assert_no_error(error);
    g_ptr_array_unref(results);
    job_free(&job);
    sfu_worker_free(w);
}

static void a_running_worker_can_be_freed(void)
{
    SfuJob job = new_job(1000);
    g_setenv("SFU_STANDIN_STEP_MS", "20", TRUE);
    for (int i = 0; i < 5; i++) {
        SfuWorker *w = sfu_worker_new();
        const SfuJobCalls calls = {.done = not_done};
        sfu_worker_start(w, &job, 1, &calls);
        g_usleep(i * 15000);
        sfu_worker_free(w);
    }
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_setenv("SFU_STANDIN_STEP_MS", "0", TRUE);
    job_free(&job);
}

/* A worker that gets ready is not busy, and a job or the end of the worker does not wait long for it. */
static void getting_ready_is_not_a_job(void)
{
    SfuWorker *w = sfu_worker_new();
    SfuJob job = new_job(2);
    GError *error = NULL;
    g_setenv("SFU_STANDIN_STEP_MS", "20", TRUE);
    g_atomic_int_set(&standin_n_prepared, 0);
    for (int i = 0; i < 3; i++) { /* the last one of those that wait counts */
        sfu_worker_prepare(w, &job);
        g_assert_false(sfu_worker_busy(w));
    }
    for (int i = 0; i < 500 && !g_atomic_int_get(&standin_n_prepared); i++)
        g_usleep(10000);
    g_assert_cmpint(g_atomic_int_get(&standin_n_prepared), >, 0);
    sfu_worker_prepare(w, &job);
    GPtrArray *results = sfu_worker_run(w, &job, 1, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(results->len, ==, 1);
    g_assert_cmpint(g_atomic_int_get(&standin_n_prepared), <=, 4);
    g_ptr_array_unref(results);
    const int n = g_atomic_int_get(&standin_n_prepared);
    const SfuJobCalls calls = {.done = not_done};
    sfu_worker_start(w, &job, 1, &calls);
    sfu_worker_prepare(w, &job); /* while a job runs, nothing */
    sfu_worker_free(w);
    g_assert_cmpint(g_atomic_int_get(&standin_n_prepared), ==, n);
    w = sfu_worker_new();
    sfu_worker_prepare(w, &job);
    sfu_worker_free(w);
    g_setenv("SFU_STANDIN_STEP_MS", "0", TRUE);
    job_free(&job);
}

typedef struct {
    double last;
    int n_progress, n_previews;
} Seen;

static void see_progress(const SfuProgress *p, gpointer data)
{
    Seen *seen = data;
    g_assert_cmpfloat(p->fraction, >=, seen->last);
    seen->last = p->fraction;
    seen->n_progress++;
    char *text = sfu_progress_text(p);
    g_assert_nonnull(strstr(text, "Denoising"));
    g_free(text);
}

static void progress_arrives_in_the_main_thread(void)
{
    SfuWorker *w = sfu_worker_new();
    SfuJob job = new_job(5);
    Seen seen = {0};
    const SfuJobCalls calls = {.progress = see_progress, .data = &seen};
    g_setenv("SFU_STANDIN_STEP_MS", "30", TRUE);
    GError *error = NULL;
    GPtrArray *results = sfu_worker_run(w, &job, 1, &calls, &error);
    g_assert_no_error(error);
    g_assert_cmpint(seen.n_progress, >, 0);
    g_assert_cmpint(seen.n_progress, <=, 5);
    g_ptr_array_unref(results);
    g_setenv("SFU_STANDIN_STEP_MS", "0", TRUE);
    job_free(&job);
    sfu_worker_free(w);
}

static void several_jobs_are_one_run(void)
{
    SfuWorker *w = sfu_worker_new();
    SfuJob jobs[3] = {new_job(4), new_job(4), new_job(4)};
    Seen seen = {0};
    const SfuJobCalls calls = {.progress = see_progress, .data = &seen};
    g_setenv("SFU_STANDIN_STEP_MS", "30", TRUE);
    GError *error = NULL;
    GPtrArray *results = sfu_worker_run(w, jobs, 3, &calls, &error);
    g_assert_no_error(error);
    g_assert_cmpint(results->len, ==, 3);
    g_assert_cmpfloat(seen.last, >, 2.0 / 3); /* over all of them, and see_progress() watches that it never falls */
    g_ptr_array_unref(results);
    g_setenv("SFU_STANDIN_STEP_MS", "0", TRUE);
    for (int i = 0; i < 3; i++)
        job_free(&jobs[i]);
    sfu_worker_free(w);
}

/* GIMP 2.10's scripts give these by their places, so no list may ever change. */
static void positions_never_change(void)
{
    static const char *const places[SFU_N_ACTIONS] = {
        "prompt negative style model strength steps guidance seed count sample_merged layer_mask",
        "model steps seed sample_merged layer_mask",
        "prompt negative style model strength steps guidance seed count left right top bottom sample_merged",
        "prompt negative style model strength steps guidance seed count sample_merged layer_mask",
        "prompt negative style model steps guidance seed count width height new_image",
        "prompt negative style model strength steps guidance seed scale sample_merged new_image",
        "prompt negative style model strength steps guidance seed count sample_merged layer_mask",
        "prompt negative style model steps guidance image_guidance seed count sample_merged",
        "prompt negative style model steps guidance seed count width height new_image",
        "model sample_merged",
    };
    for (int a = 0; a < SFU_N_ACTIONS; a++) {
        const SfuParamSpec *const *rows = sfu_action_specs(a);
        GString *names = g_string_new(NULL);
        for (int i = 0; rows[i]; i++)
            if (sfu_spec_has_position(rows[i]))
                g_string_append_printf(names, "%s%s", names->len ? " " : "", rows[i]->name);
        g_assert_cmpstr(names->str, ==, places[a]);
        g_string_free(names, TRUE);
    }
}

static void requests_survive_json(void)
{
    for (int a = 0; a < SFU_ACTION_RESTORE; a++) { /* which has no such rows */
        SfuRequest *r = sfu_request_new(a);
        GError *error = NULL;
        sfu_request_set_double(r, "seed", 123456789012345.0, &error);
        g_assert_no_error(error);
        g_assert_true(sfu_request_set_options(
            r, sfu_action_spec(a, "sample_merged") ? "steps=9 sample-merged" : "steps=9", &error));
        if (sfu_action_spec(a, "prompt"))
            g_assert_true(sfu_request_set(r, "prompt", "a \"red\" door\nÄpfel", &error));
        char *json = sfu_request_to_json(r, 7);
        guint source = 0;
        SfuRequest *back = sfu_request_from_json(json, &source, &error);
        g_assert_no_error(error);
        char *again = sfu_request_to_json(back, source);
        g_assert_cmpstr(json, ==, again);
        g_assert_cmpuint(source, ==, 7);
        g_assert_cmpfloat(sfu_request_get_double(back, "seed"), ==, 123456789012345.0);
        g_assert_cmpfloat(sfu_request_get_double(back, "steps"), ==, 9);
        g_free(json);
        g_free(again);
        sfu_request_free(r);
        sfu_request_free(back);
    }
    const char *const bad[] = {"",
                               "{",
                               "[]",
                               "{\"action\": \"fill\"}",
                               "{\"action\": \"fly\", \"params\": {}}",
                               "{\"action\": \"fill\", \"params\": {\"seed\": \"x\"}}",
                               "{\"action\": 5, \"params\": {}}"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;
        g_assert_null(sfu_request_from_json(bad[i], NULL, &error));
        g_assert_nonnull(error);
        g_error_free(error);
    }
}

/* "Not given" leaves a value to the model; the same value given by hand holds. */
static void given_is_not_the_default(void)
{
    SfuRequest *r = sfu_request_new(SFU_ACTION_ENLARGE);
    GError *error = NULL;
    g_assert_false(sfu_request_given(r, "scale"));
    g_assert_true(sfu_request_set_argument(r, "scale", 2, &error)); /* the table's default */
    g_assert_true(sfu_request_given(r, "scale"));
    g_assert_true(sfu_request_set_argument(r, "scale", SFU_NOT_GIVEN, &error));
    g_assert_false(sfu_request_given(r, "scale"));
    g_assert_true(sfu_request_set_text_argument(r, "sampler", "dpmpp_2m", &error));
    g_assert_true(sfu_request_given(r, "sampler"));
    g_assert_true(sfu_request_set_text_argument(r, "sampler", "", &error));
    g_assert_false(sfu_request_given(r, "sampler"));
    g_assert_true(sfu_request_set_argument(r, "whole_image", 1, &error));
    g_assert_true(sfu_request_set_argument(r, "whole_image", SFU_NOT_GIVEN, &error));
    g_assert_false(r->whole_image);
    g_assert_true(sfu_request_set_argument(r, "strength", SFU_NOT_GIVEN, &error)); /* the task's default */
    g_assert_cmpfloat(sfu_request_get_double(r, "strength"), ==, 0.35);
    g_assert_false(sfu_request_given(r, "strength"));
    g_assert_false(sfu_request_set_argument(r, "scale", -2, NULL));
    g_assert_false(sfu_request_set(r, "whole_image", "10x", NULL));
    g_assert_false(sfu_request_set(r, "whole_image", "", NULL));
    g_assert_false(sfu_request_set_argument(r, "seed", 0x1p60, NULL)); /* not exact */
    g_assert_true(sfu_request_set_options(r, "seed=6687881544318117707", &error));
    g_assert_cmpint(sfu_params_int64(r->params, SFU_PARAM_SEED), ==, 6687881544318117707);
    g_assert_no_error(error);
    sfu_request_free(r);
    /* What nobody gave is given only where the action wants something else than the engine: a model that has no use for
     * it would say so. */
    for (int a = 0; a < SFU_N_ACTIONS; a++) {
        const gboolean own = a == SFU_ACTION_REFINE || a == SFU_ACTION_RESTYLE;
        r = sfu_request_new(a);
        g_assert_true(sfu_params_is_set(r->params, "strength") == own);
        g_assert_true(!own ||
                      sfu_request_set_argument(r, "strength", SFU_NOT_GIVEN, &error)); /* the action's own stays */
        g_assert_true(sfu_params_is_set(r->params, "strength") == own);
        sfu_request_free(r);
    }
    /* What says "not given" in the PDB says nothing else in any row. */
    for (int a = 0; a < SFU_N_ACTIONS; a++) {
        const SfuParamSpec *const *rows = sfu_action_specs(a);
        for (int i = 0; rows[i]; i++) {
            const SfuParamSpec *s = rows[i];
            if (s->type == SFU_PARAM_INT || s->type == SFU_PARAM_FLOAT)
                g_assert_true(s->min > SFU_NOT_GIVEN ||
                              (s->min == SFU_NOT_GIVEN && sfu_action_default(a, s) == SFU_NOT_GIVEN));
            for (int k = 0; s->choices && s->choices[k]; k++)
                g_assert_cmpstr(s->choices[k], !=, SFU_NOT_GIVEN_WORD);
        }
    }
}

static void remove_settings(char *folder)
{
    static const char *const names[] = {"sfumato.ini", "sfumato.ini.lock"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        char *file = g_build_filename(folder, names[i], NULL);
        g_assert_cmpint(unlink(file), ==, 0);
        g_free(file);
    }
    g_assert_cmpint(rmdir(folder), ==, 0);
    g_free(folder);
}

static void settings_survive(void)
{
    char *folder = g_dir_make_tmp("sfumato-settings-XXXXXX", NULL);
    SfuSettings *s = sfu_settings_load(folder), *other = sfu_settings_load(folder);
    const char *const folders[] = {"/models/a b", "/models/c;d", NULL};
    GError *error = NULL;
    sfu_settings_set_folders(s, folders);
    sfu_settings_set(s, "memory-mib", "2048");
    sfu_settings_set(s, "device", "pocl");
    g_assert_true(sfu_settings_save(s, &error));
    g_assert_no_error(error);
    SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
    sfu_request_set(r, "prompt", "a red door", NULL);
    sfu_settings_remember(other, r, NULL, 0); /* another GIMP, started before: keeps what was saved meanwhile */
    sfu_request_set(r, "prompt", "a green door", NULL);
    sfu_settings_remember(other, r, NULL, 0);
    sfu_settings_set(s, "precision",
                     "fp32"); /* this one has read before that: saving keeps the other's history and last values */
    g_assert_true(sfu_settings_save(s, &error));
    sfu_settings_free(s);
    sfu_settings_free(other);

    s = sfu_settings_load(folder);
    char **back = sfu_settings_folders(s), **history = sfu_settings_history(s, "prompt");
    g_assert_cmpstrv(back, folders);
    g_assert_cmpstr(history[0], ==, "a green door");
    g_assert_cmpstr(history[1], ==, "a red door");
    g_assert_cmpuint(sfu_settings_memory_bytes(s), ==, G_GUINT64_CONSTANT(2048) << 20);
    g_assert_cmpstr(sfu_settings_engine(s).device, ==, "pocl");
    g_assert_cmpstr(sfu_settings_engine(s).precision, ==, "fp32");
    g_assert_cmpstr(sfu_settings_last_action(s), ==, "fill");
    SfuRequest *last = sfu_settings_last(s, SFU_ACTION_FILL);
    g_assert_cmpstr(sfu_request_get_string(last, "prompt"), ==, "a green door");
    sfu_request_free(last);
    sfu_request_free(r);
    g_strfreev(back);
    g_strfreev(history);
    sfu_settings_free(s);
    remove_settings(folder);
}

typedef struct {
    const char *folder;
    int who;
} Writer;

static gpointer remember_twenty(gpointer data)
{
    const Writer *w = data;
    SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
    for (int i = 0; i < 20; i++) {
        SfuSettings *s = sfu_settings_load(w->folder);
        char *prompt = g_strdup_printf("%d of %d", i, w->who);
        sfu_request_set(r, "prompt", prompt, NULL);
        sfu_settings_remember(s, r, NULL, 0);
        sfu_settings_free(s);
        g_free(prompt);
    }
    sfu_request_free(r);
    return NULL;
}

static void settings_lose_nothing(void)
{
    char *folder = g_dir_make_tmp("sfumato-settings-XXXXXX", NULL);
    Writer writers[] = {{folder, 1}, {folder, 2}};
    GThread *threads[2];
    for (int i = 0; i < 2; i++)
        threads[i] = g_thread_new("writer", remember_twenty, &writers[i]);
    for (int i = 0; i < 2; i++)
        g_thread_join(threads[i]);
    SfuSettings *s = sfu_settings_load(folder);
    char **history = sfu_settings_history(s, "prompt");
    g_assert_cmpuint(g_strv_length(history), ==, 40);
    for (int i = 0; i < 20; i++) {
        for (int who = 1; who <= 2; who++) {
            char *prompt = g_strdup_printf("%d of %d", i, who);
            g_assert_true(g_strv_contains((const char *const *)history, prompt));
            g_free(prompt);
        }
    }
    g_strfreev(history);
    sfu_settings_free(s);
    remove_settings(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gegl_init(NULL, NULL);
    g_test_add_func("/worker/hundred jobs keep memory flat", hundred_jobs_keep_memory_flat);
    g_test_add_func("/worker/the next job works after a cancel", the_next_job_works_after_a_cancel);
    g_test_add_func("/worker/a running worker can be freed", a_running_worker_can_be_freed);
    g_test_add_func("/worker/getting-ready-is-not-a-job", getting_ready_is_not_a_job);
    g_test_add_func("/worker/progress arrives in the main thread and never falls", progress_arrives_in_the_main_thread);
    g_test_add_func("/worker/several jobs are one run", several_jobs_are_one_run);
    g_test_add_func("/request/survives json", requests_survive_json);
    g_test_add_func("/request/places of arguments never change", positions_never_change);
    g_test_add_func("/request/given is not the default", given_is_not_the_default);
    g_test_add_func("/settings/survive, also another GIMP", settings_survive);
    g_test_add_func("/settings/two writers at once lose nothing", settings_lose_nothing);
    return g_test_run();
}
