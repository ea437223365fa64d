/* The UNet of Stable Diffusion (diffusers' UNet2DConditionModel): Rombach 2022, figure 3 and appendix; transformer
 * blocks with GEGLU. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/denoiser.h"
#include "net/parts.h"
#include <math.h>

#define MAX_LAYERS 16 /* a level, as model/config.c counts them */
#define MAX_SKIPS (SFU_MAX_BLOCKS * (MAX_LAYERS + 1) + 1)
#define TRANSFORMER_EPS 1e-6f
#define LAYER_NORM_EPS 1e-5f

/* One attention. Without `kv_width` keys and values come from the tokens themselves and qkv is one product; with it
 * they come from the context, and `slot` says where the run's keys and values are kept. */
typedef struct {
    SfuWeight *qkv, *kv; /* [3c, c], or [c, c] with kv [2c, kv_width] */
    int kv_width, slot;
    SfuLayer out;
} Attention;

typedef struct {
    SfuLayer norm1, norm2, norm3;
    Attention attn1, attn2;
    SfuLayer up, down; /* feed-forward: GEGLU [8c, c], [c, 4c] */
} Block;

typedef struct {
    char name[72];
    int c, n_heads, n_groups, n_blocks;
    SfuLayer norm, proj_in, proj_out;
    Block *blocks;
} Transformer;

typedef struct {
    int n_layers, c;
    gboolean attention;
    SfuResnet resnets[MAX_LAYERS + 1];
    Transformer transformers[MAX_LAYERS + 1];
    SfuLayer sample; /* to the next level; w NULL at the end */
} Level;

struct SfuUnet {
    SfuNet net;
    const SfuUnetConfig *config;
    SfuLayer conv_in, time1, time2, norm_out, conv_out;
    SfuWeight *class_table;
    Level down[SFU_MAX_BLOCKS], up[SFU_MAX_BLOCKS];
    SfuResnet mid1, mid2;
    Transformer mid_transformer;
    gboolean has_mid2;
    GPtrArray *contexts; /* Attention*, borrowed, in slot order */
    SfuTensor **kv;      /* [contexts->len]: [n or 1, 1, t, 2c] each, NULL before the context is set */
};

/* ---- binding ---- */

static void bind_attention(SfuUnet *u, Attention *a, const char *block, const char *which, int c, int kv_width)
{
    char name[128];
    SfuNet *net = &u->net;
    g_snprintf(name, sizeof name, "%s.%s", block, which);
    a->kv_width = kv_width;
    SfuWeight *p[3] = {sfu_net_linear(net, name, "to_q", c, c, FALSE).w,
                       sfu_net_linear(net, name, "to_k", c, kv_width ? kv_width : c, FALSE).w,
                       sfu_net_linear(net, name, "to_v", c, kv_width ? kv_width : c, FALSE).w};
    a->out = sfu_net_linear(net, name, "to_out.0", c, c, TRUE);
    if (!kv_width) {
        a->qkv = sfu_net_stack(net, p, 3);
        return;
    }
    a->qkv = p[0];
    a->kv = sfu_net_stack(net, p + 1, 2);
    a->slot = (int)u->contexts->len;
    g_ptr_array_add(u->contexts, a);
}

/* The x4 upscaler's outer levels have no self-attention: there attn1 reads the context too (only_cross). */
static void bind_transformer(SfuUnet *u, Transformer *t, const char *name, int c, int n_heads, gboolean only_cross)
{
    SfuNet *net = &u->net;
    char block[112];
    g_strlcpy(t->name, name, sizeof t->name);
    t->c = c;
    t->n_heads = n_heads;
    t->n_groups = u->config->norm_num_groups;
    t->norm = sfu_net_norm(net, name, "norm", c);
    t->proj_in = sfu_net_linear(net, name, "proj_in", c, c, TRUE);
    t->proj_out = sfu_net_linear(net, name, "proj_out", c, c, TRUE);
    g_snprintf(block, sizeof block, "%s.transformer_blocks.", name);
    t->n_blocks = MAX(1, sfu_model_count(net->model, net->part, block, MAX_LAYERS));
    t->blocks = g_new0(Block, t->n_blocks);
    for (int i = 0; i < t->n_blocks; i++) {
        Block *b = &t->blocks[i];
        g_snprintf(block, sizeof block, "%s.transformer_blocks.%d", name, i);
        b->norm1 = sfu_net_norm(net, block, "norm1", c);
        bind_attention(u, &b->attn1, block, "attn1", c, only_cross ? u->config->cross_attention_dim : 0);
        b->norm2 = sfu_net_norm(net, block, "norm2", c);
        bind_attention(u, &b->attn2, block, "attn2", c, u->config->cross_attention_dim);
        b->norm3 = sfu_net_norm(net, block, "norm3", c);
        b->up = sfu_net_linear(net, block, "ff.net.0.proj", 8 * c, c, TRUE);
        b->down = sfu_net_linear(net, block, "ff.net.2", c, 4 * c, TRUE);
    }
}

static void bind_down(SfuUnet *u, int i)
{
    const SfuUnetConfig *k = u->config;
    Level *l = &u->down[i];
    char name[72];
    l->n_layers = k->layers_per_block;
    l->c = k->block_out_channels[i];
    l->attention = k->cross_attention[i];
    for (int j = 0; j < l->n_layers; j++) {
        const int c_in = j ? l->c : k->block_out_channels[MAX(i - 1, 0)];
        g_snprintf(name, sizeof name, "down_blocks.%d.resnets.%d", i, j);
        sfu_resnet_bind(&u->net, &l->resnets[j], name, c_in, l->c, 4 * k->block_out_channels[0], k->norm_num_groups,
                        k->norm_eps);
        g_snprintf(name, sizeof name, "down_blocks.%d.attentions.%d", i, j);
        if (l->attention)
            bind_transformer(u, &l->transformers[j], name, l->c, k->n_heads[i], k->only_cross[i]);
    }
    g_snprintf(name, sizeof name, "down_blocks.%d.downsamplers.0", i);
    if (i + 1 < k->n_blocks)
        l->sample = sfu_net_conv(&u->net, name, "conv", l->c, l->c, 3, TRUE);
}

/* Level i on the way up mirrors level n - 1 - i on the way down; each layer also takes one output of the way down, the
 * last one that of the level before it (or conv_in's). */
static void bind_up(SfuUnet *u, int i)
{
    const SfuUnetConfig *k = u->config;
    const int level = k->n_blocks - 1 - i;
    Level *l = &u->up[i];
    char name[72];
    l->n_layers = k->layers_per_block + 1;
    l->c = k->block_out_channels[level];
    l->attention = k->cross_attention[level];
    for (int j = 0; j < l->n_layers; j++) {
        const int skip = j == l->n_layers - 1 ? k->block_out_channels[MAX(level - 1, 0)] : l->c;
        const int c_in = j ? l->c : k->block_out_channels[MIN(level + 1, k->n_blocks - 1)];
        g_snprintf(name, sizeof name, "up_blocks.%d.resnets.%d", i, j);
        sfu_resnet_bind(&u->net, &l->resnets[j], name, c_in + skip, l->c, 4 * k->block_out_channels[0],
                        k->norm_num_groups, k->norm_eps);
        g_snprintf(name, sizeof name, "up_blocks.%d.attentions.%d", i, j);
        if (l->attention)
            bind_transformer(u, &l->transformers[j], name, l->c, k->n_heads[level], k->only_cross[level]);
    }
    g_snprintf(name, sizeof name, "up_blocks.%d.upsamplers.0", i);
    if (level)
        l->sample = sfu_net_conv(&u->net, name, "conv", l->c, l->c, 3, TRUE);
}

static SfuUnet *unet_bound(SfuQueue *q, SfuModel *model)
{
    SfuUnet *u = g_new0(SfuUnet, 1);
    const SfuUnetConfig *k = u->config = sfu_model_unet(model);
    SfuNet *net = &u->net;
    const int c0 = k->block_out_channels[0], c_mid = k->block_out_channels[MAX(k->n_blocks - 1, 0)];
    sfu_net_init(net, q, model, SFU_PART_UNET);
    u->contexts = g_ptr_array_new();
    u->conv_in = sfu_net_conv(net, "", "conv_in", c0, k->in_channels, 3, TRUE);
    u->time1 = sfu_net_linear(net, "time_embedding", "linear_1", 4 * c0, c0, TRUE);
    u->time2 = sfu_net_linear(net, "time_embedding", "linear_2", 4 * c0, 4 * c0, TRUE);
    if (k->num_class_embeds)
        u->class_table = sfu_net_table(net, "", "class_embedding", k->num_class_embeds, 4 * c0);
    for (int i = 0; i < k->n_blocks; i++)
        bind_down(u, i);
    sfu_resnet_bind(net, &u->mid1, "mid_block.resnets.0", c_mid, c_mid, 4 * c0, k->norm_num_groups, k->norm_eps);
    if (k->mid_attention)
        bind_transformer(u, &u->mid_transformer, "mid_block.attentions.0", c_mid, k->n_heads[MAX(k->n_blocks - 1, 0)],
                         FALSE);
    /* Without attention the middle may be a single resnet. */
    u->has_mid2 = k->mid_attention || sfu_model_count(model, SFU_PART_UNET, "mid_block.resnets.", 2) > 1;
    if (u->has_mid2)
        sfu_resnet_bind(net, &u->mid2, "mid_block.resnets.1", c_mid, c_mid, 4 * c0, k->norm_num_groups, k->norm_eps);
    for (int i = 0; i < k->n_blocks; i++)
        bind_up(u, i);
    u->norm_out = sfu_net_norm(net, "", "conv_norm_out", c0);
    u->conv_out = sfu_net_conv(net, "", "conv_out", k->out_channels, c0, 3, TRUE);
    u->kv = g_new0(SfuTensor *, u->contexts->len);
    return u;
}

SfuUnet *sfu_unet_create(SfuQueue *q, SfuModel *model, GError **error)
{
    if (!sfu_model_has_part(model, SFU_PART_UNET)) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, "%s has no UNet", sfu_model_path(model));
        return NULL;
    }
    SfuUnet *u = unet_bound(q, model);
    if (sfu_net_check(&u->net, error))
        return u;
    sfu_unet_destroy(u);
    return NULL;
}

void sfu_unet_expect(SfuModel *model)
{
    SfuUnet *u = unet_bound(NULL, model);
    sfu_net_note(&u->net);
    sfu_unet_destroy(u);
}

static void drop_context(SfuUnet *u)
{
    for (guint i = 0; u->kv && i < u->contexts->len; i++)
        sfu_net_drop(&u->kv[i]);
}

void sfu_unet_destroy(SfuUnet *u)
{
    if (!u)
        return;
    drop_context(u);
    g_free(u->kv);
    g_ptr_array_unref(u->contexts);
    for (int i = 0; i < SFU_MAX_BLOCKS; i++)
        for (int j = 0; j <= MAX_LAYERS; j++) {
            g_free(u->down[i].transformers[j].blocks);
            g_free(u->up[i].transformers[j].blocks);
        }
    g_free(u->mid_transformer.blocks);
    sfu_net_finish(&u->net);
    g_free(u);
}

void sfu_unet_set_trace(SfuUnet *u, const SfuTrace *trace)
{
    sfu_net_set_trace(&u->net, trace);
}

void sfu_unet_unload(SfuUnet *u)
{
    drop_context(u);
    sfu_net_unload(&u->net);
}

/* ---- passes ---- */

gboolean sfu_unet_set_context(SfuUnet *u, const SfuTensor *context, GError **error)
{
    SfuTensor *x = NULL;
    gboolean ok = FALSE;
    drop_context(u);
    if (!u->contexts->len)
        return TRUE;
    if (context->h != 1 || context->c != u->config->cross_attention_dim) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    "the context has tokens of %d values, the UNet of %s wants %d", context->c,
                    sfu_model_path(u->net.model), u->config->cross_attention_dim);
        return FALSE;
    }
    if (!(x = sfu_net_input(&u->net, context, error)))
        return FALSE;
    for (guint i = 0; i < u->contexts->len; i++) {
        const Attention *a = g_ptr_array_index(u->contexts, i);
        if (!(u->kv[i] = sfu_net_like(&u->net, x, (int)sfu_weight_dim(a->kv, 0), error)) ||
            !sfu_linear(u->net.q, u->kv[i], x, a->kv, NULL, error))
            goto out;
    }
    ok = TRUE;
out:
    sfu_tensor_destroy(x);
    if (!ok)
        drop_context(u);
    return ok;
}

/* h += out(attention(t)); t [n, 1, tokens, c], the normed h, is overwritten. */
static gboolean attend(const SfuUnet *u, const Attention *a, SfuTensor *h, SfuTensor *t, int n_heads, GError **error)
{
    const SfuNet *net = &u->net;
    SfuTensor *q = sfu_net_like(net, t, (int)sfu_weight_dim(a->qkv, 0), error);
    const SfuTensor *kv = a->kv_width ? u->kv[a->slot] : q;
    const SfuAttention heads = {.n_heads = n_heads,
                                .head_dim = t->c / n_heads,
                                .k_col = a->kv_width ? 0 : t->c,
                                .v_col = a->kv_width ? t->c : 2 * t->c};
    const SfuEpilogue add = {.bias = a->out.b, .residual = h};
    gboolean ok =
        q && sfu_linear(net->q, q, t, a->qkv, NULL, error) && sfu_attention(net->q, t, q, kv, kv, &heads, error);
    sfu_net_drop(&q);
    return ok && sfu_linear(net->q, h, t, a->out.w, &add, error);
}

/* h += down(geglu(up(t))). Shazeer 2020. */
static gboolean feed_forward(const SfuNet *net, const Block *b, SfuTensor *h, const SfuTensor *t, GError **error)
{
    SfuTensor *wide = sfu_net_like(net, t, 4 * t->c, error);
    const SfuEpilogue geglu = {.bias = b->up.b, .geglu = TRUE}, add = {.bias = b->down.b, .residual = h};
    const gboolean ok = wide && sfu_linear(net->q, wide, t, b->up.w, &geglu, error) &&
                        sfu_linear(net->q, h, wide, b->down.w, &add, error);
    sfu_tensor_destroy(wide);
    return ok;
}

/* x [n, h, w, c] and its moments (or NULL), changed in place: x += proj_out(blocks(proj_in(norm(x)))), pixels as
 * tokens. */
static gboolean transform(const SfuUnet *u, const Transformer *t, SfuTensor *x, SfuTensor *moments, GError **error)
{
    const SfuNet *net = &u->net;
    SfuTensor *tokens = sfu_tensor_view(x, 0, x->n, 1, x->h * x->w, x->c, error), *normed = NULL, *h = NULL;
    const SfuEpilogue in = {.bias = t->proj_in.b},
                      add = {.bias = t->proj_out.b, .residual = tokens, .moments = moments};
    gboolean ok =
        tokens && (normed = sfu_net_like(net, tokens, t->c, error)) && (h = sfu_net_like(net, tokens, t->c, error)) &&
        sfu_net_group_norm(net, normed, tokens, moments, &t->norm, t->n_groups, TRANSFORMER_EPS, SFU_ACT_NONE, error) &&
        sfu_linear(net->q, h, normed, t->proj_in.w, &in, error);
    for (int i = 0; ok && i < t->n_blocks; i++) {
        const Block *b = &t->blocks[i];
        ok = sfu_layer_norm(net->q, normed, h, b->norm1.w, b->norm1.b, LAYER_NORM_EPS, error) &&
             attend(u, &b->attn1, h, normed, t->n_heads, error) &&
             sfu_layer_norm(net->q, normed, h, b->norm2.w, b->norm2.b, LAYER_NORM_EPS, error) &&
             attend(u, &b->attn2, h, normed, t->n_heads, error) &&
             sfu_layer_norm(net->q, normed, h, b->norm3.w, b->norm3.b, LAYER_NORM_EPS, error) &&
             feed_forward(net, b, h, normed, error);
    }
    ok = ok && sfu_linear(net->q, tokens, h, t->proj_out.w, &add, error) && sfu_net_trace(net, x, error, "%s", t->name);
    sfu_tensor_destroy(h);
    sfu_tensor_destroy(normed);
    sfu_tensor_destroy(tokens);
    return ok;
}

/* silu(linear_2(silu(linear_1(sinusoids(timestep)))) + class): what every resnet takes. [n, 1, 1, 4 c0]. Ho 2020,
 * appendix B. */
static SfuTensor *embed_time(const SfuUnet *u, const float *timesteps, const int *labels, int n, GError **error)
{
    const SfuUnetConfig *k = u->config;
    const SfuNet *net = &u->net;
    const int c0 = k->block_out_channels[0], half = c0 / 2, wide = 4 * c0;
    float *host = g_new0(float, (gsize)n *wide);
    SfuTensor *waves = NULL, *h = NULL, *class = NULL, *out = NULL;
    for (int s = 0; s < n; s++)
        for (int i = 0; i < half; i++) {
            const double angle = timesteps[s] * exp(-log(10000.0) * i / (half - k->freq_shift));
            host[s * c0 + (k->flip_sin_to_cos ? half : 0) + i] = (float)sin(angle);
            host[s * c0 + (k->flip_sin_to_cos ? 0 : half) + i] = (float)cos(angle);
        }
    waves = sfu_net_rows(net, host, n, 1, c0, error);
    if (!waves)
        goto out;
    if (u->class_table) {
        for (int s = 0; s < n; s++)
            sfu_weight_read_f32(u->class_table, (gint64)labels[s] * wide, wide, host + (gsize)s * wide);
        if (!(class = sfu_net_rows(net, host, n, 1, wide, error)))
            goto out;
    }
    const SfuEpilogue first = {.bias = u->time1.b, .act = SFU_ACT_SILU},
                      second = {.bias = u->time2.b, .chan = class, .act = SFU_ACT_SILU};
    if ((h = sfu_net_like(net, waves, wide, error)) && sfu_linear(net->q, h, waves, u->time1.w, &first, error) &&
        (out = sfu_net_like(net, waves, wide, error)) && !sfu_linear(net->q, out, h, u->time2.w, &second, error))
        sfu_net_drop(&out);
out:
    sfu_tensor_destroy(waves);
    sfu_tensor_destroy(class);
    sfu_tensor_destroy(h);
    g_free(host);
    return out;
}

/* [a | b] along the channels; both are taken. */
static SfuTensor *join(const SfuNet *net, SfuTensor *a, SfuTensor *b, GError **error)
{
    SfuTensor *y = sfu_tensor_create(net->q, a->dtype, a->n, a->h, a->w, a->c + b->c, error);
    if (y && !sfu_concat(net->q, y, (const SfuTensor *const[]){a, b}, 2, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(a);
    sfu_tensor_destroy(b);
    return y;
}

/* *h becomes [*h | skip], and *moments those of that, or NULL if they are not known of both. The skip's are taken. */
static gboolean join_skip(const SfuNet *net, SfuTensor **h, SfuTensor **moments, SfuTensor *skip,
                          SfuTensor *skip_moments, GError **error)
{
    *h = join(net, *h, skip, error);
    if (*moments && skip_moments)
        return (*moments = join(net, *moments, skip_moments, *h ? error : NULL)) && *h;
    sfu_tensor_destroy(skip_moments);
    sfu_net_drop(moments);
    return *h != NULL;
}

static gboolean check_inputs(const SfuUnet *u, const SfuTensor *x, const int *labels, GError **error)
{
    const SfuUnetConfig *k = u->config;
    const char *path = sfu_model_path(u->net.model);
    if (x->c != k->in_channels) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE, "the UNet of %s takes %d channels, was given %d",
                    path, k->in_channels, x->c);
        return FALSE;
    }
    if (u->contexts->len && (!u->kv[0] || (u->kv[0]->n != 1 && u->kv[0]->n != x->n))) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    "the UNet of %s has context for %d samples, was given %d", path, u->kv[0] ? u->kv[0]->n : 0, x->n);
        return FALSE;
    }
    for (int s = 0; k->num_class_embeds && s < x->n; s++)
        if (!labels || labels[s] < 0 || labels[s] >= k->num_class_embeds) {
            g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                        "the UNet of %s needs class labels from 0 to %d", path, k->num_class_embeds - 1);
            return FALSE;
        }
    return TRUE;
}

/* The values in *deep take the place of h, or are kept from it: in either case by another handle. */
static gboolean keep_or_take(SfuTensor **deep, SfuTensor **h, GError **error)
{
    const SfuTensor *from = *deep ? *deep : *h;
    SfuTensor *view = sfu_tensor_view(from, 0, from->n, from->h, from->w, from->c, error);
    if (*deep)
        sfu_tensor_destroy(*h);
    *(*deep ? h : deep) = view;
    return view != NULL;
}

/* A view of h, and one of its moments, if it has any. */
static gboolean keep(const SfuTensor *h, const SfuTensor *moments, SfuTensor **skip, SfuTensor **skip_moments,
                     int *n_skips, GError **error)
{
    *skip_moments = NULL;
    if (!(*skip = sfu_tensor_view(h, 0, h->n, h->h, h->w, h->c, error)))
        return FALSE;
    ++*n_skips;
    return !moments ||
           (*skip_moments = sfu_tensor_view(moments, 0, moments->n, moments->h, moments->w, moments->c, error));
}

static gboolean fits(const SfuUnet *u, const SfuTensor *deep, const SfuTensor *x, GError **error)
{
    const Level *l = &u->up[u->config->n_blocks - 1];
    const int c = l->resnets[l->n_layers - 1].c_in - u->config->block_out_channels[0];
    if (deep->n == x->n && deep->h == x->h && deep->w == x->w && deep->c == c && deep->dtype == u->net.dtype)
        return TRUE;
    g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                "deep features of %d x %d x %d x %d do not fit a pass over %d x %d x %d", deep->n, deep->h, deep->w,
                deep->c, x->n, x->h, x->w);
    return FALSE;
}

gboolean sfu_unet_forward(SfuUnet *u, SfuTensor **out, const SfuTensor *x, const float *timesteps,
                          const int *class_labels, GError **error)
{
    return sfu_unet_forward_cached(u, out, x, timesteps, class_labels, NULL, error);
}

gboolean sfu_unet_forward_cached(SfuUnet *u, SfuTensor **out, const SfuTensor *x, const float *timesteps,
                                 const int *class_labels, SfuTensor **deep, GError **error)
{
    const SfuUnetConfig *k = u->config;
    const SfuNet *net = &u->net;
    const SfuConv same = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1},
                  half = {.stride = 2, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    SfuTensor *skips[MAX_SKIPS], *skip_moments[MAX_SKIPS], *h = NULL, *moments = NULL, *time = NULL, *in = NULL,
                                                           *y = NULL;
    const gboolean shallow = deep && *deep;
    int n_skips = 0;
    gboolean ok = FALSE;
    *out = NULL;
    if (!check_inputs(u, x, class_labels, error) || (shallow && !fits(u, *deep, x, error)) ||
        !(time = embed_time(u, timesteps, class_labels, x->n, error)))
        return FALSE;

/* Each output of the way down is kept for the way up, with its moments; h stays a second handle to the same values. */
#define KEEP(h) keep(h, moments, &skips[n_skips], &skip_moments[n_skips], &n_skips, error)
    SfuEpilogue in_epilogue = {.bias = u->conv_in.b};
    if (!(in = sfu_net_input(net, x, error)) || !(h = sfu_net_like(net, in, k->block_out_channels[0], error)) ||
        !sfu_net_moments(net, &moments, h, error))
        goto out;
    in_epilogue.moments = moments;
    if (!sfu_conv2d(net->q, h, in, u->conv_in.w, &same, &in_epilogue, error) ||
        !sfu_net_trace(net, h, error, "conv_in") || !KEEP(h))
        goto out;
    sfu_net_drop(&in);

    for (int i = 0; i < k->n_blocks && !shallow; i++) {
        const Level *l = &u->down[i];
        for (int j = 0; j < l->n_layers; j++)
            if (!(h = sfu_resnet_run(net, &l->resnets[j], h, &moments, TRUE, time, error)) ||
                (l->attention && !transform(u, &l->transformers[j], h, moments, error)) || !KEEP(h))
                goto out;
        if (!l->sample.w)
            continue;
        SfuEpilogue bias = {.bias = l->sample.b};
        sfu_net_drop(&moments);
        if (!(y = sfu_tensor_create(net->q, net->dtype, h->n, (h->h + 1) / 2, (h->w + 1) / 2, l->c, error)) ||
            !sfu_net_moments(net, &moments, y, error))
            goto out;
        bias.moments = moments;
        if (!sfu_conv2d(net->q, y, h, l->sample.w, &half, &bias, error) ||
            !sfu_net_trace(net, y, error, "down_blocks.%d.downsamplers.0", i))
            goto out;
        sfu_tensor_destroy(h);
        h = g_steal_pointer(&y);
        if (!KEEP(h))
            goto out;
    }

    if (!shallow && (!(h = sfu_resnet_run(net, &u->mid1, h, &moments, TRUE, time, error)) ||
                     (k->mid_attention && !transform(u, &u->mid_transformer, h, moments, error)) ||
                     (u->has_mid2 && !(h = sfu_resnet_run(net, &u->mid2, h, &moments, FALSE, time, error)))))
        goto out;

    for (int i = shallow ? k->n_blocks - 1 : 0; i < k->n_blocks; i++) {
        const Level *l = &u->up[i];
        for (int j = shallow ? l->n_layers - 1 : 0; j < l->n_layers; j++) {
            if (shallow)
                sfu_net_drop(&moments); /* they are not of what is taken */
            if (deep && i == k->n_blocks - 1 && j == l->n_layers - 1 && !keep_or_take(deep, &h, error))
                goto out;
            n_skips--;
            if (!join_skip(net, &h, &moments, skips[n_skips], skip_moments[n_skips], error) ||
                !(h = sfu_resnet_run(net, &l->resnets[j], h, &moments, FALSE, time, error)) ||
                (l->attention && !transform(u, &l->transformers[j], h, moments, error)))
                goto out;
        }
        if (l->sample.w)
            sfu_net_drop(&moments);
        if (l->sample.w && (!(h = sfu_upsample_run(net, &l->sample, h, skips[n_skips - 1]->h, skips[n_skips - 1]->w,
                                                   &moments, error)) ||
                            !sfu_net_trace(net, h, error, "up_blocks.%d.upsamplers.0", i)))
            goto out;
    }

    const SfuEpilogue bias_out = {.bias = u->conv_out.b};
    ok = sfu_net_group_norm(net, h, h, moments, &u->norm_out, k->norm_num_groups, k->norm_eps, SFU_ACT_SILU, error) &&
         (y = sfu_net_like(net, h, k->out_channels, error)) &&
         sfu_conv2d(net->q, y, h, u->conv_out.w, &same, &bias_out, error) && sfu_net_trace(net, y, error, "conv_out");
    if (ok)
        *out = g_steal_pointer(&y);
#undef KEEP
out:
    while (n_skips) {
        sfu_tensor_destroy(skip_moments[--n_skips]);
        sfu_tensor_destroy(skips[n_skips]);
    }
    sfu_tensor_destroy(moments);
    sfu_tensor_destroy(in);
    sfu_tensor_destroy(h);
    sfu_tensor_destroy(y);
    sfu_tensor_destroy(time);
    return ok;
}

/* ---- as a denoiser ---- */

static void denoiser_destroy(gpointer net)
{
    sfu_unet_destroy(net);
}
static void denoiser_set_trace(gpointer net, const SfuTrace *trace)
{
    sfu_unet_set_trace(net, trace);
}

static gboolean denoiser_set_condition(gpointer net, const SfuCondition *condition, GError **error)
{
    return sfu_unet_set_context(net, condition->tokens, error);
}

static gboolean denoiser_forward(gpointer net, SfuTensor **out, const SfuDenoiserInput *in, GError **error)
{
    return sfu_unet_forward_cached(net, out, in->x, in->timesteps, in->class_labels, in->deep, error);
}

static const SfuDenoiserClass unet_class = {denoiser_destroy, denoiser_set_trace, denoiser_set_condition,
                                            denoiser_forward};

SfuDenoiser *sfu_unet_denoiser(SfuQueue *q, SfuModel *model, GError **error)
{
    SfuUnet *u = sfu_unet_create(q, model, error);
    if (!u)
        return NULL;
    const SfuDenoiser d = {&unet_class, u, u->config->in_channels, u->config->out_channels,
                           u->config->num_class_embeds};
    return g_memdup2(&d, sizeof d);
}
