/* Models into the engine, and the networks of a model.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>
#include <glib/gi18n-lib.h>

void sfu_loaded_free(gpointer p)
{
    SfuLoaded *l = p;
    for (int i = 0; i < SFU_MAX_TEXTS; i++)
        sfu_text_encoder_destroy(l->text[i]);
    sfu_qwen3_destroy(l->language);
    sfu_byte_tokenizer_free(l->byte_tokenizer);
    sfu_denoiser_destroy(l->denoiser);
    sfu_autoencoder_destroy(l->autoencoder);
    sfu_upscaler_destroy(l->upscaler);
    sfu_remover_destroy(l->remover);
    sfu_control_destroy(l->control);
    sfu_vision_destroy(l->vision);
    sfu_model_close(l->model);
    for (int i = 0; i < SFU_N_PARTS; i++)
        g_free(l->pieces[i]);
    g_free(l->path);
    g_free(l);
}

void sfu_engine_forget_words(SfuEngine *e)
{
    g_clear_pointer(&e->encodings, g_ptr_array_unref);
}

SfuDenoiser *sfu_loaded_denoiser(SfuLoaded *l, SfuQueue *q, GError **error)
{
    const SfuFamily *f = sfu_model_family(l->model);
    if (!f->denoiser)
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s holds no UNet."), l->path);
    else if (!l->denoiser)
        l->denoiser = f->denoiser(q, l->model, error);
    return l->denoiser;
}

SfuControl *sfu_loaded_control(SfuLoaded *l, SfuQueue *q, GError **error)
{
    if (!l->control)
        l->control = sfu_model_family(l->model)->control(q, l->model, error);
    return l->control;
}

SfuAutoencoder *sfu_loaded_autoencoder(SfuLoaded *l, SfuQueue *q, GError **error)
{
    const SfuFamily *f = sfu_model_family(l->model);
    if (!f->autoencoder)
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s holds no autoencoder."), l->path);
    else if (!l->autoencoder)
        l->autoencoder = f->autoencoder(q, l->model, error);
    return l->autoencoder;
}

SfuLoaded *sfu_engine_load(SfuEngine *e, const char *path, GError **error)
{
    for (guint i = 0; i < e->loaded->len; i++) {
        SfuLoaded *l = g_ptr_array_index(e->loaded, i);
        if (strcmp(l->path, path) != 0)
            continue;
        if (sfu_model_check_unchanged(l->model, NULL))
            return l;
        /* The job may be at work with it: a VAE can lie in the file of the model. */
        g_ptr_array_add(e->outdated, g_ptr_array_steal_index(e->loaded, i));
        break;
    }
    SfuModel *m = sfu_model_open(path, error);
    if (!m)
        return NULL;
    SfuLoaded *l = g_new0(SfuLoaded, 1);
    l->path = g_strdup(path);
    l->model = m;
    g_ptr_array_add(e->loaded, l);
    return l;
}

/* Before a job, while nothing is in use: what has changed on disk goes, and frees its memory. */
static void drop_outdated(SfuEngine *e)
{
    for (guint i = e->loaded->len; i-- > 0;)
        if (!sfu_model_check_unchanged(((SfuLoaded *)g_ptr_array_index(e->loaded, i))->model, NULL))
            g_ptr_array_add(e->outdated, g_ptr_array_steal_index(e->loaded, i));
    if (e->outdated->len) {
        sfu_engine_forget_words(e);
        g_clear_pointer(&e->adapters, sfu_adapters_free);
    }
    g_ptr_array_set_size(e->outdated, 0);
}

/* A file with more in its networks than Sfumato runs may make other pictures than it should: that is said. */
static void note_strays(SfuRun *r, const SfuLoaded *m)
{
    const GPtrArray *strays = sfu_model_strays(m->model);
    if (strays->len)
        r->note = g_strdup_printf(
            g_dngettext(GETTEXT_PACKAGE,
                        "%s holds %u tensor that %s does not have ('%s'); the picture may not be what the model "
                        "should make.",
                        "%s holds %u tensors that %s does not have (the first is '%s'); the picture may not be what "
                        "the model should make.",
                        strays->len),
            m->path, strays->len, sfu_model_family(m->model)->name, (const char *)g_ptr_array_index(strays, 0));
}

SfuLoaded *sfu_run_load(SfuRun *r, GError **error)
{
    char *path = sfu_model_resolve(sfu_params_text(r->p, SFU_PARAM_MODEL), r->task, error);
    if (!path)
        return NULL;
    drop_outdated(r->e);
    SfuLoaded *m = sfu_run_stage(r, SFU_STAGE_LOAD, error) ? sfu_engine_load(r->e, path, error) : NULL;
    if (m && !(sfu_model_family(m->model)->tasks & 1u << r->task)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s is a model of the family %s, which cannot do %s."), path,
                    sfu_model_family(m->model)->name, sfu_task_name(r->task));
        m = NULL;
    }
    if (m)
        note_strays(r, m);
    if (m)
        sfu_params_put_text(r->p, SFU_PARAM_MODEL, path);
    g_free(path);
    return m;
}
