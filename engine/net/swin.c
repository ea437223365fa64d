/* SwinIR (Liang 2021, figures 2 and 3; windows and shifts: Liu 2021, section 3.2) and HAT (Chen 2023, figures 3 and 4):
 * attention in windows of pixels, every second block's windows shifted by half of one. SRFormer (Zhou 2023, figure 3):
 * the windows are larger, and keys and values are squares of pixels (the grain), each pixel with a part of the
 * channels. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/swin.h"
#include "net/upscaler_parts.h"

#define EPS 1e-5f
#define MAX_BLOCKS 64   /* a group */
#define CAB_SCALE 0.01f /* of HAT's channel attention; not in the files, the same in all that are published */

static const float mean[3] = {0.4488f, 0.4371f,
                              0.4040f}; /* of DIV2K, as the authors have it; gray pictures have none */

typedef struct {
    SfuLayer norm1, qkv, proj, norm2, fc1, fc2;
    SfuLayer cab[2], squeeze[2]; /* HAT */
    SfuLayer kv, depthwise;      /* SRFormer; qkv is then that of the queries alone */
    int n_heads;
    float *table; /* relative positions [span * span, n_heads] */
} Block;

typedef struct {
    Block *blocks;
    int n_blocks;
    Block overlap;    /* HAT: attention into overlapping windows */
    SfuLayer conv[3]; /* conv[1].w NULL: one convolution */
} Group;

typedef struct {
    Group *groups;
    SfuLayer first, patch_norm, norm, after[3];
    SfuUpsamplerTail tail;
    SfuWeight *in_scale, *in_shift, *out_scale, *out_shift;
    gboolean hat;
} Swin;

/* ---- binding ---- */

static gboolean has(const SfuNet *net, const char *prefix, const char *name)
{
    return sfu_net_has(net, prefix, name);
}

static int rows_of(const SfuNet *net, const char *prefix, const char *name)
{
    return MAX(1, sfu_net_dim(net, prefix, name, 0));
}

/* The small table [span * span, heads] is read on the host: windows' masks are added to it there. n_heads: if the table
 * does not say. */
static void bind_table(SfuNet *net, Block *b, const char *prefix, int span, int f, int n_heads)
{
    static const char name[] = "relative_position_bias_table";
    const int said = sfu_net_dim(net, prefix, name, 1);
    b->n_heads = said && f % said == 0 ? said : n_heads;
    const gint64 dims[] = {(gint64)span * span, b->n_heads};
    const SfuWeight *w = sfu_net_tensor(net, prefix, name, 2, dims);
    if (!w || !net->q)
        return;
    b->table = g_new(float, dims[0] * dims[1]);
    sfu_weight_read_f32(w, 0, dims[0] * dims[1], b->table);
}

typedef struct {
    const char *attention; /* where the attention's tensors are, below the block; "": among the block's own */
    int features;
    int span;     /* of the table of relative positions */
    gboolean cab; /* with HAT's channel attention */
} BlockShape;

static void bind_block(SfuNet *net, const SfuSwinConfig *c, Block *b, const char *prefix, const BlockShape *s)
{
    const int f = s->features;
    char *a = *s->attention ? g_strconcat(prefix, ".", s->attention, NULL) : g_strdup(prefix);
    const int hidden = rows_of(net, prefix, "mlp.fc1.weight");
    b->norm1 = sfu_net_norm(net, prefix, "norm1", f);
    if (c->grain) {
        b->qkv = sfu_net_linear(net, a, "q", f, f, !c->no_qkv_bias);
        b->kv = sfu_net_linear(net, a, "kv", 2 * f / (c->grain * c->grain), f, !c->no_qkv_bias);
        b->depthwise = sfu_net_conv(net, prefix, "mlp.dwconv.depthwise_conv.0", hidden, 1, 5, TRUE);
    } else
        b->qkv = sfu_net_linear(net, a, "qkv", 3 * f, f, TRUE);
    b->proj = sfu_net_linear(net, a, "proj", f, f, TRUE);
    b->norm2 = sfu_net_norm(net, prefix, "norm2", f);
    b->fc1 = sfu_net_linear(net, prefix, "mlp.fc1", hidden, f, TRUE);
    b->fc2 = sfu_net_linear(net, prefix, "mlp.fc2", f, hidden, TRUE);
    bind_table(net, b, a, s->span, f, c->n_heads);
    g_free(a);
    if (!s->cab)
        return;
    const int waist = rows_of(net, prefix, "conv_block.cab.0.weight"),
              squeezed = rows_of(net, prefix, "conv_block.cab.3.attention.1.weight");
    b->cab[0] = sfu_net_conv(net, prefix, "conv_block.cab.0", waist, f, 3, TRUE);
    b->cab[1] = sfu_net_conv(net, prefix, "conv_block.cab.2", f, waist, 3, TRUE);
    b->squeeze[0] = sfu_net_linear(net, prefix, "conv_block.cab.3.attention.1", squeezed, f, TRUE);
    b->squeeze[1] = sfu_net_linear(net, prefix, "conv_block.cab.3.attention.3", f, squeezed, TRUE);
}

/* A weight of ours, one value per channel of the picture, which goes with the network. */
static SfuWeight *own(SfuNet *net, const char *name, int channels, float a, float b, float c)
{
    const gint64 dims[] = {channels};
    const float v[3] = {a, b, c};
    SfuWeight *w = sfu_weight_new_take(name, SFU_F32, 1, dims, g_memdup2(v, sizeof v), channels * sizeof *v);
    g_ptr_array_add(net->stacks, w);
    return w;
}

static gpointer bind(SfuNet *net, const SfuUpscalerConfig *c)
{
    Swin *s = g_new0(Swin, 1);
    const SfuSwinConfig *k = c->own;
    const float r = k->range, f = 1 / k->range, used = c->channels == 3;
    const int n = c->channels;
    const BlockShape block = {"attn", c->features, 2 * (k->window / MAX(1, k->grain)) - 1, k->overlap_window > 0},
                     overlap = {"", c->features, k->window + k->overlap_window - 1, FALSE};
    char name[96];
    s->hat = k->overlap_window > 0;
    s->in_scale = own(net, "range", n, r, r, r);
    s->in_shift = own(net, "minus mean", n, -used * mean[0] * r, -used * mean[1] * r, -used * mean[2] * r);
    s->out_scale = own(net, "1 / range", n, f, f, f);
    s->out_shift = own(net, "mean", n, used * mean[0], used * mean[1], used * mean[2]);
    s->first = sfu_net_conv(net, "", "conv_first", c->features, c->channels, 3, TRUE);
    if (has(net, "patch_embed.norm", "weight"))
        s->patch_norm = sfu_net_norm(net, "patch_embed", "norm", c->features);
    s->groups = g_new0(Group, c->blocks + 1); /* the last one empty */
    for (int g = 0; g < c->blocks; g++) {
        Group *group = &s->groups[g];
        g_snprintf(name, sizeof name, "layers.%d.residual_group.blocks.", g);
        group->n_blocks = MAX(1, sfu_model_count(net->model, net->part, name, MAX_BLOCKS));
        group->blocks = g_new0(Block, group->n_blocks);
        for (int b = 0; b < group->n_blocks; b++) {
            g_snprintf(name, sizeof name, "layers.%d.residual_group.blocks.%d", g, b);
            bind_block(net, k, &group->blocks[b], name, &block);
        }
        if (s->hat) {
            g_snprintf(name, sizeof name, "layers.%d.residual_group.overlap_attn", g);
            bind_block(net, k, &group->overlap, name, &overlap);
        }
        g_snprintf(name, sizeof name, "layers.%d.conv", g);
        sfu_trunk_conv_bind(net, group->conv, name, c->features);
    }
    s->norm = sfu_net_norm(net, "", "norm", c->features);
    sfu_trunk_conv_bind(net, s->after, "conv_after_body", c->features);
    sfu_upsampler_bind(net, c, &s->tail);
    return s;
}

static void release(gpointer network)
{
    Swin *s = network;
    if (s->groups)
        for (Group *g = s->groups; g->blocks; g++) {
            for (int b = 0; b < g->n_blocks; b++)
                g_free(g->blocks[b].table);
            g_free(g->overlap.table);
            g_free(g->blocks);
        }
    g_free(s->groups);
    g_free(s);
}

/* ---- windows ---- */

/* [1, h, w, c] -> [windows, 1, side * side, c]. */
static gboolean into_windows(const SfuNet *net, SfuTensor *y, const SfuTensor *x, int side, GError **error)
{
    const int dims[] = {x->h / side, side, x->w / side, side, x->c}, perm[] = {0, 2, 1, 3, 4};
    return sfu_permute(net->q, y, x, 5, dims, perm, error);
}

/* And back. */
static gboolean out_of_windows(const SfuNet *net, SfuTensor *y, const SfuTensor *x, int side, GError **error)
{
    const int dims[] = {y->h / side, y->w / side, side, side, y->c}, perm[] = {0, 2, 1, 3, 4};
    return sfu_permute(net->q, y, x, 5, dims, perm, error);
}

/* Which of the three stripes of a shifted picture's side pixel i lies in: they came from opposite borders and must not
 * see each other. */
static int stripe(int i, int size, int side, int shift)
{
    return i < size - side ? 0 : i < size - shift ? 1 : 2;
}

/* A row of windows. */
typedef struct {
    int side, grain; /* of a window; of a square of pixels that make one key */
    int w, shift;    /* of the picture */
    gboolean last;   /* the lowest row */
} Row;

/* The logits' bias for a row: [n, n_heads, side^2, (side / grain)^2]. shift 0: n = 1, the same for all rows; else n =
 * windows in a row. */
static SfuTensor *window_bias(const SfuNet *net, const Block *b, Row row, GError **error)
{
    const int side = row.side, grain = row.grain, w = row.w, shift = row.shift;
    const int keys = side / grain, t = side * side, n = shift ? w / side : 1, span = 2 * keys - 1,
              key_shift = (shift + grain - 1) / grain;
    SfuTensor *bias = sfu_tensor_create(net->q, SFU_F32, n, b->n_heads, t, keys * keys, error);
    float *v = bias ? g_new(float, (gsize)n * b->n_heads * t * keys * keys) : NULL, *p = v;
    for (int win = 0; v && win < n; win++)
        for (int head = 0; head < b->n_heads; head++)
            for (int i = 0; i < t; i++)
                for (int j = 0; j < keys * keys; j++) {
                    const int yi = i / side, xi = i % side, yj = j / keys, xj = j % keys;
                    float logit =
                        b->table[((yi / grain - yj + keys - 1) * span + xi / grain - xj + keys - 1) * b->n_heads +
                                 head];
                    if (shift && (stripe(win * side + xi, w, side, shift) !=
                                      stripe(win * keys + xj, w / grain, keys, key_shift) ||
                                  (row.last && (yi < side - shift) != (yj < keys - key_shift))))
                        logit -= 100; /* as the authors mask */
                    *p++ = logit;
                }
    if (v && !sfu_tensor_write(bias, v, error))
        sfu_net_drop(&bias);
    g_free(v);
    return bias;
}

/* Queries, keys and values of windows [n, 1, t, c]: side by side in *q; or, SRFormer's, keys and values of squares [n,
 * 1, t / grain^2, 2 c] in *kv. */
static gboolean project(const SfuNet *net, const SfuSwinConfig *c, const Block *b, const SfuTensor *win, SfuTensor **q,
                        SfuTensor **kv, GError **error)
{
    const int f = win->c, grain = c->grain, keys = grain ? c->window / grain : 0;
    const SfuEpilogue e = {.bias = b->qkv.b}, ekv = {.bias = b->kv.b};
    *kv = NULL;
    gboolean ok =
        (*q = sfu_net_like(net, win, grain ? f : 3 * f, error)) && sfu_linear(net->q, *q, win, b->qkv.w, &e, error);
    if (!ok || !grain)
        return ok;
    /* A key's channels: those of its pixels, one after the other; all of the keys', then all of the values'. */
    const int part = f / (grain * grain), dims[] = {win->n * keys, grain, keys, grain, 2, part},
              perm[] = {0, 2, 4, 1, 3, 5};
    SfuTensor *pixels = sfu_net_like(net, win, 2 * part, error);
    ok = pixels && sfu_linear(net->q, pixels, win, b->kv.w, &ekv, error) &&
         (*kv = sfu_tensor_create(net->q, net->dtype, win->n, 1, keys * keys, 2 * f, error)) &&
         sfu_permute(net->q, *kv, pixels, 6, dims, perm, error);
    sfu_tensor_destroy(pixels);
    return ok;
}

/* Attention of all windows: o, and queries with keys and values beside them, or these in kv. */
typedef struct {
    SfuTensor *o, *q, *kv; /* kv NULL: in q */
} Windows;

/* For windows first .. first + n. */
static gboolean attend(const SfuNet *net, const Block *b, const Windows *all, const SfuTensor *bias, int first, int n,
                       GError **error)
{
    const SfuTensor *o = all->o, *qt = all->q, *kv = all->kv;
    const int t = qt->w, c = o->c, start = kv ? 0 : c, tk = kv ? kv->w : t;
    const SfuAttention a = {
        .n_heads = b->n_heads, .head_dim = c / b->n_heads, .k_col = start, .v_col = start + c, .bias = bias};
    SfuTensor *qv = sfu_tensor_view(qt, (size_t)first * t * qt->c, n, 1, t, qt->c, error);
    SfuTensor *kvv =
        !qv ? NULL
            : sfu_tensor_view(kv ? kv : qt, (size_t)first * tk * (kv ? kv : qt)->c, n, 1, tk, (kv ? kv : qt)->c, error);
    SfuTensor *ov = kvv ? sfu_tensor_view(o, (size_t)first * t * c, n, 1, t, c, error) : NULL;
    const gboolean ok = ov && sfu_attention(net->q, ov, qv, kvv, kvv, &a, error);
    sfu_tensor_destroy(qv);
    sfu_tensor_destroy(kvv);
    sfu_tensor_destroy(ov);
    return ok;
}

/* Attention in windows: x [1, h, w, c], normalized, borrowed -> [1, h, w, c] before the projection. */
static SfuTensor *window_attention(const SfuNet *net, const SfuSwinConfig *k, const Block *b, const SfuTensor *x,
                                   int shift, GError **error)
{
    const int h = x->h, w = x->w, c = x->c, side = k->window, n = h * w / (side * side), row = w / side,
              t = side * side;
    SfuTensor *rolled = NULL, *win = sfu_tensor_create(net->q, net->dtype, n, 1, t, c, error), *q = NULL, *kv = NULL,
              *o = NULL, *y = NULL, *bias = NULL;
    gboolean ok = win != NULL;
    if (ok && shift)
        ok = (rolled = sfu_net_like(net, x, c, error)) && sfu_roll(net->q, rolled, x, -shift, -shift, error);
    ok = ok && into_windows(net, win, rolled ? rolled : x, side, error) && project(net, k, b, win, &q, &kv, error) &&
         (o = sfu_net_like(net, win, c, error));
    sfu_net_drop(&win);
    for (int last = 0; ok && last < (shift ? 2 : 1); last++) { /* the lowest row has a mask of its own */
        const int rows = h / side, from = last ? rows - 1 : 0, to = shift && !last ? rows - 1 : rows;
        if (from == to)
            continue;
        ok = (bias = window_bias(net, b, (Row){side, MAX(1, k->grain), w, shift, last}, error)) &&
             attend(net, b, &(Windows){o, q, kv}, bias, from * row, (to - from) * row, error);
        sfu_net_drop(&bias);
    }
    sfu_net_drop(&q);
    sfu_net_drop(&kv);
    ok = ok && (y = sfu_net_like(net, x, c, error)) && out_of_windows(net, rolled ? rolled : y, o, side, error) &&
         (!rolled || sfu_roll(net->q, y, rolled, shift, shift, error));
    sfu_tensor_destroy(o);
    sfu_tensor_destroy(rolled);
    if (!ok)
        sfu_net_drop(&y);
    return y;
}

/* HAT's overlapping windows: queries from each window, keys and values from the larger one around it; zeros outside of
 * the picture, which take part (figure 4; the authors unfold a padded picture). */
static SfuTensor *overlap_attention(const SfuNet *net, const SfuSwinConfig *c, const Block *b, const SfuTensor *x,
                                    GError **error)
{
    const int h = x->h, w = x->w, f = x->c, side = c->window, wide = c->overlap_window, edge = (wide - side) / 2,
              n = h * w / (side * side);
    const int tq = side * side, tk = wide * wide, span = side + wide - 1;
    const SfuEpilogue e = {.bias = b->qkv.b};
    SfuTensor *qkv = sfu_net_like(net, x, 3 * f, error), *q = NULL, *kv = NULL, *qw = NULL, *kw = NULL, *o = NULL,
              *y = NULL;
    SfuTensor *bias = sfu_tensor_create(net->q, SFU_F32, 1, b->n_heads, tq, tk, error);
    gboolean ok = qkv && bias && sfu_linear(net->q, qkv, x, b->qkv.w, &e, error) &&
                  (q = sfu_net_like(net, x, f, error)) && (kv = sfu_net_like(net, x, 2 * f, error)) &&
                  sfu_slice(net->q, q, qkv, 0, error) && sfu_slice(net->q, kv, qkv, f, error);
    sfu_net_drop(&qkv);
    if (ok) {
        float *v = g_new(float, (gsize)b->n_heads *tq *tk), *p = v;
        for (int head = 0; head < b->n_heads; head++)
            for (int i = 0; i < tq; i++)
                for (int j = 0; j < tk; j++) {
                    /* The authors shift by side - wide + 1 where wide - 1 would start at 0; negative rows count from
                     * the table's end, as theirs do. */
                    const int dy = j / wide - i / side + side - wide + 1, dx = j % wide - i % side + side - wide + 1,
                              at = dy * span + dx;
                    *p++ = b->table[(at < 0 ? at + span * span : at) * b->n_heads + head];
                }
        ok = sfu_tensor_write(bias, v, error);
        g_free(v);
    }
    ok = ok && (qw = sfu_tensor_create(net->q, net->dtype, n, 1, tq, f, error)) &&
         into_windows(net, qw, q, side, error) && (kw = sfu_tensor_create(net->q, net->dtype, n, 1, tk, 2 * f, error));
    sfu_net_drop(&q);
    for (int i = 0; ok && i < n; i++) {
        SfuTensor *one = sfu_tensor_view(kw, (size_t)i * tk * 2 * f, 1, wide, wide, 2 * f, error);
        ok = one &&
             sfu_pad(net->q, one, kv, edge - i / (w / side) * side, edge - i % (w / side) * side, SFU_PAD_ZERO, error);
        sfu_tensor_destroy(one);
    }
    sfu_net_drop(&kv);
    const SfuAttention a = {.n_heads = b->n_heads, .head_dim = f / b->n_heads, .v_col = f, .bias = bias};
    ok = ok && (o = sfu_net_like(net, qw, f, error)) && sfu_attention(net->q, o, qw, kw, kw, &a, error) &&
         (y = sfu_net_like(net, x, f, error)) && out_of_windows(net, y, o, side, error);
    sfu_tensor_destroy(qw);
    sfu_tensor_destroy(kw);
    sfu_tensor_destroy(o);
    sfu_tensor_destroy(bias);
    if (!ok)
        sfu_net_drop(&y);
    return y;
}

/* ---- blocks ---- */

/* HAT's channel attention block: x [1, h, w, c] borrowed. Zhang 2018 (RCAN), figure 3. */
static SfuTensor *channel_attention(const SfuNet *net, const Block *b, const SfuTensor *x, GError **error)
{
    const int squeezed = (int)sfu_weight_dim(b->squeeze[0].w, 0);
    const SfuEpilogue e1 = {.bias = b->squeeze[0].b, .act = SFU_ACT_RELU},
                      e2 = {.bias = b->squeeze[1].b, .act = SFU_ACT_SIGMOID};
    SfuTensor *mid = sfu_upscaler_conv(
        net, x, &b->cab[0], (SfuUpscalerConv){.out = (int)sfu_weight_dim(b->cab[0].w, 0), .act = SFU_ACT_GELU}, error);
    SfuTensor *y = mid ? sfu_upscaler_conv(net, mid, &b->cab[1], (SfuUpscalerConv){.out = x->c}, error) : NULL;
    SfuTensor *pool = sfu_tensor_create(net->q, net->dtype, 1, 1, 1, x->c, error),
              *s = sfu_tensor_create(net->q, net->dtype, 1, 1, 1, squeezed, error);
    if (y && !(pool && s && sfu_mean_hw(net->q, pool, y, error) &&
               sfu_linear(net->q, s, pool, b->squeeze[0].w, &e1, error) &&
               sfu_linear(net->q, pool, s, b->squeeze[1].w, &e2, error) && sfu_mul(net->q, y, y, pool, error)))
        sfu_net_drop(&y);
    sfu_tensor_destroy(mid);
    sfu_tensor_destroy(pool);
    sfu_tensor_destroy(s);
    return y;
}

/* x += mlp(norm2(x)). SRFormer's mlp adds the gelu of a depthwise 5x5 to what is hidden. */
static gboolean add_mlp(const SfuNet *net, const Block *b, SfuTensor *x, GError **error)
{
    const SfuEpilogue e1 = {.bias = b->fc1.b, .act = SFU_ACT_GELU}, e2 = {.bias = b->fc2.b, .residual = x};
    SfuTensor *n = sfu_net_like(net, x, x->c, error),
              *hidden = n ? sfu_net_like(net, x, (int)sfu_weight_dim(b->fc1.w, 0), error) : NULL, *more = NULL;
    gboolean ok = hidden && sfu_layer_norm(net->q, n, x, b->norm2.w, b->norm2.b, EPS, error) &&
                  sfu_linear(net->q, hidden, n, b->fc1.w, &e1, error);
    sfu_net_drop(&n);
    if (ok && b->depthwise.w) {
        const SfuConv conv = {.pad_top = 2, .pad_left = 2, .pad_bottom = 2, .pad_right = 2, .groups = hidden->c};
        const SfuEpilogue e = {.bias = b->depthwise.b, .act = SFU_ACT_GELU, .residual = hidden};
        ok = (more = sfu_net_like(net, hidden, hidden->c, error)) &&
             sfu_conv2d(net->q, more, hidden, b->depthwise.w, &conv, &e, error);
    }
    ok = ok && sfu_linear(net->q, x, more ? more : hidden, b->fc2.w, &e2, error);
    sfu_tensor_destroy(hidden);
    sfu_tensor_destroy(more);
    return ok;
}

/* x [1, h, w, c] is changed in place. side, shift: of the windows; overlap: HAT's other attention. */
static gboolean run_block(const SfuNet *net, const SfuSwinConfig *c, const Block *b, SfuTensor *x, int shift,
                          gboolean overlap, GError **error)
{
    const SfuEpilogue e = {.bias = b->proj.b, .residual = x};
    SfuTensor *n = sfu_net_like(net, x, x->c, error), *o = NULL, *channels = NULL;
    gboolean ok = n && sfu_layer_norm(net->q, n, x, b->norm1.w, b->norm1.b, EPS, error);
    ok = ok && (o = overlap ? overlap_attention(net, c, b, n, error) : window_attention(net, c, b, n, shift, error));
    ok = ok && sfu_linear(net->q, x, o, b->proj.w, &e, error);
    if (ok && b->cab[0].w)
        ok = (channels = channel_attention(net, b, n, error)) && sfu_axpby(net->q, x, 1, x, CAB_SCALE, channels, error);
    sfu_tensor_destroy(channels);
    sfu_tensor_destroy(n);
    sfu_tensor_destroy(o);
    return ok && add_mlp(net, b, x, error);
}

/* x is taken. */
static SfuTensor *run_group(const SfuNet *net, const SfuSwinConfig *c, const Group *g, gboolean hat, SfuTensor *x,
                            GError **error)
{
    SfuTensor *y = sfu_net_like(net, x, x->c, error);
    gboolean ok = y && sfu_convert(net->q, y, x, error);
    for (int i = 0; ok && i < g->n_blocks; i++)
        ok = run_block(net, c, &g->blocks[i], y, i % 2 && !c->unshifted ? c->window / 2 : 0, FALSE, error);
    if (ok && hat)
        ok = run_block(net, c, &g->overlap, y, 0, TRUE, error);
    if (!ok)
        sfu_net_drop(&y);
    SfuTensor *out = y ? sfu_trunk_conv_run(net, g->conv, y, x, error) : NULL;
    sfu_tensor_destroy(x);
    return out;
}

static SfuTensor *run(const SfuUpscalerPass *p, SfuTensor *x, GError **error)
{
    const SfuNet *net = p->net;
    const SfuUpscalerConfig *c = p->c;
    const Swin *s = p->network;
    SfuTensor *picture = sfu_net_like(net, x, x->c, error), *features = NULL, *y = NULL;
    gboolean ok = picture && sfu_scale_channels(net->q, picture, x, s->in_scale, s->in_shift, error);
    sfu_tensor_destroy(x);
    ok = ok && (features = sfu_upscaler_conv(net, picture, &s->first, (SfuUpscalerConv){.out = c->features}, error)) &&
         (y = sfu_net_like(net, features, c->features, error));
    ok = ok && (s->patch_norm.w ? sfu_layer_norm(net->q, y, features, s->patch_norm.w, s->patch_norm.b, EPS, error)
                                : sfu_convert(net->q, y, features, error));
    for (int g = 0; ok && g < c->blocks; g++)
        ok = (y = run_group(net, c->own, &s->groups[g], s->hat, y, error)) &&
             sfu_upscaler_step(p, (g + 1.0) / (c->blocks + 1), error);
    ok = ok && sfu_layer_norm(net->q, y, y, s->norm.w, s->norm.b, EPS, error);
    if (!ok)
        sfu_net_drop(&y);
    y = y ? sfu_trunk_conv_run(net, s->after, y, features, error) : NULL;
    sfu_tensor_destroy(features);
    y = y ? sfu_upsampler_run(net, c, &s->tail, y, picture, error) : NULL;
    sfu_tensor_destroy(picture);
    if (y && !sfu_scale_channels(net->q, y, y, s->out_scale, s->out_shift, error))
        sfu_net_drop(&y);
    return y;
}

/* Attention mixes windows block by block, and each group's convolution adds a pixel; two windows of context hide the
 * seam. */
static int margin(const SfuUpscalerConfig *c)
{
    return MAX(SFU_WINDOWS_MARGIN_PX, 2 * ((const SfuSwinConfig *)c->own)->window);
}

/* Queries, keys and values beside the features, their norm and the windows; or the full resolution at the end. */
static double values(const SfuUpscalerConfig *c, int w, int h)
{
    const int high = c->upsampler == SFU_UPSAMPLER_SHUFFLE_DIRECT ? 3 * c->channels : 140;
    return MAX(9 * c->features, c->features + high * c->scale * c->scale) * (double)w * h;
}

const SfuUpscalerKind sfu_swin_kind = {bind, release, run, margin, values, .sees_all = TRUE};
