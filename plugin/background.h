/* Work that waits for a disk or a device, in a thread of its own; the result is delivered in the main thread.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_BACKGROUND_H
#define SFU_BACKGROUND_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct SfuBackground SfuBackground;

typedef struct {
    gpointer (*work)(gpointer job);               /* in the thread */
    void (*done)(gpointer result, gpointer data); /* in the main thread, at most once; takes the result */
    GDestroyNotify free_job, free_result;         /* of a result that is not delivered; both may be NULL */
} SfuBackgroundCalls;

/* `calls` lives as long as the process; job is taken. Owned by the thread: valid until done() was called. */
SfuBackground *sfu_background_start(const SfuBackgroundCalls *calls, gpointer job, gpointer data);
/* The same for work that lists something: look() runs in the thread, found() takes its reference in the main thread.
 * free_job may be NULL. */
typedef GPtrArray *(*SfuLook)(gpointer job);
typedef void (*SfuFound)(GPtrArray *found, gpointer data);
SfuBackground *sfu_background_look(SfuLook look, gpointer job, GDestroyNotify free_job, SfuFound found, gpointer data);
/* Never calls done() or found() afterwards. Does not wait. NULL is allowed. */
void sfu_background_cancel(SfuBackground *b);

G_END_DECLS
#endif
