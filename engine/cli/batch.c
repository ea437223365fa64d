/* `sfumato batch`: many jobs from a file of JSON lines, with the model loaded once.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

/* Takes the value of a member that is not a parameter out of the object; caller frees. */
static char *take_string(JsonObject *job, const char *name)
{
    JsonNode *n = json_object_get_member(job, name);
    char *v = n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING
                  ? g_strdup(json_node_get_string(n))
                  : NULL;
    json_object_remove_member(job, name);
    return v;
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
    task_name = take_string(object, "task");
    in = take_string(object, "in");
    out = take_string(object, "out");
    mask = take_string(object, "mask");
    exclude = take_string(object, "exclude");
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
    int shard, n_shards;
    int n[TAKEN + 1]; /* outcomes */
} Batch;

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
        const Outcome outcome = run_line(b->e, b->o, b->lines[k], &local);
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

int sfu_cli_batch(int argc, char **argv)
{
    GError *error = NULL;
    gboolean help;
    SfuCliOptions *o = sfu_cli_options_parse(argc, argv, SFU_N_TASKS, &help, &error);
    Batch b = {.o = o};
    char *data = NULL;
    int status = SFU_EXIT_OK;
    if (!o)
        return sfu_cli_fail(error);
    if (help)
        goto out;
    if (!o->args[0] || o->args[1]) {
        g_set_error(&error, SFU_ERROR, SFU_ERROR_USAGE, "batch wants one file of jobs, a JSON object a line");
        goto out;
    }
    if (o->claim && (o->shard || o->force)) {
        g_set_error(&error, SFU_ERROR, SFU_ERROR_USAGE,
                    "--claim divides the jobs, so it goes without --shard and --force");
        goto out;
    }
    if (!parse_shard(o->shard, &b.shard, &b.n_shards, &error) || !g_file_get_contents(o->args[0], &data, NULL, &error))
        goto out;
    b.lines = g_strsplit(data, "\n", -1);
    for (int k = 0; b.lines[k]; k++)
        g_strstrip(b.lines[k]);
    if (!all_passes(&b, &error))
        goto out;
    if (!o->quiet)
        g_printerr("%d done, %d there already, %d failed\n", b.n[DONE], b.n[THERE], b.n[FAILED]);
    status = g_atomic_int_get(&sfu_cli_cancel) ? SFU_EXIT_INTERRUPTED : b.n[FAILED] ? SFU_EXIT_FAILED : SFU_EXIT_OK;
out:
    if (error)
        status = sfu_cli_fail(error);
    g_strfreev(b.lines);
    g_free(data);
    sfu_engine_free(b.e);
    sfu_cli_options_free(o);
    return status;
}
