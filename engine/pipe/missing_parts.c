/* Models that come in pieces: a transformer in one file, its autoencoder and its text encoder in others. What a model
 * lacks is in the file that a parameter names, or is found: beside the model, as ComfyUI and diffusers lay their
 * folders out, or in the model folders.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <glib/gi18n-lib.h>

typedef struct {
    SfuPart part;
    SfuParam param;
    const char *name;
} Piece;

static const Piece pieces[] = {{SFU_PART_VAE, SFU_PARAM_VAE, N_("autoencoder (VAE)")},
                               {SFU_PART_TEXT, SFU_PARAM_TEXT, N_("text encoder")},
                               {SFU_PART_TEXT2, SFU_PARAM_TEXT2, N_("second text encoder")}};

static const Piece *piece_of(SfuPart part)
{
    const Piece *piece = pieces;
    while (piece->part != part)
        piece++;
    return piece;
}

static const char *parameter_name(const Piece *piece)
{
    int n;
    return sfu_param_table(&n)[piece->param].name;
}

/* The file that the parameter names, checked. */
static SfuLoaded *load_named(SfuRun *r, const SfuLoaded *m, const Piece *piece, GError **error)
{
    char *path = sfu_part_resolve(sfu_params_text(r->p, piece->param), parameter_name(piece), error);
    SfuLoaded *l = path ? sfu_engine_load(r->e, path, error) : NULL;
    const SfuFamily *f = sfu_model_family(m->model);
    const gboolean has = l && sfu_model_has_part(l->model, piece->part);
    if (l && !has && piece->part != SFU_PART_VAE) { /* in a VAE's place may be a tiny one */
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s holds no %s."), path, _(piece->name));
        l = NULL;
    }
    if (has && f->fits && !f->fits(m->model, l->model, piece->part, error))
        l = NULL;
    if (l)
        sfu_params_put_text(r->p, piece->param, path);
    g_free(path);
    return l;
}

SfuLoaded *sfu_run_load_piece(SfuRun *r, SfuLoaded *m, SfuPart part, GError **error)
{
    const Piece *piece = piece_of(part);
    if (*sfu_params_text(r->p, piece->param))
        return load_named(r, m, piece, error);
    if (sfu_model_has_part(m->model, part) || !sfu_model_family(m->model)->fits)
        return m;
    if (!m->pieces[part]) {
        char *where = NULL;
        m->pieces[part] = sfu_piece_find(m->model, part, &where);
        if (!m->pieces[part])
            g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL,
                        _("%s has no %s, and none that fits it was found in %s; the parameter %s names one."), m->path,
                        _(piece->name), where, parameter_name(piece));
        g_free(where);
    }
    return m->pieces[part] ? sfu_engine_load(r->e, m->pieces[part], error) : NULL;
}
