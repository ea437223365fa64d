/* Convolution and learned products: one job, checked once, and a table of paths that can do it (conv.c). Each path
 * is a file of this folder, named after its kernel. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef SFU_OPS_CONV_H
#define SFU_OPS_CONV_H

#include "ops/util.h"

#define SFU_PANEL 32 /* outputs a panel of weights of the CPU family */
#define SFU_BLOCK 12 /* pixels or rows that its kernels take together */

typedef struct {
    const char *op; /* for messages */
    int kh, kw, stride, pad_top, pad_left;
    gboolean upsample2;
    int circular;   /* SfuWrap bits */
    int groups;     /* >= 1 */
    int x_c, y_col; /* as in SfuConv */
    gboolean y_part;
} SfuConvGeometry;

/* The work to do, checked by sfu_conv_job(). Everything is borrowed. */
typedef struct {
    SfuQueue *q;
    SfuTensor *y;
    const SfuTensor *x;
    SfuWeight *w;
    const SfuConvGeometry *g;
    const SfuEpilogue *e; /* never NULL */
    int n_in, n_out;      /* input channels a group, all outputs */
    int taps, n_pix, n_panels;
    SfuTensor out, residual; /* y and the residual from the first channel that is written */
    gboolean widened;        /* weights are given as sfu_conv_widen_panels() makes them */
    int width;               /* floats a vector of the CPU family; 0 elsewhere */
    double flops, bytes;
    gboolean moments_made; /* a path has left e->moments itself */
} SfuConvJob;

/* One way to do a job. Questions that take a measurement are asked in `can`, before anything is on the device. */
typedef struct {
    const char *name;
    gboolean (*can)(const SfuConvJob *job);
    gboolean (*launch)(SfuConvJob *job, GError **error); /* does not choose, so that a measurement may call it */
} SfuConvPath;

extern const SfuConvPath sfu_conv_clblast, sfu_conv_mma, sfu_conv_gpu, sfu_product_amx_int8, sfu_product_int8,
    sfu_product_codes, sfu_product_int16, sfu_product_amx, sfu_linear_panel, sfu_conv_few, sfu_conv_winograd,
    sfu_conv_gather, sfu_conv_panel, sfu_conv_plain;

/* Checks that everything fits together. e may be NULL. FALSE with SHAPE. Leaves `width` to the caller. */
gboolean sfu_conv_job(SfuConvJob *job, SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w,
                      const SfuConvGeometry *g, const SfuEpilogue *e, GError **error);
/* The geometry of a product of rows. */
extern const SfuConvGeometry sfu_linear_geometry;

/* ---- what several paths share ---- */

gboolean
sfu_conv_is_rows(const SfuConvJob *job); /* y's rows are products of x's rows: no taps, and nothing is left out */
gboolean sfu_conv_on_cpu(const SfuConvJob *job); /* the kernels of the CPU family can be used */
/* Whether weights are fp16 on the device: sfu_weight_half(). That may read them all, once, so only paths that lay them
 * out in fp16 ask. */
gboolean sfu_conv_half(const SfuConvJob *job);
/* "-DFEW_ACTS " if the epilogue's activation is one of those that such programs know (common.cl), else "". */
const char *sfu_conv_acts(const SfuConvJob *job);
/* " -DVNNI" or " -DMADD" for kernels with integer_tiles.cl, vector: ints in a vector; or "". */
const char *sfu_conv_integers(const SfuConvJob *job, int vector);
/* The options of storage "-DACT_F16 -DW_F16 ", as far as they hold, and sfu_conv_acts(). */
void sfu_conv_options(const SfuConvJob *job, char *options, gsize size);
void sfu_options_add(char *options, gsize size, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* " -DOUT4" of gpu.cl if it applies, else "". */
const char *sfu_conv_out4(const SfuConvJob *job);
/* GEOMETRY of common.cl. */
void sfu_conv_add_geometry(SfuArgs *args, const SfuConvJob *job);

/* The operands of the operations that are fused behind the product, on the device; NULL if the job has none. */
typedef struct {
    const SfuTensor *bias, *prelu;
} SfuConvTerms;
gboolean sfu_conv_terms(const SfuConvJob *job, SfuConvTerms *terms, GError **error);
/* EPILOGUE of common.cl. */
void sfu_conv_add_epilogue(SfuArgs *args, const SfuConvJob *job, const SfuConvTerms *terms);

/* Layouts of the weights on the device (weights.c); NULL with error set. */
typedef enum {
    SFU_PANELS,       /* [out/32][taps*in][32], missing outputs zero, as wide as the job says */
    SFU_PANELS_GEGLU, /* the same, of 16 values and then their 16 gates */
    SFU_PANELS_F32,   /* SFU_PANELS in fp32 */
} SfuPanels;
const SfuTensor *sfu_conv_panels(const SfuConvJob *job, SfuPanels kind, GError **error);
/* Panels in pairs of bf16 along the inputs, [out/32][taps][in/2][32][2]. The inputs of a tap are filled up with
 * zeros to a multiple of `step`, which is even. */
const SfuTensor *sfu_conv_panels_bf16(const SfuConvJob *job, int step, GError **error);
/* The output whose weights stand at place `at` of a layout; -1: none. gate_columns: for GEGLU, that many values,
 * then their gates; 0: outputs in order. */
gint64 sfu_conv_output_at(gint64 at, int n_out, int gate_columns);

/* Whether the weights stay on the device as the file has them: then each product has them widened (quant.c), and the
 * layouts above are not asked for. Rows of quantized types only. */
gboolean sfu_conv_stays_quantized(const SfuConvJob *job);
/* What such weights are widened to for a product, in the order of SFU_PANELS_GEGLU behind GEGLU. */
typedef enum {
    SFU_WIDE_PANELS, /* SFU_PANELS in fp32, or pairs of bf16 on a queue that computes so */
    SFU_WIDE_CODES   /* their codes, a byte each: see codes.cl */
} SfuConvWide;
enum {
    SFU_CODE_CHUNK = 128,        /* inputs of a row that share a scale: codes.cl */
    SFU_FEWEST_INTEGER_ROWS = 12 /* shorter products take no time, and all others depend on what they make (of a
                                  * time step), so they stay in fp32 */
};
/* The form of the codes. */
typedef struct {
    int bits, part; /* of a code; inputs that share a factor: 32 or 16 */
    gboolean mins;  /* factors have a shift beside them */
    int vector;     /* ints in a vector of their products */
} SfuConvCodes;
/* Whether weights stay quantized and have codes that meet activations of bytes: sfu_queue_small_codes(). */
gboolean sfu_conv_small_codes(const SfuConvJob *job, SfuConvCodes *codes);
/* Panels [first, first + n_panels). Caller frees; NULL with error set. */
SfuTensor *sfu_conv_widen_panels(const SfuConvJob *job, SfuConvWide to, int first, int n_panels, GError **error);
/* Launches some panels of the job; `wide`: their weights, of sfu_conv_widen_panels(). */
typedef gboolean (*SfuConvPart)(const SfuConvJob *job, const SfuConvJob *part, const SfuTensor *wide,
                                const SfuConvTerms *terms, gconstpointer data, GError **error);
/* A job whose weights stay quantized: some panels at a time, which the caches of the cores hold together, are
 * widened and launched. */
gboolean sfu_conv_by_parts(const SfuConvJob *job, SfuConvWide to, const SfuConvTerms *terms, SfuConvPart launch,
                           gconstpointer data, GError **error);
typedef struct {
    int n_rows, gate_columns; /* rows with those that fill up; see sfu_conv_output_at() */
    gboolean half, by_inputs; /* [n_in][n_rows] instead of [n_rows][n_in] */
} SfuWideRows;
/* All weights, for the families of kernels without panels. Caller frees; NULL with error set. */
SfuTensor *sfu_conv_widen_rows(const SfuConvJob *job, const SfuWideRows *form, GError **error);
/* The terms of a path whose weights are in panels: behind GEGLU the bias alone, in the order of its panels. */
gboolean sfu_conv_panel_terms(const SfuConvJob *job, SfuConvTerms *terms, GError **error);
/* n_in zeros, stored as x is: what a tap in the padding reads. */
const SfuTensor *sfu_conv_zeros(const SfuConvJob *job, GError **error);
void sfu_put_weight(void *dst, gboolean half, gint64 i, float v);

/* How the kernels of linear.cl cut n_rows rows of n_in inputs, `pair` inputs a word. */
typedef struct {
    int rows, per_item, slice; /* rows and panels an item, inputs packed at a time */
    size_t local_bytes;
} SfuRowPlan;
SfuRowPlan sfu_row_plan(const SfuConvJob *job, int n_in, int pair);
/* Whether only a bias is fused behind the job, and its outputs fill whole panels and tiles. */
gboolean sfu_conv_only_bias(const SfuConvJob *job);
/* Adds the tile, and PAST_CACHES of linear.cl if it applies. */
void sfu_row_options(const SfuConvJob *job, char *options, gsize size);

#endif
