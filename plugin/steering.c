/* Reading the layers that steer.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "steering.h"

#include <glib/gi18n-lib.h>

#include "host.h"
#include "pixels.h"

static void unref_if_any(gpointer object)
{
    g_clear_object(&object);
}

/* What is painted, in the image's coordinates. */
static GeglRectangle painted_area(const SfuInput *in, const SfuRequest *r)
{
    if (!in->picture)
        return in->place;
    GeglRectangle area = *gegl_buffer_get_extent(in->picture);
    if (in->action == SFU_ACTION_EXPAND) {
        const int left = sfu_request_get_double(r, "left"), top = sfu_request_get_double(r, "top");
        area.x -= left;
        area.y -= top;
        area.width += left + (int)sfu_request_get_double(r, "right");
        area.height += top + (int)sfu_request_get_double(r, "bottom");
    }
    return area;
}

/* The largest part of the area's middle with the shape of the picture that is asked for; networks get the whole. */
static GeglRectangle with_shape(GeglRectangle area, const SfuRequest *r)
{
    const double w = sfu_params_int(r->params, SFU_PARAM_WIDTH), h = sfu_params_int(r->params, SFU_PARAM_HEIGHT);
    if (w <= 0 || h <= 0)
        return area;
    const int width = MIN(area.width, MAX(1, (int)(area.height * w / h + 0.5))),
              height = MIN(area.height, MAX(1, (int)(area.width * h / w + 0.5)));
    return (GeglRectangle){area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height};
}

/* Where the layer is transparent, drawings lie on white paper, and pictures that are ready for a network on black, as
 * those for poses, depth and edges do. Caller unrefs. */
static GeglBuffer *laid_on(GeglBuffer *layer, const GeglRectangle *area, gboolean white)
{
    GeglBuffer *paper = gegl_buffer_new(area, babl_format("R'G'B'A float"));
    GeglColor *color = gegl_color_new(white ? "white" : "black");
    gegl_buffer_set_color(paper, area, color);
    g_object_unref(color);
    GeglBuffer *whole = sfu_pixels_over(paper, layer);
    g_object_unref(paper);
    return whole;
}

/* The layer as it looks through its mask. NULL with USAGE; caller unrefs. */
static GeglBuffer *read_layer(int image, const char *name, GError **error)
{
    SfuHostImage info;
    const int layer = sfu_host_image_info(image, &info) ? sfu_host_layer_named(image, name) : -1;
    if (layer < 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The image has no layer \"%s\" to be looked at."), name);
        return NULL;
    }
    GeglBuffer *look = sfu_host_read_layer_look(image, layer, error), *mask = look ? sfu_host_read_mask(layer) : NULL;
    if (!mask)
        return look;
    GeglBuffer *masked = sfu_pixels_masked(look, mask);
    g_object_unref(look);
    g_object_unref(mask);
    return masked;
}

/* Of one network; *picture NULL: that which is worked on. */
static gboolean read_control(SfuInput *in, const SfuRequest *r, const char *text, GeglBuffer **picture, GError **error)
{
    SfuControlSpec spec;
    if (!sfu_control_spec_read(text, &spec, error))
        return FALSE;
    gboolean ok = TRUE;
    GeglBuffer *layer = NULL;
    if (*spec.picture) {
        ok = (layer = read_layer(in->image, spec.picture, error)) != NULL;
    } else if (!in->picture) { /* generating: the layer that is active */
        ok = in->layer >= 0;
        if (ok)
            ok = (layer = sfu_host_read_layer_look(in->image, in->layer, error)) != NULL;
        else
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s has no layer to look at."), spec.net);
    }
    if (layer) {
        const GeglRectangle area = with_shape(painted_area(in, r), r);
        *picture = laid_on(layer, &area, spec.prepare != SFU_PREPARE_NONE);
        g_object_unref(layer);
    }
    sfu_control_spec_clear(&spec);
    return ok;
}

/* "NAME" or "NAME,weight=0.6". */
static GeglBuffer *read_reference(int image, const char *text, GError **error)
{
    SfuReferenceSpec spec;
    if (!sfu_reference_spec_read(text, &spec, error))
        return NULL;
    GeglBuffer *look = read_layer(image, spec.picture, error);
    sfu_reference_spec_clear(&spec);
    return look;
}

static gboolean read_references(SfuInput *in, const SfuRequest *r, GError **error)
{
    const char *const *texts =
        sfu_action_spec(r->action, "reference") ? sfu_params_list(r->params, SFU_PARAM_REFERENCE) : NULL;
    if (!texts || !texts[0])
        return TRUE;
    in->references = g_ptr_array_new_with_free_func(unref_if_any);
    for (int i = 0; texts[i]; i++) {
        GeglBuffer *look = read_reference(in->image, texts[i], error);
        if (!look)
            return FALSE;
        g_ptr_array_add(in->references, look);
    }
    return TRUE;
}

gboolean sfu_steering_read(SfuInput *in, const SfuRequest *r, GError **error)
{
    const char *const *texts =
        sfu_action_spec(r->action, "control") ? sfu_params_list(r->params, SFU_PARAM_CONTROL) : NULL;
    SfuHostImage info;
    if (!read_references(in, r, error))
        return FALSE;
    if (!texts || !texts[0])
        return TRUE;
    if (!in->picture && in->place.width <= 0) {
        if (!sfu_host_image_info(in->image, &info)) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("Without an image, no layer can steer the result."));
            return FALSE;
        }
        in->place = (GeglRectangle){0, 0, info.width, info.height};
    }
    in->controls = g_ptr_array_new_with_free_func(unref_if_any);
    for (int i = 0; texts[i]; i++) {
        GeglBuffer *picture = NULL;
        const gboolean ok = read_control(in, r, texts[i], &picture, error);
        g_ptr_array_add(in->controls, picture);
        if (!ok)
            return FALSE;
    }
    return TRUE;
}
