/* The list of families, and opening a model: whose is it?
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/registry.h"
#include "model/internal.h"
#include "model/names.h"
#include <string.h>
#include <glib/gi18n-lib.h>

/* In the order in which they are asked: one whose files hold another's tensors as well comes before it. */
static const SfuFamily *const families[] = {
    &sfu_family_mini,  &sfu_family_sd_x4, &sfu_family_sd1, /* with its variants */
    &sfu_family_taesd, &sfu_family_rrdb,  &sfu_family_hat,          &sfu_family_swinir,
    &sfu_family_span,  &sfu_family_plksr,
    &sfu_family_srvgg, &sfu_family_vae,   &sfu_family_text_encoder,
};

/* Training programs wrap the weights; EMA copies come first, since they make the better pictures. Inside, programs for
 * many GPUs, for compiled modules and for pairs of networks put a word before every name. */
static const char *const wraps[] = {
    "params_ema.", "params-ema.", "net_g_ema.", "params.", "state_dict.", "model_state_dict.", "model.",
    "net.",        "net_g.",      "generator.", ""};
static const char *const prefixes[] = {"", "module.", "_orig_mod.", "netG.", "net_g.", "generator."};

gboolean sfu_family_take(SfuModel *m, const SfuFamily *f, const SfuSource *s, GError **error)
{
    for (guint i = 0; i < s->file->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(s->file->tensors, i);
        if (!g_str_has_prefix(t->name, s->wrap)) {
            g_ptr_array_add(m->ignored, g_strdup(t->name)); /* optimizer state, the copy that is not the EMA */
            continue;
        }
        const char *inner = t->name + strlen(s->wrap);
        SfuPart part = SFU_PART_UPSCALER;
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

/* The family of a file; the wrap is then set. NULL: none. */
static const SfuFamily *recognize(SfuSource *s, char *wrap, gsize size)
{
    s->wrap = wrap;
    for (gsize i = 0; i < G_N_ELEMENTS(wraps) * G_N_ELEMENTS(prefixes); i++) {
        const SfuSource bare = {.file = s->file, .wrap = ""};
        g_snprintf(wrap, size, "%s%s", wraps[i / G_N_ELEMENTS(prefixes)], prefixes[i % G_N_ELEMENTS(prefixes)]);
        if (!sfu_source_has_prefix(&bare, wrap))
            continue;
        for (gsize k = 0; k < G_N_ELEMENTS(families); k++)
            if (families[k]->recognize && families[k]->recognize(s))
                return families[k];
    }
    return NULL;
}

static gboolean fail_unknown(const SfuFile *f, const char *path, GError **error)
{
    const char *foreign = NULL;
    for (guint i = 0; i < f->tensors->len && !foreign; i++)
        foreign = sfu_name_foreign(((SfuFileTensor *)g_ptr_array_index(f->tensors, i))->name);
    if (foreign)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "%s is %s", path, foreign);
    else if (!f->tensors->len)
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, _("%s holds no tensors"), path);
    else
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s: its tensors ('%s' and %u more) are those of no model that Sfumato knows"), path,
                    ((SfuFileTensor *)g_ptr_array_index(f->tensors, 0))->name, f->tensors->len - 1);
    return FALSE;
}

static gboolean open_file(SfuModel *m, GError **error)
{
    char wrap[40];
    const SfuFile *f = sfu_model_add_file(m, m->path, error);
    if (!f)
        return FALSE;
    if (f->pickle && holds_checkpoint(f))
        return refuse_checkpoint_pickle(m->path, error);
    SfuSource s = {.path = m->path, .file = f, .names = g_hash_table_new(g_str_hash, g_str_equal)};
    for (guint i = 0; i < f->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        g_hash_table_insert(s.names, t->name, t);
    }
    m->family = recognize(&s, wrap, sizeof wrap);
    const gboolean ok = !m->family        ? fail_unknown(f, m->path, error)
                        : m->family->open ? m->family->open(m, &s, error)
                                          : sfu_family_take(m, m->family, &s, error);
    g_hash_table_unref(s.names);
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
        g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                    _("%s: its networks are those of no model that Sfumato knows"), m->path);
    return m->family != NULL;
}

SfuModel *sfu_model_open(const char *path, GError **error)
{
    SfuModel *m = sfu_model_new(path);
    gboolean ok;
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        ok = open_folder(m, error);
    else if (g_str_has_suffix(path, ".ckpt")) /* a name for nothing but pickled checkpoints */
        ok = refuse_checkpoint_pickle(path, error);
    else
        ok = open_file(m, error);
    if (ok && m->family->configure(m, error)) {
        sfu_model_expect(m);
        if (m->family->upscaler)
            sfu_upscaler_expect(m, m->family->upscaler);
        return m;
    }
    sfu_model_close(m);
    return NULL;
}
