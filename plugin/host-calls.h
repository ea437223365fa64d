/* What host-common.c asks of a GIMP beside host.h: single calls. Ids as in host.h; a drawable is a layer, a group, a
 * mask, a channel or a selection. Implemented in gimp2/host.c and gimp3/host.c, and in host-alike.inc where GIMP 2.10
 * and 3 spell them alike.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_HOST_CALLS_H
#define SFU_HOST_CALLS_H

#include "host.h"

G_BEGIN_DECLS

/* Ids of the layers of a group, or of the image itself if group is -1, from the top. Caller frees with
 * g_array_unref(). */
GArray *sfu_gimp_children(int image, int group);
gboolean sfu_gimp_is_group(int layer);
gboolean sfu_gimp_is_drawn(int layer); /* GIMP draws it anew at any size: 3.2's vector and link layers */
gboolean sfu_gimp_is_visible(int layer);
void sfu_gimp_hide(int layer);
int sfu_gimp_layer_of(int drawable); /* a layer itself, or the one that a mask belongs to; -1: neither */
char *sfu_gimp_item_name(int item);  /* caller frees */
gboolean sfu_gimp_unlock(int layer); /* FALSE: its pixels were not locked */
void sfu_gimp_lock(int layer);       /* nothing, if the layer is gone */

int sfu_gimp_mask(int layer); /* -1: none */
gboolean sfu_gimp_applies_mask(int layer);
int sfu_gimp_selection(int image);
GArray *sfu_gimp_channels(int image); /* ids of those that the user made; caller frees with g_array_unref() */
int sfu_gimp_channel_named(int image, const char *name); /* -1: none */

/* The drawable's own pixels: what is written there is GIMP's when the buffer is unreferenced. NULL: GIMP gives none,
 * or drawable is -1. */
GeglBuffer *sfu_gimp_pixels(int drawable);
const Babl *sfu_gimp_format(int image, const Babl *format); /* of such a buffer, with the image's color space */
void sfu_gimp_update(int drawable);                         /* GIMP shows what was written */

/* In the image's type, in no image yet; -1 on error. */
int sfu_gimp_new_layer(int image, const char *name, const GeglRectangle *place, gboolean alpha);
int sfu_gimp_new_layer_from_visible(int image);              /* the same; -1 on error */
void sfu_gimp_insert_layer(int image, int layer, int above); /* above -1: on top of all */
void sfu_gimp_move_layer(int layer, int x, int y);
void sfu_gimp_scale_layer(int layer, int width, int height);
int sfu_gimp_new_mask(int layer); /* white, on no layer yet */
void sfu_gimp_add_mask(int layer, int mask);

gboolean sfu_gimp_has_filters(int layer); /* that are kept beside its pixels */
int sfu_gimp_merge_filters(int layer);    /* the layer with its filters in its pixels; -1 on error */
void sfu_gimp_scale(int image, int width, int height);
void sfu_gimp_restore_marks(int image, int duplicate); /* guides and sample points */

G_END_DECLS
#endif
