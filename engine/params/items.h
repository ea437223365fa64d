/* Items of lists that have a form of their own: "what,key=value,key=value"; pairs of A1111's text.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PARAMS_ITEMS_H
#define SFU_PARAMS_ITEMS_H

#include <glib.h>

/* Cuts the last ",key=value" of a known key (NULL-terminated) off `rest`; *key borrowed, *value inside rest. FALSE:
 * there is none. */
gboolean sfu_item_cut(char *rest, const char *const *keys, const char **key, const char **value);
/* FALSE with USAGE if a key that was cut off came before; *seen begins as 0. */
gboolean sfu_item_once(const char *kind, const char *text, const char *const *keys, const char *key, guint *seen,
                       GError **error);
/* FALSE with USAGE, naming the kind of item ("control"), its text and the range. */
gboolean sfu_item_number(const char *kind, const char *text, const char *key, const char *value, double min, double max,
                         double *v, GError **error);
/* FALSE with USAGE if from is not below to. */
gboolean sfu_item_check_range(const char *kind, const char *text, double from, double to, GError **error);

/* Appends "Key: value" to a line of A1111's text, behind a comma if the line has begun; in JSON's quotes where it must
 * be. */
void sfu_infotext_append(GString *out, const char *key, const char *value);

#endif
