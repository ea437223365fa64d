/* What the ops' files share.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"
#include <stdarg.h>

gboolean sfu_op_shape_error(GError **error, const char *op, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE, "%s: %s", op, text);
    g_free(text);
    return FALSE;
}

gboolean sfu_op_same_shape(GError **error, const char *op, const SfuTensor *a, const SfuTensor *b)
{
    if (a->n == b->n && a->h == b->h && a->w == b->w && a->c == b->c && a->dtype == b->dtype)
        return TRUE;
    return sfu_op_shape_error(error, op, "%d x %d x %d x %d of %s against %d x %d x %d x %d of %s", a->n, a->h, a->w, a->c,
                              sfu_dtype_name(a->dtype), b->n, b->h, b->w, b->c, sfu_dtype_name(b->dtype));
}

int sfu_op_broadcast(const SfuTensor *x, const SfuTensor *z)
{
    if (z->dtype != x->dtype)
        return -1;
    if (z->n == x->n && z->h == x->h && z->w == x->w && z->c == x->c)
        return 0;
    if (z->h == 1 && z->w == 1 && z->c == x->c)
        return z->n == 1 ? 1 : z->n == x->n ? 2 : -1;
    return z->n == x->n && z->h == x->h && z->w == x->w && z->c == 1 ? 3 : -1;
}

gboolean sfu_op_run(const SfuTensor *like, const char *program, const char *kernel, gint64 n0, gint64 n1, gint64 n2, double flops,
                    double bytes, const SfuArg *args, int n_args, GError **error)
{
    const SfuLaunch l = {.program = program, .kernel = kernel, .options = sfu_op_storage(like),
                         .global = {(size_t)n0, (size_t)n1, (size_t)n2}, .flops = flops, .bytes = bytes};
    return sfu_launch(like->q, &l, args, n_args, error);
}
