/* Models that come in pieces: a transformer in one file, its autoencoder and its text encoder in others. What a model
 * lacks is in the file that a parameter names, or is found: beside the model, as ComfyUI and diffusers lay their folders
 * out, or in the model folders.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#define DEPTH 2 /* folders below one with parts that are looked into */

typedef struct {
    SfuPart part;
    SfuParam param;
    const char *name;
    const char *const *folders; /* beside the model's own folder */
} Piece;

static const char *const vae_folders[] = {"vae", "VAE", "ae", NULL};
static const char *const text_folders[] = {"text_encoders", "text_encoder", "clip", "CLIP", "TextEncoder", NULL};
static const Piece pieces[] = {{SFU_PART_VAE, SFU_PARAM_VAE, N_("autoencoder (VAE)"), vae_folders},
                               {SFU_PART_TEXT, SFU_PARAM_TEXT, N_("text encoder"), text_folders}};

static const Piece *piece_of(SfuPart part)
{
    return part == SFU_PART_VAE ? &pieces[0] : &pieces[1];
}

static const char *parameter_name(const Piece *piece)
{
    int n;
    return sfu_param_table(&n)[piece->param].name;
}

const char *sfu_piece_name(SfuPart part)
{
    return _(piece_of(part)->name);
}

/* Whether `path` is a part for m. Files that are no models are none. */
static gboolean fits(const SfuModel *m, const char *path, SfuPart part)
{
    SfuModel *other = strcmp(path, sfu_model_path(m)) == 0 ? NULL : sfu_model_open(path, NULL);
    const gboolean ok = other && sfu_model_has_part(other, part) &&
                        sfu_model_family(m)->fits(m, other, part, NULL);
    sfu_model_close(other);
    return ok;
}

/* The first model below the folder that is such a part; caller frees, NULL: none. */
static char *search(const SfuModel *m, const char *folder, SfuPart part, int depth)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    char *found = NULL;
    g_ptr_array_add(paths, g_strdup(folder)); /* it may be a network's own */
    sfu_model_files(paths, folder, depth, TRUE);
    for (guint i = 0; i < paths->len && !found; i++)
        if (fits(m, paths->pdata[i], part))
            found = g_strdup(paths->pdata[i]);
    g_ptr_array_unref(paths);
    return found;
}

char *sfu_piece_find(const SfuModel *m, SfuPart part, char **where)
{
    char *path = g_canonicalize_filename(sfu_model_path(m), NULL), *own = g_path_get_dirname(path),
         *parent = g_path_get_dirname(own), *found = NULL;
    GPtrArray *looked = g_ptr_array_new_with_free_func(g_free);
    char **folders = sfu_model_folders(NULL);
    for (const char *const *name = piece_of(part)->folders; *name && !found; name++) {
        char *beside = g_build_filename(parent, *name, NULL);
        if (g_file_test(beside, G_FILE_TEST_IS_DIR)) {
            found = search(m, beside, part, DEPTH);
            g_ptr_array_add(looked, g_steal_pointer(&beside));
        }
        g_free(beside);
    }
    if (!found)
        found = search(m, own, part, 0);
    g_ptr_array_add(looked, g_strdup(own));
    for (int i = 0; folders[i] && !found; i++) {
        if (g_file_test(folders[i], G_FILE_TEST_IS_DIR))
            found = search(m, folders[i], part, DEPTH + 1);
        if (!g_ptr_array_find_with_equal_func(looked, folders[i], g_str_equal, NULL))
            g_ptr_array_add(looked, g_strdup(folders[i]));
    }
    g_ptr_array_add(looked, NULL);
    if (where)
        *where = g_strjoinv(", ", (char **)looked->pdata);
    g_strfreev(folders);
    g_ptr_array_unref(looked);
    g_free(parent);
    g_free(own);
    g_free(path);
    return found;
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
