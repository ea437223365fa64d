/* Pictures that the network looks at beside the one that it makes: the picture that is worked on, and those that the
 * job brings.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <math.h>
#include <glib/gi18n-lib.h>

#include "holes.h"
#include "region/region.h"

#define MOST_PX (1024.0 * 1024) /* of a reference, as the reference implementation reduces them */

/* The items say nothing that this network does not heed. */
static gboolean check_items(const SfuSession *s, GError **error)
{
    const char *const *texts = sfu_params_list(s->run->p, SFU_PARAM_REFERENCE);
    gboolean ok = TRUE;
    for (int i = 0; ok && texts[i]; i++) {
        SfuReferenceSpec spec;
        if (!sfu_reference_spec_read(texts[i], &spec, error))
            return FALSE;
        if ((ok = i < s->run->job->n_references) == FALSE)
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("reference \"%s\": there is no picture."), texts[i]);
        if (ok && spec.keyed && !s->image_prompts) {
            g_set_error(
                error, SFU_ERROR, SFU_ERROR_USAGE,
                _("%s takes reference pictures without settings: \"%s\" may have no weight, range, mask or net."),
                s->m->path, texts[i]);
            ok = FALSE;
        }
        sfu_reference_spec_clear(&spec);
    }
    return ok;
}

gboolean sfu_session_check_references(const SfuSession *s, GError **error)
{
    const SfuJob *job = s->run->job;
    const int most = s->image_prompts ? job->n_references
                     : s->denoiser    ? s->family->most_references
                                      : 0,
              own = sfu_session_sees_picture(s) + sfu_session_sees_mask(s), least = s->multiple;
    if (!check_items(s, error))
        return FALSE;
    if (job->n_references > 0 && most == 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s takes no reference pictures; %d were given."), s->m->path,
                    job->n_references);
        return FALSE;
    }
    if (job->n_references > 0 && job->n_references + own > most) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("%s takes at most %d reference pictures for this task; %d were given."), s->m->path, most - own,
                    job->n_references);
        return FALSE;
    }
    for (int i = 0; i < job->n_references; i++) {
        const GeglRectangle *e = gegl_buffer_get_extent(job->references[i]);
        if (e->width < least || e->height < least) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                        _("Reference picture %d has %d x %d pixels; it needs at least %d x %d."), i + 1, e->width,
                        e->height, least, least);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean sfu_session_sees_picture(const SfuSession *s)
{
    const SfuTask t = s->run->task;
    return s->denoiser && s->family->most_references > 0 &&
           (t == SFU_TASK_EDIT || t == SFU_TASK_INPAINT || t == SFU_TASK_OUTPAINT);
}

gboolean sfu_session_sees_mask(const SfuSession *s)
{
    return sfu_session_sees_picture(s) && sfu_params_bool(s->run->p, SFU_PARAM_SHOW_MASK) &&
           (s->run->job->mask || s->run->task == SFU_TASK_OUTPAINT);
}

/* At most MOST_PX, sides whole multiples. */
static void fitted_size(int w, int h, int multiple, int *fw, int *fh)
{
    const double shrink = MIN(1, sqrt(MOST_PX / ((double)w * h)));
    *fw = MAX(1, (int)(w * shrink) / multiple) * multiple;
    *fh = MAX(1, (int)(h * shrink) / multiple) * multiple;
}

void sfu_session_reference_size(const SfuSession *s, int i, int *w, int *h)
{
    const GeglRectangle *e = gegl_buffer_get_extent(s->run->job->references[i]);
    fitted_size(e->width, e->height, s->multiple, w, h);
    *w /= s->ae.factor;
    *h /= s->ae.factor;
}

/* Scaled to cover that, and what is over cut off on both sides. */
static SfuImage *fit(const SfuImage *rgb, int multiple, GError **error)
{
    int w, h;
    fitted_size(rgb->w, rgb->h, multiple, &w, &h);
    if (w == rgb->w && h == rgb->h)
        return sfu_image_copy(rgb, error);
    const double f = MAX((double)w / rgb->w, (double)h / rgb->h);
    const int big_w = MAX(w, (int)(rgb->w * f + 0.5)), big_h = MAX(h, (int)(rgb->h * f + 0.5));
    SfuImage *big = sfu_image_resample(rgb, big_w, big_h, SFU_RESAMPLE_LANCZOS, error);
    SfuImage *cut = big ? sfu_image_crop(big, (SfuRect){(big_w - w) / 2, (big_h - h) / 2, w, h}, error) : NULL;
    sfu_image_free(big);
    return cut;
}

SfuImage *sfu_session_reference(SfuSession *s, int i, GError **error)
{
    GeglBuffer *b = s->run->job->references[i];
    const GeglRectangle *e = gegl_buffer_get_extent(b);
    SfuImage *rgba = sfu_image_read(b, (SfuRect){e->x, e->y, e->width, e->height}, 4, error);
    SfuImage *rgb = rgba && sfu_extend_under_alpha(rgba, error) ? sfu_image_channels(rgba, 0, 3, error) : NULL;
    SfuImage *fitted = rgb ? fit(rgb, s->multiple, error) : NULL;
    SfuImage *z = fitted ? sfu_coder_encode(&s->ae, fitted, error) : NULL;
    sfu_image_free(rgba);
    sfu_image_free(rgb);
    sfu_image_free(fitted);
    return z;
}

void sfu_session_drop_references(SfuSession *s)
{
    for (int i = 0; i < s->n_references; i++)
        sfu_tensor_destroy(s->references[i]);
    s->n_references = 0;
    g_clear_pointer(&s->references, g_free);
    g_clear_pointer(&s->words_set, g_free); /* the network has the old ones */
}

gboolean sfu_session_set_references(SfuSession *s, SfuImage *const *latents, int n, GError **error)
{
    sfu_session_drop_references(s);
    s->references = g_new0(SfuTensor *, n);
    for (int i = 0; i < n; i++) {
        const SfuImage *z = latents[i];
        SfuTensor *t = sfu_tensor_create(s->run->q, SFU_F32, 1, z->h, z->w, z->c, error);
        if (!t || !sfu_tensor_write(t, z->p, error)) {
            sfu_tensor_destroy(t);
            return FALSE;
        }
        s->references[s->n_references++] = t;
    }
    return TRUE;
}
