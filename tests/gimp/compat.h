/* The few libgimp calls that the tests make, alike for GIMP 2.10 and 3.x.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TEST_COMPAT_H
#define SFU_TEST_COMPAT_H

#include <string.h>
#include <libgimp/gimp.h>

#include "request.h"

#if GIMP_MAJOR_VERSION >= 3
typedef GimpImage *Image;
typedef GimpLayer *Layer;
typedef GimpDrawable *Drawable;
#define NO_LAYER NULL
#define PARENT NULL
#define U8 GIMP_PRECISION_U8_NON_LINEAR
#define U16 GIMP_PRECISION_U16_NON_LINEAR
#define FLOAT_PERCEPTUAL GIMP_PRECISION_FLOAT_NON_LINEAR
#define FLOAT_LINEAR GIMP_PRECISION_FLOAT_LINEAR
#define image_width gimp_image_get_width
#define image_height gimp_image_get_height
#define image_base_type gimp_image_get_base_type
#define drawable_width(l) gimp_drawable_get_width(GIMP_DRAWABLE(l))
#define drawable_height(l) gimp_drawable_get_height(GIMP_DRAWABLE(l))
#define drawable_has_alpha(l) gimp_drawable_has_alpha(GIMP_DRAWABLE(l))
#define drawable_offsets(l, x, y) gimp_drawable_get_offsets(GIMP_DRAWABLE(l), x, y)
#define drawable_buffer(l) gimp_drawable_get_buffer(GIMP_DRAWABLE(l))
#define drawable_update(l, x, y, w, h) gimp_drawable_update(GIMP_DRAWABLE(l), x, y, w, h)
#define selection_drawable(i) GIMP_DRAWABLE(gimp_image_get_selection(i))
#define item_name(l) gimp_item_get_name(GIMP_ITEM(l))
#define item_delete(l) gimp_item_delete(GIMP_ITEM(l))
#define item_parasite(l, n) gimp_item_get_parasite(GIMP_ITEM(l), n)
#define item_attach_parasite(l, p) gimp_item_attach_parasite(GIMP_ITEM(l), p)
#define item_position(i, l) gimp_image_get_item_position(i, GIMP_ITEM(l))
#define item_parent(l) ((Layer)gimp_item_get_parent(GIMP_ITEM(l)))
#define group_new(i) ((Layer)gimp_group_layer_new(i, "group"))
#define layer_mask_of(l) gimp_layer_get_mask(l)
#define AS_DRAWABLE(l) GIMP_DRAWABLE(l)
#define AS_ITEM(l) GIMP_ITEM(l)
#define ID(x) ((x) ? gimp_item_get_id(GIMP_ITEM(x)) : -1)
#define IMAGE_ID(x) gimp_image_get_id(x)
#define check_image_by_id gimp_image_get_by_id
#define HAS_FORMAT_SPACE 1
#define edit_copy_paste(l)                                                                                             \
    do {                                                                                                               \
        GimpDrawable *one[2] = {GIMP_DRAWABLE(l), NULL};                                                               \
        gimp_edit_copy((const GimpDrawable **)one);                                                                    \
        gimp_edit_paste(GIMP_DRAWABLE(l), TRUE);                                                                       \
    } while (0)
#define item_rename(d, n) gimp_item_set_name(GIMP_ITEM(d), n)
#define selection_save(i) ((Drawable)gimp_selection_save(i))
#define GIMP_KEEPS_LAST_VALUES 1 /* in files of its own */
static inline void set_active(Image i, Layer l)
{
    GimpLayer *one[2] = {l, NULL};
    gimp_image_set_selected_layers(i, (const GimpLayer **)one);
}
static inline Layer active_layer(Image i)
{
    GimpLayer **l = gimp_image_get_selected_layers(i);
    const Layer first = l ? l[0] : NULL;
    g_free(l);
    return first;
}
static inline void *counted(gpointer list, int *n)
{
    *n = 0;
    while (list && ((gpointer *)list)[*n])
        ++*n;
    return list;
}
static inline int n_layers(Image i)
{
    int n;
    g_free(counted(gimp_image_get_layers(i), &n));
    return n;
}
typedef GimpPath *Path;
#define list_layers(i, n) ((Layer *)counted(gimp_image_get_layers(i), n))
#define list_children(l, n) ((Layer *)counted(gimp_item_get_children(GIMP_ITEM(l)), n))
#define list_channels(i, n) ((Drawable *)counted(gimp_image_get_channels(i), n))
#define remove_channel(i, c) gimp_image_remove_channel(i, GIMP_CHANNEL(c))
#define list_paths(i, n) ((Path *)counted(gimp_image_get_paths(i), n))
#define item_is_group(l) gimp_item_is_group(GIMP_ITEM(l))
#define item_visible(l) gimp_item_get_visible(GIMP_ITEM(l))
#define item_set_visible(l, v) gimp_item_set_visible(GIMP_ITEM(l), v)
#define item_is_text(l) gimp_item_is_text_layer(GIMP_ITEM(l))
#define path_new gimp_path_new
#define path_insert(i, p) gimp_image_insert_path(i, p, NULL, 0)
#define path_moveto gimp_path_bezier_stroke_new_moveto
#define path_lineto gimp_path_bezier_stroke_lineto
#define text_new(i, text, size) (Layer) gimp_text_layer_new(i, text, gimp_context_get_font(), size, gimp_unit_pixel())
static inline double *path_points(Path p, int *n)
{
    gsize n_strokes = 0, n_points = 0;
    double *points = NULL;
    gboolean closed;
    int *strokes = gimp_path_get_strokes(p, &n_strokes);
    if (n_strokes)
        gimp_path_stroke_get_points(p, strokes[0], &n_points, &points, &closed);
    g_free(strokes);
    *n = n_points;
    return points;
}
static inline gboolean image_save(Image image, const char *path)
{
    GFile *file = g_file_new_for_path(path);
    const gboolean ok = gimp_file_save(GIMP_RUN_NONINTERACTIVE, image, file, NULL);
    g_object_unref(file);
    return ok;
}
static inline Image image_load(const char *path)
{
    GFile *file = g_file_new_for_path(path);
    Image image = gimp_file_load(GIMP_RUN_NONINTERACTIVE, file);
    g_object_unref(file);
    return image;
}
static inline const void *parasite_data(GimpParasite *p, guint32 *n)
{
    return gimp_parasite_get_data(p, n);
}
#else
typedef gint32 Image;
typedef gint32 Layer;
typedef gint32 Drawable;
#define NO_LAYER (-1)
#define PARENT 0
#define U8 GIMP_PRECISION_U8_GAMMA
#define U16 GIMP_PRECISION_U16_GAMMA
#define FLOAT_PERCEPTUAL GIMP_PRECISION_FLOAT_GAMMA
#define FLOAT_LINEAR GIMP_PRECISION_FLOAT_LINEAR
#define image_width gimp_image_width
#define image_height gimp_image_height
#define image_base_type gimp_image_base_type
#define drawable_width gimp_drawable_width
#define drawable_height gimp_drawable_height
#define drawable_has_alpha gimp_drawable_has_alpha
#define drawable_offsets gimp_drawable_offsets
#define drawable_buffer gimp_drawable_get_buffer
#define drawable_update gimp_drawable_update
#define selection_drawable gimp_image_get_selection
#define item_name gimp_item_get_name
#define item_delete gimp_item_delete
#define item_parasite gimp_item_get_parasite
#define item_attach_parasite gimp_item_attach_parasite
#define item_position gimp_image_get_item_position
#define item_parent gimp_item_get_parent
#define group_new gimp_layer_group_new
#define layer_mask_of gimp_layer_get_mask
#define AS_DRAWABLE(l) (l)
#define AS_ITEM(l) (l)
#define ID(x) (x)
#define IMAGE_ID(x) (x)
#define check_image_by_id(id) (id)
#define HAS_FORMAT_SPACE 0
#define edit_copy_paste(l) (gimp_edit_copy(l), gimp_edit_paste(l, TRUE))
#define item_rename gimp_item_set_name
#define selection_save gimp_selection_save
#define GIMP_KEEPS_LAST_VALUES 0
#define active_layer gimp_image_get_active_layer
#define set_active gimp_image_set_active_layer
static inline int n_layers(Image i)
{
    int n = 0;
    g_free(gimp_image_get_layers(i, &n));
    return n;
}
typedef gint32 Path;
#define list_layers gimp_image_get_layers
#define list_children gimp_item_get_children
#define list_channels gimp_image_get_channels
#define remove_channel gimp_image_remove_channel
#define list_paths gimp_image_get_vectors
#define item_is_group gimp_item_is_group
#define item_visible gimp_item_get_visible
#define item_set_visible gimp_item_set_visible
#define item_is_text gimp_item_is_text_layer
#define path_new gimp_vectors_new
#define path_insert(i, p) gimp_image_insert_vectors(i, p, 0, 0)
#define path_moveto gimp_vectors_bezier_stroke_new_moveto
#define path_lineto gimp_vectors_bezier_stroke_lineto
#define text_new(i, text, size) gimp_text_layer_new(i, text, "Sans", size, GIMP_UNIT_PIXEL)
static inline double *path_points(Path p, int *n)
{
    int n_strokes = 0;
    double *points = NULL;
    gboolean closed;
    int *strokes = gimp_vectors_get_strokes(p, &n_strokes);
    *n = 0;
    if (n_strokes)
        gimp_vectors_stroke_get_points(p, strokes[0], n, &points, &closed);
    g_free(strokes);
    return points;
}
static inline gboolean image_save(Image image, const char *path)
{
    return gimp_file_save(GIMP_RUN_NONINTERACTIVE, image, gimp_image_get_active_layer(image), path, path);
}
#define image_load(path) gimp_file_load(GIMP_RUN_NONINTERACTIVE, path, path)
static inline const void *parasite_data(GimpParasite *p, guint32 *n)
{
    *n = gimp_parasite_data_size(p);
    return gimp_parasite_data(p);
}
#endif

typedef struct {
    gboolean ok;
    char *error; /* NULL, or what GIMP would show; caller frees */
    Layer layer;
    Image image;
} Outcome;

/* Runs an action (SFU_N_ACTIONS: repeat) non-interactively with "name=value ..." as values, as a script would. drawable
 * may be of another image, or a channel. Implemented for each GIMP. */
Outcome call_action(SfuAction action, Image image, Drawable drawable, const char *values);

#endif
