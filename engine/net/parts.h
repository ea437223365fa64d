/* What the networks share: finding and checking weights up front, traces, and the building blocks that more than one
 * network has. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_PARTS_H
#define SFU_NET_PARTS_H

#include "net/net.h"
#include "ops/ops.h"

/* A learned map: matrix or kernel, and its bias. */
typedef struct {
    SfuWeight *w, *b; /* b NULL: none */
} SfuLayer;

/* Group norms whose statistics come from another pass, in the order of the pass. */
typedef struct {
    GPtrArray *stats;  /* SfuTensor* */
    gboolean learning; /* fill stats, else use them */
    guint at;
} SfuNorms;

/* What every network has. Zero-initialised by its owner. */
typedef struct {
    SfuQueue *q;
    SfuModel *model;
    SfuPart part;
    SfuDtype dtype; /* of the activations of the pass under way */
    SfuTrace trace;
    int wrap;           /* SfuWrap bits: 3x3 convolutions continue at the other side; set between passes */
    gsize band_bytes;   /* pictures of more than twice this are normed and convolved in bands of about it; 0: whole */
    SfuNorms *norms;    /* of the pass under way, borrowed; NULL: every norm has its own statistics */
    GPtrArray *weights; /* SfuWeight*, borrowed from the model: all that were bound */
    GPtrArray *stacks;  /* SfuWeight*, owned: concatenations */
    GPtrArray *missing; /* char*: tensors that are missing or misshapen, "name [shape]" */
    GHashTable *bound;  /* char*: names of all tensors that the network has */
} SfuNet;

/* q NULL: only to find what is missing or unexpected (sfu_net_note()), not to run. */
void sfu_net_init(SfuNet *net, SfuQueue *q, SfuModel *model, SfuPart part);
void sfu_net_finish(SfuNet *net);
void sfu_net_unload(SfuNet *net);
void sfu_net_set_trace(SfuNet *net, const SfuTrace *trace);

/* ---- binding: "<prefix>.<name>.weight" and ".bias" of the shapes given; what does not fit is remembered, not
 * reported ---- */
SfuLayer sfu_net_linear(SfuNet *net, const char *prefix, const char *name, int out, int in,
                        gboolean bias); /* [out, in] or [out, in, 1, 1] */
SfuLayer sfu_net_conv(SfuNet *net, const char *prefix, const char *name, int out, int in, int size, gboolean bias);
SfuLayer sfu_net_norm(SfuNet *net, const char *prefix, const char *name, int c);
SfuWeight *sfu_net_table(SfuNet *net, const char *prefix, const char *name, int rows, int c);
/* The tensor "<prefix>.<name>" as it is called, without ".weight". */
SfuWeight *sfu_net_tensor(SfuNet *net, const char *prefix, const char *name, int n_dims, const gint64 *dims);
SfuWeight *sfu_net_vector(SfuNet *net, const char *prefix, const char *name, int c); /* the same, [c] */
/* A weight of the network's own making, owned by net; values [product of dims], taken, in fp32. */
SfuWeight *sfu_net_own(SfuNet *net, const char *name, float *values, int n_dims, const gint64 *dims);
/* The weight's values in fp32, to fold them into others at binding. NULL if w is NULL or net has no queue. Caller
 * frees. */
float *sfu_net_values(const SfuNet *net, const SfuWeight *w);
/* Stacked along the outputs; owned by net. NULL if a part is NULL. */
SfuWeight *sfu_net_stack(SfuNet *net, SfuWeight *const *parts, int n_parts);
gboolean sfu_net_has(const SfuNet *net, const char *prefix, const char *name); /* the tensor "<prefix>.<name>" */
/* Dim i of the tensor "<prefix>.<name>", at most 2^24; 0: there is none. */
int sfu_net_dim(const SfuNet *net, const char *prefix, const char *name, int i);
/* FALSE with MISSING if anything did not fit. */
gboolean sfu_net_check(SfuNet *net, GError **error);
/* Gives the model what binding has found: missing and unexpected tensors of the part. */
void sfu_net_note(const SfuNet *net);

/* ---- passes ---- */
gboolean sfu_net_trace(const SfuNet *net, const SfuTensor *x, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* [x->n, x->h, x->w, c] in the pass's dtype. */
SfuTensor *sfu_net_like(const SfuNet *net, const SfuTensor *x, int c, GError **error);
/* View of rows [from, to) of x: all of any number of samples, or some of a single one. */
SfuTensor *sfu_net_band(const SfuTensor *x, int from, int to, GError **error);
/* x in the pass's dtype: a copy, or a view of x itself. */
SfuTensor *sfu_net_input(const SfuNet *net, const SfuTensor *x, GError **error);
/* Host rows [n, c] as [n, 1, 1, c] or [n / t, 1, t, c] in the pass's dtype. */
SfuTensor *sfu_net_rows(const SfuNet *net, const float *rows, int n, int t, int c, GError **error);
/* Sinusoids of numbers v [n] as [n, 1, 1, c]: cosines, then sines, of periods from 1 to 10,000. Ho 2020, section
 * 3.3. */
SfuTensor *sfu_net_waves(const SfuNet *net, const double *v, int n, int c, GError **error);
/* Rotary positions of one token, at[i] on axis i, which turns axes[i] values of a head: cosines, then sines, to row
 * [the sum of axes]. Su 2021, eq. 34, an axis after the other. */
void sfu_net_turn(const int *axes, int n_axes, double theta, const int *at, float *row);
static inline void sfu_net_drop(SfuTensor **t)
{
    sfu_tensor_destroy(*t);
    *t = NULL;
}
/* A tensor on its way through a network. */
typedef struct {
    SfuTensor *x;
    SfuTensor *moments; /* of x (sfu_moments()), or NULL: they are not known */
    gboolean shared;    /* x is read elsewhere, too, and must not be written to */
} SfuFeature;
static inline void sfu_feature_clear(SfuFeature *f)
{
    sfu_net_drop(&f->x);
    sfu_net_drop(&f->moments);
    f->shared = FALSE;
}
/* Room for the moments of y (sfu_moments()), for the epilogue of what writes y, if a norm of y is to be made from
 * them: not where its statistics come from net->norms, nor on devices whose kernels would read y again for them.
 * *moments is then NULL. Caller frees. */
gboolean sfu_net_moments(const SfuNet *net, SfuTensor **moments, const SfuTensor *y, GError **error);
typedef struct {
    SfuLayer l; /* gamma, beta */
    int n_groups;
    float eps;
} SfuGroupNorm;
/* sfu_group_norm(), or with the statistics of net->norms. moments: of x, or NULL. */
gboolean sfu_net_group_norm(const SfuNet *net, SfuTensor *y, const SfuTensor *x, const SfuTensor *moments,
                            SfuGroupNorm norm, SfuAct act, GError **error);
/* Padding 1 on every side, as 3x3 convolutions have it. */
static inline SfuConv sfu_net_same(const SfuNet *net)
{
    return (SfuConv){.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .circular = net->wrap};
}
/* 3x3, padding 1: y [.., out]. */
gboolean sfu_net_conv3(const SfuNet *net, SfuTensor *y, const SfuTensor *x, const SfuLayer *l,
                       const SfuTensor *residual, GError **error);

/* y = shortcut(x) + conv2(silu(norm2(conv1(silu(norm1(x))) + time))): He 2016 as Ho 2020 has it; without `time` in
 * autoencoders. */
typedef struct {
    char name[72];
    int c_in, c_out;
    SfuGroupNorm norm1, norm2;
    SfuLayer conv1, time, conv2, shortcut; /* time.w, shortcut.w NULL: none */
} SfuResnet;
typedef struct {
    int c_in, c_out;
    int time_c; /* width of the time embedding; 0: none */
    int n_groups;
    float eps; /* of both norms */
} SfuResnetShape;
void sfu_resnet_bind(SfuNet *net, SfuResnet *r, const char *name, SfuResnetShape shape);
/* f [n, h, w, c_in] becomes [n, h, w, c_out], cleared on error. time [n, 1, 1, time_c], already through SiLU. */
gboolean sfu_resnet_run(const SfuNet *net, const SfuResnet *r, SfuFeature *f, const SfuTensor *time, GError **error);

/* Nearest 2x, then 3x3. f [n, h, w, c] becomes [n, to_h, to_w, c], cleared on error; to_h is 2h, or 2h - 1 where the
 * way down had an odd height; to_w likewise. normed: a norm of the result will ask for its moments
 * (sfu_net_moments()). */
gboolean sfu_upsample_run(const SfuNet *net, const SfuLayer *conv, SfuFeature *f, int to_h, int to_w, gboolean normed,
                          GError **error);

/* ---- bands.c ---- */
typedef struct {
    SfuTensor *x;
    const SfuTensor *moments; /* of x, or NULL */
    gboolean spend;           /* x may be overwritten, if that saves a copy */
} SfuNormInput;
/* y = conv(silu(norm(x))) and the epilogue; conv 3x3. e->residual may be y. */
gboolean sfu_norm_conv_run(const SfuNet *net, SfuTensor *y, SfuNormInput in, SfuGroupNorm norm, const SfuLayer *conv,
                           const SfuEpilogue *e, GError **error);
/* sfu_upsample_run() to twice the size and sfu_resnet_run() of a resnet with a shortcut and without time, for one
 * sample f [1, h, w, c_in], cleared on error. What lies between is made in bands, twice, and never held (nor traced): a
 * quarter instead of the whole of the largest tensor of an autoencoder. */
gboolean sfu_upsample_resnet_run(const SfuNet *net, const SfuLayer *up, const SfuResnet *r, SfuFeature *f,
                                 GError **error);

#endif
