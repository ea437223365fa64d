/* Convolutions and products of rows on the matrix units of Intel's CPUs (amx.cl).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"
#include <math.h>
#include <string.h>

enum {
    PANEL = SFU_PANEL,
    STEP = 32,                /* inputs that a tile holds, in bf16 */
    STEP_INT8 = 64,           /* likewise, in whole numbers of 8 bits */
    SEGMENT = 16,             /* pixels that a tile holds */
    PIXEL_BYTES = 64,         /* of a block of so many inputs */
    BLOCK_BYTES = 2048,       /* of a panel's weights for a tap of such a block */
    PARTS = 16,               /* of amx.cl */
    SUM_BYTES = 2048,         /* of a panel's sums of a segment */
    MOST_TAPS = 64,           /* of amx.cl */
    FEWEST_ROWS = 16,         /* shorter products wait for their weights */
    MOST_BYTES = 16 << 20,    /* of rows; larger pictures go in bands */
    LEAST_STREAMED = 24 << 20 /* bytes of y */
};

/* How a job, or a band of one sample's rows, is cut. */
typedef struct {
    int n;          /* samples */
    int oh, gh, gw; /* rows of y, and the grid of one phase and sample */
    int n_blocks;   /* of inputs */
    gint64 n_grid;  /* pixels of all phases */
    int plane;      /* these and some behind */
    int by_rows, n_segments;
    int run, per_item; /* segments and panels an item */
    int at_once;       /* blocks of inputs */
} Plan;

static int step_up(int n, int step)
{
    return (n + step - 1) / step * step;
}

static gboolean can(const SfuConvJob *j)
{
    return sfu_queue_amx(j->q) && sfu_conv_on_cpu(j) && j->n_in >= STEP && j->n_out > 8 && j->taps <= MOST_TAPS &&
           j->n_pix >= FEWEST_ROWS;
}

static gboolean can_int8(const SfuConvJob *j)
{
    return sfu_queue_amx_int8(j->q) && can(j) && j->n_in >= STEP_INT8 && j->n_out >= PANEL;
}

static int blocks_of(const SfuConvJob *j)
{
    const int step = can_int8(j) ? STEP_INT8 : STEP;
    return (j->n_in + step - 1) / step;
}

/* Whether all of x goes as one row. A term for each sample and channel needs to know which pixels are whose, and large
 * pictures go in bands. */
static gboolean as_one_row(const SfuConvJob *j)
{
    return sfu_conv_is_rows(j) && !j->e->chan &&
           (j->y->h == 1 || (gint64)j->n_pix * blocks_of(j) * PIXEL_BYTES <= MOST_BYTES);
}

static Plan make_plan(const SfuConvJob *j, int n, int oh)
{
    const SfuConvGeometry *g = j->g;
    const gboolean rows = as_one_row(j);
    const int ow = rows ? j->n_pix : j->y->w, s = g->stride;
    Plan p = {.n = rows ? 1 : n, .oh = rows ? 1 : oh};
    p.gh = p.oh + (g->kh - 1) / s;
    p.gw = ow + (g->kw - 1) / s;
    p.n_blocks = blocks_of(j);
    p.n_grid = (gint64)p.n * p.gh * p.gw * s * s;
    /* Behind the last pixel the last tile's taps read what no output takes. An odd number of lines, so that the planes
     * do not fall on the same lines of the caches. */
    p.plane = (int)((p.n_grid + 2 * SEGMENT + (gint64)(g->kh - 1) / s * p.gw + g->kw) | 1);
    p.by_rows = step_up(ow, SEGMENT) * p.oh <= p.gw * p.gh;
    p.n_segments =
        p.by_rows ? step_up(ow, SEGMENT) / SEGMENT * p.oh * p.n : step_up(p.n * p.gh * p.gw, SEGMENT) / SEGMENT;
    /* Of the second-level cache a half is for the rows of a run, and a half for the rest. */
    const gint64 room = 1 << 19, block = (gint64)BLOCK_BYTES * j->taps;
    const int units = sfu_queue_device(j->q)->n_units;
    const int chunks = (int)MAX((p.n_blocks * block + room - 1) / room, 1);
    p.at_once = (p.n_blocks + chunks - 1) / chunks;
    /* As many items as give each core the same number. */
    const int fit = (int)CLAMP(room / ((gint64)p.at_once * PIXEL_BYTES * SEGMENT), 4, 1024 / SEGMENT),
              least = (p.n_segments + fit - 1) / fit, runs = least > 2 * units ? step_up(least, units) : least,
              groups = CLAMP(runs % units ? step_up(units * 4 / runs, units) : units * 4 / runs, 1, j->n_panels);
    p.run = step_up((p.n_segments + runs - 1) / runs, 2);
    p.per_item = (j->n_panels + groups - 1) / groups;
    if (p.at_once < p.n_blocks) { /* their sums wait in local memory */
        const gint64 local = MIN(room, (gint64)sfu_queue_device(j->q)->local_bytes);
        p.run = (int)MIN(p.run, MAX(local / SUM_BYTES / 2 * 2, 2));
        p.per_item = CLAMP((int)(local / (p.run * SUM_BYTES)), 1, p.per_item);
    }
    return p;
}

/* What is multiplied with the rows of x; and the scales of whole numbers, else NULL. */
typedef struct {
    const SfuTensor *wt, *w_scales;
    SfuTensor *x_scales; /* [samples][PARTS] largest values, or one for each pixel */
    gboolean each;
} Operands;

static const char *row_options(const SfuTensor *x, gboolean int8)
{
    return int8                  ? x->dtype == SFU_F16 ? "-DBF16 -DINT8 -DACT_F16" : "-DBF16 -DINT8"
           : x->dtype == SFU_F16 ? "-DBF16 -DACT_F16"
                                 : "-DBF16";
}

/* Caller frees; NULL with error set. o may be NULL, for bf16. */
static SfuTensor *make_rows(const SfuConvJob *j, const Plan *p, const Operands *o, const SfuTensor *x, int pad_top,
                            GError **error)
{
    const gboolean int8 = o && o->w_scales;
    const SfuConvGeometry *g = j->g;
    const gboolean as_rows = as_one_row(j);
    const int units = sfu_queue_device(j->q)->n_units, run = MAX(1, p->n_grid / (units * 8));
    const SfuLaunch l = {.program = "amx",
                         .kernel = int8 ? "amx_rows_int8" : "amx_rows",
                         .options = row_options(x, int8),
                         .global = {(size_t)((p->n_grid + run - 1) / run), 1, 1},
                         .local = {1, 1, 1},
                         .bytes = sfu_op_bytes(x) + (double)PIXEL_BYTES * p->n_grid * p->n_blocks};
    SfuTensor *rows = sfu_tensor_create(j->q, SFU_I32, 1, p->n_blocks, p->plane, PIXEL_BYTES / 4, error);
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(rows));
    if (int8)
        SFU_ADD(&args, SFU_TENSOR(o->x_scales), SFU_INT(o->each));
    SFU_ADD(&args, SFU_TENSOR(x), SFU_INT(p->n_grid), SFU_INT(run), SFU_INT(as_rows ? 1 : x->h),
            SFU_INT(as_rows ? j->n_pix : x->w), SFU_INT(j->n_in), SFU_INT(p->gh), SFU_INT(p->gw), SFU_INT(g->stride),
            SFU_INT(pad_top), SFU_INT(g->pad_left), SFU_INT(g->upsample2), SFU_INT(g->circular), SFU_INT(x->c),
            SFU_INT(p->plane));
    if (rows && sfu_op_launch(j->q, &l, &args, error))
        return rows;
    sfu_tensor_destroy(rows);
    return NULL;
}

/* Whether y goes past the caches: see put_16() of amx.cl. */
static gboolean streams(const SfuConvJob *j)
{
    return j->y->dtype == SFU_F32 && sfu_op_bytes(j->y) >= LEAST_STREAMED && j->y->c % 16 == 0 &&
           j->out.offset % 16 == 0;
}

static gboolean multiply(const SfuConvJob *j, const Plan *p, const Operands *o, const SfuTensor *rows, double share,
                         const SfuConvTerms *terms, GError **error)
{
    const SfuConvGeometry *g = j->g;
    char options[64];
    g_snprintf(options, sizeof options, "%s %s-DGATED=%d", row_options(j->x, o->w_scales != NULL), sfu_conv_acts(j),
               j->e->geglu);
    const SfuLaunch l = {.program = "amx",
                         .kernel = "amx_product",
                         .options = options,
                         .global = {(size_t)((j->n_panels + p->per_item - 1) / p->per_item),
                                    (size_t)((p->n_segments + p->run - 1) / p->run), 1},
                         .local = {1, 1, 1},
                         .flops = j->flops * share,
                         .bytes = j->bytes * share};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(&j->out), SFU_TENSOR(rows), SFU_TENSOR(o->wt), SFU_INT(p->n), SFU_INT(p->n_segments),
            SFU_INT(j->n_panels), SFU_INT(p->per_item), SFU_INT(p->run), SFU_INT(p->plane), SFU_INT(p->n_blocks),
            SFU_INT(p->at_once), SFU_INT(p->gh), SFU_INT(p->gw), SFU_INT(p->by_rows), SFU_INT(p->oh),
            SFU_INT(as_one_row(j) ? j->n_pix : j->y->w), SFU_INT(j->n_out), SFU_INT(g->kh), SFU_INT(g->kw),
            SFU_INT(g->stride), SFU_INT(j->y->c), SFU_INT(streams(j)),
            SFU_LOCAL((p->at_once < p->n_blocks ? p->per_item * p->run : 2) * SUM_BYTES));
    if (o->w_scales)
        SFU_ADD(&args, SFU_TENSOR(o->w_scales), SFU_TENSOR(o->x_scales), SFU_INT(o->each));
    sfu_conv_add_epilogue(&args, j, terms);
    return sfu_op_launch(j->q, &l, &args, error);
}

/* Rows [first, first + oh) of n samples from number `sample` on. */
static gboolean launch_band(const SfuConvJob *j, const Operands *o, const SfuConvTerms *terms, int sample, int n,
                            int first, int oh, GError **error)
{
    const Plan p = make_plan(j, n, oh);
    SfuConvJob band = *j;
    SfuTensor x = *j->x, chan;
    SfuEpilogue e = *j->e;
    const size_t pixels = ((size_t)sample * (size_t)j->y->h + (size_t)first) * (size_t)j->y->w;
    x.offset += (size_t)sample * (size_t)x.h * (size_t)x.w * (size_t)x.c;
    band.out.offset += pixels * (size_t)j->y->c;
    band.residual.offset += pixels * (size_t)j->y->c;
    if (e.chan) {
        chan = *e.chan;
        chan.offset += (size_t)sample * (size_t)chan.c;
        e.chan = &chan;
        band.e = &e;
    }
    Operands of_band = *o;
    SfuTensor scales, *own = NULL, *rows = NULL;
    if (o->each)
        of_band.x_scales = own = sfu_tensor_create(j->q, SFU_F32, 1, 1, 1, (int)p.n_grid, error);
    else if (o->w_scales) {
        scales = *o->x_scales;
        scales.offset += (size_t)sample * PARTS;
        of_band.x_scales = &scales;
    }
    const gboolean ok = (own || !o->each) &&
                        (rows = make_rows(&band, &p, &of_band, &x, j->g->pad_top - first * j->g->stride, error)) &&
                        multiply(&band, &p, &of_band, rows, (double)n * oh / ((double)j->y->n * j->y->h), terms, error);
    sfu_tensor_destroy(own);
    sfu_tensor_destroy(rows);
    return ok;
}

static gboolean launch_part(const SfuConvJob *j, const Operands *o, const SfuConvTerms *terms, GError **error)
{
    const Plan all = make_plan(j, j->y->n, j->y->h);
    if (as_one_row(j) || (gint64)all.n_grid * all.n_blocks * PIXEL_BYTES <= MOST_BYTES)
        return launch_band(j, o, terms, 0, j->y->n, 0, j->y->h, error);
    const Plan one = make_plan(j, 1, 1);
    const int row = (int)CLAMP(MOST_BYTES / (one.gw * (gint64)j->g->stride * j->g->stride * one.n_blocks * PIXEL_BYTES),
                               8, j->y->h);
    gboolean ok = TRUE;
    for (int sample = 0; ok && sample < j->y->n; sample++)
        for (int y = 0; ok && y < j->y->h; y += row)
            ok = launch_band(j, o, terms, sample, 1, y, MIN(row, j->y->h - y), error);
    return ok;
}

/* rows: of all parts, where x goes as one row; else NULL. */
static gboolean launch_widened(const SfuConvJob *j, const SfuConvJob *part, const SfuTensor *wide,
                               const SfuConvTerms *terms, gconstpointer rows, GError **error)
{
    const Operands o = {.wt = wide};
    if (!rows)
        return launch_part(part, &o, terms, error);
    const Plan p = make_plan(part, part->y->n, part->y->h);
    return multiply(part, &p, &o, rows, 1, terms, error);
}

static gboolean launch_quantized(const SfuConvJob *j, const SfuConvTerms *terms, GError **error)
{
    const Plan p = make_plan(j, j->y->n, j->y->h);
    SfuTensor *rows = as_one_row(j) ? make_rows(j, &p, NULL, j->x, 0, error) : NULL;
    const gboolean ok =
        (rows || !as_one_row(j)) && sfu_conv_by_parts(j, SFU_WIDE_PANELS, terms, launch_widened, rows, error);
    sfu_tensor_destroy(rows);
    return ok;
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    SfuConvTerms terms = {0};
    Operands o = {0};
    if (!sfu_conv_panel_terms(j, &terms, error))
        return FALSE;
    if (sfu_conv_stays_quantized(j))
        return launch_quantized(j, &terms, error);
    return (o.wt = sfu_conv_panels_bf16(j, STEP, error)) && launch_part(j, &o, &terms, error);
}

/* ---- whole numbers of 8 bits: weights have a scale for each output, x for each pixel or, with taps, each sample ----
 */

typedef struct {
    gboolean geglu;
    int n_out, n_in, taps, n_blocks;
} Int8Pack;

/* Reads the weights of the output at place `at`, and returns the largest absolute value; 0 if none is there. */
static float read_output(const SfuWeight *w, const Int8Pack *p, gint64 at, float *row)
{
    const gint64 k = (gint64)p->n_in * p->taps, o = sfu_conv_output_at(at, p->n_out, p->geglu ? PANEL / 2 : 0);
    float most = 0;
    if (o < 0)
        return 0;
    sfu_weight_read_f32(w, o * k, k, row);
    for (gint64 i = 0; i < k; i++)
        most = MAX(most, fabsf(row[i]));
    return most;
}

static void pack_scales(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer data)
{
    const Int8Pack *p = data;
    float *row = g_new(float, (gint64)p->n_in * p->taps);
    for (gint64 at = first; at < end; at++)
        ((float *)dst)[at] = read_output(w, p, at, row) / 127;
    g_free(row);
}

/* [panels][blocks][taps][16 words of 4 inputs][32 outputs] */
static void pack_numbers(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer data)
{
    const Int8Pack *p = data;
    const gint64 panel_bytes = (gint64)p->n_blocks * p->taps * BLOCK_BYTES;
    float *row = g_new(float, (gint64)p->n_in * p->taps);
    memset((guint8 *)dst + (size_t)first * part_bytes, 0, (size_t)(end - first) * part_bytes);
    for (gint64 at = first * PANEL; at < end * PANEL; at++) {
        const float most = read_output(w, p, at, row), inverse = most > 0 ? 127 / most : 0;
        gint8 *to = (gint8 *)dst + at / PANEL * panel_bytes + at % PANEL * 4;
        for (int i = 0; most > 0 && i < p->n_in; i++)
            for (int t = 0; t < p->taps; t++) {
                const int word = (i / STEP_INT8 * p->taps + t) * STEP_INT8 / 4 + i % STEP_INT8 / 4;
                const double q = rint((double)row[(gint64)i * p->taps + t] * (double)inverse);
                to[(gint64)word * PANEL * 4 + i % 4] = (gint8)CLAMP(q, -127, 127);
            }
    }
    g_free(row);
}

/* The largest values of parts of each sample. Caller frees; NULL with error set. */
static SfuTensor *find_largest(const SfuConvJob *j, GError **error)
{
    const SfuTensor *x = j->x;
    const SfuLaunch l = {.program = "amx",
                         .kernel = "amx_largest",
                         .options = row_options(x, TRUE),
                         .global = {(size_t)x->n * PARTS, 1, 1},
                         .local = {1, 1, 1},
                         .bytes = sfu_op_bytes(x)};
    SfuTensor *largest = sfu_tensor_create(j->q, SFU_F32, 1, 1, x->n, PARTS, error);
    const SfuArg args[] = {SFU_TENSOR(largest), SFU_TENSOR(x), SFU_INT(x->h * x->w), SFU_INT(j->n_in), SFU_INT(x->c)};
    if (largest && sfu_launch(j->q, &l, args, G_N_ELEMENTS(args), error))
        return largest;
    sfu_tensor_destroy(largest);
    return NULL;
}

static gboolean launch_int8(SfuConvJob *j, GError **error)
{
    const Int8Pack p = {j->e->geglu, j->n_out, j->n_in, j->taps, blocks_of(j)};
    const gint64 words = (gint64)j->n_panels * p.n_blocks * p.taps * BLOCK_BYTES / 4;
    const gboolean geglu = j->e->geglu;
    SfuConvTerms terms = {0};
    Operands o = {.each = sfu_conv_is_rows(j)};
    SfuTensor *largest = NULL;
    const gboolean ok = sfu_conv_panel_terms(j, &terms, error) &&
                        (o.wt = sfu_weight_on_device(j->q, j->w, geglu ? "amx int8 geglu" : "amx int8", SFU_I32, words,
                                                     j->n_panels, pack_numbers, &p, error)) &&
                        (o.w_scales = sfu_weight_on_device(j->q, j->w, geglu ? "amx scales geglu" : "amx scales",
                                                           SFU_F32, (gint64)j->n_panels * PANEL,
                                                           (gint64)j->n_panels * PANEL, pack_scales, &p, error)) &&
                        (o.each || (o.x_scales = largest = find_largest(j, error))) &&
                        launch_part(j, &o, &terms, error);
    sfu_tensor_destroy(largest);
    return ok;
}

const SfuConvPath sfu_product_amx = {"amx", can, launch}, sfu_product_amx_int8 = {"amx int8", can_int8, launch_int8};
