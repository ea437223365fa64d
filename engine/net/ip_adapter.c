/* IP-Adapters: a picture's tokens, keys and values.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/ip_adapter.h"
#include "net/parts.h"

#define EPS 1e-5f

typedef struct {
    SfuLayer norm1, norm2, norm3, fc1, fc2;
    SfuWeight *q, *kv, *out;
} Layer; /* of the resampler: Alayrac 2022 ("Flamingo"), section 3.1 */

struct SfuIpAdapter {
    SfuNet net;
    const SfuImagePromptConfig *config;
    SfuLayer in, out, norm; /* plain: out; plus: in and out; full: in and out, with GELU between */
    SfuWeight *latents;
    Layer *layers;
    int inner; /* of the resampler */
    GHashTable *kv;
};

/* ---- binding ---- */

static void bind_block(SfuNet *net, Layer *l, int i, int inner, int heads)
{
    char name[48];
    g_snprintf(name, sizeof name, "image_proj.layers.%d", i);
    const int wide = heads * 64, fc = sfu_net_dim(net, name, "fc1.weight", 0);
    l->norm1 = sfu_net_norm(net, name, "norm1", inner);
    l->norm2 = sfu_net_norm(net, name, "norm2", inner);
    l->q = sfu_net_linear(net, name, "to_q", wide, inner, FALSE).w;
    if (sfu_net_has(net, name, "to_k.weight")) {
        SfuWeight *const pair[] = {sfu_net_linear(net, name, "to_k", wide, inner, FALSE).w,
                                   sfu_net_linear(net, name, "to_v", wide, inner, FALSE).w};
        l->kv = sfu_net_stack(net, pair, 2);
    } else {
        l->kv = sfu_net_linear(net, name, "to_kv", 2 * wide, inner, FALSE).w;
    }
    l->out = sfu_net_linear(net, name, "to_out", inner, wide, FALSE).w;
    l->norm3 = sfu_net_norm(net, name, "norm3", inner);
    l->fc1 = sfu_net_linear(net, name, "fc1", MAX(fc, 1), inner, FALSE);
    l->fc2 = sfu_net_linear(net, name, "fc2", inner, MAX(fc, 1), FALSE);
}

static SfuIpAdapter *adapter_bound(SfuQueue *q, SfuModel *model)
{
    SfuIpAdapter *a = g_new0(SfuIpAdapter, 1);
    const SfuImagePromptConfig *k = a->config = sfu_model_image_prompt(model);
    SfuNet *net = &a->net;
    sfu_net_init(net, q, model, SFU_PART_IMAGE_PROMPT);
    a->kv = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    a->norm = sfu_net_norm(net, "image_proj", "norm", k->token_width);
    if (k->kind == SFU_IMAGE_PROMPT_PLAIN) {
        a->out = sfu_net_linear(net, "image_proj", "proj", k->n_tokens * k->token_width, k->image_width, TRUE);
        return a;
    }
    a->inner = k->kind == SFU_IMAGE_PROMPT_FULL ? sfu_net_dim(net, "image_proj", "proj_in.weight", 0)
                                                : sfu_net_dim(net, "image_proj", "latents", 2);
    a->inner = MAX(a->inner, 1);
    a->in = sfu_net_linear(net, "image_proj", "proj_in", a->inner, k->image_width, TRUE);
    a->out = sfu_net_linear(net, "image_proj", "proj_out", k->token_width, a->inner, TRUE);
    if (k->kind == SFU_IMAGE_PROMPT_FULL)
        return a;
    a->latents = sfu_net_tensor(net, "image_proj", "latents", 3, (const gint64[]){1, k->queries, a->inner});
    a->layers = g_new0(Layer, k->layers);
    for (int i = 0; i < k->layers; i++)
        bind_block(net, &a->layers[i], i, a->inner, k->heads);
    return a;
}

static void add_places(GPtrArray *all, const SfuModel *m, const char *block, int n_layers)
{
    char prefix[112];
    for (int j = 0; j < n_layers; j++) {
        g_snprintf(prefix, sizeof prefix, "%s.attentions.%d.transformer_blocks.", block, j);
        const int n = sfu_model_count(m, SFU_PART_UNET, prefix, 64);
        for (int i = 0; i < n; i++)
            g_ptr_array_add(all, g_strdup_printf("%s%d.attn2", prefix, i));
    }
}

GPtrArray *sfu_ip_adapter_places(const SfuModel *m)
{
    const SfuUnetConfig *k = sfu_model_unet(m);
    GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
    char block[32];
    for (int i = 0; i < k->n_blocks; i++) {
        g_snprintf(block, sizeof block, "down_blocks.%d", i);
        add_places(all, m, block, k->layers_per_block);
    }
    for (int i = 0; i < k->n_blocks; i++) {
        g_snprintf(block, sizeof block, "up_blocks.%d", i);
        add_places(all, m, block, k->layers_per_block + 1);
    }
    add_places(all, m, "mid_block", 1);
    return all;
}

static int width_at(const SfuModel *unet, const char *place)
{
    char *name = g_strconcat(place, ".to_q.weight", NULL);
    SfuWeight *w = sfu_model_find((SfuModel *)unet, SFU_PART_UNET, name);
    g_free(name);
    return w ? (int)sfu_weight_dim(w, 0) : 0;
}

static void bind_keys(SfuIpAdapter *a, const SfuModel *unet)
{
    const SfuImagePromptConfig *k = a->config;
    GPtrArray *places = sfu_ip_adapter_places(unet);
    for (guint i = 0; i < places->len; i++) {
        const char *place = places->pdata[i];
        char number[24];
        g_snprintf(number, sizeof number, "attentions.%u", i);
        const char *name = k->by_name ? place : number;
        const int c = width_at(unet, place);
        SfuWeight *const pair[] = {sfu_net_linear(&a->net, name, "to_k_ip", c, k->token_width, FALSE).w,
                                   sfu_net_linear(&a->net, name, "to_v_ip", c, k->token_width, FALSE).w};
        SfuWeight *kv = sfu_net_stack(&a->net, pair, 2);
        if (kv)
            g_hash_table_insert(a->kv, g_strdup(place), kv);
    }
    g_ptr_array_unref(places);
}

SfuIpAdapter *sfu_ip_adapter_create(SfuQueue *q, SfuModel *model, const SfuModel *unet, GError **error)
{
    SfuIpAdapter *a = adapter_bound(q, model);
    bind_keys(a, unet);
    if (sfu_net_check(&a->net, error))
        return a;
    sfu_ip_adapter_destroy(a);
    return NULL;
}

static void add_bound(const char *name, const SfuFileTensor *t, gpointer bound)
{
    if (!g_str_has_prefix(name, "image_proj."))
        g_hash_table_add(bound, g_strdup(name));
}

void sfu_ip_adapter_expect(SfuModel *model)
{
    SfuIpAdapter *a = adapter_bound(NULL, model);
    sfu_model_each(model, SFU_PART_IMAGE_PROMPT, add_bound, a->net.bound);
    sfu_net_note(&a->net);
    sfu_ip_adapter_destroy(a);
}

void sfu_ip_adapter_destroy(SfuIpAdapter *a)
{
    if (!a)
        return;
    g_hash_table_unref(a->kv);
    g_free(a->layers);
    sfu_net_finish(&a->net);
    g_free(a);
}

GHashTable *sfu_ip_adapter_kv(const SfuIpAdapter *a)
{
    return a->kv;
}

/* ---- passes ---- */

/* y = W x + bias, through act: [.., out]. */
static SfuTensor *linear(const SfuNet *net, const SfuTensor *x, const SfuLayer *l, SfuAct act, GError **error)
{
    const SfuEpilogue e = {.bias = l->b, .act = act};
    SfuTensor *y = sfu_net_like(net, x, (int)sfu_weight_dim(l->w, 0), error);
    if (y && !sfu_linear(net->q, y, x, l->w, &e, error))
        sfu_net_drop(&y);
    return y;
}

/* The queries attend to the picture and to themselves, which are side by side: latents += out(attention). scratch is
 * like them; both [1, 1, t + queries, inner] is for the two. */
static gboolean look(const SfuIpAdapter *a, const Layer *l, SfuTensor *latents, SfuTensor *scratch, const SfuTensor *x,
                     SfuTensor *both, GError **error)
{
    const SfuNet *net = &a->net;
    const int wide = a->config->heads * 64;
    const SfuAttention heads = {.n_heads = a->config->heads, .head_dim = 64, .v_col = wide};
    const SfuEpilogue add = {.residual = latents};
    SfuTensor *first = sfu_tensor_view(both, 0, 1, 1, x->w, a->inner, error),
              *rest = first ? sfu_tensor_view(both, (gsize)x->w * (gsize)a->inner, 1, 1, latents->w, a->inner, error)
                            : NULL,
              *q = sfu_net_like(net, latents, wide, error), *kv = sfu_net_like(net, both, 2 * wide, error),
              *o = sfu_net_like(net, latents, wide, error);
    const gboolean ok =
        rest && q && kv && o && sfu_layer_norm(net->q, first, x, l->norm1.w, l->norm1.b, EPS, error) &&
        sfu_layer_norm(net->q, scratch, latents, l->norm2.w, l->norm2.b, EPS, error) &&
        sfu_convert(net->q, rest, scratch, error) && sfu_linear(net->q, q, scratch, l->q, NULL, error) &&
        sfu_linear(net->q, kv, both, l->kv, NULL, error) && sfu_attention(net->q, o, q, kv, kv, &heads, error) &&
        sfu_linear(net->q, latents, o, l->out, &add, error);
    sfu_tensor_destroy(first);
    sfu_tensor_destroy(rest);
    sfu_tensor_destroy(q);
    sfu_tensor_destroy(kv);
    sfu_tensor_destroy(o);
    return ok;
}

/* latents += fc2(gelu(fc1(norm3(latents)))) */
static gboolean think(const SfuIpAdapter *a, const Layer *l, SfuTensor *latents, SfuTensor *scratch, GError **error)
{
    const SfuNet *net = &a->net;
    const SfuEpilogue add = {.residual = latents};
    SfuTensor *wide = NULL;
    const gboolean ok = sfu_layer_norm(net->q, scratch, latents, l->norm3.w, l->norm3.b, EPS, error) &&
                        (wide = linear(net, scratch, &l->fc1, SFU_ACT_GELU, error)) &&
                        sfu_linear(net->q, latents, wide, l->fc2.w, &add, error);
    sfu_tensor_destroy(wide);
    return ok;
}

/* x [1, 1, t, inner] is taken; returns [1, 1, queries, inner]. */
static SfuTensor *resample(const SfuIpAdapter *a, SfuTensor *x, GError **error)
{
    const SfuNet *net = &a->net;
    const int n = a->config->queries;
    float *rows = g_new(float, (gsize)n *(gsize)a->inner);
    sfu_weight_read_f32(a->latents, 0, (gint64)n * a->inner, rows);
    SfuTensor *latents = sfu_net_rows(net, rows, n, n, a->inner, error),
              *scratch = latents ? sfu_net_like(net, latents, a->inner, error) : NULL,
              *both = scratch ? sfu_tensor_create(net->q, net->dtype, 1, 1, x->w + n, a->inner, error) : NULL;
    gboolean ok = both != NULL;
    for (int i = 0; ok && i < a->config->layers; i++)
        ok = look(a, &a->layers[i], latents, scratch, x, both, error) &&
             think(a, &a->layers[i], latents, scratch, error);
    if (!ok)
        sfu_net_drop(&latents);
    sfu_tensor_destroy(scratch);
    sfu_tensor_destroy(both);
    sfu_tensor_destroy(x);
    g_free(rows);
    return latents;
}

gboolean sfu_ip_adapter_run(SfuIpAdapter *a, SfuTensor **tokens, const SfuTensor *seen, GError **error)
{
    const SfuNet *net = &a->net;
    const SfuImagePromptConfig *k = a->config;
    SfuTensor *x = sfu_net_input(net, seen, error), *y = NULL;
    *tokens = NULL;
    if (x && k->kind != SFU_IMAGE_PROMPT_PLAIN) {
        SfuTensor *h = linear(net, x, &a->in, k->kind == SFU_IMAGE_PROMPT_FULL ? SFU_ACT_GELU : SFU_ACT_NONE, error);
        sfu_tensor_destroy(x);
        x = h && k->kind == SFU_IMAGE_PROMPT_PLUS ? resample(a, h, error) : h;
    }
    y = x ? linear(net, x, &a->out, SFU_ACT_NONE, error) : NULL;
    if (y)
        *tokens = sfu_tensor_view(y, 0, 1, 1, (int)(sfu_tensor_elements(y) / k->token_width), k->token_width, error);
    const gboolean ok = *tokens && sfu_layer_norm(net->q, *tokens, *tokens, a->norm.w, a->norm.b, EPS, error);
    if (!ok)
        sfu_net_drop(tokens);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    return ok;
}
