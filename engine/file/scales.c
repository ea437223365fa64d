/* Scales of fp8 and int8 tensors. A file of scaled numbers read without their scales gives pictures of noise, so what
 * is not understood here is refused by its name. Spellings: ComfyUI's old one (a tensor `scaled_fp8`; `X.scale_weight`,
 * `X.scale_input`), its new one (`X.weight_scale`, `X.input_scale`, and the format as JSON in a tensor `X.comfy_quant`
 * or for all layers in the metadata's `_quantization_metadata`). Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/file.h"
#include "file/json.h"
#include <string.h>
#include <inttypes.h>
#include <glib/gi18n-lib.h>

#define MAX_JSON (16 << 20)

typedef struct {
    const char *path;
    GPtrArray *tensors, *scales;
    GHashTable *by_name; /* of tensors, borrowed */
    GHashTable *gone;    /* SfuFileTensor*: to be moved to scales */
    GError **error;
} Attach;

static SfuFileTensor *sibling(const Attach *a, const char *layer, gsize n, const char *name)
{
    char *full = g_strdup_printf("%.*s%s", (int)n, layer, name);
    SfuFileTensor *t = g_hash_table_lookup(a->by_name, full);
    g_free(full);
    return t;
}

/* ---- what is not read ---- */

static gboolean check_foreign(const Attach *a, const SfuFileTensor *t)
{
    static const struct {
        const char *part, *what;
    } kinds[] = {
        {".quant_state.bitsandbytes__", "by bitsandbytes to 4 bits (nf4 or fp4)"},
        {".absmax", "by bitsandbytes"},
        {".SCB", "by bitsandbytes to int8"},
        {".weight_scale_2", "to nvfp4"},
        {".weight_scale_inv", "to fp8 with a scale per block"},
        {".weight._scale", "by quanto"},
        {".weight_packed", "by compressed-tensors"},
        {".qzeros", "by GPTQ or AWQ"},
        {".qweight", "by SVDQuant (Nunchaku), GPTQ or AWQ"},
        {".svd_up", "by SDNQ"},
        {".zero_point", "with zero points (SDNQ or another)"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const char *at = strstr(t->name, kinds[i].part);
        if (at && (at[strlen(kinds[i].part)] == '\0' || i == 0))
            return sfu_file_refuse(a->error, a->path, _("'%.*s' is quantized %s, which Sfumato does not read"),
                                   (int)(at - t->name), t->name, kinds[i].what);
    }
    return TRUE;
}

static gboolean is_fp8(SfuDtype t)
{
    return t == SFU_F8_E4M3 || t == SFU_F8_E5M2;
}

static gboolean is_whole(SfuDtype t)
{
    return t == SFU_I8 || t == SFU_U8 || t == SFU_I16 || t == SFU_I32 || t == SFU_I64 || t == SFU_BOOL;
}

/* A matrix that is still of whole numbers, or of fp8 beside something that looks like its scales, would be taken for
 * what it is not. */
static gboolean check_left(const Attach *a, const SfuFileTensor *t)
{
    static const char *const scales[] = {".scale", ".scales", ".weight.scale", ".weight.scales", ".weight_scales"};
    if (t->n_dims < 1 || !g_str_has_suffix(t->name, ".weight"))
        return TRUE;
    if (is_whole(t->dtype) && t->n_dims >= 2 && !t->scale)
        return sfu_file_refuse(
            a->error, a->path,
            _("'%s' is quantized to %s in a way that Sfumato does not know (it finds no scale for it)"), t->name,
            sfu_dtype_name(t->dtype));
    for (gsize i = 0; is_fp8(t->dtype) && !t->scale && i < G_N_ELEMENTS(scales); i++)
        if (sibling(a, t->name, strlen(t->name) - strlen(".weight"), scales[i]))
            return sfu_file_refuse(a->error, a->path,
                                   _("'%s' is fp8 with scales of a kind that Sfumato does not know ('%s')"), t->name,
                                   scales[i]);
    return TRUE;
}

/* ---- what is ---- */

static gboolean attach_scale(Attach *a, SfuFileTensor *scale, SfuFileTensor *weight)
{
    gint64 most = 0; /* a scale per row may be [n], [n, 1], [n, 1, 1, 1] */
    for (int i = 0; i < scale->n_dims; i++)
        most = MAX(most, scale->dims[i]);
    const gboolean one = scale->n_elements == 1,
                   each = weight->n_dims > 0 && scale->n_elements == weight->dims[0] && most == scale->n_elements;
    if (scale->dtype != SFU_F32 && scale->dtype != SFU_F16 && scale->dtype != SFU_BF16)
        return sfu_file_refuse(a->error, a->path,
                               _("'%s' has scales of type %s (mxfp8 or another), which Sfumato does not read"),
                               weight->name, sfu_dtype_name(scale->dtype));
    if (!one && !each)
        return sfu_file_refuse(
            a->error, a->path,
            _("'%s' has %" PRId64 " scales (one per block), where Sfumato reads one, or one per row"), weight->name,
            scale->n_elements);
    if (weight->scale)
        return sfu_file_fail(a->error, a->path, _("'%s' has two scales"), weight->name);
    if (sfu_dtype_block(weight->dtype) > 1 || (is_whole(weight->dtype) && weight->dtype != SFU_I8))
        return sfu_file_refuse(a->error, a->path,
                               _("'%s' is of type %s and also has a scale, which Sfumato does not read"), weight->name,
                               sfu_dtype_name(weight->dtype));
    weight->scale = scale;
    g_hash_table_add(a->gone, scale);
    return TRUE;
}

/* Takes what belongs to the quantization of another tensor out of the list. */
static gboolean attach_by_name(Attach *a, SfuFileTensor *t)
{
    static const char *const scales[] = {".scale_weight", ".weight_scale"};
    static const char *const unused[] = {".scale_input", ".input_scale",
                                         ".comfy_quant"}; /* activations are not quantized as the file says */
    if (strcmp(t->name, "scaled_fp8") == 0 || g_str_has_suffix(t->name, ".scaled_fp8"))
        g_hash_table_add(a->gone, t);
    for (gsize i = 0; i < G_N_ELEMENTS(scales); i++)
        if (g_str_has_suffix(t->name, scales[i])) {
            SfuFileTensor *weight = sibling(a, t->name, strlen(t->name) - strlen(scales[i]), ".weight");
            return !weight || attach_scale(a, t, weight);
        }
    for (gsize i = 0; i < G_N_ELEMENTS(unused); i++)
        if (g_str_has_suffix(t->name, unused[i]) && sibling(a, t->name, strlen(t->name) - strlen(unused[i]), ".weight"))
            g_hash_table_add(a->gone, t);
    return TRUE;
}

static gboolean power_of_4(gint64 n)
{
    while (n > 1 && n % 4 == 0)
        n /= 4;
    return n == 1;
}

static gboolean attach_rotation(Attach *a, JsonObject *o, SfuFileTensor *weight)
{
    JsonNode *on = json_object_get_member(o, "convrot"), *size = json_object_get_member(o, "convrot_groupsize");
    if (!on || !JSON_NODE_HOLDS_VALUE(on) || !json_node_get_boolean(on))
        return TRUE;
    const gint64 n = size && JSON_NODE_HOLDS_VALUE(size) && json_node_get_value_type(size) == G_TYPE_INT64
                         ? json_node_get_int(size)
                         : 256;
    if (n < 4 || n > SFU_MOST_ROTATION || !power_of_4(n) || weight->n_dims != 2 || weight->dims[1] % n)
        return sfu_file_refuse(a->error, a->path,
                               _("'%s' is rotated (ConvRot) in groups of %" PRId64 ", which Sfumato does not read"),
                               weight->name, n);
    weight->rotation = (int)n;
    return TRUE;
}

/* `layer`: the name without ".weight". */
static gboolean attach_format(Attach *a, const char *layer, gsize n, JsonNode *node)
{
    static const struct {
        const char *name;
        SfuDtype dtype;
    } formats[] = {{"float8_e4m3fn", SFU_F8_E4M3}, {"float8_e5m2", SFU_F8_E5M2}, {"int8_tensorwise", SFU_I8}};
    SfuFileTensor *weight = sibling(a, layer, n, ".weight");
    if (!weight) /* metadata may speak of layers that lie in another file */
        return TRUE;
    JsonNode *v = JSON_NODE_HOLDS_OBJECT(node) ? json_object_get_member(json_node_get_object(node), "format") : NULL;
    const char *format =
        v && JSON_NODE_HOLDS_VALUE(v) && json_node_get_value_type(v) == G_TYPE_STRING ? json_node_get_string(v) : "?";
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
        if (strcmp(format, formats[i].name) == 0 && weight->dtype == formats[i].dtype)
            return attach_rotation(a, json_node_get_object(node), weight);
    return sfu_file_refuse(a->error, a->path, _("'%s' (%s) is quantized as '%s', which Sfumato does not read"),
                           weight->name, sfu_dtype_name(weight->dtype), SFU_TEXT_HEAD(format));
}

static gboolean attach_formats(Attach *a, GHashTable *metadata)
{
    static const char suffix[] = ".comfy_quant";
    const SfuFileValue *v = metadata ? g_hash_table_lookup(metadata, "_quantization_metadata") : NULL;
    JsonNode *root = NULL;
    if (v && v->text) {
        if (!(root = sfu_json_parse(v->text, strlen(v->text), MAX_JSON, a->path, a->error)))
            return FALSE;
        JsonNode *layers = json_object_get_member(json_node_get_object(root), "layers"), *format;
        gboolean ok = layers && JSON_NODE_HOLDS_OBJECT(layers);
        JsonObjectIter it;
        const char *layer;
        if (!ok)
            sfu_file_fail(a->error, a->path, _("its quantization metadata names no layers"));
        else
            json_object_iter_init(&it, json_node_get_object(layers));
        while (ok && json_object_iter_next(&it, &layer, &format))
            ok = attach_format(a, layer, strlen(layer), format);
        json_node_unref(root);
        if (!ok)
            return FALSE;
    }
    for (guint i = 0; i < a->tensors->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(a->tensors, i);
        if (!g_str_has_suffix(t->name, suffix) || t->dtype != SFU_U8)
            continue;
        if (!(root = sfu_json_parse((const char *)t->data, (gsize)t->n_elements, 65536, a->path, a->error)))
            return FALSE;
        const gboolean ok = attach_format(a, t->name, strlen(t->name) - strlen(suffix), root);
        json_node_unref(root);
        if (!ok)
            return FALSE;
    }
    return TRUE;
}

static void move_gone(Attach *a)
{
    guint kept = 0;
    for (guint i = 0; i < a->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(a->tensors, i);
        if (g_hash_table_contains(a->gone, t))
            g_ptr_array_add(a->scales, t);
        else
            a->tensors->pdata[kept++] = t;
    }
    for (guint i = kept; i < a->tensors->len; i++)
        a->tensors->pdata[i] = NULL; /* moved: not to be freed */
    g_ptr_array_set_size(a->tensors, (int)kept);
}

gboolean sfu_scales_attach(GPtrArray *tensors, GPtrArray *scales, GHashTable *metadata, const char *path,
                           GError **error)
{
    Attach a = {.path = path,
                .tensors = tensors,
                .scales = scales,
                .error = error,
                .by_name = g_hash_table_new(g_str_hash, g_str_equal),
                .gone = g_hash_table_new(NULL, NULL)};
    gboolean ok = TRUE;
    for (guint i = 0; i < tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(tensors, i);
        g_hash_table_insert(a.by_name, t->name, t);
    }
    for (guint i = 0; ok && i < tensors->len; i++)
        ok = check_foreign(&a, g_ptr_array_index(tensors, i));
    ok = ok && attach_formats(&a, metadata);
    for (guint i = 0; ok && i < tensors->len; i++)
        ok = attach_by_name(&a, g_ptr_array_index(tensors, i));
    for (guint i = 0; ok && i < tensors->len; i++)
        ok = check_left(&a, g_ptr_array_index(tensors, i));
    if (ok)
        move_gone(&a);
    g_hash_table_unref(a.by_name);
    g_hash_table_unref(a.gone);
    return ok;
}
