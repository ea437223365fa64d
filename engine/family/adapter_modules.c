/* Adapters on models. A module's name is what stands before ".lora_up.weight"; programs put words before it for the
 * part, and many write '_' for every '.'. So names are compared with '_' for '.', behind those words.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/adapter_modules.h"
#include "model/model_struct.h"
#include <string.h>
#include <glib/gi18n-lib.h>

/* Shares of modules beyond which the adapter is for another model: of those of another shape, or, if it says that it is
 * for another family, of those without a place; and of those without a place in any case. */
#define MOST_MISFITS 0.1
#define MOST_UNKNOWN 0.9

#define XL "Stable Diffusion XL"
#define SD1_OR_2 "Stable Diffusion 1.x or 2.x"

/* ---- names of a model's modules ---- */

typedef struct {
    SfuPart part;
    const char *module; /* borrowed from the table's `modules` */
    gint64 to_row, from_row, n_rows;
} Target;

struct SfuAliases {
    GHashTable *targets; /* "<part> name" -> GArray of Target */
    GPtrArray *modules;  /* char* */
    SfuPart part;        /* of the module whose names are added */
    gboolean lone_text2; /* the one text encoder is what elsewhere is the second */
};

/* Caller frees. */
static char *squashed(const char *name)
{
    return g_strdelimit(g_strdup(name), ".", '_');
}

static char *key_of(SfuPart part, const char *name)
{
    char *flat = squashed(name), *key = g_strdup_printf("%d %s", (int)part, flat);
    g_free(flat);
    return key;
}

void sfu_aliases_add(SfuAliases *a, const char *name, gint64 to_row, gint64 from_row, gint64 n_rows)
{
    char *key = key_of(a->part, name);
    const Target t = {a->part, g_ptr_array_index(a->modules, a->modules->len - 1), to_row, from_row, n_rows};
    GArray *all = g_hash_table_lookup(a->targets, key);
    if (!all) {
        all = g_array_new(FALSE, FALSE, sizeof(Target));
        g_hash_table_insert(a->targets, g_strdup(key), all);
    }
    g_array_append_val(all, t);
    g_free(key);
}

static void aliases_free(SfuAliases *a)
{
    g_hash_table_unref(a->targets);
    g_ptr_array_unref(a->modules);
    g_free(a);
}

static void add_module(SfuAliases *a, const SfuAdapterBase *base, SfuPart part, const char *tensor)
{
    const SfuFamily *family = base->model->family;
    if (!g_str_has_suffix(tensor, ".weight"))
        return;
    char *module = g_strndup(tensor, strlen(tensor) - strlen(".weight"));
    g_ptr_array_add(a->modules, module);
    a->part = part;
    sfu_aliases_add(a, module, 0, 0, 0);
    if (family->aliases)
        family->aliases(base->parts[part], part, module, a);
}

static SfuAliases *aliases_of(const SfuAdapterBase *base)
{
    SfuAliases *a = g_new(SfuAliases, 1);
    *a = (SfuAliases){.targets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref),
                      .modules = g_ptr_array_new_with_free_func(g_free)};
    for (int p = 0; p < SFU_N_PARTS; p++) {
        GHashTable *tensors = base->parts[p] ? base->parts[p]->tensors[p] : NULL;
        GHashTableIter it;
        gpointer name;
        if (tensors)
            g_hash_table_iter_init(&it, tensors);
        while (tensors && g_hash_table_iter_next(&it, &name, NULL))
            add_module(a, base, (SfuPart)p, name);
    }
    /* Where there is one encoder, it is called so, be it what elsewhere is the second. */
    a->lone_text2 = !base->parts[SFU_PART_TEXT] && base->parts[SFU_PART_TEXT2];
    return a;
}

/* ---- names in adapters' files ---- */

#define DENOISER (1u << SFU_PART_UNET | 1u << SFU_PART_TRANSFORMER)
#define TEXT (1u << SFU_PART_TEXT)
#define TEXT2 (1u << SFU_PART_TEXT2)
#define ANY (DENOISER | TEXT | TEXT2)

/* PEFT's, before or behind the others. */
static const char peft[] = "base_model.model.";

static const struct {
    const char *prefix;
    guint parts; /* bits */
} prefixes[] = {
    {"lora_unet__", DENOISER}, /* kohya's scripts, of a model within a wrapper */
    {"lora_unet_", DENOISER},
    {"lora_transformer_", DENOISER},
    {"lora_prior_unet_", DENOISER},
    {"lora_te1_", TEXT},
    {"lora_te2_", TEXT2},
    {"lora_te_", TEXT},
    {"lycoris_", ANY},
    {"unet.", DENOISER},
    {"transformer.diffusion_model.", DENOISER},
    {"transformer.", DENOISER},
    {"model.diffusion_model.", DENOISER},
    {"diffusion_model.", DENOISER},
    {"text_encoder_2.", TEXT2},
    {"text_encoder.", TEXT},
    {"text_encoders.clip_g.transformer.", TEXT2}, /* ComfyUI's */
    {"text_encoders.clip_h.transformer.", TEXT},
    {"text_encoders.clip_l.transformer.", TEXT},
    {"text_encoders.qwen3_4b.transformer.", TEXT},
    {"text_encoders.qwen3_8b.transformer.", TEXT},
    {"clip_g.", TEXT2}, /* OneTrainer's */
    {"clip_l.", TEXT},
    {"conditioner.embedders.1.model.", TEXT2},
    {"conditioner.embedders.0.transformer.", TEXT},
    {"conditioner.embedders.0.model.", TEXT | TEXT2},
    {"cond_stage_model.transformer.", TEXT},
    {"cond_stage_model.model.", TEXT},
    {"", ANY},
};

static const char *behind(const char *name, const char *prefix)
{
    return g_str_has_prefix(name, prefix) ? name + strlen(prefix) : name;
}

static const GArray *look_up(const SfuAliases *a, guint parts, const char *name)
{
    for (int p = 0; p < SFU_N_PARTS; p++) {
        char *key = parts & 1u << p ? key_of((SfuPart)p, name) : NULL;
        const GArray *found = key ? g_hash_table_lookup(a->targets, key) : NULL;
        g_free(key);
        if (found)
            return found;
    }
    return NULL;
}

/* Targets of a module of the file; NULL: the model has none of that name. */
static const GArray *targets_of(const SfuAliases *a, const char *in_file)
{
    const char *module = behind(in_file, peft);
    const GArray *found = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes) && !found; i++) {
        if (!g_str_has_prefix(module, prefixes[i].prefix))
            continue;
        const char *rest = behind(module + strlen(prefixes[i].prefix), peft);
        const guint parts = prefixes[i].parts | (prefixes[i].parts == TEXT && a->lone_text2 ? TEXT2 : 0);
        found = look_up(a, parts, rest);
        if (!found && g_str_has_suffix(rest, "to_out")) { /* old diffusers */
            char *first = g_strconcat(rest, ".0", NULL);
            found = look_up(a, parts, first);
            g_free(first);
        }
    }
    return found;
}

/* ---- binding ---- */

struct SfuBoundAdapter {
    GPtrArray *deltas; /* SfuDelta* */
    GArray *uses;      /* SfuDeltaUse, of strength 1 */
    GArray *is_text;   /* gboolean, for each */
    char *note;
};

void sfu_bound_adapter_free(SfuBoundAdapter *b)
{
    if (!b)
        return;
    g_ptr_array_unref(b->deltas);
    g_array_unref(b->uses);
    g_array_unref(b->is_text);
    g_free(b->note);
    g_free(b);
}

void sfu_bound_adapter_use(const SfuBoundAdapter *b, float strength, float text, GArray *uses)
{
    for (guint i = 0; i < b->uses->len; i++) {
        SfuDeltaUse u = g_array_index(b->uses, SfuDeltaUse, i);
        u.strength = g_array_index(b->is_text, gboolean, i) ? text : strength;
        g_array_append_val(uses, u);
    }
}

gboolean sfu_bound_adapter_has_text(const SfuBoundAdapter *b)
{
    gboolean any = FALSE;
    for (guint i = 0; i < b->is_text->len; i++)
        any |= g_array_index(b->is_text, gboolean, i);
    return any;
}

const char *sfu_bound_adapter_note(const SfuBoundAdapter *b)
{
    return b->note;
}

typedef struct {
    const SfuAdapter *a;
    const SfuAdapterBase *base;
    SfuBoundAdapter *b;
    const GArray **targets;                         /* [modules], of Target; NULL: the model has none of that name */
    gboolean **repeats;                             /* [modules][targets]: another module serves it; NULL as above */
    guint n_bound, n_unknown, n_misfit, n_repeated; /* modules */
    const char *unknown, *misfit;                   /* the first of each */
} Binding;

/* ---- modules that say the same ----
 * Some programs save a fused matrix beside its parts, or a module under two names. What would be changed twice is
 * changed once: by the module whose change is not nothing, then by the one that is no fused matrix, then by the first.
 */

typedef struct {
    guint module;
    const Target *t;
    gboolean *repeats; /* whether another module serves it */
} Claim;

static gboolean overlap(const Target *a, const Target *b)
{
    return !a->n_rows || !b->n_rows || (a->to_row < b->to_row + b->n_rows && b->to_row < a->to_row + a->n_rows);
}

/* The one of two claims on the same rows that is given up. */
static const Claim *loser(const Binding *x, const Claim *first, const Claim *second)
{
    if (sfu_adapter_is_nothing(x->a, second->module))
        return second;
    if (sfu_adapter_is_nothing(x->a, first->module))
        return first;
    return first->t->n_rows && !second->t->n_rows ? first : second;
}

static void find_repeats(Binding *x)
{
    GHashTable *claims = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
    for (guint i = 0; i < sfu_adapter_n_modules(x->a); i++)
        for (guint k = 0; x->targets[i] && sfu_adapter_changes(x->a, i, FALSE) && k < x->targets[i]->len; k++) {
            const Claim own = {i, &g_array_index(x->targets[i], Target, k), &x->repeats[i][k]};
            GArray *others = g_hash_table_lookup(claims, own.t->module);
            if (!others) {
                others = g_array_new(FALSE, FALSE, sizeof(Claim));
                g_hash_table_insert(claims, (gpointer)own.t->module, others);
            }
            for (guint j = 0; j < others->len; j++) {
                const Claim *other = &g_array_index(others, Claim, j);
                if (overlap(own.t, other->t) && !*other->repeats)
                    *loser(x, other, &own)->repeats = TRUE;
            }
            g_array_append_val(others, own);
        }
    g_hash_table_unref(claims);
}

/* One weight (or bias) of a target takes module i. FALSE with error: torn. *fits FALSE: it has another shape. */
static gboolean bind_one(Binding *x, guint i, const Target *t, gboolean bias, gboolean *fits, GError **error)
{
    char *name = g_strconcat(t->module, bias ? ".bias" : ".weight", NULL);
    SfuWeight *w = sfu_model_find(x->base->parts[t->part], t->part, name);
    GError *local = NULL;
    g_free(name);
    const gboolean optional = bias && sfu_adapter_bias_is_optional(x->a, i);
    *fits = w || optional;
    if (!w)
        return TRUE;
    const gint64 rows = MAX(1, sfu_weight_dim(w, 0)), in = sfu_weight_dim(w, 1),
                 taps = MAX(1, sfu_weight_elements(w) / (rows * MAX(1, in)));
    SfuDelta *d = sfu_adapter_delta(x->a, i, bias, rows, MAX(1, in), taps, &local);
    if (d && d->by_input && t->n_rows) { /* its lengths are those of all parts together, which are other weights here */
        sfu_delta_free(d);
        return sfu_file_refuse(error, sfu_adapter_path(x->a),
                               _("'%s' is a DoRA that scales the inputs of a fused matrix; Sfumato applies it to "
                                 "separate matrices only"),
                               sfu_adapter_module(x->a, i));
    }
    SfuDeltaUse u = {w, d, t->to_row, t->from_row, t->n_rows ? t->n_rows : rows, 1};
    if (d && d->out == 0) /* any number of outputs */
        d->out = t->n_rows ? u.from_row + u.n_rows : rows;
    if (d && (u.from_row % sfu_delta_group(d) || u.n_rows % sfu_delta_group(d)))
        g_clear_pointer(&d, sfu_delta_free); /* outputs of two weights would mix */
    u.delta = d;
    *fits = d && u.to_row + u.n_rows <= rows && (t->n_rows ? u.from_row + u.n_rows <= d->out : d->out == rows);
    if (*fits) {
        const gboolean is_text = !(DENOISER & 1u << t->part);
        g_ptr_array_add(x->b->deltas, d);
        g_array_append_val(x->b->uses, u);
        g_array_append_val(x->b->is_text, is_text);
    } else {
        *fits = optional;
        sfu_delta_free(d);
    }
    if (local)
        g_propagate_error(error, local);
    return !local;
}

static gboolean bind_module(Binding *x, guint i, GError **error)
{
    const char *module = sfu_adapter_module(x->a, i);
    const GArray *targets = x->targets[i];
    gboolean all_fit = TRUE, repeated = FALSE;
    if (!targets) {
        x->unknown = x->unknown ? x->unknown : module;
        x->n_unknown++;
        return TRUE;
    }
    for (guint k = 0; k < targets->len; k++) {
        const Target *t = &g_array_index(targets, Target, k);
        repeated |= x->repeats[i][k];
        for (int bias = 0; bias < 2 && !x->repeats[i][k]; bias++) {
            gboolean fits = TRUE;
            if (sfu_adapter_changes(x->a, i, bias) && !bind_one(x, i, t, bias, &fits, error))
                return FALSE;
            all_fit &= fits;
        }
    }
    x->n_repeated += repeated && !sfu_adapter_is_nothing(x->a, i);
    if (all_fit) {
        x->n_bound++;
        return TRUE;
    }
    x->misfit = x->misfit ? x->misfit : module;
    x->n_misfit++;
    return TRUE;
}

/* Whose UNet reads a context of that width; NULL: nobody knows. */
static const char *by_context(gint64 width)
{
    return width == 768 ? "Stable Diffusion 1.x" : width == 1024 ? "Stable Diffusion 2.x" : width == 2048 ? XL : NULL;
}

/* Whether an adapter for the family of that name is for the model: a model may be a variant ("... inpainting"), and
 * variants of Stable Diffusion have names of their own. */
static gboolean is_for(const char *made_for, const SfuModel *m)
{
    const char *kin = !m->tensors[SFU_PART_UNET] ? NULL
                      : m->unet.added_width      ? XL
                                                 : by_context(m->unet.cross_attention_dim);
    return g_str_has_prefix(m->family->name, made_for) || g_strcmp0(kin, made_for) == 0 ||
           (strcmp(made_for, SD1_OR_2) == 0 && m->tensors[SFU_PART_UNET] && !m->unet.added_width);
}

static gboolean fail_other(const Binding *x, const char *other, GError **error)
{
    const char *path = sfu_adapter_path(x->a);
    const SfuModel *m = x->base->model;
    if (other)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s was made for %s, and does not fit %s, which is of the family %s"), path, other, m->path,
                    m->family->name);
    else
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s does not fit %s: of its %u modules %u have other names and %u another shape (the first is "
                      "'%s')"),
                    path, m->path, sfu_adapter_n_modules(x->a), x->n_unknown, x->n_misfit,
                    x->misfit ? x->misfit : x->unknown);
    return FALSE;
}

static gboolean check_share(const Binding *x, GError **error)
{
    const char *made_for = sfu_adapter_family(x->a),
               *other = made_for && !is_for(made_for, x->base->model) ? made_for : NULL;
    const double n = sfu_adapter_n_modules(x->a), without = x->n_unknown + x->n_misfit;
    const gboolean fits = x->n_bound && x->n_misfit <= MOST_MISFITS * n && without <= MOST_UNKNOWN * n &&
                          (!other || without <= MOST_MISFITS * n);
    return fits || fail_other(x, other, error);
}

static void note_rest(Binding *x)
{
    const guint n = x->n_unknown + x->n_misfit, strays = sfu_adapter_n_strays(x->a);
    const char *path = sfu_adapter_path(x->a);
    if (n)
        x->b->note = g_strdup_printf(_("%s: %u of %u modules are missing from %s or have another shape there (the "
                                       "first is '%s'); they are ignored."),
                                     path, n, sfu_adapter_n_modules(x->a), x->base->model->path,
                                     x->misfit ? x->misfit : x->unknown);
    else if (strays)
        x->b->note = g_strdup_printf(
            _("Sfumato does not recognize the adapter tensors in %s (%u of them) and ignores them."), path, strays);
    else if (x->n_repeated)
        x->b->note = g_strdup_printf(_("%s: %u of its modules repeat what others of them change; each change is made "
                                       "once."),
                                     path, x->n_repeated);
}

SfuAdapterBase sfu_adapter_base(SfuModel *m)
{
    SfuAdapterBase base = {.model = m};
    for (int p = 0; p < SFU_N_PARTS; p++)
        base.parts[p] = m->tensors[p] ? m : NULL;
    return base;
}

SfuBoundAdapter *sfu_adapter_bind(const SfuAdapter *a, const SfuAdapterBase *base, GError **error)
{
    SfuAliases *names = aliases_of(base);
    SfuBoundAdapter *b = g_new0(SfuBoundAdapter, 1);
    b->deltas = g_ptr_array_new_with_free_func(sfu_delta_free);
    b->uses = g_array_new(FALSE, FALSE, sizeof(SfuDeltaUse));
    b->is_text = g_array_new(FALSE, FALSE, sizeof(gboolean));
    const guint n = sfu_adapter_n_modules(a);
    Binding x = {.a = a, .base = base, .b = b, .targets = g_new(const GArray *, n), .repeats = g_new(gboolean *, n)};
    gboolean ok = TRUE;
    for (guint i = 0; i < n; i++) {
        x.targets[i] = targets_of(names, sfu_adapter_module(a, i));
        x.repeats[i] = x.targets[i] ? g_new0(gboolean, x.targets[i]->len) : NULL;
    }
    find_repeats(&x);
    for (guint i = 0; ok && i < n; i++)
        ok = bind_module(&x, i, error);
    for (guint i = 0; i < n; i++)
        g_free(x.repeats[i]);
    g_free(x.repeats);
    g_free(x.targets);
    aliases_free(names);
    ok = ok && check_share(&x, error);
    if (ok)
        note_rest(&x);
    else
        g_clear_pointer(&b, sfu_bound_adapter_free);
    return b;
}

/* ---- whose is it? ---- */

/* Outputs over inputs of the first module whose name, with '_' for '.', holds `word`, and its inputs; 0: unknown. */
static gboolean find_module(const SfuAdapter *a, const char *word, gint64 *in, double *ratio)
{
    gboolean found = FALSE;
    *in = 0;
    *ratio = 0;
    for (guint i = 0; i < sfu_adapter_n_modules(a) && !*in; i++) {
        char *flat = squashed(sfu_adapter_module(a, i));
        gint64 out;
        if (strstr(flat, word)) {
            found = TRUE;
            sfu_adapter_module_size(a, i, &out, in);
            *ratio = *in ? (double)out / (double)*in : 0;
        }
        g_free(flat);
    }
    return found;
}

static const char *by_metadata(const SfuAdapter *a)
{
    static const char *const keys[] = {"modelspec.architecture", "ss_base_model_version", "ss_sd_model_name"};
    static const struct {
        const char *sign, *name;
    } signs[] = {{"stable-diffusion-xl", XL},
                 {"sdxl", XL},
                 {"stable-diffusion-v1", "Stable Diffusion 1.x"},
                 {"sd_v1", "Stable Diffusion 1.x"},
                 {"stable-diffusion-v2", "Stable Diffusion 2.x"},
                 {"sd_v2", "Stable Diffusion 2.x"},
                 {"stable-diffusion-3", "Stable Diffusion 3"},
                 {"sd3", "Stable Diffusion 3"},
                 {"flux2", "FLUX.2"},
                 {"flux.2", "FLUX.2"},
                 {"flux-2", "FLUX.2"},
                 {"flux", "FLUX.1"},
                 {"qwen", "Qwen-Image"},
                 {"zimage", "Z-Image"},
                 {"z-image", "Z-Image"},
                 {"z_image", "Z-Image"}};
    for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
        const char *text = sfu_adapter_metadata(a, keys[k]);
        char *lower = text ? g_ascii_strdown(text, -1) : NULL;
        const char *name = NULL;
        for (gsize i = 0; lower && i < G_N_ELEMENTS(signs) && !name; i++)
            if (strstr(lower, signs[i].sign))
                name = signs[i].name;
        g_free(lower);
        if (name)
            return name;
    }
    return NULL;
}

/* FLUX.2's feed-forward is gated: its first matrix makes 6 times the inputs where FLUX.1's makes 4; the fused one of a
 * single block 9 times where FLUX.1's makes 7. */
static const char *which_flux(const SfuAdapter *a)
{
    gint64 in;
    double single, mlp, other;
    find_module(a, "single_blocks_0_linear1", &in, &single);
    find_module(a, "double_blocks_0_img_mlp_0", &in, &mlp);
    const gboolean two = single > 8 || mlp > 5 || find_module(a, "to_qkv_mlp_proj", &in, &other) ||
                         find_module(a, "_linear_in", &in, &other) || g_strcmp0(by_metadata(a), "FLUX.2") == 0;
    const gboolean one = single > 0 || mlp > 0 || by_metadata(a) || find_module(a, "_proj_mlp", &in, &other) ||
                         find_module(a, "single_transformer_blocks_0_attn_to_v", &in, &other) ||
                         find_module(a, "_ff_net_", &in, &other) || find_module(a, "_norm1_linear", &in, &other);
    return two ? "FLUX.2" : one ? "FLUX.1" : "FLUX";
}

/* Whether attention of a UNet has more than one transformer: XL's has up to ten. */
static gboolean is_deep_unet(const SfuAdapter *a)
{
    static const char word[] = "_transformer_blocks_";
    gboolean deep = FALSE;
    for (guint i = 0; i < sfu_adapter_n_modules(a) && !deep; i++) {
        char *flat = squashed(sfu_adapter_module(a, i));
        const char *at = strstr(flat, word);
        deep = at && g_ascii_isdigit(at[strlen(word)]) && at[strlen(word)] != '0' &&
               (strstr(flat, "_attentions_") || strstr(flat, "put_blocks_") || strstr(flat, "middle_block_"));
        g_free(flat);
    }
    return deep;
}

const char *sfu_adapter_family(const SfuAdapter *a)
{
    static const struct {
        const char *word, *name; /* NULL: a FLUX */
    } words[] = {{"joint_blocks_", "Stable Diffusion 3"},
                 {"img_mod_1", "Qwen-Image"},
                 {"_img_mlp_net_", "Qwen-Image"},
                 {"double_blocks_", NULL},
                 {"single_blocks_", NULL},
                 {"single_transformer_blocks_", NULL},
                 {"layers_0_attention_", "Z-Image"},
                 {"layers_0_feed_forward_", "Z-Image"},
                 {"blocks_0_cross_attn_q_proj", "Cosmos or Anima"},
                 {"blocks_0_cross_attn_", "Wan"},
                 {"lora_te2_", XL},
                 {"text_encoder_2_", XL}};
    /* Of UNets, when nothing reads the context: where attention is, and how deep. */
    static const struct {
        const char *word, *name;
    } places[] = {{"label_emb_0", XL},
                  {"add_embedding_linear", XL},
                  {"down_blocks_0_attentions_", SD1_OR_2},
                  {"up_blocks_3_", SD1_OR_2},
                  {"input_blocks_1_1_", SD1_OR_2},
                  {"input_blocks_2_1_", SD1_OR_2},
                  {"output_blocks_9_", SD1_OR_2},
                  {"output_blocks_10_", SD1_OR_2},
                  {"output_blocks_11_", SD1_OR_2}};
    gint64 in;
    double ratio;
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (find_module(a, words[i].word, &in, &ratio))
            return words[i].name ? words[i].name : which_flux(a);
    if (find_module(a, "attn2_to_k", &in, &ratio) || find_module(a, "attn2_to_v", &in, &ratio))
        if (by_context(in))
            return by_context(in);
    const char *name = by_metadata(a);
    if (!name && is_deep_unet(a))
        name = XL;
    for (gsize i = 0; i < G_N_ELEMENTS(places) && !name; i++)
        if (find_module(a, places[i].word, &in, &ratio))
            name = places[i].name;
    return name;
}

static gboolean is_text(const char *module)
{
    static const char *const heads[] = {"lora_te", "text_encoder", "clip_l.",
                                        "clip_g.", "conditioner.", "cond_stage_model."};
    const char *name = behind(module, peft);
    for (gsize i = 0; i < G_N_ELEMENTS(heads); i++)
        if (g_str_has_prefix(name, heads[i]))
            return TRUE;
    static const char *const words[] = {"text_model", "encoder.layers.", "encoder_layers_"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(name, words[i]))
            return TRUE;
    return strstr(name, "layers") && strstr(name, "self_attn");
}

gboolean sfu_adapter_has_text(const SfuAdapter *a)
{
    gboolean any = FALSE;
    for (guint i = 0; i < sfu_adapter_n_modules(a) && !any; i++)
        any = is_text(sfu_adapter_module(a, i));
    return any;
}

/* ---- inspecting ---- */

typedef struct {
    char *kinds;
    const char *family, *base;
    gint64 least, most;
    guint n[2]; /* modules: of the denoiser, of text encoders */
} Facts;

static Facts facts_of(const SfuAdapter *a)
{
    Facts f = {.kinds = sfu_adapter_kinds(a), .family = sfu_adapter_family(a)};
    sfu_adapter_ranks(a, &f.least, &f.most);
    f.base = sfu_adapter_metadata(a, "ss_base_model_version");
    if (!f.base)
        f.base = sfu_adapter_metadata(a, "modelspec.architecture");
    for (guint i = 0; i < sfu_adapter_n_modules(a); i++)
        f.n[is_text(sfu_adapter_module(a, i))]++;
    return f;
}

char *sfu_adapter_inspect(const SfuAdapter *a)
{
    const Facts f = facts_of(a);
    GString *s = g_string_new(NULL);
    g_string_append_printf(s, "%s\n  adapter: %s\n  for: %s%s%s%s\n", sfu_adapter_path(a), f.kinds,
                           f.family ? f.family : _("a family that its tensor names do not reveal"), f.base ? " (" : "",
                           f.base ? f.base : "", f.base ? ")" : "");
    if (f.most && f.least == f.most)
        g_string_append_printf(s, "  rank: %" G_GINT64_FORMAT "\n", f.most);
    else if (f.most)
        g_string_append_printf(s, "  rank: %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT "\n", f.least, f.most);
    g_string_append_printf(s, "  modules: %u of the network that paints, %u of text encoders\n", f.n[0], f.n[1]);
    if (sfu_adapter_n_strays(a))
        g_string_append_printf(s, "  unexpected: %u\n", sfu_adapter_n_strays(a));
    g_free(f.kinds);
    return g_string_free(s, FALSE);
}

JsonNode *sfu_adapter_inspect_json(const SfuAdapter *a)
{
    const Facts f = facts_of(a);
    JsonObject *o = json_object_new();
    json_object_set_string_member(o, "path", sfu_adapter_path(a));
    json_object_set_string_member(o, "adapter", f.kinds);
    json_object_set_string_member(o, "family", f.family ? f.family : "");
    json_object_set_string_member(o, "base", f.base ? f.base : "");
    json_object_set_int_member(o, "rank_least", f.least);
    json_object_set_int_member(o, "rank_most", f.most);
    json_object_set_int_member(o, "modules", f.n[0]);
    json_object_set_int_member(o, "modules_text", f.n[1]);
    json_object_set_int_member(o, "unexpected", sfu_adapter_n_strays(a));
    g_free(f.kinds);
    JsonNode *node = json_node_init_object(json_node_alloc(), o);
    json_object_unref(o);
    return node;
}
