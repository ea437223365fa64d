/* The geometry that convolution and linear share.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_OPS_CONV_H
#define SFU_OPS_CONV_H

#include "ops/ops.h"

typedef struct {
    const char *op; /* for messages */
    int kh, kw, stride, pad_top, pad_left;
    gboolean upsample2, circular;
    int groups;      /* >= 1 */
    int x_c, y_col;  /* as in SfuConv */
    gboolean y_part;
} SfuConvGeometry;

gboolean sfu_conv_run(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuConvGeometry *g, const SfuEpilogue *e,
                      GError **error);

/* How a convolution is cut into Winograd's tiles: see winograd.cl. */
typedef struct {
    int n_tiles, tiles_x, tiles_y;
    int t_chunk;     /* tiles a chunk */
    int n_chunks;    /* chunks a launch */
    int slice;       /* input channels whose weights are transformed at a time */
    int run, n_splits; /* input transform: groups of 16 channels an item, items a tile */
    size_t local_bytes;
    char options[64];
} SfuWinograd;
/* FALSE if the direct kernel is the better one. */
gboolean sfu_winograd_plan(SfuQueue *q, const SfuConvGeometry *g, const SfuTensor *y, int n_in, int n_out, SfuWinograd *plan);
/* The tile of gpu_conv.cl or gpu_mma.cl for one product. */
typedef struct {
    int n_pad, rows; /* of the weights on the device: values a row, and rows (gpu_mma.cl) */
    char options[160];
    size_t global[2], local;
} SfuTile;
/* The weights as gpu_conv.cl wants them; NULL with error set. */
const SfuTensor *sfu_tile_plan(SfuQueue *q, SfuWeight *w, const SfuTensor *x, int n_pix, int n_in, int n_out, int taps, gboolean geglu,
                               SfuTile *tile, GError **error);

/* Whether the device has matrix units that have passed a self-test. */
gboolean sfu_mma_present(SfuQueue *q);
/* What kernels on them are compiled with besides MATRIX. */
const char *sfu_mma_mode(SfuQueue *q);
/* Whether gpu_mma.cl can make this product: x is fp16, and the weights may be. */
gboolean sfu_mma_usable(SfuQueue *q, const SfuTensor *x, SfuWeight *w);
/* As sfu_tile_plan() for gpu_mma.cl; n_pad is then the row of one tap. */
const SfuTensor *sfu_mma_plan(SfuQueue *q, SfuWeight *w, const SfuTensor *x, int n_pix, int n_in, int n_out, int taps, gboolean geglu, SfuTile *tile,
                              GError **error);

/* Whether CLBlast is to make this product of whole rows (measured on first use: sfu_blas_choose()), and the product by it. y, x, w, e as
 * sfu_conv_run() has checked them. */
gboolean sfu_blas_rows_choose(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuConvGeometry *g, const SfuEpilogue *e,
                              gboolean *clblast, GError **error);
gboolean sfu_blas_rows(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuEpilogue *e, GError **error);

/* Room for a launch's transformed inputs. */
SfuTensor *sfu_winograd_input_create(SfuQueue *q, const SfuWinograd *plan, int n_in, GError **error);

#endif
