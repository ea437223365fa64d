/* Results that were not added to their image, kept for this GIMP session: files in the user's cache folder, under a
 * folder of the GIMP process. Those of processes that have ended are removed when the next one keeps or looks.
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
    GPtrArray *results; /* SfuResult*: one, or of a whole image those of its layers */
    GeglBuffer *look;   /* what is shown of it */
    double seconds;
    char *folder; /* for sfu_kept_forget() */
} SfuKeptResult;

/* Writes one result. group: of the run, from sfu_kept_group_new(); what was read is written with its first result.
 * *folder: where it lies, for sfu_kept_forget(); caller frees. */
char *sfu_kept_group_new(void);
gboolean sfu_kept_save(const char *group, const SfuInput *in, const SfuRequest *r, GPtrArray *results, GeglBuffer *look,
                       double seconds, char **folder, GError **error);
/* Reads in a thread what was kept for the action, of all images: found() gets SfuKept*, oldest first, in the main
 * thread and takes a reference. What cannot be read is passed over. */
SfuBackground *sfu_kept_look(SfuAction action, SfuFound found, gpointer data);
void sfu_kept_forget(const char *folder); /* NULL is fine */

G_END_DECLS
#endif
