/* What a run needs of its model: networks, conditioning, sizes, guidance; taken from the model's configuration.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

static gint64 json_int(JsonObject *o, const char *name, gint64 fallback)
{
    JsonNode *n = o && json_object_has_member(o, name) ? json_object_get_member(o, name) : NULL;
    return n && JSON_NODE_HOLDS_VALUE(n) ? json_node_get_int(n) : fallback;
}

JsonObject *sfu_json_child(JsonObject *o, const char *name)
{
    JsonNode *n = o && json_object_has_member(o, name) ? json_object_get_member(o, name) : NULL;
    return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

double sfu_json_number(JsonObject *o, const char *name, double fallback)
{
    JsonNode *n = o && json_object_has_member(o, name) ? json_object_get_member(o, name) : NULL;
    if (!n || !JSON_NODE_HOLDS_VALUE(n))
        return fallback;
    const GType t = json_node_get_value_type(n);
    return t == G_TYPE_INT64 ? (double)json_node_get_int(n) : t == G_TYPE_DOUBLE ? json_node_get_double(n) : fallback;
}

static gboolean json_is(JsonObject *o, const char *name, const char *value)
{
    JsonNode *n = o && json_object_has_member(o, name) ? json_object_get_member(o, name) : NULL;
    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING &&
           strcmp(json_node_get_string(n), value) == 0;
}

static gboolean json_is_true(JsonObject *o, const char *name)
{
    JsonNode *n = o && json_object_has_member(o, name) ? json_object_get_member(o, name) : NULL;
    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_BOOLEAN && json_node_get_boolean(n);
}

/* ---- networks --------------------------------------------------------------------------------------------------- */

/* The tiny autoencoder in another file, which the parameter names; the parameter then has its path. */
static gboolean open_preview(SfuSession *s, GError **error)
{
    char *path = sfu_part_resolve(sfu_params_text(s->run->p, SFU_PARAM_TAESD), "taesd", error);
    SfuLoaded *m = path ? sfu_engine_load(s->run->e, path, error) : NULL;
    SfuAutoencoder *net = m ? sfu_loaded_autoencoder(m, s->run->q, error) : NULL;
    if (net) {
        sfu_params_put_text(s->run->p, SFU_PARAM_TAESD, path);
        s->preview = sfu_coder(s->run, net);
    }
    g_free(path);
    return net != NULL;
}

static gboolean open_networks(SfuSession *s, GError **error)
{
    SfuLoaded *m = s->m, *with_vae = sfu_run_load_piece(s->run, m, SFU_PART_VAE, error);
    SfuAutoencoder *net = with_vae ? sfu_loaded_autoencoder(with_vae, s->run->q, error) : NULL;
    if (!net || !(s->denoiser = sfu_loaded_denoiser(m, s->run->q, error)))
        return FALSE;
    if (with_vae != m && sfu_model_has_part(with_vae->model, SFU_PART_VAE)) {
        const SfuVaeConfig *c = sfu_model_vae(with_vae->model); /* the shapes of two families' VAEs may be the same */
        net->scaling = s->family->latent_scale > 0 && !c->scaling_in_file ? s->family->latent_scale : c->scaling_factor;
    }
    s->ae = sfu_coder(s->run, net);
    s->wrap = sfu_params_int(s->run->p, SFU_PARAM_SEAMLESS); /* the choices' order: none, x, y, xy */
    if (s->wrap && !s->denoiser->class->set_wrap) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s cannot make seamless pictures: its family is %s."),
                    m->path, s->family->name);
        return FALSE;
    }
    s->ae.wrap = s->wrap;
    if (s->ae.channels != s->denoiser->out_channels) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL,
                    _("The autoencoder has %d latent channels, the network of %s %d."), s->ae.channels, m->path,
                    s->denoiser->out_channels);
        return FALSE;
    }
    if (!*sfu_params_text(s->run->p, SFU_PARAM_TAESD))
        return TRUE;
    if (!open_preview(s, error))
        return FALSE;
    s->preview.wrap = s->wrap;
    if (s->preview.channels == s->ae.channels && s->preview.factor == s->ae.factor)
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s does not fit the latents of %s."),
                sfu_params_text(s->run->p, SFU_PARAM_TAESD), m->path);
    return FALSE;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

/* A remover has one pass and no words. */
static gboolean open_remover(SfuSession *s, GError **error)
{
    SfuLoaded *m = s->m;
    if (!m->remover && !(m->remover = s->family->remover(s->run->q, m->model, error)))
        return FALSE;
    s->remover = m->remover;
    s->native_px = sfu_model_native_px(m->model);
    /* "Resolution-robust": trained small, used larger; but not where the network's own tensors have one size. */
    s->max_px = s->remover->side ? s->native_px : 2 * s->native_px;
    s->multiple = s->remover->side ? 8 : MAX(8, s->remover->multiple);
    s->n_branches = 1;
    return TRUE;
}

static void take_values(SfuSession *s)
{
    SfuRun *r = s->run;
    JsonObject *mini = sfu_model_sfumato(s->m->model);
    const gboolean flow = sfu_model_scheduler(s->m->model)->prediction == SFU_PREDICT_FLOW;
    s->sampler = sfu_params_int(r->p, SFU_PARAM_SAMPLER);
    s->schedule = sfu_params_int(r->p, SFU_PARAM_SCHEDULE);
    /* Flow models are made for Euler along straight lines. */
    if (flow && !sfu_params_given(r->p, SFU_PARAM_SAMPLER))
        s->sampler = SFU_SAMPLER_EULER;
    if (flow && !sfu_params_given(r->p, SFU_PARAM_SCHEDULE))
        s->schedule = SFU_SCHEDULE_AUTO;
    const SfuDefaults *own = s->family->defaults;
    if (own && !sfu_params_given(r->p, SFU_PARAM_SAMPLER))
        s->sampler = own->sampler;
    if (own && !sfu_params_given(r->p, SFU_PARAM_SCHEDULE))
        s->schedule = own->schedule;
    const gboolean distilled = s->sampler == SFU_SAMPLER_LCM || s->sampler == SFU_SAMPLER_TCD;
    const gboolean plusplus = sfu_sampler_needs_unconditional(s->sampler);
    s->eta = sfu_params_double(r->p, SFU_PARAM_ETA);
    s->steps = sfu_params_int(r->p, SFU_PARAM_STEPS);
    if (s->steps == 0)
        s->steps = mini ? (int)CLAMP(json_int(mini, "steps", 8), s->mask_fill == SFU_MASK_GREY ? 1 : 0, 1000)
                   : own && own->steps ? own->steps
                   : distilled         ? 4
                                       : 20;
    s->guidance = sfu_params_double(r->p, SFU_PARAM_GUIDANCE);
    /* Latent and trajectory consistency models have guidance distilled into them. CFG++ interpolates, where the usual
     * guidance extrapolates: 0.6 is the paper's for 7.5. */
    const double unit = sfu_sampler_guidance_unit(s->sampler);
    if ((distilled || (plusplus && unit == 1)) && !sfu_params_given(r->p, SFU_PARAM_GUIDANCE))
        s->guidance = distilled ? 1 : 0.6;
    else if (own && !sfu_params_given(r->p, SFU_PARAM_GUIDANCE))
        s->guidance = own->guidance;
    s->image_guidance = sfu_params_double(r->p, SFU_PARAM_IMAGE_GUIDANCE);
    s->rescale = sfu_params_double(r->p, SFU_PARAM_GUIDANCE_RESCALE);
    s->n_branches = s->grid || s->denoiser->guided || (s->guidance <= 1 && !plusplus) ? 1 : s->family->edits ? 3 : 2;
    sfu_params_put(r->p, SFU_PARAM_SAMPLER, s->sampler);
    sfu_params_put(r->p, SFU_PARAM_SCHEDULE, s->schedule);
    sfu_params_put(r->p, SFU_PARAM_STEPS, s->steps);
    if (!s->grid)
        sfu_params_put(r->p, SFU_PARAM_GUIDANCE, s->guidance);
    s->guidance /= unit;
}

/* The model that makes the last steps works on the same latents, by the same schedule. */
static gboolean fit_together(const SfuSession *s, const SfuSession *r, GError **error)
{
    const SfuSchedulerConfig *a = sfu_model_scheduler(s->m->model), *b = sfu_model_scheduler(r->m->model);
    const gboolean latents = r->denoiser->in_channels == s->ae.channels &&
                             r->denoiser->out_channels == s->ae.channels &&
                             r->family->latent_scale == s->family->latent_scale;
    if (latents && a->prediction == b->prediction && a->zero_terminal_snr == b->zero_terminal_snr &&
        !s->family->edits && !s->grid)
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s cannot refine pictures of %s: its %s differ."), r->m->path,
                s->m->path, latents ? _("predictions") : _("latents"));
    return FALSE;
}

static gboolean open_refiner(SfuSession *s, GError **error)
{
    SfuRun *run = s->run;
    char *path = sfu_model_resolve(sfu_params_text(run->p, SFU_PARAM_REFINER), SFU_TASK_IMG2IMG, error);
    SfuLoaded *m = path ? sfu_engine_load(run->e, path, error) : NULL;
    SfuSession *r = NULL;
    if (m) {
        r = g_memdup2(s, sizeof *s); /* it goes on with the same values */
        r->m = m;
        r->family = sfu_model_family(m->model);
        r->denoiser = sfu_loaded_denoiser(m, run->q, error);
        sfu_params_put_text(run->p, SFU_PARAM_REFINER, path);
    }
    g_free(path);
    if (!r || !r->denoiser || !fit_together(s, r, error)) {
        g_free(r);
        return FALSE;
    }
    const int n = sfu_model_scheduler(s->m->model)->n_train_timesteps;
    s->refiner = r;
    s->refiner_from = rint(n - sfu_params_double(run->p, SFU_PARAM_REFINER_START) * n);
    return TRUE;
}

gboolean sfu_session_init(SfuSession *s, SfuRun *run, SfuLoaded *m, GError **error)
{
    *s = (SfuSession){.run = run, .m = m, .family = sfu_model_family(m->model), .class_label = -1};
    if (s->family->remover)
        return open_remover(s, error);
    if (!open_networks(s, error))
        return FALSE;
    JsonObject *mini = sfu_model_sfumato(m->model), *context = sfu_json_child(mini, "context");
    if (mini) {
        const char *kind =
            context && json_object_has_member(context, "kind") ? json_object_get_string_member(context, "kind") : NULL;
        if (!kind || strcmp(kind, "latent_grid") != 0) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s: the kind of context \"%s\" is unknown."), m->path,
                        kind ? kind : "");
            return FALSE;
        }
        s->grid = (int)CLAMP(json_int(context, "size", 8), 1, 64);
        s->mask_fill = json_is(mini, "mask_fill", "pull-push") ? SFU_MASK_SMOOTH
                       : json_is(mini, "mask_fill", "patch")   ? SFU_MASK_PATCH
                                                               : SFU_MASK_GREY;
        s->reach = (float)CLAMP(sfu_json_number(sfu_json_child(mini, "inpaint"), "reach", 0), 0, 4096);
        s->deep = (int)CLAMP(sfu_json_number(sfu_json_child(mini, "inpaint"), "deep", 0), 0, 256);
        s->rounds = (int)CLAMP(json_int(sfu_json_child(mini, "inpaint"), "rounds", 1), 1, 8);
        s->smooth_too = json_is(mini, "second_fill", "pull-push");
        s->from_condition = json_is(mini, "start", "condition");
        s->residual = s->from_condition && json_is_true(sfu_json_child(mini, "inpaint"), "residual");
        s->start_noise = (float)sfu_json_number(sfu_json_child(mini, "inpaint"), "start_noise", 1);
        s->class_label = s->denoiser->n_classes > 0 ? (int)json_int(sfu_json_child(mini, "classes"), "inpaint", 0) : -1;
        if (s->class_label >= s->denoiser->n_classes) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, "%s: the class of inpainting is %d, the UNet has %d.",
                        m->path, s->class_label, s->denoiser->n_classes);
            return FALSE;
        }
    }
    s->native_px = s->family->tile_px ? s->family->tile_px : sfu_model_native_px(m->model);
    s->least_px = s->family->least_px ? s->family->least_px : s->native_px;
    s->max_px = s->native_px * 3 / 2;
    if (s->native_px >= 768)
        s->max_px = s->native_px * 4 / 3; /* 768 to 1024 */
    s->multiple = MAX(8, s->ae.factor * MAX(1, s->denoiser->multiple));
    take_values(s);
    return !*sfu_params_text(run->p, SFU_PARAM_REFINER) || open_refiner(s, error);
}

void sfu_session_close(SfuSession *s)
{
    sfu_session_clear(s);
    if (s->refiner)
        sfu_session_clear(s->refiner);
    g_clear_pointer(&s->refiner, g_free);
}

/* ---- previews ---------------------------------------------------------------------------------------------------- */

static SfuImage *preview_linear(const SfuFamily *f, const SfuImage *z, GError **error)
{
    SfuImage *o = sfu_image_new(z->w, z->h, 3, error);
    for (gint64 k = 0; o && k < (gint64)z->w * z->h; k++) {
        for (int c = 0; c < 3; c++) {
            float v = 0;
            for (int i = 0; i < z->c; i++)
                v += z->p[k * z->c + i] * f->preview_rgb[i][c];
            o->p[k * 3 + c] = CLAMP((v + 1) / 2, 0, 1);
        }
    }
    return o;
}

SfuImage *sfu_session_preview(SfuSession *s, const SfuImage *latents, GError **error)
{
    const char *with = sfu_params_text(s->run->p, SFU_PARAM_PREVIEW_WITH);
    const gboolean is_auto = strcmp(with, "auto") == 0, linear = s->family->preview_channels == s->ae.channels;
    if (linear && (strcmp(with, "linear") == 0 || (is_auto && !s->preview.net)))
        return preview_linear(s->family, latents, error);
    sfu_run_plan(s->run, SFU_STAGE_DECODE, sfu_coder_units(&s->ae, latents->w, latents->h));
    if (s->preview.net && (is_auto || strcmp(with, "taesd") == 0))
        return sfu_coder_decode(&s->preview, latents, error);
    return sfu_coder_decode(&s->ae, latents, error);
}
