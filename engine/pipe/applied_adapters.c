/* Adapters on the weights of all open models: files that are open, what each changes of which model, and what the
 * models carry now.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>
#include <glib/gi18n-lib.h>

/* An adapter on a model. */
typedef struct {
    SfuAdapterBase base;
    SfuBoundAdapter *bound;
    guint64 number; /* no other ever had it */
    gboolean used;
} Applied;

/* An adapter's file, and what it is on. */
typedef struct {
    char *path;
    SfuAdapter *file;
    GPtrArray *applied; /* Applied* */
} Opened;

struct SfuAdapters {
    SfuDeltas *deltas;
    GPtrArray *opened; /* Opened* */
    char *text_key;
    guint64 n_applied; /* ever */
};

static void applied_free(gpointer p)
{
    sfu_bound_adapter_free(((Applied *)p)->bound);
    g_free(p);
}

static void opened_free(gpointer p)
{
    Opened *o = p;
    g_ptr_array_unref(o->applied);
    sfu_adapter_close(o->file);
    g_free(o->path);
    g_free(o);
}

SfuAdapters *sfu_adapters_new(void)
{
    SfuAdapters *a = g_new0(SfuAdapters, 1);
    a->deltas = sfu_deltas_new();
    a->opened = g_ptr_array_new_with_free_func(opened_free);
    return a;
}

void sfu_adapters_free(SfuAdapters *a)
{
    if (!a)
        return;
    sfu_deltas_free(a->deltas); /* first: they use the adapters' */
    g_ptr_array_unref(a->opened);
    g_free(a->text_key);
    g_free(a);
}

const char *sfu_adapters_text_key(const SfuAdapters *a)
{
    return a && a->text_key ? a->text_key : "";
}

void sfu_adapters_bundles(const SfuAdapters *a, GHashTable *names)
{
    for (guint i = 0; a && i < a->opened->len; i++)
        sfu_adapter_bundles(((const Opened *)a->opened->pdata[i])->file, names);
}

gboolean sfu_adapters_check_intact(const SfuAdapters *a, GError **error)
{
    for (guint i = 0; a && i < a->opened->len; i++)
        if (!sfu_adapter_check_intact(((const Opened *)a->opened->pdata[i])->file, error))
            return FALSE;
    return TRUE;
}

static Opened *open_file(SfuAdapters *a, const char *path, GError **error)
{
    for (guint i = 0; i < a->opened->len; i++) {
        Opened *o = a->opened->pdata[i];
        if (strcmp(o->path, path) != 0)
            continue;
        if (sfu_adapter_check_unchanged(o->file, NULL))
            return o;
        sfu_deltas_set(a->deltas, NULL, 0); /* a new file of the old name: nothing may use the old one */
        g_ptr_array_remove_index(a->opened, i);
        break;
    }
    SfuAdapter *file = sfu_adapter_open(path, error);
    if (!file)
        return NULL;
    Opened *o = g_new(Opened, 1);
    *o = (Opened){g_strdup(path), file, g_ptr_array_new_with_free_func(applied_free)};
    g_ptr_array_add(a->opened, o);
    return o;
}

static Applied *apply(SfuAdapters *a, Opened *o, const SfuAdapterBase *base, GError **error)
{
    for (guint i = 0; i < o->applied->len; i++)
        if (memcmp(&((const Applied *)o->applied->pdata[i])->base, base, sizeof *base) == 0)
            return o->applied->pdata[i];
    SfuBoundAdapter *bound = sfu_adapter_bind(o->file, base, error);
    if (!bound)
        return NULL;
    Applied *w = g_new(Applied, 1);
    *w = (Applied){*base, bound, ++a->n_applied, FALSE};
    g_ptr_array_add(o->applied, w);
    return w;
}

static gboolean has_bundle(const SfuAdapter *a)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    sfu_adapter_bundles(a, names);
    const gboolean any = g_hash_table_size(names) > 0;
    g_hash_table_unref(names);
    return any;
}

/* What a call gathers. */
typedef struct {
    GArray *uses;     /* SfuDeltaUse */
    GPtrArray *notes; /* char*: what is not taken of adapters */
    GString *text_key;
} Gathered;

/* One adapter on all models of a run; it may not fit the second, which makes the last steps. */
static gboolean apply_to_all(SfuAdapters *a, const SfuAdapterChoice *want, const SfuAdapterBase *bases, int n,
                             Gathered *gathered, GError **error)
{
    Opened *o = open_file(a, want->path, error);
    for (int i = 0; o && i < n; i++) {
        GError *local = NULL;
        Applied *w = apply(a, o, &bases[i], &local);
        if (!w && i > 0 && g_error_matches(local, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY)) {
            g_ptr_array_add(gathered->notes,
                            g_strdup_printf(_("%s does not fit %s; it changes %s alone."), want->path,
                                            sfu_model_path(bases[i].model), sfu_model_path(bases[0].model)));
            g_error_free(local);
            continue;
        }
        if (!w) {
            g_propagate_error(error, local);
            return FALSE;
        }
        w->used = TRUE;
        sfu_bound_adapter_use(w->bound, want->weight, want->text, gathered->uses);
        if (sfu_bound_adapter_note(w->bound))
            g_ptr_array_add(gathered->notes, g_strdup(sfu_bound_adapter_note(w->bound)));
        if ((want->text != 0 && sfu_bound_adapter_has_text(w->bound)) || has_bundle(o->file))
            g_string_append_printf(gathered->text_key, "%" G_GUINT64_FORMAT " %.9g ", w->number, (double)want->text);
    }
    return o != NULL;
}

static void set_used(SfuAdapters *a, gboolean drop)
{
    for (guint i = a->opened->len; i-- > 0;) {
        Opened *o = a->opened->pdata[i];
        for (guint k = o->applied->len; k-- > 0;) {
            Applied *w = o->applied->pdata[k];
            if (drop && !w->used)
                g_ptr_array_remove_index(o->applied, k);
            else
                w->used = drop && w->used;
        }
        if (drop && !o->applied->len)
            g_ptr_array_remove_index(a->opened, i);
    }
}

const SfuAdapter *sfu_adapters_open(SfuAdapters *a, const char *path, GError **error)
{
    const Opened *o = open_file(a, path, error);
    return o ? o->file : NULL;
}

gboolean sfu_adapters_apply(SfuAdapters *a, const GArray *choices, const SfuAdapterBase *bases, int n_bases,
                            GArray *uses, GPtrArray *notes, GError **error)
{
    Gathered gathered = {uses, notes, g_string_new(NULL)};
    gboolean ok = TRUE;
    set_used(a, FALSE);
    for (guint i = 0; ok && i < choices->len; i++)
        ok = apply_to_all(a, &g_array_index(choices, SfuAdapterChoice, i), bases, n_bases, &gathered, error);
    if (ok) {
        sfu_deltas_set(a->deltas, (const SfuDeltaUse *)(gconstpointer)uses->data, uses->len);
        set_used(a, TRUE);
        g_free(a->text_key);
        a->text_key = g_strdup(gathered.text_key->str);
    }
    g_string_free(gathered.text_key, TRUE);
    return ok;
}
