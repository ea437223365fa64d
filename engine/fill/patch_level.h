/* Inside the patch fill: a level of its pyramid, and what is done on it. See patch_fill.h.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PATCH_LEVEL_H
#define SFU_PATCH_LEVEL_H

#include "fill/patch_fill.h"

G_BEGIN_DECLS

#define R 3 /* patches are 7 x 7 */
#define SIDE (2 * R + 1)
#define MAX_LEVELS 12

enum {
    KNOWN,
    FIXED,
    EXCLUDED,
    HOLE
}; /* FIXED: filled already, but not to be copied from; EXCLUDED: known, but the same */

typedef struct {
    int w, h;
    float *p;               /* [h, w, 4] R, G, B, and how busy the surroundings are */
    float *low;             /* [h, w, 3] low frequencies that the fill shall have; NULL: any */
    float tolerance;        /* squared difference from these, over the three colors, that costs nothing */
    guint8 *state;          /* [h, w] */
    int *hole, n_hole;      /* HOLE pixels, in raster order */
    guint8 *whole;          /* [h, w] the patch with its middle here is all KNOWN */
    int *source, n_sources; /* middles of those */
    int *target, n_targets; /* middles of the patches that touch HOLE, and lie inside the picture; in raster order */
    int *from;              /* [h, w] for each target, the middle of the nearest source patch; else -1 */
    float *cost;            /* [h, w] its distance, and what the source costs by itself */
    float *dear;            /* [h, w] the latter: sources that are unlike the hole's surroundings, or far, are dear */
    int *used;              /* [h, w] in cells of 4 x 4: targets that have their source there. NULL: not counted */
    float reuse;            /* what a source costs more each time that it is used again */
    int *guess;             /* [h, w] for targets in what repeats, a source; else -1. NULL: there are none */
} Level;

typedef struct {
    Level level[MAX_LEVELS]; /* 0: the picture */
    int n_levels;
    float *dear; /* what each pixel of the coarsest level costs as a part of a source, [h, w]; below 0: it is usual
                    about the hole */
    guint64 random;
    float background; /* how much rare sources cost, against the difference of patches */
    SfuPatchTick tick;
    gpointer data;
    double done, total; /* patches searched for */
} Fill;

/* ---- patch_level.c; FALSE: no memory ---- */

/* Below n. */
int sfu_patch_random(Fill *f, int n);
/* Counts work done. FALSE: stop. */
gboolean sfu_patch_go_on(Fill *f, double work);

/* Pixels zeroed, all KNOWN. */
gboolean sfu_patch_level_init(Level *l, int w, int h);
void sfu_patch_level_clear(Level *l);
/* Makes the lists and whole from the states. Pictures smaller than a patch have no targets. */
gboolean sfu_patch_level_list(Level *l);
/* Fills in the fourth channel. known [h, w]: 1 where the picture is known. inwards: deep in a hole, where no patch
 * reaches the rim, the membrane continues the channel from there; else it is 0. */
gboolean sfu_patch_level_texture(Level *l, const float *known, gboolean inwards);
/* The next coarser level. number: its own. */
gboolean sfu_patch_level_halve(const Level *l, Level *half, int number);
/* Distances [h, w] to the nearest pixel where d is 0; in: 0 or far away. */
void sfu_patch_distances(float *d, int w, int h);
/* How far each HOLE pixel is from the rest; returns the largest. */
float sfu_patch_level_depth(const Level *l, float *d);
/* How far each pixel of the level is from its holes. */
void sfu_patch_level_distance(const Level *l, float *d);
/* The value below which a share q of the n values lies; sorts them. */
float sfu_patch_quantile(float *values, int n, float q);

/* ---- patch_guide.c ---- */

/* Fills in low and tolerance of the finest level. guide [h, w, 3]: SfuPatchOptions. FALSE: no memory. */
gboolean sfu_patch_guide(Level *l, const float *guide);
/* Of the low frequencies at two pixels: sum of squared differences. */
float sfu_patch_low_difference(const Level *l, int a, int b);

/* ---- patch_prior.c ---- */

/* Fills in dear of all levels, and of f. FALSE: no memory. */
gboolean sfu_patch_prior(Fill *f);

/* ---- patch_repeat.c ---- */

/* Fills in guess of one level, where something repeats. After the prior. FALSE: no memory. */
gboolean sfu_patch_repeat(Fill *f);

/* ---- patch_sketch.c ---- */

/* First guess on the coarsest level: pixels, and some of from. FALSE: stopped or out of memory (*end says which). */
gboolean sfu_patch_sketch(Fill *f, Level *l, SfuPatchEnd *end);

/* ---- patch_search.c ---- */

/* What a source costs a target besides the difference of their patches. */
float sfu_patch_own_cost(const Level *l, int at, int from);
/* cost, from the sources that stand in from. */
void sfu_patch_measure(Level *l);
/* Two sweeps of PatchMatch from the sources that stand in from. FALSE: stopped. */
gboolean sfu_patch_search(Fill *f, Level *l);
/* New HOLE pixels from the patches over them. confidence [h, w] weighs patches by their middle. */
void sfu_patch_vote(Level *l, const float *confidence);
/* The HOLE pixels as sharp as the sources, without seams, into rgb [h, w, 3]; others are not touched. FALSE: no memory.
 */
gboolean sfu_patch_finish(const Level *l, float *rgb);

G_END_DECLS
#endif
