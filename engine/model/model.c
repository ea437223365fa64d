/* Opening models: single files and diffusers folders into one table of canonical names a part.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/internal.h"
#include "model/names.h"
#include <gio/gio.h>
#include <string.h>

const char *sfu_part_name(SfuPart part)
{
    static const char *const names[SFU_N_PARTS] = {"unet", "vae", "text_encoder", "image_encoder", "taesd_encoder", "taesd_decoder", "upscaler"};
    return names[part];
}

static void add_tensor(SfuModel *m, SfuPart part, char *name, SfuFileTensor *t)
{
    if (!m->tensors[part]) {
        m->tensors[part] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        m->weights[part] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)sfu_weight_destroy);
    }
    g_hash_table_replace(m->tensors[part], name, t);
}

/* OpenCLIP keeps q, k and v in one matrix [3c, c]: three tensors that share its bytes. */
static void add_split(SfuModel *m, SfuPart part, const char *name, const SfuFileTensor *t)
{
    static const char *const to[] = {"self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj."};
    const char *at = strstr(name, "self_attn.in_proj.");
    if (t->n_dims < 1 || t->dims[0] % 3)
        return;
    for (int i = 0; i < 3; i++) {
        SfuFileTensor *s = g_memdup2(t, sizeof *t);
        s->dims[0] /= 3;
        s->n_elements /= 3;
        s->data += (gsize)i * (gsize)s->n_elements * sfu_dtype_bytes(t->dtype);
        s->name = g_strdup(t->name);
        g_ptr_array_add(m->made, s);
        add_tensor(m, part, g_strdup_printf("%.*s%s%s", (int)(at - name), name, to[i], at + strlen("self_attn.in_proj.")), s);
    }
}

static gboolean add_file(SfuModel *m, const char *path, int part, GError **error)
{
    SfuFile *f = sfu_file_open(path, error);
    if (!f)
        return FALSE;
    g_ptr_array_add(m->files, f);
    for (guint i = 0; i < f->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        SfuPart p = part < 0 ? SFU_PART_UNET : (SfuPart)part;
        char *name = part < 0 ? sfu_name_from_checkpoint(t->name, &p) : sfu_name_from_diffusers(t->name, p);
        if (!name) {
            g_ptr_array_add(m->unexpected, g_strdup(t->name));
        } else if (strstr(name, "self_attn.in_proj.")) {
            add_split(m, p, name, t);
            g_free(name);
        } else {
            add_tensor(m, p, name, t);
        }
    }
    return TRUE;
}

static gboolean load_json(const char *path, JsonNode **out, GError **error)
{
    JsonParser *p = json_parser_new();
    GError *local = NULL;
    GMappedFile *map = g_mapped_file_new(path, FALSE, &local);
    gboolean ok = FALSE;
    if (map && g_mapped_file_get_length(map) > 1 << 20)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FORMAT, "%s: too large for a configuration", path);
    else if (map && g_mapped_file_get_length(map) && json_parser_load_from_data(p, g_mapped_file_get_contents(map), (gssize)g_mapped_file_get_length(map), &local) &&
             json_parser_get_root(p) && JSON_NODE_HOLDS_OBJECT(json_parser_get_root(p))) {
        *out = json_node_copy(json_parser_get_root(p));
        ok = TRUE;
    } else
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FORMAT, "%s is no JSON object%s%s", path, local ? ": " : "", local ? local->message : "");
    g_clear_error(&local);
    if (map)
        g_mapped_file_unref(map);
    g_object_unref(p);
    return ok;
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
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FORMAT, "%s has no weight_map", index);
    GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
    GList *values = ok ? json_object_get_values(json_node_get_object(map)) : NULL;
    for (GList *l = values; ok && l; l = l->next) {
        const char *file = JSON_NODE_HOLDS_VALUE((JsonNode *)l->data) ? json_node_get_string(l->data) : NULL;
        if (!file || strchr(file, '/')) {
            g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FORMAT, "%s names a shard outside its folder", index);
            ok = FALSE;
        } else if (g_hash_table_add(seen, (gpointer)file)) {
            char *path = g_build_filename(folder, file, NULL);
            ok = add_file(m, path, part, error);
            g_free(path);
        }
    }
    g_list_free(values);
    g_hash_table_unref(seen);
    json_node_unref(node);
    return ok;
}

/* One part of a diffusers folder; absent is no error. */
static gboolean add_folder(SfuModel *m, const char *path, const char *sub, SfuPart part, GError **error)
{
    static const char *const stems[] = {"diffusion_pytorch_model", "model"};
    static const char *const variants[] = {".safetensors", ".fp16.safetensors", ".bf16.safetensors"};
    static const char *const indexes[] = {".safetensors.index.json", ".safetensors.index.fp16.json"};
    char *folder = g_build_filename(path, sub, NULL), *config = g_build_filename(folder, "config.json", NULL);
    gboolean ok = TRUE, found = FALSE;
    if (g_file_test(config, G_FILE_TEST_EXISTS)) {
        ok = load_json(config, &m->config[part], error);
        for (gsize s = 0; ok && !found && s < G_N_ELEMENTS(stems); s++) {
            for (gsize v = 0; !found && v < G_N_ELEMENTS(variants); v++) {
                char *file = g_strconcat(folder, "/", stems[s], variants[v], NULL);
                if (g_file_test(file, G_FILE_TEST_EXISTS)) {
                    found = TRUE;
                    ok = add_file(m, file, part, error);
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
            g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, "%s has a config.json but no .safetensors file", folder);
            ok = FALSE;
        }
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
    if (ok && !m->files->len) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "%s is no diffusers folder (no unet/, vae/ or text_encoder/ with a config.json)", path);
        ok = FALSE;
    }
    g_free(index);
    g_free(scheduler);
    return ok;
}

/* Pickle runs code when it is read; Sfumato never does. */
static gboolean refuse_pickle(const char *path, GError **error)
{
    guint8 head[4] = {0};
    GFile *file = g_file_new_for_path(path);
    GFileInputStream *in = g_file_read(file, NULL, NULL);
    gsize n = 0;
    if (in) {
        g_input_stream_read_all(G_INPUT_STREAM(in), head, sizeof head, &n, NULL, NULL);
        g_object_unref(in);
    }
    g_object_unref(file);
    if ((n >= 2 && head[0] == 'P' && head[1] == 'K') || (n >= 2 && head[0] == 0x80 && head[1] <= 5)) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_REFUSED,
                    "%s is a PyTorch pickle file, which can run programs when it is read; convert it to safetensors "
                    "(any \"ckpt to safetensors\" converter does) and open that", path);
        return FALSE;
    }
    return TRUE;
}

SfuModel *sfu_model_open(const char *path, GError **error)
{
    SfuModel *m = g_new0(SfuModel, 1);
    m->path = g_strdup(path);
    m->files = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_file_close);
    m->made = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    m->unexpected = g_ptr_array_new_with_free_func(g_free);
    gboolean ok;
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        ok = open_folder(m, path, error);
    else
        ok = refuse_pickle(path, error) && add_file(m, path, -1, error);
    if (ok && sfu_model_configure(m, error))
        return m;
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
    g_ptr_array_unref(m->unexpected);
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
    w = sfu_weight_new(name, t->dtype, t->n_dims, t->dims, t->data, (size_t)t->n_elements * sfu_dtype_bytes(t->dtype));
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
