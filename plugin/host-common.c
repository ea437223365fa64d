/* What the hosts for GIMP 2.10 and 3 have in common: how pixels are read, written and given back, in terms of
 * host-calls.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "host-calls.h"

#include <glib/gi18n-lib.h>

#include "pixels.h"
#include "sfumato.h"

/* ---- layers ---- */

int sfu_host_layer_of(int drawable, GError **error)
{
    const int layer = sfu_gimp_layer_of(drawable);
    if (layer < 0)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("Sfumato works on layers; choose a layer, not a channel."));
    return layer;
}

char *sfu_host_layer_name(int layer)
{
    return sfu_gimp_item_name(layer);
}

gboolean sfu_host_layer_is_shown(int layer)
{
    for (; layer >= 0; layer = sfu_host_layer_parent(layer))
        if (!sfu_gimp_is_visible(layer))
            return FALSE;
    return TRUE;
}

/* Those with pixels, children in the group's place; or all, groups before their children. */
static void collect_layers(GArray *found, int image, int group, gboolean all)
{
    GArray *list = sfu_gimp_children(image, group);
    for (guint i = 0; i < list->len; i++) {
        const int layer = g_array_index(list, int, i);
        const gboolean is_group = sfu_gimp_is_group(layer);
        if (all || (!is_group && !sfu_gimp_is_drawn(layer)))
            g_array_append_val(found, layer);
        if (is_group)
            collect_layers(found, image, layer, all);
    }
    g_array_unref(list);
}

static GArray *layers_of(int image, gboolean all)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(int));
    collect_layers(found, image, -1, all);
    return found;
}

GArray *sfu_host_pixel_layers(int image)
{
    return layers_of(image, FALSE);
}

/* The same layer in a duplicate, which has its layers in the same order; -1: none. */
static int twin_of(int image, int copy, int layer)
{
    GArray *here = layers_of(image, TRUE), *there = layers_of(copy, TRUE);
    int twin = -1;
    for (guint i = 0; i < MIN(here->len, there->len); i++)
        if (g_array_index(here, int, i) == layer)
            twin = g_array_index(there, int, i);
    g_array_unref(here);
    g_array_unref(there);
    return twin;
}

GArray *sfu_host_locks_lift(int image)
{
    GArray *all = layers_of(image, TRUE), *locked = g_array_new(FALSE, FALSE, sizeof(int));
    for (guint i = 0; i < all->len; i++) {
        const int layer = g_array_index(all, int, i);
        if (sfu_gimp_unlock(layer))
            g_array_append_val(locked, layer);
    }
    g_array_unref(all);
    return locked;
}

void sfu_host_locks_restore(GArray *locked)
{
    for (guint i = 0; i < locked->len; i++)
        sfu_gimp_lock(g_array_index(locked, int, i));
    g_array_unref(locked);
}

/* ---- reading ---- */

static GeglBuffer *read_drawable(int image, int drawable, int x, int y, GError **error)
{
    GeglBuffer *raw = sfu_gimp_pixels(drawable);
    if (!raw) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP could not read the layer's pixels."));
        return NULL;
    }
    const Babl *format = gegl_buffer_get_format(raw);
    return sfu_pixels_read(raw, gegl_buffer_get_extent(raw), format, x, y, sfu_gimp_format(image, format));
}

/* A rectangle of a mask, channel or selection (NULL: all of it), as "Y float" at x, y. NULL: there is none. */
static GeglBuffer *read_gray(int drawable, const GeglRectangle *part, int x, int y)
{
    GeglBuffer *raw = sfu_gimp_pixels(drawable);
    const Babl *format = babl_format("Y float");
    return raw ? sfu_pixels_read(raw, part ? part : gegl_buffer_get_extent(raw), format, x, y, format) : NULL;
}

GeglBuffer *sfu_host_read_layer(int image, int layer, GError **error)
{
    const GeglRectangle r = sfu_host_layer_bounds(layer);
    return read_drawable(image, layer, r.x, r.y, error);
}

GeglBuffer *sfu_host_read_layer_look(int image, int layer, GError **error)
{
    if (!sfu_gimp_has_filters(layer))
        return sfu_host_read_layer(image, layer, error);
    /* In a copy of the image its filters can be merged into the pixels. */
    const int copy = sfu_host_duplicate_image(image), twin = twin_of(image, copy, layer);
    g_array_unref(sfu_host_locks_lift(copy));
    const int merged = twin >= 0 ? sfu_gimp_merge_filters(twin) : -1;
    GeglBuffer *pixels = NULL;
    if (merged >= 0)
        pixels = sfu_host_read_layer(copy, merged, error);
    else
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP does not merge the filters of the layer."));
    sfu_host_delete_image(copy);
    return pixels;
}

GeglBuffer *sfu_host_read_visible(int image, GError **error)
{
    const int layer = sfu_gimp_new_layer_from_visible(image);
    if (layer < 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP does not give the visible image."));
        return NULL;
    }
    GeglBuffer *copy = read_drawable(image, layer, 0, 0, error);
    sfu_host_layer_discard(layer);
    return copy;
}

/* Those beside it in the same group, or in the image. */
static void hide_above(int image, int layer)
{
    GArray *list = sfu_gimp_children(image, sfu_host_layer_parent(layer));
    for (guint i = 0; i < list->len && g_array_index(list, int, i) != layer; i++)
        sfu_gimp_hide(g_array_index(list, int, i));
    g_array_unref(list);
}

GeglBuffer *sfu_host_read_up_to(int image, int layer, GError **error)
{
    const int copy = sfu_host_duplicate_image(image);
    for (int l = twin_of(image, copy, layer); l >= 0; l = sfu_host_layer_parent(l))
        hide_above(copy, l);
    GeglBuffer *pixels = sfu_host_read_visible(copy, error);
    sfu_host_delete_image(copy);
    return pixels;
}

GeglBuffer *sfu_host_read_mask(int layer)
{
    const int mask = sfu_gimp_mask(layer);
    const GeglRectangle here = sfu_host_layer_bounds(layer);
    return mask >= 0 && sfu_gimp_applies_mask(layer) ? read_gray(mask, NULL, here.x, here.y) : NULL;
}

GeglBuffer *sfu_host_read_selection(int image)
{
    GeglRectangle r;
    return sfu_host_selection_bounds(image, &r) ? read_gray(sfu_gimp_selection(image), &r, r.x, r.y) : NULL;
}

char **sfu_host_channels(int image)
{
    GArray *ids = sfu_gimp_channels(image);
    char **names = g_new0(char *, ids->len + 1);
    for (guint i = 0; i < ids->len; i++)
        names[i] = sfu_gimp_item_name(g_array_index(ids, int, i));
    g_array_unref(ids);
    return names;
}

GeglBuffer *sfu_host_read_channel(int image, const char *name)
{
    return read_gray(sfu_gimp_channel_named(image, name), NULL, 0, 0);
}

/* ---- writing ---- */

/* Its own buffer, not the shadow: merging the shadow would be clipped by the selection. Takes `raw`, which is GIMP's.
 */
static void write_pixels(int image, GeglBuffer *raw, GeglBuffer *pixels, const GeglRectangle *from)
{
    const Babl *format = gegl_buffer_get_format(raw);
    sfu_pixels_copy(pixels, from, sfu_gimp_format(image, format), raw, 0, 0, format);
    g_object_unref(raw); /* flushes to GIMP */
}

int sfu_host_layer_new(int image, GeglBuffer *pixels, const char *name, SfuLayerKind kind, GError **error)
{
    const GeglRectangle from = *gegl_buffer_get_extent(pixels);
    const int layer = sfu_gimp_new_layer(image, name, &from, kind != SFU_LAYER_OPAQUE);
    GeglBuffer *raw = sfu_gimp_pixels(layer);
    if (!raw) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP made no layer of %d x %d pixels."), from.width,
                    from.height);
        return -1;
    }
    GeglBuffer *source = kind == SFU_LAYER_MASK ? sfu_pixels_opaque(pixels) : g_object_ref(pixels);
    write_pixels(image, raw, source, &from);
    g_object_unref(source);
    return layer;
}

void sfu_host_layer_insert(int image, int layer, int above, GeglBuffer *pixels, SfuLayerKind kind)
{
    const GeglRectangle from = *gegl_buffer_get_extent(pixels);
    sfu_gimp_insert_layer(image, layer, above);
    sfu_gimp_move_layer(layer, from.x, from.y);
    if (kind == SFU_LAYER_MASK) {
        const int mask = sfu_gimp_new_mask(layer);
        GeglBuffer *raw = sfu_gimp_pixels(mask);
        sfu_pixels_copy_alpha(pixels, &from, raw, 0, 0);
        g_object_unref(raw);
        sfu_gimp_add_mask(layer, mask);
    }
    sfu_gimp_update(layer);
}

gboolean sfu_host_write_layer(int image, int layer, GeglBuffer *pixels, GError **error)
{
    GeglBuffer *raw = sfu_gimp_pixels(layer);
    if (!raw) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP could not read the layer's pixels."));
        return FALSE;
    }
    const GeglRectangle all = *gegl_buffer_get_extent(raw);
    write_pixels(image, raw, pixels, &all);
    sfu_gimp_update(layer);
    return TRUE;
}

/* ---- giving back ---- */

static void restore_pixels(int to, int from)
{
    GeglBuffer *write = sfu_gimp_pixels(to), *read = sfu_gimp_pixels(from);
    if (write && read) {
        gegl_buffer_copy(read, NULL, GEGL_ABYSS_NONE, write, NULL);
        g_object_unref(write); /* flushes to GIMP */
        sfu_gimp_update(to);
    } else {
        g_clear_object(&write);
    }
    g_clear_object(&read);
}

static void restore_layer(int to, int from)
{
    if (!sfu_gimp_is_group(to) && !sfu_gimp_is_drawn(to)) {
        const GeglRectangle was = sfu_host_layer_bounds(from);
        sfu_gimp_scale_layer(to, was.width, was.height); /* rounded another way on the way back */
        sfu_gimp_move_layer(to, was.x, was.y);
        restore_pixels(to, from);
    }
    restore_pixels(sfu_gimp_mask(to), sfu_gimp_mask(from));
}

/* For each pair of two lists, which are unreferenced. */
static void restore_each(GArray *to, GArray *from, void (*restore)(int to, int from))
{
    for (guint i = 0; i < MIN(to->len, from->len); i++)
        restore(g_array_index(to, int, i), g_array_index(from, int, i));
    g_array_unref(to);
    g_array_unref(from);
}

void sfu_host_restore_image(int image, int duplicate)
{
    SfuHostImage was;
    if (!sfu_host_image_info(duplicate, &was))
        return;
    sfu_gimp_scale(image, was.width, was.height);
    restore_each(layers_of(image, TRUE), layers_of(duplicate, TRUE), restore_layer);
    restore_each(sfu_gimp_channels(image), sfu_gimp_channels(duplicate), restore_pixels);
    restore_pixels(sfu_gimp_selection(image), sfu_gimp_selection(duplicate));
    sfu_gimp_restore_marks(image, duplicate);
}
