/* Adapters' files. The spellings are those of kohya's scripts, LyCORIS, diffusers (old and new) and PEFT.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/adapter_file.h"
#include "model/adapter_kinds.h"
#include <string.h>
#include <glib/gi18n-lib.h>

#define BUNDLE "bundle_emb." /* textual inversions that come with it */

struct SfuAdapter {
    SfuFile *file;
    GPtrArray *modules; /* SfuAdapterModule* */
    guint n_strays;
    SfuAlphas *alphas; /* of files that keep them beside the tensors; NULL: none */
};

static void module_free(gpointer p)
{
    SfuAdapterModule *m = p;
    g_free(m->name);
    g_free(m);
}

/* ---- reading ---- */

static gboolean are_finite(const float *v, gint64 n)
{
    float sum = 0;
    for (gint64 i = 0; i < n; i++)
        sum += v[i] * 0; /* NaN for NaN and infinity */
    return sum == 0;
}

static gboolean are_zero(const float *v, gint64 n)
{
    gboolean zero = TRUE;
    for (gint64 i = 0; i < n; i++)
        zero &= v[i] == 0;
    return zero;
}

/* Whether all values of the tensor are so, looked at piece by piece. */
static gboolean all_are(const SfuFileTensor *t, gboolean (*so)(const float *v, gint64 n))
{
    SfuWeight *w = sfu_file_tensor_weight(t, t->name);
    float v[4096];
    gboolean ok = TRUE;
    for (gint64 at = 0; ok && at < t->n_elements; at += G_N_ELEMENTS(v)) {
        const gint64 n = MIN((gint64)G_N_ELEMENTS(v), t->n_elements - at);
        sfu_weight_read_f32(w, at, n, v);
        ok = so(v, n);
    }
    sfu_weight_destroy(w);
    return ok;
}

static gboolean check_tensor(const SfuAdapter *a, const SfuFileTensor *t, GError **error)
{
    if (t->n_dims > 5 || !t->n_elements)
        return sfu_file_fail(error, a->file->path, _("'%s' has no values, or too many dimensions for an adapter"),
                             t->name);
    return all_are(t, are_finite) || sfu_file_fail(error, a->file->path, _("'%s' holds NaN or infinity"), t->name);
}

static gboolean group(SfuAdapter *a, GError **error)
{
    GHashTable *by_name = g_hash_table_new(g_str_hash, g_str_equal);
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < a->file->tensors->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(a->file->tensors, i);
        SfuAdapterRole role;
        const gsize length = sfu_adapter_split(t->name, &role);
        if (g_str_has_prefix(t->name, BUNDLE))
            continue;
        if (!length) {
            a->n_strays++;
            continue;
        }
        if (role == SFU_ROLE_FOREIGN) {
            ok = sfu_file_refuse(error, a->file->path,
                                 _("'%s' is of a kind of adapter that Sfumato does not apply (%s); it applies LoRA, "
                                   "LoHa, LoKr, GLoRA, OFT, BOFT, DoRA, IA3 and full differences"),
                                 t->name, sfu_adapter_foreign(t->name));
            break;
        }
        char *name = sfu_adapter_module_name(t->name, length);
        SfuAdapterModule *m = g_hash_table_lookup(by_name, name);
        if (!m) {
            m = g_new0(SfuAdapterModule, 1);
            m->name = name;
            g_ptr_array_add(a->modules, m);
            g_hash_table_insert(by_name, m->name, m);
        } else {
            g_free(name);
        }
        ok = m->t[role] ? sfu_file_fail(error, a->file->path, _("'%s' occurs twice"), t->name)
                        : check_tensor(a, t, error);
        m->t[role] = t;
    }
    g_hash_table_unref(by_name);
    return ok;
}

static guint count_tensors(const SfuAdapterModule *m)
{
    guint n = 0;
    for (int r = 0; r < SFU_N_ROLES; r++)
        n += m->t[r] != NULL;
    return n;
}

SfuAdapter *sfu_adapter_open(const char *path, GError **error)
{
    SfuFile *f = sfu_file_open(path, error);
    if (!f)
        return NULL;
    SfuAdapter *a = g_new0(SfuAdapter, 1);
    a->file = f;
    a->modules = g_ptr_array_new_with_free_func(module_free);
    gboolean ok = group(a, error) && sfu_alphas_read(f, &a->alphas, error);
    for (guint i = 0; ok && i < a->modules->len;) { /* half a module is none: its tensors are strays */
        const SfuAdapterModule *m = g_ptr_array_index(a->modules, i);
        if (sfu_adapter_module_changes(m, FALSE) || sfu_adapter_module_changes(m, TRUE)) {
            i++;
            continue;
        }
        a->n_strays += count_tensors(m);
        g_ptr_array_remove_index(a->modules, i);
    }
    if (ok && !a->modules->len)
        ok = sfu_file_fail(error, path, _("it holds no LoRA or other adapter that Sfumato knows"));
    if (ok)
        return a;
    sfu_adapter_close(a);
    return NULL;
}

void sfu_adapter_close(SfuAdapter *a)
{
    if (!a)
        return;
    g_ptr_array_unref(a->modules);
    sfu_alphas_free(a->alphas);
    sfu_file_close(a->file);
    g_free(a);
}

gboolean sfu_adapter_is(const GPtrArray *tensors)
{
    SfuAdapterRole role;
    /* Adapters that look at faces bring a LoRA. */
    for (guint i = 0; i < tensors->len; i++) {
        const char *name = ((SfuFileTensor *)tensors->pdata[i])->name;
        if (g_str_has_prefix(name, "image_proj.") || g_str_has_prefix(name, "id_encoder."))
            return FALSE;
    }
    for (guint i = 0; i < tensors->len; i++)
        if (sfu_adapter_split(((SfuFileTensor *)tensors->pdata[i])->name, &role) && role != SFU_ROLE_WEIGHT &&
            role != SFU_ROLE_ALPHA && role != SFU_ROLE_RESCALE && role != SFU_ROLE_FOREIGN)
            return TRUE;
    return FALSE;
}

/* ---- asking ---- */

static const SfuAdapterModule *module_at(const SfuAdapter *a, guint i)
{
    return g_ptr_array_index(a->modules, i);
}

const char *sfu_adapter_path(const SfuAdapter *a)
{
    return a->file->path;
}
gboolean sfu_adapter_check_unchanged(const SfuAdapter *a, GError **error)
{
    return sfu_file_check_unchanged(a->file, error);
}
gboolean sfu_adapter_check_intact(const SfuAdapter *a, GError **error)
{
    return sfu_file_check_intact(a->file, error);
}
const char *sfu_adapter_metadata(const SfuAdapter *a, const char *key)
{
    return sfu_file_text(a->file, key);
}
guint sfu_adapter_n_strays(const SfuAdapter *a)
{
    return a->n_strays;
}
guint sfu_adapter_n_modules(const SfuAdapter *a)
{
    return a->modules->len;
}
const char *sfu_adapter_module(const SfuAdapter *a, guint i)
{
    return module_at(a, i)->name;
}
gboolean sfu_adapter_changes(const SfuAdapter *a, guint i, gboolean bias)
{
    return sfu_adapter_module_changes(module_at(a, i), bias);
}

void sfu_adapter_bundles(const SfuAdapter *a, GHashTable *names)
{
    for (guint i = 0; i < a->file->tensors->len; i++) {
        const char *name = ((const SfuFileTensor *)a->file->tensors->pdata[i])->name;
        const char *inner = g_str_has_prefix(name, BUNDLE) ? name + strlen(BUNDLE) : NULL,
                   *end = inner ? strchr(inner, '.') : NULL;
        if (end && end > inner)
            g_hash_table_insert(names, g_strndup(inner, (gsize)(end - inner)), g_strdup(a->file->path));
    }
}

gboolean sfu_adapter_is_nothing(const SfuAdapter *a, guint i)
{
    static const SfuAdapterRole factors[] = {SFU_ROLE_UP,      SFU_ROLE_DOWN,    SFU_ROLE_HADA1_A, SFU_ROLE_HADA1_B,
                                             SFU_ROLE_HADA2_A, SFU_ROLE_HADA2_B, SFU_ROLE_W1,      SFU_ROLE_W1_A,
                                             SFU_ROLE_W1_B,    SFU_ROLE_W2,      SFU_ROLE_W2_A,    SFU_ROLE_W2_B,
                                             SFU_ROLE_DIFF};
    const SfuAdapterModule *m = module_at(a, i);
    for (gsize k = 0; k < G_N_ELEMENTS(factors); k++)
        if (sfu_adapter_has(m, factors[k]) && all_are(m->t[factors[k]], are_zero))
            return TRUE;
    return FALSE;
}

gboolean sfu_adapter_bias_is_optional(const SfuAdapter *a, guint i)
{
    return sfu_adapter_kind(module_at(a, i)) == SFU_ADAPTER_IA3_PEFT;
}

char *sfu_adapter_kinds(const SfuAdapter *a)
{
    gboolean there[SFU_N_ADAPTER_KINDS] = {FALSE}, dora = FALSE, norm = FALSE, tucker = FALSE;
    for (guint i = 0; i < a->modules->len; i++) {
        const SfuAdapterModule *m = module_at(a, i);
        there[sfu_adapter_kind(m)] = TRUE;
        dora |= sfu_adapter_has(m, SFU_ROLE_DORA) || sfu_adapter_has(m, SFU_ROLE_MAGNITUDE);
        norm |= sfu_adapter_has(m, SFU_ROLE_NORM_W) || sfu_adapter_has(m, SFU_ROLE_NORM_B);
        tucker |= sfu_adapter_has(m, SFU_ROLE_MID) || sfu_adapter_has(m, SFU_ROLE_T1) ||
                  sfu_adapter_has(m, SFU_ROLE_T2) || sfu_adapter_has(m, SFU_ROLE_W2_T);
    }
    there[SFU_ADAPTER_IA3] |= there[SFU_ADAPTER_IA3_PEFT];
    there[SFU_ADAPTER_OFT] |= there[SFU_ADAPTER_OFT_PEFT];
    GString *s = g_string_new(NULL);
    for (int k = SFU_ADAPTER_LORA; k <= SFU_ADAPTER_IA3; k++)
        if (there[k] && k != SFU_ADAPTER_OFT_PEFT)
            g_string_append_printf(s, "%s%s", s->len ? ", " : "", sfu_adapter_kind_name(k));
    g_string_append_printf(s, "%s%s%s", dora ? ", DoRA" : "", tucker ? ", Tucker" : "", norm ? ", norms" : "");
    if (g_str_has_prefix(s->str, ", "))
        g_string_erase(s, 0, 2);
    return g_string_free(s, FALSE);
}

void sfu_adapter_ranks(const SfuAdapter *a, gint64 *least, gint64 *most)
{
    *least = *most = 0;
    for (guint i = 0; i < a->modules->len; i++) {
        const gint64 r = sfu_adapter_rank(module_at(a, i));
        *least = r && (!*least || r < *least) ? r : *least;
        *most = MAX(*most, r);
    }
}

void sfu_adapter_module_size(const SfuAdapter *a, guint i, gint64 *out, gint64 *in)
{
    sfu_adapter_size(module_at(a, i), out, in);
}

SfuDelta *sfu_adapter_delta(const SfuAdapter *a, guint i, gboolean bias, gint64 rows, gint64 in, gint64 taps,
                            GError **error)
{
    const SfuAdapterSite site = {module_at(a, i), rows, in, taps, a->alphas, a->file->path};
    return sfu_adapter_build(&site, bias, error);
}
