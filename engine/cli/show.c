/* `sfumato devices`, `models` and `inspect`.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"

int sfu_cli_devices(const SfuCliCommand *c, const SfuCliOptions *o, GError **error)
{
    char *broken;
    GPtrArray *all = sfu_devices(&broken, error);
    for (guint i = 0; all && i < all->len; i++) {
        const SfuDevice *d = g_ptr_array_index(all, i);
        char index[16], memory[32];
        g_snprintf(index, sizeof index, "%d", d->index);
        g_snprintf(memory, sizeof memory, "%" G_GUINT64_FORMAT, d->memory_bytes);
        if (o->json)
            sfu_cli_json_event("device", "index", index, "name", d->name, "platform", d->platform, "driver", d->driver,
                               "type", d->is_cpu ? "cpu" : "gpu", "remote", d->is_remote ? "yes" : "no", "memory_bytes",
                               memory, "fp16", d->has_fp16 ? "yes" : "no", "bf16", d->has_bf16 ? "yes" : "no", NULL);
        else
            g_print("%s  %s\n   %s, driver %s, %s%s, %.1f GiB%s%s\n", index, d->name, d->platform, d->driver,
                    d->is_cpu ? "CPU" : "GPU", d->is_remote ? " over the network" : "",
                    (double)d->memory_bytes / (1 << 30), d->has_fp16 ? ", fp16" : "",
                    d->has_amx    ? ", bf16 (AMX)"
                    : d->has_bf16 ? ", bf16"
                                  : "");
    }
    if (broken)
        sfu_cli_note("%s", broken);
    g_free(broken);
    if (all)
        g_ptr_array_unref(all);
    return all ? SFU_EXIT_OK : SFU_EXIT_FAILED;
}

int sfu_cli_models(const SfuCliCommand *c, const SfuCliOptions *o, GError **error)
{
    char **folders = o->args[0] ? g_strdupv(o->args) : sfu_model_folders(NULL);
    GPtrArray *all = sfu_models((const char *const *)folders);
    for (guint i = 0; i < all->len; i++) {
        const SfuModelInfo *m = g_ptr_array_index(all, i);
        GString *tasks = g_string_new(NULL);
        const gboolean has_title = strcmp(m->title, m->name) != 0 && g_strcmp0(m->title, m->family) != 0;
        char bytes[32];
        for (int t = 0; t < SFU_N_TASKS; t++)
            if (m->tasks & 1u << t)
                g_string_append_printf(tasks, "%s%s", tasks->len ? " " : "", sfu_task_name((SfuTask)t));
        g_snprintf(bytes, sizeof bytes, "%" G_GUINT64_FORMAT, m->file_bytes);
        if (o->json)
            sfu_cli_json_event("model", "name", m->name, "title", m->title, "path", m->path, "family",
                               m->family ? m->family : "", "bytes", bytes, "tasks", tasks->str, "error",
                               m->error ? m->error : "", NULL);
        else if (m->error)
            g_print("%s\n   cannot be used: %s\n", m->path, m->error);
        else
            g_print("%s\n   %s%s%s, %.1f MB: %s\n", m->path, has_title ? m->title : "", has_title ? ", " : "",
                    m->family, (double)m->file_bytes / 1e6, tasks->str);
        g_string_free(tasks, TRUE);
    }
    if (all->len == 0 && !o->json) {
        char *list = g_strjoinv(", ", folders);
        g_print("No model found in %s.\n", list);
        g_free(list);
    }
    g_ptr_array_unref(all);
    g_strfreev(folders);
    return SFU_EXIT_OK;
}

int sfu_cli_inspect(const SfuCliCommand *c, const SfuCliOptions *o, GError **error)
{
    if (!o->args[0] || o->args[1]) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "inspect needs one model file or folder");
        return SFU_EXIT_USAGE;
    }
    char *report = sfu_model_report(o->args[0], o->json, error);
    if (report)
        g_print("%s%s", report, g_str_has_suffix(report, "\n") ? "" : "\n");
    g_free(report);
    return report ? SFU_EXIT_OK : SFU_EXIT_FAILED;
}
