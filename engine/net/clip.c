/* The transformer that CLIP's two encoders have in common.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/clip.h"

SfuClipLayer *sfu_clip_layers_bind(SfuNet *net, const char *prefix, int n, const SfuClipShape *shape)
{
    const int c = shape->hidden;
    SfuClipLayer *layers = g_new0(SfuClipLayer, n);
    for (int i = 0; i < n; i++) {
        SfuClipLayer *l = &layers[i];
        g_snprintf(l->name, sizeof l->name, "%s.%d", prefix, i);
        l->norm1 = sfu_net_norm(net, l->name, "layer_norm1", c);
        const SfuLayer query = sfu_net_linear(net, l->name, "self_attn.q_proj", c, c, TRUE),
                       key = sfu_net_linear(net, l->name, "self_attn.k_proj", c, c, TRUE),
                       value = sfu_net_linear(net, l->name, "self_attn.v_proj", c, c, TRUE);
        l->qkv = sfu_net_stack(net, (SfuWeight *const[]){query.w, key.w, value.w}, 3);
        l->qkv_bias = sfu_net_stack(net, (SfuWeight *const[]){query.b, key.b, value.b}, 3);
        l->out = sfu_net_linear(net, l->name, "self_attn.out_proj", c, c, TRUE);
        l->norm2 = sfu_net_norm(net, l->name, "layer_norm2", c);
        l->fc1 = sfu_net_linear(net, l->name, "mlp.fc1", shape->intermediate, c, TRUE);
        l->fc2 = sfu_net_linear(net, l->name, "mlp.fc2", c, shape->intermediate, TRUE);
    }
    return layers;
}

gboolean sfu_clip_layer_run(const SfuNet *net, const SfuClipLayer *l, const SfuClipShape *k, SfuTensor *h, SfuTensor *t,
                            GError **error)
{
    const int c = k->hidden;
    SfuTensor *qkv = sfu_net_like(net, h, 3 * c, error), *wide = sfu_net_like(net, h, k->intermediate, error);
    const SfuAttention heads = {
        .n_heads = k->heads, .head_dim = c / k->heads, .causal = k->causal, .k_col = c, .v_col = 2 * c};
    const SfuEpilogue in = {.bias = l->qkv_bias}, out = {.bias = l->out.b, .residual = h},
                      up = {.bias = l->fc1.b, .act = k->quick_gelu ? SFU_ACT_QUICK_GELU : SFU_ACT_GELU},
                      down = {.bias = l->fc2.b, .residual = h};
    const gboolean ok =
        qkv && wide && sfu_layer_norm(net->q, t, h, l->norm1.w, l->norm1.b, k->eps, error) &&
        sfu_linear(net->q, qkv, t, l->qkv, &in, error) && sfu_attention(net->q, t, qkv, qkv, qkv, &heads, error) &&
        sfu_linear(net->q, h, t, l->out.w, &out, error) &&
        sfu_layer_norm(net->q, t, h, l->norm2.w, l->norm2.b, k->eps, error) &&
        sfu_linear(net->q, wide, t, l->fc1.w, &up, error) && sfu_linear(net->q, h, wide, l->fc2.w, &down, error) &&
        sfu_net_trace(net, h, error, "%s", l->name);
    sfu_tensor_destroy(qkv);
    sfu_tensor_destroy(wide);
    return ok;
}

SfuClipProjection sfu_clip_projection_bind(SfuNet *net, const char *name, int out, int in)
{
    SfuClipProjection p = {.inputs_first = sfu_net_has(net, "", name)};
    if (p.inputs_first)
        p.w = sfu_net_tensor(net, "", name, 2, (const gint64[]){in, out});
    else if (out)
        p.w = sfu_net_linear(net, "", name, out, in, FALSE).w;
    return p;
}

void sfu_clip_project(const SfuClipProjection *p, const float *x, gsize stride, int n, int n_in, int n_out, float *y)
{
    float *matrix = g_new(float, (gsize)n_in *n_out);
    sfu_weight_read_f32(p->w, 0, (gint64)n_in * n_out, matrix);
    for (int s = 0; s < n; s++)
        for (int o = 0; o < n_out; o++) {
            double sum = 0;
            for (int i = 0; i < n_in; i++)
                sum += (double)x[s * stride + (gsize)i] *
                       matrix[p->inputs_first ? (gsize)i * n_out + o : (gsize)o * n_in + i];
            y[(gsize)s * n_out + o] = (float)sum;
        }
    g_free(matrix);
}
