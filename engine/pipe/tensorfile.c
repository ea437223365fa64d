/* Latents, noise and traces as safetensors files, in PyTorch's order, for comparison with other programs.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#include "file/file.h"

static gboolean write_file(const char *path, const char *name, const gint64 *dims, int n_dims, const float *x, gint64 n,
                           GError **error)
{
    GString *head = g_string_new(NULL);
    g_string_printf(head, "{\"%s\":{\"dtype\":\"F32\",\"shape\":[", name);
    for (int i = 0; i < n_dims; i++)
        g_string_append_printf(head, "%s%" G_GINT64_FORMAT, i ? "," : "", dims[i]);
    g_string_append_printf(head, "],\"data_offsets\":[0,%" G_GINT64_FORMAT "]}}", n * (gint64)sizeof(float));
    while (head->len % 8)
        g_string_append_c(head, ' ');
    const guint64 head_bytes = GUINT64_TO_LE(head->len);
    const gsize total = 8 + head->len + n * sizeof(float);
    char *data = g_try_malloc(total);
    gboolean ok = data != NULL;
    if (ok) {
        memcpy(data, &head_bytes, 8);
        memcpy(data + 8, head->str, head->len);
        memcpy(data + 8 + head->len, x, n * sizeof(float));
        GError *e = NULL;
        ok = g_file_set_contents(path, data, total, &e);
        if (!ok) { /* GLib's sentence names its temporary file, and ends with the reason */
            const char *reason = g_strrstr(e->message, ": ");
            g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("%s cannot be written: %s"), path,
                        reason ? reason + 2 : e->message);
            g_error_free(e);
        }
    } else {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MEMORY, _("Not enough memory to write %s (%zu bytes)."), path, total);
    }
    g_free(data);
    g_string_free(head, TRUE);
    return ok;
}

/* [n, h, w, c] and [n, c, h, w]. */
static void swap_order(float *out, const float *in, SfuShape s, gboolean to_planes)
{
    const int n = s.n, h = s.h, w = s.w, c = s.c;
    for (int b = 0; b < n; b++)
        for (gsize k = 0; k < (gsize)h * w; k++)
            for (int ch = 0; ch < c; ch++) {
                const gsize last = ((gsize)b * h * w + k) * c + ch, planes = ((gsize)b * c + ch) * h * w + k;
                if (to_planes)
                    out[planes] = in[last];
                else
                    out[last] = in[planes];
            }
}

gboolean sfu_tensorfile_write(const char *path, const char *name, const float *x, SfuShape s, GError **error)
{
    const gint64 count = (gint64)s.n * s.h * s.w * s.c, dims[4] = {s.n, s.c, s.h, s.w};
    float *planes = g_new(float, count);
    swap_order(planes, x, s, TRUE);
    const gboolean ok = write_file(path, name, dims, 4, planes, count, error);
    g_free(planes);
    return ok;
}

float *sfu_tensorfile_read(const char *path, const char *name, SfuShape *shape, GError **error)
{
    GError *e = NULL;
    SfuFile *f = sfu_file_open(path, &e);
    float *out = NULL;
    if (!f) {
        sfu_error_convert(error, e);
        return NULL;
    }
    const SfuFileTensor *t = NULL;
    for (guint i = 0; i < f->tensors->len && !t; i++) {
        const SfuFileTensor *x = g_ptr_array_index(f->tensors, i);
        if (strcmp(x->name, name) == 0)
            t = x;
    }
    if (!t || t->n_dims != 4 || t->n_elements <= 0 || t->n_elements > G_MAXINT32) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s holds no tensor \"%s\" of four dimensions [n, c, h, w]."),
                    path, name);
    } else {
        *shape = (SfuShape){(int)t->dims[0], (int)t->dims[2], (int)t->dims[3], (int)t->dims[1]};
        SfuWeight *wt = sfu_file_tensor_weight(t, name);
        float *planes = g_new(float, t->n_elements);
        sfu_weight_read_f32(wt, 0, t->n_elements, planes);
        out = g_new(float, t->n_elements);
        swap_order(out, planes, *shape, FALSE);
        g_free(planes);
        sfu_weight_destroy(wt);
    }
    sfu_file_close(f);
    return out;
}

gboolean sfu_tensorfile_write_rows(const char *path, const char *name, const float *x, int n, int c, GError **error)
{
    const gint64 dims[3] = {1, n, c};
    return write_file(path, name, dims, 3, x, (gint64)n * c, error);
}

float *sfu_tensorfile_read_rows(const char *path, const char *const *names, int *n, int *c, GError **error)
{
    GError *e = NULL;
    SfuFile *f = sfu_file_open(path, &e);
    float *out = NULL;
    if (!f) {
        sfu_error_convert(error, e);
        return NULL;
    }
    const SfuFileTensor *t = f->tensors->len == 1 ? f->tensors->pdata[0] : NULL;
    for (int k = 0; names[k] && !t; k++)
        for (guint i = 0; i < f->tensors->len && !t; i++)
            if (strcmp(((SfuFileTensor *)f->tensors->pdata[i])->name, names[k]) == 0)
                t = f->tensors->pdata[i];
    const int d = t ? t->n_dims : 0;
    if (d < 2 || t->n_elements <= 0 || t->n_elements > G_MAXINT32 || t->dims[d - 2] * t->dims[d - 1] != t->n_elements) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("%s holds no tensor of tokens [tokens, width], neither as its only one nor as \"%s\"."), path,
                    names[0]);
    } else {
        *n = (int)t->dims[d - 2];
        *c = (int)t->dims[d - 1];
        SfuWeight *w = sfu_file_tensor_weight(t, t->name);
        out = g_new(float, t->n_elements);
        sfu_weight_read_f32(w, 0, t->n_elements, out);
        sfu_weight_destroy(w);
    }
    sfu_file_close(f);
    return out;
}

gboolean sfu_run_trace(const char *block, const SfuTensor *x, gpointer run, GError **error)
{
    SfuRun *r = run;
    const gint64 count = sfu_tensor_elements(x);
    float *host = g_new(float, count);
    gboolean ok = sfu_tensor_read(x, host, error);
    if (ok) {
        char *name = g_strdup_printf("%05d-%s.safetensors", r->trace_count++, block);
        char *path = g_build_filename(r->job->trace_dir, name, NULL);
        /* Tokens [n, 1, t, c] are [n, t, c] in PyTorch and stay in their order. */
        const gint64 tokens[3] = {x->n, x->w, x->c};
        ok = x->h == 1 ? write_file(path, "output", tokens, 3, host, count, error)
                       : sfu_tensorfile_write(path, "output", host, (SfuShape){x->n, x->h, x->w, x->c}, error);
        g_free(path);
        g_free(name);
    }
    g_free(host);
    return ok;
}
