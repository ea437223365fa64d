/* CLIP's image encoder.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/vision.h"
#include "net/clip.h"
#include <glib/gi18n-lib.h>

struct SfuVision {
    SfuNet net;
    const SfuVisionConfig *config;
    SfuClipShape shape;
    int n_tokens; /* patches and the one that stands for the whole */
    SfuWeight *class, *positions;
    SfuLayer patches, norm_in, norm_out;
    SfuClipLayer *layers;
    SfuClipProjection projection;
};

static SfuVision *vision_bound(SfuQueue *q, SfuModel *model)
{
    SfuVision *v = g_new0(SfuVision, 1);
    SfuNet *net = &v->net;
    const SfuVisionConfig *k = v->config = sfu_model_vision(model);
    const int c = k->hidden, across = k->side / k->patch;
    v->n_tokens = 1 + across * across;
    sfu_net_init(net, q, model, SFU_PART_VISION);
    v->class = sfu_net_vector(net, "vision_model.embeddings", "class_embedding", c);
    v->patches = sfu_net_conv(net, "vision_model.embeddings", "patch_embedding", c, 3, k->patch, FALSE);
    v->positions = sfu_net_table(net, "vision_model.embeddings", "position_embedding", v->n_tokens, c);
    v->norm_in = sfu_net_norm(net, "vision_model", "pre_layrnorm", c); /* so spelled in the files */
    v->shape = (SfuClipShape){
        .hidden = c, .heads = k->heads, .intermediate = k->intermediate, .quick_gelu = k->quick_gelu, .eps = k->eps};
    v->layers = sfu_clip_layers_bind(net, "vision_model.encoder.layers", k->layers, &v->shape);
    v->norm_out = sfu_net_norm(net, "vision_model", "post_layernorm", c);
    v->projection = sfu_clip_projection_bind(net, "visual_projection", k->projection, c);
    return v;
}

SfuVision *sfu_vision_create(SfuQueue *q, SfuModel *model, GError **error)
{
    SfuVision *v = vision_bound(q, model);
    if (sfu_net_check(&v->net, error))
        return v;
    sfu_vision_destroy(v);
    return NULL;
}

void sfu_vision_expect(SfuModel *model)
{
    SfuVision *v = vision_bound(NULL, model);
    sfu_net_note(&v->net);
    sfu_vision_destroy(v);
}

void sfu_vision_destroy(SfuVision *v)
{
    if (!v)
        return;
    g_free(v->layers);
    sfu_net_finish(&v->net);
    g_free(v);
}

void sfu_vision_unload(SfuVision *v)
{
    sfu_net_unload(&v->net);
}

/* The class token, then the patches, and their positions: [1, 1, 1 + patches, hidden]. They meet on the host: it is
 * once per picture. */
static SfuTensor *embed(const SfuVision *v, const float *pixels, GError **error)
{
    const SfuVisionConfig *k = v->config;
    const SfuNet *net = &v->net;
    const int c = k->hidden, across = k->side / k->patch;
    const SfuConv conv = {.stride = k->patch};
    float *rows = g_new(float, (gsize)v->n_tokens *c), *position = g_new(float, (gsize)v->n_tokens *c);
    SfuTensor *host = sfu_tensor_create(net->q, SFU_F32, 1, k->side, k->side, 3, error), *x = NULL, *y = NULL,
              *h = NULL;
    if (host && sfu_tensor_write(host, pixels, error) && (x = sfu_net_input(net, host, error)) &&
        (y = sfu_tensor_create(net->q, net->dtype, 1, across, across, c, error)) &&
        sfu_conv2d(net->q, y, x, v->patches.w, &conv, NULL, error) && sfu_tensor_read(y, rows + c, error)) {
        sfu_weight_read_f32(v->class, 0, c, rows);
        sfu_weight_read_f32(v->positions, 0, (gint64)v->n_tokens * c, position);
        for (gsize i = 0; i < (gsize)v->n_tokens * (gsize)c; i++)
            rows[i] += position[i];
        h = sfu_net_rows(net, rows, v->n_tokens, v->n_tokens, c, error);
    }
    sfu_tensor_destroy(host);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    g_free(rows);
    g_free(position);
    return h;
}

static gboolean pool(const SfuVision *v, const SfuTensor *h, float *pooled, GError **error)
{
    const SfuVisionConfig *k = v->config;
    const int c = k->hidden;
    float *row = g_new(float, c);
    SfuTensor *first = sfu_tensor_view(h, 0, 1, 1, 1, c, error),
              *y = first ? sfu_net_like(&v->net, first, c, error) : NULL;
    const gboolean ok = y && sfu_layer_norm(v->net.q, y, first, v->norm_out.w, v->norm_out.b, k->eps, error) &&
                        sfu_tensor_read(y, row, error);
    if (ok)
        sfu_clip_project(&v->projection, row, (gsize)c, 1, c, k->projection, pooled);
    sfu_tensor_destroy(first);
    sfu_tensor_destroy(y);
    g_free(row);
    return ok;
}

gboolean sfu_vision_run(SfuVision *v, SfuTensor **hidden, float *pooled, const float *pixels, GError **error)
{
    const SfuVisionConfig *k = v->config;
    const SfuNet *net = &v->net;
    if (hidden)
        *hidden = NULL;
    if (pooled && !v->projection.w) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, _("the image encoder of %s has no projection"),
                    sfu_model_path(net->model));
        return FALSE;
    }
    SfuTensor *h = embed(v, pixels, error), *t = h ? sfu_net_like(net, h, k->hidden, error) : NULL;
    gboolean ok = t && sfu_layer_norm(net->q, h, h, v->norm_in.w, v->norm_in.b, k->eps, error);
    for (int i = 0; ok && i < (pooled ? k->layers : k->layers - 1); i++) {
        if (hidden && i == k->layers - 1)
            ok = (*hidden = sfu_net_like(net, h, k->hidden, error)) && sfu_convert(net->q, *hidden, h, error);
        ok = ok && sfu_clip_layer_run(net, &v->layers[i], &v->shape, h, t, error);
    }
    if (ok && pooled)
        ok = pool(v, h, pooled, error);
    if (ok && hidden && !*hidden)
        *hidden = g_steal_pointer(&h);
    if (!ok && hidden)
        sfu_net_drop(hidden);
    sfu_tensor_destroy(t);
    sfu_tensor_destroy(h);
    return ok;
}
