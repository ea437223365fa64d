/* `sfumato batch`: many jobs from a file of JSON lines, with the model loaded once.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#define MAX_JOBS_BYTES ((guint64)1 << 30)

/* Takes a member that is not a parameter out of the object; *text (NULL if it is missing or null) is the caller's.
 * FALSE with error if it is not text: a mask that was meant and is not read would let the whole picture change. */
static gboolean take_text(JsonObject *job, const char *name, char **text, GError **error)
{
    JsonNode *n = json_object_get_member(job, name);
    const gboolean is_text = n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING;
    *text = is_text ? g_strdup(json_node_get_string(n)) : NULL;
    if (n && !is_text && !JSON_NODE_HOLDS_NULL(n)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "\"%s\" must be a text in quotes", name);
        return FALSE;
    }
    json_object_remove_member(job, name);
    return TRUE;
}

/* A line of common values may hold some for other tasks; that they do nothing here is said. */
static void note_unused(JsonObject *job, SfuTask task, const char *out)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;
    json_object_iter_init(&iter, job);
    while (json_object_iter_next(&iter, &name, &node)) {
        const SfuParamSpec *s = sfu_param_find(name);
        if (s && !(s->tasks & 1u << task))
            sfu_cli_note("%s: \"%s\" does not apply to %s and is not used", out, name, sfu_task_name(task));
    }
}

/* One line: {"task": "inpaint", "in": FILE, "mask": FILE, "exclude": FILE, "out": FILE, any parameter: value}. */
typedef struct {
    SfuTask task;
    char *in, *out, *mask, *exclude; /* NULL: none */
    JsonNode *node;                  /* the parameters are left in it */
    SfuParams *params;
} Job;

static void job_clear(Job *j)
{
    char *texts[] = {j->in, j->out, j->mask, j->exclude};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    sfu_params_free(j->params);
    if (j->node)
        json_node_unref(j->node);
}

/* `o` gives the defaults. Clear *j, after an error too. */
static gboolean job_read(Job *j, const SfuCliOptions *o, const char *line, GError **error)
{
    char *task = NULL;
    *j = (Job){.node = sfu_json_read(line, "The job", error), .params = sfu_params_copy(o->params)};
    JsonObject *object = j->node ? json_node_get_object(j->node) : NULL;
    if (!object || !take_text(object, "task", &task, error) || !take_text(object, "in", &j->in, error) ||
        !take_text(object, "out", &j->out, error) || !take_text(object, "mask", &j->mask, error) ||
        !take_text(object, "exclude", &j->exclude, error)) {
        g_free(task);
        return FALSE;
    }
    while (j->task < SFU_N_TASKS && g_strcmp0(task, sfu_task_name(j->task)) != 0)
        j->task++;
    g_free(task);
    if (j->task == SFU_N_TASKS || !j->out || (!j->in && j->task != SFU_TASK_TXT2IMG)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    "a job needs \"task\" (txt2img ... upscale), \"out\" and, but for txt2img, \"in\"");
        return FALSE;
    }
    return sfu_params_from_object(j->params, object, error);
}

typedef enum { FAILED, DONE, THERE, TAKEN } Outcome;

static Outcome run_line(SfuEngine *e, const SfuCliOptions *o, const char *line, GError **error)
{
    Job job;
    SfuCliOptions own = *o;
    SfuClaim *claim = NULL;
    gboolean taken;
    Outcome outcome = FAILED;
    if (!job_read(&job, o, line, error))
        goto out;
    if (o->claim && !(claim = sfu_cli_claim(job.out, &taken, error))) {
        outcome = taken ? TAKEN : FAILED;
        goto out;
    }
    if (!o->force && job.in && sfu_cli_is_same_file(job.in, job.out)) { /* it would count as done */
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s is the picture itself, which only --force replaces",
                    job.out);
        goto out;
    }
    if (!o->force && sfu_cli_is_done(job.task, job.params, job.out)) {
        outcome = THERE;
        goto out;
    }
    note_unused(json_node_get_object(job.node), job.task, job.out);
    own.params = job.params;
    own.mask = job.mask ? job.mask : o->mask;
    own.exclude = job.exclude ? job.exclude : o->exclude;
    outcome = sfu_cli_run(e, job.task, &own, job.in, job.out, error) ? DONE : FAILED;
out:
    sfu_cli_claim_end(claim);
    job_clear(&job);
    return outcome;
}

static gboolean parse_shard(const char *text, int *i, int *n, GError **error)
{
    char extra;
    *i = *n = 1;
    if (!text || (sscanf(text, "%d/%d%c", i, n, &extra) == 2 && *n >= 1 && *i >= 1 && *i <= *n))
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "--shard is I/N with I from 1 to N, not '%s'", text);
    return FALSE;
}

typedef struct {
    SfuEngine *e;
    const SfuCliOptions *o;
    char **lines;
    int *first; /* for each line the number of an earlier one that writes the same file by another job; 0: none */
    int shard, n_shards;
    int n[TAKEN + 1]; /* outcomes */
} Batch;

/* Finds jobs one of whose files an earlier line writes already: they would count as done, or replace its picture. A
 * line that merely stands there twice is not such a job. */
static int *find_same_outputs(const SfuCliOptions *o, char **lines)
{
    int *first = g_new0(int, g_strv_length(lines) + 1);
    GHashTable *writers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int k = 0; lines[k]; k++) {
        Job job;
        if (!*lines[k] || *lines[k] == '#')
            continue;
        char **paths = job_read(&job, o, lines[k], NULL) ? sfu_cli_outputs(job.task, job.params, job.out) : NULL;
        for (int i = 0; paths && paths[i]; i++) {
            char *place = sfu_cli_place(paths[i]);
            const int earlier = GPOINTER_TO_INT(g_hash_table_lookup(writers, place));
            if (earlier && earlier != k + 1 && strcmp(lines[earlier - 1], lines[k]) != 0)
                first[k] = earlier;
            if (earlier)
                g_free(place);
            else
                g_hash_table_insert(writers, place, GINT_TO_POINTER(k + 1));
        }
        g_strfreev(paths);
        job_clear(&job);
    }
    g_hash_table_unref(writers);
    return first;
}

/* A file whose first line is not a whole object is of another form, which one sentence says better than one a line. */
static gboolean check_form(const char *path, char **lines, GError **error)
{
    int k = 0;
    while (lines[k] && (!*lines[k] || *lines[k] == '#'))
        k++;
    if (!lines[k] || (*lines[k] == '{' && lines[k][1]))
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s, line %d: %s; a batch has a whole job on each line: %s", path,
                k + 1,
                *lines[k] == '['   ? "a list begins here"
                : *lines[k] == '{' ? "a job begins here that does not end here"
                                   : "this is not a job",
                "{\"task\": \"upscale\", \"in\": \"a.png\", \"out\": \"b.png\"}");
    return FALSE;
}

/* Does every line that is its own. Lines that another worker has are left for another pass; the others become empty.
 * FALSE with error: nothing can be done. */
static gboolean pass(Batch *b, GError **error)
{
    int job = 0;
    b->n[TAKEN] = 0;
    for (int k = 0; b->lines[k] && !g_atomic_int_get(&sfu_cli_cancel); k++) {
        if (!*b->lines[k] || b->lines[k][0] == '#' || job++ % b->n_shards != b->shard - 1)
            continue;
        GError *local = NULL;
        if (!b->e && !(b->e = sfu_cli_engine(b->o, error)))
            return FALSE;
        Outcome outcome = FAILED;
        if (b->first[k])
            g_set_error(&local, SFU_ERROR, SFU_ERROR_USAGE, "its result is also that of line %d, which is another job",
                        b->first[k]);
        else
            outcome = run_line(b->e, b->o, b->lines[k], &local);
        const gboolean stopped = outcome == FAILED && g_atomic_int_get(&sfu_cli_cancel);
        b->n[outcome] += !stopped;
        if (outcome == FAILED) {
            char *what = g_strdup_printf("%s, line %d", b->o->args[0], k + 1);
            sfu_cli_job_failed(b->o, what, local);
            g_free(what);
        }
        if (b->o->claim && outcome != TAKEN)
            *b->lines[k] = '#'; /* a shard counts lines, and there is none here */
    }
    return TRUE;
}

/* Until nobody has a job any more: whoever has one may die, and its job is then free. */
static gboolean all_passes(Batch *b, GError **error)
{
    do {
        if (b->n[TAKEN])
            g_usleep(G_USEC_PER_SEC / 2);
        if (!pass(b, error))
            return FALSE;
    } while (b->n[TAKEN] && !g_atomic_int_get(&sfu_cli_cancel));
    return TRUE;
}

int sfu_cli_batch(const SfuCliCommand *c, const SfuCliOptions *o, GError **error)
{
    Batch b = {.o = o};
    char *data = NULL;
    int status = SFU_EXIT_FAILED;
    if (!o->args[0] || o->args[1]) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "batch needs one file of jobs, with a JSON object per line");
        goto out;
    }
    if (o->claim && (o->shard || o->force)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    "--claim divides the jobs itself, so it excludes --shard and --force");
        goto out;
    }
    if (!parse_shard(o->shard, &b.shard, &b.n_shards, error) ||
        !(data = sfu_cli_text_read(o->args[0], MAX_JOBS_BYTES, error)))
        goto out;
    b.lines = g_strsplit(data, "\n", -1);
    for (int k = 0; b.lines[k]; k++)
        g_strstrip(b.lines[k]);
    if (!check_form(o->args[0], b.lines, error))
        goto out;
    b.first = find_same_outputs(o, b.lines);
    if (!all_passes(&b, error))
        goto out;
    if (b.e)
        sfu_cli_print_profile(b.e, o);
    if (!o->quiet)
        g_printerr("%d done, %d there already, %d failed\n", b.n[DONE], b.n[THERE], b.n[FAILED]);
    status = g_atomic_int_get(&sfu_cli_cancel) ? SFU_EXIT_INTERRUPTED : b.n[FAILED] ? SFU_EXIT_FAILED : SFU_EXIT_OK;
out:
    g_strfreev(b.lines);
    g_free(b.first);
    g_free(data);
    sfu_engine_free(b.e);
    return status;
}
