/* Threads for what the main thread must not wait for.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "background.h"

struct SfuBackground {
    const SfuBackgroundCalls *calls;
    gpointer job, result, data;
    gboolean cancelled; /* the main thread's own */
};

static gboolean deliver(gpointer p)
{
    SfuBackground *b = p;
    if (!b->cancelled)
        b->calls->done(b->result, b->data);
    else if (b->calls->free_result && b->result)
        b->calls->free_result(b->result);
    if (b->calls->free_job && b->job)
        b->calls->free_job(b->job);
    g_free(b);
    return G_SOURCE_REMOVE;
}

static gpointer run(gpointer p)
{
    SfuBackground *b = p;
    b->result = b->calls->work(b->job);
    g_idle_add_full(G_PRIORITY_DEFAULT, deliver, b, NULL);
    return NULL;
}

SfuBackground *sfu_background_start(const SfuBackgroundCalls *calls, gpointer job, gpointer data)
{
    SfuBackground *b = g_new0(SfuBackground, 1);
    *b = (SfuBackground){.calls = calls, .job = job, .data = data};
    g_thread_unref(g_thread_new("sfumato-look", run, b));
    return b;
}

void sfu_background_cancel(SfuBackground *b)
{
    if (b)
        b->cancelled = TRUE;
}

/* ---- lists ---- */

typedef struct {
    SfuLook look;
    gpointer job;
    GDestroyNotify free_job;
    SfuFound found;
    gpointer data;
} Look;

static gpointer look_work(gpointer p)
{
    const Look *l = p;
    return l->look(l->job);
}

static void look_done(gpointer result, gpointer p)
{
    const Look *l = p;
    l->found(result, l->data);
}

static void look_free(gpointer p)
{
    Look *l = p;
    if (l->free_job)
        l->free_job(l->job);
    g_free(l);
}

static void list_free(gpointer list)
{
    g_ptr_array_unref(list);
}

SfuBackground *sfu_background_look(SfuLook look, gpointer job, GDestroyNotify free_job, SfuFound found, gpointer data)
{
    static const SfuBackgroundCalls calls = {look_work, look_done, look_free, list_free};
    Look *l = g_new(Look, 1);
    *l = (Look){look, job, free_job, found, data};
    return sfu_background_start(&calls, l, l);
}
