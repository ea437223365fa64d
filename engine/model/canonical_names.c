/* From the names of original single files and of old diffusers releases to canonical names. The facts are those of
 * CompVis' latent-diffusion module tree (openaimodel.py, autoencoder modules) and of OpenCLIP's text transformer.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/canonical_names.h"
#include "model/adapter_file.h"
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *from, *to;
} Pair;

/* Replaces the first pair whose `from` starts `s`; the rest of s follows. Caller frees; NULL if none fits. */
static char *swap_head(const char *s, const Pair *pairs, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (g_str_has_prefix(s, pairs[i].from))
            return g_strconcat(pairs[i].to, s + strlen(pairs[i].from), NULL);
    return NULL;
}

static const Pair resnet_pairs[] = {{"in_layers.0.", "norm1."},          {"in_layers.2.", "conv1."},
                                    {"out_layers.0.", "norm2."},         {"out_layers.3.", "conv2."},
                                    {"emb_layers.1.", "time_emb_proj."}, {"skip_connection.", "conv_shortcut."}};
static const Pair unet_heads[] = {{"time_embed.0.", "time_embedding.linear_1."},
                                  {"time_embed.2.", "time_embedding.linear_2."},
                                  {"input_blocks.0.0.", "conv_in."},
                                  {"out.0.", "conv_norm_out."},
                                  {"out.2.", "conv_out."},
                                  {"label_emb.0.0.", "add_embedding.linear_1."},
                                  {"label_emb.0.2.", "add_embedding.linear_2."},
                                  {"label_emb.", "class_embedding."},
                                  {"middle_block.1.", "mid_block.attentions.0."}};

static char *unet_resnet(const char *prefix, const char *rest)
{
    char *tail = swap_head(rest, resnet_pairs, G_N_ELEMENTS(resnet_pairs));
    char *out = tail ? g_strconcat(prefix, tail, NULL) : NULL;
    g_free(tail);
    return out;
}

static gboolean is_transformer(const char *rest)
{
    return g_str_has_prefix(rest, "norm.") || g_str_has_prefix(rest, "proj_") ||
           g_str_has_prefix(rest, "transformer_blocks.");
}

/* n_layers: residual blocks of a level on the way down; on the way up there is one more. */
static char *unet_name(const char *s, int n_layers)
{
    int i, j, used = 0;
    char *out = swap_head(s, unet_heads, G_N_ELEMENTS(unet_heads));
    if (out)
        return out;
    char prefix[96];
    if (sscanf(s, "middle_block.%3d.%n", &i, &used) == 1 && used && (i == 0 || i == 2)) {
        g_snprintf(prefix, sizeof prefix, "mid_block.resnets.%d.", i / 2);
        return unet_resnet(prefix, s + used);
    }
    if (sscanf(s, "input_blocks.%3d.%3d.%n", &i, &j, &used) == 2 && used && i >= 1) {
        const int block = (i - 1) / (n_layers + 1), layer = (i - 1) % (n_layers + 1);
        const char *rest = s + used;
        if (layer == n_layers && g_str_has_prefix(rest, "op."))
            return g_strdup_printf("down_blocks.%d.downsamplers.0.conv.%s", block, rest + 3);
        if (j == 1)
            return g_strdup_printf("down_blocks.%d.attentions.%d.%s", block, layer, rest);
        g_snprintf(prefix, sizeof prefix, "down_blocks.%d.resnets.%d.", block, layer);
        return unet_resnet(prefix, rest);
    }
    used = 0;
    if (sscanf(s, "output_blocks.%3d.%3d.%n", &i, &j, &used) == 2 && used) {
        const int block = i / (n_layers + 1), layer = i % (n_layers + 1);
        const char *rest = s + used;
        if (g_str_has_prefix(rest, "conv."))
            return g_strdup_printf("up_blocks.%d.upsamplers.0.%s", block, rest);
        if (is_transformer(rest))
            return g_strdup_printf("up_blocks.%d.attentions.%d.%s", block, layer, rest);
        g_snprintf(prefix, sizeof prefix, "up_blocks.%d.resnets.%d.", block, layer);
        return unet_resnet(prefix, rest);
    }
    return NULL;
}

static char *vae_attention(const char *prefix, const char *rest)
{
    /* The original's names, and those of diffusers, old and new, which some converters leave in files of the original's
     * form. */
    static const Pair pairs[] = {{"norm.", "group_norm."},
                                 {"q.", "to_q."},
                                 {"k.", "to_k."},
                                 {"v.", "to_v."},
                                 {"proj_out.", "to_out.0."},
                                 {"group_norm.", "group_norm."},
                                 {"to_q.", "to_q."},
                                 {"to_k.", "to_k."},
                                 {"to_v.", "to_v."},
                                 {"to_out.0.", "to_out.0."},
                                 {"query.", "to_q."},
                                 {"key.", "to_k."},
                                 {"value.", "to_v."},
                                 {"proj_attn.", "to_out.0."}};
    char *tail = swap_head(rest, pairs, G_N_ELEMENTS(pairs));
    char *out = tail ? g_strconcat(prefix, tail, NULL) : NULL;
    g_free(tail);
    return out;
}

char *sfu_name_from_vae(const char *s, int n_vae_levels)
{
    int i, j, used = 0;
    char side[8], prefix[96];
    if (sscanf(s, "%7[a-z].%n", side, &used) != 1 || (strcmp(side, "encoder") != 0 && strcmp(side, "decoder") != 0))
        return g_strdup(s); /* quant_conv, post_quant_conv */
    const char *rest = s + used, *shortcut;
    const gboolean up = side[0] == 'd';
    used = 0;
    if (g_str_has_prefix(rest, "quant_conv.") || g_str_has_prefix(rest, "post_quant_conv.")) /* FLUX.2's own files */
        return g_strdup(rest);
    if (g_str_has_prefix(rest, "norm_out."))
        return g_strconcat(side, ".conv_norm_out.", rest + 9, NULL);
    if (g_str_has_prefix(rest, "mid.attn_1.")) {
        g_snprintf(prefix, sizeof prefix, "%s.mid_block.attentions.0.", side);
        return vae_attention(prefix, rest + 11);
    }
    if (sscanf(rest, "mid.block_%3d.%n", &i, &used) == 1 && used)
        return g_strdup_printf("%s.mid_block.resnets.%d.%s", side, i - 1, rest + used);
    used = 0;
    if (sscanf(rest, up ? "up.%3d.block.%3d.%n" : "down.%3d.block.%3d.%n", &i, &j, &used) == 2 && used) {
        rest += used;
        shortcut = g_str_has_prefix(rest, "nin_shortcut.") ? "conv_shortcut." : NULL;
        return g_strdup_printf("%s.%s_blocks.%d.resnets.%d.%s%s", side, up ? "up" : "down",
                               up ? n_vae_levels - 1 - i : i, j, shortcut ? shortcut : "", shortcut ? rest + 13 : rest);
    }
    used = 0;
    if (sscanf(rest, up ? "up.%3d.upsample.%n" : "down.%3d.downsample.%n", &i, &used) == 1 && used)
        return g_strdup_printf("%s.%s_blocks.%d.%ssamplers.0.%s", side, up ? "up" : "down",
                               up ? n_vae_levels - 1 - i : i, up ? "up" : "down", rest + used);
    return g_strdup(s);
}

static const Pair openclip_layer[] = {{"ln_1.", "layer_norm1."},
                                      {"ln_2.", "layer_norm2."},
                                      {"mlp.c_fc.", "mlp.fc1."},
                                      {"mlp.c_proj.", "mlp.fc2."},
                                      {"attn.out_proj.", "self_attn.out_proj."},
                                      {"attn.in_proj_", "self_attn.in_proj."}};

/* OpenCLIP's fused attn.in_proj_* keep their name; the loader splits them. */
static char *openclip_name(const char *s)
{
    static const Pair heads[] = {{"token_embedding.", "text_model.embeddings.token_embedding."},
                                 {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
                                 {"text_projection", "text_projection"},
                                 {"ln_final.", "text_model.final_layer_norm."}};
    char *out = swap_head(s, heads, G_N_ELEMENTS(heads));
    int i, used = 0;
    if (out || sscanf(s, "transformer.resblocks.%3d.%n", &i, &used) != 1 || !used)
        return out;
    char *tail = swap_head(s + used, openclip_layer, G_N_ELEMENTS(openclip_layer));
    out = tail ? g_strdup_printf("text_model.encoder.layers.%d.%s", i, tail) : NULL;
    g_free(tail);
    return out;
}

char *sfu_name_from_vision(const char *s)
{
    static const Pair heads[] = {{"visual.class_embedding", "vision_model.embeddings.class_embedding"},
                                 {"visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"},
                                 {"visual.conv1.", "vision_model.embeddings.patch_embedding."},
                                 {"visual.ln_pre.", "vision_model.pre_layrnorm."},
                                 {"visual.ln_post.", "vision_model.post_layernorm."},
                                 {"visual.proj", "visual_projection"},
                                 {"vision_model.", "vision_model."},
                                 {"visual_projection.", "visual_projection."}};
    char *out = swap_head(s, heads, G_N_ELEMENTS(heads));
    int i, used = 0;
    if (out || sscanf(s, "visual.transformer.resblocks.%3d.%n", &i, &used) != 1 || !used)
        return out;
    char *tail = swap_head(s + used, openclip_layer, G_N_ELEMENTS(openclip_layer));
    out = tail ? g_strdup_printf("vision_model.encoder.layers.%d.%s", i, tail) : NULL;
    g_free(tail);
    return out;
}

/* ---- the way back, for modules ---- */

/* The original of a name that ends in a dot. Caller frees; NULL: it has none here. */
static char *swap_back(const char *s, const Pair *pairs, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (g_str_has_prefix(s, pairs[i].to))
            return g_strconcat(pairs[i].from, s + strlen(pairs[i].to), NULL);
    return NULL;
}

/* A module within a block, which a dot ends. */
static char *unet_module_back(const char *s, int n_layers)
{
    int i, j, used = 0;
    const gboolean down = g_str_has_prefix(s, "down_blocks.");
    const int first = down ? 1 : 0, size = n_layers + 1;
    const char *side = down ? "input_blocks" : "output_blocks";
    char kind[16];
    if (sscanf(s, "mid_block.resnets.%3d.%n", &i, &used) == 1 && used) {
        char *tail = swap_back(s + used, resnet_pairs, G_N_ELEMENTS(resnet_pairs));
        char *out = tail ? g_strdup_printf("middle_block.%d.%s", 2 * i, tail) : NULL;
        g_free(tail);
        return out;
    }
    if (sscanf(s, down ? "down_blocks.%3d.%15[a-z].%3d.%n" : "up_blocks.%3d.%15[a-z].%3d.%n", &i, kind, &j, &used) !=
            3 ||
        !used)
        return swap_back(s, unet_heads, G_N_ELEMENTS(unet_heads));
    if (strcmp(kind, "attentions") == 0)
        return g_strdup_printf("%s.%d.1.%s", side, first + size * i + j, s + used);
    if (strcmp(kind, "downsamplers") == 0)
        return g_strdup_printf("%s.%d.0.op.", side, size * (i + 1));
    if (strcmp(kind, "resnets") != 0)
        return NULL;
    char *tail = swap_back(s + used, resnet_pairs, G_N_ELEMENTS(resnet_pairs));
    char *out = tail ? g_strdup_printf("%s.%d.0.%s", side, first + size * i + j, tail) : NULL;
    g_free(tail);
    return out;
}

static char *openclip_module_back(const char *s)
{
    int i, used = 0;
    if (sscanf(s, "text_model.encoder.layers.%3d.%n", &i, &used) != 1 || !used)
        return g_str_has_prefix(s, "text_model.final_layer_norm.") ? g_strdup("ln_final.") : NULL;
    char *tail = swap_back(s + used, openclip_layer, G_N_ELEMENTS(openclip_layer));
    char *out = tail ? g_strdup_printf("transformer.resblocks.%d.%s", i, tail) : NULL;
    g_free(tail);
    return out;
}

char *sfu_name_to_checkpoint(const char *module, SfuPart part, int n_layers)
{
    char *dotted = g_strconcat(module, ".", NULL),
         *out = part == SFU_PART_UNET ? unet_module_back(dotted, n_layers) : openclip_module_back(dotted);
    if (out)
        out[strlen(out) - 1] = 0;
    g_free(dotted);
    return out;
}

char *sfu_name_from_checkpoint(const char *name, int n_vae_levels, int n_layers, SfuPart *part)
{
    static const struct {
        const char *prefix;
        SfuPart part;
        char *(*fn)(const char *);
    } roots[] = {
        {"model.diffusion_model.", SFU_PART_UNET, NULL},
        {"first_stage_model.", SFU_PART_VAE, NULL},
        {"cond_stage_model.transformer.text_model.", SFU_PART_TEXT, NULL},
        {"cond_stage_model.transformer.", SFU_PART_TEXT, NULL},
        {"cond_stage_model.model.", SFU_PART_TEXT, openclip_name},
        {"conditioner.embedders.0.model.", SFU_PART_TEXT, openclip_name}, /* SD-Turbo */
        {"conditioner.embedders.0.transformer.text_model.", SFU_PART_TEXT, NULL},
        {"conditioner.embedders.1.model.", SFU_PART_TEXT2, openclip_name},
        {"cond_stage_model.1.transformer.text_model.", SFU_PART_TEXT2, NULL}, /* stable-diffusion.cpp */
    };
    if (sfu_name_is_ignorable(name))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(roots); i++) {
        if (!g_str_has_prefix(name, roots[i].prefix))
            continue;
        *part = roots[i].part;
        const char *rest = name + strlen(roots[i].prefix);
        if (roots[i].part == SFU_PART_UNET)
            return unet_name(rest, n_layers);
        if (roots[i].part == SFU_PART_VAE)
            return sfu_name_from_vae(rest, n_vae_levels);
        return roots[i].fn ? roots[i].fn(rest) : g_strconcat("text_model.", rest, NULL);
    }
    return NULL;
}

gboolean sfu_name_is_ignorable(const char *name)
{
    static const char *const heads[] = {"model_ema.",
                                        "low_scale_model.",
                                        "first_stage_model.loss.",
                                        "cond_stage_model.model.visual.",
                                        "cond_stage_model.model.attn_mask",
                                        "cond_stage_model.model.logit_scale",
                                        "cond_stage_model.model.text_projection",
                                        "cond_stage_model.logit_scale",
                                        "cond_stage_model.text_projection",
                                        "cond_stage_model.transformer.text_projection",
                                        "conditioner.embedders.0.model.attn_mask",
                                        "conditioner.embedders.0.model.logit_scale",
                                        "conditioner.embedders.0.model.text_projection",
                                        "conditioner.embedders.1.model.attn_mask",
                                        "conditioner.embedders.1.model.logit_scale",
                                        "denoiser.sigmas",
                                        "alphas_cumprod",
                                        "sqrt_",
                                        "log_one_minus_alphas_cumprod",
                                        "posterior_",
                                        "optimizer",
                                        "callbacks.",
                                        "loss."};
    static const char *const whole[] = {
        "betas", "logvar",          "lvlb_weights",      "global_step",    "epoch",         "v_pred",
        "ztsnr", "model_ema.decay", "__index_level_0__", "lm_head.weight", "output.weight", "rope_freqs.weight"};
    if (g_str_has_suffix(name, "position_ids") || g_str_has_suffix(name, "num_batches_tracked"))
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(heads); i++)
        if (g_str_has_prefix(name, heads[i]))
            return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(whole); i++)
        if (strcmp(name, whole[i]) == 0)
            return TRUE;
    return FALSE;
}

const char *sfu_names_of_more(const GPtrArray *strays)
{
    static const struct {
        const char *part, *what;
    } kinds[] = {
        {"cond_proj.", "a latent consistency model whose network is told the guidance"},
        {"position_net.", "a GLIGEN model, which is told where things are"},
        {"motion_modules.", "an AnimateDiff model, which makes videos"},
        {".time_stack.", "a model that makes videos"},
        {"_ip.", "a UNet with an IP-Adapter in it"},
        {"siglip_", "an Omni or Edit model, which sees pictures through SigLIP"},
        {".smooth_factor", "quantized by SVDQuant (Nunchaku)"},
        {".lora_", "a network with a LoRA that is not merged into it"},
        {"adapter_modules.", "a UNet with an IP-Adapter in it"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        for (guint k = 0; k < strays->len; k++)
            if (strstr(g_ptr_array_index(strays, k), kinds[i].part))
                return kinds[i].what;
    return NULL;
}

const char *sfu_names_foreign(const GPtrArray *tensors)
{
    /* What is more certain comes first. A dot before a word: it may stand anywhere in the name. */
    static const struct {
        const char *part, *what;
    } kinds[] = {
        {"controlnet_blocks.", "a ControlNet for transformers (Stable Diffusion 3, FLUX.1, Qwen-Image), which Sfumato "
                               "does not run"},
        {"control_img_in.", "a ControlNet for FLUX.2, which Sfumato does not run"},
        {"lllite_", "a ControlNet-LLLite, which Sfumato does not run"},
        {"enc_zero_convs_out.", "a ControlNet-XS, which Sfumato does not run"},
        {"spatial_feat_mapping.", "a fuser of T2I-Adapters (CoAdapter), which Sfumato does not run"},
        {"transformer_layes.", "a T2I-Adapter for style, which Sfumato does not run"},
        {"brushnet_", "a BrushNet, which Sfumato does not run"},
        {"control_model.", "a ControlNet, which is used together with a model"},
        {"controlnet_", "a ControlNet, which is used together with a model"},
        {"ip_adapter_proj_model.", "an IP-Adapter for FLUX.1, which Sfumato does not run"},
        {"id_encoder.", "a PhotoMaker, which needs a face recognizer; Sfumato does not run it"},
        {"pulid_", "a PuLID adapter, which needs a face recognizer; Sfumato does not run it"},
        {"emb_params", "a textual inversion, which is used together with a model"},
        {"clip_l", "a textual inversion, which is used together with a model"},
        {"clip_g", "a textual inversion, which is used together with a model"},
        {"encoder.block.", "a T5 text encoder, which no model here uses"},
        {"conditioner.embedders.", "a Stable Diffusion XL checkpoint"},
        {"joint_blocks.", "a Stable Diffusion 3 checkpoint"},
        {"distilled_guidance_layer.", "a Chroma checkpoint, which Sfumato does not run"},
        {"txt_in.individual_token_refiner.", "a HunyuanVideo checkpoint, which Sfumato does not run"},
        {"double_blocks.", "a Flux checkpoint"},
        {"time_text_embed.", "a transformer of FLUX.1, Stable Diffusion 3 or Qwen-Image, which Sfumato does not run"},
        {"patchify_proj.", "an LTX-Video checkpoint, which Sfumato does not run"},
        {"transformer_blocks.", "a transformer of another family"},
        {"t_block.", "a PixArt checkpoint, which Sfumato does not run"},
        {"blocks.0.cross_attn.norm_k.", "a Wan checkpoint, which Sfumato does not run"},
        {"blocks.0.adaln_modulation_", "a Cosmos or Anima checkpoint, which Sfumato does not run"},
        {"layers.0.adaLN_modulation.1.", "a Lumina 2 checkpoint, which Sfumato does not run"},
        {"clip_txt_mapper.", "a Stable Cascade checkpoint, which Sfumato does not run"},
        {"encoder_hid_proj.", "a UNet of Kolors, which Sfumato does not run"},
        {"input_blocks.", "a UNet alone, without the VAE and the text encoder that belong to it"},
        {"down_blocks.", "one network of a diffusers folder; open the folder it lies in"},
        {"text_model.", "a text encoder alone; open the folder it lies in"},
    };
    if (sfu_adapter_is(tensors))
        return "a LoRA, which is used together with a model";
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        for (guint k = 0; k < tensors->len; k++) {
            const char *name = ((const SfuFileTensor *)g_ptr_array_index(tensors, k))->name;
            if (g_str_has_prefix(name, "model.diffusion_model."))
                name += strlen("model.diffusion_model.");
            if (*kinds[i].part == '.' ? strstr(name, kinds[i].part) != NULL : g_str_has_prefix(name, kinds[i].part))
                return kinds[i].what;
        }
    return NULL;
}

char *sfu_name_from_taesd(const char *name, SfuPart part)
{
    int n, used = 0;
    const char *at = g_str_has_prefix(name, "encoder.") || g_str_has_prefix(name, "decoder.") ? name + 8 : name;
    if (sscanf(at, "%3d.%n", &n, &used) != 1 || !used)
        return NULL;
    return g_strdup_printf("layers.%d.%s", part == SFU_PART_TAESD_DECODER ? n - 1 : n, at + used);
}

char *sfu_name_from_tiny(const char *name, SfuPart *part)
{
    const gboolean encoder = g_str_has_prefix(name, "encoder.layers.");
    *part = encoder ? SFU_PART_TAESD_ENCODER : SFU_PART_TAESD_DECODER;
    return encoder || g_str_has_prefix(name, "decoder.layers.") ? g_strdup(name + strlen("encoder.")) : NULL;
}

static const char *const llama_names[][2] = {
    {"attn_norm", "input_layernorm"},    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},      {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"}, {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},       {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"}};

/* llama.cpp's converter turns the rows of queries and keys over for Llama only, not for Qwen. */
static char *from_llama(const char *name)
{
    int n = -1, used = 0;
    if (strcmp(name, "token_embd.weight") == 0)
        return g_strdup("embed_tokens.weight");
    if (strcmp(name, "output_norm.weight") == 0)
        return g_strdup("norm.weight");
    if (sscanf(name, "blk.%d.%n", &n, &used) != 1 || n < 0 || !used)
        return NULL;
    const char *rest = name + used, *dot = strchr(rest, '.');
    for (gsize i = 0; dot && i < G_N_ELEMENTS(llama_names); i++)
        if (strlen(llama_names[i][0]) == (gsize)(dot - rest) &&
            strncmp(rest, llama_names[i][0], (gsize)(dot - rest)) == 0)
            return g_strdup_printf("layers.%d.%s%s", n, llama_names[i][1], dot);
    return NULL;
}

static gboolean is_language_name(const char *name)
{
    return g_str_has_prefix(name, "layers.") || g_str_has_prefix(name, "embed_tokens.") ||
           strcmp(name, "norm.weight") == 0;
}

char *sfu_name_from_language(const char *name)
{
    const char *inner = g_str_has_prefix(name, "model.") ? name + strlen("model.") : name;
    return is_language_name(inner) ? g_strdup(inner) : from_llama(name);
}

char *sfu_name_from_diffusers(const char *name, SfuPart part)
{
    if (sfu_name_is_ignorable(name) || (part == SFU_PART_TEXT && g_str_has_prefix(name, "text_projection.")))
        return NULL;
    const char *at = part == SFU_PART_VAE ? strstr(name, "mid_block.attentions.0.") : NULL;
    if (at) {
        at += strlen("mid_block.attentions.0.");
        char *head = g_strndup(name, (gsize)(at - name)), *out = vae_attention(head, at);
        g_free(head);
        if (out)
            return out;
    }
    if (part == SFU_PART_TEXT && (g_str_has_prefix(name, "model.") || is_language_name(name)))
        return sfu_name_from_language(name);
    if ((part == SFU_PART_TEXT || part == SFU_PART_TEXT2) && !g_str_has_prefix(name, "text_model.") &&
        !g_str_has_prefix(name, "text_projection"))
        return g_strconcat("text_model.", name, NULL);
    return g_strdup(name);
}
