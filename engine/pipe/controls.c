/* Networks that steer a run by a picture: found, loaded, given their pictures, asked at each step.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#include "family/control_layouts.h"
#include "holes.h"
#include "region/edges.h"
#include "region/region.h"

#define BLUR_SIGMA 9

typedef struct {
    SfuControlSpec spec;
    GeglBuffer *buffer; /* borrowed; NULL: the picture that is worked on */
    SfuModel *over;     /* made of the file and the model's UNet; NULL: the file is whole */
    SfuControl *own;    /* over's */
    SfuControl *net;
    SfuImage *picture; /* of the pass under way: [h, w, channels] */
    SfuImage *hole;    /* of it, [h, w, 1]; NULL: the network does not see it */
    SfuImage *kept;    /* the picture that is worked on, with the hole gray; NULL: the network does not see it */
    SfuRect set;       /* the part of it that the network has, latent pixels; w 0: none */
} Steer;

struct SfuControls {
    int n;
    Steer *all;
    char *adapter; /* that belongs to one of them; NULL: none does */
};

const char *sfu_controls_adapter(const SfuSession *s)
{
    return s->controls ? s->controls->adapter : NULL;
}

void sfu_controls_close(SfuSession *s)
{
    for (int i = 0; s->controls && i < s->controls->n; i++) {
        Steer *c = &s->controls->all[i];
        if (c->net)
            sfu_control_forget(c->net);
        sfu_control_spec_clear(&c->spec);
        sfu_control_destroy(c->own);
        sfu_model_close(c->over);
        sfu_image_free(c->picture);
        sfu_image_free(c->hole);
        sfu_image_free(c->kept);
    }
    if (s->controls) {
        g_free(s->controls->all);
        g_free(s->controls->adapter);
    }
    g_clear_pointer(&s->controls, g_free);
}

/* ---- finding and loading ---- */

static char *find_net(const char *name, GError **error)
{
    char *path = g_file_test(name, G_FILE_TEST_EXISTS) ? g_strdup(name) : sfu_named_find(SFU_NAMED_CONTROL, name);
    if (path)
        return path;
    GError *local = NULL;
    char **folders = sfu_model_folders(NULL), *list = g_strjoinv(", ", folders);
    path = sfu_catalogue_file(name, folders, &local);
    if (local)
        g_propagate_error(error, local);
    else if (!path)
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL,
                    _("No ControlNet \"%s\" was found, neither as a file nor in a folder called controlnet or "
                      "ControlNet in %s."),
                    name, list);
    g_free(list);
    g_strfreev(folders);
    return path;
}

/* Kinds of pictures that unions are told by number (xinsir 2024), by the words in use. */
static int type_number(const char *word)
{
    static const struct {
        const char *word;
        int number;
    } words[] = {{"openpose", 0},      {"pose", 0},          {"depth", 1},  {"hed", 2},          {"softedge", 2},
                 {"scribble", 2},      {"pidi", 2},          {"ted", 2},    {"canny", 3},        {"lineart", 3},
                 {"lines", 3},         {"mlsd", 3},          {"normal", 4}, {"segment", 5},      {"seg", 5},
                 {"lineart_anime", 3}, {"anime_lineart", 3}, {"sketch", 2}, {"segmentation", 5}, {"tile", 6},
                 {"blur", 6},          {"repaint", 7},       {"inpaint", 7}};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(words[i].word, word) == 0)
            return words[i].number;
    char *end = NULL;
    const gint64 n = g_ascii_strtoll(word, &end, 10);
    return end != word && !*end && n >= 0 && n < 64 ? (int)n : -1;
}

/* The kind that the words, or the preparation, say. */
static gboolean set_type(const Steer *c, const char *path, GError **error)
{
    static const char *const by_preparation[] = {NULL, "canny", "lines", "scribble", "blur", NULL, NULL, "inpaint"};
    const char *word = c->spec.type ? c->spec.type : by_preparation[c->spec.prepare];
    if (c->net->sees_latents) /* it tells them apart by itself, or fills holes */
        return TRUE;
    if (c->net->n_types == 0) {
        if (c->spec.type)
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                        _("%s knows only one kind of picture and takes no type (%s)."), path, c->spec.type);
        return !c->spec.type;
    }
    const int n = word ? type_number(word) : -1;
    if (n >= 0 && n < c->net->n_types)
        return sfu_control_set_type(c->net, n, error);
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                _("%s knows %d kinds of pictures and must be told which one it gets: type=openpose, depth, scribble, "
                  "canny, normal, segment, tile or repaint%s%s."),
                path, c->net->n_types, word ? "; not " : "", word ? word : "");
    return FALSE;
}

static gboolean open_net(SfuSession *s, Steer *c, GError **error)
{
    char *path = find_net(c->spec.net, error);
    SfuLoaded *l = path ? sfu_engine_load(s->run->e, path, error) : NULL;
    gboolean ok = l != NULL;
    if (ok && !sfu_model_family(l->model)->control) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s is neither a ControlNet nor a T2I-Adapter: it is %s."),
                    path, sfu_model_family(l->model)->name);
        ok = FALSE;
    }
    ok = ok && sfu_control_fits(l->model, s->m->model, error);
    if (ok && sfu_control_is_partial(l->model)) {
        ok = (c->over = sfu_control_over(l->model, s->m->model, error)) &&
             (c->own = sfu_model_family(c->over)->control(s->run->q, c->over, error));
        c->net = c->own;
    } else if (ok) {
        ok = (c->net = sfu_loaded_control(l, s->run->q, error)) != NULL;
    }
    ok = ok && set_type(c, path, error);
    if (ok)
        sfu_control_set_wrap(c->net, SFU_WRAP_NONE);
    g_free(path);
    return ok;
}

/* The file of a network that steers m; NULL: it is none, or one for other models. */
static SfuModel *open_fitting(const char *path, const SfuModel *m)
{
    SfuModel *net = sfu_model_open(path, NULL);
    if (net && sfu_model_family(net)->control && sfu_control_fits(net, m, NULL))
        return net;
    sfu_model_close(net);
    return NULL;
}

/* An ordinary model fills holes better with a ControlNet that was made for it. The first file so called that fits;
 * NULL: none. Caller frees. */
static char *find_inpainting(const SfuSession *s)
{
    GHashTable *all = sfu_named_list(SFU_NAMED_CONTROL, TRUE);
    GList *names = g_list_sort(g_hash_table_get_keys(all), (GCompareFunc)strcmp);
    char *found = NULL;
    for (GList *l = names; l && !found; l = l->next) {
        char *name = g_ascii_strdown(l->data, -1);
        const char *path = g_hash_table_lookup(all, l->data);
        SfuModel *m = strstr(name, "inpaint") ? open_fitting(path, s->m->model) : NULL;
        if (m && sfu_model_has_part(m, SFU_PART_CONTROL) && !sfu_model_control(m)->n_types &&
            !sfu_control_is_partial(m))
            found = g_strdup(path);
        sfu_model_close(m);
        g_free(name);
    }
    g_list_free(names);
    g_hash_table_unref(all);
    return found;
}

/* Fooocus' head for ordinary models, if its adapter lies beside it: the last by name is the newest. Both are freed by
 * the caller; NULL: none. */
static char *find_head(const SfuSession *s, char **adapter)
{
    GHashTable *all = sfu_named_list(SFU_NAMED_INPAINT, TRUE);
    GList *names = g_list_sort(g_hash_table_get_keys(all), (GCompareFunc)strcmp);
    char *found = NULL;
    *adapter = NULL;
    for (GList *l = names; l; l = l->next) {
        const char *path = g_hash_table_lookup(all, l->data);
        const gboolean patch = g_str_has_suffix(path, ".fooocus.patch");
        SfuModel *m = patch || found ? NULL : open_fitting(path, s->m->model);
        if (patch) {
            g_free(*adapter);
            *adapter = g_strdup(path);
        } else if (m) {
            found = g_strdup(path);
        }
        sfu_model_close(m);
    }
    if (!found || !*adapter) {
        g_clear_pointer(&found, g_free);
        g_clear_pointer(adapter, g_free);
    }
    g_list_free(names);
    g_hash_table_unref(all);
    return found;
}

static void net_free(gpointer p)
{
    SfuControlNet *n = p;
    g_free(n->path);
    g_free(n->name);
    g_free(n);
}

/* Those of diffusers are files of one name in folders of their own. Caller frees. */
static char *name_for_people(const char *name)
{
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    if (!slash || !g_str_has_prefix(base, "diffusion_pytorch_model"))
        return g_strdup(base);
    char *folder = g_path_get_dirname(name), *last = g_path_get_basename(folder);
    g_free(folder);
    return last;
}

GPtrArray *sfu_control_nets(const char *const *folders, const char *model)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(net_free);
    SfuModel *m = *model ? sfu_model_open(model, NULL) : NULL;
    if (!m || (!sfu_model_has_part(m, SFU_PART_UNET) && !sfu_model_has_part(m, SFU_PART_TRANSFORMER))) {
        sfu_model_close(m);
        return found;
    }
    GHashTable *all = sfu_named_list_in(SFU_NAMED_CONTROL, folders, TRUE);
    GList *names = g_list_sort(g_hash_table_get_keys(all), (GCompareFunc)strcmp);
    for (GList *l = names; l; l = l->next) {
        const char *path = g_hash_table_lookup(all, l->data);
        SfuModel *net = open_fitting(path, m);
        if (!net)
            continue;
        SfuControlNet *n = g_new(SfuControlNet, 1);
        *n = (SfuControlNet){g_strdup(path), name_for_people(l->data), sfu_model_control(net)->n_types > 0};
        g_ptr_array_add(found, n);
        sfu_model_close(net);
    }
    g_list_free(names);
    g_hash_table_unref(all);
    sfu_model_close(m);
    return found;
}

/* Whether a hole is filled by a model that was not made for it. */
static gboolean fills_unaided(const SfuSession *s)
{
    const SfuTask t = s->run->task;
    return (t == SFU_TASK_INPAINT || t == SFU_TASK_OUTPAINT) && s->denoiser && !s->grid && !s->family->edits &&
           s->denoiser->in_channels == s->ae.channels && sfu_model_has_part(s->m->model, SFU_PART_UNET);
}

gboolean sfu_controls_open(SfuSession *s, GError **error)
{
    const SfuJob *job = s->run->job;
    const char *const *texts = sfu_params_list(s->run->p, SFU_PARAM_CONTROL);
    int n = (int)g_strv_length((char **)texts);
    char *inpainting = n == 0 && fills_unaided(s) ? find_inpainting(s) : NULL, *adapter = NULL;
    if (n == 0 && !inpainting && fills_unaided(s))
        inpainting = find_head(s, &adapter);
    gboolean ok = TRUE;
    if (n == 0 && !inpainting)
        return TRUE;
    if (n > 0 && !s->denoiser) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s works in one pass, so a ControlNet cannot steer it."),
                    s->m->path);
        return FALSE;
    }
    SfuControls *c = s->controls = g_new0(SfuControls, 1);
    c->adapter = adapter;
    c->n = inpainting ? 1 : n;
    c->all = g_new0(Steer, c->n);
    for (int i = 0; ok && i < c->n; i++) {
        Steer *one = &c->all[i];
        if (inpainting) {
            one->spec = (SfuControlSpec){.net = g_strdup(inpainting),
                                         .picture = g_strdup(""),
                                         .weight = 1,
                                         .to = 1,
                                         .prepare = SFU_PREPARE_INPAINT};
            sfu_run_note(s->run, _("%s helps to fill the hole."), inpainting);
        } else {
            ok = sfu_control_spec_read(texts[i], &one->spec, error);
            one->buffer = i < job->n_controls ? job->controls[i] : NULL;
        }
        if (ok && !one->buffer && (*one->spec.picture || !job->picture)) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("control \"%s\": there is no picture for %s."), texts[i],
                        one->spec.net);
            ok = FALSE;
        }
        ok = ok && open_net(s, one, error);
    }
    g_free(inpainting);
    return ok;
}

/* ---- what does not change from step to step ---- */

gboolean sfu_controls_set_condition(SfuSession *s, const SfuCondition *condition, GError **error)
{
    gboolean ok = TRUE;
    for (int i = 0; ok && s->controls && i < s->controls->n; i++) {
        const Steer *c = &s->controls->all[i];
        SfuCondition own = *condition;
        SfuTensor *words = NULL;
        const SfuTensor *t = condition->tokens;
        own.n_references = 0;
        if ((c->spec.guess || c->net->pools) && t->n > s->n_parts) {
            own.tokens = words = sfu_tensor_view(t, 0, s->n_parts, t->h, t->w, t->c, error);
            own.n = MIN(own.n, s->n_parts);
        }
        ok = own.tokens && sfu_control_set_condition(c->net, &own, error);
        sfu_tensor_destroy(words);
    }
    return ok;
}

/* The whole picture, as the run's canvas is large; caller frees. */
static SfuImage *read_whole(const Steer *c, SfuRect canvas, int wrap, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(c->buffer);
    SfuImage *rgba = sfu_image_read(c->buffer, (SfuRect){e->x, e->y, e->width, e->height}, 4, error);
    SfuImage *rgb = rgba && sfu_extend_under_alpha(rgba, error) ? sfu_image_channels(rgba, 0, 3, error) : NULL;
    sfu_image_free(rgba);
    if (!rgb || (rgb->w == canvas.w && rgb->h == canvas.h))
        return rgb;
    SfuImage *sized = sfu_image_resample_round(rgb, canvas.w, canvas.h, SFU_RESAMPLE_LANCZOS, wrap, error);
    sfu_image_free(rgb);
    return sized;
}

static gboolean prepare(const Steer *c, SfuImage *rgb, const SfuImage *hole, GError **error)
{
    for (gint64 k = 0; k < (gint64)rgb->w * rgb->h * 3; k++)
        rgb->p[k] = CLAMP(rgb->p[k], 0, 1);
    switch (c->spec.prepare) {
    case SFU_PREPARE_CANNY:
        return sfu_edges_canny(rgb, c->spec.low, c->spec.high, error);
    case SFU_PREPARE_LINES:
        return sfu_edges_lines(rgb, error);
    case SFU_PREPARE_SCRIBBLE:
        return sfu_edges_scribble(rgb, error);
    case SFU_PREPARE_BLUR:
        return sfu_picture_blur(rgb, BLUR_SIGMA, error);
    case SFU_PREPARE_LUMINANCE:
        sfu_picture_luminance(rgb);
        return TRUE;
    case SFU_PREPARE_INVERT:
        sfu_picture_invert(rgb);
        return TRUE;
    case SFU_PREPARE_INPAINT: { /* a hole is -1, which no color is; unions were trained with black ones */
        const float none = c->net->n_types ? 0 : -1;
        for (gint64 k = 0; hole && k < (gint64)rgb->w * rgb->h; k++)
            if (hole->p[k] > 0)
                rgb->p[k * 3] = rgb->p[k * 3 + 1] = rgb->p[k * 3 + 2] = none;
        return TRUE;
    }
    default:
        return TRUE;
    }
}

/* Means of the three colors, for networks of gray pictures; rgb is taken. */
static SfuImage *as_channels(SfuImage *rgb, int channels, GError **error)
{
    if (channels == 3)
        return rgb;
    SfuImage *gray = sfu_image_new(rgb->w, rgb->h, 1, error);
    for (gint64 k = 0; gray && k < (gint64)rgb->w * rgb->h; k++)
        gray->p[k] = (rgb->p[k * 3] + rgb->p[k * 3 + 1] + rgb->p[k * 3 + 2]) / 3;
    sfu_image_free(rgb);
    return gray;
}

static void gray_hole(SfuImage *rgb, const SfuImage *hole)
{
    for (gint64 k = 0; k < (gint64)rgb->w * rgb->h; k++)
        if (hole->p[k] > 0)
            rgb->p[k * 3] = rgb->p[k * 3 + 1] = rgb->p[k * 3 + 2] = 0.5f;
}

static gboolean check_hole(const Steer *c, const SfuImage *hole, GError **error)
{
    const gboolean inpaints = c->spec.prepare == SFU_PREPARE_INPAINT;
    if (!hole && inpaints && !c->net->sees_latents)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s: prepare=inpaint marks the hole, and this task has none."),
                    c->spec.net);
    else if (!hole && (c->net->sees_hole || (c->net->sees_kept && inpaints)))
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s only fills holes, and this task has none."), c->spec.net);
    else if (inpaints && c->net->sees_latents && !c->net->sees_hole && !c->net->sees_kept)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("%s does not read a mask, so prepare=inpaint does not apply to it."), c->spec.net);
    else
        return TRUE;
    return FALSE;
}

gboolean sfu_controls_set_pictures(SfuSession *s, const SfuControlView *view, GError **error)
{
    const SfuImage *own = view->own, *hole = view->hole;
    gboolean ok = TRUE;
    for (int i = 0; ok && s->controls && i < s->controls->n; i++) {
        Steer *c = &s->controls->all[i];
        SfuImage *rgb = NULL;
        g_clear_pointer(&c->picture, sfu_image_free);
        c->set = (SfuRect){0};
        g_clear_pointer(&c->hole, sfu_image_free);
        g_clear_pointer(&c->kept, sfu_image_free);
        if (!check_hole(c, hole, error))
            return FALSE;
        if ((c->net->sees_hole || (c->net->sees_kept && hole && own)) && !(c->hole = sfu_image_copy(hole, error)))
            return FALSE;
        if (c->net->sees_kept && c->hole && !(c->kept = sfu_image_copy(own, error)))
            return FALSE;
        if (!c->buffer || c->net->sees_hole) {
            rgb = own ? sfu_image_copy(own, error) : NULL;
            if (!own)
                g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("There is no picture for %s."), c->spec.net);
        } else {
            SfuImage *whole = read_whole(c, view->canvas, s->wrap, error),
                     *cut = whole ? sfu_image_crop(whole, view->at, error) : NULL;
            rgb = cut ? sfu_image_resample_round(cut, view->w, view->h, SFU_RESAMPLE_LANCZOS, s->wrap, error) : NULL;
            sfu_image_free(whole);
            sfu_image_free(cut);
        }
        if (rgb && c->hole)
            gray_hole(c->kept ? c->kept : rgb, c->hole);
        ok = rgb && prepare(c, rgb, c->net->sees_latents ? NULL : hole, error) &&
             (rgb = as_channels(rgb, c->net->channels, error));
        c->picture = rgb;
    }
    return ok;
}

/* ---- a step ---- */

/* Where the hole is in the part `at`, px, of latents like z: 1 channel; caller frees. */
static SfuImage *hole_part(const Steer *c, const SfuImage *z, SfuRect at, GError **error)
{
    SfuImage *hole = sfu_image_crop_round(c->hole, at, error),
             *mask = hole ? sfu_mask_reduce(hole, z->w, z->h, TRUE, error) : NULL;
    sfu_image_free(hole);
    return mask;
}

/* z behind the hole's mask; z is taken. */
static SfuImage *behind_hole(const Steer *c, SfuImage *z, SfuRect at, GError **error)
{
    SfuImage *mask = hole_part(c, z, at, error), *both = mask ? sfu_image_new(z->w, z->h, 1 + z->c, error) : NULL;
    for (gint64 k = 0; both && k < (gint64)z->w * z->h; k++) {
        both->p[k * both->c] = mask->p[k] > 0;
        memcpy(both->p + k * both->c + 1, z->p + k * z->c, sizeof(float) * (gsize)z->c);
    }
    sfu_image_free(mask);
    sfu_image_free(z);
    return both;
}

/* z, and what is kept of the picture round the hole (SfuControl.sees_kept); z is taken. */
static SfuImage *before_kept(const SfuSession *s, const Steer *c, SfuImage *z, SfuRect at, GError **error)
{
    SfuImage *all = sfu_image_new(z->w, z->h, 2 * z->c + 1, error), *own = NULL, *kept = NULL, *mask = NULL;
    gboolean ok = all != NULL;
    if (ok && c->hole) {
        mask = hole_part(c, z, at, error);
        own = mask ? sfu_image_crop_round(c->kept, at, error) : NULL;
        kept = own ? sfu_coder_encode(&s->ae, own, error) : NULL;
        ok = kept != NULL;
    }
    for (gint64 k = 0; ok && k < (gint64)z->w * z->h; k++) {
        float *p = all->p + k * all->c;
        memset(p, 0, sizeof *p * (gsize)all->c);
        if (c->spec.prepare != SFU_PREPARE_INPAINT) /* which needs no picture but the one that is worked on */
            memcpy(p, z->p + k * z->c, sizeof *p * (gsize)z->c);
        if (!kept)
            continue;
        p[z->c] = mask->p[k] <= 0;
        memcpy(p + z->c + 1, kept->p + k * z->c, sizeof *p * (gsize)z->c);
    }
    if (!ok)
        g_clear_pointer(&all, sfu_image_free);
    sfu_image_free(kept);
    sfu_image_free(own);
    sfu_image_free(mask);
    sfu_image_free(z);
    return all;
}

/* What the network sees of the part `at` of its picture, px, as latents. Caller frees. */
static SfuImage *encode_part(const SfuSession *s, const Steer *c, const SfuImage *part, SfuRect at, GError **error)
{
    SfuImage *z = sfu_coder_encode(&s->ae, part, error);
    if (z && c->net->sees_kept)
        return before_kept(s, c, z, at, error);
    return z && c->hole ? behind_hole(c, z, at, error) : z;
}

static gboolean set_part(const SfuSession *s, Steer *c, SfuRect r, GError **error)
{
    const SfuRect at = {r.x * s->ae.factor, r.y * s->ae.factor, r.w * s->ae.factor, r.h * s->ae.factor};
    const int f = s->ae.factor;
    if (c->set.w == r.w && c->set.h == r.h && c->set.x == r.x && c->set.y == r.y)
        return TRUE;
    const gboolean x = r.w * f == c->picture->w, y = r.h * f == c->picture->h;
    sfu_control_set_wrap(c->net, s->wrap & ((x ? SFU_WRAP_X : 0) | (y ? SFU_WRAP_Y : 0)));
    SfuImage *part = sfu_image_crop_round(c->picture, at, error);
    SfuImage *latents = part && c->net->sees_latents ? encode_part(s, c, part, at, error) : NULL,
             *seen = c->net->sees_latents ? latents : part;
    const gboolean ok = seen && sfu_control_set_picture(c->net, seen->p, seen->h, seen->w, error);
    if (ok)
        c->set = r;
    sfu_image_free(latents);
    sfu_image_free(part);
    return ok;
}

gboolean sfu_controls_add(SfuSession *s, const SfuDenoiserInput *in, SfuRect r, int step, int n_steps,
                          SfuControlSum *sum, GError **error)
{
    for (int i = 0; s->controls && i < s->controls->n; i++) {
        Steer *c = &s->controls->all[i];
        if ((double)step / n_steps < c->spec.from || (step + 1.0) / n_steps > c->spec.to)
            continue;
        const SfuControlUse use = {.weight = c->spec.weight,
                                   .n_guessed = c->spec.guess || c->net->pools ? MIN(s->n_parts, in->x->n) : 0};
        if (!set_part(s, c, r, error) || !sfu_control_add(c->net, sum, in, &use, error))
            return FALSE;
    }
    return TRUE;
}
