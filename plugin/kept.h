/* Results that were not added to their image, kept for this GIMP session: files in the user's cache folder, under a
 * folder of the GIMP process. Results of processes that have ended are removed when another process saves or reads
 * results.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PLUGIN_KEPT_H
#define SFU_PLUGIN_KEPT_H

#include "background.h"
#include "session.h"

G_BEGIN_DECLS

/* Of one run. */
typedef struct {
    SfuInput *input;
    GPtrArray *results; /* SfuKeptResult* */
} SfuKept;
typedef struct {
    SfuRequest *request;
    GPtrArray *results; /* SfuResult*: one, or one for each layer of a whole image */
    GeglBuffer *look;   /* the picture that represents it */
    double seconds;
    char *folder; /* for sfu_kept_forget() */
} SfuKeptResult;

/* Writes one result and sets its folder, which the caller frees. group: the run's, from sfu_kept_group_new(). The
 * run's input is written with its first result. */
char *sfu_kept_group_new(void);
gboolean sfu_kept_save(const char *group, const SfuInput *in, SfuKeptResult *result, GError **error);
/* Reads the action's kept results for all images in a thread. found() gets SfuKept*, oldest first, in the main
 * thread, and takes a reference. Unreadable results are skipped. */
SfuBackground *sfu_kept_look(SfuAction action, SfuFound found, gpointer data);
void sfu_kept_forget(const char *folder); /* NULL is fine */

G_END_DECLS
#endif
