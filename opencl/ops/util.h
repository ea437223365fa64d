/* What the ops' files share.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_OPS_UTIL_H
#define SFU_OPS_UTIL_H

#include "ops/ops.h"

/* FALSE with SHAPE: "<op>: <message>". */
gboolean sfu_op_shape_error(GError **error, const char *op, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Shape and dtype the same; otherwise FALSE with SHAPE. */
gboolean sfu_op_same_shape(GError **error, const char *op, const SfuTensor *a, const SfuTensor *b);
/* Compiler options for kernels over tensors stored as x is. */
static inline const char *sfu_op_storage(const SfuTensor *x)
{
    return x->dtype == SFU_F16 ? "-DACT_F16" : NULL;
}
/* One item for each of n0 x n1 x n2. sweep: the kernel is made of SWEEP loops (common.cl) over n0 and n1, so that an
 * item may be given a run of both. */
gboolean sfu_op_run(const SfuTensor *like, const char *program, const char *kernel, gboolean sweep, gint64 n0,
                    gint64 n1, gint64 n2, double flops, double bytes, const SfuArg *args, int n_args, GError **error);
#define SFU_RUN_(like, program, kernel, sweep, n0, n1, n2, flops, bytes, error, ...)                                   \
    sfu_op_run(like, program, kernel, sweep, n0, n1, n2, flops, bytes, (const SfuArg[]){__VA_ARGS__},                  \
               (int)(sizeof((const SfuArg[]){__VA_ARGS__}) / sizeof(SfuArg)), error)
#define SFU_RUN(like, program, kernel, ...) SFU_RUN_(like, program, kernel, FALSE, __VA_ARGS__)
#define SFU_SWEEP(like, program, kernel, ...) SFU_RUN_(like, program, kernel, TRUE, __VA_ARGS__)
/* Kernel arguments that are gathered in parts. */
typedef struct {
    SfuArg list[48];
    int n;
} SfuArgs;
void sfu_args_add(SfuArgs *args, const SfuArg *more, int n);
#define SFU_ADD(args, ...)                                                                                             \
    sfu_args_add(args, (const SfuArg[]){__VA_ARGS__}, (int)(sizeof((const SfuArg[]){__VA_ARGS__}) / sizeof(SfuArg)))
static inline gboolean sfu_op_launch(SfuQueue *q, const SfuLaunch *l, const SfuArgs *args, GError **error)
{
    return sfu_launch(q, l, args->list, args->n, error);
}
static inline double sfu_op_bytes(const SfuTensor *t)
{
    return (double)sfu_tensor_elements(t) * (double)sfu_dtype_bytes(t->dtype);
}
/* How z is broadcast over x: 0 same shape, 1 [1,1,1,c], 2 [n,1,1,c], 3 [n,h,w,1]; -1 not at all. */
int sfu_op_broadcast(const SfuTensor *x, const SfuTensor *z);

/* sfu_moments_join() of parts [n, slots, 3, c] that are of `len` units each of all samples' in a row, `per` a sample: a
 * part lies in the slots of each sample that it has units of, counted from the first one that does. */
gboolean sfu_op_moments_join(SfuTensor *moments, const SfuTensor *parts, int per, int len, GError **error);

/* The tile of sums that a CPU keeps in registers, for TILE_ROWS, TILE_COLS and VW of common.cl. n_panels: of 32
 * outputs. */
typedef struct {
    int vector, rows, cols;
} SfuCpuTile;
SfuCpuTile sfu_cpu_tile(int width, int n_panels);
/* Floats a vector: 16, 8 or 4; as SfuQueueOptions says, or what sfu_cpu_measure_width() found, or the CPU's own. */
int sfu_cpu_width(SfuQueue *q);

/* Whether the device has matrix units that have passed a self-test. */
gboolean sfu_mma_present(SfuQueue *q);
/* What kernels on them are compiled with besides MATRIX. */
const char *sfu_mma_mode(SfuQueue *q);

#endif
