/* Spellings of adapters' tensors, and PEFT's alphas.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/adapter_tensors.h"
#include "file/json.h"
#include <math.h>
#include <string.h>

#define MOST_CONFIG (1 << 20)

/* Kinds that are known and not applied. PEFT may put the adapter's own name behind the word. */
static const struct {
    const char *word, *kind;
} foreign[] = {{".oft_diag", "OFT of LyCORIS before 2.0"},
               {".oft_r", "OFT of PEFT before 0.16"},
               {".boft_R", "BOFT"},
               {".boft_s", "BOFT"},
               {".hra_u", "HRA"},
               {".vera_lambda_", "VeRA"},
               {".fourierft_spectrum", "FourierFT"},
               {".randlora_lambda", "RandLoRA"},
               {".lora_embedding_A", "LoRA of an embedding table"},
               {".set_weight", "a difference that replaces weights"},
               {".reshape_weight", "LoRA of a widened layer"}};

static gsize find_foreign(const char *name, const char **kind)
{
    for (gsize i = 0; i < G_N_ELEMENTS(foreign); i++) {
        const char *at = strstr(name, foreign[i].word);
        *kind = foreign[i].kind;
        if (at && at != name)
            return (gsize)(at - name);
    }
    return 0;
}

const char *sfu_adapter_foreign(const char *name)
{
    const char *kind;
    return find_foreign(name, &kind) ? kind : "";
}

/* The endings of tensors' names. */
static const struct {
    const char *end;
    SfuAdapterRole role;
} ends[] = {
    {".lora_up.weight", SFU_ROLE_UP},
    {".lora_down.weight", SFU_ROLE_DOWN},
    {".lora_mid.weight", SFU_ROLE_MID},
    {".lora.up.weight", SFU_ROLE_UP},
    {".lora.down.weight", SFU_ROLE_DOWN},
    {"_lora.up.weight", SFU_ROLE_UP},
    {"_lora.down.weight", SFU_ROLE_DOWN},
    {".lora_linear_layer.up.weight", SFU_ROLE_UP},
    {".lora_linear_layer.down.weight", SFU_ROLE_DOWN},
    {".lora_A", SFU_ROLE_DOWN},
    {".lora_B", SFU_ROLE_UP},
    {".lora_magnitude_vector", SFU_ROLE_MAGNITUDE},
    {".alpha", SFU_ROLE_ALPHA},
    {".dora_scale", SFU_ROLE_DORA},
    {".hada_w1_a", SFU_ROLE_HADA1_A},
    {".hada_w1_b", SFU_ROLE_HADA1_B},
    {".hada_w2_a", SFU_ROLE_HADA2_A},
    {".hada_w2_b", SFU_ROLE_HADA2_B},
    {".hada_t1", SFU_ROLE_T1},
    {".hada_t2", SFU_ROLE_T2},
    {".lokr_w1", SFU_ROLE_W1},
    {".lokr_w1_a", SFU_ROLE_W1_A},
    {".lokr_w1_b", SFU_ROLE_W1_B},
    {".lokr_w2", SFU_ROLE_W2},
    {".lokr_w2_a", SFU_ROLE_W2_A},
    {".lokr_w2_b", SFU_ROLE_W2_B},
    {".lokr_t2", SFU_ROLE_W2_T},
    {".diff", SFU_ROLE_DIFF},
    {".diff_b", SFU_ROLE_DIFF_B},
    {".w_norm", SFU_ROLE_NORM_W},
    {".b_norm", SFU_ROLE_NORM_B},
    {".on_input", SFU_ROLE_ON_INPUT},
    {".ia3_l", SFU_ROLE_IA3},
    {".ia3_l.weight", SFU_ROLE_IA3},
    {".a1.weight", SFU_ROLE_A1},
    {".a2.weight", SFU_ROLE_A2},
    {".b1.weight", SFU_ROLE_B1},
    {".b2.weight", SFU_ROLE_B2},
    {".oft_blocks", SFU_ROLE_BLOCKS},
    {".rescale", SFU_ROLE_RESCALE},
    {".oft_R", SFU_ROLE_SKEW},
    {".weight.0", SFU_ROLE_BYTES},
    {".weight.1", SFU_ROLE_LOW},
    {".weight.2", SFU_ROLE_HIGH},
    {".bias.0", SFU_ROLE_BYTES_B},
    {".bias.1", SFU_ROLE_LOW_B},
    {".bias.2", SFU_ROLE_HIGH_B},
    {".weight", SFU_ROLE_WEIGHT}, /* last: others end so too */
};
/* PEFT puts the adapter's own name into it: "lora_A.default.weight". */
static const struct {
    const char *word;
    SfuAdapterRole role, bias;
} named[] = {{".lora_A.", SFU_ROLE_DOWN, SFU_N_ROLES},
             {".lora_B.", SFU_ROLE_UP, SFU_ROLE_UP_BIAS},
             {".oft_R.", SFU_ROLE_SKEW, SFU_N_ROLES},
             {".lora_magnitude_vector.", SFU_ROLE_MAGNITUDE, SFU_N_ROLES}};

/* A name that ends with one of `ends`: the length of what stands before; 0: it ends with none. */
static gsize split_by_end(const char *name, SfuAdapterRole *role)
{
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
        if (g_str_has_suffix(name, ends[i].end) && strlen(name) > strlen(ends[i].end)) {
            *role = ends[i].role;
            return strlen(name) - strlen(ends[i].end);
        }
    return 0;
}

gsize sfu_adapter_split(const char *name, SfuAdapterRole *role)
{
    const char *kind;
    const gsize other = find_foreign(name, &kind);
    if (other) {
        *role = SFU_ROLE_FOREIGN;
        return other;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(named); i++) {
        const char *at = g_strrstr(name, named[i].word);
        if (!at || at == name)
            continue;
        const gboolean bias = g_str_has_suffix(at, ".bias");
        *role = bias ? named[i].bias : named[i].role;
        return bias && named[i].bias == SFU_N_ROLES ? 0 : (gsize)(at - name);
    }
    return split_by_end(name, role);
}

char *sfu_adapter_module_name(const char *name, gsize length)
{
    char *module = g_strndup(name, length), *at = strstr(module, ".processor.");
    if (at)
        memmove(at, at + strlen(".processor"), strlen(at + strlen(".processor")) + 1);
    return module;
}

/* ---- alphas ---- */

struct SfuAlphas {
    JsonNode *node;
    gboolean prefixed; /* members are called "unet.r", by the part */
};

void sfu_alphas_free(SfuAlphas *a)
{
    if (a)
        json_node_unref(a->node);
    g_free(a);
}

gboolean sfu_alphas_read(const SfuFile *f, SfuAlphas **alphas, GError **error)
{
    const char *text = sfu_file_text(f, "lora_adapter_metadata");
    JsonNode *node = NULL;
    *alphas = NULL;
    if (text) {
        node = sfu_json_parse(text, strlen(text), MOST_CONFIG, f->path, error);
    } else {
        char *folder = g_path_get_dirname(f->path), *base = g_path_get_basename(f->path),
             *path = g_build_filename(folder, "adapter_config.json", NULL), *config = NULL;
        gsize n;
        const gboolean there = g_str_has_prefix(base, "adapter_model.") && g_file_test(path, G_FILE_TEST_IS_REGULAR) &&
                               g_file_get_contents(path, &config, &n, NULL);
        if (there)
            node = sfu_json_parse(config, n, MOST_CONFIG, path, error);
        g_free(config);
        g_free(path);
        g_free(base);
        g_free(folder);
        if (!there)
            return TRUE;
    }
    if (!node)
        return FALSE;
    *alphas = g_new(SfuAlphas, 1);
    **alphas = (SfuAlphas){node, text != NULL};
    return TRUE;
}

static JsonNode *member(const SfuAlphas *a, const char *module, const char *name)
{
    const char *dot = strchr(module, '.');
    char *key = a->prefixed && dot ? g_strdup_printf("%.*s.%s", (int)(dot - module), module, name) : g_strdup(name);
    JsonNode *n = json_object_get_member(json_node_get_object(a->node), key);
    g_free(key);
    return n;
}

static double number(JsonNode *n, double fallback)
{
    const GType t = n && JSON_NODE_HOLDS_VALUE(n) ? json_node_get_value_type(n) : G_TYPE_INVALID;
    const double v = t == G_TYPE_INT64    ? (double)json_node_get_int(n)
                     : t == G_TYPE_DOUBLE ? json_node_get_double(n)
                                          : fallback;
    return isfinite(v) ? v : fallback;
}

/* The pattern's value for the module whose name ends with one of its members'. */
static double of_pattern(JsonNode *pattern, const char *module, double fallback)
{
    JsonObjectIter it;
    const char *end;
    JsonNode *n;
    if (!pattern || !JSON_NODE_HOLDS_OBJECT(pattern))
        return fallback;
    json_object_iter_init(&it, json_node_get_object(pattern));
    while (json_object_iter_next(&it, &end, &n))
        if (g_str_has_suffix(module, end))
            return number(n, fallback);
    return fallback;
}

double sfu_alphas_of(const SfuAlphas *a, const char *module, gint64 rank)
{
    JsonNode *rs = member(a, module, "use_rslora");
    const gboolean root =
        rs && JSON_NODE_HOLDS_VALUE(rs) && json_node_get_value_type(rs) == G_TYPE_BOOLEAN && json_node_get_boolean(rs);
    const double own = number(member(a, module, "alpha"), (double)rank), /* of LoHa and LoKr */
        alpha = of_pattern(member(a, module, "alpha_pattern"), module, number(member(a, module, "lora_alpha"), own));
    return root ? alpha * sqrt((double)rank) : alpha;
}

double sfu_alphas_setting(const SfuAlphas *a, const char *module, const char *name, double fallback)
{
    JsonNode *n = a ? member(a, module, name) : NULL;
    if (n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_BOOLEAN)
        return json_node_get_boolean(n);
    return number(n, fallback);
}

gint64 sfu_alphas_rank(const SfuAlphas *a, const char *module)
{
    return (gint64)CLAMP(of_pattern(member(a, module, "rank_pattern"), module, number(member(a, module, "r"), 0)), 0,
                         G_MAXINT32);
}
