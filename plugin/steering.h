/* The other layers that a run reads: the pictures of control networks, and references.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_STEERING_H
#define SFU_STEERING_H

#include "session.h"

G_BEGIN_DECLS

/* Reads the layers that the request names into `in`, whose picture or place is known, over the area that is painted.
 * A picture that is generated without a selection gets the place of the canvas. FALSE with USAGE: a layer is
 * missing. */
gboolean sfu_steering_read(SfuInput *in, const SfuRequest *r, GError **error);

G_END_DECLS
#endif
