/* What upscaler.c knows of the families: each binds its weights and runs. `c` is the model's configuration.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_UPSCALER_PARTS_H
#define SFU_NET_UPSCALER_PARTS_H

#include "net/parts.h"

typedef struct {
    gpointer (*bind)(SfuNet *net, const SfuUpscalerConfig *c); /* what does not fit is remembered in net */
    void (*free)(gpointer network);
    /* x [1, h, w, 3] in the pass's dtype is taken. NULL on error. */
    SfuTensor *(*run)(const SfuNet *net, const SfuUpscalerConfig *c, gpointer network, SfuTensor *x, GError **error);
    int (*margin)(const SfuUpscalerConfig *c);
    int (*channels)(const SfuUpscalerConfig *c); /* floats for each input pixel at the widest point */
} SfuUpscalerKind;

extern const SfuUpscalerKind sfu_rrdb_kind, sfu_srvgg_kind, sfu_swin_kind; /* swin: SwinIR and HAT */

/* 3x3, padding 1, then act; a new tensor. x is borrowed. up: x is read as if enlarged twice by nearest neighbour. */
SfuTensor *sfu_upscaler_conv(const SfuNet *net, const SfuTensor *x, const SfuLayer *l, int out, gboolean up, SfuAct act, float param, GError **error);

/* The ways up that SwinIR and HAT share. */
typedef struct {
    SfuLayer before, up[4], hr, last;
    int width, factor[4];
} SfuUpsamplerTail;
void sfu_upsampler_bind(SfuNet *net, const SfuUpscalerConfig *c, SfuUpsamplerTail *t);
/* features [1, h, w, features] is taken; picture: the network's own input, which a restorer adds to. */
SfuTensor *sfu_upsampler_run(const SfuNet *net, const SfuUpscalerConfig *c, const SfuUpsamplerTail *t, SfuTensor *features, const SfuTensor *picture,
                             GError **error);

#endif
