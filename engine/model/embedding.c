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

/* The slot of a list's vectors, which have no names: two widths are two encoders, the wider one's is the second. */
static int slot_by_width(SfuEmbedding *e, gint64 width)
{
    if (!e->rows[0] || e->width[0] == width)
        return 0;
    if (!e->rows[1] && width < e->width[0]) {
        e->rows[1] = g_steal_pointer(&e->rows[0]);
        e->width[1] = e->width[0];
        e->n_in[1] = e->n_in[0];
        return 0;
    }
    return 1;
}

static gboolean add_vectors(SfuEmbedding *e, const SfuFileTensor *t, const char *path, GError **error)
{
    const gboolean listed = g_ascii_isdigit(t->name[0]) && strchr(t->name, '.');
    const gint64 width = t->n_dims ? t->dims[t->n_dims - 1] : 0, n = width ? t->n_elements / width : 0;
    const int slot = listed ? slot_by_width(e, width) : slot_of(t->name);
    if (n < 1 || n > SFU_EMBEDDING_MOST || width > MOST_WIDTH || t->n_dims > 3)
        return sfu_file_fail(error, path, _("'%s' is not a list of one to %d vectors"), t->name, SFU_EMBEDDING_MOST);
    const gint64 before = listed && e->rows[slot] ? e->n_in[slot] : 0; /* a list's vectors follow each other */
    if (before + n > SFU_EMBEDDING_MOST || (e->rows[slot] && (!before || e->width[slot] != width)))
        return sfu_file_fail(error, path, _("its tensors are not those of one word ('%s' is one too many)"), t->name);
    SfuWeight *w = sfu_file_tensor_weight(t, t->name);
    e->n_in[slot] = (int)(before + n);
    e->width[slot] = (int)width;
    e->rows[slot] = g_renew(float, e->rows[slot], (before + n) * width);
    float *rows = e->rows[slot] + before * width;
    sfu_weight_read_f32(w, 0, t->n_elements, rows);
    sfu_weight_destroy(w);
    for (gint64 i = 0; i < t->n_elements; i++)
        if (!isfinite(rows[i]))
            return sfu_file_fail(error, path, _("'%s' holds values that are not numbers (NaN or infinity)"), t->name);
    return TRUE;
}

/* The encoders of a pair get as many vectors. */
static gboolean check_pair(SfuEmbedding *e, const char *path, GError **error)
{
    if (e->rows[0] && e->rows[1] && e->n_in[0] != e->n_in[1])
        return sfu_file_fail(error, path, _("it has %d vectors for one text encoder and %d for the other"), e->n_in[0],
                             e->n_in[1]);
    e->n = MAX(e->n_in[0], e->n_in[1]);
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
    ok = ok && check_pair(e, path, error);
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
