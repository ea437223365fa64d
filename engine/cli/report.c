/* What the command says: notes and failures on stderr, events as JSON lines on stdout.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <json-glib/json-glib.h>
#include <stdarg.h>
#include <stdio.h>

gboolean sfu_cli_quiet;

static void print_json(JsonBuilder *b)
{
    JsonNode *root = json_builder_get_root(b);
    char *line = json_to_string(root, FALSE);
    printf("%s\n", line);
    fflush(stdout);
    g_free(line);
    json_node_unref(root);
    g_object_unref(b);
}

void sfu_cli_json_event(const char *event, ...)
{
    JsonBuilder *b = json_builder_new();
    va_list ap;
    va_start(ap, event);
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "event");
    json_builder_add_string_value(b, event);
    for (const char *name; (name = va_arg(ap, const char *));) {
        char *text = g_utf8_make_valid(va_arg(ap, const char *), -1); /* names of files may be anything */
        json_builder_set_member_name(b, name);
        json_builder_add_string_value(b, text);
        g_free(text);
    }
    json_builder_end_object(b);
    va_end(ap);
    print_json(b);
}

void sfu_cli_json_progress(const SfuProgress *p)
{
    JsonBuilder *b = json_builder_new();
    const struct {
        const char *name;
        double v;
    } numbers[] = {{"step", p->step},       {"steps", p->n_steps},     {"image", p->image},
                   {"images", p->n_images}, {"fraction", p->fraction}, {"seconds_left", p->seconds_left}};
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "event");
    json_builder_add_string_value(b, "progress");
    json_builder_set_member_name(b, "text");
    json_builder_add_string_value(b, p->text ? p->text : "");
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        json_builder_set_member_name(b, numbers[i].name);
        json_builder_add_double_value(b, numbers[i].v);
    }
    json_builder_end_object(b);
    print_json(b);
}

void sfu_cli_note(const char *format, ...)
{
    va_list ap;
    if (sfu_cli_quiet)
        return;
    va_start(ap, format);
    char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_printerr("sfumato: note: %s\n", text);
    g_free(text);
}

void sfu_cli_job_failed(const SfuCliOptions *o, const char *what, GError *error)
{
    g_printerr("sfumato: %s%s%s\n", what ? what : "", what ? ": " : "", error->message);
    if (o->json)
        sfu_cli_json_event("failed", "job", what ? what : "", "message", error->message, NULL);
    g_error_free(error);
}
