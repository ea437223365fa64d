/* FLUX.2's transformer behind its denoiser: what its family finds out about a file.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_FLUX2_H
#define SFU_NET_FLUX2_H

#include "net/denoiser.h"

G_BEGIN_DECLS

#define SFU_FLUX2_AXES 4        /* of positions: picture, row, column, place in the text */
#define SFU_FLUX2_REFERENCES 10 /* that it was trained with at most */

typedef struct {
    int in_channels, out_channels; /* of packed latents */
    int hidden, n_heads, head_dim;
    int context;       /* width of the text's tokens */
    int mlp;           /* width between the two matrices of a feed-forward part */
    int n_double;      /* blocks with a stream for the picture and one for the text */
    int n_single;      /* and with one for both */
    int time_channels; /* of the sinusoids of a timestep */
    gboolean guidance; /* the guidance scale is an input, as of models that were distilled with it */
    int axes[SFU_FLUX2_AXES];
    double theta;
    float eps;
} SfuFlux2Config;

/* NULL with MISSING. Model and configuration are borrowed. */
SfuDenoiser *sfu_flux2_denoiser(SfuQueue *q, SfuModel *model, const SfuFlux2Config *config, GError **error);
void sfu_flux2_expect(SfuModel *model, const SfuFlux2Config *config);

G_END_DECLS
#endif
