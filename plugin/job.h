/* One worker thread with the engine, which stays loaded between jobs. The thread never talks to GTK or libgimp:
 * progress, previews and the end are delivered in the main thread, through the default main context.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_JOB_H
#define SFU_JOB_H

#include "sfumato.h"

G_BEGIN_DECLS

typedef struct SfuWorker SfuWorker;

typedef struct {
    void (*progress)(const SfuProgress *p, gpointer data);         /* may be NULL; late ones are skipped */
    void (*preview)(GeglBuffer *picture, int step, gpointer data); /* may be NULL; borrowed */
    void (*done)(GPtrArray *results, double seconds, const GError *e,
                 gpointer data); /* exactly once; NULL results on error. The array is
                                  * borrowed; to keep results, take a reference or empty it. */
    gpointer data;
} SfuJobCalls;

SfuWorker *sfu_worker_new(void);
/* Cancels what runs, waits for it, and frees engine and models. Does not call `done` afterwards. */
void sfu_worker_free(SfuWorker *w);
/* Device, memory and precision for the following jobs; a change drops the loaded engine before the next job. */
void sfu_worker_set_options(SfuWorker *w, const SfuEngineOptions *options);
/* Starts n jobs that the user sees as one: they run one after the other, progress covers all of them, and done()
 * gets all results in the order of the jobs, or none. The worker must be idle. Params are copied, buffers get a
 * reference; picture and mask must not be GIMP's own buffers, because reading those calls GIMP. */
void sfu_worker_start(SfuWorker *w, const SfuJob *jobs, int n, const SfuJobCalls *calls);
/* Gets ready for a job like this one, which may never come (sfu_engine_prepare()). Nothing if the worker is busy. */
void sfu_worker_prepare(SfuWorker *w, const SfuJob *job);
gboolean sfu_worker_busy(const SfuWorker *w);
void sfu_worker_cancel(SfuWorker *w);  /* takes effect within a step; then done() gets CANCELLED */
char *sfu_worker_device(SfuWorker *w); /* name of the device in use; caller frees; NULL before the first job */

/* Runs the jobs to the end while the main loop keeps running. `calls` can show progress in GIMP's status bar. NULL
 * on error; caller unrefs. */
GPtrArray *sfu_worker_run(SfuWorker *w, const SfuJob *jobs, int n, const SfuJobCalls *calls, GError **error);

/* Silence of a run after which its time so far is shown, so that nothing looks hung; and "Working, 3 s so far", since
 * the run or its variant began. prepares: what was heard last was that it compiles kernels. Caller frees. */
#define SFU_QUIET_US 1500000
char *sfu_quiet_words(gboolean prepares, gint64 since_us);

/* "CPU (AMD EPYC 7B13)" for PoCL's "cpu-znver3-AMD EPYC 7B13"; other names as they are. Caller frees. */
char *sfu_device_words(const char *name);

G_END_DECLS
#endif
