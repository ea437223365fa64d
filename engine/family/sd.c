/* Stable Diffusion 1.x and 2.x (Rombach 2022), their inpainting models (9 input channels) and InstructPix2Pix (8;
 * Brooks 2023). Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/sd.h"
#include "family/adapter_modules.h"
#include "family/measure.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "model/canonical_names.h"
#include "net/net.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <glib/gi18n-lib.h>

/* ---- original files ---- */

#define ORIGINAL "model.diffusion_model."

const SfuUnetNames *sfu_sd_unet_names(const SfuSource *s, const char *original, const char *diffusers)
{
    static const SfuUnetNames all[] = {{ORIGINAL, FALSE}, {"", FALSE}, {"", TRUE}, {"unet.", TRUE}};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
        if (sfu_source_find(s, "%s%s", all[i].prefix, all[i].diffusers ? diffusers : original) &&
            sfu_source_find(s, "%s%s", all[i].prefix, all[i].diffusers ? "conv_in.weight" : "input_blocks.0.0.weight"))
            return &all[i];
    return NULL;
}

static const SfuUnetNames *unet_names(const SfuSource *s)
{
    return sfu_sd_unet_names(s, "time_embed.0.weight", "time_embedding.linear_1.weight");
}

static gboolean recognize(const SfuSource *s)
{
    return sfu_source_has_prefix(s, ORIGINAL) || sfu_source_has_prefix(s, "model_ema.diffusion_model") || unet_names(s);
}

int sfu_sd_vae_levels(const SfuSource *s, const char *prefix)
{
    int n = 0;
    while (n < SFU_MAX_BLOCKS && sfu_source_find(s, "%sdecoder.up.%d.block.0.conv1.weight", prefix, n))
        n++;
    return n;
}

/* Residual blocks of a level on the way down, which a convolution ends: two, of which some distilled UNets lost one. */
static int unet_layers(const SfuSource *s)
{
    for (int i = 1; i <= SFU_MAX_BLOCKS; i++)
        if (sfu_source_find(s, "model.diffusion_model.input_blocks.%d.0.op.weight", i) ||
            sfu_source_find(s, "input_blocks.%d.0.op.weight", i))
            return MAX(1, i - 1);
    return 2;
}

/* A diffusers folder in one file, as stable-diffusion.cpp converts it: what is beside the UNet. NULL: nothing of it. */
static char *beside_unet(const char *name, SfuPart *part)
{
    static const struct {
        const char *prefix;
        SfuPart part;
    } roots[] = {{"te.1.", SFU_PART_TEXT2}, {"te.", SFU_PART_TEXT}, {"vae.", SFU_PART_VAE}};
    for (gsize i = 0; i < G_N_ELEMENTS(roots); i++)
        if (g_str_has_prefix(name, roots[i].prefix)) {
            *part = roots[i].part;
            return sfu_name_from_diffusers(name + strlen(roots[i].prefix), roots[i].part);
        }
    return NULL;
}

char *sfu_sd_canonical_in(const SfuSource *s, const SfuUnetNames *names, const char *name, SfuPart *part)
{
    const gboolean lone = names && strcmp(names->prefix, ORIGINAL) != 0,
                   within = lone && g_str_has_prefix(name, names->prefix);
    if (within && names->diffusers) {
        *part = SFU_PART_UNET;
        return sfu_name_from_diffusers(name + strlen(names->prefix), SFU_PART_UNET);
    }
    if (names && names->diffusers && *names->prefix)
        return beside_unet(name, part);
    char *whole = within ? g_strconcat(ORIGINAL, name, NULL) : NULL;
    char *found = sfu_name_from_checkpoint(whole ? whole : name, sfu_sd_vae_levels(s, "first_stage_model."),
                                           unet_layers(s), part);
    g_free(whole);
    return found;
}

char *sfu_sd_canonical(const SfuSource *s, const char *name, SfuPart *part)
{
    return sfu_sd_canonical_in(s, unet_names(s), name, part);
}

/* Why a file with such names is not one of ours; NULL: it may be. */
static const char *other_family(const SfuSource *s)
{
    const SfuUnetNames *names = unet_names(s);
    if (names && strcmp(names->prefix, ORIGINAL) != 0)
        return NULL;
    if (!sfu_source_has_prefix(s, ORIGINAL))
        return "a checkpoint whose UNet is there only as its training average (model_ema), in names that Sfumato "
               "cannot read back";
    if (sfu_source_has_prefix(s, "conditioner.embedders.1."))
        return "a checkpoint with the text encoders of Stable Diffusion XL beside a UNet that is none of its";
    if (sfu_source_has_prefix(s, "model.diffusion_model.label_emb.0."))
        return "an unCLIP checkpoint, which is told by a picture; Sfumato runs those that are told by words";
    if (sfu_source_has_prefix(s, "model.diffusion_model.joint_blocks."))
        return "a Stable Diffusion 3 checkpoint";
    if (sfu_source_has_prefix(s, "model.diffusion_model.double_blocks."))
        return "a Flux checkpoint";
    return sfu_source_has_prefix(s, "model.diffusion_model.input_blocks.") ||
                   sfu_source_has_prefix(s, "model.diffusion_model.out.")
               ? NULL
               : "a checkpoint of another family";
}

gboolean sfu_sd_open(SfuModel *m, const SfuSource *s, GError **error)
{
    const char *other = other_family(s);
    if (other) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, _("%s is %s"), m->path, other);
        return FALSE;
    }
    if (sfu_source_has_prefix(s, "conditioner.embedders.0.model."))
        m->family = &sfu_family_sd_turbo;
    return sfu_family_take(m, m->family, s, error);
}

/* ---- what the file does not say ---- */

/* Published with 2.x checkpoints: a .yaml of the same name, whose parameterization is "v" for the 768 models. 1: v, 0:
 * not, -1: no file. */
static int yaml_says_v(const SfuModel *m)
{
    const char *dot = strrchr(m->path, '.');
    char *path = g_strdup_printf("%.*s.yaml", (int)(dot ? dot - m->path : (gssize)strlen(m->path)), m->path),
         *text = NULL;
    int v = -1;
    if (dot && g_file_test(path, G_FILE_TEST_IS_REGULAR) && g_file_get_contents(path, &text, NULL, NULL)) {
        const char *at = strstr(text, "parameterization:");
        at = at ? at + strlen("parameterization:") : "";
        while (*at == ' ' || *at == '"' || *at == '\'')
            at++;
        v = *at == 'v' && !g_ascii_isalpha(at[1]);
    }
    g_free(text);
    g_free(path);
    return v;
}

/* The shapes of 2.x base (epsilon) and 768 (v) are the same. What differs measurably in all published ones and their
 * offspring is the spread of this bias, above 0.09 for v (found by the authors of ComfyUI). */
static gboolean bias_says_v(SfuModel *m)
{
    char name[96];
    g_snprintf(name, sizeof name, "up_blocks.%d.attentions.%d.transformer_blocks.0.norm1.bias", m->unet.n_blocks - 1,
               m->unet.layers_per_block);
    SfuWeight *w = sfu_model_find(m, SFU_PART_UNET, name);
    const gint64 n = w ? sfu_weight_elements(w) : 0;
    if (n < 1 || n > 65536)
        return FALSE;
    float *v = g_new(float, n);
    double mean = 0, square = 0;
    sfu_weight_read_f32(w, 0, n, v);
    for (gint64 i = 0; i < n; i++)
        mean += v[i] / (double)n;
    for (gint64 i = 0; i < n; i++)
        square += (v[i] - mean) * (v[i] - mean) / (double)n;
    g_free(v);
    return sqrt(square) > 0.09;
}

static gboolean has_marker(const SfuModel *m, const char *name)
{
    for (guint i = 0; i < m->ignored->len; i++)
        if (strcmp(g_ptr_array_index(m->ignored, i), name) == 0)
            return TRUE;
    return FALSE;
}

void sfu_sd_guess_prediction(SfuModel *m, gboolean v)
{
    SfuSchedulerConfig *c = &m->scheduler;
    const int yaml = yaml_says_v(m);
    if (yaml == 1 || has_marker(m, "v_pred") || (yaml < 0 && m->family == &sfu_family_sd2 && bias_says_v(m)) || v)
        c->prediction = SFU_PREDICT_V;
    if (has_marker(m, "ztsnr"))
        c->zero_terminal_snr = TRUE;
}

/* ---- configuration ---- */

gboolean sfu_sd_configure_parts(SfuModel *m, GError **error)
{
    return sfu_model_configure_scheduler(m, error) &&
           (!m->tensors[SFU_PART_UNET] || sfu_model_configure_unet(m, error)) &&
           (!m->tensors[SFU_PART_VAE] || sfu_model_configure_vae(m, error)) &&
           (!m->tensors[SFU_PART_TEXT] || sfu_model_configure_text(m, SFU_PART_TEXT, error)) &&
           (!m->tensors[SFU_PART_TEXT2] || sfu_model_configure_text(m, SFU_PART_TEXT2, error));
}

void sfu_sd_expect(SfuModel *m)
{
    if (m->tensors[SFU_PART_UNET])
        sfu_unet_expect(m);
    if (m->tensors[SFU_PART_VAE])
        sfu_vae_expect(m);
    if (m->tensors[SFU_PART_TEXT])
        sfu_text_encoder_expect(m, SFU_PART_TEXT);
    if (m->tensors[SFU_PART_TEXT2])
        sfu_text_encoder_expect(m, SFU_PART_TEXT2);
    sfu_taesd_expect(m);
}

/* SD-Turbo (Sauer 2023) has the shapes of 2.1. Its single file names the text encoder as XL's do; its folder has the
 * spacing that it was distilled for, and its name. */
static gboolean is_turbo(const SfuModel *m)
{
    if (m->family == &sfu_family_sd_turbo)
        return TRUE;
    JsonNode *spacing =
        m->scheduler_json ? json_object_get_member(json_node_get_object(m->scheduler_json), "timestep_spacing") : NULL;
    char *name = g_ascii_strdown(m->path, -1);
    const gboolean turbo = spacing && JSON_NODE_HOLDS_VALUE(spacing) &&
                           json_node_get_value_type(spacing) == G_TYPE_STRING &&
                           strcmp(json_node_get_string(spacing), "trailing") == 0 &&
                           m->scheduler.prediction == SFU_PREDICT_EPSILON && strstr(name, "turbo");
    g_free(name);
    return turbo;
}

static gboolean claims(const SfuModel *m)
{
    return sfu_model_has_part(m, SFU_PART_UNET);
}

static gboolean configure(SfuModel *m, GError **error)
{
    if (!sfu_sd_configure_parts(m, error))
        return FALSE;
    const int in = m->unet.in_channels, latent = m->unet.out_channels, context = m->unet.cross_attention_dim;
    /* 1.x: context of 768; 2.x: 1024. Small models for tests have neither, but the same projections. */
    const gboolean two = context == 1024 || (context != 768 && m->unet.linear_projection);
    const gboolean turbo = is_turbo(m);
    m->family = in == latent               ? (two ? (turbo ? &sfu_family_sd_turbo : &sfu_family_sd2) : &sfu_family_sd1)
                : in == 2 * latent + 1     ? (two ? &sfu_family_sd2_inpaint : &sfu_family_sd1_inpaint)
                : in == 2 * latent && !two ? &sfu_family_sd1_edit
                                           : NULL;
    if (!m->family) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s: the UNet's input matches no Stable Diffusion model that Sfumato knows"), m->path);
        return FALSE;
    }
    if (!m->scheduler_json)
        sfu_sd_guess_prediction(m, FALSE);
    return TRUE;
}

/* ---- parts in other files ---- */

gboolean sfu_sd_part_fits(const SfuModel *m, const SfuModel *other, SfuPart part, int width, GError **error)
{
    const SfuVaeConfig *v = sfu_model_vae(other);
    if (part == SFU_PART_VAE)
        return (v->latent_channels == m->unet.out_channels && !v->packed) ||
               sfu_family_refuse_vae(m, other, m->unet.out_channels, error);
    const int hidden = sfu_model_text(other, part)->hidden;
    return hidden == width || sfu_family_refuse_text(m, other, width, hidden, error);
}

gboolean sfu_sd_vae_is_likely(const SfuModel *other, float scale, gboolean xl)
{
    const SfuVaeConfig *v = sfu_model_vae(other);
    if (v->scaling_in_file || other->family->tasks)
        return fabsf(v->scaling_factor - scale) < 1e-4f;
    char *base = g_path_get_basename(sfu_model_path(other)), *name = g_ascii_strdown(base, -1);
    const gboolean named = strstr(name, "xl") != NULL;
    g_free(name);
    g_free(base);
    return named == xl;
}

static gboolean fits(const SfuModel *m, const SfuModel *other, SfuPart part, GError **error)
{
    return sfu_sd_part_fits(m, other, part, m->unet.cross_attention_dim, error);
}

/* XL's autoencoder has the same shape, and makes other colors of these latents. A checkpoint's text encoder may be a
 * fine-tuned one. */
static gboolean likely(const SfuModel *m, const SfuModel *other, SfuPart part)
{
    (void)m;
    return part == SFU_PART_VAE ? sfu_sd_vae_is_likely(other, 0.18215f, FALSE) : !other->family->tasks;
}

const char *sfu_sd_kin(int context, gboolean added)
{
    return added             ? "Stable Diffusion XL"
           : context == 768  ? "Stable Diffusion 1.x"
           : context == 1024 ? "Stable Diffusion 2.x"
                             : "a UNet of another width";
}

int sfu_sd_native_px(const SfuModel *m)
{
    const int factor = m->tensors[SFU_PART_VAE] ? 1 << (m->vae.n_blocks - 1) : 8;
    return m->unet.sample_size > 0 ? (int)CLAMP((gint64)m->unet.sample_size * factor, 64, 4096) : 512;
}

/* ---- adapters ---- */

void sfu_sd_aliases(const SfuModel *m, SfuPart part, const char *module, SfuAliases *names)
{
    static const char *const projections[] = {".self_attn.q_proj", ".self_attn.k_proj", ".self_attn.v_proj"};
    int block, used = 0;
    const int n_layers = MAX(1, m->unet.layers_per_block);
    char *original = sfu_name_to_checkpoint(module, part, n_layers), other[64];
    if (original)
        sfu_aliases_add(names, original, 0, 0, 0);
    g_free(original);
    /* Behind an attention or not: the number differs, and both are tried. */
    if (sscanf(module, "up_blocks.%3d.upsamplers.0.conv%n", &block, &used) == 1 && used && !module[used])
        for (int i = 1; i <= 2; i++) {
            g_snprintf(other, sizeof other, "output_blocks.%d.%d.conv", (n_layers + 1) * block + n_layers, i);
            sfu_aliases_add(names, other, 0, 0, 0);
        }
    if (part == SFU_PART_UNET)
        return;
    if (g_str_has_prefix(module, "text_model."))
        sfu_aliases_add(names, module + strlen("text_model."), 0, 0, 0);
    for (int i = 0; i < 3; i++) { /* OpenCLIP has them in one */
        int layer;
        const SfuFileTensor *t = sfu_model_tensor(m, part, "%s.weight", module);
        const gint64 c = sfu_tensor_dim(t, 0);
        if (!g_str_has_suffix(module, projections[i]) || sscanf(module, "text_model.encoder.layers.%3d.", &layer) != 1)
            continue;
        g_snprintf(other, sizeof other, "transformer.resblocks.%d.attn.in_proj", layer);
        sfu_aliases_add(names, other, 0, i * c, c);
    }
}

/* ---- networks ---- */

SfuDenoiser *sfu_sd_denoiser(SfuQueue *q, SfuModel *m, GError **error)
{
    return sfu_unet_denoiser(q, m, error);
}

SfuAutoencoder *sfu_sd_autoencoder(SfuQueue *q, SfuModel *m, GError **error)
{
    const gboolean tiny =
        !m->tensors[SFU_PART_VAE] && (m->tensors[SFU_PART_TAESD_DECODER] || m->tensors[SFU_PART_TAESD_ENCODER]);
    return tiny ? sfu_taesd_autoencoder(q, m, error) : sfu_vae_autoencoder(q, m, error);
}

/* The first three of four latents are nearly a small picture: a linear fit (published by Kevin Turner on Hugging Face's
 * forum, 2022). */
static const float preview_rgb[4][3] = {
    {0.298f, 0.207f, 0.208f}, {0.187f, 0.286f, 0.173f}, {-0.158f, 0.189f, 0.264f}, {-0.184f, -0.271f, -0.473f}};

/* Sabour 2024 (Align Your Steps), for Stable Diffusion 1.5; 2.x has the same noise levels. */
static const int aligned_timesteps[] = {999, 850, 736, 645, 545, 455, 343, 233, 124, 24};
/* Chen 2024 (GITS), as Forge has it. */
static const double gits_sigmas[] = {14.615, 4.617, 2.507, 1.236, 0.702, 0.402, 0.240, 0.156, 0.104, 0.094, 0.029};

#define PAINTS (1u << SFU_TASK_INPAINT | 1u << SFU_TASK_OUTPAINT)
#define DRAWS (1u << SFU_TASK_TXT2IMG | 1u << SFU_TASK_IMG2IMG | PAINTS | 1u << SFU_TASK_UPSCALE)
/* "detail" adds what was not there: these enlarge only if nothing else does. */
#define GENERAL .tasks = DRAWS, .rank = 2, .rank_upscale = 7, .enlargement = SFU_ENLARGE_DETAIL
#define FILES                                                                                                          \
    .recognize = recognize, .canonical = sfu_sd_canonical, .ignores = sfu_name_is_ignorable, .open = sfu_sd_open,      \
    .claims = claims, .configure = configure, .expect = sfu_sd_expect, .native_px = sfu_sd_native_px,                  \
    .aliases = sfu_sd_aliases, .fits = fits, .likely = likely, .denoiser = sfu_sd_denoiser,                            \
    .autoencoder = sfu_sd_autoencoder, .preview_channels = 4, .preview_rgb = preview_rgb,                              \
    .aligned_timesteps = aligned_timesteps, .gits_sigmas = gits_sigmas

const SfuFamily sfu_family_sd1 = {.id = "sd1", .name = "Stable Diffusion 1.x", GENERAL, FILES};
const SfuFamily sfu_family_sd2 = {.id = "sd2", .name = "Stable Diffusion 2.x", GENERAL, FILES};
const SfuFamily sfu_family_sd1_inpaint = {
    .id = "sd1-inpaint", .name = "Stable Diffusion 1.x inpainting", .tasks = PAINTS, FILES};
const SfuFamily sfu_family_sd2_inpaint = {
    .id = "sd2-inpaint", .name = "Stable Diffusion 2.x inpainting", .tasks = PAINTS, FILES};
const SfuFamily sfu_family_sd1_edit = {
    .id = "sd1-edit", .name = "InstructPix2Pix", .tasks = 1u << SFU_TASK_EDIT, .rank = 2, .edits = TRUE, FILES};
/* Distilled for one to four steps without guidance. */
static const SfuDefaults turbo_defaults = {
    .sampler = SFU_SAMPLER_EULER, .schedule = SFU_SCHEDULE_TRAILING, .steps = 4, .guidance = 1};
const SfuFamily sfu_family_sd_turbo = {
    .id = "sd-turbo", .name = "SD-Turbo", GENERAL, .defaults = &turbo_defaults, FILES};
