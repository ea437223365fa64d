/* GIMP 2.10's own calls for host-common.c, and the rest of host.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "host-calls.h"

#include <string.h>
#include <libgimp/gimp.h>
#include <glib/gi18n-lib.h>

#include "sfumato.h"

/* Ids stand for themselves here. */
typedef gint32 Image;
static gint32 to_image(int id)
{
    return id;
}
static gint32 to_layer(int id)
{
    return id;
}
static gint32 to_item(int id)
{
    return id;
}
static int to_id(gint32 item)
{
    return item;
}
static int image_id(gint32 image)
{
    return image;
}

#include "host-alike.inc"

/* ---- host-calls.h ---- */

/* Takes a list of GIMP's. */
static GArray *as_array(gint32 *ids, int n)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(int));
    for (int i = 0; i < n; i++)
        g_array_append_val(all, ids[i]);
    g_free(ids);
    return all;
}

GArray *sfu_gimp_children(int image, int group)
{
    int n = 0;
    gint32 *ids = group >= 0 ? gimp_item_get_children(group, &n) : gimp_image_get_layers(image, &n);
    return as_array(ids, n);
}

gboolean sfu_gimp_is_drawn(int layer)
{
    return FALSE;
}

gboolean sfu_gimp_is_visible(int layer)
{
    return gimp_item_get_visible(layer);
}

void sfu_gimp_hide(int layer)
{
    gimp_item_set_visible(layer, FALSE);
}

int sfu_gimp_layer_of(int drawable)
{
    if (!gimp_item_is_valid(drawable))
        return -1;
    return gimp_item_is_layer(drawable)        ? drawable
           : gimp_item_is_layer_mask(drawable) ? gimp_layer_from_mask(drawable)
                                               : -1;
}

void sfu_gimp_lock(int layer)
{
    if (gimp_item_is_valid(layer))
        gimp_item_set_lock_content(layer, TRUE);
}

GArray *sfu_gimp_channels(int image)
{
    int n = 0;
    gint32 *ids = gimp_image_get_channels(image, &n);
    return as_array(ids, n);
}

GeglBuffer *sfu_gimp_pixels(int drawable)
{
    return drawable >= 0 ? gimp_drawable_get_buffer(drawable) : NULL;
}

/* A drawable's format says the encoding; the space comes from the image's profile. Kept as it is where babl cannot read
 * the profile. */
const Babl *sfu_gimp_format(int image, const Babl *format)
{
    GimpColorProfile *profile = gimp_image_get_effective_color_profile(image);
    const Babl *space =
        profile ? gimp_color_profile_get_space(profile, GIMP_COLOR_RENDERING_INTENT_RELATIVE_COLORIMETRIC, NULL) : NULL;
    const Babl *with = space ? babl_format_with_space(babl_format_get_encoding(format), space) : format;
    g_clear_object(&profile);
    return with && babl_format_get_bytes_per_pixel(with) == babl_format_get_bytes_per_pixel(format) ? with : format;
}

void sfu_gimp_update(int drawable)
{
    gimp_drawable_update(drawable, 0, 0, gimp_drawable_width(drawable), gimp_drawable_height(drawable));
}

int sfu_gimp_new_layer(int image, const char *name, const GeglRectangle *place, gboolean alpha)
{
    const gboolean gray = gimp_image_base_type(image) == GIMP_GRAY;
    const GimpImageType type =
        alpha ? (gray ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE) : (gray ? GIMP_GRAY_IMAGE : GIMP_RGB_IMAGE);
    const gint32 layer = gimp_layer_new(image, name, place->width, place->height, type, 100,
                                        gimp_image_get_default_new_layer_mode(image));
    if (layer >= 0)
        gimp_layer_set_offsets(layer, place->x, place->y);
    return layer;
}

void sfu_gimp_insert_layer(int image, int layer, int above)
{
    const int parent = above >= 0 ? sfu_host_layer_parent(above) : -1;
    gimp_image_insert_layer(image, layer, MAX(parent, 0), above >= 0 ? gimp_image_get_item_position(image, above) : 0);
}

void sfu_gimp_add_mask(int layer, int mask)
{
    gimp_layer_add_mask(layer, mask);
    gimp_layer_set_edit_mask(layer, FALSE);
}

gboolean sfu_gimp_has_filters(int layer)
{
    return FALSE; /* filters change the pixels themselves here */
}

int sfu_gimp_merge_filters(int layer)
{
    return layer;
}

/* ---- host.h ---- */

gboolean sfu_host_image_info(int image, SfuHostImage *info)
{
    if (image < 0 || !gimp_image_is_valid(image))
        return FALSE;
    const GimpImageBaseType type = gimp_image_base_type(image);
    *info = (SfuHostImage){
        .width = gimp_image_width(image),
        .height = gimp_image_height(image),
        .type = type == GIMP_RGB    ? SFU_HOST_RGB
                : type == GIMP_GRAY ? SFU_HOST_GRAY
                                    : SFU_HOST_INDEXED,
        .floating = gimp_image_get_floating_sel(image) >= 0,
        .quick_mask = gimp_image_get_channel_by_name(image, "Qmask") >= 0,
        .largest_px = GIMP_MAX_IMAGE_SIZE,
    };
    return TRUE;
}

char *sfu_host_image_name(int image)
{
    return image >= 0 && gimp_image_is_valid(image) ? gimp_image_get_name(image) : NULL;
}

int sfu_host_active_layer(int image)
{
    return gimp_image_get_active_layer(image);
}

GeglRectangle sfu_host_layer_bounds(int layer)
{
    int x = 0, y = 0;
    gimp_drawable_offsets(layer, &x, &y);
    return (GeglRectangle){x, y, gimp_drawable_width(layer), gimp_drawable_height(layer)};
}

gboolean sfu_host_layer_in_image(int layer, int image)
{
    return gimp_item_is_valid(layer) && gimp_item_get_image(layer) == image;
}

int sfu_host_layer_parent(int layer)
{
    const gint32 parent = gimp_item_get_parent(layer);
    return parent > 0 ? parent : -1;
}

GBytes *sfu_host_layer_glance(int layer)
{
    int w = SFU_GLANCE_PX, h = SFU_GLANCE_PX, bpp = 0;
    guchar *data = gimp_drawable_get_thumbnail_data(layer, &w, &h, &bpp);
    return data ? g_bytes_new_take(data, (gsize)w * h * bpp) : NULL;
}

gboolean sfu_host_selection_keep(int image, const char *name)
{
    GeglRectangle bounds;
    if (!sfu_host_selection_bounds(image, &bounds))
        return FALSE;
    const gint32 old = gimp_image_get_channel_by_name(image, name), layer = gimp_image_get_active_layer(image);
    gimp_image_undo_group_start(image);
    if (old >= 0)
        gimp_image_remove_channel(image, old);
    gimp_item_set_name(gimp_selection_save(image), name);
    if (layer >= 0)
        gimp_image_set_active_layer(image, layer); /* else the next action would be asked to work on the channel */
    gimp_image_undo_group_end(image);
    return TRUE;
}

/* Frees the parasite. */
static char *parasite_text(GimpParasite *p)
{
    char *text = p ? g_strndup(gimp_parasite_data(p), gimp_parasite_data_size(p)) : NULL;
    gimp_parasite_free(p);
    return text;
}

char *sfu_host_image_text_get(int image, const char *name)
{
    return gimp_image_is_valid(image) ? parasite_text(gimp_image_get_parasite(image, name)) : NULL;
}

char *sfu_host_parasite_get(int layer)
{
    return parasite_text(gimp_item_get_parasite(layer, PARASITE));
}

void sfu_host_set_active_layer(int image, int layer)
{
    gimp_image_set_active_layer(image, layer);
}

gboolean sfu_host_scale_image(int image, int width, int height, GError **error)
{
    gimp_context_push();
    gimp_context_set_interpolation(GIMP_INTERPOLATION_CUBIC);
    const gboolean ok = gimp_image_scale(image, width, height);
    gimp_context_pop();
    if (!ok)
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP did not scale the image to %d x %d pixels."), width,
                    height);
    return ok;
}

int sfu_host_new_image(int like, int width, int height)
{
    if (like < 0)
        return gimp_image_new(width, height, GIMP_RGB);
    const gint32 image =
        gimp_image_new_with_precision(width, height, gimp_image_base_type(like), gimp_image_get_precision(like));
    GimpColorProfile *profile = gimp_image_get_color_profile(like);
    double x, y;
    if (profile)
        gimp_image_set_color_profile(image, profile);
    g_clear_object(&profile);
    if (gimp_image_get_resolution(like, &x, &y))
        gimp_image_set_resolution(image, x, y);
    return image;
}
