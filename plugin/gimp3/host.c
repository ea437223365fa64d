/* The host calls for GIMP 3.x. A drawable's format carries the image's colour space here.
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
        .type = type == GIMP_RGB ? SFU_HOST_RGB : type == GIMP_GRAY ? SFU_HOST_GRAY : SFU_HOST_INDEXED,
        .floating = gimp_image_get_floating_sel(image) != NULL,
        .largest_px = GIMP_MAX_IMAGE_SIZE,
    };
    return TRUE;
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

/* Those of a list, children in the group's place. Frees the list. */
static void collect_layers(GArray *found, GimpItem **list)
{
    for (int i = 0; list && list[i]; i++) {
        const int id = to_id(list[i]);
        if (gimp_item_is_group(list[i]))
            collect_layers(found, gimp_item_get_children(list[i]));
        else if (!is_drawn(list[i]))
            g_array_append_val(found, id);
    }
    g_free(list);
}

GArray *sfu_host_pixel_layers(int image)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(int));
    collect_layers(found, (GimpItem **)gimp_image_get_layers(to_image(image)));
    return found;
}

static GeglBuffer *read_drawable(GimpDrawable *drawable, int x, int y, GError **error)
{
    GeglBuffer *raw = gimp_drawable_get_buffer(drawable);
    if (!raw) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP does not give the pixels of the layer."));
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

GeglBuffer *sfu_host_read_mask(int layer)
{
    GimpLayerMask *mask = gimp_layer_get_mask(to_layer(layer));
    GeglBuffer *raw = mask && gimp_layer_get_apply_mask(to_layer(layer)) ? gimp_drawable_get_buffer(GIMP_DRAWABLE(mask)) : NULL;
    if (!raw)
        return NULL;
    const GeglRectangle here = sfu_host_layer_bounds(layer);
    const Babl *format = babl_format("Y float");
    return sfu_pixels_read(raw, gegl_buffer_get_extent(raw), format, here.x, here.y, format);
}

GeglBuffer *sfu_host_read_selection(int id)
{
    GimpImage *image = to_image(id);
    gboolean any = FALSE;
    int x1, y1, x2, y2;
    if (!gimp_selection_bounds(image, &any, &x1, &y1, &x2, &y2) || !any)
        return NULL;
    GeglBuffer *raw = gimp_drawable_get_buffer(GIMP_DRAWABLE(gimp_image_get_selection(image)));
    const GeglRectangle r = {x1, y1, x2 - x1, y2 - y1};
    const Babl *format = babl_format("Y float");
    return sfu_pixels_read(raw, &r, format, x1, y1, format);
}

char *sfu_host_parasite_get(int layer)
{
    GimpParasite *p = to_layer(layer) ? gimp_item_get_parasite(GIMP_ITEM(to_layer(layer)), PARASITE) : NULL;
    guint32 n = 0;
    const char *data = p ? gimp_parasite_get_data(p, &n) : NULL;
    char *text = data ? g_strndup(data, n) : NULL;
    if (p)
        gimp_parasite_free(p);
    return text;
}

void sfu_host_parasite_set(int layer, const char *text)
{
    GimpParasite *p = gimp_parasite_new(PARASITE, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, strlen(text) + 1, text);
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
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP made no layer of %d x %d pixels."), from.width, from.height);
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
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP did not scale the image to %d x %d pixels."), width, height);
    return ok;
}

gboolean sfu_host_write_layer(int image, int layer, GeglBuffer *pixels, GError **error)
{
    GimpDrawable *drawable = GIMP_DRAWABLE(to_layer(layer));
    GeglBuffer *raw = gimp_drawable_get_buffer(drawable);
    if (!raw) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP does not give the pixels of the layer."));
        return FALSE;
    }
    const GeglRectangle all = *gegl_buffer_get_extent(raw);
    const Babl *format = gegl_buffer_get_format(raw);
    sfu_pixels_copy(pixels, &all, format, raw, 0, 0, format);
    g_object_unref(raw);
    gimp_drawable_update(drawable, 0, 0, all.width, all.height);
    return TRUE;
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
