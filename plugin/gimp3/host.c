/* GIMP 3.x's own calls for host-common.c, and the rest of host.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "host-calls.h"

#include <string.h>
#include <libgimp/gimp.h>
#include <glib/gi18n-lib.h>

#include "sfumato.h"

/* Proxies belong to libgimp: none of these is unreferenced. NULL for ids that are gone. */
static GimpImage *to_image(int id)
{
    return id >= 0 && gimp_image_id_is_valid(id) ? gimp_image_get_by_id(id) : NULL;
}

static GimpLayer *to_layer(int id)
{
    return id >= 0 && gimp_item_id_is_layer(id) ? gimp_layer_get_by_id(id) : NULL;
}

static GimpDrawable *to_drawable(int id)
{
    return id >= 0 && gimp_item_id_is_drawable(id) ? GIMP_DRAWABLE(gimp_item_get_by_id(id)) : NULL;
}

static GimpItem *to_item(int id)
{
    return GIMP_ITEM(to_drawable(id));
}

static int to_id(gpointer item)
{
    return item ? gimp_item_get_id(GIMP_ITEM(item)) : -1;
}

static int image_id(GimpImage *image)
{
    return gimp_image_get_id(image);
}

typedef GimpImage *Image;
#include "host-alike.inc"

/* ---- host-calls.h ---- */

/* Takes a list of GIMP's. */
static GArray *as_array(gpointer list)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(int));
    for (gpointer *item = list; item && *item; item++) {
        const int id = to_id(*item);
        g_array_append_val(all, id);
    }
    g_free(list);
    return all;
}

GArray *sfu_gimp_children(int image, int group)
{
    if (group >= 0)
        return as_array(gimp_item_get_children(GIMP_ITEM(to_layer(group))));
    return as_array(gimp_image_get_layers(to_image(image)));
}

gboolean sfu_gimp_is_drawn(int id)
{
#if GIMP_CHECK_VERSION(3, 2, 0)
    GimpItem *layer = GIMP_ITEM(to_layer(id));
    return (gimp_item_is_vector_layer(layer) || gimp_item_is_link_layer(layer)) &&
           !gimp_rasterizable_is_rasterized(GIMP_RASTERIZABLE(layer));
#else
    return FALSE;
#endif
}

gboolean sfu_gimp_is_visible(int layer)
{
    return !to_layer(layer) || gimp_item_get_visible(GIMP_ITEM(to_layer(layer)));
}

void sfu_gimp_hide(int id)
{
    GimpItem *layer = GIMP_ITEM(to_layer(id));
    gimp_item_set_lock_visibility(layer, FALSE);
    gimp_item_set_visible(layer, FALSE);
}

int sfu_gimp_layer_of(int drawable)
{
    if (drawable < 0 || gimp_item_id_is_layer(drawable))
        return drawable;
    if (gimp_item_id_is_layer_mask(drawable))
        return to_id(gimp_layer_from_mask(GIMP_LAYER_MASK(gimp_item_get_by_id(drawable))));
    return -1;
}

void sfu_gimp_lock(int layer)
{
    if (to_layer(layer))
        gimp_item_set_lock_content(GIMP_ITEM(to_layer(layer)), TRUE);
}

GArray *sfu_gimp_channels(int image)
{
    return as_array(gimp_image_get_channels(to_image(image)));
}

GeglBuffer *sfu_gimp_pixels(int drawable)
{
    return to_drawable(drawable) ? gimp_drawable_get_buffer(to_drawable(drawable)) : NULL;
}

const Babl *sfu_gimp_format(int image, const Babl *format)
{
    return format; /* a drawable's format carries the image's color space here */
}

void sfu_gimp_update(int drawable)
{
    GimpDrawable *d = to_drawable(drawable);
    gimp_drawable_update(d, 0, 0, gimp_drawable_get_width(d), gimp_drawable_get_height(d));
}

int sfu_gimp_new_layer(int id, const char *name, const GeglRectangle *place, gboolean alpha)
{
    GimpImage *image = to_image(id);
    const gboolean gray = gimp_image_get_base_type(image) == GIMP_GRAY;
    const GimpImageType type =
        alpha ? (gray ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE) : (gray ? GIMP_GRAY_IMAGE : GIMP_RGB_IMAGE);
    GimpLayer *layer = gimp_layer_new(image, name, place->width, place->height, type, 100,
                                      gimp_image_get_default_new_layer_mode(image));
    if (layer)
        gimp_layer_set_offsets(layer, place->x, place->y);
    return to_id(layer);
}

void sfu_gimp_insert_layer(int image, int layer, int above_id)
{
    GimpItem *above = above_id >= 0 ? GIMP_ITEM(to_layer(above_id)) : NULL,
             *parent = above ? gimp_item_get_parent(above) : NULL;
    gimp_image_insert_layer(to_image(image), to_layer(layer), parent ? GIMP_LAYER(parent) : NULL,
                            above ? gimp_image_get_item_position(to_image(image), above) : 0);
}

void sfu_gimp_add_mask(int layer, int mask)
{
    gimp_layer_add_mask(to_layer(layer), GIMP_LAYER_MASK(gimp_item_get_by_id(mask)));
    gimp_layer_set_edit_mask(to_layer(layer), FALSE);
}

gboolean sfu_gimp_has_filters(int layer)
{
    GimpDrawableFilter **filters = gimp_drawable_get_filters(GIMP_DRAWABLE(to_layer(layer)));
    const gboolean any = filters && filters[0];
    g_free(filters);
    return any;
}

int sfu_gimp_merge_filters(int id)
{
    GimpLayer *layer = to_layer(id);
    if (gimp_item_is_group(GIMP_ITEM(layer)))
        layer = gimp_group_layer_merge(GIMP_GROUP_LAYER(layer));
    return layer && gimp_drawable_merge_filters(GIMP_DRAWABLE(layer)) ? to_id(layer) : -1;
}

/* ---- host.h ---- */

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

int sfu_host_layer_parent(int layer)
{
    return to_layer(layer) ? to_id(gimp_item_get_parent(GIMP_ITEM(to_layer(layer)))) : -1;
}

GBytes *sfu_host_layer_glance(int layer)
{
    int w, h, bpp;
    return gimp_drawable_get_thumbnail_data(GIMP_DRAWABLE(to_layer(layer)), SFU_GLANCE_PX, SFU_GLANCE_PX, &w, &h, &bpp);
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

char *sfu_host_parasite_get(int layer)
{
    return to_layer(layer) ? parasite_text(gimp_item_get_parasite(GIMP_ITEM(to_layer(layer)), PARASITE)) : NULL;
}

void sfu_host_set_active_layer(int image, int layer)
{
    const GimpLayer *one[2] = {to_layer(layer), NULL};
    gimp_image_set_selected_layers(to_image(image), one);
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
