/* What a host (GIMP 2.10, GIMP 3.x) must offer. Images and layers are GIMP's integer ids, as in both versions; -1
 * means none. Only the main thread may call these. Implemented in host-common.c and, with libgimp, in gimp2/host.c and
 * gimp3/host.c.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_HOST_H
#define SFU_HOST_H

#include <gegl.h>

G_BEGIN_DECLS

#define SFU_GLANCE_PX 128 /* longer side of a layer's small picture */

typedef enum { SFU_HOST_RGB, SFU_HOST_GRAY, SFU_HOST_INDEXED } SfuHostType;

typedef struct {
    int width, height; /* of the canvas, px */
    SfuHostType type;
    gboolean floating;   /* has a floating selection: no layer can be added */
    gboolean quick_mask; /* the user paints the selection as a channel */
    int largest_px;      /* side that GIMP allows */
} SfuHostImage;

gboolean sfu_host_image_info(int image, SfuHostImage *info); /* FALSE: no such image */
char *sfu_host_image_name(int image); /* as in GIMP's title bar: "photo.jpg"; caller frees; NULL: no such image */
int sfu_host_active_layer(int image); /* -1: none */
/* The layer to work on for a drawable: a layer itself, or the layer that a mask belongs to. -1 with USAGE for
 * channels. */
int sfu_host_layer_of(int drawable, GError **error);
GeglRectangle sfu_host_layer_bounds(int layer);        /* in the image's coordinates */
int sfu_host_layer_named(int image, const char *name); /* also inside groups; -1: the image has none */
char *sfu_host_layer_name(int layer);                  /* caller frees */
gboolean sfu_host_layer_in_image(int layer, int image);
gboolean sfu_host_layer_is_shown(int layer); /* it and all groups around it are visible */
/* Whether the layer hides what lies below it: mode Normal, full opacity. A result above a layer that does not cannot
 * replace it, because that layer still shows through. */
gboolean sfu_host_layer_covers(int layer);
int sfu_host_layer_parent(int layer); /* the group around it; -1: none */
/* Ids of all layers that have pixels, from the top, including hidden layers and layers in groups. Groups and GIMP
 * 3.2's vector and link layers, which GIMP draws at any size, are left out. A duplicate of an image has the layers
 * in the same order. Caller frees with g_array_unref(). */
GArray *sfu_host_pixel_layers(int image);

/* Copies of pixels, extent in the image's coordinates, format with the image's color space. Caller unrefs; NULL on
 * error. */
GeglBuffer *sfu_host_read_layer(int image, int layer, GError **error);
/* The layer with the filters that GIMP 3 keeps beside its pixels, but without mask, opacity and mode. */
GeglBuffer *sfu_host_read_layer_look(int image, int layer, GError **error);
GeglBuffer *sfu_host_read_visible(int image, GError **error);
/* What would be visible if all layers above this one were hidden. */
GeglBuffer *sfu_host_read_up_to(int image, int layer, GError **error);
/* A small picture of a layer's pixels, which GIMP makes without handing out all of them: the same bytes while nothing
 * has changed. Caller frees with g_bytes_unref(); NULL: GIMP gives none. */
GBytes *sfu_host_layer_glance(int layer);
/* The layer's mask as "Y float" in place; NULL: it has none, or it is switched off. Caller unrefs. */
GeglBuffer *sfu_host_read_mask(int layer);
/* The selection as "Y float" over its bounds; NULL: nothing is selected. Caller unrefs. */
GeglBuffer *sfu_host_read_selection(int image);

gboolean sfu_host_selection_bounds(int image, GeglRectangle *bounds); /* FALSE: nothing is selected */

/* Names of the channels that the user made; NULL-terminated, caller frees with g_strfreev(). */
char **sfu_host_channels(int image);
/* The channel of that name as "Y float" over the canvas. Caller unrefs; NULL: the image has none. */
GeglBuffer *sfu_host_read_channel(int image, const char *name);
/* Saves the selection as a channel of that name, replacing an older one, in one undo step. FALSE: nothing is
 * selected. */
gboolean sfu_host_selection_keep(int image, const char *name);

/* A text that an image carries under a name. saved: with its file, and within undo; else until the image is closed.
 * Caller frees what get returns; NULL: none. */
char *sfu_host_image_text_get(int image, const char *name);
void sfu_host_image_text_set(int image, const char *name, const char *text, gboolean saved);
/* The parasite "sfumato" of a layer, a JSON text. Caller frees; NULL: none. */
char *sfu_host_parasite_get(int layer);
void sfu_host_parasite_set(int layer, const char *text);
/* A number that survives saving and loading, and back. 0, -1: none. */
guint sfu_host_layer_tattoo(int layer);
int sfu_host_layer_by_tattoo(int image, guint tattoo);

typedef enum {
    SFU_LAYER_OPAQUE, /* no alpha channel */
    SFU_LAYER_ALPHA,  /* the buffer's alpha is the layer's */
    SFU_LAYER_MASK,   /* the buffer's alpha becomes a layer mask over an opaque layer */
} SfuLayerKind;
/* Makes a layer that is in no image yet, from pixels ("R'G'B'A float" in sRGB, the extent is the place), in the
 * image's own type, precision and color space. -1 on error; nothing of the image has changed then. */
int sfu_host_layer_new(int image, GeglBuffer *pixels, const char *name, SfuLayerKind kind, GError **error);
/* Opacity and mode of another layer, as a duplicate of that would have them. */
void sfu_host_layer_look_like(int layer, int source);
/* Puts it above `above` (-1: on top of all), into the same group; SFU_LAYER_MASK: with the pixels' alpha as layer
 * mask. It becomes active. */
void sfu_host_layer_insert(int image, int layer, int above, GeglBuffer *pixels, SfuLayerKind kind);
void sfu_host_layer_discard(int layer); /* one that was never inserted */
void sfu_host_set_active_layer(int image, int layer);
/* Undo group: everything between is one step. */
void sfu_host_undo_begin(int image);
void sfu_host_undo_end(int image);
/* GIMP ends a plug-in that writes to a locked layer. This unlocks the pixels of all layers and groups of an image,
 * within the open undo group, and returns the ids of those that were locked. Restoring locks them again and frees
 * the list. */
GArray *sfu_host_locks_lift(int image);
void sfu_host_locks_restore(GArray *locked);
void sfu_host_resize_canvas(int image, int width, int height, int offset_x, int offset_y);
void sfu_host_convert_to_rgb(int image);
/* Scales the canvas and everything in the image, cubically; text layers become pixels. FALSE: nothing has changed. */
gboolean sfu_host_scale_image(int image, int width, int height, GError **error);
/* Overwrites all pixels of a layer, whatever is selected ("R'G'B'A float" in sRGB, from 0, 0, in the layer's size).
 * No undo step of its own: to be used on pixels that are new within the open undo group. */
gboolean sfu_host_write_layer(int image, int layer, GeglBuffer *pixels, GError **error);
/* Gives an image that was scaled the size, pixels, masks, channels, selection and places of a duplicate of what it
 * was. */
void sfu_host_restore_image(int image, int duplicate);
int sfu_host_duplicate_image(int image); /* without undo history, and recording none until sfu_host_undo_enable() */
void sfu_host_undo_enable(int image);
/* An image without layers; precision, type, profile and resolution of `like`, or 8-bit RGB if that is -1. */
int sfu_host_new_image(int like, int width, int height);
void sfu_host_delete_image(int image);
void sfu_host_show_image(int image); /* in a window, if GIMP has any */
void sfu_host_flush(void);

void sfu_host_message(const char *text); /* to the user, where GIMP shows such things */
void sfu_host_progress_begin(const char *text);
void sfu_host_progress(double fraction, const char *text);
void sfu_host_progress_end(void);
char *sfu_host_folder(void); /* GIMP's configuration folder; caller frees */

G_END_DECLS
#endif
