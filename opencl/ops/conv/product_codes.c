/* Products of rows with quantized weights on CPUs that multiply bytes (codes.cl): of up to 8 bits with vpdpbusd, of up
 * to 6 with vpmaddubsw. Weights stay as the file has them; activations have 8 bits and a scale for each 128 inputs.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"

enum {
    PANEL = SFU_PANEL,
    CHUNK = SFU_CODE_CHUNK,
    MOST_ROWS = 96 /* of an item: its sums, and a chunk of its rows and weights, fit in the nearest cache */
};

/* Rows of whole numbers; sums only where the weights have shifts. */
typedef struct {
    SfuConvCodes codes;
    int padded; /* rows of whole tiles */
    SfuTensor *q, *scales, *sums;
} Rows;

static gboolean can(const SfuConvJob *j)
{
    SfuConvCodes codes;
    return sfu_conv_on_cpu(j) && j->n_out >= PANEL && j->n_pix >= SFU_FEWEST_INTEGER_ROWS &&
           sfu_conv_small_codes(j, &codes);
}

/* A tile's sums are in registers: 24 of the 32 of AVX-512, 10 of the 16 of AVX2. */
static SfuCpuTile tile_of(const SfuConvCodes *codes)
{
    return codes->vector == 16 ? (SfuCpuTile){16, 12, 32} : (SfuCpuTile){8, 5, 16};
}

static gboolean quantize(const SfuConvJob *j, Rows *r, GError **error)
{
    const int rows = tile_of(&r->codes).rows, n = r->padded = (j->n_pix + rows - 1) / rows * rows,
              chunks = (j->n_in + CHUNK - 1) / CHUNK;
    const SfuLaunch l = {.program = "codes",
                         .kernel = "code_rows",
                         .options = j->x->dtype == SFU_F16 ? "-DACT_F16" : NULL,
                         .global = {(size_t)n, 1, 1},
                         .bytes = 2 * sfu_op_bytes(j->x) + (double)n * j->n_in};
    if (!(r->q = sfu_tensor_create(j->q, SFU_U8, 1, chunks, n, CHUNK, error)) ||
        !(r->scales = sfu_tensor_create(j->q, SFU_F32, 1, 1, chunks, n, error)) ||
        (r->codes.mins && !(r->sums = sfu_tensor_create(j->q, SFU_F32, 1, chunks, n, CHUNK / r->codes.part, error))))
        return FALSE;
    const SfuArg args[] = {
        SFU_TENSOR(r->q),  SFU_TENSOR(r->scales), SFU_TENSOR(r->sums), SFU_TENSOR(j->x),
        SFU_INT(j->n_pix), SFU_INT(j->n_in),      SFU_INT(j->x->c),    SFU_INT(r->codes.mins ? r->codes.part : 0)};
    return sfu_launch(j->q, &l, args, G_N_ELEMENTS(args), error);
}

static gboolean launch_part(const SfuConvJob *j, const SfuConvJob *part, const SfuTensor *wide,
                            const SfuConvTerms *terms, gconstpointer rows, GError **error)
{
    const Rows *r = rows;
    const SfuCpuTile tile = tile_of(&r->codes);
    const int tiles = r->padded / tile.rows, most = MOST_ROWS / tile.rows;
    const int run = CLAMP((gint64)tiles * part->n_panels / (sfu_queue_device(j->q)->n_units * 8), 1, most);
    char options[128];
    g_snprintf(options, sizeof options,
               "%s-DVW=%d -DTILE_ROWS=%d -DTILE_COLS=%d -DTILES=%d -DGATED=%d -DBITS=%d -DSPAN=%d%s%s%s",
               sfu_conv_acts(j), tile.vector, tile.rows, tile.cols, most, j->e->geglu, r->codes.bits, r->codes.part,
               r->codes.mins ? " -DMINS" : "", sfu_conv_integers(j, tile.vector),
               j->x->dtype == SFU_F16 ? " -DACT_F16" : "");
    const SfuLaunch l = {.program = "codes",
                         .kernel = "code_product",
                         .options = options,
                         .global = {(size_t)part->n_panels, (size_t)((tiles + run - 1) / run), 1},
                         .local = {1, 1, 1},
                         .flops = part->flops,
                         .bytes = part->bytes};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(&part->out), SFU_TENSOR(r->q), SFU_TENSOR(r->scales), SFU_TENSOR(r->sums),
            SFU_TENSOR(wide), SFU_INT(j->n_pix), SFU_INT(r->padded), SFU_INT(run), SFU_INT(j->n_in),
            SFU_INT(part->n_out), SFU_INT(j->y->c), SFU_INT(j->y->h * j->y->w));
    sfu_conv_add_epilogue(&args, part, terms);
    return sfu_op_launch(j->q, &l, &args, error);
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    Rows r = {0};
    SfuConvTerms terms = {0};
    const gboolean ok = sfu_conv_small_codes(j, &r.codes) && sfu_conv_panel_terms(j, &terms, error) &&
                        quantize(j, &r, error) && sfu_conv_by_parts(j, SFU_WIDE_CODES, &terms, launch_part, &r, error);
    sfu_tensor_destroy(r.q);
    sfu_tensor_destroy(r.scales);
    sfu_tensor_destroy(r.sums);
    return ok;
}

const SfuConvPath sfu_product_codes = {"codes", can, launch};
