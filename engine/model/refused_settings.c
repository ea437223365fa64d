/* Settings of a diffusers folder that make another network of the same tensors. Sfumato computes one value of each; a
 * file that asks for another would give a wrong picture, so it is refused by name. What changes the tensors themselves
 * is found when they are bound. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/json.h"
#include "model/model_struct.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

typedef struct {
    const char *name;
    const char *values[3]; /* what is computed, a string, a number or a truth value; absent and null are always taken */
} Setting;

/* diffusers' UNet2DConditionModel */
static const Setting unet[] = {
    {"_class_name", {"UNet2DConditionModel"}},
    {"act_fn", {"silu", "swish"}},
    {"resnet_time_scale_shift", {"default"}},
    {"time_embedding_type", {"positional"}},
    {"time_embedding_act_fn", {NULL}},
    {"timestep_post_act", {NULL}},
    {"time_cond_proj_dim", {NULL}}, /* latent consistency models that know the guidance */
    {"center_input_sample", {"false"}},
    {"downsample_padding", {"1"}},
    {"mid_block_scale_factor", {"1"}},
    {"resnet_out_scale_factor", {"1"}},
    {"resnet_skip_time_act", {"false"}},
    {"attention_type", {"default"}},
    {"dual_cross_attention", {"false"}},
    {"cross_attention_norm", {NULL}},
    {"mid_block_only_cross_attention", {"false"}},
    {"class_embed_type", {NULL}},
    {"class_embeddings_concat", {"false"}},
    {"addition_embed_type", {"text_time"}},
    {"encoder_hid_dim_type", {NULL}},
    {"conv_in_kernel", {"3"}},
    {"conv_out_kernel", {"3"}},
    {"mid_block_type", {"UNetMidBlock2DCrossAttn", "UNetMidBlock2D"}},
};
static const Setting vae[] = {{"_class_name", {"AutoencoderKL", "AutoencoderKLFlux2"}},
                              {"act_fn", {"silu", "swish"}},
                              {"latents_mean", {NULL}},
                              {"latents_std", {NULL}}};
/* CLIPTextModel */
static const Setting text[] = {{"hidden_act", {"quick_gelu", "gelu"}}};
static const Setting scheduler[] = {{"prediction_type", {"epsilon", "v_prediction", "sample"}},
                                    {"beta_schedule", {"scaled_linear", "linear"}},
                                    {"trained_betas", {NULL}}};

static gboolean is_value(JsonNode *n, const char *value)
{
    if (!JSON_NODE_HOLDS_VALUE(n))
        return FALSE;
    const GType t = json_node_get_value_type(n);
    if (t == G_TYPE_STRING)
        return strcmp(json_node_get_string(n), value) == 0;
    if (t == G_TYPE_BOOLEAN)
        return strcmp(json_node_get_boolean(n) ? "true" : "false", value) == 0;
    return g_ascii_isdigit(*value) && fabs(json_node_get_double(n) - g_ascii_strtod(value, NULL)) < 1e-6;
}

static gboolean check_settings(const SfuModel *m, const char *part, JsonNode *config, const Setting *all, gsize n,
                               GError **error)
{
    for (gsize i = 0; config && i < n; i++) {
        JsonNode *v = json_object_get_member(json_node_get_object(config), all[i].name);
        gboolean ok = !v || JSON_NODE_HOLDS_NULL(v);
        for (gsize k = 0; !ok && k < G_N_ELEMENTS(all[i].values) && all[i].values[k]; k++)
            ok = is_value(v, all[i].values[k]);
        if (ok)
            continue;
        char *has = json_to_string(v, FALSE);
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s: the configuration of the %s has %s = %s, which Sfumato does not run"), m->path, part,
                    all[i].name, SFU_TEXT_HEAD(has));
        g_free(has);
        return FALSE;
    }
    return TRUE;
}

/* Pipelines whose networks are conditioned by something that Sfumato does not make, though their tensors look alike. */
static gboolean check_pipeline(const SfuModel *m, GError **error)
{
    static const char *const others[] = {"PaintByExample",
                                         "StableDiffusionImageVariation",
                                         "StableUnCLIP",
                                         "StableDiffusionGLIGEN",
                                         "StableDiffusionDepth2Img",
                                         "StableDiffusionLatentUpscale",
                                         "StableDiffusion3",
                                         "AudioLDM",
                                         "MusicLDM",
                                         "Marigold",
                                         "AnimateDiff",
                                         "StableVideoDiffusion"};
    JsonNode *n = m->index ? json_object_get_member(json_node_get_object(m->index), "_class_name") : NULL;
    const char *name =
        n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING ? json_node_get_string(n) : "";
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        if (g_str_has_prefix(name, others[i])) {
            g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                        _("%s: this is the folder of a %s, which Sfumato does not run"), m->path, SFU_TEXT_HEAD(name));
            return FALSE;
        }
    return TRUE;
}

/* Other text encoders have activations of their own. */
static gboolean is_clip(JsonNode *config)
{
    JsonNode *n = config ? json_object_get_member(json_node_get_object(config), "model_type") : NULL;
    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING &&
           g_str_has_prefix(json_node_get_string(n), "clip_text");
}

gboolean sfu_model_check_settings(const SfuModel *m, GError **error)
{
    return check_pipeline(m, error) &&
           check_settings(m, _("UNet"), m->config[SFU_PART_UNET], unet, G_N_ELEMENTS(unet), error) &&
           check_settings(m, _("VAE"), m->config[SFU_PART_VAE], vae, G_N_ELEMENTS(vae), error) &&
           check_settings(m, _("text encoder"), is_clip(m->config[SFU_PART_TEXT]) ? m->config[SFU_PART_TEXT] : NULL,
                          text, G_N_ELEMENTS(text), error) &&
           check_settings(m, _("scheduler"), m->scheduler_json, scheduler, G_N_ELEMENTS(scheduler), error);
}
