/* Folders in diffusers' form: each part's files, shards and config.json.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/model_struct.h"
#include "model/canonical_names.h"
#include "file/json.h"
#include <string.h>
#include <glib/gi18n-lib.h>

#define MAX_JSON (16 << 20) /* an index of shards of the largest model known is 100 kB */

/* A file of one part, diffusers' names. */
static gboolean add_part_file(SfuModel *m, const char *path, SfuPart part, GError **error)
{
    const SfuFile *f = sfu_model_add_file(m, path, error);
    for (guint i = 0; f && i < f->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        SfuPart p = part;
        const char *name = t->name;
        char *canonical;
        if (part == SFU_PART_TAESD_DECODER ||
            part == SFU_PART_TAESD_ENCODER) { /* AutoencoderTiny: both halves in one file */
            canonical = sfu_name_from_tiny(name, &p);
        } else
            canonical = sfu_name_from_diffusers(name, part);
        if (!sfu_model_add_named(m, p, canonical, t,
                                 sfu_name_is_ignorable(t->name) ||
                                     (part == SFU_PART_TEXT && g_str_has_prefix(name, "text_projection.")),
                                 error))
            return FALSE;
    }
    return f != NULL;
}

static gboolean load_json(const char *path, JsonNode **out, GError **error)
{
    GError *local = NULL;
    GMappedFile *map = g_file_test(path, G_FILE_TEST_IS_REGULAR) ? g_mapped_file_new(path, FALSE, &local) : NULL;
    *out = map ? sfu_json_parse(g_mapped_file_get_contents(map), g_mapped_file_get_length(map), MAX_JSON, path, error)
               : NULL;
    if (!map)
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, _("%s cannot be read%s%s"), path, local ? ": " : "",
                    local ? local->message : "");
    g_clear_error(&local);
    if (map)
        g_mapped_file_unref(map);
    return *out != NULL;
}

/* The shards that an index.json names, each once. */
static gboolean add_shards(SfuModel *m, const char *folder, const char *index, SfuPart part, GError **error)
{
    JsonNode *node = NULL;
    if (!load_json(index, &node, error))
        return FALSE;
    JsonObject *root = json_node_get_object(node);
    JsonNode *map = json_object_get_member(root, "weight_map");
    gboolean ok = map && JSON_NODE_HOLDS_OBJECT(map);
    if (!ok)
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, _("%s has no weight_map"), index);
    GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
    GList *values = ok ? json_object_get_values(json_node_get_object(map)) : NULL;
    for (GList *l = values; ok && l; l = l->next) {
        const char *file = JSON_NODE_HOLDS_VALUE((JsonNode *)l->data) ? json_node_get_string(l->data) : NULL;
        if (!file || strchr(file, '/') || !g_str_has_suffix(file, ".safetensors")) {
            g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT,
                        _("%s names a shard that is not a .safetensors file in the same folder"), index);
            ok = FALSE;
        } else if (g_hash_table_add(seen, (gpointer)file)) {
            char *path = g_build_filename(folder, file, NULL);
            ok = add_part_file(m, path, part, error);
            g_free(path);
        }
    }
    g_list_free(values);
    g_hash_table_unref(seen);
    json_node_unref(node);
    return ok;
}

/* Networks that steer a model: many of them were published as pickles alone, also as single files. */
static gboolean may_be_pickle(SfuPart part)
{
    return part == SFU_PART_CONTROL || part == SFU_PART_ADAPTER || part == SFU_PART_VISION;
}

static gboolean add_network_files(SfuModel *m, const char *folder, SfuPart part, GError **error)
{
    static const char *const stems[] = {"diffusion_pytorch_model", "model", "pytorch_model"};
    static const char *const variants[] = {
        ".safetensors", ".fp16.safetensors", ".bf16.safetensors", ".non_ema.safetensors", ".gguf", ".bin", ".fp16.bin"};
    const gsize n_variants = G_N_ELEMENTS(variants) - (may_be_pickle(part) ? 0 : 2);
    static const char *const indexes[] = {".safetensors.index.json", ".safetensors.index.fp16.json",
                                          ".safetensors.index.bf16.json"};
    gboolean ok = TRUE, found = FALSE;
    for (gsize s = 0; ok && !found && s < G_N_ELEMENTS(stems); s++) {
        for (gsize v = 0; !found && v < n_variants; v++) {
            char *file = g_strconcat(folder, "/", stems[s], variants[v], NULL);
            if (g_file_test(file, G_FILE_TEST_EXISTS)) {
                found = TRUE;
                ok = add_part_file(m, file, part, error);
            }
            g_free(file);
        }
        for (gsize v = 0; ok && !found && v < G_N_ELEMENTS(indexes); v++) {
            char *file = g_strconcat(folder, "/", stems[s], indexes[v], NULL);
            if (g_file_test(file, G_FILE_TEST_EXISTS)) {
                found = TRUE;
                ok = add_shards(m, folder, file, part, error);
            }
            g_free(file);
        }
    }
    if (ok && !found) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING,
                    _("%s has a config.json but no .safetensors file%s"), folder,
                    g_file_test(folder, G_FILE_TEST_IS_DIR) ? " (pickled .bin and .ckpt files are not read)" : "");
        ok = FALSE;
    }
    return ok;
}

static const char *class_name(JsonNode *config)
{
    JsonObject *o = json_node_get_object(config);
    JsonNode *n = json_object_get_member(o, "_class_name");
    JsonNode *a = n ? NULL : json_object_get_member(o, "architectures"); /* transformers */
    if (a && JSON_NODE_HOLDS_ARRAY(a) && json_array_get_length(json_node_get_array(a)) > 0)
        n = json_array_get_element(json_node_get_array(a), 0);
    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING ? json_node_get_string(n) : "";
}

/* One part of a diffusers folder; an absent one is not an error. `part` < 0: the folder is one network's, its class
 * says which. */
static gboolean add_folder(SfuModel *m, const char *path, const char *sub, int part, GError **error)
{
    static const struct {
        const char *name;
        SfuPart part;
    } classes[] = {{"AutoencoderTiny", SFU_PART_TAESD_DECODER},
                   {"AutoencoderKL", SFU_PART_VAE},
                   {"AutoencoderKLFlux2", SFU_PART_VAE},
                   {"UNet2DConditionModel", SFU_PART_UNET},
                   {"Flux2Transformer2DModel", SFU_PART_TRANSFORMER},
                   {"ZImageTransformer2DModel", SFU_PART_TRANSFORMER},
                   {"ControlNetModel", SFU_PART_CONTROL},
                   {"ControlNetUnionModel", SFU_PART_CONTROL},
                   {"T2IAdapter", SFU_PART_ADAPTER},
                   {"CLIPVisionModelWithProjection", SFU_PART_VISION},
                   {"CLIPTextModel", SFU_PART_TEXT},
                   {"CLIPTextModelWithProjection", SFU_PART_TEXT2},
                   {"Qwen3ForCausalLM", SFU_PART_TEXT},
                   {"Qwen3Model", SFU_PART_TEXT}};
    char *folder = sub ? g_build_filename(path, sub, NULL) : g_strdup(path),
         *config = g_build_filename(folder, "config.json", NULL);
    JsonNode *json = NULL;
    gboolean ok = TRUE;
    if (g_file_test(config, G_FILE_TEST_EXISTS) && (ok = load_json(config, &json, error))) {
        const char *name = class_name(json);
        for (gsize i = 0; i < G_N_ELEMENTS(classes); i++)
            if (strcmp(name, classes[i].name) == 0 && (part < 0 || (part == SFU_PART_VAE && i == 0)))
                part = (int)classes[i].part;
        if (part >= 0 && !m->config[part]) {
            m->config[part] = json;
            ok = add_network_files(m, folder, (SfuPart)part, error);
        } else
            json_node_unref(json);
    }
    g_free(config);
    g_free(folder);
    return ok;
}

gboolean sfu_model_read_folder(SfuModel *m, GError **error)
{
    const char *path = m->path;
    char *index = g_build_filename(path, "model_index.json", NULL),
         *scheduler = g_build_filename(path, "scheduler", "scheduler_config.json", NULL);
    gboolean ok = TRUE;
    if (g_file_test(index, G_FILE_TEST_EXISTS))
        ok = load_json(index, &m->index, error);
    if (ok && g_file_test(scheduler, G_FILE_TEST_EXISTS))
        ok = load_json(scheduler, &m->scheduler_json, error);
    static const SfuPart parts[] = {SFU_PART_UNET, SFU_PART_TRANSFORMER, SFU_PART_VAE, SFU_PART_TEXT, SFU_PART_TEXT2};
    for (gsize i = 0; ok && i < G_N_ELEMENTS(parts); i++)
        ok = add_folder(m, path, sfu_part_name(parts[i]), parts[i], error);
    if (ok && !m->files->len)
        ok = add_folder(m, path, NULL, -1, error);
    if (ok && !m->files->len) {
        g_set_error(
            error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
            _("%s is not a diffusers folder: it has no unet/, transformer/, vae/ or text_encoder/ with a config.json"),
            path);
        ok = FALSE;
    }
    g_free(index);
    g_free(scheduler);
    return ok && sfu_model_check_settings(m, error);
}
