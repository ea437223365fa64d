/* The UNet of Stable Diffusion (diffusers' UNet2DConditionModel): Rombach 2022, figure 3 and appendix; Podell 2023 for
 * the added conditions. The way down is in trunk.c.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/denoiser.h"
#include "net/trunk.h"
#include <glib/gi18n-lib.h>

struct SfuUnet {
    SfuTrunk trunk;
    SfuTrunkLevel up[SFU_MAX_BLOCKS];
    SfuLayer norm_out, conv_out;
};

/* ---- binding ---- */

/* Level i on the way up mirrors level n - 1 - i on the way down; each layer also takes one output of the way down, the
 * last one that of the level before it (or conv_in's). */
static void bind_up(SfuUnet *u, int i)
{
    const SfuUnetConfig *k = u->trunk.config;
    SfuNet *net = &u->trunk.net;
    const int level = k->n_blocks - 1 - i;
    SfuTrunkLevel *l = &u->up[i];
    char name[72];
    l->n_layers = k->layers_per_block + 1;
    l->c = k->block_out_channels[level];
    l->attention = k->cross_attention[level];
    for (int j = 0; j < l->n_layers; j++) {
        const int skip = j == l->n_layers - 1 ? k->block_out_channels[MAX(level - 1, 0)] : l->c;
        const int c_in = j ? l->c : k->block_out_channels[MIN(level + 1, k->n_blocks - 1)];
        g_snprintf(name, sizeof name, "up_blocks.%d.resnets.%d", i, j);
        sfu_resnet_bind(net, &l->resnets[j], name, sfu_trunk_resnet(k, c_in + skip, l->c));
        g_snprintf(name, sizeof name, "up_blocks.%d.attentions.%d", i, j);
        if (l->attention)
            sfu_spatial_bind(&u->trunk, &l->transformers[j], name, l->c, k->n_heads[level], k->only_cross[level]);
    }
    g_snprintf(name, sizeof name, "up_blocks.%d.upsamplers.0", i);
    if (level)
        l->sample = sfu_net_conv(net, name, "conv", l->c, l->c, 3, TRUE);
}

static SfuUnet *unet_bound(SfuQueue *q, SfuModel *model)
{
    SfuUnet *u = g_new0(SfuUnet, 1);
    const SfuUnetConfig *k = sfu_model_unet(model);
    sfu_trunk_bind(&u->trunk, q, model, SFU_PART_UNET, k);
    for (int i = 0; i < k->n_blocks; i++)
        bind_up(u, i);
    u->norm_out = sfu_net_norm(&u->trunk.net, "", "conv_norm_out", k->block_out_channels[0]);
    u->conv_out = sfu_net_conv(&u->trunk.net, "", "conv_out", k->out_channels, k->block_out_channels[0], 3, TRUE);
    return u;
}

SfuUnet *sfu_unet_create(SfuQueue *q, SfuModel *model, GError **error)
{
    if (!sfu_model_has_part(model, SFU_PART_UNET)) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, _("%s has no UNet"), sfu_model_path(model));
        return NULL;
    }
    SfuUnet *u = unet_bound(q, model);
    if (sfu_net_check(&u->trunk.net, error))
        return u;
    sfu_unet_destroy(u);
    return NULL;
}

void sfu_unet_expect(SfuModel *model)
{
    SfuUnet *u = unet_bound(NULL, model);
    sfu_net_note(&u->trunk.net);
    sfu_unet_destroy(u);
}

void sfu_unet_destroy(SfuUnet *u)
{
    if (!u)
        return;
    for (int i = 0; i < SFU_MAX_BLOCKS; i++)
        sfu_trunk_level_finish(&u->up[i]);
    sfu_trunk_finish(&u->trunk);
    g_free(u);
}

void sfu_unet_set_trace(SfuUnet *u, const SfuTrace *trace)
{
    sfu_net_set_trace(&u->trunk.net, trace);
}

void sfu_unet_unload(SfuUnet *u)
{
    sfu_trunk_drop_condition(&u->trunk);
    sfu_net_unload(&u->trunk.net);
}

/* ---- passes ---- */

gboolean sfu_unet_set_condition(SfuUnet *u, const SfuCondition *condition, GError **error)
{
    return sfu_trunk_set_condition(&u->trunk, condition, error);
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

/* s->h becomes [h | last skip], and the moments those of that, or NULL if they are not known of both. */
static gboolean join_skip(const SfuNet *net, SfuTrunkState *s, GError **error)
{
    SfuFeature h = s->h, skip = s->skips[--s->n_skips];
    s->h = (SfuFeature){.x = join(net, h.x, skip.x, error)};
    if (h.moments && skip.moments)
        return (s->h.moments = join(net, h.moments, skip.moments, s->h.x ? error : NULL)) && s->h.x;
    sfu_tensor_destroy(skip.moments);
    sfu_tensor_destroy(h.moments);
    return s->h.x != NULL;
}

static gboolean fits(const SfuUnet *u, const SfuTensor *deep, const SfuTensor *x, GError **error)
{
    const SfuUnetConfig *k = u->trunk.config;
    const SfuTrunkLevel *l = &u->up[k->n_blocks - 1];
    const int c = l->resnets[l->n_layers - 1].c_in - k->block_out_channels[0];
    if (deep->n == x->n && deep->h == x->h && deep->w == x->w && deep->c == c && deep->dtype == u->trunk.net.dtype)
        return TRUE;
    g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                _("deep features of %d x %d x %d x %d do not fit a pass over %d x %d x %d"), deep->n, deep->h, deep->w,
                deep->c, x->n, x->h, x->w);
    return FALSE;
}

/* f + r in the place of f, by a tensor of its own: others read f's. */
static gboolean add_residual(const SfuNet *net, SfuFeature *f, const SfuTensor *r, GError **error)
{
    const SfuTensor *x = f->x;
    if (r->n != x->n || r->h != x->h || r->w != x->w || r->c != x->c) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("a residual of %d x %d x %d x %d does not fit the UNet's %d x %d x %d x %d"), r->n, r->h, r->w,
                    r->c, x->n, x->h, x->w, x->c);
        return FALSE;
    }
    SfuTensor *sum = sfu_net_like(net, x, x->c, error), *in = sum ? sfu_net_input(net, r, error) : NULL;
    const gboolean ok = in && sfu_axpby(net->q, sum, 1, x, 1, in, error);
    sfu_tensor_destroy(in);
    sfu_feature_clear(f);
    f->x = sum;
    return ok;
}

static gboolean add_residuals(const SfuNet *net, SfuTrunkState *s, const SfuResiduals *r, gboolean shallow,
                              GError **error)
{
    if (!shallow && r->n_down && r->n_down != s->n_skips) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("the UNet takes %d residuals, but was given %d"), s->n_skips, r->n_down);
        return FALSE;
    }
    for (int i = 0; i < MIN(s->n_skips, r->n_down); i++)
        if (r->down[i] && !add_residual(net, &s->skips[i], r->down[i], error))
            return FALSE;
    return shallow || !r->middle || add_residual(net, &s->h, r->middle, error);
}

static gboolean go_down(const SfuTrunk *t, SfuTrunkState *s, const SfuTensor *time, const SfuResiduals *r,
                        GError **error)
{
    const int n = r ? r->n_features : 0, n_blocks = t->config->n_blocks;
    return sfu_trunk_down(t, s, time, n ? r->features : NULL, n, error) && sfu_trunk_middle(t, s, time, error) &&
           (n <= n_blocks || !r->features[n_blocks] || sfu_trunk_add(t, s, r->features[n_blocks], error));
}

/* Layer j of level i of the way up, with the last skip. */
static gboolean run_layer(const SfuUnet *u, SfuTrunkState *s, int i, int j, const SfuTensor *time, GError **error)
{
    const SfuNet *net = &u->trunk.net;
    const SfuTrunkLevel *l = &u->up[i];
    return join_skip(net, s, error) && sfu_resnet_run(net, &l->resnets[j], &s->h, time, error) &&
           (!l->attention || sfu_spatial_run(&u->trunk, &l->transformers[j], &s->h, error));
}

/* deep: where what the last layer reads is kept for shallow passes; NULL: it is not. */
static gboolean go_up(const SfuUnet *u, SfuTrunkState *s, const SfuTensor *time, SfuTensor **deep, GError **error)
{
    const SfuNet *net = &u->trunk.net;
    const int n = u->trunk.config->n_blocks;
    for (int i = 0; i < n; i++) {
        const SfuTrunkLevel *l = &u->up[i];
        for (int j = 0; j < l->n_layers; j++) {
            const SfuTensor *h = s->h.x;
            if (deep && i == n - 1 && j == l->n_layers - 1 &&
                !(*deep = sfu_tensor_view(h, 0, h->n, h->h, h->w, h->c, error)))
                return FALSE;
            if (!run_layer(u, s, i, j, time, error))
                return FALSE;
        }
        if (!l->sample.w)
            continue;
        const SfuTensor *next = s->skips[s->n_skips - 1].x;
        if (!sfu_upsample_run(net, &l->sample, &s->h, next->h, next->w, TRUE, error) ||
            !sfu_net_trace(net, s->h.x, error, "up_blocks.%d.upsamplers.0", i))
            return FALSE;
    }
    return TRUE;
}

/* The last layer alone, on what an earlier pass has kept for it. Ma 2023, DeepCache. */
static gboolean run_shallow(const SfuUnet *u, SfuTrunkState *s, const SfuTensor *time, const SfuTensor *deep,
                            GError **error)
{
    const int last = u->trunk.config->n_blocks - 1;
    sfu_feature_clear(&s->h);
    s->h.x = sfu_tensor_view(deep, 0, deep->n, deep->h, deep->w, deep->c, error);
    return s->h.x && run_layer(u, s, last, u->up[last].n_layers - 1, time, error);
}

gboolean sfu_unet_forward(SfuUnet *u, SfuTensor **out, const SfuDenoiserInput *in, GError **error)
{
    SfuTrunk *t = &u->trunk;
    const SfuNet *net = &t->net;
    const SfuUnetConfig *k = t->config;
    const SfuConv same = sfu_net_same(net);
    const SfuEpilogue bias = {.bias = u->conv_out.b};
    const gboolean shallow = in->deep && *in->deep;
    SfuTrunkState s = {0};
    SfuTensor *time = NULL, *y = NULL;
    *out = NULL;
    if (!sfu_trunk_check(t, in, error) || (shallow && !fits(u, *in->deep, in->x, error)))
        return FALSE;
    sfu_trunk_use_prompts(t, in->prompts);
    gboolean ok =
        (time = sfu_trunk_embed(t, in, error)) &&
        sfu_trunk_begin(t, &s, in->x, in->residuals ? in->residuals->first : NULL, error) &&
        (shallow || go_down(t, &s, time, in->residuals, error)) &&
        (!in->residuals || add_residuals(net, &s, in->residuals, shallow, error)) &&
        (shallow ? run_shallow(u, &s, time, *in->deep, error) : go_up(u, &s, time, in->deep, error)) &&
        sfu_net_group_norm(net, s.h.x, s.h.x, s.h.moments, (SfuGroupNorm){u->norm_out, k->norm_num_groups, k->norm_eps},
                           SFU_ACT_SILU, error) &&
        (y = sfu_net_like(net, s.h.x, k->out_channels, error)) &&
        sfu_conv2d(net->q, y, s.h.x, u->conv_out.w, &same, &bias, error) && sfu_net_trace(net, y, error, "conv_out");
    if (ok)
        *out = g_steal_pointer(&y);
    sfu_trunk_use_prompts(t, NULL);
    sfu_trunk_state_clear(&s);
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
    return sfu_unet_set_condition(net, condition, error);
}
static gboolean denoiser_forward(gpointer net, SfuTensor **out, const SfuDenoiserInput *in, GError **error)
{
    return sfu_unet_forward(net, out, in, error);
}

static void denoiser_set_wrap(gpointer net, int wrap)
{
    ((SfuUnet *)net)->trunk.net.wrap = wrap;
}

static const SfuDenoiserClass unet_class = {denoiser_destroy, denoiser_set_trace, denoiser_set_condition,
                                            denoiser_forward, denoiser_set_wrap};

SfuDenoiser *sfu_unet_denoiser(SfuQueue *q, SfuModel *model, GError **error)
{
    SfuUnet *u = sfu_unet_create(q, model, error);
    if (!u)
        return NULL;
    const SfuUnetConfig *k = u->trunk.config;
    const SfuDenoiser d = {.class = &unet_class,
                           .net = u,
                           .in_channels = k->in_channels,
                           .out_channels = k->out_channels,
                           .n_classes = k->num_class_embeds,
                           .token_width = k->cross_attention_dim,
                           .added_width = k->added_width};
    return g_memdup2(&d, sizeof d);
}
