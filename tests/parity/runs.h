/* Whole pipelines on small models, compared with what the Python programs of this folder left: the same prompt, steps
 * and seed for all. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TESTS_RUNS_H
#define SFU_TESTS_RUNS_H

#include "small_models.h"

#define PARITY_SIDE 128
#define PARITY_TOLERANCE 1e-3 /* ten steps with guidance 7 multiply the networks' 1e-5 */

/* The folder of the test's own files, made on first use. parity_runs_close() removes it, and so does
 * parity_runs_open() if it finds no device. Borrowed. */
const char *parity_runs_folder(void);
/* What programs keep for a user goes to that folder, but not PoCL's compiled kernels, which take a minute to make.
 * Before GLib is asked for its folders. */
void parity_runs_keep_here(void);
/* parity_engine_open(), borrowed; NULL without a device. */
SfuEngine *parity_runs_open(void);
void parity_runs_close(void);
/* picture() of the Python programs: 8 x 8 values of 8 bits in nearest-neighbor cells. */
GeglBuffer *parity_picture(const char *name, int w, int h);
GeglBuffer *parity_box_mask(int x, int y, int w, int h); /* white where it is */
/* "a photo of a cat", 10 steps, seed 7, the model of that key, and `text`: "name value name value". Caller frees. */
SfuParams *parity_params(const char *model, const char *text);
/* Runs the job with these parameters; the latents are compared with those of `name`, the picture too if block > 0, by
 * means of block x block pixels. Takes p; caller frees the result. */
SfuResult *parity_check_job(const char *name, SfuJob job, SfuParams *p, int block);
SfuResult *parity_check(const char *name, SfuTask task, SfuParams *p, GeglBuffer *in, GeglBuffer *mask, int block);
/* The latents that a run left in `file` are those of `name`. */
void parity_check_latents(const char *name, const char *file);
/* Outside 40, 32, 64 x 56 the picture is in's to the bit, inside it is another. */
void parity_outside_is_untouched(const SfuResult *r, GeglBuffer *in);

#endif
