/* What "--control" says: a network, its picture, how it is used.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "sfumato.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#include "params/items.h"

static const char *const keys[] = {"weight", "from", "to", "type", "prepare", "guess", NULL};
static const char *const preparations[] = {"none",      "canny",  "lines",   "scribble", "blur",
                                           "luminance", "invert", "inpaint", NULL};

void sfu_control_spec_clear(SfuControlSpec *s)
{
    g_free(s->net);
    g_free(s->picture);
    g_free(s->type);
    *s = (SfuControlSpec){0};
}

/* "canny" or "canny:100:200" */
static gboolean read_preparation(SfuControlSpec *s, SfuItem item, const char *value, GError **error)
{
    char **words = g_strsplit(*value ? value : ":", ":", -1); /* of an empty text it makes no word */
    gboolean ok = FALSE;
    s->low = 100; /* OpenCV's documentation, and what most pictures for networks are made with */
    s->high = 200;
    for (int i = 0; preparations[i]; i++)
        if (g_ascii_strcasecmp(preparations[i], words[0]) == 0) {
            s->prepare = i;
            ok = TRUE;
        }
    if (!ok) {
        char *list = g_strjoinv(", ", (char **)preparations);
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("control \"%s\": \"%s\" is not a preparation; use one of %s."),
                    item.text, words[0], list);
        g_free(list);
    } else if (words[1]) {
        ok = s->prepare == SFU_PREPARE_CANNY && words[2] && !words[3] &&
             sfu_item_number(item, "low", words[1], 0, 2000, &s->low, NULL) &&
             sfu_item_number(item, "high", words[2], 0, 2000, &s->high, NULL);
        if (!ok)
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                        _("control \"%s\": prepare=canny takes two thresholds (canny:100:200)."), item.text);
    }
    g_strfreev(words);
    return ok;
}

static gboolean set_key(SfuControlSpec *s, SfuItem item, const char *key, const char *value, GError **error)
{
    double guess = 0;
    if (strcmp(key, "weight") == 0)
        return sfu_item_number(item, key, value, -10, 10, &s->weight, error);
    if (strcmp(key, "from") == 0)
        return sfu_item_number(item, key, value, 0, 1, &s->from, error);
    if (strcmp(key, "to") == 0)
        return sfu_item_number(item, key, value, 0, 1, &s->to, error);
    if (strcmp(key, "prepare") == 0)
        return read_preparation(s, item, value, error);
    if (strcmp(key, "guess") == 0) {
        const gboolean ok = sfu_item_number(item, key, value, 0, 1, &guess, error);
        s->guess = guess > 0;
        return ok;
    }
    if (!*value) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s \"%s\": %s names nothing."), item.kind, item.text, key);
        return FALSE;
    }
    g_free(s->type);
    s->type = g_strdup(value);
    return TRUE;
}

/* The one between the network and its picture, whose names may hold others: behind a file, else the first. NULL: none.
 */
static char *find_equals(char *text)
{
    char *first = strchr(text, '=');
    for (char *at = first; at; at = strchr(at + 1, '=')) {
        char *net = g_strndup(text, (gsize)(at - text));
        const gboolean there = *net && g_file_test(net, G_FILE_TEST_EXISTS);
        g_free(net);
        if (there)
            return at;
    }
    return first;
}

gboolean sfu_control_spec_read(const char *text, SfuControlSpec *s, GError **error)
{
    char *rest = g_strdup(text);
    const char *key, *value;
    gboolean ok = TRUE;
    guint seen = 0;
    const SfuItem item = {"control", text};
    *s = (SfuControlSpec){.weight = 1, .to = 1, .low = 100, .high = 200};
    while (ok && sfu_item_cut(rest, keys, &key, &value))
        ok = sfu_item_once(item, keys, key, &seen, error) && set_key(s, item, key, value, error);
    ok = ok && sfu_item_check_range(item, s->from, s->to, error);
    char *equals = find_equals(rest);
    s->net = equals ? g_strndup(rest, (gsize)(equals - rest)) : g_strdup(rest);
    s->picture = g_strdup(equals ? equals + 1 : "");
    if (ok && !*s->net) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("control \"%s\" names no network; it is NET=PICTURE."), text);
        ok = FALSE;
    }
    g_free(rest);
    if (!ok)
        sfu_control_spec_clear(s);
    return ok;
}

static void add_number(GString *text, const char *key, double v, double def)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    if (v != def)
        g_string_append_printf(text, ",%s=%s", key, g_ascii_formatd(number, sizeof number, "%.6g", v));
}

char *sfu_control_spec_write(const SfuControlSpec *s)
{
    GString *text = g_string_new(s->net);
    g_string_append_printf(text, "=%s", s->picture);
    add_number(text, "weight", s->weight, 1);
    add_number(text, "from", s->from, 0);
    add_number(text, "to", s->to, 1);
    if (s->prepare != SFU_PREPARE_NONE)
        g_string_append_printf(text, ",prepare=%s", preparations[s->prepare]);
    const double bounds[] = {s->low, s->high};
    for (int i = 0; s->prepare == SFU_PREPARE_CANNY && (s->low != 100 || s->high != 200) && i < 2; i++) {
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        g_string_append_printf(text, ":%s", g_ascii_formatd(number, sizeof number, "%.6g", bounds[i]));
    }
    if (s->type)
        g_string_append_printf(text, ",type=%s", s->type);
    if (s->guess)
        g_string_append(text, ",guess=1");
    return g_string_free(text, FALSE);
}
