/* Passes over pictures too large to hold several times. A norm and the convolution behind it go in bands of rows, so
 * that the normed picture never exists as a whole; the first resnet behind an enlargement makes its input band by band.
 * Norms keep the statistics of the whole picture and a band sees its neighbors' rows, so that the result is that of
 * one piece. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/parts.h"
#include <math.h>

/* Whole tiles of Winograd's output, which are then cut as in one piece. */
static int band_rows(const SfuNet *net, int n, int h, int w, int c)
{
    const guint64 row = (guint64)w * (guint64)c * sfu_dtype_bytes(net->dtype);
    if (!net->band_bytes || n != 1 || row * (guint64)h < 2 * net->band_bytes)
        return h;
    return (int)MAX(8, net->band_bytes / row / 4 * 4);
}

static gboolean has_learnt(const SfuNet *net)
{
    return net->norms && !net->norms->learning;
}
static const SfuTensor *next_learnt(const SfuNet *net)
{
    return g_ptr_array_index(net->norms->stats, net->norms->at++);
}

/* Statistics just made (or NULL) go to net->norms, if that is learning, or to the caller. */
static const SfuTensor *keep_statistics(const SfuNet *net, SfuTensor *stats, SfuTensor **own)
{
    if (stats && net->norms)
        g_ptr_array_add(net->norms->stats, stats);
    else
        *own = stats;
    return stats;
}

/* The statistics of a norm of x: those of net->norms, or x's own (from its moments, where there are any), which the
 * caller then frees (*own). NULL with error set. */
static const SfuTensor *stats_of(const SfuNet *net, const SfuTensor *x, const SfuTensor *moments, SfuGroupNorm norm,
                                 SfuTensor **own, GError **error)
{
    if (has_learnt(net))
        return next_learnt(net);
    SfuTensor *stats = sfu_tensor_create(net->q, SFU_F32, x->n, 1, norm.n_groups, 2, error);
    if (stats && !(moments ? sfu_group_norm_stats_from(net->q, stats, moments, norm.n_groups, norm.eps, error)
                           : sfu_group_norm_stats(net->q, stats, x, norm.n_groups, norm.eps, error)))
        sfu_net_drop(&stats);
    return keep_statistics(net, stats, own);
}

gboolean sfu_net_moments(const SfuNet *net, SfuTensor **moments, const SfuTensor *y, GError **error)
{
    *moments = NULL;
    return has_learnt(net) || sfu_queue_kernels(net->q) != SFU_KERNELS_CPU ||
           (*moments = sfu_tensor_create(net->q, SFU_F32, y->n, 1, 3, y->c, error));
}

gboolean sfu_net_group_norm(const SfuNet *net, SfuTensor *y, const SfuTensor *x, const SfuTensor *moments,
                            SfuGroupNorm norm, SfuAct act, GError **error)
{
    SfuTensor *own = NULL;
    const SfuTensor *stats = stats_of(net, x, moments, norm, &own, error);
    const gboolean ok = stats && sfu_group_norm_apply(net->q, y, x, stats, norm.l.w, norm.l.b, act, error);
    sfu_tensor_destroy(own);
    return ok;
}

/* Whether rows wrap round, so that the first band and the last, too, have neighbors. */
static gboolean bands_wrap(const SfuNet *net, int rows, int h)
{
    return (net->wrap & SFU_WRAP_Y) && rows < h;
}

/* Rows [from, to) of x, of which those outside it are from its other end. */
static SfuTensor *band_round(const SfuNet *net, const SfuTensor *x, int from, int to, GError **error)
{
    if (from >= 0 && to <= x->h)
        return sfu_net_band(x, from, to, error);
    SfuTensor *y = sfu_tensor_create(net->q, x->dtype, x->n, to - from, x->w, x->c, error);
    if (y && !sfu_pad(net->q, y, x, -from, 0, SFU_PAD_WRAP, error))
        sfu_net_drop(&y);
    return y;
}

/* How rows are read: with a neighbor above, one below; as if enlarged twice. */
typedef struct {
    gboolean above, below, enlarged;
} Reading;

/* 3x3 on rows that carry their neighbors; where there are none, zeros lie beyond the picture, or its other side. */
static gboolean conv_rows(const SfuNet *net, SfuTensor *y, const SfuTensor *x, Reading with, const SfuLayer *l,
                          const SfuEpilogue *e, GError **error)
{
    const SfuConv conv = {.pad_top = !with.above,
                          .pad_bottom = !with.below,
                          .pad_left = 1,
                          .pad_right = 1,
                          .upsample2 = with.enlarged,
                          .circular = with.above || with.below ? net->wrap & SFU_WRAP_X : net->wrap};
    return sfu_conv2d(net->q, y, x, l->w, &conv, e, error);
}

gboolean sfu_norm_conv_run(const SfuNet *net, SfuTensor *y, SfuNormInput in, SfuGroupNorm norm, const SfuLayer *conv,
                           const SfuEpilogue *e, GError **error)
{
    SfuTensor *x = in.x;
    const int rows = band_rows(net, x->n, x->h, x->w, x->c);
    const gboolean round = bands_wrap(net, rows, x->h);
    SfuTensor *own = NULL, *normed = NULL, *parts = NULL;
    const SfuTensor *stats = stats_of(net, x, in.moments, norm, &own, error);
    gboolean ok = stats && (normed = rows < x->h ? sfu_tensor_create(net->q, net->dtype, 1, rows + 2, x->w, x->c, error)
                                     : in.spend  ? sfu_net_band(x, 0, x->h, error)
                                                 : sfu_net_like(net, x, x->c, error));
    if (ok && e->moments) /* of each band, and then of all */
        ok = (parts = sfu_tensor_create(net->q, SFU_F32, x->n, (x->h + rows - 1) / rows, 3, y->c, error)) != NULL;
    for (int y0 = 0; ok && y0 < x->h; y0 += rows) {
        const int y1 = MIN(y0 + rows, x->h), above = y0 > 0 || round, below = y1 < x->h || round;
        SfuTensor *rows_in = band_round(net, x, y0 - above, y1 + below, error), *out = sfu_net_band(y, y0, y1, error),
                  *res = NULL, *made = NULL;
        SfuTensor *t = sfu_tensor_view(normed, 0, x->n, y1 - y0 + above + below, x->w, x->c, error);
        SfuEpilogue part = *e;
        ok =
            rows_in && out && t && (!e->residual || (part.residual = res = sfu_net_band(e->residual, y0, y1, error))) &&
            (!parts || (part.moments = made =
                            sfu_tensor_view(parts, (size_t)(y0 / rows) * 3 * (size_t)y->c, x->n, 1, 3, y->c, error))) &&
            sfu_group_norm_apply(net->q, t, rows_in, stats, norm.l.w, norm.l.b, SFU_ACT_SILU, error) &&
            conv_rows(net, out, t, (Reading){above, below}, conv, &part, error);
        sfu_tensor_destroy(t);
        sfu_tensor_destroy(made);
        sfu_tensor_destroy(res);
        sfu_tensor_destroy(out);
        sfu_tensor_destroy(rows_in);
    }
    ok = ok && (!parts || sfu_moments_join(net->q, e->moments, parts, error));
    sfu_tensor_destroy(parts);
    sfu_tensor_destroy(normed);
    sfu_tensor_destroy(own);
    return ok;
}

/* A picture that is enlarged twice and convolved, band by band. */
typedef struct {
    const SfuLayer *conv;
    const SfuTensor *x;    /* before that */
    const SfuTensor *room; /* for a band and its neighbors */
    int rows;              /* of a band */
    gboolean round;        /* as bands_wrap() says */
} Enlargement;

/* Rows [y0, y1), y0 even, with a neighbor above and below where there is one, into the front of e->room. New view. */
static SfuTensor *enlarge_rows(const SfuNet *net, const Enlargement *e, int y0, int y1, GError **error)
{
    const int above = y0 > 0 || e->round, below = y1 < 2 * e->x->h || e->round;
    const SfuEpilogue bias = {.bias = e->conv->b};
    SfuTensor *in = band_round(net, e->x, y0 / 2 - above, y1 / 2 + below, error), *y = NULL;
    if (in && (y = sfu_tensor_view(e->room, 0, 1, y1 - y0 + above + below, e->room->w, e->room->c, error)) &&
        !conv_rows(net, y, in, (Reading){above, below, .enlarged = TRUE}, e->conv, &bias, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(in);
    return y;
}

/* The statistics of the enlarged picture, pooled over its bands: the mean of means, and the mean of variances (eps
 * included) and of squared means less the square of that. */
static const SfuTensor *enlarged_stats(const SfuNet *net, const Enlargement *e, const SfuGroupNorm *norm,
                                       SfuTensor **own, GError **error)
{
    const int h = 2 * e->x->h, n = norm->n_groups;
    if (has_learnt(net))
        return next_learnt(net);
    SfuTensor *stats = sfu_tensor_create(net->q, SFU_F32, 1, 1, n, 2, error);
    double *sums = g_new0(double, 2 * n);
    float *host = g_new(float, 2 * n);
    gboolean ok = stats != NULL;
    for (int y0 = 0; ok && y0 < h; y0 += e->rows) {
        const int y1 = MIN(y0 + e->rows, h);
        const int above = y0 > 0 || e->round;
        SfuTensor *u = enlarge_rows(net, e, y0, y1, error),
                  *own_rows = u ? sfu_net_band(u, above, above + y1 - y0, error) : NULL;
        ok = own_rows && sfu_group_norm_stats(net->q, stats, own_rows, n, norm->eps, error) &&
             sfu_tensor_read(stats, host, error);
        const double part = (double)(y1 - y0) / h;
        for (int g = 0; ok && g < n; g++) {
            const double mean = host[2 * g], deviation = host[2 * g + 1];
            sums[2 * g] += part * mean;
            sums[2 * g + 1] += part * (1 / (deviation * deviation) + mean * mean);
        }
        sfu_tensor_destroy(own_rows);
        sfu_tensor_destroy(u);
    }
    for (int g = 0; g < n; g++) {
        host[2 * g] = (float)sums[2 * g];
        host[2 * g + 1] = (float)(1 / sqrt(sums[2 * g + 1] - sums[2 * g] * sums[2 * g]));
    }
    ok = ok && sfu_tensor_write(stats, host, error);
    g_free(host);
    g_free(sums);
    if (!ok)
        sfu_net_drop(&stats);
    return keep_statistics(net, stats, own);
}

gboolean sfu_upsample_resnet_run(const SfuNet *net, const SfuLayer *up, const SfuResnet *r, SfuFeature *f,
                                 GError **error)
{
    const SfuTensor *x = f->x;
    const int h = 2 * x->h, w = 2 * x->w, rows = band_rows(net, 1, h, w, r->c_in);
    const SfuEpilogue shortcut = {.bias = r->shortcut.b}, first = {.bias = r->conv1.b};
    const gboolean round = bands_wrap(net, rows, h);
    SfuTensor *room = sfu_tensor_create(net->q, net->dtype, 1, round ? rows + 2 : MIN(rows + 2, h), w, r->c_in, error),
              *own = NULL, *y = NULL, *sum = NULL, *out_moments = NULL;
    const Enlargement e = {up, x, room, rows, round};
    const SfuTensor *stats = room ? enlarged_stats(net, &e, &r->norm1, &own, error) : NULL;
    gboolean ok = stats && (y = sfu_tensor_create(net->q, net->dtype, 1, h, w, r->c_out, error)) &&
                  (sum = sfu_net_like(net, y, r->c_out, error));
    for (int y0 = 0; ok && y0 < h; y0 += rows) {
        const int y1 = MIN(y0 + rows, h), above = y0 > 0 || round, below = y1 < h || round;
        SfuTensor *u = enlarge_rows(net, &e, y0, y1, error),
                  *mid = u ? sfu_net_band(u, above, above + y1 - y0, error) : NULL;
        SfuTensor *to_y = sfu_net_band(y, y0, y1, error), *to_sum = sfu_net_band(sum, y0, y1, error);
        ok = mid && to_y && to_sum && sfu_linear(net->q, to_sum, mid, r->shortcut.w, &shortcut, error) &&
             sfu_group_norm_apply(net->q, u, u, stats, r->norm1.l.w, r->norm1.l.b, SFU_ACT_SILU, error) &&
             conv_rows(net, to_y, u, (Reading){above, below}, &r->conv1, &first, error);
        sfu_tensor_destroy(to_sum);
        sfu_tensor_destroy(to_y);
        sfu_tensor_destroy(mid);
        sfu_tensor_destroy(u);
    }
    sfu_net_drop(&room);
    sfu_feature_clear(f);
    ok = ok && sfu_net_moments(net, &out_moments, sum, error);
    const SfuEpilogue second = {.bias = r->conv2.b, .residual = sum, .moments = out_moments};
    const SfuNormInput between = {y, NULL, .spend = TRUE};
    if (!ok || !sfu_norm_conv_run(net, sum, between, r->norm2, &r->conv2, &second, error) ||
        !sfu_net_trace(net, sum, error, "%s", r->name)) {
        sfu_net_drop(&sum);
        sfu_net_drop(&out_moments);
    }
    sfu_tensor_destroy(y);
    sfu_tensor_destroy(own);
    *f = (SfuFeature){sum, out_moments};
    return sum != NULL;
}
