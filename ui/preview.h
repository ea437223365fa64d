/* The picture in the dialog: the original, and a result or the unfinished picture over it in its place. Zooms and
 * pans.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UI_PREVIEW_H
#define SFU_UI_PREVIEW_H

#include <gegl.h>

#include "compat.h"

G_BEGIN_DECLS

typedef struct SfuPreview SfuPreview;

SfuPreview *sfu_preview_new(void); /* freed with its widget */
GtkWidget *sfu_preview_widget(SfuPreview *p);
/* before: the picture (NULL: none), before_scale: how many times larger the overlay's coordinates are (enlarging),
 * else 1. References. */
void sfu_preview_set_before(SfuPreview *p, GeglBuffer *before, double before_scale);
/* over: laid over `before`, through `mask` ("Y float", NULL: through its own alpha). NULL: nothing over it.
 * References. */
void sfu_preview_set_over(SfuPreview *p, GeglBuffer *over, GeglBuffer *mask);
void sfu_preview_show_before(SfuPreview *p, gboolean on); /* without the overlay */
/* A line that the user drags: the original is on its left, the overlay on its right. The arrow keys move it too. */
void sfu_preview_compare(SfuPreview *p, gboolean on);
/* A frame around the picture whose edges and corners the user drags. moved() gets it in whole pixels of the
 * overlay's coordinates; it always contains `inner`. NULL: none. */
void sfu_preview_set_frame(SfuPreview *p, const GeglRectangle *frame, const GeglRectangle *inner,
                           void (*moved)(const GeglRectangle *frame, gpointer data), gpointer data);
void sfu_preview_focus(SfuPreview *p,
                       const GeglRectangle *area); /* what Fit shows, in the overlay's coordinates; fits */
void sfu_preview_fit(SfuPreview *p);
void sfu_preview_zoom(SfuPreview *p, double factor); /* about the middle; 0: to 1:1 */
double sfu_preview_scale(const SfuPreview *p);
/* Called when zoom changes. */
void sfu_preview_on_zoom(SfuPreview *p, void (*fn)(gpointer data), gpointer data);
/* `area` of before with over on it, on a checkerboard, as a picture of at most size x size. Caller unrefs. */
GdkPixbuf *sfu_preview_thumbnail(GeglBuffer *before, double before_scale, GeglBuffer *over, const GeglRectangle *area,
                                 int size);

G_END_DECLS
#endif
