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

/* One line: {"task": "inpaint", "in": FILE, "mask": FILE, "exclude": FILE, "out": FILE, any parameter: value}. `o`
 * gives the defaults.
 */
typedef enum { FAILED, DONE, THERE, TAKEN } Outcome;

static Outcome run_line(SfuEngine *e, const SfuCliOptions *o, const char *line, GError **error)
{
    JsonNode *node = sfu_json_read(line, "The job", error);
    char *task_name = NULL, *in = NULL, *out = NULL, *mask = NULL, *exclude = NULL, *rest = NULL;
    SfuCliOptions job = *o;
    SfuClaim *claim = NULL;
    gboolean taken;
    Outcome outcome = FAILED;
    job.params = sfu_params_copy(o->params);
    if (!node)
        goto out;
    JsonObject *object = json_node_get_object(node);
    if (!take_text(object, "task", &task_name, error) || !take_text(object, "in", &in, error) ||
        !take_text(object, "out", &out, error) || !take_text(object, "mask", &mask, error) ||
        !take_text(object, "exclude", &exclude, error))
        goto out;
    int task = 0;
    while (task < SFU_N_TASKS && g_strcmp0(task_name, sfu_task_name((SfuTask)task)) != 0)
        task++;
    if (task == SFU_N_TASKS || !out || (!in && task != SFU_TASK_TXT2IMG)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    "a job needs \"task\" (txt2img ... upscale), \"out\" and, but for txt2img, \"in\"");
        goto out;
    }
    rest = json_to_string(node, FALSE);
    if (!sfu_params_from_json(job.params, rest, error))
        goto out;
    if (o->claim && !(claim = sfu_cli_claim(out, &taken, error))) {
        outcome = taken ? TAKEN : FAILED;
        goto out;
    }
    if (!o->force && sfu_cli_is_done((SfuTask)task, job.params, out)) {
        outcome = THERE;
        goto out;
    }
    note_unused(object, (SfuTask)task, out);
    if (mask)
        job.mask = mask;
    if (exclude)
        job.exclude = exclude;
    outcome = sfu_cli_run(e, (SfuTask)task, &job, in, out, error) ? DONE : FAILED;
out:
    sfu_cli_claim_end(claim);
    sfu_params_free(job.params);
    g_free(task_name);
    g_free(in);
    g_free(out);
    g_free(mask);
    g_free(exclude);
    g_free(rest);
    if (node)
        json_node_unref(node);
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

/* The file that a line writes, as an absolute path; NULL: the line is not a job. Caller frees. */
static char *output_of(const char *line)
{
    JsonNode *node = *line && *line != '#' ? sfu_json_read(line, "The job", NULL) : NULL;
    char *out = NULL, *path = NULL;
    if (node && take_text(json_node_get_object(node), "out", &out, NULL) && out)
        path = g_canonicalize_filename(out, NULL);
    g_free(out);
    if (node)
        json_node_unref(node);
    return path;
}

/* Finds jobs whose file an earlier line writes already: they would count as done, or replace its picture. A line that
 * merely stands there twice is not such a job. */
static int *find_same_outputs(char **lines)
{
    int *first = g_new0(int, g_strv_length(lines) + 1);
    GHashTable *writers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int k = 0; lines[k]; k++) {
        char *path = output_of(lines[k]);
        const int earlier = path ? GPOINTER_TO_INT(g_hash_table_lookup(writers, path)) : 0;
        if (earlier && strcmp(lines[earlier - 1], lines[k]) != 0)
            first[k] = earlier;
        if (path && !earlier)
            g_hash_table_insert(writers, g_steal_pointer(&path), GINT_TO_POINTER(k + 1));
        g_free(path);
    }
    g_hash_table_unref(writers);
    return first;
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
            g_set_error(&local, SFU_ERROR, SFU_ERROR_USAGE, "its output is that of line %d, which is another job",
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
    b.first = find_same_outputs(b.lines);
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
