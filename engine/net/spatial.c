/* Transformer blocks over a picture's pixels, as UNets have them: self-attention, cross-attention, GEGLU.
 * Rombach 2022, figure 3 and appendix. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "net/trunk.h"

#define TRANSFORMER_EPS 1e-6f
#define LAYER_NORM_EPS 1e-5f

static void bind_attention(SfuTrunk *u, SfuTrunkAttention *a, const char *block, const char *which, int c, int kv_width)
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

void sfu_spatial_bind(SfuTrunk *u, SfuSpatial *t, const char *name, int c, int n_heads, gboolean only_cross)
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
    t->n_blocks = MAX(1, sfu_model_count(net->model, net->part, block, SFU_TRUNK_LAYERS));
    t->blocks = g_new0(SfuTrunkBlock, t->n_blocks);
    for (int i = 0; i < t->n_blocks; i++) {
        SfuTrunkBlock *b = &t->blocks[i];
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

/* h += out(attention(t)); t [n, 1, tokens, c], the normed h, is overwritten; x [n, h, w, ..]: the tokens as pixels. */
static gboolean attend(const SfuTrunk *u, const SfuTrunkAttention *a, SfuTensor *h, SfuTensor *t, int n_heads,
                       const SfuTensor *x, GError **error)
{
    const SfuNet *net = &u->net;
    SfuTensor *q = sfu_net_like(net, t, (int)sfu_weight_dim(a->qkv, 0), error);
    const SfuTensor *kv = a->kv_width ? u->kv[a->slot] : q;
    const SfuAttention heads = {.n_heads = n_heads,
                                .head_dim = t->c / n_heads,
                                .k_col = a->kv_width ? 0 : t->c,
                                .v_col = a->kv_width ? t->c : 2 * t->c};
    const SfuEpilogue add = {.bias = a->out.b, .residual = h};
    gboolean ok = q && sfu_linear(net->q, q, t, a->qkv, NULL, error) &&
                  sfu_attention(net->q, t, q, kv, kv, &heads, error) &&
                  (!a->kv_width || !u->prompts.use || sfu_trunk_look(u, a->slot, t, q, &heads, x, error));
    sfu_net_drop(&q);
    return ok && sfu_linear(net->q, h, t, a->out.w, &add, error);
}

/* h += down(geglu(up(t))). Shazeer 2020. */
static gboolean feed_forward(const SfuNet *net, const SfuTrunkBlock *b, SfuTensor *h, const SfuTensor *t,
                             GError **error)
{
    SfuTensor *wide = sfu_net_like(net, t, 4 * t->c, error);
    const SfuEpilogue geglu = {.bias = b->up.b, .geglu = TRUE}, add = {.bias = b->down.b, .residual = h};
    const gboolean ok = wide && sfu_linear(net->q, wide, t, b->up.w, &geglu, error) &&
                        sfu_linear(net->q, h, wide, b->down.w, &add, error);
    sfu_tensor_destroy(wide);
    return ok;
}

gboolean sfu_spatial_run(const SfuTrunk *u, const SfuSpatial *t, const SfuFeature *f, GError **error)
{
    SfuTensor *x = f->x;
    const SfuNet *net = &u->net;
    SfuTensor *tokens = sfu_tensor_view(x, 0, x->n, 1, x->h * x->w, x->c, error), *normed = NULL, *h = NULL;
    const SfuEpilogue in = {.bias = t->proj_in.b},
                      add = {.bias = t->proj_out.b, .residual = tokens, .moments = f->moments};
    gboolean ok = tokens && (normed = sfu_net_like(net, tokens, t->c, error)) &&
                  (h = sfu_net_like(net, tokens, t->c, error)) &&
                  sfu_net_group_norm(net, normed, tokens, f->moments,
                                     (SfuGroupNorm){t->norm, t->n_groups, TRANSFORMER_EPS}, SFU_ACT_NONE, error) &&
                  sfu_linear(net->q, h, normed, t->proj_in.w, &in, error);
    for (int i = 0; ok && i < t->n_blocks; i++) {
        const SfuTrunkBlock *b = &t->blocks[i];
        ok = sfu_layer_norm(net->q, normed, h, b->norm1.w, b->norm1.b, LAYER_NORM_EPS, error) &&
             attend(u, &b->attn1, h, normed, t->n_heads, x, error) &&
             sfu_layer_norm(net->q, normed, h, b->norm2.w, b->norm2.b, LAYER_NORM_EPS, error) &&
             attend(u, &b->attn2, h, normed, t->n_heads, x, error) &&
             sfu_layer_norm(net->q, normed, h, b->norm3.w, b->norm3.b, LAYER_NORM_EPS, error) &&
             feed_forward(net, b, h, normed, error);
    }
    ok = ok && sfu_linear(net->q, tokens, h, t->proj_out.w, &add, error) && sfu_net_trace(net, x, error, "%s", t->name);
    sfu_tensor_destroy(h);
    sfu_tensor_destroy(normed);
    sfu_tensor_destroy(tokens);
    return ok;
}
