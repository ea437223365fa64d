/* Fields for the rows of the table of parameters: labels, controls, and values both ways.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UI_FIELDS_H
#define SFU_UI_FIELDS_H

#include "compat.h"
#include "request.h"
#include "settings.h"

G_BEGIN_DECLS

typedef struct {
    const SfuParamSpec *spec;
    GtkWidget *label; /* NULL: the control has it inside */
    GtkWidget *box;   /* what is packed */
    GtkWidget *control;
    GtkAdjustment *adjustment; /* numbers */
    gboolean given; /* the request has the value, or the user set it; otherwise it is only shown, and the model's choice
                       applies */
    gboolean suggested; /* the value is the chosen model's own, and is requested as shown */
    gboolean showing;   /* the program sets the control, not the user */
    gboolean hidden;    /* the chosen model does not use it, so it is not requested */
} SfuField;

/* A field with the request's value. models: what a file can be chosen from. Caller frees with g_free(); the widgets
 * belong to their container. */
SfuField *sfu_field_new(const SfuRequest *r, const SfuParamSpec *spec, GPtrArray *models);
/* Adds label and control as a row of a grid. */
void sfu_field_attach(SfuField *f, GtkWidget *grid, int row);
void sfu_field_get(SfuField *f, SfuRequest *r);        /* from the control into the request, if it is given */
void sfu_field_show(SfuField *f, const SfuRequest *r); /* from the request into the control */
/* A number to show while none is given: the model's own, or the table's if `model` is FALSE. */
void sfu_field_suggest(SfuField *f, double value, gboolean model);
void sfu_field_set_visible(SfuField *f, gboolean on);
void sfu_field_enable(const SfuField *f, gboolean on, const char *reason); /* reason: tooltip while off */

/* A text field of several lines with a menu of earlier texts. */
typedef struct {
    GtkWidget *box, *view, *history;
    GtkTextBuffer *text;
} SfuTextField;
void sfu_text_field_init(SfuTextField *t, const char *label, const char *help, int n_lines, SfuSettings *settings,
                         const char *which);
char *sfu_text_field_get(const SfuTextField *t); /* caller frees */

/* Choice of a model: first those that can do the task, then the others, disabled and with the reason. */
GtkWidget *sfu_model_combo_new(GPtrArray *models, SfuAction action, const char *automatic);
void sfu_model_combo_fill(GtkWidget *combo, GPtrArray *models, SfuAction action,
                          const char *automatic);             /* anew, keeping what is chosen */
void sfu_model_combo_set(GtkWidget *combo, const char *path); /* "": automatic; an unknown path is added */
char *sfu_model_combo_get(GtkWidget *combo);                  /* "": automatic; caller frees */
/* A choice among texts that stand for values. sfu_model_combo_set() and _get() access the value. */
GtkWidget *sfu_list_combo_new(const char *name);
void sfu_list_combo_add(GtkWidget *combo, const char *name, const char *value);
void sfu_list_combo_clear(GtkWidget *combo);
/* Choice of a file for one part of a model ("vae", "taesd"): one that was found, or any other through a file dialog.
 * Otherwise as above. */
GtkWidget *sfu_part_combo_new(GPtrArray *models, const char *part);
void sfu_part_combo_fill(GtkWidget *combo, GPtrArray *models, const char *part);
/* For rows that are lists: a button beside the texts ("one; two=0.8") that adds one of `choices` (NULL-terminated,
 * taken) or any other file. */
GtkWidget *sfu_list_button_new(const SfuField *f, char **choices);
/* Fills a choice with the names of the image's layers. `first` (may be NULL) stands for no layer, "". */
void sfu_layer_combo_fill(GtkWidget *combo, int image, const char *first);
/* A number from 0 to max in steps of 0.05; *a is borrowed. */
GtkWidget *sfu_share_new(GtkAdjustment **a, const char *name, double value, double max, const char *tooltip);
GtkWidget *sfu_weight_box(GtkAdjustment **a, const char *tooltip); /* one from 0 to 2 with a slider */
/* Choice of a channel to exclude, for the row "exclude". */
void sfu_exclude_combo_fill(GtkWidget *combo, int image);
/* What a model can do, in words: "fill, expand". Caller frees. */
char *sfu_tasks_in_words(guint tasks);

G_END_DECLS
#endif
