/* Products of 8-bit whole numbers on CPUs (int8.cl): weights and activations have a scale for each 256 inputs.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"
#include <math.h>
#include <string.h>

enum {
    PANEL = SFU_PANEL,
    GROUP = 256, /* inputs that share a scale */
    STEP = 64    /* rows are filled up to multiples of it */
};

typedef struct {
    gboolean geglu;
    int n_out, n_in, taps, row_words;
} Int8Pack;

static int groups_of(int row_words)
{
    return (row_words * 4 + GROUP - 1) / GROUP;
}

/* One output's weights of one tap and group of at most GROUP inputs; `at`: the first word of the group in its panel. */
static void pack_group(const float *v, int n, int stride, gint32 *at, int j)
{
    float most = 0;
    gint32 sum = 0;
    for (int i = 0; i < n; i++)
        most = MAX(most, fabsf(v[i * stride]));
    const float scale = most / 127, inverse = most > 0 ? 127 / most : 0;
    memcpy(at + j, &scale, sizeof scale);
    for (int i = 0; i < n; i++) {
        const gint8 q = (gint8)CLAMP(lrint((double)v[i * stride] * (double)inverse), -127, 127);
        ((gint8 *)(at + 2 * PANEL + i / 4 * PANEL + j))[i % 4] = q;
        sum += q;
    }
    at[PANEL + j] = -128 * sum;
}

static void pack_int8(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer data)
{
    const Int8Pack *p = data;
    const gint64 k = (gint64)p->n_in * p->taps,
                 tap_words = (gint64)groups_of(p->row_words) * 2 * PANEL + (gint64)p->row_words * PANEL;
    float *row = g_new(float, k);
    memset((guint8 *)dst + (size_t)first * part_bytes, 0, (size_t)(end - first) * part_bytes);
    for (gint64 at = first * PANEL; at < end * PANEL; at++) {
        const gint64 o = sfu_conv_output_at(at, p->n_out, p->geglu ? PANEL / 2 : 0);
        if (o < 0)
            continue;
        sfu_weight_read_f32(w, o * k, k, row);
        for (int t = 0; t < p->taps; t++) {
            gint32 *to = (gint32 *)dst + (at / PANEL * p->taps + t) * tap_words;
            for (int i = 0; i < p->n_in; i += GROUP, to += (2 + GROUP / 4) * PANEL)
                pack_group(row + (gint64)i * p->taps + t, MIN(GROUP, p->n_in - i), p->taps, to, (int)(at % PANEL));
        }
    }
    g_free(row);
}

static gboolean can(const SfuConvJob *j)
{
    return sfu_queue_vnni(j->q) && sfu_conv_on_cpu(j) && j->n_in >= STEP && j->n_out >= PANEL &&
           j->n_pix >= SFU_FEWEST_INTEGER_ROWS;
}

static int pixels_of(const SfuTensor *x)
{
    return x->n * x->h * x->w;
}

static gboolean quantize(const SfuConvJob *j, const SfuTensor *rows, const SfuTensor *scales, int row_words,
                         GError **error)
{
    const int n = pixels_of(j->x);
    const SfuLaunch l = {.program = "int8",
                         .kernel = "int8_rows",
                         .options = j->x->dtype == SFU_F16 ? "-DACT_F16" : NULL,
                         .global = {(size_t)n + 1, 1, 1},
                         .bytes = 2 * sfu_op_bytes(j->x) + sfu_op_bytes(rows)};
    const SfuArg args[] = {SFU_TENSOR(rows), SFU_TENSOR(scales), SFU_TENSOR(j->x),  SFU_INT(n),
                           SFU_INT(j->n_in), SFU_INT(j->x->c),   SFU_INT(row_words)};
    return sfu_launch(j->q, &l, args, G_N_ELEMENTS(args), error);
}

static gboolean multiply(const SfuConvJob *j, const SfuTensor *rows, const SfuTensor *scales, int row_words,
                         GError **error)
{
    enum { MOST_RUN = 16, TILE_ROWS = 6 };
    const Int8Pack p = {j->e->geglu, j->n_out, j->n_in, j->taps, row_words};
    const gint64 words = (gint64)j->n_panels * j->taps * PANEL * (2 * groups_of(row_words) + row_words);
    SfuConvTerms terms = {0};
    const SfuTensor *wt;
    if (!sfu_conv_panel_terms(j, &terms, error) ||
        !(wt = sfu_weight_on_device(j->q, j->w, p.geglu ? "int8 geglu" : "int8", SFU_I32, words, j->n_panels, pack_int8,
                                    &p, error)))
        return FALSE;
    const int wide = j->n_panels % 2 == 0 ? 2 : 1, tiles = (j->n_pix + TILE_ROWS - 1) / TILE_ROWS;
    const int run = CLAMP((gint64)tiles * (j->n_panels / wide) / (sfu_queue_device(j->q)->n_units * 8), 1, MOST_RUN);
    char options[96];
    g_snprintf(options, sizeof options, "%s-DTILE_ROWS=%d -DTILE_COLS=%d -DGATED=%d%s", sfu_conv_acts(j), TILE_ROWS,
               wide * PANEL, j->e->geglu, j->x->dtype == SFU_F16 ? " -DACT_F16" : "");
    const SfuLaunch l = {.program = "int8",
                         .kernel = "int8_product",
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
    const int row_words = (j->n_in + STEP - 1) / STEP * STEP / 4, n = pixels_of(j->x) + 1;
    SfuTensor *rows = sfu_tensor_create(j->q, SFU_U8, 1, 1, n, row_words * 4, error),
              *scales = rows ? sfu_tensor_create(j->q, SFU_F32, 1, 1, n, groups_of(row_words), error) : NULL;
    const gboolean ok =
        scales && quantize(j, rows, scales, row_words, error) && multiply(j, rows, scales, row_words, error);
    sfu_tensor_destroy(scales);
    sfu_tensor_destroy(rows);
    return ok;
}

const SfuConvPath sfu_product_int8 = {"int8", can, launch};
