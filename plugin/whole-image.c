/* Enlarging a whole image.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "whole-image.h"

#include <math.h>
#include <glib/gi18n-lib.h>

#include "host.h"
#include "pixels.h"

gboolean sfu_whole_image_read(SfuInput *in, double scale, GError **error)
{
    SfuHostImage info;
    if (!sfu_host_image_info(in->image, &info)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("The image was closed or changed meanwhile; it was not enlarged."));
        return FALSE;
    }
    const double longest = MAX(info.width, info.height) * scale;
    if (longest > info.largest_px) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("Enlarged, the image would have a side of %.0f pixels; GIMP allows %d."), longest,
                    info.largest_px);
        return FALSE;
    }
    GArray *ids = sfu_host_pixel_layers(in->image);
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < ids->len; i++) {
        const int layer = g_array_index(ids, int, i);
        GeglBuffer *here = sfu_host_read_layer(in->image, layer, error);
        ok = here != NULL;
        if (ok) /* enlarged coordinates mean something only from an origin */
            sfu_input_add_layer(in, layer, sfu_host_layer_bounds(layer), sfu_pixels_moved(here, 0, 0));
        g_clear_object(&here);
    }
    g_array_unref(ids);
    if (ok && !in->layers) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The image has no layer with pixels of its own."));
        return FALSE;
    }
    in->picture = ok ? sfu_host_read_visible(in->image, error) : NULL;
    return in->picture != NULL;
}

/* TRUE: the same picture. What was kept between two dialogs has come through floats, so that rounding is let pass
 * there: less than a step of 8 bits. */
static gboolean same_pixels(GeglBuffer *now, GeglBuffer *then)
{
    if (gegl_buffer_get_format(now) == gegl_buffer_get_format(then))
        return sfu_pixels_equal(now, then);
    const GeglRectangle a = *gegl_buffer_get_extent(now), b = *gegl_buffer_get_extent(then);
    const Babl *rgba = babl_format("R'G'B'A float");
    gboolean same = a.width == b.width && a.height == b.height;
    float *x = g_new(float, (gsize)a.width * 4), *y = g_new(float, (gsize)b.width * 4);
    for (int row = 0; same && row < a.height; row++) {
        gegl_buffer_get(now, GEGL_RECTANGLE(a.x, a.y + row, a.width, 1), 1.0, rgba, x, GEGL_AUTO_ROWSTRIDE,
                        GEGL_ABYSS_NONE);
        gegl_buffer_get(then, GEGL_RECTANGLE(b.x, b.y + row, b.width, 1), 1.0, rgba, y, GEGL_AUTO_ROWSTRIDE,
                        GEGL_ABYSS_NONE);
        for (gsize i = 0; same && i < (gsize)a.width * 4; i++)
            same = fabsf(x[i] - y[i]) < 0.5f / 255;
    }
    g_free(x);
    g_free(y);
    return same;
}

/* What will be overwritten is still what was read. */
static gboolean is_unchanged(const SfuInput *in)
{
    SfuHostImage info;
    if (!sfu_host_image_info(in->image, &info) || info.floating || info.width != gegl_buffer_get_width(in->picture) ||
        info.height != gegl_buffer_get_height(in->picture))
        return FALSE;
    GArray *ids = sfu_host_pixel_layers(in->image);
    gboolean same = ids->len == in->layers->len;
    for (guint i = 0; same && i < ids->len; i++) {
        const SfuInputLayer *l = in->layers->pdata[i];
        const GeglRectangle place = sfu_host_layer_bounds(l->layer);
        same = g_array_index(ids, int, i) == l->layer && gegl_rectangle_equal(&place, &l->place);
        GeglBuffer *now = same ? sfu_host_read_layer(in->image, l->layer, NULL) : NULL;
        same = now && same_pixels(now, l->picture);
        g_clear_object(&now);
    }
    g_array_unref(ids);
    return same;
}

/* GIMP rounds a scaled layer's edges within the image, so its size may differ from the picture's by a pixel. */
static GeglBuffer *fitted(GeglBuffer *pixels, int w, int h)
{
    const GeglRectangle has = *gegl_buffer_get_extent(pixels), to = {0, 0, w, h};
    if (ABS(has.width - w) > 1 || ABS(has.height - h) > 1)
        return sfu_pixels_scaled(pixels, &to);
    GeglBuffer *copy = gegl_buffer_new(&to, gegl_buffer_get_format(pixels));
    gegl_buffer_copy(pixels, GEGL_RECTANGLE(has.x, has.y, w, h), GEGL_ABYSS_CLAMP, copy, &to);
    return copy;
}

/* Makes the image larger and gives its layers their pixels, locked ones too, as GIMP's own scaling does. */
static gboolean enlarge(const SfuInput *in, int image, GPtrArray *results, GError **error)
{
    GArray *ids = sfu_host_pixel_layers(image), *locked = sfu_host_locks_lift(image);
    gboolean ok = ids->len && ids->len == results->len;
    if (ok) {
        const double scale = sfu_params_double(((const SfuResult *)results->pdata[0])->params, SFU_PARAM_SCALE);
        const int w = lround(gegl_buffer_get_width(in->picture) * scale),
                  h = lround(gegl_buffer_get_height(in->picture) * scale);
        ok = sfu_host_scale_image(image, MAX(1, w), MAX(1, h), error);
    } else {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED,
                    _("The image has %u layers with pixels, but %u were enlarged; nothing was changed."), ids->len,
                    results->len);
    }
    for (guint i = 0; ok && i < ids->len; i++) {
        const int layer = g_array_index(ids, int, i);
        const GeglRectangle place = sfu_host_layer_bounds(layer);
        GeglBuffer *pixels = fitted(((SfuResult *)results->pdata[i])->picture, place.width, place.height);
        ok = sfu_host_write_layer(image, layer, pixels, error);
        g_object_unref(pixels);
    }
    sfu_host_locks_restore(locked);
    g_array_unref(ids);
    return ok;
}

static gboolean check_unchanged(const SfuInput *in, GError **error)
{
    if (is_unchanged(in))
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                _("The image was closed or changed meanwhile; it was not enlarged."));
    return FALSE;
}

/* The enlarged copy. -1 on error. */
static int enlarged_copy(const SfuInput *in, GPtrArray *results, GError **error)
{
    if (!check_unchanged(in, error))
        return -1;
    const int copy = sfu_host_duplicate_image(in->image);
    if (enlarge(in, copy, results, error))
        return copy;
    sfu_host_delete_image(copy);
    return -1;
}

/* The same in place, as one undo step. It is done to a copy first, so that what GIMP refuses is refused there; should
 * the image itself still fail halfway, it is given back what it had. */
static gboolean enlarge_in_place(const SfuInput *in, GPtrArray *results, GError **error)
{
    const int rehearsal = enlarged_copy(in, results, error);
    if (rehearsal < 0)
        return FALSE;
    sfu_host_delete_image(rehearsal);
    const int before = sfu_host_duplicate_image(in->image);
    sfu_host_undo_begin(in->image);
    const gboolean ok = enlarge(in, in->image, results, error);
    if (!ok) {
        GArray *locked = sfu_host_locks_lift(in->image);
        sfu_host_restore_image(in->image, before);
        sfu_host_locks_restore(locked);
    }
    sfu_host_undo_end(in->image);
    sfu_host_delete_image(before);
    return ok;
}

/* The image was closed: its enlarged layers in a new one, without masks and groups, which are gone. -1 on error. */
static int layers_as_image(const SfuInput *in, GPtrArray *results, GError **error)
{
    const double scale = sfu_params_get_double(((const SfuResult *)results->pdata[0])->params, "scale");
    const GeglRectangle *size = gegl_buffer_get_extent(in->picture);
    const int image = sfu_host_new_image(-1, MAX(1, lround(size->width * scale)), MAX(1, lround(size->height * scale)));
    for (int i = MIN(results->len, in->layers->len) - 1; i >= 0; i--) {
        const SfuInputLayer *l = in->layers->pdata[i];
        GeglBuffer *pixels = sfu_pixels_moved(((SfuResult *)results->pdata[i])->picture, lround(l->place.x * scale),
                                              lround(l->place.y * scale));
        const int layer = sfu_host_layer_new(image, pixels, _("Enlarge"), SFU_LAYER_ALPHA, error);
        if (layer >= 0)
            sfu_host_layer_insert(image, layer, -1, pixels, SFU_LAYER_ALPHA);
        g_object_unref(pixels);
        if (layer < 0) {
            sfu_host_delete_image(image);
            return -1;
        }
    }
    return image;
}

gboolean sfu_whole_image_add(const SfuInput *in, GPtrArray *results, gboolean copy, SfuMade *made, GError **error)
{
    gboolean ok;
    SfuHostImage info;
    if (!sfu_host_image_info(in->image, &info)) {
        made->image = layers_as_image(in, results, error);
        ok = made->image >= 0;
    } else if (copy) {
        made->image = enlarged_copy(in, results, error);
        ok = made->image >= 0;
        if (ok)
            sfu_host_undo_enable(made->image);
    } else {
        made->image = in->image;
        ok = enlarge_in_place(in, results, error);
    }
    if (!ok)
        return FALSE;
    made->layer = sfu_host_active_layer(made->image);
    if (made->layer < 0) { /* GIMP 3 may have none chosen */
        GArray *ids = sfu_host_pixel_layers(made->image);
        made->layer = g_array_index(ids, int, 0);
        g_array_unref(ids);
    }
    return TRUE;
}

GeglBuffer *sfu_whole_image_look(const SfuInput *in, GPtrArray *results, GError **error)
{
    /* Hours of work are shown even if the image was changed or closed meanwhile. */
    const int copy = is_unchanged(in) ? enlarged_copy(in, results, error) : layers_as_image(in, results, error);
    GeglBuffer *look = copy >= 0 ? sfu_host_read_visible(copy, error) : NULL;
    if (copy >= 0)
        sfu_host_delete_image(copy);
    return look;
}
