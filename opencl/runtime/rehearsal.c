/* Rehearsals: a pass of a network of which only the cost is wanted. And the rates that real passes had.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/internal.h"

struct SfuRehearsing {
    SfuRehearsal cost;
    guint64 live;        /* bytes of tensors */
    GHashTable *layouts; /* "weight layout" -> SfuTensor*, without memory */
};

static void layout_free(gpointer t)
{
    sfu_tensor_destroy(t);
}

void sfu_queue_rehearse_begin(SfuQueue *q)
{
    g_return_if_fail(!q->rehearsing);
    q->rehearsing = g_new0(SfuRehearsing, 1);
    q->rehearsing->layouts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, layout_free);
}

void sfu_queue_rehearse_end(SfuQueue *q, SfuRehearsal *cost)
{
    SfuRehearsing *r = q->rehearsing;
    g_return_if_fail(r);
    *cost = r->cost;
    g_hash_table_unref(r->layouts);
    q->rehearsing = NULL;
    g_free(r);
}

SfuBuffer *sfu_rehearse_buffer(SfuQueue *q, size_t bytes)
{
    SfuRehearsing *r = q->rehearsing;
    SfuBuffer *b = g_new0(SfuBuffer, 1);
    *b = (SfuBuffer){.q = q, .bytes = bytes, .refs = 1};
    r->live += bytes;
    r->cost.tensor_bytes = MAX(r->cost.tensor_bytes, r->live);
    return b;
}

/* One may outlive its rehearsal, in a network that is given something else before it is run. */
void sfu_rehearse_buffer_free(SfuBuffer *b)
{
    if (b->q->rehearsing)
        b->q->rehearsing->live -= MIN(b->bytes, b->q->rehearsing->live);
    g_free(b);
}

const SfuTensor *sfu_rehearse_layout(SfuQueue *q, const SfuWeight *w, const char *layout, SfuDtype dtype,
                                     gint64 n_elements)
{
    SfuRehearsing *r = q->rehearsing;
    char *key = g_strdup_printf("%p %s", (gconstpointer)w, layout);
    SfuTensor *t = g_hash_table_lookup(r->layouts, key);
    if (!t) {
        SfuBuffer *b = g_new0(SfuBuffer, 1);
        *b = (SfuBuffer){.q = q, .bytes = (size_t)n_elements * sfu_dtype_bytes(dtype), .refs = 1};
        t = g_new0(SfuTensor, 1);
        *t = (SfuTensor){.q = q, .dtype = dtype, .n = 1, .h = 1, .w = 1, .c = (int)n_elements, .buffer = b};
        r->cost.weight_bytes += (guint64)n_elements * sfu_dtype_bytes(dtype);
        g_hash_table_insert(r->layouts, g_steal_pointer(&key), t);
    }
    g_free(key);
    return t;
}

void sfu_rehearse_flops(SfuQueue *q, double flops)
{
    q->rehearsing->cost.flops += flops;
}

/* ---- rates ---- */

#define GROUP "operations a second"

static char *rates_path(SfuQueue *q)
{
    return g_build_filename(sfu_cache_dir(q), "rates", NULL);
}

/* What a rate depends on besides the device. Caller frees. */
static char *rate_key(const SfuQueue *q, const char *kind)
{
    return g_strdup_printf("%s %d %d", kind, (int)q->family, (int)q->precision);
}

double sfu_queue_rate(SfuQueue *q, const char *kind)
{
    char *path = rates_path(q), *key = rate_key(q, kind);
    GKeyFile *f = g_key_file_new();
    double rate = 0;
    if (g_key_file_load_from_file(f, path, G_KEY_FILE_NONE, NULL))
        rate = g_key_file_get_double(f, GROUP, key, NULL);
    g_key_file_unref(f);
    g_free(path);
    g_free(key);
    return rate > 1e6 && rate < 1e18 ? rate : 0;
}

void sfu_queue_note_rate(SfuQueue *q, const char *kind, double rate)
{
    if (!(rate > 1e6 && rate < 1e18))
        return;
    const double before = sfu_queue_rate(q, kind);
    char *path = rates_path(q), *key = rate_key(q, kind);
    GKeyFile *f = g_key_file_new();
    g_key_file_load_from_file(f, path, G_KEY_FILE_NONE, NULL);
    /* What compiles or reads files on the way is slower than it will be. */
    g_key_file_set_double(f, GROUP, key, rate > before ? rate : (3 * before + rate) / 4);
    g_key_file_save_to_file(f, path, NULL); /* by rename; a rate that is lost is measured again */
    g_key_file_unref(f);
    g_free(path);
    g_free(key);
}
