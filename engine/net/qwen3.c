/* Qwen3's layers as a text encoder: pre-norm blocks of grouped-query attention, with norms of queries and keys and
 * rotary positions, and a gated MLP. Qwen team 2025, section 2; Touvron 2023 for the block.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/qwen3.h"
#include "net/parts.h"
#include <math.h>
#include <glib/gi18n-lib.h>

typedef struct {
    char name[32];
    SfuWeight *norm1, *norm2, *norm_q, *norm_k;
    SfuLayer q, k, v, out, gate, up, down;
} Block;

struct SfuQwen3 {
    SfuNet net;
    const SfuLanguageConfig *config;
    SfuWeight *tokens, *final_norm;
    Block *blocks;
};

static SfuQwen3 *encoder_bound(SfuQueue *q, SfuModel *model)
{
    SfuQwen3 *e = g_new0(SfuQwen3, 1);
    const SfuLanguageConfig *k = e->config = sfu_model_language(model);
    SfuNet *net = &e->net;
    const int c = k->hidden, width = k->heads * k->head_dim, kv_width = k->kv_heads * k->head_dim;
    sfu_net_init(net, q, model, SFU_PART_TEXT);
    net->dtype = SFU_F32; /* some channels of some tokens leave fp16's range */
    e->tokens = sfu_net_table(net, "", "embed_tokens", k->vocab, c);
    e->blocks = g_new0(Block, k->layers);
    for (int i = 0; i < k->layers; i++) {
        Block *b = &e->blocks[i];
        g_snprintf(b->name, sizeof b->name, "layers.%d", i);
        b->norm1 = sfu_net_vector(net, b->name, "input_layernorm.weight", c);
        b->q = sfu_net_linear(net, b->name, "self_attn.q_proj", width, c, FALSE);
        b->k = sfu_net_linear(net, b->name, "self_attn.k_proj", kv_width, c, FALSE);
        b->v = sfu_net_linear(net, b->name, "self_attn.v_proj", kv_width, c, FALSE);
        b->norm_q = sfu_net_vector(net, b->name, "self_attn.q_norm.weight", k->head_dim);
        b->norm_k = sfu_net_vector(net, b->name, "self_attn.k_norm.weight", k->head_dim);
        b->out = sfu_net_linear(net, b->name, "self_attn.o_proj", c, width, FALSE);
        b->norm2 = sfu_net_vector(net, b->name, "post_attention_layernorm.weight", c);
        b->gate = sfu_net_linear(net, b->name, "mlp.gate_proj", k->intermediate, c, FALSE);
        b->up = sfu_net_linear(net, b->name, "mlp.up_proj", k->intermediate, c, FALSE);
        b->down = sfu_net_linear(net, b->name, "mlp.down_proj", c, k->intermediate, FALSE);
    }
    e->final_norm = sfu_net_vector(net, "", "norm.weight", c);
    return e;
}

SfuQwen3 *sfu_qwen3_create(SfuQueue *q, SfuModel *model, GError **error)
{
    SfuQwen3 *e = encoder_bound(q, model);
    if (sfu_net_check(&e->net, error))
        return e;
    sfu_qwen3_destroy(e);
    return NULL;
}

void sfu_qwen3_expect(SfuModel *model)
{
    SfuQwen3 *e = encoder_bound(NULL, model);
    sfu_net_note(&e->net);
    sfu_qwen3_destroy(e);
}

void sfu_qwen3_destroy(SfuQwen3 *e)
{
    if (!e)
        return;
    g_free(e->blocks);
    sfu_net_finish(&e->net);
    g_free(e);
}

void sfu_qwen3_set_trace(SfuQwen3 *e, const SfuTrace *trace)
{
    sfu_net_set_trace(&e->net, trace);
}

void sfu_qwen3_unload(SfuQwen3 *e)
{
    sfu_net_unload(&e->net);
}

/* Rows of the table of tokens, on the host: 512 are wanted of 151,936, which would be 1.5 GB on the device. */
static SfuTensor *embed(const SfuQwen3 *e, const gint32 *tokens, int t, GError **error)
{
    const gint64 c = e->config->hidden;
    float *rows = g_new(float, (gsize)t *c);
    SfuTensor *h = NULL;
    int i = 0;
    for (; i < t && tokens[i] >= 0 && tokens[i] < e->config->vocab; i++)
        sfu_weight_read_f32(e->tokens, tokens[i] * c, c, rows + i * c);
    if (i < t)
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE, _("token %d is not one of the %d of %s"),
                    tokens[i], e->config->vocab, sfu_model_path(e->net.model));
    else
        h = sfu_net_rows(&e->net, rows, t, t, (int)c, error);
    g_free(rows);
    return h;
}

/* Cosines and sines of the positions 0 .. t - 1: angle j of position p is p * theta^(-2j / head_dim). Su 2021, eq. 15.
 */
static SfuTensor *positions(const SfuQwen3 *e, int t, GError **error)
{
    const int d = e->config->head_dim, half = d / 2;
    float *v = g_new(float, (gsize)t *d);
    for (int p = 0; p < t; p++)
        for (int j = 0; j < half; j++) {
            const double angle = p * pow(e->config->rope_theta, -2.0 * j / d);
            v[p * d + j] = (float)cos(angle);
            v[p * d + half + j] = (float)sin(angle);
        }
    SfuTensor *table = sfu_tensor_create(e->net.q, SFU_F32, 1, 1, t, d, error);
    if (table && !sfu_tensor_write(table, v, error))
        g_clear_pointer(&table, sfu_tensor_destroy);
    g_free(v);
    return table;
}

/* h += out(attention(rope(norm(q)), rope(norm(k)), v)), of norm(h). Queries see the first n_seen keys only. n is
 * scratch, shaped like h. */
static gboolean attend(const SfuQwen3 *e, const Block *b, SfuTensor *h, SfuTensor *n, const SfuTensor *table,
                       int n_seen, GError **error)
{
    const SfuNet *net = &e->net;
    const SfuLanguageConfig *c = e->config;
    const int width = c->heads * c->head_dim, kv_width = c->kv_heads * c->head_dim;
    const SfuRmsNorm over_q = {0, c->heads, c->head_dim, c->eps, NULL},
                     over_k = {0, c->kv_heads, c->head_dim, c->eps, NULL};
    const SfuRope turn_q = {0, c->heads, c->head_dim, .halves = TRUE},
                  turn_k = {0, c->kv_heads, c->head_dim, .halves = TRUE};
    const SfuAttention heads = {
        .n_heads = c->heads, .head_dim = c->head_dim, .n_kv_heads = c->kv_heads, .causal = TRUE};
    const SfuEpilogue add = {.residual = h};
    SfuTensor *q = sfu_net_like(net, h, width, error), *k = q ? sfu_net_like(net, h, kv_width, error) : NULL,
              *v = k ? sfu_net_like(net, h, kv_width, error) : NULL,
              *seen_k = v ? sfu_tensor_view(k, 0, 1, 1, n_seen, kv_width, error) : NULL,
              *seen_v = seen_k ? sfu_tensor_view(v, 0, 1, 1, n_seen, kv_width, error) : NULL,
              *o = seen_v ? sfu_net_like(net, h, width, error) : NULL;
    const gboolean ok =
        o && sfu_rms_norm(net->q, n, h, b->norm1, &(SfuRmsNorm){.eps = c->eps}, error) &&
        sfu_linear(net->q, q, n, b->q.w, NULL, error) && sfu_linear(net->q, k, n, b->k.w, NULL, error) &&
        sfu_linear(net->q, v, n, b->v.w, NULL, error) && sfu_rms_norm(net->q, q, q, b->norm_q, &over_q, error) &&
        sfu_rms_norm(net->q, k, k, b->norm_k, &over_k, error) && sfu_rope(net->q, q, table, &turn_q, error) &&
        sfu_rope(net->q, k, table, &turn_k, error) && sfu_attention(net->q, o, q, seen_k, seen_v, &heads, error) &&
        sfu_linear(net->q, h, o, b->out.w, &add, error);
    sfu_tensor_destroy(q);
    sfu_tensor_destroy(k);
    sfu_tensor_destroy(v);
    sfu_tensor_destroy(seen_k);
    sfu_tensor_destroy(seen_v);
    sfu_tensor_destroy(o);
    return ok;
}

/* h += down(silu(gate(n)) * up(n)), n = norm(h). Shazeer 2020 (SwiGLU). */
static gboolean feed(const SfuQwen3 *e, const Block *b, SfuTensor *h, SfuTensor *n, GError **error)
{
    const SfuNet *net = &e->net;
    const SfuEpilogue gate = {.act = SFU_ACT_SILU}, add = {.residual = h};
    SfuTensor *g = sfu_net_like(net, h, e->config->intermediate, error),
              *u = g ? sfu_net_like(net, h, e->config->intermediate, error) : NULL;
    const gboolean ok = u && sfu_rms_norm(net->q, n, h, b->norm2, &(SfuRmsNorm){.eps = e->config->eps}, error) &&
                        sfu_linear(net->q, g, n, b->gate.w, &gate, error) &&
                        sfu_linear(net->q, u, n, b->up.w, NULL, error) && sfu_mul(net->q, g, g, u, error) &&
                        sfu_linear(net->q, h, g, b->down.w, &add, error);
    sfu_tensor_destroy(g);
    sfu_tensor_destroy(u);
    return ok;
}

/* Hidden state i is what comes out of i blocks; the last one goes through the final norm. */
static int state_of(const SfuQwen3 *e, int layer)
{
    return layer < 0 ? e->config->layers + 1 + layer : layer;
}

static gboolean check_request(const SfuQwen3 *e, const SfuQwen3Request *r, GError **error)
{
    gboolean ok = r->n_tokens > 0 && r->n_seen > 0 && r->n_seen <= r->n_tokens && r->n_layers > 0;
    for (int i = 0; ok && i < r->n_layers; i++)
        ok = state_of(e, r->layers[i]) >= 0 && state_of(e, r->layers[i]) <= e->config->layers;
    if (!ok)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING,
                    _("%s has %d layers, fewer than are asked for (%d)"), sfu_model_path(e->net.model),
                    e->config->layers, r->n_layers ? r->layers[r->n_layers - 1] : 0);
    return ok;
}

/* Copies h to the places of `out` that hidden state i goes to. */
static gboolean keep_state(const SfuQwen3 *e, const SfuQwen3Request *r, int i, const SfuTensor *h, SfuTensor *n,
                           SfuTensor *out, GError **error)
{
    gboolean ok = TRUE;
    for (int k = 0; ok && k < r->n_layers; k++) {
        if (state_of(e, r->layers[k]) != i)
            continue;
        const gboolean last = i == e->config->layers;
        ok = (!last || sfu_rms_norm(e->net.q, n, h, e->final_norm, &(SfuRmsNorm){.eps = e->config->eps}, error)) &&
             sfu_copy_channels(e->net.q, out, k * e->config->hidden, last ? n : h, error);
    }
    return ok;
}

gboolean sfu_qwen3_run(SfuQwen3 *e, SfuTensor **hidden, const SfuQwen3Request *r, GError **error)
{
    const SfuNet *net = &e->net;
    int last = 0;
    *hidden = NULL;
    if (!check_request(e, r, error))
        return FALSE;
    for (int k = 0; k < r->n_layers; k++)
        last = MAX(last, state_of(e, r->layers[k]));
    SfuTensor *h = embed(e, r->tokens, r->n_tokens, error),
              *n = h ? sfu_net_like(net, h, e->config->hidden, error) : NULL,
              *out = n ? sfu_net_like(net, h, e->config->hidden * r->n_layers, error) : NULL,
              *table = out ? positions(e, r->n_tokens, error) : NULL;
    gboolean ok = table && keep_state(e, r, 0, h, n, out, error);
    for (int i = 0; ok && i < last; i++)
        ok = attend(e, &e->blocks[i], h, n, table, r->n_seen, error) && feed(e, &e->blocks[i], h, n, error) &&
             sfu_net_trace(net, h, error, "%s", e->blocks[i].name) && keep_state(e, r, i + 1, h, n, out, error);
    if (ok)
        *hidden = g_steal_pointer(&out);
    sfu_tensor_destroy(table);
    sfu_tensor_destroy(out);
    sfu_tensor_destroy(n);
    sfu_tensor_destroy(h);
    return ok;
}
