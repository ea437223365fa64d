/* The history of an image: two texts with a request a line, one that is saved with it and one that is not. What is only
 * tried out must neither make the image a changed one nor be a step of its undo history.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "history.h"

#include <string.h>

#include "host.h"

#define LENGTH 50
#define MAX_BYTES (4 << 20)

static const char *const names[] = {"sfumato-tried", "sfumato-history"}; /* by `added` */

static gboolean seen(GPtrArray *lines, const char *line)
{
    for (guint i = 0; i < lines->len; i++)
        if (strcmp(lines->pdata[i], line) == 0)
            return TRUE;
    return FALSE;
}

/* Lines of one of the texts, the newest first, to those that are there. */
static void read_lines(int image, const char *name, GPtrArray *lines)
{
    char *text = sfu_host_image_text_get(image, name); /* a picture can come from anywhere */
    char **all = text && strlen(text) < MAX_BYTES ? g_strsplit(text, "\n", LENGTH + 1) : NULL;
    for (int i = 0; all && all[i] && i < LENGTH; i++)
        if (*all[i] && !seen(lines, all[i]))
            g_ptr_array_add(lines, g_strdup(all[i]));
    g_strfreev(all);
    g_free(text);
}

void sfu_history_note(int image, const char *json, gboolean added)
{
    SfuHostImage info;
    if (!sfu_host_image_info(image, &info))
        return;
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(lines, g_strdelimit(g_strdup(json), "\n\r", ' '));
    read_lines(image, names[added != FALSE], lines);
    g_ptr_array_set_size(lines, MIN(lines->len, LENGTH));
    g_ptr_array_add(lines, NULL);
    char *text = g_strjoinv("\n", (char **)lines->pdata);
    sfu_host_image_text_set(image, names[added != FALSE], text, added);
    g_free(text);
    g_ptr_array_unref(lines);
}

GPtrArray *sfu_history_read(int image)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *requests = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_request_free);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) /* of this session first: what was added was tried before */
        read_lines(image, names[i], lines);
    for (guint i = 0; i < lines->len && requests->len < LENGTH; i++) {
        SfuRequest *r = sfu_request_from_json(lines->pdata[i], NULL, NULL);
        if (r)
            g_ptr_array_add(requests, r);
    }
    g_ptr_array_unref(lines);
    return requests;
}
