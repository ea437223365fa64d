/* The first half of a UNet: input, embeddings, the way down and the middle.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/trunk.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>

/* ---- binding ---- */

static void bind_down(SfuTrunk *u, int i)
{
    const SfuUnetConfig *k = u->config;
    SfuTrunkLevel *l = &u->down[i];
    char name[72];
    l->n_layers = k->layers_per_block;
    l->c = k->block_out_channels[i];
    l->attention = k->cross_attention[i];
    for (int j = 0; j < l->n_layers; j++) {
        const int c_in = j ? l->c : k->block_out_channels[MAX(i - 1, 0)];
        g_snprintf(name, sizeof name, "down_blocks.%d.resnets.%d", i, j);
        sfu_resnet_bind(&u->net, &l->resnets[j], name, sfu_trunk_resnet(k, c_in, l->c));
        g_snprintf(name, sizeof name, "down_blocks.%d.attentions.%d", i, j);
        if (l->attention)
            sfu_spatial_bind(u, &l->transformers[j], name, l->c, k->n_heads[i], k->only_cross[i]);
    }
    g_snprintf(name, sizeof name, "down_blocks.%d.downsamplers.0", i);
    if (i + 1 < k->n_blocks)
        l->sample = sfu_net_conv(&u->net, name, "conv", l->c, l->c, 3, TRUE);
}

static void bind_middle(SfuTrunk *t)
{
    const SfuUnetConfig *k = t->config;
    const int last = MAX(k->n_blocks - 1, 0), c = k->block_out_channels[last];
    SfuNet *net = &t->net;
    if (!(t->has_mid = k->middle))
        return;
    sfu_resnet_bind(net, &t->mid1, "mid_block.resnets.0", sfu_trunk_resnet(k, c, c));
    if (k->mid_attention)
        sfu_spatial_bind(t, &t->mid_transformer, "mid_block.attentions.0", c, k->n_heads[last], FALSE);
    /* Without attention the middle may be a single resnet. */
    t->has_mid2 = k->mid_attention || sfu_model_count(net->model, net->part, "mid_block.resnets.", 2) > 1;
    if (t->has_mid2)
        sfu_resnet_bind(net, &t->mid2, "mid_block.resnets.1", sfu_trunk_resnet(k, c, c));
}

void sfu_trunk_bind(SfuTrunk *t, SfuQueue *q, SfuModel *model, SfuPart part, const SfuUnetConfig *k)
{
    SfuNet *net = &t->net;
    const int c0 = k->block_out_channels[0];
    t->config = k;
    sfu_net_init(net, q, model, part);
    t->contexts = g_ptr_array_new();
    t->conv_in = sfu_net_conv(net, "", "conv_in", c0, k->in_channels, 3, TRUE);
    t->time1 = sfu_net_linear(net, "time_embedding", "linear_1", 4 * c0, c0, TRUE);
    t->time2 = sfu_net_linear(net, "time_embedding", "linear_2", 4 * c0, 4 * c0, TRUE);
    if (k->num_class_embeds)
        t->class_table = sfu_net_table(net, "", "class_embedding", k->num_class_embeds, 4 * c0);
    if (k->added_width) {
        t->added1 = sfu_net_linear(net, "add_embedding", "linear_1", 4 * c0, k->added_width, TRUE);
        t->added2 = sfu_net_linear(net, "add_embedding", "linear_2", 4 * c0, 4 * c0, TRUE);
    }
    for (int i = 0; i < k->n_blocks; i++)
        bind_down(t, i);
    bind_middle(t);
}

void sfu_trunk_level_finish(SfuTrunkLevel *l)
{
    for (int j = 0; j <= SFU_TRUNK_LAYERS; j++)
        g_free(l->transformers[j].blocks);
}

void sfu_trunk_finish(SfuTrunk *t)
{
    sfu_trunk_drop_condition(t);
    g_ptr_array_unref(t->contexts);
    for (int i = 0; i < SFU_MAX_BLOCKS; i++)
        sfu_trunk_level_finish(&t->down[i]);
    g_free(t->mid_transformer.blocks);
    sfu_net_finish(&t->net);
}

/* ---- the condition ---- */

void sfu_trunk_drop_condition(SfuTrunk *t)
{
    for (guint i = 0; t->kv && i < t->contexts->len; i++)
        sfu_tensor_destroy(t->kv[i]);
    g_clear_pointer(&t->kv, g_free);
    sfu_net_drop(&t->added);
    sfu_trunk_drop_prompts(t);
}

/* Sinusoids of a value, [width]. Ho 2020, appendix B. */
void sfu_trunk_waves(const SfuUnetConfig *k, double value, int width, float *out)
{
    const int half = width / 2;
    for (int i = 0; i < half; i++) {
        const double angle = value * exp(-log(10000.0) * i / (half - k->freq_shift));
        out[(k->flip_sin_to_cos ? half : 0) + i] = (float)sin(angle);
        out[(k->flip_sin_to_cos ? 0 : half) + i] = (float)cos(angle);
    }
}

static gboolean check_added(const SfuTrunk *t, const SfuCondition *c, GError **error)
{
    const SfuUnetConfig *k = t->config;
    const gint64 width = c->pooled_width + (gint64)c->n_numbers * k->added_number_width;
    if (c->n == c->tokens->n && c->pooled && (c->numbers || !c->n_numbers) && width == k->added_width)
        return TRUE;
    g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                _("the UNet of %s wants %d values of added conditions, was given a pooled vector of %d and %d numbers, "
                  "which make %" PRId64),
                sfu_model_path(t->net.model), k->added_width, c->pooled ? c->pooled_width : 0, c->n_numbers, width);
    return FALSE;
}

/* linear_2(silu(linear_1([pooled | sinusoids of each number]))). Podell 2023, section 2.2. */
static gboolean embed_added(SfuTrunk *t, const SfuCondition *c, GError **error)
{
    const SfuUnetConfig *k = t->config;
    const SfuNet *net = &t->net;
    if (!check_added(t, c, error))
        return FALSE;
    float *rows = g_new0(float, (gsize)c->n * k->added_width);
    for (int s = 0; s < c->n; s++) {
        float *row = rows + (gsize)s * k->added_width;
        memcpy(row, c->pooled + (gsize)s * c->pooled_width, (gsize)c->pooled_width * sizeof *row);
        for (int i = 0; i < c->n_numbers; i++)
            sfu_trunk_waves(k, c->numbers[s * c->n_numbers + i], k->added_number_width,
                            row + c->pooled_width + i * k->added_number_width);
    }
    const SfuEpilogue first = {.bias = t->added1.b, .act = SFU_ACT_SILU}, second = {.bias = t->added2.b};
    const int wide = 4 * k->block_out_channels[0];
    SfuTensor *x = sfu_net_rows(net, rows, c->n, 1, k->added_width, error), *h = NULL;
    const gboolean ok =
        x && (h = sfu_net_like(net, x, wide, error)) && sfu_linear(net->q, h, x, t->added1.w, &first, error) &&
        (t->added = sfu_net_like(net, x, wide, error)) && sfu_linear(net->q, t->added, h, t->added2.w, &second, error);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(h);
    g_free(rows);
    return ok;
}

static gboolean project_context(SfuTrunk *t, const SfuTensor *context, GError **error)
{
    if (!t->contexts->len)
        return TRUE;
    if (context->h != 1 || context->c != t->config->cross_attention_dim) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("the context has tokens of %d values, but the UNet of %s needs %d"), context->c,
                    sfu_model_path(t->net.model), t->config->cross_attention_dim);
        return FALSE;
    }
    SfuTensor *x = sfu_net_input(&t->net, context, error);
    gboolean ok = x != NULL;
    t->kv = g_new0(SfuTensor *, t->contexts->len);
    for (guint i = 0; ok && i < t->contexts->len; i++) {
        const SfuTrunkAttention *a = g_ptr_array_index(t->contexts, i);
        ok = (t->kv[i] = sfu_net_like(&t->net, x, (int)sfu_weight_dim(a->kv, 0), error)) &&
             sfu_linear(t->net.q, t->kv[i], x, a->kv, NULL, error);
    }
    sfu_tensor_destroy(x);
    return ok;
}

gboolean sfu_trunk_set_condition(SfuTrunk *t, const SfuCondition *c, GError **error)
{
    sfu_trunk_drop_condition(t);
    if (c->mask) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("the UNet of %s attends either to all tokens or to none"), sfu_model_path(t->net.model));
        return FALSE;
    }
    const gboolean ok = project_context(t, c->tokens, error) && (!t->config->added_width || embed_added(t, c, error)) &&
                        sfu_trunk_set_prompts(t, c, error);
    if (!ok)
        sfu_trunk_drop_condition(t);
    return ok;
}

/* ---- passes ---- */

gboolean sfu_trunk_check(const SfuTrunk *t, const SfuDenoiserInput *in, GError **error)
{
    const SfuUnetConfig *k = t->config;
    const char *path = sfu_model_path(t->net.model);
    const int n = in->x->n, n_kv = t->kv ? t->kv[0]->n : 0, n_added = t->added ? t->added->n : 0;
    const gboolean kv_fits = !t->contexts->len || n_kv == 1 || n_kv == n,
                   added_fits = !k->added_width || n_added == 1 || n_added == n;
    if (in->x->c != k->in_channels) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("the UNet of %s takes %d channels, but was given %d"), path, k->in_channels, in->x->c);
        return FALSE;
    }
    if (!kv_fits || !added_fits) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("the UNet of %s has context for %d samples, but was given %d"), path, kv_fits ? n_added : n_kv,
                    n);
        return FALSE;
    }
    for (int s = 0; k->num_class_embeds && s < n; s++)
        if (!in->class_labels || in->class_labels[s] < 0 || in->class_labels[s] >= k->num_class_embeds) {
            g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                        _("the UNet of %s needs class labels from 0 to %d"), path, k->num_class_embeds - 1);
            return FALSE;
        }
    return TRUE;
}

/* silu(linear_2(silu(linear_1(sinusoids(timestep)))) + class + added). */
SfuTensor *sfu_trunk_embed(const SfuTrunk *t, const SfuDenoiserInput *in, GError **error)
{
    const SfuUnetConfig *k = t->config;
    const SfuNet *net = &t->net;
    const int n = in->x->n, c0 = k->block_out_channels[0], wide = 4 * c0;
    float *host = g_new0(float, (gsize)n *wide);
    SfuTensor *waves = NULL, *h = NULL, *class = NULL, *out = NULL;
    for (int s = 0; s < n; s++)
        sfu_trunk_waves(k, in->timesteps[s], c0, host + (gsize)s * c0);
    waves = sfu_net_rows(net, host, n, 1, c0, error);
    if (!waves)
        goto out;
    if (t->class_table) {
        for (int s = 0; s < n; s++)
            sfu_weight_read_f32(t->class_table, (gint64)in->class_labels[s] * wide, wide, host + (gsize)s * wide);
        if (!(class = sfu_net_rows(net, host, n, 1, wide, error)))
            goto out;
    }
    const SfuEpilogue first = {.bias = t->time1.b, .act = SFU_ACT_SILU},
                      second = {.bias = t->time2.b, .chan = class, .act = t->added ? SFU_ACT_NONE : SFU_ACT_SILU};
    const gboolean ok =
        (h = sfu_net_like(net, waves, wide, error)) && sfu_linear(net->q, h, waves, t->time1.w, &first, error) &&
        (out = sfu_net_like(net, waves, wide, error)) && sfu_linear(net->q, out, h, t->time2.w, &second, error) &&
        (!t->added ||
         (sfu_axpby(net->q, out, 1, out, 1, t->added, error) && sfu_unary(net->q, out, out, SFU_ACT_SILU, 0, error)));
    if (!ok)
        sfu_net_drop(&out);
out:
    sfu_tensor_destroy(waves);
    sfu_tensor_destroy(class);
    sfu_tensor_destroy(h);
    g_free(host);
    return out;
}

/* A view of h, and one of its moments, if it has any, among the skips. */
static gboolean keep_skip(SfuTrunkState *s, GError **error)
{
    const SfuTensor *h = s->h.x, *m = s->h.moments;
    SfuFeature *skip = &s->skips[s->n_skips];
    *skip = (SfuFeature){.x = sfu_tensor_view(h, 0, h->n, h->h, h->w, h->c, error), .shared = TRUE};
    if (!skip->x)
        return FALSE;
    s->n_skips++;
    s->h.shared = TRUE;
    return !m || (skip->moments = sfu_tensor_view(m, 0, m->n, m->h, m->w, m->c, error));
}

gboolean sfu_trunk_begin(const SfuTrunk *t, SfuTrunkState *s, const SfuTensor *x, const SfuTensor *hint, GError **error)
{
    const SfuNet *net = &t->net;
    const SfuConv same = sfu_net_same(net);
    SfuTensor *in = sfu_net_input(net, x, error);
    gboolean ok = in && (s->h.x = sfu_net_like(net, in, t->config->block_out_channels[0], error)) &&
                  sfu_net_moments(net, &s->h.moments, s->h.x, error);
    const gboolean for_all = hint && hint->n != x->n; /* one hint for all samples */
    const SfuEpilogue e = {
        .bias = t->conv_in.b, .residual = for_all ? NULL : hint, .moments = for_all ? NULL : s->h.moments};
    ok = ok && sfu_conv2d(net->q, s->h.x, in, t->conv_in.w, &same, &e, error) &&
         (!for_all || sfu_trunk_add(t, s, hint, error)) && sfu_net_trace(net, s->h.x, error, "conv_in") &&
         keep_skip(s, error);
    sfu_tensor_destroy(in);
    return ok;
}

gboolean sfu_trunk_add(const SfuTrunk *t, SfuTrunkState *s, const SfuTensor *f, GError **error)
{
    const SfuTensor *h = s->h.x;
    const gsize one = (gsize)h->h * (gsize)h->w * (gsize)h->c;
    if ((f->n != 1 && f->n != h->n) || f->h != h->h || f->w != h->w || f->c != h->c) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    "an adapter's feature of %d x %d x %d does not fit the UNet's %d x %d x %d", f->h, f->w, f->c, h->h,
                    h->w, h->c);
        return FALSE;
    }
    gboolean ok = TRUE;
    for (int i = 0; ok && i < h->n; i++) {
        SfuTensor *part = sfu_tensor_view(h, i * one, 1, h->h, h->w, h->c, error);
        SfuTensor *own = part ? sfu_tensor_view(f, f->n == 1 ? 0 : i * one, 1, h->h, h->w, h->c, error) : NULL;
        SfuTensor *in = own ? sfu_net_input(&t->net, own, error) : NULL;
        ok = in && sfu_axpby(t->net.q, part, 1, part, 1, in, error);
        sfu_tensor_destroy(in);
        sfu_tensor_destroy(own);
        sfu_tensor_destroy(part);
    }
    sfu_net_drop(&s->h.moments);
    return ok;
}

static gboolean halve(const SfuTrunk *t, SfuTrunkState *s, int level, const SfuTensor *feature, GError **error)
{
    const SfuNet *net = &t->net;
    const SfuTrunkLevel *l = &t->down[level];
    SfuConv half = sfu_net_same(net);
    half.stride = 2;
    const SfuTensor *h = s->h.x;
    SfuFeature y = {.x = sfu_tensor_create(net->q, net->dtype, h->n, (h->h + 1) / 2, (h->w + 1) / 2, l->c, error)};
    gboolean ok = y.x && sfu_net_moments(net, &y.moments, y.x, error);
    const SfuEpilogue e = {.bias = l->sample.b, .moments = y.moments};
    ok = ok && sfu_conv2d(net->q, y.x, h, l->sample.w, &half, &e, error) &&
         sfu_net_trace(net, y.x, error, "down_blocks.%d.downsamplers.0", level);
    sfu_feature_clear(&s->h);
    s->h = y;
    return ok && (!feature || sfu_trunk_add(t, s, feature, error)) && keep_skip(s, error);
}

gboolean sfu_trunk_down(const SfuTrunk *t, SfuTrunkState *s, const SfuTensor *time, SfuTensor *const *features,
                        int n_features, GError **error)
{
    for (int i = 0; i < t->config->n_blocks; i++) {
        const SfuTrunkLevel *l = &t->down[i];
        const SfuTensor *feature = i < n_features ? features[i] : NULL;
        const gboolean behind = !l->attention && l->sample.w;
        for (int j = 0; j < l->n_layers; j++)
            if (!sfu_resnet_run(&t->net, &l->resnets[j], &s->h, time, error) ||
                (l->attention && !sfu_spatial_run(t, &l->transformers[j], &s->h, error)) ||
                (feature && !behind && j == l->n_layers - 1 && !sfu_trunk_add(t, s, feature, error)) ||
                !keep_skip(s, error))
                return FALSE;
        if (l->sample.w && !halve(t, s, i, behind ? feature : NULL, error))
            return FALSE;
    }
    return TRUE;
}

gboolean sfu_trunk_middle(const SfuTrunk *t, SfuTrunkState *s, const SfuTensor *time, GError **error)
{
    const SfuNet *net = &t->net;
    return !t->has_mid || (sfu_resnet_run(net, &t->mid1, &s->h, time, error) &&
                           (!t->config->mid_attention || sfu_spatial_run(t, &t->mid_transformer, &s->h, error)) &&
                           (!t->has_mid2 || sfu_resnet_run(net, &t->mid2, &s->h, time, error)));
}

void sfu_trunk_state_clear(SfuTrunkState *s)
{
    while (s->n_skips)
        sfu_feature_clear(&s->skips[--s->n_skips]);
    sfu_feature_clear(&s->h);
}
