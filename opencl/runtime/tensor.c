/* Tensors: creation from the pool, views, host transfers.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "runtime/internal.h"
#include "runtime/half.h"
#include <string.h>

SfuTensor *sfu_tensor_create_in(SfuQueue *q, SfuDtype dtype, gint64 n_elements, gboolean pooled, GError **error)
{
    SfuBuffer *b = sfu_buffer_create(q, (size_t)n_elements * sfu_dtype_bytes(dtype), pooled, error);
    if (!b)
        return NULL;
    SfuTensor *t = g_new0(SfuTensor, 1);
    *t = (SfuTensor){.q = q, .dtype = dtype, .n = 1, .h = 1, .w = 1, .c = (int)n_elements, .buffer = b};
    return t;
}

SfuTensor *sfu_tensor_create(SfuQueue *q, SfuDtype dtype, int n, int h, int w, int c, GError **error)
{
    if (n < 1 || h < 1 || w < 1 || c < 1 || (double)n * h * w * c >= 2147483647.0) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE, "a tensor of %d x %d x %d x %d is not possible",
                    n, h, w, c);
        return NULL;
    }
    SfuTensor *t = sfu_tensor_create_in(q, dtype, (gint64)n * h * w * c, TRUE, error);
    if (t) {
        t->n = n;
        t->h = h;
        t->w = w;
        t->c = c;
    }
    return t;
}

void sfu_tensor_destroy(SfuTensor *t)
{
    if (!t)
        return;
    sfu_buffer_unref(t->buffer);
    g_free(t);
}

gint64 sfu_tensor_elements(const SfuTensor *t)
{
    return (gint64)t->n * t->h * t->w * t->c;
}

SfuTensor *sfu_tensor_view(const SfuTensor *x, size_t offset, int n, int h, int w, int c, GError **error)
{
    if (n < 1 || h < 1 || w < 1 || c < 1 || (double)offset + (double)n * h * w * c > (double)sfu_tensor_elements(x)) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    "a view of %d x %d x %d x %d does not lie inside a tensor of %d x %d x %d x %d", n, h, w, c, x->n,
                    x->h, x->w, x->c);
        return NULL;
    }
    SfuTensor *t = g_new0(SfuTensor, 1);
    *t = *x;
    t->n = n;
    t->h = h;
    t->w = w;
    t->c = c;
    t->offset += offset;
    t->buffer->refs++;
    return t;
}

/* PoCL-Remote calls a command done that was under way when the connection broke, and the data are not there. But it
 * knows by then that the device is gone. */
static cl_int read_result(const SfuQueue *q, cl_int r)
{
    cl_bool available = CL_TRUE;
    if (r == CL_SUCCESS && q->info.is_remote)
        r = clGetDeviceInfo(q->device, CL_DEVICE_AVAILABLE, sizeof available, &available, NULL);
    return available ? r : CL_DEVICE_NOT_AVAILABLE;
}

static gboolean transfer(const SfuTensor *t, void *host, gboolean write, GError **error)
{
    SfuQueue *q = t->q;
    const size_t size = sfu_dtype_bytes(t->dtype), at = t->offset * size, bytes = (size_t)sfu_tensor_elements(t) * size;
    if (sfu_queue_cancelled(q, error))
        return FALSE;
    if (!t->buffer->mem) { /* a rehearsal */
        if (!write)
            memset(host, 0, bytes);
        return TRUE;
    }
    cl_int r;
    if (write)
        r = clEnqueueWriteBuffer(q->queue, t->buffer->mem, CL_TRUE, at, bytes, host, 0, NULL, NULL);
    else
        r = read_result(q, clEnqueueReadBuffer(q->queue, t->buffer->mem, CL_TRUE, at, bytes, host, 0, NULL, NULL));
    return r == CL_SUCCESS || sfu_cl_fail(error, r, write ? "copying to the device" : "copying from the device");
}

static gboolean bad_dtype(const SfuTensor *t, GError **error)
{
    g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE, "a tensor of %s has no such host form",
                sfu_dtype_name(t->dtype));
    return FALSE;
}

gboolean sfu_tensor_write(SfuTensor *t, const float *host, GError **error)
{
    if (t->dtype == SFU_F32)
        return transfer(t, (void *)host, TRUE, error);
    if (t->dtype != SFU_F16)
        return bad_dtype(t, error);
    const gint64 n = sfu_tensor_elements(t);
    guint16 *h = g_new(guint16, n);
    for (gint64 i = 0; i < n; i++)
        h[i] = sfu_half_from_float(host[i]);
    const gboolean ok = transfer(t, h, TRUE, error);
    g_free(h);
    return ok;
}

gboolean sfu_tensor_read(const SfuTensor *t, float *host, GError **error)
{
    if (t->dtype == SFU_F32)
        return transfer(t, host, FALSE, error);
    if (t->dtype != SFU_F16)
        return bad_dtype(t, error);
    const gint64 n = sfu_tensor_elements(t);
    guint16 *h = g_new(guint16, n);
    const gboolean ok = transfer(t, h, FALSE, error);
    for (gint64 i = 0; ok && i < n; i++)
        host[i] = sfu_half_to_float(h[i]);
    g_free(h);
    return ok;
}
