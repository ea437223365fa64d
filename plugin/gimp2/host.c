/* The host calls for GIMP 2.10.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "host.h"

#include <string.h>
#include <libgimp/gimp.h>
#include <glib/gi18n-lib.h>

#include "pixels.h"
#include "sfumato.h"

#define PARASITE "sfumato"

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

int sfu_host_layer_of(int drawable, GError **error)
{
    if (gimp_item_is_valid(drawable) && gimp_item_is_layer(drawable))
        return drawable;
    if (gimp_item_is_valid(drawable) && gimp_item_is_layer_mask(drawable))
        return gimp_layer_from_mask(drawable);
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("Sfumato works on layers; choose a layer, not a channel."));
    return -1;
}

GeglRectangle sfu_host_layer_bounds(int layer)
{
    int x = 0, y = 0;
    gimp_drawable_offsets(layer, &x, &y);
    return (GeglRectangle){x, y, gimp_drawable_width(layer), gimp_drawable_height(layer)};
}

int sfu_host_layer_named(int image, const char *name)
{
    return gimp_image_get_layer_by_name(image, name);
}

char *sfu_host_layer_name(int layer)
{
    return gimp_item_get_name(layer);
}

gboolean sfu_host_layer_in_image(int layer, int image)
{
    return gimp_item_is_valid(layer) && gimp_item_get_image(layer) == image;
}

gboolean sfu_host_layer_is_shown(int layer)
{
    for (; layer > 0; layer = gimp_item_get_parent(layer))
        if (!gimp_item_get_visible(layer))
            return FALSE;
    return TRUE;
}

gboolean sfu_host_layer_covers(int layer)
{
    const GimpLayerMode mode = gimp_layer_get_mode(layer);
    const GimpLayerCompositeMode composite = gimp_layer_get_composite_mode(layer);
    return gimp_layer_get_opacity(layer) > 99.9 &&
           (mode == GIMP_LAYER_MODE_NORMAL || mode == GIMP_LAYER_MODE_NORMAL_LEGACY) &&
           (composite == GIMP_LAYER_COMPOSITE_AUTO || composite == GIMP_LAYER_COMPOSITE_UNION ||
            composite == GIMP_LAYER_COMPOSITE_CLIP_TO_BACKDROP);
}

int sfu_host_layer_parent(int layer)
{
    const gint32 parent = gimp_item_get_parent(layer);
    return parent > 0 ? parent : -1;
}

/* Those of a list, children in the group's place, or after it if groups are wanted too. Frees the list. */
static void collect_layers(GArray *found, int *list, int n, gboolean groups)
{
    for (int i = 0; i < n; i++) {
        int n_children = 0;
        const gboolean is_group = gimp_item_is_group(list[i]);
        if (!is_group || groups)
            g_array_append_val(found, list[i]);
        if (is_group) {
            int *children = gimp_item_get_children(list[i], &n_children);
            collect_layers(found, children, n_children, groups);
        }
    }
    g_free(list);
}

static GArray *layers_of(int image, gboolean groups)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(int));
    int n = 0;
    int *list = gimp_image_get_layers(image, &n);
    collect_layers(found, list, n, groups);
    return found;
}

GArray *sfu_host_pixel_layers(int image)
{
    return layers_of(image, FALSE);
}

/* A drawable's format says the encoding; the space comes from the image's profile. Kept as it is where babl cannot read
 * the profile. */
static const Babl *with_image_space(int image, const Babl *format)
{
    GimpColorProfile *profile = gimp_image_get_effective_color_profile(image);
    const Babl *space =
        profile ? gimp_color_profile_get_space(profile, GIMP_COLOR_RENDERING_INTENT_RELATIVE_COLORIMETRIC, NULL) : NULL;
    const Babl *with = space ? babl_format_with_space(babl_format_get_encoding(format), space) : format;
    g_clear_object(&profile);
    return with && babl_format_get_bytes_per_pixel(with) == babl_format_get_bytes_per_pixel(format) ? with : format;
}

static GeglBuffer *read_drawable(int image, int drawable, int x, int y, GError **error)
{
    GeglBuffer *raw = gimp_drawable_get_buffer(drawable);
    if (!raw) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP could not read the layer's pixels."));
        return NULL;
    }
    const Babl *format = gegl_buffer_get_format(raw);
    return sfu_pixels_read(raw, gegl_buffer_get_extent(raw), format, x, y, with_image_space(image, format));
}

GeglBuffer *sfu_host_read_layer(int image, int layer, GError **error)
{
    const GeglRectangle r = sfu_host_layer_bounds(layer);
    return read_drawable(image, layer, r.x, r.y, error);
}

GeglBuffer *sfu_host_read_layer_look(int image, int layer, GError **error)
{
    return sfu_host_read_layer(image, layer, error); /* filters change the pixels themselves here */
}

GBytes *sfu_host_layer_glance(int layer)
{
    int w = SFU_GLANCE_PX, h = SFU_GLANCE_PX, bpp = 0;
    guchar *data = gimp_drawable_get_thumbnail_data(layer, &w, &h, &bpp);
    return data ? g_bytes_new_take(data, (gsize)w * h * bpp) : NULL;
}

GeglBuffer *sfu_host_read_visible(int image, GError **error)
{
    const gint32 layer = gimp_layer_new_from_visible(image, image, "sfumato");
    if (layer < 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP does not give the visible image."));
        return NULL;
    }
    GeglBuffer *copy = read_drawable(image, layer, 0, 0, error);
    gimp_item_delete(layer);
    return copy;
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

/* Those beside it in the same group, or in the image. */
static void hide_above(int image, int layer)
{
    const int parent = sfu_host_layer_parent(layer);
    int n = 0, *list = parent >= 0 ? gimp_item_get_children(parent, &n) : gimp_image_get_layers(image, &n);
    for (int i = 0; i < n && list[i] != layer; i++)
        gimp_item_set_visible(list[i], FALSE);
    g_free(list);
}

GeglBuffer *sfu_host_read_up_to(int image, int layer, GError **error)
{
    const int copy = sfu_host_duplicate_image(image);
    for (int l = twin_of(image, copy, layer); l >= 0; l = sfu_host_layer_parent(l))
        hide_above(copy, l);
    GeglBuffer *pixels = sfu_host_read_visible(copy, error);
    gimp_image_delete(copy);
    return pixels;
}

GeglBuffer *sfu_host_read_mask(int layer)
{
    const gint32 mask = gimp_layer_get_mask(layer);
    GeglBuffer *raw = mask >= 0 && gimp_layer_get_apply_mask(layer) ? gimp_drawable_get_buffer(mask) : NULL;
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
    if (!gimp_selection_bounds(image, &any, &x1, &y1, &x2, &y2) || !any)
        return FALSE;
    *bounds = (GeglRectangle){x1, y1, x2 - x1, y2 - y1};
    return TRUE;
}

GeglBuffer *sfu_host_read_selection(int image)
{
    GeglRectangle r;
    if (!sfu_host_selection_bounds(image, &r))
        return NULL;
    GeglBuffer *raw = gimp_drawable_get_buffer(gimp_image_get_selection(image));
    const Babl *format = babl_format("Y float");
    return sfu_pixels_read(raw, &r, format, r.x, r.y, format);
}

char **sfu_host_channels(int image)
{
    int n = 0;
    gint32 *ids = gimp_image_get_channels(image, &n);
    GPtrArray *names = g_ptr_array_new();
    for (int i = 0; i < n; i++)
        g_ptr_array_add(names, gimp_item_get_name(ids[i]));
    g_ptr_array_add(names, NULL);
    g_free(ids);
    return (char **)g_ptr_array_free(names, FALSE);
}

GeglBuffer *sfu_host_read_channel(int image, const char *name)
{
    const gint32 channel = gimp_image_get_channel_by_name(image, name);
    GeglBuffer *raw = channel >= 0 ? gimp_drawable_get_buffer(channel) : NULL;
    if (!raw)
        return NULL;
    const Babl *format = babl_format("Y float");
    return sfu_pixels_read(raw, gegl_buffer_get_extent(raw), format, 0, 0, format);
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

void sfu_host_image_text_set(int image, const char *name, const char *text, gboolean saved)
{
    GimpParasite *p =
        gimp_parasite_new(name, saved ? GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE : 0, strlen(text) + 1, text);
    gimp_image_attach_parasite(image, p);
    gimp_parasite_free(p);
}

char *sfu_host_parasite_get(int layer)
{
    return parasite_text(gimp_item_get_parasite(layer, PARASITE));
}

void sfu_host_parasite_set(int layer, const char *text)
{
    GimpParasite *p =
        gimp_parasite_new(PARASITE, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, strlen(text) + 1, text);
    gimp_item_attach_parasite(layer, p);
    gimp_parasite_free(p);
}

guint sfu_host_layer_tattoo(int layer)
{
    return gimp_item_get_tattoo(layer);
}

int sfu_host_layer_by_tattoo(int image, guint tattoo)
{
    return gimp_image_get_layer_by_tattoo(image, tattoo);
}

int sfu_host_layer_new(int image, GeglBuffer *pixels, const char *name, SfuLayerKind kind, GError **error)
{
    const GeglRectangle from = *gegl_buffer_get_extent(pixels);
    const gboolean gray = gimp_image_base_type(image) == GIMP_GRAY;
    const GimpImageType type = kind == SFU_LAYER_OPAQUE ? (gray ? GIMP_GRAY_IMAGE : GIMP_RGB_IMAGE)
                                                        : (gray ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE);
    const gint32 layer =
        gimp_layer_new(image, name, from.width, from.height, type, 100, gimp_image_get_default_new_layer_mode(image));
    GeglBuffer *raw = layer >= 0 ? gimp_drawable_get_buffer(layer) : NULL;
    if (!raw) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP made no layer of %d x %d pixels."), from.width,
                    from.height);
        return -1;
    }
    gimp_layer_set_offsets(layer, from.x, from.y);
    /* Its own buffer, not the shadow: merging the shadow would be clipped by the selection. */
    const Babl *format = gegl_buffer_get_format(raw);
    GeglBuffer *source = kind == SFU_LAYER_MASK ? sfu_pixels_opaque(pixels) : g_object_ref(pixels);
    sfu_pixels_copy(source, &from, with_image_space(image, format), raw, 0, 0, format);
    g_object_unref(source);
    g_object_unref(raw); /* flushes to GIMP */
    return layer;
}

void sfu_host_layer_look_like(int layer, int source)
{
    const GimpLayerMode mode = gimp_layer_get_mode(source);
    gimp_layer_set_opacity(layer, gimp_layer_get_opacity(source));
    gimp_layer_set_mode(layer, mode == GIMP_LAYER_MODE_PASS_THROUGH ? GIMP_LAYER_MODE_NORMAL
                                                                    : mode); /* that is for groups only */
    if (mode == GIMP_LAYER_MODE_PASS_THROUGH)
        return;
    gimp_layer_set_blend_space(layer, gimp_layer_get_blend_space(source));
    gimp_layer_set_composite_space(layer, gimp_layer_get_composite_space(source));
    gimp_layer_set_composite_mode(layer, gimp_layer_get_composite_mode(source));
}

void sfu_host_layer_insert(int image, int layer, int above, GeglBuffer *pixels, SfuLayerKind kind)
{
    const GeglRectangle from = *gegl_buffer_get_extent(pixels);
    const gint32 parent = above >= 0 ? gimp_item_get_parent(above) : -1;
    gimp_image_insert_layer(image, layer, parent > 0 ? parent : 0,
                            above >= 0 ? gimp_image_get_item_position(image, above) : 0);
    gimp_layer_set_offsets(layer, from.x, from.y);
    if (kind == SFU_LAYER_MASK) {
        const gint32 mask = gimp_layer_create_mask(layer, GIMP_ADD_MASK_WHITE);
        GeglBuffer *raw = gimp_drawable_get_buffer(mask);
        sfu_pixels_copy_alpha(pixels, &from, raw, 0, 0);
        g_object_unref(raw);
        gimp_layer_add_mask(layer, mask);
        gimp_layer_set_edit_mask(layer, FALSE);
    }
    gimp_drawable_update(layer, 0, 0, from.width, from.height);
}

void sfu_host_layer_discard(int layer)
{
    gimp_item_delete(layer);
}

void sfu_host_set_active_layer(int image, int layer)
{
    gimp_image_set_active_layer(image, layer);
}

void sfu_host_undo_begin(int image)
{
    gimp_image_undo_group_start(image);
}

void sfu_host_undo_end(int image)
{
    gimp_image_undo_group_end(image);
}

GArray *sfu_host_locks_lift(int image)
{
    GArray *all = layers_of(image, TRUE), *locked = g_array_new(FALSE, FALSE, sizeof(int));
    for (guint i = 0; i < all->len; i++) {
        const gint32 item = g_array_index(all, int, i);
        if (gimp_item_get_lock_content(item) && gimp_item_set_lock_content(item, FALSE))
            g_array_append_val(locked, item);
    }
    g_array_unref(all);
    return locked;
}

void sfu_host_locks_restore(GArray *locked)
{
    for (guint i = 0; i < locked->len; i++)
        if (gimp_item_is_valid(g_array_index(locked, int, i)))
            gimp_item_set_lock_content(g_array_index(locked, int, i), TRUE);
    g_array_unref(locked);
}

void sfu_host_undo_enable(int image)
{
    gimp_image_undo_enable(image);
}

void sfu_host_resize_canvas(int image, int width, int height, int offset_x, int offset_y)
{
    gimp_image_resize(image, width, height, offset_x, offset_y);
}

void sfu_host_convert_to_rgb(int image)
{
    gimp_image_convert_rgb(image);
    gimp_displays_flush();
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

gboolean sfu_host_write_layer(int image, int layer, GeglBuffer *pixels, GError **error)
{
    GeglBuffer *raw = gimp_drawable_get_buffer(layer);
    if (!raw) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("GIMP could not read the layer's pixels."));
        return FALSE;
    }
    const GeglRectangle all = *gegl_buffer_get_extent(raw);
    const Babl *format = gegl_buffer_get_format(raw);
    sfu_pixels_copy(pixels, &all, with_image_space(image, format), raw, 0, 0, format);
    g_object_unref(raw);
    gimp_drawable_update(layer, 0, 0, all.width, all.height);
    return TRUE;
}

static void restore_pixels(gint32 to, gint32 from)
{
    GeglBuffer *write = to >= 0 ? gimp_drawable_get_buffer(to) : NULL,
               *read = from >= 0 ? gimp_drawable_get_buffer(from) : NULL;
    if (write && read) {
        gegl_buffer_copy(read, NULL, GEGL_ABYSS_NONE, write, NULL);
        g_object_unref(write); /* flushes to GIMP */
        gimp_drawable_update(to, 0, 0, gimp_drawable_width(to), gimp_drawable_height(to));
    } else {
        g_clear_object(&write);
    }
    g_clear_object(&read);
}

/* Guides and sample points have whole places, which are rounded on both ways. */
static void restore_marks(gint32 image, gint32 duplicate)
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

void sfu_host_restore_image(int image, int duplicate)
{
    gimp_image_scale(image, gimp_image_width(duplicate), gimp_image_height(duplicate));
    GArray *to = layers_of(image, TRUE), *from = layers_of(duplicate, TRUE);
    for (guint i = 0; i < MIN(to->len, from->len); i++) {
        const gint32 a = g_array_index(to, int, i), b = g_array_index(from, int, i);
        int x = 0, y = 0;
        if (!gimp_item_is_group(a)) {
            gimp_drawable_offsets(b, &x, &y);
            gimp_layer_scale(a, gimp_drawable_width(b), gimp_drawable_height(b),
                             TRUE); /* rounded another way on the way back */
            gimp_layer_set_offsets(a, x, y);
            restore_pixels(a, b);
        }
        restore_pixels(gimp_layer_get_mask(a), gimp_layer_get_mask(b));
    }
    g_array_unref(to);
    g_array_unref(from);
    int n_to = 0, n_from = 0;
    gint32 *mine = gimp_image_get_channels(image, &n_to), *theirs = gimp_image_get_channels(duplicate, &n_from);
    for (int i = 0; i < MIN(n_to, n_from); i++)
        restore_pixels(mine[i], theirs[i]);
    g_free(mine);
    g_free(theirs);
    restore_pixels(gimp_image_get_selection(image), gimp_image_get_selection(duplicate));
    restore_marks(image, duplicate);
}

int sfu_host_duplicate_image(int image)
{
    const gint32 copy = gimp_image_duplicate(image);
    gimp_image_undo_disable(copy);
    return copy;
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

void sfu_host_delete_image(int image)
{
    gimp_image_delete(image);
}

void sfu_host_show_image(int image)
{
    gimp_image_clean_all(image);
    gimp_display_new(image);
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
