/* Z-Image (Z-Image team 2025): Turbo, distilled to some eight steps, and the base model. Published as a transformer
 * alone in the original's names (bare, or behind ComfyUI's prefix, or GGUF), as one file with its text encoder and its
 * autoencoder, and as diffusers' folder. The text encoder is Qwen3 4B, the autoencoder that of FLUX.1.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/adapter_modules.h"
#include "family/measure.h"
#include "family/registry.h"
#include "family/sd.h"
#include "model/model_struct.h"
#include "model/canonical_names.h"
#include "net/qwen3.h"
#include "net/zimage.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define MOST_BLOCKS 256
#define MOST_WIDTH 65536
#define LATENTS 16 /* channels of FLUX.1's autoencoder */

/* ---- names ---- */

/* What is before the transformer's names: nothing, or words of a program. */
static const char *const prefixes[] = {"model.diffusion_model.", "transformer.", "unet.", ""};

static gboolean recognize(const SfuSource *s)
{
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (sfu_source_find(s, "%slayers.0.adaLN_modulation.0.weight", prefixes[i]) &&
            sfu_source_find(s, "%scap_embedder.1.weight", prefixes[i]))
            return TRUE;
    return FALSE;
}

static const char *after(const char *name, const char *prefix)
{
    return g_str_has_prefix(name, prefix) ? name + strlen(prefix) : NULL;
}

/* A transformer's name in diffusers' words; "attention.qkv.weight" stays. */
static char *transformer_name(const char *name)
{
    static const struct {
        const char *from, *to;
    } heads[] = {{"x_embedder.", "all_x_embedder.2-1."}, {"final_layer.", "all_final_layer.2-1."}},
      tails[] = {{".attention.out.weight", ".attention.to_out.0.weight"},
                 {".attention.q_norm.weight", ".attention.norm_q.weight"},
                 {".attention.k_norm.weight", ".attention.norm_k.weight"}};
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(name, prefixes[i])) {
            name += strlen(prefixes[i]);
            break;
        }
    for (gsize i = 0; i < G_N_ELEMENTS(heads); i++)
        if (g_str_has_prefix(name, heads[i].from))
            return g_strconcat(heads[i].to, name + strlen(heads[i].from), NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tails); i++)
        if (g_str_has_suffix(name, tails[i].from))
            return g_strdup_printf("%.*s%s", (int)(strlen(name) - strlen(tails[i].from)), name, tails[i].to);
    return g_strdup(name);
}

static char *canonical(const SfuSource *s, const char *name, SfuPart *part)
{
    *part = SFU_PART_TRANSFORMER;
    return transformer_name(name);
}

/* The original has a norm that nothing goes through. */
static gboolean ignores(const char *name)
{
    return g_str_has_suffix(name, "norm_final.weight") || sfu_name_is_ignorable(name);
}

/* Takes name. */
static gboolean add(SfuModel *m, SfuPart part, char *name, SfuFileTensor *t, GError **error)
{
    static const char fused[] = "attention.qkv.weight";
    if ((part != SFU_PART_TRANSFORMER && part != SFU_PART_CONTROL) || !g_str_has_suffix(name, fused))
        return sfu_model_add_tensor(m, part, name, t, error);
    char *names[3];
    for (int i = 0; i < 3; i++)
        names[i] = g_strdup_printf("%.*sattention.to_%c.weight", (int)(strlen(name) - strlen(fused)), name, "qkv"[i]);
    const gboolean ok = sfu_model_add_split(m, part, (const char *const *)names, 3, t, error);
    for (int i = 0; i < 3; i++)
        g_free(names[i]);
    g_free(name);
    return ok;
}

static gboolean open_file(SfuModel *m, const SfuSource *s, GError **error)
{
    for (guint i = 0; i < s->file->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(s->file->tensors, i);
        const char *inner = after(t->name, s->wrap);
        SfuPart part = SFU_PART_TRANSFORMER;
        gboolean ignorable = FALSE;
        char *name = NULL;
        if (!inner || !sfu_family_bundled(s, inner, &part, &name, &ignorable)) {
            ignorable = !inner || ignores(inner);
            name = ignorable ? NULL : canonical(s, inner, &part);
        }
        if (name ? !add(m, part, name, t, error) : !sfu_model_add_named(m, part, NULL, t, ignorable, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean claims(const SfuModel *m)
{
    return sfu_model_tensor(m, SFU_PART_TRANSFORMER, "layers.0.adaLN_modulation.0.weight") &&
           sfu_model_tensor(m, SFU_PART_TRANSFORMER, "cap_embedder.1.weight");
}

/* ---- configuration ---- */

static int dim_of(const SfuModel *m, const char *name, int i)
{
    return sfu_tensor_dim(sfu_model_tensor(m, SFU_PART_TRANSFORMER, "%s", name), i);
}

static JsonNode *value(JsonNode *config, const char *name)
{
    JsonNode *n = config ? json_object_get_member(json_node_get_object(config), name) : NULL;
    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) != G_TYPE_STRING ? n : NULL;
}

/* What config.json says beside what the tensors do. Without it a quarter of a head turns with the first axis, and three
 * eighths with each of the others, as in the published models. */
static void read_config(const SfuModel *m, SfuZimageConfig *c)
{
    JsonNode *config = m->config[SFU_PART_TRANSFORMER], *theta = value(config, "rope_theta"),
             *eps = value(config, "norm_eps"),
             *axes = config ? json_object_get_member(json_node_get_object(config), "axes_dims") : NULL;
    JsonArray *list = axes && JSON_NODE_HOLDS_ARRAY(axes) ? json_node_get_array(axes) : NULL;
    c->theta = theta ? json_node_get_double(theta) : 256;
    c->eps = eps ? (float)json_node_get_double(eps) : 1e-5f;
    for (int i = 0; i < SFU_ZIMAGE_AXES; i++) {
        JsonNode *n = list && (guint)i < json_array_get_length(list) ? json_array_get_element(list, (guint)i) : NULL;
        c->axes[i] =
            n && JSON_NODE_HOLDS_VALUE(n) ? (int)CLAMP(json_node_get_int(n), 0, 4096) : c->head_dim / 8 * (i ? 3 : 2);
    }
}

static gboolean read_sizes(SfuModel *m, SfuZimageConfig *c, GError **error)
{
    const SfuPart P = SFU_PART_TRANSFORMER;
    const int token = dim_of(m, "all_x_embedder.2-1.weight", 1);
    c->patch = 2;
    c->channels = token / 4;
    c->hidden = dim_of(m, "all_x_embedder.2-1.weight", 0);
    c->context = dim_of(m, "cap_embedder.1.weight", 1);
    c->mlp = dim_of(m, "layers.0.feed_forward.w1.weight", 0);
    c->head_dim = dim_of(m, "layers.0.attention.norm_q.weight", 0);
    c->time_channels = dim_of(m, "t_embedder.mlp.0.weight", 1);
    c->time_hidden = dim_of(m, "t_embedder.mlp.0.weight", 0);
    c->time_out = dim_of(m, "t_embedder.mlp.2.weight", 0);
    c->n_layers = sfu_model_count(m, P, "layers.", MOST_BLOCKS + 1);
    c->n_noise = sfu_model_count(m, P, "noise_refiner.", MOST_BLOCKS + 1);
    c->n_context = sfu_model_count(m, P, "context_refiner.", MOST_BLOCKS + 1);
    if (token < 4 || token % 4 || c->hidden < 1 || c->context < 1 || c->mlp < 1 || c->time_channels < 2 ||
        c->time_channels % 2 || c->time_hidden < 1 || c->time_out < 1 || c->n_layers < 1)
        return sfu_family_refuse(m, error, _("the tensors that show its sizes are missing"));
    if (MAX(MAX(c->hidden, c->context), MAX(MAX(c->mlp, c->time_hidden), MAX(c->time_channels, c->time_out))) >
            MOST_WIDTH ||
        token > MOST_WIDTH || MAX(c->n_layers, MAX(c->n_noise, c->n_context)) > MOST_BLOCKS)
        return sfu_family_refuse(m, error, _("it is larger than Sfumato can run"));
    if (c->head_dim < 2 || c->hidden % c->head_dim)
        return sfu_family_refuse(m, error, _("its heads do not divide its width"));
    c->n_heads = c->hidden / c->head_dim;
    return TRUE;
}

/* The shapes are the same. A folder's scheduler tells, which shifts the base model's noise more; else the name does:
 * "z_image" without "turbo" is the base model, whatever else a file is called, it was most likely made of Turbo. */
static gboolean is_base(const SfuModel *m)
{
    if (m->scheduler_json)
        return m->scheduler.shift > 4;
    char *file = g_path_get_basename(m->path), *low = g_ascii_strdown(file, -1);
    const gboolean named = strstr(low, "z_image") || strstr(low, "z-image") || strstr(low, "zimage"),
                   base = !strstr(low, "turbo") && (named || strstr(low, "base"));
    g_free(file);
    g_free(low);
    return base;
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuZimageConfig *c = g_new0(SfuZimageConfig, 1);
    m->transformer = c;
    if (!read_sizes(m, c, error) || !sfu_model_configure_scheduler(m, error) ||
        (m->tensors[SFU_PART_VAE] && !sfu_model_configure_vae(m, error)) ||
        (m->tensors[SFU_PART_TEXT] && !sfu_model_configure_language(m, error)))
        return FALSE;
    read_config(m, c);
    int turned = 0;
    for (int i = 0; i < SFU_ZIMAGE_AXES; i++)
        turned += c->axes[i] % 2 ? MOST_WIDTH : c->axes[i];
    if (turned != c->head_dim || !(c->theta > 1) || !(c->eps >= 0 && c->eps < 1))
        return sfu_family_refuse(m, error, _("its rotary positions are not those of its heads"));
    const gboolean base = is_base(m);
    if (base)
        m->family = &sfu_family_zimage_base;
    m->scheduler.prediction = SFU_PREDICT_FLOW;
    if (!m->scheduler_json)
        m->scheduler.shift = base ? 6 : 3;
    return TRUE;
}

static void expect(SfuModel *m)
{
    sfu_zimage_expect(m, m->transformer);
    if (m->tensors[SFU_PART_VAE])
        sfu_vae_expect(m);
    if (m->tensors[SFU_PART_TEXT])
        sfu_qwen3_expect(m);
}

/* FLUX.1's: the shapes are also Stable Diffusion 3's, which config.json tells by its scale. A part of another whole
 * model is that model's. */
static gboolean is_flux1_vae(const SfuModel *other, int channels)
{
    const SfuVaeConfig *v = sfu_model_vae(other);
    return v->latent_channels == channels && v->n_blocks == 4 && !v->packed &&
           fabsf(v->scaling_factor - 0.3611f) < 0.01f && !sfu_model_has_part(other, SFU_PART_UNET);
}

static gboolean fits(const SfuModel *m, const SfuModel *other, SfuPart part, GError **error)
{
    const SfuZimageConfig *c = m->transformer;
    const int hidden = sfu_model_is_language(other) ? sfu_model_language(other)->hidden : 0;
    if (part == SFU_PART_TEXT ? hidden == c->context : is_flux1_vae(other, c->channels))
        return TRUE;
    if (part == SFU_PART_TEXT)
        return sfu_family_refuse_text(m, other, c->context, hidden, error);
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                _("%s is the autoencoder of another family: %s needs FLUX.1's, of %d channels."), sfu_model_path(other),
                m->path, c->channels);
    return FALSE;
}

static int native_px(const SfuModel *m)
{
    return 1024;
}

/* The last layer but one of Qwen3 4B. */
static const SfuLanguageRecipe language = {.before = "<|im_start|>user\n",
                                           .after = "<|im_end|>\n<|im_start|>assistant\n",
                                           .n_tokens = 512,
                                           .padding = "<|endoftext|>",
                                           .layers = {-2},
                                           .n_layers = 1};

/* ---- its ControlNet ---- */

static gboolean recognize_control(const SfuSource *s)
{
    return sfu_source_find(s, "control_all_x_embedder.2-1.weight") && sfu_source_has_prefix(s, "control_layers.0.");
}

static char *canonical_control(const SfuSource *s, const char *name, SfuPart *part)
{
    *part = SFU_PART_CONTROL;
    return transformer_name(name);
}

static gboolean open_control(SfuModel *m, const SfuSource *s, GError **error)
{
    for (guint i = 0; i < s->file->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(s->file->tensors, i);
        const char *inner = after(t->name, s->wrap);
        const gboolean ignorable = !inner || ignores(inner);
        if (ignorable ? !sfu_model_add_named(m, SFU_PART_CONTROL, NULL, t, TRUE, error)
                      : !add(m, SFU_PART_CONTROL, transformer_name(inner), t, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean is_zero(SfuModel *m, SfuPart part, const char *name)
{
    SfuWeight *w = sfu_model_find(m, part, name);
    const gint64 n = w ? sfu_weight_elements(w) : 0;
    float v[4096];
    for (gint64 at = 0; at < n; at += G_N_ELEMENTS(v)) {
        const gint64 k = MIN(n - at, (gint64)G_N_ELEMENTS(v));
        sfu_weight_read_f32(w, at, k, v);
        for (gint64 i = 0; i < k; i++)
            if (v[i] != 0)
                return FALSE;
    }
    return TRUE;
}

static gboolean configure_control(SfuModel *m, GError **error)
{
    const SfuPart P = SFU_PART_CONTROL;
    SfuZimageControlConfig *c = g_new0(SfuZimageControlConfig, 1);
    SfuZimageConfig *k = &c->sizes;
    m->transformer = c;
    const SfuFileTensor *in = sfu_model_tensor(m, P, "control_all_x_embedder.2-1.weight");
    k->patch = 2;
    k->channels = LATENTS;
    k->hidden = sfu_tensor_dim(in, 0);
    c->channels = sfu_tensor_dim(in, 1) / 4;
    k->mlp = sfu_tensor_dim(sfu_model_tensor(m, P, "control_layers.0.feed_forward.w1.weight"), 0);
    k->head_dim = sfu_tensor_dim(sfu_model_tensor(m, P, "control_layers.0.attention.norm_q.weight"), 0);
    k->time_out = sfu_tensor_dim(sfu_model_tensor(m, P, "control_layers.0.adaLN_modulation.0.weight"), 1);
    c->n_layers = sfu_model_count(m, P, "control_layers.", MOST_BLOCKS + 1);
    c->n_refiners = sfu_model_count(m, P, "control_noise_refiner.", MOST_BLOCKS + 1);
    if (k->hidden < 1 || c->channels < k->channels || k->mlp < 1 || k->time_out < 1 || c->n_layers < 1 ||
        k->head_dim < 2 || k->hidden % k->head_dim)
        return sfu_family_refuse(m, error, _("the tensors that show its sizes are missing"));
    if (MAX(k->hidden, MAX(k->mlp, k->time_out)) > MOST_WIDTH || MAX(c->n_layers, c->n_refiners) > MOST_BLOCKS ||
        c->channels > MOST_WIDTH)
        return sfu_family_refuse(m, error, _("it is larger than Sfumato can run"));
    k->n_heads = k->hidden / k->head_dim;
    k->eps = 1e-5f;
    static const char out[] = "control_noise_refiner.0.after_proj.weight";
    c->refining = !c->n_refiners                       ? SFU_ZIMAGE_LAYERS
                  : !sfu_model_tensor(m, P, "%s", out) ? SFU_ZIMAGE_PLAIN
                  : is_zero(m, P, out)                 ? SFU_ZIMAGE_LAYERS
                                                       : SFU_ZIMAGE_STEER;
    return TRUE;
}

static void expect_control(SfuModel *m)
{
    sfu_zimage_control_expect(m, m->transformer);
}

static gboolean steers(const SfuModel *m, const SfuModel *other, GError **error)
{
    const SfuZimageControlConfig *c = m->transformer;
    const SfuZimageConfig *k = other->family->language == &language ? other->transformer : NULL;
    if (k && k->hidden == c->sizes.hidden && k->head_dim == c->sizes.head_dim && k->mlp == c->sizes.mlp &&
        k->time_out == c->sizes.time_out && k->channels == c->sizes.channels && c->n_layers <= k->n_layers &&
        k->n_layers % c->n_layers == 0)
        return TRUE;
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                _("%s is a ControlNet for Z-Image (width %d, %d layers); %s is of the family %s"), m->path,
                c->sizes.hidden, c->n_layers, other->path, other->family->name);
    return FALSE;
}

static SfuControl *control(SfuQueue *q, SfuModel *m, GError **error)
{
    return sfu_zimage_control(q, m, m->transformer, error);
}

static gboolean claims_control(const SfuModel *m)
{
    return sfu_model_tensor(m, SFU_PART_CONTROL, "control_all_x_embedder.2-1.weight") != NULL;
}

static void describe_control(const SfuModel *m, GString *text)
{
    const SfuZimageControlConfig *c = m->transformer;
    g_string_append_printf(text, ", %d layers of %d", c->n_layers, c->sizes.hidden);
}

/* ---- adapters ---- */

/* The original's names, and those of transformers for the text encoder. */
static void aliases(const SfuModel *m, SfuPart part, const char *module, SfuAliases *names)
{
    static const struct {
        const char *own, *original;
    } ends[] = {{".attention.to_out.0", ".attention.out"}, {".attention.to_out.0", ".attention.to_out"}};
    const char *projection = g_strrstr(module, ".attention.to_");
    char *other = part == SFU_PART_TEXT ? g_strconcat("model.", module, NULL) : NULL;
    const char *head = after(module, "all_x_embedder.2-1"), *last = after(module, "all_final_layer.2-1");
    if (part == SFU_PART_TRANSFORMER && (head || last))
        other = g_strconcat(head ? "x_embedder" : "final_layer", head ? head : last, NULL);
    if (other)
        sfu_aliases_add(names, other, 0, 0, 0);
    g_free(other);
    for (gsize i = 0; part == SFU_PART_TRANSFORMER && i < G_N_ELEMENTS(ends); i++)
        if (g_str_has_suffix(module, ends[i].own)) {
            other = g_strdup_printf("%.*s%s", (int)(strlen(module) - strlen(ends[i].own)), module, ends[i].original);
            sfu_aliases_add(names, other, 0, 0, 0);
            g_free(other);
        }
    static const char letters[] = "qkv";
    const char *which = projection ? strchr(letters, projection[strlen(".attention.to_")]) : NULL;
    if (part == SFU_PART_TRANSFORMER && which && *which && strlen(projection) == strlen(".attention.to_q")) {
        const gint64 rows = sfu_tensor_dim(sfu_model_tensor(m, part, "%s.weight", module), 0);
        other = g_strdup_printf("%.*s.attention.qkv", (int)(projection - module), module);
        sfu_aliases_add(names, other, 0, (which - letters) * rows, rows);
        g_free(other);
    }
}

/* ---- networks ---- */

static SfuDenoiser *denoiser(SfuQueue *q, SfuModel *m, GError **error)
{
    return sfu_zimage_denoiser(q, m, m->transformer, error);
}

static SfuAutoencoder *autoencoder(SfuQueue *q, SfuModel *m, GError **error)
{
    return sfu_vae_autoencoder(q, m, error);
}

#define PAINTS (1u << SFU_TASK_INPAINT | 1u << SFU_TASK_OUTPAINT)
#define DRAWS (1u << SFU_TASK_TXT2IMG | 1u << SFU_TASK_IMG2IMG | PAINTS)
#define SAME                                                                                                           \
    .tasks = DRAWS, .rank = 3, .recognize = recognize, .canonical = canonical, .ignores = ignores, .open = open_file,  \
    .claims = claims, .configure = configure, .expect = expect, .fits = fits, .aliases = aliases,                      \
    .language = &language, .native_px = native_px, .least_px = 512, .denoiser = denoiser, .autoencoder = autoencoder

static const SfuDefaults turbo_defaults = {
    .sampler = SFU_SAMPLER_EULER, .schedule = SFU_SCHEDULE_SGM_UNIFORM, .steps = 8, .guidance = 1};
static const SfuDefaults base_defaults = {
    .sampler = SFU_SAMPLER_EULER, .schedule = SFU_SCHEDULE_SGM_UNIFORM, .steps = 28, .guidance = 5};

const SfuFamily sfu_family_zimage = {.id = "z-image-turbo", .name = "Z-Image Turbo", .defaults = &turbo_defaults, SAME};
const SfuFamily sfu_family_zimage_base = {.id = "z-image", .name = "Z-Image", .defaults = &base_defaults, SAME};
const SfuFamily sfu_family_zimage_control = {.id = "z-image-control",
                                             .name = "Z-Image ControlNet",
                                             .part = "control",
                                             .use = "steering a model by a picture",
                                             .recognize = recognize_control,
                                             .canonical = canonical_control,
                                             .open = open_control,
                                             .claims = claims_control,
                                             .configure = configure_control,
                                             .expect = expect_control,
                                             .control = control,
                                             .steers = steers,
                                             .describe = describe_control};
