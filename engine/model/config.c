/* Configurations: from tensor shapes, then from config.json where there is one.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/internal.h"
#include <math.h>
#include <string.h>

static gboolean bad(const SfuModel *m, GError **error, const char *what)
{
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "%s: %s", m->path, what);
    return FALSE;
}

/* ---- config.json readers: what is absent or of another type leaves the value as it was ---- */

static JsonNode *member(JsonNode *config, const char *name)
{
    JsonNode *n = config ? json_object_get_member(json_node_get_object(config), name) : NULL;
    return n && !JSON_NODE_HOLDS_NULL(n) ? n : NULL;
}

static void read_int(JsonNode *config, const char *name, int *v, int low, int high)
{
    JsonNode *n = member(config, name);
    if (n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_INT64)
        *v = (int)CLAMP(json_node_get_int(n), low, high);
}

static void read_float(JsonNode *config, const char *name, float *v)
{
    JsonNode *n = member(config, name);
    if (n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) != G_TYPE_STRING && fabs(json_node_get_double(n)) < 1e30)
        *v = (float)json_node_get_double(n);
}

static void read_bool(JsonNode *config, const char *name, gboolean *v)
{
    JsonNode *n = member(config, name);
    if (n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_BOOLEAN)
        *v = json_node_get_boolean(n);
}

static const char *read_string(JsonNode *config, const char *name)
{
    JsonNode *n = member(config, name);
    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING ? json_node_get_string(n) : "";
}

int sfu_tensor_dim(const SfuFileTensor *t, int i) { return t && i >= 0 && i < t->n_dims ? (int)MIN(t->dims[i], 1 << 24) : 0; }
#define dim sfu_tensor_dim

/* ---- parts ---- */

/* 1.x and the x4 upscaler have 8 heads everywhere, 2.x has heads of 64 channels. `heads`: what config.json says, one number or one
 * a level; diffusers reads its attention_head_dim as the number of heads too. */
static gboolean configure_heads(SfuModel *m, JsonNode *heads, GError **error)
{
    SfuUnetConfig *c = &m->unet;
    for (int i = 0; i < c->n_blocks; i++) {
        gint64 n = c->cross_attention_dim == 1024 && !c->num_class_embeds ? MAX(1, c->block_out_channels[i] / 64) : 8;
        JsonNode *v = heads;
        if (heads && JSON_NODE_HOLDS_ARRAY(heads)) {
            JsonArray *a = json_node_get_array(heads);
            v = (guint)i < json_array_get_length(a) ? json_array_get_element(a, (guint)i) : NULL;
        }
        if (v && JSON_NODE_HOLDS_VALUE(v) && json_node_get_value_type(v) == G_TYPE_INT64)
            n = json_node_get_int(v);
        /* Of a block without attention (2.x's last has it in the middle only) any number goes. */
        const gboolean used = c->cross_attention[i] || (i == c->n_blocks - 1 && c->mid_attention);
        if (used && (n < 1 || n > c->block_out_channels[i] || c->block_out_channels[i] % n))
            return bad(m, error, "the UNet's heads do not divide its channels");
        c->n_heads[i] = used ? (int)n : 0;
    }
    return TRUE;
}

gboolean sfu_model_configure_unet(SfuModel *m, GError **error)
{
    SfuUnetConfig *c = &m->unet;
    JsonNode *j = m->config[SFU_PART_UNET];
    const SfuPart P = SFU_PART_UNET;
    const SfuFileTensor *in = sfu_model_tensor(m, P, "conv_in.weight"), *out = sfu_model_tensor(m, P, "conv_out.weight"), *t;
    if (!in || !out || in->n_dims != 4 || out->n_dims != 4)
        return bad(m, error, "the UNet has no conv_in and conv_out");
    c->in_channels = dim(in, 1);
    c->out_channels = dim(out, 0);
    for (int i = 0; i < SFU_MAX_BLOCKS && (t = sfu_model_tensor(m, P, "down_blocks.%d.resnets.0.conv1.weight", i)); i++) {
        c->block_out_channels[i] = dim(t, 0);
        c->cross_attention[i] = sfu_model_tensor(m, P, "down_blocks.%d.attentions.0.proj_in.weight", i) != NULL;
        c->n_blocks = i + 1;
    }
    while (c->layers_per_block < 16 && sfu_model_tensor(m, P, "down_blocks.0.resnets.%d.conv1.weight", c->layers_per_block))
        c->layers_per_block++;
    if (!c->n_blocks || !c->layers_per_block)
        return bad(m, error, "the UNet has no down blocks");
    c->mid_attention = sfu_model_tensor(m, P, "mid_block.attentions.0.proj_in.weight") != NULL;
    for (int i = c->n_blocks; i >= 0; i--) {
        t = i == c->n_blocks ? sfu_model_tensor(m, P, "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight")
                             : sfu_model_tensor(m, P, "down_blocks.%d.attentions.0.transformer_blocks.0.attn2.to_k.weight", i);
        if (t)
            c->cross_attention_dim = dim(t, 1);
        t = i == c->n_blocks ? sfu_model_tensor(m, P, "mid_block.attentions.0.proj_in.weight")
                             : sfu_model_tensor(m, P, "down_blocks.%d.attentions.0.proj_in.weight", i);
        if (t)
            c->linear_projection = t->n_dims == 2;
    }
    t = sfu_model_tensor(m, P, "class_embedding.weight");
    c->num_class_embeds = t ? dim(t, 0) : 0;
    c->norm_num_groups = 32;
    c->norm_eps = 1e-5f;
    c->flip_sin_to_cos = TRUE;
    c->sample_size = 64;
    read_int(j, "norm_num_groups", &c->norm_num_groups, 1, 1024);
    read_float(j, "norm_eps", &c->norm_eps);
    read_bool(j, "flip_sin_to_cos", &c->flip_sin_to_cos);
    read_float(j, "freq_shift", &c->freq_shift);
    read_int(j, "sample_size", &c->sample_size, 1, 4096);
    for (int i = 0; i < c->n_blocks; i++) {
        t = sfu_model_tensor(m, P, "down_blocks.%d.attentions.0.transformer_blocks.0.attn1.to_k.weight", i);
        c->only_cross[i] = t && dim(t, 1) != c->block_out_channels[i];
        if (c->block_out_channels[i] < 1 || c->block_out_channels[i] % c->norm_num_groups)
            return bad(m, error, "the UNet's norm groups do not divide its channels");
    }
    if (sfu_model_tensor(m, P, "mid_block.attentions.0.transformer_blocks.1.attn1.to_q.weight"))
        return bad(m, error, "the UNet has several transformer blocks in one (Stable Diffusion XL?); Sfumato runs Stable Diffusion 1.x and 2.x");
    return configure_heads(m, member(j, "num_attention_heads") ? member(j, "num_attention_heads") : member(j, "attention_head_dim"), error);
}

gboolean sfu_model_configure_vae(SfuModel *m, GError **error)
{
    SfuVaeConfig *c = &m->vae;
    JsonNode *j = m->config[SFU_PART_VAE];
    const SfuPart P = SFU_PART_VAE;
    const SfuFileTensor *in = sfu_model_tensor(m, P, "decoder.conv_in.weight"), *t;
    if (!in || in->n_dims != 4)
        return bad(m, error, "the VAE has no decoder.conv_in");
    c->latent_channels = dim(in, 1);
    for (int i = 0; i < SFU_MAX_BLOCKS && (t = sfu_model_tensor(m, P, "decoder.up_blocks.%d.resnets.0.conv1.weight", i)); i++)
        c->n_blocks = i + 1;
    for (int i = 0; i < c->n_blocks; i++)
        c->block_out_channels[i] = dim(sfu_model_tensor(m, P, "decoder.up_blocks.%d.resnets.0.conv1.weight", c->n_blocks - 1 - i), 0);
    while (c->layers_per_block < 16 && sfu_model_tensor(m, P, "decoder.up_blocks.0.resnets.%d.conv1.weight", c->layers_per_block))
        c->layers_per_block++;
    if (--c->layers_per_block < 1 || !c->n_blocks)
        return bad(m, error, "the VAE has no up blocks");
    c->mid_attention = sfu_model_tensor(m, P, "decoder.mid_block.attentions.0.to_q.weight") != NULL;
    c->quant_conv = sfu_model_tensor(m, P, "quant_conv.weight") != NULL;
    c->post_quant_conv = sfu_model_tensor(m, P, "post_quant_conv.weight") != NULL;
    c->norm_num_groups = 32;
    c->scaling_factor = c->n_blocks == 3 ? 0.08333f : 0.18215f; /* Rombach 2022: 1 / standard deviation of the latents; the x4 upscaler's */
    read_int(j, "norm_num_groups", &c->norm_num_groups, 1, 1024);
    read_float(j, "scaling_factor", &c->scaling_factor);
    read_float(j, "shift_factor", &c->shift_factor);
    for (int i = 0; i < c->n_blocks; i++)
        if (c->block_out_channels[i] < 1 || c->block_out_channels[i] % c->norm_num_groups)
            return bad(m, error, "the VAE's norm groups do not divide its channels");
    return (c->scaling_factor > 0 && isfinite(c->scaling_factor) && isfinite(c->shift_factor)) || bad(m, error, "the VAE's scaling factor is not positive");
}

gboolean sfu_model_configure_text(SfuModel *m, GError **error)
{
    SfuTextConfig *c = &m->text;
    JsonNode *j = m->config[SFU_PART_TEXT];
    const SfuPart P = SFU_PART_TEXT;
    const SfuFileTensor *table = sfu_model_tensor(m, P, "text_model.embeddings.token_embedding.weight"), *t;
    if (!table || table->n_dims != 2)
        return bad(m, error, "the text encoder has no token table");
    c->vocab = dim(table, 0);
    c->hidden = dim(table, 1);
    c->positions = dim(sfu_model_tensor(m, P, "text_model.embeddings.position_embedding.weight"), 0);
    while (c->layers < 256 && (t = sfu_model_tensor(m, P, "text_model.encoder.layers.%d.mlp.fc1.weight", c->layers))) {
        c->intermediate = dim(t, 0);
        c->layers++;
    }
    if (c->positions < 77 || !c->layers || c->hidden < 1 || c->intermediate < 1)
        return bad(m, error, "the text encoder is no CLIP");
    /* A single 2.x file has OpenCLIP's last layer too, which Stable Diffusion 2 leaves out. */
    if (m->openclip && c->layers > 1)
        c->layers--;
    c->heads = MAX(1, c->hidden / 64);
    c->quick_gelu = !m->openclip;
    c->eps = 1e-5f;
    read_int(j, "num_attention_heads", &c->heads, 1, 256);
    read_float(j, "layer_norm_eps", &c->eps);
    if (*read_string(j, "hidden_act"))
        c->quick_gelu = strcmp(read_string(j, "hidden_act"), "gelu") != 0;
    return c->hidden % c->heads == 0 || bad(m, error, "the text encoder's heads do not divide its width");
}

gboolean sfu_model_configure_vision(SfuModel *m, GError **error)
{
    SfuVisionConfig *c = &m->vision;
    JsonNode *j = m->config[SFU_PART_IMAGE_ENCODER];
    const SfuPart P = SFU_PART_IMAGE_ENCODER;
    const SfuFileTensor *patch = sfu_model_tensor(m, P, "vision_model.embeddings.patch_embedding.weight"), *t;
    if (!patch || patch->n_dims != 4)
        return bad(m, error, "the image encoder has no patch embedding");
    c->hidden = dim(patch, 0);
    c->patch_size = dim(patch, 2);
    while (c->layers < 256 && (t = sfu_model_tensor(m, P, "vision_model.encoder.layers.%d.mlp.fc1.weight", c->layers))) {
        c->intermediate = dim(t, 0);
        c->layers++;
    }
    c->heads = MAX(1, c->hidden / 64);
    c->image_size = 224;
    c->eps = 1e-5f;
    read_int(j, "num_attention_heads", &c->heads, 1, 256);
    read_int(j, "image_size", &c->image_size, 1, 4096);
    read_float(j, "layer_norm_eps", &c->eps);
    c->quick_gelu = strcmp(read_string(j, "hidden_act"), "gelu") != 0;
    return c->patch_size > 0 && c->layers && c->hidden % c->heads == 0 ? TRUE : bad(m, error, "the image encoder is no CLIP");
}

static double read_double(JsonNode *config, const char *name, double fallback)
{
    JsonNode *n = member(config, name);
    if (!n || !JSON_NODE_HOLDS_VALUE(n) || (json_node_get_value_type(n) != G_TYPE_INT64 && json_node_get_value_type(n) != G_TYPE_DOUBLE))
        return fallback;
    const double v = json_node_get_double(n);
    return isfinite(v) ? v : fallback;
}

gboolean sfu_model_configure_scheduler(SfuModel *m, GError **error)
{
    SfuSchedulerConfig *c = &m->scheduler;
    JsonNode *j = m->scheduler_json;
    c->in_file = j != NULL;
    c->n_train_timesteps = 1000;
    c->scaled_linear = TRUE;
    read_int(j, "num_train_timesteps", &c->n_train_timesteps, 2, 100000);
    c->beta_start = read_double(j, "beta_start", 0.00085); /* Rombach 2022; linear in the square root */
    c->beta_end = read_double(j, "beta_end", 0.012);
    c->shift = read_double(j, "shift", 1);
    read_bool(j, "rescale_betas_zero_snr", &c->zero_terminal_snr);
    if (strcmp(read_string(j, "beta_schedule"), "linear") == 0)
        c->scaled_linear = FALSE;
    const char *p = read_string(j, "prediction_type");
    c->prediction = strcmp(p, "v_prediction") == 0 ? SFU_PREDICT_V : strcmp(p, "sample") == 0 ? SFU_PREDICT_SAMPLE
                  : strcmp(p, "flow_prediction") == 0 || strstr(read_string(j, "_class_name"), "FlowMatch") ? SFU_PREDICT_FLOW
                                                                                                            : SFU_PREDICT_EPSILON;
    if (!(c->beta_start > 0 && c->beta_start <= c->beta_end && c->beta_end < 1) || !(c->shift > 0))
        return bad(m, error, "the scheduler's betas or shift are impossible");
    return TRUE;
}
