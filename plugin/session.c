/* Reading for an action, and its jobs.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "session.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#include "host.h"
#include "pixels.h"
#include "steering.h"
#include "whole-image.h"

#define LARGEST_GENERATED_PX                                                                                           \
    1024 /* longer selections are generated at this size and scaled: models repeat themselves above it */

gboolean sfu_refuse(GError **error, const char *sentence)
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

gboolean sfu_input_is_of_image(const SfuRequest *r, int layer)
{
    return r->whole_image || r->sample_merged || is_patch(layer);
}

static gboolean check_image(const SfuRequest *r, int image, int drawable, int *layer, GError **error)
{
    const SfuActionInfo *action = sfu_action_info(r->action);
    SfuHostImage info;
    if (!sfu_host_image_info(image, &info))
        return sfu_refuse(error, _("Open an image first."));
    if (info.type == SFU_HOST_INDEXED)
        return sfu_refuse(
            error, _("The image is indexed; new colors would be forced into its palette. Convert it to RGB first "
                     "(Image > Mode > RGB)."));
    if (info.floating)
        return sfu_refuse(
            error, _("There is a floating selection, which allows no new layers. Anchor it or make it a layer first."));
    if (info.quick_mask && !r->whole_image)
        return sfu_refuse(
            error, _("Quick Mask is on. Switch it off first (Shift+Q): what you painted then becomes the selection."));
    *layer = drawable >= 0 ? sfu_host_layer_of(drawable, error) : sfu_host_active_layer(image);
    if (*layer < 0 && error && *error)
        return FALSE;
    if (*layer < 0 && action->needs_image)
        return sfu_refuse(error, _("Choose the layer to work on first."));
    if (*layer >= 0 && !sfu_host_layer_in_image(*layer, image))
        return sfu_refuse(error, _("The layer does not belong to the image."));
    if (action->needs_image && !r->whole_image && !r->sample_merged && !sfu_host_layer_is_shown(*layer) &&
        !is_patch(*layer))
        return sfu_refuse(
            error, _("The layer is hidden. Show it first, or switch on Sample merged to work on what is visible."));
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

/* What lies below the layer shows through it, so both are read as they look together, and the result covers both: it
 * goes right above the layer, or on top of all where a group around it is of that kind too. */
static gboolean read_through_layer(SfuInput *in, SfuAction action, GError **error)
{
    for (int group = sfu_host_layer_parent(in->layer); group >= 0; group = sfu_host_layer_parent(group))
        if (!sfu_host_layer_covers(group))
            return read_visible(in, error);
    GeglBuffer *all = sfu_host_read_up_to(in->image, in->layer, error);
    GeglRectangle here = sfu_host_layer_bounds(in->layer);
    if (!all)
        return FALSE;
    in->merged = TRUE;
    if (action == SFU_ACTION_EXPAND || !gegl_rectangle_intersect(&here, &here, gegl_buffer_get_extent(all)))
        here = *gegl_buffer_get_extent(all);
    in->picture = sfu_pixels_cropped(all, &here);
    g_object_unref(all);
    return TRUE;
}

static gboolean read_layer(SfuInput *in, SfuAction action, GError **error)
{
    if (action != SFU_ACTION_ENLARGE && !sfu_host_layer_covers(in->layer))
        return read_through_layer(in, action, error);
    in->source = sfu_host_layer_tattoo(in->layer);
    in->picture = sfu_host_read_layer_look(in->image, in->layer, error);
    in->cover = in->picture ? sfu_host_read_mask(in->layer) : NULL;
    return in->picture != NULL;
}

/* Reads the layer, or what is visible: if that is wanted, if the layer is a patch over others, or if the layer has
 * nothing to work on. */
static gboolean read_picture(SfuInput *in, const SfuRequest *r, GError **error)
{
    const gboolean in_selection = r->action == SFU_ACTION_REMOVE || repaints(r->action);
    if (sfu_input_is_of_image(r, in->layer) ||
        (r->action == SFU_ACTION_EXPAND && !covers_canvas(in->image, in->layer))) {
        if (!read_visible(in, error))
            return FALSE;
    } else {
        GeglRectangle both;
        if (!read_layer(in, r->action, error))
            return FALSE;
        if (in->mask && r->action != SFU_ACTION_EXPAND &&
            !gegl_rectangle_intersect(&both, gegl_buffer_get_extent(in->mask), gegl_buffer_get_extent(in->picture)))
            return sfu_refuse(error,
                              _("The selection lies outside the layer. Choose another layer, or switch on Sample "
                                "merged to work on what is "
                                "visible."));
        if (is_blank(in->picture, in->cover, in_selection ? in->mask : NULL)) {
            if (r->action == SFU_ACTION_ENLARGE)
                return sfu_refuse(error,
                                  _("The layer is empty. Choose another layer, or switch on Sample merged to work on "
                                    "what is visible."));
            if (!read_visible(in, error))
                return FALSE;
        }
    }
    const gboolean needs_pixels = r->action != SFU_ACTION_FILL || !*sfu_request_get_string(r, "prompt");
    if (needs_pixels && is_blank(in->picture, NULL, in_selection ? in->mask : NULL))
        return sfu_refuse(error, in_selection && in->mask
                                     ? _("The image is empty where it is selected.")
                                     : _("The image is empty. Generate makes a picture from a description."));
    return TRUE;
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
    GeglBuffer *part = sfu_pixels_cropped(in->picture, &around);
    g_object_unref(in->picture);
    in->picture = part;
}

static void note_places(SfuInput *in)
{
    SfuHostImage info;
    if (sfu_host_image_info(in->image, &info))
        in->canvas = (GeglRectangle){0, 0, info.width, info.height};
    if (in->layer >= 0)
        in->layer_was = sfu_host_layer_bounds(in->layer);
}

/* The layer's looks where only that was read, its pixels where it was not read alone. sfu_output_add() reads the same.
 */
GeglBuffer *sfu_input_layer_now(const SfuInput *in)
{
    return in->source ? sfu_host_read_layer_look(in->image, in->layer, NULL)
                      : sfu_host_read_layer(in->image, in->layer, NULL);
}

static void note_looks(SfuInput *in)
{
    if (in->layer < 0)
        return;
    const gboolean has_it =
        in->source && in->picture && gegl_rectangle_equal(gegl_buffer_get_extent(in->picture), &in->layer_was);
    GeglBuffer *layer = has_it ? g_object_ref(in->picture) : sfu_input_layer_now(in);
    if (layer) {
        in->sketch = sfu_sketch_new(layer);
        in->glance = sfu_host_layer_glance(in->layer);
    }
    g_clear_object(&layer);
}

/* A picture of its own: into the selection at `area`, or where there is room. */
static gboolean read_to_generate(SfuInput *in, const SfuRequest *r, const GeglRectangle *area, GError **error)
{
    if (r->action == SFU_ACTION_SEAMLESS) /* cut to a selection it would not fit its other side */
        g_clear_object(&in->mask);
    if (in->mask)
        in->place = *area;
    if (!sfu_steering_read(in, r, error))
        return FALSE;
    if (in->mask)
        note_looks(in);
    return TRUE;
}

/* What of the picture is worked on: the part of the selection at `area` that lies inside, or the picture's holes. */
static gboolean take_mask(SfuInput *in, const SfuRequest *r, GeglRectangle area, GError **error)
{
    if (in->mask && r->action != SFU_ACTION_EXPAND) {
        if (!gegl_rectangle_intersect(&area, &area, gegl_buffer_get_extent(in->picture)))
            return sfu_refuse(error, _("The selection lies outside the image."));
        GeglBuffer *part = sfu_pixels_cropped(r->action == SFU_ACTION_ENLARGE ? in->picture : in->mask, &area);
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
        if (!in->mask)
            return sfu_refuse(
                error,
                _("Select the area to fill first. Generate makes a whole new picture, Refine repaints what is there."));
    } else {
        g_clear_object(&in->mask);
    }
    const gboolean continues =
        r->action == SFU_ACTION_REMOVE || (r->action == SFU_ACTION_FILL && !*sfu_request_get_string(r, "prompt"));
    if (continues && has_no_surroundings(in->picture, in->mask))
        return sfu_refuse(error, _("Everything is selected, so there are no surroundings to continue. Select less."));
    return TRUE;
}

/* Enlarged coordinates mean something only from an origin. */
static void move_to_origin(SfuInput *in)
{
    GeglBuffer *here = in->picture;
    in->place = *gegl_buffer_get_extent(here);
    in->picture = sfu_pixels_moved(here, 0, 0);
    g_object_unref(here);
}

static gboolean read_image(SfuInput *in, const SfuRequest *r, int drawable, GError **error)
{
    const SfuActionInfo *action = sfu_action_info(r->action);
    if (!check_image(r, in->image, drawable, &in->layer, error))
        return FALSE;
    in->above = in->layer;
    note_places(in);
    if (r->action == SFU_ACTION_ENLARGE && r->whole_image)
        return sfu_whole_image_read(in, sfu_request_get_double(r, "scale"), error);
    GeglRectangle area = {0};
    in->mask = sfu_host_read_selection(in->image);
    if (in->mask)
        area = *gegl_buffer_get_extent(in->mask);
    if (action->needs_selection && !in->mask)
        return sfu_refuse(error, r->action == SFU_ACTION_REMOVE ? _("Select the object to remove first.")
                                                                : _("Select the area first."));
    if (action->task == SFU_TASK_TXT2IMG)
        return read_to_generate(in, r, &area, error);
    if (!read_picture(in, r, error))
        return FALSE;
    note_looks(in);
    in->has_alpha = babl_format_has_alpha(gegl_buffer_get_format(in->picture));
    if (!take_mask(in, r, area, error) || !check_size(in, r, error) || !read_excluded(in, r, error) ||
        !sfu_steering_read(in, r, error))
        return FALSE;
    if (r->action == SFU_ACTION_ENLARGE)
        move_to_origin(in);
    return TRUE;
}

SfuInput *sfu_input_new(const SfuRequest *r, int image, int drawable, GError **error)
{
    SfuInput *in = sfu_input_empty(r->action);
    in->image = image;
    const gboolean no_image = image < 0 && !sfu_action_info(r->action)->needs_image;
    if (no_image ? sfu_steering_read(in, r, error) : read_image(in, r, drawable, error))
        return in;
    sfu_input_free(in);
    return NULL;
}

gboolean sfu_exclude_selection(int image, GError **error)
{
    return sfu_host_selection_keep(image, SFU_EXCLUDE_CHANNEL) ||
           sfu_refuse(error, _("Select the area to exclude first."));
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
