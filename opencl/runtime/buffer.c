/* The budget of a queue, and its pool of buffers.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/internal.h"
#include <inttypes.h>
#include <glib/gi18n-lib.h>

static void buffer_free(SfuBuffer *b)
{
    clReleaseMemObject(b->mem);
    b->q->used -= b->bytes;
    if (b->pooled)
        b->q->pooled -= b->bytes;
    g_free(b);
}

/* Takes the longest unused buffer out of the pool. */
static void drop_pooled(SfuQueue *q)
{
    SfuBuffer *b = g_ptr_array_remove_index(q->free_buffers, 0);
    q->idle -= b->bytes;
    buffer_free(b);
}

/* Sizes are rounded so that the pool's buffers fit again: to 1/8 of the power of two below. */
static size_t round_size(size_t bytes)
{
    size_t step = 256;
    while (step * 16 < bytes)
        step *= 2;
    return (bytes + step - 1) / step * step;
}

void sfu_queue_trim(SfuQueue *q)
{
    while (q->free_buffers->len)
        drop_pooled(q);
}

void sfu_queue_hold_peak(SfuQueue *q, guint64 least)
{
    const guint64 limit = MAX(least, q->held_least);
    if (!q->info.unified_memory)
        return;
    q->held = least ? MAX(q->peak, least) : 0;
    q->held_least = least;
    q->held_since = q->op_serial;
    if (q->used > limit)
        sfu_queue_trim(q);
}

/* While the peak is held: drops a layout that nothing has used since. */
static gboolean evict_old(SfuQueue *q)
{
    const SfuLayout *l = g_queue_peek_head(&q->layouts);
    return l && l->last_use < q->held_since && sfu_weight_evict_one(q);
}

/* The pool's smallest buffer that holds `bytes` without wasting more than a quarter of them; NULL. */
static SfuBuffer *take_pooled(SfuQueue *q, size_t bytes)
{
    int best = -1;
    for (int i = (int)q->free_buffers->len - 1; i >= 0; i--) {
        const SfuBuffer *b = g_ptr_array_index(q->free_buffers, i);
        if (b->bytes >= bytes && b->bytes <= bytes + bytes / 4 &&
            (best < 0 || b->bytes < ((SfuBuffer *)g_ptr_array_index(q->free_buffers, best))->bytes))
            best = i;
    }
    if (best < 0)
        return NULL;
    SfuBuffer *b = g_ptr_array_remove_index(q->free_buffers, (guint)best);
    q->idle -= b->bytes;
    b->refs = 1;
    q->peak_live = MAX(q->peak_live, q->pooled - q->idle);
    return b;
}

/* Sizes that are over with (lower levels of a network, another network) must not pile up: the pool holds at most a
 * quarter more than was ever in use at once, `bytes` more included. */
static void shrink_pool(SfuQueue *q, size_t bytes)
{
    q->peak_live = MAX(q->peak_live, q->pooled - q->idle + bytes);
    while (q->free_buffers->len && q->pooled + bytes > q->peak_live + q->peak_live / 4)
        drop_pooled(q);
}

/* Drops a buffer of the pool or else the weights that were used longest ago; FALSE if there are none. */
static gboolean make_room(SfuQueue *q)
{
    if (!q->free_buffers->len)
        return sfu_weight_evict_one(q);
    drop_pooled(q);
    return TRUE;
}

/* Makes room for `bytes` within the budget. FALSE with MEMORY. */
static gboolean fits_budget(SfuQueue *q, size_t bytes, GError **error)
{
    if (bytes > q->info.max_alloc_bytes && q->info.max_alloc_bytes) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_MEMORY,
                    _("one buffer of %zu bytes is more than the device can allocate at once (%" PRIu64 ")"), bytes,
                    q->info.max_alloc_bytes);
        return FALSE;
    }
    while (q->held && q->used + bytes > q->held && evict_old(q))
        ;
    while (q->used + bytes > q->budget && make_room(q))
        ;
    if (q->used + bytes <= q->budget)
        return TRUE;
    g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_MEMORY,
                _("%zu more bytes do not fit the memory budget of %" PRIu64 " bytes (%" PRIu64 " in use)"), bytes,
                q->budget, q->used);
    return FALSE;
}

/* A new buffer of the driver; as long as it has no memory, room is made. NULL with error set. */
static cl_mem allocate(SfuQueue *q, size_t bytes, GError **error)
{
    const cl_mem_flags flags = CL_MEM_READ_WRITE | (q->info.unified_memory ? CL_MEM_ALLOC_HOST_PTR : 0);
    for (;;) {
        cl_int r;
        cl_mem mem = clCreateBuffer(q->context, flags, bytes, NULL, &r);
        if (r == CL_SUCCESS)
            return mem;
        if (!make_room(q)) {
            char *what = g_strdup_printf("a buffer of %" G_GSIZE_FORMAT " bytes", bytes);
            sfu_cl_fail(error, r, what);
            g_free(what);
            return NULL;
        }
    }
}

SfuBuffer *sfu_buffer_create(SfuQueue *q, size_t bytes, gboolean pooled, GError **error)
{
    bytes = round_size(MAX(bytes, 4));
    if (q->rehearsing)
        return sfu_rehearse_buffer(q, bytes);
    SfuBuffer *b = pooled ? take_pooled(q, bytes) : NULL;
    if (b)
        return b;
    if (pooled)
        shrink_pool(q, bytes);
    cl_mem mem = fits_budget(q, bytes, error) ? allocate(q, bytes, error) : NULL;
    if (!mem)
        return NULL;
    b = g_new0(SfuBuffer, 1);
    *b = (SfuBuffer){.q = q, .mem = mem, .bytes = bytes, .refs = 1, .pooled = pooled};
    q->used += bytes;
    if (pooled)
        q->pooled += bytes;
    q->peak = MAX(q->peak, q->used);
    return b;
}

void sfu_buffer_unref(SfuBuffer *b)
{
    if (!b || --b->refs > 0)
        return;
    if (!b->mem) {
        sfu_rehearse_buffer_free(b);
        return;
    }
    if (b->pooled) {
        g_ptr_array_add(b->q->free_buffers, b);
        b->q->idle += b->bytes;
    } else
        buffer_free(b);
}
