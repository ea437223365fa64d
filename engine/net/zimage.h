/* Z-Image's transformer behind its denoiser: what its family finds out about a file.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_ZIMAGE_H
#define SFU_NET_ZIMAGE_H

#include "net/control.h"
#include "net/denoiser.h"

G_BEGIN_DECLS

#define SFU_ZIMAGE_AXES 3 /* of positions: place in the text, row, column */

typedef struct {
    int channels; /* of latents */
    int patch;    /* side of the squares of latent pixels that are a token */
    int hidden, n_heads, head_dim;
    int context;            /* width of the text's tokens */
    int mlp;                /* width between the matrices of a feed-forward part */
    int n_layers;           /* of picture and text together */
    int n_noise, n_context; /* refiners: layers of the picture and of the text alone */
    int time_channels;      /* of the sinusoids of a timestep */
    int time_hidden, time_out;
    int axes[SFU_ZIMAGE_AXES];
    double theta;
    float eps;
} SfuZimageConfig;

/* Its ControlNet (alibaba-pai's "Fun" unions): layers like its own, beside every n-th of them. */
typedef struct {
    SfuZimageConfig sizes; /* hidden, n_heads, head_dim, mlp, time_out, patch, eps: those of the transformer */
    int channels;          /* that it sees: of latents, and of what fills holes */
    int n_layers, n_refiners;
    enum {
        SFU_ZIMAGE_PLAIN,  /* its refiners see its own picture alone (1.0) */
        SFU_ZIMAGE_LAYERS, /* its layers refine as well: its refiners were published empty (2.0) */
        SFU_ZIMAGE_STEER,  /* its refiners steer the transformer's (2.1) */
    } refining;
} SfuZimageControlConfig;

/* NULL with MISSING. Model and configuration are borrowed. */
SfuControl *sfu_zimage_control(SfuQueue *q, SfuModel *model, const SfuZimageControlConfig *config, GError **error);
void sfu_zimage_control_expect(SfuModel *model, const SfuZimageControlConfig *config);

/* NULL with MISSING. Model and configuration are borrowed. */
SfuDenoiser *sfu_zimage_denoiser(SfuQueue *q, SfuModel *model, const SfuZimageConfig *config, GError **error);
void sfu_zimage_expect(SfuModel *model, const SfuZimageConfig *config);

G_END_DECLS
#endif
