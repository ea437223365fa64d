/* ControlNet-Union: diffusers' ControlNetUnionModel. Its transformer works on two vectors a sample, so it runs on the
 * host.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/union.h"
#include <math.h>
#include <string.h>

#define N_HEADS 8
#define MOST_LAYERS 8
#define NORM_EPS 1e-5
#define QUICK 1.702 /* of quick GELU */

typedef struct {
    SfuLayer qkv; /* [3c, c], [3c] */
    SfuLayer out, norm1, norm2, up, down;
} Layer;

struct SfuUnion {
    SfuTrunk *trunk;
    int n_types, type, c; /* c: width of the transformer */
    SfuWeight *table;     /* [n_types, c] */
    Layer layers[MOST_LAYERS];
    int n_layers;
    SfuLayer project, type1, type2;
    GHashTable *values; /* SfuWeight* -> float*: on the host, as they are first needed */
};

SfuUnion *sfu_union_bind(SfuTrunk *trunk, int n_types)
{
    SfuUnion *u = g_new0(SfuUnion, 1);
    SfuNet *net = &trunk->net;
    const SfuUnetConfig *k = trunk->config;
    const int c0 = k->block_out_channels[0], wide = 4 * c0, c = MAX(1, sfu_net_dim(net, "", "task_embedding", 1));
    u->trunk = trunk;
    u->n_types = n_types;
    u->c = c;
    u->values = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    u->table = sfu_net_tensor(net, "", "task_embedding", 2, (const gint64[]){n_types, c});
    u->n_layers = CLAMP(sfu_model_count(net->model, net->part, "transformer_layes.", MOST_LAYERS), 1, MOST_LAYERS);
    for (int i = 0; i < u->n_layers; i++) {
        Layer *l = &u->layers[i];
        char name[40];
        g_snprintf(name, sizeof name, "transformer_layes.%d", i); /* spelled so in the files */
        l->qkv.w = sfu_net_tensor(net, name, "attn.in_proj_weight", 2, (const gint64[]){3 * c, c});
        l->qkv.b = sfu_net_tensor(net, name, "attn.in_proj_bias", 1, (const gint64[]){3 * c});
        l->out = sfu_net_linear(net, name, "attn.out_proj", c, c, TRUE);
        l->norm1 = sfu_net_norm(net, name, "ln_1", c);
        l->norm2 = sfu_net_norm(net, name, "ln_2", c);
        l->up = sfu_net_linear(net, name, "mlp.c_fc", 4 * c, c, TRUE);
        l->down = sfu_net_linear(net, name, "mlp.c_proj", c, 4 * c, TRUE);
    }
    u->project = sfu_net_linear(net, "", "spatial_ch_projs", c0, c, TRUE);
    u->type1 = sfu_net_linear(net, "control_add_embedding", "linear_1", wide, n_types * k->added_number_width, TRUE);
    u->type2 = sfu_net_linear(net, "control_add_embedding", "linear_2", wide, wide, TRUE);
    return u;
}

void sfu_union_free(SfuUnion *u)
{
    if (!u)
        return;
    g_hash_table_unref(u->values);
    g_free(u);
}

void sfu_union_set_type(SfuUnion *u, int type)
{
    u->type = CLAMP(type, 0, u->n_types - 1);
}

/* ---- arithmetic on the host ---- */

static const float *values_of(SfuUnion *u, SfuWeight *w)
{
    float *v = g_hash_table_lookup(u->values, w);
    if (!v) {
        v = g_new(float, sfu_weight_elements(w));
        sfu_weight_read_f32(w, 0, sfu_weight_elements(w), v);
        g_hash_table_insert(u->values, w, v);
    }
    return v;
}

/* y [n_rows, n_out] = x [n_rows, n_in] W^T + b; w [n_out, n_in]. */
static void product(SfuUnion *u, float *y, const float *x, int n_rows, const SfuLayer *l)
{
    const int n_out = (int)sfu_weight_dim(l->w, 0), n_in = (int)sfu_weight_dim(l->w, 1);
    const float *m = values_of(u, l->w), *bias = values_of(u, l->b);
    for (int r = 0; r < n_rows; r++)
        for (int o = 0; o < n_out; o++) {
            double sum = bias[o];
            for (int i = 0; i < n_in; i++)
                sum += (double)m[(gsize)o * n_in + i] * x[(gsize)r * n_in + i];
            y[(gsize)r * n_out + o] = (float)sum;
        }
}

static void layer_norm(SfuUnion *u, float *y, const float *x, int n_rows, const SfuLayer *l)
{
    const float *scale = values_of(u, l->w), *shift = values_of(u, l->b);
    const int c = u->c;
    for (int r = 0; r < n_rows; r++, x += c, y += c) {
        double mean = 0, square = 0;
        for (int i = 0; i < c; i++)
            mean += x[i] / (double)c;
        for (int i = 0; i < c; i++)
            square += (x[i] - mean) * (x[i] - mean) / c;
        for (int i = 0; i < c; i++)
            y[i] = (float)((x[i] - mean) / sqrt(square + NORM_EPS) * scale[i] + shift[i]);
    }
}

/* Attention among the samples of a batch, for each of two tokens by itself: as the network was trained, whose layer
 * takes the first dim for the sequence. qkv [n, 2, 3c] -> out [n, 2, c]. */
static void attend(const SfuUnion *u, const float *qkv, float *out, int n)
{
    const int c = u->c, d = c / N_HEADS;
    double *p = g_new(double, n);
    for (int token = 0; token < 2; token++)
        for (int h = 0; h < N_HEADS; h++)
            for (int a = 0; a < n; a++) {
                const float *q = qkv + (gsize)(a * 2 + token) * 3 * c + h * d;
                double most = -INFINITY, sum = 0;
                for (int b = 0; b < n; b++) {
                    const float *k = qkv + (gsize)(b * 2 + token) * 3 * c + c + h * d;
                    p[b] = 0;
                    for (int i = 0; i < d; i++)
                        p[b] += (double)q[i] * k[i] / sqrt(d);
                    most = MAX(most, p[b]);
                }
                for (int b = 0; b < n; b++)
                    sum += p[b] = exp(p[b] - most);
                float *o = out + (gsize)(a * 2 + token) * c + h * d;
                memset(o, 0, (gsize)d * sizeof *o);
                for (int b = 0; b < n; b++)
                    for (int i = 0; i < d; i++)
                        o[i] += (float)(p[b] / sum * qkv[(gsize)(b * 2 + token) * 3 * c + 2 * c + h * d + i]);
            }
    g_free(p);
}

static void transform(SfuUnion *u, const Layer *l, float *x, int n)
{
    const int c = u->c, rows = 2 * n;
    float *a = g_new(float, (gsize)rows * 4 * c), *b = g_new(float, (gsize)rows * 4 * c);
    layer_norm(u, a, x, rows, &l->norm1);
    product(u, b, a, rows, &l->qkv);
    attend(u, b, a, n);
    product(u, b, a, rows, &l->out);
    for (int i = 0; i < rows * c; i++)
        x[i] += b[i];
    layer_norm(u, a, x, rows, &l->norm2);
    product(u, b, a, rows, &l->up);
    for (int i = 0; i < rows * 4 * c; i++)
        b[i] = (float)(b[i] / (1 + exp(-QUICK * b[i])));
    product(u, a, b, rows, &l->down);
    for (int i = 0; i < rows * c; i++)
        x[i] += a[i];
    g_free(a);
    g_free(b);
}

/* ---- passes ---- */

gboolean sfu_union_add_type(SfuUnion *u, GError **error)
{
    SfuTrunk *t = u->trunk;
    const SfuUnetConfig *k = t->config;
    const int width = k->added_number_width, wide = 4 * k->block_out_channels[0], n_in = u->n_types * width;
    float *x = g_new(float, n_in), *h = g_new(float, wide), *y = g_new(float, wide);
    for (int i = 0; i < u->n_types; i++)
        sfu_trunk_waves(k, i == u->type, width, x + i * width);
    product(u, h, x, 1, &u->type1);
    for (int i = 0; i < wide; i++)
        h[i] = (float)(h[i] / (1 + exp(-h[i])));
    product(u, y, h, 1, &u->type2);
    const int n = t->added ? t->added->n : 1;
    float *all = g_new0(float, (gsize)n *wide);
    gboolean ok = !t->added || sfu_tensor_read(t->added, all, error);
    for (int i = 0; i < n * wide; i++)
        all[i] += y[i % wide];
    ok = ok && (t->added || (t->added = sfu_tensor_create(t->net.q, t->net.dtype, n, 1, 1, wide, error))) &&
         sfu_tensor_write(t->added, all, error);
    g_free(all);
    g_free(x);
    g_free(h);
    g_free(y);
    return ok;
}

/* out [n, c]: means over the pixels. */
static gboolean means(const SfuNet *net, const SfuTensor *x, float *out, GError **error)
{
    SfuTensor *mean = sfu_tensor_create(net->q, net->dtype, x->n, 1, 1, x->c, error);
    const gboolean ok = mean && sfu_mean_hw(net->q, mean, x, error) && sfu_tensor_read(mean, out, error);
    sfu_tensor_destroy(mean);
    return ok;
}

gboolean sfu_union_mix(SfuUnion *u, SfuTrunkState *s, const SfuTensor *hint, GError **error)
{
    const SfuNet *net = &u->trunk->net;
    SfuTensor *h = s->h.x;
    const int n = h->n, c = u->c, c0 = h->c;
    if (c != c0) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    "%s: its kinds of pictures are vectors of %d, its first layer has %d channels",
                    sfu_model_path(net->model), c, c0);
        return FALSE;
    }
    float *of_hint = g_new(float, (gsize)n *c0), *of_h = g_new(float, (gsize)n *c0),
          *x = g_new(float, (gsize)n * 2 * c);
    float *picked = g_new(float, (gsize)n *c), *moves = g_new(float, (gsize)n *c0);
    const float *table = values_of(u, u->table) + (gsize)u->type * c;
    SfuTensor *add = NULL, *wide = NULL;
    gboolean ok = means(net, hint, of_hint, error) && means(net, h, of_h, error);
    for (int i = 0; ok && i < n * c; i++) {
        x[(gsize)(i / c) * 2 * c + i % c] = of_hint[i] + table[i % c];
        x[(gsize)(i / c) * 2 * c + c + i % c] = of_h[i];
    }
    for (int i = 0; ok && i < u->n_layers; i++)
        transform(u, &u->layers[i], x, n);
    for (int i = 0; ok && i < n; i++)
        memcpy(picked + (gsize)i * c, x + (gsize)i * 2 * c, (gsize)c * sizeof *x);
    if (ok)
        product(u, moves, picked, n, &u->project);
    ok = ok && (add = sfu_tensor_create(net->q, net->dtype, n, 1, 1, c0, error)) &&
         sfu_tensor_write(add, moves, error) && (wide = sfu_net_like(net, h, c0, error)) &&
         sfu_upsample_nearest(net->q, wide, add, error) && sfu_axpby(net->q, wide, 1, wide, 1, hint, error) &&
         sfu_axpby(net->q, h, 1, h, 1, wide, error);
    sfu_net_drop(&s->h.moments);
    sfu_net_drop(&s->skips[0].moments); /* the first skip is a view of h */
    sfu_tensor_destroy(wide);
    sfu_tensor_destroy(add);
    g_free(of_hint);
    g_free(of_h);
    g_free(x);
    g_free(picked);
    g_free(moves);
    return ok;
}
