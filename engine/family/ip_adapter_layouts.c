/* IP-Adapters (Ye 2023) for the Stable Diffusions: plain, Plus and full, in the layout of their authors (also while
 * they train) and in diffusers'. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/ip_adapter_layouts.h"
#include "family/registry.h"
#include "family/sd.h"
#include "model/model_struct.h"
#include "model/canonical_names.h"
#include <stdio.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define DIFFUSERS "encoder_hid_proj.image_projection_layers.0."
#define MOST_ATTENTIONS 512
#define FACE_VECTOR 512 /* what ArcFace gives; no image encoder of CLIP in use is so narrow */

/* ---- names ---- */

static gboolean recognize(const SfuSource *s)
{
    return !sfu_source_find(s, "conv_in.weight") &&
           (sfu_source_has_prefix(s, "image_proj.") || sfu_source_has_prefix(s, "image_proj_model.") ||
            sfu_source_has_prefix(s, DIFFUSERS));
}

/* The name with the first pair's `from` in place of `to`; caller frees. Both end where the other's rest begins. */
static char *swap(const char *name, const char *const (*pairs)[2], gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (g_str_has_prefix(name, pairs[i][0]))
            return g_strconcat(pairs[i][1], name + strlen(pairs[i][0]), NULL);
    return g_strdup(name);
}

/* What makes the tokens. */
static char *projection(const char *name, gboolean full)
{
    static const char *const fulls[][2] = {{"proj.0.", "proj_in."},
                                           {"proj.2.", "proj_out."},
                                           {"proj.3.", "norm."},
                                           {"ff.net.0.proj.", "proj_in."},
                                           {"ff.net.2.", "proj_out."}};
    static const char *const others[][2] = {{"image_embeds.", "proj."}, {"norm_out.", "norm."}};
    static const char *const blocks[][2] = {{"0.", ""},
                                            {"1.0.", "norm3."},
                                            {"1.1.", "fc1."},
                                            {"1.3.", "fc2."},
                                            {"ln0.", "norm1."},
                                            {"ln1.", "norm2."},
                                            {"attn.to_out.0.", "to_out."},
                                            {"attn.", ""},
                                            {"ff.0.", "norm3."},
                                            {"ff.1.net.0.proj.", "fc1."},
                                            {"ff.1.net.2.", "fc2."}};
    int i, used = 0;
    char *inner, *out;
    if (sscanf(name, "layers.%3d.%n", &i, &used) == 1 && used) {
        inner = swap(name + used, blocks, G_N_ELEMENTS(blocks));
        out = g_strdup_printf("image_proj.layers.%d.%s", i, inner);
    } else {
        inner = full ? swap(name, fulls, G_N_ELEMENTS(fulls)) : swap(name, others, G_N_ELEMENTS(others));
        out = g_strconcat("image_proj.", inner, NULL);
    }
    g_free(inner);
    return out;
}

static char *canonical(const SfuSource *s, const char *name, SfuPart *part)
{
    static const char *const heads[] = {"image_proj.", "image_proj_model.", DIFFUSERS};
    const gboolean full = sfu_source_has_prefix(s, "image_proj.proj.3.") ||
                          sfu_source_has_prefix(s, "image_proj_model.proj.3.") ||
                          sfu_source_has_prefix(s, DIFFUSERS "ff.net.");
    int n, used = 0;
    *part = SFU_PART_IMAGE_PROMPT;
    for (gsize i = 0; i < G_N_ELEMENTS(heads); i++)
        if (g_str_has_prefix(name, heads[i]))
            return projection(name + strlen(heads[i]), full);
    /* Numbered among all attentions, of which every other is a cross-attention. */
    if (((sscanf(name, "ip_adapter.%4d.%n", &n, &used) == 1 && used) ||
         (sscanf(name, "adapter_modules.%4d.%n", &n, &used) == 1 && used)) &&
        n % 2 == 1)
        return g_strdup_printf("attentions.%d.%s", n / 2, name + used);
    const char *own = g_str_has_prefix(name, "unet.") ? name + strlen("unet.") : name,
               *at = strstr(own, ".processor.to_");
    if (at && g_str_has_suffix(own, "_ip.0.weight"))
        return g_strdup_printf("%.*s%.*s.weight", (int)(at - own), own, (int)strlen(".to_k_ip"),
                               at + strlen(".processor"));
    return NULL;
}

/* Training saves the UNet and optimizers beside it. */
static gboolean ignores(const char *name)
{
    return g_str_has_prefix(name, "unet.conv_") || sfu_name_is_ignorable(name);
}

static gboolean open_adapter(SfuModel *m, const SfuSource *s, GError **error)
{
    const SfuFileTensor *in = sfu_source_find(s, "image_proj.proj_in.weight");
    const gboolean face =
        sfu_source_has_prefix(s, "image_proj.perceiver_resampler.") ||
        (sfu_source_find(s, "image_proj.proj.0.weight") && !sfu_source_find(s, "image_proj.proj.3.weight"));
    if (face || (in && sfu_tensor_dim(in, 1) == FACE_VECTOR)) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s is an IP-Adapter %s, which needs a vector from a face recognizer; Sfumato runs only "
                      "IP-Adapters that look at pictures"),
                    m->path, face ? "FaceID" : "InstantID");
        return FALSE;
    }
    return sfu_family_take(m, m->family, s, error);
}

/* ---- configuration ---- */

static gboolean bad(const SfuModel *m, GError **error, const char *what)
{
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "%s: %s", m->path, what);
    return FALSE;
}

typedef struct {
    int n, width;
    gboolean by_name;
} Keys;

static void count_keys(const char *name, const SfuFileTensor *t, gpointer data)
{
    Keys *k = data;
    if (!g_str_has_suffix(name, ".to_k_ip.weight"))
        return;
    k->n++;
    k->width = sfu_tensor_dim(t, 1);
    k->by_name = k->by_name || !g_str_has_prefix(name, "attentions.");
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuImagePromptConfig *c = &m->image_prompt;
    const SfuPart P = SFU_PART_IMAGE_PROMPT;
    const SfuFileTensor *plain = sfu_model_tensor(m, P, "image_proj.proj.weight"),
                        *in = sfu_model_tensor(m, P, "image_proj.proj_in.weight"),
                        *latents = sfu_model_tensor(m, P, "image_proj.latents");
    Keys keys = {0};
    sfu_model_each(m, P, count_keys, &keys);
    c->n_attentions = keys.n;
    c->token_width = keys.width;
    c->by_name = keys.by_name;
    c->kind = plain ? SFU_IMAGE_PROMPT_PLAIN : latents ? SFU_IMAGE_PROMPT_PLUS : SFU_IMAGE_PROMPT_FULL;
    c->image_width = sfu_tensor_dim(plain ? plain : in, 1);
    if (keys.n < 1 || keys.n > MOST_ATTENTIONS || keys.width < 1 || c->image_width < 1)
        return bad(m, error, _("an IP-Adapter of a form that Sfumato does not know"));
    if (plain) {
        c->n_tokens = sfu_tensor_dim(plain, 0) / c->token_width;
        if (c->n_tokens < 1 || c->n_tokens * c->token_width != sfu_tensor_dim(plain, 0))
            return bad(m, error, _("the width of its picture tokens does not fit its keys"));
    } else if (latents) {
        const int wide = sfu_tensor_dim(sfu_model_tensor(m, P, "image_proj.layers.0.to_q.weight"), 0);
        c->n_tokens = c->queries = sfu_tensor_dim(latents, 1);
        c->layers = sfu_model_count(m, P, "image_proj.layers.", 64);
        c->heads = wide / 64; /* of 64, as in all that are published */
        if (latents->n_dims != 3 || c->queries < 1 || c->queries > 4096 || !c->layers || wide < 64 || wide % 64)
            return bad(m, error, _("an IP-Adapter Plus of a form that Sfumato does not know"));
    }
    return sfu_model_configure_scheduler(m, error);
}

static gboolean claims(const SfuModel *m)
{
    return sfu_model_has_part(m, SFU_PART_IMAGE_PROMPT);
}

static void describe(const SfuModel *m, GString *text)
{
    const SfuImagePromptConfig *c = &m->image_prompt;
    g_string_append_printf(text, "%s, for %s, sees %s of %d",
                           c->kind == SFU_IMAGE_PROMPT_PLUS   ? " Plus"
                           : c->kind == SFU_IMAGE_PROMPT_FULL ? " full"
                                                              : "",
                           sfu_sd_kin(c->token_width, c->token_width == 2048),
                           c->kind == SFU_IMAGE_PROMPT_PLAIN ? "a vector" : "patches", c->image_width);
}

/* ---- what fits what ---- */

static gboolean has_keys_for(const SfuModel *adapter, const SfuModel *m)
{
    const SfuImagePromptConfig *c = &adapter->image_prompt;
    GPtrArray *places = sfu_ip_adapter_places(m);
    gboolean same = (int)places->len == c->n_attentions;
    for (guint i = 0; same && i < places->len; i++) {
        const SfuFileTensor *k =
            c->by_name ? sfu_model_tensor(adapter, SFU_PART_IMAGE_PROMPT, "%s.to_k_ip.weight", (char *)places->pdata[i])
                       : sfu_model_tensor(adapter, SFU_PART_IMAGE_PROMPT, "attentions.%u.to_k_ip.weight", i);
        same = sfu_tensor_dim(k, 0) ==
               sfu_tensor_dim(sfu_model_tensor(m, SFU_PART_UNET, "%s.to_q.weight", (char *)places->pdata[i]), 0);
    }
    g_ptr_array_unref(places);
    return same;
}

gboolean sfu_ip_adapter_fits(const SfuModel *adapter, const SfuModel *m, GError **error)
{
    const SfuImagePromptConfig *c = &adapter->image_prompt;
    if (!m->tensors[SFU_PART_UNET]) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s is for a UNet of Stable Diffusion; %s (%s) has none"), adapter->path, m->path,
                    m->family->name);
        return FALSE;
    }
    if (c->token_width == m->unet.cross_attention_dim && has_keys_for(adapter, m))
        return TRUE;
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                _("%s is an IP-Adapter for %s (%d attentions, context of %d); %s is %s (context of %d)"), adapter->path,
                sfu_sd_kin(c->token_width, c->token_width == 2048), c->n_attentions, c->token_width, m->path,
                m->family->name, m->unet.cross_attention_dim);
    return FALSE;
}

gboolean sfu_ip_adapter_takes(const SfuModel *adapter, const SfuModel *vision, GError **error)
{
    const SfuImagePromptConfig *c = &adapter->image_prompt;
    const gboolean vector = c->kind == SFU_IMAGE_PROMPT_PLAIN;
    const int width = vector ? vision->vision.projection : vision->vision.hidden;
    if (!vision->tensors[SFU_PART_VISION]) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, _("%s (%s) contains no CLIP image encoder"),
                    vision->path, vision->family->name);
        return FALSE;
    }
    if (width == c->image_width)
        return TRUE;
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                vector ? _("%s needs an image encoder with a vector of %d; that of %s has %d")
                       : _("%s needs an image encoder with layers of %d; those of %s have %d"),
                adapter->path, c->image_width, vision->path, width);
    return FALSE;
}

const SfuFamily sfu_family_ip_adapter = {.id = "ip-adapter",
                                         .name = "IP-Adapter",
                                         .part = "reference",
                                         .use = "letting a model look at reference pictures",
                                         .recognize = recognize,
                                         .canonical = canonical,
                                         .ignores = ignores,
                                         .open = open_adapter,
                                         .claims = claims,
                                         .configure = configure,
                                         .expect = sfu_ip_adapter_expect,
                                         .describe = describe};
