/* FLUX.2 (Black Forest Labs 2025): klein, distilled to four steps, and base models. Their transformers are published
 * alone, in the original's names (bare or as ComfyUI and GGUF files have them) or as diffusers' folder; text encoder
 * and autoencoder lie beside them, or in the same file. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/adapter_modules.h"
#include "family/measure.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "model/canonical_names.h"
#include "net/flux2.h"
#include "net/qwen3.h"
#include <stdio.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define N_TEXT_LAYERS 3 /* hidden states of the text encoder side by side */
#define MOST_BLOCKS 256
#define MOST_WIDTH 65536

/* ---- names ---- */

typedef struct {
    const char *from, *to;
} Pair;

/* What is before every name: nothing, or a word of a program. */
static const char *const prefixes[] = {
    "model.diffusion_model.", "diffusion_model.", "transformer.", "unet.", "model.", ""};

static const char *bare(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(name, prefixes[i]))
            return name + strlen(prefixes[i]);
    return name;
}

/* ComfyUI's "model.diffusion_model." is not a wrap "model.": other parts of the file stand beside it. */
static gboolean recognize(const SfuSource *s)
{
    if (g_str_has_suffix(s->wrap, "model.") && sfu_source_has_prefix(s, "diffusion_model."))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (sfu_source_find(s, "%ssingle_stream_modulation.lin.weight", prefixes[i]) ||
            sfu_source_find(s, "%ssingle_stream_modulation.linear.weight", prefixes[i]))
            return TRUE;
    return FALSE;
}

static char *swap_head(const char *s, const Pair *pairs, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (g_str_has_prefix(s, pairs[i].from))
            return g_strconcat(pairs[i].to, s + strlen(pairs[i].from), NULL);
    return NULL;
}

/* The original's block names end in "scale" for norms, in ComfyUI's files also in "weight". */
static char *block_name(const char *block, int i, const char *rest, const Pair *pairs, gsize n)
{
    char *tail = swap_head(rest, pairs, n);
    if (tail && g_str_has_suffix(tail, ".scale")) {
        char *as_weight = g_strdup_printf("%.*s.weight", (int)(strlen(tail) - strlen(".scale")), tail);
        g_free(tail);
        tail = as_weight;
    }
    char *name = tail ? g_strdup_printf("%s.%d.%s", block, i, tail) : NULL;
    g_free(tail);
    return name;
}

static const Pair heads[] = {{"img_in.", "x_embedder."},
                             {"txt_in.", "context_embedder."},
                             {"time_in.in_layer.", "time_guidance_embed.timestep_embedder.linear_1."},
                             {"time_in.out_layer.", "time_guidance_embed.timestep_embedder.linear_2."},
                             {"guidance_in.in_layer.", "time_guidance_embed.guidance_embedder.linear_1."},
                             {"guidance_in.out_layer.", "time_guidance_embed.guidance_embedder.linear_2."},
                             {"double_stream_modulation_img.lin.", "double_stream_modulation_img.linear."},
                             {"double_stream_modulation_txt.lin.", "double_stream_modulation_txt.linear."},
                             {"single_stream_modulation.lin.", "single_stream_modulation.linear."},
                             {"final_layer.linear.", "proj_out."}};
static const Pair doubles[] = {{"img_attn.norm.query_norm.", "attn.norm_q."},
                               {"img_attn.norm.key_norm.", "attn.norm_k."},
                               {"img_attn.proj.", "attn.to_out.0."},
                               {"img_attn.qkv.", "attn.to_qkv."},
                               {"img_mlp.0.", "ff.linear_in."},
                               {"img_mlp.2.", "ff.linear_out."},
                               {"txt_attn.norm.query_norm.", "attn.norm_added_q."},
                               {"txt_attn.norm.key_norm.", "attn.norm_added_k."},
                               {"txt_attn.proj.", "attn.to_add_out."},
                               {"txt_attn.qkv.", "attn.to_added_qkv."},
                               {"txt_mlp.0.", "ff_context.linear_in."},
                               {"txt_mlp.2.", "ff_context.linear_out."}};
static const Pair singles[] = {{"linear1.", "attn.to_qkv_mlp_proj."},
                               {"linear2.", "attn.to_out."},
                               {"norm.query_norm.", "attn.norm_q."},
                               {"norm.key_norm.", "attn.norm_k."}};

static char *canonical_name(const char *name)
{
    const char *rest = bare(name);
    int i, used = 0;
    char *out = swap_head(rest, heads, G_N_ELEMENTS(heads));
    if (out)
        return out;
    if (sscanf(rest, "double_blocks.%3d.%n", &i, &used) == 1 && used)
        return block_name("transformer_blocks", i, rest + used, doubles, G_N_ELEMENTS(doubles));
    if (sscanf(rest, "single_blocks.%3d.%n", &i, &used) == 1 && used)
        return block_name("single_transformer_blocks", i, rest + used, singles, G_N_ELEMENTS(singles));
    return g_strdup(rest);
}

static char *canonical(const SfuSource *s, const char *name, SfuPart *part)
{
    (void)s;
    *part = SFU_PART_TRANSFORMER;
    return canonical_name(name);
}

/* ---- fused tensors ---- */

/* A matrix of several: what its name has in place of each. The last norm's scale and shift are in the other order in
 * the original's files. */
static const struct {
    const char *fused;
    int n;
    const char *parts[3];
} splits[] = {
    {"attn.to_qkv.weight", 3, {"attn.to_q.weight", "attn.to_k.weight", "attn.to_v.weight"}},
    {"attn.to_added_qkv.weight", 3, {"attn.add_q_proj.weight", "attn.add_k_proj.weight", "attn.add_v_proj.weight"}},
    {"norm_out.linear.weight", 2, {"norm_out.linear_scale.weight", "norm_out.linear_shift.weight"}},
    {"final_layer.adaLN_modulation.1.weight", 2, {"norm_out.linear_shift.weight", "norm_out.linear_scale.weight"}}};

/* Takes name. */
static gboolean add(SfuModel *m, char *name, SfuFileTensor *t, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(splits); i++) {
        if (!g_str_has_suffix(name, splits[i].fused))
            continue;
        char *names[3];
        for (int k = 0; k < splits[i].n; k++)
            names[k] =
                g_strdup_printf("%.*s%s", (int)(strlen(name) - strlen(splits[i].fused)), name, splits[i].parts[k]);
        const gboolean ok =
            sfu_model_add_split(m, SFU_PART_TRANSFORMER, (const char *const *)names, splits[i].n, t, error);
        for (int k = 0; k < splits[i].n; k++)
            g_free(names[k]);
        g_free(name);
        return ok;
    }
    return sfu_model_add_tensor(m, SFU_PART_TRANSFORMER, name, t, error);
}

static gboolean open_file(SfuModel *m, const SfuSource *s, GError **error)
{
    for (guint i = 0; i < s->file->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(s->file->tensors, i);
        if (!g_str_has_prefix(t->name, s->wrap)) {
            g_ptr_array_add(m->ignored, g_strdup(t->name));
            continue;
        }
        const char *inner = t->name + strlen(s->wrap);
        SfuPart part = SFU_PART_TRANSFORMER;
        char *name;
        gboolean ignorable;
        if (sfu_family_bundled(s, inner, &part, &name, &ignorable)) {
            if (!sfu_model_add_named(m, part, name, t, ignorable, error))
                return FALSE;
        } else if (!add(m, canonical_name(inner), t, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* ---- folders ---- */

static gboolean claims(const SfuModel *m)
{
    return sfu_model_tensor(m, SFU_PART_TRANSFORMER, "single_stream_modulation.linear.weight") ||
           sfu_model_tensor(m, SFU_PART_TRANSFORMER, "single_stream_modulation.lin.weight");
}

/* A folder's tensors came as they are called there: fused ones are divided now. */
static gboolean divide(SfuModel *m, GError **error)
{
    GHashTable *all = m->tensors[SFU_PART_TRANSFORMER];
    GList *names = g_hash_table_get_keys(all);
    gboolean ok = TRUE;
    for (GList *l = names; ok && l; l = l->next) {
        char *name = canonical_name(l->data);
        gboolean fused = g_strcmp0(name, l->data) != 0;
        for (gsize i = 0; i < G_N_ELEMENTS(splits); i++)
            fused |= name && g_str_has_suffix(name, splits[i].fused);
        SfuFileTensor *t = name && fused ? g_hash_table_lookup(all, l->data) : NULL;
        if (t) {
            g_hash_table_remove(all, l->data);
            ok = add(m, name, t, error);
        } else {
            g_free(name);
        }
    }
    g_list_free(names);
    return ok;
}

/* ---- adapters ---- */

static int dim_of(const SfuModel *m, const char *name, int i)
{
    return sfu_tensor_dim(sfu_model_tensor(m, SFU_PART_TRANSFORMER, "%s", name), i);
}

/* What the original calls the module `rest` (of block i), by the pairs of whole names; n_rows 0: all of it. */
static void add_original(SfuAliases *a, const char *block, int i, const char *rest, const Pair *pairs, gsize n)
{
    const gsize length = strlen(rest);
    for (gsize k = 0; k < n; k++) {
        if (strncmp(pairs[k].to, rest, length) != 0 || strcmp(pairs[k].to + length, ".") != 0)
            continue;
        char *from = g_strndup(pairs[k].from, strlen(pairs[k].from) - 1),
             *name = block ? g_strdup_printf("%s.%d.%s", block, i, from) : g_strdup(from);
        sfu_aliases_add(a, name, 0, 0, 0);
        g_free(name);
        g_free(from);
    }
}

/* A part of a fused matrix is called like that too, in diffusers' words and in the original's. */
static void add_fused(const SfuModel *m, const char *module, SfuAliases *a)
{
    char *weight = g_strconcat(module, ".weight", NULL);
    const gint64 rows = dim_of(m, weight, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(splits); i++)
        for (int k = 0; k < splits[i].n; k++) {
            if (!g_str_has_suffix(weight, splits[i].parts[k]))
                continue;
            const int head = (int)(strlen(weight) - strlen(splits[i].parts[k])),
                      fused = (int)(strlen(splits[i].fused) - strlen(".weight"));
            char *name = g_strdup_printf("%.*s%.*s", head, weight, fused, splits[i].fused);
            int block, used = 0;
            sfu_aliases_add(a, name, 0, k * rows, rows);
            if (sscanf(name, "transformer_blocks.%3d.%n", &block, &used) == 1 && used) {
                const gboolean text = strcmp(name + used, "attn.to_added_qkv") == 0;
                char *original = g_strdup_printf("double_blocks.%d.%s_attn.qkv", block, text ? "txt" : "img");
                sfu_aliases_add(a, original, 0, k * rows, rows);
                g_free(original);
            }
            g_free(name);
        }
    g_free(weight);
}

static void aliases(const SfuModel *m, SfuPart part, const char *module, SfuAliases *a)
{
    int i, used = 0;
    if (part != SFU_PART_TRANSFORMER)
        return;
    add_fused(m, module, a);
    if (g_str_has_prefix(module, "transformer_blocks.")) /* as some programs cut it */
        sfu_aliases_add(a, module + strlen("tran"), 0, 0, 0);
    if (sscanf(module, "transformer_blocks.%3d.%n", &i, &used) == 1 && used)
        add_original(a, "double_blocks", i, module + used, doubles, G_N_ELEMENTS(doubles));
    else if (sscanf(module, "single_transformer_blocks.%3d.%n", &i, &used) == 1 && used)
        add_original(a, "single_blocks", i, module + used, singles, G_N_ELEMENTS(singles));
    else
        add_original(a, NULL, 0, module, heads, G_N_ELEMENTS(heads));
}

/* ---- configuration ---- */

static JsonNode *value(JsonNode *config, const char *name)
{
    JsonNode *n = config ? json_object_get_member(json_node_get_object(config), name) : NULL;
    return n && JSON_NODE_HOLDS_VALUE(n) ? n : NULL;
}

/* What config.json says beside what the tensors do. */
static void read_config(const SfuModel *m, SfuFlux2Config *c)
{
    JsonNode *config = m->config[SFU_PART_TRANSFORMER], *theta = value(config, "rope_theta"),
             *eps = value(config, "eps"),
             *axes = config ? json_object_get_member(json_node_get_object(config), "axes_dims_rope") : NULL;
    c->theta = theta ? json_node_get_double(theta) : 2000;
    c->eps = eps ? (float)json_node_get_double(eps) : 1e-6f;
    JsonArray *list = axes && JSON_NODE_HOLDS_ARRAY(axes) ? json_node_get_array(axes) : NULL;
    for (int i = 0; i < SFU_FLUX2_AXES; i++) {
        JsonNode *n = list && (guint)i < json_array_get_length(list) ? json_array_get_element(list, (guint)i) : NULL;
        c->axes[i] =
            n && JSON_NODE_HOLDS_VALUE(n) ? (int)CLAMP(json_node_get_int(n), 0, 4096) : c->head_dim / SFU_FLUX2_AXES;
    }
}

static gboolean is_base(const SfuModel *m)
{
    JsonNode *distilled = value(m->index, "is_distilled");
    if (distilled)
        return json_node_get_value_type(distilled) == G_TYPE_BOOLEAN && !json_node_get_boolean(distilled);
    char *file = g_path_get_basename(m->path), *low = g_ascii_strdown(file, -1);
    const gboolean base = strstr(low, "base") != NULL; /* the shapes are the same */
    g_free(file);
    g_free(low);
    return base;
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuFlux2Config *c = g_new0(SfuFlux2Config, 1);
    m->transformer = c;
    if (!divide(m, error) || (m->tensors[SFU_PART_VAE] && !sfu_model_configure_vae(m, error)) ||
        (m->tensors[SFU_PART_TEXT] && !sfu_model_configure_language(m, error)))
        return FALSE;
    c->in_channels = dim_of(m, "x_embedder.weight", 1);
    c->hidden = dim_of(m, "x_embedder.weight", 0);
    c->context = dim_of(m, "context_embedder.weight", 1);
    c->out_channels = dim_of(m, "proj_out.weight", 0);
    c->time_channels = dim_of(m, "time_guidance_embed.timestep_embedder.linear_1.weight", 1);
    c->guidance = sfu_model_has_module(m, SFU_PART_TRANSFORMER, "time_guidance_embed.guidance_embedder.");
    c->n_double = sfu_model_count(m, SFU_PART_TRANSFORMER, "transformer_blocks.", MOST_BLOCKS + 1);
    c->n_single = sfu_model_count(m, SFU_PART_TRANSFORMER, "single_transformer_blocks.", MOST_BLOCKS + 1);
    c->head_dim = dim_of(m, "single_transformer_blocks.0.attn.norm_q.weight", 0);
    c->mlp = dim_of(m, "single_transformer_blocks.0.attn.to_out.weight", 1) - c->hidden;
    if (c->in_channels < 1 || c->hidden < 1 || c->context < 1 || c->out_channels < 1 || c->time_channels < 2 ||
        c->time_channels % 2 || c->mlp < 1 || c->n_single < 1)
        return sfu_family_refuse(m, error, _("the tensors that show its sizes are missing"));
    if (MAX(MAX(c->in_channels, c->out_channels), MAX(c->hidden, MAX(c->context, MAX(c->time_channels, c->mlp)))) >
            MOST_WIDTH ||
        c->n_double > MOST_BLOCKS || c->n_single > MOST_BLOCKS)
        return sfu_family_refuse(m, error, _("it is larger than Sfumato can run"));
    if (c->head_dim < 2 || c->hidden % c->head_dim)
        return sfu_family_refuse(m, error, _("its heads do not divide its width"));
    c->n_heads = c->hidden / c->head_dim;
    read_config(m, c);
    int turned = 0;
    for (int i = 0; i < SFU_FLUX2_AXES; i++)
        turned += c->axes[i] % 2 ? MOST_WIDTH : c->axes[i];
    if (turned != c->head_dim || !(c->theta > 1) || !(c->eps >= 0 && c->eps < 1))
        return sfu_family_refuse(m, error, _("its rotary positions are not those of its heads"));
    m->scheduler = (SfuSchedulerConfig){
        .prediction = SFU_PREDICT_FLOW, .n_train_timesteps = 1000, .shift = 1, .empirical_shift = TRUE};
    if (is_base(m))
        m->family = &sfu_family_flux2_base;
    return TRUE;
}

static void expect(SfuModel *m)
{
    sfu_flux2_expect(m, m->transformer);
    if (m->tensors[SFU_PART_VAE])
        sfu_vae_expect(m);
    if (m->tensors[SFU_PART_TEXT])
        sfu_qwen3_expect(m);
}

/* Latents of a quarter of the channels, packed; a text encoder of which three layers make the context (other families
 * take one). */
static gboolean fits(const SfuModel *m, const SfuModel *other, SfuPart part, GError **error)
{
    const SfuFlux2Config *c = m->transformer;
    const SfuVaeConfig *v = sfu_model_vae(other);
    const int hidden = sfu_model_is_language(other) ? sfu_model_language(other)->hidden : 0;
    if (part == SFU_PART_VAE)
        return (v->packed && 4 * v->latent_channels == c->in_channels) ||
               sfu_family_refuse_vae(m, other, c->in_channels / 4, error);
    return hidden * N_TEXT_LAYERS == c->context ||
           sfu_family_refuse_text(m, other, c->context / N_TEXT_LAYERS, hidden, error);
}

static int native_px(const SfuModel *m)
{
    (void)m;
    return 1024;
}

/* ---- networks ---- */

static SfuDenoiser *denoiser(SfuQueue *q, SfuModel *m, GError **error)
{
    return sfu_flux2_denoiser(q, m, m->transformer, error);
}

static SfuAutoencoder *autoencoder(SfuQueue *q, SfuModel *m, GError **error)
{
    return sfu_vae_autoencoder(q, m, error);
}

#define PAINTS (1u << SFU_TASK_INPAINT | 1u << SFU_TASK_OUTPAINT | 1u << SFU_TASK_EDIT)
#define DRAWS (1u << SFU_TASK_TXT2IMG | 1u << SFU_TASK_IMG2IMG | PAINTS)
#define SAME                                                                                                           \
    .tasks = DRAWS, .rank = 3, .recognize = recognize, .canonical = canonical, .open = open_file, .claims = claims,    \
    .configure = configure, .expect = expect, .aliases = aliases, .native_px = native_px, .least_px = 512,             \
    .fits = fits, .language = &language, .most_references = SFU_FLUX2_REFERENCES, .denoiser = denoiser,                \
    .autoencoder = autoencoder

/* Three layers of Qwen3 4B or 8B, told not to think. Padding is seen. */
static const SfuLanguageRecipe language = {.before = "<|im_start|>user\n",
                                           .after = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
                                           .n_tokens = 512,
                                           .padded = TRUE,
                                           .padding = "<|endoftext|>",
                                           .layers = {9, 18, 27},
                                           .n_layers = N_TEXT_LAYERS};

static const SfuDefaults klein_defaults = {
    .sampler = SFU_SAMPLER_EULER, .schedule = SFU_SCHEDULE_SGM_UNIFORM, .steps = 4, .guidance = 1};
static const SfuDefaults base_defaults = {
    .sampler = SFU_SAMPLER_EULER, .schedule = SFU_SCHEDULE_SGM_UNIFORM, .steps = 50, .guidance = 4};

const SfuFamily sfu_family_flux2 = {.id = "flux2", .name = "FLUX.2 klein", .defaults = &klein_defaults, SAME};
const SfuFamily sfu_family_flux2_base = {.id = "flux2-base", .name = "FLUX.2 base", .defaults = &base_defaults, SAME};
