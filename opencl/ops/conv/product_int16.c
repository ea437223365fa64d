/* Products of 16-bit integers on CPUs (int16.cl): weights and activations have a scale for each 128 inputs. With
 * --precision int16 both have 12 bits and a sign. With --precision int8, on a CPU without an instruction for 8 bits,
 * weights have 8 bits and activations 16. What Winograd's convolution can do stays in fp32: a quarter of the
 * multiplications is less than all of them at twice the rate.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"
#include <math.h>
#include <string.h>

enum {
    PANEL = SFU_PANEL,
    GROUP = 128,   /* inputs that share a scale */
    STEP = 16,     /* rows are filled up to multiples of it */
    FEWEST_IN = 32 /* shorter products take no time */
};

/* The largest integers: GROUP products of them are below 2^31. */
enum { MOST = 4095, MOST_WEIGHT_OF_8_BITS = 127, MOST_BESIDE_8_BITS = 32767 };

typedef struct {
    gboolean geglu, bytes; /* bytes: weights of 8 bits */
    int n_out, n_in, taps, row_words;
} Pack;

static int groups_of(int row_words)
{
    return (row_words * 2 + GROUP - 1) / GROUP;
}

/* 32-bit words of one tap of a panel. */
static gint64 tap_words(const Pack *p)
{
    return (gint64)groups_of(p->row_words) * PANEL + (gint64)p->row_words * PANEL / (p->bytes ? 2 : 1);
}

/* One output's weights of one tap and group of n inputs; `at`: the group's scales in its panel, j: the output there. */
static void pack_group(const Pack *p, const float *v, int n, int stride, gint32 *at, int j)
{
    const float limit = p->bytes ? MOST_WEIGHT_OF_8_BITS : MOST;
    float most = 0;
    for (int i = 0; i < n; i++)
        most = MAX(most, fabsf(v[i * stride]));
    const float scale = most / limit, inverse = most > 0 ? limit / most : 0;
    memcpy(at + j, &scale, sizeof scale);
    gint8 *bytes = (gint8 *)(at + PANEL);
    gint16 *pairs = (gint16 *)(at + PANEL);
    for (int i = 0; i < n; i++) {
        const long q = CLAMP(lrint((double)v[i * stride] * (double)inverse), -(long)limit, (long)limit);
        const int to = (i / 2 * PANEL + j) * 2 + i % 2;
        if (p->bytes)
            bytes[to] = (gint8)q;
        else
            pairs[to] = (gint16)q;
    }
}

static void pack(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer data)
{
    const Pack *p = data;
    const gint64 k = (gint64)p->n_in * p->taps, group_words = PANEL + PANEL * (gint64)GROUP / (p->bytes ? 4 : 2);
    float *row = g_new(float, k);
    memset((guint8 *)dst + (size_t)first * part_bytes, 0, (size_t)(end - first) * part_bytes);
    for (gint64 at = first * PANEL; at < end * PANEL; at++) {
        const gint64 o = sfu_conv_output_at(at, p->n_out, p->geglu ? PANEL / 2 : 0);
        if (o < 0)
            continue;
        sfu_weight_read_f32(w, o * k, k, row);
        for (int t = 0; t < p->taps; t++) {
            gint32 *to = (gint32 *)dst + (at / PANEL * p->taps + t) * tap_words(p);
            for (int i = 0; i < p->n_in; i += GROUP, to += group_words)
                pack_group(p, row + (gint64)i * p->taps + t, MIN(GROUP, p->n_in - i), p->taps, to, (int)(at % PANEL));
        }
    }
    g_free(row);
}

static gboolean can(const SfuConvJob *j)
{
    const SfuPrecision p = sfu_queue_precision(j->q);
    return (p == SFU_PRECISION_INT16 || p == SFU_PRECISION_INT8) && sfu_conv_on_cpu(j) && j->n_in >= FEWEST_IN &&
           j->n_out >= PANEL && j->n_pix >= SFU_FEWEST_INTEGER_ROWS && !sfu_conv_winograd.can(j);
}

static int pixels_of(const SfuTensor *x)
{
    return x->n * x->h * x->w;
}

static gboolean quantize(const SfuConvJob *j, const SfuTensor *rows, const SfuTensor *scales, int row_words,
                         GError **error)
{
    const int n = pixels_of(j->x);
    const SfuLaunch l = {.program = "int16",
                         .kernel = "int16_rows",
                         .options = j->x->dtype == SFU_F16 ? "-DACT_F16" : NULL,
                         .global = {(size_t)n + 1, 1, 1},
                         .bytes = 2 * sfu_op_bytes(j->x) + sfu_op_bytes(rows)};
    const gboolean bytes = sfu_queue_precision(j->q) == SFU_PRECISION_INT8;
    const SfuArg args[] = {
        SFU_TENSOR(rows), SFU_TENSOR(scales), SFU_TENSOR(j->x),   SFU_INT(n),
        SFU_INT(j->n_in), SFU_INT(j->x->c),   SFU_INT(row_words), SFU_FLOAT(bytes ? MOST_BESIDE_8_BITS : MOST)};
    return sfu_launch(j->q, &l, args, G_N_ELEMENTS(args), error);
}

static gboolean multiply(const SfuConvJob *j, const SfuTensor *rows, const SfuTensor *scales, int row_words,
                         GError **error)
{
    enum { MOST_RUN = 16 };
    const gboolean bytes = sfu_queue_precision(j->q) == SFU_PRECISION_INT8;
    const Pack p = {j->e->geglu, bytes, j->n_out, j->n_in, j->taps, row_words};
    const char *const layouts[] = {"int16", "int16 geglu", "int16 of 8 bits", "int16 of 8 bits geglu"};
    SfuConvTerms terms = {0};
    const SfuTensor *wt;
    if (!sfu_conv_panel_terms(j, &terms, error) ||
        !(wt = sfu_weight_on_device(j->q, j->w, layouts[2 * bytes + p.geglu], SFU_I32,
                                    tap_words(&p) * j->taps * j->n_panels, j->n_panels, pack, &p, error)))
        return FALSE;
    const SfuCpuTile tile = sfu_cpu_tile(j->width, j->n_panels);
    const int wide = MAX(1, tile.cols / PANEL), tiles = (j->n_pix + tile.rows - 1) / tile.rows;
    const int run = CLAMP((gint64)tiles * (j->n_panels / wide) / (sfu_queue_device(j->q)->n_units * 8), 1, MOST_RUN);
    char options[128];
    g_snprintf(options, sizeof options, "%s-DVW=%d -DTILE_ROWS=%d -DTILE_COLS=%d -DGATED=%d%s%s%s", sfu_conv_acts(j),
               tile.vector, tile.rows, tile.cols, j->e->geglu, bytes ? " -DW_I8" : "",
               sfu_conv_integers(j, tile.vector), j->x->dtype == SFU_F16 ? " -DACT_F16" : "");
    const SfuLaunch l = {.program = "int16",
                         .kernel = "int16_product",
                         .options = options,
                         .global = {(size_t)(j->n_panels / wide), (size_t)((tiles + run - 1) / run), 1},
                         .local = {1, 1, 1},
                         .flops = j->flops,
                         .bytes = j->bytes};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(&j->out), SFU_TENSOR(rows), SFU_TENSOR(scales), SFU_TENSOR(wt), SFU_INT(j->n_pix),
            SFU_INT(run), SFU_INT(row_words), SFU_INT(pixels_of(j->x)));
    sfu_conv_add_geometry(&args, j);
    sfu_conv_add_epilogue(&args, j, &terms);
    return sfu_op_launch(j->q, &l, &args, error);
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    const int row_words = (j->n_in + STEP - 1) / STEP * STEP / 2, n = pixels_of(j->x) + 1;
    SfuTensor *rows = sfu_tensor_create(j->q, SFU_I16, 1, 1, n, row_words * 2, error),
              *scales = rows ? sfu_tensor_create(j->q, SFU_F32, 1, 1, n, groups_of(row_words), error) : NULL;
    const gboolean ok =
        scales && quantize(j, rows, scales, row_words, error) && multiply(j, rows, scales, row_words, error);
    sfu_tensor_destroy(scales);
    sfu_tensor_destroy(rows);
    return ok;
}

const SfuConvPath sfu_product_int16 = {"int16", can, launch};
