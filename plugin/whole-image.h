/* Enlarging a whole image: every layer by the engine, all else by GIMP. Main thread only.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_WHOLE_IMAGE_H
#define SFU_WHOLE_IMAGE_H

#include "session.h"

G_BEGIN_DECLS

/* Reads all layers that have pixels, and the visible image. FALSE with USAGE if GIMP cannot hold images of the new
 * size. */
gboolean sfu_whole_image_read(SfuInput *in, double scale, GError **error);
/* Enlarges the image, or a copy of it, with one result for each of in->layers. FALSE with USAGE, and no change, if
 * the user changed the image meanwhile. */
gboolean sfu_whole_image_add(const SfuInput *in, GPtrArray *results, gboolean copy, SfuMade *made, GError **error);
/* What the enlarged image will look like. Caller unrefs; NULL on error. */
GeglBuffer *sfu_whole_image_look(const SfuInput *in, GPtrArray *results, GError **error);

G_END_DECLS
#endif
