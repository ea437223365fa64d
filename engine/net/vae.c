/* AutoencoderKL: Rombach 2022, appendix E (Esser 2021's autoencoder). Any levels and widths of its configuration.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/autoencoder.h"
#include "net/parts.h"
#include <math.h>
#include <glib/gi18n-lib.h>

#define MAX_LAYERS 17 /* a level of the decoder, as model/config.c counts them */
#define NORM_EPS 1e-6f
#define SHARED_ROOM                                                                                                    \
    (3ull << 30) /* where memory is the host's: enough for 2048 x 2048 pixels of Stable Diffusion, and less than 4 GB  \
                    in all */
#define MOST_BAND (32u << 20)

/* One head over all pixels, as wide as the level. */
typedef struct {
    char name[72];
    int n_groups;
    SfuLayer norm, out;
    SfuWeight *qkv, *qkv_bias;
} Attention;

typedef struct {
    int n_layers, c;
    SfuResnet resnets[MAX_LAYERS];
    SfuLayer sample; /* to the next level; w NULL at the end */
} Level;

typedef struct {
    SfuLayer conv_in, norm_out, conv_out, quant; /* quant.w NULL: none */
    SfuResnet mid1, mid2;
    Attention attention;
    Level levels[SFU_MAX_BLOCKS];
} Half;

struct SfuVae {
    SfuNet net;
    const SfuVaeConfig *config;
    Half encoder, decoder;
    SfuWeight *mean, *variance;            /* of packed latents; NULL: they are not packed */
    SfuNorms encoder_norms, decoder_norms; /* stats NULL: not learnt */
    guint64 room;                          /* bytes that activations may take */
    gboolean wide;                         /* the pass under way may not store fp16 */
};

/* How a level is run. */
typedef struct {
    SfuDtype dtype;
    gboolean remake; /* its input, enlarged, is made in bands: sfu_upsample_resnet_run() */
    guint64 bytes;   /* most that is live at once */
} Plan;

/* ---- binding ---- */

static void bind_middle(SfuVae *v, Half *half, const char *side, int c)
{
    SfuNet *net = &v->net;
    const int n_groups = v->config->norm_num_groups;
    const SfuResnetShape shape = {.c_in = c, .c_out = c, .n_groups = n_groups, .eps = NORM_EPS};
    char name[72];
    g_snprintf(name, sizeof name, "%s.mid_block.resnets.0", side);
    sfu_resnet_bind(net, &half->mid1, name, shape);
    g_snprintf(name, sizeof name, "%s.mid_block.resnets.1", side);
    sfu_resnet_bind(net, &half->mid2, name, shape);
    if (!v->config->mid_attention)
        return;
    Attention *a = &half->attention;
    a->n_groups = n_groups;
    g_snprintf(a->name, sizeof a->name, "%s.mid_block.attentions.0", side);
    a->norm = sfu_net_norm(net, a->name, "group_norm", c);
    const SfuLayer q = sfu_net_linear(net, a->name, "to_q", c, c, TRUE),
                   k = sfu_net_linear(net, a->name, "to_k", c, c, TRUE),
                   w = sfu_net_linear(net, a->name, "to_v", c, c, TRUE);
    a->qkv = sfu_net_stack(net, (SfuWeight *const[]){q.w, k.w, w.w}, 3);
    a->qkv_bias = sfu_net_stack(net, (SfuWeight *const[]){q.b, k.b, w.b}, 3);
    a->out = sfu_net_linear(net, a->name, "to_out.0", c, c, TRUE);
}

/* Level i of a half, whose width and number of layers are set. */
static void bind_level(SfuVae *v, Level *l, const char *blocks, const char *sampler, int i, int c_in, gboolean last)
{
    char name[72];
    for (int j = 0; j < l->n_layers; j++) {
        g_snprintf(name, sizeof name, "%s.%d.resnets.%d", blocks, i, j);
        sfu_resnet_bind(
            &v->net, &l->resnets[j], name,
            (SfuResnetShape){
                .c_in = j ? l->c : c_in, .c_out = l->c, .n_groups = v->config->norm_num_groups, .eps = NORM_EPS});
    }
    g_snprintf(name, sizeof name, "%s.%d.%s.0", blocks, i, sampler);
    if (!last)
        l->sample = sfu_net_conv(&v->net, name, "conv", l->c, l->c, 3, TRUE);
}

static void bind_encoder(SfuVae *v)
{
    const SfuVaeConfig *k = v->config;
    SfuNet *net = &v->net;
    Half *e = &v->encoder;
    const int *c = k->encoder_block_out_channels, top = k->n_blocks - 1, z2 = 2 * k->latent_channels;
    e->conv_in = sfu_net_conv(net, "encoder", "conv_in", c[0], 3, 3, TRUE);
    for (int i = 0; i <= top; i++) {
        e->levels[i].n_layers = k->layers_per_block;
        e->levels[i].c = c[i];
        bind_level(v, &e->levels[i], "encoder.down_blocks", "downsamplers", i, c[MAX(i - 1, 0)], i == top);
    }
    bind_middle(v, e, "encoder", c[top]);
    e->norm_out = sfu_net_norm(net, "encoder", "conv_norm_out", c[top]);
    e->conv_out = sfu_net_conv(net, "encoder", "conv_out", z2, c[top], 3, TRUE);
    if (k->quant_conv)
        e->quant = sfu_net_linear(net, "", "quant_conv", z2, z2, TRUE);
}

static void bind_decoder(SfuVae *v)
{
    const SfuVaeConfig *k = v->config;
    SfuNet *net = &v->net;
    Half *d = &v->decoder;
    const int *c = k->block_out_channels, top = k->n_blocks - 1, z = k->latent_channels;
    if (k->post_quant_conv)
        d->quant = sfu_net_linear(net, "", "post_quant_conv", z, z, TRUE);
    d->conv_in = sfu_net_conv(net, "decoder", "conv_in", c[top], z, 3, TRUE);
    bind_middle(v, d, "decoder", c[top]);
    for (int i = 0; i <= top; i++) {
        d->levels[i].n_layers = k->layers_per_block + 1;
        d->levels[i].c = c[top - i];
        bind_level(v, &d->levels[i], "decoder.up_blocks", "upsamplers", i, c[MIN(top - i + 1, top)], i == top);
    }
    d->norm_out = sfu_net_norm(net, "decoder", "conv_norm_out", c[0]);
    d->conv_out = sfu_net_conv(net, "decoder", "conv_out", 3, c[0], 3, TRUE);
    if (k->packed) {
        v->mean = sfu_net_vector(net, "bn", "running_mean", 4 * z);
        v->variance = sfu_net_vector(net, "bn", "running_var", 4 * z);
    }
}

static SfuVae *vae_bound(SfuQueue *q, SfuModel *model)
{
    SfuVae *v = g_new0(SfuVae, 1);
    v->config = sfu_model_vae(model);
    sfu_net_init(&v->net, q, model, SFU_PART_VAE);
    /* A file with the decoder alone makes pictures, it only takes none. */
    if (v->config->encoder)
        bind_encoder(v);
    bind_decoder(v);
    return v;
}

SfuVae *sfu_vae_create(SfuQueue *q, SfuModel *model, GError **error)
{
    if (!sfu_model_has_part(model, SFU_PART_VAE)) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, _("%s has no VAE"), sfu_model_path(model));
        return NULL;
    }
    SfuVae *v = vae_bound(q, model);
    const guint64 room = sfu_net_room(q);
    sfu_vae_set_room(v, sfu_queue_device(q)->unified_memory || sfu_queue_device(q)->is_cpu ? MIN(room, SHARED_ROOM)
                                                                                           : room);
    if (sfu_net_check(&v->net, error))
        return v;
    sfu_vae_destroy(v);
    return NULL;
}

void sfu_vae_expect(SfuModel *model)
{
    SfuVae *v = vae_bound(NULL, model);
    sfu_net_note(&v->net);
    sfu_vae_destroy(v);
}

void sfu_vae_destroy(SfuVae *v)
{
    if (!v)
        return;
    sfu_vae_forget_norms(v);
    sfu_net_finish(&v->net);
    g_free(v);
}

void sfu_vae_set_wrap(SfuVae *v, int wrap)
{
    v->net.wrap = wrap;
}
int sfu_vae_factor(const SfuVae *v)
{
    return 1 << (v->config->n_blocks - 1);
}
guint64 sfu_vae_room(const SfuVae *v)
{
    return v->room;
}

void sfu_vae_set_room(SfuVae *v, guint64 bytes)
{
    v->room = bytes;
    v->net.band_bytes = (gsize)MIN(bytes / 24, MOST_BAND);
}

/* ---- plans ---- */

/* Bytes that are live at once in level i of `half` by that plan, `pixels` at its own size over n samples. */
static guint64 level_bytes(const SfuVae *v, const Half *half, gboolean up, int i, int n, guint64 pixels,
                           const Plan *plan)
{
    const Level *l = &half->levels[i];
    const gboolean remake = plan->remake;
    const guint64 size = sfu_dtype_bytes(plan->dtype), c0 = (guint64)l->resnets[0].c_in;
    guint64 most = up && i && !remake ? c0 * pixels + c0 * pixels / 4 : 0, largest = 0, bands = 0;
    for (int j = 0; j < l->n_layers; j++) {
        const SfuResnet *r = &l->resnets[j];
        const guint64 in = (guint64)r->c_in, out = (guint64)r->c_out;
        /* Its input, its first half's result, the shortcut's; or, in one piece, a normed copy. */
        const gboolean whole = n > 1 || in * pixels * size < 2 * v->net.band_bytes;
        const guint64 x = j || !remake ? in : in / 4;
        if (!whole)
            bands = 3 * v->net.band_bytes; /* a band, and its convolution's scratch */
        most = MAX(most, (x + (r->shortcut.w ? 2 : whole ? 2 : 1) * out) * pixels);
        largest = MAX(largest, MAX(x, out) * pixels);
    }
    if (l->sample.w && !up)
        most = MAX(most, 5 * (guint64)l->c * pixels / 4);
    const guint64 limit = sfu_queue_device(v->net.q)->max_alloc_bytes;
    return limit && largest * size > limit ? G_MAXUINT64 : most * size + bands;
}

/* The first way to run level i, from the most exact and quickest to the leanest, that the room is enough for, else the
 * leanest. [h, w]: its pixels. */
static Plan plan_level(const SfuVae *v, const Half *half, gboolean up, int i, int n, int h, int w)
{
    const gboolean can_remake = up && i && n == 1 && half->levels[i].resnets[0].shortcut.w;
    const guint64 pixels = (guint64)n * (guint64)h * (guint64)w;
    const SfuDtype act = v->wide ? SFU_F32 : sfu_queue_act_dtype(v->net.q);
    Plan p = {.bytes = G_MAXUINT64};
    for (int k = 0; k < 4; k++) {
        const Plan next = {.dtype = k < 2 || v->wide ? act : SFU_F16, .remake = k % 2};
        if (next.remake && !can_remake)
            continue;
        const guint64 bytes = level_bytes(v, half, up, i, n, pixels, &next);
        if (bytes < p.bytes) {
            p = next;
            p.bytes = bytes;
        }
        if (bytes <= v->room)
            break;
    }
    return p;
}

static guint64 peak_bytes(const SfuVae *v, const Half *half, gboolean up, int n, int h, int w)
{
    const SfuVaeConfig *k = v->config;
    const int *c = up ? k->block_out_channels : k->encoder_block_out_channels;
    const guint64 latent = (guint64)n * (guint64)h * (guint64)w, c_mid = (guint64)c[k->n_blocks - 1];
    /* x, its norm, q, k, v; and k, v packed for the kernel in fp32. */
    guint64 most = (k->mid_attention ? 7 : 3) * c_mid * latent * sfu_dtype_bytes(sfu_queue_act_dtype(v->net.q));
    for (int i = 0; i < k->n_blocks; i++) {
        const int doublings = up ? i : k->n_blocks - 1 - i;
        most = MAX(most, plan_level(v, half, up, i, n, h << doublings, w << doublings).bytes);
    }
    return most;
}

guint64 sfu_vae_decode_bytes(const SfuVae *v, int n, int h, int w)
{
    return peak_bytes(v, &v->decoder, TRUE, n, h, w);
}
guint64 sfu_vae_encode_bytes(const SfuVae *v, int n, int h, int w)
{
    return peak_bytes(v, &v->encoder, FALSE, n, h, w);
}

/* ---- passes ---- */

/* f [n, h, w, c], changed in place: f += out(attention(norm(f))). */
static gboolean attend(const SfuNet *net, const Attention *a, const SfuFeature *f, GError **error)
{
    SfuTensor *x = f->x;
    SfuTensor *tokens = sfu_tensor_view(x, 0, x->n, 1, x->h * x->w, x->c, error), *t = NULL, *qkv = NULL;
    const SfuAttention one = {.n_heads = 1, .head_dim = x->c, .k_col = x->c, .v_col = 2 * x->c};
    const SfuEpilogue bias = {.bias = a->qkv_bias}, add = {.bias = a->out.b, .residual = tokens, .moments = f->moments};
    const gboolean ok =
        tokens && (t = sfu_net_like(net, tokens, x->c, error)) && (qkv = sfu_net_like(net, tokens, 3 * x->c, error)) &&
        sfu_net_group_norm(net, t, tokens, f->moments, (SfuGroupNorm){a->norm, a->n_groups, NORM_EPS}, SFU_ACT_NONE,
                           error) &&
        sfu_linear(net->q, qkv, t, a->qkv, &bias, error) && sfu_attention(net->q, t, qkv, qkv, qkv, &one, error) &&
        sfu_linear(net->q, tokens, t, a->out.w, &add, error) && sfu_net_trace(net, x, error, "%s", a->name);
    sfu_tensor_destroy(qkv);
    sfu_tensor_destroy(t);
    sfu_tensor_destroy(tokens);
    return ok;
}

static gboolean middle(const SfuVae *v, const Half *half, SfuFeature *f, GError **error)
{
    return sfu_resnet_run(&v->net, &half->mid1, f, NULL, error) &&
           (!v->config->mid_attention || attend(&v->net, &half->attention, f, error)) &&
           sfu_resnet_run(&v->net, &half->mid2, f, NULL, error);
}

/* conv_out(silu(norm_out(f))). */
static SfuTensor *finish(const SfuVae *v, const Half *half, const SfuFeature *f, const char *name, GError **error)
{
    const SfuNet *net = &v->net;
    const SfuEpilogue bias = {.bias = half->conv_out.b};
    SfuTensor *y = sfu_net_like(net, f->x, (int)sfu_weight_dim(half->conv_out.w, 0), error);
    const SfuGroupNorm norm = {half->norm_out, v->config->norm_num_groups, NORM_EPS};
    if (y && (!sfu_norm_conv_run(net, y, (SfuNormInput){f->x, f->moments, TRUE}, norm, &half->conv_out, &bias, error) ||
              !sfu_net_trace(net, y, error, "%s", name)))
        sfu_net_drop(&y);
    return y;
}

/* The 1x1 convolution between the halves and the latents, or x itself where there is none; x is taken. */
static SfuTensor *quantise(const SfuNet *net, const SfuLayer *quant, SfuTensor *x, GError **error)
{
    if (!quant->w)
        return x;
    const SfuEpilogue bias = {.bias = quant->b};
    SfuTensor *y = sfu_net_like(net, x, x->c, error);
    if (y && !sfu_linear(net->q, y, x, quant->w, &bias, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(x);
    return y;
}

/* A 3x3 convolution as a step of its own; x is taken. */
static SfuTensor *convolve(const SfuNet *net, const SfuLayer *l, SfuTensor *x, const char *name, GError **error)
{
    SfuTensor *y = sfu_net_like(net, x, (int)sfu_weight_dim(l->w, 0), error);
    if (y && (!sfu_net_conv3(net, y, x, l, NULL, error) || !sfu_net_trace(net, y, error, "%s", name)))
        sfu_net_drop(&y);
    sfu_tensor_destroy(x);
    return y;
}

/* Stride 2 with a row and a column of zeros (or what wraps round) below and to the right only, as the first
 * implementation pads; x is taken. */
static SfuTensor *downsample(const SfuNet *net, const SfuLayer *l, SfuTensor *x, int i, GError **error)
{
    const SfuConv half = {.stride = 2, .pad_bottom = 1, .pad_right = 1, .circular = net->wrap};
    const SfuEpilogue bias = {.bias = l->b};
    SfuTensor *y = sfu_tensor_create(net->q, net->dtype, x->n, x->h / 2, x->w / 2, x->c, error);
    if (y && (!sfu_conv2d(net->q, y, x, l->w, &half, &bias, error) ||
              !sfu_net_trace(net, y, error, "encoder.down_blocks.%d.downsamplers.0", i)))
        sfu_net_drop(&y);
    sfu_tensor_destroy(x);
    return y;
}

/* From here on the pass stores `dtype`; x is taken. */
static SfuTensor *store_as(SfuVae *v, SfuDtype dtype, SfuTensor *x, GError **error)
{
    v->net.dtype = dtype;
    SfuTensor *y = sfu_net_input(&v->net, x, error);
    sfu_tensor_destroy(x);
    return y;
}

static gboolean encode_level(SfuVae *v, int i, SfuFeature *f, GError **error)
{
    const SfuNet *net = &v->net;
    const Half *e = &v->encoder;
    const Level *l = &e->levels[i];
    if (!(f->x = store_as(v, plan_level(v, e, FALSE, i, f->x->n, f->x->h, f->x->w).dtype, f->x, error)) ||
        (i == 0 && !(f->x = convolve(net, &e->conv_in, f->x, "encoder.conv_in", error))))
        return FALSE;
    for (int j = 0; j < l->n_layers; j++)
        if (!sfu_resnet_run(net, &l->resnets[j], f, NULL, error))
            return FALSE;
    if (!l->sample.w)
        return TRUE;
    sfu_net_drop(&f->moments);
    return (f->x = downsample(net, &l->sample, f->x, i, error)) != NULL;
}

static SfuTensor *encode(SfuVae *v, const SfuTensor *x, GError **error)
{
    const SfuDtype act = v->net.dtype;
    SfuFeature f = {.x = sfu_tensor_view(x, 0, x->n, x->h, x->w, x->c, error)};
    SfuTensor *out = NULL;
    gboolean ok = f.x != NULL;
    for (int i = 0; ok && i < v->config->n_blocks; i++)
        ok = encode_level(v, i, &f, error);
    if (ok && (f.x = store_as(v, act, f.x, error)) && middle(v, &v->encoder, &f, error))
        out = finish(v, &v->encoder, &f, "encoder.conv_out", error);
    sfu_feature_clear(&f);
    return out ? quantise(&v->net, &v->encoder.quant, out, error) : NULL;
}

static gboolean decode_level(SfuVae *v, int i, SfuFeature *f, GError **error)
{
    const SfuNet *net = &v->net;
    const Half *d = &v->decoder;
    const Level *l = &d->levels[i];
    const SfuLayer *up = i ? &d->levels[i - 1].sample : NULL;
    const int h = (up ? 2 : 1) * f->x->h, w = (up ? 2 : 1) * f->x->w;
    const Plan p = plan_level(v, d, TRUE, i, f->x->n, h, w);
    gboolean ok = (f->x = store_as(v, p.dtype, f->x, error)) != NULL;
    if (ok && p.remake)
        ok = sfu_upsample_resnet_run(net, up, &l->resnets[0], f, error);
    else if (ok && up)
        ok = sfu_upsample_run(net, up, f, h, w, TRUE, error) &&
             sfu_net_trace(net, f->x, error, "decoder.up_blocks.%d.upsamplers.0", i - 1);
    for (int j = p.remake; ok && j < l->n_layers; j++)
        ok = sfu_resnet_run(net, &l->resnets[j], f, NULL, error);
    return ok;
}

static SfuTensor *decode(SfuVae *v, const SfuTensor *z, GError **error)
{
    const SfuNet *net = &v->net;
    const Half *d = &v->decoder;
    SfuTensor *h = sfu_net_input(net, z, error), *out = NULL;
    h = h ? quantise(net, &d->quant, h, error) : NULL;
    SfuFeature f = {.x = h ? convolve(net, &d->conv_in, h, "decoder.conv_in", error) : NULL};
    gboolean ok = f.x && middle(v, d, &f, error);
    for (int i = 0; ok && i < v->config->n_blocks; i++)
        ok = decode_level(v, i, &f, error);
    if (ok)
        out = finish(v, d, &f, "decoder.conv_out", error);
    sfu_feature_clear(&f);
    return out;
}

typedef SfuTensor *(*Pass)(SfuVae *v, const SfuTensor *x, GError **error);

/* One pass; `wide`: nothing is stored as fp16. The result is in the queue's dtype. Norms without stats are not shared.
 */
static SfuTensor *run_in(SfuVae *v, Pass pass, SfuNorms *norms, gboolean wide, const SfuTensor *x, GError **error)
{
    const SfuDtype act = wide ? SFU_F32 : sfu_queue_act_dtype(v->net.q);
    v->wide = wide;
    v->net.dtype = act;
    v->net.norms = norms->stats ? norms : NULL;
    norms->at = 0;
    if (norms->learning)
        g_ptr_array_set_size(norms->stats, 0);
    SfuTensor *y = pass(v, x, error);
    v->wide = FALSE;
    return y ? store_as(v, act, y, error) : NULL;
}

static gboolean stores_fp16(const SfuVae *v, gboolean decoder, const SfuTensor *x)
{
    const Half *half = decoder ? &v->decoder : &v->encoder;
    gboolean any = sfu_queue_act_dtype(v->net.q) == SFU_F16;
    for (int i = 0; i < v->config->n_blocks; i++)
        any |= plan_level(v, half, decoder, i, x->n, decoder ? x->h << i : x->h >> i, decoder ? x->w << i : x->w >> i)
                   .dtype == SFU_F16;
    return any;
}

/* As the queue and the room say, and once more in fp32 if fp16 overflowed: some VAEs in use do so with ordinary
 * pictures. */
static gboolean run(SfuVae *v, gboolean decoder, SfuTensor **out, const SfuTensor *x, GError **error)
{
    const Pass pass = decoder ? decode : encode;
    SfuNorms *norms = decoder ? &v->decoder_norms : &v->encoder_norms;
    gint64 n_bad = 0;
    *out = run_in(v, pass, norms, FALSE, x, error);
    if (!*out || !stores_fp16(v, decoder, x))
        return *out != NULL;
    if (sfu_count_nonfinite(v->net.q, *out, &n_bad, error) && !n_bad)
        return TRUE;
    sfu_net_drop(out);
    if (!n_bad)
        return FALSE;
    *out = run_in(v, pass, norms, TRUE, x, error);
    return *out != NULL;
}

static void forget(SfuNorms *norms)
{
    g_clear_pointer(&norms->stats, g_ptr_array_unref);
    *norms = (SfuNorms){0};
}

void sfu_vae_forget_norms(SfuVae *v)
{
    forget(&v->encoder_norms);
    forget(&v->decoder_norms);
}

gboolean sfu_vae_learn_norms(SfuVae *v, gboolean decoder, const SfuTensor *small, GError **error)
{
    SfuNorms *norms = decoder ? &v->decoder_norms : &v->encoder_norms;
    SfuTensor *out;
    forget(norms);
    *norms = (SfuNorms){.stats = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_tensor_destroy), .learning = TRUE};
    const gboolean ok = decoder ? sfu_vae_decode(v, &out, small, error) : sfu_vae_encode(v, &out, small, error);
    norms->learning = FALSE;
    sfu_tensor_destroy(out);
    if (!ok)
        forget(norms);
    return ok;
}

gboolean sfu_vae_encode(SfuVae *v, SfuTensor **moments, const SfuTensor *x, GError **error)
{
    const int f = sfu_vae_factor(v);
    *moments = NULL;
    if (!v->config->encoder) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING,
                    _("%s has no encoder: its VAE only makes pictures from latents"), sfu_model_path(v->net.model));
        return FALSE;
    }
    if (x->c != 3 || x->h % f || x->w % f) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("the VAE encodes RGB in multiples of %d pixels, was given %d x %d x %d"), f, x->w, x->h, x->c);
        return FALSE;
    }
    return run(v, FALSE, moments, x, error);
}

gboolean sfu_vae_decode(SfuVae *v, SfuTensor **x, const SfuTensor *z, GError **error)
{
    *x = NULL;
    if (z->c != v->config->latent_channels) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("the VAE decodes latents of %d channels, but was given %d"), v->config->latent_channels, z->c);
        return FALSE;
    }
    return run(v, TRUE, x, z, error);
}

/* ---- as an autoencoder ---- */

static void face_destroy(gpointer net)
{
    sfu_vae_destroy(net);
}
static gboolean face_encode(gpointer net, SfuTensor **out, const SfuTensor *x, GError **error)
{
    return sfu_vae_encode(net, out, x, error);
}
static gboolean face_decode(gpointer net, SfuTensor **out, const SfuTensor *z, GError **error)
{
    return sfu_vae_decode(net, out, z, error);
}
static guint64 face_room(gconstpointer net)
{
    return sfu_vae_room(net);
}

static guint64 face_bytes(gconstpointer net, gboolean decode, int h, int w)
{
    return decode ? sfu_vae_decode_bytes(net, 1, h, w) : sfu_vae_encode_bytes(net, 1, h, w);
}

static gboolean face_learn_norms(gpointer net, gboolean decode, const SfuTensor *small, GError **error)
{
    return sfu_vae_learn_norms(net, decode, small, error);
}

static void face_forget_norms(gpointer net)
{
    sfu_vae_forget_norms(net);
}

static void face_set_wrap(gpointer net, int wrap)
{
    sfu_vae_set_wrap(net, wrap);
}

static const SfuAutoencoderClass vae_class = {face_destroy, face_encode,      face_decode,       face_room,
                                              face_bytes,   face_learn_norms, face_forget_norms, face_set_wrap};

/* Takes a. NULL with FORMAT if the file's statistics are none. */
static SfuAutoencoder *pack(const SfuVae *v, SfuAutoencoder *a, GError **error)
{
    const int n = 4 * a->channels;
    float *mean = g_new(float, n), *deviation = g_new(float, n);
    SfuAutoencoder *packed = NULL;
    sfu_weight_read_f32(v->mean, 0, n, mean);
    sfu_weight_read_f32(v->variance, 0, n, deviation);
    int bad = -1;
    for (int i = 0; i < n; i++) {
        deviation[i] = sqrtf(deviation[i] + v->config->packed_eps);
        if (!(deviation[i] > 0) || !isfinite(deviation[i]) || !isfinite(mean[i]))
            bad = i;
    }
    if (bad < 0)
        packed = sfu_packed_autoencoder(v->net.q, a, mean, deviation);
    else
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT,
                    _("%s: the statistics of the latents (bn.) are impossible at channel %d"),
                    sfu_model_path(v->net.model), bad);
    if (!packed)
        sfu_autoencoder_destroy(a);
    g_free(mean);
    g_free(deviation);
    return packed;
}

SfuAutoencoder *sfu_vae_autoencoder(SfuQueue *q, SfuModel *model, GError **error)
{
    SfuVae *v = sfu_vae_create(q, model, error);
    if (!v)
        return NULL;
    const SfuVaeConfig *k = v->config;
    const SfuAutoencoder a = {&vae_class, v, sfu_vae_factor(v), k->latent_channels, k->scaling_factor, k->shift_factor};
    SfuAutoencoder *copy = g_memdup2(&a, sizeof a);
    return k->packed ? pack(v, copy, error) : copy;
}
