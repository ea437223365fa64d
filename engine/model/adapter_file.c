/* Adapters' files. The spellings are those of kohya's scripts, LyCORIS, diffusers (old and new) and PEFT; the formulas
 * are tested against LyCORIS, PEFT and diffusers.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/adapter_file.h"
#include "model/adapter_tensors.h"
#include "model/rotation.h"
#include <math.h>
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

/* ---- kinds ---- */

typedef enum {
    KIND_NONE,
    KIND_LORA,
    KIND_LOHA,
    KIND_LOKR,
    KIND_GLORA,
    KIND_OFT,
    KIND_BOFT,
    KIND_OFT_PEFT,
    KIND_FULL,
    KIND_BYTES,
    KIND_IA3,
    KIND_IA3_PEFT,
    N_KINDS
} Kind;
static const char *const kind_names[N_KINDS] = {
    "",    "LoRA", "LoHa", "LoKr", "GLoRA", "OFT", "BOFT", "OFT", "full difference", "full difference in bytes",
    "IA3", "IA3"};

static gboolean has(const SfuAdapterModule *m, SfuAdapterRole role)
{
    return m->t[role] != NULL;
}

static Kind kind_of(const SfuAdapterModule *m)
{
    const gboolean w1 = has(m, SFU_ROLE_W1) || (has(m, SFU_ROLE_W1_A) && has(m, SFU_ROLE_W1_B)),
                   w2 = has(m, SFU_ROLE_W2) || (has(m, SFU_ROLE_W2_A) && has(m, SFU_ROLE_W2_B));
    return has(m, SFU_ROLE_UP) && has(m, SFU_ROLE_DOWN) ? KIND_LORA
           : has(m, SFU_ROLE_HADA1_A) && has(m, SFU_ROLE_HADA1_B) && has(m, SFU_ROLE_HADA2_A) &&
                   has(m, SFU_ROLE_HADA2_B)
               ? KIND_LOHA
           : w1 && w2                                                                                 ? KIND_LOKR
           : has(m, SFU_ROLE_A1) && has(m, SFU_ROLE_A2) && has(m, SFU_ROLE_B1) && has(m, SFU_ROLE_B2) ? KIND_GLORA
           : has(m, SFU_ROLE_BLOCKS) && m->t[SFU_ROLE_BLOCKS]->n_dims == 4                            ? KIND_BOFT
           : has(m, SFU_ROLE_BLOCKS) && m->t[SFU_ROLE_BLOCKS]->n_dims == 3                            ? KIND_OFT
           : has(m, SFU_ROLE_SKEW)                                                                    ? KIND_OFT_PEFT
           : has(m, SFU_ROLE_DIFF)                                                                    ? KIND_FULL
           : has(m, SFU_ROLE_BYTES) && has(m, SFU_ROLE_LOW) && has(m, SFU_ROLE_HIGH)                  ? KIND_BYTES
           : has(m, SFU_ROLE_WEIGHT) && has(m, SFU_ROLE_ON_INPUT)                                     ? KIND_IA3
           : has(m, SFU_ROLE_IA3)                                                                     ? KIND_IA3_PEFT
                                                                                                      : KIND_NONE;
}

/* ---- reading ---- */

static gboolean is_finite(const SfuFileTensor *t)
{
    SfuWeight *w = sfu_file_tensor_weight(t, t->name);
    float v[4096];
    gboolean ok = TRUE;
    for (gint64 at = 0; ok && at < t->n_elements; at += G_N_ELEMENTS(v)) {
        const gint64 n = MIN((gint64)G_N_ELEMENTS(v), t->n_elements - at);
        float sum = 0;
        sfu_weight_read_f32(w, at, n, v);
        for (gint64 i = 0; i < n; i++)
            sum += v[i] * 0; /* NaN for NaN and infinity */
        ok = sum == 0;
    }
    sfu_weight_destroy(w);
    return ok;
}

static gboolean check_tensor(const SfuAdapter *a, const SfuFileTensor *t, GError **error)
{
    if (t->n_dims > 5 || !t->n_elements)
        return sfu_file_fail(error, a->file->path, _("'%s' has no values, or too many dimensions for an adapter"),
                             t->name);
    return is_finite(t) || sfu_file_fail(error, a->file->path, _("'%s' holds NaN or infinity"), t->name);
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

static gboolean has_bytes_b(const SfuAdapterModule *m)
{
    return has(m, SFU_ROLE_BYTES_B) && has(m, SFU_ROLE_LOW_B) && has(m, SFU_ROLE_HIGH_B);
}

static gboolean changes(const SfuAdapterModule *m, gboolean bias)
{
    return bias ? has(m, SFU_ROLE_DIFF_B) || has_bytes_b(m) || has(m, SFU_ROLE_UP_BIAS) || has(m, SFU_ROLE_NORM_B) ||
                      has(m, SFU_ROLE_IA3)
                : kind_of(m) != KIND_NONE || has(m, SFU_ROLE_NORM_W);
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
        if (changes(m, FALSE) || changes(m, TRUE)) {
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
    return changes(module_at(a, i), bias);
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

gboolean sfu_adapter_bias_is_optional(const SfuAdapter *a, guint i)
{
    return kind_of(module_at(a, i)) == KIND_IA3_PEFT;
}

char *sfu_adapter_kinds(const SfuAdapter *a)
{
    gboolean there[N_KINDS] = {FALSE}, dora = FALSE, norm = FALSE, tucker = FALSE;
    for (guint i = 0; i < a->modules->len; i++) {
        const SfuAdapterModule *m = module_at(a, i);
        there[kind_of(m)] = TRUE;
        dora |= has(m, SFU_ROLE_DORA) || has(m, SFU_ROLE_MAGNITUDE);
        norm |= has(m, SFU_ROLE_NORM_W) || has(m, SFU_ROLE_NORM_B);
        tucker |= has(m, SFU_ROLE_MID) || has(m, SFU_ROLE_T1) || has(m, SFU_ROLE_T2) || has(m, SFU_ROLE_W2_T);
    }
    there[KIND_IA3] |= there[KIND_IA3_PEFT];
    there[KIND_OFT] |= there[KIND_OFT_PEFT];
    GString *s = g_string_new(NULL);
    for (int k = KIND_LORA; k <= KIND_IA3; k++)
        if (there[k] && k != KIND_OFT_PEFT)
            g_string_append_printf(s, "%s%s", s->len ? ", " : "", kind_names[k]);
    g_string_append_printf(s, "%s%s%s", dora ? ", DoRA" : "", tucker ? ", Tucker" : "", norm ? ", norms" : "");
    if (g_str_has_prefix(s->str, ", "))
        g_string_erase(s, 0, 2);
    return g_string_free(s, FALSE);
}

static gint64 dim(const SfuFileTensor *t, int i)
{
    return i < t->n_dims ? t->dims[i] : 1;
}

/* LyCORIS has a1 [in, r], a2 [r, in], b1 [out, r], b2 [r, in ..]; before 2.0 it had a1 and b1 [r, in], a2 [in, r], b2
 * [out, r]. */
static gboolean glora_is_old(const SfuAdapterModule *m)
{
    const gint64 r = dim(m->t[SFU_ROLE_A2], 0), old = dim(m->t[SFU_ROLE_A1], 0);
    const gboolean is_new =
        r == dim(m->t[SFU_ROLE_A1], 1) && r == dim(m->t[SFU_ROLE_B1], 1) && r == dim(m->t[SFU_ROLE_B2], 0);
    /* Of a square matrix either reading fits; the rank is the smaller one. */
    return (!is_new || old < r) && old == dim(m->t[SFU_ROLE_A2], 1) && old == dim(m->t[SFU_ROLE_B1], 0) &&
           old == dim(m->t[SFU_ROLE_B2], 1);
}

/* Of the factor that the rank's alpha belongs to; 0: none. */
static gint64 rank_of(const SfuAdapterModule *m)
{
    static const SfuAdapterRole roles[] = {SFU_ROLE_DOWN, SFU_ROLE_HADA1_B, SFU_ROLE_W1_B, SFU_ROLE_W2_B};
    if (kind_of(m) == KIND_GLORA)
        return dim(m->t[SFU_ROLE_A1], !glora_is_old(m));
    for (gsize i = 0; i < G_N_ELEMENTS(roles); i++)
        if (has(m, roles[i]))
            return m->t[roles[i]]->n_dims ? m->t[roles[i]]->dims[0] : 0;
    return 0;
}

void sfu_adapter_ranks(const SfuAdapter *a, gint64 *least, gint64 *most)
{
    *least = *most = 0;
    for (guint i = 0; i < a->modules->len; i++) {
        const gint64 r = rank_of(module_at(a, i));
        *least = r && (!*least || r < *least) ? r : *least;
        *most = MAX(*most, r);
    }
}

void sfu_adapter_module_size(const SfuAdapter *a, guint i, gint64 *out, gint64 *in)
{
    const SfuAdapterModule *m = module_at(a, i);
    const Kind k = kind_of(m);
    *out = *in = 0;
    if (k == KIND_LORA || k == KIND_LOHA) {
        const gboolean tucker = k == KIND_LOHA && has(m, SFU_ROLE_T1);
        *out = m->t[k == KIND_LORA ? SFU_ROLE_UP : SFU_ROLE_HADA1_A]->dims[tucker];
        const SfuFileTensor *b = m->t[k == KIND_LORA ? SFU_ROLE_DOWN : SFU_ROLE_HADA1_B];
        *in = b->n_dims > 1 ? b->dims[1] : 0;
    } else if (k == KIND_GLORA) {
        const gboolean old = glora_is_old(m);
        *out = dim(m->t[old ? SFU_ROLE_B2 : SFU_ROLE_B1], 0);
        *in = dim(m->t[old ? SFU_ROLE_B1 : SFU_ROLE_B2], 1);
    } else if (k == KIND_OFT || k == KIND_BOFT) {
        const SfuFileTensor *t = m->t[SFU_ROLE_BLOCKS];
        *out = MIN(t->dims[k == KIND_BOFT], 1 << 24) * MIN(t->dims[t->n_dims - 1], 1 << 24);
    } else if (k == KIND_FULL || k == KIND_BYTES) {
        const SfuFileTensor *t = m->t[k == KIND_FULL ? SFU_ROLE_DIFF : SFU_ROLE_BYTES];
        *out = t->n_dims ? t->dims[0] : 0;
        *in = t->n_dims > 1 ? t->dims[1] : 0;
    } else if (k == KIND_LOKR) {
        const SfuFileTensor *a1 = m->t[has(m, SFU_ROLE_W1) ? SFU_ROLE_W1 : SFU_ROLE_W1_A],
                            *b1 = m->t[has(m, SFU_ROLE_W1) ? SFU_ROLE_W1 : SFU_ROLE_W1_B],
                            *a2 = m->t[has(m, SFU_ROLE_W2) ? SFU_ROLE_W2 : SFU_ROLE_W2_A],
                            *b2 = m->t[has(m, SFU_ROLE_W2) ? SFU_ROLE_W2 : SFU_ROLE_W2_B];
        *out = MIN(a1->dims[0], 1 << 24) * MIN(a2->dims[has(m, SFU_ROLE_W2_T)], 1 << 24);
        *in = b1->n_dims > 1 && b2->n_dims > 1 ? MIN(b1->dims[1], 1 << 24) * MIN(b2->dims[1], 1 << 24) : 0;
    }
}

/* ---- changes ---- */

typedef struct {
    const SfuAdapter *a;
    const SfuAdapterModule *m;
    gint64 rows, in, taps;
    GError **error;
    gboolean torn; /* error is set */
} Builder;

static gboolean contradicts(Builder *b, const SfuFileTensor *t)
{
    b->torn = TRUE;
    return sfu_file_fail(b->error, b->a->file->path,
                         _("the shape of '%s' does not fit the other tensors of its module"), t->name);
}

/* The weight behind t as [rows, the rest]. */
static SfuWeight *matrix(const SfuFileTensor *t)
{
    return sfu_file_tensor_weight(t, t->name);
}

static SfuWeight *own_matrix(const char *name, gint64 rows, gint64 cols, float *values)
{
    const gint64 dims[2] = {rows, cols};
    return sfu_weight_new_take(name, SFU_F32, 2, dims, values, sizeof *values * (gsize)(rows * cols));
}

static float *values_of(const SfuFileTensor *t)
{
    SfuWeight *w = matrix(t);
    float *v = g_new(float, MAX(1, t->n_elements));
    sfu_weight_read_f32(w, 0, t->n_elements, v);
    sfu_weight_destroy(w);
    return v;
}

/* mid [p, q, taps..] and down [q, in] (or [in], as rows): out[i][j, k] = sum over q of mid[i][q][k] down[q][j]. */
static SfuWeight *join_core(const SfuFileTensor *mid, const SfuFileTensor *down, gint64 in)
{
    const gint64 p = mid->dims[0], q = mid->dims[1], taps = mid->n_elements / (p * q);
    float *core = values_of(mid), *d = values_of(down), *out = g_new0(float, p *in *taps);
    for (gint64 i = 0; i < p; i++)
        for (gint64 r = 0; r < q; r++)
            for (gint64 j = 0; j < in; j++)
                for (gint64 k = 0; k < taps; k++)
                    out[(i * in + j) * taps + k] += core[(i * q + r) * taps + k] * d[r * in + j];
    g_free(core);
    g_free(d);
    return own_matrix(mid->name, p, in * taps, out);
}

static SfuWeight *transposed(const SfuFileTensor *t)
{
    const gint64 rows = t->dims[0], cols = t->n_elements / rows;
    float *v = values_of(t), *out = g_new(float, t->n_elements);
    for (gint64 i = 0; i < rows; i++)
        for (gint64 j = 0; j < cols; j++)
            out[j * rows + i] = v[i * cols + j];
    g_free(v);
    return own_matrix(t->name, cols, rows, out);
}

/* a [out, r] and b [r, in * taps], or with a core [r, r, taps] b [r, in] (and a [r, out] where LyCORIS has it so:
 * a_turned). */
typedef struct {
    const SfuFileTensor *a, *b, *core;
    gboolean a_turned;
    gint64 in, taps;
} Pair;

/* The pair as the factors *wa and *wb of in * taps columns. *out: rows of a. FALSE: another width, or torn. */
static gboolean factors(Builder *x, Pair p, SfuWeight **wa, SfuWeight **wb, gint64 *out)
{
    const SfuFileTensor *a = p.a, *b = p.b, *core = p.core;
    const gint64 r = dim(b, 0), own = r ? b->n_elements / r : 0;
    *out = p.a_turned ? a->n_elements / MAX(1, dim(a, 0)) : dim(a, 0);
    if (b->n_dims < 2 || a->n_dims < 2 || a->n_elements != *out * (core ? dim(core, 0) : r))
        return contradicts(x, a);
    if (core && (core->n_dims < 3 || dim(core, 1) != r || !core->n_elements))
        return contradicts(x, core);
    if (own != (core ? p.in : p.in * p.taps) || (core && core->n_elements / (dim(core, 0) * r) != p.taps))
        return FALSE;
    *wa = p.a_turned ? transposed(a) : matrix(a);
    *wb = core ? join_core(core, b, p.in) : matrix(b);
    return TRUE;
}

static gboolean build_lora(Builder *x, SfuDelta *d)
{
    d->kind = SFU_DELTA_LOW_RANK;
    const SfuFileTensor *const *t = x->m->t;
    const Pair pair = {t[SFU_ROLE_UP], t[SFU_ROLE_DOWN], t[SFU_ROLE_MID], FALSE, x->in, x->taps};
    return factors(x, pair, &d->a[0], &d->b[0], &d->out);
}

static gboolean build_loha(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *const *t = x->m->t;
    gint64 out;
    d->kind = SFU_DELTA_HADAMARD;
    const Pair
        first = {t[SFU_ROLE_HADA1_A], t[SFU_ROLE_HADA1_B], t[SFU_ROLE_T1], has(x->m, SFU_ROLE_T1), x->in, x->taps},
        second = {t[SFU_ROLE_HADA2_A], t[SFU_ROLE_HADA2_B], t[SFU_ROLE_T2], has(x->m, SFU_ROLE_T2), x->in, x->taps};
    if (!factors(x, first, &d->a[0], &d->b[0], &d->out) || !factors(x, second, &d->a[1], &d->b[1], &out))
        return FALSE;
    return out == d->out || contradicts(x, t[SFU_ROLE_HADA2_A]);
}

static gboolean build_glora(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *const *t = x->m->t;
    const gboolean old = glora_is_old(x->m);
    gint64 in;
    d->kind = SFU_DELTA_GENERALIZED;
    const Pair added = {t[old ? SFU_ROLE_B2 : SFU_ROLE_B1],
                        t[old ? SFU_ROLE_B1 : SFU_ROLE_B2],
                        NULL,
                        FALSE,
                        x->in,
                        x->taps},
               turned = {t[old ? SFU_ROLE_A2 : SFU_ROLE_A1], t[old ? SFU_ROLE_A1 : SFU_ROLE_A2], NULL, FALSE, x->in, 1};
    if (!factors(x, added, &d->a[0], &d->b[0], &d->out) || !factors(x, turned, &d->a[1], &d->b[1], &in))
        return FALSE;
    return in == x->in || contradicts(x, t[SFU_ROLE_A1]);
}

/* The half of a Kronecker product that may be kept as a product itself: [rows, in * taps] of `in` inputs. */
static SfuWeight *half(Builder *x, SfuAdapterRole whole, SfuAdapterRole a, SfuAdapterRole b, const SfuFileTensor *core,
                       gint64 in, gint64 taps)
{
    const SfuFileTensor *const *t = x->m->t;
    SfuDelta d = {.in = in, .taps = taps};
    SfuWeight *w = NULL;
    if (t[whole]) {
        const gint64 dims[2] = {dim(t[whole], 0), in * taps};
        if (t[whole]->n_elements == dims[0] * dims[1])
            w = own_matrix(t[whole]->name, dims[0], dims[1], values_of(t[whole]));
    } else if (factors(x, (Pair){t[a], t[b], core, core != NULL, in, taps}, &d.a[0], &d.b[0], &d.out)) {
        const gint64 rank = sfu_weight_elements(d.b[0]) / (in * taps), n = d.out * in * taps;
        float *v = g_new0(float, MAX(1, n)), *va = g_new(float, d.out *rank), *vb = g_new(float, rank *in *taps);
        sfu_weight_read_f32(d.a[0], 0, d.out * rank, va);
        sfu_weight_read_f32(d.b[0], 0, rank * in * taps, vb);
        for (gint64 i = 0; i < d.out; i++)
            for (gint64 r = 0; r < rank; r++)
                for (gint64 k = 0; k < in * taps; k++)
                    v[i * in * taps + k] += va[i * rank + r] * vb[r * in * taps + k];
        g_free(va);
        g_free(vb);
        w = own_matrix(t[a]->name, d.out, in * taps, v);
    }
    sfu_weight_destroy(d.a[0]);
    sfu_weight_destroy(d.b[0]);
    return w;
}

static gboolean build_lokr(Builder *x, SfuDelta *d)
{
    const SfuAdapterModule *m = x->m;
    const SfuFileTensor *cols = m->t[has(m, SFU_ROLE_W1) ? SFU_ROLE_W1 : SFU_ROLE_W1_B];
    const gint64 q = dim(cols, 1);
    d->kind = SFU_DELTA_KRONECKER;
    if (q < 1 || x->in % q)
        return FALSE;
    d->a[0] = half(x, SFU_ROLE_W1, SFU_ROLE_W1_A, SFU_ROLE_W1_B, NULL, q, 1);
    d->b[0] =
        d->a[0] ? half(x, SFU_ROLE_W2, SFU_ROLE_W2_A, SFU_ROLE_W2_B, m->t[SFU_ROLE_W2_T], x->in / q, x->taps) : NULL;
    if (!d->b[0])
        return FALSE;
    d->out = sfu_weight_dim(d->a[0], 0) * sfu_weight_dim(d->b[0], 0);
    return TRUE;
}

/* q, which is the whole tensor t of n blocks, is scaled so that its length is `most` or less. 0: any is. */
static void limit_length(float *q, gint64 n, double most)
{
    double sum = 0;
    for (gint64 i = 0; i < n; i++)
        sum += (double)q[i] * q[i];
    for (gint64 i = 0; most > 0 && sqrt(sum) > most && i < n; i++)
        q[i] *= (float)(most / sqrt(sum));
}

/* Blocks B of LyCORIS and kohya's scripts [(stages,) blocks, b, b]: R is the Cayley transform of B - B^T. OFT applies
 * its transpose. */
static gboolean build_oft(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *t = x->m->t[SFU_ROLE_BLOCKS], *alpha = x->m->t[SFU_ROLE_ALPHA],
                        *rescale = x->m->t[SFU_ROLE_RESCALE];
    const gint64 b = t->dims[t->n_dims - 1], n = t->dims[t->n_dims - 3];
    d->kind = SFU_DELTA_ROTATE_OUT;
    d->butterfly = t->n_dims == 4;
    d->n_stages = d->butterfly ? (int)MIN(t->dims[0], 64) : 1;
    d->block = b;
    d->out = n * b;
    if (t->dims[t->n_dims - 2] != b || (alpha && alpha->n_elements != 1) || d->n_stages > 30 ||
        (d->butterfly && (b % 2 || n % ((gint64)1 << (d->n_stages - 1)))) || (rescale && rescale->n_elements != d->out))
        return contradicts(x, t);
    if (b > x->rows)
        return FALSE;
    float *q = values_of(t), *limit = alpha ? values_of(alpha) : NULL;
    for (gint64 k = 0; k < t->n_elements; k += b * b)
        for (gint64 i = 0; i < b; i++)
            for (gint64 j = i; j < b; j++) {
                const float v = q[k + i * b + j] - q[k + j * b + i];
                q[k + i * b + j] = d->butterfly ? v : -v; /* -q gives the transpose */
                q[k + j * b + i] = -q[k + i * b + j];
            }
    limit_length(q, t->n_elements, limit ? (double)*limit * (double)d->out : 0);
    for (gint64 k = 0; k < t->n_elements; k += b * b)
        sfu_cayley(q + k, b, 0);
    d->a[0] = own_matrix(t->name, t->n_elements / b, b, q);
    d->b[0] = rescale ? own_matrix(rescale->name, d->out, 1, values_of(rescale)) : NULL;
    g_free(limit);
    return TRUE;
}

/* PEFT's [blocks, b (b - 1) / 2], the values above the diagonal of skew-symmetric matrices, for the inputs. Its layers
 * for convolutions of several taps do not compute what its merge() does: they are not applied. */
static gboolean build_oft_peft(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *t = x->m->t[SFU_ROLE_SKEW];
    const SfuAlphas *a = x->a->alphas;
    const char *name = x->m->name;
    const gint64 n = dim(t, 0), size = dim(t, 1), b = (gint64)((1 + sqrt(1 + 8.0 * (double)size)) / 2);
    const gboolean series = sfu_alphas_setting(a, name, "use_cayley_neumann", 1) != 0;
    const int terms = series ? (int)sfu_alphas_setting(a, name, "num_cayley_neumann_terms", 5) : 0;
    const double eps = sfu_alphas_setting(a, name, "coft", 0) != 0 ? sfu_alphas_setting(a, name, "eps", 6e-5) : 0;
    d->kind = SFU_DELTA_ROTATE_IN;
    d->n_stages = 1;
    d->block = b;
    if (t->n_dims != 2 || b * (b - 1) / 2 != size)
        return contradicts(x, t);
    if (x->taps != 1 || (n == 1 ? x->in % b : x->in != n * b))
        return FALSE;
    float *v = values_of(t), *q = g_new0(float, n *b *b);
    for (gint64 k = 0; k < n; k++) {
        const float *from = v + k * size;
        float *to = q + k * b * b;
        for (gint64 i = 0; i < b; i++)
            for (gint64 j = i + 1; j < b; j++, from++) {
                to[i * b + j] = series ? *from : -*from; /* without a series, PEFT has the signs the other way round */
                to[j * b + i] = -to[i * b + j];
            }
        limit_length(to, b * b, eps / sqrt((double)n));
        sfu_cayley(to, b, terms);
    }
    g_free(v);
    d->a[0] = own_matrix(t->name, n * b, b, q);
    return TRUE;
}

/* t's values as so many rows of `width`. */
static gboolean build_plain(SfuDelta *d, SfuDeltaKind kind, const SfuFileTensor *t, gint64 width)
{
    d->kind = kind;
    d->out = t->n_elements / width;
    d->scale = 1;
    if (t->n_elements % width)
        return FALSE;
    d->a[0] = own_matrix(t->name, d->out, width, values_of(t));
    return TRUE;
}

/* t's bytes stand for values from low to high, which are one number each. */
static gboolean build_bytes(Builder *x, SfuDelta *d, const SfuFileTensor *t, const SfuFileTensor *low,
                            const SfuFileTensor *high, gint64 width)
{
    if (t->dtype != SFU_U8 || low->n_elements != 1 || high->n_elements != 1)
        return contradicts(x, t);
    if (t->n_elements % width)
        return FALSE;
    float *from = values_of(low), *to = values_of(high);
    d->kind = SFU_DELTA_FULL;
    d->out = t->n_elements / width;
    d->scale = (*to - *from) / 255;
    d->offset = *from;
    d->a[0] = matrix(t);
    g_free(from);
    g_free(to);
    return TRUE;
}

/* PEFT's values: [out, 1] or [1, in]; of convolutions [1, out, 1, 1] or [1, in, 1, 1]. */
static gboolean scales_inputs(const Builder *x, const SfuFileTensor *t)
{
    return dim(t, 0) == 1 && (t->n_dims == 2 || (t->n_elements == x->in && t->n_elements != x->rows));
}

/* One value for each output, or for each input. whole: 1 is what changes nothing, else 0 is. */
static gboolean build_ia3(Builder *x, SfuDelta *d, const SfuFileTensor *t, gboolean by_input, gboolean whole)
{
    if (!build_plain(d, by_input ? SFU_DELTA_SCALE_IN : SFU_DELTA_SCALE_OUT, t, 1))
        return FALSE;
    d->scale = whole ? 0 : 1;
    if (!by_input)
        return TRUE;
    const gboolean fits = d->out == x->in;
    d->out = 0; /* any number of outputs */
    return fits;
}

static gboolean on_input(const SfuAdapterModule *m)
{
    float *v = values_of(m->t[SFU_ROLE_ON_INPUT]);
    const gboolean yes = *v != 0;
    g_free(v);
    return yes;
}

static gboolean set_scale(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *t = x->m->t[SFU_ROLE_ALPHA];
    gint64 rank = rank_of(x->m);
    if (!rank && !t && x->a->alphas && d->kind == SFU_DELTA_KRONECKER) /* PEFT scales products of whole matrices too */
        rank = sfu_alphas_rank(x->a->alphas, x->m->name);
    double alpha = (double)rank;
    d->scale = 1;
    if (t && t->n_elements != 1)
        return contradicts(x, t);
    if (t) {
        float *v = values_of(t);
        alpha = *v;
        g_free(v);
    } else if (x->a->alphas && rank) {
        alpha = sfu_alphas_of(x->a->alphas, x->m->name, rank);
    }
    if (rank && d->kind != SFU_DELTA_FULL)
        d->scale = (float)(alpha / (double)rank);
    return TRUE;
}

static gboolean set_magnitude(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *t = x->m->t[SFU_ROLE_DORA] ? x->m->t[SFU_ROLE_DORA] : x->m->t[SFU_ROLE_MAGNITUDE];
    if (!t)
        return TRUE;
    /* LyCORIS: [out, 1, ..] or [1, in, ..]; PEFT: one an output, [out] or [1, out, 1, 1]. */
    d->by_input = x->m->t[SFU_ROLE_DORA] && dim(t, 0) != d->out;
    if (t->n_elements != (d->by_input ? d->in : d->out))
        return contradicts(x, t);
    d->magnitude = own_matrix(t->name, t->n_elements, 1, values_of(t));
    return TRUE;
}

static gboolean build(Builder *x, SfuDelta *d, gboolean bias)
{
    const SfuAdapterModule *m = x->m;
    const SfuFileTensor *b = m->t[SFU_ROLE_DIFF_B]   ? m->t[SFU_ROLE_DIFF_B]
                             : m->t[SFU_ROLE_NORM_B] ? m->t[SFU_ROLE_NORM_B]
                                                     : m->t[SFU_ROLE_UP_BIAS];
    if (bias && b)
        return build_plain(d, SFU_DELTA_FULL, b, 1) && (b != m->t[SFU_ROLE_UP_BIAS] || set_scale(x, d));
    if (bias && has_bytes_b(m))
        return build_bytes(x, d, m->t[SFU_ROLE_BYTES_B], m->t[SFU_ROLE_LOW_B], m->t[SFU_ROLE_HIGH_B], 1);
    if (bias) /* PEFT's IA3 on outputs multiplies the bias as well */
        return !scales_inputs(x, m->t[SFU_ROLE_IA3]) && build_ia3(x, d, m->t[SFU_ROLE_IA3], FALSE, TRUE);
    const Kind k = kind_of(m);
    switch (k) {
    case KIND_LORA:
        return build_lora(x, d) && set_scale(x, d) && set_magnitude(x, d);
    case KIND_LOHA:
        return build_loha(x, d) && set_scale(x, d) && set_magnitude(x, d);
    case KIND_LOKR:
        return build_lokr(x, d) && set_scale(x, d) && set_magnitude(x, d);
    case KIND_GLORA:
        return build_glora(x, d) && set_scale(x, d);
    case KIND_OFT:
    case KIND_BOFT:
        return build_oft(x, d);
    case KIND_OFT_PEFT:
        return build_oft_peft(x, d);
    case KIND_FULL:
        return build_plain(d, SFU_DELTA_FULL, m->t[SFU_ROLE_DIFF], x->in * x->taps) && set_magnitude(x, d);
    case KIND_BYTES:
        return build_bytes(x, d, m->t[SFU_ROLE_BYTES], m->t[SFU_ROLE_LOW], m->t[SFU_ROLE_HIGH], x->in * x->taps);
    case KIND_IA3:
        return build_ia3(x, d, m->t[SFU_ROLE_WEIGHT], on_input(m), FALSE);
    case KIND_IA3_PEFT:
        return build_ia3(x, d, m->t[SFU_ROLE_IA3], scales_inputs(x, m->t[SFU_ROLE_IA3]), TRUE);
    default: /* a norm's weight has one value a row; a matrix would be read beyond them */
        return x->in * x->taps == 1 && build_plain(d, SFU_DELTA_FULL, m->t[SFU_ROLE_NORM_W], 1);
    }
}

SfuDelta *sfu_adapter_delta(const SfuAdapter *a, guint i, gboolean bias, gint64 rows, gint64 in, gint64 taps,
                            GError **error)
{
    SfuDelta *d = g_new0(SfuDelta, 1);
    Builder x = {.a = a, .m = module_at(a, i), .rows = rows, .in = in, .taps = taps, .error = error};
    d->in = in;
    d->taps = taps;
    if (build(&x, d, bias))
        return d;
    sfu_delta_free(d);
    return NULL;
}
