/* From the image to the engine and back: reads what an action works on, and puts the results into the image. Main thread only.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_SESSION_H
#define SFU_SESSION_H

#include "job.h"
#include "request.h"
#include "settings.h"

G_BEGIN_DECLS

/* What a run reads, as copies: the image may change meanwhile. */
typedef struct {
    SfuAction action;
    int image, layer;          /* -1: none */
    GeglBuffer *picture;       /* in the image's coordinates (enlarging: from 0, 0); NULL for generating */
    GeglBuffer *mask;          /* "Y float", the selection; NULL: everything */
    GeglRectangle place;       /* generating: where the picture goes; empty: a new image or the canvas's middle. Enlarging: where it was */
    gboolean has_alpha;        /* the picture has */
    guint source;              /* tattoo of the layer that was read; 0: the visible image */
} SfuInput;
/* Checks what the action needs. NULL with USAGE and a sentence for the user; caller frees with sfu_input_free(). */
SfuInput *sfu_input_new(const SfuRequest *r, int image, int drawable, GError **error);
void sfu_input_free(SfuInput *in);
/* Fills the job (borrowing from `in` and `r`) and completes `r`: model from the settings, size from the selection. */
void sfu_input_job(const SfuInput *in, SfuRequest *r, const SfuSettings *settings, SfuJob *job);

/* Puts results into the image (or a new one) as one undo step, the first on top. *layer is the topmost new layer, *image its image. On
 * error nothing has changed. */
gboolean sfu_output_add(const SfuInput *in, const SfuRequest *r, GPtrArray *results, int *layer, int *image, GError **error);

/* What Repeat does: a generated layer's own request, else the last one. *layer becomes the layer to work on. NULL with USAGE. */
SfuRequest *sfu_repeat_request(const SfuSettings *settings, int image, int *layer, GError **error);

/* The whole of a run without a dialog, with progress in the status bar. remember: the values become the last ones (not for scripts). */
gboolean sfu_run(SfuRequest *r, int image, int drawable, SfuSettings *settings, gboolean remember, int *layer, int *new_image, GError **error);

G_END_DECLS
#endif
