/* TAESD, the tiny autoencoder: github.com/madebyollin/taesd (Bohan 2023). Each half is a plain sequence of layers.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/autoencoder.h"
#include "net/parts.h"
#include <string.h>
#include <glib/gi18n-lib.h>

/* c: 3x3 convolution; r: ReLU; b: block, x -> relu(x + conv(relu(conv(relu(conv(x)))))), in FLUX.2's (TAEF2) at the
 * lowest level after x -> x + conv(relu(group_norm(conv(x)))) with 1x1 convolutions to four times the width; d: 3x3
 * convolution of stride 2, no bias; u: nearest 2x (a layer of its own in the numbering), then a 3x3 convolution, no
 * bias. */
#define ENCODER "cbdbbbdbbbdbbbc"
#define DECODER "crbbbubbbubbbubc"
#define FACTOR 8
#define MAX_STEPS 16
#define PACKED_CHANNELS 32
#define POOL_GROUPS 4
#define POOL_EPS 1e-5f

typedef struct {
    char kind, name[32];
    SfuLayer l[3];                /* a block has three */
    SfuLayer widen, norm, narrow; /* w NULL: the block does not look at the whole first */
} Step;

typedef struct {
    SfuNet net;
    int n_steps, c_in, c_out;
    Step steps[MAX_STEPS];
} Half;

struct SfuTaesd {
    Half encoder, decoder; /* net.q NULL: the model lacks this half */
};

static void bind_half(Half *half, SfuQueue *q, SfuModel *model, SfuPart part)
{
    const gboolean encoder = part == SFU_PART_TAESD_ENCODER;
    SfuNet *net = &half->net;
    const char *kinds = encoder ? ENCODER : DECODER;
    sfu_net_init(net, q, model, part);
    const int c = MAX(1, sfu_net_dim(net, "", "layers.0.weight", 0));
    int index = 0;
    half->n_steps = (int)strlen(kinds);
    half->c_in = encoder ? 3 : MAX(1, sfu_net_dim(net, "", "layers.0.weight", 1));
    half->c_out = encoder ? MAX(1, sfu_net_dim(net, "", "layers.14.weight", 0)) : 3;
    for (int i = 0; i < half->n_steps; i++, index++) {
        Step *s = &half->steps[i];
        s->kind = kinds[i];
        index += s->kind == 'u';
        g_snprintf(s->name, sizeof s->name, "layers.%d", index);
        if (s->kind == 'c')
            s->l[0] =
                sfu_net_conv(net, "", s->name, i + 1 < half->n_steps ? c : half->c_out, i ? c : half->c_in, 3, TRUE);
        else if (s->kind == 'd' || s->kind == 'u')
            s->l[0] = sfu_net_conv(net, "", s->name, c, c, 3, FALSE);
        else if (s->kind == 'b')
            for (int j = 0; j < 3; j++) {
                char conv[8];
                g_snprintf(conv, sizeof conv, "conv.%d", 2 * j);
                s->l[j] = sfu_net_conv(net, s->name, conv, c, c, 3, TRUE);
            }
        if (s->kind == 'b' && sfu_model_has_module(model, part, "%s.pool.", s->name)) {
            s->widen = sfu_net_conv(net, s->name, "pool.0", 4 * c, c, 1, FALSE);
            s->norm = sfu_net_norm(net, s->name, "pool.1", 4 * c);
            s->narrow = sfu_net_conv(net, s->name, "pool.3", c, 4 * c, 1, FALSE);
        }
    }
}

SfuTaesd *sfu_taesd_create(SfuQueue *q, SfuModel *model, GError **error)
{
    SfuTaesd *t = g_new0(SfuTaesd, 1);
    const gboolean encoder = sfu_model_has_part(model, SFU_PART_TAESD_ENCODER),
                   decoder = sfu_model_has_part(model, SFU_PART_TAESD_DECODER);
    if (!encoder && !decoder)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, _("%s has no TAESD"), sfu_model_path(model));
    if (encoder)
        bind_half(&t->encoder, q, model, SFU_PART_TAESD_ENCODER);
    if (decoder)
        bind_half(&t->decoder, q, model, SFU_PART_TAESD_DECODER);
    if ((encoder || decoder) && (!encoder || sfu_net_check(&t->encoder.net, error)) &&
        (!decoder || sfu_net_check(&t->decoder.net, error)))
        return t;
    sfu_taesd_destroy(t);
    return NULL;
}

void sfu_taesd_expect(SfuModel *model)
{
    static const SfuPart parts[] = {SFU_PART_TAESD_ENCODER, SFU_PART_TAESD_DECODER};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        Half half = {0};
        if (!sfu_model_has_part(model, parts[i]))
            continue;
        bind_half(&half, NULL, model, parts[i]);
        sfu_net_note(&half.net);
        sfu_net_finish(&half.net);
    }
}

void sfu_taesd_destroy(SfuTaesd *t)
{
    if (!t)
        return;
    sfu_net_finish(&t->encoder.net);
    sfu_net_finish(&t->decoder.net);
    g_free(t);
}

/* x is changed in place. */
static gboolean look_around(const SfuNet *net, const Step *s, SfuTensor *x, GError **error)
{
    SfuTensor *wide = sfu_net_like(net, x, 4 * x->c, error);
    const SfuEpilogue add = {.residual = x};
    const gboolean ok =
        wide && sfu_linear(net->q, wide, x, s->widen.w, NULL, error) &&
        sfu_group_norm(net->q, wide, wide, s->norm.w, s->norm.b, POOL_GROUPS, POOL_EPS, SFU_ACT_NONE, error) &&
        sfu_unary(net->q, wide, wide, SFU_ACT_RELU, 0, error) && sfu_linear(net->q, x, wide, s->narrow.w, &add, error);
    sfu_tensor_destroy(wide);
    return ok;
}

/* x is taken. */
static SfuTensor *run_block(const SfuNet *net, const Step *s, SfuTensor *x, GError **error)
{
    const SfuConv same = sfu_net_same(net);
    SfuTensor *a = sfu_net_like(net, x, x->c, error), *b = sfu_net_like(net, x, x->c, error);
    const SfuEpilogue first = {.bias = s->l[0].b, .act = SFU_ACT_RELU},
                      second = {.bias = s->l[1].b, .act = SFU_ACT_RELU};
    if (!a || !b || (s->widen.w && !look_around(net, s, x, error)) ||
        !sfu_conv2d(net->q, a, x, s->l[0].w, &same, &first, error) ||
        !sfu_conv2d(net->q, b, a, s->l[1].w, &same, &second, error) || !sfu_net_conv3(net, x, b, &s->l[2], x, error) ||
        !sfu_unary(net->q, x, x, SFU_ACT_RELU, 0, error))
        sfu_net_drop(&x);
    sfu_tensor_destroy(a);
    sfu_tensor_destroy(b);
    return x;
}

/* A convolution of its own, 'c' or 'd'; x is taken. */
static SfuTensor *convolve(const Half *half, const Step *s, SfuTensor *x, GError **error)
{
    const SfuNet *net = &half->net;
    SfuConv conv = sfu_net_same(net);
    conv.stride = s->kind == 'd' ? 2 : 1;
    const SfuEpilogue bias = {.bias = s->l[0].b};
    SfuTensor *y = sfu_tensor_create(net->q, net->dtype, x->n, (x->h + conv.stride - 1) / conv.stride,
                                     (x->w + conv.stride - 1) / conv.stride, (int)sfu_weight_dim(s->l[0].w, 0), error);
    if (y && !sfu_conv2d(net->q, y, x, s->l[0].w, &conv, &bias, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(x);
    return y;
}

/* x is taken. */
static SfuTensor *run_steps(const Half *half, SfuTensor *x, GError **error)
{
    const SfuNet *net = &half->net;
    for (int i = 0; x && i < half->n_steps; i++) {
        const Step *s = &half->steps[i];
        if (s->kind == 'b') {
            x = run_block(net, s, x, error);
        } else if (s->kind == 'u') {
            SfuFeature f = {.x = x};
            sfu_upsample_run(net, &s->l[0], &f, 2 * x->h, 2 * x->w, FALSE, error);
            x = f.x;
        } else if (s->kind != 'r')
            x = convolve(half, s, x, error);
        else if (!sfu_unary(net->q, x, x, SFU_ACT_RELU, 0, error))
            sfu_net_drop(&x);
        if (x && !sfu_net_trace(net, x, error, "%s.%s", sfu_part_name(net->part), s->name))
            sfu_net_drop(&x);
    }
    return x;
}

static gboolean check_sides(const SfuTaesd *t, const Half *half, const SfuTensor *x, int multiple, GError **error)
{
    const SfuNet *other = half == &t->encoder ? &t->decoder.net : &t->encoder.net;
    if (!half->net.q)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, _("%s has only TAESD's %s"),
                    sfu_model_path(other->model), other == &t->encoder.net ? "encoder" : "decoder");
    else if (x->c != half->c_in || x->h % multiple || x->w % multiple)
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("TAESD takes %d channels in multiples of %d, was given %d x %d x %d"), half->c_in, multiple, x->w,
                    x->h, x->c);
    else
        return TRUE;
    return FALSE;
}

/* The network itself works on colors from 0 to 1. */
gboolean sfu_taesd_encode(SfuTaesd *t, SfuTensor **latents, const SfuTensor *x, GError **error)
{
    *latents = NULL;
    if (!check_sides(t, &t->encoder, x, FACTOR, error))
        return FALSE;
    const SfuNet *net = &t->encoder.net;
    SfuTensor *in = sfu_net_input(net, x, error), *h = in ? sfu_net_like(net, in, in->c, error) : NULL;
    if (h && !sfu_axpby(net->q, h, 0.5f, in, 0.5f, NULL, error))
        sfu_net_drop(&h);
    sfu_tensor_destroy(in);
    *latents = h ? run_steps(&t->encoder, h, error) : NULL;
    return *latents != NULL;
}

gboolean sfu_taesd_decode(SfuTaesd *t, SfuTensor **x, const SfuTensor *z, GError **error)
{
    *x = NULL;
    if (!check_sides(t, &t->decoder, z, 1, error))
        return FALSE;
    const SfuNet *net = &t->decoder.net;
    SfuTensor *in = sfu_net_input(net, z, error), *h = in ? sfu_net_like(net, in, in->c, error) : NULL;
    if (h && !sfu_unary(net->q, h, in, SFU_ACT_SOFT_CLAMP, 0, error))
        sfu_net_drop(&h);
    sfu_tensor_destroy(in);
    h = h ? run_steps(&t->decoder, h, error) : NULL;
    if (h && !sfu_axpby(net->q, h, 2, h, -1, NULL, error))
        sfu_net_drop(&h);
    *x = h;
    return h != NULL;
}

/* ---- as an autoencoder ---- */

#define MOST_ROOM (2ull << 30)

static void face_destroy(gpointer net)
{
    sfu_taesd_destroy(net);
}
static gboolean face_encode(gpointer net, SfuTensor **out, const SfuTensor *x, GError **error)
{
    return sfu_taesd_encode(net, out, x, error);
}
static gboolean face_decode(gpointer net, SfuTensor **out, const SfuTensor *z, GError **error)
{
    return sfu_taesd_decode(net, out, z, error);
}

static guint64 face_room(gconstpointer net)
{
    const SfuTaesd *t = net;
    return MIN(sfu_net_room(t->decoder.net.q ? t->decoder.net.q : t->encoder.net.q), MOST_ROOM);
}

/* Three tensors of 64 channels at the picture's size. */
static guint64 face_bytes(gconstpointer net, gboolean decode, int h, int w)
{
    return (guint64)w * (guint64)h * FACTOR * FACTOR * 64 * sizeof(float) * 3;
}

static void face_set_wrap(gpointer net, int wrap)
{
    SfuTaesd *t = net;
    t->encoder.net.wrap = t->decoder.net.wrap = wrap;
}

static const SfuAutoencoderClass taesd_class = {.destroy = face_destroy,
                                                .encode = face_encode,
                                                .decode = face_decode,
                                                .room = face_room,
                                                .bytes = face_bytes,
                                                .set_wrap = face_set_wrap};

SfuAutoencoder *sfu_taesd_autoencoder(SfuQueue *q, SfuModel *model, GError **error)
{
    SfuTaesd *t = sfu_taesd_create(q, model, error);
    if (!t)
        return NULL;
    const Half *half = t->decoder.net.q ? &t->decoder : &t->encoder;
    const SfuAutoencoder a = {&taesd_class, t, FACTOR, half == &t->decoder ? half->c_in : half->c_out, 1, 0};
    SfuAutoencoder *copy = g_memdup2(&a, sizeof a);
    /* Only FLUX.2's has 32 channels; its denoiser sees them packed, normalized as they are here. */
    return a.channels == PACKED_CHANNELS ? sfu_packed_autoencoder(q, copy, NULL, NULL) : copy;
}
