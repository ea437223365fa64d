/* The harness of the ops tests: every case runs on each way the ops can be carried out (Mode), on inputs that lie
 * inside a larger tensor full of NaN (a stray read shows up in the result) and into outputs that lie inside one full of
 * a sentinel. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TESTS_HARNESS_H
#define SFU_TESTS_HARNESS_H

#include "ops/ops.h"
#include "../check_ok.h"
#include <math.h>

typedef struct {
    const char *name;
    SfuKernels kernels;
    SfuPrecision precision;
    double unit;      /* rounding unit of a product: 2^-24 */
    double store;     /* of what is stored: 0 for fp32 (counted in `unit` already), 2^-11 for fp16 */
    gboolean clblast; /* forced for every product that it may make */
    int vector_width; /* this and what follows: of SfuQueueOptions */
    SfuMatrix matrix;
    int matrix_tile;
    gboolean portable;
} Mode;

typedef struct {
    const Mode *mode;
    SfuQueue *q;
    guint32 seed;
    GRand *rand;
    GPtrArray *tensors, *weights, *blocks; /* freed after the case */
} Check;

typedef enum {
    NORMAL,  /* mean 0, deviation 1 */
    SHIFTED, /* mean 100, deviation 0.1 */
    EXTREME, /* zeros, and magnitudes from 1e-6 to 3e3: exponents far apart, still finite in fp16 */
} Kind;

/* A tensor with what it holds, in double. */
typedef struct {
    SfuTensor *t;
    double *v;
} In;

typedef struct {
    SfuTensor *t, *whole;
    gint64 first; /* elements of `whole` before `t` */
} Out;

typedef struct {
    SfuWeight *w;
    double *v;
} Weight;

/* Adds the case /<op>/<mode>/<name> for every mode. `work` is about how many multiply-adds it does: with
 * SFUMATO_TEST_SMALL in the environment (oclgrind) only cases of up to 30,000 are added, and views end where their
 * buffers end. `row` is borrowed. */
void check_add(const char *op, const char *name, double work, void (*fn)(Check *c, gconstpointer row),
               gconstpointer row);

In check_in(Check *c, int n, int h, int w, int ch, Kind kind);
In check_in_f32(Check *c, int n, int h, int w, int ch, Kind kind);               /* fp32 whatever the mode */
In check_in_values(Check *c, int n, int h, int w, int ch, const double *values); /* rounded to the mode's storage */
Out check_out(Check *c, int n, int h, int w, int ch);
Out check_out_f32(Check *c, int n, int h, int w, int ch);
/* An output over the elements of `x`: for ops that may work in place. */
Out check_in_place(Check *c, In *x);
/* dims in PyTorch's order; unused ones 0. Magnitudes up to 2. */
Weight check_weight(Check *c, SfuDtype dtype, int d0, int d1, int d2, int d3);
/* Of a block type, fp8, or int8 with a scale for each row: any codes there can be, magnitudes of about 1. */
Weight check_quantized(Check *c, SfuDtype dtype, int d0, int d1);
double *check_zeros(Check *c, gint64 n); /* freed after the case */
/* Whether products and attention of this case may be made by matrix units: the device's own, or emulated ones. */
gboolean check_matrix(Check *c);
double check_uniform(Check *c, double from, double to);

/* |y - ref| <= tol * mag + store * |ref| for every element, and the sentinel untouched. `mag` NULL: |ref|. `tol` has
 * its reason at the call. */
void check_close(Check *c, const Out *y, const double *ref, const double *mag, double tol);
/* Every bit the same. */
void check_same(Check *c, const Out *y, const double *ref);

double check_act(double x, SfuAct act, double param); /* in double */

void add_product(void);
void add_attention(void);
void add_norm(void);
void add_elementwise(void);
void add_move(void);
void add_gate(void);
void add_rope(void);
void add_resample(void);
void add_channel_attention(void);
void add_fourier(void);
void add_errors(void);
void add_blas(void);
void add_integer(void);

#endif
