/* Winograd's 3x3 convolution: when it pays and how it is cut. The kernels and their source: winograd.cl.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"

enum { POINTS = 36, PANEL = SFU_PANEL, MAX_TILES = 96 };

/* How a convolution is cut into tiles: see winograd.cl. */
typedef struct {
    int n_tiles, tiles_x, tiles_y;
    int t_chunk;       /* tiles a chunk */
    int n_chunks;      /* chunks a launch */
    int slice;         /* input channels whose weights are transformed at a time */
    int run, n_splits; /* input transform: groups of 16 channels an item, items a tile */
    size_t local_bytes;
    int mr; /* tiles a block */
} Plan;

static int round_up(int n, int step)
{
    return (n + step - 1) / step * step;
}

/* Input channels whose weights fit beside the sums of t tiles in the core's second-level cache, with room for what
 * streams by; a multiple of 16, at most n_in of them. */
static int slice_beside(const SfuDeviceInfo *info, int t, int n_in)
{
    const gint64 room = (gint64)(info->local_bytes * 8 / 10) / 4 - (gint64)t * POINTS * PANEL - POINTS * 16;
    return (int)CLAMP(room / (POINTS * PANEL) / 16 * 16, 0, round_up(n_in, 16));
}

/* Cuts the tiles into chunks: as few as MAX_TILES allows, or as many as leave room for a slice that is worth while. A
 * sum is read and written once a slice, which costs as much as about 8 multiply-adds. Transforming a weight costs as
 * much as about 130 of 16 outputs, and is repeated for each chunk. Returns the multiply-adds of 16 outputs and one
 * input channel, or G_MAXDOUBLE. */
static double cut(Plan *plan, const SfuDeviceInfo *info, int n_in)
{
    enum { ENOUGH = 48, SUM = 8, WEIGHT = 130 };
    double least = G_MAXDOUBLE;
    for (int most = MAX_TILES; most >= 8; most -= 4) {
        const int n = (plan->n_tiles + most - 1) / most, t = (plan->n_tiles + n - 1) / n,
                  mr = round_up(t, 12) <= round_up(t, 8) ? 12 : 8, t_chunk = round_up(t, mr),
                  slice = slice_beside(info, t_chunk, n_in);
        const double cost = slice < 16 ? G_MAXDOUBLE : n * (POINTS * t_chunk * (1 + SUM / (double)slice) + WEIGHT);
        if (cost < least) {
            least = cost;
            plan->mr = mr;
            plan->t_chunk = t_chunk;
            plan->slice = slice;
        }
        if (slice >= MIN(ENOUGH, n_in))
            break;
    }
    return least;
}

/* FALSE if the direct kernel is the better one. */
static gboolean make_plan(const SfuConvJob *j, Plan *plan)
{
    const SfuDeviceInfo *info = sfu_queue_device(j->q);
    const SfuConvGeometry *g = j->g;
    const SfuTensor *y = j->y;
    if (g->kh != 3 || g->kw != 3 || g->stride != 1 || g->groups != 1 || j->n_in < 32 || j->n_out < 32)
        return FALSE;
    *plan = (Plan){.tiles_x = (y->w + 3) / 4, .tiles_y = (y->h + 3) / 4};
    const double all = (double)y->n * plan->tiles_x * plan->tiles_y;
    if (all > 1e8)
        return FALSE;
    plan->n_tiles = (int)all;
    const double winograd = cut(plan, info, j->n_in), direct = 9.0 * y->n * y->h * y->w;
    if (winograd * 1.2 >= direct)
        return FALSE;
    plan->local_bytes = 4 * ((size_t)plan->t_chunk * POINTS * PANEL + POINTS * ((size_t)plan->slice * PANEL + 16));
    plan->n_chunks = CLAMP((info->n_units * 4 + j->n_panels - 1) / j->n_panels, 1,
                           (plan->n_tiles + plan->t_chunk - 1) / plan->t_chunk);
    const int groups = (j->n_in + 15) / 16;
    plan->n_splits = CLAMP(info->n_units * 16 / plan->t_chunk, 1, groups);
    plan->run = (groups + plan->n_splits - 1) / plan->n_splits;
    return TRUE;
}

static gboolean can(const SfuConvJob *j)
{
    Plan plan;
    return sfu_conv_on_cpu(j) && !j->e->geglu && make_plan(j, &plan);
}

/* What every launch of one convolution shares. */
typedef struct {
    const SfuConvJob *job;
    Plan plan;
    char options[160];
    const SfuTensor *wt;
    SfuConvTerms terms;
    SfuTensor *v;     /* transformed inputs [chunks, 36, t_chunk, n_in rounded up] */
    SfuTensor *parts; /* moments [n, slots, 3, n_out]; NULL: none wanted */
    int slots;
} Work;

/* TILES of winograd.cl. */
static void add_tiles(SfuArgs *args, const Plan *p, int t0)
{
    SFU_ADD(args, SFU_INT(p->n_tiles), SFU_INT(t0), SFU_INT(p->t_chunk), SFU_INT(p->tiles_x), SFU_INT(p->tiles_y));
}

static gboolean transform_inputs(const Work *k, int t0, int chunks, GError **error)
{
    const SfuConvJob *j = k->job;
    const Plan *p = &k->plan;
    const SfuLaunch l = {.program = "winograd",
                         .kernel = "winograd_input",
                         .options = k->options,
                         .global = {(size_t)chunks * p->t_chunk, (size_t)p->n_splits, 1},
                         .local = {1, 1, 1},
                         .bytes = 10.0 * chunks * p->t_chunk * j->n_in * 16};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(k->v), SFU_TENSOR(j->x));
    add_tiles(&args, p, t0);
    SFU_ADD(&args, SFU_INT(j->x->h), SFU_INT(j->x->w), SFU_INT(j->n_in), SFU_INT(j->x->c), SFU_INT(j->g->pad_top),
            SFU_INT(j->g->pad_left), SFU_INT(j->g->upsample2), SFU_INT(j->g->circular), SFU_INT(p->run));
    return sfu_op_launch(j->q, &l, &args, error);
}

static gboolean multiply(const Work *k, int t0, int chunks, GError **error)
{
    const SfuConvJob *j = k->job;
    const Plan *p = &k->plan;
    const SfuLaunch l = {.program = "winograd",
                         .kernel = "winograd_product",
                         .options = k->options,
                         .global = {(size_t)j->n_panels, (size_t)chunks, 1},
                         .local = {1, 1, 1},
                         .flops = j->flops * MIN(chunks * p->t_chunk, p->n_tiles - t0) / p->n_tiles,
                         .bytes = j->bytes};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(&j->out), SFU_TENSOR(k->v), SFU_TENSOR(k->wt));
    add_tiles(&args, p, t0);
    SFU_ADD(&args, SFU_INT(j->n_in), SFU_INT(j->y->h), SFU_INT(j->y->w), SFU_INT(j->n_out), SFU_INT(j->y->c),
            SFU_INT(p->slice), SFU_TENSOR(k->parts), SFU_INT(k->slots), SFU_LOCAL(p->local_bytes));
    sfu_conv_add_epilogue(&args, j, &k->terms);
    return sfu_op_launch(j->q, &l, &args, error);
}

static void work_options(Work *k)
{
    const int mr = k->plan.mr;
    const SfuCpuTile tile = sfu_cpu_tile(k->job->width, 1); /* its rows divide 12; of 8 they may be too many */
    const int rows = mr == 12 ? tile.rows : tile.rows == 12 ? 8 : tile.rows == 6 ? 4 : 2;
    sfu_conv_options(k->job, k->options, sizeof k->options);
    sfu_options_add(k->options, sizeof k->options, "-DMR=%d -DVW=%d -DTILE_ROWS=%d -DTILE_COLS=%d%s", mr, tile.vector,
                    rows, tile.cols, k->job->e->moments ? " -DMOMENTS" : "");
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    Work k = {.job = j};
    (void)make_plan(j, &k.plan);
    const Plan *p = &k.plan;
    const int per = p->tiles_x * p->tiles_y;
    work_options(&k);
    k.slots = (per + p->t_chunk - 2) / p->t_chunk + 1;
    gboolean ok =
        sfu_conv_terms(j, &k.terms, error) && (k.wt = sfu_conv_panels(j, SFU_PANELS, error)) &&
        (k.v = sfu_tensor_create(j->q, SFU_F32, p->n_chunks, POINTS, p->t_chunk, round_up(j->n_in, 16), error)) &&
        (!j->e->moments || (k.parts = sfu_tensor_create(j->q, SFU_F32, j->y->n, k.slots, 3, j->n_out, error)));
    for (int t0 = 0; ok && t0 < p->n_tiles; t0 += p->t_chunk * p->n_chunks) {
        const int chunks = MIN(p->n_chunks, (p->n_tiles - t0 + p->t_chunk - 1) / p->t_chunk);
        ok = transform_inputs(&k, t0, chunks, error) && multiply(&k, t0, chunks, error);
    }
    if (ok && k.parts) {
        ok = sfu_op_moments_join(j->e->moments, k.parts, per, p->t_chunk, error);
        j->moments_made = TRUE;
    }
    sfu_tensor_destroy(k.parts);
    sfu_tensor_destroy(k.v);
    return ok;
}

const SfuConvPath sfu_conv_winograd = {"winograd", can, launch};
