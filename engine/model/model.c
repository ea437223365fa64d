/* A model: its files, its parts' tensors under canonical names, their weights.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/model_struct.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

G_DEFINE_QUARK(sfu_model_error, sfu_model_error)

const char *sfu_part_name(SfuPart part)
{
    static const char *const names[SFU_N_PARTS] = {"unet",           "vae",        "text_encoder", "taesd_encoder",
                                                   "taesd_decoder",  "upscaler",   "remover",      "transformer",
                                                   "text_encoder_2", "controlnet", "adapter",      "image_encoder",
                                                   "ip_adapter"};
    return names[part];
}

static gboolean is_copy(const SfuFileTensor *a, const SfuFileTensor *b)
{
    return a->dtype == b->dtype && a->n_dims == b->n_dims &&
           memcmp(a->dims, b->dims, sizeof *a->dims * (gsize)a->n_dims) == 0 && a->data && b->data &&
           memcmp(a->data, b->data, sfu_dtype_bytes(a->dtype) * (gsize)a->n_elements) == 0;
}

gboolean sfu_model_add_tensor(SfuModel *m, SfuPart part, char *name, SfuFileTensor *t, GError **error)
{
    if (!m->tensors[part]) {
        m->tensors[part] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        m->weights[part] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)sfu_weight_destroy);
    }
    const SfuFileTensor *old = g_hash_table_lookup(m->tensors[part], name);
    if (old && is_copy(old, t)) { /* some programs store a text encoder under both of its names */
        g_ptr_array_add(m->ignored, g_strdup(t->name));
        g_free(name);
        return TRUE;
    }
    if (old) {
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, _("%s: the %s has the tensor '%s' twice"), m->path,
                    sfu_part_name(part), name);
        g_free(name);
        return FALSE;
    }
    g_hash_table_insert(m->tensors[part], name, t);
    return TRUE;
}

gboolean sfu_model_add_split(SfuModel *m, SfuPart part, const char *const *names, int n, const SfuFileTensor *t,
                             GError **error)
{
    for (int i = 0; i < n; i++) {
        if (!names[i])
            continue;
        SfuFileTensor *s =
            t->n_dims < 1 || t->dims[0] % n ? NULL : sfu_file_tensor_rows(t, i * (t->dims[0] / n), t->dims[0] / n);
        if (!s) {
            g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, _("%s: '%s' is not %d matrices in one"), m->path,
                        t->name, n);
            return FALSE;
        }
        g_ptr_array_add(m->made, s);
        if (!sfu_model_add_tensor(m, part, g_strdup(names[i]), s, error))
            return FALSE;
    }
    return TRUE;
}

/* OpenCLIP keeps q, k and v in one matrix [3c, c]. */
static gboolean add_split(SfuModel *m, SfuPart part, const char *name, const SfuFileTensor *t, GError **error)
{
    static const char *const to[] = {"self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj."};
    const char *at = strstr(name, "self_attn.in_proj.");
    char *names[3];
    for (int i = 0; i < 3; i++)
        names[i] = g_strdup_printf("%.*s%s%s", (int)(at - name), name, to[i], at + strlen("self_attn.in_proj."));
    const gboolean ok = sfu_model_add_split(m, part, (const char *const *)names, 3, t, error);
    for (int i = 0; i < 3; i++)
        g_free(names[i]);
    return ok;
}

gboolean sfu_model_add_named(SfuModel *m, SfuPart part, char *name, SfuFileTensor *t, gboolean ignorable,
                             GError **error)
{
    if (!name) {
        g_ptr_array_add(ignorable ? m->ignored : m->unexpected, g_strdup(t->name));
        if (!ignorable && part != SFU_N_PARTS)
            g_ptr_array_add(m->strays, g_strdup(t->name));
        return TRUE;
    }
    if (!strstr(name, "self_attn.in_proj."))
        return sfu_model_add_tensor(m, part, name, t, error);
    m->openclip |= 1u << part;
    const gboolean ok = add_split(m, part, name, t, error);
    g_free(name);
    return ok;
}

SfuFile *sfu_model_add_file(SfuModel *m, const char *path, GError **error)
{
    SfuFile *f = sfu_file_open(path, error);
    if (f)
        g_ptr_array_add(m->files, f);
    return f;
}

SfuModel *sfu_model_new(const char *path)
{
    SfuModel *m = g_new0(SfuModel, 1);
    m->path = g_strdup(path);
    m->files = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_file_close);
    m->made = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    m->ignored = g_ptr_array_new_with_free_func(g_free);
    m->unexpected = g_ptr_array_new_with_free_func(g_free);
    m->strays = g_ptr_array_new_with_free_func(g_free);
    m->missing = g_ptr_array_new_with_free_func(g_free);
    m->upscaler.unshuffle = 1;
    m->upscaler.reduction = 1;
    return m;
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
    g_ptr_array_unref(m->strays);
    g_ptr_array_unref(m->missing);
    g_ptr_array_unref(m->files);
    g_free(m->upscaler.own);
    g_free(m->transformer);
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

int sfu_model_count(const SfuModel *m, SfuPart part, const char *prefix, int most)
{
    const gsize n_prefix = strlen(prefix);
    gint64 n = 0;
    GHashTableIter it;
    gpointer name;
    if (m->tensors[part])
        g_hash_table_iter_init(&it, m->tensors[part]);
    while (m->tensors[part] && g_hash_table_iter_next(&it, &name, NULL)) {
        const char *at = (const char *)name + n_prefix;
        char *end;
        if (strncmp(name, prefix, n_prefix) != 0 || !g_ascii_isdigit(*at))
            continue;
        const guint64 i = g_ascii_strtoull(at, &end, 10);
        if (*end == '.')
            n = MAX(n, (gint64)MIN(i, (guint64)most) + 1);
    }
    return (int)MIN(n, most);
}

/* A layer of the text encoder behind the last that is run: Stable Diffusion 2 leaves out OpenCLIP's last one, which a
 * single file has, and a configuration may leave out others. */
static gboolean is_left_out(const SfuModel *m, const char *name)
{
    static const char head[] = "text_model.encoder.layers.";
    return (m->openclip & 1u << SFU_PART_TEXT || m->config[SFU_PART_TEXT]) && g_str_has_prefix(name, head) &&
           g_ascii_strtoull(name + strlen(head), NULL, 10) >= (guint64)m->text.layers;
}

void sfu_model_note(SfuModel *m, SfuPart part, GPtrArray *missing, GHashTable *bound)
{
    GHashTableIter it;
    gpointer name;
    for (guint i = 0; i < missing->len; i++)
        g_ptr_array_add(m->missing,
                        g_strdup_printf("%s: %s", sfu_part_name(part), (char *)g_ptr_array_index(missing, i)));
    g_hash_table_iter_init(&it, m->tensors[part]);
    while (g_hash_table_iter_next(&it, &name, NULL)) {
        if (g_hash_table_contains(bound, name))
            continue;
        const gboolean last = part == SFU_PART_TEXT && is_left_out(m, name);
        g_ptr_array_add(last ? m->ignored : m->unexpected, g_strdup(name));
        if (!last)
            g_ptr_array_add(m->strays, g_strdup(name));
    }
}

const GPtrArray *sfu_model_strays(const SfuModel *m)
{
    return m->strays;
}

gboolean sfu_model_has_module(const SfuModel *m, SfuPart part, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *prefix = g_strdup_vprintf(format, ap);
    va_end(ap);
    GHashTableIter it;
    gpointer name;
    gboolean has = FALSE;
    if (m->tensors[part])
        g_hash_table_iter_init(&it, m->tensors[part]);
    while (m->tensors[part] && !has && g_hash_table_iter_next(&it, &name, NULL))
        has = g_str_has_prefix(name, prefix);
    g_free(prefix);
    return has;
}

void sfu_model_each(const SfuModel *m, SfuPart part,
                    void (*fn)(const char *name, const SfuFileTensor *t, gpointer data), gpointer data)
{
    GHashTableIter it;
    gpointer name, t;
    if (!m->tensors[part])
        return;
    g_hash_table_iter_init(&it, m->tensors[part]);
    while (g_hash_table_iter_next(&it, &name, &t))
        fn(name, t, data);
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
                g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT,
                            _("%s: the tensor '%s' holds NaN or infinity"), m->path, (char *)name);
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

gboolean sfu_model_check_intact(const SfuModel *m, GError **error)
{
    for (guint i = 0; i < m->files->len; i++)
        if (!sfu_file_check_intact(g_ptr_array_index(m->files, i), error))
            return FALSE;
    return TRUE;
}

char *sfu_model_identity(const SfuModel *m)
{
    GString *s = g_string_new(NULL);
    for (guint i = 0; i < m->files->len; i++) {
        const SfuFile *f = m->files->pdata[i];
        char *path = g_canonicalize_filename(f->path, NULL);
        g_string_append_printf(s, "%s\n%" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", path, f->size, f->mtime_ns);
        g_free(path);
    }
    return g_string_free(s, FALSE);
}

const char *sfu_model_path(const SfuModel *m)
{
    return m->path;
}
const SfuFamily *sfu_model_family(const SfuModel *m)
{
    return m->family;
}
gboolean sfu_model_has_part(const SfuModel *m, SfuPart part)
{
    return m->tensors[part] != NULL;
}
const SfuUnetConfig *sfu_model_unet(const SfuModel *m)
{
    return &m->unet;
}
const SfuVaeConfig *sfu_model_vae(const SfuModel *m)
{
    return &m->vae;
}
const SfuTextConfig *sfu_model_text(const SfuModel *m, SfuPart part)
{
    return part == SFU_PART_TEXT2 ? &m->text2 : &m->text;
}
const SfuLanguageConfig *sfu_model_language(const SfuModel *m)
{
    return &m->language;
}
gboolean sfu_model_is_language(const SfuModel *m)
{
    return sfu_model_tensor(m, SFU_PART_TEXT, "layers.0.self_attn.q_norm.weight") != NULL;
}
const SfuSchedulerConfig *sfu_model_scheduler(const SfuModel *m)
{
    return &m->scheduler;
}
const SfuUpscalerConfig *sfu_model_upscaler(const SfuModel *m)
{
    return &m->upscaler;
}
const SfuControlConfig *sfu_model_control(const SfuModel *m)
{
    return &m->control;
}
const SfuVisionConfig *sfu_model_vision(const SfuModel *m)
{
    return &m->vision;
}
const SfuImagePromptConfig *sfu_model_image_prompt(const SfuModel *m)
{
    return &m->image_prompt;
}
const SfuLamaConfig *sfu_model_lama(const SfuModel *m)
{
    return &m->lama;
}

JsonObject *sfu_model_sfumato(const SfuModel *m)
{
    JsonNode *n = m->index ? json_object_get_member(json_node_get_object(m->index), "sfumato") : NULL;
    return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}
