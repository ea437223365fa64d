/* OmniSR (Wang 2023, "Omni Aggregation Networks for Lightweight Image Super-Resolution", figures 3 and 4): in every
 * block, attention between pixels of a window, then between channels of it; and the same on grids of pixels that lie a
 * window's count apart. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/omnisr.h"
#include "net/upscaler_parts.h"

#define MAX_BLOCKS 64   /* a group */
#define LAYER_EPS 1e-5f /* of norms before attention between pixels */
#define PIXEL_EPS 1e-6f /* of the others */

typedef struct {
    SfuLayer norm, in, depthwise, out;
    SfuWeight *temperature; /* of attention between channels; NULL: the gated feed-forward layer */
} Mixed;

typedef struct {
    SfuLayer norm, qkv, out;
    float *table; /* relative positions [side * side, n_heads]; NULL: none */
} Attention;

typedef struct {
    SfuLayer widen, depthwise, squeeze[2], narrow;
    Attention windows, grid;
    Mixed gated[4], channels[2];
} Block;

typedef struct {
    Block *blocks;
    int n_blocks;
    SfuLayer last, esa1, esa2, esa3, esa4, esa_f;
} Group;

typedef struct {
    Group *groups;
    int n_groups;
    SfuLayer first, after, up;
} Omni;

/* ---- binding ---- */

static void bind_mixed(SfuNet *net, Mixed *m, const char *prefix, int f, int n_heads)
{
    const char *names[2][3] = {{"fn.project_in", "fn.dwconv", "fn.project_out"},
                               {"fn.qkv", "fn.qkv_dwconv", "fn.project_out"}};
    const int wide = n_heads ? 3 * f : 2 * f;
    m->norm = sfu_net_norm(net, prefix, "norm", f);
    m->in = sfu_net_linear(net, prefix, names[n_heads > 0][0], wide, f, FALSE);
    m->depthwise = sfu_net_conv(net, prefix, names[n_heads > 0][1], wide, 1, 3, FALSE);
    m->out = sfu_net_linear(net, prefix, names[n_heads > 0][2], f, f, FALSE);
    if (n_heads)
        m->temperature = sfu_net_tensor(net, prefix, "fn.temperature", 3, (const gint64[]){n_heads, 1, 1});
}

static int window_of(const SfuUpscalerConfig *c)
{
    return ((const SfuOmnisrConfig *)c->own)->window;
}

static void bind_attention(SfuNet *net, const SfuUpscalerConfig *c, Attention *a, const char *prefix)
{
    const int f = c->features, span = 2 * window_of(c) - 1, n = span * span;
    a->norm = sfu_net_norm(net, prefix, "norm", f);
    a->qkv = sfu_net_linear(net, prefix, "fn.to_qkv", 3 * f, f, FALSE);
    a->out = sfu_net_linear(net, prefix, "fn.to_out.0", f, f, FALSE);
    if (!((const SfuOmnisrConfig *)c->own)->positions)
        return;
    SfuWeight *w = sfu_net_table(net, prefix, "fn.rel_pos_bias", n, SFU_OMNISR_HEADS);
    if (w && net->q) {
        a->table = g_new(float, (gsize)n *SFU_OMNISR_HEADS);
        sfu_weight_read_f32(w, 0, (gint64)n * SFU_OMNISR_HEADS, a->table);
    }
}

static void bind_block(SfuNet *net, const SfuUpscalerConfig *c, Block *b, const char *prefix)
{
    const int f = c->features, gated[4] = {4, 6, 10, 12}, channels[2] = {5, 11};
    char *name = g_strconcat(prefix, ".layer.0", NULL);
    const int wide = sfu_net_dim(net, name, "fn.0.weight", 0),
              squeezed = sfu_net_dim(net, name, "fn.4.gate.1.weight", 0);
    b->widen = sfu_net_linear(net, name, "fn.0", wide, f, TRUE);
    b->depthwise = sfu_net_conv(net, name, "fn.2", wide, 1, 3, TRUE);
    b->squeeze[0] = sfu_net_linear(net, name, "fn.4.gate.1", squeezed, wide, FALSE);
    b->squeeze[1] = sfu_net_linear(net, name, "fn.4.gate.3", wide, squeezed, FALSE);
    b->narrow = sfu_net_linear(net, name, "fn.5", f, wide, TRUE);
    g_free(name);
    bind_attention(net, c, &b->windows, name = g_strconcat(prefix, ".layer.2", NULL));
    g_free(name);
    bind_attention(net, c, &b->grid, name = g_strconcat(prefix, ".layer.8", NULL));
    g_free(name);
    for (int i = 0; i < 4; i++) {
        bind_mixed(net, &b->gated[i], name = g_strdup_printf("%s.layer.%d", prefix, gated[i]), f, 0);
        g_free(name);
    }
    for (int i = 0; i < 2; i++) {
        bind_mixed(net, &b->channels[i], name = g_strdup_printf("%s.layer.%d", prefix, channels[i]), f,
                   SFU_OMNISR_HEADS);
        g_free(name);
    }
}

static void bind_group(SfuNet *net, const SfuUpscalerConfig *c, Group *g, const char *prefix)
{
    const int f = c->features;
    char name[96];
    g_snprintf(name, sizeof name, "%s.residual_layer.", prefix);
    g->n_blocks =
        MAX(0, sfu_model_count(net->model, net->part, name, MAX_BLOCKS + 1) - 1); /* the last one is a convolution */
    g->blocks = g_new0(Block, g->n_blocks);
    for (int b = 0; b < g->n_blocks; b++) {
        g_snprintf(name, sizeof name, "%s.residual_layer.%d", prefix, b);
        bind_block(net, c, &g->blocks[b], name);
    }
    g_snprintf(name, sizeof name, "residual_layer.%d", g->n_blocks);
    g->last = sfu_net_linear(net, prefix, name, f, f, ((const SfuOmnisrConfig *)c->own)->bias);
    const int e = sfu_net_dim(net, prefix, "esa.conv1.weight", 0);
    g->esa1 = sfu_net_linear(net, prefix, "esa.conv1", e, f, TRUE);
    g->esa_f = sfu_net_linear(net, prefix, "esa.conv_f", e, e, TRUE);
    g->esa2 = sfu_net_conv(net, prefix, "esa.conv2", e, e, 3, TRUE);
    g->esa3 = sfu_net_conv(net, prefix, "esa.conv3", e, e, 3, TRUE);
    g->esa4 = sfu_net_linear(net, prefix, "esa.conv4", f, e, TRUE);
}

static gpointer bind(SfuNet *net, const SfuUpscalerConfig *c)
{
    Omni *s = g_new0(Omni, 1);
    char name[48];
    s->first = sfu_net_conv(net, "", "input", c->features, c->channels, 3, ((const SfuOmnisrConfig *)c->own)->bias);
    s->n_groups = c->blocks;
    s->groups = g_new0(Group, c->blocks);
    for (int g = 0; g < c->blocks; g++) {
        g_snprintf(name, sizeof name, "residual_layer.%d", g);
        bind_group(net, c, &s->groups[g], name);
    }
    s->after = sfu_net_conv(net, "", "output", c->features, c->features, 3, ((const SfuOmnisrConfig *)c->own)->bias);
    s->up = sfu_net_conv(net, "", "up.0", c->channels * c->scale * c->scale, c->features, 3,
                         ((const SfuOmnisrConfig *)c->own)->bias);
    return s;
}

static void release(gpointer network)
{
    Omni *s = network;
    for (int g = 0; g < s->n_groups; g++) {
        for (int b = 0; b < s->groups[g].n_blocks; b++) {
            g_free(s->groups[g].blocks[b].windows.table);
            g_free(s->groups[g].blocks[b].grid.table);
        }
        g_free(s->groups[g].blocks);
    }
    g_free(s->groups);
    g_free(s);
}

/* ---- windows and grids ---- */

/* How the pixels of [1, h, w, c] make samples [n, 1, t, c]. A side of the picture is windows of `side` pixels. */
typedef enum {
    BY_WINDOW, /* a window is a sample */
    BY_GRID,   /* side^2 pixels are one, that divide the picture evenly */
    BY_PLACE,  /* the pixels of one place in their windows are one */
} Grouping;

/* Of a picture of h x w pixels, in windows of side x side. */
typedef struct {
    Grouping how;
    int h, w, side;
} Groups;

static gboolean regroup(const SfuNet *net, SfuTensor *y, const SfuTensor *x, Groups g, gboolean back, GError **error)
{
    const int side = g.side, rows = g.h / side, cols = g.w / side, c = x->c;
    static const int window[] = {0, 2, 1, 3, 4}, inner[] = {1, 3, 0, 2, 4}, outer[] = {2, 0, 3, 1, 4};
    const int by_window[] = {rows, side, cols, side, c}, by_grid[] = {side, rows, side, cols, c},
              samples[] = {rows, cols, side, side, c};
    const int places[] = {side, side, rows, cols, c};
    if (g.how == BY_WINDOW)
        return sfu_permute(net->q, y, x, 5, back ? samples : by_window, window, error);
    if (g.how == BY_GRID)
        return sfu_permute(net->q, y, x, 5, back ? samples : by_grid, back ? outer : inner, error);
    return sfu_permute(net->q, y, x, 5, back ? places : by_window, back ? outer : inner, error);
}

/* x regrouped, as a new tensor; x is borrowed. */
static SfuTensor *grouped(const SfuNet *net, const SfuTensor *x, int side, Grouping how, GError **error)
{
    const int t = how == BY_PLACE ? x->h / side * (x->w / side) : side * side;
    SfuTensor *y = sfu_tensor_create(net->q, net->dtype, x->h * x->w / t, 1, t, x->c, error);
    if (y && !regroup(net, y, x, (Groups){how, x->h, x->w, side}, FALSE, error))
        sfu_net_drop(&y);
    return y;
}

/* The logits' bias [1, n_heads, side^2, side^2]. */
static SfuTensor *position_bias(const SfuNet *net, const float *table, int side, int n_heads, GError **error)
{
    const int t = side * side, span = 2 * side - 1;
    SfuTensor *bias = sfu_tensor_create(net->q, SFU_F32, 1, n_heads, t, t, error);
    float *v = bias ? g_new(float, (gsize)n_heads *t *t) : NULL, *p = v;
    for (int head = 0; v && head < n_heads; head++)
        for (int i = 0; i < t; i++)
            for (int j = 0; j < t; j++)
                *p++ =
                    table[((i / side - j / side + side - 1) * span + i % side - j % side + side - 1) * n_heads + head];
    if (v && !sfu_tensor_write(bias, v, error))
        sfu_net_drop(&bias);
    g_free(v);
    return bias;
}

/* ---- blocks: each changes x [1, h, w, features] in place ---- */

/* x += out(attention(qkv(norm(x)))), in windows or grids. */
static gboolean add_attention(const SfuNet *net, const SfuUpscalerConfig *c, const Attention *a, SfuTensor *x,
                              Grouping how, GError **error)
{
    const int f = c->features;
    SfuTensor *n = sfu_net_like(net, x, f, error), *win = NULL, *qkv = NULL, *o = NULL, *bias = NULL;
    gboolean ok = n && sfu_layer_norm(net->q, n, x, a->norm.w, a->norm.b, LAYER_EPS, error) &&
                  (win = grouped(net, n, window_of(c), how, error)) && (qkv = sfu_net_like(net, win, 3 * f, error)) &&
                  sfu_linear(net->q, qkv, win, a->qkv.w, NULL, error) &&
                  (!a->table || (bias = position_bias(net, a->table, window_of(c), SFU_OMNISR_HEADS, error)));
    const SfuAttention attention = {
        .n_heads = SFU_OMNISR_HEADS, .head_dim = f / SFU_OMNISR_HEADS, .k_col = f, .v_col = 2 * f, .bias = bias};
    const SfuEpilogue e = {.residual = x};
    ok = ok && (o = sfu_net_like(net, win, f, error)) && sfu_attention(net->q, o, qkv, qkv, qkv, &attention, error) &&
         regroup(net, n, o, (Groups){how, x->h, x->w, window_of(c)}, TRUE, error) &&
         sfu_linear(net->q, x, n, a->out.w, &e, error);
    sfu_tensor_destroy(n);
    sfu_tensor_destroy(win);
    sfu_tensor_destroy(qkv);
    sfu_tensor_destroy(o);
    sfu_tensor_destroy(bias);
    return ok;
}

/* x += out(gelu(a) * b), a and b the halves of sfu_upscaler_depthwise(in(norm(x))); or, with a temperature, of
 * attention between channels instead. */
static gboolean add_mixed(const SfuNet *net, const SfuUpscalerConfig *c, const Mixed *m, SfuTensor *x, Grouping how,
                          GError **error)
{
    const int f = c->features;
    SfuTensor *n = sfu_net_like(net, x, f, error), *wide = NULL, *deep = NULL, *win = NULL, *o = NULL;
    gboolean ok = n && sfu_layer_norm(net->q, n, x, m->norm.w, m->norm.b, PIXEL_EPS, error) &&
                  (wide = sfu_net_like(net, x, (int)sfu_weight_dim(m->in.w, 0), error)) &&
                  sfu_linear(net->q, wide, n, m->in.w, NULL, error) &&
                  (deep = sfu_upscaler_depthwise(net, wide, &m->depthwise, SFU_ACT_NONE, error));
    sfu_net_drop(&wide);
    if (ok && !m->temperature)
        ok = sfu_half_gate(net->q, n, deep, SFU_ACT_GELU, error);
    else if (ok) {
        const SfuAttention a = {
            .n_heads = SFU_OMNISR_HEADS, .head_dim = f / SFU_OMNISR_HEADS, .k_col = f, .v_col = 2 * f};
        ok = (win = grouped(net, deep, window_of(c), how, error)) && (o = sfu_net_like(net, win, f, error)) &&
             sfu_channel_attention(net->q, o, win, m->temperature, &a, error) &&
             regroup(net, n, o, (Groups){how, x->h, x->w, window_of(c)}, TRUE, error);
    }
    const SfuEpilogue e = {.residual = x};
    ok = ok && sfu_linear(net->q, x, n, m->out.w, &e, error);
    sfu_tensor_destroy(n);
    sfu_tensor_destroy(deep);
    sfu_tensor_destroy(win);
    sfu_tensor_destroy(o);
    return ok;
}

/* x += narrow(y * gate(mean of y)), y = sfu_upscaler_depthwise(widen(x)) (Hu 2018; Sandler 2018). */
static gboolean add_convolution(const SfuNet *net, const Block *b, SfuTensor *x, GError **error)
{
    const int wide = (int)sfu_weight_dim(b->widen.w, 0), squeezed = (int)sfu_weight_dim(b->squeeze[0].w, 0);
    const SfuEpilogue e1 = {.bias = b->widen.b, .act = SFU_ACT_GELU}, e2 = {.bias = b->narrow.b, .residual = x};
    const SfuEpilogue silu = {.act = SFU_ACT_SILU}, sigmoid = {.act = SFU_ACT_SIGMOID};
    SfuTensor *a = sfu_net_like(net, x, wide, error), *y = NULL, *mean = NULL, *s = NULL;
    const gboolean ok = a && sfu_linear(net->q, a, x, b->widen.w, &e1, error) &&
                        (y = sfu_upscaler_depthwise(net, a, &b->depthwise, SFU_ACT_GELU, error)) &&
                        (mean = sfu_tensor_create(net->q, net->dtype, 1, 1, 1, wide, error)) &&
                        (s = sfu_tensor_create(net->q, net->dtype, 1, 1, 1, squeezed, error)) &&
                        sfu_mean_hw(net->q, mean, y, error) &&
                        sfu_linear(net->q, s, mean, b->squeeze[0].w, &silu, error) &&
                        sfu_linear(net->q, mean, s, b->squeeze[1].w, &sigmoid, error) &&
                        sfu_mul(net->q, y, y, mean, error) && sfu_linear(net->q, x, y, b->narrow.w, &e2, error);
    sfu_tensor_destroy(a);
    sfu_tensor_destroy(y);
    sfu_tensor_destroy(mean);
    sfu_tensor_destroy(s);
    return ok;
}

static gboolean run_block(const SfuNet *net, const SfuUpscalerConfig *c, const Block *b, SfuTensor *x, GError **error)
{
    return add_convolution(net, b, x, error) && add_attention(net, c, &b->windows, x, BY_WINDOW, error) &&
           add_mixed(net, c, &b->gated[0], x, BY_WINDOW, error) &&
           add_mixed(net, c, &b->channels[0], x, BY_WINDOW, error) &&
           add_mixed(net, c, &b->gated[1], x, BY_WINDOW, error) && add_attention(net, c, &b->grid, x, BY_GRID, error) &&
           add_mixed(net, c, &b->gated[2], x, BY_WINDOW, error) &&
           add_mixed(net, c, &b->channels[1], x, BY_PLACE, error) &&
           add_mixed(net, c, &b->gated[3], x, BY_WINDOW, error);
}

/* x *= sigmoid(of a coarse map of x), Liu 2020 (RFANet), figure 4. */
static gboolean spatial_gate(const SfuNet *net, const Group *g, SfuTensor *x, GError **error)
{
    const int e = (int)sfu_weight_dim(g->esa1.w, 0), h2 = (x->h - 3) / 2 + 1, w2 = (x->w - 3) / 2 + 1;
    const SfuConv half = {.stride = 2};
    SfuTensor *a = sfu_net_like(net, x, e, error), *b = NULL, *pool = NULL, *coarse = NULL, *fine = NULL, *gate = NULL;
    const SfuEpilogue e1 = {.bias = g->esa1.b}, e2 = {.bias = g->esa2.b},
                      e4 = {.bias = g->esa4.b, .act = SFU_ACT_SIGMOID};
    gboolean ok = a && sfu_linear(net->q, a, x, g->esa1.w, &e1, error) &&
                  (b = sfu_tensor_create(net->q, net->dtype, 1, h2, w2, e, error)) &&
                  sfu_conv2d(net->q, b, a, g->esa2.w, &half, &e2, error) &&
                  (pool = sfu_tensor_create(net->q, net->dtype, 1, (h2 - 7) / 3 + 1, (w2 - 7) / 3 + 1, e, error)) &&
                  sfu_max_pool(net->q, pool, b, 7, 3, error) &&
                  (coarse = sfu_upscaler_conv(net, pool, &g->esa3, (SfuUpscalerConv){.out = e}, error)) &&
                  (fine = sfu_net_like(net, x, e, error)) && sfu_resize_bilinear(net->q, fine, coarse, error);
    const SfuEpilogue ef = {.bias = g->esa_f.b, .residual = fine};
    ok = ok && sfu_linear(net->q, fine, a, g->esa_f.w, &ef, error) && (gate = sfu_net_like(net, x, x->c, error)) &&
         sfu_linear(net->q, gate, fine, g->esa4.w, &e4, error) && sfu_mul(net->q, x, x, gate, error);
    SfuTensor *const all[] = {a, b, pool, coarse, fine, gate};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
        sfu_tensor_destroy(all[i]);
    return ok;
}

/* x is taken. */
static SfuTensor *run_group(const SfuNet *net, const SfuUpscalerConfig *c, const Group *g, SfuTensor *x, GError **error)
{
    SfuTensor *y = sfu_net_like(net, x, x->c, error);
    gboolean ok = y && sfu_convert(net->q, y, x, error);
    for (int b = 0; ok && b < g->n_blocks; b++)
        ok = run_block(net, c, &g->blocks[b], y, error);
    const SfuEpilogue e = {.bias = g->last.b, .residual = x};
    ok = ok && sfu_linear(net->q, x, y, g->last.w, &e, error) && spatial_gate(net, g, x, error);
    sfu_tensor_destroy(y);
    if (!ok)
        sfu_net_drop(&x);
    return x;
}

static SfuTensor *run(const SfuUpscalerPass *p, SfuTensor *picture, GError **error)
{
    const SfuNet *net = p->net;
    const SfuUpscalerConfig *c = p->c;
    const Omni *s = p->network;
    SfuTensor *first = sfu_upscaler_conv(net, picture, &s->first, (SfuUpscalerConv){.out = c->features}, error);
    SfuTensor *x = first ? sfu_net_like(net, first, c->features, error) : NULL, *y = NULL;
    gboolean ok = x && sfu_convert(net->q, x, first, error);
    sfu_tensor_destroy(picture);
    for (int g = 0; ok && g < s->n_groups; g++)
        ok = (x = run_group(net, c, &s->groups[g], x, error)) &&
             sfu_upscaler_step(p, (g + 1.0) / (s->n_groups + 1), error);
    ok = ok && (y = sfu_net_like(net, x, c->features, error)) && sfu_net_conv3(net, y, x, &s->after, first, error);
    sfu_tensor_destroy(first);
    sfu_tensor_destroy(x);
    if (!ok)
        sfu_net_drop(&y);
    return sfu_upscaler_shuffle(net, y, &s->up, c->scale, c->channels, error);
}

/* Grids and gates see everything; two windows of context hide the seam. */
static int margin(const SfuUpscalerConfig *c)
{
    return MAX(SFU_WINDOWS_MARGIN_PX, 2 * c->multiple);
}

/* The trunk, a block's input, its norm, and queries, keys and values twice. */
static double values(const SfuUpscalerConfig *c, int w, int h)
{
    return MAX(10 * c->features, c->features + 2 * c->channels * c->scale * c->scale) * (double)w * h;
}

const SfuUpscalerKind sfu_omnisr_kind = {bind, release, run, margin, values, .sees_all = TRUE};
