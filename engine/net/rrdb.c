/* RRDBNet: residual in residual dense blocks. Wang 2018 (ESRGAN), figures 4 and 5; pixel-unshuffled input: Wang 2021
 * (Real-ESRGAN); 1x1 branches in the dense blocks: Rakotonirina 2020 (ESRGAN+).
 *
 * A pass holds the trunk, `features` values per pixel, and works on bands of whole rows with their surroundings: one
 * block widens a band, and narrows it again. So a deep network, which sees hundreds of pixels far, needs no more
 * context than its picture has; where everything fits, the band is the picture. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/rrdb.h"
#include "net/upscaler_parts.h"

#define SLOPE 0.2f
#define BETA 0.2f     /* residual scaling, section 3.1 */
#define DENSE_ROWS 5  /* that a dense block sees to either side: a row a convolution */
#define BLOCK_ROWS 15 /* three of them */
/* Rows of the low resolution that an output row can see to either side: a row for the body's last convolution; half a
 * row for the first enlargement's, a quarter for the second's ..., and two rows of the full resolution, which are two
 * where nothing is enlarged. */
#define TAIL_ROWS 2
#define LEAST_BAND 64 /* rows; the surroundings of shorter bands would cost more than a third of the work */
#define LEAST_STRIP 8
#define TAIL_SHARE 0.1 /* of the time, about */

typedef struct {
    SfuLayer conv[5], skip; /* skip.w NULL: none */
} Dense;

typedef struct {
    SfuLayer first, body, up[4], hr, last;
    Dense (*blocks)[3];
    SfuWeight *second; /* ESRGAN+: picks what the second convolution grew; owned by the net */
} Rrdb;

static const SfuRrdbConfig *own(const SfuUpscalerConfig *c)
{
    return c->own;
}
static int wide(const SfuUpscalerConfig *c)
{
    return c->features + 4 * own(c)->growth;
}

/* A 1x1 kernel that copies: from channels features + growth .. of all that is there when the fourth convolution has
 * been reached. */
static SfuWeight *pick_second(SfuNet *net, const SfuUpscalerConfig *c)
{
    const int in = c->features + 2 * own(c)->growth;
    const gint64 dims[] = {own(c)->growth, in, 1, 1};
    float *v = g_new0(float, (gsize)own(c)->growth *in);
    for (int i = 0; i < own(c)->growth; i++)
        v[(gsize)i * in + c->features + own(c)->growth + i] = 1;
    SfuWeight *w = sfu_weight_new_take("second", SFU_F32, 4, dims, v, (gsize)own(c)->growth * in * sizeof *v);
    g_ptr_array_add(net->stacks, w);
    return w;
}

static gpointer bind(SfuNet *net, const SfuUpscalerConfig *c)
{
    Rrdb *r = g_new0(Rrdb, 1);
    char name[64];
    r->first = sfu_net_conv(net, "", "conv_first", c->features, c->channels * c->unshuffle * c->unshuffle, 3, TRUE);
    r->blocks = g_malloc0_n((gsize)c->blocks, sizeof *r->blocks);
    for (int b = 0; b < c->blocks; b++)
        for (int d = 0; d < 3; d++) {
            Dense *dense = &r->blocks[b][d];
            for (int i = 0; i < 5; i++) {
                g_snprintf(name, sizeof name, "body.%d.rdb%d.conv%d", b, d + 1, i + 1);
                dense->conv[i] = sfu_net_conv(net, "", name, i == 4 ? c->features : own(c)->growth,
                                              c->features + i * own(c)->growth, 3, TRUE);
            }
            g_snprintf(name, sizeof name, "body.%d.rdb%d.conv1x1", b, d + 1);
            if (own(c)->skip_1x1)
                dense->skip = sfu_net_conv(net, "", name, own(c)->growth, c->features, 1, FALSE);
        }
    if (own(c)->skip_1x1 && net->q && !net->missing->len)
        r->second = pick_second(net, c);
    r->body = sfu_net_conv(net, "", "conv_body", c->features, c->features, 3, TRUE);
    for (int i = 0; i < c->n_stages; i++) {
        g_snprintf(name, sizeof name, "conv_up%d", i + 1);
        r->up[i] = sfu_net_conv(net, "", name, c->features, c->features, 3, TRUE);
    }
    r->hr = sfu_net_conv(net, "", "conv_hr", c->features, c->features, 3, TRUE);
    r->last = sfu_net_conv(net, "", "conv_last", c->channels, c->features, 3, TRUE);
    return r;
}

static void release(gpointer network)
{
    Rrdb *r = network;
    g_free(r->blocks);
    g_free(r);
}

/* One dense block: from the first channels of `from` to those of `to`, both [1, h, w, features + 4 growth]. Each of the
 * first four convolutions reads all that is there and grows it; nothing is concatenated. With a skip, the second one's
 * outputs get the input's 1x1, and the fourth one's get the second one's. */
static gboolean dense_block(const SfuUpscalerPass *p, const Dense *d, SfuTensor *to, SfuTensor *from, GError **error)
{
    const SfuUpscalerConfig *c = p->c;
    const Rrdb *r = p->network;
    const int f = c->features, g = own(c)->growth;
    gboolean ok = TRUE;
    for (int i = 0; ok && i < 4; i++) {
        const int have = f + i * g;
        const gboolean skip = d->skip.w && i % 2;
        if (skip) { /* to where the convolution then finds its residual */
            const SfuConv before = {.x_c = i == 1 ? f : f + 2 * g, .y_part = TRUE, .y_col = have};
            ok = sfu_conv2d(p->net->q, from, from, i == 1 ? d->skip.w : r->second, &before, NULL, error);
        }
        const SfuConv conv = {
            .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .x_c = have, .y_part = TRUE, .y_col = have};
        const SfuEpilogue e = {
            .bias = d->conv[i].b, .act = SFU_ACT_LEAKY_RELU, .act_param = SLOPE, .residual = skip ? from : NULL};
        ok = ok && sfu_conv2d(p->net->q, from, from, d->conv[i].w, &conv, &e, error);
    }
    const SfuConv conv = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .y_part = TRUE};
    const SfuEpilogue e = {.bias = d->conv[4].b, .scale = BETA, .residual = from};
    return ok && sfu_conv2d(p->net->q, to, from, d->conv[4].w, &conv, &e, error);
}

/* One block on the first channels of band[0], of which `top` and `bottom` rows are surroundings: each dense block makes
 * fewer rows than it reads, and only the inner rows become right. All three are [1, h, w, features + 4 growth]. */
static gboolean block(const SfuUpscalerPass *p, const Dense dense[3], SfuTensor *band[3], int top, int bottom,
                      GError **error)
{
    static const int from[3] = {0, 1, 2}, to[3] = {1, 2, 1};
    const int h = band[0]->h;
    gboolean ok = TRUE;
    for (int d = 0; ok && d < 3; d++) {
        const int first = MAX(0, top - (3 - d) * DENSE_ROWS), last = h - MAX(0, bottom - (3 - d) * DENSE_ROWS);
        SfuTensor *x = sfu_net_band(band[from[d]], first, last, error),
                  *y = x ? sfu_net_band(band[to[d]], first, last, error) : NULL;
        ok = y && dense_block(p, &dense[d], y, x, error);
        sfu_tensor_destroy(x);
        sfu_tensor_destroy(y);
    }
    /* The residual is added over all channels: those that grew are finite by then, and grow anew in the next block. */
    SfuTensor *x = ok ? sfu_net_band(band[0], top, h - bottom, error) : NULL,
              *y = x ? sfu_net_band(band[1], top, h - bottom, error) : NULL;
    ok = y && sfu_axpby(p->net->q, x, 1, x, BETA, y, error);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    return ok;
}

typedef struct {
    SfuTensor *t;
    int from, to;
} Rows;

/* Rows [.., features] into the first channels of rows `at` and on of the wide y; or back with `back`. */
static gboolean copy(SfuQueue *q, SfuTensor *y, int at, Rows x, gboolean back, GError **error)
{
    SfuTensor *narrow = sfu_net_band(x.t, x.from, x.to, error),
              *band = narrow ? sfu_net_band(y, at, at + x.to - x.from, error) : NULL;
    const gboolean ok =
        band && (back ? sfu_slice(q, narrow, band, 0, error) : sfu_copy_channels(q, band, 0, narrow, error));
    sfu_tensor_destroy(narrow);
    sfu_tensor_destroy(band);
    return ok;
}

/* All blocks on the trunk [1, h, w, features], in place, n rows at a time. What a band has overwritten the next one
 * still sees: `above` keeps it. */
static gboolean blocks_by_bands(const SfuUpscalerPass *p, SfuTensor *trunk, int n, GError **error)
{
    const Rrdb *r = p->network;
    SfuQueue *q = p->net->q;
    const int h = trunk->h, w = trunk->w, f = trunk->c;
    SfuTensor *t[3] = {NULL}, *above = sfu_tensor_create(q, p->net->dtype, 1, BLOCK_ROWS, w, f, error);
    gboolean ok = above != NULL;
    for (int i = 0; ok && i < 3; i++)
        ok = (t[i] = sfu_tensor_create(q, p->net->dtype, 1, MIN(h, n + 2 * BLOCK_ROWS), w, wide(p->c), error)) != NULL;
    for (int b = 0; ok && b < p->c->blocks; b++)
        for (int row = 0; ok && row < h; row += n) {
            const int end = MIN(h, row + n), top = MIN(row, BLOCK_ROWS), bottom = MIN(h - end, BLOCK_ROWS),
                      all = top + end - row + bottom;
            SfuTensor *band[3] = {NULL}, *kept = NULL;
            for (int i = 0; ok && i < 3; i++)
                ok = (band[i] = sfu_net_band(t[i], 0, all, error)) != NULL;
            ok = ok && (top == 0 || copy(q, band[0], 0, (Rows){above, 0, top}, FALSE, error)) &&
                 copy(q, band[0], top, (Rows){trunk, row, end + bottom}, FALSE, error);
            if (ok && bottom)
                ok = (kept = sfu_net_band(trunk, end - BLOCK_ROWS, end, error)) && sfu_convert(q, above, kept, error);
            ok = ok && block(p, r->blocks[b], band, top, bottom, error) &&
                 copy(q, band[0], top, (Rows){trunk, row, end}, TRUE, error) &&
                 sfu_upscaler_step(p, (b + (double)end / h) / p->c->blocks * (1 - TAIL_SHARE), error);
            for (int i = 0; i < 3; i++)
                sfu_tensor_destroy(band[i]);
            sfu_tensor_destroy(kept);
        }
    for (int i = 0; i < 3; i++)
        sfu_tensor_destroy(t[i]);
    sfu_tensor_destroy(above);
    return ok;
}

/* x: what conv_first reads, borrowed -> the blocks' result in the first channels of [1, h, w, features or more]. */
static SfuTensor *run_blocks(const SfuUpscalerPass *p, const SfuTensor *x, int band, GError **error)
{
    const Rrdb *r = p->network;
    const gboolean whole = band >= x->h;
    SfuTensor *t[3] = {sfu_net_like(p->net, x, whole ? wide(p->c) : p->c->features, error)};
    const SfuConv conv = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .y_part = whole};
    const SfuEpilogue e = {.bias = r->first.b};
    gboolean ok = t[0] && sfu_conv2d(p->net->q, t[0], x, r->first.w, &conv, &e, error);
    if (ok && !whole)
        ok = blocks_by_bands(p, t[0], band, error);
    for (int i = 1; ok && whole && i < 3; i++)
        ok = (t[i] = sfu_net_like(p->net, t[0], wide(p->c), error)) != NULL;
    for (int b = 0; ok && whole && b < p->c->blocks; b++)
        ok = block(p, r->blocks[b], t, 0, 0, error) &&
             sfu_upscaler_step(p, (b + 1.0) / p->c->blocks * (1 - TAIL_SHARE), error);
    sfu_tensor_destroy(t[1]);
    sfu_tensor_destroy(t[2]);
    if (!ok)
        sfu_net_drop(&t[0]);
    return t[0];
}

/* Rows first .. last of the body: the convolution behind the blocks, plus the first one's, which is made again rather
 * than kept. x as above. */
static SfuTensor *run_body(const SfuUpscalerPass *p, const SfuTensor *x, const SfuTensor *trunk, int first, int last,
                           GError **error)
{
    const Rrdb *r = p->network;
    const int f = p->c->features, from = MAX(0, first - 1), to = MIN(x->h, last + 1);
    const SfuConv conv = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .x_c = f};
    SfuTensor *xv = sfu_net_band(x, from, to, error), *tv = xv ? sfu_net_band(trunk, from, to, error) : NULL,
              *all = tv ? sfu_net_like(p->net, xv, f, error) : NULL;
    const SfuEpilogue e = {.bias = r->body.b, .residual = all};
    const SfuConv plain = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    const SfuEpilogue bias = {.bias = r->first.b};
    SfuTensor *y = NULL;
    if (all && sfu_conv2d(p->net->q, all, xv, r->first.w, &plain, &bias, error) &&
        sfu_conv2d(p->net->q, all, tv, r->body.w, &conv, &e, error))
        y = sfu_net_band(all, first - from, last - from, error);
    sfu_tensor_destroy(xv);
    sfu_tensor_destroy(tv);
    sfu_tensor_destroy(all);
    return y;
}

/* One enlargement and its convolution. x is taken. */
static SfuTensor *run_up(const SfuUpscalerPass *p, SfuTensor *x, const SfuLayer *l, GError **error)
{
    const int f = p->c->features, factor = own(p->c)->stage_factor;
    SfuTensor *y = NULL;
    if (factor != 2) {
        SfuTensor *big = sfu_tensor_create(p->net->q, p->net->dtype, 1, x->h * factor, x->w * factor, f, error);
        if (big && !sfu_upsample_nearest(p->net->q, big, x, error))
            sfu_net_drop(&big);
        sfu_tensor_destroy(x);
        if (!(x = big))
            return NULL;
    }
    y = sfu_upscaler_conv(
        p->net, x, l, (SfuUpscalerConv){.out = f, .up = factor == 2, .act = SFU_ACT_LEAKY_RELU, .slope = SLOPE}, error);
    sfu_tensor_destroy(x);
    return y;
}

/* x [1, h, w, features], taken -> [1, h * up, w * up, channels]: the enlargements and the last two convolutions. */
static SfuTensor *run_tail(const SfuUpscalerPass *p, SfuTensor *x, GError **error)
{
    const Rrdb *r = p->network;
    for (int i = 0; x && i < p->c->n_stages; i++)
        x = run_up(p, x, &r->up[i], error);
    SfuTensor *hr = x ? sfu_upscaler_conv(
                            p->net, x, &r->hr,
                            (SfuUpscalerConv){.out = p->c->features, .act = SFU_ACT_LEAKY_RELU, .slope = SLOPE}, error)
                      : NULL;
    sfu_tensor_destroy(x);
    SfuTensor *y = hr ? sfu_upscaler_conv(p->net, hr, &r->last, (SfuUpscalerConv){.out = p->c->channels}, error) : NULL;
    sfu_tensor_destroy(hr);
    return y;
}

/* What follows the blocks, in strips of n rows, each with the rows that it sees around it. */
static SfuTensor *run_strips(const SfuUpscalerPass *p, const SfuTensor *x, const SfuTensor *trunk, int n,
                             GError **error)
{
    const SfuUpscalerConfig *c = p->c;
    const int h = x->h, w = x->w, up = c->scale * c->unshuffle;
    SfuTensor *out = sfu_tensor_create(p->net->q, p->net->dtype, 1, h * up, w * up, c->channels, error);
    gboolean ok = out != NULL;
    for (int row = 0; ok && row < h; row += n) {
        const int end = MIN(h, row + n), first = MAX(0, row - TAIL_ROWS), last = MIN(h, end + TAIL_ROWS);
        SfuTensor *body = run_body(p, x, trunk, first, last, error), *strip = body ? run_tail(p, body, error) : NULL;
        SfuTensor *from = strip ? sfu_net_band(strip, (row - first) * up, (end - first) * up, error) : NULL;
        SfuTensor *to = from ? sfu_net_band(out, row * up, end * up, error) : NULL;
        ok = to && sfu_convert(p->net->q, to, from, error) &&
             sfu_upscaler_step(p, 1 - TAIL_SHARE * (1 - (double)end / h), error);
        sfu_tensor_destroy(strip);
        sfu_tensor_destroy(from);
        sfu_tensor_destroy(to);
    }
    if (!ok)
        sfu_net_drop(&out);
    return out;
}

/* ---- memory, in values of the activations' type; w of the low resolution ---- */

static double band_values(const SfuUpscalerConfig *c, double w, double n)
{
    return 3 * wide(c) * w * (n + 2 * BLOCK_ROWS) + c->features * w * BLOCK_ROWS;
}

/* The body's rows, two stages of the full resolution, and a strip of the result. */
static double strip_values(const SfuUpscalerConfig *c, double w, double n)
{
    const int up = c->scale * c->unshuffle;
    return (n + 2 * TAIL_ROWS) * w * (2 * c->features + (2 * c->features + c->channels) * up * up);
}

/* The picture and the result. */
static double ends_values(const SfuUpscalerConfig *c, double w, double h)
{
    const int up = c->scale * c->unshuffle;
    return w * h * c->channels * (c->unshuffle * c->unshuffle + up * up);
}

/* Rows a band and rows a strip: as many as there is room for; a strip, however, no larger than the blocks' memory. */
static void plan(const SfuUpscalerPass *p, int w, int h, int *band, int *strip)
{
    const SfuUpscalerConfig *c = p->c;
    const double size = (double)sfu_dtype_bytes(p->net->dtype), room = (double)p->room / size - ends_values(c, w, h);
    const double whole = 3.0 * wide(c) * w * h, most = (double)sfu_queue_device(p->net->q)->max_alloc_bytes / size,
                 row = (double)wide(c) * w;
    const double longest = MIN(2147483646.0, most > 0 ? most : 2147483646.0) / row; /* rows of one wide tensor */
    if (whole <= room && h <= longest)
        *band = h;
    else {
        const double n = (room - (double)c->features * w * (h + BLOCK_ROWS)) / (3 * row) - 2 * BLOCK_ROWS;
        *band = (int)CLAMP(MIN(n, longest - 2 * BLOCK_ROWS), MIN(h, LEAST_BAND), h);
    }
    const double used = *band >= h ? whole : (double)c->features * w * h + band_values(c, w, *band),
                 each = strip_values(c, w, 1) / (1 + 2 * TAIL_ROWS);
    const double left = MIN(room, MAX(used, whole / 4)) - (*band >= h ? (double)row * h : (double)c->features * w * h);
    *strip = (int)CLAMP(left / each - 2 * TAIL_ROWS, MIN(h, LEAST_STRIP), h);
}

static SfuTensor *run(const SfuUpscalerPass *p, SfuTensor *x, GError **error)
{
    const SfuUpscalerConfig *c = p->c;
    int band, strip;
    if (c->unshuffle > 1) {
        const int u = c->unshuffle;
        SfuTensor *small = sfu_tensor_create(p->net->q, p->net->dtype, 1, x->h / u, x->w / u, x->c * u * u, error);
        if (small && !sfu_pixel_unshuffle(p->net->q, small, x, u, error))
            sfu_net_drop(&small);
        sfu_tensor_destroy(x);
        if (!(x = small))
            return NULL;
    }
    plan(p, x->w, x->h, &band, &strip);
    SfuTensor *trunk = run_blocks(p, x, band, error), *out = trunk ? run_strips(p, x, trunk, strip, error) : NULL;
    sfu_tensor_destroy(trunk);
    sfu_tensor_destroy(x);
    return out;
}

/* 15 convolutions a block and two around them at the low resolution; those behind see less than 2 pixels more. */
static int margin(const SfuUpscalerConfig *c)
{
    return (BLOCK_ROWS * c->blocks + 4) * c->unshuffle;
}

static double values(const SfuUpscalerConfig *c, int w, int h)
{
    const double lw = (double)w / c->unshuffle, lh = (double)h / c->unshuffle;
    const double band =
        lh <= LEAST_BAND ? 3 * wide(c) * lw * lh : c->features * lw * lh + band_values(c, lw, LEAST_BAND);
    return ends_values(c, lw, lh) + MAX(band, c->features * lw * lh + strip_values(c, lw, MIN(lh, LEAST_STRIP)));
}

const SfuUpscalerKind sfu_rrdb_kind = {bind, release, run, margin, values};
