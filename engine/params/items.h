/* Items of lists that have a form of their own: "what,key=value,key=value"; pairs of A1111's text.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PARAMS_ITEMS_H
#define SFU_PARAMS_ITEMS_H

#include <glib.h>

/* Cuts the last ",key=value" of a known key (NULL-terminated) off `rest`; *key borrowed, *value inside rest. FALSE:
 * there is none. */
gboolean sfu_item_cut(char *rest, const char *const *keys, const char **key, const char **value);
/* The item that a message names. */
typedef struct {
    const char *kind; /* "control" */
    const char *text; /* all of it */
} SfuItem;
/* FALSE with USAGE if a key that was cut off came before; *seen begins as 0. */
gboolean sfu_item_once(SfuItem item, const char *const *keys, const char *key, guint *seen, GError **error);
/* The value of a key, from min to max. FALSE with USAGE. */
gboolean sfu_item_number(SfuItem item, const char *key, const char *value, double min, double max, double *v,
                         GError **error);
/* FALSE with USAGE if from is not below to. */
gboolean sfu_item_check_range(SfuItem item, double from, double to, GError **error);

/* Appends "Key: value" to a line of A1111's text, behind a comma if the line has begun; in JSON's quotes where it must
 * be. */
void sfu_infotext_append(GString *out, const char *key, const char *value);

#endif
