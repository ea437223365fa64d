/* Files of textual inversion.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/embedding.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define MOST_WIDTH 65536

void sfu_embedding_free(SfuEmbedding *e)
{
    for (int i = 0; e && i < SFU_EMBEDDING_SLOTS; i++)
        g_free(e->rows[i]);
    g_free(e);
}

/* The text encoder that a tensor is for: 1 if its name says so, else 0. */
static int slot_of(const char *name)
{
    return g_str_has_suffix(name, "clip_g") || g_str_has_suffix(name, "text_encoders_1");
}

/* What stands before the vectors' own name in a bundle is taken off; NULL: another's. */
static const char *inner_name(const char *name, const char *bundle)
{
    char *prefix = bundle ? g_strdup_printf("bundle_emb.%s.", bundle) : NULL;
    const char *inner = !prefix ? name : g_str_has_prefix(name, prefix) ? name + strlen(prefix) : NULL;
    g_free(prefix);
    return inner;
}

static gboolean add_vectors(SfuEmbedding *e, const SfuFileTensor *t, const char *path, GError **error)
{
    const int slot = slot_of(t->name);
    const gint64 width = t->n_dims ? t->dims[t->n_dims - 1] : 0, n = width ? t->n_elements / width : 0;
    if (n < 1 || n > SFU_EMBEDDING_MOST || width > MOST_WIDTH || t->n_dims > 3)
        return sfu_file_fail(error, path, _("'%s' is not a list of one to %d vectors"), t->name, SFU_EMBEDDING_MOST);
    if (e->rows[slot] || (e->n && e->n != n))
        return sfu_file_fail(error, path, _("its tensors are not those of one word ('%s' is one too many)"), t->name);
    SfuWeight *w = sfu_file_tensor_weight(t, t->name);
    e->n = (int)n;
    e->width[slot] = (int)width;
    e->rows[slot] = g_new(float, t->n_elements);
    sfu_weight_read_f32(w, 0, t->n_elements, e->rows[slot]);
    sfu_weight_destroy(w);
    for (gint64 i = 0; i < t->n_elements; i++)
        if (!isfinite(e->rows[slot][i]))
            return sfu_file_fail(error, path, _("'%s' holds values that are not numbers (NaN or infinity)"), t->name);
    return TRUE;
}

SfuEmbedding *sfu_embedding_read(const char *path, const char *bundle, GError **error)
{
    SfuFile *f = sfu_file_open(path, error);
    if (!f)
        return NULL;
    SfuEmbedding *e = g_new0(SfuEmbedding, 1);
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < f->tensors->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        const char *inner = inner_name(t->name, bundle);
        const gboolean vectors =
            t->dtype == SFU_F32 || t->dtype == SFU_F16 || t->dtype == SFU_BF16 || t->dtype == SFU_F64;
        if (inner && vectors && t->n_dims)
            ok = add_vectors(e, t, path, error);
    }
    if (ok && !e->n)
        ok = sfu_file_fail(error, path, _("it holds no vectors that could stand for a word"));
    ok = ok && sfu_file_check_intact(f, error);
    sfu_file_close(f);
    if (ok)
        return e;
    sfu_embedding_free(e);
    return NULL;
}

const float *sfu_embedding_rows(const SfuEmbedding *e, int i, int n_encoders, int width)
{
    for (int slot = 0; slot < SFU_EMBEDDING_SLOTS; slot++) {
        const gboolean meant = n_encoders == 1 ? TRUE : slot == i;
        if (meant && e->rows[slot] && e->width[slot] == width)
            return e->rows[slot];
    }
    return NULL;
}
