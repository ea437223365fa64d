/* Weights: learned tensors on the host and their layouts on the device.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/internal.h"
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

#define MAX_DIMS 8

struct SfuWeight {
    char *name;
    SfuDtype dtype;
    int n_dims;
    gint64 dims[MAX_DIMS];
    gint64 n_elements;
    const void *host;
    void *owned;       /* == host if taken */
    SfuWeight **parts; /* of a concatenation; host is NULL then */
    int n_parts;
    GPtrArray *users; /* SfuWeight*, borrowed: concatenations that this is a part of; NULL: none */
    SfuWeightScale scale;
    SfuWeightCheck check; /* NULL: none */
    gconstpointer source;
    SfuWeightChange change; /* NULL: none */
    gpointer change_data;
    gint64 change_group; /* rows that are changed together */
    float *changed;      /* all values after the change, while a layout is made of them; else NULL */
    GPtrArray *layouts;  /* SfuLayout*, few */
    int fits_f16;        /* 0: not looked at yet; 1: no; 2: yes */
};

static SfuWeight *weight_new(const char *name, SfuDtype dtype, int n_dims, const gint64 *dims)
{
    SfuWeight *w = g_new0(SfuWeight, 1);
    w->name = g_strdup(name);
    w->dtype = dtype;
    w->n_dims = CLAMP(n_dims, 0, MAX_DIMS);
    w->n_elements = 1;
    for (int i = 0; i < w->n_dims; i++) {
        w->dims[i] = dims[i];
        w->n_elements *= dims[i];
    }
    w->layouts = g_ptr_array_new();
    return w;
}

SfuWeight *sfu_weight_new(const char *name, SfuDtype dtype, int n_dims, const gint64 *dims, const void *host,
                          size_t host_bytes)
{
    SfuWeight *w = weight_new(name, dtype, n_dims, dims);
    g_return_val_if_fail(host_bytes >= sfu_dtype_size(dtype, w->n_elements), w);
    w->host = host;
    return w;
}

SfuWeight *sfu_weight_new_take(const char *name, SfuDtype dtype, int n_dims, const gint64 *dims, void *host,
                               size_t host_bytes)
{
    SfuWeight *w = sfu_weight_new(name, dtype, n_dims, dims, host, host_bytes);
    w->owned = host;
    return w;
}

SfuWeight *sfu_weight_concat(const char *name, SfuWeight *const *parts, int n_parts)
{
    gint64 dims[MAX_DIMS];
    for (int i = 0; i < MAX_DIMS; i++)
        dims[i] = parts[0]->dims[i];
    SfuDtype dtype = sfu_weight_dtype(parts[0]);
    for (int i = 1; i < n_parts; i++) {
        dims[0] += parts[i]->dims[0];
        dtype = sfu_weight_dtype(parts[i]) == dtype ? dtype : SFU_F32;
    }
    SfuWeight *w = weight_new(name, dtype, parts[0]->n_dims, dims);
    w->parts = g_memdup2(parts, sizeof *parts * (size_t)n_parts);
    w->n_parts = n_parts;
    for (int i = 0; i < n_parts; i++) {
        if (!parts[i]->users)
            parts[i]->users = g_ptr_array_new();
        g_ptr_array_add(parts[i]->users, w);
    }
    return w;
}

static void layout_drop(SfuLayout *l)
{
    g_queue_unlink(&l->tensor->q->layouts, &l->link);
    g_ptr_array_remove_fast(l->weight->layouts, l);
    sfu_tensor_destroy(l->tensor);
    g_free(l->key);
    g_free(l);
}

void sfu_weight_unload(SfuWeight *w)
{
    while (w->layouts->len) {
        SfuLayout *l = g_ptr_array_index(w->layouts, 0);
        clFinish(l->tensor->q->queue);
        layout_drop(l);
    }
}

void sfu_weight_destroy(SfuWeight *w)
{
    if (!w)
        return;
    sfu_weight_unload(w);
    for (int i = 0; i < w->n_parts; i++)
        g_ptr_array_remove_fast(w->parts[i]->users, w);
    g_clear_pointer(&w->users, g_ptr_array_unref);
    g_ptr_array_unref(w->layouts);
    g_free(w->owned);
    g_free(w->parts);
    g_free(w->name);
    g_free(w);
}

const char *sfu_weight_name(const SfuWeight *w)
{
    return w->name;
}

static gboolean is_changed(const SfuWeight *w)
{
    gboolean changed = w->change != NULL;
    for (int i = 0; i < w->n_parts && !changed; i++)
        changed = is_changed(w->parts[i]);
    return changed;
}

SfuDtype sfu_weight_dtype(const SfuWeight *w)
{
    return w->scale.n || w->scale.rotation || is_changed(w) ? SFU_F32 : w->dtype;
}
int sfu_weight_n_dims(const SfuWeight *w)
{
    return w->n_dims;
}
gint64 sfu_weight_dim(const SfuWeight *w, int i)
{
    return i < w->n_dims ? w->dims[i] : 1;
}
gint64 sfu_weight_elements(const SfuWeight *w)
{
    return w->n_elements;
}

void sfu_weight_set_scale(SfuWeight *w, const SfuWeightScale *scale)
{
    g_return_if_fail(scale->n == 0 || scale->n == 1 || scale->n == sfu_weight_dim(w, 0));
    g_return_if_fail(scale->rotation <= SFU_MOST_ROTATION &&
                     (!scale->rotation || sfu_weight_dim(w, w->n_dims - 1) % scale->rotation == 0));
    w->scale = *scale;
}

void sfu_weight_set_check(SfuWeight *w, SfuWeightCheck check, gconstpointer source)
{
    w->check = check;
    w->source = source;
}

static gboolean check_source(const SfuWeight *w, GError **error)
{
    for (int i = 0; i < w->n_parts; i++)
        if (!check_source(w->parts[i], error))
            return FALSE;
    return !w->check || w->check(w->source, error);
}

static void forget_values(SfuWeight *w)
{
    sfu_weight_unload(w);
    w->fits_f16 = 0;
    for (guint i = 0; w->users && i < w->users->len; i++)
        forget_values(g_ptr_array_index(w->users, i));
}

void sfu_weight_set_change(SfuWeight *w, SfuWeightChange change, gpointer data, gint64 group)
{
    g_return_if_fail(!w->n_parts);
    w->change = change;
    w->change_data = data;
    w->change_group = group;
    forget_values(w);
}

/* v <- v H, where H is the normalized Kronecker power of H4 = [1 1 1 -1; 1 1 -1 1; 1 -1 1 1; -1 1 1 1] / 2, its own
 * inverse; n = 4^k. */
static void rotate(float *v, int n)
{
    for (int step = 1; step < n; step *= 4)
        for (int i = 0; i < n; i++) {
            if (i / step % 4)
                continue;
            const float a = v[i], b = v[i + step], c = v[i + 2 * step], d = v[i + 3 * step],
                        half = 0.5f * (a + b + c + d);
            v[i] = half - d;
            v[i + step] = half - c;
            v[i + 2 * step] = half - b;
            v[i + 3 * step] = half - a;
        }
}

static void read_scaled(const SfuWeight *w, gint64 first, gint64 n, float *out)
{
    const gint64 row = w->scale.n > 1 ? w->n_elements / w->scale.n : w->n_elements;
    sfu_dtype_widen(w->dtype, w->host, first, n, out);
    while (w->scale.n && n > 0) {
        const gint64 take = MIN(n, row - first % row);
        float scale;
        sfu_dtype_widen(w->scale.dtype, w->scale.values, first / row, 1, &scale);
        for (gint64 i = 0; i < take; i++)
            out[i] *= scale;
        out += take;
        first += take;
        n -= take;
    }
}

static void read_rotated(const SfuWeight *w, gint64 first, gint64 n, float *out)
{
    const gint64 size = w->scale.rotation;
    float group[SFU_MOST_ROTATION];
    while (n > 0) {
        const gint64 skip = first % size, take = MIN(n, size - skip);
        read_scaled(w, first - skip, size, group);
        rotate(group, (int)size);
        memcpy(out, group + skip, sizeof *out * (size_t)take);
        out += take;
        first += take;
        n -= take;
    }
}

static void read_stored(const SfuWeight *w, gint64 first, gint64 n, float *out)
{
    if (w->scale.rotation)
        read_rotated(w, first, n, out);
    else
        read_scaled(w, first, n, out);
}

static gint64 row_size(const SfuWeight *w)
{
    return w->n_dims && w->dims[0] ? w->n_elements / w->dims[0] : 1;
}

static void read_changed(const SfuWeight *w, gint64 first, gint64 n, float *out)
{
    const gint64 row = row_size(w), group = row * w->change_group, from = first / group * w->change_group,
                 all = w->n_elements / row, rows = MIN(all, (first + n + group - 1) / group * w->change_group) - from;
    const gboolean whole = first == from * row && n == rows * row;
    float *v = whole ? out : g_new(float, rows *row);
    read_stored(w, from * row, rows * row, v);
    w->change(w->change_data, from, rows, v);
    if (!whole) {
        memcpy(out, v + first - from * row, sizeof *out * (size_t)n);
        g_free(v);
    }
}

void sfu_weight_read_f32(const SfuWeight *w, gint64 first, gint64 n, float *out)
{
    g_return_if_fail(first >= 0 && n >= 0 && first + n <= w->n_elements);
    for (int p = 0; p < w->n_parts; p++) {
        const gint64 have = w->parts[p]->n_elements;
        const gint64 take = MIN(n, have - first);
        if (take > 0) {
            sfu_weight_read_f32(w->parts[p], first, take, out);
            out += take;
            n -= take;
        }
        first = MAX(0, first - have);
    }
    if (w->n_parts || !n)
        return;
    if (w->changed)
        memcpy(out, w->changed + first, sizeof *out * (size_t)n);
    else if (w->change)
        read_changed(w, first, n, out);
    else
        read_stored(w, first, n, out);
}

float *sfu_weight_values(const SfuWeight *w)
{
    const gint64 n = sfu_weight_elements(w);
    float *v = g_new(float, n);
    sfu_weight_read_f32(w, 0, n, v);
    return v;
}

SfuDtype sfu_weight_stored(const SfuWeight *w)
{
    if (w->change || w->scale.rotation || (w->scale.n && sfu_dtype_block(w->dtype) > 1))
        return SFU_F32;
    const SfuDtype first = w->n_parts ? sfu_weight_stored(w->parts[0]) : w->dtype;
    for (int i = 1; i < w->n_parts; i++)
        if (sfu_weight_stored(w->parts[i]) != first)
            return SFU_F32;
    return first;
}

double sfu_weight_stored_bytes(const SfuWeight *w)
{
    double bytes = w->n_parts ? 0 : (double)sfu_dtype_size(w->dtype, w->n_elements);
    for (int i = 0; i < w->n_parts; i++)
        bytes += sfu_weight_stored_bytes(w->parts[i]);
    return bytes;
}

const void *sfu_weight_row(const SfuWeight *w, gint64 row, float *scale)
{
    for (int i = 0; i < w->n_parts; i++) {
        if (row < w->parts[i]->dims[0])
            return sfu_weight_row(w->parts[i], row, scale);
        row -= w->parts[i]->dims[0];
    }
    g_return_val_if_fail(w->host, NULL);
    *scale = 1;
    if (w->scale.n)
        sfu_dtype_widen(w->scale.dtype, w->scale.values, w->scale.n > 1 ? row : 0, 1, scale);
    return (const guint8 *)w->host + sfu_dtype_size(w->dtype, row * row_size(w));
}

/* ---- work that all cores share ---- */

#define SLAB_VALUES (1 << 18) /* at least so many values for a thread at a time */

typedef struct {
    void (*work)(gint64 first, gint64 end, gpointer data);
    gpointer data;
    gint64 n, step;
    int next; /* slab of `step` parts */
} Shared;

static gpointer take_slabs(gpointer data)
{
    Shared *s = data;
    for (gint64 at; (at = g_atomic_int_add(&s->next, 1) * s->step) < s->n;)
        s->work(at, MIN(at + s->step, s->n), s->data);
    return NULL;
}

/* Calls work() for slabs of the n parts, which have so many values in all, on all cores. Slabs begin at multiples of
 * `group` parts. */
static void share(gint64 n, gint64 values, gint64 group, void (*work)(gint64 first, gint64 end, gpointer data),
                  gpointer data)
{
    GThread *threads[64];
    Shared s = {.work = work, .data = data, .n = n};
    s.step = (CLAMP(SLAB_VALUES * n / MAX(1, values), 1, MAX(1, n)) + group - 1) / group * group;
    const gint64 most = MIN((gint64)G_N_ELEMENTS(threads), (gint64)g_get_num_processors() - 1);
    const int more = (int)CLAMP((n + s.step - 1) / s.step - 1, 0, most);
    int started = 0; /* the system may have no more threads; g_thread_new() would end the process then */
    while (started < more && (threads[started] = g_thread_try_new("weights", take_slabs, &s, NULL)))
        started++;
    take_slabs(&s);
    for (int i = 0; i < started; i++)
        g_thread_join(threads[i]);
}

/* ---- changed values, made before a layout is packed of them ---- */

static void change_rows(gint64 first, gint64 end, gpointer data)
{
    const SfuWeight *w = data;
    const gint64 row = row_size(w);
    read_changed(w, first * row, (end - first) * row, w->changed + first * row);
}

static void make_changed(SfuWeight *w)
{
    for (int i = 0; i < w->n_parts; i++)
        make_changed(w->parts[i]);
    if (!w->change || !w->n_elements)
        return;
    float *values = g_new(float, w->n_elements);
    w->changed = values;
    share(w->n_elements / row_size(w), w->n_elements, w->change_group, change_rows, w);
}

static void drop_changed(SfuWeight *w)
{
    for (int i = 0; i < w->n_parts; i++)
        drop_changed(w->parts[i]);
    g_clear_pointer(&w->changed, g_free);
}

typedef struct {
    const SfuWeight *w;
    int beyond; /* whether a value is */
} Range;

static void look_at_range(gint64 first, gint64 end, gpointer data)
{
    Range *r = data;
    float v[4096];
    for (gint64 i = first; i < end && !g_atomic_int_get(&r->beyond); i += G_N_ELEMENTS(v)) {
        const gint64 n = MIN((gint64)G_N_ELEMENTS(v), end - i);
        gboolean fits = TRUE;
        sfu_weight_read_f32(r->w, i, n, v);
        for (gint64 k = 0; k < n; k++)
            fits &= v[k] >= -65504.0f && v[k] <= 65504.0f;
        if (!fits)
            g_atomic_int_set(&r->beyond, 1);
    }
}

gboolean sfu_weight_fits_f16(SfuWeight *w)
{
    if (!w->fits_f16) {
        Range r = {.w = w};
        make_changed(w);
        if (sfu_weight_dtype(w) != SFU_F16)
            share(w->n_elements, w->n_elements, SFU_MOST_BLOCK, look_at_range, &r);
        drop_changed(w);
        w->fits_f16 = r.beyond ? 1 : 2;
    }
    return w->fits_f16 == 2;
}

static gboolean is_quantized(const SfuWeight *w)
{
    for (int i = 0; i < w->n_parts; i++)
        if (!is_quantized(w->parts[i]) && w->parts[i]->dtype != SFU_F16)
            return FALSE;
    return w->n_parts || sfu_dtype_block(w->dtype) > 1 || w->scale.n || w->dtype == SFU_F8_E4M3 ||
           w->dtype == SFU_F8_E5M2 || (w->change && w->dtype == SFU_F16);
}

/* Whether all values in the file are plain fp16. */
static gboolean is_half_file(const SfuWeight *w)
{
    for (int i = 0; i < w->n_parts; i++)
        if (!is_half_file(w->parts[i]))
            return FALSE;
    return w->n_parts || (w->dtype == SFU_F16 && !w->scale.n);
}

gboolean sfu_weight_half(SfuQueue *q, SfuWeight *w)
{
    const SfuDtype t = sfu_weight_dtype(w);
    if (t == SFU_F16 || t == SFU_F8_E4M3 || t == SFU_F8_E5M2)
        return TRUE;
    const gboolean rounded = sfu_queue_precision(q) != SFU_PRECISION_FP32 && is_quantized(w),
                   changed = !q->exact && is_half_file(w); /* by an adapter, or it would be F16 */
    return (rounded || changed) && sfu_weight_fits_f16(w);
}

/* The mapped pages have been copied to the device; keeping them resident too would double the memory. They are clean,
 * so the kernel reads them again from the file if needed. */
static void forget_pages(const SfuWeight *w)
{
    for (int i = 0; i < w->n_parts; i++)
        forget_pages(w->parts[i]);
#ifdef __linux__
    if (!w->host || w->owned)
        return;
    const guintptr page = (guintptr)sysconf(_SC_PAGESIZE);
    const guintptr from = ((guintptr)w->host + page - 1) / page * page;
    const guintptr to = ((guintptr)w->host + sfu_dtype_size(w->dtype, w->n_elements)) / page * page;
    if (to > from + 16 * page) /* PAGEOUT, unlike DONTNEED, keeps the contents of memory that is not a file's */
        (void)madvise((void *)from, to - from, 21 /* MADV_PAGEOUT, Linux 5.4 */);
#endif
}

gboolean sfu_weight_evict_one(SfuQueue *q)
{
    SfuLayout *l = g_queue_peek_head(&q->layouts);
    /* Those of the op being enqueued were touched after the last launch. */
    if (!l || l->last_use >= q->op_serial)
        return FALSE;
    clFinish(q->queue);
    layout_drop(l);
    return TRUE;
}

void sfu_weight_drop_queue(SfuQueue *q)
{
    SfuLayout *l;
    while ((l = g_queue_peek_head(&q->layouts)))
        layout_drop(l);
}

typedef struct {
    const SfuWeight *w;
    void *dst;
    size_t part_bytes;
    SfuWeightPack pack;
    gconstpointer params;
} Packing;

static void pack_parts(gint64 first, gint64 end, gpointer data)
{
    const Packing *p = data;
    p->pack(p->w, p->dst, p->part_bytes, first, end, p->params);
}

const SfuTensor *sfu_weight_on_device(SfuQueue *q, SfuWeight *w, const char *layout, SfuDtype dtype, gint64 n_elements,
                                      gint64 n_parts, SfuWeightPack pack, gconstpointer params, GError **error)
{
    if (q->rehearsing)
        return sfu_rehearse_layout(q, w, layout, dtype, n_elements);
    for (guint i = 0; i < w->layouts->len; i++) {
        SfuLayout *l = g_ptr_array_index(w->layouts, i);
        if (l->tensor->q != q || strcmp(l->key, layout) != 0)
            continue;
        l->last_use = q->op_serial;
        g_queue_unlink(&q->layouts, &l->link);
        g_queue_push_tail_link(&q->layouts, &l->link);
        return l->tensor;
    }
    SfuTensor *t = check_source(w, error) ? sfu_tensor_create_in(q, dtype, n_elements, FALSE, error) : NULL;
    if (!t)
        return NULL;
    const size_t bytes = (size_t)n_elements * sfu_dtype_bytes(dtype);
    cl_int r;
    void *dst = clEnqueueMapBuffer(q->queue, t->buffer->mem, CL_TRUE, CL_MAP_WRITE, 0, bytes, 0, NULL, NULL, &r);
    if (r != CL_SUCCESS) {
        sfu_cl_fail(error, r, w->name);
        sfu_tensor_destroy(t);
        return NULL;
    }
    make_changed(w);
    Packing packing = {w, dst, bytes / (size_t)n_parts, pack, params};
    share(n_parts, n_elements, 1, pack_parts, &packing);
    drop_changed(w);
    r = clEnqueueUnmapMemObject(q->queue, t->buffer->mem, dst, 0, NULL, NULL);
    if (r != CL_SUCCESS) {
        sfu_cl_fail(error, r, w->name);
        sfu_tensor_destroy(t);
        return NULL;
    }
    forget_pages(w);
    SfuLayout *l = g_new0(SfuLayout, 1);
    l->weight = w;
    l->key = g_strdup(layout);
    l->tensor = t;
    l->last_use = q->op_serial;
    l->link.data = l;
    g_queue_push_tail_link(&q->layouts, &l->link);
    g_ptr_array_add(w->layouts, l);
    return t;
}

static void pack_f32(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer params)
{
    sfu_weight_read_f32(w, 0, w->n_elements, dst);
}

const SfuTensor *sfu_weight_f32(SfuQueue *q, SfuWeight *w, GError **error)
{
    return sfu_weight_on_device(q, w, "f32", SFU_F32, w->n_elements, 1, pack_f32, NULL, error);
}
