/* What `sfumato inspect` shows.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/family.h"
#include "model/model_struct.h"

typedef struct {
    gint64 bytes, values, by_type[SFU_N_DTYPES];
} Numbers;

static Numbers part_numbers(GHashTable *tensors)
{
    Numbers n = {0};
    GHashTableIter it;
    gpointer v;
    g_hash_table_iter_init(&it, tensors);
    while (g_hash_table_iter_next(&it, NULL, &v)) {
        const SfuFileTensor *t = v;
        n.values += t->n_elements;
        n.bytes += (gint64)(sfu_file_tensor_bytes(t) + (t->scale ? sfu_file_tensor_bytes(t->scale) : 0));
        n.by_type[t->dtype] += t->n_elements;
    }
    return n;
}

static int by_values(gconstpointer a, gconstpointer b, gpointer data)
{
    const gint64 *n = data;
    const int x = *(const int *)a, y = *(const int *)b;
    return n[x] < n[y] ? 1 : n[x] > n[y] ? -1 : x - y;
}

/* "F16", or "F16 + F32" with the commonest first. Caller frees. */
static char *dtypes(const Numbers *n)
{
    int order[SFU_N_DTYPES];
    GString *s = g_string_new(NULL);
    for (int i = 0; i < SFU_N_DTYPES; i++)
        order[i] = i;
    g_qsort_with_data(order, SFU_N_DTYPES, sizeof *order, by_values, (gpointer)n->by_type);
    for (int i = 0; i < SFU_N_DTYPES && n->by_type[order[i]]; i++)
        g_string_append_printf(s, "%s%s", i ? " + " : "", sfu_dtype_name(order[i]));
    return g_string_free(s, FALSE);
}

static const char *prediction_name(SfuPrediction p)
{
    return p == SFU_PREDICT_V ? "v" : p == SFU_PREDICT_SAMPLE ? "sample" : p == SFU_PREDICT_FLOW ? "flow" : "epsilon";
}

/* "inpaint, outpaint": what the model is good for, in words of the command line. Caller frees. */
static char *use(const SfuFamily *f)
{
    GString *s = g_string_new(f->tasks ? "" : f->use);
    for (int t = 0; t < SFU_N_TASKS; t++)
        if (f->tasks & 1u << t)
            g_string_append_printf(s, "%s%s", s->len ? ", " : "", sfu_task_name(t));
    return g_string_free(s, FALSE);
}

static void add_string(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, value);
}

static void add_int(JsonBuilder *b, const char *name, gint64 value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, value);
}

static void add_list(JsonBuilder *b, const char *name, GPtrArray *strings)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_array(b);
    for (guint i = 0; i < strings->len; i++)
        json_builder_add_string_value(b, g_ptr_array_index(strings, i));
    json_builder_end_array(b);
}

static gboolean is_upscaler(const SfuModel *m)
{
    return m->tensors[SFU_PART_UPSCALER] != NULL;
}

JsonNode *sfu_model_inspect_json(SfuModel *m)
{
    JsonBuilder *b = json_builder_new();
    char *tasks = use(m->family);
    json_builder_begin_object(b);
    add_string(b, "path", m->path);
    add_string(b, "family", m->family->name);
    add_string(b, "for", tasks);
    g_free(tasks);
    if (m->tensors[SFU_PART_UNET])
        add_string(b, "prediction", prediction_name(m->scheduler.prediction));
    if (is_upscaler(m)) {
        add_int(b, "scale", m->upscaler.scale);
        json_builder_set_member_name(b, "scale_by_name");
        json_builder_add_boolean_value(b, m->upscaler.scale_by_name);
        add_int(b, "channels", m->upscaler.channels);
    }
    json_builder_set_member_name(b, "parts");
    json_builder_begin_object(b);
    for (int p = 0; p < SFU_N_PARTS; p++) {
        if (!m->tensors[p])
            continue;
        const Numbers n = part_numbers(m->tensors[p]);
        char *types = dtypes(&n);
        json_builder_set_member_name(b, sfu_part_name(p));
        json_builder_begin_object(b);
        add_int(b, "tensors", g_hash_table_size(m->tensors[p]));
        add_int(b, "parameters", n.values);
        add_int(b, "bytes", n.bytes);
        add_string(b, "dtype", types);
        json_builder_end_object(b);
        g_free(types);
    }
    json_builder_end_object(b);
    add_list(b, "missing", m->missing);
    add_list(b, "unexpected", m->unexpected);
    add_int(b, "ignored", m->ignored->len);
    json_builder_end_object(b);
    JsonNode *n = json_builder_get_root(b);
    g_object_unref(b);
    return n;
}

static void append_list(GString *s, const char *what, GPtrArray *strings, guint most)
{
    if (!strings->len)
        return;
    g_string_append_printf(s, "  %s: %u\n", what, strings->len);
    for (guint i = 0; i < MIN(strings->len, most); i++)
        g_string_append_printf(s, "    %s\n", (char *)g_ptr_array_index(strings, i));
    if (strings->len > most)
        g_string_append_printf(s, "    and %u more\n", strings->len - most);
}

char *sfu_model_inspect(SfuModel *m)
{
    GString *s = g_string_new(NULL);
    char *tasks = use(m->family);
    g_string_append_printf(s, "%s\n  family: %s\n  for: %s\n", m->path, m->family->name, tasks);
    g_free(tasks);
    for (int p = 0; p < SFU_N_PARTS; p++) {
        if (!m->tensors[p])
            continue;
        const Numbers n = part_numbers(m->tensors[p]);
        char *types = dtypes(&n);
        g_string_append_printf(s, "  %-14s %5u tensors, %8.2f M parameters, %8.1f MB, %s\n", sfu_part_name(p),
                               g_hash_table_size(m->tensors[p]), (double)n.values * 1e-6, (double)n.bytes * 1e-6,
                               types);
        g_free(types);
    }
    if (m->tensors[SFU_PART_UNET])
        g_string_append_printf(s, "  UNet: %d to %d channels, %d levels, context %d, %s projection, %s prediction%s\n",
                               m->unet.in_channels, m->unet.out_channels, m->unet.n_blocks, m->unet.cross_attention_dim,
                               m->unet.linear_projection ? "linear" : "convolution",
                               prediction_name(m->scheduler.prediction),
                               m->scheduler.in_file ? "" : " (guessed; the file does not say)");
    if (m->tensors[SFU_PART_VAE])
        g_string_append_printf(s, "  VAE: %d latent channels, 1/%d size, scaling factor %g\n", m->vae.latent_channels,
                               1 << (m->vae.n_blocks - 1), (double)m->vae.scaling_factor);
    if (is_upscaler(m)) {
        g_string_append_printf(
            s, "  enlarges %d times%s; %d features, %d blocks%s", m->upscaler.scale,
            m->upscaler.scale_by_name
                ? " (guessed: files for 2 and for 3 times look alike; one with 3x or x3 in its name is taken for 3)"
                : "",
            m->upscaler.features, m->upscaler.blocks, m->upscaler.unshuffle > 1 ? ", pixel-unshuffled input" : "");
        if (m->family->describe)
            m->family->describe(m, s);
        g_string_append(s, m->upscaler.channels == 1 ? ", gray\n" : "\n");
    }
    if (!is_upscaler(m) && m->family->describe) {
        g_string_append_printf(s, "  %s", m->family->name);
        m->family->describe(m, s);
        g_string_append_c(s, '\n');
    }
    append_list(s, "missing", m->missing, 20);
    append_list(s, "unexpected", m->unexpected, 20);
    if (m->ignored->len)
        g_string_append_printf(s, "  known and not needed: %u tensors\n", m->ignored->len);
    return g_string_free(s, FALSE);
}
