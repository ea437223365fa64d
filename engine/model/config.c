/* Configurations: from tensor shapes, then from config.json where there is one.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/model_struct.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define MAX_LAYERS 16 /* a level */

static gboolean refuse_config(const SfuModel *m, GError **error, const char *what)
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
    const GType t = n && JSON_NODE_HOLDS_VALUE(n) ? json_node_get_value_type(n) : G_TYPE_INVALID;
    const double d = t == G_TYPE_DOUBLE ? json_node_get_double(n) : 0.5;
    if (t == G_TYPE_INT64)
        *v = (int)CLAMP(json_node_get_int(n), low, high);
    else if (d == floor(d)) /* 32.0 */
        *v = (int)CLAMP(d, low, high);
}

static void read_float(JsonNode *config, const char *name, float *v)
{
    JsonNode *n = member(config, name);
    if (n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) != G_TYPE_STRING &&
        fabs(json_node_get_double(n)) < 1e30)
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

int sfu_tensor_dim(const SfuFileTensor *t, int i)
{
    return t && i >= 0 && i < t->n_dims ? (int)MIN(t->dims[i], 1 << 24) : 0;
}
#define dim sfu_tensor_dim

/* ---- parts ---- */

/* 1.x and the x4 upscaler have 8 heads everywhere, 2.x and XL have heads of 64 channels. `heads`: what config.json
 * says, one number or one per level; diffusers reads its attention_head_dim as the number of heads too. */
static gboolean configure_heads(SfuModel *m, JsonNode *heads, GError **error)
{
    SfuUnetConfig *c = &m->unet;
    for (int i = 0; i < c->n_blocks; i++) {
        const gboolean by_width = (c->cross_attention_dim == 1024 && !c->num_class_embeds) || c->added_width;
        gint64 n = by_width ? MAX(1, c->block_out_channels[i] / 64) : 8;
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
            return refuse_config(m, error, _("the UNet's heads do not divide its channels"));
        c->n_heads[i] = used ? (int)n : 0;
    }
    return TRUE;
}

/* Levels, layers and channels, by the tensors' shapes. */
static gboolean configure_levels(SfuModel *m, SfuPart P, GError **error)
{
    SfuUnetConfig *c = &m->unet;
    const SfuFileTensor *in = sfu_model_tensor(m, P, "conv_in.weight"),
                        *out = P == SFU_PART_UNET ? sfu_model_tensor(m, P, "conv_out.weight") : in;
    if (!in || !out || in->n_dims != 4 || out->n_dims != 4)
        return refuse_config(m, error, _("the UNet has no conv_in and conv_out"));
    c->in_channels = dim(in, 1);
    c->out_channels = dim(out, 0);
    c->n_blocks = sfu_model_count(m, P, "down_blocks.", SFU_MAX_BLOCKS + 1);
    c->layers_per_block = sfu_model_count(m, P, "down_blocks.0.resnets.", MAX_LAYERS + 1);
    if (!c->n_blocks || !c->layers_per_block)
        return refuse_config(m, error, _("the UNet has no down blocks"));
    if (c->n_blocks > SFU_MAX_BLOCKS || c->layers_per_block > MAX_LAYERS)
        return refuse_config(m, error, _("the UNet has more levels, or more layers in one, than Sfumato can run"));
    for (int i = 0; i < c->n_blocks; i++) {
        c->block_out_channels[i] = dim(sfu_model_tensor(m, P, "down_blocks.%d.resnets.0.conv1.weight", i), 0);
        c->cross_attention[i] = sfu_model_has_module(m, P, "down_blocks.%d.attentions.", i) ||
                                sfu_model_has_module(m, P, "up_blocks.%d.attentions.", c->n_blocks - 1 - i);
    }
    read_int(m->config[P], "layers_per_block", &c->layers_per_block, 1, MAX_LAYERS); /* what lacks is then missing */
    return TRUE;
}

static void configure_middle(SfuModel *m, SfuPart P)
{
    SfuUnetConfig *c = &m->unet;
    JsonNode *j = m->config[P];
    const char *middle = read_string(j, "mid_block_type");
    /* KOALA-700M has none, and says so; a single file of its says nothing, and has one layer per level. */
    JsonNode *none = j ? json_object_get_member(json_node_get_object(j), "mid_block_type") : NULL;
    c->middle =
        sfu_model_has_module(m, P, "mid_block.") || (none ? !JSON_NODE_HOLDS_NULL(none) : j || c->layers_per_block > 1);
    c->mid_attention =
        sfu_model_has_module(m, P, "mid_block.attentions.") || strcmp(middle, "UNetMidBlock2DCrossAttn") == 0;
}

/* The width of the context, and whether projections are linear: by the highest level that has attention. */
static void configure_attention(SfuModel *m, SfuPart P)
{
    SfuUnetConfig *c = &m->unet;
    for (int i = c->n_blocks; i >= 0; i--) {
        const SfuFileTensor *keys, *projection;
        if (i == c->n_blocks) {
            keys = sfu_model_tensor(m, P, "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight");
            projection = sfu_model_tensor(m, P, "mid_block.attentions.0.proj_in.weight");
        } else {
            keys = sfu_model_tensor(m, P, "down_blocks.%d.attentions.0.transformer_blocks.0.attn2.to_k.weight", i);
            projection = sfu_model_tensor(m, P, "down_blocks.%d.attentions.0.proj_in.weight", i);
        }
        if (keys)
            c->cross_attention_dim = dim(keys, 1);
        if (projection)
            c->linear_projection = projection->n_dims == 2;
    }
    for (int i = 0; i < c->n_blocks; i++) {
        const SfuFileTensor *own =
            sfu_model_tensor(m, P, "down_blocks.%d.attentions.0.transformer_blocks.0.attn1.to_k.weight", i);
        c->only_cross[i] = own && dim(own, 1) != c->block_out_channels[i];
    }
}

/* Of a UNet, or of the half of one that a ControlNet is. */
static gboolean configure_unet(SfuModel *m, SfuPart P, GError **error)
{
    SfuUnetConfig *c = &m->unet;
    JsonNode *j = m->config[P];
    if (!configure_levels(m, P, error))
        return FALSE;
    configure_middle(m, P);
    configure_attention(m, P);
    c->num_class_embeds = dim(sfu_model_tensor(m, P, "class_embedding.weight"), 0);
    read_int(j, "num_class_embeds", &c->num_class_embeds, 0, 1 << 20);
    c->added_width = dim(sfu_model_tensor(m, P, "add_embedding.linear_1.weight"), 1);
    c->added_number_width = 256;
    read_int(j, "addition_time_embed_dim", &c->added_number_width, 2, 1 << 16);
    c->norm_num_groups = 32;
    c->norm_eps = 1e-5f;
    c->flip_sin_to_cos = TRUE;
    c->sample_size = 64;
    read_int(j, "norm_num_groups", &c->norm_num_groups, 1, 1024);
    read_float(j, "norm_eps", &c->norm_eps);
    read_bool(j, "flip_sin_to_cos", &c->flip_sin_to_cos);
    read_float(j, "freq_shift", &c->freq_shift);
    read_int(j, "sample_size", &c->sample_size, 1, 4096);
    for (int i = 0; i < c->n_blocks; i++)
        if (c->block_out_channels[i] < 1 || c->block_out_channels[i] % c->norm_num_groups)
            return refuse_config(m, error, _("the UNet's norm groups do not divide its channels"));
    return configure_heads(
        m, member(j, "num_attention_heads") ? member(j, "num_attention_heads") : member(j, "attention_head_dim"),
        error);
}

gboolean sfu_model_configure_unet(SfuModel *m, GError **error)
{
    return configure_unet(m, SFU_PART_UNET, error);
}
gboolean sfu_model_configure_control(SfuModel *m, GError **error)
{
    return configure_unet(m, SFU_PART_CONTROL, error);
}

gboolean sfu_model_configure_vae(SfuModel *m, GError **error)
{
    SfuVaeConfig *c = &m->vae;
    JsonNode *j = m->config[SFU_PART_VAE];
    const SfuPart P = SFU_PART_VAE;
    const SfuFileTensor *in = sfu_model_tensor(m, P, "decoder.conv_in.weight");
    if (!in || in->n_dims != 4)
        return refuse_config(m, error, _("the VAE has no decoder.conv_in"));
    c->latent_channels = dim(in, 1);
    c->n_blocks = sfu_model_count(m, P, "decoder.up_blocks.", SFU_MAX_BLOCKS + 1);
    if (c->n_blocks > SFU_MAX_BLOCKS)
        return refuse_config(m, error, _("the VAE has more levels than Sfumato can run"));
    for (int i = 0; i < c->n_blocks; i++)
        c->block_out_channels[i] =
            dim(sfu_model_tensor(m, P, "decoder.up_blocks.%d.resnets.0.conv1.weight", c->n_blocks - 1 - i), 0);
    for (int i = 0; i < c->n_blocks; i++) {
        const int n = dim(sfu_model_tensor(m, P, "encoder.down_blocks.%d.resnets.0.conv1.weight", i), 0);
        c->encoder_block_out_channels[i] = n ? n : c->block_out_channels[i];
    }
    c->layers_per_block = sfu_model_count(m, P, "decoder.up_blocks.0.resnets.", MAX_LAYERS + 1) - 1;
    if (c->layers_per_block < 1 || !c->n_blocks)
        return refuse_config(m, error, _("the VAE has no up blocks"));
    read_int(j, "layers_per_block", &c->layers_per_block, 1, MAX_LAYERS);
    c->encoder = sfu_model_has_module(m, P, "encoder.");
    /* Every published VAE has the attention, and those of 4 channels the convolutions between the halves, unless
     * config.json says otherwise. */
    c->mid_attention = TRUE;
    read_bool(j, "mid_block_add_attention", &c->mid_attention);
    c->quant_conv = c->latent_channels == 4 || sfu_model_has_module(m, P, "quant_conv.");
    c->post_quant_conv = c->latent_channels == 4 || sfu_model_has_module(m, P, "post_quant_conv.");
    read_bool(j, "use_quant_conv", &c->quant_conv);
    read_bool(j, "use_post_quant_conv", &c->post_quant_conv);
    c->packed = sfu_model_has_module(m, P, "bn.");
    c->packed_eps = 1e-4f;
    read_float(j, "batch_norm_eps", &c->packed_eps);
    c->norm_num_groups = 32;
    const gboolean flux1 = c->latent_channels == 16; /* FLUX.1's, unless config.json says otherwise (SD3's is alike) */
    c->shift_factor = flux1 ? 0.1159f : 0;
    c->scaling_factor = c->packed ? 1
                        : flux1   ? 0.3611f
                        : c->n_blocks == 3
                            ? 0.08333f
                            : 0.18215f; /* Rombach 2022: 1 / standard deviation of the latents; the x4 upscaler's */
    read_int(j, "norm_num_groups", &c->norm_num_groups, 1, 1024);
    read_float(j, "scaling_factor", &c->scaling_factor);
    c->scaling_in_file = member(j, "scaling_factor") != NULL;
    read_float(j, "shift_factor", &c->shift_factor);
    for (int i = 0; i < c->n_blocks; i++)
        if (c->block_out_channels[i] < 1 || c->block_out_channels[i] % c->norm_num_groups ||
            c->encoder_block_out_channels[i] % c->norm_num_groups)
            return refuse_config(m, error, _("the VAE's norm groups do not divide its channels"));
    if (c->packed && !(c->packed_eps >= 0 && c->packed_eps < 1))
        return refuse_config(m, error, _("the VAE's batch_norm_eps is not between 0 and 1"));
    return (c->scaling_factor > 0 && isfinite(c->scaling_factor) && isfinite(c->shift_factor)) ||
           refuse_config(m, error, _("the VAE's scaling factor is not positive"));
}

gboolean sfu_model_configure_text(SfuModel *m, SfuPart P, GError **error)
{
    SfuTextConfig *c = P == SFU_PART_TEXT2 ? &m->text2 : &m->text;
    JsonNode *j = m->config[P];
    const gboolean openclip = m->openclip & 1u << P;
    const SfuFileTensor *table = sfu_model_tensor(m, P, "text_model.embeddings.token_embedding.weight");
    if (!table || table->n_dims != 2)
        return refuse_config(m, error, _("the text encoder has no token table"));
    c->vocab = dim(table, 0);
    c->hidden = dim(table, 1);
    c->positions = dim(sfu_model_tensor(m, P, "text_model.embeddings.position_embedding.weight"), 0);
    c->layers = sfu_model_count(m, P, "text_model.encoder.layers.", 256);
    c->intermediate = dim(sfu_model_tensor(m, P, "text_model.encoder.layers.0.mlp.fc1.weight"), 0);
    /* Fewer than there are tensors of: "CLIP skip" for good. More: some are missing. */
    read_int(j, "num_hidden_layers", &c->layers, 1, 256);
    if (c->positions < 77 || !c->layers || c->hidden < 1 || c->intermediate < 1)
        return refuse_config(m, error, _("the text encoder is not a CLIP model"));
    /* A single 2.x file has OpenCLIP's last layer too, which Stable Diffusion 2 leaves out; unless whoever wrote it has
     * already left it out. */
    if (openclip && P == SFU_PART_TEXT && c->layers > 1 && !(c->hidden == 1024 && c->layers == 23))
        c->layers--;
    else if (!openclip && !j && P == SFU_PART_TEXT && c->hidden == 1024 && c->layers == 24)
        c->layers--; /* the same, under other names */
    c->heads = MAX(1, c->hidden / 64);
    /* Without a configuration: OpenAI's encoder of width 768 has quick GELU, OpenCLIP's H (1024, of 2.x) and bigG
     * (SDXL's second one) have the exact one, whichever names they have. */
    c->quick_gelu = !openclip && P == SFU_PART_TEXT && c->hidden != 1024;
    c->eps = 1e-5f;
    read_int(j, "num_attention_heads", &c->heads, 1, 256);
    read_float(j, "layer_norm_eps", &c->eps);
    if (*read_string(j, "hidden_act"))
        c->quick_gelu = strcmp(read_string(j, "hidden_act"), "gelu") != 0;
    /* A Linear's matrix has the outputs first, OpenCLIP's last. */
    const int linear = dim(sfu_model_tensor(m, P, "text_projection.weight"), 0);
    c->projection = linear ? linear : dim(sfu_model_tensor(m, P, "text_projection"), 1);
    c->zero_padded = !c->quick_gelu;
    return c->hidden % c->heads == 0 || refuse_config(m, error, _("the text encoder's heads do not divide its width"));
}

/* transformers' names. OpenCLIP's H and bigG have 16 heads and exact GELU; OpenAI's L, of 1024, has quick GELU. */
gboolean sfu_model_configure_vision(SfuModel *m, GError **error)
{
    SfuVisionConfig *c = &m->vision;
    const SfuPart P = SFU_PART_VISION;
    JsonNode *j = m->config[P];
    const SfuFileTensor *patches = sfu_model_tensor(m, P, "vision_model.embeddings.patch_embedding.weight");
    const int n = dim(sfu_model_tensor(m, P, "vision_model.embeddings.position_embedding.weight"), 0) - 1,
              across = (int)lround(sqrt(MAX(n, 0))),
              projection = dim(sfu_model_tensor(m, P, "visual_projection.weight"), 0);
    c->hidden = dim(patches, 0);
    c->patch = dim(patches, 2);
    c->layers = sfu_model_count(m, P, "vision_model.encoder.layers.", 256);
    c->intermediate = dim(sfu_model_tensor(m, P, "vision_model.encoder.layers.0.mlp.fc1.weight"), 0);
    if (!patches || patches->n_dims != 4 || c->hidden < 1 || c->patch < 1 || c->patch > 256 || n < 1 || n > 16384 ||
        across * across != n || !c->layers || c->intermediate < 1)
        return refuse_config(m, error, _("the image encoder is not a CLIP model"));
    c->side = c->patch * across;
    c->heads = 16;
    c->quick_gelu = !(m->openclip & 1u << P) && c->hidden == 1024;
    c->eps = 1e-5f;
    c->projection = projection ? projection : dim(sfu_model_tensor(m, P, "visual_projection"), 1);
    read_int(j, "num_attention_heads", &c->heads, 1, 256);
    read_float(j, "layer_norm_eps", &c->eps);
    if (*read_string(j, "hidden_act"))
        c->quick_gelu = strcmp(read_string(j, "hidden_act"), "gelu") != 0;
    return c->hidden % c->heads == 0 || refuse_config(m, error, _("the image encoder's heads do not divide its width"));
}

static double read_double(JsonNode *config, const char *name, double fallback)
{
    JsonNode *n = member(config, name);
    if (!n || !JSON_NODE_HOLDS_VALUE(n) ||
        (json_node_get_value_type(n) != G_TYPE_INT64 && json_node_get_value_type(n) != G_TYPE_DOUBLE))
        return fallback;
    const double v = json_node_get_double(n);
    return isfinite(v) ? v : fallback;
}

/* The number "<architecture>.<key>" of a GGUF file of the model. */
static double gguf_number(const SfuModel *m, const char *key, double fallback)
{
    for (guint i = 0; i < m->files->len; i++) {
        const SfuFile *f = g_ptr_array_index(m->files, i);
        const char *architecture = sfu_file_text(f, "general.architecture");
        char *full = g_strconcat(architecture ? architecture : "", ".", key, NULL);
        const SfuFileValue *v = g_hash_table_lookup(f->metadata, full);
        g_free(full);
        if (v && v->kind == SFU_FILE_NUMBER && isfinite(v->number))
            return v->number;
    }
    return fallback;
}

/* transformers' config.json keeps the base in one of two places. FALSE with FAMILY for positions that are scaled. */
static gboolean read_rope(SfuModel *m, SfuLanguageConfig *c, GError **error)
{
    JsonNode *j = m->config[SFU_PART_TEXT], *inner = member(j, "rope_parameters");
    inner = inner ? inner : member(j, "rope_scaling");
    inner = inner && JSON_NODE_HOLDS_OBJECT(inner) ? inner : NULL;
    c->rope_theta = read_double(inner, "rope_theta", read_double(j, "rope_theta", c->rope_theta));
    const char *type = read_string(inner, "rope_type");
    if (*type && strcmp(type, "default") != 0)
        return refuse_config(m, error, _("the text encoder's positions are scaled, which Sfumato does not do"));
    return (c->rope_theta > 1 && c->rope_theta < 1e12) ||
           refuse_config(m, error, _("the text encoder's rope_theta is impossible"));
}

gboolean sfu_model_configure_language(SfuModel *m, GError **error)
{
    SfuLanguageConfig *c = &m->language;
    const SfuPart P = SFU_PART_TEXT;
    const SfuFileTensor *table = sfu_model_tensor(m, P, "embed_tokens.weight");
    if (!table || table->n_dims != 2)
        return refuse_config(m, error, _("the text encoder has no token table"));
    c->vocab = dim(table, 0);
    c->hidden = dim(table, 1);
    c->layers = sfu_model_count(m, P, "layers.", 256);
    c->head_dim = dim(sfu_model_tensor(m, P, "layers.0.self_attn.q_norm.weight"), 0);
    c->intermediate = dim(sfu_model_tensor(m, P, "layers.0.mlp.gate_proj.weight"), 0);
    const int q = dim(sfu_model_tensor(m, P, "layers.0.self_attn.q_proj.weight"), 0),
              k = dim(sfu_model_tensor(m, P, "layers.0.self_attn.k_proj.weight"), 0);
    if (!c->layers || c->hidden < 1 || c->intermediate < 1 || c->head_dim < 2 || c->head_dim % 2 || q < 1 || k < 1 ||
        q % c->head_dim || k % c->head_dim || q % k)
        return refuse_config(m, error, _("the text encoder's heads do not divide its widths"));
    c->heads = q / c->head_dim;
    c->kv_heads = k / c->head_dim;
    c->eps = (float)gguf_number(m, "attention.layer_norm_rms_epsilon", 1e-6);
    c->rope_theta = gguf_number(m, "rope.freq_base", 1e6);
    read_float(m->config[P], "rms_norm_eps", &c->eps);
    return ((c->eps >= 0 && c->eps < 1) ||
            refuse_config(m, error, _("the text encoder's rms_norm_eps is impossible"))) &&
           read_rope(m, c, error);
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
    c->prediction = strcmp(p, "v_prediction") == 0 ? SFU_PREDICT_V
                    : strcmp(p, "sample") == 0     ? SFU_PREDICT_SAMPLE
                    : strcmp(p, "flow_prediction") == 0 || strstr(read_string(j, "_class_name"), "FlowMatch")
                        ? SFU_PREDICT_FLOW
                        : SFU_PREDICT_EPSILON;
    if (!(c->beta_start > 0 && c->beta_start <= c->beta_end && c->beta_end < 1) || !(c->shift > 0))
        return refuse_config(m, error, _("the scheduler's betas or shift are impossible"));
    return TRUE;
}
