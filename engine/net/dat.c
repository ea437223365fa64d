/* DAT (Chen 2023, "Dual Aggregation Transformer for Image Super-Resolution", figures 2 and 3): blocks of attention
 * between pixels, in windows that are wide for one half of the channels and high for the other, take turns with blocks
 * of attention between channels; beside each, a convolution, and the two gate each other. Batch norms are a part of the
 * convolutions before them here. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/dat.h"
#include "net/upscaler_parts.h"
#include <math.h>

#define EPS 1e-5f /* of all norms */

static const float mean[3] = {0.4488f, 0.4371f,
                              0.4040f}; /* of DIV2K, as the authors have it; gray pictures have none */

typedef struct {
    SfuLayer norm1, qkv, proj, local, squeeze[2], map[2];
    SfuLayer norm2, fc1, gate_norm, gate, fc2;
    SfuWeight *temperature; /* of attention between channels; NULL: between pixels */
    int n_heads;
    gboolean shifted;
    float *positions[2]; /* of each half: [(2 h - 1) * (2 w - 1), n_heads / 2] */
} Block;

typedef struct {
    Block *blocks;
    int n_blocks;
    SfuLayer conv[3]; /* conv[1].w NULL: one convolution */
} Group;

typedef struct {
    Group *groups;
    int n_groups;
    SfuLayer first, first_norm, norm, after[3];
    SfuUpsamplerTail tail;
    SfuWeight *in_shift, *out_shift;
} Dat;

/* ---- binding ---- */

/* "<prefix>.<name>.<conv>", size x size from `in` channels (1: depthwise), and the batch norm "<prefix>.<name>.<conv +
 * 1>" behind it: one layer. */
static SfuLayer bind_normed(SfuNet *net, const char *prefix, const char *name, int conv, int out, int in, int size)
{
    char first[64], second[64];
    g_snprintf(first, sizeof first, "%s.%d", name, conv);
    g_snprintf(second, sizeof second, "%s.%d", name, conv + 1);
    const SfuLayer c = sfu_net_conv(net, prefix, first, out, in, size, TRUE),
                   n = sfu_net_norm(net, prefix, second, out);
    char *mean_name = g_strconcat(second, ".running_mean", NULL), *var_name = g_strconcat(second, ".running_var", NULL);
    const gint64 dims[] = {out, in, size, size};
    SfuWeight *m = sfu_net_tensor(net, prefix, mean_name, 1, dims), *v = sfu_net_tensor(net, prefix, var_name, 1, dims);
    SfuLayer l = {0};
    if (net->q && c.w && c.b && n.w && n.b && m && v) {
        const SfuWeight *const read[] = {c.b, n.w, n.b, m, v};
        float *p[5], *weight = sfu_weight_values(c.w), *bias = g_new(float, out);
        for (int i = 0; i < 5; i++)
            p[i] = sfu_weight_values(read[i]);
        for (int o = 0; o < out; o++) {
            const double scale = p[1][o] / sqrt((double)p[4][o] + EPS);
            for (int i = 0; i < in * size * size; i++)
                weight[(gsize)o * in * size * size + i] *= (float)scale;
            bias[o] = (float)((p[0][o] - p[3][o]) * scale + p[2][o]);
        }
        for (int i = 0; i < 5; i++)
            g_free(p[i]);
        l.w = sfu_net_own(net, first, weight, size == 1 ? 2 : 4, dims);
        l.b = sfu_net_own(net, second, bias, 1, dims);
    }
    g_free(mean_name);
    g_free(var_name);
    return l;
}

/* A layer of the network of distances, on the host. */
typedef struct {
    float *w, *b, *gamma, *beta;
} PositionLayer;

/* x [n] -> y [m], y = w . relu(layer_norm(x)) + b. */
static void position_layer(double *y, const double *x, int m, int n, const PositionLayer *l)
{
    double average = 0, var = 0;
    for (int i = 0; i < n; i++)
        average += x[i] / n;
    for (int i = 0; i < n; i++)
        var += (x[i] - average) * (x[i] - average) / n;
    for (int o = 0; o < m; o++) {
        y[o] = l->b[o];
        for (int i = 0; i < n; i++)
            y[o] += l->w[o * n + i] * MAX(0, (x[i] - average) / sqrt(var + EPS) * l->gamma[i] + l->beta[i]);
    }
}

/* The bias of every distance between two pixels of a window, which a small network of distances gives (Wang 2021,
 * CrossFormer): it depends on no picture, so it is run once, here. NULL if a tensor is missing. */
static float *bind_positions(SfuNet *net, const char *prefix, int half, int f, int n_heads, int h, int w)
{
    const int width = f / 2 / 4 / 4, rows = 2 * h - 1, cols = 2 * w - 1;
    char name[64];
    SfuLayer first, norms[3], layers[3];
    g_snprintf(name, sizeof name, "attns.%d.pos.pos_proj", half);
    first = sfu_net_linear(net, prefix, name, width, 2, TRUE);
    gboolean all = first.w && first.b;
    for (int i = 0; i < 3; i++) {
        g_snprintf(name, sizeof name, "attns.%d.pos.pos%d.0", half, i + 1);
        norms[i] = sfu_net_norm(net, prefix, name, width);
        g_snprintf(name, sizeof name, "attns.%d.pos.pos%d.2", half, i + 1);
        layers[i] = sfu_net_linear(net, prefix, name, i == 2 ? n_heads : width, width, TRUE);
        all = all && norms[i].w && norms[i].b && layers[i].w && layers[i].b;
    }
    if (!net->q || !all)
        return NULL;
    PositionLayer p[3];
    float *w0 = sfu_weight_values(first.w), *b0 = sfu_weight_values(first.b),
          *table = g_new(float, (gsize)rows *cols *n_heads);
    for (int i = 0; i < 3; i++)
        p[i] = (PositionLayer){sfu_weight_values(layers[i].w), sfu_weight_values(layers[i].b),
                               sfu_weight_values(norms[i].w), sfu_weight_values(norms[i].b)};
    double *a = g_new(double, MAX(width, n_heads)), *b = g_new(double, MAX(width, n_heads));
    for (int at = 0; at < rows * cols; at++) {
        const int dy = at / cols - (h - 1), dx = at % cols - (w - 1);
        for (int i = 0; i < width; i++)
            a[i] = w0[2 * i] * (double)dy + w0[2 * i + 1] * (double)dx + b0[i];
        position_layer(b, a, width, width, &p[0]);
        position_layer(a, b, width, width, &p[1]);
        position_layer(b, a, n_heads, width, &p[2]);
        for (int i = 0; i < n_heads; i++)
            table[(gsize)at * n_heads + i] = (float)b[i];
    }
    for (int i = 0; i < 3; i++) {
        g_free(p[i].w);
        g_free(p[i].b);
        g_free(p[i].gamma);
        g_free(p[i].beta);
    }
    g_free(w0);
    g_free(b0);
    g_free(a);
    g_free(b);
    return table;
}

/* group, number: from 0. Every second block's attention is between channels; of the others, the windows of every second
 * are shifted. */
static void bind_block(SfuNet *net, const SfuUpscalerConfig *c, Block *b, int group, int number)
{
    const SfuDatConfig *own = c->own;
    const int f = c->features;
    char *name = g_strdup_printf("layers.%d.blocks.%d", group, number), *attn = g_strconcat(name, ".attn", NULL);
    const int hidden = sfu_net_dim(net, name, "ffn.fc1.weight", 0);
    b->n_heads = own->n_heads[group];
    b->shifted = number % 4 == (group % 2 ? 0 : 2);
    b->norm1 = sfu_net_norm(net, name, "norm1", f);
    b->qkv = sfu_net_linear(net, attn, "qkv", 3 * f, f, own->qkv_bias);
    b->proj = sfu_net_linear(net, attn, "proj", f, f, TRUE);
    b->local = bind_normed(net, attn, "dwconv", 0, f, 1, 3);
    b->squeeze[0] = bind_normed(net, attn, "channel_interaction", 1, f / 8, f, 1);
    b->squeeze[1] = sfu_net_linear(net, attn, "channel_interaction.4", f, f / 8, TRUE);
    b->map[0] = bind_normed(net, attn, "spatial_interaction", 0, f / 16, f, 1);
    b->map[1] = sfu_net_linear(net, attn, "spatial_interaction.3", 1, f / 16, TRUE);
    if (number % 2)
        b->temperature = sfu_net_tensor(net, attn, "temperature", 3, (const gint64[]){b->n_heads, 1, 1});
    else
        for (int half = 0; half < 2; half++)
            b->positions[half] =
                bind_positions(net, attn, half, f, b->n_heads / 2, own->split[half], own->split[!half]);
    b->norm2 = sfu_net_norm(net, name, "norm2", f);
    b->fc1 = sfu_net_linear(net, name, "ffn.fc1", hidden, f, TRUE);
    b->gate_norm = sfu_net_norm(net, name, "ffn.sg.norm", hidden / 2);
    b->gate = sfu_net_conv(net, name, "ffn.sg.conv", hidden / 2, 1, 3, TRUE);
    b->fc2 = sfu_net_linear(net, name, "ffn.fc2", f, hidden / 2, TRUE);
    g_free(name);
    g_free(attn);
}

static gpointer bind(SfuNet *net, const SfuUpscalerConfig *c)
{
    Dat *s = g_new0(Dat, 1);
    const SfuDatConfig *own = c->own;
    char name[48];
    s->first = sfu_net_conv(net, "", "conv_first", c->features, c->channels, 3, TRUE);
    s->first_norm = sfu_net_norm(net, "", "before_RG.1", c->features);
    s->n_groups = c->blocks;
    s->groups = g_new0(Group, c->blocks);
    for (int g = 0; g < c->blocks; g++) {
        s->groups[g].n_blocks = own->depth[g];
        s->groups[g].blocks = g_new0(Block, own->depth[g]);
        for (int b = 0; b < own->depth[g]; b++)
            bind_block(net, c, &s->groups[g].blocks[b], g, b);
        g_snprintf(name, sizeof name, "layers.%d.conv", g);
        sfu_trunk_conv_bind(net, s->groups[g].conv, name, c->features);
    }
    s->norm = sfu_net_norm(net, "", "norm", c->features);
    sfu_trunk_conv_bind(net, s->after, "conv_after_body", c->features);
    /* Of all tables of distances, the one that the windows' sides were read from (family/dat.c). */
    sfu_net_tensor(net, "layers.0.blocks.0.attn.attns.0", "rpe_biases", 2,
                   (const gint64[]){(gint64)(2 * own->split[0] - 1) * (2 * own->split[1] - 1), 2});
    sfu_upsampler_bind(net, c, &s->tail);
    if (c->channels == 3) {
        float *minus = g_new(float, 3), *plus = g_new(float, 3);
        for (int i = 0; i < 3; i++) {
            minus[i] = -mean[i];
            plus[i] = mean[i];
        }
        s->in_shift = sfu_net_own(net, "minus mean", minus, 1, (const gint64[]){3});
        s->out_shift = sfu_net_own(net, "mean", plus, 1, (const gint64[]){3});
    }
    return s;
}

static void release(gpointer network)
{
    Dat *s = network;
    for (int g = 0; g < s->n_groups; g++) {
        for (int b = 0; b < s->groups[g].n_blocks; b++)
            for (int half = 0; half < 2; half++)
                g_free(s->groups[g].blocks[b].positions[half]);
        g_free(s->groups[g].blocks);
    }
    g_free(s->groups);
    g_free(s);
}

/* ---- attention between pixels ---- */

/* Which of the three stripes of a shifted side pixel i lies in: they came from opposite borders and must not see each
 * other. */
static int stripe(int i, int size, int side, int shift)
{
    return !shift || i < size - side ? 0 : i < size - shift ? 1 : 2;
}

/* A row of windows of h x w pixels across `width`. */
typedef struct {
    int h, w, width;
    gboolean shifted, lowest;
} Row;

/* The logits' bias for the windows of a row: [n, n_heads, h w, h w]. Not shifted: n = 1; else a window each. */
static SfuTensor *window_bias(const SfuNet *net, const float *table, int n_heads, Row r, GError **error)
{
    const int h = r.h, w = r.w, width = r.width, t = h * w, n = r.shifted ? width / w : 1, cols = 2 * w - 1;
    SfuTensor *bias = sfu_tensor_create(net->q, SFU_F32, n, n_heads, t, t, error);
    float *v = bias ? g_new(float, (gsize)n *n_heads *t *t) : NULL, *p = v;
    for (int win = 0; v && win < n; win++)
        for (int head = 0; head < n_heads; head++)
            for (int i = 0; i < t; i++)
                for (int j = 0; j < t; j++) {
                    const int yi = i / w, xi = i % w, yj = j / w, xj = j % w;
                    float logit = table[((gsize)(yi - yj + h - 1) * cols + xi - xj + w - 1) * n_heads + head];
                    if (r.shifted && (stripe(win * w + xi, width, w, w / 2) != stripe(win * w + xj, width, w, w / 2) ||
                                      (r.lowest && (yi < h - h / 2) != (yj < h - h / 2))))
                        logit -= 100; /* as the authors mask */
                    *p++ = logit;
                }
    if (v && !sfu_tensor_write(bias, v, error))
        sfu_net_drop(&bias);
    g_free(v);
    return bias;
}

/* `rows` rows of windows from `first` on; bias of each window of a row, or of all. */
static gboolean attend(const SfuNet *net, SfuTensor *o, const SfuTensor *qkv, const SfuTensor *bias, int n_heads,
                       int first, int n, GError **error)
{
    const int t = qkv->w, c = o->c;
    const SfuAttention a = {.n_heads = n_heads, .head_dim = c / n_heads, .k_col = c, .v_col = 2 * c, .bias = bias};
    SfuTensor *qv = sfu_tensor_view(qkv, (size_t)first * t * 3 * c, n, 1, t, 3 * c, error);
    SfuTensor *ov = qv ? sfu_tensor_view(o, (size_t)first * t * c, n, 1, t, c, error) : NULL;
    const gboolean ok = ov && sfu_attention(net->q, ov, qv, qv, qv, &a, error);
    sfu_tensor_destroy(qv);
    sfu_tensor_destroy(ov);
    return ok;
}

/* Queries, keys and values of one half of the channels, side by side: [1, h, w, 3 * c / 2]. */
static SfuTensor *half_of(const SfuNet *net, const SfuTensor *qkv, int half, GError **error)
{
    const int c = qkv->c / 6;
    SfuTensor *y = sfu_net_like(net, qkv, 3 * c, error), *part = y ? sfu_net_like(net, qkv, c, error) : NULL;
    gboolean ok = part != NULL;
    for (int i = 0; ok && i < 3; i++)
        ok =
            sfu_slice(net->q, part, qkv, (2 * i + half) * c, error) && sfu_copy_channels(net->q, y, i * c, part, error);
    sfu_tensor_destroy(part);
    if (!ok)
        sfu_net_drop(&y);
    return y;
}

/* One half of the channels of y [1, h, w, features], from qkv [1, h, w, 3 * features], in windows of wh x ww. */
static gboolean attend_half(const SfuNet *net, const Block *b, SfuTensor *y, const SfuTensor *qkv, int half, int wh,
                            int ww, GError **error)
{
    const int h = y->h, w = y->w, c = y->c / 2, t = wh * ww, rows = h / wh, cols = w / ww, n_heads = b->n_heads / 2;
    const int into[] = {rows, wh, cols, ww, 3 * c}, outof[] = {rows, cols, wh, ww, c}, perm[] = {0, 2, 1, 3, 4};
    SfuTensor *x = half_of(net, qkv, half, error), *rolled = NULL, *win = NULL, *o = NULL, *flat = NULL, *bias = NULL;
    gboolean ok = x != NULL;
    if (ok && b->shifted)
        ok = (rolled = sfu_net_like(net, x, 3 * c, error)) && sfu_roll(net->q, rolled, x, -(wh / 2), -(ww / 2), error);
    ok = ok && (win = sfu_tensor_create(net->q, net->dtype, rows * cols, 1, t, 3 * c, error)) &&
         sfu_permute(net->q, win, rolled ? rolled : x, 5, into, perm, error) && (o = sfu_net_like(net, win, c, error));
    sfu_net_drop(&x);
    sfu_net_drop(&rolled);
    for (int last = 0; ok && last < (b->shifted ? 2 : 1); last++) { /* the lowest row has a mask of its own */
        const int from = last ? rows - 1 : 0, to = b->shifted && !last ? rows - 1 : rows;
        if (from == to)
            continue;
        ok = (bias = window_bias(net, b->positions[half], n_heads, (Row){wh, ww, w, b->shifted, last}, error)) &&
             attend(net, o, win, bias, n_heads, from * cols, (to - from) * cols, error);
        sfu_net_drop(&bias);
    }
    sfu_net_drop(&win);
    ok = ok && (flat = sfu_net_like(net, y, c, error)) && sfu_permute(net->q, flat, o, 5, outof, perm, error);
    sfu_net_drop(&o);
    if (ok && b->shifted)
        ok = (rolled = sfu_net_like(net, y, c, error)) && sfu_roll(net->q, rolled, flat, wh / 2, ww / 2, error);
    ok = ok && sfu_copy_channels(net->q, y, half * c, rolled ? rolled : flat, error);
    sfu_tensor_destroy(flat);
    sfu_tensor_destroy(rolled);
    return ok;
}

/* ---- blocks ---- */

/* Sigmoid of what each channel of y, over the whole picture, has to say: [1, 1, 1, c]. */
static SfuTensor *channel_gate(const SfuNet *net, const Block *b, const SfuTensor *y, GError **error)
{
    const SfuEpilogue e1 = {.bias = b->squeeze[0].b, .act = SFU_ACT_GELU},
                      e2 = {.bias = b->squeeze[1].b, .act = SFU_ACT_SIGMOID};
    SfuTensor *gate = sfu_tensor_create(net->q, net->dtype, 1, 1, 1, y->c, error), *s = NULL;
    const gboolean ok = gate && (s = sfu_tensor_create(net->q, net->dtype, 1, 1, 1, y->c / 8, error)) &&
                        sfu_mean_hw(net->q, gate, y, error) &&
                        sfu_linear(net->q, s, gate, b->squeeze[0].w, &e1, error) &&
                        sfu_linear(net->q, gate, s, b->squeeze[1].w, &e2, error);
    sfu_tensor_destroy(s);
    if (!ok)
        sfu_net_drop(&gate);
    return gate;
}

/* The same of each pixel: [1, h, w, 1]. */
static SfuTensor *pixel_gate(const SfuNet *net, const Block *b, const SfuTensor *y, GError **error)
{
    const SfuEpilogue e1 = {.bias = b->map[0].b, .act = SFU_ACT_GELU},
                      e2 = {.bias = b->map[1].b, .act = SFU_ACT_SIGMOID};
    SfuTensor *gate = sfu_net_like(net, y, 1, error), *s = gate ? sfu_net_like(net, y, y->c / 16, error) : NULL;
    const gboolean ok =
        s && sfu_linear(net->q, s, y, b->map[0].w, &e1, error) && sfu_linear(net->q, gate, s, b->map[1].w, &e2, error);
    sfu_tensor_destroy(s);
    if (!ok)
        sfu_net_drop(&gate);
    return gate;
}

/* The convolution of the values, beside attention. */
static SfuTensor *local_values(const SfuNet *net, const Block *b, const SfuTensor *qkv, GError **error)
{
    const int f = qkv->c / 3;
    SfuTensor *v = sfu_net_like(net, qkv, f, error);
    SfuTensor *y = v && sfu_slice(net->q, v, qkv, 2 * f, error)
                       ? sfu_upscaler_depthwise(net, v, &b->local, SFU_ACT_GELU, error)
                       : NULL;
    sfu_tensor_destroy(v);
    return y;
}

/* x += proj(attention and convolution, each gated by the other): between pixels, the convolution gates channels and
 * attention pixels; between channels, the other way round. */
static gboolean add_attention(const SfuNet *net, const SfuUpscalerConfig *c, const Block *b, SfuTensor *x,
                              GError **error)
{
    const int f = c->features;
    const int *split = ((const SfuDatConfig *)c->own)->split;
    SfuTensor *n = sfu_net_like(net, x, f, error), *qkv = NULL, *local = NULL, *channels = NULL, *pixels = NULL;
    const SfuEpilogue bias = {.bias = b->qkv.b}, e = {.bias = b->proj.b, .residual = x};
    gboolean ok = n && sfu_layer_norm(net->q, n, x, b->norm1.w, b->norm1.b, EPS, error) &&
                  (qkv = sfu_net_like(net, x, 3 * f, error)) && sfu_linear(net->q, qkv, n, b->qkv.w, &bias, error) &&
                  (local = local_values(net, b, qkv, error));
    if (ok && b->temperature) {
        const SfuAttention a = {.n_heads = b->n_heads, .head_dim = f / b->n_heads, .k_col = f, .v_col = 2 * f};
        ok = sfu_channel_attention(net->q, n, qkv, b->temperature, &a, error);
    } else
        for (int half = 0; ok && half < 2; half++)
            ok = attend_half(net, b, n, qkv, half, split[half], split[!half], error);
    sfu_net_drop(&qkv);
    SfuTensor *by_channel = b->temperature ? local : n, *by_pixel = b->temperature ? n : local;
    ok = ok && (channels = channel_gate(net, b, by_pixel, error)) && (pixels = pixel_gate(net, b, by_channel, error)) &&
         sfu_mul(net->q, by_channel, by_channel, channels, error) &&
         sfu_mul(net->q, by_pixel, by_pixel, pixels, error) && sfu_axpby(net->q, n, 1, n, 1, local, error) &&
         sfu_linear(net->q, x, n, b->proj.w, &e, error);
    SfuTensor *const all[] = {n, local, channels, pixels};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
        sfu_tensor_destroy(all[i]);
    return ok;
}

/* x += fc2(a * gate(norm(b))), a and b the halves of gelu(fc1(norm2(x))). */
static gboolean add_gated(const SfuNet *net, const Block *b, SfuTensor *x, GError **error)
{
    const int hidden = (int)sfu_weight_dim(b->fc1.w, 0) / 2;
    const SfuEpilogue e1 = {.bias = b->fc1.b, .act = SFU_ACT_GELU}, e2 = {.bias = b->fc2.b, .residual = x};
    SfuTensor *n = sfu_net_like(net, x, x->c, error), *wide = NULL, *half = NULL, *gate = NULL;
    gboolean ok = n && sfu_layer_norm(net->q, n, x, b->norm2.w, b->norm2.b, EPS, error) &&
                  (wide = sfu_net_like(net, x, 2 * hidden, error)) &&
                  sfu_linear(net->q, wide, n, b->fc1.w, &e1, error) && (half = sfu_net_like(net, x, hidden, error)) &&
                  sfu_slice(net->q, half, wide, hidden, error);
    sfu_net_drop(&n);
    ok = ok && sfu_layer_norm(net->q, half, half, b->gate_norm.w, b->gate_norm.b, EPS, error) &&
         (gate = sfu_upscaler_depthwise(net, half, &b->gate, SFU_ACT_NONE, error)) &&
         sfu_slice(net->q, half, wide, 0, error) && sfu_mul(net->q, half, half, gate, error) &&
         sfu_linear(net->q, x, half, b->fc2.w, &e2, error);
    sfu_tensor_destroy(wide);
    sfu_tensor_destroy(half);
    sfu_tensor_destroy(gate);
    return ok;
}

/* x is taken. */
static SfuTensor *run_group(const SfuNet *net, const SfuUpscalerConfig *c, const Group *g, SfuTensor *x, GError **error)
{
    SfuTensor *y = sfu_net_like(net, x, x->c, error);
    gboolean ok = y && sfu_convert(net->q, y, x, error);
    for (int i = 0; ok && i < g->n_blocks; i++)
        ok = add_attention(net, c, &g->blocks[i], y, error) && add_gated(net, &g->blocks[i], y, error);
    if (!ok)
        sfu_net_drop(&y);
    SfuTensor *out = y ? sfu_trunk_conv_run(net, g->conv, y, x, error) : NULL;
    sfu_tensor_destroy(x);
    return out;
}

static SfuTensor *run(const SfuUpscalerPass *p, SfuTensor *picture, GError **error)
{
    const SfuNet *net = p->net;
    const SfuUpscalerConfig *c = p->c;
    const Dat *s = p->network;
    SfuTensor *first = NULL, *x = NULL;
    gboolean ok = (!s->in_shift || sfu_scale_channels(net->q, picture, picture, NULL, s->in_shift, error)) &&
                  (first = sfu_upscaler_conv(net, picture, &s->first, (SfuUpscalerConv){.out = c->features}, error)) &&
                  (x = sfu_net_like(net, first, c->features, error)) &&
                  sfu_layer_norm(net->q, x, first, s->first_norm.w, s->first_norm.b, EPS, error);
    for (int g = 0; ok && g < s->n_groups; g++)
        ok = (x = run_group(net, c, &s->groups[g], x, error)) &&
             sfu_upscaler_step(p, (g + 1.0) / (s->n_groups + 1), error);
    if (!ok || !sfu_layer_norm(net->q, x, x, s->norm.w, s->norm.b, EPS, error))
        sfu_net_drop(&x);
    x = x ? sfu_trunk_conv_run(net, s->after, x, first, error) : NULL;
    sfu_tensor_destroy(first);
    x = x ? sfu_upsampler_run(net, c, &s->tail, x, picture, error) : NULL;
    sfu_tensor_destroy(picture);
    if (x && s->out_shift && !sfu_scale_channels(net->q, x, x, NULL, s->out_shift, error))
        sfu_net_drop(&x);
    return x;
}

/* Attention between channels sees everything, windows mix block by block; two windows of context hide the seam. */
static int margin(const SfuUpscalerConfig *c)
{
    return MAX(SFU_WINDOWS_MARGIN_PX, 2 * c->multiple);
}

/* The trunk, a block's input, its norm, queries, keys and values, and one half of those twice; or the full resolution
 * at the end. */
static double values(const SfuUpscalerConfig *c, int w, int h)
{
    const int high = c->upsampler == SFU_UPSAMPLER_SHUFFLE_DIRECT ? 3 * c->channels : 140;
    return MAX(11 * c->features, c->features + high * c->scale * c->scale) * (double)w * h;
}

const SfuUpscalerKind sfu_dat_kind = {bind, release, run, margin, values, .sees_all = TRUE};
