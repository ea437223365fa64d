/* The list of families, and opening a model: whose is it?
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/ncnn_graph.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "model/canonical_names.h"
#include <string.h>
#include <glib/gi18n-lib.h>

/* In the order in which they are asked: one whose files hold another's tensors as well comes before it. */
static const SfuFamily *const families[] = {
    &sfu_family_control,    &sfu_family_inpaint_head, &sfu_family_t2i,
    &sfu_family_ip_adapter, &sfu_family_vision,       &sfu_family_zimage_control,
    &sfu_family_zimage,     &sfu_family_flux2,        &sfu_family_mini,
    &sfu_family_sd_x4,      &sfu_family_sdxl,         &sfu_family_sd1, /* with its variants */
    &sfu_family_lama,       &sfu_family_migan,        &sfu_family_taesd,
    &sfu_family_rrdb,       &sfu_family_hat,          &sfu_family_swinir,
    &sfu_family_span,       &sfu_family_plksr,        &sfu_family_omnisr,
    &sfu_family_dat,        &sfu_family_srformer,     &sfu_family_srvgg,
    &sfu_family_qwen3,      &sfu_family_vae,          &sfu_family_text_encoder,
};

/* Training programs wrap the weights: they put words before every name, for what is saved beside them ("params",
 * "state_dict"), for pairs of networks
 * ("net_g", "generator"), for many devices ("module") and for compiled modules ("_orig_mod"). In the order in which
 * they are asked; but a wrap with one of `averages` comes before all others: the average of the weights over the last
 * steps (EMA) makes the better pictures. */
static const char *const averages[] = {
    "params_ema", "params-ema",  "net_g_ema",      "netG_ema",       "generator_ema", "g_ema",     "G_ema",
    "gen_ema",    "model_ema",   "ema_state_dict", "state_dict_ema", "ema_model",     "ema_state", "ema_net",
    "ema_params", "ema_weights", "averaged_model", "ema_generator",  "ema",           NULL};
static const char *const words[] = {
    "params",   "state_dict", "model_state_dict", "state",     "weights", "model", "net",          "network",
    "net_g",    "netG",       "generator",        "g",         "G",       "gen",   "online_model", "shadow",
    "sr_model", "upscaler",   "module",           "_orig_mod", NULL};
#define MOST_WORDS 5

/* Place of the word [n] in a list; -1: it is not there. */
static int place_of(const char *word, gsize n, const char *const *list)
{
    for (int i = 0; list[i]; i++)
        if (strlen(list[i]) == n && strncmp(list[i], word, n) == 0)
            return i;
    return -1;
}

/* Whether the wrap [n], which ends in a dot, is made of those words alone; *rank: the smaller, the sooner it is asked.
 */
static gboolean is_wrap(const char *wrap, gsize n, int *rank)
{
    int n_words = 0, average = -1, first = -1;
    for (gsize at = 0; at < n;) {
        const gsize length = (gsize)((const char *)memchr(wrap + at, '.', n - at) - (wrap + at));
        const int a = place_of(wrap + at, length, averages), w = place_of(wrap + at, length, words);
        if ((a < 0 && w < 0) || ++n_words > MOST_WORDS)
            return FALSE;
        if (a >= 0 && average < 0)
            average = a;
        if (first < 0)
            first = w >= 0 ? w : 0;
        at += length + 1;
    }
    *rank = average >= 0 ? average : n ? 100 + first : 1000;
    return TRUE;
}

gboolean sfu_family_take(SfuModel *m, const SfuFamily *f, const SfuSource *s, GError **error)
{
    for (guint i = 0; i < s->file->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(s->file->tensors, i);
        if (!g_str_has_prefix(t->name, s->wrap)) {
            g_ptr_array_add(m->ignored, g_strdup(t->name)); /* optimizer state, the copy that is not the EMA */
            continue;
        }
        const char *inner = t->name + strlen(s->wrap);
        SfuPart part = f->canonical ? SFU_N_PARTS : SFU_PART_UPSCALER;
        const gboolean ignorable = f->ignores && f->ignores(inner);
        char *name = ignorable ? NULL : f->canonical ? f->canonical(s, inner, &part) : g_strdup(inner);
        if (!sfu_model_add_named(m, part, name, t, ignorable, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean refuse_checkpoint_pickle(const char *path, GError **error)
{
    g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_REFUSED,
                _("%s is a PyTorch pickle file, which can run programs when it is read; convert it to safetensors "
                  "(any \"ckpt to safetensors\" converter does) and open that"),
                path);
    return FALSE;
}

static gboolean holds_checkpoint(const SfuFile *f)
{
    for (guint i = 0; i < f->tensors->len; i++)
        if (strstr(((SfuFileTensor *)g_ptr_array_index(f->tensors, i))->name, "model.diffusion_model."))
            return TRUE;
    return FALSE;
}

typedef struct {
    char *text;
    int rank;
} Wrap;

static void wrap_clear(gpointer p)
{
    g_free(((Wrap *)p)->text);
}

static gint compare_wraps(gconstpointer a, gconstpointer b)
{
    const Wrap *x = a, *y = b;
    return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) : strcmp(x->text, y->text);
}

/* What the names of a file begin with, up to a dot, in the order in which it is asked; "" is among them. known: made of
 * the words above; else: the others. */
static GArray *wraps_of(const SfuFile *f, gboolean known)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(Wrap));
    GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_array_set_clear_func(all, wrap_clear);
    for (guint i = 0; i < f->tensors->len; i++) {
        const char *name = ((SfuFileTensor *)g_ptr_array_index(f->tensors, i))->name;
        int n_words = 0;
        for (const char *at = name; at && n_words <= MOST_WORDS;
             at = strchr(at, '.'), at = at ? at + 1 : NULL, n_words++) {
            const gsize n = (gsize)(at - name);
            Wrap w = {0};
            if (is_wrap(name, n, &w.rank) != known)
                continue;
            w.text = g_strndup(name, n);
            if (g_hash_table_contains(seen, w.text)) { /* adding it again would put this text in the other's place */
                g_free(w.text);
                continue;
            }
            g_hash_table_add(seen, w.text);
            g_array_append_val(all, w);
        }
    }
    g_hash_table_unref(seen);
    g_array_sort(all, compare_wraps);
    return all;
}

/* The first family that knows the file behind one of the wraps; *wrap is then that one (caller frees with g_free).
 * NULL: none. */
static const SfuFamily *recognize(SfuSource *s, gboolean known, char **wrap)
{
    GArray *wraps = wraps_of(s->file, known);
    const SfuFamily *found = NULL;
    for (guint i = 0; i < wraps->len && !found; i++) {
        s->wrap = g_array_index(wraps, Wrap, i).text;
        for (gsize k = 0; k < G_N_ELEMENTS(families) && !found; k++)
            if (families[k]->recognize && (known || families[k]->upscaler) && families[k]->recognize(s))
                found = families[k];
    }
    *wrap = found ? g_strdup(s->wrap) : NULL;
    s->wrap = found ? *wrap : "";
    g_array_unref(wraps);
    return found;
}

/* Sets FAMILY, with the reason, if a network stands behind words that are unknown: which of several is meant, nobody
 * could tell. */
static gboolean fail_wrapped(SfuSource *s, GError **error)
{
    char *wrap;
    const SfuFamily *f = recognize(s, FALSE, &wrap);
    if (f)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s looks like %s, but its tensor names begin with '%s', which Sfumato does not know from any "
                      "training program"),
                    s->path, f->name, wrap);
    g_free(wrap);
    return f != NULL;
}

static gboolean refuse_foreign(const char *path, const char *name, GError **error)
{
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                _("%s is a network of the kind %s, which Sfumato does not run; it enlarges with ESRGAN, Compact, SPAN, "
                  "SwinIR, HAT, DAT, OmniSR, PLKSR, RealPLKSR and SRFormer"),
                path, name);
    return FALSE;
}

static gboolean fail_unknown(SfuSource *s, GError **error)
{
    const SfuFile *f = s->file;
    const char *path = s->path;
    const char *foreign = sfu_names_foreign(f->tensors);
    if (foreign)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, _("%s is %s"), path, foreign);
    else if (!f->tensors->len)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, _("%s holds no tensors"), path);
    else if ((foreign = sfu_family_foreign(f, TRUE)))
        refuse_foreign(path, foreign, error);
    else if (!fail_wrapped(s, error))
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s: Sfumato knows no model with these tensors ('%s' and %u more)"), path,
                    ((SfuFileTensor *)g_ptr_array_index(f->tensors, 0))->name, f->tensors->len - 1);
    return FALSE;
}

/* The first ControlNets were published so, beside the model that they were trained with. */
static gboolean holds_control(const SfuFile *f)
{
    for (guint i = 0; i < f->tensors->len; i++)
        if (strstr(((SfuFileTensor *)g_ptr_array_index(f->tensors, i))->name, "control_model.zero_convs."))
            return TRUE;
    return FALSE;
}

static gboolean open_file(SfuModel *m, GError **error)
{
    char *wrap;
    const SfuFile *f = sfu_model_add_file(m, m->path, error);
    if (!f)
        return FALSE;
    if (f->pickle && holds_checkpoint(f) && !holds_control(f))
        return refuse_checkpoint_pickle(m->path, error);
    if (f->graph && !sfu_ncnn_name(f, m->path, &m->upscaler.reduction, error))
        return FALSE;
    const char *foreign = sfu_family_foreign(f, FALSE);
    if (foreign)
        return refuse_foreign(m->path, foreign, error);
    SfuSource s = {.path = m->path, .file = f, .names = g_hash_table_new(g_str_hash, g_str_equal)};
    for (guint i = 0; i < f->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        g_hash_table_insert(s.names, t->name, t);
    }
    m->family = recognize(&s, TRUE, &wrap);
    const gboolean ok = !m->family        ? fail_unknown(&s, error)
                        : m->family->open ? m->family->open(m, &s, error)
                                          : sfu_family_take(m, m->family, &s, error);
    g_hash_table_unref(s.names);
    g_free(wrap);
    return ok;
}

static gboolean open_folder(SfuModel *m, GError **error)
{
    if (!sfu_model_read_folder(m, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(families) && !m->family; i++)
        if (families[i]->claims && families[i]->claims(m))
            m->family = families[i];
    if (!m->family)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, _("%s: Sfumato knows no model with these networks"),
                    m->path);
    return m->family != NULL;
}

/* A known network with more in it is another one, which cannot be run by leaving that out. */
static gboolean check_more(const SfuModel *m, GError **error)
{
    const GPtrArray *strays = sfu_model_strays(m);
    const char *what = sfu_names_of_more(strays);
    if (what)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s is %s ('%s' and %u more tensors say so); Sfumato does not run it"), m->path, what,
                    (const char *)g_ptr_array_index(strays, 0), strays->len - 1);
    return what == NULL;
}

SfuModel *sfu_model_open(const char *path, GError **error)
{
    SfuModel *m = sfu_model_new(path);
    gboolean ok;
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        ok = open_folder(m, error);
    else
        ok = open_file(m, error);
    if (ok && m->family->configure(m, error)) {
        if (m->family->upscaler)
            sfu_upscaler_expect(m, m->family->upscaler);
        else
            m->family->expect(m);
        if (check_more(m, error))
            return m;
    }
    sfu_model_close(m);
    return NULL;
}
