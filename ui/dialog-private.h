/* The parts of an action's dialog, shared between its building (build.c) and its doing (dialog.c).
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UI_DIALOG_PRIVATE_H
#define SFU_UI_DIALOG_PRIVATE_H

#include "engine-fields.h"
#include "fields.h"
#include "host-ui.h"
#include "host.h"
#include "models.h"
#include "preview.h"
#include "session.h"

G_BEGIN_DECLS

enum { RESPONSE_RESET = 1, RESPONSE_SETTINGS, RESPONSE_ADD, RESPONSE_GENERATE, RESPONSE_STOP };

/* A run's input is used by its results, which go at different times. */
typedef struct {
    SfuInput *input;
    int n_refs;
} SfuSharedInput;

/* One result, with what it was made from. */
typedef struct {
    SfuSharedInput *shared;
    SfuRequest *request;
    GPtrArray *results; /* the SfuResult; of a whole image, those of its layers */
    GeglBuffer *look;   /* what is shown of it */
    GtkWidget *button;
    double seconds;
    gboolean added;
} SfuEntry;

typedef struct {
    SfuRequest *request; /* the caller's; holds the values of the last run */
    int image, drawable;
    SfuSettings *settings;
    GPtrArray *models;      /* empty until they are found */
    SfuBackground *looking; /* for them; NULL: found */
    gboolean generate_when_found;
    SfuWorker *worker;

    GtkWidget *window, *error_bar, *error_label, *note, *progress;
    GtkWidget *model, *seed, *keep_seed, *seed_box;
    gint64 exact_seed; /* what the seed's spin button shows as far as it can */
    GtkWidget *strip, *status, *zoom_label, *before_button;
    GtkWidget *generate, *stop, *add;
    SfuTextField prompt, negative; /* box NULL where the action has none */
    GPtrArray *fields;             /* SfuField*, all other rows */
    SfuEngineFields engine;
    SfuPreview *preview;

    GPtrArray *entries; /* SfuEntry* */
    int current;        /* -1: none */
    SfuSharedInput *running;
    SfuRequest *running_request;
    SfuJob *jobs; /* what runs; for the next model, if one fails */
    int n_jobs;
    char **to_try; /* models for it, and the one that runs */
    int trying;
    gint64 started_us;
    gint64 last_status_us;
    gboolean closed;
    int last_layer, last_image, n_added;
} SfuDialog;

void sfu_dialog_build(SfuDialog *d);
/* From the widgets into a new request; caller frees. */
SfuRequest *sfu_dialog_collect(SfuDialog *d);
void sfu_dialog_show_request(SfuDialog *d, const SfuRequest *r);
void sfu_dialog_show_seed(SfuDialog *d, gint64 seed);
/* Greys what the chosen model cannot do, and says why. */
void sfu_dialog_update_model(SfuDialog *d);
/* Looks for models, in a thread; then the lists are filled anew. At the beginning, and after a change of the settings.
 */
void sfu_dialog_look_for_models(SfuDialog *d);
void sfu_dialog_models_found(SfuDialog *d);
gboolean sfu_ui_settings_above(SfuSettings *settings, GtkWindow *dialog); /* as sfu_ui_settings() */
void sfu_dialog_error(SfuDialog *d, const char *sentence);                /* NULL: none */
GtkWidget *sfu_dialog_thumbnail(SfuDialog *d, GdkPixbuf *pixbuf, const char *name);

/* Signals, in dialog.c. */
void sfu_dialog_response(GtkDialog *dialog, int response, gpointer data);
gboolean sfu_dialog_key(GtkWidget *w, GdkEventKey *e, gpointer data);
gboolean sfu_dialog_prompt_key(GtkWidget *w, GdkEventKey *e, gpointer data);
void sfu_dialog_pick(GtkWidget *button, gpointer data);
void sfu_dialog_before_toggled(GtkWidget *button, gpointer data);

G_END_DECLS
#endif
