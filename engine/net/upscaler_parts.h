/* What upscaler.c knows of a network: it binds its weights and runs. `c` is the model's configuration.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_UPSCALER_PARTS_H
#define SFU_NET_UPSCALER_PARTS_H

#include "net/parts.h"
#include "net/upscaler.h"

/* Of networks whose windows exchange what they see from layer to layer. SwinIR's authors divide with an overlap of
 * 32. */
#define SFU_WINDOWS_MARGIN_PX 32

/* A pass under way. */
typedef struct {
    const SfuNet *net;
    const SfuUpscalerConfig *c;
    gpointer network;
    const SfuTensor *noise; /* [1, h, w, c->noise] in the pass's dtype; NULL if c->noise is 0 */
    gint64 room;            /* bytes that the pass may take on the device */
    SfuUpscalerProgress progress;
    gpointer progress_data;
} SfuUpscalerPass;

struct SfuUpscalerKind {
    /* Finds the weights, also without a queue. net remembers missing and misshapen tensors; their weights are NULL. */
    gpointer (*bind)(SfuNet *net, const SfuUpscalerConfig *c);
    void (*free)(gpointer network);
    /* x [1, h, w, channels] in the pass's dtype is taken. NULL on error. */
    SfuTensor *(*run)(const SfuUpscalerPass *p, SfuTensor *x, GError **error);
    int (*margin)(const SfuUpscalerConfig *c);
    double (*values)(const SfuUpscalerConfig *c, int w,
                     int h); /* that a pass over w x h input pixels holds at its widest point */
    gboolean sees_all;       /* an output pixel depends on all of the input, however little: margin is a choice */
};

/* A share of the pass, 0 to 1, is enqueued: if somebody listens, waits until the device has done it and reports. */
gboolean sfu_upscaler_step(const SfuUpscalerPass *p, double done, GError **error);

typedef struct {
    int out;     /* channels */
    gboolean up; /* the input is read as if enlarged twice by nearest neighbor */
    SfuAct act;
    float slope; /* of SFU_ACT_LEAKY_RELU */
} SfuUpscalerConv;
/* 3x3, padding 1, then the activation; a new tensor. x is borrowed. */
SfuTensor *sfu_upscaler_conv(const SfuNet *net, const SfuTensor *x, const SfuLayer *l, SfuUpscalerConv how,
                             GError **error);

/* Depthwise 3x3, padding 1, then act; a new tensor. x is borrowed. */
SfuTensor *sfu_upscaler_depthwise(const SfuNet *net, const SfuTensor *x, const SfuLayer *l, SfuAct act, GError **error);

/* x is taken, NULL passes through: a 3x3 convolution to factor^2 * out channels, then a pixel-shuffle. */
SfuTensor *sfu_upscaler_shuffle(const SfuNet *net, SfuTensor *x, const SfuLayer *l, int factor, int out,
                                GError **error);

/* The convolution behind a group of blocks: one 3x3, or three with a narrow waist; conv[1].w NULL: one. */
void sfu_trunk_conv_bind(SfuNet *net, SfuLayer conv[3], const char *prefix, int f);
/* x is taken; plus residual, borrowed. */
SfuTensor *sfu_trunk_conv_run(const SfuNet *net, const SfuLayer conv[3], SfuTensor *x, const SfuTensor *residual,
                              GError **error);

/* The ways up that transformers share. */
typedef struct {
    SfuLayer before, up[4], hr, last;
    int width, factor[4];
} SfuUpsamplerTail;
void sfu_upsampler_bind(SfuNet *net, const SfuUpscalerConfig *c, SfuUpsamplerTail *t);
/* features [1, h, w, features] is taken; picture: the network's own input, which a restorer adds to. */
SfuTensor *sfu_upsampler_run(const SfuNet *net, const SfuUpscalerConfig *c, const SfuUpsamplerTail *t,
                             SfuTensor *features, const SfuTensor *picture, GError **error);

#endif
