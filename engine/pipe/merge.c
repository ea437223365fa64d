/* `sfumato convert`: a model file in another type, with adapters merged into it if asked for.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include "model/delta.h"

/* A tensor of the file may be several weights of the model (OpenCLIP's q, k and v in one). */
typedef struct {
    SfuModel *model;
    SfuPart part;
    GHashTable *slices; /* name in the file -> GPtrArray of Slice */
    GHashTable *wholes; /* name in the file -> SfuWeight*, for those that adapters change; concatenations are owned */
    GPtrArray *stacks;  /* SfuWeight*, owned */
} Merge;

typedef struct {
    const guint8 *data; /* where it lies in the file */
    SfuWeight *weight;
} Slice;

static void add_slice(const char *name, const SfuFileTensor *t, gpointer data)
{
    Merge *m = data;
    GArray *all = g_hash_table_lookup(m->slices, t->name);
    const Slice s = {t->data, sfu_model_find(m->model, m->part, name)};
    if (!all) {
        all = g_array_new(FALSE, FALSE, sizeof(Slice));
        g_hash_table_insert(m->slices, g_strdup(t->name), all);
    }
    g_array_append_val(all, s);
}

static gint by_place(gconstpointer a, gconstpointer b)
{
    const guint8 *x = ((const Slice *)a)->data, *y = ((const Slice *)b)->data;
    return (x > y) - (x < y);
}

/* Fills `wholes`. */
static void find_wholes(Merge *m, const GArray *uses)
{
    GHashTable *changed = g_hash_table_new(NULL, NULL);
    GHashTableIter it;
    gpointer name, value;
    for (guint i = 0; i < uses->len; i++)
        g_hash_table_add(changed, g_array_index(uses, SfuDeltaUse, i).weight);
    g_hash_table_iter_init(&it, m->slices);
    while (g_hash_table_iter_next(&it, &name, &value)) {
        GArray *slices = value;
        GPtrArray *parts = g_ptr_array_new();
        gboolean any = FALSE;
        g_array_sort(slices, by_place);
        for (guint i = 0; i < slices->len; i++) {
            g_ptr_array_add(parts, g_array_index(slices, Slice, i).weight);
            any |= g_hash_table_contains(changed, parts->pdata[i]);
        }
        SfuWeight *whole = parts->len == 1 ? parts->pdata[0] : NULL;
        if (any && !whole) {
            whole = sfu_weight_concat(name, (SfuWeight *const *)(gconstpointer)parts->pdata, (int)parts->len);
            g_ptr_array_add(m->stacks, whole);
        }
        if (any)
            g_hash_table_insert(m->wholes, name, whole);
        g_ptr_array_unref(parts);
    }
    g_hash_table_unref(changed);
}

static SfuWeight *replacement(const SfuFileTensor *t, gpointer data)
{
    SfuWeight *w = g_hash_table_lookup(((Merge *)data)->wholes, t->name);
    return w && sfu_weight_elements(w) == t->n_elements ? w : NULL;
}

static gboolean convert_merged(const char *in, const char *out, SfuConvert *c, const char *const *adapters,
                               GPtrArray *notes, GError **error)
{
    Merge m = {.model = sfu_model_open(in, error)};
    if (!m.model)
        return FALSE;
    m.slices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
    m.wholes = g_hash_table_new(g_str_hash, g_str_equal);
    m.stacks = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_weight_destroy);
    SfuAdapters *applied = sfu_adapters_new();
    GArray *uses = g_array_new(FALSE, FALSE, sizeof(SfuDeltaUse));
    gboolean ok = sfu_adapters_apply_rows(applied, m.model, adapters, uses, notes, error);
    for (m.part = 0; ok && m.part < SFU_N_PARTS; m.part++)
        sfu_model_each(m.model, m.part, add_slice, &m);
    if (ok)
        find_wholes(&m, uses);
    c->replacement = replacement;
    c->replacement_data = &m;
    ok = ok && sfu_file_convert(in, out, c, error);
    g_ptr_array_unref(m.stacks);
    g_hash_table_unref(m.wholes);
    g_hash_table_unref(m.slices);
    g_array_unref(uses);
    sfu_adapters_free(applied);
    sfu_model_close(m.model);
    return ok;
}

gboolean sfu_model_convert(const SfuConversion *o, GPtrArray *notes, GError **error)
{
    SfuConvert c = {.type = o->type, .replace = o->replace, .progress = o->progress, .data = o->data};
    GError *e = NULL;
    const gboolean merges = o->adapters && o->adapters[0];
    char *in = sfu_model_resolve(o->in, SFU_N_TASKS, error);
    if (!in)
        return FALSE;
    const gboolean ok =
        merges ? convert_merged(in, o->out, &c, o->adapters, notes, &e) : sfu_file_convert(in, o->out, &c, &e);
    g_free(in);
    return ok || sfu_error_convert(error, e);
}
