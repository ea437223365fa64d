/* Networks that steer the Stable Diffusions by a picture: ControlNets in all their layouts, T2I-Adapters.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/control_layouts.h"
#include "family/measure.h"
#include "family/registry.h"
#include "family/sd.h"
#include "file/json.h"
#include "model/model_struct.h"
#include "model/canonical_names.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define ORIGINAL "control_model."
#define N_HINTS 8 /* convolutions of the original's input_hint_block, every second entry */

/* ---- ControlNets: names ---- */

static gboolean is_diffusers(const SfuSource *s)
{
    return sfu_source_find(s, "controlnet_cond_embedding.conv_in.weight") != NULL;
}

/* Stability's rank-reduced files: what is not in them is the UNet's, and "X.up", "X.down" are added to that. */
static gboolean is_lora(const SfuSource *s)
{
    return sfu_source_find(s, "lora_controlnet") != NULL;
}

static gboolean recognize(const SfuSource *s)
{
    return is_diffusers(s) || is_lora(s) || sfu_source_find(s, ORIGINAL "zero_convs.0.0.weight") ||
           sfu_source_find(s, "zero_convs.0.0.weight");
}

/* The original's name behind its prefix. */
static char *from_original(const char *name)
{
    int i, used = 0;
    SfuPart part;
    if (sscanf(name, "zero_convs.%3d.0.%n", &i, &used) == 1 && used)
        return g_strdup_printf("controlnet_down_blocks.%d.%s", i, name + used);
    if (g_str_has_prefix(name, "middle_block_out.0."))
        return g_strconcat("controlnet_mid_block.", name + strlen("middle_block_out.0."), NULL);
    used = 0;
    if (sscanf(name, "input_hint_block.%3d.%n", &i, &used) == 1 && used && i % 2 == 0 && i < 2 * N_HINTS) {
        const char *rest = name + used;
        return i == 0                 ? g_strconcat("controlnet_cond_embedding.conv_in.", rest, NULL)
               : i / 2 == N_HINTS - 1 ? g_strconcat("controlnet_cond_embedding.conv_out.", rest, NULL)
                                      : g_strdup_printf("controlnet_cond_embedding.blocks.%d.%s", i / 2 - 1, rest);
    }
    char *whole = g_strconcat("model.diffusion_model.", name, NULL);
    char *canonical = sfu_name_from_checkpoint(whole, 0, 2, &part);
    g_free(whole);
    return canonical;
}

/* "X.up" as "<canonical X.weight>.up". */
static char *from_rank(const char *name)
{
    static const char *const ends[] = {".up", ".down"};
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
        if (g_str_has_suffix(name, ends[i])) {
            char *module = g_strndup(name, strlen(name) - strlen(ends[i])),
                 *weight = g_strconcat(module, ".weight", NULL);
            char *canonical = from_original(weight), *out = canonical ? g_strconcat(canonical, ends[i], NULL) : NULL;
            g_free(module);
            g_free(weight);
            g_free(canonical);
            return out;
        }
    return NULL;
}

static char *canonical(const SfuSource *s, const char *name, SfuPart *part)
{
    *part = SFU_PART_CONTROL;
    if (is_diffusers(s))
        return g_strdup(name);
    const char *inner = g_str_has_prefix(name, ORIGINAL) ? name + strlen(ORIGINAL) : name;
    char *rank = from_rank(inner);
    return rank ? rank : from_original(inner);
}

/* Whole checkpoints hold the model, too, that the ControlNet was trained beside. */
static gboolean ignores(const char *name)
{
    static const char *const heads[] = {"model.diffusion_model.", "first_stage_model.", "cond_stage_model.",
                                        "lora_controlnet",        "difference",         "control_scales"};
    for (gsize i = 0; i < G_N_ELEMENTS(heads); i++)
        if (g_str_has_prefix(name, heads[i]))
            return TRUE;
    return sfu_name_is_ignorable(name);
}

static gboolean open_control(SfuModel *m, const SfuSource *s, GError **error)
{
    if (sfu_source_has_prefix(s, "control_to_base_for_conv_in.") || sfu_source_has_prefix(s, "up_connections.")) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s is a ControlNet-XS, which Sfumato does not "
                      "run"),
                    m->path);
        return FALSE;
    }
    m->control.lora = is_lora(s);
    m->control.difference = sfu_source_find(s, "difference") != NULL;
    return sfu_family_take(m, m->family, s, error);
}

/* ---- ControlNets: configuration ---- */

static gboolean claims(const SfuModel *m)
{
    return sfu_model_has_part(m, SFU_PART_CONTROL);
}

static void read_pooling(JsonNode *config, gboolean *pools)
{
    JsonNode *n = config ? json_object_get_member(json_node_get_object(config), "global_pool_conditions") : NULL;
    if (n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_BOOLEAN)
        *pools = json_node_get_boolean(n);
}

/* "shuffle" pools, which no tensor tells: a configuration does, or the name. diffusers' files are all called alike, so
 * that of their folder counts, and the configuration in it. */
static gboolean pools(const SfuModel *m)
{
    char *base = g_path_get_basename(m->path), *folder = g_path_get_dirname(m->path),
         *last = g_path_get_basename(folder), *path = g_build_filename(folder, "config.json", NULL), *text = NULL;
    const gboolean nameless = g_str_has_prefix(base, "diffusion_pytorch_model");
    char *name = g_ascii_strdown(nameless ? last : base, -1);
    gboolean yes = strstr(name, "shuffle") != NULL;
    gsize n;
    read_pooling(m->config[SFU_PART_CONTROL], &yes);
    if (nameless && g_file_test(path, G_FILE_TEST_IS_REGULAR) && g_file_get_contents(path, &text, &n, NULL)) {
        JsonNode *config = sfu_json_parse(text, n, 1 << 20, path, NULL);
        read_pooling(config, &yes);
        g_clear_pointer(&config, json_node_unref);
    }
    char *const all[] = {base, folder, last, path, text, name};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
        g_free(all[i]);
    return yes;
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuControlConfig *c = &m->control;
    if (c->lora)
        return sfu_model_configure_scheduler(m, error);
    c->pools = pools(m);
    const SfuFileTensor *types = sfu_model_tensor(m, SFU_PART_CONTROL, "task_embedding");
    c->n_types = sfu_tensor_dim(types, 0);
    if (!c->n_types && sfu_model_has_module(m, SFU_PART_CONTROL, "control_add_embedding."))
        return sfu_family_refuse(m, error,
                                 _("it is a union without task_embedding, which tells its kinds of pictures apart"));
    if (c->n_types > 64) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, _("%s knows %d kinds of pictures, which cannot be"),
                    m->path, c->n_types);
        return FALSE;
    }
    return sfu_model_configure_scheduler(m, error) && sfu_model_configure_control(m, error);
}

static void expect(SfuModel *m)
{
    if (!m->control.lora) /* which is whole only over a UNet */
        sfu_control_net_expect(m);
}

static void describe(const SfuModel *m, GString *text)
{
    const SfuControlConfig *c = &m->control;
    if (m->tensors[SFU_PART_ADAPTER])
        g_string_append_printf(text, ", %s, for %s, %s pictures", c->light ? "light" : "full",
                               c->unshuffle == 16 ? "Stable Diffusion XL" : "Stable Diffusion 1.x and 2.x",
                               c->picture_channels == 1 ? "gray" : "color");
    else if (c->lora)
        g_string_append(text, ", rank-reduced (control-LoRA)");
    else
        g_string_append_printf(text, ", for %s", sfu_sd_kin(m->unet.cross_attention_dim, m->unet.added_width > 0));
    if (c->n_types)
        g_string_append_printf(text, ", union of %d kinds", c->n_types);
    if (c->difference)
        g_string_append(text, ", difference to its model");
    if (c->pools)
        g_string_append(text, ", the same all over the picture");
}

gboolean sfu_control_fits(const SfuModel *control, const SfuModel *m, GError **error)
{
    const SfuUnetConfig *a = &control->unet, *b = &m->unet;
    const SfuControlConfig *c = &control->control;
    if (control->family->steers)
        return control->family->steers(control, m, error);
    const char *path = control->path, *kin = sfu_sd_kin(b->cross_attention_dim, b->added_width > 0);
    if (!m->tensors[SFU_PART_UNET]) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s steers a UNet of Stable Diffusion; %s (%s) has none"), path, m->path, m->family->name);
        return FALSE;
    }
    if (c->lora)
        return TRUE; /* the shapes tell, when it is laid over the UNet */
    if (control->tensors[SFU_PART_ADAPTER]) {
        gboolean same = (c->unshuffle == 16) == (b->n_blocks == 3);
        for (int i = 0; same && i < MIN(c->n_levels, b->n_blocks); i++)
            same = c->widths[i] == b->block_out_channels[i];
        if (!same)
            g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                        _("%s is a T2I-Adapter for another UNet than that of %s (%s)"), path, m->path, kin);
        return same;
    }
    gboolean same = a->n_blocks == b->n_blocks && a->layers_per_block == b->layers_per_block &&
                    a->added_width == b->added_width &&
                    (!a->cross_attention_dim || a->cross_attention_dim == b->cross_attention_dim); /* 0: no attention */
    for (int i = 0; same && i < b->n_blocks; i++)
        same = a->block_out_channels[i] == b->block_out_channels[i];
    if (!same)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s is a ControlNet for %s (context width %d); %s is %s (context width %d)"), path,
                    sfu_sd_kin(a->cross_attention_dim, a->added_width > 0), a->cross_attention_dim, m->path, kin,
                    b->cross_attention_dim);
    return same;
}

/* ---- files that are whole only over a UNet ---- */

gboolean sfu_control_is_partial(const SfuModel *control)
{
    return control->control.lora || control->control.difference;
}

static gboolean add_product(float *v, SfuModel *f, const char *name, gint64 rows, gint64 n, GError **error)
{
    char *up_name = g_strconcat(name, ".up", NULL), *down_name = g_strconcat(name, ".down", NULL);
    SfuWeight *up = sfu_model_find(f, SFU_PART_CONTROL, up_name),
              *down = sfu_model_find(f, SFU_PART_CONTROL, down_name);
    const gint64 rank = down ? sfu_weight_dim(down, 0) : 0, width = n / rows;
    const gboolean ok =
        up && down && rank > 0 && sfu_weight_elements(up) == rows * rank && sfu_weight_elements(down) == rank * width;
    if (!ok)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s does not fit the UNet: '%s' is for another shape than %" PRId64 " x %" PRId64), f->path, name,
                    rows, width);
    float *a = ok ? g_new(float, rows *rank) : NULL, *b = ok ? g_new(float, rank *width) : NULL;
    if (ok) {
        sfu_weight_read_f32(up, 0, rows * rank, a);
        sfu_weight_read_f32(down, 0, rank * width, b);
    }
    for (gint64 r = 0; ok && r < rows; r++)
        for (gint64 k = 0; k < rank; k++) {
            const float s = a[r * rank + k];
            for (gint64 i = 0; i < width; i++)
                v[r * width + i] += s * b[k * width + i];
        }
    g_free(a);
    g_free(b);
    g_free(up_name);
    g_free(down_name);
    return ok;
}

/* The UNet's tensor t, changed by the file's, as a weight of m. It is the value in the UNet's file: the weight may
 * carry an adapter of this run or of one before. */
static gboolean add_changed(SfuModel *m, SfuModel *f, const char *name, SfuFileTensor *t, GError **error)
{
    SfuWeight *own = sfu_model_find(f, SFU_PART_CONTROL, name);
    const gint64 n = t->n_elements;
    const gboolean ranked = sfu_model_tensor(f, SFU_PART_CONTROL, "%s.up", name) ||
                            sfu_model_tensor(f, SFU_PART_CONTROL, "%s.down", name),
                   difference = f->control.difference && own;
    if (!ranked && !difference)
        return sfu_model_add_tensor(m, SFU_PART_CONTROL, g_strdup(name), t, error);
    float *v = g_new(float, n), *more = NULL;
    gboolean ok = TRUE;
    SfuWeight *w = sfu_file_tensor_weight(t, name);
    sfu_weight_read_f32(w, 0, n, v);
    if (ranked)
        ok = add_product(v, f, name, sfu_weight_dim(w, 0), n, error);
    sfu_weight_destroy(w);
    if (ok && difference && sfu_weight_elements(own) != n) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s does not fit the UNet: '%s' has %" PRId64 " values, and %" PRId64 " there"), f->path, name,
                    sfu_weight_elements(own), n);
        ok = FALSE;
    }
    if (ok && difference) {
        more = g_new(float, n);
        sfu_weight_read_f32(own, 0, n, more);
        for (gint64 i = 0; i < n; i++)
            v[i] += more[i];
    }
    g_free(more);
    if (ok && (ok = sfu_model_add_tensor(m, SFU_PART_CONTROL, g_strdup(name), t, error)))
        g_hash_table_insert(
            m->weights[SFU_PART_CONTROL], g_strdup(name),
            sfu_weight_new_take(name, SFU_F32, t->n_dims, t->dims, g_steal_pointer(&v), sizeof(float) * (gsize)n));
    g_free(v);
    return ok;
}

/* What a ControlNet has of a UNet. */
static gboolean is_shared(const char *name)
{
    static const char *const heads[] = {"conv_in.",         "time_embedding.", "add_embedding.",
                                        "class_embedding.", "down_blocks.",    "mid_block."};
    for (gsize i = 0; i < G_N_ELEMENTS(heads); i++)
        if (g_str_has_prefix(name, heads[i]))
            return TRUE;
    return FALSE;
}

SfuModel *sfu_control_over(SfuModel *f, SfuModel *base, GError **error)
{
    SfuModel *m = sfu_model_new(f->path);
    GHashTableIter it;
    gpointer name, t;
    gboolean ok = TRUE;
    m->family = f->family;
    g_hash_table_iter_init(&it, base->tensors[SFU_PART_UNET]);
    while (ok && g_hash_table_iter_next(&it, &name, &t))
        if (is_shared(name) && (f->control.difference || !g_hash_table_contains(f->tensors[SFU_PART_CONTROL], name)))
            ok = add_changed(m, f, name, t, error);
    g_hash_table_iter_init(&it, f->tensors[SFU_PART_CONTROL]);
    while (ok && g_hash_table_iter_next(&it, &name, &t))
        if (!g_str_has_suffix(name, ".up") && !g_str_has_suffix(name, ".down") &&
            !(m->tensors[SFU_PART_CONTROL] && g_hash_table_contains(m->tensors[SFU_PART_CONTROL], name)))
            ok = sfu_model_add_tensor(m, SFU_PART_CONTROL, g_strdup(name), t, error);
    m->unet = base->unet;
    m->unet.in_channels = sfu_tensor_dim(sfu_model_tensor(m, SFU_PART_CONTROL, "conv_in.weight"), 1);
    m->control = f->control;
    if (ok)
        return m;
    sfu_model_close(m);
    return NULL;
}

/* ---- Fooocus' inpainting head ---- */

static gboolean recognize_head(const SfuSource *s)
{
    const SfuFileTensor *t = sfu_source_find(s, "head");
    return t && t->n_dims == 4 && t->dims[2] == 3 && t->dims[3] == 3 && s->file->tensors->len == 1;
}

static char *canonical_head(const SfuSource *s, const char *name, SfuPart *part)
{
    *part = SFU_PART_CONTROL;
    return g_strdup(name);
}

static gboolean configure_head(SfuModel *m, GError **error)
{
    return sfu_model_configure_scheduler(m, error);
}

static gboolean head_steers(const SfuModel *m, const SfuModel *other, GError **error)
{
    const SfuFileTensor *t = sfu_model_tensor(m, SFU_PART_CONTROL, "head");
    const SfuUnetConfig *k = &other->unet;
    if (other->tensors[SFU_PART_UNET] && k->added_width && sfu_tensor_dim(t, 0) == k->block_out_channels[0] &&
        k->in_channels == k->out_channels && sfu_tensor_dim(t, 1) == k->in_channels + 1)
        return TRUE;
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                _("%s is an inpainting head for ordinary models of Stable Diffusion XL; %s is of the family %s"),
                m->path, other->path, other->family->name);
    return FALSE;
}

/* ---- T2I-Adapters ---- */

/* All behind "adapter." in diffusers' files and in some of the first ones. */
static const SfuFileTensor *adapter_tensor(const SfuSource *s, const char *name)
{
    const SfuFileTensor *t = sfu_source_find(s, "%s", name);
    return t ? t : sfu_source_find(s, "adapter.%s", name);
}

static gboolean adapter_is_light(const SfuSource *s)
{
    return adapter_tensor(s, "body.0.out_conv.weight") != NULL;
}

static gboolean recognize_adapter(const SfuSource *s)
{
    return adapter_tensor(s, "body.0.resnets.0.block1.weight") || adapter_tensor(s, "body.0.body.0.block1.weight") ||
           (adapter_tensor(s, "conv_in.weight") && adapter_tensor(s, "body.0.block1.weight") &&
            adapter_tensor(s, "body.0.block2.weight"));
}

static char *canonical_adapter(const SfuSource *s, const char *name, SfuPart *part)
{
    const char *in = g_str_has_prefix(name, "adapter.") ? name + strlen("adapter.") : name;
    int i, j, used = 0;
    *part = SFU_PART_ADAPTER;
    if (sscanf(in, "body.%3d.body.%3d.%n", &i, &j, &used) == 2 && used) /* light, the original's */
        return g_strdup_printf("adapter.body.%d.resnets.%d.%s", i, j, in + used);
    used = 0;
    if (adapter_is_light(s) || strstr(in, ".resnets.") || adapter_tensor(s, "body.0.resnets.0.block1.weight") ||
        sscanf(in, "body.%3d.%n", &i, &used) != 1 || !used)
        return g_strconcat("adapter.", in, NULL);
    const char *rest = in + used; /* full, the original's: two blocks a level, one after the other */
    return g_str_has_prefix(rest, "in_conv.") ? g_strdup_printf("adapter.body.%d.%s", i / 2, rest)
                                              : g_strdup_printf("adapter.body.%d.resnets.%d.%s", i / 2, i % 2, rest);
}

/* Its authors' code also makes these; no published file has them. */
static gboolean open_adapter(SfuModel *m, const SfuSource *s, GError **error)
{
    static const char *const more[] = {"down_opt.", "skep."};
    for (guint i = 0; i < s->file->tensors->len; i++)
        for (gsize k = 0; k < G_N_ELEMENTS(more); k++)
            if (strstr(((SfuFileTensor *)g_ptr_array_index(s->file->tensors, i))->name, more[k])) {
                g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                            _("%s is a T2I-Adapter of a form that Sfumato does not run (its blocks have '%s')"),
                            m->path, more[k]);
                return FALSE;
            }
    return sfu_family_take(m, m->family, s, error);
}

static gboolean configure_adapter(SfuModel *m, GError **error)
{
    SfuControlConfig *c = &m->control;
    const SfuPart P = SFU_PART_ADAPTER;
    c->light = sfu_model_tensor(m, P, "adapter.body.0.out_conv.weight") != NULL;
    const int n_in = sfu_tensor_dim(
        sfu_model_tensor(m, P, c->light ? "adapter.body.0.in_conv.weight" : "adapter.conv_in.weight"), 1);
    c->unshuffle = n_in == 256 || n_in == 768 ? 16 : 8;
    c->picture_channels = n_in / (c->unshuffle * c->unshuffle);
    c->n_levels = sfu_model_count(m, P, "adapter.body.", SFU_MAX_BLOCKS + 1);
    if ((c->picture_channels != 1 && c->picture_channels != 3) || n_in % 64 || c->n_levels < 1 ||
        c->n_levels > SFU_MAX_BLOCKS) {
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s is a T2I-Adapter of a form that Sfumato does not know (%d inputs, %d levels)"), m->path, n_in,
                    c->n_levels);
        return FALSE;
    }
    for (int i = 0; i < c->n_levels; i++)
        c->widths[i] = sfu_tensor_dim(
            sfu_model_tensor(
                m, P, c->light ? "adapter.body.%d.out_conv.weight" : "adapter.body.%d.resnets.0.block1.weight", i),
            0);
    return sfu_model_configure_scheduler(m, error);
}

static gboolean claims_adapter(const SfuModel *m)
{
    return sfu_model_has_part(m, SFU_PART_ADAPTER);
}

const SfuFamily sfu_family_control = {.id = "controlnet",
                                      .name = "ControlNet",
                                      .part = "control",
                                      .use = "steering a model by a picture",
                                      .recognize = recognize,
                                      .canonical = canonical,
                                      .ignores = ignores,
                                      .open = open_control,
                                      .claims = claims,
                                      .configure = configure,
                                      .expect = expect,
                                      .control = sfu_control_net,
                                      .describe = describe};
const SfuFamily sfu_family_t2i = {.id = "t2i-adapter",
                                  .name = "T2I-Adapter",
                                  .part = "control",
                                  .use = "steering a model by a picture",
                                  .recognize = recognize_adapter,
                                  .canonical = canonical_adapter,
                                  .ignores = sfu_name_is_ignorable,
                                  .open = open_adapter,
                                  .claims = claims_adapter,
                                  .configure = configure_adapter,
                                  .expect = sfu_control_adapter_expect,
                                  .control = sfu_control_adapter,
                                  .describe = describe};
const SfuFamily sfu_family_inpaint_head = {.id = "inpaint-head",
                                           .name = "Fooocus inpainting head",
                                           .part = "control",
                                           .use = "filling holes with an ordinary model",
                                           .recognize = recognize_head,
                                           .canonical = canonical_head,
                                           .ignores = sfu_name_is_ignorable,
                                           .configure = configure_head,
                                           .expect = sfu_inpaint_head_expect,
                                           .control = sfu_inpaint_head,
                                           .steers = head_steers};
