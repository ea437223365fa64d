/* Convolution and learned products: one geometry, a plain kernel and a panel kernel for CPU devices.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv.h"
#include "ops/util.h"
#include "runtime/half.h"
#include <string.h>

#define PANEL 32
#define BLOCK 12
#define FEW_OUT 8     /* outputs up to which vectors run over the inputs */
#define FEW_IN 31     /* inputs up to which taps are gathered into rows ... */
#define PAST_CACHES_BYTES (64 << 20) /* results from which on a next reader finds nothing in the caches anyway */
#define MOST_GATHER 400 /* ... of at most this many values: the copy is unrolled */

typedef struct {
    gboolean half, geglu;
    int n_out, n_in, taps;
} PackParams;

/* Weights stay 16 bits wide on the device when the file has them so; bf16 and 8-bit ones do not fit fp16's range or are rare. */
static SfuDtype device_dtype(const SfuWeight *w) { return sfu_weight_dtype(w) == SFU_F16 ? SFU_F16 : SFU_F32; }

static void put(void *dst, gboolean half, gint64 i, float v)
{
    if (half)
        ((guint16 *)dst)[i] = sfu_half_from_float(v);
    else
        ((float *)dst)[i] = v;
}

/* [out, in, taps] -> [out, taps, in]. */
static void pack_plain(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    const PackParams *p = data;
    float *row = g_new(float, (gsize)p->n_in * p->taps);
    for (gint64 o = 0; o < p->n_out; o++) {
        sfu_weight_read_f32(w, o * p->n_in * p->taps, (gint64)p->n_in * p->taps, row);
        for (int t = 0; t < p->taps; t++)
            for (int i = 0; i < p->n_in; i++)
                put(dst, p->half, (o * p->taps + t) * p->n_in + i, row[(gint64)i * p->taps + t]);
    }
    g_free(row);
}

/* The output whose weights stand at place `at` of the panels. */
static gint64 panel_row(const PackParams *p, gint64 at)
{
    const gint64 panel = at / PANEL, j = at % PANEL;
    return !p->geglu ? at : j < 16 ? panel * 16 + j : p->n_out / 2 + panel * 16 + j - 16;
}

/* [out, in, taps] -> [out/32][taps*in][32], missing outputs zero. GEGLU: 16 values then their 16 gates in each panel. */
static void pack_panel(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    const PackParams *p = data;
    const gint64 k = (gint64)p->n_in * p->taps;
    float *rows = g_new(float, PANEL * k);
    for (gint64 panel = 0; panel * PANEL < p->n_out; panel++) {
        memset(rows, 0, sizeof *rows * PANEL * (size_t)k);
        for (int j = 0; j < PANEL; j++) {
            const gint64 o = panel_row(p, panel * PANEL + j);
            if (o < p->n_out)
                sfu_weight_read_f32(w, o * k, k, rows + j * k);
        }
        for (int t = 0; t < p->taps; t++)
            for (int i = 0; i < p->n_in; i++)
                for (int j = 0; j < PANEL; j++)
                    put(dst, p->half, (panel * k + (gint64)t * p->n_in + i) * PANEL + j, rows[j * k + (gint64)i * p->taps + t]);
    }
    g_free(rows);
}

/* The same in pairs of bf16 along the inputs, [out/32][in/2][32][2], for products without taps. */
static void pack_panel_bf16(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    const PackParams *p = data;
    const gint64 k = p->n_in, words = (k + 1) / 2;
    float *row = g_new0(float, 2 * words);
    memset(dst, 0, bytes);
    for (gint64 at = 0; at < (p->n_out + PANEL - 1) / PANEL * PANEL; at++) {
        const gint64 o = panel_row(p, at);
        if (o >= p->n_out)
            continue;
        sfu_weight_read_f32(w, o * k, k, row);
        guint16 *to = (guint16 *)dst + 2 * (at / PANEL * words * PANEL + at % PANEL);
        for (gint64 i = 0; i < words; i++) {
            to[2 * i * PANEL] = sfu_bf16_from_float(row[2 * i]);
            to[2 * i * PANEL + 1] = sfu_bf16_from_float(row[2 * i + 1]);
        }
    }
    g_free(row);
}

/* [out, in, taps] -> [taps][in/16][out][16], missing inputs zero: for conv_few. */
static void pack_few(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    const PackParams *p = data;
    const gint64 k = (gint64)p->n_in * p->taps, groups = (p->n_in + 15) / 16;
    float *row = g_new(float, k);
    memset(dst, 0, bytes);
    for (gint64 o = 0; o < p->n_out; o++) {
        sfu_weight_read_f32(w, o * k, k, row);
        for (int t = 0; t < p->taps; t++)
            for (int i = 0; i < p->n_in; i++)
                put(dst, p->half, ((t * groups + i / 16) * p->n_out + o) * 16 + i % 16, row[(gint64)i * p->taps + t]);
    }
    g_free(row);
}

static void pack_geglu_bias(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    const int n = (int)sfu_weight_elements(w);
    float *v = g_new(float, n), *out = dst;
    sfu_weight_read_f32(w, 0, n, v);
    for (int o = 0; o < n; o++)
        out[o] = o % 32 < 16 ? v[o / 32 * 16 + o % 32] : v[n / 2 + o / 32 * 16 + o % 32 - 16];
    g_free(v);
}

static void pack_zero(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data) { memset(dst, 0, bytes); }

static void add_tile(SfuQueue *q, char *options, gsize size, int n_panels)
{
    const SfuCpuTile t = sfu_cpu_tile(q, n_panels);
    const gsize n = strlen(options);
    g_snprintf(options + n, size - n, " -DVW=%d -DTILE_ROWS=%d -DTILE_COLS=%d", t.vector, t.rows, t.cols);
}

/* How linear_panel is cut. */
typedef struct {
    int rows, per_item, slice; /* rows and panels an item, inputs packed at a time */
    size_t local_bytes;
} RowPlan;

static RowPlan row_plan(SfuQueue *q, int n_rows, int n_in, int n_panels, int pair)
{
    enum { MOST_ROWS = 96 };
    const SfuDeviceInfo *info = sfu_queue_device(q);
    const int runs = (n_rows + MOST_ROWS - 1) / MOST_ROWS;
    RowPlan p = {.rows = ((n_rows + runs - 1) / runs + BLOCK - 1) / BLOCK * BLOCK};
    /* Packing the rows is repeated for each item of a run, so an item takes as many panels as leave work for every core. */
    p.per_item = CLAMP((gint64)n_panels * runs / (info->n_units * 8), 4, 32);
    p.per_item = MIN(p.per_item, n_panels);
    if (n_panels % 2 == 0) /* tiles may be two panels wide */
        p.per_item += p.per_item % 2;
    /* Rows and, when the inputs do not fit at once, sums share half the second-level cache; the weights stream by. */
    const gint64 room = MAX((gint64)info->local_bytes, 32768) / 2, step = 16 * pair, all = (n_in + step - 1) / step * step;
    p.slice = (int)(all * p.rows * 4 / pair <= room ? all : 0);
    if (!p.slice) {
        p.per_item = MIN(p.per_item, 16);
        while (p.per_item > 2 && (gint64)p.per_item * p.rows * PANEL * 4 > room / 2)
            p.per_item -= 2;
        while (p.rows > BLOCK && (gint64)p.rows * (p.per_item * PANEL * 4 + 16 * step * 4 / pair) > room)
            p.rows -= BLOCK;
        p.slice = (int)CLAMP((room / p.rows - (gint64)p.per_item * PANEL * 4) / 4 * pair / step * step, step, all);
    }
    p.local_bytes = 4 * (size_t)p.rows * ((size_t)p.slice / (size_t)pair + (p.slice < n_in ? (size_t)p.per_item * PANEL : 0));
    return p;
}

/* Adds BIAS_ONLY for linear_panel where it holds, and PAST_CACHES. */
static void add_bias_only(SfuQueue *q, char *options, gsize size, const SfuTensor *y, const SfuTensor *range, const SfuEpilogue *e, int n_out, int n_panels)
{
    if (e->chan || e->residual || e->act != SFU_ACT_NONE || (e->scale != 0 && e->scale != 1) || e->geglu || n_out % MAX(PANEL, sfu_cpu_tile(q, n_panels).cols))
        return;
    g_strlcat(options, " -DBIAS_ONLY", size);
    if (sfu_op_bytes(y) >= PAST_CACHES_BYTES && y->dtype == SFU_F32 && range->offset % 16 == 0 && y->c % 16 == 0)
        g_strlcat(options, " -DPAST_CACHES", size);
}

/* *moments: whether those of the epilogue were made on the way. */
static gboolean run(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuConvGeometry *g, const SfuEpilogue *e, gboolean *moments,
                    GError **error)
{
    const int taps = g->kh * g->kw, n_out = (int)sfu_weight_dim(w, 0), n_in = (g->x_c ? g->x_c : x->c) / g->groups;
    const int n_pix = y->n * y->h * y->w;
    const gboolean cpu = sfu_queue_kernels(q) == SFU_KERNELS_CPU && g->groups == 1 && !(e->geglu && n_out % 32);
    if (sfu_weight_elements(w) != (gint64)n_out * n_in * taps || n_in * g->groups != (g->x_c ? g->x_c : x->c) || n_out % g->groups || g->x_c > x->c)
        return sfu_op_shape_error(error, g->op, "%s has %" G_GINT64_FORMAT " values, wanted %d x %d x %d", sfu_weight_name(w),
                                  sfu_weight_elements(w), n_out, n_in, taps);
    if (g->y_part ? g->y_col < 0 || e->chan || e->geglu || y->c - g->y_col < n_out : g->y_col != 0)
        return sfu_op_shape_error(error, g->op, "%d channels from %d on do not fit into %d", n_out, g->y_col, y->c);
    if ((!g->y_part && y->c != (e->geglu ? n_out / 2 : n_out)) || y->n != x->n || y->dtype != x->dtype)
        return sfu_op_shape_error(error, g->op, "%s gives %d channels, y has %d (%s from %s)", sfu_weight_name(w), n_out, y->c,
                                  sfu_dtype_name(y->dtype), sfu_dtype_name(x->dtype));
    if (e->residual && !sfu_op_same_shape(error, g->op, y, e->residual))
        return FALSE;
    if (e->geglu && (e->chan || e->residual || e->act != SFU_ACT_NONE || (e->scale != 0 && e->scale != 1) || n_out % 2))
        return sfu_op_shape_error(error, g->op, "%s: behind GEGLU only a bias is possible", sfu_weight_name(w));
    if (e->chan && (e->chan->n != y->n || e->chan->c != y->c || e->chan->h != 1 || e->chan->w != 1 || e->chan->dtype != y->dtype))
        return sfu_op_shape_error(error, g->op, "the channel term has %d x %d values for %d x %d", e->chan->n, e->chan->c, y->n, y->c);
    if (e->bias && sfu_weight_elements(e->bias) != n_out)
        return sfu_op_shape_error(error, g->op, "%s has %" G_GINT64_FORMAT " values for %d channels", sfu_weight_name(e->bias),
                                  sfu_weight_elements(e->bias), n_out);
    if (e->act == SFU_ACT_PRELU && (!e->prelu || (sfu_weight_elements(e->prelu) != n_out && sfu_weight_elements(e->prelu) != 1)))
        return sfu_op_shape_error(error, g->op, "%s: PReLU needs 1 or %d slopes", sfu_weight_name(w), n_out);

    if (cpu)
        (void)sfu_cpu_width(q); /* before anything is on the device: a measurement may drop it */
    const gboolean rows = taps == 1 && g->stride == 1 && g->pad_top == 0 && g->pad_left == 0 && y->h == x->h && y->w == x->w &&
                          n_in == x->c && !g->y_part;
    if (rows) {
        gboolean clblast;
        if (!sfu_blas_rows_choose(q, y, x, w, g, e, &clblast, error))
            return FALSE;
        if (clblast)
            return sfu_blas_rows(q, y, x, w, e, error);
    }
    SfuTensor range = *y, res; /* from the first channel that is written */
    range.offset += (size_t)g->y_col;
    if (e->residual) {
        res = *e->residual;
        res.offset += (size_t)g->y_col;
    }
    const SfuDtype wd = device_dtype(w);
    const PackParams p = {.half = wd == SFU_F16, .geglu = e->geglu, .n_out = n_out, .n_in = n_in, .taps = taps};
    const SfuTensor *bias = NULL, *prelu = NULL;
    if (e->bias && !(bias = e->geglu && cpu ? sfu_weight_on_device(q, e->bias, "geglu", SFU_F32, n_out, pack_geglu_bias, NULL, error)
                                            : sfu_weight_f32(q, e->bias, error)))
        return FALSE;
    if (e->act == SFU_ACT_PRELU && !(prelu = sfu_weight_f32(q, e->prelu, error)))
        return FALSE;
    const double flops = 2.0 * n_pix * n_out * n_in * taps;
    const double bytes = sfu_op_bytes(x) + sfu_op_bytes(y) + (double)sfu_weight_elements(w) * (double)sfu_dtype_bytes(wd);
    char options[256];
    g_snprintf(options, sizeof options, "%s%s%s%s", sfu_op_storage(x) ? "-DACT_F16 " : "", p.half ? "-DW_F16 " : "",
               cpu ? "" : "-DPLAIN ", cpu && e->geglu ? "-DGEGLU" : "");
#define GEOMETRY_ARGS                                                                                                             \
    SFU_INT(x->h), SFU_INT(x->w), SFU_INT(n_in), SFU_INT(y->h), SFU_INT(y->w), SFU_INT(n_out), SFU_INT(g->kh), SFU_INT(g->kw), \
        SFU_INT(g->stride), SFU_INT(g->pad_top), SFU_INT(g->pad_left), SFU_INT(g->upsample2), SFU_INT(g->circular), SFU_INT(g->groups), \
        SFU_INT(x->c), SFU_INT(y->c)
#define EPILOGUE_ARGS                                                                                                             \
    SFU_TENSOR(bias), SFU_TENSOR(e->chan), SFU_TENSOR(prelu), SFU_INT(e->prelu ? (int)sfu_weight_elements(e->prelu) : 0),       \
        SFU_TENSOR(e->residual ? &res : NULL), SFU_INT(e->act), SFU_FLOAT(e->act_param), SFU_FLOAT(e->scale == 0 ? 1 : e->scale)
    if (cpu && rows) {
        const gboolean bf16 = sfu_queue_precision(q) == SFU_PRECISION_BF16;
        const int n_panels = (n_out + PANEL - 1) / PANEL, pair = bf16 ? 2 : 1, words = (n_in + pair - 1) / pair;
        const SfuTensor *wt = bf16 ? sfu_weight_on_device(q, w, e->geglu ? "bf16 geglu" : "bf16", SFU_F32, (gint64)n_panels * PANEL * words,
                                                          pack_panel_bf16, &p, error)
                                   : sfu_weight_on_device(q, w, e->geglu ? "panel32 geglu" : "panel32", wd, (gint64)n_panels * PANEL * n_in,
                                                          pack_panel, &p, error);
        if (!wt)
            return FALSE;
        if (bf16)
            g_strlcat(options, " -DBF16", sizeof options);
        add_tile(q, options, sizeof options, n_panels);
        add_bias_only(q, options, sizeof options, y, &range, e, n_out, n_panels);
        const RowPlan plan = row_plan(q, n_pix, n_in, n_panels, pair);
        const SfuLaunch l = {.program = "linear", .kernel = "linear_panel", .options = options,
                             .global = {(size_t)((n_panels + plan.per_item - 1) / plan.per_item), (size_t)((n_pix + plan.rows - 1) / plan.rows), 1},
                             .local = {1, 1, 1}, .flops = flops, .bytes = bytes};
        const SfuArg args[] = {SFU_TENSOR(y), SFU_TENSOR(x), SFU_TENSOR(wt), SFU_INT(n_pix), SFU_INT(plan.rows), SFU_INT(n_in), SFU_INT(n_out),
                               SFU_INT(y->c), SFU_INT(y->h * y->w), SFU_INT(n_panels), SFU_INT(plan.per_item), SFU_INT(plan.slice), SFU_LOCAL(plan.local_bytes),
                               EPILOGUE_ARGS};
        return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    if (cpu && n_out <= FEW_OUT && n_in >= 16) {
        const SfuTensor *wt = sfu_weight_on_device(q, w, "few", wd, (gint64)taps * ((n_in + 15) / 16) * n_out * 16, pack_few, &p, error);
        const SfuTensor *zeros = wt ? sfu_weight_on_device(q, w, x->dtype == SFU_F16 ? "zeros16" : "zeros32", x->dtype, n_in, pack_zero, NULL, error) : NULL;
        if (!zeros)
            return FALSE;
        /* Sums, weights and a value in registers: 32 of them, or 16. */
        const int vector = sfu_cpu_width(q), pix = CLAMP(vector == 16 ? 24 / n_out : 15 / n_out - 1, 1, 12), blocks = (n_pix + pix - 1) / pix;
        const int run = CLAMP(blocks / (sfu_queue_device(q)->n_units * 8), 1, 64);
        char few[32];
        g_snprintf(few, sizeof few, " -DOUTS=%d -DPIX=%d -DVW=%d", n_out, pix, vector);
        g_strlcat(options, few, sizeof options);
        const SfuLaunch l = {.program = "conv", .kernel = "conv_few", .options = options, .global = {(size_t)((blocks + run - 1) / run), 1, 1},
                             .local = {1, 1, 1}, .flops = flops, .bytes = bytes};
        const SfuArg args[] = {SFU_TENSOR(&range), SFU_TENSOR(x), SFU_TENSOR(wt), SFU_TENSOR(zeros), SFU_INT(n_pix), SFU_INT(run), GEOMETRY_ARGS,
                               EPILOGUE_ARGS};
        return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    if (cpu) {
        SfuWinograd plan;
        const gboolean winograd = sfu_winograd_plan(q, g, y, n_in, n_out, &plan);
        const int n_panels = (n_out + PANEL - 1) / PANEL;
        const RowPlan plan_rows = row_plan(q, n_pix, n_in * taps, n_panels, 1);
        const gboolean gathered = !winograd && !e->geglu && n_in <= FEW_IN && n_in * taps <= MOST_GATHER && plan_rows.slice >= n_in * taps;
        const PackParams as_fp32 = {.n_out = n_out, .n_in = n_in, .taps = taps};
        const SfuTensor *wt =
            gathered ? sfu_weight_on_device(q, w, "panel32 fp32", SFU_F32, (gint64)n_panels * PANEL * n_in * taps, pack_panel, &as_fp32, error)
                     : sfu_weight_on_device(q, w, e->geglu ? "panel32 geglu" : "panel32", wd, (gint64)n_panels * PANEL * n_in * taps, pack_panel, &p, error);
        if (!wt)
            return FALSE;
        if (winograd) {
            g_strlcat(options, plan.options, sizeof options);
            if (e->moments)
                g_strlcat(options, " -DMOMENTS", sizeof options);
            SfuTensor *v = sfu_winograd_input_create(q, &plan, n_in, error), *parts = NULL;
            const int per = plan.tiles_x * plan.tiles_y, slots = (per + plan.t_chunk - 2) / plan.t_chunk + 1;
            gboolean done = v && (!e->moments || (parts = sfu_tensor_create(q, SFU_F32, y->n, slots, 3, n_out, error)));
            for (int t0 = 0; done && t0 < plan.n_tiles; t0 += plan.t_chunk * plan.n_chunks) {
                const int chunks = MIN(plan.n_chunks, (plan.n_tiles - t0 + plan.t_chunk - 1) / plan.t_chunk);
#define TILE_ARGS SFU_INT(plan.n_tiles), SFU_INT(t0), SFU_INT(plan.t_chunk), SFU_INT(plan.tiles_x), SFU_INT(plan.tiles_y)
                const SfuLaunch in = {.program = "winograd", .kernel = "winograd_input", .options = options,
                                      .global = {(size_t)chunks * plan.t_chunk, (size_t)plan.n_splits, 1}, .local = {1, 1, 1},
                                      .bytes = 10.0 * chunks * plan.t_chunk * n_in * 16};
                const SfuArg in_args[] = {SFU_TENSOR(v), SFU_TENSOR(x), TILE_ARGS, SFU_INT(x->h), SFU_INT(x->w), SFU_INT(n_in), SFU_INT(x->c), SFU_INT(g->pad_top),
                                          SFU_INT(g->pad_left), SFU_INT(g->upsample2), SFU_INT(g->circular), SFU_INT(plan.run)};
                const SfuLaunch out = {.program = "winograd", .kernel = "winograd_product", .options = options,
                                       .global = {(size_t)n_panels, (size_t)chunks, 1}, .local = {1, 1, 1},
                                       .flops = flops * MIN(chunks * plan.t_chunk, plan.n_tiles - t0) / plan.n_tiles, .bytes = bytes};
                const SfuArg out_args[] = {SFU_TENSOR(&range), SFU_TENSOR(v), SFU_TENSOR(wt), TILE_ARGS, SFU_INT(n_in), SFU_INT(y->h), SFU_INT(y->w),
                                           SFU_INT(n_out), SFU_INT(y->c), SFU_INT(plan.slice), SFU_TENSOR(parts), SFU_INT(slots), SFU_LOCAL(plan.local_bytes), EPILOGUE_ARGS};
                done = sfu_launch(q, &in, in_args, G_N_ELEMENTS(in_args), error) && sfu_launch(q, &out, out_args, G_N_ELEMENTS(out_args), error);
            }
            if (parts) {
                done = done && sfu_op_moments_join(e->moments, parts, per, plan.t_chunk, error);
                *moments = TRUE;
            }
            sfu_tensor_destroy(parts);
            sfu_tensor_destroy(v);
            return done;
        }
        if (gathered) { /* few weights, so they may be wide: nothing to be converted at each step */
            g_snprintf(options, sizeof options, "%s -DGATHER -DC_IN=%d -DKH=%d -DKW=%d", x->dtype == SFU_F16 ? "-DACT_F16" : "", n_in, g->kh, g->kw);
            add_tile(q, options, sizeof options, n_panels);
            add_bias_only(q, options, sizeof options, y, &range, e, n_out, n_panels);
            const SfuLaunch l = {.program = "linear", .kernel = "linear_panel", .options = options,
                                 .global = {(size_t)((n_panels + plan_rows.per_item - 1) / plan_rows.per_item),
                                            (size_t)((n_pix + plan_rows.rows - 1) / plan_rows.rows), 1},
                                 .local = {1, 1, 1}, .flops = flops, .bytes = bytes};
            const SfuArg args[] = {SFU_TENSOR(&range), SFU_TENSOR(x), SFU_TENSOR(wt), SFU_INT(n_pix), SFU_INT(plan_rows.rows), SFU_INT(n_in * taps),
                                   SFU_INT(n_out), SFU_INT(y->c), SFU_INT(y->h * y->w), SFU_INT(n_panels), SFU_INT(plan_rows.per_item),
                                   SFU_INT(plan_rows.slice), SFU_LOCAL(plan_rows.local_bytes), SFU_INT(x->h), SFU_INT(x->w), SFU_INT(y->h),
                                   SFU_INT(y->w), SFU_INT(g->stride), SFU_INT(g->pad_top), SFU_INT(g->pad_left), SFU_INT(g->upsample2),
                                   SFU_INT(g->circular), SFU_INT(x->c), EPILOGUE_ARGS};
            return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
        }
        const SfuTensor *zeros = sfu_weight_on_device(q, w, x->dtype == SFU_F16 ? "zeros16" : "zeros32", x->dtype, n_in, pack_zero, NULL, error);
        if (!zeros)
            return FALSE;
        /* A run keeps one panel in the cache: long enough to pay for loading it, short enough for every core to have work. */
        const int blocks = (n_pix + BLOCK - 1) / BLOCK, units = sfu_queue_device(q)->n_units;
        const int run = CLAMP((gint64)blocks * n_panels / (units * 8), 1, 16);
        add_tile(q, options, sizeof options, n_panels);
        const int wide = (sfu_cpu_tile(q, n_panels).cols + PANEL - 1) / PANEL;
        const SfuLaunch l = {.program = "conv", .kernel = "conv_panel", .options = options,
                             .global = {(size_t)((blocks + run - 1) / run), (size_t)(n_panels / wide), 1}, .local = {1, 1, 1},
                             .flops = flops, .bytes = bytes};
        const SfuArg args[] = {SFU_TENSOR(&range), SFU_TENSOR(x), SFU_TENSOR(wt), SFU_TENSOR(zeros), SFU_INT(n_pix), SFU_INT(run), GEOMETRY_ARGS,
                               EPILOGUE_ARGS};
        return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    const char *out4 = range.offset % 4 == 0 && y->c % 4 == 0 && (!e->residual || res.offset % 4 == 0) ? " -DOUT4" : "";
    if (g->groups == 1 && sfu_mma_usable(q, x, w)) {
        SfuTile tile;
        const SfuTensor *wt = sfu_mma_plan(q, w, x, n_pix, n_in, n_out, taps, e->geglu, &tile, error);
        if (!wt)
            return FALSE;
        g_snprintf(options, sizeof options, "-DACT_F16%s%s", out4, tile.options);
        const SfuLaunch l = {.program = "gpu_mma", .kernel = "conv_mma", .options = options, .global = {tile.global[0], tile.global[1], 1},
                             .local = {tile.local, 1, 1}, .flops = flops, .bytes = bytes};
        const SfuArg args[] = {SFU_TENSOR(&range), SFU_TENSOR(x), SFU_TENSOR(wt), SFU_INT(n_pix), SFU_INT(tile.n_pad), SFU_INT(tile.rows), GEOMETRY_ARGS,
                               EPILOGUE_ARGS};
        return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    if (sfu_queue_kernels(q) == SFU_KERNELS_GPU && g->groups == 1) {
        SfuTile tile;
        const SfuTensor *wt = sfu_tile_plan(q, w, x, n_pix, n_in, n_out, taps, e->geglu, &tile, error);
        if (!wt)
            return FALSE;
        g_strlcat(options, out4, sizeof options);
        g_strlcat(options, tile.options, sizeof options);
        const SfuLaunch l = {.program = "gpu_conv", .kernel = "conv_gpu", .options = options, .global = {tile.global[0], tile.global[1], 1},
                             .local = {16, 16, 1}, .flops = flops, .bytes = bytes};
        const SfuArg args[] = {SFU_TENSOR(&range), SFU_TENSOR(x), SFU_TENSOR(wt), SFU_INT(n_pix), SFU_INT(tile.n_pad), GEOMETRY_ARGS, EPILOGUE_ARGS};
        return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    if (e->geglu) { /* both halves, then one times the other's gate */
        const SfuEpilogue only_bias = {.bias = e->bias};
        SfuTensor *wide = sfu_tensor_create(q, y->dtype, y->n, y->h, y->w, n_out, error);
        const SfuLaunch l = {.program = "conv", .kernel = "geglu_plain", .options = options, .global = {(size_t)y->c, (size_t)n_pix, 1},
                             .bytes = 3 * sfu_op_bytes(y)};
        const SfuArg args[] = {SFU_TENSOR(y), SFU_TENSOR(wide), SFU_INT(y->c)};
        const gboolean ok = wide && sfu_conv_run(q, wide, x, w, g, &only_bias, error) && sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
        sfu_tensor_destroy(wide);
        return ok;
    }
    const SfuTensor *wt = sfu_weight_on_device(q, w, p.half ? "plain16" : "plain32", wd, (gint64)n_out * n_in * taps, pack_plain, &p, error);
    if (!wt)
        return FALSE;
    const SfuLaunch l = {.program = "conv", .kernel = "conv_plain", .options = options,
                         .global = {(size_t)n_out, (size_t)y->h * y->w, (size_t)y->n}, .flops = flops, .bytes = bytes};
    const SfuArg args[] = {SFU_TENSOR(&range), SFU_TENSOR(x), SFU_TENSOR(wt), GEOMETRY_ARGS, EPILOGUE_ARGS};
    return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
}

gboolean sfu_conv_run(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuConvGeometry *g, const SfuEpilogue *e,
                      GError **error)
{
    static const SfuEpilogue no_epilogue;
    gboolean made = FALSE;
    if (!e)
        e = &no_epilogue;
    if (e->moments && (g->y_part || e->moments->n != y->n || e->moments->h != 1 || e->moments->w != 3 || e->moments->c != y->c || e->moments->dtype != SFU_F32))
        return sfu_op_shape_error(error, g->op, "the moments are %d x %d x %d x %d for %d samples of %d channels", e->moments->n, e->moments->h,
                                  e->moments->w, e->moments->c, y->n, y->c);
    return run(q, y, x, w, g, e, &made, error) && (!e->moments || made || sfu_moments(q, e->moments, y, error));
}

gboolean sfu_conv2d(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuConv *conv, const SfuEpilogue *e, GError **error)
{
    static const SfuConv none;
    if (!conv)
        conv = &none;
    const SfuConvGeometry g = {.op = "conv2d", .kh = (int)sfu_weight_dim(w, 2), .kw = (int)sfu_weight_dim(w, 3), .stride = MAX(1, conv->stride),
                               .pad_top = conv->pad_top, .pad_left = conv->pad_left, .upsample2 = conv->upsample2,
                               .circular = conv->circular, .groups = MAX(1, conv->groups), .x_c = conv->x_c, .y_part = conv->y_part, .y_col = conv->y_col};
    const int room_h = (x->h << conv->upsample2) + conv->pad_top + conv->pad_bottom - g.kh;
    const int room_w = (x->w << conv->upsample2) + conv->pad_left + conv->pad_right - g.kw;
    if (room_h < 0 || room_w < 0)
        return sfu_op_shape_error(error, "conv2d", "a kernel of %d x %d does not fit in %d x %d", g.kh, g.kw, x->h, x->w);
    const int oh = room_h / g.stride + 1, ow = room_w / g.stride + 1;
    if (y->h != oh || y->w != ow)
        return sfu_op_shape_error(error, "conv2d", "the output is %d x %d, y is %d x %d", oh, ow, y->h, y->w);
    if (e && e->geglu)
        return sfu_op_shape_error(error, "conv2d", "GEGLU is for linear");
    return sfu_conv_run(q, y, x, w, &g, e, error);
}
