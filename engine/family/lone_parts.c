/* Parts of other models, alone: an AutoencoderKL (Rombach 2022, appendix E), CLIP's text and image encoders.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/registry.h"
#include "family/sd.h"
#include "model/model_struct.h"
#include "model/canonical_names.h"
#include "net/vision.h"
#include <string.h>

/* Original names, alone or as a checkpoint has them, or diffusers'. */
static gboolean recognize_vae(const SfuSource *s)
{
    return sfu_sd_vae_levels(s, "") > 0 || sfu_sd_vae_levels(s, "first_stage_model.") > 0 ||
           sfu_source_find(s, "decoder.up_blocks.0.resnets.0.conv1.weight");
}

static char *canonical_vae(const SfuSource *s, const char *name, SfuPart *part)
{
    const int alone = sfu_sd_vae_levels(s, ""), within = sfu_sd_vae_levels(s, "first_stage_model.");
    *part = SFU_PART_VAE;
    if (within)
        return sfu_sd_canonical(s, name, part);
    return alone ? sfu_name_from_vae(name, alone) : sfu_name_from_diffusers(name, SFU_PART_VAE);
}

/* ComfyUI's files with everything: "text_encoders.qwen3_4b.transformer.model.layers...", "vae.decoder...". Markers of
 * programs lie beside the encoder. */
gboolean sfu_family_bundled(const SfuSource *s, const char *name, SfuPart *part, char **canonical, gboolean *ignorable)
{
    static const char text[] = "text_encoders.", vae[] = "vae.";
    *canonical = NULL;
    *ignorable = FALSE;
    if (g_str_has_prefix(name, text)) {
        const char *inner = strstr(name, ".transformer.");
        *part = SFU_PART_TEXT;
        *ignorable = !inner || g_str_has_suffix(name, ".lm_head.weight") || sfu_name_is_ignorable(name);
        if (!*ignorable)
            *canonical = sfu_name_from_language(inner + strlen(".transformer."));
    } else if (g_str_has_prefix(name, vae)) {
        const int n_levels = sfu_sd_vae_levels(s, vae);
        *part = SFU_PART_VAE;
        *ignorable = sfu_name_is_ignorable(name);
        if (!*ignorable)
            *canonical = n_levels ? sfu_name_from_vae(name + strlen(vae), n_levels)
                                  : sfu_name_from_diffusers(name + strlen(vae), SFU_PART_VAE);
    } else {
        return FALSE;
    }
    return TRUE;
}

static gboolean claims_vae(const SfuModel *m)
{
    return sfu_model_has_part(m, SFU_PART_VAE);
}
static gboolean claims_text(const SfuModel *m)
{
    return sfu_model_has_part(m, SFU_PART_TEXT) || sfu_model_has_part(m, SFU_PART_TEXT2);
}

/* CLIP under transformers' names, as it is published for programs that keep text encoders in files of their own. */
static const SfuFileTensor *token_table(const SfuSource *s)
{
    return sfu_source_find(s, "text_model.embeddings.token_embedding.weight");
}

static gboolean recognize_text(const SfuSource *s)
{
    return token_table(s) && sfu_source_find(s, "text_model.encoder.layers.0.self_attn.q_proj.weight");
}

/* The largest one published, OpenCLIP's bigG of 1280, is always the second of two. */
static char *canonical_text(const SfuSource *s, const char *name, SfuPart *part)
{
    *part = sfu_tensor_dim(token_table(s), 1) == 1280 ? SFU_PART_TEXT2 : SFU_PART_TEXT;
    return sfu_name_from_diffusers(name, *part);
}

static gboolean ignores_text(const char *name)
{
    return sfu_name_is_ignorable(name) || strcmp(name, "logit_scale") == 0;
}

/* CLIP's image encoder, under transformers' names or OpenCLIP's; the text encoder may be in the same file. */
static gboolean recognize_vision(const SfuSource *s)
{
    return sfu_source_find(s, "vision_model.embeddings.patch_embedding.weight") ||
           sfu_source_find(s, "visual.conv1.weight");
}

static char *canonical_vision(const SfuSource *s, const char *name, SfuPart *part)
{
    char *own = sfu_name_from_vision(name);
    *part = SFU_PART_VISION;
    return own || !token_table(s) ? own : canonical_text(s, name, part);
}

/* Beside OpenCLIP's image encoder lies its text encoder. */
static gboolean ignores_vision(const char *name)
{
    static const char *const heads[] = {"transformer.", "token_embedding.", "positional_embedding",
                                        "ln_final.",    "text_projection",  "attn_mask"};
    for (gsize i = 0; i < G_N_ELEMENTS(heads); i++)
        if (g_str_has_prefix(name, heads[i]))
            return TRUE;
    return ignores_text(name);
}

static gboolean claims_vision(const SfuModel *m)
{
    return sfu_model_has_part(m, SFU_PART_VISION);
}

static gboolean configure_vision(SfuModel *m, GError **error)
{
    return sfu_sd_configure_parts(m, error) && sfu_model_configure_vision(m, error);
}

static void expect_vision(SfuModel *m)
{
    sfu_sd_expect(m);
    sfu_vision_expect(m);
}

static void describe_vision(const SfuModel *m, GString *text)
{
    const SfuVisionConfig *k = &m->vision;
    g_string_append_printf(text, ", %d layers of %d, pictures of %d x %d, a vector of %d", k->layers, k->hidden,
                           k->side, k->side, k->projection);
}

/* The first of two text encoders gives no pooled vector, whether it could or not. */
static gboolean open_clip(SfuModel *m, const SfuSource *s, GError **error)
{
    for (guint i = 0; i < s->file->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(s->file->tensors, i);
        if (!g_str_has_prefix(t->name, s->wrap))
            continue;
        const char *inner = t->name + strlen(s->wrap);
        SfuPart part;
        const gboolean ignored = m->family->ignores(inner);
        char *name = ignored ? NULL : m->family->canonical(s, inner, &part);
        if (!sfu_model_add_named(m, name ? part : SFU_PART_TEXT, name, t,
                                 !name && (ignored || g_str_has_prefix(inner, "text_projection")), error))
            return FALSE;
    }
    return TRUE;
}

const SfuFamily sfu_family_vae = {.id = "vae",
                                  .name = "AutoencoderKL (VAE)",
                                  .part = "vae",
                                  .use = "in place of another model's VAE",
                                  .recognize = recognize_vae,
                                  .canonical = canonical_vae,
                                  .ignores = sfu_name_is_ignorable,
                                  .claims = claims_vae,
                                  .configure = sfu_sd_configure_parts,
                                  .expect = sfu_sd_expect,
                                  .autoencoder = sfu_sd_autoencoder};
const SfuFamily sfu_family_text_encoder = {.id = "clip",
                                           .name = "CLIP text encoder",
                                           .part = "text",
                                           .use = "in place of another model's text encoder",
                                           .recognize = recognize_text,
                                           .canonical = canonical_text,
                                           .ignores = ignores_text,
                                           .open = open_clip,
                                           .claims = claims_text,
                                           .configure = sfu_sd_configure_parts,
                                           .expect = sfu_sd_expect,
                                           .autoencoder = sfu_sd_autoencoder};
const SfuFamily sfu_family_vision = {.id = "clip-vision",
                                     .name = "CLIP image encoder",
                                     .part = "vision",
                                     .use = "for IP-Adapters, which let a model look at pictures",
                                     .recognize = recognize_vision,
                                     .canonical = canonical_vision,
                                     .ignores = ignores_vision,
                                     .open = open_clip,
                                     .claims = claims_vision,
                                     .configure = configure_vision,
                                     .expect = expect_vision,
                                     .describe = describe_vision};
