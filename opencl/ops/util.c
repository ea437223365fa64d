/* What the ops' files share.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"
#include <stdarg.h>
#include <string.h>

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
    return sfu_op_shape_error(error, op, "%d x %d x %d x %d of %s against %d x %d x %d x %d of %s", a->n, a->h, a->w,
                              a->c, sfu_dtype_name(a->dtype), b->n, b->h, b->w, b->c, sfu_dtype_name(b->dtype));
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

/* So many units, of dim 0 first, an item that it moves 16 KiB, but no fewer than four items a compute unit. */
static void share_out(SfuLaunch *l, int n_compute)
{
    const double units = (double)l->global[0] * (double)l->global[1] * (double)l->global[2];
    const double most = MIN(16384 * units / MAX(l->bytes, 1), units / (4.0 * MAX(1, n_compute)));
    size_t left = (size_t)CLAMP(most, 1, 1e9);
    for (int i = 0; i < 2; i++) {
        const size_t run = MIN(left, l->global[i]);
        l->global[i] = (l->global[i] + run - 1) / run;
        left = MAX(1, left / run);
    }
}

void sfu_args_add(SfuArgs *args, const SfuArg *more, int n)
{
    g_return_if_fail(args->n + n <= (int)G_N_ELEMENTS(args->list));
    memcpy(args->list + args->n, more, sizeof *more * (size_t)n);
    args->n += n;
}

gboolean sfu_op_run(const SfuTensor *like, const char *program, const char *kernel, gboolean sweep, gint64 n0,
                    gint64 n1, gint64 n2, double flops, double bytes, const SfuArg *args, int n_args, GError **error)
{
    SfuLaunch l = {.program = program,
                   .kernel = kernel,
                   .options = sfu_op_storage(like),
                   .global = {(size_t)n0, (size_t)n1, (size_t)n2},
                   .flops = flops,
                   .bytes = bytes};
    if (sweep && sfu_queue_kernels(like->q) == SFU_KERNELS_CPU && n0 > 0 && n1 > 0 && n2 > 0)
        share_out(&l, sfu_queue_device(like->q)->n_units);
    return sfu_launch(like->q, &l, args, n_args, error);
}
