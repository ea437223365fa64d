/* Reading for an action, and writing its results.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "session.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#include "history.h"
#include "host.h"
#include "models.h"
#include "pixels.h"
#include "steering.h"
#include "whole-image.h"

#define LARGEST_GENERATED_PX                                                                                           \
    1024 /* longer selections are generated at this size and scaled: models repeat themselves above it */

static gboolean usage(GError **error, const char *sentence)
{
    g_set_error_literal(error, SFU_ERROR, SFU_ERROR_USAGE, sentence);
    return FALSE;
}

/* TRUE for layers that Sfumato made to lie over another: reading only them would miss the picture. */
static gboolean is_patch(int layer)
{
    char *json = sfu_host_parasite_get(layer);
    SfuRequest *r = json ? sfu_request_from_json(json, NULL, NULL) : NULL;
    const int action = r ? (int)r->action : -1;
    const SfuTask task = r ? sfu_action_info(r->action)->task : SFU_N_TASKS;
    sfu_request_free(r);
    g_free(json);
    return task == SFU_TASK_INPAINT || task == SFU_TASK_IMG2IMG || task == SFU_TASK_EDIT ||
           action == SFU_ACTION_RESTORE;
}

static gboolean check_image(const SfuRequest *r, int image, int drawable, int *layer, GError **error)
{
    const SfuActionInfo *action = sfu_action_info(r->action);
    SfuHostImage info;
    if (!sfu_host_image_info(image, &info))
        return usage(error, _("Open an image first."));
    if (info.type == SFU_HOST_INDEXED)
        return usage(error,
                     _("The image is indexed; new colors would be forced into its palette. Convert it to RGB first "
                       "(Image > Mode > RGB)."));
    if (info.floating)
        return usage(
            error, _("There is a floating selection, which allows no new layers. Anchor it or make it a layer first."));
    if (info.quick_mask && !r->whole_image)
        return usage(
            error, _("Quick Mask is on. Switch it off first (Shift+Q): what you painted then becomes the selection."));
    *layer = drawable >= 0 ? sfu_host_layer_of(drawable, error) : sfu_host_active_layer(image);
    if (*layer < 0 && error && *error)
        return FALSE;
    if (*layer < 0 && action->needs_image)
        return usage(error, _("Choose the layer to work on first."));
    if (*layer >= 0 && !sfu_host_layer_in_image(*layer, image))
        return usage(error, _("The layer does not belong to the image."));
    if (action->needs_image && !r->whole_image && !r->sample_merged && !sfu_host_layer_is_shown(*layer) &&
        !is_patch(*layer))
        return usage(error,
                     _("The layer is hidden. Show it first, or switch on Sample merged to work on what is visible."));
    return TRUE;
}

/* TRUE: the picture shows nothing where the mask is (NULL: anywhere in it); `cover` is a mask that it is seen through
 * (NULL: none). */
static gboolean is_blank(GeglBuffer *picture, GeglBuffer *cover, GeglBuffer *mask)
{
    GeglRectangle area = *gegl_buffer_get_extent(picture);
    if (mask && !gegl_rectangle_intersect(&area, &area, gegl_buffer_get_extent(mask)))
        return TRUE;
    if (!cover && !babl_format_has_alpha(gegl_buffer_get_format(picture)))
        return FALSE;
    float *row = g_new(float, (gsize)area.width * 4), *m = g_new(float, area.width), *c = g_new(float, area.width);
    gboolean blank = TRUE;
    for (int y = 0; blank && y < area.height; y++) {
        const GeglRectangle r = {area.x, area.y + y, area.width, 1};
        gegl_buffer_get(picture, &r, 1.0, babl_format("R'G'B'A float"), row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        if (mask)
            gegl_buffer_get(mask, &r, 1.0, babl_format("Y float"), m, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        if (cover)
            gegl_buffer_get(cover, &r, 1.0, babl_format("Y float"), c, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int x = 0; blank && x < area.width; x++)
            blank = row[4 * x + 3] <= 0 || (mask && m[x] <= 0) || (cover && c[x] <= 0);
    }
    g_free(row);
    g_free(m);
    g_free(c);
    return blank;
}

/* TRUE: nothing of the picture shows outside of the mask, so there is nothing to continue. */
static gboolean has_no_surroundings(GeglBuffer *picture, GeglBuffer *mask)
{
    const GeglRectangle all = *gegl_buffer_get_extent(picture);
    float *row = g_new(float, (gsize)all.width * 4), *m = g_new(float, all.width);
    gboolean none = TRUE;
    for (int y = 0; none && y < all.height; y++) {
        const GeglRectangle r = {all.x, all.y + y, all.width, 1};
        gegl_buffer_get(picture, &r, 1.0, babl_format("R'G'B'A float"), row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        gegl_buffer_get(mask, &r, 1.0, babl_format("Y float"), m, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int x = 0; none && x < all.width; x++)
            none = row[4 * x + 3] <= 0 || m[x] >= 1;
    }
    g_free(row);
    g_free(m);
    return none;
}

/* A layer that does not reach over all of the canvas: what is beside it must not be painted over. */
static gboolean covers_canvas(int image, int layer)
{
    SfuHostImage info;
    const GeglRectangle here = sfu_host_layer_bounds(layer);
    return sfu_host_image_info(image, &info) && here.x <= 0 && here.y <= 0 && here.x + here.width >= info.width &&
           here.y + here.height >= info.height;
}

static gboolean read_visible(SfuInput *in, GError **error)
{
    g_clear_object(&in->picture);
    g_clear_object(&in->cover);
    in->merged = TRUE;
    in->source = 0;
    in->above = -1; /* what lies above is in the picture already */
    in->picture = sfu_host_read_visible(in->image, error);
    return in->picture != NULL;
}

/* The result is another version of what is there, in the same place. */
static gboolean repaints(SfuAction action)
{
    return action == SFU_ACTION_REFINE || action == SFU_ACTION_RESTYLE || action == SFU_ACTION_EDIT ||
           action == SFU_ACTION_RESTORE;
}

/* Reads the layer, or what is visible: if that is wanted, if the layer is a patch over others, or if the layer has
 * nothing to work on. */
static gboolean read_picture(SfuInput *in, const SfuRequest *r, GError **error)
{
    const gboolean in_selection = r->action == SFU_ACTION_REMOVE || repaints(r->action);
    if (r->sample_merged || is_patch(in->layer) ||
        (r->action == SFU_ACTION_EXPAND && !covers_canvas(in->image, in->layer))) {
        if (!read_visible(in, error))
            return FALSE;
    } else {
        in->source = sfu_host_layer_tattoo(in->layer);
        in->picture = sfu_host_read_layer_look(in->image, in->layer, error);
        in->cover = in->picture ? sfu_host_read_mask(in->layer) : NULL;
        if (!in->picture)
            return FALSE;
        GeglRectangle both;
        if (in->mask && r->action != SFU_ACTION_EXPAND &&
            !gegl_rectangle_intersect(&both, gegl_buffer_get_extent(in->mask), gegl_buffer_get_extent(in->picture)))
            return usage(error, _("The selection lies outside the layer. Choose another layer, or switch on Sample "
                                  "merged to work on what is "
                                  "visible."));
        if (is_blank(in->picture, in->cover, in_selection ? in->mask : NULL)) {
            if (r->action == SFU_ACTION_ENLARGE)
                return usage(error, _("The layer is empty. Choose another layer, or switch on Sample merged to work on "
                                      "what is visible."));
            if (!read_visible(in, error))
                return FALSE;
        }
    }
    const gboolean needs_pixels = r->action != SFU_ACTION_FILL || !*sfu_request_get_string(r, "prompt");
    if (needs_pixels && is_blank(in->picture, NULL, in_selection ? in->mask : NULL))
        return usage(error, in_selection && in->mask
                                ? _("The image is empty where it is selected.")
                                : _("The image is empty. Generate makes a picture from a description."));
    return TRUE;
}

/* Copy of a part, with an extent of its own. */
static GeglBuffer *crop(GeglBuffer *buffer, const GeglRectangle *r)
{
    GeglBuffer *part = gegl_buffer_new(r, gegl_buffer_get_format(buffer));
    gegl_buffer_copy(buffer, r, GEGL_ABYSS_NONE, part, r);
    return part;
}

/* A mask of where the picture is transparent. NULL: nowhere. Caller unrefs. */
static GeglBuffer *holes(GeglBuffer *picture)
{
    const GeglRectangle all = *gegl_buffer_get_extent(picture);
    GeglBuffer *mask = gegl_buffer_new(&all, babl_format("Y float"));
    float *row = g_new(float, (gsize)all.width * 4), *out = g_new(float, all.width);
    gboolean any = FALSE;
    for (int y = 0; y < all.height; y++) {
        const GeglRectangle r = {all.x, all.y + y, all.width, 1};
        gegl_buffer_get(picture, &r, 1.0, babl_format("R'G'B'A float"), row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int x = 0; x < all.width; x++) {
            out[x] = 1 - CLAMP(row[4 * x + 3], 0, 1);
            any |= out[x] > 0;
        }
        gegl_buffer_set(mask, &r, 0, babl_format("Y float"), out, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    g_free(out);
    if (!any)
        g_clear_object(&mask);
    return mask;
}

/* What comes out must be a size that GIMP can have. */
static gboolean check_size(const SfuInput *in, const SfuRequest *r, GError **error)
{
    SfuHostImage info;
    if ((r->action != SFU_ACTION_ENLARGE && r->action != SFU_ACTION_EXPAND) || !sfu_host_image_info(in->image, &info))
        return TRUE;
    const gboolean enlarge = r->action == SFU_ACTION_ENLARGE;
    const double scale = enlarge ? sfu_request_get_double(r, "scale") : 1;
    const double more_x = enlarge ? 0 : sfu_request_get_double(r, "left") + sfu_request_get_double(r, "right");
    const double more_y = enlarge ? 0 : sfu_request_get_double(r, "top") + sfu_request_get_double(r, "bottom");
    const double longest =
        MAX(gegl_buffer_get_width(in->picture) * scale + more_x, gegl_buffer_get_height(in->picture) * scale + more_y);
    if (longest <= info.largest_px)
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The result would have a side of %.0f pixels; GIMP allows %d."),
                longest, info.largest_px);
    return FALSE;
}

/* The channel that is named, or the kept area. */
static gboolean read_excluded(SfuInput *in, const SfuRequest *r, GError **error)
{
    if (!sfu_action_spec(r->action, "exclude") || strcmp(r->exclude, SFU_EXCLUDE_NOTHING) == 0)
        return TRUE;
    in->exclude = sfu_host_read_channel(in->image, *r->exclude ? r->exclude : SFU_EXCLUDE_CHANNEL);
    if (in->exclude || !*r->exclude)
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The image has no channel \"%s\" to exclude."), r->exclude);
    return FALSE;
}

/* Of an action that works on whole pictures, the selection with as much again around it: at the size of the whole the
 * selection would get few of the model's pixels. */
static void cut_to_surroundings(SfuInput *in, const GeglRectangle *area)
{
    const int pad = MAX(MAX(area->width, area->height) / 2, 32);
    GeglRectangle around = {area->x - pad, area->y - pad, area->width + 2 * pad, area->height + 2 * pad};
    gegl_rectangle_intersect(&around, &around, gegl_buffer_get_extent(in->picture));
    GeglBuffer *part = crop(in->picture, &around);
    g_object_unref(in->picture);
    in->picture = part;
}

SfuInput *sfu_input_new(const SfuRequest *r, int image, int drawable, GError **error)
{
    const SfuActionInfo *action = sfu_action_info(r->action);
    SfuInput *in = sfu_input_empty(r->action);
    in->image = image;
    if (image < 0 && !action->needs_image) {
        if (!sfu_steering_read(in, r, error))
            goto fail;
        return in;
    }
    if (!check_image(r, image, drawable, &in->layer, error))
        goto fail;
    in->above = in->layer;

    if (r->action == SFU_ACTION_ENLARGE && r->whole_image) {
        if (!sfu_whole_image_read(in, sfu_request_get_double(r, "scale"), error))
            goto fail;
        return in;
    }
    GeglRectangle area = {0};
    in->mask = sfu_host_read_selection(image);
    if (in->mask)
        area = *gegl_buffer_get_extent(in->mask);
    if (action->needs_selection && !in->mask) {
        usage(error,
              r->action == SFU_ACTION_REMOVE ? _("Select the object to remove first.") : _("Select the area first."));
        goto fail;
    }
    if (action->task == SFU_TASK_TXT2IMG) {
        if (r->action == SFU_ACTION_SEAMLESS) /* cut to a selection it would not fit its other side */
            g_clear_object(&in->mask);
        if (in->mask)
            in->place = area;
        if (!sfu_steering_read(in, r, error))
            goto fail;
        return in;
    }

    if (!read_picture(in, r, error))
        goto fail;
    in->has_alpha = babl_format_has_alpha(gegl_buffer_get_format(in->picture));
    const GeglRectangle all = *gegl_buffer_get_extent(in->picture);
    if (in->mask && r->action != SFU_ACTION_EXPAND) {
        if (!gegl_rectangle_intersect(&area, &area, &all)) {
            usage(error, _("The selection lies outside the image."));
            goto fail;
        }
        GeglBuffer *part = crop(r->action == SFU_ACTION_ENLARGE ? in->picture : in->mask, &area);
        if (r->action == SFU_ACTION_ENLARGE) { /* enlarging works on the selection's bounds */
            g_object_unref(in->picture);
            in->picture = part;
            g_clear_object(&in->mask);
        } else {
            g_object_unref(in->mask);
            in->mask = part;
            if (r->action == SFU_ACTION_EDIT || r->action == SFU_ACTION_RESTORE)
                cut_to_surroundings(in, &area);
        }
    } else if (r->action == SFU_ACTION_FILL) {
        in->mask = holes(in->picture);
        if (!in->mask) {
            usage(
                error,
                _("Select the area to fill first. Generate makes a whole new picture, Refine repaints what is there."));
            goto fail;
        }
    } else {
        g_clear_object(&in->mask);
    }
    if ((r->action == SFU_ACTION_REMOVE || (r->action == SFU_ACTION_FILL && !*sfu_request_get_string(r, "prompt"))) &&
        has_no_surroundings(in->picture, in->mask)) {
        usage(error, _("Everything is selected, so there are no surroundings to continue. Select less."));
        goto fail;
    }
    if (!check_size(in, r, error) || !read_excluded(in, r, error) || !sfu_steering_read(in, r, error))
        goto fail;
    if (r->action == SFU_ACTION_ENLARGE) { /* enlarged coordinates mean something only from an origin */
        GeglBuffer *here = in->picture;
        in->place = *gegl_buffer_get_extent(here);
        in->picture = sfu_pixels_moved(here, 0, 0);
        g_object_unref(here);
    }
    return in;
fail:
    sfu_input_free(in);
    return NULL;
}

gboolean sfu_exclude_selection(int image, GError **error)
{
    return sfu_host_selection_keep(image, SFU_EXCLUDE_CHANNEL) || usage(error, _("Select the area to exclude first."));
}

SfuJob *sfu_input_jobs(const SfuInput *in, SfuRequest *r, int *n)
{
    if (in->place.width > 0 && sfu_action_info(in->action)->task == SFU_TASK_TXT2IMG &&
        sfu_params_int(r->params, SFU_PARAM_WIDTH) == 0 && sfu_params_int(r->params, SFU_PARAM_HEIGHT) == 0 &&
        (!r->new_image || in->controls)) {
        const double fit = MIN(1.0, (double)LARGEST_GENERATED_PX / MAX(in->place.width, in->place.height));
        const int w = MAX(64, ((int)(in->place.width * fit) + 7) / 8 * 8),
                  h = MAX(64, ((int)(in->place.height * fit) + 7) / 8 * 8);
        sfu_params_put(r->params, SFU_PARAM_WIDTH, w);
        sfu_params_put(r->params, SFU_PARAM_HEIGHT, h);
    }
    const SfuTask task = sfu_action_info(in->action)->task;
    *n = in->layers ? in->layers->len : 1;
    SfuJob *jobs = g_new(SfuJob, *n);
    if (in->action == SFU_ACTION_RESTORE)
        sfu_params_put(r->params, SFU_PARAM_SCALE, 1);
    if (!in->layers) {
        jobs[0] = (SfuJob){.task = task,
                           .params = r->params,
                           .picture = in->picture,
                           .mask = in->action == SFU_ACTION_RESTORE ? NULL : in->mask,
                           .exclude = in->exclude};
        if (in->references) {
            jobs[0].references = (GeglBuffer *const *)in->references->pdata;
            jobs[0].n_references = in->references->len;
        }
        if (in->controls) {
            jobs[0].controls = (GeglBuffer *const *)in->controls->pdata;
            jobs[0].n_controls = in->controls->len;
        }
        return jobs;
    }
    if (sfu_request_get_double(r, "seed") < 0) /* one for all layers */
        sfu_params_put(r->params, SFU_PARAM_SEED, g_random_int());
    for (int i = 0; i < *n; i++)
        jobs[i] =
            (SfuJob){.task = task, .params = r->params, .picture = ((SfuInputLayer *)in->layers->pdata[i])->picture};
    return jobs;
}

/* ---- results into the image ---------------------------------------------------------------------------------------
 */

/* "Remove", "Fill: a wooden bench". Caller frees. */
static char *layer_name(SfuAction action, const SfuResult *result)
{
    const char *prompt = sfu_params_text(result->params, SFU_PARAM_PROMPT), *word = _(sfu_action_info(action)->layer);
    if (!sfu_action_spec(action, "prompt") || !*prompt)
        return g_strdup(word);
    char *head = g_utf8_strlen(prompt, -1) > 48 ? g_utf8_substring(prompt, 0, 47) : g_strdup(prompt);
    char *name =
        g_strdup_printf("%s: %s%s", word, g_strdelimit(head, "\n\r\t", ' '), strlen(head) < strlen(prompt) ? "…" : "");
    g_free(head);
    return name;
}

/* A copy with its alpha lowered to that of the picture. */
static GeglBuffer *limit_alpha(GeglBuffer *pixels, GeglBuffer *picture)
{
    const GeglRectangle all = *gegl_buffer_get_extent(pixels);
    const Babl *rgba = babl_format("R'G'B'A float");
    GeglBuffer *copy = gegl_buffer_new(&all, rgba);
    float *row = g_new(float, (gsize)all.width * 4), *limit = g_new(float, (gsize)all.width * 4);
    for (int y = 0; y < all.height; y++) {
        const GeglRectangle r = {all.x, all.y + y, all.width, 1};
        gegl_buffer_get(pixels, &r, 1.0, rgba, row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        gegl_buffer_get(picture, &r, 1.0, rgba, limit, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int x = 0; x < all.width; x++)
            row[4 * x + 3] = MIN(row[4 * x + 3], CLAMP(limit[4 * x + 3], 0, 1));
        gegl_buffer_set(copy, &r, 0, rgba, row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    g_free(limit);
    return copy;
}

/* A result for the whole of what was read, where the selection is. Caller unrefs. */
static GeglBuffer *through_selection(const SfuInput *in, const SfuResult *result)
{
    GeglBuffer *pixels = g_object_ref(result->picture);
    if (in->mask && !result->masked) {
        GeglBuffer *part = crop(pixels, gegl_buffer_get_extent(in->mask));
        g_object_unref(pixels);
        pixels = sfu_pixels_masked(part, in->mask);
        g_object_unref(part);
    }
    if (in->has_alpha) {
        GeglBuffer *limited = limit_alpha(pixels, in->picture);
        g_object_unref(pixels);
        pixels = limited;
    }
    return pixels;
}

GeglBuffer *sfu_output_look(const SfuInput *in, const SfuResult *result)
{
    return in->action == SFU_ACTION_EDIT || in->action == SFU_ACTION_RESTORE ? through_selection(in, result)
                                                                             : g_object_ref(result->picture);
}

/* The pixels of one result, where they belong, and how they become a layer. Caller unrefs. */
static GeglBuffer *place_pixels(const SfuInput *in, const SfuRequest *r, const SfuResult *result, SfuLayerKind *kind)
{
    GeglBuffer *pixels = result->picture;
    *kind = r->layer_mask ? SFU_LAYER_MASK : SFU_LAYER_ALPHA;
    switch (in->action) {
    case SFU_ACTION_REFINE:
    case SFU_ACTION_RESTYLE:
        /* Where the source is transparent, a repainted copy of it is too. */
        return in->has_alpha ? limit_alpha(pixels, in->picture) : g_object_ref(pixels);
    case SFU_ACTION_EDIT:
    case SFU_ACTION_RESTORE:
        return through_selection(in, result);
    case SFU_ACTION_EXPAND:
        *kind = in->has_alpha ? SFU_LAYER_ALPHA : SFU_LAYER_OPAQUE;
        return g_object_ref(pixels);
    case SFU_ACTION_ENLARGE:
        *kind = in->has_alpha ? SFU_LAYER_ALPHA : SFU_LAYER_OPAQUE;
        return r->new_image ? sfu_pixels_moved(pixels, 0, 0) : sfu_pixels_moved(pixels, in->place.x, in->place.y);
    case SFU_ACTION_SEAMLESS:
    case SFU_ACTION_GENERATE: {
        const GeglRectangle *size = gegl_buffer_get_extent(pixels);
        SfuHostImage info;
        *kind = SFU_LAYER_OPAQUE;
        if (r->new_image || in->image < 0 || !sfu_host_image_info(in->image, &info))
            return sfu_pixels_moved(pixels, 0, 0);
        if (in->place.width <= 0)
            return sfu_pixels_moved(pixels, (info.width - size->width) / 2, (info.height - size->height) / 2);
        GeglBuffer *fitted = sfu_pixels_scaled(pixels, &in->place);
        if (!in->mask) /* the canvas, which control layers lie on */
            return fitted;
        GeglBuffer *masked = sfu_pixels_masked(fitted, in->mask);
        g_object_unref(fitted);
        *kind = SFU_LAYER_ALPHA;
        return masked;
    }
    default:
        return g_object_ref(pixels);
    }
}

/* TRUE: the new layer stands in for the one that was read, in the same image, so it is given that layer's looks. */
static gboolean stands_in(const SfuInput *in, int image)
{
    return in->source && image == in->image && sfu_host_layer_in_image(in->layer, image);
}

/* The same, seen through the layer mask of the layer that was read: what that hides is hidden here. */
static GeglBuffer *place_result(const SfuInput *in, const SfuRequest *r, const SfuResult *result, int image,
                                SfuLayerKind *kind)
{
    GeglBuffer *pixels = place_pixels(in, r, result, kind);
    if (!in->cover || !stands_in(in, image))
        return pixels;
    GeglBuffer *cover = g_object_ref(in->cover);
    if (in->action == SFU_ACTION_ENLARGE) {
        GeglBuffer *part = crop(cover, &in->place);
        g_object_unref(cover);
        cover = sfu_pixels_scaled(part, gegl_buffer_get_extent(pixels));
        g_object_unref(part);
    }
    GeglBuffer *masked = sfu_pixels_masked(pixels, cover);
    g_object_unref(cover);
    g_object_unref(pixels);
    *kind = *kind == SFU_LAYER_OPAQUE ? SFU_LAYER_ALPHA : *kind;
    return masked;
}

/* The image was closed: the result is shown in what was read of it, from 0, 0. */
static GeglBuffer *whole_picture(const SfuInput *in, const SfuResult *result, SfuLayerKind *kind)
{
    const gboolean patch = in->picture && in->action != SFU_ACTION_EXPAND && in->action != SFU_ACTION_ENLARGE;
    GeglBuffer *all = patch ? sfu_pixels_over(in->picture, result->picture) : g_object_ref(result->picture);
    GeglBuffer *moved = sfu_pixels_moved(all, 0, 0);
    g_object_unref(all);
    *kind = in->has_alpha ? SFU_LAYER_ALPHA : SFU_LAYER_OPAQUE;
    return moved;
}

static char *result_json(const SfuInput *in, const SfuRequest *r, const SfuResult *result)
{
    SfuRequest as_used = *r;
    as_used.sample_merged = in->merged;
    as_used.params = result->params;
    return sfu_request_to_json(&as_used, in->source);
}

static void note_history(const SfuInput *in, const SfuRequest *r, const SfuResult *result, int image)
{
    char *json = result_json(in, r, result);
    sfu_history_note(image, json, TRUE);
    g_free(json);
}

static void add_layers(const SfuInput *in, const SfuRequest *r, int image, const int *layers, GeglBuffer *const *pixels,
                       const SfuLayerKind *kinds, int n)
{
    int above = image == in->image && in->above >= 0 && sfu_host_layer_in_image(in->above, image) ? in->above : -1;
    if (in->action == SFU_ACTION_EXPAND) {
        SfuHostImage info;
        sfu_host_image_info(image, &info);
        const int left = sfu_params_int(r->params, SFU_PARAM_LEFT), top = sfu_params_int(r->params, SFU_PARAM_TOP);
        const int right = sfu_params_int(r->params, SFU_PARAM_RIGHT),
                  bottom = sfu_params_int(r->params, SFU_PARAM_BOTTOM);
        for (int i = n - 1; i >= 0; i--)
            sfu_host_layer_insert(image, layers[i], above, pixels[i], kinds[i]);
        sfu_host_resize_canvas(image, info.width + left + right, info.height + top + bottom, left,
                               top); /* moves all layers along */
        return;
    }
    for (int i = n - 1; i >= 0; i--) {
        sfu_host_layer_insert(image, layers[i], above, pixels[i], kinds[i]);
        above = layers[i];
    }
}

gboolean sfu_output_add(const SfuInput *in, const SfuRequest *r, GPtrArray *results, int *layer, int *image,
                        GError **error)
{
    SfuHostImage info;
    if (in->layers) {
        const gboolean in_place = !r->new_image && sfu_host_image_info(in->image, &info);
        if (in_place) /* the note in the image's history belongs to the same step */
            sfu_host_undo_begin(in->image);
        const gboolean added = sfu_whole_image_add(in, results, r->new_image, layer, image, error);
        if (added)
            note_history(in, r, results->pdata[0], *image);
        if (in_place)
            sfu_host_undo_end(in->image);
        return added;
    }
    const int n = results->len;
    const gboolean closed = in->image >= 0 && !sfu_host_image_info(in->image, &info);
    const gboolean fresh = in->image < 0 || closed || (r->new_image && sfu_action_spec(r->action, "new_image"));
    if (!fresh && (info.type == SFU_HOST_INDEXED || info.floating))
        return usage(error, _("The image was changed meanwhile: it is indexed or has a floating selection. Change "
                              "that, then add the result."));
    int *layers = g_new(int, n), target = in->image;
    GeglBuffer **pixels = g_new0(GeglBuffer *, n);
    SfuLayerKind *kinds = g_new(SfuLayerKind, n);
    gboolean ok = TRUE;
    int made = 0;
    for (int i = 0; i < n; i++)
        pixels[i] = closed ? whole_picture(in, results->pdata[i], &kinds[i])
                           : place_result(in, r, results->pdata[i], fresh ? -1 : in->image, &kinds[i]);
    if (fresh) {
        const GeglRectangle *size = gegl_buffer_get_extent(pixels[0]);
        target = sfu_host_new_image(closed ? -1 : in->image, size->width, size->height);
    }
    for (int i = 0; ok && i < n; i++) {
        char *name = layer_name(in->action, results->pdata[i]);
        layers[i] = sfu_host_layer_new(target, pixels[i], name, kinds[i], error);
        ok = layers[i] >= 0;
        made += ok;
        if (ok && !fresh && stands_in(in, target))
            sfu_host_layer_look_like(layers[i], in->layer);
        g_free(name);
    }
    if (ok) {
        sfu_host_undo_begin(target);
        add_layers(in, r, target, layers, pixels, kinds, n);
        for (int i = 0; i < n; i++) {
            char *json = result_json(in, r, results->pdata[i]);
            sfu_host_parasite_set(layers[i], json);
            sfu_history_note(target, json, TRUE);
            g_free(json);
        }
        sfu_host_set_active_layer(target, layers[0]);
        sfu_host_undo_end(target);
        *layer = layers[0];
        *image = target;
    } else {
        for (int i = 0; i < made; i++)
            sfu_host_layer_discard(layers[i]);
        if (fresh)
            sfu_host_delete_image(target);
    }
    for (int i = 0; i < n; i++)
        g_object_unref(pixels[i]);
    g_free(pixels);
    g_free(layers);
    g_free(kinds);
    return ok;
}

/* ---- repeat -------------------------------------------------------------------------------------------------------
 */

/* *layer becomes the layer to work on. NULL with USAGE. */
static SfuRequest *repeat_request(const SfuSettings *settings, int image, int *layer, GError **error)
{
    char *json = *layer >= 0 ? sfu_host_parasite_get(*layer) : NULL;
    guint source = 0;
    SfuRequest *r = json ? sfu_request_from_json(json, &source, error) : NULL;
    if (json) {
        const int original = source ? sfu_host_layer_by_tattoo(image, source) : -1;
        if (r && source && original >= 0)
            *layer = original; /* the new result comes from the same layer, not from the old result */
    } else {
        const char *last = sfu_settings_last_action(settings);
        r = last ? sfu_settings_last(settings, sfu_action_find(last)) : NULL;
        if (!r)
            usage(error, _("There is nothing to repeat yet: Fill, Generate or Enlarge something first."));
    }
    if (r)
        sfu_request_set_double(r, "seed", -1, NULL); /* the same seed would give the same picture */
    g_free(json);
    return r;
}

/* ---- a run without a dialog -----------------------------------------------------------------------------------------
 */

typedef struct {
    const char *model; /* name for people; NULL: the engine's choice */
} StatusBar;

static void status_bar(const SfuProgress *p, gpointer data)
{
    const StatusBar *bar = data;
    char *text = sfu_progress_text(p),
         *with = bar->model ? g_strdup_printf("%s (%s)", text, bar->model) : g_strdup(text);
    sfu_host_progress(p->fraction, with);
    g_free(with);
    g_free(text);
}

/* One try with one model; "": the engine's choice. */
static GPtrArray *run_with(SfuWorker *worker, const SfuInput *in, SfuRequest *used, GPtrArray *models,
                           const char *model, GError **error)
{
    int n = 0;
    char *name = sfu_models_name(models, model);
    StatusBar bar = {name};
    const SfuJobCalls calls = {.progress = status_bar, .data = &bar};
    if (*model)
        sfu_params_put_text(used->params, SFU_PARAM_MODEL, model);
    SfuJob *jobs = sfu_input_jobs(in, used, &n);
    GPtrArray *results = sfu_worker_run(worker, jobs, n, &calls, error);
    g_free(jobs);
    g_free(name);
    return results;
}

char *sfu_model_failed_text(GPtrArray *models, const char *failed, const char *next, const GError *error)
{
    char *a = sfu_models_name(models, failed), *b = sfu_models_name(models, next);
    char *text = g_strdup_printf(_("%s could not be used, so %s was taken. %s"), a, b, error->message);
    g_free(a);
    g_free(b);
    return text;
}

/* Frees `in`, which may be NULL with an error. */
static gboolean run_on(SfuInput *in, const SfuRequest *r, SfuSettings *settings, gboolean remember, int *layer,
                       int *new_image, GError **error)
{
    if (!in)
        return FALSE;
    const SfuEngineOptions options = sfu_settings_engine(settings);
    SfuWorker *worker = sfu_worker_new();
    GPtrArray *models = sfu_models_wait(settings), *results = NULL;
    char **to_try = sfu_models_to_try(settings, models, r);
    SfuRequest *used = NULL;
    const gint64 start = g_get_monotonic_time();
    int k = 0;
    sfu_worker_set_options(worker, &options);
    sfu_host_progress_begin(_(sfu_action_info(r->action)->title));
    if (!*to_try[0]) /* no dead end: where one comes from is said */
        g_set_error(
            error, SFU_ERROR, SFU_ERROR_MODEL,
            _("No installed model can do \"%s\". Filters > Sfumato > Models and Settings lists models to download."),
            _(sfu_action_info(r->action)->title));
    for (; *to_try[0]; k++) {
        GError *failed = NULL;
        sfu_request_free(used);
        used = sfu_request_copy(r);
        results = run_with(worker, in, used, models, to_try[k], &failed);
        if (results)
            break;
        if (!to_try[k + 1] || !g_error_matches(failed, SFU_ERROR, SFU_ERROR_MODEL)) {
            g_propagate_error(error, failed);
            break;
        }
        char *text = sfu_model_failed_text(models, to_try[k], to_try[k + 1], failed);
        sfu_host_message(text);
        g_free(text);
        g_error_free(failed);
    }
    const gboolean ok = results && sfu_output_add(in, used, results, layer, new_image, error);
    sfu_host_progress_end();
    if (ok && ((const SfuResult *)results->pdata[0])->note)
        sfu_host_message(((const SfuResult *)results->pdata[0])->note);
    if (ok && remember)
        sfu_settings_remember(settings, r, to_try[k], (g_get_monotonic_time() - start) / 1e6);
    if (results)
        g_ptr_array_unref(results);
    g_ptr_array_unref(models);
    g_strfreev(to_try);
    sfu_worker_free(worker);
    sfu_request_free(used);
    sfu_input_free(in);
    return ok;
}

gboolean sfu_run(SfuRequest *r, int image, int drawable, SfuSettings *settings, gboolean remember, int *layer,
                 int *new_image, GError **error)
{
    return run_on(sfu_input_new(r, image, drawable, error), r, settings, remember, layer, new_image, error);
}

gboolean sfu_run_again(SfuSettings *settings, int image, int drawable, int *layer, int *new_image, GError **error)
{
    const int earlier = sfu_host_layer_of(drawable, error);
    int work = earlier;
    SfuRequest *r = earlier >= 0 ? repeat_request(settings, image, &work, error) : NULL;
    if (!r)
        return FALSE;
    SfuInput *in = sfu_input_new(r, image, work, error);
    if (in && !in->merged)
        in->above = earlier; /* under the earlier result it would not be seen */
    const gboolean ok = run_on(in, r, settings, FALSE, layer, new_image, error);
    sfu_request_free(r);
    return ok;
}
