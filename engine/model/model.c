/* Opening models: single files and diffusers folders into one table of canonical names a part.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/internal.h"
#include "model/names.h"
#include "file/json.h"
#include <math.h>
#include <string.h>

#define MAX_JSON (16 << 20) /* an index of shards of the largest model known is 100 kB */

G_DEFINE_QUARK(sfu-model-error, sfu_model_error)

const char *sfu_part_name(SfuPart part)
{
    static const char *const names[SFU_N_PARTS] = {"unet", "vae", "text_encoder", "image_encoder", "taesd_encoder", "taesd_decoder", "upscaler"};
    return names[part];
}

gboolean sfu_model_add_tensor(SfuModel *m, SfuPart part, char *name, SfuFileTensor *t, GError **error)
{
    if (!m->tensors[part]) {
        m->tensors[part] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        m->weights[part] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)sfu_weight_destroy);
    }
    if (g_hash_table_contains(m->tensors[part], name)) {
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "%s: the %s has the tensor '%s' twice", m->path, sfu_part_name(part), name);
        g_free(name);
        return FALSE;
    }
    g_hash_table_insert(m->tensors[part], name, t);
    return TRUE;
}

/* OpenCLIP keeps q, k and v in one matrix [3c, c]: three tensors that share its bytes. */
static gboolean add_split(SfuModel *m, SfuPart part, const char *name, const SfuFileTensor *t, GError **error)
{
    static const char *const to[] = {"self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj."};
    const char *at = strstr(name, "self_attn.in_proj.");
    for (int i = 0; i < 3; i++) {
        SfuFileTensor *s = t->n_dims < 1 || t->dims[0] % 3 ? NULL : sfu_file_tensor_rows(t, i * t->dims[0] / 3, t->dims[0] / 3);
        if (!s) {
            g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "%s: '%s' is no three matrices in one", m->path, t->name);
            return FALSE;
        }
        g_ptr_array_add(m->made, s);
        if (!sfu_model_add_tensor(m, part, g_strdup_printf("%.*s%s%s", (int)(at - name), name, to[i], at + strlen("self_attn.in_proj.")), s,
                                  error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_named(SfuModel *m, SfuPart part, char *name, SfuFileTensor *t, GError **error)
{
    if (!name) {
        g_ptr_array_add(sfu_name_is_ignorable(t->name) ? m->ignored : m->unexpected, g_strdup(t->name));
        return TRUE;
    }
    if (!strstr(name, "self_attn.in_proj."))
        return sfu_model_add_tensor(m, part, name, t, error);
    m->openclip = TRUE;
    const gboolean ok = add_split(m, part, name, t, error);
    g_free(name);
    return ok;
}

static SfuFile *open_file(SfuModel *m, const char *path, GError **error)
{
    SfuFile *f = sfu_file_open(path, error);
    if (f)
        g_ptr_array_add(m->files, f);
    return f;
}

/* A file of one part, diffusers' names. */
static gboolean add_part_file(SfuModel *m, const char *path, SfuPart part, GError **error)
{
    const SfuFile *f = open_file(m, path, error);
    for (guint i = 0; f && i < f->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        SfuPart p = part;
        const char *name = t->name;
        char *canonical;
        if (part == SFU_PART_TAESD_DECODER || part == SFU_PART_TAESD_ENCODER) { /* AutoencoderTiny: both halves in one file */
            p = g_str_has_prefix(name, "encoder.") ? SFU_PART_TAESD_ENCODER : SFU_PART_TAESD_DECODER;
            canonical = g_str_has_prefix(name, "encoder.layers.") || g_str_has_prefix(name, "decoder.layers.") ? g_strdup(name + 8) : NULL;
        } else
            canonical = sfu_name_from_diffusers(name, part);
        if (!add_named(m, p, canonical, t, error))
            return FALSE;
    }
    return f != NULL;
}

static const SfuFileTensor *file_tensor(const SfuFile *f, const char *name)
{
    for (guint i = 0; i < f->tensors->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        if (strcmp(t->name, name) == 0)
            return t;
    }
    return NULL;
}

/* How many levels the VAE of a file with original names has, behind `prefix`; 0: none. */
static int vae_levels(const SfuFile *f, const char *prefix)
{
    char name[96];
    int n = 0;
    do
        g_snprintf(name, sizeof name, "%sdecoder.up.%d.block.0.conv1.weight", prefix, n);
    while (n < SFU_MAX_BLOCKS && file_tensor(f, name) && ++n);
    return n;
}

/* TAESD's author publishes each half alone: the one begins with a convolution, the other with a clamp (no weights). */
static gboolean taesd_half(const SfuFile *f, SfuPart *part)
{
    const gboolean prefixed = file_tensor(f, "decoder.1.weight") || file_tensor(f, "encoder.0.weight");
    const SfuFileTensor *block = file_tensor(f, prefixed ? "encoder.1.conv.0.weight" : "1.conv.0.weight");
    if (block)
        *part = SFU_PART_TAESD_ENCODER;
    else if (file_tensor(f, prefixed ? "decoder.3.conv.0.weight" : "3.conv.0.weight") && file_tensor(f, prefixed ? "decoder.1.weight" : "1.weight"))
        *part = SFU_PART_TAESD_DECODER;
    else
        return FALSE;
    return TRUE;
}

static gboolean add_taesd_half(SfuModel *m, const SfuFile *f, SfuPart part, GError **error)
{
    for (guint i = 0; i < f->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        if (!add_named(m, part, sfu_name_from_taesd(t->name, part), t, error))
            return FALSE;
    }
    return TRUE;
}

/* taesd_decoder.safetensors brings taesd_encoder.safetensors with it, and the other way round. */
static gboolean add_taesd(SfuModel *m, const SfuFile *f, SfuPart part, GError **error)
{
    const gboolean decoder = part == SFU_PART_TAESD_DECODER;
    char *base = g_path_get_basename(m->path), *folder = g_path_get_dirname(m->path);
    char **parts = g_strsplit(base, decoder ? "decoder" : "encoder", 2);
    gboolean ok = add_taesd_half(m, f, part, error);
    if (ok && parts[0] && parts[1]) {
        char *other = g_strdup_printf("%s/%s%s%s", folder, parts[0], decoder ? "encoder" : "decoder", parts[1]);
        SfuPart p = part;
        const SfuFile *second = g_file_test(other, G_FILE_TEST_IS_REGULAR) ? open_file(m, other, NULL) : NULL;
        if (second && taesd_half(second, &p) && p != part)
            ok = add_taesd_half(m, second, p, error);
        g_free(other);
    }
    g_strfreev(parts);
    g_free(base);
    g_free(folder);
    return ok;
}

static gboolean refuse_checkpoint_pickle(const char *path, GError **error)
{
    g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_REFUSED,
                "%s is a PyTorch pickle file, which can run programs when it is read; convert it to safetensors "
                "(any \"ckpt to safetensors\" converter does) and open that", path);
    return FALSE;
}

/* A single file of whatever kind. */
static gboolean add_single(SfuModel *m, GError **error)
{
    SfuPart half = SFU_PART_TAESD_ENCODER;
    gboolean upscaler = FALSE, checkpoint = FALSE;
    SfuFile *f = open_file(m, m->path, error);
    if (!f)
        return FALSE;
    const char *foreign = NULL;
    for (guint i = 0; i < f->tensors->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        checkpoint |= g_str_has_prefix(t->name, "model.diffusion_model.") || (f->pickle && strstr(t->name, ".model.diffusion_model."));
        foreign = foreign ? foreign : sfu_name_foreign(t->name);
    }
    if (f->pickle && checkpoint)
        return refuse_checkpoint_pickle(m->path, error);
    if (checkpoint && foreign && strstr(foreign, "checkpoint")) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "%s is %s; Sfumato runs Stable Diffusion 1.x and 2.x", m->path, foreign);
        return FALSE;
    }
    const int lone_vae = vae_levels(f, ""), levels = vae_levels(f, "first_stage_model.");
    if (checkpoint || lone_vae) {
        for (guint i = 0; i < f->tensors->len; i++) {
            SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
            SfuPart part = SFU_PART_VAE;
            char *name = checkpoint ? sfu_name_from_checkpoint(t->name, levels, &part)
                                    : sfu_name_is_ignorable(t->name) ? NULL : sfu_name_from_vae(t->name, lone_vae);
            if (!add_named(m, part, name, t, error))
                return FALSE;
        }
        return TRUE;
    }
    if (taesd_half(f, &half))
        return add_taesd(m, f, half, error);
    if (!sfu_upscaler_map(m, f, &upscaler, error))
        return FALSE;
    if (upscaler)
        return TRUE;
    if (file_tensor(f, "decoder.up_blocks.0.resnets.0.conv1.weight")) { /* a VAE with diffusers' names, alone */
        for (guint i = 0; i < f->tensors->len; i++) {
            SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
            if (!add_named(m, SFU_PART_VAE, sfu_name_from_diffusers(t->name, SFU_PART_VAE), t, error))
                return FALSE;
        }
        return TRUE;
    }
    if (foreign)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "%s is %s", m->path, foreign);
    else if (!f->tensors->len)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "%s holds no tensors", m->path);
    else
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "%s: its tensors ('%s' and %u more) are those of no model that Sfumato knows",
                    m->path, ((SfuFileTensor *)g_ptr_array_index(f->tensors, 0))->name, f->tensors->len - 1);
    return FALSE;
}

static gboolean load_json(const char *path, JsonNode **out, GError **error)
{
    GError *local = NULL;
    GMappedFile *map = g_file_test(path, G_FILE_TEST_IS_REGULAR) ? g_mapped_file_new(path, FALSE, &local) : NULL;
    *out = map ? sfu_json_parse(g_mapped_file_get_contents(map), g_mapped_file_get_length(map), MAX_JSON, path, error) : NULL;
    if (!map)
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, "%s cannot be read%s%s", path, local ? ": " : "", local ? local->message : "");
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
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "%s has no weight_map", index);
    GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
    GList *values = ok ? json_object_get_values(json_node_get_object(map)) : NULL;
    for (GList *l = values; ok && l; l = l->next) {
        const char *file = JSON_NODE_HOLDS_VALUE((JsonNode *)l->data) ? json_node_get_string(l->data) : NULL;
        if (!file || strchr(file, '/') || !g_str_has_suffix(file, ".safetensors")) {
            g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "%s names a shard that is no .safetensors file of its folder", index);
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

static gboolean add_network_files(SfuModel *m, const char *folder, SfuPart part, GError **error)
{
    static const char *const stems[] = {"diffusion_pytorch_model", "model"};
    static const char *const variants[] = {".safetensors", ".fp16.safetensors", ".bf16.safetensors", ".non_ema.safetensors"};
    static const char *const indexes[] = {".safetensors.index.json", ".safetensors.index.fp16.json", ".safetensors.index.bf16.json"};
    gboolean ok = TRUE, found = FALSE;
    for (gsize s = 0; ok && !found && s < G_N_ELEMENTS(stems); s++) {
        for (gsize v = 0; !found && v < G_N_ELEMENTS(variants); v++) {
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
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, "%s has a config.json but no .safetensors file%s", folder,
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

/* One part of a diffusers folder; absent is no error. `part` < 0: the folder is one network's, its class says which. */
static gboolean add_folder(SfuModel *m, const char *path, const char *sub, int part, GError **error)
{
    static const struct {
        const char *name;
        SfuPart part;
    } classes[] = {{"AutoencoderTiny", SFU_PART_TAESD_DECODER}, {"AutoencoderKL", SFU_PART_VAE}, {"UNet2DConditionModel", SFU_PART_UNET},
                   {"CLIPTextModel", SFU_PART_TEXT}, {"CLIPVisionModelWithProjection", SFU_PART_IMAGE_ENCODER}};
    char *folder = sub ? g_build_filename(path, sub, NULL) : g_strdup(path), *config = g_build_filename(folder, "config.json", NULL);
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

static gboolean open_folder(SfuModel *m, const char *path, GError **error)
{
    char *index = g_build_filename(path, "model_index.json", NULL), *scheduler = g_build_filename(path, "scheduler", "scheduler_config.json", NULL);
    gboolean ok = TRUE;
    if (g_file_test(index, G_FILE_TEST_EXISTS))
        ok = load_json(index, &m->index, error);
    if (ok && g_file_test(scheduler, G_FILE_TEST_EXISTS))
        ok = load_json(scheduler, &m->scheduler_json, error);
    static const SfuPart parts[] = {SFU_PART_UNET, SFU_PART_VAE, SFU_PART_TEXT, SFU_PART_IMAGE_ENCODER};
    for (gsize i = 0; ok && i < G_N_ELEMENTS(parts); i++)
        ok = add_folder(m, path, sfu_part_name(parts[i]), parts[i], error);
    if (ok && !m->files->len)
        ok = add_folder(m, path, NULL, -1, error);
    if (ok && !m->files->len) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "%s is no diffusers folder (no unet/, vae/ or text_encoder/ with a config.json)", path);
        ok = FALSE;
    }
    g_free(index);
    g_free(scheduler);
    return ok;
}

SfuModel *sfu_model_open(const char *path, GError **error)
{
    SfuModel *m = g_new0(SfuModel, 1);
    m->path = g_strdup(path);
    m->files = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_file_close);
    m->made = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    m->ignored = g_ptr_array_new_with_free_func(g_free);
    m->unexpected = g_ptr_array_new_with_free_func(g_free);
    m->missing = g_ptr_array_new_with_free_func(g_free);
    gboolean ok;
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        ok = open_folder(m, path, error);
    else if (g_str_has_suffix(path, ".ckpt")) /* a name for nothing but pickled checkpoints */
        ok = refuse_checkpoint_pickle(path, error);
    else
        ok = add_single(m, error);
    if (ok && sfu_model_configure(m, error)) {
        sfu_model_expect(m);
        return m;
    }
    sfu_model_close(m);
    return NULL;
}

void sfu_model_close(SfuModel *m)
{
    if (!m)
        return;
    for (int p = 0; p < SFU_N_PARTS; p++) {
        g_clear_pointer(&m->weights[p], g_hash_table_unref);
        g_clear_pointer(&m->tensors[p], g_hash_table_unref);
        g_clear_pointer(&m->config[p], json_node_unref);
    }
    g_clear_pointer(&m->index, json_node_unref);
    g_clear_pointer(&m->scheduler_json, json_node_unref);
    g_ptr_array_unref(m->made);
    g_ptr_array_unref(m->ignored);
    g_ptr_array_unref(m->unexpected);
    g_ptr_array_unref(m->missing);
    g_ptr_array_unref(m->files);
    g_free(m->path);
    g_free(m);
}

const SfuFileTensor *sfu_model_tensor(const SfuModel *m, SfuPart part, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *name = g_strdup_vprintf(format, ap);
    va_end(ap);
    const SfuFileTensor *t = m->tensors[part] ? g_hash_table_lookup(m->tensors[part], name) : NULL;
    g_free(name);
    return t;
}

SfuWeight *sfu_model_find(SfuModel *m, SfuPart part, const char *name)
{
    if (!m->tensors[part])
        return NULL;
    SfuWeight *w = g_hash_table_lookup(m->weights[part], name);
    if (w)
        return w;
    const SfuFileTensor *t = g_hash_table_lookup(m->tensors[part], name);
    if (!t)
        return NULL;
    w = sfu_file_tensor_weight(t, name);
    g_hash_table_insert(m->weights[part], g_strdup(name), w);
    return w;
}

SfuWeight *sfu_model_weight(SfuModel *m, SfuPart part, const char *name, GError **error)
{
    SfuWeight *w = sfu_model_find(m, part, name);
    if (!w)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, "%s: the %s lacks the tensor '%s'", m->path, sfu_part_name(part), name);
    return w;
}

gboolean sfu_model_check_complete(const SfuModel *m, SfuPart part, GError **error)
{
    const char *first = NULL, *name = sfu_part_name(part);
    int n = 0;
    for (guint i = 0; i < m->missing->len; i++) {
        const char *s = g_ptr_array_index(m->missing, i);
        if (!g_str_has_prefix(s, name) || s[strlen(name)] != ':')
            continue;
        first = first ? first : s;
        n++;
    }
    if (!m->tensors[part])
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, "%s has no %s", m->path, name);
    else if (n)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, "%s: %d tensors are missing or misshapen, the first is %s", m->path, n, first);
    return m->tensors[part] && !n;
}

gboolean sfu_model_check_finite(SfuModel *m, SfuPart part, GError **error)
{
    GHashTableIter it;
    gpointer name;
    float *v = g_new(float, 65536);
    gboolean ok = TRUE;
    if (m->tensors[part])
        g_hash_table_iter_init(&it, m->tensors[part]);
    while (m->tensors[part] && ok && g_hash_table_iter_next(&it, &name, NULL)) {
        const SfuWeight *w = sfu_model_find(m, part, name);
        const gint64 n = sfu_weight_elements(w);
        for (gint64 i = 0; ok && i < n; i += 65536) {
            const int k = (int)MIN(n - i, 65536);
            sfu_weight_read_f32(w, i, k, v);
            int bad = 0;
            for (int j = 0; j < k; j++)
                bad += !isfinite(v[j]);
            if (bad) {
                g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "%s: the tensor '%s' holds values that are no numbers (NaN or infinity)",
                            m->path, (char *)name);
                ok = FALSE;
            }
        }
    }
    g_free(v);
    return ok;
}

gboolean sfu_model_check_unchanged(const SfuModel *m, GError **error)
{
    for (guint i = 0; i < m->files->len; i++)
        if (!sfu_file_check_unchanged(g_ptr_array_index(m->files, i), error))
            return FALSE;
    return TRUE;
}

const char *sfu_model_path(const SfuModel *m) { return m->path; }
SfuFamily sfu_model_family(const SfuModel *m) { return m->family; }
gboolean sfu_model_has_part(const SfuModel *m, SfuPart part) { return m->tensors[part] != NULL; }
const SfuUnetConfig *sfu_model_unet(const SfuModel *m) { return &m->unet; }
const SfuVaeConfig *sfu_model_vae(const SfuModel *m) { return &m->vae; }
const SfuTextConfig *sfu_model_text(const SfuModel *m) { return &m->text; }
const SfuVisionConfig *sfu_model_vision(const SfuModel *m) { return &m->vision; }
const SfuSchedulerConfig *sfu_model_scheduler(const SfuModel *m) { return &m->scheduler; }
const SfuUpscalerConfig *sfu_model_upscaler(const SfuModel *m) { return &m->upscaler; }

JsonObject *sfu_model_sfumato(const SfuModel *m)
{
    JsonNode *n = m->index ? json_object_get_member(json_node_get_object(m->index), "sfumato") : NULL;
    return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}
