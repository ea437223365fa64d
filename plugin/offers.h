/* Models that can be had: sfumato-fetch, which touches the network so that the plug-in does not, run as a child
 * process. It prints one JSON object a line. Main thread only.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PLUGIN_OFFERS_H
#define SFU_PLUGIN_OFFERS_H

#include "sfumato.h"

G_BEGIN_DECLS

typedef struct {
    char *name, *title, *summary, *license, *license_url;
    guint tasks; /* bits 1 << SfuTask */
    gboolean non_commercial, installed;
    gboolean wordless;           /* fills without a prompt, as the model in the box does */
    guint64 bytes, memory_bytes; /* to download, for a run; 0: not known */
    double tera_ops;             /* work of one picture, of enlarging a million pixels, in 10^12; 0: not known */
} SfuOffer;

/* What this machine computes with, as far as it matters to a choice of models. */
typedef struct {
    char *name; /* in words; NULL: there is no device */
    gboolean is_cpu;
    guint64 memory_bytes;
    double tera_ops_per_second; /* an estimate from the kind and number of cores; 0: not known (graphics cards) */
} SfuMachine;
/* Asks OpenCL and the system: for a worker thread. device: as in the settings, NULL: the best. */
void sfu_machine_look(SfuMachine *m, const char *device);
void sfu_machine_clear(SfuMachine *m);
/* "about 40 s a picture on this processor", "about 3 min for a million pixels ...". Caller frees; NULL: not known. */
char *sfu_offer_time(const SfuOffer *o, const SfuMachine *m);
/* Those for a task (-1: any), the most fitting first: what fits the memory before what does not, what may be used
 * for everything before what may not, on a processor the quicker ones first. Borrowed offers; caller frees the
 * array. */
GPtrArray *sfu_offers_ranked(GPtrArray *offers, const SfuMachine *m, int task);
/* The two or three to name first: of one task the best, else the best of each of the main ones. */
GPtrArray *sfu_offers_best(GPtrArray *offers, const SfuMachine *m, int task);

typedef struct SfuFetcher SfuFetcher;
typedef struct {
    void (*offers)(GPtrArray *offers, gpointer data);                  /* of a list: SfuOffer*; takes a reference */
    void (*progress)(const char *state, guint64 bytes, gpointer data); /* of the whole model, so far */
    void (*ended)(const GError *error, gpointer data); /* exactly once; CANCELLED after a stop. The fetcher is gone */
    gpointer data;
} SfuFetcherCalls;

SfuFetcher *sfu_fetcher_list(const SfuFetcherCalls *calls);
SfuFetcher *sfu_fetcher_get(const char *name, const SfuFetcherCalls *calls);
SfuFetcher *sfu_fetcher_remove(const char *name, const SfuFetcherCalls *calls);
/* Ends the program; what has arrived stays, and the next get goes on from there. */
void sfu_fetcher_stop(SfuFetcher *f);
void sfu_fetcher_forget(SfuFetcher *f); /* stops, and makes no more calls. NULL is allowed */

G_END_DECLS
#endif
