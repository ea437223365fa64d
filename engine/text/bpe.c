/* Byte-pair merging.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/bpe.h"

/* One token of the word being merged, linked to its neighbors (index, -1: none). */
typedef struct {
    gint32 id; /* -1: was merged into its left neighbor */
    int previous, next;
} Symbol;

typedef struct {
    SfuBpeJoin join;
    gconstpointer table;
    Symbol *symbols;
    GArray *heap; /* guint64 */
} Word;

/* A heap of rank << 32 | position, so that of equal ranks the leftmost comes first. */
static void heap_push(GArray *heap, guint64 entry)
{
    g_array_append_val(heap, entry);
    guint64 *e = (guint64 *)(void *)heap->data;
    guint i = heap->len - 1;
    while (i > 0 && e[(i - 1) / 2] > entry) {
        e[i] = e[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    e[i] = entry;
}

static guint64 heap_pop(GArray *heap)
{
    guint64 *e = (guint64 *)(void *)heap->data;
    const guint64 top = e[0], entry = e[heap->len - 1];
    const guint n = heap->len - 1;
    guint i = 0;
    for (guint child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && e[child + 1] < e[child])
            child++;
        if (e[child] >= entry)
            break;
        e[i] = e[child];
        i = child;
    }
    e[i] = entry;
    g_array_set_size(heap, n);
    return top;
}

static gboolean join_at(const Word *w, int at, guint32 *rank, gint32 *id)
{
    const Symbol *s = &w->symbols[at];
    return s->id >= 0 && s->next >= 0 && w->join(w->table, s->id, w->symbols[s->next].id, rank, id);
}

static void consider(const Word *w, int at)
{
    guint32 rank;
    gint32 id;
    if (at >= 0 && join_at(w, at, &rank, &id))
        heap_push(w->heap, (guint64)rank << 32 | (guint)at);
}

void sfu_bpe_merge(SfuBpeJoin join, gconstpointer table, const gint32 *tokens, gsize n, GArray *ids)
{
    Symbol few[64];
    Word w = {join, table, n <= G_N_ELEMENTS(few) ? few : g_new(Symbol, n),
              g_array_sized_new(FALSE, FALSE, sizeof(guint64), (guint)n)};
    for (gsize i = 0; i < n; i++)
        w.symbols[i] = (Symbol){tokens[i], (int)i - 1, i + 1 < n ? (int)i + 1 : -1};
    for (gsize i = 0; i < n; i++)
        consider(&w, (int)i);
    while (w.heap->len > 0) {
        const guint64 entry = heap_pop(w.heap);
        const int at = (int)(entry & G_MAXUINT32);
        guint32 rank;
        gint32 id;
        if (!join_at(&w, at, &rank, &id) || rank != entry >> 32)
            continue; /* one of the two has changed since */
        Symbol *s = &w.symbols[at], *gone = &w.symbols[s->next];
        s->id = id;
        s->next = gone->next;
        gone->id = -1;
        if (s->next >= 0)
            w.symbols[s->next].previous = at;
        consider(&w, s->previous);
        consider(&w, at);
    }
    for (int i = 0; i >= 0; i = w.symbols[i].next)
        g_array_append_val(ids, w.symbols[i].id);
    g_array_unref(w.heap);
    if (w.symbols != few)
        g_free(w.symbols);
}
