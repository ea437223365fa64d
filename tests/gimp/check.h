/* The tests inside GIMP, without the shell that a GIMP version wants round a plug-in, and what their files share.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TEST_CHECK_H
#define SFU_TEST_CHECK_H

#include "compat.h"

/* Runs the cases and writes TAP to `file`. what: "all", "third" (of the matrix), "quick" (without it), "fail-device"
 * ..., "files" (check-files.c), "states" (check-states.c), "whole" (check-scene.c), "hundred" (in a row), "undo" (needs
 * a window and a hand that presses the keys, see undo.py; and what the status bar says), "shared" (what a folder shared
 * with another GIMP could spoil). Returns how many passed. */
int check_run(const char *file, const char *what);

extern GString *check_wrong; /* what the current case found */
#define CHECK(cond, ...)                                                                                               \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            g_string_append_printf(check_wrong, "# %s:%d: ", __FILE__, __LINE__);                                      \
            g_string_append_printf(check_wrong, __VA_ARGS__);                                                          \
            g_string_append_c(check_wrong, '\n');                                                                      \
        }                                                                                                              \
    } while (0)
void check_end_case(const char *name);
/* SHA-1 of all pixels as they are stored; caller frees. */
char *check_sum(Drawable d);
/* A new layer on top, with the test's picture on it. */
Layer check_add_layer(Image image, const char *name, int w, int h, int x, int y, gboolean alpha);
void check_paint(Layer layer); /* the picture alone */
/* A row of a layer in sRGB, straight alpha, 4 floats a pixel. */
void check_get_row(Image image, Layer layer, int y, float *row);

enum { W = 61, H = 47 }; /* of the test's images; odd on purpose */

typedef enum { NO_SELECTION, HARD, FEATHERED } Selection;

typedef struct {
    GimpImageBaseType base;
    gboolean alpha, profile;
    GimpPrecision precision;
    Selection selection;
    int w, h, layer_w, layer_h, layer_x, layer_y;
} Setup;

extern const Setup check_plain;
/* A background below, the layer to work on, a layer above. */
Image check_new_image(const Setup *s, Layer *layer);
void check_select(Image image, Selection selection, int x, int y, int w, int h);

/* What every result must keep. */
typedef struct {
    char *sums[8], *selection, *profile;
    Layer layers[8];
    int n, width, height;
    GimpPrecision precision;
} Snapshot;
Snapshot check_snapshot(Image image, const Layer *layers, int n);
void check_kept(Image image, Snapshot *s, gboolean canvas);
void check_snapshot_free(Snapshot *s);
char *check_profile_sum(Image image); /* caller frees */

void check_parasite(Layer layer, const char *action);
double check_seed_of(Layer layer); /* from the layer's parasite; -1: it has none */
double check_tolerance(const Setup *s);
/* Inside: the stand-in's inverse of what was there, alpha the selection; outside: alpha 0. */
void check_inverted(Image image, Layer work, Layer made, const Setup *s, double alpha_limit);
void check_place(Image image, Layer layer, Layer below, int x, int y, int w, int h); /* below NO_LAYER: any */
/* What the actions of the menu are given in the matrix. */
const char *check_values_of(SfuAction action);

/* check-matrix.c */
void check_matrix(gboolean third);
void check_layer_places(void);
void check_tiny_selection(void);
void check_precisions(void);
/* check-layers.c */
void check_color_reaches_engine(const char *log);
void check_masks_and_groups(void);
void check_merged_and_repeat(void);
void check_enlarge_as_layer(void);
void check_looks(void);
void check_fill_transparent(void);
void check_several_and_large(void);
/* check-failures.c */
void check_refusals(void);
void check_failures(const char *which);
void check_hundred_in_a_row(void);
/* check-late.c: images that change between reading and adding. */
void check_late(void);

/* check-scene.c: an image with one of everything, for what concerns whole images. */
Image scene_new(GimpPrecision precision, GimpImageBaseType base);
/* Everything in an image, in words and check sums: two images that differ have different ones. Caller frees. */
char *scene_describe(Image image);
void scene_whole_image(void);
void scene_whole_image_fails(const char *word);
void scene_whole_image_restored(void);
void scene_undo(const char *hand);

/* check-states.c: the states that an image, a layer or a selection can be in. */
void check_states(void);
/* Enlarges the image within the test plug-in itself; the write number fail_at (from 1) fails. The error's sentence;
 * caller frees; NULL: none. */
char *enlarge_here(Image image, double scale, int fail_at);
/* A call that must fail with a sentence that has `word`, and change nothing. Ends the case. */
void check_refusal(const char *name, SfuAction action, Image image, Drawable drawable, const char *values,
                   const char *word);

void check_status_bar(void);                  /* check-status.c */
void check_control_layers(const char *log);   /* check-control.c; log: the stand-in's */
void check_crafted_files(const char *folder); /* check-files.c; writes into the folder */

/* check-shared.c. who: tells the GIMPs apart. */
void check_shared_settings(const char *who);

#endif
