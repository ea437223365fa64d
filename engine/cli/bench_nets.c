/* `sfumato bench --model`: whole networks of a model at full size.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/bench_nets.h"
#include "family/family.h"
#include "net/net.h"

typedef struct {
    SfuQueue *q;
    SfuTextEncoder *text;
    SfuUnet *unet;
    SfuVae *vae;
    SfuTensor *x;
    int n; /* samples */
} Job;

static SfuTensor *noise(SfuQueue *q, int n, int h, int w, int c, GError **error)
{
    SfuTensor *t = sfu_tensor_create(q, sfu_queue_act_dtype(q), n, h, w, c, error);
    if (!t)
        return NULL;
    GRand *r = g_rand_new_with_seed(1);
    const gint64 count = sfu_tensor_elements(t);
    float *v = g_new(float, count);
    for (gint64 i = 0; i < count; i++)
        v[i] = (float)g_rand_double_range(r, -1.7, 1.7); /* about unit variance */
    g_rand_free(r);
    if (!sfu_tensor_write(t, v, error)) {
        sfu_tensor_destroy(t);
        t = NULL;
    }
    g_free(v);
    return t;
}

static gboolean run_text(gpointer data, GError **error)
{
    Job *j = data;
    gint32 tokens[2 * SFU_TEXT_TOKENS];
    for (int i = 0; i < 2 * SFU_TEXT_TOKENS; i++)
        tokens[i] = i % SFU_TEXT_TOKENS;
    SfuTensor *hidden = NULL;
    const gboolean ok = sfu_text_encoder_run(j->text, &hidden, NULL, &(SfuTextInput){tokens, 2}, error);
    sfu_tensor_destroy(hidden);
    return ok;
}

static gboolean run_unet(gpointer data, GError **error)
{
    Job *j = data;
    const float timesteps[2] = {500, 500};
    const int labels[2] = {0, 0};
    SfuTensor *out = NULL;
    const gboolean ok = sfu_unet_forward(
        j->unet, &out, &(SfuDenoiserInput){.x = j->x, .timesteps = timesteps, .class_labels = labels}, error);
    sfu_tensor_destroy(out);
    return ok;
}

static gboolean run_decode(gpointer data, GError **error)
{
    Job *j = data;
    SfuTensor *out = NULL;
    const gboolean ok = sfu_vae_decode(j->vae, &out, j->x, error);
    sfu_tensor_destroy(out);
    return ok;
}

static gboolean bench_text(SfuQueue *q, SfuModel *m, SfuBenchCase fn, gpointer data, GError **error)
{
    Job j = {.q = q, .text = sfu_text_encoder_create(q, m, SFU_PART_TEXT, error)};
    const gboolean ok = j.text && fn("text encoder, batch 2", run_text, &j, data, error);
    sfu_text_encoder_destroy(j.text);
    return ok;
}

static gboolean bench_unet(SfuQueue *q, SfuModel *m, int side_px, SfuBenchCase fn, gpointer data, GError **error)
{
    const SfuUnetConfig *c = sfu_model_unet(m);
    Job j = {.q = q, .n = 2, .unet = sfu_unet_create(q, m, error)};
    SfuTensor *context =
        j.unet && c->cross_attention_dim > 0 ? noise(q, 2, 1, SFU_TEXT_TOKENS, c->cross_attention_dim, error) : NULL;
    char *name = g_strdup_printf("UNet, batch 2, %d px", side_px);
    /* What is added to the timestep costs next to nothing, whatever it is. */
    float *added = g_new0(float, 2 * MAX(1, c->added_width));
    const SfuCondition condition = {.tokens = context, .n = 2, .pooled = added, .pooled_width = c->added_width};
    const gboolean ok =
        j.unet && (c->cross_attention_dim == 0 || (context && sfu_unet_set_condition(j.unet, &condition, error))) &&
        (j.x = noise(q, 2, side_px / 8, side_px / 8, c->in_channels, error)) && fn(name, run_unet, &j, data, error);
    g_free(name);
    g_free(added);
    sfu_queue_finish(q, NULL);
    sfu_tensor_destroy(context);
    sfu_tensor_destroy(j.x);
    sfu_unet_destroy(j.unet);
    return ok;
}

static gboolean bench_vae(SfuQueue *q, SfuModel *m, int side_px, SfuBenchCase fn, gpointer data, GError **error)
{
    Job j = {.q = q, .n = 1, .vae = sfu_vae_create(q, m, error)};
    char *name = g_strdup_printf("VAE decode, %d px", side_px);
    const int side = j.vae ? side_px / sfu_vae_factor(j.vae) : 0;
    const gboolean ok = j.vae && (j.x = noise(q, 1, side, side, sfu_model_vae(m)->latent_channels, error)) &&
                        fn(name, run_decode, &j, data, error);
    g_free(name);
    sfu_queue_finish(q, NULL);
    sfu_tensor_destroy(j.x);
    sfu_vae_destroy(j.vae);
    return ok;
}

gboolean sfu_bench_nets(SfuQueue *q, const char *path, int side_px, SfuBenchCase fn, gpointer data, GError **error)
{
    SfuModel *m = sfu_model_open(path, error);
    const gboolean ok = m && (!sfu_model_has_part(m, SFU_PART_TEXT) || bench_text(q, m, fn, data, error)) &&
                        (!sfu_model_has_part(m, SFU_PART_UNET) || bench_unet(q, m, side_px, fn, data, error)) &&
                        (!sfu_model_has_part(m, SFU_PART_VAE) || bench_vae(q, m, side_px, fn, data, error));
    sfu_model_close(m);
    return ok;
}
