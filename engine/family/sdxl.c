/* Stable Diffusion XL (Podell 2023; both text encoders give the layer before their last: section 2.1) and its
 * offspring: fine-tunes, few-step models, SSD-1B and Segmind Vega (Gupta 2024), KOALA (Lee 2023), inpainting (9 input
 * channels), InstructPix2Pix (8), the refiner. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "family/registry.h"
#include "family/sd.h"
#include "model/model_struct.h"
#include "model/canonical_names.h"
#include <string.h>
#include <glib/gi18n-lib.h>

/* ---- original files ---- */

static const SfuUnetNames *unet_names(const SfuSource *s)
{
    return sfu_sd_unet_names(s, "label_emb.0.0.weight", "add_embedding.linear_1.weight");
}

/* unCLIP models of Stable Diffusion 2 have a label_emb too, for what a picture shows. */
static gboolean recognize(const SfuSource *s)
{
    return unet_names(s) && !sfu_source_has_prefix(s, "cond_stage_model.model.") &&
           !sfu_source_has_prefix(s, "control");
}

static gboolean has_second_text(const SfuSource *s)
{
    return sfu_source_has_prefix(s, "conditioner.embedders.1.") || sfu_source_has_prefix(s, "cond_stage_model.1.") ||
           sfu_source_has_prefix(s, "te.1.");
}

static char *canonical(const SfuSource *s, const char *name, SfuPart *part)
{
    static const char *const projections[] = {"conditioner.embedders.0.model.text_projection",
                                              "conditioner.embedders.1.model.text_projection",
                                              "cond_stage_model.1.transformer.text_model.text_projection"};
    for (gsize i = 0; i < G_N_ELEMENTS(projections); i++)
        if (strcmp(name, projections[i]) == 0) {
            *part = SFU_PART_TEXT2;
            return g_strdup("text_projection");
        }
    char *found = sfu_sd_canonical_in(s, unet_names(s), name, part);
    /* The refiner's one encoder is what elsewhere is the second. */
    if (found && *part == SFU_PART_TEXT && !has_second_text(s) &&
        g_str_has_prefix(name, "conditioner.embedders.0.model."))
        *part = SFU_PART_TEXT2;
    return found;
}

static gboolean ignores(const char *name)
{
    static const char *const used[] = {"conditioner.embedders.0.model.text_projection"};
    static const char *const unused[] = {"conditioner.embedders.0.transformer.text_projection",
                                         "conditioner.embedders.0.logit_scale", "conditioner.embedders.1.logit_scale"};
    for (gsize i = 0; i < G_N_ELEMENTS(used); i++)
        if (strcmp(name, used[i]) == 0)
            return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(unused); i++)
        if (g_str_has_prefix(name, unused[i]))
            return TRUE;
    return sfu_name_is_ignorable(name);
}

static gboolean open_source(SfuModel *m, const SfuSource *s, GError **error)
{
    if (sfu_source_has_prefix(s, "edm_")) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s is an XL model in EDM's form (CosXL, Playground 2.5), which Sfumato does not run"), m->path);
        return FALSE;
    }
    return sfu_family_take(m, m->family, s, error);
}

/* ---- configuration ---- */

static gboolean claims(const SfuModel *m)
{
    return sfu_model_tensor(m, SFU_PART_UNET, "add_embedding.linear_1.weight") != NULL;
}

static JsonNode *json_of(JsonNode *root, const char *name)
{
    return root ? json_object_get_member(json_node_get_object(root), name) : NULL;
}

static gboolean json_says(JsonNode *root, const char *name, const char *value)
{
    JsonNode *n = json_of(root, name);
    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING &&
           g_str_has_prefix(json_node_get_string(n), value);
}

/* Models distilled for few steps have the shapes of the others: what tells them is their name. */
static const struct {
    const char *word;
    const SfuFamily *family;
} few_steps[] = {{"turbo", &sfu_family_sdxl_turbo},
                 {"lightning", &sfu_family_sdxl_lightning},
                 {"hyper", &sfu_family_sdxl_lightning},
                 {"lcm", &sfu_family_sdxl_lcm},
                 {"dmd2", &sfu_family_sdxl_lcm}};

static const SfuFamily *by_name(const SfuModel *m)
{
    char *base = g_path_get_basename(m->path), *name = g_ascii_strdown(base, -1);
    const SfuFamily *found = &sfu_family_sdxl;
    for (gsize i = 0; i < G_N_ELEMENTS(few_steps) && found == &sfu_family_sdxl; i++)
        if (strstr(name, few_steps[i].word))
            found = few_steps[i].family;
    g_free(name);
    g_free(base);
    return found;
}

/* How many numbers the UNet is told beside the pooled vector: 6 (sizes and the cut), or 5 (a score in the place of the
 * last two) in the refiner; -1: what the vector leaves of the width is neither. Where the encoder is in another file,
 * the vector is taken for bigG's, of 1280. */
static int n_numbers(const SfuModel *m)
{
    const gboolean known = m->tensors[SFU_PART_TEXT2] != NULL;
    const int width = m->unet.added_number_width, rest = m->unet.added_width - (known ? m->text2.projection : 1280);
    return rest == 5 * width ? 5 : rest == 6 * width || !known ? 6 : -1;
}

static gboolean refuse(const SfuModel *m, const char *why, GError **error)
{
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "%s: %s", m->path, why);
    return FALSE;
}

static gboolean configure(SfuModel *m, GError **error)
{
    if (!sfu_sd_configure_parts(m, error))
        return FALSE;
    const int in = m->unet.in_channels, latent = m->unet.out_channels;
    if (!m->config[SFU_PART_UNET] && m->tensors[SFU_PART_TEXT2]) { /* 256 in all that are published */
        const int rest = MAX(m->unet.added_width - m->text2.projection, 0);
        m->unet.added_number_width = MAX(2, rest % 6 ? rest / 5 : rest / 6);
    }
    const int n = n_numbers(m);
    if (m->tensors[SFU_PART_VAE] && !m->vae.scaling_in_file)
        m->vae.scaling_factor = sfu_family_sdxl.latent_scale;
    if (json_says(m->scheduler_json, "_class_name", "EDM"))
        return refuse(m, _("an XL model in EDM's form (CosXL, Playground 2.5), which Sfumato does not run"), error);
    if (n < 0)
        return refuse(m, _("a UNet with added conditions that Sfumato does not know"), error);
    m->family = in == latent           ? (n == 5 ? &sfu_family_sdxl_refiner : by_name(m))
                : in == 2 * latent + 1 ? &sfu_family_sdxl_inpaint
                : in == 2 * latent     ? &sfu_family_sdxl_edit
                                       : NULL;
    if (!m->family)
        return refuse(m, _("a UNet whose input matches no Stable Diffusion model that Sfumato knows"), error);
    if (!m->config[SFU_PART_UNET])
        m->unet.sample_size = 128;
    if (!m->scheduler_json)
        sfu_sd_guess_prediction(m, FALSE);
    return TRUE;
}

static int numbers(const SfuModel *m, const SfuShown *shown, float *out)
{
    const float place[] = {(float)shown->original_h, (float)shown->original_w, (float)shown->crop_top,
                           (float)shown->crop_left};
    memcpy(out, place, sizeof place);
    if (n_numbers(m) == 5) {
        out[4] = (float)shown->score;
        return 5;
    }
    out[4] = (float)shown->target_h;
    out[5] = (float)shown->target_w;
    return 6;
}

/* ---- parts in other files ---- */

/* 768 + 1280 = 2048, and the refiner 1280: the second encoder comes last. */
static gboolean fits(const SfuModel *m, const SfuModel *other, SfuPart part, GError **error)
{
    const int all = m->unet.cross_attention_dim;
    return sfu_sd_part_fits(m, other, part,
                            part != SFU_PART_TEXT2                  ? all * 3 / 8
                            : m->family == &sfu_family_sdxl_refiner ? all
                                                                    : all * 5 / 8,
                            error);
}

/* Stable Diffusion 1's autoencoder has the same shape, and makes other colors of these latents; its fine-tunes have a
 * text encoder of the same shape, which is no longer the published one. */
static gboolean likely(const SfuModel *m, const SfuModel *other, SfuPart part)
{
    (void)m;
    if (part != SFU_PART_VAE)
        return !other->family->tasks || other->family->latent_scale > 0;
    return sfu_sd_vae_is_likely(other, sfu_family_sdxl.latent_scale, TRUE);
}

/* model_index.json may say; else those published do, but for the refiner. */
static gboolean zeroes_negative(const SfuModel *m)
{
    JsonNode *n = json_of(m->index, "force_zeros_for_empty_prompt");
    if (n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_BOOLEAN)
        return json_node_get_boolean(n);
    return m->family != &sfu_family_sdxl_refiner;
}

/* A linear fit of latents to colors, without its constant part (Timothy Alexis Vass, "Explaining the SDXL latent
 * space", Hugging Face's blog, 2023: these over 127.5). */
static const float preview_rgb[4][3] = {
    {0.471f, 0.471f, 0.510f}, {-0.471f, -0.039f, 0.078f}, {0.196f, 0.118f, -0.039f}, {-0.549f, -0.392f, -0.275f}};

/* Sabour 2024 ("Align Your Steps"), their table for this model. */
static const int aligned_timesteps[] = {999, 845, 730, 587, 443, 310, 193, 116, 53, 13};
/* Chen 2024 (GITS), as Forge has it. */
static const double gits_sigmas[] = {14.615, 4.734, 2.567, 1.529, 0.987, 0.652, 0.418, 0.268, 0.179, 0.127, 0.029};

#define PAINTS (1u << SFU_TASK_INPAINT | 1u << SFU_TASK_OUTPAINT)
#define DRAWS (1u << SFU_TASK_TXT2IMG | 1u << SFU_TASK_IMG2IMG | PAINTS | 1u << SFU_TASK_UPSCALE)
#define GENERAL .tasks = DRAWS, .rank = 3, .rank_upscale = 7, .enlargement = SFU_ENLARGE_DETAIL
#define BOTH_TEXTS .texts = 1u << SFU_PART_TEXT | 1u << SFU_PART_TEXT2
#define FILES                                                                                                          \
    .recognize = recognize, .canonical = canonical, .ignores = ignores, .open = open_source, .claims = claims,         \
    .configure = configure, .expect = sfu_sd_expect, .native_px = sfu_sd_native_px, .denoiser = sfu_sd_denoiser,       \
    .autoencoder = sfu_sd_autoencoder, .preview_channels = 4, .preview_rgb = preview_rgb, .numbers = numbers,          \
    .zeroes_negative = zeroes_negative, .aliases = sfu_sd_aliases, .fits = fits, .likely = likely,                     \
    .least_clip_skip = 2, .no_final_norm = TRUE, .latent_scale = 0.13025f, .aligned_timesteps = aligned_timesteps,     \
    .gits_sigmas = gits_sigmas

const SfuFamily sfu_family_sdxl = {.id = "sdxl", .name = "Stable Diffusion XL", GENERAL, BOTH_TEXTS, FILES};
const SfuFamily sfu_family_sdxl_inpaint = {
    .id = "sdxl-inpaint", .name = "Stable Diffusion XL inpainting", .tasks = PAINTS, .rank = 1, BOTH_TEXTS, FILES};
const SfuFamily sfu_family_sdxl_edit = {.id = "sdxl-edit",
                                        .name = "InstructPix2Pix XL",
                                        .tasks = 1u << SFU_TASK_EDIT,
                                        .rank = 3,
                                        .edits = TRUE,
                                        BOTH_TEXTS,
                                        FILES};
const SfuFamily sfu_family_sdxl_refiner = {
    .id = "sdxl-refiner", .name = "Stable Diffusion XL refiner", GENERAL, .texts = 1u << SFU_PART_TEXT2, FILES};
/* Sauer 2023; Lin 2024 ("Lightning"); Ren 2024 ("Hyper"): Euler, the last timestep first, no guidance. */
static const SfuDefaults euler_defaults = {
    .sampler = SFU_SAMPLER_EULER, .schedule = SFU_SCHEDULE_TRAILING, .steps = 4, .guidance = 1};
static const SfuDefaults lightning_defaults = {
    .sampler = SFU_SAMPLER_EULER, .schedule = SFU_SCHEDULE_TRAILING, .steps = 8, .guidance = 1};
/* Luo 2023 ("LCM"); Yin 2024 ("DMD2"). */
static const SfuDefaults lcm_defaults = {
    .sampler = SFU_SAMPLER_LCM, .schedule = SFU_SCHEDULE_AUTO, .steps = 4, .guidance = 1};
const SfuFamily sfu_family_sdxl_turbo = {
    .id = "sdxl-turbo", .name = "Stable Diffusion XL Turbo", GENERAL, BOTH_TEXTS, .defaults = &euler_defaults, FILES};
const SfuFamily sfu_family_sdxl_lightning = {.id = "sdxl-lightning",
                                             .name = "Stable Diffusion XL Lightning",
                                             GENERAL,
                                             BOTH_TEXTS,
                                             .defaults = &lightning_defaults,
                                             FILES};
const SfuFamily sfu_family_sdxl_lcm = {
    .id = "sdxl-lcm", .name = "Stable Diffusion XL LCM", GENERAL, BOTH_TEXTS, .defaults = &lcm_defaults, FILES};
