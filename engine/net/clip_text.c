/* CLIP's text encoder: a causal pre-norm transformer. Radford 2021, section 2.4; OpenCLIP's ViT-H/14 is the same with
 * exact GELU. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/clip.h"
#include <string.h>
#include <glib/gi18n-lib.h>

struct SfuTextEncoder {
    SfuNet net;
    const SfuTextConfig *config;
    SfuClipShape shape;
    SfuWeight *tokens, *positions;
    SfuClipLayer *layers;
    SfuLayer final_norm;
    const float *own; /* [n_own, hidden]: tokens from SFU_TEXT_OWN on */
    int n_own;
    SfuClipProjection projection;
};

static SfuTextEncoder *encoder_bound(SfuQueue *q, SfuModel *model, SfuPart part)
{
    SfuTextEncoder *te = g_new0(SfuTextEncoder, 1);
    const SfuTextConfig *k = te->config = sfu_model_text(model, part);
    SfuNet *net = &te->net;
    const int c = k->hidden;
    sfu_net_init(net, q, model, part);
    te->tokens = sfu_net_table(net, "text_model.embeddings", "token_embedding", k->vocab, c);
    te->positions = sfu_net_table(net, "text_model.embeddings", "position_embedding", k->positions, c);
    te->shape = (SfuClipShape){.hidden = c,
                               .heads = k->heads,
                               .intermediate = k->intermediate,
                               .quick_gelu = k->quick_gelu,
                               .causal = TRUE,
                               .eps = k->eps};
    te->layers = sfu_clip_layers_bind(net, "text_model.encoder.layers", k->layers, &te->shape);
    te->final_norm = sfu_net_norm(net, "text_model", "final_layer_norm", c);
    te->projection = sfu_clip_projection_bind(net, "text_projection", k->projection, c);
    return te;
}

SfuTextEncoder *sfu_text_encoder_create(SfuQueue *q, SfuModel *model, SfuPart part, GError **error)
{
    if (!sfu_model_has_part(model, part)) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING,
                    part == SFU_PART_TEXT2 ? _("%s has no second text encoder") : _("%s has no text encoder"),
                    sfu_model_path(model));
        return NULL;
    }
    SfuTextEncoder *te = encoder_bound(q, model, part);
    if (sfu_net_check(&te->net, error))
        return te;
    sfu_text_encoder_destroy(te);
    return NULL;
}

void sfu_text_encoder_expect(SfuModel *model, SfuPart part)
{
    SfuTextEncoder *te = encoder_bound(NULL, model, part);
    sfu_net_note(&te->net);
    sfu_text_encoder_destroy(te);
}

void sfu_text_encoder_destroy(SfuTextEncoder *te)
{
    if (!te)
        return;
    g_free(te->layers);
    sfu_net_finish(&te->net);
    g_free(te);
}

void sfu_text_encoder_set_trace(SfuTextEncoder *te, const SfuTrace *trace)
{
    sfu_net_set_trace(&te->net, trace);
}
void sfu_text_encoder_unload(SfuTextEncoder *te)
{
    sfu_net_unload(&te->net);
}
void sfu_text_encoder_set_own(SfuTextEncoder *te, const float *rows, int n)
{
    te->own = rows;
    te->n_own = n;
}
int sfu_text_encoder_hidden(const SfuTextEncoder *te)
{
    return te->config->hidden;
}
int sfu_text_encoder_pooled(const SfuTextEncoder *te)
{
    return te->config->projection;
}

/* token[id] + position, on the host: 77 rows are wanted of a table of 49,408, which would be 150 MB on the device. */
static SfuTensor *embed(const SfuTextEncoder *te, const gint32 *tokens, int n, GError **error)
{
    const SfuTextConfig *k = te->config;
    const gint64 c = k->hidden;
    float *rows = g_new(float, (gsize)n *SFU_TEXT_TOKENS *c), *position = g_new(float, SFU_TEXT_TOKENS *c);
    SfuTensor *h = NULL;
    sfu_weight_read_f32(te->positions, 0, SFU_TEXT_TOKENS * c, position);
    for (gint64 i = 0; i < (gint64)n * SFU_TEXT_TOKENS; i++) {
        const gint64 own = tokens[i] - (gint64)SFU_TEXT_OWN;
        if ((tokens[i] < 0 || tokens[i] >= k->vocab) && !(own >= 0 && own < te->n_own)) {
            g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE, _("token %d is not one of the %d of %s"),
                        tokens[i], k->vocab, sfu_model_path(te->net.model));
            goto out;
        }
        if (own >= 0 && own < te->n_own)
            memcpy(rows + i * c, te->own + own * c, sizeof *rows * (gsize)c);
        else
            sfu_weight_read_f32(te->tokens, tokens[i] * c, c, rows + i * c);
        for (gint64 j = 0; j < c; j++)
            rows[i * c + j] += position[i % SFU_TEXT_TOKENS * c + j];
    }
    h = sfu_net_rows(&te->net, rows, n * SFU_TEXT_TOKENS, SFU_TEXT_TOKENS, (int)c, error);
out:
    g_free(position);
    g_free(rows);
    return h;
}

/* y = h, through the final norm if `norm`; a new tensor. */
static SfuTensor *take_layer(const SfuTextEncoder *te, const SfuTensor *h, gboolean norm, GError **error)
{
    const SfuNet *net = &te->net;
    SfuTensor *y = sfu_net_like(net, h, h->c, error);
    const gboolean ok =
        y && (norm ? sfu_layer_norm(net->q, y, h, te->final_norm.w, te->final_norm.b, te->config->eps, error) &&
                         sfu_net_trace(net, y, error, "text_model.final_layer_norm")
                   : sfu_convert(net->q, y, h, error));
    if (!ok)
        sfu_net_drop(&y);
    return y;
}

/* h: the last layer's output. */
static gboolean pool(const SfuTextEncoder *te, const SfuTensor *h, float *pooled, const gint32 *tokens, int n,
                     GError **error)
{
    const int c = te->config->hidden, n_out = te->config->projection;
    float *host = g_new(float, sfu_tensor_elements(h)), *rows = g_new(float, (gsize)n *c);
    SfuTensor *y = take_layer(te, h, TRUE, error);
    const gboolean ok = y && sfu_tensor_read(y, host, error);
    for (int s = 0; ok && s < n; s++) {
        int eos = 0;
        for (int i = 1; i < SFU_TEXT_TOKENS; i++)
            if (tokens[s * SFU_TEXT_TOKENS + i] > tokens[s * SFU_TEXT_TOKENS + eos])
                eos = i;
        memcpy(rows + (gsize)s * c, host + ((gsize)s * SFU_TEXT_TOKENS + eos) * c, sizeof *rows * (gsize)c);
    }
    if (ok)
        sfu_clip_project(&te->projection, rows, (gsize)c, n, c, n_out, pooled);
    sfu_tensor_destroy(y);
    g_free(rows);
    g_free(host);
    return ok;
}

gboolean sfu_text_encoder_run(SfuTextEncoder *te, SfuTensor **hidden, float *pooled, const SfuTextInput *in,
                              GError **error)
{
    const SfuTextConfig *k = te->config;
    const int taken = k->layers + 1 - MAX(1, in->clip_skip);
    *hidden = NULL;
    if (taken < 1 || (pooled && !te->projection.w)) {
        if (taken < 1)
            g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                        _("the text encoder has %d layers, CLIP skip %d leaves none"), k->layers, in->clip_skip);
        else
            g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, _("the text encoder of %s has no projection"),
                        sfu_model_path(te->net.model));
        return FALSE;
    }
    SfuTensor *h = embed(te, in->tokens, in->n, error), *t = h ? sfu_net_like(&te->net, h, k->hidden, error) : NULL;
    gboolean ok = t != NULL;
    for (int i = 0; ok && i < (pooled ? k->layers : taken); i++)
        ok = sfu_clip_layer_run(&te->net, &te->layers[i], &te->shape, h, t, error) &&
             (i + 1 != taken || (*hidden = take_layer(te, h, !in->no_final_norm, error)));
    ok = ok && (!pooled || pool(te, h, pooled, in->tokens, in->n, error));
    if (!ok)
        sfu_net_drop(hidden);
    sfu_tensor_destroy(t);
    sfu_tensor_destroy(h);
    return ok;
}
