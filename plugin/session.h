/* From the image to the engine and back: reads what an action works on (session.c), puts the results into the image
 * (placing.c), and does both without a dialog (headless.c). Main thread only.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_SESSION_H
#define SFU_SESSION_H

#include "job.h"
#include "request.h"
#include "settings.h"
#include "turning.h"

G_BEGIN_DECLS

/* Enlarging the whole image: one of its layers. */
typedef struct {
    int layer;
    GeglRectangle place; /* in the image */
    GeglBuffer *picture; /* from 0, 0 */
} SfuInputLayer;

/* The input of a run, as copies, because the image may change during the run. */
typedef struct {
    SfuAction action;
    int image, layer;    /* -1: none */
    GeglBuffer *picture; /* in the image's coordinates (enlarging: from 0, 0); NULL for generating */
    GeglBuffer *mask;    /* "Y float", the selection; NULL: everything */
    GeglRectangle place; /* generating: where the picture goes; empty: a new image or the canvas's middle. Enlarging:
                            where it was */
    gboolean has_alpha;  /* the picture has an alpha channel */
    gboolean merged;     /* the picture is the visible image, not a layer */
    int above;           /* the result goes above this layer; -1: to the top */
    GeglRectangle canvas, layer_was; /* when they were read; both may have changed since; empty: not known */
    GBytes *glance;                  /* of the same layer as the sketch, quicker to get; NULL: not known */
    SfuSketch *sketch;               /* of the layer, which may be rotated since; NULL: not known */
    guint source;                    /* tattoo of the layer that was read; 0: the visible image */
    GeglBuffer *exclude;             /* "Y float": filling never copies from there; NULL: no such area */
    GPtrArray *controls;   /* GeglBuffer*: pictures of the control networks, over the area that is painted; an item that
                              is NULL: the picture itself; NULL: no networks */
    GPtrArray *references; /* GeglBuffer*: layers that the model looks at; NULL: none */
    GeglBuffer *cover;     /* "Y float", the layer mask of the layer that was read; NULL: none */
    GPtrArray
        *layers; /* SfuInputLayer*: the whole image is enlarged, and `picture` is the visible image; NULL: it is not */
} SfuInput;
/* Whether what is visible is worked on, and not the layer alone: a layer that Sfumato made lies over the picture. */
gboolean sfu_input_is_of_image(const SfuRequest *r, int layer);
/* Checks what the action needs. NULL with USAGE and a sentence for the user; caller frees with sfu_input_free(). */
SfuInput *sfu_input_new(const SfuRequest *r, int image, int drawable, GError **error);
SfuInput *sfu_input_empty(SfuAction action); /* without image and pixels */
void sfu_input_add_layer(SfuInput *in, int layer, GeglRectangle place, GeglBuffer *picture); /* takes the picture */
void sfu_input_free(SfuInput *in);
/* The current pixels of the layer that `sketch` was made from. Caller unrefs; NULL: it cannot be read. */
GeglBuffer *sfu_input_layer_now(const SfuInput *in);
/* The jobs, which borrow from `in` and `r`. Completes `r`: the size may come from the selection. Caller frees with
 * g_free(). */
SfuJob *sfu_input_jobs(const SfuInput *in, SfuRequest *r, int *n);

/* What a result will look like over the picture that was read, before it is added. Caller unrefs. */
GeglBuffer *sfu_output_look(const SfuInput *in, const SfuResult *result);
/* What an action has made, as GIMP's ids; -1: nothing. */
typedef struct {
    int layer; /* the topmost new layer; for a whole image the active one */
    int image; /* that it is in */
} SfuMade;
/* Puts results into the image (or a new one) as one undo step, the first on top. A new layer follows the layer that
 * it was made from: it goes above it, gets its layer mask, and is rotated and moved as that layer was meanwhile. On
 * error nothing has changed. */
gboolean sfu_output_add(const SfuInput *in, const SfuRequest *r, GPtrArray *results, SfuMade *made, GError **error);

gboolean sfu_refuse(GError **error, const char *sentence); /* FALSE, with USAGE */

/* Keeps the selection as the area that fills never copy from. FALSE with USAGE: nothing is selected. */
gboolean sfu_exclude_selection(int image, GError **error);

/* "X could not be used, so Y was taken. Why." Caller frees. */
char *sfu_model_failed_text(GPtrArray *models, const char *failed, const char *next, const GError *error);

/* Runs the request without a dialog, with progress in the status bar. remember: save the values as the last ones
 * (not for scripts). */
gboolean sfu_run(SfuRequest *r, int image, int drawable, SfuSettings *settings, gboolean remember, SfuMade *made,
                 GError **error);
/* Repeat: for a layer that Sfumato made, runs its request again on the same input and puts the result above it; for
 * other layers, runs the last request. Uses a new seed. */
gboolean sfu_run_again(SfuSettings *settings, int image, int drawable, SfuMade *made, GError **error);

G_END_DECLS
#endif
