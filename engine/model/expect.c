/* What each network needs: every tensor's name and shape, from its configuration. Compared with what the files hold.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/internal.h"
#include <string.h>

typedef struct {
    SfuModel *m;
    SfuPart part;
    GHashTable *seen; /* canonical names that are needed */
} Expect;

static void need_dims(gpointer data, const char *name, int n_dims, const gint64 *dims)
{
    Expect *e = data;
    const SfuFileTensor *t = g_hash_table_lookup(e->m->tensors[e->part], name);
    g_hash_table_add(e->seen, g_strdup(name));
    /* A 1x1 convolution and a product are the same numbers: trailing ones do not count. */
    gboolean same = t != NULL;
    for (int i = 0; same && i < MAX(n_dims, t->n_dims); i++)
        same = (i < n_dims ? dims[i] : 1) == (i < t->n_dims ? t->dims[i] : 1);
    if (same)
        return;
    GString *s = g_string_new(NULL);
    g_string_append_printf(s, "%s: %s [", sfu_part_name(e->part), name);
    for (int i = 0; i < n_dims; i++)
        g_string_append_printf(s, "%s%" G_GINT64_FORMAT, i ? ", " : "", dims[i]);
    g_string_append(s, "]");
    for (int i = 0; t && i < t->n_dims; i++)
        g_string_append_printf(s, "%s%" G_GINT64_FORMAT "%s", i ? ", " : ", which is [", t->dims[i], i == t->n_dims - 1 ? "]" : "");
    g_ptr_array_add(e->m->missing, g_string_free(s, FALSE));
}

static void need(Expect *e, const char *prefix, const char *suffix, gint64 a, gint64 b, gint64 c)
{
    const gint64 dims[] = {a, b, c, c};
    char *name = g_strconcat(prefix, suffix, NULL);
    need_dims(e, name, b < 0 ? 1 : c < 0 ? 2 : 4, dims);
    g_free(name);
}

static void need_vector(Expect *e, const char *prefix, const char *name, int n) { need(e, prefix, name, n, -1, -1); }

/* `name` with weight and bias; kernel 0: a product. */
static void need_layer(Expect *e, const char *prefix, const char *name, int out, int in, int kernel)
{
    char *p = g_strconcat(prefix, name, NULL);
    need(e, p, ".weight", out, in, kernel ? kernel : -1);
    need_vector(e, p, ".bias", out);
    g_free(p);
}

static void need_norm(Expect *e, const char *prefix, const char *name, int n)
{
    char *p = g_strconcat(prefix, name, NULL);
    need_vector(e, p, ".weight", n);
    need_vector(e, p, ".bias", n);
    g_free(p);
}

/* time: channels of the time embedding; 0: none. */
static void need_resnet(Expect *e, const char *prefix, int in, int out, int time)
{
    need_norm(e, prefix, "norm1", in);
    need_layer(e, prefix, "conv1", out, in, 3);
    if (time)
        need_layer(e, prefix, "time_emb_proj", out, time, 0);
    need_norm(e, prefix, "norm2", out);
    need_layer(e, prefix, "conv2", out, out, 3);
    if (in != out)
        need_layer(e, prefix, "conv_shortcut", out, in, 1);
}

static void need_attention(Expect *e, const char *prefix, int c, int context, gboolean bias)
{
    static const char *const in[] = {"to_q", "to_k", "to_v"};
    for (int i = 0; i < 3; i++) {
        char *p = g_strconcat(prefix, in[i], NULL);
        need(e, p, ".weight", c, i ? context : c, -1);
        if (bias)
            need_vector(e, p, ".bias", c);
        g_free(p);
    }
    need_layer(e, prefix, "to_out.0", c, c, 0);
}

static void need_transformer(Expect *e, const char *prefix, int c, int context, gboolean only_cross)
{
    char *block = g_strconcat(prefix, "transformer_blocks.0.", NULL), *attn1 = g_strconcat(block, "attn1.", NULL),
         *attn2 = g_strconcat(block, "attn2.", NULL);
    need_norm(e, prefix, "norm", c);
    need_layer(e, prefix, "proj_in", c, c, 1);
    need_norm(e, block, "norm1", c);
    need_attention(e, attn1, c, only_cross ? context : c, FALSE);
    need_norm(e, block, "norm2", c);
    need_attention(e, attn2, c, context, FALSE);
    need_norm(e, block, "norm3", c);
    need_layer(e, block, "ff.net.0.proj", 8 * c, c, 0);
    need_layer(e, block, "ff.net.2", c, 4 * c, 0);
    need_layer(e, prefix, "proj_out", c, c, 1);
    g_free(block);
    g_free(attn1);
    g_free(attn2);
}

#define NAME(...) (g_snprintf(name, sizeof name, __VA_ARGS__), name)

static void expect_unet(Expect *e)
{
    const SfuUnetConfig *c = &e->m->unet;
    const int *ch = c->block_out_channels, last = c->n_blocks - 1;
    const int time = sfu_tensor_dim(sfu_model_tensor(e->m, SFU_PART_UNET, "time_embedding.linear_1.weight"), 0);
    char name[96];
    need_layer(e, "", "conv_in", ch[0], c->in_channels, 3);
    need_layer(e, "", "time_embedding.linear_1", MAX(time, 1), ch[0], 0);
    need_layer(e, "", "time_embedding.linear_2", MAX(time, 1), MAX(time, 1), 0);
    if (c->num_class_embeds)
        need(e, "", "class_embedding.weight", c->num_class_embeds, time, -1);
    for (int b = 0, in = ch[0]; b < c->n_blocks; in = ch[b++]) {
        for (int l = 0; l < c->layers_per_block; l++) {
            need_resnet(e, NAME("down_blocks.%d.resnets.%d.", b, l), l ? ch[b] : in, ch[b], time);
            if (c->cross_attention[b])
                need_transformer(e, NAME("down_blocks.%d.attentions.%d.", b, l), ch[b], c->cross_attention_dim, c->only_cross[b]);
        }
        if (b < last)
            need_layer(e, NAME("down_blocks.%d.downsamplers.0.", b), "conv", ch[b], ch[b], 3);
    }
    need_resnet(e, "mid_block.resnets.0.", ch[last], ch[last], time);
    if (c->mid_attention)
        need_transformer(e, "mid_block.attentions.0.", ch[last], c->cross_attention_dim,
                         sfu_tensor_dim(sfu_model_tensor(e->m, SFU_PART_UNET, "mid_block.attentions.0.transformer_blocks.0.attn1.to_k.weight"), 1) != ch[last]);
    need_resnet(e, "mid_block.resnets.1.", ch[last], ch[last], time);
    for (int u = 0; u < c->n_blocks; u++) {
        const int b = last - u, out = ch[b], from = u ? ch[b + 1] : ch[last], skip = ch[MAX(b - 1, 0)];
        for (int l = 0; l <= c->layers_per_block; l++) {
            const int in = (l ? out : from) + (l == c->layers_per_block ? skip : out);
            need_resnet(e, NAME("up_blocks.%d.resnets.%d.", u, l), in, out, time);
            if (c->cross_attention[b])
                need_transformer(e, NAME("up_blocks.%d.attentions.%d.", u, l), out, c->cross_attention_dim, c->only_cross[b]);
        }
        if (b)
            need_layer(e, NAME("up_blocks.%d.upsamplers.0.", u), "conv", out, out, 3);
    }
    need_norm(e, "", "conv_norm_out", ch[0]);
    need_layer(e, "", "conv_out", c->out_channels, ch[0], 3);
}

static void expect_vae_middle(Expect *e, const char *side, int c)
{
    char name[96];
    need_resnet(e, NAME("%s.mid_block.resnets.0.", side), c, c, 0);
    if (e->m->vae.mid_attention) {
        need_norm(e, NAME("%s.mid_block.attentions.0.", side), "group_norm", c);
        need_attention(e, NAME("%s.mid_block.attentions.0.", side), c, c, TRUE);
    }
    need_resnet(e, NAME("%s.mid_block.resnets.1.", side), c, c, 0);
}

static void expect_vae(Expect *e)
{
    const SfuVaeConfig *c = &e->m->vae;
    const int *ch = c->block_out_channels, last = c->n_blocks - 1, latent = c->latent_channels;
    char name[96];
    /* A file with the decoder alone makes pictures, it only takes none. */
    const gboolean encoder = sfu_model_tensor(e->m, SFU_PART_VAE, "encoder.conv_in.weight") ||
                             sfu_model_tensor(e->m, SFU_PART_VAE, "encoder.conv_out.weight");
    if (encoder) {
        need_layer(e, "", "encoder.conv_in", ch[0], 3, 3);
        for (int b = 0, in = ch[0]; b <= last; in = ch[b++]) {
            for (int l = 0; l < c->layers_per_block; l++)
                need_resnet(e, NAME("encoder.down_blocks.%d.resnets.%d.", b, l), l ? ch[b] : in, ch[b], 0);
            if (b < last)
                need_layer(e, NAME("encoder.down_blocks.%d.downsamplers.0.", b), "conv", ch[b], ch[b], 3);
        }
        expect_vae_middle(e, "encoder", ch[last]);
        need_norm(e, "", "encoder.conv_norm_out", ch[last]);
        need_layer(e, "", "encoder.conv_out", 2 * latent, ch[last], 3);
        if (c->quant_conv)
            need_layer(e, "", "quant_conv", 2 * latent, 2 * latent, 1);
    }
    if (c->post_quant_conv)
        need_layer(e, "", "post_quant_conv", latent, latent, 1);
    need_layer(e, "", "decoder.conv_in", ch[last], latent, 3);
    expect_vae_middle(e, "decoder", ch[last]);
    for (int u = 0, in = ch[last]; u <= last; in = ch[last - u++]) {
        const int out = ch[last - u];
        for (int l = 0; l <= c->layers_per_block; l++)
            need_resnet(e, NAME("decoder.up_blocks.%d.resnets.%d.", u, l), l ? out : in, out, 0);
        if (u < last)
            need_layer(e, NAME("decoder.up_blocks.%d.upsamplers.0.", u), "conv", out, out, 3);
    }
    need_norm(e, "", "decoder.conv_norm_out", ch[0]);
    need_layer(e, "", "decoder.conv_out", 3, ch[0], 3);
}

static void need_clip_layers(Expect *e, const char *root, int layers, int hidden, int intermediate)
{
    static const char *const proj[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj"};
    char name[96];
    for (int i = 0; i < layers; i++) {
        NAME("%s.encoder.layers.%d.", root, i);
        need_norm(e, name, "layer_norm1", hidden);
        for (int p = 0; p < 4; p++)
            need_layer(e, name, proj[p], hidden, hidden, 0);
        need_norm(e, name, "layer_norm2", hidden);
        need_layer(e, name, "mlp.fc1", intermediate, hidden, 0);
        need_layer(e, name, "mlp.fc2", hidden, intermediate, 0);
    }
}

static void expect_text(Expect *e)
{
    const SfuTextConfig *c = &e->m->text;
    need(e, "text_model.", "embeddings.token_embedding.weight", c->vocab, c->hidden, -1);
    need(e, "text_model.", "embeddings.position_embedding.weight", c->positions, c->hidden, -1);
    need_clip_layers(e, "text_model", c->layers, c->hidden, c->intermediate);
    need_norm(e, "text_model.", "final_layer_norm", c->hidden);
}

static void expect_vision(Expect *e)
{
    const SfuVisionConfig *c = &e->m->vision;
    const int side = c->image_size / c->patch_size;
    need(e, "vision_model.", "embeddings.patch_embedding.weight", c->hidden, 3, c->patch_size);
    need_vector(e, "vision_model.", "embeddings.class_embedding", c->hidden);
    need(e, "vision_model.", "embeddings.position_embedding.weight", side * side + 1, c->hidden, -1);
    need_norm(e, "vision_model.", "pre_layrnorm", c->hidden); /* as transformers spells it */
    need_clip_layers(e, "vision_model", c->layers, c->hidden, c->intermediate);
    need_norm(e, "vision_model.", "post_layernorm", c->hidden);
    const int out = sfu_tensor_dim(sfu_model_tensor(e->m, SFU_PART_IMAGE_ENCODER, "visual_projection.weight"), 0);
    if (out)
        need(e, "", "visual_projection.weight", out, c->hidden, -1);
}

/* https://github.com/madebyollin/taesd : a = convolution with bias, d = stride 2 or after an enlargement, without; b = block. */
static void expect_taesd(Expect *e)
{
    const gboolean encoder = e->part == SFU_PART_TAESD_ENCODER;
    const char *layers = encoder ? "abdbbbdbbbdbbba" : "a.bbb.dbbb.dbbb.dba", *p;
    const SfuFileTensor *first = sfu_model_tensor(e->m, e->part, "layers.0.weight"),
                        *last = sfu_model_tensor(e->m, e->part, "layers.%d.weight", (int)strlen(layers) - 1);
    const int c = MAX(sfu_tensor_dim(first, 0), 1);
    const int in = encoder ? 3 : MAX(sfu_tensor_dim(first, 1), 1), out = encoder ? MAX(sfu_tensor_dim(last, 0), 1) : 3;
    char name[64];
    for (p = layers; *p; p++) {
        const int i = (int)(p - layers);
        if (*p == 'a')
            need_layer(e, "", NAME("layers.%d", i), p[1] ? c : out, i ? c : in, 3);
        else if (*p == 'd')
            need(e, NAME("layers.%d", i), ".weight", c, c, 3);
        else if (*p == 'b')
            for (int k = 0; k <= 4; k += 2)
                need_layer(e, "", NAME("layers.%d.conv.%d", i, k), c, c, 3);
    }
}

static gboolean is_ignorable(const SfuModel *m, SfuPart part, const char *name)
{
    char head[64];
    if (part == SFU_PART_TEXT) /* OpenCLIP's last layer */
        return m->openclip && g_str_has_prefix(name, (g_snprintf(head, sizeof head, "text_model.encoder.layers.%d.", m->text.layers), head));
    return FALSE;
}

void sfu_model_expect(SfuModel *m)
{
    for (int p = 0; p < SFU_N_PARTS; p++) {
        Expect e = {.m = m, .part = p};
        if (!m->tensors[p] || p == SFU_PART_UPSCALER)
            continue;
        e.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        switch (p) {
        case SFU_PART_UNET: expect_unet(&e); break;
        case SFU_PART_VAE: expect_vae(&e); break;
        case SFU_PART_TEXT: expect_text(&e); break;
        case SFU_PART_IMAGE_ENCODER: expect_vision(&e); break;
        default: expect_taesd(&e); break;
        }
        GHashTableIter it;
        gpointer name;
        g_hash_table_iter_init(&it, m->tensors[p]);
        while (g_hash_table_iter_next(&it, &name, NULL))
            if (!g_hash_table_contains(e.seen, name))
                g_ptr_array_add(is_ignorable(m, p, name) ? m->ignored : m->unexpected, g_strdup(name));
        g_hash_table_unref(e.seen);
    }
}
