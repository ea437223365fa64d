/* The parts of an action's dialog, shared between its building (build.c, panel.c), its values (values.c), its runs
 * (dialog.c) and its results (results.c).
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UI_DIALOG_PRIVATE_H
#define SFU_UI_DIALOG_PRIVATE_H

#include "control-rows.h"
#include "engine-fields.h"
#include "fields.h"
#include "history.h"
#include "host-ui.h"
#include "host.h"
#include "kept.h"
#include "models.h"
#include "preview.h"
#include "reference-rows.h"
#include "session.h"

G_BEGIN_DECLS

enum {
    RESPONSE_RESET = 1,
    RESPONSE_SETTINGS,
    RESPONSE_HISTORY,
    RESPONSE_ADD,
    RESPONSE_ADD_AND_CLOSE,
    RESPONSE_GENERATE,
    RESPONSE_STOP
};

#define SFU_N_VARIANTS 3 /* that a dialog makes by default */

/* A run's input, shared by its results, which are freed at different times. */
typedef struct {
    SfuInput *input;
    char *group; /* name of the run among kept results; NULL: nothing was kept */
    int n_refs;
} SfuSharedInput;
SfuSharedInput *sfu_shared_input_new(SfuInput *taken);
SfuSharedInput *sfu_shared_input_ref(SfuSharedInput *s);
void sfu_shared_input_unref(SfuSharedInput *s);

/* One result and its input. */
typedef struct {
    SfuSharedInput *shared;
    SfuRequest *request;
    GPtrArray *results; /* the SfuResult, or one for each layer of a whole image */
    GeglBuffer *look;   /* the picture that represents it */
    GtkWidget *button, *image;
    GdkPixbuf *plain, *chosen; /* its thumbnail, and that with a frame */
    double seconds;
    gboolean added;
    gboolean seedless; /* another seed would give the same picture */
    char *kept;        /* folder of the kept result; NULL: it is not kept */
} SfuEntry;

/* One click on Generate: its variants run one after the other, each shown when it is done. */
typedef struct {
    SfuSharedInput *shared;
    SfuRequest *request; /* as it was asked for */
    int n, done;         /* variants */
    gint64 seed;         /* of the first */
    char **to_try;       /* models, and the one that runs */
    int trying;
    int first_entry;          /* -1: none is done */
    double seconds, quickest; /* of all variants, and of one: the first one also loads the model */
} SfuOrder;

typedef struct {
    SfuRequest *request; /* the caller's; holds the values of the last run */
    int image, drawable;
    SfuSettings *settings;
    GPtrArray *models;      /* empty until they are found */
    SfuBackground *looking; /* for them; NULL: found */
    SfuBackground *looking_for_kept;
    gboolean generate_when_found;
    SfuWorker *worker;

    GtkWidget *window, *error_bar, *error_label, *note, *get_model, *progress, *scope;
    GtkWidget *model, *seed, *keep_seed, *seed_box, *seed_label; /* the label NULL: the action has no seed */
    gboolean showing_seed;                                       /* of a result; it is not the user who changes it */
    gint64 exact_seed;                  /* the exact seed; the spin button shows as much of it as it can */
    GtkWidget *panel;                   /* the controls, which scroll */
    GtkWidget *first, *rows, *advanced; /* parts of them, hidden where no model can do the action */
    GtkWidget *strip, *strip_room, *status, *zoom_label, *before_button, *compare_button, *delete_button,
        *history_button;
    GtkWidget *generate, *stop, *close, *add, *add_and_close;
    SfuTextField prompt, negative; /* box NULL where the action has none */
    GPtrArray *fields;             /* SfuField*, all other rows */
    SfuControlRows control;        /* rows NULL where the action has none */
    SfuReferenceRows reference;    /* the same */
    SfuEngineFields engine;
    SfuPreview *preview;
    SfuInput *opened_with;   /* the input as the preview shows it; NULL: the image cannot be used */
    GeglRectangle read_area; /* where that was */
    double enlarged_px;      /* pixels that Enlarge would give; 0: not known, or another action */
    gboolean cannot_read;    /* the error bar says why */

    GPtrArray *entries; /* SfuEntry* */
    int current;        /* -1: none */
    gboolean watching;  /* the preview shows the running variant, not a result that the user picked meanwhile */
    GQueue orders;      /* SfuOrder*, the first one runs */
    SfuJob *jobs;       /* of the variant that runs */
    int n_jobs;
    gint64 last_activity_us, variant_since_us;
    guint ready;        /* timer of sfu_dialog_get_ready(); 0: none */
    guint quiet;        /* timer that shows the time while the engine is silent; 0: none */
    gboolean written;   /* words, since the last order */
    gboolean preparing; /* the engine compiles for the device */
    gboolean stopping, closed;
    SfuMade last; /* that was added */
    int n_added;
} SfuDialog;

void sfu_dialog_build(SfuDialog *d);
void sfu_button_row_natural(GtkWidget *button_box); /* each button gets its own width; call it when all are there */
GtkWidget *sfu_dialog_panel(SfuDialog *d);          /* the controls; in panel.c */
SfuField *sfu_dialog_field(const SfuDialog *d, const char *name); /* NULL: the action has none, or it is no row */
char *sfu_dialog_automatic_words(SfuDialog *d);                   /* "Automatic (Sfumato mini)"; caller frees */
/* From the widgets into a new request; caller frees. */
SfuRequest *sfu_dialog_collect(SfuDialog *d);
void sfu_dialog_show_request(SfuDialog *d, const SfuRequest *r);
void sfu_dialog_show_seed(SfuDialog *d, gint64 seed);
/* Disables the controls that the chosen model does not support, and says why. */
void sfu_dialog_update_model(SfuDialog *d);
/* What enlarging to so many pixels, all layers together, costs: "3.2 GB" and, where the model has run before, "about 12
 * min" (else NULL). Caller frees both. */
void sfu_dialog_enlarge_cost(const SfuDialog *d, const char *model, double px, char **memory, char **time);
/* Describes the input in words: "Selection: 410 x 352 px". */
void sfu_dialog_update_scope(SfuDialog *d);
GeglRectangle sfu_dialog_scope_area(const SfuDialog *d); /* that as an area; empty: none */
/* Searches for models in a thread, then refills the lists. Called at the start and after a change of the settings. */
void sfu_dialog_look_for_models(SfuDialog *d);
gboolean sfu_dialog_has_model(SfuDialog *d); /* that can do the action; also while they are looked for */
/* Whether the noise that a seed gives has a part in what the model makes; model: NULL: not known. */
gboolean sfu_dialog_uses_seed(const SfuDialog *d, const SfuModelInfo *model);
void sfu_dialog_models_found(SfuDialog *d);
typedef enum { SFU_SETTINGS_MODELS, SFU_SETTINGS_GET_MODELS, SFU_SETTINGS_OTHER } SfuSettingsPage;
/* Like sfu_ui_settings(), opened at one of its pages. task: which models to show; -1: all. */
gboolean sfu_ui_settings_above(SfuSettings *settings, GtkWindow *dialog, SfuSettingsPage first, int task);
void sfu_ui_open_models_folder(GtkWidget *window); /* that downloads go to */
/* Soon, and if nothing runs then, the worker gets ready for what Generate would start now. */
void sfu_dialog_get_ready(SfuDialog *d);
void sfu_dialog_get_model(SfuDialog *d);                   /* shows what can be downloaded for the action */
void sfu_dialog_error(SfuDialog *d, const char *sentence); /* NULL: none */

/* Results, in results.c. */
void sfu_dialog_show_input(SfuDialog *d, const SfuInput *in, const SfuRequest *r);
/* Shows a result; -1: none. */
void sfu_dialog_show_entry(SfuDialog *d, int index);
/* One entry for each result, or one for a whole image with all of its layers'. Takes the results' contents. */
gboolean sfu_dialog_add_entries(SfuDialog *d, const SfuOrder *o, GPtrArray *results, double seconds, GError **error);
void sfu_dialog_look_for_kept(SfuDialog *d);
void sfu_dialog_delete_current(SfuDialog *d);
gboolean sfu_dialog_add_current(SfuDialog *d);
/* Asks about results that were not added. FALSE: the dialog stays. */
gboolean sfu_dialog_settle_results(SfuDialog *d);
void sfu_dialog_free_entry(gpointer entry);
const SfuResult *sfu_entry_result(const SfuEntry *e);

void sfu_dialog_focus_first(SfuDialog *d); /* on what is used first */

/* Signals. */
void sfu_dialog_response(GtkDialog *dialog, int response, gpointer data);
gboolean sfu_dialog_key(GtkWidget *w, GdkEventKey *e, gpointer data);
gboolean sfu_dialog_focused(GtkWidget *window, GdkEventFocus *event, gpointer data);
gboolean sfu_dialog_key_up(GtkWidget *w, GdkEventKey *e, gpointer data);
gboolean sfu_dialog_prompt_key(GtkWidget *w, GdkEventKey *e, gpointer data);
void sfu_dialog_before_toggled(GtkWidget *button, gpointer data);
void sfu_dialog_compare_toggled(GtkWidget *button, gpointer data);
void sfu_dialog_show_history(GtkWidget *button, gpointer data);
void sfu_dialog_sides_changed(SfuDialog *d);                             /* of Expand: the preview follows */
void sfu_dialog_set_field(SfuDialog *d, const char *name, double value); /* a number, as the user would */

G_END_DECLS
#endif
