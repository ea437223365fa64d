/* References that a UNet looks at beside the words, each through an IP-Adapter: the adapter and the image encoder are
 * found, the picture encoded once per run.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#include "family/ip_adapter_layouts.h"
#include "holes.h"
#include "region/region.h"
#include "region/square.h"

typedef struct {
    SfuReferenceSpec spec;
    SfuLoaded *adapter, *vision; /* the engine's */
    SfuIpAdapter *net;           /* owned by the first of those that share it */
    gboolean shared;
    float *picture, *zero; /* [n_tokens, width]: what it makes of the picture, and of zeros; zero NULL: not asked for
                              yet */
    int n_tokens, width;
    SfuTensor *tokens; /* of the condition: [branches, 1, n_tokens, width] */
    SfuImage *mask;    /* of the pass under way, [h, w, 1]; NULL: everywhere */
    SfuImage *part;    /* of the rectangle under way */
} Look;

struct SfuImagePrompts {
    int n;
    Look *all;
    SfuImagePrompt *prompts;
    SfuImagePromptUse *uses;
};

void sfu_image_prompts_close(SfuSession *s)
{
    SfuImagePrompts *p = s->image_prompts;
    for (int i = 0; p && i < p->n; i++) {
        Look *l = &p->all[i];
        sfu_reference_spec_clear(&l->spec);
        if (!l->shared)
            sfu_ip_adapter_destroy(l->net);
        sfu_tensor_destroy(l->tokens);
        sfu_image_free(l->mask);
        sfu_image_free(l->part);
        g_free(l->picture);
        g_free(l->zero);
    }
    if (p) {
        g_free(p->all);
        g_free(p->prompts);
        g_free(p->uses);
    }
    g_clear_pointer(&s->image_prompts, g_free);
}

/* ---- finding ---------------------------------------------------------------------------------------------------- */

/* For messages; caller frees. */
static char *folders_searched(void)
{
    char **folders = sfu_model_folders(NULL), *list = g_strjoinv(", ", folders);
    g_strfreev(folders);
    return list;
}

static gboolean is_adapter_for(const char *path, const SfuModel *m)
{
    SfuModel *a = sfu_model_open(path, NULL);
    const gboolean fits = a && sfu_model_has_part(a, SFU_PART_IMAGE_PROMPT) && sfu_ip_adapter_fits(a, m, NULL);
    sfu_model_close(a);
    return fits;
}

/* Paths of all files of the kind, by name. Caller unrefs. */
static GPtrArray *kept_paths(SfuNamedKind kind)
{
    GHashTable *all = sfu_named_list(kind, TRUE);
    GList *names = g_list_sort(g_hash_table_get_keys(all), (GCompareFunc)strcmp);
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    for (GList *l = names; l; l = l->next)
        g_ptr_array_add(paths, g_strdup(g_hash_table_lookup(all, l->data)));
    g_list_free(names);
    g_hash_table_unref(all);
    return paths;
}

static gboolean is_called(const char *path, const char *word)
{
    char *base = g_path_get_basename(path), *name = g_ascii_strdown(base, -1);
    const gboolean is = strstr(name, word) != NULL;
    g_free(base);
    g_free(name);
    return is;
}

/* The first adapter that fits, one for faces only if nothing else does. A1111 keeps them among its ControlNets. */
static char *find_any_adapter(const SfuModel *m)
{
    static const SfuNamedKind kinds[] = {SFU_NAMED_IMAGE_PROMPT, SFU_NAMED_CONTROL};
    char *found = NULL;
    for (int faces = 0; faces < 2 && !found; faces++)
        for (gsize k = 0; k < G_N_ELEMENTS(kinds) && !found; k++) {
            GPtrArray *paths = kept_paths(kinds[k]);
            for (guint i = 0; i < paths->len && !found; i++) {
                const char *path = paths->pdata[i];
                const gboolean maybe = kinds[k] == SFU_NAMED_IMAGE_PROMPT || is_called(path, "ip-adapter") ||
                                       is_called(path, "ip_adapter");
                if (maybe && is_called(path, "face") == faces && is_adapter_for(path, m))
                    found = g_strdup(path);
            }
            g_ptr_array_unref(paths);
        }
    return found;
}

static char *find_adapter(const SfuSession *s, const char *name, GError **error)
{
    char *path = !name                                   ? find_any_adapter(s->m->model)
                 : g_file_test(name, G_FILE_TEST_EXISTS) ? g_strdup(name)
                                                         : sfu_named_find(SFU_NAMED_IMAGE_PROMPT, name);
    if (!path && name)
        path = sfu_named_find(SFU_NAMED_CONTROL, name);
    if (path)
        return path;
    char *list = folders_searched();
    if (name)
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL,
                    _("No IP-Adapter \"%s\" was found, neither as a file nor in a folder called ipadapter in %s."),
                    name, list);
    else
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL,
                    _("%s needs an IP-Adapter for reference pictures, but no folder called ipadapter in %s has one for "
                      "it. Name one with net=FILE."),
                    s->m->path, list);
    g_free(list);
    return NULL;
}

static gboolean is_vision_for(const char *path, const SfuModel *adapter)
{
    SfuModel *v = sfu_model_open(path, NULL);
    const gboolean takes = v && sfu_model_has_part(v, SFU_PART_VISION) && sfu_ip_adapter_takes(adapter, v, NULL);
    sfu_model_close(v);
    return takes;
}

/* Where those who publish adapters put the encoders: beside them, and beside the others of the same collection. */
static char *find_vision_beside(const SfuModel *adapter)
{
    static const char *const places[] = {"image_encoder", "../image_encoder", "../models/image_encoder",
                                         "../sdxl_models/image_encoder", "../clip_vision"};
    char *own = g_path_get_dirname(sfu_model_path(adapter)), *found = NULL;
    for (gsize k = 0; k < G_N_ELEMENTS(places) && !found; k++) {
        char *folder = g_build_filename(own, places[k], NULL);
        GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(paths, g_strdup(folder));
        sfu_model_files(paths, folder, 1, TRUE);
        g_ptr_array_add(paths, g_build_filename(folder, "pytorch_model.bin", NULL));
        for (guint i = 0; i < paths->len && !found; i++)
            if (g_file_test(paths->pdata[i], G_FILE_TEST_EXISTS) && is_vision_for(paths->pdata[i], adapter))
                found = g_canonicalize_filename(paths->pdata[i], NULL);
        g_ptr_array_unref(paths);
        g_free(folder);
    }
    g_free(own);
    return found;
}

static char *find_vision(const SfuSession *s, const SfuModel *adapter, GError **error)
{
    static const SfuNamedKind kinds[] = {SFU_NAMED_VISION, SFU_NAMED_IMAGE_PROMPT};
    const char *name = sfu_params_text(s->run->p, SFU_PARAM_VISION);
    char *found = NULL;
    if (*name) {
        char *path = g_file_test(name, G_FILE_TEST_EXISTS) ? g_strdup(name) : sfu_named_find(SFU_NAMED_VISION, name);
        return path ? path : sfu_part_resolve(name, "vision", error);
    }
    found = find_vision_beside(adapter);
    for (gsize k = 0; k < G_N_ELEMENTS(kinds) && !found; k++) {
        GPtrArray *paths = kept_paths(kinds[k]);
        for (guint i = 0; i < paths->len && !found; i++)
            if (is_vision_for(paths->pdata[i], adapter))
                found = g_strdup(paths->pdata[i]);
        g_ptr_array_unref(paths);
    }
    if (found)
        return found;
    char *list = folders_searched();
    g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL,
                _("%s needs a CLIP image encoder, and neither a folder beside it called image_encoder nor one called "
                  "clip_vision in %s has one that fits; the parameter vision names one."),
                sfu_model_path(adapter), list);
    g_free(list);
    return NULL;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

static gboolean open_adapter(SfuSession *s, Look *l, GError **error)
{
    char *path = find_adapter(s, l->spec.net, error);
    l->adapter = path ? sfu_engine_load(s->run->e, path, error) : NULL;
    gboolean ok = l->adapter != NULL;
    if (ok && !sfu_model_has_part(l->adapter->model, SFU_PART_IMAGE_PROMPT)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s is not an IP-Adapter, but %s."), path,
                    sfu_model_family(l->adapter->model)->name);
        ok = FALSE;
    }
    ok = ok && sfu_ip_adapter_fits(l->adapter->model, s->m->model, error);
    if (ok && !l->spec.net)
        sfu_run_note(s->run, _("%s looks at the reference picture."), path);
    g_free(path);
    return ok;
}

static gboolean open_vision(SfuSession *s, Look *l, GError **error)
{
    char *path = find_vision(s, l->adapter->model, error);
    l->vision = path ? sfu_engine_load(s->run->e, path, error) : NULL;
    gboolean ok = l->vision && sfu_ip_adapter_takes(l->adapter->model, l->vision->model, error);
    if (ok && !l->vision->vision)
        ok = (l->vision->vision = sfu_vision_create(s->run->q, l->vision->model, error)) != NULL;
    g_free(path);
    return ok;
}

/* An earlier one with the same adapter. */
static Look *same_adapter(const SfuImagePrompts *p, const Look *l)
{
    for (Look *other = p->all; other < l; other++)
        if (other->adapter == l->adapter && other->vision == l->vision)
            return other;
    return NULL;
}

static gboolean open_look(SfuSession *s, Look *l, GError **error)
{
    if (!open_adapter(s, l, error) || !open_vision(s, l, error))
        return FALSE;
    const Look *other = same_adapter(s->image_prompts, l);
    l->shared = other != NULL;
    l->net = other ? other->net : sfu_ip_adapter_create(s->run->q, l->adapter->model, s->m->model, error);
    return l->net != NULL;
}

/* ---- encoding --------------------------------------------------------------------------------------------------- */

static const SfuImagePromptConfig *config_of(const Look *l)
{
    return sfu_model_image_prompt(l->adapter->model);
}

/* What the encoder sees of the picture; NULL: of zeros, which stand for no picture. */
static SfuTensor *see(const SfuSession *s, const Look *l, const float *pixels, GError **error)
{
    const SfuVisionConfig *v = sfu_model_vision(l->vision->model);
    SfuTensor *seen = NULL;
    if (config_of(l)->kind != SFU_IMAGE_PROMPT_PLAIN) {
        float *none = pixels ? NULL : g_new0(float, (gsize)v->side *(gsize)v->side * 3);
        sfu_vision_run(l->vision->vision, &seen, NULL, pixels ? pixels : none, error);
        g_free(none);
        return seen;
    }
    float *vector = g_new0(float, v->projection);
    if ((!pixels || sfu_vision_run(l->vision->vision, NULL, vector, pixels, error)) &&
        (seen = sfu_tensor_create(s->run->q, SFU_F32, 1, 1, 1, v->projection, error)) &&
        !sfu_tensor_write(seen, vector, error))
        g_clear_pointer(&seen, sfu_tensor_destroy);
    g_free(vector);
    return seen;
}

/* [n_tokens, width], of the picture or of zeros. Caller frees. */
static float *encode(const SfuSession *s, Look *l, const float *pixels, GError **error)
{
    SfuTensor *seen = see(s, l, pixels, error), *tokens = NULL;
    float *host = NULL;
    if (seen && sfu_ip_adapter_run(l->net, &tokens, seen, error)) {
        l->n_tokens = tokens->w;
        l->width = tokens->c;
        host = g_new(float, sfu_tensor_elements(tokens));
        if (!sfu_tensor_read(tokens, host, error))
            g_clear_pointer(&host, g_free);
    }
    sfu_tensor_destroy(seen);
    sfu_tensor_destroy(tokens);
    return host;
}

static gboolean encode_picture(SfuSession *s, Look *l, GeglBuffer *b, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(b);
    SfuImage *rgba = sfu_image_read(b, (SfuRect){e->x, e->y, e->width, e->height}, 4, error);
    SfuImage *rgb = rgba && sfu_extend_under_alpha(rgba, error) ? sfu_image_channels(rgba, 0, 3, error) : NULL;
    SfuImage *square = rgb ? sfu_clip_square(rgb, sfu_model_vision(l->vision->model)->side, error) : NULL;
    if (square)
        l->picture = encode(s, l, square->p, error);
    sfu_image_free(rgba);
    sfu_image_free(rgb);
    sfu_image_free(square);
    return l->picture != NULL;
}

static gboolean encode_zeros(SfuSession *s, Look *l, GError **error)
{
    const Look *other = same_adapter(s->image_prompts, l);
    if (l->zero)
        return TRUE;
    l->zero = other && other->zero ? g_memdup2(other->zero, (gsize)l->n_tokens * (gsize)l->width * sizeof(float))
                                   : encode(s, l, NULL, error);
    return l->zero != NULL;
}

/* Their work is done, and the UNet can use the room. */
static void unload_encoders(const SfuImagePrompts *p)
{
    for (int i = 0; i < p->n; i++)
        if (p->all[i].vision && p->all[i].vision->vision)
            sfu_vision_unload(p->all[i].vision->vision);
}

/* Whether the model looks through an IP-Adapter: a UNet whose words are CLIP's. */
static gboolean looks(const SfuModel *m)
{
    const SfuFamily *family = sfu_model_family(m);
    return family->most_references == 0 && family->aliases && sfu_model_has_part(m, SFU_PART_UNET) &&
           !sfu_model_sfumato(m);
}

SfuReferences sfu_model_references(const char *path)
{
    SfuModel *m = *path ? sfu_model_open(path, NULL) : NULL;
    if (!m)
        return SFU_REFERENCES_NONE;
    char *adapter = looks(m) ? find_any_adapter(m) : NULL;
    const SfuReferences use = adapter                                ? SFU_REFERENCES_WEIGHTED
                              : sfu_model_family(m)->most_references ? SFU_REFERENCES_PLAIN
                                                                     : SFU_REFERENCES_NONE;
    g_free(adapter);
    sfu_model_close(m);
    return use;
}

gboolean sfu_image_prompts_open(SfuSession *s, GError **error)
{
    const SfuJob *job = s->run->job;
    const char *const *texts = sfu_params_list(s->run->p, SFU_PARAM_REFERENCE);
    const int n = job->n_references, n_texts = (int)g_strv_length((char **)texts);
    gboolean ok = TRUE;
    if (n == 0 || !s->denoiser || s->grid || !looks(s->m->model))
        return TRUE;
    SfuImagePrompts *p = s->image_prompts = g_new0(SfuImagePrompts, 1);
    p->n = n;
    p->all = g_new0(Look, n);
    p->prompts = g_new0(SfuImagePrompt, n);
    p->uses = g_new0(SfuImagePromptUse, n);
    if (!sfu_session_check_references(s, error))
        return FALSE;
    for (int i = 0; ok && i < n; i++) {
        Look *l = &p->all[i];
        l->spec = (SfuReferenceSpec){.weight = 1, .to = 1};
        ok = (i >= n_texts || sfu_reference_spec_read(texts[i], &l->spec, error)) && open_look(s, l, error);
    }
    ok = ok && sfu_run_stage(s->run, SFU_STAGE_ENCODE, error);
    for (int i = 0; ok && i < n; i++)
        ok = !sfu_run_cancelled(s->run, error) && encode_picture(s, &p->all[i], job->references[i], error) &&
             (s->n_branches == 1 || encode_zeros(s, &p->all[i], error));
    unload_encoders(p);
    return ok;
}

/* ---- what the network gets -------------------------------------------------------------------------------------- */

/* The picture for the parts of the prompt, nothing for what they are compared with. */
static gboolean set_tokens(SfuSession *s, Look *l, GError **error)
{
    const int n_b = s->n_branches, n_parts = MIN(MAX(s->n_parts, 1), n_b);
    const gsize one = (gsize)l->n_tokens * (gsize)l->width;
    if (n_b > n_parts && !encode_zeros(s, l, error))
        return FALSE;
    float *all = g_new(float, one *(gsize)n_b);
    for (int b = 0; b < n_b; b++)
        memcpy(all + (gsize)b * one, b < n_parts ? l->picture : l->zero, one * sizeof *all);
    g_clear_pointer(&l->tokens, sfu_tensor_destroy);
    l->tokens = sfu_tensor_create(s->run->q, SFU_F32, n_b, 1, l->n_tokens, l->width, error);
    const gboolean ok = l->tokens && sfu_tensor_write(l->tokens, all, error);
    g_free(all);
    return ok;
}

gboolean sfu_image_prompts_set_condition(SfuSession *s, SfuCondition *condition, GError **error)
{
    SfuImagePrompts *p = s->image_prompts;
    for (int i = 0; p && i < p->n; i++) {
        Look *l = &p->all[i];
        if (!set_tokens(s, l, error))
            return FALSE;
        p->prompts[i] = (SfuImagePrompt){.tokens = l->tokens, .kv = sfu_ip_adapter_kv(l->net)};
    }
    if (p) {
        unload_encoders(p);
        condition->prompts = p->prompts;
        condition->n_prompts = p->n;
    }
    return TRUE;
}

/* ---- masks ------------------------------------------------------------------------------------------------------ */

static SfuImage *mask_of(GeglBuffer *b, SfuRect canvas, SfuRect at, int w, int h, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(b);
    SfuImage *whole = sfu_image_read(b, (SfuRect){e->x, e->y, e->width, e->height}, 1, error), *cut, *o;
    if (whole && (whole->w != canvas.w || whole->h != canvas.h)) {
        SfuImage *sized = sfu_image_resample(whole, canvas.w, canvas.h, SFU_RESAMPLE_LINEAR, error);
        sfu_image_free(whole);
        whole = sized;
    }
    cut = whole ? sfu_image_crop(whole, at, error) : NULL;
    o = cut ? sfu_image_resample(cut, w, h, SFU_RESAMPLE_LINEAR, error) : NULL;
    sfu_image_free(whole);
    sfu_image_free(cut);
    return o;
}

gboolean sfu_image_prompts_set_place(SfuSession *s, SfuRect canvas, SfuRect at, int w, int h, GError **error)
{
    const SfuJob *job = s->run->job;
    for (int i = 0; s->image_prompts && i < s->image_prompts->n; i++) {
        Look *l = &s->image_prompts->all[i];
        GeglBuffer *mask = job->reference_masks ? job->reference_masks[i] : NULL;
        g_clear_pointer(&l->mask, sfu_image_free);
        if (l->spec.mask && !mask) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("reference \"%s\": there is no mask %s."), l->spec.picture,
                        l->spec.mask);
            return FALSE;
        }
        if (mask && !(l->mask = mask_of(mask, canvas, at, w, h, error)))
            return FALSE;
    }
    return TRUE;
}

/* ---- a step ----------------------------------------------------------------------------------------------------- */

static gboolean is_looked_at(const Look *l, int step, int n_steps)
{
    return l->spec.weight != 0 && (double)step / n_steps >= l->spec.from && (step + 1.0) / n_steps <= l->spec.to;
}

gboolean sfu_image_prompts_use(SfuSession *s, SfuRect r, int step, int n_steps, const SfuImagePromptUse **uses,
                               GError **error)
{
    SfuImagePrompts *p = s->image_prompts;
    const int f = s->ae.factor;
    *uses = NULL;
    for (int i = 0; p && i < p->n; i++) {
        Look *l = &p->all[i];
        p->uses[i] = (SfuImagePromptUse){.weight = is_looked_at(l, step, n_steps) ? l->spec.weight : 0};
        if (p->uses[i].weight == 0)
            continue;
        *uses = p->uses;
        if (!l->mask)
            continue;
        sfu_image_free(l->part);
        if (!(l->part = sfu_image_crop_round(l->mask, (SfuRect){r.x * f, r.y * f, r.w * f, r.h * f}, error)))
            return FALSE;
        p->uses[i].mask = l->part->p;
        p->uses[i].mask_w = l->part->w;
        p->uses[i].mask_h = l->part->h;
    }
    return TRUE;
}

gboolean sfu_image_prompts_change(const SfuSession *s, int step, int n_steps)
{
    const SfuImagePrompts *p = s->image_prompts;
    for (int i = 0; p && i < p->n; i++)
        if (step > 0 && is_looked_at(&p->all[i], step, n_steps) != is_looked_at(&p->all[i], step - 1, n_steps))
            return TRUE;
    return FALSE;
}
