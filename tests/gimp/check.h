/* The tests inside GIMP, without the shell that a GIMP version wants round a plug-in, and what their files share.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TEST_CHECK_H
#define SFU_TEST_CHECK_H

#include "compat.h"

/* Runs the cases and writes TAP to `file`. what: "all", "third" (of the matrix), "quick" (without it), "fail-device"
 * ..., "states" (check-states.c), "whole" (check-scene.c), "hundred" (in a row), "undo" (needs a window and a hand that
 * presses the keys, see undo.py), "shared" (what a folder shared with another GIMP could spoil). Returns how many
 * passed. */
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
/* A row of a layer in sRGB, straight alpha, 4 floats a pixel. */
void check_get_row(Image image, Layer layer, int y, float *row);

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

void check_control_layers(const char *log);   /* check-control.c; log: the stand-in's */
void check_crafted_files(const char *folder); /* check-files.c; writes into the folder */

/* check-shared.c. who: tells the GIMPs apart. */
void check_shared_settings(const char *who);

#endif
