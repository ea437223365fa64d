/* Pictures, masks and runs for the tests of pipelines, on the small models of models.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TESTS_SCENE_H
#define SFU_TESTS_SCENE_H

#include "sfumato.h"

/* main() of a program of tests: *engine and the temporary folder *dir are there while those that add_tests() adds run.
 * Without a device none do. */
int scene_main(int argc, char **argv, SfuEngine **engine, char **dir, void (*add_tests)(void));

/* Four steps of a small model with seed 11, and the given values ("guidance 3 count 2"). Caller frees. */
SfuParams *scene_params(const char *model, const char *text);
/* A soft picture in any format; every value depends on its place. Caller unrefs. */
GeglBuffer *scene_picture(int x, int y, int w, int h, const char *format);
/* One value everywhere. Caller unrefs. */
GeglBuffer *scene_mask(int x, int y, int w, int h, float value);
double scene_difference(GeglBuffer *a, GeglBuffer *b); /* relative, of two pictures of one size */

/* A run that must succeed. Caller unrefs. */
GPtrArray *scene_run(SfuEngine *e, SfuTask task, SfuParams *p, GeglBuffer *in, GeglBuffer *m);
SfuResult *scene_first(GPtrArray *r); /* borrowed */
/* A run that must fail with that code and a sentence. */
void scene_fails(SfuEngine *e, const SfuJob *job, SfuError code);
/* Pixels outside `inside` are the picture's own, byte for byte, and some inside are not. */
void scene_check_only_changes(const SfuResult *r, GeglBuffer *in, GeglRectangle inside);

/* What a run reported, for scene_on_progress() and scene_on_preview(); they check each report. */
typedef struct {
    double fraction;
    int n_progress, n_previews, n_denoise, last_step;
    int cancel_at, cancel; /* after that step `cancel` is set; 0: never */
    GeglRectangle extent;
} SceneWatch;
void scene_on_progress(const SfuProgress *p, gpointer data);
void scene_on_preview(GeglBuffer *b, int step, gpointer data);

#endif
