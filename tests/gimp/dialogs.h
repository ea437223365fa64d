/* What the tests of the dialogs share.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TEST_DIALOGS_H
#define SFU_TEST_DIALOGS_H

#include "ui/dialog-private.h"
#include "ui/ui.h"
#include "whole-image.h"

#define NO_FOLDER "/dev/null/none" /* for settings: not even root can make it, so tests begin alike */

enum { IMAGE = 1, LAYER = 2, SKETCH = 4, COPY = IMAGE + 5, W = 400, H = 300 };

/* The image, and what was done to it. */
typedef struct {
    GeglBuffer *picture, *selection, *excluded;
    gboolean closed;     /* the image */
    gboolean has_sketch; /* a second layer above, smaller */
    GeglRectangle last_layer;
    char *last_message;
    GString *progress; /* a line for each text of the status bar; NULL: nobody wants to know */
    GHashTable *texts; /* of the image */
    char *parasite;    /* of the layer: what Sfumato made it with; NULL: it did not */
    SfuHostType image_type;
    int last_above;                                           /* of the layer that was inserted last */
    int n_inserted, n_scaled, n_restored, n_written, fail_at; /* fail_at: the write that fails, from 1 */
} TestHost;
extern TestHost host;

extern SfuAction dlg_action; /* of the dialog that is open */
extern char *dlg_log;        /* the stand-in's */

void dlg_new_scene(void); /* an image with a selection */
void dlg_end_scene(void);
void dlg_paint(GeglBuffer *b);
SfuResult *dlg_result_new(void);

/* ---- finding ---- */

typedef struct {
    GType type;
    const char *name;
    GtkWidget *found;
} Search;
typedef void (*Visit)(GtkWidget *w, gpointer data);
void dlg_walk(GtkWidget *w, Visit visit, gpointer data);
void dlg_match(GtkWidget *w, gpointer search);       /* by accessible name or label, what is shown */
void dlg_match_words(GtkWidget *w, gpointer search); /* a label that has the name in its text */
GtkWidget *dlg_find(GtkWidget *window, GType type, const char *name);
GtkWidget *dlg_find_or_fail(GtkWidget *window, GType type, const char *name);
GtkWidget *dlg_find_start(GtkWidget *window, const char *start); /* whose accessible name begins so */
int dlg_place_of(GtkWidget *window, const char *name);           /* where on the window a button stands, from above */
GtkWidget *dlg_the_dialog(void);
const char *dlg_add_label(void);
gboolean dlg_is_sensitive(GtkWidget *window, GType type, const char *name);
gboolean dlg_is_running(GtkWidget *window);
guint dlg_count_results(GtkWidget *window);

/* ---- using ---- */

void dlg_settle(int ms);                                 /* lets GTK work */
void dlg_picture(const char *action, const char *state); /* of the screen, if SFU_SHOTS is set */
void dlg_come_back(GtkWidget *window);                   /* as if from GIMP: the window gets the focus */
/* Checks the names of all controls and the tab order, and takes a picture if SFU_SHOTS is set. */
void dlg_look_at(GtkWidget *window, const char *action, const char *state);
/* For timers; data: void (*use)(GtkWidget *window). */
gboolean dlg_act(gpointer use);       /* closes the dialog after it */
gboolean dlg_act_alone(gpointer use); /* that closes it itself */
gboolean dlg_answer(gpointer button); /* clicks a button of the question that is shown */
/* Runs the action's dialog on the scene, with dlg_act(use). Returns whether something was added; fails on an error. */
gboolean dlg_run(SfuAction action, void (*use)(GtkWidget *window));
/* From begin to end the stand-in writes dlg_log. Returns the log, whose file is gone then; caller frees. */
void dlg_log_begin(void);
char *dlg_log_end(void);
/* dlg_run() where nothing is added. Returns the lines of the stand-in's log; caller frees. */
char **dlg_run_logged(SfuAction action, void (*use)(GtkWidget *window));

/* ---- tests, a file each ---- */

void dlg_results_tests(void);
void dlg_models_tests(void);
void dlg_tools_tests(void);
void dlg_details_tests(void);
void dlg_files_tests(void);

#endif
