/* The host calls for GIMP 3.x. A drawable's format carries the image's color space here.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "host.h"

#include <string.h>
#include <libgimp/gimp.h>
#include <glib/gi18n-lib.h>

#include "pixels.h"
#include "sfumato.h"

#define PARASITE "sfumato"

/* Proxies belong to libgimp: none of these is unreferenced. NULL for ids that are gone. */
static GimpImage *to_image(int id)
{
    return id >= 0 && gimp_image_id_is_valid(id) ? gimp_image_get_by_id(id) : NULL;
}

static GimpLayer *to_layer(int id)
{
    return id >= 0 && gimp_item_id_is_layer(id) ? gimp_layer_get_by_id(id) : NULL;
}

static int to_id(gpointer item)
{
    return item ? gimp_item_get_id(GIMP_ITEM(item)) : -1;
}

gboolean sfu_host_image_info(int id, SfuHostImage *info)
{
    GimpImage *image = to_image(id);
    if (!image)
        return FALSE;
    const GimpImageBaseType type = gimp_image_get_base_type(image);
    *info = (SfuHostImage){
        .width = gimp_image_get_width(image),
        .height = gimp_image_get_height(image),
        .type = type == GIMP_RGB    ? SFU_HOST_RGB
                : type == GIMP_GRAY ? SFU_HOST_GRAY
                                    : SFU_HOST_INDEXED,
        .floating = gimp_image_get_floating_sel(image) != NULL,
        .quick_mask = gimp_image_get_channel_by_name(image, "Qmask") != NULL,
        .largest_px = GIMP_MAX_IMAGE_SIZE,
    };
    return TRUE;
}

char *sfu_host_image_name(int image)
{
    return to_image(image) ? gimp_image_get_name(to_image(image)) : NULL;
}

int sfu_host_active_layer(int image)
{
    GimpLayer **list = gimp_image_get_selected_layers(to_image(image));
    const int first = list ? to_id(list[0]) : -1;
    g_free(list);
    return first;
}

int sfu_host_layer_of(int drawable, GError **error)
{
    if (drawable >= 0 && gimp_item_id_is_layer(drawable))
        return drawable;
    if (drawable >= 0 && gimp_item_id_is_layer_mask(drawable))
        return to_id(gimp_layer_from_mask(GIMP_LAYER_MASK(gimp_item_get_by_id(drawable))));
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("Sfumato works on layers; choose a layer, not a channel."));
    return -1;
}

GeglRectangle sfu_host_layer_bounds(int layer)
{
    GimpDrawable *d = GIMP_DRAWABLE(to_layer(layer));
    int x = 0, y = 0;
    gimp_drawable_get_offsets(d, &x, &y);
    return (GeglRectangle){x, y, gimp_drawable_get_width(d), gimp_drawable_get_height(d)};
}

int sfu_host_layer_named(int id, const char *name)
{
    GimpLayer *layer = gimp_image_get_layer_by_name(to_image(id), name);
    return layer ? gimp_item_get_id(GIMP_ITEM(layer)) : -1;
}

char *sfu_host_layer_name(int layer)
{
    return gimp_item_get_name(GIMP_ITEM(to_layer(layer)));
}

gboolean sfu_host_layer_in_image(int layer, int image)
{
    return to_layer(layer) && gimp_item_get_image(GIMP_ITEM(to_layer(layer))) == to_image(image);
}

/* TRUE: GIMP draws it anew at any size. */
static gboolean is_drawn(GimpItem *layer)
{
#if GIMP_CHECK_VERSION(3, 2, 0)
    return (gimp_item_is_vector_layer(layer) || gimp_item_is_link_layer(layer)) &&
           !gimp_rasterizable_is_rasterized(GIMP_RASTERIZABLE(layer));
#else
    return FALSE;
#endif
}

gboolean sfu_host_layer_is_shown(int layer)
{
    for (GimpItem *item = GIMP_ITEM(to_layer(layer)); item; item = gimp_item_get_parent(item))
        if (!gimp_item_get_visible(item))
            return FALSE;
    return TRUE;
}

gboolean sfu_host_layer_covers(int id)
{
    GimpLayer *layer = to_layer(id);
    const GimpLayerMode mode = gimp_layer_get_mode(layer);
    const GimpLayerCompositeMode composite = gimp_layer_get_composite_mode(layer);
    return gimp_layer_get_opacity(layer) > 99.9 &&
           (mode == GIMP_LAYER_MODE_NORMAL || mode == GIMP_LAYER_MODE_NORMAL_LEGACY) &&
           (composite == GIMP_LAYER_COMPOSITE_AUTO || composite == GIMP_LAYER_COMPOSITE_UNION ||
            composite == GIMP_LAYER_COMPOSITE_CLIP_TO_BACKDROP);
}

int sfu_host_layer_parent(int layer)
{
    return to_id(gimp_item_get_parent(GIMP_ITEM(to_layer(layer))));
}

/* Those of a list, children in the group's place; or all, groups before their children. Frees the list. */
static void collect_layers(GArray *found, GimpItem **list, gboolean all)
{
    for (int i = 0; list && list[i]; i++) {
        const int id = to_id(list[i]);
        const gboolean is_group = gimp_item_is_group(list[i]);
        if (all || (!is_group && !is_drawn(list[i])))
            g_array_append_val(found, id);
        if (is_group)
            collect_layers(found, gimp_item_get_children(list[i]), all);
    }
    g_free(list);
}

static GArray *layers_of(int image, gboolean all)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(int));
    collect_layers(found, (GimpItem **)gimp_image_get_layers(to_image(image)), all);
    return found;
}

GArray *sfu_host_pixel_layers(int image)
{
    return layers_of(image, FALSE);
}

static GeglBuffer *read_drawable(GimpDrawable *drawable, int x, int y, GError **error)
{
    GeglBuffer *raw = gimp_drawable_get_buffer(drawable);
    if (!raw) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP could not read the layer's pixels."));
        return NULL;
    }
    const Babl *format = gegl_buffer_get_format(raw);
    return sfu_pixels_read(raw, gegl_buffer_get_extent(raw), format, x, y, format);
}

GeglBuffer *sfu_host_read_layer(int image, int layer, GError **error)
{
    const GeglRectangle r = sfu_host_layer_bounds(layer);
    return read_drawable(GIMP_DRAWABLE(to_layer(layer)), r.x, r.y, error);
}

/* The same layer in a duplicate, which has its layers in the same order. NULL: none. */
static GimpLayer *twin_of(int image, int copy, int layer)
{
    GArray *here = layers_of(image, TRUE), *there = layers_of(copy, TRUE);
    GimpLayer *twin = NULL;
    for (guint i = 0; i < MIN(here->len, there->len); i++)
        if (g_array_index(here, int, i) == layer)
            twin = to_layer(g_array_index(there, int, i));
    g_array_unref(here);
    g_array_unref(there);
    return twin;
}

GeglBuffer *sfu_host_read_layer_look(int image_id, int layer_id, GError **error)
{
    GimpDrawableFilter **filters = gimp_drawable_get_filters(GIMP_DRAWABLE(to_layer(layer_id)));
    const gboolean any = filters && filters[0];
    g_free(filters);
    if (!any)
        return sfu_host_read_layer(image_id, layer_id, error);
    /* In a copy of the image its filters can be merged into the pixels. */
    const int copy_id = sfu_host_duplicate_image(image_id);
    GimpLayer *twin = twin_of(image_id, copy_id, layer_id);
    GeglBuffer *pixels = NULL;
    g_array_unref(sfu_host_locks_lift(copy_id));
    if (twin && gimp_item_is_group(GIMP_ITEM(twin)))
        twin = gimp_group_layer_merge(GIMP_GROUP_LAYER(twin));
    if (twin && gimp_drawable_merge_filters(GIMP_DRAWABLE(twin)))
        pixels = sfu_host_read_layer(copy_id, to_id(twin), error);
    else
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP does not merge the filters of the layer."));
    sfu_host_delete_image(copy_id);
    return pixels;
}

GBytes *sfu_host_layer_glance(int layer)
{
    int w, h, bpp;
    return gimp_drawable_get_thumbnail_data(GIMP_DRAWABLE(to_layer(layer)), SFU_GLANCE_PX, SFU_GLANCE_PX, &w, &h, &bpp);
}

GeglBuffer *sfu_host_read_visible(int image, GError **error)
{
    GimpLayer *layer = gimp_layer_new_from_visible(to_image(image), to_image(image), "sfumato");
    if (!layer) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP does not give the visible image."));
        return NULL;
    }
    GeglBuffer *copy = read_drawable(GIMP_DRAWABLE(layer), 0, 0, error);
    gimp_item_delete(GIMP_ITEM(layer));
    return copy;
}

/* Those beside it in the same group, or in the image. */
static void hide_above(int image, GimpItem *layer)
{
    GimpItem *parent = gimp_item_get_parent(layer);
    GimpItem **list = parent ? gimp_item_get_children(parent) : (GimpItem **)gimp_image_get_layers(to_image(image));
    for (int i = 0; list && list[i] && list[i] != layer; i++) {
        gimp_item_set_lock_visibility(list[i], FALSE);
        gimp_item_set_visible(list[i], FALSE);
    }
    g_free(list);
}

GeglBuffer *sfu_host_read_up_to(int image, int layer, GError **error)
{
    const int copy = sfu_host_duplicate_image(image);
    for (GimpItem *l = GIMP_ITEM(twin_of(image, copy, layer)); l; l = gimp_item_get_parent(l))
        hide_above(copy, l);
    GeglBuffer *pixels = sfu_host_read_visible(copy, error);
    sfu_host_delete_image(copy);
    return pixels;
}

GeglBuffer *sfu_host_read_mask(int layer)
{
    GimpLayerMask *mask = gimp_layer_get_mask(to_layer(layer));
    GeglBuffer *raw =
        mask && gimp_layer_get_apply_mask(to_layer(layer)) ? gimp_drawable_get_buffer(GIMP_DRAWABLE(mask)) : NULL;
    if (!raw)
        return NULL;
    const GeglRectangle here = sfu_host_layer_bounds(layer);
    const Babl *format = babl_format("Y float");
    return sfu_pixels_read(raw, gegl_buffer_get_extent(raw), format, here.x, here.y, format);
}

gboolean sfu_host_selection_bounds(int image, GeglRectangle *bounds)
{
    gboolean any = FALSE;
    int x1, y1, x2, y2;
    if (!gimp_selection_bounds(to_image(image), &any, &x1, &y1, &x2, &y2) || !any)
        return FALSE;
    *bounds = (GeglRectangle){x1, y1, x2 - x1, y2 - y1};
    return TRUE;
}

GeglBuffer *sfu_host_read_selection(int image)
{
    GeglRectangle r;
    if (!sfu_host_selection_bounds(image, &r))
        return NULL;
    GeglBuffer *raw = gimp_drawable_get_buffer(GIMP_DRAWABLE(gimp_image_get_selection(to_image(image))));
    const Babl *format = babl_format("Y float");
    return sfu_pixels_read(raw, &r, format, r.x, r.y, format);
}

char **sfu_host_channels(int id)
{
    GimpChannel **list = gimp_image_get_channels(to_image(id));
    GPtrArray *names = g_ptr_array_new();
    for (int i = 0; list && list[i]; i++)
        g_ptr_array_add(names, gimp_item_get_name(GIMP_ITEM(list[i])));
    g_ptr_array_add(names, NULL);
    g_free(list);
    return (char **)g_ptr_array_free(names, FALSE);
}

GeglBuffer *sfu_host_read_channel(int id, const char *name)
{
    GimpChannel *channel = gimp_image_get_channel_by_name(to_image(id), name);
    GeglBuffer *raw = channel ? gimp_drawable_get_buffer(GIMP_DRAWABLE(channel)) : NULL;
    if (!raw)
        return NULL;
    const Babl *format = babl_format("Y float");
    return sfu_pixels_read(raw, gegl_buffer_get_extent(raw), format, 0, 0, format);
}

gboolean sfu_host_selection_keep(int id, const char *name)
{
    GeglRectangle bounds;
    GimpImage *image = to_image(id);
    if (!sfu_host_selection_bounds(id, &bounds))
        return FALSE;
    GimpChannel *old = gimp_image_get_channel_by_name(image, name);
    GimpLayer **layers = gimp_image_get_selected_layers(image);
    gimp_image_undo_group_start(image);
    if (old)
        gimp_image_remove_channel(image, old);
    gimp_item_set_name(GIMP_ITEM(gimp_selection_save(image)), name);
    if (layers && layers[0]) /* else the next action would be asked to work on the channel */
        gimp_image_set_selected_layers(image, (const GimpLayer **)layers);
    gimp_image_undo_group_end(image);
    g_free(layers);
    return TRUE;
}

/* Frees the parasite. */
static char *parasite_text(GimpParasite *p)
{
    guint32 n = 0;
    const char *data = p ? gimp_parasite_get_data(p, &n) : NULL;
    char *text = data ? g_strndup(data, n) : NULL;
    if (p)
        gimp_parasite_free(p);
    return text;
}

char *sfu_host_image_text_get(int image, const char *name)
{
    return to_image(image) ? parasite_text(gimp_image_get_parasite(to_image(image), name)) : NULL;
}

void sfu_host_image_text_set(int image, const char *name, const char *text, gboolean saved)
{
    GimpParasite *p =
        gimp_parasite_new(name, saved ? GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE : 0, strlen(text) + 1, text);
    gimp_image_attach_parasite(to_image(image), p);
    gimp_parasite_free(p);
}

char *sfu_host_parasite_get(int layer)
{
    return to_layer(layer) ? parasite_text(gimp_item_get_parasite(GIMP_ITEM(to_layer(layer)), PARASITE)) : NULL;
}

void sfu_host_parasite_set(int layer, const char *text)
{
    GimpParasite *p =
        gimp_parasite_new(PARASITE, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, strlen(text) + 1, text);
    gimp_item_attach_parasite(GIMP_ITEM(to_layer(layer)), p);
    gimp_parasite_free(p);
}

guint sfu_host_layer_tattoo(int layer)
{
    return gimp_item_get_tattoo(GIMP_ITEM(to_layer(layer)));
}

int sfu_host_layer_by_tattoo(int image, guint tattoo)
{
    return to_id(gimp_image_get_layer_by_tattoo(to_image(image), tattoo));
}

int sfu_host_layer_new(int id, GeglBuffer *pixels, const char *name, SfuLayerKind kind, GError **error)
{
    GimpImage *image = to_image(id);
    const GeglRectangle from = *gegl_buffer_get_extent(pixels);
    const gboolean gray = gimp_image_get_base_type(image) == GIMP_GRAY;
    const GimpImageType type = kind == SFU_LAYER_OPAQUE ? (gray ? GIMP_GRAY_IMAGE : GIMP_RGB_IMAGE)
                                                        : (gray ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE);
    GimpLayer *layer =
        gimp_layer_new(image, name, from.width, from.height, type, 100, gimp_image_get_default_new_layer_mode(image));
    GeglBuffer *raw = layer ? gimp_drawable_get_buffer(GIMP_DRAWABLE(layer)) : NULL;
    if (!raw) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP made no layer of %d x %d pixels."), from.width,
                    from.height);
        return -1;
    }
    gimp_layer_set_offsets(layer, from.x, from.y);
    /* Its own buffer, not the shadow: merging the shadow would be clipped by the selection. */
    const Babl *format = gegl_buffer_get_format(raw);
    GeglBuffer *source = kind == SFU_LAYER_MASK ? sfu_pixels_opaque(pixels) : g_object_ref(pixels);
    sfu_pixels_copy(source, &from, format, raw, 0, 0, format);
    g_object_unref(source);
    g_object_unref(raw); /* flushes to GIMP */
    return to_id(layer);
}

void sfu_host_layer_look_like(int layer, int source)
{
    const GimpLayerMode mode = gimp_layer_get_mode(to_layer(source));
    gimp_layer_set_opacity(to_layer(layer), gimp_layer_get_opacity(to_layer(source)));
    /* Pass-through is for groups only. */
    gimp_layer_set_mode(to_layer(layer), mode == GIMP_LAYER_MODE_PASS_THROUGH ? GIMP_LAYER_MODE_NORMAL : mode);
    if (mode == GIMP_LAYER_MODE_PASS_THROUGH)
        return;
    gimp_layer_set_blend_space(to_layer(layer), gimp_layer_get_blend_space(to_layer(source)));
    gimp_layer_set_composite_space(to_layer(layer), gimp_layer_get_composite_space(to_layer(source)));
    gimp_layer_set_composite_mode(to_layer(layer), gimp_layer_get_composite_mode(to_layer(source)));
}

void sfu_host_layer_insert(int id, int layer_id, int above_id, GeglBuffer *pixels, SfuLayerKind kind)
{
    GimpImage *image = to_image(id);
    GimpLayer *layer = to_layer(layer_id), *above = to_layer(above_id);
    GimpItem *parent = above ? gimp_item_get_parent(GIMP_ITEM(above)) : NULL;
    const GeglRectangle from = *gegl_buffer_get_extent(pixels);
    gimp_image_insert_layer(image, layer, parent ? GIMP_LAYER(parent) : NULL,
                            above ? gimp_image_get_item_position(image, GIMP_ITEM(above)) : 0);
    gimp_layer_set_offsets(layer, from.x, from.y);
    if (kind == SFU_LAYER_MASK) {
        GimpLayerMask *mask = gimp_layer_create_mask(layer, GIMP_ADD_MASK_WHITE);
        GeglBuffer *raw = gimp_drawable_get_buffer(GIMP_DRAWABLE(mask));
        sfu_pixels_copy_alpha(pixels, &from, raw, 0, 0);
        g_object_unref(raw);
        gimp_layer_add_mask(layer, mask);
        gimp_layer_set_edit_mask(layer, FALSE);
    }
    gimp_drawable_update(GIMP_DRAWABLE(layer), 0, 0, from.width, from.height);
}

void sfu_host_layer_discard(int layer)
{
    gimp_item_delete(GIMP_ITEM(to_layer(layer)));
}

void sfu_host_set_active_layer(int image, int layer)
{
    const GimpLayer *one[2] = {to_layer(layer), NULL};
    gimp_image_set_selected_layers(to_image(image), one);
}

void sfu_host_undo_begin(int image)
{
    gimp_image_undo_group_start(to_image(image));
}

void sfu_host_undo_end(int image)
{
    gimp_image_undo_group_end(to_image(image));
}

GArray *sfu_host_locks_lift(int image)
{
    GArray *all = layers_of(image, TRUE), *locked = g_array_new(FALSE, FALSE, sizeof(int));
    for (guint i = 0; i < all->len; i++) {
        const int id = g_array_index(all, int, i);
        GimpItem *item = GIMP_ITEM(to_layer(id));
        if (gimp_item_get_lock_content(item) && gimp_item_set_lock_content(item, FALSE))
            g_array_append_val(locked, id);
    }
    g_array_unref(all);
    return locked;
}

void sfu_host_locks_restore(GArray *locked)
{
    for (guint i = 0; i < locked->len; i++) {
        GimpLayer *layer = to_layer(g_array_index(locked, int, i));
        if (layer)
            gimp_item_set_lock_content(GIMP_ITEM(layer), TRUE);
    }
    g_array_unref(locked);
}

void sfu_host_undo_enable(int image)
{
    gimp_image_undo_enable(to_image(image));
}

void sfu_host_resize_canvas(int image, int width, int height, int offset_x, int offset_y)
{
    gimp_image_resize(to_image(image), width, height, offset_x, offset_y);
}

void sfu_host_convert_to_rgb(int image)
{
    gimp_image_convert_rgb(to_image(image));
    gimp_displays_flush();
}

gboolean sfu_host_scale_image(int id, int width, int height, GError **error)
{
    GimpImage *image = to_image(id);
#if GIMP_CHECK_VERSION(3, 2, 0)
    /* Text that stays text would be drawn anew over the pixels that it is given. */
    GArray *layers = sfu_host_pixel_layers(id);
    for (guint i = 0; i < layers->len; i++) {
        GimpItem *layer = gimp_item_get_by_id(g_array_index(layers, int, i));
        if (gimp_item_is_text_layer(layer) && !gimp_rasterizable_is_rasterized(GIMP_RASTERIZABLE(layer)))
            gimp_rasterizable_rasterize(GIMP_RASTERIZABLE(layer));
    }
    g_array_unref(layers);
#endif
    gimp_context_push();
    gimp_context_set_interpolation(GIMP_INTERPOLATION_CUBIC);
    const gboolean ok = gimp_image_scale(image, width, height);
    gimp_context_pop();
    if (!ok)
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP did not scale the image to %d x %d pixels."), width,
                    height);
    return ok;
}

gboolean sfu_host_write_layer(int image, int layer, GeglBuffer *pixels, GError **error)
{
    GimpDrawable *drawable = GIMP_DRAWABLE(to_layer(layer));
    GeglBuffer *raw = gimp_drawable_get_buffer(drawable);
    if (!raw) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP could not read the layer's pixels."));
        return FALSE;
    }
    const GeglRectangle all = *gegl_buffer_get_extent(raw);
    const Babl *format = gegl_buffer_get_format(raw);
    sfu_pixels_copy(pixels, &all, format, raw, 0, 0, format);
    g_object_unref(raw);
    gimp_drawable_update(drawable, 0, 0, all.width, all.height);
    return TRUE;
}

static void restore_pixels(gpointer to, gpointer from)
{
    GeglBuffer *write = to ? gimp_drawable_get_buffer(GIMP_DRAWABLE(to)) : NULL;
    GeglBuffer *read = from ? gimp_drawable_get_buffer(GIMP_DRAWABLE(from)) : NULL;
    if (write && read) {
        gegl_buffer_copy(read, NULL, GEGL_ABYSS_NONE, write, NULL);
        g_object_unref(write); /* flushes to GIMP */
        gimp_drawable_update(GIMP_DRAWABLE(to), 0, 0, gimp_drawable_get_width(GIMP_DRAWABLE(to)),
                             gimp_drawable_get_height(GIMP_DRAWABLE(to)));
    } else {
        g_clear_object(&write);
    }
    g_clear_object(&read);
}

/* Guides and sample points have whole places, which are rounded on both ways. */
static void restore_marks(GimpImage *image, GimpImage *duplicate)
{
    guint mark;
    while ((mark = gimp_image_find_next_guide(image, 0)) != 0)
        gimp_image_delete_guide(image, mark);
    while ((mark = gimp_image_find_next_sample_point(image, 0)) != 0)
        gimp_image_delete_sample_point(image, mark);
    for (mark = 0; (mark = gimp_image_find_next_guide(duplicate, mark)) != 0;) {
        const int at = gimp_image_get_guide_position(duplicate, mark);
        if (gimp_image_get_guide_orientation(duplicate, mark) == GIMP_ORIENTATION_HORIZONTAL)
            gimp_image_add_hguide(image, at);
        else
            gimp_image_add_vguide(image, at);
    }
    for (mark = 0; (mark = gimp_image_find_next_sample_point(duplicate, mark)) != 0;) {
        int y = 0;
        const int x = gimp_image_get_sample_point_position(duplicate, mark, &y);
        gimp_image_add_sample_point(image, x, y);
    }
}

void sfu_host_restore_image(int image_id, int duplicate_id)
{
    GimpImage *image = to_image(image_id), *duplicate = to_image(duplicate_id);
    gimp_image_scale(image, gimp_image_get_width(duplicate), gimp_image_get_height(duplicate));
    GArray *to = layers_of(image_id, TRUE), *from = layers_of(duplicate_id, TRUE);
    for (guint i = 0; i < MIN(to->len, from->len); i++) {
        GimpLayer *a = to_layer(g_array_index(to, int, i)), *b = to_layer(g_array_index(from, int, i));
        int x = 0, y = 0;
        if (!gimp_item_is_group(GIMP_ITEM(a)) && !is_drawn(GIMP_ITEM(a))) {
            gimp_drawable_get_offsets(GIMP_DRAWABLE(b), &x, &y);
            /* Rounded another way on the way back. */
            gimp_layer_scale(a, gimp_drawable_get_width(GIMP_DRAWABLE(b)), gimp_drawable_get_height(GIMP_DRAWABLE(b)),
                             TRUE);
            gimp_layer_set_offsets(a, x, y);
            restore_pixels(a, b);
        }
        restore_pixels(gimp_layer_get_mask(a), gimp_layer_get_mask(b));
    }
    g_array_unref(to);
    g_array_unref(from);
    GimpChannel **mine = gimp_image_get_channels(image), **theirs = gimp_image_get_channels(duplicate);
    for (int i = 0; mine && theirs && mine[i] && theirs[i]; i++)
        restore_pixels(mine[i], theirs[i]);
    g_free(mine);
    g_free(theirs);
    restore_pixels(gimp_image_get_selection(image), gimp_image_get_selection(duplicate));
    restore_marks(image, duplicate);
}

int sfu_host_duplicate_image(int image)
{
    GimpImage *copy = gimp_image_duplicate(to_image(image));
    gimp_image_undo_disable(copy);
    return gimp_image_get_id(copy);
}

int sfu_host_new_image(int like_id, int width, int height)
{
    GimpImage *like = to_image(like_id);
    if (!like)
        return gimp_image_get_id(gimp_image_new(width, height, GIMP_RGB));
    GimpImage *image =
        gimp_image_new_with_precision(width, height, gimp_image_get_base_type(like), gimp_image_get_precision(like));
    GimpColorProfile *profile = gimp_image_get_color_profile(like);
    double x, y;
    if (profile)
        gimp_image_set_color_profile(image, profile);
    g_clear_object(&profile);
    if (gimp_image_get_resolution(like, &x, &y))
        gimp_image_set_resolution(image, x, y);
    return gimp_image_get_id(image);
}

void sfu_host_delete_image(int image)
{
    gimp_image_delete(to_image(image));
}

void sfu_host_show_image(int image)
{
    gimp_image_clean_all(to_image(image));
    gimp_display_new(to_image(image));
}

void sfu_host_flush(void)
{
    gimp_displays_flush();
}

void sfu_host_message(const char *text)
{
    gimp_message(text);
}

void sfu_host_progress_begin(const char *text)
{
    gimp_progress_init(text);
}

void sfu_host_progress(double fraction, const char *text)
{
    gimp_progress_set_text(text);
    gimp_progress_update(CLAMP(fraction, 0, 1));
}

void sfu_host_progress_end(void)
{
    gimp_progress_end();
}

char *sfu_host_folder(void)
{
    return g_strdup(gimp_directory());
}
